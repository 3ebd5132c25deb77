#!/usr/bin/env bash
# Decides which planned stacks go on to be applied, before anybody is asked to agree.
#
# Environment
#   ENVIRONMENT     slug of the environment
#   ACTION          plan | apply | promote | destroy
#   STACKS          JSON: the matrix entries that were planned
#   PLANS           JSON: stack → what its plan is, as JSON text: {"class", "counts", …}
#   LAYERS          JSON: for a destroy, names of stacks by layer, from 1 (default: [])
#   GATED           true | false: whether somebody has to agree before it is applied
#   REQUIRE_PARITY  true | false: whether each plan has to do the same to the same addresses as the one that the pull
#                   request showed (default: false)
#   SHOWN           JSON: with REQUIRE_PARITY, stack → fingerprint of the plan that the pull request showed
#   EVENT_NAME      what started the run; only a push is compared with its pull request, and with the newest commit
#   GH_TOKEN        for an apply on a push: a token that may read the repository
#   GITHUB_REPOSITORY, GITHUB_REF_NAME, GITHUB_SHA  the repository, its branch, and the commit of the run
#   NOTE            a line for the summary (default: none)
# Outputs
#   apply           JSON array: the matrix entries that have something to do, each with its "plan"
#   stacks          their names, for people
#   layer-N         for every layer of LAYERS, those of `apply` that are in it
# Exit codes
#   0 decided · 1 nobody would be asked, and a plan is not the one that the pull request showed; the clock found a
#   difference; or GitHub does not say which commit is the newest · 2 usage, or a plan is missing
#
# A run of a push whose commit is no longer the newest applies nothing more: an older configuration would undo what the
# newer run has applied.
set -uo pipefail

export ENVIRONMENT=${ENVIRONMENT:-} ACTION=${ACTION:-} STACKS=${STACKS:-} PLANS=${PLANS:-} LAYERS=${LAYERS:-[]}
export GATED=${GATED:-} REQUIRE_PARITY=${REQUIRE_PARITY:-false} SHOWN=${SHOWN:-} EVENT_NAME=${EVENT_NAME:-} NOTE=${NOTE:-}
[[ -n $SHOWN ]] || SHOWN='{}'
output=${GITHUB_OUTPUT:-/dev/null}
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

[[ $ENVIRONMENT =~ ^[a-z][a-z0-9-]*$ ]] || usage 'ENVIRONMENT must be a slug'
[[ $ACTION =~ ^(plan|apply|promote|destroy)$ ]] || usage 'ACTION must be plan, apply, promote or destroy'
[[ $GATED =~ ^(true|false)$ ]] || usage 'GATED must be true or false'
[[ $REQUIRE_PARITY =~ ^(true|false)$ ]] || usage 'REQUIRE_PARITY must be true or false'

export NEWEST=true
if [[ $EVENT_NAME == push && $ACTION == apply ]]; then
  [[ -n ${GH_TOKEN:-} ]] || usage 'GH_TOKEN is not set'
  [[ ${GITHUB_SHA:-} =~ ^[0-9a-f]{40}$ ]] || usage 'GITHUB_SHA must be a commit'
  newest=$(gh api "repos/${GITHUB_REPOSITORY:-}/git/ref/heads/${GITHUB_REF_NAME:-}" --jq .object.sha) || newest=
  if [[ ! $newest =~ ^[0-9a-f]{40}$ ]]; then
    annotate error 'GitHub does not say which commit of the branch is the newest: nothing is applied'
    exit 1
  fi
  [[ $newest == "$GITHUB_SHA" ]] || NEWEST=false
fi

