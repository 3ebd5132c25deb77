#!/usr/bin/env bash
# Estimates what one stack costs a month, and what a commit changes about that.
#
# Environment
#   INFRACOST_API_KEY     the key for Infracost's prices (default: none, then nothing is estimated)
#   STACK_DIRECTORY       the root module, from the root of the repository
#   STACK                 slug of the stack
#   ENVIRONMENT           slug of the environment whose values are used (default: none)
#   VAR_FILES             JSON: variable files, relative to STACK_DIRECTORY (default: [])
#   VARIABLES             JSON: name → value, or → {"variable": "NAME"}, the GitHub variable NAME,
#                         which is read from VARIABLE_NAME; with "as": "list" it is split at
#                         commas. A {"secret": "NAME"} is left out, as is an empty variable (default: {})
#   BASE                  commit to compare with, such as HEAD^; the checkout has to hold it, which
#                         takes fetch-depth: 2 for HEAD^ (default: none, then there is only a total)
#   MAX_MONTHLY_INCREASE  whole units of the currency that the cost may grow by (default: no limit)
#   COST_DIR              where the results are written; it is created
#   TIMEOUT_SECONDS       how long one estimate may take (default: 300)
#   RUNNER_TEMP           private working files (default: /tmp)
# Writes
#   COST_DIR/target.json  {stack, environment}
#   COST_DIR/cost.json    {stack, currency, before, after, difference, resources: [{name, before,
#                         after, difference}]}; amounts are strings with two decimals, before and
#                         difference are null without a base. Not written where the cost is unknown
# Exit codes
#   0 estimated; also, with a notice, when the key is missing or Infracost fails: it says nothing
#   about the change · 1 the cost grows by more than the limit · 2 usage
#
# Amounts are rounded to cents, and what is shown is what is compared. Both commits are written from
# git into a private directory: no hook and no filter runs, nothing of them is executed, and Infracost
# leaves nothing in the checkout. It runs in an empty directory, because it reads .env where it
# runs: a change could send the key to an address of its own.
set -uo pipefail

# Only Infracost sees the key.
key=${INFRACOST_API_KEY:-}
unset INFRACOST_API_KEY
STACK_DIRECTORY=${STACK_DIRECTORY:-}
STACK=${STACK:-}
ENVIRONMENT=${ENVIRONMENT:-}
VAR_FILES=${VAR_FILES:-[]}
VARIABLES=${VARIABLES:-}
[[ -n $VARIABLES ]] || VARIABLES='{}'
BASE=${BASE:-}
MAX_MONTHLY_INCREASE=${MAX_MONTHLY_INCREASE:-}
COST_DIR=${COST_DIR:-}
TIMEOUT_SECONDS=${TIMEOUT_SECONDS:-300}
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

