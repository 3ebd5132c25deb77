//! What GitHub refuses although every key and its value are right: keys that exclude each other, containers without an
//! image, groups of runners that are none, steps that wait for steps which are not there (`workflow-v1.0.json`, the
//! alternatives of `job` and `steps-item`; `workflow-parser`, `converter`).

use super::{Job, Step, Workflow};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::expression::opens_in;
use crate::yaml::tree::{Document, Node, Value};
use crate::yaml::way::Way;

/// The keys beside `uses` of a job that calls a workflow.
const CALL: &[&str] =
    &["name", "uses", "with", "secrets", "needs", "if", "permissions", "concurrency", "strategy"];

/// The keys that say what a step does, of which it has one, and what may stand beside them.
const FORMS: &[(&str, &[&str])] = &[
    (
        "run",
        &[
            "name",
            "id",
            "if",
            "timeout-minutes",
            "continue-on-error",
            "env",
            "working-directory",
            "shell",
            "background",
        ],
    ),
    ("uses", &["name", "id", "if", "timeout-minutes", "continue-on-error", "env", "with", "background"]),
    ("wait", &["name", "id", "continue-on-error"]),
    ("wait-all", &["name", "id", "continue-on-error"]),
    ("cancel", &["name", "id", "continue-on-error"]),
    ("parallel", &[]),
];

/// The keys that say what a step does.
#[cfg(feature = "schema")]
pub(super) fn forms() -> impl Iterator<Item = &'static str> {
    FORMS.iter().map(|(form, _)| *form)
}

/// What cannot stand together in a workflow.
pub(super) fn mistakes(workflow: &Workflow, document: &Document) -> Diagnostics {
    let mut reader = Reader { way: Way::from(&document.root), mistakes: Diagnostics::new() };
    if workflow.jobs.is_empty() {
        reader.report(Place::key(Path::of(["jobs"])), "a workflow needs at least one job");
    }
    for (place, id, job) in workflow.jobs_at() {
        let node = reader.way.node(&place);
        reader.judge_job(&place, node, id, job);
        let steps = node.and_then(|node| node.get("steps")).map(Node::items).unwrap_or_default();
        reader.judge_steps(&job.steps, steps, &place.key("steps"), false);
    }
    reader.mistakes
}

struct Reader<'a> {
    /// To the job or the service that is judged.
    way: Way<'a>,
    mistakes: Diagnostics,
}

impl Reader<'_> {
    fn report(&mut self, place: impl Into<Place>, message: impl Into<String>) {
        self.mistakes.push(Diagnostic::error("workflow-structure", place, message));
    }

    fn judge_job(&mut self, place: &Path, node: Option<&Node>, id: &str, job: &Job) {
        let keys = || keys(node);
        let says = |wanted: &str| keys().any(|key| key == wanted);
        if job.uses.is_some() || says("uses") {
            for key in keys().filter(|key| !CALL.contains(key)) {
                self.report(
                    Place::key(place.key(key)),
                    format!("`{key}` cannot stand beside `uses` of a job"),
                );
            }
            return;
        }
        if job.runs_on.is_none() && !says("runs-on") {
            self.report(Place::key(place.clone()), format!("`{id}` has neither `runs-on` nor `uses`"));
        }
        for key in keys().filter(|key| matches!(*key, "with" | "secrets")) {
            self.report(Place::key(place.key(key)), format!("`{key}` belongs to a job with `uses`"));
        }
        if let Some(reason) = job.runs_on.as_ref().and_then(|runner| wrong_group(runner.group.as_deref()?)) {
            self.report(place.key("runs-on").key("group"), reason);
        }
        if is_incomplete(node.and_then(|node| node.get("container"))) {
            self.report_container(place.key("container"));
        }
        for service in job.services.keys() {
            let place = place.key("services").key(service);
            if is_incomplete(self.way.node(&place)) {
                self.report_container(place);
            }
        }
    }

    fn report_container(&mut self, place: Path) {
        self.report(Place::key(place), "a container needs an `image`");
    }

    fn judge_steps(&mut self, steps: &[Step], nodes: &[Node], list: &Path, in_parallel: bool) {
        let mut known: Vec<&str> = Vec::new();
        for (position, step) in steps.iter().enumerate() {
            let (place, node) = (|| list.index(position), nodes.get(position));
            self.judge_keys(place, node, in_parallel);
            known.extend(step.id.as_deref());
            let is_list = node.and_then(|node| node.get("wait")).is_some_and(|wait| !wait.items().is_empty());
            let targets = step.wait.iter().enumerate().map(|(at, target)| {
                let wait = place().key("wait");
                (if is_list { wait.index(at) } else { wait }, target)
            });
            let targets: Vec<_> =
                targets.chain(step.cancel.iter().map(|target| (place().key("cancel"), target))).collect();
            for (place, target) in targets {
                let own = step.id.as_deref();
                let is_own = own.is_some_and(|own| own.eq_ignore_ascii_case(target));
                if is_own || !known.contains(&target.as_str()) {
                    self.report(place, format!("no step above has the id `{target}`"));
                }
            }
            if step.wait_all == Some(false.into()) {
                self.report(place().key("wait-all"), "`wait-all` is `true` or left out");
            }
            if !step.parallel.is_empty() {
                let nodes = node.and_then(|node| node.get("parallel")).map(Node::items).unwrap_or_default();
                self.judge_steps(&step.parallel, nodes, &place().key("parallel"), true);
            }
        }
    }

    fn judge_keys(&mut self, place: impl Fn() -> Path, node: Option<&Node>, in_parallel: bool) {
        let keys = || keys(node);
        let mut forms = keys().filter_map(|key| FORMS.iter().find(|(form, _)| key == *form));
        let (form, beside) = match (forms.next(), forms.next()) {
            (Some(form), None) => form,
            (None, _) => return self.report(Place::key(place()), "a step needs `uses` or `run`"),
            (Some((first, _)), Some((second, _))) => {
                let message = format!("a step does one thing: `{first}` and `{second}` exclude each other");
                let finding =
                    Diagnostic::error("workflow-structure", Place::key(place().key(second)), message);
                let label = Place::key(place().key(first));
                return self.mistakes.push(finding.with_label(label, format!("`{first}` stands here")));
            }
        };
        for key in keys().filter(|key| key != form && !beside.contains(key)) {
            self.report(
                Place::key(place().key(key)),
                format!("`{key}` cannot stand beside `{form}` of a step"),
            );
        }
        if in_parallel {
            let wrong = if matches!(*form, "run" | "uses") { "background" } else { form };
            if keys().any(|key| key == wrong) {
                let message =
                    format!("`{wrong}` cannot stand in `parallel`, whose steps run in the background");
                self.report(Place::key(place().key(wrong)), message);
            }
        }
    }
}

