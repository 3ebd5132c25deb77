//! The stacks of one environment, with all that a job needs to know to work on them.

use std::collections::BTreeMap;

use indexmap::IndexMap;
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
    /// Whether the environment can be asked for its health behind it: no other stack needs it.
    pub serves: bool,
    /// Where the stack has two colours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colors: Option<Colors>,
    /// Whether CDKTF synthesises it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub synthesised: bool,
    /// How many stacks, in a row, have to be there before it.
    #[serde(skip)]
    pub depth: usize,
}

impl EnvironmentStacks {
    /// The stacks in layers: none needs another one of its layer, or of a later one.
    #[must_use]
    pub fn layers(&self) -> Vec<Vec<&StackSettings>> {
        let mut layers: BTreeMap<usize, Vec<&StackSettings>> = BTreeMap::new();
        for stack in &self.stacks {
            layers.entry(stack.depth).or_default().push(stack);
        }
        layers.into_values().collect()
    }
}

/// How many stacks, in a row, have to be there before each. What is in a circle, which is a finding of its own, stays
/// at 0.
fn depths(stacks: &IndexMap<Slug, manifest::Stack>) -> BTreeMap<&Slug, usize> {
    let mut waits_for: BTreeMap<&Slug, usize> = BTreeMap::new();
    let mut needed_by: BTreeMap<&Slug, Vec<&Slug>> = BTreeMap::new();
    for (name, stack) in stacks {
        waits_for.insert(name, stack.depends_on.len());
        for needed in &stack.depends_on {
            needed_by.entry(needed).or_default().push(name);
        }
    }
    let mut depths: BTreeMap<&Slug, usize> = BTreeMap::new();
    let mut ready: Vec<&Slug> =
        waits_for.iter().filter(|(_, needed)| **needed == 0).map(|(name, _)| *name).collect();
    while let Some(name) = ready.pop() {
        let next = depths.get(name).map_or(1, |depth| depth + 1);
        for behind in needed_by.get(name).into_iter().flatten().copied() {
            let depth = depths.entry(behind).or_default();
            *depth = next.max(*depth);
            if let Some(needed) = waits_for.get_mut(behind) {
                *needed = needed.saturating_sub(1);
                if *needed == 0 {
                    ready.push(behind);
                }
            }
        }
    }
    depths
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
    let depths = depths(&written.stacks);
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
            directory: stack.root_module(name),
            synthesised: stack.cdktf.is_some(),
            backend,
            variables,
            var_files,
            serves: !written.stacks.values().any(|other| other.depends_on.contains(name)),
            colors: colors(stack, &environment.name),
            depth: depths.get(name).copied().unwrap_or_default(),
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

/// Every stack of every environment has a state of its own, and a bucket lies in one account and region.
pub(super) fn check_apart(targets: &[EnvironmentStacks], findings: &mut Diagnostics) {
    let backend = Path::of(["terraform", "backend"]);
    let mut states: BTreeMap<(&str, &str), String> = BTreeMap::new();
    let mut buckets: BTreeMap<&str, &EnvironmentStacks> = BTreeMap::new();
    for target in targets {
        for stack in &target.stacks {
            let (Some(bucket), Some(key)) = (stack.backend.get("bucket"), stack.backend.get("key")) else {
                continue;
            };
            let name = format!("`{}` in `{}`", stack.stack, target.environment);
            if let Some(other) = states.insert((bucket, key), name.clone())
                && !findings.iter().any(|known| known.code == "state-shared")
            {
                findings.push(
                    Diagnostic::error(
                        "state-shared",
                        backend.key("key"),
                        format!(
                            "{other} and {name} would share one state: an apply of one destroys the other"
                        ),
                    )
                    .with_help("keep them apart by slashes: `{environment}/{stack}.tfstate`"),
                );
            }
            let other = *buckets.entry(bucket).or_insert(target);
            if (&other.account_id, &other.region) != (&target.account_id, &target.region) {
                findings.push_once(
                    Diagnostic::error(
                        "invalid-value",
                        backend.key("bucket"),
                        format!(
                            "a bucket lies in one account and one region, and `{}` has others than `{}`",
                            target.environment, other.environment
                        ),
                    )
                    .with_help("put `{account-id}`, `{region}` or `{environment}` into its name"),
                );
            }
        }
    }
}
