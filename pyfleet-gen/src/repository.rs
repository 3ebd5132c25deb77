//! The repository's files: read and written without ever following a symbolic link.
//!
//! Every path is opened one component at a time, relative to the directory above it, and a link anywhere on
//! the way is refused; nobody can swap a directory for a link between the look and the write.

use std::io::{self, Read, Write};

use camino::{Utf8Path, Utf8PathBuf};
use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};

/// The largest file that is read: GitHub reads workflows of at most 1 MiB, and nothing of pyfleet's is larger.
const LARGEST: u64 = 4 * 1024 * 1024;

/// An opened repository root.
#[derive(Debug)]
pub struct Repository {
    root: Dir,
    path: Utf8PathBuf,
}

/// What could not be read or written, and why.
#[derive(Debug)]
pub struct FileError {
    path: Utf8PathBuf,
    reason: String,
}

impl std::fmt::Display for FileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)
    }
}

impl std::error::Error for FileError {}

/// How a file stands to what the manifest says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The same bytes.
    Current,
    /// As it was rendered, but the manifest now says something else.
    Stale,
    /// Not as it was rendered: somebody edited it.
    Edited,
    /// Not there.
    Missing,
    /// No longer rendered.
    Orphaned,
    /// No longer rendered, and edited since: it is left alone.
    OrphanedEdited,
    /// As another version of pyfleet-gen rendered it.
    OtherVersion,
    /// In the way: pyfleet did not write it.
    Foreign,
}

/// Whether a path is one that pyfleet may own: `.github/workflows/*.yml`, `.github/scripts/*`,
/// `.github/cicd/*.md` and `pyfleet.lock`. Nothing else is ever written or removed.
///
/// ```
/// use pyfleet_gen::repository::is_owned_path;
///
/// assert!(is_owned_path(".github/workflows/test.yml"));
/// assert!(!is_owned_path(".github/workflows/../../.bashrc"));
/// assert!(!is_owned_path("src/main.rs"));
/// ```
#[must_use]
pub fn is_owned_path(path: &str) -> bool {
    let is_name = |name: &str| {
        (1..=100).contains(&name.len())
            && name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
            && !name.contains("..")
    };
    match path.rsplit_once('/') {
        None => path == crate::lock::PATH,
        Some((".github/workflows", name)) => is_name(name) && name.ends_with(".yml"),
        Some((".github/scripts", name)) => is_name(name),
        Some((".github/cicd", name)) => is_name(name) && name.ends_with(".md"),
        Some(_) => false,
    }
}

/// Where new files are made complete before they are renamed into place. It lies on the same file system as
/// its targets, GitHub does not look there, and what a killed run leaves in it is cleared by the next.
const STAGING: &str = ".pyfleet-staging";

impl Repository {
    /// Opens a repository's root. The way to it may hold links: it is the user's own.
    ///
    /// # Errors
    /// Where the directory cannot be opened.
    pub fn open(path: &Utf8Path) -> Result<Self, FileError> {
        let root = Dir::open_ambient_dir(path, ambient_authority()).map_err(|error| failed(path, &error))?;
        Ok(Self { root, path: path.to_owned() })
    }

