//! Which columns of the lines of a snippet are shown, where not all of them fit.

use super::pen::Ink;
use super::place::Place;
use super::row::{DOTS, Row};
use super::width::{TAB, width_of, without_tabs};

/// As wide as a row may be.
const TERMINAL: usize = 140;

/// So much more than what is marked is shown at both sides of it.
const AROUND: usize = 6;

/// No more of the white space that lines begin with is shown, and where there is more, only so much of it.
const LONG_INDENT: usize = 20;
const SHORT_INDENT: usize = 16;

/// The columns of lines that are shown.
pub(super) struct Window {
    left: usize,
    right: usize,
    /// How many columns there are for code.
    width: usize,
}

impl Window {
    /// The columns to show of lines beside a gutter: what is marked, its labels, and as much else as fits.
    pub(super) fn over(places: &[Place<'_>], gutter: usize) -> Self {
        let width = TERMINAL.saturating_sub(gutter + " | ".len());
        let longest = places.iter().map(|place| place.line_width).max().unwrap_or_default();
        let first = places.iter().map(|place| place.start).min().unwrap_or_default();
        if longest <= width && first <= AROUND + LONG_INDENT {
            return Self { left: 0, right: longest, width };
        }
        let indent = places.iter().filter_map(|place| indent(place.line)).min().unwrap_or_default();
        let indent = indent.min(first).saturating_sub(AROUND);
        let left = if indent > LONG_INDENT { indent - SHORT_INDENT } else { 0 };
        let right = longest.max(left);
        if right - left <= width {
            return Self { left, right, width };
        }
        let first = first.saturating_sub(AROUND);
        let last = AROUND + places.iter().map(|place| place.end).max().unwrap_or_default();
        let last_label =
            AROUND + places.iter().map(|place| place.end + place.label_width).max().unwrap_or_default();
        let left = if last_label - indent <= width {
            indent
        } else if last_label - first <= width {
            first.saturating_sub((width - (last_label - first)) / 2)
        } else if last - first <= width {
            first.saturating_sub((width - (last - first)) / 5 * 2)
        } else {
            return Self { left: first, right: last, width };
        };
        Self { left, right: left + width, width }
    }

    /// Whether a line of a width is shown as it is.
    pub(super) fn shows_all_of(&self, line_width: usize) -> bool {
        self.left == 0 && self.right_of(line_width).is_none()
    }

    /// A line of a width as it is shown, with dots where it is cut, and how many of its columns are hidden on the left.
    pub(super) fn row(&self, line: &str, line_width: usize) -> (Row, usize) {
        let line = without_tabs(line);
        let left = self.left.min(line_width);
        let cut = self.right_of(line_width);
        let (mut hidden, mut taken) = (0, 0);
        let mut shown = line.chars();
        while hidden < left
            && let Some(character) = shown.next()
        {
            hidden += width_of(character);
        }
        let shown = shown.as_str();
        let end = cut.and_then(|cut| {
            let is_behind = |character| {
                taken += width_of(character);
                taken > cut - left
            };
            shown.find(is_behind)
        });
        let code = &shown[..end.unwrap_or(shown.len())];

        let mut row = Row::default();
        let (columns, cells) = if self.left > 0 { under_dots(code.chars()) } else { (0, 0) };
        if self.left > 0 {
            row.put(0, DOTS.chars(), Ink::Gutter);
        }
        row.put(columns, code.chars().skip(cells), Ink::Plain);
        if cut.is_some() {
            let (_, last_cells) = under_dots(code.chars().rev());
            row.put(
                (columns + code.chars().count()).saturating_sub(cells + last_cells),
                DOTS.chars(),
                Ink::Gutter,
            );
        }
        (row, hidden.max(left))
    }

    /// Whether a mark is so long that its middle is left out.
    pub(super) const fn shortens(&self, place: &Place<'_>) -> bool {
        place.width() > self.width * 2
    }

    /// Leaves the middle of a mark out of a row.
    pub(super) fn shorten(&self, row: &mut Row, place: &Place<'_>, hidden: usize) {
        let kept = self.width / 3;
        row.leave_out((place.start + kept).saturating_sub(hidden)..(place.end - kept).saturating_sub(hidden));
    }

    /// The column from which on a line of a width is cut.
    fn right_of(&self, line_width: usize) -> Option<usize> {
        let is_too_long = line_width.saturating_sub(self.left) > self.width;
        Some(self.right).filter(|right| is_too_long && *right < line_width)
    }
}

/// The columns of white space that a line begins with; nothing for a line of nothing else.
fn indent(line: &str) -> Option<usize> {
    let code = line.trim_start();
    let space = &line[..line.len() - code.len()];
    let of = |character| if character == '\t' { TAB.len() } else { 1 };
    (!code.is_empty()).then(|| space.chars().map(of).sum())
}

/// As many characters as dots are drawn over: their columns, and how many they are.
fn under_dots(characters: impl Iterator<Item = char>) -> (usize, usize) {
    let (mut columns, mut cells) = (0, 0);
    for character in characters {
        columns += width_of(character);
        cells += 1;
        if columns >= DOTS.len() {
            break;
        }
    }
    (columns, cells)
}
