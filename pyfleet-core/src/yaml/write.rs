//! The only place that decides how a value is written, for the serialiser and for templates.
//!
//! Output reads the same to YAML 1.2 readers (GitHub) and 1.1 readers (PyYAML and the tools on it), and
//! is how prettier and yamllint want it: lists indented under their keys, two spaces a level, double
//! quotes unless single ones save an escape, no trailing blanks, flow style only for `{}` and `[]`. The one
//! exception for 1.1 readers is the key `on`, which everyone writes plain.
//!
//! Quoting is generous: `1.2.3` and `2_28` are strings to everyone, and still quoted, because whether they
//! are takes thought.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;

use super::scalar::{self, Plain};

/// Writes a value as a YAML document. Keys keep their order; `null` is an empty value under a key.
///
/// # Errors
///
/// A value that JSON cannot say: a mapping whose keys are not strings, numbers or booleans, or a failing
/// `Serialize`.
///
/// ```
/// use pyfleet_core::yaml::write::to_string;
/// use serde_json::json;
///
/// let workflow = json!({
///     "on": {"push": {"branches": ["main"]}, "workflow_dispatch": null},
///     "permissions": {},
///     "env": {"PYTHON": "3.10", "DEBUG": "no"},
///     "steps": [{"run": "uv sync\nuv run pytest\n"}],
/// });
/// let text = "\
/// on:
///   push:
///     branches:
///       - main
///   workflow_dispatch:
/// permissions: {}
/// env:
///   PYTHON: \"3.10\"
///   DEBUG: \"no\"
/// steps:
///   - run: |
///       uv sync
///       uv run pytest
/// ";
/// assert_eq!(to_string(&workflow).unwrap(), text);
/// ```
pub fn to_string<T: Serialize + ?Sized>(value: &T) -> Result<String, serde_json::Error> {
    let value = serde_json::to_value(value)?;
    let mut writer = Writer { out: String::new(), keeps_breaks: true };
    writer.document(&value);
    if writer.out.ends_with("\n\n") {
        // A block whose blank lines end the file would be cut by whoever tidies files.
        writer = Writer { out: String::new(), keeps_breaks: false };
        writer.document(&value);
    }
    Ok(writer.out)
}

/// A string on one line: plain where every reader takes it for a string, or in quotes. For block style:
/// inside `[…]` a comma would divide it.
///
/// ```
/// use pyfleet_core::yaml::write::scalar;
///
/// assert_eq!(scalar("ubuntu-24.04"), "ubuntu-24.04");
/// assert_eq!(scalar("${{ github.ref }}"), "${{ github.ref }}");
/// assert_eq!(scalar("3.10"), "\"3.10\"");
/// assert_eq!(scalar("yes"), "\"yes\"");
/// assert_eq!(scalar("say \"hi\": now"), "'say \"hi\": now'");
/// assert_eq!(scalar("a\nb"), "\"a\\nb\"");
/// ```
#[must_use]
pub fn scalar(text: &str) -> Cow<'_, str> {
    if is_plain(text) { Cow::Borrowed(text) } else { Cow::Owned(quoted(text)) }
}

/// The most readable form of a string behind `key:` or `-`, without its last line break: like [`scalar`] on
/// one line, or a block whose text stands `indent` columns in. That must be two more than the key or dash
/// it belongs to. A text that ends with several line breaks is quoted: a block would take blank lines behind it
/// for its own.
///
/// ```
/// use pyfleet_core::yaml::write::block;
///
/// assert_eq!(block("uv sync", 8), "uv sync");
/// assert_eq!(block("uv sync\nuv build\n", 8), "|\n        uv sync\n        uv build");
/// assert_eq!(block("  a\nb", 2), "|2-\n    a\n  b");
/// ```
#[must_use]
pub fn block(text: &str, indent: usize) -> String {
    block_or_scalar(text, indent, false)
}

