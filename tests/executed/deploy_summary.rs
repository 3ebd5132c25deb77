use std::fs;

use serde_json::{Value, json};

use super::ecs_service::{COMMIT, image};
use super::script::{HOSTILE, Script, assert_inert};

const GH: &str = r#"
printf '%s\n' "$*" >>"$STATE/asked"
case $3 in
  */approvals) cat "$STATE/approvals" ;;
  */jobs) cat "$STATE/jobs" ;;
  *) exit 1 ;;
esac
"#;

fn service(deploy: &str) -> Value {
    json!({"service": "api", "image": "broker/api", "digest": &image(2)[image(2).find('@').unwrap() + 1..], "previous": "7", "revision": "8",
        "state": "completed", "deploy": deploy, "rolled_back": ""})
}

fn summarising(services: &Value) -> Script {
    let script = Script::new("deploy-summary.sh")
        .tool("gh", GH)
        .env("VERSION", "1.2.0")
        .env("COMMIT", COMMIT)
        .env("ENVIRONMENT", "prod")
        .env("SERVICES", services.to_string())
        .env("GITHUB_REPOSITORY", "octo-org/octo-repo")
        .env("GITHUB_RUN_ID", "77")
        .env("GITHUB_RUN_ATTEMPT", "2");
    let approval = |state: &str, environment: &str, login: &str| json!({"state": state, "comment": "looks right", "environments": [{"name": environment}], "user": {"login": login}});
    let approvals = json!([
        approval("approved", "Prod-approval", "alice"),
        approval("approved", "dev-approval", "trent"),
        approval("rejected", "prod-approval", "mallory"),
    ]);
    let job = |name: &str, conclusion: &str, started: &str, completed: Option<&str>| json!({"name": name, "conclusion": conclusion, "started_at": started, "completed_at": completed});
    let pages = [
        json!({"jobs": [
            job("guard", "success", "2026-11-01T10:00:00Z", Some("2026-11-01T10:00:07Z")),
            job("deploy (api)", "failure", "2026-11-01T10:00:00Z", Some("2026-11-01T10:05:03Z")),
        ]}),
        json!({"jobs": [
            job("skipped", "skipped", "2026-11-01T10:00:00Z", Some("2026-11-01T10:00:00Z")),
            job("waited", "success", "2026-11-01T10:00:00Z", Some("2026-11-01T12:03:00Z")),
            job("summary", "", "2026-11-01T10:00:00Z", None),
        ]}),
    ];
    fs::write(script.state().join("approvals"), approvals.to_string()).unwrap();
    fs::write(script.state().join("jobs"), pages.map(|page| page.to_string()).concat()).unwrap();
    script
}

#[test]
fn what_was_deployed_who_agreed_and_how_long_it_took() {
    let script = summarising(&json!([service("success")]));
    let ran = script
        .run()
        .exits(0)
        .shows("### 🚀 Deployment to `prod`")
        .shows("| Version | `1.2.0` |")
        .shows(&format!("| Commit | `{COMMIT}` |"))
        .shows("| Approved by | `alice` |")
        .shows("| Comment | `looks right` |")
        .shows("| `api` | ✅ live | `broker/api` | `sha256:0202")
        .shows("| `7` | `8` |")
        .shows("| `guard` | `success` | 7 s |")
        .shows("| `deploy (api)` | `failure` | 5 min 3 s |")
        .shows("| `waited` | `success` | 2 h 3 min |")
        .never_says("mallory")
        .never_says("trent")
        .never_says("`skipped`")
        .never_says("::notice::");
    assert_inert(&ran.summary, &[]);
    let asked = fs::read_to_string(script.state().join("asked")).unwrap();
    assert_eq!(
        asked,
        "api --paginate repos/octo-org/octo-repo/actions/runs/77/approvals\n\
         api --paginate repos/octo-org/octo-repo/actions/runs/77/attempts/2/jobs\n"
    );
}

