#!/usr/bin/env bash
# Compares what one stack describes with what is there, and says what kind of difference there is. It changes nothing
# and takes no lock.
#
# Environment
#   RESULT_DIR      where result.json is written; it is created
#   GITHUB_SHA      the commit that is checked out, with its history
#   TF_STATE_BUCKET, TF_STATE_KEY, TF_LOCK_MODE, TF_LOCK_TABLE, EXPECTED_ACCOUNT_ID, AWS_REGION
#                   as wait-for-lock.sh takes them
#   WAIT_TIMEOUT    seconds to wait for somebody else's lock (default: 300)
#   TF_COMMAND, STACK_DIRECTORY, BACKEND
#                   as terraform-init.sh takes them
#   COLOR_VARIABLE, OUTPUT_NAME, OUTPUT_VALUES
#                   of a stack with two colours, as active-color.sh and terraform-plan.sh take them (default: none)
#   SOURCES         JSON: paths from the root of the repository that are the sources, where they are not those of
#                   STACK_DIRECTORY: what CDKTF synthesises is in no commit (default: [])
#   IMAGE_VARIABLE  the input variable that takes the golden image; it is planned with the one on record (default: none)
#   ENVIRONMENT, STACK, PUBLISH, VARIABLES, VAR_FILES, VARIABLE_…, SECRET_…
#                   as terraform-plan.sh takes them
#   RUNNER_TEMP     private working files (default: /tmp)
# Writes
#   RESULT_DIR/result.json: {environment, stack, class, fingerprint, drifted, changes, message, commit}
#   class           clean         what is described is there
#                   outputs-only  only outputs would change
#                   drift         something was changed outside of Terraform, or a plan has changes although the
#                                 sources are those that were applied last
#                   pending       a plan has changes, and the sources have some that were not applied
#                   locked        somebody works on the state, or did while it was looked at: nothing can be said
#                   no-backend    the bucket of the state does not exist
#                   error         it could not be found out; also where a lock seems to have been left behind
#   drifted         [{address, action}] what was changed outside of Terraform
#   changes         [{address, action}] what a plan would do
#   fingerprint     SHA-256 of both; empty where nothing was planned
# Outputs
#   class
# Exit codes
#   0 classified, whatever the class · 1 the result could not be written · 2 usage
#
# What was applied last stands in the ledger that record-apply.sh keeps. The sources of a stack are its directory, or
# SOURCES, the local modules that `init` found and its variable files. A value that GitHub or the manifest holds is
# none: where it changes, and nothing is applied, that is drift.
set -uo pipefail

RESULT_DIR=${RESULT_DIR:-}
GITHUB_SHA=${GITHUB_SHA:-}
ENVIRONMENT=${ENVIRONMENT:-}
STACK=${STACK:-}
STACK_DIRECTORY=${STACK_DIRECTORY:-}
VAR_FILES=${VAR_FILES:-[]}
SOURCES=${SOURCES:-[]}
IMAGE_VARIABLE=${IMAGE_VARIABLE:-}
TF_STATE_BUCKET=${TF_STATE_BUCKET:-}
TF_STATE_KEY=${TF_STATE_KEY:-}
EXPECTED_ACCOUNT_ID=${EXPECTED_ACCOUNT_ID:-}
AWS_REGION=${AWS_REGION:-}
export WAIT_TIMEOUT=${WAIT_TIMEOUT:-300}
output=${GITHUB_OUTPUT:-/dev/null}
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

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
[[ -n $RESULT_DIR ]] || usage 'RESULT_DIR is not set'
[[ $ENVIRONMENT =~ $slug ]] || usage 'ENVIRONMENT must be a slug'
[[ $STACK =~ $slug ]] || usage 'STACK must be a slug'
[[ $GITHUB_SHA =~ ^([0-9a-f]{40}|[0-9a-f]{64})$ ]] || usage 'GITHUB_SHA must be a whole commit id'
[[ -n $STACK_DIRECTORY && -d $STACK_DIRECTORY ]] || usage 'STACK_DIRECTORY must be a directory'
jq -e -s 'length == 1 and (.[0] | type == "array" and all(.[]; type == "string" and test("\\A[^/-][^\\p{Cc}]*\\z")))' <<<"$SOURCES" >/dev/null 2>&1 ||
  usage 'SOURCES must be a JSON array of paths'
