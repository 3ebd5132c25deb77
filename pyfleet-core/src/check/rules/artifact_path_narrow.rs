//! `artifact-path-narrow`.

use std::collections::BTreeMap;

use crate::check::{Check, Group, PlacedJob, PlacedStep, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place, Severity};
use crate::expression::opens_in;
use crate::workflow::{Job, Matrix, OrExpression, Step};

pub(super) static RULE: Rule = Rule {
    code: "artifact-path-narrow",
    group: Group::Timeouts,
    severity: Severity::Error,
    rejects: false,
    summary: "an artifact holds what was made, under a name of its own, for a while",
    documentation: "\
## What it does
Refuses to upload whole folders nobody chose (`.`, `~`, `**`, `/`, the workspace) or `.git`, and two
uploads of one name in a run. Warns of `include-hidden-files: true` over a folder; notes uploads without `retention-days`.

## Why
Whoever can read the repository can download its artifacts, and everything that lay beside the report: the
token in `.git/config`, `.env`, a state file. Since version 4 the second upload under a name fails.

## Example
```yaml
- uses: actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0
  with: {name: report, path: ., retention-days: 7}
```

## Instead
```yaml
- uses: actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0
  with: {name: report, path: out/report.xml, retention-days: 7}
```
",
    check: Check::Workflow(check),
};

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let mut names = BTreeMap::new();
    for PlacedJob { job, steps, .. } in file.jobs() {
        for PlacedStep { place, step, .. } in steps {
            if !step.is_action("actions/upload-artifact") {
                continue;
            }
            let input = |name: &str| {
                let (own, value) = step.with.iter().find(|(own, _)| own.eq_ignore_ascii_case(name))?;
                Some((place.key("with").key(own), value.as_str()))
            };
            if let Some((path, written)) = input("path") {
                for line in whole_folders(written) {
                    let message = format!("`{}` takes along whatever lies there", &written[line.clone()]);
                    let finding = RULE.finding(Place::within(path.clone(), line), message);
                    findings.push(finding.with_help("name the files that the step made"));
                }
            }
            if let Some((path, "true")) = input("include-hidden-files")
                && input("path").is_some_and(|(_, written)| written.lines().any(is_folder))
            {
                let message = "this takes every hidden file of the folder along, whoever put it there";
                let finding = Diagnostic::warning(RULE.code, path, message);
                findings.push(finding.with_help("upload the hidden files that are needed, each by its name"));
            }
            if input("retention-days").is_none() {
                let message = "this is kept as long as the repository's settings say, at first 90 days";
                let finding = Diagnostic::note(RULE.code, place.key("uses"), message);
                findings.push(finding.with_help("say how long it is of use: `retention-days: 7`"));
            }
            if let Some(finding) = second_of_a_name(file, place, job, step, &mut names) {
                findings.push(finding);
            }
        }
    }
}

/// The lines of `path:` that name a whole folder which nobody chose.
fn whole_folders(written: &str) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in written.split_inclusive('\n') {
        let path = line.trim();
        if is_whole(path) {
            let at = start + (line.len() - line.trim_start().len());
            found.push(at..at + path.len());
        }
        start += line.len();
    }
    found
}

fn is_whole(path: &str) -> bool {
    let path = path
        .strip_prefix("${{ github.workspace }}")
        .map_or(path, |rest| if rest.is_empty() { "." } else { rest });
    let path = path.trim_end_matches('/');
    let path = path.strip_prefix("./").unwrap_or(path);
    matches!(path, "" | "." | ".." | "~" | "*" | "**" | "**/*" | "$HOME" | "~/*" | "~/**") && !path.is_empty()
        || path == "/**"
        || path.split('/').any(|part| part == ".git")
}

/// Whether a path may be a folder: it has no ending, or a pattern.
fn is_folder(path: &str) -> bool {
    let last = path.trim().rsplit('/').next().unwrap_or_default();
    let name = last.trim_start_matches('.');
    !path.trim().is_empty() && (last.contains('*') || !name.contains('.') && !last.starts_with('.'))
}

/// The names of the uploads seen, and where.
type Names = BTreeMap<String, Path>;

/// That another upload has the same name, where both surely run, and with a version that refuses it.
fn second_of_a_name(
    file: &WorkflowFile<'_>,
    place: &Path,
    job: &Job,
    step: &Step,
    names: &mut Names,
) -> Option<Diagnostic> {
    let name = step.input("name").unwrap_or("artifact");
    // What is not packed has its own name.
    if step.input("archive").is_some_and(|value| value != "true") {
        return None;
    }
    let always = |condition: &Option<String>| condition.as_deref().is_none_or(runs_always);
    let overwrites = step.input("overwrite").is_some_and(|value| value != "false");
    let is_sure = always(&job.condition) && always(&step.condition) && !opens_in(name);
    if !is_sure || overwrites || !refuses_second(file, place, step) {
        return None;
    }
    let at = place.key("with").key("name");
    let at = if file.node(&at).is_some() { at } else { place.key("uses") };
    if job.strategy.as_ref().and_then(|strategy| strategy.matrix.as_ref()).is_some() {
        if !runs_twice(job) {
            return None;
        }
        let message = format!("every combination of the matrix uploads `{name}`: the second upload fails");
        return Some(RULE.finding(at, message).with_help("put the values of the matrix into the name"));
    }
    if names.contains_key(name) {
        let message =
            format!("another job or step uploads `{name}` in the same run: the second upload fails");
        return Some(RULE.finding(at, message).with_help("give each upload a name of its own"));
    }
    names.insert(name.to_owned(), at);
    None
}

