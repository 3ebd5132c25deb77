use super::script::{HOSTILE, Ran, Script, assert_inert};
use serde_json::{Value, json};

const RUN_URL: &str = "https://github.com/octo/app/actions/runs/1";

fn comment() -> Script {
    Script::new("test-comment.sh")
        .env("RESULTS_DIR", "the results")
        .env("COMMENTS_DIR", "the comments")
        .env("RUN_URL", RUN_URL)
        .file("the results/.keep", "")
}

fn result(suite: &str, failing: &[&str]) -> Value {
    let outcome = if failing.is_empty() { "success" } else { "failure" };
    json!({
        "suite": suite, "outcome": outcome, "tests": 10 + failing.len(), "passed": 9, "failed": failing.len(),
        "errors": 0, "skipped": 1, "seconds": 3, "failing": failing,
        "coverage": {"lines-valid": 1000, "lines-covered": 842},
    })
}

fn text(ran: &Ran) -> String {
    let text = ran.text("the comments/tests.md");
    assert!(text.starts_with("<!-- pyfleet:tests -->\n"));
    assert!(text.len() <= 60_000, "{}", text.len());
    assert!(text.contains(&format!("[Run]({RUN_URL})")));
    assert_inert(&text, &["<!-- pyfleet:tests -->", &format!("[Run]({RUN_URL})")]);
    text
}

#[test]
fn shows_each_suite_its_first_failing_tests_and_how_coverage_changed() {
    let mut before = result("unit", &[]);
    before["coverage"]["lines-covered"] = json!(850);
    let ran = comment()
        .file("the results/a/summary.json", result("unit", &["test_pool.test_x"]).to_string())
        .file("the results/b/summary.json", result("integration", &[]).to_string())
        .file("baseline/a/summary.json", before.to_string())
        .env("BASELINE_DIR", "baseline")
        .env("COMMIT", "0123456789abcdef0123456789abcdef01234567")
        .run()
        .exits(0);
    let text = text(&ran);
    for expected in [
        "### ❌ Tests: 18 passed, 1 failed, 2 skipped",
        "| `unit` | ❌ failure | 9 | 1 | 0 | 1 | 3 s | 84.20 % | -0.80 |",
        "| `integration` | ✅ success | 9 | 0 | 0 | 1 | 3 s | 84.20 % | – |",
        "**First failing tests of** `unit`\n\n- `test_pool.test_x`",
        "[Run](https://github.com/octo/app/actions/runs/1) at `0123456`",
    ] {
        assert!(text.contains(expected), "{expected}\n---\n{text}");
    }
}

#[test]
fn shows_a_dash_where_a_suite_left_no_report() {
    let silent = json!({
        "suite": "unit", "outcome": "failure", "tests": null, "passed": null, "failed": null, "errors": null,
        "skipped": null, "seconds": null, "failing": [], "coverage": null,
    });
    let ran = comment().file("the results/a/summary.json", silent.to_string()).run().exits(0);
    assert!(text(&ran).contains("| `unit` | ❌ failure | – | – | – | – | – | – | – |"));
}

#[test]
fn writes_the_same_again_from_what_the_summary_script_writes() {
    let summary = Script::new("test-summary.sh")
        .file("junit.xml", "<testsuite><testcase name='a'><failure/></testcase></testsuite>")
        .env("SUITE", "unit (3.12)")
        .env("OUTCOME", "failure")
        .env("JUNIT_REPORT", "junit.xml")
        .env("RESULT_DIR", "the results/unit");
    summary.run().exits(0);
    let script = summary
        .then("test-comment.sh")
        .env("RESULTS_DIR", "the results")
        .env("COMMENTS_DIR", "the comments")
        .env("RUN_URL", RUN_URL);
    let first = text(&script.run().exits(0));
    assert_eq!(first, text(&script.run().exits(0)));
    assert!(first.contains("`unit (3.12)`"));
}

#[test]
fn keeps_hostile_texts_inert() {
    for hostile in HOSTILE {
        let ran = comment()
            .file("the results/a/summary.json", result(hostile, &[hostile]).to_string())
            .run()
            .exits(0);
        let rows = text(&ran).lines().filter(|line| line.starts_with('|')).count();
        assert_eq!(rows, 3, "a row is added: {}", text(&ran));
    }
}

#[test]
fn leaves_out_what_the_summary_script_would_not_write() {
    let good = result("unit", &[]);
    let mut bad = Vec::new();
    for (key, value) in [
        ("suite", json!("")),
        ("suite", json!("x".repeat(101))),
        ("outcome", json!("great")),
        ("tests", json!(-1)),
        ("tests", json!(3)),
        ("passed", json!("9")),
        ("passed", json!(1e300)),
        ("seconds", json!(0.5)),
        ("failing", json!(vec!["x"; 11])),
        ("failing", json!(["x".repeat(201)])),
        ("failing", json!([{"a": 1}])),
        ("coverage", json!({"lines-valid": 1, "lines-covered": 2})),
        ("extra", json!(1)),
    ] {
        let mut result = good.clone();
        result[key] = value;
        bad.push(result.to_string());
    }
    bad.push("[".to_owned());
    bad.push(" ".repeat(70_000));
    for bad in bad {
        let script = comment().file("the results/bad/summary.json", &bad);
        script.run().exits(1).says("nothing to comment on");
        let ran = script
            .file("the results/good/summary.json", good.to_string())
            .run()
            .exits(0)
            .says("::warning::1 test");
        assert!(text(&ran).contains("1 result(s) could not be read"), "{bad}");
    }
}

#[test]
fn a_job_that_did_not_succeed_is_named_whatever_the_results_say() {
    let needs = r#"{"test-api-unit": {"result": "success"}, "test-api-slow": {"result": "cancelled"}}"#;
    let script =
        comment().file("the results/a/summary.json", result("unit", &[]).to_string()).env("NEEDS", needs);
    let whole = text(&script.run().exits(0));
    assert!(whole.contains("### ❌ Tests"), "{whole}");
    assert!(whole.contains("- `test-api-slow: cancelled`") && !whole.contains("test-api-unit"), "{whole}");
    let nothing = text(&comment().env("NEEDS", needs).run().exits(0));
    assert!(nothing.contains("### ❌ Tests: 0 passed") && nothing.contains("test-api-slow"), "{nothing}");
}

#[test]
fn stays_within_the_size_of_a_comment() {
    let name = "🚀`".repeat(100);
    let mut script = comment();
    for suite in 0..60 {
        script = script.file(
            format!("the results/{suite}/summary.json"),
            result(&format!("suite {suite}"), &[name.as_str(); 10]).to_string(),
        );
    }
    let text = text(&script.run().exits(0));
    assert!(text.contains("The list is cut here"));
    assert!(text.contains("10 more suites are not shown"));
}

#[test]
fn refuses_incomplete_settings() {
    let script = comment().file("the results/a/summary.json", result("unit", &[]).to_string());
    script.clone().env("RESULTS_DIR", "missing").run().exits(1).says("no suite left a readable result");
    script.clone().env("COMMIT", "$(id)").run().exits(2);
    script.clone().without("COMMENTS_DIR").run().exits(2);
    script.clone().env("RUN_URL", "javascript:alert(1)").run().exits(2);
    script.clone().env("NEEDS", "$(touch pwned)").run().exits(2);
    script.env("BASELINE_DIR", "missing").run().exits(0);
}
