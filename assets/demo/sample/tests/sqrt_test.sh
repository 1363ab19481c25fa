. ./tests/support/check.sh
. ./lib/sqrt.sh

check "the root of 0" 0 "$(sqrt 0)"
check "the root of 9" 3 "$(sqrt 9)"
check "the root of 24 is cut" 4 "$(sqrt 24)"
refuses "a negative number has no root" sqrt -4

finish
