//! `prove`: who gets into the environments, on which events and after what.

use std::collections::BTreeMap;

use pyfleet_core::diagnostic::{Diagnostic, Diagnostics, Path};
use pyfleet_core::prove::prove;
use pyfleet_core::source::Source;
use pyfleet_core::workflow::{self, Parsed, Workflow};
use pyfleet_core::yaml::tree::Document;

use super::Failure;
use super::judge::load_plan;
use crate::Streams;
use crate::cli::Cli;
use crate::exit::Exit;
use crate::project_file::{self, Location};
use crate::render::render;
use crate::report::{Format, Report, github, human, proof, sarif, visible};
use crate::repository::{FileError, Repository};
use crate::workflow_files::FOLDER;

/// What is shown.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How it is shown: for people with every job that gets in, as one JSON object (see schemas/proof.schema.json), or only
    /// what breaks a claim
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// A workflow file, and what is known of it.
struct File {
    source: Source,
    /// What it means, and how it is written; nothing where it cannot be read.
    read: Option<(Workflow, Document)>,
    /// Whether another text lies where it is rendered to.
    is_edited: bool,
}

pub(crate) fn run(args: &Args, cli: &Cli, streams: &mut Streams<'_>) -> Result<Exit, Failure> {
    let location = Location::find(cli.directory.as_deref(), cli.manifest.as_deref())?;
    let Some((project, plan)) = load_plan("prove", &location, streams)? else {
        return Ok(Exit::CouldNotRun);
    };
    let repository = Repository::open(&location.root)?;
    let mut files: BTreeMap<String, File> = BTreeMap::new();
    for (path, text) in render(&project, &plan, project_file::NAME)? {
        if path.starts_with(FOLDER) {
            let is_edited = repository.read_text(&path)?.is_some_and(|own| own != text);
            files.insert(path.clone(), File::read(path, text, is_edited));
        }
    }
    for path in workflows_of(&repository)? {
        if !files.contains_key(&path)
            && let Some(text) = repository.read_text(&path)?
        {
            files.insert(path.clone(), File::read(path, text, false));
        }
    }

    let workflows = files
        .iter()
        .map(|(path, file)| (path.clone(), file.read.as_ref().map(|(workflow, _)| workflow.clone())));
    let proof = prove(&project, &plan, &workflows.collect());
    let mut found: BTreeMap<&str, Diagnostics> = BTreeMap::new();
    for (file, finding) in &proof.findings {
        found.entry(file).or_default().push(finding.clone());
    }
    let mut report = Report::new("prove", &location.from_here());
    for (path, file) in &files {
        let mut findings = found.remove(path.as_str()).unwrap_or_default();
        if file.is_edited {
            findings.push(
                Diagnostic::error(
                    "access-edited",
                    Path::root(),
                    "another text lies here than the manifest renders: nothing is proven of it",
                )
                .with_help("`pyfleet-gen check` says what differs, `pyfleet-gen render` makes it current"),
            );
        }
        if let Some((_, document)) = &file.read {
            document.locate(&mut findings);
        }
        report.add(file.source.clone(), findings);
    }
    let exit = if report.texts.is_empty() { Exit::Clean } else { Exit::Findings };
    match args.format {
        Format::Human => {
            human::write(&report, streams)?;
            let edited = files.values().filter(|file| file.is_edited).count();
            proof::write_human(&proof, edited, streams)?;
        }
        Format::Json => proof::write_json(&proof, &report, exit, streams)?,
        Format::Github => github::write(&report, exit, streams)?,
        Format::Sarif => sarif::write(&report, exit, streams)?,
    }
    Ok(exit)
}

impl File {
    fn read(path: String, text: String, is_edited: bool) -> Self {
        let source = Source::new(visible(&path), text);
        let read = workflow::read(source.clone()).0;
        Self { source, read: read.map(|Parsed { workflow, document, .. }| (workflow, document)), is_edited }
    }
}

/// The workflow files that lie in a repository.
fn workflows_of(repository: &Repository) -> Result<Vec<String>, FileError> {
    let components: Vec<&str> = FOLDER.split('/').collect();
    let Some(folder) = repository.directory(&components)? else { return Ok(Vec::new()) };
    let refused = |error: std::io::Error| FileError::io(FOLDER, &error);
    let mut paths = Vec::new();
    for entry in folder.entries().map_err(refused)? {
        let name = entry.map_err(refused)?.file_name();
        // GitHub takes no name that is no text.
        if let Some(name) = name.to_str().filter(|name| name.ends_with(".yml") || name.ends_with(".yaml")) {
            paths.push(format!("{FOLDER}/{name}"));
        }
    }
    paths.sort_unstable();
    Ok(paths)
}
