use serde_json::json;

use super::backend::{
    BUCKET, KEY, LOCK_ID, MODES, TABLE, ago, ask, create, delete, lock, put, put_item, refuses, settings,
    shell, stack,
};
use super::script::{HOSTILE, Ran, Script, assert_inert};
use crate::aws::{Aws, Failure};
use crate::tool;

fn waiting(aws: &Aws, mode: &str) -> Script {
    settings(aws, "wait-for-lock.sh", mode).env("WAIT_TIMEOUT", "0")
}

fn free(ran: Ran) {
    let ran = ran.exits(0).outputs("lock_state", "free").says("the lock is free");
    assert_eq!((ran.outputs.len(), ran.summary.as_str()), (1, ""));
}

fn lock_of(aws: &Aws, content: &str) {
    put(aws, &format!("{KEY}.tflock"), content);
}

fn item_of(aws: &Aws, content: &str) {
    put_item(aws, &json!({"LockID": {"S": format!("{BUCKET}/{KEY}")}, "Info": {"S": content}}));
}

#[test]
fn terraforms_own_locks_are_seen_and_waited_for() {
    if tool::find("terraform").is_none() {
        return;
    }
    let Some(aws) = Aws::start() else { return };
    create(&aws, "both");
    for mode in MODES {
        let apply = "touch wait\nterraform apply -auto-approve -no-color >apply.log 2>&1 &\n\
            until [[ -e started ]]; do sleep 0.1; done\n";
        let running = shell(&aws, &format!("{}{apply}", stack(mode)));
        running.run().exits(0);
        let ran = waiting(&aws, mode)
            .run()
            .exits(3)
            .outputs("lock_state", "held")
            .outputs("lock_operation", "OperationTypeApply")
            .says("action force-unlock of a workflow of kind tf, lock_id ")
            .says("for OperationTypeApply")
            .shows(&format!("The lock of `{KEY}` is held"));
        assert_eq!(ran.outputs["lock_id"].len(), 36);
        assert!(ran.outputs["lock_created"].starts_with("20"), "{:?}", ran.outputs);
        assert!(ran.outputs["lock_who"].contains('@'), "{:?}", ran.outputs);
        // Ends a while after the wait has begun, on a slow machine too.
        shell(&aws, &format!("(sleep 8; rm '{}/wait') >/dev/null 2>&1 &", running.directory().display()))
            .run()
            .exits(0);
        let script = waiting(&aws, mode).env("WAIT_TIMEOUT", "60").env("WAIT_INTERVAL", "1");
        let ran = script.run().exits(0).outputs("lock_state", "free").says("::notice::waiting for the lock");
        assert_eq!(ran.log.matches("::notice::").count(), 1, "said once");
        // What Terraform leaves behind, the digest among it, is no lock.
        free(waiting(&aws, mode).run());
        shell(&aws, &format!("{}terraform destroy -auto-approve -no-color", stack(mode))).run().exits(0);
    }
}

#[test]
fn either_of_two_locks_is_held() {
    let Some(aws) = Aws::start() else { return };
    create(&aws, "both");
    put_item(&aws, &json!({"LockID": {"S": format!("{BUCKET}/{KEY}-md5")}, "Digest": {"S": "0"}}));
    free(waiting(&aws, "both").run());
    // A key alone is not what Terraform writes.
    put_item(&aws, &json!({"LockID": {"S": KEY}, "Info": {"S": lock(&ago(9))}}));
    free(waiting(&aws, "both").run());

    lock_of(&aws, &lock(&ago(100)));
    for mode in ["s3", "both"] {
        let ran = waiting(&aws, mode)
            .run()
            .exits(3)
            .outputs("lock_state", "held")
            .outputs("lock_id", LOCK_ID)
            .outputs("lock_who", "runner@host")
            .says("by runner@host for 1 min")
            .says(&format!(
                "release it with the action force-unlock of a workflow of kind tf, lock_id {LOCK_ID}"
            ));
        assert_inert(&ran.summary, &[]);
    }
    free(waiting(&aws, "dynamodb").run());
    delete(&aws, &format!("{KEY}.tflock"));

    item_of(&aws, &lock(&ago(100)));
    for mode in ["dynamodb", "both"] {
        waiting(&aws, mode).run().exits(3).outputs("lock_id", LOCK_ID).says("in the lock table");
    }
    free(waiting(&aws, "s3").run());
}

#[test]
fn a_lock_left_behind_is_stale_at_once() {
    let Some(aws) = Aws::start() else { return };
    create(&aws, "both");
    for mode in ["s3", "dynamodb"] {
        if mode == "s3" {
            lock_of(&aws, &lock(&ago(7300)));
        } else {
            item_of(&aws, &lock(&ago(7300)));
        }
        let script = waiting(&aws, mode).env("WAIT_TIMEOUT", "600");
        script.run().exits(4).outputs("lock_state", "stale").says("for 2 h 1 min");
        script.env("LOCK_STALE_AFTER", "7500").env("WAIT_TIMEOUT", "0").run().exits(3);
    }
    // A clock that is behind makes no lock old.
    lock_of(&aws, &lock("2999-01-01T00:00:00Z"));
    waiting(&aws, "s3").run().exits(3).says("for 0 s");
}

