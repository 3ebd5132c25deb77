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
    Ecr(NoOptions),
    /// GitHub's container registry, with the job's token.
    Ghcr(NoOptions),
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
