//! `validate`: is the manifest right, or are these workflow files?

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use pyfleet_core::check::rules::RULES;
use pyfleet_core::check::{self, Subject};
use pyfleet_core::diagnostic::{Diagnostics, Severity};
use pyfleet_core::project::Waiver;
use pyfleet_core::source::Source;
use pyfleet_core::workflow::{self, Parsed, Uses};
use rayon::prelude::*;

use super::Failure;
use super::judge::{judge, report_ejected, report_stopped};
use crate::Streams;
use crate::cli::Cli;
use crate::exit::Exit;
use crate::project_file::{Location, load};
use crate::report::{Format, Found, Report, count, github, human, json, sarif};
use crate::repository::{FileError, Repository};
use crate::{waive, workflow_files};

/// Fewer files are judged before the threads would have started.
const FEW: usize = 8;

/// What is drawn of so many files is written at once, some 100 KB.
const AT_ONCE: usize = 16;

/// What to judge.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Workflow files, or folders that hold them; the manifest and what it renders where none is named
    files: Vec<Utf8PathBuf>,
    /// How findings are shown
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub(crate) fn run(args: &Args, cli: &Cli, streams: &mut Streams<'_>) -> Result<Exit, Failure> {
    if args.files.is_empty() {
        let location = Location::find(cli.directory.as_deref(), cli.manifest.as_deref())?;
        validate_manifest(args.format, &location, streams)
    } else {
        validate_files(args, cli, streams)
    }
}

fn validate_manifest(
    format: Format,
    location: &Location,
    streams: &mut Streams<'_>,
) -> Result<Exit, Failure> {
    let mut report = Report::new("validate", &location.from_here());
    let judged = Repository::open(&location.root)
        .map_err(Failure::from)
        .and_then(|repository| judge(location, &repository, &mut report));
    if format == Format::Human {
        human::write(&report, streams)?;
    }
    let judged = judged?;
    let exit = match &judged {
        Err(_) => Exit::CouldNotRun,
        Ok(judged) if judged.ejected_errors == 0 => Exit::Clean,
        Ok(_) => Exit::Findings,
    };
    match (format, judged) {
        (Format::Human, Ok(judged)) => {
            let rendered = count(judged.files.len(), "file");
            writeln!(streams.out, "{} is valid, and so is what it renders: {rendered}", location.manifest)?;
            report_ejected(judged.ejected_errors, streams)?;
        }
        (Format::Human, Err(stopped)) => report_stopped(stopped, location, streams)?,
        (Format::Json, _) => json::write(&report, exit, streams)?,
        (Format::Github, _) => github::write(&report, exit, streams)?,
        (Format::Sarif, _) => sarif::write(&report, exit, streams)?,
    }
    Ok(exit)
}

fn validate_files(args: &Args, cli: &Cli, streams: &mut Streams<'_>) -> Result<Exit, Failure> {
    let directory = cli.directory.as_deref().unwrap_or(Utf8Path::new(""));
    let (mut files, mut seen) = (Vec::with_capacity(args.files.len()), BTreeSet::new());
    for named in &args.files {
        let found = workflow_files::list(directory, named)?;
        // What a folder holds is listed once.
        let is_new = |file: &Utf8PathBuf| {
            args.files.len() == 1 || seen.insert(file.components().collect::<Utf8PathBuf>().into_string())
        };
        files.extend(found.into_iter().filter(is_new));
    }
    let named: BTreeSet<&Utf8PathBuf> = args.files.iter().collect();
    let waivers = Waivers::around(cli)?;
    let (is_human, colour) = (args.format == Format::Human, streams.colour);
    let told = judge_files(directory, &files, |file, source, findings| {
        let findings = waivers.accept(directory, file, findings);
        let line = match findings.is_empty() {
            false => Some(format!("{}: {}\n", source.name(), counted(&findings))),
            true => named.contains(file).then(|| format!("{}: nothing found\n", source.name())),
        };
        let has_errors = findings.has_errors();
        let found = Found::of(source, findings, |_| None);
        // What is drawn here is a fifth of what it was drawn from, which is given back where it was made.
        let drawn = found.as_ref().filter(|_| is_human).map(|found| human::drawn(found, colour));
        Told { line, has_errors, drawn, found: found.filter(|_| !is_human) }
    })?;

    let exit = if told.iter().any(|file| file.has_errors) { Exit::Findings } else { Exit::Clean };
    let report = |told: Vec<Told>| {
        let mut report = Report::new("validate", directory);
        report.texts.extend(told.into_iter().filter_map(|file| file.found));
        report
    };
    match args.format {
        Format::Human => {
            for files in told.chunks(AT_ONCE) {
                let drawn: String = files.iter().filter_map(|file| file.drawn.as_deref()).collect();
                streams.err.write_all(drawn.as_bytes())?;
            }
            let clean = told.iter().filter(|file| file.line.is_none()).count();
            // Standard output would be asked once for every line otherwise.
            let mut lines: String = told.into_iter().filter_map(|file| file.line).collect();
            if clean > 0 {
                lines.push_str(&format!("{}: nothing found\n", count(clean, "other file")));
            }
            streams.out.write_all(lines.as_bytes())?;
        }
        Format::Json => json::write(&report(told), exit, streams)?,
        Format::Github => github::write(&report(told), exit, streams)?,
        Format::Sarif => sarif::write(&report(told), exit, streams)?,
    }
    Ok(exit)
}

