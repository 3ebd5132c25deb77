//! examples/README.md: what each system's document asks for, and what does it.
//!
//! A cell of the second column names keys of the example's manifest: `a.b`, with `*` for any name, a list's item by its
//! text or key, and `a.b: text` for a key and its value. A cell of the third names places in its workflows: `tf: apply-prod`
//! is a job, `tf: apply-prod / Apply` a step of it, `tf: on.push` a key; `*` stands for any part of a job's id. The fourth
//! says how, and names files below `.github/`, files of this repository, and commands.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use pyfleet_core::source::Source;
use pyfleet_core::yaml::tree::{Document, Node, Value};
use pyfleet_gen::{Exit, Streams, run};

use crate::tool::repository;

/// Sections whose example is still to come: their names are looked up as soon as there is a manifest. Whoever adds the
/// example takes its line out.
const TO_COME: &[&str] = &[];

const HEAD: &str = "| the document says | manifest | workflow: jobs | how, or what instead and why |";
const RULE: &str = "|---|---|---|---|";
/// What a row says where a feature is done otherwise, or not at all.
const MARKS: [&str; 2] = ["**instead:**", "**not yet:**"];
/// A cell that names nothing.
const NOTHING: &str = "–";

struct Row<'a> {
    says: &'a str,
    keys: &'a str,
    jobs: &'a str,
    how: &'a str,
}

/// What one section says: its rows, and all that is wrong with them.
#[derive(Default)]
struct Section<'a> {
    rows: Vec<Row<'a>>,
    mistakes: Vec<String>,
}

#[test]
#[expect(clippy::print_stdout, reason = "the counts are worth reading, with --nocapture")]
fn every_key_job_file_and_command_of_the_table_exists() {
    let text = fs::read_to_string(repository().join("examples/README.md")).unwrap();
    let sections = sections(&text);
    let here: BTreeSet<String> = examples();
    let to_come: BTreeSet<String> = TO_COME.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(
        here.intersection(&to_come).collect::<Vec<_>>(),
        [""; 0],
        "they are here: take them out of TO_COME"
    );
    let named: BTreeSet<String> = sections.keys().map(|&name| name.to_owned()).collect();
    assert_eq!(named, &here | &to_come, "a section for each example");

    let mut mistakes = Vec::new();
    for (name, mut section) in sections {
        let example = here.contains(name).then(|| Example::read(name));
        section.judge(example.as_ref());
        let marked = |mark: &str| section.rows.iter().filter(|row| row.how.contains(mark)).count();
        let [instead, not_yet] = MARKS.map(marked);
        println!("{name}: {} rows, {instead} done otherwise, {not_yet} not done yet", section.rows.len());
        mistakes.extend(section.mistakes.into_iter().map(|mistake| format!("{name}: {mistake}")));
    }
    assert!(mistakes.is_empty(), "examples/README.md\n{}", mistakes.join("\n"));
}

/// The judge itself objects to what it is there for.
#[test]
fn a_table_that_says_what_is_not_so_is_refused() {
    let example = Example::read("pyfleet");
    let mistakes = |rows: &str| {
        let text = format!("## A: `pyfleet`\n\n{HEAD}\n{RULE}\n{rows}\n");
        let mut section = sections(&text).remove("pyfleet").unwrap();
        section.judge(Some(&example));
        section.mistakes.retain(|mistake| !mistake.starts_with("nothing names"));
        section.mistakes.join("\n")
    };
    for row in [
        "| a | `terraform.stacks.app.blue-green`, `environments.*.aws` | `tf: apply-prod`, `tf: plan-*` | so |",
        "| a | `terraform.backend.lock: both`, `notify.ops.on: waiting` | – | so |",
        "| a | – | `tf: apply-prod / Record it`, `tf: on.workflow_dispatch.inputs.active_color` | so |",
        "| a | – | – | `.github/cicd/README.md` |",
        "| a | – | – | `pyfleet-gen graph tf --format html` |",
        "| a | – | – | **instead:** nothing |",
    ] {
        assert_eq!(mistakes(row), "", "{row}");
    }
    for (row, mistake) in [
        ("| a | `terraform.stacks.app.blue` | – | so |", "no key `terraform.stacks.app.blue`"),
        ("| a | `terraform.backend.lock: s3` | – | so |", "no key `terraform.backend.lock: s3`"),
        ("| a | `environments` and more | – | so |", "the manifest cell is not a list of keys"),
        ("| a | – | `tf: apply-stage` | so |", "no place `tf: apply-stage`"),
        ("| a | – | `tf: apply-prod / Fly` | so |", "no place `tf: apply-prod / Fly`"),
        ("| a | – | `tf: on.push` | so |", "no place `tf: on.push`"),
        ("| a | – | `deploy: guard` | so |", "no place `deploy: guard`"),
        ("| a | – | – | `.github/cicd/none.md` |", "no file `.github/cicd/none.md`"),
        ("| a | – | – | `tests/none.rs` |", "no file `tests/none.rs`"),
        ("| a | – | – | `pyfleet-gen fly` |", "no command `pyfleet-gen fly`"),
        ("| a | – | – | `pyfleet-gen graph --fast` |", "no option `--fast`"),
        ("| a | – | – | so |", "names nothing, and says neither"),
        ("| a | `environments` | – |  |", "an empty cell"),
        ("| a | `environments` | – |", "3 cells"),
        ("| a | `environments` | – | so |\n| A  | `environments` | – | so |", "stands twice"),
    ] {
        assert!(mistakes(row).contains(mistake), "{row}: {}", mistakes(row));
    }
    let mut section = Section::default();
    section.judge(Some(&example));
    assert!(section.mistakes.contains(&"nothing names `environments.prod`".to_owned()));
    assert!(section.mistakes.contains(&"nothing names `workflows.tf-drift`".to_owned()));
    assert!(section.mistakes.contains(&"nothing names `notify`".to_owned()));
}

