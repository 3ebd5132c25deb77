#!/usr/bin/env bash
# Takes the saved plan that was handed over: this very one, or none.
#
# Environment
#   MODE                 s3 | encrypted-artifact
#   RUN_KEY              plan_key as handoff-put.sh said it
#   SHA256               plan_sha256 as it said it
#   COMMIT               the commit that was planned
#   TOOL_VERSION         the version that planned
#   GITHUB_SHA           the commit that is applied
#   TF_COMMAND           terraform | tofu, which applies
#   PLAN_FILE            where the plan is put, for its owner only; nothing is overwritten
#   With MODE=s3
#   ENVIRONMENT, STACK   the slugs that the plan must have been made for
#   TF_STATE_BUCKET      the bucket that it is in
#   EXPECTED_ACCOUNT_ID  the account that must own it
#   AWS_REGION           its region
#   With MODE=encrypted-artifact
#   HANDOFF_DIR          where plan.enc is
#   PASSPHRASE           what it was encrypted with
#   RUNNER_TEMP          private working files (default: /tmp)
# Exit codes
#   0 it is at PLAN_FILE · 1 the tool or AWS failed · 2 usage · 3 missing or expired · 4 it is another plan,
#   damaged, or encrypted with another passphrase · 5 made of another commit or by another version
#
# Unless it exits with 0, it leaves nothing at PLAN_FILE.
set -uo pipefail

MODE=${MODE:-}
RUN_KEY=${RUN_KEY:-}
SHA256=${SHA256:-}
COMMIT=${COMMIT:-}
TOOL_VERSION=${TOOL_VERSION:-}
GITHUB_SHA=${GITHUB_SHA:-}
TF_COMMAND=${TF_COMMAND:-}
PLAN_FILE=${PLAN_FILE:-}
ENVIRONMENT=${ENVIRONMENT:-}
STACK=${STACK:-}
TF_STATE_BUCKET=${TF_STATE_BUCKET:-}
EXPECTED_ACCOUNT_ID=${EXPECTED_ACCOUNT_ID:-}
AWS_REGION=${AWS_REGION:-}
HANDOFF_DIR=${HANDOFF_DIR:-}
PASSPHRASE=${PASSPHRASE:-}
# Only openssl is told.
export -n PASSPHRASE

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

# refused CODE MESSAGE
refused() {
  annotate error "$2"
  exit "$1"
}

slug='^[a-z][a-z0-9-]{0,99}$'
commit='^([0-9a-f]{40}|[0-9a-f]{64})$'
version='^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$'
[[ $TF_COMMAND == terraform || $TF_COMMAND == tofu ]] || usage 'TF_COMMAND must be terraform or tofu'
command -v "$TF_COMMAND" >/dev/null || usage "$TF_COMMAND is not installed"
[[ $SHA256 =~ ^[0-9a-f]{64}$ ]] || usage 'SHA256 must be the SHA-256 of a plan'
[[ $COMMIT =~ $commit ]] || usage 'COMMIT must be a whole commit id'
[[ $GITHUB_SHA =~ $commit ]] || usage 'GITHUB_SHA must be a whole commit id'
[[ $TOOL_VERSION =~ $version ]] || usage 'TOOL_VERSION must be a version'
[[ -n $PLAN_FILE ]] || usage 'PLAN_FILE is not set'
[[ $PLAN_FILE != -* ]] || PLAN_FILE=./$PLAN_FILE
[[ ! -e $PLAN_FILE && ! -L $PLAN_FILE ]] || usage 'PLAN_FILE exists, it is not overwritten'
[[ -d $(dirname -- "$PLAN_FILE") ]] || usage 'PLAN_FILE must lie in a directory'
case $MODE in
  s3)
    [[ $ENVIRONMENT =~ $slug ]] || usage 'ENVIRONMENT must be a slug'
    [[ $STACK =~ $slug ]] || usage 'STACK must be a slug'
    [[ $RUN_KEY =~ ^_plans/[1-9][0-9]*-[1-9][0-9]*/"$ENVIRONMENT/$STACK".tfplan$ ]] ||
      usage 'RUN_KEY must be the key of a plan of this environment and stack'
    [[ $TF_STATE_BUCKET =~ ^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$ ]] || usage 'TF_STATE_BUCKET must be the name of a bucket'
    [[ $EXPECTED_ACCOUNT_ID =~ ^[0-9]{12}$ ]] || usage 'EXPECTED_ACCOUNT_ID must be the number of an account'
    [[ $AWS_REGION =~ ^[a-z]{2}(-[a-z]+)+-[0-9]$ ]] || usage 'AWS_REGION must be a region'
    ;;
  encrypted-artifact)
    [[ $RUN_KEY == plan.enc ]] || usage 'RUN_KEY must be plan.enc'
    [[ $HANDOFF_DIR != -* ]] || HANDOFF_DIR=./$HANDOFF_DIR
    [[ -n $HANDOFF_DIR ]] || usage 'HANDOFF_DIR is not set'
    [[ -n $PASSPHRASE ]] || usage 'PASSPHRASE is not set'
    command -v openssl >/dev/null || usage 'openssl is not installed'
    ;;
  *) usage 'MODE must be s3 or encrypted-artifact' ;;
