use serde_json::{Value, json};

use super::backend::refuses;
use super::script::{HOSTILE, Ran, Script};
use super::stack_on_aws::{COMMIT, backend, put_object, script};
use crate::aws::{Aws, Failure};

const API: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop/api@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const WEB: &str = "ghcr.io/acme/web@sha256:fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";

fn looking(aws: &Aws) -> Script {
    let stacks = json!([
        {"stack": "app", "images": ["IMAGE_API"], "directory": "the ä"},
        {"stack": "net", "images": []},
    ]);
    script(aws, "recorded-images.sh", "s3")
        .env("STACKS", stacks.to_string())
        .env("IMAGES", r#"["IMAGE_API", "IMAGE_WEB"]"#)
        .env("RESULTS_DIR", "the results")
}

fn record(aws: &Aws, stack: &str, images: &Value) {
    let text = json!({"commit": COMMIT, "action": "apply", "images": images}).to_string();
    put_object(aws, &format!("_pyfleet/applied/dev/{stack}.json"), text);
}

#[track_caller]
fn stacks(ran: &Ran) -> Value {
    serde_json::from_str(&ran.outputs["stacks"]).unwrap()
}

#[track_caller]
fn left(ran: &Ran, stack: &str, class: &str, says: &str) {
    let result = ran.json(&format!("the results/{stack}/result.json"));
    assert_eq!(
        (&result["environment"], &result["stack"], &result["class"], &result["commit"]),
        (&json!("dev"), &json!(stack), &json!(class), &json!(COMMIT))
    );
    assert_eq!((&result["fingerprint"], &result["changes"]), (&json!(""), &json!([])));
    assert!(result["message"].as_str().unwrap().contains(says), "{result}");
}

#[test]
fn each_stack_gets_the_images_that_it_was_applied_with() {
    let Some(aws) = backend() else { return };
    let both = json!({"IMAGE_API": API, "IMAGE_WEB": WEB});
    record(&aws, "app", &both);
    record(&aws, "net", &both);
    let ran = looking(&aws).run().exits(0).says(&format!("dev/app was applied with IMAGE_API {API}"));
    let expected = json!([
        {"stack": "app", "images": ["IMAGE_API"], "directory": "the ä", "recorded": both},
        {"stack": "net", "images": [], "recorded": both},
    ]);
    assert_eq!(stacks(&ran), expected);
    assert!(!looking(&aws).directory().join("the results/app/result.json").exists());
    // A program that is handed no image.
    record(&aws, "net", &json!({}));
    let ran = looking(&aws)
        .env("STACKS", r#"[{"stack": "net", "images": []}]"#)
        .env("IMAGES", "[]")
        .run()
        .exits(0)
        .says("dev/net was applied with no image");
    assert_eq!(stacks(&ran), json!([{"stack": "net", "images": [], "recorded": {}}]));
}

#[test]
fn what_was_never_applied_is_said_and_no_error() {
    let Some(aws) = backend() else { return };
    let ran = looking(&aws).run().exits(0).never_says("::error::");
    assert_eq!(stacks(&ran), json!([]));
    for stack in ["app", "net"] {
        left(&ran, stack, "pending", "nothing is on record as applied yet");
    }
    // Without an image that there is by now, and by a version that wrote none down.
    record(&aws, "app", &json!({"IMAGE_API": API}));
    record(&aws, "net", &Value::Null);
    let ran = looking(&aws).run().exits(0).never_says("::error::");
    assert_eq!(stacks(&ran), json!([]));
    left(&ran, "app", "pending", "it was applied without IMAGE_WEB");
    left(&ran, "net", "pending", "it was applied without IMAGE_API, IMAGE_WEB");
    let ran = looking(&aws).env("TF_STATE_BUCKET", "no-such-bucket").run().exits(0).never_says("::error::");
    left(&ran, "app", "no-backend", "does not exist");
}

#[test]
fn a_record_that_cannot_be_read_is_an_error_of_its_stack_alone() {
    let Some(aws) = backend() else { return };
    let both = json!({"IMAGE_API": API, "IMAGE_WEB": WEB});
    record(&aws, "net", &both);
    for images in [json!([]), json!("x"), json!({"IMAGE_API": "nginx:latest", "IMAGE_WEB": WEB})] {
        record(&aws, "app", &images);
        let ran = looking(&aws).run().exits(0);
        left(&ran, "app", "error", "is unreadable");
        assert_eq!(stacks(&ran)[0]["stack"], "net");
    }
    for text in HOSTILE.iter().chain(&["", "{} {}", "[]"]) {
        put_object(&aws, "_pyfleet/applied/dev/app.json", *text);
        left(&looking(&aws).run().exits(0), "app", "error", "is unreadable");
    }
    record(&aws, "app", &both);
    for failure in [Failure::Status(403), Failure::Status(500), Failure::Drop] {
        aws.fail_next("s3:GetObject", failure);
        let ran =
            looking(&aws).run().exits(0).says("::error::with which images dev/app was applied is not known");
        left(&ran, "app", "error", "did not answer");
        assert_eq!(stacks(&ran)[0]["stack"], "net");
    }
}

#[test]
fn refuses_settings_of_the_wrong_shape() {
    let Some(aws) = backend() else { return };
    let script = looking(&aws);
    for (key, values) in [
        ("STACKS", &["", "{}", "[1]", r#"[{"stack": "../x", "images": []}]"#, r#"[{"stack": "x"}]"#][..]),
        ("IMAGES", &["{}", r#"["PATH"]"#, "[] []"]),
        ("RESULTS_DIR", &[""]),
        ("ENVIRONMENT", &["", "$(touch pwned)"]),
        ("TF_STATE_BUCKET", &["", "a b"]),
        ("EXPECTED_ACCOUNT_ID", &["1"]),
        ("AWS_REGION", &["mars"]),
        ("GITHUB_SHA", &["main"]),
    ] {
        refuses(&script, key, values);
    }
    script
        .file("the results/app/result.json/x", "")
        .run()
        .exits(1)
        .says("::error::the result of app cannot be written");
}
