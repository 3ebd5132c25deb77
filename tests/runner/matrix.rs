//! The combinations of a matrix (GitHub docs, "Running variations of jobs in a workflow").

use pyfleet_core::workflow::Matrix;
use serde_json::{Map, Value as Json};

use super::evaluator::{Evaluator, Scope};

/// GitHub runs at most so many jobs of one matrix.
const LIMIT: usize = 256;

/// Evaluates a matrix and lists its combinations in order.
pub(super) fn combinations(
    matrix: &Matrix,
    evaluator: &mut Evaluator,
    scope: &Scope,
) -> Result<Vec<Map<String, Json>>, String> {
    let written = serde_json::to_value(matrix).unwrap();
    let Json::Object(mut axes) = evaluator.tree(&written, scope)? else {
        return Err("the matrix is no map".to_owned());
    };
    let mut listed = |key: &str| -> Result<Vec<Map<String, Json>>, String> {
        match axes.shift_remove(key) {
            None | Some(Json::Null) => Ok(Vec::new()),
            Some(Json::Array(items)) => items
                .into_iter()
                .map(|item| match item {
                    Json::Object(entries) => Ok(entries),
                    other => Err(format!("`{key}` of the matrix holds {other}, which is no map")),
                })
                .collect(),
            Some(other) => Err(format!("`{key}` of the matrix is {other}, which is no list")),
        }
    };
    let (include, exclude) = (listed("include")?, listed("exclude")?);

    let mut original = if axes.is_empty() { Vec::new() } else { vec![Map::new()] };
    for (name, values) in &axes {
        let Json::Array(values) = values else {
            return Err(format!("`{name}` of the matrix is {values}, which is no list"));
        };
        if values.is_empty() {
            return Err(format!("Matrix vector '{name}' does not contain any values"));
        }
        original = original
            .iter()
            .flat_map(|combination: &Map<String, Json>| {
                values.iter().map(move |value| {
                    let mut combination = combination.clone();
                    combination.insert(name.clone(), value.clone());
                    combination
                })
            })
            .collect();
    }
    original.retain(|combination| {
        !exclude
            .iter()
            .any(|excluded| excluded.iter().all(|(key, value)| combination.get(key) == Some(value)))
    });

    // An entry adds to each combination whose own values it leaves alone; to none, and it is one itself.
    let mut all = original.clone();
    for entry in include {
        let mut added = false;
        for (combination, own) in all.iter_mut().zip(&original) {
            if own.iter().all(|(key, value)| entry.get(key).is_none_or(|other| other == value)) {
                combination.extend(entry.clone());
                added = true;
            }
        }
        if !added {
            all.push(entry);
        }
    }
    match all.len() {
        0 => Err("Matrix must define at least one vector".to_owned()),
        1..=LIMIT => Ok(all),
        more => Err(format!("the matrix has {more} combinations, more than {LIMIT}")),
    }
}
