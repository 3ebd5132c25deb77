#!/usr/bin/env bash
# Reads the record of what was applied to one stack: lists it, or finds in it what to go back to. It changes nothing.
#
# Environment
#   TARGET               list | previous | a whole commit id
#   ENVIRONMENT          slug of the environment
#   STACK                slug of the stack
#   TF_STATE_BUCKET      the bucket of the state
#   TF_STATE_KEY         the state's key in it; of a workspace: env:/WORKSPACE/KEY
#   EXPECTED_ACCOUNT_ID  the account that must own it
#   AWS_REGION           its region
#   IMAGE_STACK          slug of the stack that starts machines from a golden image (default: none does)
#   RUNNER_TEMP          private working files (default: /tmp)
# Outputs
#   commit               what to go back to; not for list
#   image, image_id      of IMAGE_STACK: the image that it was applied with, as golden-image.sh says it, and its id
# Exit codes
#   0 listed, or found · 1 AWS did not answer · 2 usage · 3 nothing on record, no previous one, or not this commit ·
#   4 the record does not tell what `previous` is: a commit has to be named · 5 this commit is on record without an image
#
# record-apply.sh writes s3://TF_STATE_BUCKET/_pyfleet/applied/ENVIRONMENT/STACK.json, and the bucket keeps its versions.
# The newest says what is live. `previous` is the newest that was applied from another commit; after a destroy, what was
# there before it. After a rollback or a revert that would be what was just left. An apply that broke off is not on
# record, but has written its state: one that is newer than the record is not what the record says. Then, and where the
# newest version is no record, `previous` is refused. A commit has to be on record: what was never applied is not what
# anybody goes back to. The one that is live may be named, too. The 30 newest versions are read.
#
# Of IMAGE_STACK a commit and its image go back together. `previous` is the newest of another commit or another image that
# has proven itself, as record-image.sh wrote down; a commit that is named goes with the newest such image, or the newest.
set -uo pipefail

TARGET=${TARGET:-}
ENVIRONMENT=${ENVIRONMENT:-}
STACK=${STACK:-}
TF_STATE_BUCKET=${TF_STATE_BUCKET:-}
TF_STATE_KEY=${TF_STATE_KEY:-}
EXPECTED_ACCOUNT_ID=${EXPECTED_ACCOUNT_ID:-}
AWS_REGION=${AWS_REGION:-}
IMAGE_STACK=${IMAGE_STACK:-}
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

slug='^[a-z][a-z0-9-]{0,99}$'
[[ $TARGET == list || $TARGET == previous || $TARGET =~ ^([0-9a-f]{40}|[0-9a-f]{64})$ ]] ||
  usage 'TARGET must be list, previous or a whole commit id'
