//! Telling a further mistake from what only follows from one.

use super::Reading;
use crate::diagnostic::{Diagnostic, Path, Segment};

/// What a finding is about besides its own place: its code, the start of its path, and the sections that the
/// check behind it looks at. `*` is any name.
const LOOKS_AT: &[(&str, &str, &[&str])] = &[
    ("level-exceeded", "", &["safety-level"]),
    ("missing-key", "environments", &["aws", "terraform"]),
    ("missing-key", "terraform", &["environments", "safety-level"]),
    ("missing-key", "workflows", &["images", "terraform", "tests"]),
    ("needs-dag", "terraform", &["terraform.stacks"]),
    ("production-planned", "", &["environments", "safety-level"]),
    ("state-shared", "", &["aws", "environments", "terraform"]),
    ("unknown-reference", "images", &["registries"]),
    ("unknown-reference", "terraform.stacks.*.depends-on", &["terraform.stacks"]),
    ("unknown-reference", "terraform.stacks.*.environments", &["environments"]),
    ("unknown-reference", "waivers", &["images", "security", "terraform", "tests", "workflows"]),
];

impl Reading {
    /// Whether a finding about the meaning may be nothing but the consequence of a mistake in the form: one that
    /// left out, or made up, something that the finding is about.
    #[must_use]
    pub fn explains(&self, finding: &Diagnostic) -> bool {
        let path = &finding.place.path;
        self.touches(path)
            || LOOKS_AT
                .iter()
                .filter(|(code, start, _)| *code == finding.code && is_below(path, start))
                .flat_map(|(_, _, sections)| *sections)
                .any(|section| self.touches(&Path::of(section.split('.'))))
    }

    /// Whether a mistake lies at, above or below a place, or may have been meant to be it.
    fn touches(&self, place: &Path) -> bool {
        // An item that is left out of a list moves those behind it: their places are not known.
        let lists =
            place.segments().iter().enumerate().filter(|(_, segment)| matches!(segment, Segment::Index(_)));
        let lists: Vec<Path> =
            lists.map(|(depth, _)| Path::of(place.segments()[..depth].iter().cloned())).collect();
        let is_there = self.document.as_ref().is_some_and(|document| document.node(place).is_some());
        self.mistakes.iter().any(|mistake| {
            let path = &mistake.place.path;
            match mistake.code {
                // A key that is missing at the top was made up, and nothing is below it.
                "missing-key" if path.segments().is_empty() => false,
                "unknown-key" if !is_there => path.parent() == place.parent(),
                _ => {
                    path.contains(place)
                        || place.contains(path)
                        || lists.iter().any(|list| list.contains(path))
                }
            }
        })
    }
}

fn is_below(path: &Path, start: &str) -> bool {
    let mut segments = path.segments().iter();
    start.split('.').filter(|name| !name.is_empty()).all(|name| match segments.next() {
        Some(Segment::Key(key)) => name == "*" || name == key,
        _ => false,
    })
}
