//! The doorway: everything happens in the library.

use std::io::{self, Write};
use std::process::ExitCode;

use anstream::stream::{AsLockedWrite, RawStream};
use anstream::{AutoStream, ColorChoice, StripStream};

fn main() -> ExitCode {
    let colour = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
    let (mut out, mut err) = (stream(io::stdout()), stream(io::stderr()));
    let mut streams = pyfleet_gen::Streams { out: &mut *out, err: &mut *err, colour };
    pyfleet_gen::run(std::env::args_os(), &mut streams).into()
}

/// A stream that shows colours where it can, and holds none where it cannot.
fn stream<S>(stream: S) -> Box<dyn Write>
where
    S: RawStream + AsLockedWrite + 'static,
    for<'s> &'s S: Write,
{
    match AutoStream::choice(&stream) {
        ColorChoice::Never => Box::new(Plain { stripped: StripStream::new(stream), is_straight: true }),
        choice => Box::new(AutoStream::new(stream, choice)),
    }
}

/// A stream without colours. To strip them takes 23 instructions a byte, in the one thread that writes. A text without
/// control characters holds none, which is seen in two, and goes straight out, up to the first that has one.
struct Plain<S: Write> {
    stripped: StripStream<S>,
    is_straight: bool,
}

impl<S> Write for Plain<S>
where
    S: Write + AsLockedWrite,
    for<'s> &'s S: Write,
{
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.is_straight = self.is_straight && is_plain(bytes);
        if self.is_straight { self.stripped.as_inner().write(bytes) } else { self.stripped.write(bytes) }
    }

    /// Whole: what is left of a character would be none.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.is_straight = self.is_straight && is_plain(bytes);
        if self.is_straight {
            self.stripped.as_inner().write_all(bytes)
        } else {
            self.stripped.write_all(bytes)
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stripped.flush()
    }
}

/// Whether bytes are text, and none of it a control character but white space.
fn is_plain(bytes: &[u8]) -> bool {
    // Without a branch, so that many bytes are looked at together.
    let is_plain = |byte: &u8| {
        (*byte >= b' ') & (*byte != b'\x7f') | (*byte == b'\t') | (*byte == b'\n') | (*byte == b'\r')
    };
    let (many, rest) = bytes.as_chunks::<32>();
    many.iter().all(|bytes| bytes.iter().fold(true, |all, byte| all & is_plain(byte)))
        && rest.iter().all(is_plain)
        && std::str::from_utf8(bytes).is_ok()
}