[[ $ENVIRONMENT =~ $slug ]] || usage 'ENVIRONMENT must be a slug'
[[ $STACK =~ $slug ]] || usage 'STACK must be a slug'
[[ -z $IMAGE_STACK || $IMAGE_STACK =~ $slug ]] || usage 'IMAGE_STACK must be a slug'
[[ $TF_STATE_BUCKET =~ ^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$ ]] || usage 'TF_STATE_BUCKET must be the name of a bucket'
# The AWS CLI takes a value that begins like a file or a URL for the place of the value.
[[ -n $TF_STATE_KEY && $TF_STATE_KEY != *[[:cntrl:]]* && ! $TF_STATE_KEY =~ ^(fileb?|https?):// ]] ||
  usage 'TF_STATE_KEY must be the key of a state'
[[ $EXPECTED_ACCOUNT_ID =~ ^[0-9]{12}$ ]] || usage 'EXPECTED_ACCOUNT_ID must be the number of an account'
[[ $AWS_REGION =~ ^[a-z]{2,4}(-[a-z]+)+-[0-9]$ ]] || usage 'AWS_REGION must be a region'
umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/applied-history.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT
key=_pyfleet/applied/$ENVIRONMENT/$STACK.json
has_image=false
[[ $STACK != "$IMAGE_STACK" ]] || has_image=true

s3() {
  aws s3api "$@" --bucket "$TF_STATE_BUCKET" --expected-bucket-owner "$EXPECTED_ACCOUNT_ID" --region "$AWS_REGION" --output json 2>"$work/errors"
}

ask() {
  s3 "$@" || {
    annotate error "the record of $ENVIRONMENT/$STACK cannot be read: $(head -c 2000 "$work/errors")"
    exit 1
  }
}

# The newest first, as S3 lists the versions of a key. A version that was deleted is no version.
ask list-object-versions --prefix "$key" --max-items 1000 >"$work/versions.json"
mapfile -t versions < <(jq -r --arg key "$key" '[.Versions[]? | select(.Key == $key and (.VersionId | test("\\A[!-~]{1,1024}\\z"))) | .VersionId][:30][]' "$work/versions.json")
: >"$work/history.json"
newest=
for version in "${versions[@]}"; do
  ask get-object --key "$key" --version-id="$version" "$work/record.json" >/dev/null
  jq -c -s --argjson has_image "$has_image" '
    def text: if type == "string" then .[:100] else null end;
    def image: if type == "object" and (.id | type == "string" and test("\\A[A-Za-z0-9][A-Za-z0-9._/-]{0,199}\\z"))
      then {id, built_at: (.built_at | text), version: (.version | text), commit: (.commit | text),
        software: (.software | if type == "object" then with_entries(select(.value | type == "string") | .value |= .[:100]) else {} end)}
      else null end;
    if length == 1 and (.[0] | type == "object" and (.commit | type == "string" and test("\\A([0-9a-f]{40}|[0-9a-f]{64})\\z"))
      and (.action | IN("apply", "destroy", "promote", "revert", "rollback")))
    then .[0] | {commit, action} + ({time, actor, approver, reason, active_color, resources} | with_entries(.value |= if . == null then "" else tostring end))
      + if $has_image then {image: (.image | image), good_at: (.image.good_at? | text)} else {} end
    else error("no record") end' "$work/record.json" >>"$work/history.json" 2>/dev/null || {
    annotate warning 'a version of the record cannot be read, and is left out'
    newest=${newest:-unreadable}
  }
  newest=${newest:-readable}
done
if [[ $has_image == true ]]; then
  # That an image has proven itself is a version of the record of its own, of the same apply.
  jq -c -s 'reduce .[] as $one ([];
    if .[-1] | . != null and .image != null and .time != "" and [.commit, .action, .time, .image.id] == ($one | [.commit, .action, .time, .image.id])
    then . else . + [$one] end) | .[]' "$work/history.json" >"$work/once.json" && mv -- "$work/once.json" "$work/history.json"
fi
if [[ ! -s $work/history.json ]]; then
  annotate error "nothing is on record as applied to $ENVIRONMENT/$STACK: there is nothing to go back to"
  exit 3
fi

{
  # shellcheck disable=SC2016 # Markdown, not a substitution
  printf '### What was applied to `%s` in `%s`\n\n| | Commit | Action | Time | Actor | Approved by | Resources | Colour | Reason |' "$STACK" "$ENVIRONMENT"
  [[ $has_image == false ]] || printf ' Image | Good since |'
  printf '\n|---|---|---|---|---|---|--:|---|---|'
  [[ $has_image == false ]] || printf -- '---|---|'
  printf '\n'
  jq -r -s --arg newest "$newest" '
    def plain: .[:2000] | explode | map(if . == 9 or . == 10 or . == 13 then 32 else . end)
      | map(select(. >= 32 and (. < 127 or . > 159) and (. < 8203 or . > 8207)
          and (. < 8232 or . > 8238) and (. < 8288 or . > 8303) and . != 65279)) | .[:200] | implode;
    def code: plain | ([match("`+"; "g").length] | max // 0) as $run | ("`" * ($run + 1)) as $fence
      | if test("^`|`$") then "\($fence) \(.) \($fence)" else "\($fence)\(.)\($fence)" end;
    # A backslash before a pipe would free it.
    def cell: if plain | test("\\A\\s*\\z") then "–" else code | gsub("\\\\(?=\\|)"; "\\ ") | gsub("\\|"; "\\|") end;
    to_entries[] | "| \(if .key == 0 and $newest == "readable" then "live" else "" end) | \(.value | [.commit, .action, .time, .actor, .approver, .resources, .active_color, .reason] + (if has("image") then [.image.id // "", .good_at // ""] else [] end) | map(cell) | join(" | ")) |"' \
    "$work/history.json"
  printf '\n'
} >>"$summary"
if [[ $TARGET == list ]]; then
  jq -r '"\(.commit) \(.action)"' "$work/history.json"
  exit 0
fi

# refuse WHY: says what can be named instead.
refuse() {
  annotate error "what previous is in $ENVIRONMENT/$STACK cannot be told, $1: name a commit from the list: $(
    jq -r -s '[.[] | select(.action != "destroy") | .commit] | reduce .[] as $one ([]; if index([$one]) then . else . + [$one] end) | .[:5] | join(", ")' "$work/history.json"
  )"
  exit 4
}