#[test]
fn what_became_of_each_service_is_said() {
    let with = |deploy: &str, changes: Value| {
        let mut service = service(deploy);
        for (key, value) in changes.as_object().unwrap() {
            service[key] = value.clone();
        }
        service
    };
    for (service, says) in [
        (with("success", json!({"state": "unchanged"})), "✅ live before, nothing to do"),
        (with("failure", json!({"rolled_back": "7", "state": "failed"})), "❌ failed, rolled back to `7`"),
        (with("failure", json!({"rolled_back": 7})), "❌ failed, rolled back to `7`"),
        (
            with("failure", json!({"state": "completed", "rollback": "reversed", "live": "8"})),
            "❌ failed, and the rollback failed too: live is `8`",
        ),
        (
            with("failure", json!({"state": "failed", "rollback": "timeout", "live": "7"})),
            "❌ failed, and the rollback failed too: live is `7`",
        ),
        (
            with("failure", json!({"rollback": "unknown", "live": ""})),
            "❌ failed, and the rollback failed too: live is unknown",
        ),
        (
            with("failure", json!({"rollback": "unchanged", "live": "9"})),
            "❌ failed, nothing was rolled back: live is `9`",
        ),
        (
            with("failure", json!({"rolled_back": "7", "rollback": "completed", "live": "7"})),
            "❌ failed, rolled back to `7`",
        ),
        (with("failure", json!({"state": "reversed"})), "❌ failed, ECS has put it back"),
        (with("failure", json!({"state": "timeout"})), "❌ failed: `timeout`"),
        (with("failure", json!({})), "❌ failed: look at the service"),
        (with("failure", json!({"state": "", "revision": null})), "❌ failed, nothing was changed"),
        (with("cancelled", json!({})), "❌ cancelled"),
        (with("skipped", json!({"previous": "", "revision": ""})), "⏭️ not begun | `broker/api`"),
        (with("", json!({})), "❔ unknown"),
        (json!({"service": "api"}), "❔ unknown | – | – | – | – |"),
    ] {
        let ran = summarising(&json!([service])).run().exits(0).shows(&format!("| `api` | {says}"));
        assert_eq!(ran.summary.starts_with("### 🚀"), says.starts_with('✅'), "{}", ran.summary);
    }
}

#[test]
fn an_api_that_does_not_tell_fails_nothing() {
    let script = summarising(&json!([service("success")]));
    let unknown = "::notice::the summary is not whole, GitHub's API does not tell the approvals of this run";
    for answer in
        ["", "{}", "<html>", "[1]", "::error::taken over", "[{\"state\": \"approved\", \"environments\": 1}]"]
    {
        fs::write(script.state().join("approvals"), answer).unwrap();
        let ran = script.run().exits(0).shows("| Approved by | – |").shows("✅ live").shows("| `guard` |");
        assert!(answer.is_empty() || ran.log.contains(unknown), "{answer}: {}", ran.log);
    }
    for answer in
        ["{}", "<html>", "[]", "{\"jobs\": [1]}", "{\"jobs\": [{\"name\": 1}]}", "##[error]taken over"]
    {
        fs::write(script.state().join("jobs"), answer).unwrap();
        let ran = script.run().exits(0).shows("✅ live");
        assert!(!ran.summary.contains("| Duration |"), "{answer}: {}", ran.summary);
    }
    fs::remove_file(script.state().join("jobs")).unwrap();
    fs::remove_file(script.state().join("approvals")).unwrap();
    script.run().exits(0).says(unknown).says("does not tell the jobs of this run");
}

#[test]
fn hostile_text_stays_inert() {
    for hostile in HOSTILE {
        let mut service = service("failure");
        for key in
            ["service", "image", "digest", "previous", "revision", "state", "rolled_back", "rollback", "live"]
        {
            service[key] = json!(hostile);
        }
        let script = summarising(&json!([service])).env("VERSION", hostile);
        let approval = json!([{"state": "approved", "comment": hostile, "environments": [{"name": "prod-approval"}], "user": {"login": hostile}}]);
        fs::write(script.state().join("approvals"), approval.to_string()).unwrap();
        let jobs = json!({"jobs": [{"name": hostile, "conclusion": hostile, "started_at": hostile, "completed_at": hostile},
            {"name": hostile, "conclusion": hostile, "started_at": "2026-11-01T10:00:00Z", "completed_at": "2026-11-01T10:00:00Z"}]});
        fs::write(script.state().join("jobs"), jobs.to_string()).unwrap();
        let ran = script.run().exits(0);
        assert_inert(&ran.summary, &[]);
        for (rows, cells) in [("| Service |", 7), ("| Job |", 4)] {
            let row = ran.summary.lines().skip_while(|line| !line.starts_with(rows)).nth(2).unwrap();
            assert_eq!(row.replace("\\|", "").matches('|').count(), cells, "{row}");
        }
    }
}

#[test]
fn refuses_settings_of_the_wrong_shape() {
    let script = summarising(&json!([service("success")]));
    for (key, values) in [
        ("COMMIT", &["", "main"][..]),
        ("ENVIRONMENT", &["", "Prod", "a b"]),
        (
            "SERVICES",
            &[
                "",
                "[]",
                "{}",
                "[1]",
                "[{}]",
                "[{\"service\": \"\"}]",
                "[{\"service\": \"a\", \"image\": {}}]",
                "[] []",
            ],
        ),
        ("GITHUB_REPOSITORY", &["", "repo"]),
        ("GITHUB_RUN_ID", &["", "0"]),
        ("GITHUB_RUN_ATTEMPT", &["", "x"]),
    ] {
        super::backend::refuses(&script, key, values);
    }
    assert!(!script.state().join("asked").exists());
}
