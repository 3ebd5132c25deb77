#!/usr/bin/env bash
# Measures the deliveries of the last weeks: how long they take, how often they succeed, how fast one recovers.
#
# Environment
#   DELIVERIES         JSON: array of workflow files whose runs deliver; those of pull requests are left out
#   ROLLBACKS          JSON: array of workflow files whose runs take something back
#   TARGETS            JSON: {"pipeline-minutes", "success-rate", "rollback-minutes", "lead-time-minutes",
#                      "change-failure-rate", "recovery-minutes"}, each a number or null
#   DAYS               how far back (default: 28)
#   NOW                seconds since 1970 (default: the clock)
#   METRICS_FILE       where the figures go, as JSON (default: none)
#   GITHUB_REPOSITORY  owner/name
#   GH_TOKEN           a token that may read runs (actions: read)
#   RUNNER_TEMP        private working files (default: /tmp)
# Exit codes
#   0 measured; what misses its target is a warning · 1 GitHub's API does not answer · 2 usage
#
# A duration is the time in which jobs ran, side by side counted once: waiting for a person is none. It is measured of
# the newest 50 runs at most. A lead time is from the commit to the end of the run that delivered it. A change has failed
# if a rollback follows it before the next delivery does. What was cancelled counts neither way.
set -uo pipefail

export DELIVERIES=${DELIVERIES:-} ROLLBACKS=${ROLLBACKS:-} TARGETS=${TARGETS:-}
DAYS=${DAYS:-28}
NOW=${NOW:-$(date +%s)}
METRICS_FILE=${METRICS_FILE:-}
GITHUB_REPOSITORY=${GITHUB_REPOSITORY:-}
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

[[ $DAYS =~ ^[1-9][0-9]{0,2}$ ]] || usage 'DAYS must be a number of days'
[[ $NOW =~ ^[0-9]{1,12}$ ]] || usage 'NOW must be seconds since 1970'
[[ $GITHUB_REPOSITORY =~ ^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$ ]] || usage 'GITHUB_REPOSITORY must be owner/name'
[[ -n ${GH_TOKEN:-} ]] || usage 'GH_TOKEN is not set'
jq -e -n '($ENV.DELIVERIES | fromjson) as $deliveries | ($ENV.ROLLBACKS | fromjson) as $rollbacks | ($ENV.TARGETS | fromjson) as $targets
  | all($deliveries, $rollbacks; type == "array" and all(.[]; type == "string" and test("\\A[a-z][a-z0-9-]*\\.yml\\z")))
    and ($deliveries | length > 0) and ($targets | type == "object" and all(.[]; type | IN("number", "null")))' >/dev/null 2>&1 ||
  usage 'DELIVERIES, ROLLBACKS and TARGETS must be what the generator wrote'

umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/metrics.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

silent() {
  annotate error "GitHub's API does not tell of the runs of $1: nothing is measured"
  exit 1
}

since=$(date -u -d "@$((NOW - DAYS * 86400))" +%Y-%m-%d)

# runs_of FILES OUT: every run of these files that has ended, and what it is to us.
runs_of() {
  local file
  : >"$work/pages"
  while read -r file; do
    gh api --paginate "repos/$GITHUB_REPOSITORY/actions/workflows/$file/runs?per_page=100&status=completed&created=%3E%3D$since" \
      >>"$work/pages" 2>/dev/null || silent "$file"
  done < <(jq -r '.[]' <<<"$1")
  jq -s -c '[.[] | if .workflow_runs | type == "array" then .workflow_runs[] else error("no list") end
    | select(.event | IN("pull_request", "merge_group") | not)
    | select(.conclusion | IN("success", "failure", "timed_out"))
    | {id, ok: (.conclusion == "success"), ended: (.updated_at | fromdateiso8601), attempt: (.run_attempt // 1),
       committed: (try (.head_commit.timestamp | sub("\\+00:00$"; "Z") | fromdateiso8601) catch null), event}] | sort_by(.ended)' \
    <"$work/pages" >"$2" 2>/dev/null || silent "$1"
}

runs_of "$DELIVERIES" "$work/deliveries.json"
runs_of "$ROLLBACKS" "$work/rollbacks.json"

