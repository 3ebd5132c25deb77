//! The cases that GitHub tests its own readers with: what its server accepts and refuses.

use std::collections::BTreeMap;

use pyfleet_core::diagnostic::Diagnostic;
use pyfleet_core::source::Source;
use pyfleet_core::workflow::{self, Called, Calls, DefaultPermissions, Uses, Workflow};

use super::corpus::files;
use super::{refusals, shown};
use crate::tool;

/// Cases in which this project says something else, and why.
const DIFFERS: &[(&str, &str)] = &[
    ("errors-max-result-size.yml", "the case lowers the limit to 1,141 bytes; GitHub's own is 10 MiB"),
    (
        "yaml-schema-sequence.yml",
        "a comment without a blank before it (`]#`), which the YAML specification and GitHub's published parser refuse",
    ),
];

/// The workflows of a case that are called, by what calls name.
struct Others(BTreeMap<String, Workflow>);

impl Called for Others {
    fn workflow(&self, uses: &Uses) -> Option<&Workflow> {
        self.0.get(&uses.to_string())
    }
}

/// An option of a case, by its name.
fn option<'a>(options: &'a str, name: &str) -> Option<&'a str> {
    options.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// Why a case is refused: its workflow, or what that calls.
fn judged(name: &str, options: &str, workflow: &str, others: &[&str]) -> Vec<Diagnostic> {
    let mut said = refusals(name, workflow);
    let mut called = BTreeMap::new();
    for pair in others.chunks(2) {
        let [file, text] = pair else { panic!("{name} names a workflow without a text") };
        said.extend(refusals(file, text));
        if let (Some((workflow, _)), _) = workflow::parse(Source::new(*file, *text)) {
            called.insert((*file).to_owned(), workflow);
        }
    }
    if let (Some((workflow, _)), _) = workflow::parse(Source::new(name, workflow)) {
        let others = Others(called);
        let mut calls = Calls::of(&others);
        if option(options, "permissions-policy") == Some("Write") {
            calls = calls.with_default(DefaultPermissions::Permissive);
        }
        if let Some(depth) = option(options, "max-nested-reusable-workflows-depth") {
            calls = calls.with_depth(depth.parse().unwrap());
        }
        said.extend(calls.mistakes(&workflow));
    }
    said
}

#[test]
fn the_golden_cases_are_judged_as_github_judges_them() {
    let Some(data) = tool::data() else { return };
    let cases = files(&data.join("languageservices/reader"));
    let differs: BTreeMap<&str, &str> = DIFFERS.iter().copied().collect();
    let mut wrong = Vec::new();
    for (name, case) in &cases {
        // Options, a workflow, perhaps others with their names, and what is expected.
        let parts: Vec<&str> = case.split("\n---\n").collect();
        let [options, workflow, others @ .., expected] = parts.as_slice() else {
            panic!("{name} is no case")
        };
        let refused = expected.contains("\"errors\": [");
        let own = judged(name, options, workflow, others);
        if (refused != own.is_empty()) == differs.contains_key(name.as_str()) {
            wrong.push(format!("{name}: refused {refused}, own {}", shown(&own)));
        }
    }
    println!("{} cases, {} exceptions", cases.len(), differs.len());
    assert!(differs.len() * 100 <= cases.len() * 3, "too many exceptions");
    assert!(
        cases.len() > 90 && wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}
