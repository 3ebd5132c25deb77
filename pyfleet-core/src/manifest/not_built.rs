//! Keys that the manifest's design names and that nothing renders yet.
//!
//! They are refused with that reason: accepted in silence, they would promise what does not happen.

use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::yaml::tree::{Node, Value};

/// Where such keys stand; `*` is any name.
const NOT_BUILT: &[&str] = &["extends"];

/// Values that the design names and that nothing renders yet: the key, and the value, alone or with settings.
const NOT_BUILT_VALUES: &[(&str, &[&str])] = &[
    ("environments.*.approval", &["second-person"]),
    ("github.host", &["ghes"]),
    ("terraform.stacks.*.cdktf.apply", &["direct"]),
    ("workflows.*.approval", &["second-person"]),
];

/// The code of these findings.
pub(super) const CODE: &str = "not-built";

/// The tree without those keys, and a finding for each.
pub(super) fn strip(root: &Node) -> (std::borrow::Cow<'_, Node>, Diagnostics) {
    let mut findings = Diagnostics::new();
    let mut stripped = std::borrow::Cow::Borrowed(root);
    for pattern in NOT_BUILT {
        remove(&mut stripped, pattern, &|_| true, &mut findings);
    }
    for (pattern, values) in NOT_BUILT_VALUES {
        let is_named = |node: &Node| node.as_str().is_some_and(|text| values.contains(&text));
        // With its settings, or alone.
        let is_one = |node: &Node| match &node.value {
            Value::Mapping(entries) => entries.iter().any(|(key, _)| is_named(key)),
            _ => is_named(node),
        };
        remove(&mut stripped, pattern, &is_one, &mut findings);
    }
    (stripped, findings)
}

fn remove(
    root: &mut std::borrow::Cow<'_, Node>,
    pattern: &str,
    applies: &dyn Fn(&Node) -> bool,
    findings: &mut Diagnostics,
) {
    let names: Vec<&str> = pattern.split('.').collect();
    let mut found = Vec::new();
    matches(root, &names, &Path::root(), applies, &mut found);
    for path in found {
        findings.push(
            Diagnostic::error(
                CODE,
                Place::key(path.clone()),
                format!("`{path}` is designed, but nothing renders it yet"),
            )
            .with_help(
                "take it out: a key that is accepted and does nothing would be a promise nobody keeps",
            ),
        );
        cut(root.to_mut(), path.segments());
    }
}

fn matches(node: &Node, names: &[&str], path: &Path, applies: &dyn Fn(&Node) -> bool, found: &mut Vec<Path>) {
    let (Value::Mapping(entries), Some((name, rest))) = (&node.value, names.split_first()) else { return };
    for (key, value) in entries {
        let Some(key) = key.as_str().filter(|key| *name == "*" || key == name) else { continue };
        let below = path.key(key);
        if !rest.is_empty() {
            matches(value, rest, &below, applies, found);
        } else if applies(value) {
            found.push(below);
        }
    }
}

fn cut(node: &mut Node, segments: &[crate::diagnostic::Segment]) {
    let (Value::Mapping(entries), Some((crate::diagnostic::Segment::Key(name), rest))) =
        (&mut node.value, segments.split_first())
    else {
        return;
    };
    if rest.is_empty() {
        entries.retain(|(key, _)| key.as_str() != Some(name));
    } else if let Some((_, value)) = entries.iter_mut().find(|(key, _)| key.as_str() == Some(name)) {
        cut(value, rest);
    }
}
