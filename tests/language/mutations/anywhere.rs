//! Changes somewhere in a workflow.

use serde_json::{Value, json};

use super::{Seeds, written};
use crate::random::Random;

/// Every value of a tree by its way from the root: keys and positions.
fn places(tree: &Value) -> Vec<Vec<String>> {
    fn collect(value: &Value, way: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
        let below: Vec<(String, &Value)> = match value {
            Value::Object(entries) => entries.iter().map(|(key, value)| (key.clone(), value)).collect(),
            Value::Array(items) => {
                items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect()
            }
            _ => Vec::new(),
        };
        for (step, value) in below {
            way.push(step);
            found.push(way.clone());
            collect(value, way, found);
            way.pop();
        }
    }
    let mut found = Vec::new();
    collect(tree, &mut Vec::new(), &mut found);
    found
}

fn at<'a>(tree: &'a mut Value, way: &[String]) -> &'a mut Value {
    way.iter().fold(tree, |value, step| match value {
        Value::Array(items) => &mut items[step.parse::<usize>().unwrap()],
        value => &mut value[step.as_str()],
    })
}

/// Keys without which something cannot be; dropping any other is mostly harmless.
const REQUIRED: &[&str] = &[
    "on",
    "jobs",
    "runs-on",
    "run",
    "uses",
    "cron",
    "group",
    "name",
    "image",
    "type",
    "value",
    "image-name",
    "options",
];

pub(super) fn drop_key(seeds: &Seeds, random: &mut Random) -> Option<String> {
    let mut tree = random.one(&seeds.trees).clone();
    let mut places = places(&tree);
    if random.chance(75) {
        places.retain(|way| way.last().is_some_and(|key| REQUIRED.contains(&key.as_str())));
    }
    if places.is_empty() {
        return None;
    }
    let way = random.one(&places).clone();
    let (last, above) = way.split_last()?;
    match at(&mut tree, above) {
        Value::Object(entries) => drop(entries.shift_remove(last)),
        Value::Array(items) => drop(items.remove(last.parse().ok()?)),
        _ => return None,
    }
    written(&tree)
}

/// Keys of the language, and some that are not.
const KEYS: &[&str] = &[
    "name",
    "on",
    "env",
    "jobs",
    "runs-on",
    "steps",
    "uses",
    "with",
    "run",
    "if",
    "needs",
    "strategy",
    "matrix",
    "include",
    "exclude",
    "timeout-minutes",
    "continue-on-error",
    "permissions",
    "concurrency",
    "group",
    "cancel-in-progress",
    "queue",
    "container",
    "services",
    "image",
    "ports",
    "volumes",
    "options",
    "credentials",
    "outputs",
    "defaults",
    "shell",
    "working-directory",
    "id",
    "branches",
    "branches-ignore",
    "tags",
    "paths",
    "types",
    "cron",
    "timezone",
    "inputs",
    "secrets",
    "description",
    "required",
    "default",
    "type",
    "value",
    "environment",
    "url",
    "deployment",
    "fail-fast",
    "max-parallel",
    "background",
    "wait",
    "wait-all",
    "cancel",
    "parallel",
    "snapshot",
    "image-name",
    "version",
    "labels",
    "step",
    "job",
    "timeout",
    "Name",
    "RUNS-ON",
    "contents",
    "id-token",
    "push",
    "pull_request",
    "a",
    "_x",
    "two words",
];

pub(super) fn rename_key(seeds: &Seeds, random: &mut Random) -> Option<String> {
    let mut tree = random.one(&seeds.trees).clone();
    let mut places = places(&tree);
    // Where names are the author's, another name is as good.
    if random.chance(55) {
        let loose = [
            "env", "with", "outputs", "jobs", "matrix", "services", "inputs", "secrets", "include", "exclude",
        ];
        places.retain(|way| way.iter().rev().nth(1).is_some_and(|above| loose.contains(&above.as_str())));
    }
    if places.is_empty() {
        return None;
    }
    let way = random.one(&places).clone();
    let (last, above) = way.split_last()?;
    let Value::Object(entries) = at(&mut tree, above) else { return None };
    let new = if random.chance(40) { misspelt(last, random) } else { (*random.one(KEYS)).to_owned() };
    if entries.contains_key(&new) {
        return None;
    }
    *entries = std::mem::take(entries)
        .into_iter()
        .map(|(key, value)| if key == *last { (new.clone(), value) } else { (key, value) })
        .collect();
    written(&tree)
}

fn misspelt(word: &str, random: &mut Random) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    if letters.is_empty() {
        return "x".to_owned();
    }
    let position = random.below(letters.len());
    match random.below(4) {
        0 => drop(letters.remove(position)),
        1 => letters.insert(position, *random.one(&['x', '_', '-', '1', ' ', '.'])),
        2 => letters[position] = letters[position].to_ascii_uppercase(),
        _ => letters.reverse(),
    }
    letters.into_iter().collect()
}

