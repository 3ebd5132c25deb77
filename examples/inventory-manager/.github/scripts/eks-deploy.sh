#!/usr/bin/env bash
# Deploys one image, by its digest, to one Deployment of Kubernetes, with all that it needs, in an order that holds: the
# namespace, configs, secrets, databases until they are ready, the service until it is live, and then who is let in.
#
# Environment
#   EKS_DIRECTORY     where eks-connect.sh has put kubectl and kubeconfig
#   NAMESPACE         the namespace; everything lies in it
#   DEPLOYMENT        the Deployment that gets the image; one of MANIFESTS has it
#   CONTAINER         the container in it that gets the image; the others stay as they are
#   IMAGE             the image: REGISTRY/REPOSITORY@sha256:...
#   CONFIGS, DATABASES, MANIFESTS, INGRESS
#                     files from the checkout, with spaces between them; only MANIFESTS must have one
#   SECRETS           JSON: for each Kubernetes Secret an object, for each of its keys the name of the environment
#                     variable that holds the value (default: none)
#   SECRET_*          these variables
#   RUN_URL           the address of the run, for the change-cause of the revision
#   DATABASE_TIMEOUT  seconds for all databases together (default: 600)
#   ROLLOUT_TIMEOUT   seconds for the service (default: 600)
#   RUNNER_TEMP       private working files (default: /tmp)
# Outputs, as soon as they are known
#   previous          the number of the revision to go back to: the last that was live; empty where there is none
#   previous_image    what it runs
#   applied           true, once anything was changed
#   revision          the number of the revision that is deployed
#   state             unchanged | completed | failed | timeout | superseded
# Exit codes
#   0 live · 1 the cluster did not answer, or not as expected · 2 usage · 3 a file does not fit: missing, not
#   understood, of another namespace, without the Deployment or the container; or a secret is empty · 4 the role may not,
#   or there is no namespace and it may not make one · 5 a database did not become ready · 6 the service did not
#
# What exits with 3 or 4 has changed nothing. Everything is applied on the server, as the field manager pyfleet, which
# owns what the files say: a field that somebody set by hand, or a rollback, is taken back by the next deployment. The
# image is put into the Deployment before it is applied: what the file names never runs. Secrets go through standard
# input, and stand in no argument, log or difference. The annotation pyfleet/previous says what a revision has replaced,
# for eks-rollback.sh.
set -uo pipefail

