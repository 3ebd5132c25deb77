//! `test-oidc`: what jobs may become on AWS, and that they may become nothing else.
//!
//! One job for each kind of token: that of the environment that reads, that of the environment that changes, that of
//! a pull request. Only roles that read are assumed; the others must refuse, because this file is not one that they
//! trust. No job checks anything out.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use super::body::{Body, OidcProbe};
use super::check_state::on_its_branch;
use super::condition::{MAY_HOLD_SECRETS, expression};
use super::credentials::{IDENTITY, identity, role};
use super::draft::{Draft, NewJob};
use super::environment_jobs::{inputs_of, readable_targets, reading_environment};
use crate::diagnostic::Path;
use crate::manifest::{AwsRole, Kind, PlanHandOff, SafetyLevel};
use crate::project::{Environment, EnvironmentStacks, Project, Role, Terraform, partition};
use crate::workflow::{self as model, Input, InputKind, Runner};

/// Three requests and their retries.
const MINUTES: u16 = 10;

pub(super) fn plan(project: &Project, draft: &mut Draft<'_>) {
    let Some(terraform) = &project.terraform else { return };
    let targets = readable_targets(project, terraform);
    let by_hand = draft.is_started_by_hand();
    if by_hand {
        let environments = targets.iter().map(|(environment, _)| environment.name.to_string());
        let choice = Input {
            description: Some("Whose roles".to_owned()),
            kind: InputKind::Choice,
            required: true,
            default: Some("all".into()),
            options: std::iter::once("all".to_owned()).chain(environments).collect(),
            ..Input::default()
        };
        draft.start_by_hand(IndexMap::from([("environment".to_owned(), choice)]));
    }
    for (environment, target) in targets {
        let probe = Probe { project, terraform, environment, target };
        if by_hand {
            let reads = probe.reads(draft);
            draft.add(reads);
            if probe.is_changed() {
                let changes = probe.changes(draft);
                draft.add(changes);
            }
        }
        if probe.is_planned_for_pull_requests() {
            let pull_request = probe.pull_request(draft);
            draft.add(pull_request);
        }
    }
}

/// The jobs of one environment.
struct Probe<'a> {
    project: &'a Project,
    terraform: &'a Terraform,
    environment: &'a Environment,
    target: &'a EnvironmentStacks,
}

