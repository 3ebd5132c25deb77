//! Real CDKTF, as the example's lock file pins it, with the example's program.

use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use super::backend::refuses;
use super::script::{HOSTILE, Script};
use crate::runner::action::copy_into;
use crate::tool;

const DIRECTORY: &str = "cdktf.out/stacks/showcase";

fn image(name: &str, digit: char) -> String {
    format!("210987654321.dkr.ecr.eu-central-1.amazonaws.com/{name}@sha256:{}", digit.to_string().repeat(64))
}

fn backend() -> Value {
    json!({
        "bucket": "experience-showcase-tfstate-210987654321", "key": "production/showcase.tfstate",
        "region": "eu-central-1", "encrypt": "true", "use_lockfile": "true",
    })
}

/// The script in the example, after `npm ci`.
fn script() -> Option<Script> {
    let cdktf = tool::find("cdktf")?;
    let node = tool::find("node")?;
    let modules = cdktf.path().parent().unwrap().parent().unwrap();
    let script = Script::new("cdktf-synth.sh")
        .real_tool("node", node.path())
        .env("CDKTF_DIRECTORY", "infra")
        .env("CDKTF_VERSION", "0.21.0")
        .env("STACK", "showcase")
        .env("STACK_DIRECTORY", DIRECTORY)
        .env("LOCK_FILE", "infra/locks/showcase/.terraform.lock.hcl")
        .env("ENVIRONMENT", "production")
        .env("BACKEND", backend().to_string())
        .env("IMAGE_BACKEND", image("backend", 'a'))
        .env("IMAGE_PROMETHEUS", image("prometheus", 'b'))
        .env("EXPECTED_IMAGES", r#"["IMAGE_BACKEND","IMAGE_PROMETHEUS"]"#);
    let infra = script.directory().join("infra");
    copy_into(&tool::repository().join("examples/experience-showcase/infra"), &infra);
    symlink(modules, infra.join("node_modules")).unwrap();
    Some(script)
}

#[test]
fn a_stack_is_synthesised_with_its_images_and_its_lock_file() {
    let Some(script) = script() else { return };
    let ran = script.run().exits(0).says("synthesised showcase for production");
    let synthesised = ran.json(&format!("{DIRECTORY}/cdk.tf.json"));
    assert_eq!(synthesised["terraform"]["backend"]["s3"]["use_lockfile"], true);
    let text = synthesised.to_string();
    assert!(text.contains(&image("backend", 'a')) && text.contains(&image("prometheus", 'b')), "{text}");
    assert!(!ran.text(&format!("{DIRECTORY}/.terraform.lock.hcl")).is_empty());
    // Whatever lies there already is not mixed with it.
    script.run().exits(2).says("STACK_DIRECTORY must not be there yet");
}

#[test]
fn what_is_synthesised_is_what_the_manifest_says() {
    let Some(script) = script() else { return };
    let with = |name: &str, value: Value| {
        let mut own = backend();
        match value {
            Value::Null => drop(own.as_object_mut().unwrap().remove(name)),
            value => own[name] = value,
        }
        script.clone().env("BACKEND", own.to_string()).run().exits(4)
    };
    with("bucket", json!("other"))
        .says("its bucket is other in the manifest and experience-showcase-tfstate-");
    with("key", json!("other")).says("its key is other in the manifest");
    with("region", json!("us-east-1")).says("its region is us-east-1 in the manifest");
    with("use_lockfile", Value::Null).says("its use_lockfile is nothing in the manifest and true in what");
    with("dynamodb_table", json!("locks")).says("its dynamodb_table is locks in the manifest and nothing in");
    script.clone().env("STACK", "other").run().exits(4).says("synthesises no stack other, but: showcase");
    script
        .clone()
        .env("IMAGE_OLD", image("old", 'c'))
        .env("EXPECTED_IMAGES", r#"["IMAGE_BACKEND","IMAGE_OLD"]"#)
        .run()
        .exits(4)
        .says("::error::the program does not use IMAGE_OLD: ")
        .never_says("does not use IMAGE_BACKEND");
    script
        .clone()
        .env("LOCK_FILE", "infra/none")
        .run()
        .exits(5)
        .says("::error::there is no infra/none: synthesise the stack, run terraform providers lock");
    assert!(!script.directory().join(DIRECTORY).exists());
}

#[test]
fn the_command_line_is_the_one_of_the_lock_file() {
    let Some(script) = script() else { return };
    let ran = script.clone().env("CDKTF_VERSION", "0.20.12").run().exits(3);
    ran.says("package-lock.json has cdktf-cli 0.21.0, and the manifest says 0.20.12");
    std::fs::remove_file(script.directory().join("infra/node_modules")).unwrap();
    script.run().exits(3).says("npm install --save-dev --save-exact cdktf-cli@0.21.0");
}

#[test]
fn a_program_that_fails_says_so_itself() {
    let Some(script) = script() else { return };
    for text in HOSTILE.iter().skip(5).take(3) {
        let program = format!("console.log({}); throw new Error(\"broken on purpose\");", json!(text));
        let ran = script.clone().file("infra/main.js", program).run().exits(1);
        ran.says("::error::cdktf synth failed for production/showcase").says("broken on purpose");
    }
}

#[test]
fn refuses_settings_of_the_wrong_shape() {
    let Some(script) = script() else { return };
    for (name, values) in [
        ("CDKTF_DIRECTORY", &["", "none"][..]),
        ("CDKTF_VERSION", &["", "0.21", "^0.21.0"]),
        ("STACK", &["", "../other", "Showcase"]),
        ("ENVIRONMENT", &["", "a b"]),
        ("LOCK_FILE", &[""]),
        ("BACKEND", &["", "{}", "[]", r#"{"bucket": 1, "key": "k"}"#]),
        ("EXPECTED_IMAGES", &["{}", r#"["PATH"]"#]),
        ("IMAGE_BACKEND", &["", "backend:latest", "backend@sha256:0"]),
    ] {
        refuses(&script, name, values);
    }
}
