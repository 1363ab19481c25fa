# Prints seconds as hours, minutes and seconds.
duration() {
	printf '%dh%dm%ds\n' $(($1 / 3600)) $(($1 / 60 % 60)) $(($1 % 60))
}
