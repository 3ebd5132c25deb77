//! The usual YAML, read in one pass; anything else is left to `granit-parser`.
//!
//! For 682 workflows of other people (3 MB) the complete reader takes 594 million instructions, most of them for tokens
//! and events that what people write does not need. This reader goes from bytes to nodes: it takes 681 of the
//! workflows, with 132 million.
//!
//! It takes one document, with or without `---` above it, whose root is a mapping or a list: block and flow
//! collections, lists that are not indented below their key, scalars without quotes, in either kind of quotes, literal
//! and folded, comments, and values that are not there.
//!
//! It leaves alone anchors, aliases, tags, directives, `? ` keys, pairs in flow lists, tabs between tokens, line
//! breaks other than LF, a byte order mark, whatever is not printable, several documents, what is near a limit or
//! beyond one, and **every text that anything is wrong with**. All findings come from the complete reader
//! ([`super::builder`]), in its words.
//!
//! The law, which `tests` hold it to: for every text it gives back `None`, or exactly the nodes and spans that the
//! complete reader finds, without any finding. Hence every doubt ends in `None`, and costs nothing but a second
//! reading.
//!
//! Names are those of the YAML 1.2.2 specification where it has one.

mod block;
mod block_scalar;
mod cursor;
mod flow;
mod flow_scalar;
mod keys;

#[cfg(test)]
mod tests;

use cursor::Cursor;

use super::builder::Dialect;
use super::tree::{MAX_BYTES, MAX_DEPTH, MAX_EVENTS, Node, Value};

/// The events of the stream and its document around the root: two starts, two ends.
const EVENTS_AROUND_ROOT: usize = 4;
/// The longest key that is taken, in bytes up to its colon. YAML allows 1024 characters.
const MAX_KEY: usize = 1000;

/// The root of a usual text that nothing is wrong with.
pub(super) fn read(text: &str, dialect: Dialect) -> Option<Node> {
    if text.len() > MAX_BYTES || !is_usual(text) {
        return None;
    }
    // The limit of text in scalars is beyond reach: without aliases they hold little more than the file.
    let mut reader =
        Reader { cursor: Cursor::new(text), dialect, events: EVENTS_AROUND_ROOT, depth_left: MAX_DEPTH };
    let root = reader.document()?;
    (reader.events <= MAX_EVENTS).then_some(root)
}

/// Whether a text holds no characters but printable ones, tabs and line feeds.
fn is_usual(text: &str) -> bool {
    // Counted to the end and without branches, so that many bytes are looked at together.
    let is_control = |byte: u8| ((byte < b' ') & (byte != b'\n') & (byte != b'\t')) | (byte == 0x7F);
    let controls = |bytes: &[u8]| bytes.iter().map(|byte| u8::from(is_control(*byte))).sum::<u8>();
    let has_controls = text.as_bytes().chunks(128).any(|bytes| controls(bytes) > 0);
    let other_lines = || text.lines().filter(|line| !line.is_ascii());
    !has_controls && (text.is_ascii() || other_lines().flat_map(str::chars).all(is_usual_character))
}

/// Whether a character other than of ASCII is printable, and neither a break to old readers nor a byte order mark.
const fn is_usual_character(character: char) -> bool {
    !matches!(character, '\u{80}'..='\u{9F}' | '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}')
}

/// Reads nodes. Whatever reads a block node leaves the cursor at the next line that says something, and gives back
/// `None` where it meets anything it does not take.
struct Reader<'a> {
    cursor: Cursor<'a>,
    dialect: Dialect,
    /// How many events the complete reader has seen by now.
    events: usize,
    /// How many more collections may be nested.
    depth_left: usize,
}

impl Reader<'_> {
    /// `l-any-document`, with a collection as its root.
    fn document(&mut self) -> Option<Node> {
        self.cursor.next_line()?;
        if self.cursor.is_at_marker() && self.cursor.peek() == Some(b'-') {
            self.cursor.advance(3);
            self.end_line()?;
        }
        let root = self.block_node(None)?;
        let is_collection = matches!(root.value, Value::Sequence(_) | Value::Mapping(_));
        (is_collection && self.cursor.indent.is_none()).then_some(root)
    }

    /// Reads a collection, unless too many are nested already.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        self.depth_left = self.depth_left.checked_sub(1)?;
        self.events += 2;
        let collection = read(self)?;
        self.depth_left += 1;
        Some(collection)
    }
}
