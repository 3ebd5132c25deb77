//! Workflows that people run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pyfleet_core::source::Source;
use pyfleet_core::workflow;

use super::{refusals, shown};
use crate::tool;
use crate::validators::github::judge;

/// Files that the published parser refuses and GitHub runs, or the other way round.
const DIFFERS: &[(&str, &str)] = &[(
    "docker__github-builder__bake.yml",
    "`env: ${{ … }}`: the published parser wants a mapping before anything is evaluated; GitHub's server evaluates it \
     (actions/runner, ConvertToStepEnvironment), and this workflow runs",
)];

/// The files of a folder of the reference data, with their texts.
pub(crate) fn files(folder: &Path) -> Vec<(String, String)> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml"));
    paths.sort();
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

/// What stops a file from running is found, and nothing else is said to.
#[test]
fn github_and_this_project_refuse_the_same_files() {
    let Some(data) = tool::data() else { return };
    let files = files(&data.join("corpus/workflows"));
    let texts = files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let Some(verdicts) = judge(texts, true) else { return };
    let differs: BTreeMap<&str, &str> = DIFFERS.iter().copied().collect();
    let (mut refused, mut wrong) = (0, Vec::new());
    for ((name, text), verdict) in files.iter().zip(&verdicts) {
        let own = refusals(name, text);
        refused += usize::from(!verdict.accepted);
        if (verdict.accepted == own.is_empty()) == differs.contains_key(name.as_str()) {
            wrong.push(format!("{name}: GitHub {:?}, own {}", verdict.parser, shown(&own)));
        }
    }
    println!("{} files, of which GitHub refuses {refused}", files.len());
    assert!(files.len() > 600 && wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is written means what was read.
#[test]
fn every_file_is_written_and_read_as_the_same() {
    let Some(data) = tool::data() else { return };
    let mut written_again = 0;
    for (name, text) in files(&data.join("corpus/workflows")) {
        let (Some((read, _)), _) = workflow::parse(Source::new(&*name, text)) else { continue };
        let written = read.to_yaml().unwrap();
        let (again, findings) = workflow::parse(Source::new(&*name, written.clone()));
        let again = again.unwrap_or_else(|| panic!("{name}: {findings:?}\n{written}")).0;
        assert!(again == read, "{name} means something else when it is written:\n{written}");
        written_again += 1;
    }
    println!("{written_again} files written and read again");
    assert!(written_again > 600);
}

/// What actionlint's authors hold for good is not refused.
#[test]
fn good_files_are_not_refused() {
    let Some(data) = tool::data() else { return };
    let files = files(&data.join("actionlint/ok"));
    let mut wrong = Vec::new();
    for (name, text) in &files {
        let own = refusals(name, text);
        if !own.is_empty() {
            wrong.push(format!("{name}: {}", shown(&own)));
        }
    }
    assert!(files.len() > 80 && wrong.is_empty(), "{}", wrong.join("\n"));
}
