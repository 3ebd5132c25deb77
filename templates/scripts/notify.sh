#!/usr/bin/env bash
# Tells a channel what became of a run, through an incoming webhook.
#
# Environment
#   WEBHOOK           the webhook's address, a secret: https; empty: nobody is told
#   FORMAT            slack: blocks | teams: a card | json: {"status", "title", "run", "fields"} (default: slack)
#   STATUS            success | failure | waiting | slow
#   TITLE             what it is about
#   WORKFLOW_RUN_URL  address of the run
#   FIELDS            JSON: name → text (default: {})
#   RESULTS           JSON: job → its result; those that failed are named in a field of their own (default: {})
#   SLOW_AFTER_MINUTES  for slow: somebody is told only where the jobs of the run took longer together, side by side
#                     counted once; what waits for people has no job that runs
#   GH_TOKEN, GITHUB_REPOSITORY, GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT  for slow: a token that may read this run
#   ALLOW_HTTP        true | false: whether the webhook may be plain http (default: false)
#   RUNNER_TEMP       private working files (default: /tmp)
# Exit codes
#   0 told; also, with a notice, where there is no webhook, and, with a warning, where the message was
#   not taken: a message never fails a deployment · 2 usage
#
# The webhook's address lets anybody post: it is read from standard input by curl and never shown.
set -uo pipefail

