//! Runs one script in a world of its own and checks what it did.
//!
//! ```text
//! Script::new("gate.sh").env("NEEDS", "{}").run().exits(2).says("at least one job");
//! ```

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;

use tempfile::TempDir;

/// Texts that have hurt a shell, a runner or a Markdown page before. `touch pwned` must never run.
pub(crate) const HOSTILE: &[&str] = &[
    "two\nlines",
    "carriage\rreturn",
    "$(touch pwned)",
    "`touch pwned`",
    "'; touch pwned; '",
    "\"; touch pwned; \"",
    "::error::taken over",
    "\n::error::taken over",
    "##[error]taken over",
    "-->",
    "</details></summary><img src=x onerror=pwned>",
    "@octocat and @github/team",
    "[click](https://evil.example)",
    "https://evil.example and www.evil.example",
    "mail@evil.example",
    "```\nfence\n````",
    "`",
    "``",
    "| cell | \\| \\\\|",
    "ends in a backslash\\",
    "--leading",
    "-n",
    "*",
    "~",
    "%0A%s%n",
    "a b  c",
    "\u{202e}reversed\u{200b}",
    "\u{1b}[31mred\u{7}",
    "emoji 🚀 äöü",
    "&amp;lt;",
    "\\u0000",
];

/// The scripts by file name.
pub(crate) fn scripts() -> Vec<(String, String)> {
    let mut scripts: Vec<_> = fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sh" || extension == "jq"))
        .map(|path| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap())
        })
        .collect();
    scripts.sort();
    assert!(!scripts.is_empty());
    scripts
}

/// The path of one script.
pub(crate) fn path_of(name: &str) -> PathBuf {
    directory().join(name)
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../templates/scripts").canonicalize().unwrap()
}

/// One script about to run in a temporary directory, with nothing in its environment but what a
/// runner sets and the test asks for.
#[derive(Clone)]
pub(crate) struct Script {
    path: PathBuf,
    world: Rc<TempDir>,
    environment: BTreeMap<OsString, OsString>,
    checked_out: bool,
    inside: Vec<OsString>,
    follower: Option<Follower>,
}

/// Hears the process group of a script when it starts, and `None` when it has ended.
type Follower = Rc<dyn Fn(Option<u32>)>;

impl Script {
    pub(crate) fn new(name: &str) -> Self {
        let world = tempfile::Builder::new().prefix("a script ").tempdir().unwrap();
        for directory in ["work", "bin", "runner"] {
            fs::create_dir(world.path().join(directory)).unwrap();
        }
        Self {
            path: path_of(name),
            world: Rc::new(world),
            environment: BTreeMap::new(),
            checked_out: false,
            inside: Vec::new(),
            follower: None,
        }
    }

    /// Another script in the same world.
    pub(crate) fn then(&self, name: &str) -> Self {
        Self { path: path_of(name), environment: BTreeMap::new(), ..self.clone() }
    }

    /// Run by its shebang, as a checked-out script is, without `-e`.
    pub(crate) fn checked_out(mut self) -> Self {
        self.checked_out = true;
        self
    }

