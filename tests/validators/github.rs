//! GitHub's own parser and language service: what GitHub accepts. `tests/tools/github-workflow.mjs` runs them.
//!
//! [`judge`] asks them about many texts in one process, for tests that compare this project's reader with GitHub's.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::{Defect, Validator, run, workflows};
use crate::tool;

pub(super) const VALIDATOR: Validator = Validator {
    name: "github",
    findings,
    planted: &[
        Defect {
            file: "workflows/clean.yml",
            replace: "timeout-minutes: 10",
            with: "timeout-minuts: 10",
            says: "Unexpected value 'timeout-minuts'",
        },
        Defect {
            file: "workflows/clean.yml",
            replace: "needs: build",
            with: "needs: bulid",
            says: "depends on unknown job 'bulid'",
        },
        Defect {
            file: "workflows/clean.yml",
            replace: "github.ref_name",
            with: "gihub.ref_name",
            says: "Unrecognized named-value: 'gihub'",
        },
        Defect {
            file: "workflows/clean.yml",
            replace: "github.ref_name",
            with: "github.ref_nam",
            says: "Context access might be invalid: ref_nam",
        },
        // An event that does not start this workflow.
        Defect {
            file: "workflows/clean.yml",
            replace: "github.ref_name",
            with: "github.event.merge_group.base_sha",
            says: "Context access might be invalid: merge_group",
        },
        Defect {
            file: "workflows/clean.yml",
            replace: "uses: ./.github/workflows/called.yml",
            with: "uses: ./.github/workflows/caled.yml",
            says: "Unable to find reusable workflow",
        },
    ],
};

/// What GitHub says of one text.
#[derive(Debug, Deserialize)]
pub(crate) struct Verdict {
    pub(crate) name: String,
    /// The parser has no complaint.
    pub(crate) accepted: bool,
    pub(crate) parser: Vec<Finding>,
    service: Vec<Finding>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Finding {
    severity: String,
    line: usize,
    column: usize,
    pub(crate) message: String,
}

fn findings(directory: &Path) -> Option<Vec<String>> {
    let verdicts = verdicts(script()?.args(workflows(directory)));
    let said = verdicts.iter().flat_map(|verdict| {
        let name = Path::new(&verdict.name).strip_prefix(directory).unwrap_or(Path::new(&verdict.name));
        verdict.parser.iter().chain(&verdict.service).map(move |finding| {
            let Finding { severity, line, column, message } = finding;
            format!("{}:{line}:{column}: {severity}: {message}", name.display())
        })
    });
    Some(said.collect())
}

/// The parser's verdict on each named text, in the same order; `preview` allows the syntax behind feature flags.
pub(crate) fn judge<'a>(
    texts: impl IntoIterator<Item = (&'a str, &'a str)>,
    preview: bool,
) -> Option<Vec<Verdict>> {
    let mut requests = tempfile::tempfile().unwrap();
    for (name, text) in texts {
        writeln!(requests, "{}", serde_json::json!({ "name": name, "text": text })).unwrap();
    }
    std::io::Seek::rewind(&mut requests).unwrap();
    let mut script = script()?;
    script.arg("--parser-only").stdin(Stdio::from(requests));
    if preview {
        script.arg("--preview");
    }
    Some(verdicts(&mut script))
}

#[track_caller]
fn script() -> Option<Command> {
    let node = tool::find("node")?;
    // The packages are no programs; Prettier comes from the same lock file.
    tool::find("prettier")?;
    let mut command = node.command();
    command.arg(tool::repository().join("tests/tools/github-workflow.mjs"));
    Some(command)
}

fn verdicts(script: &mut Command) -> Vec<Verdict> {
    let (output, stdout, stderr) = run(script);
    assert!(output.status.success(), "{script:?}: {stderr}");
    stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Where the published parser is known to differ from the golden cases that GitHub's server follows: it leaves
/// these limits unchecked, and is stricter in the last two.
const DIFFERS: [&str; 5] = [
    "errors-matrix-empty-vector.yml",
    "errors-matrix-max-depth.yml",
    "errors-max-result-size.yml",
    "on-workflow_dispatch-unknown-keys-ignored.yml",
    "yaml-schema-sequence.yml",
];

/// The parser says here what GitHub's golden cases say: nothing around it changes its verdict.
#[test]
fn agrees_with_the_golden_cases() {
    let Some(data) = tool::data() else { return };
    let mut cases = Vec::new();
    for file in super::files_in(&data.join("languageservices/reader")) {
        let case = std::fs::read_to_string(&file).unwrap();
        // Options, the workflow and what is expected; cases of several workflows are left out.
        let parts: Vec<_> = case.split("\n---\n").collect();
        if let [options, workflow, expected] = parts[..]
            && !options.contains("- TypeScript")
        {
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            cases.push((name, workflow.to_owned(), expected.contains("\"errors\": [")));
        }
    }
    assert!(cases.len() > 50, "only {} cases", cases.len());

    let texts = cases.iter().map(|(name, workflow, _)| (name.as_str(), workflow.as_str()));
    let Some(verdicts) = judge(texts, true) else { return };
    assert_eq!(verdicts.len(), cases.len());
    for ((name, _, refused), verdict) in cases.iter().zip(&verdicts) {
        assert_eq!(*name, verdict.name);
        let differs = verdict.accepted == *refused;
        assert_eq!(differs, DIFFERS.contains(&name.as_str()), "{name}: {:?}", verdict.parser);
    }
}