    /// The root as it was given.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The bytes of a file; nothing where it, or a directory above it, does not exist.
    ///
    /// # Errors
    /// Where it cannot be read, is larger than 4 MiB, is no regular file, or a link is on the way.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>, FileError> {
        let (directories, name) = split(path);
        let mut directory = self.root.try_clone().map_err(|error| failed(path, &error))?;
        for component in directories {
            directory = match directory.open_dir_nofollow(component) {
                Ok(below) => below,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(refused(path, &error)),
            };
        }
        match directory.symlink_metadata(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(path, &error)),
            Ok(metadata) if metadata.is_symlink() => {
                return Err(reason(path, "is a symbolic link, which is never followed"));
            }
            Ok(metadata) if !metadata.is_file() => return Err(reason(path, "is not a regular file")),
            Ok(metadata) if metadata.len() > LARGEST => return Err(reason(path, "has more than 4 MiB")),
            Ok(_) => {}
        }
        let file = directory
            .open_with(name, OpenOptions::new().read(true).follow(FollowSymlinks::No))
            .map_err(|error| refused(path, &error))?;
        let mut bytes = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| failed(path, &error))?;
        Ok(Some(bytes))
    }

    /// Replaces files, each completely or not at all: all of them are written aside and synced before the
    /// first is renamed into place. A run that is killed leaves every file old or new.
    ///
    /// # Errors
    /// Where a path is not pyfleet's to own, a link is on the way, or the file system refuses.
    pub fn replace(&self, files: &[(&str, &[u8])]) -> Result<(), FileError> {
        if files.is_empty() {
            return Ok(());
        }
        let staging = self.open_staging()?;
        let mut staged = Vec::with_capacity(files.len());
        for (number, (path, bytes)) in files.iter().enumerate() {
            let name = number.to_string();
            self.stage(&staging, &name, path, bytes)?;
            let (directories, target) = split(path);
            let directory = self.make_directories(path, &directories)?;
            if directory.symlink_metadata(target).is_ok_and(|metadata| !metadata.is_file()) {
                return Err(reason(path, "is in the way: only a regular file is replaced"));
            }
            staged.push((name, directory, target, *path));
        }
        for (name, directory, target, path) in &staged {
            staging.rename(name, directory, target).map_err(|error| failed(path, &error))?;
        }
        for (_, directory, _, path) in &staged {
            sync(directory).map_err(|error| failed(path, &error))?;
        }
        drop(staging);
        let github = self.make_directories(STAGING, &[".github"])?;
        github.remove_dir_all(STAGING).map_err(|error| failed(STAGING, &error))
    }

    /// Removes a file that pyfleet owns.
    ///
    /// # Errors
    /// Where a path is not pyfleet's to own, a link is on the way, or the file system refuses.
    pub fn remove(&self, path: &str) -> Result<(), FileError> {
        if !is_owned_path(path) {
            return Err(reason(path, "is not a path that pyfleet owns"));
        }
        let (directories, name) = split(path);
        let mut directory = self.root.try_clone().map_err(|error| failed(path, &error))?;
        for component in directories {
            directory = directory.open_dir_nofollow(component).map_err(|error| refused(path, &error))?;
        }
        directory.remove_file(name).map_err(|error| failed(path, &error))?;
        sync(&directory).map_err(|error| failed(path, &error))
    }

    fn open_staging(&self) -> Result<Dir, FileError> {
        let github = self.make_directories(STAGING, &[".github"])?;
        match github.symlink_metadata(STAGING) {
            Ok(metadata) if metadata.is_dir() => {
                github.remove_dir_all(STAGING).map_err(|error| failed(STAGING, &error))?;
            }
            Ok(_) => return Err(reason(STAGING, "is in the way: it should be a directory of pyfleet's own")),
            Err(_) => {}
        }
        github.create_dir(STAGING).map_err(|error| failed(STAGING, &error))?;
        github.open_dir_nofollow(STAGING).map_err(|error| refused(STAGING, &error))
    }

    fn stage(&self, staging: &Dir, name: &str, path: &str, bytes: &[u8]) -> Result<(), FileError> {
        if !is_owned_path(path) {
            return Err(reason(path, "is not a path that pyfleet owns"));
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).follow(FollowSymlinks::No);
        #[cfg(unix)]
        {
            use cap_std::fs::OpenOptionsExt;
            options.mode(if path.ends_with(".sh") { 0o777 } else { 0o666 });
        }
        let mut file = staging.open_with(name, &options).map_err(|error| failed(path, &error))?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|error| failed(path, &error))
    }

    fn make_directories(&self, path: &str, components: &[&str]) -> Result<Dir, FileError> {
        let mut directory = self.root.try_clone().map_err(|error| failed(path, &error))?;
        for component in components {
            match directory.create_dir(component) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(path, &error)),
            }
            directory = directory.open_dir_nofollow(component).map_err(|error| refused(path, &error))?;
        }
        Ok(directory)
    }
}

fn split(path: &str) -> (Vec<&str>, &str) {
    let mut components: Vec<&str> = path.split('/').collect();
    let name = components.pop().unwrap_or(path);
    (components, name)
}

/// A directory's entries reach the disk only when it is synced itself; elsewhere than on Unix there is no way.
/// The handle at hand may serve for lookups only, so that the directory is opened once more.
fn sync(directory: &Dir) -> io::Result<()> {
    if cfg!(unix) { directory.open(".")?.sync_all() } else { Ok(()) }
}

fn failed(path: impl AsRef<Utf8Path>, error: &io::Error) -> FileError {
    reason(path, &error.to_string())
}

fn refused(path: impl AsRef<Utf8Path>, error: &io::Error) -> FileError {
    reason(path, &format!("a link or a file is on the way, which is never followed ({error})"))
}

fn reason(path: impl AsRef<Utf8Path>, reason: &str) -> FileError {
    FileError { path: path.as_ref().to_owned(), reason: reason.to_owned() }
}
