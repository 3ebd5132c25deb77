//! The rendered workflows of `examples/sandbox-broker`, executed: what a pull request gets to see, and the life of the
//! service in production.

use std::cell::Cell;
use std::fs;
use std::rc::Rc;

use pyfleet_core::oidc;
use pyfleet_core::source::Source;
use pyfleet_gen::project_file;
use serde_json::{Value as Json, json};

use super::pyfleet::CURL;
use super::{Ran, Run, action, git};
use crate::aws::{ACCOUNT, Aws, Rollout};
use crate::bodies::story;
use crate::executed::image_layout::Layout;
use crate::images::{Docker, Registry};
use crate::repo::Repo;
use crate::tool;

/// GitHub's API for one pull request without comments, and no earlier run.
const GH: &str = r#"
case "$1 $2" in
  'api --method')
    echo "$3 ${*: -1}" >>"$STATE/requests"
    if [[ $3 == GET ]]; then echo '[]'; else cp "${*: -1}" "$STATE/comment.json"; echo '{}'; fi ;;
  'run list') ;;
  *) echo "unexpected: $*" >&2; exit 9 ;;
esac
"#;

/// The example with a pull request of one change, at its merge commit.
fn pull_request(change: impl FnOnce(&Repo)) -> Repo {
    let repo = Repo::new();
    let root = repo.path(".");
    action::copy_into(&tool::repository().join("examples/sandbox-broker"), &root);
    git(&root, &["init", "--quiet", "--initial-branch=main"]);
    for (key, value) in [("user.name", "octocat"), ("user.email", "octocat@example.com")] {
        git(&root, &["config", key, value]);
    }
    let commit = || {
        git(&root, &["add", "--all"]);
        git(&root, &["commit", "--quiet", "--message", "A commit"]);
    };
    commit();
    git(&root, &["checkout", "--quiet", "-b", "change"]);
    change(&repo);
    commit();
    git(&root, &["checkout", "--quiet", "main"]);
    git(&root, &["merge", "--quiet", "--no-ff", "--message", "Merge", "change"]);
    repo
}

fn run(workflow: &str, repo: &Repo) -> Run {
    Run::of(&format!(".github/workflows/{workflow}.yml"), repo.path("."))
        .repository("igor-racic/Sandbox-API-Broker")
        .event("pull_request")
        .tool("gh", GH)
        .tool("pip", "true") // Everything is there, and there is no network.
}

/// An AWS in which the state's bucket exists.
fn aws() -> Option<Aws> {
    tool::find("terraform")?;
    tool::find("jq")?;
    let aws = Aws::start()?;
    aws.cli(&["s3api", "create-bucket", "--bucket", "sandbox-broker-tfstate-905418046272"]);
    aws.forget_calls();
    Some(aws)
}

#[test]
fn a_pull_request_that_changes_the_stack_is_checked_scanned_and_planned() {
    let _story = story!(a_pull_request_that_changes_the_stack_is_checked_scanned_and_planned);
    let Some(aws) = aws() else { return };
    let repo = pull_request(|repo| {
        repo.append("terraform/outputs.tf", "\noutput \"colour\" {\n  value = \"blue\"\n}\n");
    });
    let Some(ran) = run("terraform", &repo).with(&aws).run() else { return };
    for job in ["changes", "static", "scan", "plan-production", "comment", "gate"] {
        ran.job(job).succeeded();
    }
    assert_eq!(ran.job("static").names(), ["static (sandbox-broker)"]);
    ran.job("static").says("5 passed, 0 failed.");
    assert_eq!(ran.group(), Some("terraform-7"));
    assert_eq!(ran.artifacts(), ["plan_production_sandbox-broker", "scan_sandbox-broker"]);
    let kept = ran.artifact("plan_production_sandbox-broker");
    let summary: Json = serde_json::from_str(&kept.text("plan-summary.json")).unwrap();
    assert_eq!((&summary["class"], &summary["counts"]["create"]), (&"changes".into(), &2.into()));
    assert!(kept.text("plan.txt").contains("Plan: 2 to add, 0 to change, 0 to destroy."));
    assert!(ran.state("comment.json").contains("Plan of `sandbox-broker` for `production`"));
    assert!(ran.job("gate").summary().contains("Gate open"));
    assert_eq!(ran.conclusion(), "success");
    // It asks AWS, and only reads.
    let calls = aws.calls();
    assert!(calls.iter().any(|call| call.action == "s3:ListBucket"), "{calls:?}");
    let reads = |action: &str| [":Get", ":List", ":Describe"].iter().any(|verb| action.contains(verb));
    let written: Vec<_> = calls.iter().filter(|call| !reads(&call.action)).collect();
    assert!(written.is_empty(), "{written:?}");
}

