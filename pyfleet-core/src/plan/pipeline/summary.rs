//! The summary: what became of every stage.

use super::Pipeline;
use crate::diagnostic::Path;
use crate::manifest::StageKind;
use crate::plan::Permission;
use crate::plan::body::{Body, PipelineSummary, SummarisedStage};
use crate::plan::draft::{Draft, NewJob};
use crate::project::{Environment, Stage};
use crate::workflow::{Level, Scope};

const SUMMARISE: &[Permission] = &[Permission {
    scope: Scope::Actions,
    level: Level::Read,
    because: "read who approved the run, and how long its jobs took",
}];

pub(super) fn job(draft: &Draft<'_>, pipeline: &Pipeline<'_>) -> NewJob {
    let mut stages = Vec::new();
    let shared = pipeline.stages.iter().flatten().map(|stage| (None, stage));
    let own = pipeline.environments.iter().flat_map(|environment| {
        pipeline.stages.iter().flatten().map(move |stage| (Some(*environment), stage))
    });
    for (environment, stage) in shared.chain(own) {
        stages.extend(summarised(pipeline, environment, stage));
    }
    let images = pipeline.environments.iter().flat_map(|environment| {
        let key = (Some(environment.name.clone()), StageKind::Image);
        pipeline.jobs.get(&key).into_iter().flatten().map(|push| (push.clone(), environment.name.to_string()))
    });
    let images = images.collect();
    let mut model = draft.job("summary", 5);
    model.needs = draft.job_ids().filter(|id| *id != "gate").map(str::to_owned).collect();
    model.condition = Some("always()".to_owned());
    NewJob {
        id: "summary".to_owned(),
        model,
        permissions: SUMMARISE,
        because: "Whatever became of the run.",
        identity: None,
        body: Body::PipelineSummary(PipelineSummary { stages, images }),
        origin: Path::of(["workflows", draft.name().as_str(), "stages"]),
    }
}

fn summarised(
    pipeline: &Pipeline<'_>,
    environment: Option<&Environment>,
    stage: &Stage,
) -> Option<SummarisedStage> {
    let key = (environment.map(|environment| environment.name.clone()), stage.kind);
    Some(SummarisedStage {
        stage: stage.kind.name().to_owned(),
        environment: environment.map(|environment| environment.name.to_string()),
        only: stage.limit_in_words(),
        limit: stage.limit(),
        jobs: pipeline.jobs.get(&key)?.clone(),
    })
}