# {"missing": [stack]} or {"planned": [entry with its plan], "apply": [those of them], "unlike": [{stack, why}], "layers"}
decision=$(jq -c -n '
  def text: type == "string" and . != "";
  ($ENV.STACKS | fromjson) as $stacks | ($ENV.PLANS | fromjson) as $plans
  | ($ENV.LAYERS | fromjson) as $layers | ($ENV.SHOWN | fromjson) as $shown
  | if ($stacks | type == "array" and all(.[]; type == "object" and (.stack | text)))
      and ($plans | type == "object" and all(.[]; type == "string"))
      and ($layers | type == "array" and all(.[]; type == "array" and all(.[]; text)))
      and ($shown | type == "object" and all(.[]; type == "string"))
    then . else error("usage") end
  | [$stacks[] | select($plans[.stack] == null) | .stack] as $missing
  | if $missing != [] then {$missing} else
      [$stacks[] | . + {plan: ($plans[.stack] | fromjson
        | if type == "object" and (.class | IN("none", "outputs-only", "changes", "destructive")) then . else error("usage") end)}] as $planned
      | [$planned[] | select(.plan.class != "none")] as $changing
      | {
          $planned,
          apply: (if $ENV.ACTION == "plan" or $ENV.NEWEST == "false" then [] else $changing end),
          unlike: [$changing[] | select($ENV.REQUIRE_PARITY == "true" and $ENV.EVENT_NAME == "push" and $ENV.ACTION == "apply")
            | select(.plan.fingerprint == null or $shown[.stack] != .plan.fingerprint)
            | {stack, why: (if $shown[.stack] == null then "no pull request showed a plan of it" else "the pull request showed other actions" end)}],
          $layers
        } end' 2>/dev/null) || usage 'STACKS, PLANS, LAYERS and SHOWN must be JSON as the header says'

if [[ $decision == '{"missing":'* ]]; then
  annotate error "there is no plan of $(jq -r '.missing | join(", ")' <<<"$decision"): nothing is applied"
  exit 2
fi

verb=
[[ $ACTION != plan ]] || verb='would change'
jq -r --arg verb "${verb:-goes on}" '
  {none: "✅ no changes", "outputs-only": "✅ only outputs change", changes: "🔧 changes", destructive: "⚠️ something is destroyed"} as $says
  | (.apply | map(.stack)) as $going | (.unlike | map({key: .stack, value: .why}) | from_entries) as $unlike
  | "### `\($ENV.ACTION)` in `\($ENV.ENVIRONMENT)`", "",
    "| Stack | Plan | Create | Update | Replace | Delete | |", "|:--|:--|--:|--:|--:|--:|:--|",
    (.planned[] | .stack as $stack | (.plan.counts // {}) as $counts
      | "| `\($stack)` | \($says[.plan.class]) | \($counts.create // 0) | \($counts.update // 0) | \($counts.replace // 0) | \($counts.delete // 0) | \(
          if $unlike[$stack] then $unlike[$stack] elif .plan.class == "none" then "" elif $going | index([$stack]) or $ENV.ACTION == "plan" then $verb else "" end) |"),
    "",
    (if $ENV.NOTE == "" then empty else $ENV.NOTE, "" end)' <<<"$decision" >>"$summary"

names=$(jq -r '.apply | map(.stack) | join(", ")' <<<"$decision")
printf '%s in %s: %s\n' "$ACTION" "$ENVIRONMENT" "${names:-nothing goes on}"
if [[ $NEWEST == false ]]; then
  annotate notice "nothing is applied: $GITHUB_REF_NAME has a newer commit, which has a run of its own"
fi
if [[ $ACTION == plan && $EVENT_NAME == schedule ]]; then
  waiting=$(jq -r '[.planned[] | select(.plan.class | IN("changes", "destructive")) | .stack] | join(", ")' <<<"$decision")
  if [[ -n $waiting ]]; then
    annotate error "$ENVIRONMENT is not what the configuration says: $waiting would change"
    exit 1
  fi
fi
if [[ $NEWEST == true ]] && jq -e '.unlike != []' <<<"$decision" >/dev/null; then
  unlike=$(jq -r '.unlike | map("\(.stack) (\(.why))") | join(", ")' <<<"$decision")
  if [[ $GATED == false ]]; then
    annotate error "not applied, because nobody has seen these plans: $unlike. Look at them, then start this workflow by hand: apply in $ENVIRONMENT"
    exit 1
  fi
  annotate warning "whoever agrees, agrees to plans that no pull request showed: $unlike"
fi

{
  jq -r '"apply=\(.apply | tojson)", "stacks=\(.apply | map(.stack) | join(", ") | if . == "" then "no stack" else . end)"' <<<"$decision"
  jq -r '.apply as $apply | .layers | to_entries[] | .value as $names
    | "layer-\(.key + 1)=\([$apply[] | select(.stack as $stack | $names | index([$stack]))] | tojson)"' <<<"$decision"
} >>"$output"