/// What a pull request makes of the image goes to the scan and nowhere else.
#[test]
fn a_pull_request_that_changes_the_image_is_built_and_scanned() {
    let _story = story!(a_pull_request_that_changes_the_image_is_built_and_scanned);
    let repo = pull_request(|repo| {
        repo.append("app/server.py", "# Nothing more.\n");
    });
    let run = run("build", &repo)
        .action("docker/setup-buildx-action", |_| Ok(()))
        .action("docker/build-push-action", |action| {
            assert_ne!(action.input("push"), Some("true"));
            if let (Some("true"), Some(docker)) = (action.input("load"), Docker::of_this_run()) {
                docker.load(&Layout::plain("a pull request's"), action.input("tags").unwrap());
            }
            Ok(())
        })
        .docker();
    let Some(ran) = run.run() else { return };
    for job in ["changes", "build-api", "scan-api", "gate"] {
        ran.job(job).succeeded();
    }
    assert_eq!(ran.artifacts(), ["image_api", "scan_api"]);
    assert_eq!(ran.conclusion(), "success");
}

#[test]
fn a_pull_request_that_changes_no_stack_passes_the_gate_without_aws() {
    let _story = story!(a_pull_request_that_changes_no_stack_passes_the_gate_without_aws);
    let repo = pull_request(|repo| {
        repo.append("app/server.py", "# Nothing more.\n");
    });
    let Some(ran) = run("terraform", &repo).run() else { return };
    ran.job("changes").succeeded();
    for job in ["static", "scan", "plan-production", "comment"] {
        ran.job(job).skipped();
    }
    ran.job("gate").succeeded();
    assert_eq!(ran.conclusion(), "success");
}

#[test]
fn a_step_that_fails_closes_the_gate() {
    let _story = story!(a_step_that_fails_closes_the_gate);
    let Some(aws) = aws() else { return };
    let repo = pull_request(|repo| {
        repo.append("terraform/outputs.tf", "\noutput \"colour\" {\nvalue = \"blue\"\n}\n");
    });
    let Some(ran) = run("terraform", &repo).with(&aws).run() else { return };
    let checks = ran.job("static").failed();
    assert_eq!(checks.step("Check the format").outcome, "failure");
    assert_eq!(checks.step("Validate").outcome, "skipped");
    ran.job("gate").failed().says("::error::job static: failure");
    assert!(ran.job("gate").summary().contains("Gate closed: 1 of the needed jobs did not succeed"));
    assert_eq!(ran.conclusion(), "failure");
}

#[test]
fn a_scan_with_findings_closes_the_gate() {
    let _story = story!(a_scan_with_findings_closes_the_gate);
    let Some(aws) = aws() else { return };
    let repo = pull_request(|repo| {
        repo.append("terraform/main.tf", "\n# Changed.\n");
    });
    let finding = r#"{"SchemaVersion": 2, "Results": [{"Target": "main.tf", "Misconfigurations": [
        {"ID": "AVD-1", "Title": "open", "Severity": "HIGH", "Status": "FAIL"}]}]}"#;
    let run = run("terraform", &repo).with(&aws).action("aquasecurity/trivy-action", move |action| {
        let report = action.input("output").unwrap();
        fs::write(action.workspace().join(report), finding).map_err(|error| error.to_string())
    });
    let Some(ran) = run.run() else { return };
    assert_eq!(ran.job("scan").failed().step("Judge the report").outcome, "failure");
    assert!(ran.job("scan").summary().contains("AVD-1"), "{}", ran.job("scan").log());
    assert_eq!(ran.artifact("scan_sandbox-broker").files(), ["scan.json"]); // Kept all the same.
    ran.job("gate").failed().says("::error::job scan: failure");
}

#[test]
fn a_plan_that_fails_is_commented_and_closes_the_gate() {
    let _story = story!(a_plan_that_fails_is_commented_and_closes_the_gate);
    let Some(aws) = Aws::start() else { return };
    let repo = pull_request(|repo| {
        repo.append("terraform/main.tf", "\n# Changed.\n");
    });
    // There is no bucket.
    let Some(ran) = run("terraform", &repo).with(&aws).run() else { return };
    ran.job("plan-production").failed();
    ran.job("comment").succeeded();
    assert!(ran.state("comment.json").contains("failed"));
    ran.job("gate").failed().says("::error::job plan-production: failure");
}

