#!/usr/bin/env bash
# Compares what somebody typed with what is allowed, before any job has a right.
#
# Environment
#   TARGETS       JSON: environment → {"branch", "protected", "writes", "colors": [stack],
#                 "stacks": {stack: matrix entry}}; written by the generator
#   GITHUB_REF    the ref that the workflow was started from
#   ENVIRONMENT   one of TARGETS
#   STACK         one of its stacks
#   ACTION        plan | apply | destroy | promote | create-backend | destroy-backend | force-unlock
#   ACTIVE_COLOR  keep | blue | green; only promote may ask for a colour (default: keep)
#   CONFIRM       the phrase of the action: apply E/S where a gate stands before it, destroy E/S,
#                 promote E/S or promote E/S COLOR, destroy-backend BUCKET, unlock LOCK_ID; else empty
#   LOCK_ID       force-unlock: the lock's id, a UUID; else empty
#   REASON        why: letters, digits, spaces and . , : _ # / ( ) + - (default: none)
#   GITHUB_RUN_ATTEMPT  a later attempt is asked to destroy, promote or unlock anew (default: 1)
# Outputs
#   target        a JSON array of the one matrix entry
# Exit codes
#   0 allowed · 1 refused, every mistake is named · 2 usage: TARGETS is unreadable
#
# Every comparison is exact, where GitHub's == ignores case. What was typed is never shown: a message
# says what was expected.
set -uo pipefail

export TARGETS=${TARGETS:-} GITHUB_REF=${GITHUB_REF:-}
export ENVIRONMENT=${ENVIRONMENT:-} STACK=${STACK:-} ACTION=${ACTION:-}
export ACTIVE_COLOR=${ACTIVE_COLOR:-keep} CONFIRM=${CONFIRM:-} LOCK_ID=${LOCK_ID:-} REASON=${REASON:-}
export GITHUB_RUN_ATTEMPT=${GITHUB_RUN_ATTEMPT:-1}
output=${GITHUB_OUTPUT:-/dev/null}
summary=${GITHUB_STEP_SUMMARY:-/dev/null}

