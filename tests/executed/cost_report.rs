use std::fs;

use super::script::{HOSTILE, Ran, Script, assert_inert};
use serde_json::{Value, json};

/// Infracost, as far as its documentation says: it notes how and where it is called, and its report is what the
/// stack's `main.tf` holds, as are `CODE`, `SLEEP` and `WARN` beside it.
const STAND_IN: &str = r#"
[[ $1 == breakdown ]] || exit 64
printf '%s\n' "$@" >>"$STATE/arguments"
{ pwd; ls -A; } >>"$STATE/where"
env | grep INFRACOST | sort >"$STATE/environment"
shift
while (($#)); do
  case $1 in
    --path) path=$2 ;;
    --out-file) out=$2 ;;
    --terraform-var-file) [[ $2 != *0.tfvars.json ]] || cat "$path/$2" >"$STATE/values" ;;
  esac
  [[ $1 == --no-color ]] && shift || shift 2
done
find "$path" "$(dirname "$path")" -mindepth 1 -maxdepth 1 -printf '%y %f\n' | sort -u >>"$STATE/tree"
[[ ! -e $path/WARN ]] || cat "$path/WARN"
[[ ! -e $path/SLEEP ]] || sleep 30
[[ ! -e $path/CODE ]] || exit "$(cat "$path/CODE")"
cat "$path/main.tf" >"$out"
"#;

/// A report in the shape that `infracost breakdown --format json` has.
fn report(total: &Value, resources: &[(&str, Value)]) -> Value {
    let resources: Vec<_> = resources
        .iter()
        .map(|(name, cost)| json!({"name": name, "metadata": {}, "hourlyCost": "0.01", "monthlyCost": cost}))
        .collect();
    let breakdown = json!({"resources": resources, "totalHourlyCost": "0.1", "totalMonthlyCost": total});
    json!({
        "version": "0.2", "metadata": {"infracostCommand": "breakdown"}, "currency": "USD",
        "projects": [{"name": "app", "metadata": {"path": ".", "type": "terraform_dir"}, "breakdown": breakdown}],
        "totalHourlyCost": "0.1", "totalMonthlyCost": total, "summary": {},
    })
}

fn total(total: &str) -> Value {
    report(&json!(total), &[("aws_instance.web", json!(total))])
}

/// A repository with two commits: the base's report, and the head's.
fn costs(before: &Value, after: &Value) -> Script {
    settings().committed("the stack/main.tf", &before.to_string()).committed(
        "the stack/main.tf",
        // Every commit changes something.
        &format!("{after} "),
    )
}

fn settings() -> Script {
    Script::new("cost-report.sh")
        .env("INFRACOST_API_KEY", "ico-hush-hush")
        .env("STACK_DIRECTORY", "the stack")
        .env("STACK", "app")
        .env("COST_DIR", "the costs/app")
        .env("BASE", "HEAD^")
        .tool("infracost", STAND_IN)
        .prepare("git", &["init", "--quiet", "--initial-branch=main"])
}

trait Repository {
    fn committed(self, path: &str, text: &str) -> Self;
}

impl Repository for Script {
    fn committed(self, path: &str, text: &str) -> Self {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        let commit = ["commit", "--quiet", "--message=x"];
        self.file(path, text)
            .prepare("git", &["add", "--all", "--force", "."])
            .prepare("git", &[&identity[..], &commit[..]].concat())
    }
}

fn cost(ran: &Ran) -> Value {
    ran.json("the costs/app/cost.json")
}

fn is_unknown(ran: Ran, why: &str) {
    let ran = ran.exits(0).says(&format!("::notice::no cost of app: {why}")).shows("`app`: not known");
    assert!(!ran.directory.join("the costs/app/cost.json").exists());
    assert_eq!(ran.json("the costs/app/target.json"), json!({"stack": "app"}));
}

