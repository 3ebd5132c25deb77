//! What is claimed of an environment, one property after the other.

use std::collections::BTreeSet;

use super::Proof;
use super::access::{Access, Door};
use crate::diagnostic::{Diagnostic, Path};
use crate::expression::opens_in;
use crate::manifest::{Approval, AwsRole, Kind, SafetyLevel};
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
    /// What it rests on: positions in [`Proof::conditions`].
    pub under: Vec<usize>,
}

/// A job of which a claim does not speak, and why it need not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// Its workflow file.
    pub file: String,
    /// Its id.
    pub job: String,
    /// Why.
    pub because: &'static str,
}

/// Judges what gets into one environment.
pub(super) struct Judge<'a> {
    pub(super) project: &'a Project,
    pub(super) plan: &'a Plan,
    pub(super) environment: &'a Environment,
    pub(super) accesses: &'a [Access],
    /// Called workflows that are not there to be read.
    pub(super) called: &'a BTreeSet<String>,
}

/// What was found out about a claim.
#[derive(Default)]
struct Found {
    broken: Vec<(String, Diagnostic)>,
    except: Vec<Exception>,
}

impl Judge<'_> {
    /// The claims, with what they rest on and what breaks them.
    pub(super) fn claims(&self, proof: &mut Proof) -> Vec<Claim> {
        let name = &self.environment.name;
        let level = self.environment.level;
        let mut claims = Vec::new();
        let mut claim = |property, says: String, found: Found, under: &[&String]| {
            claims.push(Claim {
                property,
                says,
                holds: found.broken.is_empty() && (property != Property::OwnJobs || proof.all_are_read()),
                except: found.except,
                under: under.iter().map(|condition| proof.condition((*condition).clone())).collect(),
            });
            proof.findings.extend(found.broken);
        };
        let branch = &self.environment.branch;
        let enters = format!(
            "GitHub lets runs of `{branch}` alone into `{name}` and the environments that belong to it"
        );
        let protected =
            format!("`{branch}` changes by reviewed pull requests alone: the ruleset that `oidc` prints");
        let trusts = format!("the roles of `{name}` trust whom `oidc` says, and nobody else");
        let asks = format!(
            "`{}` has reviewers, none of them agrees to a run of their own, and no administrator passes by",
            self.environment.approval_name()
        );
        let called: Vec<String> = self
            .called
            .iter()
            .map(|called| {
                format!("`{called}`, which is called, has no job in an environment of this project")
            })
            .collect();
        let files: Vec<&String> = [&enters, &protected].into_iter().chain(&called).collect();

        claim(
            Property::OwnJobs,
            format!("only jobs of the manifest get into `{name}`"),
            self.own_jobs(),
            &files,
        );
        if self.identities().next().is_some() {
            claim(Property::Trust, self.says_of_trust(), self.trust(), &[&trusts]);
        }
        claim(Property::StartedBy, says_of_starts(level), self.started_by(), &files);
        if level >= SafetyLevel::AUTOMATES && self.destroying().next().is_some() {
            let says = "what destroys it is started by hand".to_owned();
            claim(Property::DestroyedByHand, says, self.destroyed_by_hand(), &files);
        }
        if self.environment.approval != Approval::None && level >= SafetyLevel::WRITES {
            let under: Vec<&String> = files.iter().copied().chain([&asks]).collect();
            let says = format!("what changes `{name}` waits until its reviewers have agreed");
            claim(Property::Reviewed, says, self.reviewed(), &under);
        }
        if self.applying().next().is_some() {
            let says = "what is applied was planned in the same run".to_owned();
            claim(Property::Planned, says, self.planned(), &files);
        }
        claims
    }

    fn own_jobs(&self) -> Found {
        let mut found = Found::default();
        for access in self.accesses.iter().filter(|access| !access.is_planned) {
            let (job, name) = (&access.job, &self.environment.name);
            let message = match &access.environment {
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
            let key = if access.environment.is_some() { "environment" } else { "permissions" };
            found.broken.push(access.finding("access-unplanned", key, message).help(
                "let it run in an environment of its own, or extend a workflow of the manifest with what it does",
            ));
        }
        found
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
        let (name, backend) = (&self.environment.name, self.environment.backend_name());
        let writes = self.identities().any(|(.., purpose)| purpose.changes());
        let pulls = self.identities().any(|(.., purpose)| purpose == AwsRole::PullRequestPlan);
        let reads = match pulls {
            true => format!("jobs in `{}` and pull requests", self.environment.plan_name()),
            false => format!("jobs in `{}`", self.environment.plan_name()),
        };
        match writes {
            true => format!(
                "roles that change it trust jobs in `{name}` and `{backend}`, those that read it {reads}"
            ),
            false => format!("its roles read, and trust {reads}"),
        }
    }

    /// A role trusts the subjects of the jobs that assume it: each runs where jobs of its kind do.
    fn trust(&self) -> Found {
        let mut found = Found::default();
        for (workflow, id, purpose) in self.identities() {
            let model = workflow.model.jobs.get(id);
            let door = model.and_then(|job| Door::of(&workflow.model, job, self.environment));
            let wanted = match purpose {
                AwsRole::PullRequestPlan => Door::PullRequests,
                purpose if purpose.changes() => Door::Changes,
                _ => Door::Reads,
            };
            if door != Some(wanted) {
                let message = format!(
                    "`{id}` becomes `{}` of `{}` in an environment that is not for it: the role would trust every job there",
                    purpose.name(),
                    self.environment.name
                );
                let finding = Diagnostic::error("access-trust", Path::of(["jobs", id]), message);
                found.broken.push((workflow.file.clone(), finding));
            }
        }
        found
    }

    fn started_by(&self) -> Found {
        let mut found = Found::default();
        let level = self.environment.level;
        for access in self.accesses {
            let does = match access.door {
                Door::Changes => "can change",
                Door::Reads | Door::PullRequests => "can read",
            };
            let at = format!("at safety level {} ", level.number());
            let help =
                "let its condition refuse the event, take the event out of `on`, or raise `safety-level`";
            found.broken.extend(self.started_otherwise(access, does, starts(access.door, level), &at, help));
        }
        found
    }

    fn destroyed_by_hand(&self) -> Found {
        let mut found = Found::default();
        let help = "let its condition, or that of a job that it needs, ask for `workflow_dispatch`";
        let broken = self
            .destroying()
            .filter_map(|access| self.started_otherwise(access, "destroys what is in", BY_HAND, "", help));
        found.broken.extend(broken);
        found
    }

    /// What is wrong with a job that other events than these may lead to.
    fn started_otherwise(
        &self,
        access: &Access,
        does: &str,
        may: &[&str],
        at: &str,
        help: &str,
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
        Some(access.finding("access-started-otherwise", "if", message).help(help))
    }

    fn reviewed(&self) -> Found {
        let mut found = Found::default();
        let name = &self.environment.name;
        let changing = self.accesses.iter().filter(|access| access.door == Door::Changes);
        for access in changing.filter(|access| access.reviewed_by.is_empty() && !access.events.is_empty()) {
            if let Some(because) = self.exempt(access) {
                found.except.push(Exception { file: access.file.clone(), job: access.job.clone(), because });
                continue;
            }
            let despite = access.asking.iter().rev().find_map(|id| Some((id, access.despite.get(id)?)));
            let message = match despite {
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
                    "`{}` can change `{name}`, and nothing that it waits for asks the reviewers of `{}`",
                    access.job,
                    self.environment.approval_name()
                ),
            };
            let help = format!(
                "let it need a job in `{}`, and run only if that succeeded",
                self.environment.approval_name()
            );
            found.broken.push(access.finding("access-unreviewed", "needs", message).help(help));
        }
        found
    }

    /// Why a job of the plan waits for no reviewers, if it need not: its steps are known, and nobody else's among them.
    fn exempt(&self, access: &Access) -> Option<&'static str> {
        let (workflow, job) = self.planned_job(access)?;
        let is_here = |named: &String| *named == access.job;
        if workflow.extension.steps.iter().any(|own| own.job.as_ref().is_none_or(is_here)) {
            return None;
        }
        match &job.body {
            Body::CreateBackend(_) => Some("it makes the backend where that is missing, and removes nothing"),
            Body::OidcProbe(_) => Some("it asks AWS who it is, and nothing else"),
            _ if workflow.kind == Kind::Rollback => {
                let wish = self.project.workflows.get(&workflow.name)?;
                let because = match &job.body {
                    Body::TfApply(_) => {
                        "a rollback that destroys nothing waits for the typed phrase alone, unless it says `approval: reviewers`"
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

    /// The jobs that destroy what is there.
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
        let mut found = Found::default();
        for (access, workflow) in self.applying().filter(|(access, _)| !access.events.is_empty()) {
            let plans = |id: &String| {
                workflow.jobs.get(id).is_some_and(|job| {
                    matches!(&job.body, Body::TfPlan(plan) if plan.environment == self.environment.name.as_str())
                })
            };
            if !access.after.iter().any(plans) {
                let message = format!("`{}` may apply what no job of the run has planned", access.job);
                found.broken.push(
                    access
                        .finding("access-without-plan", "needs", message)
                        .help("let it need the job that plans, and run only if that succeeded"),
                );
            }
        }
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

fn says_of_starts(level: SafetyLevel) -> String {
    match level.number() {
        5.. => "what changes it is started by hand, by a push or by the clock".to_owned(),
        4 => "what changes it is started by hand".to_owned(),
        3 => "nothing changes it".to_owned(),
        _ => "nothing changes it, and nothing reads it".to_owned(),
    }
}

/// A finding at a job, which still lacks what to do about it.
struct Broken(String, Diagnostic);

impl Broken {
    fn help(self, help: impl Into<String>) -> (String, Diagnostic) {
        (self.0, self.1.with_help(help))
    }
}

impl Access {
    /// At a key of the job if it is there, else at the job.
    fn finding(&self, code: &'static str, key: &'static str, message: String) -> Broken {
        let path = Path::of(["jobs", self.job.as_str()]).key(key);
        Broken(self.file.clone(), Diagnostic::error(code, path, message))
    }
}
