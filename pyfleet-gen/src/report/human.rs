//! Findings for people, in the style of the Rust compiler.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::fmt::Write;
use std::ops::Range;

use pyfleet_core::secret::is_masked_by_line;
use pyfleet_core::source::{Source, Span};

use super::excerpt::{Excerpt, Mark, Snippet};
use super::{Finding, Found, Report, first_line, inert, visible};
use crate::Streams;

/// More than so many findings of one text are counted, not shown.
const SHOWN: usize = 100;

/// Prints findings with their places.
pub(crate) fn write(report: &Report, streams: &mut Streams<'_>) -> std::io::Result<()> {
    report.texts.iter().try_for_each(|found| streams.err.write_all(drawn(found, streams.colour).as_bytes()))
}

/// The findings in a text with their places. Nothing in it looks like a secret, or acts on a terminal.
pub(crate) fn drawn(found: &Found, colour: bool) -> String {
    let mut drawn = String::new();
    let text = Shown::of(&found.source);
    for finding in found.findings.iter().take(SHOWN) {
        let start = drawn.len();
        excerpt(&text, finding).write(colour, &mut drawn);
        make_inert(&mut drawn, start);
        drawn.push('\n');
    }
    if let Some(hidden) = found.findings.len().checked_sub(SHOWN).filter(|hidden| *hidden > 0) {
        let _ = writeln!(drawn, "{}: {hidden} more findings are not shown", text.name); // a `String` takes it all
    }
    drawn
}

/// A text of which lines are shown.
pub(super) struct Shown<'s> {
    source: &'s Source,
    /// Its name, as it can be shown.
    name: Cow<'s, str>,
    /// How many bytes are still made visible line by line, as most lines are never shown. Many findings may show the
    /// same line: no more than all of it has. None where a line alone is masked otherwise.
    by_line: Cell<usize>,
    /// All of it, as it can be shown.
    whole: OnceCell<Cow<'s, str>>,
    /// Where the last line begins that was asked for, and how many are before it.
    counted: Cell<(usize, usize)>,
}

impl<'s> Shown<'s> {
    pub(super) fn of(source: &'s Source) -> Self {
        let text = source.text();
        Self {
            source,
            name: visible(source.name()),
            by_line: Cell::new(if is_masked_by_line(text) { text.len() } else { 0 }),
            whole: OnceCell::new(),
            counted: Cell::default(),
        }
    }

    /// The bytes of the lines from the one that holds the first of some offsets to the one that holds the last, each
    /// with its line feed.
    fn lines_around(&self, offsets: Range<usize>) -> Range<usize> {
        let text = self.source.text();
        let (first, last) = (text.floor_char_boundary(offsets.start), text.floor_char_boundary(offsets.end));
        let start = text[..first].rfind('\n').map_or(0, |line_feed| line_feed + 1);
        let end = text[last..].find('\n').map_or(text.len(), |length| last + length + 1);
        start..end
    }

    /// The number of the line that begins somewhere, from 1. Findings come mostly in the order of the text: lines are
    /// counted from the one that was last asked for.
    fn number_of(&self, line_start: usize) -> usize {
        let (last_start, lines_before) = self.counted.get();
        let line_feeds = |bytes: Range<usize>| line_feeds_in(&self.source.text().as_bytes()[bytes]);
        let lines_before = if last_start <= line_start {
            lines_before + line_feeds(last_start..line_start)
        } else {
            lines_before - line_feeds(line_start..last_start)
        };
        self.counted.set((line_start, lines_before));
        lines_before + 1
    }

    /// Some of its lines, as they can be shown.
    fn lines(&self, lines: Range<usize>) -> Cow<'_, str> {
        let text = self.source.text();
        if let Some(left) = self.by_line.get().checked_sub(lines.len()) {
            self.by_line.set(left);
            visible(&text[lines])
        } else {
            Cow::Borrowed(&self.whole.get_or_init(|| visible(text))[lines])
        }
    }
}

