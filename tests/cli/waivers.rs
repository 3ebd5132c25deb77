use super::{BUILD, rendered, with_build};
use crate::repo::Repo;

/// A repository with an ejected workflow that breaks a rule in one job.
fn with_finding(waivers: &str) -> Repo {
    let repo = rendered();
    repo.manifest(&with_build("{ ejected: true }")).write(
        BUILD,
        "on: push\npermissions: {}\njobs:\n  one:\n    permissions: {}\n    runs-on: ubuntu-24.04\n    steps:\n      \
         - run: 'true'\n        shell: bash\n",
    );
    repo.append("pyfleet.yml", waivers).run(["render"]).exits(0);
    repo
}

fn waiver(rule: &str, at: &str, until: &str) -> String {
    format!(
        "waivers:\n  - rule: {rule}\n    at: {at}\n    reason: the vendor has promised a fix\n    until: {until}\n"
    )
}

#[test]
fn what_is_covered_is_not_reported() {
    for at in ["build", "build.one"] {
        let repo = with_finding(&waiver("timeout-set", at, "2099-12-31"));
        let ran = repo.run(["check"]).exits(0);
        assert_eq!(ran.err(), "");
        repo.run(["validate"]).exits(0);
    }
}

#[test]
fn a_waiver_that_has_ended_covers_nothing_and_says_so() {
    let repo = with_finding(&waiver("timeout-set", "build.one", "2024-02-29"));
    repo.run(["check"])
        .exits(1)
        .says("error[timeout-set]")
        .says("a waiver covered it until 2024-02-29")
        .says_not("waiver-unused");
}

#[test]
fn a_waiver_that_covers_nothing_is_a_finding() {
    for (rule, at) in [("timeout-set", "test"), ("timeout-set", "build.other"), ("uses-pinned", "build.one")]
    {
        let repo = with_finding(&waiver(rule, at, "2099-12-31"));
        repo.run(["check"])
            .exits(1)
            .says("error[timeout-set]")
            .says("warning[waiver-unused]: the waiver covers nothing")
            .says("--> pyfleet.yml:");
    }
}

#[test]
fn a_waiver_needs_a_reason_and_a_workflow() {
    let repo = Repo::new();
    repo.manifest(super::MANIFEST).append("pyfleet.yml", &waiver("timeout-set", "nightly", "2099-12-31"));
    repo.replace("pyfleet.yml", "the vendor has promised a fix", "hm");
    repo.run(["validate"])
        .exits(2)
        .says("error[waiver-without-reason]")
        .says("there is no workflow of this name");
}

#[test]
fn a_tag_that_moves_on_purpose_is_accepted_where_the_image_is_declared() {
    let manifest = |at: &str| {
        format!(
            "version: 1\nproject: shop\nsafety-level: 2\ngithub: {{ repository: acme/shop }}\n\
             registries: {{ hub: {{ docker-hub: {{ username: {{ secret: A }}, password: {{ secret: B }} }} }} }}\n\
             images: {{ web: {{ registry: hub, repository: acme/web, tags: [latest] }} }}\nworkflows: {{ build: {{}} }}\n{}",
            waiver("container-mutable-tag", at, "2099-12-31")
        )
    };
    let repo = Repo::new();
    repo.write("pyfleet.yml", manifest("images.web"));
    repo.run(["validate"]).exits(0).says_not("container-mutable-tag");
    repo.run(["graph"]).exits(0).says_not("container-mutable-tag");
    repo.write("pyfleet.yml", manifest("images.wbe"));
    repo.run(["validate"]).exits(2).says("there is no image of this name");
    repo.write("pyfleet.yml", manifest("images.web").replace("[latest]", "[sha]"));
    repo.run(["validate"]).exits(0).says("waiver-unused");
}

/// Files that the manifest does not render are judged where somebody asks for it, and waived by their path.
#[test]
fn a_file_of_somebody_else() {
    const LEGACY: &str = ".github/workflows/legacy.yml";
    let repo = rendered();
    repo.write(
        LEGACY,
        "on: push\npermissions: {}\njobs:\n  one:\n    permissions: {}\n    runs-on: ubuntu-24.04\n    steps:\n      \
         - run: 'true'\n        shell: bash\n",
    );
    repo.run(["validate", LEGACY]).exits(1).says("error[timeout-set]");
    let manifest = repo.read("pyfleet.yml");
    for (at, exit) in [(LEGACY.to_owned(), 0), (format!("{LEGACY}:one"), 0), (format!("{LEGACY}:two"), 1)] {
        repo.write("pyfleet.yml", format!("{manifest}{}", waiver("timeout-set", &at, "2099-12-31")));
        repo.run(["validate", LEGACY]).exits(exit);
        repo.run(["validate", "."]).exits(exit);
        repo.run(["-C", ".github", "validate", "workflows/legacy.yml"]).exits(exit);
        // It covers nothing of what is rendered, and is not asked to.
        repo.run(["check"]).exits(0).says_not("waiver-unused");
    }
    // Elsewhere, a file of the same name is another one.
    repo.write("pyfleet.yml", format!("{manifest}{}", waiver("timeout-set", LEGACY, "2099-12-31")));
    repo.write("other/legacy.yml", repo.read(LEGACY)).run(["validate", "other/legacy.yml"]).exits(1);
    // One that has ended says so, and a rendered file has its name in the manifest.
    repo.write("pyfleet.yml", format!("{manifest}{}", waiver("timeout-set", LEGACY, "2024-02-29")));
    repo.run(["validate", LEGACY]).exits(1).says("a waiver covered it until 2024-02-29");
    repo.write("pyfleet.yml", format!("{manifest}{}", waiver("timeout-set", super::TEST, "2099-12-31")));
    repo.run(["check"]).exits(2).says("the manifest renders this file");
}
