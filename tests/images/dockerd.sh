# Starts dockerd ($0) in namespaces of its own, so that it ends whole: it says `ready` and where its socket is, or `failed`
# and why; then it waits for the end of its standard input.
set -uo pipefail
trap : INT TERM HUP
directory=$(mktemp -d)
echo '{}' >"$directory/settings.json"
unshare --mount --net --pid --fork --kill-child --mount-proc "$0" --config-file "$directory/settings.json" \
  --data-root "$directory/data" --exec-root "$directory/exec" --pidfile "$directory/pid" --host "unix://$directory/socket" \
  --bridge none --iptables=false --ip6tables=false --ip-masq=false --storage-driver vfs \
  </dev/null >"$directory/log" 2>&1 &
daemon=$!
for ((tries = 0; tries < 300; tries++)); do
  [[ ! -S $directory/socket ]] && kill -0 "$daemon" 2>/dev/null || break
  sleep 0.1
done
if [[ -S $directory/socket ]]; then
  printf 'ready\n%s\n' "$directory"
  cat >/dev/null
else
  printf 'failed\n%s\n' "$(tail -n 1 "$directory/log" | cut -c 1-300)"
fi
kill -TERM $(<"/proc/$daemon/task/$daemon/children") 2>/dev/null
for ((tries = 0; tries < 100; tries++)); do
  kill -0 "$daemon" 2>/dev/null || break
  sleep 0.1
done
kill -KILL "$daemon" 2>/dev/null
wait "$daemon" 2>/dev/null
rm -rf "$directory"
