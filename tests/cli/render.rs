use std::fs;
use std::process::Command;

use super::{BUILD, LOCK, MANIFEST, SCRIPT, TEST, make_stale, rendered, with_build};
use crate::repo::Repo;

#[test]
fn a_first_render() {
    let repo = Repo::new();
    let ran = repo.manifest(MANIFEST).run(["render"]).exits(0);
    insta::assert_snapshot!(ran.out(), @r"
    created   .github/cicd/README.md
    created   .github/scripts/changed-paths.sh
    created   .github/scripts/image-check.sh
    created   .github/scripts/scan-report.sh
    created   .github/scripts/test-summary.sh
    created   .github/workflows/build.yml
    created   .github/workflows/test.yml
    created   pyfleet.lock
    8 files: 8 created
    ");
    assert_eq!(ran.err(), "");
    repo.has_no(".github/.pyfleet-staging");
}

#[cfg(unix)]
#[test]
fn scripts_can_be_run() {
    use std::os::unix::fs::PermissionsExt;
    let repo = rendered();
    let mode = |path| repo.path(path).metadata().unwrap().permissions().mode();
    assert_eq!((mode(SCRIPT) & 0o100, mode(TEST) & 0o111), (0o100, 0));
}

#[test]
fn every_outcome_has_its_line() {
    let repo = rendered();
    repo.manifest(&with_build("{ enabled: false }")).replace("pyfleet.yml", "3.11", "3.12");
    repo.append(BUILD, "# mine\n").write("unrelated.txt", "x");
    let ran = repo.run(["render"]).exits(0);
    insta::assert_snapshot!(ran.out(), @r"
    updated   .github/cicd/README.md
    removed   .github/scripts/changed-paths.sh
    removed   .github/scripts/image-check.sh
    removed   .github/scripts/scan-report.sh
    unchanged .github/scripts/test-summary.sh
    left      .github/workflows/build.yml: no longer rendered, but edited; it is yours now
    updated   .github/workflows/test.yml
    updated   pyfleet.lock
    8 files: 3 updated, 3 removed, 1 unchanged, 1 left
    ");
    repo.has("unrelated.txt");
}

#[cfg(unix)]
#[test]
fn a_second_render_writes_nothing_at_all() {
    use std::os::unix::fs::MetadataExt;
    let repo = rendered();
    let stamps = || -> Vec<_> {
        let mut paths: Vec<String> = repo.files().into_keys().collect();
        paths.push(String::new());
        let stamp = |path: &String| {
            let metadata = repo.path(path).symlink_metadata().unwrap();
            (path.clone(), metadata.ino(), metadata.mtime(), metadata.mtime_nsec(), metadata.ctime_nsec())
        };
        paths.iter().map(stamp).collect()
    };
    let before = stamps();
    repo.run(["render"]).exits(0).says("8 files: 8 unchanged").run(["check"]).exits(0);
    assert_eq!(before, stamps());
}

#[test]
fn a_dry_run_shows_the_difference_and_writes_nothing() {
    let repo = rendered();
    repo.manifest(&with_build("{ enabled: false }")).replace("pyfleet.yml", "3.11", "3.12");
    let before = repo.files();
    repo.run(["render", "--dry-run"])
        .exits(0)
        .says("\n-          - \"3.11\"\n+          - \"3.12\"\n")
        .says("--- a/.github/workflows/build.yml\n+++ /dev/null\n")
        .says("\nremove    .github/workflows/build.yml\n")
        .says("\nupdate    .github/workflows/test.yml\n")
        .says("\n8 files: 3 update, 4 remove, 1 unchanged\nnothing was written: this was a dry run\n");
    assert_eq!(before, repo.files());
    let fresh = Repo::new();
    fresh
        .manifest(MANIFEST)
        .run(["render", "--dry-run"])
        .exits(0)
        .says("--- /dev/null\n+++ b/pyfleet.lock\n");
    assert_eq!(fresh.files().len(), 1);
}

#[test]
fn never_over_a_foreign_file() {
    let repo = Repo::new();
    repo.manifest(MANIFEST).write(TEST, "on: push\n");
    let before = repo.files();
    let ran = repo.run(["render"]).exits(2);
    insta::assert_snapshot!(ran.err(), @r"
    error: .github/workflows/test.yml: is there already, and pyfleet did not write it
    help: `pyfleet-gen render --adopt --dry-run` shows what would be lost, `pyfleet-gen render --adopt` replaces it; nothing was written
    ");
    assert_eq!(before, repo.files());
    repo.run(["render", "--adopt", "--dry-run"]).exits(0).says("\n-on: push\n").says("adopt     ");
    assert_eq!(before, repo.files());
    repo.run(["render", "--adopt"])
        .exits(0)
        .says("adopted   .github/workflows/test.yml\n")
        .run(["check"])
        .exits(0);
}

#[test]
fn a_file_that_is_right_already_needs_no_adoption() {
    let repo = rendered();
    repo.remove(LOCK).run(["render"]).exits(0).says("8 files: 7 unchanged, 1 created");
}

#[test]
fn prunes_only_what_the_lock_records() {
    let repo = rendered();
    let digest = "a".repeat(64);
    // Whoever tampers with the lock removes nothing that pyfleet did not write, and nothing elsewhere.
    let claims =
        [".github/workflows/mine.yml", "src/main.rs", "../outside.txt", ".github/workflows/TEST.yml"];
    let lines: String = claims.iter().map(|path| format!("  {path}: {digest}\n")).collect();
    repo.append(LOCK, &lines).write(claims[0], "on: push\n").write(claims[1], "x").write(claims[2], "y");
    repo.run(["render"]).exits(0).says("left      .github/workflows/mine.yml");
    repo.holds(claims[0], "on: push\n").holds(claims[1], "x").holds(claims[2], "y").has(TEST);
    repo.run(["check"]).exits(0);
}

#[test]
fn disabled_goes_and_comes_back() {
    let repo = rendered();
    let build = repo.read(BUILD);
    repo.manifest(&with_build("{ enabled: false }"))
        .run(["render"])
        .exits(0)
        .says("removed   .github/workflows/build.yml");
    repo.has_no(BUILD).run(["check"]).exits(0);
    repo.manifest(MANIFEST).run(["render"]).exits(0).says("created   .github/workflows/build.yml");
    repo.holds(BUILD, &build);
}

#[test]
fn ejected_stays_with_its_scripts_and_leaves_the_lock() {
    let repo = rendered();
    let build = repo.read(BUILD);
    repo.manifest(&with_build("{ ejected: true }"))
        .run(["check"])
        .exits(1)
        .says("2 of 4 files are not current");
    repo.run(["render"])
        .exits(0)
        .says("left      .github/workflows/build.yml: ejected; it is yours\n")
        .says("left      .github/scripts/image-check.sh: ejected; it is yours\n");
    repo.holds(BUILD, &build).has(".github/scripts/image-check.sh");
    assert!(!repo.read(LOCK).contains("build.yml"));
    repo.append(BUILD, "# mine\n").run(["check"]).exits(0).says("4 files are current");
    repo.run(["render"])
        .exits(0)
        .says("left      .github/workflows/build.yml")
        .says("unchanged pyfleet.lock");
    // What comes back is a stranger's file by now.
    repo.manifest(MANIFEST).run(["render"]).exits(2).says("pyfleet did not write it");
    repo.run(["render", "--adopt"]).exits(0).holds(BUILD, &build);
}

#[test]
fn an_ejected_file_that_is_gone_is_fine() {
    let repo = rendered();
    repo.manifest(&with_build("{ ejected: true }")).remove(BUILD);
    repo.run(["render"]).exits(0).run(["check"]).exits(0).run(["validate"]).exits(0);
}

#[test]
fn a_directory_or_a_file_in_the_way() {
    for (make, says) in [
        (
            "mkdir -p .github/workflows/test.yml",
            ".github/workflows/test.yml: is in the way: it is not a regular file",
        ),
        ("mkdir pyfleet.lock", "pyfleet.lock: is in the way: it is not a regular file"),
        ("touch .github", ".github: is in the way: it should be a directory"),
        (
            "mkdir .github; touch .github/workflows",
            ".github/workflows: is in the way: it should be a directory",
        ),
        (
            "mkdir .github; mkfifo .github/workflows",
            ".github/workflows: is in the way: it should be a directory",
        ),
        ("mkdir -p .github; touch .github/.pyfleet-staging", ".github/.pyfleet-staging: is in the way"),
        (
            "mkdir -p .github/.pyfleet-staging; touch .github/.pyfleet-staging/mine",
            ".github/.pyfleet-staging/mine: is in the way: pyfleet did not write it",
        ),
        ("mkdir -p .github/.pyfleet-staging/0/mine", ".github/.pyfleet-staging/0: is in the way"),
        ("mkfifo pyfleet.lock", "pyfleet.lock: is in the way: it is not a regular file"),
    ] {
        let repo = Repo::new();
        repo.manifest(MANIFEST);
        assert!(Command::new("sh").args(["-c", make]).current_dir(repo.path("")).status().unwrap().success());
        let names = || -> Vec<String> { names_below(&repo) };
        let before = names();
        repo.run(["render"])
            .exits(2)
            .says(&format!("error: {says}"))
            .says("help: move it away, and run this again");
        assert_eq!(before, names(), "{make}");
    }
}

/// Names alone: a pipe cannot be read.
fn names_below(repo: &Repo) -> Vec<String> {
    let mut names = Vec::new();
    let mut left = vec![repo.path("")];
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path.clone());
            }
            names.push(path.display().to_string());
        }
    }
    names.sort();
    names
}

