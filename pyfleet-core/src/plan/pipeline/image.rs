//! The images: built and scanned for every run, pushed for each environment.
//!
//! The image of a commit is built once. Where the registry of an environment has it already, it is used again: another
//! build would be another image, and tags do not move.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::{Pipeline, approval_id, in_turn, newest_id, stand, within_limit, works_on};
use crate::diagnostic::Path;
use crate::manifest::{AwsRole, OnFindings, Registry, Slug, StageKind};
use crate::plan::body::{Archive, Body, BuildArchive, ImagePush, ScanImage};
use crate::plan::condition::expression;
use crate::plan::draft::{CHECK_OUT, Draft, NewJob};
use crate::plan::environment_jobs::{aws_env, reading_environment, without_deployment};
use crate::plan::passed::Passed;
use crate::plan::registry::{Access, moving_tags};
use crate::plan::scan::{TRIVY, accepted_at, counting_from};
use crate::project::{Environment, Image, Stage, image_variable};
use crate::workflow::{self as model, Runner};

/// Looks for each image where it is kept, builds it where it is not, and scans what was built.
pub(super) fn prepare(
    pipeline: &mut Pipeline<'_>,
    draft: &mut Draft<'_>,
    stage: &Stage,
    before: &Passed,
) -> Passed {
    let project = pipeline.project;
    let mut passed = Passed::default();
    for (name, image) in &project.images {
        let (mut found, mut needed) = (Passed::default(), Vec::new());
        for environment in pipeline.environments.clone() {
            match lookup(pipeline, draft, name, image, environment) {
                Some(mut job) => {
                    let id = job.id.clone();
                    stand(&mut job.model, stage, &in_turn(draft, environment).and(before));
                    pipeline.add(draft, StageKind::Image, None, job);
                    let is_chosen = works_on(environment);
                    needed.push(format!("({is_chosen} && needs.{id}.outputs.digest == '')"));
                    found = found.and(&Passed::condition(
                        ["guard".to_owned(), id.clone()],
                        format!("(!{is_chosen} || needs.{id}.result == 'success')"),
                    ));
                }
                None => needed.push(works_on(environment)),
            }
        }
        let is_needed = match needed.is_empty() {
            true => None,
            false => Some(format!("(needs.guard.outputs.environments == '[]' || {})", needed.join(" || "))),
        };
        let mut build = build(pipeline, draft, name, image);
        let wanted = is_needed.iter().map(|needed| Passed::condition(["guard".to_owned()], needed.clone()));
        let wanted = wanted.fold(Passed::default(), |all, one| all.and(&one));
        stand(&mut build.model, stage, &before.clone().and(&found).and(&wanted));
        let build_id = build.id.clone();
        pipeline.add(draft, StageKind::Image, None, build);
        let mut scan = scan(pipeline, draft, name, image, &build_id);
        Passed::jobs([build_id.as_str()]).stand_before(&mut scan.model);
        let scanned = Passed::jobs([scan.id.as_str()]);
        pipeline.add(draft, StageKind::Image, None, scan);
        // What was not built was scanned when it was pushed.
        let scanned = match is_needed {
            Some(needed) => scanned.or_where(&format!("!{needed}")),
            None => scanned,
        };
        passed = passed.and(&found).and(&scanned);
    }
    within_limit(stage, passed)
}

/// The jobs that push the images for an environment.
pub(super) fn push(
    pipeline: &mut Pipeline<'_>,
    draft: &mut Draft<'_>,
    stage: &Stage,
    environment: &Environment,
    behind: &Passed,
) -> Passed {
    let project = pipeline.project;
    let mut passed = Passed::default();
    for (name, image) in &project.images {
        let Some(access) = access(image, environment) else { continue };
        let minutes = project.timeout_minutes.min(115);
        let (lookup, build) = (lookup_id(environment, name), build_id(name));
        let mut model = on_aws(draft, environment, "push", name, minutes);
        model.needs = vec![lookup.clone(), build.clone()];
        stand(&mut model, stage, behind);
        model.environment = Some(without_deployment(environment.name.to_string()));
        model.outputs = IndexMap::from([("digest".to_owned(), expression("steps.push.outputs.digest"))]);
        let id = push_id(environment, name);
        let job = NewJob {
            id: id.clone(),
            model,
            permissions: access.pushing(),
            because: "Nothing leaves before everything that every run does has gone well, and the reviewers have agreed.",
            identity: access.identity(AwsRole::Deploy),
            body: Body::ImagePush(ImagePush {
                credentials: access.credentials(project, AwsRole::Deploy, minutes),
                login: access.login(),
                image: access.image,
                moving: moving_tags(project, image),
                artifact: artifact(name),
                lookup,
                build,
                approval: approval_id(environment),
                newest: Some(newest_id(environment)),
            }),
            origin: Path::of(["images", name.as_str()]),
        };
        pipeline.add(draft, StageKind::Image, Some(environment), job);
        passed = passed.and(&Passed::jobs([id.as_str()]));
    }
    passed
}

