use serde_json::{Value, json};

use super::script::{HOSTILE, Script, assert_inert};
use super::stack_on_aws::{BUCKET, backend, put_object, script};
use crate::aws::{Aws, Failure};

const LEDGER: &str = "_pyfleet/applied/dev/app.json";

/// A bucket that keeps versions, and these images in its record, the oldest first: the id, and whether it is good.
fn world(images: &[(&str, bool)]) -> Option<Aws> {
    let aws = backend()?;
    let status = "Status=Enabled";
    aws.cli(&["s3api", "put-bucket-versioning", "--bucket", BUCKET, "--versioning-configuration", status]);
    for (number, (id, good)) in images.iter().enumerate() {
        put_object(&aws, LEDGER, record(number, id, *good).to_string());
    }
    Some(aws)
}

fn record(number: usize, id: &str, good: bool) -> Value {
    let mut image = json!({
        "id": id, "built_at": "2026-01-02T03:04:05Z", "version": "v", "commit": commit(number),
        "software": {"docker": "27.3.1", "uv": "0.5.1"},
    });
    if good {
        image["good_at"] = json!("2026-01-03T00:00:00Z");
    }
    json!({"format": 1, "action": "apply", "commit": commit(number), "time": "2026-01-02T04:00:00Z", "image": image})
}

fn commit(number: usize) -> String {
    format!("{number:040x}")
}

fn asking(aws: &Aws) -> Script {
    script(aws, "golden-image.sh", "s3")
}

#[test]
fn without_a_new_one_the_newest_that_has_proven_itself_is_taken() {
    let Some(aws) = world(&[("100", true), ("101", true), ("102", false)]) else { return };
    let ran = asking(&aws)
        .run()
        .exits(0)
        .says("image 101: latest good")
        .outputs("image_id", "101")
        .outputs("source", "latest good")
        .shows("| Source | latest good |")
        .shows("days |")
        .shows("| Software | `docker 27.3.1, uv 0.5.1` |");
    assert_eq!(serde_json::from_str::<Value>(&ran.outputs["image"]).unwrap()["software"]["uv"], "0.5.1");
    assert!(!ran.outputs.contains_key("commit"));
    let Some(aws) = world(&[("100", false)]) else { return };
    asking(&aws).run().exits(3).says("::error::no image has proven itself in dev/app yet");
}

#[test]
fn what_was_built_comes_first_and_what_was_chosen_before_it() {
    let Some(aws) = world(&[("100", true)]) else { return };
    let built = json!({"id": "ami-9", "built_at": "2026-01-02T03:04:05Z", "version": "v9", "commit": commit(9), "software": {"uv": "1"}});
    asking(&aws)
        .env("BUILT", built.to_string())
        .run()
        .exits(0)
        .outputs("image_id", "ami-9")
        .outputs("source", "built in this run");
    asking(&aws)
        .env("CHOSEN", "100")
        .run()
        .exits(0)
        .outputs("source", "chosen by hand")
        .shows("`docker 27.3.1");
    asking(&aws)
        .env("CHOSEN", "9000")
        .run()
        .exits(0)
        .outputs("image_id", "9000")
        .says("::notice::9000 is not on record in dev/app")
        .shows("| Built | – |");
    asking(&aws)
        .env("CHOSEN", "100")
        .env("BUILT", built.to_string())
        .run()
        .exits(2)
        .says("another one chosen by hand");
}

#[test]
fn what_is_chosen_by_hand_is_an_id_and_nothing_else() {
    let Some(aws) = world(&[]) else { return };
    for text in HOSTILE.iter().chain(&["-var", "a b", "../x", &"1".repeat(201)]) {
        if text.is_empty() {
            continue;
        }
        let ran = asking(&aws).env("CHOSEN", text).run().exits(2);
        assert!(ran.outputs.is_empty());
    }
    for text in HOSTILE {
        asking(&aws).env("TARGET", text).run().exits(2);
        asking(&aws).env("BUILT", text).run().exits(2);
    }
}

#[test]
fn the_one_before_has_proven_itself_and_is_not_live() {
    let Some(aws) = world(&[("100", true), ("101", true), ("102", false), ("103", true), ("103", true)])
    else {
        return;
    };
    asking(&aws)
        .env("TARGET", "previous")
        .run()
        .exits(0)
        .outputs("image_id", "101")
        .outputs("source", "previous")
        .outputs("commit", &commit(1));
    asking(&aws)
        .env("TARGET", "102")
        .run()
        .exits(0)
        .outputs("image_id", "102")
        .outputs("source", "on record");
    asking(&aws).env("TARGET", "999").run().exits(3).says("not on record").says("103, 102, 101, 100");
    let ran = asking(&aws)
        .env("TARGET", "list")
        .run()
        .exits(0)
        .says("103 good, live")
        .says("102 not proven")
        .shows("| live | `103` |");
    assert!(ran.outputs.is_empty());
    assert_inert(&ran.summary, &[]);
    let Some(aws) = world(&[("100", false), ("101", true)]) else { return };
    asking(&aws).env("TARGET", "previous").run().exits(3).says("before the one that is live");
}

#[test]
fn what_is_no_record_is_left_out() {
    let Some(aws) = world(&[("100", true)]) else { return };
    for text in ["", "[]", "{\"commit\": 1}"] {
        put_object(&aws, LEDGER, text);
    }
    let mut odd = record(5, "x", true);
    odd["image"] = json!({"id": "$(touch pwned)", "good_at": "now"});
    put_object(&aws, LEDGER, odd.to_string());
    asking(&aws)
        .run()
        .exits(0)
        .outputs("image_id", "100")
        .says("::warning::a version of the record cannot be read");
    // Another stack's record begins alike.
    put_object(&aws, "_pyfleet/applied/dev/app.json.bak", record(7, "777", true).to_string());
    asking(&aws).env("TARGET", "777").run().exits(3);
}

#[test]
fn hostile_records_are_shown_as_text() {
    let Some(aws) = world(&[]) else { return };
    asking(&aws).env("TARGET", "list").run().exits(3).says("no image is on record");
    for (number, text) in HOSTILE.iter().enumerate() {
        let mut record = record(number, &format!("id-{number}"), true);
        for key in ["built_at", "version"] {
            record["image"][key] = json!(text);
        }
        record["image"]["software"] = json!({"tool": text, *text: "1"});
        put_object(&aws, LEDGER, record.to_string());
    }
    let ran = asking(&aws).env("TARGET", "list").run().exits(0);
    assert_inert(&ran.summary, &[]);
    let ran = asking(&aws).run().exits(0);
    assert_inert(&ran.summary, &[]);
}

#[test]
fn aws_that_does_not_answer_is_no_empty_record() {
    let Some(aws) = world(&[("100", true)]) else { return };
    for operation in ["s3:ListBucketVersions", "s3:GetObjectVersion"] {
        aws.fail_next(operation, Failure::Status(403));
        asking(&aws).run().exits(1).says("::error::the record of dev/app cannot be read");
    }
}
