#!/usr/bin/env bash
# Checks a built image: its size, its user, and that it becomes healthy.
#
# Environment
#   IMAGE             reference of the image, in the local store
#   REQUIRE_NON_ROOT  true | false
#   MAX_SIZE_BYTES    limit in bytes (default: none)
#   HEALTH_TIMEOUT    seconds to become healthy (default: 120)
#   STARTED_AT        when the build began, in seconds since the epoch (default: not shown)
# Exit codes
#   0 passed · 1 a check failed · 2 usage, or docker failed
#
# An image without a HEALTHCHECK is not run. The container is always removed.
set -uo pipefail

IMAGE=${IMAGE:-}
REQUIRE_NON_ROOT=${REQUIRE_NON_ROOT:-}
MAX_SIZE_BYTES=${MAX_SIZE_BYTES:-}
HEALTH_TIMEOUT=${HEALTH_TIMEOUT:-120}
STARTED_AT=${STARTED_AT:-}
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

[[ $IMAGE =~ ^[A-Za-z0-9][A-Za-z0-9._/:-]*(@sha256:[0-9a-f]{64})?$ ]] || usage 'IMAGE must be an image reference'
[[ $REQUIRE_NON_ROOT == true || $REQUIRE_NON_ROOT == false ]] || usage 'REQUIRE_NON_ROOT must be true or false'
[[ -z $MAX_SIZE_BYTES || $MAX_SIZE_BYTES =~ ^[1-9][0-9]{0,14}$ ]] || usage 'MAX_SIZE_BYTES must be a number of bytes'
[[ $HEALTH_TIMEOUT =~ ^[1-9][0-9]{0,3}$ ]] || usage 'HEALTH_TIMEOUT must be a number of seconds'
[[ -z $STARTED_AT || $STARTED_AT =~ ^[1-9][0-9]{0,11}$ ]] || usage 'STARTED_AT must be in seconds since the epoch'

inspected=$(docker image inspect "$IMAGE") || usage "docker cannot inspect $IMAGE"
facts=$(printf '%s' "$inspected" | jq -r '.[0]
  | .Size, (.Config.User // "" | gsub("[^A-Za-z0-9_.:$-]"; "?")),
    (if (.Config.Healthcheck.Test // []) | length > 0 and .[0] != "NONE" then "yes" else "no" end)' 2>/dev/null) ||
  usage "docker says nothing readable about $IMAGE"
mapfile -t facts <<<"$facts"
size=${facts[0]}
user=${facts[1]:-}
checked=${facts[2]:-}
[[ $size =~ ^[0-9]+$ ]] || usage "docker does not say how large $IMAGE is"

mebibytes() { printf '%d.%d MiB' "$(($1 / 1048576))" "$(($1 % 1048576 * 10 / 1048576))"; }

failures=0
fail() {
  failures=$((failures + 1))
  annotate error "$1"
}

size_note=$(mebibytes "$size")
if [[ -n $MAX_SIZE_BYTES ]]; then
  size_note+=" of at most $(mebibytes "$MAX_SIZE_BYTES")"
  if ((size > MAX_SIZE_BYTES)); then
    fail "the image has $size bytes, $((size - MAX_SIZE_BYTES)) more than the limit of $MAX_SIZE_BYTES"
    size_note="**$size_note**"
  fi
fi

# Only the user decides; a group does not make root somebody else.
user_note="\`${user:-root}\`"
if [[ -z ${user%%:*} || ${user%%:*} == root || ${user%%:*} =~ ^0+$ ]]; then
  user_note+=' (root)'
  if [[ $REQUIRE_NON_ROOT == true ]]; then
    fail 'the image runs as root: add a USER to the Dockerfile'
    user_note="**$user_note**"
  fi
fi

# Shows text that must not be taken for workflow commands.
show() {
  local token
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$token"
  tail -c 65536
  printf '\n::%s::\n' "$token"
}

container=image-check-$$-$RANDOM
health_note='no HEALTHCHECK, not run'
if [[ $checked == no ]]; then
  annotate notice 'the image has no HEALTHCHECK: it was not run'
else
  trap 'docker container rm --force --volumes "$container" >/dev/null 2>&1' EXIT
  trap 'exit 130' INT TERM
  rc=0
  docker run --detach --name "$container" "$IMAGE" >/dev/null || rc=$?
  # 126 and 127 are the image's fault: its command cannot be run.
  ((rc == 0 || rc == 126 || rc == 127)) || usage "docker cannot run $IMAGE"
  health=
  began=$SECONDS
  if ((rc)); then
    health='does not start'
  fi
  while [[ -z $health ]]; do
    state=$(docker container inspect "$container" | jq -r '.[0].State | "\(.Status) \(.Health.Status // "none")"') ||
      usage 'docker lost the container'
    case $state in
      # First, for Docker calls what has ended unhealthy, too.
      exited* | dead*) health='exited by itself' ;;
      *' healthy') health=healthy ;;
      *' unhealthy') health=unhealthy ;;
      *)
        if ((SECONDS - began >= HEALTH_TIMEOUT)); then
          health="not healthy after $HEALTH_TIMEOUT s"
        else
          sleep 1
        fi
        ;;
    esac
  done
  if [[ $health == healthy ]]; then
    health_note="healthy after $((SECONDS - began)) s"
  else
    printf 'the last lines of the container:\n'
    docker container logs --tail 100 "$container" 2>&1 | show
    fail "the container is not well: $health"
    health_note="**$health**"
  fi
fi

{
  if ((failures)); then
    printf '### ❌ Image: %s check(s) failed\n\n' "$failures"
  else
    printf '### ✅ Image\n\n'
  fi
  printf '| | |\n|---|---|\n| Image | %s |\n' "\`$IMAGE\`"
  [[ -z $STARTED_AT ]] || printf '| Duration | %s s |\n' "$(($(date +%s) - STARTED_AT))"
  printf '| Size | %s |\n| User | %s |\n| Health | %s |\n\n' "$size_note" "$user_note" "$health_note"
} >>"$summary"

((failures == 0)) || exit 1
printf 'the image passed: %s, user %s, %s\n' "$size_note" "${user:-root}" "$health_note"
