//! Workflows made wrong in many ways: GitHub's parser and this project's reader say the same of each.

use std::collections::BTreeSet;

use pyfleet_core::diagnostic::Diagnostic;

use super::mutations::{ALL, Class, seeds};
use super::{refusals, shown};
use crate::random::Random;
use crate::validators::github::{Verdict, judge};

/// How many mutants of each class are judged.
const MUTANTS: usize = 150;

/// What the published parser says although GitHub runs the file. Mutants that meet one of these are not counted,
/// since the parser says nothing else of what is below.
const STRICTER_THAN_GITHUB: &[(&str, &str)] = &[
    (
        "Unexpected type 'BasicExpressionToken' encountered while reading",
        "it wants a mapping before anything is evaluated (actions/runner: early validation skips expressions)",
    ),
    ("Unexpected value 'repository_dispatch'", "the grammar names the event's constant wrongly"),
    (
        "Unexpected type 'NullToken' encountered while reading 'input configuration'",
        "an input without settings is a text; actionlint's authors hold it for good",
    ),
    ("Unexpected value 'undefined'", "an alias as a key, which the parser loses"),
];

/// What GitHub's server refuses and the published parser does not look at.
const STRICTER_THAN_THE_PARSER: &[(&str, &str)] = &[
    ("platform-limits", "limits of the server"),
    ("yaml-anchor", "an alias without its anchor, which the parser loses"),
    ("expected `owner/name@reference`", "the server reads what `uses` names (actions/runner, ConvertToStep)"),
];

/// At least this share of all mutants, and of each class, must be judged alike.
const AGREEMENT: (f64, f64) = (99.0, 95.0);

struct Outcome {
    judged: usize,
    accepted: usize,
    agreed: usize,
    skipped: usize,
    wrong: Vec<String>,
}

#[test]
fn mutants_are_judged_as_github_judges_them() {
    let (seed, _) = Random::seeded();
    println!("PYFLEET_SEED={seed}");
    let Some(seeds) = seeds() else { return };
    let mut mutants: Vec<(&Class, String, String)> = Vec::new();
    for class in ALL {
        let mut random = Random::branch(seed, class.name);
        let mut seen = BTreeSet::new();
        let mut tries = 0;
        // More than are judged: some meet a known difference.
        while seen.len() < MUTANTS * 5 / 4 && tries < MUTANTS * 100 {
            tries += 1;
            let text = (class.mutate)(&seeds, &mut random);
            if let Some(text) = text.filter(|text| seen.insert(text.clone())) {
                mutants.push((class, format!("{}-{}", class.name, seen.len()), text));
            }
        }
    }
    let texts = mutants.iter().map(|(_, name, text)| (name.as_str(), text.as_str()));
    let Some(verdicts) = judge(texts, true) else { return };

    let (mut judged, mut agreed, mut failed) = (0, 0, Vec::new());
    for class in ALL {
        let own = mutants.iter().zip(&verdicts).filter(|((own, ..), _)| own.name == class.name);
        let outcome = outcome(own.map(|((_, _, text), verdict)| (text.as_str(), verdict)));
        let share = |part: usize| 100.0 * part as f64 / outcome.judged as f64;
        println!(
            "{:20} {:4} mutants, {:5.1} % accepted, {:5.1} % agreement, {} not counted",
            class.name,
            outcome.judged,
            share(outcome.accepted),
            share(outcome.agreed),
            outcome.skipped
        );
        for wrong in &outcome.wrong {
            println!("  {wrong}");
        }
        judged += outcome.judged;
        agreed += outcome.agreed;
        if outcome.judged < MUTANTS
            || !(30.0..=70.0).contains(&share(outcome.accepted))
            || share(outcome.agreed) < AGREEMENT.1
        {
            failed.push(class.name);
        }
    }
    let agreement = 100.0 * agreed as f64 / judged as f64;
    println!("{judged} mutants in {} classes, {agreement:.2} % agreement", ALL.len());
    assert!(
        failed.is_empty() && agreement >= AGREEMENT.0,
        "{agreement:.2} %, seed {seed}, classes {failed:?}"
    );
}

fn outcome<'a>(mutants: impl Iterator<Item = (&'a str, &'a Verdict)>) -> Outcome {
    let mut outcome = Outcome { judged: 0, accepted: 0, agreed: 0, skipped: 0, wrong: Vec::new() };
    for (text, verdict) in mutants {
        if outcome.judged == MUTANTS {
            break;
        }
        let is_stricter =
            |message: &str| STRICTER_THAN_GITHUB.iter().any(|(known, _)| message.starts_with(known));
        if verdict.parser.iter().any(|finding| is_stricter(&finding.message)) {
            outcome.skipped += 1;
            continue;
        }
        let own = refusals(&verdict.name, text);
        let is_limit = |finding: &Diagnostic| {
            STRICTER_THAN_THE_PARSER
                .iter()
                .any(|(known, _)| finding.code == *known || finding.message.starts_with(known))
        };
        if verdict.accepted && !own.is_empty() && own.iter().all(is_limit) {
            outcome.skipped += 1;
            continue;
        }
        outcome.judged += 1;
        outcome.accepted += usize::from(verdict.accepted);
        if verdict.accepted == own.is_empty() {
            outcome.agreed += 1;
        } else {
            let said: Vec<_> = verdict.parser.iter().map(|finding| finding.message.as_str()).collect();
            if let Ok(folder) = std::env::var("PYFLEET_MUTANTS") {
                std::fs::write(std::path::Path::new(&folder).join(&verdict.name), text).unwrap();
            }
            outcome.wrong.push(format!("{}: GitHub {said:?}, own [{}]", verdict.name, shown(&own)));
        }
    }
    outcome
}

/// The reasons are there to be read.
#[test]
fn every_known_difference_has_a_reason() {
    for (what, reason) in STRICTER_THAN_GITHUB.iter().chain(STRICTER_THAN_THE_PARSER) {
        assert!(reason.len() > 15, "{what}");
    }
}
