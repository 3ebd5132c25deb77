use super::script::{HOSTILE, Ran, Script, assert_inert};
use serde_json::{Value, json};

fn entry(stack: &str) -> Value {
    json!({"stack": stack, "directory": format!("infra/{stack}"), "backend": {"bucket": "state", "key": "k"}})
}

fn colored(stack: &str) -> Value {
    let mut entry = entry(stack);
    entry["colors"] = json!({"variable": "color"});
    entry
}

fn targets() -> Value {
    json!({
        "dev": {"branch": "main", "protected": false, "writes": true, "layers": [[entry("net")], [entry("app"), entry("log")]]},
        "prod": {"branch": "main", "protected": true, "writes": true, "layers": [[entry("net")], [colored("app"), entry("log")]]},
        "audit": {"branch": "main", "protected": true, "writes": false, "layers": [[entry("log")]]},
        "old": {"branch": "legacy", "protected": false, "writes": true, "layers": [[entry("net")]]},
    })
}

fn started(event: &str) -> Script {
    Script::new("tf-auto-guard.sh")
        .env("TARGETS", targets().to_string())
        .env("EVENT_NAME", event)
        .env("GITHUB_REF", "refs/heads/main")
        .env("CHANGED", "[\"net\"]")
}

fn asked(environment: &str, action: &str, confirm: &str) -> Script {
    started("workflow_dispatch").env("ENVIRONMENT", environment).env("ACTION", action).env("CONFIRM", confirm)
}

