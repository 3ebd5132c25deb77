//! The images that a job runs in or beside.

use std::fmt;

use indexmap::IndexMap;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::{Serialize, Serializer};

use super::value::{is_default, one_or_many, optional_text, text, texts};

/// `container:` of a job, or one of its `services:`. An image alone may stand for the map.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "GitHub's own names")]
pub struct Container {
    pub image: String,
    pub credentials: Option<Credentials>,
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
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "GitHub's own names")]
pub struct Credentials {
    #[serde(default, deserialize_with = "optional_text")]
    pub username: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    pub password: Option<String>,
}

#[derive(Default, serde::Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    #[serde(deserialize_with = "text")]
    image: String,
    #[serde(skip_serializing_if = "is_default")]
    credentials: Option<Credentials>,
    #[serde(deserialize_with = "texts", skip_serializing_if = "is_default")]
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
        let Self { image, credentials, env, ports, volumes, options, entrypoint, command } = self.clone();
        Written { image, credentials, env, ports, volumes, options, entrypoint, command }
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Container {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = Container;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an image, or a map with its `image`")
            }
            fn visit_str<E: Error>(self, image: &str) -> Result<Container, E> {
                Ok(Container { image: image.to_owned(), ..Container::default() })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Container, A::Error> {
                let Written { image, credentials, env, ports, volumes, options, entrypoint, command } =
                    Written::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Container { image, credentials, env, ports, volumes, options, entrypoint, command })
            }
        }
        deserializer.deserialize_any(Form)
    }
}
