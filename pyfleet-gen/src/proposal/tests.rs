//! Test groups, from Python projects and Node packages.

use serde::Serialize;

use super::names::Names;
use super::{Guesses, Said};
use crate::survey::node::Manager;
use crate::survey::python::Install;
use crate::survey::tree::{below, join, name_of};
use crate::survey::{Notes, Survey, node, python};

/// As many groups are proposed.
const MOST: usize = 30;
/// A group with more suites has one, which runs them all.
const SUITES: usize = 10;
/// What every hosted runner has, where nothing else is said.
const PYTHON: &str = "3.13";
/// The line of Node with long-term support.
const NODE: &str = "24";

#[derive(Serialize)]
pub(super) struct TestGroup {
    name: String,
    language: &'static str,
    /// Nothing for the root.
    directory: Option<String>,
    versions: Vec<String>,
    versions_because: String,
    install: Option<Said>,
    suites: Vec<Suite>,
    coverage: bool,
    minimum: Option<u8>,
    /// Whether an audit can read what is installed: from a requirements file, or npm's lock file.
    #[serde(skip)]
    can_be_audited: bool,
    /// Whether ESLint and its settings are there.
    #[serde(skip)]
    has_eslint: bool,
}

#[derive(Serialize)]
struct Suite {
    name: String,
    command: String,
}

impl TestGroup {
    pub(super) fn is_python(&self) -> bool {
        self.language == "python"
    }

    pub(super) fn is_node(&self) -> bool {
        self.language == "node"
    }

    pub(super) fn can_be_audited(&self) -> bool {
        self.can_be_audited
    }

    pub(super) fn has_eslint(&self) -> bool {
        self.has_eslint
    }
}

pub(super) fn propose(survey: &Survey, guesses: &mut Guesses, notes: &mut Notes) -> Vec<TestGroup> {
    let mut names = Names::default();
    // `test-api-unit` may be the suite `unit` of `api`, or that of `test-api`: each job's name once.
    let mut jobs = Names::default();
    let mut groups = Vec::new();
    for project in &survey.python {
        for suite in &project.live_suites {
            notes.add(format!(
                "`{}` was left out: by its name it tests something that runs",
                join(&project.directory, suite)
            ));
        }
        if groups.len() == MOST {
            notes.add(most());
        } else if !project.suites.is_empty() {
            groups.push(of_python(project, &mut names, &mut jobs, guesses, notes));
        } else if project.live_suites.is_empty() {
            notes.add(format!(
                "Python in `{}` has no tests that pytest would find, and was left out",
                project.directory
            ));
        }
    }
    for package in &survey.node {
        let is_in = |other: &node::Package| {
            other.manager != Manager::NpmUnlocked
                && other.directory != package.directory
                && below(&other.directory, &package.directory).is_some()
        };
        let left_out = match package.manager {
            Manager::Yarn => Some("it is installed with Yarn, and pyfleet sets up npm".to_owned()),
            Manager::Pnpm => Some("it is installed with pnpm, and pyfleet sets up npm".to_owned()),
            _ if !package.has_tests => Some("its package.json has no test script".to_owned()),
            Manager::NpmUnlocked => survey
                .node
                .iter()
                .find(|other| is_in(other))
                .map(|other| format!("it is locked by the package in `{}`", other.directory)),
            Manager::Npm => None,
        };
        match left_out {
            Some(why) => notes.add(format!("Node in `{}` was left out: {why}", package.directory)),
            None if groups.len() == MOST => notes.add(most()),
            None => groups.push(of_node(package, &mut names, &mut jobs, guesses)),
        }
    }
    groups
}

