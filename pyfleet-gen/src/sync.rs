//! Keeping files current: compare what is there with what was rendered, and write the difference. The only
//! writer.

use std::collections::BTreeMap;

use similar::TextDiff;

use crate::lock::{self, GENERATOR, Lock};
use crate::render::Files;
use crate::repository::{FileError, Repository, State, is_owned_path};

/// One file: how it stands, what is there and what should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path from the repository's root.
    pub path: String,
    /// How it stands.
    pub state: State,
    /// What is there; nothing where it is missing or not text.
    pub before: Option<String>,
    /// What should be there; nothing where it should go.
    pub after: Option<String>,
}

impl File {
    /// What would change, as a unified diff.
    #[must_use]
    pub fn diff(&self) -> String {
        let (before, after) =
            (self.before.as_deref().unwrap_or_default(), self.after.as_deref().unwrap_or_default());
        let old = if self.before.is_some() { format!("a/{}", self.path) } else { "/dev/null".to_owned() };
        let new = if self.after.is_some() { format!("b/{}", self.path) } else { "/dev/null".to_owned() };
        TextDiff::from_lines(before, after).unified_diff().header(&old, &new).to_string()
    }
}

/// Compares a repository with what was rendered: one entry a file, sorted by path. Files of `ejected` are
/// their owner's, whatever the lock says.
///
/// # Errors
/// Where a file cannot be read, or the lock is not one.
pub fn compare(
    repository: &Repository,
    rendered: &Files,
    ejected: &[String],
) -> Result<Vec<File>, SyncError> {
    let lock_before = repository.read(lock::PATH)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    // Equal bytes need no parsing; the recorded digests matter only once something differs.
    let lock_is_current = lock_before.as_deref() == rendered.get(lock::PATH).map(String::as_str);
    let mut recorded = None;
    let mut files = Vec::with_capacity(rendered.len());
    for (path, after) in rendered {
        let before = repository.read(path)?;
        let state = match &before {
            None => State::Missing,
            Some(bytes) if bytes == after.as_bytes() => State::Current,
            Some(bytes) if path == lock::PATH => {
                let known = recorded_lock(&mut recorded, lock_before.as_deref())?;
                let _ = bytes;
                if known.is_some_and(|lock| lock.generator != GENERATOR) {
                    State::OtherVersion
                } else {
                    State::Stale
                }
            }
            Some(bytes) => classify(path, bytes, recorded_lock(&mut recorded, lock_before.as_deref())?),
        };
        let before = before.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        files.push(File { path: path.clone(), state, before, after: Some(after.clone()) });
    }
    if !lock_is_current && let Some(lock) = recorded_lock(&mut recorded, lock_before.as_deref())? {
        for (path, digest) in &lock.files {
            if rendered.contains_key(path) || ejected.contains(path) || !is_owned_path(path) {
                continue;
            }
            let Some(bytes) = repository.read(path)? else { continue };
            let state = if lock::digest(&bytes) == *digest { State::Orphaned } else { State::OrphanedEdited };
            let before = Some(String::from_utf8_lossy(&bytes).into_owned());
            files.push(File { path: path.clone(), state, before, after: None });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn recorded_lock<'a>(
    known: &'a mut Option<Option<Lock>>,
    text: Option<&str>,
) -> Result<Option<&'a Lock>, SyncError> {
    if known.is_none() {
        let lock = match text {
            None => None,
            Some(text) => Some(Lock::parse(text).ok_or(SyncError::Lock)?),
        };
        *known = Some(lock);
    }
    Ok(known.as_ref().and_then(Option::as_ref))
}

fn classify(path: &str, bytes: &[u8], lock: Option<&Lock>) -> State {
    match lock.and_then(|lock| Some((lock, lock.files.get(path)?))) {
        None => State::Foreign,
        Some((_, digest)) if lock::digest(bytes) != *digest => State::Edited,
        Some((lock, _)) if lock.generator != GENERATOR => State::OtherVersion,
        Some(_) => State::Stale,
    }
}

/// Writes what differs and removes what is no longer rendered.
///
/// While files are being renamed, the lock on disk already names every file of the old and the new render:
/// a run that is killed leaves nothing that the next one would not recognise as its own.
///
/// # Errors
/// Where the file system refuses; every file is then old or new.
pub fn write(repository: &Repository, files: &[File]) -> Result<(), SyncError> {
    let orphans: Vec<&File> = files.iter().filter(|file| file.state == State::Orphaned).collect();
    let lock_after = files.iter().find(|file| file.path == lock::PATH).and_then(|file| file.after.as_deref());
    let changed: Vec<(&str, &[u8])> = files
        .iter()
        .filter(|file| file.state != State::Current)
        .filter_map(|file| Some((file.path.as_str(), file.after.as_deref()?.as_bytes())))
        .collect();
    if changed.is_empty() && orphans.is_empty() {
        return Ok(());
    }
    let Some(lock_after) = lock_after else { return Err(SyncError::Lock) };
    if orphans.is_empty() {
        // The lock first: whatever is renamed after it is already on record.
        let lock_first = changed.iter().filter(|(path, _)| *path == lock::PATH);
        let rest = changed.iter().filter(|(path, _)| *path != lock::PATH);
        let ordered: Vec<(&str, &[u8])> = lock_first.chain(rest).copied().collect();
        return Ok(repository.replace(&ordered)?);
    }
    let transitional = with_orphans(lock_after, &orphans);
    let mut ordered: Vec<(&str, &[u8])> = vec![(lock::PATH, transitional.as_bytes())];
    ordered.extend(changed.iter().filter(|(path, _)| *path != lock::PATH));
    repository.replace(&ordered)?;
    for orphan in &orphans {
        repository.remove(&orphan.path)?;
    }
    Ok(repository.replace(&[(lock::PATH, lock_after.as_bytes())])?)
}

/// The new lock with the files that are about to go.
fn with_orphans(lock_after: &str, orphans: &[&File]) -> String {
    let Some(mut lock) = Lock::parse(lock_after) else { return lock_after.to_owned() };
    let gone: BTreeMap<String, String> = orphans
        .iter()
        .filter_map(|file| Some((file.path.clone(), lock::digest(file.before.as_deref()?.as_bytes()))))
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
    Lock,
}

impl From<FileError> for SyncError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl std::fmt::Display for SyncError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::Lock => f.write_str(
                "pyfleet.lock: is not a lock of this format; restore it from git, or delete it and run \
                 `pyfleet-gen render --adopt`",
            ),
        }
    }
}

impl std::error::Error for SyncError {}
