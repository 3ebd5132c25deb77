#!/usr/bin/env bash
# Fetches the test results of the default branch's newest successful run, to compare coverage with.
#
# Environment
#   GH_TOKEN           a token that may read actions
#   GITHUB_REPOSITORY  owner/name
#   WORKFLOW           the workflow's file name
#   BASE_BRANCH        the default branch
#   BASELINE_DIR       where the results go
# Exit codes
#   0 fetched, or there is nothing to fetch and a notice says so · 2 usage
set -uo pipefail

for name in GH_TOKEN GITHUB_REPOSITORY WORKFLOW BASE_BRANCH BASELINE_DIR; do
  if [[ -z "${!name:-}" ]]; then
    printf '::error::fetch-baseline.sh needs %s\n' "$name"
    exit 2
  fi
done

mkdir -p -- "$BASELINE_DIR" || exit 2

run_id="$(
  gh run list --repo "$GITHUB_REPOSITORY" --workflow "$WORKFLOW" --branch "$BASE_BRANCH" \
    --event push --status success --limit 1 --json databaseId --jq '.[0].databaseId // empty'
)" || run_id=''

if [[ ! "$run_id" =~ ^[0-9]+$ ]]; then
  printf '::notice::%s has no successful run of %s yet, so coverage is shown without its change\n' "$BASE_BRANCH" "$WORKFLOW"
  exit 0
fi

if ! gh run download "$run_id" --repo "$GITHUB_REPOSITORY" --pattern 'test-results_*' --dir "$BASELINE_DIR"; then
  printf '::notice::the results of run %s are gone, so coverage is shown without its change\n' "$run_id"
fi
exit 0
