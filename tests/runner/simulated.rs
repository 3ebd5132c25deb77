//! What is said of a run without running it, compared with the run: every run of every test is such a case, but for those of
//! single steps, and for `simulate` those that are cancelled, and second attempts.

use pyfleet_core::simulate::{Answer, Assumption, Event, Reference, Simulator, simulate};
use pyfleet_core::workflow::{Graph, Workflow};
use serde_json::Value as Json;

use super::{Run, Running};

impl Run {
    /// The event, as the command line would tell it.
    fn what_happens(&self) -> Event {
        let mut event = Event::new(self.event.as_str());
        event.actor = Some("octocat".to_owned());
        event.repository = Some(self.repository.clone());
        event.default_branch = Some("main".to_owned());
        event.is_fork = self.fork.is_some();
        event.inputs = self.inputs.iter().cloned().collect();
        if event.mistakes().is_empty() && self.event != "pull_request" && self.event != "merge_group" {
            event.reference = self.reference.as_deref().map(Reference::read);
        }
        for (name, value) in &self.variables {
            event.assumed.push(assumption(&format!("vars.{name}"), value));
        }
        assume_all(&self.payload, "github.event", &mut event);
        event
    }
}

fn assumption(path: &str, value: &str) -> Assumption {
    format!("{path}={value}").parse().unwrap_or_else(|error| panic!("{error}"))
}

fn assume_all(payload: &Json, path: &str, event: &mut Event) {
    match payload {
        Json::Object(members) => {
            members.iter().for_each(|(name, value)| assume_all(value, &format!("{path}.{name}"), event));
        }
        Json::Array(_) => {}
        Json::String(text) => event.assumed.push(assumption(path, text)),
        other => event.assumed.push(assumption(path, &other.to_string())),
    }
}

impl Running<'_> {
    /// Each job has run on an event, and after jobs, of which it was said before that no run does without them.
    pub(super) fn has_gone_known_ways(&self) {
        if self.run.alone.is_some() {
            return;
        }
        let workflow: &Workflow = self.workflow;
        let is_open = |result: &str| ["skipped", "waiting", "unstarted"].contains(&result);
        let has_run = self.jobs.iter().filter(|(_, job)| !is_open(job.result()) && job.error.is_none());
        let has_run: Vec<&str> = has_run.map(|(id, _)| id.as_str()).collect();
        for (id, way) in Simulator::of(workflow).ways(has_run) {
            let (name, file) = (self.run.event.as_str(), &self.run.workflow);
            assert!(way.events.iter().any(|event| event.name == name), "{file}: {id} never runs on {name}");
            for before in &way.after {
                let result = self.jobs[before.as_str()].result();
                assert_eq!(result, "success", "{file}: {id} never runs without {before}");
            }
        }
    }

    /// What is said before the run, and with everything that its jobs have said, is what happened.
    pub(super) fn is_as_simulated(&self) {
        if self.run.alone.is_some() || self.cancelled {
            return;
        }
        let workflow: &Workflow = self.workflow;
        let graph = Graph::of(workflow);
        let event = self.run.what_happens();
        let before = simulate(workflow, &event);
        assert_eq!(before.starts.answer, Answer::Yes, "{event}: {:?}", before.starts);

        let mut told = event;
        for (id, job) in self.jobs.iter().filter(|(_, job)| job.result() != "skipped") {
            if ["success", "failure", "cancelled"].contains(&job.result()) {
                told.assumed.push(assumption(&format!("needs.{id}.result"), job.result()));
            }
            for name in workflow.jobs[id].outputs.keys() {
                let value = job.outputs.get(name).and_then(Json::as_str).unwrap_or_default();
                told.assumed.push(assumption(&format!("needs.{id}.outputs.{name}"), value));
            }
        }
        let after = simulate(workflow, &told);
        for (id, job) in &self.jobs {
            let ancestors = graph.ancestors(id);
            let is_open = |id: &&str| ["waiting", "unstarted"].contains(&self.jobs[*id].result());
            if ancestors.iter().any(is_open) || job.error.is_some() {
                continue;
            }
            let has_run = job.result() != "skipped";
            let expected = if has_run { Answer::Yes } else { Answer::No };
            let runs = &after.jobs[id].runs;
            assert!(
                runs.answer == expected && runs.because != ["that is assumed"],
                "{}: {id} is {}, and with all that is known is said: {runs:?}",
                self.run.workflow,
                job.result(),
            );
            let went_well = |id: &&str| ["success", "skipped"].contains(&self.jobs[*id].result());
            let runs = &before.jobs[id].runs;
            assert!(
                !ancestors.iter().all(went_well) || runs.answer == expected || runs.answer == Answer::Unknown,
                "{}: {id} is {}, and before the run is said: {runs:?}",
                self.run.workflow,
                job.result(),
            );
            if let (Some(said), true) = (&before.jobs[id].combinations, has_run) {
                assert_eq!(said.len(), job.combinations.len(), "{}: {id}", self.run.workflow);
            }
        }
    }
}
