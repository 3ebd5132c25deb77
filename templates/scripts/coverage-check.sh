#!/usr/bin/env bash
# Does the best suite cover enough? Compares exactly, in whole lines.
#
# Environment
#   RESULTS_DIR  tree that holds the suites' summary.json files
#   MINIMUM      percent, at most four decimals: 80 or 87.5
# Exit codes
#   0 covered · 1 below the minimum, and by how much · 2 usage · 3 no suite wrote a coverage report
set -uo pipefail

RESULTS_DIR=${RESULTS_DIR:-}
MINIMUM=${MINIMUM:-}
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

[[ $RESULTS_DIR != -* ]] || RESULTS_DIR=./$RESULTS_DIR
[[ -n $RESULTS_DIR && -d $RESULTS_DIR ]] || usage 'RESULTS_DIR must be a directory'
[[ $MINIMUM =~ ^([0-9]{1,3})(\.([0-9]{1,4}))?$ ]] || usage 'MINIMUM must be a percentage such as 80 or 87.5'
fraction=${BASH_REMATCH[3]:-}0000
wanted=$((10#${BASH_REMATCH[1]}${fraction:0:4})) # in millionths
((wanted <= 1000000)) || usage 'MINIMUM must not be above 100'

best_covered=
best_valid=
while IFS= read -r -d '' file; do
  size=$(wc -c <"$file")
  lines=
  if ((size <= 65536)); then
    lines=$(jq -r -s '
      def count: type == "number" and . == floor and . >= 0 and . <= 999999999;
      if length == 1 and (.[0] | type) == "object" then .[0].coverage else error("unreadable") end
      | if . == null then "none"
        elif type == "object" and (.["lines-valid"] | count) and (.["lines-covered"] | count)
          and .["lines-covered"] <= .["lines-valid"]
        then "\(.["lines-covered"]) \(.["lines-valid"])" else error("unreadable") end' "$file" 2>/dev/null) || lines=
  fi
  if [[ -z $lines ]]; then
    annotate warning 'a suite result is not readable and does not count'
    continue
  fi
  [[ $lines != none ]] || continue
  read -r covered valid <<<"$lines"
  ((valid > 0)) || continue
  if [[ -z $best_valid ]] || ((covered * best_valid > best_covered * valid)); then
    best_covered=$covered
    best_valid=$valid
  fi
done < <(find "$RESULTS_DIR/" -type f -name summary.json -print0 | sort -z)

if [[ -z $best_valid ]]; then
  annotate error "no suite wrote a coverage report: the minimum of $MINIMUM % cannot be checked"
  exit 3
fi

# Rounded down: what is shown as the minimum has reached it.
percent() { printf '%d.%02d' "$(($1 / 100))" "$(($1 % 100))"; }
reached=$((best_covered * 10000 / best_valid))
text="$(percent "$reached") % ($best_covered of $best_valid lines)"
if ((best_covered * 1000000 < wanted * best_valid)); then
  missing=$(((wanted * best_valid + 999999) / 1000000 - best_covered))
  points=$(((wanted * best_valid - best_covered * 1000000 + best_valid * 100 - 1) / (best_valid * 100)))
  message="coverage is $text, $(percent "$points") points below the minimum of $MINIMUM %: $missing more covered line(s) are needed"
  annotate error "$message"
  printf '### ❌ Coverage\n\n%s\n\n' "${message^}." >>"$summary"
  exit 1
fi
printf 'coverage is %s, the minimum is %s %%\n' "$text" "$MINIMUM"
printf '### ✅ Coverage\n\nCoverage is %s, the minimum is %s %%.\n\n' "$text" "$MINIMUM" >>"$summary"
