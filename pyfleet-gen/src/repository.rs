//! The repository's files, read without ever following a symbolic link.
//!
//! Every path is opened one component at a time, relative to the directory above it, and a link anywhere on
//! the way is refused; nobody can swap a directory for a link between the look and the write. Writing is
//! [`crate::writer`]'s.

use std::io::{self, Read};

use camino::{Utf8Path, Utf8PathBuf};
use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};

/// The largest file that is read: GitHub reads workflows of at most 1 MiB, and nothing of pyfleet's is larger.
const LARGEST: u64 = 4 * 1024 * 1024;

/// An opened repository root.
#[derive(Debug)]
pub struct Repository {
    pub(crate) root: Dir,
}

/// What could not be read or written, why, and what to do about it.
#[derive(Debug)]
pub struct FileError {
    path: Utf8PathBuf,
    reason: String,
    help: Option<&'static str>,
}

impl FileError {
    pub(crate) fn new(path: impl AsRef<Utf8Path>, reason: impl Into<String>) -> Self {
        Self { path: path.as_ref().to_owned(), reason: reason.into(), help: None }
    }

    /// What the file system said.
    pub(crate) fn io(path: impl AsRef<Utf8Path>, error: &io::Error) -> Self {
        let failed = Self::new(path, error.to_string());
        match error.kind() {
            io::ErrorKind::PermissionDenied => {
                failed.with_help("give yourself the right to it, and run this again")
            }
            io::ErrorKind::StorageFull => failed.with_help("make room on the disk, and run this again"),
            _ => failed,
        }
    }

    pub(crate) fn with_help(self, help: &'static str) -> Self {
        Self { help: Some(help), ..self }
    }
}

impl std::fmt::Display for FileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)?;
        self.help.map_or(Ok(()), |help| write!(f, "\nhelp: {help}"))
    }
}

impl std::error::Error for FileError {}

/// How a file stands to what the manifest says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The same bytes.
    Current,
    /// As it was rendered, but it would now be rendered differently.
    Stale,
    /// Not as it was rendered: somebody edited it.
    Edited,
    /// The same lines, which end in CR LF: git converts them on checkout where it is told to.
    LineEndings,
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
    /// Its owner's: a workflow with `ejected: true`, or a script that one runs.
    Ejected,
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

impl Repository {
    /// Opens a repository's root. The way to it may hold links: it is the user's own.
    ///
    /// # Errors
    /// Where the directory cannot be opened.
    pub fn open(path: &Utf8Path) -> Result<Self, FileError> {
        let root =
            Dir::open_ambient_dir(path, ambient_authority()).map_err(|error| FileError::io(path, &error))?;
        Ok(Self { root })
    }

    /// The bytes of a file; nothing where it, or a directory above it, does not exist.
    ///
    /// # Errors
    /// Where it cannot be read, is larger than 4 MiB, is no regular file, or a link is on the way.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>, FileError> {
        let (directories, name) = split(path);
        let Some(directory) = self.directory(&directories)? else { return Ok(None) };
        let length = match directory.symlink_metadata(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(FileError::io(path, &error)),
            Ok(metadata) if metadata.is_symlink() => return Err(link(path)),
            Ok(metadata) if !metadata.is_file() => return Err(in_the_way(path)),
            Ok(metadata) if metadata.len() > LARGEST => return Err(too_large(path)),
            Ok(metadata) => metadata.len(),
        };
        let file = match directory.open_with(name, OpenOptions::new().read(true).follow(FollowSymlinks::No)) {
            Ok(file) => file,
            // Gone since the look: another render is at work.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(FileError::io(path, &error)),
        };
        bounded(path, file, length).map(Some)
    }

    /// The text of a file; what is not UTF-8 shows as U+FFFD, and so never equals what was rendered.
    ///
    /// # Errors
    /// As for [`Repository::read`].
    pub fn read_text(&self, path: &str) -> Result<Option<String>, FileError> {
        let text = |bytes| match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        };
        Ok(self.read(path)?.map(text))
    }

    /// A directory below the root; nothing where it, or one above it, does not exist.
    pub(crate) fn directory(&self, components: &[&str]) -> Result<Option<Dir>, FileError> {
        let mut directory = self.root.try_clone().map_err(|error| FileError::io(".", &error))?;
        for (depth, component) in components.iter().enumerate() {
            directory = match directory.open_dir_nofollow(component) {
                Ok(below) => below,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(not_a_directory(&directory, &components[..=depth], &error)),
            };
        }
        Ok(Some(directory))
    }
}

/// Reads a file that may be no file at all, such as a pipe: never more than 4 MiB, and at once where it is as long as
/// it was said to be.
///
/// # Errors
/// Where it cannot be read or is larger.
pub(crate) fn bounded(
    path: impl AsRef<Utf8Path>,
    file: impl Read,
    length: u64,
) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::with_capacity(usize::try_from(length.min(LARGEST)).unwrap_or_default());
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| FileError::io(&path, &error))?;
    if bytes.len() as u64 > LARGEST { Err(too_large(path)) } else { Ok(bytes) }
}

/// The names of the directories above a file, and its own.
pub(crate) fn split(path: &str) -> (Vec<&str>, &str) {
    let mut components: Vec<&str> = path.split('/').collect();
    let name = components.pop().unwrap_or(path);
    (components, name)
}

/// Why the last component, which is in `above`, could not be opened as a directory.
pub(crate) fn not_a_directory(above: &Dir, components: &[&str], error: &io::Error) -> FileError {
    let path = components.join("/");
    match above.symlink_metadata(components.last().copied().unwrap_or(".")) {
        Ok(metadata) if metadata.is_symlink() => link(path),
        Ok(metadata) if !metadata.is_dir() => FileError::new(path, "is in the way: it should be a directory")
            .with_help("move it away, and run this again"),
        _ => FileError::io(path, error),
    }
}

fn link(path: impl AsRef<Utf8Path>) -> FileError {
    FileError::new(path, "is a symbolic link, and none is ever followed")
        .with_help("put what it points to in its place, and run this again")
}

pub(crate) fn in_the_way(path: impl AsRef<Utf8Path>) -> FileError {
    FileError::new(path, "is in the way: it is not a regular file")
        .with_help("move it away, and run this again")
}

fn too_large(path: impl AsRef<Utf8Path>) -> FileError {
    FileError::new(path, "has more than 4 MiB, which no file of pyfleet's has")
}
