//! What the expressions of a workflow can read before a job starts, as far as the event tells it.

use super::Event;
use super::assumption::assume;
use super::event::Reference;
use crate::expression::evaluate::{Failure, Scope, evaluate};
use crate::expression::value::{Object, Value};
use crate::expression::{embedded, opens_in};
use crate::workflow::{Input, InputKind, Workflow};

/// `github`, `inputs` and `vars` of a run.
pub(super) fn scope(workflow: &Workflow, event: &Event) -> Scope {
    let assumed = |name: &str, value: Value| assume(&value, &event.assumed, &[name]);
    Scope::new()
        .with("github", assumed("github", github(workflow, event)))
        .with("inputs", inputs(workflow, event))
        .with("vars", assumed("vars", Object::open().into()))
}

/// The number of a pull request, which no condition is about.
const NUMBER: u32 = 1;

fn is_merged(event: &Event) -> bool {
    ["pull_request", "pull_request_review", "pull_request_review_comment"].contains(&event.name.as_str())
}

/// A value that may not be known.
fn perhaps(value: Option<impl Into<Value>>) -> Value {
    value.map_or(Value::Unknown, Into::into)
}

fn github(workflow: &Workflow, event: &Event) -> Value {
    let runs_on = event.runs_on();
    let (reference, short) = match event.name.as_str() {
        // It runs on what merging it would make.
        _ if is_merged(event) => (Some(format!("refs/pull/{NUMBER}/merge")), Some(format!("{NUMBER}/merge"))),
        _ => (
            runs_on.as_ref().map(Reference::full),
            runs_on.as_ref().map(|reference| reference.name().to_owned()),
        ),
    };
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
    let kind = if is_merged(event) { Some("branch") } else { runs_on.as_ref().map(Reference::kind) };
    Object::open()
        .with("event_name", event.name.as_str())
        .with("event", payload(workflow, event))
        .with("ref", perhaps(reference))
        .with("ref_name", perhaps(short))
        .with("ref_type", perhaps(kind))
        .with("base_ref", base)
        .with("head_ref", head)
        .with("repository", perhaps(event.repository.as_deref()))
        .with("repository_owner", perhaps(owner))
        .with("actor", perhaps(event.actor.as_deref()))
        .with("triggering_actor", perhaps(event.actor.as_deref()))
        .with("workflow", perhaps(workflow.name.as_deref()))
        .with("run_attempt", perhaps((!event.is_any).then_some("1")))
        .into()
}

/// `github.event`: what GitHub tells of the event.
fn payload(workflow: &Workflow, event: &Event) -> Value {
    let mut repository = Object::open();
    repository.insert("full_name", perhaps(event.repository.as_deref()));
    repository.insert("default_branch", perhaps(event.default_branch.as_deref()));
    let mut payload = Object::open()
        .with("repository", repository)
        .with("action", if has_activity(event) { perhaps(event.activity()) } else { Value::Null })
        .with("sender", Object::open().with("login", perhaps(event.actor.as_deref())));
    match event.name.as_str() {
        _ if event.is_pull_request() => payload.insert("pull_request", pull_request(event)),
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
        ("issue", &["issues", "issue_comment"]),
        (
            "comment",
            &["issue_comment", "commit_comment", "discussion_comment", "pull_request_review_comment"],
        ),
        ("release", &["release"]),
        ("workflow_run", &["workflow_run"]),
        ("client_payload", &["repository_dispatch"]),
        ("head_commit", &["push"]),
    ];
    for (member, events) in own {
        if !events.contains(&event.name.as_str()) {
            payload.insert(*member, Value::Null);
        }
    }
    payload.into()
}

/// Events without kinds have no `action`.
fn has_activity(event: &Event) -> bool {
    !["push", "schedule", "workflow_dispatch", "create", "delete", "fork", "gollum", "public", "status"]
        .contains(&event.name.as_str())
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
    Object::open()
        .with("number", f64::from(NUMBER))
        .with("user", Object::open().with("login", perhaps(event.actor.as_deref())))
        .with("head", Object::open().with("ref", perhaps(branch)).with("repo", from))
        .with("base", Object::open().with("ref", perhaps(event.base())).with("repo", into))
        .into()
}

/// What an input is in a run, as text: what a person fills in, else its default. One of several that is not required and
/// has no default depends on who starts the run: GitHub's page has the first one selected, and its API sends none.
pub(super) fn filled_in(input: &Input, given: Option<&str>) -> Value {
    use serde_json::Value as Json;
    match (given, &input.default, input.kind) {
        (Some(given), ..) => given.into(),
        (None, Some(Json::String(text)), _) => text.as_str().into(),
        (None, Some(Json::Null) | None, InputKind::Boolean) => "false".into(),
        (None, Some(Json::Null) | None, InputKind::Choice) => Value::Unknown,
        (None, Some(Json::Null) | None, _) => "".into(),
        (None, Some(other), _) => other.to_string().into(),
    }
}

fn in_run(input: &Input, name: &str, event: &Event) -> Value {
    if event.is_any { Value::Unknown } else { filled_in(input, given(event, name)) }
}

/// `github.event.inputs`.
fn texts(workflow: &Workflow, event: &Event) -> Value {
    let mut texts = Object::new();
    for (name, input) in workflow.on.workflow_dispatch.iter().flat_map(|dispatch| &dispatch.inputs) {
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
        return Ok(Value::Unknown); // A file with such a text is not simulated.
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
    }
    whole.push_str(&written[position..]);
    Ok(whole.into())
}
