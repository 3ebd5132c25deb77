use super::script::{HOSTILE, Script};
use serde_json::json;

fn gate(needs: &serde_json::Value) -> Script {
    Script::new("gate.sh").env("NEEDS", needs.to_string())
}

#[test]
fn opens_when_every_job_succeeded() {
    gate(
        &json!({"unit": {"result": "success", "outputs": {}}, "plan": {"result": "success", "outputs": {}}}),
    )
    .run()
    .exits(0)
    .shows("Gate open")
    .shows("| `unit` | success |");
}

#[test]
fn accepts_a_skipped_job_only_where_its_condition_may_skip_it() {
    let needs = json!({"plan": {"result": "skipped"}, "scan": {"result": "success"}});
    gate(&needs).run().exits(1).says("::error::job plan was skipped, and nothing allows that");
    gate(&needs).env("MAY_SKIP", "scan").run().exits(1);
    gate(&needs).env("MAY_SKIP", "  scan\n plan ").run().exits(0).shows("skipped, as its condition allows");
    gate(&needs).env("MAY_SKIP", "*").run().exits(1);
}

#[test]
fn names_every_job_that_stops_it() {
    for result in ["failure", "cancelled", "a_new_result"] {
        let needs =
            json!({"one": {"result": result}, "two": {"result": result}, "three": {"result": "success"}});
        gate(&needs)
            .env("MAY_SKIP", "one two")
            .run()
            .exits(1)
            .says(&format!("::error::job one: {result}"))
            .says(&format!("::error::job two: {result}"))
            .shows("Gate closed: 2")
            .shows(&format!("| `one` | **{result}** |"));
    }
}

#[test]
fn refuses_what_is_not_the_needs_context() {
    for needs in [
        "",
        "{}",
        "[]",
        "null",
        "no json",
        "{\"a\": {\"result\": \"success\"}} {}",
        r#"{"a": {}}"#,
        r#"{"a": "success"}"#,
    ] {
        Script::new("gate.sh").env("NEEDS", needs).run().exits(2);
    }
}

#[test]
fn stays_shut_and_quiet_whatever_the_names_outputs_and_results_hold() {
    for hostile in HOSTILE {
        let mut needs = json!({"build": {"result": "success", "outputs": {"text": hostile}}});
        gate(&needs).run().exits(0);
        needs["build"]["result"] = json!(hostile);
        assert_ne!(gate(&needs).run().code, 0);
        gate(&json!({*hostile: {"result": "success"}})).run().exits(2);
    }
    let big = "x".repeat(100_000);
    gate(&json!({"build": {"result": "success", "outputs": {"text": big}}})).run().exits(0);
}
