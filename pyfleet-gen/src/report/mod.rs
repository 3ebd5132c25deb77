//! One output format a file.

pub(crate) mod diff;
pub(crate) mod human;

/// Terminals act on control characters, and readers on text that runs the other way: a report shows neither.
pub(crate) fn visible(text: &str) -> String {
    let is_acted_on = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if is_acted_on(c) { '\u{fffd}' } else { c }).collect()
}

/// `1 file`, `2 files`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
