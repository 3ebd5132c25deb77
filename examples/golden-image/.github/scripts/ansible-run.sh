#!/usr/bin/env bash
# Configures the machines of an inventory: waits for them and shows what would change, changes it, or looks whether
# they have the software that they should have.
#
# Environment
#   MODE               preview | run | verify
#   ANSIBLE_DIRECTORY  where playbooks lie
#   PLAYBOOK           the playbook, relative to it; not for verify
#   EXPECT             for verify, JSON: names of software (default: [])
#   INVENTORY_DIR      where ansible-inventory.sh left hosts.yml and known_hosts
#   SSH_KEY            the private key that opens the machines; it is in the memory of an agent only
#   PUBLISH            full | summary: whether the preview shows what is in files
#   ENVIRONMENT        slug of the environment
#   ROLLBACK           the command that goes back to the image before, for whom it may concern (default: none)
#   LOG_DIR            where MODE.log is left; it is created
#   WAIT_TIMEOUT       seconds to wait for the machines, for preview (default: 300)
#   RUNNER_TEMP        private working files (default: /tmp)
# Exit codes
#   0 done, or everything is there · 1 Ansible failed, or a machine does not answer · 2 usage · 3 the key cannot be
#   used · 4 there is no machine in the inventory · 5 software is missing
#
# Host keys are always checked, whatever ansible.cfg says. Credentials of AWS, which the steps before needed, are kept
# from playbooks. What Ansible marks `no_log` it shows nowhere; the lines of the key are *** wherever they would stand.
set -uo pipefail

MODE=${MODE:-}
ANSIBLE_DIRECTORY=${ANSIBLE_DIRECTORY:-}
PLAYBOOK=${PLAYBOOK:-}
EXPECT=${EXPECT:-[]}
INVENTORY_DIR=${INVENTORY_DIR:-}
SSH_KEY=${SSH_KEY:-}
PUBLISH=${PUBLISH:-}
ENVIRONMENT=${ENVIRONMENT:-}
ROLLBACK=${ROLLBACK:-}
LOG_DIR=${LOG_DIR:-}
WAIT_TIMEOUT=${WAIT_TIMEOUT:-300}
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

