use std::fs;

use super::script::{HOSTILE, Script, assert_inert};
use crate::aws::{ACCOUNT, Aws, Failure};
use crate::tool;
use serde_json::{Value, json};

const SUBJECT: &str = "repo:octo-org@65/octo-repo@74:environment:prod";
const OIDC: &str = "octo-org/octo-repo/.github/workflows/test-oidc.yml@refs/heads/main";

fn key(claim: &str) -> String {
    format!("token.actions.githubusercontent.com:{claim}")
}

fn trust(workflow: &str) -> Value {
    json!({"StringEquals": {
        key("aud"): "sts.amazonaws.com",
        key("sub"): SUBJECT,
        key("repository_id"): "74",
        key("job_workflow_ref"): workflow,
    }})
}

fn reads() -> Value {
    json!([
        {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetBucketLocation"], "Resource": "arn:aws:s3:::state-bucket"},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::state-bucket/app/state"},
    ])
}

fn writes() -> Value {
    let mut statements = reads();
    statements[1]["Action"] = json!(["s3:GetObject", "s3:PutObject"]);
    statements
}

fn claims() -> Value {
    json!({"environment": "prod", "event_name": "workflow_dispatch", "workflow_ref": OIDC})
}

fn expected() -> Value {
    json!({
        "iss": "https://token.actions.githubusercontent.com",
        "sub": [SUBJECT, "repo:octo-org/octo-repo:environment:prod"],
        "repository_id": "74",
        "environment": "prod",
        "job_workflow_ref": OIDC,
    })
}

fn roles(expectations: &[(&str, &str)]) -> String {
    let role = |(name, expect): &(&str, &str)| json!({"role": format!("arn:aws:iam::{ACCOUNT}:role/{name}"), "purpose": format!("{name} of prod"), "expect": expect});
    Value::from(expectations.iter().map(role).collect::<Vec<_>>()).to_string()
}

/// An account with a state, a role that this workflow may assume, and one that it may not.
fn account() -> Option<Aws> {
    let aws = Aws::start()?;
    aws.cli(&["s3api", "create-bucket", "--bucket", "state-bucket"]);
    aws.cli(&["s3api", "put-object", "--bucket", "state-bucket", "--key", "app/state"]);
    aws.trust_github();
    aws.role("plan", &trust(OIDC), &reads());
    aws.role("apply", &trust(&OIDC.replace("test-oidc", "tf")), &writes());
    aws.enforce();
    Some(aws)
}

