#!/usr/bin/env bash
# Hands a saved plan over to the job that applies it, and says by what that job will know it again.
#
# Environment
#   MODE                 s3 | encrypted-artifact
#   PLAN_FILE            the saved plan; it is removed, whatever becomes of it here
#   TF_COMMAND           terraform | tofu, whose version is recorded
#   GITHUB_SHA           the commit that was planned
#   With MODE=s3
#   ENVIRONMENT          slug of the environment
#   STACK                slug of the stack
#   GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT
#   TF_STATE_BUCKET      the bucket that the plan goes to, under _plans/
#   EXPECTED_ACCOUNT_ID  the account that must own it
#   AWS_REGION           its region
#   With MODE=encrypted-artifact
#   HANDOFF_DIR          where plan.enc is written; it is created
#   PASSPHRASE           at least 16 characters
#   RUNNER_TEMP          private working files (default: /tmp)
# Outputs
#   plan_key             the object's key, or plan.enc
#   plan_sha256          of the plan itself, not of what it is encrypted to
#   tool_version         the plan can be applied by this one only
#   commit               the commit that was planned
# Exit codes
#   0 handed over · 1 the tool, AWS or openssl failed, or another plan is there already · 2 usage
#
# A saved plan holds secrets in clear, and whoever may read the repository may read its artifacts. The role
# that plans may write plans and need not be able to read them. No plan is ever overwritten.
set -uo pipefail

MODE=${MODE:-}
PLAN_FILE=${PLAN_FILE:-}
TF_COMMAND=${TF_COMMAND:-}
GITHUB_SHA=${GITHUB_SHA:-}
ENVIRONMENT=${ENVIRONMENT:-}
STACK=${STACK:-}
GITHUB_RUN_ID=${GITHUB_RUN_ID:-}
GITHUB_RUN_ATTEMPT=${GITHUB_RUN_ATTEMPT:-}
TF_STATE_BUCKET=${TF_STATE_BUCKET:-}
EXPECTED_ACCOUNT_ID=${EXPECTED_ACCOUNT_ID:-}
AWS_REGION=${AWS_REGION:-}
HANDOFF_DIR=${HANDOFF_DIR:-}
PASSPHRASE=${PASSPHRASE:-}
# Only openssl is told.
export -n PASSPHRASE
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

failed() {
  annotate error "$1"
  exit 1
}

# Where the file system lets it, nothing of the plan stays on the disk.
wipe() {
  shred -u -- "$1" 2>/dev/null || rm -f -- "$1"
}

work=
end() {
  wipe "$PLAN_FILE"
  [[ -n $work ]] || return 0
  [[ ! -e $work/there ]] || wipe "$work/there"
  rm -rf -- "$work"
}

