#!/usr/bin/env bash
# Says whether the commit of a run is still the newest of its branch: an older one would undo what a newer run has done.
#
# Environment
#   GH_TOKEN           a token that may read the repository
#   GITHUB_REPOSITORY  owner/name
#   GITHUB_REF_NAME    the branch
#   GITHUB_SHA         the commit of the run
#   OVERTAKEN          say (default): an older commit is an answer | stop: it ends the job
# Outputs
#   newest             true | false
# Exit codes
#   0 said · 1 GitHub does not say which commit is the newest · 2 usage · 3 the commit is older, and OVERTAKEN is stop
set -uo pipefail

GITHUB_REPOSITORY=${GITHUB_REPOSITORY:-}
GITHUB_REF_NAME=${GITHUB_REF_NAME:-}
GITHUB_SHA=${GITHUB_SHA:-}
OVERTAKEN=${OVERTAKEN:-say}
output=${GITHUB_OUTPUT:-/dev/null}
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

[[ -n ${GH_TOKEN:-} ]] || usage 'GH_TOKEN is not set'
[[ $GITHUB_REPOSITORY =~ ^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$ ]] || usage 'GITHUB_REPOSITORY must be owner/name'
[[ -n $GITHUB_REF_NAME ]] || usage 'GITHUB_REF_NAME must be a branch'
[[ $GITHUB_SHA =~ ^([0-9a-f]{40}|[0-9a-f]{64})$ ]] || usage 'GITHUB_SHA must be a whole commit id'
[[ $OVERTAKEN =~ ^(say|stop)$ ]] || usage 'OVERTAKEN must be say or stop'

newest=$(gh api "repos/$GITHUB_REPOSITORY/git/ref/heads/$GITHUB_REF_NAME" --jq .object.sha) || newest=
if [[ ! $newest =~ ^([0-9a-f]{40}|[0-9a-f]{64})$ ]]; then
  annotate error 'GitHub does not say which commit of the branch is the newest: nothing is changed'
  exit 1
fi
if [[ $newest == "$GITHUB_SHA" ]]; then
  printf 'newest=true\n' >>"$output"
  printf '%s is the newest commit\n' "$GITHUB_SHA"
elif [[ $OVERTAKEN == stop ]]; then
  annotate error "$GITHUB_REF_NAME has a newer commit since this run began: what is left of it would undo what that one did"
  exit 3
else
  printf 'newest=false\n' >>"$output"
  annotate notice "nothing is changed: $GITHUB_REF_NAME has a newer commit, which has a run of its own"
  # shellcheck disable=SC2016 # Markdown, not a substitution
  printf '### ⏭️ Overtaken\n\n`%s` is newer. Nothing is changed by this run.\n\n' "${newest:0:12}" >>"$summary"
fi
