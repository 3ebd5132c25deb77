//! The stages of a pipeline.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IntoDeserializer, MapAccess, Visitor};

use super::github::BranchName;
use super::name::Slug;

/// One stage, or several side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stages {
    /// A stage behind all those before it.
    One(Stage),
    /// Stages that do not wait for each other.
    Parallel(Vec<Stage>),
}

impl Stages {
    /// Each of them.
    #[must_use]
    pub fn all(&self) -> &[Stage] {
        match self {
            Self::One(stage) => std::slice::from_ref(stage),
            Self::Parallel(stages) => stages,
        }
    }
}

/// One stage, and when it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// What it does.
    pub kind: StageKind,
    /// `deploy`: what it deploys, of `services`. Default: all of them.
    pub services: Option<Vec<Slug>>,
    /// What it is limited to. Default: nothing, it always runs.
    pub only: Option<Only>,
}

/// What a stage does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum StageKind {
    /// Runs the test suites.
    Test,
    /// Analyses the code and audits its dependencies.
    Security,
    /// Builds and scans the images, and pushes them for each environment.
    Image,
    /// Checks the golden image's template, and builds the image where its sources changed.
    GoldenImage,
    /// Checks, scans, plans and applies the stacks.
    Terraform,
    /// Deploys the services.
    Deploy,
    /// Configures the machines with Ansible.
    Configure,
    /// Asks what was deployed.
    Smoke,
    /// Writes down what became of every stage.
    Summary,
}

impl StageKind {
    /// Every kind of stage.
    pub const ALL: [Self; 9] = [
        Self::Test,
        Self::Security,
        Self::Image,
        Self::GoldenImage,
        Self::Terraform,
        Self::Deploy,
        Self::Configure,
        Self::Smoke,
        Self::Summary,
    ];

    /// Whether it changes something of an environment, wherever images are pushed.
    #[must_use]
    pub const fn changes(self) -> bool {
        match self {
            Self::Test | Self::Security | Self::Image | Self::Smoke | Self::Summary => false,
            Self::GoldenImage | Self::Terraform | Self::Deploy | Self::Configure => true,
        }
    }

    /// Its name in the manifest.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Security => "security",
            Self::Image => "image",
            Self::GoldenImage => "golden-image",
            Self::Terraform => "terraform",
            Self::Deploy => "deploy",
            Self::Configure => "configure",
            Self::Smoke => "smoke",
            Self::Summary => "summary",
        }
    }

    /// What it does, in a few words.
    #[must_use]
    pub const fn does(self) -> &'static str {
        match self {
            Self::Test => "Runs the test suites.",
            Self::Security => "Analyses the code and audits its dependencies.",
            Self::Image => "Builds and scans the images, and pushes them for each environment.",
            Self::GoldenImage => {
                "Checks the golden image's template, and builds the image where its sources changed."
            }
            Self::Terraform => "Checks, scans, plans and applies the stacks.",
            Self::Deploy => "Deploys the services: all of them, or those of a list.",
            Self::Configure => "Configures the machines with Ansible, and looks at what is installed.",
            Self::Smoke => "Asks what was deployed: services, addresses, and the repository's own commands.",
            Self::Summary => "Writes down what became of every stage.",
        }
    }
}

/// What a stage is limited to. It is skipped on purpose otherwise, which stops no later stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Only {
    /// To what starts the run.
    Events(Vec<StartedBy>),
    /// To the branches that the run is of.
    Branches(Vec<BranchName>),
}

/// What starts a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum StartedBy {
    /// A person.
    Manual,
    /// A push.
    Push,
    /// The clock.
    Schedule,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct InBranches {
    branches: Vec<BranchName>,
}

/// What stands under a stage's name.
#[derive(Default, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "StageOptions"))]
#[serde(deny_unknown_fields)]
struct Options {
    /// `deploy`: what it deploys, of `services`. Default: all of them.
    services: Option<Vec<Slug>>,
    /// What it is limited to: what starts the run, or its branch. It is skipped on purpose otherwise, which stops no
    /// later stage. Default: nothing, it always runs.
    only: Option<Only>,
}

