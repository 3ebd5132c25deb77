//! Where images are pushed.

use super::value::Secret;

/// Where images are pushed.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Registry {
    /// Docker Hub, with a user and a token.
    DockerHub(Credentials),
    /// Amazon ECR, with the deploy role.
    Ecr(Ecr),
    /// GitHub's container registry, with the job's token.
    Ghcr(NoOptions),
}

/// Amazon ECR.
#[derive(Debug, Clone, Copy, Default, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Ecr {
    /// Whether a repository that is missing is made before the first push, with tags that do not move, scanned on push and
    /// encrypted. Default: false: its absence fails before the build, with the command that makes it.
    pub create_repository: Option<bool>,
}

/// A registry that needs nothing said.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NoOptions {}

/// A user and a password that GitHub holds.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The user's name.
    pub username: Secret,
    /// The password or access token.
    pub password: Secret,
}
