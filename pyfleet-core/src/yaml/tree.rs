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

use std::collections::BTreeMap;

use granit_parser::{Event, Options, Parser, ScalarStyle, StructureStyle, Tag};

use super::scalar::{self, Plain, Run};
use crate::diagnostic::{Diagnostic, Diagnostics, Part, Path, Place, Segment};
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
    /// Any other scalar.
    String(String),
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

    fn entry(&self, key: &str) -> Option<&(Self, Self)> {
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
        let mut found = Found { key: None, node: self, is_exact: true };
        for segment in path.segments() {
            let next = match segment {
                Segment::Key(key) => found.node.entry(key).map(|(key, node)| (Some(key), node)),
                Segment::Index(index) => found.node.items().get(*index).map(|node| (None, node)),
            };
            match next {
                Some((key, node)) => found = Found { key, node, is_exact: true },
                None => return Found { is_exact: false, ..found },
            }
        }
        found
    }
}

/// Where a path leads.
pub(super) struct Found<'a> {
    /// The key of the node, unless it is a list item or the document.
    pub(super) key: Option<&'a Node>,
    pub(super) node: &'a Node,
    /// Whether the node is the one at the path, not an ancestor.
    pub(super) is_exact: bool,
}

impl Document {
    /// Reads a document in which sibling keys must differ.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the text, up to its first syntax error; each place has its span.
    pub fn parse(source: Source) -> Result<Self, Diagnostics> {
        Self::read(
            source,
            Dialect { identity: str::to_owned, anchors_repeat: false, duplicate: "yaml-duplicate-key" },
        )
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
        let mut builder = Builder::new(source.text(), WORKFLOW);
        builder.read();
        let is_read = builder.findings.iter().all(|finding| finding.code == WORKFLOW.duplicate);
        builder.root.filter(|_| is_read).map(|root| Self { source, root })
    }

    fn read(source: Source, dialect: Dialect) -> Result<Self, Diagnostics> {
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
        self.span_with(place, &mut None)
    }

    fn span_with<'a>(&'a self, place: &Place, last: &mut Option<Origins<'a>>) -> Span {
        let Found { key, node, is_exact } = self.root.find(&place.path);
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
        // Findings about one scalar stand together, and it is read once.
        let mut last = None;
        for diagnostic in diagnostics.iter_mut() {
            let labels = diagnostic.labels.iter_mut().map(|label| &mut label.place);
            for place in std::iter::once(&mut diagnostic.place).chain(labels) {
                if place.span.is_none() {
                    place.span = Some(self.span_with(place, &mut last));
                }
            }
        }
    }

    /// The text of the comment behind the scalar at a path, on the line where it ends: the `v4.2.0` of
    /// `uses: actions/checkout@<commit> # v4.2.0`.
    #[must_use]
    pub fn trailing_comment(&self, path: &Path) -> Option<&str> {
        let node = self.node(path)?;
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

/// .NET's `OrdinalIgnoreCase`: character by character, in upper case.
fn ignoring_case(key: &str) -> String {
    key.chars()
        .map(|character| {
            let mut upper = character.to_uppercase();
            upper.next().filter(|_| upper.next().is_none()).unwrap_or(character)
        })
        .collect()
}

/// What differs between a manifest and a workflow.
#[derive(Clone, Copy)]
struct Dialect {
    /// A key as it is compared with its siblings.
    identity: fn(&str) -> String,
    /// Whether an anchor name may be defined again.
    anchors_repeat: bool,
    /// What a key that is defined twice is reported as.
    duplicate: &'static str,
}

const WORKFLOW: Dialect =
    Dialect { identity: ignoring_case, anchors_repeat: true, duplicate: "duplicate-key-ci" };

/// A collection whose end has not been read yet.
struct Open {
    is_flow: bool,
    start: usize,
    /// The furthest end of what it holds.
    end: usize,
    anchor: usize,
    usage: Usage,
    content: Content,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping {
        entries: Vec<(Node, Node)>,
        /// A key that waits for its value, and whether the entry is worth keeping.
        key: Option<(Node, bool)>,
        /// Keys as they are compared, with their place.
        seen: BTreeMap<String, Span>,
    },
}

/// What has been used of the limits.
#[derive(Clone, Copy, Default)]
struct Usage {
    events: usize,
    text: usize,
}

/// What an alias stands for.
struct Anchored {
    value: Value,
    usage: Usage,
    /// Nested collections in it, itself included.
    depth: usize,
}

struct Builder<'a> {
    text: &'a str,
    dialect: Dialect,
    /// The end of the last event.
    read_to: usize,
    open: Vec<Open>,
    root: Option<Node>,
    anchors: BTreeMap<usize, Anchored>,
    anchor_names: BTreeMap<String, Span>,
    usage: Usage,
    kept: Usage,
    findings: Diagnostics,
}

