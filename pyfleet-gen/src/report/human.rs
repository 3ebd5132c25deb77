//! Findings for people, in the style of the Rust compiler.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use pyfleet_core::diagnostic::Severity;
use pyfleet_core::source::Source;

use super::{Finding, Found, Report, first_line, inert, visible};
use crate::Streams;

/// More than so many findings of one text are counted, not shown.
const SHOWN: usize = 100;

/// Prints findings with their places. No output holds what looks like a secret, or acts on a terminal.
pub(crate) fn write(report: &Report, streams: &mut Streams<'_>) -> std::io::Result<()> {
    report.texts.iter().try_for_each(|text| write_text(text, streams))
}

fn write_text(text: &Found, streams: &mut Streams<'_>) -> std::io::Result<()> {
    let Found { source, findings } = text;
    let renderer = if streams.colour { Renderer::styled() } else { Renderer::plain() };
    let shown = Source::new(visible(source.name()), visible(source.text()));
    for finding in findings.iter().take(SHOWN) {
        for line in render(&renderer, &shown, finding).lines() {
            writeln!(streams.err, "{}", inert(line))?;
        }
        writeln!(streams.err)?;
    }
    if findings.len() > SHOWN {
        writeln!(streams.err, "{}: {} more findings are not shown", shown.name(), findings.len() - SHOWN)?;
    }
    Ok(())
}

fn render(renderer: &Renderer, source: &Source, found: &Finding) -> String {
    let finding = &found.diagnostic;
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let text = source.text();
    let mut snippet = Snippet::source(text).path(source.name()).fold(true);
    let mut annotation = AnnotationKind::Primary.span(first_line(text, found.span()));
    if !finding.label.is_empty() {
        annotation = annotation.label(finding.label.as_str());
    }
    snippet = snippet.annotation(annotation);
    for label in &finding.labels {
        if let Some(span) = label.place.span.clone() {
            snippet = snippet.annotation(
                AnnotationKind::Context.span(first_line(text, span)).label(label.message.as_str()),
            );
        }
    }
    let message = visible(&finding.message);
    let mut group =
        Group::with_title(level.primary_title(message.as_str()).id(finding.code)).element(snippet);
    if let Some((manifest, span)) = &found.origin {
        let cause = Snippet::source(visible(manifest.text())).path(manifest.name()).fold(true).annotation(
            AnnotationKind::Primary
                .span(first_line(manifest.text(), span.clone()))
                .label("it comes from here"),
        );
        group = group.element(cause);
    }
    for help in &finding.help {
        group = group.element(Level::HELP.message(visible(help)));
    }
    renderer.render(&[group]).to_string()
}
