use serde_json::{Value, json};

use super::backend::refuses;
use super::script::{HOSTILE, Script};

fn image(digit: char) -> String {
    format!("registry.example/shop/backend@sha256:{}", digit.to_string().repeat(64))
}

/// A plan, as the tool shows it.
fn plan(values: &Value, outputs: &Value) -> Script {
    let plan = json!({"planned_values": {"root_module": {"child_modules": [{"resources": [
        {"address": "module.a.terraform_data.task", "mode": "managed", "values": values},
        {"address": "data.external.other", "mode": "data", "values": {"image": image('d')}},
    ]}]}, "outputs": outputs}});
    Script::new("plan-digests.sh")
        .tool("terraform", "cat plan.json")
        .file("plan.json", plan.to_string())
        .file("stack/cdk.tf.json", "{}")
        .file("plan.tfplan", "")
        .env("TF_COMMAND", "terraform")
        .env("STACK_DIRECTORY", "stack")
        .env("PLAN_FILE", "plan.tfplan")
        .env("ENVIRONMENT", "production")
        .env("STACK", "showcase")
        .env("IMAGE_BACKEND", image('a'))
        .env("IMAGE_PROMETHEUS", image('d'))
        .env("EXPECTED_IMAGES", r#"["IMAGE_BACKEND"]"#)
}

#[test]
fn a_digest_is_planned_inside_of_whatever_text_has_it() {
    let definition = json!({"containerDefinitions": [{"image": image('a')}]}).to_string();
    plan(&json!({"input": {"definition": definition}}), &json!({}))
        .run()
        .exits(0)
        .says("has the digests of IMAGE_BACKEND");
    plan(&json!({}), &json!({"image": {"sensitive": false, "value": image('a')}})).run().exits(0);
    let none = plan(&json!({}), &json!({})).env("EXPECTED_IMAGES", "[]");
    none.run().exits(0).says("has the digests of no image");
}

#[test]
fn a_digest_that_is_not_planned_is_named() {
    let script = plan(&json!({"input": image('b')}), &json!({}));
    let ran =
        script.run().exits(3).says("::error::the plan of production/showcase is refused: it does not have ");
    ran.says(&image('a'));
    // What is only read is not planned.
    let ran = script.env("EXPECTED_IMAGES", r#"["IMAGE_BACKEND","IMAGE_PROMETHEUS"]"#).run().exits(3);
    ran.says(&image('a')).says(&image('d'));
}

#[test]
fn what_is_no_plan_is_refused() {
    let script = plan(&json!({}), &json!({}));
    for text in HOSTILE.iter().copied().chain(["", "{}", "[]"]) {
        script.clone().file("plan.json", text).run().exits(1).says("::error::terraform show failed");
    }
    script.clone().tool("terraform", "echo broken >&2; exit 1").run().exits(1).says("broken");
}

#[test]
fn refuses_settings_of_the_wrong_shape() {
    let script = plan(&json!({}), &json!({}));
    for (name, values) in [
        ("TF_COMMAND", &["", "sh"][..]),
        ("STACK_DIRECTORY", &["", "none"]),
        ("PLAN_FILE", &["", "none"]),
        ("ENVIRONMENT", &["", "a b"]),
        ("STACK", &["", "../a"]),
        ("EXPECTED_IMAGES", &["{}", r#"["PATH"]"#]),
        ("IMAGE_BACKEND", &["", "backend:latest"]),
    ] {
        refuses(&script, name, values);
    }
}
