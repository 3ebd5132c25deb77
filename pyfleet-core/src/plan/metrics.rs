//! `metrics`: how deliveries went, measured each week against the project's targets. It needs nothing but GitHub.

use super::Permission;
use super::body::{Body, Metrics};
use super::draft::{Draft, NewJob};
use crate::diagnostic::Path;
use crate::manifest::{Disposition, Kind};
use crate::project::Project;
use crate::workflow::{Level, Scope};

const READ_RUNS: &[Permission] = &[Permission {
    scope: Scope::Actions,
    level: Level::Read,
    because: "read how runs of this repository ended, and how long their jobs took",
}];

pub(super) fn plan(project: &Project, draft: &mut Draft<'_>) {
    let files = |is_one: fn(Kind) -> bool| {
        let rendered = project.workflows.iter().filter(|(_, wish)| wish.disposition == Disposition::Rendered);
        rendered
            .filter(|(_, wish)| wish.kind.is_some_and(is_one))
            .map(|(name, _)| format!("{name}.yml"))
            .collect()
    };
    let body = Metrics {
        deliveries: files(Kind::delivers),
        rollbacks: files(|kind| kind == Kind::Rollback),
        targets: project.targets,
        artifact_days: project.artifact_days,
    };
    draft.add(NewJob {
        id: "measure".to_owned(),
        model: draft.job("measure", 15),
        permissions: READ_RUNS,
        because: "",
        identity: None,
        body: Body::Metrics(body),
        origin: Path::of(["workflows", draft.name().as_str()]),
    });
}
