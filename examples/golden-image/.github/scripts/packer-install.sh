#!/usr/bin/env bash
# Installs Packer: one version, compared with its checksum before anything of it runs.
#
# Environment
#   PACKER_VERSION  the exact version
#   PACKER_SHA256   the SHA-256 of its archive for linux_amd64 (default: what is published beside the archive)
#   PACKER_DIR      where the program is left; it is created, and put on the PATH of later steps
#   RUNNER_ARCH     X64 | ARM64 (default: X64)
#   RUNNER_TEMP     private working files (default: /tmp)
# Exit codes
#   0 installed · 1 it cannot be fetched · 2 usage · 3 what came is not what was asked for
#
# The checksum that is published lies on the same server as the archive: it tells a damaged archive. PACKER_SHA256
# tells another archive, too; it is of linux_amd64, so that another machine is refused with it.
set -uo pipefail

PACKER_VERSION=${PACKER_VERSION:-}
PACKER_SHA256=${PACKER_SHA256:-}
PACKER_DIR=${PACKER_DIR:-}
RUNNER_ARCH=${RUNNER_ARCH:-X64}

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

[[ $PACKER_VERSION =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || usage 'PACKER_VERSION must be an exact version'
[[ -z $PACKER_SHA256 || $PACKER_SHA256 =~ ^[0-9a-f]{64}$ ]] || usage 'PACKER_SHA256 must be a SHA-256'
[[ -n $PACKER_DIR ]] || usage 'PACKER_DIR is not set'
case $RUNNER_ARCH in
  X64) machine=linux_amd64 ;;
  ARM64) machine=linux_arm64 ;;
  *) usage "there is no Packer for a runner of the kind $RUNNER_ARCH" ;;
esac
[[ -z $PACKER_SHA256 || $machine == linux_amd64 ]] || usage 'PACKER_SHA256 is that of linux_amd64, and this runner is another machine'
command -v unzip >/dev/null || usage 'unzip is not installed on this runner'
mkdir -p -- "$PACKER_DIR" || usage 'PACKER_DIR cannot be created'
PACKER_DIR=$(cd -- "$PACKER_DIR" && pwd -P)
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/packer-install.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

archive=packer_${PACKER_VERSION}_$machine.zip
fetch() {
  curl --fail --silent --show-error --location --proto '=https' --tlsv1.2 --retry 4 --connect-timeout 20 --max-time 300 \
    --output "$work/$1" "https://releases.hashicorp.com/packer/$PACKER_VERSION/$1" 2>"$work/errors" || {
    annotate error "Packer $PACKER_VERSION cannot be fetched: $(head -c 2000 "$work/errors")"
    exit 1
  }
}
fetch "$archive"
if [[ -z $PACKER_SHA256 ]]; then
  fetch "packer_${PACKER_VERSION}_SHA256SUMS"
  PACKER_SHA256=$(awk -v name="$archive" '$2 == name { print $1 }' "$work/packer_${PACKER_VERSION}_SHA256SUMS")
fi
found=$(sha256sum -- "$work/$archive" | cut -d ' ' -f 1)
if [[ $found != "$PACKER_SHA256" || ! $found =~ ^[0-9a-f]{64}$ ]]; then
  annotate error "the archive of Packer $PACKER_VERSION has another checksum than it should: expected ${PACKER_SHA256:-one that is published}, found $found; nothing of it was run"
  exit 3
fi
unzip -q -o -d "$PACKER_DIR" "$work/$archive" packer || {
  annotate error "the archive of Packer $PACKER_VERSION holds no program packer"
  exit 3
}
[[ -z ${GITHUB_PATH:-} ]] || printf '%s\n' "$PACKER_DIR" >>"$GITHUB_PATH"
printf 'Packer %s, %s, SHA-256 %s\n' "$PACKER_VERSION" "$machine" "$found"