[[ -z $IMAGE_VARIABLE || $IMAGE_VARIABLE =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]] || usage 'IMAGE_VARIABLE must name an input variable'
[[ $RESULT_DIR != -* ]] || RESULT_DIR=./$RESULT_DIR
mkdir -p -- "$RESULT_DIR" || usage 'RESULT_DIR cannot be created'
rm -f -- "$RESULT_DIR/result.json" 2>/dev/null || true

readable=$(umask)
umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/detect-drift.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT
printf '{"drift": [], "destructive": [], "changed": []}' >"$work/nothing.json"
summary_json=$work/nothing.json

# finish CLASS MESSAGE: writes the result, and ends. A message holds no value of anything.
finish() {
  local fingerprint=
  [[ $summary_json == "$work/nothing.json" ]] ||
    fingerprint=$(jq -c -S '[.drift, .destructive + .changed | sort_by(.address, .action)[] | [.address, .action]]' "$summary_json" | sha256sum | cut -d ' ' -f 1)
  umask "$readable"
  jq --arg environment "$ENVIRONMENT" --arg stack "$STACK" --arg class "$1" --arg message "$2" --arg commit "$GITHUB_SHA" \
    --arg fingerprint "$fingerprint" '
    def short: map({address, action});
    {$environment, $stack, $class, $fingerprint, drifted: (.drift | short),
     changes: (.destructive + .changed | sort_by(.address, .action) | short), $message, $commit}' \
    "$summary_json" >"$RESULT_DIR/result.json" || {
    annotate error 'the result cannot be written'
    exit 1
  }
  printf 'class=%s\n' "$1" >>"$output"
  printf '%s/%s: %s: %s\n' "$ENVIRONMENT" "$STACK" "$1" "$2"
  exit 0
}

# look TIMEOUT: who holds the lock. What is no mistake of this run is not shown as one.
look() {
  local rc=0
  : >"$work/lock.out"
  WAIT_TIMEOUT=$1 GITHUB_OUTPUT=$work/lock.out bash "$here/wait-for-lock.sh" >"$work/lock.log" 2>&1 || rc=$?
  if ((rc == 3)) || grep -qx 'backend=missing' "$work/lock.out"; then
    sed 's/^::error::/::notice::/' "$work/lock.log"
  else
    cat -- "$work/lock.log"
  fi
  case $rc in
    0) ;;
    3) finish locked 'somebody works on the state: it was not looked at' ;;
    # Nobody would look at this stack again, and nobody would notice.
    4)
      finish error "the lock of the state may have been left behind: $(jq -n -r -R '
        [inputs | capture("\\Alock_(?<key>who|created)=(?<value>.*)\\z")] | from_entries
        | (.created | try "\((now - (sub("\\.\\d+"; "") | fromdateiso8601)) / 3600 | floor) hours, since \(.)" catch "an unknown time") as $age
        | "\(if .who == "" then "somebody" else .who end) has held it for \($age)"' "$work/lock.out")"
      ;;
    *)
      ! grep -qx 'backend=missing' "$work/lock.out" || finish no-backend 'the bucket of the state does not exist: there is nothing to compare with'
      finish error 'whether the state is locked could not be found out'
      ;;
  esac
}

# state: which version of the state there is.
state() {
  if aws s3api head-object --bucket "$TF_STATE_BUCKET" --key="$TF_STATE_KEY" --region "$AWS_REGION" \
    --expected-bucket-owner "$EXPECTED_ACCOUNT_ID" --output json >"$work/state.json" 2>"$work/errors"; then
    version=$(jq -r '"\(.ETag) \(.VersionId)"' "$work/state.json") && return
  elif grep -q '(404)' "$work/errors"; then
    version=none
    return
  fi
  annotate error "the state does not answer: $(head -c 2000 "$work/errors")"
  finish error 'which version of the state there is could not be found out'
}

