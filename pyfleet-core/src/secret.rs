//! What is a secret by its form or by its place, and how a text is shown without it.

use std::borrow::Cow;
use std::iter;
use std::ops::Range;

use crate::source::find_byte;

const KEY_BEGINS: &str = "-----BEGIN ";

const KEY_IS_PRIVATE: &str = "PRIVATE KEY-----";

/// Nothing shorter has the form of a secret.
const SHORTEST: usize = 20;

/// What a text holds that is a secret by its form: kind and place.
#[must_use]
pub fn secrets_in(text: &str) -> Vec<(&'static str, Range<usize>)> {
    secrets_with(text, key_in(text))
}

/// As [`secrets_in`], where it is known where the first key begins.
fn secrets_with(text: &str, key: Option<usize>) -> Vec<(&'static str, Range<usize>)> {
    let mut found = Vec::new();
    if let Some(start) = key {
        let line = text[start..].lines().next().unwrap_or_default();
        if let Some(end) = line.find(KEY_IS_PRIVATE) {
            found.push(("a private key", start..start + end + KEY_IS_PRIVATE.len()));
        }
    }
    for Range { start, end } in long_words(text.as_bytes()) {
        let Some(word) = text.get(start..end) else { continue };
        if is_web_token(word) {
            found.push(("a signed web token", start..end));
            continue;
        }
        // Nothing else holds a dot: it ends a sentence, or begins a file's extension.
        let mut part_start = start;
        for part in word.split('.') {
            let part_end = part_start + part.len();
            found.extend(kind_of(part).map(|kind| (kind, part_start..part_end)));
            part_start = part_end + 1;
        }
    }
    found
}

/// Which bytes a secret is made of.
const IS_PART: [bool; 256] = {
    let mut is_part = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        is_part[byte] = matches!(byte as u8, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.');
        byte += 1;
    }
    is_part
};

/// The words of a text that are long enough for a secret. Most bytes are passed over: of so many in a row that none
/// shorter can be a secret, the last one tells whether they can be a word.
fn long_words(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let is_part = |byte: &u8| IS_PART[usize::from(*byte)];
    let mut from = 0;
    iter::from_fn(move || {
        loop {
            let window = text.get(from..from + SHORTEST)?;
            if let Some(gap) = window.iter().rposition(|byte| !is_part(byte)) {
                from += gap + 1;
                continue;
            }
            let start = from;
            let length = text[start..].iter().position(|byte| !is_part(byte));
            from = length.map_or(text.len(), |length| start + length);
            return Some(start..from);
        }
    })
}

fn kind_of(word: &str) -> Option<&'static str> {
    if !word.starts_with(['A', 'g', 'x']) {
        return None;
    }
    let upper = |text: &str| text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if word.len() == 20 && ["AKIA", "ASIA"].iter().any(|own| word.starts_with(own)) && upper(word) {
        return Some("an AWS access key");
    }
    let github = ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"].iter().any(|own| word.starts_with(own));
    if (github && word.len() >= 40 || word.starts_with("github_pat_") && word.len() >= 60) && plain(word) {
        return Some("a GitHub token");
    }
    if ["xoxa-", "xoxb-", "xoxp-", "xoxr-", "xoxs-"].iter().any(|own| word.starts_with(own))
        && word.len() >= 20
    {
        return Some("a Slack token");
    }
    None
}

fn is_web_token(word: &str) -> bool {
    if !word.starts_with("eyJ") {
        return false;
    }
    let mut parts = word.split('.');
    let token = (parts.next(), parts.next(), parts.next(), parts.next());
    matches!(token, (Some(head), Some(claims), Some(signature), None)
        if claims.starts_with("eyJ")
            && [head, claims, signature].iter().all(|part| part.len() >= 10))
}

/// The text with everything masked that looks like a secret: what has the form of one, and what stands as a plain
/// value where a password, a token or the name of a secret belongs. Every byte keeps its place.
///
/// ```
/// use pyfleet_core::secret::mask;
///
/// assert_eq!(mask("password: hunter2 # ours"), "password: ******* # ours");
/// assert_eq!(mask("password: { secret: DB_PASSWORD }"), "password: { secret: DB_PASSWORD }");
/// ```
#[must_use]
pub fn mask(text: &str) -> Cow<'_, str> {
    let key = key_in(text);
    let formed = secrets_with(text, key);
    let mut ranges = if key.is_some() { values_beside_keys(text) } else { values_of_secrets(text) };
    if formed.is_empty() && ranges.is_empty() {
        return Cow::Borrowed(text);
    }
    ranges.extend(formed.into_iter().map(|(_, range)| range));
    ranges.sort_unstable_by_key(|range| range.start);
    let mut masked = String::with_capacity(text.len());
    let mut shown_to = 0;
    for range in ranges {
        let start = range.start.max(shown_to);
        masked.push_str(&text[shown_to..start]);
        let hidden = text[start..range.end.max(start)].bytes();
        masked.extend(hidden.map(|byte| if byte == b'\n' { '\n' } else { '*' }));
        shown_to = range.end.max(start);
    }
    masked.push_str(&text[shown_to..]);
    Cow::Owned(masked)
}

