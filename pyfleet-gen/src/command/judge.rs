//! What `render` and `check` share: from the manifest to files that are known to be right.

use pyfleet_core::diagnostic::{Diagnostics, Severity};
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
    let Loaded { source, findings, planned } = load(location.read()?);
    human::report(&source, &findings, None, streams)?;
    let Some((project, plan)) = planned else {
        summarise(&findings, streams)?;
        return Ok(None);
    };
    let files = render(&project, &plan, &location.manifest)?;
    let judged = read_back(&plan, &files);
    let (judged, mut unused) = waive::apply(&project.waivers, judged);
    let mut all = Diagnostics::new();
    let manifest = Document::parse(source.clone()).ok();
    for (file, findings) in judged {
        let text = files.get(&file).cloned().unwrap_or_default();
        let origin = |finding: &pyfleet_core::diagnostic::Diagnostic| {
            let path = finding.origin.clone()?;
            let span = manifest.as_ref()?.span(&pyfleet_core::diagnostic::Place::key(path));
            Some((source.clone(), span))
        };
        human::report(&Source::new(file, text), &findings, Some(&origin), streams)?;
        all.extend(findings);
    }
    if let Some(manifest) = &manifest {
        manifest.locate(&mut unused);
    }
    human::report(&source, &unused, None, streams)?;
    all.extend(unused);
    if all.has_errors() {
        summarise(&all, streams)?;
        return Ok(None);
    }
    Ok(Some(Judged { files, ejected: plan.ejected }))
}

fn summarise(findings: &Diagnostics, streams: &mut Streams<'_>) -> std::io::Result<()> {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let plural = if errors == 1 { "" } else { "s" };
    writeln!(streams.err, "{errors} error{plural}; nothing was written")
}
