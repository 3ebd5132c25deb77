//! What happens, as far as it is told.

use std::fmt;

use indexmap::IndexMap;

use super::Assumption;
use crate::spelling::{closest, listed};
use crate::workflow::Triggers;

/// Something that happens to a repository. What is not told is not known.
///
/// ```
/// use pyfleet_core::simulate::Event;
///
/// let event = Event::new("pull_request").into_branch("main").changing(["README.md"]);
/// assert!(event.mistakes().is_empty());
/// assert_eq!(event.to_string(), "pull_request (synchronize) into the branch main");
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Event {
    /// What kind: `push`, `pull_request`, `workflow_dispatch` …
    pub name: String,
    /// Which kind of it: `opened`, `labeled` …
    pub activity: Option<String>,
    /// What is pushed, or on what a run is started; the branch that a pull request comes from.
    pub reference: Option<Reference>,
    /// The branch that a pull request, or a group of a merge queue, goes into.
    pub base: Option<String>,
    /// Whether a pull request comes from another repository.
    pub is_fork: bool,
    /// Who does it.
    pub actor: Option<String>,
    /// The files that change.
    pub changed: Option<Vec<String>>,
    /// What a person who starts a run fills in.
    pub inputs: IndexMap<String, String>,
    /// The repository, `owner/name`.
    pub repository: Option<String>,
    /// The branch on which scheduled runs and most events are.
    pub default_branch: Option<String>,
    /// What is taken to be so.
    pub assumed: Vec<Assumption>,
    /// Whether it stands for every event of its name: then nothing is taken for granted, not even that jobs succeed.
    pub is_any: bool,
}

/// A branch or a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// `refs/heads/…`.
    Branch(String),
    /// `refs/tags/…`.
    Tag(String),
}

impl Reference {
    /// Reads `refs/tags/v1`, `refs/heads/main`, or a branch by its name.
    #[must_use]
    pub fn read(text: &str) -> Self {
        match text.strip_prefix("refs/tags/") {
            Some(tag) => Self::Tag(tag.to_owned()),
            None => Self::Branch(text.strip_prefix("refs/heads/").unwrap_or(text).to_owned()),
        }
    }

    /// Its name, without what kind it is.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Branch(name) | Self::Tag(name) => name,
        }
    }

    /// `refs/heads/main`.
    #[must_use]
    pub fn full(&self) -> String {
        match self {
            Self::Branch(name) => format!("refs/heads/{name}"),
            Self::Tag(name) => format!("refs/tags/{name}"),
        }
    }

    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Branch(_) => "branch",
            Self::Tag(_) => "tag",
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} {}", self.kind(), self.name())
    }
}

/// Something about an event that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
}

/// Events of a pull request, whose base branch is filtered.
const OF_PULL_REQUESTS: [&str; 2] = ["pull_request", "pull_request_target"];

impl Event {
    /// An event of which nothing else is known.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Every event of a name: what is answered of it holds for each of them, however its jobs end.
    ///
    /// ```
    /// use pyfleet_core::simulate::{Answer, Event, simulate};
    /// use pyfleet_core::{source::Source, workflow};
    ///
    /// let text = "
    /// on: pull_request
    /// jobs:
    ///   publish: { if: github.ref == 'refs/heads/main', runs-on: ubuntu-24.04, steps: [{ run: make }] }
    /// ";
    /// let workflow = workflow::parse(Source::new("ci.yml", text)).0.unwrap().0;
    /// let never = simulate(&workflow, &Event::any("pull_request"));
    /// assert_eq!(never.jobs["publish"].runs.answer, Answer::No);
    /// ```
    pub fn any(name: impl Into<String>) -> Self {
        Self { is_any: true, ..Self::new(name) }
    }

    /// This, with what is pushed or run: see [`Reference::read`].
    #[must_use]
    pub fn on(mut self, reference: &str) -> Self {
        self.reference = Some(Reference::read(reference));
        self
    }

    /// This, into a branch.
    #[must_use]
    pub fn into_branch(mut self, base: impl Into<String>) -> Self {
        self.base = Some(base.into());
        self
    }

    /// This, with the files that change.
    #[must_use]
    pub fn changing<S: Into<String>>(mut self, paths: impl IntoIterator<Item = S>) -> Self {
        self.changed = Some(paths.into_iter().map(Into::into).collect());
        self
    }

