//! Python: projects, how they are installed, which versions they are for, and their suites of tests.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::Notes;
use super::docker::Dockerfile;
use super::tree::{Tree, below, directory_of, join, name_of};

/// One project: a directory that says what it needs, or the root.
#[derive(Default)]
pub(crate) struct Project {
    /// Where it lies.
    pub(crate) directory: String,
    /// The versions it is for, and where that stands.
    pub(crate) versions: Option<(Vec<String>, String)>,
    /// What installs it, and why that.
    pub(crate) install: Install,
    /// Directories of tests, each a suite, relative to the directory. `.` is everything.
    pub(crate) suites: Vec<String>,
    /// Directories of tests that need something that runs.
    pub(crate) live_suites: Vec<String>,
    /// Whether something that is installed brings pytest-cov.
    pub(crate) has_coverage: bool,
    /// The least coverage that its settings accept, in percent.
    pub(crate) minimum: Option<u8>,
    /// Whether something that is installed brings pytest.
    pub(crate) has_pytest: bool,
    /// The linters that it has settings for, by their name in the manifest.
    pub(crate) linters: BTreeSet<&'static str>,
}

/// What installs a project.
#[derive(Default, Clone, PartialEq, Eq)]
pub(crate) enum Install {
    /// Nothing says how.
    #[default]
    Unknown,
    /// Requirements files, relative to the directory.
    Requirements(Vec<String>),
    /// The project itself, with these extras or this dependency group.
    Package { extras: Option<String>, group: Option<String> },
    /// uv, from its lock file.
    Uv,
    /// Poetry.
    Poetry,
    /// Pipenv, from its lock file.
    Pipenv,
}

/// Names of extras and dependency groups that hold what tests need.
const TEST_EXTRAS: &[&str] = &["test", "tests", "testing", "dev", "all"];

/// Requirements files beside `requirements.txt` that hold what tests need.
const TEST_REQUIREMENTS: &[&str] = &[
    "dev-requirements.txt",
    "requirements-dev.txt",
    "requirements-test.txt",
    "requirements-tests.txt",
    "requirements/dev.txt",
    "requirements/test.txt",
    "requirements/tests.txt",
    "requirements_dev.txt",
    "test-requirements.txt",
];

pub(super) fn look(tree: &Tree<'_>, images: &[Dockerfile], notes: &mut Notes) -> Vec<Project> {
    let mut directories: BTreeSet<&str> = BTreeSet::new();
    for path in tree.files() {
        let is_marker = matches!(
            name_of(path),
            "pyproject.toml" | "setup.py" | "setup.cfg" | "requirements.txt" | "Pipfile" | "tox.ini"
        );
        if is_marker {
            directories.insert(directory_of(path));
        }
    }
    let tests = tree.files().filter(|path| is_test(path));
    let owner = |path: &str| {
        let mut directory = directory_of(path);
        while directory != "." && !directories.contains(directory) {
            directory = directory_of(directory);
        }
        directory.to_owned()
    };
    let mut all: BTreeMap<String, Vec<&str>> =
        directories.iter().map(|directory| ((*directory).to_owned(), Vec::new())).collect();
    for path in tests {
        all.entry(owner(path)).or_default().push(path);
    }
    all.into_iter()
        .map(|(directory, tests)| {
            let own: Vec<&str> = tests.into_iter().filter_map(|path| below(&directory, path)).collect();
            read(tree, directory, &own, images, notes)
        })
        .collect()
}

/// pytest's own names ([pytest: test discovery](https://docs.pytest.org/en/stable/explanation/goodpractices.html#conventions-for-python-test-discovery)).
fn is_test(path: &str) -> bool {
    let name = name_of(path);
    name.ends_with(".py") && (name.starts_with("test_") || name.ends_with("_test.py"))
}

