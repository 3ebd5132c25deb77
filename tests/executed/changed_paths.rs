use super::script::{HOSTILE, Ran, Script, outside_code};
use serde_json::json;

/// A repository with one commit on main and the targets `api`, `web` and `all`.
fn repository() -> Script {
    Script::new("changed-paths.sh")
        .prepare("git", &["init", "--quiet", "--initial-branch=main"])
        .prepare("git", &["config", "user.email", "test@example.com"])
        .prepare("git", &["config", "user.name", "test"])
        .file("api/main.py", "1")
        .file("api2/main.py", "1")
        .file("web/main.py", "1")
        .file("Dockerfile", "1")
        .file("ci/shared.sh", "1")
        .commit("base")
        .env("EVENT_NAME", "pull_request")
        .env(
            "TARGETS",
            json!([{"name": "api", "paths": ["api/", "Dockerfile"]}, {"name": "web", "paths": ["./web"]}, {"name": "all", "paths": ["."]}])
                .to_string(),
        )
}

trait Git {
    fn commit(self, message: &str) -> Self;
    fn merged(self) -> Self;
    fn head(&self) -> String;
    fn changing(self, path: &str) -> Self;
}

impl Git for Script {
    fn commit(self, message: &str) -> Self {
        self.prepare("git", &["add", "--all"]).prepare("git", &["commit", "--quiet", "--message", message])
    }

    /// GitHub's merge commit of the branch `change` into main.
    fn merged(self) -> Self {
        self.prepare("git", &["checkout", "--quiet", "--detach", "main"])
            .prepare("git", &["merge", "--quiet", "--no-ff", "--message", "merge", "change"])
    }

