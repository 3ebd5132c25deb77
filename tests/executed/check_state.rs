use serde_json::{Value, json};

use super::backend::{
    BUCKET, KEY, LOCK_ID, MODES, TABLE, ago, ask, create, delete, intercepted, keys, lock, put, put_item,
    refuses, settings, shell, stack, state,
};
use super::script::{HOSTILE, Ran, Script, assert_inert};
use crate::aws::{Aws, Failure};
use crate::tool;

fn script(aws: &Aws, mode: &str) -> Script {
    with_settings(settings(aws, "check-state.sh", mode))
}

fn with_settings(script: Script) -> Script {
    script
        .env("ENVIRONMENT", "prod")
        .env("STACK", "app")
        .env("CHECK_DIR", "the report/app")
        .env("GITHUB_RUN_ID", "1234567890")
}

/// Name → detail of each check, and those that failed.
fn report(ran: &Ran) -> (serde_json::Map<String, Value>, Vec<String>) {
    let report = ran.json("the report/app/check-state.json");
    assert_eq!((&report["environment"], &report["stack"]), (&json!("prod"), &json!("app")));
    let checks = report["checks"].as_array().unwrap();
    let name = |check: &Value| check["name"].as_str().unwrap().to_owned();
    let failed = checks.iter().filter(|check| check["ok"] != true).map(name).collect();
    (checks.iter().map(|check| (name(check), check["detail"].clone())).collect(), failed)
}

/// Runs, and says which checks failed and why.
#[track_caller]
fn fails(script: &Script, names: &[&str], says: &str) -> Ran {
    let ran = script.run().exits(1).says(says).shows("❌ State of `app` in `prod`: ");
    assert_eq!(report(&ran).1, names, "{}", ran.log);
    for name in names {
        assert!(ran.log.contains(&format!("::error::state of prod/app: {name}: ")), "{}", ran.log);
    }
    ran
}

#[test]
fn a_sound_state_passes_every_check_and_twice() {
    for mode in MODES {
        let Some(aws) = Aws::start() else { return };
        create(&aws, mode);
        let expected = match mode {
            "s3" => vec!["lock-proof"],
            "dynamodb" => vec!["lock-table", "digest"],
            _ => vec!["lock-proof", "lock-table", "digest"],
        };
        let expected: Vec<_> = ["identity", "bucket", "versioning", "encryption", "public-access", "state"]
            .into_iter()
            .chain(expected)
            .chain(["lock"])
            .collect();
        for _ in 0..2 {
            let ran =
                script(&aws, mode).run().exits(0).shows("✅ State of `app` in `prod`: every check passed");
            let (checks, failed) = report(&ran);
            let mut names: Vec<_> = checks.keys().map(String::as_str).collect();
            let mut expected = expected.clone();
            names.sort_unstable();
            expected.sort_unstable();
            assert_eq!((names, failed), (expected, vec![]));
            assert_eq!(checks["state"], "none yet: this is the first run");
            assert!(keys(&aws).is_empty(), "the canary is gone");
            assert_inert(&ran.summary, &[]);
        }
    }
}

#[test]
fn terraforms_own_state_and_digest_are_understood() {
    if tool::find("terraform").is_none() {
        return;
    }
    let Some(aws) = Aws::start() else { return };
    create(&aws, "both");
    shell(&aws, &format!("{}terraform apply -auto-approve -no-color", stack("both"))).run().exits(0);
    let ran = script(&aws, "both").run().exits(0);
    let (checks, _) = report(&ran);
    assert!(checks["state"].as_str().unwrap().ends_with(", 3 managed instances"), "{checks:?}");
    assert_eq!(checks["digest"].as_str().unwrap().len(), 32, "the MD5 that Terraform wrote");
    // Edited by hand, without its digest: Terraform would not read it.
    put(&aws, KEY, &state(9, 1));
    let ran = fails(&script(&aws, "both"), &["digest"], "the table says ");
    assert!(ran.log.contains(", the state has "), "{}", ran.log);
    delete(&aws, KEY);
    fails(&script(&aws, "both"), &["digest"], ", the state has none");
    // s3 alone knows no digest.
    script(&aws, "s3").run().exits(0);
}

