#!/usr/bin/env bash
# Synthesises one stack with the CDKTF of the program's own lock file, and looks whether it is what the manifest says.
#
# Environment
#   CDKTF_DIRECTORY  the program's directory, in which `npm ci` has run
#   CDKTF_VERSION    the version of its command line
#   STACK            slug of the stack
#   STACK_DIRECTORY  where the stack is put; it is created
#   LOCK_FILE        Terraform's lock file for the stack, as committed
#   BACKEND          JSON: the settings of the S3 backend that the manifest declares
#   ENVIRONMENT      slug of the environment; the program sees it
#   IMAGE_…          the images: REGISTRY/REPOSITORY@sha256:…; the program sees them
#   EXPECTED_IMAGES  JSON: the variables among them whose images the stack runs (default: [])
#   RUNNER_TEMP      private working files (default: /tmp)
# Writes
#   STACK_DIRECTORY: what was synthesised, with .terraform.lock.hcl
# Exit codes
#   0 synthesised · 1 the program failed, its output is shown · 2 usage · 3 the command line is missing, or has another
#   version · 4 there is no such stack, its backend is not the declared one, or it lacks an image · 5 the lock file is
#   missing
#
# A digest is looked for as text: the program may put the image anywhere. Settings of the backend that the manifest does
# not know pass, but for those of a lock.
set -uo pipefail

CDKTF_DIRECTORY=${CDKTF_DIRECTORY:-}
CDKTF_VERSION=${CDKTF_VERSION:-}
STACK=${STACK:-}
STACK_DIRECTORY=${STACK_DIRECTORY:-}
LOCK_FILE=${LOCK_FILE:-}
BACKEND=${BACKEND:-}
ENVIRONMENT=${ENVIRONMENT:-}
EXPECTED_IMAGES=${EXPECTED_IMAGES:-}
[[ -n $EXPECTED_IMAGES ]] || EXPECTED_IMAGES='[]'

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

# Shows text that must not be taken for workflow commands.
show() {
  local token
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$token"
  cat -- "$@"
  printf '\n::%s::\n' "$token"
}

