//! Which runs or jobs wait for each other.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::value::{Forms, OrExpression, is_default, no_list, text};

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
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Queue {
    /// One; a newer one cancels it.
    #[default]
    Single,
    /// A hundred, in order.
    Max,
    /// One of these, as an expression says.
    #[serde(untagged)]
    Computed(String),
}

impl Concurrency {
    /// A group whose members wait, one at a time.
    pub fn group(group: impl Into<String>) -> Self {
        Self { group: group.into(), cancel_in_progress: OrExpression::Literal(false), queue: Queue::Single }
    }
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Written {
    #[serde(deserialize_with = "text")]
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
        Written { group: self.group.clone(), cancel_in_progress: cancel, queue: self.queue.clone() }
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Concurrency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Forms::<Written>::deserialize(deserializer)? {
            Forms::Text(group) => Ok(Self::group(group)),
            Forms::List(_) => Err(no_list("the name of a group, or a map with its `group`")),
            Forms::Map(Written { group, cancel_in_progress, queue }) => Ok(Self {
                group,
                cancel_in_progress: cancel_in_progress.unwrap_or(OrExpression::Literal(false)),
                queue,
            }),
        }
    }
}
