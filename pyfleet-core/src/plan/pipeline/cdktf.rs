//! Stacks that CDKTF synthesises: synthesised without any right before they are planned, and, behind their apply, waited
//! for.

use serde_json::json;

use super::{Pipeline, image, stand};
use crate::diagnostic::Path;
use crate::manifest::Slug;
use crate::manifest::{AwsRole, StageKind};
use crate::plan::body::{Body, CdktfSynth, EcsAwait};
use crate::plan::credentials::{credentials, identity};
use crate::plan::draft::{CHECK_OUT, Draft, NewJob};
use crate::plan::environment_jobs::{READ, aws_env, reading_environment, scan_body};
use crate::plan::passed::Passed;
use crate::plan::registry::Access;
use crate::plan::stacks::{entries, over_literal};
use crate::project::{EcsTarget, Environment, Image, Stage, Target};
use crate::workflow::Runner;

/// Synthesises the stacks of an environment, where there are any: a program of the repository, which gets no right.
pub(super) fn synthesise(
    pipeline: &mut Pipeline<'_>,
    draft: &mut Draft<'_>,
    stage: &Stage,
    environment: &Environment,
    behind: &Passed,
) -> Passed {
    let project = pipeline.project;
    let Some(terraform) = &project.terraform else { return Passed::default() };
    let target = terraform.targets.iter().find(|target| target.environment == environment.name);
    let stacks = entries(target.into_iter().flat_map(|target| &target.stacks).filter_map(|stack| {
        let own = terraform.synthesised.get(stack.stack.as_str())?;
        let mut entry = json!(own);
        let settings = [
            ("stack", json!(stack.stack)),
            ("directory", json!(stack.directory)),
            ("backend", json!(stack.backend)),
        ];
        let entries = entry.as_object_mut()?;
        entries.extend(settings.map(|(name, value)| (name.to_owned(), value)));
        Some(entry)
    }));
    if stacks.is_empty() {
        return Passed::default();
    }
    let (images, known_by) = image::by_digest(pipeline, environment);
    let id = format!("synth-{}", environment.name);
    let title = format!("synthesise {}", environment.name);
    let mut model = over_literal(draft, &title, stacks, project.timeout_minutes);
    model.runs_on = Some(Runner { group: None, labels: environment.runner.clone() });
    stand(&mut model, stage, behind);
    model.needs.extend(known_by);
    let job = NewJob {
        id: id.clone(),
        model,
        permissions: &[CHECK_OUT],
        because: "Behind everything that every run does: only then the images have digests.",
        identity: None,
        body: Body::CdktfSynth(CdktfSynth {
            environment: environment.name.to_string(),
            node: None,
            images,
            scan: Some(scan_body(project, terraform)),
        }),
        origin: Path::of(["terraform", "stacks"]),
    };
    pipeline.add(draft, StageKind::Terraform, Some(environment), job);
    Passed::jobs([id.as_str()])
}

/// Waits for the services that the stacks of an environment deploy themselves.
pub(super) fn wait(
    pipeline: &mut Pipeline<'_>,
    draft: &mut Draft<'_>,
    stage: &Stage,
    environment: &Environment,
    behind: &Passed,
) -> Passed {
    let project = pipeline.project;
    let mut passed = Passed::default();
    let Some(terraform) = &project.terraform else { return passed };
    let target = terraform.targets.iter().find(|target| target.environment == environment.name);
    let stacks = target.into_iter().flat_map(|target| &target.stacks);
    let awaited = stacks.filter_map(|stack| terraform.synthesised.get(stack.stack.as_str()));
    for name in awaited.flat_map(|stack| &stack.awaits) {
        let Some(service) = project.services.get(name) else { continue };
        let Some(image) = project.images.get(&service.image) else { continue };
        let target = service.targets.iter().find(|target| *target.environment() == environment.name);
        let Some(Target::Ecs(target)) = target else { continue };
        let push = image::push_id(environment, &service.image);
        let mut job = wait_for(pipeline, draft, environment, (name, image, target), push.clone());
        stand(&mut job.model, stage, &behind.clone().and(&Passed::jobs([push.as_str()])));
        let id = job.id.clone();
        pipeline.add(draft, StageKind::Terraform, Some(environment), job);
        passed = passed.and(&Passed::jobs([id.as_str()]));
    }
    passed
}

fn wait_for(
    pipeline: &Pipeline<'_>,
    draft: &Draft<'_>,
    environment: &Environment,
    (name, image, target): (&Slug, &Image, &EcsTarget),
    push: String,
) -> NewJob {
    /// How long ecs-await.sh follows a deployment and its way back, and what is done beside waiting.
    const MINUTES: u16 = 45;
    let mut model = draft.job(format!("await {} ({name})", environment.name), MINUTES);
    model.runs_on = Some(Runner { group: None, labels: environment.runner.clone() });
    model.env = aws_env();
    model.environment = Some(reading_environment(environment));
    NewJob {
        id: Slug::join(&[&"await", &environment.name, name]),
        model,
        permissions: READ,
        because: "Terraform does not wait for what its change of a service has started, and a reversal leaves it none the wiser.",
        identity: Some(identity(target, AwsRole::Plan)),
        body: Body::EcsAwait(EcsAwait {
            name: name.clone(),
            credentials: credentials(pipeline.project, target, AwsRole::Plan, MINUTES),
            cluster: target.cluster.clone(),
            service: target.service.clone(),
            container: target.container.clone(),
            image: Access::of(image, environment).image,
            push,
        }),
        origin: Path::of(["services", name.as_str()]),
    }
}
