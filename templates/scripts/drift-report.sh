#!/usr/bin/env bash
# Says what detect-drift.sh found, and keeps one issue for each environment and stack that has drifted.
#
# Environment
#   RESULTS_DIR        tree that holds <anything>/result.json, written by jobs that ran the stacks' own code
#   EXPECTED           JSON: [{"environment", "stack", "branch"}]: all that there is, each with the branch whose runs
#                      may look at it
#   ON_DRIFT           JSON: what drift does, some of "issue" and "fail"
#   LABELS             JSON: labels of new issues, beside pyfleet-drift (default: [])
#   ASSIGNEES          JSON: logins of those who are assigned to new issues (default: [])
#   DEFAULT_BRANCH     the branch whose runs know all that there is
#   RUN_URL            address of the run
#   GITHUB_REF         the ref that the run is of
#   GITHUB_REPOSITORY  owner/name
#   GH_TOKEN           token that may write issues; only where ON_DRIFT has "issue"
#   RUNNER_TEMP        private working files (default: /tmp)
# Exit codes
#   0 nothing that has to fail · 1 drift, where ON_DRIFT has "fail"; or an error: something could not be looked at ·
#   2 usage · 3 GitHub's API failed: the verdict is said all the same
#
# An issue belongs to an environment and a stack by its author, its label pyfleet-drift and the marker on its first
# line, whatever its title has become. It is opened, opened again, written anew when what has drifted is something
# else, and closed when a plan finds nothing. A stack that could not be looked at has one too, but no error changes or
# closes the issue of a drift. What is not on the list of EXPECTED any more is closed, with a note on what may remain.
# Whatever stands in a result is shown as code; an issue has at most 60,000 bytes.
set -uo pipefail

