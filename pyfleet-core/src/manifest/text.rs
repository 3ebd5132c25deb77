//! What no text of a manifest may hold, wherever it stands.

use super::extend;
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place, Segment};
use crate::source::{Span, is_deceptive};
use crate::yaml::decode::MAX_FINDINGS;
use crate::yaml::tree::{Document, Node, Value};

/// Finds expressions, control characters and invisible or direction-changing characters in every key and
/// string, and the latter in comments too: an expression would run with the rights of the rendered job, the
/// others make a review lie ([Trojan Source](https://trojansource.codes/)).
#[must_use]
pub(super) fn check(document: &Document) -> Diagnostics {
    let mut findings = Diagnostics::new();
    let mut scalars = Vec::new();
    walk(&document.root, &Path::root(), &mut scalars, &mut findings);
    scalars.sort_unstable_by_key(|span| span.start);
    let text = document.source.text();
    let outside = |offset: usize| {
        let behind = scalars.partition_point(|span| span.start <= offset);
        !scalars[..behind].last().is_some_and(|span| span.contains(&offset))
    };
    let mut lines = 0..0;
    for (offset, character) in text.char_indices().filter(|(_, character)| is_deceptive(*character)) {
        let is_allowed = match character {
            '\u{feff}' => offset == 0,
            '\r' => text[offset..].starts_with("\r\n"),
            _ => false,
        };
        // One finding a line: the next is not far from it.
        if !is_allowed && !lines.contains(&offset) && outside(offset) {
            let end = text[offset..].find('\n').map_or(text.len(), |end| offset + end);
            lines = offset..end;
            let mut finding = deceptive(Place::default(), character);
            finding.place.span = Some(offset..offset + character.len_utf8());
            push(finding, &mut findings);
        }
    }
    findings
}

/// As with mistakes of form, more than so many help nobody.
fn push(finding: Diagnostic, findings: &mut Diagnostics) {
    if findings.len() < MAX_FINDINGS {
        findings.push(finding);
    }
}

fn walk(node: &Node, path: &Path, scalars: &mut Vec<Span>, findings: &mut Diagnostics) {
    match &node.value {
        Value::String(text) => {
            scalars.push(node.span.clone());
            let place = |range| Place::within(path.clone(), range);
            if !extend::may_hold_expressions(path) {
                examine_expressions(text, path, &place, findings);
            }
            examine(text, &place, findings);
        }
        Value::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &path.index(index), scalars, findings);
            }
        }
        Value::Mapping(entries) => {
            for (key, value) in entries {
                let Some(name) = key.as_str() else { continue };
                let below = path.key(name);
                scalars.push(key.span.clone());
                let place = |_| Place::key(below.clone());
                examine_expressions(name, &below, &place, findings);
                examine(name, &place, findings);
                walk(value, &below, scalars, findings);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn examine_expressions(text: &str, path: &Path, place: &dyn Fn(Span) -> Place, findings: &mut Diagnostics) {
    let is_extension = path.segments().first() == Some(&Segment::from("extend"));
    if let Some(start) = text.find("${{") {
        push(
            Diagnostic::error(
                "literal-expression-open",
                place(start..start + 3),
                "a literal may not hold `${{`: GitHub would evaluate it in the rendered workflow",
            )
            .with_help(if is_extension {
                "set a variable in `env` of the step, where an expression may stand, and read that"
            } else {
                "write `{ secret: NAME }` or `{ variable: NAME }` for what GitHub holds"
            }),
            findings,
        );
    }
}

fn examine(text: &str, place: &dyn Fn(Span) -> Place, findings: &mut Diagnostics) {
    if let Some((start, character)) = text.char_indices().find(|(_, character)| is_deceptive(*character)) {
        push(deceptive(place(start..start + character.len_utf8()), character), findings);
    }
}

fn deceptive(place: Place, character: char) -> Diagnostic {
    let message =
        format!("the text holds U+{:04X}, which a reader does not see as it acts", u32::from(character));
    Diagnostic::error("deceptive-text", place, message).with_help("remove the character")
}
