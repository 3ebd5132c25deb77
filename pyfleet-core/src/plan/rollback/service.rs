//! Services are put back to an earlier revision, whatever they run on.

use super::super::body::Body;
use super::super::condition::expression;
use super::super::credentials::identity;
use super::super::draft::{Draft, NewJob};
use super::super::environment_jobs::{READ, aws_env, deployed_to, one_change_of, reading_environment};
use super::{approval_id, approve, condition};
use crate::diagnostic::Path;
use crate::manifest::{AwsRole, Slug};
use crate::project::{Environment, Project, Target};
use crate::workflow::{self as model, Axes, Matrix, OrExpression, Runner, Strategy};

/// Minutes that a look at a service may take.
pub(super) const LOOK_MINUTES: u16 = 10;

/// What the steps of a job do.
pub(super) enum Work {
    List,
    /// Says what is gone back to, and from.
    Resolve,
    GoBack {
        /// The job that has said it.
        resolve: String,
        /// The job that waited for the reviewers, where there are any.
        approval: Option<String>,
    },
}

/// The services of an environment that run on one kind of thing.
pub(super) struct Services<'a> {
    /// What the kind is called in the choice of targets.
    pub(super) kind: &'static str,
    /// One of them: every service of an environment has its account and region.
    pub(super) target: &'a Target,
    /// Minutes that the longest way back may take.
    pub(super) minutes: u16,
    /// The steps of a job.
    pub(super) body: &'a dyn Fn(Work) -> Body,
}

/// What the services of an environment run on.
pub(super) fn in_environment<'a>(
    project: &'a Project,
    environment: &Environment,
) -> impl Iterator<Item = (&'a Slug, &'a Target)> {
    project.services.iter().filter_map(|(name, service)| {
        Some((name, service.targets.iter().find(|target| *target.environment() == environment.name)?))
    })
}

/// The jobs of one environment: one that lists, one that says what is gone back to and from, and one that goes back.
///
/// What `previous` means is asked once, before the lock: behind it, a deployment may have taken itself back, and a job
/// that runs again may have gone back already. Either would go back one more.
pub(super) fn add(
    draft: &mut Draft<'_>,
    environment: &Environment,
    is_approved: bool,
    services: &Services<'_>,
) {
    let Services { kind, target, minutes, body } = *services;
    let origin = Path::of(["environments", environment.name.as_str()]);
    let look = |mut model: model::Job, id: &str, mode: &str, work: Work| {
        model.condition = Some(condition(environment, kind, mode));
        model.environment = Some(reading_environment(environment));
        NewJob {
            id: id.to_owned(),
            model,
            permissions: READ,
            because: "",
            identity: Some(identity(target, AwsRole::Plan)),
            body: body(work),
            origin: origin.clone(),
        }
    };
    let list = model(draft, environment, "list", LOOK_MINUTES);
    draft.add(look(list, &format!("list-{kind}-{}", environment.name), "list", Work::List));
    let resolve_id = format!("resolve-{kind}-{}", environment.name);
    let mut resolve = model(draft, environment, "resolve", LOOK_MINUTES);
    resolve.outputs = [("from", "previous"), ("revision", "revision")]
        .map(|(name, output)| (name.to_owned(), expression(&format!("steps.resolve.outputs.{output}"))))
        .into();
    draft.add(look(resolve, &resolve_id, "rollback", Work::Resolve));
    let approval = is_approved.then(|| approval_id(environment, kind));
    if is_approved {
        let approve = approve(draft, environment, kind);
        draft.add(approve);
    }
    let mut rollback = model(draft, environment, "roll back", minutes);
    rollback.needs.push(resolve_id.clone());
    rollback.needs.extend(approval.clone());
    rollback.condition = Some(condition(environment, kind, "rollback"));
    rollback.environment = Some(deployed_to(environment));
    rollback.concurrency =
        Some(one_change_of(environment, &format!("service-{}", expression("matrix.service"))));
    draft.add(NewJob {
        id: format!("rollback-{kind}-{}", environment.name),
        model: rollback,
        permissions: READ,
        because: "",
        identity: Some(identity(target, AwsRole::Deploy)),
        body: body(Work::GoBack { resolve: resolve_id, approval }),
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
        ..Strategy::default()
    });
    model
}
