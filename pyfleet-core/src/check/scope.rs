//! Of which types the contexts are at each place of one workflow.
//!
//! Read from the document, not from the model: what a workflow says wrongly elsewhere does not hide what it says here.
//! What depends on another file (a called workflow, an action that the catalogue does not know) can be anything.

use std::cell::OnceCell;
use std::sync::LazyLock;

use indexmap::IndexMap;

use crate::action::{Action, Catalogue};
use crate::diagnostic::{Path, Segment};
use crate::expression::types::{Object, Type, infer};
use crate::expression::{Context, known, opens_in, parse};
use crate::workflow::Uses;
use crate::yaml::tree::{Document, Node, Value};

/// The types of contexts in one workflow, each made when an expression reads it first.
pub(super) struct Scope<'a> {
    document: &'a Document,
    github: OnceCell<Type>,
    inputs: OnceCell<Type>,
    secrets: OnceCell<Type>,
    /// What `jobs` holds.
    results: OnceCell<Object>,
    jobs: IndexMap<&'a str, Job<'a>>,
}

struct Job<'a> {
    node: &'a Node,
    needs: OnceCell<Type>,
    matrix: OnceCell<Type>,
    steps: OnceCell<Steps>,
}

struct Steps {
    /// What `steps` holds.
    results: Object,
    /// How many steps with ids stand before each step.
    before: Vec<usize>,
}

impl<'a> Scope<'a> {
    pub(super) fn of(document: &'a Document) -> Self {
        let jobs = document.root.get("jobs").map(Node::entries).unwrap_or_default();
        let job =
            |node| Job { node, needs: OnceCell::new(), matrix: OnceCell::new(), steps: OnceCell::new() };
        Self {
            document,
            github: OnceCell::new(),
            inputs: OnceCell::new(),
            secrets: OnceCell::new(),
            results: OnceCell::new(),
            jobs: jobs.iter().filter_map(|(id, node)| Some((id.as_str()?, job(node)))).collect(),
        }
    }

    fn on(&self) -> Option<&'a Node> {
        self.document.root.get("on")
    }

    fn event(&self, name: &str) -> Option<&'a Node> {
        self.on()?.get(name)
    }

    fn results(&self) -> &Object {
        self.results.get_or_init(|| {
            Object::strict(self.jobs.iter().map(|(id, job)| (*id, known::of_job(outputs_of_job(job.node)))))
        })
    }

    /// The type of a context at a path.
    pub(super) fn context(&self, path: &Path, context: Context) -> Type {
        let (job, step) = match path.segments() {
            [Segment::Key(jobs), Segment::Key(id), below @ ..] if jobs == "jobs" => {
                let step = match below {
                    [Segment::Key(steps), Segment::Index(position), ..] if steps == "steps" => {
                        Some(*position)
                    }
                    _ => None,
                };
                (self.jobs.get(id.as_str()), step)
            }
            _ => (None, None),
        };
        match (context, job) {
            (Context::Github, _) => self.github.get_or_init(|| github(self.on())).clone(),
            (Context::Inputs, _) => {
                let (dispatch, call) = (self.event("workflow_dispatch"), self.event("workflow_call"));
                self.inputs.get_or_init(|| inputs(dispatch, call)).clone()
            }
            (Context::Secrets, _) => {
                self.secrets.get_or_init(|| secrets(self.on(), self.event("workflow_call"))).clone()
            }
            (Context::Jobs, _) => Type::Object(self.results().clone()),
            (Context::Needs, Some(job)) => job.needs(self.results()),
            (Context::Matrix, Some(job)) => job.matrix(),
            (Context::Steps, Some(job)) => {
                let Steps { results, before } = job.steps();
                let visible = step.and_then(|step| before.get(step)).copied().unwrap_or(usize::MAX);
                Type::Object(results.up_to(visible))
            }
            _ => known::context(context),
        }
    }
}

