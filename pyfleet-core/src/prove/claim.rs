//! What is claimed of an environment, one property after the other.

use std::collections::BTreeMap;

use super::access::{Access, Door, Origin, Starter};
use super::condition::Conditions;
use super::{Content, File, Proof};
use crate::diagnostic::{Diagnostic, Path};
use crate::expression::opens_in;
use crate::manifest::{Approval, AwsRole, Disposition, Kind, SafetyLevel};
use crate::plan::{self, Body, Plan};
use crate::project::{Environment, Project};
use crate::simulate::reasons;
use crate::spelling::listed;

/// What a claim is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Property {
    /// Who gets in.
    OwnJobs,
    /// Whom the roles trust.
    Trust,
    /// What starts those who get in.
    StartedBy,
    /// What starts those who destroy.
    DestroyedByHand,
    /// Who has agreed before something changes.
    Reviewed,
    /// Whether what is applied was planned.
    Planned,
}

impl Property {
    /// Its name in reports: `own-jobs`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OwnJobs => "own-jobs",
            Self::Trust => "trust",
            Self::StartedBy => "started-by",
            Self::DestroyedByHand => "destroyed-by-hand",
            Self::Reviewed => "reviewed",
            Self::Planned => "planned",
        }
    }
}

/// A claim, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What it is about.
    pub property: Property,
    /// What it says.
    pub says: String,
    /// Whether it was proven.
    pub holds: bool,
    /// The jobs that it does not speak of.
    pub except: Vec<Exception>,
    /// What it rests on: positions in [`Proof::conditions`], sorted.
    pub under: Vec<usize>,
}

/// A job of which a claim does not speak, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// Its workflow file.
    pub file: String,
    /// Its id.
    pub job: String,
    /// Why.
    pub because: &'static str,
}

/// Why nothing is claimed of what steps do that pyfleet did not write.
const OF_ITS_OWNER: &str = "not all its steps are pyfleet's, and what the others do is not known";

/// Judges what gets into one environment.
pub(super) struct Judge<'a> {
    pub(super) project: &'a Project,
    pub(super) plan: &'a Plan,
    pub(super) files: &'a BTreeMap<String, File>,
    pub(super) environment: &'a Environment,
    pub(super) accesses: &'a [Access],
    pub(super) starters: &'a [Starter],
}

/// What was found out about a claim.
#[derive(Default)]
struct Found {
    broken: Vec<(String, Diagnostic)>,
    except: Vec<Exception>,
    /// Whether something else keeps it from being proven, which is reported elsewhere.
    is_open: bool,
}

