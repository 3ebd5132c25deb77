//! The workflows as a page for people: charts, and what every job may do and why. No script, nothing from elsewhere.

use pyfleet_core::flowchart::{Flowchart, Layout, Node, NodeKind, starts};
use pyfleet_core::guide::about;
use pyfleet_core::plan::{Identity, Permission, Workflow};
use pyfleet_core::project::Project;
use serde::Serialize;

use crate::drawing;

/// Everything that the page's template prints.
#[derive(Debug, Serialize)]
pub(crate) struct Page {
    project: String,
    repository: String,
    manifest: String,
    workflows: Vec<Section>,
    identities: Vec<Role>,
}

/// One workflow.
#[derive(Debug, Serialize)]
struct Section {
    name: String,
    title: String,
    file: String,
    does: &'static str,
    starts: Vec<String>,
    gate: Option<String>,
    auto: Option<Auto>,
    chart: String,
    groups: Vec<Group>,
}

/// Why a workflow may change things without a person who starts it.
#[derive(Debug, Serialize)]
struct Auto {
    reason: String,
    owner: String,
}

/// The jobs of one environment, or of none.
#[derive(Debug, Serialize)]
struct Group {
    place: Option<String>,
    jobs: Vec<Job>,
}

#[derive(Debug, Serialize)]
struct Job {
    id: String,
    anchor: String,
    name: Option<String>,
    tags: Vec<Tag>,
    needs: Vec<Need>,
    condition: Option<String>,
    because: &'static str,
    environment: Option<String>,
    reviewers: bool,
    role: Option<&'static str>,
    account: Option<String>,
    lock: Option<String>,
    times: Option<String>,
    permissions: Vec<Permission>,
}

/// What is seen of a job while its details are closed.
#[derive(Debug, Serialize)]
struct Tag {
    class: &'static str,
    text: String,
}

/// What a job waits for; without an anchor it is the start.
#[derive(Debug, Serialize)]
struct Need {
    id: String,
    anchor: Option<String>,
}

/// A role, and the jobs that become it.
#[derive(Debug, Serialize)]
struct Role {
    environment: String,
    role: &'static str,
    class: &'static str,
    jobs: Vec<Holder>,
}

#[derive(Debug, Serialize)]
struct Holder {
    workflow: String,
    id: String,
    anchor: String,
    /// Whether it is the first one of its workflow.
    is_first: bool,
}

impl Page {
    /// The page of some workflows.
    pub(crate) fn of(project: &Project, manifest: &str, workflows: &[&Workflow]) -> Self {
        Self {
            project: project.name.to_string(),
            repository: project.repository.to_string(),
            manifest: manifest.to_owned(),
            workflows: workflows.iter().map(|workflow| section(workflow)).collect(),
            identities: identities(workflows),
        }
    }
}

fn section(workflow: &Workflow) -> Section {
    let chart = Flowchart::of(workflow);
    let name = workflow.name.to_string();
    let lanes = Layout::of(&chart).lanes;
    Section {
        title: workflow.model.name.clone().unwrap_or_else(|| name.clone()),
        file: workflow.file.clone(),
        does: about(workflow.kind).does,
        starts: starts(&workflow.model.on).iter().map(ToString::to_string).collect(),
        gate: workflow.gate.clone(),
        auto: workflow
            .auto
            .as_ref()
            .map(|auto| Auto { reason: auto.reason.clone(), owner: auto.owner.to_string() }),
        chart: drawing::inline(&chart, &name),
        groups: lanes
            .into_iter()
            .map(|lane| Group { jobs: jobs(&chart, &name, lane.place.as_deref()), place: lane.place })
            .filter(|group| !group.jobs.is_empty())
            .collect(),
        name,
    }
}

fn jobs(chart: &Flowchart, workflow: &str, place: Option<&str>) -> Vec<Job> {
    let is_here = |node: &Node| node.kind != NodeKind::Start && node.place.as_deref() == place;
    let nodes = chart.nodes.iter().enumerate().filter(|(_, node)| is_here(node));
    nodes
        .map(|(position, node)| Job {
            id: node.label.clone(),
            anchor: drawing::anchor(workflow, &node.label),
            name: node.name.as_deref().map(drawing::without_expressions).filter(|name| *name != node.label),
            tags: tags(node),
            needs: chart.before(position).map(|before| need(chart, workflow, before)).collect(),
            condition: node.condition.clone(),
            because: node.because,
            environment: node.environment.clone(),
            reviewers: node.kind == NodeKind::Approval,
            role: node.identity.as_ref().map(|identity| identity.purpose.name()),
            account: node.identity.as_ref().map(|identity| identity.environment.to_string()),
            lock: node.lock.as_deref().map(drawing::without_expressions),
            times: drawing::times(node),
            permissions: node.permissions.clone(),
        })
        .collect()
}

fn need(chart: &Flowchart, workflow: &str, position: usize) -> Need {
    let node = &chart.nodes[position];
    let is_job = node.kind != NodeKind::Start;
    Need { id: node.label.clone(), anchor: is_job.then(|| drawing::anchor(workflow, &node.label)) }
}

fn tags(node: &Node) -> Vec<Tag> {
    let mut tags = Vec::new();
    match node.kind {
        NodeKind::Approval => tags.push(Tag { class: "asks", text: "waits for reviewers".to_owned() }),
        NodeKind::Gate => tags.push(Tag { class: "check", text: "the required check".to_owned() }),
        NodeKind::Start | NodeKind::Job => {}
    }
    if let Some(identity) = &node.identity {
        tags.push(Tag { class: class(identity), text: format!("AWS role {}", identity.purpose.name()) });
    }
    tags.extend(node.writes().map(|scope| Tag { class: "writes", text: format!("writes {scope}") }));
    tags
}

const fn class(identity: &Identity) -> &'static str {
    if identity.purpose.changes() { "changes" } else { "reads" }
}

fn identities(workflows: &[&Workflow]) -> Vec<Role> {
    let mut holders: Vec<(&Identity, &Workflow, &str)> = Vec::new();
    for workflow in workflows {
        for (id, job) in &workflow.jobs {
            holders.extend(job.identity.as_ref().map(|identity| (identity, *workflow, id.as_str())));
        }
    }
    holders.sort_by_key(|(identity, ..)| *identity);
    holders
        .chunk_by(|one, other| one.0 == other.0)
        .filter_map(|same| {
            let (identity, ..) = same.first()?;
            let jobs = same.iter().enumerate().map(|(position, (_, workflow, id))| Holder {
                workflow: workflow.name.to_string(),
                id: (*id).to_owned(),
                anchor: drawing::anchor(workflow.name.as_str(), id),
                is_first: position
                    .checked_sub(1)
                    .and_then(|before| same.get(before))
                    .is_none_or(|(_, other, _)| other.name != workflow.name),
            });
            Some(Role {
                environment: identity.environment.to_string(),
                role: identity.purpose.name(),
                class: class(identity),
                jobs: jobs.collect(),
            })
        })
        .collect()
}
