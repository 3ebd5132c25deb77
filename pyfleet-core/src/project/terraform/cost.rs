//! What stacks cost: whose values an estimate is made with.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Serialize;

use super::super::environment::Environment;
use super::stack::placeholders;
use super::variable::{VariableValue, var_files, variables};
use crate::diagnostic::Diagnostics;
use crate::manifest::{self, Manifest, Slug};

/// The estimate of what the stacks cost a month.
#[derive(Debug, Clone)]
pub struct Cost {
    /// Infracost's exact version.
    pub version: String,
    /// The secret that holds its key.
    pub api_key: String,
    /// How much a change may add, in whole US dollars; nothing where there is no limit.
    pub max_monthly_increase: Option<u32>,
    /// What pull requests are estimated with, a stack each.
    pub stacks: Vec<StackCost>,
}

/// What one stack's estimate needs to know.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct StackCost {
    /// The stack.
    pub stack: String,
    /// Its directory.
    pub directory: String,
    /// The environment whose values are used: the last in promotion order that the stack is in, where it costs
    /// most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Values of input variables, but for secrets.
    pub variables: BTreeMap<String, VariableValue>,
    /// Variable files, relative to the directory.
    pub var_files: Vec<String>,
}

pub(super) fn resolve(
    manifest: &Manifest,
    written: &manifest::Terraform,
    environments: &[Environment],
    stacks: &IndexMap<Slug, manifest::Stack>,
    findings: &mut Diagnostics,
) -> Option<Cost> {
    let cost = written.cost.as_ref()?;
    let estimated = stacks.iter().filter(|(_, stack)| stack.cdktf.is_none()).filter_map(|(name, stack)| {
        let environment = environments.iter().rfind(|environment| stack.is_in(&environment.name));
        let values = placeholders(manifest, environment, name);
        let mut variables = variables(name, stack, &values, findings)?;
        variables.retain(|_, value| !matches!(value, VariableValue::Secret { .. }));
        Some(StackCost {
            stack: name.to_string(),
            directory: stack.root_module(name),
            environment: environment.map(|environment| environment.name.to_string()),
            variables,
            var_files: var_files(name, stack, &values, findings)?,
        })
    });
    Some(Cost {
        version: cost.version.to_string(),
        api_key: cost.api_key.secret.to_string(),
        max_monthly_increase: cost.max_monthly_increase,
        stacks: estimated.collect(),
    })
}