esac

umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/handoff-get.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
end() {
  # Where the file system lets it, nothing of the plan stays on the disk.
  [[ ! -e $work/plan ]] || shred -u -- "$work/plan" 2>/dev/null || rm -f -- "$work/plan"
  rm -rf -- "$work"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

again='plan again: re-run all jobs'
[[ $COMMIT == "$GITHUB_SHA" ]] || refused 5 "the plan was made of commit $COMMIT, this run applies $GITHUB_SHA: $again"
own_version=$("$TF_COMMAND" version -json 2>"$work/errors" | jq -r .terraform_version 2>/dev/null) || own_version=
[[ $own_version =~ $version ]] || refused 1 "$TF_COMMAND does not tell its version: $(head -c 2000 "$work/errors")"
[[ $TOOL_VERSION == "$own_version" ]] ||
  refused 5 "the plan was made by $TF_COMMAND $TOOL_VERSION, this job has $own_version: $again"

from_s3() {
  local failure
  aws s3api get-object --bucket "$TF_STATE_BUCKET" --key "$RUN_KEY" --expected-bucket-owner "$EXPECTED_ACCOUNT_ID" \
    --region "$AWS_REGION" --output json "$work/plan" >/dev/null 2>"$work/errors" && return 0
  failure=$(sed -n 's/.*An error occurred (\([A-Za-z0-9.]*\)).*/\1/p' "$work/errors" | head -n 1)
  [[ $failure != NoSuchKey ]] || refused 3 "the plan $RUN_KEY is not there any more, plans are kept for 7 days; $again"
  refused 1 "the plan $RUN_KEY could not be fetched (a role that may not list the bucket is told 403 of a plan that is missing as well): $(head -c 2000 "$work/errors")"
}

from_artifact() {
  [[ -f $HANDOFF_DIR/plan.enc ]] || refused 3 "the encrypted plan is not there any more, it is kept for a day; $again"
  PASSPHRASE=$PASSPHRASE openssl enc -d -aes-256-cbc -pbkdf2 -iter 600000 -pass env:PASSPHRASE \
    -in "$HANDOFF_DIR/plan.enc" -out "$work/plan" 2>"$work/errors" ||
    refused 4 "the plan cannot be decrypted, it is damaged or has another passphrase: $(head -c 2000 "$work/errors")"
}

if [[ $MODE == s3 ]]; then
  from_s3
else
  from_artifact
fi
# A wrong passphrase decrypts to something in one of 256 cases: the hash is what counts.
found=$(sha256sum <"$work/plan" | cut -d ' ' -f 1)
[[ $found == "$SHA256" ]] || refused 4 "this is not the plan that was made: its SHA-256 is $found, not $SHA256; $again"

# The redirection creates the file or fails.
if ! { (set -o noclobber && cat -- "$work/plan" >"$PLAN_FILE"); } 2>"$work/errors"; then
  rm -f -- "$PLAN_FILE"
  refused 1 "the plan could not be written: $(head -c 2000 "$work/errors")"
fi
printf 'took over the plan %s of commit %s\n' "$SHA256" "$COMMIT"
