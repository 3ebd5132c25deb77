//! Infrastructure as code: tool, state, scan, stacks.

use indexmap::IndexMap;

use super::name::{Slug, VariableName};
use super::path::RelativePath;
use super::value::Value;
use super::version::ToolVersion;

/// Infrastructure as code.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Terraform {
    /// The command. Default: `terraform`.
    pub tool: Option<Tool>,
    /// Its exact version, in quotes: "1.11.4".
    pub version: ToolVersion,
    /// Where state is kept.
    pub backend: Option<Backend>,
    /// The security scan of the configuration. Default: trivy, medium, fail.
    pub scan: Option<Scan>,
    /// Which environments pull requests are planned against. Default: `non-production`; a project with a
    /// single environment has to choose.
    pub pull_request_plan: Option<PullRequestPlan>,
    /// The only stack's directory; it is named after the project.
    pub directory: Option<RelativePath>,
    /// The stacks by name.
    #[serde(default)]
    pub stacks: IndexMap<Slug, Stack>,
}

/// The infrastructure tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Tool {
    /// HashiCorp Terraform.
    Terraform,
    /// OpenTofu.
    #[serde(rename = "opentofu")]
    OpenTofu,
}

/// Where state is kept: an S3 bucket.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Backend {
    /// The bucket; `{environment}`, `{account-id}`, `{region}` and `{project}` are filled in.
    pub bucket: String,
    /// The state's key; `{environment}` and `{stack}` as well.
    pub key: String,
    /// How state is locked. Default: `s3`, Terraform's own lock file.
    pub lock: Option<Lock>,
    /// The DynamoDB table, where `lock` is `dynamodb` or `both`.
    pub lock_table: Option<String>,
}

/// How state is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Lock {
    /// A lock file beside the state; Terraform 1.10 or later.
    S3,
    /// An item in a DynamoDB table.
    #[serde(rename = "dynamodb")]
    DynamoDb,
    /// Both, while a project moves from one to the other.
    Both,
}

/// The security scan of the configuration.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Scan {
    /// The scanner. Default: `trivy`.
    pub tool: Option<ScanTool>,
    /// The lowest severity that counts. Default: `medium`.
    pub minimum_severity: Option<Severity>,
    /// Whether findings stop the pull request. Default: `fail`.
    pub on_findings: Option<OnFindings>,
}

/// A scanner of infrastructure code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ScanTool {
    /// Aqua Security Trivy.
    Trivy,
}

/// How severe a finding of a scanner is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

/// What findings do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OnFindings {
    /// The job fails.
    Fail,
    /// The summary shows them.
    Warn,
}

/// Which environments pull requests are planned against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PullRequestPlan {
    /// None: only static checks.
    None,
    /// All but the last environment in promotion order.
    NonProduction,
    /// All of them. Planning runs the pull request's code with a role that reads each of them.
    All,
}

/// One stack: a directory with a state of its own in every environment.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Stack {
    /// Its directory.
    pub directory: RelativePath,
    /// The stacks that have to be applied before it.
    #[serde(default)]
    pub depends_on: Vec<Slug>,
    /// The environments it exists in. Default: all.
    pub environments: Option<Vec<Slug>>,
    /// Variable files, relative to the stack's directory; `{environment}` is filled in.
    #[serde(default)]
    pub var_files: Vec<String>,
    /// Values of its input variables; `{environment}` and the other placeholders are filled in.
    #[serde(default)]
    pub variables: IndexMap<VariableName, Value>,
}
