#!/usr/bin/env bash
# Proves which roles this job's OIDC token opens, and which it does not.
#
# Environment
#   AUDIENCE             audience of the token (default: sts.amazonaws.com)
#   EXPECTED             JSON object: claim → expected value, null for a claim that must be absent; for sub an
#                        array of accepted values
#   ROLES                JSON array of {"role": ARN, "purpose": text, "expect": "assumed" | "refused"}; an empty
#                        ARN, that of a variable that is not set, differs from everything (default: [])
#   EXPECTED_ACCOUNT_ID  the account of the roles; demanded where ROLES is not empty
#   STATE_BUCKET         the state's bucket; empty where there is no state to probe
#   STATE_KEY            the state's key in it
#   AWS_REGION           the region of roles and bucket
#   HELD                 JSON object: name of a secret or variable → "present" | "empty"; only shown (default: {})
#   ACTIONS_ID_TOKEN_REQUEST_URL, ACTIONS_ID_TOKEN_REQUEST_TOKEN
#                        what GitHub gives to a job with `id-token: write`
#   GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT
#                        name the session (default: pyfleet-test-oidc)
#   RUNNER_TEMP          private working files (default: /tmp)
# Exit codes
#   0 everything as expected · 1 something differs · 2 usage · 3 GitHub gives no token · 4 AWS could not be asked
#
# A token is a credential: it is masked before anything else happens, passes through private files and standard
# input only, and of its claims no more is shown than the table has. Nothing is written at AWS: see refuses_a_write.
set -uo pipefail

AUDIENCE=${AUDIENCE:-sts.amazonaws.com}
EXPECTED=${EXPECTED:-}
ROLES=${ROLES:-[]}
EXPECTED_ACCOUNT_ID=${EXPECTED_ACCOUNT_ID:-}
STATE_BUCKET=${STATE_BUCKET:-}
STATE_KEY=${STATE_KEY:-}
AWS_REGION=${AWS_REGION:-}
HELD=${HELD:-}
[[ -n $HELD ]] || HELD='{}'
ACTIONS_ID_TOKEN_REQUEST_URL=${ACTIONS_ID_TOKEN_REQUEST_URL:-}
ACTIONS_ID_TOKEN_REQUEST_TOKEN=${ACTIONS_ID_TOKEN_REQUEST_TOKEN:-}
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

claims='["iss", "aud", "sub", "repository_id", "repository_owner_id", "ref", "environment", "job_workflow_ref", "event_name"]'
[[ $AUDIENCE =~ ^[A-Za-z0-9][A-Za-z0-9._:/-]{0,255}$ ]] || usage 'AUDIENCE must be a host name or a URL'
printf '%s' "$EXPECTED" | jq -e -s --argjson claims "$claims" '
  length == 1 and (.[0] | type == "object" and has("sub") and (keys - $claims == [])
    and all(to_entries[]; if .key == "sub" then .value | type == "array" and length > 0 and all(.[]; type == "string")
      else .value | type == "string" or . == null end))' >/dev/null 2>&1 ||
  usage 'EXPECTED must be a JSON object of claims, with an array of accepted values for sub'
printf '%s' "$ROLES" | jq -e -s '
  length == 1 and (.[0] | type == "array" and all(.[]; type == "object"
    and (.role | type == "string" and test("\\A\\z|\\Aarn:aws(-cn|-us-gov)?:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+\\z"))
    and (.purpose | type == "string" and length > 0) and (.expect == "assumed" or .expect == "refused")))' >/dev/null 2>&1 ||
  usage 'ROLES must be a JSON array of {"role": ARN, "purpose": text, "expect": "assumed" | "refused"}'
printf '%s' "$HELD" | jq -e -s '
  length == 1 and (.[0] | type == "object" and all(to_entries[]; (.key | test("\\A[A-Za-z_][A-Za-z0-9_]*\\z"))
    and (.value == "present" or .value == "empty")))' >/dev/null 2>&1 ||
  usage 'HELD must be a JSON object of names, each "present" or "empty"'
