//! `platform-limits`.

use serde_json::Value as Json;

use crate::check::{Check, Group, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Path, Place, Severity};
use crate::expression::opens_in;
use crate::workflow::{Axes, Concurrency, InputKind, Matrix, OrExpression};
use crate::yaml::tree::{Node, Value};

/// The most inputs that a person is asked for.
const INPUTS: usize = 25;
/// The most jobs of one matrix.
const JOBS: usize = 256;
/// The longest text with an expression in it, in characters.
const EXPRESSION: usize = 21_000;
/// The longest name of a concurrency group, in characters.
const GROUP: usize = 400;
/// The most lists and mappings in each other.
const DEPTH: usize = 50;

pub(super) static RULE: Rule = Rule {
    code: "platform-limits",
    group: Group::Syntax,
    severity: Severity::Error,
    rejects: true,
    summary: "a workflow stays within the limits of GitHub's server",
    documentation: "\
## What it does
Counts what GitHub limits: 25 inputs of `workflow_dispatch`, 256 jobs of a matrix, which has at least one value for each
of its names, 21,000 characters of a text with an expression, 400 characters of a concurrency group, 50 levels of
nesting. The default of a choice must be one of its options. A matrix that is computed is not judged. The size of the
file and the number of its nodes are limited by the reader.

## Why
GitHub refuses the file, or fails the run before it starts.

## Example
```yaml
strategy:
  matrix:
    os: []
```

## Instead
```yaml
strategy:
  matrix:
    os: [ubuntu-24.04]
```
",
    check: Check::Workflow(check),
};

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let workflow = file.workflow;
    if let Some(dispatch) = &workflow.on.workflow_dispatch {
        let inputs = Path::of(["on", "workflow_dispatch", "inputs"]);
        if dispatch.inputs.len() > INPUTS {
            let message = format!("{} inputs; GitHub takes at most {INPUTS}", dispatch.inputs.len());
            findings.push(RULE.finding(Place::key(inputs.clone()), message));
        }
        for (name, input) in &dispatch.inputs {
            let Some(Json::String(default)) = &input.default else { continue };
            if input.kind == InputKind::Choice && !input.options.contains(default) {
                let message = format!("the default `{default}` is none of the options");
                findings.push(RULE.finding(inputs.key(name).key("default"), message));
            }
        }
    }
    judge_group(&Path::root(), workflow.concurrency.as_ref(), findings);
    for (place, _, job) in workflow.jobs_at() {
        judge_group(&place, job.concurrency.as_ref(), findings);
        if let Some(Matrix::Axes(axes)) = job.strategy.as_ref().and_then(|strategy| strategy.matrix.as_ref())
        {
            judge_matrix(axes, &place.key("strategy").key("matrix"), findings);
        }
    }
    measure(&file.document.root, &mut Vec::new(), findings);
}

fn judge_group(place: &Path, concurrency: Option<&Concurrency>, findings: &mut Diagnostics) {
    let length = concurrency.map_or(0, |concurrency| concurrency.group.chars().count());
    if length > GROUP {
        let message = format!("a group of {length} characters; GitHub takes at most {GROUP}");
        findings.push(RULE.finding(place.key("concurrency"), message));
    }
}

fn judge_matrix(axes: &Axes, place: &Path, findings: &mut Diagnostics) {
    for (name, values) in &axes.values {
        if values.literal().is_some_and(Vec::is_empty) {
            findings.push(RULE.finding(place.key(name), format!("`{name}` of the matrix has no value")));
        }
    }
    if let Some(jobs) = jobs(axes).filter(|jobs| *jobs > JOBS) {
        let message = format!("a matrix of {jobs} jobs; GitHub runs at most {JOBS}");
        findings.push(
            RULE.finding(Place::key(place.clone()), message)
                .with_help("split the job, or leave combinations out"),
        );
    }
}

/// How many jobs a matrix makes, at least; none where that is computed.
fn jobs(axes: &Axes) -> Option<usize> {
    // Enough to be sure of: more than this no list of exclusions brings back.
    const COUNTED: usize = 16 * JOBS;
    let lists: Vec<(&String, &Vec<Json>)> =
        axes.values.iter().map(|(name, values)| Some((name, values.literal()?))).collect::<Option<_>>()?;
    let count = lists.iter().try_fold(1_usize, |count, (_, values)| count.checked_mul(values.len()));
    let count = count.filter(|count| *count <= COUNTED).unwrap_or(COUNTED + 1);
    if count > COUNTED {
        return Some(count);
    }
    let listed = |list: &Option<OrExpression<Vec<_>>>| match list {
        Some(list) => list.literal().cloned(),
        None => Some(Vec::new()),
    };
    let (included, excluded) = (listed(&axes.include)?, listed(&axes.exclude)?);
    let value = |combination: usize, wanted: &str| {
        let mut rest = combination;
        lists.iter().find_map(|(name, values)| {
            let own = values.get(rest % values.len().max(1));
            rest /= values.len().max(1);
            name.eq_ignore_ascii_case(wanted).then_some(own).flatten()
        })
    };
    let own = if lists.is_empty() { 0 } else { count };
    let kept = (0..own).filter(|combination| {
        !excluded.iter().any(|entry| entry.iter().all(|(name, own)| value(*combination, name) == Some(own)))
    });
    let kept: Vec<usize> = kept.collect();
    // An inclusion that contradicts every combination is one of its own.
    let is_extra = |entry: &&indexmap::IndexMap<String, Json>| {
        !kept.iter().any(|combination| {
            entry.iter().all(|(name, own)| value(*combination, name).is_none_or(|other| other == own))
        })
    };
    Some(kept.len() + included.iter().filter(is_extra).count())
}

