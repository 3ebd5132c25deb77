//! Scalars without quotes and in either kind of quotes.

use std::borrow::Cow;

use super::super::scalar::{Plain, resolve};
use super::super::tree::{Node, Number, Value};
use super::Reader;
use crate::source::Span;

/// A scalar that is a key or a value.
pub(super) struct Scalar<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) is_plain: bool,
    pub(super) span: Span,
}

/// What a scalar stands in.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Context {
    Block,
    Flow,
}

impl<'a> Reader<'a> {
    /// A scalar, only its first line if it has no quotes. `parent` is the indentation of the block collection around it.
    pub(super) fn scalar(&mut self, context: Context, parent: Option<usize>) -> Option<Scalar<'a>> {
        let start = self.cursor.at();
        let (text, is_plain) = match self.cursor.peek()? {
            quote @ (b'"' | b'\'') => (self.quoted(quote, parent)?, false),
            first if self.can_start_plain(first) => (self.plain_line(context)?.into(), true),
            _ => return None,
        };
        Some(Scalar { text, is_plain, span: start..self.cursor.at() })
    }

    /// The node of a scalar that is no key.
    pub(super) fn value(&mut self, scalar: Scalar<'_>) -> Option<Node> {
        let Scalar { text, is_plain, span } = scalar;
        self.events += 1;
        let value = match if is_plain { resolve(&text) } else { Plain::String } {
            Plain::Null => Value::Null,
            Plain::Bool(value) => Value::Bool(value),
            Plain::Number(value) => Value::Number(Number::new(value, &text)),
            Plain::String => Value::String(text.into()),
            Plain::OutOfRange => return None,
        };
        Some(Node { span, value })
    }

    /// The value that does not stand behind a colon.
    pub(super) fn nothing(&mut self, colon: usize) -> Node {
        self.events += 1;
        Node { span: colon..colon, value: Value::Null }
    }

    /// A scalar in a block collection with the lines that continue it, and the rest of its last line.
    pub(super) fn scalar_in_block(&mut self, mut scalar: Scalar<'a>, parent: Option<usize>) -> Option<Node> {
        loop {
            let behind = self.cursor;
            self.end_line()?;
            if !scalar.is_plain || self.cursor.indent <= parent {
                return self.value(scalar);
            }
            self.cursor = behind;
            scalar = self.continued(scalar, parent)?;
        }
    }

    /// `s-ns-plain-next-line`: a scalar without quotes, and the next of its lines.
    fn continued(&mut self, scalar: Scalar<'a>, parent: Option<usize>) -> Option<Scalar<'a>> {
        let mut text = scalar.text.into_owned();
        self.fold(&mut text, parent)?;
        if self.cursor.peek() == Some(b'#') {
            return None;
        }
        text.push_str(self.plain_line(Context::Block)?);
        Some(Scalar { text: text.into(), is_plain: true, span: scalar.span.start..self.cursor.at() })
    }

    /// `ns-plain-first`, and less than that: `?` and `:` start nothing usual, three dashes or dots at the start of a
    /// line may separate documents, and what a dash cannot start in a flow collection it does not start in a block.
    fn can_start_plain(&self, first: u8) -> bool {
        match first {
            b' ' | b'\t' | b'\n' | b'?' | b':' | b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*'
            | b'!' | b'|' | b'>' | b'%' | b'@' | b'`' => false,
            b'-' => {
                let next = self.cursor.peek_second();
                next.is_some_and(|next| is_plain_safe(next, Context::Flow)) && !self.cursor.is_at_marker()
            }
            b'.' => !self.cursor.is_at_marker(),
            _ => true,
        }
    }

    /// `nb-ns-plain-in-line`, from its first character.
    fn plain_line(&mut self, context: Context) -> Option<&'a str> {
        let start = self.cursor.at();
        loop {
            match context {
                Context::Block => self.cursor.skip_to(may_end_plain),
                Context::Flow => self.cursor.skip_to(|byte| may_end_plain(byte) || is_flow_indicator(byte)),
            }
            let is_part = match self.cursor.peek() {
                Some(b':') => self.cursor.peek_second().is_some_and(|next| is_plain_safe(next, context)),
                Some(b'#') => !self.cursor.is_at_comment(),
                _ => false,
            };
            if !is_part {
                break;
            }
            self.cursor.advance(1);
        }
        let text = self.cursor.text_from(start)?.trim_end_matches(' ');
        self.cursor.go_to(start + text.len());
        Some(text)
    }

    /// `c-double-quoted` and `c-single-quoted`.
    fn quoted(&mut self, quote: u8, parent: Option<usize>) -> Option<Cow<'a, str>> {
        self.cursor.advance(1);
        let verbatim = self.quoted_run(quote)?;
        if self.is_closing(quote) {
            self.cursor.advance(1);
            return Some(verbatim.into());
        }
        let mut text = verbatim.to_owned();
        while !self.is_closing(quote) {
            match self.cursor.peek()? {
                b'\'' => {
                    text.push('\'');
                    self.cursor.advance(2);
                }
                b'\\' if self.cursor.peek_second() == Some(b'\n') => self.join(&mut text, parent)?,
                b'\\' => text.push(self.escaped()?),
                b'\n' => self.fold(&mut text, parent)?,
                _ => return None,
            }
            text.push_str(self.quoted_run(quote)?);
        }
        self.cursor.advance(1);
        Some(text.into())
    }

    /// Characters in quotes that stand for themselves; blanks in front of a line break do not.
    fn quoted_run(&mut self, quote: u8) -> Option<&'a str> {
        let start = self.cursor.at();
        match quote {
            b'"' => self.cursor.skip_to(|byte| matches!(byte, b'"' | b'\\' | b'\n' | b'\t')),
            _ => self.cursor.skip_to(|byte| matches!(byte, b'\'' | b'\n' | b'\t')),
        }
        let run = self.cursor.text_from(start)?;
        Some(if self.cursor.peek() == Some(b'\n') { run.trim_end_matches(' ') } else { run })
    }

    /// Whether the closing quote is next, not two quotes that stand for one.
    fn is_closing(&self, quote: u8) -> bool {
        self.cursor.peek() == Some(quote) && (quote == b'"' || self.cursor.peek_second() != Some(quote))
    }

    /// `s-flow-folded`: one line break is a blank, and more are one less.
    fn fold(&mut self, text: &mut String, parent: Option<usize>) -> Option<()> {
        self.cursor.skip_spaces();
        self.cursor.skip_break().then_some(())?;
        let behind = text.len();
        self.empty_lines(text, parent)?;
        if text.len() == behind {
            text.push(' ');
        }
        Some(())
    }

    /// `s-double-escaped`: a line break behind a backslash is nothing.
    fn join(&mut self, text: &mut String, parent: Option<usize>) -> Option<()> {
        self.cursor.advance(1);
        self.cursor.skip_break();
        self.empty_lines(text, parent)
    }

    /// `l-empty` and `s-flow-line-prefix`: to the text of the next line that has some. Three dashes or dots at its start
    /// end a document, in quotes too.
    fn empty_lines(&mut self, text: &mut String, parent: Option<usize>) -> Option<()> {
        self.cursor.skip_spaces();
        while self.cursor.skip_break() {
            text.push('\n');
            self.cursor.skip_spaces();
        }
        (Some(self.cursor.column()) > parent && !self.cursor.is_at_marker()).then_some(())
    }

    /// `c-ns-esc-char`, but for pairs of surrogates.
    fn escaped(&mut self) -> Option<char> {
        let letter = self.cursor.peek_second()?;
        self.cursor.advance(2);
        Some(match letter {
            b'0' => '\0',
            b'a' => '\u{7}',
            b'b' => '\u{8}',
            b't' => '\t',
            b'n' => '\n',
            b'v' => '\u{B}',
            b'f' => '\u{C}',
            b'r' => '\r',
            b'e' => '\u{1B}',
            b' ' | b'"' | b'/' | b'\\' => char::from(letter),
            b'N' => '\u{85}',
            b'_' => '\u{A0}',
            b'L' => '\u{2028}',
            b'P' => '\u{2029}',
            b'x' => self.code(2)?,
            b'u' => self.code(4)?,
            b'U' => self.code(8)?,
            _ => return None,
        })
    }

    /// The character of a code with this many digits.
    fn code(&mut self, digits: usize) -> Option<char> {
        let start = self.cursor.at();
        self.cursor.advance(digits);
        let digits = self.cursor.text_from(start)?;
        let is_code = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_code.then(|| u32::from_str_radix(digits, 16).ok().and_then(char::from_u32))?
    }
}

/// What ends a scalar without quotes, the first two if something else stands beside them.
const fn may_end_plain(byte: u8) -> bool {
    matches!(byte, b':' | b'#' | b'\n' | b'\t')
}

/// `ns-plain-safe`.
const fn is_plain_safe(byte: u8, context: Context) -> bool {
    match context {
        Context::Block => !matches!(byte, b' ' | b'\t' | b'\n'),
        Context::Flow => is_plain_safe(byte, Context::Block) && !is_flow_indicator(byte),
    }
}

/// `c-flow-indicator`.
const fn is_flow_indicator(byte: u8) -> bool {
    matches!(byte, b',' | b'[' | b']' | b'{' | b'}')
}
