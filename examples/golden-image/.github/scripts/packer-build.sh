#!/usr/bin/env bash
# Builds the golden image, and says what it is: its id, when it was built, and the software that it holds.
#
# Environment
#   TEMPLATE         the template, from the repository's root
#   PKR_VAR_*        values of its variables
#   SECRET_VARIABLES  those that are secrets, with spaces between them (default: none)
#   EXPECT           JSON: names of software that the image has to hold (default: [])
#   IMAGE_DIR        where build.log, packer-manifest.json and image.json are left; it is created
#   GITHUB_SHA       the commit
#   RUNNER_TEMP      private working files (default: /tmp)
# Reads
#   packer-manifest.json, which the template's post-processor `manifest` writes: the image's id, and as `custom_data`
#   software with its versions; packer-software.json, where a provisioner brings it from the machine: the same as an object
# Outputs
#   image            {"id", "built_at", "version", "commit", "software"} as JSON, in one line
#   image_id         its id
# Exit codes
#   0 built · 1 the build failed, its output is shown · 2 usage · 3 no manifest, or not exactly one image in it ·
#   4 a variable or a secret is empty · 5 expected software is missing
#
# The template's variable `version`, where it declares one, is the time of the build and its commit. In everything that
# is shown or kept, *** stands instead of secrets of four or more characters, and of their lines. What failed has left
# an image perhaps: Packer removes what it made, where it can.
set -uo pipefail

TEMPLATE=${TEMPLATE:-}
SECRET_VARIABLES=${SECRET_VARIABLES:-}
EXPECT=${EXPECT:-[]}
IMAGE_DIR=${IMAGE_DIR:-}
GITHUB_SHA=${GITHUB_SHA:-}
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

