//! What a job needs to become something on AWS.

use crate::manifest::{AwsRole, Slug};
use crate::plan::condition::expression;
use crate::project::{Project, Role};

/// The role of an environment for a purpose: its ARN, or the expression that yields it.
pub(super) fn role(project: &Project, environment: &Slug, purpose: AwsRole) -> String {
    match project.role(environment, purpose) {
        Some(Role::Arn(arn)) => arn.clone(),
        Some(Role::Variable(variable)) => expression(&format!("vars.{variable}")),
        // An environment without an account has no targets.
        None => String::new(),
    }
}
