//! The events that start a workflow, one for each that its filters tell apart.

use super::{Assumption, Event, Reference};
use crate::workflow::Triggers;

/// A workflow with more is not gone through.
const MOST: usize = 32;

impl Event {
    /// Every event that starts a workflow, as far as its filters tell them apart: what is answered of each of these holds
    /// for all there are (see [`Event::any`]). Nothing where a caller decides, or where there would be more than 32.
    ///
    /// ```
    /// use pyfleet_core::simulate::Event;
    /// use pyfleet_core::{source::Source, workflow};
    ///
    /// let text = "on: { push: { branches: [main, next] }, workflow_dispatch: }\njobs: {}\n";
    /// let workflow = workflow::parse(Source::new("ci.yml", text)).0.unwrap().0;
    /// let starting = Event::starting(&workflow.on).unwrap();
    /// let told: Vec<String> = starting.iter().map(ToString::to_string).collect();
    /// assert_eq!(told, ["push on the branch main", "push on the branch next", "workflow_dispatch"]);
    /// ```
    #[must_use]
    pub fn starting(on: &Triggers) -> Option<Vec<Self>> {
        if on.workflow_call.is_some() {
            return None;
        }
        let mut all = Vec::new();
        for name in on.names() {
            let any = Self::any(name);
            match name {
                "push" => {
                    let push = on.push.as_ref()?;
                    let is_open = !push.branches_ignore.is_empty()
                        || !push.tags_ignore.is_empty()
                        || push.branches.is_empty() && push.tags.is_empty();
                    match names(&push.branches).zip(names(&push.tags)).filter(|_| !is_open) {
                        Some((branches, tags)) => {
                            let branches = branches.iter().map(|name| Reference::Branch(name.clone()));
                            let tags = tags.iter().map(|name| Reference::Tag(name.clone()));
                            let on = |reference| Self { reference: Some(reference), ..any.clone() };
                            all.extend(branches.chain(tags).map(on));
                        }
                        None => all.push(any),
                    }
                }
                "pull_request" | "pull_request_target" => {
                    let own = if name == "pull_request" { &on.pull_request } else { &on.pull_request_target };
                    let own = own.as_ref()?;
                    let bases = names(&own.branches)
                        .filter(|names| !names.is_empty() && own.branches_ignore.is_empty());
                    let bases: Vec<Option<String>> =
                        bases.map_or_else(|| vec![None], |names| names.iter().cloned().map(Some).collect());
                    for event in of_types(&any, &own.types, &["opened", "synchronize", "reopened"]) {
                        all.extend(bases.iter().map(|base| Self { base: base.clone(), ..event.clone() }));
                    }
                }
                "merge_group" => {
                    let types = on.merge_group.as_ref().map(|own| own.types.as_slice());
                    all.extend(of_types(&any, types.unwrap_or_default(), &["checks_requested"]));
                }
                "schedule" if !on.schedule.is_empty() => {
                    for schedule in &on.schedule {
                        let time: Assumption =
                            format!("github.event.schedule={}", schedule.cron).parse().ok()?;
                        all.push(any.clone().assuming(time));
                    }
                }
                "workflow_run" => {
                    all.extend(of_types(&any, on.workflow_run.as_ref().map_or(&[], |own| &own.types), &[]));
                }
                _ => {
                    let types = on.other.get(name).map(|filters| &filters["types"]);
                    let types: Vec<String> = match types {
                        Some(serde_json::Value::String(only)) => vec![only.clone()],
                        Some(serde_json::Value::Array(types)) => {
                            types.iter().map(|own| own.as_str().map(str::to_owned)).collect::<Option<_>>()?
                        }
                        _ => Vec::new(),
                    };
                    all.extend(of_types(&any, &types, &[]));
                }
            }
        }
        (all.len() <= MOST).then_some(all)
    }
}

/// An event of each type; of every type where none is known.
fn of_types(any: &Event, types: &[String], usual: &[&str]) -> Vec<Event> {
    let usual: Vec<String> = usual.iter().map(|own| (*own).to_owned()).collect();
    let types = if types.is_empty() { &usual } else { types };
    if types.is_empty() {
        return vec![any.clone()];
    }
    types.iter().map(|own| Event { activity: Some(own.clone()), ..any.clone() }).collect()
}

/// The names of a filter whose patterns are names.
fn names(patterns: &[String]) -> Option<&[String]> {
    let is_name = |pattern: &String| !pattern.contains(['*', '?', '+', '[', ']', '!', '\\']);
    patterns.iter().all(is_name).then_some(patterns)
}
