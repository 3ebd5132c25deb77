//! The catalogue: every action that a generated workflow may use, and what is known about it.
//!
//! The data is `actions.yml`, beside this file; its header says what may stand there and on which
//! evidence. Another action is one entry.
//!
//! ```
//! use pyfleet_core::action::Catalogue;
//!
//! let checkout = Catalogue::get().action("actions/checkout").unwrap();
//! assert_eq!(checkout.version, "v7.0.1");
//! assert_eq!(checkout.pin(), "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1");
//! ```

use std::cmp::Ordering;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::workflow::{Level, Scope, Step, Uses};
use crate::yaml;

const DATA: &str = include_str!("actions.yml");

/// Everything that `actions.yml` says.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    actions: Vec<Action>,
    denied: Vec<Denied>,
    sinks: Vec<Sink>,
    deprecated: Vec<Deprecated>,
}

/// One action at the version that is pinned.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Action {
    /// `owner/name[/path]`.
    #[serde(rename = "action")]
    pub slug: String,
    /// The version, as the comment behind a pin names it: `v7.0.1`.
    pub version: String,
    /// The commit of that version, 40 hexadecimal digits.
    pub commit: String,
    /// How the commit is known to be that version.
    pub evidence: Evidence,
    /// What runs it: `node24`, `composite`, `docker`.
    pub runtime: String,
    /// The names of its inputs.
    pub inputs: Vec<String>,
    /// The inputs that must be given.
    #[serde(default)]
    pub required: Vec<String>,
    /// The inputs whose text is run.
    #[serde(default)]
    pub code: Vec<String>,
    /// The names of its outputs.
    #[serde(default)]
    pub outputs: Vec<String>,
    /// What the token must allow.
    #[serde(default)]
    pub permissions: Vec<Need>,
    /// Whether later steps of the job hold cloud credentials.
    #[serde(default)]
    pub logs_into_cloud: bool,
    /// Whether it restores a cache, which whoever wrote it controls.
    #[serde(default)]
    pub restores_cache: Restore,
    /// What it installs.
    #[serde(default)]
    pub tool: Option<Tool>,
}

/// How a pinned commit is known to be a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// Read from the tag in the action's repository.
    Tag,
    /// At least five independent owners pin this commit under this version.
    Corpus,
}

/// A permission that an action needs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// The scope.
    pub scope: Scope,
    /// The level.
    pub level: Level,
    /// The input that makes it necessary; always needed where there is none.
    #[serde(default)]
    pub when: Option<String>,
}

/// Whether an action restores a cache.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Restore {
    /// It does not.
    #[default]
    Never,
    /// It does.
    Always,
    /// It does when this input is set.
    When(String),
    /// It does unless this input is `false`.
    Unless(String),
}

/// A tool that an action installs, and how exactly its version must be given.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// The input that holds the version.
    pub version: String,
    /// The input that may name a file with the version instead.
    #[serde(default)]
    pub file: Option<String>,
    /// How many parts the version must have: 3 for `1.2.3`.
    pub parts: usize,
    /// The input that must be `false`: a wrapper that hides exit codes.
    #[serde(default)]
    pub off: Option<String>,
}

/// Versions of an action that must not run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Denied {
    /// `owner/name[/path]`.
    pub action: String,
    /// The first version that may run.
    pub below: String,
    /// What happened.
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sink {
    action: String,
    inputs: Vec<String>,
}

/// What a generated workflow writes of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin {
    /// `owner/name[/path]`.
    pub slug: &'static str,
    /// The version, as the comment behind the pin names it.
    pub version: &'static str,
    /// The commit of that version.
    pub commit: &'static str,
}

/// The pin of an action, by its slug as the catalogue writes it.
///
/// Rendering needs nothing else of the catalogue, and whoever only compares rendered text should not wait
/// for all of it to be parsed: this reads the three lines that every entry begins with, and a test compares
/// them with what the parser says.
///
/// ```
/// use pyfleet_core::action;
///
/// assert_eq!(action::pin("actions/checkout").unwrap().version, "v7.0.1");
/// assert_eq!(action::pin("acme/unknown"), None);
/// ```
#[must_use]
pub fn pin(slug: &str) -> Option<Pin> {
    static PINS: OnceLock<Vec<Pin>> = OnceLock::new();
    PINS.get_or_init(|| pins().collect()).iter().find(|pin| pin.slug == slug).copied()
}

/// Entries of other lists also begin with `action`, and end here because no version follows.
fn pins() -> impl Iterator<Item = Pin> {
    DATA.split("\n  - action: ").skip(1).filter_map(|entry| {
        let mut lines = entry.lines();
        Some(Pin {
            slug: lines.next()?,
            version: lines.next()?.strip_prefix("    version: ")?,
            commit: lines.next()?.strip_prefix("    commit: ")?,
        })
    })
}

