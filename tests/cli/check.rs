use super::{BUILD, LOCK, MANIFEST, SCRIPT, TEST, make_stale, rendered, with_build};
use crate::repo::Repo;

/// The remedy that `check` names is carried out, and then there is nothing more to say.
#[track_caller]
fn mend(repo: &Repo) {
    repo.run(["render"]).exits(0).run(["check"]).exits(0).says("files are current");
}

#[test]
fn current() {
    let ran = rendered();
    let ran = ran.run(["check"]).exits(0);
    insta::assert_snapshot!(ran.out(), @"8 files are current");
    assert_eq!(ran.err(), "");
}

#[test]
fn stale() {
    let repo = rendered();
    let ran = make_stale(&repo).run(["check"]).exits(1);
    // Not the lines around it, nor their numbers: those are the templates' own.
    let is_said = |line: &&str| !line.starts_with([' ', '@']);
    let said: Vec<String> = ran.out().lines().filter(is_said).map(str::to_owned).collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
    stale          .github/workflows/test.yml: is as it was rendered, and would be rendered differently now
    stale          pyfleet.lock: is not the record of what is rendered now

    --- a/.github/workflows/test.yml
    +++ b/.github/workflows/test.yml
    -          - "3.11"
    +          - "3.12"

    2 of 8 files are not current
    help: `pyfleet-gen render` makes them current
    "#);
    mend(&repo);
}

#[test]
fn edited_by_hand() {
    let repo = rendered();
    let ran = repo.append(TEST, "# mine\n").run(["check"]).exits(1);
    let out = ran.out();
    assert!(
        out.starts_with("edited by hand .github/workflows/test.yml: is not as it was rendered\n"),
        "{out}"
    );
    assert!(out.contains("\n-# mine\n"), "{out}");
    assert!(
        out.ends_with(
            "1 of 8 files is not current\n\
             help: `pyfleet-gen render` makes them current\n\
             help: what was edited by hand is lost then: say it in pyfleet.yml first\n"
        ),
        "{out}"
    );
    mend(&repo);
}

