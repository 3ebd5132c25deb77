//! A planned workflow as a picture: what starts it, its jobs, what each waits for, what it may do, and where it stands.
//!
//! The chart is data, and [`Layout`] is where everything stands on a grid; `pyfleet-gen` draws it. An edge that others
//! imply is left out: what a gate needs is every job, and a line from each would say nothing.

mod layout;

use std::collections::BTreeSet;

use serde::Serialize;

pub use self::layout::{Cell, Lane, Layout};
use crate::diagnostic::Segment;
use crate::plan::{Body, Identity, Job, Permission, Workflow};
use crate::workflow::{Axes, Graph, Level, Matrix, OrExpression, Scope, Triggers};

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
    /// The environment of the manifest that it belongs to: its own, or the one of everything that it waits for.
    pub place: Option<String>,
    /// What GitHub calls it.
    pub name: Option<String>,
    /// What it becomes on AWS.
    pub identity: Option<Identity>,
    /// What its token may do, with reasons.
    pub permissions: Vec<Permission>,
    /// Whether it runs; `success()` where it is missing.
    pub condition: Option<String>,
    /// Why the condition is what it is; empty where there is none.
    pub because: &'static str,
    /// How often it runs.
    pub times: Times,
}

/// How often a job runs in one run of its workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Times {
    /// Once.
    Once,
    /// Once for each value that is written out.
    Each(Vec<String>),
    /// Once for each entry that a job before it found.
    Computed,
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
        let mut nodes = vec![Node::start(lines.join("\n"))];
        nodes.extend(
            workflow.model.jobs.iter().map(|(id, model)| Node::job(id, model, workflow.jobs.get(id))),
        );
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
        let mut chart = Self { nodes, edges };
        chart.stand_with_what_comes_before();
        chart
    }

    /// The positions of what a node waits for.
    pub fn before(&self, node: usize) -> impl Iterator<Item = usize> {
        self.edges.iter().filter(move |edge| edge.to == node).map(|edge| edge.from)
    }

    /// A job that waits only for jobs of one environment belongs to it too. The required check belongs to none.
    fn stand_with_what_comes_before(&mut self) {
        loop {
            let homeless = |node: &Node| node.kind == NodeKind::Job && node.place.is_none();
            let found =
                self.nodes.iter().enumerate().filter(|(_, node)| homeless(node)).find_map(|(own, _)| {
                    let places: BTreeSet<Option<&str>> =
                        self.before(own).map(|before| self.nodes[before].place.as_deref()).collect();
                    let place = places.first().copied().flatten().filter(|_| places.len() == 1)?;
                    Some((own, place.to_owned()))
                });
            let Some((own, place)) = found else { return };
            self.nodes[own].place = Some(place);
        }
    }
}

impl Node {
    fn start(label: String) -> Self {
        Self {
            kind: NodeKind::Start,
            label,
            environment: None,
            lock: None,
            place: None,
            name: None,
            identity: None,
            permissions: Vec::new(),
            condition: None,
            because: "",
            times: Times::Once,
        }
    }

    fn job(id: &str, model: &crate::workflow::Job, planned: Option<&Job>) -> Self {
        let environment = model.environment.as_ref().map(|environment| environment.name.clone());
        Self {
            kind: match planned.map(|job| &job.body) {
                Some(body) if body.waits_for_reviewers() => NodeKind::Approval,
                Some(Body::Gate(_)) => NodeKind::Gate,
                _ => NodeKind::Job,
            },
            place: place(planned, environment.as_deref()),
            environment,
            lock: model.concurrency.as_ref().map(|concurrency| concurrency.group.clone()),
            name: model.name.clone(),
            identity: planned.and_then(|job| job.identity.clone()),
            permissions: planned.map_or_else(Vec::new, |job| job.permissions.clone()),
            condition: model.condition.clone(),
            because: planned.map_or("", |job| job.because),
            times: model
                .strategy
                .as_ref()
                .and_then(|strategy| strategy.matrix.as_ref())
                .map_or(Times::Once, times),
            label: id.to_owned(),
        }
    }

    /// The scopes that its token may write. The identity is none: it opens nothing but the role.
    pub fn writes(&self) -> impl Iterator<Item = Scope> {
        self.permissions
            .iter()
            .filter(|own| own.level == Level::Write && own.scope != Scope::IdToken)
            .map(|own| own.scope)
    }
}

/// The manifest's environment that a job says it belongs to. GitHub has up to four for each, whose names end in what no
/// name in the manifest ends in.
fn place(planned: Option<&Job>, environment: Option<&str>) -> Option<String> {
    if let Some(identity) = planned.and_then(|job| job.identity.as_ref()) {
        return Some(identity.environment.to_string());
    }
    let origin = planned.map(|job| job.origin.segments()).unwrap_or_default();
    if let [Segment::Key(section), Segment::Key(name), ..] = origin
        && section == "environments"
    {
        return Some(name.to_string());
    }
    let kept = environment?;
    let base = ["-plan", "-approval", "-backend"].iter().find_map(|end| kept.strip_suffix(end));
    Some(base.unwrap_or(kept).to_owned())
}

fn times(matrix: &Matrix) -> Times {
    match matrix {
        Matrix::Axes(Axes { values, include: None, exclude: None }) if values.len() == 1 => {
            match values.values().next() {
                Some(OrExpression::Literal(values)) => Times::Each(values.iter().map(shown).collect()),
                _ => Times::Computed,
            }
        }
        _ => Times::Computed,
    }
}

fn shown(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
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

    use super::{Edge, Flowchart, NodeKind, Times, starts};
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
    fn a_job_stands_with_all_that_it_waits_for() {
        let chart = Flowchart::of(&planned(
            "{on: push, jobs: {guard: , plan: {needs: guard, environment: prod-plan}, decide: {needs: plan}, \
              report: {needs: decide}, apply: {needs: decide, environment: prod}, \
              dev: {needs: guard, environment: dev}, notify: {needs: [apply, dev]}}}",
        ));
        let places: Vec<(&str, Option<&str>)> =
            chart.nodes.iter().skip(1).map(|node| (node.label.as_str(), node.place.as_deref())).collect();
        let prod = Some("prod");
        assert_eq!(
            places,
            [
                ("guard", None),
                ("plan", prod),
                ("decide", prod),
                ("report", prod),
                ("apply", prod),
                ("dev", Some("dev")),
                ("notify", None)
            ]
        );
    }

    #[test]
    fn how_often_a_job_runs() {
        for (matrix, times) in [
            ("{os: [a, 1]}", Times::Each(vec!["a".to_owned(), "1".to_owned()])),
            ("{os: [a], arch: [b]}", Times::Computed),
            ("{os: [a], include: [{os: b}]}", Times::Computed),
            ("{stack: '${{ fromJSON(needs.a.outputs.b) }}'}", Times::Computed),
            ("'${{ fromJSON(needs.a.outputs.b) }}'", Times::Computed),
        ] {
            let text = format!("{{on: push, jobs: {{a: {{strategy: {{matrix: {matrix}}}}}, b: }}}}");
            let chart = Flowchart::of(&planned(&text));
            assert_eq!((&chart.nodes[1].times, &chart.nodes[2].times), (&times, &Times::Once), "{matrix}");
        }
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
