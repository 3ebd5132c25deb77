//! Keeping files current: compare what is there with what was rendered, and write the difference.

use std::borrow::Cow;
use std::collections::BTreeMap;

use similar::TextDiff;

use crate::lock::{self, GENERATOR, Lock, Unreadable};
use crate::render::Files;
use crate::repository::{FileError, Repository, State, is_owned_path};
use crate::writer::{Change, Writer};

/// One file: how it stands, what is there and what should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path from the repository's root.
    pub path: String,
    /// How it stands.
    pub state: State,
    /// What is there; nothing where it is missing.
    pub before: Option<String>,
    /// What should be there; nothing where it should go, or is its owner's.
    pub after: Option<String>,
    /// The version that rendered it, where that was another one.
    pub rendered_by: Option<String>,
}

impl File {
    /// What would change, as a unified diff. Line endings are not shown: they would be every line.
    #[must_use]
    pub fn diff(&self) -> String {
        let before = with_line_feeds(self.before.as_deref().unwrap_or_default());
        let after = self.after.as_deref().unwrap_or_default();
        let old = if self.before.is_some() { format!("a/{}", self.path) } else { "/dev/null".to_owned() };
        let new = if self.after.is_some() { format!("b/{}", self.path) } else { "/dev/null".to_owned() };
        TextDiff::from_lines(before.as_ref(), after).unified_diff().header(&old, &new).to_string()
    }
}

/// A workflow file that is left to its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ejected {
    /// Its path from the repository's root.
    pub path: String,
    /// What is there; nothing where it is missing.
    pub text: Option<String>,
}

/// Compares a repository with what was rendered: one entry a file, sorted by path. Ejected workflows, and the
/// scripts that they run, are their owner's, whatever the lock says.
///
/// # Errors
/// Where a file cannot be read, or the lock is not one.
pub fn compare(
    repository: &Repository,
    rendered: &Files,
    ejected: &[Ejected],
) -> Result<Vec<File>, SyncError> {
    let lock_before = repository.read_text(lock::PATH)?;
    // Equal bytes need no parsing; the recorded digests matter only once something differs.
    let lock_is_current = lock_before.as_deref() == rendered.get(lock::PATH).map(String::as_str);
    let mut recorded = Recorded { text: lock_before.as_deref(), lock: None };
    let mut files = Vec::with_capacity(rendered.len());
    for (path, after) in rendered {
        let before = repository.read_text(path)?;
        let state = match before.as_deref() {
            None => State::Missing,
            Some(before) if before == after => State::Current,
            Some(before) => {
                let lock = recorded.lock()?;
                classify(path, before, after, lock)
            }
        };
        let rendered_by = match state {
            State::OtherVersion => recorded.lock()?.map(|lock| lock.generator.clone()),
            _ => None,
        };
        files.push(File { path: path.clone(), state, before, after: Some(after.clone()), rendered_by });
    }
    let not_rendered = |path: &str, state: State, before: Option<String>| File {
        path: path.to_owned(),
        state,
        before,
        after: None,
        rendered_by: None,
    };
    for file in ejected.iter().filter(|file| file.text.is_some()) {
        files.push(not_rendered(&file.path, State::Ejected, file.text.clone()));
    }
    if !lock_is_current && let Some(lock) = recorded.lock()? {
        for (path, digest) in &lock.files {
            // Another spelling of a rendered file's name is that file itself on some file systems.
            let is_here = files.iter().any(|file| file.path.eq_ignore_ascii_case(path));
            if is_here || !is_owned_path(path) {
                continue;
            }
            let Some(before) = repository.read_text(path)? else { continue };
            let is_used = |file: &Ejected| file.text.as_ref().is_some_and(|text| text.contains(path));
            let state = if ejected.iter().any(is_used) {
                State::Ejected
            } else if is_recorded(&before, digest) {
                State::Orphaned
            } else {
                State::OrphanedEdited
            };
            files.push(not_rendered(path, state, Some(before)));
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// The lock as it was found, read when it is first asked for.
struct Recorded<'a> {
    text: Option<&'a str>,
    lock: Option<Lock>,
}

impl Recorded<'_> {
    fn lock(&mut self) -> Result<Option<&Lock>, SyncError> {
        if let (None, Some(text)) = (&self.lock, self.text) {
            self.lock = Some(Lock::parse(text).map_err(SyncError::Lock)?);
        }
        Ok(self.lock.as_ref())
    }
}

fn classify(path: &str, before: &str, after: &str, lock: Option<&Lock>) -> State {
    if with_line_feeds(before) == after {
        return State::LineEndings;
    }
    let Some(lock) = lock else { return State::Foreign };
    let is_current_version = lock.generator == GENERATOR;
    match lock.files.get(path) {
        None if path != lock::PATH => State::Foreign,
        Some(digest) if !is_recorded(before, digest) => State::Edited,
        None | Some(_) if is_current_version => State::Stale,
        None | Some(_) => State::OtherVersion,
    }
}

fn is_recorded(text: &str, digest: &str) -> bool {
    lock::digest(with_line_feeds(text).as_bytes()) == digest
}

/// The text as it was before git converted its line endings on checkout. Nothing that is rendered holds a
/// carriage return.
fn with_line_feeds(text: &str) -> Cow<'_, str> {
    if text.contains("\r\n") { text.replace("\r\n", "\n").into() } else { text.into() }
}

