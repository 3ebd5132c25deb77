//! The stacks of one environment, with all that a job needs to know to work on them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::environment::Environment;
use super::backend::settings;
use super::blue_green::{Colors, colors};
use super::variable::{VariableValue, var_files, variables};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{self, Manifest, Slug};

/// The stacks of one environment.
#[derive(Debug, Clone)]
pub struct EnvironmentStacks {
    /// The environment.
    pub environment: Slug,
    /// The runner.
    pub runner: Vec<String>,
    /// The account that credentials must belong to.
    pub account_id: String,
    /// The region.
    pub region: String,
    /// The stacks; at least one.
    pub stacks: Vec<StackSettings>,
}

/// One stack in one environment: what a job needs to know, and no more.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct StackSettings {
    /// The stack.
    pub stack: String,
    /// Its directory.
    pub directory: String,
    /// Settings of the S3 backend.
    pub backend: BTreeMap<&'static str, String>,
    /// Values of input variables.
    pub variables: BTreeMap<String, VariableValue>,
    /// Variable files, relative to the directory.
    pub var_files: Vec<String>,
    /// Where the stack has two colours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colors: Option<Colors>,
}

/// The settings of some of an environment's stacks; nothing where there is none of them, or something is missing.
pub(super) fn resolve<'a>(
    manifest: &Manifest,
    written: &manifest::Terraform,
    environment: &Environment,
    stacks: impl Iterator<Item = (&'a Slug, &'a manifest::Stack)>,
    help: &str,
    findings: &mut Diagnostics,
) -> Option<EnvironmentStacks> {
    let Some(backend) = &written.backend else {
        findings.push_once(
            Diagnostic::error(
                "missing-key",
                Place::key(Path::of(["terraform"])),
                "a plan reads state, and `backend` is missing",
            )
            .with_help(help),
        );
        return None;
    };
    let (Some(account_id), Some(region)) = (&environment.account_id, &environment.region) else {
        findings.push_once(
            Diagnostic::error(
                "missing-key",
                Place::key(Path::of(["environments", environment.name.as_str()])),
                "a plan assumes a role, and the environment has no AWS account or region",
            )
            .with_help("set `aws.account-id` and `aws.region`, for all environments or for this one"),
        );
        return None;
    };
    let mut resolved = Vec::new();
    for (name, stack) in stacks {
        let values = [
            ("environment", environment.name.as_str()),
            ("stack", name.as_str()),
            ("account-id", account_id.as_str()),
            ("region", region.as_str()),
            ("project", manifest.project.as_str()),
        ];
        let backend = settings(backend, region, &values, findings);
        let var_files = var_files(name, stack, &values, findings);
        let variables = variables(name, stack, &values, findings);
        let (Some(backend), Some(variables), Some(var_files)) = (backend, variables, var_files) else {
            continue;
        };
        resolved.push(StackSettings {
            stack: name.to_string(),
            directory: stack.directory.normal().to_owned(),
            backend,
            variables,
            var_files,
            colors: colors(stack, &environment.name),
        });
    }
    (!resolved.is_empty()).then(|| EnvironmentStacks {
        environment: environment.name.clone(),
        runner: environment.runner.clone(),
        account_id: account_id.to_string(),
        region: region.clone(),
        stacks: resolved,
    })
}
