//! The doorway: everything happens in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    let colour = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    let mut streams =
        pyfleet_gen::Streams { out: &mut anstream::stdout(), err: &mut anstream::stderr(), colour };
    pyfleet_gen::run(std::env::args_os(), &mut streams).into()
}
