use std::collections::BTreeSet;
use std::fs;

use pyfleet_core::explanation;

use crate::repo::Repo;
use crate::tool;

#[test]
fn a_rule() {
    let repo = Repo::new();
    let ran = repo.run(["explain", "timeout-set"]).exits(0);
    let text = ran.out();
    assert!(text.starts_with("# timeout-set\n\nerror (timeouts): "), "{text}");
    for part in ["## What it does", "## Why", "## Example", "## Instead"] {
        assert!(text.contains(part), "{text}");
    }
    // As it stands in a report.
    assert_eq!(repo.run(["explain", "[timeout-set]"]).exits(0).out(), text);
}

#[test]
fn what_no_rule_finds() {
    let repo = Repo::new();
    let ran = repo.run(["explain", "unknown-key"]).exits(0);
    assert!(
        ran.out().starts_with("# unknown-key\n\nNothing reads a key of this name here. "),
        "{}",
        ran.out()
    );
}

#[test]
fn a_code_that_there_is_not() {
    let repo = Repo::new();
    repo.run(["explain", "timeout-sat"])
        .exits(2)
        .says("error: no finding has the code `timeout-sat`")
        .says("did you mean `timeout-set`?");
    repo.run(["explain", "\u{1b}[2Jx"])
        .exits(2)
        .says_not("\u{1b}")
        .says("`pyfleet-gen explain` lists every code");
}

#[test]
fn every_code_in_one_list() {
    let text = Repo::new().run(["explain"]).exits(0).out();
    let listed: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let codes: Vec<&str> = explanation::all().iter().map(|own| own.code()).collect();
    assert_eq!(listed, codes);
    let distinct: BTreeSet<&&str> = codes.iter().collect();
    assert_eq!(distinct.len(), codes.len(), "two findings share a code");
}

/// Whatever is found in a manifest of somebody who makes every mistake can be asked about.
#[test]
fn every_code_that_a_test_expects_is_explained() {
    let mut met = BTreeSet::new();
    for folder in ["tests/hostile/cases", "pyfleet-core/src", "pyfleet-gen/src", "tests/cli"] {
        collect(&tool::repository().join(folder), &mut met);
    }
    assert!(met.len() > 50, "{met:?}");
    // Codes that only a test of the report itself gives to a finding.
    let made_up = ["some-rule"];
    let unknown: Vec<&String> = met
        .iter()
        .filter(|code| !made_up.contains(&code.as_str()) && explanation::find(code).is_none())
        .collect();
    assert_eq!(unknown, [""; 0]);
}

/// What stands in brackets behind a severity.
fn collect(folder: &std::path::Path, met: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, met);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap_or_default();
        for severity in ["error[", "warning[", "note["] {
            for rest in text.split(severity).skip(1) {
                let code = rest.split(']').next().unwrap_or_default();
                let is_code =
                    !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
                if is_code {
                    met.insert(code.to_owned());
                }
            }
        }
    }
}
