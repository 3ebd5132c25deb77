//! `runner-label-known`.

use super::oidc_fork_guard::excludes_forks;
use crate::check::{Check, Group, PlacedJob, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Severity};
use crate::expression::opens_in;
use crate::spelling::closest;
use crate::workflow::{Job, Matrix, Runner};
use crate::yaml::tree::Value;

pub(super) static RULE: Rule = Rule {
    code: "runner-label-known",
    group: Group::Pinning,
    severity: Severity::Warning,
    rejects: false,
    summary: "a job names a runner that there is, and pull requests run on GitHub's",
    documentation: "\
## What it does
Compares `runs-on` with the labels of GitHub's standard runners (November 2026): warns of those that are
gone, of slips, of labels that no one runner has together, and of an empty list. Warns of `self-hosted` in
workflows started by pull requests of forks. Notes labels that move, such as `ubuntu-latest`, and labels that are not
GitHub's.

## Why
A job whose runner does not exist waits for a day and is cancelled. On a machine of one's own, a pull
request runs a stranger's code where the next job runs too.

## Example
```yaml
runs-on: ubuntu-20.04
```

## Instead
```yaml
runs-on: ubuntu-24.04
```
",
    check: Check::Workflow(check),
};

/// Labels of standard and of larger macOS runners (GitHub docs, "GitHub-hosted runners reference";
/// announcements of actions/runner-images until 2026-11).
const HOSTED: &[&str] = &[
    "macos-15",
    "macos-15-intel",
    "macos-15-large",
    "macos-15-xlarge",
    "macos-26",
    "macos-26-intel",
    "macos-26-large",
    "macos-26-xlarge",
    "ubuntu-22.04",
    "ubuntu-22.04-arm",
    "ubuntu-24.04",
    "ubuntu-24.04-arm",
    "ubuntu-26.04",
    "ubuntu-26.04-arm",
    "ubuntu-slim",
    "windows-11-arm",
    "windows-11-vs2026-arm",
    "windows-2022",
    "windows-2025",
    "windows-2025-vs2026",
    "xcode-27",
    "xcode-27-xlarge",
];

/// Labels that stand for another image from time to time.
const MOVING: &[&str] =
    &["macos-latest", "macos-latest-large", "macos-latest-xlarge", "ubuntu-latest", "windows-latest"];

/// Labels that no runner of GitHub's has any more, since when, and which one is next to them.
const RETIRED: &[(&str, &str, &str)] = &[
    ("macos-10.15", "2023-03-31", "macos-15-intel"),
    ("macos-11", "2024-06-28", "macos-15-intel"),
    ("macos-12", "2024-12-03", "macos-15-intel"),
    ("macos-12-large", "2024-12-03", "macos-15-large"),
    ("macos-12-xlarge", "2024-12-03", "macos-15-xlarge"),
    ("macos-13", "2025-12-08", "macos-15-intel"),
    ("macos-13-large", "2025-12-08", "macos-15-large"),
    ("macos-13-xlarge", "2025-12-08", "macos-15-xlarge"),
    ("macos-14", "2026-11-02", "macos-15"),
    ("macos-14-large", "2026-11-02", "macos-15-large"),
    ("macos-14-xlarge", "2026-11-02", "macos-15-xlarge"),
    ("ubuntu-16.04", "2021-09-20", "ubuntu-24.04"),
    ("ubuntu-18.04", "2023-04-03", "ubuntu-24.04"),
    ("ubuntu-20.04", "2025-04-15", "ubuntu-24.04"),
    ("windows-2016", "2022-04-01", "windows-2025"),
    ("windows-2019", "2025-06-30", "windows-2025"),
];

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let on = &file.workflow.on;
    let for_strangers = on.pull_request.is_some() || on.pull_request_target.is_some();
    for PlacedJob { place, id, job, .. } in file.jobs() {
        let Some(runner) = &job.runs_on else { continue };
        let list = list_of(file, place.key("runs-on"));
        let labels = labels_at(&list, runner);
        let own = labels.iter().find(|(_, label)| label.eq_ignore_ascii_case("self-hosted"));
        if let Some((place, _)) = own {
            if for_strangers && !excludes_forks(job) {
                let message = format!("pull requests from forks run on your own machine in `{id}`");
                let finding = RULE.finding(place.clone(), message);
                findings.push(finding.with_help("use a runner of GitHub's, which is gone after the job"));
            }
        } else if runner.group.is_none() {
            for (place, label) in &labels {
                findings.extend(judge(place, job, label));
            }
            findings.extend(conflict(&labels).or_else(|| conflict_of_matrix(place, job, &labels)));
            findings.extend(no_label(list, runner));
        }
    }
}

