//! How the code is tested.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::name::Slug;
use super::one_or_many::OneOrMany;
use super::path::RelativePath;
use super::value::Secret;
use super::version::{NodeVersion, PythonVersion};

/// The tests of one directory in one language.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TestGroup {
    /// Where the commands run. Default: the repository's root.
    pub directory: Option<RelativePath>,
    /// The Python version or versions, in quotes.
    pub python: Option<OneOrMany<PythonVersion>>,
    /// The Node version or versions, in quotes.
    pub node: Option<OneOrMany<NodeVersion>>,
    /// The command that installs what the suites need.
    pub install: Option<String>,
    /// The suites: each a command and a job of its own. What a suite writes to `$RUNNER_TEMP/results/junit.xml` is
    /// shown; pytest is told to.
    pub suites: IndexMap<Slug, String>,
    /// What the suites cover.
    pub coverage: Option<Coverage>,
    /// Containers that run beside every suite.
    #[serde(default)]
    pub services: IndexMap<Slug, ServiceContainer>,
    /// Whether pull requests get a comment with the results. Default: false.
    #[serde(default)]
    pub comment: bool,
}

/// What the suites cover.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Coverage {
    /// The Cobertura XML file that a suite writes, relative to the group's directory.
    pub report: RelativePath,
    /// The least percentage of covered lines, 0 to 100, that the best of the group's suites has to reach.
    pub minimum: Option<u8>,
    /// A service that the report is sent to.
    pub upload: Option<CoverageUpload>,
}

/// A service that coverage reports are sent to.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CoverageUpload {
    /// Codecov, with a token; never with the job's identity.
    Codecov(Codecov),
}

/// An upload to Codecov.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Codecov {
    /// The upload token.
    pub token: Secret,
}

/// A container that runs beside a suite.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ServiceContainer {
    /// The image, by digest: `postgres@sha256:…`.
    pub image: ImageByDigest,
    /// Its environment; test values, never secrets.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// The container's ports, each published under the same number.
    #[serde(default)]
    pub ports: Vec<u16>,
}

super::name::checked_string! {
    /// A container image by digest: what is tested today is tested tomorrow.
    ImageByDigest, pattern: "^[a-z0-9][A-Za-z0-9._:/-]*@sha256:[0-9a-f]{64}$", max: 300,
    check: |text| text.split_once("@sha256:").is_some_and(|(name, digest)| {
        name.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'/' | b'-'))
            && digest.len() == 64
            && digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    }),
    says: "a service's image is named by digest, as in `postgres@sha256:…`, because a tag can be moved"
}
