#![cfg(unix)]
//! A render that is killed leaves every file old or new, and the next one mends everything.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use super::{LOCK, MANIFEST, TEST, make_stale, rendered, with_build};
use crate::repo::{Repo, scrub};
use crate::tool;

type Files = BTreeMap<String, Vec<u8>>;

const STAGING: &str = ".github/.pyfleet-staging/";

/// From what a render starts, and what it makes of it.
struct Case {
    name: &'static str,
    before: Files,
    after: Files,
}

impl Case {
    fn both() -> [Self; 2] {
        let fresh = Repo::new();
        fresh.manifest(MANIFEST).write(".github/workflows/mine.yml", "on: push\n");
        let again = rendered();
        again.write(".github/workflows/mine.yml", "on: push\n").manifest(&with_build("{ enabled: false }"));
        again.replace("pyfleet.yml", "3.11", "3.12");
        [Self::of("a first render", &fresh), Self::of("changes and orphans", &again)]
    }

    fn of(name: &'static str, repo: &Repo) -> Self {
        let before = repo.files();
        repo.run(["render"]).exits(0);
        Self { name, before, after: repo.files() }
    }

    fn repo(&self) -> Repo {
        let repo = Repo::new();
        for (path, bytes) in self.before.iter().filter(|(path, _)| !path.ends_with('/')) {
            repo.write(path, bytes);
        }
        repo
    }

    /// What must hold after a kill, and that the next run ends well.
    fn verify(&self, repo: &Repo, when: &str, is_meant_otherwise: bool) {
        let found = repo.files();
        let at = |path: &str| format!("{}, {when}: {path}", self.name);
        for (path, bytes) in
            found.iter().filter(|(path, _)| !path.ends_with('/') && !path.starts_with(STAGING))
        {
            let is_old_or_new =
                [&self.before, &self.after].iter().any(|files| files.get(path) == Some(bytes));
            // While orphans go, the lock names them beside everything that is new.
            let is_transitional = path == LOCK && {
                let text = String::from_utf8(bytes.clone()).unwrap();
                let new = String::from_utf8(self.after[LOCK].clone()).unwrap();
                new.lines().all(|line| text.lines().any(|found| found == line)) && text.ends_with('\n')
            };
            assert!(is_old_or_new || is_transitional, "{} is torn", at(path));
        }
        for path in self.before.keys().filter(|path| self.after.contains_key(*path)) {
            assert!(found.contains_key(path), "{} is gone", at(path));
        }
        if is_meant_otherwise {
            // Also where the manifest has changed since: what the killed run has written is known as pyfleet's.
            let manifest = repo.read("pyfleet.yml");
            repo.manifest(&manifest.replace("pytest tests/unit", "pytest tests"))
                .run(["render"])
                .exits(0)
                .run(["check"])
                .exits(0);
            repo.manifest(&manifest);
        }
        repo.run(["render"]).exits(0).run(["check"]).exits(0);
        let mended = repo.files();
        for (path, bytes) in &self.after {
            assert_eq!(mended.get(path), Some(bytes), "{}", at(path));
        }
        assert!(
            mended.keys().all(|path| self.after.contains_key(path)),
            "{when}: something was left: {:?}",
            mended.keys()
        );
    }
}

#[test]
fn at_every_system_call() {
    let Some(strace) = tool::find("strace") else { return };
    let trace = |repo: &Repo, call: &str, number: usize| {
        let mut command = Command::new(strace.path());
        scrub(&mut command).current_dir(repo.path(""));
        command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
        command.args(["-e", &format!("inject={call}:signal=KILL:when={number}")]);
        command
            .args([env!("CARGO_BIN_EXE_pyfleet-gen"), "render"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command.output().unwrap()
    };
    let mut points = 0;
    for case in Case::both() {
        for call in ["openat2", "mkdirat", "flock", "write", "fsync", "renameat", "unlinkat"] {
            for number in 1.. {
                let repo = case.repo();
                let ended = trace(&repo, call, number);
                let said = String::from_utf8_lossy(&ended.stderr);
                if points == 0 && said.contains("ptrace") {
                    return tool::not_run("strace", "allow this user to trace its own processes");
                }
                if ended.status.success() {
                    break;
                }
                assert!(said.is_empty(), "{call} {number}: {said}");
                case.verify(&repo, &format!("killed at {call} number {number}"), points % 2 == 0);
                points += 1;
                assert!(number < 500, "{call} does not end");
            }
        }
    }
    assert!(points >= 60, "only {points} points: the system calls have other names here");
    eprintln!("killed at {points} system calls");
}

#[test]
fn after_any_delay() {
    const RUNS: u32 = 120;
    let mut killed = 0;
    for case in Case::both() {
        let repo = case.repo();
        let began = Instant::now();
        repo.run(["render"]).exits(0);
        let whole = began.elapsed() * 5 / 4;
        for run in 0..RUNS {
            let repo = case.repo();
            let delay = whole * run / RUNS;
            let mut child =
                repo.command().arg("render").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            thread::sleep(delay);
            child.kill().unwrap();
            killed += u32::from(!child.wait().unwrap().success());
            case.verify(&repo, &format!("killed after {delay:?}"), false);
        }
    }
    eprintln!("killed {killed} of {} renders", 2 * RUNS);
}

#[test]
fn two_at_once_end_well() {
    let repo = rendered();
    let (mut first, mut refused) = (0, 0);
    for round in 0..20 {
        repo.manifest(&MANIFEST.replace("3.11", if round % 2 == 0 { "3.12" } else { "3.13" }));
        let start =
            || repo.command().arg("render").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let children = [start(), start(), start()];
        for child in children {
            let ended = child.wait_with_output().unwrap();
            let said = String::from_utf8(ended.stderr).unwrap();
            match ended.status.code() {
                Some(0) => first += 1,
                Some(2) => {
                    assert!(
                        said.contains("another `pyfleet-gen render` is writing to this repository"),
                        "{said}"
                    );
                    refused += 1;
                }
                code => panic!("{code:?}: {said}"),
            }
        }
        repo.run(["check"]).exits(0).has_no(STAGING);
    }
    assert!(first >= 20, "{first} wrote, {refused} were refused");
}

#[test]
fn a_render_waits_for_nobody_who_is_gone() {
    // Whoever holds the turn refuses the second; once it is gone, however it went, the next writes.
    let repo = rendered();
    let turn = std::fs::File::open(repo.path("")).unwrap();
    turn.try_lock().unwrap();
    make_stale(&repo);
    let before = repo.files();
    repo.run(["render"])
        .exits(2)
        .says("error: pyfleet.lock: another `pyfleet-gen render` is writing to this repository; nothing was written\n")
        .says("help: wait until it has ended, and run this again");
    assert_eq!(before, repo.files());
    repo.run(["check"]).exits(1).run(["render", "--dry-run"]).exits(0);
    drop(turn);
    repo.run(["render"]).exits(0).run(["check"]).exits(0);
}

#[test]
fn what_a_killed_render_has_left_goes_even_where_nothing_changes() {
    let repo = rendered();
    repo.write(&format!("{STAGING}0"), "half of a fi").run(["render"]).exits(0).has_no(STAGING).has(TEST);
}
