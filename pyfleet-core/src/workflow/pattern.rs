//! The patterns of filters: which branches, tags and paths an event is about.

/// A pattern as filters have it (GitHub docs, "Filter pattern cheat sheet"), without the `!` before it.
///
/// `*` is any text without `/`, `**` any text, `?` none or one of the character before it, `+` one or more of it, and
/// `[0-9a]` one character. A folder's `**/` stands for no folder, too.
///
/// ```
/// use pyfleet_core::workflow::Pattern;
///
/// assert!(Pattern::read("releases/**").matches("releases/beta/3"));
/// assert!(!Pattern::read("releases/*").matches("releases/beta/3"));
/// assert!(Pattern::read("v[12].[0-9]+").matches("v1.10"));
/// assert!(Pattern::read("docs/**/*.md").matches("docs/README.md"));
/// ```
#[derive(Debug, Clone)]
pub struct Pattern {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    One(Set),
    Optional(Set),
    Repeated(Set),
    /// `**/` where a folder can begin: nothing, or what the next part reads.
    Folders,
    /// Inside of those folders, which end with a `/`.
    InFolders,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Set {
    All,
    AllButSlash,
    /// First and last of each range.
    Ranges(Vec<(char, char)>),
}

impl Set {
    fn has(&self, character: char) -> bool {
        match self {
            Self::All => true,
            Self::AllButSlash => character != '/',
            Self::Ranges(ranges) => ranges.iter().any(|(first, last)| (first..=last).contains(&&character)),
        }
    }
}

impl Pattern {
    /// Reads a pattern. Every text is one: where GitHub would refuse it, which the rule `trigger-sane` says, characters
    /// mean themselves.
    #[must_use]
    pub fn read(pattern: &str) -> Self {
        let mut parts: Vec<Part> = Vec::new();
        let mut rest = pattern;
        let mut starts_folder = true;
        while let Some(character) = rest.chars().next() {
            let mut length = character.len_utf8();
            let part = match character {
                '*' if starts_folder && rest.starts_with("**/") => {
                    length = 3;
                    parts.push(Part::Folders);
                    Part::InFolders
                }
                '*' if rest.starts_with("**") => {
                    length = 2;
                    Part::Repeated(Set::All)
                }
                '*' => Part::Repeated(Set::AllButSlash),
                '?' | '+' => match parts.pop() {
                    Some(Part::One(set)) if character == '?' => Part::Optional(set),
                    Some(Part::One(set)) => {
                        parts.push(Part::One(set.clone()));
                        Part::Repeated(set)
                    }
                    other => {
                        parts.extend(other);
                        Part::One(only(character))
                    }
                },
                '[' => match rest.find(']').filter(|end| *end > 1) {
                    Some(end) => {
                        length = end + 1;
                        Part::One(Set::Ranges(ranges(&rest[1..end])))
                    }
                    None => Part::One(only(character)),
                },
                '\\' => match rest[1..].chars().next() {
                    Some(escaped) => {
                        length += escaped.len_utf8();
                        Part::One(only(escaped))
                    }
                    None => Part::One(only(character)),
                },
                other => Part::One(only(other)),
            };
            parts.push(part);
            starts_folder = rest[..length].ends_with('/');
            rest = &rest[length..];
        }
        Self { parts }
    }

    /// Whether the whole name is what the pattern describes; case counts.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        // Where the name can stand in the pattern, all places at once: the cost is the product of both lengths.
        let mut places = vec![false; self.parts.len() + 1];
        self.enter(0, &mut places);
        for character in name.chars() {
            let mut next = vec![false; places.len()];
            for (place, part) in self.parts.iter().enumerate().filter(|(place, _)| places[*place]) {
                match part {
                    Part::One(set) | Part::Optional(set) if set.has(character) => {
                        self.enter(place + 1, &mut next);
                    }
                    Part::Repeated(set) if set.has(character) => self.enter(place, &mut next),
                    Part::Folders | Part::InFolders => {
                        let within = if *part == Part::Folders { place + 1 } else { place };
                        next[within] = true;
                        if character == '/' {
                            self.enter(within + 1, &mut next);
                        }
                    }
                    Part::One(_) | Part::Optional(_) | Part::Repeated(_) => {}
                }
            }
            places = next;
        }
        places.last().is_some_and(|ends| *ends)
    }

    /// Marks a place, and those behind it that are reached without a character.
    fn enter(&self, mut place: usize, places: &mut [bool]) {
        while !std::mem::replace(&mut places[place], true) {
            match self.parts.get(place) {
                Some(Part::Optional(_) | Part::Repeated(_)) => place += 1,
                Some(Part::Folders) => place += 2,
                _ => return,
            }
        }
    }
}

fn only(character: char) -> Set {
    Set::Ranges(vec![(character, character)])
}

/// What stands between brackets.
fn ranges(inside: &str) -> Vec<(char, char)> {
    let characters: Vec<char> = inside.chars().collect();
    let mut ranges = Vec::new();
    let mut position = 0;
    while let Some(&first) = characters.get(position) {
        match (characters.get(position + 1), characters.get(position + 2)) {
            (Some('-'), Some(&last)) => {
                ranges.push((first, last));
                position += 3;
            }
            _ => {
                ranges.push((first, first));
                position += 1;
            }
        }
    }
    ranges
}

