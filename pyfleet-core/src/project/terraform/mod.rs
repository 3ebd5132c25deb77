//! Stacks, state and pull-request plans as they are meant.

mod backend;
mod blue_green;
mod cdktf;
mod cost;
mod environment_stacks;
mod pull_request_plan;
mod scan;
mod stack;
mod variable;

use std::collections::BTreeMap;

use indexmap::IndexMap;

use self::backend::check_backend;
pub use self::blue_green::Colors;
use self::blue_green::check_blue_green;
pub use self::cdktf::Synthesised;
pub(crate) use self::cdktf::image_variable;
pub use self::cost::{Cost, StackCost};
pub use self::environment_stacks::{EnvironmentStacks, StackSettings};
pub use self::pull_request_plan::NotPlanned;
use self::pull_request_plan::{plan, planned_environments};
pub use self::scan::Scan;
use self::stack::{check_dependencies, check_environments, check_size, check_texts, outside_var_files};
pub use self::variable::VariableValue;
use super::defaults;
use super::environment::Environment;
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{
    self, Kind, Lock, Manifest, PlanHandOff, RelativePath, ResourceAddress, SafetyLevel, Slug, StageKind,
    Tool, VariableName,
};

/// Infrastructure as code.
#[derive(Debug, Clone)]
pub struct Terraform {
    /// The command.
    pub tool: Tool,
    /// Its exact version.
    pub version: String,
    /// Whether that version can run tests: 1.6 and later.
    pub has_tests: bool,
    /// The security scan.
    pub scan: Scan,
    /// The estimate of what the stacks cost.
    pub cost: Option<Cost>,
    /// Stacks of which the sources are Terraform's own, by name.
    pub stacks: BTreeMap<Slug, Stack>,
    /// Stacks that CDKTF synthesises, by name. With `stacks` at least one.
    pub synthesised: BTreeMap<Slug, Synthesised>,
    /// How state is locked.
    pub lock: Lock,
    /// How a saved plan gets from the job that plans to the job that applies.
    pub plan_hand_off: PlanHandOff,
    /// Addresses that no plan may destroy or replace.
    pub protected: Vec<ResourceAddress>,
    /// Outputs whose values are shown and kept after an apply.
    pub publish_outputs: Vec<VariableName>,
    /// What workflows work on that read state or change it, by hand or by the clock, in promotion order: every
    /// environment with all of its stacks; empty where no such workflow is wanted. An environment below level 3
    /// is here if its account is known: nothing works on it, but its states may lie beside others.
    pub targets: Vec<EnvironmentStacks>,
    /// What pull requests are planned against; empty below level 3.
    pub plans: Vec<EnvironmentStacks>,
    /// What is left out of these plans, and why.
    pub not_planned: Vec<NotPlanned>,
}

/// One stack.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Its directory.
    pub directory: RelativePath,
    /// What else changes it: variable files outside of the directory.
    pub var_files: Vec<String>,
}

pub(super) fn resolve(
    manifest: &Manifest,
    level: SafetyLevel,
    environments: &[Environment],
    findings: &mut Diagnostics,
) -> Option<Terraform> {
    let written = manifest.terraform.as_ref()?;
    let path = Path::of(["terraform"]);
    let stacks = stacks(manifest, written, findings);
    check_size(&stacks, findings);
    check_dependencies(&stacks, findings);
    check_environments(&stacks, environments, findings);
    check_texts(manifest, written, environments, &stacks, findings);
    check_backend(manifest, written, environments, &stacks, findings);
    check_blue_green(&stacks, environments, findings);
    let synthesised = cdktf::resolve(manifest, &stacks, findings);
    let mut terraform = Terraform {
        tool: written.tool.unwrap_or(defaults::TOOL),
        version: written.version.to_string(),
        has_tests: written.version.parts() >= [1, 6].as_slice(),
        scan: scan::resolve(written, findings),
        cost: cost::resolve(manifest, written, environments, &stacks, findings),
        stacks: stacks
            .iter()
            .filter(|(_, stack)| stack.cdktf.is_none())
            .filter_map(|(name, stack)| {
                let directory = stack.directory.clone()?;
                let var_files = outside_var_files(stack, environments);
                Some((name.clone(), Stack { directory, var_files }))
            })
            .collect(),
        synthesised,
        lock: written.backend.as_ref().and_then(|backend| backend.lock).unwrap_or(defaults::LOCK),
        plan_hand_off: written.plan_hand_off.clone().unwrap_or(defaults::PLAN_HAND_OFF),
        protected: written.protected.clone(),
        publish_outputs: written.publish_outputs.clone(),
        targets: Vec::new(),
        plans: Vec::new(),
        not_planned: Vec::new(),
    };
    if [Kind::Tf, Kind::TfAuto, Kind::TfDrift, Kind::CheckState, Kind::TestOidc]
        .into_iter()
        .any(|kind| manifest.renders(kind))
        || manifest.has_stage(StageKind::Terraform)
    {
        let is_known = |environment: &&Environment| {
            environment.level >= SafetyLevel::READS
                || (environment.account_id.is_some() && environment.region.is_some())
        };
        for environment in environments.iter().filter(is_known) {
            let every = stacks.iter().filter(|(_, stack)| stack.is_in(&environment.name));
            let target = environment_stacks::resolve(
                manifest,
                written,
                environment,
                every,
                "say where state is kept",
                findings,
            );
            terraform.targets.extend(target);
        }
    }
    environment_stacks::check_apart(&terraform.targets, findings);
    for target in &terraform.targets {
        let environment = environments.iter().find(|environment| environment.name == target.environment);
        for (purpose, role) in environment.into_iter().flat_map(|environment| &environment.roles) {
            super::role::check_name(role, *purpose, &target.environment, findings);
        }
    }
    if !terraform.targets.is_empty() {
        pull_request_plan::check_session(manifest, findings);
    }
    let planned = planned_environments(written, level, environments, &path, findings);
    for environment in planned {
        plan(manifest, written, environment, &stacks, &mut terraform, findings);
    }
    Some(terraform)
}

/// The stacks by name; a single `directory` is a stack named after the project.
fn stacks(
    manifest: &Manifest,
    written: &manifest::Terraform,
    findings: &mut Diagnostics,
) -> IndexMap<Slug, manifest::Stack> {
    let path = Path::of(["terraform"]);
    match (&written.directory, written.stacks.is_empty()) {
        (Some(directory), true) => {
            let stack = manifest::Stack {
                directory: Some(directory.clone()),
                cdktf: None,
                awaits: None,
                depends_on: Vec::new(),
                environments: None,
                var_files: Vec::new(),
                variables: IndexMap::new(),
                blue_green: None,
            };
            IndexMap::from([(manifest.project.clone(), stack)])
        }
        (None, false) => {
            let mut sorted = written.stacks.clone();
            sorted.sort_keys();
            sorted
        }
        (Some(_), false) => {
            findings.push(
                Diagnostic::error(
                    "invalid-value",
                    Place::key(path.key("directory")),
                    "`directory` and `stacks` exclude each other",
                )
                .with_help("move the directory into a stack of its own"),
            );
            written.stacks.clone()
        }
        (None, true) => {
            findings.push(
                Diagnostic::error("missing-key", Place::key(path), "there is neither `directory` nor `stacks`")
                    .with_help("one directory: `directory: terraform`; several: `stacks: { network: { directory: infra/network } }`"),
            );
            IndexMap::new()
        }
    }
}
