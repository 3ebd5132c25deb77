//! The command line of pyfleet: render, check and keep GitHub Actions workflows current.
//!
//! The crate is thin: the command line, the renderer (plan to text), and keeping files current. What is
//! rendered, and whether it is right, is decided in [`pyfleet_core`].
//!
//! # Rendering to texts
//!
//! Nothing is read or written here but memory: what to do with the files is the caller's.
//!
//! ```
//! use pyfleet_core::source::Source;
//! use pyfleet_gen::project_file::load;
//! use pyfleet_gen::render::{read_back, render};
//!
//! let text = "
//! version: 1
//! project: shop
//! github: { repository: acme/shop, visibility: private }
//! tests:
//!   api: { python: '3.12', suites: { unit: pytest } }
//! workflows:
//!   test: {}
//! ";
//! let loaded = load(Source::new("pyfleet.yml", text));
//! assert!(loaded.findings.is_empty());
//! let (project, plan) = loaded.planned.unwrap();
//! let files = render(&project, &plan, "pyfleet.yml").unwrap();
//! let paths: Vec<&str> = files.keys().map(String::as_str).collect();
//! assert_eq!(
//!     paths,
//!     [
//!         ".github/cicd/README.md",
//!         ".github/scripts/test-summary.sh",
//!         ".github/workflows/test.yml",
//!         "pyfleet.lock",
//!     ]
//! );
//! // The generator does not trust itself: every workflow is read like a stranger's.
//! assert!(read_back(&plan, &files).iter().all(|(_, findings)| findings.is_empty()));
//! ```
//!
//! # A command line in memory
//!
//! [`run`] is the whole program, and can be called as often as one likes.
#![forbid(unsafe_code)]

mod cli;
mod command;
mod drawing;
pub mod exit;
mod extension;
mod json_layout;
pub mod lock;
mod mermaid;
mod page;
pub mod project_file;
mod proposal;
pub mod render;
mod report;
pub mod repository;
mod survey;
pub mod sync;
mod waive;
mod workflow_files;
pub mod writer;

use std::ffi::OsString;
use std::io::{self, Write};

use clap::Parser;

pub use crate::exit::Exit;

/// Where a run writes: what was asked for to `out`, what went wrong to `err`.
pub struct Streams<'a> {
    /// Standard output.
    pub out: &'a mut dyn Write,
    /// Standard error.
    pub err: &'a mut dyn Write,
    /// Whether findings are coloured.
    pub colour: bool,
}

/// Runs one command line, the program's name first.
///
/// ```
/// use pyfleet_gen::{Exit, Streams, run};
///
/// let (mut out, mut err) = (Vec::new(), Vec::new());
/// let mut streams = Streams { out: &mut out, err: &mut err, colour: false };
/// assert_eq!(run(["pyfleet-gen", "schema"], &mut streams), Exit::Clean);
/// assert!(out.starts_with(b"{"));
/// ```
pub fn run<A: Into<OsString> + Clone>(
    arguments: impl IntoIterator<Item = A>,
    streams: &mut Streams<'_>,
) -> Exit {
    let cli = match cli::Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(answer) => {
            let wanted = !answer.use_stderr();
            let stream = if wanted { &mut streams.out } else { &mut streams.err };
            let text =
                if streams.colour { answer.render().ansi().to_string() } else { answer.render().to_string() };
            let written = stream.write_all(text.as_bytes());
            return if wanted && written.is_ok() { Exit::Clean } else { Exit::CouldNotRun };
        }
    };
    let colour = streams.colour;
    let (mut out, mut err) = (UntilClosed(streams.out), UntilClosed(streams.err));
    match command::run(&cli, &mut Streams { out: &mut out, err: &mut err, colour }) {
        Ok(exit) => exit,
        Err(error) => {
            // Where even this cannot be written, the exit code still says it.
            let _ = writeln!(err, "error: {}", report::visible(&error.to_string()));
            let mut cause = error.source();
            while let Some(error) = cause {
                let _ = writeln!(err, "  because: {}", report::visible(&error.to_string()));
                cause = error.source();
            }
            Exit::CouldNotRun
        }
    }
}

/// Whoever closes the pipe, as `head` does, has read enough: that changes no exit code.
struct UntilClosed<'a>(&'a mut dyn Write);

impl Write for UntilClosed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            flushed => flushed,
        }
    }
}