/// Whether a list of patterns lets a name through: the last one that matches decides, and one with `!` keeps it out.
///
/// ```
/// use pyfleet_core::workflow::lets_through;
///
/// let patterns = ["releases/**", "!releases/**-alpha"].map(String::from);
/// assert!(lets_through(&patterns, "releases/10"));
/// assert!(!lets_through(&patterns, "releases/10-alpha"));
/// ```
#[must_use]
pub fn lets_through(patterns: &[String], name: &str) -> bool {
    let decides = patterns
        .iter()
        .rev()
        .find(|pattern| Pattern::read(pattern.strip_prefix('!').unwrap_or(pattern)).matches(name));
    decides.is_some_and(|pattern| !pattern.starts_with('!'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Pattern, lets_through};

    /// GitHub docs, "Filter pattern cheat sheet": what matches, as printed there, and what does not.
    #[test]
    fn the_cheat_sheet() {
        let cases: &[(&str, &[&str], &[&str])] = &[
            ("feature/*", &["feature/my-branch", "feature/your-branch"], &["feature/a/b", "feature"]),
            ("feature/**", &["feature/beta-a/my-branch", "feature/your-branch"], &["feature", "features/x"]),
            ("main", &["main"], &["MAIN", "main2", "a/main"]),
            ("releases/mona-the-octocat", &["releases/mona-the-octocat"], &["releases/"]),
            ("*", &["main", "releases"], &["all/the/branches"]),
            ("**", &["all/the/branches", "every/tag", ""], &[]),
            ("*feature", &["mona-feature", "feature", "ver-10-feature"], &["a/feature", "feature2"]),
            ("v2*", &["v2", "v2.0", "v2.9"], &["v1", "v2/x"]),
            ("v[12].[0-9]+.[0-9]+", &["v1.10.1", "v2.0.0"], &["v3.0.0", "v1.0", "v1..0"]),
            ("*.jsx?", &["page.js", "page.jsx"], &["page.jsxx", "js/page.js"]),
            ("*.js", &["app.js", "index.js"], &["js/index.js"]),
            ("**.js", &["index.js", "js/index.js", "src/js/app.js"], &["index.ts"]),
            ("docs/*", &["docs/README.md", "docs/file.txt"], &["docs/a/b.md"]),
            ("docs/**", &["docs/README.md", "docs/mona/octocat.txt"], &["doc/x", "a/docs/x"]),
            (
                "docs/**/*.md",
                &["docs/README.md", "docs/mona/hello-world.md", "docs/a/markdown/file.md"],
                &["docs/a.txt"],
            ),
            (
                "**/docs/**",
                &["docs/hello.md", "dir/docs/my-file.txt", "space/docs/plan/space.doc"],
                &["mydocs/x"],
            ),
            ("**/README.md", &["README.md", "js/README.md"], &["MYREADME.md", "js/MYREADME.md"]),
            ("**/*src/**", &["a/src/app.js", "my-src/code/js/app.js"], &["src.js"]),
            ("**/*-post.md", &["my-post.md", "path/their-post.md"], &["post.md"]),
            (
                "**/migrate-*.sql",
                &["migrate-10909.sql", "db/migrate-v1.0.sql", "db/sept/migrate-v1.sql"],
                &["db/up.sql"],
            ),
            (r"a\*b", &["a*b"], &["axb"]),
            ("a[", &["a["], &["a"]),
        ];
        for (pattern, matching, others) in cases {
            let read = Pattern::read(pattern);
            for name in *matching {
                assert!(read.matches(name), "{pattern} is to match {name}");
            }
            for name in *others {
                assert!(!read.matches(name), "{pattern} is not to match {name}");
            }
        }
    }

    #[test]
    fn the_last_pattern_that_matches_decides() {
        let paths = ["*.md", "!README.md", "README*"].map(String::from);
        assert!(lets_through(&paths, "hello.md") && lets_through(&paths, "README.md"));
        assert!(!lets_through(&paths[..2], "README.md") && !lets_through(&paths, "docs/x.md"));
        assert!(!lets_through(&paths[1..2], "hello.md"), "what only keeps out lets nothing through");
    }

    /// A pattern in the words of regular expressions, tried from the left.
    fn slowly(pattern: &[char], name: &[char]) -> bool {
        match pattern {
            [] => name.is_empty(),
            ['*', '*', rest @ ..] => (0..=name.len()).any(|length| slowly(rest, &name[length..])),
            ['*', rest @ ..] => (0..=name.len())
                .take_while(|length| !name[..*length].contains(&'/'))
                .any(|length| slowly(rest, &name[length..])),
            [one, '?', rest @ ..] => {
                slowly(rest, name) || name.first() == Some(one) && slowly(rest, &name[1..])
            }
            [one, '+', rest @ ..] => {
                let same = name.iter().take_while(|character| *character == one).count();
                (1..=same).any(|length| slowly(rest, &name[length..]))
            }
            [one, rest @ ..] => name.first() == Some(one) && slowly(rest, &name[1..]),
        }
    }

    proptest! {
        #[test]
        fn all_places_at_once_are_one_after_the_other(
            pieces in prop::collection::vec("a|b|/|x|\\*|a\\?|b\\+|x\\*\\*", 0..7), name in "[abx/]{0,8}"
        ) {
            // Stars side by side, and `**/` where a folder begins, are left to the cheat sheet.
            let pattern = pieces.concat();
            prop_assume!(!pattern.contains("***") && !pattern.contains("/**") && !pattern.starts_with("**"));
            let characters = |text: &str| text.chars().collect::<Vec<_>>();
            let matches = Pattern::read(&pattern).matches(&name);
            prop_assert_eq!(matches, slowly(&characters(&pattern), &characters(&name)), "{} {}", pattern, name);
        }

        #[test]
        fn no_pattern_is_too_much(pattern in "\\PC{0,60}", name in "\\PC{0,60}") {
            let _answer = Pattern::read(&pattern).matches(&name);
        }
    }
}
