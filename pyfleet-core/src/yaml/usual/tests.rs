//! The law: this reader gives back nothing, or what the complete reader does.
#![expect(clippy::print_stdout, reason = "says how much was tried")]

use std::cell::Cell;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::super::builder::{Builder, Dialect, MANIFEST, WORKFLOW};
use super::super::tests::{check, styled_text, text};
use super::super::tree::{MAX_BYTES, MAX_DEPTH, MAX_EVENTS, Node};
use super::read;
use crate::reference_data;

/// What the complete reader makes of a text that nothing is wrong with.
fn read_completely(text: &str, dialect: Dialect) -> Option<Node> {
    let mut builder = Builder::new(text, dialect);
    builder.read();
    builder.root.filter(|_| builder.findings.is_empty())
}

/// Whether a text is taken, by either dialect; fails where it is taken for something else.
fn is_taken(text: &str) -> Result<bool, TestCaseError> {
    let mut is_taken = false;
    for dialect in [MANIFEST, WORKFLOW] {
        let Some(root) = read(text, dialect) else { continue };
        is_taken = true;
        let complete = read_completely(text, dialect);
        // `.nan` is no number that equals itself.
        let is_same =
            complete.as_ref() == Some(&root) || format!("{complete:?}") == format!("{:?}", Some(&root));
        prop_assert!(is_same, "{root:#?}\ninstead of\n{complete:#?}\nin\n{text}");
    }
    Ok(is_taken)
}

/// Runs the law on many texts, and says how many were taken.
fn check_law<S: Strategy<Value = String>>(name: &str, texts: &S, least: f64) {
    let [taken, all] = [Cell::new(0_u32), Cell::new(0_u32)];
    check(name, texts, |text| {
        all.set(all.get() + 1);
        taken.set(taken.get() + u32::from(is_taken(&text)?));
        Ok(())
    });
    let share = f64::from(taken.get()) / f64::from(all.get());
    println!("{name}: {} taken, {:.1} %", taken.get(), share * 100.0);
    assert!(share > least, "{name}: the law is hardly tried");
}

#[test]
fn usual_texts_are_taken() {
    for text in [
        "a: b\n",
        "a: b",
        "---\na: b\n",
        "# c\n\n--- # c\n# c\na: b\n",
        "  a: b\n  c: d\n",
        "a:\n  b:\n    c: 1\nd: ~\n",
        "a:\nb: # c\nc:\n  # c\n\n",
        "- a\n- - b\n  - c\n-   d: e\n    f: g\n-\n  h\n- # c\n  i: j\n",
        "a:\n- b\n- c:\n  - d\ne:\n-\n  f\n",
        "a : b\n'c' : d\n\"e\": f\n",
        "a: b#c # d\ne: f:g\nh: -i ?j\n",
        "a: b c\n  d\n\n  e # c\n",
        "- a\n  - b\n",
        "a: 'b''c'\nd: 'e\n  f\n\n  g '\n",
        "a: \"\\x41\\u00e9\\U0001F980\\n\\t\\\"\\\\\\ \"\nb: \"c \\\n  d \n\n  e\"\n",
        "a: |\n  b\n\n    c\n  \td\n\ne: >-\n  f\n  g\n\n  h\n   i\n  j\n",
        "a: |+\n\n  b\n\n\nc: |2- # c\n    d\n# c\ne: >+1\n f",
        "- |\n a\n- >\n\n b\n-\n  |\n   c\n",
        "- a |\n# b |\n- |\n c\n# d\n",
        "a: [b, 'c', \"d\", [], {}, {e: f, g: }, 1,]\n",
        "a: [ # c\n  b, # c\n  c\n] # c\n",
        "{\"a\":\"b\",\"c\":{\"d\":[1,true,null]}}\n",
        "[a, b]\n",
        "ä: ö # ü\nß: 🦀\n",
        "1: a\ntrue: b\nnull: c\n.5: 0x1F\n",
    ] {
        assert!(is_taken(text).unwrap_or_else(|difference| panic!("{difference}")), "{text}");
    }
}

