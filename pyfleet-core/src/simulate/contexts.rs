//! What the expressions of a workflow can read before a job starts, as far as the event tells it.

use super::Event;
use super::assumption::assume;
use super::event::Reference;
use crate::expression::evaluate::{Failure, MAX_TEXT, Scope, evaluate};
use crate::expression::value::{Object, Value};
use crate::expression::{Comparison, Expression, Kind, Literal, condition, embedded, opens_in};
use crate::workflow::{Input, InputKind, Triggers, Workflow};

/// `github`, `inputs` and `vars` of a run.
pub(super) fn scope(workflow: &Workflow, event: &Event) -> Scope {
    let assumed = |name: &str, value: Value| assume(&value, &event.assumed, &[name]);
    Scope::new()
        .with("github", assumed("github", github(workflow, event)))
        .with("inputs", inputs(workflow, event))
        .with("vars", assumed("vars", Object::open().into()))
}

/// The number that a pull request is taken to have.
pub(super) const NUMBER: u32 = 1;

/// A longer name of a workflow is taken for unknown: conditions would read it again and again.
const MAX_NAME: usize = 256;

/// A value that may not be known.
fn perhaps(value: Option<impl Into<Value>>) -> Value {
    value.map_or(Value::Unknown, Into::into)
}

fn github(workflow: &Workflow, event: &Event) -> Value {
    let [reference, short] = reference(workflow, event).map(perhaps);
    let owner = event.repository.as_deref().and_then(|slug| slug.split_once('/')).map(|(owner, _)| owner);
    let [base, head] = match event.name.as_str() {
        _ if event.is_pull_request() => {
            [event.base(), event.reference.as_ref().map(Reference::name)].map(perhaps)
        }
        // GitHub documents them for the two above, and does not say what they are here.
        name if name.starts_with("pull_request_") || name == "merge_group" => {
            [Value::Unknown, Value::Unknown]
        }
        _ => ["", ""].map(Value::from),
    };
    Object::open()
        .with("event_name", event.name.as_str())
        .with("event", payload(workflow, event))
        .with("ref", reference)
        .with("ref_name", short)
        .with("ref_type", perhaps(event.ref_type()))
        .with("base_ref", base)
        .with("head_ref", head)
        .with("repository", perhaps(event.repository.as_deref()))
        .with("repository_owner", perhaps(owner))
        .with("actor", perhaps(event.actor.as_deref()))
        .with("triggering_actor", perhaps(event.actor.as_deref()))
        .with("workflow", perhaps(workflow.name.as_deref().filter(|name| name.len() <= MAX_NAME)))
        .with("run_attempt", perhaps((!event.is_any).then_some("1")))
        .into()
}

/// `github.ref` and `github.ref_name`.
fn reference(workflow: &Workflow, event: &Event) -> [Option<String>; 2] {
    if let Some(reference) = event.runs_on() {
        return [Some(reference.full()), Some(reference.name().to_owned())];
    }
    let nothing = [None, None];
    if !event.has_pull_request() || event.name == "pull_request_target" {
        return nothing;
    }
    let path = ["github", "event", "pull_request", "merged"];
    match assume(&Value::Unknown, &event.assumed, &path).truth() {
        Some(true) => {
            return [event.base().map(|base| format!("refs/heads/{base}")), event.base().map(str::to_owned)];
        }
        None if !event.runs_on_a_merge() => return nothing,
        _ => {}
    }
    // Of every pull request it is known that this is no branch and no tag, and not which number it has: what a condition
    // says of that is left open.
    let mut conditions = workflow.jobs.values().filter_map(|job| job.condition.as_deref());
    if event.is_any && conditions.any(looks_into_reference) {
        return nothing;
    }
    [Some(format!("refs/pull/{NUMBER}/merge")), Some(format!("{NUMBER}/merge"))]
}

