use serde_json::{Value, json};

use super::ecs_service::COMMIT;
use super::script::{HOSTILE, Ran, Script, assert_inert};

fn targets() -> Value {
    json!({
        "prod": {"branch": "main", "targets": {
            "ecs/api": {"service": "api", "text": "opaque: $(touch pwned) 'ä' \"q\"\n"},
            "terraform/app": {"stack": "app"},
        }},
        "dev": {"branch": "develop", "targets": {"ecs/web": {"service": "web"}}},
    })
}

fn guard(what: &str, target: &str) -> Script {
    Script::new("rollback-guard.sh")
        .env("TARGETS", targets().to_string())
        .env("GITHUB_REF", "refs/heads/main")
        .env("GITHUB_RUN_ATTEMPT", "1")
        .env("ENVIRONMENT", "prod")
        .env("WHAT", what)
        .env("TARGET", target)
        .env("CONFIRM", if target == "list" { "" } else { "ROLLBACK" })
        .env("PHRASE", "ROLLBACK")
}

#[track_caller]
fn refused(script: &Script) -> Ran {
    let ran = script.run().exits(1).says("::error::").shows("### ❌ Refused");
    assert!(ran.outputs.is_empty(), "{:?}", ran.outputs);
    assert_inert(&ran.summary, &[]);
    ran
}

#[test]
fn each_kind_has_targets_of_its_own() {
    for (what, target, kind, mode) in [
        ("ecs/api", "list", "ecs", "list"),
        ("ecs/api", "previous", "ecs", "rollback"),
        ("ecs/api", "41", "ecs", "rollback"),
        ("terraform/app", "list", "terraform", "list"),
        ("terraform/app", "previous", "terraform", "rollback"),
        ("terraform/app", COMMIT, "terraform", "rollback"),
    ] {
        let ran = guard(what, target).run().exits(0).outputs("kind", kind).outputs("mode", mode);
        let entry: Value = serde_json::from_str(&ran.outputs["target"]).unwrap();
        assert_eq!(entry, json!([targets()["prod"]["targets"][what]]));
        assert_eq!(ran.outputs.len(), 3);
        assert_inert(&ran.summary, &[]);
    }
    for target in ["", COMMIT, "0", "01", "-1", "1.0", "1\n", "1 ", "List", "Previous", "api:1", "1234567890"]
    {
        refused(&guard("ecs/api", target))
            .says("::error::target must be `list`, `previous` or the number of a revision");
    }
    for target in
        ["", "41", &COMMIT[..12], &COMMIT.to_uppercase(), "main", &format!("{COMMIT}\n"), "PREVIOUS"]
    {
        refused(&guard("terraform/app", target))
            .says("::error::target must be `list`, `previous` or a whole commit id of 40 digits");
    }
}

#[test]
fn a_later_attempt_only_lists() {
    for attempt in ["2", "10", "", "x"] {
        refused(&guard("ecs/api", "previous").env("GITHUB_RUN_ATTEMPT", attempt))
            .says("this is a later attempt: start a new run");
        guard("ecs/api", "list").env("GITHUB_RUN_ATTEMPT", attempt).run().exits(0).outputs("mode", "list");
    }
}

#[test]
fn the_phrase_is_compared_exactly_and_not_asked_for_a_list() {
    for typed in ["", "rollback", "ROLLBACK ", " ROLLBACK", "ROLLBACK\n", "yes"] {
        refused(&guard("ecs/api", "previous").env("CONFIRM", typed))
            .says("::error::confirm must be exactly `ROLLBACK`");
    }
    for typed in ["ROLLBACK", " ", "rollback"] {
        refused(&guard("ecs/api", "list").env("CONFIRM", typed)).says("::error::confirm must be empty");
    }
}

#[test]
fn names_are_compared_exactly_and_in_their_environment() {
    refused(&guard("ecs/web", "list")).says("what, in `prod`, must be one of `ecs/api`, `terraform/app`");
    refused(&guard("ecs/API", "list")).says("what, in `prod`, must be one of");
    refused(&guard("api", "41").env("ENVIRONMENT", "Prod"))
        .says("environment must be one of `dev`, `prod`")
        .says("what must be one of `ecs/api`, `ecs/web`, `terraform/app`");
    for reference in ["refs/heads/develop", "refs/heads/Main", "refs/tags/main", "", "refs/heads/main\n"] {
        refused(&guard("ecs/api", "list").env("GITHUB_REF", reference))
            .says("start the workflow from `main`");
    }
    let all = guard("x", "x").env("GITHUB_REF", "x").env("REASON", "a::b").env("CONFIRM", "x");
    let ran = refused(&all).says("or the number of a revision or a whole commit id");
    assert_eq!(ran.log.matches("::error::").count(), 5, "{}", ran.log);
    guard("ecs/api", "41")
        .env("REASON", "OPS-12")
        .run()
        .exits(0)
        .shows("- To revision `41`.")
        .shows("`OPS-12`");
}

#[test]
fn no_input_is_taken_at_its_word() {
    for hostile in HOSTILE {
        for key in ["ENVIRONMENT", "WHAT", "TARGET", "CONFIRM", "GITHUB_REF"] {
            let ran = refused(&guard("ecs/api", "previous").env(key, hostile));
            let shown = hostile.trim();
            assert!(shown.len() < 5 || !ran.log.contains(shown), "{hostile:?} in\n{}", ran.log);
        }
        assert_inert(&guard("ecs/api", "list").env("REASON", hostile).run().summary, &[]);
    }
}

#[test]
fn what_the_generator_would_not_write_is_a_usage_error() {
    let mut texts =
        vec![String::new(), "{}".to_owned(), "[]".to_owned(), "{".to_owned(), format!("{0} {0}", targets())];
    for (pointer, value) in [
        ("/prod/branch", json!("")),
        ("/prod/targets", json!({})),
        ("/prod/targets", json!({"gke/app": {"a": 1}})),
        ("/prod/targets", json!({"ecs/`": {"a": 1}})),
        ("/prod/targets", json!({"ecs/api\n": {"a": 1}})),
        ("/prod/targets/ecs~1api", json!({})),
        ("/prod/targets/ecs~1api", json!([1])),
    ] {
        let mut broken = targets();
        *broken.pointer_mut(pointer).unwrap() = value;
        texts.push(broken.to_string());
    }
    texts.extend(HOSTILE.iter().map(|hostile| (*hostile).to_owned()));
    for text in texts {
        guard("ecs/api", "list").env("TARGETS", text).run().exits(2).says("::error::TARGETS must be");
    }
    for phrase in ["", " ", "a`b", "$(touch pwned)"] {
        guard("ecs/api", "list").env("PHRASE", phrase).run().exits(2).says("::error::PHRASE must be");
    }
}
