//! JSON as a reviewer reads it, and as Terraform does: what fits on a line stands on one.

use serde_json::Value;

/// The longest line, where it can be broken.
const WIDTH: usize = 110;

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// JSON.
    Json,
    /// The argument of Terraform's `jsonencode`, as `terraform fmt` leaves it. No text in it is an interpolation.
    Terraform,
}

/// A value over as many lines as it needs, of which all but the first are indented.
pub(crate) fn lay_out(value: &Value, dialect: Dialect, indent: usize) -> String {
    let mut layout = Layout { dialect, text: String::new() };
    layout.value(value, indent);
    layout.text
}

struct Layout {
    dialect: Dialect,
    text: String,
}

impl Layout {
    fn value(&mut self, value: &Value, indent: usize) {
        let start = self.text.len();
        if self.line(value, start + WIDTH.saturating_sub(indent)) {
            return;
        }
        self.text.truncate(start);
        match value {
            Value::Array(items) => self.lines(['[', ']'], items.iter().map(|item| (None, item)), indent),
            Value::Object(entries) => {
                self.lines(['{', '}'], entries.iter().map(|(key, value)| (Some(key), value)), indent);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.line(value, usize::MAX);
            }
        }
    }

    /// Each entry on lines of its own.
    fn lines<'v>(
        &mut self,
        [open, close]: [char; 2],
        entries: impl Iterator<Item = (Option<&'v String>, &'v Value)>,
        indent: usize,
    ) {
        self.text.push(open);
        for (position, (key, value)) in entries.enumerate() {
            self.text.push_str(if position == 0 { "\n" } else { ",\n" });
            self.text.extend(std::iter::repeat_n(' ', indent + 2));
            self.key(key);
            self.value(value, indent + 2);
        }
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n(' ', indent));
        self.text.push(close);
    }

    /// The whole value on this line, if the text is no longer than this then; a part of it otherwise.
    fn line(&mut self, value: &Value, longest: usize) -> bool {
        let mut fits = true;
        match value {
            Value::Array(items) => {
                self.text.push('[');
                for (position, item) in items.iter().enumerate() {
                    self.text.push_str(if position == 0 { "" } else { ", " });
                    fits = self.line(item, longest);
                    if !fits {
                        break;
                    }
                }
                self.text.push(']');
            }
            Value::Object(entries) if entries.is_empty() => self.text.push_str("{}"),
            Value::Object(entries) => {
                self.text.push_str("{ ");
                for (position, (key, value)) in entries.iter().enumerate() {
                    self.text.push_str(if position == 0 { "" } else { ", " });
                    self.key(Some(key));
                    fits = self.line(value, longest);
                    if !fits {
                        break;
                    }
                }
                self.text.push_str(" }");
            }
            Value::String(text) => self.text.push_str(&text_of(text, self.dialect)),
            Value::Null | Value::Bool(_) | Value::Number(_) => self.text.push_str(&value.to_string()),
        }
        fits && self.text.len() <= longest
    }

    fn key(&mut self, key: Option<&String>) {
        if let Some(key) = key {
            self.text.push_str(&text_of(key, self.dialect));
            self.text.push_str(if self.dialect == Dialect::Terraform { " : " } else { ": " });
        }
    }
}

fn text_of(text: &str, dialect: Dialect) -> String {
    let quoted = Value::from(text).to_string();
    match dialect {
        Dialect::Json => quoted,
        Dialect::Terraform => quoted.replace("${", "$${").replace("%{", "%%{"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Dialect, lay_out};

    #[test]
    fn what_fits_stands_on_a_line() {
        let long = "x".repeat(100);
        let value = json!({ "a": ["b", "c"], "d": [long, { "e": true }], "f": {} });
        let expected = format!(
            "{{\n  \"a\": [\"b\", \"c\"],\n  \"d\": [\n    \"{long}\",\n    {{ \"e\": true }}\n  ],\n  \"f\": {{}}\n}}"
        );
        assert_eq!(lay_out(&value, Dialect::Json, 0), expected);
    }

    #[test]
    fn nothing_is_interpolated_by_terraform() {
        assert_eq!(
            lay_out(&json!({ "a": "${b} %{c}" }), Dialect::Terraform, 0),
            r#"{ "a" : "$${b} %%{c}" }"#
        );
    }
}
