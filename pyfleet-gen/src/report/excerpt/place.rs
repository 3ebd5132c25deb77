//! Where a mark is: in which line, and under which columns.

use super::pen::{Ink, Stroke};
use super::width::{is_plain, width};
use super::{Mark, Snippet};

/// A mark in its line.
pub(super) struct Place<'a> {
    /// The line's number.
    pub(super) number: usize,
    /// The line, without its end.
    pub(super) line: &'a str,
    /// How many columns of a terminal it takes.
    pub(super) line_width: usize,
    /// Where the next line begins in the snippet.
    pub(super) line_end: usize,
    /// The character that the mark begins with, counted from 1.
    pub(super) column: usize,
    /// The first column of a terminal under the mark.
    pub(super) start: usize,
    /// The column after its last one; no mark is invisible.
    pub(super) end: usize,
    /// The character after the mark's last one, counted from 1.
    pub(super) end_column: usize,
    /// What stands beside the underline; nothing where it is empty.
    pub(super) label: &'a str,
    /// How far the label reaches to the right of the mark.
    pub(super) label_width: usize,
    /// Whether the snippet is about it.
    pub(super) is_primary: bool,
}

impl<'a> Place<'a> {
    /// The places of all marks of a snippet, line by line.
    pub(super) fn all(snippet: &'a Snippet<'_>) -> Vec<Self> {
        let mut places = Vec::with_capacity(1 + snippet.beside.len());
        places.push(Self::of(snippet, &snippet.mark, true));
        if !snippet.beside.is_empty() {
            places.extend(snippet.beside.iter().map(|mark| Self::of(snippet, mark, false)));
            places.sort_by_key(|place| place.number);
        }
        places
    }

    fn of(snippet: &'a Snippet<'_>, mark: &'a Mark<'_>, is_primary: bool) -> Self {
        let text: &str = &snippet.text;
        let start = text.floor_char_boundary(mark.span.start);
        let end = text.floor_char_boundary(mark.span.end).max(start);
        // What is behind the last line feed is shown at the end of the line before: it has no line of its own.
        let within = text.strip_suffix('\n').map_or(text.len(), str::len).min(start);
        let line_start = text[..within].rfind('\n').map_or(0, |newline| newline + 1);
        let rest = &text[line_start..];
        let (line, line_end) = match rest.split_once('\n') {
            Some((line, _)) => (line.strip_suffix('\r').unwrap_or(line), line_start + line.len() + 1),
            None => (rest, text.len()),
        };
        let (before, marked) = {
            let in_line = |offset: usize| (offset - line_start).min(line.len());
            (&line[..in_line(start)], &line[in_line(start)..in_line(end)])
        };
        let is_past_the_line = start > line_start + line.len();
        let is_plain = is_plain(line);
        let characters = |part: &str| if is_plain { part.len() } else { part.chars().count() };
        let columns = |part: &str| if is_plain { part.len() } else { width(part) };
        let first_column = characters(before) + 1;
        let column = first_column + usize::from(is_past_the_line);
        let end_column = if start == end { column } else { first_column + characters(marked) };
        let start = columns(before);
        Self {
            number: snippet.first_line + text[..line_start].bytes().filter(|byte| *byte == b'\n').count(),
            line,
            line_width: columns(line),
            line_end,
            column,
            start,
            end: start + columns(marked).max(1),
            end_column,
            label: mark.label.as_deref().unwrap_or_default(),
            label_width: mark.label.as_deref().map_or(0, |label| width(label) + 1),
            is_primary,
        }
    }

    pub(super) const fn ink(&self) -> Ink {
        if self.is_primary { Ink::Severity } else { Ink::Gutter }
    }

    /// What it is underlined with.
    pub(super) const fn stroke(&self) -> Stroke {
        if self.is_primary { Stroke::Caret } else { Stroke::Dash }
    }

    /// How many columns are underlined.
    pub(super) const fn width(&self) -> usize {
        self.end - self.start
    }

    /// The beginning, then the end.
    pub(super) const fn ends(&self) -> [(usize, usize); 2] {
        [(self.start, self.column), (self.end, self.end_column)]
    }

    pub(super) const fn has_label(&self) -> bool {
        !self.label.is_empty()
    }

    /// Whether it and another have a column in common, if it were wider by so many columns.
    pub(super) const fn meets(&self, other: &Self, wider: usize) -> bool {
        self.start < other.end && other.start < self.end + wider
    }
}
