. ./tests/support/check.sh
. ./lib/slug.sh

check "words are joined" hello-world "$(slug 'Hello World')"
check "signs between words count once" hello-world "$(slug 'Hello, World')"
check "no dash at the ends" hello-world "$(slug '(Hello World!)')"

finish
