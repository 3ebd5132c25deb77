use serde_json::json;

use super::backend::{
    BUCKET, KEY, MODES, REGION, TABLE, ago, ask, create, delete, intercepted, keys, lock, put, put_item,
    refuses, s3, settings, shell, stack, state,
};
use super::script::{HOSTILE, Script};
use crate::aws::{Aws, Failure};
use crate::tool;

fn script(aws: &Aws, mode: &str) -> Script {
    settings(aws, "destroy-backend.sh", mode).env("CONFIRM", format!("destroy-backend {BUCKET}"))
}

/// Are the bucket and the table there?
fn there(aws: &Aws) -> (bool, bool) {
    let buckets = aws.cli(&["s3api", "list-buckets"]);
    let tables = ask(aws, "dynamodb list-tables", &[]);
    (
        buckets["Buckets"].as_array().unwrap().iter().any(|bucket| bucket["Name"] == BUCKET),
        tables["TableNames"].as_array().unwrap().iter().any(|name| name == TABLE),
    )
}

fn removals(aws: &Aws) -> usize {
    aws.calls()
        .iter()
        .filter(|call| call.action.contains(":Delete") || call.action.contains(":Update"))
        .count()
}

fn digest(aws: &Aws, id: &str) {
    put_item(aws, &json!({"LockID": {"S": id}, "Digest": {"S": "0"}}));
}

/// What `create-backend.sh` makes, as far as it matters here.
fn backend(aws: &Aws) {
    let bucket = format!("/{BUCKET}");
    let place = format!("<LocationConstraint>{REGION}</LocationConstraint>");
    s3(aws, "PUT", &bucket, &format!("<CreateBucketConfiguration>{place}</CreateBucketConfiguration>"));
    let tag = "<TagSet><Tag><Key>managed-by</Key><Value>pyfleet</Value></Tag></TagSet>";
    s3(aws, "PUT", &format!("{bucket}?tagging"), &format!("<Tagging>{tag}</Tagging>"));
    let enabled = "<Status>Enabled</Status>";
    let versioning = format!("<VersioningConfiguration>{enabled}</VersioningConfiguration>");
    s3(aws, "PUT", &format!("{bucket}?versioning"), &versioning);
    let options = "--key-schema AttributeName=LockID,KeyType=HASH --attribute-definitions \
        AttributeName=LockID,AttributeType=S --billing-mode PAY_PER_REQUEST --deletion-protection-enabled \
        --sse-specification Enabled=true,SSEType=KMS \
        --tags Key=managed-by,Value=pyfleet --table-name";
    ask(aws, &format!("dynamodb create-table {options}"), &[TABLE]);
}

/// A backend with a past: nothing in it holds anything up, but all of it comes back where the newest goes first.
fn used(aws: &Aws) {
    backend(aws);
    for (serial, instances) in [(1, 3), (2, 0)] {
        put(aws, KEY, &state(serial, instances));
    }
    put(aws, &format!("{KEY}.tflock"), &lock(&ago(9)));
    delete(aws, &format!("{KEY}.tflock"));
    put(aws, "env:/other one/app/ä b.tfstate", &state(1, 0));
    put(aws, "_plans/1-1/prod/app.tfplan", "PK");
    put(aws, "_pyfleet/applied/prod/app.json", "{}");
    digest(aws, &format!("{BUCKET}/{KEY}-md5"));
}

#[test]
fn all_of_a_backend_goes_and_what_is_gone_is_no_mistake() {
    for mode in MODES {
        let Some(aws) = Aws::start() else { return };
        used(&aws);
        create(&aws, mode);
        for (key, content) in HOSTILE.iter().map(|key| (key, state(1, 0))) {
            if !key.contains(|character: char| character.is_ascii_control()) && !key.starts_with("https://") {
                put(&aws, key, &content);
            }
        }
        let ran = script(&aws, mode).run().exits(0).shows("✅ The backend is gone");
        assert!(ran.outputs.is_empty());
        assert_eq!(there(&aws), (false, mode == "s3"), "{mode}");
        aws.forget_calls();
        script(&aws, mode).run().exits(0).shows("was not there");
        assert_eq!(removals(&aws), 0);
    }
}

