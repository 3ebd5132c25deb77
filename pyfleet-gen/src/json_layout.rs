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
    let line = on_one_line(value, dialect);
    if indent + line.len() <= WIDTH {
        return line;
    }
    let inner = indent + 2;
    let (open, close, items): (char, char, Vec<String>) = match value {
        Value::Array(items) => ('[', ']', items.iter().map(|item| lay_out(item, dialect, inner)).collect()),
        Value::Object(entries) => {
            let entry = |(key, value): (&String, &Value)| {
                format!("{}{}", key_of(key, dialect), lay_out(value, dialect, inner))
            };
            ('{', '}', entries.iter().map(entry).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return line,
    };
    let (inner, outer) = (" ".repeat(inner), " ".repeat(indent));
    format!("{open}\n{inner}{}\n{outer}{close}", items.join(&format!(",\n{inner}")))
}

fn on_one_line(value: &Value, dialect: Dialect) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| on_one_line(item, dialect)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(entries) if entries.is_empty() => "{}".to_owned(),
        Value::Object(entries) => {
            let entry = |(key, value): (&String, &Value)| {
                format!("{}{}", key_of(key, dialect), on_one_line(value, dialect))
            };
            let entries: Vec<String> = entries.iter().map(entry).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::String(text) => text_of(text, dialect),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn key_of(key: &str, dialect: Dialect) -> String {
    let separator = if dialect == Dialect::Terraform { " : " } else { ": " };
    text_of(key, dialect) + separator
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
