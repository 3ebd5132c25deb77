//! `expr-typed`.

use crate::check::scope::Scope;
use crate::check::{Check, Group, Rule};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Segment, Severity};
use crate::expression::Function;
use crate::expression::types::{Mistyped, MistypedKind, Type, infer};
use crate::spelling::{closest, listed};
use crate::workflow::{Placed, Stands};
use crate::yaml::tree::Document;

pub(super) static RULE: Rule = Rule {
    code: "expr-typed",
    group: Group::Expression,
    severity: Severity::Error,
    rejects: false,
    summary: "what an expression reads exists, and is of a type that its place can use",
    documentation: "\
## What it does
Follows the types of expressions: of `github`, `runner`, `job` and `strategy` as GitHub documents them; of `inputs`,
`matrix` and `secrets` as the workflow declares them; of `steps` as they stand before this one, with the outputs of
actions that pyfleet knows. Reports what does not exist, comparisons with one possible result, lists and objects where
a text is needed, and calls of `format` that fail. Nothing is said of what is not known.

## Why
GitHub evaluates all of this without a word: what does not exist is empty, `true == 'true'` is false, and an object in
a text is the word `Object`. A condition that is mistyped never holds, or always.

## Example
```yaml
- if: github.event_nam == 'push' && inputs.dry-run == 'true'
```

## Instead
```yaml
- if: github.event_name == 'push' && inputs.dry-run
```
",
    check: Check::Expressions(check),
};

fn check(document: &Document, expressions: &[Placed], findings: &mut Diagnostics) {
    if expressions.is_empty() {
        return;
    }
    let scope = Scope::of(document);
    for placed in expressions {
        let available = placed.available();
        if available.is_nothing() || !placed.expression.refused(available).is_empty() {
            continue; // GitHub refuses it, which is said where the file is read.
        }
        let (of, mistakes) = infer(&placed.expression, &|context| scope.context(&placed.path, context));
        for mistake in &mistakes {
            if !is_judged_elsewhere(mistake) {
                findings.push(finding(placed, mistake));
            }
        }
        if let Some(message) = misplaced(placed, &of) {
            findings.push(RULE.finding(placed.place(&placed.expression), message.0).with_help(message.1));
        }
    }
}

/// `needs-context-declared` says what is wrong with reads of other jobs.
fn is_judged_elsewhere(mistake: &Mistyped) -> bool {
    let MistypedKind::NoMember { access, .. } = &mistake.kind else { return false };
    let context = access.split(['.', '[']).next().unwrap_or_default();
    ["needs", "jobs"].iter().any(|own| own.eq_ignore_ascii_case(context))
}

fn finding(placed: &Placed, mistake: &Mistyped) -> Diagnostic {
    let finding = RULE.finding(placed.place_of(mistake.span.clone()), mistake.to_string());
    match &mistake.kind {
        MistypedKind::NoMember { name, known, .. } => {
            let known = || known.members().map(|(name, _)| name);
            match closest(name, known()) {
                Some(close) => finding.with_help(format!("did you mean `{close}`?")),
                None if known().next().is_none() => {
                    finding.with_help("nothing of this kind is declared here")
                }
                None => finding.with_help(format!("there are: {}", listed(known()))),
            }
        }
        MistypedKind::MemberOfList(_) => {
            finding.with_help("write `.*` between the list and the name, or `[0]`")
        }
        MistypedKind::Incomparable { .. } => finding.with_help(
            "`true` is compared as 1 and `'true'` as no number: use the boolean itself, or quote both",
        ),
        MistypedKind::Argument { function: Function::Contains, .. } => {
            finding.with_help("select a list with `.*`")
        }
        _ => finding,
    }
}

