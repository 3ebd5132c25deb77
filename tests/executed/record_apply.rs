use std::fs;

use super::script::{HOSTILE, Ran, Script, assert_inert};
use super::stack_on_aws::{COMMIT, backend, object, run, script, stack};
use crate::aws::{Aws, Failure};
use crate::tool;
use serde_json::{Value, json};

const LEDGER: &str = "_pyfleet/applied/dev/app.json";
const PLAN: &str = "feedfacefeedfacefeedfacefeedfacefeedfacefeedfacefeedfacefeedface";

const RESOURCES: &str = r#"
resource "terraform_data" "one" {}
resource "terraform_data" "two" { count = 2 }
data "terraform_remote_state" "none" {
  backend = "local"
  config  = { path = "none.tfstate" }
  defaults = {}
}
output "url" { value = "https://app.example" }
output "zones" { value = ["a", "b"] }
output "password" {
  value     = "hush-hush"
  sensitive = true
}
"#;

const GH: &str = r#"
printf '%s\n' "$*" >>"$STATE/asked"
[[ ! -e $STATE/forbidden ]] || { echo 'gh: Resource not accessible by integration (HTTP 403)' >&2; exit 1; }
cat "$STATE/approvals"
"#;

fn review(state: &str, environment: &str, login: &str, comment: &str) -> Value {
    json!({"state": state, "comment": comment, "environments": [{"id": 1, "name": environment}], "user": {"login": login}})
}

fn recording(aws: &Aws, approvals: &Value) -> Script {
    let script = script(aws, "record-apply.sh", "s3")
        .tool("gh", GH)
        .env("ACTION", "apply")
        .env("GITHUB_TRIGGERING_ACTOR", "octocat")
        .env("PLAN_SHA256", PLAN)
        .env("OUTPUTS_DIR", "the outputs/app");
    fs::write(script.state().join("approvals"), approvals.to_string()).unwrap();
    script
}

fn applied(aws: &Aws, approvals: &Value) -> Script {
    let script = stack(recording(aws, approvals), "s3", RESOURCES);
    run(&script, "printf '{\"version\":4,\"terraform_version\":\"1.11.4\",\"serial\":1,\"lineage\":\"x\",\"outputs\":{},\"resources\":[]}' >'the stack/none.tfstate'\nterraform -chdir='the stack' apply -auto-approve -input=false -no-color")
        .exits(0);
    script
}

fn ledger(aws: &Aws) -> Value {
    serde_json::from_slice(&object(aws, LEDGER).expect("a ledger")).unwrap()
}

