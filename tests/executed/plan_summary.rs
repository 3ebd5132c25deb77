use std::io::Write;
use std::process::{Command, Stdio};

use super::script::path_of;
use serde_json::{Value, json};

/// What the filter makes of a plan, or nothing where it refuses.
fn summary(plan: &Value) -> Option<Value> {
    let mut jq = Command::new("jq")
        .arg("-f")
        .arg(path_of("plan-summary.jq"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    jq.stdin.take().unwrap().write_all(plan.to_string().as_bytes()).unwrap();
    let output = jq.wait_with_output().unwrap();
    output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap())
}

fn plan(changes: Value) -> Value {
    json!({"format_version": "1.2", "planned_values": {"secret": "hush"}, "resource_changes": changes})
}

fn change(address: &str, actions: &[&str]) -> Value {
    json!({"address": address, "change": {"actions": actions, "before": {"x": "hush"}, "after": {"x": "hush"}}})
}

#[test]
fn every_action_has_its_count_and_its_class() {
    let nothing = json!({"create": 0, "update": 0, "replace": 0, "delete": 0, "import": 0, "move": 0, "forget": 0, "read": 0, "drift": 0});
    let mut imported = change("a.b", &["no-op"]);
    imported["change"]["importing"] = json!({"id": "hush"});
    let mut moved = change("a.b", &["no-op"]);
    moved["previous_address"] = json!("a.old");
    for (change, counted, action, class) in [
        (change("a.b", &["create"]), "create", "create", "changes"),
        (change("a.b", &["update"]), "update", "update", "changes"),
        (change("a.b", &["delete", "create"]), "replace", "replace", "destructive"),
        (change("a.b", &["create", "delete"]), "replace", "replace", "destructive"),
        (change("a.b", &["create", "forget"]), "replace", "replace", "destructive"),
        (change("a.b", &["delete"]), "delete", "delete", "destructive"),
        (change("a.b", &["forget"]), "forget", "forget", "changes"),
        (change("a.b", &["read"]), "read", "read", "changes"),
        (change("a.b", &["invented"]), "update", "update", "changes"),
        (imported, "import", "import", "changes"),
        (moved, "move", "move", "changes"),
    ] {
        let summary = summary(&plan(json!([change]))).unwrap();
        let mut counts = nothing.clone();
        counts[counted] = json!(1);
        assert_eq!(summary["counts"], counts);
        assert_eq!(summary["class"], class);
        let list = if class == "destructive" { "destructive" } else { "changed" };
        let mut listed = json!({"address": "a.b", "action": action});
        if action == "move" {
            listed["previous"] = json!("a.old");
        }
        assert_eq!(summary[list], json!([listed]));
    }
    let summary = summary(&plan(json!([change("a.b", &["no-op"])]))).unwrap();
    assert_eq!(
        (&summary["counts"], &summary["class"], &summary["changed"]),
        (&nothing, &json!("none"), &json!([]))
    );
}

#[test]
fn outputs_and_drift_are_named_and_no_value_is_kept() {
    let mut plan = plan(json!([]));
    plan["output_changes"] = json!({
        "url": {"actions": ["update"], "before": "hush", "after": "hush"},
        "same": {"actions": ["no-op"]},
    });
    plan["resource_drift"] = json!([change("a.b", &["update"]), change("a.moved", &["no-op"])]);
    plan["prior_state"] = json!({"values": "hush"});
    plan["variables"] = json!({"password": {"value": "hush"}});
    let summary = summary(&plan).unwrap();
    assert_eq!(summary["class"], "outputs-only");
    assert_eq!(summary["outputs"], json!([{"name": "url", "action": "update"}]));
    assert_eq!(summary["drift"], json!([{"address": "a.b", "action": "update"}]));
    assert_eq!(summary["counts"]["drift"], 1);
    assert!(!summary.to_string().contains("hush"));
}

#[test]
fn errored_and_incomplete_are_passed_on() {
    let mut plan = plan(json!([]));
    let read = summary(&plan).unwrap();
    assert_eq!(
        (&read["errored"], &read["complete"]),
        (&json!(false), &json!(true)),
        "older versions do not say"
    );
    plan["errored"] = json!(true);
    plan["complete"] = json!(false);
    let read = summary(&plan).unwrap();
    assert_eq!((&read["errored"], &read["complete"]), (&json!(true), &json!(false)));
}

#[test]
fn what_is_no_plan_is_an_error() {
    for other in [json!({}), json!([]), json!(null), json!({"format_version": "1.0", "values": {}})] {
        assert!(summary(&other).is_none(), "{other}");
    }
}
