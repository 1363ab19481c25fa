. ./lib/duration.sh

# Prints how many runs there were and how long they took in all; each argument is a run's seconds.
report() {
	total=0
	for seconds in "$@"; do
		total=$((total + seconds))
	done
	echo "$# runs, $total in all"
}
