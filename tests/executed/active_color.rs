use super::script::{HOSTILE, Script};
use crate::tool;
use serde_json::{Value, json};

fn color(action: &str) -> Script {
    Script::new("active-color.sh")
        .env("TF_COMMAND", "tofu")
        .env("STACK_DIRECTORY", "the stack")
        .env("OUTPUT_NAME", "live")
        .env("ACTION", action)
        .file("the stack/main.tf", "")
}

/// A tool whose outputs the test wrote.
fn saying(action: &str, outputs: &Value) -> Script {
    let script = color(action)
        .tool("tofu", "[[ \"$*\" == '-chdir=the stack output -json' ]] || exit 9\ncat \"$STATE/outputs\"\n");
    std::fs::write(script.state().join("outputs"), outputs.to_string()).unwrap();
    script
}

fn live(action: &str, value: &str) -> Script {
    saying(action, &json!({"live": {"sensitive": false, "type": "string", "value": value}}))
}

#[test]
fn every_action_but_promote_keeps_the_live_colour() {
    for action in ["plan", "apply", "destroy"] {
        for now in ["blue", "green"] {
            let ran = live(action, now).run().exits(0).outputs("current", now).outputs("color", now);
            assert!(ran.summary.contains(&format!("Live colour: {now}. Planned colour: {now}.")));
            live(action, now).env("REQUESTED", "keep").run().exits(0).outputs("color", now);
            live(action, now)
                .env("REQUESTED", "green")
                .run()
                .exits(2)
                .says("only promote may ask for a colour");
        }
    }
}

#[test]
fn promote_takes_the_one_asked_for_or_the_other_one() {
    for (now, requested, color) in [
        ("blue", "keep", "green"),
        ("green", "keep", "blue"),
        ("blue", "green", "green"),
        ("green", "blue", "blue"),
        ("blue", "", "green"),
    ] {
        let script = live("promote", now).env("REQUESTED", requested);
        script.run().exits(0).outputs("current", now).outputs("color", color);
    }
    for now in ["blue", "green"] {
        let ran = live("promote", now).env("REQUESTED", now).run().exits(4);
        assert!(ran.outputs.is_empty());
        ran.says(&format!("::error::{now} is live already: there is nothing to promote"));
    }
}

#[test]
fn an_output_may_name_something_of_the_colour() {
    let values = r#"{"blue": "asg-blue", "green": "asg-green"}"#;
    live("plan", "asg-green").env("OUTPUT_VALUES", values).run().exits(0).outputs("current", "green");
    live("plan", "asg-blue").env("OUTPUT_VALUES", values).run().exits(0).outputs("current", "blue");
    live("plan", "green").env("OUTPUT_VALUES", values).run().exits(3).says("says neither colour");
}

#[test]
fn an_output_that_says_neither_colour_stops_the_run_and_is_not_shown() {
    for value in HOSTILE.iter().map(|hostile| json!(hostile)).chain([
        json!(null),
        json!(1),
        json!(["blue"]),
        json!("Blue"),
        json!("red hush"),
    ]) {
        let ran = saying("apply", &json!({"live": {"value": value}})).run().exits(3);
        assert!(ran.outputs.is_empty());
        ran.says("::error::the output live says neither colour").never_says("hush").never_says("octocat");
    }
}

#[test]
fn nothing_in_the_state_means_blue() {
    saying("apply", &json!({}))
        .run()
        .exits(0)
        .says("::notice::there are no outputs")
        .outputs("color", "blue");
    let missing = saying("promote", &json!({"other": {"value": "green"}}));
    missing.run().exits(3).says("::error::the state has outputs, but no live");
}

#[test]
fn the_real_tool_tells_its_colour() {
    if tool::find("terraform").is_none() {
        return;
    }
    let text = "variable \"live\" { default = \"blue\" }\nresource \"terraform_data\" \"x\" { input = var.live }\noutput \"live\" {\n  value     = terraform_data.x.output\n  sensitive = true\n}\n";
    let script = color("plan").env("TF_COMMAND", "terraform").file("the stack/main.tf", text);
    let script = script.prepare("terraform", &["-chdir=the stack", "init"]);
    script.run().exits(0).says("::notice::there are no outputs in the state yet").outputs("current", "blue");
    let script =
        script.prepare("terraform", &["-chdir=the stack", "apply", "-auto-approve", "-var=live=green"]);
    for _ in 0..2 {
        script.run().exits(0).outputs("current", "green");
    }
    let broken = script.file("the stack/main.tf", format!("terraform {{\n  backend \"s3\" {{}}\n}}\n{text}"));
    broken.run().exits(1).says("Backend initialization required").says("::error::terraform output failed");
}

#[test]
fn a_failing_tool_is_heard() {
    for (tool, text) in [
        ("echo '{}'\necho broken >&2\nexit 1\n", "broken"),
        ("echo '[]'\n", "no outputs"),
        ("echo '{} {}'\n", "no outputs"),
        ("", ""),
    ] {
        let ran =
            color("plan").tool("tofu", tool).run().exits(1).says("::error::tofu output failed").says(text);
        assert!(ran.outputs.is_empty());
    }
    // What it says is no command of ours.
    color("plan").tool("tofu", "echo '::error::taken over' >&2\nexit 1\n").run().exits(1);
}

#[test]
fn refuses_settings_of_the_wrong_shape() {
    for (key, value) in [
        ("TF_COMMAND", "rm"),
        ("STACK_DIRECTORY", "missing"),
        ("OUTPUT_VALUES", "[]"),
        ("OUTPUT_VALUES", r#"{"blue": "a"}"#),
        ("OUTPUT_VALUES", r#"{"blue": "a", "green": "a"}"#),
        ("OUTPUT_VALUES", r#"{"blue": "", "green": "a"}"#),
        ("OUTPUT_VALUES", r#"{"blue": 1, "green": 2}"#),
        ("OUTPUT_VALUES", r#"{"blue": "a", "green": "b", "red": "c"}"#),
        ("ACTION", "Apply"),
        ("ACTION", "create-backend"),
        ("REQUESTED", "red"),
    ] {
        live("promote", "blue").env(key, value).run().exits(2).says(key);
    }
    for hostile in HOSTILE {
        for key in ["OUTPUT_NAME", "OUTPUT_VALUES", "ACTION", "REQUESTED"] {
            live("promote", "blue").env(key, hostile).run().exits(2);
        }
    }
    color("plan").env("PATH", "/usr/bin:/bin").run().exits(2).says("tofu is not installed");
}
