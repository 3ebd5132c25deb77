//! Expressions, evaluated by GitHub's own evaluator in one Node process.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use pyfleet_core::expression::value::Value;
use pyfleet_core::expression::{self, evaluate};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use crate::tool;

/// What an expression can see at its place.
pub(super) struct Scope {
    contexts: Map<String, Json>,
    status: Option<Status>,
}

/// What the status functions answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Status {
    pub(super) success: bool,
    pub(super) failure: bool,
    pub(super) cancelled: bool,
}

impl Scope {
    /// Some of the contexts, as GitHub's table of contexts allows at a key.
    pub(super) fn of(contexts: &Map<String, Json>, names: &[&str]) -> Self {
        let named = |name: &&str| {
            let value =
                contexts.get(*name).unwrap_or_else(|| panic!("the context `{name}` is not there yet"));
            ((*name).to_owned(), value.clone())
        };
        Self { contexts: names.iter().map(named).collect(), status: None }
    }

    /// With the status functions, as conditions have them.
    pub(super) fn with(self, status: Status) -> Self {
        Self { status: Some(status), ..self }
    }
}

#[derive(Deserialize)]
struct Answer {
    value: Option<Json>,
    text: Option<String>,
    truthy: Option<bool>,
    error: Option<String>,
}

/// An answer takes a millisecond, and Node's start most of a second. Node was seen to wait in its own start for ever, on a
/// machine with much to do; as an answer changes nothing, another Node may give it.
const AT_MOST: Duration = Duration::from_secs(60);

pub(super) struct Evaluator {
    command: Command,
    node: Node,
}

struct Node {
    process: Child,
    requests: Option<ChildStdin>,
    answers: Receiver<String>,
}

impl Evaluator {
    #[track_caller]
    pub(super) fn start() -> Option<Self> {
        let node = tool::find("node")?;
        // The packages are no programs; Prettier comes from the same lock file.
        tool::find("prettier")?;
        let mut command = node.command();
        command.arg(tool::repository().join("tests/tools/evaluate.mjs"));
        let node = Node::start(&mut command);
        Some(Self { command, node })
    }

    fn ask(&mut self, request: &str) -> Option<String> {
        self.node.ask(request).or_else(|| {
            println!("no answer in {AT_MOST:?}: another Node is asked");
            self.node = Node::start(&mut self.command);
            self.node.ask(request)
        })
    }

    fn evaluate(&mut self, expression: &str, scope: &Scope) -> Result<Answer, String> {
        let status = scope.status.map(|status| {
            let Status { success, failure, cancelled } = status;
            json!({ "success": success, "failure": failure, "cancelled": cancelled, "always": true })
        });
        let request = json!({ "expression": expression, "contexts": scope.contexts, "status": status });
        let line = self.ask(&request.to_string()).unwrap_or_else(|| panic!("no answer: {request}"));
        let answer: Answer = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
        agrees(expression, scope, &answer);
        match answer.error {
            Some(error) => Err(format!("{error}: {expression}")),
            None => Ok(answer),
        }
    }

    /// A text with each `${{ }}` replaced.
    pub(super) fn text(&mut self, text: &str, scope: &Scope) -> Result<String, String> {
        let mut result = String::new();
        let mut position = 0;
        for embedded in expression::embedded(text).0 {
            result.push_str(&text[position..embedded.span.start]);
            let inside = &text[embedded.span.start + 3..embedded.span.end - 2];
            result.push_str(&self.evaluate(inside, scope)?.text.unwrap());
            position = embedded.span.end;
        }
        result.push_str(&text[position..]);
        Ok(result)
    }

    /// A tree, in which a text that is one `${{ }}` becomes what that is, and any other text a text.
    pub(super) fn tree(&mut self, tree: &Json, scope: &Scope) -> Result<Json, String> {
        match tree {
            Json::String(text) => match expression::embedded(text).0.as_slice() {
                [only] if only.span == (0..text.len()) => {
                    Ok(self.evaluate(&text[3..text.len() - 2], scope)?.value.unwrap_or(Json::Null))
                }
                _ => self.text(text, scope).map(Json::String),
            },
            Json::Array(items) => {
                items.iter().map(|item| self.tree(item, scope)).collect::<Result<_, _>>().map(Json::Array)
            }
            Json::Object(entries) => entries
                .iter()
                .map(|(key, value)| Ok((key.clone(), self.tree(value, scope)?)))
                .collect::<Result<_, _>>()
                .map(Json::Object),
            scalar => Ok(scalar.clone()),
        }
    }

    /// An `if:`, which means `success() && (…)` unless it calls a status function itself.
    pub(super) fn condition(&mut self, condition: Option<&str>, scope: &Scope) -> Result<bool, String> {
        let text = condition.unwrap_or_default().trim();
        let text = if text.is_empty() { "success()" } else { text };
        let parsed = expression::condition(text).expect("the workflow was read without a finding");
        let bare = match expression::embedded(text).0.as_slice() {
            [only] => &text[only.span.start + 3..only.span.end - 2],
            _ => text,
        };
        let of_status = |function: &str| {
            ["success", "failure", "always", "cancelled"].iter().any(|own| own.eq_ignore_ascii_case(function))
        };
        let verbatim = parsed.calls().iter().any(|call| of_status(call.function));
        let whole = if verbatim { bare.to_owned() } else { format!("success() && ({bare})") };
        Ok(self.evaluate(&whole, scope)?.truthy.unwrap())
    }
}

/// This project's own evaluator says the same as GitHub's.
#[track_caller]
fn agrees(text: &str, scope: &Scope, answer: &Answer) {
    let mut own = evaluate::Scope::new();
    for (name, value) in &scope.contexts {
        own = own.with(name, Value::from_json(&value.to_string()).unwrap());
    }
    if let Some(Status { success, failure, cancelled }) = scope.status {
        let (success, failure, cancelled) = (Some(success), Some(failure), Some(cancelled));
        own = own.with_status(evaluate::Status { success, failure, cancelled });
    }
    let Ok(parsed) = expression::parse(text) else { panic!("{text}: {:?}", answer.error) };
    match evaluate::evaluate(&parsed, &own) {
        // A context that is not given does not exist for GitHub, and is not known here.
        Ok(evaluated) if answer.error.is_none() => {
            assert_eq!(evaluated.text().as_deref(), answer.text.as_deref(), "{text}");
            assert_eq!(evaluated.truth(), answer.truthy, "{text}");
        }
        Ok(evaluated) => {
            assert!(evaluated.value().is_none(), "{text}: {:?}, here {evaluated:?}", answer.error)
        }
        Err(failure) => assert!(answer.error.is_some(), "{text}: {failure}"),
    }
}

impl Node {
    fn start(command: &mut Command) -> Self {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let requests = process.stdin.take();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (send, answers) = channel();
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| send.send(line)));
        Self { process, requests, answers }
    }

    /// None where it does not answer in time, or is gone.
    fn ask(&mut self, request: &str) -> Option<String> {
        writeln!(self.requests.as_mut()?, "{request}").ok()?;
        self.answers.recv_timeout(AT_MOST).ok()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.requests.take());
        // It would end with its input; one that hangs would not.
        let _killed = self.process.kill();
        let _ended = self.process.wait();
    }
}
