#!/usr/bin/env bash
# Removes the bucket and the lock table that create-backend.sh made, with every version of every object,
# once no state in it tracks anything any more. What is gone already is no mistake.
#
# Environment
#   CONFIRM              "destroy-backend BUCKET"
#   TF_STATE_BUCKET      the bucket
#   AWS_REGION           its region, and the table's
#   TF_LOCK_MODE         s3 | dynamodb | both
#   TF_LOCK_TABLE        the lock table; s3 has none
#   EXPECTED_ACCOUNT_ID  the account that must own all of it
#   OTHER_STATES         JSON: environment → keys of its states in this bucket (default: {})
#   RUNNER_TEMP          private working files (default: /tmp)
# Outputs
#   kept                 the other environments that still use the bucket, separated by commas: nothing was removed
# Exit codes
#   0 removed, not there, or kept for another environment · 1 AWS refused or did not answer · 2 usage, CONFIRM
#   is not the phrase, or another account · 3 a state still tracks resources, or an object is no state ·
#   4 a lock is held, or somebody writes meanwhile · 5 the bucket or the table is not pyfleet's, or others use the table too
#
# Everything is looked at before anything is removed. Old versions go first and what is current last, so
# that a run which is interrupted never brings an old state or an old lock back to light.
set -uo pipefail

CONFIRM=${CONFIRM:-}
TF_STATE_BUCKET=${TF_STATE_BUCKET:-}
AWS_REGION=${AWS_REGION:-}
TF_LOCK_MODE=${TF_LOCK_MODE:-}
TF_LOCK_TABLE=${TF_LOCK_TABLE:-}
EXPECTED_ACCOUNT_ID=${EXPECTED_ACCOUNT_ID:-}
OTHER_STATES=${OTHER_STATES:-}
[[ -n $OTHER_STATES ]] || OTHER_STATES='{}'
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

[[ $TF_STATE_BUCKET =~ ^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$ ]] || usage 'TF_STATE_BUCKET must be the name of a bucket'
[[ $AWS_REGION =~ ^[a-z]{2,4}(-[a-z]+)+-[0-9]$ ]] || usage 'AWS_REGION must be a region'
[[ $TF_LOCK_MODE =~ ^(s3|dynamodb|both)$ ]] || usage 'TF_LOCK_MODE must be s3, dynamodb or both'
[[ $TF_LOCK_MODE == s3 || $TF_LOCK_TABLE =~ ^[A-Za-z0-9_.][A-Za-z0-9_.-]{2,254}$ ]] || usage 'TF_LOCK_TABLE must be the name of a table'
[[ $EXPECTED_ACCOUNT_ID =~ ^[0-9]{12}$ ]] || usage 'EXPECTED_ACCOUNT_ID must be the number of an account'
others=$(printf '%s' "$OTHER_STATES" | jq -c -s '
  if length == 1 and (.[0] | type == "object" and all(keys[]; test("\\A[a-z][a-z0-9-]{0,99}\\z"))
    and all(.[]; type == "array" and all(.[]; type == "string" and . != "")))
  then .[0] else error("usage") end' 2>/dev/null) || usage 'OTHER_STATES must be a JSON object: environment → list of keys'
[[ $CONFIRM == "destroy-backend $TF_STATE_BUCKET" ]] || usage "CONFIRM must be: destroy-backend $TF_STATE_BUCKET"

umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/destroy-backend.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

# Asks AWS. The answer is in answer.json; where there is none, $failure is AWS's code for the reason.
ask() {
  failure=
  aws "$@" --region "$AWS_REGION" --output json >"$work/answer.json" 2>"$work/errors" && return 0
  failure=$(sed -n 's/.*An error occurred (\([A-Za-z0-9.]*\)).*/\1/p' "$work/errors" | head -n 1)
  [[ -n $failure ]] || failure=unknown
  return 1
}

failed() {
  annotate error "$1: $(head -c 2000 "$work/errors")"
  exit 1
}

refused() {
  annotate error "nothing was removed: $2"
  printf '### ❌ The backend stays\n\nNothing was removed; the log says why.\n\n' >>"$summary"
  exit "$1"
}

owned=(--bucket "$TF_STATE_BUCKET" --expected-bucket-owner "$EXPECTED_ACCOUNT_ID")
table=(--table-name "$TF_LOCK_TABLE")

ask sts get-caller-identity || failed 'AWS does not say who this is'
account=$(jq -r .Account "$work/answer.json")
[[ $account == "$EXPECTED_ACCOUNT_ID" ]] || usage "these are credentials of account $account, expected is $EXPECTED_ACCOUNT_ID"

# What the bucket holds: objects.json, each object with its kind. A state has its number of managed instances.
printf '[]\n' >"$work/objects.json"
bucket=
if ask s3api get-bucket-location "${owned[@]}"; then
  bucket=there
  region=$(jq -r '.LocationConstraint // "us-east-1" | if . == "EU" then "eu-west-1" else . end' "$work/answer.json")
  [[ $region == "$AWS_REGION" ]] || refused 5 "the bucket $TF_STATE_BUCKET is in $region, not in $AWS_REGION"
  ask s3api get-bucket-tagging "${owned[@]}" || [[ $failure == NoSuchTagSet ]] || failed "reading the tags of $TF_STATE_BUCKET"
  jq -n -e 'first(inputs) | any(.TagSet[]; . == {Key: "managed-by", Value: "pyfleet"})' "$work/answer.json" >/dev/null 2>&1 ||
    refused 5 "the bucket $TF_STATE_BUCKET has no tag managed-by=pyfleet"
  ask s3api list-objects-v2 "${owned[@]}" || failed "listing $TF_STATE_BUCKET"
  # The AWS CLI takes a value that begins like a file or a URL for the place of the value: no state is called so.
  jq -n '[inputs.Contents[]? | {key: .Key, etag: .ETag, kind: (
      if .Key | startswith("_plans/") or startswith("_pyfleet/") then "own"
      elif .Key | endswith(".tflock") then "lock"
      elif (.Key | test("[\\x00-\\x1f\\x7f]|\\A(fileb?|https?)://")) or .Size > 268435456 then "foreign"
      else "state" end)}]' "$work/answer.json" >"$work/objects.json" || failed "listing $TF_STATE_BUCKET"
  while IFS= read -r key; do
    ask s3api get-object "${owned[@]}" --key="$key" "$work/object" || failed "reading $key"
    # An encrypted state cannot be counted, it is as unreadable as an object that is no state.
    instances=$(jq -s 'if length == 1 and (.[0] | type == "object" and .version == 4 and (.lineage | type == "string")
        and (.resources | type == "array")) then .[0].resources | map(select(.mode != "data") | .instances | length) | add // 0
      else error("no state") end' "$work/object" 2>/dev/null) || instances=null
    rm -f -- "$work/object"
    jq --arg key "$key" --argjson instances "$instances" 'map(if .key == $key then
      if $instances == null then .kind = "foreign" else .instances = $instances end else . end)' "$work/objects.json" >"$work/counted.json"
    mv -- "$work/counted.json" "$work/objects.json"
  done < <(jq -r '.[] | select(.kind == "state").key' "$work/objects.json")
