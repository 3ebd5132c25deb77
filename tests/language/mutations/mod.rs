//! How workflows are made wrong, and sometimes stay right: a class a function.
//!
//! Half of the classes change workflows that people run, somewhere; the others put one part of the language
//! together from pieces that fit and pieces that do not, so that the rarely used parts are met as often as the
//! usual ones. GitHub must accept between 30 and 70 % of each class: a class whose answer is always the same
//! tells nothing.

mod anywhere;
mod parts;
mod text;

use pyfleet_core::source::Source;
use pyfleet_core::yaml::decode::decode;
use pyfleet_core::yaml::tree::Document;
use pyfleet_core::yaml::write::to_string;
use serde_json::{Value, json};

use super::corpus::files;
use super::refusals;
use crate::random::Random;
use crate::tool;

/// One way of making workflows wrong.
pub(super) struct Class {
    pub(super) name: &'static str,
    /// A mutant, if the seed that was drawn has one.
    pub(super) mutate: fn(&Seeds, &mut Random) -> Option<String>,
}

pub(super) const ALL: &[Class] = &[
    Class { name: "drop-key", mutate: anywhere::drop_key },
    Class { name: "rename-key", mutate: anywhere::rename_key },
    Class { name: "change-scalar", mutate: anywhere::change_scalar },
    Class { name: "change-collection", mutate: anywhere::change_collection },
    Class { name: "duplicate-key", mutate: text::duplicate_key },
    Class { name: "indentation", mutate: text::indentation },
    Class { name: "punctuation", mutate: text::punctuation },
    Class { name: "anchors", mutate: text::anchors },
    Class { name: "raw-scalars", mutate: text::raw_scalars },
    Class { name: "expressions", mutate: anywhere::expression },
    Class { name: "ids", mutate: parts::ids },
    Class { name: "needs", mutate: parts::needs },
    Class { name: "permissions", mutate: parts::permissions },
    Class { name: "triggers", mutate: parts::triggers },
    Class { name: "schedule", mutate: parts::schedule },
    Class { name: "inputs", mutate: parts::inputs },
    Class { name: "concurrency", mutate: parts::concurrency },
    Class { name: "steps", mutate: parts::steps },
    Class { name: "background-steps", mutate: parts::background_steps },
    Class { name: "calls", mutate: parts::calls },
    Class { name: "runners", mutate: parts::runners },
    Class { name: "containers", mutate: parts::containers },
    Class { name: "matrix", mutate: parts::matrix },
    Class { name: "job-keys", mutate: parts::job_keys },
];

/// Workflows that are right.
pub(super) struct Seeds {
    trees: Vec<Value>,
    texts: Vec<String>,
}

/// Small workflows of the corpus, this project's own, and some that use what people seldom do.
pub(super) fn seeds() -> Option<Seeds> {
    let data = tool::data()?;
    let mut texts: Vec<String> = RARE.iter().map(|text| (*text).to_owned()).collect();
    let own = tool::repository().join("examples/sandbox-broker/.github/workflows");
    for (name, text) in files(&data.join("corpus/workflows")).into_iter().chain(files(&own)) {
        if text.len() < 4000 && refusals(&name, &text).is_empty() {
            texts.push(text);
        }
    }
    let tree = |text: &String| {
        let document = Document::parse_workflow(Source::new("seed.yml", text.as_str())).unwrap();
        decode(&document.root).unwrap()
    };
    Some(Seeds { trees: texts.iter().map(tree).collect(), texts })
}

const RARE: &[&str] =
    &[include_str!("rare/everything.yml"), include_str!("rare/called.yml"), include_str!("rare/forms.yml")];

fn written(tree: &Value) -> Option<String> {
    to_string(tree).ok()
}

/// A value from JSON, for tables of pieces.
fn piece(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A piece that fits so many times of a hundred, or one that does not.
fn fits(random: &mut Random, percent: usize, good: &[&str], bad: &[&str]) -> Value {
    let of = if random.chance(percent) { good } else { bad };
    any_of(random, of)
}

/// One of several pieces.
fn any_of(random: &mut Random, of: &[&str]) -> Value {
    piece(random.one::<&str>(of))
}

/// A workflow of one job with steps.
fn with_job(job: &Value) -> Value {
    let mut own = json!({ "runs-on": "ubuntu-24.04", "steps": [{ "run": "make" }] });
    for (key, value) in job.as_object().into_iter().flatten() {
        own[key] = value.clone();
    }
    json!({ "on": "push", "jobs": { "a": own } })
}
