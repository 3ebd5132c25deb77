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
    repo.run(["validate", "."]).exits(2).says("error: binary.yml: is not UTF-8");
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

#[test]
fn folders_of_workflow_files() {
    let repo = rendered();
    repo.write("mine/deep/one.yaml", WITHOUT_TIMEOUT)
        .write("mine/two.yml", WITHOUT_TIMEOUT.replace("runs-on", "timeout-minutes: 5\n    runs-on"))
        .write("mine/.git/three.yml", "on: [\n")
        .write("mine/notes.txt", "on: [\n");
    let ran = repo.run(["validate", "mine"]).exits(1);
    insta::assert_snapshot!(ran.out(), @r"
    mine/deep/one.yaml: 1 error
    1 other file: nothing found
    ");
    // A repository stands for its workflows, and for nothing else in it.
    insta::assert_snapshot!(repo.run(["validate", "."]).exits(0).out(), @"2 other files: nothing found");
    insta::assert_snapshot!(repo.run(["validate", "mine/two.yml", "mine"]).exits(1).out(), @r"
    mine/two.yml: nothing found
    mine/deep/one.yaml: 1 error
    ");
    repo.write("empty/notes.txt", "");
    repo.run(["validate", "empty"]).exits(2).says("error: empty: holds no file that ends in .yml or .yaml");
}

/// Judged side by side, reported in one order.
#[test]
fn many_files_give_one_report() {
    let repo = Repo::new();
    for number in 0..64 {
        repo.write(&format!("many/{number:02}.yml"), WITHOUT_TIMEOUT);
    }
    let first = repo.run(["validate", "many"]).exits(1);
    let names: Vec<String> =
        first.out().lines().filter_map(|line| line.strip_suffix(": 1 error").map(str::to_owned)).collect();
    assert!(names.len() == 64 && names.is_sorted(), "{names:?}");
    let again = repo.run(["validate", "many"]).exits(1);
    assert_eq!((first.out(), first.err()), (again.out(), again.err()));
    // The first file that cannot be read is named, whatever was judged before it.
    for name in ["40", "50"] {
        repo.write(&format!("many/{name}.yml"), b"\xff");
    }
    repo.run(["validate", "many"]).exits(2).says("error: many/40.yml: is not UTF-8").says_not("timeout-set");
}

#[cfg(unix)]
#[test]
fn a_folder_that_holds_itself() {
    let repo = Repo::new();
    repo.write("loop/one.yml", WITHOUT_TIMEOUT);
    std::os::unix::fs::symlink("..", repo.path("loop/again")).unwrap();
    assert_eq!(repo.run(["validate", "loop"]).exits(1).out(), "loop/one.yml: 1 error\n");
}
