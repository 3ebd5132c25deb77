#!/usr/bin/env bash
# Checks everything that a state rests on: who asks, the bucket, the state in it, its locks. It changes
# nothing but one small object of its own, which it removes.
#
# Environment
#   ENVIRONMENT          slug of the environment
#   STACK                slug of the stack
#   CHECK_DIR            where the report is written; it is created
#   TF_STATE_BUCKET      the bucket of the state
#   TF_STATE_KEY         the state's key in it
#   AWS_REGION           the region of the bucket and the table
#   TF_LOCK_MODE         s3 | dynamodb | both
#   TF_LOCK_TABLE        the lock table; s3 has none
#   EXPECTED_ACCOUNT_ID  the account that must own all of it
#   GITHUB_RUN_ID        names the object (default: local)
#   RUNNER_TEMP          private working files (default: /tmp)
# Writes
#   CHECK_DIR/check-state.json: {environment, stack, checks: [{name, ok, detail}]}
# Exit codes
#   0 every check passed · 1 a check failed, each is named · 2 usage
#
# What could not be found out has failed. wait-for-lock.sh, next to this, looks for the current lock.
set -uo pipefail

ENVIRONMENT=${ENVIRONMENT:-}
STACK=${STACK:-}
CHECK_DIR=${CHECK_DIR:-}
TF_STATE_BUCKET=${TF_STATE_BUCKET:-}
TF_STATE_KEY=${TF_STATE_KEY:-}
AWS_REGION=${AWS_REGION:-}
TF_LOCK_MODE=${TF_LOCK_MODE:-}
TF_LOCK_TABLE=${TF_LOCK_TABLE:-}
EXPECTED_ACCOUNT_ID=${EXPECTED_ACCOUNT_ID:-}
GITHUB_RUN_ID=${GITHUB_RUN_ID:-local}
summary=${GITHUB_STEP_SUMMARY:-/dev/null}
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

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

