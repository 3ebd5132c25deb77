//! For tests only: the published data that this crate's tables are compared with.

use std::path::PathBuf;

/// The folder that `PYFLEET_DATA` names, or a line that says what was not run.
#[expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests may read data and say what they skip"
)]
pub(crate) fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("PYFLEET_DATA").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("not run: PYFLEET_DATA is not set");
    }
    folder
}

/// The text of a file in that folder.
#[expect(clippy::disallowed_methods, reason = "tests may read data")]
pub(crate) fn text(path: PathBuf) -> String {
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files of a folder, sorted.
#[expect(clippy::disallowed_methods, reason = "tests may read data")]
pub(crate) fn files(folder: PathBuf) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}
