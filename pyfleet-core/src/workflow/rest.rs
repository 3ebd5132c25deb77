//! What a file means beside what GitHub refuses in it, so that one mistake does not hide the others.
//!
//! What [`super::parse`] refused is taken out of the tree: a key with its value, an item of a list by one that says
//! nothing, so that every other thing keeps its place. What follows from a thing that was taken out is not found:
//! nothing at it or below it, and nothing about its absence.

use smol_str::SmolStr;

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
    "never-runs",
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
                    if is_mapping { Value::Mapping(Vec::new()) } else { Value::String(SmolStr::default()) };
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
        "outputs" | "secrets" | "env" | "with" => Some(Value::String(SmolStr::default())),
        _ => None,
    }
}
