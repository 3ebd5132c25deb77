//! The pre-commit hook, installed into a repository by the real pre-commit, beside the hooks it has to live with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::tool::{self, Tool, repository};

const EXAMPLE: &str = "examples/sandbox-broker/pyfleet.yml";

/// What pre-commit installs, kept from run to run.
const HOME: &str = "target/hook/pre-commit";

#[test]
fn a_current_repository_passes_and_stays_as_it_is() {
    let Some(consumer) = Consumer::new() else { return };
    for _ in 0..2 {
        let (passed, said) = consumer.pre_commit(&["--all-files"]);
        assert!(passed, "{said}");
        assert_eq!(consumer.git(&["status", "--porcelain"]), "", "{said}");
    }
}

#[test]
fn an_edited_workflow_fails_with_a_diff_and_what_mends_it() {
    let Some(consumer) = Consumer::new() else { return };
    let workflow = consumer.git(&["ls-files", ".github/workflows"]).lines().next().unwrap().to_owned();
    consumer.edit(&workflow, |text| format!("{text}# edited\n"));

    let (passed, said) = consumer.pre_commit(&["--all-files"]);
    assert!(!passed, "{said}");
    assert!(said.contains("# edited") && said.contains("@@"), "no diff: {said}");
    assert!(said.contains("pyfleet-gen render"), "{said}");
}

#[test]
fn an_edited_manifest_fails_with_a_diff_and_what_mends_it() {
    let Some(consumer) = Consumer::new() else { return };
    consumer.edit("pyfleet.yml", |text| text.replace("python: \"3.11\"", "python: \"3.12\""));

    // Only the manifest is part of the commit.
    let (passed, said) = consumer.pre_commit(&["--files", "pyfleet.yml"]);
    assert!(!passed, "{said}");
    assert!(said.contains("3.12") && said.contains("@@"), "no diff: {said}");
    assert!(said.contains("pyfleet-gen render"), "{said}");

    consumer.render();
    consumer.git(&["add", "--all"]);
    let (passed, said) = consumer.pre_commit(&["--all-files"]);
    assert!(passed, "{said}");
}

#[test]
fn a_commit_without_its_files_skips_it() {
    let Some(consumer) = Consumer::new() else { return };
    let (passed, said) = consumer.pre_commit(&["--files", ".pre-commit-config.yaml"]);
    assert!(passed, "{said}");
    let line = said.lines().find(|line| line.starts_with("GitHub Actions workflows are what")).unwrap();
    assert!(line.ends_with("Skipped"), "{said}");
}

/// A repository that uses the hook, rendered and committed.
struct Consumer {
    root: TempDir,
    git: Tool,
    pre_commit: Tool,
}

impl Consumer {
    #[track_caller]
    fn new() -> Option<Self> {
        let (git, pre_commit) = (tool::find("git")?, tool::find("pre-commit")?);
        tool::find("cargo")?;
        tool::find("prettier")?;
        let manifest = repository().join(EXAMPLE);
        if !manifest.is_file() {
            tool::not_run(EXAMPLE, "the example has no manifest yet");
            return None;
        }
        let (hook, revision) = hook_repository(&git);
        let consumer = Self { root: tempfile::tempdir().unwrap(), git, pre_commit };
        let root = consumer.root.path();
        fs::copy(manifest, root.join("pyfleet.yml")).unwrap();
        fs::write(root.join(".pre-commit-config.yaml"), configuration(&hook, &revision)).unwrap();
        consumer.git(&["init", "--quiet", "--initial-branch=main"]);
        consumer.render();
        consumer.git(&["add", "--all"]);
        consumer.git(&["commit", "--quiet", "--message=Start"]);
        Some(consumer)
    }

    fn render(&self) {
        done(Command::new(env!("CARGO_BIN_EXE_pyfleet-gen")).arg("render").current_dir(&self.root));
    }

