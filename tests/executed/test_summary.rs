use super::script::{HOSTILE, Ran, Script, assert_inert};
use serde_json::{Value, json};

const JUNIT: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<!-- <testcase name="not this one"/> -->
<testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="5" time="1.700">
<testcase classname="tests.unit.test_pool" name="test_a" time="0.5"/>
<testcase classname="tests.unit.test_pool" name='test_b[a &gt; b]' time="0.5"><failure message="assert 1 == 2">
  &lt;failure&gt; E   assert 1 == 2</failure></testcase>
<testcase classname="tests.unit.test_pool" name="test_c"><error message="a &quot;b&quot; > c"/></testcase>
<testcase classname="tests.unit.test_pool" name="test_d"><skipped type="pytest.skip"/></testcase>
<testcase name="test_e"><system-out><![CDATA[<testcase name="nor this"><failure/> ]] > ]]></system-out></testcase>
</testsuite></testsuites>
"#;

const COVERAGE: &str = r#"<?xml version="1.0" ?>
<!DOCTYPE coverage SYSTEM 'http://cobertura.sourceforge.net/xml/coverage-04.dtd'>
<coverage version="7.6" lines-valid="120" lines-covered="101" line-rate="0.8417"><packages/></coverage>
"#;

fn suite() -> Script {
    Script::new("test-summary.sh")
        .env("SUITE", "unit")
        .env("OUTCOME", "failure")
        .env("RESULT_DIR", "the results/unit")
        .env("JUNIT_REPORT", "junit report.xml")
        .env("COVERAGE_REPORT", "coverage.xml")
}

fn result(ran: &Ran) -> Value {
    ran.json("the results/unit/summary.json")
}

fn reading(junit: impl AsRef<[u8]>) -> Value {
    result(&suite().file("junit report.xml", junit).run().exits(0))
}

#[test]
fn counts_the_cases_and_names_the_failing() {
    let ran = suite().file("junit report.xml", JUNIT).file("coverage.xml", COVERAGE).run().exits(0);
    assert_eq!(
        result(&ran),
        json!({
            "suite": "unit", "outcome": "failure",
            "tests": 5, "passed": 2, "failed": 1, "errors": 1, "skipped": 1, "seconds": 2,
            "failing": ["tests.unit.test_pool.test_b[a > b]", "tests.unit.test_pool.test_c"],
            "coverage": {"lines-valid": 120, "lines-covered": 101},
        })
    );
    ran.shows("### ❌ Tests: `unit`")
        .shows("| 2 | 1 | 1 | 1 | 2 s |")
        .shows("- `tests.unit.test_pool.test_c`")
        .shows("Coverage: 84.16 % (101 of 120 lines)");
}

#[test]
fn writes_the_same_again() {
    let script = suite().file("junit report.xml", JUNIT);
    let first = script.run().exits(0);
    let again = script.run().exits(0);
    assert_eq!(result(&first), result(&again));
}

#[test]
fn says_when_there_is_no_readable_report() {
    let nothing = json!({
        "suite": "unit", "outcome": "failure", "tests": null, "passed": null, "failed": null, "errors": null,
        "skipped": null, "seconds": null, "failing": [], "coverage": null,
    });
    let ran = suite().run().exits(0).shows("No readable test report");
    assert_eq!(result(&ran), nothing);
    for broken in [
        "",
        "no XML",
        "<testsuite>",
        "<testsuite/><testsuite/>",
        "<testsuite></testsuites>",
        "<other/>",
        "<testsuite><testcase name=\"a></testcase></testsuite>",
        "<testsuite><testcase name=\"a\" <b></testcase></testsuite>",
        "<testsuite><testcase><testcase/></testcase></testsuite>",
        "<testsuite><![CDATA[ </testsuite>",
        "<!DOCTYPE x [<!ENTITY a \"b\">]><testsuite/>",
        "<testsuite/>text</testsuite>",
    ] {
        let ran = suite().file("junit report.xml", broken).run().exits(0).says("::warning::");
        assert_eq!(result(&ran), nothing, "{broken}");
    }
    let huge = format!("<testsuite>{}</testsuite>", " ".repeat(21 << 20));
    let ran = suite().file("junit report.xml", huge).run().exits(0).says("larger than 20 MiB");
    assert_eq!(result(&ran), nothing);
}

#[test]
fn ignores_a_coverage_report_with_impossible_numbers() {
    for attributes in [
        "",
        "lines-valid=\"10\"",
        "lines-valid=\"10\" lines-covered=\"11\"",
        "lines-valid=\"1e3\" lines-covered=\"1\"",
        "lines-valid=\"-1\" lines-covered=\"-2\"",
        "lines-valid=\"99999999999999999999\" lines-covered=\"1\"",
    ] {
        let ran = suite().file("coverage.xml", format!("<coverage {attributes}/>")).run().exits(0);
        assert_eq!(result(&ran)["coverage"], Value::Null, "{attributes}");
    }
}

#[test]
fn says_when_a_run_fails_although_no_test_does() {
    let junit = r#"<testsuite><testcase name="a"/></testsuite>"#;
    suite().file("junit report.xml", junit).run().exits(0).shows("although no test in its report did");
}

#[test]
fn reads_a_report_with_a_byte_order_mark_and_many_cases() {
    let cases = "<testcase name='a'><failure/></testcase>".repeat(20_000);
    let read = reading(format!("\u{feff}<testsuite>{cases}</testsuite>"));
    assert_eq!(read["failed"], 20_000);
    assert_eq!(read["failing"].as_array().unwrap().len(), 10);
}

#[test]
fn keeps_hostile_names_inert() {
    for hostile in HOSTILE {
        let name = hostile.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
        let junit = format!("<testsuite><testcase name=\"{name}\"><failure/></testcase></testsuite>");
        let ran = suite().file("junit report.xml", junit).run().exits(0);
        let kept = result(&ran)["failing"][0].as_str().unwrap().to_owned();
        assert!(kept.chars().all(|character| !character.is_control()), "{kept:?}");
        assert_eq!(
            kept,
            hostile.chars().map(|c| if c.is_ascii_control() { ' ' } else { c }).collect::<String>()
        );
        assert_inert(&ran.summary, &[]);
    }
    let long = "ä".repeat(5_000);
    let read = reading(format!("<testsuite><testcase name=\"{long}\"><error/></testcase></testsuite>"));
    assert_eq!(read["failing"][0].as_str().unwrap().chars().count(), 200);
    let read = reading(b"<testsuite><testcase name=\"a\xff\xfe\x00b\"><error/></testcase></testsuite>");
    assert_eq!(read["errors"], 1);
}

#[test]
fn refuses_incomplete_or_impossible_settings() {
    suite().without("SUITE").run().exits(2);
    suite().env("SUITE", "two\nlines").run().exits(2);
    suite().env("SUITE", "x".repeat(101)).run().exits(2);
    suite().env("OUTCOME", "").run().exits(2);
    suite().env("OUTCOME", "neutral").run().exits(2);
    suite().without("RESULT_DIR").run().exits(2);
    suite().file("taken", "").env("RESULT_DIR", "taken").run().exits(2);
    suite().env("RESULT_DIR", "--leading").run().exits(0);
}
