#!/usr/bin/env bash
# Writes down what a deployment has done: for each service the image, the revisions and what became of them, who
# agreed, and how long the jobs took. It always runs; what GitHub's API does not tell is left out.
#
# Environment
#   VERSION              the version that was to be deployed (default: not shown)
#   COMMIT               its commit
#   ENVIRONMENT          slug of the environment; its approval stands in the environment ENVIRONMENT-approval
#   SERVICES             JSON: array of {"service", "image", "digest", "previous", "revision", "state", "deploy": result
#                        of its job: success | failure | cancelled | skipped, "rolled_back": the number of the revision
#                        that it was put back to, "rollback": what became of that, "live": the number of the revision
#                        that is live after it}; what is not known is empty, null or missing
#   GITHUB_REPOSITORY, GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT
#   GH_TOKEN             token that may read this run (actions: read)
# Exit codes
#   0 written · 2 usage
#
# previous, revision and state are outputs of ecs-deploy.sh, rolled_back is `revision` of an ecs-rollback.sh that has
# completed, rollback and live are its `state` and `live`. GitHub's API says neither when a run was approved nor in which
# order: who approved an earlier attempt is named as well.
set -uo pipefail

VERSION=${VERSION:-}
COMMIT=${COMMIT:-}
ENVIRONMENT=${ENVIRONMENT:-}
SERVICES=${SERVICES:-}
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
[[ $ENVIRONMENT =~ ^[a-z][a-z0-9-]{0,99}$ ]] || usage 'ENVIRONMENT must be a slug'
[[ $GITHUB_REPOSITORY =~ ^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$ ]] || usage 'GITHUB_REPOSITORY must be owner/name'
[[ $GITHUB_RUN_ID =~ ^[1-9][0-9]{0,19}$ ]] || usage 'GITHUB_RUN_ID must be the number of a run'
[[ $GITHUB_RUN_ATTEMPT =~ ^[1-9][0-9]{0,5}$ ]] || usage 'GITHUB_RUN_ATTEMPT must be the number of an attempt'
services=$(printf '%s' "$SERVICES" | jq -c -s '
  if length == 1 and (.[0] | type == "array" and length > 0 and all(.[]; type == "object" and (.service | type == "string" and . != "")
    and all(.[]; type | IN("string", "number", "null", "boolean"))))
  then .[0] else error("usage") end' 2>/dev/null) || usage 'SERVICES must be a JSON array of objects, each with its service'

# ask WHAT PATH FILTER: GitHub's pages, filtered into $answer; [] where it does not tell.
ask() {
  if ! answer=$(gh api --paginate "repos/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID/$2" | jq -s -c "$3" 2>/dev/null); then
    annotate notice "the summary is not whole, GitHub's API does not tell the $1 of this run"
    answer='[]'
  fi
}

ask approvals approvals '[.[] | if type == "array" then .[] else error("no list") end | select(.state == "approved") | {by: .user.login, comment, in: [.environments[].name]}]'
approvals=$answer
ask jobs "attempts/$GITHUB_RUN_ATTEMPT/jobs" '[.[] | if .jobs | type == "array" then .jobs[] else error("no list") end
  | {name: (.name | strings), conclusion, seconds: (try ((.completed_at | fromdateiso8601) - (.started_at | fromdateiso8601)) catch null)}]'
jobs=$answer

jq -n -r --argjson services "$services" --argjson approvals "$approvals" --argjson jobs "$jobs" \
  --arg version "$VERSION" --arg commit "$COMMIT" --arg environment "$ENVIRONMENT" '
  def plain: .[:2000] | explode | map(if . == 9 or . == 10 or . == 13 then 32 else . end)
    | map(select(. >= 32 and (. < 127 or . > 159) and (. < 8203 or . > 8207)
        and (. < 8232 or . > 8238) and (. < 8288 or . > 8303) and . != 65279)) | (if length > 300 then .[:300] + [8230] else . end) | implode;
  def code: plain | ([match("`+"; "g").length] | max // 0) as $run | ("`" * ($run + 1)) as $fence
    | if test("^`|`$") then "\($fence) \(.) \($fence)" else "\($fence)\(.)\($fence)" end;
  # A backslash before a pipe would free it.
  def cell: if . == null or (tostring | plain | test("\\A\\s*\\z")) then "–"
    else tostring | code | gsub("\\\\(?=\\|)"; "\\ ") | gsub("\\|"; "\\|") end;
  def given: . != null and . != "" and . != false;
  def duration: floor | if . < 60 then "\(.) s" elif . < 3600 then "\(. / 60 | floor) min \(. % 60) s"
    else "\(. / 3600 | floor) h \(. % 3600 / 60 | floor) min" end;
  def each(value): [.[] | value | strings | select(. != "")] | reduce .[] as $one ([]; if index([$one]) then . else . + [$one] end) | join(", ");
  def became: if .deploy == "success" then if .state == "unchanged" then "✅ live before, nothing to do" else "✅ live" end
    elif .deploy == "skipped" then "⏭️ not begun"
    elif .deploy == "cancelled" then "❌ cancelled: look at the service"
    elif .deploy != "failure" then "❔ unknown"
    elif .rolled_back | given then "❌ failed, rolled back to \(.rolled_back | cell)"
    elif .rollback == "unchanged" then "❌ failed, nothing was rolled back: live is \(.live | cell)"
    elif .rollback | given then "❌ failed, and the rollback failed too: live is \(if .live | given then .live | cell else "unknown" end)"
    elif .state == "reversed" then "❌ failed, ECS has put it back"
    elif (.state | given) and .state != "completed" then "❌ failed: \(.state | cell)"
    elif .revision | given then "❌ failed: look at the service"
    else "❌ failed, nothing was changed" end;
  ($approvals | map(select(any(.in[]; ascii_downcase == "\($environment)-approval")))) as $approvals
  | "### \(if all($services[]; .deploy == "success") then "🚀" else "❌" end) Deployment to `\($environment)`", "",
    "| | |", "|---|---|",
    ([["Version", $version], ["Commit", $commit], ["Approved by", ($approvals | each(.by))], ["Comment", ($approvals | each(.comment))]]
      | .[] | "| \(.[0]) | \(.[1] | cell) |"), "",
    "| Service | | Image | Digest | Revision before | Revision |", "|---|---|---|---|---|---|",
    ($services[] | "| \(.service | cell) | \(became) | \(.image | cell) | \(.digest | cell) | \(.previous | cell) | \(.revision | cell) |"), "",
    (($jobs | map(select(.conclusion != "skipped" and .seconds != null))) as $ended | if $ended == [] then empty else
      "| Job | Result | Duration |", "|---|---|---|",
      ($ended[:100][] | "| \(.name | cell) | \(.conclusion | cell) | \([.seconds, 0] | max | duration) |"), "" end)' >>"$summary"
printf 'wrote the summary of %s service(s)\n' "$(jq length <<<"$services")"