impl Job<'_> {
    fn needs(&self, results: &Object) -> Type {
        let needs = || texts(self.node.get("needs")).filter_map(|id| Some((id, results.get(id)?.clone())));
        self.needs.get_or_init(|| Type::strict(needs())).clone()
    }

    fn matrix(&self) -> Type {
        let strategy = self.node.get("strategy");
        self.matrix.get_or_init(|| matrix(strategy.and_then(|strategy| strategy.get("matrix")))).clone()
    }

    fn steps(&self) -> &Steps {
        self.steps.get_or_init(|| {
            let mut steps: Vec<(&str, Type)> = Vec::new();
            let mut before = Vec::new();
            for step in self.node.get("steps").map(Node::items).unwrap_or_default() {
                before.push(steps.len());
                steps_in(step, &mut steps);
            }
            Steps { results: Object::strict(steps), before }
        })
    }
}

/// The step's id, and those of the steps that it runs in parallel, with what `steps` holds of them.
fn steps_in<'a>(step: &'a Node, steps: &mut Vec<(&'a str, Type)>) {
    if let Some(id) = step.get("id").and_then(Node::as_str) {
        steps.push((id, of_step(step)));
    }
    for inner in step.get("parallel").map(Node::items).unwrap_or_default() {
        steps_in(inner, steps);
    }
}

/// A text, or the texts of a list.
fn texts(node: Option<&Node>) -> impl Iterator<Item = &str> {
    let one = node.and_then(Node::as_str);
    one.into_iter().chain(node.map(Node::items).unwrap_or_default().iter().filter_map(Node::as_str))
}

fn keys(node: Option<&Node>) -> impl Iterator<Item = &str> {
    node.map(Node::entries).unwrap_or_default().iter().filter_map(|(key, _)| key.as_str())
}

fn has_event(on: Option<&Node>, name: &str) -> bool {
    texts(on).chain(keys(on)).any(|own| own == name)
}

fn outputs_of_job(job: &Node) -> Type {
    let outputs = job.get("outputs");
    if job.get("uses").is_some()
        || keys(outputs).any(opens_in)
        || outputs.is_some_and(|own| own.as_str().is_some())
    {
        return known::TEXTS.clone();
    }
    Type::strict(keys(outputs).map(|name| (name, Type::String)))
}

/// Actions whose outputs depend on their inputs.
const COMPUTED_OUTPUTS: &[&str] = &["dorny/paths-filter"];

/// What `steps` holds of each action of the catalogue.
static OF_ACTIONS: LazyLock<IndexMap<&str, Type>> = LazyLock::new(|| {
    let outputs = |action: &'static Action| action.outputs.iter().map(|name| (name.as_str(), Type::String));
    let actions = Catalogue::get().actions().iter();
    actions.map(|action| (action.slug.as_str(), known::of_step(Type::strict(outputs(action))))).collect()
});

fn of_step(step: &Node) -> Type {
    let known = || {
        let uses: Uses = step.get("uses")?.as_str()?.parse().ok()?;
        let action = Catalogue::get().action(uses.slug()?)?;
        let is_fixed = !COMPUTED_OUTPUTS.contains(&action.slug.as_str()) && !action.outputs.is_empty();
        (is_fixed && is_known_version(uses.reference()?, &action.version, &action.commit)).then_some(action)
    };
    known().and_then(|action| OF_ACTIONS.get(action.slug.as_str())).unwrap_or(&known::STEP).clone()
}

/// Whether a reference names the catalogue's version or an earlier one, which has no other outputs.
fn is_known_version(reference: &str, version: &str, commit: &str) -> bool {
    let major = |version: &str| -> Option<u64> { version.strip_prefix('v')?.split('.').next()?.parse().ok() };
    reference.eq_ignore_ascii_case(commit)
        || major(reference).zip(major(version)).is_some_and(|(used, known)| used <= known)
}

fn github(on: Option<&Node>) -> Type {
    let dispatch = on.and_then(|on| on.get("workflow_dispatch"));
    // A called workflow has the event of its caller.
    if has_event(on, "workflow_call") || !has_event(on, "workflow_dispatch") {
        return known::context(Context::Github);
    }
    let inputs = keys(dispatch.and_then(|own| own.get("inputs"))).map(|name| (name, Type::String));
    known::github(Type::Object(Object::loose([("inputs", Type::strict(inputs))], Type::Any)))
}

