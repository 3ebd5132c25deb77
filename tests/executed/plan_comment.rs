use super::script::{HOSTILE, Ran, Script, assert_inert};
use serde_json::{Value, json};

const RUN_URL: &str = "https://github.com/octo/app/actions/runs/1";
const MARKER: &str = "<!-- pyfleet:plan env=dev stack=app -->";

fn comment() -> Script {
    Script::new("plan-comment.sh")
        .env("RESULTS_DIR", "the results")
        .env("COMMENTS_DIR", "the comments")
        .env("RUN_URL", RUN_URL)
        .file("the results/.keep", "")
}

fn summary(destructive: &[&str]) -> Value {
    let listed: Vec<_> =
        destructive.iter().map(|address| json!({"address": address, "action": "delete"})).collect();
    json!({
        "class": if destructive.is_empty() { "changes" } else { "destructive" }, "errored": false, "complete": true,
        "counts": {"create": 1, "update": 0, "replace": 0, "delete": listed.len(), "import": 0, "move": 0, "forget": 0, "read": 0, "drift": 0},
        "destructive": listed, "changed": [{"address": "a.created", "action": "create"}], "drift": [],
        "outputs": [{"name": "url", "action": "create"}],
    })
}

trait Results {
    fn result(self, summary: &Value, plan: Option<&str>) -> Self;
}

impl Results for Script {
    fn result(self, summary: &Value, plan: Option<&str>) -> Self {
        let script = self
            .file("the results/plan dev app/plan-summary.json", summary.to_string())
            .file("the results/plan dev app/target.json", r#"{"environment": "dev", "stack": "app"}"#);
        match plan {
            Some(plan) => script.file("the results/plan dev app/plan.txt", plan),
            None => script,
        }
    }
}

fn text(ran: &Ran) -> String {
    let text = ran.text("the comments/plan.dev.app.md");
    assert!(text.starts_with(&format!("{MARKER}\n")), "{text}");
    assert!(text.len() <= 60_000, "{}", text.len());
    let run = format!("[Run]({RUN_URL})");
    let cut = format!("[the run]({RUN_URL})");
    assert_inert(&text, &[MARKER, &run, &cut, "<details><summary>Plan</summary>", "</details>"]);
    text
}

#[test]
fn shows_counts_then_what_is_destroyed_then_the_plan() {
    let ran = comment().result(&summary(&["a.old"]), Some("# a.old will be destroyed\n")).run().exits(0);
    let text = text(&ran);
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}\n---\n{text}"));
    assert!(at("⚠️ something is destroyed") < at("| 1 | 0 | 0 | 1 |"));
    assert!(at("| 1 | 0 | 0 | 1 |") < at("- delete: `a.old`"));
    assert!(at("- delete: `a.old`") < at("- create: `a.created`"));
    assert!(at("- create: `a.created`") < at("```\n# a.old will be destroyed\n```"));
    assert!(at("</details>") < at(&format!("[Run]({RUN_URL})")));
    assert!(!text.contains("truncated"));
}

#[test]
fn a_summary_alone_makes_a_comment_too() {
    let script = comment().result(&summary(&[]), None);
    let first = text(&script.run().exits(0));
    assert!(!first.contains("<details>"));
    assert_eq!(first, text(&script.run().exits(0)));
}