#[test]
fn missing() {
    let repo = rendered();
    let ran = repo.remove(SCRIPT).run(["check"]).exits(1);
    insta::assert_snapshot!(ran.out(), @r"
    missing        .github/scripts/test-summary.sh: is not there

    1 of 8 files is not current
    help: `pyfleet-gen render` makes them current
    ");
    mend(&repo);
}

#[test]
fn never_rendered() {
    let repo = Repo::new();
    repo.manifest(MANIFEST).run(["check"]).exits(1).says("8 of 8 files are not current").says_not("@@");
    mend(&repo);
}

#[test]
fn orphaned() {
    let repo = rendered();
    let ran = repo.manifest(&with_build("{ enabled: false }")).run(["check"]).exits(1);
    // Not the difference of the guide.
    let words = ["orphaned ", "stale ", "6 of "];
    let said: Vec<String> = ran
        .out()
        .lines()
        .filter(|line| words.iter().any(|word| line.starts_with(word)))
        .map(str::to_owned)
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    stale          .github/cicd/README.md: is as it was rendered, and would be rendered differently now
    orphaned       .github/scripts/changed-paths.sh: is no longer rendered, and is removed by the next render
    orphaned       .github/scripts/image-check.sh: is no longer rendered, and is removed by the next render
    orphaned       .github/scripts/scan-report.sh: is no longer rendered, and is removed by the next render
    orphaned       .github/workflows/build.yml: is no longer rendered, and is removed by the next render
    stale          pyfleet.lock: is not the record of what is rendered now
    6 of 8 files are not current
    ");
    mend(&repo);
    repo.has_no(BUILD).has(TEST);
}

#[test]
fn orphaned_and_edited() {
    let repo = rendered();
    repo.append(BUILD, "# mine\n").manifest(&with_build("{ enabled: false }"));
    repo.run(["check"]).exits(1).says(
        "orphaned       .github/workflows/build.yml: is no longer rendered, and was edited: it stays, as your own, \
         unless you remove it",
    );
    mend(&repo);
    assert!(repo.read(BUILD).ends_with("# mine\n"));
}

#[test]
fn other_version() {
    let repo = rendered();
    let version = env!("CARGO_PKG_VERSION");
    make_stale(&repo).replace(LOCK, &format!("\"{version}\""), "\"0.0.7\"");
    repo.run(["check"])
        .exits(1)
        .says("other version  .github/workflows/test.yml: was rendered by pyfleet-gen 0.0.7, and this is [VERSION]")
        .says("other version  pyfleet.lock: was rendered by pyfleet-gen 0.0.7, and this is [VERSION]")
        .says("\n+          - \"3.12\"\n");
    mend(&repo);
}

#[test]
fn foreign() {
    let repo = Repo::new();
    repo.manifest(MANIFEST).write(TEST, "on: push\n");
    repo.run(["check"])
        .exits(1)
        .says("foreign        .github/workflows/test.yml: is in the way, and pyfleet did not write it")
        .says("\n-on: push\n")
        .says("help: `pyfleet-gen render --adopt` replaces them, also those that pyfleet did not write");
    repo.run(["render", "--adopt"]).exits(0).run(["check"]).exits(0);
}

#[test]
fn line_endings_that_git_has_converted() {
    let repo = rendered();
    for path in [TEST, LOCK, SCRIPT] {
        repo.write(path, repo.read(path).replace('\n', "\r\n"));
    }
    let ran = repo.run(["check"]).exits(1);
    insta::assert_snapshot!(ran.out(), @r"
    line endings   .github/scripts/test-summary.sh: is right but for its lines, which end in CR LF
    line endings   .github/workflows/test.yml: is right but for its lines, which end in CR LF
    line endings   pyfleet.lock: is right but for its lines, which end in CR LF

    3 of 8 files are not current
    help: `pyfleet-gen render` makes them current
    help: so that git leaves line endings alone, have in .gitattributes: `/.github/** text eol=lf` and `/pyfleet.lock text eol=lf`
    ");
    mend(&repo);
}

#[test]
fn converted_line_endings_hide_no_other_state() {
    let repo = rendered();
    for path in [TEST, LOCK, BUILD] {
        repo.write(path, repo.read(path).replace('\n', "\r\n"));
    }
    make_stale(&repo).replace(BUILD, "name: Build", "name: Mine");
    let ran = repo.run(["check"]).exits(1).says("stale          .github/workflows/test.yml");
    let out = ran.out();
    assert!(out.contains("edited by hand .github/workflows/build.yml"), "{out}");
    assert_eq!(out.lines().filter(|line| line.starts_with('-')).count(), 5, "only what differs:\n{out}");
    mend(&repo);
}

#[test]
fn a_lock_that_is_none() {
    for (text, says) in [
        ("", "is not a lock that pyfleet-gen wrote"),
        ("garbage", "is not a lock that pyfleet-gen wrote"),
        ("\u{0}", "is not a lock that pyfleet-gen wrote"),
        ("version: 2\nfiles: []\n", "was written by a later pyfleet-gen"),
        (
            "<<<<<<< ours\nversion: 1\n=======\nversion: 1\n>>>>>>> theirs\n",
            "git checkout --theirs pyfleet.lock",
        ),
    ] {
        let repo = rendered();
        repo.write(LOCK, text);
        for command in ["check", "render"] {
            let before = repo.files();
            repo.run([command]).exits(2).says("error: pyfleet.lock: ").says(says).says("help: ");
            assert_eq!(before, repo.files());
        }
    }
}

#[test]
fn a_lock_without_its_version_is_no_lock() {
    let repo = rendered();
    let remedy = repo.replace(LOCK, "version: 1\n", "").run(["check"]).exits(2);
    assert!(remedy.err().contains("delete it and run `pyfleet-gen render --adopt`"));
    repo.remove(LOCK).run(["render", "--adopt"]).exits(0).run(["check"]).exits(0);
}

#[test]
fn any_flipped_byte_is_noticed() {
    let repo = rendered();
    for path in [LOCK, TEST, SCRIPT] {
        let whole = repo.read(path).into_bytes();
        for position in (0..whole.len()).step_by(whole.len() / 25) {
            let mut flipped = whole.clone();
            flipped[position] ^= 1;
            let ran = repo.write(path, &flipped).run(["check"]);
            assert!(ran.says_not("files are current").exits_with_one_of(&[1, 2]), "{path}: byte {position}");
        }
        repo.write(path, whole);
    }
    repo.run(["check"]).exits(0);
}

#[test]
fn what_a_file_holds_commands_neither_terminal_nor_runner() {
    let repo = rendered();
    repo.append(
        TEST,
        "::error::forged\n  ::stop-commands::x\n# ##[error]forged\n# \u{1b}[2Jcleared \u{202e}\n",
    );
    let ran = repo.run(["check"]).exits(1);
    for line in ran.out().lines() {
        let text = line.trim_start();
        assert!(
            !text.starts_with("::") && !line.contains("##[") && !line.contains(['\u{1b}', '\u{202e}']),
            "{line:?}"
        );
    }
}
