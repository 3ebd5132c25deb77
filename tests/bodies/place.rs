//! `places.tsv`: which story has executed which step of which job, in success.
//!
//! A body's text is the same wherever it is rendered, and what differs enters by `env:`: so its failure is shown once, and
//! its success in every place. A line names the steps of a job that one story has executed and nobody before it. Lines are
//! sorted, and a merge keeps those of both sides.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use super::body::{self, Body, Example};
use super::excuse::{NEVER_DUE, NOT_REACHED};
use super::ledger::Ledger;
use crate::tool;

/// A step of a rendered job.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Step {
    pub(crate) job: Job,
    pub(crate) name: String,
}

/// Its job.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Job {
    pub(crate) example: String,
    pub(crate) workflow: String,
    pub(crate) id: String,
}

/// Who has executed a step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Places(pub(crate) BTreeMap<Step, String>);

impl Step {
    pub(crate) fn of(example: &Example, (workflow, job, _): &body::Place, body: &Body) -> Self {
        let workflow = workflow.rsplit('/').next().unwrap().to_owned();
        let job = Job { example: example.name.clone(), workflow, id: job.clone() };
        Self { job, name: body.step.clone() }
    }

    /// As a reader looks for it.
    pub(crate) fn said(&self) -> String {
        let Job { example, workflow, id } = &self.job;
        format!("{example}, {workflow}, {id}: {}", self.name)
    }
}

impl Places {
    pub(crate) fn path() -> PathBuf {
        tool::repository().join("tests/bodies/places.tsv")
    }

    /// What is committed. Who is about to change it holds the ledger's guard.
    pub(crate) fn read() -> Self {
        Self::parse(&fs::read_to_string(Self::path()).unwrap())
    }

    pub(crate) fn parse(text: &str) -> Self {
        let mut places = Self::default();
        for line in text.lines() {
            let cells: Vec<&str> = line.split('\t').collect();
            let [example, workflow, id, story, steps] = cells[..] else { panic!("five cells: {line:?}") };
            let [example, workflow, id] = [example, workflow, id].map(ToOwned::to_owned);
            let job = Job { example, workflow, id };
            for name in steps.split("; ") {
                let step = Step { job: job.clone(), name: name.to_owned() };
                // Where a merge has kept the lines of two stories, one is enough.
                places.0.entry(step).or_insert_with(|| story.to_owned());
            }
        }
        places
    }

    pub(crate) fn text(&self) -> String {
        let mut lines: BTreeMap<(&Job, &str), Vec<&str>> = BTreeMap::new();
        for (step, story) in &self.0 {
            lines.entry((&step.job, story)).or_default().push(&step.name);
        }
        let line = |((job, story), steps): (&(&Job, &str), &Vec<&str>)| {
            format!("{}\t{}\t{}\t{story}\t{}\n", job.example, job.workflow, job.id, steps.join("; "))
        };
        lines.iter().map(line).collect()
    }

    pub(crate) fn write(&self) {
        fs::write(Self::path(), self.text()).unwrap();
    }

    /// Takes over what a story has executed and nobody else.
    pub(crate) fn enter(&mut self, story: &str, executed: &BTreeSet<Step>) {
        self.0.retain(|_, own| own != story);
        for step in executed {
            self.0.entry(step.clone()).or_insert_with(|| story.to_owned());
        }
    }

    /// What a story is named for and has not executed.
    pub(crate) fn lost(&self, story: &str, executed: &BTreeSet<Step>) -> Vec<String> {
        let own = self.0.iter().filter(|(_, own)| *own == story).map(|(step, _)| step);
        own.filter(|step| !executed.contains(step)).map(Step::said).collect()
    }
}

/// Every step of some examples that runs something, but for what is never due.
fn due(examples: &[Example]) -> BTreeSet<Step> {
    let mut due = BTreeSet::new();
    for example in examples {
        for (place, body) in &example.bodies {
            let name = body::name_of(&body.text);
            if !NEVER_DUE.iter().any(|(own, never, _)| *own == example.name && *never == name) {
                due.insert(Step::of(example, place, body));
            }
        }
    }
    due
}

/// What has a reason for not being executed, and the reason.
pub(super) fn excused() -> BTreeMap<Step, &'static str> {
    let step = |(example, workflow, id, name, why): &(&str, &str, &str, &str, &'static str)| {
        let [example, workflow, id] = [example, workflow, id].map(|text| (*text).to_owned());
        (Step { job: Job { example, workflow, id }, name: (*name).to_owned() }, *why)
    };
    NOT_REACHED.iter().map(step).collect()
}

/// What nobody executes, and has no reason for it.
fn unshown<'a>(due: &'a BTreeSet<Step>, places: &Places) -> Vec<&'a Step> {
    let excused = excused();
    due.iter().filter(|step| !places.0.contains_key(step) && !excused.contains_key(step)).collect()
}

