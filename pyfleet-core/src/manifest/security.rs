//! Static analysis and dependency audit of the code.

use super::one_or_many::OneOrMany;
use super::terraform::{OnFindings, Severity};
use super::value::Secret;

/// Static analysis and dependency audit of the code, in the directories of the test groups: of Python, of Node, or both.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Security {
    /// Style and error checks of Python code.
    pub flake8: Option<Flake8>,
    /// Security checks of Python code.
    pub bandit: Option<Bandit>,
    /// The project's own checks of JavaScript and TypeScript: the ESLint of its lock file, by its configuration.
    pub eslint: Option<Eslint>,
    /// Known vulnerabilities of dependencies.
    pub dependencies: Option<DependencyAudit>,
}

/// Style and error checks of Python code.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Flake8 {}

/// Security checks of Python code.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Bandit {
    /// The lowest severity that counts. Default: `medium`.
    pub minimum_severity: Option<Severity>,
}

/// The project's own checks of JavaScript and TypeScript. What its configuration calls an error counts; warnings are shown.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Eslint {
    /// Whether errors stop the pull request. Default: `fail`.
    pub on_findings: Option<OnFindings>,
}

/// Known vulnerabilities of dependencies.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DependencyAudit {
    /// The tool, or several: `[pip-audit, npm-audit]` for a project in both languages.
    pub tool: OneOrMany<DependencyTool>,
    /// The lowest severity that counts, of `npm-audit`. Default: `high`. The others know none: whatever they find counts.
    pub minimum_severity: Option<Severity>,
    /// Whether findings stop the pull request. Default: `fail`.
    pub on_findings: Option<OnFindings>,
    /// The key of `safety`, which answers nobody without an account: a secret of the repository.
    pub api_key: Option<Secret>,
}

/// An auditor of dependencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DependencyTool {
    /// pip-audit, for Python.
    PipAudit,
    /// Safety, for Python: with an account, by its key.
    Safety,
    /// `npm audit`, for Node.
    NpmAudit,
}