[[ $MODE == preview || $MODE == run || $MODE == verify ]] || usage 'MODE must be preview, run or verify'
[[ -n $ANSIBLE_DIRECTORY && -d $ANSIBLE_DIRECTORY && $ANSIBLE_DIRECTORY != -* ]] || usage 'ANSIBLE_DIRECTORY must be a directory'
[[ $MODE == verify || (-n $PLAYBOOK && $PLAYBOOK != -* && -f $ANSIBLE_DIRECTORY/$PLAYBOOK) ]] || usage 'PLAYBOOK must be a file in ANSIBLE_DIRECTORY'
expected=$(printf '%s' "$EXPECT" | jq -r -s '
  if length == 1 and (.[0] | type == "array" and all(.[]; type == "string" and test("\\A[a-z0-9][a-z0-9._+-]*\\z")))
  then .[0] | unique | join(" ") else error("usage") end' 2>/dev/null) || usage 'EXPECT must be a JSON array of names'
[[ -n $INVENTORY_DIR && -f $INVENTORY_DIR/hosts.yml && -f $INVENTORY_DIR/known_hosts ]] || usage 'INVENTORY_DIR must hold hosts.yml and known_hosts'
[[ $PUBLISH == full || $PUBLISH == summary ]] || usage 'PUBLISH must be full or summary'
[[ $ENVIRONMENT =~ ^[a-z][a-z0-9-]{0,99}$ ]] || usage 'ENVIRONMENT must be a slug'
[[ $WAIT_TIMEOUT =~ ^[0-9]{1,4}$ ]] || usage 'WAIT_TIMEOUT must be a number of seconds'
[[ -n $LOG_DIR ]] || usage 'LOG_DIR is not set'
[[ $LOG_DIR != -* ]] || LOG_DIR=./$LOG_DIR
for tool in ansible ansible-inventory ansible-playbook ssh-add ssh-agent; do
  command -v "$tool" >/dev/null || usage "$tool is not installed"
done
mkdir -p -- "$LOG_DIR" || usage 'LOG_DIR cannot be created'
LOG_DIR=$(cd -- "$LOG_DIR" && pwd -P)
INVENTORY_DIR=$(cd -- "$INVENTORY_DIR" && pwd -P)
umask 077
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/ansible-run.XXXXXXXX") || usage 'RUNNER_TEMP is not writable'
# The path of a socket is short; ssh takes a path with a space for two.
sockets=$(mktemp -d /tmp/ansible.XXXXXX) || usage '/tmp is not writable'
agent=
finish() {
  [[ -z $agent ]] || kill "$agent" 2>/dev/null
  rm -rf -- "$work" "$sockets"
}
trap finish EXIT

# failed CODE WHAT: red, with the way back.
failed() {
  annotate error "$2"
  {
    printf '### ❌ %s is not configured\n\n%s\n\n' "\`$ENVIRONMENT\`" "${2//[<>|@\`]/}"
    [[ -z $ROLLBACK ]] || printf 'Back to the image before:\n\n%ssh\n%s\n%s\n\n' '```' "$ROLLBACK" '```'
  } >>"$summary"
  [[ -z $ROLLBACK ]] || printf 'to go back to the image before: %s\n' "$ROLLBACK"
  exit "$1"
}

if [[ -z $SSH_KEY ]]; then
  failed 3 "the secret that opens the machines is empty here: set it in the GitHub environment $ENVIRONMENT"
fi
printf '%s\n' "$SSH_KEY" | tr -d '\r' | sed -E 's/^[[:space:]]+|[[:space:]]+$//g' | awk 'length($0) >= 8 && !/^-----/' |
  sed -E 's/[][\\.{}()*+?^$|/]/\\&/g; s/.*/s\/&\/***\/g/' >"$work/mask.sed"
eval "$(ssh-agent -a "$sockets/agent" -s)" >/dev/null || failed 3 'ssh-agent cannot be started on this runner'
agent=$SSH_AGENT_PID
# Of its answer nothing is shown: it could quote the key.
printf '%s\n' "$SSH_KEY" | tr -d '\r' | SSH_ASKPASS=/bin/false SSH_ASKPASS_REQUIRE=force ssh-add -q - >/dev/null 2>&1 ||
  failed 3 'the secret that opens the machines is no private key that can be used: it has to be the whole file, and without a passphrase'
unset SSH_KEY AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN ACTIONS_ID_TOKEN_REQUEST_TOKEN ACTIONS_ID_TOKEN_REQUEST_URL GITHUB_TOKEN GH_TOKEN

export ANSIBLE_HOST_KEY_CHECKING=True ANSIBLE_SSH_HOST_KEY_CHECKING=True ANSIBLE_NOCOLOR=1 ANSIBLE_FORCE_COLOR=0 ANSIBLE_RETRY_FILES_ENABLED=False
export ANSIBLE_DISPLAY_ARGS_TO_STDOUT=False ANSIBLE_LOCAL_TEMP=$work/local
install -m 600 -- "$INVENTORY_DIR/known_hosts" "$sockets/known_hosts" || usage 'INVENTORY_DIR cannot be read'
# The first value that ssh is given counts.
export ANSIBLE_SSH_ARGS="-o StrictHostKeyChecking=yes -o UserKnownHostsFile=$sockets/known_hosts -o GlobalKnownHostsFile=/dev/null -o IdentitiesOnly=no -o ControlMaster=auto -o ControlPersist=60s"
export ANSIBLE_SSH_CONTROL_PATH_DIR=$sockets
# Playbooks stop at what the runner is asked to stop at.
child=
trap '[[ -z $child ]] || kill -INT "$child" 2>/dev/null' INT TERM

token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
# shown COMMAND: in the log and the file that is kept, without the key; not as workflow commands.
shown() {
  local rc=0
  printf '::stop-commands::%s\n' "$token"
  (cd -- "$ANSIBLE_DIRECTORY" && exec "$@") > >(LC_ALL=C sed -u -E -f "$work/mask.sed" | tee -a "$LOG_DIR/$MODE.log") 2>&1 </dev/null &
  child=$!
  wait "$child" || rc=$?
  while kill -0 "$child" 2>/dev/null; do
    rc=0
    wait "$child" || rc=$?
  done
  child=
  # What is still on its way to the log.
  sleep 0.2
  printf '\n::%s::\n' "$token"
  return "$rc"
}
: >"$LOG_DIR/$MODE.log"
chmod 644 "$LOG_DIR/$MODE.log"
hosts=$(cd -- "$ANSIBLE_DIRECTORY" && ansible-inventory -i "$INVENTORY_DIR/hosts.yml" --list 2>/dev/null </dev/null |
  jq -r '[.. | .hosts? // empty | arrays[]] | unique[] | select(test("\\A[A-Za-z0-9][A-Za-z0-9._:-]{0,252}\\z"))') || hosts=
[[ -n $hosts ]] || failed 4 "there is no machine in the inventory of $ENVIRONMENT"
machines=$(wc -l <<<"$hosts")

case $MODE in
  preview)
    shown ansible all -i "$INVENTORY_DIR/hosts.yml" -m ansible.builtin.wait_for_connection -a "timeout=$WAIT_TIMEOUT" ||
      failed 1 "a machine of $ENVIRONMENT did not answer within $WAIT_TIMEOUT seconds, or not with its host key: Ansible says above which, and why"
    show_difference=(--diff)
    # Everybody can read this repository's logs: what is in files is not shown.
    [[ $PUBLISH == full ]] || show_difference=()
    shown ansible-playbook -i "$INVENTORY_DIR/hosts.yml" --check "${show_difference[@]}" "$PLAYBOOK" ||
      failed 1 "the preview of $PLAYBOOK failed in $ENVIRONMENT, and nothing was changed: Ansible says above where; a task that cannot be tried needs check_mode: false, or a condition on ansible_check_mode"
    ;;
  run)
    shown ansible-playbook -i "$INVENTORY_DIR/hosts.yml" "$PLAYBOOK" ||
      failed 1 "$PLAYBOOK failed in $ENVIRONMENT: Ansible says above where; what it had done before stays done"
    ;;
  verify)
    # shellcheck disable=SC2016 # the machine's shell expands these
    looks='for tool in '"$expected"'; do
  found=$(bash -lc "command -v -- $tool" 2>/dev/null | tail -n 1)
  if [ -z "$found" ] && [ "$tool" = nvm ]; then
    for script in "${NVM_DIR:-$HOME/.nvm}/nvm.sh" /usr/local/nvm/nvm.sh /opt/nvm/nvm.sh; do
      if [ -s "$script" ]; then found=$script; break; fi
    done
  fi
  if [ -z "$found" ]; then
    for directory in "$HOME/.local/bin" "$HOME/.cargo/bin" /usr/local/bin /opt/bin; do
      if [ -x "$directory/$tool" ]; then found=$directory/$tool; break; fi
    done
  fi
  printf "%s=%s\n" "$tool" "${found:-missing}"