impl Judge<'_> {
    /// The claims, with what they rest on and what breaks them; none of them holds while something is open.
    pub(super) fn claims(&self, rest_on: &Conditions, is_open: bool, proof: &mut Proof) -> Vec<Claim> {
        let level = self.environment.level;
        let name = &self.environment.name;
        let Conditions { of_files, trust, reviewers, pull_requests } = rest_on;
        let files: Vec<&String> = of_files.iter().chain(trust).collect();
        let and = |more: Option<&'_ String>| -> Vec<String> {
            files.iter().copied().chain(more).cloned().collect()
        };

        let mut claimed = vec![(
            Property::OwnJobs,
            format!("only jobs of the manifest get into `{name}`"),
            self.own_jobs(),
            and(pull_requests.as_ref()),
        )];
        if let Some(trust) = trust {
            let says = self.says_of_trust();
            claimed.push((Property::Trust, says, self.trust(), vec![trust.clone()]));
        }
        claimed.push((Property::StartedBy, self.says_of_starts(), self.started_by(), and(None)));
        if level >= SafetyLevel::AUTOMATES && self.destroying().next().is_some() {
            let says = "a job that is there to destroy is started by hand".to_owned();
            claimed.push((Property::DestroyedByHand, says, self.destroyed_by_hand(), and(None)));
        }
        if self.environment.approval != Approval::None && level >= SafetyLevel::WRITES {
            let says = format!("what changes `{name}` waits until its reviewers have agreed");
            claimed.push((Property::Reviewed, says, self.reviewed(), and(Some(reviewers))));
        }
        if self.applying().next().is_some() {
            let says = "what is applied was planned in the same run".to_owned();
            claimed.push((Property::Planned, says, self.planned(), and(None)));
        }

        claimed
            .into_iter()
            .map(|(property, says, found, conditions)| {
                let mut under: Vec<usize> =
                    conditions.into_iter().map(|condition| proof.condition(condition)).collect();
                under.sort_unstable();
                let holds = found.broken.is_empty() && !found.is_open && !is_open;
                proof.findings.extend(found.broken);
                Claim { property, says, holds, except: found.except, under }
            })
            .collect()
    }

    fn own_jobs(&self) -> Found {
        let mut found = Found::default();
        for access in self.accesses.iter().filter(|access| access.origin == Origin::Foreign) {
            let (job, name) = (&access.job, &self.environment.name);
            let environment = access.environment.as_ref().filter(|_| access.door != Door::PullRequests);
            let message = match environment {
                None => format!(
                    "on a pull request, the role for plans of `{name}` trusts the token of `{job}`, which the manifest \
                     does not plan"
                ),
                Some(own) if opens_in(own) => format!(
                    "a run decides in which environment `{job}` is, which the manifest does not plan: it may be one of \
                     `{name}`"
                ),
                Some(own) => {
                    format!("`{job}` is in the environment `{own}`, and the manifest does not plan it")
                }
            };
            let help = if self.is_disabled(&access.file) {
                "the manifest disables this workflow: `pyfleet-gen render` removes the file"
            } else {
                match environment {
                    None => {
                        "let the job ask for no token, or run in an environment that is not the manifest's"
                    }
                    Some(_) => "let it run in an environment that is not the manifest's",
                }
            };
            let key = if environment.is_some() { "environment" } else { "permissions" };
            found.broken.push(access.finding("access-unplanned", key, message, help));
        }
        found
    }

    /// Whether the manifest knows a workflow, and does not want it.
    fn is_disabled(&self, file: &str) -> bool {
        let mut disabled =
            self.project.workflows.iter().filter(|(_, wish)| wish.disposition == Disposition::Disabled);
        disabled.any(|(name, _)| format!(".github/workflows/{name}.yml") == file)
    }

    /// The jobs of the plan that become something in this environment's account.
    fn identities(&self) -> impl Iterator<Item = (&plan::Workflow, &str, AwsRole)> {
        self.plan.workflows.iter().flat_map(move |workflow| {
            workflow.jobs.iter().filter_map(move |(id, job)| {
                let identity = job.identity.as_ref()?;
                let is_own = identity.environment == self.environment.name;
                is_own.then_some((workflow, id.as_str(), identity.purpose))
            })
        })
    }

    fn says_of_trust(&self) -> String {
        let is_any = |wanted: fn(AwsRole) -> bool| self.identities().any(|(.., purpose)| wanted(purpose));
        let trusted = [
            (
                is_any(|purpose| matches!(purpose, AwsRole::Apply | AwsRole::Deploy)),
                self.environment.name.to_string(),
            ),
            (
                is_any(|purpose| matches!(purpose, AwsRole::BackendCreate | AwsRole::BackendDestroy)),
                self.environment.backend_name(),
            ),
            (is_any(|purpose| purpose == AwsRole::Plan), self.environment.plan_name()),
        ];
        let trusted =
            trusted.into_iter().filter(|(is_there, _)| *is_there).map(|(_, name)| format!("in `{name}`"));
        let pulls =
            is_any(|purpose| purpose == AwsRole::PullRequestPlan).then(|| "of pull requests".to_owned());
        let trusted: Vec<String> = trusted.chain(pulls).collect();
        format!("each role trusts the jobs that it is for, {}", listed(&trusted))
    }

    /// A role trusts the subjects of the jobs that assume it: each has to run where roles of its kind are.
    fn trust(&self) -> Found {
        let mut found = Found::default();
        for (planned, id, purpose) in self.identities() {
            let content = self.files.get(&planned.file).map(|file| &file.content);
            let Some(Content::Workflow(workflow)) = content else { continue };
            let Some(job) = workflow.jobs.get(id) else { continue };
            let wanted = match purpose {
                AwsRole::PullRequestPlan => Door::PullRequests,
                purpose if purpose.changes() => Door::Changes,
                _ => Door::Reads,
            };
            if Door::of(workflow, job, self.environment) != Some(wanted) {
                let message = format!(
                    "`{id}` is to become `{}` of `{}`, and does not run where jobs do for which that role is",
                    purpose.name(),
                    self.environment.name
                );
                let finding =
                    Diagnostic::error("access-trust", Path::of(["jobs", id]).key("environment"), message);
                let finding =
                    finding.with_help("let the role trust no other environment than the one it belongs to");
                found.broken.push((planned.file.clone(), finding));
            }
        }
        found
    }

    fn says_of_starts(&self) -> String {
        let pulls = self.accesses.iter().any(|access| access.door == Door::PullRequests);
        let read = if pulls {
            "by hand, a push, the clock or a pull request"
        } else {
            "by hand, a push or the clock"
        };
        match self.environment.level.number() {
            5.. => {
                format!("what changes it is started by hand, a push or the clock, and what reads it {read}")
            }
            4 => format!("what changes it is started by hand, and what reads it {read}"),
            3 => format!("nothing changes it, and what reads it is started {read}"),
            _ => "nothing changes it, and nothing reads it".to_owned(),
        }
    }

    fn started_by(&self) -> Found {
        let mut found = Found::default();
        let level = self.environment.level;
        for access in self.accesses {
            let does = match access.door {
                Door::Changes => "can change",
                Door::Reads | Door::PullRequests => "can read",
            };
            let may = starts(access.door, level);
            let at = format!("at safety level {} ", level.number());
            found.broken.extend(self.started_otherwise(access, does, may, &at));
        }
        if let Some(may) = self.may_start_by_hand() {
            let wrong = self.starters.iter().filter_map(|starter| self.starts_otherwise(starter, may));
            found.broken.extend(wrong);
        }
        found
    }

    /// What may lead to a start by hand, by the most that somebody gets who does that; anything, if that is nothing.
    fn may_start_by_hand(&self) -> Option<&'static [&'static str]> {
        let by_hand = self.accesses.iter().filter(|own| own.events.iter().any(|event| event == BY_HAND[0]));
        let doors: Vec<Door> = by_hand.map(|access| access.door).collect();
        let strongest = if doors.contains(&Door::Changes) { Door::Changes } else { *doors.first()? };
        Some(starts(strongest, self.environment.level))
    }

    /// What is wrong with a token that starts what a person should.
    fn starts_otherwise(&self, starter: &Starter, may: &[&str]) -> Option<(String, Diagnostic)> {
        let others: Vec<&String> =
            starter.events.iter().filter(|event| !may.contains(&event.as_str())).collect();
        if others.is_empty() {
            return None;
        }
        let message = format!(
            "with `actions: write`, the token of `{}` starts by itself what a person starts in `{}`, and it may run on {}",
            starter.job,
            self.environment.name,
            listed(&others),
        );
        let path = Path::of(["jobs", starter.job.as_str()]).key("permissions");
        let finding = Diagnostic::error("access-started-otherwise", path, message);
        Some((
            starter.file.clone(),
            finding.with_help("leave `actions: write` out, or let a person start this as well"),
        ))
    }

    fn destroyed_by_hand(&self) -> Found {
        let mut found = Found { is_open: self.has_strangers(), ..Found::default() };
        for access in self.destroying() {
            found.broken.extend(self.started_otherwise(access, "destroys what is in", BY_HAND, ""));
        }
        found
            .broken
            .extend(self.starters.iter().filter_map(|starter| self.starts_otherwise(starter, BY_HAND)));
        let otherwise =
            |access: &&Access| access.events.iter().any(|event| !BY_HAND.contains(&event.as_str()));
        found.except.extend(self.of_owners().filter(otherwise).map(|access| access.exception(OF_ITS_OWNER)));
        found
    }

    /// What is wrong with a job that other events than these may lead to.
    fn started_otherwise(
        &self,
        access: &Access,
        does: &str,
        may: &[&str],
        at: &str,
    ) -> Option<(String, Diagnostic)> {
        let others: Vec<&String> =
            access.events.iter().filter(|event| !may.contains(&event.as_str())).collect();
        if others.is_empty() {
            return None;
        }
        let may = match may {
            [] => "nothing may lead to that".to_owned(),
            may => format!("only {} may lead to that", listed(may)),
        };
        let message = format!(
            "`{}` {does} `{}` and may run on {}: {at}{may}",
            access.job,
            self.environment.name,
            listed(&others),
        );
        let is_called = others.iter().any(|event| *event == "workflow_call");
        let help = match is_called {
            true => "let no workflow call it: what its callers are started by is not looked at",
            false => "take the event out of `on`, or let the job's condition refuse it",
        };
        Some(access.finding("access-started-otherwise", "if", message, help))
    }

    /// Whether somebody gets in, and may change what is there, whom the manifest does not know.
    fn has_strangers(&self) -> bool {
        self.accesses.iter().any(|access| access.origin == Origin::Foreign && access.door == Door::Changes)
    }

    /// The jobs that may change what is there with steps that are not pyfleet's.
    fn of_owners(&self) -> impl Iterator<Item = &Access> {
        self.accesses.iter().filter(|access| {
            matches!(access.origin, Origin::Extended | Origin::Ejected) && access.door == Door::Changes
        })
    }

    fn reviewed(&self) -> Found {
        let mut found = Found::default();
        let name = &self.environment.name;
        let is_reviewed = |access: &Access| access.reviewed_by.iter().any(|(_, whose)| whose == name);
        let changing = self.accesses.iter().filter(|access| access.door == Door::Changes);
        for access in changing.filter(|access| !is_reviewed(access)) {
            if let Some(because) = self.exempt(access) {
                found.except.push(access.exception(because));
                continue;
            }
            let asks = self.environment.approval_name();
            let message = match access.despite.first() {
                Some((asking, despite)) => {
                    let ends = match despite.result {
                        "failure" => "fails",
                        "cancelled" => "is cancelled",
                        _ => "is skipped",
                    };
                    let because = match despite.because.as_slice() {
                        [] => String::new(),
                        because => format!(": {}", reasons(because)),
                    };
                    format!(
                        "`{}` can change `{name}` and may run although `{asking}` {ends}, on {}{because}",
                        access.job, despite.event
                    )
                }
                None => format!(
                    "`{}` can change `{name}`, and nothing that it waits for asks the reviewers of `{asks}`",
                    access.job,
                ),
            };
            let help = format!("let it need a job in `{asks}`, and run only if that succeeded");
            found.broken.push(access.finding("access-unreviewed", "needs", message, help));
        }
        found
    }

    /// Why a job waits for no reviewers, if it need not: all its steps are known.
    fn exempt(&self, access: &Access) -> Option<&'static str> {
        let (workflow, job) = self.planned_job(access).filter(|_| access.origin == Origin::Planned)?;
        match &job.body {
            Body::CreateBackend(_) => Some("it makes the backend where that is missing, and removes nothing"),
            Body::OidcProbe(_) => Some("it asks AWS who it is, and nothing else"),
            _ if workflow.kind == Kind::Rollback => {
                let wish = self.project.workflows.get(&workflow.name)?;
                let because = match &job.body {
                    Body::TfApply(_) => {
                        "a rollback that destroys nothing waits for the typed phrase alone, unless it says \
                         `approval: reviewers`"
                    }
                    _ => "a rollback waits for the typed phrase alone, unless it says `approval: reviewers`",
                };
                (wish.approval == Approval::None).then_some(because)
            }
            _ => None,
        }
    }

    /// What the plan knows of a job.
    fn planned_job(&self, access: &Access) -> Option<(&plan::Workflow, &plan::Job)> {
        let workflow = self.plan.workflows.iter().find(|own| own.file == access.file)?;
        Some((workflow, workflow.jobs.get(&access.job)?))
    }

    /// The jobs that are there to destroy.
    fn destroying(&self) -> impl Iterator<Item = &Access> {
        self.accesses.iter().filter(|access| {
            self.planned_job(access).is_some_and(|(_, job)| match &job.body {
                // Behind a plan that destroys nothing is planned again.
                Body::TfApply(apply) => apply.inputs.is_none(),
                Body::DestroyBackend(_) => true,
                _ => false,
            })
        })
    }

    /// The jobs that apply saved plans.
    fn applying(&self) -> impl Iterator<Item = (&Access, &plan::Workflow)> {
        self.accesses.iter().filter_map(|access| {
            let (workflow, job) = self.planned_job(access)?;
            let is_saved = matches!(&job.body, Body::TfApply(apply) if apply.direct.is_none());
            is_saved.then_some((access, workflow))
        })
    }

    fn planned(&self) -> Found {
        let mut found = Found { is_open: self.has_strangers(), ..Found::default() };
        for (access, workflow) in self.applying() {
            let plans = |id: &String| {
                workflow.jobs.get(id).is_some_and(|job| {
                    matches!(&job.body, Body::TfPlan(plan) if plan.environment == self.environment.name.as_str())
                })
            };
            if !access.after.iter().any(plans) {
                let message = format!("`{}` may apply what no job of the run has planned", access.job);
                let help = "let it need the job that plans, and run only if that succeeded";
                found.broken.push(access.finding("access-without-plan", "needs", message, help));
            }
        }
        found.except.extend(self.of_owners().map(|access| access.exception(OF_ITS_OWNER)));
        found
    }
}

const BY_HAND: &[&str] = &["workflow_dispatch"];

/// What may start a job.
const fn starts(door: Door, level: SafetyLevel) -> &'static [&'static str] {
    const BY_ITSELF: &[&str] = &["push", "schedule", "workflow_dispatch"];
    match (door, level.number()) {
        (Door::Changes, 4) => BY_HAND,
        (Door::Changes, 5..) | (Door::Reads, 3..) => BY_ITSELF,
        (Door::PullRequests, 3..) => &["pull_request"],
        _ => &[],
    }
}

impl Access {
    /// At a key of the job if it is there, else at the job.
    fn finding(
        &self,
        code: &'static str,
        key: &'static str,
        message: String,
        help: impl Into<String>,
    ) -> (String, Diagnostic) {
        let path = Path::of(["jobs", self.job.as_str()]).key(key);
        (self.file.clone(), Diagnostic::error(code, path, message).with_help(help))
    }

    fn exception(&self, because: &'static str) -> Exception {
        Exception { file: self.file.clone(), job: self.job.clone(), because }
    }
}