/// Everything behind `key:` for any value, without the last line break: the value on the same line, or its
/// entries `indent` columns in. That must be two more than the key.
///
/// ```
/// use pyfleet_core::yaml::write::after_key;
/// use serde_json::json;
///
/// assert_eq!(after_key(&json!("main"), 2), " main");
/// assert_eq!(after_key(&json!({"branches": ["main"]}), 4), "\n    branches:\n      - main");
/// ```
#[must_use]
pub fn after_key(value: &Value, indent: usize) -> String {
    let mut writer = Writer { out: String::new(), keeps_breaks: false };
    writer.after_key(value, indent.saturating_sub(2));
    writer.out.pop();
    writer.out
}

fn block_or_scalar(text: &str, indent: usize, keeps_breaks: bool) -> String {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let is_usual = |byte: u8| matches!(byte, b' '..=b'~' | b'\n' | b'\t');
    let survives = text.contains('\n')
        && (text.bytes().all(is_usual)
            || text.chars().all(|character| matches!(character, '\n' | '\t') || is_printable(character)))
        && text.lines().all(|line| !line.ends_with([' ', '\t']))
        && (keeps_breaks || !body.ends_with('\n'));
    let first = text.trim_start_matches('\n');
    if !survives || first.is_empty() || first.starts_with('\t') {
        return scalar(text).into_owned();
    }
    let indentation = if first.starts_with(' ') { "2" } else { "" };
    let chomping = match text.strip_suffix('\n') {
        None => "-",
        Some(body) if body.ends_with('\n') => "+",
        Some(_) => "",
    };
    let mut out = format!("|{indentation}{chomping}");
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(line);
        }
    }
    out
}

struct Writer {
    out: String,
    /// Whether blank lines may end a block.
    keeps_breaks: bool,
}

impl Writer {
    fn document(&mut self, value: &Value) {
        match value {
            Value::Object(entries) if !entries.is_empty() => self.entries(entries, 0),
            Value::Array(items) if !items.is_empty() => self.items(items, 0),
            Value::String(text) => self.line(&quoted(text)),
            Value::Null => self.line("null"),
            value => {
                self.behind(value, 0);
                self.out.remove(0);
            }
        }
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// Entries at `indent`; the first one stands where the output is.
    fn entries(&mut self, entries: &serde_json::Map<String, Value>, indent: usize) {
        for (position, (key, value)) in entries.iter().enumerate() {
            if position > 0 {
                self.indent(indent);
            }
            let key = if key == "on" { Cow::Borrowed("on") } else { scalar(key) };
            // A key without `?` must fit into 1024 characters (YAML 1.2.2, 7.4.2).
            if key.len() < 1000 {
                self.out.push_str(&key);
            } else {
                self.out.push_str("? ");
                self.line(&key);
                self.indent(indent);
            }
            self.out.push(':');
            self.after_key(value, indent);
        }
    }

    /// A value behind the colon of a key that stands at `indent`.
    fn after_key(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(entries) if !entries.is_empty() => {
                self.line("");
                self.indent(indent + 2);
                self.entries(entries, indent + 2);
            }
            Value::Array(items) if !items.is_empty() => {
                self.line("");
                self.indent(indent + 2);
                self.items(items, indent + 2);
            }
            Value::Null => self.line(""),
            value => self.behind(value, indent),
        }
    }

    fn items(&mut self, items: &[Value], indent: usize) {
        for (position, item) in items.iter().enumerate() {
            if position > 0 {
                self.indent(indent);
            }
            self.out.push('-');
            match item {
                Value::Object(entries) if !entries.is_empty() => {
                    self.out.push(' ');
                    self.entries(entries, indent + 2);
                }
                Value::Array(items) if !items.is_empty() => {
                    self.out.push(' ');
                    self.items(items, indent + 2);
                }
                item => self.behind(item, indent),
            }
        }
    }

