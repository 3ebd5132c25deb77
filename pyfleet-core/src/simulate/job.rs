//! Which jobs of a run run (GitHub docs, "Using conditions to control job execution"; actions/runner#491, #2205: the
//! implicit `success()` looks at all ancestors).

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::assumption::{assume, speaks_of};
use super::contexts::{scope, text};
use super::{Answer, Event, Verdict, matrix, reason};
use crate::expression::evaluate::{Evaluated, Scope, Status, holds};
use crate::expression::value::{Object, Value};
use crate::expression::{Expression, condition};
use crate::workflow::{Graph, Job, Workflow};

/// What becomes of one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatedJob {
    /// Whether it runs.
    pub runs: Verdict,
    /// The jobs that it waits for directly.
    pub needs: Vec<String>,
    /// The environment that it runs in, if any; as it is written where its name is not known.
    pub environment: Option<String>,
    /// The combinations of its matrix, as GitHub shows them; none without a matrix, or where it is not known.
    pub combinations: Option<Vec<String>>,
    /// Whether it has a matrix.
    pub has_matrix: bool,
}

/// How a job ends.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Result {
    Known(String),
    /// Whether it runs is not known; if it does, it succeeds.
    SuccessOrSkipped,
    Unknown,
}

impl From<&Result> for Value {
    fn from(result: &Result) -> Self {
        match result {
            Result::Known(text) => text.as_str().into(),
            Result::SuccessOrSkipped | Result::Unknown => Self::Unknown,
        }
    }
}

struct Ended {
    result: Result,
    outputs: Value,
}

impl Ended {
    fn is(&self, result: &str) -> Option<bool> {
        match &self.result {
            Result::Known(own) => Some(own == result),
            Result::SuccessOrSkipped => (!["success", "skipped"].contains(&result)).then_some(false),
            Result::Unknown => None,
        }
    }
}

pub(super) fn simulate(
    workflow: &Workflow,
    graph: &Graph<'_>,
    event: &Event,
) -> IndexMap<String, SimulatedJob> {
    let of_run = scope(workflow, event);
    let mut ended: IndexMap<&str, Ended> = IndexMap::new();
    let mut simulated = IndexMap::new();
    for id in order(workflow, graph) {
        let job = &workflow.jobs[id];
        let here = of_run.clone().with("needs", needs(graph.needs(id), &ended));
        let (mut runs, mut result) = decide(id, job, graph, &ended, here.clone());
        if runs.answer == Answer::Unknown && speaks_of(&event.assumed, id) {
            runs = Verdict { answer: Answer::Yes, because: vec!["that is assumed".to_owned()] };
            result = Result::Known("success".to_owned());
        }
        let combinations = matrix::combinations(job, &here);
        let mut outputs = outputs(job, &runs, &here);
        if runs.answer == Answer::Yes {
            let assumed = |name: &str, own: Value| assume(&own, &event.assumed, &["needs", id, name]);
            outputs = assumed("outputs", outputs);
            if let Some(text) = assumed("result", (&result).into()).text() {
                // What others see of a job that may fail is not documented.
                let goes_on = job.continue_on_error.as_ref().is_some_and(|own| !own.is(&false));
                let is_hidden = goes_on && &*text == "failure";
                result = if is_hidden { Result::Unknown } else { Result::Known(text.to_string()) };
            }
        }
        simulated.insert(
            id.to_owned(),
            SimulatedJob {
                runs,
                needs: graph.needs(id).iter().map(|needed| (*needed).to_owned()).collect(),
                environment: environment(job, &here),
                combinations,
                has_matrix: job
                    .strategy
                    .as_ref()
                    .is_some_and(|own| own.computed.is_some() || own.matrix.is_some()),
            },
        );
        ended.insert(id, Ended { result, outputs });
    }
    simulated
}

/// Each job after those that it needs; else as they are written.
fn order<'w>(workflow: &'w Workflow, graph: &Graph<'w>) -> Vec<&'w str> {
    let mut missing: IndexMap<&str, usize> =
        workflow.jobs.keys().map(|id| (id.as_str(), graph.needs(id).len())).collect();
    let mut waiting: IndexMap<&str, Vec<&str>> = IndexMap::new();
    for id in workflow.jobs.keys() {
        for needed in graph.needs(id) {
            waiting.entry(needed).or_default().push(id);
        }
    }
    let mut ready: BTreeSet<usize> = missing
        .values()
        .enumerate()
        .filter(|(_, needs)| **needs == 0)
        .map(|(position, _)| position)
        .collect();
    let mut order = Vec::new();
    while let Some(position) = ready.pop_first() {
        let Some((id, _)) = workflow.jobs.get_index(position) else { break };
        order.push(id.as_str());
        for other in waiting.get(id.as_str()).into_iter().flatten() {
            if let Some((position, _, left)) = missing.get_full_mut(other) {
                *left -= 1;
                if *left == 0 {
                    ready.insert(position);
                }
            }
        }
    }
    order
}

