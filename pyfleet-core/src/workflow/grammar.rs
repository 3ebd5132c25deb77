//! What GitHub lets stand where: every key of the language and the forms of its value, as one table
//! (`workflow-v1.0.json`, August 2026; a test holds the table to it).
//!
//! [`mistakes`] reads a document by it, as GitHub's template reader does: a scalar is converted to text
//! where a text may stand, `${{ }}` may stand for any value where the grammar names contexts at the value or
//! above it, and nothing else is forgiven. The types of this module decode what passes here; they say what a
//! workflow means, and need not say again what is refused.
//!
//! Which keys exclude each other is not here but in `structure.rs`: the grammar says it with alternatives,
//! a person wants to read it as a sentence.

mod events;
#[cfg(feature = "schema")]
mod schema;
mod table;

pub(super) use events::{EVENTS, types};

use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place, Segment, Severity};
use crate::expression::opens_in;
use crate::spelling::closest;
use crate::yaml::decode::MAX_FINDINGS;
use crate::yaml::tree::{Document, Node, Value};

#[cfg(feature = "schema")]
pub use schema::schema;

#[cfg(test)]
mod tests;

/// What may stand at a place.
#[derive(Debug)]
struct Definition {
    /// Whether an expression may stand here and below.
    expressions: bool,
    /// The forms, of which a value has one.
    forms: &'static [Form],
}

#[derive(Debug)]
enum Form {
    /// Nothing at all, which elsewhere reads as an empty text.
    Null,
    Boolean,
    Number,
    /// Any scalar, as text.
    Text,
    /// Any scalar that is not empty, as text.
    Name,
    /// One of these words.
    Word(&'static [&'static str]),
    List(&'static Definition),
    Map(&'static Map),
    Anything,
}

#[derive(Debug)]
struct Map {
    keys: &'static [(&'static str, &'static Definition)],
    required: &'static [&'static str],
    /// What may stand at keys that are not listed; none must be empty.
    others: Option<&'static Definition>,
}

/// What a document says that GitHub's grammar does not allow; at most [`MAX_FINDINGS`].
pub(super) fn mistakes(document: &Document) -> Diagnostics {
    let mut reader = Reader { findings: Diagnostics::new() };
    reader.read(&document.root, &table::WORKFLOW, false, &At::Root);
    reader.findings
}

/// A way from the root, written out only where there is something to say.
enum At<'a> {
    Root,
    Key(&'a Self, &'a str),
    Index(&'a Self, usize),
}

impl At<'_> {
    fn path(&self) -> Path {
        let (mut steps, mut at) = (Vec::new(), self);
        loop {
            at = match at {
                Self::Root => return Path::of(steps.into_iter().rev()),
                Self::Key(above, key) => {
                    steps.push(Segment::from(*key));
                    above
                }
                Self::Index(above, index) => {
                    steps.push(Segment::Index(*index));
                    above
                }
            };
        }
    }
}

struct Reader {
    findings: Diagnostics,
}

