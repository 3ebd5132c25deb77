//! Services of Amazon ECS are put back to an earlier revision of their task definition.

use serde_json::json;

use super::super::body::{Body, EcsList, EcsRollback};
use super::super::condition::expression;
use super::super::credentials::{credentials, identity};
use super::super::deploy::{aws_env, one_at_a_time, verify};
use super::super::draft::{Draft, NewJob};
use super::super::environment_jobs::{READ, reading_environment};
use super::{Targets, approval_id, approve, condition};
use crate::diagnostic::Path;
use crate::manifest::{AwsRole, Slug};
use crate::project::{EcsTarget, Environment, Project};
use crate::workflow::{self as model, Axes, Matrix, OrExpression, Runner, Strategy};

const KIND: &str = "ecs";

/// The services of an environment.
fn services<'a>(
    project: &'a Project,
    environment: &Environment,
) -> impl Iterator<Item = (&'a Slug, &'a EcsTarget)> {
    project.services.iter().filter_map(|(name, service)| {
        Some((name, service.targets.iter().find(|target| target.environment == environment.name)?))
    })
}

/// What can be put back in an environment.
pub(super) fn targets(project: &Project, environment: &Environment) -> Targets {
    services(project, environment)
        .map(|(name, target)| {
            let entry = json!({
                "service": name.as_str(),
                "cluster": target.cluster,
                "ecs-service": target.service,
                "health": target.health.as_ref().map(verify),
            });
            (format!("{KIND}/{name}"), entry)
        })
        .collect()
}

/// The jobs of one environment: one that looks, and one that puts back.
pub(super) fn add(project: &Project, draft: &mut Draft<'_>, environment: &Environment, is_approved: bool) {
    const LIST_MINUTES: u16 = 10;
    const ROLLBACK_MINUTES: u16 = 30;
    let names: Vec<Slug> = services(project, environment).map(|(name, _)| name.clone()).collect();
    // Every service of an environment has its account and region.
    let Some((_, target)) = services(project, environment).next() else { return };
    let origin = Path::of(["environments", environment.name.as_str()]);
    let mut list = model(draft, environment, "list", LIST_MINUTES);
    list.condition = Some(condition(environment, KIND, "list"));
    list.environment = Some(reading_environment(environment));
    draft.add(NewJob {
        id: format!("list-{KIND}-{}", environment.name),
        model: list,
        permissions: READ,
        because: "",
        identity: Some(identity(target, AwsRole::Plan)),
        body: Body::EcsList(EcsList {
            services: names.clone(),
            credentials: credentials(project, target, AwsRole::Plan, LIST_MINUTES),
        }),
        origin: origin.clone(),
    });
    let approval = is_approved.then(|| approval_id(environment, KIND));
    if is_approved {
        let approve = approve(draft, environment, KIND);
        draft.add(approve);
    }
    let mut rollback = model(draft, environment, "roll back", ROLLBACK_MINUTES);
    rollback.needs.extend(approval.clone());
    rollback.condition = Some(condition(environment, KIND, "rollback"));
    rollback.environment = Some(model::Environment {
        url: environment.url.clone(),
        ..model::Environment::named(environment.name.as_str())
    });
    rollback.concurrency = Some(one_at_a_time(environment, &expression("matrix.service")));
    draft.add(NewJob {
        id: format!("rollback-{KIND}-{}", environment.name),
        model: rollback,
        permissions: READ,
        because: "",
        identity: Some(identity(target, AwsRole::Deploy)),
        body: Body::EcsRollback(EcsRollback {
            services: names,
            credentials: credentials(project, target, AwsRole::Deploy, ROLLBACK_MINUTES),
            approval,
            verifies: services(project, environment).any(|(_, target)| target.health.is_some()),
        }),
        origin,
    });
}

/// A job over the one service that was chosen, on the environment's runner.
fn model(draft: &Draft<'_>, environment: &Environment, job: &str, timeout_minutes: u16) -> model::Job {
    let title = format!("{job} {} ({})", environment.name, expression("matrix.service"));
    let mut model = draft.job(title, timeout_minutes);
    model.needs = vec!["guard".to_owned()];
    model.runs_on = Some(Runner { group: None, labels: environment.runner.clone() });
    model.env = aws_env();
    model.strategy = Some(Strategy {
        matrix: Some(Matrix::Axes(Axes {
            include: Some(OrExpression::Expression(expression("fromJSON(needs.guard.outputs.target)"))),
            ..Axes::default()
        })),
        fail_fast: OrExpression::Literal(false),
        max_parallel: None,
    });
    model
}
