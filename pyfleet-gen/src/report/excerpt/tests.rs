//! The crate `annotate-snippets` is the oracle: what is drawn is what it draws.

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets as oracle;
use camino::Utf8PathBuf;
use oracle::{AnnotationKind, Group, Level, Renderer};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use pyfleet_core::check::rules::RULES;
use pyfleet_core::check::{self, Subject};
use pyfleet_core::diagnostic::Severity;
use pyfleet_core::source::Source;
use pyfleet_core::workflow;

use super::pen::digits;
use super::{Excerpt, Mark, Snippet};
use crate::report::human::{Shown, excerpt};
use crate::report::{Finding, first_line, visible};

/// How many random excerpts are compared.
const CASES: u32 = 4096;

/// What the crate draws, with a line feed for its last row too.
fn drawn_by_the_oracle(excerpt: &Excerpt<'_>, colour: bool) -> String {
    let level = match excerpt.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut group = Group::with_title(level.primary_title(&*excerpt.message).id(excerpt.code))
        .element(snippet_of_the_oracle(&excerpt.found))
        .elements(excerpt.origin.iter().map(snippet_of_the_oracle));
    for help in &excerpt.helps {
        group = group.element(Level::HELP.message(&**help));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group]) + "\n"
}

fn snippet_of_the_oracle<'s>(snippet: &'s Snippet<'_>) -> oracle::Snippet<'s, oracle::Annotation<'s>> {
    let annotation = |kind: AnnotationKind, mark: &'s Mark<'_>| {
        kind.span(mark.span.clone()).label(mark.label.as_deref().map(Cow::Borrowed))
    };
    oracle::Snippet::source(&*snippet.text)
        .line_start(snippet.first_line)
        .path(&*snippet.path)
        .fold(true)
        .annotation(annotation(AnnotationKind::Primary, &snippet.mark))
        .annotations(snippet.beside.iter().map(|mark| annotation(AnnotationKind::Context, mark)))
}

fn assert_as_the_oracle(excerpt: &Excerpt<'_>) {
    for colour in [false, true] {
        let mut drawn = String::new();
        excerpt.write(colour, &mut drawn);
        let expected = drawn_by_the_oracle(excerpt, colour);
        assert!(drawn == expected, "drawn:\n{drawn}\nthe oracle:\n{expected}\n{drawn:?}\n{expected:?}");
    }
}

/// Whether the crate counts a line too few, and its gutter is too narrow for that.
fn is_miscounted(snippets: &[&Snippet<'_>]) -> bool {
    let lines = |text: &str| text.lines().count().saturating_sub(1);
    let last = |snippet: &Snippet<'_>, count: &dyn Fn(&str) -> usize| {
        let ends = snippet.beside.iter().chain([&snippet.mark]).map(|mark| mark.span.end);
        let end = ends.max().unwrap_or_default();
        snippet.first_line + count(&snippet.text[..end])
    };
    let counted = snippets.iter().map(|snippet| last(snippet, &lines)).max();
    let all = snippets.iter().map(|snippet| {
        let before_the_end = snippet.text.strip_suffix('\n').map_or(snippet.text.len(), str::len);
        last(snippet, &|text| text[..text.len().min(before_the_end)].matches('\n').count())
    });
    counted.map(digits) != all.max().map(digits)
}

/// Whether a long underline is not alone in its line, where the crate leaves out the middle of it in some cases.
fn is_crowded(snippet: &Snippet<'_>) -> bool {
    !snippet.beside.is_empty() && snippet.text.lines().any(|line| super::width(line) > 250)
}

/// Texts of lines as they are and as they are not.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => "[a-z:#-]{1,12}",
        4 => " {1,8}",
        1 => Just("\t".to_owned()),
        1 => prop::sample::select(vec!["\u{4e16}", "\u{1f600}", "\u{e9}", "e\u{301}", "\u{200b}", "\u{fe0f}", "\u{fdfa}", "\u{1b}", "\r", "\0"])
            .prop_map(str::to_owned),
    ];
    let long = prop_oneof![" {20,200}", "[a-z ]{100,400}", "(\u{4e16}|x){100,200}", "(\t| ){5,30}"];
    let line = prop_oneof![
        6 => prop::collection::vec(piece.clone(), 0..8).prop_map(|pieces| pieces.concat()),
        1 => (prop::collection::vec(piece.clone(), 0..4), long, prop::collection::vec(piece, 0..8))
            .prop_map(|(before, long, after)| before.concat() + &long + &after.concat()),
    ];
    (prop::collection::vec((line, prop::sample::select(vec!["\n", "\n", "\r\n"])), 0..9), any::<bool>())
        .prop_map(|(lines, ends)| {
            let mut text: String = lines.iter().map(|(line, end)| line.clone() + end).collect();
            if !ends {
                text.truncate(text.trim_end().len());
            }
            visible(&text).into_owned()
        })
}

