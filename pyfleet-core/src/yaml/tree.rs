//! Text → nodes that know their place, exactly as GitHub reads it.
//!
//! The specification is GitHub's own reader, `actions/runner`
//! `src/Sdk/WorkflowParser/Conversion/YamlObjectReader.cs`: scalars of the YAML 1.2 core schema, anchors
//! and aliases, five scalar tags, at most 50,000 events once aliases are replayed. Sibling keys must
//! differ (`…/ObjectTemplating/TemplateReader.cs`: ignoring case).
//!
//! Stricter than GitHub, because readers disagree about these: a merge key `<<` is refused instead of
//! being an ordinary key, and tags on collections are refused instead of ignored. In a manifest an anchor name may
//! be defined once; in a workflow an alias means the definition before it, as the YAML specification says (GitHub
//! differs where an alias is replayed with the value it stands in).

use smol_str::SmolStr;

use super::builder::{Builder, Dialect, MANIFEST, WORKFLOW};
use super::scalar::Run;
use super::way::{Found, Way};
use super::{scalar, usual};
use crate::diagnostic::{Diagnostics, Part, Path, Place};
use crate::source::{Source, Span};

/// The longest text that is read, in bytes (`actions/runner`, `ParseOptions.MaxFileSize`).
pub const MAX_BYTES: usize = 1024 * 1024;
/// The most collections that may be nested in each other.
pub const MAX_DEPTH: usize = 100;
/// The most parse events, aliases replayed (`YamlObjectReader.c_maxYamlNodes`): a scalar is one, a
/// collection two and what it holds.
pub const MAX_EVENTS: usize = 50_000;
/// The most bytes of text in scalars, aliases replayed (`ParseOptions.MaxResultSize`).
pub const MAX_TEXT: usize = 10 * 1024 * 1024;

/// One YAML document and the text it was read from.
///
/// ```
/// use pyfleet_core::diagnostic::{Path, Place};
/// use pyfleet_core::source::Source;
/// use pyfleet_core::yaml::tree::Document;
///
/// let text = "jobs:\n  build:\n    runs-on: ubuntu-24.04 # LTS\n";
/// let document = Document::parse_workflow(Source::new("ci.yml", text)).unwrap();
/// let path = Path::of(["jobs", "build", "runs-on"]);
///
/// assert_eq!(document.node(&path).unwrap().as_str(), Some("ubuntu-24.04"));
/// assert_eq!(&text[document.span(&Place::key(path.clone()))], "runs-on");
/// assert_eq!(&text[document.span(&Place::within(path.clone(), 0..6))], "ubuntu");
/// assert_eq!(document.trailing_comment(&path), Some("LTS"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The text.
    pub source: Source,
    /// What it says; [`Value::Null`] when it says nothing.
    pub root: Node,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The bytes of the value: a scalar with its quotes or block header, a flow collection with its
    /// brackets, a block collection from its first to its last entry without trailing blanks. For an
    /// alias the bytes of `*name`; what a replayed collection holds keeps its place at the anchor.
    pub span: Span,
    /// What it says.
    pub value: Value,
}

/// What a node says.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing, `null`, `Null`, `NULL` or `~`.
    Null,
    /// `true`, `True`, `TRUE` or `false`, `False`, `FALSE`.
    Bool(bool),
    /// A number of the core schema.
    Number(Number),
    /// Any other scalar: up to 23 bytes, as most keys and values have, without an allocation.
    String(SmolStr),
    /// A list.
    Sequence(Vec<Node>),
    /// Keys and values in order. Keys are always strings: any other scalar stands as it is written.
    Mapping(Vec<(Node, Node)>),
}

/// A number, and the text that says it: `3.10` is the number 3.1.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    value: f64,
    text: Box<str>,
}

impl Number {
    pub(super) fn new(value: f64, text: &str) -> Self {
        Self { value, text: text.into() }
    }

    /// The number that GitHub computes with.
    #[must_use]
    pub const fn value(&self) -> f64 {
        self.value
    }

