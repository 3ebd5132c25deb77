//! The stages of a pipeline as they are meant.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{
    self, BranchName, Kind, Manifest, Only, SafetyLevel, Slug, StageKind, Stages, StartedBy, Switch,
};

/// One stage.
#[derive(Debug, Clone)]
pub struct Stage {
    /// What it does.
    pub kind: StageKind,
    /// What it deploys.
    pub services: Vec<Slug>,
    /// When it runs; nothing where it always does.
    pub only: Option<Only>,
}

impl Stage {
    /// The condition under which it runs, as GitHub evaluates it; nothing where it always does.
    #[must_use]
    pub fn limit(&self) -> Option<String> {
        let list = |name: &str, values: Vec<String>| match values.as_slice() {
            [one] => format!("{name} == '{one}'"),
            several => {
                let quoted: Vec<String> = several.iter().map(|value| format!("\"{value}\"")).collect();
                format!("contains(fromJSON('[{}]'), {name})", quoted.join(","))
            }
        };
        Some(match self.only.as_ref()? {
            Only::Events(events) => {
                list("github.event_name", events.iter().map(|event| event_name(*event).to_owned()).collect())
            }
            Only::Branches(branches) => {
                list("github.ref", branches.iter().map(|branch| format!("refs/heads/{branch}")).collect())
            }
        })
    }

    /// When it runs, in words; nothing where it always does.
    #[must_use]
    pub fn limit_in_words(&self) -> Option<String> {
        Some(match self.only.as_ref()? {
            Only::Events(events) => {
                let words: Vec<&str> = events
                    .iter()
                    .map(|event| match event {
                        StartedBy::Manual => "by hand",
                        StartedBy::Push => "on a push",
                        StartedBy::Schedule => "by the clock",
                    })
                    .collect();
                format!("only {}", words.join(" or "))
            }
            Only::Branches(branches) => {
                let names: Vec<&str> = branches.iter().map(BranchName::as_str).collect();
                format!("only on {}", names.join(" or "))
            }
        })
    }
}

const fn event_name(event: StartedBy) -> &'static str {
    match event {
        StartedBy::Manual => "workflow_dispatch",
        StartedBy::Push => "push",
        StartedBy::Schedule => "schedule",
    }
}

/// The stages of a pipeline, those side by side together, with everything that is wrong with them.
pub(super) fn resolve(
    manifest: &Manifest,
    written: &manifest::Workflow,
    path: &Path,
    findings: &mut Diagnostics,
) -> Vec<Vec<Stage>> {
    let path = path.key("stages");
    let groups: Vec<Vec<(Path, &manifest::Stage)>> = written
        .stages
        .iter()
        .flatten()
        .enumerate()
        .map(|(position, stages)| {
            let place = path.index(position);
            match stages {
                Stages::One(stage) => vec![(place, stage)],
                Stages::Parallel(stages) => {
                    let stages = stages.iter().enumerate();
                    stages.map(|(side, stage)| (place.key("parallel").index(side), stage)).collect()
                }
            }
        })
        .collect();
    check_order(&groups, manifest, findings);
    for (place, stage) in groups.iter().flatten() {
        check(manifest, written, stage, place, findings);
    }
    let resolved = |(_, stage): &(Path, &manifest::Stage)| Stage {
        kind: stage.kind,
        services: match &stage.services {
            Some(services) => services.clone(),
            None => manifest.services.keys().cloned().collect(),
        },
        only: stage.only.clone(),
    };
    // What is written twice is a finding of its own.
    let mut seen = BTreeSet::new();
    let mut first = |(_, stage): &&(Path, &manifest::Stage)| seen.insert(stage.kind);
    groups.iter().map(|group| group.iter().filter(&mut first).map(resolved).collect()).collect()
}

/// The level that a pipeline needs: it writes where a stage does, and without a person where something else starts it.
pub(super) fn level(manifest: &Manifest, written: &manifest::Workflow) -> SafetyLevel {
    let has = |kind: StageKind| written.all_stages().any(|stage| stage.kind == kind);
    if !writes(manifest, written) {
        return if has(StageKind::Image) { SafetyLevel::BUILDS } else { SafetyLevel::TESTS };
    }
    if is_automatic(written) { SafetyLevel::AUTOMATES } else { SafetyLevel::WRITES }
}

