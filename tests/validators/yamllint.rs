//! yamllint: the YAML that reviewers read, and that a YAML 1.1 reader does not misread.

use std::path::Path;

use super::{Defect, Validator, lines, workflows};
use crate::tool;

pub(super) const VALIDATOR: Validator = Validator {
    name: "yamllint",
    findings,
    planted: &[
        Defect {
            file: "workflows/clean.yml",
            replace: "persist-credentials: false",
            with: "persist-credentials: no",
            says: "truthy value should be one of",
        },
        Defect {
            file: "workflows/clean.yml",
            replace: "needs: build",
            with: "needs: build ",
            says: "trailing spaces",
        },
    ],
};

fn findings(directory: &Path) -> Option<Vec<String>> {
    let mut command = tool::find("yamllint")?.command();
    command.args(["--strict", "--format", "parsable", "--config-file"]);
    command.arg(tool::repository().join("tests/tools/yamllint.yml"));
    Some(lines(command.args(workflows(directory)).current_dir(directory)))
}
