#!/usr/bin/env bash
# Saves the state that a failed apply could not write.
#
# Environment
#   TF_COMMAND           terraform | tofu
#   STACK_DIRECTORY      the root module, initialised
#   ENVIRONMENT          slug of the environment
#   STACK                slug of the stack
#   TF_STATE_BUCKET      the bucket of the state
#   EXPECTED_ACCOUNT_ID  the account that must own it
#   AWS_REGION           its region
#   GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT
#   RUNNER_TEMP          private working files (default: /tmp)
# Exit codes
#   0 there is nothing to save, or it is in the backend now · 1 neither the backend nor the bucket took it: the
#   file stays where it is · 2 usage · 6 it is in the bucket under _pyfleet/recovery/, a person must go on
#
# Terraform writes errored.tfstate when resources were changed and the backend did not take the new state. Nothing
# else knows of these resources: an apply without it makes them again, or loses them.
set -uo pipefail

TF_COMMAND=${TF_COMMAND:-}
STACK_DIRECTORY=${STACK_DIRECTORY:-}
ENVIRONMENT=${ENVIRONMENT:-}
STACK=${STACK:-}
TF_STATE_BUCKET=${TF_STATE_BUCKET:-}
EXPECTED_ACCOUNT_ID=${EXPECTED_ACCOUNT_ID:-}
AWS_REGION=${AWS_REGION:-}
GITHUB_RUN_ID=${GITHUB_RUN_ID:-}
GITHUB_RUN_ATTEMPT=${GITHUB_RUN_ATTEMPT:-}
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

slug='^[a-z][a-z0-9-]{0,99}$'
[[ $TF_COMMAND == terraform || $TF_COMMAND == tofu ]] || usage 'TF_COMMAND must be terraform or tofu'
command -v "$TF_COMMAND" >/dev/null || usage "$TF_COMMAND is not installed"
[[ -n $STACK_DIRECTORY && -d $STACK_DIRECTORY ]] || usage 'STACK_DIRECTORY must be a directory'
[[ $STACK_DIRECTORY != -* ]] || STACK_DIRECTORY=./$STACK_DIRECTORY
[[ $ENVIRONMENT =~ $slug ]] || usage 'ENVIRONMENT must be a slug'
[[ $STACK =~ $slug ]] || usage 'STACK must be a slug'
[[ $TF_STATE_BUCKET =~ ^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$ ]] || usage 'TF_STATE_BUCKET must be the name of a bucket'
[[ $EXPECTED_ACCOUNT_ID =~ ^[0-9]{12}$ ]] || usage 'EXPECTED_ACCOUNT_ID must be the number of an account'
[[ $AWS_REGION =~ ^[a-z]{2}(-[a-z]+)+-[0-9]$ ]] || usage 'AWS_REGION must be a region'
[[ $GITHUB_RUN_ID =~ ^[1-9][0-9]{0,19}$ ]] || usage 'GITHUB_RUN_ID must be the number of a run'
[[ $GITHUB_RUN_ATTEMPT =~ ^[1-9][0-9]{0,5}$ ]] || usage 'GITHUB_RUN_ATTEMPT must be the number of an attempt'

state=$(cd -- "$STACK_DIRECTORY" && pwd)/errored.tfstate
if [[ ! -e $state ]]; then
  printf 'there is no state to save: the apply wrote it, or changed nothing\n'
  exit 0
fi

umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/recover-state.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT
# Who cancels the run for a second time does not mean this. The runner kills what lives on after ten seconds.
trap '' INT TERM

# Shows text that must not be taken for workflow commands.
show() {
  local token
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$token"
  cat -- "$@"
  printf '\n::%s::\n' "$token"
}

# What a state says of resources and outputs: pushed as the first one of a stack, it gets another lineage. Terraform
# takes a file without any for an empty state, and pushes that over whatever there is.
content() {
  jq -s -S -c 'if length == 1 and (.[0] | .version == 4 and (.lineage | type == "string" and . != "")
      and (.resources | type == "array") and (.outputs | type == "object"))
    then .[0] | {outputs, resources} else error("no state") end' 2>/dev/null
}

