//! What `render`, `check` and `validate` share: from the manifest to files that are known to be right.

use pyfleet_core::check::rules::RULES;
use pyfleet_core::check::{self, Subject};
use pyfleet_core::diagnostic::{Diagnostic, Diagnostics, Place, Severity};
use pyfleet_core::source::Source;
use pyfleet_core::workflow;
use pyfleet_core::yaml::tree::Document;

use super::Failure;
use crate::Streams;
use crate::project_file::{Loaded, Location, load};
use crate::render::{Files, read_back, render};
use crate::report::{count, human};
use crate::repository::Repository;
use crate::sync::Ejected;
use crate::waive;

/// Rendered files without a finding that would stop them.
pub(crate) struct Judged {
    pub(crate) files: Files,
    /// Workflow files that are left to their owner.
    pub(crate) ejected: Vec<Ejected>,
    /// How many errors are in those that are there. They stop no rendering: pyfleet did not write them.
    pub(crate) ejected_errors: usize,
}

/// Loads, renders and judges. Findings are reported; nothing comes back where one of them is an error in the
/// manifest or in what it renders.
pub(crate) fn judge(
    location: &Location,
    repository: &Repository,
    streams: &mut Streams<'_>,
) -> Result<Option<Judged>, Failure> {
    let Loaded { source, findings, planned } = load(location.read(repository)?);
    human::report(&source, &findings, None, streams)?;
    let Some((project, plan)) = planned else {
        summarise(errors(&findings), location, streams)?;
        return Ok(None);
    };
    let files = render(&project, &plan, &location.manifest)?;
    let mut ejected = Vec::with_capacity(plan.ejected.len());
    let mut judged = read_back(&plan, &files);
    for path in &plan.ejected {
        let text = repository.read_text(path)?;
        if let Some(text) = &text {
            judged.push((path.clone(), judge_workflow(&Source::new(path.clone(), text.clone()))));
        }
        ejected.push(Ejected { path: path.clone(), text });
    }
    let (judged, mut about_waivers) = waive::apply(&project.waivers, judged);
    let manifest = Document::parse(source.clone()).ok();
    let (mut stopping, mut ejected_errors) = (0, 0);
    for (file, findings) in judged {
        let is_ejected = ejected.iter().find(|ejected| ejected.path == file);
        *if is_ejected.is_some() { &mut ejected_errors } else { &mut stopping } += errors(&findings);
        let text = is_ejected.map_or_else(|| files.get(&file), |file| file.text.as_ref());
        let origin = |finding: &Diagnostic| {
            let path = finding.origin.clone()?;
            let span = manifest.as_ref()?.span(&Place::key(path));
            Some((source.clone(), span))
        };
        let source = Source::new(file, text.cloned().unwrap_or_default());
        human::report(&source, &findings, Some(&origin), streams)?;
    }
    if let Some(manifest) = &manifest {
        manifest.locate(&mut about_waivers);
    }
    human::report(&source, &about_waivers, None, streams)?;
    stopping += errors(&about_waivers);
    if stopping > 0 {
        summarise(stopping, location, streams)?;
        return Ok(None);
    }
    Ok(Some(Judged { files, ejected, ejected_errors }))
}

/// What is wrong with a workflow file that somebody else wrote.
pub(crate) fn judge_workflow(source: &Source) -> Diagnostics {
    let (parsed, mut findings) = workflow::parse(source.clone());
    if let Some((parsed, document)) = parsed {
        findings.extend(check::run(&Subject::workflow(&parsed, &document), RULES));
        document.locate(&mut findings);
    }
    findings
}

/// How many findings are errors.
pub(crate) fn errors(findings: &Diagnostics) -> usize {
    findings.iter().filter(|finding| finding.severity == Severity::Error).count()
}

/// What to do about errors in ejected files, where there are any.
pub(crate) fn report_ejected(errors: usize, streams: &mut Streams<'_>) -> std::io::Result<()> {
    if errors == 0 {
        return Ok(());
    }
    writeln!(
        streams.err,
        "{} in ejected files: they are yours to mend, or to waive with a reason and an end",
        count(errors, "error")
    )
}

fn summarise(errors: usize, location: &Location, streams: &mut Streams<'_>) -> std::io::Result<()> {
    writeln!(streams.err, "{}: {}; nothing is rendered from it", location.manifest, count(errors, "error"))
}
