//! One job: its condition, its combinations, and their steps on a runner.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pyfleet_core::workflow::{self, Graph, Level, OrExpression, RunDefaults, Scope as Permission, Uses};
use serde_json::{Map, Value as Json, json};

use super::action::{self, Action};
use super::evaluator::{Scope, Status};
use super::files::{Files, SUMMARY_LIMIT};
use super::log::{Log, Masks};
use super::process::{self, Ended};
use super::record::{Combination, Job, Step};
use super::{Alone, Review, Run, Running, matrix};
use crate::bodies;
use crate::tool;

/// What GitHub's server knows before there is a runner.
const SERVER: [&str; 6] = ["github", "needs", "strategy", "matrix", "vars", "inputs"];

/// What the runner knows for the `env:` of a job.
const JOB_ENV: [&str; 7] = ["github", "needs", "strategy", "matrix", "vars", "secrets", "inputs"];

/// What a step knows; its condition knows all but the secrets.
const STEP: [&str; 11] =
    ["secrets", "github", "needs", "strategy", "matrix", "job", "runner", "env", "vars", "steps", "inputs"];

impl Job {
    pub(super) fn without_combination(id: &str, result: &str, error: Option<String>) -> Self {
        let result = result.to_owned();
        Self { id: id.to_owned(), result, error, combinations: Vec::new(), outputs: Map::new() }
    }
}

impl Alone {
    /// Whether this is one of the steps.
    pub(super) fn is(&self, job: &str, step: &workflow::Step) -> bool {
        let own = |name: &String| [&step.id, &step.name].into_iter().flatten().any(|own| own == name);
        self.steps.iter().any(|(id, name)| id == job && own(name))
    }

    /// Whether this brings the files.
    fn begins_with(&self, step: &workflow::Step) -> bool {
        step.uses.as_ref().and_then(Uses::slug).is_some_and(|slug| slug == "actions/checkout")
    }
}