#[test]
fn says_what_a_commit_adds() {
    let before = report(
        &json!("30.5"),
        &[
            ("aws_instance.web", json!("10")),
            ("aws_ebs_volume.data", json!("20.5")),
            ("aws_s3_bucket.logs", Value::Null),
        ],
    );
    let after = report(
        &json!("153.961"),
        &[
            ("aws_instance.web", json!("133.456")),
            ("aws_ebs_volume.data", json!("20.5")),
            ("aws_lb.front", json!("0.005")),
        ],
    );
    let script = costs(&before, &after).env("ENVIRONMENT", "prod");
    for _ in 0..2 {
        let ran = script
            .run()
            .exits(0)
            .shows("### Monthly cost of `app`: +123.46 USD")
            .shows("| 30.50 | 153.96 | +123.46 |")
            .shows("| `aws_instance.web` | 10.00 | 133.46 | +123.46 |\n| `aws_lb.front` | 0.00 | 0.01 | +0.01 |\n\n")
            .shows("with the values of `prod`: not of what runs.")
            .never_says("hush-hush");
        assert_eq!(
            cost(&ran),
            json!({
                "stack": "app", "currency": "USD", "before": "30.50", "after": "153.96", "difference": "123.46",
                "resources": [
                    {"name": "aws_instance.web", "before": "10.00", "after": "133.46", "difference": "123.46"},
                    {"name": "aws_lb.front", "before": "0.00", "after": "0.01", "difference": "0.01"},
                ],
            })
        );
        assert_eq!(ran.json("the costs/app/target.json"), json!({"stack": "app", "environment": "prod"}));
    }
    let ran = costs(&after, &before).run().exits(0).shows("### Monthly cost of `app`: -123.46 USD");
    assert_eq!(cost(&ran)["resources"][0]["difference"], "-123.46");
}

#[test]
fn the_limit_is_compared_in_cents() {
    for (before, after, limit, code) in [
        ("0", "100", "100", 0),
        ("0", "100.004", "100", 0),
        ("0", "100.005", "100", 1),
        ("0.1", "100.11", "100", 1),
        ("0.30", "100.3", "100", 0),
        ("5", "5.01", "0", 1),
        ("5", "5", "0", 0),
        ("5", "4", "0", 0),
        ("200", "1", "0100", 0),
        ("0", "0.09", "08", 0),
        ("0", "999999999999.99", "999999999", 1),
        ("-3.999", "96", "100", 0),
        ("-4.005", "96", "100", 1),
    ] {
        let ran = costs(&total(before), &total(after)).env("MAX_MONTHLY_INCREASE", limit).run().exits(code);
        assert_eq!(cost(&ran)["stack"], "app");
        if code == 1 {
            let ran = ran.says("::error::the cost of app grows by").shows("### ❌ Monthly cost");
            ran.shows(&format!("**More than the {limit} USD a month"));
        } else {
            ran.never_says("❌");
        }
    }
    // Numbers, which a later format may hold, and nothing at all.
    let ran = costs(&report(&json!(12.345), &[]), &report(&Value::Null, &[])).run().exits(0);
    assert_eq!(cost(&ran)["difference"], "-12.35");
}

#[test]
fn without_a_key_there_is_only_a_notice() {
    for script in [
        costs(&total("1"), &total("900")).without("INFRACOST_API_KEY"),
        costs(&total("1"), &total("900")).env("INFRACOST_API_KEY", ""),
    ] {
        let ran = script.env("MAX_MONTHLY_INCREASE", "1").run().shows("The limit was not checked.");
        assert!(!script_ran(&ran), "Infracost was called");
        is_unknown(ran, "the key is missing (a fork, or not set)");
    }
}

fn script_ran(ran: &Ran) -> bool {
    ran.directory.join("../state/arguments").exists()
}

