//! The deployment environment that a job runs in: its protection, secrets and OIDC subject.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::{Serialize, Serializer};

use super::value::{OrExpression, is_default, optional_text};

/// `environment: prod`, or the map that says more. An empty name means no environment at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The name; may hold expressions.
    pub name: String,
    /// What the deployment links to.
    pub url: Option<String>,
    /// Whether GitHub records a deployment; true unless said otherwise.
    pub deployment: OrExpression<bool>,
}

impl Environment {
    /// The environment of a name.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), url: None, deployment: OrExpression::Literal(true) }
    }
}

#[derive(serde::Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    #[serde(default, deserialize_with = "optional_text", skip_serializing_if = "is_default")]
    url: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    deployment: Option<OrExpression<bool>>,
}

impl Serialize for Environment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let deployment = (!self.deployment.is(&true)).then(|| self.deployment.clone());
        if deployment.is_none() && self.url.is_none() {
            return serializer.serialize_str(&self.name);
        }
        Written { name: self.name.clone(), url: self.url.clone(), deployment }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Environment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = Environment;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of an environment, or a map with its `name`")
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<Environment, E> {
                Ok(Environment::named(name))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Environment, A::Error> {
                let Written { name, url, deployment } =
                    Written::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Environment { name, url, deployment: deployment.unwrap_or(OrExpression::Literal(true)) })
            }
        }
        deserializer.deserialize_any(Form)
    }
}
