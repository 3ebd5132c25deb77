use std::fs;

use serde_json::{Value, json};

use super::MANIFEST;
use crate::repo::Repo;

/// A pipeline that a person starts, and what makes it start by itself.
const BY_HAND: &str = "  main: { kind: pipeline, on: { manual: true }, stages: [test, image, deploy] }\n";
const BY_ITSELF: &str = "  main:
    kind: pipeline
    on: { push: true, manual: true }
    auto: { reason: releases are merges, owner: '@acme/platform' }
    stages: [test, image, deploy]
";

fn example() -> String {
    fs::read_to_string(crate::tool::repository().join("examples/sandbox-broker/pyfleet.yml")).unwrap()
}

/// From level 4 to 5: one key, one trigger, and what is given up by it.
#[test]
fn a_raise_says_what_is_given_up() {
    let repo = Repo::new();
    let manifest = example();
    let by_hand = manifest.replace("  deploy: {}\n", BY_HAND);
    let by_itself = by_hand.replace(BY_HAND, BY_ITSELF).replace("safety-level: 4", "safety-level: 5");
    repo.write("a.yml", by_hand).write("b.yml", by_itself);
    let raised = repo.run(["diff", "a.yml", "b.yml"]).exits(1);
    insta::assert_snapshot!(raised.out(), @r"
    gives more power
      project
        ~ safety level: 4 → 5
      environment production
        + is reached from push in main.yml: without a typed word
      environment production-plan
        + is reached from push in main.yml: without a typed word
      main.yml
        + started by `push`: branches main
    4 changes give more power, 0 changes give less, 0 changes do neither; scripts are not compared
    ");
    let lowered = repo.run(["diff", "b.yml", "a.yml"]).exits(0);
    assert!(lowered.out().starts_with("takes power away\n"), "{}", lowered.out());
    // The document's own step: a workflow with a typed word becomes one that a push starts.
    repo.write("c.yml", manifest);
    repo.run(["diff", "c.yml", "b.yml"])
        .exits(1)
        .says("  environment production\n    + is reached from push in main.yml: without a typed word\n")
        .says("    - is reached from workflow_dispatch in deploy.yml: behind a typed word\n");
    assert_eq!(repo.files().len(), 3, "nothing is written");
}

#[test]
fn a_program_reads_every_change() {
    let repo = Repo::new();
    repo.write("a.yml", MANIFEST).write("b.yml", MANIFEST.replace("safety-level: 3", "safety-level: 2"));
    for (arguments, exit) in [(["a.yml", "b.yml"], 0), (["a.yml", "a.yml"], 0)] {
        let ran = repo.run(["diff", arguments[0], arguments[1], "--format", "json"]).exits(exit);
        let report: Value = serde_json::from_str(&ran.out()).unwrap();
        let schema = serde_json::from_str(pyfleet_schemas::DIFFERENCE).unwrap();
        let validator = jsonschema::draft7::new(&schema).unwrap();
        assert!(validator.is_valid(&report), "{report:#}");
        assert_eq!(
            report["changes"].as_array().unwrap().is_empty(),
            arguments[0] == arguments[1],
            "{report:#}"
        );
        assert_eq!(report["summary"]["exit_code"], json!(exit));
    }
}

#[test]
fn workflows_and_directories_are_compared_too() {
    let repo = Repo::new();
    repo.manifest(MANIFEST).run(["render"]).exits(0);
    let text = repo.read(super::BUILD);
    let more = text.replacen("contents: read", "contents: write", 1);
    assert_ne!(more, text);
    repo.write("other.yml", &more);
    repo.run(["diff", super::BUILD, "other.yml"]).exits(1).says("~ token `contents`: read \u{2192} write");
    // A directory with a manifest is what the manifest says; without one, its workflows.
    repo.run(["diff", ".", ".github/workflows"])
        .exits(0)
        .says("both mean the same; scripts are not compared");
    repo.write("old/.github/workflows/build.yml", &text);
    repo.run(["diff", "old", ".github/workflows"]).exits(1).says("    + started by `push`: branches main\n");
    let mut piped = repo.command();
    piped.args(["diff", super::BUILD, "-"]).stdin(fs::File::open(repo.path("other.yml")).unwrap());
    repo.ran(&mut piped).exits(1).says("token `contents`");
    repo.run(["diff", "-", "-"]).exits(2).says("standard input can be one of the two only");
}

#[test]
fn what_cannot_be_understood_is_not_compared() {
    let repo = Repo::new();
    repo.manifest(MANIFEST).write("wrong.yml", MANIFEST.replace("version: 1", "verison: 1"));
    let secret = "AKIAIOSFODNN7EXAMPLE";
    repo.write("broken.yml", format!("on: push\njobs: {{ a: {{ runs-on: x, stepz: {secret} }} }}\n"));
    for (name, says) in
        [("wrong.yml", "unknown-key"), ("broken.yml", "stepz"), ("nowhere.yml", "No such file")]
    {
        let ran =
            repo.run(["diff", "pyfleet.yml", name, "--format", "json"]).exits(2).says(says).says_not(secret);
        assert_eq!(ran.out(), "", "{name}");
    }
    repo.write("empty/x.txt", "")
        .run(["diff", "pyfleet.yml", "empty"])
        .exits(2)
        .says("holds no file that ends in .yml or .yaml");
    #[cfg(unix)]
    repo.run(["diff", "pyfleet.yml", "/dev/zero"]).exits(2).says("has more than 4 MiB");
    // Names are anybody's: none of them is a command to whoever reads the log.
    let hostile = "on: push\njobs:\n  a:\n    runs-on: \"::error::x ##[error]y \\e[2J\"\n    if: \"env.X == '##[error]'\"\n    steps: [{ run: x }]\n";
    repo.write("a.yml", hostile).write("b.yml", hostile.replace("y \\e", "z \\e").replace("env.X", "env.Y"));
    for format in ["human", "json"] {
        repo.run(["diff", "a.yml", "b.yml", "--format", format]).says_not("##[error]").says_not("\u{1b}");
    }
}