EKS_DIRECTORY=${EKS_DIRECTORY:-}
NAMESPACE=${NAMESPACE:-}
DEPLOYMENT=${DEPLOYMENT:-}
CONTAINER=${CONTAINER:-}
IMAGE=${IMAGE:-}
SECRETS=${SECRETS:-"{}"}
RUN_URL=${RUN_URL:-}
DATABASE_TIMEOUT=${DATABASE_TIMEOUT:-600}
ROLLOUT_TIMEOUT=${ROLLOUT_TIMEOUT:-600}
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
[[ $CONTAINER =~ $label ]] || usage 'CONTAINER must be the name of a container'
[[ $IMAGE =~ ^[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+@sha256:[0-9a-f]{64}$ ]] ||
  usage 'IMAGE must be an image by its digest: REGISTRY/REPOSITORY@sha256:...'
[[ ${#RUN_URL} -le 256 && $RUN_URL =~ ^https?://[A-Za-z0-9.:/_-]+$ ]] || usage 'RUN_URL must be an address'
[[ $DATABASE_TIMEOUT =~ ^[1-9][0-9]{0,4}$ ]] || usage 'DATABASE_TIMEOUT must be a number of seconds'
[[ $ROLLOUT_TIMEOUT =~ ^[1-9][0-9]{0,4}$ ]] || usage 'ROLLOUT_TIMEOUT must be a number of seconds'
[[ -n ${MANIFESTS:-} ]] || usage 'MANIFESTS must name files'
secrets=$(printf '%s' "$SECRETS" | jq -c -s '
  if length == 1 and (.[0] | type == "object" and all(to_entries[]; (.key | test("\\A[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\\z"))
    and (.value | type == "object" and length > 0
      and all(to_entries[]; (.key | test("\\A[A-Za-z0-9._-]{1,253}\\z")) and (.value | type == "string" and test("\\ASECRET_[A-Za-z0-9_]+\\z"))))))
  then .[0] else error("usage") end' 2>/dev/null) || usage 'SECRETS must be a JSON object: Secret, key, name of a variable SECRET_...'

umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/eks-deploy.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

kube() {
  "$EKS_DIRECTORY/kubectl" --kubeconfig "$EKS_DIRECTORY/kubeconfig" --namespace "$NAMESPACE" "$@"
}

# What kubectl said, without the values of secrets, whatever they look like.
said() {
  head -c 20000 "$work/errors" | jq -R -r -s --argjson secrets "$secrets" '
    reduce ([$secrets[][]] | unique | map($ENV[.] // "" | select(length >= 4) | ., @base64) | sort_by(-length))[] as $value (.; split($value) | join("***"))
    | .[:2000]'
}

failed() {
  annotate error "$1: $(said)"
  exit 1
}

unfit() {
  annotate error "nothing was applied: $1"
  exit 3
}

forbidden() {
  annotate error "nothing was applied: $1"
  exit 4
}

# Shows text that must not be taken for workflow commands.
show() {
  local token
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$token"
  tail -c 65536 -- "$1"
  printf '\n::%s::\n' "$token"
}

# read_files GROUP FILES: the objects of some files, as one JSON array. Nothing is asked of the cluster: an annotation
# that is set and taken out again makes kubectl read every document that it can.
read_files() {
  local group=$1 file
  local -a files
  read -r -a files <<<"$2"
  : >"$work/$group.objects"
  for file in "${files[@]}"; do
    [[ $file =~ ^[A-Za-z0-9._/-]+$ && $file != -* && $file != /* && $file != *..* ]] || usage "files are named by their paths in the checkout, and ${group^^} has another"
    [[ -f $file ]] || unfit "the file $file is missing"
    if ! kube annotate --local --overwrite -f "./$file" pyfleet/read=yes -o json >>"$work/$group.objects" 2>"$work/errors"; then
      ! grep -q 'does not match the namespace' "$work/errors" || unfit "everything lies in the namespace $NAMESPACE, and not what $file says: $(said)"
      unfit "the file $file is not understood: $(said)"
    fi
  done
  jq -s 'map(if .kind == "List" then .items[] else . end | del(.metadata.annotations["pyfleet/read"])
    | if .metadata.annotations == {} then del(.metadata.annotations) else . end)' "$work/$group.objects" >"$work/$group.json" 2>"$work/errors" ||
    unfit "what kubectl makes of ${group^^} is not understood: $(said)"
}

read_files configs "${CONFIGS:-}"
read_files databases "${DATABASES:-}"
read_files manifests "$MANIFESTS"
read_files ingress "${INGRESS:-}"
jq -s 'add' "$work"/{configs,databases,manifests,ingress}.json >"$work/all.json"

unnamed=$(jq -r '[.[] | select((.metadata.name // "") == "") | .kind][0] // ""' "$work/all.json")
[[ -z $unnamed ]] || unfit "an object of kind $unnamed has no name"
found=$(jq --arg name "$DEPLOYMENT" '[.[] | select(.kind == "Deployment" and .metadata.name == $name)] | length' "$work/manifests.json")
[[ $found == 1 ]] || unfit "the manifests hold $found Deployments of the name $DEPLOYMENT, and it is one that gets the image"
found=$(jq --arg name "$DEPLOYMENT" --arg container "$CONTAINER" '[.[] | select(.kind == "Deployment" and .metadata.name == $name)
  | .spec.template.spec.containers[]? | select(.name == $container)] | length' "$work/manifests.json")
[[ $found == 1 ]] || unfit "the Deployment $DEPLOYMENT has no container $CONTAINER"
if jq -e 'any(.[]; .kind == "Secret")' "$work/all.json" >/dev/null; then
  annotate warning 'a file holds a Secret: what the repository knows is none. Name it under secrets of the service'
fi
empty=$(jq -r -n --argjson secrets "$secrets" '[$secrets[][] | select(($ENV[.] // "") == "") | ltrimstr("SECRET_")][0] // ""')
[[ -z $empty ]] || unfit "the secret $empty is empty here: set it in the GitHub environment of this job"

# Is there a namespace, and may the role do what it is about to?
namespace_is_there=yes
if ! kube get namespace "$NAMESPACE" -o name >"$work/log" 2>"$work/errors"; then
  if grep -q '(NotFound)' "$work/errors"; then
    namespace_is_there=
    [[ $(kube auth can-i create namespaces 2>/dev/null) == yes ]] ||
      forbidden "there is no namespace $NAMESPACE, and this role may not make one. Whoever administers the cluster does: kubectl create namespace $NAMESPACE"
  elif grep -q '(Forbidden)' "$work/errors" || grep -q 'You must be logged in' "$work/errors"; then
    forbidden "this role may do nothing in the namespace $NAMESPACE: it needs an access entry of the cluster. $(said)"
  else
    failed "looking for the namespace $NAMESPACE"
  fi
fi
mapfile -t kinds < <(jq -r --argjson secrets "$secrets" '[.[] | (.apiVersion | if contains("/") then "." + sub("/.*"; "") else "" end) as $group
  | "\(.kind | ascii_downcase)\($group)" | select(. != "namespace")] + (if $secrets == {} then [] else ["secret"] end) | unique[]' "$work/all.json")
for kind in "${kinds[@]}"; do
  for verb in create patch; do
    if [[ $(kube auth can-i "$verb" "$kind" 2>"$work/errors") != yes ]]; then
      grep -q 'Error\|Unable' "$work/errors" && failed "asking whether $kind may be changed"
      forbidden "this role may not $verb $kind in the namespace $NAMESPACE: the policy of its access entry does not allow it"
    fi
  done
done

# What runs now.
printf 'null' >"$work/before.json"
if [[ -n $namespace_is_there ]] && ! kube get deployment "$DEPLOYMENT" -o json >"$work/before.json" 2>"$work/errors"; then
  grep -q '(NotFound)' "$work/errors" || failed "reading the Deployment $DEPLOYMENT"
  printf 'null' >"$work/before.json"
fi
fact() { jq -r --arg container "$CONTAINER" "$1" "$work/$2.json"; }
# shellcheck disable=SC2016 # jq's variable
image='[.spec.template.spec.containers[]? | select(.name == $container).image][0] // ""'
before=$(fact '.metadata.annotations["deployment.kubernetes.io/revision"]? // ""' before)
replaced=$(fact '.metadata.annotations["pyfleet/previous"]? // ""' before)
[[ $replaced =~ ^[1-9][0-9]{0,8}$ ]] || replaced=

# The image goes in before anything is applied. RUN and PREVIOUS are annotations of the revision.
prepare() {
  jq --arg name "$DEPLOYMENT" --arg container "$CONTAINER" --arg image "$IMAGE" --arg run "$RUN_URL" --arg previous "$1" '
    map(if .kind == "Deployment" and .metadata.name == $name then
        .metadata.annotations += {"kubernetes.io/change-cause": "\($run) \($image)"}
        | if $previous == "" then del(.metadata.annotations["pyfleet/previous"]) else .metadata.annotations["pyfleet/previous"] = $previous end
        | (.spec.template.spec.containers[] | select(.name == $container)).image |= $image
      else . end)' "$work/manifests.json" >"$work/service.json"
}
apply=(apply --server-side --field-manager=pyfleet --force-conflicts)

# What was live is what is gone back to; what never was, is not.
previous=
if [[ $before =~ ^[1-9][0-9]{0,8}$ ]]; then
  prepare "$replaced"
  jq --arg name "$DEPLOYMENT" '.[] | select(.kind == "Deployment" and .metadata.name == $name)' "$work/service.json" >"$work/deployment.json"
  kube "${apply[@]}" --dry-run=server -o json -f "$work/deployment.json" >"$work/after.json" 2>"$work/errors" ||
    failed "the cluster does not take the Deployment $DEPLOYMENT, nothing was applied"
  if jq -e -n --slurpfile before "$work/before.json" --slurpfile after "$work/after.json" '$before[0].spec.template == $after[0].spec.template' >/dev/null; then
    previous=$replaced
  elif jq -e '(.status.observedGeneration // 0) >= .metadata.generation and (.spec.replicas // 1) as $wanted
      | (.status.updatedReplicas // 0) == $wanted and (.status.availableReplicas // 0) == $wanted and (.status.replicas // 0) == $wanted' \
    "$work/before.json" >/dev/null; then
    previous=$before
  else
    previous=$replaced
    annotate warning "revision $before of $DEPLOYMENT is not live as a whole: to go back to there is ${previous:+revision }${previous:-none}"
  fi
fi
prepare "$previous"
printf 'previous=%s\nprevious_image=%s\n' "$previous" "$(fact "if . == null then \"\" else $image end" before)" >>"$output"

# What is going to change; of secrets nothing is shown.
if [[ -n $namespace_is_there ]]; then
  jq -s 'add | .[] | select(.kind != "Secret" and .kind != "Namespace")' \
    "$work"/{configs,databases,service,ingress}.json >"$work/differing.json"
  rc=0
  kube diff --server-side --field-manager=pyfleet --force-conflicts -f "$work/differing.json" >"$work/diff" 2>"$work/errors" || rc=$?
  ((rc <= 1)) || failed 'the cluster does not take what the files say, nothing was applied'
  if [[ -s $work/diff ]]; then
    fence=$(jq -R -r -s '"`" * ([3, ([match("`+"; "g").length] | max // 0) + 1] | max)' "$work/diff")
    {
      printf '<details><summary>What changes in <code>%s</code></summary>\n\n%sdiff\n' "$NAMESPACE" "$fence"
      head -c 60000 "$work/diff" | iconv -c -f UTF-8 -t UTF-8 | LC_ALL=C tr -d '\000-\010\013-\037\177'
      (($(wc -c <"$work/diff") <= 60000)) || printf '\n… the rest is left out\n'
      printf '\n%s\n\n</details>\n\n' "$fence"
    } >>"$summary"
  fi
fi

# put WHAT FILE: applies a JSON array of objects.
put() {
  [[ $(jq length "$2") != 0 ]] || return 0
  # One document after the other: kubectl looks at every one by its kind, and at a List by all that the server knows.
  jq '.[]' "$2" >"$work/documents.json"
  if ! kube "${apply[@]}" -f "$work/documents.json" >"$work/log" 2>"$work/errors"; then
    show "$work/log"
    failed "applying $1"
  fi
  show "$work/log"
}

# wait_for FILE SECONDS: every workload of a JSON array, until the time is up. $late is the first that is not ready.
wait_for() {
  local end=$((SECONDS + $2)) left
  local -a workloads
  late=
  mapfile -t workloads < <(jq -r '.[] | select(.kind | IN("Deployment", "StatefulSet", "DaemonSet")) | "\(.kind | ascii_downcase)/\(.metadata.name)"' "$1")
  for late in "${workloads[@]}"; do
    left=$((end - SECONDS))
    kube rollout status "$late" --timeout="$((left > 0 ? left : 1))s" >"$work/log" 2>"$work/errors" || return 1
    printf '%s is ready\n' "$late"
  done
}

printf 'applied=true\n' >>"$output"
if [[ -z $namespace_is_there ]]; then
  jq --arg name "$NAMESPACE" '[.[] | select(.kind == "Namespace" and .metadata.name == $name)][0]
    // {apiVersion: "v1", kind: "Namespace", metadata: {name: $name}} | [.]' "$work/all.json" >"$work/namespace.json"
  put "the namespace $NAMESPACE" "$work/namespace.json"
fi
# A role of one namespace may not change it: where it is there, its own file is left.
for group in configs databases service ingress; do
  jq --arg name "$NAMESPACE" 'map(select(.kind != "Namespace" or .metadata.name != $name))' "$work/$group.json" >"$work/own.json" && mv "$work/own.json" "$work/$group.json"
done

put 'configs' "$work/configs.json"
mapfile -t names < <(jq -r 'keys[]' <<<"$secrets")
for name in "${names[@]}"; do
  # From the environment to standard input: no argument, file or log holds a value.
  if ! jq -n --argjson secrets "$secrets" --arg name "$name" '{apiVersion: "v1", kind: "Secret", type: "Opaque",
      metadata: {name: $name, labels: {"app.kubernetes.io/managed-by": "pyfleet"}},
      data: ($secrets[$name] | map_values($ENV[.] | @base64))}' | kube "${apply[@]}" -f - >"$work/log" 2>"$work/errors"; then
    failed "applying the Secret $name"
  fi
  printf 'secret/%s is as it should be\n' "$name"
done
put 'databases' "$work/databases.json"
if ! wait_for "$work/databases.json" "$DATABASE_TIMEOUT"; then
  annotate error "$late is not ready after $DATABASE_TIMEOUT s, and the service was not deployed: $(said)"
  exit 5
fi

report() {
  # shellcheck disable=SC2016 # Markdown, not a substitution
  printf '### %s\n\n| | |\n|---|---|\n| Deployment | `%s` in `%s` |\n| Image | `%s` |\n| Revision | `%s`, to go back to `%s` |\n| State | %s |\n\n' \
    "$1" "$DEPLOYMENT" "$NAMESPACE" "$IMAGE" "${revision:-unknown}" "${previous:-none}" "$2" >>"$summary"
}

put 'the service' "$work/service.json"
rc=0
wait_for "$work/service.json" "$ROLLOUT_TIMEOUT" || rc=$?
cp "$work/errors" "$work/waited"
kube get deployment "$DEPLOYMENT" -o json >"$work/now.json" 2>"$work/errors" || failed "reading the Deployment $DEPLOYMENT"
cp "$work/waited" "$work/errors"
revision=$(fact '.metadata.annotations["deployment.kubernetes.io/revision"]? // ""' now)
[[ $revision =~ ^[1-9][0-9]{0,8}$ ]] || revision=
state=completed
[[ $revision != "$before" || -z $before ]] || state=unchanged
if [[ $(fact "$image" now) != "$IMAGE" ]]; then
  state=superseded
elif ((rc)); then
  state=timeout
  if jq -e 'any(.status.conditions[]?; .reason == "ProgressDeadlineExceeded")' "$work/now.json" >/dev/null; then state=failed; fi
fi
printf 'revision=%s\nstate=%s\n' "$revision" "$state" >>"$output"
case $state in
  superseded)
    report '❌ Not deployed' "**$state**: somebody else has put another image into it"
    annotate error "the Deployment $DEPLOYMENT has another image than was deployed: somebody else works on it"
    exit 6
    ;;
  timeout | failed)
    report '❌ Not deployed' "**$state**: ${late} is not ready. Pods of the revision before serve on while there are any"
    annotate error "$late is not ready, its rollout is $state: $(said)"
    exit 6
    ;;
esac

put 'who is let in' "$work/ingress.json"
[[ $(jq '.spec.replicas // 1' "$work/now.json") != 0 ]] ||
  annotate warning "the Deployment $DEPLOYMENT wants no pod: this deployment starts nothing, and proves nothing"
printf 'revision %s of %s is live\n' "$revision" "$DEPLOYMENT"
if [[ $state == unchanged ]]; then report '✅ This image is live already' 'unchanged'; else report '✅ Deployed' 'completed'; fi
