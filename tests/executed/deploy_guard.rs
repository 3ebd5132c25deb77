use serde_json::json;

use super::ecs_service::COMMIT;
use super::script::{HOSTILE, Ran, Script, assert_inert};

fn guard() -> Script {
    let targets = json!({"prod": {"branch": "main"}, "dev": {"branch": "develop"}});
    Script::new("deploy-guard.sh")
        .env("TARGETS", targets.to_string())
        .env("GITHUB_REF", "refs/heads/main")
        .env("GITHUB_SHA", COMMIT)
        .env("GITHUB_RUN_ATTEMPT", "1")
        .env("ENVIRONMENT", "prod")
        .env("CONFIRM", "DEPLOY")
        .env("PHRASE", "DEPLOY")
}

#[track_caller]
fn refused(script: &Script) -> Ran {
    let ran = script.run().exits(1).says("::error::").shows("### ❌ Refused");
    assert!(ran.outputs.is_empty(), "{:?}", ran.outputs);
    assert_inert(&ran.summary, &[]);
    ran
}

#[test]
fn a_version_is_a_tag_and_by_default_the_commits() {
    let ran =
        guard().run().exits(0).outputs("version", &COMMIT[..12]).shows(&format!("- Commit: `{COMMIT}`"));
    assert_eq!(ran.outputs.len(), 1);
    let longest = "x".repeat(128);
    for version in ["1.2.0", "v1.2.0-rc.1", "_", "0", "Latest", "a__b", "sha", longest.as_str()] {
        let ran = guard().env("VERSION", version).run().exits(0).outputs("version", version);
        ran.shows(&format!("### Version `{version}` to `prod`"));
    }
    for version in [
        "latest",
        "sha-1",
        &format!("sha-{COMMIT}"),
        ".1",
        "-1",
        "1 ",
        " 1",
        "1\n",
        "a/b",
        "a:b",
        "a@b",
        "ü",
        &format!("{longest}x"),
    ] {
        refused(&guard().env("VERSION", version)).says("::error::version must");
    }
}

#[test]
fn the_phrase_is_compared_exactly() {
    for typed in ["", "deploy", "Deploy", "DEPLOY ", " DEPLOY", "DEPLOY\n", "DEPLOYDEPLOY", "yes"] {
        refused(&guard().env("CONFIRM", typed)).says("::error::confirm must be exactly `DEPLOY`");
    }
    guard().env("PHRASE", "DEPLOY to prod_1").env("CONFIRM", "DEPLOY to prod_1").run().exits(0);
}

#[test]
fn only_the_environments_own_branch_may_deploy() {
    for reference in
        ["refs/heads/develop", "refs/heads/Main", "refs/tags/main", "main", "", "refs/heads/main\n"]
    {
        refused(&guard().env("GITHUB_REF", reference)).says("start the workflow from `main`");
    }
    guard().env("ENVIRONMENT", "dev").env("GITHUB_REF", "refs/heads/develop").run().exits(0);
    refused(&guard().env("ENVIRONMENT", "Prod")).says("environment must be one of `dev`, `prod`");
}

#[test]
fn a_later_attempt_is_a_new_run() {
    for attempt in ["2", "10", "", "01", "x"] {
        refused(&guard().env("GITHUB_RUN_ATTEMPT", attempt)).says("this is a later attempt: start a new run");
    }
}

#[test]
fn all_mistakes_are_listed_at_once() {
    let script =
        guard().env("GITHUB_REF", "x").env("VERSION", "latest").env("CONFIRM", "").env("REASON", "::x");
    let ran = refused(&script);
    assert_eq!(ran.log.matches("::error::").count(), 4, "{}", ran.log);
    guard().env("REASON", "Ticket OPS-12: Größe").run().exits(0).shows("- Reason: `Ticket OPS-12: Größe`");
    for reason in [" x", "a::b", "a`b", "a\nb", "a$b", &"x".repeat(201)] {
        refused(&guard().env("REASON", reason)).says("reason must be one line");
    }
}

#[test]
fn no_input_is_taken_at_its_word() {
    for hostile in HOSTILE {
        for key in ["ENVIRONMENT", "VERSION", "CONFIRM", "GITHUB_REF"] {
            let ran = refused(&guard().env(key, hostile));
            let shown = hostile.trim();
            assert!(shown.len() < 5 || !ran.log.contains(shown), "{hostile:?} in\n{}", ran.log);
        }
        assert_inert(&guard().env("REASON", hostile).run().summary, &[]);
    }
}

#[test]
fn what_the_generator_would_not_write_is_a_usage_error() {
    for targets in
        ["", "{}", "[]", "{", "{\"prod\": {}}", "{\"prod\": {\"branch\": \"\"}}", "{\"prod\": 1}", "{} {}"]
            .iter()
            .chain(HOSTILE)
    {
        guard().env("TARGETS", targets).run().exits(2).says("::error::TARGETS must be");
    }
    for phrase in ["", " ", "DEPLOY ", "a`b", "a\nb", "$(touch pwned)"] {
        guard().env("PHRASE", phrase).env("CONFIRM", phrase).run().exits(2).says("::error::PHRASE must be");
    }
    for commit in ["", "main", &COMMIT[..12], &COMMIT.to_uppercase()] {
        guard().env("GITHUB_SHA", commit).run().exits(2).says("::error::GITHUB_SHA must be");
    }
}
