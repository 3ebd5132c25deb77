#!/usr/bin/env bash
# Says which golden image a stack is planned with, or goes back to, and lists those that there were. It changes nothing.
#
# Environment
#   TARGET               latest | list | previous | the id of an image that is on record (default: latest)
#   BUILT                for latest: the image that this run has built, as packer-build.sh says it (default: none)
#   CHOSEN               for latest: the id of an image that was chosen by hand (default: none)
#   ENVIRONMENT          slug of the environment
#   STACK                slug of the stack
#   TF_STATE_BUCKET      the bucket of the state
#   EXPECTED_ACCOUNT_ID  the account that must own it
#   AWS_REGION           its region
#   RUNNER_TEMP          private working files (default: /tmp)
# Outputs
#   image                {"id", "built_at", "version", "commit", "software"} as JSON, in one line; not for list
#   image_id             its id
#   commit               for previous and an id: the commit that was applied with it
#   source               built in this run | latest good | chosen by hand | previous | on record
# Exit codes
#   0 told, or listed · 1 AWS did not answer · 2 usage · 3 there is no such image
#
# record-apply.sh writes which image was applied, record-image.sh that it has proven itself there: only then is it good.
# `latest` is what was chosen, else what was built, else the newest good one. `previous` is the newest good one that is
# not live. An id to go back to has to be on record; one that is chosen by hand need not be. The 30 newest versions of
# the record are read.
set -uo pipefail

TARGET=${TARGET:-latest}
BUILT=${BUILT:-}
CHOSEN=${CHOSEN:-}
ENVIRONMENT=${ENVIRONMENT:-}
STACK=${STACK:-}
TF_STATE_BUCKET=${TF_STATE_BUCKET:-}
EXPECTED_ACCOUNT_ID=${EXPECTED_ACCOUNT_ID:-}
AWS_REGION=${AWS_REGION:-}
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

slug='^[a-z][a-z0-9-]{0,99}$'
id='^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$'
[[ $TARGET =~ $id ]] || usage 'TARGET must be latest, list, previous or the id of an image'
[[ -z $CHOSEN || $CHOSEN =~ $id ]] || usage 'the image that was chosen must be an id: letters, digits, dots, dashes, underscores and slashes'
[[ -z $CHOSEN || -z $BUILT ]] || usage 'an image was built in this run, and another one chosen by hand: ask for one of them'
[[ $TARGET == latest || -z $CHOSEN$BUILT ]] || usage 'CHOSEN and BUILT belong to TARGET=latest'
[[ $ENVIRONMENT =~ $slug ]] || usage 'ENVIRONMENT must be a slug'
[[ $STACK =~ $slug ]] || usage 'STACK must be a slug'
[[ $TF_STATE_BUCKET =~ ^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$ ]] || usage 'TF_STATE_BUCKET must be the name of a bucket'
[[ $EXPECTED_ACCOUNT_ID =~ ^[0-9]{12}$ ]] || usage 'EXPECTED_ACCOUNT_ID must be the number of an account'
[[ $AWS_REGION =~ ^[a-z]{2,4}(-[a-z]+)+-[0-9]$ ]] || usage 'AWS_REGION must be a region'
umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/golden-image.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT
key=_pyfleet/applied/$ENVIRONMENT/$STACK.json

# What an image is, whoever says it.
# shellcheck disable=SC2016 # the dollar is jq's
is_image='
  def is_image: type == "object" and (.id | type == "string" and test("\\A[A-Za-z0-9][A-Za-z0-9._/-]{0,199}\\z"));
  def text: if type == "string" then .[:100] else null end;
  def image: {id, built_at: (.built_at | text), version: (.version | text), commit: (.commit | text),
    software: (.software | if type == "object" then with_entries(select(.value | type == "string") | .value |= .[:100]) else {} end)};'
if [[ -n $BUILT ]]; then
  printf '%s' "$BUILT" | jq -c -s "$is_image"'if length == 1 and (.[0] | is_image) then .[0] | image else error("usage") end' >"$work/built.json" 2>/dev/null ||
    usage 'BUILT must be an image as packer-build.sh says it'
fi

ask() {
  aws s3api "$@" --bucket "$TF_STATE_BUCKET" --expected-bucket-owner "$EXPECTED_ACCOUNT_ID" --region "$AWS_REGION" --output json 2>"$work/errors" || {
    annotate error "the record of $ENVIRONMENT/$STACK cannot be read: $(head -c 2000 "$work/errors")"
    exit 1
  }
}

# The newest first, as S3 lists the versions of a key.
ask list-object-versions --prefix "$key" --max-items 1000 >"$work/versions.json"
mapfile -t versions < <(jq -r --arg key "$key" '[.Versions[]? | select(.Key == $key and (.VersionId | test("\\A[!-~]{1,1024}\\z"))) | .VersionId][:30][]' "$work/versions.json")
: >"$work/history.json"
for version in "${versions[@]}"; do
  ask get-object --key "$key" --version-id="$version" "$work/record.json" >/dev/null
  jq -c -s "$is_image"'
    if length == 1 and (.[0] | type == "object" and (.commit | type == "string" and test("\\A([0-9a-f]{40}|[0-9a-f]{64})\\z"))) then .[0] else error("no record") end
    | {commit, action: (.action | text), time: (.time | text), actor: (.actor | text), good_at: (.image.good_at? | text),
       image: (.image | if is_image then image else null end)}' "$work/record.json" >>"$work/history.json" 2>/dev/null ||
    annotate warning 'a version of the record cannot be read, and is left out'
