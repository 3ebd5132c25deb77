//! Flow collections.

use super::super::tree::{Node, Value};
use super::Reader;
use super::flow_scalar::Context;

impl Reader<'_> {
    /// A flow collection and the rest of its last line.
    pub(super) fn flow_in_block(&mut self, parent: Option<usize>) -> Option<Node> {
        let node = self.flow_node(parent)?;
        self.end_line()?;
        Some(node)
    }

    /// `ns-flow-node`. `parent` is the indentation of the block collection around it all.
    fn flow_node(&mut self, parent: Option<usize>) -> Option<Node> {
        match self.cursor.peek()? {
            b'[' => self.nested(|reader| reader.flow_sequence(parent)),
            b'{' => self.nested(|reader| reader.flow_mapping(parent)),
            _ => {
                let scalar = self.scalar(Context::Flow, parent)?;
                self.value(scalar)
            }
        }
    }

    /// `c-flow-sequence`.
    fn flow_sequence(&mut self, parent: Option<usize>) -> Option<Node> {
        let start = self.cursor.at();
        let mut items = Vec::new();
        self.cursor.advance(1);
        while self.has_flow_entry(b']')? {
            items.push(self.flow_node(parent)?);
            self.end_flow_entry(b']')?;
        }
        Some(Node { span: start..self.cursor.at(), value: Value::Sequence(items) })
    }

    /// `c-flow-mapping`.
    fn flow_mapping(&mut self, parent: Option<usize>) -> Option<Node> {
        let start = self.cursor.at();
        let mut entries = Vec::new();
        self.cursor.advance(1);
        while self.has_flow_entry(b'}')? {
            let key = self.implicit_key(Context::Flow, parent)?;
            let value = self.flow_value(parent)?;
            entries.push((key, value));
            self.end_flow_entry(b'}')?;
        }
        Some(Node { span: start..self.cursor.at(), value: self.mapping(entries)? })
    }

    /// `c-ns-flow-map-separate-value`, from its colon.
    fn flow_value(&mut self, parent: Option<usize>) -> Option<Node> {
        let colon = self.cursor.at();
        self.cursor.advance(1);
        self.separate()?;
        match self.cursor.peek()? {
            b',' | b'}' => Some(self.nothing(colon)),
            _ => self.flow_node(parent),
        }
    }

    /// To the next entry, or over the closing bracket.
    fn has_flow_entry(&mut self, closing: u8) -> Option<bool> {
        self.separate()?;
        let is_end = self.cursor.peek()? == closing;
        self.cursor.advance(usize::from(is_end));
        Some(!is_end)
    }

    /// From behind an entry over its comma, or to the closing bracket.
    fn end_flow_entry(&mut self, closing: u8) -> Option<()> {
        self.separate()?;
        match self.cursor.peek()? {
            b',' => self.cursor.advance(1),
            other if other == closing => {}
            _ => return None,
        }
        Some(())
    }

    /// `s-separate`, or nothing: over blanks, comments and line breaks.
    fn separate(&mut self) -> Option<()> {
        loop {
            self.cursor.skip_spaces();
            if self.cursor.peek() == Some(b'\n') || self.cursor.is_at_comment() {
                self.cursor.end_line()?;
            } else {
                return Some(());
            }
        }
    }
}
