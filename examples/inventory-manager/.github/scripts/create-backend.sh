#!/usr/bin/env bash
# Creates what Terraform keeps its state in, or brings it to what it should be: a bucket and, where
# one is used, a lock table. A second run changes nothing.
#
# Environment
#   TF_STATE_BUCKET       the bucket
#   AWS_REGION            its region, and the table's
#   TF_LOCK_MODE          s3 | dynamodb | both
#   TF_LOCK_TABLE         the lock table; s3 has none
#   TF_STATE_KMS_KEY_ARN  the key that encrypts the bucket (default: none, S3's own encryption)
#   EXPECTED_ACCOUNT_ID   the account that owns all of it
#   RUNNER_TEMP           private working files (default: /tmp)
# Outputs
#   created               yes, where the bucket or the table was not there | no
# Exit codes
#   0 everything is as the table in the summary says · 1 AWS refused or did not answer · 2 usage, another
#   account, or something of that name that is not pyfleet's · 3 the bucket's name is another account's ·
#   4 the bucket is in another region · 5 what was read back is not what was set
#
# What is found stays, and is added to: other tags, statements of the policy and rules of the lifecycle,
# a KMS key where none is asked for. A bucket or table without the tag managed-by=pyfleet is somebody
# else's, unless it is as bare as an interrupted run leaves it.
set -uo pipefail

TF_STATE_BUCKET=${TF_STATE_BUCKET:-}
AWS_REGION=${AWS_REGION:-}
TF_LOCK_MODE=${TF_LOCK_MODE:-}
TF_LOCK_TABLE=${TF_LOCK_TABLE:-}
TF_STATE_KMS_KEY_ARN=${TF_STATE_KMS_KEY_ARN:-}
EXPECTED_ACCOUNT_ID=${EXPECTED_ACCOUNT_ID:-}
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

[[ $TF_STATE_BUCKET =~ ^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$ && $TF_STATE_BUCKET != *..* ]] ||
  usage 'TF_STATE_BUCKET must be the name of a bucket'
[[ $AWS_REGION =~ ^[a-z]{2,4}(-[a-z]+)+-[0-9]$ ]] || usage 'AWS_REGION must be a region'
[[ $TF_LOCK_MODE =~ ^(s3|dynamodb|both)$ ]] || usage 'TF_LOCK_MODE must be s3, dynamodb or both'
[[ $TF_LOCK_MODE == s3 || $TF_LOCK_TABLE =~ ^[A-Za-z0-9_.][A-Za-z0-9_.-]{2,254}$ ]] || usage 'TF_LOCK_TABLE must be the name of a table'
[[ -z $TF_STATE_KMS_KEY_ARN || $TF_STATE_KMS_KEY_ARN =~ ^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$ ]] ||
  usage 'TF_STATE_KMS_KEY_ARN must be the ARN of a KMS key'
[[ $EXPECTED_ACCOUNT_ID =~ ^[0-9]{12}$ ]] || usage 'EXPECTED_ACCOUNT_ID must be the number of an account'

umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/create-backend.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

# Asks AWS. The answer is in answer.json; where there is none, $failure is AWS's code for the reason.
# What AWS is still busy with is asked again: a bucket just made, a table just made, another run of this.
ask() {
  local pause
  for pause in 1 2 4 8 0; do
    failure=
    aws "$@" --region "$AWS_REGION" --output json >"$work/answer.json" 2>"$work/errors" && return 0
    failure=$(sed -n 's/.*An error occurred (\([A-Za-z0-9.]*\)).*/\1/p' "$work/errors" | head -n 1)
    [[ -n $failure ]] || failure=unknown
    [[ $failure =~ ^(NoSuchBucket|OperationAborted|ContinuousBackupsUnavailableException|ResourceInUseException)$ ]] || return 1
    [[ $pause != 0 && $2 != get-bucket-location && $2 != create-table ]] || return 1
    sleep "$pause"
  done
}

failed() {
  annotate error "$1: $(head -c 2000 "$work/errors")"
  exit 1
}

owned=(--bucket "$TF_STATE_BUCKET" --expected-bucket-owner "$EXPECTED_ACCOUNT_ID")
table=(--table-name "$TF_LOCK_TABLE")
settings=(tags access ownership encryption policy versioning lifecycle)