impl Running<'_> {
    pub(super) fn job(&mut self, id: &str, graph: &Graph<'_>) -> Job {
        let job = &self.workflow.jobs[id];
        assert!(job.uses.is_none(), "{id}: reusable workflows are not reproduced");
        assert!(job.container.is_none() && job.services.is_empty(), "{id}: containers are not reproduced");
        assert!(job.continue_on_error.is_none(), "{id}: `continue-on-error` of jobs is not reproduced");

        let mut contexts = self.contexts.clone();
        contexts.insert("needs".to_owned(), self.needs(id, graph));
        let scope = Scope::of(&contexts, &["github", "needs", "vars", "inputs"]).with(self.status(id, graph));
        match self.evaluator.condition(job.condition.as_deref(), &scope) {
            Ok(true) => {}
            Ok(false) => return Job::without_combination(id, "skipped", None),
            Err(error) => return Job::without_combination(id, "failure", Some(error)),
        }

        let strategy = job.strategy.clone().unwrap_or_default();
        let combinations = match &strategy.matrix {
            None => Ok(vec![Map::new()]),
            Some(matrix) => {
                let scope = Scope::of(&contexts, &["github", "needs", "vars", "inputs"]);
                matrix::combinations(matrix, &mut self.evaluator, &scope)
            }
        };
        let combinations = match combinations {
            Ok(combinations) => combinations,
            Err(error) => return Job::without_combination(id, "failure", Some(error)),
        };

        let mut record = Job::without_combination(id, "success", None);
        let total = combinations.len();
        for (index, matrix) in combinations.into_iter().enumerate() {
            let computed = strategy.matrix.is_some();
            contexts.insert("matrix".to_owned(), if computed { matrix.into() } else { Json::Null });
            let fail_fast = strategy.fail_fast.is(&true);
            let about = json!({ "fail-fast": fail_fast, "job-index": index, "job-total": total });
            contexts.insert("strategy".to_owned(), about);
            let any =
                |result: &str| record.combinations.iter().any(|combination| combination.result == result);
            let combination = if any("cancelled") || any("failure") && fail_fast {
                Combination { result: "cancelled".to_owned(), ..self.combination(id, &contexts) }
            } else {
                self.combined(id, &contexts)
            };
            // The last combination that has an output decides.
            record.outputs.extend(combination.outputs.clone());
            record.combinations.push(combination);
        }
        for result in ["cancelled", "failure", "waiting"] {
            if record.combinations.iter().any(|combination| combination.result == result) {
                record.result = result.to_owned();
            }
        }
        record
    }

    /// A job of which nothing counts but how its first combination goes.
    pub(super) fn first_combination(&mut self, id: &str, mut contexts: Map<String, Json>) -> Job {
        let matrix = self.workflow.jobs[id].strategy.as_ref().and_then(|strategy| strategy.matrix.as_ref());
        let first = matrix.map(|matrix| {
            let scope = Scope::of(&contexts, &["github", "needs", "vars", "inputs"]);
            matrix::combinations(matrix, &mut self.evaluator, &scope).unwrap().swap_remove(0)
        });
        contexts.insert("matrix".to_owned(), first.map_or(Json::Null, Json::Object));
        contexts.insert("strategy".to_owned(), json!({ "job-index": 0, "job-total": 1 }));
        let mut record = Job::without_combination(id, "success", None);
        let combination = self.combined(id, &contexts);
        record.result = combination.result.clone();
        record.combinations.push(combination);
        record
    }

    fn combination(&mut self, id: &str, contexts: &Map<String, Json>) -> Combination {
        let job = &self.workflow.jobs[id];
        let scope = Scope::of(contexts, &SERVER);
        let mut name = match &job.name {
            Some(name) => self.evaluator.text(name, &scope).unwrap_or_else(|_| name.clone()),
            None => id.to_owned(),
        };
        // A job without a name shows its combination.
        if let (None, Some(matrix)) = (&job.name, contexts["matrix"].as_object()) {
            let values: Vec<_> = matrix
                .values()
                .map(|value| value.as_str().map_or(value.to_string(), ToOwned::to_owned))
                .collect();
            name = format!("{name} ({})", values.join(", "));
        }
        Combination {
            matrix: contexts["matrix"].clone(),
            name,
            result: "success".to_owned(),
            group: None,
            environment: None,
            outputs: Map::new(),
            steps: Vec::new(),
            log: String::new(),
        }
    }

    /// One combination: its group, its environment with the reviewers, and its steps.
    fn combined(&mut self, id: &str, contexts: &Map<String, Json>) -> Combination {
        let job = &self.workflow.jobs[id];
        let mut record = self.combination(id, contexts);
        let scope = Scope::of(contexts, &SERVER);
        let mut evaluated =
            |text: Option<&String>| text.map(|text| self.evaluator.text(text, &scope)).transpose();
        let places =
            evaluated(job.concurrency.as_ref().map(|concurrency| &concurrency.group)).and_then(|group| {
                Ok((group, evaluated(job.environment.as_ref().map(|environment| &environment.name))?))
            });
        match places {
            Ok((group, environment)) => {
                record.group = group;
                // An empty name is no environment.
                record.environment = environment.filter(|name| !name.is_empty());
            }
            Err(error) => {
                record.result = "failure".to_owned();
                record.log = error;
                return record;
            }
        }
        if let Some(environment) = &record.environment {
            match self.run.reviews.get(&environment.to_lowercase()) {
                None => {}
                Some(Review::Waiting) => {
                    record.result = "waiting".to_owned();
                    return record;
                }
                Some(Review::Answered { state, reviewer, comment }) => {
                    self.approvals.push(json!({
                        "state": state, "comment": comment, "user": { "login": reviewer },
                        "environments": [{ "name": environment }],
                    }));
                    self.keep_approvals();
                    if *state == "rejected" {
                        record.result = "failure".to_owned();
                        record.log = format!("{reviewer} has rejected {environment}: {comment}\n");
                        return record;
                    }
                }
            }
        }
        self.on_a_runner(id, contexts, &mut record);
        record
    }

    fn on_a_runner(&mut self, id: &str, contexts: &Map<String, Json>, record: &mut Combination) {
        let job = &self.workflow.jobs[id];
        let mut runner = Runner::new(self, id, contexts, record.environment.as_deref());
        let mut failed = runner.enter(self, job).err();
        if failed.is_none() {
            for (position, step) in job.steps.iter().enumerate() {
                if self
                    .run
                    .alone
                    .as_ref()
                    .is_some_and(|alone| !alone.begins_with(step) && !alone.is(id, step))
                {
                    continue;
                }
                let done = runner.step(self, job, step, position);
                record.steps.push(done);
            }
            failed = runner.outputs(self, job, record).err();
        }
        if let Some(error) = failed {
            record.log.push_str(&error);
            runner.status = "failure";
        }
        record.result = runner.status.to_owned();
        process::kill_marked(&format!("RUNNER_TRACKING_ID={}", runner.mark));
    }
}