    pub(crate) fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.insert(key.into(), value.as_ref().to_owned());
        self
    }

    pub(crate) fn without(mut self, key: &str) -> Self {
        self.environment.remove(OsStr::new(key));
        self
    }

    /// Writes a file into the working directory.
    pub(crate) fn file(self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> Self {
        let path = self.directory().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// Puts a stand-in on the PATH, in front of the real tools. `$STATE` is a directory it may use.
    pub(crate) fn tool(self, name: &str, text: &str) -> Self {
        let path = self.world.path().join("bin").join(name);
        let state = self.state();
        fs::create_dir_all(&state).unwrap();
        // Never through a link to a real tool.
        let _ = fs::remove_file(&path);
        fs::write(&path, format!("#!/usr/bin/env bash\nSTATE='{}'\n{text}", state.display())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    /// Puts a real tool on the PATH that no runner would find by itself.
    pub(crate) fn real_tool(self, name: &str, path: &Path) -> Self {
        let link = self.world.path().join("bin").join(name);
        if link.symlink_metadata().is_err() {
            std::os::unix::fs::symlink(path, link).unwrap();
        }
        self
    }

    /// A text of the test's own instead of the script.
    pub(crate) fn at(mut self, path: PathBuf) -> Self {
        self.path = path;
        self
    }

    /// Started through another command, which becomes the script: `nsenter` and its arguments.
    pub(crate) fn inside(mut self, command: &[OsString]) -> Self {
        self.inside = command.to_vec();
        self
    }

    /// Runs in a process group of its own, which somebody hears of.
    pub(crate) fn followed(mut self, follower: impl Fn(Option<u32>) + 'static) -> Self {
        self.follower = Some(Rc::new(follower));
        self
    }

    /// The working directory.
    pub(crate) fn directory(&self) -> PathBuf {
        self.world.path().join("work")
    }

    /// Where stand-ins keep what they remember.
    pub(crate) fn state(&self) -> PathBuf {
        self.world.path().join("state")
    }

    /// `RUNNER_TEMP`.
    pub(crate) fn runner_temp(&self) -> PathBuf {
        self.world.path().join("runner")
    }

    /// Runs a command in the working directory, as preparation.
    pub(crate) fn prepare(self, program: &str, arguments: &[&str]) -> Self {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(self.directory())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env_remove("TF_CLI_CONFIG_FILE")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{program} {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        self
    }

    /// The command that GitHub would run.
    pub(crate) fn command(&self) -> Command {
        let mut words = self.inside.clone();
        if !self.checked_out {
            words.extend(["bash", "--noprofile", "--norc", "-eo", "pipefail"].map(OsString::from));
        }
        words.push(self.path.clone().into_os_string());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        let mut path = self.world.path().join("bin").into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap());
        let at = |name: &str| self.world.path().join(name);
        command
            .current_dir(self.directory())
            .env_clear()
            .env("PATH", path)
            .env("HOME", at("home"))
            .env("LANG", "C.UTF-8")
            .env("CHECKPOINT_DISABLE", "1")
            .env("RUNNER_TEMP", self.runner_temp())
            .env("GITHUB_OUTPUT", at("output"))
            .env("GITHUB_STEP_SUMMARY", at("summary.md"))
            .envs(&self.environment)
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self) -> Ran {
        self.run_until_killed().expect("a script ends by itself")
    }

    /// `None` where the script was killed: what a runner that is lost leaves behind.
    pub(crate) fn run_until_killed(&self) -> Option<Ran> {
        for file in ["output", "summary.md"] {
            fs::write(self.world.path().join(file), "").unwrap();
        }
        let mut command = self.command();
        let output = match &self.follower {
            None => command.output().unwrap(),
            Some(follower) => {
                let child =
                    command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
                follower(Some(child.id()));
                let output = child.wait_with_output().unwrap();
                follower(None);
                output
            }
        };
        if output.status.signal() == Some(9) {
            // The next job has another runner.
            fs::remove_dir_all(self.runner_temp()).unwrap();
            fs::create_dir(self.runner_temp()).unwrap();
            return None;
        }
        let read = |file: &str| {
            String::from_utf8(fs::read(self.world.path().join(file)).unwrap())
                .unwrap_or_else(|_| panic!("{file} is not UTF-8"))
        };
        let mut ran = Ran {
            name: self.path.file_name().unwrap().to_string_lossy().into_owned(),
            directory: self.directory(),
            _world: Rc::clone(&self.world),
            masked: Vec::new(),
            code: output.status.code().expect("a script ends by itself"),
            log: format!(
                "{}{}",
                String::from_utf8_lossy(&output.stderr),
                String::from_utf8_lossy(&output.stdout)
            ),
            summary: read("summary.md"),
            outputs: read("output")
                .lines()
                .map(|line| line.split_once('=').expect("one output per line"))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        };
        ran.mask();
        let left: Vec<_> =
            fs::read_dir(self.runner_temp()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "{}: left behind {left:?}", ran.name);
        assert!(!ran.directory.join("pwned").exists(), "{}: an injected command ran", ran.name);
        assert!(ran.summary.len() <= 1 << 20, "{}: the summary is over 1 MiB", ran.name);
        for line in ran.commands() {
            let own =
                ["::error::", "::warning::", "::notice::"].iter().any(|prefix| line.starts_with(prefix));
            assert!(
                own && !line.starts_with("::error::taken over"),
                "{}: workflow command {line:?}",
                ran.name
            );
        }
        Some(ran)
    }
}

/// What a script did.
pub(crate) struct Ran {
    name: String,
    pub(crate) directory: PathBuf,
    /// The directory lives as long as anybody looks at it.
    _world: Rc<TempDir>,
    pub(crate) code: i32,
    /// What the runner hides from now on.
    pub(crate) masked: Vec<String>,
    /// Standard error, then standard output.
    pub(crate) log: String,
    pub(crate) summary: String,
    pub(crate) outputs: BTreeMap<String, String>,
}

impl Ran {
    /// Masks as the runner does. A script that masks a value shows it nowhere itself.
    fn mask(&mut self) {
        let masked: Vec<String> = self
            .log
            .lines()
            .filter_map(|line| line.strip_prefix("::add-mask::"))
            .map(str::to_owned)
            .collect();
        for value in masked {
            assert!(value.len() >= 4, "{}: masks {value:?}", self.name);
            self.log = self.log.replacen(&format!("::add-mask::{value}\n"), "", 1);
            assert!(!self.log.contains(&value), "{}: a masked value is in the log", self.name);
            assert!(!self.summary.contains(&value), "{}: a masked value is in the summary", self.name);
            self.masked.push(value);
        }
    }

    /// The lines that the runner would take for commands.
    fn commands(&self) -> Vec<&str> {
        let mut stopped: Option<String> = None;
        let mut commands = Vec::new();
        for line in self.log.split(['\n', '\r']).map(str::trim_start) {
            match &stopped {
                Some(token) if line == token => stopped = None,
                Some(_) => {}
                None => {
                    if let Some(token) = line.strip_prefix("::stop-commands::") {
                        assert_eq!(token.len(), 32, "a token that cannot be guessed");
                        stopped = Some(format!("::{token}::"));
                    } else if line.starts_with("::") || line.contains("##[") {
                        // The runner finds the older form anywhere in a line.
                        commands.push(line);
                    }
                }
            }
        }
        assert!(stopped.is_none(), "{}: commands stay stopped", self.name);
        commands
    }

    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}:\n{}\n{}", self.name, self.log, self.summary);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.log.contains(text), "{} does not say {text:?}:\n{}", self.name, self.log);
        self
    }

    #[track_caller]
    pub(crate) fn never_says(self, text: &str) -> Self {
        assert!(!self.log.contains(text), "{} says {text:?}:\n{}", self.name, self.log);
        assert!(!self.summary.contains(text), "{} shows {text:?}:\n{}", self.name, self.summary);
        self
    }

    #[track_caller]
    pub(crate) fn shows(self, text: &str) -> Self {
        assert!(self.summary.contains(text), "{} does not show {text:?}:\n{}", self.name, self.summary);
        self
    }

    #[track_caller]
    pub(crate) fn outputs(self, name: &str, value: &str) -> Self {
        let found = self.outputs.get(name).map(String::as_str);
        assert_eq!(found, Some(value), "{}: output {name}\n{}", self.name, self.log);
        self
    }

    /// A file of the working directory, as text.
    #[track_caller]
    pub(crate) fn text(&self, path: &str) -> String {
        let bytes = fs::read(self.directory.join(path))
            .unwrap_or_else(|error| panic!("{path}: {error}\n{}", self.log));
        String::from_utf8(bytes).expect("UTF-8")
    }

    /// A file of the working directory, as JSON.
    #[track_caller]
    pub(crate) fn json(&self, path: &str) -> serde_json::Value {
        serde_json::from_str(&self.text(path)).unwrap()
    }
}

/// Markdown without its code spans, fenced blocks and escaped characters: where a mention, a link
/// or HTML would work.
pub(crate) fn outside_code(markdown: &str) -> String {
    let mut outside = String::new();
    let mut fence = String::new();
    for line in markdown.lines() {
        let run = line.chars().take_while(|&character| character == '`').count();
        if !fence.is_empty() {
            if run >= fence.len() && line[run..].trim().is_empty() {
                fence.clear();
            }
            continue;
        }
        if run >= 3 && !line[run..].contains('`') {
            fence = line[..run].to_owned();
            continue;
        }
        let mut rest = line;
        while !rest.is_empty() {
            if let Some(escaped) = rest.strip_prefix('\\').and_then(|rest| rest.chars().next()) {
                rest = &rest[1 + escaped.len_utf8()..];
                continue;
            }
            let run = rest.chars().take_while(|&character| character == '`').count();
            if run > 0 {
                let body = &rest[run..];
                match closing(body, run) {
                    Some(end) => rest = &body[end + run..],
                    None => {
                        outside.push_str(&rest[..run]);
                        rest = body;
                    }
                }
                continue;
            }
            let character = rest.chars().next().unwrap();
            outside.push(character);
            rest = &rest[character.len_utf8()..];
        }
        outside.push('\n');
    }
    assert!(fence.is_empty(), "a fence stays open");
    outside
}

/// Where a run of exactly so many backticks begins.
fn closing(text: &str, length: usize) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = text[at..].find('`') {
        let start = at + found;
        let run = text[start..].chars().take_while(|&character| character == '`').count();
        if run == length {
            return Some(start);
        }
        at = start + run;
    }
    None
}

/// Fails where hostile text works in Markdown; `own` is the markup that the script writes itself.
#[track_caller]
pub(crate) fn assert_inert(markdown: &str, own: &[&str]) {
    let mut outside = outside_code(markdown);
    for markup in own {
        outside = outside.replace(markup, "");
    }
    for sign in ["@", "<", "evil", "](", "`", "octocat", "\u{202e}", "\u{1b}"] {
        assert!(!outside.contains(sign), "{sign:?} outside code:\n{outside}\n---\n{markdown}");
    }
}