pub(super) fn change_scalar(seeds: &Seeds, random: &mut Random) -> Option<String> {
    let mut tree = random.one(&seeds.trees).clone();
    let places = places(&tree);
    let way = random.one(&places).clone();
    let value = at(&mut tree, &way);
    // Whether a name is known to a condition is for the rules of expressions.
    if value.is_array() || value.is_object() || way.last().is_some_and(|key| key == "if") {
        return None;
    }
    let new = random
        .one(&[
            json!(null),
            json!(true),
            json!(false),
            json!(0),
            json!(-1),
            json!(5),
            json!(1.5),
            json!(""),
            json!("5"),
            json!("${{ github.ref }}"),
            json!("${{ 1 }}"),
            json!("x${{ 'y' }}"),
        ])
        .clone();
    // Steps and jobs are named, and scripts run, in every file: those take anything.
    if *value == new {
        return None;
    }
    *value = new;
    written(&tree)
}

pub(super) fn change_collection(seeds: &Seeds, random: &mut Random) -> Option<String> {
    let mut tree = random.one(&seeds.trees).clone();
    let mut places = places(&tree);
    if random.chance(70) {
        let flexible = [
            "on",
            "needs",
            "runs-on",
            "branches",
            "types",
            "concurrency",
            "environment",
            "tags",
            "paths",
            "container",
            "labels",
            "matrix",
            "include",
            "group",
            "wait",
            "branches-ignore",
            "secrets",
            "permissions",
        ];
        places.retain(|way| way.last().is_some_and(|key| flexible.contains(&key.as_str())));
    }
    if places.is_empty() {
        return None;
    }
    let way = random.one(&places).clone();
    let value = at(&mut tree, &way);
    let old = value.take();
    *value = match (old, random.below(4)) {
        (Value::Array(items), 0) => items.into_iter().next()?,
        (Value::Array(items), 1) => {
            Value::Object(items.into_iter().enumerate().map(|(at, item)| (format!("k{at}"), item)).collect())
        }
        (Value::Array(_), 2) => json!([]),
        (Value::Array(items), _) => items.into_iter().rev().collect(),
        (Value::Object(entries), 0) => entries.into_iter().next()?.1,
        (Value::Object(entries), 1) => entries.keys().cloned().map(Value::from).collect(),
        (Value::Object(_), 2) => json!({}),
        (Value::Object(entries), _) => entries.into_iter().rev().collect::<serde_json::Map<_, _>>().into(),
        (scalar, 0 | 1) => json!([scalar]),
        (scalar, 2) => json!({ "group": scalar }),
        (scalar, _) => json!({ "name": scalar }),
    };
    written(&tree)
}

/// Expressions that GitHub parses wherever they stand.
const SOUND: &[&str] = &[
    "${{ github.ref }}",
    "${{github.sha}}",
    "a ${{ github.actor }} b",
    "${{ github['ref'] }}",
    "${{ github.event.*.x }}",
    "${{ format('{0}', github.ref) }}",
    "${{ github.ref == 'x' && 1 || 2 }}",
    "${{ !github.ref }}",
    "${{ 'it''s' }}",
    "${{ (github.ref) }}",
    "${{ fromJSON('[]')[0] }}",
    "${{ toJson(github) }}",
    "${{ 0x1F }}",
    "${{ -1.5e3 }}",
    "${{ true }}",
    "${{ contains(github.ref, 'a') }} ${{ github.run_id }}",
    "${{ '}}' }}",
    "${{ vars.X }}",
    "${{ GitHub.Ref }}",
    "${{ github.event.a-b }}",
    "${{ null }}",
    "${{ github.ref < 3 }}",
];

/// Expressions that GitHub parses nowhere.
const BROKEN: &[&str] = &[
    "${{ }}",
    "${{",
    "${{ github.ref",
    "${{ github. }}",
    "${{ github..ref }}",
    "${{ 'open }}",
    "${{ \"x\" }}",
    "${{ 1 + 2 }}",
    "${{ github.ref }",
    "${{ (github.ref }}",
    "${{ github.ref) }}",
    "${{ github[0 }}",
    "${{ a b }}",
    "${{ == 1 }}",
    "${{ github.ref = 'x' }}",
    "${{ & }}",
    "${{ 1..2 }}",
    "${{ github.ref && }}",
    "${{ secrets }} ${{",
    "${{ '' '' }}",
    "${{ startsWith('a', ) }}",
    "${{ github.1 }}",
];

pub(super) fn expression(seeds: &Seeds, random: &mut Random) -> Option<String> {
    let mut tree = random.one(&seeds.trees).clone();
    let mut places = places(&tree);
    // Mostly where GitHub evaluates.
    let evaluated = ["env", "with", "steps", "run-name", "outputs", "strategy", "runs-on"];
    if random.chance(90) {
        places.retain(|way| {
            way.iter().any(|step| evaluated.contains(&step.as_str()))
                && way.first().is_some_and(|top| top != "on")
        });
        places.retain(|way| {
            !way.last().is_some_and(|key| {
                ["id", "shell", "uses", "if", "background", "wait", "cancel"].contains(&key.as_str())
            })
        });
    }
    if places.is_empty() {
        return None;
    }
    let way = random.one(&places).clone();
    let value = at(&mut tree, &way);
    if !value.is_string() {
        return None;
    }
    *value = json!(if random.chance(55) { random.one(SOUND) } else { random.one(BROKEN) });
    written(&tree)
}
