//! Arbitrary input for everything that reads text: it is answered, soon, with a bounded number of findings.
//!
//! Inputs are files that people wrote, cut, repeated and crossed with each other at random: what stands in a workflow is
//! reached from a workflow, not from noise. A run is a few hundred inputs; `PYFLEET_FUZZ_SECONDS` goes on for that long,
//! and `PYFLEET_SEED` starts elsewhere. The mutator is the one of the differential test and not a fuzzing engine: those
//! that follow coverage need nightly Rust, and without coverage they do what this does.
//!
//! A panic shows its input, by the seed and as a file under `target/fuzz`.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use pyfleet_core::check::{self, Subject, rules::RULES};
use pyfleet_core::simulate::{Answer, Event, Simulator};
use pyfleet_core::source::Source;
use pyfleet_core::{expression, manifest, workflow};
use pyfleet_gen::Streams;

use crate::random::Random;
use crate::tool;

/// How many inputs a run has that is not asked to go on.
const INPUTS: usize = 300;
/// No input is longer, so that linear is soon.
const LENGTH: usize = 32 * 1024;
/// No input takes longer, without optimisation and on a busy machine; what is usual is a hundredth.
const SLOWEST: Duration = Duration::from_secs(20);
/// No input has more findings than this for each of its bytes.
const FINDINGS: usize = 8;

/// What readers treat apart from letters.
const TOKENS: &[&str] = &[
    "\t",
    "\n",
    "\r\n",
    " ",
    "  ",
    ":",
    ": ",
    "- ",
    "#",
    "&a ",
    "*a",
    "!!str ",
    "|",
    ">-",
    "'",
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    "${{",
    "}}",
    "${{ a.b }}",
    "${{ fromJSON('",
    "((((((((",
    "[[[[[[[[",
    "{a: {a: {a: ",
    "? ",
    "<<: ",
    "---",
    "...",
    "%",
    "@",
    "~",
    "null",
    "0x7fffffff",
    "1e999",
    "-0",
    ".nan",
    "\u{feff}",
    "\u{2028}",
    "\u{202e}",
    "\u{0}",
    "\u{10ffff}",
    "é",
    "🦀",
];

/// Runs a target over mutants of texts.
fn fuzz(target: &str, texts: &[String], read: impl Fn(&str) -> usize) {
    let (seed, _) = Random::seeded();
    let mut random = Random::branch(seed, target);
    let going_on =
        std::env::var("PYFLEET_FUZZ_SECONDS").map_or(0, |seconds| seconds.parse().expect("a number"));
    let (began, going_on) = (Instant::now(), Duration::from_secs(going_on));
    let mut inputs = 0;
    while inputs < INPUTS || began.elapsed() < going_on {
        let input = mutant(texts, &mut random);
        inputs += 1;
        let started = Instant::now();
        let findings = catch_unwind(AssertUnwindSafe(|| read(&input))).unwrap_or_else(|panic| {
            println!("{target}: seed {seed}, input {inputs}: {}", kept(target, &input).display());
            resume_unwind(panic)
        });
        let took = started.elapsed();
        assert!(took < SLOWEST, "{target}: {took:?} for {}", kept(target, &input).display());
        let most = FINDINGS * (input.len() + 100);
        assert!(findings <= most, "{target}: {findings} findings of {}", kept(target, &input).display());
    }
    println!("{target}: {inputs} inputs in {} s, seed {seed}", began.elapsed().as_secs());
}

/// An input that something was wrong with, as a file.
fn kept(target: &str, input: &str) -> PathBuf {
    let folder = tool::repository().join("target/fuzz");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join(target);
    fs::write(&file, input).unwrap();
    file
}

fn mutant(texts: &[String], random: &mut Random) -> String {
    let mut text = random.one(texts).clone();
    for _ in 0..=random.below(6) {
        let (from, to) = (place(&text, random), place(&text, random));
        let (from, to) = (from.min(to), from.max(to));
        match random.below(6) {
            0 => text.replace_range(from..to.min(ceiling(&text, from + 40)), ""),
            1 => text.insert_str(from, random.one::<&str>(TOKENS)),
            2 => {
                let part = text[from..to.min(ceiling(&text, from + 200))].to_owned();
                text.insert_str(from, &part.repeat(1 + random.below(30)));
            }
            3 => {
                let other = random.one(texts);
                let (start, end) = (place(other, random), place(other, random));
                text.insert_str(from, &other[start.min(end)..start.max(end)]);
            }
            4 => text.truncate(to),
            _ => text.insert_str(from, &random.one::<&str>(TOKENS).repeat(1 + random.below(200))),
        }
        let end = ceiling(&text, LENGTH);
        text.truncate(end);
    }
    text
}