WEBHOOK=${WEBHOOK:-}
FORMAT=${FORMAT:-slack}
STATUS=${STATUS:-}
TITLE=${TITLE:-}
WORKFLOW_RUN_URL=${WORKFLOW_RUN_URL:-}
FIELDS=${FIELDS:-}
[[ -n $FIELDS ]] || FIELDS='{}'
RESULTS=${RESULTS:-}
[[ -n $RESULTS ]] || RESULTS='{}'
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
[[ $FORMAT =~ ^(slack|teams|json)$ ]] || usage 'FORMAT must be slack, teams or json'
[[ $STATUS =~ ^(success|failure|waiting|slow)$ ]] || usage 'STATUS must be success, failure, waiting or slow'
[[ -n $TITLE ]] || usage 'TITLE is not set'
[[ $WORKFLOW_RUN_URL =~ ^https://[A-Za-z0-9._:/-]+$ ]] || usage 'WORKFLOW_RUN_URL must be the address of the run'
[[ $ALLOW_HTTP == true || $ALLOW_HTTP == false ]] || usage 'ALLOW_HTTP must be true or false'

took=
if [[ $STATUS == slow ]]; then
  [[ ${SLOW_AFTER_MINUTES:-} =~ ^[1-9][0-9]{0,3}$ ]] || usage 'SLOW_AFTER_MINUTES must be a number of minutes'
  # What runs side by side counts once: the seconds in which any job ran.
  seconds=$(gh api --paginate "repos/${GITHUB_REPOSITORY:-}/actions/runs/${GITHUB_RUN_ID:-}/attempts/${GITHUB_RUN_ATTEMPT:-}/jobs" |
    jq -s '[.[].jobs[] | select(.conclusion != "skipped" and .started_at != null and .completed_at != null)
        | [(.started_at | fromdateiso8601), (.completed_at | fromdateiso8601)] | select(.[0] < .[1])] | sort
      | reduce .[] as [$from, $to] ({until: 0, seconds: 0};
          .seconds += ([$to - ([$from, .until] | max), 0] | max) | .until = ([.until, $to] | max)) | .seconds' 2>/dev/null) || seconds=
  if [[ ! $seconds =~ ^[0-9]+$ ]]; then
    annotate warning "GitHub's API does not tell how long the jobs of this run took: nobody is told whether it was slow"
    exit 0
  fi
  took="$((seconds / 60)) minutes, more than $SLOW_AFTER_MINUTES"
  if ((seconds <= SLOW_AFTER_MINUTES * 60)); then
    printf 'the jobs took %s minutes, not more than %s: nobody is told\n' "$((seconds / 60))" "$SLOW_AFTER_MINUTES"
    exit 0
  fi
fi

# In Slack, texts are plain_text, in which nothing is a mention, and the fallback is escaped as Slack wants it. In Teams
# every text is Markdown: what could be a link is taken out of it.
payload=$(jq -c -n --argjson fields "$(printf '%s' "$FIELDS" | jq -c -s 'if length == 1 then .[0] else null end' 2>/dev/null || echo null)" \
  --argjson results "$(printf '%s' "$RESULTS" | jq -c -s 'if length == 1 then .[0] else null end' 2>/dev/null || echo null)" \
  --arg format "$FORMAT" --arg status "$STATUS" --arg title "$TITLE" --arg run "$WORKFLOW_RUN_URL" --arg took "$took" '
  def plain: .[:2000] | explode | map(if . == 9 or . == 10 or . == 13 then 32 else . end)
    | map(select(. >= 32 and (. < 127 or . > 159) and (. < 8203 or . > 8207)
        and (. < 8232 or . > 8238) and (. < 8288 or . > 8303) and . != 65279)) | .[:300] | implode;
  # A word joiner keeps what only looks like a mention from becoming one.
  def escaped: plain | gsub("&"; "&amp;") | gsub("<"; "&lt;") | gsub(">"; "&gt;") | gsub("@(?=channel|here|everyone)"; "@\u2060");
  def text: {type: "plain_text", text: escaped, emoji: false};
  def unlinked: plain | gsub("[\\[\\]<>`*\\\\]"; " ");
  if all($fields, $results; type == "object" and all(.[]; type == "string")) then . else error("usage") end
  | ([$results | to_entries[] | select(.value == "failure") | .key] | join(", ")) as $failed
  | ($fields + (if $failed != "" and $status == "failure" then {"failed": $failed} else {} end)
      + (if $took != "" then {"took": $took} else {} end) | to_entries[:10] | from_entries) as $fields
  | {success: "✅", failure: "❌", waiting: "⏳", slow: "🐢"}[$status] as $sign
  | {success: "succeeded", failure: "failed", waiting: "waits for approval", slow: "was slow"}[$status] as $what
  | "\($sign) \($title[:250]): \($what)" as $line
  | if $format == "json" then {$status, title: ($title | plain), $run, fields: ($fields | map_values(plain))}
    elif $format == "teams" then {type: "message", attachments: [{
      contentType: "application/vnd.microsoft.card.adaptive",
      content: {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", type: "AdaptiveCard", version: "1.4",
        body: [
          {type: "TextBlock", text: ($line | unlinked), wrap: true, weight: "Bolder"},
          (if $fields == {} then empty else {type: "FactSet", facts: [$fields | to_entries[] | {title: (.key | unlinked), value: (.value | unlinked)}]} end)
        ],
        actions: [{type: "Action.OpenUrl", title: "Open the run", url: $run}]
      }}]}
    else {
      text: ($line | escaped), parse: "none", link_names: false, unfurl_links: false,
      blocks: [
        {type: "section", text: ($line | text)},
        (if $fields == {} then empty else {type: "section", fields: [$fields | to_entries[] | "\(.key): \(.value)" | text]} end),
        {type: "section", text: {type: "mrkdwn", text: "<\($run)|Open the run>", verbatim: true}}
      ]
    } end' 2>/dev/null) || usage 'FIELDS and RESULTS must be JSON objects of texts'

# A pasted secret often ends in a line end.
WEBHOOK=${WEBHOOK%$'\n'}
WEBHOOK=${WEBHOOK%$'\r'}
if [[ -z $WEBHOOK ]]; then
  annotate notice 'there is no webhook (its secret is empty): nobody is told'
  exit 0
fi
[[ $WEBHOOK =~ ^(https?)://[A-Za-z0-9._:/?=%-]+(\&[A-Za-z0-9._:/?=%-]+)*$ ]] || usage 'WEBHOOK must be the address of a webhook; what the secret holds is not one'
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
  annotate warning "the channel did not take the message (status $status, curl ends with $rc)"
  exit 0
fi
printf 'told\n'
