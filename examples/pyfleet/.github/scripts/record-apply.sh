#!/usr/bin/env bash
# Writes down what was applied: for those who look for drift or roll back, in the bucket of the state, and for the
# reader of the run. Publishes the outputs that may be seen.
#
# Environment
#   ACTION               what was done: apply | destroy | promote | revert | rollback
#   TF_COMMAND           terraform | tofu
#   STACK_DIRECTORY      the root module, initialised
#   ENVIRONMENT          slug of the environment; its approval stands in the environment ENVIRONMENT-approval
#   STACK                slug of the stack
#   TF_STATE_BUCKET      the bucket of the state
#   EXPECTED_ACCOUNT_ID  the account that must own it
#   AWS_REGION           its region
#   GITHUB_SHA, GITHUB_REPOSITORY, GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT
#   GITHUB_TRIGGERING_ACTOR  who started this attempt
#   GITHUB_SERVER_URL    (default: https://github.com)
#   GH_TOKEN             token that may read this run's approvals (actions: read)
#   COMMIT               the commit whose configuration was applied (default: GITHUB_SHA)
#   PLAN_SHA256          of the plan that was applied (default: none)
#   ACTIVE_COLOR         the colour that is live now (default: none)
#   IMAGE                the golden image that it was applied with, as golden-image.sh says it (default: none)
#   IMAGE_…              the images that it was synthesised with: REGISTRY/REPOSITORY@sha256:…
#   IMAGES               JSON: the variables among them that are recorded (default: none)
#   REASON               why, in the words of whoever started the run (default: none)
#   PUBLISH_OUTPUTS      JSON: names of the outputs that may be seen (default: [])
#   OUTPUTS_DIR          where outputs.json is written; it is created
#   RUNNER_TEMP          private working files (default: /tmp)
# Writes
#   s3://TF_STATE_BUCKET/_pyfleet/applied/ENVIRONMENT/STACK.json, the ledger; the bucket's versions are its history
#   OUTPUTS_DIR/outputs.json: name -> value
# Exit codes
#   0 recorded · 1 the tool or AWS failed: what was applied is applied, its record is missing · 2 usage
#
# The ledger holds no value of an output, only the SHA-256 of those that are not sensitive, as sorted JSON. GitHub's
# API says neither when a run was approved nor in which order: who approved an earlier attempt is named as well.
set -uo pipefail

