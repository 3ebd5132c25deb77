//! A pipeline, executed: what a pull request runs, and a commit's way through staging to production.

use std::cell::Cell;
use std::fs;
use std::rc::Rc;

use pyfleet_core::oidc;
use pyfleet_core::source::Source;
use pyfleet_gen::project_file;
use serde_json::json;

use super::pyfleet::{CURL, GH, succeeded};
use super::{Ran, Run, action, git};
use crate::aws::{ACCOUNT, Aws};
use crate::executed::image_layout::Layout;
use crate::images::Registry;
use crate::repo::Repo;
use crate::tool;

const MANIFEST: &str = r#"
version: 1
project: shop
safety-level: 5
github: { repository: acme/shop, visibility: private, plan: enterprise, repository-id: 2001 }
environments:
  staging: { approval: none }
  production: { health: { url: "https://shop.example.com/healthz" } }
aws: { account-id: "ACCOUNT", region: us-east-1, services: [s3] }
terraform:
  version: "1.11.4"
  backend: { bucket: shop-state, key: "{environment}/{stack}.tfstate" }
  pull-request-plan: none
  publish-outputs: [address]
  stacks:
    network: { directory: infra/network }
    app: { directory: infra/app, depends-on: [network] }
tests:
  api: { python: "3.11", install: pip install -r requirements.txt, suites: { unit: pytest tests/unit } }
registries: { aws: { ecr: {} } }
images:
  web: { registry: aws, repository: shop-web }
services:
  web: { image: web, ecs: { cluster: "shop-{environment}", container: web } }
workflows:
  main:
    kind: pipeline
    on: { push: true, pull-request: true, manual: true, schedule: "17 3 1 * *" }
    auto: { reason: a merge is a release, owner: "@acme/platform" }
    stages: [test, image, { terraform: { only: [manual, push] } }, deploy, summary]
  tf: {}
"#;

const STACK: &str = r#"
terraform {
  required_version = ">= 1.10"
  backend "s3" {}
}

resource "terraform_data" "thing" {
  input = "one"
}

output "address" {
  value = terraform_data.thing.output
}
"#;

const ENVIRONMENTS: [&str; 2] = ["staging", "production"];

/// What a run does for every commit, and what it does to an environment.
const FIRST: [&str; 6] = ["guard", "test-api-unit", "build-web", "scan-web", "static", "scan"];
const THEN: [&str; 9] = [
    "plan-E-1",
    "decide-E-1",
    "newest-E",
    "push-E-web",
    "apply-E-1",
    "plan-E-2",
    "decide-E-2",
    "apply-E-2",
    "deploy-E-web",
];

fn jobs_of(environment: &str) -> Vec<String> {
    THEN.iter().map(|job| job.replace("-E", &format!("-{environment}"))).collect()
}

/// A repository with two environments on one branch, on an AWS that has the roles that `oidc` derives.
struct Shop {
    aws: Aws,
    registry: Registry,
    repo: Repo,
    runs: Cell<u64>,
    /// How many images were built: no two are alike.
    built: Rc<Cell<u64>>,
}

impl Shop {
    fn new() -> Option<Self> {
        for tool in ["jq", "pytest", "terraform"] {
            tool::find(tool)?;
        }
        let aws = Aws::start()?;
        let registry = Registry::of_ecr(&aws)?;
        let repo = Repo::new();
        let root = repo.path(".");
        action::copy_into(&tool::repository().join("examples/sandbox-broker"), &root);
        for old in [".github", "terraform", "pyfleet.lock"] {
            let path = repo.path(old);
            if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
        }
        repo.write("pyfleet.yml", MANIFEST.replace("ACCOUNT", ACCOUNT));
        for stack in ["network", "app"] {
            repo.write(&format!("infra/{stack}/main.tf"), STACK.trim_start());
        }
        repo.run(["render"]).exits(0);
        git(&root, &["init", "--quiet", "--initial-branch=main"]);
        for (key, value) in [("user.name", "octocat"), ("user.email", "octocat@example.com")] {
            git(&root, &["config", key, value]);
        }
        let shop = Self { aws, registry, repo, runs: Cell::new(0), built: Rc::new(Cell::new(0)) };
        shop.commit();
        shop.make();
        Some(shop)
    }