/// A place between two characters.
fn place(text: &str, random: &mut Random) -> usize {
    ceiling(text, random.below(text.len() + 1))
}

/// The first place between two characters from an offset on.
fn ceiling(text: &str, offset: usize) -> usize {
    (offset..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

/// Workflows: this project's, and those of the reference data where it is at hand.
fn workflows() -> Vec<String> {
    let mut texts = vec![
        include_str!("language/mutations/rare/everything.yml").to_owned(),
        include_str!("language/mutations/rare/called.yml").to_owned(),
        include_str!("language/mutations/rare/forms.yml").to_owned(),
    ];
    for folder in tool::data().into_iter().map(|data| data.join("corpus/workflows")) {
        texts.extend(crate::language::files(&folder).into_iter().map(|(_, text)| text));
    }
    texts.retain(|text| text.len() < LENGTH / 2);
    texts
}

#[test]
fn workflow() {
    fuzz("workflow", &workflows(), |text| {
        let (read, mistakes) = workflow::parse(Source::new("fuzz.yml", text));
        let Some((read, document)) = read else { return mistakes.len() };
        let findings = check::run(&Subject::workflow(&read, &document), RULES);
        let simulator = Simulator::of(&read);
        for event in read.on.names() {
            // What holds for every event of a name holds for this one.
            let always = simulator.answers(&Event::any(event), false);
            let event = Event::new(event).on("main").changing(["src/a", "b"]).with_input("a", "b");
            for (id, job) in simulator.simulate(&event).jobs {
                let always = always.as_ref().map_or(Answer::No, |jobs| jobs[id.as_str()].answer);
                assert!(
                    always == Answer::Unknown || always == job.runs.answer,
                    "{event}: {id}: {:?}",
                    job.runs
                );
            }
        }
        if !mistakes.has_errors() {
            let written = read.to_yaml().unwrap();
            let again = workflow::parse(Source::new("again.yml", written.clone())).0;
            assert!(
                again.is_some_and(|(again, _)| again == read),
                "it means something else when it is written:\n{written}"
            );
        }
        mistakes.len() + findings.len()
    });
}

#[test]
fn expression() {
    let mut texts: Vec<String> = Vec::new();
    for text in workflows() {
        texts.extend(expression::embedded(&text).0.iter().map(|found| found.expression.to_string()));
    }
    fuzz("expression", &texts, |text| {
        if let Ok(parsed) = expression::parse(text) {
            let written = parsed.to_string();
            assert_eq!(
                expression::parse(&written).map(|again| again.to_string()).as_ref(),
                Ok(&written),
                "{text}"
            );
        }
        let (_, mistakes) = expression::embedded(text);
        mistakes.len() + expression::condition(text).err().map_or(0, |mistakes| mistakes.len())
    });
}

#[test]
fn manifest() {
    let folder = tool::repository().join("tests/manifests");
    let texts: Vec<String> = crate::language::files(&folder).into_iter().map(|(_, text)| text).collect();
    fuzz("manifest", &texts, |text| manifest::parse(Source::new("pyfleet.yml", text)).2.len());
}

/// What is printed of a file with mistakes, in each format; a line that begins with `::` is one of this project's.
#[test]
fn reports() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    fuzz("reports", &workflows(), |text| {
        fs::write(directory.path().join("fuzz.yml"), text).unwrap();
        for format in ["human", "json", "github", "sarif"] {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let mut streams = Streams { out: &mut out, err: &mut err, colour: false };
            let arguments = ["pyfleet-gen", "-C", path, "validate", "fuzz.yml", "--format", format];
            let _ = pyfleet_gen::run(arguments, &mut streams);
            let said = String::from_utf8(out).unwrap();
            match format {
                "json" | "sarif" => drop(serde_json::from_str::<serde_json::Value>(&said).unwrap()),
                "github" => {
                    let is_own = |line: &str| {
                        ["::error ", "::warning ", "::notice "].iter().any(|own| line.starts_with(own))
                    };
                    assert!(said.lines().all(|line| !line.starts_with("::") || is_own(line)), "{said}");
                }
                _ => {}
            }
        }
        0
    });
}
