#!/usr/bin/env bash
# Shows why a Deployment is not what it should be: events, its description, and the last lines of its containers.
#
# Environment
#   EKS_DIRECTORY  where eks-connect.sh has put kubectl and kubeconfig
#   NAMESPACE      the namespace
#   DEPLOYMENT     the Deployment; pods of others are shown where they are not ready
#   LOG_LINES      how many lines of each container (default: 200)
#   RUNNER_TEMP    private working files (default: /tmp)
# Exit codes
#   0 shown, as far as the cluster answers · 2 usage
#
# It only reads. Kubernetes describes Secrets without their values; what a container writes into its log is shown as it
# is, but for what GitHub hides.
set -uo pipefail

EKS_DIRECTORY=${EKS_DIRECTORY:-}
NAMESPACE=${NAMESPACE:-}
DEPLOYMENT=${DEPLOYMENT:-}
LOG_LINES=${LOG_LINES:-200}

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

label='^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'
[[ $EKS_DIRECTORY == /* && -x $EKS_DIRECTORY/kubectl && -f $EKS_DIRECTORY/kubeconfig ]] || usage 'EKS_DIRECTORY must hold kubectl and kubeconfig'
[[ $NAMESPACE =~ $label ]] || usage 'NAMESPACE must be the name of a namespace'
[[ $DEPLOYMENT =~ $label ]] || usage 'DEPLOYMENT must be the name of a Deployment'
[[ $LOG_LINES =~ ^[1-9][0-9]{0,4}$ ]] || usage 'LOG_LINES must be a number'

umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/eks-diagnose.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

# show TITLE ARGUMENTS: what kubectl answers, which must not be taken for workflow commands.
show() {
  local title=$1 token
  shift
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '\n== %s\n::stop-commands::%s\n' "$title" "$token"
  timeout 60 "$EKS_DIRECTORY/kubectl" --kubeconfig "$EKS_DIRECTORY/kubeconfig" --namespace "$NAMESPACE" "$@" >"$work/shown" 2>&1 || true
  tail -c 65536 "$work/shown" | iconv -c -f UTF-8 -t UTF-8 | LC_ALL=C tr -d '\000-\010\013-\037\177'
  printf '\n::%s::\n' "$token"
}

show "events in $NAMESPACE" get events --sort-by=.metadata.creationTimestamp -o custom-columns=TIME:.metadata.creationTimestamp,TYPE:.type,REASON:.reason,OBJECT:.involvedObject.name,MESSAGE:.message
show "Deployment $DEPLOYMENT" describe deployment "$DEPLOYMENT"

# Those that are not ready first, then those of the Deployment; ten tell enough.
timeout 60 "$EKS_DIRECTORY/kubectl" --kubeconfig "$EKS_DIRECTORY/kubeconfig" --namespace "$NAMESPACE" get pods -o json >"$work/pods.json" 2>/dev/null
mapfile -t pods < <(jq -r --arg deployment "$DEPLOYMENT" '[.items[] | {name: .metadata.name,
    ready: any(.status.conditions[]?; .type == "Ready" and .status == "True")}
  | select((.ready | not) or (.name | startswith($deployment + "-")))] | sort_by(.ready) | .[:10][].name' "$work/pods.json" 2>/dev/null)
for pod in "${pods[@]}"; do
  show "pod $pod" describe pod "$pod"
  show "logs of $pod" logs "$pod" --all-containers --prefix --tail="$LOG_LINES"
done
exit 0
