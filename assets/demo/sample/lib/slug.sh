# Prints a title as a name for a file or a link.
slug() {
	printf '%s\n' "$1" | tr 'A-Z' 'a-z' | sed 's/[^a-z0-9]/-/g'
}