    /// The number as an integer, if it is whole: exactly as written, or within 2^53 otherwise.
    #[must_use]
    pub fn as_integer(&self) -> Option<i64> {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let is_exact = self.value.fract() == 0.0 && self.value.abs() <= EXACT;
        #[expect(clippy::cast_possible_truncation, reason = "whole, and within 2^53")]
        self.text.parse().ok().or_else(|| is_exact.then_some(self.value as i64))
    }

    /// The number as written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Value {
    /// The kind of this value with its article, as messages say it: `a string`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Sequence(_) => "a list",
            Self::Mapping(_) => "a mapping",
        }
    }
}

impl Node {
    /// The text of a string; `None` for every other kind, numbers included.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The text of a scalar that reads as a string or a number, as it is written.
    fn text(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.text()),
            _ => None,
        }
    }

    /// The value at a key of a mapping.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|(_, value)| value)
    }

    pub(super) fn entry(&self, key: &str) -> Option<&(Self, Self)> {
        self.entries().iter().find(|(name, _)| name.as_str() == Some(key))
    }

    /// The entries of a mapping; none for every other kind.
    #[must_use]
    pub fn entries(&self) -> &[(Self, Self)] {
        match &self.value {
            Value::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none for every other kind.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The deepest existing node on a path from here.
    pub(super) fn find(&self, path: &Path) -> Found<'_> {
        let mut found = Found::start(self);
        for segment in path.segments() {
            match found.step(segment) {
                Some(next) => found = next,
                None => return Found { is_exact: false, ..found },
            }
        }
        found
    }
}

impl Document {
    /// Reads a document in which sibling keys must differ.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the text, up to its first syntax error; each place has its span.
    pub fn parse(source: Source) -> Result<Self, Diagnostics> {
        Self::read(source, MANIFEST)
    }

    /// Reads a document in which sibling keys must differ in more than case, as GitHub demands of
    /// workflows.
    ///
    /// # Errors
    ///
    /// As for [`Document::parse`].
    pub fn parse_workflow(source: Source) -> Result<Self, Diagnostics> {
        Self::read(source, WORKFLOW)
    }

    /// A workflow in which the same key may stand twice: the first one counts. It serves to look for mistakes beside
    /// that one, which [`Self::parse_workflow`] reports; nothing comes back where anything else is wrong.
    #[must_use]
    pub fn parse_workflow_repeating(source: Source) -> Option<Self> {
        if let Some(root) = usual::read(source.text(), WORKFLOW) {
            return Some(Self { source, root });
        }
        let mut builder = Builder::new(source.text(), WORKFLOW);
        builder.read();
        let is_read = builder.findings.iter().all(|finding| finding.code == WORKFLOW.duplicate);
        builder.root.filter(|_| is_read).map(|root| Self { source, root })
    }

    fn read(source: Source, dialect: Dialect) -> Result<Self, Diagnostics> {
        if let Some(root) = usual::read(source.text(), dialect) {
            return Ok(Self { source, root });
        }
        let mut builder = Builder::new(source.text(), dialect);
        builder.read();
        if builder.findings.is_empty() {
            let root = builder.root.unwrap_or(Node { span: 0..0, value: Value::Null });
            Ok(Self { source, root })
        } else {
            Err(builder.findings)
        }
    }

    /// The node at a path.
    #[must_use]
    pub fn node(&self, path: &Path) -> Option<&Node> {
        let found = self.root.find(path);
        found.is_exact.then_some(found.node)
    }

    /// The bytes that a place stands for.
    ///
    /// A part of a scalar is found through quotes, escapes and folding; the key of something without one
    /// (a list item, the document) is its first key. A place that does not exist is its nearest ancestor,
    /// by its key where it has one.
    #[must_use]
    pub fn span(&self, place: &Place) -> Span {
        self.span_with(place, &mut Way::from(&self.root), &mut None)
    }

