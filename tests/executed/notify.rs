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
    script.run().exits(0).says("::warning::Slack did not take the message").never_says("hush-hush");
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
        .says("::warning::Slack did not take the message (status 404")
        .never_says("told");
    assert_eq!(server.requests().len(), 1, "what is wrong stays wrong");
    to(&server).env("WEBHOOK", "http://127.0.0.1:1/x").run().exits(0).says("::warning::Slack did not take");
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
