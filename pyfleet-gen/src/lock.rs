//! `pyfleet.lock`: what was rendered, by which version, with which pins.
//!
//! It tells a file that was edited by hand (its digest is another) from a stale one (its digest is the
//! recorded one, and the manifest now says something else), and proves which files are pyfleet's to remove.

use std::collections::{BTreeMap, BTreeSet};

use pyfleet_core::action;
use pyfleet_core::project::Project;
use pyfleet_core::source::Source;
use pyfleet_core::yaml::{self, tree::Document};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::render::Files;

/// The lock's path.
pub const PATH: &str = "pyfleet.lock";

/// The version that renders.
pub const GENERATOR: &str = env!("CARGO_PKG_VERSION");

const HEADER: &str = "\
# Written by pyfleet-gen; commit it and leave it alone. It records what was rendered, so that `pyfleet-gen check`
# tells an edit by hand from a file that is merely stale, and so that nothing else is ever removed.
";

/// What was rendered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Lock {
    /// The format of this file: 1.
    pub version: u32,
    /// The version of pyfleet-gen that rendered.
    pub generator: String,
    /// The project's safety level at that time.
    pub safety_level: u8,
    /// The pins in use: action to commit and version.
    pub actions: BTreeMap<String, Pin>,
    /// The digest of each file: SHA-256, as `sha256sum` prints it.
    pub files: BTreeMap<String, String>,
}

/// One action's pin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Pin {
    /// The version that the commit was released as.
    pub version: String,
    /// The commit.
    pub commit: String,
}

impl Lock {
    /// The lock of a render.
    #[must_use]
    pub fn of(project: &Project, actions: &BTreeSet<String>, files: &Files) -> Self {
        let pin = |slug: &String| {
            let pin = action::pin(slug)?;
            Some((slug.clone(), Pin { version: pin.version.to_owned(), commit: pin.commit.to_owned() }))
        };
        Self {
            version: 1,
            generator: GENERATOR.to_owned(),
            safety_level: project.level.number(),
            actions: actions.iter().filter_map(pin).collect(),
            files: files.iter().map(|(path, text)| (path.clone(), digest(text.as_bytes()))).collect(),
        }
    }

    /// The lock as it stands on disk.
    #[must_use]
    pub fn to_text(&self) -> String {
        // The writer fails on nothing that this type can hold.
        format!("{HEADER}{}", yaml::write::to_string(self).unwrap_or_default())
    }

    /// Reads a lock; nothing where it is not one, or not of this format.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let document = Document::parse(Source::new(PATH, text)).ok()?;
        let lock: Self = yaml::decode::decode(&document.root).ok()?;
        (lock.version == 1).then_some(lock)
    }
}

/// SHA-256 in lower-case hexadecimal.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
