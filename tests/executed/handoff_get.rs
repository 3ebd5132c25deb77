use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::script::{HOSTILE, Ran, Script};
use super::stack_on_aws::{COMMIT, backend, delete_object, put_object, run, script, stack};
use crate::aws::{Aws, Failure};
use crate::tool;

const KEY: &str = "_plans/77-2/dev/app.tfplan";
const PLAN: &str = "the plan of a stack\n";
/// `printf 'the plan of a stack\n' | sha256sum`
const SHA256: &str = "8f9edbd7dd0283789f6e15ba66423af686ce6ee954cda32b07c5c11ffb483151";

/// It has one version only.
const TOFU: &str = r#"
[[ ! -e $STATE/mute ]] || { echo 'tofu is broken' >&2; exit 3; }
echo '{"terraform_version": "1.9.0"}'
"#;

fn settings(script: Script, mode: &str, key: &str) -> Script {
    script
        .tool("tofu", TOFU)
        .env("MODE", mode)
        .env("RUN_KEY", key)
        .env("SHA256", SHA256)
        .env("COMMIT", COMMIT)
        .env("GITHUB_SHA", COMMIT)
        .env("TF_COMMAND", "tofu")
        .env("TOOL_VERSION", "1.9.0")
        .env("PLAN_FILE", "the plan")
}

fn from_s3(aws: &Aws) -> Script {
    settings(script(aws, "handoff-get.sh", "s3"), "s3", KEY)
}

fn from_artifact() -> Script {
    settings(Script::new("handoff-get.sh"), "encrypted-artifact", "plan.enc")
        .env("HANDOFF_DIR", "the handoff")
        .env("PASSPHRASE", "sixteen letters!")
}

/// Puts a plan where `from_artifact` looks, as the script that hands it over does.
fn encrypted(script: Script, plan: &str, passphrase: &str) -> Script {
    script
        .clone()
        .file("made", plan)
        .then("handoff-put.sh")
        .env("MODE", "encrypted-artifact")
        .env("TF_COMMAND", "tofu")
        .env("GITHUB_SHA", COMMIT)
        .env("PLAN_FILE", "made")
        .env("HANDOFF_DIR", "the handoff")
        .env("PASSPHRASE", passphrase)
        .run()
        .exits(0);
    script
}

#[track_caller]
fn nothing(ran: Ran) -> Ran {
    assert!(!ran.directory.join("the plan").exists(), "a plan is there:\n{}", ran.log);
    ran
}