fn probe(aws: &Aws) -> Script {
    let script = Script::new("oidc-probe.sh")
        .env("EXPECTED", expected().to_string())
        .env("ROLES", roles(&[("plan", "assumed"), ("apply", "refused")]))
        .env("STATE_BUCKET", "state-bucket")
        .env("STATE_KEY", "app/state")
        .env("EXPECTED_ACCOUNT_ID", ACCOUNT)
        .env("HELD", r#"{"SLACK_WEBHOOK_URL": "present", "DB_PASSWORD": "empty"}"#);
    // A job that asks for roles has no keys.
    let script = aws.lend(script).without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY");
    aws.job(script, &claims())
}

fn version(aws: &Aws) -> Value {
    aws.cli(&["s3api", "list-object-versions", "--bucket", "state-bucket"])["Versions"].clone()
}

#[test]
fn everything_is_as_expected_and_nothing_is_written() {
    let Some(aws) = account() else { return };
    let before = version(&aws);
    for _ in 0..2 {
        let ran = probe(&aws)
            .run()
            .exits(0)
            .shows("### ✅ OIDC: as expected")
            .shows(&format!("| `sub` | `{SUBJECT}` or `repo:octo-org/octo-repo:environment:prod` | `{SUBJECT}` | ✅ ok |"))
            .shows("| `ref` |  | `refs/heads/main` |  |")
            .shows("The subject is **immutable**.")
            .shows("| `plan of prod` | `arn:aws:iam::123456789012:role/plan` | `assumed` | `assumed` | ✅ ok |")
            .shows("| `apply of prod` | `arn:aws:iam::123456789012:role/apply` | `refused` | `refused` | ✅ ok |")
            .shows("| `plan of prod` | `identity` | `123456789012` | `123456789012` | ✅ ok |")
            .shows("| `plan of prod` | `location of the state's bucket` | `us-east-1` | `us-east-1` | ✅ ok |")
            .shows("| `plan of prod` | `read the state` | `allowed` | `allowed` | ✅ ok |")
            .shows("| `plan of prod` | `write the state` | `refused` | `refused` | ✅ ok |")
            .shows("| `plan of prod` | `token for another audience` | `refused` | `refused` | ✅ ok |")
            .shows("| `SLACK_WEBHOOK_URL` | present |\n| `DB_PASSWORD` | empty |")
            .says("OIDC: as expected")
            .never_says("octocat");
        // The condition to paste is the condition that works.
        let (_, condition) = ran.summary.split_once("```json\n").unwrap();
        let condition: Value = serde_json::from_str(condition.split_once("```").unwrap().0).unwrap();
        assert_eq!(condition, trust(OIDC));
    }
    assert_eq!(version(&aws), before);
    assert!(aws.calls().iter().any(|call| call.action == "s3:PutObject" && call.status == 403));
}

#[test]
fn the_token_is_in_no_argument_and_in_no_file_that_others_can_read() {
    let Some(aws) = account() else { return };
    let Some(real) = tool::find("aws") else { return };
    let watch = |program: &str| {
        format!(
            "printf '%s\\n' \"$0\" \"$@\" >>\"$STATE/arguments\"\n\
             find \"$RUNNER_TEMP\" -mindepth 1 -perm /077 -print >>\"$STATE/readable\"\n\
             exec '{program}' \"$@\"\n"
        )
    };
    let script =
        probe(&aws).tool("aws", &watch(real.path().to_str().unwrap())).tool("curl", &watch("/usr/bin/curl"));
    script.run().exits(0);
    let read = |name: &str| fs::read_to_string(script.state().join(name)).unwrap();
    assert!(read("arguments").contains("assume-role-with-web-identity"));
    assert!(read("arguments").contains("--config"));
    // Tokens begin with an object in Base64; the bearer is what the endpoint demands.
    assert!(!read("arguments").contains("eyJ") && !read("arguments").to_lowercase().contains("bearer"));
    assert_eq!(read("readable"), "");
}

#[test]
fn a_claim_that_differs_is_named() {
    let Some(aws) = account() else { return };
    let probe = probe(&aws).env("ROLES", "[]");
    for (claim, value) in [
        ("sub", json!(["repo:octo-org/octo-repo:environment:prod"])),
        ("environment", json!("dev")),
        ("environment", Value::Null),
        ("repository_id", json!("75")),
        ("job_workflow_ref", json!("other")),
        ("event_name", json!("push")),
        ("aud", json!("other")),
    ] {
        let mut expected = expected();
        expected[claim] = value;
        probe
            .clone()
            .env("EXPECTED", expected.to_string())
            .run()
            .exits(1)
            .says(&format!("the claim {claim} differs"))
            .shows("❌ OIDC: not as expected (1)")
            .shows("❌ differs |");
    }
    let absent = json!({"sub": ["repo:octo-org@65/octo-repo@74:ref:refs/heads/main"], "environment": null});
    aws.job(probe.clone(), &json!({}))
        .env("EXPECTED", absent.to_string())
        .run()
        .exits(0)
        .shows("| `environment` | absent | absent | ✅ ok |");
    aws.job(probe.clone(), &json!({"sub": "repo:octo-org/octo-repo:environment:prod", "environment": "prod", "workflow_ref": OIDC}))
        .run()
        .exits(0)
        .shows("The subject is **legacy**");
    // A pull request can edit the file that job_workflow_ref names, and elsewhere AWS does not know these claims.
    aws.job(probe.clone(), &json!({"event_name": "pull_request"}))
        .run()
        .exits(1)
        .shows(":repository_id")
        .never_says(&key("job_workflow_ref"));
    aws.job(probe, &json!({"iss": "https://ghes.example/_services/token"}))
        .run()
        .exits(1)
        .shows("\"ghes.example/_services/token:sub\"")
        .never_says("token:repository_id");
}

#[test]
fn a_role_that_opens_too_much_or_too_little_is_named() {
    let Some(aws) = account() else { return };
    let probe = probe(&aws).env("ROLES", roles(&[("plan", "assumed")]));
    probe
        .clone()
        .env("ROLES", roles(&[("plan", "refused"), ("apply", "assumed")]))
        .run()
        .exits(1)
        .shows("❌ OIDC: not as expected (2)")
        .shows("role/plan` | `refused` | `assumed` | ❌ differs |")
        .shows("role/apply` | `assumed` | `refused` | ❌ differs |");
    assert!(aws.calls().iter().all(|call| call.service != "s3" || call.principal == "administrator"));

    let run = |name: &str, statements: &Value| {
        aws.role(name, &trust(OIDC), statements);
        probe.clone().env("ROLES", roles(&[(name, "assumed")])).run()
    };
    let before = version(&aws);
    let says = "| `write the state` | `refused` | `allowed` | ❌ differs |";
    run("writer", &writes()).exits(1).shows("❌ OIDC: not as expected (1)").shows(says);
    assert_eq!(version(&aws), before);
    // Without a state, the right to write is found as well, and none is written.
    aws.cli(&["s3api", "delete-object", "--bucket", "state-bucket", "--key", "app/state"]);
    let without = version(&aws);
    probe
        .clone()
        .env("ROLES", roles(&[("writer", "assumed")]))
        .run()
        .exits(1)
        .shows(says)
        .shows("there is no state yet");
    assert_eq!(version(&aws), without);
    probe
        .run()
        .exits(0)
        .shows("there is no state yet")
        .shows("| `write the state` | `refused` | `refused` | ✅ ok |");
    let early = reads().to_string().replace("state-bucket", "absent-bucket");
    aws.role("early", &trust(OIDC), &serde_json::from_str(&early).unwrap());
    probe
        .clone()
        .env("ROLES", roles(&[("early", "assumed")]))
        .env("STATE_BUCKET", "absent-bucket")
        .run()
        .exits(0)
        .shows("there is no bucket yet");

    run("nothing", &json!([]))
        .exits(1)
        .shows("❌ OIDC: not as expected (2)")
        .shows("| `location of the state's bucket` | `us-east-1` | `refused` | ❌ differs |")
        .shows("| `read the state` | `allowed` | `refused` | ❌ differs |");
    probe
        .clone()
        .env("EXPECTED_ACCOUNT_ID", "999999999999")
        .run()
        .exits(1)
        .shows("| `identity` | `999999999999 assumed-role/plan/pyfleet-test-oidc` |");
    probe
        .clone()
        .env("AWS_REGION", "eu-central-1")
        .run()
        .exits(1)
        .shows("| `eu-central-1` | `us-east-1` | ❌ differs |");
    probe.env("STATE_BUCKET", "").run().exits(0).never_says("read the state");
}

#[test]
fn a_provider_that_takes_every_audience_is_found() {
    let Some(aws) = account() else { return };
    let mut trust = trust(OIDC);
    trust["StringEquals"].as_object_mut().unwrap().remove(&key("aud"));
    aws.role("loose", &trust, &reads());
    let probe = probe(&aws).env("ROLES", roles(&[("loose", "assumed")]));
    // The provider's own list still keeps the token out.
    probe.run().exits(0);
    let provider = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com");
    let delete = ["iam", "delete-open-id-connect-provider", "--open-id-connect-provider-arn", &provider];
    let create =
        ["iam", "create-open-id-connect-provider", "--url", "https://token.actions.githubusercontent.com"];
    aws.cli(&delete);
    aws.cli(&[&create[..], &["--client-id-list", "sts.amazonaws.com", "pyfleet-oidc-probe"]].concat());
    probe.run().exits(1).shows("| `token for another audience` | `refused` | `assumed` | ❌ differs |");
    // A provider that knows nobody: no role was looked at, so no refusal is proven.
    aws.cli(&delete);
    probe
        .env("ROLES", roles(&[("apply", "refused")]))
        .run()
        .exits(1)
        .shows("AWS does not take the token (InvalidIdentityToken)");
}

#[test]
fn what_could_not_be_asked_is_no_refusal() {
    let Some(aws) = account() else { return };
    let probe = probe(&aws).env("ROLES", roles(&[("plan", "assumed")]));
    for (action, failure) in [
        ("sts:AssumeRoleWithWebIdentity", Failure::Status(500)),
        ("sts:AssumeRoleWithWebIdentity", Failure::Drop),
        ("sts:GetCallerIdentity", Failure::Status(500)),
        ("s3:GetBucketLocation", Failure::Status(500)),
        ("s3:GetObject", Failure::Drop),
        ("s3:PutObject", Failure::Status(503)),
        ("s3:PutObject", Failure::Drop),
    ] {
        aws.fail_next(action, failure);
        probe.run().exits(4).says("AWS could not be asked").shows("❌ OIDC: AWS could not be asked (1)");
    }
}

#[test]
fn without_a_token_nothing_else_is_asked() {
    let Some(aws) = account() else { return };
    let probe = probe(&aws);
    aws.forget_calls();
    for name in ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"] {
        probe.clone().without(name).run().exits(3).says("id-token: write");
    }
    probe.clone().env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "guessed").run().exits(3).says("401");
    for answer in ["", "{}", r#"{"value": 1}"#, r#"{"value": "no token"}"#, r#"{"value": "aaaa.bbbb.cccc"}"#]
    {
        let curl = format!(
            "cat >/dev/null\nwhile (($#)); do [[ $1 != --output ]] || file=$2; shift; done\nprintf '%s' '{answer}' >\"$file\""
        );
        probe.clone().tool("curl", &curl).run().exits(3).says("GitHub gives no token");
    }
    assert!(aws.calls().is_empty());
}

