#!/usr/bin/env bash
# Checks a Packer template without building anything: it is formatted, and valid.
#
# Environment
#   TEMPLATE   the template, from the repository's root
#   PKR_VAR_*  values of its variables; where they stand for a secret, a placeholder
#   RUNNER_TEMP  private working files (default: /tmp)
# Exit codes
#   0 valid · 1 its plugins could not be installed · 2 usage · 3 it is not formatted as `packer fmt` does ·
#   4 it is not valid
set -uo pipefail

TEMPLATE=${TEMPLATE:-}

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

[[ -n $TEMPLATE && -f $TEMPLATE && $TEMPLATE != -* ]] || usage 'TEMPLATE must be a file'
command -v packer >/dev/null || usage 'packer is not installed'
export PACKER_NO_COLOR=1 CHECKPOINT_DISABLE=1
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/packer-validate.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

# Shows text that must not be taken for workflow commands.
show() {
  local token
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$token"
  cat -- "$@"
  printf '\n::%s::\n' "$token"
}

packer init "$TEMPLATE" >"$work/log" 2>&1 || {
  show "$work/log"
  annotate error "the plugins of $TEMPLATE could not be installed: Packer's output is above"
  exit 1
}
# Both are looked at in one run.
code=0
packer fmt -check -diff "$TEMPLATE" >"$work/log" 2>&1 || {
  show "$work/log"
  annotate error "$TEMPLATE is not formatted: run packer fmt and commit what it changes"
  code=3
}
packer validate "$TEMPLATE" >"$work/log" 2>&1 || {
  show "$work/log"
  annotate error "$TEMPLATE is not valid: Packer's output is above"
  code=4
}
((code != 0)) || printf '%s is formatted and valid\n' "$TEMPLATE"
exit "$code"
