#!/usr/bin/env bash
# The one required check: did every job that this one needs succeed?
#
# Environment
#   NEEDS     GitHub's needs context as JSON
#   MAY_SKIP  ids of the jobs whose own condition may skip them, separated by spaces (default: none)
# Exit codes
#   0 all succeeded, or were skipped on purpose · 1 a job stops it, each is named · 2 usage, or
#   NEEDS is unreadable or empty
set -uo pipefail

NEEDS=${NEEDS:-}
MAY_SKIP=${MAY_SKIP:-}
summary=${GITHUB_STEP_SUMMARY:-/dev/null}

# One workflow command per message, whatever the message holds.
annotate() {
  local text=${2//'%'/%25}
  text=${text//$'\r'/%0D}
  printf '::%s::%s\n' "$1" "${text//$'\n'/%0A}" >&2
}

# Through standard input: the outputs of the needed jobs may not fit into one argument.
results=$(printf '%s' "$NEEDS" | jq -r -s --arg may "$MAY_SKIP" '
  ([$may | splits("\\s+")]) as $may
  | if length == 1 and (.[0] | type == "object" and length > 0)
      and all(.[0] | to_entries[]; (.key | test("\\A[A-Za-z_][A-Za-z0-9_-]*\\z"))
        and (.value | type == "object") and (.value.result | type == "string" and test("\\A[a-z_]+\\z")))
    then .[0] else error("unreadable") end
  | to_entries[]
  | (if .value.result == "success" then "pass"
     elif .value.result == "skipped" and (.key as $job | $may | index([$job])) then "pass"
     else "stop" end) + " \(.key) \(.value.result)"' 2>/dev/null) || results=
if [[ -z $results ]]; then
  annotate error 'NEEDS must be the needs context as JSON, with at least one job'
  exit 2
fi

stopped=0
rows=
while read -r verdict job result; do
  note=$result
  if [[ $verdict == stop ]]; then
    stopped=$((stopped + 1))
    note="**$result**"
    if [[ $result == skipped ]]; then
      annotate error "job $job was skipped, and nothing allows that"
    else
      annotate error "job $job: $result"
    fi
  elif [[ $result == skipped ]]; then
    note='skipped, as its condition allows'
  fi
  rows+="| \`$job\` | $note |"$'\n'
done <<<"$results"

{
  if ((stopped)); then
    printf '### ❌ Gate closed: %s of the needed jobs did not succeed\n\n' "$stopped"
  else
    printf '### ✅ Gate open\n\n'
  fi
  printf '| Job | Result |\n|---|---|\n%s\n' "$rows"
} >>"$summary"

((stopped == 0)) || exit 1
printf 'every needed job succeeded or was skipped on purpose\n'