/// Whether a stage of it changes something outside of GitHub.
pub(super) fn writes(manifest: &Manifest, written: &manifest::Workflow) -> bool {
    let pushes = manifest.images.values().any(|image| image.registry.is_some());
    written.all_stages().any(|stage| stage.kind.changes() || (stage.kind == StageKind::Image && pushes))
}

/// Whether a push or the clock starts it.
pub(super) fn is_automatic(written: &manifest::Workflow) -> bool {
    let Some(on) = &written.on else { return false };
    on.push.as_ref().is_some_and(|push| *push != Switch::Off) || on.schedule.is_some()
}

/// Each stage once, images before what runs them, the summary behind everything.
fn check_order(groups: &[Vec<(Path, &manifest::Stage)>], manifest: &Manifest, findings: &mut Diagnostics) {
    let position =
        |kind: StageKind| groups.iter().position(|group| group.iter().any(|(_, stage)| stage.kind == kind));
    for (index, (place, stage)) in groups.iter().flatten().enumerate() {
        if groups.iter().flatten().take(index).any(|(_, other)| other.kind == stage.kind) {
            findings.push(
                Diagnostic::error(
                    "invalid-value",
                    place.clone(),
                    format!("`{}` is a stage of this pipeline already", stage.kind.name()),
                )
                .with_help("take one of the two out"),
            );
        }
        let own = position(stage.kind);
        match stage.kind {
            StageKind::Deploy => {
                if position(StageKind::Image).is_none_or(|image| Some(image) >= own) {
                    findings.push(
                        Diagnostic::error(
                            "missing-key",
                            place.clone(),
                            "what is deployed is built and pushed before it",
                        )
                        .with_help("put `image` before `deploy`"),
                    );
                }
            }
            StageKind::Image => {
                let is_tested = position(StageKind::Test).is_some_and(|test| Some(test) < own);
                if !manifest.tests.is_empty() && !is_tested {
                    findings.push(
                        Diagnostic::error(
                            "missing-key",
                            place.clone(),
                            "an image is pushed behind its tests",
                        )
                        .with_help("put `test` before `image`"),
                    );
                }
            }
            StageKind::Summary => {
                let is_last = own.is_some_and(|own| own + 1 == groups.len());
                if !is_last || groups.last().is_some_and(|group| group.len() > 1) {
                    findings.push(
                        Diagnostic::error("invalid-value", place.clone(), "the summary tells of every stage")
                            .with_help("put `summary` at the end, by itself"),
                    );
                }
            }
            StageKind::GoldenImage => {
                if position(StageKind::Terraform).is_none_or(|terraform| Some(terraform) <= own) {
                    findings.push(
                        Diagnostic::error("missing-key", place.clone(), "nothing would start from the image")
                            .with_help("put `terraform` behind `golden-image`"),
                    );
                }
            }
            StageKind::Configure => {
                if position(StageKind::Terraform).is_none_or(|terraform| Some(terraform) >= own) {
                    findings.push(
                        Diagnostic::error(
                            "missing-key",
                            place.clone(),
                            "which machines there are is an output of the stack that makes them",
                        )
                        .with_help("put `terraform` before `configure`"),
                    );
                }
            }
            StageKind::Smoke => {
                let deployed = [StageKind::Terraform, StageKind::Deploy, StageKind::Configure];
                if !deployed.into_iter().filter_map(position).any(|stage| Some(stage) < own) {
                    findings.push(
                        Diagnostic::error(
                            "missing-key",
                            place.clone(),
                            "nothing is deployed before it is asked",
                        )
                        .with_help("put `smoke` behind `deploy`, `terraform` or `configure`"),
                    );
                }
            }
            StageKind::Terraform if manifest.packer.is_some() => {
                let image = groups.iter().flatten().find(|(_, other)| other.kind == StageKind::GoldenImage);
                if image.is_none_or(|(_, image)| image.only != stage.only) {
                    findings.push(
                        Diagnostic::error(
                            "missing-key",
                            place.clone(),
                            "the stacks are planned with a golden image, and not every run would know which",
                        )
                        .with_help("put `golden-image` before `terraform`, with the same `only` or none"),
                    );
                }
            }
            StageKind::Test | StageKind::Security | StageKind::Terraform => {}
        }
    }
}

