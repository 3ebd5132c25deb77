//! What is a secret by its form or by its place, and how a text is shown without it.

use std::borrow::Cow;
use std::iter;
use std::ops::Range;

const KEY_BEGINS: &str = "-----BEGIN ";

const KEY_IS_PRIVATE: &str = "PRIVATE KEY-----";

/// Nothing shorter has the form of a secret.
const SHORTEST: usize = 20;

/// What a text holds that is a secret by its form: kind and place.
#[must_use]
pub fn secrets_in(text: &str) -> Vec<(&'static str, Range<usize>)> {
    let mut found = Vec::new();
    // Whether it is there at all is known much sooner than where.
    if holds_a_key(text)
        && let Some(start) = text.find(KEY_BEGINS)
    {
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

/// The words of a text that are long enough for a secret. Most bytes are passed over: of so many in a row that none
/// shorter can be a secret, the last one tells whether they can be a word.
fn long_words(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
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
    let mut parts = word.split('.');
    let token = (parts.next(), parts.next(), parts.next(), parts.next());
    matches!(token, (Some(head), Some(claims), Some(signature), None)
        if head.starts_with("eyJ")
            && claims.starts_with("eyJ")
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
    let mut ranges: Vec<Range<usize>> = secrets_in(text).into_iter().map(|(_, range)| range).collect();
    if holds_a_key(text) {
        ranges.extend(values_beside_keys(text));
    } else {
        ranges.extend(values_of_secrets(text));
    }
    if ranges.is_empty() {
        return Cow::Borrowed(text);
    }
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

fn holds_a_key(text: &str) -> bool {
    text.len() >= KEY_BEGINS.len() + KEY_IS_PRIVATE.len() && text.contains(KEY_BEGINS)
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
    let mut looked_to = 0;
    let colons = text.bytes().enumerate().filter(|(_, byte)| *byte == b':');
    for (colon, _) in colons {
        // What belongs to a value is no key.
        if colon < looked_to {
            continue;
        }
        let Some(is_name) = names_a_secret(&text.as_bytes()[..colon]) else { continue };
        let after = text[colon + 1..].split('\n').next().unwrap_or_default();
        let value = after.trim_start_matches(' ');
        let start = colon + 1 + (after.len() - value.len());
        let length = match value.chars().next() {
            None | Some('{' | '[' | '&' | '*' | '|' | '>' | '#' | '\r') => continue,
            _ if value.len() == after.len() => continue,
            Some(quote @ ('"' | '\'')) => {
                value[1..].find(quote).map_or(value.trim_end().len(), |end| end + 2)
            }
            Some(_) => {
                let end = value.find([',', '}', ']', '\r']).unwrap_or(value.len());
                let end = value[..end].find(" #").unwrap_or(end);
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
    use super::mask;

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
        ] {
            assert_eq!(mask(text), masked);
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
