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

/// Writes into a text.
pub(super) struct Pen<'o> {
    pub(super) out: &'o mut String,
    pub(super) colour: bool,
    /// What [`Ink::Severity`] is the colour of.
    pub(super) severity: Severity,
}

impl Pen<'_> {
    /// Writes pieces as one.
    pub(super) fn draw(&mut self, ink: Ink, pieces: &[&str]) {
        let is_empty = pieces.iter().all(|piece| piece.is_empty());
        self.inked(if is_empty { Ink::Plain } else { ink }, |out| {
            pieces.iter().for_each(|piece| out.push_str(piece));
        });
    }

    /// Writes a character so many times.
    pub(super) fn draw_repeated(&mut self, ink: Ink, character: char, times: usize) {
        self.inked(ink, |out| out.extend(std::iter::repeat_n(character, times)));
    }

    /// Writes characters.
    pub(super) fn draw_characters(&mut self, ink: Ink, characters: impl Iterator<Item = char>) {
        self.inked(ink, |out| out.extend(characters));
    }

    /// As [`Self::draw_repeated`], without colour.
    pub(super) fn repeat(&mut self, character: char, times: usize) {
        self.draw_repeated(Ink::Plain, character, times);
    }

    /// Ends a row.
    pub(super) fn end_row(&mut self) {
        self.out.push('\n');
    }

    fn inked(&mut self, ink: Ink, write: impl FnOnce(&mut String)) {
        let start = if self.colour { self.start_of(ink) } else { "" };
        self.out.push_str(start);
        write(self.out);
        if !start.is_empty() {
            self.out.push_str("\x1b[0m");
        }
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