/// The sections by the directory that their heading ends with.
fn sections(text: &str) -> BTreeMap<&str, Section<'_>> {
    let mut sections: BTreeMap<&str, Section<'_>> = BTreeMap::new();
    let mut current = None;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(heading) = line.strip_prefix("## ") {
            let name = heading.split('`').nth(1).unwrap_or_else(|| panic!("{heading}: names no directory"));
            assert!(sections.insert(name, Section::default()).is_none(), "{name}: two sections");
            current = Some(name);
        } else if line == HEAD {
            assert_eq!(lines.next(), Some(RULE));
        } else if line.starts_with('|') {
            let name = current.unwrap_or_else(|| panic!("a row in no section: {line}"));
            let section = sections.get_mut(name).unwrap();
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            match cells[..] {
                [says, keys, jobs, how] => section.rows.push(Row { says, keys, jobs, how }),
                _ => section.mistakes.push(format!("{} cells: {line}", cells.len())),
            }
        }
    }
    sections
}

impl Section<'_> {
    fn judge(&mut self, example: Option<&Example>) {
        let mut seen = BTreeSet::new();
        let mut named = BTreeSet::new();
        for row in &self.rows {
            let mut found = Vec::new();
            if [row.says, row.keys, row.jobs, row.how].contains(&"") {
                found.push("an empty cell".to_owned());
            }
            if !seen.insert(row.says.to_lowercase()) {
                found.push("stands twice".to_owned());
            }
            let keys = listed(row.keys).unwrap_or_else(|| {
                found.push("the manifest cell is not a list of keys".to_owned());
                Vec::new()
            });
            let jobs = listed(row.jobs).unwrap_or_else(|| {
                found.push("the workflow cell is not a list of places".to_owned());
                Vec::new()
            });
            let files: Vec<&str> = spans(row.how).filter(|span| is_file(span)).collect();
            let commands: Vec<&str> =
                spans(row.how).filter(|span| span.starts_with("pyfleet-gen ")).collect();
            let is_marked = MARKS.iter().any(|mark| row.how.contains(mark));
            if !is_marked && [&keys, &jobs, &files, &commands].iter().all(|names| names.is_empty()) {
                found.push("names nothing, and says neither **instead:** nor **not yet:**".to_owned());
            }
            found.extend(commands.iter().filter_map(|command| wrong_command(command)));
            if let Some(example) = example {
                for key in &keys {
                    if !example.has_key(key) {
                        found.push(format!("no key `{key}` in the manifest"));
                    }
                    let mut parts = key.split(['.', ':']);
                    let first = parts.next().unwrap_or_default();
                    named.insert(first.to_owned());
                    named.extend(parts.next().map(|second| format!("{first}.{second}")));
                }
                for job in &jobs {
                    if !example.has_place(job) {
                        found.push(format!("no place `{job}` in the workflows"));
                    }
                    named.extend(job.split_once(": ").map(|(file, _)| format!("workflows.{file}")));
                }
                found.extend(
                    files
                        .iter()
                        .filter(|file| !example.has_file(file))
                        .map(|file| format!("no file `{file}`")),
                );
            }
            self.mistakes.extend(found.into_iter().map(|mistake| format!("{mistake}: {}", row.says)));
        }
        for wanted in example.into_iter().flat_map(Example::has_to_be_named) {
            if !named.contains(&wanted) {
                self.mistakes.push(format!("nothing names `{wanted}`"));
            }
        }
    }
}

/// What stands between backticks, where a cell is a list of such and nothing else.
fn listed(cell: &str) -> Option<Vec<&str>> {
    if cell == NOTHING {
        return Some(Vec::new());
    }
    let names: Vec<&str> = cell.strip_prefix('`')?.strip_suffix('`')?.split("`, `").collect();
    names.iter().all(|name| !name.is_empty() && !name.contains('`')).then_some(names)
}

