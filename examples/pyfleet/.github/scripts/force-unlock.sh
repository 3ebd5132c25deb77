#!/usr/bin/env bash
# Releases the lock of a state that nobody holds any more: the one that was named, and only when it is old enough
# and no run can still own it.
#
# Environment
#   LOCK_ID              the id of the lock, a UUID
#   MIN_LOCK_AGE         seconds; a younger lock is released with a REASON only (default: 1800)
#   REASON               why it is released (default: none)
#   WORKFLOWS            JSON: files of the workflows that may hold the lock, ["tf.yml"]
#   TF_COMMAND           terraform | tofu
#   STACK_DIRECTORY      the root module, initialised
#   TF_STATE_BUCKET      the bucket of the state
#   TF_STATE_KEY         the state's key in it; of a workspace: env:/WORKSPACE/KEY
#   TF_LOCK_MODE         s3 | dynamodb | both
#   TF_LOCK_TABLE        the lock table, where there is one
#   EXPECTED_ACCOUNT_ID  the account that must own the bucket
#   AWS_REGION           the region of both
#   GITHUB_REPOSITORY, GITHUB_RUN_ID
#   GITHUB_SERVER_URL    (default: https://github.com)
#   GH_TOKEN             token that may read runs (actions: read)
#   RUNNER_TEMP          private working files (default: /tmp)
# Exit codes
#   0 released · 1 the tool failed and the lock is still held · 2 usage · 3 nothing is locked, or under another
#   id · 4 too young, and no reason given · 5 a run may still own it, or that is unknown, or the lock cannot be read
#
# A run owns a lock only while one of its jobs is running, and only if both had begun when the lock was taken. Whoever
# locked from elsewhere is not seen here: MIN_LOCK_AGE and the person who types the id are what is left.
set -uo pipefail

