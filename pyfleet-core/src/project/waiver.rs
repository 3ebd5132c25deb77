//! Waivers as they are meant.

use crate::check::rules::RULES;
use crate::diagnostic::{Diagnostic, Diagnostics, Path};
use crate::manifest::{Date, Manifest};
use crate::yaml::decode::closest;

/// What can be waived besides what rules find in workflows: warnings about an image of the manifest.
const IN_MANIFEST: &[&str] = &["container-mutable-tag"];

/// What can be waived besides what rules find, in workflows.
const IN_WORKFLOWS: &[&str] = &["extension-with-rights"];

/// A finding that is accepted for a while.
#[derive(Debug, Clone)]
pub struct Waiver {
    /// The rule's code.
    pub rule: String,
    /// Where it holds.
    pub at: WaivedAt,
    /// Why.
    pub reason: String,
    /// The last day on which it holds.
    pub until: Date,
    /// Where it stands in the manifest.
    pub origin: Path,
}

/// Where a waiver holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaivedAt {
    /// In a rendered workflow.
    Workflow {
        /// The workflow.
        name: String,
        /// The job; every job where none is named.
        job: Option<String>,
    },
    /// In a workflow file that the manifest does not render, by its name below `.github/workflows`.
    File {
        /// The file.
        name: String,
        /// The job; every job where none is named.
        job: Option<String>,
    },
    /// In the manifest, at a key and below.
    Manifest(Path),
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
        let others = || IN_MANIFEST.iter().chain(IN_WORKFLOWS).copied();
        let known = || RULES.iter().map(|rule| rule.code).chain(others());
        if !known().any(|code| code == written.rule) {
            let finding =
                Diagnostic::error("unknown-reference", origin.key("rule"), "there is no rule of this name");
            findings.push(match closest(&written.rule, known()) {
                Some(close) => finding.with_help(format!("did you mean `{close}`?")),
                None => finding.with_help("a finding's rule stands in brackets behind `error` or `warning`"),
            });
        }
        let at = match IN_MANIFEST.contains(&written.rule.as_str()) {
            true => in_manifest(manifest, &written.at, &origin, findings),
            false => in_workflow(manifest, &written.at, &origin, findings),
        };
        waivers.push(Waiver {
            rule: written.rule.clone(),
            at,
            reason: written.reason.clone(),
            until: written.until.clone(),
            origin,
        });
    }
    waivers
}

fn in_manifest(manifest: &Manifest, at: &str, origin: &Path, findings: &mut Diagnostics) -> WaivedAt {
    let is_image = |name: &str| manifest.images.keys().any(|image| image.as_str() == name);
    if !at.strip_prefix("images.").is_some_and(is_image) {
        findings.push(
            Diagnostic::error("unknown-reference", origin.key("at"), "there is no image of this name")
                .with_help("this finding is about an image: `images.web`"),
        );
    }
    WaivedAt::Manifest(Path::of(at.split('.')))
}

fn in_workflow(manifest: &Manifest, at: &str, origin: &Path, findings: &mut Diagnostics) -> WaivedAt {
    if let Some(file) = at.strip_prefix(".github/workflows/") {
        let (name, job) = match file.split_once(':') {
            Some((name, job)) => (name, Some(job.to_owned())),
            None => (file, None),
        };
        if manifest.workflows.keys().any(|own| name.strip_suffix(".yml") == Some(own.as_str())) {
            findings.push(
                Diagnostic::error("invalid-value", origin.key("at"), "the manifest renders this file")
                    .with_help(
                        "name the workflow as the manifest does: `test`, or `test.test-api-unit` for a job",
                    ),
            );
        }
        return WaivedAt::File { name: name.to_owned(), job };
    }
    let (name, job) = match at.split_once('.') {
        Some((name, job)) => (name, Some(job.to_owned())),
        None => (at, None),
    };
    if !manifest.workflows.keys().any(|own| own.as_str() == name) {
        findings.push(
            Diagnostic::error("unknown-reference", origin.key("at"), "there is no workflow of this name")
                .with_help("a waiver stands at a workflow, or at a workflow and a job: `test.test-api-unit`")
                .with_help(
                    "a file that the manifest does not render has its path: `.github/workflows/legacy.yml`",
                ),
        );
    }
    WaivedAt::Workflow { name: name.to_owned(), job }
}
