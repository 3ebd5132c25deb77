//! What two manifests, or two sets of workflows, mean differently: who may do more, who less, and what else is another.
//!
//! Each side becomes facts. A fact gives power (a trigger, a right, a secret) or guards it (a condition, a lock), and one
//! that is not there weighs nothing: so the comparison knows no pair of manifests, and a fact that is added here is
//! compared at once. Scripts are not compared: what a step does with its rights is not a fact of the workflow.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::Path;
use crate::expression::opens_in;
use crate::oidc::Setup;
use crate::workflow::{self, Graph, Level, Scope, Triggers, Uses, Workflow, expressions};
use crate::yaml::tree::Document;

/// One of the two that are compared.
#[derive(Debug, Default)]
pub struct Side {
    /// What only a manifest says.
    pub manifest: Option<ManifestFacts>,
    /// The workflows by the names of their files, each with the document that it was read from.
    pub workflows: BTreeMap<String, (Workflow, Document)>,
}

/// What a manifest says beside its workflows.
#[derive(Debug)]
pub struct ManifestFacts {
    /// How far automation may go.
    pub safety_level: u8,
    /// What has to be set up on both sides.
    pub setup: Setup,
    /// Workflow files that are left to their owner.
    pub ejected: Vec<String>,
}

/// Something that is another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What that does to power.
    pub effect: Effect,
    /// What it is about.
    pub subject: Subject,
    /// The jobs, where it is about jobs of a workflow.
    pub jobs: Vec<String>,
    /// In which respect.
    pub aspect: Aspect,
    /// Which one: the trigger, the scope, the secret.
    pub name: String,
    /// What it was; nothing where it was not there.
    pub before: Option<String>,
    /// What it is; nothing where it is no longer there.
    pub after: Option<String>,
}

/// What a change does to power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// More can be done, or less stands before it.
    GivesMore,
    /// Less can be done, or more stands before it.
    TakesAway,
    /// It is another, and not said to be more or less.
    Other,
}

/// What a change is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Everything.
    Project,
    /// An environment of GitHub's.
    Environment(String),
    /// A workflow, by its file.
    Workflow(String),
    /// A role on AWS, as `ENVIRONMENT/PURPOSE`.
    Role(String),
}

/// In which respect something is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    /// How far automation may go.
    SafetyLevel,
    /// Whether there is such a workflow.
    Workflow,
    /// Whether there is such a job.
    Job,
    /// A workflow that is left to its owner.
    Ejected,
    /// What gets from a trigger to an environment.
    Reach,
    /// What gets to an environment without anybody's approval.
    Unasked,
    /// The branch whose runs may use an environment.
    Branch,
    /// What starts a workflow.
    Trigger,
    /// What the token may touch.
    Permission,
    /// A secret that is read.
    Secret,
    /// A role that is assumed.
    CloudRole,
    /// An action that is used.
    Action,
    /// The environment of a job.
    Environment,
    /// When a job runs.
    Condition,
    /// What a job waits for.
    Needs,
    /// What runs one at a time.
    Lock,
    /// Where a job runs.
    Runner,
    /// Whose tokens a role takes.
    Trust,
    /// What a role may do.
    Right,
}

impl Aspect {
    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SafetyLevel => "safety-level",
            Self::Workflow => "workflow",
            Self::Job => "job",
            Self::Ejected => "ejected",
            Self::Reach => "reach",
            Self::Unasked => "unasked",
            Self::Branch => "branch",
            Self::Trigger => "trigger",
            Self::Permission => "permission",
            Self::Secret => "secret",
            Self::CloudRole => "cloud-role",
            Self::Action => "action",
            Self::Environment => "environment",
            Self::Condition => "condition",
            Self::Needs => "needs",
            Self::Lock => "lock",
            Self::Runner => "runner",
            Self::Trust => "trust",
            Self::Right => "right",
        }
    }

    /// Whether it holds power back.
    const fn guards(self) -> bool {
        matches!(self, Self::Environment | Self::Condition | Self::Needs | Self::Lock)
    }

    /// What it is called before its name.
    const fn words(self) -> &'static str {
        match self {
            Self::SafetyLevel => "safety level",
            Self::Workflow => "workflow",
            Self::Job => "job",
            Self::Ejected => "left to its owner, and not compared",
            Self::Reach => "is reached from",
            Self::Unasked => "nobody approves what comes from",
            Self::Branch => "for runs on the branch",
            Self::Trigger => "started by",
            Self::Permission => "token",
            Self::Secret => "secret",
            Self::CloudRole => "assumes",
            Self::Action => "uses",
            Self::Environment => "environment",
            Self::Condition => "condition",
            Self::Needs => "waits for",
            Self::Lock => "one at a time",
            Self::Runner => "runs on",
            Self::Trust => "takes the token",
            Self::Right => "may",
        }
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Project => f.write_str("project"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Workflow(file) => f.write_str(file),
            Self::Role(name) => write!(f, "role {name}"),
        }
    }
}

