//! Services of Amazon ECS are put back to an earlier revision of their task definition.

use serde_json::json;

use super::super::body::{Body, EcsLook, EcsRollback, Verify};
use super::super::condition::expression;
use super::super::credentials::{credentials, identity};
use super::super::draft::{Draft, NewJob};
use super::super::environment_jobs::{READ, aws_env, deployed_to, one_change_of, reading_environment};
use super::{Targets, approval_id, approve, condition};
use crate::diagnostic::Path;
use crate::manifest::{AwsRole, Slug};
use crate::project::{EcsTarget, Environment, Project, Target};
use crate::workflow::{self as model, Axes, Matrix, OrExpression, Runner, Strategy};

const KIND: &str = "ecs";

/// The services of an environment.
fn services<'a>(
    project: &'a Project,
    environment: &Environment,
) -> impl Iterator<Item = (&'a Slug, &'a EcsTarget)> {
    project.services.iter().filter_map(|(name, service)| {
        let target = service.targets.iter().find(|target| *target.environment() == environment.name)?;
        match target {
            Target::Ecs(target) => Some((name, target)),
            Target::Eks(_) => None,
        }
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
                "health": target.health.as_ref().map(Verify::from),
            });
            (format!("{KIND}/{name}"), entry)
        })
        .collect()
}

/// The jobs of one environment: one that lists, one that says what is gone back to and from, and one that goes back.
///
/// What `previous` means is asked once, before the lock: behind it, a deployment may have taken itself back, and a job
/// that runs again may have gone back already. Either would go back one more.
pub(super) fn add(project: &Project, draft: &mut Draft<'_>, environment: &Environment, is_approved: bool) {
    const LOOK_MINUTES: u16 = 10;
    let names: Vec<Slug> = services(project, environment).map(|(name, _)| name.clone()).collect();
    // Every service of an environment has its account and region.
    let Some((_, target)) = services(project, environment).next() else { return };
    let origin = Path::of(["environments", environment.name.as_str()]);
    let look = |mut model: model::Job, id: &str, mode: &str, body: fn(EcsLook) -> Body| {
        model.condition = Some(condition(environment, KIND, mode));
        model.environment = Some(reading_environment(environment));
        NewJob {
            id: id.to_owned(),
            model,
            permissions: READ,
            because: "",
            identity: Some(identity(target, AwsRole::Plan)),
            body: body(EcsLook {
                services: names.clone(),
                credentials: credentials(project, target, AwsRole::Plan, LOOK_MINUTES),
            }),
            origin: origin.clone(),
        }
    };
    let list = model(draft, environment, "list", LOOK_MINUTES);
    draft.add(look(list, &format!("list-{KIND}-{}", environment.name), "list", Body::EcsList));
    let resolve_id = format!("resolve-{KIND}-{}", environment.name);
    let mut resolve = model(draft, environment, "resolve", LOOK_MINUTES);
    resolve.outputs = [("from", "previous"), ("revision", "revision")]
        .map(|(name, output)| (name.to_owned(), expression(&format!("steps.resolve.outputs.{output}"))))
        .into();
    draft.add(look(resolve, &resolve_id, "rollback", Body::EcsResolve));
    let approval = is_approved.then(|| approval_id(environment, KIND));
    if is_approved {
        let approve = approve(draft, environment, KIND);
        draft.add(approve);
    }
    let minutes =
        services(project, environment).map(|(_, target)| target.rollback_minutes()).max().unwrap_or_default();
    let mut rollback = model(draft, environment, "roll back", minutes);
    rollback.needs.push(resolve_id.clone());
    rollback.needs.extend(approval.clone());
    rollback.condition = Some(condition(environment, KIND, "rollback"));
    rollback.environment = Some(deployed_to(environment));
    rollback.concurrency =
        Some(one_change_of(environment, &format!("service-{}", expression("matrix.service"))));
    draft.add(NewJob {
        id: format!("rollback-{KIND}-{}", environment.name),
        model: rollback,
        permissions: READ,
        because: "",
        identity: Some(identity(target, AwsRole::Deploy)),
        body: Body::EcsRollback(EcsRollback {
            services: names,
            credentials: credentials(project, target, AwsRole::Deploy, minutes),
            resolve: resolve_id,
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
