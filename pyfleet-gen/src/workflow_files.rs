//! The workflow files that somebody names, each by itself or by a folder that holds them.

use camino::{Utf8Path, Utf8PathBuf};
use pyfleet_core::source::Source;

use crate::report::visible;
use crate::repository::{FileError, bounded};

/// Where GitHub looks for workflows.
pub(crate) const FOLDER: &str = ".github/workflows";

/// Folders below each other: deeper ones are refused.
const DEPTH: usize = 32;

/// The files at what was named below a directory, those of a folder in the order of their names. A repository's root
/// stands for its workflows, and any other folder for every `.yml` and `.yaml` file in it and below.
///
/// # Errors
/// Where a folder cannot be read, or holds no such file.
pub(crate) fn list(directory: &Utf8Path, named: &Utf8Path) -> Result<Vec<Utf8PathBuf>, FileError> {
    if !directory.join(named).is_dir() {
        return Ok(vec![named.to_owned()]);
    }
    let workflows = named.join(FOLDER);
    let folder = if directory.join(&workflows).is_dir() { workflows } else { named.to_owned() };
    let mut found = Vec::new();
    collect(directory, &folder, 0, &mut found)?;
    if found.is_empty() {
        return Err(FileError::new(&folder, "holds no file that ends in .yml or .yaml"));
    }
    // `./a.yml` is `a.yml` to whoever reads a report.
    let without_dot = |file: Utf8PathBuf| match file.strip_prefix(".") {
        Ok(below) => below.to_owned(),
        Err(_) => file,
    };
    Ok(found.into_iter().map(without_dot).collect())
}

/// In the order of their names, folder by folder. Links are left out: a folder may hold its own parent.
fn collect(
    directory: &Utf8Path,
    folder: &Utf8Path,
    depth: usize,
    found: &mut Vec<Utf8PathBuf>,
) -> Result<(), FileError> {
    if depth > DEPTH {
        return Err(FileError::new(folder, format!("has more than {DEPTH} folders above it")));
    }
    let refused = |error: std::io::Error| FileError::io(folder, &error);
    let entries = directory.join(folder).read_dir_utf8().map_err(refused)?;
    let mut entries = entries.collect::<Result<Vec<_>, _>>().map_err(refused)?;
    // They differ in their names alone; to compare paths themselves takes them apart each time.
    entries.sort_unstable_by(|one, other| one.path().as_str().cmp(other.path().as_str()));
    for entry in entries {
        let (kind, name) = (entry.file_type().map_err(refused)?, entry.file_name());
        let path = folder.join(name);
        if kind.is_dir() && name != ".git" {
            collect(directory, &path, depth + 1, found)?;
        } else if kind.is_file() && matches!(path.extension(), Some("yml" | "yaml")) {
            found.push(path);
        }
    }
    Ok(())
}

/// Reads a file that was named: a link or a pipe will do, and `-` is standard input.
///
/// # Errors
/// Where it cannot be read, is larger than 4 MiB, or is not UTF-8.
pub(crate) fn read(directory: &Utf8Path, file: &Utf8Path) -> Result<Source, FileError> {
    let (file, bytes) = if file == "-" {
        let file = Utf8Path::new("standard input");
        (file, bounded(file, std::io::stdin().lock(), 0)?)
    } else {
        let opened =
            std::fs::File::open(directory.join(file)).map_err(|error| FileError::io(file, &error))?;
        let length = opened.metadata().map_or(0, |metadata| metadata.len());
        (file, bounded(file, opened, length)?)
    };
    let text = String::from_utf8(bytes).map_err(|_| FileError::new(file, "is not UTF-8"))?;
    Ok(Source::new(visible(file.as_str()), text))
}