/// A fresh machine for one job.
struct Runner {
    id: String,
    contexts: Map<String, Json>,
    environment: BTreeMap<String, String>,
    /// What steps put in front of the PATH.
    path: Vec<String>,
    masks: Masks,
    may_identify: bool,
    /// What its tokens say.
    claims: Json,
    /// Where it asks for them.
    token_request: Vec<(&'static str, String)>,
    /// `job.status`.
    status: &'static str,
    workspace: PathBuf,
    home: PathBuf,
    temp: PathBuf,
    mark: String,
}

impl Runner {
    fn new(running: &Running<'_>, id: &str, contexts: &Map<String, Json>, environment: Option<&str>) -> Self {
        let number = fs::read_dir(running.world.join("jobs")).unwrap().count();
        let place = running.world.join("jobs").join(number.to_string());
        let name = running.run.repository.rsplit('/').next().unwrap();
        let workspace = place.join("work").join(name).join(name);
        let (temp, home) = (place.join("work/_temp"), place.join("home"));
        for directory in
            [&workspace, &home, &temp.join("_runner_file_commands"), &temp.join("_github_workflow")]
        {
            fs::create_dir_all(directory).unwrap();
        }
        let text = |path: &Path| json!(path.to_str().unwrap());

        let mut contexts = contexts.clone();
        let event = temp.join("_github_workflow/event.json");
        fs::write(&event, contexts["github"]["event"].to_string()).unwrap();
        let token = "ghs_thetokenofthisjob";
        let github = contexts["github"].as_object_mut().unwrap();
        for (key, value) in [
            ("job", json!(id)),
            ("workspace", text(&workspace)),
            ("event_path", text(&event)),
            ("token", json!(token)),
        ] {
            github.insert(key.to_owned(), value);
        }
        // An environment's secret hides the repository's of the same name. A fork gets none.
        let mut secrets = Map::new();
        if running.run.fork.is_none() {
            let of_repository = running.run.secrets.iter().map(|(name, value)| (name, value));
            let of_environment = running.run.environment_secrets.iter().filter_map(|(own, name, value)| {
                environment.is_some_and(|name| own.eq_ignore_ascii_case(name)).then_some((name, value))
            });
            for (name, value) in of_repository.chain(of_environment) {
                secrets.insert(name.to_uppercase(), json!(value));
            }
        }
        secrets.insert("GITHUB_TOKEN".to_owned(), json!(token));
        let mut masks = Masks::default();
        secrets.values().for_each(|secret| masks.add(secret.as_str().unwrap()));

        let runner = json!({
            "arch": "X64", "environment": "github-hosted", "name": "GitHub Actions 1", "os": "Linux",
            "temp": text(&temp), "tool_cache": text(&place.join("tools")),
        });
        contexts.insert("secrets".to_owned(), secrets.into());
        contexts.insert("runner".to_owned(), runner);
        let steps =
            running.run.alone.iter().flat_map(|alone| alone.told.iter().map(move |told| (alone, &told.0)));
        let steps: Map<String, Json> =
            steps.map(|(alone, id)| (id.clone(), alone.outputs(id, "outcome"))).collect();
        contexts.insert("steps".to_owned(), steps.into());
        let job = &running.workflow.jobs[id];
        let permissions = running.workflow.permissions_of(job);
        let identity = permissions.map_or(Level::None, |permissions| permissions.level(Permission::IdToken));
        let mark = format!("github_{}_{number}", running.world.display());
        let may_identify = identity == Level::Write && running.run.fork.is_none();
        let claims = claims(running.run, &contexts["github"], environment);
        let aws = running.run.aws.as_ref().filter(|_| may_identify);
        Self {
            token_request: aws.map(|aws| aws.token_request(&claims).to_vec()).unwrap_or_default(),
            claims,
            id: id.to_owned(),
            contexts,
            environment: BTreeMap::new(),
            path: Vec::new(),
            masks,
            may_identify,
            status: "success",
            workspace,
            home,
            temp,
            mark,
        }
    }

