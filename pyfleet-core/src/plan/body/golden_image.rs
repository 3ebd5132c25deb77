//! The contexts of jobs that build a golden image, choose one, and configure what starts from it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::tf::{Credentials, Tooling};

/// Checks the template of a golden image.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PackerValidate {
    /// Packer's exact version.
    pub version: String,
    /// The SHA-256 of its archive, where the manifest knows it.
    pub sha256: Option<String>,
    /// The template.
    pub template: String,
    /// Values of its variables; where GitHub holds one, something stands for it.
    pub variables: BTreeMap<String, String>,
}

/// Builds a golden image.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PackerBuild {
    /// Packer's exact version.
    pub version: String,
    /// The SHA-256 of its archive, where the manifest knows it.
    pub sha256: Option<String>,
    /// The template.
    pub template: String,
    /// Values of its variables: texts, and expressions that yield what GitHub holds.
    pub variables: BTreeMap<String, String>,
    /// The variables that are secrets, with spaces between them.
    pub secrets: String,
    /// Software that the image has to hold.
    pub expect: Vec<String>,
    /// Days that the log and the manifest are kept.
    pub artifact_days: u16,
}

/// Says which image an environment is planned with.
#[derive(Debug, Clone, Serialize)]
pub struct GoldenImage {
    /// The role that reads.
    pub credentials: Credentials,
    /// The expression that yields the image that this run has built.
    pub built: String,
    /// The expression that yields the id of one that was chosen by hand; nothing where nobody is asked.
    pub chosen: Option<&'static str>,
}

/// Writes down that an image has proven itself.
#[derive(Debug, Clone, Serialize)]
pub struct RecordImage {
    /// The role that changes.
    pub credentials: Credentials,
    /// The expression that yields the image's id.
    pub image: String,
}

/// The image that a plan is made with.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedImage {
    /// The stack that takes it.
    pub stack: String,
    /// The stack's variable that takes its id.
    pub variable: String,
    /// The expression behind which `image` and `image_id` stand, without its marks: `needs.image-prod.outputs`.
    pub source: String,
}

/// The image that a stack was applied with last.
#[derive(Debug, Clone, Serialize)]
pub struct RecordedImage {
    /// The stack that takes it.
    pub stack: String,
    /// The stack's variable that takes its id.
    pub variable: String,
}

/// Checks playbooks without a machine.
#[derive(Debug, Clone, Serialize)]
pub struct AnsibleCheck {
    /// The exact version of ansible-core.
    pub version: String,
    /// Where it runs.
    pub directory: String,
    /// The playbook, relative to the directory.
    pub playbook: String,
}

/// Configures the machines of one environment.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Configure {
    /// The tool that knows the machines.
    #[serde(flatten)]
    pub tooling: Tooling,
    /// The environment.
    pub environment: String,
    /// The job that compared the commit with the newest of its branch, where one does.
    pub newest: Option<String>,
    /// The role that reads the state in the environment itself.
    pub credentials: Credentials,
    /// Ansible.
    pub ansible: AnsibleCheck,
    /// The output that holds the inventory.
    pub inventory_output: String,
    /// The output that holds the machines' host keys.
    pub known_hosts_output: Option<String>,
    /// Instead of an output: a file that holds them.
    pub known_hosts_file: Option<String>,
    /// The expression that yields the private key.
    pub ssh_key: String,
    /// Software that every machine has to have.
    pub expect: Vec<String>,
    /// The command that goes back to the image before, where there is a way.
    pub rollback: Option<String>,
    /// `full` or `summary`: what logs and artifacts show.
    pub publish: &'static str,
    /// Days that the logs are kept.
    pub artifact_days: u16,
}
