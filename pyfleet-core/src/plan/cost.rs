//! What stacks cost: the same job wherever they are planned.
//!
//! It holds no identity and reads no state: the estimate is made from the configuration of two commits. The key is
//! on the one step that needs it, and buys nothing but prices.

use super::body::{Body, CostComment, TerraformCost};
use super::condition::expression;
use super::draft::{CHECK_OUT, NewJob};
use crate::diagnostic::Path;
use crate::project::{Cost, Project, VariableValue};
use crate::workflow as model;

/// The job's id.
pub(super) const JOB: &str = "cost";
/// Two estimates of five minutes at most, and what stands before them.
pub(super) const MINUTES: u16 = 15;

/// The job over some stacks: `model` holds which, and under which condition; `values` are those that their
/// estimates are made with.
pub(super) fn job<'a>(
    project: &Project,
    cost: &Cost,
    model: model::Job,
    because: &'static str,
    environment: &str,
    values: impl Iterator<Item = &'a VariableValue>,
) -> NewJob {
    let mut held_variables: Vec<String> = values
        .filter_map(|value| match value {
            VariableValue::Held { variable, .. } => Some(variable.clone()),
            VariableValue::Secret { .. } | VariableValue::Literal(_) => None,
        })
        .collect();
    held_variables.sort_unstable();
    held_variables.dedup();
    NewJob {
        id: JOB.to_owned(),
        model,
        permissions: &[CHECK_OUT],
        because,
        identity: None,
        body: Body::TerraformCost(TerraformCost {
            version: cost.version.clone(),
            api_key: expression(&format!("secrets.{}", cost.api_key)),
            environment: expression(environment),
            held_variables,
            max_monthly_increase: limit(cost),
            artifact_days: project.artifact_days,
        }),
        origin: Path::of(["terraform", "cost"]),
    }
}

/// How it is commented on a pull request.
pub(super) fn comment(cost: &Cost) -> CostComment {
    CostComment { max_monthly_increase: limit(cost) }
}

fn limit(cost: &Cost) -> Option<String> {
    cost.max_monthly_increase.map(|limit| limit.to_string())
}