elif [[ $failure == AccessDenied ]]; then
  refused 5 "the bucket $TF_STATE_BUCKET is not account $EXPECTED_ACCOUNT_ID's, or the role may not see it (s3:GetBucketLocation)"
elif [[ $failure != NoSuchBucket ]]; then
  failed "looking for the bucket $TF_STATE_BUCKET"
fi

# What the table holds: items.json. An item with a digest is no lock.
printf '[]\n' >"$work/items.json"
locks=
shared=
if [[ $TF_LOCK_MODE != s3 ]]; then
  if ask dynamodb describe-table "${table[@]}"; then
    cp -- "$work/answer.json" "$work/table.json"
    locks=$(jq -r .Table.TableStatus "$work/table.json")
  elif [[ $failure != ResourceNotFoundException ]]; then
    failed "looking for the table $TF_LOCK_TABLE"
  fi
fi
if [[ -n $locks && $locks != DELETING ]]; then
  ask dynamodb list-tags-of-resource --resource-arn "$(jq -r .Table.TableArn "$work/table.json")" || failed "reading the tags of $TF_LOCK_TABLE"
  jq -e 'any(.Tags[]; . == {Key: "managed-by", Value: "pyfleet"})' "$work/answer.json" >/dev/null || shared="has no tag managed-by=pyfleet"
  ask dynamodb scan --consistent-read "${table[@]}" || failed "reading the table $TF_LOCK_TABLE"
  jq --arg mine "$TF_STATE_BUCKET/" '[.Items[] | {id: .LockID.S, mine: (.LockID.S | startswith($mine)), lock: (has("Digest") | not)}]' \
    "$work/answer.json" >"$work/items.json" || failed "reading the table $TF_LOCK_TABLE"
  foreign=$(jq -r 'map(select(.mine | not).id)[:5] | join(", ")' "$work/items.json")
  [[ -z $foreign || -n $shared ]] || shared="is used for other buckets too: $foreign"
fi

