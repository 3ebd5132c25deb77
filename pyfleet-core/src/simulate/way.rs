//! On which events a job may run, and which jobs have succeeded before it whenever it does.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::{IndexMap, IndexSet};

use super::job::Run;
use super::{Answer, Assumption, Event, Simulator};

/// How a job ends that does not succeed (GitHub docs, "Contexts", `needs.<job_id>.result`).
const OTHERWISE: [&str; 3] = ["skipped", "failure", "cancelled"];

/// So many conditions are evaluated for the ways of a workflow, a second or so; what is not found by then is not said.
const MOST: usize = 100_000;

/// The way to a job.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Way {
    /// What may have happened when it runs; nothing where it never does.
    pub events: Vec<Event>,
    /// The jobs without whose success it never runs, each after those that it needs.
    pub after: Vec<String>,
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
    /// let simulator = Simulator::of(&workflow);
    /// let way = &simulator.ways(["apply"])["apply"];
    /// assert_eq!(way.events.iter().map(|event| event.name.as_str()).collect::<Vec<_>>(), ["push"]);
    /// // Nobody is asked where the plan fails.
    /// assert!(way.after.is_empty());
    /// let despite = simulator.despite("apply", "approve").unwrap();
    /// assert_eq!((despite.event.as_str(), despite.result), ("push on the branch main", "skipped"));
    /// ```
    #[must_use]
    pub fn ways<'j>(&self, jobs: impl IntoIterator<Item = &'j str>) -> BTreeMap<&'j str, Way> {
        let mut ways: BTreeMap<&str, Way> = jobs.into_iter().map(|id| (id, Way::default())).collect();
        if ways.is_empty() {
            return ways;
        }
        let events = self.events();
        if self.workflow.on.workflow_call.is_some() {
            ways.values_mut().for_each(|way| way.events.clone_from(&events));
            return ways;
        }
        let mut search = Search { simulator: self, runs: Vec::new(), left: MOST, after: IndexMap::new() };
        for event in events.iter().filter(|event| self.starts(event).answer != Answer::No) {
            search.runs.push(self.walk(event, false, |id, runs, _| {
                if let Some(way) = ways.get_mut(id).filter(|_| runs.answer != Answer::No) {
                    way.events.push(event.clone());
                }
            }));
        }
        for id in &self.order {
            search.look_at(id);
        }
        search.look_at_others(&ways.keys().copied().collect());
        for (id, way) in &mut ways {
            let Some(after) = search.after.get(id) else { continue };
            let after = self.order.iter().filter(|before| after.contains(*before));
            way.after = after.map(|before| (*before).to_owned()).collect();
        }
        ways
    }

    /// How a job may run although another one, which it waits for, has not succeeded; nothing where it never does.
    #[must_use]
    pub fn despite(&self, job: &str, before: &str) -> Option<Despite> {
        if self.workflow.on.workflow_call.is_some() {
            let because = vec!["what a caller has done before is not looked at".to_owned()];
            return Some(Despite { event: "workflow_call".to_owned(), result: "skipped", because });
        }
        let events = self.events();
        events.iter().flat_map(|event| OTHERWISE.map(|result| (event, result))).find_map(|(event, result)| {
            let without = event.clone().assuming(Assumption::ends(before, result));
            let verdict = self.answers(&without, true)?.swap_remove(job)?;
            let because = match result == "failure" && self.may_fail(before) {
                true => vec![format!("`{before}` has `continue-on-error`")],
                false => verdict.because,
            };
            (verdict.answer != Answer::No).then(|| Despite { event: event.to_string(), result, because })
        })
    }

    /// Everything that starts the workflow, as far as that is told apart.
    fn events(&self) -> Vec<Event> {
        let on = &self.workflow.on;
        Event::starting(on).unwrap_or_else(|| on.names().map(Event::any).collect())
    }
}

/// Which jobs have succeeded before which.
struct Search<'s, 'e, 'w> {
    simulator: &'s Simulator<'w>,
    /// What is known of a run on each event.
    runs: Vec<Run<'e, 'w>>,
    /// How many conditions may still be evaluated.
    left: usize,
    /// The jobs that have succeeded whenever one runs.
    after: IndexMap<&'w str, IndexSet<&'w str>>,
}

