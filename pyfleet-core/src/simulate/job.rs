//! Which jobs of a run run (GitHub docs, "Using conditions to control job execution"; actions/runner#491, #2205: the
//! implicit `success()` looks at all ancestors).

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::assumption::{Assumption, assume, skips, speaks_of};
use super::contexts::{scope, text};
use super::{Answer, Event, Simulator, Verdict, matrix, reason};
use crate::expression::evaluate::{Evaluated, FailureKind, Scope, Status, evaluate, holds};
use crate::expression::value::{Object, Value};
use crate::expression::{Expression, MistakeKind, condition, embedded};
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

/// A run as far as it is known.
pub(super) struct Run<'e, 'w> {
    pub(super) event: &'e Event,
    /// What its jobs can read beside `needs`.
    scope: Scope,
    ended: IndexMap<&'w str, Ended<'w>>,
}

struct Ended<'w> {
    result: Result,
    outputs: Value,
    before: Before<'w>,
}

impl Ended<'_> {
    fn is(&self, result: &str) -> Option<bool> {
        match &self.result {
            Result::Known(own) => Some(own == result),
            Result::SuccessOrSkipped => (!["success", "skipped"].contains(&result)).then_some(false),
            Result::Unknown => None,
        }
    }
}

/// How all the jobs ended that stand before a job, directly or not.
#[derive(Debug, Clone)]
struct Before<'w> {
    success: Option<bool>,
    failure: Option<bool>,
    /// The nearest of them that did not succeed, and how it ended.
    stopped_by: Option<(&'w str, String)>,
    /// The nearest of them of which it is not known how it ends.
    uncertain: Option<&'w str>,
}