    /// This, with an input of the person who starts the run.
    #[must_use]
    pub fn with_input(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.inputs.insert(name.into(), value.into());
        self
    }

    /// This, with something that is taken to be so.
    #[must_use]
    pub fn assuming(mut self, assumption: Assumption) -> Self {
        self.assumed.push(assumption);
        self
    }

    pub(super) fn is_pull_request(&self) -> bool {
        OF_PULL_REQUESTS.contains(&self.name.as_str())
    }

    /// What kind of the event it is, where that is told, or is what happens most.
    pub(super) fn activity(&self) -> Option<&str> {
        self.activity.as_deref().or(match self.name.as_str() {
            _ if self.is_any => None,
            "merge_group" => Some("checks_requested"),
            _ if self.is_pull_request() => Some("synchronize"),
            _ => None,
        })
    }

    /// The branch that it goes into.
    pub(super) fn base(&self) -> Option<&str> {
        self.base.as_deref().or(self.default_branch.as_deref())
    }

    /// What the run is on: `github.ref`, where that is a branch or a tag.
    pub(super) fn runs_on(&self) -> Option<Reference> {
        match self.name.as_str() {
            "push" | "workflow_dispatch" => self.reference.clone().or_else(|| self.on_default()),
            "create" | "release" | "registry_package" | "deployment" | "deployment_status" => {
                self.reference.clone()
            }
            "merge_group" => self.base().map(|base| {
                let queue = format!("gh-readonly-queue/{base}/pr-1-{}", "0".repeat(40));
                Reference::Branch(queue)
            }),
            "pull_request" | "pull_request_review" | "pull_request_review_comment" => None,
            "pull_request_target" => self.base().map(|base| Reference::Branch(base.to_owned())),
            _ => self.on_default(),
        }
    }

    fn on_default(&self) -> Option<Reference> {
        self.default_branch.clone().map(Reference::Branch)
    }

    /// Everything about it that cannot be, all at once.
    #[must_use]
    pub fn mistakes(&self) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        let mut say = |message: String, help: String| mistakes.push(Mistake { message, help });
        let name = self.name.as_str();
        if name == "workflow_call" {
            say(
                "`workflow_call` is no event: a workflow calls".to_owned(),
                "simulate the event that starts the caller".to_owned(),
            );
        } else if !Triggers::EVENTS.contains(&name) {
            let help = match closest(name, Triggers::EVENTS.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("there are {}", listed(Triggers::EVENTS)),
            };
            say(format!("there is no event `{name}`"), help);
            return mistakes;
        }
        let pull_requests = || listed(OF_PULL_REQUESTS);
        if !self.inputs.is_empty() && name != "workflow_dispatch" {
            say(
                format!("`{name}` has no inputs"),
                "a person fills in inputs: `workflow_dispatch`".to_owned(),
            );
        }
        if self.base.is_some() && !self.is_pull_request() && name != "merge_group" {
            say(
                format!("`{name}` goes into no other branch"),
                format!("a base branch belongs to {} and `merge_group`", pull_requests()),
            );
        }
        if self.is_fork && !self.is_pull_request() {
            say(format!("`{name}` comes from no fork"), format!("{} do", pull_requests()));
        }
        if self.changed.is_some() && name != "push" && !self.is_pull_request() {
            say(
                format!("no workflow is told which files change by `{name}`"),
                format!("files are filtered for `push`, {}", pull_requests()),
            );
        }
        match &self.reference {
            Some(Reference::Tag(tag)) if self.is_pull_request() => {
                say(
                    format!("a pull request comes from a branch, not from the tag `{tag}`"),
                    "name a branch".to_owned(),
                );
            }
            Some(reference) if name == "schedule" => say(
                format!("scheduled runs are on the default branch, not on {reference}"),
                "leave it out".to_owned(),
            ),
            _ => {}
        }
        mistakes
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(activity) = self.activity() {
            write!(f, " ({activity})")?;
        }
        if self.is_pull_request() || self.name == "merge_group" {
            if self.is_fork {
                f.write_str(" from a fork")?;
            }
            if let Some(reference) = &self.reference {
                write!(f, " from {reference}")?;
            }
            if let Some(base) = self.base() {
                write!(f, " into the branch {base}")?;
            }
        } else if let Some(reference) = self.runs_on() {
            write!(f, " on {reference}")?;
        }
        if let Some(actor) = &self.actor {
            write!(f, " by {actor}")?;
        }
        Ok(())
    }
}
