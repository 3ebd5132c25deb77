use std::fs;

use super::script::{HOSTILE, Ran, Script};
use super::stack_on_aws::{
    BUCKET, KEY, TABLE, backend, converged, delete_item, delete_object, item, object, put_item, put_object,
    run, script, stack, writes,
};
use crate::aws::{Aws, Failure};
use crate::tool;

const SAVED: &str = "_pyfleet/recovery/dev/app/77-2.tfstate";
const ERRORED: &str = "the stack/errored.tfstate";
const RESOURCES: &str =
    "resource \"terraform_data\" \"one\" {\n  input = \"a secret\"\n}\noutput \"note\" { value = \"two\" }\n";

const APPLY: &str = "terraform -chdir='the stack' apply -auto-approve -input=false -no-color";

/// A stack in the lock mode in which Terraform writes one object only: the state.
fn initialised(aws: &Aws) -> Script {
    stack(script(aws, "recover-state.sh", "dynamodb"), "dynamodb", RESOURCES)
}

/// After an apply whose state the bucket did not take.
fn failed(aws: &Aws) -> Script {
    let script = initialised(aws);
    aws.fail_next("s3:PutObject", Failure::Status(403));
    run(&script, APPLY).exits(1).says("errored.tfstate");
    assert_eq!(object(aws, KEY), None);
    script
}

/// After that, somebody has applied again.
fn forked(aws: &Aws) -> (Script, Vec<u8>) {
    let script = failed(aws);
    let errored = fs::read(script.directory().join(ERRORED)).unwrap();
    run(&script, APPLY).exits(0);
    (script, errored)
}

#[track_caller]
fn pushed(ran: Ran) {
    let ran = ran.exits(0).says("::warning::dev/app: the apply could not write its state; it is written now");
    assert!(!ran.directory.join(ERRORED).exists());
}

#[track_caller]
fn saved(ran: Ran) -> Ran {
    let ran = ran
        .exits(6)
        .says("::error::dev/app: do not re-apply")
        .says("terraform -chdir=the\\ stack state push errored.tfstate\n")
        .shows("### ❌ Do not re-apply `app` in `dev`")
        .shows("aws s3api get-object --bucket state-bucket --key _pyfleet/recovery/dev/app/77-2")
        .never_says("a secret");
    assert!(ran.directory.join(ERRORED).exists());
    ran
}

#[test]
fn an_apply_that_wrote_its_state_leaves_nothing_to_do() {
    if tool::find("terraform").is_none() {
        return;
    }
    let Some(aws) = backend() else { return };
    let script = initialised(&aws);
    run(&script, APPLY).exits(0);
    aws.forget_calls();
    script.run().exits(0).says("there is no state to save");
    assert!(aws.calls().is_empty());
}

#[test]
fn a_state_that_was_not_written_is_written_now() {
    if tool::find("terraform").is_none() {
        return;
    }
    let Some(aws) = backend() else { return };
    let script = failed(&aws);
    pushed(script.run().never_says("a secret"));
    converged(&script);
    script.run().exits(0).says("there is no state to save");
    assert_eq!(object(&aws, SAVED), None);

    // Pushed, but the file is still there: as if killed in between. Terraform would refuse another lineage.
    let state = object(&aws, KEY).unwrap();
    let again = String::from_utf8(state).unwrap().replacen("\"lineage\": \"", "\"lineage\": \"another-", 1);
    pushed(script.clone().file(ERRORED, again).run());
    converged(&script);
}

