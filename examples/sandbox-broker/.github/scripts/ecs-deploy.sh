#!/usr/bin/env bash
# Deploys one image, by its digest, to one ECS service, and follows the deployment to its end.
#
# Environment
#   ECS_CLUSTER         the cluster
#   ECS_SERVICE         the service in it; its deployment controller must be ECS
#   CONTAINER           the container that gets the image; the others stay as they are
#   IMAGE               the image: REGISTRY/REPOSITORY@sha256:...
#   TASK_DEFINITION     a task definition as JSON, from the checkout (default: the one that runs)
#   TASK_ROLE_ARN       the role of the task (default: as the task definition says)
#   EXECUTION_ROLE_ARN  the role that starts the task (default: as the task definition says)
#   AWS_REGION          the region
#   GITHUB_SHA          the commit, for the tags of the revision
#   RUN_URL             the address of the run, for the tags of the revision
#   WAIT_TIMEOUT        seconds (default: 1200)
#   WAIT_INTERVAL       seconds between two looks (default: 15)
#   ON_NO_CIRCUIT_BREAKER  warn | fail: where nothing would put a bad deployment back (default: warn)
#   RUNNER_TEMP         private working files (default: /tmp)
# Outputs, as soon as they are known
#   previous            the number of the revision to go back to: the last that was stable; empty where there is none
#   revision            the number of the revision that is deployed
#   deployment_id       the deployment, once the service is updated
#   state               unchanged | completed | failed | reversed | superseded | timeout | unknown
#   live                the number of the revision that is live in the end; not where unknown
# Exit codes
#   0 live, or it was before · 1 AWS did not answer, or not as expected · 2 usage · 3 there is no such service, or it
#   cannot take this image: inactive, another deployment controller, a Classic Load Balancer, no circuit breaker,
#   another family, no such container · 4 failed or reversed · 5 not ended when the time is up
#
# Revisions are numbers of the service's own task definition family, which stays what it is. Each is registered with
# the tags pyfleet:commit, pyfleet:run, pyfleet:previous (what it replaced, for ecs-rollback.sh) and pyfleet:definition
# (the SHA-256 of what was registered: AWS fills in what is left out, so that the two cannot be compared). A run that
# is started again finds its deployment by the last one and goes on; a revision that nothing deployed stays unused.
# ecs-wait.sh lies next to this.
set -uo pipefail

ECS_CLUSTER=${ECS_CLUSTER:-}
ECS_SERVICE=${ECS_SERVICE:-}
CONTAINER=${CONTAINER:-}
IMAGE=${IMAGE:-}
TASK_DEFINITION=${TASK_DEFINITION:-}
TASK_ROLE_ARN=${TASK_ROLE_ARN:-}
EXECUTION_ROLE_ARN=${EXECUTION_ROLE_ARN:-}
AWS_REGION=${AWS_REGION:-}
GITHUB_SHA=${GITHUB_SHA:-}
RUN_URL=${RUN_URL:-}
WAIT_TIMEOUT=${WAIT_TIMEOUT:-1200}
WAIT_INTERVAL=${WAIT_INTERVAL:-15}
ON_NO_CIRCUIT_BREAKER=${ON_NO_CIRCUIT_BREAKER:-warn}
output=${GITHUB_OUTPUT:-/dev/null}
summary=${GITHUB_STEP_SUMMARY:-/dev/null}
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