/// What is said of a file.
struct Told {
    /// How much was found; nothing of a clean file that was not named.
    line: Option<String>,
    has_errors: bool,
    /// The findings as people read them.
    drawn: Option<String>,
    /// The findings, where a program reads them.
    found: Option<Found>,
}

/// What is told of every file, by what is wrong with it.
///
/// # Errors
/// The first one that cannot be read, whichever was tried first.
fn judge_files<T: Send>(
    directory: &Utf8Path,
    files: &[Utf8PathBuf],
    tell: impl Fn(&Utf8PathBuf, Source, Diagnostics) -> T + Sync,
) -> Result<Vec<T>, FileError> {
    let told = |file: &Utf8PathBuf, read: Read, repository: Option<&check::Repository>| {
        let (source, findings) = read.judge(repository);
        tell(file, source, findings)
    };
    let begin = |file: &Utf8PathBuf| {
        let read = Read::of(workflow_files::read(directory, file)?);
        Ok(match root_of(file) {
            Some(_) => Progress::Read(Box::new(read)),
            None => Progress::Told(told(file, read, None)),
        })
    };
    let begun = of_each(files.iter().collect(), begin).into_iter().collect::<Result<Vec<_>, _>>()?;
    let repositories = surroundings(directory, files, &begun);
    let end = |(file, progress): (&Utf8PathBuf, Progress<T>)| match progress {
        Progress::Told(told) => told,
        Progress::Read(read) => told(file, *read, root_of(file).and_then(|(root, _)| repositories.get(root))),
    };
    Ok(of_each(files.iter().zip(begun).collect(), end))
}

/// What a function makes of each item, in their order: on every processor, unless they are few.
fn of_each<T: Send, R: Send>(items: Vec<T>, make: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
    if items.len() < FEW {
        items.into_iter().map(make).collect()
    } else {
        items.into_par_iter().map(make).collect()
    }
}

/// How far a file is.
enum Progress<T> {
    /// Read, and waiting for the others of its repository.
    Read(Box<Read>),
    /// Judged, and nothing else is kept of it: it belongs to no repository.
    Told(T),
}

/// A file that was read.
struct Read {
    source: Source,
    parsed: Option<Parsed>,
    mistakes: Diagnostics,
}

impl Read {
    fn of(source: Source) -> Self {
        let (parsed, mistakes) = workflow::read(source.clone());
        Self { source, parsed, mistakes }
    }

    fn judge(self, repository: Option<&check::Repository>) -> (Source, Diagnostics) {
        let Self { source, parsed, mut mistakes } = self;
        match &parsed {
            Some(parsed) => {
                let subject = Subject::parsed(parsed);
                let subject = match repository {
                    Some(repository) => subject.among(repository),
                    None => subject,
                };
                mistakes.extend(check::run(&subject, RULES));
            }
            None => {
                mistakes.extend(check::run_beside(source.clone(), &mistakes, repository, RULES));
            }
        }
        (source, mistakes)
    }
}