fn inputs(dispatch: Option<&Node>, call: Option<&Node>) -> Type {
    let declared = |event: Option<&Node>| {
        let inputs = event.and_then(|event| event.get("inputs"));
        let entries = inputs.map(Node::entries).unwrap_or_default();
        let typed = entries.iter().filter_map(|(name, input)| {
            let of = match input.get("type").map(|of| of.as_str().unwrap_or_default()) {
                Some("boolean") => Type::Boolean,
                Some("number") => Type::Number,
                Some("string" | "choice" | "environment") | None => Type::String,
                Some(_) => Type::Any,
            };
            Some((name.as_str()?, of))
        });
        Type::strict(typed)
    };
    match (dispatch, call) {
        (one, None) | (None, one) => declared(one),
        (dispatch, call) => declared(dispatch).or(declared(call)),
    }
}

/// Secrets that a called workflow declares; a caller can pass on others with `inherit`, which only a workflow that
/// declares some does not expect.
fn secrets(on: Option<&Node>, call: Option<&Node>) -> Type {
    let declared = call.and_then(|call| call.get("secrets"));
    let is_only_called = keys(on).eq(["workflow_call"]);
    if !is_only_called || keys(declared).next().is_none() {
        return known::TEXTS.clone();
    }
    let always = ["GITHUB_TOKEN", "ACTIONS_STEP_DEBUG", "ACTIONS_RUNNER_DEBUG"];
    Type::strict(keys(declared).chain(always).map(|name| (name, Type::String)))
}

fn matrix(node: Option<&Node>) -> Type {
    let Some(node) = node else { return Type::strict::<String>([]) };
    if node.as_str().is_some() {
        return known::ANYTHING.clone();
    }
    let mut members: IndexMap<String, Type> = IndexMap::new();
    let mut is_open = false;
    let mut add = |name: &str, own: Type| {
        let known = members.entry(name.to_ascii_lowercase()).or_insert_with(|| own.clone());
        *known = std::mem::replace(known, Type::Any).or(own);
    };
    for (key, values) in node.entries() {
        let name = key.as_str().unwrap_or_default();
        match (name, &values.value) {
            ("exclude", _) => {}
            ("include", Value::Sequence(combinations)) => {
                for combination in combinations {
                    is_open |= combination.as_str().is_some();
                    for (name, value) in combination.entries() {
                        is_open |= opens_in(name.as_str().unwrap_or_default());
                        add(name.as_str().unwrap_or_default(), of_node(value));
                    }
                }
            }
            ("include", _) => is_open = true,
            (name, _) if opens_in(name) => is_open = true,
            (name, Value::Sequence(items)) => {
                add(name, items.iter().map(of_node).reduce(Type::or).unwrap_or(Type::Any));
            }
            (name, Value::String(text)) => add(name, item_of_computed(text)),
            (name, _) => add(name, Type::Any),
        }
    }
    Type::Object(if is_open { Object::loose(members, Type::Any) } else { Object::strict(members) })
}

/// The type of the items of a list that an expression computes: `${{ fromJSON('[1, 2]') }}` says it.
fn item_of_computed(text: &str) -> Type {
    let inside = text.trim().strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}"));
    let of = inside.and_then(|inside| parse(inside).ok()).map(|own| infer(&own, &|_| Type::Any).0);
    match of {
        Some(Type::Array(item)) => Type::clone(&item),
        _ => Type::Any,
    }
}

/// The type of a value that is written out.
fn of_node(node: &Node) -> Type {
    match &node.value {
        Value::Null => Type::Null,
        Value::Bool(_) => Type::Boolean,
        Value::Number(_) => Type::Number,
        Value::String(text) if opens_in(text) => Type::Any,
        Value::String(_) => Type::String,
        Value::Sequence(items) => {
            Type::list_of(items.iter().map(of_node).reduce(Type::or).unwrap_or(Type::Any))
        }
        Value::Mapping(entries) => {
            let members =
                entries.iter().map(|(name, value)| (name.as_str().unwrap_or_default(), of_node(value)));
            if entries.iter().any(|(name, _)| opens_in(name.as_str().unwrap_or_default())) {
                Type::Object(Object::loose(members, Type::Any))
            } else {
                Type::strict(members)
            }
        }
    }
}
