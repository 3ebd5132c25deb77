# skopeo, with a directory for a registry that knows a user and a password: it takes the one image that an OCI archive's
# index names, or one that is there by its digest. Whoever is not logged in sees nothing, and every argument that is not
# expected is refused. REGISTRY_STATE is the directory, REGISTRY_USER who is let in, as USER:PASSWORD.
set -uo pipefail

refuse() {
  printf 'FATA[0000] %s\n' "$1" >&2
  exit 1
}

printf '%s\n' "$*" >>"$REGISTRY_STATE/skopeo"
# is_in AUTHFILE HOST
is_in() { jq -e --arg host "$2" --arg auth "$(printf '%s' "$REGISTRY_USER" | base64 -w 0)" '.auths[$host].auth == $auth' "$1" >/dev/null || refuse 'unauthorized: authentication required'; }
case ${1-} in
  login)
    [[ $# == 7 && "$2 $4 $6" == '--authfile --username --password-stdin' ]] || refuse 'unexpected arguments'
    auth=$5:$(cat)
    [[ $auth == "$REGISTRY_USER" ]] || refuse 'unauthorized: incorrect username or password'
    printf '{"auths": {"%s": {"auth": "%s"}}}' "$7" "$(printf '%s' "$auth" | base64 -w 0)" >"$3"
    ;;
  inspect)
    [[ $# == 5 && "$2 $3" == '--raw --authfile' && $5 =~ ^docker://([^/]+)/([^:]+):([^:]+)$ ]] || refuse 'unexpected arguments'
    is_in "$4" "${BASH_REMATCH[1]}"
    cat "$REGISTRY_STATE/tags/${BASH_REMATCH[2]}/${BASH_REMATCH[3]}" 2>/dev/null || refuse "reading manifest ${BASH_REMATCH[3]}: manifest unknown"
    ;;
  copy)
    [[ $2 != --quiet ]] || exit 0
    [[ $# == 9 && "$2 $3 $4 $5 $6" == '--all --preserve-digests --retry-times 3 --authfile' ]] || refuse 'unexpected arguments'
    [[ $9 =~ ^docker://([^/]+)/([^:]+):([^:]+)$ ]] || refuse 'unexpected arguments'
    tag=$REGISTRY_STATE/tags/${BASH_REMATCH[2]}/${BASH_REMATCH[3]} repository=${BASH_REMATCH[1]}/${BASH_REMATCH[2]}
    is_in "$7" "${BASH_REMATCH[1]}"
    mkdir -p "${tag%/*}" "$REGISTRY_STATE/manifests"
    case $8 in
      oci-archive:*)
        digest=$(tar -xOf "${8#oci-archive:}" index.json | jq -r '.manifests[0].digest')
        tar -xOf "${8#oci-archive:}" "blobs/sha256/${digest#sha256:}" >"$REGISTRY_STATE/manifests/$digest"
        ;;
      "docker://$repository@sha256:"*) digest=${8#*@} ;;
      *) refuse 'unexpected arguments' ;;
    esac
    cp "$REGISTRY_STATE/manifests/$digest" "$tag" 2>/dev/null || refuse 'manifest unknown'
    ;;
  *) refuse 'unexpected arguments' ;;
esac