#[test]
fn thousands_of_versions_go_in_batches() {
    let Some(aws) = Aws::start() else { return };
    backend(&aws);
    let versions = r#"
import os, http.client, urllib.parse
url = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"])
connection = http.client.HTTPConnection(url.netloc)
head = {"Authorization": "AWS4-HMAC-SHA256 Credential=testing/20260101/eu-central-1/s3/aws4_request, SignedHeaders=host, Signature=0"}
for number in range(2345):
    key = urllib.parse.quote(f"_plans/a b ü {number % 7}")
    connection.request("DELETE" if number % 3 and number > 7 else "PUT", f"/acme-state/{key}", headers=head)
    answer = connection.getresponse()
    answer.read()
    assert answer.status in (200, 204), answer.status
"#;
    shell(&aws, "python3 versions.py").file("versions.py", versions).run().exits(0);
    let ran = script(&aws, "s3").run().exits(0);
    let batches: std::collections::BTreeSet<_> = aws
        .calls()
        .into_iter()
        .filter(|call| call.operation == "DeleteObjects")
        .map(|call| call.request)
        .collect();
    assert_eq!(batches.len(), 4, "three thousands of old ones, and the newest apart");
    ran.shows("removed, with 2345 versions");
    assert!(!there(&aws).0);
}

#[test]
fn delete_markers_alone_go_too() {
    let Some(aws) = Aws::start() else { return };
    backend(&aws);
    put(&aws, "_plans/gone", "");
    delete(&aws, "_plans/gone");
    let versions = ask(&aws, "s3api list-object-versions --bucket", &[BUCKET]);
    let id = versions["Versions"][0]["VersionId"].as_str().unwrap();
    s3(&aws, "DELETE", &format!("/{BUCKET}/_plans/gone?versionId={id}"), "");
    let left = ask(&aws, "s3api list-object-versions --bucket", &[BUCKET]);
    assert_eq!((left.get("Versions"), left["DeleteMarkers"].as_array().unwrap().len()), (None, 1));
    script(&aws, "s3").run().exits(0);
    assert!(!there(&aws).0);
}

#[test]
fn a_run_that_is_cut_short_anywhere_is_finished_by_the_next() {
    for request in 1.. {
        let Some(aws) = Aws::start() else { return };
        used(&aws);
        aws.kill_at(request);
        let ended = script(&aws, "both").run_until_killed();
        if let Some(ran) = ended {
            ran.exits(0);
            assert!(request > 15, "only {request} requests");
            break;
        }
        script(&aws, "both").run().exits(0);
        assert_eq!(there(&aws), (false, false), "cut short at request {request}");
    }
}

#[test]
fn only_the_phrase_removes_anything() {
    let Some(aws) = Aws::start() else { return };
    backend(&aws);
    aws.forget_calls();
    let wrong = [
        "",
        "yes",
        "destroy-backend",
        "Destroy-backend acme-state",
        "destroy-backend acme-state ",
        "destroy-backend acme-stat?",
    ];
    for phrase in wrong.iter().chain(HOSTILE) {
        let ran = script(&aws, "s3").env("CONFIRM", phrase).run().exits(2);
        ran.says("::error::CONFIRM must be: destroy-backend acme-state");
    }
    for name in ["TF_STATE_BUCKET", "TF_LOCK_MODE", "TF_LOCK_TABLE", "EXPECTED_ACCOUNT_ID", "AWS_REGION"] {
        refuses(&script(&aws, "both"), name, HOSTILE);
    }
    refuses(&script(&aws, "both"), "OTHER_STATES", HOSTILE);
    refuses(
        &script(&aws, "both"),
        "OTHER_STATES",
        &["[]", "{} {}", "{\"prod\": \"key\"}", "{\"prod\": [5]}", "{\"a b\": []}"],
    );
    assert!(aws.calls().is_empty());
    script(&aws, "s3")
        .env("EXPECTED_ACCOUNT_ID", "999999999999")
        .run()
        .exits(2)
        .says("credentials of account");
    assert_eq!(removals(&aws), 0);
}