fn of_python(
    project: &python::Project,
    names: &mut Names,
    jobs: &mut Names,
    guesses: &mut Guesses,
    notes: &mut Notes,
) -> TestGroup {
    let name = names.take(&project.directory, "python");
    let at = format!("tests.{name}");
    let (versions, because_of_versions) = project
        .versions
        .clone()
        .unwrap_or_else(|| (vec![PYTHON.to_owned()], "nothing says which".to_owned()));
    guesses.say(&format!("{at}.python"), &versions.join(", "), &because_of_versions);
    let (command, because, prefix) = install(project);
    if !project.has_pytest {
        notes.add(format!(
            "pytest is named nowhere in `{}`: it is installed in its newest version; pin it",
            project.directory
        ));
    }
    let coverage = if project.has_coverage { " --cov --cov-report=xml" } else { "" };
    let directories =
        if project.suites.len() > SUITES { vec![".".to_owned()] } else { project.suites.clone() };
    let suites = directories.iter().map(|directory| {
        let (word, path) = match directory.as_str() {
            "." => ("all", String::new()),
            path => (name_of(path), format!(" {path}")),
        };
        Suite { name: suite(&name, word, jobs), command: format!("{prefix}pytest{path}{coverage}") }
    });
    let suites: Vec<Suite> = suites.collect();
    TestGroup {
        language: "python",
        directory: directory(&project.directory),
        versions,
        versions_because: because_of_versions,
        install: Some(guesses.say(&format!("{at}.install"), &command, &because)),
        suites,
        coverage: project.has_coverage,
        minimum: project.minimum,
        can_be_audited: matches!(project.install, Install::Requirements(_)),
        has_eslint: false,
        name,
    }
}

fn most() -> String {
    format!("only the first {MOST} groups of tests are in the manifest")
}

/// The command, why that one, and what stands before `pytest`.
fn install(project: &python::Project) -> (String, String, &'static str) {
    let pytest = if project.has_pytest { "" } else { " pytest" };
    let text = |text: &str| text.to_owned();
    match &project.install {
        Install::Requirements(files) => {
            let files: Vec<String> = files.iter().map(|file| format!("-r {file}")).collect();
            (
                format!("pip install {}{pytest}", files.join(" ")),
                text("the requirements files that are here"),
                "",
            )
        }
        Install::Package { extras: Some(extras), .. } => (
            format!("pip install -e '.[{extras}]'{pytest}"),
            format!("the package with its extra `{extras}`"),
            "",
        ),
        // Older versions of pip know no groups.
        Install::Package { group: Some(group), .. } => (
            format!("pip install 'pip>=25.1' && pip install -e . --group {group}{pytest}"),
            format!("the package with its dependency group `{group}`"),
            "",
        ),
        Install::Package { .. } => (format!("pip install -e .{pytest}"), text("the package itself"), ""),
        Install::Uv => (text("pip install uv && uv sync --locked"), text("uv.lock is here"), "uv run "),
        Install::Poetry => {
            (text("pip install poetry && poetry install"), text("it is Poetry's"), "poetry run ")
        }
        Install::Pipenv => {
            (text("pip install pipenv && pipenv sync --dev"), text("Pipfile.lock is here"), "pipenv run ")
        }
        Install::Unknown => (text("pip install pytest"), text("nothing says what the tests need"), ""),
    }
}

fn of_node(package: &node::Package, names: &mut Names, jobs: &mut Names, guesses: &mut Guesses) -> TestGroup {
    let name = names.take(&package.directory, "node");
    let at = format!("tests.{name}");
    let (version, because) =
        package.version.clone().unwrap_or_else(|| (NODE.to_owned(), "nothing says which".to_owned()));
    guesses.say(&format!("{at}.node"), &version, &because);
    let (install, why) = match package.manager {
        Manager::Npm => ("npm ci", "package-lock.json is here"),
        _ => {
            ("npm install", "there is no lock file: what is tested today may not be what is tested tomorrow")
        }
    };
    TestGroup {
        language: "node",
        directory: directory(&package.directory),
        versions: vec![version],
        versions_because: because,
        install: Some(guesses.say(&format!("{at}.install"), install, why)),
        suites: vec![Suite { name: suite(&name, "unit", jobs), command: "npm test".to_owned() }],
        coverage: false,
        minimum: None,
        can_be_audited: package.manager == Manager::Npm,
        has_eslint: package.has_eslint,
        name,
    }
}

/// The suite's name, such that no other suite's job has the name of its job.
fn suite(group: &str, word: &str, jobs: &mut Names) -> String {
    let base = super::slug(word).unwrap_or_else(|| "all".to_owned());
    let mut names = vec![base.clone()];
    names.extend((2..).take(10_000).map(|number| format!("{base}-{number}")));
    names.into_iter().find(|name| jobs.claim(format!("{group}-{name}"))).unwrap_or(base)
}

fn directory(path: &str) -> Option<String> {
    (path != ".").then(|| path.to_owned())
}
