#!/usr/bin/env bash
# Runs one command of the repository that looks at what was deployed, and keeps its log and how it ended.
#
# Environment
#   CHECK       the name of the check
#   COMMAND     the command; it sees ENVIRONMENT
#   RESULT_DIR  where log.txt and result.json go
# Exit codes
#   0 the command succeeded · 1 it failed · 2 usage
set -uo pipefail

CHECK=${CHECK:-}
COMMAND=${COMMAND:-}
RESULT_DIR=${RESULT_DIR:-}
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

[[ $CHECK =~ ^[a-z][a-z0-9-]*$ ]] || usage 'CHECK must be the name of a check'
[[ -n $COMMAND ]] || usage 'COMMAND is not set'
[[ -n $RESULT_DIR ]] || usage 'RESULT_DIR is not set'
mkdir -p -- "$RESULT_DIR" || usage 'RESULT_DIR is not writable'

# What it prints must not be taken for workflow commands.
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
printf '::stop-commands::%s\n' "$token"
rc=0
GITHUB_OUTPUT=/dev/null GITHUB_ENV=/dev/null GITHUB_PATH=/dev/null GITHUB_STEP_SUMMARY=/dev/null \
  bash --noprofile --norc -eo pipefail -c "$COMMAND" 2>&1 | tee -- "$RESULT_DIR/log.txt" || rc=$?
printf '\n::%s::\n' "$token"
jq -n --arg check "$CHECK" --argjson code "$rc" '{$check, $code}' >"$RESULT_DIR/result.json"
{
  printf '| Check | | Exit code |\n|---|---|--:|\n'
  # shellcheck disable=SC2016 # Markdown, not a substitution
  printf '| `%s` | %s | %s |\n\n' "$CHECK" "$( ((rc)) && echo ❌ || echo ✅)" "$rc"
} >>"$summary"
if ((rc)); then
  annotate error "the check $CHECK failed, its command ended with $rc: its log is above, and in the artifact"
  exit 1
fi
