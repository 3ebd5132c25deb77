//! Which workflows start and which of their jobs run when something happens, and why.
//!
//! Nothing is executed. What is not told of the event, and what only a run can know, is not known, and neither is what
//! depends on it: an answer is yes, no, or that it depends, with the parts of the condition that decide. A job that runs
//! is taken to succeed, and whoever is asked for an approval to give it, unless something else is assumed. What a called
//! workflow does inside is not looked at.
//!
//! ```
//! use pyfleet_core::simulate::{Answer, Event, simulate};
//! use pyfleet_core::{source::Source, workflow};
//!
//! let text = "
//! on:
//!   push: { branches: [main] }
//!   workflow_dispatch: { inputs: { target: { type: choice, options: [dev, prod], required: true } } }
//! jobs:
//!   build: { runs-on: ubuntu-24.04, steps: [{ run: make }] }
//!   deploy:
//!     needs: build
//!     if: inputs.target == 'prod' || github.event_name == 'push'
//!     runs-on: ubuntu-24.04
//!     steps: [{ run: make deploy }]
//! ";
//! let workflow = workflow::parse(Source::new("ci.yml", text)).0.unwrap().0;
//!
//! let pushed = simulate(&workflow, &Event::new("push").on("main"));
//! assert_eq!(pushed.jobs["deploy"].runs.answer, Answer::Yes);
//! let elsewhere = simulate(&workflow, &Event::new("push").on("topic"));
//! assert_eq!(elsewhere.starts.because, ["`branches` does not let the branch `topic` through"]);
//! let by_hand = simulate(&workflow, &Event::new("workflow_dispatch").on("main").with_input("target", "dev"));
//! assert_eq!(by_hand.jobs["deploy"].runs.answer, Answer::No);
//! assert_eq!(by_hand.jobs["deploy"].runs.because[0], "`inputs.target == 'prod'` is false: `inputs.target` is `dev`");
//! ```

mod assumption;
mod contexts;
mod event;
mod job;
mod matrix;
mod reason;
mod start;
mod starting;
mod way;

#[cfg(test)]
mod tests;

use indexmap::IndexMap;

pub use assumption::Assumption;
pub use event::{Event, Mistake, Reference};
pub use job::SimulatedJob;
pub use reason::reasons;
pub use way::{Despite, Way};

use crate::workflow::{Graph, Workflow};

/// What is answered to "does it start?" and "does it run?".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// It does.
    Yes,
    /// It depends on what is not known.
    Unknown,
    /// It does not.
    No,
}

/// An answer, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The answer.
    pub answer: Answer,
    /// What decides, in words; nothing where a job runs without a condition.
    pub because: Vec<String>,
}

impl Verdict {
    fn yes() -> Self {
        Self { answer: Answer::Yes, because: Vec::new() }
    }

    fn no(because: impl Into<String>) -> Self {
        Self { answer: Answer::No, because: vec![because.into()] }
    }

    fn unknown(because: impl Into<String>) -> Self {
        Self { answer: Answer::Unknown, because: vec![because.into()] }
    }

    /// Both have to be so: the first that is not is the answer, and what is not known comes last.
    fn and(self, other: impl FnOnce() -> Self) -> Self {
        if self.answer == Answer::No {
            return self;
        }
        let other = other();
        match (self.answer, other.answer) {
            (_, Answer::No) | (Answer::Yes, _) => other,
            (_, Answer::Yes) => self,
            _ => Self {
                answer: Answer::Unknown,
                because: self.because.into_iter().chain(other.because).collect(),
            },
        }
    }
}

/// What becomes of one workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulation {
    /// Whether it starts.
    pub starts: Verdict,
    /// Its jobs, if it can start: each after those that it needs.
    pub jobs: IndexMap<String, SimulatedJob>,
}

impl Simulation {
    /// What becomes of a file that GitHub refuses: nothing.
    #[must_use]
    pub fn refused() -> Self {
        Self { starts: Verdict::no("GitHub refuses the file"), jobs: IndexMap::new() }
    }
}

/// Says whether an event starts a workflow, and which of its jobs run then.
///
/// The event is taken as it is: see [`Event::mistakes`] for what cannot happen.
#[must_use]
pub fn simulate(workflow: &Workflow, event: &Event) -> Simulation {
    Simulator::of(workflow).simulate(event)
}

/// A workflow of which several events are asked.
#[derive(Debug)]
pub struct Simulator<'w> {
    workflow: &'w Workflow,
    graph: Graph<'w>,
    /// Each job after those that it needs.
    order: Vec<&'w str>,
    /// The conditions of the jobs that have one.
    conditions: IndexMap<&'w str, job::Condition<'w>>,
}

impl<'w> Simulator<'w> {
    /// Reads the conditions of a workflow.
    #[must_use]
    pub fn of(workflow: &'w Workflow) -> Self {
        let graph = Graph::of(workflow);
        let order = job::order(workflow, &graph);
        let conditions =
            workflow.jobs.iter().filter_map(|(id, job)| Some((id.as_str(), job::Condition::of(job)?)));
        Self { workflow, conditions: conditions.collect(), graph, order }
    }

    /// As [`simulate`].
    #[must_use]
    pub fn simulate(&self, event: &Event) -> Simulation {
        let starts = self.starts(event);
        let jobs = if starts.answer == Answer::No { IndexMap::new() } else { self.describe(event) };
        Simulation { starts, jobs }
    }

    /// The answers for jobs alone, which takes a small part of the time, and less without reasons; none where the
    /// workflow does not start.
    #[must_use]
    pub fn answers(&self, event: &Event, reasons: bool) -> Option<IndexMap<&'w str, Verdict>> {
        (self.starts(event).answer != Answer::No).then(|| self.answer(event, reasons))
    }

    /// Whether a job's own condition is false whatever is the case, as `if: false`.
    #[must_use]
    pub fn is_switched_off(&self, job: &str) -> bool {
        self.conditions.get(job).is_some_and(job::Condition::is_never)
    }

    fn starts(&self, event: &Event) -> Verdict {
        if let Some((job, _, needed)) = self.graph.unknown().first() {
            return Verdict::no(format!(
                "GitHub refuses the file: `{job}` needs `{needed}`, which is not there"
            ));
        }
        if self.order.len() < self.workflow.jobs.len() {
            let circle = self.graph.cycle().unwrap_or_default().join(", ");
            return Verdict::no(format!("GitHub refuses the file: jobs wait for each other: {circle}"));
        }
        start::starts(self.workflow, event)
    }
}
