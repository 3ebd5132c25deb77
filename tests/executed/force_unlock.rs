use std::fs;

use super::script::{HOSTILE, Ran, Script, assert_inert};
use super::stack_on_aws::{
    KEY, backend, converged, delete_item, delete_object, item, object, put_item, put_object, run, script,
    stack, writes,
};
use crate::aws::{Aws, Failure};
use crate::tool;
use serde_json::{Value, json};

const ID: &str = "12345678-90ab-cdef-1234-567890abcdef";
const OTHER: &str = "00000000-0000-0000-0000-000000000000";
/// When the locks that the tests write were taken, and what began around then.
const TAKEN: &str = "2026-11-20T12:00:00.5Z";
const BEFORE: &str = "2026-11-20T11:30:00Z";
const SKEWED: &str = "2026-11-20T12:01:00Z";
const AFTER: &str = "2026-11-20T12:01:01Z";

/// Lists that the test wrote: `runs.FILE.STATUS` and `jobs.RUN`; none is empty.
const GH: &str = r#"
path=${*: -1}
printf '%s\n' "$*" >>"$STATE/asked"
case $path in
  *'/runs?status='*) file=${path#*workflows/} name=runs.${file%%/*}.${path#*status=} list=workflow_runs ;;
  *'/jobs?filter=latest'*) run=${path#*/runs/} name=jobs.${run%%/*} list=jobs ;;
  *) echo "unexpected: $*" >&2; exit 9 ;;
esac
name=${name%%&*}
[[ ! -e $STATE/fails.$name ]] || { echo 'gh: HTTP 403' >&2; exit 1; }
[[ -e $STATE/$name ]] || { printf '{"total_count": 0, "%s": []}' "$list"; exit; }
cat "$STATE/$name"
"#;

/// Releases nothing.
const TOFU: &str = "printf '%s\\n' \"$*\" >>\"$STATE/called\"\n";

