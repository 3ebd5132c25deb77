//! The text a finding points into, and how a byte offset becomes a line and a column.

use std::iter;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// A range of bytes in a [`Source`]'s text.
pub type Span = Range<usize>;

/// A named text: a manifest, a workflow file. To clone it copies nothing.
///
/// Nothing is computed until a place is asked for, so that success pays nothing.
///
/// ```
/// use pyfleet_core::source::Source;
///
/// let source = Source::new("pyfleet.yml", "version: 1\nproject: ärger\n");
/// let place = source.position(source.text().find("ger").unwrap());
/// assert_eq!((place.line, place.column), (2, 12));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source(Arc<Named>);

#[derive(Debug, PartialEq, Eq)]
struct Named {
    name: String,
    text: String,
    line_starts: LineStarts,
}

/// Where each line of a text begins, once somebody has asked: counting from the start for each of many findings would
/// take the square of the text's length. It follows from the text, and tells no two sources apart.
#[derive(Debug, Default)]
struct LineStarts(OnceLock<Vec<usize>>);

impl PartialEq for LineStarts {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for LineStarts {}

impl LineStarts {
    fn of(&self, text: &str) -> &[usize] {
        self.0.get_or_init(|| {
            let next = |start: &usize| find_byte(text.as_bytes(), b'\n', *start).map(|newline| newline + 1);
            iter::successors(Some(0), next).collect()
        })
    }
}

/// Where a byte is next, from a place on. Sixteen bytes are looked at together, which a processor does as quickly as one.
pub(crate) fn find_byte(text: &[u8], byte: u8, from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    let (sixteens, _) = rest.as_chunks::<16>();
    let holds = |bytes: &[u8; 16]| bytes.iter().fold(false, |any, own| any | (*own == byte));
    let start = sixteens.iter().position(holds).unwrap_or(sixteens.len()) * 16;
    rest[start..].iter().position(|own| *own == byte).map(|at| from + start + at)
}

/// Whether a reader does not see a character as it acts: control characters but tab and line feed, characters
/// that change the direction, and those without a glyph (Unicode: `Default_Ignorable_Code_Point`). The selector
/// of emoji, U+FE0F, is left: on its own it can say nothing.
#[must_use]
pub const fn is_deceptive(character: char) -> bool {
    // Nearly all of any text, and the first question here for that.
    if matches!(character, ' '..='~') {
        return false;
    }
    matches!(character,
        '\u{0}'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}'
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0e}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A place in a text as people count: from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
}

impl Source {
    /// A text under the name that findings show, usually a path relative to the repository.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self(Arc::new(Named { name: name.into(), text: text.into(), line_starts: LineStarts::default() }))
    }

    /// The name that findings show.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Line and column of a byte offset. Offsets past the end, or inside a character, are moved back
    /// to the nearest place that exists.
    #[must_use]
    pub fn position(&self, offset: usize) -> Position {
        let text = self.text();
        let end = text.floor_char_boundary(offset);
        let starts = self.0.line_starts.of(text);
        let line = starts.partition_point(|start| *start <= end);
        let start = starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        Position { line, column: text[start..end].chars().count() + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::{Position, Source};

    /// As one counts from the start.
    fn counted(text: &str, end: usize) -> Position {
        let before = &text[..end];
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position { line: before.matches('\n').count() + 1, column: before[start..].chars().count() + 1 }
    }

    #[test]
    fn every_place_of_a_text() {
        for text in ["", "\n", "a", "ä\n\n\tb\r\nc\u{1f600}d\n", "no end of line"] {
            let source = Source::new("x", text);
            for offset in 0..=text.len() + 2 {
                let end = (0..=offset.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap();
                assert_eq!(source.position(offset), counted(text, end), "{text:?} at {offset}");
            }
        }
    }

    #[test]
    fn what_was_asked_tells_no_sources_apart() {
        let asked = Source::new("x", "a\nb");
        assert_eq!(asked.position(2).line, 2);
        assert_eq!(asked, Source::new("x", "a\nb"));
    }
}
