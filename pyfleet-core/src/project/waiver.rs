//! Waivers as they are meant.

use crate::check::rules::RULES;
use crate::diagnostic::{Diagnostic, Diagnostics, Path};
use crate::manifest::{Date, Manifest};
use crate::yaml::decode::closest;

/// What can be waived besides what rules find.
const OTHER_RULES: &[&str] = &["container-mutable-tag", "extension-with-rights"];

/// A finding that is accepted for a while.
#[derive(Debug, Clone)]
pub struct Waiver {
    /// The rule's code.
    pub rule: String,
    /// The workflow it holds for.
    pub workflow: String,
    /// The job it holds for; every job where none is named.
    pub job: Option<String>,
    /// Why.
    pub reason: String,
    /// The last day on which it holds.
    pub until: Date,
    /// Where it stands in the manifest.
    pub origin: Path,
}

pub(super) fn resolve(manifest: &Manifest, findings: &mut Diagnostics) -> Vec<Waiver> {
    let mut waivers = Vec::with_capacity(manifest.waivers.len());
    for (index, written) in manifest.waivers.iter().enumerate() {
        let origin = Path::of(["waivers"]).index(index);
        if written.reason.trim().len() < 8 {
            findings.push(
                Diagnostic::error(
                    "waiver-without-reason",
                    origin.key("reason"),
                    "a waiver says why in a few words",
                )
                .with_help("the next reader decides by it whether the waiver still holds"),
            );
        }
        if written.reason.contains('\n') {
            findings.push(Diagnostic::error(
                "invalid-value",
                origin.key("reason"),
                "a reason is one line: it stands where comments do",
            ));
        }
        let known = || RULES.iter().map(|rule| rule.code).chain(OTHER_RULES.iter().copied());
        if !known().any(|code| code == written.rule) {
            let finding =
                Diagnostic::error("unknown-reference", origin.key("rule"), "there is no rule of this name");
            findings.push(match closest(&written.rule, known()) {
                Some(close) => finding.with_help(format!("did you mean `{close}`?")),
                None => finding.with_help("a finding's rule stands in brackets behind `error` or `warning`"),
            });
        }
        let (workflow, job) = match written.at.split_once('.') {
            Some((workflow, job)) => (workflow, Some(job.to_owned())),
            None => (written.at.as_str(), None),
        };
        if !manifest.workflows.keys().any(|name| name.as_str() == workflow) {
            findings.push(
                Diagnostic::error("unknown-reference", origin.key("at"), "there is no workflow of this name")
                    .with_help(
                        "a waiver stands at a workflow, or at a workflow and a job: `test.test-api-unit`",
                    ),
            );
        }
        waivers.push(Waiver {
            rule: written.rule.clone(),
            workflow: workflow.to_owned(),
            job,
            reason: written.reason.clone(),
            until: written.until.clone(),
            origin,
        });
    }
    waivers
}