ACTION=${ACTION:-}
TF_COMMAND=${TF_COMMAND:-}
STACK_DIRECTORY=${STACK_DIRECTORY:-}
ENVIRONMENT=${ENVIRONMENT:-}
STACK=${STACK:-}
TF_STATE_BUCKET=${TF_STATE_BUCKET:-}
EXPECTED_ACCOUNT_ID=${EXPECTED_ACCOUNT_ID:-}
AWS_REGION=${AWS_REGION:-}
GITHUB_SHA=${GITHUB_SHA:-}
COMMIT=${COMMIT:-$GITHUB_SHA}
GITHUB_REPOSITORY=${GITHUB_REPOSITORY:-}
GITHUB_RUN_ID=${GITHUB_RUN_ID:-}
GITHUB_RUN_ATTEMPT=${GITHUB_RUN_ATTEMPT:-}
GITHUB_TRIGGERING_ACTOR=${GITHUB_TRIGGERING_ACTOR:-}
GITHUB_SERVER_URL=${GITHUB_SERVER_URL:-https://github.com}
PLAN_SHA256=${PLAN_SHA256:-}
ACTIVE_COLOR=${ACTIVE_COLOR:-}
IMAGE=${IMAGE:-null}
IMAGES=${IMAGES:-[]}
REASON=${REASON:-}
PUBLISH_OUTPUTS=${PUBLISH_OUTPUTS:-[]}
OUTPUTS_DIR=${OUTPUTS_DIR:-}
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

slug='^[a-z][a-z0-9-]{0,99}$'
[[ $ACTION =~ ^(apply|destroy|promote|revert|rollback)$ ]] || usage 'ACTION must be apply, destroy, promote, revert or rollback'
[[ $TF_COMMAND == terraform || $TF_COMMAND == tofu ]] || usage 'TF_COMMAND must be terraform or tofu'
command -v "$TF_COMMAND" >/dev/null || usage "$TF_COMMAND is not installed"
[[ -n $STACK_DIRECTORY && -d $STACK_DIRECTORY ]] || usage 'STACK_DIRECTORY must be a directory'
[[ $ENVIRONMENT =~ $slug ]] || usage 'ENVIRONMENT must be a slug'
[[ $STACK =~ $slug ]] || usage 'STACK must be a slug'
[[ $TF_STATE_BUCKET =~ ^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$ ]] || usage 'TF_STATE_BUCKET must be the name of a bucket'
[[ $EXPECTED_ACCOUNT_ID =~ ^[0-9]{12}$ ]] || usage 'EXPECTED_ACCOUNT_ID must be the number of an account'
[[ $AWS_REGION =~ ^[a-z]{2}(-[a-z]+)+-[0-9]$ ]] || usage 'AWS_REGION must be a region'
[[ $GITHUB_SHA =~ ^([0-9a-f]{40}|[0-9a-f]{64})$ ]] || usage 'GITHUB_SHA must be a whole commit id'
[[ $COMMIT =~ ^([0-9a-f]{40}|[0-9a-f]{64})$ ]] || usage 'COMMIT must be a whole commit id'
[[ $GITHUB_REPOSITORY =~ ^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$ ]] || usage 'GITHUB_REPOSITORY must be owner/name'
[[ $GITHUB_RUN_ID =~ ^[1-9][0-9]{0,19}$ ]] || usage 'GITHUB_RUN_ID must be the number of a run'
[[ $GITHUB_RUN_ATTEMPT =~ ^[1-9][0-9]{0,5}$ ]] || usage 'GITHUB_RUN_ATTEMPT must be the number of an attempt'
[[ -n $GITHUB_TRIGGERING_ACTOR ]] || usage 'GITHUB_TRIGGERING_ACTOR is not set'
[[ $GITHUB_SERVER_URL =~ ^https?://[A-Za-z0-9.:-]+$ ]] || usage 'GITHUB_SERVER_URL must be an address'
[[ -z $PLAN_SHA256 || $PLAN_SHA256 =~ ^[0-9a-f]{64}$ ]] || usage 'PLAN_SHA256 must be the SHA-256 of a plan'
[[ -z $ACTIVE_COLOR || $ACTIVE_COLOR =~ $slug ]] || usage 'ACTIVE_COLOR must be the name of a colour'
image=$(printf '%s' "$IMAGE" | jq -c -s '
  if length == 1 and (.[0] | . == null or (type == "object" and (.id | type == "string" and test("\\A[A-Za-z0-9][A-Za-z0-9._/-]{0,199}\\z"))))
  then .[0] else error("usage") end' 2>/dev/null) || usage 'IMAGE must be an image as golden-image.sh says it'
names=$(printf '%s' "$IMAGES" | jq -r -s '
  if length == 1 and (.[0] | type == "array" and all(.[]; type == "string" and test("\\AIMAGE_[A-Z0-9_]+\\z")))
  then .[0][] else error("usage") end' 2>/dev/null) || usage 'IMAGES must be a JSON array of variables'
images='{}'
while IFS= read -r name; do
  [[ -n $name ]] || continue
  [[ ${!name:-} =~ ^[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+@sha256:[0-9a-f]{64}$ ]] ||
    usage "$name must be an image by its digest: REGISTRY/REPOSITORY@sha256:..."
  images=$(jq -c --arg name "$name" --arg image "${!name}" '.[$name] = $image' <<<"$images")
done <<<"$names"
published=$(printf '%s' "$PUBLISH_OUTPUTS" | jq -c -s '
  if length == 1 and (.[0] | type == "array" and all(.[]; type == "string" and test("\\A[A-Za-z_][A-Za-z0-9_-]*\\z")))
  then .[0] | unique else error("usage") end' 2>/dev/null) || usage 'PUBLISH_OUTPUTS must be a JSON array of names'
[[ -n $OUTPUTS_DIR ]] || usage 'OUTPUTS_DIR is not set'
[[ $OUTPUTS_DIR != -* ]] || OUTPUTS_DIR=./$OUTPUTS_DIR
mkdir -p -- "$OUTPUTS_DIR" || usage 'OUTPUTS_DIR cannot be created'
rm -f -- "$OUTPUTS_DIR/outputs.json"

readable=$(umask)
umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/record-apply.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

# Shows text that must not be taken for workflow commands.
show() {
  local token
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$token"
  cat -- "$@"
  printf '\n::%s::\n' "$token"
}

key=_pyfleet/applied/$ENVIRONMENT/$STACK.json

# failed WHAT: the apply cannot be undone by failing, and must not be repeated because of this.
failed() {
  annotate error "the $ACTION of $ENVIRONMENT/$STACK has taken place, only its record is missing: $1. \
Do not run it again for that; the next apply writes a record of its own"
  exit 1
}

tool_version=$("$TF_COMMAND" version -json 2>"$work/errors" | jq -r .terraform_version 2>/dev/null) || tool_version=
[[ $tool_version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] ||
  failed "$TF_COMMAND does not tell its version: $(head -c 2000 "$work/errors")"

# The state passes through a pipe: of its secrets nothing is kept. No state is no text.
"$TF_COMMAND" -chdir="$STACK_DIRECTORY" state pull 2>"$work/errors" | jq -s -c --argjson published "$published" '
  if length == 0 then {outputs: {}, resources: []}
  elif length == 1 and .[0].version == 4 then .[0]
  else error("no state") end
  | (.outputs // {}) as $outputs
  | {resources: (.resources | map(select(.mode == "managed") | .instances | length) | add // 0),
     open: ($outputs | with_entries(select(.value.sensitive | not) | .value |= .value)),
     sensitive: [$published[] | select($outputs[.].sensitive)],
     missing: [$published[] | select(in($outputs) | not)]}
  | .published = (.open | with_entries(select(.key as $name | $published | index([$name]))))' >"$work/facts.json" 2>>"$work/errors" || {
  show "$work/errors"
  failed "$TF_COMMAND could not read the state, its output is above"
}
outputs_sha256=$(jq -S -c .open "$work/facts.json" | sha256sum | cut -d ' ' -f 1)
while read -r problem name; do
  case $problem in
    sensitive) annotate notice "the output $name of $ENVIRONMENT/$STACK is sensitive: it is not published" ;;
    missing) annotate notice "$ENVIRONMENT/$STACK has no output $name: it is not published" ;;
  esac
done < <(jq -r '(.sensitive[] | "sensitive \(.)"), (.missing[] | "missing \(.)")' "$work/facts.json")

printf '[]' >"$work/approvals.json"
if ! { gh api "repos/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID/approvals" | jq -s -c --arg environment "$ENVIRONMENT-approval" '
  if length == 1 and (.[0] | type) == "array" then .[0] else error("no list") end
  | map(select(.state == "approved" and any(.environments[]; .name | ascii_downcase == $environment)))'; } \
  >"$work/answer.json" 2>"$work/errors"; then
  annotate notice "who approved this run is not recorded, GitHub's API does not tell: $(head -c 2000 "$work/errors")"
else
  mv -- "$work/answer.json" "$work/approvals.json"
fi

time=$(date -u +%Y-%m-%dT%H:%M:%SZ)
jq -n --slurpfile facts "$work/facts.json" --slurpfile approvals "$work/approvals.json" \
  --arg action "$ACTION" --arg commit "$COMMIT" --arg run_id "$GITHUB_RUN_ID" --arg run_attempt "$GITHUB_RUN_ATTEMPT" \
  --arg run_url "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID/attempts/$GITHUB_RUN_ATTEMPT" \
  --arg actor "$GITHUB_TRIGGERING_ACTOR" --arg plan_sha256 "$PLAN_SHA256" --arg tool "$TF_COMMAND" --arg tool_version "$tool_version" \
  --arg active_color "$ACTIVE_COLOR" --arg outputs_sha256 "$outputs_sha256" --arg reason "$REASON" --arg time "$time" --argjson image "$image" --argjson images "$images" '
  def given: if . == "" then null else .[:2000] end;
  def each(value): [$approvals[0][] | value | strings | select(. != "")] | reduce .[] as $one ([]; if index([$one]) then . else . + [$one] end);
  {format: 1, $action, $commit, $run_url, $run_id, $run_attempt, actor: ($actor | given),
   approver: (each(.user.login) | join(", ") | given), approval_comment: (each(.comment) | join("\n") | given),
   plan_sha256: ($plan_sha256 | given), $tool, $tool_version, active_color: ($active_color | given), $image, $images, $outputs_sha256,
   resources: $facts[0].resources, reason: ($reason | given), $time}' >"$work/ledger.json" ||
  failed 'it could not be composed'

umask "$readable"
jq .published "$work/facts.json" >"$OUTPUTS_DIR/outputs.json" || failed 'outputs.json could not be written'
jq -n -r --slurpfile facts "$work/facts.json" --slurpfile ledger "$work/ledger.json" --arg environment "$ENVIRONMENT" --arg stack "$STACK" '
  def plain: .[:2000] | explode | map(if . == 9 or . == 10 or . == 13 then 32 else . end)
    | map(select(. >= 32 and (. < 127 or . > 159) and (. < 8203 or . > 8207)
        and (. < 8232 or . > 8238) and (. < 8288 or . > 8303) and . != 65279)) | (if length > 300 then .[:300] + [8230] else . end) | implode;
  def code: plain | ([match("`+"; "g").length] | max // 0) as $run | ("`" * ($run + 1)) as $fence
    | if test("^`|`$") then "\($fence) \(.) \($fence)" else "\($fence)\(.)\($fence)" end;
  # A backslash before a pipe would free it.
  def cell: if . == null or (tostring | plain | test("\\A\\s*\\z")) then "–"
    else tostring | code | gsub("\\\\(?=\\|)"; "\\ ") | gsub("\\|"; "\\|") end;
  $ledger[0] as $record | $facts[0].published as $published
  | "### 📒 \($record.action) of `\($stack)` in `\($environment)`", "",
    "| Evidence | |", "|---|---|",
    ($record | [["Action", .action], ["Commit", .commit], ["Actor", .actor], ["Approved by", .approver], ["Comment", .approval_comment],
      ["Reason", .reason], ["SHA-256 of the plan", .plan_sha256], ["Tool", "\(.tool) \(.tool_version)"],
      ["Live colour", .active_color], ["Image", .image.id], (.images | to_entries[] | [.key, .value]), ["Resources", .resources], ["Time", .time], ["Run", .run_url]]
      | .[] | "| \(.[0]) | \(.[1] | cell) |"), "",
    (if $published == {} then empty else "| Output | Value |", "|---|---|",
      ($published | to_entries[] | "| \(.key | cell) | \(.value | cell) |"), "" end)' >>"$summary" || failed 'the summary could not be written'

if ! aws s3api put-object --bucket "$TF_STATE_BUCKET" --key "$key" --body "$work/ledger.json" --content-type application/json \
  --expected-bucket-owner "$EXPECTED_ACCOUNT_ID" --region "$AWS_REGION" --output json >/dev/null 2>"$work/errors"; then
  show "$work/ledger.json"
  failed "s3://$TF_STATE_BUCKET/$key did not take what is above, it can be put there by hand: $(head -c 2000 "$work/errors")"
fi
printf 'recorded the %s of %s/%s in s3://%s/%s\n' "$ACTION" "$ENVIRONMENT" "$STACK" "$TF_STATE_BUCKET" "$key"
