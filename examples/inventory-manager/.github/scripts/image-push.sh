#!/usr/bin/env bash
# Pushes the very image that was built and scanned, under tags that do not move, and where it is asked, some that do.
#
# Environment
#   IMAGE_ARCHIVE  the image, an OCI layout in a tar file; not read where the first tag is there already: then the image
#                  is, and gets further tags in the registry
#   DIGEST         the digest that was scanned: sha256:...
#   REGISTRY       the host of the registry
#   REGISTRY_ID    the account whose registry it is, in Amazon ECR (default: another registry)
#   AWS_REGION     its region, in Amazon ECR
#   REGISTRY_USERNAME, REGISTRY_PASSWORD
#                  who is let in to another registry
#   REPOSITORY     the repository in it
#   CREATE_REPOSITORY
#                  true | false: whether one that is missing is made, in Amazon ECR (default: false)
#   TAGS           JSON: array of tags, the commit's first
#   BRANCH_TAG     a branch, whose name becomes a tag that moves; not in Amazon ECR (default: none)
#   LATEST         true | false: whether latest becomes one; not in Amazon ECR (default: false)
#   RUNNER_TEMP    private working files (default: /tmp)
# Outputs
#   digest         the image that every tag names
# Exit codes
#   0 every tag names this image · 1 AWS or the registry failed · 2 usage · 3 a tag is another image's, nothing was
#   pushed · 4 the archive holds another image, or the registry has another than was pushed · 5 the image is neither in
#   the registry nor in the archive
#
# A tag that names this image already is not pushed again: a run that was interrupted goes on where it ended. Where a
# registry other than ECR has the commit's image already, it is used, and what was built is left: two builds of one commit
# differ, and who looks there without a password may not have seen it.
set -uo pipefail

IMAGE_ARCHIVE=${IMAGE_ARCHIVE:-}
DIGEST=${DIGEST:-}
REGISTRY=${REGISTRY:-}
REGISTRY_ID=${REGISTRY_ID:-}
REPOSITORY=${REPOSITORY:-}
TAGS=${TAGS:-}
AWS_REGION=${AWS_REGION:-}
REGISTRY_USERNAME=${REGISTRY_USERNAME:-}
REGISTRY_PASSWORD=${REGISTRY_PASSWORD:-}
CREATE_REPOSITORY=${CREATE_REPOSITORY:-false}
BRANCH_TAG=${BRANCH_TAG:-}
LATEST=${LATEST:-false}
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

