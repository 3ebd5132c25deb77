//! The only writer: files are replaced and removed, each completely or not at all.
//!
//! New contents are made complete in a staging directory, and synced, before the first of them is renamed
//! into place; the directories are synced last. A run that is killed at any moment leaves every file old or
//! new, and at most the staging directory, which the next run clears.
//!
//! Deliberately absent: removing a directory with whatever is in it. What pyfleet did not write stays.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::{self, Write};

use cap_fs_ext::{AccessType, DirExt, FollowSymlinks, OpenOptionsFollowExt};
use cap_primitives::fs::AccessModes;
use cap_std::fs::{Dir, OpenOptions};

use crate::repository::{FileError, Repository, in_the_way, is_owned_path, not_a_directory, split};

/// Where new files are made complete. It lies on the same file system as its targets, and GitHub does not
/// look there.
const STAGING: &str = ".pyfleet-staging";
const STAGING_PATH: &str = ".github/.pyfleet-staging";

/// A file that gets other contents.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// Its path from the repository's root.
    pub path: &'a str,
    /// What was there when the change was decided; nothing where it was missing.
    pub before: Option<&'a str>,
    /// What should be there.
    pub after: &'a str,
}

/// The right to write into a repository, which one run has at a time.
#[derive(Debug)]
pub struct Writer<'a> {
    repository: &'a Repository,
    /// The operating system takes the lock back when the run ends, however it ends.
    turn: Option<File>,
}

/// A process that is being started elsewhere in this one has the descriptor, too, until it runs its own program: closing
/// this one alone would leave the lock with it.
impl Drop for Writer<'_> {
    fn drop(&mut self) {
        if let Some(turn) = &self.turn {
            let _ = turn.unlock();
        }
    }
}

impl<'a> Writer<'a> {
    /// Takes the turn to write.
    ///
    /// # Errors
    /// Where another run has it.
    pub fn new(repository: &'a Repository) -> Result<Self, FileError> {
        // The root itself is locked: no lock file is left behind, or renamed away under another run. Where a
        // directory cannot be locked (Windows, some network file systems), two runs are kept apart by the
        // staging directory alone: the slower one fails, and every file is still old or new.
        let turn = repository.root.open(".").ok().map(cap_std::fs::File::into_std);
        match turn.as_ref().map(File::try_lock) {
            Some(Err(TryLockError::WouldBlock)) => Err(FileError::new(
                crate::lock::PATH,
                "another `pyfleet-gen render` is writing to this repository; nothing was written",
            )
            .with_help("wait until it has ended, and run this again")),
            Some(Ok(()) | Err(TryLockError::Error(_))) | None => Ok(Self { repository, turn }),
        }
    }

