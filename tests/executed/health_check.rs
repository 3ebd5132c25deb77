use std::time::{Duration, Instant};

use super::http_server::Server;
use super::script::{HOSTILE, Script, assert_inert};

fn check(server: &Server) -> Script {
    Script::new("health-check.sh")
        .env("HEALTH_URL", server.url("/healthz?a=b&c=%20d"))
        .env("ALLOW_HTTP", "true")
        .env("DELAY", "0")
        .env("MAX_DELAY", "0")
        .env("ATTEMPTS", "4")
}

fn answering(status: u16, body: &str) -> Server {
    let body = body.to_owned();
    Server::start(move |_| Some((status, body.clone())))
}

#[test]
fn two_good_answers_in_a_row_are_healthy() {
    let server = answering(200, "fine");
    check(&server).run().exits(0).says("good answer 2 of 2").shows("### ✅ Healthy").never_says("fine");
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests[0].head.starts_with("GET /healthz?a=b&c=%20d HTTP/1.1\r\n"), "{requests:?}");
    check(&server).env("CONSECUTIVE", "1").env("ATTEMPTS", "1").run().exits(0);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn flapping_is_not_healthy() {
    let server = Server::start(|number| Some((if number % 2 == 0 { 200 } else { 503 }, String::new())));
    check(&server).run().exits(1).says("status 503 instead of 200").shows("### ❌ Not healthy");
    assert_eq!(server.requests().len(), 4);
    // The last answer is good, but alone.
    let server = Server::start(|number| Some((if number == 3 { 200 } else { 503 }, String::new())));
    check(&server).run().exits(1).says("after 4 attempts: too few good answers in a row: 1 of 2");
    let server = Server::start(|number| Some((if number < 2 { 503 } else { 200 }, String::new())));
    check(&server).run().exits(0).shows("after 4 attempts");
}

#[test]
fn another_status_can_be_the_healthy_one() {
    let server = answering(204, "");
    check(&server).run().exits(1).says("status 204 instead of 200");
    check(&server).env("EXPECT_STATUS", "204").run().exits(0);
}

#[test]
fn redirects_are_not_followed() {
    let server = answering(302, "");
    check(&server).run().exits(1).says("status 302 instead of 200, and a redirect is not followed");
    assert_eq!(server.requests().len(), 4);
    check(&server).env("EXPECT_STATUS", "302").run().exits(0);
}

#[test]
fn the_body_can_be_judged() {
    let server = answering(200, r#"{"status": "ok", "database": true}"#);
    let script = check(&server);
    script.clone().env("EXPECT_JQ", r#".status == "ok" and .database"#).run().exits(0);
    let wrong = script.clone().env("EXPECT_JQ", r#".status == "down""#);
    wrong.run().exits(1).says("the body is not the expected one").says(r#"{"status": "ok""#);
    // Only true is true, and one text only.
    script.clone().env("EXPECT_JQ", ".status").run().exits(1);
    script.clone().env("EXPECT_JQ", "true, true").run().exits(1);
    script.clone().env("EXPECT_JQ", "error").run().exits(1);
    check(&answering(200, "no json")).env("EXPECT_JQ", "true").run().exits(1);
    check(&answering(200, "")).env("EXPECT_JQ", "true").run().exits(1);
}

#[test]
fn what_a_stranger_answers_stays_inert_and_short() {
    for hostile in HOSTILE {
        let ran = check(&answering(500, hostile)).env("ATTEMPTS", "2").run().exits(1);
        assert_inert(&ran.summary, &[]);
        assert!(!ran.log.contains(['\u{1b}', '\u{7}']), "{}", ran.log);
    }
    let long = format!("{}{}", "ä".repeat(99), "end".repeat(300_000));
    let ran =
        check(&answering(500, &long)).env("ATTEMPTS", "2").run().exits(1).says("äen").never_says("endend");
    assert!(ran.log.len() < 1500, "{}", ran.log.len());
}

#[test]
fn no_answer_is_not_healthy() {
    let server = Server::start(|_| None);
    let script = check(&server).env("REQUEST_TIMEOUT", "1").env("ATTEMPTS", "2");
    script.run().exits(1).says("no answer (curl ends with 28)");
    let nobody = check(&server).env("HEALTH_URL", "http://127.0.0.1:1/");
    nobody.run().exits(1).says("no answer (curl ends with 7)");
    // More than a megabyte is no health page.
    check(&answering(200, &"x".repeat(2 << 20))).run().exits(1).says("no answer (curl ends with 63)");
}

#[test]
fn waits_longer_each_time_and_not_after_the_last() {
    let sleeping = "echo \"$1\" >>\"$STATE/slept\"\n";
    let slept = |script: &Script| std::fs::read_to_string(script.state().join("slept")).unwrap();
    let script = check(&answering(500, "")).tool("sleep", sleeping).env("ATTEMPTS", "7");
    let script = script.env("DELAY", "3").env("MAX_DELAY", "30");
    script.run().exits(1);
    assert_eq!(slept(&script), "3\n6\n12\n24\n30\n30\n");
    let server = Server::start(|number| Some((if number == 2 { 200 } else { 500 }, String::new())));
    let script = check(&server).tool("sleep", sleeping).env("ATTEMPTS", "6");
    let script = script.env("DELAY", "1").env("MAX_DELAY", "30");
    script.run().exits(1);
    assert_eq!(slept(&script), "1\n2\n1\n1\n2\n", "a good answer starts it anew");
    let begun = Instant::now();
    check(&answering(500, "")).env("DELAY", "1").env("MAX_DELAY", "1").env("ATTEMPTS", "2").run().exits(1);
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[test]
fn refuses_settings_of_the_wrong_shape() {
    let server = answering(200, "");
    for (key, value) in [
        ("ALLOW_HTTP", "false"),
        ("ALLOW_HTTP", "yes"),
        ("HEALTH_URL", "ftp://example.com/"),
        ("HEALTH_URL", "https://user:password@example.com/"),
        ("HEALTH_URL", "https://example.com/\"\noutput = \"pwned"),
        ("HEALTH_URL", "https://"),
        ("HEALTH_URL", "file:///etc/passwd"),
        ("EXPECT_STATUS", "2xx"),
        ("EXPECT_STATUS", "99"),
        ("ATTEMPTS", "0"),
        ("ATTEMPTS", "1"), // fewer than CONSECUTIVE
        ("ATTEMPTS", "1.5"),
        ("CONSECUTIVE", "0"),
        ("CONSECUTIVE", "5"),
        ("DELAY", "-1"),
        ("DELAY", "08"),
        ("MAX_DELAY", "x"),
        ("REQUEST_TIMEOUT", "0"),
        ("EXPECT_JQ", ".["),
    ] {
        check(&server).env(key, value).run().exits(2);
    }
    check(&server).env("DELAY", "5").run().exits(2).says("MAX_DELAY");
    for key in [
        "HEALTH_URL",
        "EXPECT_STATUS",
        "ATTEMPTS",
        "DELAY",
        "MAX_DELAY",
        "REQUEST_TIMEOUT",
        "CONSECUTIVE",
        "ALLOW_HTTP",
    ] {
        for hostile in HOSTILE {
            let ran = check(&server).env(key, hostile).run().exits(2);
            assert_inert(&ran.summary, &[]);
        }
    }
    assert!(server.requests().is_empty());
    // A filter is the manifest's own; what is none is refused, and none is run by the shell.
    for hostile in HOSTILE {
        let ran = check(&server).env("EXPECT_JQ", hostile).run();
        assert!([1, 2].contains(&ran.code), "{hostile:?}: {}", ran.log);
    }
}
