//! Names from paths: slugs, each once.

use std::collections::BTreeSet;

/// The longest name that is made, so that a number or a word still fits behind it.
const LONGEST: usize = 30;

/// A lower-case name of letters, digits and single dashes; nothing where no letter is in the text.
pub(super) fn slug(text: &str) -> Option<String> {
    let mut name = String::new();
    for character in text.chars().map(|character| character.to_ascii_lowercase()) {
        match character {
            'a'..='z' => name.push(character),
            '0'..='9' if !name.is_empty() => name.push(character),
            _ if !name.is_empty() && !name.ends_with('-') => name.push('-'),
            _ => {}
        }
        if name.len() >= LONGEST {
            break;
        }
    }
    let name = name.trim_end_matches('-').to_owned();
    (!name.is_empty()).then_some(name)
}

/// Names that are taken.
#[derive(Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// The first name that is free: the last part of a path, then more of it, then with a number behind it.
    pub(super) fn take(&mut self, path: &str, otherwise: &str) -> String {
        let parts: Vec<&str> = path.split('/').filter(|part| *part != ".").collect();
        let short = parts.last().and_then(|part| slug(part)).unwrap_or_else(|| otherwise.to_owned());
        let mut candidates = vec![short.clone()];
        if let [.., above, last] = parts.as_slice() {
            candidates.extend(slug(&format!("{above}-{last}")));
        }
        candidates.extend((2..).take(10_000).map(|number| format!("{short}-{number}")));
        let name = candidates.into_iter().find(|name| !self.0.contains(name)).unwrap_or(short);
        self.0.insert(name.clone());
        name
    }

    /// Whether a name was free, and is taken now.
    pub(super) fn claim(&mut self, name: String) -> bool {
        self.0.insert(name)
    }
}

#[cfg(test)]
mod tests {
    use super::{Names, slug};

    #[test]
    fn slugs_are_slugs() {
        for (text, name) in [
            ("Sandbox-API-Broker", Some("sandbox-api-broker")),
            ("2-shop_v2!", Some("shop-v2")),
            ("--", None),
            ("日本", None),
            ("a__b", Some("a-b")),
        ] {
            assert_eq!(slug(text).as_deref(), name, "{text}");
        }
        assert!(slug(&"a-".repeat(100)).is_some_and(|name| name.len() <= 30 && !name.ends_with('-')));
    }

    #[test]
    fn names_that_are_taken_get_more_of_their_path_then_a_number() {
        let mut names = Names::default();
        let taken: Vec<String> =
            ["a/app", "b/app", "b/App", "x/b/app"].iter().map(|path| names.take(path, "x")).collect();
        assert_eq!(taken, ["app", "b-app", "app-2", "app-3"]);
    }
}
