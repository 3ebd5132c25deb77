//! A repository in a temporary directory, and the real binary in it: a test reads as one sentence.
//!
//! ```ignore
//! let repo = Repo::new();
//! repo.manifest(MANIFEST).run(["render"]).exits(0).says("created   .github/workflows/test.yml");
//! ```
//!
//! Nothing of the machine reaches the binary but `PATH`, and nothing of the machine stands in what it says:
//! the directory reads `[REPO]`, the version `[VERSION]`.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A repository. Every step panics where it fails, and gives the repository back where it does not.
pub(crate) struct Repo {
    _directory: TempDir,
    root: PathBuf,
}

impl Repo {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        // Where temporary directories lie behind a link, messages name what is behind it.
        let root = directory.path().canonicalize().unwrap().join("repo");
        fs::create_dir(&root).unwrap();
        Self { _directory: directory, root }
    }

    /// A path in the repository; `..` is beside it, and still in the temporary directory.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    pub(crate) fn manifest(&self, text: &str) -> &Self {
        self.write("pyfleet.yml", text)
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) -> &Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    pub(crate) fn append(&self, path: &str, text: &str) -> &Self {
        self.write(path, self.read(path) + text)
    }

    pub(crate) fn replace(&self, path: &str, from: &str, to: &str) -> &Self {
        let text = self.read(path);
        assert!(text.contains(from), "{path} does not hold {from:?}:\n{text}");
        self.write(path, text.replace(from, to))
    }

    pub(crate) fn remove(&self, path: &str) -> &Self {
        let path = self.path(path);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
        self
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub(crate) fn holds(&self, path: &str, text: &str) -> &Self {
        assert_eq!(self.read(path), text, "{path}");
        self
    }

    pub(crate) fn has(&self, path: &str) -> &Self {
        assert!(self.path(path).symlink_metadata().is_ok(), "{path} is missing");
        self
    }

    pub(crate) fn has_no(&self, path: &str) -> &Self {
        assert!(self.path(path).symlink_metadata().is_err(), "{path} is there");
        self
    }

    /// Every file below the root with its bytes; directories end in `/`, links show what they point to.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        files_below(&self.root)
    }

    /// The binary, ready to start in the repository, with nothing of the machine but `PATH`.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pyfleet-gen"));
        scrub(&mut command).current_dir(&self.root);
        command
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Ran<'_> {
        self.ran(self.command().args(arguments))
    }

    pub(crate) fn ran(&self, command: &mut Command) -> Ran<'_> {
        Ran { repo: self, output: command.output().unwrap() }
    }
}

pub(crate) fn scrub(command: &mut Command) -> &mut Command {
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default())
}

pub(crate) fn files_below(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut left = vec![root.to_owned()];
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            let kind = path.symlink_metadata().unwrap();
            if kind.is_symlink() {
                let target = fs::read_link(&path).unwrap();
                files.insert(name, format!("-> {}", target.display()).into_bytes());
            } else if kind.is_dir() {
                files.insert(format!("{name}/"), Vec::new());
                left.push(path);
            } else {
                files.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// What a run has said and how it ended. The sentence goes on with the repository.
pub(crate) struct Ran<'a> {
    repo: &'a Repo,
    output: Output,
}

impl Deref for Ran<'_> {
    type Target = Repo;

    fn deref(&self) -> &Repo {
        self.repo
    }
}

impl Ran<'_> {
    /// Standard output.
    pub(crate) fn out(&self) -> String {
        self.scrubbed(&self.output.stdout)
    }

    /// Standard error.
    pub(crate) fn err(&self) -> String {
        self.scrubbed(&self.output.stderr)
    }

    fn scrubbed(&self, text: &[u8]) -> String {
        let root = self.repo.root.to_str().unwrap();
        String::from_utf8(text.to_vec())
            .unwrap()
            .replace(root, "[REPO]")
            .replace(Path::new(root).parent().unwrap().to_str().unwrap(), "[ABOVE]")
            .replace(env!("CARGO_PKG_VERSION"), "[VERSION]")
    }

    /// The report of a run with `--format json`, which is what its schema says.
    #[track_caller]
    pub(crate) fn report(&self) -> serde_json::Value {
        let report =
            serde_json::from_str(&self.out()).unwrap_or_else(|error| panic!("{error}:\n{}", self.both()));
        let schema = serde_json::from_str(pyfleet_schemas::REPORT).unwrap();
        let validator = jsonschema::draft7::new(&schema).unwrap();
        let mistakes: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
        assert_eq!(mistakes, [""; 0], "{report:#}");
        report
    }

    fn both(&self) -> String {
        format!("{}{}", self.out(), self.err())
    }

    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.output.status.code(), Some(code), "it said:\n{}", self.both());
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.both().contains(text), "it does not say {text:?}, but:\n{}", self.both());
        self
    }

    #[track_caller]
    pub(crate) fn says_not(self, text: &str) -> Self {
        assert!(!self.both().contains(text), "it says {text:?}:\n{}", self.both());
        self
    }
}

impl Ran<'_> {
    /// Whether it has ended with one of these codes.
    pub(crate) fn exits_with_one_of(&self, codes: &[i32]) -> bool {
        self.output.status.code().is_some_and(|code| codes.contains(&code))
    }
}
