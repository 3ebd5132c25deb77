//! Every expression of a workflow file, and where it stands.

use super::available;
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place, Segment, SegmentRef};
use crate::expression::{
    self, Available, Context, ContextAccess, Expression, Function, Mistake, MistakeKind, opens_in,
};
use crate::spelling::closest;
use crate::yaml::tree::{Document, Node, Value};

/// An expression and the scalar it stands in; its offsets count inside that scalar.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// The scalar, or the entry whose key it is.
    pub path: Path,
    /// What stands there.
    pub expression: Expression,
    /// How it stands there.
    pub stands: Stands,
    contexts: Vec<ContextAccess>,
}

/// How an expression stands in its scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// As the condition of an `if:`, with or without `${{ }}`.
    Condition,
    /// As the whole value, which can be of any type.
    Whole,
    /// In a text, which it becomes a part of. An `if:` of this form is always true.
    Within,
    /// In a key.
    InKey,
}

impl Placed {
    fn new(path: Path, expression: Expression, stands: Stands) -> Self {
        let contexts = expression.contexts();
        Self { path, expression, stands, contexts }
    }

    /// A part of this expression as a place.
    #[must_use]
    pub fn place(&self, expression: &Expression) -> Place {
        self.place_of(expression.span.clone())
    }

    /// Some bytes of the scalar as a place.
    #[must_use]
    pub fn place_of(&self, span: std::ops::Range<usize>) -> Place {
        match self.stands {
            Stands::InKey => Place::key(self.path.clone()),
            Stands::Condition | Stands::Whole | Stands::Within => Place::within(self.path.clone(), span),
        }
    }

    /// Every read of a context in this expression.
    #[must_use]
    pub fn contexts(&self) -> &[ContextAccess] {
        &self.contexts
    }

    /// Every read of a context below a path: `["secrets"]`.
    pub fn contexts_within(&self, path: &[&str]) -> impl Iterator<Item = &ContextAccess> {
        self.contexts.iter().filter(move |access| access.is_within(path))
    }

    /// What the expression may name.
    #[must_use]
    pub fn available(&self) -> Available {
        available(&self.path, self.stands == Stands::InKey)
    }

    /// Whether this stands in an `if:` of a job, a step or a snapshot.
    #[must_use]
    pub fn is_in_condition(&self) -> bool {
        self.stands != Stands::InKey && is_condition(&steps(&self.path))
    }
}

/// The expressions at and below a path, in the order of the text: all `${{ }}`, and conditions also bare.
/// What does not parse is left out here and reported by [`super::parse`].
#[must_use]
pub fn expressions(document: &Document, path: &Path) -> Vec<Placed> {
    let mut found = Found::default();
    if let Some(node) = document.node(path) {
        found.collect(node, &mut steps(path));
    }
    found.placed
}

/// The expressions of a file, and what GitHub refuses in them: what is no expression, and names that do not exist or
/// cannot stand where they do.
pub(super) fn read(document: &Document) -> (Vec<Placed>, Diagnostics) {
    let mut found = Found::default();
    found.collect(&document.root, &mut Vec::new());
    for placed in &found.placed {
        let available = placed.available();
        if available.is_nothing() {
            continue; // That nothing can stand there is another mistake.
        }
        for mistake in placed.expression.refused(available) {
            found.mistakes.push(finding(placed.place_of(mistake.span.clone()), &mistake));
        }
    }
    (found.placed, found.mistakes)
}

#[derive(Default)]
struct Found {
    placed: Vec<Placed>,
    mistakes: Diagnostics,
}

