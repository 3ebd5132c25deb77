//! Whether an event starts a workflow: its triggers and their filters (GitHub docs, "Workflow syntax", `on`, and "Events
//! that trigger workflows").

use std::fmt::Display;

use serde_json::Value as Json;

use super::contexts::{filled_in, given};
use super::event::Reference;
use super::{Answer, Event, Verdict};
use crate::expression::value::Value;
use crate::spelling::listed;
use crate::workflow::{Dispatch, Input, InputKind, Triggers, Workflow, lets_through};

/// GitHub looks at so many changed files (GitHub docs, "Workflow syntax", "Git diff comparisons").
const MAX_CHANGED: usize = 300;

pub(super) fn starts(workflow: &Workflow, event: &Event) -> Verdict {
    let on = &workflow.on;
    let not_there = || Verdict::no(format!("it has no `{}`", event.name));
    match event.name.as_str() {
        "push" => on.push.as_ref().map_or_else(not_there, |push| {
            let branches = Filter::of("branches", &push.branches, &push.branches_ignore);
            let tags = Filter::of("tags", &push.tags, &push.tags_ignore);
            let paths = Filter::of("paths", &push.paths, &push.paths_ignore);
            // Files of a tag are not filtered.
            let may_be_tag = tags.is_there() || !branches.is_there();
            let paths = || match event.runs_on() {
                Some(Reference::Tag(_)) => Verdict::yes(),
                None if may_be_tag && of_paths(&paths, event).answer == Answer::No => {
                    depends_on("whether a tag is pushed, of which no files are filtered")
                }
                _ => of_paths(&paths, event),
            };
            of_pushed(&branches, &tags, event).and(paths)
        }),
        "pull_request" | "pull_request_target" => {
            let filters =
                if event.name == "pull_request" { &on.pull_request } else { &on.pull_request_target };
            filters.as_ref().map_or_else(not_there, |filters| {
                let branches = Filter::of("branches", &filters.branches, &filters.branches_ignore);
                let paths = Filter::of("paths", &filters.paths, &filters.paths_ignore);
                of_types(&filters.types, &["opened", "synchronize", "reopened"], event)
                    .and(|| of_base(&branches, event))
                    .and(|| of_paths(&paths, event))
            })
        }
        "merge_group" => on.merge_group.as_ref().map_or_else(not_there, |filters| {
            let branches = Filter::of("branches", &filters.branches, &filters.branches_ignore);
            of_types(&filters.types, &["checks_requested"], event).and(|| of_base(&branches, event))
        }),
        "schedule" if on.schedule.is_empty() => not_there(),
        "schedule" => Verdict::yes(),
        "workflow_dispatch" => {
            on.workflow_dispatch.as_ref().map_or_else(not_there, |own| of_inputs(own, event))
        }
        "workflow_run" => on.workflow_run.as_ref().map_or_else(not_there, |filters| {
            let which = match filters.workflows.as_slice() {
                [] => depends_on("after which workflow, as it names none"),
                names => depends_on(format!("whether it was one of {} that ran", listed(names))),
            };
            let is_filtered = !filters.branches.is_empty() || !filters.branches_ignore.is_empty();
            of_types(&filters.types, &[], event)
                .and(|| which)
                .and(|| if is_filtered { depends_on("on which branch it ran") } else { Verdict::yes() })
        }),
        _ => of_other(on, event).unwrap_or_else(not_there),
    }
}

fn depends_on(what: impl Display) -> Verdict {
    Verdict::unknown(format!("it depends on {what}"))
}

/// A filter and its opposite, of which a workflow has one.
struct Filter<'a> {
    name: &'static str,
    only: &'a [String],
    ignored: &'a [String],
}

impl<'a> Filter<'a> {
    const fn of(name: &'static str, only: &'a [String], ignored: &'a [String]) -> Self {
        Self { name, only, ignored }
    }

    const fn is_there(&self) -> bool {
        !self.only.is_empty() || !self.ignored.is_empty()
    }

    fn lets_through(&self, name: &str) -> bool {
        if self.ignored.is_empty() {
            lets_through(self.only, name)
        } else {
            !lets_through(self.ignored, name)
        }
    }

    /// What GitHub refuses of it, or does not say what it means.
    fn sanity(&self) -> Verdict {
        if !self.only.is_empty() && !self.ignored.is_empty() {
            Verdict::no(format!("GitHub refuses `{0}` beside `{0}-ignore`", self.name))
        } else if self.ignored.iter().any(|pattern| pattern.starts_with('!')) {
            depends_on(format!("what `!` means under {}", self.key()))
        } else {
            Verdict::yes()
        }
    }

    /// As it is written.
    fn key(&self) -> String {
        let ignore = if self.ignored.is_empty() { "" } else { "-ignore" };
        format!("`{}{ignore}`", self.name)
    }

    fn judge(&self, reference: &Reference) -> Verdict {
        if self.lets_through(reference.name()) {
            return Verdict::yes();
        }
        Verdict::no(format!(
            "{} does not let the {} `{}` through",
            self.key(),
            reference.kind(),
            reference.name()
        ))
    }
}

