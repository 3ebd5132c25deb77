//! Trust policies that exist, compared with the plan: which job can assume the role, which never can and why, and who
//! else can.
//!
//! What is right is not said a second time here: a token counts as a stranger's where the trust that is derived from the
//! plan refuses it.

mod condition;
mod document;
mod strict;
mod token;

use std::collections::{BTreeMap, BTreeSet};

pub use self::document::{TrustPolicy, read};

use self::condition::{Compares, Verdict};
use self::document::{Principal, Statement};
use self::token::{Claim, Token};
use super::identity::{Identity, identities};
use super::trust::{PROVIDER, trust};
use crate::diagnostic::{Diagnostic, Diagnostics, Path};
use crate::plan::Plan;
use crate::project::{Project, Role};
use crate::source::Source;

/// The plan's side of a comparison.
#[derive(Debug)]
pub struct Comparer<'a> {
    project: &'a Project,
    roles: Vec<PlannedRole>,
    jobs: Vec<PlannedJob>,
}

/// A role of the plan, and the trust that its jobs need.
#[derive(Debug)]
struct PlannedRole {
    identity: Identity,
    derived: TrustPolicy,
}

/// A job that becomes something on AWS.
#[derive(Debug)]
struct PlannedJob {
    file: String,
    id: String,
    /// The role that it assumes, by its position.
    role: usize,
    /// One for each form of its subject.
    tokens: Vec<Token>,
}

/// What a policy means to the plan.
#[derive(Debug)]
pub struct Comparison {
    /// The roles of the plan that it was compared with, as `ENVIRONMENT/PURPOSE`; all, where nothing says which.
    pub roles: Vec<String>,
    /// Whether the document or the caller says which role it is.
    pub is_known: bool,
    /// Every job that becomes something on AWS and either needs the role or can assume it.
    pub jobs: Vec<JobTrust>,
    /// What is wrong. The places have no spans yet.
    pub findings: Diagnostics,
}

/// What a policy means to a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobTrust {
    /// The job's workflow file.
    pub file: String,
    /// The job's id.
    pub job: String,
    /// Whether it needs the role.
    pub needs: bool,
    /// Whether it can assume it.
    pub can: Can,
}

/// Whether a job can assume a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Can {
    /// Whatever happens, it cannot.
    Never,
    /// It depends on what no file says.
    Perhaps,
    /// It can.
    Always,
}

impl<'a> Comparer<'a> {
    /// Everything that becomes something on AWS.
    #[must_use]
    pub fn new(project: &'a Project, plan: &Plan) -> Self {
        let roles: Vec<PlannedRole> = identities(project, plan)
            .into_iter()
            .filter_map(|identity| {
                let text = serde_json::to_string(&trust(project, &identity)).ok()?;
                let (_, policies) = read(Source::new("trust", text)).ok()?;
                Some(PlannedRole { identity, derived: policies.into_iter().next()? })
            })
            .collect();
        let mut jobs = Vec::new();
        for workflow in &plan.workflows {
            for (id, job) in &workflow.jobs {
                let Some(identity) = &job.identity else { continue };
                let is_it = |role: &PlannedRole| {
                    role.identity.environment == identity.environment
                        && role.identity.purpose == identity.purpose
                };
                let Some(role) = roles.iter().position(is_it) else { continue };
                let Some(environment) = project.environment(&identity.environment) else { continue };
                jobs.push(PlannedJob {
                    file: workflow.file.rsplit('/').next().unwrap_or_default().to_owned(),
                    id: id.clone(),
                    role,
                    tokens: token::of_job(project, workflow, id, environment, identity.purpose),
                });
            }
        }
        Self { project, roles, jobs }
    }

    /// The roles of the plan, as `ENVIRONMENT/PURPOSE`.
    #[must_use]
    pub fn roles(&self) -> Vec<String> {
        self.roles.iter().map(PlannedRole::name).collect()
    }

