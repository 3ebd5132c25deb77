#!/usr/bin/env bash
# Writes down what became of every stage of a pipeline, why a stage was skipped, who agreed, and how long the jobs took.
# It always runs; what GitHub's API does not tell is left out.
#
# Environment
#   EVENT_NAME           what started the run
#   COMMIT               its commit
#   ENVIRONMENTS         JSON: array of the environments that it worked on; empty where nobody got to say
#   STAGES               JSON: array of {"stage", "environment": where it is one of an environment, "only": when it runs,
#                        in words, where it is limited, "runs": whether that holds, "jobs": {id: result}}; a result is
#                        success | failure | cancelled | skipped
#   IMAGES               JSON: array of {"environment", "image", "digest"}, what was pushed (default: [])
#   GITHUB_REPOSITORY, GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT
#   GH_TOKEN             token that may read this run (actions: read)
# Exit codes
#   0 written · 2 usage
set -uo pipefail

export EVENT_NAME=${EVENT_NAME:-} ENVIRONMENTS=${ENVIRONMENTS:-} STAGES=${STAGES:-} IMAGES=${IMAGES:-}
[[ -n $ENVIRONMENTS ]] || ENVIRONMENTS='[]'
[[ -n $IMAGES ]] || IMAGES='[]'
COMMIT=${COMMIT:-}
GITHUB_REPOSITORY=${GITHUB_REPOSITORY:-}
GITHUB_RUN_ID=${GITHUB_RUN_ID:-}
GITHUB_RUN_ATTEMPT=${GITHUB_RUN_ATTEMPT:-}
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

[[ $COMMIT =~ ^([0-9a-f]{40}|[0-9a-f]{64})$ ]] || usage 'COMMIT must be a whole commit id'
[[ $GITHUB_REPOSITORY =~ ^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$ ]] || usage 'GITHUB_REPOSITORY must be owner/name'
[[ $GITHUB_RUN_ID =~ ^[1-9][0-9]{0,19}$ ]] || usage 'GITHUB_RUN_ID must be the number of a run'
[[ $GITHUB_RUN_ATTEMPT =~ ^[1-9][0-9]{0,5}$ ]] || usage 'GITHUB_RUN_ATTEMPT must be the number of an attempt'

# Each stage with what became of it.
stages=$(jq -c -n '
  def text: type == "string" and . != "";
  ($ENV.STAGES | fromjson) as $stages | ($ENV.ENVIRONMENTS | fromjson) as $environments | ($ENV.IMAGES | fromjson) as $images
  | if ($stages | type == "array" and all(.[]; type == "object" and (.stage | text)
        and (.jobs | type == "object" and all(.[]; IN("success", "failure", "cancelled", "skipped")))))
      and ($environments | type == "array" and all(.[]; text))
      and ($images | type == "array" and all(.[]; type == "object" and (.image | text)))
    then . else error("usage") end
  | $stages | map(
    (.jobs | to_entries) as $jobs
    | ($jobs | map(select(.value == "failure") | .key)) as $failed
    | . + (if $failed != [] then {mark: "❌ failed", of: ($failed | join(", "))}
      elif any($jobs[]; .value == "cancelled") then {mark: "🚫 cancelled"}
      elif any($jobs[]; .value == "success") then {mark: "✅"}
      elif .runs == false then {mark: "⏭️ skipped on purpose", of: .only}
      elif .environment and ($ENV.EVENT_NAME | IN("pull_request", "merge_group")) then {mark: "⏭️ a pull request changes nothing"}
      elif .environment and (.environment as $name | $environments | index([$name]) == null) then {mark: "⏭️ not an environment of this run"}
      else {mark: "⏭️ not begun: something before it did not go well, or there was nothing to do"} end))' 2>/dev/null) ||
  usage 'STAGES, ENVIRONMENTS and IMAGES must be JSON as the header says'

# ask WHAT PATH FILTER: GitHub's pages, filtered into $answer; [] where it does not tell.
ask() {
  if ! answer=$(gh api --paginate "repos/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID/$2" | jq -s -c "$3" 2>/dev/null); then
    annotate notice "the summary is not whole, GitHub's API does not tell the $1 of this run"
    answer='[]'
  fi
}

ask approvals approvals '[.[] | if type == "array" then .[] else error("no list") end | select(.state == "approved") | {by: .user.login, in: [.environments[].name]}]'
approvals=$answer
ask jobs "attempts/$GITHUB_RUN_ATTEMPT/jobs" '[.[] | if .jobs | type == "array" then .jobs[] else error("no list") end
  | {name: (.name | strings), conclusion, seconds: (try ((.completed_at | fromdateiso8601) - (.started_at | fromdateiso8601)) catch null)}]'
jobs=$answer

jq -n -r --argjson stages "$stages" --argjson approvals "$approvals" --argjson jobs "$jobs" --arg commit "$COMMIT" '
  def plain: .[:2000] | explode | map(if . == 9 or . == 10 or . == 13 then 32 else . end)
    | map(select(. >= 32 and (. < 127 or . > 159) and (. < 8203 or . > 8207)
        and (. < 8232 or . > 8238) and (. < 8288 or . > 8303) and . != 65279)) | (if length > 300 then .[:300] + [8230] else . end) | implode;
  def code: plain | ([match("`+"; "g").length] | max // 0) as $run | ("`" * ($run + 1)) as $fence
    | if test("^`|`$") then "\($fence) \(.) \($fence)" else "\($fence)\(.)\($fence)" end;
  # A backslash before a pipe would free it.
  def cell: if . == null or (tostring | plain | test("\\A\\s*\\z")) then "–"
    else tostring | code | gsub("\\\\(?=\\|)"; "\\ ") | gsub("\\|"; "\\|") end;
  def duration: floor | if . < 60 then "\(.) s" elif . < 3600 then "\(. / 60 | floor) min \(. % 60) s"
    else "\(. / 3600 | floor) h \(. % 3600 / 60 | floor) min" end;
  (if any($stages[]; .mark | test("\\A(❌|🚫)")) then "❌" else "✅" end) as $mark
  | "### \($mark) Commit `\($commit[:12])`", "",
    "| Stage | Environment | | |", "|---|---|---|---|",
    ($stages[] | "| \(.stage | cell) | \(.environment | cell) | \(.mark) | \(.of | cell) |"), "",
    (if $approvals == [] then empty else
      "| Approved by | For |", "|---|---|", ($approvals[] | "| \(.by | cell) | \(.in | join(", ") | cell) |"), "" end),
    ($ENV.IMAGES | fromjson | map(select(.digest != null and .digest != "")) | if . == [] then empty else
      "| Image | Environment | Digest |", "|---|---|---|", (.[] | "| \(.image | cell) | \(.environment | cell) | \(.digest | cell) |"), "" end),
    (($jobs | map(select(.conclusion != "skipped" and .seconds != null))) as $ended | if $ended == [] then empty else
      "| Job | Result | Duration |", "|---|---|---|",
      ($ended[:100][] | "| \(.name | cell) | \(.conclusion | cell) | \([.seconds, 0] | max | duration) |"), "" end)' >>"$summary"
printf 'wrote the summary of %s stage(s)\n' "$(jq length <<<"$stages")"
