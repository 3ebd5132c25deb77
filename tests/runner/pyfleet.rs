//! The rendered workflows of `examples/pyfleet`, executed against an AWS that has its roles, trust policies and
//! permissions exactly as `oidc` derives them: the life of two environments, from no backend to no backend.

use std::cell::Cell;

use pyfleet_core::oidc;
use pyfleet_core::source::Source;
use pyfleet_gen::project_file;
use serde_json::{Value as Json, json};

use super::steps::INFRACOST;
use super::{Ran, Run, action, git};
use crate::aws::{ACCOUNT, Aws};
use crate::bodies::story;
use crate::repo::Repo;
use crate::tool;

pub(super) const BUCKET: &str = "pyfleet-terraform-state-123456789012";
pub(super) const TABLE: &str = "pyfleet-terraform-lock";
const EMAILS: &str = "ops@example.com, night@example.com";

/// GitHub's API, for who approved and which runs are under way.
pub(super) const GH: &str = r#"
case "$*" in
  *'/approvals') cat "$STATE/approvals.json" ;;
  *'/git/ref/heads/'*' --jq .object.sha') printf '%s\n' "$GITHUB_SHA" ;;
  *'/runs?'* | *'/jobs?'*) echo '{"total_count": 0, "workflow_runs": [], "jobs": []}' ;;
  *) echo "unexpected: $*" >&2; exit 9 ;;
esac
"#;

