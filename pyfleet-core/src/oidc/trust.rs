//! Who may assume a role: exactly the tokens of the jobs that need it.

use super::identity::Identity;
use super::policy::{Condition, Policy, Principal, Statement};
use crate::project::Project;

/// GitHub's OIDC provider, as AWS names it: the issuer's address without its scheme.
pub const PROVIDER: &str = "token.actions.githubusercontent.com";

/// What the token has to be made for
/// ([configure-aws-credentials: China](https://github.com/aws-actions/configure-aws-credentials#oidc)).
#[must_use]
pub fn audience(partition: &str) -> &'static str {
    if partition == "aws-cn" { "sts.amazonaws.com.cn" } else { "sts.amazonaws.com" }
}

/// The trust policy: every condition compares whole texts, and a claim that is missing is a refusal. `ForAllValues:`
/// would take a missing claim for a match, and a pattern would take more than is meant
/// ([AWS: roles for GitHub](https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html)).
#[must_use]
pub fn trust(project: &Project, identity: &Identity) -> Policy {
    let is =
        |claim: &str, value: String| Condition::one("StringEquals", &format!("{PROVIDER}:{claim}"), value);
    let is_one_of = |claim: &str, values: &[String]| {
        Condition::any_of("StringEquals", &format!("{PROVIDER}:{claim}"), values.to_vec())
    };
    let mut statement = Statement {
        principal: Some(Principal {
            federated: format!(
                "arn:{}:iam::{}:oidc-provider/{PROVIDER}",
                identity.partition, identity.account_id
            ),
        }),
        resource: None,
        ..Statement::allow("JobsOfThisRepository", &["sts:AssumeRoleWithWebIdentity"], Vec::new())
    };
    statement = statement
        .when(is("aud", audience(identity.partition).to_owned()))
        .when(is_one_of("sub", &identity.subjects));
    if let Some(id) = project.repository_id {
        statement = statement.when(is("repository_id", id.to_string()));
    }
    if !identity.workflows.is_empty() {
        statement = statement.when(is_one_of("job_workflow_ref", &identity.workflows));
    }
    Policy::of(vec![statement])
}
