//! Finding and loading the manifest.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use pyfleet_core::check::rules::RULES;
use pyfleet_core::check::{self, Subject};
use pyfleet_core::diagnostic::Diagnostics;
use pyfleet_core::plan::{self, Plan};
use pyfleet_core::project::Project;
use pyfleet_core::source::{Source, is_deceptive};
use pyfleet_core::yaml::decode::MAX_FINDINGS;
use pyfleet_core::yaml::tree::Document;
use pyfleet_core::{manifest, project};

use crate::repository::{FileError, Repository};

/// The manifest's name.
pub const NAME: &str = "pyfleet.yml";

/// The largest manifest, in bytes.
const LARGEST: usize = 1024 * 1024;

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
        let start = directory.map_or_else(|| Utf8PathBuf::from("."), Utf8Path::to_owned);
        if let Some(named) = manifest {
            let path = start.join(named);
            let (root, name) = match (path.parent(), path.file_name()) {
                (Some(root), Some(name)) => (root.to_owned(), name.to_owned()),
                _ => return Err(io::Error::other(format!("{named}: is not a file"))),
            };
            if !is_showable(&name) {
                return Err(io::Error::other(NOT_SHOWABLE));
            }
            let root = if root.as_str().is_empty() { Utf8PathBuf::from(".") } else { root };
            return Ok(Self { root, manifest: name });
        }
        // Resolved first: the directory above `a/..`, or above a link, is not the one that its name says.
        let absolute = start
            .canonicalize_utf8()
            .map_err(|error| io::Error::new(error.kind(), format!("{start}: {error}")))?;
        absolute
            .ancestors()
            .find(|directory| directory.join(NAME).symlink_metadata().is_ok())
            .map(|root| Self { root: root.to_owned(), manifest: NAME.to_owned() })
            .ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::NotFound,
                    format!(
                        "there is no {NAME} in {absolute} or above it\n\
                         help: start in the repository, or name the manifest with `--manifest FILE`"
                    ),
                )
            })
    }

    /// The way to the root from the working directory; nothing where it is that. A root that does not lie below has
    /// an absolute way.
    #[must_use]
    pub fn from_here(&self) -> Utf8PathBuf {
        let here = Utf8Path::new(".").canonicalize_utf8();
        match (here, self.root.canonicalize_utf8()) {
            (Ok(here), Ok(root)) => root.strip_prefix(here).map_or_else(|_| root.clone(), Utf8Path::to_owned),
            _ => self.root.clone(),
        }
    }

    /// The manifest's text.
    ///
    /// # Errors
    /// Where it cannot be read or is not UTF-8.
    pub fn read(&self, repository: &Repository) -> Result<Source, FileError> {
        let path = &self.manifest;
        let bytes = repository.read(path)?.ok_or_else(|| {
            FileError::new(self.root.join(path), "is not there")
                .with_help("the manifest is named with `--manifest FILE`")
        })?;
        if bytes.len() > LARGEST {
            let size = bytes.len();
            return Err(FileError::new(
                path,
                format!("a manifest has at most 1 MiB, and this one has {size} bytes"),
            ));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let line =
                error.as_bytes()[..error.utf8_error().valid_up_to()].split(|byte| *byte == b'\n').count();
            FileError::new(path, format!("is not UTF-8: line {line} holds other bytes"))
                .with_help("save it as UTF-8")
        })?;
        Ok(Source::new(path.clone(), text))
    }
}

/// Why a manifest's name is refused.
pub(crate) const NOT_SHOWABLE: &str = "the manifest's name holds characters that cannot be shown";

/// Whether a name can be a manifest's: it stands in a comment of every rendered file, and in every report.
pub(crate) fn is_showable(name: &str) -> bool {
    !name.chars().any(|character| character.is_control() || is_deceptive(character))
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

/// As many as a decode finds, the worst first: places of ten thousand findings are looked up for nobody.
fn worst(findings: Diagnostics) -> Diagnostics {
    let mut findings: Vec<_> = findings.into_iter().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings.into_iter().take(MAX_FINDINGS).collect()
}

/// From text to plan: every mistake at once, whether it is one of form or of meaning.
#[must_use]
pub fn load(source: Source) -> Loaded {
    let mut reading = manifest::read(source.clone());
    let Some(document) = reading.document.take() else {
        return Loaded { source, document: None, findings: reading.mistakes, planned: None };
    };
    let mut further = Diagnostics::new();
    let planned = reading.manifest.take().map(|written| {
        let (resolved, mistakes) = project::resolve_partly(&written);
        further.extend(mistakes);
        let (plan, mistakes) = plan::plan(&resolved);
        further.extend(mistakes);
        (resolved, plan)
    });
    let mut further = worst(further);
    document.locate(&mut further);
    let judged = check::run(&Subject::Manifest(&document), RULES);
    reading.document = Some(document);
    let further: Diagnostics = further.into_iter().filter(|finding| !reading.explains(finding)).collect();
    let mut findings: Vec<_> =
        [reading.mistakes, reading.findings, further, judged].into_iter().flatten().collect();
    findings.sort_by_key(|finding| finding.place.span.as_ref().map(|span| span.start));
    let findings: Diagnostics = findings.into_iter().collect();
    let planned = planned.filter(|_| !findings.has_errors());
    Loaded { source, document: reading.document, findings, planned }
}
