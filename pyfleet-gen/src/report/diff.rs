//! What would change in a file, line by line.

use std::io;

use super::{inert, visible};
use crate::Streams;

/// Prints a unified diff.
///
pub(crate) fn write(diff: &str, streams: &mut Streams<'_>) -> io::Result<()> {
    for line in diff.lines() {
        let line = visible(line);
        let line = inert(&line);
        let colour = match line.as_bytes().first() {
            _ if !streams.colour => "",
            Some(b'+') => "\x1b[32m",
            Some(b'-') => "\x1b[31m",
            Some(b'@') => "\x1b[36m",
            _ => "",
        };
        let reset = if colour.is_empty() { "" } else { "\x1b[0m" };
        writeln!(streams.out, "{colour}{line}{reset}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::write;
    use crate::Streams;

    #[test]
    fn no_line_is_a_command() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut streams = Streams { out: &mut out, err: &mut err, colour: false };
        write(" ::error::x\n+::error::x\n-# ##[error]x\n \u{1b}[2J\u{9b}2J \u{202e}\n", &mut streams)
            .unwrap();
        let shown = String::from_utf8(out).unwrap();
        assert!(shown.starts_with(" : :error::x\n+::error::x\n-# ## [error]x\n "), "{shown:?}");
        assert!(!shown.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{shown:?}");
    }
}
