# What every test uses: check WHAT EXPECTED GOT, refuses WHAT COMMAND..., finish.
failures=0

check() {
	if [ "$2" = "$3" ]; then
		echo "ok: $1"
	else
		echo "FAILED: $1: expected '$2', got '$3'"
		failures=$((failures + 1))
	fi
}

refuses() {
	what=$1
	shift
	if ("$@") >/dev/null 2>&1; then
		echo "FAILED: $what: it was accepted"
		failures=$((failures + 1))
	else
		echo "ok: $what"
	fi
}

finish() {
	[ "$failures" -eq 0 ]
}
