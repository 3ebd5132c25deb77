//! What subcommands share: from the manifest to a plan, and to files that are known to be right.

use pyfleet_core::check::{self, rules::RULES};
use pyfleet_core::diagnostic::{Diagnostic, Diagnostics, Place, Severity};
use pyfleet_core::plan::Plan;
use pyfleet_core::project::Project;
use pyfleet_core::source::Source;
use pyfleet_core::yaml::tree::Document;

use super::Failure;
use crate::Streams;
use crate::project_file::{Loaded, Location, load};
use crate::render::{Files, read_back, render};
use crate::report::{Report, count, human};
use crate::repository::Repository;
use crate::sync::Ejected;
use crate::waive;

/// Rendered files without a finding that would stop them.
pub(crate) struct Judged {
    pub(crate) project: Project,
    pub(crate) plan: Plan,
    pub(crate) files: Files,
    /// Workflow files that are left to their owner.
    pub(crate) ejected: Vec<Ejected>,
    /// How many errors are in those that are there. They stop no rendering: pyfleet did not write them.
    pub(crate) ejected_errors: usize,
}

/// Loads, renders and judges. Nothing but a number comes back where findings are errors in the manifest or in what
/// it renders.
pub(crate) fn judge(
    location: &Location,
    repository: &Repository,
    report: &mut Report,
) -> Result<Result<Judged, Stopped>, Failure> {
    Ok(Unjudged::render(location, repository, report)?.and_then(|unjudged| unjudged.judge(report)))
}

/// Loads for a command that prints what is planned and writes nothing. Findings are reported; nothing comes back where
/// one of them is an error.
pub(super) fn load_plan(
    command: &'static str,
    location: &Location,
    streams: &mut Streams<'_>,
) -> Result<Option<(Project, Plan)>, Failure> {
    let repository = Repository::open(&location.root)?;
    let Loaded { source, findings, planned, .. } = load(location.read(&repository)?);
    let stopped = Stopped(errors(&findings));
    let findings = match &planned {
        Some((project, _)) => waive::accept(&project.waivers, findings).0,
        None => findings,
    };
    let mut report = Report::new(command, &location.from_here());
    report.add(source, findings);
    human::write(&report, streams)?;
    if planned.is_none() {
        report_stopped(stopped, location, streams)?;
    }
    Ok(planned)
}

/// So many errors that nothing is rendered: one is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stopped(pub(crate) usize);

/// Rendered files that nobody has read yet. To compare them with what `render` once judged and wrote, nobody
/// has to: equal bytes have an equal verdict. Anything else is done with [`Unjudged::judge`]d files.
pub(crate) struct Unjudged {
    source: Source,
    document: Option<Document>,
    project: Project,
    plan: Plan,
    pub(crate) files: Files,
    /// Workflow files that are left to their owner.
    pub(crate) ejected: Vec<Ejected>,
}

impl Unjudged {
    /// Loads and renders, unless the manifest has an error.
    pub(crate) fn render(
        location: &Location,
        repository: &Repository,
        report: &mut Report,
    ) -> Result<Result<Self, Stopped>, Failure> {
        let Loaded { source, document, findings, planned } = load(location.read(repository)?);
        let errors = errors(&findings);
        let Some((project, plan)) = planned else {
            report.add(source, findings);
            return Ok(Err(Stopped(errors)));
        };
        let (findings, mut about_waivers) = waive::accept(&project.waivers, findings);
        if let Some(document) = &document {
            document.locate(&mut about_waivers);
        }
        report.add(source.clone(), findings);
        report.add(source.clone(), about_waivers);
        let files = render(&project, &plan, &location.manifest)?;
        let mut ejected = Vec::with_capacity(plan.ejected.len());
        for path in &plan.ejected {
            ejected.push(Ejected { path: path.clone(), text: repository.read_text(path)? });
        }
        Ok(Ok(Self { source, document, project, plan, files, ejected }))
    }

