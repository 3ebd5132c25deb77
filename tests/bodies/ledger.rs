//! `executed.tsv`: which story has shown which body, with which end.
//!
//! One line a fact, sorted, so that two branches can be merged line by line. A body has to succeed in every example that has
//! it, and to fail in one: its text is the same in all. A story sees for itself that what it is named for still happens
//! ([`super::story`]); `PYFLEET_UPDATE=1` writes down what it has shown and nobody else has.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};

use crate::tool;

/// How a body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    Failure,
    Success,
}

/// What has to be shown: that a body ends so. In one example, where it is a success.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Demand {
    pub(crate) body: String,
    pub(crate) end: End,
    pub(crate) example: Option<String>,
}

/// Who has shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Witness {
    pub(crate) example: String,
    /// The programs that were called and are not the real ones.
    pub(crate) stand_ins: BTreeSet<String>,
    pub(crate) story: String,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger(pub(crate) BTreeMap<Demand, Witness>);

impl Demand {
    pub(crate) fn new(body: &str, end: End, example: &str) -> Self {
        let example = (end == End::Success).then(|| example.to_owned());
        Self { body: body.to_owned(), end, example }
    }
}

impl Ledger {
    pub(crate) fn path() -> PathBuf {
        tool::repository().join("tests/bodies/executed.tsv")
    }

    /// What is committed. Who is about to change it holds the guard.
    pub(crate) fn read() -> (Self, MutexGuard<'static, ()>) {
        static CHANGED_BY_ONE: Mutex<()> = Mutex::new(());
        let guard = CHANGED_BY_ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let text = fs::read_to_string(Self::path()).unwrap();
        (Self::parse(&text), guard)
    }

    pub(crate) fn parse(text: &str) -> Self {
        let mut ledger = Self::default();
        for line in text.lines() {
            let cells: Vec<&str> = line.split('\t').collect();
            let [body, end, example, stand_ins, story] = cells[..] else { panic!("five cells: {line:?}") };
            let end = match end {
                "failure" => End::Failure,
                "success" => End::Success,
                other => panic!("no end of a body: {other}"),
            };
            let stand_ins = stand_ins.split(',').filter(|name| *name != "-").map(ToOwned::to_owned).collect();
            let witness = Witness { example: example.to_owned(), stand_ins, story: story.to_owned() };
            // Where a merge has kept the lines of two stories, one is enough.
            ledger.0.entry(Demand::new(body, end, example)).or_insert(witness);
        }
        ledger
    }

    pub(crate) fn text(&self) -> String {
        let line = |(demand, witness): (&Demand, &Witness)| {
            let end = if demand.end == End::Success { "success" } else { "failure" };
            let stand_ins: Vec<&str> = witness.stand_ins.iter().map(String::as_str).collect();
            let stand_ins = if stand_ins.is_empty() { "-".to_owned() } else { stand_ins.join(",") };
            format!("{}\t{end}\t{}\t{stand_ins}\t{}\n", demand.body, witness.example, witness.story)
        };
        self.0.iter().map(line).collect()
    }

    pub(crate) fn write(&self) {
        fs::write(Self::path(), self.text()).unwrap();
    }
}
