#!/usr/bin/env bash
# Waits until nobody holds the lock of a state, and says who does. It only reads; it never unlocks.
#
# Environment
#   TF_STATE_BUCKET      the bucket of the state
#   TF_STATE_KEY         the state's key in it; of a workspace: env:/WORKSPACE/KEY
#   TF_LOCK_MODE         s3 | dynamodb | both: either of the two held is held
#   TF_LOCK_TABLE        the lock table, where there is one
#   EXPECTED_ACCOUNT_ID  the account that must own the bucket
#   AWS_REGION           the region of both
#   WAIT_TIMEOUT         seconds (default: 600); 0 looks once
#   WAIT_INTERVAL        seconds between two looks (default: 10)
#   LOCK_STALE_AFTER     seconds after which a lock is taken for left behind (default: 7200)
#   RUNNER_TEMP          private working files (default: /tmp)
# Outputs
#   lock_state           free | held | stale | unknown
#   lock_id, lock_created, lock_who, lock_operation
#                        of a lock that is held or stale; what cannot be read is empty, an id "unreadable"
#   backend              missing, where the bucket does not exist
# Exit codes
#   0 free · 2 usage · 3 held when the time is up · 4 held for longer than LOCK_STALE_AFTER · 5 unknown:
#   no bucket or table, no permission, no answer
#
# Between this look and what follows, somebody else may take the lock: the lock itself is the guard
# (-lock-timeout), this script says whom one waits for.
set -uo pipefail

TF_STATE_BUCKET=${TF_STATE_BUCKET:-}
TF_STATE_KEY=${TF_STATE_KEY:-}
TF_LOCK_MODE=${TF_LOCK_MODE:-}
TF_LOCK_TABLE=${TF_LOCK_TABLE:-}
EXPECTED_ACCOUNT_ID=${EXPECTED_ACCOUNT_ID:-}
AWS_REGION=${AWS_REGION:-}
WAIT_TIMEOUT=${WAIT_TIMEOUT:-600}
WAIT_INTERVAL=${WAIT_INTERVAL:-10}
LOCK_STALE_AFTER=${LOCK_STALE_AFTER:-7200}
output=${GITHUB_OUTPUT:-/dev/null}
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

