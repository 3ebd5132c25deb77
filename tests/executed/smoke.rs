use serde_json::{Value, json};

use super::http_server::Server;
use super::script::{HOSTILE, Script};

const KUBECTL: &str = "printf '%s\\n' \"$*\" >>\"$STATE/kubectl\"\ncat \"$STATE/host\" 2>/dev/null\n";

fn asking(endpoint: &Value) -> Script {
    let script = Script::new("smoke.sh");
    let results = script.directory().join("results");
    script
        .env("ENDPOINT", endpoint.to_string())
        .env("RESULT_DIR", results)
        .env("WAIT_TIMEOUT", "1")
        .env("WAIT_INTERVAL", "1")
        .env("DELAY", "0")
        .env("MAX_DELAY", "0")
}

fn address(url: &str, jq: &str) -> Value {
    json!({"check": "health", "url": url, "expect": {"status": 200, "jq": jq, "attempts": 3}})
}

/// Behind a load balancer whose name stands in the cluster's answer.
fn service(server: &Server) -> Script {
    let (host, port) = server
        .url("")
        .trim_start_matches("http://")
        .trim_end_matches('/')
        .split_once(':')
        .map(|(host, port)| (host.to_owned(), port.parse::<u16>().unwrap()))
        .unwrap();
    let endpoint = json!({"check": "health", "namespace": "shop", "object": "web", "scheme": "http", "port": port, "path": "/health",
        "expect": {"status": 200, "jq": "", "attempts": 3}});
    let script = asking(&endpoint).tool("kubectl", KUBECTL);
    std::fs::write(script.state().join("host"), host).unwrap();
    let bin = script.state().parent().unwrap().join("bin");
    script.env("EKS_DIRECTORY", bin)
}

fn result(script: &Script) -> Value {
    let file = script.directory().join("results/result.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn an_address_that_answers_late_is_well() {
    let server =
        Server::start(|number| Some((if number < 1 { 503 } else { 200 }, r#"{"status": "ok"}"#.to_owned())));
    let script = asking(&address(&server.url("/health"), r#".status == "ok""#));
    script.run().exits(0).shows("| `health` | ✅ | `http://127.0.0.1");
    assert_eq!(result(&script)["code"], 0);
    let log = std::fs::read_to_string(script.directory().join("results/log.txt")).unwrap();
    assert!(log.contains("503"), "{log}");
}

#[test]
fn another_status_or_another_body_is_not() {
    let server = Server::start(|_| Some((500, String::new())));
    let script = asking(&address(&server.url("/health"), ""));
    script.run().exits(1).shows("| `health` | ❌ not as expected |");
    assert_eq!(result(&script)["code"], 1);
    let server = Server::start(|_| Some((200, r#"{"status": "down"}"#.to_owned())));
    asking(&address(&server.url("/health"), r#".status == "ok""#)).run().exits(1);
}

#[test]
fn a_service_is_asked_behind_its_load_balancer() {
    let server = Server::start(|_| Some((200, String::new())));
    let script = service(&server);
    script.run().exits(0).shows("/health` |");
    let asked = std::fs::read_to_string(script.state().join("kubectl")).unwrap();
    assert!(asked.contains("--namespace shop get service web --output jsonpath="), "{asked}");
}

#[test]
fn a_service_without_a_load_balancer_is_said() {
    let server = Server::start(|_| Some((200, String::new())));
    let script = service(&server);
    std::fs::write(script.state().join("host"), "").unwrap();
    script
        .run()
        .exits(3)
        .says("::error::the service web in shop has no load balancer's address after 1 seconds")
        .shows("❌ no address");
    assert!(server.requests().is_empty());
}

#[test]
fn every_mistake_of_the_caller_is_a_usage_error() {
    for endpoint in ["", "{}", "[]", r#"{"check": "a", "expect": {}}"#] {
        asking(&json!(null)).env("ENDPOINT", endpoint).run().exits(2).says("::error::ENDPOINT");
    }
    asking(&address("https://example.com", "")).without("RESULT_DIR").run().exits(2);
    for hostile in HOSTILE {
        asking(&address(hostile, "")).run().exits(2);
        let mut endpoint = address("http://127.0.0.1:1/", "");
        endpoint["check"] = json!(hostile);
        asking(&endpoint).run().exits(2);
    }
}
