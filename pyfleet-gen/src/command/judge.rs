//! What `render`, `validate` and `check` share: from the manifest to files that are known to be right.

use pyfleet_core::diagnostic::{Diagnostic, Diagnostics, Place, Severity};
use pyfleet_core::plan::Plan;
use pyfleet_core::project::Project;
use pyfleet_core::source::Source;
use pyfleet_core::yaml::tree::Document;

use super::Failure;
use crate::Streams;
use crate::project_file::{Loaded, Location, load};
use crate::render::{Files, read_back, render};
use crate::report::human;
use crate::waive;

/// Rendered files without a finding that would stop them.
pub(crate) struct Judged {
    pub(crate) files: Files,
    /// Workflow files that are left to their owner.
    pub(crate) ejected: Vec<String>,
}

/// Loads, renders and judges. Findings are reported; nothing comes back where one of them is an error.
pub(crate) fn judge(location: &Location, streams: &mut Streams<'_>) -> Result<Option<Judged>, Failure> {
    match Unjudged::render(location, streams)? {
        Some(unjudged) => unjudged.judge(streams),
        None => Ok(None),
    }
}

/// Rendered files that nobody has read yet. To compare them with what `render` once judged and wrote, nobody
/// has to: equal bytes have an equal verdict. Anything else is done with [`Unjudged::judge`]d files.
pub(crate) struct Unjudged {
    source: Source,
    document: Option<Document>,
    project: Project,
    plan: Plan,
    files: Files,
}

impl Unjudged {
    /// Loads and renders. The manifest's findings are reported; nothing comes back where one is an error.
    pub(crate) fn render(location: &Location, streams: &mut Streams<'_>) -> Result<Option<Self>, Failure> {
        let Loaded { source, document, findings, planned } = load(location.read()?);
        human::report(&source, &findings, None, streams)?;
        let Some((project, plan)) = planned else {
            summarise(&findings, streams)?;
            return Ok(None);
        };
        let files = render(&project, &plan, &location.manifest)?;
        Ok(Some(Self { source, document, project, plan, files }))
    }

    pub(crate) const fn files(&self) -> &Files {
        &self.files
    }

    /// Workflow files that are left to their owner.
    pub(crate) fn ejected(&self) -> &[String] {
        &self.plan.ejected
    }

    /// Whether the verdict on the same files may be another one tomorrow: waivers end.
    pub(crate) const fn may_expire(&self) -> bool {
        !self.project.waivers.is_empty()
    }

    /// Reads everything back. Findings are reported; nothing comes back where one of them is an error.
    pub(crate) fn judge(self, streams: &mut Streams<'_>) -> Result<Option<Judged>, Failure> {
        let Self { source, document, project, plan, files } = self;
        let judged = read_back(&plan, &files);
        let (judged, mut unused) = waive::apply(&project.waivers, judged);
        let mut all = Diagnostics::new();
        for (file, findings) in judged {
            let origin = |finding: &Diagnostic| {
                let span = document.as_ref()?.span(&Place::key(finding.origin.clone()?));
                Some((source.clone(), span))
            };
            if !findings.is_empty() {
                let text = files.get(&file).cloned().unwrap_or_default();
                human::report(&Source::new(file, text), &findings, Some(&origin), streams)?;
            }
            all.extend(findings);
        }
        if let Some(document) = &document {
            document.locate(&mut unused);
        }
        human::report(&source, &unused, None, streams)?;
        all.extend(unused);
        if all.has_errors() {
            summarise(&all, streams)?;
            return Ok(None);
        }
        Ok(Some(Judged { files, ejected: plan.ejected }))
    }
}

fn summarise(findings: &Diagnostics, streams: &mut Streams<'_>) -> std::io::Result<()> {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let plural = if errors == 1 { "" } else { "s" };
    writeln!(streams.err, "{errors} error{plural}; nothing was written")
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
