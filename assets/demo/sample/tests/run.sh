# Runs every test. A file in tests/known-bugs says that the test of that name is expected to fail.
cd "$(dirname "$0")/.." || exit 1
bad=0
for test in tests/*_test.sh; do
	name=$(basename "$test" _test.sh)
	if output=$(sh "$test" 2>&1); then
		if [ -e "tests/known-bugs/$name" ]; then
			echo "$name: passes; delete tests/known-bugs/$name"
			bad=1
		else
			echo "$name: passed"
		fi
	elif [ -e "tests/known-bugs/$name" ]; then
		echo "$name: known bug"
	else
		echo "$name: FAILED"
		printf '%s\n' "$output"
		bad=1
	fi
done
exit $bad
