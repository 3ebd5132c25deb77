//! Lays steps and jobs of the user's own into rendered text.
//!
//! Where a rendered step begins and ends is what its document says. What comes out is read back and compared with what
//! was planned like all rendered text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use pyfleet_core::diagnostic::Path;
use pyfleet_core::plan::Workflow;
use pyfleet_core::project::{ExtraSteps, Side};
use pyfleet_core::source::Source;
use pyfleet_core::workflow::{Job, Step};
use pyfleet_core::yaml::tree::Document;
use pyfleet_core::yaml::write::{after_key, scalar};
use serde_json::{Map, Value as Json};

/// The order in which rendered steps have their keys.
const STEP_KEYS: &[&str] = &["name", "id", "if", "uses", "with", "env", "shell", "working-directory", "run"];

/// The order in which rendered jobs have theirs, before all others; their steps come last.
const JOB_KEYS: &[&str] = &[
    "name",
    "needs",
    "if",
    "uses",
    "with",
    "secrets",
    "runs-on",
    "timeout-minutes",
    "permissions",
    "environment",
    "concurrency",
    "strategy",
    "outputs",
    "env",
    "services",
];

/// The columns of steps, and of jobs.
const STEPS: usize = 6;
const JOBS: usize = 2;

/// What lays out steps and jobs.
pub(crate) struct Layout<'a> {
    /// The manifest's name.
    pub(crate) manifest: &'a str,
    /// The versions of what is used.
    pub(crate) versions: &'a BTreeMap<String, String>,
}

