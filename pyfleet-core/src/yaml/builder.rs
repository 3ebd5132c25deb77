//! The events of `granit-parser` → nodes, or everything that is wrong with a text.

use std::collections::BTreeMap;

use granit_parser::{Event, Options, Parser, ScalarStyle, StructureStyle, Tag};
use smol_str::{SmolStr, ToSmolStr};

use super::scalar::{self, Plain};
use super::tree::{MAX_BYTES, MAX_DEPTH, MAX_EVENTS, MAX_TEXT, Node, Number, Value};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::source::Span;

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
pub(super) struct Dialect {
    /// A key as it is compared with its siblings.
    pub(super) identity: fn(&str) -> String,
    /// Whether an anchor name may be defined again.
    anchors_repeat: bool,
    /// What a key that is defined twice is reported as.
    pub(super) duplicate: &'static str,
}

/// A manifest: keys are what they are.
pub(super) const MANIFEST: Dialect =
    Dialect { identity: str::to_owned, anchors_repeat: false, duplicate: "yaml-duplicate-key" };

/// A workflow: keys differ in more than case.
pub(super) const WORKFLOW: Dialect =
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

/// Makes a document of the parser's events.
pub(super) struct Builder<'a> {
    text: &'a str,
    dialect: Dialect,
    /// The end of the last event.
    read_to: usize,
    open: Vec<Open>,
    pub(super) root: Option<Node>,
    anchors: BTreeMap<usize, Anchored>,
    anchor_names: BTreeMap<String, Span>,
    usage: Usage,
    kept: Usage,
    pub(super) findings: Diagnostics,
}

/// Reading cannot go on; why is among the findings.
struct Stop;

impl<'a> Builder<'a> {
    pub(super) fn new(text: &'a str, dialect: Dialect) -> Self {
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

    pub(super) fn read(&mut self) {
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
                return Node { span, value: Value::String(text.into()) };
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
            Plain::Number(value) => Value::Number(Number::new(value, text)),
            Plain::String | Plain::OutOfRange => Value::String(text.into()),
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
        let header = between.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
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
            (Some((text, _)), _) => Some(SmolStr::from(text)),
            (None, Value::String(text)) => Some(text),
            (None, Value::Number(number)) => Some(number.text().into()),
            (None, Value::Bool(value)) => Some(value.to_smolstr()),
            (None, Value::Null) => Some(SmolStr::default()),
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
