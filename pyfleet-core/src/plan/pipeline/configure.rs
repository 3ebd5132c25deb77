//! The machines: their playbook is checked for every run, and run for each environment.

use super::{Pipeline, golden_image, newest_id, stand};
use crate::manifest::{Kind, StageKind};
use crate::plan::configure::{self, CHECK};
use crate::plan::draft::Draft;
use crate::plan::passed::Passed;
use crate::project::{Environment, Stage};

/// Checks the playbook without a machine. The job that has to succeed.
pub(super) fn prepare(pipeline: &mut Pipeline<'_>, draft: &mut Draft<'_>) -> Vec<String> {
    let Some(ansible) = &pipeline.project.ansible else { return Vec::new() };
    draft.add(configure::check(draft, pipeline.project, ansible));
    vec![CHECK.to_owned()]
}

pub(super) fn add(
    pipeline: &mut Pipeline<'_>,
    draft: &mut Draft<'_>,
    stage: &Stage,
    environment: &Environment,
    behind: &Passed,
) -> Passed {
    let project = pipeline.project;
    let (Some(ansible), Some(at)) = (&project.ansible, golden_image::place(pipeline, environment)) else {
        return Passed::default();
    };
    let rollback = project.workflows.iter().find(|(_, wish)| wish.renders(Kind::Rollback));
    // The stack and its image go back together, and the machines are configured again.
    let rollback = rollback.map(|(name, wish)| {
        format!(
            "gh workflow run {name}.yml --ref {} -f environment={} -f what=terraform/{} -f target=previous -f confirm={}",
            environment.branch, environment.name, ansible.stack, wish.phrase
        )
    });
    let mut job =
        configure::job(draft, &at, ansible, Some(newest_id(environment)), rollback, &Passed::default());
    stand(&mut job.model, stage, behind);
    let id = job.id.clone();
    pipeline.add(draft, StageKind::Configure, Some(environment), job);
    Passed::jobs([id.as_str()])
}
