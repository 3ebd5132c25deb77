//! `pyfleet.lock`: what was rendered, by which version, with which pins.
//!
//! It tells a file that was edited by hand (its digest is another) from a stale one (its digest is the
//! recorded one, and the manifest now says something else), and proves which files are pyfleet's to remove.

use std::collections::{BTreeMap, BTreeSet};

use pyfleet_core::action;
use pyfleet_core::project::Project;
use pyfleet_core::source::Source;
use pyfleet_core::yaml::{
    self,
    tree::{Document, Value},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::render::Files;

/// The lock's path.
pub const PATH: &str = "pyfleet.lock";

/// The version that renders.
pub const GENERATOR: &str = env!("CARGO_PKG_VERSION");

/// The format that is written and read.
const FORMAT: u32 = 1;

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
            version: FORMAT,
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

    /// Reads a lock.
    ///
    /// # Errors
    /// Where it is none of this format.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        if text.lines().any(|line| line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ")) {
            return Err(Unreadable::Conflict);
        }
        let document = Document::parse(Source::new(PATH, text)).map_err(|_| Unreadable::Garbage)?;
        let version = document.root.get("version").and_then(|version| match &version.value {
            Value::Number(number) => number.as_integer(),
            _ => None,
        });
        if version.is_some_and(|version| version > FORMAT.into()) {
            return Err(Unreadable::Newer);
        }
        let lock: Self = yaml::decode::decode(&document.root).map_err(|_| Unreadable::Garbage)?;
        let is_version = |text: &str| {
            (1..=40).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+-".contains(&byte))
        };
        let is_digest = |text: &String| {
            text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        if lock.version == FORMAT && is_version(&lock.generator) && lock.files.values().all(is_digest) {
            Ok(lock)
        } else {
            Err(Unreadable::Garbage)
        }
    }
}

/// Why a lock cannot be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// A merge left both sides in it.
    Conflict,
    /// A later pyfleet-gen wrote it in another format.
    Newer,
    /// It is something else.
    Garbage,
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
