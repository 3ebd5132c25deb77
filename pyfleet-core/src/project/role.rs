//! What jobs become on AWS: one role for each environment and purpose.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::environment::Environment;
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{AccountId, AwsRole, AwsRoles, GitHubName, Reference, Slug, Value};

/// A role: its ARN, or the GitHub variable that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// The ARN.
    Arn(String),
    /// The variable.
    Variable(GitHubName),
}

/// The environment's role for every purpose: those that the manifest names, `pyfleet-PROJECT-ENVIRONMENT-PURPOSE`
/// for the others. What the manifest has wrong is left out: [`check`] reports it.
pub(super) fn resolve(
    project: &Slug,
    environment: &Slug,
    account_id: &AccountId,
    region: Option<&str>,
    written: &AwsRoles,
) -> BTreeMap<AwsRole, Role> {
    let partition = partition(region.unwrap_or_default());
    AwsRole::ALL
        .into_iter()
        .filter_map(|purpose| {
            let role = match written.get(&purpose) {
                Some(Value::Held { reference: Reference::Variable(variable), list: false }) => {
                    Role::Variable(variable.clone())
                }
                Some(Value::Literal(Json::String(arn))) => Role::Arn(arn.clone()),
                Some(_) => return None,
                None => default(partition, account_id, project, environment, purpose),
            };
            Some((purpose, role))
        })
        .collect()
}

/// The role that pyfleet names itself.
pub(super) fn default(
    partition: &str,
    account_id: &AccountId,
    project: &Slug,
    environment: &Slug,
    purpose: AwsRole,
) -> Role {
    Role::Arn(format!(
        "arn:{partition}:iam::{account_id}:role/pyfleet-{project}-{environment}-{}",
        purpose.name()
    ))
}

/// The partition that a region lies in
/// ([AWS: partitions](https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html)).
#[must_use]
pub fn partition(region: &str) -> &'static str {
    match region.split_once('-') {
        Some(("cn", _)) => "aws-cn",
        Some(("us", rest)) if rest.starts_with("gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// Refuses what is not a role of the environment's account.
pub(super) fn check(
    roles: &AwsRoles,
    account_id: Option<&AccountId>,
    path: &Path,
    findings: &mut Diagnostics,
) {
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
pub(super) fn is_role_arn(arn: &str, account_id: Option<&str>) -> bool {
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

/// IAM's limit on a role's name
/// ([AWS: IAM quotas](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)).
pub(super) fn check_name(role: &Role, purpose: AwsRole, environment: &Slug, findings: &mut Diagnostics) {
    let Role::Arn(arn) = role else { return };
    if arn.rsplit('/').next().is_some_and(|name| name.len() > 64) {
        findings.push_once(
            Diagnostic::error(
                "platform-limits",
                Place::key(Path::of(["environments", environment.as_str()])),
                "the role's name would have more than 64 characters, which IAM refuses",
            )
            .with_help(format!("name an existing role under `aws.roles.{}`", purpose.name())),
        );
    }
}

/// What reads never changes, and no environment's role serves another: the role of a plan runs code before anybody has
/// agreed to it.
pub(super) fn check_apart(environments: &[Environment], findings: &mut Diagnostics) {
    let mut seen: BTreeMap<&str, (&Slug, AwsRole)> = BTreeMap::new();
    for environment in environments {
        for (purpose, role) in &environment.roles {
            let Role::Arn(arn) = role else { continue };
            let Some((other, used)) = seen.insert(arn, (&environment.name, *purpose)) else { continue };
            let path = Path::of(["environments", environment.name.as_str(), "aws", "roles", purpose.name()]);
            findings.push(
                Diagnostic::error(
                    "role-shared",
                    path,
                    format!("this is the role of `{}` in `{other}` as well", used.name()),
                )
                .with_help("each purpose in each environment has a role of its own: what trusts one would open the other"),
            );
        }
    }
}
