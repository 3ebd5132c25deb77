use super::script::Script;
use serde_json::{Value, json};

fn check(minimum: &str) -> Script {
    Script::new("coverage-check.sh")
        .env("RESULTS_DIR", "the results")
        .env("MINIMUM", minimum)
        .file("the results/.keep", "")
}

trait Suites {
    fn suite(self, name: &str, coverage: Value) -> Self;
}

impl Suites for Script {
    fn suite(self, name: &str, coverage: Value) -> Self {
        self.file(format!("the results/{name}/summary.json"), json!({"coverage": coverage}).to_string())
    }
}

fn lines(covered: u64, valid: u64) -> Value {
    json!({"lines-covered": covered, "lines-valid": valid})
}

#[test]
fn takes_the_best_suite() {
    check("80")
        .suite("unit", lines(84, 100))
        .suite("integration", lines(1, 2))
        .suite("lint", Value::Null)
        .run()
        .exits(0)
        .says("84.00 % (84 of 100 lines)")
        .shows("### ✅ Coverage");
}

#[test]
fn compares_exactly() {
    // 85.996 % is not 86 %, whatever rounding says.
    check("86")
        .suite("unit", lines(21_499, 25_000))
        .run()
        .exits(1)
        .says("85.99 %")
        .says("0.01 points below")
        .says(": 1 more");
    check("66.6667").suite("unit", lines(2, 3)).run().exits(1);
    check("66.6666").suite("unit", lines(2, 3)).run().exits(0);
    check("87.5").suite("unit", lines(7, 8)).run().exits(0);
    check("100").suite("unit", lines(999_999_998, 999_999_999)).run().exits(1);
    check("0").suite("unit", lines(0, 10)).run().exits(0);
    check("080").suite("unit", lines(8, 10)).run().exits(0);
}

#[test]
fn says_by_how_much_it_is_below() {
    check("90")
        .suite("unit", lines(80, 100))
        .run()
        .exits(1)
        .says("::error::coverage is 80.00 %25 (80 of 100 lines), 10.00 points below the minimum of 90 %25: 10 more")
        .shows("### ❌ Coverage");
}

#[test]
fn needs_a_report() {
    check("80").run().exits(3).says("no suite wrote a coverage report");
    check("80").suite("unit", Value::Null).suite("empty", lines(0, 0)).run().exits(3);
    for hostile in [
        json!({"lines-valid": "10", "lines-covered": 10}),
        lines(11, 10),
        json!({"lines-valid": 1e12, "lines-covered": 1}),
        json!("$(touch pwned)"),
        json!({"lines-valid": 0.5, "lines-covered": 0.5}),
    ] {
        check("80").suite("unit", hostile).run().exits(3).says("::warning::");
    }
    check("80").file("the results/unit/summary.json", "[").run().exits(3);
    check("80").file("the results/unit/summary.json", " ".repeat(70_000)).run().exits(3);
}

#[test]
fn refuses_a_minimum_that_is_no_percentage() {
    for minimum in ["", "-1", "100.1", "101", "8e1", "80%", "80.12345", "a[$(touch pwned)]"] {
        check(minimum).suite("unit", lines(1, 1)).run().exits(2);
    }
    check("80").env("RESULTS_DIR", "missing").run().exits(2);
}
