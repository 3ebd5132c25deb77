//! The text a finding points into, and how a byte offset becomes a line and a column.

use std::ops::Range;

/// A range of bytes in a [`Source`]'s text.
pub type Span = Range<usize>;

/// A named text: a manifest, a workflow file.
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
pub struct Source {
    name: String,
    text: String,
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
        Self { name: name.into(), text: text.into() }
    }

    /// The name that findings show.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column of a byte offset. Offsets past the end, or inside a character, are moved back
    /// to the nearest place that exists.
    #[must_use]
    pub fn position(&self, offset: usize) -> Position {
        let mut end = offset.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &self.text[..end];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position {
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}