#[test]
fn who_applied_what_and_who_agreed_is_written_down() {
    if tool::find("terraform").is_none() {
        return;
    }
    let Some(aws) = backend() else { return };
    let approvals = json!([
        review("rejected", "dev-approval", "mallory", "no"),
        review("approved", "prod-approval", "trent", "the other one"),
        review("approved", "Dev-approval", "alice", "looks right"),
    ]);
    let script = applied(&aws, &approvals)
        .env("ACTIVE_COLOR", "green")
        .env("REASON", "because")
        .env("PUBLISH_OUTPUTS", r#"["url", "zones", "password", "gone"]"#);
    let ran = script
        .run()
        .exits(0)
        .says("::notice::the output password of dev/app is sensitive: it is not published")
        .says("::notice::dev/app has no output gone: it is not published")
        .says("recorded the apply of dev/app in s3://state-bucket/_pyfleet/applied/dev/app.json")
        .shows("### 📒 apply of `app` in `dev`")
        .shows(&format!("| Commit | `{COMMIT}` |"))
        .shows("| Approved by | `alice` |")
        .shows("| Live colour | `green` |")
        .shows("| Resources | `3` |")
        .shows("| `url` | `https://app.example` |")
        .shows("| `zones` | `[\"a\",\"b\"]` |")
        .never_says("hush-hush")
        .never_says("mallory");
    assert_inert(&ran.summary, &[]);
    assert_eq!(
        ran.json("the outputs/app/outputs.json"),
        json!({"url": "https://app.example", "zones": ["a", "b"]})
    );
    let asked = fs::read_to_string(script.state().join("asked")).unwrap();
    assert_eq!(asked, "api repos/octo-org/octo-repo/actions/runs/77/approvals\n");

    let mut record = ledger(&aws);
    let text = record.to_string();
    assert!(!text.contains("hush-hush") && !text.contains("app.example"), "values in {text}");
    let time = record["time"].take();
    let time = time.as_str().unwrap();
    assert!(time.len() == 20 && time.ends_with('Z') && time.as_bytes()[10] == b'T', "{time}");
    let version = record["tool_version"].take();
    assert!(version.as_str().unwrap().starts_with("1."), "{version}");
    // printf '{"url":"https://app.example","zones":["a","b"]}\n' | sha256sum
    let digest = "c2257c849548992aae6aad0b8ff3c570859a0642ab42150bd62bcf7655cc0337";
    let expected = json!({
        "format": 1, "action": "apply", "commit": COMMIT, "run_id": "77", "run_attempt": "2",
        "run_url": "https://github.com/octo-org/octo-repo/actions/runs/77/attempts/2",
        "actor": "octocat", "approver": "alice", "approval_comment": "looks right", "plan_sha256": PLAN,
        "tool": "terraform", "tool_version": null, "active_color": "green", "image": null, "images": {}, "outputs_sha256": digest,
        "resources": 3, "reason": "because", "time": null,
    });
    assert_eq!(record, expected);

    // With which image, where there is one.
    let image = json!({"id": "ami-1", "built_at": "2026-01-02T03:04:05Z", "software": {"uv": "0.5"}});
    script.clone().env("IMAGE", image.to_string()).run().exits(0).shows("| Image | `ami-1` |");
    assert_eq!(ledger(&aws)["image"], image);
    for odd in ["ami-1", "[]", "{}", r#"{"id": "$(id)"}"#] {
        script.clone().env("IMAGE", odd).run().exits(2);
    }

    // With which images it was synthesised.
    let backend = format!("ghcr.io/acme/backend@sha256:{}", "0123456789abcdef".repeat(4));
    let synthesised = script.clone().env("IMAGE_BACKEND", &backend).env("IMAGE_WEB", "nginx:latest");
    synthesised
        .clone()
        .env("IMAGES", r#"["IMAGE_BACKEND"]"#)
        .run()
        .exits(0)
        .shows(&format!("| IMAGE_BACKEND | `{backend}` |"));
    assert_eq!(ledger(&aws)["images"], json!({"IMAGE_BACKEND": backend}));
    for odd in ["{}", r#"["PATH"]"#, r#"["IMAGE_WEB"]"#, r#"["IMAGE_NONE"]"#, "[] []"] {
        synthesised.clone().env("IMAGES", odd).run().exits(2);
    }

    // What a rollback applied is another commit than the workflow's own.
    let earlier = "89abcdef0123456789abcdef0123456789abcdef";
    script
        .clone()
        .env("ACTION", "rollback")
        .env("COMMIT", earlier)
        .run()
        .exits(0)
        .shows(&format!("| `{earlier}` |"));
    assert_eq!((&ledger(&aws)["action"], &ledger(&aws)["commit"]), (&json!("rollback"), &json!(earlier)));

    // Once more, and after a destroy.
    script.run().exits(0);
    assert_eq!(ledger(&aws)["outputs_sha256"], digest);
    run(&script, "terraform -chdir='the stack' destroy -auto-approve -input=false -no-color").exits(0);
    let ran =
        script.env("ACTION", "destroy").run().exits(0).shows("| Resources | `0` |").says("no output url");
    assert_eq!(ran.json("the outputs/app/outputs.json"), json!({}));
    let record = ledger(&aws);
    assert_eq!((&record["action"], &record["resources"]), (&json!("destroy"), &json!(0)));
    assert_ne!(record["outputs_sha256"], digest);
}

#[test]
fn what_there_is_not_is_null() {
    if tool::find("terraform").is_none() {
        return;
    }
    let Some(aws) = backend() else { return };
    // No state at all.
    let script = stack(recording(&aws, &json!([])), "s3", RESOURCES).without("PLAN_SHA256");
    let ran =
        script.env("ACTION", "revert").run().exits(0).shows("| Approved by | – |").shows("| Reason | – |");
    assert!(!ran.log.contains("::notice::"), "{}", ran.log);
    assert!(!ran.summary.contains("| Output |"));
    let record = ledger(&aws);
    for absent in ["approver", "approval_comment", "plan_sha256", "active_color", "reason"] {
        assert_eq!(record[absent], Value::Null, "{absent}");
    }
    assert_eq!(record["resources"], 0);
}

#[test]
fn everybody_who_approved_is_named() {
    if tool::find("terraform").is_none() {
        return;
    }
    let Some(aws) = backend() else { return };
    let approvals = json!([
        review("approved", "dev-approval", "alice", "first"),
        review("approved", "dev-approval", "bob", ""),
        review("approved", "dev-approval", "alice", "second"),
    ]);
    applied(&aws, &approvals).run().exits(0).shows("| Approved by | `alice, bob` |");
    let record = ledger(&aws);
    assert_eq!(record["approver"], "alice, bob");
    assert_eq!(record["approval_comment"], "first\nsecond");
}

#[test]
fn an_api_that_does_not_tell_who_approved_stops_nothing() {
    if tool::find("terraform").is_none() {
        return;
    }
    let Some(aws) = backend() else { return };
    let script = applied(&aws, &json!([review("approved", "dev-approval", "alice", "")]));
    fs::write(script.state().join("forbidden"), "").unwrap();
    let unknown = "::notice::who approved this run is not recorded";
    script.run().exits(0).says(unknown).says("HTTP 403");
    assert_eq!(ledger(&aws)["approver"], Value::Null);
    fs::remove_file(script.state().join("forbidden")).unwrap();
    for answer in [
        "",
        "{}",
        "<html>",
        "[][]",
        "[1]",
        r#"[{"state": "approved", "environments": 1}]"#,
        "::error::taken over",
    ] {
        fs::write(script.state().join("approvals"), answer).unwrap();
        script.run().exits(0).says(unknown);
        assert_eq!(ledger(&aws)["approver"], Value::Null, "{answer}");
    }
}

#[test]
fn a_record_that_is_missing_does_not_ask_for_another_apply() {
    if tool::find("terraform").is_none() {
        return;
    }
    let Some(aws) = backend() else { return };
    let script = applied(&aws, &json!([])).env("REASON", "::error::taken over");
    let missing = |ran: Ran| {
        ran.exits(1)
            .says("::error::the apply of dev/app has taken place, only its record is missing")
            .says("Do not run it again for that")
    };
    missing(script.clone().env("EXPECTED_ACCOUNT_ID", "999999999999").run()).says("AccessDenied");
    for failure in [Failure::Status(403), Failure::Status(500), Failure::Drop] {
        aws.fail_next("s3:PutObject", failure);
        // What should have been written is in the log.
        missing(script.run()).says("\"plan_sha256\": \"feedface").shows("| Resources | `3` |");
        assert_eq!(object(&aws, LEDGER), None);
        aws.fail_next("s3:GetObject", Failure::Status(403));
        missing(script.run()).says("terraform could not read the state");
    }
    script.run().exits(0);

    let mute = script.clone().tool("tofu", "echo 'tofu is broken' >&2; exit 3").env("TF_COMMAND", "tofu");
    missing(mute.run()).says("tofu is broken");
    let strange = "[[ $1 != version ]] || { echo '{\"terraform_version\": \"1.9.0\"}'; exit; }\ncat \"$STATE/strange\"\n";
    let strange = mute.tool("tofu", strange);
    for state in [
        "{}",
        "{\"version\": 3}",
        "[]",
        "::error::taken over",
        "{\"version\": 4}",
        "{\"version\": 4}{\"version\": 4}",
    ] {
        fs::write(strange.state().join("strange"), state).unwrap();
        missing(strange.run()).says("tofu could not read the state");
    }
}

#[test]
fn a_run_that_is_killed_is_mended_by_the_next() {
    if tool::find("terraform").is_none() {
        return;
    }
    let Some(aws) = backend() else { return };
    let script = applied(&aws, &json!([]));
    let mut calls = 0;
    loop {
        calls += 1;
        aws.kill_at(calls);
        let ran = script.run_until_killed();
        script.run().exits(0);
        assert_eq!(ledger(&aws)["resources"], 3);
        if ran.is_some() {
            break;
        }
    }
    assert!(calls > 1);
}

#[test]
fn hostile_text_stays_inert() {
    if tool::find("terraform").is_none() {
        return;
    }
    let Some(aws) = backend() else { return };
    let values = json!(HOSTILE);
    let outputs = "variable \"values\" { type = list(string) }\n\
                   output \"hostile\" { value = var.values }\n\
                   output \"each\" { value = join(\"\", var.values) }\n\
                   output \"huge\" { value = join(\"\", [for i in range(1000): \"🚀`|\\\\\"]) }\n";
    let script = stack(recording(&aws, &json!([])), "s3", outputs)
        .file("the stack/values.auto.tfvars.json", json!({"values": values}).to_string());
    run(&script, "terraform -chdir='the stack' apply -auto-approve -input=false -no-color >/dev/null")
        .exits(0);
    let script = script.env("PUBLISH_OUTPUTS", r#"["hostile", "each", "huge"]"#);
    for at in (0..HOSTILE.len()).step_by(4) {
        let [reason, actor, login, comment] = [0, 1, 2, 3].map(|more| HOSTILE[(at + more) % HOSTILE.len()]);
        let approvals = json!([review("approved", "dev-approval", login, comment)]);
        fs::write(script.state().join("approvals"), approvals.to_string()).unwrap();
        let ran = script
            .clone()
            .env("REASON", reason)
            .env("GITHUB_TRIGGERING_ACTOR", actor)
            .run()
            .exits(0)
            .shows("…`` |");
        assert_inert(&ran.summary, &[]);
        let rows = ran.summary.lines().filter(|line| line.starts_with('|'));
        for row in rows {
            let cells = row.replace("\\|", "").matches('|').count();
            assert_eq!(cells, 3, "{row}");
        }
        assert_eq!(ran.json("the outputs/app/outputs.json")["hostile"], values);
        let record = ledger(&aws);
        let expected = [reason, actor, login, comment];
        for (field, text) in ["reason", "actor", "approver", "approval_comment"].into_iter().zip(expected) {
            assert_eq!(record[field], *text, "{field}");
        }
    }
    script.env("REASON", "long ".repeat(10_000)).run().exits(0);
    assert_eq!(ledger(&aws)["reason"].as_str().unwrap().len(), 2000);
}

#[test]
fn refuses_settings_of_the_wrong_shape() {
    let Some(aws) = Aws::start() else { return };
    let script =
        recording(&aws, &json!([])).env("TF_COMMAND", "tofu").tool("tofu", "exit 9").file("the stack/x", "");
    for (key, value) in [
        ("ACTION", ""),
        ("ACTION", "plan"),
        ("TF_COMMAND", "rm"),
        ("STACK_DIRECTORY", "missing"),
        ("ENVIRONMENT", "Dev"),
        ("STACK", "../x"),
        ("TF_STATE_BUCKET", ""),
        ("EXPECTED_ACCOUNT_ID", "1"),
        ("AWS_REGION", ""),
        ("GITHUB_SHA", "main"),
        ("GITHUB_REPOSITORY", "repo"),
        ("GITHUB_RUN_ID", ""),
        ("GITHUB_RUN_ATTEMPT", "0"),
        ("GITHUB_TRIGGERING_ACTOR", ""),
        ("GITHUB_SERVER_URL", "https://evil.example/x"),
        ("PLAN_SHA256", "abc"),
        ("ACTIVE_COLOR", "blue green"),
        ("PUBLISH_OUTPUTS", "{}"),
        ("PUBLISH_OUTPUTS", "[\"a b\"]"),
        ("PUBLISH_OUTPUTS", "[] []"),
        ("OUTPUTS_DIR", ""),
    ] {
        script.clone().env(key, value).run().exits(2).says(&format!("::error::{key} "));
    }
    assert!(aws.calls().is_empty());
}
