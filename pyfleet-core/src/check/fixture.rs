//! For tests of rules: a text in which each expected finding stands under what it is about.
//!
//! ```yaml
//!     timeout-minutes: 0
//! #                    ^ error[timeout-set]: message fragment
//! ```
//!
//! The comment must follow the line it is about, directly or after another such comment. Carets that
//! touch the `#` include its column. A finding over several lines is marked on its first. Annotations are
//! blanked before the text is read, so that they may stand inside block scalars.

use super::{Check, Repository, Rule, Subject, run};
use crate::diagnostic::Diagnostics;
use crate::source::Source;
use crate::workflow;
use crate::yaml::tree::Document;

/// Runs one rule over an annotated text, and panics unless it finds exactly what the annotations say.
#[track_caller]
pub(super) fn check(rule: &'static Rule, text: &str) {
    check_among(rule, text, &[]);
}

/// The same, in a repository that has these files too.
#[track_caller]
pub(super) fn check_among(rule: &'static Rule, text: &str, others: &[(&str, &str)]) {
    let (plain, expected) = read(text);
    let findings = find_among(rule, &plain, others);
    let found: Vec<Annotation> = findings
        .iter()
        .map(|finding| {
            let span = finding.place.span.clone().unwrap();
            let start = Source::new("", &*plain).position(span.start);
            let line = plain.lines().nth(start.line - 1).unwrap_or_default();
            let written = plain[span].lines().next().unwrap_or_default().chars().count();
            let width = written.min(line.chars().count() + 1 - start.column).max(1);
            Annotation {
                line: start.line,
                columns: (start.column, start.column + width),
                text: format!("{}[{}]: {}", finding.severity, finding.code, finding.message),
            }
        })
        .collect();
    let missing: Vec<_> =
        expected.iter().filter(|own| !found.iter().any(|other| own.announces(other))).collect();
    let unexpected: Vec<_> =
        found.iter().filter(|own| !expected.iter().any(|other| other.announces(own))).collect();
    assert!(
        missing.is_empty() && unexpected.is_empty() && found.len() == expected.len(),
        "\nmissing:\n{}\nunexpected:\n{}\n",
        show(&plain, &missing),
        show(&plain, &unexpected)
    );
}

/// What one rule finds in a text without annotations.
#[track_caller]
pub(super) fn find(rule: &'static Rule, text: &str) -> Diagnostics {
    find_among(rule, text, &[])
}

#[track_caller]
fn find_among(rule: &'static Rule, text: &str, others: &[(&str, &str)]) -> Diagnostics {
    let mut repository = Repository::default();
    for (path, text) in others {
        assert!(repository.add(path, text), "{path} cannot be read");
    }
    let source = Source::new("fixture.yml", text);
    match rule.check {
        Check::Workflow(_) | Check::Expressions(_) => {
            let (read, mistakes) = workflow::parse(source);
            // A fixture holds what its rule looks at, not always a runner.
            let incomplete = mistakes.iter().all(|mistake| mistake.code == "workflow-structure");
            assert!(incomplete, "the fixture is no workflow: {mistakes:#?}");
            let (workflow, document) = read.unwrap();
            run(&Subject::workflow(&workflow, &document).among(&repository), &[rule])
        }
        Check::Reader => {
            let (_, mistakes) = workflow::parse(source);
            mistakes.into_iter().filter(|mistake| mistake.code == rule.code).collect()
        }
        Check::Manifest(_) => {
            let document = Document::parse(source).unwrap();
            run(&Subject::Manifest(&document), &[rule])
        }
    }
}

#[derive(Debug)]
struct Annotation {
    line: usize,
    columns: (usize, usize),
    text: String,
}

impl Annotation {
    /// Whether a finding is the one that this announces.
    fn announces(&self, finding: &Self) -> bool {
        let (head, fragment) = self.text.split_once(": ").unwrap_or((&self.text, ""));
        self.line == finding.line
            && self.columns == finding.columns
            && finding
                .text
                .split_once(": ")
                .is_some_and(|(found, message)| found == head && message.contains(fragment))
    }
}

/// The text with blank lines for annotations, and the annotations.
fn read(text: &str) -> (String, Vec<Annotation>) {
    let (mut plain, mut annotations) = (String::new(), Vec::new());
    let mut target = 0;
    for (position, line) in text.lines().enumerate() {
        match annotation(line) {
            Some((columns, text)) => annotations.push(Annotation { line: target, columns, text }),
            None => {
                target = position + 1;
                plain.push_str(line);
            }
        }
        plain.push('\n');
    }
    (plain, annotations)
}

fn annotation(line: &str) -> Option<((usize, usize), String)> {
    let hash = line.len() - line.trim_start().len();
    let after = line.trim_start().strip_prefix('#')?;
    let marks = after.trim_start();
    let width = marks.len() - marks.trim_start_matches('^').len();
    if width == 0 {
        return None;
    }
    let spaces = after.len() - marks.len();
    let start = if spaces == 0 { hash } else { hash + 1 + spaces };
    let end = hash + 1 + spaces + width;
    Some(((start + 1, end + 1), marks[width..].trim().to_owned()))
}

fn show(text: &str, annotations: &[&Annotation]) -> String {
    let mut shown = String::new();
    for Annotation { line, columns: (start, end), text: message } in annotations {
        let above = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        let indent = " ".repeat(start - 1);
        let marks = "^".repeat(end - start);
        shown.push_str(&format!("{line:4} {above}\n     {indent}{marks} {message}\n"));
    }
    shown
}