fn keys(node: Option<&Node>) -> impl Iterator<Item = &str> {
    node.map(Node::entries).unwrap_or_default().iter().filter_map(|(key, _)| key.as_str())
}

/// Whether a container is a map without an image, and no expression somewhere in it could say anything.
fn is_incomplete(container: Option<&Node>) -> bool {
    container.is_some_and(|node| {
        matches!(node.value, Value::Mapping(_)) && node.get("image").is_none() && !is_computed(node)
    })
}

/// Whether an expression stands anywhere in a value.
fn is_computed(node: &Node) -> bool {
    let has_expression = |node: &Node| node.as_str().is_some_and(opens_in);
    has_expression(node)
        || node.items().iter().any(is_computed)
        || node.entries().iter().any(|(key, value)| has_expression(key) || is_computed(value))
}

fn wrong_group(group: &str) -> Option<&'static str> {
    if opens_in(group) {
        return None;
    }
    match group.split_once('/') {
        None => None,
        Some((_, name)) if name.contains('/') => Some("a group of runners has at most one `/`"),
        Some((owner, _)) if !["org", "organization", "ent", "enterprise"].contains(&owner) => {
            Some("only `organization/` and `enterprise/` can stand before the name of a group of runners")
        }
        Some((_, "")) => Some("the group of runners has no name"),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::source::Source;
    use crate::workflow::parse;

    fn mistakes(jobs: &str) -> Vec<String> {
        let (_, findings) = parse(Source::new("ci.yml", format!("{{on: push, jobs: {jobs}}}")));
        findings.iter().map(|finding| format!("{}: {}", finding.place.path, finding.message)).collect()
    }

    #[test]
    fn keys_that_exclude_each_other() {
        for (jobs, expected) in [
            ("{}", "jobs: a workflow needs at least one job"),
            ("{a: {steps: []}}", "jobs.a: `a` has neither `runs-on` nor `uses`"),
            (
                "{a: {uses: ./x.yml, runs-on: x}}",
                "jobs.a.runs-on: `runs-on` cannot stand beside `uses` of a job",
            ),
            ("{a: {runs-on: x, secrets: inherit}}", "jobs.a.secrets: `secrets` belongs to a job with `uses`"),
            ("{a: {runs-on: x, steps: [{name: y}]}}", "jobs.a.steps[0]: a step needs `uses` or `run`"),
            (
                "{a: {runs-on: x, steps: [{uses: ./x, run: y}]}}",
                "jobs.a.steps[0].run: a step does one thing: `uses` and `run` exclude each other",
            ),
            (
                "{a: {runs-on: x, steps: [{uses: ./x, shell: bash}]}}",
                "jobs.a.steps[0].shell: `shell` cannot stand beside `uses` of a step",
            ),
            (
                "{a: {runs-on: x, steps: [{wait-all: , env: {}}]}}",
                "jobs.a.steps[0].env: `env` cannot stand beside `wait-all` of a step",
            ),
            (
                "{a: {runs-on: x, steps: [{run: y, id: z}, {cancel: Z}]}}",
                "jobs.a.steps[1].cancel: no step above has the id `Z`",
            ),
            (
                "{a: {runs-on: x, steps: [{parallel: [{run: y, background: true}]}]}}",
                "jobs.a.steps[0].parallel[0].background: `background` cannot stand in `parallel`, whose steps run in the background",
            ),
            (
                "{a: {runs-on: x, steps: [{wait-all: false}]}}",
                "jobs.a.steps[0].wait-all: `wait-all` is `true` or left out",
            ),
            ("{a: {runs-on: x, container: {options: y}}}", "jobs.a.container: a container needs an `image`"),
            (
                "{a: {runs-on: {group: a/b}}}",
                "jobs.a.runs-on.group: only `organization/` and `enterprise/` can stand before the name of a group of runners",
            ),
        ] {
            assert_eq!(mistakes(jobs), [expected], "{jobs}");
        }
    }

    #[test]
    fn the_forms_pass() {
        let jobs = "{a: {runs-on: x, steps: [{run: y, shell: bash}, {uses: ./x, with: {}}, {wait-all: }]},
                     b: {uses: ./x.yml, with: {}, secrets: inherit}}";
        assert_eq!(mistakes(jobs), [""; 0]);
    }
}
