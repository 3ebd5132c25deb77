use super::script::{HOSTILE, Ran, Script, assert_inert};
use serde_json::{Value, json};

const LOCK: &str = "0a1b2c3d-0000-4abc-8def-0123456789ab";

fn entry(stack: &str, bucket: &str) -> Value {
    json!({
        "stack": stack, "directory": format!("infra/{stack}"), "backend": {"bucket": bucket, "key": "k"},
        "variables": {"text": "opaque: $(touch pwned) 'ä' \"q\"\n"},
    })
}

fn targets() -> Value {
    json!({
        "dev": {
            "branch": "develop", "protected": false, "writes": true, "colors": ["app"],
            "stacks": {"app": entry("app", "state-dev"), "net": entry("net", "state-dev")},
        },
        "prod": {
            "branch": "main", "protected": true, "writes": true, "colors": ["app"],
            "stacks": {"app": entry("app", "state-prod"), "net": entry("net", "state-prod")},
        },
        "audit": {
            "branch": "main", "protected": true, "writes": false, "colors": [],
            "stacks": {"log": entry("log", "state-audit")},
        },
    })
}

fn guard(environment: &str, stack: &str, action: &str) -> Script {
    let branch = if environment == "dev" { "develop" } else { "main" };
    Script::new("tf-guard.sh")
        .env("TARGETS", targets().to_string())
        .env("GITHUB_REF", format!("refs/heads/{branch}"))
        .env("ENVIRONMENT", environment)
        .env("STACK", stack)
        .env("ACTION", action)
        .env("ACTIVE_COLOR", "keep")
}

#[track_caller]
fn allowed(script: &Script) -> Ran {
    script.run().exits(0)
}

#[track_caller]
fn refused(script: &Script) -> Ran {
    let ran = script.run().exits(1).says("::error::").shows("### ❌ Refused");
    assert!(ran.outputs.is_empty(), "{:?}", ran.outputs);
    ran
}

#[test]
fn the_one_matrix_entry_is_handed_on_as_it_is() {
    let ran = allowed(&guard("prod", "net", "plan"));
    assert_eq!(
        serde_json::from_str::<Value>(&ran.outputs["target"]).unwrap(),
        json!([targets()["prod"]["stacks"]["net"]])
    );
    assert_eq!(ran.outputs.len(), 1);
    ran.shows("### `plan` of `net` in `prod`").shows("Nothing changes.").shows("- Directory: `infra/net`");
}

#[test]
fn each_action_wants_its_own_phrase() {
    for (environment, action, phrase) in [
        ("dev", "plan", ""),
        ("dev", "create-backend", ""),
        ("dev", "apply", ""),
        ("prod", "plan", ""),
        ("prod", "create-backend", ""),
        ("prod", "apply", "apply prod/app"),
        ("dev", "destroy", "destroy dev/app"),
        ("prod", "destroy", "destroy prod/app"),
        ("dev", "promote", "promote dev/app"),
        ("prod", "promote", "promote prod/app"),
        ("dev", "destroy-backend", "destroy-backend state-dev"),
        ("prod", "destroy-backend", "destroy-backend state-prod"),
    ] {
        let script = guard(environment, "app", action);
        allowed(&script.clone().env("CONFIRM", phrase));
        let expected = if phrase.is_empty() {
            format!("confirm must be empty: {action} takes no phrase")
        } else {
            format!("::error::confirm must be exactly `{phrase}`")
        };
        let other = [
            phrase.to_uppercase(),
            format!("{phrase} "),
            format!(" {phrase}"),
            format!("{phrase}\n"),
            phrase.replace(' ', "  "),
            phrase.replace("app", "net"),
            phrase.replace("state", "States"),
            "yes".to_owned(),
            String::new(),
        ];
        for typed in other.iter().filter(|typed| *typed != phrase) {
            let ran = refused(&script.clone().env("CONFIRM", typed)).says(&expected);
            assert!(phrase.is_empty() || ran.summary.contains(&format!("`{phrase}`")), "{}", ran.summary);
        }
    }
}

/// Whoever runs a run again has typed nothing.
#[test]
fn a_later_attempt_is_asked_anew() {
    for (action, phrase) in [
        ("destroy", "destroy prod/app"),
        ("promote", "promote prod/app"),
        ("destroy-backend", "destroy-backend state-prod"),
    ] {
        let script = guard("prod", "app", action).env("CONFIRM", phrase);
        refused(&script.env("GITHUB_RUN_ATTEMPT", "2")).says("start a new run");
    }
    for (action, phrase) in [("plan", ""), ("apply", "apply prod/app"), ("create-backend", "")] {
        allowed(&guard("prod", "app", action).env("CONFIRM", phrase).env("GITHUB_RUN_ATTEMPT", "2"));
    }
}

