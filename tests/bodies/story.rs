//! What a test executes of an example, compared with what the ledger names it for.
//!
//! ```ignore
//! let _story = story!(what_the_test_is_called);
//! ```

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::{panic, thread};

use super::body::{self, Example};
use super::excuse::STOOD_IN;
use super::ledger::{Demand, End, Ledger, Witness};
use super::place::{Places, Step};
use crate::runner::watch::Hung;

/// A test that executes an example's workflows; it compares where it ends.
pub(crate) struct Story;

/// What is being told on this thread: a test runs on one.
struct Told {
    name: String,
    shown: BTreeMap<Demand, Witness>,
    /// Where a body has ended well.
    places: BTreeSet<Step>,
}

/// So often a story is told that hangs.
const ATTEMPTS: usize = 3;

thread_local! {
    static IS_BEGUN: Cell<bool> = const { Cell::new(false) };
    static TOLD: RefCell<Option<Told>> = const { RefCell::new(None) };
}

/// Begins the story that is named as the test is. One of which a step hangs is told again from its beginning.
macro_rules! story {
    ($test:path) => {{
        if !$crate::bodies::Story::is_begun() {
            return $crate::bodies::Story::tell($test);
        }
        $crate::bodies::Story::begin(std::any::type_name_of_val(&$test))
    }};
}
pub(crate) use story;

impl Story {
    /// Whether this thread tells a story.
    pub(crate) fn is_begun() -> bool {
        IS_BEGUN.get()
    }

    /// Tells a story, and tells it again where a step hangs, which says nothing of what it is about. Whatever else is
    /// wrong ends it.
    pub(crate) fn tell(test: fn()) {
        for attempt in 1..=ATTEMPTS {
            IS_BEGUN.set(true);
            let ended = panic::catch_unwind(test);
            IS_BEGUN.set(false);
            match ended {
                Ok(()) => return,
                Err(reason) => match reason.downcast::<Hung>() {
                    // Nobody reads what a test prints that passes in the end: this is said to whoever runs them all.
                    Ok(hung) if attempt < ATTEMPTS => {
                        let test = thread::current().name().unwrap_or_default().to_owned();
                        let _said = writeln!(io::stderr(), "{test} hung, and is told again: {}", hung.0);
                    }
                    Ok(hung) => panic::resume_unwind(hung),
                    Err(reason) => panic::resume_unwind(reason),
                },
            }
        }
    }

    pub(crate) fn begin(place: &str) -> Self {
        let name = place.split_once("::").unwrap().1.to_owned();
        TOLD.set(Some(Told { name, shown: BTreeMap::new(), places: BTreeSet::new() }));
        Self
    }
}

/// A body of an example has ended. It counts where it is the text that is committed for this step.
pub(crate) fn note(
    example: &Example,
    place: &body::Place,
    text: &str,
    code: i32,
    stand_ins: BTreeSet<String>,
) {
    TOLD.with_borrow_mut(|told| {
        let told = told.as_mut().unwrap_or_else(|| {
            panic!("this executes {}: the test begins with `let _story = story!(…);`", example.name)
        });
        let Some(committed) = example.bodies.get(place).filter(|body| body.text == text) else { return };
        let is_excused = |name: &String| STOOD_IN.iter().any(|(own, _)| own == name);
        if code == 0 && stand_ins.iter().all(is_excused) {
            told.places.insert(Step::of(example, place, committed));
        }
        let body = body::name_of(text);
        let end = match code {
            0 => End::Success,
            code if body::is_main_failure(&body, code) => End::Failure,
            _ => return,
        };
        let demand = Demand::new(&body, end, &example.name);
        let witness = Witness { example: example.name.clone(), stand_ins, story: told.name.clone() };
        match told.shown.get(&demand) {
            Some(known) if known.stand_ins.len() <= witness.stand_ins.len() => {}
            _ => drop(told.shown.insert(demand, witness)),
        }
    });
}

