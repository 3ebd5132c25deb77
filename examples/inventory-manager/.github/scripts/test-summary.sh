#!/usr/bin/env bash
# Reads the numbers of one test suite, in the job that ran it.
#
# Environment
#   SUITE            name of the suite
#   OUTCOME          success | failure | cancelled | skipped: how the step that ran it ended
#   RESULT_DIR       where summary.json is written; it is created
#   JUNIT_REPORT     path of a JUnit report; it need not exist (default: none)
#   COVERAGE_REPORT  path of a Cobertura report, copied to RESULT_DIR/coverage.xml; it need not
#                    exist (default: none)
# Writes
#   RESULT_DIR/summary.json  {"suite", "outcome", "tests", "passed", "failed", "errors", "skipped",
#                            "seconds", "failing": [at most 10 names],
#                            "coverage": {"lines-valid", "lines-covered"} | null}
#                            The numbers are null when there is no readable report.
# Exit codes
#   0 written, whatever the numbers say · 2 usage
#
# The reports come from code under test. They are read by a small strict parser: well-formed
# elements and attributes, no entity declarations, at most 20 MiB; anything else is unreadable.
set -uo pipefail

SUITE=${SUITE:-}
OUTCOME=${OUTCOME:-}
RESULT_DIR=${RESULT_DIR:-}
JUNIT_REPORT=${JUNIT_REPORT:-}
COVERAGE_REPORT=${COVERAGE_REPORT:-}
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