#[test]
fn a_failing_infracost_says_nothing_about_the_change() {
    let dear = total("900");
    let limited = |script: Script| script.env("MAX_MONTHLY_INCREASE", "1");
    let failing = costs(&total("1"), &dear).committed("the stack/CODE", "1");
    let failing = failing.committed("the stack/WARN", "::error::taken over");
    is_unknown(limited(failing).run(), "Infracost failed for commit");
    let slow = costs(&total("1"), &dear).committed("the stack/SLEEP", "").env("TIMEOUT_SECONDS", "1");
    is_unknown(limited(slow).run(), "Infracost took longer than 1 seconds");
    let error = json!([{"code": 102, "message": "no modules", "data": null, "isError": true}]);
    let mut reports = vec![json!([]), json!(null), json!("no price")];
    for (key, value) in [
        ("currency", json!("dollars")),
        ("projects", json!([])),
        ("projects", json!([{"metadata": {}}])),
        ("totalMonthlyCost", json!("a lot")),
        ("totalMonthlyCost", json!("1e3")),
        ("totalMonthlyCost", json!("1\n2")),
        ("totalMonthlyCost", json!("1234567890123")),
        ("totalMonthlyCost", json!({})),
    ] {
        let mut report = dear.clone();
        report[key] = value;
        reports.push(report);
    }
    let mut nameless = dear.clone();
    nameless["projects"][0]["breakdown"] = json!({"resources": [{"name": 1, "monthlyCost": "1"}]});
    reports.push(nameless);
    for (key, value) in [("errors", error), ("errors", json!({}))] {
        let mut report = dear.clone();
        report["projects"][0]["metadata"][key] = value;
        reports.push(report);
    }
    let texts: Vec<String> = reports.iter().map(ToString::to_string).collect();
    for text in texts.iter().map(String::as_str).chain(["", "{", "{}", "{} {}"]) {
        let script = settings().committed("the stack/main.tf", text);
        is_unknown(limited(script).run(), "Infracost has no complete estimate of commit");
    }
    let no_tool = settings().committed("the stack/main.tf", "").tool("infracost", "exit 127");
    is_unknown(no_tool.run(), "Infracost failed for commit");
}

#[test]
fn without_a_base_there_is_a_total() {
    let limit = |script: Script| script.env("MAX_MONTHLY_INCREASE", "1");
    let script = limit(settings().committed("the stack/main.tf", &total("900").to_string()));
    let ran = script
        .run()
        .exits(0)
        .says("::notice::the cost of app is not compared: the commit to compare with, HEAD^,");
    let ran = ran.shows("### Monthly cost of `app`: 900.00 USD").shows("The limit was not checked.");
    assert_eq!(
        cost(&ran),
        json!({"stack": "app", "currency": "USD", "before": null, "after": "900.00", "difference": null, "resources": []})
    );
    script.env("BASE", "").run().exits(0).shows("Not compared. The limit").never_says("::notice::");
    // What Infracost cannot price, and another currency, are no base either.
    let mut euros = total("1");
    euros["currency"] = json!("EUR");
    for (base, why) in [
        (json!({}), "Infracost has no complete estimate of commit"),
        (euros, "the two estimates are in different currencies"),
    ] {
        let ran = limit(costs(&base, &total("900"))).run().exits(0).says("::notice::").says(why).shows(why);
        assert_eq!(cost(&ran)["difference"], Value::Null);
    }
}

#[test]
fn everything_in_a_new_stack_is_new() {
    let script = settings()
        .committed("the stack/README.md", "a plan for a stack")
        .committed("the stack/main.tf", &total("7.5").to_string());
    let ran = script.run().exits(0).shows("| 0.00 | 7.50 | +7.50 |");
    assert_eq!(cost(&ran)["resources"][0]["before"], "0.00");
    script.env("MAX_MONTHLY_INCREASE", "7").run().exits(1);
}

#[test]
fn a_stack_may_be_the_whole_repository_or_below_where_the_script_runs() {
    let script = settings()
        .committed("main.tf", &total("1").to_string())
        .committed("main.tf", &total("3").to_string())
        .env("STACK_DIRECTORY", ".");
    script.run().exits(0).shows("| 1.00 | 3.00 | +2.00 |");
}

