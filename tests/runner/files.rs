//! The files that a step writes for the runner: `GITHUB_OUTPUT`, `GITHUB_ENV`, `GITHUB_PATH`,
//! `GITHUB_STEP_SUMMARY` (actions/runner, `FileCommandManager.cs`).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// GitHub takes no longer summary from a step.
pub(super) const SUMMARY_LIMIT: usize = 1 << 20;

/// The files of one step, each with the variable that names it.
pub(super) struct Files(BTreeMap<&'static str, PathBuf>);

impl Files {
    pub(super) fn create(directory: &Path, step: usize) -> Self {
        let names = ["GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY", "GITHUB_STATE"];
        let create = |name| {
            let path = directory.join(format!("{}_{step}", str::to_lowercase(name)));
            fs::write(&path, "").unwrap();
            (name, path)
        };
        Self(names.into_iter().map(create).collect())
    }

    pub(super) fn variables(&self) -> impl Iterator<Item = (String, String)> + '_ {
        self.0.iter().map(|(name, path)| ((*name).to_owned(), path.to_str().unwrap().to_owned()))
    }

    /// What the step wrote into one of them; nothing, where it removed the file.
    pub(super) fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(&self.0[name]).unwrap_or_default()).into_owned()
    }

    /// The pairs of one of them: `name=value`, or `name<<delimiter`, lines, and the delimiter.
    pub(super) fn pairs(&self, name: &str) -> Result<Vec<(String, String)>, String> {
        let text = self.read(name);
        let mut pairs = Vec::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if line.is_empty() {
                continue;
            }
            let (key, value) = match (line.find('='), line.find("<<")) {
                (Some(equals), here) if here.is_none_or(|here| equals < here) => {
                    (&line[..equals], line[equals + 1..].to_owned())
                }
                (_, Some(here)) => {
                    let (key, delimiter) = (&line[..here], &line[here + 2..]);
                    let mut value = Vec::new();
                    loop {
                        match lines.next() {
                            Some(end) if end == delimiter => break,
                            Some(line) => value.push(line),
                            None => {
                                return Err(format!(
                                    "Invalid value. Matching delimiter not found '{delimiter}'"
                                ));
                            }
                        }
                    }
                    (key, value.join("\n"))
                }
                _ => return Err(format!("Invalid format '{line}'")),
            };
            if key.is_empty() {
                return Err(format!("Invalid format '{line}'. Name must not be empty"));
            }
            pairs.push((key.to_owned(), value));
        }
        Ok(pairs)
    }
}