[[ $TF_STATE_BUCKET =~ ^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$ ]] || usage 'TF_STATE_BUCKET must be the name of a bucket'
# The AWS CLI takes a value that begins like a file or a URL for the place of the value.
[[ -n $TF_STATE_KEY && $TF_STATE_KEY != *[[:cntrl:]]* && ! $TF_STATE_KEY =~ ^(fileb?|https?):// ]] ||
  usage 'TF_STATE_KEY must be the key of a state'
[[ $TF_LOCK_MODE =~ ^(s3|dynamodb|both)$ ]] || usage 'TF_LOCK_MODE must be s3, dynamodb or both'
[[ $TF_LOCK_MODE == s3 || $TF_LOCK_TABLE =~ ^[A-Za-z0-9_.][A-Za-z0-9_.-]{2,254}$ ]] || usage 'TF_LOCK_TABLE must be the name of a table'
[[ $EXPECTED_ACCOUNT_ID =~ ^[0-9]{12}$ ]] || usage 'EXPECTED_ACCOUNT_ID must be the number of an account'
[[ $AWS_REGION =~ ^[a-z]{2,4}(-[a-z]+)+-[0-9]$ ]] || usage 'AWS_REGION must be a region'
[[ $WAIT_TIMEOUT =~ ^(0|[1-9][0-9]{0,4})$ ]] || usage 'WAIT_TIMEOUT must be a number of seconds'
[[ $WAIT_INTERVAL =~ ^[1-9][0-9]{0,4}$ ]] || usage 'WAIT_INTERVAL must be a number of seconds'
[[ $LOCK_STALE_AFTER =~ ^[1-9][0-9]{0,8}$ ]] || usage 'LOCK_STALE_AFTER must be a number of seconds'

umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/wait-for-lock.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

# Asks AWS. The answer is in answer.json; where there is none, $failure is AWS's code for the reason.
ask() {
  failure=
  aws "$@" --region "$AWS_REGION" --output json >"$work/answer.json" 2>"$work/errors" && return 0
  failure=$(sed -n 's/.*An error occurred (\([A-Za-z0-9.]*\)).*/\1/p' "$work/errors" | head -n 1)
  [[ -n $failure ]] || failure=unknown
  return 1
}

unknown() {
  printf 'lock_state=unknown\n' >>"$output"
  annotate error "$1"
  exit 5
}

no_answer() {
  unknown "whether the state is locked is unknown, $1 did not answer: $(head -c 2000 "$work/errors")"
}

# Text that is one line and shows nothing but itself, a lock as whoever took it wrote it, and $now.
definitions=$(
  cat <<'JQ'
  def plain: .[:2000] | explode | map(if . == 9 or . == 10 or . == 13 then 32 else . end)
    | map(select(. >= 32 and (. < 127 or . > 159) and (. < 8203 or . > 8207)
        and (. < 8232 or . > 8238) and (. < 8288 or . > 8303) and . != 65279)) | .[:300] | implode;
  def code: plain | ([match("`+"; "g").length] | max // 0) as $run | ("`" * ($run + 1)) as $fence
    | if test("^`|`$") then "\($fence) \(.) \($fence)" else "\($fence)\(.)\($fence)" end;
  def line: if type == "string" then plain | sub("\\s+\\z"; "") else "" end;
  # The second is how version 1 of the AWS CLI writes what a header says.
  def time: (line | sub("\\+00:00\\z"; "Z")) as $text
    | try ($text | strptime("%a, %d %b %Y %H:%M:%S GMT") | todate) catch $text
    | if test("\\A\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z\\z") then . else "" end;
  def lock($place; $seen): (try fromjson catch null) as $lock
    | if ($lock | type == "object") and ($lock.ID | line | test("\\A[A-Za-z0-9-]{1,100}\\z"))
      then {id: $lock.ID, created: ($lock.Created | time), who: ($lock.Who | line), operation: ($lock.Operation | line)}
      else {id: "unreadable", created: "", who: "", operation: ""} end
    | .created = (if .created == "" then $seen | time else .created end)
    | .age = (if .created == "" then null else
        [0, (now - (.created | sub("\\.\\d+"; "") | fromdateiso8601) | floor)] | max end) | .place = $place;
  def duration: if . == null then "an unknown time" elif . < 60 then "\(.) s"
    elif . < 3600 then "\(. / 60 | floor) min" else "\(. / 3600 | floor) h \(. % 3600 / 60 | floor) min" end;
JQ
)

# Both write what they find to lock.json.
look_in_s3() {
  if ask s3api get-object --bucket "$TF_STATE_BUCKET" --key="$TF_STATE_KEY.tflock" --expected-bucket-owner "$EXPECTED_ACCOUNT_ID" "$work/lock"; then
    jq -R -s -c --slurpfile answer "$work/answer.json" "$definitions"'lock("the bucket"; $answer[0].LastModified)' \
      "$work/lock" >"$work/lock.json" || unknown 'the lock cannot be read'
  elif [[ $failure != NoSuchKey ]]; then
    no_answer "the bucket $TF_STATE_BUCKET"
  fi
}

look_in_dynamodb() {
  local key
  key=$(jq -n -c -a --arg id "$TF_STATE_BUCKET/$TF_STATE_KEY" '{LockID: {S: $id}}')
  if ! ask dynamodb get-item --consistent-read --table-name "$TF_LOCK_TABLE" --key "$key"; then
    [[ $failure != ResourceNotFoundException ]] ||
      unknown "the lock table $TF_LOCK_TABLE does not exist: it is made by the action create-backend of a workflow of kind tf"
    no_answer "the table $TF_LOCK_TABLE"
  fi
  # No item is no output at all.
  jq -n -c "$definitions"'first(inputs.Item) // empty | .Info.S // "" | lock("the lock table"; null)' \
    "$work/answer.json" >"$work/lock.json" || unknown 'the lock cannot be read'
}

if ! ask s3api get-bucket-location --bucket "$TF_STATE_BUCKET" --expected-bucket-owner "$EXPECTED_ACCOUNT_ID"; then
  if [[ $failure == NoSuchBucket ]]; then
    printf 'backend=missing\n' >>"$output"
    unknown "the bucket $TF_STATE_BUCKET does not exist: it is made by the action create-backend of a workflow of kind tf"
  fi
  no_answer "the bucket $TF_STATE_BUCKET"
fi

waited_for=
while :; do
  : >"$work/lock.json"
  [[ $TF_LOCK_MODE == dynamodb ]] || look_in_s3
  [[ $TF_LOCK_MODE == s3 || -s $work/lock.json ]] || look_in_dynamodb
  if [[ ! -s $work/lock.json ]]; then
    printf 'lock_state=free\n' >>"$output"
    printf 'the lock is free\n'
    exit 0
  fi
  IFS=$'\t' read -r state holder < <(jq -r --argjson limit "$LOCK_STALE_AFTER" "$definitions"'
    "\(if .age != null and .age >= $limit then "stale" else "held" end)\tby \(if .who == "" then "somebody" else .who end) for \(
      .age | duration)\(if .operation == "" then "" else ", for \(.operation)" end), lock id \(.id) in \(.place)"' "$work/lock.json")
  [[ $state == held && $SECONDS -lt $WAIT_TIMEOUT ]] || break
  # Once per holder: the wait may be long.
  if [[ $waited_for != "$(jq -r .id "$work/lock.json")" ]]; then
    waited_for=$(jq -r .id "$work/lock.json")
    annotate notice "waiting for the lock of $TF_STATE_KEY, held $holder"
  fi
  left=$((WAIT_TIMEOUT - SECONDS))
  sleep $((left < WAIT_INTERVAL ? left : WAIT_INTERVAL))
done

jq -r --arg state "$state" '"lock_state=\($state)", "lock_id=\(.id)", "lock_created=\(.created)", "lock_who=\(.who)", "lock_operation=\(.operation)"' \
  "$work/lock.json" >>"$output"
jq -r --arg state "$state" --arg key "$TF_STATE_KEY" "$definitions"'
  "### 🔒 The lock of \($key | code) is \($state)", "",
  "| Holder | Since | Age | Operation | Lock id | Found in |", "|---|---|---|---|---|---|",
  "| \([.who, .created, (.age | duration), .operation, .id, .place] | map(if . == "" then "–" else code | gsub("\\|"; "\\|") end) | join(" | ")) |", ""' \
  "$work/lock.json" >>"$summary"
unlock="when nobody works on it any more, release it with the action force-unlock of a workflow of kind tf, lock_id $(jq -r .id "$work/lock.json")"
if [[ $(jq -r .id "$work/lock.json") == unreadable ]]; then
  unlock="its id cannot be read, force-unlock cannot remove it: look at it by hand"
fi
annotate error "the state $TF_STATE_KEY is locked $holder; $unlock"
[[ $state == held ]] || exit 4
exit 3
