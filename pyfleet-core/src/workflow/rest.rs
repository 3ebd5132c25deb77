//! What a file means beside what GitHub refuses in it, so that one mistake does not hide the others.
//!
//! What [`super::parse`] refused is taken out of the tree: a key with its value, an item of a list by one that says
//! nothing, so that every other thing keeps its place. What follows from a thing that was taken out is not found:
//! nothing at it or below it, and nothing about its absence.

use super::{Workflow, cron, inputs, structure};
use crate::diagnostic::{Diagnostic, Diagnostics, Part, Path, Place, Segment, Severity};
use crate::source::Source;
use crate::yaml::decode::{MAX_FINDINGS, decode_partly};
use crate::yaml::tree::{Document, Node, Value};

/// How often a thing is taken out because of what was taken out before.
const ROUNDS: usize = 4;

/// The lists whose items are mappings.
const MAPPINGS: &[&str] = &["steps", "parallel", "schedule", "include", "exclude"];

/// The rules that find what a step lacks: not asked beside a mistake in the same step, or around it.
const OF_STEPS: &[&str] = &[
    "action-inputs",
    "artifact-path-narrow",
    "checkout-no-credentials",
    "shell-fail-fast",
    "taint-up",
    "tool-version-exact",
];

/// The rules that find what a job or the file lacks, or has in vain: not asked beside a mistake in the same job, or
/// around it.
const OF_JOBS: &[&str] = &[
    "concurrency-policy",
    "oidc-fork-guard",
    "oidc-permission-match",
    "permissions-explicit",
    "permissions-minimal",
    "secret-outside-environment",
    "skip-cascade",
    "timeout-set",
];

/// A workflow as far as it can be understood. It serves only to look for further mistakes.
#[derive(Debug, Clone)]
pub struct Rest {
    /// What is left of its meaning; what is missing is made up.
    pub workflow: Workflow,
    /// What is left of its text.
    pub document: Document,
    /// All of its text.
    pub whole: Document,
    /// What GitHub refuses in what is left, with places.
    pub mistakes: Diagnostics,
    refused: Vec<Refused>,
}

/// A thing that was taken out, or the mapping that something is missing of.
#[derive(Debug, Clone)]
struct Refused {
    path: Path,
    is_missing: bool,
    is_unknown: bool,
}

/// What is left of a workflow beside the mistakes that [`super::parse`] found in it; nothing where it is not YAML, or
/// where too much is wrong.
///
/// ```
/// use pyfleet_core::source::Source;
/// use pyfleet_core::workflow;
///
/// let text = "on: push\njobs: {a: {runs-on: x, nme: y, steps: [{}]}}\n";
/// let source = Source::new("ci.yml", text);
/// let (read, mistakes) = workflow::parse(source.clone());
/// assert!(read.is_none());
/// let rest = workflow::rest(source, &mistakes).unwrap();
/// assert_eq!(rest.mistakes.iter().next().unwrap().message, "a step needs `uses` or `run`");
/// ```
#[must_use]
pub fn rest(source: Source, mistakes: &Diagnostics) -> Option<Rest> {
    if mistakes.len() >= MAX_FINDINGS {
        return None;
    }
    let whole = Document::parse_workflow_repeating(source)?;
    let mut document = whole.clone();
    let mut refused = Vec::new();
    take_out(&mut document.root, mistakes, &mut refused);
    let mut mistakes = Diagnostics::new();
    let workflow = (0..ROUNDS).find_map(|_| {
        let (workflow, wrong) = decode_partly::<Workflow>(&document.root);
        let is_new = |finding: &&Diagnostic| !is_about(&refused, &document, &finding.place);
        let wrong: Diagnostics = wrong.iter().filter(is_new).cloned().collect();
        take_out(&mut document.root, &wrong, &mut refused);
        let is_done = wrong.is_empty();
        mistakes.extend(wrong);
        is_done.then_some(workflow)
    })??;
    let mut found = structure::mistakes(&workflow, &whole);
    found.extend(inputs::mistakes(&workflow, &document));
    found.extend(cron::mistakes(&workflow));
    let mut rest = Rest { workflow, document, whole, mistakes, refused };
    let found = rest.beside(found);
    rest.mistakes.extend(found);
    rest.whole.locate(&mut rest.mistakes);
    Some(rest)
}

impl Rest {
    /// The findings that do not follow from what was taken out.
    #[must_use]
    pub fn beside(&self, findings: Diagnostics) -> Diagnostics {
        let is_own = |finding: &Diagnostic| {
            !is_about(&self.refused, &self.document, &finding.place)
                && !self.refused.iter().any(|refused| refused.explains(finding))
        };
        findings.into_iter().filter(is_own).collect()
    }
}