#[test]
fn a_gate_is_announced_where_there_is_one() {
    allowed(&guard("prod", "app", "apply").env("CONFIRM", "apply prod/app"))
        .shows("after somebody has agreed");
    let ran = allowed(&guard("dev", "app", "apply"));
    assert!(!ran.summary.contains("agreed"), "{}", ran.summary);
}

#[test]
fn promote_switches_a_stack_of_two_colours() {
    let script = guard("prod", "app", "promote").env("ACTIVE_COLOR", "green");
    allowed(&script.clone().env("CONFIRM", "promote prod/app green")).shows("Traffic moves to `green`");
    for typed in ["promote prod/app", "promote prod/app blue", "promote prod/app Green"] {
        refused(&script.clone().env("CONFIRM", typed))
            .says("confirm must be exactly `promote prod/app green`");
    }
    allowed(&guard("prod", "app", "promote").without("ACTIVE_COLOR").env("CONFIRM", "promote prod/app"))
        .shows("Traffic moves to the other colour");
    let single = guard("prod", "net", "promote").env("CONFIRM", "promote prod/net");
    refused(&single).says("`prod/net` has no two colours");
    for action in ["plan", "apply", "destroy", "create-backend", "destroy-backend", "force-unlock"] {
        let script = guard("prod", "app", action).env("ACTIVE_COLOR", "blue");
        refused(&script).says("active_color must be `keep`: only promote switches");
    }
    refused(&guard("prod", "app", "promote").env("ACTIVE_COLOR", "red"))
        .says("active_color must be `keep`, `blue` or `green`");
}

#[test]
fn only_force_unlock_takes_the_id_of_a_lock() {
    let script = guard("prod", "app", "force-unlock").env("LOCK_ID", LOCK);
    allowed(&script.clone().env("CONFIRM", format!("unlock {LOCK}"))).shows(LOCK);
    refused(&script.clone()).says(&format!("confirm must be exactly `unlock {LOCK}`"));
    for id in
        ["", "0A1B2C3D-0000-4ABC-8DEF-0123456789AB", "0a1b2c3d", &format!("{LOCK}0"), &format!("{LOCK}\n")]
    {
        let script = script.clone().env("LOCK_ID", id).env("CONFIRM", format!("unlock {id}"));
        refused(&script)
            .says("lock_id must be the lock's id, a UUID in lower case")
            .says("confirm must be `unlock` and the lock's id");
    }
    for action in ["plan", "apply", "destroy", "promote", "create-backend", "destroy-backend"] {
        refused(&guard("prod", "app", action).env("LOCK_ID", LOCK)).says("lock_id must be empty");
    }
}

#[test]
fn only_the_environments_own_branch_may_work_on_it() {
    for reference in [
        "refs/heads/develop",
        "refs/heads/Main",
        "refs/heads/main2",
        "refs/heads/x/refs/heads/main",
        "refs/tags/main",
        "refs/pull/1/merge",
        "main",
        "",
        "refs/heads/main\n",
    ] {
        for action in ["plan", "create-backend"] {
            let script = guard("prod", "app", action).env("GITHUB_REF", reference);
            refused(&script).says("start the workflow from `main`");
        }
    }
    refused(&guard("prod", "app", "plan").without("GITHUB_REF"));
}

#[test]
fn an_environment_that_is_only_read_is_only_planned() {
    allowed(&guard("audit", "log", "plan"));
    for action in ["apply", "destroy", "promote", "create-backend", "destroy-backend", "force-unlock"] {
        let script = guard("audit", "log", action).env("CONFIRM", format!("{action} audit/log"));
        refused(&script).says("`audit` is only read, its safety level says so");
    }
}

#[test]
fn names_are_compared_exactly_and_in_their_environment() {
    refused(&guard("Prod", "app", "plan")).says("environment must be one of `audit`, `dev`, `prod`");
    refused(&guard("prod", "App", "plan")).says("stack, in `prod`, must be one of `app`, `net`");
    refused(&guard("prod", "log", "plan")).says("stack, in `prod`, must be one of `app`, `net`");
    refused(&guard("prod", "app", "Plan")).says("action must be one of `plan`, `apply`,");
    refused(&guard("", "", ""))
        .says("environment must be one of")
        .says("stack must be one of")
        .says("action must be one of");
}

