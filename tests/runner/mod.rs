//! A rendered workflow, executed as GitHub executes it: a test reads as one sentence.
//!
//! ```ignore
//! let run = Run::of(".github/workflows/tf.yml", &repository)
//!     .event("workflow_dispatch").inputs([("action", "apply")])
//!     .environment_secret("prod", "DB_PASSWORD", "…")
//!     .approved("prod-approval", "octocat", "looks good")
//!     .tool("gh", "exit 1");
//! let Some(run) = run.run() else { return };
//! run.job("apply-prod").succeeded().says("Apply complete!");
//! ```
//!
//! The text is read with this project's own parser, which must have no finding; expressions are evaluated by GitHub's
//! own evaluator, with the contexts that GitHub gives at each key (GitHub docs, "Contexts reference", "Context
//! availability"), so that a context which is not there fails here too. Processes are real, and so are the files
//! through which steps talk to the runner. Jobs run one after the other, in the order of the file where `needs` leaves
//! one.
//!
//! What it executes of an example counts: see `tests/bodies/`. Every run is also a test of `simulate`.
//!
//! What it does not reproduce panics where a workflow uses it: containers and services, reusable workflows, the step
//! forms of 2026, `continue-on-error` of jobs, `hashFiles`, and an action without a stand-in. Not reproduced in
//! silence: `timeout-minutes`, filters of triggers, branch policies of environments, and masks of encoded secrets.

pub(crate) mod action;
mod evaluator;
mod files;
mod job;
mod log;
mod matrix;
mod process;
mod record;
pub(crate) mod watch;

mod drift; // drift in examples/pyfleet: found, said once, and gone
mod inventory_manager; // the rendered workflows of examples/inventory-manager, executed
mod experience_showcase; // examples/experience-showcase: a commit becomes two images, and a stack brings them to ECS
mod kubernetes; // the life of a service on Kubernetes, with its image on Docker Hub
mod earlier; // rollback of a stack in examples/pyfleet: the commit that was applied before is live again
mod golden_image; // examples/golden-image: an image is built, proven, configured, and gone back to
mod extended; // a rendered job with steps of its owner's
mod pipeline; // a commit's way through the stages of a pipeline
mod pyfleet; // those of examples/pyfleet: the life of two environments
mod reviewed; // a pull request of examples/pyfleet: planned, priced, and said
mod sandbox_broker; // the rendered workflows of examples/sandbox-broker, executed
mod scanners; // what scanners find: judged, accepted, refused
mod semantics; // each rule of GitHub's that the executor follows, on small workflows
mod simulated; // what `simulate` says of every run of every test, compared with the run
mod steps; // steps of the examples, each alone: how they fail where no story goes wrong that way
mod tf_auto; // stacks applied, promoted and destroyed in order, by a push and by hand

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

use pyfleet_core::source::Source;
use pyfleet_core::workflow::{self, Graph, InputKind, Workflow};
use serde_json::{Map, Value as Json, json};

use crate::aws::Aws;
use crate::bodies;
use crate::images::{self, Docker};
use crate::tool;
use action::{Action, StandIn};
use evaluator::{Evaluator, Scope, Status};
use record::Job;
pub(crate) use record::Ran;

/// A run of one workflow, about to start.
#[derive(Clone)]
pub(crate) struct Run {
    workflow: String,
    directory: PathBuf,
    repository: String,
    event: String,
    reference: Option<String>,
    number: u64,
    payload: Json,
    inputs: Vec<(String, String)>,
    fork: Option<String>,
    secrets: Vec<(String, String)>,
    environment_secrets: Vec<(String, String, String)>,
    variables: Vec<(String, String)>,
    actions: BTreeMap<String, StandIn>,
    tools: Vec<Program>,
    ambient: Vec<(String, String)>,
    inside: Vec<OsString>,
    aws: Option<Aws>,
    subjects_hold_ids: bool,
    reviews: BTreeMap<String, Review>,
    cancel: Option<Cancel>,
    alone: Option<Alone>,
}

/// Steps, without the run around them.
#[derive(Clone, Default)]
struct Alone {
    /// The job and the step.
    steps: Vec<(String, String)>,
    /// What jobs and steps before it said: whose output, its name, its value.
    told: Vec<(String, String, String)>,
    before: String,
}

/// A program on the PATH, in front of those of the machine.
#[derive(Clone)]
struct Program {
    name: String,
    text: String,
    stands_in: bool,
}

