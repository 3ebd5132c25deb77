#!/usr/bin/env bash
# Puts a Deployment of Kubernetes back to an earlier revision, or lists those that there are.
#
# Environment
#   EKS_DIRECTORY    where eks-connect.sh has put kubectl and kubeconfig
#   NAMESPACE        the namespace
#   DEPLOYMENT       the Deployment in it
#   TARGET_REVISION  the number of a revision | previous: the one that the live one replaced | list: only look
#   FROM             go back only from this revision, a number (default: whatever is the Deployment's)
#   DRY_RUN          true | false: whether only to say what would be done (default: false)
#   WAIT_TIMEOUT     seconds (default: 600)
#   RUNNER_TEMP      private working files (default: /tmp)
# Outputs, not of list
#   previous         the number of the revision that was the Deployment's before
#   revision         the number of the revision that it is put back to; there before anything happens
#   state            completed | unchanged | failed | timeout; not of DRY_RUN
#   live             the number that Kubernetes has given it then; not of DRY_RUN
# Exit codes
#   0 live, listed, or put back before · 1 the cluster did not answer, or not as expected · 2 usage · 3 there is no such
#   Deployment or revision, the revision is the Deployment's already, or FROM is not · 4 the role may not · 5 the way
#   back did not end well
#
# Going back gives the old revision a new number, and Kubernetes remembers its old ones: a job that runs again finds that
# it has gone back already, and does not go back one more. `previous` is what eks-deploy.sh has annotated the revision
# with, pyfleet/previous: the one that was live when it was deployed. Without that it is the next older one, with a
# warning. Only the Deployment goes back: what was applied beside it stays.
set -uo pipefail

EKS_DIRECTORY=${EKS_DIRECTORY:-}
NAMESPACE=${NAMESPACE:-}
DEPLOYMENT=${DEPLOYMENT:-}
TARGET_REVISION=${TARGET_REVISION:-}
FROM=${FROM:-}
DRY_RUN=${DRY_RUN:-false}
WAIT_TIMEOUT=${WAIT_TIMEOUT:-600}
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

