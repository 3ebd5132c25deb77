//! The `run:` bodies of the examples, as committed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use pyfleet_core::source::Source;
use pyfleet_core::workflow;

use crate::executed::script;
use crate::tool;

/// The body of one step: workflow file, job, and the step's position in it.
pub(crate) type Place = (String, String, usize);

/// An example's rendered tree.
#[derive(Clone)]
pub(crate) struct Example {
    /// Its directory.
    pub(crate) name: String,
    /// What its manifest is called by: a story that changes a copy keeps that.
    pub(crate) project: String,
    pub(crate) bodies: BTreeMap<Place, Body>,
}

/// What one step runs.
#[derive(Clone)]
pub(crate) struct Body {
    /// The step's name, which no other step of the job has.
    pub(crate) step: String,
    pub(crate) text: String,
}

/// Every example, read once.
pub(crate) fn examples() -> &'static [Example] {
    static EXAMPLES: LazyLock<Vec<Example>> = LazyLock::new(|| {
        let entries = fs::read_dir(tool::repository().join("examples")).unwrap();
        let mut roots: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        roots.retain(|root| root.join("pyfleet.yml").is_file());
        roots.sort();
        roots.iter().map(|root| Example::read(root)).collect()
    });
    &EXAMPLES
}

/// The example that a directory holds, or a copy of it: a story may change accounts and ids.
pub(crate) fn example_in(directory: &Path) -> Option<&'static Example> {
    let project = project_of(directory)?;
    examples().iter().find(|example| example.project == project)
}

fn project_of(directory: &Path) -> Option<String> {
    let manifest = fs::read_to_string(directory.join("pyfleet.yml")).ok()?;
    manifest.lines().find_map(|line| line.strip_prefix("project: ")).map(ToOwned::to_owned)
}

impl Example {
    fn read(root: &Path) -> Self {
        let mut example = Self {
            name: root.file_name().unwrap().to_str().unwrap().to_owned(),
            project: project_of(root).unwrap(),
            bodies: BTreeMap::new(),
        };
        for entry in fs::read_dir(root.join(".github/workflows")).unwrap() {
            let path = entry.unwrap().path();
            let place = path.strip_prefix(root).unwrap().to_str().unwrap();
            example.add(place, &fs::read_to_string(&path).unwrap());
        }
        example
    }

    /// The bodies of one more workflow.
    pub(crate) fn add(&mut self, place: &str, text: &str) {
        let (workflow, findings) = workflow::parse(Source::new(place, text));
        assert!(findings.is_empty(), "{place}: {findings:?}");
        for (id, job) in workflow.unwrap().0.jobs {
            let mut names: BTreeMap<String, usize> = BTreeMap::new();
            for (position, step) in job.steps.into_iter().enumerate() {
                let Some(text) = step.run else { continue };
                let mut name = step.name.unwrap_or_else(|| "a step".to_owned());
                let times = names.entry(name.clone()).or_default();
                *times += 1;
                if *times > 1 {
                    name = format!("{name} ({times})");
                }
                self.bodies.insert((place.to_owned(), id.clone(), position), Body { step: name, text });
            }
        }
    }
}

/// What a body is called, and is told from others by: the script that it calls or carries, or else its own text.
///
/// A body holds no expression: what differs between environments, stacks and examples enters by `env:`, and a job of one
/// environment is the job of another with other values. So a name stands for the whole text. Of a script, whose text is
/// the one in `templates/scripts` as other tests see, the name says enough, and stays when the script is changed.
pub(crate) fn name_of(body: &str) -> String {
    static SCRIPTS: LazyLock<Vec<(String, String)>> = LazyLock::new(script::scripts);
    let body = body.trim_end();
    if let Some(script) = body.strip_prefix("bash .github/scripts/").filter(|script| !script.contains(' ')) {
        return script.to_owned();
    }
    match SCRIPTS.iter().find(|(_, text)| text.trim_end() == body) {
        Some((script, _)) => format!("{script} (inline)"),
        None => body.replace('\n', " ⏎ "),
    }
}

/// Whether a body that ended so has shown its main failure. A script has, unless it says that it was called wrongly:
/// rendering gives it what it needs, and its contract's own tests see that it asks.
pub(crate) fn is_main_failure(name: &str, code: i32) -> bool {
    let codes = codes(name);
    if codes.is_empty() { code != 0 } else { code != 2 && codes.contains(&code) }
}

/// Whether a body can fail by itself: a script whose header knows no other failure than a wrong call says what it found,
/// and goes on.
pub(crate) fn can_fail(name: &str) -> bool {
    let codes = codes(name);
    codes.is_empty() || codes.iter().any(|code| ![0, 2].contains(code))
}

/// The exit codes that a script's header documents; none where a body is no script.
fn codes(name: &str) -> Vec<i32> {
    let script = name.strip_suffix(" (inline)").unwrap_or(name);
    if !script.ends_with(".sh") || script.contains([' ', '/']) {
        return Vec::new();
    }
    let text = fs::read_to_string(script::path_of(script)).unwrap();
    let (_, header) = text.split_once("\n# Exit codes\n").unwrap();
    let lines = header.lines().take_while(|line| line.starts_with("#   "));
    let said: Vec<&str> = lines.map(|line| line[4..].trim()).collect();
    let said = said.join(" · ");
    said.split('·').filter_map(|part| part.split_whitespace().next()?.parse().ok()).collect()
}
