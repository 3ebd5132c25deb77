#!/usr/bin/env bash
# Installs ansible-core, one version, and the collections and roles that a directory asks for.
#
# Environment
#   ANSIBLE_VERSION    the exact version
#   ANSIBLE_DIRECTORY  where playbooks lie; its requirements.yml says what else is installed (default: nothing else)
#   INSTALL_DIR        where it is left; it is created, and its programs are put on the PATH of later steps
# Exit codes
#   0 installed · 1 it could not be installed · 2 usage · 3 what requirements.yml names could not be installed
set -uo pipefail

ANSIBLE_VERSION=${ANSIBLE_VERSION:-}
ANSIBLE_DIRECTORY=${ANSIBLE_DIRECTORY:-}
INSTALL_DIR=${INSTALL_DIR:-}

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

[[ $ANSIBLE_VERSION =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || usage 'ANSIBLE_VERSION must be an exact version'
[[ -n $ANSIBLE_DIRECTORY && -d $ANSIBLE_DIRECTORY ]] || usage 'ANSIBLE_DIRECTORY must be a directory'
[[ -n $INSTALL_DIR ]] || usage 'INSTALL_DIR is not set'
[[ $INSTALL_DIR != -* ]] || INSTALL_DIR=./$INSTALL_DIR
command -v python3 >/dev/null || usage 'python3 is not installed on this runner'

failed() {
  annotate error "ansible-core $ANSIBLE_VERSION could not be installed: its installer says above why; each version of it needs certain versions of Python, here $(python3 --version)"
  exit 1
}
python3 -m venv "$INSTALL_DIR" || failed
"$INSTALL_DIR/bin/python" -m pip install --quiet --disable-pip-version-check --no-input "ansible-core==$ANSIBLE_VERSION" || failed
programs=$(cd -- "$INSTALL_DIR/bin" && pwd -P)
for requirements in requirements.yml requirements.yaml; do
  [[ -f $ANSIBLE_DIRECTORY/$requirements ]] || continue
  (cd -- "$ANSIBLE_DIRECTORY" && "$programs/ansible-galaxy" install -r "$requirements") || {
    annotate error "what $ANSIBLE_DIRECTORY/$requirements names could not be installed: ansible-galaxy says above why"
    exit 3
  }
done
[[ -z ${GITHUB_PATH:-} ]] || printf '%s\n' "$programs" >>"$GITHUB_PATH"
printf 'ansible-core %s\n' "$ANSIBLE_VERSION"