/// Whether every line of a text is masked as it would be for itself. Only the inside of a key has no form of its own.
#[must_use]
pub fn is_masked_by_line(text: &str) -> bool {
    key_in(text).is_none()
}

/// Where the first key of a text begins. Its first letter is rare, and looked for first.
fn key_in(text: &str) -> Option<usize> {
    let (dashes, title) = KEY_BEGINS.split_at("-----".len());
    bytes_in(text.as_bytes(), b'B')
        .find(|letter| text[*letter..].starts_with(title) && text[..*letter].ends_with(dashes))
        .map(|letter| letter - dashes.len())
}

/// The places of a byte.
fn bytes_in(text: &[u8], byte: u8) -> impl Iterator<Item = usize> {
    iter::successors(find_byte(text, byte, 0), move |last| find_byte(text, byte, last + 1))
}

/// The insides of private keys, and what [`values_of_secrets`] finds beside them.
fn values_beside_keys(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut is_key = false;
    for line in text.split_inclusive('\n') {
        if line.contains(KEY_BEGINS) && line.contains(KEY_IS_PRIVATE) {
            is_key = true;
        } else if is_key && line.contains("-----END ") {
            is_key = false;
        } else if is_key && is_encoded(line) {
            found.push(start..start + line.trim_end().len());
        } else {
            is_key = false;
            found.extend(values_of_secrets(line).into_iter().map(|own| start + own.start..start + own.end));
        }
        start += line.len();
    }
    found
}

/// A line of Base64: the inside of a key.
fn is_encoded(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 16 && line.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
}

/// Plain values of keys whose name says that they are secret, each in its line. The name of a secret is none.
fn values_of_secrets(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    // A line may hold as many colons as it is long: its end is looked for once.
    let (mut looked_to, mut line_end) = (0, 0);
    for colon in bytes_in(text.as_bytes(), b':') {
        // What belongs to a value is no key.
        if colon < looked_to {
            continue;
        }
        let Some(is_name) = names_a_secret(&text.as_bytes()[..colon]) else { continue };
        if line_end <= colon {
            line_end = find_byte(text.as_bytes(), b'\n', colon).unwrap_or(text.len());
        }
        let after = &text[colon + 1..line_end];
        let value = after.trim_start_matches(' ');
        let start = colon + 1 + (after.len() - value.len());
        let length = match value.chars().next() {
            None | Some('{' | '[' | '&' | '*' | '|' | '>' | '#' | '\r') => continue,
            _ if value.len() == after.len() => continue,
            Some(quote @ ('"' | '\'')) => {
                value[1..].find(quote).map_or(value.trim_end().len(), |end| end + 2)
            }
            Some(_) => {
                let mut pairs = value.bytes().zip(value.bytes().skip(1).chain([b' ']));
                let is_end = |pair| matches!(pair, (b',' | b'}' | b']' | b'\r', _) | (b' ', b'#'));
                let end = pairs.position(is_end).unwrap_or(value.len());
                value[..end].trim_end().len()
            }
        };
        looked_to = start + length;
        let plain = value[..length].trim_matches(['"', '\'']);
        let could_be_a_name = plain.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !(is_name && could_be_a_name) {
            found.push(start..start + length);
        }
    }
    found
}