if [[ $TARGET == previous ]]; then
  [[ $newest == readable ]] || refuse 'the newest version of the record cannot be read'
  action=$(jq -r -s '.[0].action' "$work/history.json") || refuse 'the record cannot be read'
  [[ $action != rollback && $action != revert ]] || refuse "the last that was done is a $action"
  if ! s3 head-object --key="$TF_STATE_KEY" >"$work/state.json"; then
    ! grep -q '(404)' "$work/errors" || refuse 'there is no state'
    annotate error "the state of $ENVIRONMENT/$STACK cannot be looked at: $(head -c 2000 "$work/errors")"
    exit 1
  fi
  # Both times are S3's own, in seconds, and recording takes a few after the state was written.
  is_recorded=$(jq -r --arg key "$key" --slurpfile state "$work/state.json" '
    # The second is how version 1 of the AWS CLI writes what a header says.
    def seconds: sub("\\+00:00\\z"; "Z") | sub("\\.\\d+"; "") as $text
      | try ($text | fromdateiso8601) catch ($text | strptime("%a, %d %b %Y %H:%M:%S GMT") | mktime);
    ([.Versions[] | select(.Key == $key)][0].LastModified | seconds) >= ($state[0].LastModified | seconds)' "$work/versions.json" 2>/dev/null) || is_recorded=
  [[ $is_recorded == true ]] || refuse 'the state was changed after the last record, as by an apply that broke off'
fi

jq -c -s --arg target "$TARGET" --argjson has_image "$has_image" '
  .[0] as $live
  | [.[] | select(.action != "destroy")
      | select(if $target != "previous" then .commit == $target
          elif $has_image then .good_at != null and ($live.action == "destroy" or .commit != $live.commit or .image.id != $live.image.id)
          else $live.action == "destroy" or .commit != $live.commit end)]
  | first((.[] | select(.good_at? != null)), .[]) // empty' "$work/history.json" >"$work/found.json"
if [[ ! -s $work/found.json ]]; then
  if [[ $TARGET == previous && $has_image == true ]]; then
    annotate error "nothing has proven itself in $ENVIRONMENT/$STACK before what is live: name a commit that is on record, or have another image built"
  elif [[ $TARGET == previous ]]; then
    annotate error "nothing was applied to $ENVIRONMENT/$STACK before what is live: name a commit that is on record, or apply another one"
  else
    annotate error "this commit is not on record as applied to $ENVIRONMENT/$STACK; what is, is listed in the summary"
  fi
  exit 3
fi
commit=$(jq -r .commit "$work/found.json")
if [[ $has_image == true ]]; then
  jq -e '.image != null' "$work/found.json" >/dev/null || {
    annotate error "this commit was applied to $ENVIRONMENT/$STACK without a golden image: name another one that is on record with its image"
    exit 5
  }
  printf 'back to the image %s\n' "$(jq -r .image.id "$work/found.json")"
  printf 'image=%s\nimage_id=%s\n' "$(jq -c .image "$work/found.json")" "$(jq -r .image.id "$work/found.json")" >>"$output"
fi
printf 'back to %s\n' "$commit"
printf 'commit=%s\n' "$commit" >>"$output"
