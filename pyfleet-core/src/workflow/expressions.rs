//! Every expression of a workflow file, and where it stands.

use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place, Segment};
use crate::expression::{self, ContextAccess, Expression, Mistake};
use crate::yaml::tree::{Document, Node, Value};

/// An expression and the scalar it stands in; its offsets count inside that scalar.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// The scalar.
    pub path: Path,
    /// What stands there.
    pub expression: Expression,
}

impl Placed {
    /// Every read of a context in this expression, each with its place.
    pub fn contexts(&self) -> impl Iterator<Item = (Place, ContextAccess)> + '_ {
        self.expression
            .contexts()
            .into_iter()
            .map(|access| (Place::within(self.path.clone(), access.span.clone()), access))
    }
}

/// The expressions at and below a path, in the order of the text: all `${{ }}`, and conditions also bare.
/// What does not parse is left out here and reported by [`super::parse`].
#[must_use]
pub fn expressions(document: &Document, path: &Path) -> Vec<Placed> {
    let mut found = Vec::new();
    if let Some(node) = document.node(path) {
        collect(node, path, &mut found, &mut Diagnostics::new());
    }
    found
}

/// What is wrong with the expressions of a file.
pub(super) fn mistakes(document: &Document) -> Diagnostics {
    let mut mistakes = Diagnostics::new();
    collect(&document.root, &Path::root(), &mut Vec::new(), &mut mistakes);
    mistakes
}

fn collect(node: &Node, path: &Path, found: &mut Vec<Placed>, mistakes: &mut Diagnostics) {
    match &node.value {
        Value::String(text) if is_plain_text(path) || text.is_empty() => {}
        Value::String(text) if is_condition(path) => match expression::condition(text) {
            Ok(expression) => found.push(Placed { path: path.clone(), expression }),
            Err(wrong) => mistakes.extend(wrong.into_iter().map(|mistake| finding(path, &mistake))),
        },
        Value::String(text) => {
            let (embedded, wrong) = expression::embedded(text);
            let placed = |embedded: expression::Embedded| Placed {
                path: path.clone(),
                expression: embedded.expression,
            };
            found.extend(embedded.into_iter().map(placed));
            mistakes.extend(wrong.iter().map(|mistake| finding(path, mistake)));
        }
        Value::Sequence(items) => {
            for (position, item) in items.iter().enumerate() {
                collect(item, &path.index(position), found, mistakes);
            }
        }
        Value::Mapping(entries) => {
            for (key, value) in entries {
                collect(value, &path.key(key.as_str().unwrap_or_default()), found, mistakes);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn finding(path: &Path, mistake: &Mistake) -> Diagnostic {
    Diagnostic::error("expression", Place::within(path.clone(), mistake.span.clone()), mistake.to_string())
}

/// Whether GitHub reads the text at this path as it stands: names and descriptions of the file, filters.
fn is_plain_text(path: &Path) -> bool {
    let key = |segment: Option<&Segment>, name: &str| segment.is_some_and(|own| *own == Segment::from(name));
    let segments = path.segments();
    match segments.first() {
        Some(Segment::Key(first)) if first == "on" => {
            !key(segments.get(1), "workflow_call") || key(segments.last(), "description")
        }
        Some(Segment::Key(first)) => matches!(first.as_str(), "name" | "description"),
        _ => false,
    }
}

/// Whether a path is the `if:` of a job, a step or a snapshot, which may be a bare expression.
fn is_condition(path: &Path) -> bool {
    use Segment::{Index, Key};
    match path.segments() {
        [Key(jobs), Key(_), Key(last)] => jobs == "jobs" && last == "if",
        [Key(jobs), Key(_), Key(snapshot), Key(last)] => {
            jobs == "jobs" && snapshot == "snapshot" && last == "if"
        }
        [Key(jobs), Key(_), Key(steps), .., Key(list), Index(_), Key(last)] => {
            jobs == "jobs" && steps == "steps" && list == "parallel" && last == "if"
        }
        [Key(jobs), Key(_), Key(steps), Index(_), Key(last)] => {
            jobs == "jobs" && steps == "steps" && last == "if"
        }
        _ => false,
    }
}
