#!/usr/bin/env bash
# Decides what a run of tf-auto works on, before any job has a right: by what started it, and by what somebody typed.
#
# Environment
#   TARGETS       JSON: environment → {"branch", "protected", "writes", "layers": [[matrix entry]]}, each
#                 layer after those that it needs; written by the generator
#   EVENT_NAME    push | schedule | workflow_dispatch
#   GITHUB_REF    the ref that the run is of
#   CHANGED       JSON array: what a push changed; nothing of it, nothing to do
#   ENVIRONMENT   workflow_dispatch: one of TARGETS
#   ACTION        workflow_dispatch: plan | apply | promote | destroy
#   ACTIVE_COLOR  promote: keep | blue | green (default: keep)
#   CONFIRM       the phrase of the action: apply E where a gate stands before it, promote E or
#                 promote E COLOR, destroy E; else empty
#   REASON        why: letters, digits, spaces and . , : _ # / ( ) + - (default: none)
# Outputs
#   action        plan | apply | promote | destroy
#   backends      JSON array: environments whose backend has to be there first
#   E-N           for every layer N, from 1, of every environment E: a JSON array of matrix entries, those
#                 that are planned in this run
#   destroy-E     for every environment E: the matrix entries that are destroyed, in all layers
# Exit codes
#   0 decided · 1 refused, every mistake is named · 2 usage: TARGETS, CHANGED or EVENT_NAME is unreadable
#
# A push applies, the clock only plans. Every comparison is exact, where GitHub's == ignores case. What was
# typed is never shown: a message says what was expected.
set -uo pipefail

export TARGETS=${TARGETS:-} EVENT_NAME=${EVENT_NAME:-} GITHUB_REF=${GITHUB_REF:-} CHANGED=${CHANGED:-}
export ENVIRONMENT=${ENVIRONMENT:-} ACTION=${ACTION:-} CONFIRM=${CONFIRM:-} REASON=${REASON:-}
export ACTIVE_COLOR=${ACTIVE_COLOR:-keep}
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

[[ $EVENT_NAME =~ ^(push|schedule|workflow_dispatch)$ ]] || usage 'EVENT_NAME must be push, schedule or workflow_dispatch'
jq -e -n '$ENV.CHANGED | fromjson | type == "array" and all(.[]; type == "string")' >/dev/null 2>&1 ||
  usage 'CHANGED must be a JSON array of names'

