//! What starts a workflow.
//!
//! `on: push`, `on: [push]` and `on: {push: null}` are one meaning and one value.

use std::fmt;

use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::grammar::{EVENTS, types};
use super::value::{entries, is_default, one_or_many, optional_text, text};

/// Every event that starts the workflow. Events whose filters pyfleet decides about have a type; the
/// others keep theirs as data.
///
/// ```
/// use pyfleet_core::workflow::Triggers;
///
/// let map: Triggers = serde_json::from_str(r#"{"push": null}"#).unwrap();
/// assert_eq!(map, serde_json::from_str(r#""push""#).unwrap());
/// assert_eq!(map.names().collect::<Vec<_>>(), ["push"]);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Triggers {
    /// A push of commits or tags.
    pub push: Option<Push>,
    /// A pull request, with the rights of its author's repository.
    pub pull_request: Option<PullRequest>,
    /// A pull request, with the rights of this repository.
    pub pull_request_target: Option<PullRequest>,
    /// A merge queue tests a group.
    pub merge_group: Option<MergeGroup>,
    /// The times at which it runs.
    pub schedule: Vec<Schedule>,
    /// A person starts it.
    pub workflow_dispatch: Option<Dispatch>,
    /// Another workflow calls it.
    pub workflow_call: Option<WorkflowCall>,
    /// Another workflow ran.
    pub workflow_run: Option<WorkflowRun>,
    /// All other events by name, with their filters as data.
    pub other: IndexMap<String, Value>,
}

/// Filters of `push`.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[expect(missing_docs, reason = "GitHub's own names")]
pub struct Push {
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<String>,
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub branches_ignore: Vec<String>,
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub tags_ignore: Vec<String>,
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub paths_ignore: Vec<String>,
}

/// Filters of `pull_request` and `pull_request_target`.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[expect(missing_docs, reason = "GitHub's own names")]
pub struct PullRequest {
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<String>,
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub branches_ignore: Vec<String>,
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub paths_ignore: Vec<String>,
}

/// Filters of `merge_group`.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[expect(missing_docs, reason = "GitHub's own names")]
pub struct MergeGroup {
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<String>,
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub branches_ignore: Vec<String>,
}

/// Filters of `workflow_run`.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[expect(missing_docs, reason = "GitHub's own names")]
pub struct WorkflowRun {
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub workflows: Vec<String>,
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<String>,
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub branches_ignore: Vec<String>,
}

/// One entry of `schedule`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Five fields: minute, hour, day of the month, month, day of the week.
    #[serde(deserialize_with = "text")]
    pub cron: String,
    /// An IANA time zone; UTC where it is missing.
    #[serde(default, deserialize_with = "optional_text", skip_serializing_if = "is_default")]
    pub timezone: Option<String>,
}

/// `workflow_dispatch`. GitHub ignores keys that it does not know here.
#[derive(Debug, Clone, Default, PartialEq, serde::Deserialize, Serialize)]
#[serde(default)]
pub struct Dispatch {
    /// What the person is asked.
    #[serde(deserialize_with = "entries", skip_serializing_if = "is_default")]
    pub inputs: IndexMap<String, Input>,
}

/// `workflow_call`.
#[derive(Debug, Clone, Default, PartialEq, serde::Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkflowCall {
    /// What the caller passes.
    #[serde(deserialize_with = "entries", serialize_with = "with_types", skip_serializing_if = "is_default")]
    pub inputs: IndexMap<String, Input>,
    /// What the caller receives.
    #[serde(deserialize_with = "entries", skip_serializing_if = "is_default")]
    pub outputs: IndexMap<String, Output>,
    /// Which secrets the caller passes.
    #[serde(deserialize_with = "entries", skip_serializing_if = "is_default")]
    pub secrets: IndexMap<String, Secret>,
}

