//! What else a repository holds, for rules that one file cannot decide.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Deserialize;

use crate::source::Source;
use crate::workflow::{self, Uses, Workflow};
use crate::yaml::decode::decode;
use crate::yaml::tree::{Document, Node};

/// The workflows of a repository and its own actions.
#[derive(Debug, Clone, Default)]
pub struct Repository {
    /// The workflows by their paths: `.github/workflows/deploy.yml`.
    pub workflows: BTreeMap<String, Workflow>,
    /// The actions by their folders: `.github/actions/build`.
    pub actions: BTreeMap<String, ActionFile>,
}

/// What an `action.yml` says about its inputs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActionFile {
    /// The inputs by their names.
    pub inputs: IndexMap<String, ActionInput>,
}

/// One input of an action.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActionInput {
    /// Whether it must be given: it is required, and has no default.
    pub is_required: bool,
    /// What whoever still passes it is told.
    pub deprecation: Option<String>,
}

impl Repository {
    /// Adds a file, and says whether it is one that rules ask for and could be read. The path is written
    /// from the root of the repository, with `/`.
    pub fn add(&mut self, path: &str, text: &str) -> bool {
        let action = ["action.yml", "action.yaml"].iter().find_map(|name| path.strip_suffix(name));
        if let Some(folder) = action {
            let read = ActionFile::read(text);
            let folder = folder.trim_end_matches('/').to_owned();
            return read.map(|action| self.actions.insert(folder, action)).is_some();
        }
        if !path.starts_with(".github/workflows/") {
            return false;
        }
        let read = workflow::parse(Source::new(path, text)).0;
        read.map(|(workflow, _)| self.workflows.insert(path.to_owned(), workflow)).is_some()
    }

    /// The workflow that a job calls, if it is one of this repository.
    #[must_use]
    pub fn called(&self, uses: &Uses) -> Option<(&str, &Workflow)> {
        let (Uses::Local(path) | Uses::SelfRepository(path)) = uses else { return None };
        self.workflows.get_key_value(path).map(|(path, workflow)| (path.as_str(), workflow))
    }

    /// The action that a step uses, if it is one of this repository.
    #[must_use]
    pub fn action(&self, uses: &Uses) -> Option<&ActionFile> {
        let (Uses::Local(path) | Uses::SelfRepository(path)) = uses else { return None };
        self.actions.get(path.trim_end_matches('/'))
    }
}

impl ActionFile {
    fn read(text: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Written {
            required: Option<bool>,
            #[serde(rename = "deprecationMessage")]
            deprecation: Option<String>,
        }
        let document = Document::parse(Source::new("action.yml", text)).ok()?;
        document.root.get("runs")?;
        let inputs = document.root.get("inputs").map(Node::entries).unwrap_or_default();
        let read = |(name, node): &(Node, Node)| {
            let written = decode::<Written>(node).ok();
            let required = written.as_ref().is_some_and(|own| own.required == Some(true));
            let input = ActionInput {
                is_required: required && node.get("default").is_none(),
                deprecation: written.and_then(|own| own.deprecation),
            };
            Some((name.as_str()?.to_owned(), input))
        };
        Some(Self { inputs: inputs.iter().filter_map(read).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::Repository;

    #[test]
    fn files_are_known_by_their_paths() {
        let mut repository = Repository::default();
        assert!(repository.add(".github/workflows/a.yml", "on: workflow_call\njobs: {a: {runs-on: x}}\n"));
        let action = "
name: own
inputs:
  name: {description: d, required: true, default: x}
  message: {required: true}
  old: {deprecationMessage: use `name`}
  bare:
runs: {using: composite, steps: []}
";
        assert!(repository.add(".github/actions/own/action.yaml", action));
        assert!(!repository.add("README.md", "text"));
        assert!(!repository.add(".github/workflows/b.yml", "jobs: ["));
        let own = repository.action(&"./.github/actions/own".parse().unwrap()).unwrap();
        let required: Vec<_> =
            own.inputs.iter().map(|(name, input)| (name.as_str(), input.is_required)).collect();
        assert_eq!(required, [("name", false), ("message", true), ("old", false), ("bare", false)]);
        assert_eq!(own.inputs["old"].deprecation.as_deref(), Some("use `name`"));
        assert!(repository.called(&"./.github/workflows/a.yml".parse().unwrap()).is_some());
        assert!(repository.called(&"acme/other/.github/workflows/a.yml@v1".parse().unwrap()).is_none());
    }
}
