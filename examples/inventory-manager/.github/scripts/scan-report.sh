#!/usr/bin/env bash
# Judges a scan and reports what it found.
#
# Environment
#   SCAN_REPORT       path of Trivy's JSON report (config, image or file system)
#   MINIMUM_SEVERITY  unknown | low | medium | high | critical: what counts
#   ON_FINDINGS       fail | warn
#   TITLE             heading of the report (default: Scan)
# Outputs
#   findings          how many are at or above the minimum
# Exit codes
#   0 nothing that counts, or only a warning · 1 findings at or above the minimum · 2 usage
#   3 the report is unreadable or not Trivy's: no report is no clean bill
set -uo pipefail

SCAN_REPORT=${SCAN_REPORT:-}
MINIMUM_SEVERITY=${MINIMUM_SEVERITY:-}
ON_FINDINGS=${ON_FINDINGS:-}
TITLE=${TITLE:-Scan}
output=${GITHUB_OUTPUT:-/dev/null}
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

unreadable() {
  annotate error "$TITLE: $1"
  exit 3
}

[[ -n $SCAN_REPORT ]] || usage 'SCAN_REPORT is not set'
case $MINIMUM_SEVERITY in
  unknown | low | medium | high | critical) ;;
  *) usage 'MINIMUM_SEVERITY must be unknown, low, medium, high or critical' ;;
esac
[[ $ON_FINDINGS == fail || $ON_FINDINGS == warn ]] || usage 'ON_FINDINGS must be fail or warn'

[[ $SCAN_REPORT != -* ]] || SCAN_REPORT=./$SCAN_REPORT
[[ -f $SCAN_REPORT ]] || unreadable 'the scanner left no report'
(($(wc -c <"$SCAN_REPORT") <= 104857600)) || unreadable 'the report is larger than 100 MiB'

# Every finding as one object; anything unexpected is an error. What a secret scan matched is left out.
findings=$(jq -c -s '
  def optional($kind): if . == null then (if $kind == "array" then [] else "" end) elif type == $kind then . else error("not a report") end;
  def level: ["UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL"] as $levels
    | optional("string") | ascii_upcase | . as $name | ($levels | index([$name])) // 0;
  if length == 1 and (.[0] | type == "object" and .SchemaVersion == 2) then .[0] else error("not a report") end
  | [.Results | optional("array")[] | if type == "object" then . else error("not a report") end
    | (.Target | optional("string")) as $target
    | def place($line): $target + (if ($line | type == "number") and $line > 0 then ":\($line)" else "" end);
      (.Vulnerabilities | optional("array")[] | {id: .VulnerabilityID, level: (.Severity | level), title: .Title,
          where: "\(.PkgName) \(.InstalledVersion)", fixed: .FixedVersion}),
      (.Misconfigurations | optional("array")[] | select((.Status // "FAIL") == "FAIL")
        | {id: (.AVDID // .ID), level: (.Severity | level), title: .Title, where: place(.CauseMetadata.StartLine?), fixed: null}),
      (.Secrets | optional("array")[] | {id: .RuleID, level: (.Severity | level), title: .Title, where: place(.StartLine), fixed: null}),
      (.Licenses | optional("array")[] | {id: .Name, level: (.Severity | level), title: "License \(.Category)", where: (.PkgName // .FilePath), fixed: null})
    | map_values(if type == "object" or type == "array" or type == "boolean" then error("not a report") else . end)]
  | sort_by(-.level, .where, .id)' "$SCAN_REPORT" 2>/dev/null) || findings=
[[ -n $findings ]] || unreadable 'the report is not readable, or not one of Trivy'

counting=$(printf '%s' "$findings" | jq -r --arg minimum "$MINIMUM_SEVERITY" '
  (["unknown", "low", "medium", "high", "critical"] | index($minimum)) as $minimum | map(select(.level >= $minimum)) | length')

printf '%s' "$findings" | jq -r --arg title "$TITLE" --arg minimum "$MINIMUM_SEVERITY" --arg mode "$ON_FINDINGS" --argjson counting "$counting" '
  def plain($max): tostring | .[:2000] | explode | map(if . == 9 or . == 10 or . == 13 then 32 else . end)
    | map(select(. >= 32 and (. < 127 or . > 159) and (. < 8203 or . > 8207)
        and (. < 8232 or . > 8238) and (. < 8288 or . > 8303) and . != 65279))
    | (if length > $max then .[:$max] + [8230] else . end) | implode;
  def code: ([match("`+"; "g").length] | max // 0) as $run | ("`" * ($run + 1)) as $fence
    | if test("^`|`$") then "\($fence) \(.) \($fence)" else "\($fence)\(.)\($fence)" end;
  # A cell: a pipe is escaped, and a backslash before it would undo that.
  def cell($max): if . == null or . == "" then "–"
    else plain($max) | code | gsub("\\\\(?=\\|)"; "\\ ") | gsub("\\|"; "\\|") end;
  ["unknown", "low", "medium", "high", "critical"] as $names
  | ([$names[] | {key: ., value: 0}] | from_entries) as $zero
  | (reduce .[] as $finding ($zero; .[$names[$finding.level]] += 1)) as $counts
  | (if $counting == 0 then "✅" elif $mode == "fail" then "❌" else "⚠️" end) as $sign
  | "### \($sign) \($title | plain(100) | code): \($counting) at or above \($minimum)", "",
    "| Critical | High | Medium | Low | Unknown |", "|--:|--:|--:|--:|--:|",
    "| \($counts.critical) | \($counts.high) | \($counts.medium) | \($counts.low) | \($counts.unknown) |", "",
    (if length == 0 then empty
     else "| Severity | Finding | Where | Fixed in | Title |", "|---|---|---|---|---|",
       (.[:50][] | "| \($names[.level]) | \(.id | cell(60)) | \(.where | cell(150)) | \(.fixed | cell(60)) | \(.title | cell(120)) |"), "",
       (if length > 50 then "The 50 most severe of \(length); the report has all of them.", "" else empty end)
     end)' >>"$summary" || unreadable 'the report cannot be shown'

printf 'findings=%s\n' "$counting" >>"$output"
if ((counting == 0)); then
  printf 'nothing at or above %s\n' "$MINIMUM_SEVERITY"
  exit 0
fi
message="$TITLE: $counting finding(s) at or above $MINIMUM_SEVERITY; the summary lists them"
if [[ $ON_FINDINGS == warn ]]; then
  annotate warning "$message"
  exit 0
fi
annotate error "$message"
exit 1