slug='^[a-z][a-z0-9-]{0,99}$'
[[ $ENVIRONMENT =~ $slug ]] || usage 'ENVIRONMENT must be a slug'
[[ $STACK =~ $slug ]] || usage 'STACK must be a slug'
[[ -n $CHECK_DIR ]] || usage 'CHECK_DIR is not set'
[[ $TF_STATE_BUCKET =~ ^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$ ]] || usage 'TF_STATE_BUCKET must be the name of a bucket'
# The AWS CLI takes a value that begins like a file or a URL for the place of the value.
[[ -n $TF_STATE_KEY && $TF_STATE_KEY != *[[:cntrl:]]* && ! $TF_STATE_KEY =~ ^(fileb?|https?):// ]] ||
  usage 'TF_STATE_KEY must be the key of a state'
[[ $AWS_REGION =~ ^[a-z]{2,4}(-[a-z]+)+-[0-9]$ ]] || usage 'AWS_REGION must be a region'
[[ $TF_LOCK_MODE =~ ^(s3|dynamodb|both)$ ]] || usage 'TF_LOCK_MODE must be s3, dynamodb or both'
[[ $TF_LOCK_MODE == s3 || $TF_LOCK_TABLE =~ ^[A-Za-z0-9_.][A-Za-z0-9_.-]{2,254}$ ]] || usage 'TF_LOCK_TABLE must be the name of a table'
[[ $EXPECTED_ACCOUNT_ID =~ ^[0-9]{12}$ ]] || usage 'EXPECTED_ACCOUNT_ID must be the number of an account'
[[ $GITHUB_RUN_ID =~ ^[a-z0-9]{1,30}$ ]] || usage 'GITHUB_RUN_ID must be the number of a run'
[[ $CHECK_DIR != -* ]] || CHECK_DIR=./$CHECK_DIR
mkdir -p -- "$CHECK_DIR" || usage 'CHECK_DIR cannot be created'
rm -f -- "$CHECK_DIR/check-state.json"

readable=$(umask)
umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/check-state.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
owned=(--bucket "$TF_STATE_BUCKET" --expected-bucket-owner "$EXPECTED_ACCOUNT_ID")

# Asks AWS. The answer is in answer.json; where there is none, $failure is AWS's code for the reason.
ask() {
  failure=
  aws "$@" --region "$AWS_REGION" --output json >"$work/answer.json" 2>"$work/errors" && return 0
  failure=$(sed -n 's/.*An error occurred (\([A-Za-z0-9.]*\)).*/\1/p' "$work/errors" | head -n 1)
  [[ -n $failure ]] || failure=unknown
  return 1
}

# One name per run, environment and stack, the same in each attempt: what a killed attempt left, the next one removes.
canary=_pyfleet/canary-$GITHUB_RUN_ID.$ENVIRONMENT.$STACK
placed=
end() {
  [[ -z $placed ]] || ask s3api delete-object "${owned[@]}" --key "$canary" ||
    annotate warning "the object $canary could not be removed"
  rm -rf -- "$work"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# check NAME true|false DETAIL
: >"$work/checks.jsonl"
check() {
  jq -n -c --arg name "$1" --argjson ok "$2" --arg detail "$3" '{$name, $ok, $detail}' >>"$work/checks.jsonl"
}

no_answer() {
  check "$1" false "unknown: $(head -c 1000 "$work/errors")"
}

# check_answer NAME PROGRAM: the program makes of the answer [whether it is right, what it is].
check_answer() {
  local verdict
  verdict=$(jq -n -r "first(inputs) // {} | $2"' | "\(.[0] == true)\t\(.[1])"' "$work/answer.json" 2>/dev/null) || verdict=$'false\tunreadable'
  check "$1" "${verdict%%$'\t'*}" "${verdict#*$'\t'}"
}

# check_setting NAME CODE OPERATION PROGRAM: CODE says that there is no such setting.
check_setting() {
  if ask s3api "$3" "${owned[@]}"; then
    check_answer "$1" "$4"
  elif [[ $failure == "$2" ]]; then
    check "$1" false 'not set'
  else
    no_answer "$1"
  fi
}

check_identity() {
  if ! ask sts get-caller-identity; then
    no_answer identity
    return 1
  fi
  check_answer identity "[.Account == \"$EXPECTED_ACCOUNT_ID\", \"\\(.Arn)\"]"
  [[ $(jq -r .Account "$work/answer.json") == "$EXPECTED_ACCOUNT_ID" ]]
}

check_bucket() {
  if ask s3api get-bucket-location "${owned[@]}"; then
    check_answer bucket ".LocationConstraint // \"us-east-1\" | if . == \"EU\" then \"eu-west-1\" else . end
      | [. == \"$AWS_REGION\", \"owned by $EXPECTED_ACCOUNT_ID, in \\(.)\"]"
    return 0
  fi
  case $failure in
    NoSuchBucket) check bucket false "the bucket $TF_STATE_BUCKET does not exist: it is made by the action create-backend of a workflow of kind tf" ;;
    AccessDenied) check bucket false "not owned by $EXPECTED_ACCOUNT_ID, or the role may not see it (s3:GetBucketLocation)" ;;
    *) no_answer bucket ;;
  esac
  return 1
}

# Sets $state to present, absent or unknown.
check_state() {
  state=unknown
  if ask s3api get-object "${owned[@]}" --key="$TF_STATE_KEY" "$work/state"; then
    state=present
    cp -- "$work/state" "$work/answer.json"
    check_answer state 'if has("encrypted_data") then [true, "encrypted by OpenTofu, its resources cannot be counted"]
      elif .version == 4 and (.serial | type == "number") and (.lineage | type == "string" and . != "") and (.resources | type == "array")
      then [true, "serial \(.serial), lineage \(.lineage), \(.resources | map(select(.mode == "managed") | .instances | length) | add // 0) managed instances"]
      else [false, "not a state of version 4"] end'
  elif [[ $failure == NoSuchKey ]]; then
    state=absent
    check state true 'none yet: this is the first run'
  else
    no_answer state
  fi
}

place_canary() {
  ask s3api put-object "${owned[@]}" --key "$canary" --if-none-match '*'
}

# The lock in the bucket is an object that only one can create: does this bucket keep that promise?
check_promise() {
  placed=maybe
  if ! place_canary && [[ $failure == PreconditionFailed ]]; then
    # Left behind by an attempt that was killed.
    ask s3api delete-object "${owned[@]}" --key "$canary" && place_canary
  fi
  if [[ -n $failure ]]; then
    no_answer lock-proof
    return
  fi
  if place_canary; then
    check lock-proof false 'a second writer was not refused: locks in this bucket hold nobody off'
  elif [[ $failure == PreconditionFailed ]]; then
    check lock-proof true 'a second writer is refused'
  else
    no_answer lock-proof
  fi
  if ask s3api delete-object "${owned[@]}" --key "$canary"; then
    placed=
  else
    no_answer lock-proof-removal
  fi
}

check_table() {
  if ask dynamodb describe-table --table-name "$TF_LOCK_TABLE"; then
    check_answer lock-table '.Table | [.TableStatus == "ACTIVE" and .KeySchema == [{AttributeName: "LockID", KeyType: "HASH"}]
        and any(.AttributeDefinitions[]; . == {AttributeName: "LockID", AttributeType: "S"}),
      "\(.TableStatus), key \(.KeySchema | map(.AttributeName) | join(", "))"]'
  elif [[ $failure == ResourceNotFoundException ]]; then
    check lock-table false "the table $TF_LOCK_TABLE does not exist: it is made by the action create-backend of a workflow of kind tf"
  else
    no_answer lock-table
  fi
}

