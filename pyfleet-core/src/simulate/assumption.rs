//! What is taken to be so: the value of something that only a run, or the repository's settings, can know.

use std::str::FromStr;

use crate::expression::value::{Object, Value};
use crate::expression::{ContextAccess, parse};

/// `needs.build.result=failure`, `needs.guard.outputs.mode=rollback`, `vars.REGION=eu-west-1`,
/// `github.event.pull_request.draft=true`.
///
/// What jobs say and what variables hold is text; elsewhere JSON is what it says: `github.event.pull_request.labels=[{"name":
/// "urgent"}]`.
///
/// ```
/// use pyfleet_core::simulate::Assumption;
///
/// assert!("needs.build.result=failure".parse::<Assumption>().is_ok());
/// let refused = "needs.build.result=broken".parse::<Assumption>().unwrap_err();
/// assert_eq!(refused, "a job's result is `success`, `failure`, `cancelled` or `skipped`, not `broken`");
/// ```
#[derive(Debug, Clone)]
pub struct Assumption {
    /// The context, and the names in it.
    path: Vec<String>,
    value: Value,
}

impl PartialEq for Assumption {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path && self.value.to_json() == other.value.to_json()
    }
}

/// What can be assumed of a context, as people see it.
const FORMS: &str =
    "`needs.JOB.result=failure`, `needs.JOB.outputs.NAME=TEXT`, `vars.NAME=TEXT` or `github.NAME=VALUE`";

impl FromStr for Assumption {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (written, value) =
            text.split_once('=').ok_or_else(|| format!("an assumption has a value: {FORMS}"))?;
        let path = parse(written.trim())
            .ok()
            .and_then(|expression| path(&expression.as_context()?))
            .ok_or_else(|| format!("`{written}` names nothing that can be assumed: {FORMS}"))?;
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        let is = |name: &str, own: &str| name.eq_ignore_ascii_case(own);
        let value = match names.as_slice() {
            [needs, _, result] if is(needs, "needs") && is(result, "result") => {
                if !["success", "failure", "cancelled", "skipped"].contains(&value) {
                    return Err(format!(
                        "a job's result is `success`, `failure`, `cancelled` or `skipped`, not `{value}`"
                    ));
                }
                value.into()
            }
            [needs, _, outputs, _] if is(needs, "needs") && is(outputs, "outputs") => value.into(),
            [vars, _] if is(vars, "vars") => value.into(),
            [github, _, ..] if is(github, "github") => of_text(value),
            _ => return Err(format!("`{written}` cannot be assumed: {FORMS}")),
        };
        Ok(Self { path, value })
    }
}

fn path(access: &ContextAccess) -> Option<Vec<String>> {
    let names = (0..access.selected.len()).map(|depth| access.name(depth).map(str::to_owned));
    std::iter::once(Some(access.context.to_string())).chain(names).collect()
}

/// A value as JSON, else as text. What a list or an object does not tell is not known.
fn of_text(text: &str) -> Value {
    serde_json::from_str(text).map_or_else(|_| text.into(), |json| opened(&json))
}

fn opened(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Object(members) => {
            let mut object = Object::open();
            members.iter().for_each(|(name, value)| object.insert(name, opened(value)));
            object.into()
        }
        serde_json::Value::Array(items) => items.iter().map(opened).collect::<Vec<_>>().into(),
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => (*value).into(),
        serde_json::Value::Number(number) => number.as_f64().map_or(Value::Unknown, Value::from),
        serde_json::Value::String(text) => text.as_str().into(),
    }
}

impl Assumption {
    /// That a job ends in a way: `success`, `failure`, `cancelled` or `skipped`.
    pub(crate) fn ends(job: &str, result: &str) -> Self {
        let path = ["needs", job, "result"].map(str::to_owned).into();
        Self { path, value: result.into() }
    }

    /// The job that it is about, if it is about one.
    #[must_use]
    pub fn job(&self) -> Option<&str> {
        match self.path.as_slice() {
            [needs, job, ..] if needs.eq_ignore_ascii_case("needs") => Some(job),
            _ => None,
        }
    }

    /// Whether a job is cancelled: perhaps the run is.
    pub(super) fn cancels(&self) -> bool {
        self.result().is_some_and(|(_, result)| result == "cancelled")
    }

    /// A job, and how it ends.
    fn result(&self) -> Option<(&str, String)> {
        let [_, job, result] = self.path.as_slice() else { return None };
        let is_result = self.job().is_some() && result.eq_ignore_ascii_case("result");
        let text = self.value.text().filter(|_| is_result)?;
        Some((job, text.to_string()))
    }
}

/// A value in a context, with what is assumed at a path in it.
pub(super) fn assume(context: &Value, assumed: &[Assumption], at: &[&str]) -> Value {
    assumed.iter().fold(context.clone(), |context, assumption| {
        let (before, below) = assumption.path.split_at(at.len().min(assumption.path.len()));
        let is_here = before.iter().zip(at).all(|(own, name)| own.eq_ignore_ascii_case(name));
        if is_here && before.len() == at.len() { set(&context, below, &assumption.value) } else { context }
    })
}

fn set(within: &Value, path: &[String], value: &Value) -> Value {
    let Some((first, below)) = path.split_first() else { return value.clone() };
    let mut set_in = Object::new();
    let empty = if matches!(within, Value::Null) { Object::new() } else { Object::open() };
    let object = match within {
        Value::Object(object) => object.as_ref(),
        _ => &empty,
    };
    set_in.is_open = object.is_open;
    set_in.insert(first.clone(), set(&object.get(first), below, value));
    for (name, own) in object.members() {
        set_in.insert(name, own.clone()); // What is set already stays.
    }
    set_in.into()
}

/// Whether a job is taken not to run.
pub(super) fn skips(assumed: &[Assumption], job: &str) -> bool {
    let mut results = assumed.iter().filter_map(Assumption::result);
    results.any(|(own, result)| result == "skipped" && own.eq_ignore_ascii_case(job))
}

/// Whether anything is assumed of a job: then it has run.
pub(super) fn speaks_of(assumed: &[Assumption], job: &str) -> bool {
    assumed.iter().any(|assumption| assumption.job().is_some_and(|own| own.eq_ignore_ascii_case(job)))
}
