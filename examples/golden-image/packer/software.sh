#!/usr/bin/env bash
# Writes /tmp/packer-software.json: the software of this machine, with its versions.
set -euo pipefail

version_of() {
  "$@" 2>/dev/null | grep -o -m 1 -E '[0-9]+(\.[0-9]+)+' || true
}
nvm_version() {
  # shellcheck disable=SC1091 # it is on the machine
  (set +eu && . /opt/nvm/nvm.sh && nvm --version) 2>/dev/null || true
}

cat >/tmp/packer-software.json <<END
{
  "docker": "$(version_of docker --version)",
  "nvm": "$(nvm_version)",
  "mise": "$(version_of mise --version)",
  "uv": "$(version_of uv --version)"
}
END
