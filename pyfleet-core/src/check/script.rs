//! The scripts of a workflow that bash or sh runs, and the system of the runner they run on.

use super::commands::Command;
use super::{PlacedJob, PlacedStep, WorkflowFile};
use crate::diagnostic::Path;
use crate::workflow::{Defaults, Job, Runner, Step};

/// A `run:` for bash or sh.
#[derive(Debug)]
pub(super) struct Script<'a> {
    pub(super) job: &'a Job,
    pub(super) step: &'a Step,
    pub(super) text: &'a str,
    placed: &'a PlacedStep<'a>,
}

impl<'a> Script<'a> {
    /// Where it stands.
    pub(super) fn place(&self) -> Path {
        self.placed.place.key("run")
    }

    /// In the order in which they end: what stands in a substitution comes before what it is part of.
    pub(super) fn commands(&self) -> &'a [Command] {
        self.placed.commands()
    }
}

/// The scripts of a workflow that bash or sh runs.
pub(super) fn scripts<'a>(file: &'a WorkflowFile<'_>) -> Vec<Script<'a>> {
    fn of(defaults: Option<&Defaults>) -> Option<&str> {
        defaults?.run.shell.as_deref()
    }
    let mut found = Vec::new();
    for PlacedJob { job, system, steps, .. } in file.jobs() {
        let inherited = of(job.defaults.as_ref()).or_else(|| of(file.workflow.defaults.as_ref()));
        let without = if *system == Some(System::Windows) { "pwsh" } else { "bash" };
        for placed in steps {
            let step = placed.step;
            let shell = step.shell.as_deref().or(inherited).unwrap_or(without);
            let program = shell.split_whitespace().next().unwrap_or_default();
            if let Some(text) = step.run.as_deref().filter(|_| matches!(program, "bash" | "sh")) {
                found.push(Script { job, step, text, placed });
            }
        }
    }
    found
}

/// What the runners of a job have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    Windows,
    Unix,
}

/// What a job runs on, where all its runners are of one kind and GitHub's.
pub(super) fn system(job: &Job) -> Option<System> {
    let Runner { group: None, labels } = job.runs_on.as_ref()? else { return None };
    let [label] = labels.as_slice() else { return None };
    let values = job.values_of(label)?;
    let all = |prefixes: &[&str]| {
        values.iter().all(|label| prefixes.iter().any(|prefix| label.to_lowercase().starts_with(prefix)))
    };
    if all(&["windows-"]) {
        Some(System::Windows)
    } else if all(&["ubuntu-", "macos-"]) {
        Some(System::Unix)
    } else {
        None
    }
}