#[test]
fn a_run_that_is_cut_short_anywhere_leaves_nothing_that_the_next_does_not_mend() {
    let Some(aws) = Aws::start() else { return };
    create(&aws, "both");
    put(&aws, KEY, &state(1, 1));
    let report_of = |ran: Ran| ran.json("the report/app/check-state.json");
    let whole = report_of(script(&aws, "both").run().exits(0));
    let mut left = 0;
    for request in 1.. {
        aws.kill_at(request);
        if script(&aws, "both").run_until_killed().is_some() {
            assert!(request > 12, "only {request} requests");
            break;
        }
        left += usize::from(keys(&aws).len() > 1);
        // The next attempt of the same run.
        assert_eq!(report_of(script(&aws, "both").run().exits(0)), whole, "cut short at request {request}");
        assert_eq!(keys(&aws), [KEY], "cut short at request {request}");
    }
    assert_eq!(left, 2, "killed between putting and removing");
}

#[test]
fn a_cancelled_check_removes_the_canary() {
    let Some(aws) = Aws::start() else { return };
    create(&aws, "s3");
    let cancelled = r#"[[ $2 != put-object ]] || { "$REAL" "$@"; kill -TERM "$PPID"; exit; }"#;
    let ran = with_settings(intercepted(&aws, "check-state.sh", "s3", cancelled)).run();
    assert_eq!(ran.code, 143);
    assert!(keys(&aws).is_empty());
}

#[test]
fn each_thing_that_is_wrong_is_named() {
    let Some(aws) = Aws::start() else { return };
    let script = script(&aws, "both");
    let ran = fails(
        &script,
        &["bucket"],
        "does not exist: it is made by the action create-backend of a workflow of kind tf",
    );
    assert_eq!(report(&ran).0.len(), 2, "nothing else can be asked");
    create(&aws, "both");

    let set = |operation: &str, rest: &[&str]| {
        ask(&aws, &format!("s3api {operation} --bucket {BUCKET}"), rest);
    };
    set("put-bucket-versioning", &["--versioning-configuration", "Status=Suspended"]);
    set("delete-bucket-encryption", &[]);
    set(
        "put-public-access-block",
        &[
            "--public-access-block-configuration",
            "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true",
        ],
    );
    fails(&script, &["versioning", "encryption", "public-access"], "open: RestrictPublicBuckets");
    set("delete-public-access-block", &[]);
    fails(&script, &["versioning", "encryption", "public-access"], "versioning: Suspended").says("not set");
    create(&aws, "both");

    for content in ["", "garbage", "{}", "{\"version\": 3}", "[]"] {
        put(&aws, KEY, content);
        fails(&script, &["state"], "state: ");
    }
    put(&aws, KEY, &json!({"serial": 1, "lineage": "x", "encrypted_data": "AAAA"}).to_string());
    let ran = script.run().exits(0);
    assert_eq!(report(&ran).0["state"], "encrypted by OpenTofu, its resources cannot be counted");
    delete(&aws, KEY);

    put(&aws, &format!("{KEY}.tflock"), &lock(&ago(100)));
    fails(
        &script,
        &["lock"],
        &format!("by runner@host for 1 min, for OperationTypeApply, lock id {LOCK_ID}"),
    );
    delete(&aws, &format!("{KEY}.tflock"));
    put_item(&aws, &json!({"LockID": {"S": format!("{BUCKET}/{KEY}")}, "Info": {"S": lock(&ago(90_000))}}));
    fails(&script, &["lock"], "for 25 h 0 min");
    let item = json!({"LockID": {"S": format!("{BUCKET}/{KEY}")}}).to_string();
    ask(&aws, "dynamodb delete-item --table-name", &[TABLE, "--key", &item]);
    script.run().exits(0);

    fails(
        &script.clone().env("AWS_REGION", "us-west-2").env("TF_LOCK_MODE", "s3"),
        &["bucket"],
        "in eu-central-1",
    );
    let other = script.clone().env("EXPECTED_ACCOUNT_ID", "999999999999");
    assert_eq!(report(&fails(&other, &["identity"], "arn:aws:")).0.len(), 1);
    ask(&aws, "dynamodb update-table --no-deletion-protection-enabled --table-name", &[TABLE]);
    ask(&aws, "dynamodb delete-table --table-name", &[TABLE]);
    fails(&script, &["lock-table", "digest", "lock"], "the table acme-lock does not exist");
    let key = "AttributeName=ID,KeyType=HASH";
    let table = [
        "--key-schema",
        key,
        "--attribute-definitions",
        "AttributeName=ID,AttributeType=S",
        "--billing-mode",
        "PAY_PER_REQUEST",
    ];
    ask(&aws, &format!("dynamodb create-table --table-name {TABLE}"), &table);
    fails(&script, &["lock-table", "digest", "lock"], "lock-table: ACTIVE, key ID");
}