    fn commit(&self) {
        let root = self.repo.path(".");
        git(&root, &["add", "--all"]);
        git(&root, &["commit", "--quiet", "--allow-empty", "--message", "A commit"]);
    }

    /// The registry, a service in each environment, and every role of the plan.
    fn make(&self) {
        let aws = &self.aws;
        aws.cli(&[
            "ecr",
            "create-repository",
            "--repository-name",
            "shop-web",
            "--image-tag-mutability",
            "IMMUTABLE",
        ]);
        let containers = json!([{"name": "web", "image": "none", "memory": 128}]).to_string();
        let breaker = r#"{"deploymentCircuitBreaker": {"enable": true, "rollback": true}}"#;
        for environment in ENVIRONMENTS {
            let (cluster, family) = (format!("shop-{environment}"), format!("web-{environment}"));
            aws.cli(&["ecs", "create-cluster", "--cluster-name", &cluster]);
            aws.cli(&[
                "ecs",
                "register-task-definition",
                "--family",
                &family,
                "--container-definitions",
                &containers,
            ]);
            let service = ["--cluster", &cluster, "--service-name", "web", "--task-definition", &family];
            let settings = ["--desired-count", "1", "--deployment-configuration", breaker];
            aws.cli(&[&["ecs", "create-service"], &service[..], &settings[..]].concat());
        }
        let loaded = project_file::load(Source::new("pyfleet.yml", self.repo.read("pyfleet.yml")));
        let (project, plan) = loaded.planned.unwrap();
        aws.trust_github();
        for role in oidc::setup(&project, &plan).roles {
            aws.role_of_documents(&role.name.unwrap(), &json!(role.trust), &json!(role.permissions));
        }
        aws.enforce();
        aws.forget_calls();
    }

    /// Makes the state's bucket, as somebody does by hand before the first run.
    fn create_backend(&self) -> Option<Ran> {
        let inputs = [("environment", "staging"), ("stack", "network"), ("action", "create-backend")];
        let run = self.of("tf", "workflow_dispatch").inputs(inputs).run()?;
        run.job("create-backend-staging").succeeded();
        Some(run)
    }

    /// A run of the pipeline, to which production's reviewers agree.
    fn start(&self, event: &str) -> Run {
        self.of("main", event)
    }

    fn of(&self, workflow: &str, event: &str) -> Run {
        self.runs.set(self.runs.get() + 1);
        let built = Rc::clone(&self.built);
        Run::of(&format!(".github/workflows/{workflow}.yml"), self.repo.path("."))
            .numbered(self.runs.get())
            .repository("acme/shop")
            .identified_by(&self.aws)
            .event(event)
            .action("docker/setup-buildx-action", |_| Ok(()))
            .action("docker/build-push-action", move |action| {
                built.set(built.get() + 1);
                assert_eq!(action.input("push"), Some("false"));
                let archive =
                    action.input("outputs").and_then(|text| text.strip_prefix("type=oci,dest=")).unwrap();
                let layout = Layout::plain(&format!("build {}", built.get()));
                layout.archive(archive.as_ref(), |_| ());
                action.output("digest", &layout.digest);
                Ok(())
            })
            .approved("production-approval", "hubot", "looks good")
            .docker()
            .around("skopeo", self.registry.skopeo())
            .tool("pip", "true")
            .tool("gh", GH)
            .tool("curl", &CURL.replace("STATUS", "200"))
            .env("WAIT_INTERVAL", "1")
            .env("WAIT_TIMEOUT", "30")
            .env("DELAY", "0")
    }

    /// The image that an environment's service runs.
    fn live(&self, environment: &str) -> String {
        let cluster = format!("shop-{environment}");
        let described =
            self.aws.cli(&["ecs", "describe-services", "--cluster", &cluster, "--services", "web"]);
        let definition = described["services"][0]["taskDefinition"].as_str().unwrap().to_owned();
        let revision = self.aws.cli(&["ecs", "describe-task-definition", "--task-definition", &definition]);
        revision["taskDefinition"]["containerDefinitions"][0]["image"].as_str().unwrap().to_owned()
    }

