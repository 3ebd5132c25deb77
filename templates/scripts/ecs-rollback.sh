#!/usr/bin/env bash
# Puts an ECS service back to an earlier revision of its task definition, or lists those that there are.
#
# Environment
#   ECS_CLUSTER      the cluster
#   ECS_SERVICE      the service in it; its deployment controller must be ECS
#   TARGET_REVISION  the number of a revision | previous: the one that the live one replaced | list: only look
#   FROM             go back only from this revision, a number (default: whatever is the service's)
#   DRY_RUN          true | false: whether only to say what would be done (default: false)
#   AWS_REGION       the region
#   WAIT_TIMEOUT     seconds (default: 900)
#   WAIT_INTERVAL    seconds between two looks (default: 15)
#   RUNNER_TEMP      private working files (default: /tmp)
# Outputs, not of list
#   previous         the number of the revision that was the service's before
#   revision         the number of the revision that it is put back to, or is at already; there before anything happens
#   deployment_id    the deployment, where there is one to follow
#   state            completed | unchanged | failed | reversed | superseded | timeout | unknown; not of DRY_RUN
#   live             the number of the revision that is live in the end; not of DRY_RUN, and not where unknown
# Exit codes
#   0 live, listed, or live before and no longer at FROM · 1 AWS did not answer, or not as expected · 2 usage · 3 there
#   is no such service or revision, it is inactive, its deployment controller is another, it is behind a Classic Load
#   Balancer, the revision is live already, or neither it nor FROM is · 4 failed or reversed · 5 not ended when the time
#   is up
#
# Revisions are numbers of the service's own task definition family; only active ones will do. `previous` is what
# ecs-deploy.sh has tagged the service's revision with, pyfleet:previous: the one that was stable when it was deployed.
# A revision that failed in between is never it. Of a revision without that tag it is the next older active one, with a
# warning: nobody knows whether that ever ran. Started again after it has ended, `previous` goes back one more: who may
# start again asks once, with DRY_RUN, and gives the outputs `previous` and `revision` as FROM and TARGET_REVISION.
# A deployment in progress is stopped first, as ECS does it: by putting back what was there before. ecs-wait.sh lies
# next to this.
set -uo pipefail

ECS_CLUSTER=${ECS_CLUSTER:-}
ECS_SERVICE=${ECS_SERVICE:-}
TARGET_REVISION=${TARGET_REVISION:-}
FROM=${FROM:-}
DRY_RUN=${DRY_RUN:-false}
AWS_REGION=${AWS_REGION:-}
WAIT_TIMEOUT=${WAIT_TIMEOUT:-900}
WAIT_INTERVAL=${WAIT_INTERVAL:-15}
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

[[ $ECS_CLUSTER =~ ^[A-Za-z0-9_][A-Za-z0-9_-]{0,254}$ ]] || usage 'ECS_CLUSTER must be the name of a cluster'
[[ $ECS_SERVICE =~ ^[A-Za-z0-9_][A-Za-z0-9_-]{0,254}$ ]] || usage 'ECS_SERVICE must be the name of a service'
[[ $TARGET_REVISION =~ ^(list|previous|[1-9][0-9]{0,8})$ ]] || usage 'TARGET_REVISION must be list, previous or the number of a revision'
[[ -z $FROM || $FROM =~ ^[1-9][0-9]{0,8}$ ]] || usage 'FROM must be the number of a revision'
[[ $DRY_RUN == true || $DRY_RUN == false ]] || usage 'DRY_RUN must be true or false'
[[ $AWS_REGION =~ ^[a-z]{2,4}(-[a-z]+)+-[0-9]$ ]] || usage 'AWS_REGION must be a region'
[[ $WAIT_TIMEOUT =~ ^(0|[1-9][0-9]{0,4})$ ]] || usage 'WAIT_TIMEOUT must be a number of seconds'
[[ $WAIT_INTERVAL =~ ^[1-9][0-9]{0,3}$ ]] || usage 'WAIT_INTERVAL must be a number of seconds'

umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/ecs-rollback.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

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
  annotate error "nothing was changed: $1"
  exit 3
}

