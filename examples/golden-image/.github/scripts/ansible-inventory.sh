#!/usr/bin/env bash
# Writes the machines that Terraform made, and their host keys, where Ansible finds them.
#
# Environment
#   TF_COMMAND           terraform | tofu
#   STACK_DIRECTORY      the root module, initialised
#   INVENTORY_OUTPUT     the output that holds the inventory: its text, or an object
#   KNOWN_HOSTS_OUTPUT   the output that holds the host keys: lines, or a list of them (default: there is none)
#   KNOWN_HOSTS_FILE     instead: a file that holds them, from the repository's root
#   ENVIRONMENT          slug of the environment
#   STACK                slug of the stack
#   INVENTORY_DIR        where hosts.yml and known_hosts are left, for nobody else to read; it is created
#   RUNNER_TEMP          private working files (default: /tmp)
# Exit codes
#   0 written · 1 the tool failed, its output is shown · 2 usage · 3 an output or file is missing, empty, or something
#   else · 4 the inventory switches the check of host keys off
#
# Of the outputs only these two come out of the pipe. Neither is shown: an inventory holds addresses and users.
set -uo pipefail

TF_COMMAND=${TF_COMMAND:-}
STACK_DIRECTORY=${STACK_DIRECTORY:-}
INVENTORY_OUTPUT=${INVENTORY_OUTPUT:-}
KNOWN_HOSTS_OUTPUT=${KNOWN_HOSTS_OUTPUT:-}
KNOWN_HOSTS_FILE=${KNOWN_HOSTS_FILE:-}
ENVIRONMENT=${ENVIRONMENT:-}
STACK=${STACK:-}
INVENTORY_DIR=${INVENTORY_DIR:-}

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
name='^[A-Za-z_][A-Za-z0-9_-]*$'
[[ $TF_COMMAND == terraform || $TF_COMMAND == tofu ]] || usage 'TF_COMMAND must be terraform or tofu'
command -v "$TF_COMMAND" >/dev/null || usage "$TF_COMMAND is not installed"
[[ -n $STACK_DIRECTORY && -d $STACK_DIRECTORY ]] || usage 'STACK_DIRECTORY must be a directory'
[[ $INVENTORY_OUTPUT =~ $name ]] || usage 'INVENTORY_OUTPUT must name an output'
[[ -z $KNOWN_HOSTS_OUTPUT || $KNOWN_HOSTS_OUTPUT =~ $name ]] || usage 'KNOWN_HOSTS_OUTPUT must name an output'
[[ -n $KNOWN_HOSTS_OUTPUT && -z $KNOWN_HOSTS_FILE || -z $KNOWN_HOSTS_OUTPUT && -n $KNOWN_HOSTS_FILE ]] ||
  usage 'KNOWN_HOSTS_OUTPUT or KNOWN_HOSTS_FILE must be set, and not both'
[[ $ENVIRONMENT =~ $slug ]] || usage 'ENVIRONMENT must be a slug'
[[ $STACK =~ $slug ]] || usage 'STACK must be a slug'
[[ -n $INVENTORY_DIR ]] || usage 'INVENTORY_DIR is not set'
[[ $INVENTORY_DIR != -* ]] || INVENTORY_DIR=./$INVENTORY_DIR
umask 077
mkdir -p -- "$INVENTORY_DIR" || usage 'INVENTORY_DIR cannot be created'
rm -f -- "$INVENTORY_DIR/hosts.yml" "$INVENTORY_DIR/known_hosts"
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/ansible-inventory.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

# Shows text that must not be taken for workflow commands.
show() {
  local token
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$token"
  cat -- "$@"
  printf '\n::%s::\n' "$token"
}

"$TF_COMMAND" -chdir="$STACK_DIRECTORY" output -json -no-color 2>"$work/errors" |
  jq -s --arg inventory "$INVENTORY_OUTPUT" --arg known_hosts "$KNOWN_HOSTS_OUTPUT" '
    if length == 1 and (.[0] | type) == "object" then .[0] else error("no outputs") end
    | {inventory: .[$inventory].value, known_hosts: .[$known_hosts].value}' >"$work/outputs.json" 2>>"$work/errors" || {
  show "$work/errors"
  annotate error "$TF_COMMAND output failed for $ENVIRONMENT/$STACK: its output is above"
  exit 1
}
missing() {
  annotate error "$ENVIRONMENT/$STACK has no machines to configure: $1"
  exit 3
}
jq -e -r '.inventory | if type == "string" then . elif type == "object" then tojson else empty end | select(test("\\S"))' "$work/outputs.json" >"$work/hosts.yml" ||
  missing "its output $INVENTORY_OUTPUT is missing or empty, or neither a text nor an object"
if [[ -n $KNOWN_HOSTS_FILE ]]; then
  [[ -f $KNOWN_HOSTS_FILE ]] || missing "there is no file $KNOWN_HOSTS_FILE with their host keys"
  cat -- "$KNOWN_HOSTS_FILE" >"$work/known_hosts"
  from=$KNOWN_HOSTS_FILE
else
  jq -e -r '.known_hosts | if type == "array" then .[] else . end | select(type == "string")' "$work/outputs.json" >"$work/known_hosts" 2>/dev/null ||
    missing "its output $KNOWN_HOSTS_OUTPUT is missing or empty, or neither a text nor a list of them"
  from="the output $KNOWN_HOSTS_OUTPUT"
fi
# HOSTS TYPE KEY; in front of it perhaps a marker.
grep -q -E '^(@cert-authority +)?[^ #@]+ +(ssh-|ecdsa-|sk-)[a-z0-9@.-]+ +[A-Za-z0-9+/=]{16,}' "$work/known_hosts" ||
  missing "$from holds no host key in the form of known_hosts: HOST TYPE KEY"
if grep -q -i -E 'host_key_checking|StrictHostKeyChecking|UserKnownHostsFile|GlobalKnownHostsFile' "$work/hosts.yml"; then
  annotate error "the inventory of $ENVIRONMENT/$STACK decides how host keys are checked: take that out of the output $INVENTORY_OUTPUT, they are always checked"
  exit 4
fi
for file in hosts.yml known_hosts; do
  install -m 600 -- "$work/$file" "$INVENTORY_DIR/$file" || usage 'INVENTORY_DIR cannot be written'
done
printf 'wrote the inventory and %s host keys of %s/%s\n' "$(grep -c -E '^[^#[:space:]]' "$work/known_hosts")" "$ENVIRONMENT" "$STACK"
