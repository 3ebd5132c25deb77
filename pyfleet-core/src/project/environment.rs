//! Environments in promotion order.

use std::collections::BTreeMap;

use super::defaults;
use super::role::{self, Role};
use super::runner;
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{
    self, AccountId, Approval, AwsRole, Disposition, Kind, Manifest, Plan, SafetyLevel, Slug, StageKind,
    Visibility, Window,
};

/// One environment as it is meant.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Its name.
    pub name: Slug,
    /// The only branch that may act on it.
    pub branch: String,
    /// Who has to agree before a job changes it.
    pub approval: Approval,
    /// When it may be changed; nothing where it always may.
    pub window: Option<Window>,
    /// How far automation may go here.
    pub level: SafetyLevel,
    /// The address shown on deployments, where there is one.
    pub url: Option<String>,
    /// How to see that it works, where that is known.
    pub health: Option<Health>,
    /// The runner of its jobs.
    pub runner: Vec<String>,
    /// Its AWS account, where one is declared.
    pub account_id: Option<AccountId>,
    /// Its AWS region, where one is declared.
    pub region: Option<String>,
    /// What jobs become in its account, by purpose; empty where no account is declared.
    pub roles: BTreeMap<AwsRole, Role>,
}

/// How to see that an environment works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The address to ask.
    pub url: String,
    /// The HTTP status that means healthy.
    pub expect_status: u16,
    /// How often to ask before giving up.
    pub attempts: u16,
}

impl Health {
    /// What a section of the manifest says, of this address.
    pub(super) fn of(written: &manifest::Health, url: String) -> Self {
        Self {
            url,
            expect_status: written.expect_status.unwrap_or(defaults::HEALTH_STATUS),
            attempts: written.attempts.unwrap_or(defaults::HEALTH_ATTEMPTS),
        }
    }

    /// Minutes after which health-check.sh has given up, at the latest: each request may take ten seconds, and between
    /// two of them it waits 3, 6, 12, 24, and then always 30.
    #[must_use]
    pub fn minutes(&self) -> u16 {
        const GROWING: [u16; 4] = [3, 6, 12, 24];
        let pauses = self.attempts.saturating_sub(1);
        let growing: u16 = GROWING.iter().take(usize::from(pauses)).sum();
        let longest = pauses.saturating_sub(4).saturating_mul(30);
        let seconds = self.attempts.saturating_mul(10).saturating_add(growing).saturating_add(longest);
        seconds.div_ceil(60)
    }
}

impl Environment {
    /// The GitHub environment of jobs that only read: it has no reviewers.
    #[must_use]
    pub fn plan_name(&self) -> String {
        format!("{}-plan", self.name)
    }

    /// The GitHub environment of jobs that make or remove the state backend: no other job becomes these roles.
    #[must_use]
    pub fn backend_name(&self) -> String {
        format!("{}-backend", self.name)
    }

    /// The GitHub environment that carries the reviewers: no job in it holds a right or a lock.
    #[must_use]
    pub fn approval_name(&self) -> String {
        format!("{}-approval", self.name)
    }

    /// The role that a purpose has where the manifest names none; nothing where no account is declared.
    #[must_use]
    pub fn default_role(&self, project: &Slug, purpose: AwsRole) -> Option<Role> {
        let partition = role::partition(self.region.as_deref().unwrap_or_default());
        Some(role::default(partition, self.account_id.as_ref()?, project, &self.name, purpose))
    }
}

pub(super) fn resolve(
    manifest: &Manifest,
    level: SafetyLevel,
    default_runner: &[String],
    findings: &mut Diagnostics,
) -> Vec<Environment> {
    let aws = manifest.aws.as_ref();
    let mut environments = Vec::with_capacity(manifest.environments.len());
    for (name, written) in &manifest.environments {
        let path = Path::of(["environments", name.as_str()]);
        if written.safety_level.is_some_and(|own| own > level) {
            findings.push(
                Diagnostic::error(
                    "level-exceeded",
                    path.key("safety-level"),
                    format!(
                        "an environment may not go further than its project, which is at level {}",
                        level.number()
                    ),
                )
                .with_help("lower it, or raise `safety-level` of the project"),
            );
        }
        if ["-plan", "-approval", "-backend"].iter().any(|end| name.as_str().ends_with(end)) {
            findings.push(
                Diagnostic::error(
                    "name-collision",
                    Place::key(path.clone()),
                    "names that end in `-plan`, `-approval` and `-backend` are kept for the environments that belong to another",
                )
                .with_help("choose another name"),
            );
        }
        check_addresses(written.url.as_deref(), written.health.as_ref(), &path, findings);
        let own = written.aws.as_ref();
        let account_id = own.and_then(|own| own.account_id.clone()).or_else(|| aws?.account_id.clone());
        if let Some(own) = own {
            role::check(&own.roles, account_id.as_ref(), &path.key("aws").key("roles"), findings);
        }
        let branch = written.branch.as_ref().or(manifest.github.default_branch.as_ref());
        let branch = branch.map_or(defaults::DEFAULT_BRANCH, manifest::BranchName::as_str);
        let approval = written.approval.unwrap_or(defaults::APPROVAL);
        check_window(written.window.as_ref(), approval, &path, findings);
        if written.safety_level.unwrap_or(level) >= SafetyLevel::WRITES {
            check_reviewers(manifest, approval, &path, findings);
        }
        let region = own.and_then(|own| own.region.clone()).or_else(|| aws?.region.clone());
        let region = region.map(|region| region.to_string());
        let written_roles = own.map(|own| own.roles.clone()).unwrap_or_default();
        environments.push(Environment {
            name: name.clone(),
            branch: branch.to_string(),
            approval,
            window: written.window.clone(),
            level: written.safety_level.unwrap_or(level),
            url: written.url.clone(),
            health: health(written),
            runner: match &written.runner {
                Some(labels) => runner(Some(labels), &path.key("runner"), findings),
                None => default_runner.to_vec(),
            },
            roles: account_id.as_ref().map_or_else(BTreeMap::new, |account_id| {
                role::resolve(&manifest.project, name, account_id, region.as_deref(), &written_roles)
            }),
            account_id,
            region,
        });
    }
    role::check_apart(&environments, findings);
    environments
}

