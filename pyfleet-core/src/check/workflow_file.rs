//! What rules look at: a workflow, the document it was read from, and what many rules ask of both, made once.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;

use super::Repository;
use super::commands::{Command, commands};
use super::rights::Effects;
use super::script::{System, system};
use crate::action::{Action, Catalogue};
use crate::diagnostic::{Path, Segment};
use crate::workflow::{Job, Parsed, Placed, Step, Workflow, expressions};
use crate::yaml::tree::{Document, Node};
use crate::yaml::way::Way;

/// A workflow and the document it was read from.
#[derive(Debug)]
pub struct WorkflowFile<'a> {
    /// What it means.
    pub workflow: &'a Workflow,
    /// How it is written.
    pub document: &'a Document,
    /// The repository it belongs to, where that is known: rules that ask for other files find nothing
    /// without it.
    pub repository: Option<&'a Repository>,
    /// To the node that a rule has asked for last.
    way: RefCell<Way<'a>>,
    /// Its jobs, once a rule has asked for them.
    jobs: OnceCell<Vec<PlacedJob<'a>>>,
    /// Its expressions, once a rule has asked for them.
    expressions: OnceCell<Cow<'a, [Placed]>>,
    /// Which of them are in each job.
    expressions_of_jobs: OnceCell<BTreeMap<Option<Segment>, Range<usize>>>,
}

/// A job and where it stands.
#[derive(Debug)]
pub struct PlacedJob<'a> {
    /// `jobs.ID`.
    pub place: Path,
    /// Its id.
    pub id: &'a str,
    /// What it is.
    pub job: &'a Job,
    /// What it runs on, where all its runners are of one kind and GitHub's.
    pub(super) system: Option<System>,
    /// Its steps, those that run in parallel after the step that holds them.
    pub steps: Vec<PlacedStep<'a>>,
}

/// A step and where it stands.
#[derive(Debug)]
pub struct PlacedStep<'a> {
    /// `jobs.ID.steps[N]`, or deeper.
    pub place: Path,
    /// What it is.
    pub step: &'a Step,
    action: OnceCell<Option<&'static Action>>,
    commands: OnceCell<Vec<Command>>,
    effects: OnceCell<Effects>,
}

impl<'a> PlacedStep<'a> {
    fn new((place, step): (Path, &'a Step)) -> Self {
        Self { place, step, action: OnceCell::new(), commands: OnceCell::new(), effects: OnceCell::new() }
    }

    /// What the catalogue knows of the action it uses.
    pub(super) fn action(&self) -> Option<&'static Action> {
        *self.action.get_or_init(|| Catalogue::get().action(self.step.uses.as_ref()?.slug()?))
    }

    /// The commands of its `run:`, in the order in which they end: what stands in a substitution comes before what it
    /// is part of. Read when they are first asked for: most scripts hold nothing that a rule looks at.
    pub(super) fn commands(&self) -> &[Command] {
        self.commands.get_or_init(|| commands(self.step.run.as_deref().unwrap_or_default()))
    }

    /// What it changes outside its run.
    pub(super) fn effects(&self) -> &Effects {
        self.effects.get_or_init(|| Effects::of(self))
    }
}

impl<'a> WorkflowFile<'a> {
    /// A workflow and the document it was read from.
    #[must_use]
    pub const fn new(workflow: &'a Workflow, document: &'a Document) -> Self {
        Self {
            workflow,
            document,
            repository: None,
            way: RefCell::new(Way::from(&document.root)),
            jobs: OnceCell::new(),
            expressions: OnceCell::new(),
            expressions_of_jobs: OnceCell::new(),
        }
    }

    /// A workflow that was read, with the expressions that were read with it.
    pub(super) fn parsed(parsed: &'a Parsed) -> Self {
        let expressions = OnceCell::from(Cow::Borrowed(parsed.expressions.as_slice()));
        Self { expressions, ..Self::new(&parsed.workflow, &parsed.document) }
    }

    /// The node at a path. Rules ask for many, each near the last.
    pub(super) fn node(&self, path: &Path) -> Option<&'a Node> {
        self.way.borrow_mut().node(path)
    }

    /// The text of the comment behind the scalar at a path.
    pub(super) fn trailing_comment(&self, path: &Path) -> Option<&'a str> {
        self.document.comment_behind(self.node(path)?)
    }

    /// Every job, in the order of the text.
    pub fn jobs(&self) -> std::slice::Iter<'_, PlacedJob<'a>> {
        let jobs = self.jobs.get_or_init(|| {
            let placed = |(place, id, job): (Path, &'a str, &'a Job)| {
                let steps = job.steps_at(&place).into_iter().map(PlacedStep::new).collect();
                PlacedJob { place, id, job, system: system(job), steps }
            };
            self.workflow.jobs_at().map(placed).collect()
        });
        jobs.iter()
    }

    /// Every step of every job, in the order of the text.
    pub fn steps(&self) -> impl Iterator<Item = &PlacedStep<'a>> {
        self.jobs().flat_map(|job| &job.steps)
    }

    /// Every expression of the file, in the order of the text; parsed once for all rules.
    #[must_use]
    pub fn expressions(&self) -> &[Placed] {
        self.expressions.get_or_init(|| expressions(self.document, &Path::root()).into())
    }

    /// Those of one job, by its place.
    #[must_use]
    pub fn expressions_of(&self, job: &Path) -> &[Placed] {
        let expressions = self.expressions();
        let of_jobs = self.expressions_of_jobs.get_or_init(|| {
            let mut of_jobs = BTreeMap::new();
            for (position, placed) in expressions.iter().enumerate() {
                // What is in a job stands together.
                let own = of_jobs.entry(job_of(&placed.path)).or_insert(position..position);
                own.end = position + 1;
            }
            of_jobs
        });
        of_jobs.get(&job_of(job)).and_then(|range| expressions.get(range.clone())).unwrap_or_default()
    }
}

/// The job that a path leads into.
fn job_of(path: &Path) -> Option<Segment> {
    match path.segments() {
        [Segment::Key(jobs), job, ..] if jobs == "jobs" => Some(job.clone()),
        _ => None,
    }
}
