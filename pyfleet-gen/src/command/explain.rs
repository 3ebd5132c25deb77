//! `explain`: what the code of a finding means, and what to do about it.

use std::io;

use pyfleet_core::explanation::{self, Explanation};
use pyfleet_core::spelling::closest;

use crate::Streams;
use crate::command::Failure;
use crate::exit::Exit;
use crate::report::visible;

/// What to explain.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The code that stands in brackets behind `error` or `warning`; all of them where none is named
    code: Option<String>,
}

pub(crate) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<Exit, Failure> {
    let Some(code) = &args.code else {
        list(streams)?;
        return Ok(Exit::Clean);
    };
    let named = code.trim_matches(|bracket| bracket == '[' || bracket == ']');
    let Some(found) = explanation::find(named) else {
        let codes = explanation::all();
        let help = match closest(named, codes.iter().map(|own| own.code())) {
            Some(close) => format!("did you mean `{close}`?"),
            None => "`pyfleet-gen explain` lists every code".to_owned(),
        };
        return Err(format!("no finding has the code `{}`\nhelp: {help}", visible(named)).into());
    };
    show(found, streams)?;
    Ok(Exit::Clean)
}

fn show(found: Explanation, streams: &mut Streams<'_>) -> io::Result<()> {
    match found {
        Explanation::Rule(rule) => {
            writeln!(streams.out, "# {}\n", rule.code)?;
            writeln!(streams.out, "{} ({}): {}\n", rule.severity, rule.group.name(), rule.summary)?;
            write!(streams.out, "{}", rule.documentation)
        }
        Explanation::Other { code, about } => writeln!(streams.out, "# {code}\n\n{about}"),
    }
}

fn list(streams: &mut Streams<'_>) -> io::Result<()> {
    let all = explanation::all();
    let width = all.iter().map(|own| own.code().len()).max().unwrap_or_default();
    all.iter().try_for_each(|own| writeln!(streams.out, "{:width$}  {}", own.code(), own.summary()))
}
