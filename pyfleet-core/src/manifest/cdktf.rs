//! A stack that CDKTF synthesises.

use super::path::RelativePath;
use super::version::{NodeVersion, ToolVersion};

/// A stack that the CDK for Terraform synthesises: a program writes what Terraform then plans and applies.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Cdktf {
    /// The program's directory: it has `cdktf.json`, `package.json` and `package-lock.json`.
    pub directory: RelativePath,
    /// The exact version of its command line, in quotes: "0.21.0". `package-lock.json` has the same.
    pub version: ToolVersion,
    /// The Node version. Default: "20".
    pub node: Option<NodeVersion>,
    /// Where Terraform's lock files are committed: `STACK/.terraform.lock.hcl` for each stack.
    pub lock_files: RelativePath,
    /// How it is applied. Default: `reviewed`, a saved plan.
    pub apply: Option<CdktfApply>,
}

/// How a synthesised stack is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CdktfApply {
    /// The plan that was looked at is the one that is applied.
    Reviewed,
}