/// A change that brings its own settings gets neither the key nor cheaper prices.
#[test]
fn nothing_of_the_change_is_run_or_taken_for_settings() {
    let script = costs(&total("1"), &total("2"))
        .committed(".env", "INFRACOST_PRICING_API_ENDPOINT=https://evil.example")
        .committed("the stack/.env", "INFRACOST_PRICING_API_ENDPOINT=https://evil.example")
        .committed("the stack/.infracost/pricing.gob", "free")
        .committed(".gitattributes", "main.tf export-ignore\n*.tf filter=evil\n")
        .file("home/.gitconfig", "[filter \"evil\"]\n\tsmudge = touch pwned; cat\n\trequired = true\n");
    let home = script.directory().join("home");
    let hook = ".git/hooks/post-index-change";
    let script = script
        .env("HOME", home)
        .file(hook, "#!/bin/sh\ntouch pwned\n")
        .prepare("chmod", &["+x", hook])
        // Another command that the script calls.
        .tool("realpath", "env >>\"$STATE/others\"\nexec /usr/bin/realpath \"$@\"")
        .env("BASE", "HEAD~5");
    let ran = script.run().exits(0).shows("| 1.00 | 2.00 | +1.00 |");
    let note = |name: &str| fs::read_to_string(script.state().join(name)).unwrap();
    for line in note("where").lines() {
        assert!(line.contains("cost-report.") && line.ends_with("/empty"), "{line}");
    }
    assert!(!note("tree").contains(".infracost"), "{}", note("tree"));
    assert_eq!(
        note("environment"),
        "INFRACOST_API_KEY=ico-hush-hush\nINFRACOST_ENABLE_CLOUD=false\nINFRACOST_SKIP_UPDATE_CHECK=true\n"
    );
    assert!(!note("arguments").contains("hush-hush"));
    assert!(note("others").contains("STACK=app") && !note("others").contains("hush-hush"));
    assert!(!ran.directory.join("the stack/pwned").exists());
    let status = std::process::Command::new("git")
        .args(["status", "--porcelain", "the stack"])
        .current_dir(&ran.directory)
        .output()
        .unwrap();
    assert!(status.stdout.is_empty(), "the checkout is as it was");
}

#[test]
fn values_travel_in_files() {
    let script = costs(&total("1"), &total("2"))
        .committed("the stack/envs/a, \"b\".tfvars", "")
        .committed("common.tfvars", "")
        .env("VAR_FILES", r#"["envs/a, \"b\".tfvars", "../common.tfvars", "missing.tfvars"]"#)
        .env(
            "VARIABLES",
            json!({
                "size": {"variable": "SIZE"}, "zones": {"variable": "ZONES", "as": "list"}, "unset": {"variable": "UNSET"},
                "password": {"secret": "PASSWORD"}, "mails": {"secret": "MAILS", "as": "list"},
                "tags": {"secret": 1}, "text": "$(touch pwned)\n",
            })
            .to_string(),
        )
        .env("VARIABLE_SIZE", "t3.large")
        .env("VARIABLE_ZONES", " a ,, b ");
    script.run().exits(0);
    let note = |name: &str| fs::read_to_string(script.state().join(name)).unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&note("values")).unwrap(),
        json!({"size": "t3.large", "zones": ["a", "b"], "tags": {"secret": 1}, "text": "$(touch pwned)\n"})
    );
    // A list is read as CSV; the last word is that of the values.
    let files = "--terraform-var-file\n\"envs/a, \"\"b\"\".tfvars\"\n--terraform-var-file\n\"../common.tfvars\"\n\
                 --terraform-var-file\n../../0.tfvars.json\n";
    assert!(note("arguments").contains(files), "{}", note("arguments"));
    assert!(!note("arguments").contains("missing.tfvars"));
}