/// Depth and length, over everything that is written.
fn measure<'a>(node: &'a Node, way: &mut Vec<Step<'a>>, findings: &mut Diagnostics) {
    let is_collection = matches!(node.value, Value::Sequence(_) | Value::Mapping(_));
    if is_collection && way.len() == DEPTH {
        let message = format!("more than {DEPTH} lists and mappings are in each other");
        return findings.push(RULE.finding(path(way), message));
    }
    match &node.value {
        Value::String(text) if text.len() > EXPRESSION && opens_in(text) => {
            let length = text.chars().count();
            if length > EXPRESSION {
                let message =
                    format!("a text of {length} characters with an expression; GitHub takes {EXPRESSION}");
                findings.push(
                    RULE.finding(path(way), message)
                        .with_help("hand the values over by `env`, or move the script to a file"),
                );
            }
        }
        Value::Sequence(items) => {
            for (position, item) in items.iter().enumerate() {
                way.push(Step::Index(position));
                measure(item, way, findings);
                way.pop();
            }
        }
        Value::Mapping(entries) => {
            for (key, value) in entries {
                way.push(Step::Key(key.as_str().unwrap_or_default()));
                measure(value, way, findings);
                way.pop();
            }
        }
        _ => {}
    }
}

/// One step of the way, written out only where there is something to say.
#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

fn path(way: &[Step<'_>]) -> Path {
    way.iter().fold(Path::root(), |path, step| match step {
        Step::Key(key) => path.key(key),
        Step::Index(index) => path.index(*index),
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn inputs_matrices_and_groups() {
        fixture::check(
            &RULE,
            "
on:
  workflow_dispatch:
    inputs:
      size: {type: choice, options: [s, m], default: l}
#                                                    ^ error[platform-limits]: the default `l` is none of the options
jobs:
  a:
    runs-on: x
    strategy:
      matrix:
        os: []
#           ^^ error[platform-limits]: `os` of the matrix has no value
  b:
    runs-on: x
    strategy:
      matrix:
#     ^^^^^^ error[platform-limits]: a matrix of 272 jobs
        a: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]
        b: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]
",
        );
        let inputs =
            |count: usize| (0..count).map(|own| format!("i{own}: {{}}")).collect::<Vec<_>>().join(", ");
        let text = |count| {
            format!(
                "{{on: {{workflow_dispatch: {{inputs: {{{}}}}}}}, jobs: {{a: {{runs-on: x}}}}}}",
                inputs(count)
            )
        };
        assert_eq!((fixture::find(&RULE, &text(25)).len(), fixture::find(&RULE, &text(26)).len()), (0, 1));
    }

    #[test]
    fn what_is_long_and_deep() {
        let group = |length: usize| {
            format!("on: push\nconcurrency: {}\njobs: {{a: {{runs-on: x}}}}\n", "g".repeat(length))
        };
        assert_eq!(
            (fixture::find(&RULE, &group(400)).len(), fixture::find(&RULE, &group(401)).len()),
            (0, 1)
        );
        let script = |length: usize, end: &str| {
            format!(
                "on: push\njobs: {{a: {{runs-on: x, steps: [{{run: '{}{end}'}}]}}}}\n",
                "r".repeat(length)
            )
        };
        assert_eq!(fixture::find(&RULE, &script(30_000, "")).len(), 0);
        assert_eq!(fixture::find(&RULE, &script(30_000, "${{ github.sha }}")).len(), 1);
        let nested = |depth: usize| {
            let value = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            format!("on: push\njobs: {{a: {{runs-on: x, strategy: {{matrix: {{v: {value}}}}}}}}}\n")
        };
        assert_eq!(
            (fixture::find(&RULE, &nested(45)).len(), fixture::find(&RULE, &nested(46)).len()),
            (0, 1)
        );
    }

    #[test]
    fn what_is_left_out_or_merged_passes() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    runs-on: x
    strategy:
      matrix:
        a: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]
        b: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]
        exclude: [{a: 17}]
        include: [{a: 1, c: 2}]
  b: {runs-on: x, strategy: {matrix: {a: '${{ fromJSON(github.ref) }}', b: [1]}}}
",
        );
    }
}
