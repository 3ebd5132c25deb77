//! The services: deployed to each environment, with the images that were pushed for it.

use super::{Pipeline, image, newest_id, stand};
use crate::manifest::StageKind;
use crate::plan::deploy::{Jobs, services};
use crate::plan::draft::Draft;
use crate::plan::passed::Passed;
use crate::project::{Environment, Stage};

pub(super) fn add(
    pipeline: &mut Pipeline<'_>,
    draft: &mut Draft<'_>,
    stage: &Stage,
    environment: &Environment,
    behind: &Passed,
) -> Passed {
    let project = pipeline.project;
    let jobs = Jobs {
        project,
        environment,
        services: services(project, &stage.services, environment),
        newest: Some(newest_id(environment)),
    };
    let mut passed = Passed::default();
    for service in &jobs.services {
        let push = image::push_id(environment, service.image_name);
        let mut job = jobs.deploy_job(draft, service, push.clone());
        // Its result, not only what comes of it: a push that its stage's limit leaves out has no digest to deploy.
        stand(&mut job.model, stage, &behind.clone().and(&Passed::jobs([push.as_str()])));
        let id = job.id.clone();
        pipeline.add(draft, StageKind::Deploy, Some(environment), job);
        passed = passed.and(&Passed::jobs([id.as_str()]));
    }
    passed
}
