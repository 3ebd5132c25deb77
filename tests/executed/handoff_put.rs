use std::fs;
use std::process::Command;

use super::script::{Ran, Script};
use super::stack_on_aws::{COMMIT, backend, object, script};
use crate::aws::{Aws, Failure};
use crate::tool;

const PLAN: &[u8] = b"PK\x03\x04 a plan with a \x00 secret\n";
const OBJECT: &str = "_plans/77-2/dev/app.tfplan";
const PASSPHRASE: &str = "sixteen letters!";

/// What a version of the tool says of itself.
const TOFU: &str = r#"
[[ ! -e $STATE/mute ]] || { echo 'tofu is broken' >&2; exit 3; }
printf '{"terraform_version": "%s"}\n' "$(cat "$STATE/version" 2>/dev/null || echo 1.9.0)"
"#;

fn in_s3(aws: &Aws) -> Script {
    script(aws, "handoff-put.sh", "s3").env("MODE", "s3").env("PLAN_FILE", "the plan").file("the plan", PLAN)
}

fn in_an_artifact() -> Script {
    Script::new("handoff-put.sh")
        .tool("tofu", TOFU)
        .env("MODE", "encrypted-artifact")
        .env("TF_COMMAND", "tofu")
        .env("GITHUB_SHA", COMMIT)
        .env("PLAN_FILE", "the plan")
        .env("HANDOFF_DIR", "the hand/off")
        .env("PASSPHRASE", PASSPHRASE)
        .file("the plan", PLAN)
}

fn digest(bytes: &[u8]) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    let output = Command::new("sha256sum").arg(file.path()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()[..64].to_owned()
}

#[track_caller]
fn gone(ran: Ran) -> Ran {
    assert!(!ran.directory.join("the plan").exists(), "the plan stays");
    ran
}

#[track_caller]
fn nothing_said(ran: Ran) {
    assert!(gone(ran).outputs.is_empty());
}

#[test]
fn a_plan_goes_to_the_bucket_and_is_known_by_its_hash() {
    if tool::find("terraform").is_none() {
        return;
    }
    let Some(aws) = backend() else { return };
    let ran = gone(
        in_s3(&aws)
            .run()
            .exits(0)
            .outputs("plan_key", OBJECT)
            .outputs("plan_sha256", &digest(PLAN))
            .outputs("commit", COMMIT),
    );
    assert_eq!(ran.outputs.len(), 4);
    let version = ran.outputs["tool_version"].split('.').count();
    assert_eq!(version, 3, "{:?}", ran.outputs);
    assert_eq!(object(&aws, OBJECT).unwrap(), PLAN);

    // The same once more is fine, another plan is not.
    gone(in_s3(&aws).run().exits(0)).outputs("plan_key", OBJECT);
    nothing_said(in_s3(&aws).file("the plan", "another").run().exits(1).says("another plan is at"));
    assert_eq!(object(&aws, OBJECT).unwrap(), PLAN, "overwritten");
    // Another attempt has another key.
    in_s3(&aws)
        .env("GITHUB_RUN_ATTEMPT", "3")
        .run()
        .exits(0)
        .outputs("plan_key", "_plans/77-3/dev/app.tfplan");
}

#[test]
fn who_may_write_plans_need_not_read_them() {
    let Some(aws) = backend() else { return };
    aws.forget_calls();
    in_s3(&aws).run().exits(0);
    let calls: Vec<_> = aws.calls().into_iter().map(|call| call.action).collect();
    assert_eq!(calls, ["s3:PutObject"]);
    aws.fail_next("s3:GetObject", Failure::Status(403));
    nothing_said(in_s3(&aws).run().exits(1).says("which one is unknown: plan again, re-run all jobs"));
}

#[test]
fn a_bucket_that_does_not_answer_is_an_error() {
    let Some(aws) = backend() else { return };
    for failure in [Failure::Status(403), Failure::Status(500), Failure::Drop] {
        aws.fail_next("s3:PutObject", failure);
        nothing_said(in_s3(&aws).run().exits(1).says("::error::the plan could not be put to s3://"));
    }
    nothing_said(in_s3(&aws).env("EXPECTED_ACCOUNT_ID", "999999999999").run().exits(1).says("AccessDenied"));
    assert_eq!(object(&aws, OBJECT), None);
    nothing_said(in_s3(&aws).env("TF_STATE_BUCKET", "no-bucket").run().exits(1).says("NoSuchBucket"));
}

