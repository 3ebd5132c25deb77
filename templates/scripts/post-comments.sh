#!/usr/bin/env bash
# Posts composed comments: one per marker, updated in place.
#
# Environment
#   GH_TOKEN           token that may write pull request comments
#   GITHUB_REPOSITORY  owner/name
#   PULL_REQUEST       its number
#   COMMENTS_DIR       *.md; the first line of each is its marker
# Exit codes
#   0 posted, updated or unchanged; also, with a notice, when the token may only read · 1 the API
#   failed · 2 usage
#
# A comment is found by its author and its marker, and its text travels in a file: neither
# the arguments nor the environment could hold it.
set -uo pipefail

GITHUB_REPOSITORY=${GITHUB_REPOSITORY:-}
PULL_REQUEST=${PULL_REQUEST:-}
COMMENTS_DIR=${COMMENTS_DIR:-}

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

[[ -n ${GH_TOKEN:-} ]] || usage 'GH_TOKEN is not set'
[[ $GITHUB_REPOSITORY =~ ^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$ ]] || usage 'GITHUB_REPOSITORY must be owner/name'
[[ $PULL_REQUEST =~ ^[1-9][0-9]{0,9}$ ]] || usage 'PULL_REQUEST must be the number of a pull request'
[[ $COMMENTS_DIR != -* ]] || COMMENTS_DIR=./$COMMENTS_DIR
[[ -n $COMMENTS_DIR && -d $COMMENTS_DIR ]] || usage 'COMMENTS_DIR must be a directory'
command -v gh >/dev/null || usage 'gh is not installed'

work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/post-comments.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

files=()
while IFS= read -r -d '' file; do
  marker=$(head -n 1 -- "$file")
  [[ $marker =~ ^'<!-- pyfleet:'[a-z0-9\ =-]+' -->'$ ]] || usage 'a comment does not begin with its marker'
  files+=("$file")
done < <(find "$COMMENTS_DIR/" -maxdepth 1 -type f -name '*.md' -print0 | sort -z)
if ((${#files[@]} == 0)); then
  printf 'there is no comment to post\n'
  exit 0
fi

# Calls the API; its answer is in answer.json, what it complains about in errors.
api() {
  local rc=0
  gh api "$@" >"$work/answer.json" 2>"$work/errors" || rc=$?
  ((rc != 0)) || return 0
  if grep -q 'Resource not accessible by integration' "$work/errors" "$work/answer.json"; then
    annotate notice 'the token may not write comments (a fork, or a bot): the results are in the summary of this run'
    exit 0
  fi
  annotate error "GitHub's API failed: $(head -c 2000 "$work/errors")"
  return 1
}

api --method GET --paginate "repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments?per_page=100" || exit 1
# One array per page, or one for all of them: it depends on the version of gh. No answer is no list.
if ! jq -n '[inputs] | if length > 0 and all(.[]; type == "array") then add else error("no list") end
  | [.[] | select(.user.login == "github-actions[bot]") | {id, body}]' "$work/answer.json" >"$work/own.json" 2>/dev/null; then
  annotate error "GitHub's API did not answer with a list of comments"
  exit 1
fi

failed=0
for file in "${files[@]}"; do
  IFS= read -r marker <"$file"
  jq -n --rawfile body "$file" '{$body}' >"$work/body.json"
  found=$(jq -r --arg marker "$marker" --slurpfile new "$work/body.json" '
    def same: gsub("\r"; "") | sub("\\s+$"; "");
    first(.[] | select(.body | type == "string") | select(.body | same | split("\n")[0] == $marker))
    | "\(.id) \(if (.body | same) == ($new[0].body | same) then "unchanged" else "differs" end)"' "$work/own.json")
  id=${found%% *}
  if [[ -z $found ]]; then
    if api --method POST "repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments" --input "$work/body.json"; then
      printf 'posted %s\n' "$marker"
    else
      failed=1
    fi
  elif [[ $found == *unchanged ]]; then
    printf 'unchanged %s\n' "$marker"
  elif [[ ! $id =~ ^[0-9]+$ ]]; then
    annotate error 'a comment has no number'
    failed=1
  elif api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" --input "$work/body.json"; then
    printf 'updated %s\n' "$marker"
  else
    failed=1
  fi
done
exit "$failed"