done'
    mkdir "$work/found"
    # A playbook in JSON, which is YAML: no text of it is quoted twice.
    jq -n --arg looks "$looks" --arg found "$work/found" '
      def ask: "{" + "{ " + . + " }" + "}";
      [{hosts: "all", gather_facts: true, gather_subset: ["!all", "min", "distribution"], tasks: [
        {name: "Look for the software", "ansible.builtin.shell": $looks, register: "looked", changed_when: false},
        {name: "Keep what was found", changed_when: false, delegate_to: "localhost", connection: "local", become: false,
          vars: {ansible_python_interpreter: ("ansible_playbook_python" | ask),
            says: {system: ("ansible_facts.distribution | default(\"\") ~ \" \" ~ ansible_facts.distribution_version | default(\"\")" | ask),
              found: ("looked.stdout" | ask)}},
          "ansible.builtin.copy": {content: ("says | to_json" | ask), dest: ($found + "/" + ("inventory_hostname" | ask)), mode: "0600"}}]}]' \
      >"$work/verify.yml" || usage 'the playbook cannot be written'
    shown ansible-playbook -i "$INVENTORY_DIR/hosts.yml" "$work/verify.yml" ||
      failed 1 "a machine of $ENVIRONMENT could not be asked for its software: Ansible says above which"
    ;;
