use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use super::script::{HOSTILE, Script, assert_inert};
use super::stack_on_aws::{BUCKET, KEY, backend, delete_object, put_object, script};
use crate::aws::{Aws, Failure};

const LEDGER: &str = "_pyfleet/applied/dev/app.json";

/// The commit of a number.
fn commit(number: u8) -> String {
    format!("{number:040x}")
}

/// A bucket that keeps versions, a state, and these of the record, the oldest first.
fn world(records: &[(u8, &str)]) -> Option<Aws> {
    let aws = backend()?;
    let status = [
        "s3api",
        "put-bucket-versioning",
        "--bucket",
        BUCKET,
        "--versioning-configuration",
        "Status=Enabled",
    ];
    aws.cli(&status);
    put_object(&aws, KEY, "{}");
    for (number, action) in records {
        record(
            &aws,
            &json!({"commit": commit(*number), "action": action, "time": "2026-01-01T00:00:00Z", "resources": 3}),
        );
    }
    Some(aws)
}

fn record(aws: &Aws, record: &Value) {
    put_object(aws, LEDGER, record.to_string());
}

fn going_back(aws: &Aws, target: &str) -> Script {
    script(aws, "applied-history.sh", "s3").env("TARGET", target)
}

#[test]
fn what_was_live_before_is_the_newest_of_another_commit() {
    for (records, previous) in [
        (&[(1, "apply"), (2, "apply")][..], Some(1)),
        (&[(1, "apply"), (2, "apply"), (2, "promote")], Some(1)),
        (&[(1, "apply"), (2, "apply"), (1, "rollback"), (3, "apply")], Some(1)),
        // What was destroyed is what was there before.
        (&[(1, "apply"), (2, "apply"), (3, "destroy")], Some(2)),
        (&[(1, "apply"), (2, "destroy"), (3, "apply")], Some(1)),
        (&[(1, "apply"), (1, "destroy")], Some(1)),
        (&[(1, "apply"), (1, "apply")], None),
        (&[(1, "destroy")], None),
    ] {
        let Some(aws) = world(records) else { return };
        let ran = going_back(&aws, "previous").run();
        match previous {
            Some(number) => drop(ran.exits(0).outputs("commit", &commit(number))),
            None => drop(ran.exits(3).says("nothing was applied to dev/app before")),
        }
    }
}

/// A record of an apply with an image, and perhaps that it had proven itself.
fn with_image(aws: &Aws, number: u8, id: &str, good: bool) {
    let time = format!("2026-01-0{number}T00:00:00Z");
    let told = json!({"id": id, "built_at": time, "software": {"uv": "0.5.29"}});
    let mut told = json!({"commit": commit(number), "action": "apply", "time": time, "image": told});
    record(aws, &told);
    if good {
        told["image"]["good_at"] = json!(time);
        record(aws, &told);
    }
}

#[test]
fn an_image_goes_back_with_the_commit_that_it_was_applied_with() {
    let Some(aws) = world(&[(1, "apply")]) else { return };
    let going_back = |target: &str| going_back(&aws, target).env("IMAGE_STACK", "app");
    going_back("previous")
        .run()
        .exits(3)
        .says("::error::nothing has proven itself in dev/app before what is live");
    going_back(&commit(1))
        .run()
        .exits(5)
        .says("::error::this commit was applied to dev/app without a golden image");
    with_image(&aws, 2, "101", true);
    with_image(&aws, 3, "102", false);
    // The same commit with another image is something else to go back to; what has not proven itself is not.
    with_image(&aws, 4, "103", true);
    with_image(&aws, 4, "104", true);
    let ran = going_back("previous").run().exits(0).says("back to the image 103");
    let ran = ran.outputs("commit", &commit(4)).outputs("image_id", "103");
    let image: Value = serde_json::from_str(&ran.outputs["image"]).unwrap();
    assert_eq!((&image["software"]["uv"], image.get("good_at")), (&json!("0.5.29"), None));
    going_back(&commit(2)).run().exits(0).outputs("image_id", "101");
    // A person may name what has not proven itself.
    going_back(&commit(3)).run().exits(0).outputs("image_id", "102");
    let listed = going_back("list").run().exits(0).shows("| Reason | Image | Good since |").shows("`103`");
    assert_eq!(listed.summary.matches("`104`").count(), 1, "{}", listed.summary);
    // Of another stack nothing is said.
    let ran = going_back(&commit(2)).env("IMAGE_STACK", "network").run().exits(0);
    assert!(!ran.outputs.contains_key("image"));
    going_back("list").env("IMAGE_STACK", "The App").run().exits(2);
}

#[test]
fn what_was_just_left_is_not_gone_back_to() {
    for records in [
        &[(1, "apply"), (2, "apply"), (1, "rollback")][..],
        &[(1, "apply"), (2, "apply"), (2, "promote"), (2, "revert")],
    ] {
        let Some(aws) = world(records) else { return };
        let action = records.last().unwrap().1;
        let ran = going_back(&aws, "previous").run().exits(4);
        let ran = ran.says(&format!(
            "cannot be told, the last that was done is a {action}: name a commit from the list: "
        ));
        assert!(ran.says(&commit(1)).says(&commit(2)).outputs.is_empty());
        going_back(&aws, &commit(2)).run().exits(0).outputs("commit", &commit(2));
    }
}