/// Whether a condition asks more of a reference than whether it is one of some branches or tags.
fn looks_into_reference(text: &str) -> bool {
    if !text.to_ascii_lowercase().contains("ref") && !text.to_ascii_lowercase().contains("github") {
        return false;
    }
    let Ok(condition) = condition(text) else { return true };
    let names = [["github", "ref"], ["github", "ref_name"]];
    let reads =
        condition.contexts().iter().filter(|access| names.iter().any(|name| access.may_read(name))).count();
    let is_reference = |operand: &Expression| {
        operand.as_context().is_some_and(|access| names.iter().any(|name| access.is_within(name)))
    };
    let mut compared = 0;
    condition.walk(&mut |part| match &part.kind {
        Kind::Compare { operator: Comparison::Equal | Comparison::NotEqual, left, right } => {
            for (operand, other) in [(left, right), (right, left)] {
                let is_other = |name: &str| !name.to_ascii_lowercase().ends_with("/merge");
                let is_named = matches!(&other.kind, Kind::Literal(Literal::String(name)) if is_other(name));
                compared += usize::from(is_named && is_reference(operand));
            }
        }
        Kind::Call { function, arguments } if function.eq_ignore_ascii_case("startsWith") => {
            let [operand, start] = arguments.as_slice() else { return };
            let is_kind =
                |start: &str| ["refs/heads/", "refs/tags/"].iter().any(|kind| start.starts_with(kind));
            let is_named = matches!(&start.kind, Kind::Literal(Literal::String(name)) if is_kind(name));
            compared += usize::from(is_named && is_reference(operand));
        }
        _ => {}
    });
    reads > compared
}

/// `github.event`: what GitHub tells of the event.
fn payload(workflow: &Workflow, event: &Event) -> Value {
    let name = event.name.as_str();
    let mut repository = Object::open();
    repository.insert("full_name", perhaps(event.repository.as_deref()));
    repository.insert("default_branch", perhaps(event.default_branch.as_deref()));
    let has_types = !Triggers::types(name).is_empty() || name == "repository_dispatch";
    // Deployments have an action in their payload, and no types to filter by.
    let action = match has_types || name.starts_with("deployment") {
        true => perhaps(event.activity()),
        false => Value::Null,
    };
    // GitHub itself starts what is scheduled.
    let sender = event.actor.as_deref().filter(|_| name != "schedule");
    let mut payload = Object::open()
        .with("repository", repository)
        .with("action", action)
        .with("sender", Object::open().with("login", perhaps(sender)));
    match name {
        _ if event.has_pull_request() => {
            payload.insert("pull_request", pull_request(event));
            if event.is_pull_request() {
                payload.insert("number", number(event));
            }
        }
        "merge_group" => {
            let base = event.base().map(|base| format!("refs/heads/{base}"));
            payload.insert("merge_group", Object::open().with("base_ref", perhaps(base)).into());
        }
        "push" => {
            let reference = event.runs_on().map(|reference| reference.full());
            payload.insert("ref", perhaps(reference));
            payload.insert("deleted", perhaps((!event.is_any).then_some(false)));
        }
        "workflow_dispatch" => payload.insert("inputs", texts(workflow, event)),
        _ => {}
    }
    // What belongs to other events is not there.
    let own: &[(&str, &[&str])] = &[
        (
            "pull_request",
            &[
                "pull_request",
                "pull_request_target",
                "pull_request_review",
                "pull_request_review_comment",
                "pull_request_comment",
            ],
        ),
        ("merge_group", &["merge_group"]),
        ("inputs", &["workflow_dispatch"]),
        ("schedule", &["schedule"]),
        ("issue", &["issues", "issue_comment", "pull_request_comment"]),
        (
            "comment",
            &["issue_comment", "discussion_comment", "pull_request_review_comment", "pull_request_comment"],
        ),
        ("release", &["release"]),
        ("workflow_run", &["workflow_run", "deployment", "deployment_status"]),
        ("client_payload", &["repository_dispatch"]),
        ("head_commit", &["push"]),
    ];
    for (member, events) in own {
        if !events.contains(&name) {
            payload.insert(*member, Value::Null);
        }
    }
    payload.into()
}

fn number(event: &Event) -> Value {
    perhaps((!event.is_any).then_some(f64::from(NUMBER)))
}

