use std::fs;

use super::script::{HOSTILE, Script};
use crate::aws::Aws;
use crate::tool;
use serde_json::{Value, json};

fn init(command: &str) -> Script {
    Script::new("terraform-init.sh").env("TF_COMMAND", command).env("STACK_DIRECTORY", "the stack")
}

fn stack(text: &str) -> Script {
    init("terraform").file("the stack/main.tf", text)
}

const LOCAL: &str = "terraform {\n  backend \"local\" {}\n}\n";

#[test]
fn initialises_as_often_as_it_is_asked() {
    if tool::find("terraform").is_none() {
        return;
    }
    let script = stack(LOCAL);
    let state = script.directory().join("the state.tfstate");
    let script = script.env("BACKEND", json!({"path": state}).to_string());
    for _ in 0..2 {
        let ran = script.run().exits(0).says("Terraform has been successfully initialized");
        let kept: Value = ran.json("the stack/.terraform/terraform.tfstate");
        assert_eq!(kept["backend"]["config"]["path"], json!(state));
        assert!(ran.summary.is_empty());
    }
    // Another backend replaces the first: nothing is asked, nothing is moved.
    script.env("BACKEND", r#"{"path": "other.tfstate"}"#).run().exits(0);
    stack("").run().exits(0);
}

#[test]
fn a_stack_without_a_backend_is_refused() {
    if tool::find("terraform").is_none() {
        return;
    }
    stack("resource \"terraform_data\" \"x\" {}\n")
        .env("BACKEND", r#"{"bucket": "state"}"#)
        .run()
        .exits(1)
        .says("::error::the stack has no backend block")
        .shows("backend \"s3\" {}");
}

#[test]
fn a_failing_tool_is_heard() {
    if tool::find("terraform").is_none() {
        return;
    }
    stack(LOCAL)
        .env("BACKEND", r#"{"pth": "x"}"#)
        .run()
        .exits(1)
        .says("pth")
        .says("::error::terraform init failed: its output is above")
        .shows("### ❌ terraform init failed")
        .never_says("providers lock")
        .never_says("create-backend");
}

/// A stack that needs a provider, and a directory on this machine that has it.
fn provided() -> Script {
    let script = stack(
        "terraform {\n  required_providers {\n    fake = { source = \"acme/fake\", version = \"1.0.0\" }\n  }\n}\n",
    );
    let platform = if cfg!(target_arch = "aarch64") { "linux_arm64" } else { "linux_amd64" };
    let mirror = script.directory().join("mirror");
    let configuration = format!(
        "provider_installation {{\n  filesystem_mirror {{\n    path = {:?}\n  }}\n}}\n",
        mirror.display().to_string()
    );
    script
        .file(
            format!("mirror/registry.terraform.io/acme/fake/1.0.0/{platform}/terraform-provider-fake_v1.0.0"),
            "#!/bin/sh\n",
        )
        .file("terraform.rc", configuration)
        .env("TF_CLI_CONFIG_FILE", "terraform.rc")
        .env("STACK_DIRECTORY", "the stack")
}

#[test]
fn a_lock_file_without_the_providers_hashes_has_a_remedy() {
    if tool::find("terraform").is_none() {
        return;
    }
    let script = provided();
    let configuration = script.directory().join("terraform.rc");
    let script = script.env("TF_CLI_CONFIG_FILE", &configuration);
    let remedy = "Run terraform providers lock -platform=linux_";
    script.run().exits(1).says(remedy).shows("terraform providers lock -platform=linux_");
    assert!(!script.directory().join("the stack/.terraform.lock.hcl").exists(), "it is only read");
    let lock = "provider \"registry.terraform.io/acme/fake\" {\n  version     = \"1.0.0\"\n  constraints = \"1.0.0\"\n  hashes      = [\"h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\"]\n}\n";
    let script = script.file("the stack/.terraform.lock.hcl", lock);
    let ran = script.run().exits(1).says(remedy);
    assert_eq!(ran.text("the stack/.terraform.lock.hcl"), lock);
    // A provider that is nowhere to be found is another matter, although the output speaks of the lock file.
    fs::remove_dir_all(script.directory().join("mirror/registry.terraform.io/acme")).unwrap();
    script.run().exits(1).says("::error::terraform init failed: its output is above").never_says(remedy);
}

#[test]
fn a_bucket_that_is_not_there_has_a_remedy() {
    if tool::find("terraform").is_none() {
        return;
    }
    let Some(aws) = Aws::start() else { return };
    let backend = json!({
        "bucket": "the-state", "key": "app.tfstate", "region": "us-east-1", "encrypt": "true", "use_lockfile": "true",
        "use_path_style": "true",
    });
    let script = aws.lend(stack("terraform {\n  backend \"s3\" {}\n}\n").env("BACKEND", backend.to_string()));
    script
        .run()
        .exits(1)
        .says("::error::terraform init failed: there is no bucket for the state")
        .says("create-backend")
        .shows("Run the `tf` workflow with the action `create-backend`.");
    aws.cli(&["s3api", "create-bucket", "--bucket", "the-state"]);
    script.run().exits(0);
}

#[test]
fn a_refused_bucket_is_not_taken_for_a_missing_one() {
    let said = "Error: Failed to get existing workspaces: Unable to list objects in S3 bucket \"the-state\":\nStatusCode: 403, api error AccessDenied: Access Denied";
    init("tofu")
        .tool("tofu", &format!("cat <<'END'\n{said}\nEND\nexit 1\n"))
        .file("the stack/main.tf", "")
        .run()
        .exits(1)
        .says("AccessDenied")
        .says("::error::tofu init failed: its output is above")
        .never_says("create-backend");
}

#[test]
fn settings_reach_the_tool_as_they_are() {
    let values: serde_json::Map<String, Value> = HOSTILE
        .iter()
        .filter(|hostile| !hostile.chars().any(|character| character < ' '))
        .enumerate()
        .map(|(index, hostile)| (format!("v{index}"), json!(hostile)))
        .collect();
    let tool = "printf '%s\\n' \"$@\" | tee \"$STATE/arguments\"\nexit \"$(cat \"$STATE/code\")\"\n";
    let script = init("tofu")
        .tool("tofu", tool)
        .file("the stack/main.tf", "")
        .file("the stack/.terraform/terraform.tfstate", r#"{"backend": {"type": "s3"}}"#)
        .env("BACKEND", json!(values).to_string());
    fs::write(script.state().join("code"), "0").unwrap();
    script.run().exits(0);
    let arguments = fs::read_to_string(script.state().join("arguments")).unwrap();
    let (own, settings) = arguments.split_once("-no-color\n").unwrap();
    assert_eq!(own, "-chdir=the stack\ninit\n-input=false\n-reconfigure\n-lockfile=readonly\n");
    let expected: Vec<_> = values
        .iter()
        .map(|(key, value)| format!("-backend-config={key}={}", value.as_str().unwrap()))
        .collect();
    let mut given: Vec<_> = settings.lines().collect();
    given.sort_unstable();
    let mut expected: Vec<_> = expected.iter().map(String::as_str).collect();
    expected.sort_unstable();
    assert_eq!(given, expected);
    fs::write(script.state().join("code"), "1").unwrap();
    script.run().exits(1).says("tofu init failed");
}

#[test]
fn refuses_settings_of_the_wrong_shape() {
    for (key, value) in [
        ("TF_COMMAND", "rm"),
        ("STACK_DIRECTORY", "missing"),
        ("STACK_DIRECTORY", ""),
        ("BACKEND", "[]"),
        ("BACKEND", "{"),
        ("BACKEND", "{} {}"),
        ("BACKEND", r#"{"a": 1}"#),
        ("BACKEND", r#"{"a": ""}"#),
        ("BACKEND", r#"{"a\nb": "c"}"#),
        ("BACKEND", r#"{"a": "two\nlines"}"#),
    ] {
        let script = init("tofu").tool("tofu", "touch \"$STATE/ran\"").file("the stack/main.tf", "");
        script.clone().env(key, value).run().exits(2).says(key);
        assert!(!script.state().join("ran").exists());
    }
    let script = init("tofu").file("the stack/main.tf", "").env("PATH", "/usr/bin:/bin");
    script.run().exits(2).says("tofu is not installed");
}