[[ -n $TEMPLATE && -f $TEMPLATE && $TEMPLATE != -* ]] || usage 'TEMPLATE must be a file'
command -v packer >/dev/null || usage 'packer is not installed'
[[ $SECRET_VARIABLES =~ ^([A-Za-z_][A-Za-z0-9_]*( [A-Za-z_][A-Za-z0-9_]*)*)?$ ]] || usage 'SECRET_VARIABLES must be names of variables'
[[ $GITHUB_SHA =~ ^([0-9a-f]{40}|[0-9a-f]{64})$ ]] || usage 'GITHUB_SHA must be a whole commit id'
expected=$(printf '%s' "$EXPECT" | jq -c -s '
  if length == 1 and (.[0] | type == "array" and all(.[]; type == "string" and test("\\A[a-z0-9][a-z0-9._+-]*\\z")))
  then .[0] | unique else error("usage") end' 2>/dev/null) || usage 'EXPECT must be a JSON array of names'
[[ -n $IMAGE_DIR ]] || usage 'IMAGE_DIR is not set'
[[ $IMAGE_DIR != -* ]] || IMAGE_DIR=./$IMAGE_DIR
mkdir -p -- "$IMAGE_DIR" || usage 'IMAGE_DIR cannot be created'
rm -f -- "$IMAGE_DIR/build.log" "$IMAGE_DIR/packer-manifest.json" "$IMAGE_DIR/image.json"
umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/packer-build.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

empty=
for name in $(compgen -e PKR_VAR_); do
  [[ -n ${!name} ]] || empty+=" ${name#PKR_VAR_}"
done
for name in $SECRET_VARIABLES; do
  held=PKR_VAR_$name
  [[ -n ${!held:-} || " $empty " == *" $name "* ]] || empty+=" $name"
done
if [[ -n $empty ]]; then
  for name in $empty; do
    annotate error "the Packer variable $name is empty: set the secret or the variable that it takes its value from in this job's GitHub environment"
  done
  exit 4
fi

# The longest first: one may stand in another. What is quoted stands in JSON as Packer quotes it.
printf '%s' "$SECRET_VARIABLES" | jq -R -s '
  [splits(" +") | select(. != "") | $ENV["PKR_VAR_" + .] | ., splits("[\\n\\r]+") | gsub("^\\s+|\\s+$"; "") | ., tojson[1:-1]
    | select(length >= 4)] | unique | sort_by(-length)' >"$work/secrets.json" || usage 'the secrets cannot be hidden'
jq -r '.[] | gsub("(?<sign>[][\\\\.{}()*+?^$|/])"; "\\\(.sign)") | gsub("[\\n\\r]+"; "[[:space:]]+") | "s/\(.)/***/g"' \
  "$work/secrets.json" >"$work/secrets.sed" || usage 'the secrets cannot be hidden'
masked() { LC_ALL=C sed -u -E -f "$work/secrets.sed"; }

built_at=$(date -u +%Y-%m-%dT%H:%M:%SZ)
version=$(date -u -d "$built_at" +%Y%m%d%H%M)-${GITHUB_SHA:0:12}
arguments=()
! grep -q -E '^[[:space:]]*variable[[:space:]]+"?version"?[[:space:]]*\{' -- "$TEMPLATE" || arguments=(-var "version=$version")

# What an earlier run left, or somebody committed, is no result of this one.
rm -f -- packer-manifest.json packer-software.json
export PACKER_NO_COLOR=1 CHECKPOINT_DISABLE=1
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
printf '::stop-commands::%s\n' "$token"
# When the run is cancelled, Packer is told so, and removes what it has made; the runner signals this shell only.
child=
trap '[[ -z $child ]] || kill -TERM "$child" 2>/dev/null' INT TERM
mkfifo "$work/log"
masked <"$work/log" | tee "$IMAGE_DIR/build.log" &
shown=$!
packer build -timestamp-ui "${arguments[@]}" "$TEMPLATE" >"$work/log" 2>&1 </dev/null &
child=$!
rc=0
wait "$child" || rc=$?
while kill -0 "$child" 2>/dev/null; do
  rc=0
  wait "$child" || rc=$?
done
child=
wait "$shown"
printf '\n::%s::\n' "$token"
if ((rc != 0)); then
  annotate error 'the image was not built: Packer says above why, and whether it could remove what it had made'
  exit 1
fi

no_image() {
  annotate error "the build has ended well, but which image it made cannot be told: $1"
  exit 3
}
[[ -f packer-manifest.json ]] || no_image 'there is no packer-manifest.json, which the post-processor manifest writes'
masked <packer-manifest.json >"$IMAGE_DIR/packer-manifest.json"
# An image of AWS has its region in front.
jq -s '
  if length == 1 and (.[0] | type == "object" and (.builds | type) == "array") then .[0] else error("no manifest") end
  | .last_run_uuid as $run | [.builds[] | select(.packer_run_uuid == $run)]
  | if length == 1 then .[0] else error("not one") end
  | {id: (.artifact_id | tostring | sub("\\A[a-z0-9-]+:"; "")), software: (.custom_data // {} | if type == "object" then . else error("no object") end)}
  | if .id | test("\\A[A-Za-z0-9][A-Za-z0-9._/-]{0,199}\\z") then . else error("no id") end' \
  packer-manifest.json >"$work/built.json" 2>/dev/null || no_image 'packer-manifest.json does not hold exactly one image of this build, with an id'
printf '{}' >"$work/software.json"
if [[ -f packer-software.json ]]; then
  jq -s 'if length == 1 and (.[0] | type) == "object" then .[0] else error("no object") end' packer-software.json >"$work/software.json" 2>/dev/null ||
    no_image 'packer-software.json is no JSON object of names and versions'
fi
jq -c --slurpfile secrets "$work/secrets.json" --slurpfile said "$work/software.json" --arg built_at "$built_at" --arg version "$version" --arg commit "$GITHUB_SHA" '
  def masked: reduce $secrets[0][] as $secret (.; split($secret) | join("***"));
  def plain: tostring | masked | gsub("[^ -~]"; "?") | .[:100];
  {id, $built_at, $version, $commit,
   software: (.software + $said[0] | with_entries(select(.key | test("\\A[a-z0-9][a-z0-9._+-]{0,39}\\z")) | select(.value != null) | .value |= plain | select(.value != ""))
     | to_entries | sort_by(.key)[:100] | from_entries)}' "$work/built.json" >"$work/image.json" || no_image 'what it holds cannot be read'
install -m 644 -- "$work/image.json" "$IMAGE_DIR/image.json" || usage 'IMAGE_DIR cannot be written'

jq -r --argjson expected "$expected" '
  def code: gsub("`"; "") | gsub("\\|"; "/") | if test("\\A\\s*\\z") then "–" else "`\(.)`" end;
  "### 📀 Image \(.id | code)", "", "| | |", "|---|---|", "| Version | \(.version | code) |", "| Built | \(.built_at | code) |", "",
  "| Software | Version | |", "|---|---|---|",
  (.software as $has | ($expected + ($has | keys) | unique)[] as $name
    | "| \($name | code) | \($has[$name] // "" | code) | \(if $has[$name] == null then "❌ missing" elif $expected | index([$name]) then "✅ expected" else "" end) |"), ""' \
  "$work/image.json" >>"$summary"
missing=$(jq -r --argjson expected "$expected" '.software as $has | $expected[] | select($has[.] == null)' "$work/image.json")
if [[ -n $missing ]]; then
  while read -r name; do
    annotate error "the image does not say that it holds $name: install it in the template, and name its version in packer-software.json or custom_data"
  done <<<"$missing"
  exit 5
fi
printf 'image=%s\nimage_id=%s\n' "$(jq -c . "$work/image.json")" "$(jq -r .id "$work/image.json")" >>"$output"
printf 'built %s\n' "$(jq -r '"\(.id), version \(.version)"' "$work/image.json")"