#[test]
fn a_bucket_whose_locks_hold_nobody_off_fails() {
    let Some(aws) = Aws::start() else { return };
    create(&aws, "s3");
    // An S3 that does not know the condition.
    let deaf = r#"[[ $2 != put-object ]] || exec "$REAL" "${@/--if-none-match/--content-type}""#;
    let script = with_settings(intercepted(&aws, "check-state.sh", "s3", deaf));
    fails(&script, &["lock-proof"], "a second writer was not refused: locks in this bucket hold nobody off");
    assert!(keys(&aws).is_empty());
}

#[test]
fn what_is_not_known_has_failed() {
    let Some(aws) = Aws::start() else { return };
    create(&aws, "both");
    for (action, names) in [
        ("sts:GetCallerIdentity", &["identity"][..]),
        ("s3:GetBucketLocation", &["bucket"]),
        ("s3:GetBucketVersioning", &["versioning"]),
        ("s3:GetEncryptionConfiguration", &["encryption"]),
        ("s3:GetBucketPublicAccessBlock", &["public-access"]),
        ("s3:GetObject", &["state", "digest"]),
        ("s3:PutObject", &["lock-proof"]),
        ("dynamodb:DescribeTable", &["lock-table"]),
        ("dynamodb:GetItem", &["digest"]),
    ] {
        for failure in [Failure::Status(403), Failure::Status(500), Failure::Drop] {
            aws.fail_next(action, failure);
            let ran = fails(&script(&aws, "both"), names, &format!("{}: ", names[0]));
            assert!(keys(&aws).is_empty(), "{action}: {}", ran.log);
        }
    }
    // The canary that stays is named, and the next run removes it.
    aws.fail_next("s3:DeleteObject", Failure::Status(500));
    aws.fail_next("s3:DeleteObject", Failure::Status(500));
    fails(
        &script(&aws, "both"),
        &["lock-proof-removal"],
        "::warning::the object _pyfleet/canary-1234567890.prod.app could not be removed",
    );
    assert_eq!(keys(&aws), ["_pyfleet/canary-1234567890.prod.app"]);
    script(&aws, "both").run().exits(0);
    assert!(keys(&aws).is_empty());
}

#[test]
fn hostile_text_stays_inert() {
    let Some(aws) = Aws::start() else { return };
    create(&aws, "both");
    let all = HOSTILE.join("");
    put(&aws, KEY, &json!({"version": 4, "serial": 1, "lineage": all, "resources": []}).to_string());
    put(&aws, &format!("{KEY}.tflock"), &json!({"ID": LOCK_ID, "Who": all, "Operation": all}).to_string());
    put_item(&aws, &json!({"LockID": {"S": format!("{BUCKET}/{KEY}-md5")}, "Digest": {"S": all}}));
    let ran = fails(&script(&aws, "both"), &["digest", "lock"], "locked by");
    assert_inert(&ran.summary, &[]);
}

#[test]
fn settings_that_cannot_be_meant_are_refused() {
    let Some(aws) = Aws::start() else { return };
    let script = script(&aws, "both");
    for name in [
        "TF_STATE_BUCKET",
        "TF_LOCK_MODE",
        "TF_LOCK_TABLE",
        "EXPECTED_ACCOUNT_ID",
        "AWS_REGION",
        "ENVIRONMENT",
        "STACK",
        "GITHUB_RUN_ID",
    ] {
        refuses(&script, name, &["two\nlines", "$(touch pwned)", "--leading", "a b"]);
    }
    refuses(&script, "TF_STATE_KEY", &["", "two\nlines", "file:///etc/passwd"]);
    script.clone().env("CHECK_DIR", "").run().exits(2).says("CHECK_DIR is not set");
    script.file("a file", "").env("CHECK_DIR", "a file/x").run().exits(2).says("CHECK_DIR cannot be created");
    assert!(aws.calls().is_empty());
}