# A colon would end the path for skopeo.
[[ -n $IMAGE_ARCHIVE && $IMAGE_ARCHIVE != *[:[:cntrl:]]* ]] || usage 'IMAGE_ARCHIVE must be the path of a file, without a colon'
[[ $DIGEST =~ ^sha256:[0-9a-f]{64}$ ]] || usage 'DIGEST must be a digest: sha256:...'
[[ $REGISTRY =~ ^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$ ]] || usage 'REGISTRY must be the host of a registry'
[[ -z $REGISTRY_ID || $REGISTRY_ID =~ ^[0-9]{12}$ ]] || usage 'REGISTRY_ID must be the number of an account'
[[ ${#REPOSITORY} -le 256 && $REPOSITORY =~ ^([a-z0-9]+([._-][a-z0-9]+)*/)*[a-z0-9]+([._-][a-z0-9]+)*$ ]] || usage 'REPOSITORY must be the name of a repository'
mapfile -t tags < <(printf '%s' "$TAGS" | jq -r -s '
  if length == 1 and (.[0] | type == "array" and length == (unique | length)
    and all(.[]; type == "string" and test("\\A[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\\z")))
  then .[0][] else empty end' 2>/dev/null)
((${#tags[@]})) || usage 'TAGS must be a JSON array of different tags'
if [[ -n $REGISTRY_ID ]]; then
  [[ $AWS_REGION =~ ^[a-z]{2,4}(-[a-z]+)+-[0-9]$ ]] || usage 'AWS_REGION must be a region'
  [[ -z $BRANCH_TAG && $LATEST == false ]] || usage 'BRANCH_TAG and LATEST move, and tags in ECR do not'
else
  [[ -n $REGISTRY_USERNAME && -n $REGISTRY_PASSWORD ]] || usage 'REGISTRY_USERNAME and REGISTRY_PASSWORD must be set: the secrets of the registry are empty here'
fi
[[ $CREATE_REPOSITORY == true || $CREATE_REPOSITORY == false ]] || usage 'CREATE_REPOSITORY must be true or false'
[[ $CREATE_REPOSITORY == false || -n $REGISTRY_ID ]] || usage 'CREATE_REPOSITORY must be false where the registry is not one of ECR'
[[ $LATEST == true || $LATEST == false ]] || usage 'LATEST must be true or false'
[[ $BRANCH_TAG != *[[:cntrl:]]* && ${#BRANCH_TAG} -le 255 ]] || usage 'BRANCH_TAG must be the name of a branch'
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

# log_in: who pushes is let in. In ECR only where there is something to push.
log_in() {
  if [[ -n $REGISTRY_ID ]]; then
    aws ecr get-login-password --region "$AWS_REGION" 2>"$work/errors"
  else
    printf '%s' "$REGISTRY_PASSWORD"
  fi | skopeo login --authfile "$work/auth.json" --username "${REGISTRY_USERNAME:-AWS}" --password-stdin "$REGISTRY" >"$work/log" 2>>"$work/errors" || {
    annotate error "$REGISTRY does not let this job in: $(head -c 2000 "$work/errors")"
    exit 1
  }
}

# Makes the repository: its tags do not move, and what is pushed is scanned and encrypted. Whoever is quicker made it.
create_repository() {
  if aws ecr create-repository --registry-id "$REGISTRY_ID" --repository-name "$REPOSITORY" --image-tag-mutability IMMUTABLE \
    --image-scanning-configuration scanOnPush=true --encryption-configuration encryptionType=AES256 \
    --region "$AWS_REGION" --output json >/dev/null 2>"$work/errors"; then
    annotate notice "the repository $REPOSITORY was missing, and was made in account $REGISTRY_ID, $AWS_REGION"
  elif ! grep -q 'An error occurred (RepositoryAlreadyExistsException)' "$work/errors"; then
    annotate error "the repository $REPOSITORY is missing and cannot be made: $(head -c 2000 "$work/errors")"
    exit 1
  fi
}

# digest_of TAG: its image's digest in $digest, empty where the tag is free.
digest_of() {
  digest=
  if [[ -z $REGISTRY_ID ]]; then
    # The digest of an image is the SHA-256 of its manifest, byte for byte.
    if skopeo inspect --raw --authfile "$work/auth.json" "docker://$REGISTRY/$REPOSITORY:$1" >"$work/manifest" 2>"$work/errors"; then
      digest=$(sha256sum <"$work/manifest")
      digest=sha256:${digest%% *}
    elif ! grep -qi 'manifest unknown\|not found\|name unknown' "$work/errors"; then
      failed "$REGISTRY does not say whether $REPOSITORY:$1 is there"
    fi
    return 0
  fi
  if aws ecr describe-images --registry-id "$REGISTRY_ID" --repository-name "$REPOSITORY" --image-ids "imageTag=$1" \
    --region "$AWS_REGION" --output json >"$work/answer.json" 2>"$work/errors"; then
    digest=$(jq -r 'if .imageDetails | length == 1 then .imageDetails[0].imageDigest else error("not one") end' "$work/answer.json" 2>"$work/errors") || digest=
    [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || failed "ECR does not say which image $REPOSITORY:$1 is"
  elif [[ $CREATE_REPOSITORY == true ]] && grep -q 'An error occurred (RepositoryNotFoundException)' "$work/errors"; then
    create_repository
  elif ! grep -q 'An error occurred (ImageNotFoundException)' "$work/errors"; then
    failed "ECR does not say whether $REPOSITORY:$1 is there"
  fi
}

if [[ -z $REGISTRY_ID ]]; then
  log_in
  digest_of "${tags[0]}"
  if [[ -n $digest && $digest != "$DIGEST" ]]; then
    annotate notice "$REPOSITORY:${tags[0]} is there already, as $digest: it is used, and what was built is left"
    DIGEST=$digest
  fi
fi

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
  [[ -z $REGISTRY_ID ]] || log_in
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

# Tags that move come last, and name what is there already. What is no letter of a tag becomes a dash.
moving=()
if [[ -n $BRANCH_TAG ]]; then
  tag=$(printf '%s' "$BRANCH_TAG" | LC_ALL=C tr -c 'A-Za-z0-9_.-' '-')
  tag=${tag:0:128}
  moving+=("${tag/#[.-]/_}")
fi
[[ $LATEST == false ]] || moving+=(latest)
for tag in "${moving[@]}"; do
  if ! skopeo copy --all --preserve-digests --retry-times 3 --authfile "$work/auth.json" \
    "docker://$REGISTRY/$REPOSITORY@$DIGEST" "docker://$REGISTRY/$REPOSITORY:$tag" >"$work/log" 2>&1; then
    show "$work/log"
    annotate error "$REPOSITORY:$tag could not be pushed, skopeo's output is above"
    exit 1
  fi
  printf 'moved %s:%s\n' "$REPOSITORY" "$tag"
done
printf 'digest=%s\n' "$DIGEST" >>"$output"

{
  # shellcheck disable=SC2016 # Markdown, not a substitution
  printf '### 📦 `%s`\n\n| Tag | Digest | |\n|---|---|---|\n' "$REPOSITORY"
  for tag in "${tags[@]}"; do
    pushed='was there'
    [[ " ${missing[*]-} " != *" $tag "* ]] || pushed=pushed
    # shellcheck disable=SC2016 # Markdown, not a substitution
    printf '| `%s` | `%s` | %s |\n' "$tag" "$DIGEST" "$pushed"
  done
  # shellcheck disable=SC2016 # Markdown, not a substitution
  ((${#moving[@]} == 0)) || printf '| `%s` | `%s` | moves |\n' "${moving[0]}" "$DIGEST"
  # shellcheck disable=SC2016 # Markdown, not a substitution
  ((${#moving[@]} < 2)) || printf '| `%s` | `%s` | moves |\n' "${moving[1]}" "$DIGEST"
  printf '\n'
} >>"$summary"
printf 'every tag of %s names %s\n' "$REPOSITORY" "$DIGEST"