    fn span_with<'a>(&'a self, place: &Place, way: &mut Way<'a>, last: &mut Option<Origins<'a>>) -> Span {
        let Found { key, node, is_exact } = way.find(&place.path);
        match &place.part {
            Part::Value if is_exact => node.span.clone(),
            Part::Within(range) if is_exact => {
                if !last.as_ref().is_some_and(|last| std::ptr::eq(last.node, node)) {
                    *last = Origins::of(node, self.source.text());
                }
                let within = last.as_ref().and_then(|last| last.within(range.start, range.end));
                within.unwrap_or_else(|| node.span.clone())
            }
            _ => key.or_else(|| node.entries().first().map(|(key, _)| key)).unwrap_or(node).span.clone(),
        }
    }

    /// Fills in the spans of all places and labels of findings about this document that have none yet.
    pub fn locate(&self, diagnostics: &mut Diagnostics) {
        // Findings of one rule stand in the order of the text: the way to the next is short, and a scalar is read once.
        let (mut way, mut last) = (Way::from(&self.root), None);
        for diagnostic in diagnostics.iter_mut() {
            let labels = diagnostic.labels.iter_mut().map(|label| &mut label.place);
            for place in std::iter::once(&mut diagnostic.place).chain(labels) {
                if place.span.is_none() {
                    place.span = Some(self.span_with(place, &mut way, &mut last));
                }
            }
        }
    }

    /// The text of the comment behind the scalar at a path, on the line where it ends: the `v4.2.0` of
    /// `uses: actions/checkout@<commit> # v4.2.0`.
    #[must_use]
    pub fn trailing_comment(&self, path: &Path) -> Option<&str> {
        self.comment_behind(self.node(path)?)
    }

    pub(crate) fn comment_behind(&self, node: &Node) -> Option<&str> {
        if matches!(node.value, Value::Sequence(_) | Value::Mapping(_)) {
            return None;
        }
        let text = self.source.text();
        if text.get(node.span.clone())?.starts_with(['|', '>']) {
            return None;
        }
        let behind = text.get(node.span.end..)?.lines().next()?;
        let comment = behind.trim_start_matches([' ', '\t']);
        let comment = comment.strip_prefix('#').filter(|_| comment.len() < behind.len())?;
        Some(comment.trim())
    }
}

/// Where the text of a scalar stands in the source.
struct Origins<'a> {
    node: &'a Node,
    characters: Characters,
}

enum Characters {
    /// As it is: a plain scalar on one line, as most are.
    Verbatim,
    /// Each by its place behind the start of the scalar.
    Moved(Vec<Run>),
}

impl<'a> Origins<'a> {
    fn of(node: &'a Node, source: &str) -> Option<Self> {
        let text = node.text()?;
        if source.get(node.span.clone()) == Some(text) {
            return Some(Self { node, characters: Characters::Verbatim });
        }
        let runs = scalar::origins(source.get(node.span.start..)?, text)?;
        Some(Self { node, characters: Characters::Moved(runs) })
    }

    /// The bytes of the source that a range of the text comes from: whole characters, and none where it is empty.
    fn within(&self, start: usize, end: usize) -> Option<Span> {
        let text = self.node.text().unwrap_or_default();
        let first = text.floor_char_boundary(start.min(text.len()));
        let behind = text.ceil_char_boundary(end.max(start + 1).min(text.len()));
        let covered = match &self.characters {
            Characters::Verbatim => first..behind,
            Characters::Moved(runs) if first == behind => {
                runs.last().map(|run| run.source.end..run.source.end)?
            }
            Characters::Moved(runs) => {
                let run_of = |place| runs.get(runs.partition_point(|run| run.value <= place).checked_sub(1)?);
                run_of(first)?.part(first, behind).start..run_of(behind - 1)?.part(first, behind).end
            }
        };
        let covered = if start < end { covered } else { covered.start..covered.start };
        Some(self.node.span.start + covered.start..self.node.span.start + covered.end)
    }
}