#[test]
fn other_texts_are_left() {
    for text in [
        "",
        "# c\n",
        "a\n",
        "'a'\n",
        "|\n a\n",
        "a: b\n---\nc: d\n",
        "a: b\n...\n",
        "--- a: b\n",
        "%YAML 1.2\n---\na: b\n",
        "\u{feff}a: b\n",
        "a: b\r\n",
        "a: \"\u{85}\"\n",
        "a: \u{7}\n",
        "a: &b c\n",
        "a: *b\n",
        "a: !!str b\n",
        "? a\n: b\n",
        ": b\n",
        "a:\tb\n",
        "a: b\t# c\n",
        "\ta: b\n",
        "a: b\nc\n",
        "a: b: c\n",
        "a: b\n c: d\n",
        "a: - b\n",
        "a: b\n- c\n",
        "- a\nb: c\n",
        "a: b # c\n  d\n",
        "a: \"b\" c\n",
        "a: \"b\"#c\n",
        "a: \"\\q\"\n",
        "a: \"\\ud83e\\udd80\"\n",
        "a: \"b\nc\"\n",
        "a: 'b\n",
        "a: [b\n",
        "a: [b: c]\n",
        "a: [b c\n  d]\n",
        "a: {b}\n",
        "a: {b:c}\n",
        "a: [b,#c\n  d]\n",
        "[a]: b\n",
        "{\"a\": \"b\n--- c\"}\n",
        "['b\n...\n']\n",
        "[\"b\\\n--- c\"]\n",
        "a: |\n\nb: c\n",
        "a: |\n   \n  b\n",
        "a: |\n \tb\n",
        "a: | b\n",
        "-\n- a\n",
        "a: @b\n",
        "a: `b`\n",
        // Something is wrong with these, and what it is, is found by the complete reader.
        "a: 1\na: 2\n",
        "é: 1\né: 2\n",
        "<<: a\n",
        "a: 0x1FFFFFFFF\n",
        "0x1FFFFFFFF: a\n",
    ] {
        assert_eq!(read(text, MANIFEST), None, "{text}");
    }
    assert!(read("a: 1\nA: 2\n", MANIFEST).is_some(), "only workflows compare keys without case");
    assert_eq!(read("a: 1\nA: 2\n", WORKFLOW), None);
    assert_eq!(read("ı: 1\nI: 2\n", WORKFLOW), None);
}

#[test]
fn limits_are_the_same() {
    let list = |items: usize| "- 1\n".repeat(items);
    let nested = |depth: usize| format!("{}{}\n", "[".repeat(depth), "]".repeat(depth));
    let mapping = |keys: usize| (0..keys).map(|key| format!("a{key}: 1\n")).collect::<String>();
    let around = super::EVENTS_AROUND_ROOT + 2;
    for (text, expected) in [
        (list(MAX_EVENTS - around), true),
        (list(MAX_EVENTS - around + 1), false),
        (mapping((MAX_EVENTS - around) / 2), true),
        (mapping((MAX_EVENTS - around) / 2 + 1), false),
        (nested(MAX_DEPTH), true),
        (nested(MAX_DEPTH + 1), false),
        (format!("{}a\n", "- ".repeat(MAX_DEPTH)), true),
        (format!("{}a\n", "- ".repeat(MAX_DEPTH + 1)), false),
        (format!("a: {}\n", "b".repeat(MAX_BYTES - 4)), true),
        (format!("a: {}\n", "b".repeat(MAX_BYTES - 3)), false),
        (format!("{}: b\n", "a".repeat(super::MAX_KEY)), true),
        (format!("{}: b\n", "a".repeat(super::MAX_KEY + 1)), false),
    ] {
        let is_taken = is_taken(&text).unwrap_or_else(|_| panic!("differs: {}", &text[..40]));
        assert_eq!(is_taken, expected, "{}", &text[..40]);
    }
}

#[test]
fn corpus_is_taken() {
    let Some(data) = reference_data::folder() else { return };
    let files = reference_data::files(data.join("corpus/workflows"));
    let mut left = Vec::new();
    for file in &files {
        match is_taken(&reference_data::text(file.clone())) {
            Ok(true) => {}
            Ok(false) => left.push(file),
            Err(difference) => panic!("{}: {difference}", file.display()),
        }
    }
    println!("{} of {} workflows are taken, not {left:#?}", files.len() - left.len(), files.len());
    assert!(left.len() * 50 <= files.len(), "more than 2 % are left to the complete reader");
}

#[test]
fn texts_in_many_styles_read_the_same() {
    check_law("texts in many styles", &styled_text(), 0.05);
}

#[test]
fn arbitrary_texts_read_the_same() {
    let soup = proptest::collection::vec(text(), 1..6).prop_map(|pieces| pieces.join(": "));
    check_law("arbitrary texts", &soup, 0.0);
}

#[test]
fn mutants_read_the_same() {
    let originals = prop_oneof![4 => excerpt(), 2 => styled_text(), 1 => json()];
    let mutants = (originals, proptest::collection::vec(mutation(), 0..4));
    let mutants = mutants.prop_map(|(text, mutations)| mutations.iter().fold(text, Mutation::apply));
    check_law("mutants", &mutants, 0.1);
}

/// A flow collection over several lines, with nothing around it.
fn json() -> impl Strategy<Value = String> {
    let quoted = "[a-z .-]{0,6}(\n[ ]{0,2}[a-z .-]{1,6}){0,2}".prop_map(|text| format!("\"{text}\""));
    let leaf =
        prop_oneof![3 => quoted.clone(), 1 => "[a-z]{1,4}|'[a-z]{0,3}\n[a-z .-]{0,4}'|[0-9]{1,3}|true|"];
    let several = (quoted, "[ \n]{1,2}");
    leaf.prop_recursive(3, 16, 4, move |inner| {
        let items = proptest::collection::vec((inner.clone(), several.clone()), 0..4);
        (items, any::<bool>()).prop_map(|(items, is_list)| {
            let entries = items.into_iter().map(|(value, (key, gap))| match is_list {
                true => format!("{value},{gap}"),
                false => format!("{key}: {value},{gap}"),
            });
            let entries: String = entries.collect();
            if is_list { format!("[{entries}]") } else { format!("{{{entries}}}") }
        })
    })
}

