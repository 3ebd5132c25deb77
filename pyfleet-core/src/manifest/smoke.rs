//! What is asked of a system once it is deployed.

use indexmap::IndexMap;

use super::name::Slug;

/// What is asked of a system once it is deployed.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Smoke {
    /// The checks by name, each with a log of its own: of a service on Kubernetes, of an address, or by a command.
    pub checks: IndexMap<Slug, SmokeCheck>,
}

/// One check: `service`, `url` or `run`.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SmokeCheck {
    /// A service on Amazon EKS: it is asked behind its load balancer, whose address the cluster knows.
    pub service: Option<Slug>,
    /// The object of kind Service that has the load balancer. Default: the Deployment's name.
    pub object: Option<String>,
    /// `service`: how it is asked. Default: `https`; plain `http` has to be asked for.
    pub scheme: Option<Scheme>,
    /// `service`: where it is asked, 1 to 65535. Default: 443, or 80 for `http`.
    pub port: Option<u16>,
    /// `service`: what it is asked for. Default: `/`.
    pub path: Option<String>,
    /// The address that is asked; it may hold `{environment}`.
    pub url: Option<String>,
    /// The HTTP status that is right. Default: 200.
    pub expect_status: Option<u16>,
    /// A jq filter that has to yield true for the body: `.status == "ok"`. Default: any body will do.
    pub expect_jq: Option<String>,
    /// How often to ask before giving up, 1 to 100. Default: 10.
    pub attempts: Option<u16>,
    /// A command that is run in a checkout, without any right; it fails where something is wrong.
    pub run: Option<String>,
}

/// How a service is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// Encrypted.
    Https,
    /// In the clear.
    Http,
}