# One workflow command per message, whatever the message holds.
annotate() {
  local text=${2//'%'/%25}
  text=${text//$'\r'/%0D}
  printf '::%s::%s\n' "$1" "${text//$'\n'/%0A}" >&2
}

# {"mistakes": [text]} or {"target": entry, "plan": [text]}
verdict=$(printf '%s' "$TARGETS" | jq -c -s '
  def text: type == "string" and . != "";
  if length == 1 and (.[0] | type == "object" and length > 0 and all(.[];
    type == "object" and (.branch | text) and (.protected | type == "boolean") and (.writes | type == "boolean")
    and (.colors | type == "array" and all(.[]; text))
    and (.stacks | type == "object" and length > 0 and all(to_entries[]; .key as $stack | .value
      | type == "object" and .stack == $stack and (.directory | text) and (.backend | type == "object" and (.bucket | text))))))
  then .[0] else error("unreadable") end
  | . as $targets
  | $ENV as {$ENVIRONMENT, $STACK, $ACTION, $ACTIVE_COLOR, $CONFIRM, $LOCK_ID, $REASON, $GITHUB_REF, $GITHUB_RUN_ATTEMPT}
  | def one_of($all): "must be one of \($all | map("`\(.)`") | join(", "))";
    def uuid: test("\\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\z");
    ["plan", "apply", "destroy", "promote", "create-backend", "destroy-backend", "force-unlock"] as $actions
  | $targets[$ENVIRONMENT] as $environment
  | (if $environment then $environment.stacks[$STACK] else null end) as $entry
  | ($actions | index([$ACTION]) != null) as $known
  | "\($ENVIRONMENT)/\($STACK)" as $at
  # Nothing where it cannot be said: another mistake comes first.
  | (if ($entry and $known) | not then null
     elif $ACTION == "plan" or $ACTION == "create-backend" or ($ACTION == "apply" and ($environment.protected | not)) then ""
     elif $ACTION == "destroy-backend" then "destroy-backend \($entry.backend.bucket)"
     elif $ACTION == "force-unlock" then if $LOCK_ID | uuid then "unlock \($LOCK_ID)" else null end
     elif $ACTION == "promote" then
       if $ACTIVE_COLOR == "keep" then "promote \($at)" elif $ACTIVE_COLOR | IN("blue", "green") then "promote \($at) \($ACTIVE_COLOR)" else null end
     else "\($ACTION) \($at)" end) as $phrase
  | [
      (if $environment then empty else "environment \(one_of($targets | keys))" end),
      (if $environment | not then
         if any($targets[]; .stacks[$STACK]) then empty else "stack \(one_of([$targets[].stacks | keys[]] | unique))" end
       elif $entry then empty else "stack, in `\($ENVIRONMENT)`, \(one_of($environment.stacks | keys))" end),
      (if $known then empty else "action \(one_of($actions))" end),
      (if $environment and $GITHUB_REF != "refs/heads/\($environment.branch)"
        then "`\($ENVIRONMENT)` is only worked on from its branch: start the workflow from `\($environment.branch)`" else empty end),
      (if $environment and $known and ($environment.writes | not) and $ACTION != "plan"
        then "`\($ENVIRONMENT)` is only read, its safety level says so: the action must be `plan`" else empty end),
      (if $known and $GITHUB_RUN_ATTEMPT != "1" and ($ACTION | IN("plan", "apply", "create-backend") | not)
        then "start a new run: what was typed was meant for the first attempt of this one" else empty end),
      (if $ACTIVE_COLOR | IN("keep", "blue", "green") | not then "active_color must be `keep`, `blue` or `green`"
       elif $known and $ACTION != "promote" and $ACTIVE_COLOR != "keep" then "active_color must be `keep`: only promote switches" else empty end),
      (if $entry and $ACTION == "promote" and ($environment.colors | index([$STACK]) == null)
        then "`\($at)` has no two colours: there is nothing to promote" else empty end),
      (if $ACTION == "force-unlock" then
         if $LOCK_ID | uuid then empty else "lock_id must be the lock'\''s id, a UUID in lower case" end
       elif $known and $LOCK_ID != "" then "lock_id must be empty: only force-unlock takes one" else empty end),
      (if $REASON == "" or ($REASON | length <= 200 and test("\\A[\\p{L}\\p{Nd}][\\p{L}\\p{Nd} .,:_#/()+-]*\\z") and (contains("::") | not))
        then empty else "reason must be one line of at most 200 letters, digits, spaces and . , : _ # / ( ) + -, begin with a letter or a digit and have no two colons in a row" end),
      (if $phrase == null then
         if $known and $CONFIRM == "" and ($ACTION | IN("plan", "create-backend", "apply")) then empty
         elif $known and ($ACTION | IN("plan", "create-backend")) then "confirm must be empty: \($ACTION) takes no phrase"
         elif $ACTION == "force-unlock" then "confirm must be `unlock` and the lock'\''s id"
         else "confirm cannot be compared before the rest is right" end
       elif $CONFIRM == $phrase then empty
       elif $phrase == "" then "confirm must be empty: \($ACTION) takes no phrase in `\($ENVIRONMENT)`, was another action meant?"
       else "confirm must be exactly `\($phrase)`" end)
    ] as $mistakes
  | if $mistakes != [] then {$mistakes} else
      (if $environment.protected then " after somebody has agreed" else "" end) as $gate
      | {target: $entry, plan: [
          {
            plan: "It is planned. Nothing changes.",
            apply: "It is planned, and this very plan is applied\($gate).",
            destroy: "**Everything in it is destroyed**\($gate), by a plan that is made first.",
            promote: "Traffic moves to \(if $ACTIVE_COLOR == "keep" then "the other colour" else "`\($ACTIVE_COLOR)`" end)\($gate), by a plan that is made first.",
            "create-backend": "The bucket `\($entry.backend.bucket)` is made or brought into shape.",
            "destroy-backend": "**The bucket `\($entry.backend.bucket)` is removed with every state in it**\($gate).",
            "force-unlock": "The lock `\($LOCK_ID)` is released\($gate)."
          }[$ACTION],
          "Directory: `\($entry.directory)`",
          (if $REASON == "" then empty else "Reason: `\($REASON)`" end)
        ]} end' 2>/dev/null) || {
  annotate error 'TARGETS must be what the generator wrote: environments with their branch and stacks'
  exit 2
}

mapfile -t lines < <(jq -r '(.mistakes // .plan)[]' <<<"$verdict")
if [[ $verdict == '{"mistakes":'* ]]; then
  for mistake in "${lines[@]}"; do annotate error "$mistake"; done
  {
    printf '### ❌ Refused\n\n'
    printf -- '- %s\n' "${lines[@]}"
    printf '\n'
  } >>"$summary"
  exit 1
fi

printf '%s of %s in %s\n' "$ACTION" "$STACK" "$ENVIRONMENT"
{
  # shellcheck disable=SC2016 # Markdown, not a substitution
  printf '### `%s` of `%s` in `%s`\n\n' "$ACTION" "$STACK" "$ENVIRONMENT"
  printf -- '- %s\n' "${lines[@]}"
  printf '\n'
} >>"$summary"
printf 'target=%s\n' "$(jq -c '[.target]' <<<"$verdict")" >>"$output"