/// Some lines of a workflow that somebody wrote, from one to what stands below it or beside it.
fn excerpt() -> impl Strategy<Value = String> {
    let texts: Vec<String> = written_by_people().into_iter().map(reference_data::text).collect();
    (proptest::sample::select(texts), any::<proptest::sample::Index>(), 1..60_usize).prop_map(
        |(text, from, count)| {
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            let (_, lines) = lines.split_at(from.index(lines.len()));
            let indentation = |line: &str| line.len() - line.trim_start_matches(' ').len();
            let least = lines.first().map_or(0, |line| indentation(line));
            let is_inside = |line: &&str| line.trim().is_empty() || indentation(line) >= least;
            lines.iter().copied().take(count).take_while(is_inside).collect()
        },
    )
}

/// The workflows of the corpus, or those of the examples where there is no corpus.
fn written_by_people() -> Vec<PathBuf> {
    match reference_data::folder() {
        Some(data) => reference_data::files(data.join("corpus/workflows")),
        None => {
            let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
            reference_data::files(examples.join("inventory-manager/.github/workflows"))
        }
    }
}

/// What can stand in the wrong place.
const PIECES: &[&str] = &[
    "\t",
    " ",
    "  ",
    "\n",
    "\n\n",
    "\r\n",
    ": ",
    ":",
    " #",
    "# c",
    "- ",
    "-",
    "---\n",
    "\n--- ",
    "...",
    "\n...",
    "? ",
    "|",
    ">",
    "|-\n",
    ">+2\n",
    "'",
    "\"",
    "''",
    "\\",
    "\\n",
    "\\\n",
    "\\x41",
    "\\ud83d",
    "&a ",
    "*a",
    "!!str ",
    "%",
    "@",
    "`",
    ",",
    "[",
    "]",
    "{",
    "}",
    "[]",
    "{a: b}",
    "<<",
    "~",
    "null",
    "0x1FFFFFFFF",
    "1e3",
    ".nan",
    "\u{85}",
    "\u{a0}",
    "\u{feff}",
    "\u{2028}",
    "é",
    "\u{7f}",
    "a: b\n",
    "- a\n",
    "a\n",
];

/// A change of a text.
#[derive(Debug, Clone)]
struct Mutation {
    change: Change,
    place: proptest::sample::Index,
    count: usize,
    piece: &'static str,
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Insert,
    Replace,
    Delete,
    Truncate,
    DeleteLine,
    RepeatLine,
    SwapLines,
    JoinLines,
    Indent,
    Unindent,
    Trail,
}

fn mutation() -> impl Strategy<Value = Mutation> {
    use Change::*;
    let changes = vec![
        Insert, Insert, Replace, Replace, Delete, Truncate, DeleteLine, RepeatLine, SwapLines, JoinLines,
        Indent, Indent, Unindent, Unindent, Trail,
    ];
    let parts = (
        proptest::sample::select(changes),
        any::<proptest::sample::Index>(),
        1..5_usize,
        proptest::sample::select(PIECES),
    );
    parts.prop_map(|(change, place, count, piece)| Mutation { change, place, count, piece })
}

impl Mutation {
    fn apply(text: String, mutation: &Self) -> String {
        match mutation.change {
            Change::Insert | Change::Replace | Change::Delete | Change::Truncate => mutation.in_text(&text),
            _ => mutation.in_lines(&text),
        }
    }

    fn in_text(&self, text: &str) -> String {
        let place = text.floor_char_boundary(self.place.index(text.len() + 1));
        let (before, behind) = text.split_at(place);
        let (_, kept) = behind.split_at(behind.ceil_char_boundary(self.count.min(behind.len())));
        match self.change {
            Change::Insert => format!("{before}{}{behind}", self.piece),
            Change::Replace => format!("{before}{}{kept}", self.piece),
            Change::Delete => format!("{before}{kept}"),
            _ => before.to_owned(),
        }
    }

    fn in_lines(&self, text: &str) -> String {
        let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        if lines.is_empty() {
            return String::new();
        }
        let index = self.place.index(lines.len());
        let line = lines[index].clone();
        let next = (index + 1).min(lines.len() - 1);
        match self.change {
            Change::DeleteLine => drop(lines.remove(index)),
            Change::RepeatLine => lines.insert((index + self.count).min(lines.len()), line),
            Change::SwapLines => lines.swap(index, next),
            Change::JoinLines => lines[index] = line.trim_end_matches('\n').to_owned(),
            Change::Indent => lines[index] = format!("{:1$}{line}", "", self.count),
            Change::Unindent => {
                let spaces = line.len() - line.trim_start_matches(' ').len();
                lines[index] = line[spaces.min(self.count)..].to_owned();
            }
            _ => lines[index] = format!("{}{}\n", line.trim_end_matches('\n'), self.piece),
        }
        lines.concat()
    }
}
