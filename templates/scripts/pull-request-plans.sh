#!/usr/bin/env bash
# Finds the plans that the merged pull request of a commit showed, by their fingerprints.
#
# Environment
#   GH_TOKEN           a token that may read pull requests and actions
#   GITHUB_REPOSITORY  owner/name
#   GITHUB_SHA         the commit that was pushed
#   WORKFLOW           file name of the workflow that plans pull requests
#   ENVIRONMENT        slug of the environment
#   RUNNER_TEMP        private working files (default: /tmp)
# Outputs
#   shown              JSON: stack → fingerprint; empty where there is nothing to compare with
# Exit codes
#   0 found, or there is nothing and a notice says why · 1 GitHub did not answer · 2 usage
#
# What a pull request shows comes from its own run, which its author's code took part in: the comparison tells
# whether reviewers saw this plan, not whether it is harmless.
set -uo pipefail

GITHUB_REPOSITORY=${GITHUB_REPOSITORY:-}
GITHUB_SHA=${GITHUB_SHA:-}
WORKFLOW=${WORKFLOW:-}
ENVIRONMENT=${ENVIRONMENT:-}
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

[[ -n ${GH_TOKEN:-} ]] || usage 'GH_TOKEN is not set'
[[ $GITHUB_REPOSITORY =~ ^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$ ]] || usage 'GITHUB_REPOSITORY must be owner/name'
[[ $GITHUB_SHA =~ ^[0-9a-f]{40}$ ]] || usage 'GITHUB_SHA must be a commit'
[[ $WORKFLOW =~ ^[a-z][a-z0-9-]*\.yml$ ]] || usage 'WORKFLOW must be the name of a workflow file'
[[ $ENVIRONMENT =~ ^[a-z][a-z0-9-]*$ ]] || usage 'ENVIRONMENT must be a slug'

umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/pull-request-plans.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

found() {
  printf 'shown=%s\n' "$1" >>"$output"
  exit 0
}

nothing() {
  annotate notice "$1: there is no plan to compare with"
  found '{}'
}

unanswered() {
  annotate error "GitHub did not say $1: whether a pull request showed these plans is not known"
  exit 1
}

gh api "repos/$GITHUB_REPOSITORY/commits/$GITHUB_SHA/pulls" >"$work/pulls.json" || unanswered "which pull request $GITHUB_SHA comes from"
head=$(jq -r --arg sha "$GITHUB_SHA" '
  [.[] | select(.merged_at != null and .merge_commit_sha == $sha)] | first | .head.sha // ""' "$work/pulls.json") ||
  unanswered "which pull request $GITHUB_SHA comes from"
[[ -n $head ]] || nothing "no pull request was merged as $GITHUB_SHA"
[[ $head =~ ^[0-9a-f]{40}$ ]] || unanswered 'the head of the pull request'

gh api "repos/$GITHUB_REPOSITORY/actions/workflows/$WORKFLOW/runs?head_sha=$head&event=pull_request&per_page=100" \
  >"$work/runs.json" || unanswered "which runs of $WORKFLOW there were"
run=$(jq -r '[.workflow_runs[] | select(.status == "completed")] | sort_by(.run_number) | last | .id // ""' "$work/runs.json") ||
  unanswered "which runs of $WORKFLOW there were"
[[ -n $run ]] || nothing "$WORKFLOW has no finished run of the pull request's last commit"
[[ $run =~ ^[0-9]+$ ]] || unanswered 'the number of the run'

if ! gh run download "$run" --repo "$GITHUB_REPOSITORY" --pattern "plan_${ENVIRONMENT}_*" --dir "$work/plans" 2>"$work/errors"; then
  # `gh` answers the same way to no artifact and to no answer: the list of artifacts tells them apart.
  count=$(gh api "repos/$GITHUB_REPOSITORY/actions/runs/$run/artifacts?per_page=100" --jq '.total_count') || unanswered "what run $run left"
  [[ $count =~ ^[0-9]+$ ]] || unanswered "what run $run left"
  nothing "run $run kept no plan for $ENVIRONMENT"
fi

shown='{}'
for directory in "$work/plans/plan_${ENVIRONMENT}_"*/; do
  stack=${directory%/}
  stack=${stack##*/"plan_${ENVIRONMENT}_"}
  [[ $stack =~ ^[a-z][a-z0-9-]*$ && ! -L ${directory%/} && -f $directory/plan-summary.json && ! -L $directory/plan-summary.json ]] || continue
  fingerprint=$(jq -r '.fingerprint // "" | select(type == "string" and test("\\A[0-9a-f]{64}\\z"))' "$directory/plan-summary.json" 2>/dev/null) || continue
  [[ -z $fingerprint ]] || shown=$(jq -c --arg stack "$stack" --arg fingerprint "$fingerprint" '. + {($stack): $fingerprint}' <<<"$shown")
done
printf 'the pull request showed: %s\n' "$(jq -r 'keys | join(", ")' <<<"$shown")"
found "$shown"