#[test]
fn a_fork_gets_checks_and_no_plan() {
    let _story = story!(a_fork_gets_checks_and_no_plan);
    let Some(aws) = aws() else { return };
    let repo = pull_request(|repo| {
        repo.append("terraform/main.tf", "\n# Changed.\n");
    });
    let run = run("terraform", &repo).with(&aws).fork("somebody/Sandbox-API-Broker");
    let Some(ran) = run.run() else { return };
    ran.job("static").succeeded();
    ran.job("scan").succeeded();
    ran.job("plan-production").skipped();
    ran.job("comment").skipped();
    ran.job("gate").succeeded();
    assert!(aws.calls().is_empty(), "{:?}", aws.calls());
}

#[test]
fn the_test_workflow_runs_the_suites_and_comments() {
    let _story = story!(the_test_workflow_runs_the_suites_and_comments);
    let Some(_) = tool::find("pytest") else { return };
    let repo = pull_request(|repo| {
        repo.append("app/server.py", "# Nothing more.\n");
    });
    let Some(ran) = run("test", &repo).run() else { return };
    for job in ["test-api-integration", "test-api-unit", "coverage-api", "comment", "gate"] {
        ran.job(job).succeeded();
    }
    assert_eq!(ran.job("test-api-unit").names(), ["api / unit (Python 3.11)"]);
    ran.job("test-api-unit").says("11 passed");
    ran.job("test-api-integration").says("13 passed");
    let comment = ran.state("comment.json");
    assert!(comment.contains("Tests: 24 passed, 0 failed, 0 skipped"), "{comment}");
    assert!(ran.state("requests").contains("POST"));
    assert_eq!(ran.conclusion(), "success");
}

#[test]
fn a_test_that_fails_closes_the_gate_and_is_named() {
    let _story = story!(a_test_that_fails_closes_the_gate_and_is_named);
    let Some(_) = tool::find("pytest") else { return };
    let repo = pull_request(|repo| {
        repo.append("tests/unit/test_pool.py", "\n\ndef test_wrong():\n    assert False\n");
    });
    let Some(ran) = run("test", &repo).run() else { return };
    let unit = ran.job("test-api-unit").failed();
    assert_eq!(unit.step("suite").outcome, "failure");
    assert_eq!(unit.step("Keep the results").outcome, "success");
    ran.job("test-api-integration").succeeded();
    ran.job("coverage-api").skipped();
    ran.job("comment").succeeded();
    assert!(ran.state("comment.json").contains("test_wrong"));
    ran.job("gate").failed().says("::error::job test-api-unit: failure");
    assert_eq!(ran.conclusion(), "failure");
}

#[test]
fn coverage_below_the_minimum_closes_the_gate() {
    let _story = story!(coverage_below_the_minimum_closes_the_gate);
    let Some(_) = tool::find("pytest") else { return };
    let repo = pull_request(|repo| {
        repo.write("app/untested.py", "x = 1\n".repeat(1000));
    });
    let Some(ran) = run("test", &repo).run() else { return };
    ran.job("test-api-unit").succeeded();
    ran.job("coverage-api").failed().says("below the minimum of 80 %");
    ran.job("gate").failed().says("::error::job coverage-api: failure");
}

/// GitHub's API, for who approved and how long jobs took.
const RUN: &str = r#"
case "$*" in
  *'/approvals') cat "$STATE/approvals.json" ;;
  *'/jobs') echo '{"total_count": 0, "jobs": []}' ;;
  *) echo "unexpected: $*" >&2; exit 9 ;;
esac
"#;

const REPOSITORY: &str = "sandbox-broker-api";

/// The broker in production, on an AWS that has the roles, trust policies and permissions that `oidc` derives.
struct Production {
    aws: Aws,
    registry: Registry,
    repo: Repo,
    /// What the broker's address answers.
    health: &'static str,
    runs: Cell<u64>,
    /// How many images were built: no two are alike.
    built: Rc<Cell<u64>>,
}

