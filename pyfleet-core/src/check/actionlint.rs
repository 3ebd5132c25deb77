//! What actionlint's own cases and workflows of well-known repositories say about the judgement of expressions.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::rules::RULES;
use super::judge;
use crate::diagnostic::{Diagnostics, Severity};
use crate::reference_data;
use crate::source::Source;

/// The rules that judge expressions, and the name of what the reader refuses in them.
const ABOUT_EXPRESSIONS: &[&str] = &[
    "bot-actor-check",
    "case-insensitive-guard",
    "expr-sound",
    "expr-typed",
    "expression",
    "literal-expression-open",
];

/// Everything that is found in a text.
fn judged(text: &str) -> Diagnostics {
    judge(Source::new("case.yaml", text), RULES)
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let files = reference_data::files(folder.to_owned());
    files.into_iter().filter(|file| file.extension().is_some_and(|end| end == "yaml" || end == "yml")).collect()
}

/// The lines that a case of actionlint's expects a finding about expressions on, and whether it is about who wrote the
/// value, which is a question of injection here.
fn expected(output: &str) -> BTreeSet<(usize, bool)> {
    let about = |line: &&str| ["expression", "if-cond"].iter().any(|kind| line.replace('\\', "").contains(&format!("[{kind}]")));
    let number = |line: &str| Some((line.split(':').nth(1)?.parse().ok()?, line.contains("potentially untrusted")));
    output.lines().filter(about).filter_map(number).collect()
}

#[test]
fn finds_what_actionlint_finds() {
    let Some(data) = reference_data::folder() else { return };
    let (mut all, mut missed) = (0, Vec::new());
    for folder in ["actionlint/err", "actionlint/examples"] {
        for file in yaml_files(&data.join(folder)) {
            let source = Source::new("case.yaml", reference_data::text(file.clone()));
            let found: BTreeSet<(usize, bool)> = judged(source.text())
                .iter()
                .filter_map(|finding| {
                    let is_other = RULES.iter().any(|rule| rule.code == finding.code)
                        && !ABOUT_EXPRESSIONS.contains(&finding.code)
                        && finding.code != "needs-context-declared";
                    let is_injection = finding.code == "run-no-expression";
                    let line = source.position(finding.place.span.clone()?.start).line;
                    (!is_other || is_injection).then_some((line, is_injection))
                })
                .collect();
            for line in expected(&reference_data::text(file.with_extension("out"))) {
                all += 1;
                if !found.contains(&line) {
                    missed.push(format!("{}:{}", file.display(), line.0));
                }
            }
        }
    }
    println!("{} of {all} lines found", all - missed.len());
    println!("{}", missed.join("\n"));
    assert!(all >= 60 && missed.len() * 20 <= all, "missed {} of {all}:\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn objects_to_nothing_that_actionlint_accepts() {
    let Some(data) = reference_data::folder() else { return };
    let mut objections = Vec::new();
    for file in yaml_files(&data.join("actionlint/ok")) {
        let source = Source::new("case.yaml", reference_data::text(file.clone()));
        for finding in &judged(source.text()) {
            if ABOUT_EXPRESSIONS.contains(&finding.code) && finding.severity == Severity::Error {
                let line = source.position(finding.place.span.clone().unwrap_or_default().start).line;
                objections.push(format!("{}:{line}: [{}] {}", file.display(), finding.code, finding.message));
            }
        }
    }
    assert!(objections.is_empty(), "{}", objections.join("\n"));
}

#[test]
#[ignore]
fn corpus() {
    let Some(data) = reference_data::folder() else { return };
    for file in yaml_files(&data.join("corpus/workflows")) {
        let source = Source::new("case.yaml", reference_data::text(file.clone()));
        for finding in &judged(source.text()) {
            if ABOUT_EXPRESSIONS.contains(&finding.code) {
                let span = finding.place.span.clone().unwrap_or_default();
                let line = source.position(span.start).line;
                println!("{}:{line}: {} [{}] {} | {:?}", file.file_name().unwrap().display(), finding.severity, finding.code, finding.message, source.text().lines().nth(line-1).unwrap_or_default().trim());
            }
        }
    }
}