/// Reading cannot go on; why is among the findings.
struct Stop;

impl<'a> Builder<'a> {
    fn new(text: &'a str, dialect: Dialect) -> Self {
        Self {
            text,
            dialect,
            read_to: 0,
            open: Vec::new(),
            root: None,
            anchors: BTreeMap::new(),
            anchor_names: BTreeMap::new(),
            usage: Usage::default(),
            kept: Usage::default(),
            findings: Diagnostics::new(),
        }
    }

    fn read(&mut self) {
        if self.text.len() > MAX_BYTES {
            let finding =
                self.finding("yaml-limit", 0..0, format!("the file is longer than {MAX_BYTES} bytes"));
            self.findings.push(finding);
            return;
        }
        let options = granit_parser::options! {
            emit_comments: false,
            emit_anchor_events: true,
            emit_unresolved_aliases: true,
        };
        let _ = self.read_events(options);
    }

    fn read_events(&mut self, options: Options) -> Result<(), Stop> {
        let mut documents = 0;
        for next in Parser::new_from_str_with_options(self.text, options) {
            let (event, span) = match next {
                Ok((event, span)) => (event, span.byte_range().unwrap_or(0..0)),
                Err(error) => {
                    let start = error.marker().byte_offset().unwrap_or(self.text.len()).min(self.text.len());
                    let here = self.text.get(start..).and_then(|rest| rest.chars().next());
                    let end = start + here.filter(|next| !next.is_control()).map_or(0, char::len_utf8);
                    return self.stop("yaml-syntax", start..end, error.info());
                }
            };
            if !matches!(event, Event::Anchor(..)) {
                self.usage.events += 1;
            }
            self.check_limits(self.usage, &span)?;
            let end = span.end;
            match event {
                Event::DocumentStart(..) => {
                    documents += 1;
                    if documents > 1 {
                        return self.stop("yaml-documents", span, "the file holds more than one document");
                    }
                }
                Event::Scalar(text, style, anchor, tag) => {
                    // Nothing at all is read as `~`.
                    let text = if span.is_empty() && style == ScalarStyle::Plain { "".into() } else { text };
                    self.usage.text += text.len();
                    let span = self.scalar_span(style, span);
                    let node = self.scalar(&text, style, tag.as_deref(), span.clone());
                    self.keep_anchor(anchor, &node, Usage { events: 1, text: text.len() })?;
                    self.add(node, Some((&text, style)));
                }
                Event::SequenceStart(style, anchor, tag) => {
                    self.start(style, anchor, tag.as_deref(), span, Content::Sequence(Vec::new()))?;
                }
                Event::MappingStart(style, anchor, tag) => {
                    let content = Content::Mapping { entries: Vec::new(), key: None, seen: BTreeMap::new() };
                    self.start(style, anchor, tag.as_deref(), span, content)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.end(span)?,
                Event::Alias(anchor) => self.replay(anchor, span)?,
                Event::UnresolvedAlias(_) => {
                    self.error(
                        "yaml-anchor",
                        span.clone(),
                        "the alias names an anchor that is not defined above it",
                    );
                    self.add(Node { span, value: Value::Null }, None);
                }
                Event::Anchor(_, name) => {
                    let first = self.anchor_names.insert(name.into_owned(), span.clone());
                    if let Some(first) = first.filter(|_| !self.dialect.anchors_repeat) {
                        let finding = self.finding("yaml-anchor", span, "the anchor is defined twice");
                        let mut first = Place { span: Some(first), ..Place::default() };
                        first.path = finding.place.path.clone();
                        self.findings.push(finding.with_label(first, "first defined here").with_help(
                            "readers disagree about which one an alias means; rename one of them",
                        ));
                    }
                }
                _ => {}
            }
            self.read_to = self.read_to.max(end);
        }
        Ok(())
    }

    fn check_limits(&mut self, usage: Usage, span: &Span) -> Result<(), Stop> {
        if usage.events > MAX_EVENTS {
            self.stop(
                "yaml-limit",
                span.clone(),
                format!("the document has more than {MAX_EVENTS} nodes, aliases replayed"),
            )
        } else if usage.text > MAX_TEXT {
            self.stop(
                "yaml-limit",
                span.clone(),
                format!("the document has more than {MAX_TEXT} bytes of text, aliases replayed"),
            )
        } else {
            Ok(())
        }
    }

    fn check_depth(&mut self, deeper: usize, span: &Span) -> Result<(), Stop> {
        if self.open.len() + deeper > MAX_DEPTH {
            return self.stop(
                "yaml-limit",
                span.clone(),
                format!("more than {MAX_DEPTH} collections are nested"),
            );
        }
        Ok(())
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Node {
        let is_plain = style == ScalarStyle::Plain;
        let resolved = if is_plain { scalar::resolve(text) } else { Plain::String };
        let fits = match (tag.map(Tag::core_suffix), resolved) {
            (Some(Some("str")), _) => {
                return Node { span, value: Value::String(text.to_owned()) };
            }
            (None, Plain::OutOfRange) => {
                self.error(
                    "yaml-number",
                    span.clone(),
                    "the number does not fit into 32 bits, so GitHub refuses it",
                );
                true
            }
            (None, _) | (Some(Some("null")), Plain::Null) | (Some(Some("bool")), Plain::Bool(_)) => true,
            (Some(Some("int")), Plain::Number(_)) => scalar::is_integer(text),
            (Some(Some("float")), Plain::Number(_)) => !text.starts_with("0x") && !text.starts_with("0o"),
            (Some(Some("null" | "bool" | "int" | "float")), _) => false,
            (Some(_), _) => {
                self.unknown_tag(span.clone());
                true
            }
        };
        if !fits {
            self.error("yaml-tag", span.clone(), "the value is not what its tag says");
        }
        let value = match resolved {
            Plain::Null => Value::Null,
            Plain::Bool(value) => Value::Bool(value),
            Plain::Number(value) => Value::Number(Number { value, text: text.into() }),
            Plain::String | Plain::OutOfRange => Value::String(text.to_owned()),
        };
        Node { span, value }
    }

    /// The parser's span of a block scalar starts behind the first line's indentation and reaches to the
    /// next token; ours starts with the header and ends with the text.
    fn scalar_span(&self, style: ScalarStyle, span: Span) -> Span {
        if !matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            return span;
        }
        let between = self.text.get(self.read_to..span.start).unwrap_or_default();
        let header = between.lines().find_map(|line| {
            let code = line.split(" #").next()?.split("\t#").next()?;
            let header = code.split_whitespace().next_back().filter(|last| last.starts_with(['|', '>']))?;
            Some(header.as_ptr().addr() - self.text.as_ptr().addr())
        });
        let start = header.unwrap_or(span.start);
        let written = self.text.get(start..span.end).unwrap_or_default();
        start..start + written.trim_end_matches([' ', '\t', '\r', '\n']).len()
    }

    fn unknown_tag(&mut self, span: Span) {
        let finding = self.finding("yaml-tag", span, "GitHub refuses this tag").with_help(
            "remove it; only `!!str`, `!!int`, `!!float`, `!!bool` and `!!null` are known, on scalars",
        );
        self.findings.push(finding);
    }

    fn start(
        &mut self,
        style: StructureStyle,
        anchor: usize,
        tag: Option<&Tag>,
        span: Span,
        content: Content,
    ) -> Result<(), Stop> {
        self.check_depth(1, &span)?;
        if tag.is_some() {
            self.unknown_tag(span.clone());
        }
        let usage = Usage { events: self.usage.events - 1, text: self.usage.text };
        let is_flow = style == StructureStyle::Flow;
        let end = if is_flow { span.end } else { span.start };
        self.open.push(Open { is_flow, start: span.start, end, anchor, usage, content });
        Ok(())
    }

    fn end(&mut self, span: Span) -> Result<(), Stop> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        // The end of a block collection is noticed at the next token, behind comments and blank lines.
        let end = if span.is_empty() { open.end } else { span.end };
        let value = match open.content {
            Content::Sequence(items) => Value::Sequence(items),
            Content::Mapping { entries, .. } => Value::Mapping(entries),
        };
        let node = Node { span: open.start..end.max(open.start), value };
        let usage =
            Usage { events: self.usage.events - open.usage.events, text: self.usage.text - open.usage.text };
        self.keep_anchor(open.anchor, &node, usage)?;
        self.add(node, None);
        Ok(())
    }

