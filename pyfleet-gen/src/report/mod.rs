//! One output format a file.

pub(crate) mod diff;
pub(crate) mod human;

use pyfleet_core::secret::mask;
use pyfleet_core::source::is_deceptive;

/// A text as it can be shown: secrets are masked, and what a terminal would act on is replaced. Every byte keeps
/// its place.
pub(crate) fn visible(text: &str) -> String {
    let masked = mask(text);
    let mut characters = masked.chars().peekable();
    let mut visible = String::with_capacity(masked.len());
    while let Some(character) = characters.next() {
        let is_line_end = character == '\r' && characters.peek() == Some(&'\n');
        visible.push(match character.len_utf8() {
            _ if is_line_end || !is_deceptive(character) => character,
            1 => '?',
            2 => '\u{b7}',
            3 => '\u{fffd}',
            _ => '\u{1f6ab}',
        });
    }
    visible
}

/// As [`visible`], for a text that may have several lines where one is to be shown.
pub(crate) fn on_one_line(text: &str) -> String {
    visible(&text.replace(char::is_control, "?"))
}

/// A line of a log that is plain text to whoever reads it. What is shown comes from files that anybody may have
/// written, and GitHub's runner obeys a line that starts with `::`, spaces aside, or holds `##[`: a space makes
/// either of them plain.
pub(crate) fn inert(line: &str) -> String {
    let line = line.replace("##[", "## [");
    if line.trim_start().starts_with("::") { line.replacen("::", ": :", 1) } else { line }
}

/// `1 file`, `2 files`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
