//! What would run, for people and for programs.
//!
//! `schemas/simulation.schema.json` is written from these types.

use std::collections::BTreeSet;
use std::io;

use pyfleet_core::expression::opens_in;
use pyfleet_core::simulate::{self, SimulatedJob, Simulation, reasons};
use serde::Serialize;

use super::{count, inert, single_line};
use crate::Streams;
use crate::exit::Exit;

/// One workflow, and what becomes of it.
pub(crate) struct Simulated {
    pub(crate) file: String,
    /// What GitHub shows.
    pub(crate) name: Option<String>,
    pub(crate) simulation: Simulation,
    /// All its jobs, whether it starts or not.
    pub(crate) ids: Vec<String>,
    /// The environments that ask reviewers before a job starts, where that is known.
    pub(crate) reviewed: Option<BTreeSet<String>>,
}

impl Simulated {
    /// Whether a job waits for somebody, where that is known.
    fn asks(&self, job: &SimulatedJob) -> Option<bool> {
        let reviewed = self.reviewed.as_ref()?;
        let name = job.environment.as_ref()?;
        (!opens_in(name)).then(|| reviewed.iter().any(|own| own.eq_ignore_ascii_case(name)))
    }
}

/// What `pyfleet-gen simulate --format json` prints.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "Simulation"))]
struct Written {
    /// What happens, in words.
    event: String,
    /// Every workflow, in the order of their files.
    workflows: Vec<Workflow>,
    /// What came of it.
    summary: Summary,
}

/// One workflow.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Workflow {
    /// Its file.
    file: String,
    /// What GitHub shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Whether the event starts it.
    starts: Answer,
    /// What decides; nothing where it starts.
    because: Vec<String>,
    /// Its jobs, each after those that it needs; none where it does not start.
    jobs: Vec<Job>,
}

/// One job.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Job {
    /// Its id.
    id: String,
    /// Whether it runs, if the workflow starts.
    runs: Answer,
    /// What decides; nothing for a job without a condition, behind jobs that run.
    because: Vec<String>,
    /// The jobs that it waits for.
    needs: Vec<String>,
    /// The environment that it runs in; as it is written where its name is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
    /// Whether that environment asks reviewers before the job starts, where a manifest says that.
    #[serde(skip_serializing_if = "Option::is_none")]
    asks_reviewers: Option<bool>,
    /// Whether it runs once for each combination of a matrix.
    has_matrix: bool,
    /// The combinations of its matrix, where they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    combinations: Option<Vec<String>>,
}

/// An answer.
#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
enum Answer {
    /// It does.
    Yes,
    /// It depends on what is not known.
    Unknown,
    /// It does not.
    No,
}

/// What came of it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Summary {
    /// 0.
    #[cfg_attr(test, schemars(range(max = 0)))]
    exit_code: u8,
    /// How many workflows start.
    workflows_that_start: usize,
    /// How many workflows may start.
    workflows_that_may_start: usize,
    /// How many jobs run, in workflows that start or may start.
    jobs_that_run: usize,
    /// How many jobs may run.
    jobs_that_may_run: usize,
    /// How many jobs are skipped.
    jobs_that_are_skipped: usize,
}

impl From<simulate::Answer> for Answer {
    fn from(answer: simulate::Answer) -> Self {
        match answer {
            simulate::Answer::Yes => Self::Yes,
            simulate::Answer::Unknown => Self::Unknown,
            simulate::Answer::No => Self::No,
        }
    }
}