    /// Compares a policy with the role that is chosen, or else with every role of the plan that has its ARN or name.
    #[must_use]
    pub fn compare(&self, policy: &TrustPolicy, chosen: Option<&str>) -> Comparison {
        let named: Vec<usize> = (0..self.roles.len())
            .filter(|position| {
                let role = &self.roles[*position];
                chosen.map_or_else(|| role.is_of(policy), |chosen| role.name() == chosen)
            })
            .collect();
        let is_known = !named.is_empty();
        let targets = if is_known { named } else { (0..self.roles.len()).collect() };
        let mut comparison = Comparison {
            roles: targets.iter().map(|role| self.roles[*role].name()).collect(),
            is_known,
            jobs: Vec::new(),
            findings: strict::findings(policy),
        };
        self.compare_jobs(policy, &targets, &mut comparison);
        self.compare_strangers(policy, &targets, &mut comparison);
        if !is_known && !self.roles.is_empty() {
            comparison.findings.push(
                Diagnostic::note(
                    "trust-role-unknown",
                    policy.path.clone(),
                    "no role of the plan is known to have this policy: it is compared with what every job needs",
                )
                .with_help(format!("`--role` says whose it is: {}", self.roles().join(", "))),
            );
        }
        comparison
    }

    fn compare_jobs(&self, policy: &TrustPolicy, targets: &[usize], comparison: &mut Comparison) {
        let mut refused: BTreeMap<Vec<Reason>, Vec<&PlannedJob>> = BTreeMap::new();
        let mut further: Vec<&PlannedJob> = Vec::new();
        for job in &self.jobs {
            let needs = targets.contains(&job.role);
            let provider = self.roles[job.role].identity.provider();
            let outcomes: Vec<Outcome> =
                job.tokens.iter().map(|token| policy.outcome(token, &provider)).collect();
            let best = outcomes.iter().map(|outcome| outcome.verdict).max().unwrap_or(Verdict::No);
            let can = match best {
                Verdict::No => Can::Never,
                Verdict::Yes if outcomes.iter().all(|outcome| outcome.verdict == Verdict::Yes) => Can::Always,
                Verdict::Yes | Verdict::Unknown => Can::Perhaps,
            };
            if needs || can != Can::Never {
                comparison.jobs.push(JobTrust { file: job.file.clone(), job: job.id.clone(), needs, can });
            }
            match (needs, can) {
                (true, Can::Never) => {
                    let reasons = outcomes.into_iter().flat_map(|outcome| outcome.reasons);
                    let mut reasons: Vec<Reason> = reasons.collect();
                    reasons.sort_unstable();
                    reasons.dedup();
                    refused.entry(reasons).or_default().push(job);
                }
                (false, Can::Perhaps | Can::Always) => {
                    let is_right = targets.iter().any(|role| {
                        let role = &self.roles[*role];
                        job.tokens.iter().all(|token| {
                            role.derived.outcome(token, &provider).verdict == Verdict::Yes
                        })
                    });
                    if !is_right {
                        further.push(job);
                    }
                }
                (true, Can::Perhaps) => comparison.findings.push_once(Diagnostic::warning(
                    "trust-undecided",
                    policy.path.clone(),
                    "whether a job can assume this role depends on what no file says: who starts it, an address, \
                     or which form its subject has",
                )),
                (true, Can::Always) | (false, Can::Never) => {}
            }
        }
        // A policy that nobody knows the role of is for some of the jobs, and not for others.
        if !comparison.is_known && comparison.jobs.iter().any(|job| job.can != Can::Never) {
            return;
        }
        for (reasons, jobs) in refused {
            comparison.findings.push(never(policy, &reasons, &jobs));
        }
        if !further.is_empty() {
            let does = if further.len() == 1 { "does" } else { "do" };
            comparison.findings.push(
                Diagnostic::error(
                    "trust-too-broad",
                    policy.place_of("sub"),
                    format!("{} can assume this role and {does} not need it", listed(&further)),
                )
                .with_help(RIGHT),
            );
        }
    }

