//! Tokens as GitHub issues them, and the roles that take them.

use serde_json::{Value, json};

/// A token, and what becomes of it.
pub(crate) struct Row {
    /// What runs there.
    pub(crate) what: &'static str,
    /// The token's claims; `null` is a claim that is missing.
    pub(crate) claims: Value,
    /// The forms of subjects whose projects have a role for it.
    pub(crate) formats: &'static [&'static str],
    /// These roles, as `ENVIRONMENT-PURPOSE`.
    pub(crate) roles: &'static [&'static str],
}

impl Row {
    /// Whether a role of the project with this form of subjects takes it.
    pub(crate) fn is_taken_by(&self, format: &str, role: &str) -> bool {
        self.formats.contains(&format) && self.roles.contains(&role)
    }
}

/// The roles of the jobs that change an environment: one file, one environment.
const DEV: &[&str] = &["dev-apply"];
const DEV_BACKEND: &[&str] = &["dev-backend-create", "dev-backend-destroy"];
const PROD: &[&str] = &["prod-apply"];
const PROD_BACKEND: &[&str] = &["prod-backend-create", "prod-backend-destroy"];
const DEV_DEPLOY: &[&str] = &["dev-deploy"];
const PROD_DEPLOY: &[&str] = &["prod-deploy"];
/// Jobs of one file in one environment share their roles: what puts a service back, and what applies a stack.
const DEV_ROLLBACK: &[&str] = &["dev-apply", "dev-deploy"];
const PROD_ROLLBACK: &[&str] = &["prod-apply", "prod-deploy"];
const DEV_PLAN: &[&str] = &["dev-plan"];
const PROD_PLAN: &[&str] = &["prod-plan"];
const PULL_REQUEST: &[&str] = &["dev-pull-request-plan"];

/// A job, from which its token follows.
#[derive(Clone, Copy)]
struct Job {
    repository: &'static str,
    ids: (&'static str, &'static str),
    is_immutable: bool,
    event: &'static str,
    git_ref: &'static str,
    file: &'static str,
    environment: Option<&'static str>,
}

const PLAN: Job = Job {
    repository: "acme/shop",
    ids: ("1001", "2001"),
    is_immutable: true,
    event: "workflow_dispatch",
    git_ref: "refs/heads/main",
    file: "tf.yml",
    environment: Some("dev-plan"),
};
const APPLY: Job = Job { environment: Some("dev"), ..PLAN };
const DEPLOY: Job = Job { file: "ship.yml", ..APPLY };
const ROLLBACK: Job = Job { file: "rollback.yml", ..APPLY };
const CHECK: Job = Job { file: "check-state.yml", event: "schedule", ..PLAN };
const REQUEST: Job = Job {
    event: "pull_request",
    git_ref: "refs/pull/7/merge",
    file: "terraform.yml",
    environment: None,
    ..PLAN
};

impl Job {
    const fn in_environment(self, environment: &'static str) -> Self {
        Self { environment: Some(environment), ..self }
    }

    const fn on(self, git_ref: &'static str) -> Self {
        Self { git_ref, ..self }
    }

    const fn of_file(self, file: &'static str) -> Self {
        Self { file, ..self }
    }

    const fn of(self, repository: &'static str, ids: (&'static str, &'static str)) -> Self {
        Self { repository, ids, ..self }
    }

    /// As a repository emits it that was made before 2026-07-15.
    const fn old(self) -> Self {
        Self { is_immutable: false, ..self }
    }

    fn claims(&self) -> Value {
        let (owner, name) = self.repository.split_once('/').unwrap();
        let (owner_id, id) = self.ids;
        let repository = if self.is_immutable {
            format!("{owner}@{owner_id}/{name}@{id}")
        } else {
            self.repository.to_owned()
        };
        let subject = match (self.environment, self.event) {
            (Some(environment), _) => format!("environment:{}", environment.replace(':', "%3A")),
            (None, "pull_request") => "pull_request".to_owned(),
            (None, _) => format!("ref:{}", self.git_ref),
        };
        let file = format!("{}/.github/workflows/{}@{}", self.repository, self.file, self.git_ref);
        json!({
            "aud": "sts.amazonaws.com",
            "sub": format!("repo:{repository}:{subject}"),
            "repository": self.repository,
            "repository_id": id,
            "repository_owner": owner,
            "repository_owner_id": owner_id,
            "event_name": self.event,
            "ref": self.git_ref,
            "workflow_ref": file,
            "job_workflow_ref": file,
            "environment": self.environment,
        })
    }

