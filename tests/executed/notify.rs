use super::http_server::{Request, Server};
use super::script::{HOSTILE, Script};
use serde_json::{Value, json};

const RUN_URL: &str = "https://github.com/acme/fleet/actions/runs/1";
const PATH: &str = "/services/T000/B000/hush-hush";

fn notify() -> Script {
    Script::new("notify.sh")
        .env("STATUS", "failure")
        .env("TITLE", "apply of app in prod")
        .env("WORKFLOW_RUN_URL", RUN_URL)
        .env("FIELDS", r#"{"repository": "acme/fleet", "started by": "somebody"}"#)
}

fn to(server: &Server) -> Script {
    notify().env("WEBHOOK", server.url(PATH)).env("ALLOW_HTTP", "true")
}

fn slack() -> Server {
    Server::start(|_| Some((200, "ok".to_owned())))
}

fn only(server: &Server) -> Request {
    let requests = server.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    requests[0].clone()
}

#[test]
fn one_message_says_what_became_of_the_run() {
    for (status, line) in [
        ("success", "✅ apply of app in prod: succeeded"),
        ("failure", "❌ apply of app in prod: failed"),
        ("waiting", "⏳ apply of app in prod: waits for approval"),
    ] {
        let server = slack();
        to(&server).env("STATUS", status).run().exits(0).says("told").never_says("hush-hush");
        let request = only(&server);
        assert!(request.head.starts_with(&format!("POST {PATH} HTTP/1.1\r\n")), "{}", request.head);
        assert!(request.head.contains("Content-Type: application/json"), "{}", request.head);
        let plain = |text: &str| json!({"type": "plain_text", "text": text, "emoji": false});
        let expected = json!({
            "text": line, "parse": "none", "link_names": false, "unfurl_links": false,
            "blocks": [
                {"type": "section", "text": plain(line)},
                {"type": "section", "fields": [plain("repository: acme/fleet"), plain("started by: somebody")]},
                {"type": "section", "text": {"type": "mrkdwn", "text": format!("<{RUN_URL}|Open the run>"), "verbatim": true}},
            ],
        });
        assert_eq!(serde_json::from_str::<Value>(&request.body).unwrap(), expected);
    }
    let server = slack();
    to(&server).without("FIELDS").run().exits(0);
    assert!(!only(&server).body.contains("fields"));
}

#[test]
fn the_address_is_never_an_argument_and_never_shown() {
    let tool = "printf '%s\\n' \"$@\" >\"$STATE/arguments\"\ncat >\"$STATE/read\"\nexit 22\n";
    let script = notify().tool("curl", tool).env("WEBHOOK", format!("https://hooks.slack.com{PATH}\n"));
    script.run().exits(0).says("::warning::the channel did not take the message").never_says("hush-hush");
    let note = |name: &str| std::fs::read_to_string(script.state().join(name)).unwrap();
    assert!(!note("arguments").contains("hush-hush"), "{}", note("arguments"));
    assert_eq!(note("read"), format!("url = \"https://hooks.slack.com{PATH}\"\n"));
    assert!(note("arguments").contains("--max-time\n10\n--retry\n2\n"), "{}", note("arguments"));
}

#[test]
fn no_webhook_is_a_notice() {
    notify().run().exits(0).says("::notice::there is no webhook");
    notify().env("WEBHOOK", "\n").run().exits(0).says("::notice::there is no webhook");
}

#[test]
fn a_failure_to_tell_is_a_warning() {
    let server = Server::start(|_| Some((404, "no_team".to_owned())));
    to(&server)
        .run()
        .exits(0)
        .says("::warning::the channel did not take the message (status 404")
        .never_says("told");
    assert_eq!(server.requests().len(), 1, "what is wrong stays wrong");
    to(&server)
        .env("WEBHOOK", "http://127.0.0.1:1/x")
        .run()
        .exits(0)
        .says("::warning::the channel did not take");
    let server = Server::start(|_| Some((302, String::new())));
    to(&server).run().exits(0).says("::warning::");
}

#[test]
fn a_hiccup_is_tried_again() {
    let server = Server::start(|number| Some((if number < 2 { 503 } else { 200 }, String::new())));
    to(&server).run().exits(0).says("told");
    assert_eq!(server.requests().len(), 3);
    let server = Server::start(|_| Some((503, String::new())));
    to(&server).run().exits(0).says("::warning::");
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn data_mentions_nobody_and_formats_nothing() {
    let mut hostile = HOSTILE.to_vec();
    hostile.extend([
        "<!channel> & <@U123>",
        "@channel @here @everyone",
        "<https://evil.example|click>",
        "*bold*",
    ]);
    for text in hostile {
        let server = slack();
        to(&server).env("TITLE", text).env("FIELDS", json!({text: text}).to_string()).run().exits(0);
        let body = only(&server).body;
        let message: Value = serde_json::from_str(&body).unwrap();
        for sign in ["<!", "<@", "<h", "@channel", "@here", "@everyone", "\u{202e}", "\\u001b"] {
            let own = body.replace(&format!("<{RUN_URL}|Open the run>"), "");
            assert!(!own.contains(sign), "{sign:?} in {own}");
        }
        assert_eq!(message["blocks"][0]["text"]["type"], "plain_text");
        assert_eq!(message["blocks"][1]["fields"][0]["type"], "plain_text");
    }
    // Slack takes ten fields and 2,000 characters in one.
    let server = slack();
    let fields: serde_json::Map<String, Value> =
        (0..30).map(|number| (format!("f{number:02}"), json!("🚀".repeat(700)))).collect();
    to(&server).env("TITLE", "t".repeat(5_000)).env("FIELDS", Value::from(fields).to_string()).run().exits(0);
    let message: Value = serde_json::from_str(&only(&server).body).unwrap();
    let fields = message["blocks"][1]["fields"].as_array().unwrap();
    assert_eq!(fields.len(), 10);
    assert!(fields.iter().all(|field| field["text"].as_str().unwrap().chars().count() == 300));
    let title = message["blocks"][0]["text"]["text"].as_str().unwrap();
    assert!(title.ends_with("t: failed") && title.len() < 3_000, "{title}");
}

#[test]
fn refuses_settings_of_the_wrong_shape() {
    for (key, value) in [
        ("STATUS", "done"),
        ("TITLE", ""),
        ("WORKFLOW_RUN_URL", "http://github.com/x"),
        ("WORKFLOW_RUN_URL", "https://github.com/x|y>"),
        ("FIELDS", "[]"),
        ("FIELDS", r#"{"a": 1}"#),
        ("FIELDS", "{} {}"),
        ("ALLOW_HTTP", "yes"),
        ("WEBHOOK", "http://hooks.slack.com/hush-hush"),
        ("WEBHOOK", "https://hooks.slack.com/hush-hush\"\noutput = \"pwned"),
    ] {
        notify().env(key, value).run().exits(2).never_says("hush-hush");
    }
    for hostile in HOSTILE {
        for key in ["STATUS", "WORKFLOW_RUN_URL", "FIELDS", "ALLOW_HTTP", "WEBHOOK"] {
            notify().env(key, hostile).run().exits(2);
        }
    }
}

#[test]
fn what_failed_is_named() {
    let results = json!({"test-api": "success", "deploy-production-web": "failure", "smoke-production": "skipped", "apply-production-1": "failure"});
    let server = slack();
    to(&server).env("RESULTS", results.to_string()).run().exits(0);
    assert!(
        only(&server).body.contains("failed: deploy-production-web, apply-production-1"),
        "{}",
        only(&server).body
    );
    // Nothing failed where it succeeded.
    let server = slack();
    to(&server).env("RESULTS", results.to_string()).env("STATUS", "success").run().exits(0);
    assert!(!only(&server).body.contains("deploy-production-web"));
}

#[test]
fn teams_gets_a_card_and_anything_else_an_object() {
    let server = slack();
    to(&server)
        .env("FORMAT", "teams")
        .env("TITLE", "[click](https://evil.example) main")
        .run()
        .exits(0)
        .says("told");
    let card: Value = serde_json::from_str(&only(&server).body).unwrap();
    let content = &card["attachments"][0]["content"];
    assert_eq!(card["attachments"][0]["contentType"], "application/vnd.microsoft.card.adaptive");
    assert_eq!(content["body"][0]["text"], "❌  click (https://evil.example) main: failed");
    assert_eq!(content["body"][1]["facts"][0], json!({"title": "repository", "value": "acme/fleet"}));
    assert_eq!(content["actions"][0]["url"], RUN_URL);

    let server = slack();
    to(&server).env("FORMAT", "json").run().exits(0).says("told");
    let fields = json!({"repository": "acme/fleet", "started by": "somebody"});
    let expected =
        json!({"status": "failure", "title": "apply of app in prod", "run": RUN_URL, "fields": fields});
    assert_eq!(serde_json::from_str::<Value>(&only(&server).body).unwrap(), expected);
    // A workflow of Power Automate has a signature in its address.
    let signed =
        server.url("/workflows/1/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers&sig=a_b-c");
    to(&server).env("WEBHOOK", signed).env("FORMAT", "json").run().exits(0).says("told").never_says("sig=");
}

/// Two jobs side by side for twenty minutes, and one for five after an hour in which somebody was waited for.
const JOBS: &str = r#"echo '{"jobs": [
  {"conclusion": "success", "started_at": "2026-11-01T10:00:00Z", "completed_at": "2026-11-01T10:15:00Z"},
  {"conclusion": "success", "started_at": "2026-11-01T10:05:00Z", "completed_at": "2026-11-01T10:20:00Z"},
  {"conclusion": "skipped", "started_at": "2026-11-01T10:20:00Z", "completed_at": "2026-11-01T10:59:00Z"},
  {"conclusion": "failure", "started_at": "2026-11-01T11:20:00Z", "completed_at": "2026-11-01T11:25:00Z"},
  {"conclusion": null, "started_at": "2026-11-01T11:25:00Z", "completed_at": null}
]}'
"#;

#[test]
fn only_a_slow_run_is_told_of_and_waiting_is_not_slow() {
    let slow = |server: &Server, minutes: &str| {
        to(server).tool("gh", JOBS).env("STATUS", "slow").env("SLOW_AFTER_MINUTES", minutes)
    };
    let server = slack();
    slow(&server, "24").run().exits(0).says("told");
    let body = only(&server).body;
    assert!(
        body.contains("🐢 apply of app in prod: was slow") && body.contains("took: 25 minutes, more than 24"),
        "{body}"
    );
    let server = slack();
    slow(&server, "25").run().exits(0).says("nobody is told");
    slow(&server, "24").tool("gh", "exit 1\n").run().exits(0).says("::warning::GitHub's API does not tell");
    slow(&server, "24")
        .tool("gh", "echo '{}'\n")
        .run()
        .exits(0)
        .says("::warning::GitHub's API does not tell");
    assert!(server.requests().is_empty());
    slow(&server, "soon").run().exits(2);
}