slug='^[a-z][a-z0-9-]{0,99}$'
image='^[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+@(sha256:[0-9a-f]{64})$'
[[ -n $CDKTF_DIRECTORY && -d $CDKTF_DIRECTORY ]] || usage 'CDKTF_DIRECTORY must be a directory'
[[ $CDKTF_VERSION =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || usage 'CDKTF_VERSION must be a version'
[[ $STACK =~ $slug ]] || usage 'STACK must be a slug'
[[ -n $STACK_DIRECTORY && ! -e $STACK_DIRECTORY ]] || usage 'STACK_DIRECTORY must not be there yet'
[[ -n $LOCK_FILE ]] || usage 'LOCK_FILE must be a path'
[[ $ENVIRONMENT =~ $slug ]] || usage 'ENVIRONMENT must be a slug'
jq -e -s 'length == 1 and (.[0] | type == "object" and has("bucket") and has("key") and all(.[]; type == "string"))' \
  <<<"$BACKEND" >/dev/null 2>&1 || usage 'BACKEND must be a JSON object of strings'
names=$(jq -r -s 'if length == 1 and (.[0] | type == "array" and all(.[]; type == "string" and test("\\AIMAGE_[A-Z0-9_]+\\z")))
  then .[0][] else error("usage") end' <<<"$EXPECTED_IMAGES" 2>/dev/null) || usage 'EXPECTED_IMAGES must be a JSON array of variables'
expected=()
[[ -z $names ]] || mapfile -t expected <<<"$names"
for name in "${expected[@]}"; do
  [[ ${!name:-} =~ $image ]] || usage "$name must be an image by its digest: REGISTRY/REPOSITORY@sha256:..."
done

umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/cdktf-synth.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

CDKTF_DIRECTORY=$(cd -- "$CDKTF_DIRECTORY" && pwd -P)
cli=$CDKTF_DIRECTORY/node_modules/.bin/cdktf
installed=$(jq -r '.version | strings' "$CDKTF_DIRECTORY/node_modules/cdktf-cli/package.json" 2>/dev/null) || installed=
if [[ ! -x $cli || -z $installed ]]; then
  annotate error "there is no cdktf-cli in the program's package-lock.json: npm install --save-dev --save-exact cdktf-cli@$CDKTF_VERSION, and commit both files"
  exit 3
fi
if [[ $installed != "$CDKTF_VERSION" ]]; then
  annotate error "the program's package-lock.json has cdktf-cli $installed, and the manifest says $CDKTF_VERSION: make them one"
  exit 3
fi

rc=0
(cd -- "$CDKTF_DIRECTORY" && CI=true CHECKPOINT_DISABLE=1 NO_COLOR=1 "$cli" synth --output "$work/out") >"$work/synth.log" 2>&1 </dev/null || rc=$?
show "$work/synth.log"
if ((rc)); then
  annotate error "cdktf synth failed for $ENVIRONMENT/$STACK: its output is above"
  exit 1
fi
json=$work/out/stacks/$STACK/cdk.tf.json
if [[ ! -f $json ]] || ! jq -e -s 'length == 1 and (.[0] | type == "object")' "$json" >/dev/null 2>&1; then
  there=$(cd -- "$work/out/stacks" 2>/dev/null && printf '%s\n' * | LC_ALL=C tr -d '\000-\011\013-\037\177' | head -n 20 | paste -s -d ' ')
  annotate error "the program synthesises no stack $STACK, but: ${there:-none}"
  exit 4
fi

# What differs, a line each: the setting, what the manifest says, what was synthesised.
differences=$(jq -r --argjson declared "$BACKEND" '
  def shown: if . == null then "nothing" else tostring | .[:200] end;
  (.terraform.backend // {}) as $backends
  | if ($backends | type) != "object" or ($backends | keys) != ["s3"] then "its kind is s3 in the manifest and \($backends | if type == "object" then keys else . end | shown) in what was synthesised"
    else ($backends.s3 | if type == "array" then .[0] else . end) as $own
    | (["bucket", "key", "region", "use_lockfile", "dynamodb_table"][]) as $name
    | ($declared[$name]) as $wanted | ($own[$name] | if . == null or . == false then null else tostring end) as $is
    | select($wanted != $is) | "its \($name) is \($wanted | shown) in the manifest and \($is | shown) in what was synthesised" end' "$json" 2>"$work/errors") || {
  annotate error "the backend of $STACK is not understood: $(head -c 2000 "$work/errors")"
  exit 4
}
if [[ -n $differences ]]; then
  while IFS= read -r difference; do
    annotate error "the backend of $STACK is not the declared one: $difference"
  done <<<"$differences"
  exit 4
fi

missing=
for name in "${expected[@]}"; do
  [[ ${!name} =~ $image ]]
  if ! grep -qF -- "${BASH_REMATCH[4]}" "$json"; then
    annotate error "the program does not use $name: ${!name} is nowhere in what it synthesises for $STACK, so that an older image would be deployed"
    missing=yes
  fi
done
[[ -z $missing ]] || exit 4

if [[ ! -f $LOCK_FILE ]]; then
  annotate error "there is no $LOCK_FILE: synthesise the stack, run terraform providers lock -platform=linux_amd64 in cdktf.out/stacks/$STACK, once more -platform=... for each platform that you work on, and commit its .terraform.lock.hcl there"
  exit 5
fi

cp -- "$LOCK_FILE" "$work/out/stacks/$STACK/.terraform.lock.hcl" || usage 'LOCK_FILE cannot be read'
{ mkdir -p -- "$(dirname -- "$STACK_DIRECTORY")" && cp -R -- "$work/out/stacks/$STACK" "$STACK_DIRECTORY"; } ||
  usage 'STACK_DIRECTORY cannot be written'
printf 'synthesised %s for %s\n' "$STACK" "$ENVIRONMENT"
