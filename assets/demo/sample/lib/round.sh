# Prints a price in cents as whole units.
round() {
	echo $(($1 / 100))
}