#[test]
fn a_run_that_is_killed_is_mended_by_the_next() {
    let Some(aws) = backend() else { return };
    let script = in_s3(&aws);
    aws.kill_at(1);
    assert!(script.run_until_killed().is_none());
    assert_eq!(object(&aws, OBJECT).unwrap(), PLAN, "killed after the call");
    gone(script.run().exits(0)).outputs("plan_sha256", &digest(PLAN));
}

#[test]
fn an_artifact_holds_nothing_that_can_be_read() {
    let logging = "printf '%s\\n' \"$*\" >>\"$STATE/arguments\"\nexec /usr/bin/openssl \"$@\"\n";
    let script = in_an_artifact().tool("openssl", logging);
    let ran = gone(script.run().exits(0))
        .outputs("plan_key", "plan.enc")
        .outputs("plan_sha256", &digest(PLAN))
        .outputs("tool_version", "1.9.0")
        .outputs("commit", COMMIT)
        .never_says(PASSPHRASE);
    let encrypted = fs::read(ran.directory.join("the hand/off/plan.enc")).unwrap();
    assert!(encrypted.starts_with(b"Salted__"));
    assert!(!encrypted.windows(6).any(|window| window == b"secret"));
    let arguments = fs::read_to_string(script.state().join("arguments")).unwrap();
    assert!(
        arguments.contains("-aes-256-cbc -pbkdf2 -iter 600000 -salt -pass env:PASSPHRASE"),
        "{arguments}"
    );
    assert!(!arguments.contains(PASSPHRASE), "{arguments}");
    // What an interrupted step left is replaced.
    in_an_artifact().file("the hand/off/plan.enc", "half").run().exits(0);
}

#[test]
fn nobody_but_openssl_is_told_the_passphrase() {
    let spying = format!("env >\"$STATE/environment\"\n{TOFU}");
    let script = in_an_artifact().tool("tofu", &spying);
    script.run().exits(0);
    let environment = fs::read_to_string(script.state().join("environment")).unwrap();
    assert!(environment.contains("GITHUB_SHA=") && !environment.contains(PASSPHRASE), "{environment}");
}

#[test]
fn what_fails_leaves_no_plan() {
    let failing = "echo 'no entropy' >&2; exit 1\n";
    nothing_said(in_an_artifact().tool("openssl", failing).run().exits(1).says("no entropy"));
    nothing_said(
        in_an_artifact()
            .file("the hand", "a file")
            .run()
            .exits(1)
            .says("encrypted plan could not be written"),
    );
    let script = in_an_artifact();
    fs::write(script.state().join("mute"), "").unwrap();
    nothing_said(script.run().exits(1).says("tofu is broken"));
    let script = in_an_artifact();
    fs::write(script.state().join("version"), "1.9.0\\n::error::taken over").unwrap();
    nothing_said(script.run().exits(1).says("does not tell its version"));
}

#[test]
fn refuses_settings_of_the_wrong_shape() {
    for (key, value) in [
        ("MODE", ""),
        ("MODE", "artifact"),
        ("TF_COMMAND", "rm"),
        ("GITHUB_SHA", "main"),
        ("HANDOFF_DIR", ""),
        ("PASSPHRASE", ""),
        ("PASSPHRASE", "fifteen letters"),
    ] {
        nothing_said(in_an_artifact().env(key, value).run().exits(2).says("::error::"));
    }
    let Some(aws) = Aws::start() else { return };
    for (key, value) in [
        ("ENVIRONMENT", "Dev"),
        ("ENVIRONMENT", "../prod"),
        ("STACK", "a b"),
        ("STACK", "app\n"),
        ("GITHUB_RUN_ID", "0"),
        ("GITHUB_RUN_ID", "7/8"),
        ("GITHUB_RUN_ATTEMPT", ""),
        ("TF_STATE_BUCKET", "A_b"),
        ("EXPECTED_ACCOUNT_ID", "12"),
        ("AWS_REGION", "here"),
    ] {
        nothing_said(in_s3(&aws).env(key, value).run().exits(2).says("::error::"));
    }
    assert!(aws.calls().is_empty());
    in_an_artifact().env("PLAN_FILE", "missing").run().exits(2).says("PLAN_FILE");
    let script = in_an_artifact().prepare("ln", &["-s", "the plan", "a link"]).env("PLAN_FILE", "a link");
    script.run().exits(2).says("PLAN_FILE must be");
}
