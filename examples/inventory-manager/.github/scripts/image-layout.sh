#!/usr/bin/env bash
# Unpacks an image archive and sees that it holds one image, whole: what is scanned then is what its digest names.
#
# Environment
#   IMAGE_ARCHIVE  the image, an OCI layout in a tar file
#   DIGEST         the digest that it must have: sha256:...
#   PLATFORM       what it must be built for: linux/amd64
#   LAYOUT_DIR     where it is unpacked; it must not be there yet
# Exit codes
#   0 unpacked · 2 usage · 4 the archive is unreadable, damaged, or holds another image
#
# A digest names the bytes of a manifest, and that names its parts by theirs: the image is the one that was meant if
# every blob is what its own name says. Attestations may stand beside the image: in the directory's index, the image alone
# is left, because a scanner takes the first that it finds.
set -uo pipefail

IMAGE_ARCHIVE=${IMAGE_ARCHIVE:-}
DIGEST=${DIGEST:-}
PLATFORM=${PLATFORM:-}
LAYOUT_DIR=${LAYOUT_DIR:-}

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

refuse() {
  annotate error "$1"
  exit 4
}

[[ -n $IMAGE_ARCHIVE && -f $IMAGE_ARCHIVE ]] || usage 'IMAGE_ARCHIVE must be the path of a file'
[[ $DIGEST =~ ^sha256:[0-9a-f]{64}$ ]] || usage 'DIGEST must be a digest: sha256:...'
[[ $PLATFORM =~ ^[a-z0-9]+/[a-z0-9]+$ ]] || usage 'PLATFORM must be a system and an architecture: linux/amd64'
[[ -n $LAYOUT_DIR && ! -e $LAYOUT_DIR ]] || usage 'LAYOUT_DIR must be the path of a directory that is not there yet'
mkdir -p -- "$LAYOUT_DIR" || usage 'LAYOUT_DIR cannot be made'
LAYOUT_DIR=$(cd -- "$LAYOUT_DIR" && pwd)

tar --extract --file - --directory "$LAYOUT_DIR" --no-same-owner --no-same-permissions <"$IMAGE_ARCHIVE" 2>/dev/null ||
  refuse 'the archive is not a readable tar file'
[[ -z $(find "$LAYOUT_DIR" ! -type f ! -type d -print -quit) ]] || refuse 'the archive holds something that is neither a file nor a directory'

blobs=$LAYOUT_DIR/blobs/sha256
[[ -d $blobs && -f $LAYOUT_DIR/index.json ]] || refuse 'the archive is not an OCI layout'
# Names that are no digest fail here, too.
checked=$(cd -- "$blobs" && find . -type f -printf '%f\n' | sed 's/.*/&  &/' | sha256sum --check --strict --quiet 2>&1) ||
  refuse 'the archive is damaged: a blob is not what its name says'
[[ -z $checked ]] || refuse 'the archive is damaged: a blob is not what its name says'

found=$(jq -r 'if .manifests | length == 1 then .manifests[0].digest else error("not one") end' "$LAYOUT_DIR/index.json" 2>/dev/null) || found=
[[ $found == "$DIGEST" && -f $blobs/${DIGEST#sha256:} ]] || refuse "the archive does not hold the image that was built, $DIGEST"

# An index, with the image first and nothing but attestations behind it; or the image's own manifest.
image=$(jq -r --arg digest "$DIGEST" --arg platform "$PLATFORM" '
  if .manifests then
    if (.manifests[0].platform | "\(.os)/\(.architecture)") == $platform
      and all(.manifests[1:][]; .annotations["vnd.docker.reference.type"] == "attestation-manifest")
    then .manifests[0].digest else error("another image") end
  elif .config then $digest else error("no image") end' "$blobs/${DIGEST#sha256:}" 2>/dev/null) ||
  refuse "the archive does not hold one image for $PLATFORM"
parts=$(jq -r '.config.digest, .layers[].digest' "$blobs/${image#sha256:}" 2>/dev/null) || refuse "the archive does not hold one image for $PLATFORM"
while IFS= read -r part; do
  [[ $part =~ ^sha256:[0-9a-f]{64}$ && -f $blobs/${part#sha256:} ]] || refuse 'the archive is not whole: a part of the image is missing'
done <<<"$parts"
config=$(head -n 1 <<<"$parts")
[[ $(jq -r '"\(.os)/\(.architecture)"' "$blobs/${config#sha256:}" 2>/dev/null) == "$PLATFORM" ]] ||
  refuse "the archive does not hold one image for $PLATFORM"
jq -c --arg digest "$image" --argjson size "$(wc -c <"$blobs/${image#sha256:}")" '
  {schemaVersion: 2, manifests: [{mediaType: (.mediaType // "application/vnd.oci.image.manifest.v1+json"), $digest, $size}]}' \
  "$blobs/${image#sha256:}" >"$LAYOUT_DIR/index.json" || refuse "the archive does not hold one image for $PLATFORM"
printf 'unpacked %s\n' "$DIGEST"
