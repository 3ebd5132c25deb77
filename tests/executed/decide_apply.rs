use super::script::{HOSTILE, Script};
use serde_json::{Value, json};

const SHA: &str = "00000000000000000000000000000000000000aa";
const ONE: &str = "1111111111111111111111111111111111111111111111111111111111111111";
const TWO: &str = "2222222222222222222222222222222222222222222222222222222222222222";

fn plan(class: &str, fingerprint: &str) -> Value {
    json!(json!({"class": class, "counts": {"create": 3, "delete": 1}, "fingerprint": fingerprint, "plan_key": "k"}).to_string())
}

fn deciding(action: &str) -> Script {
    Script::new("decide-apply.sh")
        .tool("gh", "#!/usr/bin/env bash\n[[ $* == 'api repos/acme/fleet/git/ref/heads/feature/x --jq .object.sha' ]] || exit 9\ncat \"$STATE/newest\" 2>/dev/null || printf '%s\\n' \"$GITHUB_SHA\"\n")
        .env("GH_TOKEN", "token")
        .env("GITHUB_REPOSITORY", "acme/fleet")
        .env("GITHUB_REF_NAME", "feature/x")
        .env("GITHUB_SHA", SHA)
        .env("ENVIRONMENT", "dev")
        .env("ACTION", action)
        .env("EVENT_NAME", "push")
        .env("GATED", "false")
        .env(
            "STACKS",
            json!([{"stack": "net", "directory": "a"}, {"stack": "app", "directory": "b"}]).to_string(),
        )
        .env("PLANS", json!({"net": plan("changes", ONE), "app": plan("none", TWO)}).to_string())
}

#[test]
fn only_what_has_something_to_do_goes_on_with_its_plan() {
    let ran = deciding("apply").run().exits(0).outputs("stacks", "net");
    let apply: Value = serde_json::from_str(&ran.outputs["apply"]).unwrap();
    assert_eq!(apply.as_array().unwrap().len(), 1);
    assert_eq!(
        (&apply[0]["stack"], &apply[0]["directory"], &apply[0]["plan"]["plan_key"]),
        (&json!("net"), &json!("a"), &json!("k"))
    );
    ran.shows("| `net` | 🔧 changes | 3 | 0 | 0 | 1 | goes on |").shows("| `app` | ✅ no changes |");

    let outputs = json!({"net": plan("outputs-only", ONE), "app": plan("destructive", TWO)}).to_string();
    deciding("apply").env("PLANS", outputs).run().exits(0).outputs("stacks", "net, app");
}

#[test]
fn a_plan_that_is_only_read_goes_nowhere() {
    let ran = deciding("plan").run().exits(0).outputs("apply", "[]").shows("would change");
    ran.never_says("::warning");
    // By the clock, nobody asked: what differs is wrong.
    deciding("plan")
        .env("EVENT_NAME", "schedule")
        .run()
        .exits(1)
        .says("::error::dev is not what the configuration says: net would change");
    let same = json!({"net": plan("outputs-only", ONE), "app": plan("none", TWO)}).to_string();
    deciding("plan").env("EVENT_NAME", "schedule").env("PLANS", same).run().exits(0).never_says("::warning");
}

