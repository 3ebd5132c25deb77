//! Findings for people, in the style of the Rust compiler.

use std::fmt::Write;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use pyfleet_core::diagnostic::Severity;
use pyfleet_core::source::{Source, Span};
use rayon::prelude::*;

use super::{Finding, Found, Report, first_line, inert, visible};
use crate::Streams;

/// More than so many findings of one text are counted, not shown.
const SHOWN: usize = 100;

/// So many texts are made ready side by side before they are written: enough for every processor, and no more of a
/// long report in memory than that.
const TOGETHER: usize = 256;

/// Prints findings with their places. No output holds what looks like a secret, or acts on a terminal.
pub(crate) fn write(report: &Report, streams: &mut Streams<'_>) -> std::io::Result<()> {
    let renderer = if streams.colour { Renderer::styled() } else { Renderer::plain() };
    for texts in report.texts.chunks(TOGETHER) {
        let ready: Vec<String> = texts.par_iter().map(|text| show(text, &renderer)).collect();
        ready.iter().try_for_each(|text| streams.err.write_all(text.as_bytes()))?;
    }
    Ok(())
}

fn show(text: &Found, renderer: &Renderer) -> String {
    let Found { source, findings } = text;
    let source = Source::new(visible(source.name()), visible(source.text()));
    let mut shown = String::new();
    for finding in findings.iter().take(SHOWN) {
        for line in render(renderer, &source, finding).lines() {
            shown.push_str(&inert(line));
            shown.push('\n');
        }
        shown.push('\n');
    }
    if let Some(hidden) = findings.len().checked_sub(SHOWN).filter(|hidden| *hidden > 0) {
        let _ = writeln!(shown, "{}: {hidden} more findings are not shown", source.name()); // a `String` takes it all
    }
    shown
}

fn render(renderer: &Renderer, source: &Source, found: &Finding) -> String {
    let finding = &found.diagnostic;
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let text = source.text();
    let primary = first_line(text, found.span());
    let others: Vec<(Span, &str)> = finding
        .labels
        .iter()
        .filter_map(|label| Some((first_line(text, label.place.span.clone()?), label.message.as_str())))
        .collect();
    // The renderer looks through all that it is given, so that it is given no more than it may show.
    let spans = || others.iter().map(|(span, _)| span).chain([&primary]);
    let start = spans().map(|span| span.start).min().unwrap_or_default();
    let start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let end = spans().map(|span| span.end).max().unwrap_or_default();
    let end = text[end..].find('\n').map_or(text.len(), |newline| end + newline + 1);
    let inside = |span: &Span| span.start - start..span.end - start;

    let mut annotation = AnnotationKind::Primary.span(inside(&primary));
    if !finding.label.is_empty() {
        annotation = annotation.label(finding.label.as_str());
    }
    let mut snippet = Snippet::source(&text[start..end])
        .line_start(source.position(start).line)
        .path(source.name())
        .fold(true)
        .annotation(annotation);
    for (span, label) in &others {
        snippet = snippet.annotation(AnnotationKind::Context.span(inside(span)).label(*label));
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
