//! What the reader and the writer promise each other, and what independent readers say about both:
//! `yaml_serde` (libyaml), and `serde-saphyr` (our parser, but its own idea of scalars).
#![expect(clippy::print_stdout, reason = "says how much was tried")]

mod scribe;

use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value as Json, json};

use super::decode::decode;
use super::scalar::{self, Plain};
use super::tree::{Document, MAX_BYTES, Node, Value};
use super::write::to_string;
use crate::diagnostic::{Diagnostics, Path, Place};
use crate::source::Source;
use scribe::Scribe;

/// How many documents each property is tried on.
const CASES: u32 = 20_000;

/// Scalars that some reader or writer has got wrong.
const NASTY: &[&str] = &[
    "",
    " ",
    "a",
    "yes",
    "No",
    "on",
    "ON",
    "off",
    "y",
    "n",
    "null",
    "Null",
    "~",
    "true",
    "FALSE",
    "0",
    "-1",
    "+1",
    "007",
    "0755",
    "0o17",
    "0x1f",
    "0b101",
    "1_000",
    "2_28",
    "1e3",
    "1.",
    ".5",
    "-.5",
    "3.10",
    "1.10.0",
    ".inf",
    "-.INF",
    ".nan",
    "12:30",
    "12:30:45",
    "1:2:3.4",
    "2024-01-01",
    "2024-01-01T08:00:00Z",
    "=",
    "<<",
    "!!str",
    "&a",
    "*a",
    "- a",
    "-",
    "--",
    "---",
    "--- a",
    "...",
    "?",
    "? a",
    ":",
    ": a",
    "a:",
    "a: b",
    "a:b",
    "#",
    "# a",
    "a # b",
    "a#b",
    "%a",
    "@a",
    "`a`",
    "[",
    "]",
    "{",
    "}",
    "[a]",
    "{a: b}",
    ",",
    "a, b",
    "'",
    "''",
    "it's",
    "\"",
    "\"a\"",
    "'a\"b",
    "\\",
    "\\n",
    "a\\b\"c",
    "a\tb",
    "\t",
    "\ta",
    "a\t",
    "a ",
    " a",
    "a\n",
    "\n",
    "\n\n",
    "a\nb",
    "a\nb\n",
    "a\n\nb\n\n",
    "\na",
    "\n a\n",
    "  a\nb",
    "a\n  b\nc\n",
    "a \nb",
    "a\n \nb\n",
    "\ta\nb\n",
    "a\n\tb\n",
    "a\n# b\n",
    "- a\n- b\n",
    "a: |\n  b\n",
    "a\r\nb\r\n",
    "a\rb",
    "\u{85}",
    "a\u{85}b\n",
    "a\u{2028}b",
    "\u{2029}",
    "\u{feff}",
    "\u{feff}a\n",
    "\u{0}",
    "\u{7}\n",
    "\u{7f}",
    "\u{9f}",
    "\u{a0}",
    "\u{a0}a\u{a0}",
    "\u{fffd}",
    "\u{ffff}",
    "\u{1fffe}",
    "ä",
    "日本語",
    "🦀",
    "🦀\n👩‍🚀\n",
    "${{ github.ref }}",
    "${{ a }}: ${{ b }}",
    "actions/checkout@v4",
    "set -euo pipefail\necho \"$x\" | tr a b\n",
    "if x:\n    y = 'z'\n\nz()\n",
    "---\na\n...\n",
    "|",
    ">",
    "|-\na",
    "0 6 * * 1",
    "*/5 * * * *",
    "a  b",
    "a b c d e f",
];

