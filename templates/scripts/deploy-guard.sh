#!/usr/bin/env bash
# Compares what somebody typed with what is allowed, before anything is built, pushed or deployed.
#
# Environment
#   TARGETS      JSON: environment → {"branch"}; written by the generator
#   GITHUB_REF   the ref that the workflow was started from
#   GITHUB_SHA   the commit that is deployed
#   ENVIRONMENT  one of TARGETS
#   VERSION      the second tag of the image: 1 to 128 of A-Z a-z 0-9 _ . -, the first no dot or hyphen; not latest,
#                nothing that begins with sha- (default: the first 12 digits of GITHUB_SHA)
#   CONFIRM      PHRASE
#   PHRASE       what has to be typed: DEPLOY; written by the generator
#   REASON       why: letters, digits, spaces and . , : _ # / ( ) + - (default: none)
#   GITHUB_RUN_ATTEMPT  the attempt of the run: a later one is refused, for what was typed was meant for the first
# Outputs
#   version      the version, its default filled in
# Exit codes
#   0 allowed · 1 refused, every mistake is named · 2 usage: TARGETS, PHRASE or GITHUB_SHA is unreadable
#
# Every comparison is exact, where GitHub's == ignores case. What was typed is never shown before it is known to be
# harmless: a message says what was expected.
set -uo pipefail

export TARGETS=${TARGETS:-} GITHUB_REF=${GITHUB_REF:-} GITHUB_SHA=${GITHUB_SHA:-}
export ENVIRONMENT=${ENVIRONMENT:-} VERSION=${VERSION:-} GITHUB_RUN_ATTEMPT=${GITHUB_RUN_ATTEMPT:-} CONFIRM=${CONFIRM:-} PHRASE=${PHRASE:-} REASON=${REASON:-}
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

[[ $GITHUB_SHA =~ ^([0-9a-f]{40}|[0-9a-f]{64})$ ]] || usage 'GITHUB_SHA must be a whole commit id'
[[ $PHRASE =~ ^[A-Za-z0-9]([A-Za-z0-9\ _-]{0,98}[A-Za-z0-9])?$ ]] || usage 'PHRASE must be what the generator wrote: words'

# {"mistakes": [text]} or {"version": text, "plan": [text]}
verdict=$(printf '%s' "$TARGETS" | jq -c -s '
  if length == 1 and (.[0] | type == "object" and length > 0 and all(.[];
    type == "object" and (.branch | type == "string" and . != "")))
  then .[0] else error("unreadable") end
  | . as $targets
  | $ENV as {$ENVIRONMENT, $VERSION, $CONFIRM, $PHRASE, $REASON, $GITHUB_REF, $GITHUB_SHA, $GITHUB_RUN_ATTEMPT}
  | $targets[$ENVIRONMENT] as $environment
  | (if $VERSION == "" then $GITHUB_SHA[:12] else $VERSION end) as $version
  | [
      (if $GITHUB_RUN_ATTEMPT != "1"
        then "this is a later attempt: start a new run, what was typed was meant for attempt 1" else empty end),
      (if $environment then empty else "environment must be one of \($targets | keys | map("`\(.)`") | join(", "))" end),
      (if $environment and $GITHUB_REF != "refs/heads/\($environment.branch)"
        then "`\($ENVIRONMENT)` is only worked on from its branch: start the workflow from `\($environment.branch)`" else empty end),
      (if $version | test("\\A[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\\z") | not
        then "version must be a tag: at most 128 letters, digits, underscores, dots and hyphens, the first no dot or hyphen"
       elif $version == "latest" then "version must not be `latest`: a tag says one thing for ever"
       elif $version | startswith("sha-") then "version must not begin with `sha-`: these tags are named after commits" else empty end),
      (if $REASON == "" or ($REASON | length <= 200 and test("\\A[\\p{L}\\p{Nd}][\\p{L}\\p{Nd} .,:_#/()+-]*\\z") and (contains("::") | not))
        then empty else "reason must be one line of at most 200 letters, digits, spaces and . , : _ # / ( ) + -, begin with a letter or a digit and have no two colons in a row" end),
      (if $CONFIRM == $PHRASE then empty else "confirm must be exactly `\($PHRASE)`" end)
    ] as $mistakes
  | if $mistakes != [] then {$mistakes} else
      {$version, plan: [
        "Commit: `\($GITHUB_SHA)`",
        (if $REASON == "" then empty else "Reason: `\($REASON)`" end)
      ]} end' 2>/dev/null) || usage 'TARGETS must be what the generator wrote: environments with their branch'

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

version=$(jq -r .version <<<"$verdict")
printf 'version %s to %s\n' "$version" "$ENVIRONMENT"
{
  # shellcheck disable=SC2016 # Markdown, not a substitution
  printf '### Version `%s` to `%s`\n\n' "$version" "$ENVIRONMENT"
  printf -- '- %s\n' "${lines[@]}"
  printf '\n'
} >>"$summary"
printf 'version=%s\n' "$version" >>"$output"
