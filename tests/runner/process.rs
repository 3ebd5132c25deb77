//! One process of a step, and what the runner does to it when the run is cancelled
//! (actions/runner, `ProcessInvoker.cs`).

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::panic::panic_any;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::watch::{Hung, PATIENCE, Watch, processes, tree};

/// How long the entry process has after SIGINT, and then after SIGTERM.
const AFTER_INTERRUPT: Duration = Duration::from_millis(7500);
const AFTER_TERMINATE: Duration = Duration::from_millis(2500);

/// How long the runner waits for the output of processes that outlive the entry process.
const AFTER_EXIT: Duration = Duration::from_secs(5);

/// No step of a test takes so long; one that goes round for ever must not keep the tests.
const AT_MOST: Duration = Duration::from_secs(300);

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Exited(i32),
    /// Cancelled while it ran: whatever its exit code, the step is cancelled.
    Cancelled,
}

/// A command that SIGINT reaches, even where the tests run in the background of a shell that ignores it; behind the
/// words that take it to another network. Each of them becomes the next: the entry process is the program.
pub(super) fn command(inside: &[OsString], program: &str) -> Command {
    let mut words = inside
        .iter()
        .map(OsString::as_os_str)
        .chain(["env", "--default-signal=INT", program].map(OsStr::new));
    let mut command = Command::new(words.next().expect("`env` at least"));
    command.args(words);
    command
}

/// Runs a command, hands over each line of its output, and cancels it at the line that holds a text.
pub(super) fn run(
    mut command: Command,
    cancel_at: Option<&str>,
    mut take: impl FnMut(&str),
) -> io::Result<Ended> {
    let (reader, writer) = io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn()?;
    drop(command); // It holds the writing ends.

    let (send, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(reader).split(b'\n') {
            let Ok(line) = line else { break };
            if send.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break;
            }
        }
    });

    let began = Instant::now();
    let mut watch = Watch::of(child.id(), PATIENCE);
    let mut last = String::new();
    let mut cancelled: Option<(Instant, usize)> = None;
    let mut exited: Option<(Instant, i32)> = None;
    loop {
        match lines.recv_timeout(Duration::from_millis(20)) {
            Ok(line) => {
                take(line.strip_suffix('\r').unwrap_or(&line));
                last.clone_from(&line);
                watch.has_moved();
                if cancelled.is_none() && cancel_at.is_some_and(|text| line.contains(text)) {
                    signal(child.id(), "INT");
                    cancelled = Some((Instant::now(), 0));
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) if exited.is_some() => break,
            // The entry process has closed its output and lives on.
            Err(RecvTimeoutError::Disconnected) => thread::sleep(Duration::from_millis(20)),
        }
        if exited.is_none() {
            exited = child.try_wait()?.map(|status| (Instant::now(), status.code().unwrap_or(-1)));
        }
        match (&exited, &mut cancelled) {
            (Some((since, _)), _) if since.elapsed() > AFTER_EXIT => break,
            (None, Some((since, sent @ 0))) if since.elapsed() > AFTER_INTERRUPT => {
                signal(child.id(), "TERM");
                *sent = 1;
            }
            (None, Some((since, sent @ 1))) if since.elapsed() > AFTER_INTERRUPT + AFTER_TERMINATE => {
                kill_tree(child.id());
                *sent = 2;
            }
            _ => {}
        }
        if let Some(Hung(how)) = watch.look() {
            kill_tree(child.id());
            println!("{how}\nthe last that it said: {last}");
            panic_any(Hung(how));
        }
        if began.elapsed() > AT_MOST {
            kill_tree(child.id());
            panic!("a step runs for more than {AT_MOST:?}; the last that it said: {last}");
        }
    }
    let code = exited.map_or(-1, |(_, code)| code);
    Ok(if cancelled.is_some() { Ended::Cancelled } else { Ended::Exited(code) })
}

fn signal(process: u32, name: &str) {
    // It may have ended a moment ago.
    let _sent = Command::new("bash")
        .args(["-c", r#"kill -s "$1" -- "$2" 2>/dev/null"#, "kill", name, &process.to_string()])
        .status();
}

fn kill_tree(process: u32) {
    tree(process).into_iter().for_each(|process| signal(process, "KILL"));
}

/// Ends what a job left running, found by the mark that the runner puts into its environment.
pub(super) fn kill_marked(mark: &str) {
    for process in processes() {
        let environment = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
        if environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes()) {
            signal(process, "KILL");
        }
    }
}
