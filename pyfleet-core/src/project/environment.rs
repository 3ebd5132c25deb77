//! Environments in promotion order.

use super::runner;
use crate::diagnostic::{Diagnostic, Diagnostics, Path};
use crate::manifest::{AccountId, AwsRoles, Health, Manifest, Reference, SafetyLevel, Slug, Value};
use serde_json::Value as Json;

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
        check_addresses(written.url.as_deref(), written.health.as_ref(), &path, findings);
        let own = written.aws.as_ref();
        let account_id = own.and_then(|own| own.account_id.clone()).or_else(|| aws?.account_id.clone());
        if let Some(own) = own {
            check_roles(&own.roles, account_id.as_ref(), &path.key("aws").key("roles"), findings);
        }
        environments.push(Environment {
            name: name.clone(),
            level: written.safety_level.unwrap_or(level),
            runner: match &written.runner {
                Some(labels) => runner(Some(labels), &path.key("runner"), findings),
                None => default_runner.to_vec(),
            },
            account_id,
            region: own
                .and_then(|own| own.region.clone())
                .or_else(|| aws?.region.clone())
                .map(|region| region.to_string()),
            roles: own.map(|own| own.roles.clone()).unwrap_or_default(),
        });
    }
    environments
}

fn check_roles(roles: &AwsRoles, account_id: Option<&AccountId>, path: &Path, findings: &mut Diagnostics) {
    let account_id = account_id.map(AccountId::as_str);
    for (role, value) in roles {
        let is_role = match value {
            Value::Held { reference: Reference::Variable(_), list } => !list,
            Value::Literal(Json::String(arn)) => is_role_arn(arn, account_id),
            Value::Held { .. } | Value::Literal(_) => false,
        };
        if !is_role {
            findings.push(
                Diagnostic::error(
                    "invalid-value",
                    path.key(role.name()),
                    "a role is the ARN of a role in the environment's account, or `{ variable: NAME }`",
                )
                .with_help(format!("as in `arn:aws:iam::{}:role/NAME`", account_id.unwrap_or("ACCOUNT"))),
            );
        }
    }
}

/// `arn:aws:iam::ACCOUNT:role/…`
/// ([AWS: IAM identifiers](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html)).
fn is_role_arn(arn: &str, account_id: Option<&str>) -> bool {
    let is_account = |account: &str| match account_id {
        Some(own) => account == own,
        None => account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()),
    };
    ["aws", "aws-cn", "aws-us-gov"].iter().any(|partition| {
        let role =
            arn.strip_prefix(&format!("arn:{partition}:iam::")).and_then(|rest| rest.split_once(":role/"));
        role.is_some_and(|(account, name)| {
            is_account(account)
                && (1..=576).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_/-".contains(&byte))
        })
    })
}

fn check_addresses(url: Option<&str>, health: Option<&Health>, path: &Path, findings: &mut Diagnostics) {
    let mut refuse = |path: Path, message: &str| {
        findings.push(Diagnostic::error("invalid-value", path, message));
    };
    let asked = health.map(|health| health.url.as_str());
    for (address, path) in [(url, path.key("url")), (asked, path.key("health").key("url"))] {
        if address.is_some_and(|address| !is_address(address)) {
            refuse(
                path,
                "an address starts with `https://` or `http://`, and holds no space and no password",
            );
        }
    }
    let Some(health) = health else { return };
    if health.expect_status.is_some_and(|status| !(100..=599).contains(&status)) {
        refuse(path.key("health").key("expect-status"), "an HTTP status is a number from 100 to 599");
    }
    if health.attempts.is_some_and(|attempts| !(1..=100).contains(&attempts)) {
        refuse(path.key("health").key("attempts"), "the number of attempts is from 1 to 100");
    }
}

/// An address that can be asked: nothing in it runs, and nothing in it is a secret.
fn is_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty()
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
            && text.len() <= 2000
            && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'<>\\^`{|}".contains(&byte))
    })
}