slug='^[a-z][a-z0-9-]{0,99}$'
[[ -n $STACK_DIRECTORY && -d $STACK_DIRECTORY && $STACK_DIRECTORY != /* && /$STACK_DIRECTORY/ != */../* ]] ||
  usage 'STACK_DIRECTORY must be a directory of the repository'
[[ $STACK =~ $slug ]] || usage 'STACK must be a slug'
[[ -z $ENVIRONMENT || $ENVIRONMENT =~ $slug ]] || usage 'ENVIRONMENT must be a slug'
[[ -z $BASE || $BASE =~ ^[A-Za-z0-9][A-Za-z0-9._/^~-]{0,200}$ ]] || usage 'BASE must name a commit'
[[ $MAX_MONTHLY_INCREASE =~ ^[0-9]{0,10}$ ]] || usage 'MAX_MONTHLY_INCREASE must be a whole number'
[[ $TIMEOUT_SECONDS =~ ^[1-9][0-9]{0,3}$ ]] || usage 'TIMEOUT_SECONDS must be a whole number'
[[ -n $COST_DIR ]] || usage 'COST_DIR is not set'

# They become arguments, one per line: no control characters.
line='type == "string" and length > 0 and (explode | all(. >= 32))'
files=$(printf '%s' "$VAR_FILES" | jq -r -s "def line: $line;"'
  if length == 1 and (.[0] | type == "array" and all(.[]; line)) then .[0][] else error("usage") end' 2>/dev/null) ||
  usage 'VAR_FILES must be a JSON array of paths'
values=$(printf '%s' "$VARIABLES" | jq -c -s '
  def held: $ENV["VARIABLE_" + .variable] | split(",") | map(gsub("^\\s+|\\s+$"; "")) | map(select(. != ""));
  def refers($key): type == "object" and (keys == [$key] or (keys == ["as", $key] and .as == "list"))
    and (.[$key] | type == "string" and test("\\A[A-Za-z_][A-Za-z0-9_]*\\z"));
  if length == 1 and (.[0] | type) == "object" then .[0] else error("usage") end
  | with_entries(
      if .value | refers("secret") then empty
      elif .value | refers("variable") | not then .
      elif ($ENV["VARIABLE_" + .value.variable] // "") == "" then empty
      elif .value.as == "list" then .value |= held
      else .value = $ENV["VARIABLE_" + .value.variable] end)' 2>/dev/null) || usage 'VARIABLES must be a JSON object'
var_files=()
[[ -z $files ]] || mapfile -t var_files <<<"$files"

mkdir -p -- "$COST_DIR" || usage 'COST_DIR cannot be created'
COST_DIR=$(cd -- "$COST_DIR" && pwd)
rm -f -- "$COST_DIR/cost.json"
# First of all: a cost that is not known is reported as well.
jq -n --arg environment "$ENVIRONMENT" --arg stack "$STACK" \
  '{$stack} + (if $environment == "" then {} else {$environment} end)' >"$COST_DIR/target.json"

# Says why the cost is not known, and that nothing was judged.
unknown() {
  annotate notice "no cost of $STACK: $1"
  {
    printf '### Monthly cost of %s: not known\n\n' "\`$STACK\`"
    printf '%s.' "${1^}"
    [[ -z $MAX_MONTHLY_INCREASE ]] || printf ' The limit was not checked.'
    printf '\n\n'
  } >>"$summary"
  exit 0
}

[[ -n $key ]] || unknown 'the key is missing (a fork, or not set)'
command -v infracost >/dev/null || usage 'infracost is not installed'

readable=$(umask)
umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/cost-report.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT
mkdir -- "$work/empty"
# Infracost sorts variable files, and the one whose path comes first has the last word: this one, as in a plan.
printf '%s' "$values" >"$work/0.tfvars.json"

# Shows text that must not be taken for workflow commands.
show() {
  local token
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$token"
  cat -- "$@"
  printf '\n::%s::\n' "$token"
}

root=$(git rev-parse --show-toplevel 2>/dev/null) || unknown 'this is not a git repository'
below=$(realpath -ms --relative-to=/ "/$(git rev-parse --show-prefix)$STACK_DIRECTORY")
[[ $below != . ]] || below=

# revision → its commit, where the checkout holds it
commit_of() { git rev-parse --verify --quiet "$1^{commit}"; }

# name, commit → a tree of that name. Attributes mean nothing without the filters that a
# configuration names, and only the repository's own is read.
take_out() {
  local quiet=(env GIT_INDEX_FILE="$work/$1.index" GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
    git -C "$root" -c core.hooksPath=/dev/null)
  mkdir -- "$work/$1" && "${quiet[@]}" read-tree "$2" &&
    "${quiet[@]}" checkout-index --all --quiet --prefix="$work/$1/" &&
    # Prices and modules are fetched: a committed cache of them could hold others.
    find "$work/$1" -name .infracost -prune -exec rm -rf -- {} +
}

# name, commit → NAME.json: {currency, total, resources: {name: cents}, warnings}; 1 with the reason in why.
why=
estimate() {
  local directory=$work/$1/$below file rc=0 arguments=()
  if ! take_out "$1" "$2" >"$work/log" 2>&1; then
    show "$work/log"
    why="the files of commit ${2:0:7} cannot be read"
    return 1
  fi
  for file in "${var_files[@]}"; do
    # What this commit does not have yet cannot be read from it. A list is read as CSV.
    [[ ! -f $directory/$file ]] || arguments+=(--terraform-var-file "\"${file//\"/\"\"}\"")
  done
  arguments+=(--terraform-var-file "$(realpath -ms --relative-to="$directory" "$work/0.tfvars.json")")
  (
    cd -- "$work/empty" || exit 1
    # Only prices are asked for: nothing is uploaded.
    INFRACOST_API_KEY=$key INFRACOST_SKIP_UPDATE_CHECK=true INFRACOST_ENABLE_CLOUD=false \
      exec timeout --kill-after=10 "$TIMEOUT_SECONDS" infracost breakdown --path "$directory" \
      --format json --out-file "$work/$1.report" --no-color "${arguments[@]}"
  ) >"$work/log" 2>&1 || rc=$?
  show "$work/log"
  if ((rc)); then
    if ((rc == 124 || rc == 137)); then
      why="Infracost took longer than $TIMEOUT_SECONDS seconds for commit ${2:0:7}"
    else
      why="Infracost failed for commit ${2:0:7}, its output is in the log"
    fi
    return 1
  fi
  # A project that fails counts as free in a report that is otherwise fine.
  if ! jq -c -s '
    def cents: if . == null then 0 else tostring
      | if test("\\A-?[0-9]{1,12}(\\.[0-9]+)?\\z") then capture("\\A(?<sign>-?)(?<whole>[0-9]+)(\\.(?<part>[0-9]+))?\\z")
        else error("no amount") end
      | (((.part // "") + "000")[:3] | tonumber) as $part
      | ((.whole | tonumber) * 100 + ((($part + 5) / 10) | floor)) * (if .sign == "-" then -1 else 1 end) end;
    def list: if . == null then empty elif type == "array" then .[] else error("no list") end;
    if length == 1 then .[0] else error("no report") end
    | if (.projects | type == "array" and length > 0) and (.currency | type == "string" and test("\\A[A-Z]{3}\\z"))
        and has("totalMonthlyCost") then . else error("no report") end
    | [.projects[].metadata.errors // [] | list] as $errors
    | if any($errors[]; .isError != false and .isError != null) then error("a project failed") else . end
    | {currency, total: (.totalMonthlyCost | cents), warnings: ($errors | length),
       resources: (reduce (.projects[].breakdown | if type == "object" then .resources else error("no report") end | list) as $resource ({};
         .[$resource.name | if type == "string" then . else error("no name") end] += ($resource.monthlyCost | cents)))}' \
    "$work/$1.report" >"$work/$1.json" 2>/dev/null; then
    why="Infracost has no complete estimate of commit ${2:0:7}, its output is in the log"
    return 1
  fi
}

head=$(commit_of HEAD) || unknown 'the repository has no commit'
estimate after "$head" || unknown "$why"

base=
if [[ -z $BASE ]]; then
  why=
elif ! base=$(commit_of "$BASE"); then
  base=
  why="the commit to compare with, $BASE, is not in this checkout"
elif ! grep -Eq '\.(tf|tofu)(\.json)?$' <<<"$(git -C "$root" ls-tree --name-only "$base:$below" 2>/dev/null)"; then
  # A new stack: everything in it is new.
  jq -c '{currency, total: 0, resources: {}, warnings: 0}' "$work/after.json" >"$work/before.json"
elif ! estimate before "$base"; then
  base=
fi
if [[ -n $base ]] && ! jq -e -s '.[0].currency == .[1].currency' "$work/before.json" "$work/after.json" >/dev/null; then
  base=
  why='the two estimates are in different currencies'
fi
if [[ -z $base ]]; then
  printf 'null\n' >"$work/before.json"
  if [[ -n $why ]]; then
    annotate notice "the cost of $STACK is not compared: $why"
  fi
fi

umask "$readable"
jq -n --arg stack "$STACK" --slurpfile before "$work/before.json" --slurpfile after "$work/after.json" '
  def money: (if . < 0 then "-" else "" end) + (fabs | "\(. / 100 | floor).\("0\(. % 100)"[-2:])");
  $before[0] as $before | $after[0] as $after
  | {$stack, currency: $after.currency, after: ($after.total | money)}
    + if $before == null then {before: null, difference: null, resources: []} else {
      before: ($before.total | money), difference: ($after.total - $before.total | money),
      resources: ([(($before.resources + $after.resources) | keys_unsorted[]) as $name
        | {$name, before: ($before.resources[$name] // 0), after: ($after.resources[$name] // 0)}
        | .difference = .after - .before | select(.difference != 0)]
        | sort_by(-(.difference | fabs), .name) | .[:20]
        | map(.before |= money | .after |= money | .difference |= money))} end' >"$COST_DIR/cost.json"

difference=$(jq -r '.difference // empty' "$COST_DIR/cost.json")
cents=${difference//./}
above=
if [[ -n $difference && $cents != -* && -n $MAX_MONTHLY_INCREASE ]] && ((10#$cents > 10#$MAX_MONTHLY_INCREASE * 100)); then
  above=1
fi

jq -r --arg environment "$ENVIRONMENT" --arg base "${base:0:7}" --arg head "${head:0:7}" --arg why "$why" \
  --arg limit "$MAX_MONTHLY_INCREASE" --arg above "$above" --slurpfile after "$work/after.json" '
  def plain: .[:2000] | explode | map(if . == 9 or . == 10 or . == 13 then 32 else . end)
    | map(select(. >= 32 and (. < 127 or . > 159) and (. < 8203 or . > 8207)
        and (. < 8232 or . > 8238) and (. < 8288 or . > 8303) and . != 65279)) | .[:150] | implode;
  def code: plain | ([match("`+"; "g").length] | max // 0) as $run | ("`" * ($run + 1)) as $fence
    | if . == "" then "(empty)" elif test("^`|`$") then "\($fence) \(.) \($fence)" else "\($fence)\(.)\($fence)" end;
  # A cell: a pipe is escaped, and a backslash before it would undo that.
  def cell: code | gsub("\\\\(?=\\|)"; "\\ ") | gsub("\\|"; "\\|");
  def signed: if startswith("-") or test("\\A0\\.00\\z") then . else "+" + . end;
  "### \(if $above != "" then "❌ " else "" end)Monthly cost of `\(.stack)`: \(
    if .difference == null then "\(.after) \(.currency)" else "\(.difference | signed) \(.currency)" end)", "",
  (if .difference == null then "Not compared\(if $why == "" then "" else ": \($why | plain)" end).\(
      if $limit == "" then "" else " The limit was not checked." end)", ""
   else (if $above != "" then "**More than the \($limit) \(.currency) a month that it may grow by.**", "" else empty end),
    "| Before | After | Difference |", "|--:|--:|--:|", "| \(.before) | \(.after) | \(.difference | signed) |", "",
    (if .resources == [] then empty
     else "| Changes most | Before | After | Difference |", "|---|--:|--:|--:|",
       (.resources[] | "| \(.name | cell) | \(.before) | \(.after) | \(.difference | signed) |"), "" end) end),
  "An estimate from the configuration at `\($head)`\(if $base == "" then "" else " and at `\($base)` before it" end)\(
    if $environment == "" then "" else ", with the values of `\($environment)`" end): not of what runs.\(
    if $after[0].warnings == 0 then "" else " Infracost lacks some values, so that it may be too low." end)", ""' \
  "$COST_DIR/cost.json" >>"$summary"

if [[ -n $above ]]; then
  annotate error "the cost of $STACK grows by $difference $(jq -r .currency "$COST_DIR/cost.json") a month, and may grow by $MAX_MONTHLY_INCREASE"
  exit 1
fi
printf 'cost of %s: %s\n' "$STACK" "$(jq -c '{currency, before, after, difference}' "$COST_DIR/cost.json")"
