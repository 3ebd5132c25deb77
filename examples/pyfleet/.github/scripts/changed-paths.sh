#!/usr/bin/env bash
# Which targets does this pull request, merge group or push change?
#
# Environment
#   EVENT_NAME       pull_request | merge_group | push | any other name
#   TARGETS          JSON: [{"name": "app", "paths": ["api", "Dockerfile"]}]; "." is everything
#   BASE_SHA         commit to compare with (default: the base that the event names). In a pull
#                    request's merge commit the first parent is used instead: it was merged
#   COMPARE_PUSHES   true: a push is compared with what was there before it; false: it changes
#                    everything (default: false)
#   ALWAYS           JSON: paths whose change selects every target (default: [])
#   FOLLOW_MODULES   true: a target also covers the local Terraform modules and the symbolic
#                    links it uses, and theirs (default: false)
#   MATRICES         JSON: {"output": [{"stack": "app", …}]} (default: {})
#   MAX_CHANGED      more changed targets than this are refused (default: 100)
#   NOTES            lines for the summary, shown as plain text (default: none)
#   HEAD_REPOSITORY  the repository that the change comes from (default: none)
# Outputs
#   changed          JSON array of the names; then each key of MATRICES, its entries whose
#                    "stack" is changed
# Exit codes
#   0 decided · 2 usage · 3 more than MAX_CHANGED targets
#
# In doubt everything counts as changed: a check that runs for nothing costs minutes, one that
# does not run costs the gate its meaning.
set -uo pipefail

EVENT_NAME=${EVENT_NAME:-}
TARGETS=${TARGETS:-}
BASE_SHA=${BASE_SHA:-}
if [[ -z $BASE_SHA && -f ${GITHUB_EVENT_PATH:-} ]]; then
  BASE_SHA=$(jq -r '.pull_request.base.sha // .merge_group.base_sha // .before // empty' "$GITHUB_EVENT_PATH" 2>/dev/null) || BASE_SHA=
fi
COMPARE_PUSHES=${COMPARE_PUSHES:-false}
ALWAYS=${ALWAYS:-[]}
FOLLOW_MODULES=${FOLLOW_MODULES:-false}
MATRICES=${MATRICES:-}
[[ -n $MATRICES ]] || MATRICES='{}'
MAX_CHANGED=${MAX_CHANGED:-100}
NOTES=${NOTES:-}
HEAD_REPOSITORY=${HEAD_REPOSITORY:-}
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

[[ -n $EVENT_NAME ]] || usage 'EVENT_NAME is not set'
[[ $FOLLOW_MODULES == true || $FOLLOW_MODULES == false ]] || usage 'FOLLOW_MODULES must be true or false'
[[ $COMPARE_PUSHES == true || $COMPARE_PUSHES == false ]] || usage 'COMPARE_PUSHES must be true or false'
[[ $MAX_CHANGED =~ ^[0-9]{1,4}$ ]] || usage 'MAX_CHANGED must be a whole number'

# Paths and names travel one per line, so neither may hold a control character.
line='type == "string" and length > 0 and (explode | all(. >= 32))'
jq -e -n --argjson targets "${TARGETS:-null}" "def line: $line;"'
  $targets | type == "array" and all(.[];
    type == "object" and (.name | line) and (.paths | type == "array" and length > 0 and all(.[]; line)))
' >/dev/null 2>&1 || usage 'TARGETS must be JSON: [{"name": "app", "paths": ["app"]}]'
jq -e -n --argjson always "$ALWAYS" "def line: $line;"'
  $always | type == "array" and all(.[]; line)
' >/dev/null 2>&1 || usage 'ALWAYS must be a JSON array of paths'
jq -e -n --argjson matrices "$MATRICES" '
  $matrices | type == "object"
    and all(keys[]; test("\\A[A-Za-z_][A-Za-z0-9_-]*\\z") and . != "changed")
    and all(.[]; type == "array" and all(.[]; type == "object" and (.stack | type == "string")))
' >/dev/null 2>&1 || usage 'MATRICES must be JSON: {"output": [{"stack": "app"}]}, and no output may be named "changed"'

