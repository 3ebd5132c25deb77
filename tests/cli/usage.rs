use std::process::Stdio;

use super::{MANIFEST, TEST, make_stale, rendered};
use crate::repo::Repo;

#[test]
fn the_manifest_is_found_by_walking_up() {
    let repo = rendered();
    repo.write("deep/er/x", "");
    repo.ran(repo.command().current_dir(repo.path("deep/er")).arg("check")).exits(0);
    repo.run(["-C", "deep/er", "check"]).exits(0);
    repo.run(["-C", "deep/../deep", "check"]).exits(0);
    // What is above `..` is not what its name says.
    repo.write("../other/x", "");
    repo.run(["-C", "../other", "check"])
        .exits(2)
        .says("error: there is no pyfleet.yml in [ABOVE]/other or above it\nhelp: ");
}

#[test]
fn a_directory_or_manifest_that_is_not_there() {
    let repo = rendered();
    repo.run(["-C", "nowhere", "check"]).exits(2).says("error: nowhere: No such file or directory");
    repo.run(["--manifest", "other.yml", "check"]).exits(2).says("other.yml: is not there");
    repo.run(["--manifest", "..", "check"]).exits(2).says("error: ..: is not a file");
    repo.run(["--manifest", ".github", "check"])
        .exits(2)
        .says("error: .github: is in the way: it is not a regular file");
}

#[test]
fn a_named_manifest_and_the_command_that_mends() {
    let repo = Repo::new();
    repo.write("a b/other.yml", MANIFEST);
    repo.run(["--manifest", "a b/other.yml", "check"])
        .exits(1)
        .says("help: `pyfleet-gen --manifest 'a b/other.yml' render` makes them current");
    repo.run(["-C", "a b", "--manifest", "other.yml", "check"])
        .exits(1)
        .says("help: `pyfleet-gen -C 'a b' --manifest other.yml render` makes them current");
    repo.run(["--manifest", "a b/other.yml", "render"]).exits(0);
    repo.has(&format!("a b/{TEST}")).run(["-C", "a b", "check", "--manifest", "other.yml"]).exits(0);
    assert!(repo.read(&format!("a b/{TEST}")).contains("from other.yml"));
}

#[test]
fn a_manifest_that_cannot_be_read() {
    let repo = Repo::new();
    repo.write("pyfleet.yml", b"version: 1\n\xff").run(["render"]).exits(2).says("is not UTF-8: line 2");
    repo.manifest(&" ".repeat(1024 * 1024 + 1)).run(["render"]).exits(2).says("at most 1 MiB");
    repo.manifest("version: 1\nverison: 2\n").run(["check"]).exits(2).says("; nothing is rendered from it");
    assert_eq!(repo.files().len(), 1);
}

#[test]
fn usage() {
    let repo = rendered();
    repo.run(["reder"])
        .exits(2)
        .says("unrecognized subcommand 'reder'")
        .says("a similar subcommand exists: 'render'");
    repo.run(["render", "--adpt"]).exits(2).says("a similar argument exists: '--adopt'");
    repo.run(["--nonsense"]).exits(2);
    repo.run([""; 0]).exits(2).says("Usage: pyfleet-gen");
    repo.run(["check", "surplus"]).exits(2);
    let help = repo.run(["--help"]).exits(0);
    assert!(help.out().contains("Usage: pyfleet-gen") && help.err().is_empty());
    assert_eq!(repo.run(["--version"]).exits(0).out(), "pyfleet-gen [VERSION]\n");
}

#[test]
fn colour_only_where_it_is_wanted() {
    let repo = rendered();
    make_stale(&repo).run(["check"]).exits(1).says_not("\u{1b}");
    repo.ran(repo.command().env("CLICOLOR_FORCE", "1").arg("check"))
        .exits(1)
        .says("\u{1b}[32m+          - \"3.12\"\u{1b}[0m\n");
    repo.ran(repo.command().env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").arg("check"))
        .exits(1)
        .says_not("\u{1b}");
}

#[test]
fn a_reader_that_has_read_enough_changes_no_exit_code() {
    let repo = Repo::new();
    repo.manifest(MANIFEST);
    let mut child =
        repo.command().args(["render"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), String::from_utf8(ended.stderr).unwrap()), (Some(0), String::new()));
    repo.run(["check"]).exits(0);
}
