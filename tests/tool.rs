//! Outside tools and reference data: found, or the test says that it did not run.
//!
//! ```ignore
//! let Some(zizmor) = tool::find("zizmor") else { return };
//! let output = zizmor.command().arg("--offline").output().unwrap();
//! ```
//!
//! A tool that is not here is reported on the terminal and in `target/tools/not-run.txt`, which `tests/run`
//! prints at its end. With `PYFLEET_REQUIRE_TOOLS=1` it fails the test. Nothing is looked up on `PATH` but what
//! no lock file of this repository can pin: another version of a linter has another opinion.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::Write;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

/// Where `tests/run` installs, in the order of lookup. The pins lie in `tests/run` and under `tests/tools`; CDKTF's is the
/// lock file of `examples/experience-showcase`.
const PREPARED: [&str; 7] = [
    "target/tools/python/bin",
    "target/tools/node/node_modules/.bin",
    "target/tools/node/node_modules/@microsoft/sarif-multitool-linux",
    "target/tools/chromium",
    "target/tools/bin",
    "target/tools/debian/bin",
    "target/tools/cdktf/node_modules/.bin",
];

/// What is taken from `PATH`, and where a machine gets it from.
const FROM_PATH: [(&str, &str); 8] = [
    ("bash", "install Debian's `bash`"),
    ("cargo", "install Rust with rustup"),
    ("git", "install Debian's `git`"),
    // `tests/run` puts the one of GitHub's runners first.
    ("jq", "install Debian's `jq`"),
    ("node", "install Node 20.19 or later"),
    ("python3", "install Python 3.11 or later"),
    ("strace", "install Debian's `strace`"),
    ("terraform", "install Terraform 1.11 or later from HashiCorp; no package registry carries it"),
];

/// An outside program that is here.
#[derive(Debug)]
pub(crate) struct Tool {
    path: PathBuf,
}

impl Tool {
    /// Where it is, for a command whose environment is the test's own.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Starts it with the prepared tools first on `PATH`, so that a tool which calls another finds the pinned one.
    pub(crate) fn command(&self) -> Command {
        let inherited = env::var_os("PATH").unwrap_or_default();
        let prepared = PREPARED.iter().map(|directory| repository().join(directory));
        let path =
            env::join_paths(prepared.chain(env::split_paths(&inherited))).expect("PATH holds no colon");
        let mut command = Command::new(&self.path);
        command.env("PATH", path);
        // A verdict depends on the files alone, not on where the tests run.
        for (name, _) in env::vars_os() {
            let ambient =
                ["GITHUB_", "GH_", "RUNNER_", "ACTIONS_", "GIT_", "PRE_COMMIT", "SHELLCHECK_", "ZIZMOR_"];
            if name.to_str().is_some_and(|name| ambient.iter().any(|prefix| name.starts_with(prefix))) {
                command.env_remove(name);
            }
        }
        command
    }
}

/// The root of this repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the workspace")
}

/// The tool, or `None` after the calling test has been reported as not run.
#[track_caller]
pub(crate) fn find(name: &'static str) -> Option<Tool> {
    let from_path = FROM_PATH.iter().find(|(known, _)| *known == name);
    let candidates: Vec<PathBuf> = match from_path {
        Some(_) => env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect(),
        None => PREPARED.iter().map(|directory| repository().join(directory)).collect(),
    };
    let path = candidates.into_iter().map(|directory| directory.join(name)).find(|path| path.is_file());
    if path.is_none() {
        missing(name, from_path.map_or("run `tests/run`, which installs the pinned version", |(_, how)| how));
    }
    path.map(|path| Tool { path })
}

/// The folder of reference data, or `None` after the calling test has been reported as not run.
#[track_caller]
pub(crate) fn data() -> Option<PathBuf> {
    let data = env::var_os("PYFLEET_DATA").map(PathBuf::from);
    match &data {
        None => missing("reference data", "set PYFLEET_DATA to the folder that holds it"),
        Some(folder) => assert!(folder.is_dir(), "PYFLEET_DATA is no folder: {}", folder.display()),
    }
    data
}

#[track_caller]
fn missing(what: &str, how: &str) {
    assert!(
        env::var_os("PYFLEET_REQUIRE_TOOLS").is_none_or(|value| value.is_empty() || value == "0"),
        "{what} is missing, and PYFLEET_REQUIRE_TOOLS is set: {how}"
    );
    not_run(what, how);
}

/// Reports that the calling test did not run, on the terminal even though it passes, and once per reason.
#[track_caller]
pub(crate) fn not_run(what: &str, how: &str) {
    static REPORTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

    let thread = thread::current();
    // With one test thread, libtest runs the tests on the main thread and no name says which.
    let test = thread.name().filter(|name| *name != "main").map_or_else(
        || format!("{}:{}", Location::caller().file(), Location::caller().line()),
        str::to_owned,
    );
    let line = format!("not run: {test}: {what}: {how}\n");
    let mut reported = REPORTED.lock().expect("no test panics while it reports");
    if reported.contains(&line) {
        return;
    }
    // The file speaks of one run of this binary: the first line of a run starts it anew.
    let report = repository().join("target/tools/not-run.txt");
    fs::create_dir_all(report.parent().expect("it has a folder")).expect("target is writable");
    let mut file = fs::OpenOptions::new()
        .create(true)
        .write(true)
        .append(!reported.is_empty())
        .truncate(reported.is_empty())
        .open(&report)
        .expect("target is writable");
    file.write_all(line.as_bytes()).expect("target is writable");
    // Not `eprint!`, which the test harness swallows where a test passes.
    std::io::stderr().write_all(line.as_bytes()).expect("stderr is open");
    reported.insert(line);
}