mapfile -t names < <(jq -r -n --argjson targets "$TARGETS" '$targets[].name')
mapfile -t always < <(jq -r -n --argjson always "$ALWAYS" '$always[]')

root=$(git rev-parse --show-toplevel 2>/dev/null) || root=

has_commit() { git cat-file -e "$1^{commit}" 2>/dev/null; }

# Sets base, or why there is none.
base=
why=
find_base() {
  local head parents
  if [[ -z $root ]]; then
    why='this is not a git repository'
    return
  fi
  if ! head=$(git rev-parse --verify --quiet 'HEAD^{commit}'); then
    why='the repository has no commit'
    return
  fi
  case $EVENT_NAME in
    pull_request)
      # Read from the commit itself: a shallow clone hides parents it does not hold.
      mapfile -t parents < <(git cat-file commit HEAD | sed -n -e '/^$/q' -e 's/^parent //p')
      # Another checkout than the merge commit may be a merge as well, of something else.
      if ((${#parents[@]} >= 2)) && [[ ${GITHUB_SHA:-$head} == "$head" ]] && has_commit "${parents[0]}"; then
        base=${parents[0]}
        return
      fi
      ;;
    merge_group) ;;
    push)
      if [[ $COMPARE_PUSHES == false ]]; then
        why='a push event has no base to compare with'
        return
      fi
      ;;
    *)
      why="a ${EVENT_NAME//[!a-z_]/} event has no base to compare with"
      return
      ;;
  esac
  if [[ -z $BASE_SHA ]]; then
    why='no base commit is known'
  elif [[ ! $BASE_SHA =~ ^([0-9a-f]{40}|[0-9a-f]{64})$ ]] || ! has_commit "$BASE_SHA"; then
    why='the base commit is not in this checkout'
  else
    base=$BASE_SHA
  fi
}

# 0 when anything below one of the paths differs, 1 when nothing does.
differs() {
  local rc=0
  # Submodules count even where .gitmodules asks to ignore them: the change may have written it.
  git -C "$root" diff-tree -r --quiet --no-renames --no-ext-diff --ignore-submodules=none \
    "$base" HEAD -- "${@/#/:(literal)}" 2>/dev/null || rc=$?
  case $rc in
    0) return 1 ;;
    1) return 0 ;;
    *) usage "git cannot compare these paths: $*" ;;
  esac
}

