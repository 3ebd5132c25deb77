#!/usr/bin/env bash
# Composes one comment per stack on what it costs a month; it does not post them.
#
# Environment
#   RESULTS_DIR           tree that holds <anything>/target.json and perhaps cost.json, written by
#                         jobs that ran the change's own code
#   COMMENTS_DIR          where cost.STACK.md is written; it is created
#   RUN_URL               address of the run
#   COMMIT                the commit that was estimated (default: not said)
#   MAX_MONTHLY_INCREASE  whole units of the currency that a cost may grow by (default: no limit)
# Writes
#   COMMENTS_DIR/cost.S.md  its first line is the marker <!-- pyfleet:cost stack=S -->
# Exit codes
#   0 every result has its comment · 1 a result is refused or unreadable, or there is none · 2 usage
#
# Every result is checked for shape and size, and the amounts for what they add up to; names are
# shown as code. A comment has at most 60,000 bytes.
set -uo pipefail

RESULTS_DIR=${RESULTS_DIR:-}
COMMENTS_DIR=${COMMENTS_DIR:-}
RUN_URL=${RUN_URL:-}
COMMIT=${COMMIT:-}
MAX_MONTHLY_INCREASE=${MAX_MONTHLY_INCREASE:-}

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
[[ -n $COMMENTS_DIR ]] || usage 'COMMENTS_DIR is not set'
[[ $RUN_URL =~ ^https://[A-Za-z0-9._:/-]+$ ]] || usage 'RUN_URL must be the address of the run'
[[ -z $COMMIT || $COMMIT =~ ^[0-9a-f]{40,64}$ ]] || usage 'COMMIT must be the hash of a commit'
[[ $MAX_MONTHLY_INCREASE =~ ^[0-9]{0,10}$ ]] || usage 'MAX_MONTHLY_INCREASE must be a whole number'
commit=${COMMIT:+ at \`${COMMIT:0:7}\`}
mkdir -p -- "$COMMENTS_DIR" || usage 'COMMENTS_DIR cannot be created'
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/cost-comment.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

# file, largest size → is it a regular file of at most that size?
sized() { [[ -f $1 && ! -L $1 ]] && (($(wc -c <"$1") <= $2)); }

refused=0
refuse() {
  annotate error "a cost result is refused: $1"
  refused=$((refused + 1))
}

composed=0
while IFS= read -r -d '' directory; do
  file=$directory/cost.json
  sized "$directory/target.json" 4096 || {
    refuse 'it does not say which stack it is about'
    continue
  }
  target=$(jq -r -s '
    def slug: type == "string" and length <= 100 and test("\\A[a-z][a-z0-9-]*\\z");
    if length == 1 and (.[0] | type == "object" and (.stack | slug) and (.environment | . == null or slug))
    then .[0] | "\(.stack) \(.environment // "")" else error("refused") end' "$directory/target.json" 2>/dev/null) || target=
  [[ -n $target ]] || {
    refuse 'its stack or environment is not a slug'
    continue
  }
  read -r stack environment <<<"$target"
  [[ ! -e $work/done.$stack ]] || {
    refuse "there are two for $stack"
    continue
  }
  values=${environment:+, with the values of \`$environment\`}
  {
    printf '<!-- pyfleet:cost stack=%s -->\n' "$stack"
    # The cost step says first what it is about; an amount follows only where there is one.
    if [[ ! -e $file && ! -L $file ]]; then
      printf '### Monthly cost of %s: not known\n\n' "\`$stack\`"
      printf '[The run](%s)%s says why.\n' "$RUN_URL" "$commit"
    # It fails on anything cost-report.sh would not write.
    elif sized "$file" 1048576 && jq -r -s --arg stack "$stack" --arg limit "$MAX_MONTHLY_INCREASE" '
      def amount: type == "string" and test("\\A-?[0-9]{1,13}\\.[0-9]{2}\\z");
      def cents: gsub("\\."; "") | tonumber;
      def adds_up: (.before | amount) and (.after | amount) and (.difference | amount)
        and (.after | cents) - (.before | cents) == (.difference | cents);
      def plain: .[:2000] | explode | map(if . == 9 or . == 10 or . == 13 then 32 else . end)
        | map(select(. >= 32 and (. < 127 or . > 159) and (. < 8203 or . > 8207)
            and (. < 8232 or . > 8238) and (. < 8288 or . > 8303) and . != 65279)) | .[:150] | implode;
      def code: plain | ([match("`+"; "g").length] | max // 0) as $run | ("`" * ($run + 1)) as $fence
        | if . == "" then "(empty)" elif test("^`|`$") then "\($fence) \(.) \($fence)" else "\($fence)\(.)\($fence)" end;
      # A cell: a pipe is escaped, and a backslash before it would undo that.
      def cell: code | gsub("\\\\(?=\\|)"; "\\ ") | gsub("\\|"; "\\|");
      def signed: if startswith("-") or test("\\A0\\.00\\z") then . else "+" + . end;
      if length == 1 and (.[0] | type == "object" and .stack == $stack
        and (.currency | type == "string" and test("\\A[A-Z]{3}\\z"))
        and (.resources | type == "array" and length <= 20
          and all(.[]; type == "object" and (.name | type == "string") and adds_up))
        and (adds_up or (.before == null and .difference == null and (.after | amount) and .resources == [])))
      then .[0] else error("refused") end
      | (.difference != null and $limit != "" and (.difference | cents) > ($limit | tonumber) * 100) as $above
      | "### \(if $above then "❌ " else "" end)Monthly cost of `\(.stack)`: \(
          if .difference == null then .after else .difference | signed end) \(.currency)", "",
        (if .difference == null then "There is nothing to compare it with.\(if $limit == "" then "" else " The limit was not checked." end)", ""
         else (if $above then "**More than the \($limit) \(.currency) a month that it may grow by.**", "" else empty end),
          "| Before | After | Difference |", "|--:|--:|--:|", "| \(.before) | \(.after) | \(.difference | signed) |", "",
          (if .resources == [] then empty
           else "| Changes most | Before | After | Difference |", "|---|--:|--:|--:|",
             (.resources[] | "| \(.name | cell) | \(.before) | \(.after) | \(.difference | signed) |"), "" end) end)' \
      "$file" 2>/dev/null; then
      printf 'An estimate from the configuration%s: not of what runs. [Run](%s)%s\n' "$values" "$RUN_URL" "$commit"
    else
      : >"$work/refused"
    fi
  } >"$work/comment.md"
  if [[ -e $work/refused ]]; then
    rm -f -- "$work/refused"
    refuse "the cost of $stack is not one that the cost step writes"
    continue
  fi
  mv -- "$work/comment.md" "$COMMENTS_DIR/cost.$stack.md"
  : >"$work/done.$stack"
  composed=$((composed + 1))
  printf 'composed the comment on %s\n' "$stack"
done < <(find "$RESULTS_DIR/" \( -name cost.json -o -name target.json \) -printf '%h\0' | sort -zu)

if ((composed + refused == 0)); then
  annotate error 'there is no cost result to comment on'
  exit 1
fi
((refused == 0)) || exit 1
