#!/usr/bin/env bash
# Asks an address until it answers as expected several times in a row, or the attempts are used up.
#
# Environment
#   HEALTH_URL       the address: https
#   EXPECT_STATUS    the status that means healthy (default: 200)
#   EXPECT_JQ        a jq filter that must yield true for the body (default: any body will do)
#   ATTEMPTS         how often to ask at most (default: 10)
#   CONSECUTIVE      how many good answers in a row are enough (default: 2)
#   DELAY            seconds to wait before asking again; doubles while it fails (default: 3)
#   MAX_DELAY        the longest wait (default: 30)
#   REQUEST_TIMEOUT  seconds that one answer may take (default: 10)
#   ALLOW_HTTP       true | false: whether plain http will do (default: false)
#   RUNNER_TEMP      private working files (default: /tmp)
# Exit codes
#   0 healthy · 1 not healthy · 2 usage
#
# Redirects are not followed: where they lead is not what was asked about.
set -uo pipefail

HEALTH_URL=${HEALTH_URL:-}
EXPECT_STATUS=${EXPECT_STATUS:-200}
EXPECT_JQ=${EXPECT_JQ:-}
ATTEMPTS=${ATTEMPTS:-10}
CONSECUTIVE=${CONSECUTIVE:-2}
DELAY=${DELAY:-3}
MAX_DELAY=${MAX_DELAY:-30}
REQUEST_TIMEOUT=${REQUEST_TIMEOUT:-10}
ALLOW_HTTP=${ALLOW_HTTP:-false}
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

command -v curl >/dev/null || usage 'curl is not installed'
[[ $ALLOW_HTTP == true || $ALLOW_HTTP == false ]] || usage 'ALLOW_HTTP must be true or false'
# No user, no quotes, no braces: it stands in curl's configuration.
address='^(https?)://[A-Za-z0-9._-]+(:[0-9]{1,5})?([/?][A-Za-z0-9._~:/?@!$&()*+,;=%-]*)?$'
[[ $HEALTH_URL =~ $address ]] || usage 'HEALTH_URL must be an address: https://host/path'
[[ ${BASH_REMATCH[1]} == https || $ALLOW_HTTP == true ]] || usage 'HEALTH_URL must be https, unless ALLOW_HTTP is true'
[[ $EXPECT_STATUS =~ ^[1-5][0-9]{2}$ ]] || usage 'EXPECT_STATUS must be an HTTP status'
[[ $ATTEMPTS =~ ^[1-9][0-9]{0,3}$ ]] || usage 'ATTEMPTS must be a number from 1 to 9999'
[[ $CONSECUTIVE =~ ^[1-9][0-9]{0,3}$ && $CONSECUTIVE -le $ATTEMPTS ]] || usage 'CONSECUTIVE must be a number from 1 to ATTEMPTS'
[[ $DELAY =~ ^(0|[1-9][0-9]{0,3})$ ]] || usage 'DELAY must be a number of seconds from 0 to 9999'
[[ $MAX_DELAY =~ ^(0|[1-9][0-9]{0,3})$ && $MAX_DELAY -ge $DELAY ]] || usage 'MAX_DELAY must be a number of seconds from DELAY to 9999'
[[ $REQUEST_TIMEOUT =~ ^[1-9][0-9]{0,2}$ ]] || usage 'REQUEST_TIMEOUT must be a number of seconds from 1 to 999'

umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/health-check.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT
printf '%s' "$EXPECT_JQ" >"$work/expect.jq"
rc=0
[[ -z $EXPECT_JQ ]] || timeout 10 jq -n -f "$work/expect.jq" >/dev/null 2>&1 || rc=$?
# jq ends with 3 where a filter cannot be compiled.
((rc != 3)) || usage 'EXPECT_JQ must be a jq filter'

# Shows text that must not be taken for workflow commands: the first 200 bytes, without controls.
show() {
  local token
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$token"
  head -c 200 -- "$1" | iconv -c -f UTF-8 -t UTF-8 2>/dev/null | LC_ALL=C tr -d '\000-\010\013-\037\177'
  printf '\n::%s::\n' "$token"
}

# Asks once; says in `why` what is wrong.
ask() {
  local rc=0 status
  : >"$work/body"
  status=$(printf 'url = "%s"\n' "$HEALTH_URL" | curl --disable --config - --silent --show-error --globoff \
    --proto '=http,https' --max-time "$REQUEST_TIMEOUT" --max-filesize 1048576 \
    --output "$work/body" --write-out '%{http_code}' 2>"$work/errors") || rc=$?
  why=
  if ((rc)); then
    why="no answer (curl ends with $rc)"
    show "$work/errors"
  elif [[ $status != "$EXPECT_STATUS" ]]; then
    why="status $status instead of $EXPECT_STATUS"
    [[ $status != 3* ]] || why+=', and a redirect is not followed'
    show "$work/body"
  elif [[ -n $EXPECT_JQ ]] && [[ $(timeout "$REQUEST_TIMEOUT" jq -f "$work/expect.jq" "$work/body" 2>/dev/null) != true ]]; then
    why='the body is not the expected one'
    show "$work/body"
  fi
  [[ -z $why ]]
}

good=0
delay=$DELAY
for ((attempt = 1; attempt <= ATTEMPTS; attempt++)); do
  if ask; then
    good=$((good + 1))
    delay=$DELAY
    printf 'attempt %s: status %s, good answer %s of %s\n' "$attempt" "$EXPECT_STATUS" "$good" "$CONSECUTIVE"
    if ((good == CONSECUTIVE)); then
      # shellcheck disable=SC2016 # Markdown, not a substitution
      printf '### ✅ Healthy\n\n`%s`: %s good answers in a row, after %s attempts.\n\n' "$HEALTH_URL" "$good" "$attempt" >>"$summary"
      exit 0
    fi
    wait=$DELAY
  else
    good=0
    printf 'attempt %s: %s\n' "$attempt" "$why"
    wait=$delay
    delay=$((delay * 2 < MAX_DELAY ? delay * 2 : MAX_DELAY))
  fi
  ((attempt == ATTEMPTS)) || sleep "$wait"
done

why=${why:-too few good answers in a row: $good of $CONSECUTIVE}
annotate error "$HEALTH_URL is not healthy after $ATTEMPTS attempts: $why"
# shellcheck disable=SC2016 # Markdown, not a substitution
printf '### ❌ Not healthy\n\n`%s` after %s attempts: %s.\n\n' "$HEALTH_URL" "$ATTEMPTS" "$why" >>"$summary"
exit 1
