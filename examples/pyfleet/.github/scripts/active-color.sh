#!/usr/bin/env bash
# Which of a stack's two colours is live, and which one to plan with.
#
# Environment
#   TF_COMMAND       terraform | tofu
#   STACK_DIRECTORY  the root module, initialised
#   OUTPUT_NAME      the output that says which colour is live
#   OUTPUT_VALUES    JSON: colour → what the output says (default: {"blue": "blue", "green": "green"})
#   ACTION           plan | apply | promote | destroy | rollback
#   REQUESTED        keep | blue | green; only promote may ask for a colour (default: keep)
#   RUNNER_TEMP      private working files (default: /tmp)
# Outputs
#   current          blue | green: what is live
#   color            blue | green: what to plan with; promote: the one asked for, or the other one
# Exit codes
#   0 known · 1 the tool failed, its output is shown · 2 usage · 3 the output says neither colour, or is not there ·
#   4 the colour to promote is already live
#
# State is the only source: a plan with any other colour than the live one would move the traffic.
set -uo pipefail

TF_COMMAND=${TF_COMMAND:-}
STACK_DIRECTORY=${STACK_DIRECTORY:-}
OUTPUT_NAME=${OUTPUT_NAME:-}
OUTPUT_VALUES=${OUTPUT_VALUES:-}
[[ -n $OUTPUT_VALUES ]] || OUTPUT_VALUES='{"blue": "blue", "green": "green"}'
ACTION=${ACTION:-}
REQUESTED=${REQUESTED:-keep}
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

[[ $TF_COMMAND == terraform || $TF_COMMAND == tofu ]] || usage 'TF_COMMAND must be terraform or tofu'
command -v "$TF_COMMAND" >/dev/null || usage "$TF_COMMAND is not installed"
[[ -n $STACK_DIRECTORY && -d $STACK_DIRECTORY ]] || usage 'STACK_DIRECTORY must be a directory'
[[ $OUTPUT_NAME =~ ^[A-Za-z_][A-Za-z0-9_-]*$ ]] || usage 'OUTPUT_NAME must be the name of an output'
[[ $ACTION =~ ^(plan|apply|promote|destroy|rollback)$ ]] || usage 'ACTION must be plan, apply, promote, destroy or rollback'
[[ $REQUESTED =~ ^(keep|blue|green)$ ]] || usage 'REQUESTED must be keep, blue or green'
[[ $ACTION == promote || $REQUESTED == keep ]] || usage "only promote may ask for a colour, not $ACTION"
values=$(printf '%s' "$OUTPUT_VALUES" | jq -c -s '
  if length == 1 and (.[0] | type == "object" and keys == ["blue", "green"] and .blue != .green
    and all(.[]; type == "string" and . != "")) then .[0] else error("usage") end' 2>/dev/null) ||
  usage 'OUTPUT_VALUES must be a JSON object with two different texts, of blue and of green'

umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/active-color.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

# Shows text that must not be taken for workflow commands.
show() {
  local token
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$token"
  cat -- "$@"
  printf '\n::%s::\n' "$token"
}

# Not -raw: where there is no state yet, that prints a warning in a box and succeeds.
rc=0
"$TF_COMMAND" -chdir="$STACK_DIRECTORY" output -json >"$work/outputs.json" 2>"$work/errors" || rc=$?
current=
((rc)) || current=$(jq -r -s --arg name "$OUTPUT_NAME" --argjson values "$values" '
  if length == 1 and (.[0] | type) == "object" then .[0] else error("no outputs") end
  | if . == {} then "empty" elif has($name) | not then "missing"
    else .[$name].value as $value | first($values | to_entries[] | select(.value == $value) | .key) // "neither" end' \
  "$work/outputs.json" 2>>"$work/errors") || current=
# What the output says is not shown: it may be anything.
case $current in
  blue | green) ;;
  empty)
    annotate notice "there are no outputs in the state yet: the colour is blue"
    current=blue
    ;;
  missing)
    annotate error "the state has outputs, but no $OUTPUT_NAME: which colour is live is not known"
    exit 3
    ;;
  neither)
    annotate error "the output $OUTPUT_NAME says neither colour; blue and green are told apart by $values"
    exit 3
    ;;
  *)
    show "$work/errors"
    annotate error "$TF_COMMAND output failed: what it says is above"
    exit 1
    ;;
esac

color=$current
if [[ $ACTION == promote ]]; then
  color=$REQUESTED
  if [[ $color == keep ]]; then
    [[ $current == blue ]] && color=green || color=blue
  fi
  if [[ $color == "$current" ]]; then
    annotate error "$color is live already: there is nothing to promote"
    exit 4
  fi
fi
printf 'live: %s, planned: %s\n' "$current" "$color"
printf 'Live colour: %s. Planned colour: %s.\n\n' "$current" "$color" >>"$summary"
printf 'current=%s\ncolor=%s\n' "$current" "$color" >>"$output"
