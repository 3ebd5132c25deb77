use std::fs;

use serde_json::{Value, json};

use super::script::{HOSTILE, Script, assert_inert};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const GH: &str =
    "case $3 in */approvals) cat \"$STATE/approvals\" ;; */jobs) cat \"$STATE/jobs\" ;; *) exit 1 ;; esac\n";

fn summarising(stages: &Value) -> Script {
    let script = Script::new("pipeline-summary.sh")
        .tool("gh", GH)
        .env("EVENT_NAME", "push")
        .env("COMMIT", COMMIT)
        .env("ENVIRONMENTS", r#"["production"]"#)
        .env("STAGES", stages.to_string())
        .env("GITHUB_REPOSITORY", "octo-org/octo-repo")
        .env("GITHUB_RUN_ID", "77")
        .env("GITHUB_RUN_ATTEMPT", "2");
    let approvals = json!([
        {"state": "approved", "environments": [{"name": "production-approval"}], "user": {"login": "alice"}},
        {"state": "rejected", "environments": [{"name": "production-approval"}], "user": {"login": "mallory"}},
    ]);
    let jobs = json!({"jobs": [{"name": "apply production (app)", "conclusion": "success",
        "started_at": "2026-11-01T10:00:00Z", "completed_at": "2026-11-01T10:01:05Z"}]});
    fs::write(script.state().join("approvals"), approvals.to_string()).unwrap();
    fs::write(script.state().join("jobs"), jobs.to_string()).unwrap();
    script
}

fn stage(name: &str, environment: Option<&str>, jobs: &Value) -> Value {
    json!({"stage": name, "environment": environment, "jobs": jobs})
}

#[test]
fn every_stage_has_a_row_and_a_skip_its_reason() {
    let mut limited = stage("terraform", Some("production"), &json!({"plan": "skipped", "apply": "skipped"}));
    limited["only"] = json!("only by hand");
    limited["runs"] = json!(false);
    let stages = json!([
        stage("test", None, &json!({"test-app-unit": "success", "coverage-app": "success"})),
        limited,
        stage("deploy", Some("staging"), &json!({"deploy-staging-web": "skipped"})),
        stage("deploy", Some("production"), &json!({"deploy-production-web": "success"})),
    ]);
    let ran = summarising(&stages)
        .env("IMAGES", json!([{"environment": "production", "image": "web", "digest": "sha256:02"}, {"environment": "staging", "image": "web", "digest": ""}]).to_string())
        .run()
        .exits(0)
        .shows("### ✅ Commit `0123456789ab`")
        .shows("| `test` | – | ✅ | – |")
        .shows("| `terraform` | `production` | ⏭️ skipped on purpose | `only by hand` |")
        .shows("| `deploy` | `staging` | ⏭️ not an environment of this run | – |")
        .shows("| `deploy` | `production` | ✅ | – |")
        .shows("| `alice` | `production-approval` |")
        .shows("| `web` | `production` | `sha256:02` |")
        .shows("| `apply production (app)` | `success` | 1 min 5 s |");
    assert!(!ran.summary.contains("mallory") && ran.summary.matches("| `web` |").count() == 1);
}

#[test]
fn what_failed_is_named_and_what_stands_behind_it_was_not_begun() {
    let stages = json!([
        stage("test", None, &json!({"unit": "success", "integration": "failure", "coverage": "skipped"})),
        stage("image", None, &json!({"build": "skipped"})),
        stage("deploy", Some("production"), &json!({"deploy": "skipped"})),
    ]);
    summarising(&stages)
        .run()
        .exits(0)
        .shows("### ❌ Commit")
        .shows("| `test` | – | ❌ failed | `integration` |")
        .shows("| `image` | – | ⏭️ not begun: something before it")
        .shows("| `deploy` | `production` | ⏭️ not begun");
    let cancelled = json!([stage("test", None, &json!({"unit": "cancelled"}))]);
    summarising(&cancelled).run().exits(0).shows("### ❌").shows("🚫 cancelled");
    let skipped = json!([stage("deploy", Some("production"), &json!({"deploy": "skipped"}))]);
    summarising(&skipped)
        .env("EVENT_NAME", "pull_request")
        .run()
        .exits(0)
        .shows("⏭️ a pull request changes nothing");
}

#[test]
fn what_github_does_not_tell_is_left_out() {
    let stages = json!([stage("test", None, &json!({"unit": "success"}))]);
    summarising(&stages)
        .tool("gh", "exit 1\n")
        .run()
        .exits(0)
        .says("::notice::the summary is not whole")
        .shows("| `test` |");
}

#[test]
fn nothing_of_it_is_markup_or_a_command() {
    for hostile in HOSTILE {
        let stages = json!([stage(hostile, Some(hostile), &json!({*hostile: "failure"}))]);
        let ran = summarising(&stages).run().exits(0);
        assert_inert(&ran.summary, &[]);
    }
}

#[test]
fn every_mistake_of_the_caller_is_a_usage_error() {
    for stages in ["", "{}", "[1]", r#"[{"stage": "a"}]"#, r#"[{"stage": "a", "jobs": {"b": "fine"}}]"#] {
        summarising(&json!([])).env("STAGES", stages).run().exits(2).says("::error::STAGES");
    }
    for (name, value) in
        [("COMMIT", "main"), ("GITHUB_REPOSITORY", "x"), ("GITHUB_RUN_ID", "0"), ("GITHUB_RUN_ATTEMPT", "")]
    {
        summarising(&json!([])).env(name, value).run().exits(2).says("::error::");
    }
}
