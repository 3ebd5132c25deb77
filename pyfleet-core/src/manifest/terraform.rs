//! Infrastructure as code: tool, state, scan, stacks.

use indexmap::IndexMap;

use super::cdktf::Cdktf;
use super::name::{Slug, VariableName, checked_string};
use super::path::RelativePath;
use super::value::{Secret, Value};
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
    /// An estimate of what the stacks cost a month. Default: none.
    pub cost: Option<Cost>,
    /// Which environments pull requests are planned against. Default: `non-production`; a project with a
    /// single environment has to choose.
    pub pull_request_plan: Option<PullRequestPlan>,
    /// How a saved plan gets from the job that plans to the job that applies. Default: `s3`.
    pub plan_hand_off: Option<PlanHandOff>,
    /// Addresses of resources and modules that no plan may destroy or replace.
    #[serde(default)]
    pub protected: Vec<ResourceAddress>,
    /// Outputs whose values are shown and kept after an apply; sensitive ones never are.
    #[serde(default)]
    pub publish_outputs: Vec<VariableName>,
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

impl Tool {
    /// What it is called on the command line.
    #[must_use]
    pub const fn command(self) -> &'static str {
        match self {
            Self::Terraform => "terraform",
            Self::OpenTofu => "tofu",
        }
    }
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
    /// The lowest severity that counts. Default: `medium`. Checkov knows none: whatever it finds counts.
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
    /// tfsec: gets no new checks any more; they are Trivy's now.
    Tfsec,
    /// Checkov.
    Checkov,
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

/// An estimate of what the stacks cost a month, and of what a change adds to it.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Cost {
    /// What estimates it. Default: `infracost`.
    pub tool: Option<CostTool>,
    /// Its exact version: 0.10.42.
    pub version: ToolVersion,
    /// The key for its prices: a secret of the repository. Without it there is no estimate, and a notice says so.
    pub api_key: Secret,
    /// How much a change may add to what a stack costs a month, in whole US dollars; 0 is nothing. More stops
    /// the pull request; an apply only shows it. Default: no limit.
    pub max_monthly_increase: Option<u32>,
}

/// An estimator of cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CostTool {
    /// Infracost.
    Infracost,
}

/// How a saved plan gets from the job that plans to the job that applies: it holds secrets in clear.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PlanHandOff {
    /// Through the state bucket: the plan role writes it there and cannot read it back.
    S3,
    /// Through an artifact that is encrypted with a passphrase.
    EncryptedArtifact(EncryptedArtifact),
}

/// An artifact that is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EncryptedArtifact {
    /// The passphrase, at least 16 characters.
    pub passphrase: Secret,
}

checked_string! {
    /// The address of a resource or module: `aws_db_instance.main`, `module.network`.
    ResourceAddress, pattern: "^[A-Za-z_][A-Za-z0-9_.\\-\\[\\]\"/: ]*$", max: 300,
    check: |text| text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.contains('.')
        && !text.ends_with('.')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-[]\"/: ".contains(&byte)),
    says: "an address is that of a resource or a module, as in `aws_db_instance.main` or `module.network`"
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
    /// Its directory; it has this, or `cdktf`.
    pub directory: Option<RelativePath>,
    /// The program that synthesises it.
    pub cdktf: Option<Cdktf>,
    /// `cdktf`: the services on Amazon ECS that it deploys itself. A pipeline waits for what an apply has started, and
    /// the plan has to have their images. Default: nothing is waited for, and the plan has to have every image.
    pub awaits: Option<Vec<Slug>>,
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
    /// Two colours, of which one is live: `promote` switches.
    pub blue_green: Option<BlueGreen>,
}

impl Stack {
    /// The directory that Terraform works in, from the repository's root: its own, or where a pipeline puts what
    /// CDKTF has synthesised.
    #[must_use]
    pub fn root_module(&self, name: &Slug) -> String {
        match (&self.cdktf, &self.directory) {
            (None, Some(directory)) => directory.normal().to_owned(),
            _ => format!("cdktf.out/stacks/{name}"),
        }
    }

    /// Whether the stack exists in an environment.
    #[must_use]
    pub fn is_in(&self, environment: &Slug) -> bool {
        self.environments.as_ref().is_none_or(|own| own.contains(environment))
    }
}

/// A stack of two colours, of which one is live.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BlueGreen {
    /// The input variable that takes the live colour: `blue` or `green`.
    pub variable: VariableName,
    /// The output that says which colour is live.
    pub output: ColorOutput,
    /// The environments that have two colours. Default: all that the stack is in.
    pub environments: Option<Vec<Slug>>,
    /// Whether a promotion that turns out unhealthy is taken back at once. Default: false.
    pub auto_revert: Option<bool>,
}

/// The output that says which colour is live.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ColorOutput {
    /// Its name.
    pub name: VariableName,
    /// What it says for each colour. Default: the colour itself.
    pub values: Option<ColorValues>,
}

/// What an output says for each colour.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ColorValues {
    /// Where blue is live.
    pub blue: String,
    /// Where green is live.
    pub green: String,
}
