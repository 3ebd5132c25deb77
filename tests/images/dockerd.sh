# shellcheck shell=bash
# Starts dockerd ($0), from the first process of namespaces that end with it, and so does all that it has started. It says
# where the socket is, or on standard error why there is none; then it waits for the end of its standard input.
set -uo pipefail
trap : INT TERM HUP
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
echo '{"shutdown-timeout": 1}' >"$directory/settings.json"
"$0" --config-file "$directory/settings.json" --data-root "$directory/data" --exec-root "$directory/exec" \
  --pidfile "$directory/pid" --host "unix://$directory/socket" --bridge none --iptables=false --ip6tables=false \
  --ip-masq=false --storage-driver vfs </dev/null >"$directory/log" 2>&1 &
daemon=$!
for ((tries = 0; tries < 300; tries++)); do
  if [[ -S $directory/socket ]] || ! kill -0 "$daemon" 2>/dev/null; then break; fi
  sleep 0.1
done
if [[ ! -S $directory/socket ]]; then
  tail -n 1 "$directory/log" | cut -c 1-300 >&2
  exit 1
fi
printf '%s\n' "$directory"
cat >/dev/null
kill -TERM "$daemon"
wait "$daemon"
