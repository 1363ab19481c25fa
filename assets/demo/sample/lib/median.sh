# Prints the middle one of the numbers.
median() {
	printf '%s\n' "$@" | sort | sed -n "$((($# + 1) / 2))p"
}