/// The images of an environment by the variable that names each, with the jobs that know its digest before anything is
/// pushed.
pub(super) fn by_digest(
    pipeline: &Pipeline<'_>,
    environment: &Environment,
) -> (BTreeMap<String, String>, Vec<String>) {
    let (mut images, mut jobs) = (BTreeMap::new(), Vec::new());
    if pipeline.stage(StageKind::Image).is_none() {
        return (images, jobs);
    }
    for (name, image) in &pipeline.project.images {
        let Some(access) = access(image, environment) else { continue };
        let (lookup, build) = (lookup_id(environment, name), build_id(name));
        let digest = expression(&format!("needs.{lookup}.outputs.digest || needs.{build}.outputs.digest"));
        let at = access.image;
        images.insert(image_variable(name), format!("{}/{}@{digest}", at.registry, at.repository));
        jobs.extend([lookup, build]);
    }
    (images, jobs)
}

/// The job that pushes an image for an environment, and says its digest.
pub(super) fn push_id(environment: &Environment, name: &Slug) -> String {
    Slug::join(&[&"push", &environment.name, name])
}

fn lookup_id(environment: &Environment, name: &Slug) -> String {
    Slug::join(&[&"lookup", &environment.name, name])
}

fn build_id(name: &Slug) -> String {
    Slug::join(&[&"build", name])
}

/// The artifact of an image.
fn artifact(name: &Slug) -> String {
    format!("image_{name}")
}

/// A job of an environment, on its runner, that talks to AWS.
fn on_aws(draft: &Draft<'_>, environment: &Environment, verb: &str, of: &Slug, minutes: u16) -> model::Job {
    let mut model = draft.job(format!("{verb} {} ({of})", environment.name), minutes);
    model.runs_on = Some(Runner { group: None, labels: environment.runner.clone() });
    model.env = aws_env();
    model
}

/// The way to where an environment keeps an image; nothing where the image is only built.
fn access<'a>(image: &Image, environment: &'a Environment) -> Option<Access<'a>> {
    let access = Access::of(image, environment);
    let is_kept = match image.registry.as_ref()? {
        Registry::Ecr(_) => access.is_on_aws(),
        Registry::DockerHub(_) | Registry::Ghcr(_) => true,
    };
    is_kept.then_some(access)
}

fn lookup(
    pipeline: &Pipeline<'_>,
    draft: &Draft<'_>,
    name: &Slug,
    image: &Image,
    environment: &Environment,
) -> Option<NewJob> {
    const MINUTES: u16 = 10;
    let access = access(image, environment)?;
    let mut model = on_aws(draft, environment, "look up", name, MINUTES);
    model.environment = access.is_on_aws().then(|| reading_environment(environment));
    model.outputs = IndexMap::from([("digest".to_owned(), expression("steps.lookup.outputs.digest"))]);
    Some(NewJob {
        id: lookup_id(environment, name),
        model,
        permissions: access.reading(),
        because: "For a commit whose tests fail no registry is asked, and nothing is built.",
        identity: access.identity(AwsRole::Plan),
        body: Body::ImageLookup(access.lookup(pipeline.project, MINUTES)),
        origin: Path::of(["images", name.as_str()]),
    })
}

fn build(pipeline: &Pipeline<'_>, draft: &Draft<'_>, name: &Slug, image: &Image) -> NewJob {
    let mut model = draft.job(format!("build {name}"), pipeline.project.timeout_minutes);
    model.outputs = IndexMap::from([("digest".to_owned(), expression("steps.build.outputs.digest"))]);
    NewJob {
        id: build_id(name),
        model,
        permissions: &[CHECK_OUT],
        because: "An image of this commit is used again: a second build would be another one, and tags do not move.",
        identity: None,
        body: Body::BuildArchive(BuildArchive {
            context: image.directory.normal().to_owned(),
            dockerfile: image.dockerfile.clone(),
            platform: image.platform.clone(),
            reference: format!("{name}:{}", draft.name()),
            artifact: artifact(name),
            max_size: image.max_size,
            non_root: image.non_root,
        }),
        origin: Path::of(["images", name.as_str()]),
    }
}

fn scan(pipeline: &Pipeline<'_>, draft: &Draft<'_>, name: &Slug, image: &Image, build: &str) -> NewJob {
    NewJob {
        id: Slug::join(&[&"scan", name]),
        model: draft.job(format!("scan {name}"), 15),
        permissions: &[CHECK_OUT],
        because: "",
        identity: None,
        body: Body::ScanImage(ScanImage {
            image: artifact(name),
            archive: Some(Archive {
                digest: expression(&format!("needs.{build}.outputs.digest")),
                platform: image.platform.clone(),
            }),
            title: format!("Image {name}"),
            artifact: format!("scan_{name}"),
            scanner: TRIVY,
            minimum_severity: counting_from(Some(image.minimum_severity)),
            on_findings: OnFindings::Fail,
            accepted: accepted_at(pipeline.project, &format!("images.{name}")),
            sarif: false,
            artifact_days: pipeline.project.artifact_days,
        }),
        origin: Path::of(["images", name.as_str()]),
    }
}
