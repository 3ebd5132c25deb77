//! What a plain scalar means, and which source bytes a scalar's characters come from.

use std::ops::Range;

use crate::source::find_byte;

/// What GitHub makes of a scalar without quotes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Plain {
    Null,
    Bool(bool),
    Number(f64),
    String,
    /// Looks like a number, and GitHub refuses it: `0x1FFFFFFFF`.
    OutOfRange,
}

/// The YAML 1.2 core schema as `actions/runner` implements it
/// (`src/Sdk/WorkflowParser/Conversion/YamlObjectReader.cs`, `Match…`), wrapping of 32-bit hexadecimal
/// and octal numbers included.
pub(super) fn resolve(text: &str) -> Plain {
    // Nearly every text is a string by its first letter.
    match text.bytes().next() {
        None => Plain::Null,
        Some(b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F') => word(text),
        Some(b'0'..=b'9' | b'.' | b'+' | b'-') => number(text),
        Some(_) => Plain::String,
    }
}

fn word(text: &str) -> Plain {
    match text {
        "null" | "Null" | "NULL" | "~" => Plain::Null,
        "true" | "True" | "TRUE" => Plain::Bool(true),
        "false" | "False" | "FALSE" => Plain::Bool(false),
        _ => Plain::String,
    }
}

fn number(text: &str) -> Plain {
    match text {
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Plain::Number(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Plain::Number(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Plain::Number(f64::NAN),
        _ => {}
    }
    if let Some(digits) =
        text.strip_prefix("0x").filter(|digits| all(digits, |byte| byte.is_ascii_hexdigit()))
    {
        return wrapped(digits, 16);
    }
    if let Some(digits) =
        text.strip_prefix("0o").filter(|digits| all(digits, |byte| matches!(byte, b'0'..=b'7')))
    {
        return wrapped(digits, 8);
    }
    if is_decimal(text) { text.parse().map_or(Plain::OutOfRange, Plain::Number) } else { Plain::String }
}

/// The whole number that an integer's text stands for, as `!!int` accepts it.
pub(super) fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    all(digits, |byte| byte.is_ascii_digit())
        || (matches!(resolve(text), Plain::Number(_)) && (text.starts_with("0x") || text.starts_with("0o")))
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (number, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| all(exponent, |byte| byte.is_ascii_digit()))
}

fn all(text: &str, test: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(test)
}

/// .NET reads these digits as the bits of a signed 32-bit integer.
fn wrapped(digits: &str, radix: u32) -> Plain {
    u32::from_str_radix(digits, radix)
        .map_or(Plain::OutOfRange, |bits| Plain::Number(f64::from(bits.cast_signed())))
}

/// Characters of a scalar that come from one place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    /// Where the first one stands in the value.
    pub(super) value: usize,
    /// The bytes they were read from: one for each byte of theirs, or all of them for a single character.
    pub(super) source: Range<usize>,
    /// How many bytes they have.
    pub(super) length: usize,
}

impl Run {
    /// The bytes of the source that a part of the run comes from, by its bytes in the value.
    pub(super) fn part(&self, start: usize, end: usize) -> Range<usize> {
        if self.source.len() != self.length {
            return self.source.clone();
        }
        let at = |place: usize| self.source.start + place.saturating_sub(self.value).min(self.length);
        at(start)..at(end)
    }
}

/// Where the characters of `value` were read from in `source`, which starts with the scalar's first character: a
/// quote, `|`, `>` or text. `None` when the two do not belong together, as for an alias.
///
/// Through folding, the one space that replaces a line break comes from that break.
pub(super) fn origins(source: &str, value: &str) -> Option<Vec<Run>> {
    match source.bytes().next() {
        Some(b'"') => flow(source, value, Style::Double),
        Some(b'\'') => flow(source, value, Style::Single),
        Some(b'|' | b'>') => block(source, value),
        _ => flow(source, value, Style::Plain),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Style {
    Plain,
    Single,
    Double,
}

/// Collects the places of the expected characters, and notices when the source says something else.
struct Alignment<'a> {
    value: &'a str,
    at: usize,
    runs: Vec<Run>,
}

impl<'a> Alignment<'a> {
    const fn new(value: &'a str) -> Self {
        Self { value, at: 0, runs: Vec::new() }
    }

    fn expected(&self) -> &'a str {
        self.value.get(self.at..).unwrap_or_default()
    }

    fn is_complete(&self) -> bool {
        self.at == self.value.len()
    }

    /// A character, and the bytes it was read from.
    fn take(&mut self, read: char, from: Range<usize>) -> Option<()> {
        self.expected().starts_with(read).then(|| self.push(read.len_utf8(), from))
    }

    /// Characters that stand in the source as they are.
    fn take_text(&mut self, read: &str, start: usize) -> Option<()> {
        self.expected().starts_with(read).then(|| self.push(read.len(), start..start + read.len()))
    }

    fn push(&mut self, length: usize, source: Range<usize>) {
        let is_next = |last: &&mut Run| {
            let both_as_they_are = last.length == last.source.len() && length == source.len();
            both_as_they_are && last.source.end == source.start
        };
        match self.runs.last_mut().filter(is_next) {
            Some(last) => {
                last.source.end = source.end;
                last.length += length;
            }
            None => self.runs.push(Run { value: self.at, source, length }),
        }
        self.at += length;
    }
}

fn flow(source: &str, value: &str, style: Style) -> Option<Vec<Run>> {
    let mut aligned = Alignment::new(value);
    let mut at = usize::from(style != Style::Plain);
    while !aligned.is_complete() {
        let rest = source.get(at..)?;
        let first = rest.chars().next()?;
        let escaped_break = style == Style::Double && (rest.starts_with("\\\n") || rest.starts_with("\\\r"));
        if escaped_break || matches!(first, ' ' | '\t' | '\r' | '\n') {
            let (run_end, breaks) = blank_run(source, at + usize::from(escaped_break))?;
            match breaks.split_first() {
                Some((line_end, blank_lines)) => {
                    if blank_lines.is_empty() && !escaped_break {
                        aligned.take(' ', line_end.clone())?;
                    }
                    for blank_line in blank_lines {
                        aligned.take('\n', blank_line.clone())?;
                    }
                }
                None => aligned.take_text(&source[at..run_end], at)?,
            }
            at = run_end;
            continue;
        }
        let length = match (style, first) {
            (Style::Double, '\\') => {
                let length = escape_length(rest)?;
                aligned.take(aligned.expected().chars().next()?, at..at + length)?;
                length
            }
            (Style::Single, '\'') => {
                aligned.take('\'', at..at + 2)?;
                2
            }
            _ => {
                let text = as_it_is(rest, first.len_utf8());
                let text = text.get(..aligned.expected().len()).unwrap_or(text);
                aligned.take_text(text, at)?;
                text.len()
            }
        };
        at += length;
    }
    Some(aligned.runs)
}

/// The text up to the next character that may stand for another, the first ones aside.
fn as_it_is(rest: &str, first: usize) -> &str {
    let is_special = |letter| matches!(letter, b'\\' | b'\'' | b' ' | b'\t' | b'\r' | b'\n');
    let end = rest.bytes().skip(first).position(is_special).map_or(rest.len(), |at| first + at);
    &rest[..end]
}

/// The end of the blanks and breaks at `start`, and the breaks among them.
fn blank_run(source: &str, start: usize) -> Option<(usize, Vec<Range<usize>>)> {
    let rest = source.get(start..)?;
    let run = &rest[..rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len()];
    let breaks = lines(run).filter(|(_, line_break)| !line_break.is_empty());
    let breaks = breaks.map(|(_, line_break)| start + line_break.start..start + line_break.end).collect();
    Some((start + run.len(), breaks))
}

/// The bytes of the escape sequence that `rest` starts with; a surrogate pair is one.
fn escape_length(rest: &str) -> Option<usize> {
    let letter = rest.chars().nth(1)?;
    let is_high_surrogate = || {
        let code = rest.get(2..6).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        code.is_some_and(|code| (0xD800..0xDC00).contains(&code))
    };
    Some(match letter {
        'x' => 4,
        'u' if is_high_surrogate() => 12,
        'u' => 6,
        'U' => 10,
        _ => 1 + letter.len_utf8(),
    })
}

/// Lines as (text, line break); a break is LF, CRLF or CR.
fn lines(text: &str) -> impl Iterator<Item = (Range<usize>, Range<usize>)> + '_ {
    let bytes = text.as_bytes();
    // The next line feed is looked for where the last one was passed: where carriage returns end lines, it is far.
    let (mut at, mut line_feed) = (0, None);
    std::iter::from_fn(move || {
        if at == text.len() {
            return None;
        }
        let feed = line_feed.filter(|feed| at <= *feed);
        let feed = feed.unwrap_or_else(|| find_byte(bytes, b'\n', at).unwrap_or(text.len()));
        line_feed = Some(feed);
        let end = find_byte(&bytes[..feed], b'\r', at).unwrap_or(feed);
        let break_length = if text[end..].starts_with("\r\n") { 2 } else { usize::from(end < text.len()) };
        let line = (at..end, end..end + break_length);
        at = end + break_length;
        Some(line)
    })
}

