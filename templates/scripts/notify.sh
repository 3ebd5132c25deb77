#!/usr/bin/env bash
# Tells a Slack channel what became of a run, through an incoming webhook.
#
# Environment
#   WEBHOOK           the webhook's address, a secret: https; empty: nobody is told
#   STATUS            success | failure | waiting
#   TITLE             what it is about
#   WORKFLOW_RUN_URL  address of the run
#   FIELDS            JSON: name → text (default: {})
#   ALLOW_HTTP        true | false: whether the webhook may be plain http (default: false)
#   RUNNER_TEMP       private working files (default: /tmp)
# Exit codes
#   0 told; also, with a notice, where there is no webhook, and, with a warning, where Slack did not
#   take it: a message never fails a deployment · 2 usage
#
# The webhook's address lets anybody post: it is read from standard input by curl and never shown.
set -uo pipefail

WEBHOOK=${WEBHOOK:-}
STATUS=${STATUS:-}
TITLE=${TITLE:-}
WORKFLOW_RUN_URL=${WORKFLOW_RUN_URL:-}
FIELDS=${FIELDS:-}
[[ -n $FIELDS ]] || FIELDS='{}'
ALLOW_HTTP=${ALLOW_HTTP:-false}

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
[[ $STATUS =~ ^(success|failure|waiting)$ ]] || usage 'STATUS must be success, failure or waiting'
[[ -n $TITLE ]] || usage 'TITLE is not set'
[[ $WORKFLOW_RUN_URL =~ ^https://[A-Za-z0-9._:/-]+$ ]] || usage 'WORKFLOW_RUN_URL must be the address of the run'
[[ $ALLOW_HTTP == true || $ALLOW_HTTP == false ]] || usage 'ALLOW_HTTP must be true or false'

# Texts are plain_text, in which nothing is a mention; the fallback is escaped as Slack wants it.
payload=$(printf '%s' "$FIELDS" | jq -c -s --arg status "$STATUS" --arg title "$TITLE" --arg run "$WORKFLOW_RUN_URL" '
  def plain: .[:2000] | explode | map(if . == 9 or . == 10 or . == 13 then 32 else . end)
    | map(select(. >= 32 and (. < 127 or . > 159) and (. < 8203 or . > 8207)
        and (. < 8232 or . > 8238) and (. < 8288 or . > 8303) and . != 65279)) | .[:300] | implode;
  # A word joiner keeps what only looks like a mention from becoming one.
  def escaped: plain | gsub("&"; "&amp;") | gsub("<"; "&lt;") | gsub(">"; "&gt;") | gsub("@(?=channel|here|everyone)"; "@\u2060");
  def text: {type: "plain_text", text: escaped, emoji: false};
  if length == 1 and (.[0] | type == "object" and all(.[]; type == "string")) then .[0] else error("usage") end
  | [to_entries[:10][] | "\(.key): \(.value)" | text] as $fields
  | {success: "✅", failure: "❌", waiting: "⏳"}[$status] as $sign
  | {success: "succeeded", failure: "failed", waiting: "waits for approval"}[$status] as $what
  | "\($sign) \($title[:250]): \($what)" as $line
  | {
      text: ($line | escaped), parse: "none", link_names: false, unfurl_links: false,
      blocks: [
        {type: "section", text: ($line | text)},
        (if $fields == [] then empty else {type: "section", $fields} end),
        {type: "section", text: {type: "mrkdwn", text: "<\($run)|Open the run>", verbatim: true}}
      ]
    }' 2>/dev/null) || usage 'FIELDS must be a JSON object of texts'

# A pasted secret often ends in a line end.
WEBHOOK=${WEBHOOK%$'\n'}
WEBHOOK=${WEBHOOK%$'\r'}
if [[ -z $WEBHOOK ]]; then
  annotate notice 'there is no webhook (its secret is empty): nobody is told'
  exit 0
fi
[[ $WEBHOOK =~ ^(https?)://[A-Za-z0-9._:/-]+$ ]] || usage 'WEBHOOK must be the address of a Slack webhook; what the secret holds is not one'
[[ ${BASH_REMATCH[1]} == https || $ALLOW_HTTP == true ]] || usage 'WEBHOOK must be https'

umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/notify.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT
printf '%s' "$payload" >"$work/payload.json"

rc=0
status=$(printf 'url = "%s"\n' "$WEBHOOK" | curl --disable --config - --silent --fail --globoff \
  --proto '=http,https' --max-time 10 --retry 2 --retry-connrefused --retry-max-time 60 \
  --header 'Content-Type: application/json' --data-binary "@$work/payload.json" \
  --output /dev/null --write-out '%{http_code}' 2>/dev/null) || rc=$?
if ((rc)) || [[ $status != 2* ]]; then
  annotate warning "Slack did not take the message (status $status, curl ends with $rc)"
  exit 0
fi
printf 'told\n'