    fn with(&self, claim: &str, value: Value) -> Value {
        let mut claims = self.claims();
        claims[claim] = value;
        claims
    }

    fn without(&self, claim: &str) -> Value {
        self.with(claim, Value::Null)
    }
}

/// The table.
pub(crate) fn rows() -> Vec<Row> {
    const NEW: &[&str] = &["immutable", "both"];
    const OLD: &[&str] = &["legacy", "both"];
    let row = |what, claims, formats, roles| Row { what, claims, formats, roles };
    let taken =
        |what, job: Job, roles| row(what, job.claims(), if job.is_immutable { NEW } else { OLD }, roles);
    let refused = |what, job: Job| row(what, job.claims(), &[], &[]);
    let altered = |what, claims| row(what, claims, &[], &[]);
    let released = |job: Job| job.on("refs/heads/release");
    vec![
        // The right jobs.
        taken("dev is planned", PLAN, DEV_PLAN),
        taken("dev is checked by the clock", CHECK, DEV_PLAN),
        taken("dev is changed", APPLY, DEV),
        taken("dev's backend is made or removed", APPLY.in_environment("dev-backend"), DEV_BACKEND),
        taken(
            "prod's backend is made or removed",
            released(APPLY.in_environment("prod-backend")),
            PROD_BACKEND,
        ),
        taken("dev's backend, old subject", APPLY.in_environment("dev-backend").old(), DEV_BACKEND),
        taken(
            "prod's backend, old subject",
            released(APPLY.in_environment("prod-backend")).old(),
            PROD_BACKEND,
        ),
        taken("prod is planned", released(PLAN.in_environment("prod-plan")), PROD_PLAN),
        taken("prod is checked by the clock", released(CHECK.in_environment("prod-plan")), PROD_PLAN),
        taken("prod is changed", released(APPLY.in_environment("prod")), PROD),
        taken("a pull request is planned", REQUEST, PULL_REQUEST),
        taken("dev is planned, old subject", PLAN.old(), DEV_PLAN),
        taken("dev is checked by the clock, old subject", CHECK.old(), DEV_PLAN),
        taken("dev is changed, old subject", APPLY.old(), DEV),
        taken("prod is planned, old subject", released(PLAN.in_environment("prod-plan")).old(), PROD_PLAN),
        taken("prod is changed, old subject", released(APPLY.in_environment("prod")).old(), PROD),
        taken("a pull request is planned, old subject", REQUEST.old(), PULL_REQUEST),
        taken("dev is deployed", DEPLOY, DEV_DEPLOY),
        taken("dev is rolled back", ROLLBACK, DEV_ROLLBACK),
        taken("prod is deployed", released(DEPLOY.in_environment("prod")), PROD_DEPLOY),
        taken("prod is rolled back", released(ROLLBACK.in_environment("prod")), PROD_ROLLBACK),
        taken("dev is deployed, old subject", DEPLOY.old(), DEV_DEPLOY),
        taken(
            "prod is rolled back, old subject",
            released(ROLLBACK.in_environment("prod")).old(),
            PROD_ROLLBACK,
        ),
        taken("an image of dev is looked up", DEPLOY.in_environment("dev-plan"), DEV_PLAN),
        taken("what dev can go back to is listed", ROLLBACK.in_environment("dev-plan"), DEV_PLAN),
        // Other files.
        refused("another workflow deploys", DEPLOY.of_file("deploy.yml")),
        refused("the pull request's workflow deploys on main", DEPLOY.of_file("terraform.yml")),
        refused("a pull request deploys", REQUEST.of_file("ship.yml").in_environment("dev")),
        refused("a feature branch deploys", DEPLOY.on("refs/heads/feature")),
        refused("prod is deployed from dev's branch", DEPLOY.in_environment("prod")),
        refused("the job that waits for approval deploys", released(DEPLOY.in_environment("prod-approval"))),
        refused("a deployment in the backend's environment", DEPLOY.in_environment("dev-backend")),
        refused("another repository deploys", DEPLOY.of("acme/other", ("1001", "2003"))),
        refused("another workflow names dev", APPLY.of_file("test.yml")),
        refused("another workflow names dev-plan", PLAN.of_file("deploy.yml")),
        refused("check-state names dev", CHECK.in_environment("dev")),
        refused("the pull request's workflow names dev-plan on main", PLAN.of_file("terraform.yml")),
        refused("a file whose name begins like the right one", APPLY.of_file("tf.yml.yml")),
        refused("a file whose name ends like the right one", APPLY.of_file("x-tf.yml")),
        refused("a file in a directory below", APPLY.of_file("x/tf.yml")),
        refused("the other extension", APPLY.of_file("tf.yaml")),
        refused("the file in upper case", APPLY.of_file("TF.yml")),
        altered(
            "a job of a reusable workflow of another repository, called by tf",
            APPLY.with("job_workflow_ref", json!("evil/shop/.github/workflows/tf.yml@refs/heads/main")),
        ),
        altered(
            "a job of a reusable workflow of this repository, called by tf",
            APPLY.with("job_workflow_ref", json!("acme/shop/.github/workflows/called.yml@refs/heads/main")),
        ),
        row(
            "the file is right in the claim that counts, and the caller another",
            APPLY.with("workflow_ref", json!("acme/shop/.github/workflows/x.yml@refs/heads/main")),
            NEW,
            DEV,
        ),
        // Other branches.
        refused("a feature branch", APPLY.on("refs/heads/feature")),
        refused("a feature branch plans", PLAN.on("refs/heads/feature")),
        refused("the branch in upper case", APPLY.on("refs/heads/Main")),
        refused("a branch whose name begins like the right one", APPLY.on("refs/heads/main2")),
        refused("a branch below the right one's name", APPLY.on("refs/heads/main/x")),
        refused("a tag of the branch's name", APPLY.on("refs/tags/main")),
        refused("a release", APPLY.on("refs/tags/v1.2.3")),
        refused("prod from dev's branch", APPLY.in_environment("prod")),
        refused("prod is planned from dev's branch", PLAN.in_environment("prod-plan")),
        refused("dev from prod's branch", released(APPLY)),
        altered(
            "the file at a commit",
            APPLY.with(
                "job_workflow_ref",
                json!("acme/shop/.github/workflows/tf.yml@6113728f27ae82c7b1a177c8d03f9e96e0adf246"),
            ),
        ),
        altered(
            "the file without a branch",
            APPLY.with("job_workflow_ref", json!("acme/shop/.github/workflows/tf.yml")),
        ),
        // Other environments.
        refused("the job that waits for approval", released(APPLY.in_environment("prod-approval"))),
        refused("an approval that dev does not have", APPLY.in_environment("dev-approval")),
        refused("an environment that nobody declared", APPLY.in_environment("staging")),
        refused("the environment in upper case", APPLY.in_environment("Dev")),
        refused("a colon in the environment's name", APPLY.in_environment("x:environment:dev")),
        refused("dev with more behind it", APPLY.in_environment("dev-plan-x")),
        refused("prod's backend from dev's branch", APPLY.in_environment("prod-backend")),
        refused("check-state names dev's backend", CHECK.in_environment("dev-backend")),
        refused("no environment", Job { environment: None, ..APPLY }),
        refused("no environment, by push", Job { environment: None, event: "push", ..APPLY }),
        // Other repositories.
        refused("the same name again, of another repository", APPLY.of("acme/shop", ("1001", "2002"))),
        refused("the same name again, of another owner", APPLY.of("acme/shop", ("1002", "2001"))),
        refused(
            "the same name again, with an old subject: only the id tells them apart",
            APPLY.of("acme/shop", ("1001", "2002")).old(),
        ),
        refused(
            "the same name again, a pull request with an old subject",
            REQUEST.of("acme/shop", ("1001", "2002")).old(),
        ),
        refused("another owner's repository of that name", APPLY.of("evil/shop", ("3001", "3002"))),
        refused("another owner's, old subject", APPLY.of("evil/shop", ("3001", "3002")).old()),
        refused("another repository of the owner", APPLY.of("acme/other", ("1001", "2003"))),
        refused(
            "another repository of the owner, old subject",
            APPLY.of("acme/other", ("1001", "2003")).old(),
        ),
        refused("a fork's own pull request", REQUEST.of("fork/shop", ("4001", "4002"))),
        refused("a fork's own pull request, old subject", REQUEST.of("fork/shop", ("4001", "4002")).old()),
        refused("a fork's own branch main", APPLY.of("fork/shop", ("4001", "4002"))),
        refused("the repository renamed", APPLY.of("acme/store", ("1001", "2001"))),
        refused("the owner in upper case", APPLY.of("Acme/shop", ("1001", "2001"))),
        refused("the owner in upper case, old subject", APPLY.of("Acme/shop", ("1001", "2001")).old()),
        // Pull requests, and what comes near them.
        taken("a pull request edits tf.yml", REQUEST.of_file("tf.yml"), PULL_REQUEST),
        taken("a pull request brings a file of its own", REQUEST.of_file("evil.yml").old(), PULL_REQUEST),
        refused("a pull request's job names dev", REQUEST.of_file("tf.yml").in_environment("dev")),
        refused("a pull request's job names dev-plan", REQUEST.of_file("tf.yml").in_environment("dev-plan")),
        refused(
            "a pull request's job names prod, old subject",
            REQUEST.of_file("tf.yml").in_environment("prod").old(),
        ),
        refused("pull_request_target", Job { event: "pull_request_target", ..REQUEST.on("refs/heads/main") }),
        refused(
            "the merge queue",
            Job { event: "merge_group", ..REQUEST.on("refs/heads/gh-readonly-queue/main/pr-7-6113728f") },
        ),
        refused("workflow_run", Job { event: "workflow_run", ..REQUEST.on("refs/heads/main") }),
        altered(
            "a pull request with more behind it",
            REQUEST.with("sub", json!("repo:acme/shop:pull_request:x")),
        ),
        // Claims that are missing, or are something else.
        altered("no subject", APPLY.without("sub")),
        altered("an empty subject", APPLY.with("sub", json!(""))),
        altered("no id of the repository", APPLY.without("repository_id")),
        altered("no id of the repository, a pull request", REQUEST.without("repository_id")),
        altered("no id of the repository, old subject", APPLY.old().without("repository_id")),
        altered("no file", APPLY.without("job_workflow_ref")),
        altered("no file, and the caller's is right", PLAN.old().without("job_workflow_ref")),
        row("no file, a pull request", REQUEST.without("job_workflow_ref"), NEW, PULL_REQUEST),
        row("no environment beside the subject", APPLY.without("environment"), NEW, DEV),
        altered("GitHub's default audience", APPLY.with("aud", json!("https://github.com/acme"))),
        altered("the audience of China", APPLY.with("aud", json!("sts.amazonaws.com.cn"))),
        altered("a pattern for a subject", APPLY.with("sub", json!("repo:acme@1001/shop@2001:*"))),
        altered("a pattern for every subject", APPLY.with("sub", json!("*"))),
        altered("ids behind dashes", APPLY.with("sub", json!("repo:acme-1001/shop-2001:environment:dev"))),
        altered(
            "a subject of other claims",
            APPLY.with("sub", json!("repository_owner:acme:environment:dev")),
        ),
        altered(
            "a subject with a line end",
            APPLY.with("sub", json!("repo:acme@1001/shop@2001:environment:dev\n")),
        ),
        altered("an id with a nought before it", APPLY.with("repository_id", json!("02001"))),
    ]
}