[[ -n $SUITE && ${#SUITE} -le 100 && ! $SUITE =~ [[:cntrl:]] ]] || usage 'SUITE must be a name of at most 100 characters on one line'
case $OUTCOME in
  success | failure | cancelled | skipped) ;;
  *) usage 'OUTCOME must be success, failure, cancelled or skipped' ;;
esac
[[ -n $RESULT_DIR ]] || usage 'RESULT_DIR is not set'
[[ $RESULT_DIR != -* ]] || RESULT_DIR=./$RESULT_DIR
mkdir -p -- "$RESULT_DIR" || usage 'RESULT_DIR cannot be created'

# Prints "key<TAB>value" lines, or fails. "<" is the record separator: each record is a tag and
# the text behind it, which nobody needs.
# shellcheck disable=SC2016 # awk's own variables
parser='
function bad() { broken = 1; exit 1 }
function decode(s) {
  gsub(/&lt;/, "<", s); gsub(/&gt;/, ">", s); gsub(/&quot;/, "\"", s); gsub(/&apos;/, "\047", s)
  gsub(/&amp;/, "\\&", s); gsub(/[\001-\037\177]/, " ", s)
  return s
}
function parse(rest,   attribute, at) {
  split("", attributes)
  while (match(rest, /^[ \t\r\n]+[A-Za-z_:][A-Za-z0-9_.:-]*[ \t\r\n]*=[ \t\r\n]*("[^"]*"|\047[^\047]*\047)/)) {
    attribute = substr(rest, 1, RLENGTH)
    rest = substr(rest, RLENGTH + 1)
    sub(/^[ \t\r\n]+/, "", attribute)
    at = match(attribute, /[ \t\r\n]*=[ \t\r\n]*/)
    attributes[substr(attribute, 1, at - 1)] = substr(attribute, at + RLENGTH + 1, length(attribute) - at - RLENGTH - 1)
  }
  if (!match(rest, /^[ \t\r\n]*\/?>/)) bad()
  return index(substr(rest, 1, RLENGTH), "/") > 0
}
function number(s) {
  if (s !~ /^[0-9]+$/ || length(s) > 9) bad()
  return s + 0
}
function opened(name,   value) {
  if (depth == 1 && root != kind && !(kind == "testsuites" && root == "testsuite")) bad()
  if (kind == "coverage") {
    if (depth == 1) { valid = number(attributes["lines-valid"]); covered = number(attributes["lines-covered"]) }
    return
  }
  if (name == "testsuite" && (depth == 1 || stack[depth - 1] == "testsuites")) {
    value = attributes["time"]
    if (value ~ /^[0-9]+(\.[0-9]*)?$/ && length(value) < 16) { seconds += value; timed = 1 }
  } else if (name == "testcase") {
    if (inside) bad()
    inside = depth; state = "passed"; tests++
    label = decode(substr(attributes["classname"], 1, 1000))
    label = (label == "" ? "" : label ".") decode(substr(attributes["name"], 1, 1000))
  } else if (inside && depth == inside + 1) {
    if (name == "failure") state = "failed"
    else if (name == "error" && state != "failed") state = "errors"
    else if (name == "skipped" && state == "passed") state = "skipped"
  }
}
function closed() {
  if (depth == inside) {
    total[state]++; inside = 0
    if ((state == "failed" || state == "errors") && ++shown <= 10) names[shown] = label
  }
  depth--
}
BEGIN { RS = "<" }
NR == 1 { sub(/^\357\273\277/, ""); if ($0 !~ /^[ \t\r\n]*$/) bad(); next }
until != "" { if (index($0, until)) until = ""; next }
/^!--/ { if (!index(substr($0, 4), "-->")) until = "-->"; next }
/^!\[CDATA\[/ { if (!depth) bad(); if (!index($0, "]]>")) until = "]]>"; next }
/^\?/ { if (!index($0, "?>")) until = "?>"; next }
/^!DOCTYPE[ \t\r\n]/ { if (root != "" || index($0, "[") || !index($0, ">")) bad(); next }
/^\// {
  if (!match($0, /^\/[A-Za-z_:][A-Za-z0-9_.:-]*[ \t\r\n]*>/)) bad()
  name = substr($0, 2, RLENGTH - 2); sub(/[ \t\r\n]+$/, "", name)
  if (!depth || stack[depth] != name) bad()
  closed(); next
}
{
  if (!match($0, /^[A-Za-z_:][A-Za-z0-9_.:-]*/) || depth > 100 || (!depth && root != "")) bad()
  name = substr($0, 1, RLENGTH)
  alone = parse(substr($0, RLENGTH + 1))
  if (root == "") root = name
  stack[++depth] = name
  opened(name)
  if (alone) closed()
}
END {
  if (broken || root == "" || depth || until != "") exit 1
  if (kind == "coverage") {
    if (covered > valid) exit 1
    printf "lines-valid\t%d\nlines-covered\t%d\n", valid, covered
    exit 0
  }
  printf "tests\t%d\npassed\t%d\nfailed\t%d\nerrors\t%d\nskipped\t%d\n", tests, total["passed"], total["failed"], total["errors"], total["skipped"]
  if (timed) printf "seconds\t%d\n", int(seconds + 0.5)
  for (i = 1; i in names; i++) printf "failing\t%s\n", names[i]
}'

# report kind → the numbers, or nothing and a warning when the report cannot be read.
read_report() {
  local size
  [[ -n $1 && -f $1 ]] || return 0
  size=$(wc -c <"$1")
  if ((size > 20971520)); then
    annotate warning "the report of $SUITE is larger than 20 MiB and was not read"
  elif ! LC_ALL=C tr -d '\000' <"$1" | LC_ALL=C awk -v kind="$2" "$parser" 2>/dev/null; then
    annotate warning "a report of $SUITE is not readable XML of the expected kind"
  fi
}

numbers=$(read_report "$JUNIT_REPORT" testsuites)
lines=$(read_report "$COVERAGE_REPORT" coverage)

printf '%s\n%s\n' "$numbers" "$lines" | jq -R -n --arg suite "$SUITE" --arg outcome "$OUTCOME" '
  [inputs | select(contains("\t")) | split("\t") | {key: .[0], value: (.[1:] | join(" "))}] as $rows
  | def number($key): first(($rows[] | select(.key == $key) | .value | tonumber), null);
    def name: explode | map(select(. >= 32 and (. < 127 or . > 159))) | .[:200] | implode;
    {suite: $suite, outcome: $outcome, tests: number("tests"), passed: number("passed"),
     failed: number("failed"), errors: number("errors"), skipped: number("skipped"), seconds: number("seconds"),
     failing: [$rows[] | select(.key == "failing") | .value | name],
     coverage: (if number("lines-valid") == null then null
       else {"lines-valid": number("lines-valid"), "lines-covered": number("lines-covered")} end)}
' >"$RESULT_DIR/summary.json" || usage 'RESULT_DIR/summary.json cannot be written'

# Whoever sends the report on has no checkout to find it in.
if [[ $lines == *lines-valid* ]] && ! [[ $COVERAGE_REPORT -ef $RESULT_DIR/coverage.xml ]]; then
  cp -- "$COVERAGE_REPORT" "$RESULT_DIR/coverage.xml" || usage 'RESULT_DIR/coverage.xml cannot be written'
fi

jq -r '
  def code: gsub("[\\p{Cc}\\p{Cf}]"; "") | ([match("`+"; "g").length] | max // 0) as $run | ("`" * ($run + 1)) as $fence
    | if test("^`|`$") then "\($fence) \(.) \($fence)" else "\($fence)\(.)\($fence)" end;
  (if .outcome == "success" then "✅" elif .outcome == "failure" then "❌" else "⚪" end) as $sign
  | "### \($sign) Tests: \(.suite | code)", "",
    (if .tests == null then "No readable test report; the run ended with **\(.outcome)**."
     else "| Passed | Failed | Errors | Skipped | Time |", "|--:|--:|--:|--:|--:|",
       "| \(.passed) | \(.failed) | \(.errors) | \(.skipped) | \(if .seconds == null then "" else "\(.seconds) s" end) |"
     end),
    (if .tests != null and .outcome == "failure" and .failed + .errors == 0
     then "", "The run failed although no test in its report did." else empty end),
    (if .failing | length > 0 then "", "First failing tests:", "", (.failing[] | "- \(code)") else empty end),
    (if .coverage != null and .coverage["lines-valid"] > 0
     then "", "Coverage: \(.coverage | .["lines-covered"] * 10000 / .["lines-valid"] | floor | . / 100) % (\(.coverage["lines-covered"]) of \(.coverage["lines-valid"]) lines)"
     else empty end), ""' "$RESULT_DIR/summary.json" >>"$summary"

jq -r '"\(.suite | tojson): " + (if .tests == null then "no readable report" else "\(.passed) passed, \(.failed) failed, \(.errors) errors, \(.skipped) skipped" end)' "$RESULT_DIR/summary.json"
