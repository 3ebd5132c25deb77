#!/usr/bin/env bash
# Pushes the very image that was built and scanned, under tags that do not move.
#
# Environment
#   IMAGE_ARCHIVE  the image, an OCI layout in a tar file; not read where the first tag is there already: then the image
#                  is, and gets further tags in the registry
#   DIGEST         the digest that was scanned: sha256:...
#   REGISTRY       the host of the registry
#   REGISTRY_ID    the account whose registry it is
#   REPOSITORY     the repository in it
#   TAGS           JSON: array of tags, the commit's first
#   AWS_REGION     the region of the registry
#   RUNNER_TEMP    private working files (default: /tmp)
# Exit codes
#   0 every tag names this image · 1 AWS or the registry failed · 2 usage · 3 a tag is another image's, nothing was
#   pushed · 4 the archive holds another image, or the registry has another than was pushed · 5 the image is neither in
#   the registry nor in the archive
#
# A tag that names this image already is not pushed again: a run that was interrupted goes on where it ended.
set -uo pipefail

IMAGE_ARCHIVE=${IMAGE_ARCHIVE:-}
DIGEST=${DIGEST:-}
REGISTRY=${REGISTRY:-}
REGISTRY_ID=${REGISTRY_ID:-}
REPOSITORY=${REPOSITORY:-}
TAGS=${TAGS:-}
AWS_REGION=${AWS_REGION:-}
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

# A colon would end the path for skopeo.
[[ -n $IMAGE_ARCHIVE && $IMAGE_ARCHIVE != *[:[:cntrl:]]* ]] || usage 'IMAGE_ARCHIVE must be the path of a file, without a colon'
[[ $DIGEST =~ ^sha256:[0-9a-f]{64}$ ]] || usage 'DIGEST must be a digest: sha256:...'
[[ $REGISTRY =~ ^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$ ]] || usage 'REGISTRY must be the host of a registry'
[[ $REGISTRY_ID =~ ^[0-9]{12}$ ]] || usage 'REGISTRY_ID must be the number of an account'
[[ ${#REPOSITORY} -le 256 && $REPOSITORY =~ ^([a-z0-9]+([._-][a-z0-9]+)*/)*[a-z0-9]+([._-][a-z0-9]+)*$ ]] || usage 'REPOSITORY must be the name of a repository'
mapfile -t tags < <(printf '%s' "$TAGS" | jq -r -s '
  if length == 1 and (.[0] | type == "array" and length == (unique | length)
    and all(.[]; type == "string" and test("\\A[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\\z")))
  then .[0][] else empty end' 2>/dev/null)
((${#tags[@]})) || usage 'TAGS must be a JSON array of different tags'
[[ $AWS_REGION =~ ^[a-z]{2,4}(-[a-z]+)+-[0-9]$ ]] || usage 'AWS_REGION must be a region'
command -v skopeo >/dev/null || usage 'skopeo is not installed'

umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/image-push.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

# Shows text that must not be taken for workflow commands.
show() {
  local token
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$token"
  tail -c 65536 -- "$@"
  printf '\n::%s::\n' "$token"
}

failed() {
  annotate error "$1: $(head -c 2000 "$work/errors")"
  exit 1
}

# digest_of TAG: its image's digest in $digest, empty where the tag is free.
digest_of() {
  digest=
  if aws ecr describe-images --registry-id "$REGISTRY_ID" --repository-name "$REPOSITORY" --image-ids "imageTag=$1" \
    --region "$AWS_REGION" --output json >"$work/answer.json" 2>"$work/errors"; then
    digest=$(jq -r 'if .imageDetails | length == 1 then .imageDetails[0].imageDigest else error("not one") end' "$work/answer.json" 2>"$work/errors") || digest=
    [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || failed "ECR does not say which image $REPOSITORY:$1 is"
  elif ! grep -q 'An error occurred (ImageNotFoundException)' "$work/errors"; then
    failed "ECR does not say whether $REPOSITORY:$1 is there"
  fi
}

missing=()
for tag in "${tags[@]}"; do
  digest_of "$tag"
  if [[ -z $digest ]]; then
    missing+=("$tag")
  elif [[ $digest != "$DIGEST" ]]; then
    annotate error "the tag $tag of $REPOSITORY is taken: it names $digest, not $DIGEST, and tags do not move. Nothing was pushed"
    exit 3
  fi
done

if ((${#missing[@]})); then
  source=docker://$REGISTRY/$REPOSITORY@$DIGEST
  if [[ ${missing[0]} == "${tags[0]}" ]]; then
    if [[ ! -f $IMAGE_ARCHIVE ]]; then
      annotate error "there is no image to push: $REPOSITORY:${tags[0]} is not in the registry, and IMAGE_ARCHIVE is no file. If the image was there when this run began, it was removed: start a new run"
      exit 5
    fi
    archive=$(cd -- "$(dirname -- "$IMAGE_ARCHIVE")" && pwd)/${IMAGE_ARCHIVE##*/}
    # skopeo takes the one image that the index names: it must be the one that was scanned.
    found=$(tar -xOf "$archive" index.json 2>"$work/errors" |
      jq -r 'if .manifests | length == 1 then .manifests[0].digest else error("not one") end' 2>>"$work/errors") || found=
    content=$(tar -xOf "$archive" "blobs/sha256/${DIGEST#sha256:}" 2>>"$work/errors" | sha256sum) || content=
    if [[ $found != "$DIGEST" || sha256:${content%% *} != "$DIGEST" ]]; then
      annotate error "the archive does not hold the image that was scanned, $DIGEST. Nothing was pushed"
      exit 4
    fi
    source=oci-archive:$archive
  fi
  aws ecr get-login-password --region "$AWS_REGION" 2>"$work/errors" |
    skopeo login --authfile "$work/auth.json" --username AWS --password-stdin "$REGISTRY" >"$work/log" 2>>"$work/errors" ||
    failed "$REGISTRY does not let this role in"
  for tag in "${missing[@]}"; do
    if ! skopeo copy --all --preserve-digests --retry-times 3 --authfile "$work/auth.json" \
      "$source" "docker://$REGISTRY/$REPOSITORY:$tag" >"$work/log" 2>&1; then
      show "$work/log"
      annotate error "$REPOSITORY:$tag could not be pushed, skopeo's output is above"
      exit 1
    fi
    digest_of "$tag"
    if [[ $digest != "$DIGEST" ]]; then
      annotate error "$REPOSITORY:$tag was pushed and names ${digest:-nothing}, not $DIGEST: do not deploy it"
      exit 4
    fi
    printf 'pushed %s:%s\n' "$REPOSITORY" "$tag"
  done
fi

{
  # shellcheck disable=SC2016 # Markdown, not a substitution
  printf '### 📦 `%s`\n\n| Tag | Digest | |\n|---|---|---|\n' "$REPOSITORY"
  for tag in "${tags[@]}"; do
    pushed='was there'
    [[ " ${missing[*]-} " != *" $tag "* ]] || pushed=pushed
    # shellcheck disable=SC2016 # Markdown, not a substitution
    printf '| `%s` | `%s` | %s |\n' "$tag" "$DIGEST" "$pushed"
  done
  printf '\n'
} >>"$summary"
printf 'every tag of %s names %s\n' "$REPOSITORY" "$DIGEST"
