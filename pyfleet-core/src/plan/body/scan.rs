//! The contexts of steps that judge what a scanner finds.

use serde::Serialize;

use crate::manifest::OnFindings;

/// A scanner of Terraform's files or of an image, as it is installed.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum Scanner {
    /// Trivy.
    Trivy {
        /// Its version.
        version: &'static str,
    },
    /// tfsec.
    Tfsec {
        /// Its version.
        version: &'static str,
        /// The SHA-256 of its archive for `linux_amd64`.
        amd64: &'static str,
        /// The SHA-256 of its archive for `linux_arm64`.
        arm64: &'static str,
    },
    /// Checkov.
    Checkov {
        /// The package, with its exact version.
        package: &'static str,
        /// The Python that it runs on.
        python: &'static str,
    },
}

impl Scanner {
    /// The tool's name, as the manifest has it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Trivy { .. } => "trivy",
            Self::Tfsec { .. } => "tfsec",
            Self::Checkov { .. } => "checkov",
        }
    }
}

/// What the manifest accepts of what is found in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Accepted {
    /// What is scanned, as the findings name it; an expression where a job scans several.
    pub scanned: String,
    /// What is accepted.
    pub findings: Vec<AcceptedFinding>,
}

/// A finding of a scanner that is accepted for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AcceptedFinding {
    /// What the scanner calls it.
    pub rule: String,
    /// Where it is accepted.
    pub at: String,
    /// Why.
    pub reason: String,
    /// The last day on which it is.
    pub until: String,
}

/// A step that lets a tool look at one directory's code or dependencies, and judges what it found.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CodeCheck {
    /// The step's name.
    pub name: &'static str,
    /// The expression that says when it runs.
    pub condition: String,
    /// The script that runs the tool.
    pub script: &'static str,
    /// The tool.
    pub scanner: &'static str,
    /// The report's title.
    pub title: String,
    /// Where it looks.
    pub directory: String,
    /// The requirements file that it reads, from the directory.
    pub requirements: Option<String>,
    /// The expression that yields its key.
    pub api_key: Option<String>,
    /// The lowest severity that counts, as the judge takes it.
    pub minimum_severity: &'static str,
    /// What findings do.
    pub on_findings: OnFindings,
    /// What is accepted.
    pub accepted: Option<Accepted>,
}
