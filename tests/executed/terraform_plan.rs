use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::script::{HOSTILE, Ran, Script, assert_inert};
use crate::tool;
use serde_json::{Value, json};

const STACK: &str = r#"
terraform {
  backend "local" {}
}
variable "size" {
  type = number
}
variable "password" {
  type      = string
  default   = "none"
  sensitive = true
}
variable "keys" {
  type    = set(string)
  default = []
}
variable "note" {
  type    = string
  default = "nothing"
}
resource "terraform_data" "volume" {
  input            = "volume of ${var.size}"
  triggers_replace = var.size
}
resource "terraform_data" "login" {
  input = var.password
}
resource "terraform_data" "each" {
  for_each = var.keys
  input    = each.key
}
output "note" {
  value = var.note
}
"#;

/// A stack without providers, initialised and planned by the real Terraform.
fn stack() -> Script {
    let script = settings("terraform").file("the stack/main.tf", STACK);
    let state = format!("-backend-config=path={}", script.directory().join("the state.tfstate").display());
    script.prepare("terraform", &["-chdir=the stack", "init", &state])
}

fn settings(command: &str) -> Script {
    Script::new("terraform-plan.sh")
        .env("TF_COMMAND", command)
        .env("STACK_DIRECTORY", "the stack")
        .env("PLAN_DIR", "the plans/app")
        .env("ENVIRONMENT", "dev")
        .env("STACK", "app")
        .env("PUBLISH", "full")
        .env("VARIABLES", r#"{"size": 5}"#)
}

/// Applies what the variables say, so that the next plan has something to compare with.
fn applied(script: Script, variables: &Value) -> Script {
    script.file("applied.tfvars.json", variables.to_string()).prepare(
        "terraform",
        &["-chdir=the stack", "apply", "-auto-approve", "-var-file=../applied.tfvars.json"],
    )
}

fn summary(ran: &Ran) -> Value {
    ran.json("the plans/app/plan-summary.json")
}

#[test]
fn a_first_plan_creates_everything() {
    if tool::find("terraform").is_none() {
        return;
    }
    let ran = stack()
        .env(
            "VARIABLES",
            r#"{"size": {"variable": "SIZE"}, "password": {"variable": "PASSWORD"}, "keys": ["a b"]}"#,
        )
        .env("VARIABLE_SIZE", "5")
        .env("VARIABLE_PASSWORD", "hush-hush")
        .run()
        .exits(0)
        .outputs("class", "changes")
        .says("volume of 5")
        .shows("### Plan of `app` for `dev`: 🔧 changes")
        .shows("| 3 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 |")
        .shows("<details><summary>Plan</summary>\n\n```\n")
        .never_says("hush-hush");
    assert_eq!(summary(&ran)["counts"]["create"], 3);
    assert_eq!(ran.json("the plans/app/target.json"), json!({"environment": "dev", "stack": "app"}));
    assert!(ran.text("the plans/app/plan.txt").contains("volume of 5"));
    let mut files: Vec<_> = fs::read_dir(ran.directory.join("the plans/app"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["plan-summary.json", "plan.txt", "target.json"]);
}

#[test]
fn the_class_says_what_a_reviewer_must_look_for() {
    if tool::find("terraform").is_none() {
        return;
    }
    let script = applied(stack(), &json!({"size": 5}));
    script.run().exits(0).outputs("class", "none").shows("✅ no changes");
    script.run().exits(0).outputs("class", "none");
    script
        .clone()
        .env("VARIABLES", r#"{"size": 5, "note": "new"}"#)
        .run()
        .exits(0)
        .outputs("class", "outputs-only")
        .shows("Outputs that change: `note`");
    let ran =
        script.clone().env("VARIABLES", r#"{"size": 6}"#).run().exits(0).outputs("class", "destructive");
    let destroyed = ran.summary.find("- replace: `terraform_data.volume`").unwrap();
    assert!(destroyed < ran.summary.find("<details>").unwrap(), "what is destroyed comes first");
    // The last file wins, as on a command line.
    let script = script
        .file("the stack/one.tfvars", "size = 7")
        .file("the stack/two.tfvars", "size = 5\nnote = \"from a file\"");
    let script = script.env("VAR_FILES", r#"["one.tfvars", "two.tfvars"]"#);
    script.clone().env("VARIABLES", "{}").run().exits(0).outputs("class", "outputs-only");
    script.env("VARIABLES", r#"{"note": "nothing"}"#).run().exits(0).outputs("class", "none");
}

#[test]
fn a_summary_keeps_the_text_of_the_plan_out_of_log_and_artifact() {
    if tool::find("terraform").is_none() {
        return;
    }
    let script = stack();
    script.run().exits(0);
    let ran = script
        .clone()
        .env("PUBLISH", "summary")
        .run()
        .exits(0)
        .never_says("volume of 5")
        .shows("| 2 | 0 | 0 |");
    assert!(!ran.directory.join("the plans/app/plan.txt").exists(), "the file of an earlier plan stays");
    assert!(!ran.text("the plans/app/plan-summary.json").contains("volume of"));
}

#[test]
fn a_failing_tool_is_heard() {
    if tool::find("terraform").is_none() {
        return;
    }
    let failing = "resource \"terraform_data\" \"sized\" {\n  input = \"text of the plan ${var.size}\"\n}\n\
                   resource \"terraform_data\" \"x\" {\n  lifecycle {\n    precondition {\n      condition = var.size > 9\n      error_message = \"too small\"\n    }\n  }\n}\n";
    let script = stack().file("the stack/failing.tf", failing);
    let ran = script
        .run()
        .exits(1)
        .says("too small")
        .says("::error::terraform plan failed for dev/app")
        .shows("### ❌ Plan of `app` for `dev`: plan failed");
    assert!(!ran.directory.join("the plans/app/plan-summary.json").exists());
    script.env("PUBLISH", "summary").run().exits(1).says("too small").never_says("text of the plan");
    stack().env("VARIABLES", "{}").run().exits(1).says("No value for required variable");
    let fresh = settings("terraform").file("the stack/main.tf", STACK);
    fresh.run().exits(1).says("::error::terraform plan failed for dev/app").says("terraform init");
}

#[test]
fn hostile_keys_and_values_stay_inert() {
    if tool::find("terraform").is_none() {
        return;
    }
    let hostile =
        json!({"size": 5, "keys": HOSTILE, "note": "::error::taken over\n```\n````\n</details>@octocat"});
    let script = applied(stack(), &hostile).env("VARIABLES", r#"{"size": 5}"#);
    let ran = script.run().exits(0).outputs("class", "destructive");
    assert_eq!(summary(&ran)["counts"]["delete"], HOSTILE.len());
    let own = ["<details><summary>Plan</summary>", "</details>"];
    assert_inert(&ran.summary, &own);
    let ran = stack().env("VARIABLES", hostile.to_string()).run().exits(0);
    assert_inert(&ran.summary, &own);
}

#[test]
fn a_huge_plan_is_cut_at_a_line_end() {
    if tool::find("terraform").is_none() {
        return;
    }
    let lines: Vec<_> = (0..2_000).map(|line| format!("{line} {}", "🚀`".repeat(100))).collect();
    let huge = "variable \"lines\" { type = list(string) }\nresource \"terraform_data\" \"huge\" { input = var.lines }\n";
    let script = stack().file("the stack/huge.tf", huge);
    let script = script.file("the stack/huge.auto.tfvars.json", json!({"lines": lines}).to_string());
    let ran = script.run().exits(0).shows("The plan is cut here");
    assert!(ran.summary.len() <= 900 << 10, "{}", ran.summary.len());
    assert!(ran.text("the plans/app/plan.txt").len() > 900 << 10);
    assert_inert(&ran.summary, &["<details><summary>Plan</summary>", "</details>"]);
}

/// A tool that notes how it was called and shows the plan that the test wrote.
const STAND_IN: &str = r#"
shift
printf '%s\n' "$@" >>"$STATE/arguments"
for argument in "$@"; do
  case $argument in -var-file=/*)
    cat "${argument#*=}" >"$STATE/variables"
    stat -c %a "${argument#*=}" "$(dirname "${argument#*=}")" >"$STATE/modes" ;;
  esac
done
case "$1 $2" in
  'show -json') cat "$STATE/plan" ;;
  'show '*) echo 'text of the plan' ;;
  plan*)
    [[ ! -e $STATE/slow ]] || { trap 'touch "$STATE/released"; exit 1' TERM; touch "$STATE/started"; while :; do sleep 0.1; done; }
    exit "$(cat "$STATE/code")" ;;
esac
"#;

fn stand_in(plan: &Value, code: &str) -> Script {
    let script = settings("tofu").tool("tofu", STAND_IN).file("the stack/main.tf", "");
    fs::write(script.state().join("plan"), plan.to_string()).unwrap();
    fs::write(script.state().join("code"), code).unwrap();
    script
}

fn empty_plan() -> Value {
    json!({"format_version": "1.2", "planned_values": {}})
}

#[test]
fn variables_travel_in_a_private_file_and_options_as_they_are() {
    let variables: BTreeMap<String, &str> =
        HOSTILE.iter().enumerate().map(|(index, hostile)| (format!("v{index}"), *hostile)).collect();
    let script = stand_in(&empty_plan(), "0")
        .env("VARIABLES", json!(variables).to_string())
        .env("VAR_FILES", r#"["a b.tfvars", "-c.tfvars"]"#)
        .env("LOCK", "300s");
    script.run().exits(0).outputs("class", "none");
    let note = |name: &str| fs::read_to_string(script.state().join(name)).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&note("variables")).unwrap(), json!(variables));
    assert_eq!(note("modes"), "600\n700\n");
    let arguments = note("arguments");
    assert!(arguments.starts_with("plan\n-input=false\n-no-color\n-detailed-exitcode\n"), "{arguments}");
    assert!(
        arguments.contains("\n-lock-timeout=300s\n-var-file=a b.tfvars\n-var-file=-c.tfvars\n-var-file=/"),
        "{arguments}"
    );
    for option in ["-destroy", "-refresh=false", "-var=", "-lock=false"] {
        assert!(!arguments.contains(option), "{option}: {arguments}");
    }
    fs::remove_file(script.state().join("arguments")).unwrap();
    script
        .clone()
        .env("LOCK", "false")
        .env("DESTROY", "true")
        .env("REFRESH", "false")
        .env("COLOR_VARIABLE", "live")
        .env("COLOR", "green")
        .run()
        .exits(0);
    let arguments = note("arguments");
    assert!(
        arguments.contains("\n-lock=false\n-destroy\n-refresh=false\n-var-file=a b.tfvars\n"),
        "{arguments}"
    );
    assert!(arguments.contains("variables.tfvars.json\n-var=live=green\n"), "{arguments}");
}

#[test]
fn a_github_value_is_used_as_it_is() {
    let script = stand_in(&empty_plan(), "0")
        .env("VARIABLES", r#"{"tag": {"variable": "IMAGE_TAG"}, "zones": {"variable": "ZONES", "as": "list"}, "object": {"variable": "a b"}, "map": {"variable": "X", "more": 1}}"#)
        .env("VARIABLE_IMAGE_TAG", "$(touch pwned)\n\"'")
        .env("VARIABLE_ZONES", " a b ,, $(id)");
    script.run().exits(0);
    let variables: Value =
        serde_json::from_str(&fs::read_to_string(script.state().join("variables")).unwrap()).unwrap();
    let expected = json!({"tag": "$(touch pwned)\n\"'", "zones": ["a b", "$(id)"], "object": {"variable": "a b"}, "map": {"variable": "X", "more": 1}});
    assert_eq!(variables, expected);
}

/// A stack that shows what it gets everywhere that Terraform shows anything: values, keys, JSON, outputs, errors.
const LEAKING: &str = r#"
# Unlike the password of the stack itself it is not marked sensitive.
variable "plain" {}
variable "names" { type = list(string) }
variable "json" {}
variable "broken" { default = false }
resource "terraform_data" "value" { input = var.plain }
resource "terraform_data" "inside" { input = "postgres://admin:${var.plain}@host" }
resource "terraform_data" "keyed" {
  for_each = toset(var.names)
  input    = each.key
}
resource "terraform_data" "json" { input = var.json }
resource "terraform_data" "broken" {
  lifecycle {
    precondition {
      condition     = !var.broken
      error_message = "A sentence that is long enough to be broken into lines between its words: ${var.plain} and ${jsonencode(var.names)}."
    }
  }
}
output "shown" { value = jsonencode({ deep = var.plain }) }
"#;

#[test]
fn no_secret_is_ever_shown_or_kept() {
    if tool::find("terraform").is_none() {
        return;
    }
    let passwords = [
        "correct horse battery staple, which is long enough to be broken into two lines by any tool",
        "quoted \"and\" back\\slashed ${x} %{y} <&> tab\tend",
        "s/of .* [a-z]+? (sed|regex) {1} ^$ /",
        "-----BEGIN KEY-----\nMIIEabcdef\nline two of it\n-----END KEY-----\n",
        "$(touch pwned)`touch pwned`",
        "::error::taken over",
        "äöü🚀 and more",
    ];
    let script = stack().file("the stack/leaking.tf", LEAKING);
    for (number, password) in passwords.into_iter().enumerate() {
        // A summary shows so little that one password has to do.
        let published: &[&str] = if number == 0 { &["full", "summary"] } else { &["full"] };
        for (publish, broken) in published.iter().flat_map(|publish| [(*publish, false), (*publish, true)]) {
            let variables = json!({
                "size": 5, "plain": {"secret": "PASSWORD"}, "names": {"secret": "KEYS", "as": "list"},
                "json": {"secret": "JSON"}, "broken": broken,
            });
            let ran = script
                .clone()
                .env("PUBLISH", publish)
                .env("VARIABLES", variables.to_string())
                .env("SECRET_PASSWORD", password)
                .env("SECRET_KEYS", "first key, sec\"ond, x, ,terraform_data")
                .env("SECRET_JSON", r#"{"user": "somebody", "token": "t<k>n"}"#)
                .run()
                .exits(i32::from(broken));
            let mut texts = vec![ran.log.clone(), ran.summary.clone()];
            for file in ["plan.txt", "plan-summary.json", "target.json"] {
                let file = ran.directory.join("the plans/app").join(file);
                texts.extend(fs::read_to_string(file).ok());
            }
            let pieces: Vec<&str> = password.lines().map(str::trim).filter(|line| line.len() > 3).collect();
            for text in &texts {
                // As it is, as Terraform quotes it, and with lines that are broken anywhere.
                let flat = text.split_whitespace().collect::<Vec<_>>().join(" ").replace("\\\"", "\"");
                for piece in
                    pieces.iter().copied().chain(["first key", "sec\"ond", "somebody", "t<k>n", "t\\u003ck"])
                {
                    let piece = piece.split_whitespace().collect::<Vec<_>>().join(" ");
                    assert!(!flat.contains(&piece), "{piece:?} in:\n{text}");
                }
            }
            let is_shown = publish == "full" || broken;
            assert_eq!(ran.log.contains("***"), is_shown, "{}", ran.log);
            if !broken {
                let kept = summary(&ran).to_string();
                assert!(kept.contains(r#"***.keyed[\"***\"]"#), "{kept}");
                assert!(
                    kept.contains(r#"***.keyed[\"x\"]"#),
                    "a secret of three characters is too common: {kept}"
                );
                assert_eq!(summary(&ran)["class"], "changes");
            }
        }
    }
}

#[test]
fn an_empty_secret_is_named() {
    stand_in(&empty_plan(), "0")
        .env("VARIABLES", r#"{"password": {"secret": "DB_PASSWORD"}, "mails": {"secret": "MAILS", "as": "list"}, "set": {"secret": "SET"}}"#)
        .env("SECRET_MAILS", "")
        .env("SECRET_SET", "hush-hush")
        .run()
        .exits(4)
        .says("::error::the secret DB_PASSWORD is empty here")
        .says("gh secret set DB_PASSWORD --env dev-plan")
        .says("the Terraform variable password takes its value")
        .says("::error::the secret MAILS is empty here")
        .never_says("SET ")
        .never_says("hush-hush");
}

#[test]
fn the_saved_plan_is_left_where_it_is_asked_for() {
    use std::os::unix::fs::PermissionsExt;
    if tool::find("terraform").is_none() {
        return;
    }
    let script = stack().env("PLAN_FILE", "a plan.tfplan").file("a plan.tfplan", "an earlier one");
    let left = script.directory().join("a plan.tfplan");
    let ran = script.run().exits(0).outputs("class", "changes");
    let expected = json!({"create": 2, "update": 0, "replace": 0, "delete": 0, "import": 0, "move": 0, "forget": 0, "read": 0, "drift": 0});
    assert_eq!(serde_json::from_str::<Value>(&ran.outputs["counts"]).unwrap(), expected);
    assert_eq!(fs::metadata(&left).unwrap().permissions().mode() & 0o777, 0o600);
    let script = script.prepare("terraform", &["-chdir=the stack", "apply", "../a plan.tfplan"]);
    script.run().exits(0).outputs("class", "none");
    let destroyed = script.clone().env("DESTROY", "true").run().exits(0).outputs("class", "destructive");
    assert_eq!(summary(&destroyed)["counts"]["delete"], 2);
    // A plan that fails leaves none, not even an earlier one.
    script.clone().env("VARIABLES", "{}").run().exits(1);
    assert!(!left.exists());
    let incomplete = json!({"format_version": "1.2", "planned_values": {}, "complete": false});
    let ran = stand_in(&incomplete, "2").env("PLAN_FILE", "a plan.tfplan").run().exits(3);
    assert!(!ran.directory.join("a plan.tfplan").exists());
}

#[test]
fn the_colour_goes_on_top_of_everything() {
    if tool::find("terraform").is_none() {
        return;
    }
    let script = stack().env("VARIABLES", r#"{"size": 5, "note": "blue"}"#);
    let script = script.env("COLOR_VARIABLE", "note").env("COLOR", "green");
    let ran = script.run().exits(0);
    let plan = ran.text("the plans/app/plan.txt");
    assert!(plan.contains("+ note = \"green\""), "{plan}");
    // A name that the stack does not know would silently plan with the default.
    script.env("COLOR_VARIABLE", "noet").run().exits(1).says("undeclared variable");
}

#[test]
fn an_empty_github_variable_is_named() {
    stand_in(&empty_plan(), "0")
        .env(
            "VARIABLES",
            r#"{"tag": {"variable": "IMAGE_TAG"}, "size": {"variable": "SIZE"}, "set": {"variable": "SET"}}"#,
        )
        .env("VARIABLE_SIZE", "")
        .env("VARIABLE_SET", "x")
        .run()
        .exits(4)
        .says("::error::the GitHub variable IMAGE_TAG is empty: set it")
        .says("::error::the GitHub variable SIZE is empty")
        .never_says("SET ");
}

#[test]
fn a_plan_that_is_errored_or_incomplete_is_not_passed_on() {
    for (key, value, text) in
        [("complete", false, "The plan is incomplete"), ("errored", true, "The plan ended with errors")]
    {
        let mut plan = empty_plan();
        plan[key] = json!(value);
        let ran = stand_in(&plan, "2").run().exits(3).says("must not be approved").shows(text);
        assert!(ran.outputs.is_empty());
    }
}

#[test]
fn the_tools_exit_code_outranks_an_empty_summary() {
    let ran = stand_in(&empty_plan(), "2").run().exits(0).outputs("class", "changes");
    assert_eq!(summary(&ran)["class"], "changes");
    stand_in(&empty_plan(), "3").run().exits(1).says("tofu plan failed");
    stand_in(&json!("no plan"), "0").run().exits(1).says("tofu show -json failed");
}

#[test]
fn a_cancelled_plan_lets_the_tool_release_its_lock() {
    let script = stand_in(&empty_plan(), "0");
    fs::write(script.state().join("slow"), "").unwrap();
    let mut child = script.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let limit = Instant::now() + Duration::from_secs(20);
    while !script.state().join("started").exists() {
        assert!(Instant::now() < limit, "the plan does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(script.state().join("released").exists());
    assert_eq!(fs::read_dir(script.runner_temp()).unwrap().count(), 0, "the plan is left behind");
}

#[test]
fn refuses_settings_of_the_wrong_shape() {
    for (key, value) in [
        ("TF_COMMAND", "rm"),
        ("STACK_DIRECTORY", "missing"),
        ("PLAN_DIR", ""),
        ("ENVIRONMENT", "Dev"),
        ("ENVIRONMENT", "dev\n"),
        ("STACK", "a b"),
        ("STACK", "-->"),
        ("PUBLISH", "yes"),
        ("LOCK", "true"),
        ("LOCK", "5"),
        ("DESTROY", "yes"),
        ("REFRESH", "0"),
        ("COLOR", "blue"),
        ("COLOR_VARIABLE", "live"),
        ("PLAN_FILE", "missing/plan.tfplan"),
        ("PLAN_FILE", "the stack"),
        ("PLAN_FILE", "the plans/app/plan.tfplan"),
        ("PLAN_FILE", "the plans/app/../app/x/../plan.tfplan"),
        ("VARIABLES", "[]"),
        ("VARIABLES", "{"),
        ("VAR_FILES", "{}"),
        ("VAR_FILES", r#"["a\nb"]"#),
    ] {
        stand_in(&empty_plan(), "0").env(key, value).run().exits(2);
    }
    for (variable, color) in [("live", "red"), ("live", ""), ("", "blue"), ("-x", "blue"), ("a b", "blue")] {
        let script = stand_in(&empty_plan(), "0").env("COLOR_VARIABLE", variable).env("COLOR", color);
        script.run().exits(2).says("COLOR");
    }
    settings("tofu")
        .file("the stack/main.tf", "")
        .env("PATH", "/usr/bin:/bin")
        .run()
        .exits(2)
        .says("tofu is not installed");
}
