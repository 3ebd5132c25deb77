//! What is wrong, where, and what to do about it: findings as data, without any rendering.
//!
//! A finding names a [`Path`] in the model, not a byte in a file: the typed models carry no spans. The
//! byte range is filled in by [`Document::locate`](crate::yaml::tree::Document::locate), with the tree that
//! the model was read from, once there is something to report.

use std::fmt;
use std::ops::Range;

use smol_str::SmolStr;

use crate::source::Span;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; changes no exit code.
    Note,
    /// Probably a mistake; rendering goes on.
    Warning,
    /// Nothing is written while one of these stands.
    Error,
}

impl Severity {
    /// What messages call it: `error`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One step of a [`Path`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Segment {
    /// A key of a mapping. Rules make places of everything that they look at, most of which nobody asks for: a key
    /// of up to 23 bytes, and so nearly every one, is copied without an allocation.
    Key(SmolStr),
    /// A position in a sequence, from 0.
    Index(usize),
}

impl From<&str> for Segment {
    fn from(key: &str) -> Self {
        Self::Key(key.into())
    }
}

impl From<usize> for Segment {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// A [`Segment`] of a document that is still being walked through: it borrows its key, and becomes a segment of its own
/// where something is to be said.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SegmentRef<'a> {
    Key(&'a str),
    Index(usize),
}

impl From<&SegmentRef<'_>> for Segment {
    fn from(segment: &SegmentRef<'_>) -> Self {
        match segment {
            SegmentRef::Key(key) => Self::from(*key),
            SegmentRef::Index(index) => Self::from(*index),
        }
    }
}

/// A place in a model: `jobs.apply.steps[3].run`. The empty path is the whole document.
///
/// ```
/// use pyfleet_core::diagnostic::Path;
///
/// let path = Path::root().key("jobs").key("apply").key("steps").index(3).key("run");
/// assert_eq!(path.to_string(), "jobs.apply.steps[3].run");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(Vec<Segment>);

impl Path {
    /// The whole document.
    #[must_use]
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// A path from its segments.
    pub fn of<S: Into<Segment>>(segments: impl IntoIterator<Item = S>) -> Self {
        Self(segments.into_iter().map(Into::into).collect())
    }

    /// This path, one key deeper.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.then(key.into())
    }

    /// This path, one sequence item deeper.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.then(index.into())
    }

    fn then(&self, segment: Segment) -> Self {
        let mut segments = Vec::with_capacity(self.0.len() + 1);
        segments.extend_from_slice(&self.0);
        segments.push(segment);
        Self(segments)
    }

    /// The path without its last segment; the root's parent is the root.
    #[must_use]
    pub fn parent(&self) -> Self {
        Self(self.0[..self.0.len().saturating_sub(1)].to_vec())
    }

    /// The segments from the root down.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Whether `other` is this path or below it.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) if position == 0 => f.write_str(key)?,
                Segment::Key(key) => write!(f, ".{key}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Which part of the entry at a path is meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Part {
    /// The value.
    #[default]
    Value,
    /// The key that leads to the value.
    Key,
    /// A byte range inside a scalar's value, after unquoting.
    Within(Range<usize>),
}

/// A place that a finding points at: in one document, by path, and by span once located.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// Where in the model.
    pub path: Path,
    /// Which part of it.
    pub part: Part,
    /// The byte range in the source, filled in by
    /// [`Document::locate`](crate::yaml::tree::Document::locate).
    pub span: Option<Span>,
}

impl Place {
    /// The value at a path.
    #[must_use]
    pub const fn value(path: Path) -> Self {
        Self { path, part: Part::Value, span: None }
    }

    /// The key at a path.
    #[must_use]
    pub const fn key(path: Path) -> Self {
        Self { path, part: Part::Key, span: None }
    }

    /// A byte range inside the scalar at a path.
    #[must_use]
    pub const fn within(path: Path, range: Range<usize>) -> Self {
        Self { path, part: Part::Within(range), span: None }
    }
}

impl From<Path> for Place {
    fn from(path: Path) -> Self {
        Self::value(path)
    }
}

/// A further place that explains a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where, in the same document.
    pub place: Place,
    /// What this place has to do with it.
    pub message: String,
}

/// One finding: a code, a severity, a message, one primary place, and what to do instead.
///
/// Messages are lower-case phrases without a full stop; the reason stands in the message, the remedy in
/// [`Diagnostic::help`].
///
/// ```
/// use pyfleet_core::diagnostic::{Diagnostic, Path, Severity};
///
/// let finding = Diagnostic::error("timeout-set", Path::of(["jobs", "build"]), "the job has no `timeout-minutes`")
///     .with_help("GitHub's default is 360 minutes; say how long it may take");
/// assert_eq!(finding.severity, Severity::Error);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The rule or check that found it, in kebab-case.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, and why that matters.
    pub message: String,
    /// Where.
    pub place: Place,
    /// What the primary place's underline says; empty for none.
    pub label: String,
    /// Further places in the same document.
    pub labels: Vec<Label>,
    /// What to do instead, one remedy an entry.
    pub help: Vec<String>,
    /// The place in the manifest that caused a finding in a rendered file.
    pub origin: Option<Path>,
}

impl Diagnostic {
    /// A finding of the given severity.
    pub fn new(
        severity: Severity,
        code: &'static str,
        place: impl Into<Place>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity,
            message: message.into(),
            place: place.into(),
            label: String::new(),
            labels: Vec::new(),
            help: Vec::new(),
            origin: None,
        }
    }

    /// A finding that stops rendering.
    pub fn error(code: &'static str, place: impl Into<Place>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, place, message)
    }

    /// A finding that is reported while rendering goes on.
    pub fn warning(code: &'static str, place: impl Into<Place>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, place, message)
    }

    /// Something worth knowing.
    pub fn note(code: &'static str, place: impl Into<Place>, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, place, message)
    }

    /// What the underline of the primary place says.
    #[must_use]
    pub fn with_underline(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// A further place in the same document.
    #[must_use]
    pub fn with_label(mut self, place: impl Into<Place>, message: impl Into<String>) -> Self {
        self.labels.push(Label { place: place.into(), message: message.into() });
        self
    }

    /// What to do instead.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}

/// All findings of one run over one document, in the order they were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// No findings.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a finding.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds a finding unless the same is said of the same place already.
    pub fn push_once(&mut self, diagnostic: Diagnostic) {
        let is_known = |known: &Diagnostic| {
            (known.code, &known.message, &known.place)
                == (diagnostic.code, &diagnostic.message, &diagnostic.place)
        };
        if !self.0.iter().any(is_known) {
            self.0.push(diagnostic);
        }
    }

    /// Whether any finding is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Whether nothing was found.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many findings there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// The findings in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// The findings in order, to be changed in place.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Diagnostic> {
        self.0.iter_mut()
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<T: IntoIterator<Item = Diagnostic>>(&mut self, findings: T) {
        self.0.extend(findings);
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<T: IntoIterator<Item = Diagnostic>>(findings: T) -> Self {
        Self(findings.into_iter().collect())
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