impl Refused {
    /// Whether a finding may say that this thing lacks, though it stands at another place.
    fn explains(&self, finding: &Diagnostic) -> bool {
        let place = &finding.place.path;
        let (job, step) = self.surroundings();
        let is_elsewhere = |job: &Path| place.segments().first() != job.segments().first();
        match finding.code {
            // A key that nobody knows may be meant as one that decides what may stand beside it.
            "workflow-structure" => self.is_unknown && self.path.parent() == place.parent(),
            // What another job's outputs are, and what it waits for.
            "needs-context-declared" => job.is_some() && step.is_none(),
            code if OF_STEPS.contains(&code) => step.or(job).is_none_or(|own| own.contains(place)),
            code if OF_JOBS.contains(&code) => {
                job.is_none_or(|job| job.contains(place) || is_elsewhere(&job))
            }
            _ => false,
        }
    }

    /// The job and the step that this stands in.
    fn surroundings(&self) -> (Option<Path>, Option<Path>) {
        let way = self.path.segments();
        let is_in_job = way.first() == Some(&Segment::from("jobs")) && way.len() > 1;
        let is_in_step = is_in_job && way.len() > 3 && way.get(2) == Some(&Segment::from("steps"));
        let upper = |length: usize| Path::of(way.iter().take(length).cloned());
        (is_in_job.then(|| upper(2)), is_in_step.then(|| upper(4)))
    }
}

/// Whether a place is one that was taken out, below it, or one that lacks it.
fn is_about(refused: &[Refused], document: &Document, place: &Place) -> bool {
    refused.iter().any(|Refused { path, is_missing, .. }| {
        let parent = if *is_missing { path.clone() } else { path.parent() };
        (!is_missing && path.contains(&place.path))
            || parent == place.path
            || (parent.contains(&place.path)
                && document.node(&place.path).is_none()
                && is_child(&parent, place))
    })
}

fn is_child(parent: &Path, place: &Place) -> bool {
    place.path.segments().len() == parent.segments().len() + 1
}

/// Whether a finding says that a key or a value is not the language's.
fn is_refusal(finding: &Diagnostic) -> bool {
    let is_expression = finding.code == "expression" && !matches!(finding.place.part, Part::Within(_));
    let known = ["unknown-key", "missing-key", "wrong-type", "invalid-value"].contains(&finding.code);
    finding.severity == Severity::Error && (known || is_expression)
}

fn take_out(root: &mut Node, mistakes: &Diagnostics, refused: &mut Vec<Refused>) {
    for mistake in mistakes.iter().filter(|mistake| is_refusal(mistake)) {
        let path = &mistake.place.path;
        let is_missing = mistake.code == "missing-key";
        if !is_missing {
            replace(root, path.segments(), &mut Vec::new());
        }
        // What an input's default and options may be depends on its type, what a runner is on all of its labels.
        let runner = path.segments().iter().take(3).position(|step| *step == Segment::from("runs-on"));
        let path = match (path.segments().last(), runner) {
            (Some(Segment::Key(key)), _) if key == "type" => path.parent(),
            (_, Some(2)) => Path::of(path.segments().iter().take(3).cloned()),
            _ => path.clone(),
        };
        refused.push(Refused { path, is_missing, is_unknown: mistake.code == "unknown-key" });
    }
}

fn replace(node: &mut Node, way: &[Segment], above: &mut Vec<String>) {
    let Some((step, below)) = way.split_first() else { return };
    match (step, &mut node.value) {
        (Segment::Key(key), Value::Mapping(entries)) => {
            let Some(at) = entries.iter().position(|(own, _)| own.as_str() == Some(key)) else { return };
            match (below, neutral_entry(above)) {
                ([], None) => drop(entries.remove(at)),
                ([], Some(value)) => entries[at].1.value = value,
                _ => {
                    above.push(key.to_string());
                    replace(&mut entries[at].1, below, above);
                }
            }
        }
        (Segment::Index(index), Value::Sequence(items)) => {
            let Some(item) = items.get_mut(*index) else { return };
            if below.is_empty() {
                let is_mapping = above.last().is_some_and(|list| MAPPINGS.contains(&list.as_str()));
                item.value =
                    if is_mapping { Value::Mapping(Vec::new()) } else { Value::String(String::new()) };
            } else {
                above.push(String::new());
                replace(item, below, above);
            }
        }
        _ => {}
    }
}

/// What stands for an entry whose name is its author's, and which others may ask for.
fn neutral_entry(above: &[String]) -> Option<Value> {
    let is_event = above.first().is_some_and(|first| first == "on");
    match above.last()?.as_str() {
        "jobs" if above.len() == 1 => Some(Value::Mapping(Vec::new())),
        "services" | "inputs" => Some(Value::Mapping(Vec::new())),
        "outputs" | "secrets" if is_event => Some(Value::Mapping(Vec::new())),
        "outputs" | "secrets" | "env" | "with" => Some(Value::String(String::new())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::rest;
    use crate::check::rules::{RULES, find};
    use crate::check::{Check, Subject, judge, run, run_beside};
    use crate::diagnostic::Path;
    use crate::reference_data;
    use crate::source::{Source, Span};
    use crate::workflow::parse;
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
}