#[test]
fn a_state_that_tracks_resources_is_kept() {
    let Some(aws) = Aws::start() else { return };
    used(&aws);
    put(&aws, "env:/other one/app/ä b.tfstate", &state(2, 2));
    let ran = script(&aws, "both").run().exits(3);
    ran.says("nothing was removed: these states still track resources, destroy them first: env:/other one/app/ä b.tfstate (2)")
        .shows("❌ The backend stays");
    assert_eq!(there(&aws), (true, true));
    // An environment that is not asked about does not shield it.
    script(&aws, "both").env("OTHER_STATES", r#"{"prod": ["elsewhere"]}"#).run().exits(3);
}

#[test]
fn what_terraform_manages_is_counted_and_gone_after_its_destroy() {
    if tool::find("terraform").is_none() {
        return;
    }
    let Some(aws) = Aws::start() else { return };
    create(&aws, "both");
    let terraform = |verb: &str| {
        let text = format!("{}terraform {verb} -auto-approve -no-color", stack("both"));
        shell(&aws, &text).run().exits(0);
    };
    terraform("apply");
    script(&aws, "both").run().exits(3).says(&format!("{KEY} (3)"));
    terraform("destroy");
    script(&aws, "both").run().exits(0);
    assert_eq!(there(&aws), (false, false));
}

#[test]
fn what_is_no_state_is_not_removed() {
    let Some(aws) = Aws::start() else { return };
    used(&aws);
    aws.forget_calls();
    let older = json!({"version": 3, "serial": 1, "lineage": "x", "modules": []}).to_string();
    let encrypted =
        json!({"serial": 1, "lineage": "x", "encrypted_data": "AAAA", "encryption_version": "v0"})
            .to_string();
    let without = json!({"version": 4, "serial": 1, "lineage": "x"}).to_string();
    let two = format!("{}{}", state(1, 0), state(1, 0));
    for content in ["", "text", "{}", "[]", &older, &encrypted, &without, &two] {
        put(&aws, "somebody's.json", content);
        let ran = script(&aws, "s3").run().exits(3);
        ran.says("nothing was removed: these objects are no states that can be read, move them elsewhere first: somebody's.json");
    }
    delete(&aws, "somebody's.json");
    // Nor is what the AWS CLI would take for a place, or what breaks a line.
    put(&aws, "file:///etc/hostname", &state(1, 0));
    script(&aws, "s3").run().exits(3).says("file:///etc/hostname");
    delete(&aws, "file:///etc/hostname");
    let odd = r#"
        if [[ $2 == list-objects-v2 ]]; then
          echo '{"Contents": [{"Key": "two\nlines\n::error::taken over", "Size": 5}]}'; exit
        fi"#;
    let ran = intercepted(&aws, "destroy-backend.sh", "s3", odd)
        .env("CONFIRM", format!("destroy-backend {BUCKET}"))
        .run()
        .exits(3);
    ran.says("two%0Alines%0A::error::taken over");
    assert_eq!(keys(&aws).len(), 4, "all of it is there");
}

#[test]
fn a_held_lock_keeps_everything() {
    let Some(aws) = Aws::start() else { return };
    used(&aws);
    for content in [lock(&ago(9)), "garbage".to_owned()] {
        // Of a first apply, whose state is not there yet.
        put(&aws, "new.tfstate.tflock", &content);
        script(&aws, "s3")
            .run()
            .exits(4)
            .says("nothing was removed: these locks are held: new.tfstate.tflock");
    }
    delete(&aws, "new.tfstate.tflock");
    let id = format!("{BUCKET}/{KEY}");
    for item in [
        json!({"LockID": {"S": id}, "Info": {"S": lock(&ago(9))}}),
        json!({"LockID": {"S": id}}),
        json!({"LockID": {"S": format!("{id}-md5")}, "Info": {"S": "a key that ends like a digest"}}),
    ] {
        put_item(&aws, &item);
        script(&aws, "both").run().exits(4).says("these locks are held: acme-state/");
    }
    assert_eq!(there(&aws), (true, true));
}

#[test]
fn another_environment_keeps_the_backend() {
    let Some(aws) = Aws::start() else { return };
    used(&aws);
    put(&aws, "prod/ä.tfstate", &state(1, 1));
    put(&aws, "staging.tfstate", &state(1, 4));
    put(&aws, "test.tfstate", &state(1, 0));
    aws.forget_calls();
    let others = json!({"prod": ["absent", "prod/ä.tfstate"], "staging": ["staging.tfstate"], "test": ["test.tfstate"]});
    for _ in 0..2 {
        script(&aws, "both")
            .env("OTHER_STATES", others.to_string())
            .run()
            .exits(0)
            .outputs("kept", "prod,staging")
            .says("::notice::the backend is kept, used by prod, staging")
            .shows("kept, used by `prod`, `staging`");
    }
    assert_eq!(removals(&aws), 0);
    // Unreadable is not unused.
    put(&aws, "prod/ä.tfstate", "garbage");
    delete(&aws, "staging.tfstate");
    script(&aws, "both").env("OTHER_STATES", others.to_string()).run().exits(3);
    put(&aws, "prod/ä.tfstate", &state(2, 0));
    let ran = script(&aws, "both").env("OTHER_STATES", others.to_string()).run().exits(0);
    assert!(ran.outputs.is_empty());
    assert_eq!(there(&aws), (false, false));
}

#[test]
fn what_is_not_ours_is_not_removed() {
    let Some(aws) = Aws::start() else { return };
    used(&aws);
    aws.forget_calls();
    let refused = |script: Script, says: &str| {
        script.run().exits(5).says("::error::nothing was removed: ").says(says);
    };
    // S3 refuses the same way where another account owns the bucket.
    aws.fail_next("s3:GetBucketLocation", Failure::Status(403));
    refused(script(&aws, "both"), "is not account 123456789012's, or the role may not see it");
    refused(script(&aws, "both").env("AWS_REGION", "eu-west-1"), "is in eu-central-1, not in eu-west-1");
    let tagging = ["put-bucket-tagging", "--tagging", "TagSet=[{Key=managed-by,Value=others}]"];
    ask(&aws, "s3api", &[tagging[0], "--bucket", BUCKET, tagging[1], tagging[2]]);
    refused(script(&aws, "both"), "the bucket acme-state has no tag managed-by=pyfleet");
    ask(&aws, "s3api delete-bucket-tagging --bucket", &[BUCKET]);
    refused(script(&aws, "both"), "the bucket acme-state has no tag managed-by=pyfleet");
    create_again(&aws);

    digest(&aws, "other-bucket/app.tfstate-md5");
    refused(
        script(&aws, "both"),
        "the table acme-lock is used for other buckets too: other-bucket/app.tfstate-md5",
    );
    digest(&aws, &format!("{BUCKET}-two/app.tfstate-md5"));
    refused(script(&aws, "both"), "acme-state-two/app.tfstate-md5");
    let arn = format!("arn:aws:dynamodb:{REGION}:123456789012:table/{TABLE}");
    ask(&aws, "dynamodb untag-resource --tag-keys managed-by --resource-arn", &[&arn]);
    refused(script(&aws, "both"), "the table acme-lock has no tag managed-by=pyfleet");
    assert!(
        aws.calls().iter().all(|call| !call.action.contains("Object") || !call.action.contains("Delete"))
    );
    assert_eq!(there(&aws), (true, true));
}

#[test]
fn a_bucket_of_another_account_is_not_removed() {
    let Some(aws) = Aws::start() else { return };
    aws.foreign_bucket(BUCKET);
    script(&aws, "s3").run().exits(5).says("is not account 123456789012's");
    assert_eq!(removals(&aws), 0);
}

/// Gives the bucket its tag back.
fn create_again(aws: &Aws) {
    ask(
        aws,
        "s3api put-bucket-tagging --bucket",
        &[BUCKET, "--tagging", "TagSet=[{Key=managed-by,Value=pyfleet}]"],
    );
}

#[test]
fn a_refusal_at_any_call_is_an_error() {
    let Some(aws) = Aws::start() else { return };
    used(&aws);
    for action in [
        "sts:GetCallerIdentity",
        "s3:GetBucketLocation",
        "s3:GetBucketTagging",
        "s3:ListBucket",
        "s3:GetObject",
        "dynamodb:DescribeTable",
        "dynamodb:ListTagsOfResource",
        "dynamodb:Scan",
        "s3:ListBucketVersions",
        "s3:DeleteObjectVersion",
        "s3:DeleteBucket",
        "dynamodb:UpdateTable",
        "dynamodb:DeleteTable",
    ] {
        aws.fail_next(action, Failure::Status(500));
        let ran = script(&aws, "both").run().exits(1);
        assert!(ran.log.contains("(InternalError)"), "{action}: {}", ran.log);
    }
    script(&aws, "both").run().exits(0);
    assert_eq!(there(&aws), (false, false));
}

#[test]
fn a_version_that_is_not_removed_is_noticed() {
    let Some(aws) = Aws::start() else { return };
    backend(&aws);
    put(&aws, "_plans/kept", "x");
    // The call itself is answered with 200, and says which object it left.
    aws.fail_next("s3:DeleteObjectVersion", Failure::Status(403));
    script(&aws, "s3").run().exits(1).says("removing objects from acme-state: _plans/kept: refused");
    assert_eq!(keys(&aws), ["_plans/kept"]);
    script(&aws, "s3").run().exits(0);
}

#[test]
fn what_is_written_in_between_stops_it() {
    let Some(aws) = Aws::start() else { return };
    backend(&aws);
    let once = r#"
        if [[ $2 == delete-bucket && ! -e $STATE/once ]]; then
          touch "$STATE/once"
          "$REAL" s3api put-object --bucket acme-state --key late >/dev/null
        fi"#;
    let phrase = format!("destroy-backend {BUCKET}");
    intercepted(&aws, "destroy-backend.sh", "s3", once)
        .env("CONFIRM", &phrase)
        .run()
        .exits(4)
        .says("somebody writes to acme-state, the bucket stays: late")
        .shows("### ❌ The backend stays");
    assert_eq!(keys(&aws), ["late"]);
    // A state that was looked at, and is another one now: it stays as well.
    let Some(aws) = Aws::start() else { return };
    backend(&aws);
    put(&aws, "dev.tfstate", r#"{"version": 4, "lineage": "x", "resources": []}"#);
    let again = once
        .replace("$2 == delete-bucket", "$2 == list-object-versions")
        .replace("touch", "printf another >\"$STATE/another\"; touch")
        .replace("--key late", "--key dev.tfstate --body \"$STATE/another\"");
    let ran = intercepted(&aws, "destroy-backend.sh", "s3", &again).env("CONFIRM", &phrase).run();
    ran.exits(4).says("dev.tfstate");
    assert_eq!(keys(&aws), ["dev.tfstate"]);
    // What is pyfleet's own goes, but somebody who never stops is not waited for.
    let Some(aws) = Aws::start() else { return };
    backend(&aws);
    let always = once.replace(" && ! -e $STATE/once", "").replace("--key late", "--key _plans/late");
    let ran = intercepted(&aws, "destroy-backend.sh", "s3", &always).env("CONFIRM", &phrase).run().exits(1);
    ran.says("does not become empty: somebody writes to it");
}

#[test]
fn a_table_that_is_just_being_removed_is_waited_for() {
    let Some(aws) = Aws::start() else { return };
    backend(&aws);
    let going = r#"
        if [[ $2 == describe-table && ! -e $STATE/gone ]]; then
          touch "$STATE/gone"
          "$REAL" dynamodb update-table --table-name acme-lock --no-deletion-protection-enabled >/dev/null
          "$REAL" dynamodb delete-table --table-name acme-lock >/dev/null
          echo '{"Table": {"TableStatus": "DELETING"}}'
          exit
        fi"#;
    let script = intercepted(&aws, "destroy-backend.sh", "both", going);
    script.env("CONFIRM", format!("destroy-backend {BUCKET}")).run().exits(0).shows("`acme-lock` | removed");
    assert_eq!(there(&aws), (false, false));
}
