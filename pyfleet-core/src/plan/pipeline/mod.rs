//! `pipeline`: a commit goes through stages, up to the environments of its branch.
//!
//! Whatever needs no environment comes first, for every run: that is all that a pull request runs. Then each environment
//! of the branch has its turn, in the order of promotion: what is going to change is looked at, its reviewers agree, the
//! commit is compared with the newest of the branch, and the stages change the environment one after the other. So
//! nobody agrees to what was not looked at, and nothing is changed that nobody agreed to, whatever the order of stages.
//!
//! A stage that its own limit leaves out stops no later stage; anything else that is skipped does. Every job behind a
//! limit therefore names the results that it relies on: see [`Passed`].

mod cdktf;
mod configure;
mod deploy;
mod golden_image;
mod image;
mod summary;
mod terraform;

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::json;

use super::body::{Body, NewestCommit, PipelineGuard};
use super::condition::expression;
use super::draft::{CHECK_OUT, Draft, NewJob};
use super::environment_jobs::{approval_of, is_gated};
use super::notify::{self, Told};
use super::passed::Passed;
use super::{security, smoke, test};
use crate::diagnostic::Path;
use crate::manifest::{SafetyLevel, Slug, StageKind};
use crate::project::{Environment, Project, Stage};

/// When somebody is told what became of a run: nobody is told of a pull request.
const OUTCOME: Told = Told {
    condition: "always() && needs.guard.result == 'success' && needs.guard.outputs.environments != '[]'",
    because: "Whatever became of a run that may change something.",
};

pub(super) fn plan(project: &Project, draft: &mut Draft<'_>) {
    let Some(wish) = project.workflows.get(draft.name()) else { return };
    if draft.is_started_by_hand() {
        draft.start_by_hand(golden_image::inputs(&wish.stages));
    }
    let mut pipeline = Pipeline::new(project, &wish.stages);
    let guard = pipeline.guard(draft);
    draft.add(guard);
    let mut passed = Passed::default();
    for group in &wish.stages {
        let mut beside = Passed::default();
        for stage in group {
            let stage_passed = pipeline.prepare(draft, stage, &passed);
            beside = beside.and(&stage_passed);
        }
        passed = passed.and(&beside);
    }
    let reporting: Vec<&str> = pipeline.reporting.iter().map(String::as_str).collect();
    draft.add_gate(&reporting);
    let mut earlier: Vec<(&Environment, Passed)> = Vec::new();
    for environment in pipeline.environments.clone() {
        let before = earlier.iter().rev().find(|(other, _)| other.branch == environment.branch);
        let before = before.map_or_else(Passed::default, |(other, passed)| {
            passed.clone().or_where(&format!("!{}", works_on(other)))
        });
        let done = pipeline.take_turn(draft, environment, &before);
        earlier.push((environment, done));
    }
    if wish.stages.iter().flatten().any(|stage| stage.kind == StageKind::Summary) {
        let summary = summary::job(draft, &pipeline);
        draft.add(summary);
    }
    let title = format!("{} of ${{{{ github.ref_name }}}}", draft.name());
    if let Some(notify) =
        notify::outcome(project, draft, &title, OUTCOME).filter(|_| !pipeline.environments.is_empty())
    {
        draft.add(notify);
    }
}

/// That a run works on an environment.
fn works_on(environment: &Environment) -> String {
    format!("contains(fromJSON(needs.guard.outputs.environments), '{}')", environment.name)
}

/// That a job of an environment has its turn. The guard names no environment for a pull request: saying it again makes it
/// plain to whoever reads the job, and to the rules.
fn in_turn(draft: &Draft<'_>, environment: &Environment) -> Passed {
    let no_pull_request = if draft.runs_for_pull_requests() {
        Passed::condition([], "github.event_name != 'pull_request'")
    } else {
        Passed::default()
    };
    no_pull_request.and(&Passed::condition(["guard".to_owned()], works_on(environment)))
}

/// Its stages, and the jobs that they have become so far.
struct Pipeline<'a> {
    project: &'a Project,
    stages: &'a [Vec<Stage>],
    /// What it works on, in promotion order.
    environments: Vec<&'a Environment>,
    /// Each stage's jobs, those that every run has and those of each environment.
    jobs: BTreeMap<(Option<Slug>, StageKind), Vec<String>>,
    /// Jobs that only report.
    reporting: Vec<String>,
}

