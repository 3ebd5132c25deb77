//! The cases that GitHub tests its own readers with: what its server accepts and refuses.

use std::collections::BTreeMap;

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

#[test]
fn the_golden_cases_are_judged_as_github_judges_them() {
    let Some(data) = tool::data() else { return };
    let cases = files(&data.join("languageservices/reader"));
    let differs: BTreeMap<&str, &str> = DIFFERS.iter().copied().collect();
    let mut wrong = Vec::new();
    for (name, case) in &cases {
        // Options, one or more workflows, and what is expected.
        let parts: Vec<&str> = case.split("\n---\n").collect();
        let [_, workflows @ .., expected] = parts.as_slice() else { panic!("{name} is no case") };
        let refused = expected.contains("\"errors\": [");
        let own: Vec<_> = workflows.iter().take(1).flat_map(|text| refusals(name, text)).collect();
        if (refused == !own.is_empty()) == differs.contains_key(name.as_str()) {
            wrong.push(format!("{name}: refused {refused}, own {}", shown(&own)));
        }
    }
    assert!(differs.len() * 100 <= cases.len() * 3, "too many exceptions");
    assert!(
        cases.len() > 90 && wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}