/// Messages, helps and labels.
fn words() -> impl Strategy<Value = String> {
    let words = prop_oneof![
        8 => "[a-z`]{1,9}( [a-z]{1,9}){0,5}",
        2 => "[a-z]{1,9}(\n[a-z]{0,9}){1,3}",
        1 => "[a-z]{0,3}(\u{4e16}|\t|\r\n)[a-z]{0,3}",
        1 => Just(String::new()),
        1 => "[a-z ]{100,200}",
    ];
    words.prop_map(|words| visible(&words).into_owned())
}

/// A part of one line, as long as the text goes.
fn place(text: &str, from: prop::sample::Index, length: Option<prop::sample::Index>) -> Range<usize> {
    let start = from.index(text.len() + 1);
    let end = length.map_or(start, |length| start + length.index(text.len() + 1 - start));
    first_line(text, start..end)
}

prop_compose! {
    fn snippet(marks: usize)(
        text in text(),
        first_line in prop::sample::select(vec![1_usize, 2, 5, 8, 9, 93, 98, 996, 123_456]),
        own in any::<(prop::sample::Index, Option<prop::sample::Index>)>(),
        own_label in prop::option::of(words()),
        beside in prop::collection::vec(
            (any::<(prop::sample::Index, Option<prop::sample::Index>)>(), words()),
            0..marks,
        ),
    ) -> Snippet<'static> {
        let mark = |(from, length), label: Option<String>| {
            Mark { span: place(&text, from, length), label: label.map(Cow::Owned) }
        };
        let own = mark(own, own_label);
        let beside = beside.into_iter().map(|(at, label)| mark(at, Some(label))).collect();
        Snippet { path: "a/b.yml".into(), text: text.into(), first_line, mark: own, beside }
    }
}

prop_compose! {
    fn any_excerpt()(
        severity in prop::sample::select(vec![Severity::Error, Severity::Warning, Severity::Note]),
        message in words(),
        found in prop_oneof![snippet(1), snippet(5)],
        origin in prop::option::weighted(0.2, snippet(1)),
        helps in prop::collection::vec(words(), 0..3),
    ) -> Excerpt<'static> {
        let helps = helps.into_iter().map(Cow::Owned).collect();
        Excerpt { severity, code: "some-rule", message: message.into(), found, origin, helps }
    }
}

#[test]
fn anything_is_drawn_as_the_oracle_draws_it() {
    let config =
        Config { cases: CASES, max_global_rejects: CASES, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]));
    let property = |excerpt: Excerpt<'_>| {
        let snippets: Vec<_> = [&excerpt.found].into_iter().chain(&excerpt.origin).collect();
        prop_assume!(!is_miscounted(&snippets) && !snippets.iter().any(|snippet| is_crowded(snippet)));
        assert_as_the_oracle(&excerpt);
        Ok(())
    };
    if let Err(failure) = runner.run(&any_excerpt(), property) {
        panic!("{failure}");
    }
}

/// What is drawn otherwise than the oracle does, as the head of the module says.
#[test]
fn what_is_different_by_intent() {
    let drawn = |text: String, span: Range<usize>, beside: Vec<Mark<'static>>| {
        let mark = Mark { span, label: None };
        let found = Snippet { path: "x".into(), text: text.into(), first_line: 9, mark, beside };
        let (severity, message, helps) = (Severity::Note, "m".into(), Vec::new());
        let mut drawn = String::new();
        Excerpt { severity, code: "some-rule", message, found, origin: None, helps }.write(false, &mut drawn);
        drawn
    };
    let beside = vec![Mark { span: 0..1, label: None }];
    assert_eq!(
        drawn("a\nb\n".to_owned(), 2..2, beside),
        "note[some-rule]: m\n  --> x:10:1\n   |\n 9 | a\n   | -\n10 | b\n   | ^\n"
    );
    let beside = vec![Mark { span: 1..2, label: None }];
    let long = drawn("a".repeat(300), 0..300, beside);
    assert!(!long.contains("..."), "{long}");
    assert!(drawn("a".repeat(300), 0..300, Vec::new()).contains("^...^"));
}

/// Files of a folder of the reference data, or a line that says what was not run.
#[expect(clippy::print_stderr, reason = "tests say what they skip")]
fn reference_files(folder: &str) -> Vec<Utf8PathBuf> {
    let Some(data) = std::env::var_os("PYFLEET_DATA") else {
        eprintln!("not run: PYFLEET_DATA is not set");
        return Vec::new();
    };
    let folder = Utf8PathBuf::try_from(std::path::PathBuf::from(data)).unwrap().join(folder);
    folder.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path()).collect()
}

#[test]
fn findings_in_the_workflows_of_others() {
    for file in reference_files("corpus/workflows") {
        let source = Source::new(file.as_str(), std::fs::read_to_string(&file).unwrap());
        let (workflow, mut findings) = workflow::parse(source.clone());
        if let Some((workflow, document)) = &workflow {
            findings.extend(check::run(&Subject::workflow(workflow, document), RULES));
        }
        let shown = Shown::of(&source);
        for diagnostic in findings {
            let finding = Finding { diagnostic, origin: None };
            assert_as_the_oracle(&excerpt(&shown, &finding));
        }
    }
}
