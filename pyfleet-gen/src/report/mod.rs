//! What a run has found, as data, and how it is shown: one output format a file.
//!
//! A command collects a [`Report`] and writes it at its end. What cannot be collected is an error of the world, which
//! [`crate::run`] shows on standard error in every format.

pub(crate) mod diff;
pub(crate) mod difference;
mod excerpt;
pub(crate) mod github;
pub(crate) mod human;
pub(crate) mod json;
pub(crate) mod proof;
pub(crate) mod sarif;
#[cfg(test)]
mod schema;
pub(crate) mod simulation;

use std::borrow::Cow;

use camino::{Utf8Path, Utf8PathBuf};
use pyfleet_core::diagnostic::{Diagnostic, Diagnostics, Severity};
use pyfleet_core::secret::mask;
use pyfleet_core::source::{Source, Span, is_deceptive};

use crate::lock::{self, GENERATOR};
use crate::repository::State;
use crate::sync;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people
    Human,
    /// One JSON object on standard output: see schemas/report.schema.json
    Json,
    /// Workflow commands that GitHub shows on the pull request
    Github,
    /// One SARIF 2.1.0 log on standard output, for code scanning
    Sarif,
}

/// What one run has found.
#[derive(Debug)]
pub(crate) struct Report {
    /// The subcommand.
    pub(crate) command: &'static str,
    /// The way from the working directory to where its files' names start.
    pub(crate) root: Utf8PathBuf,
    /// Findings, text by text.
    pub(crate) texts: Vec<Found>,
    /// Owned files; nothing where they were not compared.
    pub(crate) files: Option<Vec<File>>,
    /// Whether files were written; nothing where the command never writes.
    pub(crate) written: Option<bool>,
}

/// What was found in one text.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) source: Source,
    pub(crate) findings: Vec<Finding>,
}

impl Found {
    /// What was found in a text, if anything was.
    pub(crate) fn of(
        source: Source,
        findings: Diagnostics,
        origin: impl Fn(&Diagnostic) -> Option<(Source, Span)>,
    ) -> Option<Self> {
        let with_origin = |diagnostic| Finding { origin: origin(&diagnostic), diagnostic };
        let findings: Vec<Finding> = findings.into_iter().map(with_origin).collect();
        (!findings.is_empty()).then_some(Self { source, findings })
    }
}

/// A finding, and the place in the manifest that it comes from, where it stands in a rendered file.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) diagnostic: Diagnostic,
    pub(crate) origin: Option<(Source, Span)>,
}

impl Finding {
    /// The finding's bytes; its text's beginning where it has no place.
    pub(crate) fn span(&self) -> Span {
        self.diagnostic.place.span.clone().unwrap_or(0..0)
    }
}

/// How one owned file stands.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) state: State,
    /// What the state means, in words that follow the path.
    pub(crate) meaning: String,
    /// What to do about it, where it is not as it should be.
    pub(crate) help: Option<String>,
}

impl File {
    /// A file that was compared, with the command that makes it current, where that is still to be done.
    pub(crate) fn of(file: &sync::File, mend: Option<&str>) -> Self {
        let help = mend.and_then(|mend| match file.state {
            State::Current | State::Ejected | State::OrphanedEdited => None,
            State::Foreign => Some(format!("`{mend} --adopt` replaces it")),
            State::Orphaned => Some(format!("`{mend}` removes it")),
            State::Edited => Some(format!("`{mend}` makes it current, and what was edited is lost then")),
            State::Stale | State::LineEndings | State::Missing | State::OtherVersion => {
                Some(format!("`{mend}` makes it current"))
            }
        });
        Self { path: file.path.clone(), state: file.state, meaning: meaning(file), help }
    }

    /// Whether it is neither as it should be nor its owner's.
    pub(crate) fn is_not_current(&self) -> bool {
        !matches!(self.state, State::Current | State::Ejected)
    }
}

impl Report {
    /// A report on files below a directory.
    pub(crate) fn new(command: &'static str, root: &Utf8Path) -> Self {
        Self { command, root: root.to_owned(), texts: Vec::new(), files: None, written: None }
    }

    /// Adds what was found in a text.
    pub(crate) fn add(&mut self, source: Source, findings: Diagnostics) {
        self.add_rendered(source, findings, |_| None);
    }

