#!/usr/bin/env bash
# Asks what was deployed one question: an address, or a service of Kubernetes behind its load balancer.
#
# Environment
#   ENDPOINT       JSON: {"check", "expect": {"status", "jq", "attempts"}} with "url", or with "namespace", "object",
#                  "scheme", "port" and "path"; written by the generator
#   EKS_DIRECTORY  for a service: where eks-connect.sh has put kubectl and kubeconfig
#   RESULT_DIR     where log.txt and result.json go
#   WAIT_TIMEOUT   seconds to wait for the load balancer's address (default: 300)
#   WAIT_INTERVAL  seconds between two looks (default: 10)
#   RUNNER_TEMP    private working files (default: /tmp)
# Exit codes
#   0 answered as expected · 1 not · 2 usage · 3 the service has no load balancer's address in time, or is not there
#
# health-check.sh lies next to this; it asks, and reads DELAY, MAX_DELAY and REQUEST_TIMEOUT as well.
set -uo pipefail

export ENDPOINT=${ENDPOINT:-}
EKS_DIRECTORY=${EKS_DIRECTORY:-}
RESULT_DIR=${RESULT_DIR:-}
WAIT_TIMEOUT=${WAIT_TIMEOUT:-300}
WAIT_INTERVAL=${WAIT_INTERVAL:-10}
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
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

[[ -n $RESULT_DIR ]] || usage 'RESULT_DIR is not set'
[[ $WAIT_TIMEOUT =~ ^(0|[1-9][0-9]{0,3})$ ]] || usage 'WAIT_TIMEOUT must be a number of seconds'
[[ $WAIT_INTERVAL =~ ^[1-9][0-9]{0,2}$ ]] || usage 'WAIT_INTERVAL must be a number of seconds'
settings=$(jq -r -n '$ENV.ENDPOINT | fromjson
  | def text: type == "string" and . != "" and (test("[[:cntrl:]\\t ]") | not);
  if type == "object" and (.check | text) and (.expect | type == "object")
    and (.expect.status | type == "number") and (.expect.attempts | type == "number") and (.expect.jq | type == "string")
    and ((.url | text) or ((.namespace | text) and (.object | text) and (.scheme | IN("http", "https")) and (.port | type == "number") and (.path | text)))
  then [.check, .expect.status, .expect.attempts, .url // "", .namespace // "", .object // "", .scheme // "", .port // 0, .path // ""] | @tsv
  else error("usage") end' 2>/dev/null) || usage 'ENDPOINT must be what the generator wrote: an address or a service, and what is expected'
IFS=$'\x1f' read -r check status attempts url namespace object scheme port path <<<"${settings//$'\t'/$'\x1f'}"
expect_jq=$(jq -r -n '$ENV.ENDPOINT | fromjson.expect.jq')
[[ $check =~ ^[a-z][a-z0-9-]*$ ]] || usage 'the name of a check is a slug'
mkdir -p -- "$RESULT_DIR" || usage 'RESULT_DIR is not writable'

result() {
  jq -n --arg check "$check" --arg url "$url" --argjson code "$1" '{$check, $url, $code}' >"$RESULT_DIR/result.json"
  {
    printf '| Check | | Address |\n|---|---|---|\n'
    # shellcheck disable=SC2016 # Markdown, not a substitution
    printf '| `%s` | %s | %s |\n\n' "$check" "$2" "$([[ -z $url ]] && echo – || printf '`%s`' "$url")"
  } >>"$summary"
}

if [[ -z $url ]]; then
  [[ -n $EKS_DIRECTORY && -x $EKS_DIRECTORY/kubectl ]] || usage 'EKS_DIRECTORY must be where eks-connect.sh has put kubectl'
  host=
  deadline=$((SECONDS + WAIT_TIMEOUT))
  until [[ -n $host ]]; do
    host=$("$EKS_DIRECTORY/kubectl" --kubeconfig "$EKS_DIRECTORY/kubeconfig" --namespace "$namespace" get service "$object" \
      --output jsonpath='{.status.loadBalancer.ingress[0].hostname}{.status.loadBalancer.ingress[0].ip}' 2>>"$RESULT_DIR/log.txt") || host=
    [[ -z $host ]] || break
    if ((SECONDS >= deadline)); then
      annotate error "the service $object in $namespace has no load balancer's address after $WAIT_TIMEOUT seconds: see what the cluster says with kubectl describe service $object"
      result 3 '❌ no address'
      exit 3
    fi
    sleep "$WAIT_INTERVAL"
  done
  url=$scheme://$host:$port$path
  case $scheme:$port in http:80 | https:443) url=$scheme://$host$path ;; esac
fi

plain=false
[[ $url != http://* ]] || plain=true
rc=0
HEALTH_URL=$url EXPECT_STATUS=$status EXPECT_JQ=$expect_jq ATTEMPTS=$attempts ALLOW_HTTP=$plain GITHUB_STEP_SUMMARY=/dev/null \
  CONSECUTIVE=$((attempts < 2 ? attempts : 2)) bash "$here/health-check.sh" > >(tee -a "$RESULT_DIR/log.txt") 2>&1 || rc=$?
case $rc in
  0) result 0 ✅ ;;
  1) result 1 '❌ not as expected' ;;
  *)
    result "$rc" '❌ could not be asked'
    exit 2
    ;;
esac
exit "$rc"
