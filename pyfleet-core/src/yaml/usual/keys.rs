//! What makes a key of a scalar, and keys of a mapping differ.

use std::collections::BTreeSet;

use super::super::builder::Dialect;
use super::super::scalar::{Plain, resolve};
use super::super::tree::{Node, Value};
use super::flow_scalar::{Context, Scalar};
use super::{MAX_KEY, Reader};

/// The most keys of which each is compared with each.
const FEW: usize = 16;

impl Reader<'_> {
    /// `ns-s-implicit-yaml-key`, up to its colon.
    pub(super) fn implicit_key(&mut self, context: Context, parent: Option<usize>) -> Option<Node> {
        let line_start = self.cursor.line_start();
        let scalar = self.scalar(context, parent)?;
        self.is_key(&scalar, line_start, context).then(|| self.key(scalar))?
    }

    /// Whether the scalar just read, from a line that starts at `line_start`, is a key. If so, goes to its colon.
    pub(super) fn is_key(&mut self, scalar: &Scalar<'_>, line_start: usize, context: Context) -> bool {
        let behind = self.cursor.at();
        self.cursor.skip_spaces();
        // As in JSON, the value may follow closely.
        let is_adjacent = context == Context::Flow && !scalar.is_plain && self.cursor.peek() == Some(b':');
        let is_key = (is_adjacent || self.cursor.is_at_indicator(b':'))
            && self.cursor.line_start() == line_start
            && self.cursor.at() - scalar.span.start <= MAX_KEY;
        if !is_key {
            self.cursor.go_to(behind);
        }
        is_key
    }

    /// The node of a key, which is a string whatever it looks like.
    pub(super) fn key(&mut self, scalar: Scalar<'_>) -> Option<Node> {
        let is_refused =
            scalar.is_plain && (scalar.text == "<<" || resolve(&scalar.text) == Plain::OutOfRange);
        self.events += 1;
        (!is_refused).then(|| Node { span: scalar.span, value: Value::String(scalar.text.into()) })
    }

    /// A mapping whose keys differ.
    pub(super) fn mapping(&self, entries: Vec<(Node, Node)>) -> Option<Value> {
        are_distinct(&entries, self.dialect).then_some(Value::Mapping(entries))
    }
}

fn are_distinct(entries: &[(Node, Node)], dialect: Dialect) -> bool {
    let keys = || entries.iter().filter_map(|(key, _)| key.as_str());
    let differ_anyway = entries.len() <= FEW
        && keys().all(str::is_ascii)
        && keys()
            .enumerate()
            .all(|(index, key)| keys().take(index).all(|before| !before.eq_ignore_ascii_case(key)));
    differ_anyway || {
        let mut seen = BTreeSet::new();
        keys().all(|key| seen.insert((dialect.identity)(key)))
    }
}