impl Change {
    /// What has changed, in words: `+` what is new, `-` what is gone, `~` what is another.
    #[must_use]
    pub fn message(&self) -> String {
        let words = self.aspect.words();
        let what = match (self.name.as_str(), self.aspect) {
            ("", _) => words.to_owned(),
            (name, Aspect::Reach | Aspect::Unasked) => format!("{words} {name}"),
            (name, _) => format!("{words} `{name}`"),
        };
        let said = |text: &str| if text.is_empty() { String::new() } else { format!(": {text}") };
        match (&self.before, &self.after) {
            (None, after) => format!("+ {what}{}", said(after.as_deref().unwrap_or_default())),
            (Some(before), None) => format!("- {what}{}", said(before)),
            (Some(before), Some(after)) => format!("~ {what}: {} → {}", shown(before), shown(after)),
        }
    }
}

fn shown(text: &str) -> &str {
    if text.is_empty() { "without more" } else { text }
}

/// What a fact is about: a subject, or a job of it.
type Key = (Subject, Option<String>, Aspect, String);

/// How much a fact weighs, and what it says.
type Value = (u8, String);

/// A change without its jobs.
type Said = (Effect, Subject, Aspect, String, Option<String>, Option<String>);

/// Everything that is another, what gives more power first.
#[must_use]
pub fn compare(before: &Side, after: &Side) -> Vec<Change> {
    let (mut old, mut new) = (Facts::of(before), Facts::of(after));
    if before.manifest.is_none() || after.manifest.is_none() {
        // One side does not say it.
        for facts in [&mut old, &mut new] {
            facts.said.retain(|(subject, _, aspect, _), _| {
                !matches!(subject, Subject::Role(_))
                    && !matches!(aspect, Aspect::SafetyLevel | Aspect::Branch | Aspect::Ejected)
            });
        }
    }
    let keys: BTreeSet<&Key> = old.said.keys().chain(new.said.keys()).collect();
    let mut together: BTreeMap<Said, Vec<String>> = BTreeMap::new();
    for key in keys {
        let (subject, job, aspect, name) = key;
        let (was, is) = (old.said.get(key), new.said.get(key));
        if was == is {
            continue;
        }
        let weight = |value: Option<&Value>| value.map_or(0, |(weight, _)| *weight);
        let is_on_both = [&old, &new].iter().all(|side| side.has(subject, job.as_ref()));
        if (aspect.guards() || *aspect == Aspect::Runner) && !is_on_both {
            // A guard comes and goes with what it guards.
            continue;
        }
        if *aspect == Aspect::Needs && ![&old, &new].iter().all(|side| side.has(subject, Some(name))) {
            // A job that is not there cannot be waited for.
            continue;
        }
        let silent = (subject.clone(), job.clone(), Aspect::Permission, String::new());
        let is_scope = *aspect == Aspect::Permission && !name.is_empty();
        if is_scope && (old.said.contains_key(&silent) || new.said.contains_key(&silent)) {
            // What the settings give is not known to be less than anything.
            continue;
        }
        let (was_weight, is_weight) = (weight(was), weight(is));
        let effect = match (is_weight.cmp(&was_weight), aspect.guards()) {
            (std::cmp::Ordering::Equal, _) if *aspect == Aspect::Right => of_resources(was, is),
            (std::cmp::Ordering::Equal, _) => Effect::Other,
            _ if matches!(aspect, Aspect::Workflow | Aspect::Job | Aspect::Ejected | Aspect::Runner) => {
                Effect::Other
            }
            (std::cmp::Ordering::Greater, false) | (std::cmp::Ordering::Less, true) => Effect::GivesMore,
            (std::cmp::Ordering::Less, false) | (std::cmp::Ordering::Greater, true) => Effect::TakesAway,
        };
        let text = |value: Option<&Value>| value.map(|(_, text)| text.clone());
        let change = (effect, subject.clone(), *aspect, name.clone(), text(was), text(is));
        together.entry(change).or_default().extend(job.clone());
    }
    together
        .into_iter()
        .map(|((effect, subject, aspect, name, before, after), jobs)| Change {
            effect,
            subject,
            jobs,
            aspect,
            name,
            before,
            after,
        })
        .collect()
}