    /// The environment of the workflow and the job.
    fn enter(&mut self, running: &mut Running<'_>, job: &workflow::Job) -> Result<(), String> {
        for (env, names) in
            [(&running.workflow.env, &["github", "secrets", "inputs", "vars"][..]), (&job.env, &JOB_ENV[..])]
        {
            let scope = Scope::of(&self.contexts, names);
            for (name, value) in env {
                self.environment.insert(name.clone(), running.evaluator.text(value, &scope)?);
            }
        }
        Ok(())
    }

    /// What the next step can see.
    fn refresh(&mut self, environment: &BTreeMap<String, String>) {
        self.contexts.insert("env".to_owned(), json!(environment));
        self.contexts.insert("job".to_owned(), json!({ "status": self.status }));
    }

    fn step(
        &mut self,
        running: &mut Running<'_>,
        job: &workflow::Job,
        step: &workflow::Step,
        position: usize,
    ) -> Step {
        let described = step.name.clone().or_else(|| step.uses.as_ref().map(ToString::to_string));
        let described =
            described.or_else(|| step.run.as_ref()?.lines().next().map(|line| format!("Run {line}")));
        let mut record = Step {
            id: step.id.clone(),
            name: described.expect("a step is an action or a script; other forms are not reproduced"),
            outcome: "skipped".to_owned(),
            conclusion: "skipped".to_owned(),
            outputs: BTreeMap::new(),
            log: String::new(),
            summary: String::new(),
        };
        let mut log = Log::default();
        let mut environment = self.environment.clone();
        let due = self.due(running, step, &mut environment);
        let ended = match due {
            Ok(false) => None,
            Ok(true) => {
                let scope = Scope::of(&self.contexts, &STEP);
                if let Ok(name) = running.evaluator.text(&record.name, &scope) {
                    record.name = name;
                }
                Some(self.execute(running, job, step, position, environment, &mut record, &mut log))
            }
            Err(error) => Some(Err(error)),
        };
        if let Some(ended) = ended {
            if let (Some(body), Ok(Ended::Exited(code))) = (&step.run, &ended) {
                self.note(running, position, body, *code);
            }
            record.outcome = match ended {
                Ok(Ended::Exited(0)) => "success",
                Ok(Ended::Cancelled) => {
                    running.cancelled = true;
                    "cancelled"
                }
                Ok(Ended::Exited(code)) => {
                    log.line(&format!("##[error]Process completed with exit code {code}."), &mut self.masks);
                    "failure"
                }
                Err(error) => {
                    log.line(&format!("##[error]{error}"), &mut self.masks);
                    "failure"
                }
            }
            .to_owned();
            let goes_on = match &step.continue_on_error {
                None => false,
                Some(OrExpression::Literal(value)) => *value,
                Some(OrExpression::Expression(text)) => {
                    let scope = Scope::of(&self.contexts, &STEP);
                    running.evaluator.text(text, &scope).is_ok_and(|value| value == "true")
                }
            };
            let forgiven = record.outcome == "failure" && goes_on;
            record.conclusion = if forgiven { "success".to_owned() } else { record.outcome.clone() };
            match record.conclusion.as_str() {
                "cancelled" => self.status = "cancelled",
                "failure" if self.status == "success" => self.status = "failure",
                _ => {}
            }
        }
        record.log = log.text;
        if let Some(id) = &step.id {
            let state = json!({
                "outputs": record.outputs, "outcome": record.outcome, "conclusion": record.conclusion,
            });
            self.contexts["steps"].as_object_mut().unwrap().insert(id.clone(), state);
        }
        record
    }

