//! Findings for people, in the style of the Rust compiler.

use std::borrow::Cow;
use std::fmt::Write;
use std::ops::Range;

use pyfleet_core::source::{Source, Span};
use rayon::prelude::*;

use super::excerpt::{Excerpt, Mark, Snippet};
use super::{Finding, Found, Report, first_line, inert, visible};
use crate::Streams;

/// More than so many findings of one text are counted, not shown.
const SHOWN: usize = 100;

/// So many texts are made ready side by side before they are written: enough for every processor, and no more of a
/// long report in memory than that.
const TOGETHER: usize = 256;

/// Fewer texts are ready before the threads would have started.
const FEW: usize = 8;

/// Prints findings with their places. No output holds what looks like a secret, or acts on a terminal.
pub(crate) fn write(report: &Report, streams: &mut Streams<'_>) -> std::io::Result<()> {
    let colour = streams.colour;
    for texts in report.texts.chunks(TOGETHER) {
        let ready: Vec<String> = if texts.len() < FEW {
            texts.iter().map(|text| show(text, colour)).collect()
        } else {
            texts.par_iter().map(|text| show(text, colour)).collect()
        };
        streams.err.write_all(ready.concat().as_bytes())?;
    }
    Ok(())
}

fn show(found: &Found, colour: bool) -> String {
    let Found { source, findings } = found;
    let (name, text) = (visible(source.name()), visible(source.text()));
    let (mut shown, mut drawn) = (String::new(), String::new());
    for finding in findings.iter().take(SHOWN) {
        drawn.clear();
        excerpt(source, &name, &text, finding).write(colour, &mut drawn);
        shown.push_str(&inert_lines(&drawn));
        shown.push('\n');
    }
    if let Some(hidden) = findings.len().checked_sub(SHOWN).filter(|hidden| *hidden > 0) {
        let _ = writeln!(shown, "{name}: {hidden} more findings are not shown"); // a `String` takes it all
    }
    shown
}

/// A finding with what is shown of the text. In what is visible every byte keeps its place, so that places are as they
/// are in the source.
pub(super) fn excerpt<'a>(source: &Source, name: &'a str, text: &'a str, found: &'a Finding) -> Excerpt<'a> {
    let finding = &found.diagnostic;
    let span = first_line(text, found.span());
    let label = Some(finding.label.as_str()).filter(|label| !label.is_empty());
    let beside: Vec<(Span, &str)> = finding
        .labels
        .iter()
        .filter_map(|label| Some((first_line(text, label.place.span.clone()?), label.message.as_str())))
        .collect();
    // Whoever draws looks through all that is given, and is given no more than may be shown.
    let lines = lines_around(text, beside.iter().map(|(span, _)| span).chain([&span]));
    let mark = |span: Span, label: Option<&'a str>| Mark {
        span: span.start - lines.start..span.end - lines.start,
        label: label.map(visible),
    };
    Excerpt {
        severity: finding.severity,
        code: finding.code,
        message: visible(&finding.message),
        found: Snippet {
            path: Cow::Borrowed(name),
            text: Cow::Borrowed(&text[lines.clone()]),
            first_line: source.position(lines.start).line,
            mark: mark(span, label),
            beside: beside.into_iter().map(|(span, label)| mark(span, Some(label))).collect(),
        },
        origin: found.origin.as_ref().map(|(manifest, span)| Snippet {
            path: visible(manifest.name()),
            text: visible(manifest.text()),
            first_line: 1,
            mark: Mark {
                span: first_line(manifest.text(), span.clone()),
                label: Some("it comes from here".into()),
            },
            beside: Vec::new(),
        }),
        helps: finding.help.iter().map(|help| visible(help)).collect(),
    }
}

/// Every line of a text as [`inert`] leaves it, and without a carriage return at its end. A text that holds nothing of
/// the kind is not taken apart.
fn inert_lines(text: &str) -> Cow<'_, str> {
    if !text.contains("::") && !text.contains("##[") && !text.contains('\r') {
        return Cow::Borrowed(text);
    }
    let mut lines = String::with_capacity(text.len());
    for line in text.lines() {
        lines.push_str(&inert(line));
        lines.push('\n');
    }
    Cow::Owned(lines)
}

/// From the beginning of the first line that holds one of the spans to the end of the last.
fn lines_around<'s>(text: &str, spans: impl Iterator<Item = &'s Span> + Clone) -> Range<usize> {
    let start = spans.clone().map(|span| span.start).min().unwrap_or_default();
    let end = spans.map(|span| span.end).max().unwrap_or_default();
    let start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[end..].find('\n').map_or(text.len(), |newline| end + newline + 1);
    start..end
}
