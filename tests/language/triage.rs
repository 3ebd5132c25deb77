//! What the rules call an error in workflows that people run: each has been looked at, and is one.
//!
//! `triage.tsv` holds them all. A line that begins at its margin is a statement of a rule, with the names in it left out:
//!
//! ```text
//! VERDICT  RULE  STATEMENT  WHY
//! ```
//!
//! Below it, behind a tab, stand the files that it is made of, with its lines, and what was seen there if it is not the
//! same as elsewhere:
//!
//! ```text
//!     FILE  LINES  NOTE
//! ```
//!
//! Left out is what GitHub itself refuses: `corpus` compares that with GitHub's own parser.

use std::collections::BTreeMap;
use std::env;
use std::fs;

use pyfleet_core::check::{self, Repository, Subject, rules, rules::RULES};
use pyfleet_core::diagnostic::{Diagnostics, Severity};
use pyfleet_core::source::Source;
use pyfleet_core::workflow;

use super::corpus::files;
use crate::tool;

const TABLE: &str = "tests/language/triage.tsv";

/// The verdicts, and what each says. A finding that is wrong has none: its rule is mended.
const VERDICTS: &[(&str, &str)] = &[
    (
        "true",
        "the run fails, or does something else than is written, or can be taken over, as the statement says",
    ),
    ("policy", "what is said of the text is so; that it is an error is the decision that WHY names"),
];

/// What `PYFLEET_UPDATE=1` writes where somebody has to look.
const UNTRIAGED: &str = "untriaged";

/// A statement: its rule, and its message without names.
type Statement = (String, String);

#[derive(Default)]
struct Table {
    verdicts: BTreeMap<Statement, (String, String)>,
    /// The lines of a file with a statement, and the note on them.
    places: BTreeMap<(Statement, String), (String, String)>,
}

#[test]
fn every_error_has_been_looked_at() {
    let Some(data) = tool::data() else { return };
    let found = judge(&files(&data.join("corpus/workflows")));
    let path = tool::repository().join(TABLE);
    let mut table = Table::read(&fs::read_to_string(&path).unwrap_or_default());
    if env::var_os("PYFLEET_UPDATE").is_some() {
        table = table.updated(&found);
        fs::write(&path, table.to_string()).unwrap();
    }
    let mut wrong = Vec::new();
    for (key @ ((rule, said), file), lines) in &found {
        match table.places.get(key) {
            Some((known, note)) if known == lines && note != UNTRIAGED => {}
            Some((known, _)) if known == lines => {
                wrong.push(format!("{file}:{lines}: {rule}: {said}: {UNTRIAGED}"))
            }
            Some((known, _)) => wrong.push(format!("{file}: {rule}: {said}: lines {lines}, not {known}")),
            None => wrong.push(format!("{file}:{lines}: {rule}: {said}: is not in the table")),
        }
    }
    let gone = table.places.keys().filter(|key| !found.contains_key(key));
    wrong.extend(gone.map(|((rule, said), file)| format!("{file}: {rule}: {said}: is not found any more")));
    for (statement @ (rule, said), (verdict, why)) in &table.verdicts {
        if !table.places.keys().any(|(own, _)| own == statement) {
            wrong.push(format!("{rule}: {said}: nothing is found of it any more"));
        }
        if !VERDICTS.iter().any(|(known, _)| known == verdict) || why.is_empty() {
            wrong.push(format!("{rule}: {said}: {verdict} is no verdict with a reason"));
        }
    }
    for (verdict, _) in VERDICTS {
        let count = |(lines, _): &(String, String)| lines.split(' ').count();
        let is = |statement: &Statement| table.verdicts.get(statement).is_some_and(|(own, _)| own == verdict);
        let places = table.places.iter().filter(|((statement, _), _)| is(statement));
        println!("{verdict}: {}", places.map(|(_, place)| count(place)).sum::<usize>());
    }
    let remedy = "look at each; PYFLEET_UPDATE=1 cargo test triage writes them down for that";
    assert!(wrong.is_empty(), "{TABLE}: {remedy}\n{}", wrong.join("\n"));
}

