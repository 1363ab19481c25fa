# Prints a part of a whole in per cent.
percent() {
	echo "$((100 * $1 / $2))%"
}