    /// Keeps a copy for aliases. Copies count towards the limits too, or anchors nested in each other
    /// would multiply a document.
    fn keep_anchor(&mut self, anchor: usize, node: &Node, usage: Usage) -> Result<(), Stop> {
        if anchor != 0 {
            self.kept.events += usage.events;
            self.kept.text += usage.text;
            self.check_limits(self.kept, &node.span)?;
            self.anchors.insert(anchor, Anchored { value: node.value.clone(), usage, depth: depth(node) });
        }
        Ok(())
    }

    fn replay(&mut self, anchor: usize, span: Span) -> Result<(), Stop> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            self.error("yaml-anchor", span.clone(), "the alias stands inside the value it repeats");
            self.add(Node { span, value: Value::Null }, None);
            return Ok(());
        };
        let depth = anchored.depth;
        self.usage.events += anchored.usage.events.saturating_sub(1);
        self.usage.text += anchored.usage.text;
        self.check_limits(self.usage, &span)?;
        self.check_depth(depth, &span)?;
        if let Some(value) = self.anchors.get(&anchor).map(|anchored| anchored.value.clone()) {
            self.add(Node { span, value }, None);
        }
        Ok(())
    }

    /// Puts a complete node where it belongs. `written` is the text and style of a scalar that is no alias.
    fn add(&mut self, node: Node, written: Option<(&str, ScalarStyle)>) {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return;
        };
        open.end = open.end.max(node.span.end);
        match &mut open.content {
            Content::Sequence(items) => items.push(node),
            Content::Mapping { entries, key, .. } => match key.take() {
                Some((name, true)) => entries.push((name, node)),
                Some((_, false)) => {}
                None => self.add_key(node, written),
            },
        }
    }

    fn add_key(&mut self, node: Node, written: Option<(&str, ScalarStyle)>) {
        let span = node.span;
        let text = match (written, node.value) {
            (Some((text, _)), _) => Some(text.to_owned()),
            (None, Value::String(text)) => Some(text),
            (None, Value::Number(number)) => Some(number.text.into_string()),
            (None, Value::Bool(value)) => Some(value.to_string()),
            (None, Value::Null) => Some(String::new()),
            (None, Value::Sequence(_) | Value::Mapping(_)) => None,
        };
        let Some(text) = text else {
            self.error("yaml-key", span.clone(), "a key must be a string, not a list or a mapping");
            return self.set_key(Node { span, value: Value::Null }, false);
        };
        if self.open.last().is_some_and(|open| !open.is_flow) && self.is_indented_by_tab(span.start) {
            self.error("yaml-syntax", span.clone(), "a tab cannot indent a key");
        }
        if written == Some(("<<", ScalarStyle::Plain)) {
            let finding = self
                .finding("yaml-merge-key", span.clone(), "GitHub does not know the merge key `<<`")
                .with_help("write the entries out, or repeat a whole value with an alias");
            self.findings.push(finding);
        }
        let identity = (self.dialect.identity)(&text);
        let first = match self.open.last_mut().map(|open| &mut open.content) {
            Some(Content::Mapping { seen, .. }) => match seen.get(&identity) {
                Some(first) => Some(first.clone()),
                None => {
                    seen.insert(identity, span.clone());
                    None
                }
            },
            _ => None,
        };
        let is_new = first.is_none();
        if let Some(first) = first {
            let place = Place { span: Some(span.clone()), ..Place::key(self.path().key(&text)) };
            let label = Place { span: Some(first), ..place.clone() };
            self.findings.push(
                Diagnostic::error(
                    self.dialect.duplicate,
                    place,
                    format!("the key `{text}` is already defined"),
                )
                .with_label(label, "first defined here"),
            );
        }
        self.set_key(Node { span, value: Value::String(text) }, is_new);
    }

    /// Whether nothing but blanks, and a tab among them, stands before a place on its line.
    fn is_indented_by_tab(&self, place: usize) -> bool {
        let before = self.text.get(..place).unwrap_or_default();
        let indent = &before[before.trim_end_matches([' ', '\t']).len()..];
        indent.contains('\t')
            && (indent.len() == before.len() || before[..before.len() - indent.len()].ends_with('\n'))
    }

    fn set_key(&mut self, node: Node, keep: bool) {
        if let Some(Content::Mapping { key, .. }) = self.open.last_mut().map(|open| &mut open.content) {
            *key = Some((node, keep));
        }
    }

    /// The path of the node that is read next.
    fn path(&self) -> Path {
        self.open.iter().fold(Path::root(), |path, open| match &open.content {
            Content::Sequence(items) => path.index(items.len()),
            Content::Mapping { key: Some((name, _)), .. } => path.key(name.as_str().unwrap_or_default()),
            Content::Mapping { key: None, .. } => path,
        })
    }

    fn finding(&self, code: &'static str, span: Span, message: impl Into<String>) -> Diagnostic {
        let mut finding = Diagnostic::error(code, self.path(), message);
        finding.place.span = Some(span);
        finding
    }

    fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        let finding = self.finding(code, span, message);
        self.findings.push(finding);
    }

    fn stop(&mut self, code: &'static str, span: Span, message: impl Into<String>) -> Result<(), Stop> {
        self.error(code, span, message);
        Err(Stop)
    }
}

fn depth(node: &Node) -> usize {
    let below = |nodes: &mut dyn Iterator<Item = &Node>| 1 + nodes.map(depth).max().unwrap_or(0);
    match &node.value {
        Value::Sequence(items) => below(&mut items.iter()),
        Value::Mapping(entries) => below(&mut entries.iter().map(|(_, value)| value)),
        _ => 0,
    }
}