    fn head(&self) -> String {
        let output = std::process::Command::new("git")
            .args(["rev-parse", "HEAD"])
            .current_dir(self.directory())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// A pull request that changes one file.
    fn changing(self, path: &str) -> Self {
        self.prepare("git", &["checkout", "--quiet", "-b", "change"])
            .file(path, "2")
            .commit("change")
            .merged()
    }
}

fn changed(ran: &Ran) -> &str {
    &ran.outputs["changed"]
}

#[test]
fn a_pull_request_is_compared_with_the_base_it_was_merged_into() {
    let script = repository();
    // The payload's base is out of date: main has moved on since.
    let stale = script.head();
    let script = script
        .prepare("git", &["checkout", "--quiet", "-b", "change"])
        .file("api/main.py", "2")
        .commit("change");
    let script = script
        .prepare("git", &["checkout", "--quiet", "main"])
        .file("web/main.py", "2")
        .commit("main")
        .merged();
    script
        .env("BASE_SHA", stale)
        .run()
        .exits(0)
        .outputs("changed", r#"["all","api"]"#)
        .shows("Changed targets: 2 of 3");
}

#[test]
fn a_directory_covers_what_is_beneath_it_and_nothing_beside_it() {
    repository().changing("api2/main.py").run().exits(0).outputs("changed", r#"["all"]"#);
    repository().changing("api/deep/er.py").run().exits(0).outputs("changed", r#"["all","api"]"#);
    repository().changing("Dockerfile").run().exits(0).outputs("changed", r#"["all","api"]"#);
    repository().changing("Dockerfile.md").run().exits(0).outputs("changed", r#"["all"]"#);
}

#[test]
fn moving_a_file_away_changes_both_places() {
    repository()
        .prepare("git", &["checkout", "--quiet", "-b", "change"])
        .prepare("git", &["mv", "api/main.py", "web/moved.py"])
        .commit("change")
        .merged()
        .run()
        .exits(0)
        .outputs("changed", r#"["all","api","web"]"#);
}

#[test]
fn a_merge_group_is_compared_with_the_base_it_names() {
    let script = repository();
    let base = script.head();
    script
        .file("web/main.py", "2")
        .commit("group")
        .env("EVENT_NAME", "merge_group")
        .env("BASE_SHA", base)
        .run()
        .exits(0)
        .outputs("changed", r#"["all","web"]"#);
}

#[test]
fn the_base_is_read_from_the_event_where_it_is_not_given() {
    let script = repository();
    let payload = format!(r#"{{"merge_group": {{"base_sha": "{}"}}}}"#, script.head());
    let script = script.file("web/main.py", "2").commit("group").file("event.json", payload);
    let script = script.env("EVENT_NAME", "merge_group").env("GITHUB_EVENT_PATH", "event.json");
    script.clone().run().exits(0).outputs("changed", r#"["all","web"]"#);
    let script = script.file("event.json", "not JSON");
    script.run().exits(0).outputs("changed", r#"["all","api","web"]"#);
}

#[test]
fn another_merge_than_githubs_own_is_not_trusted() {
    let script = repository();
    let base = script.head();
    // The head of the branch, checked out as it is, which has merged main itself.
    let script = script
        .prepare("git", &["checkout", "--quiet", "-b", "change"])
        .file("api/main.py", "2")
        .commit("change");
    let script =
        script.prepare("git", &["checkout", "--quiet", "main"]).file("web/main.py", "2").commit("main");
    let script = script
        .prepare("git", &["checkout", "--quiet", "change"])
        .prepare("git", &["merge", "--quiet", "--no-ff", "--message", "update", "main"])
        .env("GITHUB_SHA", "1".repeat(40));
    script.clone().env("BASE_SHA", base).run().exits(0).outputs("changed", r#"["all","api","web"]"#);
    script.run().exits(0).shows("no base commit is known");
}

#[test]
fn in_doubt_everything_counts_as_changed() {
    let everything = r#"["all","api","web"]"#;
    let script = repository();
    script.run().exits(0).outputs("changed", everything).shows("no base commit is known");
    for base in ["0123456789012345678901234567890123456789", "main", "--help", "$(touch pwned)"] {
        let ran = script.clone().env("BASE_SHA", base).run().exits(0).outputs("changed", everything);
        ran.shows("the base commit is not in this checkout");
    }
    for event in ["push", "workflow_dispatch", "::error::taken over"] {
        script
            .clone()
            .env("EVENT_NAME", event)
            .env("BASE_SHA", script.head())
            .run()
            .exits(0)
            .outputs("changed", everything);
    }
    Script::new("changed-paths.sh")
        .env("EVENT_NAME", "pull_request")
        .env("TARGETS", r#"[{"name": "api", "paths": ["api"]}]"#)
        .run()
        .exits(0)
        .outputs("changed", r#"["api"]"#)
        .shows("not a git repository");
}

#[test]
fn a_shallow_clone_of_one_commit_has_no_base() {
    let script = repository().changing("api/main.py");
    let url = format!("file://{}", script.directory().display());
    let shallow = |depth: &str| {
        let clone = Script::new("changed-paths.sh").prepare("git", &["init", "--quiet"]);
        let clone = clone.prepare("git", &["fetch", "--quiet", depth, &url, "HEAD"]);
        clone
            .prepare("git", &["checkout", "--quiet", "FETCH_HEAD"])
            .env("EVENT_NAME", "pull_request")
            .env("TARGETS", r#"[{"name": "api", "paths": ["api"]}, {"name": "web", "paths": ["web"]}]"#)
            .run()
            .exits(0)
    };
    assert_eq!(changed(&shallow("--depth=1")), r#"["api","web"]"#);
    assert_eq!(changed(&shallow("--depth=2")), r#"["api"]"#);
}

#[test]
fn a_shared_file_selects_every_target() {
    let ran = repository().changing("ci/shared.sh").env("ALWAYS", r#"["ci"]"#).run().exits(0);
    ran.outputs("changed", r#"["all","api","web"]"#).shows("a file that concerns every target has changed");
}

#[test]
fn matrices_keep_the_entries_of_changed_stacks() {
    let matrices = json!({
        "static": [{"stack": "web", "path": "a b"}, {"stack": "api", "path": "$(touch pwned)"}],
        "plan-production": [{"stack": "web"}],
        "empty": [],
    });
    repository()
        .changing("api/main.py")
        .env("MATRICES", matrices.to_string())
        .run()
        .exits(0)
        .outputs("static", r#"[{"stack":"api","path":"$(touch pwned)"}]"#)
        .outputs("plan-production", "[]")
        .outputs("empty", "[]");
}

#[test]
fn a_stack_that_reads_files_from_elsewhere_counts_as_changed() {
    for reads in [
        "file(\"${path.module}/../policies/p.json\")",
        "templatefile(\"${path.root}/x\", {})",
        "abspath(\".\")",
    ] {
        let script = repository()
            .file("stack/main.tf", format!("locals {{\n  x = {reads}\n}}\n"))
            .file("quiet/main.tf", "# reads ../nothing\nlocals { x = 1 }\n")
            .commit("stacks")
            .env(
                "TARGETS",
                json!([{"name": "reads", "paths": ["stack"]}, {"name": "quiet", "paths": ["quiet"]}])
                    .to_string(),
            )
            .env("FOLLOW_MODULES", "true");
        script.changing("policies.md").run().exits(0).outputs("changed", r#"["reads"]"#);
    }
}

#[test]
fn local_modules_belong_to_the_stack_that_uses_them() {
    let script = repository()
        .file("stacks/app/main.tf", "module \"a\" {\n  source = \"../../modules/a\"\n}\nmodule \"out\" { source = \"../../../../etc\" }\n")
        .file("stacks/app/linked.txt", "")
        .file("stacks/other/main.tf", "# nothing\n")
        .file("modules/a/main.tf.json", r#"{"module": {"b": {"source": "../b"}}}"#)
        .file("modules/b/main.tf", "module \"a\" { source = \"../a\" }\nmodule \"c\" { source = \"./with space\" }\n")
        .file("modules/b/with space/main.tf", "")
        .file("modules/unused/main.tf", "")
        .file("common/backend.tf", "")
        .prepare("ln", &["-s", "../../common/backend.tf", "stacks/app/backend.tf"])
        .commit("stacks")
        .env("TARGETS", json!([{"name": "app", "paths": ["stacks/app"]}, {"name": "other", "paths": ["stacks/other"]}]).to_string());
    let with = |path: &str, follow: &str| {
        // A world of its own each time would cost more than going back.
        script
            .clone()
            .prepare("git", &["checkout", "--quiet", "-B", "change", "main"])
            .file(path, "# 2")
            .commit("change")
            .merged();
        let ran = script.clone().env("FOLLOW_MODULES", follow).run().exits(0);
        changed(&ran).to_owned()
    };
    for path in
        ["modules/a/main.tf.json", "modules/b/main.tf", "modules/b/with space/main.tf", "common/backend.tf"]
    {
        assert_eq!(with(path, "true"), r#"["app"]"#, "{path}");
        assert_eq!(with(path, "false"), "[]", "{path}");
    }
    assert_eq!(with("modules/unused/main.tf", "true"), "[]");
    assert_eq!(with("stacks/other/main.tf", "true"), r#"["other"]"#);
    assert_eq!(with("stacks/app/dynamic.tf", "true"), r#"["app"]"#);
}

#[test]
fn a_module_source_that_needs_evaluation_selects_its_stack() {
    repository()
        .file("stack/main.tf", "module \"a\" {\n  source = \"./${var.name}\"\n}\n")
        .commit("stack")
        .changing("web/main.py")
        .env("TARGETS", r#"[{"name": "app", "paths": ["stack"]}]"#)
        .env("FOLLOW_MODULES", "true")
        .run()
        .exits(0)
        .outputs("changed", r#"["app"]"#)
        .shows("cannot be read without evaluating it");
}

#[test]
fn a_fork_is_told_what_decides() {
    let script = repository().changing("api/main.py").env("GITHUB_REPOSITORY", "octo/app");
    script
        .clone()
        .env("HEAD_REPOSITORY", "someone/app")
        .run()
        .exits(0)
        .shows("comes from a fork")
        .shows("The static checks decide");
    script.env("HEAD_REPOSITORY", "octo/app").run().exits(0).never_says("fork");
}

#[test]
fn more_changes_than_one_run_takes_are_refused() {
    let script = repository().changing("api/main.py");
    script.clone().env("MAX_CHANGED", "2").run().exits(0);
    let ran =
        script.env("MAX_CHANGED", "1").run().exits(3).says("::error::2 targets are changed, more than the 1");
    assert!(ran.outputs.is_empty());
}

#[test]
fn hostile_names_paths_and_notes_stay_inert() {
    let mut names: Vec<_> =
        HOSTILE.iter().map(|hostile| hostile.replace(|character: char| character.is_control(), "")).collect();
    names.sort();
    names.dedup();
    let paths: Vec<_> = names.iter().map(|name| format!("api/{}", name.replace('/', "_"))).collect();
    let targets: Vec<_> =
        names.iter().zip(&paths).map(|(name, path)| json!({"name": name, "paths": [path]})).collect();
    let mut script = repository().prepare("git", &["checkout", "--quiet", "-b", "change"]);
    for path in &paths {
        script = script.file(path, "2");
    }
    let ran = script
        .commit("change")
        .merged()
        .env("TARGETS", json!(targets).to_string())
        .env("NOTES", HOSTILE.join("\n"))
        .run()
        .exits(0);
    assert_eq!(changed(&ran), json!(names).to_string());
    let outside = outside_code(&ran.summary);
    assert!(!outside.contains(['<', '[', '`']), "{}", ran.summary);
    repository()
        .changing("api/main.py")
        .env("NOTES", "A stack is not planned: why.\n\n")
        .run()
        .exits(0)
        .shows("- A stack is not planned: why.\n");
}

#[test]
fn a_literal_path_is_no_pattern() {
    repository()
        .file("[a]*/x", "1")
        .commit("more")
        .changing("api/main.py")
        .env("TARGETS", r#"[{"name": "star", "paths": ["*"]}, {"name": "magic", "paths": [":(top)api"]}, {"name": "set", "paths": ["[a]*"]}]"#)
        .run()
        .exits(0)
        .outputs("changed", "[]");
}

#[test]
fn refuses_settings_of_the_wrong_shape() {
    let script = repository().changing("api/main.py");
    for targets in [
        "",
        "{}",
        "[1]",
        r#"[{"name": "a"}]"#,
        r#"[{"name": "a", "paths": []}]"#,
        r#"[{"name": "a\nb", "paths": ["a"]}]"#,
        r#"[{"name": "a", "paths": ["../out"]}]"#,
    ] {
        script.clone().env("TARGETS", targets).run().exits(2);
    }
    script.clone().env("TARGETS", "[]").run().exits(0).outputs("changed", "[]");
    script.clone().env("ALWAYS", "{}").run().exits(2);
    for matrices in
        ["[]", r#"{"a": {}}"#, r#"{"a": [{}]}"#, r#"{"changed": []}"#, r#"{"a\nb": []}"#, r#"{"a=b": []}"#]
    {
        script.clone().env("MATRICES", matrices).run().exits(2);
    }
    script.clone().env("FOLLOW_MODULES", "yes").run().exits(2);
    script.clone().env("MAX_CHANGED", "a[$(touch pwned)]").run().exits(2);
    script.without("EVENT_NAME").run().exits(2);
}