# Whether the backend has this state, by what it says itself: a push can take effect and fail.
is_pushed() {
  "$TF_COMMAND" -chdir="$STACK_DIRECTORY" state pull 2>/dev/null | content >"$work/there" || return 1
  cmp -s -- "$work/here" "$work/there"
}

# A queued run may have taken the lock when the apply gave it back. Nothing is forced: a newer state in the backend
# is somebody else's.
push() {
  "$TF_COMMAND" -chdir="$STACK_DIRECTORY" state push -no-color -lock-timeout=120s errored.tfstate >"$work/push.log" 2>&1
  show "$work/push.log"
}

if content <"$state" >"$work/here" && { is_pushed || { push && is_pushed; }; }; then
  shred -u -- "$state" 2>/dev/null || rm -f -- "$state"
  annotate warning "$ENVIRONMENT/$STACK: the apply could not write its state; it is written now. Look at what failed, then plan again"
  exit 0
fi

# Asks AWS about the object $key. Where it says no, $failure is its code for the reason.
ask() {
  failure=
  aws s3api "$1" --bucket "$TF_STATE_BUCKET" --key "$key" --expected-bucket-owner "$EXPECTED_ACCOUNT_ID" \
    --region "$AWS_REGION" --output json "${@:2}" >/dev/null 2>"$work/errors" && return 0
  failure=$(sed -n 's/.*An error occurred (\([A-Za-z0-9.]*\)).*/\1/p' "$work/errors" | head -n 1)
  [[ -n $failure ]] || failure=unknown
  return 1
}

# Nothing is overwritten: a job that also takes an apply back can fail to write two states.
save() {
  local run=_pyfleet/recovery/$ENVIRONMENT/$STACK/$GITHUB_RUN_ID-$GITHUB_RUN_ATTEMPT
  local sha256
  sha256=$(sha256sum <"$state" | cut -d ' ' -f 1)
  for key in "$run.tfstate" "$run-${sha256:0:12}.tfstate"; do
    ask put-object --body "$state" --if-none-match '*' && return 0
    [[ $failure == PreconditionFailed ]] || return 1
    ask get-object "$work/there" || return 1
    ! cmp -s -- "$state" "$work/there" || return 0
  done
  return 1
}

stop="$ENVIRONMENT/$STACK: do not re-apply. The apply changed resources that the state in the backend does not know of"
if ! save; then
  annotate error "$stop, and neither the backend nor the bucket took the new state: it is in $state, and goes with the runner. \
Fetch it from there, or import the resources that the apply's log names. The bucket said: $(head -c 2000 "$work/errors")"
  exit 1
fi

directory=$(printf '%q' "$STACK_DIRECTORY")
cat >"$work/commands" <<END
aws s3api get-object --bucket $TF_STATE_BUCKET --key $key --expected-bucket-owner $EXPECTED_ACCOUNT_ID --region $AWS_REGION $directory/errored.tfstate
$TF_COMMAND -chdir=$directory state push errored.tfstate
rm $directory/errored.tfstate
END
how='In a checkout of this commit that is initialised, with a role that may write the state, when the lock is free:'
but='A push that is refused for a newer serial or another lineage met a state that somebody wrote later: compare the two before any -force.'
annotate error "$stop. The new state is saved as s3://$TF_STATE_BUCKET/$key"
printf '%s\n' "$how"
show "$work/commands"
printf '%s\n' "$but"
cat >>"$summary" <<END
### ❌ Do not re-apply \`$STACK\` in \`$ENVIRONMENT\`

The apply changed resources that the state in the backend does not know of. The new state is saved as \`$key\`.

$how

\`\`\`sh
$(<"$work/commands")
\`\`\`

$but

END
exit 6