fn pull_request(event: &Event) -> Value {
    let slug = event.repository.as_deref();
    let from = match (slug, event.is_fork) {
        (Some(slug), true) => {
            let name = slug.rsplit('/').next().unwrap_or_default();
            // Whose it is does not matter: it is another one.
            Some(format!("somebody-else/{name}"))
        }
        (slug, _) => slug.map(str::to_owned),
    };
    let branch = event.reference.as_ref().map(Reference::name);
    let from =
        Object::open().with("full_name", perhaps(from)).with("fork", perhaps(event.is_fork.then_some(true)));
    let into = Object::open().with("full_name", perhaps(slug));
    // Anybody may label a pull request; its author brings it and what is added to it.
    let is_of_author = ["opened", "synchronize"].contains(&event.activity().unwrap_or_default());
    let author = event.actor.as_deref().filter(|_| is_of_author);
    Object::open()
        .with("number", number(event))
        .with("user", Object::open().with("login", perhaps(author)))
        .with("head", Object::open().with("ref", perhaps(branch)).with("repo", from))
        .with("base", Object::open().with("ref", perhaps(event.base())).with("repo", into))
        .into()
}

/// What an input is in a run, as text: what a person fills in, else its default. A choice or an environment without either
/// depends on who starts the run: GitHub's page has one selected, and its API sends none.
pub(super) fn filled_in(input: &Input, given: Option<&str>) -> Value {
    use serde_json::Value as Json;
    match (given, &input.default, input.kind) {
        (Some(given), ..) => given.into(),
        (None, Some(Json::String(text)), _) => text.as_str().into(),
        (None, Some(Json::Null) | None, InputKind::Boolean) => "false".into(),
        (None, Some(Json::Null) | None, InputKind::Choice | InputKind::Environment) => Value::Unknown,
        (None, Some(Json::Null) | None, _) => "".into(),
        (None, Some(other), _) => other.to_string().into(),
    }
}

fn in_run(input: &Input, name: &str, event: &Event) -> Value {
    if event.is_any { Value::Unknown } else { filled_in(input, given(event, name)) }
}

/// `github.event.inputs`. What it is without inputs is not documented.
fn texts(workflow: &Workflow, event: &Event) -> Value {
    let inputs = workflow.on.workflow_dispatch.iter().flat_map(|dispatch| &dispatch.inputs);
    let mut texts = Object::new();
    if inputs.clone().next().is_none() {
        return Value::Unknown;
    }
    for (name, input) in inputs {
        texts.insert(name, in_run(input, name, event));
    }
    texts.into()
}

/// `inputs`, in which booleans are booleans (GitHub docs, "Events that trigger workflows", `workflow_dispatch`).
fn inputs(workflow: &Workflow, event: &Event) -> Value {
    let mut inputs = Object::new();
    if event.name != "workflow_dispatch" {
        return inputs.into();
    }
    for (name, input) in workflow.on.workflow_dispatch.iter().flat_map(|dispatch| &dispatch.inputs) {
        let value = in_run(input, name, event);
        let typed = match (&value, input.kind) {
            (Value::String(text), InputKind::Boolean) => Value::Boolean(&**text == "true"),
            _ => value,
        };
        inputs.insert(name, typed);
    }
    inputs.into()
}

pub(super) fn given<'e>(event: &'e Event, name: &str) -> Option<&'e str> {
    event.inputs.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// A text with what its expressions are; none where one of them is not known.
pub(super) fn text(text: &str, scope: &Scope) -> Result<Option<String>, Failure> {
    let value = value(text, scope)?;
    Ok(value.text().map(|text| text.to_string()))
}

/// What a scalar is: the value of the one expression that it is, or a text.
pub(super) fn value(written: &str, scope: &Scope) -> Result<Value, Failure> {
    if !opens_in(written) {
        return Ok(written.into());
    }
    let (found, mistakes) = embedded(written);
    if !mistakes.is_empty() {
        return Ok(Value::Unknown);
    }
    if let [only] = found.as_slice()
        && only.span == (0..written.len())
    {
        return Ok(evaluate(&only.expression, scope)?.value().cloned().unwrap_or(Value::Unknown));
    }
    let mut whole = String::new();
    let mut position = 0;
    for part in &found {
        let Some(own) = evaluate(&part.expression, scope)?.text() else { return Ok(Value::Unknown) };
        whole.push_str(&written[position..part.span.start]);
        whole.push_str(&own);
        position = part.span.end;
        if whole.len() > MAX_TEXT {
            return Ok(Value::Unknown); // GitHub keeps no longer output, and texts may double from job to job.
        }
    }
    whole.push_str(&written[position..]);
    Ok(whole.into())
}