/// What is wrong with the places that stories have executed, for these examples.
fn mistakes(examples: &[Example], places: &Places) -> Vec<String> {
    let (due, excused) = (due(examples), excused());
    let say = |what: &str, step: &Step| format!("{what}: {}", step.said());
    let unshown = unshown(&due, places).into_iter();
    let mut mistakes: Vec<String> =
        unshown.map(|step| say("nobody executes this where it is rendered", step)).collect();
    for (step, story) in &places.0 {
        if !due.contains(step) {
            mistakes.push(say(&format!("{story} executes what is not there"), step));
        }
        if excused.contains_key(step) {
            mistakes.push(say(&format!("{story} executes what is excused"), step));
        }
    }
    let gone = excused.keys().filter(|step| !due.contains(step));
    mistakes.extend(gone.map(|step| say("what is excused is not there", step)));
    let stories: BTreeSet<&String> = places.0.values().collect();
    let gone = stories.into_iter().filter(|story| !super::tells(story));
    mistakes.extend(gone.map(|story| format!("there is no such story: {story}")));
    mistakes
}

#[test]
fn every_step_is_executed_where_it_is_rendered() {
    let examples = body::examples();
    let due = due(examples);
    let (_, _guard) = Ledger::read();
    if std::env::var_os("PYFLEET_UPDATE").is_some() {
        // Only what is not there any more: to add a line takes its story.
        let mut places = Places::read();
        let stories: BTreeSet<String> = places.0.values().cloned().collect();
        let gone: BTreeSet<&String> = stories.iter().filter(|story| !super::tells(story)).collect();
        places.0.retain(|step, story| due.contains(step) && !gone.contains(story));
        places.write();
    }
    let places = Places::read();
    assert!(
        fs::read_to_string(Places::path()).unwrap() == places.text(),
        "tests/bodies/places.tsv is not sorted, or says something twice: PYFLEET_UPDATE=1 rewrites it"
    );
    let mistakes = mistakes(examples, &places);

    let jobs: BTreeSet<&Job> = due.iter().map(|step| &step.job).collect();
    let open: BTreeSet<&Job> =
        due.iter().filter(|step| !places.0.contains_key(step)).map(|step| &step.job).collect();
    println!(
        "{} of {} jobs of the examples have every step executed where it is rendered; {} of {} steps, {} have a reason",
        jobs.len() - open.len(),
        jobs.len(),
        places.0.len(),
        due.len(),
        NOT_REACHED.len(),
    );
    assert!(
        mistakes.is_empty(),
        "PYFLEET_UPDATE=1 cargo test --test integration -- runner::STORY writes down what a story executes:\n{}",
        mistakes.join("\n")
    );
}

/// A test that cannot fail is a defect.
#[test]
fn a_job_that_nobody_executes_is_noticed() {
    let places = Places::read();
    let newly = |examples: &[Example], places: &Places| {
        let before = mistakes(body::examples(), &Places::read());
        let mut after = mistakes(examples, places);
        after.retain(|mistake| !before.contains(mistake));
        after
    };

    // A job for one more environment, with steps that others have, and one more step in a job that is executed.
    let mut examples = body::examples().to_vec();
    let first = examples.iter_mut().find(|example| example.name == "pyfleet").unwrap();
    let step = "{name: Check it, run: bash .github/scripts/check-state.sh}";
    let new = format!("on: push\njobs: {{check-qa: {{runs-on: x, steps: [{step}, {step}]}}}}\n");
    first.add(".github/workflows/check-state.yml", &new);
    let noticed = ["Check it", "Check it (2)"].map(|step| {
        format!("nobody executes this where it is rendered: pyfleet, check-state.yml, check-qa: {step}")
    });
    assert_eq!(newly(&examples, &places), noticed);
    let first = examples.iter_mut().find(|example| example.name == "pyfleet").unwrap();
    first.add(".github/workflows/check-state.yml", &new.replace("check-qa", "check-prod"));
    assert!(newly(&examples, &places).join("\n").contains("check-state.yml, check-prod: Check it"));

    // A line that is missing, of a step that is gone, or of a story that is gone.
    let due = due(body::examples());
    for step in places.0.keys() {
        let mut less = places.clone();
        less.0.remove(step);
        assert!(unshown(&due, &less).contains(&step), "{}", step.said());
    }
    let with = |line: &str| {
        let mut more = places.clone();
        more.0.extend(Places::parse(line).0);
        newly(body::examples(), &more).join("\n")
    };
    let story = "runner::pyfleet::the_life_of_two_environments";
    assert!(with(&format!("pyfleet\ttf.yml\tgone\t{story}\tGo\n")).contains("executes what is not there"));
    assert!(with("pyfleet\ttf.yml\tguard\trunner::pyfleet::gone\tGo\n").contains("no such story"));
}

/// What a story executes is its own until it does so no more; what others have executed stays theirs.
#[test]
fn a_story_that_loses_a_step_is_noticed() {
    let text = "pyfleet\ttf.yml\tguard\ta::b\tGuard it\npyfleet\ttf.yml\tscan\tc::d\tSay it; Scan it\n";
    let mut places = Places::parse(text);
    assert_eq!(places.text(), text);
    let none = BTreeSet::new();
    assert_eq!(places.lost("a::b", &none), ["pyfleet, tf.yml, guard: Guard it"]);
    let all: BTreeSet<Step> = places.0.keys().cloned().collect();
    assert!(places.lost("a::b", &all).is_empty());
    places.enter("a::b", &all);
    assert_eq!(places.text(), text);
    places.enter("c::d", &none);
    assert_eq!(places.text(), "pyfleet\ttf.yml\tguard\ta::b\tGuard it\n");
}
