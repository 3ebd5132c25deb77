//! `simulate`: what would run.

use std::collections::BTreeSet;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use pyfleet_core::check::rules::RULES;
use pyfleet_core::check::{self, Rule, Subject};
use pyfleet_core::oidc;
use pyfleet_core::simulate::{Assumption, Event, Mistake, Simulation, simulate};
use pyfleet_core::source::Source;
use pyfleet_core::spelling::closest;
use pyfleet_core::workflow;

use super::Failure;
use super::judge::load_plan;
use crate::Streams;
use crate::cli::Cli;
use crate::exit::Exit;
use crate::project_file::{self, Location};
use crate::render::render;
use crate::report::simulation::{Simulated, write_human, write_json};
use crate::report::{Report, human, inert, single_line};
use crate::workflow_files;

/// What happens.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What happens: `push`, `pull_request`, `merge_group`, `workflow_dispatch`, `schedule`, or any other event
    event: String,
    /// Workflow files, or folders that hold them; what the manifest renders where none is named
    files: Vec<Utf8PathBuf>,
    /// The branch, or `refs/tags/NAME`, that is pushed or that a run is started on, by default the default branch; the tag of
    /// a release; the branch that a pull request comes from
    #[arg(long = "ref", value_name = "REF")]
    reference: Option<String>,
    /// The branch that a pull request goes into; by default the default branch
    #[arg(long, value_name = "BRANCH")]
    base: Option<String>,
    /// The pull request comes from another repository; without it, from this one
    #[arg(long)]
    fork: bool,
    /// What kind of the event it is: `opened`, `labeled` …; by default `synchronize` for pull requests
    #[arg(long = "type", value_name = "TYPE")]
    activity: Option<String>,
    /// An input that a person fills in
    #[arg(long = "input", value_name = "NAME=VALUE")]
    inputs: Vec<String>,
    /// The files that change; without it, that is not known. Files to simulate stand before it
    #[arg(long, value_name = "PATH", num_args = 1..)]
    changed: Option<Vec<String>>,
    /// Who does it, and whose pull request it is
    #[arg(long, value_name = "NAME", default_value = "octocat")]
    actor: String,
    /// The repository; by default the manifest's
    #[arg(long, value_name = "OWNER/NAME")]
    repository: Option<String>,
    /// The branch on which scheduled runs and most events are; by default the manifest's
    #[arg(long, value_name = "BRANCH")]
    default_branch: Option<String>,
    /// What is taken to be so, of what only a run or the repository's settings know: `needs.JOB.result=failure`,
    /// `needs.JOB.outputs.NAME=TEXT`, `vars.NAME=TEXT`, `github.event.pull_request.draft=true`
    #[arg(long = "assume", value_name = "WHAT=VALUE")]
    assumptions: Vec<String>,
    /// How it is shown
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Human,
    /// One JSON object on standard output: see schemas/simulation.schema.json
    Json,
}

pub(crate) fn run(args: &Args, cli: &Cli, streams: &mut Streams<'_>) -> Result<Exit, Failure> {
    let (mut event, mut mistakes) = args.event();
    mistakes.extend(event.mistakes());
    if !mistakes.is_empty() {
        refuse(&mistakes, streams)?;
        return Ok(Exit::CouldNotRun);
    }
    let simulated = if args.files.is_empty() {
        let location = Location::find(cli.directory.as_deref(), cli.manifest.as_deref())?;
        let Some(simulated) = of_manifest(&location, &mut event, streams)? else {
            return Ok(Exit::CouldNotRun);
        };
        simulated
    } else {
        of_files(cli.directory.as_deref().unwrap_or(Utf8Path::new("")), &args.files, &event, streams)?
    };
    let jobs: BTreeSet<&str> = simulated.iter().flat_map(|own| own.ids.iter().map(String::as_str)).collect();
    let mistakes: Vec<Mistake> = event
        .assumed
        .iter()
        .filter_map(Assumption::job)
        .filter(|job| !jobs.iter().any(|own| own.eq_ignore_ascii_case(job)))
        .map(|job| Mistake {
            message: format!("no workflow has a job `{job}`, of which something is assumed"),
            help: match closest(job, jobs.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "name a job by its id".to_owned(),
            },
        })
        .collect();
    if !mistakes.is_empty() {
        refuse(&mistakes, streams)?;
        return Ok(Exit::CouldNotRun);
    }
    match args.format {
        Format::Human => write_human(&event.to_string(), &simulated, streams)?,
        Format::Json => write_json(&event.to_string(), &simulated, streams)?,
    }
    Ok(Exit::Clean)
}