/// What the reviewers of an environment say.
#[derive(Clone)]
enum Review {
    Answered { state: &'static str, reviewer: String, comment: String },
    Waiting,
}

/// Where somebody cancels the run: when a step says something.
#[derive(Clone)]
struct Cancel {
    job: String,
    step: String,
    text: String,
}

impl Run {
    /// The workflow at a path of a repository. A directory that is no git repository becomes one, of one commit with
    /// all that it does not ignore.
    pub(crate) fn of(workflow: &str, directory: impl AsRef<Path>) -> Self {
        Self {
            workflow: workflow.to_owned(),
            directory: directory.as_ref().to_owned(),
            repository: "octo-org/infrastructure".to_owned(),
            event: "push".to_owned(),
            reference: None,
            number: 4242,
            payload: json!({}),
            inputs: Vec::new(),
            fork: None,
            secrets: Vec::new(),
            environment_secrets: Vec::new(),
            variables: Vec::new(),
            actions: BTreeMap::new(),
            tools: Vec::new(),
            ambient: Vec::new(),
            inside: Vec::new(),
            aws: None,
            subjects_hold_ids: false,
            reviews: BTreeMap::new(),
            cancel: None,
            alone: None,
        }
    }

    /// Its `owner/name`.
    pub(crate) fn repository(mut self, name: &str) -> Self {
        self.repository = name.to_owned();
        self
    }

    /// What starts it; a push unless said otherwise.
    pub(crate) fn event(mut self, name: &str) -> Self {
        self.event = name.to_owned();
        self
    }

    /// `github.ref`, where it is not the one that the event has by default.
    pub(crate) fn ref_(mut self, reference: &str) -> Self {
        self.reference = Some(reference.to_owned());
        self
    }

    /// `github.run_id`: every run has its own.
    pub(crate) fn numbered(mut self, number: u64) -> Self {
        self.number = number;
        self
    }

    /// Replaces parts of `github.event`.
    pub(crate) fn payload(mut self, payload: Json) -> Self {
        merge(&mut self.payload, payload);
        self
    }

    /// What the person who dispatches it fills in.
    pub(crate) fn inputs<'a>(mut self, inputs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.inputs.extend(inputs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        self
    }

    /// The pull request comes from a fork: no secrets, and no identity token.
    pub(crate) fn fork(mut self, repository: &str) -> Self {
        self.fork = Some(repository.to_owned());
        self
    }

