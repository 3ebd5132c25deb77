//! The combinations of a matrix (GitHub docs, "Running variations of jobs in a workflow").

use serde_json::{Map, Value as Json};

use super::contexts::value;
use crate::expression::evaluate::Scope;
use crate::workflow::{Job, Matrix};

/// GitHub runs no more jobs of one matrix.
const LIMIT: usize = 256;

/// More comparisons are not worth the answer.
const MOST_COMPARED: usize = 1 << 18;

/// Every combination as GitHub shows it in a job's name; none without a matrix, and where it is not known or is none.
pub(super) fn combinations(job: &Job, scope: &Scope) -> Option<Vec<String>> {
    let strategy = job.strategy.as_ref().filter(|strategy| strategy.computed.is_none())?;
    let written = match strategy.matrix.as_ref()? {
        Matrix::Expression(text) => Json::String(text.clone()),
        Matrix::Axes(axes) => serde_json::to_value(axes).ok()?,
    };
    let Json::Object(mut axes) = known(&written, scope)? else { return None };
    let mut listed = |key: &str| match axes.shift_remove(key) {
        None | Some(Json::Null) => Some(Vec::new()),
        Some(Json::Array(items)) => items.into_iter().map(map).collect(),
        Some(_) => None,
    };
    let (include, exclude) = (listed("include")?, listed("exclude")?);
    let mut all: Vec<Map<String, Json>> = if axes.is_empty() { Vec::new() } else { vec![Map::new()] };
    for (name, values) in &axes {
        let Json::Array(values) = values else { return None };
        if all.len().saturating_mul(values.len()) > 100 * LIMIT {
            return None;
        }
        let with = |combination: &Map<String, Json>, value: &Json| {
            let mut combination = combination.clone();
            combination.insert(name.clone(), value.clone());
            combination
        };
        all = all.iter().flat_map(|own| values.iter().map(move |value| with(own, value))).collect();
    }
    if all.len().saturating_mul(include.len() + exclude.len()) > MOST_COMPARED {
        return None;
    }
    let is_in = |part: &Map<String, Json>, whole: &Map<String, Json>| {
        part.iter().all(|(key, value)| whole.get(key) == Some(value))
    };
    all.retain(|combination| !exclude.iter().any(|excluded| is_in(excluded, combination)));
    // An entry adds to each combination whose own values it leaves alone; to none, and it is one itself.
    let original = all.clone();
    for entry in include {
        let mut was_added = false;
        for (combination, own) in all.iter_mut().zip(&original) {
            if own.iter().all(|(key, value)| entry.get(key).is_none_or(|other| other == value)) {
                combination.extend(entry.clone());
                was_added = true;
            }
        }
        if !was_added {
            all.push(entry);
        }
    }
    (!all.is_empty() && all.len() <= LIMIT).then(|| all.iter().map(shown).collect())
}

fn map(item: Json) -> Option<Map<String, Json>> {
    match item {
        Json::Object(entries) => Some(entries),
        _ => None,
    }
}

/// `ubuntu-24.04, 3.12`: lists and maps are left out.
fn shown(combination: &Map<String, Json>) -> String {
    let scalars = combination.values().filter_map(|value| match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(_) | Json::Bool(_) => Some(value.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    });
    scalars.collect::<Vec<_>>().join(", ")
}

/// A tree with what its expressions are; none where one of them is not known.
fn known(tree: &Json, scope: &Scope) -> Option<Json> {
    match tree {
        Json::String(text) => {
            let value = value(text, scope).ok()?;
            value.is_known().then(|| serde_json::from_str(&value.to_json()?).ok()).flatten()
        }
        Json::Array(items) => {
            items.iter().map(|item| known(item, scope)).collect::<Option<Vec<_>>>().map(Json::Array)
        }
        Json::Object(entries) => entries
            .iter()
            .map(|(key, value)| Some((key.clone(), known(value, scope)?)))
            .collect::<Option<Map<_, _>>>()
            .map(Json::Object),
        other => Some(other.clone()),
    }
}
