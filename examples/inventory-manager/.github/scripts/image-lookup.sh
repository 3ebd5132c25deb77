#!/usr/bin/env bash
# Looks in a registry whether this commit has an image already, and in ECR whether the version is free. It only reads.
#
# Environment
#   REGISTRY_ID  the account whose registry it is, in Amazon ECR (default: another registry)
#   AWS_REGION   its region, in Amazon ECR
#   REGISTRY     the host of another registry
#   REGISTRY_USERNAME, REGISTRY_PASSWORD
#                who is let in there (default: nobody by name)
#   REPOSITORY   the repository in it
#   CREATE_REPOSITORY
#                true | false: whether image-push.sh makes one that is missing, in Amazon ECR (default: false)
#   COMMIT_TAG   the tag of the commit: sha-, then the whole commit id
#   VERSION_TAG  the second tag that the image is to have
#   RUNNER_TEMP  private working files (default: /tmp)
# Outputs
#   digest       of the commit's image; empty, where it has to be built
# Exit codes
#   0 the image is there, or has to be built · 2 usage · 3 VERSION_TAG is another image's ·
#   4 there is no such repository · 5 unknown: no permission, no answer, or one that is not understood
#
# What another registry does not show to this job has to be built, with a notice: image-push.sh, which is let in, uses an
# image that is there. An image of this commit is used again: a second build has another digest, and tags do not move.
set -uo pipefail

AWS_REGION=${AWS_REGION:-}
REGISTRY_ID=${REGISTRY_ID:-}
REGISTRY=${REGISTRY:-}
REGISTRY_USERNAME=${REGISTRY_USERNAME:-}
REGISTRY_PASSWORD=${REGISTRY_PASSWORD:-}
REPOSITORY=${REPOSITORY:-}
COMMIT_TAG=${COMMIT_TAG:-}
VERSION_TAG=${VERSION_TAG:-}
CREATE_REPOSITORY=${CREATE_REPOSITORY:-false}
output=${GITHUB_OUTPUT:-/dev/null}

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

if [[ -n $REGISTRY_ID ]]; then
  [[ $AWS_REGION =~ ^[a-z]{2,4}(-[a-z]+)+-[0-9]$ ]] || usage 'AWS_REGION must be a region'
  [[ $REGISTRY_ID =~ ^[0-9]{12}$ ]] || usage 'REGISTRY_ID must be the number of an account'
else
  [[ $REGISTRY =~ ^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$ ]] || usage 'REGISTRY must be the host of a registry, or REGISTRY_ID the number of an account'
  command -v skopeo >/dev/null || usage 'skopeo is not installed'
fi
[[ ${#REPOSITORY} -le 256 && $REPOSITORY =~ ^([a-z0-9]+([._-][a-z0-9]+)*/)*[a-z0-9]+([._-][a-z0-9]+)*$ ]] || usage 'REPOSITORY must be the name of a repository'
[[ $COMMIT_TAG =~ ^sha-[0-9a-f]{40}$ ]] || usage 'COMMIT_TAG must be sha- and a whole commit id'
[[ $VERSION_TAG =~ ^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$ && $VERSION_TAG != sha-* ]] ||
  usage 'VERSION_TAG must be a tag that does not begin with sha-'

[[ $CREATE_REPOSITORY == true || $CREATE_REPOSITORY == false ]] || usage 'CREATE_REPOSITORY must be true or false'

umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/image-lookup.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
trap 'rm -rf -- "$work"' EXIT

# digest_of TAG: its image's digest in $digest, empty where the tag is free.
digest_of() {
  local failure
  digest=
  if aws ecr describe-images --registry-id "$REGISTRY_ID" --repository-name "$REPOSITORY" --image-ids "imageTag=$1" \
    --region "$AWS_REGION" --output json >"$work/answer.json" 2>"$work/errors"; then
    digest=$(jq -r 'if .imageDetails | length == 1 then .imageDetails[0].imageDigest else error("not one") end' "$work/answer.json" 2>"$work/errors") || digest=
    if [[ ! $digest =~ ^sha256:[0-9a-f]{64}$ ]]; then
      annotate error "ECR does not say which image $REPOSITORY:$1 is"
      exit 5
    fi
    return 0
  fi
  failure=$(sed -n 's/.*An error occurred (\([A-Za-z0-9.]*\)).*/\1/p' "$work/errors" | head -n 1)
  case $failure in
    ImageNotFoundException) ;;
    RepositoryNotFoundException)
      [[ $CREATE_REPOSITORY == false ]] || return 0
      annotate error "the repository $REPOSITORY does not exist in account $REGISTRY_ID, $AWS_REGION. Whoever administers it creates it: \
aws ecr create-repository --repository-name $REPOSITORY --image-tag-mutability IMMUTABLE --region $AWS_REGION"
      exit 4
      ;;
    *)
      annotate error "whether $REPOSITORY has the image is unknown, ECR did not answer: $(head -c 2000 "$work/errors")"
      exit 5
      ;;
  esac
}

if [[ -z $REGISTRY_ID ]]; then
  printf '{}' >"$work/auth.json"
  if [[ -n $REGISTRY_USERNAME ]]; then
    printf '%s' "$REGISTRY_PASSWORD" |
      skopeo login --authfile "$work/auth.json" --username "$REGISTRY_USERNAME" --password-stdin "$REGISTRY" >"$work/log" 2>"$work/errors" || {
      annotate error "$REGISTRY does not let this job in: $(head -c 2000 "$work/errors")"
      exit 5
    }
  fi
  digest=
  # The digest of an image is the SHA-256 of its manifest, byte for byte.
  if skopeo inspect --raw --authfile "$work/auth.json" "docker://$REGISTRY/$REPOSITORY:$COMMIT_TAG" >"$work/manifest" 2>"$work/errors"; then
    digest=$(sha256sum <"$work/manifest")
    digest=sha256:${digest%% *}
    printf '%s is there already: %s\n' "$COMMIT_TAG" "$digest"
  elif grep -qi 'manifest unknown\|not found\|name unknown' "$work/errors"; then
    printf '%s has to be built\n' "$COMMIT_TAG"
  else
    annotate notice "whether $REGISTRY/$REPOSITORY has $COMMIT_TAG is not shown to this job, so it is built: $(head -c 500 "$work/errors")"
  fi
  printf 'digest=%s\n' "$digest" >>"$output"
  exit 0
fi

digest_of "$COMMIT_TAG"
commit=$digest
digest_of "$VERSION_TAG"
if [[ -n $digest && $digest != "$commit" ]]; then
  annotate error "the version $VERSION_TAG is taken: $REPOSITORY has another commit's image under this tag, and tags do not move. Choose another version"
  exit 3
fi
printf 'digest=%s\n' "$commit" >>"$output"
if [[ -n $commit ]]; then
  printf '%s is there already: %s\n' "$COMMIT_TAG" "$commit"
else
  printf '%s has to be built\n' "$COMMIT_TAG"
fi