#[test]
fn a_state_that_meets_a_newer_one_is_saved_for_a_person() {
    if tool::find("terraform").is_none() {
        return;
    }
    let Some(aws) = backend() else { return };
    let (script, errored) = forked(&aws);
    let theirs = object(&aws, KEY).unwrap();
    for _ in 0..2 {
        let ran = saved(script.run().says("cannot import state with lineage"));
        assert!(ran.log.contains("compare the two before any -force"));
        assert_eq!(object(&aws, SAVED).unwrap(), errored);
        assert_eq!(object(&aws, KEY).unwrap(), theirs, "nothing is forced");
    }

    // The commands that it prints are right: on another runner, after the fork is gone.
    let ran = script.run();
    let commands = ran.summary.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    delete_object(&aws, KEY);
    delete_item(&aws, &format!("{KEY}-md5"));
    fs::remove_file(script.directory().join(ERRORED)).unwrap();
    run(&script, &format!("set -e\n{commands}")).exits(0);
    converged(&script);
    assert!(!script.directory().join(ERRORED).exists());
}

#[test]
fn two_states_of_one_run_are_both_saved() {
    if tool::find("terraform").is_none() {
        return;
    }
    let Some(aws) = backend() else { return };
    let (script, errored) = forked(&aws);
    saved(script.run());
    let second = [errored.as_slice(), b"\n"].concat();
    let ran = saved(script.clone().file(ERRORED, &second).run());
    assert_eq!(object(&aws, SAVED).unwrap(), errored);
    let key = ran.log.split("--key ").nth(1).unwrap().split(' ').next().unwrap();
    assert!(key.starts_with("_pyfleet/recovery/dev/app/77-2-") && key.ends_with(".tfstate"), "{key}");
    assert_eq!(object(&aws, key).unwrap(), second);
    saved(script.file(ERRORED, &second).run()).says(key);
}

#[test]
fn what_nobody_takes_stays_where_it_is() {
    if tool::find("terraform").is_none() {
        return;
    }
    let Some(aws) = backend() else { return };
    let (script, errored) = forked(&aws);
    let stays = |ran: Ran| {
        let ran = ran.exits(1).says("do not re-apply").says("it is in /").says("/the stack/errored.tfstate");
        assert_eq!(fs::read(ran.directory.join(ERRORED)).unwrap(), errored);
    };
    for failure in [Failure::Status(403), Failure::Status(500), Failure::Drop] {
        aws.fail_next("s3:PutObject", failure);
        stays(script.run());
    }
    stays(script.clone().env("EXPECTED_ACCOUNT_ID", "999999999999").run());
    assert_eq!(object(&aws, SAVED), None);
    saved(script.run());
    // Something is there, and cannot be compared.
    aws.fail_next("s3:GetObject", Failure::Status(403));
    aws.fail_next("s3:GetObject", Failure::Status(403));
    aws.fail_next("s3:GetObject", Failure::Status(403));
    aws.fail_next("s3:GetObject", Failure::Status(403));
    stays(script.run());
    saved(run_to_the_end(&aws, &script));
}

/// Uses up the failures that were not met.
fn run_to_the_end(aws: &Aws, script: &Script) -> Ran {
    put_object(aws, "probe", "");
    run(script, "for i in 1 2 3 4; do aws s3api get-object --bucket \"$TF_STATE_BUCKET\" --key probe probe >/dev/null 2>&1; done; true")
        .exits(0);
    script.run()
}

#[test]
fn a_lock_that_somebody_holds_is_not_broken() {
    if tool::find("terraform").is_none() {
        return;
    }
    let Some(aws) = backend() else { return };
    let script = failed(&aws);
    let errored = fs::read(script.directory().join(ERRORED)).unwrap();
    // One that cannot be read is not waited for.
    put_item(&aws, KEY, "::error::taken over");
    saved(script.run().says("lock"));
    assert_eq!(object(&aws, SAVED).unwrap(), errored);
    assert!(item(&aws, KEY).is_object());
    delete_item(&aws, KEY);
    pushed(script.run());
    converged(&script);
}

#[test]
fn a_stack_that_is_not_initialised_is_saved_all_the_same() {
    if tool::find("terraform").is_none() {
        return;
    }
    let Some(aws) = backend() else { return };
    let script = failed(&aws);
    fs::remove_dir_all(script.directory().join("the stack/.terraform")).unwrap();
    saved(script.run().says("init"));
}