#[test]
fn values_that_are_missing_are_mentioned() {
    let mut after = total("2");
    after["projects"][0]["metadata"]["errors"] =
        json!([{"code": 105, "message": "Missing Terraform vars", "data": ["size"]}]);
    costs(&total("1"), &after).run().exits(0).shows("Infracost lacks some values");
    costs(&total("1"), &total("2")).run().exits(0).never_says("lacks some values");
}

#[test]
fn many_changes_are_cut_to_those_that_matter() {
    let names: Vec<String> = (0..500).map(|index| format!("aws_instance.web[{index}]")).collect();
    let resources: Vec<_> =
        names.iter().enumerate().map(|(index, name)| (name.as_str(), json!(format!("{index}.5")))).collect();
    let ran = costs(&report(&json!("0"), &[]), &report(&json!("125000"), &resources)).run().exits(0);
    let rows = cost(&ran)["resources"].as_array().unwrap().clone();
    assert_eq!(rows.len(), 20);
    assert_eq!((&rows[0]["name"], &rows[19]["name"]), (&json!(names[499]), &json!(names[480])));
    // The same name in two projects is one resource.
    let mut twice = total("8");
    let project = twice["projects"][0].clone();
    twice["projects"] = json!([project, project]);
    let ran = costs(&total("8"), &twice).run().exits(0);
    assert_eq!(cost(&ran)["resources"][0]["after"], "16.00");
}

#[test]
fn hostile_names_and_logs_stay_inert() {
    let resources: Vec<_> =
        HOSTILE.iter().enumerate().map(|(index, name)| (*name, json!(index + 1))).collect();
    for part in resources.chunks(15) {
        let script = costs(&total("1"), &report(&json!("5"), part));
        let ran =
            script.committed("the stack/WARN", &HOSTILE.join("\n")).env("BASE", "HEAD~2").run().exits(0);
        assert_inert(&ran.summary, &[]);
        assert_eq!(cost(&ran)["resources"].as_array().unwrap().len(), part.len() + 1);
    }
}

#[test]
fn refuses_incomplete_or_hostile_settings() {
    let script = costs(&total("1"), &total("2"));
    for key in ["STACK_DIRECTORY", "STACK", "COST_DIR"] {
        script.clone().without(key).run().exits(2).says("::error::");
    }
    for directory in ["missing", "../work", "the stack/../the stack", "/tmp"] {
        script.clone().env("STACK_DIRECTORY", directory).run().exits(2);
    }
    for hostile in HOSTILE {
        for key in ["STACK", "ENVIRONMENT", "MAX_MONTHLY_INCREASE", "TIMEOUT_SECONDS", "STACK_DIRECTORY"] {
            script.clone().env(key, hostile).run().exits(2).says("::error::");
        }
        for key in ["VAR_FILES", "VARIABLES", "BASE"] {
            let ran = script.clone().env(key, hostile).run();
            assert!(ran.code == 2 && ran.log.contains("::error::"), "{key} {hostile:?}: {}", ran.log);
        }
    }
    for limit in ["-1", "1.5", "12345678901"] {
        script.clone().env("MAX_MONTHLY_INCREASE", limit).run().exits(2);
    }
    script.clone().env("VAR_FILES", r#"["a\nb"]"#).run().exits(2);
    script.clone().env("VARIABLES", "[]").run().exits(2);
    let elsewhere = Script::new("cost-report.sh").env("INFRACOST_API_KEY", "k").env("STACK", "app");
    let elsewhere = elsewhere.env("COST_DIR", "the costs/app").env("STACK_DIRECTORY", ".");
    elsewhere.run().exits(2).says("infracost is not installed");
    is_unknown(elsewhere.tool("infracost", STAND_IN).run(), "this is not a git repository");
    is_unknown(settings().env("STACK_DIRECTORY", ".").run(), "the repository has no commit");
}
