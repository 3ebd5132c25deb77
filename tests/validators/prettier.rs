//! Prettier, with its defaults: a repository that formats its YAML and Markdown leaves rendered files alone.

use std::path::Path;

use super::{Defect, Validator, files_in, lines, workflows};
use crate::tool;

pub(super) const VALIDATOR: Validator = Validator {
    name: "prettier",
    findings,
    planted: &[
        Defect {
            file: "workflows/clean.yml",
            replace: "contents: read",
            with: "contents:  read",
            says: "clean.yml",
        },
        Defect {
            file: "workflows/clean.yml",
            replace: "audience: example",
            with: "audience: 'example'",
            says: "clean.yml",
        },
    ],
};

fn findings(directory: &Path) -> Option<Vec<String>> {
    let mut command = tool::find("prettier")?.command();
    // Neither a configuration nor an ignore file of the repository around the tree has a say.
    command.args(["--list-different", "--no-config", "--no-editorconfig", "--ignore-path", "none"]);
    command.args(workflows(directory)).args(files_in(&directory.join(".github/cicd")));
    Some(lines(command.current_dir(directory)))
}
