//! Static analysis and dependency audit of the code.

use super::terraform::Severity;

/// Static analysis and dependency audit of the code.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Security {
    /// Style and error checks of Python code.
    pub flake8: Option<Flake8>,
    /// Security checks of Python code.
    pub bandit: Option<Bandit>,
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

/// Known vulnerabilities of dependencies.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DependencyAudit {
    /// The tool.
    pub tool: DependencyTool,
}

/// An auditor of dependencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DependencyTool {
    /// pip-audit, for Python.
    PipAudit,
}