/// `needs`: how those ended that a job waits for.
fn needs(direct: &[&str], ended: &IndexMap<&str, Ended>) -> Value {
    let mut needs = Object::new();
    for id in direct {
        let Some(own) = ended.get(id) else { continue };
        let own = Object::new().with("result", &own.result).with("outputs", own.outputs.clone());
        needs.insert(*id, own.into());
    }
    needs.into()
}

/// What a job tells those that need it: nothing where it does not run, and what only its steps know is not known.
fn outputs(job: &Job, runs: &Verdict, scope: &Scope) -> Value {
    if runs.answer == Answer::No {
        return Object::new().into();
    }
    if job.uses.is_some() {
        return Object::open().into();
    }
    let mut outputs = Object::new();
    for (name, written) in &job.outputs {
        let value = match runs.answer {
            Answer::Yes => text(written, scope).ok().flatten().map_or(Value::Unknown, Value::from),
            _ => Value::Unknown,
        };
        outputs.insert(name, value);
    }
    outputs.into()
}

fn environment(job: &Job, scope: &Scope) -> Option<String> {
    let written = &job.environment.as_ref()?.name;
    let name = text(written, scope).ok().flatten().unwrap_or_else(|| written.clone());
    // An empty name is no environment.
    Some(name).filter(|name| !name.is_empty())
}

fn decide(
    id: &str,
    job: &Job,
    graph: &Graph<'_>,
    ended: &IndexMap<&str, Ended>,
    scope: Scope,
) -> (Verdict, Result) {
    let ancestors = graph.ancestors(id);
    let status = status(&ancestors, ended);
    let scope = scope.with_status(status);
    let written = job.condition.as_deref().filter(|text| !text.trim().is_empty());
    let expression = match written.map(condition).transpose() {
        Ok(expression) => expression,
        // A file with such a condition is not simulated.
        Err(_) => return (Verdict::unknown("its condition is none"), Result::Unknown),
    };
    let asks_status = expression.as_ref().is_some_and(Expression::calls_status);
    if !asks_status && status.success != Some(true) {
        let before = ancestors.iter().find_map(|before| {
            let own = ended.get(before)?;
            match &own.result {
                Result::Known(text) if text != "success" => Some((before, Some(text.clone()))),
                Result::SuccessOrSkipped | Result::Unknown if status.success.is_none() => {
                    Some((before, None))
                }
                _ => None,
            }
        });
        match before {
            Some((before, Some(result))) => {
                let how = match result.as_str() {
                    "failure" => "fails",
                    "cancelled" => "is cancelled",
                    _ => "is skipped",
                };
                return (Verdict::no(format!("`{before}` {how}")), skipped());
            }
            Some((before, None)) if expression.is_none() => {
                let because = format!("it depends on whether `{before}` runs");
                return (Verdict::unknown(because), Result::SuccessOrSkipped);
            }
            _ => {}
        }
    }
    let (Some(expression), Some(text)) = (expression, written) else {
        return (Verdict::yes(), success());
    };
    match holds(&expression, &scope) {
        Err(failure) => {
            let because = format!("its condition fails, and with it the run: {failure}");
            (Verdict::no(because), Result::Known("failure".to_owned()))
        }
        Ok(evaluated) => match evaluated.truth() {
            Some(true) => {
                let because = reason::decides(&expression, text, &scope, true);
                (Verdict { answer: Answer::Yes, because }, success())
            }
            Some(false) => {
                let because = reason::decides(&expression, text, &scope, false);
                (Verdict { answer: Answer::No, because }, skipped())
            }
            None => {
                let mut because = match &evaluated {
                    Evaluated::Unknown { because, .. } => reason::unknown(because, text),
                    Evaluated::Known(_) => Vec::new(),
                };
                let uncertain = ancestors.iter().find(|before| {
                    ended.get(*before).is_some_and(|own| !matches!(own.result, Result::Known(_)))
                });
                if let Some(before) = uncertain.filter(|_| !asks_status || because.is_empty()) {
                    because.push(format!("it depends on whether `{before}` runs"));
                }
                (Verdict { answer: Answer::Unknown, because }, Result::SuccessOrSkipped)
            }
        },
    }
}

fn success() -> Result {
    Result::Known("success".to_owned())
}

fn skipped() -> Result {
    Result::Known("skipped".to_owned())
}

/// What the status functions answer to a job behind others.
fn status(ancestors: &[&str], ended: &IndexMap<&str, Ended>) -> Status {
    let all = |result: &str| -> Vec<Option<bool>> {
        ancestors.iter().filter_map(|before| ended.get(before)).map(|own| own.is(result)).collect()
    };
    let (succeeded, failed) = (all("success"), all("failure"));
    let was_cancelled = all("cancelled").contains(&Some(true));
    Status {
        success: if succeeded.contains(&Some(false)) {
            Some(false)
        } else if succeeded.contains(&None) {
            None
        } else {
            Some(true)
        },
        // A job of which it is not known whether it runs succeeds if it does.
        failure: Some(failed.contains(&Some(true))),
        // A job that is cancelled may be the run's end, or only its own.
        cancelled: if was_cancelled { None } else { Some(false) },
    }
}
