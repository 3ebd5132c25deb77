#!/usr/bin/env bash
# Asks the machines of an environment whether they work: SSH answers with its banner, and nothing else is open.
#
#   scripts/smoke-test.sh HOST...
#
# Exit codes: 0 every machine answers · 1 one does not · 2 usage
set -uo pipefail

(($# > 0)) || {
  echo "usage: $0 HOST..." >&2
  exit 2
}
code=0
for host in "$@"; do
  # shellcheck disable=SC2016 # the shell that is started expands it
  banner=$(timeout 10 bash -c 'exec 3<>"/dev/tcp/$0/22" && head -n 1 <&3' "$host" 2>/dev/null)
  if [[ $banner == SSH-2.0-* ]]; then
    printf '%s: SSH answers\n' "$host"
  else
    printf '%s: SSH does not answer\n' "$host" >&2
    code=1
  fi
done
exit "$code"
