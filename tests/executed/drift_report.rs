use std::fs;
use std::path::{Path, PathBuf};

use super::script::{HOSTILE, Ran, Script, assert_inert};
use serde_json::{Value, json};

/// GitHub's issues and labels, in the files beside `$ISSUES`. Where `$ISSUES.fail` holds the beginning of a request,
/// that one fails. Labels called `forbidden…` cannot be made.
pub(crate) const GH: &str = r#"
[[ $1 == api && $GH_TOKEN ]] || { echo "unexpected: $*" >&2; exit 9; }
shift
method=GET paginate= input=/dev/null path=
while (($#)); do
  case $1 in
    --method) method=$2; shift 2 ;;
    --paginate) paginate=yes; shift ;;
    --input) input=$2; shift 2 ;;
    *) path=$1; shift ;;
  esac
done
path=${path#repos/acme/pyfleet/}
printf '%s %s\n' "$method" "$path" >>"$ISSUES.requests"
if [[ -e $ISSUES.fail && "$method $path" == "$(cat "$ISSUES.fail")"* ]]; then
  printf 'gh: Server Error (HTTP 502)\n::error::taken over\n' >&2
  exit 1
fi
[[ -e $ISSUES ]] || echo '[]' >"$ISSUES"
[[ -e $ISSUES.labels ]] || echo '[]' >"$ISSUES.labels"
number=${path#issues/} number=${number%%/*}
case "$method $path" in
  'GET issues?state=all&labels=pyfleet-drift&per_page=100')
    # The newest first; without pages, the first page.
    jq -c --arg all "$paginate" '[reverse[] | select(any(.labels[]; .name == "pyfleet-drift"))]
      | if $all == "" then .[:100] elif . == [] then . else range(0; length; 100) as $at | .[$at:$at + 100] end' "$ISSUES" ;;
  'POST labels')
    if jq -e '.name | startswith("forbidden")' "$input" >/dev/null; then
      echo '{"message": "Resource not accessible by integration"}'
      echo 'gh: Resource not accessible by integration (HTTP 403)' >&2
      exit 1
    elif jq -e --slurpfile new "$input" 'index([$new[0].name])' "$ISSUES.labels" >/dev/null; then
      echo '{"message": "Validation Failed", "errors": [{"resource": "Label", "code": "already_exists", "field": "name"}]}'
      echo 'gh: Validation Failed (HTTP 422)' >&2
      exit 1
    fi
    jq --slurpfile new "$input" '. + [$new[0].name]' "$ISSUES.labels" >"$ISSUES.next" && mv "$ISSUES.next" "$ISSUES.labels" ;;
  'POST issues')
    jq --slurpfile new "$input" --slurpfile labels "$ISSUES.labels" '. + [$new[0] + {number: (length + 1), state: "open", comments: [],
      user: {login: "github-actions[bot]"}, labels: [$new[0].labels[] | select(IN($labels[0][])) | {name: .}]}]' "$ISSUES" >"$ISSUES.next" &&
      mv "$ISSUES.next" "$ISSUES"
    jq '.[-1]' "$ISSUES" ;;
  "POST issues/$number/comments")
    jq --slurpfile new "$input" --argjson number "$number" 'map(if .number == $number then .comments += [$new[0].body] else . end)' "$ISSUES" >"$ISSUES.next" &&
      mv "$ISSUES.next" "$ISSUES" ;;
  "POST issues/$number/assignees")
    # Somebody who is not there is left out without a word.
    jq --slurpfile new "$input" --argjson number "$number" 'map(if .number == $number
      then .assignees = [$new[0].assignees[] | select(. != "gone") | {login: ascii_downcase}] else . end)' "$ISSUES" >"$ISSUES.next" &&
      mv "$ISSUES.next" "$ISSUES"
    jq --argjson number "$number" '.[] | select(.number == $number)' "$ISSUES" ;;
  "PATCH issues/$number")
    jq --slurpfile new "$input" --argjson number "$number" 'map(if .number == $number then . + $new[0] else . end)' "$ISSUES" >"$ISSUES.next" &&
      mv "$ISSUES.next" "$ISSUES" ;;
  *) echo "unexpected: $method $path" >&2; exit 9 ;;