impl Production {
    fn new() -> Option<Self> {
        for tool in ["jq", "pytest"] {
            tool::find(tool)?;
        }
        let aws = Aws::start()?;
        let registry = Registry::of_ecr(&aws)?;
        let repo = Repo::new();
        let root = repo.path(".");
        action::copy_into(&tool::repository().join("examples/sandbox-broker"), &root);
        // The emulator has one account and one region, and tokens hold one id.
        for (own, emulated) in
            [("905418046272", ACCOUNT), ("eu-central-1", "us-east-1"), ("1071420368", "2001")]
        {
            repo.replace("pyfleet.yml", own, emulated);
        }
        repo.run(["render"]).exits(0);
        git(&root, &["init", "--quiet", "--initial-branch=main"]);
        for (key, value) in [("user.name", "octocat"), ("user.email", "octocat@example.com")] {
            git(&root, &["config", key, value]);
        }
        let production =
            Self { aws, registry, repo, health: "200", runs: Cell::new(0), built: Rc::new(Cell::new(0)) };
        production.commit();
        production.make();
        Some(production)
    }

    fn commit(&self) {
        let root = self.repo.path(".");
        git(&root, &["add", "--all"]);
        git(&root, &["commit", "--quiet", "--allow-empty", "--message", "A commit"]);
    }

    /// What Terraform has made: registry, cluster, and the service at its first revision. And every role of the plan.
    fn make(&self) {
        let aws = &self.aws;
        aws.cli(&[
            "ecr",
            "create-repository",
            "--repository-name",
            REPOSITORY,
            "--image-tag-mutability",
            "IMMUTABLE",
        ]);
        aws.cli(&["ecs", "create-cluster", "--cluster-name", "sandbox-broker-cluster"]);
        let definition = format!("file://{}", self.repo.path("task-definition.json").display());
        aws.cli(&["ecs", "register-task-definition", "--cli-input-json", &definition]);
        let breaker = r#"{"deploymentCircuitBreaker": {"enable": true, "rollback": true}}"#;
        let service = [
            "--cluster",
            "sandbox-broker-cluster",
            "--service-name",
            REPOSITORY,
            "--task-definition",
            REPOSITORY,
        ];
        let settings = ["--desired-count", "2", "--deployment-configuration", breaker];
        aws.cli(&[&["ecs", "create-service"], &service[..], &settings[..]].concat());
        let loaded = project_file::load(Source::new("pyfleet.yml", self.repo.read("pyfleet.yml")));
        let (project, plan) = loaded.planned.unwrap();
        aws.trust_github();
        for role in oidc::setup(&project, &plan).roles {
            aws.role_of_documents(&role.name.unwrap(), &json!(role.trust), &json!(role.permissions));
        }
        aws.enforce();
        aws.forget_calls();
    }

    /// One of the workflows, as a person starts it who fills in these inputs.
    fn start<'a>(&self, workflow: &str, inputs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Run {
        self.runs.set(self.runs.get() + 1);
        let built = Rc::clone(&self.built);
        Run::of(&format!(".github/workflows/{workflow}.yml"), self.repo.path("."))
            .numbered(self.runs.get())
            .repository("igor-racic/Sandbox-API-Broker")
            .identified_by(&self.aws)
            .event("workflow_dispatch")
            .inputs([("environment", "production")])
            .inputs(inputs)
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
            .docker()
            .around("skopeo", self.registry.skopeo())
            .tool("pip", "true")
            .tool("gh", RUN)
            .tool("curl", &CURL.replace("STATUS", self.health))
            .env("WAIT_INTERVAL", "1")
            .env("DELAY", "0")
    }

    /// A deployment to which the reviewers agree.
    fn deploy(&self, version: &str) -> Ran {
        let run = self.start("deploy", [("version", version), ("confirm", "DEPLOY")]);
        run.approved("production-approval", "hubot", "looks good").run().unwrap()
    }

    /// The revision that the service is at, and its image.
    fn live(&self) -> (u64, String) {
        let service = ["--cluster", "sandbox-broker-cluster", "--services", REPOSITORY];
        let described = self.aws.cli(&[&["ecs", "describe-services"], &service[..]].concat());
        let deployments = described["services"][0]["deployments"].as_array().unwrap();
        let primary = deployments.iter().find(|own| own["status"] == "PRIMARY").unwrap();
        let definition = primary["taskDefinition"].as_str().unwrap();
        let revision = self.aws.cli(&["ecs", "describe-task-definition", "--task-definition", definition]);
        let image =
            revision["taskDefinition"]["containerDefinitions"][0]["image"].as_str().unwrap().to_owned();
        (definition.rsplit(':').next().unwrap().parse().unwrap(), image)
    }

    /// Who has asked AWS for something.
    fn asked(&self, action: &str) -> Vec<String> {
        let calls = self.aws.calls().into_iter().filter(|call| call.action == action);
        calls
            .map(|call| call.principal.rsplit("pyfleet-sandbox-broker-").next().unwrap().to_owned())
            .collect()
    }
}