fn read(
    tree: &Tree<'_>,
    directory: String,
    tests: &[&str],
    images: &[Dockerfile],
    notes: &mut Notes,
) -> Project {
    let mut text = |name: &str| {
        let path = join(&directory, name);
        if tree.has(&path) { tree.read(&path, notes) } else { None }
    };
    let pyproject_text = text("pyproject.toml");
    let setup_cfg = text("setup.cfg").unwrap_or_default();
    let setup_py = text("setup.py").unwrap_or_default();
    let tox = text("tox.ini").unwrap_or_default();
    let python_version = text(".python-version");
    let coveragerc = text(".coveragerc");
    let mut requirements: Vec<String> = Vec::new();
    let mut required = String::new();
    for name in ["requirements.txt"].iter().chain(TEST_REQUIREMENTS) {
        if let Some(text) = text(name) {
            requirements.push((*name).to_owned());
            required += &text;
        }
    }
    let pyproject = match pyproject_text.as_deref().map(str::parse::<Table>) {
        None => Table::new(),
        Some(Ok(table)) => table,
        Some(Err(_)) => {
            notes.add(format!("`{}` is not TOML, and was left out", join(&directory, "pyproject.toml")));
            Table::new()
        }
    };
    let at = |path: &str| find(&pyproject, path);
    let has = |name: &str| tree.has(&join(&directory, name));
    let install = if has("uv.lock") {
        Install::Uv
    } else if has("poetry.lock") || (at("tool.poetry").is_some() && at("project").is_none()) {
        Install::Poetry
    } else if has("Pipfile.lock") {
        Install::Pipenv
    } else if !requirements.is_empty() {
        Install::Requirements(requirements)
    } else if at("project").is_some() || !setup_py.is_empty() || setup_cfg.contains("[metadata]") {
        let named = |table: &str| {
            let table = at(table).and_then(Value::as_table)?;
            TEST_EXTRAS.iter().find(|name| table.contains_key(**name)).map(ToString::to_string)
        };
        Install::Package { extras: named("project.optional-dependencies"), group: named("dependency-groups") }
    } else {
        Install::Unknown
    };
    // What names pytest anywhere brings it: as a requirement, an extra, a group, a dependency of tox.
    let everything =
        [&required, pyproject_text.as_deref().unwrap_or_default(), &setup_cfg, &setup_py].concat();
    let minimum = at("tool.coverage.report.fail_under")
        .and_then(|value| value.as_integer().or_else(|| value.as_float().map(|number| number as i64)))
        .or_else(|| number_after(coveragerc.as_deref().unwrap_or_default(), "fail_under"))
        .and_then(|number| u8::try_from(number).ok())
        .filter(|number| *number <= 100);
    let mut linters = BTreeSet::new();
    if has(".flake8") || setup_cfg.contains("[flake8]") || tox.contains("[flake8]") {
        linters.insert("flake8");
    }
    if has(".bandit") || at("tool.bandit").is_some() {
        linters.insert("bandit");
    }
    let (suites, live_suites) = suites(tests);
    let versions = versions(&pyproject, &setup_cfg, &tox, python_version.as_deref(), &directory, images);
    Project {
        versions,
        install,
        suites,
        live_suites,
        has_coverage: everything.contains("pytest-cov"),
        minimum,
        has_pytest: everything.contains("pytest"),
        linters,
        directory,
    }
}

/// Directories under `tests` as suites; those whose names say that they need something that runs stand apart.
fn suites(tests: &[&str]) -> (Vec<String>, Vec<String>) {
    let mut directories: BTreeSet<String> = BTreeSet::new();
    let mut is_whole = false;
    for path in tests {
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            [root @ ("tests" | "test"), directory, _, ..] => {
                directories.insert(format!("{root}/{directory}"));
            }
            _ => is_whole = true,
        }
    }
    let is_live = |path: &String| {
        matches!(
            name_of(path),
            "acceptance" | "e2e" | "end_to_end" | "load" | "performance" | "smoke" | "system"
        )
    };
    let (live, suites): (Vec<String>, Vec<String>) = directories.into_iter().partition(is_live);
    // Tests lie elsewhere too: one suite finds them all, as pytest itself does.
    if is_whole { (vec![".".to_owned()], live) } else { (suites, live) }
}

