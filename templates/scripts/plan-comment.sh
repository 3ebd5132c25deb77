#!/usr/bin/env bash
# Composes one comment per plan result; it does not post them.
#
# Environment
#   RESULTS_DIR   tree that holds <anything>/plan-summary.json, target.json and perhaps plan.txt,
#                 written by jobs that ran the change's own code
#   COMMENTS_DIR  where plan.ENVIRONMENT.STACK.md is written; it is created
#   RUN_URL       address of the run
#   COMMIT        the commit that was planned (default: not said)
# Writes
#   COMMENTS_DIR/plan.E.S.md  its first line is the marker <!-- pyfleet:plan env=E stack=S -->
# Exit codes
#   0 every result has its comment · 1 a result is refused or unreadable, or there is none · 2 usage
#
# Every result is checked for shape and size; addresses are shown as code, the plan in a fence it
# cannot close. A comment has at most 60,000 bytes.
set -uo pipefail

RESULTS_DIR=${RESULTS_DIR:-}
COMMENTS_DIR=${COMMENTS_DIR:-}
RUN_URL=${RUN_URL:-}
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
[[ -n $RESULTS_DIR ]] || usage 'RESULTS_DIR is not set'
# Where no plan came far enough to leave anything, nothing was fetched.
mkdir -p -- "$RESULTS_DIR" || usage 'RESULTS_DIR must be a directory'
[[ -n $COMMENTS_DIR ]] || usage 'COMMENTS_DIR is not set'
[[ $RUN_URL =~ ^https://[A-Za-z0-9._:/-]+$ ]] || usage 'RUN_URL must be the address of the run'
[[ -z $COMMIT || $COMMIT =~ ^[0-9a-f]{40,64}$ ]] || usage 'COMMIT must be the hash of a commit'
commit=${COMMIT:+ at \`${COMMIT:0:7}\`}
mkdir -p -- "$COMMENTS_DIR" || usage 'COMMENTS_DIR cannot be created'
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/plan-comment.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

# file, largest size → is it a regular file of at most that size?
sized() { [[ -f $1 && ! -L $1 ]] && (($(wc -c <"$1") <= $2)); }

# Cuts standard input at the last line end within so many bytes.
clip() { LC_ALL=C awk -v room="$1" '{ n += length($0) + 1; if (n > room) exit; print }'; }

refused=0
refuse() {
  annotate error "a plan result is refused: $1"
  refused=$((refused + 1))
}

composed=0
while IFS= read -r -d '' directory; do
  file=$directory/plan-summary.json
  sized "$directory/target.json" 4096 || {
    refuse 'it does not say which environment and stack it is about'
    continue
  }
  target=$(jq -r -s '
    def slug: type == "string" and length <= 100 and test("\\A[a-z][a-z0-9-]*\\z");
    if length == 1 and (.[0] | type == "object" and (.environment | slug) and (.stack | slug))
    then .[0] | "\(.environment) \(.stack)" else error("refused") end' "$directory/target.json" 2>/dev/null) || target=
  [[ -n $target ]] || {
    refuse 'its environment or stack is not a slug'
    continue
  }
  read -r environment stack <<<"$target"
  comment=$COMMENTS_DIR/plan.$environment.$stack.md
  [[ ! -e $work/done.$environment.$stack ]] || {
    refuse "there are two for $environment/$stack"
    continue
  }
  # The plan step says first what it is about; a summary follows only where the tool came to its end.
  if [[ ! -e $file && ! -L $file ]]; then
    {
      printf '<!-- pyfleet:plan env=%s stack=%s -->\n' "$environment" "$stack"
      printf '### Plan of %s for %s: ❌ failed\n\n' "\`$stack\`" "\`$environment\`"
      printf 'There is no plan to approve: [the run](%s)%s has the output.\n' "$RUN_URL" "$commit"
    } >"$comment"
    : >"$work/done.$environment.$stack"
    composed=$((composed + 1))
    printf 'composed the comment on %s/%s, which failed\n' "$environment" "$stack"
    continue
  fi
  sized "$file" 5242880 || {
    refuse "the summary of $environment/$stack is too large"
    continue
  }

  # The head: status, counts, what is destroyed. It fails on anything plan-summary.jq would not write.
  jq -r -s --arg environment "$environment" --arg stack "$stack" '
    def count: type == "number" and . == floor and . >= 0 and . <= 999999;
    def actions: type == "array" and all(.[]; type == "object" and (.address | type == "string")
      and (.action | IN("create", "update", "replace", "delete", "import", "move", "forget", "read")));
    def plain: .[:2000] | explode | map(if . == 9 or . == 10 or . == 13 then 32 else . end)
      | map(select(. >= 32 and (. < 127 or . > 159) and (. < 8203 or . > 8207)
          and (. < 8232 or . > 8238) and (. < 8288 or . > 8303) and . != 65279)) | .[:300] | implode;
    def code: plain | ([match("`+"; "g").length] | max // 0) as $run | ("`" * ($run + 1)) as $fence
      | if . == "" then "(empty)" elif test("^`|`$") then "\($fence) \(.) \($fence)" else "\($fence)\(.)\($fence)" end;
    # As many lines as fit into so many bytes (400 short ones would), then how many are left.
    def fitting($bytes; line):
      length as $all | [.[:400][] | line] as $lines
      | reduce $lines[] as $line ({room: $bytes, taken: 0}; if .room < 0 then . else .room -= ($line | utf8bytelength + 1)
          | if .room < 0 then . else .taken += 1 end end)
      | $lines[:.taken][], (if .taken < $all then "- … and \($all - .taken) more" else empty end);
    if length == 1 and (.[0] | type == "object"
      and (.class | IN("none", "outputs-only", "changes", "destructive"))
      and (.errored | type == "boolean") and (.complete | type == "boolean")
      and (.counts | type == "object" and ([.create, .update, .replace, .delete, .import, .move, .forget, .read, .drift] | all(count)))
      and (.destructive | actions) and (.changed | actions) and (.drift | actions)
      and (.outputs | type == "array" and all(.[]; type == "object" and (.name | type == "string")))
      and .counts.replace + .counts.delete == (.destructive | length)
      and .counts.drift == (.drift | length)
      and (.class == "destructive") == (.destructive != [])
      and (.class == "none" and (.changed != [] or .outputs != []) | not))
    then .[0] else error("refused") end
    | {none: "✅ no changes", "outputs-only": "✅ only outputs change", changes: "🔧 changes", destructive: "⚠️ something is destroyed"}[.class] as $status
    | "<!-- pyfleet:plan env=\($environment) stack=\($stack) -->",
      "### Plan of `\($stack)` for `\($environment)`: \($status)", "",
      (if .errored then "**The plan ended with errors: it must not be approved.**", ""
       elif .complete | not then "**The plan is incomplete: it must not be approved.**", "" else empty end),
      "| Create | Update | Replace | Delete | Import | Move | Forget | Read | Drift |", "|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
      "| \(.counts | "\(.create) | \(.update) | \(.replace) | \(.delete) | \(.import) | \(.move) | \(.forget) | \(.read) | \(.drift)") |", "",
      (if .destructive != [] then "**Destroyed or replaced**", "", (.destructive | fitting(15000; "- \(.action): \(.address | code)")), "" else empty end),
      (if .changed != [] then "Changed", "", (.changed | fitting(8000; "- \(.action): \(.address | code)")), "" else empty end),
      (if .drift != [] then "Changed outside of Terraform", "", (.drift | fitting(5000; "- \(.action): \(.address | code)")), "" else empty end),
      (if .outputs != [] then "Outputs that change", "", (.outputs | fitting(4000; "- \(.name | code)")), "" else empty end)' \
    "$file" >"$work/head.md" 2>/dev/null || {
    refuse "the summary of $environment/$stack is not one that the plan step writes"
    continue
  }

  {
    cat -- "$work/head.md"
    truncated=
    if [[ -e $directory/plan.txt || -L $directory/plan.txt ]]; then
      if sized "$directory/plan.txt" 104857600; then
        iconv -c -f UTF-8 -t UTF-8 <"$directory/plan.txt" 2>/dev/null | LC_ALL=C tr -d '\000-\010\013-\037\177' >"$work/plan.text"
      else
        printf 'too large\n' >"$work/plan.text"
        truncated=1
      fi
      # Two fences of at most 1,000 and the closing lines have to fit as well.
      clip $((60000 - $(wc -c <"$work/head.md") - 3000)) <"$work/plan.text" >"$work/plan.clipped"
      fence=$(LC_ALL=C awk '{ while (match($0, /`+/)) { if (RLENGTH > n) n = RLENGTH; $0 = substr($0, RSTART + RLENGTH) } }
        END { s = "```"; while (length(s) <= n) s = s "`"; print s }' "$work/plan.clipped")
      (($(wc -c <"$work/plan.clipped") >= $(wc -c <"$work/plan.text"))) || truncated=1
      if ((${#fence} > 1000)); then
        truncated=1
      else
        printf '<details><summary>Plan</summary>\n\n%s\n' "$fence"
        cat -- "$work/plan.clipped"
        printf '%s\n\n</details>\n\n' "$fence"
      fi
    fi
    if [[ -n $truncated ]]; then
      printf '**The plan is truncated. A truncated comment is not a basis for approval: read all of it in [the run](%s)%s.**\n' "$RUN_URL" "$commit"
    else
      printf '[Run](%s)%s\n' "$RUN_URL" "$commit"
    fi
  } >"$comment"
  : >"$work/done.$environment.$stack"
  composed=$((composed + 1))
  printf 'composed the comment on %s/%s\n' "$environment" "$stack"
done < <(find "$RESULTS_DIR/" \( -name plan-summary.json -o -name target.json \) -printf '%h\0' | sort -zu)

if ((composed + refused == 0)); then
  annotate error 'there is no plan result to comment on'
  exit 1
fi
((refused == 0)) || exit 1