impl Args {
    /// The event as it is told, and what cannot be understood of it.
    fn event(&self) -> (Event, Vec<Mistake>) {
        let mut mistakes = Vec::new();
        let mut event = Event {
            activity: self.activity.clone(),
            base: self.base.clone(),
            is_fork: self.fork,
            actor: Some(self.actor.clone()),
            repository: self.repository.clone(),
            default_branch: self.default_branch.clone(),
            ..Event::new(self.event.as_str())
        };
        if let Some(reference) = &self.reference {
            event = event.on(reference);
        }
        if let Some(changed) = &self.changed {
            event = event.changing(changed);
        }
        for input in &self.inputs {
            match input.split_once('=') {
                Some((name, value)) if !name.is_empty() => {
                    event.inputs.insert(name.to_owned(), value.to_owned());
                }
                _ => mistakes.push(Mistake {
                    message: format!("`{input}` is no input with its value"),
                    help: "`--input environment=prod`".to_owned(),
                }),
            }
        }
        for assumption in &self.assumptions {
            match assumption.parse::<Assumption>() {
                Ok(assumption) => event.assumed.push(assumption),
                Err(message) => mistakes
                    .push(Mistake { message, help: "`--assume needs.build.result=failure`".to_owned() }),
            }
        }
        (event, mistakes)
    }
}

fn refuse(mistakes: &[Mistake], streams: &mut Streams<'_>) -> io::Result<()> {
    for Mistake { message, help } in mistakes {
        writeln!(streams.err, "{}", inert(&single_line(&format!("error: {message}"))))?;
        writeln!(streams.err, "{}", inert(&single_line(&format!("help: {help}"))))?;
    }
    Ok(())
}

/// What the manifest renders. The event learns what the manifest says of the repository.
fn of_manifest(
    location: &Location,
    event: &mut Event,
    streams: &mut Streams<'_>,
) -> Result<Option<Vec<Simulated>>, Failure> {
    let Some((project, plan)) = load_plan("simulate", location, streams)? else { return Ok(None) };
    event.repository.get_or_insert_with(|| project.repository.to_string());
    event.default_branch.get_or_insert_with(|| project.default_branch.clone());
    let environments = oidc::setup(&project, &plan).environments;
    let reviewed: BTreeSet<String> =
        environments.into_iter().filter(|own| own.reviewers).map(|own| own.name).collect();
    let files = render(&project, &plan, project_file::NAME)?;
    let mut simulated = Vec::new();
    for planned in &plan.workflows {
        let text = files.get(&planned.file).cloned().unwrap_or_default();
        let mut own = of_text(Source::new(planned.file.clone(), text), event, streams)?;
        own.reviewed = Some(reviewed.clone());
        simulated.push(own);
    }
    Ok(Some(simulated))
}

fn of_files(
    directory: &Utf8Path,
    named: &[Utf8PathBuf],
    event: &Event,
    streams: &mut Streams<'_>,
) -> Result<Vec<Simulated>, Failure> {
    let (mut simulated, mut seen) = (Vec::new(), BTreeSet::new());
    for named in named {
        for file in workflow_files::list(directory, named)? {
            if seen.insert(file.components().collect::<Utf8PathBuf>()) {
                simulated.push(of_text(workflow_files::read(directory, &file)?, event, streams)?);
            }
        }
    }
    Ok(simulated)
}

/// One workflow. What GitHub refuses starts nothing, and is reported.
fn of_text(source: Source, event: &Event, streams: &mut Streams<'_>) -> Result<Simulated, Failure> {
    let (read, mut findings) = workflow::parse(source.clone());
    if let Some((workflow, document)) = &read {
        let refusing: Vec<&Rule> = RULES.iter().copied().filter(|rule| rule.rejects).collect();
        findings.extend(check::run(&Subject::workflow(workflow, document), &refusing));
    }
    let file = source.name().to_owned();
    let understood = read.filter(|_| !findings.has_errors()).map(|(workflow, _)| workflow);
    let ids = understood.iter().flat_map(|workflow| workflow.jobs.keys().cloned()).collect();
    let name = understood.as_ref().and_then(|workflow| workflow.name.clone());
    let simulation =
        understood.as_ref().map_or_else(Simulation::refused, |workflow| simulate(workflow, event));
    if understood.is_none() {
        let mut report = Report::new("simulate", Utf8Path::new(""));
        report.add(source, findings);
        human::write(&report, streams)?;
    }
    Ok(Simulated { file, name, simulation, ids, reviewed: None })
}