label='^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'
[[ $EKS_DIRECTORY == /* && -x $EKS_DIRECTORY/kubectl && -f $EKS_DIRECTORY/kubeconfig ]] || usage 'EKS_DIRECTORY must hold kubectl and kubeconfig'
[[ $NAMESPACE =~ $label ]] || usage 'NAMESPACE must be the name of a namespace'
[[ $DEPLOYMENT =~ $label ]] || usage 'DEPLOYMENT must be the name of a Deployment'
[[ $TARGET_REVISION =~ ^(list|previous|[1-9][0-9]{0,8})$ ]] || usage 'TARGET_REVISION must be list, previous or the number of a revision'
[[ -z $FROM || $FROM =~ ^[1-9][0-9]{0,8}$ ]] || usage 'FROM must be the number of a revision'
[[ $DRY_RUN == true || $DRY_RUN == false ]] || usage 'DRY_RUN must be true or false'
[[ $WAIT_TIMEOUT =~ ^[1-9][0-9]{0,4}$ ]] || usage 'WAIT_TIMEOUT must be a number of seconds'

umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/eks-rollback.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

kube() {
  "$EKS_DIRECTORY/kubectl" --kubeconfig "$EKS_DIRECTORY/kubeconfig" --namespace "$NAMESPACE" "$@"
}

failed() {
  annotate error "$1: $(head -c 2000 "$work/errors")"
  exit 1
}

unfit() {
  annotate error "nothing was changed: $1"
  exit 3
}

# Sets $live, the number of the Deployment's revision, and revisions.json: its revisions, newest first.
read_deployment() {
  if ! kube get deployment "$DEPLOYMENT" -o json >"$work/deployment.json" 2>"$work/errors"; then
    ! grep -q '(NotFound)' "$work/errors" || unfit "the namespace $NAMESPACE has no Deployment $DEPLOYMENT"
    if grep -q '(Forbidden)\|You must be logged in' "$work/errors"; then
      annotate error "nothing was changed: this role may not see the Deployment $DEPLOYMENT: it needs an access entry of the cluster. $(head -c 2000 "$work/errors")"
      exit 4
    fi
    failed "reading the Deployment $DEPLOYMENT"
  fi
  kube get replicasets -o json >"$work/sets.json" 2>"$work/errors" || failed "reading the revisions of $DEPLOYMENT"
  live=$(jq -r '.metadata.annotations["deployment.kubernetes.io/revision"] // ""' "$work/deployment.json")
  [[ $live =~ ^[1-9][0-9]{0,8}$ ]] || unfit "Kubernetes has not begun with the Deployment $DEPLOYMENT yet"
  jq --slurpfile deployment "$work/deployment.json" '[.items[] | select(any(.metadata.ownerReferences[]?; .uid == $deployment[0].metadata.uid))
    | .metadata.annotations as $notes | {number: ($notes["deployment.kubernetes.io/revision"] // "" | select(test("\\A[1-9][0-9]{0,8}\\z")) | tonumber),
      earlier: ($notes["deployment.kubernetes.io/revision-history"] // "" | split(",")), previous: $notes["pyfleet/previous"],
      cause: $notes["kubernetes.io/change-cause"], made: .metadata.creationTimestamp,
      images: [.spec.template.spec.containers[] | "\(.name): \(.image)"]}] | sort_by(-.number)' \
    "$work/sets.json" >"$work/revisions.json" 2>"$work/errors" || failed "what the cluster answers of the revisions of $DEPLOYMENT is not understood"
}

# number REVISION: the number that a revision has now, empty where there is none. It may have been gone back to since.
number() {
  jq -r --arg number "$1" '([.[] | select(.number == ($number | tonumber))] + [.[] | select(any(.earlier[]; . == $number))])[0].number // ""' "$work/revisions.json"
}

read_deployment
if [[ $TARGET_REVISION == list ]]; then
  jq -r --arg live "$live" '
    def plain: .[:2000] | explode | map(if . == 9 or . == 10 or . == 13 then 32 else . end)
      | map(select(. >= 32 and (. < 127 or . > 159) and (. < 8203 or . > 8207)
          and (. < 8232 or . > 8238) and (. < 8288 or . > 8303) and . != 65279)) | .[:300] | implode;
    def code: plain | ([match("`+"; "g").length] | max // 0) as $run | ("`" * ($run + 1)) as $fence
      | if test("^`|`$") then "\($fence) \(.) \($fence)" else "\($fence)\(.)\($fence)" end;
    # A backslash before a pipe would free it.
    def cell: if . == null or (tostring | plain | test("\\A\\s*\\z")) then "–"
      else tostring | code | gsub("\\\\(?=\\|)"; "\\ ") | gsub("\\|"; "\\|") end;
    "| Revision | | Images | Made | Cause |", "|---|---|---|---|---|",
    (.[:20][] | "| \(.number) | \(if (.number | tostring) == $live then "**live**" else "" end) | \([.images[] | cell] | join("<br>")) | \(.made | cell) | \(.cause | cell) |"), ""' \
    "$work/revisions.json" >"$work/table" 2>"$work/errors" || failed "the revisions of $DEPLOYMENT cannot be listed"
  # shellcheck disable=SC2016 # Markdown, not a substitution
  { printf '### Revisions of `%s` in `%s`\n\n' "$DEPLOYMENT" "$NAMESPACE" && cat "$work/table"; } >>"$summary"
  printf '%s has %s revision(s), live is %s: the summary lists them\n' "$DEPLOYMENT" "$(jq length "$work/revisions.json")" "$live"
  exit 0
fi

started=$live
target=$TARGET_REVISION
if [[ $target == previous ]]; then
  target=$(jq -r --arg live "$live" '.[] | select((.number | tostring) == $live).previous // ""' "$work/revisions.json")
  if [[ $target =~ ^[1-9][0-9]{0,8}$ ]]; then
    now=$(number "$target")
    [[ -n $now ]] || unfit "revision $live of $DEPLOYMENT replaced revision $target, and Kubernetes does not keep that any more. The target list shows what there is"
    target=$now
  else
    target=$(jq -r --arg live "$live" '[.[] | select(.number < ($live | tonumber))][0].number // ""' "$work/revisions.json")
    [[ -n $target ]] || unfit "revision $live is the only one of $DEPLOYMENT: there is none to go back to"
    annotate warning "nobody wrote down what revision $live of $DEPLOYMENT replaced: revision $target is taken, the next older one"
  fi
fi
now=$(number "$target")
[[ -n $now ]] || unfit "$DEPLOYMENT has no revision $target. The target list shows what there is"
printf 'previous=%s\nrevision=%s\n' "$started" "$target" >>"$output"

if [[ $now == "$live" ]]; then
  # Gone back before: by this job, when it ran for the first time.
  [[ -n $FROM && $FROM != "$live" ]] || unfit "revision $target is the one of $DEPLOYMENT already"
  [[ $DRY_RUN == true ]] || printf 'state=unchanged\nlive=%s\n' "$live" >>"$output"
  printf 'revision %s of %s was gone back to before, as %s: nothing to do\n' "$target" "$DEPLOYMENT" "$live"
  exit 0
fi
[[ -z $FROM || $FROM == "$live" ]] ||
  unfit "$DEPLOYMENT is at revision $live, and not at $FROM any more: somebody else has changed it. Look, and start again"
if [[ $DRY_RUN == true ]]; then
  printf '%s would go from revision %s to %s\n' "$DEPLOYMENT" "$live" "$target"
  exit 0
fi

if ! kube rollout undo "deployment/$DEPLOYMENT" --to-revision="$now" >"$work/log" 2>"$work/errors"; then
  if grep -q '(Forbidden)\|is forbidden' "$work/errors"; then
    annotate error "nothing was changed: this role may not change the Deployment $DEPLOYMENT: $(head -c 2000 "$work/errors")"
    exit 4
  fi
  failed "going back to revision $now of $DEPLOYMENT"
fi
rc=0
kube rollout status "deployment/$DEPLOYMENT" --timeout="${WAIT_TIMEOUT}s" >"$work/log" 2>"$work/waited" || rc=$?
read_deployment
state=completed
if ((rc)); then
  state=timeout
  if jq -e 'any(.status.conditions[]?; .reason == "ProgressDeadlineExceeded")' "$work/deployment.json" >/dev/null; then state=failed; fi
fi
printf 'state=%s\nlive=%s\n' "$state" "$live" >>"$output"
{
  # shellcheck disable=SC2016 # Markdown, not a substitution
  printf '### %s\n\n| | |\n|---|---|\n| Deployment | `%s` in `%s` |\n| From | `%s` |\n| To | `%s`, which is `%s` now |\n| State | %s |\n\n' \
    "$([[ $state == completed ]] && echo '✅ Gone back' || echo '❌ Not gone back')" "$DEPLOYMENT" "$NAMESPACE" "$started" "$target" "$live" "$state"
  printf 'Only the Deployment went back. Git still holds what was rolled back: the next deployment of it brings it again.\n\n'
} >>"$summary"
if ((rc)); then
  annotate error "going back to revision $target of $DEPLOYMENT did not end well, its rollout is $state: $(head -c 2000 "$work/waited")"
  exit 5
fi
printf 'revision %s of %s is live again, as %s\n' "$target" "$DEPLOYMENT" "$live"
