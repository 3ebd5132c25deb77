#!/usr/bin/env bash
# Judges what a scanner found, and reports it.
#
# Environment
#   SCAN_REPORT       path of the scanner's JSON report
#   SCANNER           trivy | tfsec | checkov | eslint | npm-audit | pip-audit | safety: whose report it is
#   MINIMUM_SEVERITY  unknown | low | medium | high | critical: what counts; of eslint warning | error
#   ON_FINDINGS       fail | warn
#   TITLE             heading of the report (default: Scan)
#   ACCEPTED          what is accepted, as a JSON list: rule, at, reason, until (the last day, UTC) (default: nothing)
#   SCANNED           what was scanned, as `at` names it: only what is accepted there counts
#   GITHUB_WORKSPACE  what paths are shown relative to
# Outputs
#   findings          how many are at or above the minimum, and not accepted
# Exit codes
#   0 nothing that counts, or only a warning · 1 findings at or above the minimum · 2 usage
#   3 the report is unreadable or not the scanner's: no report is no clean bill
#
# Checkov, pip-audit and Safety know no severity without an account: what they find is `unknown`.
set -uo pipefail

SCAN_REPORT=${SCAN_REPORT:-}
SCANNER=${SCANNER:-}
MINIMUM_SEVERITY=${MINIMUM_SEVERITY:-}
ON_FINDINGS=${ON_FINDINGS:-}
TITLE=${TITLE:-Scan}
ACCEPTED=${ACCEPTED:-[]}
SCANNED=${SCANNED:-}
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

case $SCANNER in
  trivy) maker=Trivy ;;
  tfsec) maker=tfsec ;;
  checkov) maker=Checkov ;;
  eslint) maker=ESLint ;;
  npm-audit) maker=npm ;;
  pip-audit) maker=pip-audit ;;
  safety) maker=Safety ;;
  *) usage 'SCANNER must be trivy, tfsec, checkov, eslint, npm-audit, pip-audit or safety' ;;
esac
[[ -n $SCAN_REPORT ]] || usage 'SCAN_REPORT is not set'
case $SCANNER:$MINIMUM_SEVERITY in
  eslint:warning | eslint:error) levels='["warning", "error"]' ;;
  eslint:*) usage 'MINIMUM_SEVERITY must be warning or error' ;;
  *:unknown | *:low | *:medium | *:high | *:critical) levels='["unknown", "low", "medium", "high", "critical"]' ;;
  *) usage 'MINIMUM_SEVERITY must be unknown, low, medium, high or critical' ;;
esac
[[ $ON_FINDINGS == fail || $ON_FINDINGS == warn ]] || usage 'ON_FINDINGS must be fail or warn'
jq -e -n --argjson accepted "$ACCEPTED" '$accepted | type == "array" and all(.[]; type == "object"
  and ([.rule, .at, .reason, .until] | all(type == "string")) and (.until | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}$")))' >/dev/null 2>&1 ||
  usage 'ACCEPTED must be a JSON list of rule, at, reason and until'

[[ $SCAN_REPORT != -* ]] || SCAN_REPORT=./$SCAN_REPORT
[[ -f $SCAN_REPORT ]] || unreadable 'the scanner left no report'
(($(wc -c <"$SCAN_REPORT") <= 104857600)) || unreadable 'the report is larger than 100 MiB'

