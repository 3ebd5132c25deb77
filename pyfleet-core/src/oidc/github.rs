//! What the workflows rely on at GitHub: environments, and the variables and secrets that jobs read in them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::plan::{Body, Plan};
use crate::project::Project;

/// A GitHub environment that jobs run in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct GitHubEnvironment {
    /// Its name.
    pub name: String,
    /// The only branch whose runs may use it.
    pub branch: String,
    /// Whether it asks reviewers before a job starts.
    pub reviewers: bool,
    /// The variables and secrets that its jobs read.
    #[serde(flatten)]
    pub names: Names,
}

/// Names of variables and secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Names {
    /// GitHub variables.
    pub variables: BTreeSet<String>,
    /// Secrets.
    pub secrets: BTreeSet<String>,
}

/// The environments in promotion order, each with those that belong to it, and what jobs outside of every environment
/// read.
#[must_use]
pub fn environments(project: &Project, plan: &Plan) -> (Vec<GitHubEnvironment>, Names) {
    let mut by_name: BTreeMap<Option<String>, Names> = BTreeMap::new();
    for workflow in &plan.workflows {
        for (id, job) in &workflow.jobs {
            let model = workflow.model.jobs.get(id);
            let name = model.and_then(|model| Some(model.environment.as_ref()?.name.clone()));
            by_name.entry(name).or_default().add(&job.body);
        }
        for own in workflow.extension.jobs.values() {
            let name = own.model.environment.as_ref().map(|environment| environment.name.clone());
            // An environment that is not pyfleet's is not listed: its owner knows what it holds.
            by_name
                .entry(name)
                .or_default()
                .add_expressions(&serde_json::to_value(&own.model).unwrap_or_default());
        }
        for own in &workflow.extension.steps {
            let job = own.job.as_ref().and_then(|job| workflow.model.jobs.get(job));
            let name = job.and_then(|job| Some(job.environment.as_ref()?.name.clone()));
            by_name
                .entry(name)
                .or_default()
                .add_expressions(&serde_json::to_value(&own.steps).unwrap_or_default());
        }
    }
    let outside = by_name.remove(&None).unwrap_or_default();
    let mut environments = Vec::new();
    for environment in &project.environments {
        let names = [
            (environment.plan_name(), false),
            (environment.approval_name(), true),
            (environment.backend_name(), false),
            (environment.name.to_string(), false),
        ];
        for (name, reviewers) in names {
            let Some(names) = by_name.remove(&Some(name.clone())) else { continue };
            environments.push(GitHubEnvironment {
                name,
                branch: environment.branch.clone(),
                reviewers,
                names,
            });
        }
    }
    (environments, outside)
}

/// A ruleset, as GitHub's API takes it
/// ([GitHub: rules](https://docs.github.com/en/rest/repos/rules#create-a-repository-ruleset)).
pub type Ruleset = Json;

/// The checks to require: a check that does not report on every pull request would hold some of them up for ever.
#[must_use]
pub fn checks(plan: &Plan) -> Vec<String> {
    plan.workflows
        .iter()
        .filter(|workflow| workflow.model.on.pull_request.as_ref().is_some_and(|on| on.branches.is_empty()))
        .filter_map(|workflow| workflow.gate.clone())
        .collect()
}

/// What protects the branches that act on environments: reviewed by code owners, with every required check.
pub(super) fn ruleset(plan: &Plan, branches: BTreeSet<String>) -> Ruleset {
    let branches: Vec<String> = branches.iter().map(|branch| format!("refs/heads/{branch}")).collect();
    let gates: Vec<Json> = checks(plan).iter().map(|gate| json!({ "context": gate })).collect();
    let mut rules = vec![
        json!({ "type": "deletion" }),
        json!({ "type": "non_fast_forward" }),
        json!({ "type": "pull_request", "parameters": {
            "required_approving_review_count": 1,
            "require_code_owner_review": true,
            "dismiss_stale_reviews_on_push": true,
            "require_last_push_approval": true,
            "required_review_thread_resolution": false,
        }}),
    ];
    if !gates.is_empty() {
        rules.push(json!({ "type": "required_status_checks", "parameters": {
            "strict_required_status_checks_policy": true,
            "required_status_checks": gates,
        }}));
    }
    json!({
        "name": "pyfleet",
        "target": "branch",
        "enforcement": "active",
        "conditions": { "ref_name": { "include": branches, "exclude": [] } },
        "rules": rules,
    })
}

impl Names {
    /// Adds what the steps of a job read: the names that a plan needs, and those that expressions name.
    fn add(&mut self, body: &Body) {
        let inputs = match body {
            Body::TfPlan(plan) => Some(&plan.inputs),
            Body::TfApply(apply) => apply.inputs.as_ref(),
            Body::CheckState(check) => Some(&check.inputs),
            Body::DetectDrift(detect) => Some(&detect.inputs),
            Body::TerraformPlan(plan) => Some(&plan.inputs),
            _ => None,
        };
        if let Body::TerraformCost(cost) = body {
            self.variables.extend(cost.held_variables.iter().cloned());
        }
        if let Some(inputs) = inputs {
            self.variables.extend(inputs.variables.iter().cloned());
            self.secrets.extend(inputs.secrets.iter().cloned());
        }
        // What has no JSON form has no expression.
        self.add_expressions(&serde_json::to_value(body).unwrap_or_default());
    }

    fn add_expressions(&mut self, value: &Json) {
        match value {
            Json::String(text) => {
                let named = |context: &str| {
                    let rest = text.strip_prefix("${{ ")?.strip_suffix(" }}")?.strip_prefix(context)?;
                    rest.bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                        .then(|| rest.to_owned())
                };
                self.variables.extend(named("vars."));
                self.secrets.extend(named("secrets."));
            }
            Json::Array(items) => items.iter().for_each(|item| self.add_expressions(item)),
            Json::Object(entries) => entries.values().for_each(|value| self.add_expressions(value)),
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }
}
