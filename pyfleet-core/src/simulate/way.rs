//! On which events a job may run, and which jobs have succeeded before it whenever it does.

use std::collections::BTreeMap;

use super::{Answer, Assumption, Event, Simulator};

/// How a job ends that does not succeed (GitHub docs, "Contexts", `needs.<job_id>.result`).
const OTHERWISE: [&str; 3] = ["skipped", "failure", "cancelled"];

/// The way to a job.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Way {
    /// What may have happened when it runs; nothing where it never does.
    pub events: Vec<Event>,
    /// The jobs without whose success it never runs, each after those that it needs.
    pub after: Vec<String>,
    /// Of every other job that it waits for, how it may run without that one's success.
    pub despite: BTreeMap<String, Despite>,
}

/// How a job may run although another one has not succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Despite {
    /// What happens, in words.
    pub event: String,
    /// How the other one ends: `skipped`, `failure` or `cancelled`.
    pub result: &'static str,
    /// What it depends on whether the job runs then; nothing where it does in any case.
    pub because: Vec<String>,
}

impl<'w> Simulator<'w> {
    /// The ways to some of the jobs, whatever inputs, outputs, variables and the results of other jobs are. Of a workflow that
    /// others call, nothing is known but that it may run: what they have done is not looked at.
    ///
    /// ```
    /// use pyfleet_core::simulate::Simulator;
    /// use pyfleet_core::{source::Source, workflow};
    ///
    /// let text = "
    /// on: { push: { branches: [main] }, pull_request: }
    /// jobs:
    ///   plan: { runs-on: ubuntu-24.04, steps: [{ run: make plan }] }
    ///   approve: { needs: plan, environment: approval, runs-on: ubuntu-24.04, steps: [{ run: 'true' }] }
    ///   apply:
    ///     needs: [plan, approve]
    ///     if: ${{ !cancelled() && github.event_name == 'push' && needs.approve.result != 'failure' }}
    ///     runs-on: ubuntu-24.04
    ///     steps: [{ run: make apply }]
    /// ";
    /// let workflow = workflow::parse(Source::new("ci.yml", text)).0.unwrap().0;
    /// let way = &Simulator::of(&workflow).ways(["apply"])["apply"];
    /// assert_eq!(way.events.iter().map(|event| event.name.as_str()).collect::<Vec<_>>(), ["push"]);
    /// // Nobody is asked where the plan fails.
    /// assert!(way.after.is_empty());
    /// assert_eq!(way.despite["approve"].result, "skipped");
    /// ```
    #[must_use]
    pub fn ways<'j>(&self, jobs: impl IntoIterator<Item = &'j str>) -> BTreeMap<&'j str, Way> {
        let mut ways: BTreeMap<&str, Way> = jobs.into_iter().map(|id| (id, Way::default())).collect();
        let on = &self.workflow.on;
        let events = Event::starting(on).unwrap_or_else(|| on.names().map(Event::any).collect());
        if on.workflow_call.is_some() {
            for (id, way) in &mut ways {
                way.events.clone_from(&events);
                let called =
                    || Despite { event: "workflow_call".to_owned(), result: "skipped", because: Vec::new() };
                let before = self.graph.ancestors(id).into_iter();
                way.despite = before.map(|before| (before.to_owned(), called())).collect();
            }
            return ways;
        }
        for event in &events {
            let Some(answers) = self.answers(event, false) else { continue };
            for (id, way) in &mut ways {
                if answers.get(id).is_some_and(|own| own.answer != Answer::No) {
                    way.events.push(event.clone());
                }
            }
        }
        let mut waiting: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for id in ways.keys() {
            for before in self.graph.ancestors(id) {
                waiting.entry(before).or_default().push(id);
            }
        }
        for before in &self.order {
            let Some(mut never) = waiting.remove(before) else { continue };
            for (event, result) in events.iter().flat_map(|event| OTHERWISE.map(|result| (event, result))) {
                if never.is_empty() {
                    break;
                }
                let without = event.clone().assuming(Assumption::ends(before, result));
                let Some(answers) = self.answers(&without, false) else { continue };
                let runs: Vec<&str>;
                (runs, never) = never.into_iter().partition(|id| answers[id].answer != Answer::No);
                if runs.is_empty() {
                    continue;
                }
                let reasons = self.answers(&without, true).unwrap_or_default();
                for id in runs {
                    let because = reasons.get(id).map(|own| own.because.clone()).unwrap_or_default();
                    let despite = Despite { event: event.to_string(), result, because };
                    ways.entry(id).or_default().despite.insert((*before).to_owned(), despite);
                }
            }
            for id in never {
                ways.entry(id).or_default().after.push((*before).to_owned());
            }
        }
        ways
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{OTHERWISE, Simulator};
    use crate::source::Source;
    use crate::workflow::{self, Workflow};

    /// What a condition can see of a run, by the documentation and not by the evaluator.
    struct Seen {
        push: bool,
        cancelled: bool,
        /// How every job before it ended, directly or not.
        before: BTreeMap<&'static str, &'static str>,
        said: bool,
    }

    impl Seen {
        fn success(&self) -> bool {
            !self.cancelled && self.before.values().all(|result| *result == "success")
        }

        fn failure(&self) -> bool {
            self.before.values().any(|result| *result == "failure")
        }

        /// Whether the first job has said `x`: one that is skipped says nothing.
        fn says(&self) -> bool {
            self.said && !self.is("a", "skipped")
        }

        fn is(&self, job: &str, result: &str) -> bool {
            self.before.get(job).is_some_and(|own| *own == result)
        }
    }

    /// A condition, and when it holds.
    type Condition = (&'static str, fn(&Seen) -> bool);

    const FIRST: [Condition; 4] = [
        ("success()", Seen::success),
        ("github.event_name == 'push'", |seen| seen.success() && seen.push),
        ("always()", |_| true),
        ("vars.A == 'x'", |seen| seen.success() && seen.said),
    ];

    const SECOND: [Condition; 7] = [
        ("success()", Seen::success),
        ("always()", |_| true),
        ("!cancelled()", |seen| !seen.cancelled),
        ("failure()", Seen::failure),
        ("!cancelled() && needs.a.result == 'success'", |seen| !seen.cancelled && seen.is("a", "success")),
        ("needs.a.outputs.o == 'x'", |seen| seen.success() && seen.says()),
        ("!failure() && github.event_name != 'push'", |seen| !seen.failure() && !seen.push),
    ];

    const THIRD: [Condition; 14] = [
        ("success()", Seen::success),
        ("always()", |_| true),
        ("!cancelled()", |seen| !seen.cancelled),
        ("!cancelled() && needs.b.result == 'success'", |seen| !seen.cancelled && seen.is("b", "success")),
        ("always() && needs.b.result == 'success'", |seen| seen.is("b", "success")),
        ("always() && needs.b.result != 'failure'", |seen| !seen.is("b", "failure")),
        ("always() && (needs.b.result == 'success' || needs.a.outputs.o == 'x')", |seen| {
            seen.is("b", "success") || seen.says()
        }),
        ("!cancelled() && !failure()", |seen| !seen.cancelled && !seen.failure()),
        ("!cancelled() && contains(fromJSON('[\"success\",\"skipped\"]'), needs.b.result)", |seen| {
            !seen.cancelled && (seen.is("b", "success") || seen.is("b", "skipped"))
        }),
        ("needs.b.result == 'success' || github.event_name == 'push'", |seen| {
            seen.success() && (seen.is("b", "success") || seen.push)
        }),
        ("always() && github.event_name == 'push' && needs.b.result == 'SUCCESS'", |seen| {
            seen.push && seen.is("b", "success")
        }),
        ("!cancelled() && !contains(needs.*.result, 'skipped')", |seen| {
            !seen.cancelled && !["a", "b"].iter().any(|id| seen.is(id, "skipped"))
        }),
        ("failure() && needs.a.result == 'success'", |seen| seen.failure() && seen.is("a", "success")),
        ("false", |_| false),
    ];

    fn read(conditions: [Condition; 3], skips: bool) -> Workflow {
        let [a, b, c] = conditions.map(|(text, _)| serde_json::to_string(text).unwrap());
        let step = "runs-on: x, steps: [{run: x}]";
        let needs = if skips { "b" } else { "[a, b]" };
        let text = format!(
            "on: {{push: {{branches: [main]}}, pull_request: }}\njobs:\n  a: {{if: {a}, outputs: {{o: x}}, {step}}}\n  \
             b: {{needs: a, if: {b}, {step}}}\n  c: {{needs: {needs}, if: {c}, {step}}}\n"
        );
        workflow::parse(Source::new("w.yml", text)).0.unwrap().0
    }

    /// Every run of three jobs: what happens, who says what, how each job ends, and when somebody cancels.
    fn runs(conditions: [Condition; 3]) -> Vec<(bool, BTreeMap<&'static str, &'static str>)> {
        let mut all = Vec::new();
        for case in 0..2 * 2 * 4 * 27_usize {
            let (push, said) = (case % 2 == 0, case / 2 % 2 == 0);
            let (cancelled_at, mut ends) = (case / 4 % 4, case / 16);
            let mut before: BTreeMap<&'static str, &'static str> = BTreeMap::new();
            for (position, (id, (_, holds))) in ["a", "b", "c"].into_iter().zip(conditions).enumerate() {
                let seen = Seen { push, cancelled: cancelled_at <= position, before: before.clone(), said };
                let end = ["success", "failure", "cancelled"][ends % 3];
                ends /= 3;
                before.insert(id, if holds(&seen) { end } else { "skipped" });
            }
            all.push((push, before));
        }
        all
    }

    /// No run of a workflow does what was said that none does, and whatever is said to be possible is seen in one: all
    /// workflows of three jobs with these conditions, and all their runs.
    #[test]
    fn no_run_exceeds_what_is_said_of_all() {
        let (mut said, mut seen) = (0, 0);
        for (a, b) in FIRST.iter().flat_map(|a| SECOND.map(|b| (*a, b))) {
            for (c, skips) in THIRD.iter().flat_map(|c| [true, false].map(|skips| (*c, skips))) {
                let conditions = [a, b, c];
                let names = conditions.map(|(text, _)| text);
                // What a job does not need, it cannot name.
                if skips && (c.0.contains("needs.a") || c.0.contains("needs.*")) {
                    continue;
                }
                let workflow = read(conditions, skips);
                let ways = Simulator::of(&workflow).ways(["b", "c"]);
                let runs = runs(conditions);
                for (id, way) in &ways {
                    let events: Vec<&str> = way.events.iter().map(|event| event.name.as_str()).collect();
                    for (push, ended) in runs.iter().filter(|(_, ended)| ended[id] != "skipped") {
                        let event = if *push { "push" } else { "pull_request" };
                        assert!(events.contains(&event), "{names:?}: {id} runs on {event}: {ended:?}");
                        for before in &way.after {
                            assert_eq!(ended[before.as_str()], "success", "{names:?}: {id}: {ended:?}");
                        }
                    }
                    for (before, despite) in &way.despite {
                        assert!(OTHERWISE.contains(&despite.result));
                        said += 1;
                        let is_so = |(_, ended): &&(bool, BTreeMap<&str, &str>)| {
                            ended[id] != "skipped" && ended[before.as_str()] != "success"
                        };
                        seen += usize::from(runs.iter().any(|run| is_so(&run)));
                    }
                }
            }
        }
        // What is not seen: a condition that two jobs share is taken for two.
        assert!(said > 1_000 && seen * 100 >= said * 95, "{seen} of {said}");
    }
}