impl<'de> Deserialize<'de> for Stages {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Stages;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a stage's name, `{ NAME: { only: … } }` or `{ parallel: [NAME, …] }`")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Stages, E> {
                plain(name).map(Stages::One)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Stages, A::Error> {
                let stages = match entries.next_key::<String>()?.as_deref() {
                    Some("parallel") => {
                        let stages: Vec<Stage> = entries.next_value()?;
                        if stages.len() < 2 {
                            return Err(Error::custom("stages side by side are two or more"));
                        }
                        Stages::Parallel(stages)
                    }
                    name => Stages::One(limited(name, &mut entries)?),
                };
                only_key(&mut entries)?;
                Ok(stages)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl<'de> Deserialize<'de> for Stage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Stage;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a stage's name, or `{ NAME: { only: … } }`")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Stage, E> {
                plain(name)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Stage, A::Error> {
                let name = entries.next_key::<String>()?;
                let stage = limited(name.as_deref(), &mut entries)?;
                only_key(&mut entries)?;
                Ok(stage)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

fn plain<E: Error>(name: &str) -> Result<Stage, E> {
    Ok(Stage { kind: StageKind::deserialize(name.into_deserializer())?, services: None, only: None })
}

/// A stage with its options; a list stands for the services.
fn limited<'de, A: MapAccess<'de>>(name: Option<&str>, entries: &mut A) -> Result<Stage, A::Error> {
    #[derive(serde::Deserialize)]
    #[serde(transparent)]
    struct Services(Vec<Slug>);

    /// `[web]` or `{ services: [web], only: manual }`.
    struct Written(Options);

    impl<'de> Deserialize<'de> for Written {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Either;

            impl<'de> Visitor<'de> for Either {
                type Value = Written;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("`{ only: … }`, or the services of `deploy`")
                }

                fn visit_seq<A: serde::de::SeqAccess<'de>>(self, services: A) -> Result<Written, A::Error> {
                    let Services(services) =
                        Services::deserialize(serde::de::value::SeqAccessDeserializer::new(services))?;
                    Ok(Written(Options { services: Some(services), only: None }))
                }

                fn visit_map<A: MapAccess<'de>>(self, options: A) -> Result<Written, A::Error> {
                    Options::deserialize(serde::de::value::MapAccessDeserializer::new(options)).map(Written)
                }
            }

            deserializer.deserialize_any(Either)
        }
    }

    let Some(name) = name else { return Err(Error::custom("a stage has a name")) };
    let Stage { kind, .. } = plain(name)?;
    let Written(Options { services, only }) = entries.next_value()?;
    Ok(Stage { kind, services, only })
}

fn only_key<'de, A: MapAccess<'de>>(entries: &mut A) -> Result<(), A::Error> {
    match entries.next_key::<String>()? {
        None => Ok(()),
        Some(_) => {
            Err(Error::custom("one entry of the list is one stage: write each behind a dash of its own"))
        }
    }
}

impl<'de> Deserialize<'de> for Only {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Only;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`manual`, `push`, `schedule`, a list of them, or `{ branches: […] }`")
            }

            fn visit_str<E: Error>(self, event: &str) -> Result<Only, E> {
                Ok(Only::Events(vec![StartedBy::deserialize(event.into_deserializer())?]))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, events: A) -> Result<Only, A::Error> {
                let events: Vec<StartedBy> =
                    Deserialize::deserialize(serde::de::value::SeqAccessDeserializer::new(events))?;
                match events.is_empty() {
                    true => Err(Error::custom("it would never run")),
                    false => Ok(Only::Events(events)),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Only, A::Error> {
                let InBranches { branches } =
                    Deserialize::deserialize(serde::de::value::MapAccessDeserializer::new(entries))?;
                match branches.is_empty() {
                    true => Err(Error::custom("it would never run")),
                    false => Ok(Only::Branches(branches)),
                }
            }
        }

        deserializer.deserialize_any(Either)
    }
}

#[cfg(feature = "schema")]
mod schema {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use super::super::one_or_many::OneOrMany;
    use super::{BranchName, Only, Options, Slug, Stage, StageKind, Stages, StartedBy};

    impl JsonSchema for Only {
        fn schema_name() -> Cow<'static, str> {
            "Only".into()
        }

        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            let events = generator.subschema_for::<OneOrMany<StartedBy>>();
            let branch = generator.subschema_for::<BranchName>();
            json_schema!({ "anyOf": [events, {
                "type": "object", "required": ["branches"], "additionalProperties": false,
                "description": "The branches that the run is of.",
                "properties": { "branches": { "type": "array", "items": branch, "minItems": 1 } }
            }] })
        }
    }

    impl JsonSchema for Stage {
        fn schema_name() -> Cow<'static, str> {
            "Stage".into()
        }

        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            let kind = generator.subschema_for::<StageKind>();
            let options = generator.subschema_for::<Options>();
            let services = generator.subschema_for::<Vec<Slug>>();
            let entries: serde_json::Map<String, serde_json::Value> = StageKind::ALL
                .iter()
                .map(|kind| {
                    let either = match kind {
                        StageKind::Deploy => vec![&options, &services],
                        _ => vec![&options],
                    };
                    let entry = serde_json::json!({ "description": kind.does(), "anyOf": either });
                    (kind.name().to_owned(), entry)
                })
                .collect();
            json_schema!({ "anyOf": [kind, {
                "type": "object", "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
                "properties": entries
            }] })
        }
    }

    impl JsonSchema for Stages {
        fn schema_name() -> Cow<'static, str> {
            "Stages".into()
        }

        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            let stage = generator.subschema_for::<Stage>();
            json_schema!({ "anyOf": [stage, {
                "type": "object", "required": ["parallel"], "additionalProperties": false,
                "description": "Stages that do not wait for each other.",
                "properties": { "parallel": { "type": "array", "items": stage, "minItems": 2 } }
            }] })
        }
    }
}
