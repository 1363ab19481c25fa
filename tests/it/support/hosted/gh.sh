known=" additions assignees author autoMergeRequest baseRefName baseRefOid body changedFiles closed closedAt comments
 commits createdAt deletions files headRefName headRefOid headRepository headRepositoryOwner id isCrossRepository isDraft
 labels latestReviews maintainerCanModify mergeCommit mergeStateStatus mergeable mergedAt mergedBy milestone number
 potentialMergeCommit reactionGroups reviewDecision reviewRequests reviews state statusCheckRollup title updatedAt url "

repo= json= head= base= title= body= draft=false limit= list_state= match= way= hostname= words=
while [ $# -gt 0 ]; do
    flag="${1%%=*}"
    case "$flag" in
    --repo | --json | --head | --base | --title | --body-file | --limit | --state | --match-head-commit | --hostname)
        case "$1" in
        *=*) value="${1#*=}" ;;
        *) value="$2" && shift ;;
        esac
        ;;
    esac
    case "$flag" in
    --repo) repo="$value" ;;
    --json) json="$value" ;;
    --head) head="$value" ;;
    --base) base="$value" ;;
    --title) title="$value" ;;
    --body-file) body="$value" ;;
    --limit) limit="$value" ;;
    --state) list_state="$value" ;;
    --match-head-commit) match="$value" ;;
    --hostname) hostname="$value" ;;
    --draft) draft=true ;;
    --squash | --merge | --rebase) way="$flag" ;;
    -*) fail "unknown flag: $flag" ;;
    *) words="$words $1" ;;
    esac
    shift
done
# shellcheck disable=SC2086
set -- $words

for field in $(echo "$json" | tr , ' '); do
    case "$(echo "$known" | tr '\n' ' ')" in
    *" $field "*) ;;
    *) fail "Unknown JSON field: \"$field\"
Available fields: $known" ;;
    esac
done

if [ -e "$state/no-login" ]; then
    [ "$1 $2" = "auth status" ] && fail "You are not logged into any GitHub hosts. To log in, run: gh auth login"
    fail "To get started with GitHub CLI, please run:  gh auth login" 4
fi
[ "$1 $2" = "auth status" ] && echo "Logged in to $hostname account tester" && exit
[ -n "$GH_PROMPT_DISABLED" ] || fail "it would ask something back"
[ -e "$state/rate-limited" ] && fail "GraphQL: API rate limit exceeded for user ID 1. (HTTP 403)"
[ -e "$state/unreachable" ] && fail "error connecting to api.github.com
check your internet connection or https://githubstatus.com"

view() {
    commit=null merged_at=null
    if [ "$(cat "$state/$1/state")" = MERGED ]; then
        commit="{\"oid\":\"$(cat "$state/$1/merged")\"}"
        merged_at="\"$(cat "$state/$1/merged-at")\""
    fi
    checks="$(cat "$state/checks" 2>/dev/null || echo '[]')"
    review="$(cat "$state/review" 2>/dev/null)"
    cat <<END
{"number":$1,"url":"https://github.com/acme/shop/pull/$1","state":"$(cat "$state/$1/state")",
"isDraft":$(cat "$state/$1/draft"),"headRefName":"$(cat "$state/$1/head")","headRefOid":"$(head_of "$1")",
"baseRefName":"$(cat "$state/$1/base")","createdAt":"$(cat "$state/$1/created")","mergedAt":$merged_at,
"mergeCommit":$commit,"reviewDecision":"$review","statusCheckRollup":$checks,"isCrossRepository":false}
END
}

comments() {
    list=
    for file in "$state/$1"/comment-*; do
        [ -e "$file" ] || continue
        one="{\"author\":{\"login\":\"tester\"},\"body\":$(quoted "$file"),\"createdAt\":\"$(moment)\"}"
        list="${list:+$list,}$one"
    done
    # Not echo, which may take what is escaped for what it means.
    printf '%s\n' "{\"comments\":[$list],\"reviews\":[]}"
}

exists() { [ -d "$state/$1" ] || fail "GraphQL: Could not resolve to a PullRequest with the number of $1. (repository.pullRequest)"; }

[ "$1" = api ] || [ "$repo" = github.com/acme/shop ] || fail "GraphQL: Could not resolve to a Repository with the name '$repo'."
case "$1 $2" in
"pr view")
    exists "$3"
    if [ "$json" = comments,reviews ]; then comments "$3"; else view "$3"; fi
    ;;
"pr list")
    [ "$list_state" = open ] || fail "invalid argument \"$list_state\" for \"--state\" flag"
    number="$(open_number_of "$head")"
    echo "[$([ -z "$number" ] || view "$number")]"
    ;;
"pr create")
    [ "$body" = - ] || fail "must provide \`--title\` and \`--body\` (or \`--fill\`) when not running interactively"
    commit_of "$head" >/dev/null || fail "pull request create failed: GraphQL: Head sha can't be blank, Head ref must be a branch (createPullRequest)"
    known_number="$(open_number_of "$head")"
    [ -z "$known_number" ] || fail "a pull request for branch \"$head\" into branch \"$base\" already exists:
https://github.com/acme/shop/pull/$known_number"
    commit_of "$base" >/dev/null || fail "pull request create failed: GraphQL: Base ref must be a branch (createPullRequest)"
    may_hang create
    number="$(next_number)"
    store "$number" "$head" "$base" "$title" "$draft"
    cat >"$state/$number/body"
    may_hang created
    echo "Creating pull request for $head into $base in acme/shop" >&2
    echo "https://github.com/acme/shop/pull/$number"
    ;;
"pr comment")
    exists "$3"
    cat >"$state/$3/comment-$(find "$state/$3" -name 'comment-*' | wc -l | tr -d ' ')"
    echo "https://github.com/acme/shop/pull/$3#issuecomment-1"
    ;;
"pr merge")
    exists "$3"
    [ -n "$way" ] || fail "--merge, --rebase, or --squash required when not running interactively"
    [ "$(cat "$state/$3/state")" = OPEN ] || fail "Pull request acme/shop#$3 is not mergeable"
    [ "$match" = "$(head_of "$3")" ] || fail "GraphQL: Head branch was modified. Review and try the merge again. (mergePullRequest)"
    [ -e "$state/queue" ] && exit
    merge "$3" || fail "X Pull request acme/shop#$3 is not mergeable: the merge commit cannot be cleanly created."
    ;;
"api "*)
    case "$2" in
    repos/acme/shop/pulls/*/comments*) cat "$state/on-lines" 2>/dev/null || echo '[]' ;;
    *) fail "gh: Not Found (HTTP 404)" ;;
    esac
    ;;
*) fail "unknown command \"$*\" for \"gh\"" ;;
esac
