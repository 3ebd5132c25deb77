//! How many columns of a terminal a text takes.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar;

/// What a tab is drawn as.
pub(super) const TAB: &str = "    ";

/// The columns of a text. Most texts need no looking up.
pub(super) fn width(text: &str) -> usize {
    if is_plain(text) { text.len() } else { text.chars().map(width_of).sum() }
}

/// Whether a text is letters and signs of ASCII alone: each is a byte, and takes a column.
pub(super) fn is_plain(text: &str) -> bool {
    text.bytes().fold(true, |all, byte| all & matches!(byte, b' '..=b'~'))
}

/// Whether a text holds no line feed, and neither does anything else that moves what follows it.
pub(super) fn is_one_line(text: &str) -> bool {
    text.bytes().fold(true, |all, byte| all & (byte >= b' '))
}

/// A text with its tabs as they are drawn.
pub(super) fn without_tabs(text: &str) -> Cow<'_, str> {
    if text.contains('\t') { Cow::Owned(text.replace('\t', TAB)) } else { Cow::Borrowed(text) }
}

/// The columns of a character. What has none by itself is drawn as one cell all the same.
pub(super) fn width_of(character: char) -> usize {
    match character {
        '\t' => TAB.len(),
        _ if character.is_ascii() => 1,
        _ => character.width().unwrap_or(1),
    }
}
