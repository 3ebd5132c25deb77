//! Expressions, against GitHub's own evaluator: generated ones and broken ones. A difference prints the seed that
//! repeats it: `PYFLEET_SEED=… cargo test --test integration -- expressions::`.

use std::io::{Seek, Write};
use std::process::Stdio;

use pyfleet_core::expression::evaluate::{Evaluated, Scope, Status, evaluate};
use pyfleet_core::expression::value::{Object, Value};
use pyfleet_core::expression::{Available, Context, parse};
use serde_json::{Value as Json, json};

use crate::tool;

/// How many expressions are compared, half of them broken.
const COUNT: usize = 6000;

/// Numbers that look random, the same for the same seed (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn expression(&mut self, depth: usize) -> String {
        let choice = if depth == 0 { self.below(2) } else { self.below(12) };
        let mut inner = || self.expression(depth.saturating_sub(1));
        match choice {
            0 => self.one(LITERALS).to_owned(),
            1 => self.one(READS).to_owned(),
            2 => format!("!{}", inner()),
            3 => format!("({})", inner()),
            4 | 5 => {
                let (left, right) = (inner(), inner());
                format!("{left} {} {right}", self.one(&["==", "!=", "<", "<=", ">", ">="]))
            }
            6 | 7 => {
                let (left, right) = (inner(), inner());
                format!("{left} {} {right}", self.one(&["&&", "||"]))
            }
            8 => {
                let index = inner();
                format!("{}[{index}]", self.one(READS))
            }
            9 => format!("({}).*", inner()),
            _ => {
                let (name, least, most) = FUNCTIONS[self.below(FUNCTIONS.len())];
                let count = least + self.below(most - least + 1);
                let arguments: Vec<String> = (0..count).map(|_| self.expression(depth - 1)).collect();
                format!("{name}({})", arguments.join(", "))
            }
        }
    }

    /// The text with one character more, less or changed.
    fn broken(&mut self, text: &str) -> String {
        let mut characters: Vec<char> = text.chars().collect();
        let at = self.below(characters.len() + 1);
        let other = CHARACTERS[self.below(CHARACTERS.len())];
        match self.below(3) {
            0 => characters.insert(at, other),
            1 if at < characters.len() => characters[at] = other,
            _ if at < characters.len() => {
                characters.remove(at);
            }
            _ => characters.push(other),
        }
        characters.into_iter().collect()
    }
}

const CHARACTERS: &[char] = &[
    ' ', '\n', '\t', '\'', '"', '(', ')', '[', ']', '.', ',', '*', '!', '=', '<', '>', '&', '|', '-', '+',
    '_', '0', '7', 'a', 'E', 'x', 'ü', '{', '}',
];

const LITERALS: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-1.5",
    "1e3",
    "0xff",
    "0o17",
    ".5",
    "+2",
    "1e-7",
    "123456789012345680000",
    "1e21",
    "0.1",
    "3.0000000000000004",
    "NaN",
    "Infinity",
    "-Infinity",
    "''",
    "'a'",
    "'A'",
    "'true'",
    "'1'",
    "' 12 '",
    "'it''s'",
    "'{0}-{1}'",
    "'{{{0}}}'",
    "'{0'",
    "'[1, \"b\", null]'",
    "'{\"a\": {\"B\": [1]}, \"c\": true}'",
    "'é'",
    "'É'",
    "'refs/heads/main'",
    "'0x10'",
    "'\u{1}\t\"'",
    "'\u{1f600}'",
];

const READS: &[&str] = &[
    "github",
    "github.ref",
    "GitHub.Ref",
    "github.event",
    "github.event.commits",
    "github.event.commits.*.id",
    "github.event.*",
    "github.event.commits[0].author.name",
    "github['ref']",
    "github.none",
    "env.EMPTY",
    "env.N",
    "inputs.yes",
    "inputs.no",
    "inputs.count",
    "matrix.list",
    "matrix.list[1]",
    "matrix.deep.*.x",
    "matrix.nothing",
    "needs.*.result",
    "needs.a.outputs",
];

