. ./tests/support/check.sh
. ./lib/round.sh

check "little is dropped" 1 "$(round 149)"
check "much counts up" 2 "$(round 151)"
check "nothing" 0 "$(round 0)"

finish
