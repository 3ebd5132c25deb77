#!/usr/bin/env bash
# Writes down that an image has proven itself in an environment: it runs there, configured, and what was asked of it
# was answered. Later runs take the newest image of which this is known.
#
# Environment
#   IMAGE_ID             the image
#   ENVIRONMENT          slug of the environment
#   STACK                slug of the stack
#   TF_STATE_BUCKET      the bucket of the state
#   EXPECTED_ACCOUNT_ID  the account that must own it
#   AWS_REGION           its region
#   RUNNER_TEMP          private working files (default: /tmp)
# Writes
#   s3://TF_STATE_BUCKET/_pyfleet/applied/ENVIRONMENT/STACK.json: the newest record, with image.good_at
# Exit codes
#   0 recorded, or known before · 1 AWS did not answer · 2 usage · 3 what is on record is not this image
set -uo pipefail

IMAGE_ID=${IMAGE_ID:-}
ENVIRONMENT=${ENVIRONMENT:-}
STACK=${STACK:-}
TF_STATE_BUCKET=${TF_STATE_BUCKET:-}
EXPECTED_ACCOUNT_ID=${EXPECTED_ACCOUNT_ID:-}
AWS_REGION=${AWS_REGION:-}

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

slug='^[a-z][a-z0-9-]{0,99}$'
[[ $IMAGE_ID =~ ^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$ ]] || usage 'IMAGE_ID must be the id of an image'
[[ $ENVIRONMENT =~ $slug ]] || usage 'ENVIRONMENT must be a slug'
[[ $STACK =~ $slug ]] || usage 'STACK must be a slug'
[[ $TF_STATE_BUCKET =~ ^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$ ]] || usage 'TF_STATE_BUCKET must be the name of a bucket'
[[ $EXPECTED_ACCOUNT_ID =~ ^[0-9]{12}$ ]] || usage 'EXPECTED_ACCOUNT_ID must be the number of an account'
[[ $AWS_REGION =~ ^[a-z]{2,4}(-[a-z]+)+-[0-9]$ ]] || usage 'AWS_REGION must be a region'
umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/record-image.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT
key=_pyfleet/applied/$ENVIRONMENT/$STACK.json

s3() {
  aws s3api "$@" --bucket "$TF_STATE_BUCKET" --key "$key" --expected-bucket-owner "$EXPECTED_ACCOUNT_ID" --region "$AWS_REGION" --output json 2>"$work/errors"
}

# failed WHAT: what is live works; only the next run does not know.
failed() {
  annotate error "$IMAGE_ID has proven itself in $ENVIRONMENT/$STACK, only the record of that is missing, $1: run this job again"
  exit 1
}

s3 get-object "$work/record.json" >/dev/null || failed "the record cannot be read: $(head -c 2000 "$work/errors")"
known=$(jq -r -s --arg id "$IMAGE_ID" '
  if length == 1 and (.[0] | type == "object" and (.image | type == "object")) then .[0].image else error("no image") end
  | if .id != $id then "other" elif .good_at | type == "string" then "known" else "new" end' "$work/record.json" 2>/dev/null) || known=other
case $known in
  known)
    printf 'that %s works in %s/%s was known before\n' "$IMAGE_ID" "$ENVIRONMENT" "$STACK"
    exit 0
    ;;
  other)
    annotate error "the newest record of $ENVIRONMENT/$STACK is not of the image $IMAGE_ID: something else was applied since, or it was applied without a record"
    exit 3
    ;;
esac
jq --arg time "$(date -u +%Y-%m-%dT%H:%M:%SZ)" '.image.good_at = $time' "$work/record.json" >"$work/new.json" || failed 'it could not be composed'
s3 put-object --body "$work/new.json" --content-type application/json >/dev/null || failed "the record was not taken: $(head -c 2000 "$work/errors")"
printf '%s is known to work in %s/%s\n' "$IMAGE_ID" "$ENVIRONMENT" "$STACK"