/// Prints what starts with its jobs, and then what does not.
pub(crate) fn write_human(event: &str, simulated: &[Simulated], streams: &mut Streams<'_>) -> io::Result<()> {
    let written = written(event, simulated);
    let mut text = vec![written.event.clone()];
    let (idle, started): (Vec<_>, Vec<_>) =
        written.workflows.iter().partition(|workflow| workflow.starts == Answer::No);
    for workflow in started {
        let may = match workflow.starts {
            Answer::Unknown => format!(" may start: {}", reasons(&workflow.because)),
            _ => " starts".to_owned(),
        };
        text.push(format!("\n{}{may}", workflow.file));
        let width = workflow.jobs.iter().map(|job| job.id.chars().count()).max().unwrap_or_default();
        text.extend(workflow.jobs.iter().map(|job| format!("  {}", line(job, width)).trim_end().to_owned()));
    }
    if !idle.is_empty() {
        text.push(String::new());
    }
    for workflow in idle {
        text.push(format!("{} does not start: {}", workflow.file, reasons(&workflow.because)));
    }
    let Summary {
        workflows_that_start,
        workflows_that_may_start,
        jobs_that_run,
        jobs_that_may_run,
        jobs_that_are_skipped,
        ..
    } = written.summary;
    let verb = if workflows_that_start == 1 || simulated.len() == 1 { "starts" } else { "start" };
    let may = match workflows_that_may_start {
        0 => String::new(),
        number => format!(", {number} may start"),
    };
    text.push(String::new());
    text.push(format!(
        "{workflows_that_start} of {} {verb}{may}; jobs: {jobs_that_run} run, {jobs_that_may_run} may run, {jobs_that_are_skipped} skipped",
        count(simulated.len(), "workflow"),
    ));
    for line in text.iter().flat_map(|part| part.split('\n')) {
        writeln!(streams.out, "{}", inert(&single_line(line)))?;
    }
    Ok(())
}

fn line(job: &Job, width: usize) -> String {
    let (verdict, reason) = match job.runs {
        Answer::Yes => ("runs", None),
        Answer::Unknown => ("may run", Some(reasons(&job.because))),
        Answer::No => ("skipped", Some(reasons(&job.because))),
    };
    let mut about = Vec::new();
    if job.runs != Answer::No {
        if let Some(environment) = &job.environment {
            let asks = if job.asks_reviewers == Some(true) { ", which asks reviewers" } else { "" };
            about.push(format!("in the environment {environment}{asks}"));
        }
        match job.combinations.as_deref() {
            Some([only]) if !only.is_empty() => about.push(format!("for {only}")),
            Some([_]) => {}
            Some(all) => about.push(format!("for each of {}", count(all.len(), "combination"))),
            None if job.has_matrix => about.push("for each combination of its matrix".to_owned()),
            None => {}
        }
    }
    about.extend(reason);
    format!("{verdict:<7}  {:<width$}  {}", job.id, about.join("; "))
}

/// Prints the object. It holds nothing that looks like a secret, and no line of it is a command to GitHub's runner.
pub(crate) fn write_json(event: &str, simulated: &[Simulated], streams: &mut Streams<'_>) -> io::Result<()> {
    let text = serde_json::to_string_pretty(&written(event, simulated)).map_err(io::Error::from)?;
    writeln!(streams.out, "{}", text.replace("##[", "#\\u0023["))
}

fn written(event: &str, simulated: &[Simulated]) -> Written {
    let safe = |text: &str| single_line(text).into_owned();
    let all = |texts: &[String]| texts.iter().map(|text| safe(text)).collect::<Vec<_>>();
    let workflow = |own: &Simulated| Workflow {
        file: safe(&own.file),
        name: own.name.as_deref().map(safe),
        starts: own.simulation.starts.answer.into(),
        because: all(&own.simulation.starts.because),
        jobs: own
            .simulation
            .jobs
            .iter()
            .map(|(id, job)| Job {
                id: safe(id),
                runs: job.runs.answer.into(),
                because: all(&job.runs.because),
                needs: all(&job.needs),
                environment: job.environment.as_deref().map(safe),
                asks_reviewers: own.asks(job),
                has_matrix: job.has_matrix,
                combinations: job.combinations.as_deref().map(all),
            })
            .collect(),
    };
    let workflows: Vec<Workflow> = simulated.iter().map(workflow).collect();
    let starting = |answer| workflows.iter().filter(|workflow| workflow.starts == answer).count();
    let jobs = |answer| workflows.iter().flat_map(|own| &own.jobs).filter(|job| job.runs == answer).count();
    let summary = Summary {
        exit_code: Exit::Clean.code(),
        workflows_that_start: starting(Answer::Yes),
        workflows_that_may_start: starting(Answer::Unknown),
        jobs_that_run: jobs(Answer::Yes),
        jobs_that_may_run: jobs(Answer::Unknown),
        jobs_that_are_skipped: jobs(Answer::No),
    };
    Written { event: safe(event), workflows, summary }
}

#[cfg(test)]
mod tests {
    use super::Written;

    #[test]
    fn the_schema_is_written_from_the_types() {
        super::super::schema::is_written_from::<Written>("simulation");
    }
}