#[test]
fn a_deployment_is_typed_letter_by_letter() {
    let _story = story!(a_deployment_is_typed_letter_by_letter);
    let Some(production) = Production::new() else { return };
    for (version, confirm) in [("", "deploy"), ("", "DEPLOY "), ("$(id)", "DEPLOY"), ("latest", "DEPLOY")] {
        let Some(ran) = production.start("deploy", [("version", version), ("confirm", confirm)]).run() else {
            return;
        };
        ran.job("guard").failed();
        for job in [
            "test-api-unit",
            "lookup-production-api",
            "build-production-api",
            "approve-production",
            "push-production-api",
            "deploy-production-api",
            "summary-production",
        ] {
            ran.job(job).skipped();
        }
        assert_eq!(ran.conclusion(), "failure", "{version:?} {confirm:?}");
    }
    // Another branch than the environment's.
    let run = production.start("deploy", [("confirm", "DEPLOY")]).ref_("refs/heads/feature");
    run.run().unwrap().job("guard").failed().says("start the workflow from `main`");
    assert!(production.aws.calls().is_empty(), "{:?}", production.aws.calls());
}

#[test]
fn a_commit_whose_tests_fail_is_not_built() {
    let _story = story!(a_commit_whose_tests_fail_is_not_built);
    let Some(production) = Production::new() else { return };
    production.repo.append("tests/unit/test_pool.py", "\n\ndef test_wrong():\n    assert False\n");
    production.commit();
    let ran = production.deploy("");
    ran.job("test-api-unit").failed();
    for job in [
        "lookup-production-api",
        "build-production-api",
        "scan-production-api",
        "approve-production",
        "push-production-api",
        "deploy-production-api",
    ] {
        ran.job(job).skipped();
    }
    assert_eq!((ran.conclusion(), production.built.get()), ("failure", 0));
    assert!(production.aws.calls().is_empty(), "{:?}", production.aws.calls());
}

#[test]
fn a_finding_or_a_reviewer_keeps_an_image_from_leaving() {
    let _story = story!(a_finding_or_a_reviewer_keeps_an_image_from_leaving);
    let Some(production) = Production::new() else { return };
    let finding = r#"{"SchemaVersion": 2, "Results": [{"Target": "os", "Vulnerabilities": [
        {"VulnerabilityID": "CVE-1", "PkgName": "openssl", "Severity": "HIGH", "FixedVersion": "2"}]}]}"#;
    let run = production.start("deploy", [("confirm", "DEPLOY")]).action(
        "aquasecurity/trivy-action",
        move |action| {
            let layout = std::path::Path::new(action.input("input").unwrap());
            let index: Json =
                serde_json::from_str(&fs::read_to_string(layout.join("index.json")).unwrap()).unwrap();
            let digest = index["manifests"][0]["digest"].as_str().unwrap();
            assert!(layout.join("blobs/sha256").join(&digest[7..]).is_file(), "{index}");
            fs::write(action.input("output").unwrap(), finding).map_err(|error| error.to_string())
        },
    );
    let ran = run.run().unwrap();
    assert_eq!(ran.job("scan-production-api").failed().step("Judge the report").outcome, "failure");
    ran.job("approve-production").skipped();
    ran.job("push-production-api").skipped();
    let run = production.start("deploy", [("confirm", "DEPLOY")]).refused(
        "production-approval",
        "hubot",
        "not today",
    );
    let ran = run.run().unwrap();
    ran.job("push-production-api").skipped();
    ran.job("deploy-production-api").skipped();
    assert_eq!(production.asked("ecr:PutImage"), [""; 0]);
    assert_eq!(production.live().0, 1);
}