fn versions(
    pyproject: &Table,
    setup_cfg: &str,
    tox: &str,
    python_version: Option<&str>,
    directory: &str,
    images: &[Dockerfile],
) -> Option<(Vec<String>, String)> {
    let classifiers: Vec<String> = find(pyproject, "project.classifiers")
        .and_then(Value::as_array)
        .map(|values| values.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        .unwrap_or_else(|| setup_cfg.lines().map(|line| line.trim().to_owned()).collect());
    let classified: BTreeSet<(u32, u32)> = classifiers
        .iter()
        .filter_map(|line| minor(line.strip_prefix("Programming Language :: Python :: ")?))
        .collect();
    let tested: BTreeSet<(u32, u32)> = tox
        .split(|character: char| !character.is_ascii_alphanumeric())
        .filter_map(|word| {
            let digits = word.strip_prefix("py3")?;
            Some((3, digits.parse().ok().filter(|_| (1..=2).contains(&digits.len()))?))
        })
        .collect();
    let one = |version: (u32, u32)| vec![format!("{}.{}", version.0, version.1)];
    let many = |versions: BTreeSet<(u32, u32)>| -> Option<Vec<String>> {
        let supported: Vec<String> = versions
            .iter()
            .filter(|version| **version >= OLDEST)
            .map(|(major, minor)| format!("{major}.{minor}"))
            .collect();
        (!supported.is_empty() && supported.len() <= 10).then_some(supported)
    };
    let image = images.iter().find(|image| image.context == directory && image.python.is_some());
    let demanded = find(pyproject, "project.requires-python")
        .or_else(|| find(pyproject, "tool.poetry.dependencies.python"))
        .and_then(Value::as_str)
        .map(str::to_owned)
        .or_else(|| {
            setup_cfg.lines().find_map(|line| {
                Some(line.trim().strip_prefix("python_requires")?.trim_start_matches([' ', '=']).to_owned())
            })
        });
    if let Some(versions) = many(tested) {
        return Some((versions, "tox.ini".to_owned()));
    }
    if let Some(versions) = many(classified) {
        return Some((versions, "the classifiers".to_owned()));
    }
    if let Some(version) = python_version.and_then(|text| minor(text.trim())) {
        return Some((one(version), ".python-version".to_owned()));
    }
    if let Some((image, version)) = image.and_then(|image| Some((image, minor(image.python.as_deref()?)?))) {
        return Some((one(version), image.path.clone()));
    }
    let lowest =
        demanded.as_deref().and_then(|text| minor(text.trim_start_matches(['>', '=', '^', '~', ' '])))?;
    Some((one(lowest.max(OLDEST)), "the oldest that it says it runs on".to_owned()))
}

/// The oldest version that is offered: `actions/setup-python` has no older one on its current images.
const OLDEST: (u32, u32) = (3, 9);

/// `3.12` in `3.12.1`.
fn minor(text: &str) -> Option<(u32, u32)> {
    let number = text.split(|character: char| !character.is_ascii_digit() && character != '.').next()?;
    let mut parts = number.split('.');
    let (major, minor) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    (major == 3 && minor < 100).then_some((major, minor))
}

/// A value by its dotted path.
fn find<'t>(table: &'t Table, path: &str) -> Option<&'t Value> {
    let mut parts = path.split('.');
    let mut value = table.get(parts.next()?)?;
    for part in parts {
        value = value.as_table()?.get(part)?;
    }
    Some(value)
}

fn number_after(text: &str, key: &str) -> Option<i64> {
    text.lines().find_map(|line| {
        line.trim().strip_prefix(key)?.trim_start_matches([' ', '=', ':']).trim().parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::{minor, suites};

    #[test]
    fn suites_by_directory() {
        let of = |tests: &[&str]| suites(tests);
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            of(&["tests/unit/test_a.py", "tests/integration/deep/test_b.py", "tests/e2e/test_c.py"]),
            (owned(&["tests/integration", "tests/unit"]), owned(&["tests/e2e"]))
        );
        assert_eq!(of(&["tests/unit/test_a.py", "tests/test_b.py"]), (owned(&["."]), Vec::new()));
        assert_eq!(of(&["tests/e2e/test_c.py"]), (Vec::new(), owned(&["tests/e2e"])));
        assert_eq!(of(&[]), (Vec::new(), Vec::new()));
    }

    #[test]
    fn minor_versions() {
        assert_eq!(minor("3.12.1"), Some((3, 12)));
        assert_eq!(minor("3.12-slim"), Some((3, 12)));
        for other in ["", "3", "2.7", "pypy3.9", "3.x", "3.99999999999"] {
            assert_eq!(minor(other), None, "{other}");
        }
    }
}