if [[ $(printf '%s' "$ROLES" | jq length) != 0 ]]; then
  [[ $EXPECTED_ACCOUNT_ID =~ ^[0-9]{12}$ ]] || usage 'EXPECTED_ACCOUNT_ID must have 12 digits'
  [[ $AWS_REGION =~ ^[a-z]{2}(-[a-z]+)+-[0-9]$ ]] || usage 'AWS_REGION must be a region such as eu-central-1'
  command -v aws >/dev/null || usage 'aws is not installed'
fi
if [[ -n $STATE_BUCKET ]]; then
  [[ $STATE_BUCKET =~ ^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$ ]] || usage 'STATE_BUCKET must be the name of a bucket'
  # The AWS CLI would read what file:// and http:// name.
  [[ -n $STATE_KEY && ! $STATE_KEY =~ [[:cntrl:]] && ! $STATE_KEY =~ ^[a-z]+:// ]] ||
    usage 'STATE_KEY must be the key of the state'
fi
session=pyfleet-test-oidc
if [[ ${GITHUB_RUN_ID:-} =~ ^[0-9]{1,20}$ && ${GITHUB_RUN_ATTEMPT:-} =~ ^[0-9]{1,5}$ ]]; then
  session=pyfleet-$GITHUB_RUN_ID-$GITHUB_RUN_ATTEMPT-test-oidc
fi
if [[ -z $ACTIONS_ID_TOKEN_REQUEST_URL || -z $ACTIONS_ID_TOKEN_REQUEST_TOKEN ]]; then
  annotate error 'this job may not ask for a token: it needs the permission id-token: write, which pull requests from forks and Dependabot never get'
  exit 3
fi
# Both stand in a configuration file of curl. A bearer token goes nowhere without TLS but to this machine.
[[ $ACTIONS_ID_TOKEN_REQUEST_URL =~ ^(https://|http://127\.0\.0\.1:)[]A-Za-z0-9._~:/?#@!\$\&\'\(\)*+,\;=%[-]+$ ]] ||
  usage 'ACTIONS_ID_TOKEN_REQUEST_URL must be a URL'
[[ $ACTIONS_ID_TOKEN_REQUEST_TOKEN =~ ^[A-Za-z0-9._~+/=-]+$ ]] || usage 'ACTIONS_ID_TOKEN_REQUEST_TOKEN must be a token'

umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/oidc-probe.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

# Shows text that must not be taken for workflow commands.
show() {
  local token
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$token"
  cat -- "$@"
  printf '\n::%s::\n' "$token"
}

# Writes a token for the audience $1 to the file $2.
request() {
  local joint='?' audience
  [[ $ACTIONS_ID_TOKEN_REQUEST_URL != *\?* ]] || joint='&'
  audience=$(jq -nr --arg audience "$1" '$audience | @uri')
  printf 'url = "%s%saudience=%s"\nheader = "Authorization: bearer %s"\n' \
    "$ACTIONS_ID_TOKEN_REQUEST_URL" "$joint" "$audience" "$ACTIONS_ID_TOKEN_REQUEST_TOKEN" |
    curl --config - --silent --show-error --fail --max-time 30 --retry 2 --output "$work/response" 2>"$work/errors" || {
    show "$work/errors"
    annotate error 'GitHub gives no token: the answer is above'
    exit 3
  }
  jq -j '.value | strings | select(test("\\A[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\z"))' \
    "$work/response" >"$2" 2>/dev/null && [[ -s $2 ]] || {
    annotate error 'GitHub gives no token: the answer holds none'
    exit 3
  }
  printf '::add-mask::%s\n' "$(<"$2")"
}

request "$AUDIENCE" "$work/token"
jq -R 'split(".")[1] | gsub("-"; "+") | gsub("_"; "/") | . + "==="[:(4 - length % 4) % 4] | @base64d | fromjson | objects' \
  "$work/token" >"$work/claims.json" 2>/dev/null && [[ -s $work/claims.json ]] || {
  annotate error 'GitHub gives no token: its claims cannot be read'
  exit 3
}

differs=0
unknown=0
: >"$work/checks.jsonl"
# record VERDICT SUBJECT CHECK EXPECTED ACTUAL: ok, differs or unknown.
record() {
  jq -nc '$ARGS.positional | {verdict: .[0], subject: .[1], check: .[2], expected: .[3], actual: .[4]}' --args -- "$@" >>"$work/checks.jsonl"
  case $1 in
    ok) ;;
    differs)
      differs=$((differs + 1))
      annotate error "$2: $3: expected $4, found $5"
      ;;
    *)
      unknown=$((unknown + 1))
      annotate error "$2: $3: $5"
      ;;
  esac
}

# Each shown claim, with what was expected.
jq -c --argjson shown "$claims" --argjson expected "$EXPECTED" '
  . as $token | $shown[] | . as $claim
  | {claim: $claim, actual: $token[$claim], expected: $expected[$claim], asked: ($expected | has($claim))}
  | .verdict = (if .asked | not then "-"
      elif .expected == null then (if .actual == null then "ok" else "differs" end)
      else . as {$actual} | if .expected | if type == "array" then any(.[]; . == $actual) else . == $actual end then "ok" else "differs" end
      end)' "$work/claims.json" >"$work/table.jsonl"
while read -r claim; do
  differs=$((differs + 1))
  annotate error "the claim $claim differs from what the manifest says: the table in the summary has both"
done < <(jq -r 'select(.verdict == "differs").claim' "$work/table.jsonl")

format=$(jq -r '.sub // "" | if test("\\Arepo:[^/:@]+@[0-9]+/[^/:@]+@[0-9]+:") then "immutable"
  elif test("\\Arepo:[^/:@]+/[^/:@]+:") then "legacy" else "customised" end' "$work/claims.json")
# GitHub Enterprise Server has another issuer, of whose tokens AWS offers aud and sub only. A pull request can edit
# the file that job_workflow_ref names.
jq '(.iss | sub("\\Ahttps://"; "")) as $issuer
  | {aud, sub} + (if $issuer == "token.actions.githubusercontent.com"
      then {repository_id} + (if .event_name == "pull_request" then {} else {job_workflow_ref} end) else {} end)
  | {StringEquals: with_entries(select(.value != null) | .key |= "\($issuer):\(.)")}' "$work/claims.json" >"$work/condition.json"

# Calls AWS. Sets code to what it says went wrong: empty on success, `unreachable` where it says nothing.
call() {
  code=
  aws "$@" --region "$AWS_REGION" --output json >"$work/answer" 2>"$work/errors" && return
  code=$(sed -n 's/.*An error occurred (\([A-Za-z0-9.]*\)).*/\1/p' "$work/errors" | head -n 1)
  : "${code:=unreachable}"
}

refusal='^(403|AccessDenied|AccessDeniedException)$'
absence='^(404|NoSuchKey|NoSuchBucket)$'

# Asks for a session of the role $1 with the token in the file $2. The call needs no credentials.
assume() {
  call sts assume-role-with-web-identity --role-arn "$1" --role-session-name "$session" \
    --duration-seconds 900 --web-identity-token "file://$2"
}

# What could not be asked is neither open nor shut.
unanswered() {
  show "$work/errors"
  record unknown "$1" "$2" "$3" "AWS could not be asked ($code)"
}

is_the_role() {
  call sts get-caller-identity
  local arn="assumed-role/${role##*/}/$session" found
  if [[ -n $code ]]; then
    unanswered "$purpose" identity "$EXPECTED_ACCOUNT_ID"
    return
  fi
  found=$(jq -r '"\(.Account) \(.Arn)"' "$work/answer")
  if [[ $found == "$EXPECTED_ACCOUNT_ID "*":$arn" ]]; then
    record ok "$purpose" identity "$EXPECTED_ACCOUNT_ID" "$EXPECTED_ACCOUNT_ID"
  else
    record differs "$purpose" identity "$EXPECTED_ACCOUNT_ID $arn" "$found"
  fi
}

finds_the_bucket() {
  local location
  call s3api get-bucket-location --bucket "$STATE_BUCKET" --expected-bucket-owner "$EXPECTED_ACCOUNT_ID"
  if [[ $code =~ $absence ]]; then
    record ok "$purpose" "location of the state's bucket" "$AWS_REGION" 'there is no bucket yet'
  elif [[ $code =~ $refusal ]]; then
    record differs "$purpose" "location of the state's bucket" "$AWS_REGION" refused
  elif [[ -n $code ]]; then
    unanswered "$purpose" "location of the state's bucket" "$AWS_REGION"
  else
    location=$(jq -r '.LocationConstraint // "us-east-1" | if . == "EU" then "eu-west-1" else . end' "$work/answer")
    if [[ $location == "$AWS_REGION" ]]; then
      record ok "$purpose" "location of the state's bucket" "$AWS_REGION" "$location"
    else
      record differs "$purpose" "location of the state's bucket" "$AWS_REGION" "$location"
    fi
  fi
}

# Succeeds where the role may read the state, or hear that there is none.
finds_the_state() {
  call s3api head-object --bucket "$STATE_BUCKET" --key="$STATE_KEY" --expected-bucket-owner "$EXPECTED_ACCOUNT_ID"
  if [[ -z $code ]]; then
    record ok "$purpose" 'read the state' allowed allowed
  elif [[ $code =~ $absence ]]; then
    record ok "$purpose" 'read the state' allowed 'there is no state yet'
  elif [[ $code =~ $refusal ]]; then
    record differs "$purpose" 'read the state' allowed refused
    return 1
  else
    unanswered "$purpose" 'read the state' allowed
    return 1
  fi
}

# Asks to write the very object that must not be written, in a way that writes it under no circumstances: only over
# an object whose ETag is one that S3 never makes. S3 asks for the right first and looks at the condition then: who
# may not write is refused (403); who may is told that the condition fails (412), or that there is no object (404).
# `--if-none-match` would write a first state, and another key would prove nothing of this one. The condition also
# asks for the right to read, so the answer counts only after finds_the_state.
refuses_a_write() {
  call s3api put-object --bucket "$STATE_BUCKET" --key="$STATE_KEY" --if-match '"pyfleet-oidc-probe"' \
    --expected-bucket-owner "$EXPECTED_ACCOUNT_ID"
  if [[ $code =~ $refusal ]]; then
    record ok "$purpose" 'write the state' refused refused
  elif [[ -z $code || $code == PreconditionFailed || $code == 412 || $code == NoSuchKey ]]; then
    record differs "$purpose" 'write the state' refused allowed
  elif [[ $code == NoSuchBucket ]]; then
    record ok "$purpose" 'write the state' refused 'there is no bucket yet'
  else
    unanswered "$purpose" 'write the state' refused
  fi
}

refuses_another_audience() {
  assume "$role" "$work/other"
  if [[ -z $code ]]; then
    record differs "$purpose" 'token for another audience' refused assumed
  elif [[ $code =~ ^(InvalidIdentityToken|AccessDenied)$ ]]; then
    record ok "$purpose" 'token for another audience' refused refused
  else
    unanswered "$purpose" 'token for another audience' refused
  fi
}

printf '%s' "$ROLES" | jq -r '.[] | "\(.expect) \(if .role == "" then "-" else .role end) \(.purpose | gsub("[\\x00-\\x1f\\x7f]"; " "))"' >"$work/roles"
while read -r expect role purpose; do
  unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
  if [[ $role == - ]]; then
    record differs "$purpose" role "$expect" 'the variable of the role is empty'
    continue
  fi
  assume "$role" "$work/token"
  if [[ -z $code ]]; then
    found=assumed
  elif [[ $code == AccessDenied ]]; then
    found=refused
  elif [[ $code == InvalidIdentityToken || $code == ExpiredTokenException || $code == IDPRejectedClaim ]]; then
    # No role was looked at: not even a refusal is proven.
    show "$work/errors"
    record differs "$purpose" "$role" "$expect" "AWS does not take the token ($code)"
    continue
  else
    unanswered "$purpose" "$role" "$expect"
    continue
  fi
  if [[ $found != "$expect" ]]; then
    record differs "$purpose" "$role" "$expect" "$found"
    continue
  fi
  record ok "$purpose" "$role" "$expect" "$found"
  [[ $found == assumed ]] || continue
  AWS_ACCESS_KEY_ID=$(jq -r .Credentials.AccessKeyId "$work/answer")
  AWS_SECRET_ACCESS_KEY=$(jq -r .Credentials.SecretAccessKey "$work/answer")
  AWS_SESSION_TOKEN=$(jq -r .Credentials.SessionToken "$work/answer")
  export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
  is_the_role
  if [[ -n $STATE_BUCKET ]]; then
    finds_the_bucket
    if finds_the_state; then
      refuses_a_write
    fi
  fi
  [[ -s $work/other ]] || request pyfleet-oidc-probe "$work/other"
  refuses_another_audience
done <"$work/roles"

verdict='as expected'
((unknown == 0)) || verdict="AWS could not be asked ($unknown)"
((differs == 0)) || verdict="not as expected ($differs)"
status=0
((unknown == 0)) || status=4
((differs == 0)) || status=1

# shellcheck disable=SC2016 # jq's variables
texts='def plain: .[:2000] | explode | map(if . == 9 or . == 10 or . == 13 then 32 else . end)
    | map(select(. >= 32 and (. < 127 or . > 159) and (. < 8203 or . > 8207)
        and (. < 8232 or . > 8238) and (. < 8288 or . > 8303) and . != 65279)) | .[:300] | implode;
  def code: plain | ([match("`+"; "g").length] | max // 0) as $run | ("`" * ($run + 1)) as $fence
    | if . == "" then "-" elif test("^`|`$") then "\($fence) \(.) \($fence)" else "\($fence)\(.)\($fence)" end;
  def cell: code | gsub("\\\\(?=\\|)"; "\\ ") | gsub("\\|"; "\\|");
  def mark: {ok: "✅ ok", differs: "❌ differs", unknown: "❓ not known", "-": ""}[.];'
{
  if ((status)); then
    printf '### ❌ OIDC: %s\n\n' "$verdict"
  else
    printf '### ✅ OIDC: %s\n\n' "$verdict"
  fi
  printf '| Claim | Expected | Actual | |\n|---|---|---|---|\n'
  jq -r "$texts"'
    def value: if . == null then "absent" elif type == "array" then map(cell) | join(" or ") elif type == "string" then cell else tojson | cell end;
    "| `\(.claim)` | \(if .asked then .expected | value else "" end) | \(.actual | value) | \(.verdict | mark) |"' "$work/table.jsonl"
  # shellcheck disable=SC2016 # the backticks are Markdown
  printf '\nThe subject is **%s**. The condition that the trust policy of a role for exactly this job has:\n\n```json\n' "$format"
  cat -- "$work/condition.json"
  printf '```\n\n'
  if [[ -s $work/checks.jsonl ]]; then
    printf '| Role | Check | Expected | Actual | |\n|---|---|---|---|---|\n'
    jq -r "$texts"'"| \(.subject | cell) | \(.check | cell) | \(.expected | cell) | \(.actual | cell) | \(.verdict | mark) |"' "$work/checks.jsonl"
    printf '\n'
  fi
  printf '%s' "$HELD" | jq -r 'if . == {} then empty else "| Secret or variable | |", "|---|---|",
    (to_entries[] | "| `\(.key)` | \(.value) |"), "" end'
} >"$work/summary.md"
cat -- "$work/summary.md" >>"$summary"
show "$work/summary.md"
if [[ $(jq -r .repository_visibility "$work/claims.json") == public ]]; then
  annotate warning 'this repository is public: everybody can read the claims, roles and account in this log'
fi
exit "$status"
