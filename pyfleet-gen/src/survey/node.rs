//! Node: packages with a test script, and what installs them.

use serde_json::Value;

use super::Notes;
use super::docker::Dockerfile;
use super::tree::{Tree, directory_of, join, name_of};

/// One package.
pub(crate) struct Package {
    /// Where it lies.
    pub(crate) directory: String,
    /// The version it is for, and where that stands.
    pub(crate) version: Option<(String, String)>,
    /// Whether `npm test` does something.
    pub(crate) has_tests: bool,
    /// Whether it has ESLint, and settings for it.
    pub(crate) has_eslint: bool,
    /// What its lock file is of.
    pub(crate) manager: Manager,
}

/// What installs a package.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manager {
    /// npm, with its lock file.
    Npm,
    /// npm, without one.
    NpmUnlocked,
    /// Yarn.
    Yarn,
    /// pnpm.
    Pnpm,
}

/// Where ESLint 9 and later have their settings.
const ESLINT_SETTINGS: &[&str] = &[
    "eslint.config.js",
    "eslint.config.mjs",
    "eslint.config.cjs",
    "eslint.config.ts",
    "eslint.config.mts",
    "eslint.config.cts",
];

pub(super) fn look(tree: &Tree<'_>, images: &[Dockerfile], notes: &mut Notes) -> Vec<Package> {
    let mut found = Vec::new();
    for path in tree.files().filter(|path| name_of(path) == "package.json") {
        let Some(text) = tree.read(path, notes) else { continue };
        let Ok(package) = serde_json::from_str::<Value>(&text) else {
            notes.add(format!("`{path}` is not JSON, and was left out"));
            continue;
        };
        let directory = directory_of(path);
        let has = |name: &str| tree.has(&join(directory, name));
        let script = package.pointer("/scripts/test").and_then(Value::as_str).unwrap_or_default();
        let manager = if has("pnpm-lock.yaml") {
            Manager::Pnpm
        } else if has("yarn.lock") {
            Manager::Yarn
        } else if has("package-lock.json") {
            Manager::Npm
        } else {
            Manager::NpmUnlocked
        };
        found.push(Package {
            directory: directory.to_owned(),
            version: version(tree, directory, &package, images, notes),
            // What `npm init` writes only fails.
            has_tests: !script.trim().is_empty() && !script.contains("no test specified"),
            has_eslint: ["/devDependencies/eslint", "/dependencies/eslint"]
                .iter()
                .any(|dependency| package.pointer(dependency).is_some())
                && ESLINT_SETTINGS.iter().any(|name| has(name)),
            manager,
        });
    }
    found
}

fn version(
    tree: &Tree<'_>,
    directory: &str,
    package: &Value,
    images: &[Dockerfile],
    notes: &mut Notes,
) -> Option<(String, String)> {
    for name in [".nvmrc", ".node-version"] {
        for path in [join(directory, name), name.to_owned()] {
            let text = if tree.has(&path) { tree.read(&path, notes) } else { None };
            if let Some(version) = text.and_then(|text| major(text.trim().trim_start_matches('v'))) {
                return Some((version, path));
            }
        }
    }
    let image = images.iter().find(|image| image.context == directory && image.node.is_some());
    if let Some(version) = image.and_then(|image| Some((major(image.node.as_deref()?)?, image.path.clone())))
    {
        return Some(version);
    }
    let engines = package.pointer("/engines/node").and_then(Value::as_str)?;
    let lowest = major(engines.trim_start_matches(['>', '=', '^', '~', 'v', ' ']))?;
    Some((lowest, "the oldest that `engines` names".to_owned()))
}

/// `22` in `22.4.1`.
fn major(text: &str) -> Option<String> {
    let number: u32 = text.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()?;
    (10..1000).contains(&number).then(|| number.to_string())
}
