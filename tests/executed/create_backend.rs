use std::process::Stdio;

use serde_json::{Value, json};

use super::backend::{
    BUCKET, MODES, REGION, TABLE, ask, create, intercepted, keys, put, refuses, settings, settings_of, shell,
};
use super::script::{Ran, Script};
use crate::aws::{ACCOUNT, Aws, Failure};

const KMS: &str = "arn:aws:kms:eu-central-1:123456789012:key/12345678-90ab-cdef-1234-567890abcdef";

fn script(aws: &Aws, mode: &str) -> Script {
    settings(aws, "create-backend.sh", mode)
}

/// A setting of the bucket.
fn setting(aws: &Aws, operation: &str) -> Value {
    ask(aws, &format!("s3api {operation} --bucket {BUCKET}"), &[])
}

/// All that a backend is: two that are equal are made alike.
fn backend(aws: &Aws, mode: &str) -> Value {
    let mut all = serde_json::Map::new();
    for operation in [
        "get-bucket-location",
        "get-bucket-tagging",
        "get-public-access-block",
        "get-bucket-ownership-controls",
        "get-bucket-encryption",
        "get-bucket-policy",
        "get-bucket-versioning",
        "get-bucket-lifecycle-configuration",
    ] {
        all.insert(operation.to_owned(), setting(aws, operation));
    }
    if mode != "s3" {
        let table = &ask(aws, "dynamodb describe-table --table-name", &[TABLE])["Table"];
        for name in ["KeySchema", "AttributeDefinitions", "TableStatus", "DeletionProtectionEnabled"] {
            all.insert(name.to_owned(), table[name].clone());
        }
        all.insert("billing".to_owned(), table["BillingModeSummary"]["BillingMode"].clone());
        all.insert("encryption".to_owned(), table["SSEDescription"]["SSEType"].clone());
        let arn = table["TableArn"].as_str().unwrap();
        let tags = ask(aws, "dynamodb list-tags-of-resource --resource-arn", &[arn]);
        all.insert("tags".to_owned(), tags["Tags"].clone());
        let backups = &ask(aws, "dynamodb describe-continuous-backups --table-name", &[TABLE])["ContinuousBackupsDescription"]
            ["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"];
        all.insert("recovery".to_owned(), backups.clone());
    }
    all.into()
}

fn changes(aws: &Aws) -> Vec<String> {
    let reads = |action: &str| {
        ["Get", "List", "Describe"].iter().any(|verb| action.split_once(':').unwrap().1.starts_with(verb))
    };
    aws.calls().into_iter().map(|call| call.action).filter(|action| !reads(action)).collect()
}