esac

if [[ $MODE == verify ]]; then
  missing=
  {
    printf '### Software in %s\n\n| Machine | System | Software | |\n|---|---|---|---|\n' "\`$ENVIRONMENT\`"
    while IFS= read -r host; do
      system=$(jq -r '.system | gsub("[^A-Za-z0-9. -]"; "")' "$work/found/$host" 2>/dev/null) || system='?'
      found=$(jq -r '.found' "$work/found/$host" 2>/dev/null) || found=
      for tool in $expected; do
        place=$(awk -F = -v tool="$tool" '$1 == tool { print $2 }' <<<"$found" | LC_ALL=C tr -cd 'A-Za-z0-9._/ +\n-' | head -n 1)
        if [[ -z $place || $place == missing ]]; then
          missing+="$tool $host"$'\n'
          printf '| %s | %s | %s | ❌ missing |\n' "\`$host\`" "${system:-?}" "\`$tool\`"
        else
          printf '| %s | %s | %s | ✅ %s |\n' "\`$host\`" "${system:-?}" "\`$tool\`" "\`$place\`"
        fi
      done
      [[ -n $expected ]] || printf '| %s | %s | – | |\n' "\`$host\`" "${system:-?}"
    done <<<"$hosts"
    printf '\n'
  } >>"$summary"
  if [[ -n $missing ]]; then
    while read -r tool host; do
      [[ -z $tool ]] || annotate error "$tool is missing on $host: the image or the playbook should bring it"
    done <<<"$missing"
    failed 5 "software is missing in $ENVIRONMENT, as listed above"
  fi
  printf '%s machines of %s have what they should have\n' "$machines" "$ENVIRONMENT"
  exit 0
fi

recap=$(sed -n '/^PLAY RECAP/,$p' "$LOG_DIR/$MODE.log" | sed 1d | grep -E '^[A-Za-z0-9._:-]+ +: +ok=' | head -n 200) || recap=
{
  if [[ $MODE == preview ]]; then printf '### What %s would change in %s\n\n' "\`$PLAYBOOK\`" "\`$ENVIRONMENT\`"; else printf '### What %s changed in %s\n\n' "\`$PLAYBOOK\`" "\`$ENVIRONMENT\`"; fi
  printf '| Machine | Ok | Changed | Unreachable | Failed | Skipped |\n|---|--:|--:|--:|--:|--:|\n'
  # shellcheck disable=SC2016 # Markdown, not a substitution
  sed -n -E 's/^([A-Za-z0-9._:-]+) +: +ok=([0-9]+) +changed=([0-9]+) +unreachable=([0-9]+) +failed=([0-9]+) +skipped=([0-9]+).*/| `\1` | \2 | \3 | \4 | \5 | \6 |/p' <<<"$recap"
  printf '\n'
} >>"$summary"
# No play of it was for any machine: nothing was configured, and nothing says so.
[[ -n $recap ]] || failed 4 "no play of $PLAYBOOK is for a machine of the inventory of $ENVIRONMENT"
printf '%s of %s: %s machines\n' "$MODE" "$PLAYBOOK" "$machines"