RESULTS_DIR=${RESULTS_DIR:-}
EXPECTED=${EXPECTED:-}
ON_DRIFT=${ON_DRIFT:-}
LABELS=${LABELS:-[]}
ASSIGNEES=${ASSIGNEES:-[]}
DEFAULT_BRANCH=${DEFAULT_BRANCH:-}
RUN_URL=${RUN_URL:-}
GITHUB_REF=${GITHUB_REF:-}
GITHUB_REPOSITORY=${GITHUB_REPOSITORY:-}
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
[[ -n $RESULTS_DIR ]] || usage 'RESULTS_DIR is not set'
# Where no job came far enough to leave anything, nothing was fetched.
mkdir -p -- "$RESULTS_DIR" || usage 'RESULTS_DIR must be a directory'
expected=$(printf '%s' "$EXPECTED" | jq -c -s '
  def slug: type == "string" and length <= 100 and test("\\A[a-z][a-z0-9-]*\\z");
  if length == 1 and (.[0] | type == "array" and length > 0
    and all(.[]; type == "object" and (.environment | slug) and (.stack | slug) and (.branch | type == "string" and . != "")))
  then .[0] else error("usage") end' 2>/dev/null) || usage 'EXPECTED must be a JSON array of environments, stacks and branches'
on_drift=$(printf '%s' "$ON_DRIFT" | jq -r -s '
  if length == 1 and (.[0] | type == "array" and all(.[]; IN("issue", "fail"))) then .[0] | unique | " \(join(" ")) " else error("usage") end' 2>/dev/null) ||
  usage 'ON_DRIFT must be a JSON array of "issue" and "fail"'
labels=$(printf '%s' "$LABELS" | jq -c -s '
  if length == 1 and (.[0] | type == "array" and all(.[]; type == "string" and test("\\S"))) then .[0] else error("usage") end' 2>/dev/null) ||
  usage 'LABELS must be a JSON array of names'
assignees=$(printf '%s' "$ASSIGNEES" | jq -c -s '
  if length == 1 and (.[0] | type == "array" and all(.[]; type == "string" and test("\\A[A-Za-z0-9][A-Za-z0-9-]*\\z"))) then .[0] else error("usage") end' 2>/dev/null) ||
  usage 'ASSIGNEES must be a JSON array of logins'
[[ -n $DEFAULT_BRANCH ]] || usage 'DEFAULT_BRANCH is not set'
[[ $GITHUB_REF == refs/* ]] || usage 'GITHUB_REF must be a ref'
[[ $RUN_URL =~ ^https://[A-Za-z0-9._:/-]+$ ]] || usage 'RUN_URL must be the address of the run'
if [[ $on_drift == *' issue '* ]]; then
  [[ -n ${GH_TOKEN:-} ]] || usage 'GH_TOKEN is not set'
  [[ $GITHUB_REPOSITORY =~ ^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$ ]] || usage 'GITHUB_REPOSITORY must be owner/name'
  command -v gh >/dev/null || usage 'gh is not installed'
fi
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/drift-report.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

# Every result that is one, in short; the jobs that wrote them ran other people's code.
refused=0
: >"$work/results.json"
while IFS= read -r -d '' file; do
  if [[ ! -f $file || -L $file ]] || (($(wc -c <"$file") > 5242880)) || ! jq -c -s '
    def slug: type == "string" and length <= 100 and test("\\A[a-z][a-z0-9-]*\\z");
    def actions: type == "array" and all(.[]; type == "object" and (.address | type == "string")
      and (.action | IN("create", "update", "replace", "delete", "import", "move", "forget", "read")));
    if length == 1 and (.[0] | type == "object" and (.environment | slug) and (.stack | slug)
      and (.class | IN("clean", "outputs-only", "drift", "pending", "locked", "no-backend", "error"))
      and (.fingerprint | type == "string" and test("\\A([0-9a-f]{64})?\\z")) and (.class == "drift" and .fingerprint == "" | not)
      and (.drifted | actions) and (.changes | actions)
      and (.message | type == "string" and length <= 1000)
      and (.commit | type == "string" and test("\\A([0-9a-f]{40}|[0-9a-f]{64})\\z")))
    then .[0] | {environment, stack, class, fingerprint, message, commit, drifted, changes} else error("refused") end' \
    "$file" >>"$work/results.json" 2>/dev/null; then
    annotate error 'a result is refused: it is not one that detect-drift.sh writes'
    refused=1
  fi
done < <(find "$RESULTS_DIR/" -name result.json -print0 | sort -z)

# One verdict for each that is expected.
# shellcheck disable=SC2016 # the dollars are jq's
jq -n -c --argjson expected "$expected" --arg ref "$GITHUB_REF" '
  [inputs] as $results
  | $expected[] | . as $target
  | [$results[] | select(.environment == $target.environment and .stack == $target.stack)] as $own
  | def verdict($class; $message): {environment, stack, $class, $message, fingerprint: "", commit: "", drifted: [], changes: []};
    if ($own | length) == 1 then $own[0]
    elif ($own | length) > 1 then verdict("error"; "there are two results of it")
    elif "refs/heads/\(.branch)" != $ref then verdict("elsewhere"; "only runs of its branch may look at it: start the workflow from there")
    else verdict("error"; "its job left no result: it failed before it could look, was cancelled or took too long") end' \
  "$work/results.json" >"$work/verdicts.json" || usage 'the results cannot be read'
stray=$(jq -n --argjson expected "$expected" '[inputs | {environment, stack} | select(. as $own | any($expected[]; {environment, stack} == $own) | not)] | length' "$work/results.json") ||
  usage 'the results cannot be read'
if ((stray)); then
  annotate error "there are results ($stray) of what is not expected"
  refused=1
fi

# Text that is no Markdown, and as many lines of it as fit.
# shellcheck disable=SC2016 # the dollars are jq's
text='
  def plain: .[:2000] | explode | map(if . == 9 or . == 10 or . == 13 then 32 else . end)
    | map(select(. >= 32 and (. < 127 or . > 159) and (. < 8203 or . > 8207)
        and (. < 8232 or . > 8238) and (. < 8288 or . > 8303) and . != 65279)) | .[:300] | implode;
  def code: plain | ([match("`+"; "g").length] | max // 0) as $run | ("`" * ($run + 1)) as $fence
    | if . == "" then "(empty)" elif test("^`|`$") then "\($fence) \(.) \($fence)" else "\($fence)\(.)\($fence)" end;
  # A backslash before a pipe would free it.
  def cell: code | gsub("\\\\(?=\\|)"; "\\ ") | gsub("\\|"; "\\|");
  def fitting($bytes; line):
    length as $all | [.[:400][] | line] as $lines
    | reduce $lines[] as $line ({room: $bytes, taken: 0}; if .room < 0 then . else .room -= ($line | utf8bytelength + 1)
        | if .room < 0 then . else .taken += 1 end end)
    | $lines[:.taken][], (if .taken < $all then "- … and \($all - .taken) more" else empty end);'

# The verdict comes first: an API that fails must not hide it.
{
  printf '### Drift\n\n| Environment | Stack | Found | |\n|---|---|---|---|\n'
  jq -r "$text"'
    {clean: "✅ nothing", "outputs-only": "✅ only outputs would change", drift: "⚠️ drift", pending: "🕐 changes that were not applied",
     locked: "🔒 locked", "no-backend": "– no backend", error: "❌ could not be looked at", elsewhere: "– not from this branch"}[.class] as $found
    | "| `\(.environment)` | `\(.stack)` | \($found) | \(.message | cell) |"' "$work/verdicts.json"
  printf '\n'
} >>"$summary"
failed=$refused
while IFS=$'\t' read -r class target message; do
  level=
  case $class in
    error) level=error failed=1 ;;
    drift)
      level=warning
      if [[ $on_drift == *' fail '* ]]; then
        level=error failed=1
      fi
      ;;
    pending | locked) level=warning ;;
    no-backend | elsewhere) level=notice ;;
  esac
  if [[ -n $level ]]; then
    annotate "$level" "$target: $class: $message"
  else
    printf '%s: %s: %s\n' "$target" "$class" "$message"
  fi
done < <(jq -r "$text"'"\(.class)\t\(.environment)/\(.stack)\t\(.message | plain)"' "$work/verdicts.json")
[[ $on_drift == *' issue '* ]] || exit "$failed"

# Calls the API; its answer is in answer.json, what it complains about in errors.
api() { gh api "$@" >"$work/answer.json" 2>"$work/errors"; }

# What cannot be composed is not half done.
not_composed() {
  annotate error 'the issues cannot be composed'
  exit 3
}

api_failed() {
  annotate error "GitHub's API failed, and the issues are not what they should be: $(head -c 2000 "$work/errors")"
  failed=3
}

if ! api --method GET --paginate "repos/$GITHUB_REPOSITORY/issues?state=all&labels=pyfleet-drift&per_page=100"; then
  api_failed
  exit 3
fi
# One array per page, or one for all of them: it depends on the version of gh. No answer is no list.
if ! jq -n '[inputs] | if length > 0 and all(.[]; type == "array") then add else error("no list") end
  | [.[] | select(.user.login == "github-actions[bot]" and (has("pull_request") | not) and (.body | type == "string") and (.number | type == "number"))
    | (.body | gsub("\r"; "") | split("\n")) as $lines
    | ($lines[0] | capture("\\A<!-- pyfleet:drift env=(?<environment>[a-z][a-z0-9-]*) stack=(?<stack>[a-z][a-z0-9-]*) -->\\z"))
      + {number, open: (.state == "open"),
         fingerprint: ([$lines[1] // "" | capture("\\A<!-- pyfleet:fingerprint (?<of>[0-9a-f]{64}|error) -->\\z").of][0] // "")}]
  | sort_by(.number)' "$work/answer.json" >"$work/issues.json" 2>/dev/null; then
  annotate error "GitHub's API did not answer with a list of issues"
  exit 3
fi

# What has to be asked of the API, in this order: {"does", "requests": [{"method", "path", "input"}]}, one a line.
jq -n -c --argjson expected "$expected" --slurpfile issues "$work/issues.json" --slurpfile verdicts "$work/verdicts.json" \
  --arg run "$RUN_URL" --arg is_known "$([[ $GITHUB_REF == "refs/heads/$DEFAULT_BRANCH" ]] && printf yes)" "$text"'
  def seen: "Seen\(if .commit == "" then "" else " at `\(.commit[:12])`" end) by [this run](\($run)).";
  def lists:
    (if .drifted != [] then "", "**Changed outside of Terraform**", "", (.drifted | fitting(25000; "- \(.action): \(.address | code)")) else empty end),
    (if .changes != [] then "", "**What a plan would do**", "", (.changes | fitting(25000; "- \(.action): \(.address | code)")) else empty end);
  def text($fingerprint): [
    "<!-- pyfleet:drift env=\(.environment) stack=\(.stack) -->", "<!-- pyfleet:fingerprint \($fingerprint) -->",
    (if .class == "error" then "### `\(.stack)` in `\(.environment)` could not be looked at", "",
      "Whether it has drifted is not known: \(.message | code). The run has the output.", "", seen, "",
      "This issue is closed when it can be looked at again."
     else "### `\(.stack)` in `\(.environment)` has drifted", "",
      "What is there is not what the repository describes: \(.message | code).", "", seen, lists, "",
      "Apply the stack to bring it back, or write the change down in the repository and apply that. This issue is written anew when something else has drifted, and closed when a plan finds nothing." end)
  ] | join("\n") + "\n";
  def issue($number): "issues/\($number)";
  def comment($number; $text): {method: "POST", path: "\(issue($number))/comments", input: {body: $text}};
  def close($number; $text; $reason): [comment($number; $text), {method: "PATCH", path: issue($number), input: {state: "closed", state_reason: $reason}}];
  $issues[0] as $issues
  | ($verdicts[] | . as $verdict
      | [$issues[] | select(.environment == $verdict.environment and .stack == $verdict.stack)] as $own
      # The oldest that is open; else the newest that is closed.
      | (([$own[] | select(.open)] | first) // ($own | last)) as $issue
      | (if .class == "error" then "error" else .fingerprint end) as $fingerprint
      | if .class == "drift" or .class == "error" then
          if $issue == null then {does: "open", requests: [{method: "POST", path: "issues", input: {
              title: "Drift: \(.stack) in \(.environment)", body: text($fingerprint)}}]}
          elif $issue.open and (.class == "error" or $issue.fingerprint == $fingerprint) then empty
          elif $issue.open then {does: "update", requests: [
              comment($issue.number; [(if $issue.fingerprint == "error" then "It can be looked at again, and has drifted." else "Something else has drifted." end), seen, lists] | join("\n")),
              {method: "PATCH", path: issue($issue.number), input: {body: text($fingerprint)}}]}
          else {does: "reopen", requests: [
              {method: "PATCH", path: issue($issue.number), input: {state: "open", body: text($fingerprint)}},
              comment($issue.number; [(if .class == "error" then "It could not be looked at: \(.message | code)." else "It has drifted again." end), seen, lists] | join("\n"))]} end
        else
          $own[] | select(.open)
          | if $verdict.class | IN("clean", "outputs-only")
            then {does: "close", requests: close(.number; "A plan finds nothing to do any more. \($verdict | seen)"; "completed")}
            elif .fingerprint == "error" and ($verdict.class | IN("pending", "no-backend"))
            then {does: "close", requests: close(.number; "It can be looked at again: \($verdict.message | code). \($verdict | seen)"; "completed")}
            else empty end
        end
      | . + {target: "\($verdict.environment)/\($verdict.stack)"}),
    (if $is_known == "yes" then $issues[] | select(.open) | . as $own
      | select(any($expected[]; .environment == $own.environment and .stack == $own.stack) | not)
      | {does: "close", target: "\(.environment)/\(.stack)", requests: close(.number;
          "Nobody looks at this stack any more: it is not in the manifest for this environment, as [this run](\($run)) has it. **What it made may still be there**; destroy it before it is forgotten."; "not_planned")}
     else empty end)' >"$work/actions.json" || not_composed

# The labels that new issues get: one that cannot be made is left out, but for the one by which issues are found.
given='["pyfleet-drift"]'
if jq -e -s 'any(.[]; .does == "open")' "$work/actions.json" >/dev/null; then
  while IFS= read -r name; do
    jq -n --argjson name "$name" '{$name, color: "d93f0b"} + if $name == "pyfleet-drift"
      then {description: "What is there is not what the repository describes"} else {} end' >"$work/label.json" || not_composed
    if api --method POST "repos/$GITHUB_REPOSITORY/labels" --input "$work/label.json" ||
      jq -e '[.errors[]?.code] | index("already_exists")' "$work/answer.json" >/dev/null 2>&1; then
      given=$(jq -c -n --argjson given "$given" --argjson name "$name" '$given + [$name] | reduce .[] as $one ([]; if index([$one]) then . else . + [$one] end)') || not_composed
    elif [[ $name != '"pyfleet-drift"' ]]; then
      annotate notice "a label does not exist and cannot be made, new issues are without it: $name"
    fi
  done < <(jq -c -n --argjson labels "$labels" '["pyfleet-drift"] + $labels | .[]')
fi

while IFS= read -r action; do
  does=$(jq -r .does <<<"$action") || not_composed
  target=$(jq -r .target <<<"$action") || not_composed
  count=$(jq '.requests | length' <<<"$action") || not_composed
  for ((at = 0; at < count; at++)); do
    jq --argjson at "$at" --argjson labels "$given" --arg does "$does" '
      .requests[$at].input + if $does == "open" then {$labels} else {} end' <<<"$action" >"$work/input.json" || not_composed
    method=$(jq -r --argjson at "$at" '.requests[$at].method' <<<"$action") || not_composed
    path=$(jq -r --argjson at "$at" '.requests[$at].path' <<<"$action") || not_composed
    if ! api --method "$method" "repos/$GITHUB_REPOSITORY/$path" --input "$work/input.json"; then
      api_failed
      continue 2
    fi
  done
  if [[ $does == open ]] && ! jq -e 'any(.labels[]?; .name | ascii_downcase == "pyfleet-drift")' "$work/answer.json" >/dev/null 2>&1; then
    annotate error "the new issue of $target has no label pyfleet-drift, and the next run would open another: create the label, and give it to the issue"
    failed=3
  fi
  # On its own: somebody who has left must not keep an issue from being opened. GitHub leaves out whom it does not take.
  if [[ $does == open && $assignees != '[]' ]]; then
    number=$(jq -r '.number | numbers' "$work/answer.json" 2>/dev/null)
    jq -n --argjson assignees "$assignees" '{$assignees}' >"$work/input.json" || not_composed
    if ! api --method POST "repos/$GITHUB_REPOSITORY/issues/$number/assignees" --input "$work/input.json" ||
      ! jq -e --argjson wanted "$assignees" '[.assignees[]?.login | ascii_downcase] as $are | all($wanted[]; IN(ascii_downcase; $are[]))' "$work/answer.json" >/dev/null 2>&1; then
      annotate notice "the new issue of $target is not assigned to everybody who should be: GitHub leaves out whom it cannot assign"
    fi
  fi
  printf '%s the issue of %s\n' "$does" "$target"
done <"$work/actions.json"
exit "$failed"
