use std::fs;

use serde_json::{Value, json};

use super::script::{HOSTILE, Ran, Script};

/// 2026-11-21 00:00 UTC.
const NOW: &str = "1795219200";

const GH: &str = r#"
printf '%s\n' "$*" >>"$STATE/asked"
case "$*" in
  *'/workflows/main.yml/runs?'*) cat "$STATE/main" ;;
  *'/workflows/rollback.yml/runs?'*) cat "$STATE/rollback" ;;
  *'/attempts/'*'/jobs') cat "$STATE/jobs" ;;
  *) exit 9 ;;
esac
"#;

fn run(id: u64, event: &str, conclusion: &str, hour: &str) -> Value {
    json!({"id": id, "event": event, "conclusion": conclusion, "run_attempt": 1, "updated_at": format!("2026-11-20T{hour}:00Z"),
        "head_commit": {"timestamp": "2026-11-20T08:00:00+00:00"}})
}

fn measuring(deliveries: &[Value], rollbacks: &[Value]) -> Script {
    let script = Script::new("metrics.sh")
        .tool("gh", GH)
        .env("GH_TOKEN", "token")
        .env("GITHUB_REPOSITORY", "acme/shop")
        .env("NOW", NOW)
        .env("DELIVERIES", r#"["main.yml"]"#)
        .env("ROLLBACKS", r#"["rollback.yml"]"#)
        .env(
            "TARGETS",
            json!({"pipeline-minutes": 20, "success-rate": 95, "rollback-minutes": null}).to_string(),
        );
    let state = |name: &str, text: &str| fs::write(script.state().join(name), text).unwrap();
    // Two pages.
    let page = |runs: &[Value]| json!({"workflow_runs": runs}).to_string();
    let middle = deliveries.len() / 2;
    state("main", &(page(&deliveries[..middle]) + &page(&deliveries[middle..])));
    state("rollback", &page(rollbacks));
    let job = |from: &str, to: &str, conclusion: &str| json!({"conclusion": conclusion, "started_at": format!("2026-11-20T{from}:00Z"), "completed_at": format!("2026-11-20T{to}:00Z")});
    let jobs = json!({"jobs": [
        job("09:00", "09:15", "success"), job("09:10", "09:20", "success"),
        job("09:20", "11:00", "skipped"), job("11:00", "11:05", "success"),
    ]});
    state("jobs", &jobs.to_string());
    script
}

fn figures(script: Script) -> (Ran, Value) {
    let file = script.directory().join("metrics.json");
    let ran = script.env("METRICS_FILE", &file).run().exits(0);
    let metrics = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    (ran, metrics)
}

#[test]
fn deliveries_are_measured_against_their_targets() {
    let deliveries = [
        run(1, "push", "success", "09:00"),
        run(2, "push", "failure", "10:00"),
        run(3, "push", "timed_out", "10:30"),
        run(4, "workflow_dispatch", "success", "11:00"),
        run(5, "push", "cancelled", "11:30"),
        run(6, "pull_request", "failure", "11:40"),
        run(7, "push", "success", "12:00"),
    ];
    // Taken back after the first delivery, before anything else was delivered.
    let (ran, metrics) = figures(measuring(&deliveries, &[run(8, "workflow_dispatch", "success", "09:30")]));
    assert_eq!(
        metrics,
        json!({
            "deliveries": 5, "deliveries-a-week": 0.8, "pipeline-minutes": 25, "success-rate": 60,
            "lead-time-minutes": 150, "change-failure-rate": 33.3, "recovery-minutes": 60,
            "rollbacks": 1, "rollback-minutes": 25
        })
    );
    ran.shows("5 deliveries, 0.8 good ones a week, 1 rollbacks")
        .shows("| Duration (median) | 25 min | at most 20 min | ⚠️ |")
        .shows("| Success rate | 60 % | at least 95 % | ⚠️ |")
        .shows("| Duration of a rollback (median) | 25 min | – |  |")
        .says("::warning::Success rate: 60 %25, the target is at least 95 %25");
}

#[test]
fn nothing_delivered_is_nothing_missed() {
    let (ran, metrics) = figures(measuring(&[run(1, "pull_request", "success", "09:00")], &[]));
    assert_eq!((&metrics["deliveries"], &metrics["success-rate"]), (&json!(0), &Value::Null));
    ran.shows("| Success rate | – | at least 95 % |  |").never_says("::warning");
}

#[test]
fn only_ended_runs_of_the_last_weeks_are_asked_for() {
    let script = measuring(&[run(1, "push", "success", "09:00")], &[]);
    script.run().exits(0);
    let asked = fs::read_to_string(script.state().join("asked")).unwrap();
    let first = "api --paginate repos/acme/shop/actions/workflows/main.yml/runs?per_page=100&status=completed&created=%3E%3D2026-10-24\n";
    assert!(asked.starts_with(first), "{asked}");
}

#[test]
fn what_github_does_not_tell_is_not_made_up() {
    for answer in ["", "{}", "not json"] {
        let script = measuring(&[run(1, "push", "success", "09:00")], &[]);
        fs::write(script.state().join("main"), if answer.is_empty() { "[]" } else { answer }).unwrap();
        script.run().exits(1).says("::error::GitHub's API does not tell of the runs");
    }
    measuring(&[run(1, "push", "success", "09:00")], &[])
        .tool("gh", "exit 1\n")
        .run()
        .exits(1)
        .says("::error::GitHub's API does not tell of the runs of main.yml: nothing is measured");
}

#[test]
fn every_mistake_of_the_caller_is_a_usage_error() {
    for (name, value) in [
        ("DELIVERIES", "[]"),
        ("DELIVERIES", r#"["../x.yml"]"#),
        ("TARGETS", "[]"),
        ("DAYS", "0"),
        ("GH_TOKEN", ""),
        ("NOW", "today"),
    ] {
        measuring(&[], &[]).env(name, value).run().exits(2).says("::error::");
    }
    for hostile in HOSTILE {
        measuring(&[], &[]).env("ROLLBACKS", *hostile).run().exits(2);
        measuring(&[], &[]).env("GITHUB_REPOSITORY", *hostile).run().exits(2);
    }
}
