# shellcheck shell=bash
# The real skopeo. @HOST@ is on loopback here, without TLS; Debian's policy on signatures is not installed.
set -uo pipefail

skopeo() { '@SKOPEO@' --insecure-policy --registries-conf '@SETTINGS@' "$@"; }

printf '%s\n' "$*" >>"$STATE/skopeo"
words=("${@//@HOST@/@ADDRESS@}")
if [[ "$1 @HOST@" != copy\ *.dkr.ecr.* || ${*: -1} != docker://@HOST@/* ]]; then
  skopeo "${words[@]}"
  exit
fi

# ECR's API, which is emulated, is told of what the registry is given: whether the role may, and whether the tag is taken, it
# knows alone.
refuse() {
  printf 'FATA[0000] the registry refused\n' >&2
  exit 1
}
[[ ${*: -1} =~ ^docker://@HOST@/([^:]+):([^:]+)$ ]] || exit 9
repository=${BASH_REMATCH[1]} tag=${BASH_REMATCH[2]} source=${words[-2]} auth=()
if [[ $source == docker://* ]]; then
  aws ecr batch-get-image --repository-name "$repository" --image-ids "imageDigest=${source#*@}" --output json >/dev/null || refuse
  auth=(--authfile "$7")
fi
manifest=$(mktemp "$STATE/XXXXXX")
trap 'rm -f "$manifest"' EXIT
skopeo inspect --raw "${auth[@]}" "$source" >"$manifest" || exit
skopeo "${words[@]}" || exit
aws ecr put-image --repository-name "$repository" --image-tag "$tag" --image-manifest "file://$manifest" \
  --image-manifest-media-type "$(jq -r '.mediaType // "application/vnd.oci.image.manifest.v1+json"' "$manifest")" >/dev/null || refuse
