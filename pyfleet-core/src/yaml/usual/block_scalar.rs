//! Literal and folded scalars.

use super::super::tree::{Node, Value};
use super::Reader;

/// `c-b-block-header`.
struct Header {
    is_folded: bool,
    /// How much further the text is indented than the collection around it, if the header says so.
    indentation: Option<usize>,
    chomping: Chomping,
}

/// What becomes of the breaks behind the text.
#[derive(Clone, Copy, PartialEq)]
enum Chomping {
    Strip,
    Clip,
    Keep,
}

impl<'a> Reader<'a> {
    /// `c-l+literal` and `c-l+folded`, if they say something.
    pub(super) fn block_scalar(&mut self, parent: Option<usize>) -> Option<Node> {
        let start = self.cursor.at();
        let header = self.block_header()?;
        let indentation = match header.indentation {
            Some(further) => parent? + further,
            None => self.detected_indentation(parent)?,
        };
        let text = self.block_content(&header, indentation)?;
        let written = self.cursor.text_from(start)?.trim_end_matches([' ', '\t', '\n']);
        self.events += 1;
        self.cursor.next_line()?;
        Some(Node { span: start..start + written.len(), value: Value::String(text.into()) })
    }

    /// `c-b-block-header`, and the rest of its line.
    fn block_header(&mut self) -> Option<Header> {
        let is_folded = self.cursor.peek()? == b'>';
        let mut header = Header { is_folded, indentation: None, chomping: Chomping::Clip };
        self.cursor.advance(1);
        loop {
            match self.cursor.peek()? {
                b'-' if header.chomping == Chomping::Clip => header.chomping = Chomping::Strip,
                b'+' if header.chomping == Chomping::Clip => header.chomping = Chomping::Keep,
                digit @ b'1'..=b'9' if header.indentation.is_none() => {
                    header.indentation = Some(usize::from(digit - b'0'));
                }
                _ => break,
            }
            self.cursor.advance(1);
        }
        self.cursor.end_line()?;
        Some(header)
    }

    /// The indentation of the first line with text, from the line behind the header. Blank lines above it must not be
    /// longer.
    fn detected_indentation(&self, parent: Option<usize>) -> Option<usize> {
        let mut ahead = self.cursor;
        let mut longest = 0;
        loop {
            ahead.skip_spaces();
            let spaces = ahead.column();
            if !ahead.skip_break() {
                let is_text = ahead.peek().is_some_and(|first| first != b'\t');
                return (is_text && spaces >= longest && Some(spaces) > parent).then_some(spaces);
            }
            longest = longest.max(spaces);
        }
    }

    /// `l-literal-content` and `l-folded-content`, up to the start of the first line that is indented less.
    fn block_content(&mut self, header: &Header, indentation: usize) -> Option<String> {
        let mut text = String::new();
        let mut blank_lines = 0;
        // Whether the line above starts with a blank, which keeps the breaks around it from being folded.
        let mut is_above_spaced = None;
        while let Some(line) = self.block_line(indentation) {
            if line.is_empty() && self.cursor.skip_break() {
                blank_lines += 1;
                continue;
            }
            let is_spaced = line.starts_with([' ', '\t']);
            match is_above_spaced {
                None => {}
                Some(false) if header.is_folded && !is_spaced => {
                    text.push_str(if blank_lines == 0 { " " } else { "" });
                }
                Some(_) => text.push('\n'),
            }
            text.extend(std::iter::repeat_n('\n', blank_lines));
            text.push_str(line);
            self.cursor.skip_break();
            blank_lines = 0;
            is_above_spaced = Some(is_spaced);
        }
        is_above_spaced?;
        match header.chomping {
            Chomping::Strip => {}
            Chomping::Clip => text.push('\n'),
            Chomping::Keep => text.extend(std::iter::repeat_n('\n', blank_lines + 1)),
        }
        Some(text)
    }

    /// The next line behind its indentation, up to its break. Stays at the start of a line that is indented less.
    fn block_line(&mut self, indentation: usize) -> Option<&'a str> {
        let line_start = self.cursor.at();
        self.cursor.skip_indentation(indentation);
        let start = self.cursor.at();
        let is_blank = self.cursor.peek()? == b'\n';
        if !is_blank && start - line_start < indentation {
            self.cursor.go_to(line_start);
            return None;
        }
        self.cursor.skip_line();
        self.cursor.text_from(start)
    }
}
