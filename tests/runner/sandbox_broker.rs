//! The rendered workflows of `examples/sandbox-broker`, executed: what a pull request gets to see.

use serde_json::Value as Json;

use super::{Run, action, git};
use crate::aws::Aws;
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

#[test]
fn a_pull_request_that_changes_no_stack_passes_the_gate_without_aws() {
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
    let Some(aws) = aws() else { return };
    let repo = pull_request(|repo| {
        repo.append("terraform/main.tf", "\n# Changed.\n");
    });
    let finding = r#"{"SchemaVersion": 2, "Results": [{"Target": "main.tf", "Misconfigurations": [
        {"ID": "AVD-1", "Title": "open", "Severity": "HIGH", "Status": "FAIL"}]}]}"#;
    let run = run("terraform", &repo).with(&aws).action("aquasecurity/trivy-action", move |action| {
        let report = action.input("output").unwrap();
        std::fs::write(action.workspace().join(report), finding).map_err(|error| error.to_string())
    });
    let Some(ran) = run.run() else { return };
    assert_eq!(ran.job("scan").failed().step("Judge the report").outcome, "failure");
    assert!(ran.job("scan").summary().contains("AVD-1"), "{}", ran.job("scan").log());
    assert_eq!(ran.artifact("scan_sandbox-broker").files(), ["scan.json"]); // Kept all the same.
    ran.job("gate").failed().says("::error::job scan: failure");
}

#[test]
fn a_plan_that_fails_is_commented_and_closes_the_gate() {
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
    let Some(_) = tool::find("pytest") else { return };
    let repo = pull_request(|repo| {
        repo.write("app/untested.py", "x = 1\n".repeat(1000));
    });
    let Some(ran) = run("test", &repo).run() else { return };
    ran.job("test-api-unit").succeeded();
    ran.job("coverage-api").failed().says("below the minimum of 80 %");
    ran.job("gate").failed().says("::error::job coverage-api: failure");
}
