//! A backend on loopback, for the tests of the scripts that deal with one.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::script::Script;
use crate::aws::{ACCOUNT, Aws};

pub(crate) const BUCKET: &str = "acme-state";
pub(crate) const TABLE: &str = "acme-lock";
pub(crate) const KEY: &str = "app/ä b.tfstate";
pub(crate) const REGION: &str = "eu-central-1";
pub(crate) const MODES: [&str; 3] = ["s3", "dynamodb", "both"];

/// A script with the settings that every one of them reads.
pub(crate) fn settings(aws: &Aws, name: &str, mode: &str) -> Script {
    settings_of(aws, Script::new(name), mode)
}

pub(crate) fn settings_of(aws: &Aws, script: Script, mode: &str) -> Script {
    aws.lend(script)
        .env("TF_STATE_BUCKET", BUCKET)
        .env("TF_STATE_KEY", KEY)
        .env("AWS_REGION", REGION)
        .env("AWS_DEFAULT_REGION", REGION)
        .env("TF_LOCK_MODE", mode)
        .env("TF_LOCK_TABLE", if mode == "s3" { "" } else { TABLE })
        .env("EXPECTED_ACCOUNT_ID", ACCOUNT)
}

/// A script whose `aws` passes through a text of the test's own, which may answer itself; `$REAL` is the real one.
pub(crate) fn intercepted(aws: &Aws, name: &str, mode: &str, text: &str) -> Script {
    let text = format!("REAL='{}'\n{text}\nexec \"$REAL\" \"$@\"\n", aws.client().display());
    settings_of(aws, Script::new(name).tool("aws", &text), mode)
}

/// A text of the test's own, run where the emulator is.
pub(crate) fn shell(aws: &Aws, text: &str) -> Script {
    let script = settings(aws, "gate.sh", "both");
    let path = script.directory().join("test.sh");
    fs::write(&path, format!("#!/usr/bin/env bash\nset -euo pipefail\n{text}")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    script.at(path)
}

/// The backend, made by the script that makes it.
pub(crate) fn create(aws: &Aws, mode: &str) {
    settings(aws, "create-backend.sh", mode).run().exits(0);
}

/// Calls AWS in the backend's region.
#[track_caller]
pub(crate) fn ask(aws: &Aws, words: &str, arguments: &[&str]) -> Value {
    let mut all: Vec<_> = words.split_whitespace().collect();
    all.extend(["--region", REGION]);
    all.extend(arguments);
    aws.cli(&all)
}

pub(crate) fn put(aws: &Aws, key: &str, content: &str) {
    object(aws, "PUT", key, content);
}

pub(crate) fn delete(aws: &Aws, key: &str) {
    object(aws, "DELETE", key, "");
}

/// Without the AWS CLI, which is slower, and has an opinion on keys.
fn object(aws: &Aws, method: &str, key: &str, content: &str) {
    let key: String = key.bytes().map(|byte| format!("%{byte:02X}")).collect();
    s3(aws, method, &format!("/{BUCKET}/{key}"), content);
}

/// A request to S3.
pub(crate) fn s3(aws: &Aws, method: &str, path: &str, body: &str) {
    let request = json!({"service": "s3", "key": "testing", "method": method, "path": path, "form": body});
    let (status, answer) = aws.request(&request);
    assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
}

pub(crate) fn put_item(aws: &Aws, item: &Value) {
    ask(aws, "dynamodb put-item --table-name", &[TABLE, "--item", &item.to_string()]);
}

/// The keys of the objects that are there.
pub(crate) fn keys(aws: &Aws) -> Vec<String> {
    let listed = ask(aws, "s3api list-objects-v2 --bucket", &[BUCKET]);
    let objects = listed["Contents"].as_array().cloned().unwrap_or_default();
    objects.iter().map(|object| object["Key"].as_str().unwrap().to_owned()).collect()
}

/// A state that tracks so many managed instances, and one that only reads.
pub(crate) fn state(serial: u32, instances: usize) -> String {
    let managed = json!({"mode": "managed", "type": "terraform_data", "name": "x", "instances": vec![json!({}); instances]});
    let data = json!({"mode": "data", "type": "terraform_remote_state", "name": "y", "instances": [{}]});
    json!({"version": 4, "terraform_version": "1.11.4", "serial": serial, "lineage": "c0ffee00-0000-0000-0000-000000000000",
        "outputs": {}, "resources": [managed, data]})
    .to_string()
}

/// A lock as Terraform writes it.
pub(crate) fn lock(created: &str) -> String {
    json!({"ID": LOCK_ID, "Operation": "OperationTypeApply", "Info": "", "Who": "runner@host", "Version": "1.11.4",
        "Created": created, "Path": "x"})
    .to_string()
}

pub(crate) const LOCK_ID: &str = "12345678-90ab-cdef-1234-567890abcdef";

/// A time so many seconds ago, as a lock says it.
pub(crate) fn ago(seconds: u32) -> String {
    let output = std::process::Command::new("date")
        .args(["-u", "-d", &format!("{seconds} seconds ago"), "+%Y-%m-%dT%H:%M:%S.%NZ"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Every setting that `text` is wrong for is refused as usage.
pub(crate) fn refuses(script: &Script, name: &str, values: &[&str]) {
    for value in values {
        script.clone().env(name, value).run().exits(2).says(&format!("::error::{name} must be"));
    }
}

/// A stack without providers; while `wait` exists in its directory, an apply does not end.
pub(crate) fn stack(mode: &str) -> String {
    let file = matches!(mode, "s3" | "both");
    let table = if mode == "s3" { String::new() } else { format!("dynamodb_table = \"{TABLE}\"") };
    format!(
        r#"
        cat >main.tf <<'EOF'
        terraform {{
          backend "s3" {{
            bucket       = "{BUCKET}"
            key          = "{KEY}"
            region       = "{REGION}"
            use_lockfile = {file}
            {table}
          }}
        }}
        resource "terraform_data" "one" {{
          provisioner "local-exec" {{
            command = "touch started; for i in $(seq 300); do [ -e wait ] || exit 0; sleep 0.1; done; exit 1"
          }}
        }}
        resource "terraform_data" "more" {{
          count = 2
        }}
EOF
        terraform init -input=false -no-color >init.log 2>&1 || {{ cat init.log; exit 1; }}
        "#
    )
}
