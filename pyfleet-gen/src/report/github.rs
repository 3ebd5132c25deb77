//! Workflow commands, which GitHub's runner shows as annotations on the run and the pull request.
//!
//! GitHub shows ten of each severity a step; the log has all of them.
//! ([GitHub: workflow commands](https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands))

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;

use camino::Utf8Path;
use pyfleet_core::diagnostic::Severity;
use pyfleet_core::source::{Source, Span};

use super::{Finding, Report, count, first_line, inert, visible};
use crate::Streams;
use crate::exit::Exit;

/// Prints a command for every finding, and for every file that is not current where that is why the run fails. A last
/// line, which is no command, counts them.
pub(crate) fn write(report: &Report, exit: Exit, streams: &mut Streams<'_>) -> io::Result<()> {
    for text in &report.texts {
        for finding in &text.findings {
            writeln!(streams.out, "{}", command(&report.root, &text.source, finding))?;
        }
    }
    let files = report.files.iter().flatten().filter(|file| file.is_not_current());
    let mut annotated = 0;
    for file in files.filter(|_| exit != Exit::Clean) {
        let path = report.root.join(&file.path);
        let mut message = format!("{}: {}", file.path, file.meaning);
        if let Some(help) = &file.help {
            let _ = write!(message, "\nhelp: {help}");
        }
        let command =
            format!("::error file={},title=not current::{}", property(path.as_str()), data(&message));
        writeln!(streams.out, "{command}")?;
        annotated += 1;
    }
    let mut summary = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")]
        .map(|(severity, noun)| count(report.count(severity), noun))
        .join(", ");
    if annotated > 0 {
        let verb = if annotated == 1 { "is" } else { "are" };
        let _ = write!(summary, "; {} {verb} not current", count(annotated, "file"));
    }
    writeln!(streams.out, "{}", inert(&summary))
}

/// The command for a finding. One in a rendered file is shown where the manifest asks for it: nobody edits the rendered
/// file, and it may not have been written.
fn command(root: &Utf8Path, source: &Source, finding: &Finding) -> String {
    let diagnostic = &finding.diagnostic;
    let own = (source, finding.span());
    let (shown, span) =
        finding.origin.as_ref().map_or(own.clone(), |(manifest, span)| (manifest, span.clone()));
    let mut message = diagnostic.message.clone();
    if finding.origin.is_some() {
        let at = source.position(own.1.start);
        let _ =
            write!(message, "\nin what is rendered from here: {}:{}:{}", source.name(), at.line, at.column);
    }
    for help in &diagnostic.help {
        let _ = write!(message, "\nhelp: {help}");
    }
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let Span { start, end } = first_line(shown.text(), span);
    let (start, end) = (shown.position(start), shown.position(end));
    format!(
        "::{severity} file={},line={},endLine={},col={},endColumn={},title={}::{}",
        property(root.join(shown.name()).as_str()),
        start.line,
        end.line,
        start.column,
        end.column,
        property(diagnostic.code),
        data(&message)
    )
}

/// A command's message, escaped as the runner reads it back. Line feeds stay; nothing in it is a command of its own.
/// ([actions/toolkit: command.ts](https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts))
fn data(text: &str) -> String {
    let text = visible(text);
    let lines: Vec<Cow<'_, str>> = text.lines().map(inert).collect();
    lines.join("\n").replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a command: a comma or a colon would end it.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;
    use pyfleet_core::diagnostic::{Diagnostic, Place};
    use pyfleet_core::source::Source;

    use super::command;
    use crate::report::Finding;

    #[test]
    fn nothing_ends_a_command_early() {
        let hostile = "50 %\r\n::stop-commands::x\n##[error]y \u{1b}[2J";
        let place = Place { span: Some(4..13), ..Place::default() };
        let diagnostic = Diagnostic::error("some-rule", place, hostile).with_help("a, b: c");
        let finding = Finding { diagnostic, origin: None };
        let source = Source::new("a,b:c::d%0A.yml", "on: \u{fc}: x\nname: y\n");
        assert_eq!(
            command(Utf8Path::new("sub"), &source, &finding),
            "::error file=sub/a%2Cb%3Ac%3A%3Ad%250A.yml,line=1,endLine=1,col=5,endColumn=9,title=some-rule\
             ::50 %25%0A: :stop-commands::x%0A## [error]y ?[2J%0Ahelp: a, b: c"
        );
    }

    #[test]
    fn a_finding_in_a_rendered_file_is_shown_in_the_manifest() {
        let place = Place { span: Some(0..2), ..Place::default() };
        let diagnostic = Diagnostic::warning("some-rule", place, "odd");
        let origin = Some((Source::new("pyfleet.yml", "a: 1\nb:\n  c: 2\n"), 5..14));
        let rendered = Source::new(".github/workflows/x.yml", "on: push\n");
        assert_eq!(
            command(Utf8Path::new(""), &rendered, &Finding { diagnostic, origin }),
            "::warning file=pyfleet.yml,line=2,endLine=2,col=1,endColumn=3,title=some-rule::odd%0Ain what is rendered \
             from here: .github/workflows/x.yml:1:1"
        );
    }
}
