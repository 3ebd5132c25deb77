#!/usr/bin/env bash
# Waits for the deployment of an ECS service that something else has started, and looks whether the image that was
# pushed is the one that is live. It only reads.
#
# Environment
#   ECS_CLUSTER    the cluster
#   ECS_SERVICE    the service in it
#   CONTAINER      the container that runs the image
#   IMAGE          the image: REGISTRY/REPOSITORY@sha256:...
#   AWS_REGION     the region
#   WAIT_TIMEOUT   seconds (default: 1200)
#   WAIT_INTERVAL  seconds between two looks (default: 15)
#   RUNNER_TEMP    private working files (default: /tmp)
# Outputs
#   state          as ecs-wait.sh says it; other: the service runs another image, and nothing says that it was put back
#   live           the number of the revision that is live; not where unknown
# Exit codes
#   0 the image is live, whether or not there was anything to wait for · 1 AWS did not answer, or not as expected ·
#   2 usage · 3 there is no such service, or no such container · 4 failed or reversed, or another image is live · 5 not
#   ended when the time is up
#
# Whoever started the deployment does not say which one it is: the primary one is the newest. ecs-wait.sh, next to this,
# follows it. A deployment that ECS has put back before the first look is known by its image and by what ECS says of the
# newest deployment.
set -uo pipefail

ECS_CLUSTER=${ECS_CLUSTER:-}
ECS_SERVICE=${ECS_SERVICE:-}
CONTAINER=${CONTAINER:-}
IMAGE=${IMAGE:-}
AWS_REGION=${AWS_REGION:-}
WAIT_TIMEOUT=${WAIT_TIMEOUT:-1200}
WAIT_INTERVAL=${WAIT_INTERVAL:-15}
output=${GITHUB_OUTPUT:-/dev/null}
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

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
[[ $CONTAINER =~ ^[A-Za-z0-9_][A-Za-z0-9_-]{0,254}$ ]] || usage 'CONTAINER must be the name of a container'
[[ $IMAGE =~ ^[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+@(sha256:[0-9a-f]{64})$ ]] ||
  usage 'IMAGE must be an image by its digest: REGISTRY/REPOSITORY@sha256:...'
digest=${BASH_REMATCH[4]}
[[ $AWS_REGION =~ ^[a-z]{2,4}(-[a-z]+)+-[0-9]$ ]] || usage 'AWS_REGION must be a region'
[[ $WAIT_TIMEOUT =~ ^(0|[1-9][0-9]{0,4})$ ]] || usage 'WAIT_TIMEOUT must be a number of seconds'
[[ $WAIT_INTERVAL =~ ^[1-9][0-9]{0,3}$ ]] || usage 'WAIT_INTERVAL must be a number of seconds'

umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/ecs-await.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

# Asks AWS. The answer is in answer.json; where there is none, $failure is AWS's code for the reason.
ask() {
  failure=
  aws "$@" --region "$AWS_REGION" --output json >"$work/answer.json" 2>"$work/errors" && return 0
  failure=$(sed -n 's/.*An error occurred (\([A-Za-z0-9.]*\)).*/\1/p' "$work/errors" | head -n 1)
  return 1
}

unknown() {
  printf 'state=unknown\n' >>"$output"
  annotate error "whether $ECS_SERVICE runs the image that was pushed is unknown: $1"
  exit 1
}

missing() {
  annotate error "there is nothing to wait for: $1"
  exit 3
}

# look: the primary deployment in $deployment, its revision in $revision and $number, the image of the container in $runs.
look() {
  local facts
  if ! ask ecs describe-services --cluster "$ECS_CLUSTER" --services "$ECS_SERVICE"; then
    [[ $failure != ClusterNotFoundException ]] || missing "there is no cluster $ECS_CLUSTER in $AWS_REGION"
    unknown "ECS did not answer, $(head -c 2000 "$work/errors")"
  fi
  ! jq -e 'any(.failures[]?; .reason == "MISSING")' "$work/answer.json" >/dev/null 2>&1 ||
    missing "the cluster $ECS_CLUSTER has no service $ECS_SERVICE"
  facts=$(jq -r 'if .failures == [] and (.services | length) == 1 then .services[0].deployments else error("not the one service") end
    | [.[] | select(.status == "PRIMARY")]
    | if length == 1 and (.[0] | (.id | type == "string" and test("\\Aecs-svc/[0-9]{1,30}\\z"))
        and (.taskDefinition | type == "string" and test("\\Aarn:aws[a-z-]*:ecs:[a-z0-9-]+:[0-9]{12}:task-definition/[A-Za-z0-9_-]+:[1-9][0-9]{0,8}\\z")))
      then .[0] | "\(.id)\t\(.taskDefinition)" else error("not one primary deployment") end' "$work/answer.json" 2>"$work/errors") ||
    unknown "what ECS answers is not understood, $(head -c 2000 "$work/errors")"
  IFS=$'\t' read -r deployment revision <<<"$facts"
  number=${revision##*:}
  ask ecs describe-task-definition --task-definition "$revision" || unknown "ECS did not answer, $(head -c 2000 "$work/errors")"
  runs=$(jq -r --arg name "$CONTAINER" '[.taskDefinition.containerDefinitions[] | select(.name == $name) | .image | strings]
    | if length == 1 then .[0] else error("not one container") end' "$work/answer.json" 2>"$work/errors") ||
    missing "revision $number has no container $CONTAINER"
}

# What UpdateService has answered, DescribeServices may show a moment later.
for looks in 1 2 3; do
  look
  [[ $runs != *"@$digest" ]] || break
  ((looks == 3)) || sleep "$WAIT_INTERVAL"
done

follow() {
  DEPLOYMENT_ID=$deployment REVISION=$revision bash "$here/ecs-wait.sh"
}

if [[ $runs == *"@$digest" ]]; then
  rc=0
  follow || rc=$?
  ((rc)) || printf '%s runs %s\n' "$ECS_SERVICE" "$IMAGE"
  exit "$rc"
fi

ask ecs list-service-deployments --cluster "$ECS_CLUSTER" --service "$ECS_SERVICE" --max-results 1 ||
  unknown "ECS did not answer, $(head -c 2000 "$work/errors")"
newest=$(jq -r '.serviceDeployments[0].status // "none" | strings' "$work/answer.json" 2>"$work/errors") ||
  unknown "what ECS answers is not understood, $(head -c 2000 "$work/errors")"
case $newest in
  ROLLBACK_*)
    # To its end: only then something is live.
    rc=0
    GITHUB_OUTPUT=$work/outputs follow || rc=$?
    live=$(sed -n 's/^live=//p' "$work/outputs" | tail -n 1)
    printf 'state=reversed\nlive=%s\n' "${live:-$number}" >>"$output"
    if ((rc == 0)); then
      annotate error "the deployment of $IMAGE did not last and $ECS_SERVICE was put back: revision $number is live"
    else
      annotate error "the deployment of $IMAGE did not last, and how $ECS_SERVICE went back to revision $number stands above"
    fi
    ;;
  *)
    printf 'state=other\nlive=%s\n' "$number" >>"$output"
    annotate error "$ECS_SERVICE does not run what was pushed: revision $number is live, and its container $CONTAINER runs $(LC_ALL=C tr -d '\000-\037\177' <<<"${runs:0:300}"), not $IMAGE"
    ;;
esac
exit 4