/// Where the labels of a runner stand, and how they are written.
fn list_of<'a>(file: &WorkflowFile<'a>, place: Path) -> (Path, Option<&'a Value>) {
    let runner = file.node(&place);
    match runner.and_then(|runner| runner.get("labels")) {
        Some(labels) => (place.key("labels"), Some(&labels.value)),
        None => (place, runner.map(|runner| &runner.value)),
    }
}

/// The labels, each where it stands.
fn labels_at<'a>((place, written): &(Path, Option<&Value>), runner: &'a Runner) -> Vec<(Path, &'a str)> {
    let is_list = matches!(written, Some(Value::Sequence(_)));
    let at = |position| if is_list { place.index(position) } else { place.clone() };
    runner.labels.iter().enumerate().map(|(position, label)| (at(position), label.as_str())).collect()
}

fn judge(place: &Path, job: &Job, label: &str) -> Option<Diagnostic> {
    let values = job.values_of(label)?;
    // One finding for a matrix: the worst.
    values.iter().filter_map(|label| judge_value(place, label)).max_by_key(|finding| finding.severity)
}

fn judge_value(place: &Path, label: &str) -> Option<Diagnostic> {
    let is = |other: &str| other.eq_ignore_ascii_case(label);
    if let Some((_, since, instead)) = RETIRED.iter().find(|(retired, ..)| is(retired)) {
        let message = format!("GitHub retired the label `{label}` on {since}: the job waits in vain");
        return Some(RULE.finding(place.clone(), message).with_help(format!("use `{instead}`")));
    }
    if MOVING.iter().any(|moving| is(moving)) {
        let message = format!("`{label}` becomes another image on a day of GitHub's choice");
        let help = "name the image, such as `ubuntu-24.04`, and move when you are ready";
        return Some(Diagnostic::note(RULE.code, place.clone(), message).with_help(help));
    }
    if HOSTED.iter().any(|hosted| is(hosted)) || label.is_empty() || opens_in(label) {
        return None;
    }
    let meant = closest(label, HOSTED.iter().chain(MOVING).copied())
        .filter(|meant| meant.len().abs_diff(label.len()) <= 1 && starts_alike(meant, label));
    Some(match meant {
        Some(meant) => {
            let message = format!("no runner of GitHub's has the label `{label}`");
            RULE.finding(place.clone(), message).with_help(format!("did you mean `{meant}`?"))
        }
        None => {
            let message =
                format!("`{label}` is no label of GitHub's standard runners: somebody must provide one");
            Diagnostic::note(RULE.code, place.clone(), message)
        }
    })
}

/// Whether two labels are about the same system: `ubuntu-…` and `ubuntu-…`.
fn starts_alike(one: &str, other: &str) -> bool {
    let system = |label: &str| label.split('-').next().unwrap_or_default().to_ascii_lowercase();
    system(one) == system(other) || closest(&system(other), [system(one).as_str()]).is_some()
}

/// Two labels of GitHub's on different systems, which no runner has both.
fn conflict(labels: &[(Path, &str)]) -> Option<Diagnostic> {
    let system = |label: &str| {
        let known = HOSTED.iter().chain(MOVING).any(|own| own.eq_ignore_ascii_case(label));
        known.then(|| label.split('-').next().unwrap_or_default().to_ascii_lowercase())
    };
    let mut known = labels.iter().filter_map(|(place, label)| Some((place, label, system(label)?)));
    let (_, first, expected) = known.next()?;
    let (place, other, _) = known.find(|(_, _, system)| *system != expected)?;
    let message = format!("no runner has both `{first}` and `{other}`: the job waits in vain");
    Some(RULE.finding(place.clone(), message).with_help("to run on each of them, use a matrix"))
}

