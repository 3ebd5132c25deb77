//! What a run did, to be asked afterwards.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use serde_json::{Map, Value as Json};
use tempfile::TempDir;

/// A run that has ended, or waits for a reviewer.
pub(crate) struct Ran {
    pub(super) world: TempDir,
    pub(super) jobs: BTreeMap<String, Job>,
    pub(super) group: Option<String>,
    pub(super) cancelled: bool,
}

/// One job with all its combinations.
pub(crate) struct Job {
    pub(super) id: String,
    /// `success`, `failure`, `cancelled` or `skipped`, as in `needs`; `waiting` for a reviewer; `unstarted`.
    pub(super) result: String,
    /// What stopped it before it had a combination.
    pub(super) error: Option<String>,
    pub(super) combinations: Vec<Combination>,
    pub(super) outputs: Map<String, Json>,
}

/// One job on one runner.
pub(crate) struct Combination {
    pub(super) matrix: Json,
    pub(super) name: String,
    pub(super) result: String,
    pub(super) group: Option<String>,
    pub(super) environment: Option<String>,
    pub(super) outputs: Map<String, Json>,
    pub(super) steps: Vec<Step>,
    /// What the runner says outside of steps.
    pub(super) log: String,
}

/// One step.
pub(crate) struct Step {
    pub(super) id: Option<String>,
    pub(super) name: String,
    /// `success`, `failure`, `cancelled` or `skipped`, before `continue-on-error`.
    pub(crate) outcome: String,
    /// The same, after it.
    pub(crate) conclusion: String,
    pub(crate) outputs: BTreeMap<String, String>,
    pub(crate) log: String,
    pub(crate) summary: String,
}

impl Ran {
    /// `waiting`, or the worst result of a job; `skipped` where no job ran.
    pub(crate) fn conclusion(&self) -> &str {
        let any = |result: &str| self.jobs.values().any(|job| job.result == result);
        let worst = ["waiting", "failure", "cancelled", "success"].into_iter().find(|result| any(result));
        match worst {
            Some("success") if self.cancelled => "cancelled",
            Some(worst) => worst,
            None => "skipped",
        }
    }

    /// The concurrency group of the run.
    pub(crate) fn group(&self) -> Option<&str> {
        self.group.as_deref()
    }

    #[track_caller]
    pub(crate) fn job(&self, id: &str) -> &Job {
        self.jobs.get(id).unwrap_or_else(|| panic!("there is no job {id}: {:?}", self.jobs.keys()))
    }

    /// The directory of an artifact that the run kept.
    #[track_caller]
    pub(crate) fn artifact(&self, name: &str) -> Artifact {
        let directory = self.world.path().join("artifacts").join(name);
        assert!(directory.is_dir(), "there is no artifact {name}, but {:?}", self.artifacts());
        Artifact(directory)
    }

    /// The names of all artifacts.
    pub(crate) fn artifacts(&self) -> Vec<String> {
        let entries = fs::read_dir(self.world.path().join("artifacts")).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// What a stand-in of [`super::Run::tool`] left in `$STATE`.
    #[track_caller]
    pub(crate) fn state(&self, file: &str) -> String {
        let path = self.world.path().join("state").join(file);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"))
    }
}

/// What a job kept.
pub(crate) struct Artifact(PathBuf);

impl Artifact {
    #[track_caller]
    pub(crate) fn text(&self, path: &str) -> String {
        fs::read_to_string(self.0.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub(crate) fn files(&self) -> Vec<String> {
        let files = crate::repo::files_below(&self.0);
        files.into_keys().filter(|path| !path.ends_with('/')).collect()
    }
}

impl Job {
    pub(crate) fn result(&self) -> &str {
        &self.result
    }

    /// The one combination of a job without a matrix, or with a matrix of one.
    #[track_caller]
    fn only(&self) -> &Combination {
        match self.combinations.as_slice() {
            [only] => only,
            several => {
                panic!("{} is {} with {} combinations: {:?}", self.id, self.result, several.len(), self.error)
            }
        }
    }

    /// The combination with a value of the matrix.
    #[track_caller]
    pub(crate) fn of(&self, axis: &str, value: impl Into<Json>) -> &Combination {
        let value = value.into();
        let found = self.combinations.iter().find(|combination| combination.matrix.get(axis) == Some(&value));
        found.unwrap_or_else(|| panic!("{}: no combination has {axis}: {value}", self.id))
    }

    /// The names of all combinations, as checks show them.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.combinations.iter().map(|combination| combination.name.as_str()).collect()
    }

    #[track_caller]
    pub(crate) fn is(&self, result: &str) -> &Self {
        assert_eq!(self.result, result, "job {}\n{}", self.id, self.log());
        self
    }

    #[track_caller]
    pub(crate) fn succeeded(&self) -> &Self {
        self.is("success")
    }

    #[track_caller]
    pub(crate) fn failed(&self) -> &Self {
        self.is("failure")
    }

    #[track_caller]
    pub(crate) fn skipped(&self) -> &Self {
        self.is("skipped")
    }

    /// What the jobs that need it read.
    #[track_caller]
    pub(crate) fn output(&self, name: &str) -> &str {
        let output = self.outputs.get(name).and_then(Json::as_str);
        output.unwrap_or_else(|| panic!("{} has no output {name}: {:?}", self.id, self.outputs))
    }

    #[track_caller]
    pub(crate) fn group(&self) -> Option<&str> {
        self.only().group.as_deref()
    }

    #[track_caller]
    pub(crate) fn environment(&self) -> Option<&str> {
        self.only().environment.as_deref()
    }

    #[track_caller]
    pub(crate) fn step(&self, id: &str) -> &Step {
        self.only().step(id)
    }

    #[track_caller]
    pub(crate) fn summary(&self) -> String {
        self.only().summary()
    }

    /// Everything that was said, combination by combination and step by step.
    pub(crate) fn log(&self) -> String {
        let mut log = self.error.clone().unwrap_or_default();
        for combination in &self.combinations {
            log.push_str(&combination.log());
        }
        log
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        let log = self.log();
        assert!(log.contains(text), "{} does not say {text:?}, but:\n{log}", self.id);
        self
    }
}

impl Combination {
    pub(crate) fn result(&self) -> &str {
        &self.result
    }

    /// A step by its id or its name.
    #[track_caller]
    pub(crate) fn step(&self, id: &str) -> &Step {
        let found = self.steps.iter().find(|step| step.id.as_deref() == Some(id) || step.name == id);
        found.unwrap_or_else(|| panic!("{}: no step {id} ran\n{}", self.name, self.log()))
    }

    /// The summaries of its steps.
    pub(crate) fn summary(&self) -> String {
        self.steps.iter().map(|step| step.summary.as_str()).collect()
    }

    fn log(&self) -> String {
        let mut log = format!("=== {}: {}\n", self.name, self.result);
        for step in &self.steps {
            let _written = write!(log, "--- {}: {}\n{}", step.name, step.outcome, step.log);
        }
        log.push_str(&self.log);
        log
    }
}