const FUNCTIONS: &[(&str, usize, usize)] = &[
    ("contains", 2, 2),
    ("startsWith", 2, 2),
    ("ENDSWITH", 2, 2),
    ("format", 1, 3),
    ("join", 1, 2),
    ("toJSON", 1, 1),
    ("fromjson", 1, 1),
    ("case", 3, 3),
    ("case", 5, 5),
    ("success", 0, 0),
    ("failure", 0, 0),
    ("always", 0, 0),
    ("cancelled", 0, 1),
    ("contains", 1, 3),
    ("hashFiles", 1, 1),
    ("nothing", 0, 1),
];

fn contexts() -> Json {
    json!({
        "github": {"ref": "refs/heads/Main", "event": {
            "commits": [{"id": "a1", "author": {"name": "Ada"}}, {"id": "b2"}, "text"],
            "number": 7, "draft": false, "body": null}},
        "env": {"EMPTY": "", "N": "42"},
        "inputs": {"yes": true, "no": false, "count": 3},
        "matrix": {"list": ["x", 1, null], "deep": [{"x": 1}, {"X": [2, 3]}], "nothing": null},
        "needs": {"a": {"result": "success", "outputs": {"o": "1"}}, "b": {"result": "skipped", "outputs": {}}},
    })
}

/// What this project says, in the form of GitHub's answer: the value, or whether parsing or evaluating fails.
fn ours(text: &str, scope: &Scope) -> Result<(Json, String, bool), &'static str> {
    let here =
        Available::of(&[Context::Github, Context::Env, Context::Inputs, Context::Matrix, Context::Needs]);
    let expression = parse(text).map_err(|_| "parsing")?;
    if !expression.refused(here.and_status_of_steps()).is_empty() {
        return Err("parsing");
    }
    let evaluated = evaluate(&expression, scope).map_err(|_| "evaluation")?;
    let value = evaluated.value().unwrap_or_else(|| panic!("{text}: {evaluated:?}"));
    let json = serde_json::from_str(&value.to_json().unwrap()).unwrap();
    Ok((json, value.text().unwrap().to_string(), value.truth().unwrap()))
}

fn theirs(answer: &Json) -> Result<(Json, String, bool), &'static str> {
    if let Some(error) = answer["error"].as_str() {
        let parsing = ["Unexpected", "Unrecognized", "Too ", "Even ", "Exceeded", "ErrorExceeded"];
        return Err(if parsing.iter().any(|own| error.starts_with(own)) { "parsing" } else { "evaluation" });
    }
    let text = answer["text"].as_str().unwrap().to_owned();
    Ok((answer["value"].clone(), text, answer["truthy"].as_bool().unwrap()))
}

/// Where the published evaluator is known to differ from GitHub's server, whose source and vectors say otherwise: it
/// takes a comma before a bracket that closes, reads binary and wide numbers, undoes one doubled quote a text, and takes
/// no white space beyond ASCII, which is therefore not generated.
fn is_exempt(text: &str) -> bool {
    let packed: String = text.split_whitespace().collect();
    let lower = packed.to_lowercase();
    packed.contains(",)")
        || packed.matches("''").count() > 1
        || ["0b", "0x", "0o"].iter().any(|base| lower.matches(base).count() > usize::from(*base != "0b"))
        || lower.contains("0xff0")
        || lower.contains("0xff7")
}