/// What other resources mean for an action: one that was not there before gives more.
fn of_resources(was: Option<&Value>, is: Option<&Value>) -> Effect {
    let resources = |value: Option<&Value>| -> BTreeSet<String> {
        value.into_iter().flat_map(|(_, text)| text.split(", ").map(str::to_owned)).collect()
    };
    let (was, is) = (resources(was), resources(is));
    if was.iter().chain(&is).any(|resource| resource.starts_with("all but")) {
        Effect::Other
    } else if is.is_subset(&was) {
        Effect::TakesAway
    } else {
        Effect::GivesMore
    }
}

/// What a side says.
#[derive(Default)]
struct Facts {
    said: BTreeMap<Key, Value>,
}

impl Facts {
    fn of(side: &Side) -> Self {
        let mut facts = Self::default();
        if let Some(manifest) = &side.manifest {
            facts.manifest(manifest);
        }
        for (file, (workflow, document)) in &side.workflows {
            facts.workflow(file, workflow, document);
        }
        facts
    }

    fn say(
        &mut self,
        subject: Subject,
        job: Option<&str>,
        aspect: Aspect,
        name: impl Into<String>,
        weight: u8,
        text: impl Into<String>,
    ) {
        let key = (subject, job.map(str::to_owned), aspect, name.into());
        let value = (weight, text.into());
        let known = self.said.entry(key).or_insert_with(|| value.clone());
        *known = value.max(known.clone());
    }

    /// Whether there is such a workflow, or such a job of it. Everything else is always there.
    fn has(&self, subject: &Subject, job: Option<&String>) -> bool {
        let aspect = if job.is_some() { Aspect::Job } else { Aspect::Workflow };
        let key = (subject.clone(), job.cloned(), aspect, String::new());
        !matches!(subject, Subject::Workflow(_)) || self.said.contains_key(&key)
    }

    fn manifest(&mut self, manifest: &ManifestFacts) {
        let level = manifest.safety_level;
        self.say(Subject::Project, None, Aspect::SafetyLevel, "", level + 1, level.to_string());
        for file in &manifest.ejected {
            self.say(Subject::Workflow(name_of(file)), None, Aspect::Ejected, "", 1, "");
        }
        for environment in &manifest.setup.environments {
            let subject = Subject::Environment(environment.name.clone());
            self.say(subject, None, Aspect::Branch, "", 1, environment.branch.clone());
        }
        for role in &manifest.setup.roles {
            let subject = Subject::Role(format!("{}/{}", role.environment, role.purpose));
            for token in &role.subjects {
                self.say(subject.clone(), None, Aspect::Trust, token, 1, "");
            }
            for (action, resources) in role.permissions.allowed() {
                let is_everything = resources.iter().any(|resource| *resource == "*");
                let text = resources.into_iter().collect::<Vec<_>>().join(", ");
                self.say(subject.clone(), None, Aspect::Right, action, 1 + u8::from(is_everything), text);
            }
        }
    }

