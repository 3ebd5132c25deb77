//! The project as it is meant: every default filled in, every reference resolved, every level respected.
//!
//! [`resolve`] turns a [`Manifest`] into a [`Project`]. No type here has an `Option` where a default exists;
//! [`defaults`] holds them all, each with its reason.

mod channel;
pub mod defaults;
mod drift;
mod environment;
mod extension;
mod image;
mod packer;
mod placeholder;
mod role;
mod security;
mod service;
mod smoke;
mod stage;
mod subject;
mod target;
mod targets;
mod terraform;
mod test;
mod waiver;
mod workflow;

use std::collections::{BTreeMap, BTreeSet};

pub use self::channel::{Channel, Format};
pub use self::drift::Drift;
pub use self::environment::{Environment, Health};
pub(crate) use self::extension::listed;
pub use self::extension::{Extension, ExtraJob, ExtraSteps, Side};
pub use self::image::Image;
pub use self::packer::{Ansible, KnownHosts, Packer};
pub use self::role::{Role, partition};
pub use self::security::{Auditor, Security};
pub(crate) use self::security::{is_from_lock, requirements_file};
pub use self::service::Service;
pub use self::smoke::{Asks, Check, Expects};
pub use self::stage::Stage;
pub use self::target::{EcsTarget, EksTarget, Target, ecr_host};
pub(crate) use self::terraform::image_variable;
pub use self::terraform::{
    Colors, Cost, EnvironmentStacks, NotPlanned, Scan, Stack, StackCost, StackSettings, Synthesised,
    Terraform, VariableValue,
};
pub use self::test::{Coverage, Language, ServiceContainer, TestGroup};
pub use self::waiver::{WaivedAt, Waiver};
pub use self::workflow::WorkflowWish;

use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{
    AwsRole, Host, Manifest, Repository, SafetyLevel, Slug, SubjectFormat, Targets, Visibility,
};

/// A project as it is meant.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its name.
    pub name: Slug,
    /// How far automation may go.
    pub level: SafetyLevel,
    /// The repository on GitHub.
    pub repository: Repository,
    /// The branch that releases come from.
    pub default_branch: String,
    /// Who can see logs, comments and artifacts.
    pub visibility: Visibility,
    /// Where GitHub runs.
    pub host: Host,
    /// The form of OIDC subjects.
    pub subject_format: SubjectFormat,
    /// The owner's id, where it is known; always where subjects hold it.
    pub owner_id: Option<u64>,
    /// The repository's id, where it is known; always where subjects hold it.
    pub repository_id: Option<u64>,
    /// The runner of jobs that belong to no environment.
    pub runner: Vec<String>,
    /// Minutes a job may take.
    pub timeout_minutes: u16,
    /// Days that artifacts are kept.
    pub artifact_days: u16,
    /// The AWS services that an apply may touch, by their IAM prefix, sorted.
    pub aws_services: Vec<String>,
    /// Where it runs, in promotion order.
    pub environments: Vec<Environment>,
    /// Infrastructure as code.
    pub terraform: Option<Terraform>,
    /// A golden image that Packer builds.
    pub packer: Option<Packer>,
    /// What Ansible makes of the machines.
    pub ansible: Option<Ansible>,
    /// Test groups by name.
    pub tests: BTreeMap<Slug, TestGroup>,
    /// Static analysis and dependency audit of the code.
    pub security: Option<Security>,
    /// Images by name.
    pub images: BTreeMap<Slug, Image>,
    /// What is deployed, by name.
    pub services: BTreeMap<Slug, Service>,
    /// Who is told what becomes of runs that change something, by name.
    pub channels: BTreeMap<Slug, Channel>,
    /// What is asked of it once it is deployed, in the manifest's order.
    pub smoke: Vec<Check>,
    /// Whom to call, by what for, in the manifest's order.
    pub contacts: Vec<(Slug, String)>,
    /// What deliveries are measured against.
    pub targets: Targets,
    /// The workflows that are wanted, by file name.
    pub workflows: BTreeMap<Slug, WorkflowWish>,
    /// Steps and jobs of the user's own, by the workflow's name.
    pub extensions: BTreeMap<Slug, Extension>,
    /// The versions of what they use, as the manifest's comments say.
    pub versions: BTreeMap<String, String>,
    /// Findings that are accepted for a while.
    pub waivers: Vec<Waiver>,
}

