//! What stands in a box, and how wide it is.
//!
//! Nobody knows the reader's fonts. Texts of a chart are set in a monospaced one, whose characters are about 0.6 times as
//! wide as high in every family that a browser falls back to, and are measured a little wider than that.

use pyfleet_core::flowchart::{Node, NodeKind, Times};
use pyfleet_core::source::is_deceptive;

/// The widest line of a job's id, in characters.
const ID_COLUMNS: usize = 22;
/// The widest line of everything else.
const NOTE_COLUMNS: usize = 26;

/// A line of text in a box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Its class in the style sheet, which gives it size and colour.
    pub(super) class: &'static str,
    pub(super) text: String,
}

impl Line {
    pub(super) fn width(&self) -> f64 {
        let columns: usize = self.text.chars().map(|own| if own.is_ascii() { 1 } else { 2 }).sum();
        let character = if self.class == "id" { 7.7 } else { 6.7 };
        character * f64::from(u32::try_from(columns).unwrap_or(u32::MAX))
    }

    pub(super) fn height(&self) -> f64 {
        if self.class == "id" { 16.0 } else { 14.0 }
    }
}

/// What stands in a node's box.
pub(super) fn lines(node: &Node) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut say = |class, text: &str, columns| {
        lines.extend(wrapped(text, columns).into_iter().map(|text| Line { class, text }));
    };
    for own in node.label.lines() {
        match node.kind {
            NodeKind::Start => say("trigger", own, NOTE_COLUMNS),
            _ => say("id", own, ID_COLUMNS),
        }
    }
    match node.kind {
        NodeKind::Approval => say("asks", "waits for reviewers", NOTE_COLUMNS),
        NodeKind::Gate => say("check", "the required check", NOTE_COLUMNS),
        NodeKind::Start | NodeKind::Job => {}
    }
    if let Some(identity) = &node.identity {
        let class = if identity.purpose.changes() { "changes" } else { "reads" };
        say(class, &format!("AWS role {}", identity.purpose.name()), NOTE_COLUMNS);
    }
    let writes: Vec<&str> = node.writes().map(pyfleet_core::workflow::Scope::name).collect();
    if !writes.is_empty() {
        say("writes", &format!("writes {}", writes.join(", ")), NOTE_COLUMNS);
    }
    if let Some(environment) = &node.environment {
        say("note", &format!("in {environment}"), NOTE_COLUMNS);
    }
    if let Some(lock) = &node.lock {
        say("note", &format!("lock {}", without_expressions(lock)), NOTE_COLUMNS);
    }
    if let Some(times) = times(&node.times) {
        say("note", &times, NOTE_COLUMNS);
    }
    lines
}

/// How often a job runs, where that is not once.
pub(super) fn times(times: &Times) -> Option<String> {
    match times {
        Times::Once => None,
        Times::Each(values) if values.len() == 1 => Some(format!("for {}", values.join(", "))),
        Times::Each(values) => Some(format!("for each of {}", values.join(", "))),
        Times::Computed => Some("for each that was found".to_owned()),
    }
}

/// `mutate-dev-${{ matrix.stack }}` as `mutate-dev-…`.
pub(crate) fn without_expressions(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, expression)) = rest.split_once("${{") {
        shown.push_str(before);
        shown.push('…');
        rest = expression.split_once("}}").map_or("", |(_, after)| after);
    }
    shown + rest
}

/// A text in lines of at most so many characters, broken behind spaces and hyphens where there are any.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line: Vec<char> = Vec::new();
    for own in text.chars() {
        if line.len() == columns {
            let end = line.iter().rposition(|own| [' ', '-', '/'].contains(own)).map_or(columns, |at| at + 1);
            let rest = line.split_off(end);
            lines.push(line.iter().collect::<String>().trim_end().to_owned());
            line = rest;
        }
        line.push(own);
    }
    lines.push(line.into_iter().collect());
    lines
}

/// A text as HTML and XML show it, whatever it holds.
pub(crate) fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for own in text.chars() {
        match own {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            '\n' => shown.push('\n'),
            _ if own.is_control() || is_deceptive(own) => shown.push('\u{fffd}'),
            _ => shown.push(own),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{escaped, without_expressions, wrapped};

    #[test]
    fn nothing_in_a_text_ends_it() {
        assert_eq!(
            escaped("</title><a href=\"x\" b='&'>\u{1b}\u{202e}é"),
            "&lt;/title&gt;&lt;a href=&quot;x&quot; b=&#39;&amp;&#39;&gt;\u{fffd}\u{fffd}é"
        );
    }

    #[test]
    fn expressions_are_left_out() {
        assert_eq!(without_expressions("a-${{ matrix.x }}-b-${{ c"), "a-…-b-…");
    }

    #[test]
    fn lines_break_behind_spaces_and_hyphens() {
        let cases: [(&str, &[&str]); 5] = [
            ("", &[""]),
            ("one-two", &["one-two"]),
            ("one-two-three", &["one-two-", "three"]),
            ("one two three", &["one two", "three"]),
            ("abcdefghijklm", &["abcdefgh", "ijklm"]),
        ];
        for (text, lines) in cases {
            assert_eq!(wrapped(text, 8), lines);
        }
    }
}