/// A finding with what is shown of its text. In what is visible every byte keeps its place, so that places are as they
/// are in the source.
pub(super) fn excerpt<'a>(shown: &'a Shown<'_>, found: &'a Finding) -> Excerpt<'a> {
    let finding = &found.diagnostic;
    let span = found.span();
    let beside =
        || finding.labels.iter().filter_map(|label| Some((label.place.span.clone()?, &label.message)));
    let starts = beside().fold(span.start..span.start, |starts, (span, _)| {
        starts.start.min(span.start)..starts.end.max(span.start)
    });
    // Whoever draws looks through all that is given, and is given no more than may be shown.
    let lines = shown.lines_around(starts);
    let text = shown.lines(lines.clone());
    let mark = |span: Span, label: Option<&'a str>| {
        let in_lines = span.start - lines.start..span.end.saturating_sub(lines.start);
        Mark { span: first_line(&text, in_lines), label: label.map(visible) }
    };
    let label = Some(finding.label.as_str()).filter(|label| !label.is_empty());
    let (mark, beside) = (mark(span, label), beside().map(|(span, label)| mark(span, Some(label))).collect());
    Excerpt {
        severity: finding.severity,
        code: finding.code,
        message: visible(&finding.message),
        found: Snippet {
            path: Cow::Borrowed(&shown.name),
            text,
            first_line: shown.number_of(lines.start),
            mark,
            beside,
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

/// Leaves every line of a text from a place on as [`inert`] does, and without a carriage return at its end.
fn make_inert(text: &mut String, from: usize) {
    let added = &text[from..];
    if may_act(added.as_bytes()) {
        let mut lines = String::with_capacity(added.len());
        for line in added.lines() {
            lines.push_str(&inert(line));
            lines.push('\n');
        }
        text.replace_range(from.., &lines);
    }
}

/// Whether lines may hold something for [`make_inert`]: nearly none does. All pairs of bytes are looked at, many
/// together.
fn may_act(lines: &[u8]) -> bool {
    let acts = |(one, next): (&u8, &u8)| {
        (*one == b'\r') | (*one == b':') & (*next == b':') | (*one == b'#') & (*next == b'[')
    };
    lines.iter().zip(lines.get(1..).unwrap_or_default()).fold(false, |any, pair| any | acts(pair))
}

/// How many line feeds there are: of bytes that one byte can count, many are looked at together.
fn line_feeds_in(bytes: &[u8]) -> usize {
    let count = |few: &[u8]| few.iter().map(|byte| u8::from(*byte == b'\n')).sum::<u8>();
    bytes.chunks(usize::from(u8::MAX)).map(|few| usize::from(count(few))).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pyfleet_core::source::Source;

    use super::{Shown, make_inert};
    use crate::report::{inert, visible};

    /// Texts with what is masked, some of it over several lines, and what is replaced.
    fn text() -> impl Strategy<Value = String> {
        let key = ["-----BEGIN ", "PRIVATE", " KEY-----\nQUJDREVGR0hJSktMTU5P\n"].concat();
        let line = prop_oneof![
            9 => "( {0,4}[a-z:]{0,9}(\u{e4}|\u{1b}|\t)?[a-z]{0,30}){0,3}",
            6 => Just("  password: h\u{fc}nter2".to_owned()),
            1 => Just(key),
        ];
        prop::collection::vec((line, prop::sample::select(vec!["\n", "\r\n", ""])), 0..9)
            .prop_map(|lines| lines.into_iter().map(|(line, end)| line + end).collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn lines_are_shown_as_in_the_whole_text(text in text(), places in prop::collection::vec(any::<[usize; 2]>(), 9)) {
            let source = Source::new("x", &*text);
            let (shown, whole) = (Shown::of(&source), visible(&text));
            for place in places {
                let [one, other] = place.map(|offset| offset % (text.len() + 2));
                let (first, last) = (one.min(other), one.max(other));
                let lines = shown.lines_around(first..last);
                let line_feed = text.bytes().skip(last).position(|byte| byte == b'\n');
                prop_assert_eq!(lines.end, line_feed.map_or(text.len(), |length| last + length + 1));
                prop_assert!(lines.start == 0 || text[..lines.start].ends_with('\n'));
                prop_assert_eq!(shown.number_of(lines.start), source.position(first).line);
                prop_assert_eq!(shown.lines(lines.clone()), &whole[lines]);
            }
        }

        #[test]
        fn every_line_is_inert(before in "[a:]{0,3}", lines in prop::collection::vec("[ ]{0,2}[:#\\[a]{0,60}\r?\n", 0..5)) {
            let added = lines.concat();
            let expected: String = added.lines().map(|line| inert(line).into_owned() + "\n").collect();
            let mut text = before.clone() + &added;
            make_inert(&mut text, before.len());
            prop_assert_eq!(text, before + &expected);
        }
    }
}
