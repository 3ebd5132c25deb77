//! One JSON object, for programs.
//!
//! `schemas/report.schema.json` is written from these types. A run that ends with an error of the world, such as a file
//! that cannot be read, writes no object: standard output is empty, the exit code 2, and the reason on standard error.

use std::io;

use pyfleet_core::diagnostic::{self, Severity};
use pyfleet_core::source::{Source, Span};
use serde::Serialize;

use super::{Report, visible};
use crate::Streams;
use crate::exit::Exit;
use crate::repository::State;

/// What `pyfleet-gen --format json` prints.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "Report"))]
struct Written {
    /// Everything that was found, file by file.
    findings: Vec<Finding>,
    /// Every file that pyfleet owns, where they were compared: by `check` and `render`.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<File>>,
    /// What came of it.
    summary: Summary,
}

/// Something that is wrong.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Finding {
    /// The rule or check that found it.
    code: &'static str,
    /// How bad it is: an `error` stops rendering.
    severity: Level,
    /// What is wrong, and why that matters.
    message: String,
    /// What to do about it, one remedy an entry.
    help: Vec<String>,
    /// Where it is.
    #[serde(flatten)]
    place: Place,
    /// Further places that explain it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    labels: Vec<Label>,
    /// For a finding in a rendered file: the place in the manifest that it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Place>,
}

/// How bad a finding is.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
enum Level {
    /// Nothing is rendered while one of these stands.
    Error,
    /// Probably a mistake.
    Warning,
    /// Worth knowing.
    Note,
}

/// A place in a file. It ends before the column `end_column` of the line `end_line`.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Place {
    /// The file, relative to the directory of the manifest, or as it was named on the command line.
    file: String,
    /// The place in the model: `jobs.apply.steps[3].run`; empty for the whole file.
    path: String,
    /// The line, counted from 1.
    #[cfg_attr(test, schemars(range(min = 1)))]
    line: usize,
    /// The column in characters, counted from 1.
    #[cfg_attr(test, schemars(range(min = 1)))]
    column: usize,
    /// The line that the place ends in.
    #[cfg_attr(test, schemars(range(min = 1)))]
    end_line: usize,
    /// The column behind its last character.
    #[cfg_attr(test, schemars(range(min = 1)))]
    end_column: usize,
}

/// A further place.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Label {
    /// What it has to do with the finding.
    message: String,
    /// Where it is.
    #[serde(flatten)]
    place: Place,
}

/// One file that pyfleet owns.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct File {
    /// Its path, relative to the directory of the manifest.
    path: String,
    /// How it stood when it was looked at: before `render` wrote.
    state: State,
    /// What that means.
    message: String,
    /// What to do about it, where it is not as it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

/// What came of a run.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Summary {
    /// The subcommand.
    command: &'static str,
    /// 0: clean; 1: findings, or files that are not current; 2: could not run, such as with an invalid manifest.
    #[cfg_attr(test, schemars(range(max = 2)))]
    exit_code: u8,
    /// How many findings are errors.
    errors: usize,
    /// How many are warnings.
    warnings: usize,
    /// How many are notes.
    notes: usize,
    /// How many files were neither current nor their owner's, where they were compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_current: Option<usize>,
    /// Whether what differed was written; only `render` says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    written: Option<bool>,
}

/// Prints the object. It holds nothing that looks like a secret, and no line of it is a command to GitHub's runner.
pub(crate) fn write(report: &Report, exit: Exit, streams: &mut Streams<'_>) -> io::Result<()> {
    let text = serde_json::to_string_pretty(&written(report, exit)).map_err(io::Error::from)?;
    // No line can start with `::`; `##[` stands in strings only, where it can be said in another way.
    writeln!(streams.out, "{}", text.replace("##[", "#\\u0023["))
}

