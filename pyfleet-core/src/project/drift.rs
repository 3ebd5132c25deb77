//! What becomes of drift.

use std::collections::BTreeSet;

use super::defaults;
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{Kind, Label, OnDrift, Person, Workflow};

/// What becomes of drift that a workflow finds.
#[derive(Debug, Clone)]
pub struct Drift {
    /// What it does.
    pub does: BTreeSet<OnDrift>,
    /// Labels of the issues that it opens, beside the one by which they are found.
    pub labels: Vec<Label>,
    /// Who is assigned to them.
    pub assignees: Vec<Person>,
}

pub(super) fn resolve(
    kind: Option<Kind>,
    written: &Workflow,
    path: &Path,
    findings: &mut Diagnostics,
) -> Drift {
    let does: BTreeSet<OnDrift> =
        written.on_drift.as_deref().unwrap_or(defaults::ON_DRIFT).iter().copied().collect();
    if does.is_empty() {
        findings.push(
            Diagnostic::error("invalid-value", path.key("on-drift"), "nobody would hear of drift")
                .with_help("name `issue`, `fail` or both"),
        );
    }
    let labels = written.labels.clone().unwrap_or_default();
    let assignees = written.assignees.clone().unwrap_or_default();
    let opens_none = kind == Some(Kind::TfDrift) && !does.is_empty() && !does.contains(&OnDrift::Issue);
    for (key, is_given, could) in [
        ("labels", !labels.is_empty(), "have a label"),
        ("assignees", !assignees.is_empty(), "be assigned to anybody"),
    ] {
        if opens_none && is_given {
            findings.push(
                Diagnostic::error(
                    "invalid-value",
                    Place::key(path.key(key)),
                    format!("no issue is opened that could {could}"),
                )
                .with_help(format!("add `issue` to `on-drift`, or take `{key}` out")),
            );
        }
    }
    // GitHub's limit is 100, and one is pyfleet's own.
    if labels.len() > 99 {
        findings.push(Diagnostic::error(
            "invalid-value",
            path.key("labels"),
            "an issue has at most 100 labels",
        ));
    }
    if assignees.len() > 10 {
        findings.push(Diagnostic::error(
            "invalid-value",
            path.key("assignees"),
            "an issue has at most 10 assignees",
        ));
    }
    Drift { does, labels, assignees }
}