impl Project {
    /// The environment of a name.
    #[must_use]
    pub fn environment(&self, name: &Slug) -> Option<&Environment> {
        self.environments.iter().find(|environment| environment.name == *name)
    }

    /// The role of an environment for a purpose; nothing where the environment has no account.
    #[must_use]
    pub fn role(&self, environment: &Slug, purpose: AwsRole) -> Option<&Role> {
        self.environment(environment)?.roles.get(&purpose)
    }
}

/// Resolves a manifest: all mistakes at once; no project where one of them is an error.
///
/// ```
/// use pyfleet_core::{manifest, project, source::Source};
///
/// let text = r#"
/// version: 1
/// project: shop
/// github: { repository: acme/shop }
/// tests: { api: { python: "3.12", suites: { unit: pytest } } }
/// workflows: { test: {} }
/// "#;
/// let (manifest, _, _) = manifest::parse(Source::new("pyfleet.yml", text));
/// let (project, findings) = project::resolve(&manifest.unwrap());
/// assert!(findings.is_empty());
/// assert_eq!(project.unwrap().timeout_minutes, 30);
/// ```
#[must_use]
pub fn resolve(manifest: &Manifest) -> (Option<Project>, Diagnostics) {
    let (project, findings) = resolve_partly(manifest);
    ((!findings.has_errors()).then_some(project), findings)
}

/// Resolves a manifest whatever is wrong with it. Beside errors, the project serves only to look for further
/// ones.
#[must_use]
pub fn resolve_partly(manifest: &Manifest) -> (Project, Diagnostics) {
    let mut findings = Diagnostics::new();
    let level = manifest.safety_level.unwrap_or(defaults::SAFETY_LEVEL);
    check_github(manifest, &mut findings);
    let defaults = &manifest.defaults;
    let timeout_minutes = within(
        defaults.timeout_minutes.unwrap_or(defaults::TIMEOUT_MINUTES),
        1..=360,
        &Path::of(["defaults", "timeout-minutes"]),
        "GitHub stops a hosted job after 360 minutes",
        &mut findings,
    );
    let artifact_days = within(
        defaults.artifact_days.unwrap_or(defaults::ARTIFACT_DAYS),
        1..=400,
        &Path::of(["defaults", "artifact-days"]),
        "GitHub keeps artifacts for 400 days at most",
        &mut findings,
    );
    let runner = runner(defaults.runner.as_ref(), &Path::of(["defaults", "runner"]), &mut findings);
    check_pull_request_runner(manifest, &runner, &mut findings);
    let environments = environment::resolve(manifest, level, &runner, &mut findings);
    let terraform = terraform::resolve(manifest, level, &environments, &mut findings);
    let (packer, ansible) = packer::resolve(manifest, &environments, &mut findings);
    let services = service::resolve(manifest, &environments, &mut findings);
    let smoke = smoke::resolve(manifest, &environments, &mut findings);
    let project = Project {
        name: manifest.project.clone(),
        level,
        repository: manifest.github.repository.clone(),
        default_branch: manifest
            .github
            .default_branch
            .as_ref()
            .map_or_else(|| defaults::DEFAULT_BRANCH.to_owned(), ToString::to_string),
        visibility: manifest.github.visibility.unwrap_or(defaults::VISIBILITY),
        host: manifest.github.host.unwrap_or(defaults::HOST),
        subject_format: manifest.github.subject_format.unwrap_or(defaults::SUBJECT_FORMAT),
        owner_id: manifest.github.owner_id,
        repository_id: manifest.github.repository_id,
        runner,
        timeout_minutes,
        artifact_days,
        aws_services: aws_services(manifest),
        environments,
        terraform,
        packer,
        ansible,
        services,
        tests: test::resolve(manifest, &mut findings),
        security: security::resolve(manifest, &mut findings),
        images: image::resolve(manifest, &mut findings),
        channels: channel::resolve(manifest, &mut findings),
        smoke,
        contacts: manifest
            .contacts
            .iter()
            .map(|(name, contact)| (name.clone(), contact.to_string()))
            .collect(),
        targets: targets::resolve(manifest.targets, &mut findings),
        workflows: workflow::resolve(manifest, level, &mut findings),
        extensions: extension::resolve(manifest, &mut findings),
        versions: manifest.versions.clone(),
        waivers: waiver::resolve(manifest, &mut findings),
    };
    (project, findings)
}

fn aws_services(manifest: &Manifest) -> Vec<String> {
    let written = manifest.aws.as_ref().map(|aws| aws.services.iter());
    let services: BTreeSet<String> = written.into_iter().flatten().map(ToString::to_string).collect();
    services.into_iter().collect()
}

