#!/usr/bin/env bash
# Runs the ESLint that the project's lock file pins, by the project's own configuration, and leaves its report.
#
# Environment
#   DIRECTORY    where package.json lies; what the lock file says is installed there
#   SCAN_REPORT  where the report is left, as JSON; it is not judged here
# Exit codes
#   0 the report is there, whatever it holds · 1 ESLint could not run: its configuration, mostly · 2 usage
#   3 the project has no ESLint
set -uo pipefail

DIRECTORY=${DIRECTORY:-}
SCAN_REPORT=${SCAN_REPORT:-}

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

[[ -n $DIRECTORY ]] || usage 'DIRECTORY is not set'
[[ $SCAN_REPORT == /* ]] || usage 'SCAN_REPORT must be an absolute path'
mkdir -p -- "$(dirname -- "$SCAN_REPORT")" || usage 'SCAN_REPORT cannot be written'
rm -f -- "$SCAN_REPORT"
cd -- "$DIRECTORY" || usage 'DIRECTORY is no directory'

# Never another one than the lock file's: npx would ask, and then fetch whatever is newest.
npx --no-install eslint --version || {
  annotate error "there is no ESLint among what the lock file of $DIRECTORY installs"
  exit 3
}
rc=0
npx --no-install eslint --format json --output-file "$SCAN_REPORT" . || rc=$?
# 1 is that something was found.
if ((rc > 1)) || [[ ! -s $SCAN_REPORT ]]; then
  annotate error "ESLint did not finish in $DIRECTORY: the log has what it said"
  exit 1
fi
