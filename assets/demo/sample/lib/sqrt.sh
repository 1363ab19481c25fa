# Prints the whole part of the square root of a number.
sqrt() {
	root=0
	while [ $(((root + 1) * (root + 1))) -le "$1" ]; do
		root=$((root + 1))
	done
	echo "$root"
}