    /// Replaces files, each completely or not at all, in the order given.
    ///
    /// # Errors
    /// Where a path is not pyfleet's to own, a link is on the way, a file is no longer what it was, or the
    /// file system refuses. Nothing was replaced then, unless the last rename itself has failed.
    pub fn replace(&self, changes: &[Change<'_>]) -> Result<(), FileError> {
        if changes.is_empty() {
            return Ok(());
        }
        for change in changes {
            own(change.path)?;
        }
        self.complete(changes)
    }

    /// Makes the manifest, which is the user's own from then on: one that is there stays as it is.
    ///
    /// # Errors
    /// Where there is something of this name, or the file system refuses.
    pub fn create_manifest(&self, name: &str, text: &str) -> Result<(), FileError> {
        let root = &self.repository.root;
        if name.contains('/') || root.symlink_metadata(name).is_ok() {
            return Err(FileError::new(name, "is there already, and is never overwritten"));
        }
        let had_github = root.symlink_metadata(".github").is_ok();
        let created = self.complete(&[Change { path: name, before: None, after: text }]);
        if !had_github {
            // It was made for the staging directory alone; it goes only where it is empty.
            let _ = root.remove_dir(".github");
        }
        created
    }

    fn complete(&self, changes: &[Change<'_>]) -> Result<(), FileError> {
        let replaced = self.stage_and_rename(changes);
        let cleared = self.clear();
        replaced.and(cleared)
    }

    /// Removes a file that is still what it was when that was decided.
    ///
    /// # Errors
    /// Where a path is not pyfleet's to own, a link is on the way, the file is no longer what it was, or the
    /// file system refuses.
    pub fn remove(&self, path: &str, before: Option<&str>) -> Result<(), FileError> {
        own(path)?;
        let (directories, name) = split(path);
        let Some(directory) = self.repository.directory(&directories)? else { return Ok(()) };
        self.unchanged(path, before)?;
        directory.remove_file(name).map_err(|error| FileError::io(path, &error))?;
        sync(&directory).map_err(|error| FileError::io(path, &error))
    }

    /// Clears what a killed run has left. Only files that it can have written go.
    ///
    /// # Errors
    /// Where anything else is in the staging directory's place, or inside it.
    pub fn clear(&self) -> Result<(), FileError> {
        let Some(github) = self.repository.directory(&[".github"])? else { return Ok(()) };
        let Some(staging) = self.repository.directory(&[".github", STAGING])? else { return Ok(()) };
        let failed = |error: io::Error| FileError::io(STAGING_PATH, &error);
        for entry in staging.entries().map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let is_own = name.to_str().is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
            if !is_own || staging.remove_file(&name).is_err() {
                let found = format!("{STAGING_PATH}/{}", name.to_string_lossy());
                return Err(FileError::new(found, "is in the way: pyfleet did not write it")
                    .with_help("move it away, and run this again"));
            }
        }
        drop(staging);
        github.remove_dir(STAGING).map_err(failed)
    }

    fn stage_and_rename(&self, changes: &[Change<'_>]) -> Result<(), FileError> {
        self.clear()?;
        let mut directories = Directories { opened: BTreeMap::new() };
        for change in changes {
            let (above, name) = split(change.path);
            let directory = directories.open(self.repository, &above)?;
            writable(directory, &above)?;
            if directory.symlink_metadata(name).is_ok_and(|metadata| !metadata.is_file()) {
                return Err(in_the_way(change.path));
            }
        }
        let github = directories.open(self.repository, &[".github"])?;
        writable(github, &[".github"])?;
        github.create_dir(STAGING).map_err(|error| FileError::io(STAGING_PATH, &error))?;
        let staging = github
            .open_dir_nofollow(STAGING)
            .map_err(|error| not_a_directory(github, &[".github", STAGING], &error))?;
        for (number, change) in changes.iter().enumerate() {
            stage(&staging, &number.to_string(), change)
                .map_err(|error| FileError::io(change.path, &error))?;
        }
        for change in changes {
            self.unchanged(change.path, change.before)?;
        }
        for (number, change) in changes.iter().enumerate() {
            let (above, name) = split(change.path);
            let directory = directories.open(self.repository, &above)?;
            staging
                .rename(number.to_string(), directory, name)
                .map_err(|error| FileError::io(change.path, &error))?;
        }
        for (path, directory) in &directories.opened {
            sync(directory).map_err(|error| FileError::io(path, &error))?;
        }
        Ok(())
    }

    /// Whoever edits a file while it is being rendered does not lose the edit.
    fn unchanged(&self, path: &str, before: Option<&str>) -> Result<(), FileError> {
        if self.repository.read_text(path)?.as_deref() == before {
            return Ok(());
        }
        Err(FileError::new(path, "has changed while pyfleet-gen was at work")
            .with_help("run this again: it looks at the file anew"))
    }
}

/// The directories of one run, by path: each is opened once, and synced at its end.
struct Directories {
    opened: BTreeMap<String, Dir>,
}

impl Directories {
    /// Opens a directory, making what is missing. Where one is made, the one above it is synced too.
    fn open(&mut self, repository: &Repository, components: &[&str]) -> Result<&Dir, FileError> {
        for depth in 0..=components.len() {
            let path = components[..depth].join("/");
            if self.opened.contains_key(&path) {
                continue;
            }
            let directory = match depth.checked_sub(1) {
                None => repository.root.try_clone().map_err(|error| FileError::io(".", &error))?,
                Some(above) => {
                    let name = components[above];
                    let above = &self.opened[&components[..above].join("/")];
                    match above.open_dir_nofollow(name) {
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {
                            above.create_dir(name).map_err(|error| FileError::io(&path, &error))?;
                            above.open_dir_nofollow(name)
                        }
                        opened => opened,
                    }
                    .map_err(|error| not_a_directory(above, &components[..depth], &error))?
                }
            };
            self.opened.insert(path, directory);
        }
        Ok(&self.opened[&components.join("/")])
    }
}

fn own(path: &str) -> Result<(), FileError> {
    if is_owned_path(path) { Ok(()) } else { Err(FileError::new(path, "is not a path that pyfleet owns")) }
}

/// Asks before the first rename, so that a directory which cannot be written to stops all of them.
fn writable(directory: &Dir, components: &[&str]) -> Result<(), FileError> {
    let modes = AccessModes { readable: false, writable: true, executable: true };
    match directory.access_symlink(".", AccessType::Access(modes)) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
            ) =>
        {
            let path = if components.is_empty() { ".".to_owned() } else { components.join("/") };
            Err(FileError::new(path, format!("cannot be written to: {error}; nothing was written"))
                .with_help("give yourself the right to write there, and run this again"))
        }
        // Where nobody can say, the write itself will.
        Ok(()) | Err(_) => Ok(()),
    }
}

fn stage(staging: &Dir, name: &str, change: &Change<'_>) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).follow(FollowSymlinks::No);
    #[cfg(unix)]
    {
        use cap_std::fs::OpenOptionsExt;
        options.mode(if change.path.ends_with(".sh") { 0o777 } else { 0o666 });
    }
    let mut file = staging.open_with(name, &options)?;
    file.write_all(change.after.as_bytes())?;
    file.sync_all()
}

/// A directory's entries reach the disk only when it is synced itself; elsewhere than on Unix there is no way.
/// The handle at hand may serve for lookups only, so that the directory is opened once more.
fn sync(directory: &Dir) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    match directory.open(".").and_then(|directory| directory.sync_all()) {
        // Some network and shared file systems keep no directory back, and refuse to be asked.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        synced => synced,
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    use super::Writer;
    use crate::repository::Repository;

    #[test]
    fn the_turn_ends_with_the_writer_whoever_else_has_its_descriptor() {
        let directory = tempfile::tempdir().unwrap();
        let repository = Repository::open(Utf8Path::from_path(directory.path()).unwrap()).unwrap();
        let writer = Writer::new(&repository).unwrap();
        assert!(Writer::new(&repository).is_err());
        let inherited = writer.turn.as_ref().unwrap().try_clone().unwrap();
        drop(writer);
        assert!(Writer::new(&repository).is_ok());
        drop(inherited);
    }
}