#[test]
fn a_destroy_goes_on_by_layers() {
    let ran = deciding("destroy")
        .env("LAYERS", r#"[["net"], ["app"]]"#)
        .env("NOTE", "The backend is kept.")
        .run()
        .exits(0);
    let first: Value = serde_json::from_str(&ran.outputs["layer-1"]).unwrap();
    assert_eq!(first[0]["stack"], "net");
    ran.outputs("layer-2", "[]").shows("The backend is kept.");
}

#[test]
fn what_nobody_has_seen_is_not_applied_unseen() {
    let push = |shown: Value| deciding("apply").env("REQUIRE_PARITY", "true").env("SHOWN", shown.to_string());
    push(json!({"net": ONE})).run().exits(0).outputs("stacks", "net");
    for (shown, why) in [
        (json!({"net": TWO}), "the pull request showed other actions"),
        (json!({"app": TWO}), "no pull request showed a plan of it"),
        (json!({}), "no pull request showed a plan of it"),
    ] {
        let ran = push(shown.clone()).run().exits(1).says(why).shows(why);
        assert!(!ran.outputs.contains_key("apply"), "{:?}", ran.outputs);
        // Where reviewers are asked, they are told.
        push(shown).env("GATED", "true").run().exits(0).outputs("stacks", "net").says("::warning").says(why);
    }
    push(json!({})).without("SHOWN").run().exits(1);
    // Whoever starts it by hand has looked.
    push(json!({})).env("EVENT_NAME", "workflow_dispatch").run().exits(0).outputs("stacks", "net");
    // What changes nothing needs no look.
    let none = json!({"net": plan("none", ONE), "app": plan("none", TWO)}).to_string();
    push(json!({})).env("PLANS", none).run().exits(0).outputs("apply", "[]");
}

#[test]
fn a_plan_without_a_fingerprint_is_like_no_other() {
    let plans = json!({"net": json!({"class": "changes"}).to_string(), "app": plan("none", TWO)}).to_string();
    let script = deciding("apply").env("REQUIRE_PARITY", "true").env("SHOWN", "{}").env("PLANS", plans);
    script.run().exits(1);
}

/// An older configuration would undo what a newer run has applied.
#[test]
fn a_push_that_is_no_longer_the_newest_applies_nothing() {
    let newest = |text: &str| {
        let script = deciding("apply");
        std::fs::write(script.state().join("newest"), text).unwrap();
        script
    };
    let ran = newest("00000000000000000000000000000000000000bb\n").run().exits(0).outputs("apply", "[]");
    ran.says("::notice::nothing is applied: feature/x has a newer commit").outputs("stacks", "no stack");
    // By hand, somebody has chosen this commit.
    newest("00000000000000000000000000000000000000bb\n")
        .env("EVENT_NAME", "workflow_dispatch")
        .run()
        .exits(0)
        .outputs("stacks", "net");
    for answer in ["", "not found", "null"] {
        let ran = newest(answer).run().exits(1).says("GitHub does not say which commit");
        assert!(ran.outputs.is_empty());
    }
    deciding("apply").without("GH_TOKEN").run().exits(2).says("GH_TOKEN");
    deciding("apply").env("GITHUB_SHA", "main").run().exits(2).says("GITHUB_SHA");
}

#[test]
fn a_missing_plan_stops_everything() {
    let ran = deciding("apply").env("PLANS", json!({"app": plan("none", TWO)}).to_string()).run().exits(2);
    assert!(ran.says("there is no plan of net").outputs.is_empty());
}

#[test]
fn usage() {
    for (name, wrong) in [
        ("ENVIRONMENT", ""),
        ("ACTION", "Apply"),
        ("GATED", ""),
        ("GATED", "False"),
        ("REQUIRE_PARITY", "yes"),
        ("STACKS", ""),
        ("STACKS", "{}"),
        ("PLANS", "[]"),
        ("PLANS", r#"{"net": {"class": "none"}, "app": "x"}"#),
        ("PLANS", r#"{"net": "{\"class\": \"fine\"}", "app": "{\"class\": \"none\"}"}"#),
        ("LAYERS", "x"),
        ("SHOWN", "[]"),
    ] {
        let ran = deciding("apply").env(name, wrong).run().exits(2).says(name.split('_').next().unwrap());
        assert!(ran.outputs.is_empty(), "{name}");
    }
    for hostile in HOSTILE.iter().filter(|hostile| !hostile.trim().is_empty()) {
        for name in ["ENVIRONMENT", "ACTION", "STACKS", "PLANS", "LAYERS", "SHOWN", "GATED"] {
            let ran = deciding("apply").env(name, hostile).run().exits(2);
            assert!(ran.outputs.is_empty(), "{name}");
        }
    }
}
