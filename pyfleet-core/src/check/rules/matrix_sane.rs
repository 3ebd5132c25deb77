//! `matrix-sane`.

use indexmap::{IndexMap, IndexSet};
use serde_json::Value as Json;

use crate::check::{Check, Group, PlacedJob, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Path, Place, Severity};
use crate::expression::opens_in;
use crate::spelling::listed;
use crate::workflow::{INSERT, Matrix, OrExpression, Strategy};
use crate::yaml::tree::Value;

pub(super) static RULE: Rule = Rule {
    code: "matrix-sane",
    group: Group::Syntax,
    severity: Severity::Warning,
    rejects: false,
    summary: "a matrix excludes what it has, and its jobs can start",
    documentation: "\
## What it does
Warns of an entry of `exclude` with a name or a value that no combination has, and of a `max-parallel` below 1. Values that
are computed are not judged. Mappings match by the keys that the exclusion names.

## Why
An exclusion that matches nothing excludes nothing: the job that was to be left out runs. Combinations are excluded
before those of `include` are added, so that what only `include` says cannot be excluded.

## Example
```yaml
strategy:
  matrix:
    os: [ubuntu-24.04, windows-2025]
    exclude: [{os: windows-2022}]
```

## Instead
```yaml
strategy:
  matrix:
    os: [ubuntu-24.04, windows-2025]
    exclude: [{os: windows-2025}]
```
",
    check: Check::Workflow(check),
};

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    for PlacedJob { place, job, .. } in file.jobs() {
        let Some(strategy) = &job.strategy else { continue };
        let place = place.key("strategy");
        judge_parallel(file, place.key("max-parallel"), findings);
        judge(strategy, &place, findings);
    }
}

fn judge_parallel(file: &WorkflowFile<'_>, place: Path, findings: &mut Diagnostics) {
    let Some(Value::Number(most)) = file.node(&place).map(|node| &node.value) else { return };
    if most.as_integer().is_none_or(|most| most < 1) {
        findings.push(RULE.finding(place, "how many jobs may run at a time is a whole number, at least 1"));
    }
}

fn judge(strategy: &Strategy, place: &Path, findings: &mut Diagnostics) {
    let Some(Matrix::Axes(axes)) = &strategy.matrix else { return };
    let is_computed = axes.values.keys().any(|name| opens_in(name));
    let Some(exclusions) = axes.exclude.as_ref().and_then(OrExpression::literal).filter(|_| !is_computed)
    else {
        return;
    };
    let list = place.key("matrix").key("exclude");
    let values: Vec<(&str, Option<Values>)> = axes
        .values
        .iter()
        .map(|(name, values)| (name.as_str(), values.literal().map(|values| Values::of(values))))
        .collect();
    for (position, exclusion) in exclusions.iter().enumerate().filter(|(_, own)| !own.contains_key(INSERT)) {
        judge_exclusion(exclusion, &values, &list.index(position), findings);
    }
}

/// The values of an axis, as exclusions are compared with them.
struct Values<'a> {
    scalars: IndexSet<String>,
    collections: Vec<&'a Json>,
    /// Whether one of them can be anything.
    is_computed: bool,
}

impl<'a> Values<'a> {
    fn of(values: &'a [Json]) -> Self {
        let is_collection = |value: &&Json| value.is_object() || value.is_array();
        let (collections, scalars): (Vec<&Json>, Vec<&Json>) = values.iter().partition(is_collection);
        let is_computed = scalars.iter().any(|value| value.as_str().is_some_and(opens_in));
        let scalars = scalars.into_iter().map(|value| text(value).to_ascii_lowercase()).collect();
        Self { scalars, collections, is_computed }
    }