#[track_caller]
fn the_plan(ran: &Ran) {
    assert_eq!(ran.text("the plan"), PLAN);
    let mode = fs::metadata(ran.directory.join("the plan")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_was_handed_over_is_applied_once() {
    if tool::find("terraform").is_none() {
        return;
    }
    let Some(aws) = backend() else { return };
    let put = stack(
        script(&aws, "handoff-put.sh", "s3").env("MODE", "s3").env("PLAN_FILE", "made.tfplan"),
        "s3",
        "resource \"terraform_data\" \"one\" {}\n",
    );
    run(&put, "terraform -chdir='the stack' plan -out=../made.tfplan").exits(0);
    let handed = put.run().exits(0);
    let get = script(&aws, "handoff-get.sh", "s3")
        .env("MODE", "s3")
        .env("RUN_KEY", &handed.outputs["plan_key"])
        .env("SHA256", &handed.outputs["plan_sha256"])
        .env("COMMIT", &handed.outputs["commit"])
        .env("TOOL_VERSION", &handed.outputs["tool_version"])
        .env("PLAN_FILE", put.directory().join("taken.tfplan"));
    get.run().exits(0).says("took over the plan");
    let apply = "terraform -chdir='the stack' apply -input=false -no-color ../taken.tfplan";
    run(&put, apply).exits(0).says("1 added");
    run(&put, apply).exits(1).says("Saved plan is stale");
}

#[test]
fn a_plan_is_put_for_its_owner_and_over_nothing() {
    let Some(aws) = backend() else { return };
    put_object(&aws, KEY, PLAN);
    the_plan(&from_s3(&aws).run().exits(0));
    let script = encrypted(from_artifact(), PLAN, "sixteen letters!");
    let ran = script.run().exits(0).never_says("sixteen letters!");
    the_plan(&ran);

    script.run().exits(2).says("PLAN_FILE exists");
    the_plan(&ran);
    let linked = from_s3(&aws).prepare("ln", &["-s", "nowhere", "the plan"]);
    let ran = linked.run().exits(2).says("PLAN_FILE exists");
    assert!(!ran.directory.join("nowhere").exists());
    nothing(from_s3(&aws).env("PLAN_FILE", "no/directory").run().exits(2).says("PLAN_FILE must lie in"));
}

#[test]
fn a_plan_that_is_missing_must_be_made_again() {
    let Some(aws) = backend() else { return };
    nothing(from_s3(&aws).run().exits(3).says("not there any more").says("plan again: re-run all jobs"));
    put_object(&aws, KEY, PLAN);
    from_s3(&aws).run().exits(0);
    delete_object(&aws, KEY);
    nothing(from_s3(&aws).run().exits(3));
    nothing(from_artifact().run().exits(3).says("plan again: re-run all jobs"));
}

#[test]
fn a_bucket_that_does_not_answer_is_no_missing_plan() {
    let Some(aws) = backend() else { return };
    put_object(&aws, KEY, PLAN);
    for failure in [Failure::Status(403), Failure::Status(500), Failure::Drop] {
        aws.fail_next("s3:GetObject", failure);
        nothing(
            from_s3(&aws).run().exits(1).says("::error::the plan _plans/77-2/dev/app.tfplan could not be"),
        );
    }
    nothing(from_s3(&aws).env("TF_STATE_BUCKET", "no-bucket").run().exits(1).says("NoSuchBucket"));
    nothing(from_s3(&aws).env("EXPECTED_ACCOUNT_ID", "999999999999").run().exits(1).says("AccessDenied"));
    aws.kill_at(1);
    let script = from_s3(&aws);
    assert!(script.run_until_killed().is_none());
    assert!(!script.directory().join("the plan").exists());
    the_plan(&script.run().exits(0));
}

#[test]
fn another_plan_is_refused() {
    let Some(aws) = backend() else { return };
    for swapped in ["", "the plan of a stack", "::error::taken over\n"] {
        put_object(&aws, KEY, swapped);
        nothing(from_s3(&aws).run().exits(4).says("not the plan that was made"));
    }
    // Decrypted without an error.
    nothing(
        encrypted(from_artifact(), "swapped", "sixteen letters!").run().exits(4).says("not the plan that"),
    );
    let script = encrypted(from_artifact(), PLAN, "sixteen letters!");
    nothing(script.clone().env("PASSPHRASE", "some other sixteen").run().exits(4))
        .never_says("other sixteen");
    for broken in ["", "Salted__", "::error::taken over\n"] {
        nothing(
            script.clone().file("the handoff/plan.enc", broken).run().exits(4).says("cannot be decrypted"),
        );
    }
}

#[test]
fn another_commit_or_version_is_refused_before_anything_is_fetched() {
    let Some(aws) = backend() else { return };
    put_object(&aws, KEY, PLAN);
    aws.forget_calls();
    let other = "f".repeat(40);
    nothing(from_s3(&aws).env("GITHUB_SHA", &other).run().exits(5).says("was made of commit").says(&other));
    nothing(
        from_s3(&aws).env("TOOL_VERSION", "1.9.1").run().exits(5).says("by tofu 1.9.1, this job has 1.9.0"),
    );
    let script = from_s3(&aws);
    fs::write(script.state().join("mute"), "").unwrap();
    nothing(script.run().exits(1).says("tofu is broken"));
    assert!(aws.calls().is_empty());
}

#[test]
fn a_passphrase_is_any_text() {
    for passphrase in [HOSTILE.concat(), "\nfirst an empty line".to_owned()] {
        let script = encrypted(from_artifact(), PLAN, &passphrase).env("PASSPHRASE", &passphrase);
        the_plan(&script.run().exits(0));
    }
}

#[test]
fn a_plan_that_cannot_be_written_is_not_half_there() {
    let script = encrypted(from_artifact(), PLAN, "sixteen letters!");
    let failing =
        "[[ $* != *plan ]] || { printf half; echo 'disk full' >&2; exit 1; }\nexec /bin/cat \"$@\"\n";
    nothing(script.tool("cat", failing).run().exits(1).says("disk full"));
}

#[test]
fn refuses_settings_of_the_wrong_shape() {
    for (key, value) in [
        ("MODE", ""),
        ("MODE", "S3"),
        ("RUN_KEY", ""),
        ("RUN_KEY", "../plan.enc"),
        ("SHA256", ""),
        ("SHA256", "abc"),
        ("COMMIT", ""),
        ("GITHUB_SHA", "main"),
        ("TOOL_VERSION", ""),
        ("TOOL_VERSION", "latest"),
        ("TF_COMMAND", "rm"),
        ("PLAN_FILE", ""),
        ("HANDOFF_DIR", ""),
        ("PASSPHRASE", ""),
    ] {
        nothing(from_artifact().env(key, value).run().exits(2).says("::error::"));
    }
    let Some(aws) = Aws::start() else { return };
    for (key, value) in [
        ("RUN_KEY", ""),
        ("RUN_KEY", "app/terraform.tfstate"),
        ("RUN_KEY", "_plans/77-2/prod/app.tfplan"),
        ("RUN_KEY", "_plans/77-2/dev/other.tfplan"),
        ("RUN_KEY", "_plans/77-2/dev/app.tfplan/.."),
        ("RUN_KEY", "x/_plans/77-2/dev/app.tfplan"),
        ("ENVIRONMENT", "."),
        ("STACK", ""),
        ("TF_STATE_BUCKET", ""),
        ("EXPECTED_ACCOUNT_ID", "1234567890123"),
        ("AWS_REGION", ""),
    ] {
        nothing(from_s3(&aws).env(key, value).run().exits(2).says("::error::"));
    }
    assert!(aws.calls().is_empty());
}