fn spans(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// A file of the example's own `.github`, or of this repository.
fn is_file(span: &str) -> bool {
    let is_path = !span.contains([' ', '*', '$', '<']);
    is_path
        && [".github/", "tests/", "docs/", "templates/", "pyfleet-core/"]
            .iter()
            .any(|start| span.starts_with(start))
}

/// What is wrong with a command, as `--help` knows it.
fn wrong_command(command: &str) -> Option<String> {
    let words: Vec<&str> = command.split(' ').collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut streams = Streams { out: &mut out, err: &mut err, colour: false };
    if run(["pyfleet-gen", words[1], "--help"], &mut streams) != Exit::Clean {
        return Some(format!("no command `{command}`"));
    }
    let help = String::from_utf8(out).unwrap();
    let unknown = words[2..].iter().find(|word| word.starts_with("--") && !help.contains(*word))?;
    Some(format!("no option `{unknown}` of `{command}`"))
}

/// An example as committed.
struct Example {
    name: String,
    manifest: Document,
    workflows: BTreeMap<String, Document>,
}

impl Example {
    fn read(name: &str) -> Self {
        let root = repository().join("examples").join(name);
        let mut workflows = BTreeMap::new();
        for entry in fs::read_dir(root.join(".github/workflows")).unwrap() {
            let path = entry.unwrap().path();
            let file = path.file_stem().unwrap().to_str().unwrap().to_owned();
            workflows.insert(file, document(&path));
        }
        Self { name: name.to_owned(), manifest: document(&root.join("pyfleet.yml")), workflows }
    }

    fn has_key(&self, key: &str) -> bool {
        let (path, value) = match key.split_once(": ") {
            Some((path, value)) => (path, Some(value)),
            None => (key, None),
        };
        reaches(&self.manifest.root, &path.split('.').collect::<Vec<_>>(), value)
    }

    fn has_place(&self, place: &str) -> bool {
        let Some((file, place)) = place.split_once(": ") else { return false };
        let Some(workflow) = self.workflows.get(file) else { return false };
        if place.contains('.') && !place.contains(" / ") {
            return reaches(&workflow.root, &place.split('.').collect::<Vec<_>>(), None);
        }
        let (id, step) = match place.split_once(" / ") {
            Some((id, step)) => (id, Some(step)),
            None => (place, None),
        };
        let jobs = workflow.root.get("jobs").unwrap().entries();
        jobs.iter().filter(|(job, _)| job.as_str().is_some_and(|job| is_like(job, id))).any(|(_, job)| {
            step.is_none_or(|step| {
                let mut steps = job.get("steps").into_iter().flat_map(Node::items);
                steps.any(|each| each.get("name").and_then(Node::as_str) == Some(step))
            })
        })
    }

    fn has_file(&self, file: &str) -> bool {
        let root = repository();
        root.join("examples").join(&self.name).join(file).exists()
            || (!file.starts_with(".github/") && root.join(file).exists())
    }

    /// Every section of the manifest, every environment and every workflow.
    fn has_to_be_named(&self) -> Vec<String> {
        let facts = ["version", "project"];
        let names = |node: &Node| -> Vec<String> {
            node.entries().iter().map(|(key, _)| key.as_str().unwrap().to_owned()).collect()
        };
        let mut wanted = names(&self.manifest.root);
        wanted.retain(|section| !facts.contains(&section.as_str()));
        for section in ["environments", "workflows"] {
            let inside = self.manifest.root.get(section).map(names).unwrap_or_default();
            wanted.extend(inside.into_iter().map(|name| format!("{section}.{name}")));
        }
        wanted
    }
}

/// Whether a path leads somewhere, and to a value where one is given. An item of a list is reached by its text, or by
/// what it holds.
fn reaches(node: &Node, path: &[&str], value: Option<&str>) -> bool {
    if let Value::Sequence(items) = &node.value {
        return match (path, value) {
            ([], None) => true,
            _ => items.iter().any(|item| reaches(item, path, value)),
        };
    }
    match (path, value) {
        ([], None) => true,
        ([], Some(value)) => match &node.value {
            Value::Bool(is_so) => is_so.to_string() == value,
            Value::Number(number) => number.text() == value,
            _ => node.as_str() == Some(value),
        },
        ([first, rest @ ..], _) => {
            let is_item = rest.is_empty() && value.is_none() && node.as_str() == Some(*first);
            let mut entries = node.entries().iter();
            is_item
                || entries.any(|(key, node)| {
                    (*first == "*" || key.as_str() == Some(*first)) && reaches(node, rest, value)
                })
        }
    }
}

/// Whether a text is like a pattern in which `*` stands for anything.
fn is_like(text: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => text == pattern,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            text.char_indices().any(|(at, _)| is_like(&text[at..], rest)) || is_like("", rest)
        }),
    }
}

fn document(path: &Path) -> Document {
    let text = fs::read_to_string(path).unwrap();
    Document::parse_workflow(Source::new(path.to_str().unwrap(), text)).unwrap()
}

fn examples() -> BTreeSet<String> {
    fs::read_dir(repository().join("examples"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("pyfleet.yml").is_file())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect()
}
