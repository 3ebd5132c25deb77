#!/usr/bin/env bash
# Follows one deployment of an ECS service until it has ended. It only reads.
#
# Environment
#   ECS_CLUSTER    the cluster
#   ECS_SERVICE    the service in it
#   DEPLOYMENT_ID  the deployment, as UpdateService named it: ecs-svc/...
#   REVISION       the ARN of the task definition that it deploys
#   AWS_REGION     the region
#   WAIT_TIMEOUT   seconds (default: 1200); 0 looks once
#   WAIT_INTERVAL  seconds between two looks (default: 15)
#   RUNNER_TEMP    private working files (default: /tmp)
# Outputs
#   state          completed | failed | reversed: the service went back to another revision | superseded: by another
#                  deployment of this revision | timeout | unknown
#   live           the number of the revision that the service's primary deployment has; not where unknown
# Exit codes
#   0 completed, and the primary deployment · 1 AWS did not answer three times in a row, or not as expected ·
#   2 usage · 4 failed, reversed or superseded · 5 not ended when the time is up
#
# A service that ECS has put back is as stable as one that was deployed (`aws ecs wait services-stable`): only the
# deployment's own id tells. A reversal is followed to its end, as long as there is time.
set -uo pipefail

ECS_CLUSTER=${ECS_CLUSTER:-}
ECS_SERVICE=${ECS_SERVICE:-}
DEPLOYMENT_ID=${DEPLOYMENT_ID:-}
REVISION=${REVISION:-}
AWS_REGION=${AWS_REGION:-}
WAIT_TIMEOUT=${WAIT_TIMEOUT:-1200}
WAIT_INTERVAL=${WAIT_INTERVAL:-15}
output=${GITHUB_OUTPUT:-/dev/null}

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

[[ $ECS_CLUSTER =~ ^[A-Za-z0-9_][A-Za-z0-9_-]{0,254}$ ]] || usage 'ECS_CLUSTER must be the name of a cluster'
[[ $ECS_SERVICE =~ ^[A-Za-z0-9_][A-Za-z0-9_-]{0,254}$ ]] || usage 'ECS_SERVICE must be the name of a service'
[[ $DEPLOYMENT_ID =~ ^ecs-svc/[0-9]{1,30}$ ]] || usage 'DEPLOYMENT_ID must be the id of a deployment: ecs-svc/...'
[[ $REVISION =~ ^arn:aws[a-z-]*:ecs:[a-z0-9-]+:[0-9]{12}:task-definition/[A-Za-z0-9_-]{1,255}:([1-9][0-9]{0,8})$ ]] ||
  usage 'REVISION must be the ARN of a task definition'
number=${BASH_REMATCH[1]}
[[ $AWS_REGION =~ ^[a-z]{2,4}(-[a-z]+)+-[0-9]$ ]] || usage 'AWS_REGION must be a region'
[[ $WAIT_TIMEOUT =~ ^(0|[1-9][0-9]{0,4})$ ]] || usage 'WAIT_TIMEOUT must be a number of seconds'
[[ $WAIT_INTERVAL =~ ^[1-9][0-9]{0,3}$ ]] || usage 'WAIT_INTERVAL must be a number of seconds'

umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/ecs-wait.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

unknown() {
  printf 'state=unknown\n' >>"$output"
  annotate error "how the deployment of revision $number fares is unknown: $1"
  exit 1
}

# Shows text that must not be taken for workflow commands.
show() {
  local token
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$token"
  cat -- "$@"
  printf '\n::%s::\n' "$token"
}

# ends STATE CODE TEXT: with the last ten events of the service, which say why.
ends() {
  printf 'state=%s\nlive=%s\n' "$1" "$live" >>"$output"
  jq -r '"What ECS says of the service, the newest last:", (.services[0].events // [] | .[:10] | reverse | .[].message)' \
    "$work/answer.json" >"$work/events"
  show "$work/events"
  annotate error "$3"
  exit "$2"
}

