//! The generator does not trust itself: rendered text is read like a stranger's workflow.

use super::Workflow;
use crate::check::rules::RULES;
use crate::check::{self, Subject};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Segment};
use crate::source::Source;
use crate::workflow;

/// Reads rendered text back: it must parse, say exactly what the plan says, and break no rule. Findings are
/// located, and name the place in the manifest that they come from.
#[must_use]
pub fn read_back(planned: &Workflow, text: &str) -> Diagnostics {
    let (parsed, mut findings) = workflow::parse(Source::new(planned.file.clone(), text));
    if let Some((parsed, document)) = parsed {
        findings.extend(differences(planned, &parsed));
        findings.extend(check::run(&Subject::workflow(&parsed, &document), RULES));
        document.locate(&mut findings);
    }
    for finding in findings.iter_mut() {
        finding.origin = Some(origin(planned, &finding.place.path));
    }
    findings
}

/// Where the rendered text says something else than the plan.
fn differences(planned: &Workflow, parsed: &workflow::Workflow) -> Diagnostics {
    let mut findings = Diagnostics::new();
    let mut differ = |path: Path| {
        findings.push(
            Diagnostic::error("render-mismatch", path, "the rendered text does not say what was planned")
                .with_help("this is a mistake of pyfleet itself: please report it with the manifest"),
        );
    };
    let read = parsed.without_steps();
    if read.jobs.keys().ne(planned.model.jobs.keys()) {
        differ(Path::of(["jobs"]));
    }
    for (id, job) in &read.jobs {
        if planned.model.jobs.get(id).is_some_and(|meant| meant != job) {
            differ(Path::of(["jobs", id.as_str()]));
        }
    }
    for (id, job) in &parsed.jobs {
        if job.steps.is_empty() {
            differ(Path::of(["jobs", id.as_str()]));
        }
    }
    let without_jobs =
        |model: &workflow::Workflow| workflow::Workflow { jobs: Default::default(), ..model.clone() };
    if without_jobs(&read) != without_jobs(&planned.model) {
        differ(Path::root());
    }
    findings
}

fn origin(planned: &Workflow, path: &Path) -> Path {
    match path.segments() {
        [Segment::Key(jobs), Segment::Key(id), ..] if jobs == "jobs" => {
            planned.jobs.get(id).map_or_else(|| planned.origin.clone(), |job| job.origin.clone())
        }
        _ => planned.origin.clone(),
    }
}