    /// A secret of the repository.
    pub(crate) fn secret(mut self, name: &str, value: &str) -> Self {
        self.secrets.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A secret of an environment: only its jobs have it.
    pub(crate) fn environment_secret(mut self, environment: &str, name: &str, value: &str) -> Self {
        self.environment_secrets.push((environment.to_owned(), name.to_owned(), value.to_owned()));
        self
    }

    /// A variable of the repository.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What stands in for an action, by its `owner/name[/path]`.
    pub(crate) fn action(
        mut self,
        slug: &str,
        stand_in: impl Fn(&mut Action<'_>) -> Result<(), String> + 'static,
    ) -> Self {
        self.actions.insert(slug.to_lowercase(), Rc::new(stand_in));
        self
    }

    /// Puts a program on the PATH, in front of the real tools: bash, in which `$STATE` is a directory that it may use.
    /// `$STATE/approvals.json` is what the API says that reviewers answered.
    pub(crate) fn tool(mut self, name: &str, text: &str) -> Self {
        self.tools.push(Program { name: name.to_owned(), text: text.to_owned(), stands_in: true });
        self
    }

    /// The same, where the program ends as the real one, which it calls. A body that calls it needs no excuse.
    pub(crate) fn around(mut self, name: &str, text: &str) -> Self {
        self.tools.push(Program { name: name.to_owned(), text: text.to_owned(), stands_in: false });
        self
    }

    /// The real Docker. On a machine that runs no containers, which it says, a stand-in, so that the rest is tested all the
    /// same: that is no excuse elsewhere, and none is needed here.
    #[track_caller]
    pub(crate) fn docker(self) -> Self {
        let real = Docker::of_this_run().map(Docker::program);
        self.around("docker", real.as_deref().unwrap_or(images::STAND_IN))
    }

    /// Takes a stand-in away: this run reaches what it asks.
    pub(crate) fn real(mut self, name: &str) -> Self {
        self.tools.retain(|program| program.name != name);
        self
    }

    /// A variable that the runner's own environment has.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.ambient.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Its steps reach this AWS; keys they get from the action that asks for them.
    pub(crate) fn with(self, aws: &Aws) -> Self {
        let mut run = self.around("aws", &format!("exec '{}' \"$@\"", aws.client().display()));
        run.inside = aws.inside().to_vec();
        let addresses = aws.environment().into_iter().filter(|(name, _)| !name.contains("KEY"));
        run.ambient.extend(addresses.map(|(name, value)| (name.to_owned(), value)));
        run
    }

    /// Its steps reach this AWS, and a job becomes there what its token lets it: roles and their trust count.
    pub(crate) fn identified_by(mut self, aws: &Aws) -> Self {
        self.aws = Some(aws.clone());
        self.with(aws)
    }

    /// Subjects hold the ids of owner and repository, as those of younger repositories do.
    pub(crate) fn with_immutable_subjects(mut self) -> Self {
        self.subjects_hold_ids = true;
        self
    }

    /// An environment has reviewers, and one of them approves.
    pub(crate) fn approved(self, environment: &str, reviewer: &str, comment: &str) -> Self {
        self.answered(environment, "approved", reviewer, comment)
    }

    /// An environment has reviewers, and one of them refuses.
    pub(crate) fn refused(self, environment: &str, reviewer: &str, comment: &str) -> Self {
        self.answered(environment, "rejected", reviewer, comment)
    }

    fn answered(mut self, environment: &str, state: &'static str, reviewer: &str, comment: &str) -> Self {
        let answer = Review::Answered { state, reviewer: reviewer.to_owned(), comment: comment.to_owned() };
        self.reviews.insert(environment.to_lowercase(), answer);
        self
    }

    /// An environment has reviewers, and nobody has answered yet.
    pub(crate) fn unanswered(mut self, environment: &str) -> Self {
        self.reviews.insert(environment.to_lowercase(), Review::Waiting);
        self
    }

    /// Somebody cancels the run while a step runs, as soon as its log holds a text.
    pub(crate) fn cancelled_when(mut self, job: &str, step: &str, says: &str) -> Self {
        self.cancel = Some(Cancel { job: job.to_owned(), step: step.to_owned(), text: says.to_owned() });
        self
    }

    /// Nothing but one step of one job, in the checkout that it begins with: whatever comes before it has gone well, and it
    /// is due. Said again, one more.
    pub(crate) fn alone(mut self, job: &str, step: &str) -> Self {
        self.alone.get_or_insert_default().steps.push((job.to_owned(), step.to_owned()));
        self
    }

    /// What a job, or a step of the same job, has said to the step that is alone.
    pub(crate) fn told(mut self, by: &str, output: &str, value: &str) -> Self {
        let told = (by.to_owned(), output.to_owned(), value.to_owned());
        self.alone.get_or_insert_default().told.push(told);
        self
    }

    /// What the steps before have left behind: bash, with the environment of the step that is alone.
    pub(crate) fn before(mut self, text: &str) -> Self {
        self.alone.get_or_insert_default().before.push_str(text);
        self
    }

    /// Runs it, or reports that a tool is missing.
    #[track_caller]
    pub(crate) fn run(&self) -> Option<Ran> {
        self.attempt(1, BTreeMap::new(), |_| {})
    }

    /// Runs the jobs of a run again that failed, and those that need them, as GitHub does: the others, with what they
    /// said, and all artifacts stay as they were, until this attempt brings another one of the same name: GitHub keeps
    /// both then, and gives the latest (actions/toolkit, `ListArtifactsOptions.latest`: "in the case of reruns").
    #[track_caller]
    pub(crate) fn run_failed_again(&self, before: Ran) -> Option<Ran> {
        let artifacts = before.world.path().join("artifacts");
        let jobs = before.jobs;
        self.attempt(2, jobs, |world| {
            action::copy_into(&artifacts, &world.join("artifacts"));
            for artifact in fs::read_dir(&artifacts).unwrap() {
                fs::create_dir_all(world.join("earlier").join(artifact.unwrap().file_name())).unwrap();
            }
        })
    }

    #[track_caller]
    fn attempt(
        &self,
        attempt: u32,
        before: BTreeMap<String, Job>,
        prepare: impl FnOnce(&Path),
    ) -> Option<Ran> {
        tool::find("bash")?;
        tool::find("git")?;
        let evaluator = Evaluator::start()?;

        let directory = tempfile::Builder::new().prefix("a run ").tempdir().unwrap();
        let world = directory.path();
        for part in ["artifacts", "bin", "jobs", "state"] {
            fs::create_dir(world.join(part)).unwrap();
        }
        prepare(world);
        let (state, called) = (world.join("state"), world.join("called"));
        for Program { name, text, stands_in } in &self.tools {
            let path = world.join("bin").join(name);
            let note =
                if *stands_in { format!("echo {name} >>'{}'\n", called.display()) } else { String::new() };
            let head = format!("#!/usr/bin/env bash\nSTATE='{}'\n{note}", state.display());
            fs::write(&path, head + text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let origin = self.origin(world);

        let text = fs::read_to_string(self.directory.join(&self.workflow)).unwrap();
        let (workflow, findings) = workflow::parse(Source::new(self.workflow.clone(), text));
        let said: Vec<_> = findings.iter().map(|finding| &finding.message).collect();
        assert!(said.is_empty(), "{}: {said:?}", self.workflow);
        let (workflow, _) = workflow.unwrap();
        assert!(
            workflow.on.names().any(|name| name == self.event),
            "{} does not run on {}",
            self.workflow,
            self.event
        );

        let graph = Graph::of(&workflow);
        let went_well =
            |id: &str| before.get(id).is_some_and(|job| ["success", "skipped"].contains(&job.result()));
        let stays = |id: &str| went_well(id) && graph.ancestors(id).into_iter().all(went_well);
        let kept: BTreeSet<String> = before.keys().filter(|id| stays(id)).cloned().collect();
        let jobs = before.into_iter().filter(|(id, _)| kept.contains(id)).collect();

        let mut running = Running {
            contexts: self.contexts(&workflow, &origin, attempt),
            run: self,
            example: bodies::example_in(&self.directory),
            workflow: &workflow,
            evaluator,
            origin,
            world: world.to_owned(),
            jobs,
            cancelled: false,
            approvals: Vec::new(),
        };
        let group = running.run();
        running.has_gone_known_ways();
        if attempt == 1 {
            running.is_as_simulated();
        }
        let (jobs, cancelled) = (running.jobs, running.cancelled);
        Some(Ran { world: directory, jobs, group, cancelled })
    }

    /// The repository that is checked out.
    fn origin(&self, world: &Path) -> PathBuf {
        if self.directory.join(".git").exists() {
            return self.directory.canonicalize().unwrap();
        }
        let origin = world.join("origin");
        action::copy_into(&self.directory, &origin);
        git(&origin, &["init", "--quiet", "--initial-branch=main"]);
        git(&origin, &["add", "--all"]);
        let author = ["-c", "user.name=octocat", "-c", "user.email=octocat@example.com"];
        git(&origin, &[&author[..], &["commit", "--quiet", "--message", "All"]].concat());
        origin
    }

    /// The contexts of the whole run: `github`, `inputs` and `vars`.
    fn contexts(&self, workflow: &Workflow, origin: &Path, attempt: u32) -> Map<String, Json> {
        let head = git(origin, &["rev-parse", "HEAD"]);
        let parents = git(origin, &["log", "-1", "--format=%P"]);
        let mut parents = parents.split(' ').filter(|parent| !parent.is_empty());
        let before = parents.next().map_or_else(|| "0".repeat(40), ToOwned::to_owned);
        // A pull request is run on its merge commit, whose second parent is its own.
        let proposed = parents.next().unwrap_or(&head);

        let (owner, name) = self.repository.split_once('/').expect("a repository is owner/name");
        let repository = json!({
            "id": 2001, "name": name, "full_name": self.repository, "owner": { "login": owner }, "private": true,
            "default_branch": "main",
        });
        let mut event = json!({ "repository": repository, "sender": { "login": "octocat" } });
        let reference = match self.event.as_str() {
            "pull_request" => "refs/pull/7/merge".to_owned(),
            "merge_group" => format!("refs/heads/gh-readonly-queue/main/pr-7-{before}"),
            _ => "refs/heads/main".to_owned(),
        };
        let reference = self.reference.clone().unwrap_or(reference);
        let (mut base_ref, mut head_ref) = ("", "");
        let of_event = match self.event.as_str() {
            "pull_request" => {
                (base_ref, head_ref) = ("main", "change");
                let mut from = repository.clone();
                if let Some(fork) = &self.fork {
                    merge(&mut from, json!({ "id": 2002, "full_name": fork, "fork": true }));
                }
                json!({ "action": "synchronize", "number": 7, "pull_request": {
                    "number": 7, "draft": false, "user": { "login": "octocat" }, "labels": [],
                    "head": { "ref": head_ref, "sha": proposed, "repo": from },
                    "base": { "ref": base_ref, "sha": before, "repo": repository },
                } })
            }
            "merge_group" => json!({ "action": "checks_requested", "merge_group": {
                "base_ref": "refs/heads/main", "base_sha": before, "head_ref": reference, "head_sha": head,
            } }),
            "push" => json!({ "ref": reference, "before": before, "after": head }),
            _ => json!({}),
        };
        merge(&mut event, of_event);

        let mut inputs = Map::new();
        if self.event == "workflow_dispatch" {
            let (typed, texts) = self.dispatched(workflow);
            merge(&mut event, json!({ "inputs": texts, "ref": reference, "workflow": self.workflow }));
            inputs = typed;
        }
        merge(&mut event, self.payload.clone());

        let (kind, short) = match reference.strip_prefix("refs/tags/") {
            Some(tag) => ("tag", tag.to_owned()),
            None => ("branch", reference.replacen("refs/heads/", "", 1).replacen("refs/pull/", "", 1)),
        };
        let workflow_ref = format!("{}/{}@{reference}", self.repository, self.workflow);
        let github = json!({
            "actor": "octocat", "actor_id": "1", "triggering_actor": "octocat",
            "api_url": "https://api.github.com", "graphql_url": "https://api.github.com/graphql",
            "server_url": "https://github.com", "base_ref": base_ref, "head_ref": head_ref,
            "event": event, "event_name": self.event, "ref": reference, "ref_name": short, "ref_type": kind,
            "ref_protected": reference == "refs/heads/main", "repository": self.repository, "repository_id": "2001",
            "repository_owner": owner, "repository_owner_id": "1001", "retention_days": "90",
            "run_attempt": attempt.to_string(), "run_id": self.number.to_string(), "run_number": "42", "sha": head,
            "workflow": workflow.name.as_deref().unwrap_or(&self.workflow),
            "workflow_ref": workflow_ref, "workflow_sha": head,
        });
        let vars: Map<String, Json> =
            self.variables.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let contexts = [("github", github), ("inputs", inputs.into()), ("vars", vars.into())];
        contexts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// `inputs`, in which booleans are booleans, and `github.event.inputs`, in which they are texts.
    fn dispatched(&self, workflow: &Workflow) -> (Map<String, Json>, Map<String, Json>) {
        let declared = &workflow.on.workflow_dispatch.as_ref().unwrap().inputs;
        for (name, _) in &self.inputs {
            assert!(declared.contains_key(name), "GitHub refuses the input {name}, which is not declared");
        }
        let (mut typed, mut texts) = (Map::new(), Map::new());
        for (name, input) in declared {
            let given = self.inputs.iter().rev().find(|(own, _)| own == name).map(|(_, value)| value.clone());
            let fallback = match (&input.default, input.kind) {
                (Some(Json::String(text)), _) => text.clone(),
                (Some(other), _) => other.to_string(),
                (None, InputKind::Boolean) => "false".to_owned(),
                (None, InputKind::Choice) => input.options.first().cloned().unwrap_or_default(),
                (None, _) => String::new(),
            };
            let value = given.unwrap_or(fallback);
            assert!(!input.required || !value.is_empty(), "GitHub asks for the input {name}");
            let allowed = match input.kind {
                InputKind::Boolean => value == "true" || value == "false",
                InputKind::Choice => input.options.contains(&value),
                InputKind::Number => value.parse::<f64>().is_ok(),
                InputKind::String | InputKind::Environment => true,
            };
            assert!(allowed, "GitHub refuses {value:?} for the input {name}");
            let boolean = input.kind == InputKind::Boolean;
            typed.insert(name.clone(), if boolean { json!(value == "true") } else { json!(value) });
            texts.insert(name.clone(), json!(value));
        }
        (typed, texts)
    }
}

/// A run under way.
struct Running<'a> {
    run: &'a Run,
    /// The example whose workflow this is.
    example: Option<&'static bodies::Example>,
    workflow: &'a Workflow,
    evaluator: Evaluator,
    /// `github`, `inputs` and `vars`.
    contexts: Map<String, Json>,
    origin: PathBuf,
    world: PathBuf,
    jobs: BTreeMap<String, Job>,
    cancelled: bool,
    approvals: Vec<Json>,
}

impl Running<'_> {
    /// Runs every job after those that it needs; the answer is the run's concurrency group.
    fn run(&mut self) -> Option<String> {
        let workflow = self.workflow;
        self.keep_approvals();
        let group = workflow.concurrency.as_ref().map(|concurrency| {
            let scope = Scope::of(&self.contexts, &["github", "inputs", "vars"]);
            self.evaluator.text(&concurrency.group, &scope).unwrap()
        });
        let graph = Graph::of(workflow);
        assert!(graph.cycle().is_none() && graph.unknown().is_empty(), "GitHub refuses these needs");
        if let Some(alone) = &self.run.alone {
            for (id, _) in &alone.steps {
                if !self.jobs.contains_key(id) {
                    let job = self.alone(alone, id, &graph);
                    self.jobs.insert(id.clone(), job);
                }
            }
            return group;
        }
        let mut left: Vec<&str> =
            workflow.jobs.keys().map(String::as_str).filter(|id| !self.jobs.contains_key(*id)).collect();
        while !left.is_empty() {
            let ready = |id: &&str| graph.needs(id).iter().all(|needed| self.jobs.contains_key(*needed));
            let id = left.remove(left.iter().position(ready).expect("there is no circle"));
            let waits = |needed: &&str| matches!(self.jobs[*needed].result(), "waiting" | "unstarted");
            let job = if graph.needs(id).iter().any(waits) {
                Job::without_combination(id, "unstarted", None)
            } else {
                self.job(id, &graph)
            };
            self.jobs.insert(id.to_owned(), job);
        }
        group
    }

    /// The job of steps that are alone, in its first combination.
    fn alone(&mut self, alone: &Alone, id: &str, graph: &Graph<'_>) -> Job {
        let steps = &self.workflow.jobs[id].steps;
        for (_, name) in alone.steps.iter().filter(|(job, _)| job == id) {
            let one = Alone { steps: vec![(id.to_owned(), name.clone())], ..Alone::default() };
            assert!(steps.iter().any(|step| one.is(id, step)), "{id}: there is no step {name:?}");
        }
        let needed = graph.needs(id).iter().map(|id| ((*id).to_owned(), alone.outputs(id, "result")));
        let mut contexts = self.contexts.clone();
        contexts.insert("needs".to_owned(), Json::Object(needed.collect()));
        self.first_combination(id, contexts)
    }

    /// What the status functions of a job's condition answer: about all its ancestors, not its needs alone.
    fn status(&self, id: &str, graph: &Graph<'_>) -> Status {
        let ancestors = graph.ancestors(id);
        let result = |ancestor: &&str| self.jobs[*ancestor].result().to_owned();
        Status {
            success: !self.cancelled && ancestors.iter().all(|ancestor| result(ancestor) == "success"),
            failure: ancestors.iter().any(|ancestor| result(ancestor) == "failure"),
            cancelled: self.cancelled,
        }
    }

    /// The `needs` context: what a job needs directly.
    fn needs(&self, id: &str, graph: &Graph<'_>) -> Json {
        let needed = |needed: &&str| {
            let job = &self.jobs[*needed];
            ((*needed).to_owned(), json!({ "result": job.result, "outputs": job.outputs }))
        };
        graph.needs(id).iter().map(needed).collect::<Map<String, Json>>().into()
    }

    fn keep_approvals(&self) {
        let approvals = Json::from(self.approvals.clone()).to_string();
        fs::write(self.world.join("state/approvals.json"), approvals).unwrap();
    }
}

impl Alone {
    /// What the expressions of the step read of somebody who has gone well.
    fn outputs(&self, by: &str, status: &str) -> Json {
        let told = self.told.iter().filter(|(own, ..)| own == by);
        let outputs: Map<String, Json> = told.map(|(_, name, value)| (name.clone(), json!(value))).collect();
        json!({ status: "success", "outputs": outputs })
    }
}

/// Runs git as preparation, and gives what it says.
fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Puts one tree over another: maps are merged, everything else is replaced.
fn merge(tree: &mut Json, over: Json) {
    match (tree, over) {
        (Json::Object(entries), Json::Object(over)) => {
            for (key, value) in over {
                merge(entries.entry(key).or_insert(Json::Null), value);
            }
        }
        (tree, over) => *tree = over,
    }
}