fn check_github(manifest: &Manifest, findings: &mut Diagnostics) {
    let github = &manifest.github;
    // Names are given away again; the id of a repository never is.
    if manifest.renders_changes() && github.repository_id.is_none() {
        findings.push(
            Diagnostic::error(
                "missing-key",
                Place::key(Path::of(["github"])),
                "roles that change something trust this repository by its id, and `repository-id` is missing",
            )
            .with_help(format!("`gh api repos/{} --jq .id` prints it", github.repository)),
        );
    }
    let immutable = matches!(github.subject_format, Some(SubjectFormat::Immutable | SubjectFormat::Both));
    for (id, key) in [(github.owner_id, "owner-id"), (github.repository_id, "repository-id")] {
        if immutable && id.is_none() {
            findings.push(
                Diagnostic::error(
                    "missing-key",
                    Path::of(["github", "subject-format"]),
                    format!("immutable subjects hold the ids of owner and repository, and `github.{key}` is missing"),
                )
                .with_help(format!("`gh api repos/{}` prints both ids", github.repository)),
            );
        }
    }
}

/// A list of runner labels, each free of anything that would not be a label.
fn runner(
    written: Option<&crate::manifest::OneOrMany<String>>,
    path: &Path,
    findings: &mut Diagnostics,
) -> Vec<String> {
    let Some(written) = written else { return vec![defaults::RUNNER.to_owned()] };
    let labels = written.values().to_vec();
    let is_label = |label: &String| {
        (1..=100).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    };
    if labels.is_empty() || !labels.iter().all(is_label) {
        findings.push(
            Diagnostic::error("invalid-value", path.clone(), "a runner is named by one label or several")
                .with_help("labels are letters, digits, dots, dashes and underscores: `ubuntu-24.04`, `[self-hosted, linux]`"),
        );
    }
    for label in labels.iter().filter(|label| label.ends_with("-latest")) {
        findings.push(
            Diagnostic::warning(
                "moving-runner",
                path.clone(),
                format!("`{label}` is another image from one day to the next"),
            )
            .with_help(format!("name the image: `{}`", defaults::RUNNER)),
        );
    }
    labels
}

/// Every kind that there is runs pull requests, so that their code runs where jobs of no environment run
/// ([GitHub: self-hosted runner security](https://docs.github.com/en/actions/reference/security/secure-use#hardening-for-self-hosted-runners)).
fn check_pull_request_runner(manifest: &Manifest, runner: &[String], findings: &mut Diagnostics) {
    if is_hosted(runner) {
        return;
    }
    let path = Path::of(["defaults", "runner"]);
    findings.push(if manifest.github.visibility.unwrap_or(defaults::VISIBILITY) == Visibility::Public {
        Diagnostic::error("pull-request-on-self-hosted", path, "anybody's pull request would run its code on your own machine: these labels are not of GitHub's hosted runners")
            .with_help("use a hosted runner here, and name your own per environment; or say in `github.visibility` that the repository is not public")
    } else {
        Diagnostic::warning("pull-request-on-self-hosted", path, "pull requests run their code on your own machine")
            .with_help("use runners that are thrown away after one job, or a hosted runner here and your own per environment")
    });
}

/// Whether every label names one of GitHub's own machines. Any other label may be somebody's own
/// ([GitHub: hosted runners](https://docs.github.com/en/actions/reference/runners/github-hosted-runners)).
pub(crate) fn is_hosted(runner: &[String]) -> bool {
    const SYSTEMS: &[&str] = &["ubuntu-", "windows-", "macos-"];
    const REST: &[&str] = &["arm", "intel", "large", "latest", "slim", "vs2026", "xlarge"];
    runner.iter().all(|label| {
        SYSTEMS.iter().any(|system| {
            label.strip_prefix(system).is_some_and(|rest| {
                rest.split('-').all(|part| {
                    REST.contains(&part) || part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
                })
            })
        })
    })
}

fn within(
    value: u16,
    range: std::ops::RangeInclusive<u16>,
    path: &Path,
    reason: &str,
    findings: &mut Diagnostics,
) -> u16 {
    if !range.contains(&value) {
        findings.push(Diagnostic::error("invalid-value", path.clone(), reason).with_help(format!(
            "use a value from {} to {}",
            range.start(),
            range.end()
        )));
    }
    value
}
