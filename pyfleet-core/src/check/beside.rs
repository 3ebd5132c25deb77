//! One mistake of a workflow hides no other, and makes none.

use std::collections::BTreeSet;

use super::rules::{RULES, find};
use super::{Check, Subject, judge, run, run_beside};
use crate::diagnostic::Path;
use crate::reference_data;
use crate::source::{Source, Span};
use crate::workflow::{parse, rest};
use crate::yaml::tree::{Node, Value};

/// Everything that is found beside what the reader refuses, by path and code.
fn beside(text: &str) -> Vec<String> {
    let source = Source::new("ci.yml", text);
    let (read, refused) = parse(source.clone());
    assert!(read.is_none() && !refused.is_empty());
    let all = judge(source, RULES);
    let own = all.iter().filter(|finding| {
        !refused.iter().any(|other| other.place == finding.place && other.code == finding.code)
    });
    own.map(|finding| format!("{}: {}", finding.place.path, finding.code)).collect()
}

#[test]
fn the_rest_is_judged() {
    assert_eq!(
        beside(
            "on: push\nfoo: bar\njobs:\n  a:\n    permissions: {}\n    runs-on: ubuntu-24.04\n    steps:\n      - \
             nothing\n      - {run: make, shell: fish}\n      - {}\n"
        ),
        ["jobs.a.steps[1].shell: shell-name", "jobs.a.steps[2]: workflow-structure"]
    );
}

#[test]
fn nothing_follows_from_what_was_taken_out() {
    let job = "    permissions: {}\n    runs-on: ubuntu-24.04\n    timeout-minutes: 5\n    steps: [{run: make, shell: bash}]\n";
    let head = "on: push\npermissions: {}\njobs:\n  a:\n";
    for text in [
        // What is missing.
        format!("{head}{}", job.replace("runs-on", "runs_on")),
        format!("{head}{}", job.replace("timeout-minutes: 5", "timeout-minutes: x")),
        format!("{head}{}", job.replace("[{run: make, shell: bash}]", "[{rn: make, shell: bash}]")),
        // What others ask for.
        format!("{head}{job}    needs: b\n  b: []\n"),
        format!("{head}{job}    env: [x]\n"),
        // What decides how others are read.
        "on: {workflow_dispatch: {inputs: {x: {type: chioce, options: [a], default: true}}}}\npermissions: \
         {}\njobs: {a: {permissions: {}, runs-on: ubuntu-24.04, timeout-minutes: 5, foo: x}}\n"
            .to_owned(),
        "on: {schedule: [{corn: 1 2 3 4 5}, 3]}\npermissions: {}\njobs: {a: {permissions: {}, runs-on: \
         ubuntu-24.04, timeout-minutes: 5, steps: []}}\n"
            .to_owned(),
    ] {
        assert_eq!(beside(&text), [""; 0], "{text}");
    }
}

/// Files with one key after the other misspelt, and one value after the other a list: no rule finds anything that it
/// did not find before.
#[test]
fn nothing_follows_from_one_mistake() {
    let Some(data) = reference_data::folder() else { return };
    let found = |text: &str| -> BTreeSet<(&'static str, String, Path)> {
        let source = Source::new("ci.yml", text);
        let (read, refused) = parse(source.clone());
        let findings = match read {
            Some((workflow, document)) => run(&Subject::workflow(&workflow, &document), RULES),
            None => run_beside(source, &refused, None, RULES),
        };
        let is_own = |code: &str| find(code).is_none_or(|rule| matches!(rule.check, Check::Workflow(_)));
        let own = findings.iter().filter(|finding| is_own(finding.code));
        own.map(|finding| (finding.code, finding.message.clone(), finding.place.path.clone())).collect()
    };
    let (mut mutants, mut follow) = (0, Vec::new());
    for file in reference_data::files(data.join("corpus/workflows")).into_iter().step_by(20) {
        let text = reference_data::text(file.clone());
        let Some((_, document)) = parse(Source::new("ci.yml", &*text)).0 else { continue };
        let before = found(&text);
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        collect(&document.root, &mut keys, &mut values);
        let misspelt = some(&keys).map(|key| (key.start + 1..key.start + 1, "zz"));
        let listed = some(&values).map(|value| (value.clone(), "[[]]"));
        for (place, inserted) in misspelt.chain(listed) {
            let mut mutant = text.clone();
            mutant.replace_range(place.clone(), inserted);
            let line = text[..place.start].matches('\n').count() + 1;
            if parse(Source::new("ci.yml", &*mutant)).0.is_some() {
                continue;
            }
            mutants += 1;
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            for (code, message, path) in found(&mutant).difference(&before) {
                follow.push(format!("{name}:{line}: {inserted}: {path}: {code}: {message}"));
            }
        }
    }
    assert!(mutants > 100, "{mutants}");
    assert!(follow.is_empty(), "{} of {mutants}:\n{}", follow.len(), follow.join("\n"));
}

/// Up to eight of them, from everywhere.
fn some(spans: &[Span]) -> impl Iterator<Item = &Span> {
    spans.iter().step_by((spans.len() / 8).max(1))
}

fn collect(node: &Node, keys: &mut Vec<Span>, values: &mut Vec<Span>) {
    for (key, value) in node.entries() {
        keys.push(key.span.clone());
        collect(value, keys, values);
    }
    node.items().iter().for_each(|item| collect(item, keys, values));
    if matches!(node.value, Value::String(_) | Value::Bool(_) | Value::Number(_)) {
        values.push(node.span.clone());
    }
}

#[test]
fn too_much_is_too_much() {
    let text = format!(
        "on: push\njobs: {{a: {{{}}}}}\n",
        (0..200).map(|i| format!("k{i}: x, ")).collect::<String>()
    );
    let source = Source::new("ci.yml", text);
    assert!(rest(source.clone(), &parse(source).1).is_none());
}