/// The same with a value of the matrix, found at the value.
fn conflict_of_matrix(place: &Path, job: &Job, labels: &[(Path, &str)]) -> Option<Diagnostic> {
    labels.iter().filter(|(_, label)| opens_in(label)).find_map(|(own, label)| {
        let (_, axis) =
            label.trim_start_matches("${{").trim_end_matches("}}").trim().split_once("matrix.")?;
        let Some(Matrix::Axes(axes)) = &job.strategy.as_ref()?.matrix else { return None };
        let (name, _) = axes.values.iter().find(|(own, _)| own.eq_ignore_ascii_case(axis))?;
        let values = job.values_of(label)?;
        // Values of `include` stand behind those of the axis, and elsewhere.
        let own_values = axes.values.get(name)?.literal()?.len();
        values.iter().take(own_values).enumerate().find_map(|(position, value)| {
            let at = place.key("strategy").key("matrix").key(name).index(position);
            let others = labels.iter().filter(|(other, _)| other != own).cloned();
            conflict(&others.chain([(at, value.as_str())]).collect::<Vec<_>>())
        })
    })
}

/// A list of labels without one, for which GitHub finds no runner.
fn no_label((place, written): (Path, Option<&Value>), runner: &Runner) -> Option<Diagnostic> {
    let is_empty = matches!(written, Some(Value::Sequence(items)) if items.is_empty());
    (is_empty && runner.labels.is_empty())
        .then(|| RULE.finding(place, "no label: no runner is asked for, and the job waits in vain"))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn gone_moving_mistyped_and_unknown() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  gone:
    runs-on: ubuntu-20.04
#            ^^^^^^^^^^^^ warning[runner-label-known]: GitHub retired the label `ubuntu-20.04` on
  moving:
    runs-on: {labels: ubuntu-latest}
#                     ^^^^^^^^^^^^^ note[runner-label-known]: becomes another image
  slip:
    runs-on: [ubuntu-24.4]
#             ^^^^^^^^^^^ warning[runner-label-known]: no runner of GitHub's has the label
  own:
    runs-on: ubuntu-24.04-16core
#            ^^^^^^^^^^^^^^^^^^^ note[runner-label-known]: is no label of GitHub's
  matrix:
    strategy: {matrix: {os: [windows-latest, windows-2019]}}
    runs-on: ${{ matrix.os }}
#            ^^^^^^^^^^^^^^^^ warning[runner-label-known]: `windows-2019`
  both:
    runs-on: [ubuntu-24.04, windows-2025]
#                           ^^^^^^^^^^^^ warning[runner-label-known]: no runner has both
  crossed:
    strategy:
      matrix:
        os: [ubuntu-22.04, windows-2025]
#                          ^^^^^^^^^^^^ warning[runner-label-known]: no runner has both
    runs-on: [ubuntu-24.04, '${{ matrix.os }}']
  none:
    runs-on: []
#            ^^ warning[runner-label-known]: no label
",
        );
    }

    #[test]
    fn strangers_on_own_machines() {
        fixture::check(
            &RULE,
            "
on: pull_request
jobs:
  a:
    runs-on: [self-hosted, gpu]
#             ^^^^^^^^^^^ warning[runner-label-known]: pull requests from forks run on your own machine
  b:
    if: github.event.pull_request.head.repo.full_name == github.repository
    runs-on: self-hosted
",
        );
    }

    #[test]
    fn labels_that_there_are_pass() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a: {runs-on: ubuntu-24.04}
  b: {runs-on: [self-hosted, linux, gpu]}
  c: {runs-on: {group: large, labels: own}}
  d: {runs-on: '${{ inputs.runner }}'}
  e: {runs-on: Ubuntu-26.04-ARM}
",
        );
    }
}