    /// What has become of a body, where it is one of an example.
    fn note(&self, running: &Running<'_>, position: usize, body: &str, code: i32) {
        let Some(example) = running.example else { return };
        let called = fs::read_to_string(running.world.join("called")).unwrap_or_default();
        let stand_ins = called.lines().map(ToOwned::to_owned).collect();
        let place = (running.run.workflow.clone(), self.id.clone(), position);
        bodies::note(example, &place, body, code, stand_ins);
    }

    /// The step's own environment, and then its condition, which can read it.
    fn due(
        &mut self,
        running: &mut Running<'_>,
        step: &workflow::Step,
        environment: &mut BTreeMap<String, String>,
    ) -> Result<bool, String> {
        self.refresh(environment);
        let scope = Scope::of(&self.contexts, &STEP);
        for (name, value) in &step.env {
            environment.insert(name.clone(), running.evaluator.text(value, &scope)?);
        }
        self.refresh(environment);
        let status = Status {
            success: self.status == "success",
            failure: self.status == "failure",
            cancelled: self.status == "cancelled",
        };
        if running.run.alone.is_some() {
            return Ok(true);
        }
        let scope = Scope::of(&self.contexts, &STEP[1..]).with(status);
        running.evaluator.condition(step.condition.as_deref(), &scope)
    }

    #[expect(clippy::too_many_arguments, reason = "they are what a step is about")]
    fn execute(
        &mut self,
        running: &mut Running<'_>,
        job: &workflow::Job,
        step: &workflow::Step,
        position: usize,
        environment: BTreeMap<String, String>,
        record: &mut Step,
        log: &mut Log,
    ) -> Result<Ended, String> {
        let files = Files::create(&self.temp.join("_runner_file_commands"), position);
        let environment = self.process_environment(running, environment, &files, position);
        let ended = match (&step.run, &step.uses) {
            (Some(script), None) => {
                self.script(running, job, step, script, position, environment, record, log)
            }
            (None, Some(uses)) => self.action(running, step, uses, environment, log),
            _ => panic!("{}: this form of a step is not reproduced", record.name),
        };
        // Whatever became of the step, what it wrote is taken.
        let taken = self.take(&files, record, log);
        match (ended, taken) {
            (Ok(Ended::Exited(0)), Err(error)) => Err(error),
            (ended, _) => ended,
        }
    }

