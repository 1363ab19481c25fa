. ./tests/support/check.sh
. ./lib/percent.sh

check "a half" 50% "$(percent 1 2)"
check "nothing of something" 0% "$(percent 0 7)"
check "a part of nothing cannot be told" n/a "$(percent 0 0)"

finish
