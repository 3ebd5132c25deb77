#!/usr/bin/env bash
# Lets a run go on only while the maintenance window of its environment is open.
#
# Environment
#   WINDOW       JSON: {"days": ["monday", …], "from": "20:00", "to": "22:00", "timezone": "Europe/Berlin"}; written by
#                the generator
#   ENVIRONMENT  slug of the environment
#   NOW          seconds since 1970 (default: the clock)
# Exit codes
#   0 open · 1 closed: the message says when it opens next · 2 usage, or the runner does not know the time zone
set -uo pipefail

export WINDOW=${WINDOW:-}
ENVIRONMENT=${ENVIRONMENT:-}
NOW=${NOW:-$(date +%s)}
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

[[ $ENVIRONMENT =~ ^[a-z][a-z0-9-]*$ ]] || usage 'ENVIRONMENT must be a slug'
[[ $NOW =~ ^[0-9]{1,12}$ ]] || usage 'NOW must be seconds since 1970'
settings=$(jq -r -n '$ENV.WINDOW | fromjson
  | if type == "object" and (.days | type == "array" and length > 0 and all(.[]; IN("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")))
      and all(.from, .to; type == "string" and test("\\A([01][0-9]|2[0-3]):[0-5][0-9]\\z"))
      and (.timezone | type == "string" and test("\\A[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*\\z"))
    then "\(.from) \(.to) \(.timezone) \(.days | join(" "))" else error("usage") end' 2>/dev/null) ||
  usage 'WINDOW must be what the generator wrote: days, from, to and timezone'
read -r from to zone days <<<"$settings"
# A zone that is not there would be taken for UTC.
[[ $zone == UTC || -f /usr/share/zoneinfo/$zone ]] || usage "the runner does not know the time zone $zone"
export TZ=$zone LC_ALL=C

is_open_on() {
  local day
  day=$(date -d "@$1" +%A)
  [[ " $days " == *" ${day,,} "* ]]
}

time=$(date -d "@$NOW" +%H:%M)
if is_open_on "$NOW" && [[ ! $time < $from && $time < $to ]]; then
  printf 'the maintenance window of %s is open until %s (%s)\n' "$ENVIRONMENT" "$to" "$zone"
  printf '### The maintenance window of %s is open until %s (%s)\n\n' "$ENVIRONMENT" "$to" "$zone" >>"$summary"
  exit 0
fi

today=$(date -d "@$NOW" +%F)
for ahead in {0..7}; do
  # Noon is on the right day, whatever the clocks do at night.
  noon=$(date -d "$today 12:00 $ahead days" +%s)
  opens=$(date -d "$(date -d "@$noon" +%F) $from" +%s)
  if is_open_on "$noon" && ((opens > NOW)); then break; fi
done
annotate error "$ENVIRONMENT is not changed now: its maintenance window opens next on $(date -d "@$opens" '+%A, %F at %H:%M') ($zone)"
exit 1
