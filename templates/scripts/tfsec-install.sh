#!/usr/bin/env bash
# Installs tfsec: one version, compared with its checksum before anything of it runs.
#
# Environment
#   TFSEC_VERSION       the exact version
#   TFSEC_SHA256_AMD64  the SHA-256 of its archive for linux_amd64
#   TFSEC_SHA256_ARM64  the SHA-256 of its archive for linux_arm64
#   TFSEC_DIR           where the program is left; it is created, and put on the PATH of later steps
#   RUNNER_ARCH         X64 | ARM64 (default: X64)
#   RUNNER_TEMP         private working files (default: /tmp)
# Exit codes
#   0 installed · 1 it cannot be fetched · 2 usage · 3 what came is not what was asked for
set -uo pipefail

TFSEC_VERSION=${TFSEC_VERSION:-}
TFSEC_SHA256_AMD64=${TFSEC_SHA256_AMD64:-}
TFSEC_SHA256_ARM64=${TFSEC_SHA256_ARM64:-}
TFSEC_DIR=${TFSEC_DIR:-}
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

[[ $TFSEC_VERSION =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || usage 'TFSEC_VERSION must be an exact version'
case $RUNNER_ARCH in
  X64) machine=linux_amd64 sha256=$TFSEC_SHA256_AMD64 ;;
  ARM64) machine=linux_arm64 sha256=$TFSEC_SHA256_ARM64 ;;
  *) usage "there is no tfsec for a runner of the kind $RUNNER_ARCH" ;;
esac
[[ $sha256 =~ ^[0-9a-f]{64}$ ]] || usage "the SHA-256 of tfsec for $machine is not set"
[[ -n $TFSEC_DIR ]] || usage 'TFSEC_DIR is not set'
mkdir -p -- "$TFSEC_DIR" || usage 'TFSEC_DIR cannot be created'
TFSEC_DIR=$(cd -- "$TFSEC_DIR" && pwd -P)
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/tfsec-install.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

archive=tfsec_${TFSEC_VERSION}_$machine.tar.gz
curl --fail --silent --show-error --location --proto '=https' --tlsv1.2 --retry 4 --connect-timeout 20 --max-time 300 \
  --output "$work/$archive" "https://github.com/aquasecurity/tfsec/releases/download/v$TFSEC_VERSION/$archive" 2>"$work/errors" || {
  annotate error "tfsec $TFSEC_VERSION cannot be fetched: $(head -c 2000 "$work/errors")"
  exit 1
}
found=$(sha256sum -- "$work/$archive" | cut -d ' ' -f 1)
if [[ $found != "$sha256" ]]; then
  annotate error "the archive of tfsec $TFSEC_VERSION has another checksum than it should: expected $sha256, found $found; nothing of it was run"
  exit 3
fi
tar -xzf "$work/$archive" -C "$TFSEC_DIR" tfsec 2>/dev/null && [[ -x $TFSEC_DIR/tfsec ]] || {
  annotate error "the archive of tfsec $TFSEC_VERSION holds no program tfsec"
  exit 3
}
[[ -z ${GITHUB_PATH:-} ]] || printf '%s\n' "$TFSEC_DIR" >>"$GITHUB_PATH"
printf 'tfsec %s, %s, SHA-256 %s\n' "$TFSEC_VERSION" "$machine" "$found"