    fn states(&self) -> Vec<String> {
        let listed = self.aws.cli(&["s3api", "list-objects-v2", "--bucket", "shop-state"]);
        let contents = listed["Contents"].as_array().cloned().unwrap_or_default();
        let keys = contents.iter().map(|object| object["Key"].as_str().unwrap().to_owned());
        keys.filter(|key| key.ends_with(".tfstate")).collect()
    }
}

#[track_caller]
fn skipped(ran: &Ran, jobs: &[String]) {
    for job in jobs {
        ran.job(job).skipped();
    }
}

#[test]
fn a_pull_request_stops_before_every_environment() {
    let Some(shop) = Shop::new() else { return };
    let Some(ran) = shop.start("pull_request").run() else { return };
    succeeded(&ran, &["guard", "test-api-unit", "build-web", "scan-web", "gate", "summary"]);
    // Its limit leaves the stage out.
    ran.job("static").skipped();
    for environment in ENVIRONMENTS {
        ran.job(&format!("lookup-{environment}-web")).skipped();
        skipped(&ran, &jobs_of(environment));
    }
    assert!(shop.aws.calls().is_empty(), "{:?}", shop.aws.calls());
    let summary = ran.job("summary").summary();
    for row in [
        "| `terraform` | – | ⏭️ skipped on purpose | `only by hand or on a push` |",
        "| `deploy` | `staging` | ⏭️ a pull request changes nothing | – |",
    ] {
        assert!(summary.contains(row), "{row}\n{summary}");
    }
}

#[test]
fn a_commit_goes_to_staging_and_to_production() {
    let Some(shop) = Shop::new() else { return };
    let Some(_) = shop.create_backend() else { return };

    // Whatever needs no environment, then staging, then the reviewers, then production: one image for both.
    let Some(ran) = shop.start("push").run() else { return };
    succeeded(&ran, &FIRST);
    for environment in ENVIRONMENTS {
        let jobs = jobs_of(environment);
        succeeded(&ran, &jobs.iter().map(String::as_str).collect::<Vec<_>>());
    }
    succeeded(&ran, &["gate", "approve-production", "approve-production-2", "summary"]);
    let digest = ran.job("build-web").output("digest").to_owned();
    let image = format!("{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/shop-web@{digest}");
    assert_eq!(ENVIRONMENTS.map(|environment| shop.live(environment)), [image.clone(), image.clone()]);
    assert_eq!(shop.states().len(), 4);
    assert!(shop.aws.calls().iter().all(|call| call.status != 403), "{:?}", shop.aws.calls());
    let deploy = ran.job("deploy-production-web");
    assert_eq!(
        (deploy.group(), deploy.environment()),
        (Some("mutate-production-service-web"), Some("production"))
    );
    let summary = ran.job("summary").summary();
    for row in [
        "### ✅ Commit",
        "| `terraform` | `staging` | ✅ | – |",
        "| `deploy` | `production` | ✅ | – |",
        "| `hubot` |",
        &digest,
    ] {
        assert!(summary.contains(row), "{row}\n{summary}");
    }

    // The same commit again, by hand: the image is used again, and there is nothing to do.
    let ran = shop.start("workflow_dispatch").run().unwrap();
    succeeded(&ran, &["gate", "deploy-staging-web", "deploy-production-web", "approve-production"]);
    for job in ["build-web", "scan-web", "apply-staging-1", "apply-production-2"] {
        ran.job(job).skipped();
    }
    assert_eq!((shop.built.get(), shop.live("production")), (1, image.clone()));

    // By the clock, the limit leaves the stacks out, and nothing behind them.
    let ran = shop.start("schedule").run().unwrap();
    succeeded(&ran, &["gate", "deploy-staging-web", "deploy-production-web"]);
    ran.job("plan-staging-1").skipped();
    ran.job("apply-production-1").skipped();

    // A reviewer says no: staging has the commit, production keeps what it had.
    shop.repo.append("app/server.py", "# Another commit.\n");
    shop.commit();
    let refused = shop.start("push").refused("production-approval", "hubot", "not today").run().unwrap();
    for job in ["push-production-web", "apply-production-1", "deploy-production-web", "newest-production"] {
        refused.job(job).skipped();
    }
    assert_eq!(refused.conclusion(), "failure");
    assert_ne!(shop.live("staging"), image);
    assert_eq!(shop.live("production"), image);

    // Overtaken while it was tested: nothing is changed, and that is no failure.
    shop.repo.append("infra/app/main.tf", "\nresource \"terraform_data\" \"another\" {}\n");
    shop.commit();
    let newer = GH.replace("printf '%s\\n' \"$GITHUB_SHA\"", "printf '%040d\\n' 5");
    let before = (shop.live("staging"), shop.live("production"));
    let ran = shop.start("push").tool("gh", &newer).run().unwrap();
    ran.job("newest-staging").succeeded().says("main has a newer commit");
    for job in [
        "push-staging-web",
        "apply-staging-2",
        "deploy-staging-web",
        "plan-production-1",
        "approve-production",
    ] {
        ran.job(job).skipped();
    }
    assert_eq!(ran.conclusion(), "success");
    assert_eq!((shop.live("staging"), shop.live("production")), before);

    // What fails can be run again, for weeks: not where another commit came meanwhile.
    let broken =
        format!("[[ $* == *update-service* ]] && exit 1\nexec '{}' \"$@\"", shop.aws.client().display());
    let failed = shop.start("push").tool("aws", &broken).run().unwrap();
    failed.job("newest-staging").succeeded();
    failed.job("deploy-staging-web").failed();
    let late = shop.start("push").tool("gh", &newer).run_failed_again(failed).unwrap();
    late.job("deploy-staging-web").failed().says("::error::main has a newer commit since this run began");
    late.job("deploy-production-web").skipped();
    assert_eq!((shop.live("staging"), shop.live("production")), before);
    let again = shop.start("push").run_failed_again(late).unwrap();
    succeeded(&again, &["deploy-staging-web", "deploy-production-web", "summary"]);
    assert_ne!((shop.live("staging"), shop.live("production")), before);
}

