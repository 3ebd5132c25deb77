#!/usr/bin/env bash
# Decides which environments a run of a pipeline works on, before any job has a right: those of its branch.
#
# Environment
#   TARGETS      JSON: array, in the order of promotion, of {"environment", "branch", "automatic": whether it may be
#                changed without a person who starts the run}; written by the generator
#   EVENT_NAME   what started the run: a pull request and a merge group work on no environment
#   GITHUB_REF   the ref that the run is of
#   GITHUB_SHA   its commit
#   REBUILD_IMAGE, TEMPLATE_ID  true where a person asks for another golden image, and the id of one that is chosen
#                instead (default: neither)
# Outputs
#   environments JSON array of names, in the order of promotion
#   version      the first 12 digits of the commit: the second tag of its images
# Exit codes
#   0 decided · 1 refused: an image cannot be built and chosen at once, or is not named by an id · 2 usage: TARGETS,
#   EVENT_NAME or GITHUB_SHA is unreadable
set -uo pipefail

export TARGETS=${TARGETS:-} EVENT_NAME=${EVENT_NAME:-} GITHUB_REF=${GITHUB_REF:-}
GITHUB_SHA=${GITHUB_SHA:-}
REBUILD_IMAGE=${REBUILD_IMAGE:-}
TEMPLATE_ID=${TEMPLATE_ID:-}
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

[[ $EVENT_NAME =~ ^(merge_group|pull_request|push|schedule|workflow_dispatch)$ ]] || usage 'EVENT_NAME must be merge_group, pull_request, push, schedule or workflow_dispatch'
[[ $GITHUB_SHA =~ ^([0-9a-f]{40}|[0-9a-f]{64})$ ]] || usage 'GITHUB_SHA must be a whole commit id'

refuse() {
  annotate error "$1"
  printf '### ❌ Refused\n\n%s\n\n' "$1" >>"$summary"
  exit 1
}

if [[ -n $TEMPLATE_ID ]]; then
  [[ $TEMPLATE_ID =~ ^[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}$ ]] || refuse 'template_id must be the id of an image: letters, digits and . _ : / -'
  [[ $REBUILD_IMAGE != true ]] || refuse 'an image is built or chosen: leave rebuild_image or template_id empty'
fi

# {"chosen": [environment], "left": [environment that only a person may start]}
decision=$(printf '%s' "$TARGETS" | jq -c -s '
  def text: type == "string" and . != "";
  if length == 1 and (.[0] | type == "array" and all(.[];
    type == "object" and (.environment | text) and (.branch | text) and (.automatic | type == "boolean")))
  then .[0] else error("unreadable") end
  | (if $ENV.EVENT_NAME | IN("push", "schedule", "workflow_dispatch")
     then map(select($ENV.GITHUB_REF == "refs/heads/\(.branch)")) else [] end)
  | (if $ENV.EVENT_NAME == "workflow_dispatch" then . else map(select(.automatic)) end) as $chosen
  | {chosen: $chosen | map(.environment), left: (. - $chosen) | map(.environment)}' 2>/dev/null) ||
  usage 'TARGETS must be what the generator wrote: environments with their branch'

names=$(jq -r '.chosen | join(", ")' <<<"$decision")
left=$(jq -r '.left | join(", ")' <<<"$decision")
{
  if [[ -n $names ]]; then
    printf '### Works on %s\n\n' "$names"
  else
    printf '### Changes nothing\n\n'
  fi
} >>"$summary"
if [[ -z $names && $EVENT_NAME != pull_request && $EVENT_NAME != merge_group ]]; then
  annotate notice "no environment is worked on from ${GITHUB_REF#refs/heads/}: what needs none is done, and nothing is changed"
fi
[[ -z $left ]] || annotate notice "not without a person who starts it, its safety level says so: $left"
printf 'works on: %s\n' "${names:-nothing}"
{
  jq -r '"environments=\(.chosen | tojson)"' <<<"$decision"
  printf 'version=%s\n' "${GITHUB_SHA:0:12}"
} >>"$output"
