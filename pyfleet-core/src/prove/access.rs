//! Which jobs get into which environment.

use std::collections::BTreeMap;

use super::{Content, File};
use crate::expression::{embedded, opens_in};
use crate::manifest::{Approval, AwsRole, Slug};
use crate::oidc::Identity;
use crate::plan::Plan;
use crate::project::{Environment, ExtraSteps, Project};
use crate::simulate::{Despite, Simulator, Way};
use crate::workflow::{Graph, Job, Level, Scope, Uses, Workflow};

/// A job that gets what an environment holds.
#[derive(Debug, Clone)]
pub struct Access {
    /// Its workflow file.
    pub file: String,
    /// Its id.
    pub job: String,
    /// The GitHub environment that it runs in, as it is written, if it is in one.
    pub environment: Option<String>,
    /// What it gets.
    pub door: Door,
    /// Who wrote it.
    pub origin: Origin,
    /// The role that the plan gives it.
    pub role: Option<AwsRole>,
    /// The events on which it may run, each once; there is one.
    pub events: Vec<String>,
    /// The jobs that it waits for directly.
    pub needs: Vec<String>,
    /// The jobs without whose success it never runs, each after those that it needs.
    pub after: Vec<String>,
    /// Those of them that have waited for reviewers, and for whose.
    pub reviewed_by: Vec<(String, Slug)>,
    /// Of the other jobs that it waits for, and that wait for the environment's reviewers, how it may run without them.
    pub(super) despite: Vec<(String, Despite)>,
}

/// How a job gets into an environment, and so what it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// It runs where secrets lie, and roles trust its token, that can change the environment; or where a run decides.
    Changes,
    /// It runs where secrets lie, and roles trust its token, that can read the environment.
    Reads,
    /// A pull request starts it, and it may ask for a token: the role for plans of pull requests trusts that, and reads.
    PullRequests,
}

/// Who wrote a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The manifest plans it, and all its steps are pyfleet's.
    Planned,
    /// The manifest extends a workflow with it, or it with steps.
    Extended,
    /// The manifest leaves its workflow to its owner.
    Ejected,
    /// Somebody else, whom the manifest does not know.
    Foreign,
}

/// What was found in all files.
#[derive(Default)]
pub(super) struct Reached {
    /// The accesses to each environment, in their order.
    pub(super) accesses: Vec<Vec<Access>>,
    /// The jobs whose token starts workflows as a person does.
    pub(super) starters: Vec<Starter>,
    /// Jobs that call workflows which are not there to be read: what these run in is not known.
    pub(super) calls: Vec<Call>,
    /// Whether a job says nothing of its token's rights.
    pub(super) has_default_token: bool,
}

/// A job with `actions: write`: its token starts what is started by hand
/// ([GitHub: `workflow_dispatch` is the exception](https://docs.github.com/en/actions/concepts/security/github_token#when-github_token-triggers-workflow-runs)).
pub(super) struct Starter {
    pub(super) file: String,
    pub(super) job: String,
    pub(super) events: Vec<String>,
}

/// A job that calls a workflow of somebody else's.
pub(super) struct Call {
    pub(super) file: String,
    pub(super) job: String,
    pub(super) uses: Uses,
}

/// Everything that gets into an environment, of every file that can be read.
pub(super) fn reach(
    project: &Project,
    plan: &Plan,
    roles: &[Identity],
    files: &BTreeMap<String, File>,
) -> Reached {
    let reads_for_pull_requests = |environment: &Environment| {
        let is_it = |role: &Identity| {
            role.purpose == AwsRole::PullRequestPlan && role.environment == environment.name
        };
        roles.iter().any(is_it)
    };
    let mut reached =
        Reached { accesses: vec![Vec::new(); project.environments.len()], ..Reached::default() };
    for (path, file) in files {
        let Content::Workflow(workflow) = &file.content else { continue };
        let simulator = Simulator::of(workflow);
        for (id, job) in &workflow.jobs {
            let (file, job_id) = (path.clone(), id.clone());
            if let Some(uses) = job.uses.as_ref().filter(|uses| !is_among(uses, files)) {
                reached.calls.push(Call { file: file.clone(), job: job_id.clone(), uses: uses.clone() });
            }
            match workflow.permissions_of(job) {
                None => reached.has_default_token = true,
                Some(granted) if granted.level(Scope::Actions) == Level::Write => {
                    let way = simulator.ways([id.as_str()]).remove(id.as_str()).unwrap_or_default();
                    let events = events(&way, Door::Changes);
                    reached.starters.push(Starter { file, job: job_id, events });
                }
                Some(_) => {}
            }
        }
        let mut doors: Vec<(usize, &str, Door)> = Vec::new();
        for (position, environment) in project.environments.iter().enumerate() {
            for (id, job) in &workflow.jobs {
                let door = Door::of(workflow, job, environment)
                    .filter(|door| *door != Door::PullRequests || reads_for_pull_requests(environment));
                doors.extend(door.map(|door| (position, id.as_str(), door)));
            }
        }
        let ways = simulator.ways(doors.iter().map(|(_, id, _)| *id));
        let graph = Graph::of(workflow);
        for (position, id, door) in doors {
            let (Some(way), Some(job)) = (ways.get(id), workflow.jobs.get(id)) else { continue };
            let events = events(way, door);
            // What never runs gets nothing; nor does a token that is no pull request's.
            if events.is_empty() {
                continue;
            }
            let environment = &project.environments[position];
            let asking = |id: &str| asks(project, workflow.jobs.get(id)?);
            let reviewed_by = way.after.iter().filter_map(|id| Some((id.clone(), asking(id)?.name.clone())));
            let asked = graph.ancestors(id).into_iter().filter(|before| {
                let is_asked = asking(before).is_some_and(|asked| asked.name == environment.name);
                is_asked && !way.after.iter().any(|own| own == before)
            });
            let despite =
                asked.filter_map(|before| Some((before.to_owned(), simulator.despite(id, before)?)));
            let planned = plan.workflows.iter().find(|own| own.file == *path);
            let role = planned.and_then(|own| own.jobs.get(id)?.identity.as_ref());
            reached.accesses[position].push(Access {
                file: path.clone(),
                job: id.to_owned(),
                environment: job.environment.as_ref().map(|own| own.name.clone()),
                door,
                origin: Origin::of(plan, path, id, job),
                role: role.filter(|own| own.environment == environment.name).map(|own| own.purpose),
                events,
                needs: graph.needs(id).iter().map(|needed| (*needed).to_owned()).collect(),
                reviewed_by: reviewed_by.collect(),
                despite: despite.collect(),
                after: way.after.clone(),
            });
        }
    }
    reached
}