#[test]
fn a_run_that_is_killed_is_mended_by_the_next() {
    if tool::find("terraform").is_none() {
        return;
    }
    let Some(aws) = backend() else { return };
    let script = initialised(&aws);
    run(&script, APPLY).exits(0);
    let (before, digest) = (object(&aws, KEY).unwrap(), item(&aws, &format!("{KEY}-md5")));
    let script = script.file("the stack/more.tf", "resource \"terraform_data\" \"two\" {}\n");
    aws.fail_next("s3:PutObject", Failure::Status(403));
    run(&script, APPLY).exits(1).says("errored.tfstate");
    let errored = fs::read(script.directory().join(ERRORED)).unwrap();
    let forget = || {
        put_object(&aws, KEY, &before);
        aws.cli(&["dynamodb", "put-item", "--table-name", TABLE, "--item", &digest.to_string()]);
        fs::write(script.directory().join(ERRORED), &errored).unwrap();
    };
    aws.forget_calls();
    pushed(script.run());
    converged(&script);
    let writes = writes(&aws.calls());
    assert_eq!(writes.len(), 4, "lock, state, digest, lock");
    let mut codes = Vec::new();
    for write in writes {
        forget();
        aws.kill_at(write);
        assert!(script.run_until_killed().is_none());
        assert_eq!(fs::read(script.directory().join(ERRORED)).unwrap(), errored, "lost at call {write}");
        // What a killed Terraform leaves is for force-unlock.
        delete_item(&aws, KEY);
        let ran = script.run();
        codes.push(ran.code);
        if ran.code == 6 {
            saved(ran);
            assert_eq!(object(&aws, SAVED).unwrap(), errored);
        } else {
            pushed(ran);
        }
    }
    // Between the state and its digest, Terraform neither reads nor writes it.
    assert_eq!(codes, [0, 6, 0, 0]);
}

#[test]
fn a_run_that_is_killed_while_it_saves_is_mended_by_the_next() {
    if tool::find("terraform").is_none() {
        return;
    }
    let Some(aws) = backend() else { return };
    let (script, errored) = forked(&aws);
    aws.forget_calls();
    saved(script.run());
    let writes = writes(&aws.calls());
    assert_eq!(writes.len(), 3, "lock, lock, object");
    for write in writes {
        delete_object(&aws, SAVED);
        aws.kill_at(write);
        assert!(script.run_until_killed().is_none());
        delete_item(&aws, KEY);
        saved(script.run());
        assert_eq!(object(&aws, SAVED).unwrap(), errored);
    }
}

#[test]
fn a_file_that_is_no_state_is_saved_and_stays_inert() {
    if tool::find("terraform").is_none() {
        return;
    }
    let Some(aws) = backend() else { return };
    let script = initialised(&aws);
    for content in
        [String::new(), HOSTILE.join("\n"), "{\"version\": 4}".to_owned(), "[]".to_owned(), "{}{}".to_owned()]
    {
        saved(script.clone().file(ERRORED, &content).run());
        assert_eq!(object(&aws, SAVED).unwrap(), content.as_bytes());
        delete_object(&aws, SAVED);
    }
}

#[test]
fn refuses_settings_of_the_wrong_shape() {
    let Some(aws) = Aws::start() else { return };
    let script = script(&aws, "recover-state.sh", "s3").env("TF_COMMAND", "tofu").tool("tofu", "exit 9");
    let script = script.file(ERRORED, "{}");
    for (key, value) in [
        ("TF_COMMAND", "rm"),
        ("STACK_DIRECTORY", "missing"),
        ("ENVIRONMENT", "Dev"),
        ("STACK", "a/b"),
        ("TF_STATE_BUCKET", BUCKET.to_uppercase().as_str()),
        ("EXPECTED_ACCOUNT_ID", ""),
        ("AWS_REGION", "x"),
        ("GITHUB_RUN_ID", "../1"),
        ("GITHUB_RUN_ATTEMPT", "one"),
    ] {
        script.clone().env(key, value).run().exits(2).says(&format!("::error::{key} must be"));
    }
    assert!(aws.calls().is_empty());
}
