use serde_json::{Value, json};

use super::script::Script;
use super::stack_on_aws::{backend, object, put_object, script};
use crate::aws::{Aws, Failure};

const LEDGER: &str = "_pyfleet/applied/dev/app.json";

fn recording(aws: &Aws, image: &str) -> Script {
    script(aws, "record-image.sh", "s3").env("IMAGE_ID", image)
}

fn ledger(aws: &Aws) -> Value {
    serde_json::from_slice(&object(aws, LEDGER).unwrap()).unwrap()
}

#[test]
fn what_has_proven_itself_is_good_from_now_on() {
    let Some(aws) = backend() else { return };
    let record = json!({"format": 1, "commit": "c", "image": {"id": "101", "software": {}}, "reason": "a \"quoted\" ä"});
    put_object(&aws, LEDGER, record.to_string());
    recording(&aws, "101").run().exits(0).says("101 is known to work in dev/app");
    let mut written = ledger(&aws);
    let time = written["image"]["good_at"].take();
    assert!(time.as_str().is_some_and(|time| time.len() == 20 && time.ends_with('Z')), "{time}");
    written["image"].as_object_mut().unwrap().remove("good_at");
    assert_eq!(written, record);
    recording(&aws, "101").run().exits(0).says("was known before");
    recording(&aws, "102")
        .run()
        .exits(3)
        .says("::error::the newest record of dev/app is not of the image 102");
    for text in ["", "[]", "{}", "{\"image\": null}"] {
        put_object(&aws, LEDGER, text);
        recording(&aws, "101").run().exits(3);
    }
}

#[test]
fn a_record_that_is_missing_is_told() {
    let Some(aws) = backend() else { return };
    recording(&aws, "101")
        .run()
        .exits(1)
        .says("only the record of that is missing")
        .says("run this job again");
    put_object(&aws, LEDGER, json!({"image": {"id": "101"}}).to_string());
    for operation in ["s3:GetObject", "s3:PutObject"] {
        aws.fail_next(operation, Failure::Status(403));
        recording(&aws, "101").run().exits(1).says("only the record of that is missing");
        assert_eq!(ledger(&aws)["image"]["good_at"], Value::Null);
    }
    recording(&aws, "--key").run().exits(2);
}
