//! What would change in a file, line by line.

use std::io;

use super::visible;
use crate::Streams;

/// Prints a unified diff.
///
/// The lines come from files that anybody may have written. GitHub's runner obeys a log line that starts with
/// `::`, spaces aside, or holds `##[`: a space makes either of them plain text.
pub(crate) fn write(diff: &str, streams: &mut Streams<'_>) -> io::Result<()> {
    for line in diff.lines() {
        let mut line = visible(line).replace("##[", "## [");
        if line.trim_start().starts_with("::") {
            line = line.replacen("::", ": :", 1);
        }
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