pub(super) fn text() -> impl Strategy<Value = String> {
    let characters = "ab01yn ::##--\n\n\t'\"\\\\,[]{}&*!|>%@`?=<~.+_é\u{85}\u{2028}\u{a0}🦀\r\u{7}"
        .chars()
        .collect::<Vec<_>>();
    let piece = prop_oneof![
        proptest::sample::select(NASTY).prop_map(str::to_owned),
        proptest::collection::vec(proptest::sample::select(characters), 1..8).prop_map(String::from_iter),
    ];
    prop_oneof![
        8 => proptest::sample::select(NASTY).prop_map(str::to_owned),
        8 => piece.clone(),
        4 => proptest::collection::vec(piece.clone(), 1..4).prop_map(|pieces| pieces.concat()),
        4 => proptest::collection::vec(piece.clone(), 1..5).prop_map(|pieces| pieces.join("\n")),
        2 => proptest::collection::vec("[a-z]{1,9}", 1..9).prop_map(|words| words.join(" ")),
        1 => (piece, 1..1500usize).prop_map(|(piece, times)| piece.repeat((times / piece.len().max(1)).max(1))),
    ]
}

fn leaf() -> impl Strategy<Value = Json> {
    prop_oneof![
        1 => Just(Json::Null),
        1 => any::<bool>().prop_map(Json::Bool),
        1 => (-99..99i64).prop_map(Json::from),
        1 => any::<i64>().prop_map(Json::from),
        1 => proptest::num::f64::NORMAL.prop_map(Json::from),
        12 => text().prop_map(Json::String),
    ]
}

/// Documents: mappings and lists of anything.
fn document() -> impl Strategy<Value = Json> {
    let value = leaf().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
            proptest::collection::vec((text(), inner), 0..4)
                .prop_map(|entries| Json::Object(Map::from_iter(entries))),
        ]
    });
    prop_oneof![
        1 => value.clone(),
        2 => proptest::collection::vec(value.clone(), 0..4).prop_map(Json::Array),
        4 => proptest::collection::vec((text(), value), 0..4).prop_map(|entries| Json::Object(Map::from_iter(entries))),
    ]
}

/// Runs a property on [`CASES`] reproducible values.
pub(super) fn check<S: Strategy>(
    name: &str,
    strategy: &S,
    property: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]));
    if let Err(failure) = runner.run(strategy, property) {
        panic!("{name}: {failure}");
    }
    println!("{name}: {CASES} documents");
}

fn parse(text: &str) -> Result<Document, Diagnostics> {
    Document::parse(Source::new("test.yml", text))
}

fn read(text: &str) -> Result<Json, String> {
    let document = parse(text).map_err(|findings| format!("{findings:?}"))?;
    decode(&document.root).map_err(|findings| format!("{findings:?}"))
}

/// Equal, where `1` and `1.0` are the same number.
fn same(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Number(left), Json::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        (Json::Array(left), Json::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Json::Object(left), Json::Object(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|((a, left), (b, right))| a == b && same(left, right))
        }
        _ => left == right,
    }
}

fn agree(reader: &str, reading: Result<Json, String>, value: &Json, text: &str) -> Result<(), TestCaseError> {
    match reading {
        Ok(reading) if same(&reading, value) => Ok(()),
        reading => {
            Err(TestCaseError::fail(format!("{reader} reads {reading:?}\ninstead of {value:?} in\n{text}")))
        }
    }
}

fn yaml_serde(text: &str) -> Result<Json, String> {
    serde_yaml::from_str(text).map_err(|error| error.to_string())
}