    fn have(&self, wanted: &Json) -> bool {
        self.is_computed
            || match wanted {
                Json::String(text) if opens_in(text) => {
                    !self.scalars.is_empty() || !self.collections.is_empty()
                }
                Json::Object(_) | Json::Array(_) => {
                    self.collections.iter().any(|value| matches(wanted, value))
                }
                scalar => self.scalars.contains(&text(scalar).to_ascii_lowercase()),
            }
    }
}

fn judge_exclusion(
    exclusion: &IndexMap<String, Json>,
    axes: &[(&str, Option<Values<'_>>)],
    place: &Path,
    findings: &mut Diagnostics,
) {
    for (name, wanted) in exclusion.iter().filter(|(name, _)| !opens_in(name)) {
        let axis = axes.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        let Some((_, values)) = axis else {
            let message = format!("the matrix has no `{name}` to exclude by");
            let known = listed(axes.iter().map(|(name, _)| format!("`{name}`")));
            findings.push(
                RULE.finding(Place::key(place.key(name)), message)
                    .with_help("combinations are excluded before those of `include` are added")
                    .with_help(format!("names of the matrix: {known}")),
            );
            continue;
        };
        if values.as_ref().is_some_and(|values| !values.have(wanted)) {
            let message = format!("no value of `{name}` is like this: nothing is excluded");
            findings.push(RULE.finding(place.key(name), message));
        }
    }
}

/// Whether an exclusion's value is like one of the matrix, as far as both are written out.
fn matches(wanted: &Json, value: &Json) -> bool {
    match (wanted, value) {
        (Json::String(text), _) | (_, Json::String(text)) if opens_in(text) => true,
        (Json::Object(wanted), Json::Object(value)) => wanted.iter().all(|(name, wanted)| {
            let own = value.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
            opens_in(name) || own.is_some_and(|(_, value)| matches(wanted, value))
        }),
        (Json::Array(wanted), Json::Array(value)) => {
            wanted.len() == value.len()
                && wanted.iter().zip(value).all(|(wanted, value)| matches(wanted, value))
        }
        (Json::Object(_) | Json::Array(_), _) | (_, Json::Object(_) | Json::Array(_)) => false,
        (wanted, value) => text(wanted).eq_ignore_ascii_case(&text(value)),
    }
}

/// A scalar as GitHub compares it with one of another type.
fn text(scalar: &Json) -> String {
    match scalar {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        Json::Number(number) => number.as_f64().map_or_else(String::new, |number| number.to_string()),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn exclusions_that_match_nothing() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    runs-on: x
    strategy:
      max-parallel: 0
#                   ^ warning[matrix-sane]: a whole number, at least 1
      matrix:
        os: [ubuntu, windows]
        tool: [{name: a, version: 1}, [x, y]]
        include: [{gui: gnome}]
        exclude:
          - os: macos
#               ^^^^^ warning[matrix-sane]: no value of `os` is like this
          - system: ubuntu
#           ^^^^^^ warning[matrix-sane]: the matrix has no `system`
          - gui: gnome
#           ^^^ warning[matrix-sane]: the matrix has no `gui`
          - os: ubuntu
            tool:
              name: b
#             ^^^^^^^ warning[matrix-sane]: no value of `tool` is like this
          - tool: [x, z]
#                 ^^^^^^ warning[matrix-sane]: no value of `tool` is like this
",
        );
    }

    #[test]
    fn exclusions_that_match_pass() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    runs-on: x
    strategy:
      max-parallel: 1
      matrix:
        os: [Ubuntu, windows]
        python: [3.10, '3.9', true]
        tool: [{name: a, version: 1}, [x, y]]
        computed: ${{ fromJSON(github.ref) }}
        exclude:
          - {os: ubuntu, python: '3.1'}
          - {OS: windows, python: 3.9}
          - tool: {name: a}
          - tool: [x, y]
          - {os: '${{ github.ref }}', python: 'true', computed: x}
          - ${{ insert }}: ${{ github.event }}
  b: {runs-on: x, strategy: {matrix: '${{ fromJSON(github.ref) }}'}}
",
        );
    }
}
