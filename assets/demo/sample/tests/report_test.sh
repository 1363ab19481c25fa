. ./tests/support/check.sh
. ./lib/report.sh

check "times are shown as durations" "2 runs, 1h01m05s in all" "$(report 3600 65)"
check "no run" "0 runs, 0h00m00s in all" "$(report)"

finish