/// An input that is still read, and should not be given any more.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Deprecated {
    action: String,
    input: String,
    instead: String,
}

impl Catalogue {
    /// The catalogue, read on first use. Were the data unreadable, which a test excludes, it would be
    /// empty, and every action refused.
    #[must_use]
    pub fn get() -> &'static Self {
        static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
        CATALOGUE.get_or_init(|| {
            let source = crate::source::Source::new("actions.yml", DATA);
            yaml::tree::Document::parse(source)
                .and_then(|document| yaml::decode::decode(&document.root))
                .unwrap_or_default()
        })
    }

    /// All actions, sorted.
    #[must_use]
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// The action with a slug, without regard to case, as GitHub finds repositories.
    #[must_use]
    pub fn action(&self, slug: &str) -> Option<&Action> {
        self.actions.iter().find(|action| action.slug.eq_ignore_ascii_case(slug))
    }

    /// Why a version of an action must not run, if it must not. A version that is no number is not known
    /// to be bad here.
    #[must_use]
    pub fn denied(&self, slug: &str, version: &str) -> Option<&Denied> {
        self.denied
            .iter()
            .filter(|denied| denied.action.eq_ignore_ascii_case(slug))
            .find(|denied| compare_versions(version, &denied.below) == Some(Ordering::Less))
    }

    /// The inputs of an action whose text is run, also of actions that no generated workflow uses.
    #[must_use]
    pub fn code_inputs(&self, slug: &str) -> &[String] {
        let sink = || self.sinks.iter().find(|sink| sink.action.eq_ignore_ascii_case(slug));
        match self.action(slug) {
            Some(action) => &action.code,
            None => sink().map_or(&[], |sink| &sink.inputs),
        }
    }
}

impl Catalogue {
    /// What to do instead of giving an input, if that is deprecated at all versions that have it.
    #[must_use]
    pub fn deprecated_input(&self, uses: &Uses, input: &str) -> Option<&str> {
        let is = |own: &&Deprecated| own.input.eq_ignore_ascii_case(input) && uses.is_action(&own.action);
        self.deprecated.iter().find(is).map(|own| own.instead.as_str())
    }
}

impl Action {
    /// What stands behind `uses:`.
    #[must_use]
    pub fn pin(&self) -> String {
        format!("{}@{}", self.slug, self.commit)
    }

    /// Whether an input exists, without regard to case, as GitHub finds it.
    #[must_use]
    pub fn has_input(&self, name: &str) -> bool {
        self.inputs.iter().any(|own| own.eq_ignore_ascii_case(name))
    }

    /// What the token must allow for a step that uses this.
    pub fn needs<'a>(&'a self, step: &'a Step) -> impl Iterator<Item = (Scope, Level)> + 'a {
        let applies = |need: &&Need| need.when.as_ref().is_none_or(|input| step.input(input).is_some());
        self.permissions.iter().filter(applies).map(|need| (need.scope, need.level))
    }

    /// Whether a step that uses this restores a cache; what the text does not decide counts as yes.
    #[must_use]
    pub fn may_restore_cache(&self, step: &Step) -> bool {
        match &self.restores_cache {
            Restore::Never => false,
            Restore::Always => true,
            Restore::When(input) => step.input(input).is_some_and(|value| !value.is_empty()),
            Restore::Unless(input) => step.input(input) != Some("false"),
        }
    }
}

/// The order of two versions such as `v1.2.3`, if both are numbers. A missing part counts as the newest:
/// `v0` may be any `v0.x`.
fn compare_versions(one: &str, other: &str) -> Option<Ordering> {
    let (mut one, mut other) = (parts(one)?.into_iter(), parts(other)?.into_iter());
    loop {
        match (one.next(), other.next()) {
            (None, _) => return Some(Ordering::Equal),
            (Some(_), None) => return Some(Ordering::Greater),
            (Some(one), Some(other)) if one == other => {}
            (Some(one), Some(other)) => return Some(one.cmp(&other)),
        }
    }
}