    fn compare_strangers(&self, policy: &TrustPolicy, targets: &[usize], comparison: &mut Comparison) {
        let (mut open, mut others) = (BTreeSet::new(), BTreeSet::new());
        for target in targets {
            let identity = &self.roles[*target].identity;
            let provider = identity.provider();
            let mut own: Vec<Token> = self
                .jobs
                .iter()
                .filter(|job| job.role == *target)
                .flat_map(|job| job.tokens.clone())
                .collect();
            own.sort_unstable();
            own.dedup();
            for stranger in token::strangers(self.project, identity, &own) {
                let is_taken =
                    |policy: &TrustPolicy| policy.outcome(&stranger.token, &provider).verdict != Verdict::No;
                if is_taken(policy) && !targets.iter().any(|role| is_taken(&self.roles[*role].derived)) {
                    (if stranger.is_open { &mut open } else { &mut others }).insert(stranger.what);
                }
            }
        }
        let list = |what: &BTreeSet<&str>| what.iter().copied().collect::<Vec<_>>().join("; ");
        if !open.is_empty() {
            comparison.findings.push(
                Diagnostic::error(
                    "trust-policy-strict",
                    policy.place_of("sub"),
                    format!("more than the plan's jobs can assume this role: {}", list(&open)),
                )
                .with_help(RIGHT),
            );
        }
        if !others.is_empty() {
            comparison.findings.push(
                Diagnostic::warning(
                    "trust-policy-strict",
                    policy.place_of("sub"),
                    format!("the role could be narrower: it takes {}", list(&others)),
                )
                .with_help(
                    "`repository_id` and `job_workflow_ref` say which repository and file it has to be",
                )
                .with_help(RIGHT),
            );
        }
    }
}

const RIGHT: &str =
    "`pyfleet-gen oidc --format json` has the trust that these jobs need, and nobody else has";

/// Why jobs can never assume a role.
fn never(policy: &TrustPolicy, reasons: &[Reason], jobs: &[&PlannedJob]) -> Diagnostic {
    let place = reasons.first().map_or_else(|| policy.path.clone(), |reason| reason.path.clone());
    let why: Vec<&str> = reasons.iter().map(|reason| reason.why.as_str()).collect();
    let mut finding = Diagnostic::error(
        "trust-unsatisfiable",
        place,
        format!("{} can never assume this role: {}", listed(jobs), why.join("; ")),
    );
    for reason in reasons.get(1..).unwrap_or_default() {
        finding = finding.with_label(reason.path.clone(), "nor is this so");
    }
    let mut tokens = jobs.iter().flat_map(|job| &job.tokens);
    let has_environment = tokens.all(|token| matches!(token.claim("environment"), Claim::Is(_)));
    if has_environment && reasons.iter().any(|reason| reason.expects_a_ref) {
        finding = finding.with_help(
            "a job with an environment has a subject that names the environment, and no branch: its branch is held by \
             the environment's branch policy, and by `job_workflow_ref`",
        );
    }
    if reasons.iter().any(|reason| reason.has_star) {
        finding = finding.with_help(
            "`*` means nothing to `StringEquals`. Name each subject whole: `StringLike` would take more than is meant",
        );
    }
    finding.with_help(RIGHT)
}

/// The first jobs by name, and how many more.
fn listed(jobs: &[&PlannedJob]) -> String {
    const NAMED: usize = 3;
    let names: Vec<String> =
        jobs.iter().take(NAMED).map(|job| format!("`{}` of {}", job.id, job.file)).collect();
    match jobs.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

impl PlannedRole {
    fn name(&self) -> String {
        format!("{}/{}", self.identity.environment, self.identity.purpose.name())
    }

    /// Whether a policy says that it is this role's.
    fn is_of(&self, policy: &TrustPolicy) -> bool {
        let Role::Arn(arn) = &self.identity.role else { return false };
        match (&policy.arn, &policy.name) {
            (Some(own), _) => own == arn,
            (None, Some(name)) => arn.rsplit('/').next() == Some(name.as_str()),
            (None, None) => false,
        }
    }
}

impl Identity {
    /// GitHub's provider in the role's account.
    fn provider(&self) -> String {
        format!("arn:{}:iam::{}:oidc-provider/{PROVIDER}", self.partition, self.account_id)
    }
}

/// What a policy says to a token.
struct Outcome {
    verdict: Verdict,
    /// Why not.
    reasons: Vec<Reason>,
}

/// Something that a token would have to be, and is not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Reason {
    path: Path,
    why: String,
    expects_a_ref: bool,
    has_star: bool,
}