impl Drop for Story {
    fn drop(&mut self) {
        let told = TOLD.take().unwrap();
        // A test that fails says why, and one that lacks a tool has said so.
        if thread::panicking() || told.shown.is_empty() {
            return;
        }
        let (mut ledger, _guard) = Ledger::read();
        let mut places = Places::read();
        if std::env::var_os("PYFLEET_UPDATE").is_some() {
            told.enter(&mut ledger);
            ledger.write();
            places.enter(&told.name, &told.places);
            places.write();
        }
        let lost = (told.lost(&ledger), places.lost(&told.name, &told.places));
        assert!(
            lost.0.is_empty() && lost.1.is_empty(),
            "{} no longer shows what tests/bodies/*.tsv name it for; PYFLEET_UPDATE=1 rewrites them:\n{lost:#?}",
            told.name
        );
    }
}

impl Told {
    /// What the ledger names this story for and it has not shown.
    fn lost<'a>(&self, ledger: &'a Ledger) -> Vec<&'a Demand> {
        let own = ledger.0.iter().filter(|(_, witness)| witness.story == self.name);
        let is_lost = |(demand, witness): &(&Demand, &Witness)| {
            self.shown.get(demand).is_none_or(|shown| !shown.stand_ins.is_subset(&witness.stand_ins))
        };
        own.filter(is_lost).map(|(demand, _)| demand).collect()
    }

    /// Takes over what nobody else has shown, or only with more that is stood in for.
    fn enter(&self, ledger: &mut Ledger) {
        ledger.0.retain(|_, witness| witness.story != self.name);
        for (demand, witness) in &self.shown {
            match ledger.0.get(demand) {
                Some(known) if known.stand_ins.len() <= witness.stand_ins.len() => {}
                _ => drop(ledger.0.insert(demand.clone(), witness.clone())),
            }
        }
    }
}

#[test]
fn a_story_that_loses_a_body_is_noticed() {
    let told = |stand_ins: &[&str]| {
        let demand = Demand::new("gate.sh", End::Success, "pyfleet");
        let stand_ins = stand_ins.iter().map(|name| (*name).to_owned()).collect();
        let witness = Witness { example: "pyfleet".to_owned(), stand_ins, story: "a::b".to_owned() };
        Told { name: "a::b".to_owned(), shown: BTreeMap::from([(demand, witness)]), places: BTreeSet::new() }
    };
    let mut ledger =
        Ledger::parse("gate.sh\tfailure\tpyfleet\t-\ta::b\nnotify.sh\tfailure\tpyfleet\t-\tc::d\n");
    assert_eq!(told(&[]).lost(&ledger), [&Demand::new("gate.sh", End::Failure, "pyfleet")]);
    // Others keep what they have shown, and who shows it with fewer stand-ins is named.
    told(&["gh"]).enter(&mut ledger);
    let line = "gate.sh\tsuccess\tpyfleet\tgh\ta::b\nnotify.sh\tfailure\tpyfleet\t-\tc::d\n";
    assert_eq!(ledger.text(), line);
    assert!(told(&["gh"]).lost(&ledger).is_empty());
    assert_eq!(told(&["curl"]).lost(&ledger).len(), 1);
    let mut other = Told { name: "e::f".to_owned(), ..told(&["curl"]) };
    other.shown.values_mut().for_each(|witness| witness.story = "e::f".to_owned());
    other.enter(&mut ledger);
    assert_eq!(ledger.text(), line);
    other.shown.values_mut().for_each(|witness| witness.stand_ins.clear());
    other.enter(&mut ledger);
    assert_eq!(ledger.text(), line.replace("gh\ta::b", "-\te::f"));
}

#[cfg(test)]
mod tests {
    use std::panic::{catch_unwind, panic_any};
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::{Hung, Story};

    static TOLD: [AtomicUsize; 3] = [const { AtomicUsize::new(0) }; 3];

    fn times(story: usize) -> usize {
        TOLD[story].fetch_add(1, Ordering::Relaxed) + 1
    }

    #[test]
    fn only_what_hangs_is_told_again() {
        Story::tell(|| {
            if times(0) < 3 {
                panic_any(Hung("on purpose".to_owned()));
            }
        });
        assert_eq!(times(0), 4);
        let hangs = catch_unwind(|| {
            Story::tell(|| {
                times(1);
                panic_any(Hung("on purpose".to_owned()));
            });
        });
        assert!(hangs.is_err_and(|reason| reason.is::<Hung>()) && times(1) == 4);
        let fails = catch_unwind(|| {
            Story::tell(|| {
                times(2);
                panic!("on purpose");
            });
        });
        assert!(fails.is_err() && times(2) == 2);
        assert!(!Story::is_begun());
    }
}
