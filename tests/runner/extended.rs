//! Steps and jobs of one's own, executed where they were rendered.

use super::Run;
use crate::repo::Repo;
use crate::tool;

/// Files are written by the step before, its variable reaches the rendered step, and what comes behind sees both.
#[test]
fn own_steps_run_between_the_rendered_ones() {
    let repo = Repo::new();
    let root = repo.path(".");
    let manifest = std::fs::read_to_string(tool::repository().join("tests/manifests/extended.yml")).unwrap();
    repo.manifest(&manifest).write("Makefile", "lint:\n\t@echo linted\n");
    repo.run(["render"]).exits(0);
    let test = Run::of(".github/workflows/test.yml", &root)
        .event("push")
        .secret("ANNOUNCE_WEBHOOK", "https://hooks.example.com/1")
        .tool("pytest", "echo \"database is $DATABASE\"; cat revision")
        .tool("curl", "echo announced");
    let Some(ran) = test.run() else { return };
    ran.job("test-api-unit").succeeded().says("database is ready").says("success");
    assert_eq!(ran.artifact("revision").files(), ["revision"]);
    ran.job("lint").succeeded().says("linted");
    ran.job("gate").succeeded();
    ran.job("announce").succeeded().says("announced");

    let Some(ran) = test.clone().tool("pytest", "exit 1").run() else { return };
    ran.job("test-api-unit").failed().says("failure");
    ran.job("gate").failed();
    ran.job("announce").skipped();
}