fn stacks(ran: &Ran, output: &str) -> Vec<String> {
    let entries: Vec<Value> = serde_json::from_str(&ran.outputs[output]).unwrap();
    entries.iter().map(|entry| entry["stack"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn refused(script: &Script) -> Ran {
    let ran = script.run().exits(1).says("::error::").shows("### ❌ Refused");
    assert!(ran.outputs.is_empty(), "{:?}", ran.outputs);
    ran
}

#[test]
fn a_push_applies_every_environment_of_its_branch() {
    let ran = started("push").run().exits(0).outputs("action", "apply");
    // Nothing is made for an environment that is only read.
    let ran = ran.outputs("backends", r#"["dev","prod"]"#).shows("`dev`, `prod`, `audit`: planned");
    assert_eq!(stacks(&ran, "dev-1"), ["net"]);
    assert_eq!(stacks(&ran, "dev-2"), ["app", "log"]);
    assert_eq!(stacks(&ran, "prod-2"), ["app", "log"]);
    assert_eq!(stacks(&ran, "audit-1"), ["log"]);
    for none in ["old-1", "destroy-dev", "destroy-prod", "destroy-old"] {
        assert_eq!(ran.outputs[none], "[]", "{none}");
    }
    let entries: Value = serde_json::from_str(&ran.outputs["prod-2"]).unwrap();
    assert_eq!(entries[0], colored("app"));

    let ran = started("push").env("GITHUB_REF", "refs/heads/legacy").run().exits(0);
    assert_eq!((stacks(&ran, "old-1"), ran.outputs["dev-1"].as_str()), (vec!["net".to_owned()], "[]"));
    started("push")
        .env("GITHUB_REF", "refs/heads/other")
        .run()
        .exits(0)
        .outputs("dev-1", "[]")
        .shows("Nothing to do");
}

#[test]
fn a_push_of_something_else_does_nothing() {
    let ran =
        started("push").env("CHANGED", "[]").run().exits(0).shows("The push changes nothing of the stacks.");
    assert!(ran.outputs.iter().all(|(name, value)| name == "action" || value == "[]"), "{:?}", ran.outputs);
    // By hand and by the clock, that does not matter.
    let ran = asked("dev", "plan", "").env("CHANGED", "[]").run().exits(0);
    assert_eq!(stacks(&ran, "dev-1"), ["net"]);
}

#[test]
fn the_clock_only_plans() {
    let ran = started("schedule").run().exits(0).outputs("action", "plan").outputs("backends", "[]");
    assert_eq!(stacks(&ran, "prod-1"), ["net"]);
    assert_eq!(ran.outputs["old-1"], "[]");
    ran.shows("Not looked at, because the clock only runs on the default branch: `old`");
}

#[test]
fn each_action_wants_its_own_phrase() {
    for (environment, action, phrase) in [
        ("dev", "plan", ""),
        ("dev", "apply", ""),
        ("dev", "destroy", "destroy dev"),
        ("prod", "plan", ""),
        ("prod", "apply", "apply prod"),
        ("prod", "promote", "promote prod"),
        ("prod", "destroy", "destroy prod"),
        ("audit", "plan", ""),
    ] {
        asked(environment, action, phrase).run().exits(0).outputs("action", action);
        for typed in [
            format!("{phrase} "),
            phrase.to_uppercase(),
            format!("{phrase}\n"),
            phrase.replace(' ', "  "),
            phrase.replace("prod", "dev").replace("dev", "audit"),
            "yes".to_owned(),
        ] {
            if typed != phrase {
                let expected = if phrase.is_empty() {
                    "confirm must be empty".to_owned()
                } else {
                    format!("`{phrase}`")
                };
                refused(&asked(environment, action, &typed)).says(&expected);
            }
        }
    }
}

#[test]
fn by_hand_one_environment_is_worked_on() {
    let ran = asked("prod", "apply", "apply prod").run().exits(0).outputs("backends", r#"["prod"]"#);
    assert_eq!(stacks(&ran, "prod-1"), ["net"]);
    assert_eq!(ran.outputs["dev-1"], "[]");

    // Only what has two colours is promoted.
    let ran = asked("prod", "promote", "promote prod green").env("ACTIVE_COLOR", "green").run().exits(0);
    let ran = ran.outputs("prod-1", "[]").outputs("backends", "[]");
    assert_eq!(stacks(&ran, "prod-2"), ["app"]);

    let ran = asked("prod", "destroy", "destroy prod").run().exits(0).shows("**destroyed**");
    assert_eq!(stacks(&ran, "destroy-prod"), ["net", "app", "log"]);
    for none in ["prod-1", "prod-2", "destroy-dev", "backends"] {
        assert_eq!(ran.outputs[none], "[]", "{none}");
    }
}

/// Whoever runs a run again has typed nothing.
#[test]
fn a_later_attempt_destroys_and_promotes_nothing() {
    let again = |script: Script| script.env("GITHUB_RUN_ATTEMPT", "2");
    for action in ["destroy", "promote"] {
        let script = asked("prod", action, &format!("{action} prod"));
        refused(&again(script)).says("start a new run: what was typed was meant for the first attempt");
    }
    again(asked("prod", "apply", "apply prod")).run().exits(0);
    again(started("push")).run().exits(0);
}

#[test]
fn what_makes_no_sense_is_refused() {
    refused(&asked("", "plan", "")).says("environment must be one of `audit`, `dev`, `old`, `prod`");
    refused(&asked("all", "destroy", "destroy all")).says("environment must be one of");
    refused(&asked("dev", "reboot", "")).says("action must be one of `plan`, `apply`, `promote`, `destroy`");
    refused(&asked("audit", "apply", "apply audit")).says("nothing changes `audit` here");
    refused(&asked("dev", "promote", "promote dev")).says("`dev` has no stack with two colours");
    refused(&asked("old", "apply", "")).says("start the workflow from `legacy`");
    refused(&asked("dev", "apply", "").env("ACTIVE_COLOR", "blue")).says("only promote switches");
    refused(&asked("prod", "promote", "promote prod").env("ACTIVE_COLOR", "red"))
        .says("`keep`, `blue` or `green`");
    refused(&asked("dev", "apply", "").env("REASON", "a\nb")).says("reason must be one line");
    asked("dev", "apply", "")
        .env("REASON", "Ticket 12, für alle")
        .run()
        .exits(0)
        .shows("Reason: `Ticket 12, für alle`");
}

#[test]
fn what_was_typed_is_never_executed_and_never_shown() {
    for hostile in HOSTILE {
        for name in ["ENVIRONMENT", "ACTION", "ACTIVE_COLOR", "CONFIRM", "REASON", "GITHUB_REF"] {
            let ran = asked("prod", "destroy", "destroy prod").env(name, hostile).run();
            // Some of them are harmless reasons.
            let ran = if name == "REASON" && ran.code == 0 { ran } else { ran.exits(1) };
            assert_inert(&ran.summary, &["destroy prod", "main"]);
            assert!(
                hostile.trim().len() < 5 || !ran.log.contains(hostile.trim()) || name == "REASON",
                "{name}: {}",
                ran.log
            );
        }
    }
}

#[test]
fn targets_that_nobody_wrote_so_are_a_usage_error() {
    for targets in [
        "",
        "{",
        "[]",
        "{}",
        r#"{"dev": {}}"#,
        r#"{"dev": {"branch": "main", "protected": false, "writes": true, "layers": []}}"#,
    ] {
        started("push").env("TARGETS", targets).run().exits(2).says("TARGETS must be");
    }
    started("pull_request").run().exits(2).says("EVENT_NAME must be");
    for changed in ["", "nothing", "[1]"] {
        started("push").env("CHANGED", changed).run().exits(2).says("CHANGED must be");
    }
}
