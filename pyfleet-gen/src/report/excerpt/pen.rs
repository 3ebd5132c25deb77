//! Pieces of rows, written plain or coloured.

use pyfleet_core::diagnostic::Severity;

/// How a piece of a row looks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Plain,
    Bold,
    /// What is about the finding itself.
    Severity,
    /// Numbers, arrows and borders, and what is beside the finding.
    Gutter,
}

/// What is drawn many times in a row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stroke {
    Space,
    /// Underlines what a snippet is about.
    Caret,
    /// Underlines what is beside that.
    Dash,
}

impl Stroke {
    pub(super) const fn sign(self) -> char {
        match self {
            Self::Space => ' ',
            Self::Caret => '^',
            Self::Dash => '-',
        }
    }

    /// A row of them.
    const fn row(self) -> &'static str {
        match self {
            Self::Space => "                                ",
            Self::Caret => "^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
            Self::Dash => "--------------------------------",
        }
    }
}

/// Writes into a text.
pub(super) struct Pen<'o> {
    pub(super) out: &'o mut String,
    pub(super) colour: bool,
    /// What [`Ink::Severity`] is the colour of.
    pub(super) severity: Severity,
}

impl Pen<'_> {
    /// Writes a text.
    #[inline]
    pub(super) fn draw(&mut self, ink: Ink, text: &str) {
        self.inked(if text.is_empty() { Ink::Plain } else { ink }, |out| out.push_str(text));
    }

    /// Writes pieces as one text.
    pub(super) fn draw_all(&mut self, ink: Ink, pieces: &[&str]) {
        self.inked(ink, |out| pieces.iter().for_each(|piece| out.push_str(piece)));
    }

    /// Writes characters.
    pub(super) fn draw_characters(&mut self, ink: Ink, characters: impl Iterator<Item = char>) {
        self.inked(ink, |out| out.extend(characters));
    }

    /// Writes a text without colour.
    #[inline]
    pub(super) fn plain(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// Writes a number, at the right of so many columns.
    #[inline]
    pub(super) fn number(&mut self, ink: Ink, number: usize, columns: usize) {
        self.inked(ink, |out| {
            repeat(out, Stroke::Space, columns.saturating_sub(digits(number)));
            write_digits(out, number);
        });
    }

    /// Writes the same sign so many times.
    #[inline]
    pub(super) fn repeat(&mut self, ink: Ink, stroke: Stroke, times: usize) {
        self.inked(ink, |out| repeat(out, stroke, times));
    }

    /// Ends a row.
    #[inline]
    pub(super) fn end_row(&mut self) {
        self.out.push('\n');
    }

    #[inline]
    fn inked(&mut self, ink: Ink, write: impl FnOnce(&mut String)) {
        if !self.colour || ink == Ink::Plain {
            return write(self.out);
        }
        self.out.push_str(self.start_of(ink));
        write(self.out);
        self.out.push_str("\x1b[0m");
    }

    /// The codes of an ink. The console of Windows shows some colours too dark to read.
    const fn start_of(&self, ink: Ink) -> &'static str {
        match ink {
            Ink::Plain => "",
            Ink::Bold if cfg!(windows) => "\x1b[1m\x1b[97m",
            Ink::Bold => "\x1b[1m",
            Ink::Gutter if cfg!(windows) => "\x1b[1m\x1b[96m",
            Ink::Gutter => "\x1b[1m\x1b[94m",
            Ink::Severity => match self.severity {
                Severity::Error => "\x1b[1m\x1b[91m",
                Severity::Warning if cfg!(windows) => "\x1b[1m\x1b[93m",
                Severity::Warning => "\x1b[1m\x1b[33m",
                Severity::Note => "\x1b[1m\x1b[92m",
            },
        }
    }
}

/// How many digits a number has.
pub(super) fn digits(number: usize) -> usize {
    number.checked_ilog10().map_or(1, |power| power as usize + 1)
}

fn write_digits(out: &mut String, number: usize) {
    if number >= 10 {
        write_digits(out, number / 10);
    }
    out.push(char::from(b'0' + (number % 10) as u8));
}

fn repeat(out: &mut String, stroke: Stroke, mut times: usize) {
    let row = stroke.row();
    while times > row.len() {
        out.push_str(row);
        times -= row.len();
    }
    out.push_str(&row[..times]);
}
