//! A step that does nothing any more: found, woken, and in the end told of with all that its processes wait for.
//!
//! On virtual machines with more to do than they can, programs of every kind were seen to wait for ever for something that
//! had happened: Node in its own start, Terraform, a bash before its first word. What is stopped and continued looks again
//! at what it waits for (signal(7), "Interruption of system calls and library functions by stop signals").

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a step may do nothing. Scripts that wait look again every few seconds.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    every: Duration,
    woken_after: Duration,
    given_up_after: Duration,
}

pub(super) const PATIENCE: Patience = Patience {
    every: Duration::from_secs(5),
    woken_after: Duration::from_secs(30),
    given_up_after: Duration::from_secs(75),
};

/// A step that hung, and what its processes waited for. It says nothing of what the test is about.
#[derive(Debug)]
pub(crate) struct Hung(pub(crate) String);

/// Whether a process, or any that descends from it, does anything.
pub(super) struct Watch {
    process: u32,
    patience: Patience,
    /// Its processes, and how many ticks of a processor they have had.
    seen: (Vec<u32>, u64),
    looked: Instant,
    moved: Instant,
    is_woken: bool,
}

impl Watch {
    pub(super) fn of(process: u32, patience: Patience) -> Self {
        let now = Instant::now();
        Self { process, patience, seen: (Vec::new(), 0), looked: now, moved: now, is_woken: false }
    }

    /// It has said something.
    pub(super) fn has_moved(&mut self) {
        self.moved = Instant::now();
        if std::mem::take(&mut self.is_woken) {
            println!("the step goes on");
        }
    }

    /// Looks, now and then; wakes it, and gives it up in the end.
    pub(super) fn look(&mut self) -> Option<Hung> {
        if self.looked.elapsed() < self.patience.every {
            return None;
        }
        self.looked = Instant::now();
        let tree = tree(self.process);
        let ticks = tree.iter().map(|process| ticks(*process)).sum();
        let seen = (tree, ticks);
        if seen != self.seen {
            self.seen = seen;
            self.has_moved();
        }
        let still = self.moved.elapsed();
        if still > self.patience.given_up_after {
            let doing: Vec<String> = self.seen.0.iter().map(|process| doing(*process)).collect();
            return Some(Hung(format!("a step has done nothing for {still:?}:\n{}", doing.join("\n"))));
        }
        if still > self.patience.woken_after && !self.is_woken {
            // To whoever runs all tests: what a test prints that passes is read by nobody.
            let _said = writeln!(io::stderr(), "a step has done nothing for {still:?}, and is woken");
            wake();
            // What waking takes is no movement.
            self.seen.1 = self.seen.0.iter().map(|process| self::ticks(*process)).sum();
            self.is_woken = true;
        }
        None
    }
}

/// Stops and continues everything that descends from these tests: the step, and whom it may wait for.
fn wake() {
    let all: Vec<String> = tree(std::process::id()).iter().skip(1).map(u32::to_string).collect();
    let both = r#"kill -s STOP -- "$@" 2>/dev/null; kill -s CONT -- "$@" 2>/dev/null"#;
    let _sent = Command::new("bash").args(["-c", both, "wake"]).args(all).status();
}

/// A process and all that descend from it.
pub(super) fn tree(process: u32) -> Vec<u32> {
    let mut parents = BTreeMap::new();
    for process in processes() {
        let parent = stat(process).first().and_then(|parent| u32::try_from(*parent).ok());
        parents.insert(process, parent.unwrap_or(0));
    }
    let mut tree = vec![process];
    let mut next = 0;
    while let Some(&parent) = tree.get(next) {
        tree.extend(parents.iter().filter(|(_, own)| **own == parent).map(|(process, _)| *process));
        next += 1;
    }
    tree
}

pub(super) fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// The numbers of `/proc/PID/stat` from the parent on (proc(5)); the name before them may hold anything.
fn stat(process: u32) -> Vec<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let numbers = text.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().skip(1);
    numbers.map(|number| number.parse().unwrap_or(0)).collect()
}

/// How much of a processor a process has had, with the children that it has waited for.
fn ticks(process: u32) -> u64 {
    stat(process).get(10..14).unwrap_or_default().iter().sum()
}

/// What a process is, what each of its threads waits for, and its files.
fn doing(process: u32) -> String {
    let read = |path: String| {
        let bytes = fs::read(path).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace(['\0', '\n'], " ").trim_end().to_owned()
    };
    let mut told = format!("{process}: {}", read(format!("/proc/{process}/cmdline")));
    for thread in fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
        let of = |what: &str| read(format!("{}/{what}", thread.path().display()));
        let state =
            of("stat").rsplit_once(')').map_or(String::new(), |(_, rest)| rest.chars().take(2).collect());
        told.push_str(&format!(
            "\n  thread{state}, {}; system call {}; {}",
            of("wchan"),
            of("syscall"),
            of("stack")
        ));
    }
    for file in fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten() {
        let number = file.file_name().to_string_lossy().into_owned();
        let opened = fs::read_link(file.path()).unwrap_or_default();
        let about = read(format!("/proc/{process}/fdinfo/{number}"));
        told.push_str(&format!("\n  file {number}: {}; {about}", opened.display()));
    }
    told
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};
    use std::thread;
    use std::time::Duration;

    use super::{Hung, PATIENCE, Patience, Watch};

    const LITTLE: Patience = Patience {
        every: Duration::from_millis(50),
        woken_after: Duration::from_millis(400),
        given_up_after: Duration::from_secs(4),
    };

    fn bash(script: &str) -> Child {
        Command::new("bash").args(["-c", script]).stdout(Stdio::null()).spawn().unwrap()
    }

    fn watched(mut child: Child, patience: Patience) -> Option<Hung> {
        let mut watch = Watch::of(child.id(), patience);
        while child.try_wait().unwrap().is_none() {
            if let Some(hung) = watch.look() {
                child.kill().unwrap();
                child.wait().unwrap();
                return Some(hung);
            }
            thread::sleep(Duration::from_millis(20));
        }
        None
    }

    #[test]
    fn what_waits_is_woken_and_goes_on() {
        assert!(watched(bash("kill -s STOP $$; echo on"), LITTLE).is_none());
    }

    #[test]
    fn what_does_something_is_left_alone() {
        // Longer than anybody may do nothing: by working, and by looking again and again.
        assert!(watched(bash("end=$((SECONDS + 6)); while ((SECONDS < end)); do :; done"), LITTLE).is_none());
        assert!(watched(bash("for i in {1..30}; do sleep 0.2; done"), LITTLE).is_none());
    }

    #[test]
    fn what_does_nothing_is_given_up() {
        let Hung(how) = watched(bash("read -r _ < <(exec sleep 30)"), LITTLE).unwrap();
        let sleeps = how.lines().any(|line| line.ends_with(": sleep 30"));
        assert!(sleeps && how.contains("thread S") && how.contains("file 0:"), "{how}");
        assert!(watched(bash("sleep 5"), PATIENCE).is_none());
    }
}