fn parts(version: &str) -> Option<Vec<u64>> {
    version.strip_prefix('v').unwrap_or(version).split('.').map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;

    use super::*;
    use crate::reference_data;

    #[test]
    fn the_embedded_data_reads() {
        let source = crate::source::Source::new("actions.yml", DATA);
        let document = yaml::tree::Document::parse(source).unwrap();
        let read: Catalogue = yaml::decode::decode(&document.root).unwrap();
        assert_eq!(&read, Catalogue::get());
        assert_eq!(serde_saphyr::from_str::<Catalogue>(DATA).unwrap(), read, "a second reader agrees");
    }

    #[test]
    fn the_pins_are_those_of_the_entries() {
        let read: Vec<_> = pins().map(|pin| (pin.slug, pin.version, pin.commit)).collect();
        let entry = |action: &'static Action| (&*action.slug, &*action.version, &*action.commit);
        assert_eq!(read, Catalogue::get().actions().iter().map(entry).collect::<Vec<_>>());
    }

    #[test]
    fn the_data_is_sorted_and_consistent() {
        let catalogue = Catalogue::get();
        let slugs: Vec<_> = catalogue.actions().iter().map(|action| &action.slug).collect();
        assert!(slugs.is_sorted_by(|one, next| one < next), "sorted, each once");
        let denied: Vec<_> = catalogue.denied.iter().map(|denied| &denied.action).collect();
        assert!(denied.is_sorted());
        for action in catalogue.actions() {
            let tool = action.tool.iter();
            let named = (action.required.iter().chain(&action.code))
                .chain(action.permissions.iter().filter_map(|need| need.when.as_ref()))
                .chain(
                    tool.flat_map(|tool| [Some(&tool.version), tool.file.as_ref(), tool.off.as_ref()])
                        .flatten(),
                )
                .chain(match &action.restores_cache {
                    Restore::When(input) | Restore::Unless(input) => Some(input),
                    Restore::Never | Restore::Always => None,
                });
            for input in named {
                assert!(action.has_input(input), "{}: {input} is no input", action.slug);
            }
            assert!(action.commit.len() == 40 && action.commit.bytes().all(|b| b.is_ascii_hexdigit()));
            assert_eq!(catalogue.denied(&action.slug, &action.version), None, "{}", action.slug);
        }
    }

    #[test]
    fn known_bad_versions_are_denied() {
        let denied = |slug: &str, version: &str| Catalogue::get().denied(slug, version).is_some();
        assert!(denied("aquasecurity/trivy-action", "v0.34.2"));
        assert!(denied("Aquasecurity/Trivy-Action", "0.28.0"));
        assert!(!denied("aquasecurity/trivy-action", "v0.35.0"));
        assert!(!denied("aquasecurity/trivy-action", "v1"));
        assert!(!denied("aquasecurity/trivy-action", "master"));
        assert!(denied("aws-actions/configure-aws-credentials", "v4"));
        assert!(!denied("aws-actions/configure-aws-credentials", "v6"), "v6 may be v6.2.3");
    }

    /// Each entry is its row of `pins.tsv`, with enough evidence, and its action.yml.
    #[test]
    fn every_entry_is_what_was_published() {
        let Some(data) = reference_data::folder() else { return };
        let table = reference_data::text(data.join("pins.tsv"));
        let mut lines = table.lines().map(|line| line.split('\t').collect::<Vec<_>>());
        let columns = lines.next().unwrap();
        let rows: Vec<IndexMap<_, _>> = lines.map(|row| columns.iter().copied().zip(row).collect()).collect();
        for action in Catalogue::get().actions() {
            let row = rows
                .iter()
                .find(|row| row["action"] == action.slug && row["version_tag"] == action.version)
                .unwrap_or_else(|| panic!("{} {} is not in pins.tsv", action.slug, action.version));
            assert_eq!(row["sha"], action.commit, "{}", action.slug);
            match action.evidence {
                Evidence::Tag => assert!(row["evidence"].starts_with("snapshot-tag("), "{}", action.slug),
                Evidence::Corpus => {
                    let owners = row["evidence"].split_once(" repos/").unwrap().1;
                    let owners: usize = owners.split_once(' ').unwrap().0.parse().unwrap();
                    assert!(owners >= 5, "{}: {owners} owners", action.slug);
                }
            }
            let file = data.join("actions").join(action.slug.replace('/', "__")).join(&action.version);
            if !file.exists() {
                // Only a commit that was never read from its repository has no action.yml here; then the
                // table's own list of inputs is what is known.
                assert_eq!(action.evidence, Evidence::Corpus, "{}", action.slug);
                assert_eq!(
                    row["inputs_all"].split(';').collect::<Vec<_>>(),
                    action.inputs,
                    "{}",
                    action.slug
                );
                continue;
            }
            let text = reference_data::text(file.join("action.yml"));
            let published: serde_json::Value = serde_yaml::from_str(&text).unwrap();
            let keys = |key: &str| -> Vec<String> {
                published[key].as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default()
            };
            assert_eq!(keys("inputs"), action.inputs, "{}", action.slug);
            assert_eq!(keys("outputs"), action.outputs, "{}", action.slug);
            assert_eq!(published["runs"]["using"], action.runtime, "{}", action.slug);
            let required: Vec<_> = action
                .inputs
                .iter()
                .filter(|input| {
                    let input = &published["inputs"][input.as_str()];
                    let required = &input["required"];
                    (required == true || required == "true") && input.get("default").is_none()
                })
                .collect();
            assert_eq!(required, action.required.iter().collect::<Vec<_>>(), "{}", action.slug);
        }
    }
}
