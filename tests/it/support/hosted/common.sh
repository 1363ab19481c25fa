# What both stand-ins share: pull requests are folders of files below $state, and their branches are in a bare repository.
state="$HOME/hosted"
far="$HOME/far.git"
printf '%s %s\n' "${0##*/}" "$*" >>"$state/calls"

fail() {
    printf '%s\n' "$1" >&2
    exit "${2:-1}"
}

# Stops here until somebody kills it, where a test wants that.
may_hang() {
    if [ -e "$state/hang-$1" ]; then
        : >"$state/hangs-$1"
        sleep 600
    fi
}

# Prints a file as a JSON string.
quoted() {
    printf '"'
    tr -d '\r' <"$1" | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' | sed -e ':a' -e 'N' -e '$!ba' -e 's/\n/\\n/g' | tr -d '\n'
    printf '"'
}

moment() { date -u +%Y-%m-%dT%H:%M:%SZ; }

commit_of() { git -C "$far" rev-parse --quiet --verify "refs/heads/$1"; }

# The commit that the branch of a pull request is at; once that is over, the one that it was at.
head_of() {
    if [ "$(cat "$state/$1/state")" = OPEN ]; then commit_of "$(cat "$state/$1/head")"; else cat "$state/$1/oid"; fi
}

next_number() {
    number=1
    while [ -d "$state/$number" ]; do number=$((number + 1)); done
    echo "$number"
}

# Stores a new pull request: number, head, base, title, draft.
store() {
    mkdir "$state/$1"
    printf '%s' OPEN >"$state/$1/state"
    printf '%s' "$2" >"$state/$1/head"
    printf '%s' "$3" >"$state/$1/base"
    printf '%s' "$4" >"$state/$1/title"
    printf '%s' "$5" >"$state/$1/draft"
    moment >"$state/$1/created"
}

open_number_of() {
    for folder in "$state"/[0-9]*; do
        [ -d "$folder" ] || continue
        if [ "$(cat "$folder/state")" = OPEN ] && [ "$(cat "$folder/head")" = "$1" ]; then
            echo "${folder##*/}"
            return
        fi
    done
}

# Merges into one commit, as a host does.
merge() {
    base="$(cat "$state/$1/base")"
    onto="$(commit_of "$base")"
    commit="$(head_of "$1")"
    tree="$(git -C "$far" merge-tree --write-tree "$onto" "$commit")" || return 1
    merged="$(git -C "$far" commit-tree -p "$onto" -m "$(cat "$state/$1/title")" "$tree")"
    printf '%s' "$merged" >"$state/$1/merged"
    become "$1" "$merged"
}

# Moves the target of a pull request to a commit, which is its merge.
become() {
    base="$(cat "$state/$1/base")"
    head_of "$1" >"$state/$1/oid"
    git -C "$far" update-ref "refs/heads/$base" "$2"
    moment >"$state/$1/merged-at"
    printf '%s' MERGED >"$state/$1/state"
}