/// The errors that GitHub does not refuse itself, by statement and file, with their lines.
fn judge(files: &[(String, String)]) -> BTreeMap<(Statement, String), String> {
    // A file is called `owner__repository__file.yml`.
    let mut repositories = BTreeMap::<&str, Repository>::new();
    for (name, text) in files {
        if let Some((repository, file)) = name.rsplit_once("__") {
            repositories.entry(repository).or_default().add(&format!(".github/workflows/{file}"), text);
        }
    }
    let mut found = BTreeMap::<_, Vec<usize>>::new();
    for (name, text) in files {
        let repository = name.rsplit_once("__").and_then(|(repository, _)| repositories.get(repository));
        for (statement, line) in errors(name, text, repository) {
            found.entry((statement, name.clone())).or_default().push(line);
        }
    }
    let written = |mut lines: Vec<usize>| {
        lines.sort_unstable();
        lines.iter().map(usize::to_string).collect::<Vec<_>>().join(" ")
    };
    found.into_iter().map(|(key, lines)| (key, written(lines))).collect()
}

fn errors(name: &str, text: &str, repository: Option<&Repository>) -> Vec<(Statement, usize)> {
    let source = Source::new(name, text);
    let (read, mistakes) = workflow::parse(source.clone());
    let findings: Diagnostics = match &read {
        Some((workflow, document)) => {
            let subject = Subject::workflow(workflow, document);
            let subject = match repository {
                Some(repository) => subject.among(repository),
                None => subject,
            };
            check::run(&subject, RULES)
        }
        None => check::run_beside(source.clone(), &mistakes, repository, RULES),
    };
    let own = findings.into_iter().filter(|finding| {
        finding.severity == Severity::Error && rules::find(finding.code).is_some_and(|rule| !rule.rejects)
    });
    own.map(|finding| {
        let start = finding.place.span.as_ref().map_or(0, |span| span.start);
        let statement = (finding.code.to_owned(), without_names(&finding.message));
        (statement, source.position(start).line)
    })
    .collect()
}

/// A message of which every name is `…`: those between backquotes, and actions and their versions.
fn without_names(message: &str) -> String {
    let parts = message.split('`').enumerate();
    let quoted: Vec<&str> = parts.map(|(at, part)| if at % 2 == 1 { "…" } else { part }).collect();
    let text = quoted.join("`");
    let is_action = |word: &str| word.contains('/') && !word.contains('`');
    let is_version = |word: &str| {
        word.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let words = text.split(' ').map(|word| if is_action(word) || is_version(word) { "…" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

impl Table {
    fn read(text: &str) -> Self {
        let (mut table, mut statement) = (Self::default(), Statement::default());
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let columns: Vec<&str> = line.split('\t').collect();
            match columns.as_slice() {
                ["", file, lines, note @ ..] => {
                    let place = ((*lines).to_owned(), note.concat());
                    let known = table.places.insert((statement.clone(), (*file).to_owned()), place);
                    assert!(known.is_none(), "{TABLE}: twice: {line}");
                }
                [verdict, rule, said, why] => {
                    statement = ((*rule).to_owned(), (*said).to_owned());
                    let verdict = ((*verdict).to_owned(), (*why).to_owned());
                    let known = table.verdicts.insert(statement.clone(), verdict);
                    assert!(known.is_none(), "{TABLE}: twice: {line}");
                }
                _ => panic!("{TABLE}: this is no line of the table: {line}"),
            }
        }
        table
    }

    /// The table of what is found, with everything new to be looked at.
    fn updated(mut self, found: &BTreeMap<(Statement, String), String>) -> Self {
        let mut table = Self::default();
        for (key, lines) in found {
            let (statement, _) = key;
            let known = self.places.remove(key).filter(|(known, _)| known == lines);
            let note = known.map_or_else(|| UNTRIAGED.to_owned(), |(_, note)| note);
            table.places.insert(key.clone(), (lines.clone(), note));
            let untriaged = || (UNTRIAGED.to_owned(), String::new());
            let verdict = self.verdicts.get(statement).cloned();
            table.verdicts.insert(statement.clone(), verdict.unwrap_or_else(untriaged));
        }
        table
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (verdict, meaning) in VERDICTS {
            writeln!(formatter, "# {verdict}: {meaning}")?;
        }
        for (statement, (verdict, why)) in &self.verdicts {
            let (rule, said) = statement;
            writeln!(formatter, "{verdict}\t{rule}\t{said}\t{why}")?;
            for ((_, file), (lines, note)) in self.places.iter().filter(|((own, _), _)| own == statement) {
                formatter.write_str("\t")?;
                let columns: Vec<&str> = [file, lines, note].into_iter().map(String::as_str).collect();
                writeln!(formatter, "{}", columns.join("\t").trim_end())?;
            }
        }
        Ok(())
    }
}
