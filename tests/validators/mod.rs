//! Rendered files, judged by tools that are not ours.
//!
//! One validator a file, each a [`Validator`] in [`ALL`]. To add one: its file, its line here, and at least one
//! defect that it, and it alone if possible, is there to find. A judge that cannot say no proves nothing, so the
//! tests below make each of them say no, and then all of them say nothing about the clean tree.

mod actionlint;
pub(crate) mod github;
mod prettier;
mod schemastore;
mod shell;
mod yamllint;
mod zizmor;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::tool;

const ALL: &[&Validator] = &[
    &actionlint::VALIDATOR,
    &github::VALIDATOR,
    &prettier::VALIDATOR,
    &schemastore::VALIDATOR,
    &shell::VALIDATOR,
    &yamllint::VALIDATOR,
    &zizmor::VALIDATOR,
];

/// An outside judge of a rendered tree.
struct Validator {
    name: &'static str,
    /// What it says of a tree that holds `.github/workflows` and perhaps `.github/scripts`, one line per complaint.
    /// `None` where its tools are not here, which it has reported.
    findings: fn(&Path) -> Option<Vec<String>>,
    /// Proof that it can say no.
    planted: &'static [Defect],
}

/// One mistake in the clean tree, and what the validator must say of it.
struct Defect {
    /// Below `.github/`.
    file: &'static str,
    replace: &'static str,
    with: &'static str,
    says: &'static str,
}

/// What all validators say of a rendered tree.
pub(crate) fn findings(directory: &Path) -> Vec<String> {
    let judge = |validator: &&Validator| {
        let said = (validator.findings)(directory).unwrap_or_default();
        said.into_iter().map(|line| format!("{}: {line}", validator.name)).collect::<Vec<_>>()
    };
    ALL.iter().flat_map(judge).collect()
}

/// The workflow files of a tree, in order.
fn workflows(directory: &Path) -> Vec<PathBuf> {
    let mut files = files_in(&directory.join(".github/workflows"));
    files.retain(|file| matches!(file.extension().and_then(|it| it.to_str()), Some("yml" | "yaml")));
    assert!(!files.is_empty(), "there is nothing to judge in {}", directory.display());
    files
}

/// The scripts of a tree, in order.
fn scripts(directory: &Path) -> Vec<PathBuf> {
    let mut files = files_in(&directory.join(".github/scripts"));
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sh"));
    files
}

fn files_in(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut files: Vec<_> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

/// Runs a validator to its end.
fn run(command: &mut Command) -> (Output, String, String) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    (output, stdout, stderr)
}

/// Its lines are its findings; a tool that fails without any has not judged, and says so.
fn lines(command: &mut Command) -> Vec<String> {
    let (output, stdout, stderr) = run(command);
    let mut lines: Vec<_> = stdout.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if lines.is_empty() && !output.status.success() {
        lines.push(format!("{}: {stderr}", output.status));
    }
    lines
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

fn clean() -> PathBuf {
    tool::repository().join("tests/validators/clean")
}

#[test]
fn the_clean_tree_is_clean() {
    assert_eq!(findings(&clean()), Vec::<String>::new());
}

#[test]
fn every_validator_finds_what_is_planted() {
    let mut silent = Vec::new();
    for validator in ALL {
        assert!(!validator.planted.is_empty(), "{} has never been seen to say no", validator.name);
        for Defect { file, replace, with, says } in validator.planted {
            let tree = tempfile::tempdir().unwrap();
            copy(&clean().join(".github"), &tree.path().join(".github"));
            let path = tree.path().join(".github").join(file);
            let text = fs::read_to_string(&path).unwrap();
            assert_eq!(text.matches(replace).count(), 1, "{replace:?} in {file}");
            fs::write(&path, text.replace(replace, with)).unwrap();

            let Some(said) = (validator.findings)(tree.path()) else { continue };
            if !said.iter().any(|line| line.contains(says)) {
                silent.push(format!("{} does not say {says:?} of {with:?}, but {said:#?}", validator.name));
            }
        }
    }
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

#[test]
fn every_rendered_file_is_clean() {
    for example in fs::read_dir(tool::repository().join("examples")).into_iter().flatten() {
        let example = example.unwrap().path();
        let manifest = example.join("pyfleet.yml").is_file();
        let rendered = example.join(".github/workflows").is_dir();
        assert!(rendered || !manifest, "{} has a manifest, but no rendered tree", example.display());
        if rendered {
            assert_eq!(findings(&example), Vec::<String>::new(), "{}", example.display());
        }
    }
}
