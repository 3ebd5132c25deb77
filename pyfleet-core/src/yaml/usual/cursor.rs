//! Where the reader stands in the text, and how it gets from line to line.

/// A place in a text, and the line it stands on.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    line_start: usize,
    /// The indentation of the line that [`Self::next_line`] found; `None` behind the last one. It compares with the
    /// indentation of what surrounds a node, which is `None` for the document.
    pub(super) indent: Option<usize>,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0, line_start: 0, indent: None }
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    pub(super) const fn line_start(&self) -> usize {
        self.line_start
    }

    /// How far into its line this is. Asked for behind blanks and dashes only, where bytes are characters.
    pub(super) const fn column(&self) -> usize {
        self.at - self.line_start
    }

    /// The bytes from here to the end.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// The text from a place to here.
    pub(super) fn text_from(&self, start: usize) -> Option<&'a str> {
        self.text.get(start..self.at)
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn peek_second(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at + 1).copied()
    }

    /// Whether the next byte is `-` or `:` and means something: a blank, a line break or the end stands behind it.
    pub(super) fn is_at_indicator(&self, indicator: u8) -> bool {
        self.peek() == Some(indicator) && matches!(self.peek_second(), None | Some(b' ' | b'\t' | b'\n'))
    }

    /// Whether something like a document marker is next: three dashes or dots at the start of a line.
    pub(super) fn is_at_marker(&self) -> bool {
        self.column() == 0 && (self.rest().starts_with(b"---") || self.rest().starts_with(b"..."))
    }

    pub(super) const fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }

    pub(super) const fn go_to(&mut self, place: usize) {
        self.at = place;
    }

    pub(super) fn skip_spaces(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    /// Over this many spaces, or as many as there are.
    pub(super) fn skip_indentation(&mut self, most: usize) {
        let spaces = self.rest().iter().take(most).take_while(|byte| **byte == b' ').count();
        self.at += spaces;
    }

    /// To the first byte that is asked for, or to the end.
    pub(super) fn skip_to(&mut self, is_wanted: impl Fn(u8) -> bool) {
        let rest = self.rest();
        self.at += rest.iter().position(|byte| is_wanted(*byte)).unwrap_or(rest.len());
    }

    /// To the line break, or to the end.
    pub(super) fn skip_line(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at += rest.find('\n').unwrap_or(rest.len());
    }

    /// Over a line break, if there is one.
    pub(super) fn skip_break(&mut self) -> bool {
        let is_break = self.peek() == Some(b'\n');
        if is_break {
            self.at += 1;
            self.line_start = self.at;
        }
        is_break
    }

    /// `s-b-comment`: over blanks and a comment to the next line. `None` if anything else follows.
    pub(super) fn end_line(&mut self) -> Option<()> {
        self.skip_spaces();
        if self.is_at_comment() {
            self.skip_line();
        }
        (self.skip_break() || self.peek().is_none()).then_some(())
    }

    /// From the start of a line over blank lines and comments to the next line that says something.
    pub(super) fn next_line(&mut self) -> Option<()> {
        loop {
            self.skip_spaces();
            match self.peek() {
                Some(b'\n') => {}
                Some(b'#') => self.skip_line(),
                Some(b'\t') => return None,
                other => {
                    self.indent = other.map(|_| self.column());
                    return Some(());
                }
            }
            self.skip_break();
        }
    }

    /// Whether a comment starts here: a `#` at the start of a line or behind a blank.
    pub(super) fn is_at_comment(&self) -> bool {
        self.peek() == Some(b'#')
            && (self.column() == 0 || self.text.as_bytes().get(self.at - 1) == Some(&b' '))
    }
}
