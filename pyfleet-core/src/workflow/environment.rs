//! The deployment environment that a job runs in: its protection, secrets and OIDC subject.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::value::{Forms, OrExpression, is_default, no_list, optional_text, text};

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

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(deserialize_with = "text")]
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
        match Forms::<Written>::deserialize(deserializer)? {
            Forms::Text(name) => Ok(Self::named(name)),
            Forms::List(_) => Err(no_list("the name of an environment, or a map with its `name`")),
            Forms::Map(Written { name, url, deployment }) => {
                Ok(Self { name, url, deployment: deployment.unwrap_or(OrExpression::Literal(true)) })
            }
        }
    }
}