#[test]
fn the_life_of_a_service() {
    let _story = story!(the_life_of_a_service);
    let Some(mut production) = Production::new() else { return };

    // Built, scanned, approved, pushed and deployed: one digest.
    let ran = production.deploy("");
    for job in [
        "guard",
        "build-production-api",
        "scan-production-api",
        "approve-production",
        "push-production-api",
        "deploy-production-api",
        "summary-production",
    ] {
        ran.job(job).succeeded();
    }
    assert_eq!(ran.conclusion(), "success");
    let digest = ran.job("build-production-api").output("digest").to_owned();
    let first = format!("{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/{REPOSITORY}@{digest}");
    assert_eq!(production.live(), (2, first.clone()));
    let deploy = ran.job("deploy-production-api");
    assert_eq!(
        (deploy.group(), deploy.environment()),
        (Some("mutate-production-service-api"), Some("production"))
    );
    let summary = ran.job("summary-production").summary();
    for part in ["✅ live", "| `1` | `2` |", &digest, "`hubot`"] {
        assert!(summary.contains(part), "{part}\n{summary}");
    }
    // Each role by its own token, and no more than it needs.
    for action in ["ecr:PutImage", "ecs:RegisterTaskDefinition", "ecs:UpdateService"] {
        let asked = production.asked(action);
        assert!(
            !asked.is_empty() && asked.iter().all(|who| who.starts_with("production-deploy/")),
            "{action}: {asked:?}"
        );
    }
    assert!(production.aws.calls().iter().all(|call| call.status != 403), "{:?}", production.aws.calls());

    // The same commit again, and under a further name: the image is used again.
    for version in ["", "1.0.0"] {
        let ran = production.deploy(version);
        ran.job("build-production-api").skipped();
        ran.job("scan-production-api").skipped();
        ran.job("push-production-api").succeeded();
        assert_eq!(ran.job("deploy-production-api").succeeded().step("deploy").outputs["state"], "unchanged");
        assert_eq!(ran.conclusion(), "success");
    }
    let tags = production.aws.cli(&["ecr", "describe-images", "--repository-name", REPOSITORY]);
    let tags: Vec<&str> =
        tags["imageDetails"][0]["imageTags"].as_array().unwrap().iter().filter_map(Json::as_str).collect();
    assert!(tags.len() == 3 && tags.contains(&"1.0.0"), "{tags:?}");
    // The version is taken from then on.
    production.commit();
    let ran = production.deploy("1.0.0");
    ran.job("lookup-production-api").failed().says("the version 1.0.0 is taken");
    ran.job("build-production-api").skipped();

    // An image that does not start: put back by ECS, red, and the old one is live.
    production.aws.next_rollout(Rollout::Fails(1));
    let ran = production.deploy("");
    let deploy = ran.job("deploy-production-api").failed();
    assert_eq!(deploy.step("deploy").outputs["state"], "reversed");
    assert_eq!(deploy.step("rollback").outcome, "skipped");
    assert_eq!(deploy.step("See that it works again").outcome, "success");
    assert!(ran.job("summary-production").summary().contains("ECS has put it back"));
    assert_eq!((ran.conclusion(), production.live()), ("failure", (2, first.clone())));

    // One that starts and is not well: put back by the run.
    production.commit();
    production.health = "503";
    let ran = production.deploy("");
    let deploy = ran.job("deploy-production-api").failed();
    assert_eq!(
        (deploy.step("deploy").outcome.as_str(), deploy.step("verify").outcome.as_str()),
        ("success", "failure")
    );
    assert_eq!(deploy.step("rollback").outcome, "success");
    assert!(ran.job("summary-production").summary().contains("rolled back to `2`"));
    assert_eq!((ran.conclusion(), production.live()), ("failure", (2, first.clone())));
    production.health = "200";

    // A good one, and the way back: listed, then by its number. Nobody is asked.
    let ran = production.deploy("");
    ran.job("deploy-production-api").succeeded();
    let (good, _) = production.live();
    assert!(good > 2);
    let rollback = |target: &str, confirm: &str| {
        let inputs = [("what", "ecs/api"), ("target", target), ("confirm", confirm)];
        production.start("rollback", inputs).unanswered("production-approval").run().unwrap()
    };
    production.aws.forget_calls();
    let ran = rollback("list", "");
    ran.job("rollback-ecs-production").skipped();
    assert!(ran.job("list-ecs-production").succeeded().summary().contains(&digest));
    let mut calls = production.aws.calls().into_iter().filter(|call| call.service != "sts");
    assert!(calls.all(|call| call.principal.contains("-production-plan/")));
    for (target, confirm) in [("2", "rollback"), ("2", ""), ("1.0.0", "ROLLBACK"), ("list", "ROLLBACK")] {
        rollback(target, confirm).job("guard").failed();
    }
    assert_eq!(production.live().0, good);
    let ran = rollback("2", "ROLLBACK");
    let job = ran.job("rollback-ecs-production").succeeded();
    assert_eq!(job.step("See that it works").outcome, "success");
    assert_eq!(ran.job("resolve-ecs-production").output("from"), good.to_string());
    assert_eq!(job.group(), Some("mutate-production-service-api"));
    assert_eq!((ran.conclusion(), production.live()), ("success", (2, first)));
}
