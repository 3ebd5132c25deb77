//! `toJSON` and `fromJSON`. Documents of more than 128 levels, and numbers beyond a double, are refused.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::number::shortest;
use super::{Array, Object, Value};

/// How much deeper each level stands.
const INDENT: &str = "  ";

impl Value {
    /// The value that a JSON text means.
    ///
    /// # Errors
    /// Why it is no JSON.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// What `toJSON` makes of this; none where that is not known.
    #[must_use]
    pub fn to_json(&self) -> Option<String> {
        let mut text = String::new();
        self.write(&mut text, 0).then_some(text)
    }

    /// Writes this, and says whether all of it is known.
    fn write(&self, text: &mut String, level: usize) -> bool {
        match self {
            Self::Unknown => return false,
            Self::Null => text.push_str("null"),
            Self::Boolean(value) => text.push_str(if *value { "true" } else { "false" }),
            Self::Number(number) if number.is_finite() => text.push_str(&shortest(*number)),
            Self::Number(_) => text.push_str("null"),
            Self::String(own) => write_string(own, text),
            Self::Array(array) => {
                let items = array.items.iter().map(|value| (None, value));
                return write_list(items, ('[', ']'), text, level);
            }
            Self::Object(object) => {
                let members = object.members().map(|(name, value)| (Some(name), value));
                return !object.is_open && write_list(members, ('{', '}'), text, level);
            }
        }
        true
    }
}

fn write_list<'a>(
    entries: impl Iterator<Item = (Option<&'a str>, &'a Value)>,
    brackets: (char, char),
    text: &mut String,
    level: usize,
) -> bool {
    text.push(brackets.0);
    let mut is_empty = true;
    for (name, value) in entries {
        text.push_str(if is_empty { "\n" } else { ",\n" });
        is_empty = false;
        text.push_str(&INDENT.repeat(level + 1));
        if let Some(name) = name {
            write_string(name, text);
            text.push_str(": ");
        }
        if !value.write(text, level + 1) {
            return false;
        }
    }
    if !is_empty {
        text.push('\n');
        text.push_str(&INDENT.repeat(level));
    }
    text.push(brackets.1);
    true
}

fn write_string(own: &str, text: &mut String) {
    text.push_str(&serde_json::Value::String(own.to_owned()).to_string());
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_unit<E: Error>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
                Ok(Value::Boolean(value))
            }
            #[expect(clippy::cast_precision_loss, reason = "every number of the language is a double")]
            fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
                Ok(Value::Number(value as f64))
            }
            #[expect(clippy::cast_precision_loss, reason = "every number of the language is a double")]
            fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
                Ok(Value::Number(value as f64))
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
                Ok(Value::Number(value))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
                Ok(text.into())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
                let mut array = Array::default();
                while let Some(item) = items.next_element()? {
                    array.items.push(item);
                }
                Ok(Value::Array(Arc::new(array)))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
                let mut object = Object::new();
                while let Some((name, value)) = entries.next_entry::<String, Value>()? {
                    object.insert(name, value);
                }
                Ok(object.into())
            }
        }
        deserializer.deserialize_any(Form)
    }
}
