//! The harness, before anybody trusts it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::{ACCOUNT, Aws, Call, Failure, Rollout};
use crate::executed::ecs_service::{
    CLUSTER, SERVICE, breaker, ecs, image, live, register, service_with, update,
};
use crate::executed::script::Script;

/// A script of one test, in the world of another.
pub(super) fn script(aws: &Aws, text: &str) -> Script {
    let script = aws.lend(Script::new("gate.sh"));
    let path = script.directory().join("test.sh");
    fs::write(&path, format!("#!/usr/bin/env bash\nset +e -uo pipefail\n{text}")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    script.at(path)
}

fn named(calls: &[Call]) -> Vec<(&str, &str, u16)> {
    calls.iter().map(|call| (call.action.as_str(), call.resource.as_str(), call.status)).collect()
}

#[test]
fn calls_are_logged_by_the_names_that_iam_knows() {
    let Some(aws) = Aws::start() else { return };
    script(
        &aws,
        r#"
        s3() { aws s3api "$1" --bucket state-bucket "${@:2}" >/dev/null 2>&1; }
        s3 create-bucket
        s3 put-bucket-versioning --versioning-configuration Status=Enabled
        s3 put-object --key 'a b/ü'
        s3 get-object --key 'a b/ü' --version-id null copy
        s3 head-object --key absent
        s3 head-bucket
        s3 list-objects-v2
        s3 list-object-versions
        s3 get-bucket-encryption
        s3 get-public-access-block
        s3 put-bucket-lifecycle-configuration --lifecycle-configuration \
          '{"Rules": [{"ID": "a", "Status": "Enabled", "Filter": {"Prefix": "x"}, "Expiration": {"Days": 1}}]}'
        s3 delete-objects --delete 'Objects=[{Key=one},{Key=two,VersionId=null}]'
        aws dynamodb describe-table --table-name locks
        aws iam get-role --role-name absent
        aws sts get-caller-identity
        aws ecr describe-repositories --repository-names app
        true
        "#,
    )
    .run()
    .exits(0);
    let calls = aws.calls();
    let bucket = "arn:aws:s3:::state-bucket";
    assert_eq!(
        named(&calls),
        [
            ("s3:CreateBucket", bucket, 200),
            ("s3:PutBucketVersioning", bucket, 200),
            ("s3:PutObject", "arn:aws:s3:::state-bucket/a b/ü", 200),
            ("s3:GetObjectVersion", "arn:aws:s3:::state-bucket/a b/ü", 404),
            ("s3:GetObject", "arn:aws:s3:::state-bucket/absent", 404),
            ("s3:ListBucket", bucket, 200),
            ("s3:ListBucket", bucket, 200),
            ("s3:ListBucketVersions", bucket, 200),
            ("s3:GetEncryptionConfiguration", bucket, 404),
            ("s3:GetBucketPublicAccessBlock", bucket, 404),
            ("s3:PutLifecycleConfiguration", bucket, 200),
            ("s3:DeleteObject", "arn:aws:s3:::state-bucket/one", 200),
            ("s3:DeleteObjectVersion", "arn:aws:s3:::state-bucket/two", 200),
            ("dynamodb:DescribeTable", "arn:aws:dynamodb:us-east-1:123456789012:table/locks", 400),
            ("iam:GetRole", "arn:aws:iam::123456789012:role/absent", 404),
            ("sts:GetCallerIdentity", "*", 200),
            ("ecr:DescribeRepositories", "arn:aws:ecr:us-east-1:123456789012:repository/app", 400),
        ]
    );
    let batch: Vec<_> = calls.iter().filter(|call| call.operation == "DeleteObjects").collect();
    assert_eq!(batch.len(), 2);
    assert_eq!(batch[0].request, batch[1].request);
    assert!(calls.iter().all(|call| call.principal == "administrator"));
    assert_eq!(calls.iter().filter(|call| call.service == "s3").count(), 13);
    aws.forget_calls();
    assert!(aws.calls().is_empty());
}

#[test]
fn a_call_fails_once_where_a_test_says_so() {
    let Some(aws) = Aws::start() else { return };
    aws.cli(&["s3api", "create-bucket", "--bucket", "state-bucket"]);
    aws.cli(&["s3api", "put-object", "--bucket", "state-bucket", "--key", "state"]);
    let script = script(
        &aws,
        r#"
        aws s3api head-bucket --bucket state-bucket || exit 3
        aws s3api get-object --bucket state-bucket --key state copy >/dev/null || exit 4
        "#,
    );
    for (failure, says) in [
        (Failure::Status(403), "(AccessDenied)"),
        (Failure::Status(500), "(InternalError)"),
        (Failure::Status(503), "(SlowDown)"),
        (Failure::Drop, "Connection was closed"),
    ] {
        aws.fail_next("s3:GetObject", failure);
        script.run().exits(4).says(says);
        script.run().exits(0);
    }
    aws.fail_next("*", Failure::Status(403));
    script.run().exits(3).says("403");
    script.run().exits(0);
    assert_eq!(aws.calls().iter().filter(|call| call.status == 0).count(), 1, "the dropped one");
}

#[test]
fn a_failed_call_has_no_effect() {
    let Some(aws) = Aws::start() else { return };
    let create = script(&aws, "aws s3api create-bucket --bucket state-bucket || exit 3");
    for failure in [Failure::Status(500), Failure::Drop] {
        aws.fail_next("s3:CreateBucket", failure);
        create.run().exits(3);
        assert_eq!(aws.cli(&["s3api", "list-buckets"])["Buckets"].as_array().unwrap().len(), 0);
    }
    create.run().exits(0);
    assert_eq!(aws.cli(&["s3api", "list-buckets"])["Buckets"].as_array().unwrap().len(), 1);
}

#[test]
fn a_script_is_killed_after_the_effect_and_before_the_answer() {
    let Some(aws) = Aws::start() else { return };
    let script = script(
        &aws,
        r#"
        mktemp -d "$RUNNER_TEMP/left.XXXXXX" >/dev/null
        for name in one two; do
          aws s3api create-bucket --bucket "bucket-$name" >/dev/null
          touch "after-$name"
        done
        rm -r "$RUNNER_TEMP"/left.*
        "#,
    );
    aws.kill_at(1);
    assert!(script.run_until_killed().is_none());
    assert_eq!(aws.cli(&["s3api", "list-buckets"])["Buckets"].as_array().unwrap().len(), 1);
    assert!(!script.directory().join("after-one").exists());
    aws.kill_at(2);
    assert!(script.run_until_killed().is_none());
    assert!(script.directory().join("after-one").exists());
    assert!(!script.directory().join("after-two").exists());
    aws.kill_at(3);
    script.run_until_killed().expect("it asks twice only").exits(0);
    // What was not reached threatens nobody else.
    script.run().exits(0);
}

#[test]
fn every_test_has_an_aws_of_its_own() {
    let Some(first) = Aws::start() else { return };
    let Some(second) = Aws::start() else { return };
    first.cli(&["s3api", "create-bucket", "--bucket", "state-bucket"]);
    assert_eq!(second.cli(&["s3api", "list-buckets"])["Buckets"].as_array().unwrap().len(), 0);
    assert!(second.calls().iter().all(|call| call.action == "s3:ListAllMyBuckets"));
    assert_eq!(second.cli(&["sts", "get-caller-identity"])["Account"], ACCOUNT);
}

#[test]
fn a_script_reaches_nothing_but_this_aws() {
    let Some(aws) = Aws::start() else { return };
    let interfaces = script(&aws, "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '").run().exits(0).log;
    assert!(aws.nursery.inside.is_empty() || interfaces == "lo\n", "{interfaces}");
}

#[test]
fn an_emulator_ends_with_its_test() {
    let Some(aws) = Aws::start() else { return };
    let Some(other) = Aws::start() else { return };
    let ask = script(
        &other,
        &format!(
            "aws sts get-caller-identity --endpoint-url http://127.0.0.1:{} >/dev/null || exit 3",
            aws.port
        ),
    );
    ask.run().exits(0);
    drop(aws);
    let gone = (0..50).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        ask.run().code == 3
    });
    assert!(gone, "it still answers");
}

