use std::fs;

use super::script::{HOSTILE, Script};

const SHA: &str = "00000000000000000000000000000000000000aa";

fn compared() -> Script {
    Script::new("newest-commit.sh")
        .tool("gh", "#!/usr/bin/env bash\n[[ $* == 'api repos/acme/fleet/git/ref/heads/feature/x --jq .object.sha' ]] || exit 9\ncat \"$STATE/newest\" 2>/dev/null || printf '%s\\n' \"$GITHUB_SHA\"\n")
        .env("GH_TOKEN", "token")
        .env("GITHUB_REPOSITORY", "acme/fleet")
        .env("GITHUB_REF_NAME", "feature/x")
        .env("GITHUB_SHA", SHA)
}

fn answered(newest: &str) -> Script {
    let script = compared();
    fs::write(script.state().join("newest"), newest).unwrap();
    script
}

#[test]
fn the_newest_commit_goes_on() {
    compared().run().exits(0).outputs("newest", "true").never_says("::notice");
}

#[test]
fn an_older_commit_changes_nothing_and_is_no_failure() {
    answered("11111111111111111111111111111111111111bb\n")
        .run()
        .exits(0)
        .outputs("newest", "false")
        .says("::notice::nothing is changed: feature/x has a newer commit, which has a run of its own")
        .shows("`111111111111` is newer");
}

#[test]
fn an_older_commit_stops_what_is_run_again() {
    answered("11111111111111111111111111111111111111bb\n")
        .env("OVERTAKEN", "stop")
        .run()
        .exits(3)
        .says("::error::feature/x has a newer commit since this run began");
    compared().env("OVERTAKEN", "stop").run().exits(0).never_says("::error");
}

#[test]
fn what_github_does_not_say_changes_nothing() {
    for answer in ["", "null\n", "Not Found\n"] {
        let ran = answered(answer)
            .run()
            .exits(1)
            .says("::error::GitHub does not say which commit of the branch is the newest");
        assert!(!ran.outputs.contains_key("newest"));
    }
}

#[test]
fn every_mistake_of_the_caller_is_a_usage_error() {
    for (name, value) in [
        ("GH_TOKEN", ""),
        ("GITHUB_SHA", "main"),
        ("GITHUB_REF_NAME", ""),
        ("GITHUB_REPOSITORY", "acme"),
        ("OVERTAKEN", "no"),
    ] {
        compared().env(name, value).run().exits(2).says("::error::");
    }
    for hostile in HOSTILE {
        compared().env("GITHUB_SHA", *hostile).run().exits(2);
    }
}
