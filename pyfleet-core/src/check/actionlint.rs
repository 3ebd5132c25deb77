//! What actionlint's own cases and workflows of well-known repositories say about the judgement of expressions.
#![expect(clippy::print_stdout, reason = "the figures are worth reading")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::judge;
use super::rules::RULES;
use crate::diagnostic::{Diagnostics, Place, Severity};
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

/// The rules about what GitHub accepts and nothing comes of.
const ABOUT_FORM: &[&str] =
    &["called-workflow-named", "container-complete", "inputs-sane", "matrix-sane", "trigger-sane"];

/// Everything that is found in a text.
fn judged(text: &str) -> Diagnostics {
    judge(Source::new("case.yaml", text), RULES)
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let files = reference_data::files(folder.to_owned());
    files
        .into_iter()
        .filter(|file| file.extension().is_some_and(|end| end == "yaml" || end == "yml"))
        .collect()
}

/// The lines that a case of actionlint's expects a finding about expressions on, and whether it is about who wrote the
/// value, which is a question of injection here.
fn expected(output: &str) -> BTreeSet<(usize, bool)> {
    let about = |line: &&str| {
        ["expression", "if-cond"].iter().any(|kind| line.replace('\\', "").contains(&format!("[{kind}]")))
    };
    let number =
        |line: &str| Some((line.split(':').nth(1)?.parse().ok()?, line.contains("potentially untrusted")));
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
    assert!(
        all >= 60 && missed.len() * 20 <= all,
        "missed {} of {all}:\n{}",
        missed.len(),
        missed.join("\n")
    );
}

/// What other programs find in scripts, which they are asked for elsewhere.
const OF_OTHERS: &[&str] = &["shellcheck", "pyflakes"];

/// What is found on almost any line of actionlint's cases, and is about something else than they are.
const BESIDE_THE_CASE: &[&str] = &[
    "checkout-no-credentials",
    "concurrency-policy",
    "image-digest",
    "permissions-explicit",
    "run-no-expression",
    "shell-fail-fast",
    "timeout-set",
    "tool-version-exact",
    "uses-allowed",
    "uses-pinned",
];

/// What actionlint finds and nothing is found for here, with the reason.
const MISSED: &[(&str, usize, &str)] = &[
    ("action_metadata_syntax_validation", 8, "the action's own file is judged, not its user's"),
    ("cyclic_deps_needs", 3, "the circle is found at `needs`, one line below"),
    ("docker_specific_inputs_with_normal_action", 9, "the action is not in the catalogue"),
    ("docker_specific_inputs_with_normal_action", 10, "the action is not in the catalogue"),
    ("invalid_steps", 18, "that `steps` is empty is said at `steps`, not at the job too"),
    ("local_action_inputs", 7, "asks for the action's own file"),
    ("local_action_inputs", 13, "asks for the action's own file"),
    ("local_action_outputs", 15, "asks for the action's own file"),
    ("popular_action_inputs", 9, "the catalogue knows the inputs of another major version of the action"),
    ("schedule_invalid_timezone", 6, "`UTC` is a name of the IANA time zone database"),
    ("workflow_dispatch_input_types", 10, "a choice without an option is said once, at the input"),
];

