use std::fs;

use super::script::{HOSTILE, Script};
use serde_json::{Value, json};

/// GitHub's comments, 30 to a page. `fail-METHOD` holds what a method answers instead.
const GH: &str = r#"
[[ $1 == api && $GH_TOKEN == token ]] || { echo "unexpected: $*" >&2; exit 9; }
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
printf '%s %s\n' "$method" "$path" >>"$STATE/requests"
if [[ -e $STATE/fail-$method ]]; then cat "$STATE/fail-$method" >&2; exit 1; fi
case "$method $path" in
  'GET repos/octo/app/issues/7/comments?per_page=100')
    if [[ $paginate ]]; then jq -c 'if . == [] then . else range(0; length; 30) as $at | .[$at:$at + 30] end' "$STATE/comments"
    else jq -c '.[:30]' "$STATE/comments"; fi ;;
  'POST repos/octo/app/issues/7/comments')
    jq --slurpfile new "$input" '. + [{id: (1000 + length), user: {login: "github-actions[bot]"}, body: $new[0].body}]' "$STATE/comments" >"$STATE/next" ;;
  'PATCH repos/octo/app/issues/comments/'*)
    jq --slurpfile new "$input" --arg id "${path##*/}" 'map(if "\(.id)" == $id then .body = $new[0].body else . end)' "$STATE/comments" >"$STATE/next" ;;
  *) echo "unexpected: $method $path" >&2; exit 9 ;;
esac
[[ ! -e $STATE/next ]] || mv "$STATE/next" "$STATE/comments"
"#;

const MARKER: &str = "<!-- pyfleet:tests -->";

fn post(existing: &Value) -> Script {
    let script = Script::new("post-comments.sh")
        .tool("gh", GH)
        .env("GH_TOKEN", "token")
        .env("GITHUB_REPOSITORY", "octo/app")
        .env("PULL_REQUEST", "7")
        .env("COMMENTS_DIR", "the comments")
        .file("the comments/tests.md", format!("{MARKER}\nnumbers\n"));
    fs::write(script.state().join("comments"), existing.to_string()).unwrap();
    script
}

fn comments(script: &Script) -> Vec<Value> {
    serde_json::from_slice(&fs::read(script.state().join("comments")).unwrap()).unwrap()
}

fn requests(script: &Script) -> Vec<String> {
    let text = fs::read_to_string(script.state().join("requests")).unwrap_or_default();
    text.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

fn by(login: &str, id: u64, body: &str) -> Value {
    json!({"id": id, "user": {"login": login}, "body": body})
}

#[test]
fn posts_once_and_then_leaves_it_alone() {
    let script = post(&json!([]));
    script.run().exits(0).says(&format!("posted {MARKER}"));
    assert_eq!(comments(&script)[0]["body"], format!("{MARKER}\nnumbers\n"));
    script.run().exits(0).says(&format!("unchanged {MARKER}"));
    assert_eq!(requests(&script), ["GET", "POST", "GET"]);
}

#[test]
fn updates_its_own_comment_on_whatever_page_it_is() {
    let mut existing: Vec<_> = (0..75).map(|id| by("someone", id, "chatter")).collect();
    existing.push(by("someone", 75, &format!("{MARKER}\nforged")));
    existing.push(by("github-actions[bot]", 76, &format!("quoted {MARKER}\nother")));
    existing.push(by("github-actions[bot]", 77, "<!-- pyfleet:tests --> and more\nother"));
    existing.push(by("github-actions[bot]", 78, &format!("{MARKER}\r\nold")));
    existing.push(json!({"id": 79, "user": null, "body": null}));
    let script = post(&json!(existing));
    script.run().exits(0).says(&format!("updated {MARKER}"));
    let after = comments(&script);
    assert_eq!(after.len(), existing.len());
    assert_eq!(after[78]["body"], format!("{MARKER}\nnumbers\n"));
    assert_eq!(after[..78], existing[..78]);
}

#[test]
fn a_comment_that_github_stored_with_other_line_ends_is_the_same() {
    let script = post(&json!([by("github-actions[bot]", 1, &format!("{MARKER}\r\nnumbers"))]));
    script.run().exits(0).says("unchanged");
}

#[test]
fn posts_every_comment_whatever_it_holds() {
    let huge = format!("<!-- pyfleet:plan env=dev stack=app -->\n{}\n", "🚀".repeat(30_000));
    let script = post(&json!([]))
        .file("the comments/plan.dev.app.md", &huge)
        .file("the comments/notes.txt", "not one");
    script.run().exits(0);
    assert_eq!(comments(&script).len(), 2);
    assert_eq!(comments(&script)[0]["body"], huge);
    for hostile in HOSTILE {
        let body = format!("{MARKER}\n{hostile}\n");
        let script = post(&json!([])).file("the comments/tests.md", &body);
        script.run().exits(0);
        assert_eq!(comments(&script)[0]["body"], body);
    }
    let script = post(&json!([])).file(
        "the comments/tests.md",
        format!("{MARKER}\n").into_bytes().into_iter().chain([0xff, 0xfe]).collect::<Vec<_>>(),
    );
    script.run().exits(0);
}

#[test]
fn a_token_that_may_only_read_is_a_notice() {
    for method in ["GET", "POST"] {
        let script = post(&json!([]));
        fs::write(
            script.state().join(format!("fail-{method}")),
            "gh: Resource not accessible by integration (HTTP 403)\n",
        )
        .unwrap();
        script.run().exits(0).says("::notice::the token may not write comments");
    }
}

#[test]
fn any_other_error_of_the_api_fails_and_is_quoted_on_one_line() {
    for method in ["GET", "POST", "PATCH"] {
        let existing =
            if method == "PATCH" { json!([by("github-actions[bot]", 1, MARKER)]) } else { json!([]) };
        let script = post(&existing);
        fs::write(
            script.state().join(format!("fail-{method}")),
            "gh: Server Error (HTTP 502)\n::error::taken over\n",
        )
        .unwrap();
        script
            .run()
            .exits(1)
            .says("::error::GitHub's API failed: gh: Server Error (HTTP 502)%0A::error::taken over");
    }
    let script = post(&json!({"message": "moved"}));
    script.run().exits(1);
}

#[test]
fn refuses_what_it_cannot_place() {
    for (key, value) in [
        ("GH_TOKEN", ""),
        ("GITHUB_REPOSITORY", "octo/app/x"),
        ("GITHUB_REPOSITORY", "octo/app?x"),
        ("PULL_REQUEST", ""),
        ("PULL_REQUEST", "0"),
        ("PULL_REQUEST", "7/../8"),
        ("COMMENTS_DIR", "missing"),
    ] {
        post(&json!([])).env(key, value).run().exits(2);
    }
    for first in [
        "",
        "no marker",
        "<!-- pyfleet:tests",
        "<!-- pyfleet:tests --> more",
        "<!-- pyfleet:$(touch pwned) -->",
    ] {
        let script = post(&json!([])).file("the comments/other.md", format!("{first}\ntext\n"));
        script.run().exits(2).says("does not begin with its marker");
        assert!(requests(&script).is_empty(), "nothing is posted");
    }
    let script = post(&json!([])).env("COMMENTS_DIR", "empty").file("empty/.keep", "");
    script.run().exits(0).says("there is no comment to post");
}