    /// Everything that a process of the step finds in its environment.
    fn process_environment(
        &self,
        running: &Running<'_>,
        environment: BTreeMap<String, String>,
        files: &Files,
        position: usize,
    ) -> BTreeMap<String, String> {
        let mut all: BTreeMap<String, String> =
            [("CI", "true"), ("LANG", "C.UTF-8"), ("GIT_CONFIG_NOSYSTEM", "1")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into();
        all.insert("HOME".to_owned(), self.home.to_str().unwrap().to_owned());
        let prepared = tool::repository().join("target/tools/python/bin");
        let inherited = std::env::var("PATH").unwrap();
        let path =
            [running.world.join("bin").to_str().unwrap(), prepared.to_str().unwrap(), &inherited].join(":");
        all.insert("PATH".to_owned(), path);
        all.extend(running.run.ambient.iter().cloned());
        all.extend(environment);
        let mut path = self.path.clone();
        path.extend(all.remove("PATH"));
        all.insert("PATH".to_owned(), path.join(":"));

        // The runner's own come last: nobody overrides them.
        for (context, prefix) in [("github", "GITHUB"), ("runner", "RUNNER")] {
            for (key, value) in self.contexts[context].as_object().unwrap() {
                let value = match value {
                    Json::String(text) => text.clone(),
                    Json::Bool(value) => value.to_string(),
                    _ => continue,
                };
                if key != "token" {
                    all.insert(format!("{prefix}_{}", key.to_uppercase()), value);
                }
            }
        }
        all.insert("GITHUB_ACTIONS".to_owned(), "true".to_owned());
        all.insert("GITHUB_ACTION".to_owned(), format!("__run_{position}"));
        all.insert("RUNNER_TRACKING_ID".to_owned(), self.mark.clone());
        all.extend(files.variables());
        all.extend(self.token_request.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        all
    }

    #[expect(clippy::too_many_arguments, reason = "they are what a script is about")]
    fn script(
        &mut self,
        running: &mut Running<'_>,
        job: &workflow::Job,
        step: &workflow::Step,
        script: &str,
        position: usize,
        environment: BTreeMap<String, String>,
        record: &Step,
        log: &mut Log,
    ) -> Result<Ended, String> {
        let scope = Scope::of(&self.contexts, &STEP);
        let script = running.evaluator.text(script, &scope)?;
        let none = RunDefaults::default();
        let of_job = job.defaults.as_ref().map_or(&none, |defaults| &defaults.run);
        let of_workflow = running.workflow.defaults.as_ref().map_or(&none, |defaults| &defaults.run);
        let shell = step.shell.as_ref().or(of_job.shell.as_ref()).or(of_workflow.shell.as_ref());
        let directory = step.working_directory.as_ref();
        let directory =
            directory.or(of_job.working_directory.as_ref()).or(of_workflow.working_directory.as_ref());
        let directory = directory.map_or(Ok(String::new()), |text| running.evaluator.text(text, &scope))?;
        let directory = self.workspace.join(directory);
        if !directory.is_dir() {
            return Err(format!("An error occurred trying to start process in '{}'", directory.display()));
        }
        let file = self.temp.join(format!("script_{position}"));
        fs::write(&file, format!("{script}\n")).unwrap();
        fs::write(running.world.join("called"), "").unwrap();
        let (program, arguments): (_, &[&str]) = match shell.map(String::as_str) {
            None => ("bash", &["-e"]),
            Some("bash") => ("bash", &["--noprofile", "--norc", "-eo", "pipefail"]),
            Some("sh") => ("sh", &["-e"]),
            Some(other) => panic!("the shell `{other}` is not reproduced"),
        };
        if let Some(before) = running.run.alone.as_ref().map(|alone| &alone.before) {
            let mut command = process::command(&running.run.inside, "bash");
            command.args(["-euc", before]).current_dir(&directory).env_clear().envs(&environment);
            assert_eq!(process::run(command, None, |line| println!("{line}")).unwrap(), Ended::Exited(0));
            fs::write(running.world.join("called"), "").unwrap();
        }
        let mut command = process::command(&running.run.inside, program);
        command.args(arguments).arg(&file).current_dir(directory).env_clear().envs(environment);
        let here = |cancel: &&super::Cancel| {
            cancel.job == self.id && (record.id.as_ref() == Some(&cancel.step) || record.name == cancel.step)
        };
        let cancel_at = running.run.cancel.as_ref().filter(here).map(|cancel| cancel.text.as_str());
        process::run(command, cancel_at, |line| log.line(line, &mut self.masks))
            .map_err(|error| error.to_string())
    }

    fn action(
        &mut self,
        running: &mut Running<'_>,
        step: &workflow::Step,
        uses: &Uses,
        mut environment: BTreeMap<String, String>,
        log: &mut Log,
    ) -> Result<Ended, String> {
        let slug = uses.slug().map_or_else(|| uses.to_string(), str::to_owned).to_lowercase();
        let stand_in = running.run.actions.get(&slug).cloned().or_else(|| action::default(&slug));
        let stand_in = stand_in.unwrap_or_else(|| panic!("there is no stand-in for the action {uses}"));
        let scope = Scope::of(&self.contexts, &STEP);
        let mut inputs = BTreeMap::new();
        for (name, value) in &step.with {
            let value = running.evaluator.text(value, &scope)?;
            environment.insert(format!("INPUT_{}", name.replace(' ', "_").to_uppercase()), value.clone());
            inputs.insert(name.to_lowercase(), value);
        }
        let artifacts = running.world.join("artifacts");
        let mut action = Action {
            inputs,
            environment,
            may_identify: self.may_identify,
            identity: running.run.aws.as_ref().map(|aws| (aws, &self.claims)),
            artifacts: &artifacts,
            origin: &running.origin,
            said: Vec::new(),
        };
        let ended = stand_in(&mut action);
        action.said.iter().for_each(|line| log.line(line, &mut self.masks));
        ended.map(|()| Ended::Exited(0))
    }

    /// What the step told the runner through its files.
    fn take(&mut self, files: &Files, record: &mut Step, log: &mut Log) -> Result<(), String> {
        let summary = files.read("GITHUB_STEP_SUMMARY");
        if summary.len() > SUMMARY_LIMIT {
            let message =
                "##[error]$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k";
            log.line(message, &mut self.masks);
        } else {
            record.summary = self.masks.apply(&summary);
        }
        self.path.splice(0..0, files.read("GITHUB_PATH").lines().rev().map(ToOwned::to_owned));
        let of_file = |name: &str, error: String| {
            format!("Unable to process file command '{name}' successfully. {error}")
        };
        for (name, value) in files.pairs("GITHUB_ENV").map_err(|error| of_file("env", error))? {
            if name.eq_ignore_ascii_case("NODE_OPTIONS") {
                return Err(of_file("env", "Can't store NODE_OPTIONS output parameter".to_owned()));
            }
            self.environment.insert(name, value);
        }
        record.outputs.extend(files.pairs("GITHUB_OUTPUT").map_err(|error| of_file("output", error))?);
        Ok(())
    }

    /// The job's outputs, without those that are empty or hold a secret (actions/runner, `JobExtension.cs`).
    fn outputs(
        &mut self,
        running: &mut Running<'_>,
        job: &workflow::Job,
        record: &mut Combination,
    ) -> Result<(), String> {
        let environment = self.environment.clone();
        self.refresh(&environment);
        let scope = Scope::of(&self.contexts, &STEP);
        for (name, text) in &job.outputs {
            let value = running.evaluator.text(text, &scope)?;
            if value.is_empty() {
                continue;
            }
            if self.masks.apply(&value) == value {
                record.outputs.insert(name.clone(), json!(value));
            } else {
                record.log.push_str(&format!("Skip output '{name}' since it may contain secret.\n"));
            }
        }
        Ok(())
    }
}

/// What a job's identity token says
/// ([GitHub: OIDC reference](https://docs.github.com/en/actions/reference/security/oidc)).
fn claims(run: &Run, github: &Json, environment: Option<&str>) -> Json {
    let text = |key: &str| github[key].as_str().unwrap_or_default().to_owned();
    let (owner, name) = run.repository.split_once('/').unwrap();
    let repository = if run.subjects_hold_ids {
        format!("{owner}@{}/{name}@{}", text("repository_owner_id"), text("repository_id"))
    } else {
        run.repository.clone()
    };
    let what = match (environment, run.event.as_str()) {
        (Some(environment), _) => format!("environment:{environment}"),
        (None, "pull_request") => "pull_request".to_owned(),
        (None, _) => format!("ref:{}", text("ref")),
    };
    let mut claims = json!({
        "sub": format!("repo:{repository}:{what}"),
        "repository": run.repository, "repository_id": text("repository_id"),
        "repository_owner_id": text("repository_owner_id"), "ref": text("ref"), "event_name": run.event,
        "workflow_ref": text("workflow_ref"), "job_workflow_ref": text("workflow_ref"),
    });
    if let Some(environment) = environment {
        claims["environment"] = json!(environment);
    }
    claims
}