/// An input of a workflow.
#[derive(Debug, Clone, Default, PartialEq, serde::Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Input {
    /// What the person who fills it in reads.
    #[serde(deserialize_with = "optional_text", skip_serializing_if = "is_default")]
    pub description: Option<String>,
    /// Its type.
    #[serde(rename = "type", skip_serializing_if = "is_default")]
    pub kind: InputKind,
    /// Whether it must be given.
    #[serde(skip_serializing_if = "is_default")]
    pub required: bool,
    /// What it is otherwise.
    #[serde(skip_serializing_if = "is_default")]
    pub default: Option<Value>,
    /// What a choice offers.
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "is_default")]
    pub options: Vec<String>,
    /// What a caller that still passes it reads.
    #[serde(deserialize_with = "optional_text", skip_serializing_if = "is_default")]
    pub deprecation_message: Option<String>,
}

/// Inputs of `workflow_call`, whose type GitHub wants to read.
fn with_types<S: Serializer>(inputs: &IndexMap<String, Input>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Typed<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a String>,
        r#type: InputKind,
        #[serde(skip_serializing_if = "is_default")]
        required: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        default: Option<&'a Value>,
    }
    serializer.collect_map(inputs.iter().map(|(name, input)| {
        let Input { description, kind, required, default, .. } = input;
        let (description, default) = (description.as_ref(), default.as_ref());
        (name, Typed { description, r#type: *kind, required: *required, default })
    }))
}

impl Input {
    /// A line of text that may be left empty.
    #[must_use]
    pub fn text(description: &str) -> Self {
        Self { description: Some(description.to_owned()), ..Self::default() }
    }

    /// A box to tick.
    #[must_use]
    pub fn yes_or_no(description: &str) -> Self {
        Self { kind: InputKind::Boolean, ..Self::text(description) }
    }

    /// One of several, which has to be chosen.
    #[must_use]
    pub fn choice(description: &str, options: Vec<String>) -> Self {
        Self { kind: InputKind::Choice, required: true, options, ..Self::text(description) }
    }
}

/// The types of inputs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "GitHub's own names")]
pub enum InputKind {
    #[default]
    String,
    Boolean,
    Number,
    Choice,
    Environment,
}

/// An output of a reusable workflow.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// What it means.
    #[serde(default, deserialize_with = "optional_text", skip_serializing_if = "is_default")]
    pub description: Option<String>,
    /// The expression that computes it.
    #[serde(deserialize_with = "text")]
    pub value: String,
}

/// A secret of a reusable workflow.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Secret {
    /// What it is for.
    #[serde(deserialize_with = "optional_text", skip_serializing_if = "is_default")]
    pub description: Option<String>,
    /// Whether it must be passed.
    #[serde(skip_serializing_if = "is_default")]
    pub required: bool,
}

impl Triggers {
    /// Every event that GitHub's language service knows (`workflow-v1.0.json`, August 2026), sorted.
    pub const EVENTS: &'static [&'static str] = EVENTS;

    /// The types that an event can have; none where it has no types, or where whoever causes it makes them up.
    ///
    /// ```
    /// use pyfleet_core::workflow::Triggers;
    ///
    /// assert!(Triggers::types("pull_request").contains(&"labeled"));
    /// assert!(Triggers::types("push").is_empty());
    /// ```
    #[must_use]
    pub fn types(event: &str) -> &'static [&'static str] {
        types(event)
    }

    /// The names of all events, in the order of this type's fields.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let typed = [
            ("push", self.push.is_some()),
            ("pull_request", self.pull_request.is_some()),
            ("pull_request_target", self.pull_request_target.is_some()),
            ("merge_group", self.merge_group.is_some()),
            ("schedule", !self.schedule.is_empty()),
            ("workflow_dispatch", self.workflow_dispatch.is_some()),
            ("workflow_call", self.workflow_call.is_some()),
            ("workflow_run", self.workflow_run.is_some()),
        ];
        let typed = typed.into_iter().filter_map(|(name, present)| present.then_some(name));
        typed.chain(self.other.keys().map(String::as_str))
    }

    fn add_without_filters<E: Error>(&mut self, event: &str) -> Result<(), E> {
        match event {
            "push" => self.push = Some(Push::default()),
            "pull_request" => self.pull_request = Some(PullRequest::default()),
            "pull_request_target" => self.pull_request_target = Some(PullRequest::default()),
            "merge_group" => self.merge_group = Some(MergeGroup::default()),
            "workflow_dispatch" => self.workflow_dispatch = Some(Dispatch::default()),
            "workflow_call" => self.workflow_call = Some(WorkflowCall::default()),
            "workflow_run" => self.workflow_run = Some(WorkflowRun::default()),
            // Which never happens.
            "schedule" => drop(self.other.insert(event.to_owned(), Value::Array(Vec::new()))),
            other => {
                self.other.insert(known(other)?.to_owned(), Value::Null);
            }
        }
        Ok(())
    }
}

