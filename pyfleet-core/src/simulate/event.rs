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
    /// What is pushed or released, or on what a run is started; the branch that a pull request comes from.
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

/// On what GitHub runs a workflow (GitHub docs, "Events that trigger workflows", the column `GITHUB_REF`; for
/// `pull_request_target` its changelog of 2025-11-07).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RunsOn {
    /// What the event is about: a branch or a tag that is pushed, or that a person chooses.
    Chosen,
    /// The tag that is released.
    Tag,
    /// The branch or tag that is created or deployed, if any.
    Given,
    /// What merging a pull request would make, and the base branch once it is merged.
    Merge,
    /// What a merge queue has made.
    Queue,
    Default,
    /// GitHub does not say.
    Unknown,
}

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
    ///   publish: { if: github.event_name == 'push', runs-on: ubuntu-24.04, steps: [{ run: make }] }
    /// ";
    /// let workflow = workflow::parse(Source::new("ci.yml", text)).0.unwrap().0;
    /// let never = simulate(&workflow, &Event::any("pull_request"));
    /// assert_eq!(never.jobs["publish"].runs.answer, Answer::No);
    /// ```
    pub fn any(name: impl Into<String>) -> Self {
        Self { is_any: true, ..Self::new(name) }
    }

    /// This, with what is pushed, released or run: see [`Reference::read`]. What is released is a tag.
    #[must_use]
    pub fn on(mut self, reference: &str) -> Self {
        let is_name = !reference.starts_with("refs/");
        self.reference = Some(match self.runs() {
            RunsOn::Tag if is_name => Reference::Tag(reference.to_owned()),
            _ => Reference::read(reference),
        });
        self
    }

    /// This, into a branch.
    #[must_use]
    pub fn into_branch(mut self, base: impl Into<String>) -> Self {
        self.base = Some(base.into());
        self
    }

    /// This, with the files that change, from the repository's root.
    #[must_use]
    pub fn changing<S: Into<String>>(mut self, paths: impl IntoIterator<Item = S>) -> Self {
        let inside = |path: String| path.strip_prefix("./").map(str::to_owned).unwrap_or(path);
        self.changed = Some(paths.into_iter().map(|path| inside(path.into())).collect());
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

    /// Whether its branches and files are those of a pull request, and filtered.
    pub(super) fn is_pull_request(&self) -> bool {
        ["pull_request", "pull_request_target"].contains(&self.name.as_str())
    }

    /// Whether it is about a pull request.
    pub(super) fn has_pull_request(&self) -> bool {
        self.is_pull_request()
            || ["pull_request_review", "pull_request_review_comment"].contains(&self.name.as_str())
    }

    fn runs(&self) -> RunsOn {
        match self.name.as_str() {
            "push" | "workflow_dispatch" => RunsOn::Chosen,
            "release" => RunsOn::Tag,
            "create" | "registry_package" | "deployment" | "deployment_status" => RunsOn::Given,
            "pull_request" | "pull_request_review" | "pull_request_review_comment" => RunsOn::Merge,
            "merge_group" => RunsOn::Queue,
            "page_build" | "pull_request_comment" => RunsOn::Unknown,
            _ => RunsOn::Default,
        }
    }

    /// Whether it is the merge of a pull request that it runs on; then that one was not merged.
    pub(super) fn runs_on_a_merge(&self) -> bool {
        const BEFORE: [&str; 4] = ["opened", "synchronize", "reopened", "ready_for_review"];
        self.runs() == RunsOn::Merge && self.activity().is_some_and(|activity| BEFORE.contains(&activity))
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
        let default = || self.default_branch.clone().map(Reference::Branch);
        match self.runs() {
            RunsOn::Chosen => self.reference.clone().or_else(default),
            RunsOn::Tag | RunsOn::Given => self.reference.clone(),
            RunsOn::Queue => self.base().filter(|_| !self.is_any).map(|base| {
                let queue =
                    format!("gh-readonly-queue/{base}/pr-{}-{}", super::contexts::NUMBER, "0".repeat(40));
                Reference::Branch(queue)
            }),
            RunsOn::Default => default(),
            RunsOn::Merge | RunsOn::Unknown => None,
        }
    }

    /// `github.ref_type`, which may be known where the ref is not.
    pub(super) fn ref_type(&self) -> Option<&'static str> {
        match self.runs() {
            RunsOn::Tag => Some("tag"),
            RunsOn::Merge | RunsOn::Queue | RunsOn::Default => Some("branch"),
            RunsOn::Chosen | RunsOn::Given | RunsOn::Unknown => self.runs_on().as_ref().map(Reference::kind),
        }
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
        let types = Triggers::types(name);
        if let Some(activity) = self.activity.as_deref().filter(|own| !types.contains(own)) {
            match closest(activity, types.iter().copied()) {
                _ if name == "repository_dispatch" => {} // Whoever sends it makes them up.
                _ if types.is_empty() => say(format!("`{name}` has no types"), "leave it out".to_owned()),
                Some(meant) => {
                    say(format!("`{name}` has no type `{activity}`"), format!("did you mean `{meant}`?"));
                }
                None => {
                    say(format!("`{name}` has no type `{activity}`"), format!("there are {}", listed(types)));
                }
            }
        }
        if !self.inputs.is_empty() && name != "workflow_dispatch" {
            say(
                format!("`{name}` has no inputs"),
                "a person fills in inputs: `workflow_dispatch`".to_owned(),
            );
        }
        if self.base.is_some() && !self.has_pull_request() && name != "merge_group" {
            say(
                format!("`{name}` goes into no other branch"),
                "a base branch belongs to a pull request, and to `merge_group`".to_owned(),
            );
        }
        if self.is_fork && !self.has_pull_request() {
            say(format!("`{name}` comes from no fork"), "a pull request does".to_owned());
        }
        if self.changed.is_some() && name != "push" && !self.is_pull_request() {
            say(
                format!("no workflow is told which files change by `{name}`"),
                "files are filtered for `push`, `pull_request` and `pull_request_target`".to_owned(),
            );
        }
        for path in self.changed.iter().flatten() {
            if path.starts_with('/') || path.split('/').any(|part| part == ".." || part == ".") {
                say(
                    format!("`{path}` is no path in a repository"),
                    "name files as git does, from the repository's root".to_owned(),
                );
            }
        }
        if self
            .repository
            .as_deref()
            .is_some_and(|slug| slug.split('/').filter(|part| !part.is_empty()).count() != 2)
        {
            say("a repository is `OWNER/NAME`".to_owned(), "`acme/shop`".to_owned());
        }
        let help = || "leave it out".to_owned();
        match (&self.reference, self.runs()) {
            (Some(Reference::Branch(branch)), _) if branch.starts_with("refs/") => {
                say(format!("`{branch}` is no branch and no tag"), "`main`, or `refs/tags/v1`".to_owned());
            }
            (Some(Reference::Tag(tag)), _) if self.has_pull_request() => say(
                format!("a pull request comes from a branch, not from the tag `{tag}`"),
                "name a branch".to_owned(),
            ),
            (Some(Reference::Branch(branch)), RunsOn::Tag) => say(
                format!("a release has a tag, and is not of the branch `{branch}`"),
                "name the tag".to_owned(),
            ),
            (Some(reference), RunsOn::Default) if !self.has_pull_request() => {
                say(format!("`{name}` runs on the default branch, not on {reference}"), help());
            }
            (Some(_), RunsOn::Queue) => {
                say(format!("`{name}` runs on a branch that the queue makes"), help());
            }
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
        if self.has_pull_request() || self.name == "merge_group" {
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