role='^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,512}$'
[[ $ECS_CLUSTER =~ ^[A-Za-z0-9_][A-Za-z0-9_-]{0,254}$ ]] || usage 'ECS_CLUSTER must be the name of a cluster'
[[ $ECS_SERVICE =~ ^[A-Za-z0-9_][A-Za-z0-9_-]{0,254}$ ]] || usage 'ECS_SERVICE must be the name of a service'
[[ $CONTAINER =~ ^[A-Za-z0-9_][A-Za-z0-9_-]{0,254}$ ]] || usage 'CONTAINER must be the name of a container'
[[ $IMAGE =~ ^[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+@sha256:[0-9a-f]{64}$ ]] ||
  usage 'IMAGE must be an image by its digest: REGISTRY/REPOSITORY@sha256:...'
[[ -z $TASK_DEFINITION || -f $TASK_DEFINITION ]] || usage 'TASK_DEFINITION must be a file'
[[ -z $TASK_ROLE_ARN || $TASK_ROLE_ARN =~ $role ]] || usage 'TASK_ROLE_ARN must be the ARN of a role'
[[ -z $EXECUTION_ROLE_ARN || $EXECUTION_ROLE_ARN =~ $role ]] || usage 'EXECUTION_ROLE_ARN must be the ARN of a role'
[[ $AWS_REGION =~ ^[a-z]{2,4}(-[a-z]+)+-[0-9]$ ]] || usage 'AWS_REGION must be a region'
[[ $GITHUB_SHA =~ ^([0-9a-f]{40}|[0-9a-f]{64})$ ]] || usage 'GITHUB_SHA must be a whole commit id'
[[ ${#RUN_URL} -le 256 && $RUN_URL =~ ^https?://[A-Za-z0-9.:/_-]+$ ]] || usage 'RUN_URL must be an address'
[[ $WAIT_TIMEOUT =~ ^(0|[1-9][0-9]{0,4})$ ]] || usage 'WAIT_TIMEOUT must be a number of seconds'
[[ $WAIT_INTERVAL =~ ^[1-9][0-9]{0,3}$ ]] || usage 'WAIT_INTERVAL must be a number of seconds'
[[ $ON_NO_CIRCUIT_BREAKER == warn || $ON_NO_CIRCUIT_BREAKER == fail ]] || usage 'ON_NO_CIRCUIT_BREAKER must be warn or fail'

umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/ecs-deploy.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT
# Not by its name: it may begin like an option.
if [[ -n $TASK_DEFINITION ]]; then
  jq -e -s 'if length == 1 and (.[0] | type == "object" and (.containerDefinitions | type == "array" and all(.[]; type == "object")))
    then .[0] else error("none") end' <"$TASK_DEFINITION" >"$work/file.json" 2>/dev/null ||
    usage 'TASK_DEFINITION must hold a task definition as JSON: an object with containerDefinitions'
fi

# Asks AWS. The answer is in answer.json; where there is none, $failure is AWS's code for the reason.
ask() {
  failure=
  aws "$@" --region "$AWS_REGION" --output json >"$work/answer.json" 2>"$work/errors" && return 0
  failure=$(sed -n 's/.*An error occurred (\([A-Za-z0-9.]*\)).*/\1/p' "$work/errors" | head -n 1)
  [[ -n $failure ]] || failure=unknown
  return 1
}

failed() {
  annotate error "$1: $(head -c 2000 "$work/errors")"
  exit 1
}

unfit() {
  annotate error "nothing was deployed: $1"
  exit 3
}

# The service's primary deployment: id, state of the rollout, ARN, family and number of its task definition.
primary=$(
  cat <<'JQ'
  if [.deployments[] | select(.status == "PRIMARY")] | length == 1 then . else error("not one primary deployment") end
  | .deployments | if all(.[]; (.id | test("\\Aecs-svc/[0-9]{1,30}\\z"))
      and (.taskDefinition | test("\\Aarn:aws[a-z-]*:ecs:[a-z0-9-]+:[0-9]{12}:task-definition/[A-Za-z0-9_-]+:[1-9][0-9]{0,8}\\z")))
    then map(. + (.taskDefinition | capture("/(?<family>[^:]+):(?<number>[0-9]+)\\z"))) else error("no revision") end
  | (.[] | select(.status == "PRIMARY")) as $primary
JQ
)

if ! ask ecs describe-services --cluster "$ECS_CLUSTER" --services "$ECS_SERVICE"; then
  [[ $failure != ClusterNotFoundException ]] || unfit "there is no cluster $ECS_CLUSTER in $AWS_REGION"
  failed "reading the service $ECS_SERVICE"
fi
missing=$(jq -r 'any(.failures[]?; .reason == "MISSING")' "$work/answer.json" 2>"$work/errors") || failed "what ECS answers of $ECS_SERVICE is not understood"
[[ $missing != true ]] || unfit "the cluster $ECS_CLUSTER has no service $ECS_SERVICE"
jq -e 'if .failures == [] and (.services | length) == 1 then .services[0] else error("not the one service") end' \
  "$work/answer.json" >"$work/service.json" 2>"$work/errors" || failed "what ECS answers of $ECS_SERVICE is not understood"
[[ $(jq -r .status "$work/service.json") == ACTIVE ]] || unfit "the service $ECS_SERVICE is being removed, or was"
[[ $(jq -r '.deploymentController.type // "ECS"' "$work/service.json") == ECS ]] ||
  unfit "the deployment controller of $ECS_SERVICE is not ECS: what deploys it now must go on deploying it"
! jq -e 'any(.loadBalancers[]?; .loadBalancerName)' "$work/service.json" >/dev/null ||
  unfit "$ECS_SERVICE is behind a Classic Load Balancer: of such a service ECS does not say how a deployment fares"
facts=$(jq -r "$primary"' | if $primary.rolloutState | IN("IN_PROGRESS", "COMPLETED", "FAILED") then . else error("no state of the rollout") end
  | "\($primary.id)\t\($primary.rolloutState)\t\($primary.taskDefinition)\t\($primary.family)\t\($primary.number)\t\(
    [$primary, .[]] | map(select(.rolloutState == "COMPLETED" and .family == $primary.family))[0].number // "none")"' \
  "$work/service.json" 2>"$work/errors") || failed "what ECS answers of $ECS_SERVICE is not understood"
IFS=$'\t' read -r deployment rollout current family number previous <<<"$facts"

if ! jq -e '.deploymentConfiguration.deploymentCircuitBreaker | .enable and .rollback' "$work/service.json" >/dev/null; then
  warning="the service $ECS_SERVICE has no deployment circuit breaker that rolls back: ECS does not put a bad deployment back by itself"
  [[ $ON_NO_CIRCUIT_BREAKER == warn ]] || unfit "$warning"
  annotate warning "$warning"
fi
[[ $(jq -r '.desiredCount // 0' "$work/service.json") != 0 ]] ||
  annotate warning "the service $ECS_SERVICE wants no task: this deployment starts nothing, and proves nothing"

ask ecs describe-task-definition --task-definition "$current" --include TAGS || failed "reading revision $number of $family"
cp -- "$work/answer.json" "$work/current.json"
tag() {
  jq -r --arg key "pyfleet:$1" '[.tags[]? | select(.key == $key).value][0] // ""' "$work/current.json"
}

# What is registered, without pyfleet's own tags. Of what DescribeTaskDefinition answers, RegisterTaskDefinition takes
# no more than this.
[[ -n $TASK_DEFINITION ]] || jq '.taskDefinition + {tags: [.tags[]? | select(.key | startswith("pyfleet:") or startswith("aws:") | not)]}' \
  "$work/current.json" >"$work/file.json" 2>"$work/errors" || failed "what ECS answers of revision $number is not understood"
jq --arg family "$family" --arg container "$CONTAINER" --arg image "$IMAGE" --arg task "$TASK_ROLE_ARN" --arg execution "$EXECUTION_ROLE_ARN" '
  del(.taskDefinitionArn, .revision, .status, .requiresAttributes, .compatibilities, .registeredAt, .registeredBy, .deregisteredAt, .deleteRequestedAt)
  | with_entries(select(.value != null)) | .family //= $family | if .tags == [] then del(.tags) else . end
  | {before: ., after: ((.containerDefinitions[] | select(.name == $container)).image |= $image
      | if $task == "" then . else .taskRoleArn = $task end | if $execution == "" then . else .executionRoleArn = $execution end)}
  | .containers = ([.before.containerDefinitions[] | select(.name == $container)] | length)' \
  "$work/file.json" >"$work/rendered.json" 2>"$work/errors" || failed 'the task definition cannot be rendered'
[[ $(jq -r .after.family "$work/rendered.json") == "$family" ]] ||
  unfit "the task definition is of another family than the one of $ECS_SERVICE, $family: revisions are counted in one family"
[[ $(jq .containers "$work/rendered.json") == 1 ]] || unfit "the task definition has no container $CONTAINER"
digest=$(jq -S -c .after "$work/rendered.json" | sha256sum)
digest=${digest%% *}

# Is it what the service has already? From a file it was registered by this script, or nobody knows.
same=
if [[ -n $TASK_DEFINITION ]]; then
  [[ $(tag definition) != "$digest" ]] || same=yes
else
  ! jq -e '.before == .after' "$work/rendered.json" >/dev/null || same=yes
fi
replaced=$(tag previous)
[[ $replaced =~ ^[1-9][0-9]{0,8}$ ]] || replaced=
if [[ -n $same ]]; then
  previous=${replaced:-$previous}
  [[ $previous != none && $previous != "$number" ]] || previous=
elif [[ $previous == none ]]; then
  previous=$replaced
  if [[ -n $previous ]]; then
    annotate warning "no revision of $ECS_SERVICE is stable: revision $previous is taken for the last one that was"
  else
    annotate warning "no revision of $ECS_SERVICE is stable: there is none to go back to"
  fi
fi
printf 'previous=%s\n' "$previous" >>"$output"

report() {
  local title=$1 state=$2
  # shellcheck disable=SC2016 # Markdown, not a substitution
  printf '### %s\n\n| | |\n|---|---|\n| Service | `%s` in `%s` |\n| Image | `%s` |\n| Revision | `%s`, before `%s` |\n| Deployment | `%s`, %s |\n\n' \
    "$title" "$ECS_SERVICE" "$ECS_CLUSTER" "$IMAGE" "$number" "${previous:-none}" "$deployment" "$state" >>"$summary"
}

if [[ -n $same && $rollout == COMPLETED ]]; then
  printf 'revision=%s\ndeployment_id=%s\nstate=unchanged\nlive=%s\n' "$number" "$deployment" "$number" >>"$output"
  printf 'revision %s of %s has this image already, live and stable: nothing to do\n' "$number" "$family"
  report '✅ This image is live already' 'nothing was changed'
  exit 0
fi

if [[ -z $same ]]; then
  [[ $rollout != IN_PROGRESS ]] || annotate warning "the deployment of revision $number is still in progress: this one replaces it"
  jq --arg digest "$digest" --arg commit "$GITHUB_SHA" --arg run "$RUN_URL" --arg previous "$previous" '.after
    | .tags = [.tags[]?, {key: "pyfleet:commit", value: $commit}, {key: "pyfleet:run", value: $run}, {key: "pyfleet:definition", value: $digest},
        (if $previous == "" then empty else {key: "pyfleet:previous", value: $previous} end)]' "$work/rendered.json" >"$work/register.json"
  ask ecs register-task-definition --cli-input-json "file://$work/register.json" || failed "registering a revision of $family"
  current=$(jq -r .taskDefinition.taskDefinitionArn "$work/answer.json" 2>"$work/errors") || current=
  number=${current##*:}
  [[ $current =~ ^arn:aws[a-z-]*:ecs:[a-z0-9-]+:[0-9]{12}:task-definition/$family:[1-9][0-9]{0,8}$ ]] ||
    failed "what ECS answers of the new revision of $family is not understood"
  printf 'registered revision %s of %s\n' "$number" "$family"
fi
printf 'revision=%s\n' "$number" >>"$output"

if [[ -n $same && $rollout == IN_PROGRESS ]]; then
  printf 'revision %s of %s has this image already, and is being deployed\n' "$number" "$family"
else
  force=()
  # The same revision again is no deployment unless it is asked for.
  [[ -z $same ]] || force=(--force-new-deployment)
  ask ecs update-service --cluster "$ECS_CLUSTER" --service "$ECS_SERVICE" --task-definition "$current" "${force[@]}" ||
    failed "updating the service $ECS_SERVICE"
  deployment=$(jq -r --arg current "$current" '.service | '"$primary"' | if $primary.taskDefinition == $current then $primary.id else error("another revision") end' \
    "$work/answer.json" 2>"$work/errors") || failed "the service $ECS_SERVICE was updated, and what ECS answers is not understood"
  printf 'deploying revision %s as %s\n' "$number" "$deployment"
fi
printf 'deployment_id=%s\n' "$deployment" >>"$output"

rc=0
: >"$work/waited"
DEPLOYMENT_ID=$deployment REVISION=$current WAIT_TIMEOUT=$WAIT_TIMEOUT WAIT_INTERVAL=$WAIT_INTERVAL GITHUB_OUTPUT=$work/waited \
  ECS_CLUSTER=$ECS_CLUSTER ECS_SERVICE=$ECS_SERVICE AWS_REGION=$AWS_REGION bash "$here/ecs-wait.sh" || rc=$?
cat -- "$work/waited" >>"$output"
state=$(sed -n 's/^state=//p' "$work/waited")
live=$(sed -n 's/^live=//p' "$work/waited")
if ((rc == 0)); then
  printf 'revision %s of %s is live\n' "$number" "$family"
  report '✅ Deployed' 'completed'
  exit 0
fi
report '❌ Not deployed' "**$state**, live is ${live:+revision }${live:-unknown}"
[[ $rc == 4 || $rc == 5 ]] || exit 1
exit "$rc"
