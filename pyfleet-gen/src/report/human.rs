//! Findings for people, in the style of the Rust compiler.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use pyfleet_core::diagnostic::{Diagnostic, Diagnostics, Severity};
use pyfleet_core::source::{Source, Span};

use super::{inert, visible};
use crate::Streams;

/// Finds the place in the manifest that a finding in a rendered file comes from.
pub(crate) type Origin<'a> = &'a dyn Fn(&Diagnostic) -> Option<(Source, Span)>;

/// More than so many findings of one text are counted, not shown.
const SHOWN: usize = 100;

/// Prints findings with their places. No output holds what looks like a secret, or acts on a terminal.
pub(crate) fn report(
    source: &Source,
    findings: &Diagnostics,
    manifest: Option<Origin<'_>>,
    streams: &mut Streams<'_>,
) -> std::io::Result<()> {
    let renderer = if streams.colour { Renderer::styled() } else { Renderer::plain() };
    let shown = Source::new(visible(source.name()), visible(source.text()));
    for finding in findings.iter().take(SHOWN) {
        let origin = manifest.and_then(|resolve| resolve(finding));
        for line in render(&renderer, &shown, finding, origin.as_ref()).lines() {
            writeln!(streams.err, "{}", inert(line))?;
        }
        writeln!(streams.err)?;
    }
    if findings.len() > SHOWN {
        writeln!(streams.err, "{}: {} more findings are not shown", shown.name(), findings.len() - SHOWN)?;
    }
    Ok(())
}

fn render(
    renderer: &Renderer,
    source: &Source,
    finding: &Diagnostic,
    origin: Option<&(Source, Span)>,
) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let text = source.text();
    let mut snippet = Snippet::source(text).path(source.name()).fold(true);
    let primary = finding.place.span.clone().unwrap_or(0..0);
    let mut annotation = AnnotationKind::Primary.span(on_one_line(text, primary));
    if !finding.label.is_empty() {
        annotation = annotation.label(finding.label.as_str());
    }
    snippet = snippet.annotation(annotation);
    for label in &finding.labels {
        if let Some(span) = label.place.span.clone() {
            snippet = snippet.annotation(
                AnnotationKind::Context.span(on_one_line(text, span)).label(label.message.as_str()),
            );
        }
    }
    let message = visible(&finding.message);
    let mut group =
        Group::with_title(level.primary_title(message.as_str()).id(finding.code)).element(snippet);
    if let Some((manifest, span)) = origin {
        let cause = Snippet::source(visible(manifest.text())).path(manifest.name()).fold(true).annotation(
            AnnotationKind::Primary
                .span(on_one_line(manifest.text(), span.clone()))
                .label("it comes from here"),
        );
        group = group.element(cause);
    }
    for help in &finding.help {
        group = group.element(Level::HELP.message(visible(help)));
    }
    renderer.render(&[group]).to_string()
}

/// The part of a span on its first line: a whole mapping underlined says less than its first key.
fn on_one_line(text: &str, span: Span) -> Span {
    let start = span.start.min(text.len());
    let end = span.end.clamp(start, text.len());
    let line_end =
        text.get(start..end).and_then(|inside| inside.find('\n')).map_or(end, |newline| start + newline);
    start..line_end
}
