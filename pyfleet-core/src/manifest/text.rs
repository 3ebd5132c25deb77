//! What no text of a manifest may hold, wherever it stands.

use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::yaml::tree::{Node, Value};

/// Finds expressions, control characters and invisible or direction-changing characters in every key and
/// string: the first would run with the rights of the rendered job, the others make a review lie
/// ([Trojan Source](https://trojansource.codes/)).
#[must_use]
pub(super) fn check(root: &Node) -> Diagnostics {
    let mut findings = Diagnostics::new();
    walk(root, &Path::root(), &mut findings);
    findings
}

fn walk(node: &Node, path: &Path, findings: &mut Diagnostics) {
    match &node.value {
        Value::String(text) => examine(text, &Place::value(path.clone()), findings),
        Value::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &path.index(index), findings);
            }
        }
        Value::Mapping(entries) => {
            for (key, value) in entries {
                let Some(name) = key.as_str() else { continue };
                let below = path.key(name);
                examine(name, &Place::key(below.clone()), findings);
                walk(value, &below, findings);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn examine(text: &str, place: &Place, findings: &mut Diagnostics) {
    if text.contains("${{") {
        findings.push(
            Diagnostic::error(
                "literal-expression-open",
                place.clone(),
                "a literal may not hold `${{`: GitHub would evaluate it in the rendered workflow",
            )
            .with_help("write `{ secret: NAME }` or `{ variable: NAME }` for what GitHub holds"),
        );
    }
    if let Some(character) = text.chars().find(|character| is_deceptive(*character)) {
        findings.push(
            Diagnostic::error(
                "deceptive-text",
                place.clone(),
                format!(
                    "the text holds U+{:04X}, which a reader does not see as it acts",
                    u32::from(character)
                ),
            )
            .with_help("remove the character"),
        );
    }
}

fn is_deceptive(character: char) -> bool {
    matches!(character,
        '\u{0}'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}' // control, but tab and line feed
        | '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