    fn workflow(&mut self, file: &str, workflow: &Workflow, document: &Document) {
        let subject = || Subject::Workflow(file.to_owned());
        self.say(subject(), None, Aspect::Workflow, "", 1, "");
        for (event, weight, text) in triggers(&workflow.on) {
            self.say(subject(), None, Aspect::Trigger, event, weight, text);
        }
        if let Some(lock) = &workflow.concurrency {
            self.say(subject(), None, Aspect::Lock, "", 1, lock.group.clone());
        }
        self.secrets(file, None, document, &Path::of(["env"]));
        let graph = Graph::of(workflow);
        for (path, id, job) in workflow.jobs_at() {
            self.job(file, workflow, (id, job));
            self.secrets(file, Some(id), document, &path);
            self.reach(file, workflow, &graph, (id, job));
            for used in
                job.steps_at(&path).into_iter().filter_map(|(_, step)| step.uses.as_ref()).chain(&job.uses)
            {
                self.action(used);
            }
            for (_, step) in job.steps_at(&path) {
                if let Some(role) = step.input("role-to-assume") {
                    self.say(subject(), Some(id), Aspect::CloudRole, role, 1, "");
                }
            }
        }
    }

    fn job(&mut self, file: &str, workflow: &Workflow, (id, job): (&str, &workflow::Job)) {
        let mut say = |aspect, name: &str, weight, text: String| {
            self.say(Subject::Workflow(file.to_owned()), Some(id), aspect, name, weight, text);
        };
        say(Aspect::Job, "", 1, String::new());
        match workflow.permissions_of(job) {
            None => say(Aspect::Permission, "", 2, "whatever the repository's settings give".to_owned()),
            Some(permissions) => {
                for scope in Scope::ALL {
                    let level = permissions.level(scope);
                    let weight = match level {
                        Level::None => continue,
                        Level::Read => 1,
                        Level::Write => 2,
                    };
                    say(Aspect::Permission, scope.name(), weight, level.to_string());
                }
            }
        }
        if let Some(environment) = job.environment.as_ref().filter(|environment| !environment.name.is_empty())
        {
            say(Aspect::Environment, "", 1, environment.name.clone());
        }
        if let Some(condition) = &job.condition {
            say(Aspect::Condition, "", 1, condition.clone());
        }
        for needed in &job.needs {
            say(Aspect::Needs, needed, 1, String::new());
        }
        if let Some(lock) = &job.concurrency {
            say(Aspect::Lock, "", 1, lock.group.clone());
        }
        if let Some(runner) = &job.runs_on {
            let group = runner.group.as_ref().map(|group| format!("group {group}"));
            let labels: Vec<String> = group.into_iter().chain(runner.labels.iter().cloned()).collect();
            say(Aspect::Runner, "", 1, labels.join(", "));
        }
        if job.secrets.as_ref().is_some_and(|passed| matches!(passed, workflow::PassedSecrets::Inherit)) {
            say(Aspect::Secret, "", 2, "all that there are".to_owned());
        }
    }

    fn secrets(&mut self, file: &str, job: Option<&str>, document: &Document, path: &Path) {
        for placed in expressions(document, path) {
            for access in placed.contexts_within(&["secrets"]) {
                let subject = Subject::Workflow(file.to_owned());
                match access.name(0) {
                    // The token's rights are said by the scope.
                    Some(name) if name.eq_ignore_ascii_case("GITHUB_TOKEN") => {}
                    Some(name) => self.say(subject, job, Aspect::Secret, name, 1, ""),
                    None => self.say(subject, job, Aspect::Secret, "", 2, "all that there are"),
                }
            }
        }
    }