/// The fleet's address: it answers with the status that the first argument of its text has.
pub(super) const CURL: &str = r#"
cat >/dev/null
body=/dev/null
while (($#)); do
  [[ $1 != --output ]] || body=$2
  shift
done
: >"$body"
printf 'STATUS'
"#;

/// The example in a repository of its own, and an AWS that knows its roles.
pub(super) struct World {
    pub(super) aws: Aws,
    pub(super) repo: Repo,
    status: &'static str,
    runs: Cell<u64>,
}

impl World {
    pub(super) fn new() -> Option<Self> {
        Self::of(|_| ())
    }

    /// The example after a change, which its roles know of.
    pub(super) fn of(change: impl FnOnce(&Repo)) -> Option<Self> {
        for tool in ["terraform", "jq"] {
            tool::find(tool)?;
        }
        let aws = Aws::start()?;
        let repo = Repo::new();
        let root = repo.path(".");
        action::copy_into(&tool::repository().join("examples/pyfleet"), &root);
        git(&root, &["init", "--quiet", "--initial-branch=main"]);
        for (key, value) in [("user.name", "octocat"), ("user.email", "octocat@example.com")] {
            git(&root, &["config", key, value]);
        }
        change(&repo);
        let world = Self { aws, repo, status: "200", runs: Cell::new(0) };
        world.commit();
        world.make_roles();
        Some(world)
    }

    pub(super) fn commit(&self) {
        let root = self.repo.path(".");
        git(&root, &["add", "--all"]);
        git(&root, &["commit", "--quiet", "--allow-empty", "--message", "A commit"]);
    }

    /// Every role of the plan with the documents that `oidc` prints; those of `dev`, which the manifest takes from
    /// variables, under names of their own.
    fn make_roles(&self) {
        let manifest = self.repo.read("pyfleet.yml");
        let loaded = project_file::load(Source::new("pyfleet.yml", manifest));
        let (project, plan) = loaded.planned.unwrap();
        self.aws.trust_github();
        for role in oidc::setup(&project, &plan).roles {
            let name = role.name.unwrap_or_else(|| format!("existing-{}", role.purpose));
            self.aws.role_of_documents(&name, &json!(role.trust), &json!(role.permissions));
        }
        self.aws.enforce();
    }

    /// `tf`, as a person starts it who fills in these inputs.
    fn tf<'a>(&self, inputs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Run {
        self.start("tf").event("workflow_dispatch").inputs(inputs)
    }

    /// A workflow, with what the repository holds for it.
    pub(super) fn start(&self, workflow: &str) -> Run {
        let existing = |purpose: &str| format!("arn:aws:iam::{ACCOUNT}:role/existing-{purpose}");
        self.runs.set(self.runs.get() + 1);
        Run::of(&format!(".github/workflows/{workflow}.yml"), self.repo.path("."))
            .numbered(self.runs.get())
            .repository("acme/pyfleet")
            .with_immutable_subjects()
            .identified_by(&self.aws)
            .variable("INSTANCE_TYPE", "t3.micro")
            .variable("PLAN_ROLE", &existing("plan"))
            .variable("PULL_REQUEST_PLAN_ROLE", &existing("pull-request-plan"))
            .variable("APPLY_ROLE", &existing("apply"))
            .variable("BACKEND_CREATE_ROLE", &existing("backend-create"))
            .variable("BACKEND_DESTROY_ROLE", &existing("backend-destroy"))
            .environment_secret("dev", "ALERT_EMAILS", EMAILS)
            .environment_secret("dev-plan", "ALERT_EMAILS", EMAILS)
            .environment_secret("prod", "ALERT_EMAILS", EMAILS)
            .environment_secret("prod-plan", "ALERT_EMAILS", EMAILS)
            .approved("prod-approval", "hubot", "looks good")
            .action("infracost/actions/setup", |_| Ok(()))
            .tool("infracost", INFRACOST)
            .secret("INFRACOST_API_KEY", "ico-hush-hush")
            .tool("gh", GH)
            .tool("curl", &CURL.replace("STATUS", self.status))
            .env("WAIT_TIMEOUT", "2")
            .env("WAIT_INTERVAL", "1")
            .env("DELAY", "0")
    }

    /// Does something to a stack, with the phrase for it.
    pub(super) fn act(&self, environment: &str, stack: &str, action: &str, confirm: &str) -> Option<Ran> {
        let inputs =
            [("environment", environment), ("stack", stack), ("action", action), ("confirm", confirm)];
        self.tf(inputs).run()
    }

    pub(super) fn apply(&self, environment: &str, stack: &str) -> Option<Ran> {
        // Nobody has to agree in `dev`, and so nothing has to be typed.
        let confirm =
            if environment == "prod" { format!("apply {environment}/{stack}") } else { String::new() };
        self.act(environment, stack, "apply", &confirm)
    }

    /// The objects of the bucket, without its versions.
    pub(super) fn keys(&self) -> Vec<String> {
        let listed = self.aws.cli(&["s3api", "list-objects-v2", "--bucket", BUCKET]);
        let contents = listed["Contents"].as_array().cloned().unwrap_or_default();
        contents.iter().map(|object| object["Key"].as_str().unwrap().to_owned()).collect()
    }

    pub(super) fn object(&self, key: &str) -> Json {
        let file = self.repo.path("../object");
        self.aws.cli(&["s3api", "get-object", "--bucket", BUCKET, "--key", key, file.to_str().unwrap()]);
        serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
    }

    pub(super) fn state(&self, environment: &str, stack: &str) -> Json {
        self.object(&format!("pyfleet/{environment}/{stack}.tfstate"))
    }

    pub(super) fn live_group(&self) -> String {
        self.state("prod", "app")["outputs"]["active_asg"]["value"].as_str().unwrap().to_owned()
    }
}

/// What did not end well, with its log.
#[track_caller]
pub(super) fn succeeded(ran: &Ran, jobs: &[&str]) {
    for job in jobs {
        ran.job(job).succeeded();
    }
    assert_eq!(ran.conclusion(), "success");
}

#[test]
fn the_life_of_two_environments() {
    let _story = story!(the_life_of_two_environments);
    let Some(mut world) = World::new() else { return };

    // There is no backend, and whoever plans is told what to do.
    let Some(ran) = world.act("dev", "network", "plan", "") else { return };
    ran.job("plan-dev").failed().says("create-backend");

    // Made once, found the second time.
    let ran = world.act("dev", "network", "create-backend", "").unwrap();
    succeeded(&ran, &["guard", "create-backend-dev"]);
    assert_eq!(ran.job("create-backend-dev").step("backend").outputs["created"], "yes");
    let ran = world.act("prod", "network", "create-backend", "").unwrap();
    assert_eq!(ran.job("create-backend-prod").step("backend").outputs["created"], "no");

    // A plan changes nothing and needs nobody.
    let ran = world.act("dev", "network", "plan", "").unwrap();
    succeeded(&ran, &["guard", "plan-dev", "scan", "cost"]);
    ran.job("apply-dev").skipped();
    assert_eq!(ran.job("plan-dev").environment(), Some("dev-plan"));
    assert!(world.keys().is_empty(), "{:?}", world.keys());

    // Two environments, two states each; the plan that was saved is the one that is applied.
    for (environment, stack) in [("dev", "network"), ("dev", "app"), ("prod", "network"), ("prod", "app")] {
        let ran = world.apply(environment, stack).unwrap();
        let apply = format!("apply-{environment}");
        succeeded(&ran, &["guard", &format!("plan-{environment}"), "scan", &apply]);
        assert_eq!(ran.job(&apply).group(), Some(format!("mutate-{environment}-{stack}").as_str()));
        assert_eq!(ran.job(&apply).environment(), Some(environment));
        let applied = world.object(&format!("_pyfleet/applied/{environment}/{stack}.json"));
        assert_eq!(applied["plan_sha256"], ran.job(&format!("plan-{environment}")).output("plan_sha256"));
        assert_eq!(applied["approver"], if environment == "prod" { json!("hubot") } else { Json::Null });
        assert!(!ran.job(&apply).log().contains("night@example.com"), "a secret in a log");
    }
    assert_eq!(world.live_group(), "asg-blue");
    let serial = world.state("prod", "app")["serial"].clone();

    // Every state is sound, and every role opens to whom it should.
    let ran = world.start("check-state").event("schedule").run().unwrap();
    succeeded(&ran, &["check-dev", "check-prod"]);
    let ran = world.start("test-oidc").event("workflow_dispatch").real("curl").run().unwrap();
    succeeded(&ran, &["reads-dev", "reads-prod"]);

    // Nothing to do: nobody is asked.
    let ran = world.apply("prod", "app").unwrap();
    succeeded(&ran, &["plan-prod", "scan"]);
    ran.job("approve-apply-prod").skipped();
    ran.job("apply-prod").skipped();
    assert_eq!(world.state("prod", "app")["serial"], serial);

    // Somebody else holds the lock: named, and the apply never starts. Freed, it goes on.
    world.repo.write("infra/app/envs/prod.tfvars", "instances = 4\n");
    world.commit();
    let id = "0b5a1f3e-7d7c-4a4e-9f5a-1d2c3b4a5f6e";
    // One that was just taken is waited for; one that is older than any job is nobody's any more.
    let lock = |environment: &str, created: &str| {
        let path = format!("{BUCKET}/pyfleet/{environment}/app.tfstate");
        let lock = json!({
            "ID": id, "Operation": "OperationTypeApply", "Info": "", "Who": "mallory@laptop", "Version": "1.11.4",
            "Created": created, "Path": path,
        });
        let item = json!({ "LockID": { "S": path }, "Info": { "S": lock.to_string() } });
        world.aws.cli(&["dynamodb", "put-item", "--table-name", TABLE, "--item", &item.to_string()]);
    };
    for (created, code) in [("2999-01-01T00:00:00Z", 3), ("2026-01-01T00:00:00Z", 4)] {
        lock("prod", created);
        let ran = world.apply("prod", "app").unwrap();
        ran.job("plan-prod").failed().says("mallory@laptop").says(id).says(&format!("exit code {code}"));
        ran.job("approve-apply-prod").skipped();
        ran.job("apply-prod").skipped();
    }
    // The lock is released by the one who says its id, and by nobody else.
    let unlock = |environment: &str, lock_id: &str| {
        let confirm = format!("unlock {lock_id}");
        let run = world.tf([
            ("environment", environment),
            ("stack", "app"),
            ("action", "force-unlock"),
            ("lock_id", lock_id),
            ("confirm", &confirm),
            ("reason", "the laptop is at the bottom of a lake"),
        ]);
        run.run().unwrap()
    };
    unlock("prod", "11111111-2222-4333-8444-555555555555").job("unlock-prod").failed();
    succeeded(&unlock("prod", id), &["approve-unlock-prod", "unlock-prod"]);
    lock("dev", "2026-01-01T00:00:00Z");
    succeeded(&unlock("dev", id), &["unlock-dev"]);
    let ran = world.apply("prod", "app").unwrap();
    succeeded(&ran, &["plan-prod", "approve-apply-prod", "apply-prod"]);

    // Promotion switches the colour, and an ordinary apply keeps it.
    let ran = world.act("prod", "app", "promote", "promote prod/app").unwrap();
    succeeded(&ran, &["plan-prod", "approve-apply-prod", "apply-prod"]);
    assert_eq!(world.live_group(), "asg-green");
    let promoted = world.head();
    world.repo.write("infra/app/envs/prod.tfvars", "instances = 5\n");
    world.commit();
    succeeded(&world.apply("prod", "app").unwrap(), &["apply-prod"]);
    assert_eq!(world.live_group(), "asg-green");

    // A promotion that leaves the fleet unhealthy is taken back, and the run is red.
    world.status = "503";
    let ran = world.act("prod", "app", "promote", "promote prod/app").unwrap();
    let apply = ran.job("apply-prod").failed();
    assert_eq!(apply.step("verify").outcome, "failure");
    assert_eq!(apply.step("revert").outcome, "success");
    assert_eq!(world.live_group(), "asg-green");
    assert_eq!(world.object("_pyfleet/applied/prod/app.json")["action"], "revert");
    world.status = "200";

    // A promotion that would replace something is refused before anybody is asked.
    let listener = "resource \"terraform_data\" \"listener\" {\n";
    world.repo.replace(
        "infra/app/main.tf",
        listener,
        &format!("{listener}  triggers_replace = var.active_color\n\n"),
    );
    world.commit();
    let ran = world.act("prod", "app", "promote", "promote prod/app").unwrap();
    ran.job("plan-prod").failed().says("terraform_data.listener");
    ran.job("approve-apply-prod").skipped();
    world.repo.replace("infra/app/main.tf", "  triggers_replace = var.active_color\n\n", "");
    world.commit();

    // The commit before goes live again, in the colour that is, and is asked whether it works.
    let back = world.rolling_back_of("prod", "terraform/app", &promoted, "ROLLBACK");
    succeeded(&back.run().unwrap(), &["plan-terraform-prod", "rollback-terraform-prod"]);
    assert_eq!(world.live_group(), "asg-green");

    // A wrong phrase destroys nothing. What is protected is not destroyed before a commit says so.
    let ran = world.act("dev", "network", "destroy", "destroy prod/network").unwrap();
    ran.job("guard").failed().says("destroy dev/network");
    ran.job("plan-dev").skipped();
    succeeded(&world.act("dev", "app", "destroy", "destroy dev/app").unwrap(), &["destroy-dev"]);
    let ran = world.act("dev", "network", "destroy", "destroy dev/network").unwrap();
    ran.job("plan-dev").failed().says("terraform_data.vpc");
    world.repo.replace("pyfleet.yml", "  protected: [terraform_data.vpc]\n", "");
    world.repo.run(["render"]).exits(0);
    world.commit();
    succeeded(&world.act("dev", "network", "destroy", "destroy dev/network").unwrap(), &["destroy-dev"]);
    assert_eq!(world.state("dev", "network")["resources"], json!([]));

    // The backend is kept while the other environment uses it, and gone with the last state.
    let confirm = format!("destroy-backend {BUCKET}");
    let ran = world.act("dev", "network", "destroy-backend", &confirm).unwrap();
    succeeded(&ran, &["destroy-backend-dev"]);
    ran.job("destroy-backend-dev").says("kept, used by prod");
    let ran = world.act("prod", "network", "destroy-backend", &confirm).unwrap();
    ran.job("destroy-backend-prod").failed();
    for stack in ["app", "network"] {
        let ran = world.act("prod", stack, "destroy", &format!("destroy prod/{stack}")).unwrap();
        succeeded(&ran, &["approve-destroy-prod", "destroy-prod"]);
    }
    let ran = world.act("prod", "network", "destroy-backend", &confirm).unwrap();
    succeeded(&ran, &["approve-destroy-backend-prod", "destroy-backend-prod"]);
    let buckets = world.aws.cli(&["s3api", "list-buckets"]);
    assert_eq!(buckets["Buckets"], json!([]));
    assert_eq!(world.aws.cli(&["dynamodb", "list-tables"])["TableNames"], json!([]));
}
