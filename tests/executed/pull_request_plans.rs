use super::script::{HOSTILE, Script};
use serde_json::json;

const SHA: &str = "00000000000000000000000000000000000000aa";
const HEAD: &str = "00000000000000000000000000000000000000bb";
const PRINT: &str = "1111111111111111111111111111111111111111111111111111111111111111";

/// GitHub's API, as files of the state say, and artifacts that lie in the state.
const GH: &str = r#"#!/usr/bin/env bash
printf '%s\n' "$*" >>"$STATE/calls"
case "$*" in
  "api repos/acme/fleet/commits/"*"/pulls") cat "$STATE/pulls.json" ;;
  "api repos/acme/fleet/actions/workflows/terraform.yml/runs?"*) cat "$STATE/runs.json" ;;
  "api repos/acme/fleet/actions/runs/"*"/artifacts?"*) jq -r .total_count "$STATE/artifacts.json" ;;
  "run download "*)
    [[ -d $STATE/artifacts && $3 == 7 ]] || exit 1
    while [[ $1 != --dir ]]; do shift; done
    cp -r "$STATE/artifacts" "$2"
    ;;
  *) exit 9 ;;
esac
"#;

fn finding() -> Script {
    let pull = json!([
        {"merged_at": null, "merge_commit_sha": SHA, "head": {"sha": "x"}},
        {"merged_at": "2026-01-01", "merge_commit_sha": SHA, "head": {"sha": HEAD}},
    ]);
    let runs = json!({"workflow_runs": [
        {"id": 6, "run_number": 1, "status": "completed"},
        {"id": 7, "run_number": 2, "status": "completed"},
        {"id": 8, "run_number": 3, "status": "in_progress"},
    ]});
    let script = Script::new("pull-request-plans.sh")
        .tool("gh", GH)
        .env("GH_TOKEN", "token")
        .env("GITHUB_REPOSITORY", "acme/fleet")
        .env("GITHUB_SHA", SHA)
        .env("WORKFLOW", "terraform.yml")
        .env("ENVIRONMENT", "dev");
    write(&script, "pulls.json", &pull.to_string());
    write(&script, "runs.json", &runs.to_string());
    write(&script, "artifacts/plan_dev_app/plan-summary.json", &json!({"fingerprint": PRINT}).to_string());
    script
}

fn write(script: &Script, path: &str, text: &str) {
    let path = script.state().join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn the_newest_run_of_the_merged_head_says_what_was_shown() {
    let script = finding();
    script
        .run()
        .exits(0)
        .outputs("shown", &format!(r#"{{"app":"{PRINT}"}}"#))
        .says("the pull request showed: app");
    let calls = std::fs::read_to_string(script.state().join("calls")).unwrap();
    assert!(calls.contains(&format!("head_sha={HEAD}&event=pull_request")), "{calls}");
    assert!(calls.contains("run download 7 --repo acme/fleet --pattern plan_dev_*"), "{calls}");
}

#[test]
fn nothing_to_compare_with_is_said() {
    let other = |file: &str, text: &str, says: &str| {
        let script = finding();
        write(&script, file, text);
        script.run().exits(0).outputs("shown", "{}").says("::notice::").says(says);
    };
    other("pulls.json", "[]", "no pull request was merged as");
    let unmerged = json!([{"merged_at": "x", "merge_commit_sha": HEAD, "head": {"sha": HEAD}}]).to_string();
    other("pulls.json", &unmerged, "no pull request was merged as");
    other("runs.json", r#"{"workflow_runs": []}"#, "has no finished run");
    let script = finding();
    std::fs::remove_dir_all(script.state().join("artifacts")).unwrap();
    write(&script, "artifacts.json", r#"{"total_count": 0}"#);
    script.run().exits(0).outputs("shown", "{}").says("kept no plan for dev");
}

#[test]
fn no_answer_is_no_parity() {
    for (file, text) in [
        ("pulls.json", "<html>"),
        (
            "pulls.json",
            r#"[{"merged_at": "x", "merge_commit_sha": "00000000000000000000000000000000000000aa", "head": {"sha": "$(id)"}}]"#,
        ),
        ("runs.json", "{}"),
        ("runs.json", r#"{"workflow_runs": [{"id": "7; id", "run_number": 1, "status": "completed"}]}"#),
    ] {
        let script = finding();
        write(&script, file, text);
        let ran = script.run().exits(1).says("GitHub did not say");
        assert!(ran.outputs.is_empty(), "{text}");
    }
    let script = finding();
    std::fs::remove_file(script.state().join("pulls.json")).unwrap();
    script.run().exits(1);
    // Neither artifacts nor a list of them.
    let script = finding();
    std::fs::remove_dir_all(script.state().join("artifacts")).unwrap();
    script.run().exits(1).says("GitHub did not say what run 7 left");
}

/// What lies in an artifact was written by a job that ran the pull request's code.
#[test]
fn hostile_artifacts_show_nothing() {
    let script = finding();
    for hostile in [r#"{"fingerprint": "x\ny=z"}"#, r#"{"fingerprint": 1}"#, "not json", "[]"] {
        write(&script, "artifacts/plan_dev_net/plan-summary.json", hostile);
        script.run().exits(0).outputs("shown", &format!(r#"{{"app":"{PRINT}"}}"#));
    }
    write(
        &script,
        "artifacts/plan_dev_$(touch pwned)/plan-summary.json",
        &json!({"fingerprint": PRINT}).to_string(),
    );
    std::fs::remove_file(script.state().join("artifacts/plan_dev_net/plan-summary.json")).unwrap();
    std::os::unix::fs::symlink(
        script.state().join("artifacts/plan_dev_app/plan-summary.json"),
        script.state().join("artifacts/plan_dev_net/plan-summary.json"),
    )
    .unwrap();
    script.run().exits(0).outputs("shown", &format!(r#"{{"app":"{PRINT}"}}"#));
}

#[test]
fn usage() {
    for name in ["GH_TOKEN", "GITHUB_REPOSITORY", "GITHUB_SHA", "WORKFLOW", "ENVIRONMENT"] {
        finding().without(name).run().exits(2).says(name);
    }
    for hostile in HOSTILE {
        for name in ["GITHUB_REPOSITORY", "GITHUB_SHA", "WORKFLOW", "ENVIRONMENT"] {
            let script = finding();
            script.clone().env(name, hostile).run().exits(2);
            assert!(!script.state().join("calls").exists(), "{name}");
        }
    }
}
