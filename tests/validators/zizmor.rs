//! zizmor, offline and with its regular persona: what an attacker could do with a workflow.

use std::path::Path;

use serde_json::Value;

use super::{Defect, Validator, run, workflows};
use crate::tool;

pub(super) const VALIDATOR: Validator = Validator {
    name: "zizmor",
    findings,
    planted: &[
        Defect {
            file: "workflows/clean.yml",
            replace: "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1",
            with: "actions/checkout@v7",
            says: "workflows/clean.yml:26: unpinned-uses",
        },
        Defect {
            file: "workflows/clean.yml",
            replace: "./.github/scripts/version.sh",
            with: "echo ${{ github.head_ref }}",
            says: "template-injection",
        },
        Defect {
            file: "workflows/clean.yml",
            replace: "\npermissions: {}\n",
            with: "\npermissions: write-all\n",
            says: "excessive-permissions",
        },
        Defect {
            file: "workflows/clean.yml",
            replace: "  pull_request:\n",
            with: "  pull_request_target:\n",
            says: "dangerous-triggers",
        },
    ],
};

fn findings(directory: &Path) -> Option<Vec<String>> {
    let mut command = tool::find("zizmor")?.command();
    command.args(["--offline", "--no-progress", "--no-config", "--strict-collection", "--format=json-v1"]);
    // Files, not the folder: of a folder it leaves out what an ignore file names.
    let (output, stdout, stderr) = run(command.args(workflows(directory)).current_dir(directory));
    let Ok(Value::Array(findings)) = serde_json::from_str(&stdout) else {
        return Some(vec![format!("{}: {stderr}", output.status)]);
    };
    Some(findings.iter().map(|finding| describe(finding, directory)).collect())
}

fn describe(finding: &Value, directory: &Path) -> String {
    let locations = finding["locations"].as_array().map_or(&[][..], Vec::as_slice);
    let primary = locations.iter().find(|it| it["symbolic"]["kind"] == "Primary").unwrap_or(&Value::Null);
    let file = Path::new(primary["symbolic"]["key"]["Local"]["verbatim_path"].as_str().unwrap_or_default());
    let row = primary["concrete"]["location"]["start_point"]["row"].as_u64().unwrap_or_default();
    let text = |key: &str| finding[key].as_str().unwrap_or_default();
    let name = file.strip_prefix(directory).unwrap_or(file).display();
    format!("{name}:{}: {}: {}", row + 1, text("ident"), text("desc"))
}
