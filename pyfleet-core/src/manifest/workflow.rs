//! Which workflows the project wants.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor, value::MapAccessDeserializer};

use super::environment::Approval;
use super::github::BranchName;
use super::name::{Slug, checked_string};
use super::one_or_many::OneOrMany;
use super::stage::{Stage, StageKind, Stages};

/// One wish: a workflow file under the key's name.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Workflow {
    /// What it is. Default: the file's name.
    pub kind: Option<Kind>,
    /// Whether it is rendered. `false` removes the file. Default: true.
    pub enabled: Option<bool>,
    /// Whether the file is left to its owner: no longer written, still checked. Default: false.
    pub ejected: Option<bool>,
    /// What starts it, instead of what its kind starts with.
    pub on: Option<Triggers>,
    /// `deploy`: what it deploys, of `services`. Default: all of them.
    pub services: Option<Vec<Slug>>,
    /// `deploy`, `rollback`: what has to be typed. Default: `DEPLOY`, `ROLLBACK`.
    pub confirm: Option<Phrase>,
    /// `rollback`: whether the reviewers of an environment have to agree here, too. Default: `none`, because whoever
    /// rolls back is in a hurry; a plan that destroys something waits for them all the same.
    pub approval: Option<Approval>,
    /// `pipeline`: what it does, one stage after the other. Whatever needs no environment comes first, for every run;
    /// then each environment of the run's branch has its turn, in promotion order: what is going to change is looked at,
    /// its reviewers agree, and the stages change it.
    pub stages: Option<Vec<Stages>>,
    /// `tf-drift`: what drift does. Default: `issue` and `fail`.
    pub on_drift: Option<Vec<OnDrift>>,
    /// `tf-drift`: labels of the issues that it opens, beside `pyfleet-drift`. Default: none.
    pub labels: Option<Vec<Label>>,
    /// `tf-drift`: who is assigned to the issues that it opens; people, for GitHub assigns no teams. Default: nobody.
    pub assignees: Option<Vec<Person>>,
    /// Why it may write without a person who starts it.
    pub auto: Option<Auto>,
    /// `tf-auto`: whether the backend goes with the last thing in it. Default: false.
    pub destroy_backend_after: Option<bool>,
    /// `tf-auto`: whether a push is applied unseen only as its pull request showed it. Default: false.
    pub require_parity: Option<bool>,
}

/// What drift does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OnDrift {
    /// An issue is kept for the stack until the drift is gone.
    Issue,
    /// The run fails.
    Fail,
}

checked_string! {
    /// The name of a label. GitHub's API separates labels by commas, and a name has at most 50 characters.
    Label, pattern: "^[^\\s,]([^,]*[^\\s,])?$", max: 50,
    check: |text| !text.is_empty() && text.trim() == text && !text.contains(','),
    says: "a label is a name of at most 50 characters, without commas and without spaces around it"
}

checked_string! {
    /// A person on GitHub: `@octocat`.
    Person, pattern: "^@[A-Za-z0-9][A-Za-z0-9-]{0,38}$", max: 40,
    check: |text| text.strip_prefix('@').is_some_and(|name| {
        name.len() <= 39
            && name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    }),
    says: "a person is written as in `@octocat`"
}

/// Why a workflow may write without a person who starts it.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Auto {
    /// The reason, in a few words.
    pub reason: String,
    /// Who answers for it: a person or a team on GitHub.
    pub owner: Owner,
}

checked_string! {
    /// A person or a team on GitHub, as code owners are written: `@octocat`, `@acme/platform`.
    Owner, pattern: "^@[A-Za-z0-9][A-Za-z0-9-]{0,38}(/[A-Za-z0-9][A-Za-z0-9_.-]{0,99})?$", max: 141,
    check: |text| {
        let is_name = |name: &str, others: &[u8], most: usize| {
            name.len() <= most
                && name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || others.contains(&byte))
        };
        text.strip_prefix('@').is_some_and(|name| match name.split_once('/') {
            Some((organisation, team)) => is_name(organisation, b"-", 39) && is_name(team, b"_.-", 100),
            None => is_name(name, b"-", 39),
        })
    },
    says: "a person is written as in `@octocat`, a team as in `@acme/platform`"
}

impl Workflow {
    /// What it is: its `kind`, or the kind of its name.
    #[must_use]
    pub fn kind_of(&self, name: &Slug) -> Option<Kind> {
        self.kind.or_else(|| Kind::ALL.into_iter().find(|kind| kind.name() == name.as_str()))
    }

    /// The stages of a pipeline, whatever stands beside them.
    pub fn all_stages(&self) -> impl Iterator<Item = &Stage> {
        self.stages.iter().flatten().flat_map(Stages::all)
    }

    /// Whether it is a pipeline with a stage of a kind.
    #[must_use]
    pub fn has_stage(&self, name: &Slug, kind: StageKind) -> bool {
        self.kind_of(name) == Some(Kind::Pipeline) && self.all_stages().any(|stage| stage.kind == kind)
    }

