//! `prove`: who gets into the environments, on which events and after what.

use std::collections::BTreeMap;
use std::io;

use pyfleet_core::diagnostic::Diagnostics;
use pyfleet_core::prove::{Content, File, prove};
use pyfleet_core::source::Source;
use pyfleet_core::workflow;
use pyfleet_core::yaml::tree::Document;

use super::Failure;
use super::judge::{Judged, judge, report_stopped};
use crate::Streams;
use crate::cli::Cli;
use crate::exit::Exit;
use crate::project_file::Location;
use crate::report::{Format, Report, github, human, json, proof, sarif, visible};
use crate::repository::{FileError, Repository};
use crate::workflow_files::FOLDER;

/// What is shown.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How it is shown; as JSON by schemas/proof.schema.json
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// A workflow file, as it is shown.
struct Shown {
    source: Source,
    document: Option<Document>,
}

pub(crate) fn run(args: &Args, cli: &Cli, streams: &mut Streams<'_>) -> Result<Exit, Failure> {
    let location = Location::find(cli.directory.as_deref(), cli.manifest.as_deref())?;
    let repository = Repository::open(&location.root)?;
    let mut report = Report::new("prove", &location.from_here());
    let Judged { project, plan, files: rendered, .. } = match judge(&location, &repository, &mut report)? {
        Ok(judged) => judged,
        Err(stopped) => {
            match args.format {
                Format::Human => {
                    human::write(&report, streams)?;
                    report_stopped(stopped, &location, streams)?;
                }
                Format::Json => json::write(&report, Exit::CouldNotRun, streams)?,
                Format::Github => github::write(&report, Exit::CouldNotRun, streams)?,
                Format::Sarif => sarif::write(&report, Exit::CouldNotRun, streams)?,
            }
            return Ok(Exit::CouldNotRun);
        }
    };

    // What lies there is what GitHub runs; what is not written yet is looked at as it would be.
    let mut texts = workflows_of(&repository)?;
    for (path, text) in rendered.iter().filter(|(path, _)| path.starts_with(FOLDER) || is_script(path)) {
        let lies_there = || if is_script(path) { repository.read_text(path).ok().flatten() } else { None };
        texts.entry(path.clone()).or_insert_with(|| Some(lies_there().unwrap_or_else(|| text.clone())));
    }
    let (mut files, mut shown) = (BTreeMap::new(), BTreeMap::new());
    for (path, text) in texts {
        let is_rendered = rendered.get(&path).is_some_and(|own| Some(own) == text.as_ref());
        let source = Source::new(visible(&path), text.clone().unwrap_or_default());
        let read = text.filter(|_| !is_script(&path)).and_then(|_| workflow::parse(source.clone()).0);
        let (content, document) = match read {
            Some((workflow, document)) => (Content::Workflow(Box::new(workflow)), Some(document)),
            None if is_script(&path) => (Content::Script, None),
            None => (Content::Unreadable, None),
        };
        files.insert(path.clone(), File { content, is_rendered });
        shown.insert(path, Shown { source, document });
    }

    let proof = prove(&project, &plan, &files);
    let mut found: BTreeMap<&str, Diagnostics> = BTreeMap::new();
    for (path, finding) in &proof.findings {
        found.entry(path).or_default().push(finding.clone());
    }
    for (path, mut findings) in found {
        let Some(Shown { source, document }) = shown.remove(path) else { continue };
        if let Some(document) = document {
            document.locate(&mut findings);
        }
        report.add(source, findings);
    }
    let exit = if proof.findings.is_empty() { Exit::Clean } else { Exit::Findings };
    match args.format {
        Format::Human => {
            human::write(&report, streams)?;
            proof::write_human(&proof, streams)?;
        }
        Format::Json => proof::write_json(&proof, &report, exit, streams)?,
        Format::Github => github::write(&report, exit, streams)?,
        Format::Sarif => sarif::write(&report, exit, streams)?,
    }
    Ok(exit)
}

fn is_script(path: &str) -> bool {
    path.starts_with(".github/scripts/")
}

/// The workflow files that lie in a repository, as GitHub finds them. What is a link, too large or not to be read has no
/// text.
fn workflows_of(repository: &Repository) -> Result<BTreeMap<String, Option<String>>, FileError> {
    let components: Vec<&str> = FOLDER.split('/').collect();
    let Some(folder) = repository.directory(&components)? else { return Ok(BTreeMap::new()) };
    let refused = |error: io::Error| FileError::io(FOLDER, &error);
    let mut texts = BTreeMap::new();
    for entry in folder.entries().map_err(refused)? {
        let entry = entry.map_err(refused)?;
        let name = entry.file_name();
        // GitHub takes no name that is no text; whether it looks at the case of the end is not documented.
        let Some(name) = name.to_str() else { continue };
        let is_workflow = [".yml", ".yaml"].iter().any(|end| name.to_ascii_lowercase().ends_with(end));
        if is_workflow && !entry.file_type().map_err(refused)?.is_dir() {
            let path = format!("{FOLDER}/{name}");
            let text = repository.read_text(&path).ok().flatten();
            texts.insert(path, text);
        }
    }
    Ok(texts)
}
