# Moves a branch forward together with the work tree in which it is checked out. Git holds the branch and HEAD (`prepare`) while
# the files follow, so neither a commit nor a switch of the branch comes in between; and this is a process of its own, so it
# comes to its end though Draft is killed meanwhile. A branch that cannot be held, or files that cannot follow, change nothing.
#
# Its input is the note of the work tree, open for writing too.
#
# git, the ref, its commit, the commit that it is to have, and what its history is to say
git=$1 ref=$2 from=$3 to=$4 note=$5

pipes=$(mktemp -d) || exit 2
mkfifo "$pipes/in" "$pipes/out" || exit 2
"$git" -c core.fsync=committed,loose-object,reference -c core.fsyncMethod=batch \
    update-ref -m "$note" --stdin <"$pipes/in" >"$pipes/out" &
exec 3>"$pipes/in" 4<"$pipes/out"
rm -r -- "$pipes"
trap '' PIPE

hear() {
    while read -r said <&4; do [ "$said" = "$1: ok" ] && return; done
    return 1
}
# Without `commit` the end of its input lets git give up what it holds.
end() {
    exec 3>&-
    wait
    exit "$1"
}
files() { "$git" read-tree "$@" 3>&- 4<&-; }

printf 'start\nupdate %s %s %s\nprepare\n' "$ref" "$to" "$from" >&3
hear prepare || end 3
echo held >&0
[ "$("$git" symbolic-ref -q HEAD)" = "$ref" ] || end 4
if ! files -n -m -u --no-recurse-submodules "$from" "$to" 2>/dev/null; then
    # Files that were only touched look changed until git has looked at what is in them.
    "$git" update-index -q --refresh >/dev/null 2>&1 3>&- 4<&-
    files -n -m -u --no-recurse-submodules "$from" "$to" || end 5
fi
files -m -u --no-recurse-submodules "$from" "$to" || end 6
printf 'commit\n' >&3
hear commit || end 7
end 0