impl Probe<'_> {
    /// Whether a workflow of a kind changes this environment.
    fn is_changed_by(&self, kind: Kind) -> bool {
        self.environment.level >= SafetyLevel::WRITES
            && self.project.workflows.values().any(|wish| wish.renders(kind))
    }

    /// Whether a workflow applies this environment's stacks.
    fn is_applied(&self) -> bool {
        Kind::ALL.into_iter().any(|kind| kind.applies() && self.is_changed_by(kind))
    }

    /// Whether a workflow changes this environment.
    fn is_changed(&self) -> bool {
        !self.changing().is_empty()
    }

    /// The roles of jobs that change this environment.
    fn changing(&self) -> Vec<AwsRole> {
        let mut targets = self.project.services.values().flat_map(|service| &service.targets);
        let deploys = targets.any(|target| *target.environment() == self.environment.name)
            && [Kind::Deploy, Kind::Rollback].into_iter().any(|kind| self.is_changed_by(kind));
        [
            (AwsRole::Apply, self.is_applied()),
            (AwsRole::Deploy, deploys),
            (AwsRole::BackendCreate, self.is_applied()),
            (AwsRole::BackendDestroy, self.is_applied()),
        ]
        .into_iter()
        .filter_map(|(purpose, is_used)| is_used.then_some(purpose))
        .collect()
    }

    /// Whether plans of pull requests read this environment: elsewhere its role is not made.
    fn is_planned_for_pull_requests(&self) -> bool {
        self.terraform.plans.iter().any(|plan| plan.environment == self.environment.name)
            && self.project.workflows.values().any(|wish| wish.renders(Kind::Terraform))
    }

    fn reads(&self, draft: &Draft<'_>) -> NewJob {
        let name = self.environment.plan_name();
        let mut roles = vec![self.expectation(AwsRole::Plan, "assumed")];
        roles.extend(
            self.changing()
                .into_iter()
                .filter(|purpose| self.is_named(*purpose))
                .map(|purpose| self.expectation(purpose, "refused")),
        );
        for other in &self.terraform.targets {
            if let (true, Some(Role::Arn(arn))) = (
                other.account_id == self.target.account_id && other.environment != self.environment.name,
                self.project.role(&other.environment, AwsRole::Plan),
            ) {
                roles.push(json!({ "role": arn, "purpose": format!("plan of {}", other.environment), "expect": "refused" }));
            }
        }
        let mut model = self.model(draft, &format!("reads {}", self.environment.name));
        model.environment = Some(reading_environment(self.environment));
        model.condition = Some(self.is_chosen());
        let mut held = self.inputs();
        held.extend(self.role_variable(AwsRole::Plan));
        NewJob {
            id: format!("reads-{}", self.environment.name),
            identity: Some(identity(self.target, AwsRole::Plan)),
            ..self.job(draft, model, &[format!("environment:{name}")], Some(&name), roles, held)
        }
    }

    fn changes(&self, draft: &Draft<'_>) -> NewJob {
        let name = self.environment.name.to_string();
        let roles = self.changing().into_iter().map(|purpose| self.expectation(purpose, "refused")).collect();
        let mut model = self.model(draft, &format!("changes {name}"));
        model.environment = Some(model::Environment {
            deployment: model::OrExpression::Literal(false),
            ..model::Environment::named(name.as_str())
        });
        model.condition = Some(self.is_chosen());
        let mut held = self.inputs();
        held.extend(self.changing().into_iter().filter_map(|purpose| self.role_variable(purpose)));
        NewJob {
            id: format!("changes-{name}"),
            ..self.job(draft, model, &[format!("environment:{name}")], Some(&name), roles, held)
        }
    }

    fn pull_request(&self, draft: &Draft<'_>) -> NewJob {
        let name = self.environment.name.to_string();
        let mut claims = vec!["pull_request".to_owned()];
        let (condition, expect) = if draft.is_started_by_hand() {
            // By hand, there is no pull request, and the role must refuse.
            claims.push(format!("ref:refs/heads/{}", self.project.default_branch));
            let condition = if draft.runs_for_pull_requests() {
                format!(
                    "({}) && (github.event_name == 'pull_request' || {})",
                    MAY_HOLD_SECRETS,
                    self.chosen()
                )
            } else {
                self.chosen()
            };
            let assumed = "github.event_name == 'pull_request' && 'assumed' || 'refused'";
            let expect =
                if draft.runs_for_pull_requests() { expression(assumed) } else { "refused".to_owned() };
            (condition, expect)
        } else {
            (MAY_HOLD_SECRETS.to_owned(), "assumed".to_owned())
        };
        let roles = vec![self.expectation(AwsRole::PullRequestPlan, &expect)];
        let mut model = self.model(draft, &format!("pull request {name}"));
        model.condition = Some(condition);
        NewJob {
            id: format!("pull-request-{name}"),
            because: if draft.runs_for_pull_requests() {
                "A fork and Dependabot get no identity."
            } else {
                "By hand there is no pull request: its role has to refuse."
            },
            identity: Some(identity(self.target, AwsRole::PullRequestPlan)),
            ..self.job(
                draft,
                model,
                &claims,
                None,
                roles,
                self.role_variable(AwsRole::PullRequestPlan).into_iter().collect(),
            )
        }
    }

    fn model(&self, draft: &Draft<'_>, title: &str) -> model::Job {
        let mut model = draft.job(title, MINUTES);
        model.runs_on = Some(Runner { group: None, labels: self.target.runner.clone() });
        model
    }

    /// Whether the person who started it means this environment.
    fn chosen(&self) -> String {
        format!("(inputs.environment == 'all' || inputs.environment == '{}')", self.environment.name)
    }

    fn is_chosen(&self) -> String {
        let branch = on_its_branch(self.project, self.environment);
        let conditions = ["github.event_name == 'workflow_dispatch'".to_owned(), self.chosen()];
        conditions.into_iter().chain(branch).collect::<Vec<_>>().join(" && ")
    }

    fn expectation(&self, purpose: AwsRole, expect: &str) -> Json {
        json!({ "role": role(self.project, &self.environment.name, purpose), "purpose": purpose.name(), "expect": expect })
    }

    /// Whether a role's ARN is in the manifest: one in a variable is known only in its own environment.
    fn is_named(&self, purpose: AwsRole) -> bool {
        matches!(self.project.role(&self.environment.name, purpose), Some(Role::Arn(_)))
    }

    fn role_variable(&self, purpose: AwsRole) -> Option<(String, &'static str)> {
        match self.project.role(&self.environment.name, purpose) {
            Some(Role::Variable(variable)) => Some((variable.to_string(), "vars")),
            _ => None,
        }
    }

    /// The variables and secrets that plans of the environment read, with the context that has them.
    fn inputs(&self) -> BTreeMap<String, &'static str> {
        let inputs = inputs_of(self.target);
        let variables = inputs.variables.into_iter().map(|name| (name, "vars"));
        let secrets = inputs.secrets.into_iter().map(|name| (name, "secrets"));
        let mut held: BTreeMap<String, &'static str> = variables.chain(secrets).collect();
        if let (PlanHandOff::EncryptedArtifact(artifact), true) =
            (&self.terraform.plan_hand_off, self.is_applied())
        {
            held.insert(artifact.passphrase.secret.to_string(), "secrets");
        }
        held
    }

    fn job(
        &self,
        draft: &Draft<'_>,
        model: model::Job,
        claims: &[String],
        environment: Option<&str>,
        roles: Vec<Json>,
        held: BTreeMap<String, &'static str>,
    ) -> NewJob {
        let project = self.project;
        let audience = if partition(&self.target.region) == "aws-cn" {
            "sts.amazonaws.com.cn"
        } else {
            "sts.amazonaws.com"
        };
        let subjects: Vec<String> = claims.iter().flat_map(|claim| project.subjects(claim)).collect();
        let mut expected = IndexMap::from([
            ("iss", json!("https://token.actions.githubusercontent.com")),
            ("aud", json!(audience)),
            ("sub", json!(subjects)),
            ("environment", json!(environment)),
        ]);
        if let Some(id) = project.repository_id {
            expected.insert("repository_id", json!(id.to_string()));
        }
        if environment.is_some() {
            let file =
                format!("{}/{}@refs/heads/{}", project.repository, draft.file(), self.environment.branch);
            expected.insert("job_workflow_ref", json!(file));
        }
        let setting = |name: &str| {
            let backend = self.target.stacks.first().map(|stack| &stack.backend);
            backend.and_then(|backend| backend.get(name)).cloned().unwrap_or_default()
        };
        let held = held.into_iter().map(|(name, context)| {
            let present = expression(&format!("{context}.{name} != '' && 'present' || 'empty'"));
            (name, present)
        });
        NewJob {
            id: String::new(),
            model,
            permissions: &[IDENTITY],
            because: "",
            identity: None,
            body: Body::OidcProbe(OidcProbe {
                audience,
                expected: json!(expected),
                roles,
                held: held.collect(),
                region: self.target.region.clone(),
                account_id: self.target.account_id.clone(),
                bucket: setting("bucket"),
                key: setting("key"),
            }),
            origin: Path::of(["environments", self.environment.name.as_str()]),
        }
    }
}