done

# What is shown: an image that was applied several times once, with what is newest of it.
jq -s '
  ([.[] | .image.id][0]) as $live
  | [.[] | select(.image)] | reduce .[] as $one ([];
      if any(.[]; .image.id == $one.image.id) then map(if .image.id == $one.image.id and .good_at == null then .good_at = $one.good_at else . end) else . + [$one] end)
  | map(. + {live: (.image.id == $live)})' "$work/history.json" >"$work/images.json"

# shellcheck disable=SC2016 # the dollar is jq's
text='
  def plain: gsub("[^ -~]"; "?") | .[:200];
  def code: plain | gsub("`"; "") | gsub("\\|"; "/") | if test("\\A\\s*\\z") then "–" else "`\(.)`" end;
  def cell: if . == null then "–" else code end;
  def age: try ((now - fromdateiso8601) / 86400 | floor | if . < 0 then "–" elif . == 1 then "1 day" else "\(.) days" end) catch "–";
  def software: to_entries | if . == [] then "–" else .[:30] | map("\(.key) \(.value)") | join(", ") | code end;'

if [[ $TARGET == list ]]; then
  [[ $(jq length "$work/images.json") != 0 ]] || {
    annotate error "no image is on record as applied to $ENVIRONMENT/$STACK"
    exit 3
  }
  {
    # shellcheck disable=SC2016 # Markdown, not a substitution
    printf '### Images of `%s` in `%s`\n\n| | Image | Built | Age | Good since | Applied with | Software |\n|---|---|---|---|---|---|---|\n' "$STACK" "$ENVIRONMENT"
    jq -r "$text"'.[] | "| \(if .live then "live" else "" end) | \(.image.id | cell) | \(.image.built_at | cell) | \(.image.built_at | age) | \(.good_at | cell) | \(.commit | cell) | \(.image.software | software) |"' "$work/images.json"
    printf '\n'
  } >>"$summary"
  jq -r '.[] | "\(.image.id) \(if .good_at then "good" else "not proven" end)\(if .live then ", live" else "" end)"' "$work/images.json"
  exit 0
fi

source='latest good'
case $TARGET in
  latest)
    if [[ -n $CHOSEN ]]; then
      source='chosen by hand'
      jq -c --arg id "$CHOSEN" 'first(.[] | select(.image.id == $id)) // {image: {$id, built_at: null, version: null, commit: null, software: {}}}' "$work/images.json" >"$work/told.json"
      jq -e 'has("live")' "$work/told.json" >/dev/null ||
        annotate notice "$CHOSEN is not on record in $ENVIRONMENT/$STACK: when it was built, and what it holds, is not known here"
    elif [[ -n $BUILT ]]; then
      source='built in this run'
      jq -c '{image: .}' "$work/built.json" >"$work/told.json"
    else
      jq -c 'first(.[] | select(.good_at)) // empty' "$work/images.json" >"$work/told.json"
    fi
    none="no image has proven itself in $ENVIRONMENT/$STACK yet: have one built, or choose one by its id"
    ;;
  previous)
    source=previous
    jq -c 'first(.[] | select(.good_at and (.live | not))) // empty' "$work/images.json" >"$work/told.json"
    none="no image has proven itself in $ENVIRONMENT/$STACK before the one that is live: name an image that is on record"
    ;;
  *)
    source='on record'
    jq -c --arg id "$TARGET" 'first(.[] | select(.image.id == $id)) // empty' "$work/images.json" >"$work/told.json"
    none="this image is not on record as applied to $ENVIRONMENT/$STACK; those that are: $(jq -r '[.[:5][] | .image.id] | if . == [] then "none" else join(", ") end' "$work/images.json")"
    ;;
esac
[[ -s $work/told.json ]] || {
  annotate error "$none"
  exit 3
}
jq -r --arg source "$source" --arg environment "$ENVIRONMENT" "$text"'
  "### 📀 Image for `\($environment)`: \(.image.id | code)", "", "| | |", "|---|---|", "| Source | \($source) |", "| Built | \(.image.built_at | cell) |",
  "| Age | \(.image.built_at | age) |", "| Good here since | \(.good_at | cell) |", "| Software | \(.image.software | software) |", ""' "$work/told.json" >>"$summary"
image=$(jq -r .image.id "$work/told.json")
printf 'image %s: %s\n' "$image" "$source"
{
  printf 'image=%s\nimage_id=%s\nsource=%s\n' "$(jq -c .image "$work/told.json")" "$image" "$source"
  [[ $TARGET == latest ]] || printf 'commit=%s\n' "$(jq -r .commit "$work/told.json")"
} >>"$output"
