//! The repository's files by name, found within bounds and without following a link.
//!
//! What is found belongs to a stranger. A tree may be too deep, too wide or too large, and its names may hold
//! anything: only names that are safe in a manifest and in a command come through, and everything that does
//! not is counted.

use std::collections::{BTreeMap, VecDeque};

use pyfleet_core::manifest::RelativePath;
use pyfleet_core::secret::secrets_in;

use super::{Notes, reason};
use crate::report::count;
use crate::repository::Repository;

/// As many entries are looked at.
const ENTRIES: usize = 50_000;
/// As many directories below each other.
const DEPTH: usize = 12;
/// The largest file that is read, in bytes.
const FILE: u64 = 1024 * 1024;
/// As many bytes are read altogether.
const TOTAL: u64 = 64 * 1024 * 1024;

/// Directories that hold what others made: dependencies, and what was built.
const SKIPPED: &[&str] = &[
    ".git",
    ".mypy_cache",
    ".nox",
    ".pytest_cache",
    ".ruff_cache",
    ".terraform",
    ".terragrunt-cache",
    ".tox",
    ".venv",
    "__pycache__",
    "cdktf.out",
    "node_modules",
    "site-packages",
    "target",
    "vendor",
    "venv",
];

/// The files that may be looked at, by path, with their sizes.
pub(super) struct Tree<'a> {
    repository: &'a Repository,
    files: BTreeMap<String, u64>,
    read: std::cell::Cell<u64>,
}

impl<'a> Tree<'a> {
    /// Finds the files, the shallow ones first: where there are too many, those that are left out lie deep.
    pub(super) fn walk(repository: &'a Repository, notes: &mut Notes) -> Self {
        let mut walk = Walk::default();
        let mut left = VecDeque::from([String::new()]);
        while let Some(directory) = left.pop_front() {
            walk.directory(repository, &directory, &mut left, notes);
        }
        walk.report(notes);
        Self { repository, files: walk.files, read: std::cell::Cell::new(0) }
    }

    /// Every file's path, in order.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Every path below a directory, in order.
    pub(super) fn files_below(&self, directory: &str) -> impl Iterator<Item = &str> {
        let start = if directory == "." { String::new() } else { format!("{directory}/") };
        let files = self.files.range(start.clone()..).map(|(path, _)| path.as_str());
        files.take_while(move |path| path.starts_with(&start))
    }

    /// Whether there is a file of this path.
    pub(super) fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// Whether there is anything at or below a path.
    pub(super) fn has_below(&self, path: &str) -> bool {
        let below = format!("{path}/");
        self.has(path)
            || self.files.range(below.clone()..).next().is_some_and(|(own, _)| own.starts_with(&below))
    }

    /// The text of a file; nothing, and a note, where it is too large, cannot be read or is not UTF-8.
    pub(super) fn read(&self, path: &str, notes: &mut Notes) -> Option<String> {
        let size = *self.files.get(path)?;
        if size > FILE {
            notes.add(format!("`{path}` has more than 1 MiB, and was not read"));
            return None;
        }
        if self.read.get() + size > TOTAL {
            notes.add("more than 64 MiB would have to be read: what lies further back was not".to_owned());
            return None;
        }
        self.read.set(self.read.get() + size);
        let bytes = match self.repository.read(path) {
            Ok(bytes) => bytes?,
            Err(error) => {
                notes.add(format!("could not be read: {}", reason(&error)));
                return None;
            }
        };
        let text = String::from_utf8(bytes).ok();
        if text.is_none() {
            notes.add(format!("`{path}` is not UTF-8, and was not read"));
        }
        text
    }
}

/// The directory that a path lies in; `.` is the root.
pub(crate) fn directory_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(".", |(directory, _)| directory)
}

/// The last part of a path.
pub(crate) fn name_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// A path below a directory.
pub(crate) fn join(directory: &str, path: &str) -> String {
    if directory == "." { path.to_owned() } else { format!("{directory}/{path}") }
}

/// Where a path lies below a directory, if it does.
pub(crate) fn below<'p>(directory: &str, path: &'p str) -> Option<&'p str> {
    if directory == "." { Some(path) } else { path.strip_prefix(directory)?.strip_prefix('/') }
}

#[derive(Default)]
struct Walk {
    files: BTreeMap<String, u64>,
    entries: usize,
    is_cut: bool,
    links: usize,
    odd: Vec<String>,
    too_deep: usize,
}

impl Walk {
    fn directory(
        &mut self,
        repository: &Repository,
        path: &str,
        left: &mut VecDeque<String>,
        notes: &mut Notes,
    ) {
        let components: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let entries =
            match repository.directory(&components).map(|directory| directory.map(|it| it.entries())) {
                Ok(Some(Ok(entries))) => entries,
                // Gone since it was seen, or turned into a link.
                Ok(None) | Err(_) => return,
                Ok(Some(Err(error))) => {
                    notes.add(format!("`{path}` could not be looked into: {error}"));
                    return;
                }
            };
        // The first by name, not those that the file system happens to name first.
        let room = ENTRIES.saturating_sub(self.entries);
        let mut first = BTreeMap::new();
        for entry in entries.flatten() {
            first.insert(entry.file_name(), entry);
            if first.len() > room {
                first.pop_last();
                self.is_cut = true;
            }
        }
        self.entries += first.len();
        let mut found = Vec::new();
        for (name, entry) in first {
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_symlink() {
                self.links += 1;
                continue;
            }
            let Some(name) = name.to_str().filter(|name| is_plain(name)) else {
                self.odd.push(name.to_string_lossy().into_owned());
                continue;
            };
            let size = entry.metadata().map_or(0, |metadata| metadata.len());
            found.push((name.to_owned(), kind.is_dir(), kind.is_file(), size));
        }
        // Somebody else's repository, or an environment of Python's: neither is this project's own.
        if !path.is_empty() && found.iter().any(|(name, ..)| name == ".git" || name == "pyvenv.cfg") {
            return;
        }
        for (name, is_directory, is_file, size) in found {
            let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            if is_file && RelativePath::try_from(path.clone()).is_ok() {
                self.files.insert(path, size);
            } else if is_directory && !SKIPPED.contains(&name.as_str()) {
                if components.len() + 1 < DEPTH { left.push_back(path) } else { self.too_deep += 1 }
            }
        }
    }

    fn report(&self, notes: &mut Notes) {
        if self.is_cut {
            notes.add(format!("only the first {ENTRIES} entries were looked at"));
        }
        if self.too_deep > 0 {
            let directories = count(self.too_deep, "directory").replace("directorys", "directories");
            notes.add(format!("{directories} more than {DEPTH} levels down, and not looked into"));
        }
        if self.links > 0 {
            notes.add(format!("{} not followed", count(self.links, "symbolic link")));
        }
        if let Some(first) = self.odd.iter().min() {
            notes.add(format!(
                "{} left out, such as `{first}`: a name in a manifest is letters, digits and `._-+@`",
                count(self.odd.len(), "path")
            ));
        }
    }
}

/// Whether a name means itself in YAML, in a shell and in a log.
fn is_plain(name: &str) -> bool {
    !name.starts_with('-')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-+@".contains(&byte))
        && secrets_in(name).is_empty()
}
