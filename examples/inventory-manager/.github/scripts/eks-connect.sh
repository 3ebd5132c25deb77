#!/usr/bin/env bash
# Puts a pinned kubectl and a kubeconfig for one EKS cluster into a directory of their own.
#
# Environment
#   EKS_CLUSTER      the cluster
#   AWS_REGION       its region
#   KUBECTL_VERSION  the version of kubectl: v1.2.3
#   KUBECTL_SHA256   the SHA-256 of its binary for linux/amd64
#   EKS_DIRECTORY    where kubectl and kubeconfig are put
#   RUNNER_TEMP      private working files (default: /tmp)
# Exit codes
#   0 connected · 1 AWS did not answer, or kubectl could not be fetched · 2 usage · 3 there is no such cluster, or it is
#   not active · 4 what was fetched is not the kubectl that was pinned
#
# Where the runner's own kubectl is that very file it is used: a runner without a way out needs no download. The
# kubeconfig holds no credentials: kubectl asks `aws` for a token, as the role of the job.
set -uo pipefail

EKS_CLUSTER=${EKS_CLUSTER:-}
AWS_REGION=${AWS_REGION:-}
KUBECTL_VERSION=${KUBECTL_VERSION:-}
KUBECTL_SHA256=${KUBECTL_SHA256:-}
EKS_DIRECTORY=${EKS_DIRECTORY:-}

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

[[ $EKS_CLUSTER =~ ^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$ ]] || usage 'EKS_CLUSTER must be the name of a cluster'
[[ $AWS_REGION =~ ^[a-z]{2,4}(-[a-z]+)+-[0-9]$ ]] || usage 'AWS_REGION must be a region'
[[ $KUBECTL_VERSION =~ ^v[0-9]+\.[0-9]+\.[0-9]+$ ]] || usage 'KUBECTL_VERSION must be a version: v1.2.3'
[[ $KUBECTL_SHA256 =~ ^[0-9a-f]{64}$ ]] || usage 'KUBECTL_SHA256 must be a SHA-256'
[[ $EKS_DIRECTORY == /* && $EKS_DIRECTORY != *[[:cntrl:]]* ]] || usage 'EKS_DIRECTORY must be the whole path of a directory'
[[ $(uname -m) == x86_64 ]] || usage "kubectl is pinned for x86_64, and this runner is $(uname -m)"

umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/eks-connect.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT
mkdir -p -- "$EKS_DIRECTORY" || usage 'EKS_DIRECTORY cannot be made'

if ! status=$(aws eks describe-cluster --name "$EKS_CLUSTER" --region "$AWS_REGION" --query cluster.status --output text 2>"$work/errors"); then
  if grep -q 'An error occurred (ResourceNotFoundException)' "$work/errors"; then
    annotate error "there is no cluster $EKS_CLUSTER in $AWS_REGION"
    exit 3
  fi
  annotate error "reading the cluster $EKS_CLUSTER: $(head -c 2000 "$work/errors")"
  exit 1
fi
if [[ $status != ACTIVE && $status != UPDATING ]]; then
  annotate error "the cluster $EKS_CLUSTER is $status"
  exit 3
fi

is_pinned() {
  local digest
  digest=$(sha256sum <"$1") && [[ ${digest%% *} == "$KUBECTL_SHA256" ]]
}

own=$(command -v kubectl) || own=
if [[ -n $own ]] && is_pinned "$own"; then
  cp -- "$own" "$work/kubectl"
elif ! curl --disable --silent --show-error --fail --location --proto '=https' --retry 3 --max-time 300 \
  --output "$work/kubectl" "https://dl.k8s.io/release/$KUBECTL_VERSION/bin/linux/amd64/kubectl" 2>"$work/errors"; then
  annotate error "kubectl $KUBECTL_VERSION could not be fetched: $(head -c 2000 "$work/errors")"
  exit 1
fi
if ! is_pinned "$work/kubectl"; then
  annotate error "what was fetched as kubectl $KUBECTL_VERSION is not what was pinned: it was not run"
  exit 4
fi
chmod 0700 "$work/kubectl"
mv -- "$work/kubectl" "$EKS_DIRECTORY/kubectl" || usage 'EKS_DIRECTORY is not writable'

rm -f -- "$EKS_DIRECTORY/kubeconfig"
if ! aws eks update-kubeconfig --name "$EKS_CLUSTER" --region "$AWS_REGION" --alias "$EKS_CLUSTER" \
  --kubeconfig "$EKS_DIRECTORY/kubeconfig" >"$work/log" 2>"$work/errors"; then
  annotate error "writing the kubeconfig of $EKS_CLUSTER: $(head -c 2000 "$work/errors")"
  exit 1
fi
printf 'kubectl %s is connected with %s in %s\n' "$KUBECTL_VERSION" "$EKS_CLUSTER" "$AWS_REGION"