# record NEEDED: what was applied last, in $commit and $action, and the golden image in $image. NEEDED says what for.
record() {
  if ! aws s3api get-object --bucket "$TF_STATE_BUCKET" --key "_pyfleet/applied/$ENVIRONMENT/$STACK.json" --region "$AWS_REGION" \
    --expected-bucket-owner "$EXPECTED_ACCOUNT_ID" --output json "$work/ledger.json" >/dev/null 2>"$work/errors"; then
    if grep -q '(NoSuchKey)' "$work/errors"; then
      finish pending "$1, and nothing is on record as applied yet"
    fi
    annotate error "what was applied last is not known: $(head -c 2000 "$work/errors")"
    finish error "$1, and the record of what was applied last did not answer"
  fi
  read -r commit action image < <(jq -r -s '
    if length == 1 and (.[0] | type == "object" and (.commit | type == "string" and test("\\A([0-9a-f]{40}|[0-9a-f]{64})\\z"))
      and (.action | type == "string" and test("\\A[a-z]{1,20}\\z"))) then .[0] else error("no record") end
    | "\(.commit) \(.action) \(.image.id? // "" | if type == "string" and test("\\A[A-Za-z0-9][A-Za-z0-9._/-]{0,199}\\z") then . else "" end)"' \
    "$work/ledger.json" 2>/dev/null) || finish error "$1, and the record of what was applied last is unreadable"
}

look "$WAIT_TIMEOUT"
state
planned=$version

if [[ -n $IMAGE_VARIABLE ]]; then
  record 'its golden image is that of the last apply'
  [[ -n $image ]] || finish pending 'its golden image is that of the last apply, whose record names none: the next apply writes it down'
  export "TF_VAR_$IMAGE_VARIABLE=$image"
  printf 'planned with the golden image %s, which is on record\n' "$image"
fi

bash "$here/terraform-init.sh" || finish error 'the stack could not be initialised'

if [[ -n ${COLOR_VARIABLE:-} ]]; then
  ACTION=plan REQUESTED=keep GITHUB_OUTPUT=$work/color.out bash "$here/active-color.sh" ||
    finish error 'which colour is live could not be read from the state'
  COLOR=$(sed -n 's/^color=//p' "$work/color.out")
  export COLOR
fi

rc=0
PLAN_DIR=$work/plan PLAN_FILE='' LOCK=false REFRESH=true DESTROY=false GITHUB_OUTPUT=$work/plan.out bash "$here/terraform-plan.sh" || rc=$?
case $rc in
  0) ;;
  3) finish error 'the plan is errored or incomplete' ;;
  4) finish error 'a variable or a secret that the plan needs is empty' ;;
  *) finish error 'it could not be planned' ;;
esac
class=$(jq -r 'if .drift != [] then "drift" else .class end' "$work/plan/plan-summary.json") || finish error 'the plan could not be read'
case $class in
  none) finish clean 'what is described is there' ;;
  outputs-only) finish outputs-only 'only outputs would change' ;;
esac
# An apply that has begun since then looks like drift, and so does one that has come and gone.
look 0
state
[[ $version == "$planned" ]] || finish locked 'an apply went on meanwhile: what was planned is not what is there'
summary_json=$work/plan/plan-summary.json
[[ $class != drift ]] || finish drift 'it was changed outside of Terraform'

# A plan has changes: what was applied last?
record 'a plan has changes'
[[ $action != destroy ]] || finish pending 'it was destroyed on purpose; an apply would make it again'

# What is checked out has no contents of older files, and no credentials to fetch them: names are enough.
export GIT_NO_LAZY_FETCH=1
git cat-file -e "$commit^{commit}" 2>/dev/null ||
  finish drift "a plan has changes, and the commit that was applied last, ${commit:0:12}, is not in the history"
sources=(./)
# The root of the repository has no name.
[[ $SOURCES == '[]' ]] || mapfile -t sources < <(jq -r '.[] | if . == "." then "" else . end' <<<"$SOURCES")
while IFS= read -r -d '' path; do
  [[ $path == ../* ]] || path=./$path
  sources+=("$path")
done < <({
  printf '%s' "$VAR_FILES" | jq -j '.[] | "\(.)\u0000"'
  # A module that was downloaded has its version in the sources that ask for it.
  jq -j '.Modules[].Dir | select(. != "." and (startswith(".terraform/") | not)) | "\(.)\u0000"' "$STACK_DIRECTORY/.terraform/modules/modules.json" 2>/dev/null
})
for path in "${sources[@]}"; do
  applied=$(git -C "$STACK_DIRECTORY" rev-parse --quiet --verify "$commit:$path" 2>/dev/null) || applied=none
  present=$(git -C "$STACK_DIRECTORY" rev-parse --quiet --verify "$GITHUB_SHA:$path" 2>/dev/null) || present=none
  [[ $applied == "$present" ]] ||
    finish pending "the sources have changes that were not applied: ${commit:0:12} was applied last"
done
finish drift "a plan has changes, although the sources are those of ${commit:0:12}, which was applied last"
