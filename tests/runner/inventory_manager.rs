//! The rendered workflows of `examples/inventory-manager`, executed: from a commit to Kubernetes, and back.

use std::cell::Cell;

use pyfleet_core::oidc;
use pyfleet_core::source::Source;
use pyfleet_gen::project_file;
use serde_json::json;

use super::pyfleet::{GH, succeeded};
use super::{Ran, Run, action, git};
use crate::aws::{Aws, Kubernetes};
use crate::bodies::story;
use crate::executed::image_layout::Layout;
use crate::images::Registry;
use crate::repo::Repo;
use crate::tool;

/// Fetches the pinned kubectl, and answers for the load balancer: `/health` fails as often as `unwell` says.
const CURL: &str = r#"
for word; do [[ $word != https://dl.k8s.io/* ]] || kubectl=yes; done
[[ -n ${kubectl-} ]] || settings=$(cat)
body=/dev/null
while (($#)); do
  [[ $1 != --output ]] || body=$2
  shift
done
if [[ -n ${kubectl-} ]]; then cp 'KUBECTL' "$body"; exit; fi
echo "$settings" | grep --only-matching 'http[^"]*' >>"$STATE/asked"
if [[ $settings == */health* ]] && (($(grep --count /health "$STATE/asked") <= UNWELL)); then
  : >"$body"
  printf 503
else
  echo '{"status": "ok"}' >"$body"
  printf 200
fi
"#;

const BUCKET: &str = "inventory-manager-tfstate-123456789012";

const SECRETS: [(&str, &str); 3] = [
    ("DOCKER_USERNAME", "acme-bot"),
    ("DOCKER_PASSWORD", "dckr-pat-1234"),
    ("MONGODB_PASSWORD", "hush-hush"),
];

struct World {
    environment: &'static str,
    aws: Aws,
    kubernetes: Kubernetes,
    repo: Repo,
    registry: Registry,
    runs: Cell<u64>,
}

impl World {
    fn new() -> Option<Self> {
        Self::of("production")
    }

    /// The cluster of one environment, and what its branch has.
    fn of(environment: &'static str) -> Option<Self> {
        for tool in ["bandit", "flake8", "jq", "pytest", "terraform"] {
            tool::find(tool)?;
        }
        let aws = Aws::start()?;
        let registry = Registry::start(&aws, "docker.io")?;
        let cluster = format!("inventory-{environment}");
        let kubernetes = Kubernetes::start(&aws, &cluster)?;
        let repo = Repo::new();
        let root = repo.path(".");
        action::copy_into(&tool::repository().join("examples/inventory-manager"), &root);
        // Tokens of the emulator hold one id.
        repo.replace("pyfleet.yml", "501220884", "2001");
        repo.run(["render"]).exits(0);
        git(&root, &["init", "--quiet", "--initial-branch=main"]);
        for (key, value) in [("user.name", "octocat"), ("user.email", "octocat@example.com")] {
            git(&root, &["config", key, value]);
        }
        let loaded = project_file::load(Source::new("pyfleet.yml", repo.read("pyfleet.yml")));
        let (project, plan) = loaded.planned.unwrap();
        let setup = oidc::setup(&project, &plan);
        aws.trust_github();
        for role in &setup.roles {
            aws.role_of_documents(role.name.as_ref().unwrap(), &json!(role.trust), &json!(role.permissions));
        }
        // What the guide has the cluster's administrator do.
        let access: Vec<(&str, &str)> = setup
            .roles
            .iter()
            .flat_map(|role| role.clusters.iter().map(move |access| (role, access)))
            .filter(|(_, access)| access.cluster == cluster)
            .map(|(role, access)| {
                let right = if access.policy.ends_with("AmazonEKSEditPolicy") { "edit" } else { "view" };
                (role.name.as_deref().unwrap(), right)
            })
            .collect();
        let of = |role: &str| format!("pyfleet-inventory-manager-{environment}-{role}");
        assert_eq!(access, [(of("plan").as_str(), "view"), (of("deploy").as_str(), "edit")]);
        kubernetes.lets_in(&access);
        kubernetes.namespace("inventory-manager");
        aws.enforce();
        let world = Self { environment, aws, kubernetes, repo, registry, runs: Cell::new(0) };
        world.commit();
        world.aws.forget_calls();
        Some(world)
    }

    fn commit(&self) {
        let root = self.repo.path(".");
        git(&root, &["add", "--all"]);
        git(&root, &["commit", "--quiet", "--allow-empty", "--message", "A commit"]);
    }

    /// A workflow that somebody starts for the environment.
    fn by_hand(&self, workflow: &str, inputs: &[(&str, &str)]) -> Ran {
        let run = self.start(workflow, "workflow_dispatch", 0).inputs([("environment", self.environment)]);
        let ran = run.inputs(inputs.iter().copied()).run().unwrap();
        no_secret(&ran);
        ran
    }

    fn tf(&self, action: &str, confirm: &str, more: &[(&str, &str)]) -> Ran {
        let own = [("stack", "inventory-manager"), ("action", action), ("confirm", confirm)];
        self.by_hand("tf", &[&own[..], more].concat())
    }

    fn roll_back(&self, what: &str, target: &str) -> Ran {
        let confirm = if target == "list" { "" } else { "ROLLBACK" };
        self.by_hand("rollback", &[("what", what), ("target", target), ("confirm", confirm)])
    }

    /// One more resource in the stack.
    fn grow(&self, name: &str) {
        self.repo.append("infra/main.tf", &format!("\nresource \"terraform_data\" \"{name}\" {{}}\n"));
        self.commit();
    }

    /// A lock that a lost runner has left, by its id.
    fn leave_a_lock(&self) -> &'static str {
        let id = "0b5a1f3e-7d7c-4a4e-9f5a-1d2c3b4a5f6e";
        let lock = json!({
            "ID": id, "Operation": "OperationTypeApply", "Info": "", "Who": "mallory@laptop", "Version": "1.11.4",
            "Created": "2026-01-01T00:00:00Z", "Path": "inventory-manager",
        });
        self.repo.write("../lock", lock.to_string());
        let (file, key) =
            (self.repo.path("../lock"), format!("{}/inventory-manager.tfstate.tflock", self.environment));
        let put =
            ["s3api", "put-object", "--bucket", BUCKET, "--key", &key, "--body", file.to_str().unwrap()];
        self.aws.cli(&put);
        id
    }

    /// A workflow to whose changes production's reviewers agree; `/health` fails so many times first.
    fn start(&self, workflow: &str, event: &str, unwell: u32) -> Run {
        let number = self.runs.get() + 1;
        self.runs.set(number);
        let curl = CURL
            .replace("KUBECTL", &self.kubernetes.kubectl().display().to_string())
            .replace("UNWELL", &unwell.to_string());
        let run = Run::of(&format!(".github/workflows/{workflow}.yml"), self.repo.path("."))
            .numbered(number)
            .repository("acme/inventory-manager")
            .identified_by(&self.aws)
            .event(event)
            .action("docker/setup-buildx-action", |_| Ok(()))
            .action("codecov/codecov-action", |_| Ok(()))
            .action("docker/build-push-action", move |action| {
                let archive =
                    action.input("outputs").and_then(|text| text.strip_prefix("type=oci,dest=")).unwrap();
                let layout = Layout::plain(&format!("build {number}"));
                layout.archive(archive.as_ref(), |_| ());
                action.output("digest", &layout.digest);
                Ok(())
            })
            .approved("production-approval", "hubot", "looks good")
            .docker()
            .around("skopeo", self.registry.skopeo())
            .tool("pip", "true")
            .tool("pip-audit", r#"echo '{"dependencies": [], "fixes": []}' >"${*: -1}""#)
            .tool("gh", GH)
            .tool("curl", &curl)
            .env("ROLLOUT_TIMEOUT", "2")
            .env("WAIT_TIMEOUT", "5")
            .env("WAIT_INTERVAL", "1")
            .env("DELAY", "0");
        let run = if self.environment == "staging" && event != "pull_request" {
            run.ref_("refs/heads/develop")
        } else {
            run
        };
        let secrets = SECRETS.into_iter();
        secrets.fold(run, |run, (name, value)| run.environment_secret(self.environment, name, value))
    }
}

/// No log or summary holds a secret, as it is or as Kubernetes writes it.
fn no_secret(ran: &Ran) {
    let combinations = ran.jobs.values().flat_map(|job| &job.combinations);
    for step in combinations.flat_map(|combination| &combination.steps) {
        for value in ["dckr-pat-1234", "hush-hush", "aHVzaC1odXNo"] {
            assert!(!step.log.contains(value) && !step.summary.contains(value), "{value}\n{}", step.log);
        }
    }
}

#[test]
fn a_pull_request_is_tested_analysed_built_and_scanned() {
    let _story = story!(a_pull_request_is_tested_analysed_built_and_scanned);
    let Some(world) = World::new() else { return };
    let Some(ran) = world.start("main", "pull_request", 0).tool("gh", "echo '[]'").run() else { return };
    succeeded(
        &ran,
        &["test-app-unit", "coverage-app", "security-app", "build-app", "scan-app", "static", "gate"],
    );
    for environment in ["staging", "production"] {
        for job in [
            "lookup-E-app",
            "create-backend-E",
            "plan-E-1",
            "push-E-app",
            "apply-E-1",
            "deploy-E-inventory-manager",
            "smoke-E",
        ] {
            ran.job(&job.replace("-E", &format!("-{environment}"))).skipped();
        }
    }
    assert!(world.aws.calls().is_empty() && world.kubernetes.journal().is_empty());
}

#[test]
fn an_analysis_that_finds_something_keeps_its_reports_and_stops_everything() {
    let _story = story!(an_analysis_that_finds_something_keeps_its_reports_and_stops_everything);
    let Some(world) = World::new() else { return };
    world.repo.write("ask.py", "import os\n\n\ndef ask():\n    return eval(input())\n");
    world.commit();
    let Some(ran) = world.start("main", "push", 0).run() else { return };
    ran.job("security-app").failed();
    let kept = ran.artifact("security_app");
    assert!(kept.text("bandit.txt").contains("[B307:blacklist]"));
    assert_eq!(kept.text("flake8.txt"), "./ask.py:1:1: F401 'os' imported but unused\n");
    // The others looked all the same.
    assert_eq!(kept.files(), ["bandit.txt", "flake8.txt", "pip-audit.json"]);
    ran.job("gate").failed().says("::error::job security-app: failure");
    ran.job("create-backend-production").skipped();
    assert!(world.kubernetes.journal().is_empty());
}

#[test]
fn a_commit_on_main_gets_to_production_and_back() {
    let _story = story!(a_commit_on_main_gets_to_production_and_back);
    let Some(world) = World::new() else { return };
    let kubernetes = &world.kubernetes;
    let image = |digest: &str| format!("docker.io/acme/inventory-manager@{digest}");

    // In order: everything that needs no environment, the plan, the reviewers, the registry, the stacks, the cluster.
    let Some(ran) = world.start("main", "push", 2).run() else { return };
    no_secret(&ran);
    for job in [
        "gate",
        "create-backend-production",
        "plan-production-1",
        "approve-production",
        "push-production-app",
        "apply-production-1",
        "deploy-production-inventory-manager",
        "smoke-production",
        "summary",
    ] {
        ran.job(job).succeeded();
    }
    assert_eq!(ran.conclusion(), "success");
    let first = ran.job("push-production-app").output("digest").to_owned();
    assert_eq!(kubernetes.live("inventory-manager"), (1, image(&first)));
    let changed = kubernetes.changed();
    let of_databases = changed.iter().position(|what| what == "statefulsets/mongodb").unwrap();
    let place = |wanted: &str| {
        changed.iter().position(|what| what == wanted).unwrap_or_else(|| panic!("{changed:?}"))
    };
    assert!(place("configmaps/inventory-manager") < place("secrets/inventory-manager"), "{changed:?}");
    assert!(place("secrets/inventory-manager") < of_databases, "{changed:?}");
    assert!(place("deployments/redis") < place("deployments/inventory-manager"), "{changed:?}");
    assert!(place("deployments/inventory-manager") < place("ingresses/inventory-manager"), "{changed:?}");
    // Only what the manifest lists is published.
    let outputs = ran.artifact("apply_production_inventory-manager");
    let published = outputs.text("outputs/outputs.json");
    assert!(published.contains("cluster_name") && !published.contains("database"), "{published}");
    // It was asked until it was well, behind the load balancer that the cluster named.
    let smoke = ran.job("smoke-production");
    assert_eq!(smoke.names(), ["smoke production (health)", "smoke production (items)"]);
    let health = smoke.of("check", "health").summary();
    assert!(
        health.contains("| `health` | ✅ | `http://inventory-manager-service.elb.example.com/health` |"),
        "{health}"
    );
    let asked = ran.state("asked");
    assert!(asked.matches("/health").count() >= 4, "{asked}");
    let result = ran.artifact("smoke_production_health");
    assert!(result.text("result.json").contains("\"code\": 0"));
    let summary = ran.job("summary").summary();
    for row in [
        "| `smoke` | `production` | ✅ | – |",
        "| `deploy` | `staging` | ⏭️ not an environment of this run | – |",
        &first,
    ] {
        assert!(summary.contains(row), "{row}\n{summary}");
    }

    // A broken image: the rollout times out, events and logs are shown, and nothing is undone.
    world.repo.append("inventory/store.py", "\n# Another commit.\n");
    world.commit();
    kubernetes.breaks(&["acme/inventory-manager"]);
    let ran = world.start("main", "push", 0).run().unwrap();
    no_secret(&ran);
    let deploy = ran.job("deploy-production-inventory-manager").failed();
    deploy.says("Back-off restarting failed container").says("line 300 of inventory-manager");
    ran.job("smoke-production").skipped();
    assert_eq!(ran.conclusion(), "failure");
    assert_ne!(kubernetes.live("inventory-manager").1, image(&first));
    let summary = ran.job("summary").summary();
    assert!(
        summary.contains("| `deploy` | `production` | ❌ failed | `deploy-production-inventory-manager` |"),
        "{summary}"
    );

    // The way back, and forth again to what does not start, which is shown.
    kubernetes.breaks(&[]);
    let ran = world.roll_back("eks/inventory-manager", "list");
    assert!(ran.job("list-eks-production").succeeded().summary().contains(&first));
    world.roll_back("eks/inventory-manager", "previous").job("rollback-eks-production").succeeded();
    assert_eq!(kubernetes.live("inventory-manager").1, image(&first));
    kubernetes.breaks(&["acme/inventory-manager"]);
    let ran = world.roll_back("eks/inventory-manager", "2");
    ran.job("rollback-eks-production").failed().says("Back-off restarting failed container");
}

#[test]
fn a_service_that_is_not_well_is_red_and_stays() {
    let _story = story!(a_service_that_is_not_well_is_red_and_stays);
    let Some(world) = World::new() else { return };
    let Some(ran) = world.start("main", "push", 99).run() else { return };
    ran.job("deploy-production-inventory-manager").succeeded();
    let smoke = ran.job("smoke-production").failed();
    assert_eq!(smoke.of("check", "health").result(), "failure");
    assert_eq!(smoke.of("check", "items").result(), "success");
    let health = smoke.of("check", "health").summary();
    assert!(health.contains("| `health` | ❌ not as expected |"), "{health}");
    assert!(ran.artifact("smoke_production_health").text("log.txt").contains("503"));
    assert!(smoke.log().contains("line 300 of inventory-manager"), "{}", smoke.log());
    assert_eq!(ran.conclusion(), "failure");
}

/// The life of a state by hand: its backend, its stack, a lock that somebody has left, and nothing of it any more.
#[test]
fn a_stack_is_worked_on_by_hand() {
    let _story = story!(a_stack_is_worked_on_by_hand);
    let Some(world) = World::new() else { return };
    let ran = world.tf("create-backend", "", &[]);
    succeeded(&ran, &["guard", "create-backend-production"]);
    let apply = "apply production/inventory-manager";
    succeeded(
        &world.tf("apply", apply, &[]),
        &["plan-production", "approve-apply-production", "apply-production"],
    );

    // A wrong word does nothing. The list is for everybody.
    world.tf("destroy", "destroy", &[]).job("guard").failed().says("destroy production/inventory-manager");
    let ran = world.roll_back("terraform/inventory-manager", "list");
    succeeded(&ran, &["guard", "list-terraform-production"]);

    // What was applied before is live again, and what goes with it the reviewers have seen.
    world.grow("more");
    succeeded(&world.tf("apply", apply, &[]), &["apply-production"]);
    let ran = world.roll_back("terraform/inventory-manager", "previous");
    let of = ["plan-terraform-production", "approve-terraform-production", "rollback-terraform-production"];
    succeeded(&ran, &of);

    let id = world.leave_a_lock();
    world.tf("plan", "", &[]).job("plan-production").failed().says("mallory@laptop").says(id);
    let reason = "the laptop is at the bottom of a lake";
    let ran = world.tf("force-unlock", &format!("unlock {id}"), &[("lock_id", id), ("reason", reason)]);
    succeeded(&ran, &["guard", "unlock-production"]);

    // Gone, and then its backend.
    let ran = world.tf("destroy", "destroy production/inventory-manager", &[]);
    succeeded(&ran, &["plan-production", "approve-destroy-production", "destroy-production"]);
    let ran = world.tf("destroy-backend", &format!("destroy-backend {BUCKET}"), &[]);
    succeeded(&ran, &["approve-destroy-backend-production", "destroy-backend-production"]);
    assert_eq!(world.aws.cli(&["s3api", "list-buckets"])["Buckets"], json!([]));
}

/// The other branch's environment: nobody has to agree, and the same jobs are its own.
#[test]
fn a_commit_on_develop_gets_to_staging_and_back() {
    let _story = story!(a_commit_on_develop_gets_to_staging_and_back);
    let Some(world) = World::of("staging") else { return };
    let kubernetes = &world.kubernetes;
    // It is not well at first, and its containers say why; asked again, it is.
    let Some(ran) = world.start("main", "push", 99).run() else { return };
    no_secret(&ran);
    for job in ["create-backend-staging", "push-staging-app", "apply-staging-1"] {
        ran.job(job).succeeded();
    }
    ran.job("smoke-staging").failed().says("line 300 of inventory-manager");
    let ran = world.start("main", "push", 0).run().unwrap();
    succeeded(&ran, &["deploy-staging-inventory-manager", "smoke-staging", "summary"]);
    ran.job("plan-production-1").skipped();
    let first = kubernetes.live("inventory-manager");

    // A stack that changes, and an image that does not start: started again, the deployment alone looks whether it is still
    // the newest.
    world.repo.replace("infra/main.tf", "versioning = true", "versioning = false");
    world.commit();
    kubernetes.breaks(&["acme/inventory-manager"]);
    let run = world.start("main", "push", 0);
    let ran = run.run().unwrap();
    ran.job("apply-staging-1").succeeded();
    let deploy = ran.job("deploy-staging-inventory-manager").failed();
    assert_eq!(deploy.step("Show what is wrong").outcome, "success");
    let ran = run.run_failed_again(ran).unwrap();
    let deploy = ran.job("deploy-staging-inventory-manager").failed();
    assert_eq!(deploy.step("See that the commit is still the newest").outcome, "success");

    // Both go back; what does not start is shown here too.
    kubernetes.breaks(&[]);
    let ran = world.roll_back("eks/inventory-manager", "list");
    assert!(ran.job("list-eks-staging").succeeded().summary().contains("@sha256:"));
    world.roll_back("eks/inventory-manager", "previous").job("rollback-eks-staging").succeeded();
    assert_eq!(kubernetes.live("inventory-manager").1, first.1);
    kubernetes.breaks(&["acme/inventory-manager"]);
    let ran = world.roll_back("eks/inventory-manager", "2");
    ran.job("rollback-eks-staging").failed().says("Back-off restarting failed container");
    let ran = world.roll_back("terraform/inventory-manager", "list");
    succeeded(&ran, &["guard", "list-terraform-staging"]);
    let ran = world.roll_back("terraform/inventory-manager", "previous");
    succeeded(&ran, &["plan-terraform-staging", "rollback-terraform-staging"]);

    // By hand to its end.
    succeeded(&world.tf("create-backend", "", &[]), &["guard", "create-backend-staging"]);
    succeeded(&world.tf("apply", "", &[]), &["plan-staging", "apply-staging"]);
    let id = world.leave_a_lock();
    let reason = "the laptop is at the bottom of a lake";
    let ran = world.tf("force-unlock", &format!("unlock {id}"), &[("lock_id", id), ("reason", reason)]);
    succeeded(&ran, &["guard", "unlock-staging"]);
    let ran = world.tf("destroy", "destroy staging/inventory-manager", &[]);
    succeeded(&ran, &["plan-staging", "destroy-staging"]);
    let ran = world.tf("destroy-backend", &format!("destroy-backend {BUCKET}"), &[]);
    succeeded(&ran, &["approve-destroy-backend-staging", "destroy-backend-staging"]);
    assert_eq!(world.aws.cli(&["s3api", "list-buckets"])["Buckets"], json!([]));
}
