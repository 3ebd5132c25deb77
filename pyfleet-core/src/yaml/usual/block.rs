//! Block collections, and which kind of node starts at a place.

use super::super::tree::{Node, Value};
use super::Reader;
use super::flow_scalar::{Context, Scalar};

impl<'a> Reader<'a> {
    /// `s-l+block-node`: what starts here, at the start of a line's text or behind dashes. `parent` is the
    /// indentation of the collection around it.
    pub(super) fn block_node(&mut self, parent: Option<usize>) -> Option<Node> {
        let column = self.cursor.column();
        match self.cursor.peek()? {
            b'-' if self.cursor.is_at_indicator(b'-') => self.block_sequence(self.cursor.at(), column),
            b'|' | b'>' => self.block_scalar(parent),
            b'[' | b'{' => self.flow_in_block(parent),
            _ => {
                let line_start = self.cursor.line_start();
                let scalar = self.scalar(Context::Block, parent)?;
                if self.is_key(&scalar, line_start, Context::Block) {
                    self.nested(|reader| reader.block_mapping(scalar, column))
                } else {
                    self.scalar_in_block(scalar, parent)
                }
            }
        }
    }

    /// `l+block-mapping`, from behind its first key.
    fn block_mapping(&mut self, first: Scalar<'a>, column: usize) -> Option<Node> {
        let start = first.span.start;
        let mut entries = Vec::new();
        let mut key = self.key(first)?;
        loop {
            let value = self.block_value(column)?;
            entries.push((key, value));
            if self.cursor.indent != Some(column) {
                let end = entries.last().map_or(start, |(_, value)| value.span.end);
                return Some(Node { span: start..end, value: self.mapping(entries)? });
            }
            key = self.implicit_key(Context::Block, Some(column))?;
        }
    }

    /// `l-block-map-implicit-value`, from its colon.
    fn block_value(&mut self, column: usize) -> Option<Node> {
        let colon = self.cursor.at();
        self.cursor.advance(1);
        self.cursor.skip_spaces();
        match self.cursor.peek() {
            None | Some(b'\n' | b'#') => {
                self.end_line()?;
                if self.cursor.indent > Some(column) {
                    self.block_node(Some(column))
                } else if self.cursor.indent == Some(column) && self.cursor.is_at_indicator(b'-') {
                    self.block_sequence(self.behind_dash()?, column)
                } else {
                    Some(self.nothing(colon))
                }
            }
            Some(b'|' | b'>') => self.block_scalar(Some(column)),
            Some(b'[' | b'{') => self.flow_in_block(Some(column)),
            Some(_) => {
                let scalar = self.scalar(Context::Block, Some(column))?;
                self.scalar_in_block(scalar, Some(column))
            }
        }
    }

    /// `l+block-sequence`, from its first dash. `start` is where its span starts.
    fn block_sequence(&mut self, start: usize, column: usize) -> Option<Node> {
        let items = self.nested(|reader| reader.block_entries(column))?;
        let end = items.last().map_or(start, |item| item.span.end);
        Some(Node { span: start..end, value: Value::Sequence(items) })
    }

    fn block_entries(&mut self, column: usize) -> Option<Vec<Node>> {
        let mut items = Vec::new();
        loop {
            items.push(self.block_entry(column)?);
            if self.cursor.indent != Some(column) || !self.cursor.is_at_indicator(b'-') {
                return Some(items);
            }
        }
    }

    /// Where the complete reader sees a list start that is not indented below its key: behind its first dash.
    fn behind_dash(&self) -> Option<usize> {
        let mut ahead = self.cursor;
        ahead.advance(1);
        ahead.skip_spaces();
        (ahead.peek() != Some(b'#')).then_some(ahead.at())
    }

    /// `c-l-block-seq-entry` that says something.
    fn block_entry(&mut self, column: usize) -> Option<Node> {
        self.cursor.advance(1);
        self.cursor.skip_spaces();
        if matches!(self.cursor.peek(), None | Some(b'\n' | b'#')) {
            self.end_line()?;
            if self.cursor.indent <= Some(column) {
                return None;
            }
        }
        self.block_node(Some(column))
    }

    /// `s-l-comments`: from behind a node to the next line that says something.
    pub(super) fn end_line(&mut self) -> Option<()> {
        self.cursor.end_line()?;
        self.cursor.next_line()
    }
}