fn block(source: &str, value: &str) -> Option<Vec<Run>> {
    let mut lines = lines(source);
    lines.next()?;
    // The source goes on to the end of the file. A line of it that counts leaves a break in the value, or a blank where
    // it is folded, or is the first one behind a line that does.
    let is_folded = source.starts_with('>');
    let breaks = value.bytes().filter(|byte| *byte == b'\n' || is_folded && *byte == b' ').count();
    let lines: Vec<_> = lines.take(2 * breaks + 2).collect();
    let widest = first_indentation(lines.iter().map(|(line, _)| &source[line.clone()]));
    // What a header with a digit leaves of it is in the value.
    let indent = widest.checked_sub(first_indentation(value.split('\n')))?;
    block_at(source, &lines, value, indent)
}

/// How far the first line with text is indented.
fn first_indentation<'a>(mut lines: impl Iterator<Item = &'a str>) -> usize {
    let first = lines.find(|text| indentation(text) < text.len());
    first.map_or(0, indentation)
}

fn indentation(line: &str) -> usize {
    line.bytes().take_while(|byte| *byte == b' ').count()
}

fn block_at(
    source: &str,
    lines: &[(Range<usize>, Range<usize>)],
    value: &str,
    indent: usize,
) -> Option<Vec<Run>> {
    let folded = source.starts_with('>');
    let content: Vec<Range<usize>> = lines
        .iter()
        .map_while(|(line, _)| {
            let text = &source[line.clone()];
            let spaces = indentation(text).min(indent);
            (spaces == indent || spaces == text.len()).then_some(line.start + spaces..line.end)
        })
        .collect();
    let line_break =
        |index: usize| lines.get(index).map_or(source.len()..source.len(), |(_, end)| end.clone());
    let is_indented = |range: &Range<usize>| source[range.clone()].starts_with([' ', '\t']);

    let mut aligned = Alignment::new(value);
    let mut index = 0;
    while !aligned.is_complete() {
        let line = content.get(index)?;
        aligned.take_text(&source[line.clone()], line.start)?;
        let may_fold = folded && !line.is_empty() && !is_indented(line);
        let mut behind = content.iter().enumerate().skip(index + 1);
        let next = if may_fold { behind.find(|(_, line)| !line.is_empty()) } else { None };
        match next {
            Some((next, text)) if !is_indented(text) => {
                if next == index + 1 {
                    aligned.take(' ', line_break(index))?;
                }
                for blank in index + 1..next {
                    aligned.take('\n', line_break(blank))?;
                }
                index = next;
            }
            _ => {
                if !aligned.is_complete() {
                    aligned.take('\n', line_break(index))?;
                }
                index += 1;
            }
        }
    }
    Some(aligned.runs)
}