fn unlocking(aws: &Aws, mode: &str) -> Script {
    script(aws, "force-unlock.sh", mode)
        .tool("gh", GH)
        .env("LOCK_ID", ID)
        .env("REASON", "the runner is gone")
        .env("WORKFLOWS", r#"["tf.yml"]"#)
}

/// With a tool that only notes that it was called.
fn idle(aws: &Aws, mode: &str) -> Script {
    unlocking(aws, mode).tool("tofu", TOFU).env("TF_COMMAND", "tofu").file("the stack/main.tf", "")
}

#[track_caller]
fn untouched(script: &Script, ran: Ran) -> Ran {
    assert!(!script.state().join("called").exists(), "the tool was called:\n{}", ran.log);
    ran
}

fn lock(id: &str, created: &str) -> String {
    json!({"ID": id, "Operation": "OperationTypeApply", "Info": "", "Who": "runner@host", "Version": "1.11.4",
        "Created": created, "Path": "x"})
    .to_string()
}

fn file() -> String {
    format!("{KEY}.tflock")
}

fn answer(script: &Script, name: &str, content: impl ToString) {
    fs::write(script.state().join(name), content.to_string()).unwrap();
}

fn runs(runs: &[(u64, &str)]) -> Value {
    let all: Vec<_> = runs.iter().map(|(id, began)| json!({"id": id, "run_started_at": began})).collect();
    json!({"total_count": all.len(), "workflow_runs": all})
}

fn jobs(jobs: &[(&str, Value)]) -> Value {
    let all: Vec<_> =
        jobs.iter().map(|(status, began)| json!({"status": status, "started_at": began})).collect();
    json!({"total_count": all.len(), "jobs": all})
}

#[test]
fn the_lock_of_a_killed_terraform_is_released() {
    if tool::find("terraform").is_none() {
        return;
    }
    let Some(aws) = backend() else { return };
    let suicide = "resource \"terraform_data\" \"one\" {\n  provisioner \"local-exec\" {\n    \
                   command = \"[ ! -e kill ] || kill -9 $PPID\"\n  }\n}\n";
    for mode in ["s3", "dynamodb", "both"] {
        let script = stack(unlocking(&aws, mode), mode, suicide).file("the stack/kill", "");
        let apply = "terraform -chdir='the stack' apply -auto-approve -input=false -no-color >apply.log 2>&1";
        run(&script, apply).exits(137);
        let held = match mode {
            "dynamodb" => item(&aws, KEY)["Info"]["S"].as_str().unwrap().to_owned(),
            _ => String::from_utf8(object(&aws, &file()).unwrap()).unwrap(),
        };
        let held: Value = serde_json::from_str(&held).unwrap();
        let id = held["ID"].as_str().unwrap();

        // Another one's.
        script.run().exits(3).says(&format!("is not held under {ID}, but under {id}"));
        let script = script.env("LOCK_ID", id);
        script.clone().without("REASON").run().exits(4).says(" seconds old, 1800 are asked for");
        run(&script, "terraform -chdir='the stack' plan -input=false -no-color").exits(1);
        let ran = script
            .run()
            .exits(0)
            .says("for OperationTypeApply, by ")
            .says("Terraform state has been successfully unlocked!")
            .says(&format!("released the lock {id}"))
            .shows(&format!("### 🔓 The lock of `{KEY}`"))
            .shows("Reason: `the runner is gone`")
            .shows(&format!("Released: `{id}`"));
        assert_inert(&ran.summary, &[]);
        script.run().exits(3).says("nothing is locked");
        fs::remove_file(script.directory().join("the stack/kill")).unwrap();
        run(&script, apply).exits(0);
        converged(&script);
        delete_object(&aws, KEY);
        delete_item(&aws, &format!("{KEY}-md5"));
    }
}

#[test]
fn one_of_two_locks_is_released_although_the_tool_reports_an_error() {
    if tool::find("terraform").is_none() {
        return;
    }
    let Some(aws) = backend() else { return };
    let script = stack(unlocking(&aws, "both"), "both", "");
    put_object(&aws, &file(), lock(ID, TAKEN));
    script.run().exits(0).says("failed to unlock DynamoDB").says("released the lock");
    assert_eq!(object(&aws, &file()), None);
    put_item(&aws, KEY, &lock(ID, TAKEN));
    script.run().exits(0).says("failed to unlock S3").says("released the lock");
    assert!(item(&aws, KEY).is_null());

    // Two that differ: the one that was named, and no other.
    put_object(&aws, &file(), lock(ID, TAKEN));
    put_item(&aws, KEY, &lock(OTHER, TAKEN));
    script.run().exits(0).says("::warning::").says("is locked by somebody else now");
    assert_eq!(object(&aws, &file()), None);
    script.run().exits(3).says(&format!("but under {OTHER}"));
    assert!(item(&aws, KEY).is_object());
}

#[test]
fn a_run_that_is_killed_is_mended_by_the_next() {
    if tool::find("terraform").is_none() {
        return;
    }
    let Some(aws) = backend() else { return };
    let script = stack(unlocking(&aws, "both"), "both", "");
    let both = || {
        put_object(&aws, &file(), lock(ID, TAKEN));
        put_item(&aws, KEY, &lock(ID, TAKEN));
    };
    both();
    aws.forget_calls();
    script.run().exits(0);
    let writes = writes(&aws.calls());
    assert_eq!(writes.len(), 2);
    let mut codes = Vec::new();
    for write in writes {
        both();
        aws.kill_at(write);
        assert!(script.run_until_killed().is_none());
        codes.push(script.run().code);
        assert!(object(&aws, &file()).is_none() && item(&aws, KEY).is_null());
    }
    assert_eq!(codes, [0, 3], "the rest is released, or nothing is left");
}

#[test]
fn a_tool_that_fails_leaves_the_lock() {
    if tool::find("terraform").is_none() {
        return;
    }
    let Some(aws) = backend() else { return };
    let script = stack(unlocking(&aws, "s3"), "s3", "");
    put_object(&aws, &file(), lock(ID, TAKEN));
    aws.fail_next("s3:DeleteObject", Failure::Status(403));
    let ran = script
        .run()
        .exits(1)
        .says("::error::terraform force-unlock failed with exit code 1, the lock is still held");
    assert!(!ran.summary.contains("Released"));
    assert!(object(&aws, &file()).is_some());
    script.run().exits(0);
    // It says that it did, and did not.
    let script = idle(&aws, "s3");
    put_object(&aws, &file(), lock(ID, TAKEN));
    script.run().exits(1).says("exit code 0, the lock is still held");
    assert_eq!(
        fs::read_to_string(script.state().join("called")).unwrap(),
        format!("-chdir=the stack force-unlock -no-color -force {ID}\n")
    );
}

#[test]
fn what_cannot_be_seen_afterwards_is_not_called_released() {
    let Some(aws) = backend() else { return };
    put_item(&aws, KEY, &lock(ID, TAKEN));
    let blinding = "rm \"$STATE/../bin/aws\"; printf '#!/bin/sh\\necho blind >&2; exit 1\\n' >\"$STATE/../bin/aws\"; chmod +x \"$STATE/../bin/aws\"\n";
    let ran = idle(&aws, "dynamodb").tool("tofu", blinding).run().exits(5);
    ran.says("whether the lock is released is unknown, run this again: blind");
}

#[test]
fn a_young_lock_needs_a_reason() {
    let Some(aws) = backend() else { return };
    // The table says nothing of when; the bucket saw it now.
    put_item(&aws, KEY, &lock(ID, TAKEN));
    let script = idle(&aws, "dynamodb").without("REASON");
    script.run().exits(1);
    untouched(
        &idle(&aws, "dynamodb"),
        script.clone().env("MIN_LOCK_AGE", "999999999").run().exits(4).says("seconds old"),
    );
    put_object(&aws, &file(), lock(ID, TAKEN));
    for blank in ["", " ", "\n\t "] {
        let script = idle(&aws, "s3").env("REASON", blank);
        untouched(&script, script.run().exits(4).says("wait, or give a reason"));
    }
    idle(&aws, "s3").without("REASON").env("MIN_LOCK_AGE", "0").run().exits(1);
    // A clock that is ahead makes nothing old, a time that is no time neither.
    for created in ["2999-01-01T00:00:00Z", "yesterday", "", "::error::taken over"] {
        put_item(&aws, KEY, &lock(ID, created));
        let script = idle(&aws, "dynamodb").without("REASON");
        untouched(&script, script.run().exits(4).says("give a reason"));
    }
}

#[test]
fn a_lock_that_cannot_be_read_is_for_a_person() {
    let Some(aws) = backend() else { return };
    let held = "is held under an id that cannot be read";
    for garbage in
        ["", "garbage", "[]", "{\"ID\": 1}", "{\"ID\": \"a b\"}", "::error::taken over\n", "{\"ID\": \"\"}"]
    {
        put_object(&aws, &file(), garbage);
        let script = idle(&aws, "s3");
        untouched(&script, script.run().exits(5).says(held).shows("`unreadable`"));
    }
    put_item(&aws, KEY, "garbage");
    let script = idle(&aws, "both");
    let ran = untouched(&script, script.run().exits(5).says(held).says("Look at it"));
    // The commands that it prints are right.
    let commands: Vec<_> = ran.log.lines().filter(|line| line.starts_with("aws ")).collect();
    assert_eq!(commands.len(), 4, "{}", ran.log);
    run(&script, &format!("set -e\n{}", commands.join("\n"))).exits(0).says("{\"ID\": \"\"}").says("garbage");
    script.run().exits(3).says("nothing is locked");
    // One of two that can be read does not help.
    put_item(&aws, KEY, "garbage");
    put_object(&aws, &file(), lock(ID, TAKEN));
    untouched(&script, script.run().exits(5).says(held));
}

#[test]
fn who_does_not_answer_is_not_free() {
    let Some(aws) = backend() else { return };
    for (mode, action) in [
        ("s3", "s3:GetObject"),
        ("both", "s3:GetObject"),
        ("dynamodb", "dynamodb:GetItem"),
        ("both", "dynamodb:GetItem"),
    ] {
        for failure in [Failure::Status(403), Failure::Status(500), Failure::Drop] {
            aws.fail_next(action, failure);
            let script = idle(&aws, mode);
            untouched(&script, script.run().exits(5).says("who holds the lock is unknown"));
        }
    }
    idle(&aws, "s3").env("TF_STATE_BUCKET", "no-bucket").run().exits(5).says("NoSuchBucket");
    idle(&aws, "both").env("TF_LOCK_TABLE", "no-table").run().exits(5).says("ResourceNotFound");
    idle(&aws, "s3").env("EXPECTED_ACCOUNT_ID", "999999999999").run().exits(5).says("AccessDenied");
    for mode in ["s3", "dynamodb", "both"] {
        idle(&aws, mode).run().exits(3).says("nothing is locked");
    }
}

#[test]
fn a_run_that_may_own_the_lock_keeps_it() {
    let Some(aws) = backend() else { return };
    put_item(&aws, KEY, &lock(ID, TAKEN));
    let keeps = |name: &str, list: Value, of_run: Option<Value>| {
        let mut script = idle(&aws, "dynamodb");
        if name.contains("tf-auto") {
            script = script.env("WORKFLOWS", r#"["tf.yml", "tf-auto.yml"]"#);
        }
        answer(&script, name, list);
        if let Some(jobs) = of_run {
            answer(&script, "jobs.8", jobs);
        }
        let ran = script.run();
        if ran.code == 5 {
            untouched(&script, ran)
                .says("may still own it")
                .says("https://github.com/octo-org/octo-repo/actions/runs/8");
            true
        } else {
            // Nothing held it back: the idle tool was called.
            ran.exits(1);
            false
        }
    };
    let working = || Some(jobs(&[("completed", json!(BEFORE)), ("in_progress", json!(BEFORE))]));
    // Every state but the last, in every workflow.
    for workflow in ["tf.yml", "tf-auto.yml"] {
        for status in ["requested", "queued", "pending", "waiting", "in_progress"] {
            assert!(
                keeps(&format!("runs.{workflow}.{status}"), runs(&[(8, BEFORE)]), working()),
                "{workflow} {status}"
            );
        }
    }
    let list = "runs.tf.yml.in_progress";
    for (began, verdict) in [(BEFORE, true), (SKEWED, true), (AFTER, false), ("unreadable", true)] {
        assert_eq!(keeps(list, runs(&[(8, began)]), working()), verdict, "a run of {began}");
        assert_eq!(
            keeps(list, runs(&[(8, BEFORE)]), Some(jobs(&[("in_progress", json!(began))]))),
            verdict,
            "a job of {began}"
        );
    }
    // This run is none, parked runs and those between two jobs hold nothing, what is not known may.
    assert!(!keeps(list, runs(&[(77, BEFORE)]), None));
    assert!(!keeps(
        "runs.tf.yml.waiting",
        runs(&[(8, BEFORE)]),
        Some(jobs(&[("completed", json!(BEFORE)), ("waiting", Value::Null), ("queued", json!(BEFORE))]))
    ));
    assert!(!keeps(list, runs(&[(8, BEFORE)]), Some(jobs(&[]))));
    for (status, began) in [("in_progress", Value::Null), ("hibernating", json!(BEFORE))] {
        assert!(keeps(list, runs(&[(9, AFTER), (8, BEFORE)]), Some(jobs(&[(status, began)]))), "{status}");
    }
    // Whoever began after a lock of unknown age may own it.
    put_item(&aws, KEY, &lock(ID, "some day"));
    assert!(keeps(list, runs(&[(8, AFTER)]), Some(jobs(&[("in_progress", json!(AFTER))]))));
}

#[test]
fn an_api_that_does_not_tell_keeps_the_lock() {
    let Some(aws) = backend() else { return };
    put_item(&aws, KEY, &lock(ID, TAKEN));
    let script = idle(&aws, "dynamodb");
    let unknown = || {
        untouched(&script, script.run().exits(5).says("whether a run still owns the lock is unknown"));
    };
    for name in ["runs.tf.yml.requested", "runs.tf.yml.in_progress"] {
        answer(&script, &format!("fails.{name}"), "");
        unknown();
        fs::remove_file(script.state().join(format!("fails.{name}"))).unwrap();
    }
    let run = runs(&[(8, BEFORE)]);
    for broken in [
        String::new(),
        "[]".to_owned(),
        "<html>".to_owned(),
        "{\"message\": \"Bad credentials\"}".to_owned(),
        json!({"total_count": 2, "workflow_runs": [{"id": 8, "run_started_at": AFTER}]}).to_string(),
        json!({"total_count": 1, "workflow_runs": [{"id": "8"}]}).to_string(),
        json!({"total_count": 1, "workflow_runs": [8]}).to_string(),
        "::error::taken over".to_owned(),
    ] {
        answer(&script, "runs.tf.yml.in_progress", broken);
        unknown();
    }
    answer(&script, "runs.tf.yml.in_progress", &run);
    for broken in
        ["", "{\"jobs\": []}", "{\"total_count\": 1, \"jobs\": []}", "{\"total_count\": 1, \"jobs\": [1]}"]
    {
        answer(&script, "jobs.8", broken);
        unknown();
    }
    answer(&script, "fails.jobs.8", "");
    unknown();
    // All pages together are the answer.
    fs::remove_file(script.state().join("fails.jobs.8")).unwrap();
    let page = |id: u64, began: &str| {
        json!({"total_count": 2, "workflow_runs": [{"id": id, "run_started_at": began}]}).to_string()
    };
    answer(&script, "runs.tf.yml.in_progress", page(9, AFTER) + &page(8, BEFORE));
    answer(&script, "jobs.8", jobs(&[("completed", json!(BEFORE))]));
    script.run().exits(1);
    let asked = fs::read_to_string(script.state().join("asked")).unwrap();
    assert!(
        asked
            .lines()
            .all(|call| call.starts_with("api --method GET --paginate repos/octo-org/octo-repo/actions/"))
    );
}

#[test]
fn hostile_text_stays_inert() {
    let Some(aws) = backend() else { return };
    for at in (0..HOSTILE.len()).step_by(4) {
        let [who, info, operation, reason] = [0, 1, 2, 3].map(|more| HOSTILE[(at + more) % HOSTILE.len()]);
        let lock = json!({"ID": ID, "Who": who, "Info": info, "Operation": operation, "Created": TAKEN});
        put_item(&aws, KEY, &lock.to_string());
        let ran = idle(&aws, "dynamodb").env("REASON", reason).run().exits(1);
        assert_inert(&ran.summary, &[]);
        for row in ran.summary.lines().filter(|line| line.starts_with('|')) {
            assert_eq!(row.replace("\\|", "").matches('|').count(), 7, "{row}");
        }
    }
    for id in [json!(HOSTILE.concat()), json!("a".repeat(101)), json!({"a": "b"})] {
        put_item(&aws, KEY, &json!({"ID": id, "Who": 1, "Created": [TAKEN]}).to_string());
        idle(&aws, "dynamodb").run().exits(5);
    }
    put_item(
        &aws,
        KEY,
        &json!({"ID": ID, "Who": 1, "Info": {}, "Operation": null, "Created": [TAKEN]}).to_string(),
    );
    let ran = idle(&aws, "dynamodb").run().exits(1);
    assert_inert(&ran.summary, &[]);
}

#[test]
fn refuses_settings_of_the_wrong_shape() {
    let Some(aws) = Aws::start() else { return };
    let script = idle(&aws, "both");
    for (key, value) in [
        ("LOCK_ID", ""),
        ("LOCK_ID", "12345678-90AB-cdef-1234-567890abcdef"),
        ("LOCK_ID", "12345678-90ab-cdef-1234-567890abcdef\n"),
        ("LOCK_ID", "-force"),
        ("MIN_LOCK_AGE", "-1"),
        ("MIN_LOCK_AGE", "08"),
        ("WORKFLOWS", ""),
        ("WORKFLOWS", "[]"),
        ("WORKFLOWS", "[\"../x.yml\"]"),
        ("WORKFLOWS", "[\"tf.yml?x\"]"),
        ("TF_COMMAND", "rm"),
        ("STACK_DIRECTORY", "missing"),
        ("TF_STATE_BUCKET", ""),
        ("TF_STATE_KEY", ""),
        ("TF_STATE_KEY", "file://x"),
        ("TF_LOCK_MODE", "none"),
        ("TF_LOCK_TABLE", ""),
        ("EXPECTED_ACCOUNT_ID", ""),
        ("AWS_REGION", ""),
        ("GITHUB_REPOSITORY", "a/b/c"),
        ("GITHUB_RUN_ID", ""),
        ("GITHUB_SERVER_URL", "javascript:x"),
        ("GH_TOKEN", ""),
    ] {
        untouched(&script, script.clone().env(key, value).run().exits(2).says(&format!("::error::{key} ")));
    }
    assert!(aws.calls().is_empty());
}
