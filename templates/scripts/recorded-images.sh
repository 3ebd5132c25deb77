#!/usr/bin/env bash
# Says with which images each stack was applied last: what is looked at for drift is synthesised with these. It changes
# nothing.
#
# Environment
#   STACKS               JSON: [{"stack": slug, "images": [VARIABLE], …}]: the stacks, with the variables whose images each
#                        runs
#   IMAGES               JSON: the variables by which the program is handed images (default: [])
#   RESULTS_DIR          where results are written; it is created
#   ENVIRONMENT          slug of the environment
#   TF_STATE_BUCKET      the bucket of the state
#   EXPECTED_ACCOUNT_ID  the account that must own it
#   AWS_REGION           its region
#   GITHUB_SHA           the commit that is looked at
#   RUNNER_TEMP          private working files (default: /tmp)
# Writes
#   RESULTS_DIR/STACK/result.json, as detect-drift.sh writes it, for each stack that cannot be synthesised:
#   class                pending     nothing is on record as applied, or not with all of the images
#                        no-backend  the bucket of the state does not exist
#                        error       the record did not answer, or cannot be read
# Outputs
#   stacks               JSON, in one line: the other stacks, each with "recorded": {VARIABLE: REGISTRY/REPOSITORY@sha256:…}
# Exit codes
#   0 said, whatever it is · 1 a result could not be written · 2 usage
#
# record-apply.sh writes down what a stack was applied with.
set -uo pipefail

STACKS=${STACKS:-}
IMAGES=${IMAGES:-[]}
RESULTS_DIR=${RESULTS_DIR:-}
ENVIRONMENT=${ENVIRONMENT:-}
TF_STATE_BUCKET=${TF_STATE_BUCKET:-}
EXPECTED_ACCOUNT_ID=${EXPECTED_ACCOUNT_ID:-}
AWS_REGION=${AWS_REGION:-}
GITHUB_SHA=${GITHUB_SHA:-}
output=${GITHUB_OUTPUT:-/dev/null}

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
stacks=$(printf '%s' "$STACKS" | jq -c -s '
  def variables: type == "array" and all(.[]; type == "string" and test("\\AIMAGE_[A-Z0-9_]+\\z"));
  if length == 1 and (.[0] | type == "array" and all(.[]; type == "object"
    and (.stack | type == "string" and test("\\A[a-z][a-z0-9-]{0,99}\\z")) and (.images | variables)))
  then .[0] else error("usage") end' 2>/dev/null) || usage 'STACKS must be a JSON array of stacks with their images'
images=$(printf '%s' "$IMAGES" | jq -c -s '
  if length == 1 and (.[0] | type == "array" and all(.[]; type == "string" and test("\\AIMAGE_[A-Z0-9_]+\\z")))
  then .[0] else error("usage") end' 2>/dev/null) || usage 'IMAGES must be a JSON array of variables'
[[ -n $RESULTS_DIR ]] || usage 'RESULTS_DIR must be a path'
[[ $ENVIRONMENT =~ $slug ]] || usage 'ENVIRONMENT must be a slug'
[[ $TF_STATE_BUCKET =~ ^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$ ]] || usage 'TF_STATE_BUCKET must be the name of a bucket'
[[ $EXPECTED_ACCOUNT_ID =~ ^[0-9]{12}$ ]] || usage 'EXPECTED_ACCOUNT_ID must be the number of an account'
[[ $AWS_REGION =~ ^[a-z]{2,4}(-[a-z]+)+-[0-9]$ ]] || usage 'AWS_REGION must be a region'
[[ $GITHUB_SHA =~ ^([0-9a-f]{40}|[0-9a-f]{64})$ ]] || usage 'GITHUB_SHA must be a whole commit id'
[[ $RESULTS_DIR != -* ]] || RESULTS_DIR=./$RESULTS_DIR
mkdir -p -- "$RESULTS_DIR" || usage 'RESULTS_DIR cannot be created'

work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/recorded-images.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

# left CLASS MESSAGE: of this stack nothing else can be said.
left() {
  { mkdir -p -- "$RESULTS_DIR/$stack" && jq -n --arg environment "$ENVIRONMENT" --arg stack "$stack" --arg class "$1" --arg message "$2" --arg commit "$GITHUB_SHA" \
    '{$environment, $stack, $class, fingerprint: "", drifted: [], changes: [], $message, $commit}' >"$RESULTS_DIR/$stack/result.json"; } || {
    annotate error "the result of $stack cannot be written"
    exit 1
  }
  printf '%s/%s: %s: %s\n' "$ENVIRONMENT" "$stack" "$1" "$2"
}

: >"$work/found.json"
while IFS= read -r entry; do
  stack=$(jq -r .stack <<<"$entry")
  if ! aws s3api get-object --bucket "$TF_STATE_BUCKET" --key "_pyfleet/applied/$ENVIRONMENT/$stack.json" --region "$AWS_REGION" \
    --expected-bucket-owner "$EXPECTED_ACCOUNT_ID" --output json "$work/record.json" >/dev/null 2>"$work/errors"; then
    if grep -q '(NoSuchKey)' "$work/errors"; then
      left pending 'nothing is on record as applied yet: there are no images to compare it with'
    elif grep -q '(NoSuchBucket)' "$work/errors"; then
      left no-backend 'the bucket of the state does not exist: there is nothing to compare with'
    else
      annotate error "with which images $ENVIRONMENT/$stack was applied is not known: $(head -c 2000 "$work/errors")"
      left error 'the record of what was applied last did not answer'
    fi
    continue
  fi
  # The images, or an array of those that the record lacks.
  recorded=$(jq -c -s --argjson entry "$entry" --argjson handed "$images" '
    def image: type == "string" and test("\\A[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+@sha256:[0-9a-f]{64}\\z");
    if length == 1 and (.[0] | type == "object") then .[0].images // {} else error("no record") end
    | if type == "object" and all(.[]; image) then . else error("no images") end
    | . as $images | [$entry.images + $handed | unique[] | select(in($images) | not)]
    | if . == [] then $images else . end' "$work/record.json" 2>/dev/null) || {
    left error 'the record of what was applied last is unreadable'
    continue
  }
  if [[ $recorded == \[* ]]; then
    left pending "it was applied without $(jq -r 'join(", ")' <<<"$recorded"): an apply of what is there now writes that down"
    continue
  fi
  jq -c --argjson recorded "$recorded" '. + {$recorded}' <<<"$entry" >>"$work/found.json"
  printf '%s/%s was applied with %s\n' "$ENVIRONMENT" "$stack" "$(jq -r 'if . == {} then "no image" else to_entries | map("\(.key) \(.value)") | join(", ") end' <<<"$recorded")"
done < <(jq -c '.[]' <<<"$stacks")
printf 'stacks=%s\n' "$(jq -c -s . "$work/found.json")" >>"$output"
