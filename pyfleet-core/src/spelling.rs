//! What was probably meant by a name that nobody knows.

/// Letters of a word that are compared, and so bits in a set of its places.
const COMPARED: usize = 64;

/// So many candidates are compared: whoever has declared more, and misspells each of them, is told of the rest without.
const CANDIDATES: usize = 1_000;

/// So many names are listed.
const LISTED: usize = 50;

/// The candidate that was probably meant, if one is close: up to a third of its letters differ, where
/// exchanging two neighbours is one difference. Case makes none. Of many candidates the first thousand are looked at.
///
/// ```
/// use pyfleet_core::spelling::closest;
///
/// assert_eq!(closest("timeout-minuts", ["name", "timeout-minutes"]), Some("timeout-minutes"));
/// assert_eq!(closest("nmae", ["name", "run"]), Some("name"));
/// assert_eq!(closest("schedule", ["name", "run"]), None);
/// ```
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = Word::new(name);
    let mut nearest: Option<(usize, &str)> = None;
    for candidate in candidates.into_iter().take(CANDIDATES) {
        let letters = if candidate.is_ascii() { candidate.len() } else { candidate.chars().count() };
        let most = (letters / 3).max(1);
        let most = match nearest {
            Some((0, _)) => break,
            Some((distance, _)) => most.min(distance - 1),
            None => most,
        };
        // Words whose lengths differ by more are not worth a comparison.
        if candidate.is_ascii() && name.letters.len().abs_diff(letters.min(COMPARED)) > most {
            continue;
        }
        if let Some(distance) = name.distance(candidate, most) {
            nearest = Some((distance, candidate));
        }
    }
    nearest.map(|(_, candidate)| candidate)
}

/// Names in a row, the first fifty of them.
///
/// ```
/// use pyfleet_core::spelling::listed;
///
/// assert_eq!(listed(["name", "run"]), "name, run");
/// assert!(listed(["x"; 60]).ends_with(", x and 10 others"));
/// ```
pub fn listed<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    let mut list = String::new();
    let mut others = 0_usize;
    for (position, name) in names.into_iter().enumerate() {
        if position >= LISTED {
            others += 1;
            continue;
        }
        list.push_str(if position == 0 { "" } else { ", " });
        list.push_str(name.as_ref());
    }
    if others > 0 {
        list.push_str(&format!(" and {others} others"));
    }
    list
}

/// A word that others are compared with: its places of each letter, as bits.
struct Word {
    letters: Vec<char>,
    ascii: [u64; 128],
}

impl Word {
    fn new(word: &str) -> Self {
        let letters: Vec<char> = if word.is_ascii() {
            word.chars().take(COMPARED).map(|letter| letter.to_ascii_lowercase()).collect()
        } else {
            letters(word).collect()
        };
        let mut ascii = [0; 128];
        for (place, letter) in letters.iter().enumerate() {
            if let Some(places) = ascii.get_mut(*letter as usize) {
                *places |= 1 << place;
            }
        }
        Self { letters, ascii }
    }

    fn places(&self, letter: char) -> u64 {
        let look = |places, (place, own): (usize, &char)| places | u64::from(*own == letter) << place;
        self.ascii
            .get(letter as usize)
            .copied()
            .unwrap_or_else(|| self.letters.iter().enumerate().fold(0, look))
    }

    /// Insertions, deletions, replacements and exchanges of neighbours between two words (optimal string alignment).
    /// None where it is more than `most`.
    fn distance(&self, other: &str, most: usize) -> Option<usize> {
        if other.is_ascii() {
            let lower = other.bytes().take(COMPARED).map(|letter| usize::from(letter.to_ascii_lowercase()));
            self.distance_to(lower.map(|letter| self.ascii[letter]), most)
        } else {
            let places: Vec<u64> = letters(other).map(|letter| self.places(letter)).collect();
            self.distance_to(places.into_iter(), most)
        }
    }

    /// The distance to a word that has its letters at these places of this one.
    ///
    /// Each step is one column of the well-known table, whose neighbouring cells differ by one at most: two words
    /// hold where it rises and where it falls. From H. Hyyrö, "A Bit-Vector Algorithm for Computing Levenshtein and
    /// Damerau Edit Distances", 2003.
    fn distance_to(&self, mut other: impl ExactSizeIterator<Item = u64>, most: usize) -> Option<usize> {
        let Some(last) = self.letters.len().checked_sub(1) else {
            return Some(other.len()).filter(|distance| *distance <= most);
        };
        let (mut rises, mut falls, mut diagonal, mut before) = (u64::MAX, 0_u64, 0_u64, 0_u64);
        let mut distance = self.letters.len();
        while let Some(here) = other.next() {
            let exchanged = ((!diagonal & here) << 1) & before;
            diagonal = ((here & rises).wrapping_add(rises) ^ rises) | here | falls | exchanged;
            let up = falls | !(diagonal | rises);
            let down = diagonal & rises;
            distance += usize::from(up >> last & 1 == 1);
            distance -= usize::from(down >> last & 1 == 1);
            let up = up << 1 | 1;
            rises = down << 1 | !(diagonal | up);
            falls = up & diagonal;
            before = here;
            // A column takes one away at most.
            if distance > most + other.len() {
                return None;
            }
        }
        Some(distance).filter(|distance| *distance <= most)
    }
}

fn letters(word: &str) -> impl Iterator<Item = char> + '_ {
    word.chars().flat_map(char::to_lowercase).take(COMPARED)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{CANDIDATES, Word, closest, letters};

    /// The table itself.
    fn table(left: &str, right: &str) -> usize {
        let [left, right] = [left, right].map(|word| letters(word).collect::<Vec<_>>());
        let mut rows = vec![(0..=right.len()).collect::<Vec<_>>()];
        for (i, from) in left.iter().enumerate() {
            let mut row = vec![i + 1];
            for (j, to) in right.iter().enumerate() {
                let replaced = rows[i][j] + usize::from(from != to);
                let mut cost = replaced.min(rows[i][j + 1] + 1).min(row[j] + 1);
                if i > 0 && j > 0 && *from == right[j - 1] && left[i - 1] == *to {
                    cost = cost.min(rows[i - 1][j - 1] + 1);
                }
                row.push(cost);
            }
            rows.push(row);
        }
        rows[left.len()][right.len()]
    }

    #[test]
    fn of_many_candidates_the_first_are_looked_at() {
        let others = |number| std::iter::repeat_n("other", number).chain(["name"]);
        assert_eq!(closest("nmae", others(CANDIDATES - 1)), Some("name"));
        assert_eq!(closest("nmae", others(CANDIDATES)), None);
    }

    proptest! {
        #[test]
        fn the_bits_say_what_the_table_says(left in "[a-dA-Bäß]{0,9}|[ab]{60,70}", right in "[a-dA-Bäß]{0,9}|[ab]{60,70}") {
            let distance = table(&left, &right);
            for most in 0..distance + 2 {
                prop_assert_eq!(Word::new(&left).distance(&right, most), Some(distance).filter(|own| *own <= most));
            }
        }
    }
}
