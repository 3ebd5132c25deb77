//! A row that is put together cell by cell, where something is drawn over something else.

use std::ops::Range;

use super::pen::{Ink, Pen};

/// What stands for what is left out.
pub(super) const DOTS: &str = "...";

/// The cells of a row, from where code begins.
#[derive(Clone, Default)]
pub(super) struct Row(Vec<(char, Ink)>);

impl Row {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Draws from a cell on, over what is there.
    pub(super) fn put(&mut self, from: usize, characters: impl Iterator<Item = char>, ink: Ink) {
        for (index, character) in (from..).zip(characters) {
            if let Some(cell) = self.0.get_mut(index) {
                *cell = (character, ink);
            } else {
                self.0.resize(index, (' ', Ink::Plain));
                self.0.push((character, ink));
            }
        }
    }

    /// Leaves cells out, if they are all there.
    pub(super) fn leave_out(&mut self, cells: Range<usize>) {
        if !cells.is_empty() && cells.end <= self.0.len() {
            self.0.splice(cells, DOTS.chars().map(|dot| (dot, Ink::Gutter)));
        }
    }

    pub(super) fn draw(&self, pen: &mut Pen<'_>) {
        for cells in self.0.chunk_by(|(_, one), (_, other)| one == other) {
            if let [(_, ink), ..] = cells {
                pen.draw_characters(*ink, cells.iter().map(|(character, _)| *character));
            }
        }
    }
}
