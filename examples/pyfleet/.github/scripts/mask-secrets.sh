#!/usr/bin/env bash
# Hides the parts of secrets before a command prints them: GitHub hides a secret only as a whole, and Terraform prints
# the elements of a list that it was given as one.
#
# Environment
#   SECRET_*      the secrets
#   MASK_FILE     where the same is left as a sed script (extended), for logs that are kept
# Exit codes
#   0 hidden · 2 usage
#
# A part is what stands between commas or line ends, without white space around it. Parts of fewer than 4 characters are
# left: hiding them would tell more than it hides.
set -uo pipefail

MASK_FILE=${MASK_FILE:-}

# One workflow command per message, whatever the message holds.
annotate() {
  local text=${2//'%'/%25}
  text=${text//$'\r'/%0D}
  printf '::%s::%s\n' "$1" "${text//$'\n'/%0A}" >&2
}

[[ -n $MASK_FILE ]] || {
  annotate error 'MASK_FILE is not set'
  exit 2
}

umask 077
parts=$(jq -n -r '[$ENV | to_entries[] | select(.key | startswith("SECRET_")) | .value | splits("[,\\n\\r]")
  | gsub("^\\s+|\\s+$"; "") | select(length >= 4)] | unique | sort_by(-length)[]')
# The longest first: one part may stand in another.
printf '%s' "$parts" | jq -R -r 'select(. != "") | gsub("(?<sign>[][\\\\.{}()*+?^$|/])"; "\\\(.sign)") | "s/\(.)/***/g"' >"$MASK_FILE" || {
  annotate error 'MASK_FILE cannot be written'
  exit 2
}
while IFS= read -r part; do
  [[ -z $part ]] || printf '::add-mask::%s\n' "${part//'%'/%25}"
done <<<"$parts"
