repo= title= description= source= target= draft=false sha= squash=false message= hostname= auto=true yes=false words=
while [ $# -gt 0 ]; do
    flag="${1%%=*}"
    case "$flag" in
    --repo | --title | --description | --source-branch | --target-branch | --sha | --message | --hostname)
        case "$1" in
        *=*) value="${1#*=}" ;;
        *) value="$2" && shift ;;
        esac
        ;;
    esac
    case "$flag" in
    --repo) repo="$value" ;;
    --title) title="$value" ;;
    --description) description="$value" ;;
    --source-branch) source="$value" ;;
    --target-branch) target="$value" ;;
    --sha) sha="$value" ;;
    --message) message="$value" ;;
    --hostname) hostname="$value" ;;
    --draft) draft=true ;;
    --squash) squash=true ;;
    --auto-merge) auto="${1#*=}" ;;
    --yes) yes=true ;;
    -*) fail "Unknown flag: $flag." ;;
    *) words="$words $1" ;;
    esac
    shift
done
# shellcheck disable=SC2086
set -- $words

if [ -e "$state/no-login" ]; then
    [ "$1 $2" = "auth status" ] && fail "$hostname has not been authenticated with glab. Run \`glab auth login --hostname $hostname\` to authenticate."
    fail "glab: 401 Unauthorized (HTTP 401)"
fi
[ "$1 $2" = "auth status" ] && echo "Logged in to $hostname as tester" >&2 && exit
[ -e "$state/rate-limited" ] && fail "glab: 429 Too Many Requests (HTTP 429)"

# What the project does when it merges: a commit of its own, unless it only moves its branches forward.
method="$(cat "$state/merge-method" 2>/dev/null || echo merge)"

# Whether the target of a merge request is behind its branch, so that it can be moved forward.
is_behind() { git -C "$far" merge-base --is-ancestor "refs/heads/$(cat "$state/$1/base")" "$(head_of "$1")"; }

view() {
    case "$(cat "$state/$1/state")" in
    OPEN) word=opened ;;
    CLOSED) word=closed ;;
    MERGED) word=merged ;;
    esac
    merged=null merged_at=null status=mergeable
    [ "$method" != ff ] || is_behind "$1" || status=need_rebase
    if [ $word = merged ]; then
        # One that was only moved forward has no commit of its own.
        [ "$method" = ff ] || merged="\"$(cat "$state/$1/merged")\""
        merged_at="\"$(cat "$state/$1/merged-at")\""
    fi
    cat <<END
{"iid":$1,"web_url":"https://git.example.com/group/sub/tool/-/merge_requests/$1","state":"$word",
"draft":$(cat "$state/$1/draft"),"source_branch":"$(cat "$state/$1/head")","target_branch":"$(cat "$state/$1/base")",
"sha":"$(head_of "$1")","created_at":"$(cat "$state/$1/created")","merged_at":$merged_at,"merge_commit_sha":null,
"squash_commit_sha":$merged,"detailed_merge_status":"$status","head_pipeline":{"status":"success"},
"source_project_id":1,"target_project_id":1}
END
}

notes() {
    list=
    for file in "$state/$1"/comment-*; do
        [ -e "$file" ] || continue
        one="{\"author\":{\"username\":\"tester\"},\"body\":$(quoted "$file"),\"created_at\":\"$(moment)\",\"system\":false}"
        list="${list:+$list,}$one"
    done
    # Not echo, which may take what is escaped for what it means.
    printf '%s\n' "[$list]"
}

exists() { [ -d "$state/$1" ] || fail "glab: 404 Not found (HTTP 404)"; }

[ "$1" = api ] || [ "$repo" = https://git.example.com/group/sub/tool ] || fail "404 Project Not Found"
project=projects/group%2Fsub%2Ftool/merge_requests
case "$1 $2" in
"api "*)
    [ "$hostname" = git.example.com ] || fail "glab: 404 Project Not Found (HTTP 404)"
    [ "$2" != "${project%/*}" ] || { echo "{\"merge_method\":\"$method\"}" && exit; }
    rest="${2#"$project"}"
    case "$rest" in
    "$2") fail "glab: 404 Not found (HTTP 404)" ;;
    \?*)
        branch="$(echo "$rest" | sed -e 's/.*source_branch=//' -e 's/&.*//' -e 's/%2F/\//g')"
        number="$(open_number_of "$branch")"
        echo "[$([ -z "$number" ] || view "$number")]"
        ;;
    /*/notes*)
        number="${rest#/}"
        number="${number%%/*}"
        exists "$number"
        notes "$number"
        ;;
    /*)
        exists "${rest#/}"
        view "${rest#/}"
        ;;
    esac
    ;;
"mr create")
    $yes || fail "it would ask something back"
    commit_of "$source" >/dev/null || fail "POST https://git.example.com/api/v4/projects/1/merge_requests: 400 {error: source_branch does not exist}"
    may_hang create
    number="$(next_number)"
    store "$number" "$source" "$target" "$title" "$draft"
    printf '%s' "$description" >"$state/$number/body"
    may_hang created
    echo "!$number $title ($source)"
    echo " https://git.example.com/group/sub/tool/-/merge_requests/$number"
    ;;
"mr note")
    exists "$3"
    printf '%s' "$message" >"$state/$3/comment-$(find "$state/$3" -name 'comment-*' | wc -l | tr -d ' ')"
    ;;
"mr merge")
    exists "$3"
    $yes || fail "it would ask something back"
    [ "$auto" = false ] || fail "it would be merged at some later time"
    [ "$sha" = "$(head_of "$3")" ] || fail "PUT https://git.example.com/api/v4/projects/1/merge_requests/$3/merge: 409 {message: SHA does not match HEAD of source branch}"
    if [ "$method" = ff ]; then
        is_behind "$3" || fail "405 Method Not Allowed"
        become "$3" "$sha"
    else
        merge "$3" || fail "405 Method Not Allowed"
    fi
    ;;
*) fail "unknown command \"$*\" for \"glab\"" ;;
esac
