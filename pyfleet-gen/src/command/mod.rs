//! One file a subcommand: `Args`, and `run`.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod graph;
pub(crate) mod init;
mod judge;
pub(crate) mod oidc;
pub(crate) mod prove;
pub(crate) mod render;
pub(crate) mod schema;
pub(crate) mod simulate;
pub(crate) mod validate;

use crate::Streams;
use crate::cli::{Cli, Command};
use crate::exit::Exit;
use crate::project_file::Location;
use crate::report;

/// What kept a command from running: a message with the file's name, for people.
pub(crate) type Failure = Box<dyn std::error::Error>;

pub(crate) fn run(cli: &Cli, streams: &mut Streams<'_>) -> Result<Exit, Failure> {
    let location = || Location::find(cli.directory.as_deref(), cli.manifest.as_deref());
    match &cli.command {
        Command::Init(args) => init::run(args, cli, streams),
        Command::Render(args) => render::run(args, &location()?, &mend(cli), streams),
        Command::Check(args) => check::run(args, &location()?, &mend(cli), streams),
        Command::Validate(args) => validate::run(args, cli, streams),
        Command::Oidc(args) => oidc::run(args, cli, streams),
        Command::Explain(args) => explain::run(args, streams),
        Command::Schema(args) => schema::run(args, streams),
        Command::Graph(args) => graph::run(args, &location()?, streams),
        Command::Simulate(args) => simulate::run(args, cli, streams),
        Command::Prove(args) => prove::run(args, cli, streams),
        Command::Diff(args) => diff::run(args, cli, streams),
        Command::Completions(args) => completions::run(args, streams),
    }
}

/// The command that makes files current, as it works from where this run was started.
fn mend(cli: &Cli) -> String {
    let mut command = "pyfleet-gen".to_owned();
    for (flag, value) in [("-C", &cli.directory), ("--manifest", &cli.manifest)] {
        if let Some(value) = value {
            command.push_str(&format!(" {flag} {}", quoted(value.as_str())));
        }
    }
    command + " render"
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let word = report::visible(word);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+,:@%".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
