//! `oidc`: the AWS roles that jobs assume.

use pyfleet_core::oidc;

use super::Failure;
use super::judge::load_plan;
use crate::Streams;
use crate::exit::Exit;
use crate::project_file::Location;
use crate::render::{GUIDE, RoleDocument, roles};

/// How to print them.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A text for people, one JSON object with every policy and the branches' ruleset, or Terraform
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Human,
    Json,
    Terraform,
}

pub(crate) fn run(args: &Args, location: &Location, streams: &mut Streams<'_>) -> Result<Exit, Failure> {
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