    fn edit(&self, file: &str, change: impl Fn(&str) -> String) {
        let path = self.root.path().join(file);
        let before = fs::read_to_string(&path).unwrap();
        let after = change(&before);
        assert_ne!(before, after, "{file}");
        fs::write(path, after).unwrap();
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(&self.git, self.root.path(), arguments)
    }

    /// Whether all hooks passed, and everything they said.
    fn pre_commit(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = self.pre_commit.command();
        command.args(["run", "--color=never"]).args(arguments).current_dir(&self.root);
        command.env("PRE_COMMIT_HOME", repository().join(HOME));
        command.env("CARGO_TARGET_DIR", repository().join("target/hook/build"));
        // What is tested is that it installs, not that it is fast.
        command.envs([("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"), ("CARGO_PROFILE_RELEASE_LTO", "off")]);
        command.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
        let output = command.output().unwrap();
        (output.status.success(), everything(&output))
    }
}

/// The hook from this working tree, and what else a repository of this kind runs.
fn configuration(hook: &Path, revision: &str) -> String {
    let beside = [
        ("end-of-file-fixer", "end-of-file-fixer", "types: [text]"),
        ("trailing-whitespace", "trailing-whitespace-fixer", "types: [text]"),
        ("mixed-line-ending", "mixed-line-ending", "types: [text]"),
        ("prettier", "prettier --write --ignore-unknown", "files: ^\\.github/"),
    ];
    let beside = beside.map(|(id, entry, selects)| {
        format!(
            "      - id: {id}\n        name: {id}\n        entry: {entry}\n        language: system\n        {selects}\n"
        )
    });
    format!(
        "repos:\n  - repo: {}\n    rev: {revision}\n    hooks:\n      - id: pyfleet-check\n  - repo: local\n    hooks:\n{}",
        hook.display(),
        beside.concat()
    )
}

/// This working tree, committed or not, as a repository that pre-commit can install from.
///
/// The same files make the same commit in the same place, for which pre-commit has an environment already.
fn hook_repository(git_tool: &Tool) -> (PathBuf, String) {
    static MADE: OnceLock<(PathBuf, String)> = OnceLock::new();

    let make = || {
        let copy = repository().join("target/hook/repository");
        if copy.exists() {
            fs::remove_dir_all(&copy).unwrap();
        }
        fs::create_dir_all(&copy).unwrap();
        let listed = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        for file in git(git_tool, repository(), &listed).split('\0').filter(|file| !file.is_empty()) {
            let (from, to) = (repository().join(file), copy.join(file));
            // A file that is deleted, but not yet in the index, is listed.
            if from.is_file() {
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                fs::copy(from, to).unwrap();
            }
        }
        git(git_tool, &copy, &["init", "--quiet", "--initial-branch=main"]);
        git(git_tool, &copy, &["add", "--all"]);
        git(git_tool, &copy, &["commit", "--quiet", "--message=The working tree"]);
        let revision = git(git_tool, &copy, &["rev-parse", "HEAD"]).trim().to_owned();
        // Environments of earlier trees would pile up.
        let (home, made) = (repository().join(HOME), repository().join("target/hook/revision"));
        if home.exists() && fs::read_to_string(&made).unwrap_or_default() != revision {
            fs::remove_dir_all(home).unwrap();
        }
        fs::write(made, &revision).unwrap();
        (copy, revision)
    };
    MADE.get_or_init(make).clone()
}

fn git(tool: &Tool, directory: &Path, arguments: &[&str]) -> String {
    let mut command = tool.command();
    command.current_dir(directory);
    // Neither the machine's configuration nor the time of day is part of a commit.
    command.envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")]);
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "pyfleet");
        command.env(format!("GIT_{role}_EMAIL"), "pyfleet@example.com");
        command.env(format!("GIT_{role}_DATE"), "2026-01-01T00:00:00Z");
    }
    let output = done(command.args(arguments));
    String::from_utf8(output.stdout).unwrap()
}

fn done(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", everything(&output));
    output
}

fn everything(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