# The state of things: what became of the deployment, the primary's own state, its revision, and a line for the log.
# completed | failed | waiting | reversed | superseded | unseen.
look=$(
  cat <<'JQ'
  if .failures == [] and (.services | length) == 1 then .services[0].deployments else error("not the one service") end
  | [.[] | select(.status == "PRIMARY")] as $primary
  | if ($primary | length) == 1 and all(.[]; (.id | type == "string")
      and (.taskDefinition | test("\\Aarn:aws[a-z-]*:ecs:[a-z0-9-]+:[0-9]{12}:task-definition/[A-Za-z0-9_-]+:[1-9][0-9]{0,8}\\z")))
    then $primary[0] else error("not one primary deployment") end
  | if .rolloutState | IN("IN_PROGRESS", "COMPLETED", "FAILED") then . else error("no state of the rollout") end
  | (if .id == $id then
       if .taskDefinition != $revision then error("another revision than was to be deployed")
       else {IN_PROGRESS: "waiting", COMPLETED: "completed", FAILED: "failed"}[.rolloutState] end
     elif $seen == "" and any($all[]; .id == $id) | not then "unseen"
     elif .taskDefinition == $revision then "superseded" else "reversed" end) as $state
  | "\($state)\t\(.rolloutState)\t\(.taskDefinition | split(":")[-1])\t\(.runningCount // 0 | floor) of \(.desiredCount // 0 | floor) running, \(
      .pendingCount // 0 | floor) pending, \(.failedTasks // 0 | floor) failed"
JQ
)

seen=
said=
silent=0
for ((looks = 1; ; looks++)); do
  if ! aws ecs describe-services --cluster "$ECS_CLUSTER" --services "$ECS_SERVICE" --region "$AWS_REGION" --output json \
    >"$work/answer.json" 2>"$work/errors"; then
    silent=$((silent + 1))
    ((silent < 3)) || unknown "ECS did not answer three times in a row: $(head -c 2000 "$work/errors")"
    sleep "$WAIT_INTERVAL"
    continue
  fi
  silent=0
  facts=$(jq -r --arg id "$DEPLOYMENT_ID" --arg revision "$REVISION" --arg seen "$seen" \
    '.services[0].deployments as $all | '"$look" "$work/answer.json" 2>"$work/errors") ||
    unknown "what ECS answers is not understood, $(head -c 2000 "$work/errors")"
  IFS=$'\t' read -r state rollout live tasks <<<"$facts"
  if [[ "$state $rollout $live $tasks" != "$said" ]]; then
    said="$state $rollout $live $tasks"
    printf 'revision %s is %s: %s\n' "$live" "${rollout,,}" "$tasks"
  fi
  # What UpdateService has answered, DescribeServices may show a moment later.
  [[ $state != unseen ]] || ((looks < 3)) || state=$([[ $live == "$number" ]] && echo superseded || echo reversed)
  [[ $state == unseen ]] || seen=yes
  case $state in
    completed)
      printf 'state=completed\nlive=%s\n' "$live" >>"$output"
      exit 0
      ;;
    failed) ends failed 4 "the deployment of revision $number failed, and nothing puts the service back: revision $number is still its primary one" ;;
    superseded) ends superseded 4 "the deployment of revision $number was replaced by another one of the same revision: somebody else works on this service" ;;
    reversed)
      [[ $rollout != COMPLETED ]] || ends reversed 4 "the deployment of revision $number did not last and the service was put back: revision $live is live"
      [[ $rollout != FAILED ]] || ends reversed 4 "the deployment of revision $number did not last, and going back to revision $live failed too"
      ;;
  esac
  if ((SECONDS >= WAIT_TIMEOUT)); then
    [[ $state != reversed ]] ||
      ends reversed 4 "the deployment of revision $number did not last: the service is being put back to revision $live, which has not ended yet"
    ends timeout 5 "the deployment of revision $number has not ended after $WAIT_TIMEOUT s: it goes on"
  fi
  left=$((WAIT_TIMEOUT - SECONDS))
  sleep $((left < WAIT_INTERVAL ? left : WAIT_INTERVAL))
done
