use super::{BUILD, MANIFEST, TEST, rendered, with_build};
use crate::repo::Repo;

const WITHOUT_TIMEOUT: &str = "\
on: push
permissions: {}
jobs:
  one:
    permissions: {}
    runs-on: ubuntu-24.04
    steps:
      - run: 'true'
        shell: bash
";

#[test]
fn a_manifest_and_what_it_renders() {
    let repo = Repo::new();
    let ran = repo.manifest(MANIFEST).run(["validate"]).exits(0);
    insta::assert_snapshot!(ran.out(), @"pyfleet.yml is valid, and so is what it renders: 8 files");
    assert_eq!(repo.files().len(), 1);
}

#[test]
fn every_mistake_of_a_manifest_at_once() {
    let repo = Repo::new();
    let ran = repo.manifest("version: 1\nproject: demo\nverison: 2\n").run(["validate"]).exits(2);
    assert!(ran.err().ends_with("pyfleet.yml: 2 errors; nothing is rendered from it\n"), "{}", ran.err());
    assert_eq!(ran.out(), "");
}

#[test]
fn any_workflow_file() {
    let repo = rendered();
    repo.write("mine.yml", WITHOUT_TIMEOUT);
    let ran = repo.run(["validate", TEST, "mine.yml"]).exits(1);
    insta::assert_snapshot!(ran.out(), @r"
    .github/workflows/test.yml: nothing found
    mine.yml: 1 error
    ");
    // Not an inline snapshot: where each line starts matters here.
    assert_eq!(
        ran.err(),
        "\
error[timeout-set]: `one` may take 360 minutes, GitHub's default: it has no `timeout-minutes`
 --> mine.yml:4:3
  |
4 |   one:
  |   ^^^
  |
  = help: set `timeout-minutes` to what the job may take at most

"
    );
    repo.run(["validate", TEST]).exits(0);
    repo.run(["-C", ".github", "validate", "workflows/test.yml"]).exits(0);
}

#[test]
fn a_file_that_cannot_be_read() {
    let repo = Repo::new();
    repo.write("binary.yml", b"\xff\xfe");
    repo.run(["validate", "nowhere.yml"]).exits(2).says("error: nowhere.yml: No such file or directory");
    repo.run(["validate", "binary.yml"]).exits(2).says("error: binary.yml: is not UTF-8");
    repo.run(["validate", "."]).exits(2).says("error: .: ");
    #[cfg(unix)]
    repo.run(["validate", "/dev/zero"]).exits(2).says("error: /dev/zero: has more than 4 MiB");
}

#[test]
fn ejected_files_are_still_judged() {
    let repo = rendered();
    repo.manifest(&with_build("{ ejected: true }")).write(BUILD, WITHOUT_TIMEOUT);
    // Rendering goes on: what is rendered is right.
    repo.run(["render"]).exits(0).says("error[timeout-set]").says(&format!("--> {BUILD}:4:3"));
    for command in ["check", "validate"] {
        repo.run([command])
            .exits(1)
            .says("error[timeout-set]")
            .says("1 error in ejected files: they are yours to mend, or to waive with a reason and an end");
    }
    repo.write(BUILD, "on: [\n").run(["check"]).exits(1).says(BUILD);
    repo.write(BUILD, WITHOUT_TIMEOUT.replace("runs-on", "timeout-minutes: 5\n    runs-on"));
    repo.run(["check"]).exits(0).says_not("ejected").run(["validate"]).exits(0);
}