impl<'w> Before<'w> {
    fn of(direct: &[&'w str], ended: &IndexMap<&'w str, Ended<'w>>) -> Self {
        let mut before =
            Self { success: Some(true), failure: Some(false), stopped_by: None, uncertain: None };
        let direct = || direct.iter().filter_map(|id| Some((*id, ended.get(id)?)));
        for (_, own) in direct() {
            before.success = both(before.success, both(own.is("success"), own.before.success));
            before.failure = either(before.failure, either(own.is("failure"), own.before.failure));
        }
        let stopped = direct().find_map(|(id, own)| match &own.result {
            Result::Known(text) if text != "success" => Some((id, text.clone())),
            _ => None,
        });
        before.stopped_by = stopped.or_else(|| direct().find_map(|(_, own)| own.before.stopped_by.clone()));
        let uncertain = direct().find(|(_, own)| !matches!(own.result, Result::Known(_))).map(|(id, _)| id);
        before.uncertain = uncertain.or_else(|| direct().find_map(|(_, own)| own.before.uncertain));
        before
    }

    /// What the status functions answer behind them.
    fn status(&self, event: &Event) -> Status {
        Status {
            // Every run may be cancelled.
            success: self.success.filter(|success| !(*success && event.is_any)),
            failure: self.failure,
            // A job that is cancelled may be the run's end, or only its own.
            cancelled: (!event.is_any && !event.assumed.iter().any(Assumption::cancels)).then_some(false),
        }
    }
}

fn both(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn either(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    both(left.map(|own| !own), right.map(|own| !own)).map(|neither| !neither)
}

/// The condition of a job.
#[derive(Debug)]
pub(super) enum Condition<'w> {
    /// An expression, and its text.
    Expression(&'w str, Expression),
    /// Text around `${{ }}`, which is always true, and whether a status function is called in it.
    Text { asks_status: bool },
    /// None that GitHub reads.
    Unreadable,
}

impl<'w> Condition<'w> {
    pub(super) fn of(job: &'w Job) -> Option<Self> {
        let text = job.condition.as_deref().filter(|text| !text.trim().is_empty())?;
        Some(match condition(text) {
            Ok(expression) => Self::Expression(text, expression),
            Err(mistakes) if mistakes.iter().all(|own| own.kind == MistakeKind::TextAroundCondition) => {
                let asks_status = embedded(text).0.iter().any(|own| own.expression.calls_status());
                Self::Text { asks_status }
            }
            Err(_) => Self::Unreadable,
        })
    }

    fn asks_status(&self) -> bool {
        match self {
            Self::Expression(_, expression) => expression.calls_status(),
            Self::Text { asks_status } => *asks_status,
            // What it asks is not known.
            Self::Unreadable => true,
        }
    }

    /// Whether it is false whatever is the case: whoever writes that means it.
    pub(super) fn is_never(&self) -> bool {
        let Self::Expression(_, expression) = self else { return false };
        evaluate(expression, &Scope::new()).is_ok_and(|value| value.truth() == Some(false))
    }
}

impl<'w> Simulator<'w> {
    pub(super) fn describe(&self, event: &Event) -> IndexMap<String, SimulatedJob> {
        let mut described = IndexMap::new();
        self.walk(event, true, |id, runs, scope| {
            let (job, scope) = (&self.workflow.jobs[id], &scope());
            let strategy = job.strategy.as_ref();
            let job = SimulatedJob {
                runs,
                needs: self.graph.needs(id).iter().map(|needed| (*needed).to_owned()).collect(),
                environment: environment(job, scope),
                combinations: matrix::combinations(job, scope),
                has_matrix: strategy.is_some_and(|own| own.computed.is_some() || own.matrix.is_some()),
            };
            described.insert(id.to_owned(), job);
        });
        described
    }

    pub(super) fn answer(&self, event: &Event, reasons: bool) -> IndexMap<&'w str, Verdict> {
        let mut answers = IndexMap::new();
        self.walk(event, reasons, |id, runs, _| {
            answers.insert(id, runs);
        });
        answers
    }

    /// Whether a job may run where one that it waits for has ended in a way, by what is known of each of the others alone.
    pub(super) fn may_run_behind(
        &self,
        id: &str,
        needed: &'w str,
        result: &'static str,
        run: &Run<'_, 'w>,
    ) -> bool {
        // What others see of a job that may fail is not documented.
        if result == "failure" && self.may_fail(needed) {
            return true;
        }
        let direct = self.graph.needs(id);
        let mut before = Before::of(direct, &run.ended);
        before.success = Some(false);
        before.failure = if result == "failure" { Some(true) } else { before.failure };
        before.stopped_by = Some((needed, result.to_owned()));
        let here = || {
            let needs = needs(direct, &run.ended, Some((needed, result)));
            run.scope.clone().with("needs", needs).with_status(before.status(run.event))
        };
        let (runs, _) = decide(self.conditions.get(id), &before, here, run.event.is_any, false);
        runs.answer != Answer::No
    }

    /// Whether a run goes on where a job fails.
    pub(super) fn may_fail(&self, id: &str) -> bool {
        self.workflow.jobs[id].continue_on_error.as_ref().is_some_and(|own| !own.is(&false))
    }

    /// Goes through the jobs in order. Reasons, which only people need, are found where they are asked for.
    pub(super) fn walk<'e>(
        &self,
        event: &'e Event,
        reasons: bool,
        mut tell: impl FnMut(&'w str, Verdict, &dyn Fn() -> Scope),
    ) -> Run<'e, 'w> {
        let of_run = scope(self.workflow, event);
        let mut ended: IndexMap<&str, Ended<'w>> = IndexMap::new();
        for &id in &self.order {
            let job = &self.workflow.jobs[id];
            let before = Before::of(self.graph.needs(id), &ended);
            // Most jobs are decided without it.
            let here = || of_run.clone().with("needs", needs(self.graph.needs(id), &ended, None));
            let with_status = || here().with_status(before.status(event));
            let (mut runs, mut result) =
                decide(self.conditions.get(id), &before, with_status, event.is_any, reasons);
            if runs.answer != Answer::No && skips(&event.assumed, id) {
                (runs, result) = (Verdict::no("that is assumed"), skipped());
            } else if runs.answer == Answer::Unknown && speaks_of(&event.assumed, id) {
                runs = Verdict { answer: Answer::Yes, because: vec!["that is assumed".to_owned()] };
                result = success();
            }
            let mut outputs = match runs.answer {
                Answer::No => Object::new().into(),
                _ if event.is_any => Object::open().into(),
                _ => outputs(job, runs.answer, &here()),
            };
            if event.is_any && runs.answer != Answer::No {
                result = Result::Unknown;
            }
            if runs.answer == Answer::Yes && !event.assumed.is_empty() {
                let assumed = |name: &str, own: Value| assume(&own, &event.assumed, &["needs", id, name]);
                outputs = assumed("outputs", outputs);
                if let Some(text) = assumed("result", (&result).into()).text() {
                    // What others see of a job that may fail is not documented.
                    let is_hidden = &*text == "failure" && self.may_fail(id);
                    result = if is_hidden { Result::Unknown } else { Result::Known(text.to_string()) };
                }
            }
            tell(id, runs, &here);
            ended.insert(id, Ended { result, outputs, before });
        }
        Run { event, scope: of_run, ended }
    }
}

/// Each job after those that it needs; else as they are written. Jobs in a circle are left out.
pub(super) fn order<'w>(workflow: &'w Workflow, graph: &Graph<'w>) -> Vec<&'w str> {
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

/// `needs`: how those ended that a job waits for; of one of them that may be said apart.
fn needs(direct: &[&str], ended: &IndexMap<&str, Ended<'_>>, apart: Option<(&str, &str)>) -> Value {
    let mut needs = Object::new();
    for id in direct {
        let Some(own) = ended.get(id) else { continue };
        let own = match apart.filter(|(needed, _)| needed == id) {
            None => Object::new().with("result", &own.result).with("outputs", own.outputs.clone()),
            Some((_, result)) => {
                let outputs = if result == "skipped" { Object::new() } else { Object::open() };
                Object::new().with("result", result).with("outputs", outputs)
            }
        };
        needs.insert(*id, own.into());
    }
    needs.into()
}

/// What a job tells those that need it: what only its steps know is not known.
fn outputs(job: &Job, runs: Answer, scope: &Scope) -> Value {
    if job.uses.is_some() {
        return Object::open().into();
    }
    let mut outputs = Object::new();
    for (name, written) in &job.outputs {
        let known = (runs == Answer::Yes).then(|| text(written, scope).ok().flatten()).flatten();
        outputs.insert(name, known.map_or(Value::Unknown, Value::from));
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
    condition: Option<&Condition<'_>>,
    before: &Before<'_>,
    scope: impl FnOnce() -> Scope,
    is_any: bool,
    reasons: bool,
) -> (Verdict, Result) {
    let asks_status = condition.is_some_and(Condition::asks_status);
    let depends = |id: &str| format!("it depends on whether `{id}` runs");
    match (&before.stopped_by, before.uncertain) {
        (Some((id, result)), _) if !asks_status => {
            let how = match result.as_str() {
                "failure" => "fails",
                "cancelled" => "is cancelled",
                _ => "is skipped",
            };
            return (Verdict::no(format!("`{id}` {how}")), skipped());
        }
        (None, Some(id)) if !asks_status && !matches!(condition, Some(Condition::Expression(..))) => {
            return (Verdict::unknown(depends(id)), Result::SuccessOrSkipped);
        }
        _ => {}
    }
    let (text, expression) = match condition {
        None => return (Verdict::yes(), success()),
        Some(Condition::Text { .. }) => {
            let because = vec!["text around `${{ }}` is always true".to_owned()];
            return (Verdict { answer: Answer::Yes, because }, success());
        }
        Some(Condition::Unreadable) => {
            return (Verdict::unknown("its condition cannot be read"), Result::Unknown);
        }
        Some(Condition::Expression(text, expression)) => (*text, expression),
    };
    let scope = scope();
    let decides = |holds| if reasons { reason::decides(expression, text, &scope, holds) } else { Vec::new() };
    match holds(expression, &scope) {
        // GitHub may know more functions, and longer texts.
        Err(failure) if is_any && matches!(failure.kind, FailureKind::NoFunction | FailureKind::TooLong) => {
            (Verdict::unknown(format!("its condition cannot be evaluated: {failure}")), Result::Unknown)
        }
        Err(failure) => {
            let because = format!("its condition fails, and with it the run: {failure}");
            // What others see of it then is not documented.
            (Verdict::no(because), Result::Unknown)
        }
        Ok(evaluated) => match evaluated.truth() {
            Some(true) => (Verdict { answer: Answer::Yes, because: decides(true) }, success()),
            Some(false) => (Verdict { answer: Answer::No, because: decides(false) }, skipped()),
            None => {
                let mut because = match &evaluated {
                    Evaluated::Unknown { because, .. } => reason::unknown(because, text),
                    Evaluated::Known(_) => Vec::new(),
                };
                if let Some(id) = before.uncertain.filter(|_| !asks_status || because.is_empty()) {
                    because.push(depends(id));
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
