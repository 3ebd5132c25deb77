//! The workflow language: this project's reader and GitHub's own parser are of one opinion.
//!
//! - [`corpus`]: workflows that people run, and the files that actionlint knows to be good.
//! - [`goldens`]: the cases that GitHub tests its own readers with.
//! - [`differential`]: workflows made wrong in many ways, one class a file of `mutations/`.
//! - [`triage`]: what else the rules say of workflows that people run.

mod corpus;
mod differential;
mod goldens;
mod mutations;
mod triage;

pub(crate) use corpus::files;
use pyfleet_core::check::{self, Subject, rules::RULES};
use pyfleet_core::diagnostic::{Diagnostic, Severity};
use pyfleet_core::source::Source;
use pyfleet_core::workflow;

/// Why this project says that GitHub refuses a text; nothing where it would run.
fn refusals(name: &str, text: &str) -> Vec<Diagnostic> {
    let (read, mistakes) = workflow::parse(Source::new(name, text));
    let mut said: Vec<Diagnostic> = mistakes.into_iter().collect();
    if let Some((workflow, document)) = read {
        let rules: Vec<_> = RULES.iter().copied().filter(|rule| rule.rejects).collect();
        said.extend(check::run(&Subject::workflow(&workflow, &document), &rules));
    }
    said.retain(|finding| finding.severity == Severity::Error);
    said
}

/// Findings for a report: `code: message`.
fn shown(findings: &[Diagnostic]) -> String {
    findings
        .iter()
        .map(|own| format!("{}: {}: {}", own.code, own.place.path, own.message))
        .collect::<Vec<_>>()
        .join("; ")
}