/// Every line on which actionlint expects a finding, whatever it is about: something about it is found there, or points
/// there, too.
#[test]
fn finds_something_wherever_actionlint_does() {
    let Some(data) = reference_data::folder() else { return };
    let (mut all, mut missed) = (BTreeSet::new(), BTreeSet::new());
    for folder in ["actionlint/err", "actionlint/examples"] {
        for file in yaml_files(&data.join(folder)) {
            let source = Source::new("case.yaml", reference_data::text(file.clone()));
            let name = file.file_stem().unwrap().to_string_lossy().into_owned();
            let findings = judged(source.text());
            let line_of = |place: &Place| Some(source.position(place.span.clone()?.start).line);
            for expected in reference_data::text(file.with_extension("out")).lines() {
                let kind = expected.replace('\\', "");
                let kind =
                    kind.rsplit_once('[').map_or("", |(_, kind)| kind.trim_end_matches([']', '$', '/']));
                let line = expected.split(':').nth(1).and_then(|line| line.parse::<usize>().ok());
                let Some(line) = line.filter(|_| !OF_OTHERS.contains(&kind)) else { continue };
                let is_injection = expected.contains("potentially untrusted");
                let is_found = findings.iter().any(|finding| {
                    let is_about = !BESIDE_THE_CASE.contains(&finding.code)
                        || (is_injection && finding.code == "run-no-expression");
                    let labels = finding.labels.iter().map(|label| &label.place);
                    let mut places = std::iter::once(&finding.place).chain(labels);
                    // Where the text is no YAML, actionlint knows no line.
                    let is_anywhere = line == 0 && finding.code.starts_with("yaml-");
                    is_about && (is_anywhere || places.any(|place| line_of(place) == Some(line)))
                });
                all.insert((folder, name.clone(), line));
                if !is_found {
                    missed.insert((folder, name.clone(), line));
                }
            }
        }
    }
    println!("{} of {} lines found", all.len() - missed.len(), all.len());
    let known = |name: &str, line| MISSED.iter().any(|(own, at, _)| *own == name && *at == line);
    let unknown: Vec<_> = missed.iter().filter(|(_, name, line)| !known(name, *line)).collect();
    assert!(unknown.is_empty(), "missed without a reason: {unknown:#?}");
    assert_eq!(missed.len(), MISSED.len(), "what is found is not in the list: {missed:#?}");
    assert!(all.len() >= 200 && missed.len() * 20 <= all.len());
}

#[test]
fn objects_to_nothing_that_actionlint_accepts() {
    let Some(data) = reference_data::folder() else { return };
    let mut objections = Vec::new();
    for file in yaml_files(&data.join("actionlint/ok")) {
        let source = Source::new("case.yaml", reference_data::text(file.clone()));
        for finding in &judged(source.text()) {
            let is_judged = ABOUT_EXPRESSIONS.contains(&finding.code) || ABOUT_FORM.contains(&finding.code);
            if is_judged && finding.severity == Severity::Error {
                let line = source.position(finding.place.span.clone().unwrap_or_default().start).line;
                objections.push(format!("{}:{line}: [{}] {}", file.display(), finding.code, finding.message));
            }
        }
    }
    assert!(objections.is_empty(), "{}", objections.join("\n"));
}

/// GitHub runs all of these, so that nothing in them is refused; what else is found was read and is as it says:
/// misspelt members, steps of other jobs, a boolean compared with a text, conditions that somebody switched off.
#[test]
fn refuses_nothing_that_well_known_repositories_run() {
    let Some(data) = reference_data::folder() else { return };
    let (mut files, mut refused, mut judged_wrong) = (0, Vec::new(), Vec::new());
    for file in yaml_files(&data.join("corpus/workflows")) {
        files += 1;
        let source = Source::new("case.yaml", reference_data::text(file.clone()));
        for finding in &judged(source.text()) {
            let line = source.position(finding.place.span.clone().unwrap_or_default().start).line;
            let name = file.file_name().unwrap().to_string_lossy();
            let said = format!("{name}:{line}: [{}] {}", finding.code, finding.message);
            match finding.code {
                "expression" => refused.push(said),
                code if ABOUT_EXPRESSIONS.contains(&code) => judged_wrong.push(said),
                _ => {}
            }
        }
    }
    println!("{} findings in {files} workflows\n{}", judged_wrong.len(), judged_wrong.join("\n"));
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    assert!(
        files > 600 && judged_wrong.len() * 10 < files,
        "{} findings in {files} workflows",
        judged_wrong.len()
    );
}

/// Nothing takes the square of what is found: each finding is placed in the time of a look.
#[test]
fn a_large_file_of_mistakes_is_judged() {
    let step = "      - run: echo ${{ github.event_nam }} ${{ steps.none.outputs.x }} ${{ env.A == true }}\n        if: github.x\n";
    let head = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n";
    let text = format!("{head}{}", step.repeat(1_000));
    let findings = judged(&text);
    assert!(findings.iter().filter(|finding| finding.code == "expr-typed").count() >= 4_000);
    // One expression after the other in one text, and one expression of many mistakes.
    let text = format!("{head}      - run: >-\n          {}\n", "${{ github.x }} ".repeat(5_000));
    assert!(judged(&text).len() >= 5_000);
    let many = format!("{head}      - if: {}\n        run: x\n", ["github.x"; 1_700].join(" || "));
    assert!(judged(&many).len() >= 1_700);
}
