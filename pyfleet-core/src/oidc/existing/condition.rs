//! One condition of a policy, and what a token makes of it
//! ([AWS: condition operators](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html)).

use super::token::{Claim, Token};
use crate::diagnostic::Path;
use crate::oidc::trust::PROVIDER;

/// Whether something holds, as far as files can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// It never does.
    No,
    /// It depends on what no file says.
    Unknown,
    /// It does.
    Yes,
}

impl Verdict {
    const fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    const fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::Unknown => Self::Unknown,
            Self::No => Self::Yes,
        }
    }
}

/// An operator, with what stands around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Operator {
    pub(super) compares: Compares,
    pub(super) is_negated: bool,
    /// `ForAllValues:` or `…IfExists`: what is missing is taken for a match.
    pub(super) takes_missing: bool,
}

/// How an operator compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compares {
    /// Letter by letter.
    Whole,
    /// Letter by letter, but for upper and lower case.
    WithoutCase,
    /// As a pattern.
    Pattern,
    /// Whether the key is missing.
    Missing,
    /// In a way that is not judged.
    Otherwise,
}

impl Operator {
    pub(super) fn of(name: &str) -> Self {
        let (all, name) = match name.split_once(':') {
            Some(("ForAllValues", name)) => (true, name),
            // A claim has one value.
            Some(("ForAnyValue", name)) => (false, name),
            _ => (false, name),
        };
        let (if_exists, name) = name.strip_suffix("IfExists").map_or((false, name), |name| (true, name));
        let (compares, is_negated) = match name {
            "StringEquals" => (Compares::Whole, false),
            "StringNotEquals" => (Compares::Whole, true),
            "StringEqualsIgnoreCase" => (Compares::WithoutCase, false),
            "StringNotEqualsIgnoreCase" => (Compares::WithoutCase, true),
            "StringLike" => (Compares::Pattern, false),
            "StringNotLike" => (Compares::Pattern, true),
            "Null" => (Compares::Missing, false),
            _ => (Compares::Otherwise, false),
        };
        Self { compares, is_negated, takes_missing: all || if_exists }
    }
}

/// A key that is compared with values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) operator: Operator,
    /// In lower case: IAM does not look at it.
    pub(super) key: String,
    pub(super) values: Vec<(String, Path)>,
    /// Where the values stand.
    pub(super) path: Path,
}

impl Condition {
    /// The claim of GitHub's token that it is about.
    pub(super) fn claim(&self) -> Option<&str> {
        self.key.strip_prefix(PROVIDER)?.strip_prefix(':')
    }

    /// Whether it names what a claim has to be.
    pub(super) fn demands(&self, claim: &str) -> bool {
        let compares =
            matches!(self.operator.compares, Compares::Whole | Compares::WithoutCase | Compares::Pattern);
        self.claim() == Some(claim) && compares && !self.operator.is_negated
    }

    /// The values that stand for more than themselves.
    pub(super) fn patterns(&self) -> impl Iterator<Item = &Path> {
        let is_pattern = self.operator.compares == Compares::Pattern;
        let open = |text: &str| text.replace("${*}", "").replace("${?}", "").contains(['*', '?']);
        self.values.iter().filter(move |(text, _)| is_pattern && open(text)).map(|(_, path)| path)
    }

    /// What a token makes of it.
    pub(super) fn holds_for(&self, token: &Token) -> Verdict {
        let Some(claim) = self.claim() else { return Verdict::Unknown };
        let claim = token.claim(claim);
        let Operator { compares, is_negated, takes_missing } = self.operator;
        let found = match (compares, claim) {
            (Compares::Otherwise, _) => return Verdict::Unknown,
            (Compares::Missing, Claim::Unknown) => return Verdict::Unknown,
            (Compares::Missing, claim) => {
                let is_missing = if *claim == Claim::Missing { "true" } else { "false" };
                return Verdict::of(
                    self.values.iter().any(|(value, _)| value.eq_ignore_ascii_case(is_missing)),
                );
            }
            // What is not there is not equal to anything.
            (_, Claim::Missing) => return Verdict::of(is_negated || takes_missing),
            (_, Claim::Unknown) => return Verdict::Unknown,
            (_, Claim::Is(found)) => found,
        };
        let matches = self.values.iter().map(|(value, _)| matches(compares, found, value));
        let holds = matches.max().unwrap_or(Verdict::No);
        if is_negated { holds.not() } else { holds }
    }
}

fn matches(compares: Compares, found: &str, value: &str) -> Verdict {
    let Some(value) = substituted(value, compares == Compares::Pattern) else { return Verdict::Unknown };
    Verdict::of(match compares {
        Compares::WithoutCase => found.eq_ignore_ascii_case(&value),
        Compares::Pattern => is_like(found, &value),
        Compares::Whole | Compares::Missing | Compares::Otherwise => found == value,
    })
}

/// Stands in a pattern for a character that is meant: no text that is compared holds it.
const MEANT: [(&str, char, char); 3] =
    [("${*}", '*', '\u{1}'), ("${?}", '?', '\u{2}'), ("${$}", '$', '\u{3}')];

/// A value without its variables; nothing where one of them is more than a character.
fn substituted(value: &str, is_pattern: bool) -> Option<String> {
    let mut text = value.to_owned();
    for (variable, character, meant) in MEANT {
        let stands = if is_pattern { meant } else { character };
        text = text.replace(variable, stands.encode_utf8(&mut [0; 4]));
    }
    (!text.contains("${")).then_some(text)
}

/// Whether a text is like a pattern, in which `*` stands for any characters and `?` for one. No longer than both
/// lengths multiplied, whatever the pattern.
pub(super) fn is_like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    let is_meant = |wanted: char, found: char| {
        MEANT.iter().any(|(_, character, meant)| wanted == *meant && found == *character)
    };
    let (mut at, mut wanted) = (0, 0);
    // Where the last `*` stood, and up to where it was taken to reach.
    let mut star: Option<(usize, usize)> = None;
    while let Some(&found) = text.get(at) {
        match pattern.get(wanted) {
            Some('*') => {
                star = Some((wanted, at));
                wanted += 1;
            }
            Some(&character) if character == '?' || character == found || is_meant(character, found) => {
                at += 1;
                wanted += 1;
            }
            _ => {
                let Some((before, reached)) = star else { return false };
                star = Some((before, reached + 1));
                at = reached + 1;
                wanted = before + 1;
            }
        }
    }
    pattern.get(wanted..).unwrap_or_default().iter().all(|character| *character == '*')
}

#[cfg(test)]
mod tests {
    use super::is_like;

    #[test]
    fn a_pattern_stands_for_what_iam_says() {
        for (text, pattern, expected) in [
            ("", "", true),
            ("", "*", true),
            ("abc", "a*c", true),
            ("abc", "a?c", true),
            ("ac", "a?c", false),
            ("abcbc", "a*bc", true),
            ("abcbd", "a*bc", false),
            ("repo:acme/shop:pull_request", "repo:acme/*", true),
            ("repo:acme-other/shop:pull_request", "repo:acme/*", false),
            ("\u{e9}", "?", true),
        ] {
            assert_eq!(is_like(text, pattern), expected, "{text} {pattern}");
        }
        let long = "a".repeat(20_000);
        assert!(!is_like(&long, &format!("{}b", "a*".repeat(50))));
    }
}
