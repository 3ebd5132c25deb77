#!/usr/bin/env bash
# Initialises one stack: its backend, and the providers that its lock file names.
#
# Environment
#   TF_COMMAND       terraform | tofu
#   STACK_DIRECTORY  the root module
#   BACKEND          JSON: backend configuration, {"bucket": "…"} (default: {}, as the stack says)
#   RUNNER_TEMP      private working files (default: /tmp)
# Exit codes
#   0 initialised · 1 the tool failed, its output is shown, or the stack has no backend that would
#   take BACKEND · 2 usage
#
# The lock file is read and never written: a provider that nobody has reviewed is not run.
set -uo pipefail

TF_COMMAND=${TF_COMMAND:-}
STACK_DIRECTORY=${STACK_DIRECTORY:-}
BACKEND=${BACKEND:-}
[[ -n $BACKEND ]] || BACKEND='{}'
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

[[ $TF_COMMAND == terraform || $TF_COMMAND == tofu ]] || usage 'TF_COMMAND must be terraform or tofu'
command -v "$TF_COMMAND" >/dev/null || usage "$TF_COMMAND is not installed"
[[ -n $STACK_DIRECTORY && -d $STACK_DIRECTORY ]] || usage 'STACK_DIRECTORY must be a directory'

# Each becomes an argument, one per line: no control characters.
arguments=$(printf '%s' "$BACKEND" | jq -r -s '
  def line: type == "string" and length > 0 and (explode | all(. >= 32));
  if length == 1 and (.[0] | type == "object" and all(keys[]; test("\\A[A-Za-z][A-Za-z0-9_.-]*\\z")) and all(.[]; line))
  then .[0] | to_entries[] | "-backend-config=\(.key)=\(.value)" else error("usage") end' 2>/dev/null) ||
  usage 'BACKEND must be a JSON object of strings'
backend=()
[[ -z $arguments ]] || mapfile -t backend <<<"$arguments"

umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/terraform-init.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

# Shows text that must not be taken for workflow commands.
show() {
  local token
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$token"
  cat -- "$@"
  printf '\n::%s::\n' "$token"
}

failed() {
  annotate error "$1"
  printf '### ❌ %s init failed\n\n%s\n\n' "$TF_COMMAND" "${2:-The log has the output.}" >>"$summary"
  exit 1
}

# Says so where the output has one of these; lines are broken anywhere between words.
says() { tr -s ' \n' ' ' <"$work/init.log" | grep -qiE -e "$1"; }

rc=0
"$TF_COMMAND" -chdir="$STACK_DIRECTORY" init -input=false -reconfigure -lockfile=readonly -no-color "${backend[@]}" \
  >"$work/init.log" 2>&1 || rc=$?
show "$work/init.log"
if ((rc)); then
  platform=$(uname -s | tr '[:upper:]' '[:lower:]')_$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
  if says 'dependency changes detected|inconsistent dependency lock file|match any of the checksums'; then
    # shellcheck disable=SC2016 # Markdown, not a substitution
    failed "$TF_COMMAND init failed: .terraform.lock.hcl is missing, or lacks a provider or its hashes for $platform. Run $TF_COMMAND providers lock -platform=$platform in the stack's directory, once more -platform=… for each platform that you work on, and commit the file" \
      "$(printf 'Write the lock file in the stack'\''s directory, with one `-platform` for each that you work on, and commit it:\n\n```\n%s providers lock -platform=%s\n```' "$TF_COMMAND" "$platform")"
  fi
  # shellcheck disable=SC2016 # Markdown, not a substitution
  if says 'NoSuchBucket|S3 bucket .{0,100}does not exist'; then
    failed "$TF_COMMAND init failed: there is no bucket for the state, or none of this name in this account and region. It is made by the action create-backend of a workflow of kind tf" \
      'There is no bucket for the state. Run the `tf` workflow with the action `create-backend`.'
  fi
  failed "$TF_COMMAND init failed: its output is above"
fi

# Without a backend block the tool only warns, and keeps state in a file that nobody else sees.
if ((${#backend[@]})) &&
  ! jq -e '.backend.type' "$STACK_DIRECTORY/.terraform/terraform.tfstate" >/dev/null 2>&1; then
  failed "the stack has no backend block, so its state would be lost with this runner: write terraform { backend \"s3\" {} } into it" \
    'The stack has no backend block, so its state would be lost with this runner. Write this into it:

```
terraform {
  backend "s3" {}
}
```'
fi
printf 'initialised\n'
