#!/usr/bin/env bash
# Refuses a saved plan that lacks the digest of an image.
#
# Environment
#   TF_COMMAND       terraform | tofu
#   STACK_DIRECTORY  the root module, initialised
#   PLAN_FILE        the saved plan
#   ENVIRONMENT      slug of the environment
#   STACK            slug of the stack
#   IMAGE_…          images: REGISTRY/REPOSITORY@sha256:…
#   EXPECTED_IMAGES  JSON: the variables among them whose digests the plan has (default: [])
#   RUNNER_TEMP      private working files (default: /tmp)
# Exit codes
#   0 every digest is planned · 1 the tool failed, its output is shown · 2 usage · 3 a digest is missing, each is named
#
# The plan in JSON holds secrets in clear: it passes through a pipe, and only true or false comes out of it. A digest
# counts where it is part of a planned value, of a managed resource or an output, whether or not the plan changes it.
set -uo pipefail

TF_COMMAND=${TF_COMMAND:-}
STACK_DIRECTORY=${STACK_DIRECTORY:-}
PLAN_FILE=${PLAN_FILE:-}
ENVIRONMENT=${ENVIRONMENT:-}
STACK=${STACK:-}
EXPECTED_IMAGES=${EXPECTED_IMAGES:-}
[[ -n $EXPECTED_IMAGES ]] || EXPECTED_IMAGES='[]'
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
image='^[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+@(sha256:[0-9a-f]{64})$'
[[ $TF_COMMAND == terraform || $TF_COMMAND == tofu ]] || usage 'TF_COMMAND must be terraform or tofu'
command -v "$TF_COMMAND" >/dev/null || usage "$TF_COMMAND is not installed"
[[ -n $STACK_DIRECTORY && -d $STACK_DIRECTORY ]] || usage 'STACK_DIRECTORY must be a directory'
[[ -n $PLAN_FILE && -f $PLAN_FILE ]] || usage 'PLAN_FILE must be a saved plan'
[[ $ENVIRONMENT =~ $slug ]] || usage 'ENVIRONMENT must be a slug'
[[ $STACK =~ $slug ]] || usage 'STACK must be a slug'
names=$(jq -r -s 'if length == 1 and (.[0] | type == "array" and all(.[]; type == "string" and test("\\AIMAGE_[A-Z0-9_]+\\z")))
  then .[0][] else error("usage") end' <<<"$EXPECTED_IMAGES" 2>/dev/null) || usage 'EXPECTED_IMAGES must be a JSON array of variables'
expected=()
[[ -z $names ]] || mapfile -t expected <<<"$names"
digests='{}'
for name in "${expected[@]}"; do
  [[ ${!name:-} =~ $image ]] || usage "$name must be an image by its digest: REGISTRY/REPOSITORY@sha256:..."
  digests=$(jq -c --arg name "$name" --arg digest "${BASH_REMATCH[4]}" '.[$name] = $digest' <<<"$digests")
done

PLAN_FILE=$(cd -- "$(dirname -- "$PLAN_FILE")" && pwd -P)/$(basename -- "$PLAN_FILE")
umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/plan-digests.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

# Shows text that must not be taken for workflow commands.
show() {
  local token
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$token"
  cat -- "$@"
  printf '\n::%s::\n' "$token"
}

"$TF_COMMAND" -chdir="$STACK_DIRECTORY" show -json "$PLAN_FILE" 2>"$work/errors" |
  jq -r -s --argjson digests "$digests" '
    def resources: .resources[]?, (.child_modules[]? | resources);
    if length == 1 and (.[0] | type == "object" and has("planned_values")) then .[0].planned_values else error("no plan") end
    | [(.root_module // {} | resources | select(.mode == "managed") | .values), (.outputs // {} | .[] | .value) | .. | strings] as $texts
    | $digests | to_entries[] | .value as $digest | select(any($texts[]; contains($digest)) | not) | .key' \
    >"$work/missing" 2>>"$work/errors" || {
  show "$work/errors"
  annotate error "$TF_COMMAND show failed for $ENVIRONMENT/$STACK: its output is above"
  exit 1
}
if [[ -s $work/missing ]]; then
  while IFS= read -r name; do
    annotate error "the plan of $ENVIRONMENT/$STACK is refused: it does not have ${!name}, or its value is only known after the apply"
  done <"$work/missing"
  printf '### ❌ The plan of %s lacks an image\n\n%s\n\n' "\`$STACK\`" "$(paste -s -d ' ' "$work/missing")" >>"$summary"
  exit 3
fi
printf 'the plan has the digests of %s\n' "$(jq -r 'if . == [] then "no image" else join(", ") end' <<<"$EXPECTED_IMAGES")"
