//! What stacks cost: the same job wherever they are planned.
//!
//! It holds no identity and reads no state: the estimate is made from the configuration of two commits. The key is
//! on the one step that needs it.

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

#[cfg(test)]
mod tests {
    use crate::manifest;
    use crate::plan::{Body, Permission, Workflow, plan};
    use crate::project;
    use crate::source::Source;
    use crate::workflow::{Level, Scope};

    /// The planned workflows of a project whose stack `app` takes a secret and is in both environments.
    fn planned(cost: &str) -> Vec<Workflow> {
        let text = format!(
            "
version: 1
project: shop
safety-level: 4
github: {{ repository: acme/shop, repository-id: 2001, visibility: private, plan: enterprise }}
aws: {{ account-id: \"123456789012\", region: eu-central-1 }}
environments: {{ dev: {{ approval: none }}, prod: {{}} }}
terraform:
  version: \"1.11.4\"
  backend: {{ bucket: shop, key: \"{{environment}}/{{stack}}.tfstate\" }}
  {cost}
  stacks:
    net: {{ directory: net, environments: [dev] }}
    app:
      directory: app
      var-files: [\"{{environment}}.tfvars\"]
      variables: {{ size: {{ variable: SIZE }}, password: {{ secret: PASSWORD }}, tier: \"{{environment}}\" }}
workflows: {{ terraform: {{}}, tf: {{}} }}
"
        );
        let (manifest, _, mistakes) = manifest::parse(Source::new("pyfleet.yml", text));
        assert!(mistakes.is_empty(), "{mistakes:?}");
        let (project, findings) = project::resolve(&manifest.unwrap());
        assert!(!findings.has_errors(), "{findings:?}");
        plan(&project.unwrap()).0.workflows
    }

    const COST: &str = "cost: { version: 0.10.42, api-key: { secret: PRICES }, max-monthly-increase: 0 }";

    #[test]
    fn it_reads_the_repository_and_nothing_else() {
        for workflow in planned(COST) {
            let job = &workflow.jobs["cost"];
            assert_eq!(job.identity, None);
            assert!(matches!(
                job.permissions[..],
                [Permission { scope: Scope::Contents, level: Level::Read, .. }]
            ));
            assert_eq!(workflow.model.jobs["cost"].environment, None);
            let Body::TerraformCost(body) = &job.body else { panic!("{:?}", job.body) };
            assert_eq!(body.api_key, "${{ secrets.PRICES }}");
            // By hand it informs: what runs is not the commit before.
            let limit = (workflow.name.as_str() == "terraform").then_some("0");
            assert_eq!(body.max_monthly_increase.as_deref(), limit);
            assert_eq!(body.held_variables, ["SIZE"]);
        }
        assert!(planned("").iter().all(|workflow| !workflow.jobs.contains_key("cost")));
    }

    #[test]
    fn what_is_too_dear_is_not_merged() {
        let workflows = planned(COST);
        let needing = |workflow: &Workflow| -> Vec<String> {
            let jobs = workflow.model.jobs.iter();
            jobs.filter(|(_, job)| job.needs.iter().any(|needed| needed == "cost"))
                .map(|(id, _)| id.clone())
                .collect()
        };
        assert_eq!(needing(&workflows[0]), ["comment", "gate"]);
        assert_eq!(needing(&workflows[1]), [""; 0]);
    }

    #[test]
    fn a_pull_request_is_estimated_where_it_costs_most() {
        let workflows = planned(COST);
        let Body::Changes(changes) = &workflows[0].jobs["changes"].body else { panic!() };
        let entries = serde_json::json!([
            { "stack": "app", "directory": "app", "environment": "prod", "var-files": ["prod.tfvars"],
              "variables": { "size": { "variable": "SIZE" }, "tier": "prod" } },
            { "stack": "net", "directory": "net", "environment": "dev", "var-files": [], "variables": {} },
        ]);
        assert_eq!(serde_json::json!(changes.matrices.as_ref().unwrap()["cost"]), entries);
    }
}
