//! Finding and loading the manifest.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use pyfleet_core::check::rules::RULES;
use pyfleet_core::check::{self, Subject};
use pyfleet_core::diagnostic::Diagnostics;
use pyfleet_core::plan::{self, Plan};
use pyfleet_core::project::Project;
use pyfleet_core::source::Source;
use pyfleet_core::yaml::tree::Document;
use pyfleet_core::{manifest, project};

/// The manifest's name.
pub const NAME: &str = "pyfleet.yml";

/// Where the manifest stands, and the repository's root with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The directory that everything is written below.
    pub root: Utf8PathBuf,
    /// The manifest, relative to the root.
    pub manifest: String,
}

impl Location {
    /// The manifest that is named, or the one found by walking up from the working directory, as git finds
    /// its repository.
    ///
    /// # Errors
    /// Where there is none.
    pub fn find(directory: Option<&Utf8Path>, manifest: Option<&Utf8Path>) -> io::Result<Self> {
        let start = match directory {
            Some(directory) => directory.to_owned(),
            None => current_directory()?,
        };
        if let Some(named) = manifest {
            let path = start.join(named);
            let (root, name) = match (path.parent(), path.file_name()) {
                (Some(root), Some(name)) => (root.to_owned(), name.to_owned()),
                _ => return Err(io::Error::other(format!("{named}: is not a file"))),
            };
            let root = if root.as_str().is_empty() { Utf8PathBuf::from(".") } else { root };
            return Ok(Self { root, manifest: name });
        }
        let absolute = if start.is_absolute() { start.clone() } else { current_directory()?.join(&start) };
        absolute
            .ancestors()
            .find(|directory| directory.join(NAME).symlink_metadata().is_ok())
            .map(|root| Self { root: root.to_owned(), manifest: NAME.to_owned() })
            .ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::NotFound,
                    format!("there is no {NAME} in {absolute} or above it"),
                )
            })
    }

    /// The manifest's text.
    ///
    /// # Errors
    /// Where it cannot be read or is not UTF-8.
    pub fn read(&self) -> io::Result<Source> {
        let path = self.root.join(&self.manifest);
        let size = fs_err::metadata(&path)?.len();
        if size > 1024 * 1024 {
            return Err(io::Error::other(format!(
                "{path}: a manifest has at most 1 MiB, and this one has {size} bytes"
            )));
        }
        Ok(Source::new(self.manifest.clone(), fs_err::read_to_string(&path)?))
    }
}

fn current_directory() -> io::Result<Utf8PathBuf> {
    Utf8PathBuf::from_path_buf(std::env::current_dir()?)
        .map_err(|path| io::Error::other(format!("{}: the path is not UTF-8", path.display())))
}

/// What a manifest says, as far as it could be understood.
#[derive(Debug)]
pub struct Loaded {
    /// The manifest's text, for reports.
    pub source: Source,
    /// The manifest's tree, to find places in; nothing where it does not parse.
    pub document: Option<Document>,
    /// All findings, located.
    pub findings: Diagnostics,
    /// The project and its plan; nothing where a finding is an error.
    pub planned: Option<(Project, Plan)>,
}

/// From text to plan: every mistake at once.
#[must_use]
pub fn load(source: Source) -> Loaded {
    let (written, document, mut findings) = manifest::parse(source.clone());
    let Some(document) = document else {
        return Loaded { source, document, findings, planned: None };
    };
    findings.extend(check::run(&Subject::Manifest(&document), RULES));
    let mut planned = None;
    if let Some(written) = written {
        let (resolved, mistakes) = project::resolve(&written);
        findings.extend(mistakes);
        if let Some(resolved) = resolved {
            let (plan, mistakes) = plan::plan(&resolved);
            findings.extend(mistakes);
            planned = Some((resolved, plan));
        }
    }
    document.locate(&mut findings);
    let planned = planned.filter(|_| !findings.has_errors());
    Loaded { source, document: Some(document), findings, planned }
}
