#!/usr/bin/env bash
# Composes the comment on the test results; it does not post it.
#
# Environment
#   RESULTS_DIR   tree that holds the suites' summary.json files, written by untrusted jobs
#   COMMENTS_DIR  where tests.md is written; it is created
#   RUN_URL       address of the run
#   BASELINE_DIR  the same tree from the base branch: shows how coverage changed (default: none)
#   NEEDS         GitHub's needs context as JSON: jobs that did not succeed are named (default: none)
#   COMMIT        the commit that was tested (default: not said)
# Writes
#   COMMENTS_DIR/tests.md  its first line is the marker <!-- pyfleet:tests -->
# Exit codes
#   0 written · 1 no result is readable · 2 usage
#
# Every result is checked for shape and size, and every text in it is shown as code: it cannot
# mention anybody, link anywhere or end the comment's own markup.
set -uo pipefail

RESULTS_DIR=${RESULTS_DIR:-}
COMMENTS_DIR=${COMMENTS_DIR:-}
RUN_URL=${RUN_URL:-}
BASELINE_DIR=${BASELINE_DIR:-}
NEEDS=${NEEDS:-}
COMMIT=${COMMIT:-}

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
[[ $BASELINE_DIR != -* ]] || BASELINE_DIR=./$BASELINE_DIR
[[ -n $RESULTS_DIR ]] || usage 'RESULTS_DIR is not set'
# Where no suite came far enough to leave anything, nothing was fetched.
mkdir -p -- "$RESULTS_DIR" || usage 'RESULTS_DIR must be a directory'
[[ -n $COMMENTS_DIR ]] || usage 'COMMENTS_DIR is not set'
[[ $RUN_URL =~ ^https://[A-Za-z0-9._:/-]+$ ]] || usage 'RUN_URL must be the address of the run'
[[ -z $COMMIT || $COMMIT =~ ^[0-9a-f]{40,64}$ ]] || usage 'COMMIT must be the hash of a commit'
[[ -n $NEEDS ]] || NEEDS='{}'
stopped=$(printf '%s' "$NEEDS" | jq -c '[to_entries[] | select(.value.result != "success") | "\(.key): \(.value.result)" | .[:200]] | .[:50]' 2>/dev/null) ||
  usage 'NEEDS must be the needs context as JSON'
mkdir -p -- "$COMMENTS_DIR" || usage 'COMMENTS_DIR cannot be created'

# Prints each result below a directory that is what test-summary.sh would have written.
# Sets `refused`.
refused=0
results=()
load() {
  local file size result
  refused=0
  results=()
  while IFS= read -r -d '' file; do
    size=$(wc -c <"$file")
    result=
    if ((size <= 65536)); then
      result=$(jq -c -s '
        def count: type == "number" and . == floor and . >= 0 and . <= 999999999;
        def text($max): type == "string" and length <= $max;
        if length == 1 and (.[0] | type == "object"
          and (keys - ["suite", "outcome", "tests", "passed", "failed", "errors", "skipped", "seconds", "failing", "coverage"] | length == 0)
          and (.suite | text(100) and length > 0)
          and (.outcome | IN("success", "failure", "cancelled", "skipped"))
          and (([.tests, .passed, .failed, .errors, .skipped] | all(. == null))
            or (([.tests, .passed, .failed, .errors, .skipped] | all(count))
              and .tests == .passed + .failed + .errors + .skipped))
          and (.seconds == null or (.seconds | count))
          and (.failing | type == "array" and length <= 10 and all(.[]; text(200)))
          and (.coverage == null or (.coverage | type == "object" and (.["lines-valid"] | count)
            and (.["lines-covered"] | count) and .["lines-covered"] <= .["lines-valid"])))
        then .[0] else error("refused") end' "$file" 2>/dev/null) || result=
    fi
    if [[ -z $result ]]; then
      refused=$((refused + 1))
    else
      results+=("$result")
    fi
  done < <(find "$1/" -type f -name summary.json -print0 | sort -z)
}

baseline=()
if [[ -n $BASELINE_DIR && -d $BASELINE_DIR ]]; then
  load "$BASELINE_DIR"
  baseline=("${results[@]}")
fi
load "$RESULTS_DIR"
if ((refused)); then
  annotate warning "$refused test result(s) are not readable and are left out"
fi
if ((${#results[@]} == 0)) && [[ $stopped == '[]' ]]; then
  annotate error 'no suite left a readable result: there is nothing to comment on'
  exit 1
fi

comment=$COMMENTS_DIR/tests.md
whole=$comment.whole
{
  printf '%s\n' "${results[@]}"
  printf 'null\n'
  printf '%s\n' "${baseline[@]}"
} | jq -r -n --arg url "$RUN_URL" --argjson stopped "$stopped" --argjson refused "$refused" '
  def plain: explode | map(if . == 9 or . == 10 or . == 13 then 32 else . end)
    | map(select(. >= 32 and (. < 127 or . > 159) and (. < 8203 or . > 8207)
        and (. < 8232 or . > 8238) and (. < 8288 or . > 8303) and . != 65279)) | implode;
  def code: plain | ([match("`+"; "g").length] | max // 0) as $run | ("`" * ($run + 1)) as $fence
    | if . == "" then "(no name)" elif test("^`|`$") then "\($fence) \(.) \($fence)" else "\($fence)\(.)\($fence)" end;
  # A cell: a pipe is escaped, and a backslash before it would undo that.
  def cell: code | gsub("\\\\(?=\\|)"; "\\ ") | gsub("\\|"; "\\|");
  def hundredths: if . < 0 then "-" + (-. | hundredths) else "\(. / 100 | floor).\(100 + . % 100 | tostring | .[1:])" end;
  def coverage: if .coverage == null or .coverage["lines-valid"] == 0 then null
    else .coverage | .["lines-covered"] * 10000 / .["lines-valid"] | floor end;
  def sum(f): [.[] | f // 0] | add // 0;
  def sign: {success: "✅", failure: "❌", cancelled: "⚪", skipped: "⚪"}[.];
  def number: if . == null then "–" else tostring end;

  [inputs] | (index([null])) as $border
  | (.[$border + 1:] | sort_by(.suite)) as $baseline
  | (.[:$border] | sort_by(.suite)) as $all | $all[:50] as $suites
  | "<!-- pyfleet:tests -->",
    (if any($all[]; .outcome != "success") or $refused > 0 or $stopped != [] then "### ❌ Tests: " else "### ✅ Tests: " end)
      + "\($all | sum(.passed)) passed, \($all | sum(.failed) + sum(.errors)) failed, \($all | sum(.skipped)) skipped",
    "",
    "| Suite | Outcome | Passed | Failed | Errors | Skipped | Time | Coverage | Change |",
    "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ($suites[]
      | (.suite as $suite | [$baseline[] | select(.suite == $suite) | coverage | values] | first) as $before
      | coverage as $now
      | "| \(.suite | cell) | \(.outcome | sign) \(.outcome) | \(.passed | number) | \(.failed | number) | \(.errors | number) | \(.skipped | number) | "
        + "\(if .seconds == null then "–" else "\(.seconds) s" end) | \(if $now == null then "–" else "\($now | hundredths) %" end) | "
        + "\(if $now == null or $before == null then "–" else $now - $before | (if . > 0 then "+" else "" end) + hundredths end) |"),
    (if $all | length > 50 then "", "\($all | length - 50) more suites are not shown." else empty end),
    ($suites[] | select(.failing | length > 0)
      | "", "**First failing tests of** \(.suite | code)", "", (.failing[] | "- \(code)")),
    (if any($suites[]; .tests == null) then "", "A dash means that the suite left no readable report." else empty end),
    (if $refused > 0 then "", "\($refused) result(s) could not be read and are left out." else empty end),
    (if $stopped != [] then "", "Jobs that did not succeed:", "", ($stopped[] | "- \(code)") else empty end)' >"$whole" || usage 'the comment cannot be composed'

# Names are long where somebody wants them to be: cut at a line end, in bytes.
LC_ALL=C awk '{ n += length($0) + 1; if (n > 59000) exit; print }' <"$whole" >"$comment"
cut=
cmp -s -- "$whole" "$comment" || cut=$'\nThe list is cut here; the run has all of it.\n'
rm -f -- "$whole"
printf '%s\n[Run](%s)%s\n' "$cut" "$RUN_URL" "${COMMIT:+ at \`${COMMIT:0:7}\`}" >>"$comment"
printf 'composed the comment on %d suite(s)\n' "${#results[@]}"