#[test]
fn a_backend_is_made_as_promised_and_left_alone_the_second_time() {
    for mode in MODES {
        let Some(aws) = Aws::start() else { return };
        let ran =
            script(&aws, mode).run().exits(0).outputs("created", "yes").shows("✅ The backend is created");
        assert!(!ran.summary.contains('❌'), "{}", ran.summary);
        let found = backend(&aws, mode);
        assert_eq!(found["get-bucket-location"]["LocationConstraint"], REGION);
        assert_eq!(found["get-bucket-tagging"]["TagSet"], json!([{"Key": "managed-by", "Value": "pyfleet"}]));
        let blocks = found["get-public-access-block"]["PublicAccessBlockConfiguration"].as_object().unwrap();
        assert_eq!(blocks.len(), 4);
        assert!(blocks.values().all(|block| block == true));
        assert_eq!(
            found["get-bucket-ownership-controls"]["OwnershipControls"]["Rules"][0]["ObjectOwnership"],
            "BucketOwnerEnforced"
        );
        assert_eq!(
            found["get-bucket-encryption"]["ServerSideEncryptionConfiguration"]["Rules"][0]["ApplyServerSideEncryptionByDefault"]
                ["SSEAlgorithm"],
            "AES256"
        );
        assert_eq!(found["get-bucket-versioning"]["Status"], "Enabled");
        let policy: Value =
            serde_json::from_str(found["get-bucket-policy"]["Policy"].as_str().unwrap()).unwrap();
        let deny = |sid: &str, condition: Value| {
            json!({"Sid": sid, "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Condition": condition,
                "Resource": [format!("arn:aws:s3:::{BUCKET}"), format!("arn:aws:s3:::{BUCKET}/*")]})
        };
        assert_eq!(
            policy,
            json!({"Version": "2012-10-17", "Statement": [
                deny("PyfleetDenyPlainHttp", json!({"Bool": {"aws:SecureTransport": "false"}})),
                deny("PyfleetDenyOldTls", json!({"NumericLessThan": {"s3:TlsVersion": "1.2"}}))]})
        );
        let rules = &found["get-bucket-lifecycle-configuration"]["Rules"];
        assert_eq!(
            rules,
            &json!([
                {"ID": "pyfleet-plans", "Status": "Enabled", "Filter": {"Prefix": "_plans/"},
                    "Expiration": {"Days": 7}, "NoncurrentVersionExpiration": {"NoncurrentDays": 1}},
                {"ID": "pyfleet-canaries", "Status": "Enabled", "Filter": {"Prefix": "_pyfleet/canary-"},
                    "Expiration": {"Days": 1}, "NoncurrentVersionExpiration": {"NoncurrentDays": 1}},
                {"ID": "pyfleet-versions", "Status": "Enabled", "Filter": {"Prefix": ""},
                    "Expiration": {"ExpiredObjectDeleteMarker": true},
                    "NoncurrentVersionExpiration": {"NoncurrentDays": 90, "NewerNoncurrentVersions": 50}},
                {"ID": "pyfleet-uploads", "Status": "Enabled", "Filter": {"Prefix": ""},
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
            ])
        );
        if mode == "s3" {
            assert!(aws.calls().iter().all(|call| call.service != "dynamodb"));
        } else {
            assert_eq!(found["KeySchema"], json!([{"AttributeName": "LockID", "KeyType": "HASH"}]));
            assert_eq!(
                found["AttributeDefinitions"],
                json!([{"AttributeName": "LockID", "AttributeType": "S"}])
            );
            for (name, value) in [
                ("billing", "PAY_PER_REQUEST"),
                ("encryption", "KMS"),
                ("TableStatus", "ACTIVE"),
                ("recovery", "ENABLED"),
            ] {
                assert_eq!(found[name], value, "{name}");
            }
            assert_eq!(found["DeletionProtectionEnabled"], true);
            assert_eq!(found["tags"], json!([{"Key": "managed-by", "Value": "pyfleet"}]));
        }

        aws.forget_calls();
        script(&aws, mode).run().exits(0).outputs("created", "no").shows("✅ The backend is there");
        assert_eq!(changes(&aws), Vec::<String>::new(), "a second run changes nothing");
        assert_eq!(backend(&aws, mode), found);
    }
}

#[test]
fn a_run_that_is_cut_short_anywhere_is_mended_by_the_next() {
    let Some(aws) = Aws::start() else { return };
    let read_back = |ran: Ran| ran.summary.split_once('\n').unwrap().1.to_owned();
    let whole = read_back(script(&aws, "both").run().exits(0));
    for request in 1.. {
        let Some(aws) = Aws::start() else { return };
        aws.kill_at(request);
        if script(&aws, "both").run_until_killed().is_some() {
            assert!(request > 20, "only {request} requests");
            break;
        }
        let mended = script(&aws, "both").run().exits(0);
        assert_eq!(read_back(mended), whole, "cut short at request {request}");
    }
}

#[test]
fn a_refusal_at_any_change_is_an_error_that_the_next_run_mends() {
    let Some(aws) = Aws::start() else { return };
    create(&aws, "both");
    let whole = backend(&aws, "both");
    let changes: Vec<_> = changes(&aws).into_iter().filter(|action| !action.starts_with("sts:")).collect();
    assert!(changes.len() >= 10, "{changes:?}");
    let Some(aws) = Aws::start() else { return };
    for action in changes {
        // Each run gets one change further than the one before.
        aws.fail_next(&action, Failure::Status(403));
        script(&aws, "both").run().exits(1).says("::error::").says("(AccessDenied");
    }
    script(&aws, "both").run().exits(0);
    assert_eq!(backend(&aws, "both"), whole);
    for action in
        ["s3:GetBucketLocation", "s3:GetBucketPolicy", "dynamodb:DescribeTable", "sts:GetCallerIdentity"]
    {
        aws.fail_next(action, Failure::Status(500));
        script(&aws, "both").run().exits(1).says("(InternalError)");
        aws.fail_next(action, Failure::Drop);
        script(&aws, "both").run().exits(1).says("Connection was closed");
    }
    assert_eq!(backend(&aws, "both"), whole);
}

#[test]
fn two_at_once_make_one_backend() {
    let Some(aws) = Aws::start() else { return };
    create(&aws, "both");
    let whole = backend(&aws, "both");
    for _ in 0..3 {
        let Some(aws) = Aws::start() else { return };
        let (one, two) = (script(&aws, "both"), script(&aws, "both"));
        let mut both = [one.command(), two.command()]
            .map(|mut command| command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        for child in &mut both {
            assert!(child.wait().unwrap().success());
        }
        assert_eq!(backend(&aws, "both"), whole);
    }
    // Between the look and the creation somebody else may have been quicker: the look was too early here.
    let early = r#"
        case $2 in
          get-bucket-location) code=NoSuchBucket ;;
          describe-table) [[ -e $STATE/looked ]] || code=ResourceNotFoundException; touch "$STATE/looked" ;;
        esac
        if [[ -n ${code:-} ]]; then echo "An error occurred ($code) when calling the operation: early" >&2; exit 254; fi"#;
    intercepted(&aws, "create-backend.sh", "both", early).run().exits(0).outputs("created", "no");
    assert_eq!(backend(&aws, "both"), whole);
}

