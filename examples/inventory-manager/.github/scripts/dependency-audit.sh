#!/usr/bin/env bash
# Asks for known vulnerabilities of dependencies, and leaves the answer as a report.
#
# Environment
#   SCANNER         npm-audit | pip-audit | safety
#   DIRECTORY       what it looks at
#   REQUIREMENTS    the requirements file in it, for pip-audit
#   SAFETY_API_KEY  the key, for safety
#   SCAN_REPORT     where the report is left, as JSON; it is not judged here
# Exit codes
#   0 the report is there, whatever it holds · 1 nobody answered: no answer is no clean bill · 2 usage
#   3 there is no lock file to ask about
set -uo pipefail

SCANNER=${SCANNER:-}
DIRECTORY=${DIRECTORY:-}
REQUIREMENTS=${REQUIREMENTS:-}
SAFETY_API_KEY=${SAFETY_API_KEY:-}
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

unanswered() {
  annotate error "the advisories for $DIRECTORY cannot be asked for: $1"
  exit 1
}

[[ -n $DIRECTORY ]] || usage 'DIRECTORY is not set'
[[ $SCAN_REPORT == /* ]] || usage 'SCAN_REPORT must be an absolute path'
mkdir -p -- "$(dirname -- "$SCAN_REPORT")" || usage 'SCAN_REPORT cannot be written'
rm -f -- "$SCAN_REPORT"
cd -- "$DIRECTORY" || usage 'DIRECTORY is no directory'

# All of them exit with another code where they find something: whether they have looked is read from the report.
rc=0
case $SCANNER in
  npm-audit)
    if [[ ! -f package-lock.json && ! -f npm-shrinkwrap.json ]]; then
      annotate error "$DIRECTORY has no package-lock.json: what is installed there is not known"
      exit 3
    fi
    npm audit --json --package-lock-only >"$SCAN_REPORT" || rc=$?
    reason=$(jq -r 'if .auditReportVersion == 2 then empty else (.message // .error.summary // "no report") end' "$SCAN_REPORT" 2>/dev/null) ||
      reason='no report'
    [[ -s $SCAN_REPORT ]] || reason='no report'
    ;;
  pip-audit)
    [[ -n $REQUIREMENTS ]] || usage 'REQUIREMENTS is not set'
    pip-audit --requirement "$REQUIREMENTS" --format json --output "$SCAN_REPORT" || rc=$?
    reason=
    [[ -s $SCAN_REPORT ]] || reason="pip-audit ended with $rc; the log has what it said"
    ;;
  safety)
    [[ -n $SAFETY_API_KEY ]] || unanswered 'the secret that holds the key of Safety is empty'
    # Its screen goes to the log.
    safety --stage cicd scan --target . --save-as json "$SCAN_REPORT" </dev/null || rc=$?
    reason=
    # 64 is that something was found.
    [[ $rc == 0 || $rc == 64 ]] && [[ -s $SCAN_REPORT ]] || reason="Safety ended with $rc; the log has what it said"
    ;;
  *) usage 'SCANNER must be npm-audit, pip-audit or safety' ;;
esac
[[ -z $reason ]] || {
  rm -f -- "$SCAN_REPORT"
  unanswered "$reason"
}