#[test]
fn a_state_that_is_newer_than_the_record_is_not_what_it_says() {
    let Some(aws) = world(&[(1, "apply"), (2, "apply")]) else { return };
    going_back(&aws, "previous").run().exits(0).outputs("commit", &commit(1));
    // An apply that broke off. S3 tells times in seconds.
    sleep(Duration::from_secs(2));
    put_object(&aws, KEY, "{ }");
    let ran = going_back(&aws, "previous").run().exits(4);
    let named = format!("name a commit from the list: {}, {}", commit(2), commit(1));
    assert!(ran.says("the state was changed after the last record").says(&named).outputs.is_empty());
    going_back(&aws, "list").run().exits(0);
    going_back(&aws, &commit(2)).run().exits(0).outputs("commit", &commit(2));
    // The next apply is on record again.
    record(&aws, &json!({"commit": commit(3), "action": "apply"}));
    going_back(&aws, "previous").run().exits(0).outputs("commit", &commit(2));

    aws.fail_next("s3:GetObject", Failure::Status(403));
    going_back(&aws, "previous").run().exits(1).says("the state of dev/app cannot be looked at");
    delete_object(&aws, KEY);
    going_back(&aws, "previous").run().exits(4).says("there is no state");
}

#[test]
fn what_is_live_is_not_guessed_where_the_newest_record_is_none() {
    let Some(aws) = world(&[(1, "apply"), (2, "apply")]) else { return };
    put_object(&aws, LEDGER, "{");
    let ran = going_back(&aws, "list").run().exits(0);
    assert!(ran.summary.contains(&commit(2)) && !ran.summary.contains("live"), "{}", ran.summary);
    going_back(&aws, "previous").run().exits(4).says("the newest version of the record cannot be read");
    going_back(&aws, &commit(1)).run().exits(0).outputs("commit", &commit(1));
}

#[test]
fn lists_what_can_be_gone_back_to_and_finds_a_commit_in_it() {
    let Some(aws) = world(&[(1, "apply"), (2, "promote"), (3, "destroy"), (2, "apply")]) else { return };
    // Beside it, and what begins alike.
    put_object(
        &aws,
        "_pyfleet/applied/dev/app.json.bak",
        json!({"commit": commit(9), "action": "apply"}).to_string(),
    );
    let ran = going_back(&aws, "list").run().exits(0);
    assert!(ran.outputs.is_empty());
    let ran = ran.shows(&format!("| live | `{}` | `apply` |", commit(2)));
    assert_eq!(ran.summary.matches("| `2026-01-01T00:00:00Z` |").count(), 4);
    assert_inert(&ran.summary, &[]);
    // What is live may be meant: an apply that broke off is not on record.
    for number in [1, 2] {
        going_back(&aws, &commit(number)).run().exits(0).outputs("commit", &commit(number));
    }
    for number in [3, 9] {
        going_back(&aws, &commit(number)).run().exits(3).says("not on record");
    }
}

#[test]
fn what_is_no_record_is_left_out_and_hostile_text_does_nothing() {
    let Some(aws) = world(&[]) else { return };
    going_back(&aws, "list").run().exits(3).says("nothing is on record");
    put_object(&aws, LEDGER, "{");
    record(&aws, &json!({"commit": "$(touch pwned)", "action": "apply"}));
    record(&aws, &json!({"commit": commit(1), "action": "::error::taken over"}));
    going_back(&aws, "list").run().exits(3).says("::warning::a version of the record cannot be read");
    for hostile in &HOSTILE[..12] {
        record(
            &aws,
            &json!({"commit": commit(1), "action": "apply", "actor": hostile, "reason": hostile, "time": hostile}),
        );
    }
    record(&aws, &json!({"commit": commit(2), "action": "apply", "reason": HOSTILE[12..].join("\n")}));
    let ran = going_back(&aws, "previous").run().exits(0).outputs("commit", &commit(1));
    assert_inert(&ran.summary, &[]);
    // A record that was deleted says nothing any more, its versions do.
    aws.cli(&["s3api", "delete-object", "--bucket", BUCKET, "--key", LEDGER]);
    going_back(&aws, "previous").run().exits(0);
}

#[test]
fn an_answer_that_is_none_is_not_an_empty_record() {
    let Some(aws) = world(&[(1, "apply")]) else { return };
    for action in ["s3:ListBucketVersions", "s3:GetObjectVersion"] {
        aws.fail_next(action, Failure::Status(403));
        going_back(&aws, "list").run().exits(1).says("::error::the record of dev/app cannot be read");
    }
    aws.foreign_bucket("someone-elses");
    going_back(&aws, "list").env("TF_STATE_BUCKET", "someone-elses").run().exits(1);
}

#[test]
fn refuses_settings_that_cannot_be_meant() {
    let Some(aws) = backend() else { return };
    for (key, value) in [
        ("TARGET", ""),
        ("TARGET", "0123456"),
        ("TARGET", "HEAD~1"),
        ("TARGET", "Previous"),
        ("ENVIRONMENT", "../prod"),
        ("STACK", "$(touch pwned)"),
        ("TF_STATE_BUCKET", "s3://bucket"),
        ("TF_STATE_KEY", ""),
        ("TF_STATE_KEY", "file:///etc/passwd"),
        ("EXPECTED_ACCOUNT_ID", "1"),
        ("AWS_REGION", "moon"),
    ] {
        going_back(&aws, "list").env(key, value).run().exits(2);
    }
}
