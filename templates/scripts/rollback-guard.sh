#!/usr/bin/env bash
# Compares what somebody typed with what is allowed, before anything is rolled back.
#
# Environment
#   TARGETS      JSON: environment → {"branch", "targets": {"ecs/NAME", "eks/NAME" or "terraform/NAME": matrix
#                entry}}; written by the generator
#   GITHUB_REF   the ref that the workflow was started from
#   ENVIRONMENT  one of TARGETS
#   WHAT         one of its targets: ecs/api
#   TARGET       list | previous | of ecs and eks the number of a revision | of terraform a whole commit id, 40 digits
#   CONFIRM      PHRASE; empty where TARGET is list
#   PHRASE       what has to be typed: ROLLBACK; written by the generator
#   REASON       why: letters, digits, spaces and . , : _ # / ( ) + - (default: none)
#   GITHUB_RUN_ATTEMPT  the attempt of the run: a later one is refused unless TARGET is list, for what was typed was
#                meant for the first
# Outputs
#   kind         ecs | eks | terraform
#   mode         list: nothing changes | rollback
#   target       a JSON array of the one matrix entry
# Exit codes
#   0 allowed · 1 refused, every mistake is named · 2 usage: TARGETS or PHRASE is unreadable
#
# Every comparison is exact, where GitHub's == ignores case. What was typed is never shown before it is known to be
# harmless: a message says what was expected.
set -uo pipefail

export TARGETS=${TARGETS:-} GITHUB_REF=${GITHUB_REF:-} ENVIRONMENT=${ENVIRONMENT:-} WHAT=${WHAT:-}
export TARGET=${TARGET:-} GITHUB_RUN_ATTEMPT=${GITHUB_RUN_ATTEMPT:-} CONFIRM=${CONFIRM:-} PHRASE=${PHRASE:-} REASON=${REASON:-}
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

[[ $PHRASE =~ ^[A-Za-z0-9]([A-Za-z0-9\ _-]{0,98}[A-Za-z0-9])?$ ]] || usage 'PHRASE must be what the generator wrote: words'

# {"mistakes": [text]} or {"kind", "mode", "target": entry, "plan": [text]}
verdict=$(printf '%s' "$TARGETS" | jq -c -s '
  if length == 1 and (.[0] | type == "object" and length > 0 and all(.[];
    type == "object" and (.branch | type == "string" and . != "")
    and (.targets | type == "object" and length > 0 and all(to_entries[];
      (.key | test("\\A(ecs|eks|terraform)/[a-z0-9-]+\\z")) and (.value | type == "object" and length > 0)))))
  then .[0] else error("unreadable") end
  | . as $targets
  | $ENV as {$ENVIRONMENT, $WHAT, $TARGET, $CONFIRM, $PHRASE, $REASON, $GITHUB_REF, $GITHUB_RUN_ATTEMPT}
  | def one_of($all): "must be one of \($all | map("`\(.)`") | join(", "))";
    $targets[$ENVIRONMENT] as $environment
  | (if $environment then $environment.targets[$WHAT] else null end) as $entry
  | (if any($targets[]; .targets[$WHAT]) then $WHAT | split("/")[0] else null end) as $kind
  | {ecs: "the number of a revision", eks: "the number of a revision", terraform: "a whole commit id of 40 digits in lower case"} as $exact
  | ($TARGET | IN("list", "previous") or (
      ($kind != "terraform" and test("\\A[1-9][0-9]{0,8}\\z")) or (($kind | IN("ecs", "eks") | not) and test("\\A[0-9a-f]{40}\\z")))) as $known
  | [
      (if $TARGET != "list" and $GITHUB_RUN_ATTEMPT != "1"
        then "this is a later attempt: start a new run, what was typed was meant for attempt 1" else empty end),
      (if $environment then empty else "environment \(one_of($targets | keys))" end),
      (if $environment | not then
         if $kind then empty else "what \(one_of([$targets[].targets | keys[]] | unique))" end
       elif $entry then empty else "what, in `\($ENVIRONMENT)`, \(one_of($environment.targets | keys))" end),
      (if $environment and $GITHUB_REF != "refs/heads/\($environment.branch)"
        then "`\($ENVIRONMENT)` is only worked on from its branch: start the workflow from `\($environment.branch)`" else empty end),
      (if $known then empty else "target must be `list`, `previous` or \(if $kind then $exact[$kind] else "\($exact.ecs) or \($exact.terraform)" end)" end),
      (if $REASON == "" or ($REASON | length <= 200 and test("\\A[\\p{L}\\p{Nd}][\\p{L}\\p{Nd} .,:_#/()+-]*\\z") and (contains("::") | not))
        then empty else "reason must be one line of at most 200 letters, digits, spaces and . , : _ # / ( ) + -, begin with a letter or a digit and have no two colons in a row" end),
      (if $TARGET == "list" then
         if $CONFIRM == "" then empty else "confirm must be empty: `list` changes nothing, was another target meant?" end
       elif $CONFIRM == $PHRASE then empty else "confirm must be exactly `\($PHRASE)`" end)
    ] as $mistakes
  | if $mistakes != [] then {$mistakes} else
      {$kind, mode: (if $TARGET == "list" then "list" else "rollback" end), target: $entry, plan: [
        (if $TARGET == "list" then "What can be gone back to is listed. Nothing changes."
         elif $TARGET == "previous" then "Back to what was live before."
         elif $kind != "terraform" then "To revision `\($TARGET)`."
         else "To commit `\($TARGET)`." end),
        (if $REASON == "" then empty else "Reason: `\($REASON)`" end)
      ]} end' 2>/dev/null) || usage 'TARGETS must be what the generator wrote: environments with their branch and targets'

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

printf 'rollback of %s in %s\n' "$WHAT" "$ENVIRONMENT"
{
  # shellcheck disable=SC2016 # Markdown, not a substitution
  printf '### Rollback of `%s` in `%s`\n\n' "$WHAT" "$ENVIRONMENT"
  printf -- '- %s\n' "${lines[@]}"
  printf '\n'
} >>"$summary"
jq -r '"kind=\(.kind)", "mode=\(.mode)", "target=\([.target] | tojson)"' <<<"$verdict" >>"$output"