impl Reason {
    fn new(path: &Path, why: impl Into<String>) -> Self {
        Self { path: path.clone(), why: why.into(), expects_a_ref: false, has_star: false }
    }
}

impl TrustPolicy {
    /// Where it says what a claim has to be; the policy, where it does not.
    fn place_of(&self, claim: &str) -> Path {
        let conditions = self.statements.iter().filter(|one| !one.denies).flat_map(|one| &one.conditions);
        let demanded = conditions.into_iter().find(|condition| condition.demands(claim));
        demanded.map_or_else(|| self.path.clone(), |condition| condition.path.clone())
    }

    /// Allowed by one statement, and denied by none. The reasons are those of the statement that comes closest.
    fn outcome(&self, token: &Token, provider: &str) -> Outcome {
        let mut denied = Verdict::No;
        let mut allowed = Verdict::No;
        let mut closest: Option<Vec<Reason>> = None;
        let mut reasons_of_denial = Vec::new();
        for statement in &self.statements {
            let Outcome { verdict, reasons } = statement.outcome(token, provider);
            if statement.denies {
                if verdict == Verdict::Yes {
                    reasons_of_denial.push(Reason::new(&statement.path, "a statement denies it"));
                }
                denied = denied.max(verdict);
            } else {
                if verdict == Verdict::No && closest.as_ref().is_none_or(|known| reasons.len() < known.len())
                {
                    closest = Some(reasons);
                }
                allowed = allowed.max(verdict);
            }
        }
        let verdict = match denied {
            Verdict::Yes => Verdict::No,
            Verdict::Unknown => allowed.min(Verdict::Unknown),
            Verdict::No => allowed,
        };
        let reasons = match (verdict, denied) {
            (Verdict::No, Verdict::Yes) => reasons_of_denial,
            (Verdict::No, _) => {
                closest.unwrap_or_else(|| vec![Reason::new(&self.path, "no statement allows anything")])
            }
            (Verdict::Unknown | Verdict::Yes, _) => Vec::new(),
        };
        Outcome { verdict, reasons }
    }
}

impl Statement {
    fn outcome(&self, token: &Token, provider: &str) -> Outcome {
        let mut reasons = Vec::new();
        if !self.is_about_tokens {
            reasons.push(Reason::new(
                &self.path.key("Action"),
                "the action is not `sts:AssumeRoleWithWebIdentity`",
            ));
        }
        let is_about = |principal: &Principal| match principal {
            Principal::Anybody(_) | Principal::AllBut(_) => true,
            Principal::Federated(own, _) => own == provider || own == "*",
            Principal::Other => false,
        };
        if !self.principals.iter().any(is_about) {
            reasons.push(Reason::new(
                &self.path.key("Principal"),
                format!("their tokens are shown by `{provider}`, which is not whom it trusts"),
            ));
        }
        let mut verdict = Verdict::Yes;
        for condition in &self.conditions {
            let holds = condition.holds_for(token);
            verdict = verdict.min(holds);
            if holds != Verdict::No {
                continue;
            }
            let claim = condition.claim().unwrap_or_default();
            let why = match token.claim(claim) {
                _ if !Token::knows(claim) => {
                    format!("AWS does not look at `{claim}`, so that nothing equals it")
                }
                Claim::Is(own) => format!("`{claim}` is `{own}`"),
                Claim::Missing | Claim::Unknown => format!("there is no `{claim}` in the token"),
            };
            let path = match condition.values.as_slice() {
                [(_, path)] => path,
                _ => &condition.path,
            };
            let values = || condition.values.iter().map(|(value, _)| value);
            reasons.push(Reason {
                expects_a_ref: claim == "sub" && values().all(|value| value.contains(":ref:")),
                has_star: condition.operator.compares == Compares::Whole
                    && values().any(|value| value.contains('*')),
                ..Reason::new(path, why)
            });
        }
        Outcome { verdict: if reasons.is_empty() { verdict } else { Verdict::No }, reasons }
    }
}

#[cfg(test)]
mod tests;
