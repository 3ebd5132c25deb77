//! `oidc`: the AWS roles that jobs assume.

mod check;

use pyfleet_core::oidc;

use super::Failure;
use super::judge::load_plan;
use crate::Streams;
use crate::cli::Cli;
use crate::exit::Exit;
use crate::project_file::Location;
use crate::render::{GUIDE, RoleDocument, roles};

/// How to print them.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    /// A text for people, one JSON object with every policy and the branches' ruleset, or Terraform
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Compare trust policies that exist with what the jobs need
    Check(check::Args),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Human,
    Json,
    Terraform,
}

pub(crate) fn run(args: &Args, cli: &Cli, streams: &mut Streams<'_>) -> Result<Exit, Failure> {
    if let Some(Action::Check(args)) = &args.action {
        return check::run(args, cli, streams);
    }
    let location = &Location::find(cli.directory.as_deref(), cli.manifest.as_deref())?;
    let Some((project, plan)) = load_plan("oidc", location, streams)? else { return Ok(Exit::CouldNotRun) };
    let setup = oidc::setup(&project, &plan);
    for role in &setup.roles {
        for excess in &role.too_large {
            writeln!(streams.err, "warning: {}, {}: {excess}", role.environment, role.purpose)?;
        }
    }
    let document = |document| roles(document, &setup, &location.manifest);
    match args.format {
        Format::Json => writeln!(streams.out, "{}", serde_json::to_string_pretty(&setup)?)?,
        Format::Terraform => write!(streams.out, "{}", document(RoleDocument::Terraform)?)?,
        Format::Human if setup.roles.is_empty() => {
            writeln!(streams.out, "no job becomes anything on AWS")?;
        }
        Format::Human => {
            write!(streams.out, "{}", document(RoleDocument::Text)?)?;
            writeln!(streams.out, "the policies: `pyfleet-gen oidc --format json` or `--format terraform`")?;
            writeln!(streams.out, "how to set it up: {GUIDE}, which `pyfleet-gen render` writes")?;
        }
    }
    Ok(Exit::Clean)
}
