//! A scan's findings on the repository's security page.
//!
//! Only for public repositories: elsewhere GitHub takes them for a paid plan only, and the job would fail
//! ([GitHub: about code scanning](https://docs.github.com/en/code-security/code-scanning/introduction-to-code-scanning/about-code-scanning)).

use super::Permission;
use super::body::{Body, CodeScanning};
use super::condition::expression;
use super::draft::{Draft, NewJob};
use crate::diagnostic::Path;
use crate::manifest::Visibility;
use crate::project::Project;
use crate::workflow::{self as model, Level, Scope};

const UPLOAD: &[Permission] = &[Permission {
    scope: Scope::SecurityEvents,
    level: Level::Write,
    because: "show the findings on the security page",
}];

/// Whether the project's repository takes findings.
pub(super) fn is_available(project: &Project) -> bool {
    project.visibility == Visibility::Public
}

/// The job behind a scan. `model` needs the scan, and holds the condition under which there is a report.
pub(super) fn job(
    draft: &Draft<'_>,
    id: String,
    mut model: model::Job,
    artifact: &str,
    category: &str,
    origin: Path,
) -> NewJob {
    let may_write = draft.may_hold_secrets().map(|condition| format!("({condition})"));
    let conditions: Vec<String> =
        [Some("!cancelled()".to_owned()), model.condition.take(), may_write].into_iter().flatten().collect();
    model.condition = Some(expression(&conditions.join(" && ")));
    NewJob {
        id,
        model,
        permissions: UPLOAD,
        because: "A fork's and Dependabot's token cannot write.",
        identity: None,
        body: Body::CodeScanning(CodeScanning {
            artifact: artifact.to_owned(),
            category: category.to_owned(),
        }),
        origin,
    }
}
