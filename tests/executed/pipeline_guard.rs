use super::script::{HOSTILE, Script};
use serde_json::json;

const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

fn guard(event: &str, branch: &str) -> Script {
    let target = |environment: &str, branch: &str, automatic: bool| json!({"environment": environment, "branch": branch, "automatic": automatic});
    let targets = json!([
        target("staging", "main", true),
        target("production", "main", false),
        target("dev", "develop", true)
    ]);
    Script::new("pipeline-guard.sh")
        .env("TARGETS", targets.to_string())
        .env("EVENT_NAME", event)
        .env("GITHUB_REF", format!("refs/heads/{branch}"))
        .env("GITHUB_SHA", SHA)
}

#[test]
fn a_run_works_on_the_environments_of_its_branch() {
    guard("push", "develop")
        .run()
        .exits(0)
        .outputs("environments", r#"["dev"]"#)
        .outputs("version", "0123456789ab");
    guard("workflow_dispatch", "main").run().exits(0).outputs("environments", r#"["staging","production"]"#);
}

#[test]
fn only_a_person_takes_a_run_further_than_the_level_of_an_environment() {
    for event in ["push", "schedule"] {
        guard(event, "main")
            .run()
            .exits(0)
            .outputs("environments", r#"["staging"]"#)
            .says("::notice::not without a person who starts it, its safety level says so: production");
    }
}

#[test]
fn a_pull_request_and_a_merge_group_work_on_nothing() {
    for event in ["pull_request", "merge_group"] {
        guard(event, "main")
            .run()
            .exits(0)
            .outputs("environments", "[]")
            .shows("Changes nothing")
            .never_says("::notice");
    }
}

#[test]
fn a_branch_of_no_environment_is_said() {
    for branch in ["feature/x", "mai", "main2", "MAIN", "refs/heads/main"] {
        guard("workflow_dispatch", branch)
            .run()
            .exits(0)
            .outputs("environments", "[]")
            .says("::notice::no environment is worked on from");
    }
    guard("push", "main").env("GITHUB_REF", "refs/tags/main").run().exits(0).outputs("environments", "[]");
}

#[test]
fn an_image_is_built_or_chosen() {
    let asked = |rebuild: &str, id: &str| {
        guard("workflow_dispatch", "main").env("REBUILD_IMAGE", rebuild).env("TEMPLATE_ID", id).run()
    };
    for (rebuild, id) in [("false", ""), ("true", ""), ("false", "9000"), ("", "ami-0abc/x:1")] {
        asked(rebuild, id).exits(0);
    }
    asked("true", "9000").exits(1).says("::error::an image is built or chosen");
    for hostile in HOSTILE.iter().chain(&["-1", "a b", "../x y"]) {
        asked("false", hostile).exits(1).says("::error::template_id must be the id of an image");
    }
}

#[test]
fn every_mistake_of_the_caller_is_a_usage_error() {
    for targets in ["", "{}", "[{}]", "[] []", r#"[{"environment": "a", "branch": "", "automatic": true}]"#] {
        guard("push", "main").env("TARGETS", targets).run().exits(2).says("::error::TARGETS");
    }
    guard("pull_request_target", "main").run().exits(2).says("::error::EVENT_NAME");
    guard("push", "main").env("GITHUB_SHA", "main").run().exits(2).says("::error::GITHUB_SHA");
    for hostile in HOSTILE {
        guard("push", "main").env("GITHUB_REF", *hostile).run().exits(0).outputs("environments", "[]");
        guard(hostile, "main").run().exits(2);
    }
}
