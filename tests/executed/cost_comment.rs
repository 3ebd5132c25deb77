use std::fs;

use super::script::{HOSTILE, Ran, Script, assert_inert};
use serde_json::{Value, json};

const RUN_URL: &str = "https://github.com/octo/app/actions/runs/1";
const MARKER: &str = "<!-- pyfleet:cost stack=app -->";

fn comment() -> Script {
    Script::new("cost-comment.sh")
        .env("RESULTS_DIR", "the results")
        .env("COMMENTS_DIR", "the comments")
        .env("RUN_URL", RUN_URL)
        .file("the results/.keep", "")
}

fn cost(difference: &str) -> Value {
    let (before, after) = match difference {
        "100.00" => ("20.00", "120.00"),
        "100.01" => ("20.00", "120.01"),
        "-5.50" => ("20.00", "14.50"),
        other => panic!("{other}"),
    };
    json!({
        "stack": "app", "currency": "USD", "before": before, "after": after, "difference": difference,
        "resources": [{"name": "aws_instance.web", "before": before, "after": after, "difference": difference}],
    })
}

fn with_base(cost: Option<Value>) -> Script {
    let script =
        comment().file("the results/cost app/target.json", r#"{"stack": "app", "environment": "prod"}"#);
    match cost {
        Some(cost) => script.file("the results/cost app/cost.json", cost.to_string()),
        None => script,
    }
}

fn text(ran: &Ran) -> String {
    let text = ran.text("the comments/cost.app.md");
    assert!(text.starts_with(&format!("{MARKER}\n")), "{text}");
    assert!(text.len() <= 60_000, "{}", text.len());
    let (run, why) = (format!("[Run]({RUN_URL})"), format!("[The run]({RUN_URL})"));
    assert_inert(&text, &[MARKER, &run, &why]);
    text
}

#[test]
fn shows_the_difference_then_what_changes_most() {
    let script = with_base(Some(cost("100.00"))).env("COMMIT", "0123456789abcdef0123456789abcdef01234567");
    let first = text(&script.run().exits(0));
    assert!(first.contains("### Monthly cost of `app`: +100.00 USD\n"), "{first}");
    assert!(first.contains("| 20.00 | 120.00 | +100.00 |"), "{first}");
    assert!(first.contains("| `aws_instance.web` | 20.00 | 120.00 | +100.00 |"), "{first}");
    assert!(
        first
            .contains(&format!("with the values of `prod`: not of what runs. [Run]({RUN_URL}) at `0123456`"))
    );
    assert_eq!(first, text(&script.run().exits(0)));
    let less = text(&with_base(Some(cost("-5.50"))).run().exits(0));
    assert!(less.contains("### Monthly cost of `app`: -5.50 USD\n"), "{less}");
}

/// The limit is the workflow's own: a result cannot say that it is within it.
#[test]
fn more_than_the_limit_is_said() {
    for (difference, limit, is_above) in
        [("100.00", "100", false), ("100.01", "100", true), ("-5.50", "0", false), ("100.00", "", false)]
    {
        let ran = with_base(Some(cost(difference))).env("MAX_MONTHLY_INCREASE", limit).run().exits(0);
        let text = text(&ran);
        assert_eq!(text.contains("**More than the 100 USD a month"), is_above, "{text}");
        assert_eq!(text.contains('❌'), is_above, "{text}");
    }
}

#[test]
fn what_is_not_known_replaces_what_was() {
    let unknown = text(&with_base(None).run().exits(0));
    assert!(unknown.contains("### Monthly cost of `app`: not known"), "{unknown}");
    assert!(unknown.contains(&format!("[The run]({RUN_URL}) says why")), "{unknown}");
    let mut alone = cost("100.00");
    (alone["before"], alone["difference"], alone["resources"]) = (Value::Null, Value::Null, json!([]));
    let alone = text(&with_base(Some(alone)).env("MAX_MONTHLY_INCREASE", "1").run().exits(0));
    assert!(alone.contains("`app`: 120.00 USD") && alone.contains("The limit was not checked."), "{alone}");
}

#[test]
fn hostile_names_stay_inert() {
    for names in HOSTILE.chunks(16) {
        let mut cost = cost("100.00");
        let row = cost["resources"][0].clone();
        let rows = names.iter().map(|name| {
            let mut row = row.clone();
            row["name"] = json!(name.repeat(500));
            row
        });
        cost["resources"] = rows.collect();
        text(&with_base(Some(cost)).run().exits(0));
    }
}

#[test]
fn a_target_that_is_no_slug_is_refused() {
    for name in HOSTILE.iter().copied().chain(["", "App", "a_b", "app\n", "a.b", "../x", "1a"]) {
        for key in ["environment", "stack"] {
            let mut target = json!({"environment": "prod", "stack": "app"});
            target[key] = json!(name);
            let script = with_base(Some(cost("100.00")));
            let script = script.file("the results/cost app/target.json", target.to_string());
            let ran = script.run().exits(1).says("::error::a cost result is refused");
            assert_eq!(fs::read_dir(ran.directory.join("the comments")).unwrap().count(), 0);
        }
    }
    let huge = format!("{{\"stack\": \"app\"}}{}", " ".repeat(5_000));
    with_base(None).file("the results/cost app/target.json", huge).run().exits(1).says("does not say");
}

#[test]
fn a_cost_of_another_shape_is_refused_and_the_others_are_composed() {
    let mut costs = vec![json!([]), json!(null)];
    for (key, value) in [
        ("stack", json!("other")),
        ("currency", json!("$(id)")),
        ("currency", json!("usd")),
        ("before", json!(null)),
        ("before", json!("20.000")),
        ("after", json!(120)),
        ("after", json!("119.99")),
        ("difference", json!("0.00")),
        ("difference", json!(null)),
        ("difference", json!("+100.00")),
        ("resources", json!({})),
        ("resources", json!([{"name": 1, "before": "0.00", "after": "0.00", "difference": "0.00"}])),
        ("resources", json!([{"name": "a", "before": "0.00", "after": "1.00", "difference": "0.00"}])),
        ("resources", json!(vec![cost("100.00")["resources"][0].clone(); 21])),
    ] {
        let mut cost = cost("100.00");
        cost[key] = value;
        costs.push(cost);
    }
    let texts = costs.iter().map(ToString::to_string);
    let huge = format!("{}{}", cost("100.00"), " ".repeat(2 << 20));
    for bad in texts.chain([String::new(), "{".to_owned(), huge]) {
        let ran = with_base(Some(cost("100.00")))
            .file("the results/bad/cost.json", bad)
            .file("the results/bad/target.json", r#"{"stack": "net"}"#)
            .run()
            .exits(1)
            .says("the cost of net is not one that the cost step writes");
        text(&ran);
        assert!(!ran.directory.join("the comments/cost.net.md").exists());
    }
    comment().file("the results/a/cost.json", cost("100.00").to_string()).run().exits(1).says("does not say");
    let link = with_base(None).prepare("ln", &["-s", "/etc/hostname", "the results/cost app/cost.json"]);
    link.run().exits(1).says("is not one that the cost step writes");
    let twice = with_base(None).file("the results/z/target.json", r#"{"stack": "app"}"#);
    twice.run().exits(1).says("there are two for app");
    comment().run().exits(1).says("there is no cost result");
}

#[test]
fn refuses_incomplete_settings() {
    let script = with_base(None);
    script.clone().env("RESULTS_DIR", "missing").run().exits(1).says("there is no cost result");
    script.clone().env("COMMIT", "$(id)").run().exits(2);
    script.clone().env("MAX_MONTHLY_INCREASE", "1.5").run().exits(2);
    script.clone().without("COMMENTS_DIR").run().exits(2);
    script.clone().env("RUN_URL", "http://x").run().exits(2);
    script.env("RUN_URL", "https://x) [y](z").run().exits(2);
}