/// Where one of the two is filtered, the other starts nothing.
fn of_pushed(branches: &Filter<'_>, tags: &Filter<'_>, event: &Event) -> Verdict {
    if !branches.is_there() && !tags.is_there() {
        return Verdict::yes();
    }
    let Some(reference) = event.runs_on() else { return depends_on("which branch or tag is pushed") };
    let (own, other) = match reference {
        Reference::Branch(_) => (branches, tags),
        Reference::Tag(_) => (tags, branches),
    };
    if own.is_there() {
        own.sanity().and(|| own.judge(&reference))
    } else {
        Verdict::no(format!("{} stands alone, so that no {} starts it", other.key(), reference.kind()))
    }
}

fn of_base(branches: &Filter<'_>, event: &Event) -> Verdict {
    match event.base() {
        _ if !branches.is_there() => Verdict::yes(),
        None => depends_on("into which branch it goes"),
        Some(base) => branches.sanity().and(|| branches.judge(&Reference::Branch(base.to_owned()))),
    }
}

fn of_paths(paths: &Filter<'_>, event: &Event) -> Verdict {
    match event.changed.as_deref() {
        _ if !paths.is_there() => Verdict::yes(),
        None => depends_on(format!("which files change (it has {})", paths.key())),
        Some(changed) => {
            let matching = changed.iter().filter(|path| paths.lets_through(path)).count();
            // In which order GitHub takes them is not known.
            let sure = changed.len().saturating_sub(MAX_CHANGED - 1).max(1);
            let sane = paths.sanity();
            if sane.answer != Answer::Yes {
                sane
            } else if matching >= sure {
                Verdict::yes()
            } else if matching > 0 || changed.len() > MAX_CHANGED {
                depends_on(format!("which {MAX_CHANGED} of the changed files GitHub looks at"))
            } else {
                Verdict::no(format!("{} lets no changed file through", paths.key()))
            }
        }
    }
}

/// What kind of the event it is; without a filter these, or every kind where none is named.
fn of_types(types: &[String], usual: &[&str], event: &Event) -> Verdict {
    let types: Vec<&str> =
        if types.is_empty() { usual.to_vec() } else { types.iter().map(String::as_str).collect() };
    match event.activity() {
        _ if types.is_empty() => Verdict::yes(),
        None => depends_on(format!("whether it is one of {}", listed(&types))),
        Some(activity) if types.contains(&activity) => Verdict::yes(),
        Some(activity) => Verdict::no(format!("`{activity}` is not one of its types: {}", listed(&types))),
    }
}

/// Events whose filters are data.
fn of_other(on: &Triggers, event: &Event) -> Option<Verdict> {
    let filters = on.other.get(&event.name)?;
    let types = match &filters["types"] {
        Json::String(only) => vec![only.clone()],
        Json::Array(all) => all.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    let others = filters.as_object().into_iter().flat_map(|filters| filters.keys());
    let others: Vec<&String> = others.filter(|filter| *filter != "types").collect();
    Some(of_types(&types, &[], event).and(|| match others.as_slice() {
        [] => Verdict::yes(),
        others => depends_on(format!("whether {} lets it through", listed(others))),
    }))
}

/// What GitHub asks of inputs before it starts a run.
fn of_inputs(dispatch: &Dispatch, event: &Event) -> Verdict {
    if event.is_any {
        return Verdict::yes(); // With inputs that GitHub takes.
    }
    let is_known = |name: &str| dispatch.inputs.keys().any(|own| own.eq_ignore_ascii_case(name));
    let unknown: Vec<String> =
        event.inputs.keys().filter(|name| !is_known(name)).map(|name| format!("`{name}`")).collect();
    let unknown = (!unknown.is_empty()).then(|| match dispatch.inputs.is_empty() {
        true => "it has no inputs".to_owned(),
        false => {
            format!("it has no input {}: there are {}", listed(&unknown), listed(dispatch.inputs.keys()))
        }
    });
    let refused = dispatch.inputs.iter().filter_map(|(name, input)| refused(name, input, given(event, name)));
    let reasons: Vec<String> = unknown.into_iter().chain(refused).collect();
    if reasons.is_empty() {
        return Verdict::yes();
    }
    Verdict { answer: Answer::No, because: reasons }
}

fn refused(name: &str, input: &Input, given: Option<&str>) -> Option<String> {
    let value = filled_in(input, given);
    let is_empty = match &value {
        Value::String(text) => text.is_empty(),
        _ => given.is_none(),
    };
    let choices = || listed(&input.options);
    if is_empty {
        let is_choice = input.kind == InputKind::Choice;
        return input.required.then(|| match is_choice {
            true => format!("the input `{name}` is required: {}", choices()),
            false => format!("the input `{name}` is required"),
        });
    }
    let text = given?;
    let wanted = match input.kind {
        InputKind::Boolean if text != "true" && text != "false" => "`true` or `false`".to_owned(),
        InputKind::Choice if !input.options.iter().any(|own| own == text) => choices(),
        InputKind::Number if !text.parse::<f64>().is_ok_and(f64::is_finite) => "a number".to_owned(),
        _ => return None,
    };
    Some(format!("the input `{name}` is {wanted}, not `{text}`"))
}