#[test]
fn a_plan_that_failed_is_commented_as_failed() {
    let script = comment()
        .file("the results/plan dev app/target.json", r#"{"environment": "dev", "stack": "app"}"#)
        .env("COMMIT", "0123456789abcdef0123456789abcdef01234567");
    let text = text(&script.run().exits(0));
    assert!(text.starts_with(MARKER), "{text}");
    assert!(text.contains("### Plan of `app` for `dev`: ❌ failed"), "{text}");
    assert!(text.contains(&format!("[the run]({RUN_URL}) at `0123456`")), "{text}");
}

#[test]
fn an_errored_or_incomplete_plan_is_not_to_be_approved() {
    for (key, value) in [("errored", true), ("complete", false)] {
        let mut summary = summary(&[]);
        summary[key] = json!(value);
        assert!(text(&comment().result(&summary, None).run().exits(0)).contains("must not be approved"));
    }
}

#[test]
fn a_long_plan_is_cut_at_a_line_end_and_says_so() {
    let line = format!("+ {} ``````\n", "🚀".repeat(20));
    let plan = line.repeat(2_000);
    let many: Vec<_> = (0..3_000).map(|index| format!("module.{index}.{}", "ü".repeat(200))).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    for summary in [summary(&[]), summary(&many)] {
        let text = text(&comment().result(&summary, Some(&plan)).run().exits(0));
        assert!(text.contains("A truncated comment is not a basis for approval"), "{text}");
        assert!(text.contains(&format!("[the run]({RUN_URL})")));
        assert!(text.contains("\n```````\n"), "a fence longer than any run in the plan");
        assert!(text.len() > 55_000, "room is left: {}", text.len());
    }
    let text = text(&comment().result(&summary(&[]), Some(&"x".repeat(100_000))).run().exits(0));
    assert!(text.contains("truncated"), "one line that is too long");
    let ticks = "`".repeat(40_000);
    self::text(&comment().result(&summary(&[]), Some(&ticks)).run().exits(0));
}

#[test]
fn hostile_addresses_and_plans_stay_inert() {
    for hostile in HOSTILE {
        let mut summary = summary(&[hostile]);
        summary["outputs"] = json!([{"name": hostile, "action": "update"}]);
        summary["drift"] = json!([{"address": hostile, "action": "update"}]);
        summary["counts"]["drift"] = json!(1);
        text(&comment().result(&summary, Some(hostile)).run().exits(0));
    }
    let script = comment().result(&summary(&[]), None);
    text(&script.file("the results/plan dev app/plan.txt", b"a\xff\xfe\x00\x1bb\r\n").run().exits(0));
}

#[test]
fn a_target_that_is_no_slug_is_refused() {
    let hostile = HOSTILE.iter().copied().chain(["", "Dev", "a_b", "dev\n", "a.b", "../x", "1a"]);
    for name in hostile {
        for key in ["environment", "stack"] {
            let mut target = json!({"environment": "dev", "stack": "app"});
            target[key] = json!(name);
            let script = comment().result(&summary(&[]), None);
            let script = script.file("the results/plan dev app/target.json", target.to_string());
            let ran = script.run().exits(1).says("::error::a plan result is refused");
            assert_eq!(std::fs::read_dir(ran.directory.join("the comments")).unwrap().count(), 0);
        }
    }
}

#[test]
fn a_summary_of_another_shape_is_refused_and_the_others_are_composed() {
    let mut summaries = vec![json!([]), json!(null)];
    for (key, value) in [
        ("class", json!("none")),
        ("class", json!("great")),
        ("errored", json!("no")),
        ("complete", json!(null)),
        ("counts", json!({})),
        ("destructive", json!([{"address": "a", "action": "delete"}])),
        ("destructive", json!([{"address": 1, "action": "delete"}])),
        ("changed", json!([{"address": "a", "action": "<b>"}])),
        ("drift", json!([{"address": "a", "action": "update"}])),
        ("outputs", json!({})),
    ] {
        let mut summary = summary(&[]);
        summary[key] = value;
        summaries.push(summary);
    }
    for bad in summaries {
        let ran = comment()
            .result(&summary(&[]), None)
            .file("the results/bad/plan-summary.json", bad.to_string())
            .file("the results/bad/target.json", r#"{"environment": "prod", "stack": "app"}"#)
            .run()
            .exits(1)
            .says("the summary of prod/app is not one that the plan step writes");
        text(&ran);
        assert!(!ran.directory.join("the comments/plan.prod.app.md").exists());
    }
    comment()
        .file("the results/a/plan-summary.json", summary(&[]).to_string())
        .run()
        .exits(1)
        .says("does not say");
    let twice = comment()
        .result(&summary(&[]), None)
        .file("the results/z/plan-summary.json", summary(&[]).to_string());
    twice
        .file("the results/z/target.json", r#"{"environment": "dev", "stack": "app"}"#)
        .run()
        .exits(1)
        .says("there are two for dev/app");
    comment().run().exits(1).says("no plan result");
}

#[test]
fn refuses_incomplete_settings() {
    let script = comment().result(&summary(&[]), None);
    script.clone().env("RESULTS_DIR", "missing").run().exits(1).says("there is no plan result");
    script.clone().env("COMMIT", "$(id)").run().exits(2);
    script.clone().without("COMMENTS_DIR").run().exits(2);
    script.clone().env("RUN_URL", "http://x").run().exits(2);
    script.env("RUN_URL", "https://x) [y](z").run().exits(2);
}
