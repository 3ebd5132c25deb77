//! Where state is kept: what has to hold for it, and the settings of one stack in one environment.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::super::defaults;
use super::super::environment::Environment;
use super::variable::fill;
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{self, Lock, Manifest, Slug, Tool};

pub(super) fn check_backend(
    manifest: &Manifest,
    written: &manifest::Terraform,
    environments: &[Environment],
    stacks: &IndexMap<Slug, manifest::Stack>,
    findings: &mut Diagnostics,
) {
    let Some(backend) = &written.backend else { return };
    let path = Path::of(["terraform", "backend"]);
    let lock = backend.lock.unwrap_or(defaults::LOCK);
    let version = written.version.parts();
    if matches!(lock, Lock::S3 | Lock::Both) && version < [1, 10].as_slice() {
        findings.push(
            Diagnostic::error(
                "lock-unsupported",
                path.key("lock"),
                "the lock file beside the state needs version 1.10 or later",
            )
            .with_label(Path::of(["terraform", "version"]), "older than 1.10")
            .with_help("raise `terraform.version`, or use `lock: dynamodb` with a `lock-table`"),
        );
    } else if written.tool.unwrap_or(defaults::TOOL) == Tool::Terraform
        && lock == Lock::S3
        && version < [1, 11].as_slice()
    {
        findings.push(
            Diagnostic::warning(
                "lock-experimental",
                path.key("lock"),
                "the lock file beside the state is experimental before 1.11",
            )
            .with_help("raise `terraform.version`"),
        );
    }
    match (lock, &backend.lock_table) {
        (Lock::DynamoDb | Lock::Both, None) => findings.push(
            Diagnostic::error(
                "missing-key",
                path.key("lock"),
                "this lock is kept in a DynamoDB table, and `lock-table` is missing",
            )
            .with_help("name the table: `lock-table: terraform-locks`"),
        ),
        (Lock::S3, Some(_)) => findings.push(
            Diagnostic::error(
                "invalid-value",
                path.key("lock-table"),
                "the lock is kept in S3, so no table is used",
            )
            .with_help("take it out, or say `lock: both`"),
        ),
        _ => {}
    }
    let apart = |placeholder: &str| backend.key.contains(placeholder);
    let is_filled = |field: &str| {
        let place = Place::value(path.key(field));
        !findings.iter().any(|known| known.code == "unknown-placeholder" && known.place == place)
    };
    let (key_is_filled, bucket_is_filled) = (is_filled("key"), is_filled("bucket"));
    if stacks.len() > 1 && !apart("{stack}") && key_is_filled {
        findings.push(
            Diagnostic::error(
                "state-shared",
                path.key("key"),
                "several stacks would share one state: each would destroy what the others made",
            )
            .with_help("put `{stack}` into the key: `{environment}/{stack}.tfstate`"),
        );
    }
    let bucket_apart = backend.bucket.contains("{environment}")
        || (backend.bucket.contains("{account-id}") && {
            let mut accounts: Vec<_> =
                environments.iter().map(|environment| &environment.account_id).collect();
            accounts.sort_unstable();
            accounts.dedup();
            accounts.len() == environments.len()
        });
    if environments.len() > 1 && !apart("{environment}") && !bucket_apart && key_is_filled && bucket_is_filled
    {
        let project = &manifest.project;
        findings.push(
            Diagnostic::error("state-shared", path.key("key"), "several environments would share one state: an apply of one destroys the other")
                .with_help("put `{environment}` into the key: `{environment}/{stack}.tfstate`")
                .with_help(format!(
                    "then move the state that exists: `terraform state pull > {project}.tfstate`, change the key, \
                     `terraform init -reconfigure`, `terraform state push {project}.tfstate`"
                )),
        );
    }
}

/// Settings of the S3 backend.
pub(super) fn settings(
    backend: &manifest::Backend,
    region: &str,
    values: &[(&str, &str)],
    findings: &mut Diagnostics,
) -> Option<BTreeMap<&'static str, String>> {
    let at = Path::of(["terraform", "backend"]);
    let without_stack: Vec<(&str, &str)> =
        values.iter().copied().filter(|(name, _)| *name != "stack").collect();
    let bucket = fill(&backend.bucket, &at.key("bucket"), &without_stack, findings);
    let key = fill(&backend.key, &at.key("key"), values, findings);
    let table = match &backend.lock_table {
        Some(table) => fill(table, &at.key("lock-table"), &without_stack, findings).map(Some),
        None => Some(None),
    };
    check_backend_names(bucket.as_deref(), key.as_deref(), table.as_ref()?.as_deref(), findings);
    let mut settings = BTreeMap::from([
        ("bucket", bucket?),
        ("key", key?),
        ("region", region.to_owned()),
        ("encrypt", "true".to_owned()),
    ]);
    let lock = backend.lock.unwrap_or(defaults::LOCK);
    if lock != Lock::DynamoDb {
        settings.insert("use_lockfile", "true".to_owned());
    }
    if let Some(table) = table? {
        settings.insert("dynamodb_table", table);
    }
    Some(settings)
}

/// Names as S3 and DynamoDB take them
/// ([S3: bucket naming rules](https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html)).
fn check_backend_names(
    bucket: Option<&str>,
    key: Option<&str>,
    table: Option<&str>,
    findings: &mut Diagnostics,
) {
    let at = Path::of(["terraform", "backend"]);
    let mut refuse = |field: &str, message: &str| {
        findings.push_once(Diagnostic::error("invalid-value", at.key(field), message));
    };
    let bucket_is_valid = |bucket: &str| {
        (3..=63).contains(&bucket.len())
            && bucket.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'))
            && bucket.starts_with(|first: char| first.is_ascii_alphanumeric())
            && bucket.ends_with(|last: char| last.is_ascii_alphanumeric())
            && !bucket.contains("..")
    };
    if bucket.is_some_and(|bucket| !bucket_is_valid(bucket)) {
        refuse("bucket", "a bucket is named with 3 to 63 lower-case letters, digits, dots and dashes");
    }
    let key_is_valid = |key: &str| {
        (1..=900).contains(&key.len())
            && key.split('/').all(|part| !matches!(part, "" | "." | ".."))
            && !key.chars().any(char::is_control)
            && !key.starts_with("_plans/")
            && !key.starts_with("_pyfleet/")
    };
    if key.is_some_and(|key| !key_is_valid(key)) {
        refuse(
            "key",
            "a state's key has 1 to 900 characters, no empty part, no `.` or `..` between slashes, and lies outside of `_plans/` and `_pyfleet/`",
        );
    }
    let table_is_valid = |table: &str| {
        (3..=255).contains(&table.len())
            && table.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    };
    if table.is_some_and(|table| !table_is_valid(table)) {
        refuse("lock-table", "a table is named with 3 to 255 letters, digits, dots, dashes and underscores");
    }
}