/// Writes what differs and removes what is no longer rendered.
///
/// While files are being renamed, the lock on disk already names every file of the old and the new render:
/// a run that is killed leaves nothing that the next one would not recognise as its own.
///
/// # Errors
/// Where the file system refuses; every file is then old or new.
pub fn write(writer: &Writer<'_>, files: &[File]) -> Result<(), SyncError> {
    writer.clear()?;
    let orphans: Vec<&File> = files.iter().filter(|file| file.state == State::Orphaned).collect();
    let changes: Vec<Change<'_>> = files
        .iter()
        .filter(|file| file.state != State::Current)
        .filter_map(|file| {
            Some(Change { path: &file.path, before: file.before.as_deref(), after: file.after.as_deref()? })
        })
        .collect();
    // The lock first: whatever is renamed after it is already on record.
    let (lock, rest): (Vec<Change<'_>>, Vec<Change<'_>>) =
        changes.into_iter().partition(|change| change.path == lock::PATH);
    let Some(lock) = lock.first().copied().filter(|_| !orphans.is_empty()) else {
        return Ok(writer.replace(&[lock, rest].concat())?);
    };
    let transitional = with_orphans(lock.after, &orphans);
    let mut first = vec![Change { after: &transitional, ..lock }];
    first.extend(rest);
    writer.replace(&first)?;
    for orphan in &orphans {
        writer.remove(&orphan.path, orphan.before.as_deref())?;
    }
    Ok(writer.replace(&[Change { before: Some(&transitional), ..lock }])?)
}

/// The new lock with the files that are about to go.
fn with_orphans(lock_after: &str, orphans: &[&File]) -> String {
    let Ok(mut lock) = Lock::parse(lock_after) else { return lock_after.to_owned() };
    let gone: BTreeMap<String, String> = orphans
        .iter()
        .filter_map(|file| {
            let before = with_line_feeds(file.before.as_deref()?);
            Some((file.path.clone(), lock::digest(before.as_bytes())))
        })
        .collect();
    lock.files.extend(gone);
    lock.to_text()
}

/// What keeps files from being compared or written.
#[derive(Debug)]
pub enum SyncError {
    /// A file could not be read or written.
    File(FileError),
    /// `pyfleet.lock` is there and cannot be understood.
    Lock(Unreadable),
}

impl From<FileError> for SyncError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl std::fmt::Display for SyncError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let reason = match self {
            Self::File(error) => return error.fmt(f),
            Self::Lock(Unreadable::Conflict) => {
                "holds the marks of a merge conflict\n\
                 help: take one side with `git checkout --theirs pyfleet.lock`, then run `pyfleet-gen render`"
            }
            Self::Lock(Unreadable::Newer) => {
                "was written by a later pyfleet-gen, in a format that this one does not know\n\
                 help: install the later version"
            }
            Self::Lock(Unreadable::Garbage) => {
                "is not a lock that pyfleet-gen wrote\n\
                 help: restore it with `git checkout pyfleet.lock`; where that is not possible, delete it and run \
                 `pyfleet-gen render --adopt`"
            }
        };
        write!(f, "{}: {reason}", lock::PATH)
    }
}

impl std::error::Error for SyncError {}
