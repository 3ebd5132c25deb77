//! Changes of the text itself.

use super::{Seeds, fits, with_job, written};
use crate::random::Random;

/// Lines that hold a key and nothing that a line below belongs to in another way.
fn keyed(lines: &[&str]) -> Vec<usize> {
    let is_key = |line: &str| {
        let text = line.trim_start();
        let key = text.split(':').next().unwrap_or_default();
        text.contains(':')
            && !key.is_empty()
            && key.chars().all(|letter| letter.is_alphanumeric() || "-_".contains(letter))
    };
    (0..lines.len()).filter(|at| is_key(lines[*at])).collect()
}

pub(super) fn duplicate_key(seeds: &Seeds, random: &mut Random) -> Option<String> {
    let text = random.one(&seeds.texts);
    let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
    let borrowed: Vec<&str> = text.lines().collect();
    let mut places = keyed(&borrowed);
    // Beside what the author has named, another name is as good as the first is bad.
    let loose = random.chance(70);
    if loose {
        places.retain(|at| {
            let above = borrowed[..*at].iter().rev().find(|line| {
                let indent = line.len() - line.trim_start().len();
                !line.trim().is_empty() && indent < borrowed[*at].len() - borrowed[*at].trim_start().len()
            });
            above.is_some_and(|line| {
                ["env:", "with:", "outputs:"].contains(&line.trim_start_matches("- ").trim())
            })
        });
    }
    if places.is_empty() {
        return None;
    }
    let at = *random.one(&places);
    let line = &borrowed[at];
    let indent = &line[..line.len() - line.trim_start().len()];
    let key = line.trim_start().split(':').next()?;
    let new = match random.below(6) {
        0 => key.to_owned(),
        1 => key.to_uppercase(),
        2 => format!("'{key}'"),
        3 => format!("{key}x"),
        4 => format!("X{key}"),
        _ => format!("{key}_2"),
    };
    lines.insert(at, format!("{indent}{new}: {}", random.one(&["x", "1", "''"])));
    Some(lines.join("\n") + "\n")
}

pub(super) fn indentation(seeds: &Seeds, random: &mut Random) -> Option<String> {
    let text = random.one(&seeds.texts);
    let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
    let places: Vec<usize> = (0..lines.len()).filter(|at| !lines[*at].trim().is_empty()).collect();
    let at = *random.one(&places);
    let line = lines[at].clone();
    let text = line.trim_start();
    let indent = line.len() - text.len();
    lines[at] = match random.below(8) {
        0 => format!("  {line}"),
        1 => format!(" {line}"),
        2 if indent > 0 => line[1..].to_owned(),
        3 if indent > 1 => line[2..].to_owned(),
        4 => format!("{}\t{text}", " ".repeat(indent)),
        5 => format!("{line}   "),
        6 => format!("{line}\n\n"),
        7 => format!("{line} # a comment"),
        _ => return None,
    };
    Some(lines.join("\n") + "\n")
}

pub(super) fn punctuation(seeds: &Seeds, random: &mut Random) -> Option<String> {
    let text = random.one(&seeds.texts);
    let letters: Vec<char> = text.chars().collect();
    let marks: Vec<usize> =
        (0..letters.len()).filter(|at| ":-'\"[]{}|>#,\n".contains(letters[*at])).collect();
    let at = *random.one(&marks);
    let mut mutant = letters.clone();
    match random.below(4) {
        0 => drop(mutant.remove(at)),
        1 => mutant.insert(at, letters[at]),
        2 => {
            mutant[at] = *random.one(&[
                ':', '-', '\'', '"', '[', ']', '{', '}', '|', '>', '#', ',', '&', '*', '!', '%', '@', '`',
                ' ',
            ])
        }
        _ => mutant.insert(at + 1, *random.one(&[' ', ' ', '\'', '"', '#', ':', ',', '?'])),
    }
    Some(mutant.into_iter().collect())
}

