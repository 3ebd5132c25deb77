# What a plan would do, without a single value of it: actions, addresses and names only.
#
# Input   terraform show -json PLAN
# Output  {"class", "errored", "complete", "counts", "destructive", "changed", "drift", "outputs"}
#   class        none | outputs-only | changes | destructive
#   counts       create, update, replace, delete, import, move, forget, read, drift
#   destructive  [{"address", "action"}]: deletions and replacements; with "previous", the address
#                before a move
#   changed      [{"address", "action"}]: everything else that is not a no-op
#   drift        [{"address", "action"}]: what changed outside of Terraform
#   outputs      [{"name", "action"}]
# Anything that is not a plan is an error.

def moved: .previous_address != null and .previous_address != .address;

# One word for a list of actions. An action that is not known counts as an update, not as nothing.
def action:
  .change.actions as $actions
  | if $actions == ["no-op"] then
      if .change.importing != null then "import"
      elif moved then "move"
      else "no-op" end
    elif ($actions | index("create")) and ($actions | length) > 1 then "replace"
    elif $actions | length == 1 and IN(.[]; "create", "update", "delete", "forget", "read") then $actions[0]
    else "update" end;

def listed: map({address, action: action} + if moved then {previous: .previous_address} else {} end)
  | sort_by(.address, .action);

if type != "object" or (.format_version | type != "string") or (has("resource_changes") or has("planned_values") | not)
then error("this is not a plan in JSON") else . end
| ((.resource_changes // []) | map(select(action != "no-op"))) as $changes
| ((.resource_drift // []) | map(select(.change.actions != ["no-op"]))) as $drift
| ((.output_changes // {}) | to_entries
    | map({name: .key, action: (.value.actions | if . == ["no-op"] then "no-op" elif length == 1 then .[0] else "update" end)})
    | map(select(.action != "no-op")) | sort_by(.name)) as $outputs
| def count($name): [$changes[] | select(action == $name)] | length;
  ($changes | map(select(action | IN("delete", "replace"))) | listed) as $destructive
| {
    class: (
      if $destructive != [] then "destructive"
      elif $changes != [] then "changes"
      elif $outputs != [] then "outputs-only"
      else "none" end),
    errored: (.errored == true),
    # Older versions know no incomplete plans and do not say so.
    complete: (.complete != false),
    counts: {
      create: count("create"),
      update: count("update"),
      replace: count("replace"),
      delete: count("delete"),
      import: ([$changes[] | select(.change.importing != null)] | length),
      move: ([$changes[] | select(moved)] | length),
      forget: count("forget"),
      read: count("read"),
      drift: ($drift | length)
    },
    $destructive,
    changed: ($changes | map(select(action | IN("delete", "replace") | not)) | listed),
    drift: ($drift | listed),
    $outputs
  }
