//! actionlint: types of expressions, needs and outputs, inputs of popular actions, and shellcheck on each `run:`.

use std::fs;
use std::path::Path;

use super::{Defect, Validator, copy, lines, workflows};
use crate::tool;

pub(super) const VALIDATOR: Validator = Validator {
    name: "actionlint",
    findings,
    planted: &[
        Defect {
            file: "workflows/clean.yml",
            replace: "runs-on: ubuntu-24.04\n    timeout-minutes: 10",
            with: "runs-on: ubuntu-24.40\n    timeout-minutes: 10",
            says: "label \"ubuntu-24.40\" is unknown",
        },
        Defect {
            file: "workflows/clean.yml",
            replace: "needs.build.outputs.version",
            with: "needs.build.outputs.versoin",
            says: "property \"versoin\" is not defined",
        },
        Defect {
            file: "workflows/clean.yml",
            replace: "printf 'version=%s\\n' \"$version\"",
            with: "printf 'version=%s\\n' $version",
            says: "SC2086",
        },
        Defect {
            file: "workflows/clean.yml",
            replace: "      audience: example",
            with: "      audeince: example",
            says: "\"audeince\" is not defined in \"./.github/workflows/called.yml\"",
        },
    ],
};

fn findings(directory: &Path) -> Option<Vec<String>> {
    let (actionlint, shellcheck) = (tool::find("actionlint")?, tool::find("shellcheck")?);
    drop(shellcheck); // it is on the PATH of every tool
    // actionlint takes the nearest `.git` for the root that local workflows are named from, and reads its
    // configuration there: a tree under `examples/` must not see this repository's.
    let root = tempfile::tempdir().unwrap();
    copy(&directory.join(".github"), &root.path().join(".github"));
    fs::create_dir(root.path().join(".git")).unwrap();
    let files = workflows(root.path());
    let relative = files.iter().map(|file| file.strip_prefix(root.path()).unwrap());
    let mut command = actionlint.command();
    // Labels of one's own runners stand in a configuration of the repository, which a rendered tree has not.
    let labels = "label \"proxmox\" is unknown";
    Some(lines(
        command
            .args(["-no-color", "-oneline", "-pyflakes=", "-ignore", labels])
            .args(relative)
            .current_dir(&root),
    ))
}
