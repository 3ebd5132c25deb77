//! Which runs or jobs wait for each other.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::{Serialize, Serializer};

use super::value::{OrExpression, is_default};

/// `concurrency: group`, or the map that says more. Groups are compared without regard to case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concurrency {
    /// The name that the waiting ones share; may hold expressions.
    pub group: String,
    /// Whether a newer one cancels the running one; false unless said otherwise.
    pub cancel_in_progress: OrExpression<bool>,
    /// How many may wait.
    pub queue: Queue,
}

/// How many runs or jobs of a group may wait (GitHub changelog, 2026-05-07).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Queue {
    /// One; a newer one cancels it.
    #[default]
    Single,
    /// A hundred, in order.
    Max,
}

impl Concurrency {
    /// A group whose members wait, one at a time.
    pub fn group(group: impl Into<String>) -> Self {
        Self { group: group.into(), cancel_in_progress: OrExpression::Literal(false), queue: Queue::Single }
    }
}

#[derive(serde::Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Written {
    group: String,
    #[serde(default, skip_serializing_if = "is_default")]
    cancel_in_progress: Option<OrExpression<bool>>,
    #[serde(default, skip_serializing_if = "is_default")]
    queue: Queue,
}

impl Serialize for Concurrency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let cancel = (!self.cancel_in_progress.is(&false)).then(|| self.cancel_in_progress.clone());
        if cancel.is_none() && self.queue == Queue::Single {
            return serializer.serialize_str(&self.group);
        }
        Written { group: self.group.clone(), cancel_in_progress: cancel, queue: self.queue }
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Concurrency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = Concurrency;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a group, or a map with its `group`")
            }
            fn visit_str<E: Error>(self, group: &str) -> Result<Concurrency, E> {
                Ok(Concurrency::group(group))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Concurrency, A::Error> {
                let written = Written::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Concurrency {
                    group: written.group,
                    cancel_in_progress: written.cancel_in_progress.unwrap_or(OrExpression::Literal(false)),
                    queue: written.queue,
                })
            }
        }
        deserializer.deserialize_any(Form)
    }
}
