. ./tests/support/check.sh
. ./lib/median.sh

check "of one" 5 "$(median 5)"
check "numbers are no words" 10 "$(median 100 9 10)"

finish
