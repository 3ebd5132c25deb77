//! Files that are named on the command line.

use std::io::Read;

use camino::Utf8Path;
use pyfleet_core::source::Source;

use crate::cli::Cli;
use crate::report::visible;
use crate::repository::{FileError, bounded};

/// Reads a file that the user has named: a link or a pipe will do, and `-` is standard input.
pub(super) fn read(cli: &Cli, file: &Utf8Path) -> Result<Source, FileError> {
    let (name, opened): (&Utf8Path, Box<dyn Read>) = if file == "-" {
        (Utf8Path::new("standard input"), Box::new(std::io::stdin().lock()))
    } else {
        let path = cli.directory.as_ref().map_or_else(|| file.to_owned(), |directory| directory.join(file));
        (file, Box::new(std::fs::File::open(&path).map_err(|error| FileError::io(file, &error))?))
    };
    let text = String::from_utf8(bounded(name, opened)?).map_err(|_| FileError::new(name, "is not UTF-8"))?;
    Ok(Source::new(visible(name.as_str()), text))
}