/// What is wrong with a value of this type at this place, and what helps.
fn misplaced(placed: &Placed, of: &Type) -> Option<(String, &'static str)> {
    let wanted = match placed.stands {
        Stands::Condition => return None,
        Stands::Within if placed.is_in_condition() => return None,
        Stands::Within | Stands::InKey => Wanted::Text,
        Stands::Whole => wanted(&placed.path),
    };
    let fits = match (wanted, of) {
        (_, Type::Any) | (Wanted::Anything, _) => true,
        (Wanted::Text, of) => !of.is_collection() && *of != Type::Null,
        (Wanted::Boolean, of) => *of == Type::Boolean,
        (Wanted::Number, of) => *of == Type::Number,
        (Wanted::Map, of) => matches!(of, Type::Object(_)),
        (Wanted::List, of) => matches!(of, Type::Array(_) | Type::Filtered(_)),
        (Wanted::Labels, Type::Object(object)) => {
            object.get("labels").is_some() || object.get("group").is_some()
        }
        (Wanted::Labels, of) => matches!(of, Type::String | Type::Array(_) | Type::Filtered(_)),
    };
    if fits {
        return None;
    }
    let (found, wanted) = (of.name(), wanted.name());
    Some(match of {
        Type::Object(_) if wanted == Wanted::Text.name() => (
            format!("{found} becomes the word `Object` where {wanted} is needed"),
            "select a member, or use `toJSON`",
        ),
        Type::Array(_) | Type::Filtered(_) if wanted == Wanted::Text.name() => {
            (format!("{found} becomes the word `Array` where {wanted} is needed"), "use `join` or `toJSON`")
        }
        Type::String => (format!("{found} stands where {wanted} is needed"), "convert it with `fromJSON`"),
        _ => (format!("{found} stands where {wanted} is needed"), "select or compute such a value"),
    })
}

/// Which types a place can use.
#[derive(Clone, Copy)]
enum Wanted {
    Anything,
    Text,
    Boolean,
    Number,
    Map,
    List,
    /// Of a runner.
    Labels,
}

impl Wanted {
    const fn name(self) -> &'static str {
        match self {
            Self::Anything => "anything",
            Self::Text => "a text",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::Map => "an object",
            Self::List => "a list",
            Self::Labels => "a label or a list of labels",
        }
    }
}