/// Of a key, with what is before it: whether its value is the name of a secret; nothing where it has to do with none.
fn names_a_secret(key: &[u8]) -> Option<bool> {
    let end = key.iter().rposition(|byte| !matches!(byte, b'"' | b'\'' | b' '))?;
    let named = |end_of_name: &str| {
        let start = (end + 1).checked_sub(end_of_name.len());
        start.is_some_and(|start| key[start..=end].eq_ignore_ascii_case(end_of_name.as_bytes()))
    };
    // Nearly every key is told apart by its last letter.
    match key[end].to_ascii_lowercase() {
        b't' if named("secret") => Some(true),
        b'd' if named("password") || named("passwd") => Some(false),
        // What a permission of that name allows is no secret.
        b'n' if named("token") && !named("id-token") => Some(false),
        b'y' if named("api-key") || named("api_key") => Some(false),
        b'k' if named("webhook") => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::{IS_PART, SHORTEST, bytes_in, is_masked_by_line, long_words, mask};

    /// Lines of what makes secrets, in any order.
    fn line() -> impl Strategy<Value = String> {
        let word = prop_oneof![
            Just(format!("{}{}", "AKIA", "0123456789ABCDEF")),
            Just(format!("{}{}", "ghp_", "a1".repeat(20))),
            Just("eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl".to_owned()),
            Just(format!("-----{} {} KEY-----", "BEGIN", "PRIVATE")),
            prop::sample::select(vec!["token: ", "password:", "secret", ": ", "'", "\"", ", ", " #", "\r"])
                .prop_map(str::to_owned),
            "[a-z0-9\u{e9}]{1,20}",
        ];
        (prop::collection::vec(word, 0..6), prop::sample::select(vec!["\n", "\r\n", ""]))
            .prop_map(|(words, end)| words.concat() + end)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn long_words_are_what_taking_a_text_apart_finds(text in "([a-z._-]{0,45}[ :\n\u{e9}]{0,3}){0,9}") {
            let mut next = 0;
            let words = text.as_bytes().split(|byte| !IS_PART[usize::from(*byte)]).map(|word| {
                let start = next;
                next = start + word.len() + 1;
                start..start + word.len()
            });
            let expected: Vec<Range<usize>> = words.filter(|word| word.len() >= SHORTEST).collect();
            prop_assert_eq!(long_words(text.as_bytes()).collect::<Vec<_>>(), expected);
            let colons: Vec<usize> = text.match_indices(':').map(|(at, _)| at).collect();
            prop_assert_eq!(bytes_in(text.as_bytes(), b':').collect::<Vec<_>>(), colons);
        }

        #[test]
        fn a_text_without_a_key_is_masked_line_by_line(lines in prop::collection::vec(line(), 0..6)) {
            let text = lines.concat();
            let by_line: String = text.split_inclusive('\n').map(mask).collect();
            prop_assert!(!is_masked_by_line(&text) || by_line == mask(&text), "{text:?}");
        }
    }

    #[test]
    fn values_are_masked_and_names_are_not() {
        for (text, masked) in [
            ("token: abc, x: y", "token: ***, x: y"),
            ("{ secret: correct-horse }", "{ secret: ************* }"),
            ("DB_PASSWORD: \"a b\" # x", "DB_PASSWORD: ***** # x"),
            ("password:\n  secret: NAME\n", "password:\n  secret: NAME\n"),
            ("url: https://example.com/token:x", "url: https://example.com/token:x"),
            ("password: é", "password: **"),
            ("id-token: write", "id-token: write"),
            ("token: a#b, c", "token: ***, c"),
            ("token: a, b #c", "token: *, b #c"),
            ("token: a #b, c\ntoken: d]", "token: * #b, c\ntoken: *]"),
        ] {
            assert_eq!(mask(text), masked);
        }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the library has no clock; this test measures it")]
    fn long_lines_take_no_longer_than_short_ones() {
        for piece in ["token:", "token: {", "token: ,", "token: x #", "token: 'x'", "token: '", "secret: x "]
        {
            for text in [piece.repeat(150_000), format!("{piece}\n").repeat(150_000)] {
                let start = Instant::now();
                assert_eq!(mask(&text).len(), text.len());
                assert!(start.elapsed() < Duration::from_secs(2), "{piece} took {:?}", start.elapsed());
            }
        }
    }

    #[test]
    fn a_dot_hides_no_token() {
        let token = format!("{}{}", "ghp_", "a1".repeat(20));
        let masked = "*".repeat(token.len());
        assert_eq!(
            mask(&format!("it is {token}. See x.{token}.yml")),
            format!("it is {masked}. See x.{masked}.yml")
        );
        let parts = ["eyJhbGciOiJI", "eyJzdWIiOiIx", "c2lnbmF0dXJl"];
        assert_eq!(mask(&parts.join(".")), "*".repeat(38));
    }

    #[test]
    fn a_private_key_is_masked_to_its_end() {
        let (begin, end) = (format!("-----BEGIN {} KEY-----", "PRIVATE"), "-----END");
        let text = format!("x: |\n  {begin}\n  QUJDREVGR0hJSktMTU5P\n  {end}\ny: QUJDREVGR0hJSktMTU5P\n");
        let masked = mask(&text);
        assert_eq!((masked.len(), masked.matches("QUJD").count()), (text.len(), 1), "{masked}");
    }
}
