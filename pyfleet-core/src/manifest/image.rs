//! What is built.

use super::name::{Slug, checked_string};
use super::path::RelativePath;
use super::terraform::Severity;

/// One container image.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Image {
    /// The build context. Default: the repository's root.
    pub directory: Option<RelativePath>,
    /// The Dockerfile, relative to the context. Default: `Dockerfile`.
    pub dockerfile: Option<RelativePath>,
    /// What it is built for. Default: `linux/amd64`.
    pub platforms: Option<Vec<Platform>>,
    /// The registry it is pushed to; one of `registries`.
    pub registry: Option<Slug>,
    /// Its repository in the registry.
    pub repository: ImageRepository,
    /// How pushed images are tagged besides their digest; the commit's tag, `sha`, is always among them. `branch` and
    /// `latest` move, which repositories of Amazon ECR for a deployment do not allow. Default: `[sha]`.
    pub tags: Option<Vec<Tag>>,
    /// The vulnerability scan. Default: high.
    pub scan: Option<ImageScan>,
    /// The largest size, as in `500MB`.
    pub max_size: Option<ByteSize>,
    /// What has to hold for the built image. One with a HEALTHCHECK is also started, alone, and has to become
    /// healthy within two minutes.
    #[serde(default)]
    pub require: ImageRequirements,
}

/// The vulnerability scan of an image.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ImageScan {
    /// The lowest severity that stops the image. Default: `high`.
    pub minimum_severity: Option<Severity>,
}

/// What has to hold for a built image.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ImageRequirements {
    /// Whether its user must not be root. Default: true.
    pub non_root: Option<bool>,
}

/// How a pushed image is tagged besides its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Tag {
    /// The branch's name.
    Branch,
    /// The commit.
    Sha,
    /// `latest`, on the default branch.
    Latest,
}

checked_string! {
    /// A repository in a registry: `acme/app`.
    ImageRepository, pattern: "^[a-z0-9]+([._/-][a-z0-9]+)*$", max: 200,
    check: |text| !text.is_empty()
        && text.split(['.', '_', '/', '-']).all(|part| !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())),
    says: "an image's repository is lower-case letters and digits, with single `.`, `_`, `-` or `/` between them"
}

checked_string! {
    /// What an image is built for: `linux/amd64`.
    Platform, pattern: "^linux/(amd64|arm64)$", max: 20,
    check: |text| matches!(text, "linux/amd64" | "linux/arm64"),
    says: "a platform is `linux/amd64` or `linux/arm64`"
}

checked_string! {
    /// A size in decimal units: `500MB`, `1GB`.
    ByteSize, pattern: "^[1-9][0-9]{0,5}(MB|GB)$", max: 8,
    check: |text| text.strip_suffix("MB").or_else(|| text.strip_suffix("GB")).is_some_and(|number| {
        (1..=6).contains(&number.len()) && !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit())
    }),
    says: "a size is a whole number with `MB` or `GB`, as in `500MB`"
}

impl ByteSize {
    /// The size in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let (number, unit) = self.as_str().split_at(self.as_str().len() - 2);
        number.parse::<u64>().unwrap_or(u64::MAX).saturating_mul(if unit == "GB" {
            1_000_000_000
        } else {
            1_000_000
        })
    }
}
