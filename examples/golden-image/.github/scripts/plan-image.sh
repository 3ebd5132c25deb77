#!/usr/bin/env bash
# Refuses a saved plan that was not made with the golden image that was told, or that makes no use of it.
#
# Environment
#   TF_COMMAND       terraform | tofu
#   STACK_DIRECTORY  the root module, initialised
#   PLAN_FILE        the saved plan
#   IMAGE_VARIABLE   the input variable that takes the image
#   IMAGE_ID         the image
#   ENVIRONMENT      slug of the environment
#   STACK            slug of the stack
#   RUNNER_TEMP      private working files (default: /tmp)
# Exit codes
#   0 the plan uses exactly this image · 1 the tool failed, its output is shown · 2 usage · 3 the plan was made with
#   another value, or nothing in it has the image's id
#
# The plan in JSON holds secrets in clear: it passes through a pipe, and only addresses without the keys of instances
# come out of it. What uses the image is a managed resource with a value that is the id, as text or as a number,
# whether or not the plan changes it.
set -uo pipefail

TF_COMMAND=${TF_COMMAND:-}
STACK_DIRECTORY=${STACK_DIRECTORY:-}
PLAN_FILE=${PLAN_FILE:-}
IMAGE_VARIABLE=${IMAGE_VARIABLE:-}
IMAGE_ID=${IMAGE_ID:-}
ENVIRONMENT=${ENVIRONMENT:-}
STACK=${STACK:-}
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
[[ $TF_COMMAND == terraform || $TF_COMMAND == tofu ]] || usage 'TF_COMMAND must be terraform or tofu'
command -v "$TF_COMMAND" >/dev/null || usage "$TF_COMMAND is not installed"
[[ -n $STACK_DIRECTORY && -d $STACK_DIRECTORY ]] || usage 'STACK_DIRECTORY must be a directory'
[[ -n $PLAN_FILE && -f $PLAN_FILE ]] || usage 'PLAN_FILE must be a saved plan'
[[ $IMAGE_VARIABLE =~ ^[A-Za-z_][A-Za-z0-9_-]*$ ]] || usage 'IMAGE_VARIABLE must name an input variable'
[[ $IMAGE_ID =~ ^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$ ]] || usage 'IMAGE_ID must be the id of an image'
[[ $ENVIRONMENT =~ $slug ]] || usage 'ENVIRONMENT must be a slug'
[[ $STACK =~ $slug ]] || usage 'STACK must be a slug'
PLAN_FILE=$(cd -- "$(dirname -- "$PLAN_FILE")" && pwd -P)/$(basename -- "$PLAN_FILE")
umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/plan-image.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
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
  jq -c -s --arg variable "$IMAGE_VARIABLE" --arg id "$IMAGE_ID" '
    def plural: gsub("\\[([0-9]+|\"([^\"\\\\]|\\\\.)*\")\\]"; "");
    def resources: .resources[]?, (.child_modules[]? | resources);
    if length == 1 and (.[0] | type == "object" and has("planned_values")) then .[0] else error("no plan") end
    | {given: (.variables[$variable] | if . == null then "missing" elif (.value | tostring) == $id then "same" else "other" end),
       users: ([.planned_values.root_module | resources | select(.mode == "managed")
         | select(any(.values | .. | select(type == "string" or type == "number"); tostring == $id)) | .address | plural] | unique)}' \
    >"$work/verdict.json" 2>>"$work/errors" || {
  show "$work/errors"
  annotate error "$TF_COMMAND show failed for $ENVIRONMENT/$STACK: its output is above"
  exit 1
}
refused() {
  annotate error "the plan of $ENVIRONMENT/$STACK is refused: $1"
  printf '### ❌ The plan is not that of the image %s\n\n%s\n\n' "\`$IMAGE_ID\`" "${1//'|'/}" >>"$summary"
  exit 3
}
case $(jq -r .given "$work/verdict.json") in
  same) ;;
  missing) refused "it knows no variable $IMAGE_VARIABLE, so that the image $IMAGE_ID does not reach it" ;;
  *) refused "its variable $IMAGE_VARIABLE is not the image $IMAGE_ID that it was to be made with: a variable file or the command line sets it" ;;
esac
[[ $(jq '.users | length' "$work/verdict.json") != 0 ]] ||
  refused "no resource in it has the id $IMAGE_ID: what $IMAGE_VARIABLE is given to is something else, or is only known after the apply"
printf 'the plan uses the image %s in %s\n' "$IMAGE_ID" "$(jq -r '.users[:20] | join(", ")' "$work/verdict.json" | LC_ALL=C tr -d '\000-\037\177')"
