#!/usr/bin/env bash
# Plans one stack, which terraform-init.sh has initialised, and says what would change.
#
# Environment
#   TF_COMMAND       terraform | tofu
#   STACK_DIRECTORY  the root module
#   PLAN_DIR         where the results are written; it is created
#   ENVIRONMENT      slug of the environment
#   STACK            slug of the stack
#   PUBLISH          full | summary: whether the text of the plan may be shown and kept
#   VARIABLES        JSON: name → value, or → {"variable": "NAME"}, the GitHub variable NAME, which
#                    is read from VARIABLE_NAME, or → {"secret": "NAME"}, the secret, from
#                    SECRET_NAME; with "as": "list" it is split at commas (default: {})
#   VAR_FILES        JSON: variable files, relative to STACK_DIRECTORY (default: [])
#   COLOR_VARIABLE   the input variable that takes the live colour (default: there is none)
#   COLOR            its value, set on top of VARIABLES: blue | green
#   DESTROY          true | false: whether everything is to be destroyed (default: false)
#   REFRESH          true | false: whether what is really there is looked at (default: true)
#   LOCK             false, or how long to wait for the state's lock: 300s (default: false)
#   PLAN_FILE        where the saved plan is left, outside of PLAN_DIR (default: it is not left)
#   RUNNER_TEMP      private working files (default: /tmp)
# Writes
#   PLAN_DIR/plan-summary.json, PLAN_DIR/target.json, with PUBLISH=full PLAN_DIR/plan.txt and,
#   readable by its owner only, PLAN_FILE
# Outputs
#   class            none | outputs-only | changes | destructive
#   counts           how many of each kind, as JSON
#   fingerprint      SHA-256 of what would change: equal for equal actions on equal addresses; it
#                    stands in plan-summary.json too
# Exit codes
#   0 planned, whatever the class · 1 the tool failed, its output is shown · 2 usage · 3 the plan is
#   errored or incomplete · 4 a GitHub variable or a secret is empty
#
# A saved plan and its JSON hold secrets in clear: the plan stays in a private directory and is
# removed at the end, the JSON passes through a pipe to plan-summary.jq, which keeps no value. Where
# a secret of four or more characters, an element, a line or a JSON text of one stands in anything
# that is shown or kept, *** stands instead. An earlier value, which only state remembers, is not
# known here: what must never be seen is to be marked sensitive in Terraform too.
set -uo pipefail

TF_COMMAND=${TF_COMMAND:-}
STACK_DIRECTORY=${STACK_DIRECTORY:-}
PLAN_DIR=${PLAN_DIR:-}
ENVIRONMENT=${ENVIRONMENT:-}
STACK=${STACK:-}
PUBLISH=${PUBLISH:-}
VARIABLES=${VARIABLES:-}
VAR_FILES=${VAR_FILES:-[]}
COLOR_VARIABLE=${COLOR_VARIABLE:-}
COLOR=${COLOR:-}
DESTROY=${DESTROY:-false}
REFRESH=${REFRESH:-true}
LOCK=${LOCK:-false}
PLAN_FILE=${PLAN_FILE:-}
[[ -n $VARIABLES ]] || VARIABLES='{}'
output=${GITHUB_OUTPUT:-/dev/null}
summary=${GITHUB_STEP_SUMMARY:-/dev/null}
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

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

slug='^[a-z][a-z0-9-]{0,99}$'
[[ $TF_COMMAND == terraform || $TF_COMMAND == tofu ]] || usage 'TF_COMMAND must be terraform or tofu'
command -v "$TF_COMMAND" >/dev/null || usage "$TF_COMMAND is not installed"
[[ -n $STACK_DIRECTORY && -d $STACK_DIRECTORY ]] || usage 'STACK_DIRECTORY must be a directory'
[[ -n $PLAN_DIR ]] || usage 'PLAN_DIR is not set'
[[ $ENVIRONMENT =~ $slug ]] || usage 'ENVIRONMENT must be a slug'
[[ $STACK =~ $slug ]] || usage 'STACK must be a slug'
[[ $PUBLISH == full || $PUBLISH == summary ]] || usage 'PUBLISH must be full or summary'
[[ -z $COLOR_VARIABLE$COLOR || ($COLOR_VARIABLE =~ ^[A-Za-z_][A-Za-z0-9_-]*$ && ($COLOR == blue || $COLOR == green)) ]] ||
  usage 'COLOR_VARIABLE must name an input variable and COLOR be blue or green, or neither be set'