# {"mistakes": [text]} or {"action", "chosen": [environment], "left": [environment], "outputs": {name: value}}
verdict=$(printf '%s' "$TARGETS" | jq -c -s '
  def text: type == "string" and . != "";
  if length == 1 and (.[0] | type == "object" and length > 0 and all(.[];
    type == "object" and (.branch | text) and (.protected | type == "boolean") and (.writes | type == "boolean")
    and (.layers | type == "array" and length > 0 and all(.[]; type == "array" and length > 0 and all(.[];
      type == "object" and (.stack | text))))))
  then .[0] else error("unreadable") end
  | . as $targets
  | $ENV as {$EVENT_NAME, $GITHUB_REF, $CHANGED, $ENVIRONMENT, $ACTION, $ACTIVE_COLOR, $CONFIRM, $REASON}
  | ["plan", "apply", "promote", "destroy"] as $actions
  | def one_of($all): "must be one of \($all | map("`\(.)`") | join(", "))";
    def entries: [.layers[][]];
    def colored: map(select(.colors));
    ($EVENT_NAME == "workflow_dispatch") as $by_hand
  | $targets[$ENVIRONMENT] as $environment
  | ($actions | index([$ACTION]) != null) as $known
  # Nothing where it cannot be said: another mistake comes first.
  | (if ($environment and $known) | not then null
     elif $ACTION == "plan" or ($ACTION == "apply" and ($environment.protected | not)) then ""
     elif $ACTION == "promote" then
       if $ACTIVE_COLOR == "keep" then "promote \($ENVIRONMENT)"
       elif $ACTIVE_COLOR | IN("blue", "green") then "promote \($ENVIRONMENT) \($ACTIVE_COLOR)" else null end
     else "\($ACTION) \($ENVIRONMENT)" end) as $phrase
  | (if $by_hand | not then [] else [
      (if $environment then empty else "environment \(one_of($targets | keys))" end),
      (if $known then empty else "action \(one_of($actions))" end),
      (if $environment and $GITHUB_REF != "refs/heads/\($environment.branch)"
        then "`\($ENVIRONMENT)` is only worked on from its branch: start the workflow from `\($environment.branch)`" else empty end),
      (if $environment and $known and ($environment.writes | not) and $ACTION != "plan"
        then "nothing changes `\($ENVIRONMENT)` here, its safety level says so: the action must be `plan`" else empty end),
      (if $ACTIVE_COLOR | IN("keep", "blue", "green") | not then "active_color must be `keep`, `blue` or `green`"
       elif $known and $ACTION != "promote" and $ACTIVE_COLOR != "keep" then "active_color must be `keep`: only promote switches" else empty end),
      (if $environment and $ACTION == "promote" and ($environment | entries | colored) == []
        then "`\($ENVIRONMENT)` has no stack with two colours: there is nothing to promote" else empty end),
      (if $REASON == "" or ($REASON | length <= 200 and test("\\A[\\p{L}\\p{Nd}][\\p{L}\\p{Nd} .,:_#/()+-]*\\z") and (contains("::") | not))
        then empty else "reason must be one line of at most 200 letters, digits, spaces and . , : _ # / ( ) + -, begin with a letter or a digit and have no two colons in a row" end),
      (if $phrase == null then
         if $known and $CONFIRM == "" and ($ACTION | IN("plan", "apply")) then empty
         elif $ACTION == "plan" then "confirm must be empty: plan takes no phrase"
         else "confirm cannot be compared before the rest is right" end
       elif $CONFIRM == $phrase then empty
       elif $phrase == "" then "confirm must be empty: \($ACTION) takes no phrase in `\($ENVIRONMENT)`, was another action meant?"
       else "confirm must be exactly `\($phrase)`" end)
    ] end) as $mistakes
  | if $mistakes != [] then {$mistakes} else
      {push: "apply", schedule: "plan", workflow_dispatch: $ACTION}[$EVENT_NAME] as $action
      | (if $by_hand then [$ENVIRONMENT]
         elif $EVENT_NAME == "push" and ($CHANGED | fromjson) == [] then []
         else [$targets | to_entries[] | select($GITHUB_REF == "refs/heads/\(.value.branch)") | .key] end) as $chosen
      | {
          $action, $chosen,
          left: [$targets | keys[] | select(. as $name | $chosen | index([$name]) | not)],
          outputs: (
            {$action, backends: [$chosen[] | select($action == "apply" and $targets[.].writes)]}
            + ([$targets | to_entries[] | .key as $name | ($chosen | index([$name]) != null) as $is_chosen
              | (.value.layers | to_entries[] | {
                  key: "\($name)-\(.key + 1)",
                  value: (if ($is_chosen | not) or $action == "destroy" then []
                    elif $action == "promote" then .value | colored else .value end)
                }),
                {key: "destroy-\($name)", value: (if $is_chosen and $action == "destroy" then .value | entries else [] end)}
              ] | from_entries))
        } end' 2>/dev/null) || usage 'TARGETS must be what the generator wrote: environments with their branch and layers of stacks'

if [[ $verdict == '{"mistakes":'* ]]; then
  mapfile -t lines < <(jq -r '.mistakes[]' <<<"$verdict")
  for mistake in "${lines[@]}"; do annotate error "$mistake"; done
  {
    printf '### ❌ Refused\n\n'
    printf -- '- %s\n' "${lines[@]}"
    printf '\n'
  } >>"$summary"
  exit 1
fi

jq -r '
  {plan: "planned; nothing changes", apply: "planned, and what changes is applied", promote: "switched to another colour", destroy: "**destroyed**"}[.action] as $what
  | if .chosen == [] then "### Nothing to do", "", (if $ENV.CHANGED == "[]" then "The push changes nothing of the stacks." else "No environment is worked on from `\($ENV.GITHUB_REF | ltrimstr("refs/heads/"))`." end)
    else "### \(.chosen | map("`\(.)`") | join(", ")): \($what)" end,
    (if $ENV.EVENT_NAME == "schedule" and .chosen != [] and .left != [] then "", "Not looked at, because the clock only runs on the default branch: \(.left | map("`\(.)`") | join(", "))." else empty end),
    (if $ENV.REASON == "" then empty else "", "Reason: `\($ENV.REASON)`" end),
    ""' <<<"$verdict" >>"$summary"
jq -r '"\(.action) of \(if .chosen == [] then "nothing" else .chosen | join(", ") end)"' <<<"$verdict"
jq -r '.outputs | to_entries[] | "\(.key)=\(.value | if type == "string" then . else tojson end)"' <<<"$verdict" >>"$output"