# Every finding as one object; anything unexpected is an error. What a secret scan matched is left out.
findings=$(jq -c -s --arg scanner "$SCANNER" --arg root "${GITHUB_WORKSPACE:-$PWD}/" '
  def refuse: error("not a report");
  def optional($kind): if . == null then (if $kind == "array" then [] elif $kind == "object" then {} else "" end)
    elif type == $kind then . else refuse end;
  def required($kind): if type == $kind then . else refuse end;
  def level: ["UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL"] as $levels
    | optional("string") | ascii_upcase | . as $name | ($levels | index([$name])) // 0;
  def place($line): (optional("string") | ltrimstr($root))
    + (if ($line | type == "number") and $line > 0 then ":\($line)" else "" end);
  def trivy:
    if type == "object" and .SchemaVersion == 2 then . else refuse end
    | .Results | optional("array")[] | required("object")
    | (.Target | optional("string")) as $target
    | (.Vulnerabilities | optional("array")[] | {id: .VulnerabilityID, level: (.Severity | level), title: .Title,
          where: "\(.PkgName) \(.InstalledVersion)", fixed: .FixedVersion}),
      (.Misconfigurations | optional("array")[] | select((.Status // "FAIL") == "FAIL")
        | {id: (.AVDID // .ID), also: [.ID], level: (.Severity | level), title: .Title,
          where: (. as $own | $target | place($own.CauseMetadata.StartLine?)), fixed: null}),
      (.Secrets | optional("array")[] | {id: .RuleID, level: (.Severity | level), title: .Title,
          where: (. as $own | $target | place($own.StartLine)), fixed: null}),
      (.Licenses | optional("array")[] | {id: .Name, level: (.Severity | level), title: "License \(.Category)", where: (.PkgName // .FilePath), fixed: null});
  def tfsec:
    if type == "object" and has("results") then . else refuse end
    | .results | optional("array")[] | required("object")
    # Those that are ignored in the code, with a comment, are not in it.
    | {id: .long_id, also: [.rule_id], level: (.severity | level), title: .description,
        where: (.location.start_line as $line | .location.filename | place($line)), fixed: null};
  # A list where there are several kinds of files; neither where there is nothing to look at.
  def checkov:
    (if type == "array" then .[] else . end) | required("object")
    | if has("results") then .results | required("object") elif .resource_count == 0 then empty else refuse end
    | .failed_checks | required("array")[] | required("object")
    | {id: .check_id, also: [.bc_check_id], level: (.severity | level), title: .check_name,
        where: (.file_line_range[0]? as $line | .file_path | optional("string") | ltrimstr("/") | place($line)), fixed: null};
  def eslint:
    required("array")[] | required("object") | .filePath as $file | .messages | required("array")[] | required("object")
    | {id: (.ruleId // "syntax"), level: (if .severity == 2 then 1 elif .severity == 1 then 0 else refuse end), title: .message,
        where: (.line as $line | $file | place($line)), fixed: null};
  # What depends on a vulnerable package is not told again.
  def npm_audit:
    if type == "object" and .auditReportVersion == 2 then . else refuse end
    | [.vulnerabilities | required("object") | .[] | required("object") | .fixAvailable as $fix
      | .via | required("array")[] | objects
      | ((.url | optional("string") | [match("GHSA-[0-9a-z-]+").string] | first) // null) as $advisory
      | {id: ($advisory // "\(.source)"), also: ["\(.source)"], title: .title, where: "\(.name) \(.range)",
          level: (.severity | optional("string") | if . == "moderate" then "medium" else . end | level),
          fixed: ($fix | if type == "object" then "\(.name) \(.version)" elif . == true then "npm audit fix" else null end)}] | unique[];
  def pip_audit:
    required("object") | .dependencies | required("array")[] | required("object") | "\(.name) \(.version)" as $where
    | .vulns | optional("array")[] | required("object")
    | {id: .id, also: (.aliases | optional("array")), level: 0, title: .description, where: $where,
        fixed: (.fix_versions | optional("array") | map(required("string")) | join(", "))};
  def safety:
    required("object") | .scan_results | required("object") | .projects | required("array")[] | .files | required("array")[]
    | .results | required("object") | .dependencies | required("array")[] | required("object")
    | .specifications | required("array")[] | required("object") | .raw as $where | .vulnerabilities | required("object")
    | (.remediation.recommended? // null) as $fixed
    # Those that a policy file of Safety accepts are none.
    | .known_vulnerabilities | required("array")[] | required("object") | select(.ignored == null)
    | {id: .id, level: 0, title: "https://data.safetycli.com/v/\(.id)/", where: $where, fixed: $fixed};
  if length == 1 then .[0] else refuse end
  | [if $scanner == "trivy" then trivy elif $scanner == "tfsec" then tfsec elif $scanner == "checkov" then checkov
      elif $scanner == "eslint" then eslint elif $scanner == "npm-audit" then npm_audit elif $scanner == "pip-audit" then pip_audit
      else safety end
    | .ids = ([.id] + (.also // []) | map(strings)) | del(.also)
    | with_entries(if .key != "ids" and (.value | type == "object" or type == "array" or type == "boolean") then refuse else . end)]
  | sort_by(-.level, .where, .id)' "$SCAN_REPORT" 2>/dev/null) || findings=
[[ -n $findings ]] || unreadable "the report is not readable, or not one of $maker"
if [[ $SCANNER == checkov ]]; then
  missed=$(jq -r '[if type == "array" then .[] else . end | .summary.parsing_errors // 0] | add // 0' "$SCAN_REPORT")
  ((missed == 0)) || unreadable "Checkov could not read $missed file(s), so that nobody knows what is in them"
fi
if [[ $SCANNER == pip-audit ]]; then
  missed=$(jq -r '[.dependencies[] | select(.skip_reason)] | length' "$SCAN_REPORT")
  ((missed == 0)) || annotate warning "$TITLE: $missed package(s) are not known to the index, and were not looked at; the report names them"
fi

# What is accepted here, with how many findings it covers; and what is left.
today=$(date -u +%Y-%m-%d)
judged=$(printf '%s' "$findings" | jq -c --argjson accepted "$ACCEPTED" --arg scanned "$SCANNED" --arg today "$today" '. as $findings
  | [$accepted[] | select(.at == $scanned)
      | . + {ended: (.until < $today), covers: (.rule as $rule | [$findings[] | select(.ids | index([$rule]))] | length)}] as $accepted
  | [$accepted[] | select(.ended | not) | .rule] as $rules
  | map(select(any(.ids[]; IN($rules[])) | not)) as $left
  | {accepted: $accepted, left: $left, accepting: (($findings | length) - ($left | length))}')
accepting=$(printf '%s' "$judged" | jq -r '.accepting')
counting=$(printf '%s' "$judged" | jq -r --argjson levels "$levels" --arg minimum "$MINIMUM_SEVERITY" '
  ($levels | index($minimum)) as $minimum | .left | map(select(.level >= $minimum)) | length')

printf '%s' "$judged" | jq -r --arg title "$TITLE" --arg minimum "$MINIMUM_SEVERITY" --arg mode "$ON_FINDINGS" --argjson counting "$counting" \
  --argjson levels "$levels" --argjson accepting "$accepting" '
  def plain($max): tostring | .[:2000] | explode | map(if . == 9 or . == 10 or . == 13 then 32 else . end)
    | map(select(. >= 32 and (. < 127 or . > 159) and (. < 8203 or . > 8207)
        and (. < 8232 or . > 8238) and (. < 8288 or . > 8303) and . != 65279))
    | (if length > $max then .[:$max] + [8230] else . end) | implode;
  def code: ([match("`+"; "g").length] | max // 0) as $run | ("`" * ($run + 1)) as $fence
    | if test("^`|`$") then "\($fence) \(.) \($fence)" else "\($fence)\(.)\($fence)" end;
  # A cell: a pipe is escaped, and a backslash before it would undo that.
  def cell($max): if . == null or . == "" then "–"
    else plain($max) | code | gsub("\\\\(?=\\|)"; "\\ ") | gsub("\\|"; "\\|") end;
  .accepted as $accepted | .left | . as $left
  | (if $counting == 0 then "✅" elif $mode == "fail" then "❌" else "⚠️" end) as $sign
  | (if $accepting > 0 then ", \($accepting) accepted" else "" end) as $besides
  | ($levels | reverse) as $columns
  | "### \($sign) \($title | plain(100) | code): \($counting) at or above \($minimum)\($besides)", "",
    "| \($columns | map((.[:1] | ascii_upcase) + .[1:]) | join(" | ")) |", "|\($columns | map("--:|") | join(""))",
    "| \($columns | map(. as $name | [$left[] | select($levels[.level] == $name)] | length) | join(" | ")) |", "",
    (if length == 0 then empty
     else "| Severity | Finding | Where | Fixed in | Title |", "|---|---|---|---|---|",
       (.[:50][] | "| \($levels[.level]) | \(.id | cell(60)) | \(.where | cell(150)) | \(.fixed | cell(60)) | \(.title | cell(120)) |"), "",
       (if length > 50 then "The 50 most severe of \(length); the report has all of them.", "" else empty end)
     end),
    (if $accepted == [] then empty
     else "Accepted in `pyfleet.yml`, each with a reason and an end:", "",
       "| Finding | Found | Until | Reason |", "|---|--:|---|---|",
       ($accepted[:50][] | "| \(.rule | cell(60)) | \(.covers) | \(.until)\(if .ended then ", ended" else "" end) | \(.reason | cell(200)) |"), ""
     end)' >>"$summary" || unreadable 'the report cannot be shown'

while IFS=$'\t' read -r state rule until; do
  case $state in
    ended) annotate warning "$TITLE: $rule was accepted until $until, and counts again" ;;
    unused) annotate warning "$TITLE: $rule is accepted until $until, and was not found: take the waiver out" ;;
  esac
done < <(printf '%s' "$judged" | jq -r '.accepted[]
  | [if .covers == 0 then "unused" elif .ended then "ended" else "used" end, .rule, .until] | @tsv')

printf 'findings=%s\n' "$counting" >>"$output"
if ((counting == 0)); then
  printf 'nothing at or above %s, %s accepted\n' "$MINIMUM_SEVERITY" "$accepting"
  exit 0
fi
message="$TITLE: $counting finding(s) at or above $MINIMUM_SEVERITY; the summary lists them"
if [[ $ON_FINDINGS == warn ]]; then
  annotate warning "$message"
  exit 0
fi
annotate error "$message"
exit 1