#[test]
fn refuses_what_it_does_not_understand() {
    let script = Script::new("oidc-probe.sh")
        .env("EXPECTED", expected().to_string())
        .env("ROLES", "[]")
        .env("ACTIONS_ID_TOKEN_REQUEST_URL", "https://example.invalid/?api-version=2.0")
        .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "token");
    let role = roles(&[("plan", "assumed")]);
    for (name, values) in [
        ("AUDIENCE", &["a b", "\"x", "-x"][..]),
        (
            "EXPECTED",
            &["", "{}", "[]", "{", r#"{"sub": "one"}"#, r#"{"sub": []}"#, r#"{"sub": ["a"], "actor": "b"}"#],
        ),
        ("ROLES", &["{", "{}", "[1]", r#"[{"role": "x", "purpose": "p", "expect": "assumed"}]"#, &role]),
        ("ROLES", &[&role.replace("assumed", "maybe")]),
        ("HELD", &["[]", r#"{"A": "secret"}"#, r#"{"a b": "empty"}"#]),
        ("STATE_BUCKET", &["A", "a/b"]),
        (
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            &["http://example.invalid", "https://a\"b", "https://a\nb", "file:///etc/passwd"],
        ),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", &["a\"b", "a\nb"]),
    ] {
        for value in values {
            script.clone().env(name, value).run().exits(2).says("::error::");
        }
    }
    for text in HOSTILE.iter().filter(|text| **text != "https://evil.example") {
        script.clone().env("AUDIENCE", text).run().exits(2);
    }
    for key in ["", "a\nb", "file:///etc/passwd", "http://169.254.169.254/"] {
        script
            .clone()
            .env("STATE_BUCKET", "state-bucket")
            .env("STATE_KEY", key)
            .run()
            .exits(2)
            .says("STATE_KEY");
    }
}

#[test]
fn hostile_texts_stay_texts() {
    let Some(aws) = account() else { return };
    let lines = |summary: &str| summary.lines().filter(|line| line.starts_with('|')).count();
    for text in HOSTILE {
        let claims = json!({"environment": text, "ref": text, "job_workflow_ref": text, "sub": text});
        let expected = json!({"sub": [text], "ref": text, "environment": format!("not {text}")});
        let ran = aws
            .job(probe(&aws), &claims)
            .env("ROLES", "[]")
            .env("EXPECTED", expected.to_string())
            .run()
            .exits(1)
            .shows("❌ OIDC: not as expected (1)");
        assert_inert(&ran.summary, &[]);
        assert_eq!(lines(&ran.summary), 15, "{text:?}: {}", ran.summary);
    }
    let refused = "echo 'An error occurred (AccessDenied) when calling an operation' >&2\nexit 254\n";
    let role = |text: &&str| json!({"role": format!("arn:aws:iam::{ACCOUNT}:role/apply"), "purpose": text, "expect": "refused"});
    let all = Value::from(HOSTILE.iter().map(role).collect::<Vec<_>>());
    let ran = probe(&aws).tool("aws", refused).env("ROLES", all.to_string()).run().exits(0);
    assert_inert(&ran.summary, &[]);
    assert_eq!(lines(&ran.summary), 17 + HOSTILE.len(), "{}", ran.summary);
    for key in ["$(touch pwned) `touch pwned`", "'; touch pwned; '", "--leading"] {
        probe(&aws)
            .env("STATE_KEY", key)
            .run()
            .exits(1)
            .shows("| `read the state` | `allowed` | `refused` |");
    }
}

#[test]
fn a_role_whose_variable_is_empty_is_neither_open_nor_shut() {
    let Some(aws) = account() else { return };
    for expect in ["assumed", "refused"] {
        let roles = json!([{"role": "", "purpose": "apply", "expect": expect}]);
        probe(&aws).env("ROLES", roles.to_string()).run().exits(1).shows("the variable of the role is empty");
    }
}

#[test]
fn a_public_repository_is_warned() {
    let Some(aws) = account() else { return };
    let probe = probe(&aws).env("ROLES", "[]");
    probe.run().exits(0).never_says("::warning::");
    let mut claims = claims();
    claims["repository_visibility"] = json!("public");
    aws.job(probe, &claims).run().exits(0).says("::warning::this repository is public");
}