# Queues a place as it is written and as its links resolve, unless that is outside the repository.
visit() {
  local place
  for place in "$(realpath -ms -- "$1")" "$(realpath -m -- "$1")"; do
    case $place in
      "$root") queue+=(.) ;;
      "$root"/*) queue+=("${place#"$root"/}") ;;
    esac
  done
}

# Adds the local modules and linked files that the given paths use, and theirs, to `covered`.
covered=()
unresolved=
follow() {
  local -A seen=()
  local queue=("$@") path file match source
  covered=()
  unresolved=
  while ((${#queue[@]})); do
    path=${queue[0]}
    queue=("${queue[@]:1}")
    [[ -z ${seen["x$path"]:-} ]] || continue
    seen["x$path"]=1
    covered+=("$path")
    [[ $path != . ]] || return 0
    [[ -e $root/$path ]] || continue
    while IFS= read -r -d '' file && IFS= read -r match; do
      source=${match#*\"}
      [[ $match != \"* ]] || source=${source#*\"*\"}
      source=${source%\"}
      case $source in
        ./*[\\$]* | ../*[\\$]* | \\*) unresolved=$source ;;
        ./* | ../* | . | ..) visit "${file%/*}/$source" ;;
      esac
    done < <(LC_ALL=C grep -raHZoE --exclude-dir=.terraform \
      --include='*.tf' --include='*.tf.json' --include='*.tofu' --include='*.tofu.json' \
      -e '"?source"?[[:space:]]*[=:][[:space:]]*"[^"]*"' -- "$root/$path")
    # Files that are read from elsewhere (templatefile, fileset, …) cannot be told from the text alone.
    if LC_ALL=C grep -rahE --exclude-dir=.terraform \
      --include='*.tf' --include='*.tf.json' --include='*.tofu' --include='*.tofu.json' \
      -e '\.\./|path\.(root|cwd)|abspath\(' -- "$root/$path" 2>/dev/null |
      LC_ALL=C sed -E -e 's/"?source"?[[:space:]]*[=:][[:space:]]*"[^"]*"//g' -e '/^[[:space:]]*(#|\/\/)/d' |
      LC_ALL=C grep -qE '\.\./|path\.(root|cwd)|abspath\('; then
      unresolved='a path that leaves the directory'
    fi
    while IFS= read -r -d '' file; do
      visit "$file"
    done < <(find "$root/$path" -name .terraform -prune -o -type l -print0)
  done
}

find_base
reasons=()
changed=()
if [[ -z $base ]]; then
  changed=("${names[@]}")
elif ((${#always[@]})) && differs "${always[@]}"; then
  changed=("${names[@]}")
  why='a file that concerns every target has changed'
else
  for index in "${!names[@]}"; do
    mapfile -t paths < <(jq -r -n --argjson targets "$TARGETS" --argjson index "$index" '$targets[$index].paths[]')
    for place in "${!paths[@]}"; do
      paths[place]=${paths[place]%/}
      paths[place]=${paths[place]#./}
      paths[place]=${paths[place]:-.}
    done
    if [[ $FOLLOW_MODULES == true ]]; then
      follow "${paths[@]}"
      paths=("${covered[@]}")
      if [[ -n $unresolved ]]; then
        changed+=("${names[index]}")
        reasons+=("${names[index]} counts as changed: the module source \"$unresolved\" cannot be read without evaluating it")
        continue
      fi
    fi
    ! differs "${paths[@]}" || changed+=("${names[index]}")
  done
fi

json=$(printf '%s\n' "${changed[@]}" | jq -R -n -c '[inputs | select(. != "")] | unique')
count=$(jq -n --argjson changed "$json" '$changed | length')
total=$(printf '%s\n' "${names[@]}" | jq -R -n '[inputs | select(. != "")] | unique | length')

# Text that nobody reads as Markdown or HTML.
plain() {
  LC_ALL=C tr -d '\000-\010\013-\037\177' |
    LC_ALL=C sed -e 's/[][\\`*_<>&|~#!]/\\&/g'
}
{
  printf '### Changed targets: %s of %s\n\n' "$count" "$total"
  if [[ -n $why && -z $base ]]; then
    printf 'The difference cannot be computed (%s): every target counts as changed.\n\n' "$why"
  elif [[ -n $why ]]; then
    printf 'Every target counts as changed: %s.\n\n' "$why"
  fi
  jq -r -n --argjson changed "$json" '$changed[]' | plain | sed -e 's/^/- /'
  for reason in "${reasons[@]}"; do
    printf '\n'
    printf '%s\n' "$reason" | plain
  done
  if [[ -n $HEAD_REPOSITORY && $HEAD_REPOSITORY != "${GITHUB_REPOSITORY:-$HEAD_REPOSITORY}" ]]; then
    printf '\nThis change comes from a fork: it gets no credentials, no plan and no comment. The static checks decide.\n'
  fi
  if [[ -n $NOTES ]]; then
    printf '\n'
    printf '%s\n' "$NOTES" | plain | sed -e '/^[[:space:]]*$/d' -e 's/^/- /'
  fi
  printf '\n'
} >>"$summary"

printf 'changed: %s\n' "${json//'##['/'## ['}" # "##[" is a workflow command anywhere in a line
[[ -z $why ]] || printf 'because %s\n' "$why"
if ((count > MAX_CHANGED)); then
  annotate error "$count targets are changed, more than the $MAX_CHANGED that one run may take: split the change, or raise the limit"
  exit 3
fi

{
  printf 'changed=%s\n' "$json"
  jq -r -n --argjson changed "$json" --argjson matrices "$MATRICES" '
    $matrices | to_entries[]
      | "\(.key)=\(.value | map(select(.stack as $stack | $changed | index([$stack]))) | tojson)"'
} >>"$output"