    /// Adds what was found in a rendered text, with the places in the manifest that it comes from.
    pub(crate) fn add_rendered(
        &mut self,
        source: Source,
        findings: Diagnostics,
        origin: impl Fn(&Diagnostic) -> Option<(Source, Span)>,
    ) {
        self.texts.extend(Found::of(source, findings, origin));
    }

    /// How many findings have a severity.
    pub(crate) fn count(&self, severity: Severity) -> usize {
        let findings = self.texts.iter().flat_map(|text| &text.findings);
        findings.filter(|finding| finding.diagnostic.severity == severity).count()
    }
}

/// What a file's state means, in words that follow its path.
pub(crate) fn meaning(file: &sync::File) -> String {
    match file.state {
        State::Current => "is what the manifest says".to_owned(),
        State::Stale if file.path == lock::PATH => "is not the record of what is rendered now".to_owned(),
        State::Stale => "is as it was rendered, and would be rendered differently now".to_owned(),
        State::Edited => "is not as it was rendered".to_owned(),
        State::LineEndings => "is right but for its lines, which end in CR LF".to_owned(),
        State::Missing => "is not there".to_owned(),
        State::Orphaned => "is no longer rendered, and is removed by the next render".to_owned(),
        State::OrphanedEdited => {
            "is no longer rendered, and was edited: it stays, as your own, unless you remove it".to_owned()
        }
        State::OtherVersion => {
            let other = file.rendered_by.as_deref().unwrap_or("another version");
            format!("was rendered by pyfleet-gen {other}, and this is {GENERATOR}")
        }
        State::Foreign => "is in the way, and pyfleet did not write it".to_owned(),
        State::Ejected => "is its owner's".to_owned(),
    }
}

/// The part of a span on its first line: a whole mapping underlined says less than its first key.
fn first_line(text: &str, span: Span) -> Span {
    let start = text.floor_char_boundary(span.start);
    let end = text.floor_char_boundary(span.end).max(start);
    let line_end =
        text.get(start..end).and_then(|inside| inside.find('\n')).map_or(end, |newline| start + newline);
    start..line_end
}

/// A text as it can be shown: secrets are masked, and what a terminal would act on is replaced. Every byte keeps
/// its place.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    let masked = mask(text);
    if is_plain(&masked) || !masked.contains(is_deceptive) {
        return masked;
    }
    let mut characters = masked.chars().peekable();
    let mut visible = String::with_capacity(masked.len());
    while let Some(character) = characters.next() {
        let is_line_end = character == '\r' && characters.peek() == Some(&'\n');
        visible.push(match character.len_utf8() {
            _ if is_line_end || !is_deceptive(character) => character,
            1 => '?',
            2 => '\u{b7}',
            3 => '\u{fffd}',
            _ => '\u{1f6ab}',
        });
    }
    Cow::Owned(visible)
}

/// Whether a text is what nearly all texts are: letters and signs of ASCII in lines. Bytes are looked at many at a time,
/// the last ones together with some again.
fn is_plain(text: &str) -> bool {
    let are_plain =
        |bytes: &[u8]| bytes.iter().fold(true, |all, byte| all & matches!(byte, b' '..=b'~' | b'\t' | b'\n'));
    let bytes = text.as_bytes();
    let many = bytes.as_chunks::<32>().0;
    many.iter().all(|bytes| are_plain(bytes))
        && bytes.last_chunk::<32>().map_or_else(|| are_plain(bytes), |last| are_plain(last))
}

/// As [`visible`], for a text that may have several lines where one is to be shown.
pub(crate) fn single_line(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) {
        Cow::Owned(visible(&text.replace(char::is_control, "?")).into_owned())
    } else {
        visible(text)
    }
}

/// A line of a log that is plain text to whoever reads it. What is shown comes from files that anybody may have
/// written, and GitHub's runner obeys a line that starts with `::`, spaces aside, or holds `##[`: a space makes
/// either of them plain.
pub(crate) fn inert(line: &str) -> Cow<'_, str> {
    let is_command = line.trim_start().starts_with("::");
    if !is_command && !line.contains("##[") {
        return Cow::Borrowed(line);
    }
    let line = line.replace("##[", "## [");
    Cow::Owned(if is_command { line.replacen("::", ": :", 1) } else { line })
}

/// `1 file`, `2 files`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