# Next to its lock Terraform keeps the MD5 of the state, and refuses a state that has another.
check_digest() {
  local sum=none
  [[ $state != present ]] || sum=$(md5sum <"$work/state" | cut -d ' ' -f 1)
  if ! ask dynamodb get-item --consistent-read --table-name "$TF_LOCK_TABLE" \
    --key "$(jq -n -c -a --arg id "$TF_STATE_BUCKET/$TF_STATE_KEY-md5" '{LockID: {S: $id}}')"; then
    no_answer digest
  elif [[ $state == unknown ]]; then
    check digest false 'unknown, as the state is'
  else
    check_answer digest ".Item.Digest.S // \"\" | [. == \"\" or . == \"$sum\",
      if . == \"\" then \"none recorded\" elif . == \"$sum\" then . else \"the table says \\(.), the state has $sum\" end]"
  fi
}

check_lock() {
  local rc=0
  GITHUB_OUTPUT=$work/lock GITHUB_STEP_SUMMARY=/dev/null WAIT_TIMEOUT=0 RUNNER_TEMP=$work \
    bash "$here/wait-for-lock.sh" >/dev/null 2>"$work/lock.log" || rc=$?
  if ((rc)); then
    check lock false "$(sed -e 's/^::error:://' -e 's/%0A/ /g' -e 's/%0D/ /g' -e 's/%25/%/g' "$work/lock.log")"
  else
    check lock true free
  fi
}

if check_identity && check_bucket; then
  check_setting versioning - get-bucket-versioning '[.Status == "Enabled", .Status // "never enabled"]'
  check_setting encryption ServerSideEncryptionConfigurationNotFoundError get-bucket-encryption '
    .ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm | [. != null, .]'
  check_setting public-access NoSuchPublicAccessBlockConfiguration get-public-access-block '
    .PublicAccessBlockConfiguration | {BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets}
    | [to_entries[] | select(.value != true).key] | [. == [], if . == [] then "blocked" else "open: \(join(", "))" end]'
  check_state
  [[ $TF_LOCK_MODE == dynamodb ]] || check_promise
  if [[ $TF_LOCK_MODE != s3 ]]; then
    check_table
    check_digest
  fi
  check_lock
fi

umask "$readable"
jq -s --arg environment "$ENVIRONMENT" --arg stack "$STACK" '{$environment, $stack, checks: .}' "$work/checks.jsonl" >"$CHECK_DIR/check-state.json"
jq -r '
  def plain: .[:2000] | explode | map(if . == 9 or . == 10 or . == 13 then 32 else . end)
    | map(select(. >= 32 and (. < 127 or . > 159) and (. < 8203 or . > 8207)
        and (. < 8232 or . > 8238) and (. < 8288 or . > 8303) and . != 65279)) | .[:300] | implode;
  def code: plain | ([match("`+"; "g").length] | max // 0) as $run | ("`" * ($run + 1)) as $fence
    | if test("^`|`$") then "\($fence) \(.) \($fence)" else "\($fence)\(.)\($fence)" end;
  (.checks | map(select(.ok | not)) | length) as $failed
  | "### \(if $failed == 0 then "✅" else "❌" end) State of `\(.stack)` in `\(.environment)`: \(if $failed == 0 then "every check passed" else "\($failed) of \(.checks | length) checks failed" end)", "",
    "| Check | | Found |", "|---|---|---|",
    (.checks[] | "| \(.name) | \(if .ok then "✅" else "❌" end) | \(.detail | code | gsub("\\|"; "\\|")) |"), ""' "$CHECK_DIR/check-state.json" >>"$summary"

failed=0
while IFS= read -r message; do
  failed=1
  annotate error "$message"
done < <(jq -r --arg target "$ENVIRONMENT/$STACK" '.checks[] | select(.ok | not)
  | "state of \($target): \(.name): \(.detail | gsub("[\\x00-\\x1f]+"; " "))"' "$CHECK_DIR/check-state.json")
((failed == 0)) || exit 1
printf 'state of %s/%s: every check passed\n' "$ENVIRONMENT" "$STACK"