fn check(
    manifest: &Manifest,
    written: &manifest::Workflow,
    stage: &manifest::Stage,
    place: &Path,
    findings: &mut Diagnostics,
) {
    let (section, is_there) = match stage.kind {
        StageKind::Test => ("tests", !manifest.tests.is_empty()),
        StageKind::Security => ("security", manifest.security.is_some()),
        StageKind::Image => ("images", !manifest.images.is_empty()),
        StageKind::GoldenImage => ("packer", manifest.packer.is_some()),
        StageKind::Terraform => ("terraform", manifest.terraform.is_some()),
        StageKind::Configure => ("ansible", manifest.ansible.is_some()),
        StageKind::Deploy => ("services", !manifest.services.is_empty()),
        StageKind::Smoke => ("smoke", manifest.smoke.is_some()),
        StageKind::Summary => ("", true),
    };
    if !is_there {
        findings.push(
            Diagnostic::error(
                "missing-key",
                place.clone(),
                format!("`{}` works on `{section}`, and there is none", stage.kind.name()),
            )
            .with_help(format!("declare `{section}`, or take the stage out")),
        );
    }
    if stage.services.is_some() && stage.kind != StageKind::Deploy {
        findings.push(
            Diagnostic::error(
                "invalid-value",
                place.clone(),
                format!("`{}` has no services", stage.kind.name()),
            )
            .with_help("only `deploy` takes a list of services"),
        );
    }
    if stage.services.as_ref().is_some_and(Vec::is_empty) {
        findings.push(
            Diagnostic::error("invalid-value", place.clone(), "it would deploy nothing")
                .with_help("name a service, or write `deploy` alone: all of them"),
        );
    }
    for service in stage.services.iter().flatten().filter(|name| !manifest.services.contains_key(*name)) {
        let known: Vec<String> = manifest.services.keys().map(|name| format!("`{name}`")).collect();
        findings.push(
            Diagnostic::error("unknown-reference", place.clone(), format!("there is no service `{service}`"))
                .with_help(match known.as_slice() {
                    [] => "declare it under `services`".to_owned(),
                    known => format!("there is {}", known.join(", ")),
                }),
        );
    }
    let Some(Only::Events(events)) = &stage.only else { return };
    let starts = |event: &StartedBy| {
        let on = written.on.as_ref();
        match event {
            StartedBy::Manual => on.is_none_or(|on| on.manual == Some(true)),
            StartedBy::Push => on.is_some_and(|on| on.push.as_ref().is_some_and(|push| *push != Switch::Off)),
            StartedBy::Schedule => on.is_some_and(|on| on.schedule.is_some()),
        }
    };
    if !events.iter().any(starts) {
        findings.push(
            Diagnostic::error(
                "trigger-sane",
                place.clone(),
                format!("nothing that starts this pipeline lets `{}` run", stage.kind.name()),
            )
            .with_help("add that trigger to `on`, or take `only` out"),
        );
    }
}

/// What has to be said of a pipeline before anything else of it can be.
pub(super) fn check_written(
    kind: Kind,
    written: &manifest::Workflow,
    path: &Path,
    findings: &mut Diagnostics,
) {
    if kind != Kind::Pipeline || written.stages.as_ref().is_some_and(|stages| !stages.is_empty()) {
        return;
    }
    findings.push(
        Diagnostic::error(
            "missing-key",
            Place::key(path.clone()),
            "a pipeline is made of `stages`, and there is none",
        )
        .with_help("as in `stages: [test, { parallel: [security, image] }, terraform, deploy, summary]`"),
    );
}