[[ $DESTROY == true || $DESTROY == false ]] || usage 'DESTROY must be true or false'
[[ $REFRESH == true || $REFRESH == false ]] || usage 'REFRESH must be true or false'
[[ $LOCK == false || $LOCK =~ ^[0-9]{1,5}[smh]$ ]] || usage 'LOCK must be false or a duration such as 300s'

# Each becomes an argument, one per line: no control characters.
arguments=$(printf '%s' "$VAR_FILES" | jq -r -s '
  def line: type == "string" and length > 0 and (explode | all(. >= 32));
  if length == 1 and (.[0] | type == "array" and all(.[]; line))
  then .[0][] | "-var-file=\(.)" else error("usage") end' 2>/dev/null) ||
  usage 'VAR_FILES must be a JSON array of paths'
variables=()
[[ -z $arguments ]] || mapfile -t variables <<<"$arguments"

# shellcheck disable=SC2016 # the dollar is jq's
held='
  def reference: type == "object" and (del(.as) | keys | . == ["variable"] or . == ["secret"])
    and ((has("as") | not) or .as == "list")
    and (.variable // .secret | type == "string" and test("\\A[A-Za-z_][A-Za-z0-9_]*\\z"));
  def text: (if has("secret") then $ENV["SECRET_" + .secret] else $ENV["VARIABLE_" + .variable] end) // "";
  def elements: text | split(",") | map(gsub("^\\s+|\\s+$"; "")) | map(select(. != ""));'
missing=$(printf '%s' "$VARIABLES" | jq -r -s "$held"'
  if length == 1 and (.[0] | type) == "object" then .[0] else error("usage") end
  | to_entries[] | select(.value | reference) | select(.value | text == "")
  | if .value | has("secret") then "secret \(.value.secret) \(.key)" else "variable \(.value.variable) \(.key)" end' 2>/dev/null) ||
  usage 'VARIABLES must be a JSON object'
if [[ -n $missing ]]; then
  while read -r kind name key; do
    if [[ $kind == secret ]]; then
      annotate error "the secret $name is empty here: set it in the GitHub environment of this job (gh secret set $name --env $ENVIRONMENT-plan for plans, --env $ENVIRONMENT for what follows an apply), the Terraform variable $key takes its value"
    else
      annotate error "the GitHub variable $name is empty: set it (gh variable set $name), the Terraform variable $key takes its value"
    fi
  done <<<"$missing"
  exit 4
fi

mkdir -p -- "$PLAN_DIR" || usage 'PLAN_DIR cannot be created'
PLAN_DIR=$(cd -- "$PLAN_DIR" && pwd -P)
if [[ -n $PLAN_FILE ]]; then
  parent=$(cd -- "$(dirname -- "$PLAN_FILE")" 2>/dev/null && pwd -P) || usage 'the directory of PLAN_FILE must exist'
  PLAN_FILE=$parent/$(basename -- "$PLAN_FILE")
  [[ ! -d $PLAN_FILE ]] || usage 'PLAN_FILE must be a file'
  # What lies in PLAN_DIR is kept and shown; a saved plan holds secrets.
  [[ $parent/ != "$PLAN_DIR"/* ]] || usage 'PLAN_FILE must not lie in PLAN_DIR'
  rm -f -- "$PLAN_FILE"
fi
rm -f -- "$PLAN_DIR/plan.txt" "$PLAN_DIR/plan-summary.json" "$PLAN_DIR/target.json"
# First of all: a plan that fails is reported as well.
jq -n --arg environment "$ENVIRONMENT" --arg stack "$STACK" '{$environment, $stack}' >"$PLAN_DIR/target.json"

readable=$(umask)
umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/terraform-plan.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

printf '%s' "$VARIABLES" | jq "$held"'
  with_entries(.value |= if reference | not then . elif .as == "list" then elements else text end)' \
  >"$work/variables.tfvars.json"
variables+=("-var-file=$work/variables.tfvars.json")
# On the command line: a name that the stack does not declare is an error there, and a warning in a file.
[[ -z $COLOR ]] || variables+=("-var=$COLOR_VARIABLE=$COLOR")

# Every text of a secret, as it is and as Terraform quotes it, the longest first.
printf '%s' "$VARIABLES" | jq "$held"'
  def trimmed: gsub("^\\s+|\\s+$"; "");
  def texts: ., splits("[\\n\\r]+"), (try fromjson catch null | select(type == "object" or type == "array") | .. | strings);
  def quoted: tojson[1:-1] | ., gsub("<"; "\\u003c"), (gsub("<"; "\\u003c") | gsub(">"; "\\u003e") | gsub("&"; "\\u0026"));
  [.[] | select(reference and has("secret")) | text, elements[] | texts | trimmed | ., quoted | select(length >= 4)]
  | unique | sort_by(-length)' >"$work/secrets.json"
# White space matches any: Terraform breaks long lines and indents those of a text.
jq -r '.[] | gsub("(?<sign>[][\\\\.{}()*+?^$|/])"; "\\\(.sign)") | gsub("[ \\t\\n\\r\\f\\x0b]+"; "[[:space:]]+")
  | "s/\(.)/***/g"' "$work/secrets.json" >"$work/secrets.sed"
masked() { LC_ALL=C sed -z -E -f "$work/secrets.sed"; }

# Runs the tool in the stack. An interrupt is passed on, so that it can release its lock: the
# runner signals this shell only.
child=
interrupted=
trap 'interrupted=1; [[ -z $child ]] || kill -TERM "$child" 2>/dev/null' INT TERM
tool() {
  local rc=0
  "$TF_COMMAND" -chdir="$STACK_DIRECTORY" "$@" &
  child=$!
  wait "$child" || rc=$?
  while kill -0 "$child" 2>/dev/null; do
    rc=0
    wait "$child" || rc=$?
  done
  child=
  return "$rc"
}

# Shows text that must not be taken for workflow commands.
show() {
  local token
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$token"
  cat -- "$@" | masked
  printf '\n::%s::\n' "$token"
}

failed() {
  [[ -z $interrupted ]] || annotate error "$TF_COMMAND $1 was cancelled"
  annotate error "$TF_COMMAND $1 failed for $ENVIRONMENT/$STACK: its output is above"
  printf '### ❌ Plan of %s for %s: %s failed\n\nThe log has the output.\n\n' "\`$STACK\`" "\`$ENVIRONMENT\`" "$1" >>"$summary"
  exit 1
}

options=(-lock=false)
[[ $LOCK == false ]] || options=("-lock-timeout=$LOCK")
[[ $DESTROY == false ]] || options+=(-destroy)
[[ $REFRESH == true ]] || options+=(-refresh=false)
rc=0
tool plan -input=false -no-color -detailed-exitcode -out="$work/plan.tfplan" "${options[@]}" "${variables[@]}" \
  >"$work/plan.log" 2>"$work/plan.errors" || rc=$?
if [[ -n $interrupted ]] || ((rc != 0 && rc != 2)); then
  # What was planned before the error is plan text; the errors are not.
  if [[ $PUBLISH == full ]]; then
    show "$work/plan.log" "$work/plan.errors"
  else
    show "$work/plan.errors"
  fi
  failed plan
fi

"$TF_COMMAND" -chdir="$STACK_DIRECTORY" show -json "$work/plan.tfplan" 2>"$work/show.errors" |
  jq -f "$here/plan-summary.jq" >"$work/unmasked.json" || {
  show "$work/show.errors"
  failed 'show -json'
}
# The tool knows of kinds of changes that this summary does not: it has the last word. A secret can
# be the key of an instance, and so stand in an address.
jq --argjson rc "$rc" --slurpfile secrets "$work/secrets.json" '
  def masked: reduce $secrets[0][] as $secret (.; split($secret) | join("***"));
  if $rc == 2 and .class == "none" then .class = "changes" else . end
  | (.destructive, .changed, .drift)[] |= (.address |= masked | if has("previous") then .previous |= masked else . end)
  | .outputs[].name |= masked' \
  "$work/unmasked.json" >"$work/plan-summary.json" || failed 'show -json'
fingerprint=$(jq -c -S '[.destructive, .changed]' "$work/plan-summary.json" | sha256sum)
fingerprint=${fingerprint%% *}
umask "$readable"
jq --arg fingerprint "$fingerprint" '. + {$fingerprint}' "$work/plan-summary.json" >"$PLAN_DIR/plan-summary.json" || failed 'show -json'

plan=
if [[ $PUBLISH == full ]]; then
  plan=$PLAN_DIR/plan.txt
  "$TF_COMMAND" -chdir="$STACK_DIRECTORY" show -no-color "$work/plan.tfplan" 2>"$work/show.errors" | masked >"$plan" || {
    rm -f -- "$plan"
    show "$work/show.errors"
    failed show
  }
  show "$plan"
fi

# The head of the report: status, counts, what is destroyed.
jq -r --arg environment "$ENVIRONMENT" --arg stack "$STACK" '
  def plain: .[:2000] | explode | map(if . == 9 or . == 10 or . == 13 then 32 else . end)
    | map(select(. >= 32 and (. < 127 or . > 159) and (. < 8203 or . > 8207)
        and (. < 8232 or . > 8238) and (. < 8288 or . > 8303) and . != 65279)) | .[:300] | implode;
  def code: plain | ([match("`+"; "g").length] | max // 0) as $run | ("`" * ($run + 1)) as $fence
    | if test("^`|`$") then "\($fence) \(.) \($fence)" else "\($fence)\(.)\($fence)" end;
  def list($max): length as $all | (.[:$max][] | "- \(.action): \(.address | code)"), (if $all > $max then "- … and \($all - $max) more" else empty end);
  {none: "✅ no changes", "outputs-only": "✅ only outputs change", changes: "🔧 changes", destructive: "⚠️ something is destroyed"}[.class] as $status
  | "### Plan of `\($stack)` for `\($environment)`: \($status)", "",
    (if .errored then "**The plan ended with errors.**", "" elif .complete | not then "**The plan is incomplete: it leaves changes for a later run.**", "" else empty end),
    "| Create | Update | Replace | Delete | Import | Move | Forget | Read | Drift |", "|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    "| \(.counts | "\(.create) | \(.update) | \(.replace) | \(.delete) | \(.import) | \(.move) | \(.forget) | \(.read) | \(.drift)") |", "",
    (if .destructive != [] then "**Destroyed or replaced**", "", (.destructive | list(100)), "" else empty end),
    (if .outputs != [] then "Outputs that change: \(.outputs[:50] | map(.name | code) | join(", "))\(if .outputs | length > 50 then ", …" else "" end)", "" else empty end),
    (if .drift != [] then "Changed outside of Terraform:", "", (.drift | list(50)), "" else empty end)' \
  "$PLAN_DIR/plan-summary.json" >"$work/head.md"

# 900 KiB of the megabyte that a step may write, cut at a line end, in a fence that the plan cannot close.
{
  cat -- "$work/head.md"
  if [[ -n $plan ]]; then
    iconv -c -f UTF-8 -t UTF-8 <"$plan" 2>/dev/null | LC_ALL=C tr -d '\000-\010\013-\037\177' >"$work/plan.text"
    room=$((921600 - $(wc -c <"$work/head.md") - 4096))
    LC_ALL=C awk -v room="$room" '{ n += length($0) + 1; if (n > room) exit; print }' "$work/plan.text" >"$work/plan.clipped"
    fence=$(LC_ALL=C awk '{ while (match($0, /`+/)) { if (RLENGTH > n) n = RLENGTH; $0 = substr($0, RSTART + RLENGTH) } }
      END { s = "```"; while (length(s) <= n) s = s "`"; print s }' "$work/plan.clipped")
    if ((${#fence} > 1000)); then
      printf 'The plan cannot be shown here; the artifact has it.\n\n'
    else
      printf '<details><summary>Plan</summary>\n\n%s\n' "$fence"
      cat -- "$work/plan.clipped"
      printf '%s\n\n</details>\n\n' "$fence"
      if (($(wc -c <"$work/plan.clipped") < $(wc -c <"$work/plan.text"))); then
        printf '**The plan is cut here; the artifact has all of it.**\n\n'
      fi
    fi
  fi
} >>"$summary"

class=$(jq -r .class "$PLAN_DIR/plan-summary.json")
printf 'plan of %s for %s: %s %s\n' "$STACK" "$ENVIRONMENT" "$class" "$(jq -c .counts "$PLAN_DIR/plan-summary.json")"
if ! jq -e '.complete and (.errored | not)' "$PLAN_DIR/plan-summary.json" >/dev/null; then
  annotate error "the plan of $STACK for $ENVIRONMENT is errored or incomplete: it must not be approved"
  exit 3
fi
[[ -z $PLAN_FILE ]] || install -m 600 -- "$work/plan.tfplan" "$PLAN_FILE" || usage 'PLAN_FILE cannot be written'
printf 'class=%s\ncounts=%s\nfingerprint=%s\n' "$class" "$(jq -c .counts "$PLAN_DIR/plan-summary.json")" "$fingerprint" >>"$output"
