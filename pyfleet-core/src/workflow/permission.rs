//! What the `GITHUB_TOKEN` of a job may do.
//!
//! A map sets every scope that it does not list to none, and a job's map replaces the workflow's: there
//! is no merging (GitHub docs, "Controlling permissions for GITHUB_TOKEN"). The scopes are those of
//! GitHub's language service of August 2026.

use std::fmt;

use indexmap::IndexMap;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// One thing a token can be allowed to touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "GitHub's own names")]
pub enum Scope {
    Actions,
    ArtifactMetadata,
    Attestations,
    Checks,
    CodeQuality,
    Contents,
    CopilotRequests,
    Deployments,
    Discussions,
    Drives,
    IdToken,
    Issues,
    Models,
    Packages,
    Pages,
    PullRequests,
    RepositoryProjects,
    SecurityEvents,
    Statuses,
    VulnerabilityAlerts,
}

/// How much of a scope; each level includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing.
    None,
    /// Reading.
    Read,
    /// Reading and writing.
    Write,
}

impl Scope {
    /// Every scope, in the order of their names.
    pub const ALL: [Self; 20] = [
        Self::Actions,
        Self::ArtifactMetadata,
        Self::Attestations,
        Self::Checks,
        Self::CodeQuality,
        Self::Contents,
        Self::CopilotRequests,
        Self::Deployments,
        Self::Discussions,
        Self::Drives,
        Self::IdToken,
        Self::Issues,
        Self::Models,
        Self::Packages,
        Self::Pages,
        Self::PullRequests,
        Self::RepositoryProjects,
        Self::SecurityEvents,
        Self::Statuses,
        Self::VulnerabilityAlerts,
    ];

    /// The name GitHub gives it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Actions => "actions",
            Self::ArtifactMetadata => "artifact-metadata",
            Self::Attestations => "attestations",
            Self::Checks => "checks",
            Self::CodeQuality => "code-quality",
            Self::Contents => "contents",
            Self::CopilotRequests => "copilot-requests",
            Self::Deployments => "deployments",
            Self::Discussions => "discussions",
            Self::Drives => "drives",
            Self::IdToken => "id-token",
            Self::Issues => "issues",
            Self::Models => "models",
            Self::Packages => "packages",
            Self::Pages => "pages",
            Self::PullRequests => "pull-requests",
            Self::RepositoryProjects => "repository-projects",
            Self::SecurityEvents => "security-events",
            Self::Statuses => "statuses",
            Self::VulnerabilityAlerts => "vulnerability-alerts",
        }
    }

    /// Whether GitHub knows this level for this scope: `id-token` cannot be read, `models` not written.
    #[must_use]
    pub const fn allows(self, level: Level) -> bool {
        match (self, level) {
            (_, Level::None) => true,
            (Self::IdToken | Self::CopilotRequests, level) => matches!(level, Level::Write),
            (Self::Models | Self::VulnerabilityAlerts, level) => matches!(level, Level::Read),
            _ => true,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Write => "write",
        })
    }
}

/// A `permissions:` block. A scope at `none` says what its absence says, and is left out.
///
/// ```
/// use pyfleet_core::workflow::{Level, Permissions, Scope};
///
/// let permissions: Permissions = serde_json::from_str(r#"{"contents": "read", "issues": "none"}"#).unwrap();
/// assert_eq!(permissions, Permissions::of([(Scope::Contents, Level::Read)]));
/// assert_eq!(permissions.level(Scope::IdToken), Level::None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permissions {
    /// `read-all`.
    ReadAll,
    /// `write-all`, which includes `id-token: write`.
    WriteAll,
    /// The scopes that are listed; all others are none.
    Scopes(IndexMap<Scope, Level>),
}

impl Permissions {
    /// No permission at all: `{}`.
    #[must_use]
    pub fn none() -> Self {
        Self::Scopes(IndexMap::new())
    }

    /// The given scopes and no other.
    pub fn of(scopes: impl IntoIterator<Item = (Scope, Level)>) -> Self {
        Self::Scopes(scopes.into_iter().filter(|(_, level)| *level != Level::None).collect())
    }

    /// What is granted for a scope.
    #[must_use]
    pub fn level(&self, scope: Scope) -> Level {
        match self {
            Self::ReadAll if scope.allows(Level::Read) => Level::Read,
            Self::ReadAll => Level::None,
            Self::WriteAll if scope.allows(Level::Write) => Level::Write,
            Self::WriteAll => Level::Read,
            Self::Scopes(scopes) => scopes.get(&scope).copied().unwrap_or(Level::None),
        }
    }
}

impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::ReadAll => serializer.serialize_str("read-all"),
            Self::WriteAll => serializer.serialize_str("write-all"),
            Self::Scopes(scopes) => {
                let mut map = serializer.serialize_map(Some(scopes.len()))?;
                for (scope, level) in scopes {
                    map.serialize_entry(scope, level)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Permissions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = Permissions;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of scopes, `read-all` or `write-all`")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Permissions, E> {
                match text {
                    "read-all" => Ok(Permissions::ReadAll),
                    "write-all" => Ok(Permissions::WriteAll),
                    other => Err(E::unknown_variant(other, &["read-all", "write-all"])),
                }
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Permissions, A::Error> {
                IndexMap::<Scope, Level>::deserialize(MapAccessDeserializer::new(map)).map(Permissions::of)
            }
        }
        deserializer.deserialize_any(Form)
    }
}