    /// How an environment is reached, and whether anybody is asked.
    fn reach(
        &mut self,
        file: &str,
        workflow: &Workflow,
        graph: &Graph<'_>,
        (id, job): (&str, &workflow::Job),
    ) {
        let Some(environment) = job.environment.as_ref() else { return };
        let name = &environment.name;
        if name.is_empty() || opens_in(name) || name.ends_with("-approval") {
            return;
        }
        let subject = Subject::Environment(name.clone());
        let approval = format!("{name}-approval");
        let is_approval = |id: &&str| {
            let before = workflow.jobs.get(*id).and_then(|job| job.environment.as_ref());
            before.is_some_and(|environment| environment.name == approval)
        };
        // What only reads waits for nobody.
        let reads = name.ends_with("-plan");
        if !reads && !graph.ancestors(id).iter().any(is_approval) {
            self.say(subject.clone(), None, Aspect::Unasked, file, 1, "");
        }
        let never_for_pull_requests =
            job.condition.as_ref().is_some_and(|text| text.contains("github.event_name != 'pull_request'"));
        for (event, ..) in triggers(&workflow.on) {
            if event.starts_with("pull_request") && never_for_pull_requests {
                continue;
            }
            let is_confirmed = event == "workflow_dispatch"
                && workflow.on.workflow_dispatch.as_ref().is_some_and(|dispatch| {
                    dispatch.inputs.keys().any(|input| input.to_ascii_lowercase().starts_with("confirm"))
                });
            let (weight, text) =
                if is_confirmed { (1, "behind a typed word") } else { (2, "without a typed word") };
            self.say(subject.clone(), None, Aspect::Reach, format!("{event} in {file}"), weight, text);
        }
    }

    fn action(&mut self, used: &Uses) {
        let name = used.slug().map_or_else(|| used.to_string(), str::to_owned);
        let reference = used.reference().unwrap_or_default();
        let is_pinned = match used {
            Uses::Repository { reference, .. } => {
                reference.len() == 40 && reference.bytes().all(|byte| byte.is_ascii_hexdigit())
            }
            Uses::Docker(image) => image.contains("@sha256:"),
            Uses::Local(_) | Uses::SelfRepository(_) => true,
            Uses::Computed(_) => false,
        };
        let key = (Subject::Project, None, Aspect::Action, name.clone());
        let known = self.said.get(&key).map(|(_, text)| text.clone()).unwrap_or_default();
        let mut references: BTreeSet<&str> = known.split(", ").filter(|text| !text.is_empty()).collect();
        references.extend((!reference.is_empty()).then_some(reference));
        let text = references.into_iter().collect::<Vec<_>>().join(", ");
        let weight = if is_pinned { 1 } else { 2 };
        let weight = self.said.get(&key).map_or(weight, |(known, _)| weight.max(*known));
        self.said.insert(key, (weight, text));
    }
}

/// The last part of a path.
fn name_of(file: &str) -> String {
    file.rsplit('/').next().unwrap_or(file).to_owned()
}

/// What starts a workflow: its event, how much that is, and its filters. Without a filter of branches it is more.
fn triggers(on: &Triggers) -> Vec<(String, u8, String)> {
    on.names()
        .map(|event| {
            let data = match event {
                "push" => serde_json::to_value(&on.push),
                "pull_request" => serde_json::to_value(&on.pull_request),
                "pull_request_target" => serde_json::to_value(&on.pull_request_target),
                "merge_group" => serde_json::to_value(&on.merge_group),
                "schedule" => serde_json::to_value(&on.schedule),
                "workflow_run" => serde_json::to_value(&on.workflow_run),
                // What a person is asked is not what starts it.
                "workflow_dispatch" | "workflow_call" => Ok(serde_json::Value::Null),
                other => serde_json::to_value(on.other.get(other)),
            };
            let data = data.unwrap_or_default();
            let is_filtered =
                ["branches", "tags", "branches-ignore", "tags-ignore", "paths", "paths-ignore", "types"]
                    .iter()
                    .any(|filter| data.get(filter).is_some());
            let text = match &data {
                serde_json::Value::Null => String::new(),
                serde_json::Value::Object(entries) if entries.is_empty() => String::new(),
                data => filters(data),
            };
            (event.to_owned(), if is_filtered { 1 } else { 2 }, text)
        })
        .collect()
}

/// Filters as a reader says them: `branches main; paths infra/**, app/**`.
fn filters(data: &serde_json::Value) -> String {
    match data {
        serde_json::Value::Object(entries) => {
            let said = entries.iter().map(|(key, value)| format!("{key} {}", filters(value)));
            said.collect::<Vec<_>>().join("; ")
        }
        serde_json::Value::Array(items) => items.iter().map(filters).collect::<Vec<_>>().join(", "),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
