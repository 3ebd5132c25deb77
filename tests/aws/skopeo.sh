# skopeo, as far as image-push.sh needs it, with the emulated ECR for a registry: it takes the one image that an OCI
# archive's index names, or one that is there by its digest, and puts its manifest there. Whoever is not logged in is refused, and so is every argument that
# is not expected. A test may give `Script::tool` a line to go before this.
set -uo pipefail

refuse() {
  printf 'FATA[0000] %s\n' "$1" >&2
  exit 1
}

printf '%s\n' "$*" >>"$STATE/skopeo"
case ${1-} in
  login)
    [[ $# == 7 && "$2 $4 $5 $6" == '--authfile --username AWS --password-stdin' ]] || refuse 'unexpected arguments'
    password=$(cat)
    [[ -n $password ]] || refuse 'no password'
    printf '{"auths": {"%s": {"auth": "%s"}}}' "$7" "$(printf 'AWS:%s' "$password" | base64 -w 0)" >"$3"
    ;;
  copy)
    [[ $# == 9 && "$2 $3 $4 $5 $6" == '--all --preserve-digests --retry-times 3 --authfile' ]] || refuse 'unexpected arguments'
    [[ $9 =~ ^docker://([^/]+)/([^:]+):([^:]+)$ ]] || refuse 'unexpected arguments'
    host=${BASH_REMATCH[1]} repository=${BASH_REMATCH[2]} tag=${BASH_REMATCH[3]}
    jq -e --arg host "$host" '.auths[$host].auth' "$7" >/dev/null || refuse 'authentication required'
    room=$(mktemp -d "$STATE/XXXXXX")
    trap 'rm -rf "$room"' EXIT
    case $8 in
      oci-archive:*)
        tar -xf "${8#oci-archive:}" -C "$room" || refuse 'no archive'
        digest=$(jq -r '.manifests[0].digest' "$room/index.json")
        type=$(jq -r '.manifests[0].mediaType' "$room/index.json")
        manifest=$room/blobs/sha256/${digest#sha256:}
        ;;
      "docker://$host/$repository@sha256:"*)
        manifest=$room/manifest
        aws ecr batch-get-image --repository-name "$repository" --image-ids "imageDigest=${8#*@}" --output json >"$room/found" || refuse 'the registry refused'
        jq -j '.images[0].imageManifest' "$room/found" >"$manifest"
        type=$(jq -r '.images[0].imageManifestMediaType' "$room/found")
        ;;
      *) refuse 'unexpected arguments' ;;
    esac
    aws ecr put-image --repository-name "$repository" --image-tag "$tag" --image-manifest "file://$manifest" \
      --image-manifest-media-type "$type" >/dev/null || refuse 'the registry refused'
    ;;
  *) refuse 'unexpected arguments' ;;
esac
