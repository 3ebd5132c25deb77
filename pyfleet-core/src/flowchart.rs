//! A planned workflow as a picture: what starts it, its jobs, what each waits for, and where it stands.
//!
//! The chart is data; `pyfleet-gen` lays it out. An edge that others imply is left out: what a gate needs is every job,
//! and a line from each would say nothing.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::plan::{Body, Workflow};
use crate::workflow::{Graph, Triggers};

/// A planned workflow as nodes and edges. The first node is what starts it.
///
/// ```
/// use pyfleet_core::flowchart::{Flowchart, NodeKind};
/// use pyfleet_core::{manifest, plan, project, source::Source};
///
/// let text = "{version: 1, project: shop, github: {repository: acme/shop},
///   tests: {api: {python: '3.12', suites: {unit: pytest}}}, workflows: {test: {}}}";
/// let manifest = manifest::parse(Source::new("pyfleet.yml", text)).0.unwrap();
/// let (plan, _) = plan::plan(&project::resolve(&manifest).0.unwrap());
/// let chart = Flowchart::of(&plan.workflows[0]);
/// let last = chart.nodes.last().unwrap();
/// assert_eq!((last.label.as_str(), last.kind), ("gate", NodeKind::Gate));
/// assert!(chart.edges.iter().all(|edge| edge.from < chart.nodes.len()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flowchart {
    /// What starts the workflow, and every job in the plan's order.
    pub nodes: Vec<Node>,
    /// What waits for what, by position.
    pub edges: Vec<Edge>,
}

/// A job, or what starts the workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// The job's id; one line for each trigger.
    pub label: String,
    /// The GitHub environment that the job runs in.
    pub environment: Option<String>,
    /// The concurrency group that the job holds while it runs.
    pub lock: Option<String>,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeKind {
    /// What starts the workflow.
    Start,
    /// A job.
    Job,
    /// A job that waits for reviewers.
    Approval,
    /// The job to require in branch protection.
    Gate,
}

/// One thing waits for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// The position of the one that comes before.
    pub from: usize,
    /// The position of the one that waits.
    pub to: usize,
}

impl Flowchart {
    /// The chart of a planned workflow.
    #[must_use]
    pub fn of(workflow: &Workflow) -> Self {
        let starts = starts(&workflow.model.on);
        let lines: Vec<String> = starts.iter().map(ToString::to_string).collect();
        let mut nodes =
            vec![Node { kind: NodeKind::Start, label: lines.join("\n"), environment: None, lock: None }];
        nodes.extend(workflow.model.jobs.iter().map(|(id, model)| Node {
            kind: match workflow.jobs.get(id).map(|job| &job.body) {
                Some(body) if body.waits_for_reviewers() => NodeKind::Approval,
                Some(Body::Gate(_)) => NodeKind::Gate,
                _ => NodeKind::Job,
            },
            label: id.clone(),
            environment: model.environment.as_ref().map(|environment| environment.name.clone()),
            lock: model.concurrency.as_ref().map(|concurrency| concurrency.group.clone()),
        }));
        let graph = Graph::of(&workflow.model);
        let mut edges = Vec::new();
        for (position, id) in workflow.model.jobs.keys().enumerate() {
            let needs = graph.needs(id);
            let implied: BTreeSet<&str> = needs.iter().flat_map(|needed| graph.ancestors(needed)).collect();
            let before: Vec<usize> = needs
                .iter()
                .filter(|needed| !implied.contains(**needed))
                .filter_map(|needed| workflow.model.jobs.get_index_of(*needed))
                .collect();
            let to = position + 1;
            if before.is_empty() {
                edges.push(Edge { from: 0, to });
            }
            edges.extend(before.into_iter().map(|before| Edge { from: before + 1, to }));
        }
        Self { nodes, edges }
    }
}

/// One thing that starts a workflow: words, and the branches or the times that belong to them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Start {
    /// What happens.
    pub event: String,
    /// Branches, or cron lines.
    pub values: Vec<String>,
    /// What follows them.
    pub after: &'static str,
}

impl std::fmt::Display for Start {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.event)?;
        if !self.values.is_empty() {
            write!(f, " {}", self.values.join(", "))?;
        }
        f.write_str(self.after)
    }
}

/// What starts a workflow, in words.
#[must_use]
pub fn starts(on: &Triggers) -> Vec<Start> {
    let start = |event: &str, values: &[String], after| Start {
        event: event.to_owned(),
        values: values.to_vec(),
        after,
    };
    let limited = |event: &str, preposition: &str, branches: &[String]| match branches {
        [] => start(event, &[], ""),
        branches => start(&format!("{event} {preposition}"), branches, ""),
    };
    on.names()
        .map(|name| match name {
            "pull_request" => limited(
                "a pull request",
                "into",
                on.pull_request.as_ref().map_or(&[], |on| on.branches.as_slice()),
            ),
            "push" => limited("a push", "to", on.push.as_ref().map_or(&[], |on| on.branches.as_slice())),
            "merge_group" => start("the merge queue", &[], ""),
            "workflow_dispatch" => start("a person, by hand", &[], ""),
            "schedule" => {
                let lines: Vec<String> = on.schedule.iter().map(|schedule| schedule.cron.clone()).collect();
                start("the clock at", &lines, " (UTC)")
            }
            other => start(other, &[], ""),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;

    use super::{Edge, Flowchart, NodeKind, starts};
    use crate::plan::Workflow;

    fn planned(text: &str) -> Workflow {
        let model: crate::workflow::Workflow = serde_yaml::from_str(text).unwrap();
        Workflow {
            file: ".github/workflows/x.yml".to_owned(),
            name: serde_yaml::from_str("x").unwrap(),
            kind: crate::manifest::Kind::Test,
            gate: None,
            auto: None,
            model,
            jobs: IndexMap::new(),
            extension: crate::plan::Extension::default(),
            origin: crate::diagnostic::Path::root(),
        }
    }

    #[test]
    fn an_edge_that_others_imply_is_left_out() {
        let chart = Flowchart::of(&planned(
            "{on: push, jobs: {a: , b: {needs: A, environment: prod, concurrency: one}, c: {needs: [a, b]}, d: {needs: [a, c, e]}, e: }}",
        ));
        let edges: Vec<(usize, usize)> = chart.edges.iter().map(|Edge { from, to }| (*from, *to)).collect();
        assert_eq!(edges, [(0, 1), (1, 2), (2, 3), (3, 4), (5, 4), (0, 5)]);
        let b = &chart.nodes[2];
        assert_eq!((b.label.as_str(), b.kind), ("b", NodeKind::Job));
        assert_eq!((b.environment.as_deref(), b.lock.as_deref()), (Some("prod"), Some("one")));
    }

    #[test]
    fn what_starts_a_workflow_in_words() {
        let on = "{push: {branches: [main, a/b]}, pull_request: , merge_group: , workflow_dispatch: , \
                  schedule: [{cron: 17 3 * * 1}], issues: }";
        let words: Vec<String> =
            starts(&serde_yaml::from_str(on).unwrap()).iter().map(ToString::to_string).collect();
        assert_eq!(
            words,
            [
                "a push to main, a/b",
                "a pull request",
                "the merge queue",
                "the clock at 17 3 * * 1 (UTC)",
                "a person, by hand",
                "issues"
            ]
        );
    }
}