#[test]
fn a_deployment_to_ecs_takes_the_course_that_a_test_has_chosen() {
    let status = |aws: &Aws| {
        let listed = ecs(aws, "ListServiceDeployments", &json!({"cluster": CLUSTER, "service": SERVICE}));
        listed["serviceDeployments"][0]["status"].as_str().unwrap().to_owned()
    };
    for (settings, rollout, course, end) in [
        (breaker(true), Rollout::Completes(2), [(2, "IN_PROGRESS"), (2, "COMPLETED")], "SUCCESSFUL"),
        (breaker(true), Rollout::Fails(1), [(1, "IN_PROGRESS"), (1, "COMPLETED")], "ROLLBACK_SUCCESSFUL"),
        (breaker(false), Rollout::Fails(1), [(2, "FAILED"), (2, "FAILED")], "STOPPED"),
        (json!({}), Rollout::Fails(1), [(2, "IN_PROGRESS"), (2, "IN_PROGRESS")], "IN_PROGRESS"),
        (breaker(true), Rollout::NeverEnds, [(2, "IN_PROGRESS"), (2, "IN_PROGRESS")], "IN_PROGRESS"),
    ] {
        let Some(aws) = Aws::start() else { return };
        service_with(&aws, &json!({"deploymentConfiguration": settings}));
        assert_eq!(live(&aws), (1, "COMPLETED".to_owned()));
        aws.next_rollout(rollout);
        let revision = register(&aws, &image(2), &json!([]));
        let first = update(&aws, revision);
        for (revision, state) in course {
            assert_eq!(live(&aws), (revision, state.to_owned()), "{settings}");
        }
        assert_eq!(status(&aws), end, "{settings}");
        // The same revision again is no deployment.
        if end == "SUCCESSFUL" {
            assert_eq!(update(&aws, revision), first);
        }
    }
}