#[test]
fn all_mistakes_are_listed_at_once() {
    let ran = refused(
        &guard("prod", "net", "promote")
            .env("GITHUB_REF", "refs/heads/x")
            .env("ACTIVE_COLOR", "red")
            .env("LOCK_ID", "x")
            .env("REASON", "::x"),
    );
    for mistake in [
        "start the workflow from `main`",
        "active_color must",
        "no two colours",
        "lock_id must",
        "reason must",
        "confirm",
    ] {
        assert_eq!(ran.summary.matches(mistake).count(), 1, "{mistake}: {}", ran.summary);
        assert!(ran.log.contains(mistake), "{mistake}: {}", ran.log);
    }
    assert_eq!(ran.log.matches("::error::").count(), 6, "{}", ran.log);
}

#[test]
fn a_reason_is_one_plain_line() {
    let longest = "ü".repeat(200);
    for reason in ["Ticket OPS-12: db (prod), 3.5 + 1/2 #7_x", "Größe ändern", "変更 2 件", "0", &longest]
    {
        allowed(&guard("prod", "app", "plan").env("REASON", reason)).shows(&format!("- Reason: `{reason}`"));
    }
    for reason in [
        "::x",
        "a::b",
        " x",
        "-x",
        "#1",
        "a\nb",
        "a\n",
        "a\tb",
        "a`b",
        "a@b",
        "a<b",
        "a\u{202e}b",
        "a;b",
        "a$b",
        "a\\b",
        &"x".repeat(201),
    ] {
        refused(&guard("prod", "app", "plan").env("REASON", reason)).says("reason must be one line");
    }
}

/// Every text that is worse than what a reason may be.
fn hostile_reasons() -> impl Iterator<Item = &'static str> {
    let harmless = ["a b  c", "https://evil.example and www.evil.example"];
    HOSTILE.iter().copied().filter(move |hostile| !harmless.contains(hostile))
}

#[test]
fn no_input_is_taken_at_its_word() {
    assert!(hostile_reasons().count() >= 25);
    let check = |script: &Script, hostile: &str| {
        let ran = refused(script);
        assert_inert(&ran.summary, &[]);
        // Short ones are found anywhere.
        let shown = hostile.trim();
        assert!(
            shown.len() < 5 || !ran.log.contains(shown) && !ran.summary.contains(shown),
            "{hostile:?} in\n{}",
            ran.log
        );
    };
    for action in ["plan", "apply", "destroy", "promote", "create-backend", "destroy-backend", "force-unlock"]
    {
        let script = guard("prod", "app", action);
        for hostile in HOSTILE {
            check(&script.clone().env("CONFIRM", hostile), hostile);
            check(
                &script.clone().env("LOCK_ID", hostile).env("CONFIRM", format!("unlock {hostile}")),
                hostile,
            );
        }
    }
    for hostile in HOSTILE {
        for key in ["ENVIRONMENT", "STACK", "ACTION", "ACTIVE_COLOR"] {
            check(&guard("prod", "app", "plan").env(key, hostile), hostile);
        }
        let script = guard(hostile, hostile, hostile).env("ACTIVE_COLOR", hostile);
        check(&script.env("CONFIRM", hostile).env("LOCK_ID", hostile).env("REASON", hostile), hostile);
        check(&guard("prod", "app", "plan").env("GITHUB_REF", hostile), hostile);
    }
    for hostile in hostile_reasons() {
        check(&guard("prod", "app", "plan").env("REASON", hostile), hostile);
    }
    for hostile in HOSTILE.iter().filter(|hostile| !hostile_reasons().any(|bad| bad == **hostile)) {
        assert_inert(&allowed(&guard("prod", "app", "plan").env("REASON", hostile)).summary, &[]);
    }
}

#[test]
fn targets_that_the_generator_would_not_write_are_a_usage_error() {
    let mut texts =
        vec![String::new(), "{}".to_owned(), "[]".to_owned(), "{".to_owned(), format!("{0} {0}", targets())];
    for (pointer, value) in [
        ("/prod/branch", json!("")),
        ("/prod/branch", json!(null)),
        ("/prod/protected", json!("true")),
        ("/prod/writes", json!(null)),
        ("/prod/colors", json!("app")),
        ("/prod/stacks", json!({})),
        ("/prod/stacks/app/stack", json!("net")),
        ("/prod/stacks/app/directory", json!(1)),
        ("/prod/stacks/app/backend", json!([])),
        ("/prod/stacks/app/backend/bucket", json!("")),
    ] {
        let mut broken = targets();
        *broken.pointer_mut(pointer).unwrap() = value;
        texts.push(broken.to_string());
    }
    texts.extend(HOSTILE.iter().map(|hostile| (*hostile).to_owned()));
    for text in texts {
        let ran =
            guard("dev", "app", "plan").env("TARGETS", text).run().exits(2).says("::error::TARGETS must be");
        assert!(ran.outputs.is_empty());
    }
}