# Now it is decided.
kept=$(jq -r --argjson others "$others" '(map(select(.instances > 0).key)) as $used
  | [$others | to_entries[] | select(any(.value[]; . as $key | any($used[]; . == $key))).key] | join(",")' "$work/objects.json")
if [[ -n $kept ]]; then
  printf 'kept=%s\n' "$kept" >>"$output"
  annotate notice "the backend is kept, used by ${kept//,/, }"
  printf '### The backend is kept, used by %s\n\nNothing was removed.\n\n' "\`${kept//,/\`, \`}\`" >>"$summary"
  exit 0
fi
used=$(jq -r 'map(select(.instances > 0) | "\(.key) (\(.instances))")[:20] | join(", ")' "$work/objects.json")
[[ -z $used ]] || refused 3 "these states still track resources, destroy them first: $used"
foreign=$(jq -r 'map(select(.kind == "foreign").key)[:20] | join(", ")' "$work/objects.json")
[[ -z $foreign ]] || refused 3 "these objects are no states that can be read, move them elsewhere first: $foreign"
held=$(jq -r -n --slurpfile objects "$work/objects.json" --slurpfile items "$work/items.json" '
  [($objects[0][] | select(.kind == "lock").key), ($items[0][] | select(.mine and .lock).id)][:20] | join(", ")')
[[ -z $held ]] || refused 4 "these locks are held: $held"
[[ -z $shared ]] || refused 5 "the table $TF_LOCK_TABLE $shared"

# Removes what versions.json lists, old versions first. A call that is answered may still have left some.
remove_versions() {
  local batch
  while IFS= read -r batch; do
    printf '%s' "$batch" >"$work/batch.json"
    ask s3api delete-objects "${owned[@]}" --delete "file://$work/batch.json" || failed "removing objects from $TF_STATE_BUCKET"
    jq -n -r '[inputs.Errors[]?][:5][] | "\(.Key): \(.Message)"' "$work/answer.json" >"$work/errors"
    [[ ! -s $work/errors ]] || failed "removing objects from $TF_STATE_BUCKET"
  done < <(jq -c -a '[.Versions[]?, .DeleteMarkers[]?] | (map(select(.IsLatest | not)), map(select(.IsLatest)))
    | range(0; length; 1000) as $at | {Objects: (.[$at:$at + 1000] | map({Key, VersionId})), Quiet: true}' "$work/versions.json")
}

removed=0
rounds=10 # somebody may write in between, but not for ever
while [[ -n $bucket ]]; do
  ask s3api list-object-versions "${owned[@]}" || failed "listing $TF_STATE_BUCKET"
  cp -- "$work/answer.json" "$work/versions.json"
  found=$(jq -n '[inputs | .Versions[]?, .DeleteMarkers[]?] | length' "$work/versions.json") || failed "listing $TF_STATE_BUCKET"
  # What was looked at may go. What is written after that is another environment's, and nobody has looked at it: versions
  # are removed by their ids, so that it stays.
  written=$(jq -n -r --slurpfile objects "$work/objects.json" '[inputs.Versions[]? | select(.IsLatest)
    | select(.Key | startswith("_plans/") or startswith("_pyfleet/") | not)
    | select(. as $version | any($objects[0][]; .key == $version.Key and .etag == $version.ETag) | not).Key][:20] | join(", ")' \
    "$work/versions.json") || failed "listing $TF_STATE_BUCKET"
  if [[ -n $written ]]; then
    annotate error "somebody writes to $TF_STATE_BUCKET, the bucket stays: $written. Nothing of this is removed; what was looked at before may be gone"
    printf '### ❌ The backend stays\n\nSomebody writes to it; the log says what.\n\n' >>"$summary"
    exit 4
  fi
  if ((found)); then
    remove_versions
    removed=$((removed + found))
    printf 'removed %s versions\n' "$found"
  elif ask s3api delete-bucket "${owned[@]}"; then
    printf 'removed the bucket\n'
    break
  elif [[ $failure != BucketNotEmpty ]]; then
    failed "removing the bucket $TF_STATE_BUCKET"
  fi
  ((--rounds)) || failed "the bucket $TF_STATE_BUCKET does not become empty: somebody writes to it"
done

wait_for_table() {
  ask dynamodb wait "$1" "${table[@]}" || failed "waiting for the table $TF_LOCK_TABLE"
}

if [[ -n $locks ]]; then
  if [[ $locks != DELETING ]]; then
    if jq -e .Table.DeletionProtectionEnabled "$work/table.json" >/dev/null; then
      ask dynamodb update-table "${table[@]}" --no-deletion-protection-enabled || failed "removing the protection of $TF_LOCK_TABLE"
      wait_for_table table-exists
    fi
    ask dynamodb delete-table "${table[@]}" || [[ $failure == ResourceNotFoundException ]] || failed "removing the table $TF_LOCK_TABLE"
  fi
  wait_for_table table-not-exists
  printf 'removed the table\n'
fi

{
  printf '### ✅ The backend is gone\n\n| | | |\n|---|---|---|\n'
  printf '| Bucket | %s | %s |\n' "\`$TF_STATE_BUCKET\`" "$([[ -n $bucket ]] && printf 'removed, with %s versions of objects' "$removed" || printf 'was not there')"
  [[ $TF_LOCK_MODE == s3 ]] ||
    printf '| Lock table | %s | %s |\n' "\`$TF_LOCK_TABLE\`" "$([[ -n $locks ]] && printf removed || printf 'was not there')"
  printf '\n'
} >>"$summary"