/// The repository that a workflow belongs to, and the workflow's path in it.
fn root_of(file: &Utf8Path) -> Option<(&str, &str)> {
    let at = file.as_str().rfind(workflow_files::FOLDER)?;
    let (root, path) = file.as_str().split_at(at);
    (root.is_empty() || root.ends_with('/')).then_some((root, path))
}

/// What the workflows of each repository can ask for: each other, what they call beside, and the repository's own
/// actions. What cannot be read is not known.
fn surroundings<'a, T>(
    directory: &Utf8Path,
    files: &'a [Utf8PathBuf],
    begun: &[Progress<T>],
) -> BTreeMap<&'a str, check::Repository> {
    let mut repositories = BTreeMap::<&str, check::Repository>::new();
    let known = files.iter().zip(begun).filter_map(|(file, progress)| match progress {
        Progress::Read(read) => Some((root_of(file)?, &read.parsed.as_ref()?.workflow)),
        Progress::Told(_) => None,
    });
    for ((root, path), workflow) in known.clone() {
        repositories.entry(root).or_default().workflows.insert(path.to_owned(), workflow.clone());
    }
    for ((root, _), workflow) in known {
        let repository = repositories.entry(root).or_default();
        let steps = workflow.steps_at().filter_map(|(_, step)| step.uses.as_ref());
        for uses in steps.chain(workflow.jobs_at().filter_map(|(_, _, job)| job.uses.as_ref())) {
            let (Uses::Local(path) | Uses::SelfRepository(path)) = uses else { continue };
            let path = path.trim_end_matches('/');
            let is_known = repository.workflows.contains_key(path) || repository.actions.contains_key(path);
            // What a workflow names must not lead out of its repository.
            if is_known || path.split('/').any(|part| part == "..") {
                continue;
            }
            for file in [path.to_owned(), format!("{path}/action.yml"), format!("{path}/action.yaml")] {
                let at = Utf8PathBuf::from(format!("{root}{file}"));
                if directory.join(&at).is_file()
                    && let Ok(source) = workflow_files::read(directory, &at)
                {
                    repository.add(&file, source.text());
                }
            }
        }
    }
    repositories
}

/// `2 errors, 1 note`.
fn counted(findings: &Diagnostics) -> String {
    let of = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let counts = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")]
        .map(|(severity, noun)| (of(severity), noun));
    let said: Vec<String> = counts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, noun)| count(number, noun))
        .collect();
    said.join(", ")
}

/// What the manifest around the files accepts in workflows that it does not render.
#[derive(Default)]
struct Waivers {
    /// The folder of the workflows that GitHub reads.
    folder: Utf8PathBuf,
    waivers: Vec<Waiver>,
}

impl Waivers {
    /// Those of the manifest that is named or found; none where there is none, or where it has an error.
    fn around(cli: &Cli) -> Result<Self, Failure> {
        let found = Location::find(cli.directory.as_deref(), cli.manifest.as_deref());
        let location = match (found, &cli.manifest) {
            (Ok(location), _) => location,
            (Err(_), None) => return Ok(Self::default()),
            (Err(error), Some(_)) => return Err(error.into()),
        };
        let loaded = load(location.read(&Repository::open(&location.root)?)?);
        let waivers = loaded.planned.map(|(project, _)| project.waivers).unwrap_or_default();
        let folder = location.root.join(workflow_files::FOLDER).canonicalize_utf8().unwrap_or_default();
        Ok(Self { folder, waivers })
    }

    /// The findings that none of them covers.
    fn accept(&self, directory: &Utf8Path, file: &Utf8Path, findings: Diagnostics) -> Diagnostics {
        if self.waivers.is_empty() || findings.is_empty() {
            return findings;
        }
        let path = directory.join(file).canonicalize_utf8().unwrap_or_default();
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return findings };
        if folder != self.folder {
            return findings;
        }
        waive::accept_in(&self.waivers, format!("{}/{name}", workflow_files::FOLDER), findings)
    }
}
