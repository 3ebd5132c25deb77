#!/usr/bin/env bash
# Hands the version on to later jobs.
set -euo pipefail

printf 'version=%s\n' "$(cat VERSION)" >>"$GITHUB_OUTPUT"