fn known<E: Error>(event: &str) -> Result<&str, E> {
    if EVENTS.contains(&event) { Ok(event) } else { Err(E::unknown_variant(event, EVENTS)) }
}

impl Serialize for Triggers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        fn entry<M: SerializeMap, T: Serialize + Default + PartialEq>(
            map: &mut M,
            name: &str,
            event: Option<&T>,
        ) -> Result<(), M::Error> {
            match event {
                Some(event) if is_default(event) => map.serialize_entry(name, &()),
                Some(event) => map.serialize_entry(name, event),
                None => Ok(()),
            }
        }
        let mut map = serializer.serialize_map(None)?;
        entry(&mut map, "push", self.push.as_ref())?;
        entry(&mut map, "pull_request", self.pull_request.as_ref())?;
        entry(&mut map, "pull_request_target", self.pull_request_target.as_ref())?;
        entry(&mut map, "merge_group", self.merge_group.as_ref())?;
        entry(&mut map, "schedule", (!self.schedule.is_empty()).then_some(&self.schedule))?;
        entry(&mut map, "workflow_dispatch", self.workflow_dispatch.as_ref())?;
        entry(&mut map, "workflow_call", self.workflow_call.as_ref())?;
        entry(&mut map, "workflow_run", self.workflow_run.as_ref())?;
        for (name, filters) in &self.other {
            map.serialize_entry(name, filters)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Triggers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = Triggers;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an event, a list of events, or a map from events to their filters")
            }
            fn visit_str<E: Error>(self, event: &str) -> Result<Triggers, E> {
                let mut triggers = Triggers::default();
                triggers.add_without_filters(event)?;
                Ok(triggers)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut events: A) -> Result<Triggers, A::Error> {
                let mut triggers = Triggers::default();
                while let Some(event) = events.next_element::<String>()? {
                    triggers.add_without_filters(&event)?;
                }
                Ok(triggers)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Triggers, A::Error> {
                let mut triggers = Triggers::default();
                while let Some(event) = map.next_key::<String>()? {
                    match event.as_str() {
                        "push" => triggers.push = Some(filters(&mut map)?),
                        "pull_request" => triggers.pull_request = Some(filters(&mut map)?),
                        "pull_request_target" => triggers.pull_request_target = Some(filters(&mut map)?),
                        "merge_group" => triggers.merge_group = Some(filters(&mut map)?),
                        "schedule" => {
                            triggers.schedule = map.next_value()?;
                            if triggers.schedule.is_empty() {
                                triggers.add_without_filters(&event)?;
                            }
                        }
                        "workflow_dispatch" => triggers.workflow_dispatch = Some(filters(&mut map)?),
                        "workflow_call" => triggers.workflow_call = Some(filters(&mut map)?),
                        "workflow_run" => triggers.workflow_run = Some(filters(&mut map)?),
                        other => {
                            let name = known(other)?.to_owned();
                            triggers.other.insert(name, map.next_value()?);
                        }
                    }
                }
                Ok(triggers)
            }
        }
        deserializer.deserialize_any(Form)
    }
}

/// An event's filters, where null means none.
fn filters<'de, T: Deserialize<'de> + Default, A: MapAccess<'de>>(map: &mut A) -> Result<T, A::Error> {
    map.next_value::<Option<T>>().map(Option::unwrap_or_default)
}