    /// What becomes of its file.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        match (self.enabled.unwrap_or(true), self.ejected.unwrap_or(false)) {
            (_, true) => Disposition::Ejected,
            (true, false) => Disposition::Rendered,
            (false, false) => Disposition::Disabled,
        }
    }
}

/// What becomes of a workflow's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// It is rendered and kept current.
    Rendered,
    /// It is removed if it is there.
    Disabled,
    /// It is left to its owner, and still checked.
    Ejected,
}

/// What a workflow is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Runs the test suites.
    Test,
    /// Measures how deliveries went.
    Metrics,
    /// Builds, checks and scans the images.
    Build,
    /// Builds, checks, pushes and deploys the services' images, by hand.
    Deploy,
    /// Takes a deployment back, or a stack to a commit that was applied before, by hand.
    Rollback,
    /// Takes a commit through stages, up to the environments of its branch.
    Pipeline,
    /// Checks that state, its lock and its backend are sound.
    CheckState,
    /// Checks, scans and plans the stacks of a pull request.
    Terraform,
    /// Shows what jobs may become on AWS, and that they may become nothing else.
    TestOidc,
    /// Plans, applies, promotes and destroys one stack, by hand.
    Tf,
    /// Plans and applies every stack of an environment, on a push; compares by the clock.
    TfAuto,
    /// Looks for what was changed outside of Terraform.
    TfDrift,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::Build,
        Self::CheckState,
        Self::Deploy,
        Self::Metrics,
        Self::Pipeline,
        Self::Rollback,
        Self::Terraform,
        Self::Test,
        Self::TestOidc,
        Self::Tf,
        Self::TfAuto,
        Self::TfDrift,
    ];

    /// Whether it applies stacks, and writes down what it applied; a pipeline does where it has that stage.
    #[must_use]
    pub const fn applies(self) -> bool {
        matches!(self, Self::Tf | Self::TfAuto)
    }

    /// Whether its runs bring a commit to an environment.
    #[must_use]
    pub const fn delivers(self) -> bool {
        matches!(self, Self::Deploy | Self::Pipeline | Self::Tf | Self::TfAuto)
    }

    /// Its name in the manifest.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Build => "build",
            Self::CheckState => "check-state",
            Self::Deploy => "deploy",
            Self::Metrics => "metrics",
            Self::Pipeline => "pipeline",
            Self::Rollback => "rollback",
            Self::Terraform => "terraform",
            Self::TestOidc => "test-oidc",
            Self::Tf => "tf",
            Self::TfAuto => "tf-auto",
            Self::TfDrift => "tf-drift",
        }
    }
}

checked_string! {
    /// What somebody types to say that it is meant.
    Phrase, pattern: "^[A-Za-z][A-Za-z0-9_-]{1,38}[A-Za-z0-9]$", max: 40,
    check: |text| text.len() >= 3
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.ends_with(|last: char| last.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')),
    says: "a phrase to type is 3 to 40 letters, digits, dashes and underscores, from a letter to a letter or digit"
}

/// What starts a workflow.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Triggers {
    /// Pull requests, into any branch unless `branches` says otherwise.
    pub pull_request: Option<Switch>,
    /// A pull request's turn in the merge queue.
    pub merge_group: Option<bool>,
    /// Pushes, to the default branch unless `branches` says otherwise.
    pub push: Option<Switch>,
    /// By hand.
    pub manual: Option<bool>,
    /// By the clock, in UTC: a cron line or several.
    pub schedule: Option<OneOrMany<String>>,
}

/// A trigger that is on or off, or limited to branches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Switch {
    /// On: pull requests into any branch, pushes to the default branch.
    On,
    /// Off.
    Off,
    /// On, for these branches.
    Branches(Vec<BranchName>),
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Limited {
    branches: Vec<BranchName>,
}

impl<'de> Deserialize<'de> for Switch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Switch;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false or `{ branches: […] }`")
            }

            fn visit_bool<E: Error>(self, on: bool) -> Result<Switch, E> {
                Ok(if on { Switch::On } else { Switch::Off })
            }

            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Switch, A::Error> {
                let limited = Limited::deserialize(MapAccessDeserializer::new(entries))?;
                if limited.branches.is_empty() {
                    return Err(Error::custom(
                        "name at least one branch: GitHub takes no branch for every branch",
                    ));
                }
                Ok(Switch::Branches(limited.branches))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Switch {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Switch".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let branch = generator.subschema_for::<BranchName>();
        schemars::json_schema!({ "anyOf": [
            { "type": "boolean" },
            { "type": "object", "required": ["branches"], "additionalProperties": false,
              "description": "On, for these branches.",
              "properties": { "branches": { "type": "array", "items": branch, "minItems": 1 } } },
        ] })
    }
}
