//! What a job may do outside its run, as far as its text says.

use super::commands::Command;
use super::{PlacedJob, PlacedStep, WorkflowFile};
use crate::diagnostic::Path;
use crate::workflow::{Job, Level, Scope, Step};

/// Actions that log in to a cloud.
const LOGINS: &[&str] = &[
    "aws-actions/configure-aws-credentials",
    "azure/login",
    "google-github-actions/auth",
    "hashicorp/vault-action",
];

/// Actions that change what runs somewhere.
const DEPLOYMENTS: &[&str] = &[
    "aws-actions/amazon-ecs-deploy-task-definition",
    "aws-actions/aws-cloudformation-github-deploy",
    "azure/k8s-deploy",
    "azure/webapps-deploy",
    "google-github-actions/deploy-appengine",
    "google-github-actions/deploy-cloudrun",
];

/// Actions that publish a package, a release or an image.
const PUBLISHERS: &[&str] = &[
    "JS-DevTools/npm-publish",
    "ncipollo/release-action",
    "pypa/gh-action-pypi-publish",
    "softprops/action-gh-release",
];

/// Programs, and the words that tell them to do something; none where they do nothing else.
type Table = &'static [(&'static str, &'static [&'static str])];

/// Programs and what they are told when they publish.
const PUBLISHING: Table = &[
    ("buildah", &["push"]),
    ("cargo", &["publish"]),
    ("docker", &["push"]),
    ("gem", &["push"]),
    ("npm", &["publish"]),
    ("pnpm", &["publish"]),
    ("podman", &["push"]),
    ("poetry", &["publish"]),
    ("twine", &["upload"]),
    ("uv", &["publish"]),
    ("yarn", &["publish"]),
];

/// Programs and what they are told when they change what runs somewhere.
const MUTATING: Table = &[
    ("ansible-playbook", &[]),
    ("cdk", &["deploy", "destroy"]),
    ("cdktf", &["deploy", "destroy"]),
    ("helm", &["install", "rollback", "uninstall", "upgrade"]),
    ("kubectl", &["apply", "create", "delete", "patch", "replace", "rollout", "set"]),
    ("pulumi", &["destroy", "up"]),
    ("serverless", &["deploy", "remove"]),
    ("terraform", &["apply", "destroy", "import", "taint"]),
    ("terragrunt", &["apply", "destroy", "import", "run-all", "taint"]),
    ("tofu", &["apply", "destroy", "import", "taint"]),
];

/// Whether a job may ask for an identity token.
pub(super) fn has_identity(file: &WorkflowFile<'_>, job: &Job) -> bool {
    let granted = file.workflow.permissions_of(job);
    granted.is_some_and(|permissions| permissions.level(Scope::IdToken) == Level::Write)
}

/// Whether a job holds anything that lets it change the world: an identity, a login, an environment, a secret.
pub(super) fn has_credentials(file: &WorkflowFile<'_>, placed: &PlacedJob<'_>) -> bool {
    has_identity(file, placed.job)
        || placed.job.environment.is_some()
        || placed.steps.iter().any(|placed| LOGINS.iter().any(|slug| placed.step.is_action(slug)))
        || !secrets(file, &placed.place).is_empty()
}

/// The step of a job that changes what runs somewhere, and with what; tests against a cluster of their own
/// hold no credentials, and do not count.
pub(super) fn mutation(file: &WorkflowFile<'_>, job: &PlacedJob<'_>) -> Option<(Path, String)> {
    let found =
        job.steps.iter().find_map(|step| Some((step.place.clone(), step.effects().deploys.clone()?)))?;
    has_credentials(file, job).then_some(found)
}

/// What a job publishes with.
pub(super) fn publication(job: &PlacedJob<'_>) -> Option<String> {
    job.steps.iter().find_map(|step| step.effects().publishes.clone())
}

/// What a step changes outside its run, and with what.
#[derive(Debug)]
pub(super) struct Effects {
    /// What it changes that runs somewhere.
    deploys: Option<String>,
    publishes: Option<String>,
}

impl Effects {
    pub(super) fn of(placed: &PlacedStep<'_>) -> Self {
        let script = placed.step.run.as_deref().unwrap_or_default();
        let commands = if may_tell(script) { placed.commands() } else { &[] };
        Self { deploys: deploys(placed.step, commands), publishes: publishes(placed.step, commands) }
    }
}

