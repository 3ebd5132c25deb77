//! Which scanner looks, and what the manifest accepts of what it finds.

use super::body::{Accepted, AcceptedFinding, Scanner};
use crate::manifest::{ScanTool, Severity};
use crate::project::{Project, WaivedAt, defaults};

/// Trivy, as it is installed.
pub(super) const TRIVY: Scanner = Scanner::Trivy { version: defaults::TRIVY_VERSION };

/// A scanner of Terraform's files, as it is installed.
pub(super) const fn scanner(tool: ScanTool) -> Scanner {
    match tool {
        ScanTool::Trivy => TRIVY,
        ScanTool::Tfsec => {
            let [amd64, arm64] = defaults::TFSEC_SHA256;
            Scanner::Tfsec { version: defaults::TFSEC_VERSION, amd64, arm64 }
        }
        ScanTool::Checkov => {
            Scanner::Checkov { package: defaults::CHECKOV, python: defaults::CHECKOV_PYTHON }
        }
    }
}

/// The lowest severity that counts, as the judge takes it; everything does where the scanner knows none.
pub(super) const fn counting_from(minimum: Option<Severity>) -> &'static str {
    match minimum {
        None => "unknown",
        Some(Severity::Low) => "low",
        Some(Severity::Medium) => "medium",
        Some(Severity::High) => "high",
        Some(Severity::Critical) => "critical",
    }
}

/// What is accepted in one place: `images.web`, `tests.api.pip-audit`.
pub(super) fn accepted_at(project: &Project, at: &str) -> Option<Accepted> {
    accepted(project, at.to_owned(), |own| own == at)
}

/// What is accepted in any stack, for a job over several: it knows which one it scans.
pub(super) fn accepted_in_stacks(project: &Project) -> Option<Accepted> {
    const STACKS: &str = "terraform.stacks.";
    accepted(project, format!("{STACKS}${{{{ matrix.stack }}}}"), |at| at.starts_with(STACKS))
}

fn accepted(project: &Project, scanned: String, is_there: impl Fn(&str) -> bool) -> Option<Accepted> {
    let findings: Vec<AcceptedFinding> = project
        .waivers
        .iter()
        .filter_map(|waiver| match &waiver.at {
            WaivedAt::Scanned(at) if is_there(at) => Some(AcceptedFinding {
                rule: waiver.rule.clone(),
                at: at.clone(),
                reason: waiver.reason.clone(),
                until: waiver.until.to_string(),
            }),
            _ => None,
        })
        .collect();
    (!findings.is_empty()).then_some(Accepted { scanned, findings })
}