    /// Whether the verdict may be another one although every rendered file is current: waivers end, what is left to
    /// its owner changes without pyfleet, and an anchor that is not there changes no file.
    pub(crate) fn may_change(&self) -> bool {
        let is_extended = |workflow: &pyfleet_core::plan::Workflow| !workflow.extension.steps.is_empty();
        !self.project.waivers.is_empty()
            || !self.ejected.is_empty()
            || self.plan.workflows.iter().any(is_extended)
    }

    /// Reads everything back. Nothing comes back where there is an error in what is rendered.
    pub(crate) fn judge(self, report: &mut Report) -> Result<Judged, Stopped> {
        let Self { source, document, project, plan, files, ejected } = self;
        let mut judged = read_back(&plan, &files);
        for file in &ejected {
            if let Some(text) = &file.text {
                judged
                    .push((file.path.clone(), judge_workflow(&Source::new(file.path.clone(), text.clone()))));
            }
        }
        let (judged, mut about_waivers) = waive::apply(&project.waivers, judged);
        let (mut stopping, mut ejected_errors) = (0, 0);
        for (file, findings) in judged {
            let is_ejected = ejected.iter().find(|ejected| ejected.path == file);
            *if is_ejected.is_some() { &mut ejected_errors } else { &mut stopping } += errors(&findings);
            let text = is_ejected.map_or_else(|| files.get(&file), |file| file.text.as_ref());
            let origin = |finding: &Diagnostic| {
                let span = document.as_ref()?.span(&Place::key(finding.origin.clone()?));
                Some((source.clone(), span))
            };
            report.add_rendered(Source::new(file, text.cloned().unwrap_or_default()), findings, origin);
        }
        if let Some(document) = &document {
            document.locate(&mut about_waivers);
        }
        stopping += errors(&about_waivers);
        report.add(source, about_waivers);
        if stopping > 0 {
            Err(Stopped(stopping))
        } else {
            Ok(Judged { project, plan, files, ejected, ejected_errors })
        }
    }
}

/// What is wrong with a workflow file that somebody else wrote.
pub(crate) fn judge_workflow(source: &Source) -> Diagnostics {
    check::judge(source.clone(), RULES)
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

/// Why there is nothing more to say.
pub(super) fn report_stopped(
    Stopped(errors): Stopped,
    location: &Location,
    streams: &mut Streams<'_>,
) -> std::io::Result<()> {
    writeln!(streams.err, "{}: {}; nothing is rendered from it", location.manifest, count(errors, "error"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::{Exit, Streams, run};

    const MANIFEST: &str = include_str!("../../../examples/sandbox-broker/pyfleet.yml");
    const WAIVER: &str = "
waivers:
  - { rule: timeout-set, at: test, reason: not needed at all, until: 2099-12-31 }
";

    fn stderr_of(command: &str, directory: &std::path::Path) -> (Exit, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut streams = Streams { out: &mut out, err: &mut err, colour: false };
        let exit = run(["pyfleet-gen", "-C", directory.to_str().unwrap(), command], &mut streams);
        (exit, String::from_utf8(err).unwrap())
    }

    /// A waiver is no part of what is rendered: only reading everything back tells what it covers, and since when
    /// it no longer does.
    #[test]
    fn current_files_are_judged_again_where_there_are_waivers() {
        let repository = tempfile::tempdir().unwrap();
        let manifest = repository.path().join("pyfleet.yml");
        fs::write(&manifest, MANIFEST).unwrap();
        assert_eq!(stderr_of("render", repository.path()).0, Exit::Clean);
        let (exit, err) = stderr_of("check", repository.path());
        assert!(exit == Exit::Clean && !err.contains("waiver"), "{err}");

        fs::write(&manifest, format!("{MANIFEST}{WAIVER}")).unwrap();
        let (exit, err) = stderr_of("check", repository.path());
        assert!(exit == Exit::Clean && err.contains("waiver-unused"), "{err}");
    }
}
