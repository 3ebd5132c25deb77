//! The command line's types, and nothing else.

use camino::Utf8PathBuf;
use clap::{Parser, Subcommand};

use crate::command;

/// Render, check and keep GitHub Actions workflows current from one manifest.
#[derive(Debug, Parser)]
#[command(name = "pyfleet-gen", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// Work as if started in this directory.
    #[arg(short = 'C', long = "directory", value_name = "DIR", global = true)]
    pub(crate) directory: Option<Utf8PathBuf>,
    /// The manifest; found by walking up from the working directory where it is not given. For `init`, the name that
    /// it gets at the repository's root.
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) manifest: Option<Utf8PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Look at the repository, and write a manifest that renders at once
    Init(command::init::Args),
    /// Write what has changed, atomically
    Render(command::render::Args),
    /// Compare what is there with what the manifest says: the pre-commit check
    Check(command::check::Args),
    /// Judge the manifest and what it renders, or any workflow files
    Validate(command::validate::Args),
    /// Say what the code of a finding means, and what to do about it
    Explain(command::explain::Args),
    /// Print the AWS roles that jobs assume: who may, and what they may do
    Oidc(command::oidc::Args),
    /// Say what two manifests, or two sets of workflows, mean differently: who may do more, and who less
    Diff(command::diff::Args),
    /// Say which workflows and jobs would run when something happens, which would not, and why
    Simulate(Box<command::simulate::Args>),
    /// Prove who gets into which environment, on which events and after what, and say what that rests on
    Prove(command::prove::Args),
    /// Print the manifest's JSON Schema, for editors
    Schema(command::schema::Args),
    /// Draw the workflows: jobs, needs, environments, approvals and locks
    Graph(command::graph::Args),
    /// Print what completes commands in a shell
    Completions(command::completions::Args),
}
