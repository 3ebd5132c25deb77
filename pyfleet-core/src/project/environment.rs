//! Environments in promotion order.

use super::runner;
use crate::diagnostic::{Diagnostic, Diagnostics, Path};
use crate::manifest::{AccountId, AwsRoles, Manifest, SafetyLevel, Slug};

/// One environment as it is meant.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Its name.
    pub name: Slug,
    /// How far automation may go here.
    pub level: SafetyLevel,
    /// The runner of its jobs.
    pub runner: Vec<String>,
    /// Its AWS account, where one is declared.
    pub account_id: Option<AccountId>,
    /// Its AWS region, where one is declared.
    pub region: Option<String>,
    /// Its existing roles.
    pub roles: AwsRoles,
}

pub(super) fn resolve(
    manifest: &Manifest,
    level: SafetyLevel,
    default_runner: &[String],
    findings: &mut Diagnostics,
) -> Vec<Environment> {
    let aws = manifest.aws.as_ref();
    let mut environments = Vec::with_capacity(manifest.environments.len());
    for (name, written) in &manifest.environments {
        let path = Path::of(["environments", name.as_str()]);
        if written.safety_level.is_some_and(|own| own > level) {
            findings.push(
                Diagnostic::error(
                    "level-exceeded",
                    path.key("safety-level"),
                    format!(
                        "an environment may not go further than its project, which is at level {}",
                        level.number()
                    ),
                )
                .with_help("lower it, or raise `safety-level` of the project"),
            );
        }
        if name.as_str().ends_with("-plan") || name.as_str().ends_with("-approval") {
            findings.push(
                Diagnostic::error(
                    "name-collision",
                    crate::diagnostic::Place::key(path.clone()),
                    "names that end in `-plan` and `-approval` are kept for the environments that belong to another",
                )
                .with_help("choose another name"),
            );
        }
        let own = written.aws.as_ref();
        environments.push(Environment {
            name: name.clone(),
            level: written.safety_level.unwrap_or(level),
            runner: match &written.runner {
                Some(labels) => runner(Some(labels), &path.key("runner"), findings),
                None => default_runner.to_vec(),
            },
            account_id: own.and_then(|own| own.account_id.clone()).or_else(|| aws?.account_id.clone()),
            region: own
                .and_then(|own| own.region.clone())
                .or_else(|| aws?.region.clone())
                .map(|region| region.to_string()),
            roles: own.map(|own| own.roles.clone()).unwrap_or_default(),
        });
    }
    environments
}
