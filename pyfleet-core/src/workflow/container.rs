//! The images that a job runs in or beside.

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::value::{
    Forms, OrExpression, is_default, no_list, one_or_many, optional_text, text, texts, write_texts,
};

/// `container:` of a job, or one of its `services:`. An image alone may stand for the map.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "GitHub's own names")]
pub struct Container {
    pub image: String,
    pub credentials: Option<OrExpression<Credentials>>,
    pub env: IndexMap<String, String>,
    pub ports: Vec<String>,
    pub volumes: Vec<String>,
    pub options: Option<String>,
    /// Of a service only.
    pub entrypoint: Option<String>,
    /// Of a service only.
    pub command: Option<String>,
}

/// What a registry is asked with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "GitHub's own names")]
pub struct Credentials {
    #[serde(default, deserialize_with = "optional_text", skip_serializing_if = "is_default")]
    pub username: Option<String>,
    #[serde(default, deserialize_with = "optional_text", skip_serializing_if = "is_default")]
    pub password: Option<String>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    #[serde(deserialize_with = "text", skip_serializing_if = "is_default")]
    image: String,
    #[serde(deserialize_with = "credentials", skip_serializing_if = "is_default")]
    credentials: Option<OrExpression<Credentials>>,
    #[serde(deserialize_with = "texts", serialize_with = "write_texts", skip_serializing_if = "is_default")]
    env: IndexMap<String, String>,
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "is_default")]
    ports: Vec<String>,
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "is_default")]
    volumes: Vec<String>,
    #[serde(deserialize_with = "optional_text", skip_serializing_if = "is_default")]
    options: Option<String>,
    #[serde(deserialize_with = "optional_text", skip_serializing_if = "is_default")]
    entrypoint: Option<String>,
    #[serde(deserialize_with = "optional_text", skip_serializing_if = "is_default")]
    command: Option<String>,
}

impl Serialize for Container {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if *self == (Self { image: self.image.clone(), ..Self::default() }) {
            return serializer.serialize_str(&self.image);
        }
        let Self { image, credentials, env, ports, volumes, options, entrypoint, command } = self.clone();
        Written { image, credentials, env, ports, volumes, options, entrypoint, command }
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Container {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Forms::<Written>::deserialize(deserializer)? {
            Forms::Text(image) => Ok(Self { image, ..Self::default() }),
            Forms::List(_) => Err(no_list("an image, or a map with its `image`")),
            Forms::Map(Written { image, credentials, env, ports, volumes, options, entrypoint, command }) => {
                Ok(Self { image, credentials, env, ports, volumes, options, entrypoint, command })
            }
        }
    }
}

/// `credentials:`, which an expression may compute.
fn credentials<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<OrExpression<Credentials>>, D::Error> {
    match Forms::<Credentials>::deserialize(deserializer)? {
        Forms::Text(expression) => Ok(Some(OrExpression::Expression(expression))),
        Forms::List(_) => Err(no_list("a map with `username` and `password`")),
        Forms::Map(credentials) => Ok(Some(OrExpression::Literal(credentials))),
    }
}