#[test]
fn what_aws_is_busy_with_is_asked_again() {
    let Some(aws) = Aws::start() else { return };
    let busy = r#"
        case $2 in
          put-bucket-tagging) code=NoSuchBucket ;;
          put-bucket-policy) code=OperationAborted ;;
          update-continuous-backups) code=ContinuousBackupsUnavailableException ;;
        esac
        if [[ -n ${code:-} && ! -e $STATE/$2 ]]; then
          touch "$STATE/$2"; echo "An error occurred ($code) when calling the operation: busy" >&2; exit 254
        fi"#;
    intercepted(&aws, "create-backend.sh", "both", busy).run().exits(0).outputs("created", "yes");
    let found = backend(&aws, "both");
    script(&aws, "both").run().exits(0).outputs("created", "no");
    assert_eq!(backend(&aws, "both"), found);
    // A table that is just being removed is waited for, and made again.
    let going = r#"
        if [[ $2 == describe-table && ! -e $STATE/gone ]]; then
          touch "$STATE/gone"
          "$REAL" dynamodb update-table --table-name acme-lock --no-deletion-protection-enabled >/dev/null
          "$REAL" dynamodb delete-table --table-name acme-lock >/dev/null
          echo '{"Table": {"TableStatus": "DELETING"}}'
          exit
        fi"#;
    intercepted(&aws, "create-backend.sh", "both", going).run().exits(0).outputs("created", "yes");
    assert_eq!(backend(&aws, "both"), found);
}

#[test]
fn the_first_region_is_not_named() {
    let Some(aws) = Aws::start() else { return };
    let script = script(&aws, "s3").env("AWS_REGION", "us-east-1");
    script.run().exits(0).outputs("created", "yes");
    assert_eq!(
        aws.cli(&["s3api", "get-bucket-location", "--bucket", BUCKET])["LocationConstraint"],
        Value::Null
    );
    script.run().exits(0).outputs("created", "no");
    // Nor is another region the same.
    script.env("AWS_REGION", REGION).run().exits(4).says("is in us-east-1, not in eu-central-1");
}

#[test]
fn another_account_has_the_name() {
    let Some(aws) = Aws::start() else { return };
    aws.foreign_bucket(BUCKET);
    aws.forget_calls();
    script(&aws, "both").run().exits(3).says("the bucket acme-state is not account 123456789012's");
    assert_eq!(changes(&aws), Vec::<String>::new());
    // The look says that there is nothing: the creation knows better.
    let blind = r#"
        if [[ $2 == get-bucket-location ]]; then
          echo 'An error occurred (NoSuchBucket) when calling the GetBucketLocation operation' >&2; exit 254
        fi"#;
    let ran = intercepted(&aws, "create-backend.sh", "both", blind).run().exits(3);
    ran.says("the bucket acme-state is another account's: choose another name");
    assert_eq!(changes(&aws), ["s3:CreateBucket"], "and the table was not made");
    // A role that may not see its own bucket.
    let Some(aws) = Aws::start() else { return };
    create(&aws, "s3");
    aws.fail_next("s3:GetBucketLocation", Failure::Status(403));
    script(&aws, "s3").run().exits(3).says("or the role may not see it (s3:GetBucketLocation)");
}

#[test]
fn credentials_of_another_account_are_refused() {
    let Some(aws) = Aws::start() else { return };
    script(&aws, "both")
        .env("EXPECTED_ACCOUNT_ID", "999999999999")
        .run()
        .exits(2)
        .says(&format!("these are credentials of account {ACCOUNT}, expected is 999999999999"));
    assert_eq!(aws.calls().len(), 1, "nothing else is asked");
}