/// Whether a condition only says that failures do not matter.
fn runs_always(condition: &str) -> bool {
    let bare = condition.trim().trim_start_matches("${{").trim_end_matches("}}").trim();
    matches!(bare, "always()" | "!cancelled()" | "success()" | "success() || failure()")
}

/// Whether the matrix of a job surely has two combinations: an axis of two values, and nothing left out.
fn runs_twice(job: &Job) -> bool {
    let Some(Matrix::Axes(axes)) = job.strategy.as_ref().and_then(|strategy| strategy.matrix.as_ref()) else {
        return false;
    };
    let is_long =
        |axis: &OrExpression<Vec<serde_json::Value>>| axis.literal().is_some_and(|values| values.len() > 1);
    axes.exclude.is_none() && axes.values.values().any(is_long)
}

/// Whether the version is 4 or later; earlier ones put both into one artifact.
fn refuses_second(file: &WorkflowFile<'_>, place: &Path, step: &Step) -> bool {
    let major = |version: &str| version.strip_prefix('v')?.split('.').next()?.parse::<u64>().ok();
    let comment =
        || file.trailing_comment(&place.key("uses")).and_then(|text| text.split_whitespace().next());
    let reference = step.uses.as_ref().and_then(|uses| uses.reference());
    reference.and_then(major).or_else(|| comment().and_then(major)).is_some_and(|major| major >= 4)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn folders_hidden_files_and_time() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - uses: actions/upload-artifact@v7
        with: {path: ., retention-days: 1}
#                    ^ error[artifact-path-narrow]: `.` takes along
      - uses: actions/upload-artifact@v7
        with:
          name: b
          retention-days: 1
          path: |
            out/report.xml
            ./**
#           ^^^^ error[artifact-path-narrow]: `./**` takes along
            x/.git/config
#           ^^^^^^^^^^^^^ error[artifact-path-narrow]: takes along
      - uses: actions/upload-artifact@v7
#             ^^^^^^^^^^^^^^^^^^^^^^^^^^ note[artifact-path-narrow]: kept as long as
        with:
          name: c
          path: out
          include-hidden-files: true
#                               ^^^^ warning[artifact-path-narrow]: takes every hidden file
",
        );
    }

    #[test]
    fn two_of_a_name() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - {uses: actions/upload-artifact@v7, with: {name: r, path: a, retention-days: 1}}
      - {uses: actions/upload-artifact@v7, with: {path: a, retention-days: 1}}
  b:
    steps:
      - {uses: actions/upload-artifact@v7, with: {name: r, path: a, retention-days: 1}}
#                                                       ^ error[artifact-path-narrow]: the second upload fails
      - {uses: actions/upload-artifact@v7, with: {path: a, retention-days: 1}}
#              ^^^^^^^^^^^^^^^^^^^^^^^^^^ error[artifact-path-narrow]: uploads `artifact` in the same run
  c:
    strategy: {matrix: {os: [a, b]}}
    steps:
      - {if: always(), uses: actions/upload-artifact@v7, with: {name: m, path: a, retention-days: 1}}
#                                                                     ^ error[artifact-path-narrow]: every combination of the matrix uploads `m`
",
        );
    }

    #[test]
    fn chosen_files_and_names_of_their_own_pass() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - {uses: actions/upload-artifact@v7, with: {name: r, path: 'out/**/*.xml', retention-days: 1}}
      - {uses: actions/upload-artifact@v7, with: {name: r, path: a, retention-days: 1, overwrite: true}}
      - {if: failure(), uses: actions/upload-artifact@v7, with: {name: r, path: a, retention-days: 1}}
      - {uses: actions/upload-artifact@v3, with: {name: r, path: a, retention-days: 1}}
      - {uses: actions/upload-artifact@v7, with: {name: h, path: out/.coverage, include-hidden-files: true, retention-days: 1}}
  b:
    strategy: {matrix: {os: [a, b]}}
    steps:
      - {uses: actions/upload-artifact@v7, with: {name: 'r-${{ matrix.os }}', path: a, retention-days: 1}}
      - {if: matrix.os == 'a', uses: actions/upload-artifact@v7, with: {name: r, path: a, retention-days: 1}}
",
        );
    }
}