/// The names of the events on which a job gets in.
fn events(way: &Way, door: Door) -> Vec<String> {
    let mut events: Vec<String> = Vec::new();
    for event in &way.events {
        // The token of any other event says something else.
        let counts = door != Door::PullRequests || event.name.starts_with("pull_request");
        if counts && !events.contains(&event.name) {
            events.push(event.name.clone());
        }
    }
    events
}

/// Whose reviewers a job waits for.
fn asks<'p>(project: &'p Project, job: &Job) -> Option<&'p Environment> {
    let own = job.environment.as_ref()?.name.trim();
    project.environments.iter().find(|environment| {
        environment.approval != Approval::None && own.eq_ignore_ascii_case(&environment.approval_name())
    })
}

impl Door {
    /// How a job gets into an environment, if it does. GitHub does not look at the case of an environment's name; where a
    /// run decides what is in it, only its beginning and its end tell.
    pub(super) fn of(workflow: &Workflow, job: &Job, environment: &Environment) -> Option<Self> {
        let name = job.environment.as_ref().map(|own| own.name.trim()).filter(|own| !own.is_empty());
        let Some(own) = name else {
            let permissions = workflow.permissions_of(job)?;
            return (permissions.level(Scope::IdToken) == Level::Write).then_some(Self::PullRequests);
        };
        let may_be = |name: &str| may_be(own, name);
        let changes = may_be(environment.name.as_str()) || may_be(&environment.backend_name());
        changes.then_some(Self::Changes).or_else(|| may_be(&environment.plan_name()).then_some(Self::Reads))
    }
}

/// Whether a name, as it is written, can be another one in a run.
fn may_be(written: &str, name: &str) -> bool {
    if !opens_in(written) {
        return written.eq_ignore_ascii_case(name);
    }
    let (embedded, mistakes) = embedded(written);
    let (Some(first), Some(last), []) = (embedded.first(), embedded.last(), mistakes.as_slice()) else {
        return true;
    };
    let (before, behind) = (&written[..first.span.start], &written[last.span.end..]);
    let (name, before, behind) =
        (name.to_ascii_lowercase(), before.to_ascii_lowercase(), behind.to_ascii_lowercase());
    name.len() >= before.len() + behind.len() && name.starts_with(&before) && name.ends_with(&behind)
}

impl Origin {
    fn of(plan: &Plan, file: &str, id: &str, job: &Job) -> Self {
        if plan.ejected.iter().any(|own| own == file) {
            return Self::Ejected;
        }
        let Some(workflow) = plan.workflows.iter().find(|own| own.file == file) else { return Self::Foreign };
        let is_beside = |own: &ExtraSteps| {
            own.job.as_ref().is_none_or(|named| named == id)
                && job.steps.iter().any(|step| step.id.as_ref() == Some(&own.step))
        };
        if workflow.extension.jobs.contains_key(id) || workflow.extension.steps.iter().any(is_beside) {
            Self::Extended
        } else if workflow.jobs.contains_key(id) {
            Self::Planned
        } else {
            Self::Foreign
        }
    }
}

/// Whether a called workflow is one of the files.
fn is_among(uses: &Uses, files: &BTreeMap<String, File>) -> bool {
    matches!(uses, Uses::Local(path) | Uses::SelfRepository(path) if files.contains_key(path))
}