impl Reader {
    fn report(&mut self, finding: Diagnostic) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        }
    }

    fn read(&mut self, node: &Node, definition: &Definition, expressions: bool, at: &At<'_>) {
        let expressions = expressions || definition.expressions;
        match &node.value {
            Value::Sequence(items) => {
                let form = definition.forms.iter().find_map(|form| match form {
                    Form::List(item) => Some(Some(item)),
                    Form::Anything => Some(None),
                    _ => None,
                });
                match form {
                    Some(Some(item)) => {
                        for (position, own) in items.iter().enumerate() {
                            self.read(own, item, expressions, &At::Index(at, position));
                        }
                    }
                    Some(None) => {}
                    None => self.wrong_type(node, definition, at),
                }
            }
            Value::Mapping(entries) => {
                let form = definition.forms.iter().find_map(|form| match form {
                    Form::Map(map) => Some(Some(map)),
                    Form::Anything => Some(None),
                    _ => None,
                });
                match form {
                    Some(Some(map)) => self.read_map(entries, map, expressions, at),
                    Some(None) => {}
                    None => self.wrong_type(node, definition, at),
                }
            }
            Value::String(text) if opens_in(text) => match literal(text) {
                Some(literal) => {
                    if !definition
                        .forms
                        .iter()
                        .any(|form| form.takes(&Value::String(literal.as_str().into())))
                    {
                        self.wrong_scalar(node, definition, at);
                    }
                }
                None if expressions => {}
                None => self.no_expression(Place::value(at.path())),
            },
            scalar if definition.forms.iter().any(|form| form.takes(scalar)) => {}
            _ => self.wrong_scalar(node, definition, at),
        }
    }

    fn read_map(&mut self, entries: &[(Node, Node)], map: &Map, expressions: bool, at: &At<'_>) {
        let mut is_computed = false;
        for (key, value) in entries {
            let name = key.as_str().unwrap_or_default();
            if opens_in(name) {
                is_computed = true;
                if !expressions {
                    self.no_expression(Place::key(at.path().key(name)));
                }
            } else if let Some((_, definition)) = map.keys.iter().find(|(own, _)| *own == name) {
                self.read(value, definition, expressions, &At::Key(at, name));
            } else if let Some(others) = map.others {
                if name.is_empty() {
                    let place = Place::key(at.path().key(name));
                    self.report(Diagnostic::error("invalid-value", place, "a key must not be empty"));
                }
                self.read(value, others, expressions, &At::Key(at, name));
            } else {
                self.unknown_key(name, map, at);
            }
        }
        for required in map.required {
            if !is_computed && !entries.iter().any(|(key, _)| key.as_str() == Some(required)) {
                let place = Place::key(at.path());
                let message = format!("the key `{required}` is missing");
                self.report(Diagnostic::error("missing-key", place, message));
            }
        }
    }

    fn unknown_key(&mut self, name: &str, map: &Map, at: &At<'_>) {
        let known = || map.keys.iter().map(|(own, _)| *own);
        let place = Place::key(at.path().key(name));
        // GitHub's server starts such a workflow (`on-workflow_dispatch-unknown-keys-ignored` of its cases).
        let is_ignored = matches!(at, At::Key(At::Key(At::Root, "on"), "workflow_dispatch"));
        let severity = if is_ignored { Severity::Warning } else { Severity::Error };
        let mut finding = Diagnostic::new(severity, "unknown-key", place, format!("unknown key `{name}`"));
        if let Some(close) = closest(name, known()) {
            finding = finding.with_help(format!("did you mean `{close}`?"));
        }
        self.report(finding.with_help(format!("known keys: {}", listed(known()))));
    }

    fn no_expression(&mut self, place: Place) {
        let finding = Diagnostic::error("expression", place, "GitHub evaluates no expression here");
        self.report(finding.with_help("write the value out"));
    }

    fn wrong_type(&mut self, node: &Node, definition: &Definition, at: &At<'_>) {
        let message = format!("expected {}, found {}", definition.expected(), node.value.kind());
        self.report(Diagnostic::error("wrong-type", Place::value(at.path()), message));
    }

    fn wrong_scalar(&mut self, node: &Node, definition: &Definition, at: &At<'_>) {
        let words: Vec<&str> = definition.forms.iter().flat_map(Form::words).copied().collect();
        match &node.value {
            Value::String(text) if !words.is_empty() => {
                let place = Place::value(at.path());
                let mut finding = Diagnostic::error("invalid-value", place, "unknown value");
                if let Some(close) = closest(text, words.iter().copied()) {
                    finding = finding.with_help(format!("did you mean `{close}`?"));
                }
                self.report(finding.with_help(format!("known values: {}", listed(words.iter().copied()))));
            }
            Value::String(text) if text.is_empty() => {
                let message = format!("expected {}, found an empty text", definition.expected());
                self.report(Diagnostic::error("invalid-value", Place::value(at.path()), message));
            }
            _ => self.wrong_type(node, definition, at),
        }
    }
}

impl Form {
    /// Whether a scalar has this form.
    fn takes(&self, scalar: &Value) -> bool {
        match self {
            Self::Null => *scalar == Value::Null,
            Self::Boolean => matches!(scalar, Value::Bool(_)),
            Self::Number => matches!(scalar, Value::Number(_)),
            Self::Text | Self::Anything => true,
            Self::Name => match scalar {
                Value::Null => false,
                Value::String(text) => !text.is_empty(),
                _ => true,
            },
            Self::Word(words) => matches!(scalar, Value::String(text) if words.contains(&text.as_str())),
            Self::List(_) | Self::Map(_) => false,
        }
    }

    const fn words(&self) -> &'static [&'static str] {
        match self {
            Self::Word(words) => words,
            _ => &[],
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::Text | Self::Name => "a text",
            Self::Word(_) => "a known word",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
            Self::Anything => "anything",
        }
    }
}

impl Definition {
    /// What a message calls the forms: `a text, a list or a mapping`.
    fn expected(&self) -> String {
        let mut names: Vec<&str> = Vec::new();
        for form in self.forms {
            if !names.contains(&form.name()) {
                names.push(form.name());
            }
        }
        match names.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        }
    }
}

/// The text that `${{ 'text' }}` is: GitHub reads it before it asks whether an expression may stand there.
fn literal(text: &str) -> Option<String> {
    let quoted = text.strip_prefix("${{")?.strip_suffix("}}")?.trim();
    let inner = quoted.strip_prefix('\'')?.strip_suffix('\'')?;
    let literal = inner.replace("''", "\0");
    (!literal.contains('\'')).then(|| literal.replace('\0', "'"))
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
