//! What GitHub says in a job's token, as far as AWS looks at it.

use std::collections::BTreeMap;

use crate::manifest::AwsRole;
use crate::oidc::identity::{Identity, subject};
use crate::oidc::trust::audience;
use crate::plan::Workflow;
use crate::project::{Environment, Project, partition};

/// The claims that AWS knows as conditions, beside `aud` and `sub`
/// ([AWS: validation of claims](https://aws.amazon.com/about-aws/whats-new/2026/01/aws-sts-supports-validation-identity-provider-claims/)).
/// Any other is, for AWS, missing from every token.
const KNOWN: [&str; 9] = [
    "actor",
    "actor_id",
    "enterprise_id",
    "environment",
    "job_workflow_ref",
    "ref",
    "repository",
    "repository_id",
    "workflow",
];

/// A claim of a token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Claim {
    /// It says this.
    Is(String),
    /// It is not there.
    Missing,
    /// What it says depends on the run.
    Unknown,
}

/// A token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Token(BTreeMap<&'static str, Claim>);

impl Token {
    pub(super) fn claim(&self, name: &str) -> &Claim {
        self.0.get(name).unwrap_or(&Claim::Missing)
    }

    fn with(&self, name: &'static str, value: impl Into<String>) -> Self {
        let mut claims = self.0.clone();
        claims.insert(name, Claim::Is(value.into()));
        Self(claims)
    }

    fn without(&self, name: &'static str) -> Self {
        let mut claims = self.0.clone();
        claims.insert(name, Claim::Missing);
        Self(claims)
    }

    /// Whether AWS knows a claim at all.
    pub(super) fn knows(claim: &str) -> bool {
        claim == "aud" || claim == "sub" || KNOWN.contains(&claim)
    }
}

/// The tokens of a job: one for each form that its subject may have.
pub(super) fn of_job(
    project: &Project,
    workflow: &Workflow,
    job: &str,
    environment: &Environment,
    purpose: AwsRole,
) -> Vec<Token> {
    let Some(model) = workflow.model.jobs.get(job) else { return Vec::new() };
    let Some(claim) = subject(purpose, model) else { return Vec::new() };
    let git_ref = match purpose {
        // Any number stands for all of them.
        AwsRole::PullRequestPlan => "refs/pull/1/merge".to_owned(),
        _ => format!("refs/heads/{}", environment.branch),
    };
    let region = environment.region.as_deref().unwrap_or_default();
    let is = |text: &str| Claim::Is(text.to_owned());
    let named = model.environment.as_ref().map(|environment| is(&environment.name));
    let claims = BTreeMap::from([
        ("aud", is(audience(partition(region)))),
        ("actor", Claim::Unknown),
        ("actor_id", Claim::Unknown),
        ("enterprise_id", Claim::Unknown),
        ("environment", named.unwrap_or(Claim::Missing)),
        ("job_workflow_ref", Claim::Is(format!("{}/{}@{git_ref}", project.repository, workflow.file))),
        ("ref", is(&git_ref)),
        ("repository", is(project.repository.as_str())),
        ("repository_id", project.repository_id.map_or(Claim::Unknown, |id| Claim::Is(id.to_string()))),
        ("workflow", workflow.model.name.as_deref().map_or(Claim::Unknown, is)),
    ]);
    let token = Token(claims);
    project.subjects(&claim).into_iter().map(|subject| token.with("sub", subject)).collect()
}

/// A token that no job of the plan has, and how bad it is if a role takes it.
pub(super) struct Stranger {
    pub(super) what: &'static str,
    pub(super) token: Token,
    /// Whether somebody else's code could have it, and not only another file of the environment's own branch.
    pub(super) is_open: bool,
}

/// Tokens that are one step away from those which a role is for.
pub(super) fn strangers(project: &Project, identity: &Identity, own: &[Token]) -> Vec<Stranger> {
    let mut strangers = Vec::new();
    let repository = project.repository.as_str();
    let (owner, name) = repository.split_once('/').unwrap_or((repository, ""));
    for token in own {
        let Claim::Is(subject) = token.claim("sub") else { continue };
        // `repo:OWNER/NAME:` with or without ids, and what runs.
        let Some((start, _)) = subject.match_indices(':').nth(1).map(|(at, _)| subject.split_at(at)) else {
            continue;
        };
        let elsewhere = |repository: &str| {
            let rest = subject.get(start.len()..).unwrap_or_default();
            token
                .with("sub", format!("repo:{repository}{rest}"))
                .with("repository", repository)
                .with("repository_id", "0")
                .with("job_workflow_ref", format!("{repository}/.github/workflows/other.yml@refs/heads/main"))
                .with("workflow", "other")
        };
        let runs = |claim: &str, git_ref: &str| {
            token
                .with("sub", format!("{start}:{claim}"))
                .with("ref", git_ref)
                .with("job_workflow_ref", format!("{repository}/.github/workflows/other.yml@{git_ref}"))
                .with("workflow", "other")
                .without("environment")
        };
        let mut add = |what, token, is_open| strangers.push(Stranger { what, token, is_open });
        add("a pull request of this repository", runs("pull_request", "refs/pull/1/merge"), true);
        add("a run on any branch, in no environment", runs("ref:refs/heads/any", "refs/heads/any"), true);
        add("a run on any tag", runs("ref:refs/tags/any", "refs/tags/any"), true);
        add(
            "a job in any other environment",
            runs("environment:any", "refs/heads/any").with("environment", "any"),
            true,
        );
        add("another repository of the same owner", elsewhere(&format!("{owner}/any")), true);
        add("a repository of anybody", elsewhere(&format!("any/{name}")), true);
        if identity.purpose != AwsRole::PullRequestPlan {
            let other = format!("{repository}/.github/workflows/other.yml@refs/heads/main");
            add(
                "any other workflow file that names the environment",
                token.with("job_workflow_ref", other).with("workflow", "other"),
                false,
            );
        }
        // Subjects with ids stay the repository's own.
        if project.repository_id.is_some() && !start.contains('@') {
            add("whoever gets the repository's name after it", token.with("repository_id", "0"), false);
        }
    }
    strangers
}