#[test]
fn what_cannot_be_read_back_is_an_error() {
    let Some(aws) = Aws::start() else { return };
    let lost = "[[ $2 != put-bucket-versioning && $2 != update-continuous-backups ]] || exit 0";
    let ran = intercepted(&aws, "create-backend.sh", "both", lost).run().exits(5);
    ran.says("::error::what was read back is not what was set: versioning, Point-in-time recovery")
        .shows("❌ The backend is not as it was set")
        .shows("| Bucket | Versioning | nothing | ❌ |");
    script(&aws, "both").run().exits(0).outputs("created", "no");
    // What shows late only, shows in the end.
    let late = "[[ $2 != get-bucket-versioning || -e $STATE/late ]] || { touch \"$STATE/late\"; exit 0; }";
    intercepted(&aws, "create-backend.sh", "s3", late).run().exits(0);
}

#[test]
fn what_others_set_stays() {
    let Some(aws) = Aws::start() else { return };
    create(&aws, "both");
    let set = |operation: &str, option: &str, value: Value| {
        ask(&aws, &format!("s3api {operation} --bucket {BUCKET}"), &[option, &value.to_string()]);
    };
    let tags = json!([{"Key": "team", "Value": "a b & ü"}, {"Key": "managed-by", "Value": "pyfleet"}]);
    set("put-bucket-tagging", "--tagging", json!({"TagSet": tags}));
    let statement = json!({"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucket",
        "Resource": format!("arn:aws:s3:::{BUCKET}"), "Condition": {"Bool": {"aws:MultiFactorAuthPresent": false}}});
    // One statement may stand without its list.
    set(
        "put-bucket-policy",
        "--policy",
        json!({"Version": "2012-10-17", "Id": "theirs", "Statement": statement}),
    );
    let kms =
        json!({"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KMS}});
    set("put-bucket-encryption", "--server-side-encryption-configuration", json!({"Rules": [kms]}));
    let theirs = json!({"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 30}});
    let weaker = json!({"ID": "pyfleet-plans", "Status": "Disabled", "Filter": {"Prefix": "_plans/"}, "Expiration": {"Days": 7}});
    set(
        "put-bucket-lifecycle-configuration",
        "--lifecycle-configuration",
        json!({"Rules": [weaker, theirs]}),
    );
    set("put-bucket-versioning", "--versioning-configuration", json!({"Status": "Suspended"}));
    set("put-public-access-block", "--public-access-block-configuration", json!({"BlockPublicAcls": true}));
    put(&aws, "state", "{}");

    for created in ["no", "no"] {
        script(&aws, "both").run().exits(0).outputs("created", created).shows(&format!("`aws:kms {KMS}`"));
        let found = backend(&aws, "both");
        assert_eq!(found["get-bucket-tagging"]["TagSet"], tags);
        let policy: Value =
            serde_json::from_str(found["get-bucket-policy"]["Policy"].as_str().unwrap()).unwrap();
        assert_eq!((&policy["Id"], &policy["Statement"][0]), (&json!("theirs"), &statement));
        assert_eq!(policy["Statement"].as_array().unwrap().len(), 3);
        let encryption = &found["get-bucket-encryption"]["ServerSideEncryptionConfiguration"]["Rules"][0];
        assert_eq!(encryption["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"], KMS);
        let rules = found["get-bucket-lifecycle-configuration"]["Rules"].as_array().unwrap();
        let names: Vec<_> = rules.iter().map(|rule| rule["ID"].as_str().unwrap()).collect();
        let ours = ["pyfleet-plans", "pyfleet-canaries", "pyfleet-versions", "pyfleet-uploads"];
        assert_eq!((names[0], &names[1..]), ("theirs", &ours[..]));
        assert_eq!(rules[1]["Status"], "Enabled", "ours is as it should be again");
        assert_eq!(found["get-bucket-versioning"]["Status"], "Enabled");
        let blocks = &found["get-public-access-block"]["PublicAccessBlockConfiguration"];
        assert!(blocks.as_object().unwrap().values().all(|block| block == true));
    }
    assert_eq!(keys(&aws), ["state"]);
    // A table of ours that somebody changed.
    ask(&aws, "dynamodb update-table --no-deletion-protection-enabled --table-name", &[TABLE]);
    let provisioned = "ReadCapacityUnits=1,WriteCapacityUnits=1";
    ask(
        &aws,
        "dynamodb update-table --billing-mode PROVISIONED --table-name",
        &[TABLE, "--provisioned-throughput", provisioned],
    );
    ask(&aws, "dynamodb update-table --sse-specification Enabled=false --table-name", &[TABLE]);
    script(&aws, "both").run().exits(0).outputs("created", "no");
    let found = backend(&aws, "both");
    assert_eq!((&found["billing"], &found["encryption"]), (&json!("PAY_PER_REQUEST"), &json!("KMS")));
    assert_eq!(found["DeletionProtectionEnabled"], true);
}

#[test]
fn a_key_encrypts_where_one_is_asked_for() {
    let Some(aws) = Aws::start() else { return };
    create(&aws, "s3");
    for _ in 0..2 {
        script(&aws, "s3").env("TF_STATE_KMS_KEY_ARN", KMS).run().exits(0);
        let rule = &setting(&aws, "get-bucket-encryption")["ServerSideEncryptionConfiguration"]["Rules"][0];
        assert_eq!(
            rule,
            &json!({"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KMS}, "BucketKeyEnabled": true})
        );
    }
}

#[test]
fn what_is_not_ours_is_not_touched() {
    // A bucket with something in it, or of it, that is not tagged.
    let bucket = "aws s3api create-bucket --bucket acme-state --create-bucket-configuration LocationConstraint=eu-central-1 >/dev/null\n";
    for theirs in [
        "aws s3api put-object --bucket acme-state --key x",
        "aws s3api put-bucket-versioning --bucket acme-state --versioning-configuration Status=Enabled",
        "aws s3api put-bucket-tagging --bucket acme-state --tagging 'TagSet=[{Key=managed-by,Value=others}]'",
        r#"aws s3api put-bucket-policy --bucket acme-state --policy '{"Version": "2012-10-17", "Statement": []}'"#,
    ] {
        let Some(aws) = Aws::start() else { return };
        shell(&aws, &format!("{bucket}{theirs}")).run().exits(0);
        aws.forget_calls();
        let ran = script(&aws, "both").run().exits(2);
        ran.says(
            "is there already and not pyfleet's: to have it changed, give it the tag managed-by=pyfleet",
        );
        assert_eq!(changes(&aws), Vec::<String>::new(), "{theirs}");
    }
    // A bare one is what an interrupted run leaves.
    let Some(aws) = Aws::start() else { return };
    shell(&aws, bucket).run().exits(0);
    script(&aws, "s3").run().exits(0).outputs("created", "no");
    // The tag is the consent.
    let Some(aws) = Aws::start() else { return };
    let tag = "aws s3api put-bucket-tagging --bucket acme-state --tagging 'TagSet=[{Key=managed-by,Value=pyfleet}]'\n";
    shell(&aws, &format!("{bucket}{tag}aws s3api put-object --bucket acme-state --key x")).run().exits(0);
    script(&aws, "s3").run().exits(0).outputs("created", "no");
    assert_eq!(keys(&aws), ["x"]);

    let table = "aws dynamodb create-table --table-name acme-lock --billing-mode PAY_PER_REQUEST";
    for (key, says) in [
        ("LockID,AttributeType=S", "the table acme-lock is there already and not pyfleet's"),
        (
            "LockID,AttributeType=N --tags Key=managed-by,Value=pyfleet",
            "the table acme-lock is no lock table",
        ),
        ("ID,AttributeType=S --tags Key=managed-by,Value=pyfleet", "the table acme-lock is no lock table"),
    ] {
        let Some(aws) = Aws::start() else { return };
        let name = key.split(',').next().unwrap();
        let text = format!(
            "{table} --key-schema AttributeName={name},KeyType=HASH --attribute-definitions AttributeName={key}"
        );
        shell(&aws, &text).run().exits(0);
        aws.forget_calls();
        script(&aws, "both").run().exits(2).says(says);
        assert_eq!(changes(&aws), Vec::<String>::new(), "nor is the bucket made");
    }
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
        "TF_STATE_KMS_KEY_ARN",
    ] {
        refuses(&script, name, super::script::HOSTILE);
    }
    refuses(&script, "TF_STATE_BUCKET", &["", "Upper", "a", "a..b", "-ab"]);
    refuses(&script, "TF_LOCK_TABLE", &["", "a"]);
    assert!(aws.calls().is_empty());
    // S3 knows more about names than this script.
    let invalid = r#"
        if [[ $2 == create-bucket ]]; then
          echo 'An error occurred (InvalidBucketName) when calling the CreateBucket operation' >&2; exit 254
        fi"#;
    intercepted(&aws, "create-backend.sh", "s3", invalid).run().exits(2).says("TF_STATE_BUCKET must be");
    settings_of(&aws, Script::new("create-backend.sh"), "s3")
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        .run()
        .exits(1);
}
