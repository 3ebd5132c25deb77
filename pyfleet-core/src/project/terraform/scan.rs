//! The security scan of the configuration as it is meant.

use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{self, OnFindings, ScanTool, Severity};
use crate::project::defaults;

/// The security scan of the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Scan {
    /// The scanner.
    pub tool: ScanTool,
    /// The lowest severity that counts; nothing where the scanner knows none.
    pub minimum_severity: Option<Severity>,
    /// Whether findings stop the pull request.
    pub on_findings: OnFindings,
}

pub(super) fn resolve(terraform: &manifest::Terraform, findings: &mut Diagnostics) -> Scan {
    let written = terraform.scan.as_ref();
    let path = Path::of(["terraform", "scan"]);
    let tool = written.and_then(|scan| scan.tool).unwrap_or(defaults::SCAN_TOOL);
    let severity = written.and_then(|scan| scan.minimum_severity);
    if tool == ScanTool::Tfsec {
        findings.push(
            Diagnostic::warning(
                "archived",
                path.key("tool"),
                "tfsec gets no new checks any more: its makers have put them into Trivy",
            )
            .with_help("`tool: trivy`, which finds the same and honours `tfsec:ignore` comments"),
        );
    }
    if tool == ScanTool::Checkov && severity.is_some() {
        findings.push(
            Diagnostic::error(
                "invalid-value",
                Place::key(path.key("minimum-severity")),
                "checkov knows no severity without an account: whatever it finds counts",
            )
            .with_help("take it out; a waiver accepts a single finding, with a reason and an end"),
        );
    }
    Scan {
        tool,
        minimum_severity: (tool != ScanTool::Checkov).then(|| severity.unwrap_or(defaults::SCAN_SEVERITY)),
        on_findings: written.and_then(|scan| scan.on_findings).unwrap_or(defaults::ON_FINDINGS),
    }
}
