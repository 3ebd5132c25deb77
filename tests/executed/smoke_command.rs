use serde_json::Value;

use super::script::{HOSTILE, Script};

fn running(command: &str) -> Script {
    let script = Script::new("smoke-command.sh");
    let results = script.directory().join("results");
    script
        .env("CHECK", "verify")
        .env("COMMAND", command)
        .env("RESULT_DIR", results)
        .env("ENVIRONMENT", "staging")
}

fn kept(script: &Script, file: &str) -> String {
    std::fs::read_to_string(script.directory().join("results").join(file)).unwrap()
}

#[test]
fn a_command_says_what_is_wrong_and_how_it_ended() {
    let script = running("echo \"looking at $ENVIRONMENT\"; false; echo never");
    script
        .run()
        .exits(1)
        .says("looking at staging")
        .never_says("never")
        .says("::error::the check verify failed, its command ended with 1")
        .shows("| `verify` | ❌ | 1 |");
    assert_eq!(serde_json::from_str::<Value>(&kept(&script, "result.json")).unwrap()["code"], 1);
    assert_eq!(kept(&script, "log.txt"), "looking at staging\n");

    let script = running("exit 0");
    script.run().exits(0).shows("| `verify` | ✅ | 0 |").never_says("::error::");
    running("exit 7").run().exits(1).says("ended with 7").shows("| 7 |");
}

#[test]
fn what_it_prints_is_no_command_to_the_runner() {
    let script = running(
        "echo '::error::taken over'; echo 'x=1' >>\"$GITHUB_OUTPUT\"; echo '# mine' >>\"$GITHUB_STEP_SUMMARY\"",
    );
    let ran = script.run().exits(0);
    assert!(ran.outputs.is_empty() && !ran.summary.contains("# mine"), "{}", ran.summary);
}

#[test]
fn every_mistake_of_the_caller_is_a_usage_error() {
    running("").run().exits(2);
    running("true").without("RESULT_DIR").run().exits(2);
    for hostile in HOSTILE {
        running("true").env("CHECK", *hostile).run().exits(2);
    }
}
