//! `diff`: what two manifests, or two sets of workflows, mean differently.

use camino::{Utf8Path, Utf8PathBuf};
use pyfleet_core::difference::{Effect, ManifestFacts, Side, compare};
use pyfleet_core::source::Source;
use pyfleet_core::{oidc, workflow};

use super::Failure;
use crate::Streams;
use crate::cli::Cli;
use crate::exit::Exit;
use crate::project_file::{self, load};
use crate::render::render;
use crate::report::{Report, difference, human, visible};
use crate::workflow_files;

/// What to compare.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What was: a manifest, a workflow file, or a directory with either; `-` reads standard input
    before: Utf8PathBuf,
    /// What is
    after: Utf8PathBuf,
    /// How differences are shown
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Human,
    /// One JSON object on standard output: see schemas/difference.schema.json
    Json,
}

pub(crate) fn run(args: &Args, cli: &Cli, streams: &mut Streams<'_>) -> Result<Exit, Failure> {
    if args.before == "-" && args.after == "-" {
        writeln!(streams.err, "error: standard input can be one of the two only")?;
        return Ok(Exit::CouldNotRun);
    }
    let directory = cli.directory.as_deref().unwrap_or(Utf8Path::new(""));
    let mut report = Report::new("diff", directory);
    let before = side(directory, &args.before, &mut report)?;
    let after = side(directory, &args.after, &mut report)?;
    let (Some(before), Some(after)) = (before, after) else {
        human::write(&report, streams)?;
        writeln!(streams.err, "nothing is compared: one of the two cannot be understood")?;
        return Ok(Exit::CouldNotRun);
    };
    let changes = compare(&before, &after);
    let gives_more = changes.iter().any(|change| change.effect == Effect::GivesMore);
    let exit = if gives_more { Exit::Findings } else { Exit::Clean };
    match args.format {
        Format::Human => difference::write_human(&changes, streams)?,
        Format::Json => difference::write_json(&changes, exit, streams)?,
    }
    Ok(exit)
}

/// What is there under a name; nothing where a text of it cannot be understood, which is reported.
fn side(directory: &Utf8Path, path: &Utf8Path, report: &mut Report) -> Result<Option<Side>, Failure> {
    if path == "-" || !directory.join(path).is_dir() {
        return Ok(understood(workflow_files::read(directory, path)?, report)?);
    }
    let manifest = path.join(project_file::NAME);
    if directory.join(&manifest).is_file() {
        return Ok(understood(workflow_files::read(directory, &manifest)?, report)?);
    }
    let mut side = Side::default();
    let mut is_understood = true;
    for file in workflow_files::list(directory, path)? {
        let source = workflow_files::read(directory, &file)?;
        let inside = file.strip_prefix(path).unwrap_or(&file);
        let name = inside.strip_prefix(workflow_files::FOLDER).unwrap_or(inside);
        is_understood &= add(&mut side, name.as_str(), source, report);
    }
    Ok(is_understood.then_some(side))
}

/// A text by itself: a workflow has jobs, and anything else is a manifest.
fn understood(source: Source, report: &mut Report) -> Result<Option<Side>, minijinja::Error> {
    let has_jobs = pyfleet_core::yaml::tree::Document::parse_workflow(source.clone())
        .is_ok_and(|document| document.root.get("jobs").is_some());
    if has_jobs {
        let mut side = Side::default();
        // Two files that are compared are one workflow, whatever they are called.
        return Ok(add(&mut side, "workflow", source, report).then_some(side));
    }
    let loaded = load(source);
    let Some((project, plan)) = loaded.planned else {
        report.add(loaded.source, loaded.findings);
        return Ok(None);
    };
    let mut side = Side {
        manifest: Some(ManifestFacts {
            safety_level: project.level.number(),
            setup: oidc::setup(&project, &plan),
            ejected: plan.ejected.clone(),
        }),
        ..Side::default()
    };
    let files = render(&project, &plan, project_file::NAME)?;
    let mut is_understood = true;
    for planned in &plan.workflows {
        let name = planned.file.rsplit('/').next().unwrap_or_default();
        let text = files.get(&planned.file).cloned().unwrap_or_default();
        is_understood &= add(&mut side, name, Source::new(planned.file.clone(), text), report);
    }
    Ok(is_understood.then_some(side))
}

/// Adds a workflow; says whether it could be read.
fn add(side: &mut Side, name: &str, source: Source, report: &mut Report) -> bool {
    let (read, findings) = workflow::parse(source.clone());
    let is_read = read.is_some();
    if let Some(read) = read {
        side.workflows.insert(visible(name).into_owned(), read);
    } else {
        report.add(source, findings);
    }
    is_read
}
