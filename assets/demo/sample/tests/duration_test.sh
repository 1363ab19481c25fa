. ./tests/support/check.sh
. ./lib/duration.sh

check "long ones are read at a glance" 1h12m45s "$(duration 4365)"
check "minutes and seconds have two digits" 1h01m05s "$(duration 3665)"
check "nothing" 0h00m00s "$(duration 0)"

finish