fn deploys(step: &Step, commands: &[Command]) -> Option<String> {
    let action = DEPLOYMENTS.iter().find(|slug| step.is_action(slug)).map(|slug| (*slug).to_owned());
    action.or_else(|| told(commands, MUTATING))
}

fn publishes(step: &Step, commands: &[Command]) -> Option<String> {
    let pushes = step.is_action("docker/build-push-action") && step.input("push") == Some("true");
    let action = PUBLISHERS.iter().find(|slug| step.is_action(slug)).copied();
    let action = action.or_else(|| pushes.then_some("docker/build-push-action"));
    action.map(str::to_owned).or_else(|| told(commands, PUBLISHING))
}

/// The first command of a script that a table lists: `terraform apply`.
fn told(commands: &[Command], table: Table) -> Option<String> {
    commands.iter().filter_map(Command::program).find_map(|(program, arguments)| {
        let (name, verbs) = table.iter().find(|(name, _)| *name == program)?;
        let only_looks = |word: &str| {
            matches!(
                word,
                "--check" | "--syntax-check" | "--dry-run" | "--list-hosts" | "--help" | "--version" | "-h"
            ) || word.starts_with("--dry-run=")
        };
        if arguments.iter().any(|word| only_looks(&word.text)) {
            return None;
        }
        if verbs.is_empty() {
            return Some((*name).to_owned());
        }
        // The verb is the first word that is no option, as `terraform -chdir=x apply` writes it.
        let verb = arguments.iter().find(|word| !word.text.starts_with('-'))?;
        verbs.contains(&verb.text.as_str()).then(|| format!("{name} {}", verb.text))
    })
}

/// Whether a script can hold a command that a table lists: most need no more than a glance. The name of a program stands
/// in it as it is; what the program is told may be taken apart by quotes.
fn may_tell(script: &str) -> bool {
    let mut named: Vec<&[&str]> = Vec::new();
    for word in words(script).filter(|word| may_be_listed(word)) {
        let known = MUTATING.iter().chain(PUBLISHING).find(|(name, _)| name.as_bytes() == word);
        if let Some((_, verbs)) = known
            && !named.contains(verbs)
        {
            named.push(verbs);
        }
    }
    let is_quoted = script.contains(['\'', '"', '\\']);
    let says = |verbs: &[&str]| words(script).any(|word| verbs.iter().any(|verb| verb.as_bytes() == word));
    named.iter().any(|verbs| is_quoted || verbs.is_empty() || says(verbs))
}

/// The letters that the words of the tables have, and others like them.
const IN_WORDS: [bool; 256] = {
    let (mut letters, mut letter) = ([false; 256], 0_u8);
    while letter < 128 {
        letters[letter as usize] = letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'_');
        letter += 1;
    }
    letters
};

/// What may be the name of a program in a script, or tell it something.
fn words(script: &str) -> impl Iterator<Item = &[u8]> {
    script.as_bytes().split(|letter| !IN_WORDS[usize::from(*letter)])
}

/// Whether a program of the tables begins as a word does: few words of a script do.
fn may_be_listed(word: &[u8]) -> bool {
    const LETTERS: [bool; 256] = first_letters(MUTATING, first_letters(PUBLISHING, [false; 256]));
    word.first().is_some_and(|letter| LETTERS[usize::from(*letter)])
}

/// The letters, and those with which the programs of a table begin.
const fn first_letters(table: Table, mut letters: [bool; 256]) -> [bool; 256] {
    let mut entry = 0;
    while entry < table.len() {
        letters[table[entry].0.as_bytes()[0] as usize] = true;
        entry += 1;
    }
    letters
}

/// The names of the secrets that a job reads, without the token; reads without a name are left out.
pub(super) fn secrets(file: &WorkflowFile<'_>, job: &Path) -> Vec<(crate::diagnostic::Place, String)> {
    let mut found = Vec::new();
    for placed in file.expressions_of(job) {
        for access in placed.contexts_within(&["secrets"]) {
            if let Some(name) = access.name(0).filter(|name| !name.eq_ignore_ascii_case("GITHUB_TOKEN")) {
                found.push((placed.place_of(access.span.clone()), name.to_owned()));
            }
        }
    }
    found
}
