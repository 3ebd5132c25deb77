//! A golden image that Packer builds, and what Ansible makes of the machines that start from it.

use indexmap::IndexMap;

use super::name::{Slug, VariableName, checked_string};
use super::path::RelativePath;
use super::value::{Secret, Value};
use super::version::ToolVersion;

/// A golden image that Packer builds.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Packer {
    /// The template: a `.pkr.hcl` file. Its `manifest` post-processor has to write `packer-manifest.json`.
    pub template: RelativePath,
    /// Packer's exact version, in quotes: "1.11.2".
    pub version: ToolVersion,
    /// The SHA-256 of its archive for `linux_amd64`. Default: what HashiCorp publishes beside the archive.
    pub sha256: Option<Sha256>,
    /// The environment whose runner and secrets the build has.
    pub environment: Slug,
    /// Values of the template's variables.
    #[serde(default)]
    pub variables: IndexMap<VariableName, Value>,
    /// The stack whose plan gets the image. Default: the only one.
    pub stack: Option<Slug>,
    /// The stack's variable that takes the image's id.
    pub output_variable: VariableName,
    /// Software that the image has to say it holds.
    #[serde(default)]
    pub expect: Vec<SoftwareName>,
    /// Files and directories, beside the template's own, whose change makes another image.
    #[serde(default)]
    pub sources: Vec<RelativePath>,
    /// Minutes that the build may take, 1 to 360. Default: 90.
    pub timeout_minutes: Option<u16>,
}

/// What Ansible makes of the machines that Terraform made.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Ansible {
    /// Where it runs: playbooks, roles, `ansible.cfg`, and `requirements.yml` where there is one.
    pub directory: RelativePath,
    /// The playbook, relative to the directory.
    pub playbook: RelativePath,
    /// The exact version of ansible-core, in quotes: "2.18.6".
    pub version: ToolVersion,
    /// The stack whose outputs name the machines. Default: the one that gets the image, or the only one.
    pub stack: Option<Slug>,
    /// The output that holds the inventory: its text, or an object.
    pub inventory_output: VariableName,
    /// The output that holds the machines' host keys, as lines of `known_hosts`.
    pub known_hosts_output: Option<VariableName>,
    /// Instead of an output: a file that holds them.
    pub known_hosts: Option<RelativePath>,
    /// The private key that opens the machines: a secret of each environment.
    pub ssh_key: Secret,
    /// Software that every machine has to have afterwards. Default: what the image is expected to hold.
    pub expect: Option<Vec<SoftwareName>>,
}

checked_string! {
    /// The name of a program, as it is called: `docker`, `nvm`.
    SoftwareName, pattern: "^[a-z0-9][a-z0-9._+-]*$", max: 40,
    check: |text| text.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'+' | b'-')),
    says: "software is named as its command is: lower-case letters, digits, dots, dashes, underscores and plus signs"
}

checked_string! {
    /// A SHA-256: 64 lower-case hexadecimal digits.
    Sha256, pattern: "^[0-9a-f]{64}$", max: 64,
    check: |text| text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')),
    says: "a SHA-256 is 64 lower-case hexadecimal digits"
}