/// Everything that was found, file by file.
pub(super) fn findings(report: &Report) -> Vec<Finding> {
    let findings = report.texts.iter().flat_map(|text| {
        text.findings.iter().map(|found| {
            let finding = &found.diagnostic;
            let place = |place: &diagnostic::Place, span: Span| self::place(&text.source, &place.path, span);
            Finding {
                code: finding.code,
                severity: match finding.severity {
                    Severity::Error => Level::Error,
                    Severity::Warning => Level::Warning,
                    Severity::Note => Level::Note,
                },
                message: visible(&finding.message).into_owned(),
                help: finding.help.iter().map(|help| visible(help).into_owned()).collect(),
                place: place(&finding.place, found.span()),
                labels: finding
                    .labels
                    .iter()
                    .filter_map(|label| {
                        let span = label.place.span.clone()?;
                        Some(Label {
                            message: visible(&label.message).into_owned(),
                            place: place(&label.place, span),
                        })
                    })
                    .collect(),
                origin: found.origin.as_ref().map(|(manifest, span)| {
                    let path = finding.origin.clone().unwrap_or_default();
                    self::place(manifest, &path, span.clone())
                }),
            }
        })
    });
    findings.collect()
}

fn written(report: &Report, exit: Exit) -> Written {
    let file = |file: &super::File| File {
        path: visible(&file.path).into_owned(),
        state: file.state,
        message: visible(&file.meaning).into_owned(),
        help: file.help.as_deref().map(|help| visible(help).into_owned()),
    };
    Written {
        findings: findings(report),
        files: report.files.as_ref().map(|files| files.iter().map(file).collect()),
        summary: Summary {
            command: report.command,
            exit_code: exit.code(),
            errors: report.count(Severity::Error),
            warnings: report.count(Severity::Warning),
            notes: report.count(Severity::Note),
            not_current: report
                .files
                .as_ref()
                .map(|files| files.iter().filter(|file| file.is_not_current()).count()),
            written: report.written,
        },
    }
}

fn place(source: &Source, path: &diagnostic::Path, span: Span) -> Place {
    let (start, end) = (source.position(span.start), source.position(span.end.max(span.start)));
    Place {
        file: visible(source.name()).into_owned(),
        path: visible(&path.to_string()).into_owned(),
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;
    use pyfleet_core::diagnostic::{Diagnostic, Path as Place, Place as At};
    use pyfleet_core::source::Source;
    use serde_json::json;

    use super::{Written, written};
    use crate::exit::Exit;
    use crate::report::Report;

    #[test]
    fn a_finding_in_a_rendered_file_names_its_origin() {
        let at = |path: &[&str], span| At { span: Some(span), ..At::value(Place::of(path.iter().copied())) };
        let mut finding = Diagnostic::note("some-rule", at(&["jobs", "a"], 3..5), "token: hunter2")
            .with_label(at(&["on"], 0..2), "the other one");
        finding.origin = Some(Place::of(["tests", "a"]));
        let mut report = Report::new("validate", Utf8Path::new(""));
        let origin = |_: &Diagnostic| Some((Source::new("pyfleet.yml", "a:\n  b: 1\n"), 5..6));
        report.add_rendered(Source::new("x.yml", "on\n\u{fc}"), [finding].into_iter().collect(), origin);
        let written = serde_json::to_value(written(&report, Exit::Clean)).unwrap();
        assert_eq!(
            written["findings"][0],
            json!({
                "code": "some-rule", "severity": "note", "message": "token: *******", "help": [],
                "file": "x.yml", "path": "jobs.a", "line": 2, "column": 1, "end_line": 2, "end_column": 2,
                "labels": [{
                    "message": "the other one",
                    "file": "x.yml", "path": "on", "line": 1, "column": 1, "end_line": 1, "end_column": 3,
                }],
                "origin": {
                    "file": "pyfleet.yml", "path": "tests.a", "line": 2, "column": 3, "end_line": 2, "end_column": 4,
                },
            })
        );
        let schema = serde_json::from_str(pyfleet_schemas::REPORT).unwrap();
        let validator = jsonschema::draft7::new(&schema).unwrap();
        assert!(validator.is_valid(&written));
    }

    #[test]
    fn the_schema_is_written_from_the_types() {
        super::super::schema::is_written_from::<Written>("report");
    }
}