esac
"#;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn report() -> Script {
    let script = Script::new("drift-report.sh")
        .env("RESULTS_DIR", "the results")
        .env("EXPECTED", r#"[{"environment": "prod", "stack": "app", "branch": "main"}]"#)
        .env("ON_DRIFT", r#"["issue", "fail"]"#)
        .env("LABELS", r#"["drift", "on call"]"#)
        .env("DEFAULT_BRANCH", "main")
        .env("RUN_URL", "https://github.com/acme/pyfleet/actions/runs/7")
        .env("GITHUB_REF", "refs/heads/main")
        .env("GITHUB_REPOSITORY", "acme/pyfleet")
        .env("GH_TOKEN", "token");
    let issues = issues_of(&script);
    script.tool("gh", &format!("ISSUES='{}'\n{GH}", issues.display()))
}

fn issues_of(script: &Script) -> PathBuf {
    script.state().join("issues")
}

/// The issues that there are.
pub(crate) fn issues(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).map(|text| serde_json::from_str(&text).unwrap()).unwrap_or_default()
}

/// The requests that change something, since this was last asked.
fn writes(script: &Script) -> Vec<String> {
    let path = issues_of(script).with_extension("requests");
    let text = fs::read_to_string(&path).unwrap_or_default();
    let _ = fs::remove_file(path);
    text.lines().filter(|line| !line.starts_with("GET ")).map(str::to_owned).collect()
}

fn result(class: &str, address: &str) -> Value {
    let fingerprint = if class == "drift" || class == "pending" { sum(address) } else { String::new() };
    let changes =
        if fingerprint.is_empty() { json!([]) } else { json!([{"address": address, "action": "update"}]) };
    json!({
        "environment": "prod", "stack": "app", "class": class, "fingerprint": fingerprint, "drifted": changes,
        "changes": changes, "message": format!("it is {class}"), "commit": COMMIT,
    })
}

/// Something of the form of a fingerprint, another one for another text.
fn sum(text: &str) -> String {
    let sum = text.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    format!("{sum:064x}")
}

fn found(script: Script, class: &str, address: &str) -> Script {
    script.file("the results/drift_prod_app/result.json", result(class, address).to_string())
}

/// An issue as an earlier run has left it.
fn earlier(number: u64, state: &str, environment: &str, stack: &str, fingerprint: &str) -> Value {
    let body = format!(
        "<!-- pyfleet:drift env={environment} stack={stack} -->\r\n<!-- pyfleet:fingerprint {fingerprint} -->\r\ntext"
    );
    json!({
        "number": number, "state": state, "title": "renamed", "body": body, "comments": [],
        "user": {"login": "github-actions[bot]"}, "labels": [{"name": "pyfleet-drift"}],
    })
}

fn with(script: &Script, issues: &[Value]) {
    fs::create_dir_all(script.state()).unwrap();
    fs::write(issues_of(script), json!(issues).to_string()).unwrap();
}

#[test]
fn one_issue_follows_a_stack_from_drift_to_repair_and_back() {
    let script = report();
    let path = issues_of(&script);
    let ran = found(script.clone(), "drift", "terraform_data.one").run().exits(1);
    let ran = ran.says("::error::prod/app: drift: it is drift").says("open the issue of prod/app");
    let ran = ran.shows("| `prod` | `app` | ⚠️ drift | `it is drift` |");
    assert_inert(&ran.summary, &[]);
    assert_eq!(writes(&script), ["POST labels", "POST labels", "POST labels", "POST issues"]);
    let issue = &issues(&path)[0];
    assert_eq!(issue["title"], "Drift: app in prod");
    let labels: Vec<&Value> =
        issue["labels"].as_array().unwrap().iter().map(|label| &label["name"]).collect();
    assert_eq!(labels, ["pyfleet-drift", "drift", "on call"]);
    let body = issue["body"].as_str().unwrap();
    assert!(
        body.starts_with("<!-- pyfleet:drift env=prod stack=app -->\n<!-- pyfleet:fingerprint "),
        "{body}"
    );
    assert!(body.contains("- update: `terraform_data.one`") && body.contains("`0123456789ab`"), "{body}");

    // The same again: the run is red, and nobody is written to. A new title changes nothing.
    let mut renamed = issues(&path);
    renamed[0]["title"] = json!("We know");
    with(&script, &renamed);
    script.run().exits(1);
    assert!(writes(&script).is_empty());

    // Something else: said once, and the issue says what holds now.
    found(script.clone(), "drift", "terraform_data.two").run().exits(1).says("update the issue");
    assert_eq!(writes(&script), ["POST issues/1/comments", "PATCH issues/1"]);
    script.run().exits(1);
    assert!(writes(&script).is_empty());
    let issue = &issues(&path)[0];
    assert!(issue["body"].as_str().unwrap().contains("- update: `terraform_data.two`"));
    assert!(issue["comments"][0].as_str().unwrap().starts_with("Something else has drifted."));
    assert_eq!(issue["title"], "We know");

    // Changes that wait for an apply, a lock, a missing backend and an error prove nothing about it.
    for (class, code) in [("pending", 0), ("locked", 0), ("no-backend", 0), ("error", 1)] {
        found(script.clone(), class, "").run().exits(code);
        assert!(writes(&script).is_empty(), "{class}");
    }

    found(script.clone(), "clean", "").run().exits(0).says("close the issue of prod/app");
    assert_eq!(writes(&script), ["POST issues/1/comments", "PATCH issues/1"]);
    let issue = &issues(&path)[0];
    assert_eq!((&issue["state"], &issue["state_reason"]), (&json!("closed"), &json!("completed")));
    script.run().exits(0);
    assert!(writes(&script).is_empty());

    // The same drift as before is the same issue, opened again.
    found(script.clone(), "drift", "terraform_data.two").run().exits(1).says("reopen the issue");
    assert_eq!(writes(&script), ["PATCH issues/1", "POST issues/1/comments"]);
    found(script.clone(), "outputs-only", "").run().exits(0);
    assert_eq!(issues(&path).len(), 1);
    assert_eq!(issues(&path)[0]["state"], "closed");
}

#[test]
fn an_error_has_an_issue_that_the_next_look_closes_or_makes_one_of_drift() {
    for (next, code, says) in [
        ("clean", 0, "close"),
        ("outputs-only", 0, "close"),
        ("pending", 0, "close"),
        ("no-backend", 0, "close"),
        ("drift", 1, "update"),
    ] {
        let script = report();
        // Its job died: there is nothing at all.
        script.run().exits(1).says("::error::prod/app: error: its job left no result").says("open the issue");
        let path = issues_of(&script);
        let body = issues(&path)[0]["body"].as_str().unwrap().to_owned();
        assert!(
            body.contains("could not be looked at") && body.contains("<!-- pyfleet:fingerprint error -->"),
            "{body}"
        );
        writes(&script);
        script.run().exits(1);
        found(script.clone(), "locked", "").run().exits(0).says("::warning::prod/app: locked");
        assert!(writes(&script).is_empty());
        found(script.clone(), next, "terraform_data.one")
            .run()
            .exits(code)
            .says(&format!("{says} the issue"));
        assert_eq!(writes(&script).len(), 2);
        let issue = &issues(&path)[0];
        assert_eq!(issue["state"], if next == "drift" { "open" } else { "closed" });
    }
}

#[test]
fn what_is_green_says_why() {
    for (class, says) in [
        ("clean", "prod/app: clean"),
        ("outputs-only", "prod/app: outputs-only"),
        ("pending", "::warning::prod/app: pending"),
        ("locked", "::warning::prod/app: locked"),
        ("no-backend", "::notice::prod/app: no-backend"),
    ] {
        let script = found(report(), class, "terraform_data.one");
        script.run().exits(0).says(says);
        assert!(writes(&script).is_empty(), "{class} opens nothing");
    }
    // Where drift does not fail, and where it opens nothing.
    let script = found(report(), "drift", "terraform_data.one").env("ON_DRIFT", r#"["issue"]"#);
    script.run().exits(0).says("::warning::prod/app: drift");
    assert_eq!(issues(&issues_of(&script)).len(), 1);
    let script =
        found(report(), "drift", "terraform_data.one").env("ON_DRIFT", r#"["fail"]"#).without("GH_TOKEN");
    script.run().exits(1);
    assert!(!issues_of(&script).with_extension("requests").exists());
    let script = found(report(), "error", "").env("ON_DRIFT", "[]");
    script.run().exits(1);
}

#[test]
fn its_own_issue_is_found_by_author_label_and_marker_on_whatever_page_it_is() {
    let mut all: Vec<Value> =
        (1..=250).map(|number| earlier(number, "closed", "dev", "web", &sum("x"))).collect();
    // The oldest comes last in what GitHub answers.
    all[0] = earlier(1, "open", "prod", "app", &sum("terraform_data.one"));
    all[1]["body"] = json!("quoted <!-- pyfleet:drift env=prod stack=app -->");
    all[2] = earlier(3, "open", "prod", "app", &sum("x"));
    all[2]["user"] = json!({"login": "mallory"});
    all[3] = earlier(4, "open", "prod", "app", &sum("x"));
    all[3]["pull_request"] = json!({});
    all[4]["body"] = Value::Null;
    all[5] = earlier(6, "open", "prod", "app", &sum("x"));
    all[5]["labels"] = json!([]);
    all[6] = earlier(7, "closed", "prod", "app", &sum("x"));
    let script = report();
    with(&script, &all);
    found(script.clone(), "drift", "terraform_data.one").run().exits(1);
    assert!(writes(&script).is_empty(), "the first is it");
    // Of closed ones, the newest is opened again.
    all[0]["state"] = json!("closed");
    with(&script, &all);
    found(script.clone(), "drift", "terraform_data.one").run().exits(1);
    assert_eq!(writes(&script), ["PATCH issues/7", "POST issues/7/comments"]);
}

#[test]
fn what_is_not_there_any_more_is_closed_with_a_warning_by_those_who_know() {
    let gone = [earlier(1, "open", "prod", "old", &sum("x")), earlier(2, "open", "old", "app", "error")];
    // Another branch may know less.
    let script = found(report(), "clean", "").env("GITHUB_REF", "refs/heads/other");
    with(&script, &gone);
    script.run().exits(0);
    assert!(writes(&script).is_empty());
    let script = found(report(), "clean", "");
    with(&script, &gone);
    script.run().exits(0).says("close the issue of prod/old").says("close the issue of old/app");
    let issues = issues(&issues_of(&script));
    assert_eq!(issues[0]["state_reason"], "not_planned");
    assert!(issues[0]["comments"][0].as_str().unwrap().contains("What it made may still be there"));
}

#[test]
fn a_branch_is_asked_for_its_own_environments_only() {
    let expected = json!([
        {"environment": "prod", "stack": "app", "branch": "main"},
        {"environment": "live", "stack": "app", "branch": "release"},
    ]);
    let script = found(report(), "clean", "").env("EXPECTED", expected.to_string());
    with(&script, &[earlier(1, "open", "live", "app", &sum("x"))]);
    script.run().exits(0).says("::notice::live/app: elsewhere");
    assert!(writes(&script).is_empty());
    let release = script.env("GITHUB_REF", "refs/heads/release");
    release.run().exits(1).says("::error::live/app: error: its job left no result");
}

#[test]
fn labels_that_cannot_be_made_are_left_out() {
    let script = found(report(), "drift", "a.b").env("LABELS", r#"["forbidden @octocat", "drift", "drift"]"#);
    script.run().exits(1).says("::notice::a label does not exist and cannot be made").says("open the issue");
    let labels = issues(&issues_of(&script))[0]["labels"].clone();
    assert_eq!(labels, json!([{"name": "pyfleet-drift"}, {"name": "drift"}]));

    // Without the one by which it is found, the next run would open another.
    let script = found(report(), "drift", "a.b");
    fs::create_dir_all(script.state()).unwrap();
    fs::write(issues_of(&script).with_extension("fail"), "POST labels").unwrap();
    script.run().exits(3).says("has no label pyfleet-drift");
}

#[test]
fn a_new_issue_is_assigned_and_no_assignee_keeps_it_from_being_opened() {
    let script = found(report(), "drift", "a.b").env("ASSIGNEES", r#"["Octocat", "hubot"]"#);
    let ran = script.run().exits(1).says("open the issue of prod/app");
    assert!(!ran.log.contains("is not assigned"), "{}", ran.log);
    assert_eq!(
        issues(&issues_of(&script))[0]["assignees"],
        json!([{"login": "octocat"}, {"login": "hubot"}])
    );
    assert_eq!(writes(&script)[3..], ["POST issues", "POST issues/1/assignees"]);
    // What somebody has made of it since stays.
    script.run().exits(1);
    assert!(writes(&script).is_empty());

    let script = found(report(), "drift", "a.b").env("ASSIGNEES", r#"["gone"]"#);
    script.run().exits(1).says("::notice::the new issue of prod/app is not assigned to everybody");
    assert_eq!(issues(&issues_of(&script)).len(), 1);

    let script = found(report(), "drift", "a.b").env("ASSIGNEES", r#"["octocat"]"#);
    fs::create_dir_all(script.state()).unwrap();
    fs::write(issues_of(&script).with_extension("fail"), "POST issues/1/assignees").unwrap();
    script.run().exits(1).says("::notice::the new issue of prod/app is not assigned to everybody");
}

#[test]
fn hostile_text_does_nothing_in_an_issue() {
    let mut script = report();
    let mut expected = Vec::new();
    for (number, hostile) in HOSTILE.iter().enumerate() {
        let stack = format!("s{number}");
        let mut result = result("drift", "x");
        for list in ["drifted", "changes"] {
            result[list] = json!([{"address": hostile, "action": "delete"}]);
        }
        result["message"] = json!(hostile);
        result["stack"] = json!(stack);
        script = script.file(format!("the results/{stack}/result.json"), result.to_string());
        expected.push(json!({"environment": "prod", "stack": stack, "branch": "main"}));
    }
    let script = script.env("EXPECTED", json!(expected).to_string());
    let ran = script.run().exits(1);
    assert_inert(&ran.summary, &[]);
    for (number, issue) in issues(&issues_of(&script)).iter().enumerate() {
        let own = [
            format!("<!-- pyfleet:drift env=prod stack=s{number} -->"),
            format!("<!-- pyfleet:fingerprint {} -->", sum("x")),
            "](https://github.com/acme/pyfleet/actions/runs/7)".to_owned(),
        ];
        assert_inert(issue["body"].as_str().unwrap(), &own.each_ref().map(String::as_str));
    }
    // They are found again, whatever stands in them.
    assert_eq!(issues(&issues_of(&script)).len(), HOSTILE.len());
    writes(&script);
    script.run().exits(1);
    assert!(writes(&script).is_empty());
}

#[test]
fn an_issue_is_at_most_60000_bytes() {
    let script = report();
    let mut result = result("drift", "x");
    for list in ["drifted", "changes"] {
        let many = (0..5000)
            .map(|number| json!({"address": format!("{}{number}", "🚀`".repeat(400)), "action": "update"}));
        result[list] = many.collect();
    }
    let script = script.file("the results/a/result.json", result.to_string());
    script.run().exits(1).says("refused");
    for list in ["drifted", "changes"] {
        result[list] = json!(result[list].as_array().unwrap()[..300]);
    }
    let script = script.file("the results/a/result.json", result.to_string());
    script.run().exits(1);
    let all = issues(&issues_of(&script));
    let body = all.last().unwrap()["body"].as_str().unwrap();
    assert!(body.len() > 40_000 && body.len() <= 60_000, "{}", body.len());
    assert!(body.contains(" more\n"), "it says that something is left out");
}

#[test]
fn a_result_that_is_none_is_an_error() {
    let broken = |change: fn(&mut Value)| {
        let mut result = result("drift", "x");
        change(&mut result);
        result.to_string()
    };
    for text in [
        String::new(),
        "{}".to_owned(),
        "[]".to_owned(),
        "{\"a\":".to_owned(),
        broken(|result| result["class"] = json!("fine")),
        broken(|result| result["fingerprint"] = json!("")),
        broken(|result| result["fingerprint"] = json!("$(touch pwned)")),
        broken(|result| result["environment"] = json!("../prod")),
        broken(|result| result["changes"] = json!([{"address": "a.b", "action": "::error::taken over"}])),
        broken(|result| result["message"] = json!("x".repeat(1001))),
        broken(|result| result["commit"] = json!("main")),
        format!("{}{}", result("clean", ""), result("clean", "")),
    ] {
        let script = report().file("the results/a/result.json", &text);
        script.run().exits(1).says("a result is refused").says("prod/app: error: its job left no result");
    }
    // Two, and one of something that is not there.
    let script =
        found(report(), "clean", "").file("the results/b/result.json", result("clean", "").to_string());
    script.run().exits(1).says("there are two results of it");
    let mut stray = result("clean", "");
    stray["stack"] = json!("other");
    let script = found(report(), "clean", "").file("the results/b/result.json", stray.to_string());
    script.run().exits(1).says("of what is not expected");
}

#[test]
fn the_verdict_is_said_although_the_api_fails() {
    for (fails, before) in [
        ("GET issues", None),
        ("POST issues", None),
        ("PATCH issues/1", Some("closed")),
        ("POST issues/1/comments", Some("open")),
    ] {
        let script = found(report(), "drift", "a.b");
        fs::create_dir_all(script.state()).unwrap();
        if let Some(state) = before {
            with(&script, &[earlier(1, state, "prod", "app", &sum("x"))]);
        }
        fs::write(issues_of(&script).with_extension("fail"), fails).unwrap();
        let ran: Ran = script.run().exits(3);
        ran.says("::error::GitHub's API failed, and the issues are not what they should be: gh: Server Error (HTTP 502)%0A::error::taken over")
            .says("::error::prod/app: drift")
            .shows("⚠️ drift");
    }
    let script = found(report(), "clean", "").tool("gh", "echo '{\"message\": \"moved\"}'");
    script.run().exits(3).says("did not answer with a list of issues");
}

#[test]
fn refuses_what_it_cannot_place() {
    for (key, value) in [
        ("RESULTS_DIR", ""),
        ("EXPECTED", ""),
        ("EXPECTED", "[]"),
        ("EXPECTED", r#"[{"environment": "prod", "stack": "$(x)", "branch": "main"}]"#),
        ("EXPECTED", r#"[{"environment": "prod", "stack": "app"}]"#),
        ("ON_DRIFT", ""),
        ("ON_DRIFT", r#"["panic"]"#),
        ("LABELS", r#"[""]"#),
        ("LABELS", "{}"),
        ("ASSIGNEES", r#"["@octocat"]"#),
        ("DEFAULT_BRANCH", ""),
        ("GITHUB_REF", "main"),
        ("RUN_URL", "http://example.com"),
        ("GH_TOKEN", ""),
        ("GITHUB_REPOSITORY", "acme/pyfleet/x"),
    ] {
        let script = found(report(), "clean", "").env(key, value);
        script.run().exits(2);
        assert!(!issues_of(&script).with_extension("requests").exists(), "{key}");
    }
}