/// Texts with anchors and aliases, put together.
pub(super) fn anchors(_: &Seeds, random: &mut Random) -> Option<String> {
    let env = *random.one(&[
        "&e\n      A: &v b",
        "&e {A: &v b}",
        "&e\n      A: &v 1\n      B: *v",
        "&e {A: &v 1, B: *v}",
    ]);
    let steps = *random.one(&[
        "&s\n      - &t {run: a}",
        "&s [&t {run: a}]",
        "&s\n      - &t {run: a}\n      - *t",
        "&s\n      - &t\n        run: a\n      - *t",
    ]);
    let choose = |random: &mut Random, good: &[&str], bad: &[&str]| {
        let of = if random.chance(88) { good } else { bad };
        (*random.one::<&str>(of)).to_owned()
    };
    let runner = choose(
        random,
        &["*r", "[*r]", "&r y", "[x, *r]", "{labels: *r}"],
        &["*s", "{label: *r}", "*", "[*e]", "{group: *e}"],
    );
    let other = choose(
        random,
        &["*e", "{A: *v}", "\n      A: *v", "*e # again", "&e {A: c}", "{A: *r, B: *v}"],
        &["*s", "{A: *e}", "*v", "{A: *s}", "*e\n      B: c", "[*e]", "\n      - *v", "&f *e", "*r"],
    );
    let more = choose(
        random,
        &[
            "*s",
            "[*t]",
            "\n      - *t",
            "[{run: *v}]",
            "\n      - run: b\n        env: *e",
            "[{run: b, env: *e}, *t]",
            "&s [*t]",
        ],
        &[
            "*t",
            "*e",
            "[*s]",
            "[*v]",
            "[{run: *e}]",
            "[{run: b, env: *s}]",
            "\n      *t",
            "{a: *t}",
            "[{uses: *e}]",
        ],
    );
    Some(format!(
        "on: push\njobs:\n  a:\n    runs-on: &r x\n    env: {env}\n    steps: {steps}\n  b:\n    runs-on: {runner}\n    env: {other}\n    steps: {more}\n"
    ))
}

/// Scalars as YAML's readers disagree about them.
const RAW: &[&str] = &[
    "0x1F",
    "0o17",
    "017",
    "1e3",
    "1_000",
    ".5",
    "+1",
    "-0",
    ".inf",
    ".nan",
    "~",
    "null",
    "Null",
    "yes",
    "on",
    "True",
    "TRUE",
    "tRUE",
    "2026-01-31",
    "12:30",
    "'5'",
    "\"5\"",
    "!!str 5",
    "!!int 5",
    "!!bool true",
    "!!float 1",
    "!!null ''",
    "! 5",
    "|\n          5",
    ">-\n          5",
    "5 # five",
    "'a\n\n          b'",
    "a\n          b",
    "",
    "''",
    "1.10",
    "1.",
    "0b1",
    "0xG",
    "1e",
    "1e400",
    "\"\\u0041\"",
    "\"\\x41\"",
    "'it''s'",
    "a: b",
    "- a",
    "[a",
    "a]",
    "@a",
    "%a",
    "\"a",
    "'a",
    "\"\\q\"",
];

pub(super) fn raw_scalars(_: &Seeds, random: &mut Random) -> Option<String> {
    let (key, value) = *random.one(&[
        ("timeout-minutes", "RAW"),
        ("continue-on-error", "RAW"),
        ("name", "RAW"),
        ("runs-on", "RAW"),
        ("concurrency", "RAW"),
        ("env", "{A}"),
        ("strategy", "{max-parallel}"),
        ("strategy", "{fail-fast}"),
        ("needs", "RAW"),
    ]);
    let raw = random.one(RAW);
    let value = match value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(inner) => format!("\n      {inner}: {raw}"),
        None => format!(" {raw}"),
    };
    let other = fits(random, 100, &["\"x\"", "1"], &["1"]);
    let text = written(&with_job(&serde_json::json!({ "name": other })))?;
    Some(
        if key == "name" {
            text.replacen("    name: x\n", "", 1).replacen("    name: 1\n", "", 1)
        } else {
            text
        }
        .replacen(
            "    runs-on: ubuntu-24.04\n",
            &if key == "runs-on" {
                format!("    runs-on:{value}\n")
            } else {
                format!("    runs-on: ubuntu-24.04\n    {key}:{value}\n")
            },
            1,
        ),
    )
}