#[cfg(unix)]
#[test]
fn a_directory_that_cannot_be_written_to() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;
    for read_only in [".github/workflows", ".github", "."] {
        let repo = rendered();
        make_stale(&repo);
        let mode = |path: &str, mode| {
            fs::set_permissions(repo.path(path), fs::Permissions::from_mode(mode)).unwrap()
        };
        for path in ["..", ".", ".github", ".github/workflows", ".github/scripts"] {
            mode(path, if path == read_only { 0o555 } else { 0o777 });
        }
        let before = repo.files();
        // Root may write anywhere: somebody else tries.
        let mut command = repo.command();
        if repo.path(".").metadata().unwrap().uid() == 0 {
            let binary = repo.path("../pyfleet-gen");
            // Not `fs::copy`: a child that another test starts meanwhile would keep the file busy.
            let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_pyfleet-gen")).arg(&binary).status();
            assert!(copied.unwrap().success());
            command = Command::new(binary);
            crate::repo::scrub(&mut command).current_dir(repo.path("")).uid(65534).gid(65534);
        }
        repo.ran(command.arg("render"))
            .exits(2)
            .says(&format!("error: {read_only}: cannot be written to: Permission denied"))
            .says("nothing was written\nhelp: give yourself the right to write there, and run this again");
        assert_eq!(before, repo.files(), "{read_only}");
        mode(read_only, 0o755);
        repo.run(["render"]).exits(0).run(["check"]).exits(0);
    }
}