# durations_of RUNS OUT: the seconds in which jobs of the newest runs that succeeded ran.
durations_of() {
  local id attempt
  : >"$work/durations"
  while read -r id attempt; do
    gh api --paginate "repos/$GITHUB_REPOSITORY/actions/runs/$id/attempts/$attempt/jobs" 2>/dev/null |
      jq -s '[.[].jobs[] | select(.conclusion != "skipped" and .started_at != null and .completed_at != null)
          | [(.started_at | fromdateiso8601), (.completed_at | fromdateiso8601)] | select(.[0] < .[1])] | sort
        | reduce .[] as [$from, $to] ({until: 0, seconds: 0};
            .seconds += ([$to - ([$from, .until] | max), 0] | max) | .until = ([.until, $to] | max)) | .seconds' \
        >>"$work/durations" 2>/dev/null || silent "run $id"
  done < <(jq -r 'map(select(.ok)) | .[-50:][] | "\(.id) \(.attempt)"' "$1")
  jq -s -c . "$work/durations" >"$2"
}

durations_of "$work/deliveries.json" "$work/delivery-seconds.json"
durations_of "$work/rollbacks.json" "$work/rollback-seconds.json"

jq -n --slurpfile deliveries "$work/deliveries.json" --slurpfile rollbacks "$work/rollbacks.json" \
  --slurpfile took "$work/delivery-seconds.json" --slurpfile back "$work/rollback-seconds.json" --argjson days "$DAYS" '
  def median: sort | if length == 0 then null elif length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end;
  def minutes: if . == null then null else . / 6 | round / 10 end;
  def percent($of): if $of == 0 then null else . * 1000 / $of | round / 10 end;
  ($deliveries[0]) as $all | ($rollbacks[0] | map(select(.ok))) as $back_again | ($all | map(select(.ok))) as $good
  | ([$good | to_entries[] | .value as $one | ($good[.key + 1].ended // infinite) as $next
      | select(any($back_again[]; .ended > $one.ended and .ended < $next))] | length) as $failed_changes
  # From the first of the failures in a row to what was good again.
  | ([$all[] | . + {good: .ok}] + [$back_again[] | . + {good: true}] | sort_by(.ended)
      | reduce .[] as $one ({since: null, recoveries: []};
          if $one.good then (if .since then .recoveries += [$one.ended - .since] else . end) | .since = null
          else .since //= $one.ended end) | .recoveries) as $recoveries
  | {
      deliveries: ($all | length), "deliveries-a-week": (($good | length) * 70 / $days | round / 10),
      "pipeline-minutes": ($took[0] | median | minutes),
      "success-rate": ($good | length | percent($all | length)),
      "lead-time-minutes": ([$good[] | select(.event == "push" and .committed != null) | .ended - .committed] | median | minutes),
      "change-failure-rate": ($failed_changes | percent($good | length)),
      "recovery-minutes": ($recoveries | median | minutes),
      rollbacks: ($back_again | length), "rollback-minutes": ($back[0] | median | minutes)
    }' >"$work/metrics.json" || usage 'the figures cannot be computed'

rows=$(jq -c '. as $metrics | ($ENV.TARGETS | fromjson) as $targets
  | [
      ["pipeline-minutes", "Duration (median)", "min", "most"], ["success-rate", "Success rate", "%", "least"],
      ["lead-time-minutes", "Lead time (median)", "min", "most"], ["change-failure-rate", "Changes that were taken back", "%", "most"],
      ["recovery-minutes", "Time to recover (median)", "min", "most"], ["rollback-minutes", "Duration of a rollback (median)", "min", "most"]
    ][] | . as [$key, $name, $unit, $kind] | $metrics[$key] as $value | $targets[$key] as $target
  | {$name, value: (if $value == null then "–" else "\($value) \($unit)" end),
     target: (if $target == null then "–" else "at \($kind) \($target) \($unit)" end),
     missed: ($value != null and $target != null and (if $kind == "most" then $value > $target else $value < $target end)),
     met: ($value != null and $target != null)}' "$work/metrics.json")
{
  printf '### Deliveries of the last %s days\n\n' "$DAYS"
  jq -r '"\(.deliveries) deliveries, \(.["deliveries-a-week"]) good ones a week, \(.rollbacks) rollbacks", ""' "$work/metrics.json"
  printf '| | | Target | |\n|---|--:|--:|---|\n'
  jq -r '"| \(.name) | \(.value) | \(.target) | \(if .missed then "⚠️" elif .met then "✅" else "" end) |"' <<<"$rows"
  printf '\n'
} >>"$summary"
while read -r missed; do
  annotate warning "$missed"
done < <(jq -r 'select(.missed) | "\(.name): \(.value), the target is \(.target)"' <<<"$rows")
[[ -z $METRICS_FILE ]] || cp -- "$work/metrics.json" "$METRICS_FILE" || usage 'METRICS_FILE is not writable'
printf 'measured %s deliveries\n' "$(jq .deliveries "$work/metrics.json")"
