//! Values: a literal, or a reference to what GitHub holds.

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value as Json;

use super::name::GitHubName;

/// Something that GitHub holds: `{ secret: NAME }` or `{ variable: NAME }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// A secret of the repository.
    Secret(GitHubName),
    /// A variable of the repository: plans of pull requests run in no environment.
    Variable(GitHubName),
}

/// A literal, or a reference to a secret or variable.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A literal: a string, boolean, number, list or map.
    Literal(Json),
    /// What GitHub holds; `list` says that the text is split at commas into a list.
    Held {
        /// Where the text comes from.
        reference: Reference,
        /// `as: list`: the text is split at commas into a list of strings.
        list: bool,
    },
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let literal = |json: Json| {
            if holds_reference(&json) {
                Err(D::Error::custom("a reference is a whole value, and no part of a list or a mapping"))
            } else {
                Ok(Self::Literal(json))
            }
        };
        let json = Json::deserialize(deserializer)?;
        let Json::Object(entries) = &json else {
            return match json {
                Json::Null => Err(D::Error::custom(
                    "a value is missing: write a literal, `{ secret: NAME }` or `{ variable: NAME }`",
                )),
                other => literal(other),
            };
        };
        let (secret, variable) = (entries.get("secret"), entries.get("variable"));
        if secret.is_none() && variable.is_none() {
            return literal(json);
        }
        let list = match entries.get("as").map(Json::as_str) {
            None => false,
            Some(Some("list")) => true,
            Some(_) => return Err(D::Error::custom("`as:` is `list`, or left out")),
        };
        let expected = usize::from(list) + 1;
        let name = |held: &Json| match held {
            Json::String(name) => GitHubName::try_from(name.clone()).map_err(D::Error::custom),
            _ => Err(D::Error::custom("the name of a secret or variable is a string")),
        };
        let reference = match (secret, variable) {
            (Some(held), None) if entries.len() == expected => Reference::Secret(name(held)?),
            (None, Some(held)) if entries.len() == expected => Reference::Variable(name(held)?),
            _ => {
                return Err(D::Error::custom(
                    "a reference is `{ secret: NAME }` or `{ variable: NAME }`, with `as: list` at most",
                ));
            }
        };
        Ok(Self::Held { reference, list })
    }
}

/// Whether something below a value looks like a reference: nothing would fill it in.
fn holds_reference(json: &Json) -> bool {
    let is_reference = |json: &Json| {
        let entries = json.as_object().filter(|entries| entries.len() == 1);
        entries.is_some_and(|entries| {
            entries
                .iter()
                .any(|(key, value)| matches!(key.as_str(), "secret" | "variable") && value.is_string())
        })
    };
    let mut below: Box<dyn Iterator<Item = &Json>> = match json {
        Json::Array(items) => Box::new(items.iter()),
        Json::Object(entries) => Box::new(entries.values()),
        _ => return false,
    };
    below.any(|json| is_reference(json) || holds_reference(json))
}

/// The name of a secret, where nothing else is allowed: `{ secret: NAME }`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// The secret's name on GitHub.
    pub secret: GitHubName,
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Value {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let name = generator.subschema_for::<GitHubName>();
        schemars::json_schema!({
            "description": "A literal, or what GitHub holds: { secret: NAME } or { variable: NAME }.",
            "anyOf": [
                { "type": ["string", "boolean", "number", "array"] },
                { "type": "object", "required": ["secret"], "additionalProperties": false,
                  "properties": { "secret": name, "as": { "const": "list" } } },
                { "type": "object", "required": ["variable"], "additionalProperties": false,
                  "properties": { "variable": name, "as": { "const": "list" } } },
                { "type": "object", "not": { "anyOf": [{ "required": ["secret"] }, { "required": ["variable"] }] } },
            ],
        })
    }
}
