//! What is drawn beneath a line: underlines in one row, and labels, each with a line up to its underline where it
//! cannot stand beside it.
//!
//! ```text
//! 7 |     runs-on: [self-hosted, linux]
//!   |     -------  ^^^^^^^^^^^^^ this one
//!   |     |
//!   |     asked for here
//! ```

use std::cmp::Reverse;

use super::place::Place;
use super::row::Row;

/// The rows beneath a line whose first columns are not shown.
pub(super) fn rows(places: &[Place<'_>], hidden: usize) -> Vec<Row> {
    let mut from_the_right: Vec<&Place<'_>> = places.iter().collect();
    from_the_right.sort_by_key(|place| Reverse((place.start, place.column)));
    let (mut depths, rows) = depths(from_the_right);
    let mut rows = vec![Row::default(); rows];
    for (depth, place) in depths.iter().filter(|(depth, place)| *depth > 0 && place.has_label()) {
        for row in rows.iter_mut().take(depth + 1) {
            row.put(place.start.saturating_sub(hidden), ['|'].into_iter(), place.ink());
        }
    }
    for (depth, place) in &depths {
        let (row, column) = if *depth == 0 { (0, place.end + 1) } else { (depth + 1, place.start) };
        if let Some(row) = rows.get_mut(row) {
            row.put(column.saturating_sub(hidden), place.label.chars(), place.ink());
        }
    }
    // What is shorter is drawn over what is longer.
    depths.sort_by_key(|(_, place)| (Reverse(place.width()), place.is_primary));
    if let Some(row) = rows.first_mut() {
        for (_, place) in depths {
            let stroke = std::iter::repeat_n(place.stroke().sign(), place.width());
            row.put(place.start.saturating_sub(hidden), stroke, place.ink());
        }
    }
    rows
}

/// How far down each place's label hangs, 0 for beside the underline, and how many rows that takes. A label hangs
/// lower than the one to its right where the two would touch.
fn depths<'p, 'a>(from_the_right: Vec<&'p Place<'a>>) -> (Vec<(usize, &'p Place<'a>)>, usize) {
    let (mut depths, mut depth, mut lowest) = (Vec::with_capacity(from_the_right.len()), 0, 0);
    for (index, place) in from_the_right.iter().enumerate() {
        let to_the_left = || from_the_right.iter().skip(index + 1);
        if depth == 0 && place.has_label() && to_the_left().any(|other| is_in_the_way(other, place)) {
            depth = 1;
        }
        depths.push((depth, *place));
        if to_the_left().any(|other| would_touch(other, place, depth)) {
            depth += 1;
        }
        lowest = lowest.max(depth);
    }
    (depths, if lowest == 0 { 1 } else { lowest + 2 })
}

/// Whether a label cannot stand beside its underline for another's. One without a label that marks the same is the
/// same underline.
fn is_in_the_way(other: &Place<'_>, place: &Place<'_>) -> bool {
    other.meets(place, 0) && (other.has_label() || other.ends() != place.ends())
}

/// Whether the label of a place to the left would run into a place at this depth.
fn would_touch(other: &Place<'_>, place: &Place<'_>, depth: usize) -> bool {
    let ([_, other_end], [_, end]) = (other.ends(), place.ends());
    other.has_label()
        && other.meets(place, other.label.len() + 2)
        && (place.has_label() || depth == 0 && other_end <= end)
}
