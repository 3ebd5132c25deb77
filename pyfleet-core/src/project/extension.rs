//! Steps and jobs of the user's own, as they are meant.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{self, Anchor, Disposition, Manifest, Slug};
use crate::spelling::closest;
use crate::workflow::{Job, Step};

/// What one workflow has beside what pyfleet puts into it.
#[derive(Debug, Clone, Default)]
pub struct Extension {
    /// Steps beside rendered ones. Those for every job come before those for one.
    pub steps: Vec<ExtraSteps>,
    /// Jobs, by id.
    pub jobs: BTreeMap<Slug, ExtraJob>,
}

/// Steps beside a rendered one.
#[derive(Debug, Clone)]
pub struct ExtraSteps {
    /// On which side of it.
    pub side: Side,
    /// The job; every job that has the step where none is named.
    pub job: Option<String>,
    /// The id of the rendered step.
    pub step: String,
    /// What is put there.
    pub steps: Vec<Step>,
    /// Where it stands in the manifest.
    pub origin: Path,
}

/// Before, or after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Side {
    Before,
    After,
}

/// A job beside the rendered ones.
#[derive(Debug, Clone)]
pub struct ExtraJob {
    /// The jobs that must have succeeded before.
    pub after: Vec<String>,
    /// The job as written.
    pub job: Job,
    /// Where it stands in the manifest.
    pub origin: Path,
}

pub(super) fn resolve(manifest: &Manifest, findings: &mut Diagnostics) -> BTreeMap<Slug, Extension> {
    let mut extensions = BTreeMap::new();
    for (name, written) in &manifest.extend {
        let origin = Path::of(["extend", name.as_str()]);
        match manifest.workflows.get(name).map(manifest::Workflow::disposition) {
            None => findings.push(unknown_workflow(manifest, name, &origin)),
            Some(Disposition::Ejected) => findings.push(
                Diagnostic::error(
                    "extension-of-nothing",
                    Place::key(origin),
                    "the workflow is ejected: pyfleet writes nothing into it",
                )
                .with_help("write the steps into the file: it is yours"),
            ),
            Some(Disposition::Disabled) => findings.push(Diagnostic::warning(
                "extension-of-nothing",
                Place::key(origin),
                "the workflow is switched off, and this with it",
            )),
            Some(Disposition::Rendered) => {
                extensions.insert(name.clone(), of_workflow(written, &origin, findings));
            }
        }
    }
    extensions
}

fn unknown_workflow(manifest: &Manifest, name: &Slug, origin: &Path) -> Diagnostic {
    let finding = Diagnostic::error(
        "unknown-reference",
        Place::key(origin.clone()),
        "there is no workflow of this name",
    );
    let known: Vec<&str> = manifest.workflows.keys().map(Slug::as_str).collect();
    match closest(name.as_str(), known.iter().copied()) {
        Some(meant) => finding.with_help(format!("did you mean `{meant}`?")),
        None => finding,
    }
    .with_help(format!("`workflows` has {}", listed(known)))
}

/// Names in code marks, or that there are none.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn of_workflow(written: &manifest::Extension, origin: &Path, findings: &mut Diagnostics) -> Extension {
    let mut steps = Vec::new();
    for (side, key, anchors) in
        [(Side::Before, "before", &written.before), (Side::After, "after", &written.after)]
    {
        let mut anchors: Vec<(&Anchor, &Vec<Step>)> = anchors.iter().collect();
        // No dependence on the order of keys.
        anchors.sort_by_key(|(anchor, _)| (anchor.parts().0.is_some(), *anchor));
        for (anchor, own) in anchors {
            let (job, step) = anchor.parts();
            steps.push(ExtraSteps {
                side,
                job: job.map(str::to_owned),
                step: step.to_owned(),
                steps: own.clone(),
                origin: origin.key(key).key(anchor.as_str()),
            });
        }
    }
    check_ids(&steps, findings);
    let jobs = written.jobs.iter().map(|(id, own)| {
        let origin = origin.key("jobs").key(id.as_str());
        let after = own.after.as_ref().map(|after| after.values().to_vec()).unwrap_or_default();
        (id.clone(), ExtraJob { after, job: own.job.clone(), origin })
    });
    Extension { steps, jobs: jobs.collect() }
}

/// An anchor is a rendered step. Where an own step has its id, nobody could tell which of them is meant.
fn check_ids(steps: &[ExtraSteps], findings: &mut Diagnostics) {
    let anchors: BTreeSet<String> = steps.iter().map(|own| own.step.to_ascii_lowercase()).collect();
    for own in steps {
        for (index, step) in own.steps.iter().enumerate() {
            if step.id.as_ref().is_some_and(|id| anchors.contains(&id.to_ascii_lowercase())) {
                findings.push(
                    Diagnostic::error(
                        "name-collision",
                        own.origin.index(index).key("id"),
                        "an anchor has this id: nobody could tell which step is meant",
                    )
                    .with_help("choose another id; steps that belong together stand in one list"),
                );
            }
        }
    }
}