impl Found {
    fn collect<'a>(&mut self, node: &'a Node, at: &mut Vec<SegmentRef<'a>>) {
        match &node.value {
            _ if is_condition(at) => self.condition(node, at),
            Value::String(text) => {
                if opens_in(text) && !is_plain_text(at) {
                    self.text(text, at, false);
                }
            }
            Value::Sequence(items) => {
                for (position, item) in items.iter().enumerate() {
                    at.push(SegmentRef::Index(position));
                    self.collect(item, at);
                    at.pop();
                }
            }
            Value::Mapping(entries) => {
                for (key, value) in entries {
                    let name = key.as_str().unwrap_or_default();
                    at.push(SegmentRef::Key(name));
                    if opens_in(name) {
                        self.text(name, at, true);
                    }
                    self.collect(value, at);
                    at.pop();
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn text(&mut self, text: &str, at: &[SegmentRef<'_>], is_key: bool) {
        let path = Path::of(at);
        let (embedded, wrong) = expression::embedded(text);
        for own in embedded {
            let stands = match own.span {
                _ if is_key => Stands::InKey,
                span if span == (0..text.len()) => Stands::Whole,
                _ => Stands::Within,
            };
            if is_key && is_directive(&own.expression) {
                continue;
            }
            self.placed.push(Placed::new(path.clone(), own.expression, stands));
        }
        for mistake in wrong {
            let place = if is_key {
                Place::key(path.clone())
            } else {
                Place::within(path.clone(), mistake.span.clone())
            };
            self.mistakes.push(finding(place, &mistake));
        }
    }

    /// An `if:`, whose value may be written as a boolean or a number too.
    fn condition(&mut self, node: &Node, at: &[SegmentRef<'_>]) {
        let written = match &node.value {
            Value::String(text) => text.as_str(),
            Value::Number(number) => number.text(),
            Value::Bool(true) => "true",
            Value::Bool(false) => "false",
            Value::Null | Value::Sequence(_) | Value::Mapping(_) => return,
        };
        if written.trim().is_empty() {
            return; // `success()`
        }
        match expression::condition(written) {
            Ok(expression) => {
                let path = Path::of(at);
                self.placed.push(Placed::new(path, expression, Stands::Condition));
            }
            Err(wrong) => {
                if wrong.iter().all(|mistake| mistake.kind == MistakeKind::TextAroundCondition) {
                    // GitHub takes it, and a rule says what it means.
                    return self.text(written, at, false);
                }
                let path = Path::of(at);
                for mistake in wrong {
                    self.mistakes.push(finding(Place::within(path.clone(), mistake.span.clone()), &mistake));
                }
            }
        }
    }
}

fn finding(place: Place, mistake: &Mistake) -> Diagnostic {
    let finding = Diagnostic::error("expression", place, mistake.to_string());
    let close = |name: &str, known: Vec<&'static str>| {
        closest(name, known).map(|close| format!("did you mean `{close}`?"))
    };
    let help = match &mistake.kind {
        MistakeKind::UnknownSymbol(symbol) if symbol.starts_with('"') => {
            Some("write texts between single quotes".to_owned())
        }
        MistakeKind::UnknownContext(name, here) => close(name, here.contexts().map(Context::name).collect()),
        MistakeKind::UnknownFunction(name) => close(name, Function::ALL.map(Function::name).to_vec()),
        MistakeKind::ContextNotHere(name, here) if name.eq_ignore_ascii_case("secrets") => {
            Some(if here.has(Context::Env) {
                "put the secret into an `env:` above, and read `env` here".to_owned()
            } else {
                "pass the secret to a step, and let it say in an output what has to be known here".to_owned()
            })
        }
        _ => None,
    };
    match help {
        Some(help) => finding.with_help(help),
        None => finding,
    }
}

/// Whether a key is `${{ insert }}`, which is no expression: it puts the entries of its value in its place.
fn is_directive(expression: &Expression) -> bool {
    matches!(&expression.kind, expression::Kind::Context(name) if name == "insert")
}

/// Whether GitHub reads the text at this path as it stands: names and descriptions of the file, filters.
fn is_plain_text(at: &[SegmentRef<'_>]) -> bool {
    let key = |step: Option<&SegmentRef<'_>>, name: &str| step.is_some_and(|own| is(own, name));
    match at.first() {
        Some(SegmentRef::Key("on")) => !key(at.get(1), "workflow_call") || key(at.last(), "description"),
        Some(SegmentRef::Key(first)) => matches!(*first, "name" | "description"),
        _ => false,
    }
}

fn is(step: &SegmentRef<'_>, name: &str) -> bool {
    matches!(step, SegmentRef::Key(own) if *own == name)
}

fn steps(path: &Path) -> Vec<SegmentRef<'_>> {
    let step = |segment| match segment {
        &Segment::Index(index) => SegmentRef::Index(index),
        Segment::Key(key) => SegmentRef::Key(key),
    };
    path.segments().iter().map(step).collect()
}

/// Whether a path is the `if:` of a job, a step or a snapshot, which may be a bare expression.
fn is_condition(at: &[SegmentRef<'_>]) -> bool {
    use SegmentRef::{Index, Key};
    let Some((last, above)) = at.split_last() else { return false };
    if !is(last, "if") || !above.first().is_some_and(|first| is(first, "jobs")) {
        return false;
    }
    match above {
        [_, Key(_)] => true,
        [_, Key(_), snapshot] => is(snapshot, "snapshot"),
        [_, Key(_), steps, Index(_)] => is(steps, "steps"),
        [_, Key(_), steps, .., list, Index(_)] => is(steps, "steps") && is(list, "parallel"),
        _ => false,
    }
}