# The service's primary deployment, with the family and the number of its revision.
primary=$(
  cat <<'JQ'
  if [.deployments[] | select(.status == "PRIMARY")] | length == 1 then . else error("not one primary deployment") end
  | .deployments | if all(.[]; (.id | test("\\Aecs-svc/[0-9]{1,30}\\z"))
      and (.taskDefinition | test("\\Aarn:aws[a-z-]*:ecs:[a-z0-9-]+:[0-9]{12}:task-definition/[A-Za-z0-9_-]+:[1-9][0-9]{0,8}\\z")))
    then map(. + (.taskDefinition | capture("/(?<family>[^:]+):(?<number>[0-9]+)\\z"))) else error("no revision") end
  | (.[] | select(.status == "PRIMARY")) as $primary
JQ
)

# Sets $deployment, $rollout, $arn, $family and $live from the service as it is now.
read_service() {
  local facts missing
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
    unfit "the deployment controller of $ECS_SERVICE is not ECS: what deploys it must put it back"
  ! jq -e 'any(.loadBalancers[]?; .loadBalancerName)' "$work/service.json" >/dev/null ||
    unfit "$ECS_SERVICE is behind a Classic Load Balancer: of such a service ECS does not say how a deployment fares"
  facts=$(jq -r "$primary"' | if $primary.rolloutState | IN("IN_PROGRESS", "COMPLETED", "FAILED") then $primary else error("no state of the rollout") end
    | "\(.id)\t\(.rolloutState)\t\(.taskDefinition)\t\(.family)\t\(.number)"' "$work/service.json" 2>"$work/errors") ||
    failed "what ECS answers of $ECS_SERVICE is not understood"
  IFS=$'\t' read -r deployment rollout arn family live <<<"$facts"
}

# Reads a revision, by number or ARN, into answer.json.
read_revision() {
  ask ecs describe-task-definition --task-definition "$1" --include TAGS
}

# Of answer.json: number, state, image of each container, commit, time.
row=$(
  cat <<'JQ'
  def plain: .[:2000] | explode | map(if . == 9 or . == 10 or . == 13 then 32 else . end)
    | map(select(. >= 32 and (. < 127 or . > 159) and (. < 8203 or . > 8207)
        and (. < 8232 or . > 8238) and (. < 8288 or . > 8303) and . != 65279)) | .[:300] | implode;
  def code: plain | ([match("`+"; "g").length] | max // 0) as $run | ("`" * ($run + 1)) as $fence
    | if test("^`|`$") then "\($fence) \(.) \($fence)" else "\($fence)\(.)\($fence)" end;
  # A backslash before a pipe would free it.
  def cell: if . == null or (tostring | plain | test("\\A\\s*\\z")) then "–"
    else tostring | code | gsub("\\\\(?=\\|)"; "\\ ") | gsub("\\|"; "\\|") end;
  def tag($key): [.tags[]? | select(.key == $key).value][0];
  .taskDefinition.revision as $number
  | "| \($number) | \(if ($number | tostring) == $live then "**live**" else "" end) | \(
      [.taskDefinition.containerDefinitions[] | "\(.name): \(.image)" | cell] | join("<br>")) | \(
      tag("pyfleet:commit") | cell) | \(.taskDefinition.registeredAt | cell) |"
JQ
)

read_service
started=$live

if [[ $TARGET_REVISION == list ]]; then
  ask ecs list-task-definitions --family-prefix "$family" --status ACTIVE --sort DESC --no-paginate --max-results 10 ||
    failed "listing the revisions of $family"
  mapfile -t revisions < <(jq -r --arg family "$family" --arg live "$arn" '
    [.taskDefinitionArns[] | select(test("/\($family):[1-9][0-9]{0,8}\\z"))] as $active
    | $active[], (if $active | index([$live]) then empty else $live end)' "$work/answer.json")
  : >"$work/rows"
  for revision in "${revisions[@]}"; do
    read_revision "$revision" || failed "reading revision ${revision##*:} of $family"
    jq -r --arg live "$live" "$row" "$work/answer.json" >>"$work/rows" 2>"$work/errors" ||
      failed "what ECS answers of revision ${revision##*:} is not understood"
    printf 'revision %s of %s%s\n' "${revision##*:}" "$family" "$([[ $revision != "$arn" ]] || echo ', live')"
  done
  {
    # shellcheck disable=SC2016 # Markdown, not a substitution
    printf '### Revisions of `%s` in `%s`\n\n' "$ECS_SERVICE" "$ECS_CLUSTER"
    [[ $rollout == COMPLETED ]] || printf 'The deployment of revision %s is **%s**.\n\n' "$live" "${rollout,,}"
    printf '| Revision | | Images | Commit | Registered |\n|---|---|---|---|---|\n'
    cat -- "$work/rows"
    printf '\n'
  } >>"$summary"
  exit 0
fi

target=$TARGET_REVISION
if [[ $target == previous ]]; then
  read_revision "$arn" || failed "reading revision $live of $family"
  target=$(jq -r '[.tags[]? | select(.key == "pyfleet:previous").value][0] // ""' "$work/answer.json" 2>"$work/errors") ||
    failed "what ECS answers of revision $live is not understood"
  if [[ ! $target =~ ^[1-9][0-9]{0,8}$ ]]; then
    ask ecs list-task-definitions --family-prefix "$family" --status ACTIVE --sort DESC || failed "listing the revisions of $family"
    target=$(jq -r --arg family "$family" --argjson live "$live" '
      [.taskDefinitionArns[] | select(test("/\($family):[1-9][0-9]{0,8}\\z")) | split(":")[-1] | tonumber | select(. < $live)] | max // ""' \
      "$work/answer.json" 2>"$work/errors") || failed "what ECS answers of the revisions of $family is not understood"
    [[ -n $target ]] || unfit "$family has no active revision that is older than $live"
    annotate warning "revision $live does not say what it replaced: revision $target is only the next older one that is active"
  fi
fi

if [[ -n $FROM && $live != "$FROM" && $live != "$target" ]]; then
  printf 'previous=%s\nrevision=%s\nstate=unchanged\nlive=%s\n' "$live" "$live" "$live" >>"$output"
  unfit "the service $ECS_SERVICE is no longer at revision $FROM but at $live, which somebody else has deployed"
fi
if [[ $live == "$target" && $rollout == COMPLETED ]]; then
  [[ -n $FROM && $FROM != "$target" ]] || unfit "revision $target of $ECS_SERVICE is live already"
  printf 'previous=%s\nrevision=%s\nstate=unchanged\nlive=%s\n' "$FROM" "$target" "$target" >>"$output"
  printf 'revision %s is live already, and %s is not: nothing to do\n' "$target" "$FROM"
  exit 0
fi

if ! read_revision "$family:$target"; then
  [[ $failure != ClientException ]] || unfit "$family has no revision $target"
  failed "reading revision $target of $family"
fi
jq -e --arg family "$family" --argjson target "$target" '.taskDefinition | .family == $family and .revision == $target' \
  "$work/answer.json" >/dev/null 2>"$work/errors" || failed "what ECS answers of revision $target is not understood"
[[ $(jq -r .taskDefinition.status "$work/answer.json") == ACTIVE ]] || unfit "revision $target of $family is inactive: list the others"
wanted=$(jq -r .taskDefinition.taskDefinitionArn "$work/answer.json")
jq -r --arg live '' "$row" "$work/answer.json" >"$work/row" 2>"$work/errors" || failed "what ECS answers of revision $target is not understood"
printf 'previous=%s\nrevision=%s\n' "$live" "$target" >>"$output"

report() {
  {
    # shellcheck disable=SC2016 # Markdown, not a substitution
    printf '### %s\n\nService `%s` in `%s`, from revision `%s` to `%s`: %s.\n\n' "$1" "$ECS_SERVICE" "$ECS_CLUSTER" "$started" "$target" "$2"
    printf '| Revision | | Images | Commit | Registered |\n|---|---|---|---|---|\n'
    cat -- "$work/row"
    printf '\n'
  } >>"$summary"
}

if [[ $DRY_RUN == true ]]; then
  printf 'would put %s back from revision %s to %s\n' "$ECS_SERVICE" "$live" "$target"
  report '🔍 Rollback, not carried out' 'nothing was changed'
  exit 0
fi

too_late() {
  printf 'state=timeout\nlive=%s\n' "$live" >>"$output"
  report '❌ Not rolled back' "**timeout**, revision $live is the service's"
  annotate error "the service $ECS_SERVICE is still busy after $WAIT_TIMEOUT s: $1"
  exit 5
}

# Whatever is on its way ends first, and goes back where it came from. What goes back already is only waited for.
settle() {
  local stopped=() running line
  while :; do
    ask ecs list-service-deployments --cluster "$ECS_CLUSTER" --service "$ECS_SERVICE" \
      --status PENDING IN_PROGRESS STOP_REQUESTED ROLLBACK_REQUESTED ROLLBACK_IN_PROGRESS ||
      failed "listing the deployments of $ECS_SERVICE"
    jq -r 'if .serviceDeployments | type == "array" then .serviceDeployments[] else error("no list") end
      | if .serviceDeploymentArn | test("\\Aarn:aws[a-z-]*:ecs:[a-z0-9-]+:[0-9]{12}:service-deployment/[A-Za-z0-9_-]+/[A-Za-z0-9_-]+/[A-Za-z0-9_-]+\\z")
        then "\(.status) \(.serviceDeploymentArn)" else error("no ARN") end' "$work/answer.json" >"$work/running" 2>"$work/errors" ||
      failed "what ECS answers of the deployments of $ECS_SERVICE is not understood"
    mapfile -t running <"$work/running"
    ((${#running[@]})) || return 0
    for line in "${running[@]}"; do
      [[ ${line%% *} =~ ^(PENDING|IN_PROGRESS)$ && " ${stopped[*]-} " != *" ${line#* } "* ]] || continue
      stopped+=("${line#* }")
      # It may have ended meanwhile.
      ask ecs stop-service-deployment --service-deployment-arn "${line#* }" --stop-type ROLLBACK ||
        [[ $failure == ConflictException || $failure == ServiceDeploymentNotFoundException ]] ||
        failed "stopping the deployment in progress of $ECS_SERVICE"
      printf 'stopped the deployment in progress\n'
    done
    ((SECONDS < WAIT_TIMEOUT)) || too_late 'a deployment that was stopped has not ended'
    sleep "$WAIT_INTERVAL"
  done
}

if [[ $live != "$target" ]]; then
  settle
  read_service
fi
if [[ $live != "$target" || $rollout == FAILED ]]; then
  force=()
  # The same revision again is no deployment unless it is asked for.
  [[ $live != "$target" ]] || force=(--force-new-deployment)
  ask ecs update-service --cluster "$ECS_CLUSTER" --service "$ECS_SERVICE" --task-definition "$wanted" "${force[@]}" ||
    failed "updating the service $ECS_SERVICE"
  deployment=$(jq -r --arg wanted "$wanted" '.service | '"$primary"' | if $primary.taskDefinition == $wanted then $primary.id else error("another revision") end' \
    "$work/answer.json" 2>"$work/errors") || failed "the service $ECS_SERVICE was updated, and what ECS answers is not understood"
  printf 'deploying revision %s as %s\n' "$target" "$deployment"
fi
printf 'deployment_id=%s\n' "$deployment" >>"$output"

left=$((WAIT_TIMEOUT - SECONDS))
rc=0
: >"$work/waited"
DEPLOYMENT_ID=$deployment REVISION=$wanted WAIT_TIMEOUT=$((left > 0 ? left : 0)) WAIT_INTERVAL=$WAIT_INTERVAL GITHUB_OUTPUT=$work/waited \
  ECS_CLUSTER=$ECS_CLUSTER ECS_SERVICE=$ECS_SERVICE AWS_REGION=$AWS_REGION bash "$here/ecs-wait.sh" || rc=$?
cat -- "$work/waited" >>"$output"
state=$(sed -n 's/^state=//p' "$work/waited")
live=$(sed -n 's/^live=//p' "$work/waited")
if ((rc == 0)); then
  printf 'revision %s of %s is live\n' "$target" "$family"
  report '⏪ Rolled back' 'completed'
  exit 0
fi
report '❌ Not rolled back' "**$state**, live is ${live:+revision }${live:-unknown}"
[[ $rc == 4 || $rc == 5 ]] || exit 1
exit "$rc"