fn saphyr(text: &str) -> Result<Json, String> {
    serde_saphyr::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn what_is_written_reads_back_equal_everywhere() {
    check("write, read back by three readers", &document(), |value| {
        let text = to_string(&value).unwrap();
        agree("the own reader", read(&text), &value, &text)?;
        agree("yaml_serde", yaml_serde(&text), &value, &text)?;
        agree("serde-saphyr", saphyr(&text), &value, &text)
    });
}

#[test]
fn what_is_written_is_tidy() {
    check("written text is tidy", &document(), |value| {
        let text = to_string(&value).unwrap();
        let is_tidy = text.ends_with('\n')
            && !text.ends_with("\n\n")
            && text.lines().all(|line| !line.ends_with([' ', '\t']))
            && !text.starts_with(['\n', ' '])
            && !text.contains('\r');
        prop_assert!(is_tidy, "{text:?}");
        Ok(())
    });
}

/// The round trip can fail: without the quotes it does, for our reader and for an independent one.
#[test]
fn a_writer_without_quotes_is_noticed() {
    let mut noticed = [0, 0];
    for text in NASTY {
        let value = json!({ "key": text });
        let written = to_string(&value).unwrap();
        let mutant = written.replace(['"', '\''], "");
        if mutant == written || text.contains(['"', '\'']) {
            continue;
        }
        for (noticed, reading) in noticed.iter_mut().zip([read(&mutant), yaml_serde(&mutant)]) {
            *noticed += usize::from(agree("", reading, &value, "").is_err());
        }
    }
    assert!(noticed.iter().all(|noticed| *noticed > 60), "{noticed:?}");
}

/// The value with keys that fit on a line however they are escaped: longer ones need `?`.
fn with_short_keys(value: Json) -> Json {
    match value {
        Json::Array(items) => items.into_iter().map(with_short_keys).collect(),
        Json::Object(entries) => entries
            .into_iter()
            .map(|(key, value)| (key.chars().take(90).collect::<String>(), with_short_keys(value)))
            .collect(),
        leaf => leaf,
    }
}

/// Documents as [`styled`] ones are written.
pub(super) fn styled_text() -> impl Strategy<Value = String> {
    styled().prop_map(|(value, choices)| {
        let mut scribe = Scribe::new(&choices);
        scribe.block(&value, 0);
        scribe.out
    })
}

fn styled() -> impl Strategy<Value = (Json, Vec<u8>)> {
    let entries = proptest::collection::vec((text(), document()), 1..3);
    let root = entries.prop_map(|entries| with_short_keys(Json::Object(Map::from_iter(entries))));
    (root, proptest::collection::vec(any::<u8>(), 1..64))
}

#[test]
fn every_way_to_write_a_document_reads_the_same() {
    let [by_libyaml, by_saphyr] = [std::cell::Cell::new(0_u32), std::cell::Cell::new(0_u32)];
    check("texts in many styles, read by three readers", &styled(), |(value, choices)| {
        let mut scribe = Scribe::new(&choices);
        scribe.block(&value, 0);
        let (text, looks_typed) = (scribe.out, scribe.looks_typed);
        agree("the own reader", read(&text), &value, &text)?;
        if !text.contains("0b") {
            // A binary number to yaml_serde, a string to GitHub.
            by_libyaml.set(by_libyaml.get() + 1);
            agree("yaml_serde", yaml_serde(&text), &value, &text)?;
        }
        if !looks_typed {
            // `yes` and `2_28` are something else to serde-saphyr, and not to GitHub.
            by_saphyr.set(by_saphyr.get() + 1);
            agree("serde-saphyr", saphyr(&text), &value, &text)?;
        }
        Ok(())
    });
    let (by_libyaml, by_saphyr) = (by_libyaml.get(), by_saphyr.get());
    println!("of these, yaml_serde read {by_libyaml} and serde-saphyr {by_saphyr}");
    assert!(by_libyaml > CASES / 2 && by_saphyr > CASES / 4, "the exceptions took over");
}

/// Calls `visit` for each scalar with its path.
fn scalars(node: &Node, path: &Path, visit: &mut dyn FnMut(&Node, &Path)) {
    match &node.value {
        Value::Sequence(items) => {
            items.iter().enumerate().for_each(|(index, item)| scalars(item, &path.index(index), visit));
        }
        Value::Mapping(entries) => {
            entries.iter().for_each(|(key, value)| scalars(value, &path.key(key.as_str().unwrap()), visit));
        }
        _ => visit(node, path),
    }
}

/// What a piece of source stands for: one character.
fn meaning(written: &str, quote: Option<char>) -> Option<String> {
    let code = |digits: &str| u32::from_str_radix(digits, 16).ok().and_then(char::from_u32).map(String::from);
    match (quote, written.strip_prefix('\\')) {
        (Some('"'), Some(escape)) => match escape.split_at_checked(1)? {
            ("x" | "u" | "U", digits) => code(digits),
            ("n", "") => Some("\n".to_owned()),
            ("t", "") => Some("\t".to_owned()),
            ("N", "") => Some("\u{85}".to_owned()),
            ("_", "") => Some("\u{a0}".to_owned()),
            ("L", "") => Some("\u{2028}".to_owned()),
            (itself, "") => Some(itself.to_owned()),
            _ => None,
        },
        _ if quote == Some('\'') && written == "''" => Some("'".to_owned()),
        _ => Some(written.to_owned()),
    }
}

#[test]
fn every_character_of_a_scalar_knows_where_it_came_from() {
    let characters = std::cell::Cell::new(0_usize);
    check("spans", &styled(), |(value, choices)| {
        let mut scribe = Scribe::new(&choices);
        scribe.block(&value, 0);
        let text = scribe.out;
        let document =
            parse(&text).map_err(|findings| TestCaseError::fail(format!("{findings:?}\n{text}")))?;
        let mut wrong = Vec::new();
        scalars(&document.root, &Path::root(), &mut |node, path| {
            let written = &text[node.span.clone()];
            let Some(value) = node.as_str().filter(|_| !written.starts_with('*')) else { return };
            if document.node(path) != Some(node) {
                wrong.push(format!("{path} leads elsewhere"));
            }
            let quote = written.chars().next().filter(|first| matches!(first, '"' | '\''));
            let Some(runs) = scalar::origins(&text[node.span.start..], value) else {
                return wrong.push(format!("{path}: {value:?} is not found in {written:?}"));
            };
            let starts = value.char_indices().map(|(offset, character)| (offset, character.len_utf8()));
            let of_run = |run: &scalar::Run| {
                let own =
                    starts.clone().filter(|(offset, _)| (run.value..run.value + run.length).contains(offset));
                own.map(|(offset, length)| run.part(offset, offset + length)).collect::<Vec<_>>()
            };
            let origins: Vec<_> = runs.iter().flat_map(of_run).collect();
            let count = value.chars().count();
            if origins.len() != count {
                return wrong.push(format!("{path}: {} places for {value:?}", origins.len()));
            }
            let mut end = 0;
            for (index, ((offset, character), origin)) in value.char_indices().zip(&origins).enumerate() {
                let origin = node.span.start + origin.start..node.span.start + origin.end;
                let found = &text[origin.clone()];
                let is_fold = character == ' ' && found == "\n";
                let is_same = is_fold || meaning(found, quote) == Some(character.to_string());
                let place = Place::within(path.clone(), offset..offset + character.len_utf8());
                // `Document::span` reads the same places; asking for each of them takes long.
                let is_span = index != count / 2 || document.span(&place) == origin;
                if origin.start < end || !is_same || !is_span {
                    return wrong
                        .push(format!("{path}: {character:?} at {offset} of {value:?} is {found:?}"));
                }
                end = origin.end;
            }
            characters.set(characters.get() + count);
        });
        prop_assert!(wrong.is_empty(), "{wrong:#?}\n{text}");
        Ok(())
    });
    println!("spans: {} characters", characters.get());
}

fn codes(text: &str) -> Vec<(&'static str, String)> {
    let findings = Document::parse_workflow(Source::new("test.yml", text)).map(|_| Diagnostics::new());
    let findings = findings.unwrap_or_else(|findings| findings);
    let underlined = |place: &Place| text[place.span.clone().unwrap()].to_owned();
    findings.iter().map(|finding| (finding.code, underlined(&finding.place))).collect()
}

#[test]
fn plain_scalars_read_as_github_reads_them() {
    let number = |value: f64| Plain::Number(value);
    for (text, expected) in [
        ("", Plain::Null),
        ("null", Plain::Null),
        ("Null", Plain::Null),
        ("NULL", Plain::Null),
        ("~", Plain::Null),
        ("nULL", Plain::String),
        ("true", Plain::Bool(true)),
        ("FALSE", Plain::Bool(false)),
        ("tRUE", Plain::String),
        ("yes", Plain::String),
        ("on", Plain::String),
        ("0755", number(755.0)),
        ("-12", number(-12.0)),
        ("+12", number(12.0)),
        ("1_000", Plain::String),
        ("2_28", Plain::String),
        ("0x1F", number(31.0)),
        ("0xFFFFFFFF", number(-1.0)),
        ("0x1FFFFFFFF", Plain::OutOfRange),
        ("-0x1", Plain::String),
        ("0X1", Plain::String),
        ("0o17", number(15.0)),
        ("0o8", Plain::String),
        ("3.10", number(3.1)),
        ("1.", number(1.0)),
        (".5", number(0.5)),
        ("+.5e-1", number(0.05)),
        ("1e3", number(1000.0)),
        ("1e999", number(f64::INFINITY)),
        (".", Plain::String),
        ("-", Plain::String),
        ("e3", Plain::String),
        ("1e", Plain::String),
        ("1e+", Plain::String),
        ("1.2.3", Plain::String),
        (".inf", number(f64::INFINITY)),
        ("-.INF", number(f64::NEG_INFINITY)),
        ("+.nan", Plain::String),
        ("12:30:45", Plain::String),
        ("2024-01-01", Plain::String),
        ("=", Plain::String),
    ] {
        assert_eq!(scalar::resolve(text), expected, "{text}");
    }
    assert!(matches!(scalar::resolve(".NaN"), Plain::Number(value) if value.is_nan()));
}

#[test]
fn documents_that_are_accepted() {
    for (text, expected) in [
        ("", json!(null)),
        ("# nothing\n", json!(null)),
        ("---\n...\n", json!(null)),
        ("\u{feff}a: 1\n", json!({"a": 1})),
        ("a: &x [1, {b: *y}]", json!("error")),
        ("a: &x [1, 2]\nb: *x\nc: {d: *x}\n", json!({"a": [1, 2], "b": [1, 2], "c": {"d": [1, 2]}})),
        ("a: &k b\n*k : c\n", json!({"a": "b", "b": "c"})),
        (
            "1: a\ntrue: b\n3.10: c\n: d\n'<<': e\n",
            json!({"1": "a", "true": "b", "3.10": "c", "": "d", "<<": "e"}),
        ),
        (
            "a: !!str 1\nb: !!int 1\nc: !!float 1\nd: !!bool true\ne: !!null\nf: !!str\n",
            json!({"a": "1", "b": 1, "c": 1, "d": true, "e": null, "f": ""}),
        ),
        ("on: push\n", json!({"on": "push"})),
    ] {
        match read(text) {
            Ok(value) => assert_eq!(value, expected, "{text}"),
            Err(error) => assert_eq!(expected, json!("error"), "{text}: {error}"),
        }
    }
}

#[test]
fn documents_that_are_refused() {
    for (text, expected) in [
        ("a: 1\na: 2\n", vec![("duplicate-key-ci", "a")]),
        ("a: 1\nA: 2\n", vec![("duplicate-key-ci", "A")]),
        ("{a: {b: 1, \"b\": 2}}", vec![("duplicate-key-ci", "\"b\"")]),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", vec![("yaml-merge-key", "<<")]),
        ("a: !foo b\n", vec![("yaml-tag", "b")]),
        ("a: !!set {b}\n", vec![("yaml-tag", "{")]),
        ("a: ! b\n", vec![("yaml-tag", "b")]),
        ("a: !!int x\n", vec![("yaml-tag", "x")]),
        ("a: !!int 1.5\n", vec![("yaml-tag", "1.5")]),
        ("a: !!int '1'\n", vec![("yaml-tag", "'1'")]),
        ("a: 0x1FFFFFFFF\n", vec![("yaml-number", "0x1FFFFFFFF")]),
        ("[a]: b\n", vec![("yaml-key", "[a]")]),
        ("? {a: b}\n: c\nd: e\nd: f\n", vec![("yaml-key", "{a: b}"), ("duplicate-key-ci", "d")]),
        ("a: *b\n", vec![("yaml-anchor", "*b")]),
        ("a: &b [*b]\n", vec![("yaml-anchor", "*b")]),
        ("a: 1\n---\nb: 2\n", vec![("yaml-documents", "---")]),
        ("a: [1\n", vec![("yaml-syntax", "[")]),
        ("a: 1\n b: 2\n", vec![("yaml-syntax", ":")]),
        ("a: \"\\q\"\n", vec![("yaml-syntax", "\"")]),
        // All in one run, up to the first syntax error.
        (
            "a: 1\na: 2\nb: !x 1\nc: *d\n<<: {}\ne: 0x1FFFFFFFF\nf: ]\n",
            vec![
                ("duplicate-key-ci", "a"),
                ("yaml-tag", "1"),
                ("yaml-anchor", "*d"),
                ("yaml-merge-key", "<<"),
                ("yaml-number", "0x1FFFFFFFF"),
                ("yaml-syntax", "]"),
            ],
        ),
    ] {
        let expected: Vec<_> = expected.into_iter().map(|(code, text)| (code, text.to_owned())).collect();
        assert_eq!(codes(text), expected, "{text}");
    }
    assert!(parse("a: 1\nA: 2\n").is_ok(), "only workflows compare keys without case");
}

#[test]
fn places_are_found() {
    let text = "\
name: CI # the name
jobs:
  build:
    steps:
      - uses: a/b@0123 # v1.2.3
      - run: |  # script
          echo \"$x\"

          echo done
        env: {A: 'it''s', B: \"x\\ty\"}
      - name: >-
          two
          words
empty:
";
    let document = parse(text).unwrap();
    let step = |index| Path::of(["jobs", "build", "steps"]).index(index);
    let run = "echo \"$x\"\n\necho done\n";
    for (place, expected) in [
        (Place::value(Path::of(["name"])), "CI"),
        (Place::key(Path::of(["jobs", "build"])), "build"),
        (Place::key(step(0)), "uses"),
        (Place::value(step(0).key("uses")), "a/b@0123"),
        (Place::within(step(0).key("uses"), 4..8), "0123"),
        (Place::within(step(0).key("uses"), 4..99), "0123"),
        (Place::within(step(0).key("uses"), 4..4), ""),
        (Place::within(step(1).key("run"), 6..8), "$x"),
        (Place::within(step(1).key("run"), 11..run.len() - 1), "echo done"),
        (Place::within(step(1).key("env").key("A"), 2..3), "''"),
        (Place::within(step(1).key("env").key("B"), 0..3), "x\\ty"),
        (Place::within(step(2).key("name"), 0..9), "two\n          words"),
        (Place::value(step(1).key("env")), "{A: 'it''s', B: \"x\\ty\"}"),
        (Place::value(step(1).key("env").key("missing").key("x")), "env"),
        (Place::value(step(9)), "steps"),
        (Place::value(Path::of(["missing"])), "name"),
        (Place::value(Path::of(["empty"])), ""),
        (Place::key(Path::root()), "name"),
    ] {
        assert_eq!(&text[document.span(&place)], expected, "{place:?}");
    }
    for (path, comment) in [
        (Path::of(["name"]), Some("the name")),
        (step(0).key("uses"), Some("v1.2.3")),
        (step(1).key("run"), None),
        (step(2).key("name"), None),
        (Path::of(["empty"]), None),
        (Path::of(["jobs"]), None),
        (Path::of(["missing"]), None),
    ] {
        assert_eq!(document.trailing_comment(&path), comment, "{path}");
    }
}

#[test]
fn line_breaks_of_every_system_keep_places() {
    let text = "a: |\r\n  x\r\n\r\n  y\r\nb: \"p\r\n  q\"\r\n";
    let document = parse(text).unwrap();
    assert_eq!(document.node(&Path::of(["a"])).unwrap().as_str(), Some("x\n\ny\n"));
    assert_eq!(&text[document.span(&Place::within(Path::of(["a"]), 3..4))], "y");
    assert_eq!(&text[document.span(&Place::within(Path::of(["b"]), 2..3))], "q");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the library has no clock; this test measures it")]
fn hostile_documents_end_soon() {
    let laughs =
        (1..30).fold("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned(), |text, level| {
            let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
            text + &format!("a{level}: &a{level} [{aliases}]\n")
        });
    let nested_anchors: String = (0..90).map(|level| format!("&a{level} [")).collect();
    let long = "x".repeat(MAX_BYTES / 2);
    for (name, text) in [
        ("- - -", "- ".repeat(50_000)),
        ("? ? ?", "? ".repeat(50_000)),
        ("[[[", "[".repeat(100_000)),
        ("{{{", "{".repeat(100_000)),
        ("{a: {a:", "{a: ".repeat(25_000)),
        ("indentation", (0..400).map(|level| format!("{:level$}a:\n", "")).collect()),
        ("billion laughs", laughs),
        ("long text repeated", format!("a: &a {long}\nb: [{}]\n", "*a, ".repeat(10_000))),
        ("nested anchors", format!("{nested_anchors}{}", "x, ".repeat(24_000))),
        (
            "deep alias",
            format!(
                "a: &a {}1{}\nb: {}*a{}\n",
                "[".repeat(60),
                "]".repeat(60),
                "[".repeat(60),
                "]".repeat(60)
            ),
        ),
        ("many nodes", "- 1\n".repeat(60_000)),
        ("huge file", "a".repeat(MAX_BYTES + 1)),
        ("huge key", format!("{}: 1\n", "k".repeat(MAX_BYTES / 2))),
        ("open quote", format!("a: \"{long}")),
        ("tags", "!!str ".repeat(50_000)),
        ("anchors", "&a ".repeat(50_000)),
        ("commas", format!("[{}", ",".repeat(100_000))),
        ("nul", "\0".repeat(1000)),
    ] {
        let start = Instant::now();
        let findings = Document::parse_workflow(Source::new("hostile.yml", text)).err().unwrap_or_default();
        assert!(findings.has_errors(), "{name} was accepted");
        assert!(findings.len() < 200, "{name}: {} findings", findings.len());
        assert!(start.elapsed() < Duration::from_secs(2), "{name} took {:?}", start.elapsed());
    }
    let start = Instant::now();
    assert!(parse(&format!("a: {}\n", "x".repeat(MAX_BYTES - 10))).is_ok(), "long is not hostile");
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the library has no clock; this test measures it")]
fn places_in_hostile_scalars_are_found_soon() {
    let many = 100_000;
    for (name, text) in [
        ("blank lines of a literal", format!("a: |\n  b\n{}  c\n", "\n".repeat(many))),
        ("blank lines that do not fold", format!("a: >\n  b\n{}    c\n", "\n".repeat(many))),
        ("blanks in quotes", format!("a: \"\\u0061{}c\"\n", " ".repeat(many))),
        ("an indented literal", format!("a: |9\n{}c\n", " ".repeat(many))),
        ("lines of a literal", format!("a: |\n{}  c\n", "  b\n".repeat(many))),
    ] {
        let document = parse(&text).unwrap();
        let value = document.root.get("a").and_then(Node::as_str).unwrap();
        let place = value.rfind('c').unwrap();
        let start = Instant::now();
        let span = document.span(&Place::within(Path::of(["a"]), place..place + 1));
        assert_eq!(&text[span], "c", "{name}");
        assert!(start.elapsed() < Duration::from_secs(2), "{name} took {:?}", start.elapsed());
    }
}

/// Any text at all: an answer, never a panic, and every span on character boundaries.
#[test]
fn arbitrary_text_never_panics() {
    let soup = proptest::collection::vec(text(), 1..6).prop_map(|pieces| pieces.join(": "));
    check("arbitrary texts", &soup, |text| {
        match parse(&text) {
            Ok(document) => scalars(&document.root, &Path::root(), &mut |node, path| {
                let _ = &text[node.span.clone()];
                let _ = &text[document.span(&Place::within(path.clone(), 1..3))];
                let _ = document.trailing_comment(path);
            }),
            Err(findings) => {
                for finding in &findings {
                    prop_assert!(text.get(finding.place.span.clone().unwrap()).is_some(), "{finding:?}");
                }
            }
        }
        Ok(())
    });
}

/// Documents for readers outside Rust, see `tests/tools/yaml_readers.py`.
#[test]
#[expect(clippy::disallowed_methods, reason = "hands samples to a program; nothing of the library does")]
fn samples_for_other_readers() {
    let Some(path) = std::env::var_os("PYFLEET_YAML_SAMPLES") else { return };
    let lines = std::cell::RefCell::new(String::new());
    check("samples", &document(), |value| {
        let line = json!({"text": to_string(&value).unwrap(), "value": value});
        lines.borrow_mut().push_str(&format!("{line}\n"));
        Ok(())
    });
    std::fs::write(path, lines.into_inner()).unwrap();
}
