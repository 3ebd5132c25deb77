//! The golden image: its template is checked for every run, the image built where it is wanted, and each environment
//! planned with the one that was built, with one chosen by hand, or with its own latest good one.

use indexmap::IndexMap;

use super::{Pipeline, in_turn, stand, within_limit};
use crate::manifest::StageKind;
use crate::plan::body::Changes;
use crate::plan::build::{always, changes_job};
use crate::plan::draft::Draft;
use crate::plan::environment_jobs::InEnvironment;
use crate::plan::golden_image::{self, BUILD, CHOSEN, REBUILD, VALIDATE, sources};
use crate::plan::passed::Passed;
use crate::project::{Environment, Stage};
use crate::workflow::Input;

/// What a person may ask for who starts it.
pub(super) fn inputs(stages: &[Vec<Stage>]) -> IndexMap<String, Input> {
    if !stages.iter().flatten().any(|stage| stage.kind == StageKind::GoldenImage) {
        return IndexMap::new();
    }
    IndexMap::from([
        (REBUILD.to_owned(), Input::yes_or_no("Build another image, whatever has changed")),
        (
            CHOSEN.to_owned(),
            Input::text("The id of an image to use instead; empty means the latest good one"),
        ),
    ])
}

/// Checks the template, and finds out whether its sources changed. The jobs that have to succeed.
pub(super) fn prepare(pipeline: &mut Pipeline<'_>, draft: &mut Draft<'_>) -> Vec<String> {
    let Some(packer) = &pipeline.project.packer else { return Vec::new() };
    let changes = Changes {
        targets: vec![sources(packer)],
        always: always(draft),
        matrices: None,
        notes: None,
        pull_requests: draft.runs_for_pull_requests(),
        follows_modules: false,
        compares_pushes: true,
    };
    draft.add(changes_job(draft, changes, &["changed"]));
    draft.add(golden_image::validate(draft, pipeline.project, packer));
    vec!["changes".to_owned(), VALIDATE.to_owned()]
}

/// Builds the image, once, in the turn of the environment that has its secrets; and says which one an environment is
/// planned with.
pub(super) fn look(
    pipeline: &mut Pipeline<'_>,
    draft: &mut Draft<'_>,
    environment: &Environment,
    behind: &Passed,
) -> Passed {
    let (project, stage) = (pipeline.project, pipeline.stage(StageKind::GoldenImage));
    let (Some(packer), Some(stage)) = (&project.packer, stage) else { return Passed::default() };
    if draft.job_ids().all(|id| id != BUILD) {
        let Some(own) = project.environment(&packer.environment) else { return Passed::default() };
        let behind = in_turn(draft, own).and(&Passed::jobs(["gate"]));
        let mut build = golden_image::build(draft, project, packer, own, &behind);
        stand(&mut build.model, stage, &Passed::default());
        pipeline.add(draft, StageKind::GoldenImage, Some(own), build);
    }
    let Some(at) = place(pipeline, environment) else { return Passed::default() };
    let mut job = golden_image::choose(draft, &at, packer, behind);
    stand(&mut job.model, stage, &Passed::default());
    let id = job.id.clone();
    pipeline.add(draft, StageKind::GoldenImage, Some(environment), job);
    within_limit(stage, Passed::jobs([id.as_str()]))
}

/// Writes down that the image works, behind everything that the environment had to show.
pub(super) fn record(
    pipeline: &mut Pipeline<'_>,
    draft: &mut Draft<'_>,
    environment: &Environment,
    done: &Passed,
) {
    let stage = pipeline.stage(StageKind::GoldenImage);
    let (Some(packer), Some(stage)) = (&pipeline.project.packer, stage) else { return };
    let Some(at) = place(pipeline, environment) else { return };
    let mut job = golden_image::record(draft, &at, packer, done);
    stand(&mut job.model, stage, &Passed::default());
    pipeline.add(draft, StageKind::GoldenImage, Some(environment), job);
}

/// An environment with its stacks.
pub(super) fn place<'a>(pipeline: &Pipeline<'a>, environment: &Environment) -> Option<InEnvironment<'a>> {
    let project = pipeline.project;
    let terraform = project.terraform.as_ref()?;
    let target = terraform.targets.iter().find(|target| target.environment == environment.name)?;
    let environment = project.environment(&environment.name)?;
    Some(InEnvironment { project, terraform, environment, target })
}