/// What the value at a path has to be.
fn wanted(path: &Path) -> Wanted {
    use Segment::{Index, Key};
    let segments = path.segments();
    let below = match segments {
        [Key(jobs), Key(_), below @ ..] if jobs == "jobs" => below,
        [Key(first)] if first == "env" => return Wanted::Map,
        [Key(first), ..] if first == "env" || first == "run-name" => return Wanted::Text,
        _ => return Wanted::Anything,
    };
    let key = |position: usize| match below.get(position) {
        Some(Key(key)) => key.as_str(),
        Some(Index(_)) | None => "",
    };
    match (key(0), below.len()) {
        ("strategy", 1) => Wanted::Map,
        ("strategy", _) => match (key(1), key(2), below.len()) {
            ("fail-fast", ..) => Wanted::Boolean,
            ("max-parallel", ..) => Wanted::Number,
            ("matrix", _, 2) => Wanted::Map,
            ("matrix", _, 3) => Wanted::List,
            _ => Wanted::Anything,
        },
        ("runs-on", 1) => Wanted::Labels,
        ("timeout-minutes" | "cancel-timeout-minutes", 1) => Wanted::Number,
        ("continue-on-error", 1) => Wanted::Boolean,
        ("env" | "with" | "outputs" | "secrets" | "services", 1) => Wanted::Map,
        ("name", 1) | ("env" | "outputs" | "secrets", _) => Wanted::Text,
        ("container", 2) if matches!(key(1), "credentials" | "env") => Wanted::Map,
        ("services", 3) if matches!(key(2), "credentials" | "env") => Wanted::Map,
        ("container", 3) if matches!(key(1), "credentials" | "env") => Wanted::Text,
        ("steps", _) => {
            // Steps that run in parallel stand two levels deeper each.
            let step: &[Segment] = below
                .iter()
                .rposition(|segment| matches!(segment, Index(_)))
                .and_then(|index| below.get(index + 1..))
                .unwrap_or_default();
            match step {
                [Key(key)] => match key.as_str() {
                    "env" | "with" => Wanted::Map,
                    "timeout-minutes" => Wanted::Number,
                    "continue-on-error" => Wanted::Boolean,
                    _ => Wanted::Text,
                },
                [Key(key), _] if key == "env" || key == "with" => Wanted::Text,
                _ => Wanted::Anything,
            }
        }
        _ => Wanted::Anything,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn what_does_not_exist_or_fit() {
        fixture::check(
            &RULE,
            "
on:
  workflow_dispatch:
    inputs: {dry-run: {type: boolean}, count: {type: number}}
jobs:
  a:
    runs-on: ubuntu-24.04
    if: github.event_nam == 'push' && inputs.dry_run
#       ^^^^^^^^^^^^^^^^ error[expr-typed]: does not exist
#                                     ^^^^^^^^^^^^^^ error[expr-typed]: does not exist
    strategy: {matrix: {os: [a, b], include: [{os: c, extra: {deep: 1}}]}}
    timeout-minutes: ${{ inputs.dry-run }}
#                        ^^^^^^^^^^^^^^ error[expr-typed]: a boolean stands where a number is needed
    steps:
      - run: echo ${{ steps.late.outputs.x }} ${{ matrix.Extra.deeper }} ${{ runner.arch.x }}
#                     ^^^^^^^^^^ error[expr-typed]: does not exist
#                                                 ^^^^^^^^^^^^^^^^^^^ error[expr-typed]: does not exist
#                                                                            ^^^^^^^^^^^^^ error[expr-typed]: is a text
        if: inputs.dry-run == 'true' || env.X == true
#           ^^^^^^^^^^^^^^^^^^^^^^^^ error[expr-typed]: a boolean with `'true'`
#                                       ^^^^^^^^^^^^^ error[expr-typed]: a text with `true`
      - id: late
        uses: actions/cache@v5
        with: {path: '${{ github.event }}', key: 'x-${{ github.event.commits.* }}'}
#                         ^^^^^^^^^^^^ error[expr-typed]: becomes the word `Object`
#                                                       ^^^^^^^^^^^^^^^^^^^^^^ error[expr-typed]: becomes the word `Array`
      - run: ${{ steps.late.outputs.hit }} ${{ env[inputs.dry-run] }} ${{ format('{0} {2}', 1, 2) }}
#                ^^^^^^^^^^^^^^^^^^^^^^ error[expr-typed]: does not exist
#                                                  ^^^^^^^^^^^^^^ error[expr-typed]: a boolean cannot select
#                                                                                ^^^^^^^^^ error[expr-typed]: no such value
#                                                                                              ^ error[expr-typed]: does not name this value
        continue-on-error: ${{ github.actor }}
#                              ^^^^^^^^^^^^ error[expr-typed]: a text stands where a boolean
",
        );
    }

    #[test]
    fn what_exists_fits_or_is_not_known_passes() {
        fixture::check(
            &RULE,
            "
on: {workflow_dispatch: {inputs: {dry-run: {type: boolean}, count: {type: number}, note: }}, push: }
jobs:
  a:
    runs-on: ${{ matrix.os }}
    strategy: {matrix: {os: [a, b], node: '${{ fromJSON(vars.NODES) }}', include: [{os: c, extra: 1}]}}
    timeout-minutes: ${{ inputs.count || 5 }}
    if: github.EVENT_NAME == 'push' && github.event.anything.at.all == true && inputs.Dry-Run
    steps:
      - {id: early, run: x}
      - run: ${{ steps.early.outputs.x }} ${{ steps['early'].outcome }} ${{ matrix.extra }} ${{ matrix.node.x }}
      - uses: a/b@c
        id: unknown
        with: {x: '${{ steps.early.conclusion == ''failure'' }}', y: '${{ toJSON(github) }}'}
      - run: ${{ steps.unknown.outputs.anything }} ${{ env.X }} ${{ github.event.inputs.note }}
        continue-on-error: ${{ inputs.dry-run }}
      - if: github.event.pull_request == null || contains(github.event.*.labels, 'x') || matrix.extra == '1'
        run: ${{ join(github.event.commits.*.id) }} ${{ case(inputs.dry-run, 'a', 'b') }}
",
        );
    }
}