# Reads a setting into NAME.json; null where it is not there, for which AWS has a code each.
setting() {
  if ask s3api "$3" "${owned[@]}"; then
    jq -n 'first(inputs) // {}' "$work/answer.json" >"$work/$1.json" # no versioning at all is an empty answer
  elif [[ $failure == "$2" ]]; then
    printf 'null\n' >"$work/$1.json"
  else
    failed "reading the $1 of $TF_STATE_BUCKET"
  fi
}

read_bucket() {
  setting tags NoSuchTagSet get-bucket-tagging
  setting access NoSuchPublicAccessBlockConfiguration get-public-access-block
  setting ownership OwnershipControlsNotFoundError get-bucket-ownership-controls
  setting encryption ServerSideEncryptionConfigurationNotFoundError get-bucket-encryption
  setting policy NoSuchBucketPolicy get-bucket-policy
  setting versioning - get-bucket-versioning
  setting lifecycle NoSuchLifecycleConfiguration get-bucket-lifecycle-configuration
}

tagged() {
  jq -e 'any(.TagSet[]?; .Key == "managed-by" and .Value == "pyfleet")' "$work/tags.json" >/dev/null
}

# For each setting what has to be put, null where it is right, and how it is now.
compare_bucket() {
  local files=() name
  for name in "${settings[@]}"; do
    files+=(--slurpfile "$name" "$work/$name.json")
  done
  jq -n "${files[@]}" --arg arn "arn:$partition:s3:::$TF_STATE_BUCKET" --arg key "$TF_STATE_KMS_KEY_ARN" '
    # AWS may give back a list of one as its only member, and a boolean as a string.
    def normal: if type == "object" then map_values(normal)
      elif type == "array" then map(normal) | if length == 1 then .[0] else sort end
      elif type == "boolean" or type == "number" then tostring else . end;
    def list: if type == "array" then . elif . == null then [] else [.] end;
    # AWS may say more than was put.
    def holds($own): . as $found | if $own | type == "object"
      then $found | type == "object" and all($own | to_entries[]; .value as $value | $found[.key] | holds($value))
      else $found == $own end;
    # Ours by name, next to what others have; null where they are all there as they should be.
    def merged($name; $ours): . as $found
      | if all($ours[]; normal as $own | any($found[]; normal | holds($own))) then null
        else map(select(.[$name] as $taken | any($ours[]; .[$name] == $taken) | not)) + $ours end;
    def deny($sid; $condition): {Sid: $sid, Effect: "Deny", Principal: "*", Action: "s3:*",
      Resource: [$arn, "\($arn)/*"], Condition: $condition};
    def rule($id; $prefix): {ID: $id, Status: "Enabled", Filter: {Prefix: $prefix}};
    $tags[0].TagSet as $tags
    | $access[0].PublicAccessBlockConfiguration as $access
    | $ownership[0].OwnershipControls.Rules[0].ObjectOwnership as $ownership
    | $encryption[0].ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault as $encryption
    | ($policy[0].Policy // "{}" | fromjson) as $policy
    | $versioning[0].Status as $versioning
    | $lifecycle[0] as $lifecycle
    | ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"] as $blocks
    | [
      {name: "tags", call: "put-bucket-tagging", option: "--tagging", title: "Tag `managed-by`",
        now: ($tags // [] | map(select(.Key == "managed-by").Value)[0]),
        put: ($tags // [] | if any(.[]; . == {Key: "managed-by", Value: "pyfleet"}) then null
          else {TagSet: (map(select(.Key != "managed-by")) + [{Key: "managed-by", Value: "pyfleet"}])} end)},
      {name: "access", call: "put-public-access-block", option: "--public-access-block-configuration", title: "Public access",
        now: ($blocks | map(select($access[.] | not)) | if . == [] then "blocked" else "open: \(join(", "))" end),
        put: (if all($blocks[]; $access[.]) then null else $blocks | map({(.): true}) | add end)},
      {name: "ownership", call: "put-bucket-ownership-controls", option: "--ownership-controls", title: "Object ownership",
        now: $ownership,
        put: (if $ownership == "BucketOwnerEnforced" then null else {Rules: [{ObjectOwnership: "BucketOwnerEnforced"}]} end)},
      {name: "encryption", call: "put-bucket-encryption", option: "--server-side-encryption-configuration", title: "Encryption",
        now: ($encryption | if . == null then null else [.SSEAlgorithm, .KMSMasterKeyID // empty] | join(" ") end),
        put: (if if $key == "" then $encryption != null else $encryption.KMSMasterKeyID == $key end then null
          elif $key == "" then {Rules: [{ApplyServerSideEncryptionByDefault: {SSEAlgorithm: "AES256"}}]}
          else {Rules: [{ApplyServerSideEncryptionByDefault: {SSEAlgorithm: "aws:kms", KMSMasterKeyID: $key}, BucketKeyEnabled: true}]} end)},
      {name: "policy", call: "put-bucket-policy", option: "--policy", title: "Policy",
        now: ($policy.Statement | list | map(.Sid // "unnamed") | join(", ")),
        put: ($policy.Statement | list | merged("Sid"; [
            deny("PyfleetDenyPlainHttp"; {Bool: {"aws:SecureTransport": "false"}}),
            deny("PyfleetDenyOldTls"; {NumericLessThan: {"s3:TlsVersion": "1.2"}})])
          | if . == null then null else {Version: "2012-10-17"} + $policy + {Statement: .} end)},
      {name: "versioning", call: "put-bucket-versioning", option: "--versioning-configuration", title: "Versioning",
        now: $versioning,
        put: (if $versioning == "Enabled" then null else {Status: "Enabled"} end)},
      {name: "lifecycle", call: "put-bucket-lifecycle-configuration", option: "--lifecycle-configuration", title: "Lifecycle",
        now: ($lifecycle.Rules // [] | map(.ID // "unnamed") | join(", ")),
        more: ($lifecycle.TransitionDefaultMinimumObjectSize | if . == null then [] else ["--transition-default-minimum-object-size", .] end),
        put: ($lifecycle.Rules // [] | merged("ID"; [
            # Plans hold secrets: their old versions do not stay for ninety days.
            rule("pyfleet-plans"; "_plans/") + {Expiration: {Days: 7}, NoncurrentVersionExpiration: {NoncurrentDays: 1}},
            # Left behind where check-state was killed.
            rule("pyfleet-canaries"; "_pyfleet/canary-") + {Expiration: {Days: 1}, NoncurrentVersionExpiration: {NoncurrentDays: 1}},
            rule("pyfleet-versions"; "") + {Expiration: {ExpiredObjectDeleteMarker: true},
              NoncurrentVersionExpiration: {NoncurrentDays: 90, NewerNoncurrentVersions: 50}},
            rule("pyfleet-uploads"; "") + {AbortIncompleteMultipartUpload: {DaysAfterInitiation: 7}}])
          | if . == null then null else {Rules: .} end)}
    ]' >"$work/bucket.json" || failed "the settings of $TF_STATE_BUCKET cannot be read"
}

put_bucket() {
  local name call option more
  while IFS=$'\t' read -r name call option more; do
    jq --arg name "$name" '.[] | select(.name == $name).put' "$work/bucket.json" >"$work/put.json"
    # shellcheck disable=SC2086 # an option and its value, or nothing
    ask s3api "$call" "${owned[@]}" "$option" "file://$work/put.json" $more || failed "setting the $name of $TF_STATE_BUCKET"
    printf 'set the %s of the bucket\n' "$name"
  done < <(jq -r '.[] | select(.put != null) | [.name, .call, .option, (.more // [] | join(" "))] | @tsv' "$work/bucket.json")
}

# The table, as described; its tags and backups, where it is there.
read_table() {
  if ask dynamodb describe-table "${table[@]}"; then
    jq .Table "$work/answer.json" >"$work/table.json"
  elif [[ $failure == ResourceNotFoundException ]]; then
    printf 'null\n' >"$work/table.json"
  else
    failed "reading the table $TF_LOCK_TABLE"
  fi
}

wait_for_table() {
  ask dynamodb wait "$1" "${table[@]}" || failed "waiting for the table $TF_LOCK_TABLE"
}

# What the table still needs, one call at a time: it takes no second change while it works on the first.
compare_table() {
  jq -n --slurpfile table "$work/table.json" --slurpfile backups "$work/backups.json" '$table[0] as $table
    | $backups[0].ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus as $recovery | [
    {title: "Billing", now: ($table.BillingModeSummary.BillingMode // "PROVISIONED"), want: "PAY_PER_REQUEST",
      call: ["update-table", "--billing-mode", "PAY_PER_REQUEST"]},
    {title: "Encryption", now: ($table.SSEDescription | if .Status == "ENABLED" or .Status == "UPDATING" then .SSEType // "KMS" else null end), want: "KMS",
      call: ["update-table", "--sse-specification", "Enabled=true,SSEType=KMS"]},
    {title: "Deletion protection", now: ($table.DeletionProtectionEnabled // false | tostring), want: "true",
      call: ["update-table", "--deletion-protection-enabled"]},
    {title: "Point-in-time recovery", now: $recovery, want: "ENABLED",
      call: ["update-continuous-backups", "--point-in-time-recovery-specification", "PointInTimeRecoveryEnabled=true"]}
    ]' >"$work/table-settings.json"
}

read_table_settings() {
  read_table
  ask dynamodb describe-continuous-backups "${table[@]}" || failed "reading the backups of $TF_LOCK_TABLE"
  cp -- "$work/answer.json" "$work/backups.json"
  compare_table
}

# First everything is looked at, then anything is changed.
ask sts get-caller-identity || failed 'AWS does not say who this is'
account=$(jq -r .Account "$work/answer.json")
partition=$(jq -r '.Arn | split(":")[1]' "$work/answer.json")
[[ $account == "$EXPECTED_ACCOUNT_ID" ]] || usage "these are credentials of account $account, expected is $EXPECTED_ACCOUNT_ID"

bucket=there
if ask s3api get-bucket-location "${owned[@]}"; then
  region=$(jq -r '.LocationConstraint // "us-east-1" | if . == "EU" then "eu-west-1" else . end' "$work/answer.json")
  if [[ $region != "$AWS_REGION" ]]; then
    annotate error "the bucket $TF_STATE_BUCKET is in $region, not in $AWS_REGION: choose another name or that region"
    exit 4
  fi
  read_bucket
  if ! tagged; then
    ask s3api list-object-versions "${owned[@]}" --no-paginate --max-keys 1 || failed "listing $TF_STATE_BUCKET"
    cp -- "$work/answer.json" "$work/versions.json"
    # A run that was interrupted, or is just running, tags before it sets anything else.
    setting tags NoSuchTagSet get-bucket-tagging
    tagged || jq -n -e --slurpfile tags "$work/tags.json" --slurpfile policy "$work/policy.json" --slurpfile lifecycle "$work/lifecycle.json" \
      --slurpfile versioning "$work/versioning.json" --slurpfile versions "$work/versions.json" '
      [$tags[0], $policy[0], $lifecycle[0], $versioning[0].Status, $versions[0].Versions[0]?, $versions[0].DeleteMarkers[0]?] | all(. == null)' \
      >/dev/null ||
      usage "the bucket $TF_STATE_BUCKET is there already and not pyfleet's: to have it changed, give it the tag managed-by=pyfleet"
  fi
elif [[ $failure == NoSuchBucket ]]; then
  bucket=
elif [[ $failure == AccessDenied ]]; then
  annotate error "the bucket $TF_STATE_BUCKET is not account $EXPECTED_ACCOUNT_ID's, or the role may not see it (s3:GetBucketLocation): choose another name"
  exit 3
else
  failed "looking for the bucket $TF_STATE_BUCKET"
fi

locks=
if [[ $TF_LOCK_MODE != s3 ]]; then
  read_table
  if [[ $(jq -r '.TableStatus?' "$work/table.json") == DELETING ]]; then
    wait_for_table table-not-exists
    read_table
  fi
  if jq -e . "$work/table.json" >/dev/null; then
    locks=there
    jq -e '.KeySchema == [{AttributeName: "LockID", KeyType: "HASH"}]
      and any(.AttributeDefinitions[]; . == {AttributeName: "LockID", AttributeType: "S"})' "$work/table.json" >/dev/null ||
      usage "the table $TF_LOCK_TABLE is no lock table: its key must be LockID, a string, alone"
    ask dynamodb list-tags-of-resource --resource-arn "$(jq -r .TableArn "$work/table.json")" || failed "reading the tags of $TF_LOCK_TABLE"
    jq -e 'any(.Tags[]?; . == {Key: "managed-by", Value: "pyfleet"})' "$work/answer.json" >/dev/null ||
      usage "the table $TF_LOCK_TABLE is there already and not pyfleet's: to have it changed, give it the tag managed-by=pyfleet"
  fi
fi

created=no
if [[ -z $bucket ]]; then
  place=(--create-bucket-configuration "LocationConstraint=$AWS_REGION")
  # The first region is the one that S3 does not let anybody name.
  [[ $AWS_REGION != us-east-1 ]] || place=()
  if ask s3api create-bucket --bucket "$TF_STATE_BUCKET" "${place[@]}"; then
    created=yes
    printf 'created the bucket\n'
    for name in "${settings[@]}"; do
      printf 'null\n' >"$work/$name.json"
    done
  elif [[ $failure == BucketAlreadyExists ]]; then
    annotate error "the bucket $TF_STATE_BUCKET is another account's: choose another name"
    exit 3
  elif [[ $failure == InvalidBucketName ]]; then
    usage 'TF_STATE_BUCKET must be the name of a bucket'
  elif [[ $failure != BucketAlreadyOwnedByYou ]]; then # another run of this was quicker
    failed "creating the bucket $TF_STATE_BUCKET"
  else
    read_bucket
  fi
fi
compare_bucket
right='all(.[]; .put == null)'
# Settings may take a moment to show.
for pause in 1 2 4 0; do
  ! jq -e "$right" "$work/bucket.json" >/dev/null || break
  put_bucket
  read_bucket
  compare_bucket
  jq -e "$right" "$work/bucket.json" >/dev/null || sleep "$pause"
done

printf '[]\n' >"$work/table-settings.json"
if [[ $TF_LOCK_MODE != s3 ]]; then
  if [[ -z $locks ]]; then
    if ask dynamodb create-table "${table[@]}" --attribute-definitions AttributeName=LockID,AttributeType=S \
      --key-schema AttributeName=LockID,KeyType=HASH --billing-mode PAY_PER_REQUEST --sse-specification Enabled=true,SSEType=KMS \
      --deletion-protection-enabled --tags Key=managed-by,Value=pyfleet; then
      created=yes
      printf 'created the table\n'
    elif [[ $failure != ResourceInUseException ]]; then # another run of this was quicker
      failed "creating the table $TF_LOCK_TABLE"
    fi
  fi
  wait_for_table table-exists
  read_table_settings
  for pause in 1 2 4 0; do
    mapfile -t calls < <(jq -c '.[] | select(.now != .want).call' "$work/table-settings.json")
    ((${#calls[@]})) || break
    for call in "${calls[@]}"; do
      mapfile -t words < <(jq -r '.[]' <<<"$call")
      ask dynamodb "${words[0]}" "${table[@]}" "${words[@]:1}" || failed "${words[0]} of $TF_LOCK_TABLE"
      printf 'set the %s of the table\n' "${words[1]#--}"
      wait_for_table table-exists
    done
    read_table_settings
    jq -e 'all(.[]; .now == .want)' "$work/table-settings.json" >/dev/null || sleep "$pause"
  done
fi

printf 'created=%s\n' "$created" >>"$output"
jq -r -n --arg bucket "$TF_STATE_BUCKET" --arg region "$AWS_REGION" --arg account "$EXPECTED_ACCOUNT_ID" --arg table "$TF_LOCK_TABLE" --arg created "$created" \
  --slurpfile settings "$work/bucket.json" --slurpfile locks "$work/table-settings.json" '
  def plain: .[:2000] | explode | map(if . == 9 or . == 10 or . == 13 then 32 else . end)
    | map(select(. >= 32 and (. < 127 or . > 159) and (. < 8203 or . > 8207)
        and (. < 8232 or . > 8238) and (. < 8288 or . > 8303) and . != 65279)) | .[:300] | implode;
  def code: plain | ([match("`+"; "g").length] | max // 0) as $run | ("`" * ($run + 1)) as $fence
    | if test("^`|`$") then "\($fence) \(.) \($fence)" else "\($fence)\(.)\($fence)" end;
  def cell: if . == null or . == "" then "nothing" else code | gsub("\\|"; "\\|") end;
  ($settings[0] | map({what: "Bucket", title, now, right: (.put == null)})) + ($locks[0] | map({what: "Table", title, now, right: (.now == .want)}))
  | "### \(if all(.[]; .right) then "✅ The backend is \(if $created == "yes" then "created" else "there" end)" else "❌ The backend is not as it was set" end)", "",
    "Bucket \($bucket | code) in \($region | code), account \($account | code)\(if $locks[0] == [] then "" else ", lock table \($table | code)" end). Read back:", "",
    "| | Setting | Found | |", "|---|---|---|---|", (.[] | "| \(.what) | \(.title) | \(.now | cell) | \(if .right then "✅" else "❌" end) |"), ""' >>"$summary"

wrong=$(jq -r -n --slurpfile settings "$work/bucket.json" --slurpfile locks "$work/table-settings.json" '
  [($settings[0][] | select(.put != null).name), ($locks[0][] | select(.now != .want).title)] | join(", ")')
if [[ -n $wrong ]]; then
  annotate error "what was read back is not what was set: $wrong"
  exit 5
fi
printf 'the backend is as it should be, created=%s\n' "$created"