impl<'w> Search<'_, '_, 'w> {
    /// Every event, and every way for a job not to succeed in it.
    fn cases(&self) -> impl Iterator<Item = (&Run<'_, 'w>, &'static str)> {
        self.runs.iter().flat_map(|run| OTHERWISE.map(|result| (run, result)))
    }

    /// What follows from a job's own condition: whatever it relies on has relied on others before.
    fn look_at(&mut self, id: &'w str) {
        let mut after: IndexSet<&str> = IndexSet::new();
        for needed in self.simulator.graph.needs(id).iter().rev() {
            if !after.contains(needed) && self.relies_on(id, needed) {
                after.extend(&self.after[needed]);
                after.insert(needed);
            }
        }
        self.after.insert(id, after);
    }

    fn relies_on(&mut self, id: &str, needed: &'w str) -> bool {
        let asked = self.cases().count();
        if self.left < asked {
            return false;
        }
        self.left -= asked;
        !self.cases().any(|(run, result)| self.simulator.may_run_behind(id, needed, result, run))
    }

    /// What follows only from the conditions of all jobs together: a job may rely on one of two that both rely on a third.
    fn look_at_others(&mut self, jobs: &BTreeSet<&str>) {
        let order = &self.simulator.order;
        let mut open: IndexMap<&str, Vec<&str>> = IndexMap::new();
        for &id in order.iter().filter(|id| jobs.contains(*id)) {
            for before in self.simulator.graph.ancestors(id) {
                if !self.after[id].contains(before) {
                    open.entry(before).or_default().push(id);
                }
            }
        }
        for &before in order {
            let Some(mut never) = open.swap_remove(before) else { continue };
            let mut cases = Vec::new();
            for (run, result) in self.cases() {
                cases.push(run.event.clone().assuming(Assumption::ends(before, result)));
            }
            for without in cases {
                if never.is_empty() || self.left < order.len() {
                    never.clear();
                    break;
                }
                self.left -= order.len();
                let Some(answers) = self.simulator.answers(&without, false) else { continue };
                never.retain(|id| answers[id].answer == Answer::No);
            }
            for id in never {
                self.after.entry(id).or_default().insert(before);
            }
        }
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
                let simulator = Simulator::of(&workflow);
                let ways = simulator.ways(["b", "c"]);
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
                    for before in ["a", "b"].into_iter().filter(|before| before < id) {
                        let despite = simulator.despite(id, before);
                        assert!(
                            despite.is_none() || !way.after.iter().any(|own| own == before),
                            "{names:?}: {id}"
                        );
                        let Some(despite) = despite else { continue };
                        assert!(OTHERWISE.contains(&despite.result));
                        said += 1;
                        let is_so = |(_, ended): &(bool, BTreeMap<&str, &str>)| {
                            ended[id] != "skipped" && ended[before] != "success"
                        };
                        seen += usize::from(runs.iter().any(is_so));
                    }
                }
            }
        }
        // What is not seen: a condition that two jobs share is taken for two.
        assert!(said > 1_000 && seen * 100 >= said * 95, "{seen} of {said}");
    }

    /// Many jobs in a row, on many branches: what each relies on is asked once.
    #[test]
    fn a_long_way_is_found_soon() {
        let branches: Vec<String> = (0..32).map(|branch| format!("b{branch}")).collect();
        let mut text = format!(
            "on: {{push: {{branches: {branches:?}}}}}\njobs:\n  j0: {{runs-on: x, steps: [{{run: x}}]}}\n"
        );
        for job in 1..200 {
            let before = format!("j{}", job - 1);
            text.push_str(&format!(
                "  j{job}: {{needs: {before}, if: \"!cancelled() && needs.{before}.result == 'success' && github.ref != \
                 needs.{before}.outputs.o\", runs-on: x, steps: [{{run: x}}]}}\n"
            ));
        }
        let workflow = workflow::parse(Source::new("w.yml", text)).0.unwrap().0;
        let ways = Simulator::of(&workflow).ways(["j199"]);
        assert_eq!((ways["j199"].events.len(), ways["j199"].after.len()), (32, 199));
    }
}