#[test]
fn what_fails_first_keeps_every_environment_as_it_is() {
    let Some(shop) = Shop::new() else { return };
    let finding = r#"{"SchemaVersion": 2, "Results": [{"Target": "os", "Vulnerabilities": [
        {"VulnerabilityID": "CVE-1", "PkgName": "openssl", "Severity": "HIGH", "FixedVersion": "2"}]}]}"#;
    let run = shop.start("push").action("aquasecurity/trivy-action", move |action| {
        let is_image = action.input("scan-type") == Some("image");
        let report = if is_image { finding } else { r#"{"SchemaVersion": 2, "Results": []}"# };
        fs::write(action.workspace().join(action.input("output").unwrap()), report)
            .map_err(|error| error.to_string())
    });
    let Some(ran) = run.run() else { return };
    ran.job("scan-web").failed();
    ran.job("gate").failed().says("::error::job scan-web: failure");
    for environment in ENVIRONMENTS {
        skipped(&ran, &jobs_of(environment));
    }
    ran.job("summary").succeeded();

    shop.repo.append("tests/unit/test_pool.py", "\n\ndef test_wrong():\n    assert False\n");
    shop.commit();
    shop.aws.forget_calls();
    let ran = shop.start("push").run().unwrap();
    ran.job("test-api-unit").failed();
    for job in ["lookup-staging-web", "build-web", "scan-web", "approve-production"] {
        ran.job(job).skipped();
    }
    for environment in ENVIRONMENTS {
        skipped(&ran, &jobs_of(environment));
    }
    assert_eq!((ran.conclusion(), shop.built.get()), ("failure", 1));
    assert!(shop.aws.calls().is_empty(), "{:?}", shop.aws.calls());
}

#[test]
fn a_branch_of_no_environment_runs_what_needs_none() {
    let Some(shop) = Shop::new() else { return };
    let Some(ran) = shop.start("workflow_dispatch").ref_("refs/heads/feature").run() else { return };
    succeeded(&ran, &["test-api-unit", "build-web", "scan-web", "static", "scan", "gate", "summary"]);
    ran.job("guard").says("::notice::no environment is worked on from feature");
    for environment in ENVIRONMENTS {
        skipped(&ran, &jobs_of(environment));
    }
    assert!(shop.aws.calls().is_empty(), "{:?}", shop.aws.calls());
}
