//! The stage `smoke`: what was deployed is asked, each question a job of a matrix with a log of its own.
//!
//! What is asked over the network is asked by pyfleet's own scripts, with a role that reads where the cluster has to say
//! where. A command of the repository runs in another job, without any right.

use serde_json::{Value as Json, json};

use super::body::{Body, Smoke, SmokeCommand};
use super::condition::expression;
use super::credentials::{credentials, identity};
use super::draft::{CHECK_OUT, Draft, NewJob};
use super::eks::chosen_cluster;
use super::environment_jobs::{READ, aws_env, reading_environment};
use super::stacks::{Entries, entries};
use crate::diagnostic::Path;
use crate::manifest::{AwsRole, Slug};
use crate::project::{Asks, Check, EksTarget, Environment, Expects, Project, Target};
use crate::workflow::{self as model, Axes, Matrix, OrExpression, Runner, Strategy};

/// Waiting for the load balancer, and what a job does beside asking.
const SET_UP_MINUTES: u16 = 10;

/// The jobs that ask what was deployed to an environment; who adds them says behind what they stand.
pub(super) fn jobs(draft: &Draft<'_>, project: &Project, environment: &Environment) -> Vec<NewJob> {
    let asked: Vec<(&Check, Json)> =
        project.smoke.iter().filter_map(|check| Some((check, entry(project, check, environment)?))).collect();
    let of_commands = |wanted: bool| {
        let chosen = asked.iter().filter(move |(check, _)| matches!(check.asks, Asks::Command(_)) == wanted);
        entries(chosen.map(|(_, entry)| entry.clone()))
    };
    let (questions, commands) = (of_commands(false), of_commands(true));
    let mut jobs = Vec::new();
    if !questions.is_empty() {
        jobs.push(ask(draft, project, environment, questions));
    }
    if !commands.is_empty() {
        jobs.push(run(draft, project, environment, commands));
    }
    jobs
}

/// What the matrix knows of a check; nothing where it asks for what is not in the environment.
fn entry(project: &Project, check: &Check, environment: &Environment) -> Option<Json> {
    let name = check.name.as_str();
    let expecting = |expects: &Expects| json!({ "status": expects.status, "jq": expects.jq.clone().unwrap_or_default(), "attempts": expects.attempts });
    Some(match &check.asks {
        Asks::Command(command) => json!({ "check": name, "run": command }),
        Asks::Address { expects, .. } => {
            json!({ "check": name, "url": check.asks.url_in(environment)?, "expect": expecting(expects) })
        }
        Asks::Service { service, object, scheme, port, path, expects } => {
            let target = target(project, service, environment)?;
            json!({
                "check": name,
                "cluster": target.cluster,
                "namespace": target.namespace,
                "deployment": target.deployment,
                "object": object.as_ref().unwrap_or(&target.deployment),
                "scheme": scheme,
                "port": port,
                "path": path,
                "expect": expecting(expects),
            })
        }
    })
}

fn target<'a>(project: &'a Project, service: &Slug, environment: &Environment) -> Option<&'a EksTarget> {
    project.services.get(service)?.targets.iter().find_map(|target| match target {
        Target::Eks(own) if own.environment == environment.name => Some(own),
        Target::Eks(_) | Target::Ecs(_) => None,
    })
}

fn ask(draft: &Draft<'_>, project: &Project, environment: &Environment, questions: Entries) -> NewJob {
    let services = project.smoke.iter().filter_map(|check| match &check.asks {
        Asks::Service { service, .. } => target(project, service, environment).map(|own| (service, own)),
        Asks::Address { .. } | Asks::Command(_) => None,
    });
    let services: Vec<(&Slug, &EksTarget)> = services.collect();
    let minutes = SET_UP_MINUTES + project.smoke.iter().map(minutes).max().unwrap_or_default();
    let mut model = over_checks(draft, "smoke", environment, questions, minutes);
    if let Some((_, target)) = services.first() {
        model.environment = Some(reading_environment(environment));
        model.env = aws_env();
        return NewJob {
            id: format!("smoke-{}", environment.name),
            model,
            permissions: READ,
            because: "Behind everything that was deployed.",
            identity: Some(identity(*target, AwsRole::Plan)),
            body: Body::Smoke(Smoke {
                services: services.iter().map(|(name, _)| (*name).clone()).collect(),
                credentials: Some(credentials(project, *target, AwsRole::Plan, minutes)),
                cluster: Some(chosen_cluster()),
                environment: environment.name.to_string(),
                artifact_days: project.artifact_days,
            }),
            origin: Path::of(["smoke"]),
        };
    }
    NewJob {
        id: format!("smoke-{}", environment.name),
        model,
        permissions: &[CHECK_OUT],
        because: "Behind everything that was deployed.",
        identity: None,
        body: Body::Smoke(Smoke {
            services: Vec::new(),
            credentials: None,
            cluster: None,
            environment: environment.name.to_string(),
            artifact_days: project.artifact_days,
        }),
        origin: Path::of(["smoke"]),
    }
}

fn run(draft: &Draft<'_>, project: &Project, environment: &Environment, commands: Entries) -> NewJob {
    let mut model = over_checks(draft, "smoke by command", environment, commands, project.timeout_minutes);
    model.env.insert("ENVIRONMENT".to_owned(), environment.name.to_string());
    NewJob {
        id: format!("smoke-command-{}", environment.name),
        model,
        permissions: &[CHECK_OUT],
        because: "Behind everything that was deployed. The repository's own commands get no right.",
        identity: None,
        body: Body::SmokeCommand(SmokeCommand {
            environment: environment.name.to_string(),
            artifact_days: project.artifact_days,
        }),
        origin: Path::of(["smoke"]),
    }
}

/// A job for each check, on the environment's runner.
fn over_checks(
    draft: &Draft<'_>,
    title: &str,
    environment: &Environment,
    checks: Entries,
    minutes: u16,
) -> model::Job {
    let mut model = draft.job(format!("{title} {} (${{{{ matrix.check }}}})", environment.name), minutes);
    model.runs_on = Some(Runner { group: None, labels: environment.runner.clone() });
    model.strategy = Some(Strategy {
        matrix: Some(Matrix::Axes(Axes { include: Some(OrExpression::Literal(checks)), ..Axes::default() })),
        fail_fast: OrExpression::Literal(false),
        ..Strategy::default()
    });
    model.env.insert("CHECK".to_owned(), expression("matrix.check"));
    model
}

/// Minutes after which asking has surely come to an end.
fn minutes(check: &Check) -> u16 {
    match &check.asks {
        Asks::Service { expects, .. } | Asks::Address { expects, .. } => {
            // As health-check.sh waits: at most half a minute and ten seconds for each.
            expects.attempts.saturating_mul(40).div_ceil(60)
        }
        Asks::Command(_) => 0,
    }
}
