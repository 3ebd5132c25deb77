#!/usr/bin/env bash
# Checks playbooks without a machine: their syntax, and that no file switches the check of host keys off.
#
# Environment
#   ANSIBLE_DIRECTORY  where playbooks lie
#   PLAYBOOK           the playbook, relative to it
#   RUNNER_TEMP        private working files (default: /tmp)
# Exit codes
#   0 nothing is wrong · 1 the syntax is · 2 usage · 3 a file switches the check of host keys off
set -uo pipefail

ANSIBLE_DIRECTORY=${ANSIBLE_DIRECTORY:-}
PLAYBOOK=${PLAYBOOK:-}

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

[[ -n $ANSIBLE_DIRECTORY && -d $ANSIBLE_DIRECTORY && $ANSIBLE_DIRECTORY != -* ]] || usage 'ANSIBLE_DIRECTORY must be a directory'
[[ -n $PLAYBOOK && $PLAYBOOK != -* && -f $ANSIBLE_DIRECTORY/$PLAYBOOK ]] || usage 'PLAYBOOK must be a file in ANSIBLE_DIRECTORY'
command -v ansible-playbook >/dev/null || usage 'ansible-playbook is not installed'
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/ansible-check.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

# Shows text that must not be taken for workflow commands.
show() {
  local token
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$token"
  cat -- "$@"
  printf '\n::%s::\n' "$token"
}

code=0
while IFS= read -r place; do
  [[ -n $place ]] || continue
  annotate error "$place switches the check of host keys off: anybody between the runner and the machine could answer for it. Take it out; the host keys come with the inventory"
  code=3
done < <(grep -r -I -n -i -E -o --include='*.yml' --include='*.yaml' --include='*.cfg' --include='*.ini' --include='hosts' \
  -e 'host_key_checking[[:space:]]*[=:][[:space:]]*"?(false|no|off|0)\b' \
  -e 'StrictHostKeyChecking[[:space:]]*=?[[:space:]]*"?(no|off|accept-new|ask)\b' \
  -e 'UserKnownHostsFile[[:space:]]*=?[[:space:]]*/dev/null' -- "$ANSIBLE_DIRECTORY" | LC_ALL=C tr -d '\000-\011\013-\037\177' | head -n 20)

# There is no machine here, and no group: that nothing matches is no mistake.
(
  cd -- "$ANSIBLE_DIRECTORY" || exit 1
  ANSIBLE_NOCOLOR=1 ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_INVENTORY_UNPARSED_WARNING=false \
    ansible-playbook --syntax-check -i localhost, -- "$PLAYBOOK"
) >"$work/log" 2>&1 </dev/null || {
  show "$work/log"
  annotate error "$ANSIBLE_DIRECTORY/$PLAYBOOK cannot be read: Ansible's output is above"
  ((code != 0)) || code=1
}
((code != 0)) || printf '%s: the syntax is right\n' "$ANSIBLE_DIRECTORY/$PLAYBOOK"
exit "$code"
