//! `oidc check`: what trust policies that exist mean to the plan's jobs.

use camino::{Utf8Path, Utf8PathBuf};
use pyfleet_core::diagnostic::Diagnostics;
use pyfleet_core::oidc::existing::{Can, Comparer, Comparison, TrustPolicy, read};
use pyfleet_core::source::Source;

use crate::Streams;
use crate::cli::Cli;
use crate::command::Failure;
use crate::command::judge::{errors, load_plan};
use crate::exit::Exit;
use crate::project_file::Location;
use crate::report::{Format, Report, count, github, human, inert, json, sarif, single_line};
use crate::workflow_files;

/// What to compare.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Trust policies: what `aws iam get-role` or `aws iam list-roles` prints, or the bare document; `-` reads standard
    /// input
    #[arg(required = true)]
    files: Vec<Utf8PathBuf>,
    /// Whose policy it is, as ENVIRONMENT/PURPOSE, where the document does not name a role of the plan
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// How findings are shown
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub(crate) fn run(args: &Args, cli: &Cli, streams: &mut Streams<'_>) -> Result<Exit, Failure> {
    let directory = cli.directory.as_deref().unwrap_or(Utf8Path::new(""));
    let location = Location::find(cli.directory.as_deref(), cli.manifest.as_deref())?;
    // All of them first: nothing is compared where one cannot be read.
    let sources: Vec<Source> =
        args.files.iter().map(|file| workflow_files::read(directory, file)).collect::<Result<_, _>>()?;
    let Some((project, plan)) = load_plan("oidc check", &location, streams)? else {
        return Ok(Exit::CouldNotRun);
    };
    let comparer = Comparer::new(&project, &plan);
    if let Some(role) = args.role.as_ref().filter(|role| !comparer.roles().contains(role)) {
        writeln!(streams.err, "error: {} has no role `{}`", location.manifest, single_line(role))?;
        writeln!(streams.err, "help: it has {}", comparer.roles().join(", "))?;
        return Ok(Exit::CouldNotRun);
    }
    let mut report = Report::new("oidc check", directory);
    let mut lines = Vec::new();
    let mut exit = Exit::Clean;
    for source in sources {
        let findings = match read(source.clone()) {
            Err(findings) => {
                lines.push(format!("{}: cannot be compared", source.name()));
                findings
            }
            Ok((document, policies)) => {
                let mut findings = Diagnostics::new();
                for policy in &policies {
                    let comparison = comparer.compare(policy, args.role.as_deref());
                    lines.extend(told(&source, policy, &comparison));
                    findings.extend(comparison.findings);
                }
                document.locate(&mut findings);
                findings
            }
        };
        if errors(&findings) > 0 {
            exit = Exit::Findings;
        }
        report.add(source, findings);
    }
    match args.format {
        Format::Human => {
            human::write(&report, streams)?;
            lines.iter().try_for_each(|line| writeln!(streams.out, "{}", inert(line)))?;
        }
        Format::Json => json::write(&report, exit, streams)?,
        Format::Github => github::write(&report, exit, streams)?,
        Format::Sarif => sarif::write(&report, exit, streams)?,
    }
    Ok(exit)
}

/// A policy in a line, and each job that it is about in one more.
fn told(source: &Source, policy: &TrustPolicy, comparison: &Comparison) -> Vec<String> {
    let name = policy.name.as_deref().or(policy.arn.as_deref());
    let name = name.map(|name| format!(", {}", single_line(name))).unwrap_or_default();
    let is_for = match comparison.roles.as_slice() {
        [] => "no job becomes anything on AWS".to_owned(),
        roles if comparison.is_known => format!("the trust of {}", roles.join(" and ")),
        roles => format!("compared with all of {}", roles.join(", ")),
    };
    let mut lines = vec![format!("{}{name}: {is_for}", source.name())];
    let widest = comparison.jobs.iter().map(|job| job.file.chars().count()).max().unwrap_or_default();
    for job in &comparison.jobs {
        let can = match (job.can, job.needs && comparison.is_known) {
            (Can::Always, true) => "can, and needs it",
            (Can::Always, false) if comparison.is_known => "can, and does not need it",
            (Can::Always, false) => "can",
            (Can::Perhaps, _) => "perhaps: it depends on what no file says",
            (Can::Never, _) => "never",
        };
        lines.push(format!("  {:widest$}  {}: {can}", job.file, job.job));
    }
    let able = comparison.jobs.iter().filter(|job| job.needs && job.can == Can::Always).count();
    let needing = comparison.jobs.iter().filter(|job| job.needs).count();
    if needing > 0 {
        lines.push(format!("  {able} of {} that it is for can assume it", count(needing, "job")));
    }
    lines
}
