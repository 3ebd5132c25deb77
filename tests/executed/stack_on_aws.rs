//! A stack without providers whose state is on the emulated AWS, for the tests of what surrounds an apply.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::script::{Ran, Script};
use crate::aws::{ACCOUNT, Aws, Call};

pub(crate) const BUCKET: &str = "state-bucket";
pub(crate) const TABLE: &str = "locks";
pub(crate) const KEY: &str = "the app/ä.tfstate";
pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// The bucket and the lock table.
pub(crate) fn backend() -> Option<Aws> {
    let aws = Aws::start()?;
    aws.cli(&["s3api", "create-bucket", "--bucket", BUCKET]);
    aws.cli(&[
        "dynamodb",
        "create-table",
        "--table-name",
        TABLE,
        "--billing-mode",
        "PAY_PER_REQUEST",
        "--attribute-definitions",
        "AttributeName=LockID,AttributeType=S",
        "--key-schema",
        "AttributeName=LockID,KeyType=HASH",
    ]);
    Some(aws)
}

/// A script with what a job on the stack `app` of `dev` has in its environment.
pub(crate) fn script(aws: &Aws, name: &str, mode: &str) -> Script {
    aws.lend(Script::new(name))
        .env("TF_COMMAND", "terraform")
        .env("STACK_DIRECTORY", "the stack")
        .env("ENVIRONMENT", "dev")
        .env("STACK", "app")
        .env("TF_STATE_BUCKET", BUCKET)
        .env("TF_STATE_KEY", KEY)
        .env("TF_LOCK_MODE", mode)
        .env("TF_LOCK_TABLE", if mode == "s3" { "" } else { TABLE })
        .env("EXPECTED_ACCOUNT_ID", ACCOUNT)
        .env("GITHUB_REPOSITORY", "octo-org/octo-repo")
        .env("GITHUB_RUN_ID", "77")
        .env("GITHUB_RUN_ATTEMPT", "2")
        .env("GITHUB_SHA", COMMIT)
        .env("GH_TOKEN", "token")
}

/// Lays out the stack and initialises it.
pub(crate) fn stack(script: Script, mode: &str, resources: &str) -> Script {
    let lock = match mode {
        "s3" => "use_lockfile = true".to_owned(),
        "dynamodb" => format!("dynamodb_table = \"{TABLE}\""),
        _ => format!("use_lockfile = true\n    dynamodb_table = \"{TABLE}\""),
    };
    let backend =
        format!("bucket = \"{BUCKET}\"\n    key = \"{KEY}\"\n    region = \"us-east-1\"\n    {lock}");
    let script = script.file(
        "the stack/main.tf",
        format!("terraform {{\n  backend \"s3\" {{\n    {backend}\n  }}\n}}\n{resources}"),
    );
    run(&script, "terraform -chdir='the stack' init -input=false -no-color").exits(0);
    script
}

/// Runs a text of the test's own in the world of a script, where the emulator is.
pub(crate) fn run(script: &Script, text: &str) -> Ran {
    let path = script.state().join("text.sh");
    fs::create_dir_all(script.state()).unwrap();
    fs::write(&path, format!("#!/usr/bin/env bash\nset -uo pipefail\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    script.clone().at(path).run()
}

/// Whether the stack's state knows all that its configuration asks for.
#[track_caller]
pub(crate) fn converged(script: &Script) {
    run(script, "terraform -chdir='the stack' plan -input=false -no-color -lock=false -detailed-exitcode >plan.log 2>&1 || { cat plan.log; exit 1; }")
        .exits(0);
}

/// Which requests changed something, counted from the first: killed after any other one, a script leaves what it would
/// have left after the write before.
pub(crate) fn writes(calls: &[Call]) -> Vec<u64> {
    let first = calls[0].request;
    let writing = |call: &&Call| ["Put", "Delete"].iter().any(|verb| call.operation.starts_with(verb));
    calls.iter().filter(writing).map(|call| call.request - first + 1).collect()
}

/// The bytes of an object, or `None` where there is no such object.
pub(crate) fn object(aws: &Aws, key: &str) -> Option<Vec<u8>> {
    let listed = aws.cli(&["s3api", "list-objects-v2", "--bucket", BUCKET, "--prefix", key]);
    listed["Contents"].as_array()?.iter().find(|object| object["Key"] == key)?;
    let copy = tempfile::NamedTempFile::new().unwrap();
    aws.cli(&["s3api", "get-object", "--bucket", BUCKET, "--key", key, copy.path().to_str().unwrap()]);
    Some(fs::read(copy.path()).unwrap())
}

pub(crate) fn put_object(aws: &Aws, key: &str, content: impl AsRef<[u8]>) {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), content).unwrap();
    aws.cli(&[
        "s3api",
        "put-object",
        "--bucket",
        BUCKET,
        "--key",
        key,
        "--body",
        file.path().to_str().unwrap(),
    ]);
}

pub(crate) fn delete_object(aws: &Aws, key: &str) {
    aws.cli(&["s3api", "delete-object", "--bucket", BUCKET, "--key", key]);
}

/// The item of the lock table under this key of a state, or of its digest (`-md5`).
pub(crate) fn item(aws: &Aws, key: &str) -> Value {
    let answer =
        aws.cli(&["dynamodb", "get-item", "--table-name", TABLE, "--key", &item_key(key).to_string()]);
    answer["Item"].clone()
}

pub(crate) fn put_item(aws: &Aws, key: &str, info: &str) {
    let mut item = item_key(key);
    item["Info"] = json!({"S": info});
    aws.cli(&["dynamodb", "put-item", "--table-name", TABLE, "--item", &item.to_string()]);
}

pub(crate) fn delete_item(aws: &Aws, key: &str) {
    aws.cli(&["dynamodb", "delete-item", "--table-name", TABLE, "--key", &item_key(key).to_string()]);
}

fn item_key(key: &str) -> Value {
    json!({"LockID": {"S": format!("{BUCKET}/{key}")}})
}