#[test]
fn agree_with_githubs_evaluator() {
    let (Some(node), Some(_packages)) = (tool::find("node"), tool::find("prettier")) else { return };
    let seed = std::env::var("PYFLEET_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_121);
    let mut random = Random(seed);
    let mut texts = Vec::new();
    while texts.len() < COUNT {
        let depth = 1 + random.below(4);
        let text = random.expression(depth);
        let broken = random.broken(&text);
        texts.extend([text, broken].into_iter().filter(|text| !text.trim().is_empty() && !is_exempt(text)));
    }
    let mut requests = tempfile::tempfile().unwrap();
    let status = json!({"success": true, "failure": false, "cancelled": false, "always": true});
    for text in &texts {
        let request = json!({"expression": text, "contexts": contexts(), "status": status});
        writeln!(requests, "{request}").unwrap();
    }
    requests.rewind().unwrap();
    let script = tool::repository().join("tests/tools/evaluate.mjs");
    let output = node.command().arg(script).stdin(Stdio::from(requests)).output().unwrap();
    let answers = String::from_utf8(output.stdout).unwrap();
    assert_eq!(answers.lines().count(), texts.len(), "{}", String::from_utf8_lossy(&output.stderr));

    let mut scope = Scope::new().with_status(Status {
        success: Some(true),
        failure: Some(false),
        cancelled: Some(false),
    });
    for (name, value) in contexts().as_object().unwrap() {
        scope = scope.with(name, Value::from_json(&value.to_string()).unwrap());
    }
    let (mut accepted, mut failed, mut differ) = (0, 0, Vec::new());
    for (text, answer) in texts.iter().zip(answers.lines()) {
        let answer: Json = serde_json::from_str(answer).unwrap();
        let (ours, theirs) = (ours(text, &scope), theirs(&answer));
        match &theirs {
            Ok(_) => accepted += 1,
            Err("evaluation") => failed += 1,
            Err(_) => {}
        }
        if ours != theirs {
            differ.push(format!("{text:?}\n  here {ours:?}\n  there {theirs:?} {answer}"));
        }
    }
    println!("{COUNT} expressions: {accepted} evaluated, {failed} failed, the rest refused; seed {seed}");
    assert!(accepted * 4 > COUNT, "{accepted} of {COUNT} are expressions");
    assert!(differ.is_empty(), "{} differ, PYFLEET_SEED={seed}:\n{}", differ.len(), differ.join("\n"));
}

/// Some of what is known, some members of objects, or nothing.
fn forgotten(random: &mut Random, value: &Value) -> Value {
    match (random.below(4), value) {
        (0, _) => Value::Unknown,
        (1 | 2, Value::Object(object)) => {
            let mut some = Object::open();
            for (name, value) in object.members() {
                if random.below(2) == 0 {
                    some.insert(name, forgotten(random, value));
                }
            }
            some.into()
        }
        _ => value.clone(),
    }
}

/// What is said while much is unknown holds once everything is known.
#[test]
fn what_is_decided_early_stays_decided() {
    let seed = std::env::var("PYFLEET_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_122);
    let mut random = Random(seed);
    let whole = Value::from_json(&contexts().to_string()).unwrap();
    let Value::Object(whole) = whole else { panic!() };
    let (mut decided, mut undecided) = (0, 0);
    for _ in 0..40_000 {
        let depth = 1 + random.below(4);
        let text = random.expression(depth);
        let Ok(expression) = parse(&text) else { continue };
        let (mut all, mut some) = (Scope::new(), Scope::new());
        for (name, value) in whole.members() {
            all = all.with(name, value.clone());
            some = some.with(name, forgotten(&mut random, value));
        }
        let status = Status { success: Some(true), failure: Some(false), cancelled: Some(false) };
        let known = |status: Option<bool>, random: &mut Random| status.filter(|_| random.below(2) == 0);
        let partly = Status {
            success: known(status.success, &mut random),
            failure: known(status.failure, &mut random),
            cancelled: known(status.cancelled, &mut random),
        };
        let late = evaluate(&expression, &all.with_status(status));
        match (evaluate(&expression, &some.with_status(partly)), late) {
            (Err(_), late) => assert!(late.is_err(), "{text}, seed {seed}: fails only while less is known"),
            // It may still fail at what was not known, and then nothing comes of it.
            (Ok(_), Err(_)) => {}
            (Ok(Evaluated::Known(early)), Ok(late)) => {
                assert_eq!(late.truth(), early.truth(), "{text}, seed {seed}");
                if early.is_known() {
                    let late = late.value().and_then(Value::to_json);
                    assert_eq!(late, early.to_json(), "{text}, seed {seed}");
                }
                decided += 1;
            }
            (Ok(Evaluated::Unknown { truth, because }), Ok(late)) => {
                assert!(!because.is_empty(), "{text}, seed {seed}");
                if let Some(truth) = truth {
                    // `hashFiles` stays unknown.
                    assert!(late.truth().is_none_or(|late| late == truth), "{text}, seed {seed}");
                }
                undecided += 1;
            }
        }
    }
    println!("{decided} decided, {undecided} not, seed {seed}");
    assert!(decided > 5000 && undecided > 5000);
}