LOCK_ID=${LOCK_ID:-}
MIN_LOCK_AGE=${MIN_LOCK_AGE:-1800}
REASON=${REASON:-}
WORKFLOWS=${WORKFLOWS:-}
TF_COMMAND=${TF_COMMAND:-}
STACK_DIRECTORY=${STACK_DIRECTORY:-}
TF_STATE_BUCKET=${TF_STATE_BUCKET:-}
TF_STATE_KEY=${TF_STATE_KEY:-}
TF_LOCK_MODE=${TF_LOCK_MODE:-}
TF_LOCK_TABLE=${TF_LOCK_TABLE:-}
EXPECTED_ACCOUNT_ID=${EXPECTED_ACCOUNT_ID:-}
AWS_REGION=${AWS_REGION:-}
GITHUB_REPOSITORY=${GITHUB_REPOSITORY:-}
GITHUB_RUN_ID=${GITHUB_RUN_ID:-}
GITHUB_SERVER_URL=${GITHUB_SERVER_URL:-https://github.com}
summary=${GITHUB_STEP_SUMMARY:-/dev/null}

# One workflow command per message, whatever the message holds.
annotate() {
  local text=${2//'%'/%25}
  text=${text//$'\r'/%0D}
  printf '::%s::%s\n' "$1" "${text//$'\n'/%0A}" >&2
}

usage() {
  annotate error "$1"
  exit 2
}

[[ $LOCK_ID =~ ^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$ ]] || usage 'LOCK_ID must be the id of a lock, as its holder is shown with'
[[ $MIN_LOCK_AGE =~ ^(0|[1-9][0-9]{0,8})$ ]] || usage 'MIN_LOCK_AGE must be a number of seconds'
files=$(printf '%s' "$WORKFLOWS" | jq -r -s '
  if length == 1 and (.[0] | type == "array" and length > 0 and all(.[]; type == "string" and test("\\A[A-Za-z0-9_-][A-Za-z0-9._-]*\\.ya?ml\\z")))
  then .[0][] else error("usage") end' 2>/dev/null) || usage 'WORKFLOWS must be a JSON array of workflow files'
mapfile -t workflows <<<"$files"
[[ $TF_COMMAND == terraform || $TF_COMMAND == tofu ]] || usage 'TF_COMMAND must be terraform or tofu'
command -v "$TF_COMMAND" >/dev/null || usage "$TF_COMMAND is not installed"
[[ -n $STACK_DIRECTORY && -d $STACK_DIRECTORY ]] || usage 'STACK_DIRECTORY must be a directory'
[[ $TF_STATE_BUCKET =~ ^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$ ]] || usage 'TF_STATE_BUCKET must be the name of a bucket'
# The AWS CLI takes a value that begins like a file or a URL for the place of the value.
[[ -n $TF_STATE_KEY && $TF_STATE_KEY != *[[:cntrl:]]* && ! $TF_STATE_KEY =~ ^(fileb?|https?):// ]] ||
  usage 'TF_STATE_KEY must be the key of a state'
[[ $TF_LOCK_MODE =~ ^(s3|dynamodb|both)$ ]] || usage 'TF_LOCK_MODE must be s3, dynamodb or both'
[[ $TF_LOCK_MODE == s3 || $TF_LOCK_TABLE =~ ^[A-Za-z0-9_.-]{3,255}$ ]] || usage 'TF_LOCK_TABLE must be the name of a table'
[[ $EXPECTED_ACCOUNT_ID =~ ^[0-9]{12}$ ]] || usage 'EXPECTED_ACCOUNT_ID must be the number of an account'
[[ $AWS_REGION =~ ^[a-z]{2}(-[a-z]+)+-[0-9]$ ]] || usage 'AWS_REGION must be a region'
[[ $GITHUB_REPOSITORY =~ ^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$ ]] || usage 'GITHUB_REPOSITORY must be owner/name'
[[ $GITHUB_RUN_ID =~ ^[1-9][0-9]{0,19}$ ]] || usage 'GITHUB_RUN_ID must be the number of a run'
[[ $GITHUB_SERVER_URL =~ ^https?://[A-Za-z0-9.:-]+$ ]] || usage 'GITHUB_SERVER_URL must be an address'
[[ -n ${GH_TOKEN:-} ]] || usage 'GH_TOKEN is not set'
command -v gh >/dev/null || usage 'gh is not installed'

umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/force-unlock.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

# Shows text that must not be taken for workflow commands.
show() {
  local token
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$token"
  cat -- "$@"
  printf '\n::%s::\n' "$token"
}

refused() {
  annotate error "$2"
  exit "$1"
}

# Asks AWS. The answer is in answer.json; where there is none, $failure is AWS's code for the reason.
ask() {
  failure=
  aws "$@" --region "$AWS_REGION" --output json >"$work/answer.json" 2>"$work/errors" && return 0
  failure=$(sed -n 's/.*An error occurred (\([A-Za-z0-9.]*\)).*/\1/p' "$work/errors" | head -n 1)
  [[ -n $failure ]] || failure=unknown
  return 1
}

# Text that is one line and shows nothing but itself, and a lock as whoever took it wrote it. Its time is the later one
# of what it says and what S3 saw: who looks younger is released later.
definitions=$(
  cat <<'JQ'
  def plain: .[:2000] | explode | map(if . == 9 or . == 10 or . == 13 then 32 else . end)
    | map(select(. >= 32 and (. < 127 or . > 159) and (. < 8203 or . > 8207)
        and (. < 8232 or . > 8238) and (. < 8288 or . > 8303) and . != 65279))
    | (if length > 300 then .[:300] + [8230] else . end) | implode;
  def code: plain | ([match("`+"; "g").length] | max // 0) as $run | ("`" * ($run + 1)) as $fence
    | if test("^`|`$") then "\($fence) \(.) \($fence)" else "\($fence)\(.)\($fence)" end;
  # A backslash before a pipe would free it.
  def cell: if . == null or (tostring | plain | test("\\A\\s*\\z")) then "–"
    else tostring | code | gsub("\\\\(?=\\|)"; "\\ ") | gsub("\\|"; "\\|") end;
  # The second is how version 1 of the AWS CLI writes what a header says.
  def time: if type != "string" then null else .[:100] | sub("\\+00:00\\z"; "Z")
    | (try (sub("\\.\\d+"; "") | fromdateiso8601) catch null) // (try (strptime("%a, %d %b %Y %H:%M:%S GMT") | mktime) catch null) end;
  def text: if type == "string" then . else null end;
  def lock($place; $seen): (try fromjson catch null) as $lock
    | if ($lock | type == "object") and ($lock.ID | type == "string" and test("\\A[0-9A-Za-z-]{1,100}\\z"))
      then {$place, id: $lock.ID, operation: ($lock.Operation | text), who: ($lock.Who | text), info: ($lock.Info | text),
        taken: ($lock.Created | time | if . == null then null else [., ($seen | time // 0)] | max end)}
      else {$place, id: null} end;
  # Who began later than a minute after the lock was taken does not own it: two clocks may differ by that.
  def began($taken): if $taken == null or type != "string" then true else (try fromdateiso8601 catch 0) <= $taken + 60 end;
  def other_runs($own; $taken): .[] | if (.id | type) == "number" then . else error("a run without a number") end
    | select(.id != $own) | select(.run_started_at | began($taken)) | .id;
  # Any state but these may be one in which steps run.
  def is_working($taken): any(.[]; (.status | IN("completed", "queued", "waiting", "pending", "requested") | not)
    and (.started_at | began($taken)));
JQ
)

look_in_s3() {
  if ask s3api get-object --bucket "$TF_STATE_BUCKET" --key="$TF_STATE_KEY.tflock" --expected-bucket-owner "$EXPECTED_ACCOUNT_ID" "$work/lock"; then
    jq -R -s -c --slurpfile answer "$work/answer.json" "$definitions"'lock("the bucket"; $answer[0].LastModified)' "$work/lock" >>"$work/locks.jsonl"
  else
    [[ $failure == NoSuchKey ]]
  fi
}

look_in_dynamodb() {
  ask dynamodb get-item --consistent-read --table-name "$TF_LOCK_TABLE" \
    --key "$(jq -n -c -a --arg id "$TF_STATE_BUCKET/$TF_STATE_KEY" '{LockID: {S: $id}}')" || return 1
  # No item is no output at all.
  jq -n -c "$definitions"'first(inputs.Item) // empty | .Info.S // "" | lock("the lock table"; null)' "$work/answer.json" >>"$work/locks.jsonl"
}

# Writes every lock that is held now to locks.json, or fails.
look() {
  : >"$work/locks.jsonl"
  [[ $TF_LOCK_MODE == dynamodb ]] || look_in_s3 || return 1
  [[ $TF_LOCK_MODE == s3 ]] || look_in_dynamodb || return 1
  jq -s . "$work/locks.jsonl" >"$work/locks.json"
}

look || refused 5 "who holds the lock is unknown, nothing is released: $(head -c 2000 "$work/errors")"
! jq -e 'length == 0' "$work/locks.json" >/dev/null || refused 3 "nothing is locked: $TF_STATE_KEY"

jq --arg id "$LOCK_ID" 'def all_or_null: if any(. == null) then null else max end;
  {ids: (map(.id) | unique), unreadable: map(select(.id == null) | .place),
   lock: (map(select(.id == $id)) | if . == [] then null else .[0] + {place: (map(.place) | join(" and ")), taken: (map(.taken) | all_or_null)} end)}
  | .age = (if .lock.taken == null then null else [0, (now - .lock.taken | floor)] | max end)' "$work/locks.json" >"$work/found.json" ||
  refused 5 'the lock cannot be read, nothing is released'
jq -r "$definitions"'"lock of \($key | plain):",
  (.[] | "  in \(.place): " + if .id == null then "an id that cannot be read" else "\(.id), for \(.operation // "?" | plain), by \(.who // "?" | plain), since \(
    if .taken == null then "an unknown time" else .taken | todate end)" end)' --arg key "$TF_STATE_KEY" "$work/locks.json" >"$work/shown" ||
  refused 5 'the lock cannot be shown, nothing is released'
show "$work/shown"
jq -n -r --slurpfile locks "$work/locks.json" --slurpfile found "$work/found.json" --arg key "$TF_STATE_KEY" --arg reason "$REASON" "$definitions"'
  "### 🔓 The lock of \($key | code)", "", "| Lock id | Found in | Operation | Who | Info | Since |", "|---|---|---|---|---|---|",
  ($locks[0][] | "| \([.id // "unreadable", .place, .operation, .who, .info, (.taken | if . == null then null else todate end)] | map(cell) | join(" | ")) |"), "",
  (if $reason | test("\\A\\s*\\z") then empty else "Reason: \($reason | code)", "" end)' >>"$summary" || refused 5 'the lock cannot be shown, nothing is released'

if jq -e '.unreadable != []' "$work/found.json" >/dev/null; then
  key=$(printf '%q' "$TF_STATE_KEY")
  item=$(printf '%q' "$(jq -n -c -a --arg id "$TF_STATE_BUCKET/$TF_STATE_KEY" '{LockID: {S: $id}}')")
  {
    printf 'Look at it, and when nobody works on the state, remove it by hand:\n'
    if jq -e '.unreadable | index(["the bucket"])' "$work/found.json" >/dev/null; then
      printf 'aws s3api %s --bucket %s --key %s.tflock --expected-bucket-owner %s --region %s\n' \
        'get-object /dev/stdout' "$TF_STATE_BUCKET" "$key" "$EXPECTED_ACCOUNT_ID" "$AWS_REGION" \
        delete-object "$TF_STATE_BUCKET" "$key" "$EXPECTED_ACCOUNT_ID" "$AWS_REGION"
    fi
    if jq -e '.unreadable | index(["the lock table"])' "$work/found.json" >/dev/null; then
      printf 'aws dynamodb %s --table-name %s --key %s --region %s\n' \
        get-item "$TF_LOCK_TABLE" "$item" "$AWS_REGION" delete-item "$TF_LOCK_TABLE" "$item" "$AWS_REGION"
    fi
  } >"$work/shown"
  show "$work/shown"
  refused 5 "$TF_STATE_KEY is held under an id that cannot be read, force-unlock cannot release it; the commands above show and remove it"
fi
jq -e .lock "$work/found.json" >/dev/null ||
  refused 3 "$TF_STATE_KEY is not held under $LOCK_ID, but under $(jq -r '.ids | join(", ")' "$work/found.json"): somebody else has it, nothing is released"

age=$(jq -r '.age // "unknown"' "$work/found.json")
if [[ -z ${REASON//[[:space:]]/} ]]; then
  [[ $age != unknown ]] || refused 4 'how old the lock is cannot be read: give a reason to release it all the same'
  ((age >= MIN_LOCK_AGE)) || refused 4 "the lock is $age seconds old, $MIN_LOCK_AGE are asked for: wait, or give a reason"
fi

# all PATH LIST PROGRAM: what the program makes of the whole of a list that GitHub's API hands out in pages.
all() {
  gh api --method GET --paginate "repos/$GITHUB_REPOSITORY/actions/$1" >"$work/pages.json" 2>"$work/errors" || return 1
  jq -n -r --arg list "$2" "$definitions"'
    [inputs] | if length > 0 and all(.[]; (.[$list] | type == "array") and (.total_count | type == "number"))
      and (map(.[$list] | length) | add) >= .[0].total_count then map(.[$list]) | add else error("not all of the \($list)") end
    | '"$3" "$work/pages.json" 2>"$work/errors"
}

unknown_owner() {
  refused 5 "whether a run still owns the lock is unknown, nothing is released; GitHub's API: $(head -c 2000 "$work/errors")"
}

taken=$(jq .lock.taken "$work/found.json")
: >"$work/runs"
for workflow in "${workflows[@]}"; do
  # A run that waits with one job may be running another.
  for status in requested queued pending waiting in_progress; do
    all "workflows/$workflow/runs?status=$status&per_page=100" workflow_runs "other_runs($GITHUB_RUN_ID; $taken)" >>"$work/runs" ||
      unknown_owner
  done
done
owners=()
while read -r run; do
  owner=$(all "runs/$run/jobs?filter=latest&per_page=100" jobs "is_working($taken)") || unknown_owner
  [[ $owner == false ]] || owners+=("$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$run")
done < <(sort -u "$work/runs")
((${#owners[@]} == 0)) ||
  refused 5 "a run that was under way when the lock was taken may still own it, nothing is released: ${owners[*]}"

rc=0
"$TF_COMMAND" -chdir="$STACK_DIRECTORY" force-unlock -no-color -force "$LOCK_ID" >"$work/unlock.log" 2>&1 || rc=$?
show "$work/unlock.log"

# With two locks of which one is left, the tool releases that and reports an error: what counts is what is held now.
look || refused 5 "whether the lock is released is unknown, run this again: $(head -c 2000 "$work/errors")"
if jq -e --arg id "$LOCK_ID" 'any(.[]; .id == $id)' "$work/locks.json" >/dev/null; then
  refused 1 "$TF_COMMAND force-unlock failed with exit code $rc, the lock is still held: its output is above"
fi
if jq -e 'length > 0' "$work/locks.json" >/dev/null; then
  annotate warning "$LOCK_ID is released, and $TF_STATE_KEY is locked by somebody else now"
fi
printf 'Released: %s\n\n' "\`$LOCK_ID\`" >>"$summary"
printf 'released the lock %s\n' "$LOCK_ID"
