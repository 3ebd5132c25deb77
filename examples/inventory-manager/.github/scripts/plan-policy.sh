#!/usr/bin/env bash
# Refuses a plan that would do more than its action may.
#
# Environment
#   PLAN_DIR   where terraform-plan.sh left plan-summary.json
#   ACTION     plan | apply | promote | destroy | rollback, or converge: the plan that follows an apply
#   PROTECTED  JSON: addresses that no plan may destroy, replace or forget (default: []). An address
#              protects its instances too; that of a module everything in it
#   APPROVAL   reviewers | none: whether somebody agrees to a plan that destroys (default: none)
# Exit codes
#   0 allowed, or nothing to do · 1 refused, every address is listed with the reason · 2 usage, or
#   the summary is unreadable
#
# promote only updates: what it changes is listed. rollback is applied in a hurry: where nobody agrees to it, it
# destroys and replaces nothing. converge finds nothing to do. Where a secret
# is masked in an address, the address counts as protected as soon as it may be.
set -uo pipefail

PLAN_DIR=${PLAN_DIR:-}
ACTION=${ACTION:-}
PROTECTED=${PROTECTED:-}
APPROVAL=${APPROVAL:-none}
[[ -n $PROTECTED ]] || PROTECTED='[]'
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

[[ $ACTION =~ ^(plan|apply|promote|destroy|rollback|converge)$ ]] || usage 'ACTION must be plan, apply, promote, destroy, rollback or converge'
[[ $APPROVAL == reviewers || $APPROVAL == none ]] || usage 'APPROVAL must be reviewers or none'
[[ -n $PLAN_DIR && -f $PLAN_DIR/plan-summary.json ]] || usage 'PLAN_DIR must hold plan-summary.json'
protected=$(printf '%s' "$PROTECTED" | jq -c -s '
  if length == 1 and (.[0] | type == "array" and all(.[]; type == "string" and . != ""))
  then .[0] else error("usage") end' 2>/dev/null) || usage 'PROTECTED must be a JSON array of addresses'

# {"offending": [[address, what, why]], "changed": [[address, what]], "said": [what is wrong as a whole]}
verdict=$(jq -s --arg action "$ACTION" --arg approval "$APPROVAL" --argjson protected "$protected" '
  def count: type == "number" and . == floor and . >= 0;
  def actions: type == "array" and all(.[]; type == "object" and (.address | type == "string")
    and (.previous | . == null or type == "string")
    and (.action | IN("create", "update", "replace", "delete", "import", "move", "forget", "read")));
  if length == 1 and (.[0] | type == "object"
    and (.class | IN("none", "outputs-only", "changes", "destructive"))
    and (.errored | type == "boolean") and (.complete | type == "boolean")
    and (.counts | type == "object" and ([.create, .update, .replace, .delete, .import, .move, .forget, .read] | all(count)))
    and (.destructive | actions) and (.changed | actions)
    and .counts.replace + .counts.delete == (.destructive | length)
    and (.class == "destructive") == (.destructive != [])
    and (.class == "none" and (.changed != [] or .outputs != []) | not))
  then .[0] else error("unreadable") end
  # An address without the keys of instances: module.a["x"].b.c[0] → module.a.b.c
  | def plural: gsub("\\[([0-9]+|\"([^\"\\\\]|\\\\.)*\")\\]"; "");
  ($protected | map({own: ., is_module: (plural | test("\\A(module\\.[^.]+\\.)*module\\.[^.]+\\z"))})) as $protected
  | def covers($it): . == $it.own or startswith($it.own + "[") or ($it.is_module and startswith($it.own + "."));
  def guarded: [., plural] | unique as $forms | map(select(contains("***")) | split("***")[0]) as $heads
    | first($protected[]
      | . as $it
      | if any($forms[]; covers($it)) then "\(.own) is protected"
        elif any($heads[]; . as $head | covers($it) or ($it.own | startswith($head)))
        then "a secret is masked in it, and it may be \(.own), which is protected"
        else empty end);
  def changes: .destructive[], .changed[];
  def pair: [.address, .action];
  {
    said: [
      (if .errored or (.complete | not) then "the plan is errored or incomplete" else empty end),
      # An update can be an import or a move at the same time; only the counts say so.
      (if $action == "promote" then .counts | to_entries[]
        | select((.key | IN("create", "replace", "delete", "import", "move", "forget")) and .value > 0)
        | "promote may only update, and the plan has \(.value) of the kind \(.key)" else empty end),
      (if $action == "converge" and .class != "none"
        then "a plan right after the apply still finds something to do: the configuration never comes to rest" else empty end),
      (if $action == "rollback" and $approval == "none" and .destructive != []
        then "nobody agrees to what it destroys: go forward with the tf workflow instead" else empty end)
    ],
    offending: [
      (changes | select(.action | IN("delete", "replace", "forget"))
        | . as $change | [.address, .previous | strings | guarded][:1][] | ($change | pair) + [.]),
      (if $action == "promote" then changes | select(.action | IN("update", "read") | not)
        | pair + ["promote may only update"] else empty end),
      (if $action == "rollback" and $approval == "none" then .destructive[] | pair + ["a rollback that nobody has seen destroys nothing"] else empty end),
      (if $action == "converge" then changes | pair + ["it has only just been applied"] else empty end)
    ],
    changed: [if $action == "promote" then changes | select(.action != "read") | pair else empty end],
    class
  }' "$PLAN_DIR/plan-summary.json" 2>/dev/null) || usage 'plan-summary.json is not one that terraform-plan.sh writes'

# Shows text that must not be taken for workflow commands.
show() {
  local token
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$token"
  cat
  printf '\n::%s::\n' "$token"
}

# Text that is no Markdown, as in terraform-plan.sh.
# shellcheck disable=SC2016 # the dollar is jq's
text='
  def plain: if test("\\A[ -~]{0,300}\\z") then . else .[:2000] | explode | map(if . == 9 or . == 10 or . == 13 then 32 else . end)
    | map(select(. >= 32 and (. < 127 or . > 159) and (. < 8203 or . > 8207)
        and (. < 8232 or . > 8238) and (. < 8288 or . > 8303) and . != 65279)) | .[:300] | implode end;
  def code: plain | ([match("`+"; "g").length] | max // 0) as $run | ("`" * ($run + 1)) as $fence
    | if test("^`|`$") then "\($fence) \(.) \($fence)" else "\($fence)\(.)\($fence)" end;'
# A step may write a megabyte; the log has all of it.
clip() { LC_ALL=C awk '{ n += length($0) + 1 } n <= 900000 { print; next } !cut++ { print "- …" }'; }

if jq -e '.changed != []' <<<"$verdict" >/dev/null; then
  jq -r "$text"'.changed[] | "\(.[1]): \(.[0] | plain)"' <<<"$verdict" | show
  {
    printf '### What is promoted\n\n'
    jq -r "$text"'.changed[] | "- \(.[1]): \(.[0] | code)"' <<<"$verdict" | clip
    printf '\n'
  } >>"$summary"
fi
if jq -e '.said == [] and .offending == []' <<<"$verdict" >/dev/null; then
  if [[ $(jq -r .class <<<"$verdict") == none ]]; then
    printf 'the plan has nothing to do\n'
  else
    printf 'the plan does nothing that %s may not\n' "$ACTION"
  fi
  exit 0
fi

jq -r "$text"'.offending[] | "\(.[1]): \(.[0] | plain) (\(.[2] | plain))"' <<<"$verdict" | show
annotate error "$(jq -r --arg action "$ACTION" '
  "the plan is refused for \($action): " + (.said + if .offending == [] then [] else ["\(.offending | length) refused, listed above"] end | join("; "))' <<<"$verdict")"
{
  printf '### ❌ The plan is refused\n\n'
  jq -r "$text"'(.said[] | "- \(.)"), (.offending[] | "- \(.[1]): \(.[0] | code) – \(.[2] | code)")' <<<"$verdict" | clip
  printf '\n'
} >>"$summary"
exit 1