#[test]
fn the_wait_ends_when_its_time_is_up() {
    let Some(aws) = Aws::start() else { return };
    create(&aws, "s3");
    lock_of(&aws, &lock(&ago(1)));
    aws.forget_calls();
    let begin = std::time::Instant::now();
    let script = waiting(&aws, "s3").env("WAIT_TIMEOUT", "3").env("WAIT_INTERVAL", "1000");
    script.run().exits(3).says("::notice::waiting");
    assert!(begin.elapsed().as_secs() >= 2, "it waits");
    let looks = aws.calls().iter().filter(|call| call.action == "s3:GetObject").count();
    assert_eq!(looks, 2, "at the beginning and at the end, and not after a long interval");
    assert!(
        aws.calls()
            .iter()
            .all(|call| ["s3:GetBucketLocation", "s3:GetObject"].contains(&call.action.as_str())),
        "it only reads"
    );
}

#[test]
fn a_lock_that_cannot_be_read_is_held() {
    let Some(aws) = Aws::start() else { return };
    create(&aws, "both");
    for content in ["", "garbage", "{}", "[1]", "{\"ID\": 5}", "{\"ID\": \"a\\nb\"}", "{\"ID\": \"\"}"] {
        lock_of(&aws, content);
        let ran = waiting(&aws, "s3").run().exits(3).outputs("lock_id", "unreadable");
        // Its age is that of the object.
        assert!(ran.outputs["lock_created"].starts_with("20"), "{content}: {:?}", ran.outputs);
        ran.says("look at it by hand").never_says("lock_id unreadable");
    }
    waiting(&aws, "s3").env("LOCK_STALE_AFTER", "1").env("WAIT_TIMEOUT", "9").run().exits(4);
    item_of(&aws, "garbage");
    waiting(&aws, "dynamodb").run().exits(3).outputs("lock_id", "unreadable").outputs("lock_created", "");
    put_item(&aws, &json!({"LockID": {"S": format!("{BUCKET}/{KEY}")}}));
    waiting(&aws, "dynamodb").env("LOCK_STALE_AFTER", "1").run().exits(3).says("for an unknown time");
}

#[test]
fn unknown_is_never_free() {
    let Some(aws) = Aws::start() else { return };
    for mode in MODES {
        let ran =
            waiting(&aws, mode).run().exits(5).outputs("lock_state", "unknown").outputs("backend", "missing");
        ran.says(&format!(
            "the bucket {BUCKET} does not exist: it is made by the action create-backend of a workflow of kind tf"
        ));
    }
    create(&aws, "both");
    let failures = [Failure::Status(403), Failure::Status(404), Failure::Status(500), Failure::Drop];
    for (mode, action) in
        [("s3", "s3:GetObject"), ("both", "dynamodb:GetItem"), ("dynamodb", "s3:GetBucketLocation")]
    {
        for failure in failures {
            aws.fail_next(action, failure);
            let ran = waiting(&aws, mode).run().exits(5).outputs("lock_state", "unknown");
            assert!(!ran.outputs.contains_key("backend"), "{mode}: not known to be missing");
            ran.says("whether the state is locked is unknown").says("did not answer: ");
        }
    }
    waiting(&aws, "s3").env("EXPECTED_ACCOUNT_ID", "999999999999").run().exits(5).says("AccessDenied");
    ask(&aws, "dynamodb update-table --no-deletion-protection-enabled --table-name", &[TABLE]);
    ask(&aws, "dynamodb delete-table --table-name", &[TABLE]);
    let ran = waiting(&aws, "both").run().exits(5).says("the lock table acme-lock does not exist");
    assert!(!ran.outputs.contains_key("backend"));
}

#[test]
fn what_a_holder_writes_stays_one_inert_line() {
    let Some(aws) = Aws::start() else { return };
    create(&aws, "s3");
    let all = HOSTILE.join("");
    for text in ["two\nlines\u{2028}\r\nlock_state=free", "::error::taken over", &all] {
        lock_of(&aws, &json!({"ID": LOCK_ID, "Who": text, "Operation": text, "Created": text}).to_string());
        let ran =
            waiting(&aws, "s3").run().exits(3).outputs("lock_state", "held").outputs("lock_id", LOCK_ID);
        assert_inert(&ran.summary, &[]);
    }
    lock_of(&aws, &json!({"ID": LOCK_ID, "Who": {"a": 1}, "Operation": 5, "Created": []}).to_string());
    waiting(&aws, "s3").run().exits(3).outputs("lock_who", "").outputs("lock_operation", "");
}

#[test]
fn settings_that_cannot_be_meant_are_refused() {
    let Some(aws) = Aws::start() else { return };
    create(&aws, "both");
    let script = waiting(&aws, "both");
    for name in [
        "TF_STATE_BUCKET",
        "TF_LOCK_MODE",
        "TF_LOCK_TABLE",
        "EXPECTED_ACCOUNT_ID",
        "AWS_REGION",
        "WAIT_TIMEOUT",
        "WAIT_INTERVAL",
        "LOCK_STALE_AFTER",
    ] {
        refuses(&script, name, &["\n1", "$(touch pwned)", "--leading"]);
    }
    refuses(&script, "WAIT_INTERVAL", &["0", "1s"]);
    refuses(
        &script,
        "TF_STATE_KEY",
        &["", "two\nlines", "file:///etc/passwd", "fileb://x", "http://localhost/"],
    );
    for key in HOSTILE.iter().filter(|key| !key.contains(|character: char| character.is_ascii_control())) {
        let script = waiting(&aws, "both").env("TF_STATE_KEY", key);
        if !key.starts_with("https://") {
            free(script.run());
            put(&aws, &format!("{key}.tflock"), &lock(&ago(1)));
            let ran = script.run().exits(3).outputs("lock_id", LOCK_ID);
            assert_inert(&ran.summary, &[]);
        }
    }
}