    /// A value on the line of its key or dash, which stands at `indent`.
    fn behind(&mut self, value: &Value, indent: usize) {
        self.out.push(' ');
        let text = match value {
            Value::Null => "null".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Number(number) => plain_number(number),
            Value::String(text) => block_or_scalar(text, indent + 2, self.keeps_breaks),
            Value::Array(_) => "[]".to_owned(),
            Value::Object(_) => "{}".to_owned(),
        };
        self.line(&text);
    }

    fn indent(&mut self, columns: usize) {
        self.out.extend(std::iter::repeat_n(' ', columns));
    }
}

/// Readers of YAML 1.1 want a dot and an exponent's sign in a float.
fn plain_number(number: &serde_json::Number) -> String {
    let text = number.to_string();
    match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => {
            let dot = if mantissa.contains('.') { "" } else { ".0" };
            let sign = if exponent.starts_with(['-', '+']) { "" } else { "+" };
            format!("{mantissa}{dot}e{sign}{exponent}")
        }
        None => text,
    }
}

/// Whether a text needs no quotes in block style, for readers of YAML 1.1 and 1.2 alike.
fn is_plain(text: &str) -> bool {
    let mut characters = text.chars();
    let (Some(first), second) = (characters.next(), characters.next()) else { return false };
    let last = text.chars().next_back().unwrap_or(first);
    let starts_plain = match first {
        '-' => {
            second.is_some_and(|second| second.is_alphanumeric() || second == '-') && !text.starts_with("---")
        }
        '.' => !text.starts_with("..."),
        '?' | ':' | ',' | '[' | ']' | '{' | '}' | '#' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
        | '@' | '`' => false,
        _ => true,
    };
    starts_plain
        && !first.is_whitespace()
        && !last.is_whitespace()
        && last != ':'
        && text.chars().all(is_printable)
        && !text.contains(": ")
        && !text.contains(" #")
        && !looks_typed(text)
}

/// Whether some reader might take the plain text for something else than a string.
fn looks_typed(text: &str) -> bool {
    const WORDS: [&str; 13] =
        ["y", "n", "yes", "no", "true", "false", "on", "off", "null", "~", "=", "<<", "nan"];
    if scalar::resolve(text) != Plain::String || WORDS.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return true;
    }
    // Numbers, sexagesimals, dates and times, with room to spare: 0755, 1_000, 12:30:45, 2026-01-31T08:00:00Z.
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = unsigned.trim_start_matches(['.', '_']);
    let is_special = ["inf", "nan", "infinity"].iter().any(|word| digits.eq_ignore_ascii_case(word));
    // ruamel.yaml takes `_` for a number without digits, and fails.
    let is_empty = text.bytes().all(|byte| b"_.+-".contains(&byte));
    is_special
        || is_empty
        || (digits.starts_with(|first: char| first.is_ascii_digit())
            && text.bytes().all(|byte| byte.is_ascii_hexdigit() || b"xXoO_.:+-tTzZ ".contains(&byte)))
}

/// What YAML 1.1 and 1.2 let stand as it is on one line, without blanks that look like something else.
fn is_printable(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}')
        && u32::from(character) & 0xFFFE != 0xFFFE
}