/// A window that opens, on the gate.
fn check_window(window: Option<&Window>, approval: Approval, path: &Path, findings: &mut Diagnostics) {
    let Some(window) = window else { return };
    let path = path.key("window");
    if window.from >= window.to {
        findings.push(
            Diagnostic::error("invalid-value", path.key("to"), "the window closes before it opens")
                .with_help("a window opens and closes on the same day"),
        );
    }
    if window.days.is_empty() {
        findings.push(Diagnostic::error("invalid-value", path.key("days"), "the window never opens"));
    }
    if approval == Approval::None {
        findings.push(
            Diagnostic::error(
                "invalid-value",
                Place::key(path),
                "a window stands at the gate, and nobody has to agree to anything here",
            )
            .with_help("`approval: reviewers`, or take `window` out"),
        );
    }
}

fn check_addresses(
    url: Option<&str>,
    health: Option<&manifest::Health>,
    path: &Path,
    findings: &mut Diagnostics,
) {
    let asked = health.map(|health| health.url.as_str());
    for (address, path) in [(url, path.key("url")), (asked, path.key("health").key("url"))] {
        if address.is_some_and(|address| !is_address(address)) {
            let has_braces = address.is_some_and(|address| address.contains('{'));
            let says = if has_braces { NO_PLACEHOLDER } else { ADDRESS };
            findings.push(Diagnostic::error("invalid-value", path, says));
        }
    }
    if let Some(health) = health {
        check_numbers(health, &path.key("health"), findings);
    }
}

/// Refuses a status that HTTP does not have, and a number of attempts that never ends.
pub(super) fn check_numbers(health: &manifest::Health, path: &Path, findings: &mut Diagnostics) {
    let mut refuse = |key: &str, message: &str| {
        findings.push_once(Diagnostic::error("invalid-value", path.key(key), message));
    };
    if health.expect_status.is_some_and(|status| !(100..=599).contains(&status)) {
        refuse("expect-status", "an HTTP status is a number from 100 to 599");
    }
    if health.attempts.is_some_and(|attempts| !(1..=100).contains(&attempts)) {
        refuse("attempts", "the number of attempts is from 1 to 100");
    }
}

/// Why braces are no part of an environment's own addresses.
const NO_PLACEHOLDER: &str =
    "no placeholder is filled in here: an environment's address is written out, from `https://` on";

/// What [`is_address`] asks for.
pub(super) const ADDRESS: &str =
    "an address starts with `https://` or `http://`, and holds no space and no password";

/// An address that can be asked: nothing in it runs, and nothing in it is a secret.
pub(super) fn is_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty()
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
            && text.len() <= 2000
            && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'<>\\^`{|}".contains(&byte))
    })
}

/// What the manifest says of the environment's health; its address where it says nothing.
fn health(written: &manifest::Environment) -> Option<Health> {
    match &written.health {
        Some(asked) => Some(Health::of(asked, asked.url.clone())),
        None => Some(Health {
            url: written.url.clone()?,
            expect_status: defaults::HEALTH_STATUS,
            attempts: defaults::HEALTH_ATTEMPTS,
        }),
    }
}

/// Whether a workflow asks the reviewers of environments: a rollback does where it says so.
fn asks_reviewers(manifest: &Manifest) -> bool {
    manifest.applies_stacks()
        || manifest.deploys()
        || manifest.has_stage(StageKind::Image)
        || manifest.workflows.iter().any(|(name, workflow)| {
            workflow.kind_of(name) == Some(Kind::Rollback)
                && workflow.disposition() == Disposition::Rendered
                && workflow.approval == Some(Approval::Reviewers)
        })
}

/// GitHub has required reviewers for public repositories, and for others in its Enterprise plan
/// ([GitHub: deployments and environments](https://docs.github.com/en/actions/reference/workflows-and-actions/deployments-and-environments)).
fn check_reviewers(manifest: &Manifest, approval: Approval, path: &Path, findings: &mut Diagnostics) {
    let github = &manifest.github;
    let are_available = github.visibility.unwrap_or(defaults::VISIBILITY) == Visibility::Public
        || github.plan.unwrap_or(defaults::PLAN) == Plan::Enterprise;
    if approval != Approval::Reviewers || are_available || !asks_reviewers(manifest) {
        return;
    }
    findings.push(
        Diagnostic::error(
            "reviewers-unavailable",
            Place::key(path.clone()),
            "GitHub would ask nobody before a job changes this environment: required reviewers exist in public repositories, and in others with GitHub Enterprise",
        )
        .with_help("`github.plan: enterprise` if that is what you have")
        .with_help("`approval: none` says openly that nobody is asked"),
    );
}
