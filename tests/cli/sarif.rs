use std::fs;

use serde_json::{Value, json};

use super::{MANIFEST, TEST, make_stale, rendered};
use crate::repo::{Ran, Repo};
use crate::tool;

/// The log, which SARIF's own validator has nothing against: neither by the standard, nor by what GitHub takes.
#[track_caller]
fn log(ran: &Ran<'_>) -> Option<Value> {
    assert_eq!(ran.err(), "");
    let log: Value = serde_json::from_str(&ran.out()).unwrap();
    let found = complaints(&log)?;
    assert_eq!(found, json!([]), "{found:#}");
    Some(log)
}

/// What the validator calls an error or a warning; its notes ask for more than a finding has.
fn complaints(log: &Value) -> Option<Value> {
    let validator = tool::find("Sarif.Multitool")?;
    let directory = tempfile::tempdir().unwrap();
    let (file, verdict) = (directory.path().join("log.sarif"), directory.path().join("verdict.sarif"));
    fs::write(&file, log.to_string()).unwrap();
    let mut command = validator.command();
    command.env("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1").current_dir(directory.path());
    command.args(["validate", "log.sarif", "--output", "verdict.sarif", "--rule-kind", "Sarif;Ghas"]);
    let output = command.args(["--level", "Error;Warning", "--kind", "Fail"]).output().unwrap();
    let text = fs::read_to_string(verdict).unwrap_or_default();
    let verdict: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stdout)));
    Some(verdict["runs"][0]["results"].clone())
}

#[test]
fn findings_in_a_workflow_file() {
    let repo = Repo::new();
    repo.write(
        "some folder/ü.yml",
        "on: push\npermissions: {}\njobs:\n  one:\n    permissions: {}\n    runs-on: ubuntu-24.04\n    steps:\n      \
         - run: echo ${{ github.head_ref }}\n        shell: bash\n",
    );
    let ran = repo.run(["validate", "some folder/ü.yml", "--format", "sarif"]).exits(1);
    let Some(log) = log(&ran) else { return };
    let run = &log["runs"][0];
    assert_eq!(run["tool"]["driver"]["name"], "pyfleet-gen");
    assert_eq!(run["invocations"], json!([{ "executionSuccessful": true, "exitCode": 1 }]));
    let ids: Vec<&Value> =
        run["results"].as_array().unwrap().iter().map(|result| &result["ruleId"]).collect();
    assert_eq!(ids, ["timeout-set", "run-no-expression"]);
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        let rule = &run["tool"]["driver"]["rules"][index];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(rule["help"]["markdown"].as_str().unwrap().contains("## Instead"), "{rule:#}");
    }
    let place = &run["results"][1]["locations"][0];
    assert_eq!(place["physicalLocation"]["artifactLocation"]["uri"], "some%20folder/%C3%BC.yml");
    assert_eq!(
        place["physicalLocation"]["region"],
        json!({ "startLine": 8, "startColumn": 19, "endLine": 8, "endColumn": 41 })
    );
    assert_eq!(place["logicalLocations"], json!([{ "fullyQualifiedName": "jobs.one.steps[0].run" }]));
}

#[test]
fn mistakes_of_a_manifest_and_files_that_are_not_current() {
    let repo = Repo::new();
    repo.manifest("version: 1\nproject: demo\nverison: 2\n");
    let ran = repo.run(["check", "--format", "sarif"]).exits(2);
    let Some(broken) = log(&ran) else { return };
    let run = &broken["runs"][0];
    assert_eq!(run["invocations"], json!([{ "executionSuccessful": false, "exitCode": 2 }]));
    let messages: Vec<&str> = run["results"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|result| result["message"]["text"].as_str())
        .collect();
    assert!(
        messages
            .iter()
            .any(|text| text.starts_with("unknown key `verison`\nhelp: did you mean `version`?\nhelp: ")),
        "{messages:?}"
    );

    let repo = rendered();
    let ran = make_stale(&repo).run(["check", "--format", "sarif"]).exits(1);
    let Some(stale) = log(&ran) else { return };
    let results = stale["runs"][0]["results"].as_array().unwrap();
    assert!(results.iter().all(|result| result["ruleId"] == "not-current" && result["level"] == "error"));
    let named =
        |result: &Value| result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].clone();
    assert!(results.iter().any(|result| named(result) == TEST), "{results:#?}");
}

#[test]
fn nothing_found_is_a_log_too() {
    let repo = Repo::new();
    let ran = repo.manifest(MANIFEST).run(["validate", "--format", "sarif"]).exits(0);
    let Some(log) = log(&ran) else { return };
    assert_eq!(log["runs"][0]["results"], json!([]));
    assert_eq!(log["runs"][0]["invocations"], json!([{ "executionSuccessful": true, "exitCode": 0 }]));
}

/// The validator is one that can find something.
#[test]
fn a_log_without_a_version_is_refused() {
    let Some(found) =
        complaints(&json!({ "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "runs": [{}] }))
    else {
        return;
    };
    assert_ne!(found, json!([]));
}