fn quoted(text: &str) -> String {
    if text.contains(['"', '\\']) && text.chars().all(is_printable) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            character if is_printable(character) => out.push(character),
            character => match u32::from(character) {
                code @ 0..=0xFF => out.push_str(&format!("\\x{code:02X}")),
                code @ 0..=0xFFFF => out.push_str(&format!("\\u{code:04X}")),
                code => out.push_str(&format!("\\U{code:08X}")),
            },
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn strings_are_quoted_only_where_a_reader_could_err() {
        for plain in [
            "a",
            "ubuntu-24.04",
            "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8",
            "${{ secrets.TOKEN }}",
            "uv run pytest -q && echo done",
            "--flag",
            "-x",
            ".github/workflows",
            "~/cache",
            "a#b",
            "http://x.y/z?q=1",
            "it's",
            "say \"hi\"",
            "C:\\dir",
            "3.12-slim",
            "v4",
            "yesterday",
            "on-push",
            "übergroß 🦀",
            "a, b",
            "x[0]",
            "=x",
        ] {
            assert_eq!(scalar(plain), plain);
        }
        for text in [
            "",
            " ",
            "a ",
            " a",
            "~",
            "null",
            "Null",
            "yes",
            "No",
            "ON",
            "off",
            "y",
            "N",
            "true",
            "False",
            "1",
            "-1",
            "+1",
            "0755",
            "0o7",
            "0x1F",
            "0b1",
            "1_000",
            "2_28",
            "1.",
            ".5",
            "._1",
            "1e3",
            "1.5e-3",
            ".inf",
            "-.INF",
            ".nan",
            "12:30",
            "12:30:45",
            "190:20:30.15",
            "2024-01-01",
            "2024-01-01T08:00:00Z",
            "2024-01-01 08:00:00 +1",
            "1.2.3",
            "_",
            "-_",
            "=",
            "<<",
            "- a",
            "-",
            "---",
            "--- a",
            "...",
            "? a",
            "?a",
            ": a",
            ":a",
            "a: b",
            "a:",
            "a #b",
            "#a",
            "&a",
            "*a",
            "!a",
            "|",
            ">",
            "%a",
            "@a",
            "`a`",
            "[a]",
            "{a}",
            ", a",
            "'a'",
            "-[",
            "a\u{2028}",
        ] {
            assert_eq!(
                scalar(text),
                if text == "a\u{2028}" { "\"a\\u2028\"".to_owned() } else { format!("\"{text}\"") }
            );
        }
        for (text, expected) in [
            ("\"a\"", "'\"a\"'"),
            ("'\"a\": \\", "'''\"a\": \\'"),
            ("\\ : ", "'\\ : '"),
            ("\"a\"\n", "\"\\\"a\\\"\\n\""),
            ("a\tb", "\"a\\tb\""),
            ("a\u{85}\u{7}\u{FEFF}", "\"a\\x85\\x07\\uFEFF\""),
            ("\u{1FFFE}", "\"\\U0001FFFE\""),
        ] {
            assert_eq!(scalar(text), expected);
        }
    }

    #[test]
    fn blocks_say_exactly_what_they_hold() {
        for (text, expected) in [
            ("a\nb", "|-\n    a\n    b"),
            ("a\n", "|\n    a"),
            ("a\n\n", "\"a\\n\\n\""),
            ("\na\n\nb\n", "|\n\n    a\n\n    b"),
            (" a\nb\n", "|2\n     a\n    b"),
            ("# a: 'b'\n- c\n", "|\n    # a: 'b'\n    - c"),
            ("a\n\tb\n", "|\n    a\n    \tb"),
            ("\ta\n", "\"\\ta\\n\""),
            ("a \nb\n", "\"a \\nb\\n\""),
            ("a\n  \nb\n", "\"a\\n  \\nb\\n\""),
            ("a\r\nb\n", "\"a\\r\\nb\\n\""),
            ("\n\n", "\"\\n\\n\""),
            ("yes", "\"yes\""),
        ] {
            assert_eq!(block(text, 4), expected, "{text:?}");
        }
    }

    #[test]
    fn documents_look_as_people_write_them() {
        let value = json!({
            "on": {"on": "on"},
            "list": [[1, [2]], [], {}, null, {"a": {"b": null}, "c": ["x\ny\n", 1e300, -0.5]}],
            "1": "end\n\n",
        });
        let text = "\
on:
  on: \"on\"
list:
  - - 1
    - - 2
  - []
  - {}
  - null
  - a:
      b:
    c:
      - |
        x
        y
      - 1.0e+300
      - -0.5
\"1\": \"end\\n\\n\"
";
        assert_eq!(to_string(&value).unwrap(), text);
        for (value, text) in [
            (json!(null), "null\n"),
            (json!({}), "{}\n"),
            (json!([]), "[]\n"),
            (json!("a"), "\"a\"\n"),
            (json!(true), "true\n"),
        ] {
            assert_eq!(to_string(&value).unwrap(), text);
        }
    }
}
