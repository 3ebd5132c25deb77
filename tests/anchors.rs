//! The ids of rendered steps, which manifests anchor on: they are not renamed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use pyfleet_core::source::Source;
use pyfleet_core::workflow;
use pyfleet_gen::{project_file, render};

use crate::tool::repository;

/// `docs/anchors.md` is written from every workflow that the examples and `tests/manifests/` render. A line that goes
/// away breaks manifests: that is a change for a new version, and for its change log.
#[test]
fn the_anchors_are_those_of_the_documentation() {
    const ANCHORS: &str = "docs/anchors.md";
    let path = repository().join(ANCHORS);
    let written = document(&anchors());
    if std::env::var_os("PYFLEET_UPDATE").is_some() {
        fs::write(&path, &written).unwrap();
    }
    let pinned = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        pinned == written,
        "{ANCHORS} is not what is rendered: rewrite it with PYFLEET_UPDATE=1 cargo test anchors"
    );
}

/// A job that is rendered at all shows every id of its template somewhere, so that none is missing from the
/// documentation.
#[test]
fn every_id_of_a_rendered_template_is_documented() {
    let mut by_template: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for ((_, template), ids) in anchors() {
        by_template.entry(template).or_default().extend(ids);
    }
    for (template, seen) in by_template {
        let path = repository().join(format!("templates/jobs/{template}.yml.j2"));
        let text = fs::read_to_string(&path).unwrap();
        for id in text.lines().filter_map(|line| line.strip_prefix("        id: ")) {
            assert!(seen.contains(id), "{}: {id}", path.display());
        }
    }
}

/// The anchors by kind of workflow and of job.
fn anchors() -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut manifests: Vec<_> = ["examples/pyfleet/pyfleet.yml", "examples/sandbox-broker/pyfleet.yml"]
        .map(|manifest| repository().join(manifest))
        .into();
    manifests
        .extend(fs::read_dir(repository().join("tests/manifests")).unwrap().map(|file| file.unwrap().path()));
    let mut anchors: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for path in manifests {
        // What extends a workflow is no anchor.
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("\nextend:").next().unwrap();
        let loaded = project_file::load(Source::new("pyfleet.yml", text));
        let (project, plan) =
            loaded.planned.unwrap_or_else(|| panic!("{}: {:?}", path.display(), loaded.findings));
        let files = render::render(&project, &plan, "pyfleet.yml").unwrap();
        for planned in &plan.workflows {
            let (read, _) = workflow::parse(Source::new("", files[&planned.file].clone()));
            let (read, _) = read.unwrap();
            for (id, job) in planned.jobs.iter().filter(|(_, job)| !job.body.decides()) {
                let kind =
                    job.body.template().trim_start_matches("jobs/").trim_end_matches(".yml.j2").to_owned();
                let ids = read.jobs[id].steps.iter().filter_map(|step| step.id.clone());
                anchors.entry((planned.kind.name().to_owned(), kind)).or_default().extend(ids);
            }
        }
    }
    anchors.retain(|_, ids| !ids.is_empty());
    anchors
}

fn document(anchors: &BTreeMap<(String, String), BTreeSet<String>>) -> String {
    let mut text = String::from(
        "# Anchors\n\nThe ids of rendered steps that `extend` can name, written from what is rendered; do not edit. They stay from \
         version to version. Which of them a job has depends on the manifest: an anchor that is not there is an error that \
         names those that are.\n\n| kind of workflow | job | anchors |\n|---|---|---|\n",
    );
    for ((workflow, job), ids) in anchors {
        let ids: Vec<String> = ids.iter().map(|id| format!("`{id}`")).collect();
        text.push_str(&format!("| `{workflow}` | {job} | {} |\n", ids.join(", ")));
    }
    text
}