impl Layout<'_> {
    /// The text with everything that extends the workflow.
    pub(crate) fn extend(&self, workflow: &Workflow, text: String) -> Result<String, serde_json::Error> {
        let mut text =
            if workflow.extension.steps.is_empty() { text } else { self.with_steps(workflow, text)? };
        for (id, own) in &workflow.extension.jobs {
            let origin = self.origin(&own.origin, JOBS);
            let _ = write!(text, "\n{origin}{:JOBS$}{}:\n{}", "", scalar(id), self.job(&own.model)?);
        }
        Ok(text)
    }

    fn with_steps(&self, workflow: &Workflow, mut text: String) -> Result<String, serde_json::Error> {
        // Text that cannot be read has no steps; reading it back says why.
        let Ok(document) = Document::parse_workflow(Source::new(workflow.file.clone(), text.clone())) else {
            return Ok(text);
        };
        let mut insertions: Vec<(usize, String)> = Vec::new();
        let jobs = document.root.get("jobs").map(|jobs| jobs.entries()).unwrap_or_default();
        for (id, job) in jobs {
            let (Some(id), Some(steps)) = (id.as_str(), job.get("steps")) else { continue };
            for step in steps.items() {
                let Some(anchor) = step.get("id").and_then(|id| id.as_str()) else { continue };
                let lines = |side| self.lists(workflow.extra_steps(id, anchor, side));
                let line_start = text[..step.span.start].rfind('\n').map_or(0, |end| end + 1);
                insertions
                    .extend(lines(Side::Before)?.into_iter().map(|list| (line_start, format!("{list}\n"))));
                let content_end = text[..step.span.end].trim_end().len();
                let line_end = text[content_end..].find('\n').map_or(text.len(), |end| content_end + end + 1);
                insertions
                    .extend(lines(Side::After)?.into_iter().map(|list| (line_end, format!("\n{list}"))));
            }
        }
        // From the end, so that what comes before keeps its place; of two in one place, the first stands first.
        insertions.sort_by_key(|(offset, _)| *offset);
        for (offset, lines) in insertions.into_iter().rev() {
            text.insert_str(offset, &lines);
        }
        Ok(text)
    }

    fn lists<'a>(
        &self,
        lists: impl Iterator<Item = &'a ExtraSteps>,
    ) -> Result<Vec<String>, serde_json::Error> {
        let lists = lists.filter(|list| !list.steps.is_empty());
        lists
            .map(|list| {
                let steps: Vec<String> =
                    list.steps.iter().map(|step| self.step(step)).collect::<Result<_, _>>()?;
                Ok(self.origin(&list.origin, STEPS) + &steps.join("\n"))
            })
            .collect()
    }

    /// The comment that says where to change it.
    fn origin(&self, origin: &Path, indent: usize) -> String {
        format!("{:indent$}# {origin} of {}\n", "", self.manifest)
    }

    fn step(&self, step: &Step) -> Result<String, serde_json::Error> {
        let keys = in_order(object(step)?, STEP_KEYS);
        let mut lines = String::new();
        for (key, value) in &keys {
            let indent =
                if lines.is_empty() { format!("{:STEPS$}- ", "") } else { format!("{:1$}", "", STEPS + 2) };
            let _ = writeln!(lines, "{indent}{}", self.entry(key, value, STEPS + 2));
        }
        if lines.is_empty() {
            let _ = writeln!(lines, "{:STEPS$}- {{}}", "");
        }
        Ok(lines)
    }

    fn job(&self, job: &Job) -> Result<String, serde_json::Error> {
        let mut lines = String::new();
        for (key, value) in &in_order(object(job)?, JOB_KEYS) {
            match (key.as_str(), value) {
                ("steps", _) => {
                    let steps: Vec<String> =
                        job.steps.iter().map(|step| self.step(step)).collect::<Result<_, _>>()?;
                    let _ = write!(lines, "{:1$}steps:\n{2}", "", JOBS + 2, steps.join("\n"));
                }
                ("permissions", Json::Object(scopes)) if !scopes.is_empty() => {
                    let _ = writeln!(lines, "{:1$}permissions:", "", JOBS + 2);
                    for (scope, level) in scopes {
                        let entry = self.entry(scope, level, JOBS + 4);
                        let _ = writeln!(lines, "{:1$}{entry} # as {2} says", "", JOBS + 4, self.manifest);
                    }
                }
                _ => {
                    let _ = writeln!(lines, "{:1$}{2}", "", JOBS + 2, self.entry(key, value, JOBS + 2));
                }
            }
        }
        Ok(lines)
    }

    /// `key: value`, and behind `uses` the version.
    fn entry(&self, key: &str, value: &Json, indent: usize) -> String {
        let version = value.as_str().filter(|_| key == "uses").and_then(|used| self.versions.get(used));
        let version = version.map_or_else(String::new, |version| format!(" # {version}"));
        let value = if key == "with" { as_rendered(value) } else { value.clone() };
        format!("{}:{}{version}", scalar(key), after_key(&value, indent + 2))
    }
}

/// Inputs are texts to GitHub, however they are written: plain ones need no quotes.
fn as_rendered(inputs: &Json) -> Json {
    let Json::Object(inputs) = inputs else { return inputs.clone() };
    let plain = |value: &Json| match value.as_str() {
        Some(text @ ("true" | "false")) => Json::Bool(text == "true"),
        Some(text) => match text.parse::<u32>() {
            Ok(number) if number.to_string() == text => number.into(),
            _ => value.clone(),
        },
        None => value.clone(),
    };
    Json::Object(inputs.iter().map(|(name, value)| (name.clone(), plain(value))).collect())
}

/// The keys with those first that have a place.
fn in_order(mut keys: Map<String, Json>, order: &[&str]) -> Vec<(String, Json)> {
    let steps = keys.shift_remove("steps");
    let mut ordered: Vec<(String, Json)> =
        order.iter().filter_map(|key| Some(((*key).to_owned(), keys.shift_remove(*key)?))).collect();
    ordered.extend(keys);
    ordered.extend(steps.map(|steps| ("steps".to_owned(), steps)));
    ordered
}

fn object<T: serde::Serialize>(value: &T) -> Result<Map<String, Json>, serde_json::Error> {
    match serde_json::to_value(value)? {
        Json::Object(keys) => Ok(keys),
        _ => Ok(Map::new()),
    }
}