impl<'a> Pipeline<'a> {
    fn new(project: &'a Project, stages: &'a [Vec<Stage>]) -> Self {
        let pushes = project.images.values().any(|image| image.registry.is_some());
        let changes = stages
            .iter()
            .flatten()
            .any(|stage| stage.kind.changes() || (stage.kind == StageKind::Image && pushes));
        let may_change = |environment: &&Environment| changes && environment.level >= SafetyLevel::WRITES;
        Self {
            project,
            stages,
            environments: project.environments.iter().filter(may_change).collect(),
            jobs: BTreeMap::new(),
            reporting: Vec::new(),
        }
    }

    fn stage(&self, kind: StageKind) -> Option<&'a Stage> {
        self.stages.iter().flatten().find(|stage| stage.kind == kind)
    }

    /// Adds a job of a stage.
    fn add(
        &mut self,
        draft: &mut Draft<'_>,
        stage: StageKind,
        environment: Option<&Environment>,
        job: NewJob,
    ) {
        let key = (environment.map(|environment| environment.name.clone()), stage);
        self.jobs.entry(key).or_default().push(job.id.clone());
        draft.add(job);
    }

    fn guard(&self, draft: &Draft<'_>) -> NewJob {
        let targets = self.environments.iter().map(|environment| {
            json!({
                "environment": environment.name.as_str(),
                "branch": environment.branch,
                "automatic": environment.level >= SafetyLevel::AUTOMATES,
            })
        });
        let mut model = draft.job("guard", 5);
        model.outputs = ["environments", "version"]
            .map(|name| (name.to_owned(), expression(&format!("steps.guard.outputs.{name}"))))
            .into();
        NewJob {
            id: "guard".to_owned(),
            model,
            permissions: &[],
            because: "",
            identity: None,
            body: Body::PipelineGuard(PipelineGuard {
                targets: targets.collect(),
                golden_image: draft.is_started_by_hand() && self.stage(StageKind::GoldenImage).is_some(),
            }),
            origin: Path::of(["workflows", draft.name().as_str()]),
        }
    }

    /// Adds what a stage does for every run; what says that it went well.
    fn prepare(&mut self, draft: &mut Draft<'_>, stage: &Stage, before: &Passed) -> Passed {
        let first = Passed::default();
        let (ids, before) = match stage.kind {
            StageKind::Test => {
                let added = test::add_all(self.project, draft);
                self.reporting.extend(added.reporting);
                (added.required, before)
            }
            StageKind::Security => (security::add(self.project, draft), before),
            StageKind::Image => return image::prepare(self, draft, stage, before),
            StageKind::Terraform => return terraform::prepare(self, draft, stage),
            // They need nothing of the stages before.
            StageKind::GoldenImage => (golden_image::prepare(self, draft), &first),
            StageKind::Configure => (configure::prepare(self, draft), &first),
            StageKind::Deploy | StageKind::Smoke | StageKind::Summary => return Passed::default(),
        };
        for id in &ids {
            draft.change(id, |job| stand(job, stage, before));
        }
        let passed = Passed::jobs(ids.iter().map(String::as_str));
        self.jobs.entry((None, stage.kind)).or_default().extend(ids);
        within_limit(stage, passed)
    }

    /// Adds the jobs of one environment, behind the gate: it is red where anything that every run does did not go well,
    /// and what is skipped behind it is skipped on purpose. What says that all went well.
    fn take_turn(&mut self, draft: &mut Draft<'_>, environment: &'a Environment, before: &Passed) -> Passed {
        let here = in_turn(draft, environment).and(&Passed::jobs(["gate"])).and(before);
        let here = here.clone().and(&terraform::create_backend(self, draft, environment, &here));
        let chosen = golden_image::look(self, draft, environment, &here);
        let looked_at = terraform::look(self, draft, environment, &here.clone().and(&chosen));
        let entered = self.enter(draft, environment, &here.and(&looked_at));
        let mut done = Passed::default();
        for group in self.stages {
            let behind = entered.clone().and(&done);
            for stage in group {
                let passed = match stage.kind {
                    StageKind::Test | StageKind::Security | StageKind::GoldenImage | StageKind::Summary => {
                        continue;
                    }
                    StageKind::Image => image::push(self, draft, stage, environment, &behind),
                    StageKind::Terraform => terraform::apply(self, draft, stage, environment, &behind),
                    StageKind::Deploy => deploy::add(self, draft, stage, environment, &behind),
                    StageKind::Configure => configure::add(self, draft, stage, environment, &behind),
                    StageKind::Smoke => self.smoke(draft, stage, environment, &behind),
                };
                done = done.and(&within_limit(stage, passed));
            }
        }
        golden_image::record(self, draft, environment, &entered.and(&done));
        done
    }

    /// Asks what was deployed to an environment.
    fn smoke(
        &mut self,
        draft: &mut Draft<'_>,
        stage: &Stage,
        environment: &Environment,
        behind: &Passed,
    ) -> Passed {
        let mut passed = Passed::default();
        for mut job in smoke::jobs(draft, self.project, environment) {
            stand(&mut job.model, stage, behind);
            passed = passed.and(&Passed::jobs([job.id.as_str()]));
            self.add(draft, StageKind::Smoke, Some(environment), job);
        }
        passed
    }

    /// Who has to agree does, and the commit is still the newest of its branch; what says so.
    fn enter(&self, draft: &mut Draft<'_>, environment: &Environment, before: &Passed) -> Passed {
        let mut passed = in_turn(draft, environment);
        let origin = Path::of(["environments", environment.name.as_str()]);
        let title = format!("{} of ${{{{ github.ref_name }}}} to {}", draft.name(), environment.name);
        if let Some(id) = approval_id(environment) {
            let mut model = draft.job(format!("approve {}", environment.name), 5);
            before.stand_before(&mut model);
            let body = approval_of(environment, &mut model, title.clone());
            draft.add(NewJob {
                id: id.clone(),
                model,
                permissions: &[],
                because: "The environment's reviewers agree first, in a job that holds no right and no lock.",
                identity: None,
                body,
                origin: origin.key("approval"),
            });
            if let Some(body) = notify::waiting(self.project, draft, &title) {
                let mut model = draft.job(format!("notify before {}", environment.name), 5);
                before.stand_before(&mut model);
                draft.add(NewJob {
                    id: format!("notify-before-{}", environment.name),
                    model,
                    permissions: &[],
                    because: "When the reviewers are asked.",
                    identity: None,
                    body,
                    origin: Path::of(["notify"]),
                });
            }
            passed = passed.and(&Passed::jobs([id.as_str()]));
        }
        let id = newest_id(environment);
        let mut model = draft.job(format!("newest commit for {}", environment.name), 5);
        model.outputs = IndexMap::from([
            ("newest".to_owned(), expression("steps.newest.outputs.newest")),
            // A later attempt of the run would not look again.
            ("attempt".to_owned(), expression("github.run_attempt")),
        ]);
        before.clone().and(&passed).stand_before(&mut model);
        draft.add(NewJob {
            id: id.clone(),
            model,
            permissions: &[CHECK_OUT],
            because: "A run that was overtaken, or waited for a person meanwhile, would undo what a newer one has done.",
            identity: None,
            body: Body::NewestCommit(NewestCommit {}),
            origin,
        });
        passed.and(&Passed::condition([id.clone()], format!("needs.{id}.outputs.newest == 'true'")))
    }
}

/// The job that waits for the reviewers of an environment, where there are any.
fn approval_id(environment: &Environment) -> Option<String> {
    is_gated(environment).then(|| format!("approve-{}", environment.name))
}

/// The job that compares the commit of the run with the newest of its branch.
fn newest_id(environment: &Environment) -> String {
    format!("newest-{}", environment.name)
}

/// What says that a stage went well, or that its limit leaves it out.
fn within_limit(stage: &Stage, passed: Passed) -> Passed {
    match stage.limit() {
        Some(limit) => passed.or_where(&format!("!({limit})")),
        None => passed,
    }
}

/// Puts a job of a stage behind the stages before it, and within the stage's limit.
fn stand(job: &mut crate::workflow::Job, stage: &Stage, before: &Passed) {
    let limit = stage.limit().map(|limit| Passed::condition([], limit));
    let behind = before.clone().and(&limit.unwrap_or_default());
    if !behind.is_empty() {
        behind.stand_before(job);
    }
}