[[ $PLAN_FILE != -* ]] || PLAN_FILE=./$PLAN_FILE
[[ -f $PLAN_FILE && ! -L $PLAN_FILE ]] || usage 'PLAN_FILE must be a saved plan'
PLAN_FILE=$(cd -- "$(dirname -- "$PLAN_FILE")" && pwd)/${PLAN_FILE##*/}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

slug='^[a-z][a-z0-9-]{0,99}$'
[[ $TF_COMMAND == terraform || $TF_COMMAND == tofu ]] || usage 'TF_COMMAND must be terraform or tofu'
command -v "$TF_COMMAND" >/dev/null || usage "$TF_COMMAND is not installed"
[[ $GITHUB_SHA =~ ^([0-9a-f]{40}|[0-9a-f]{64})$ ]] || usage 'GITHUB_SHA must be a whole commit id'
case $MODE in
  s3)
    [[ $ENVIRONMENT =~ $slug ]] || usage 'ENVIRONMENT must be a slug'
    [[ $STACK =~ $slug ]] || usage 'STACK must be a slug'
    [[ $GITHUB_RUN_ID =~ ^[1-9][0-9]{0,19}$ ]] || usage 'GITHUB_RUN_ID must be the number of a run'
    [[ $GITHUB_RUN_ATTEMPT =~ ^[1-9][0-9]{0,5}$ ]] || usage 'GITHUB_RUN_ATTEMPT must be the number of an attempt'
    [[ $TF_STATE_BUCKET =~ ^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$ ]] || usage 'TF_STATE_BUCKET must be the name of a bucket'
    [[ $EXPECTED_ACCOUNT_ID =~ ^[0-9]{12}$ ]] || usage 'EXPECTED_ACCOUNT_ID must be the number of an account'
    [[ $AWS_REGION =~ ^[a-z]{2}(-[a-z]+)+-[0-9]$ ]] || usage 'AWS_REGION must be a region'
    ;;
  encrypted-artifact)
    [[ -n $HANDOFF_DIR ]] || usage 'HANDOFF_DIR is not set'
    ((${#PASSPHRASE} >= 16)) || usage 'PASSPHRASE must have 16 characters or more'
    command -v openssl >/dev/null || usage 'openssl is not installed'
    ;;
  *) usage 'MODE must be s3 or encrypted-artifact' ;;
esac

umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/handoff-put.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'

digest() {
  sha256sum <"$1" | cut -d ' ' -f 1
}

# Asks AWS about the plan's object. Where it says no, $failure is its code for the reason.
ask() {
  failure=
  aws s3api "$1" --bucket "$TF_STATE_BUCKET" --key "$plan_key" --expected-bucket-owner "$EXPECTED_ACCOUNT_ID" \
    --region "$AWS_REGION" --output json "${@:2}" >/dev/null 2>"$work/errors" && return 0
  failure=$(sed -n 's/.*An error occurred (\([A-Za-z0-9.]*\)).*/\1/p' "$work/errors" | head -n 1)
  [[ -n $failure ]] || failure=unknown
  return 1
}

to_s3() {
  plan_key=_plans/$GITHUB_RUN_ID-$GITHUB_RUN_ATTEMPT/$ENVIRONMENT/$STACK.tfplan
  ask put-object --body "$PLAN_FILE" --if-none-match '*' && return 0
  [[ $failure == PreconditionFailed ]] ||
    failed "the plan could not be put to s3://$TF_STATE_BUCKET/$plan_key: $(head -c 2000 "$work/errors")"
  # A call that was repeated, because its answer was lost.
  ask get-object "$work/there" ||
    failed "a plan is at s3://$TF_STATE_BUCKET/$plan_key already, and which one is unknown: plan again, re-run all jobs. $(head -c 2000 "$work/errors")"
  [[ $(digest "$work/there") == "$plan_sha256" ]] ||
    failed "another plan is at s3://$TF_STATE_BUCKET/$plan_key already, it is not overwritten: plan again, re-run all jobs"
}

to_artifact() {
  plan_key=plan.enc
  PASSPHRASE=$PASSPHRASE openssl enc -aes-256-cbc -pbkdf2 -iter 600000 -salt -pass env:PASSPHRASE \
    -in "$PLAN_FILE" -out "$work/plan.enc" 2>"$work/errors" ||
    failed "the plan could not be encrypted: $(head -c 2000 "$work/errors")"
  { mkdir -p -- "$HANDOFF_DIR" && mv -f -- "$work/plan.enc" "$HANDOFF_DIR/plan.enc"; } 2>"$work/errors" ||
    failed "the encrypted plan could not be written: $(head -c 2000 "$work/errors")"
}

tool_version=$("$TF_COMMAND" version -json 2>"$work/errors" | jq -r .terraform_version 2>/dev/null) || tool_version=
[[ $tool_version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] ||
  failed "$TF_COMMAND does not tell its version: $(head -c 2000 "$work/errors")"
plan_sha256=$(digest "$PLAN_FILE") || plan_sha256=
[[ $plan_sha256 =~ ^[0-9a-f]{64}$ ]] || failed 'PLAN_FILE cannot be read'

if [[ $MODE == s3 ]]; then
  to_s3
else
  to_artifact
fi
printf '%s\n' "plan_key=$plan_key" "plan_sha256=$plan_sha256" "tool_version=$tool_version" "commit=$GITHUB_SHA" >>"$output"
printf 'handed over: %s, SHA-256 %s, %s %s\n' "$plan_key" "$plan_sha256" "$TF_COMMAND" "$tool_version"
