//! Test groups as they are meant.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{CoverageUpload, GitHubName, Manifest, RelativePath, Slug};

/// The tests of one directory in one language.
#[derive(Debug, Clone)]
pub struct TestGroup {
    /// Where the commands run.
    pub directory: RelativePath,
    /// The language.
    pub language: Language,
    /// The versions to test with, as the set-up action takes them; at least one.
    pub versions: Vec<String>,
    /// The command that installs what the suites need.
    pub install: Option<String>,
    /// Commands by suite; at least one.
    pub suites: BTreeMap<Slug, String>,
    /// What the suites cover.
    pub coverage: Option<Coverage>,
    /// Containers beside every suite.
    pub services: BTreeMap<Slug, ServiceContainer>,
    /// Whether pull requests get a comment.
    pub comment: bool,
}

/// A language that tests are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Python.
    Python,
    /// Node.
    Node,
}

/// What the suites cover.
#[derive(Debug, Clone)]
pub struct Coverage {
    /// The Cobertura report, relative to the repository's root.
    pub report: String,
    /// The least percentage of covered lines.
    pub minimum: Option<u8>,
    /// Codecov's token, where reports go there.
    pub codecov_token: Option<GitHubName>,
}

/// A container that runs beside a suite.
#[derive(Debug, Clone)]
pub struct ServiceContainer {
    /// The image by digest.
    pub image: String,
    /// Its environment.
    pub env: BTreeMap<String, String>,
    /// Its ports, each published under the same number.
    pub ports: Vec<u16>,
}

pub(super) fn resolve(manifest: &Manifest, findings: &mut Diagnostics) -> BTreeMap<Slug, TestGroup> {
    let mut groups = BTreeMap::new();
    for (name, written) in &manifest.tests {
        let path = Path::of(["tests", name.as_str()]);
        let (language, versions): (Language, Vec<String>) = match (&written.python, &written.node) {
            (Some(python), None) => {
                (Language::Python, python.values().iter().map(ToString::to_string).collect())
            }
            (None, Some(node)) => (Language::Node, node.values().iter().map(ToString::to_string).collect()),
            _ => {
                findings.push(
                    Diagnostic::error(
                        "invalid-value",
                        Place::key(path.clone()),
                        "a test group has one language: `python` or `node`",
                    )
                    .with_help("name its version or versions: `python: [\"3.12\", \"3.13\"]`"),
                );
                continue;
            }
        };
        let directory = written.directory.clone().unwrap_or_else(RelativePath::root);
        check(name, written, &versions, findings);
        groups.insert(
            name.clone(),
            TestGroup {
                language,
                versions,
                install: written.install.clone(),
                suites: written
                    .suites
                    .iter()
                    .map(|(suite, command)| (suite.clone(), command.clone()))
                    .collect(),
                coverage: written.coverage.as_ref().map(|coverage| Coverage {
                    report: directory.join(coverage.report.normal()),
                    minimum: coverage.minimum,
                    codecov_token: coverage
                        .upload
                        .as_ref()
                        .map(|CoverageUpload::Codecov(codecov)| codecov.token.secret.clone()),
                }),
                services: written
                    .services
                    .iter()
                    .map(|(service, container)| {
                        let container = ServiceContainer {
                            image: container.image.to_string(),
                            env: container.env.clone(),
                            ports: container.ports.clone(),
                        };
                        (service.clone(), container)
                    })
                    .collect(),
                comment: written.comment,
                directory,
            },
        );
    }
    groups
}

fn check(name: &Slug, written: &crate::manifest::TestGroup, versions: &[String], findings: &mut Diagnostics) {
    let path = Path::of(["tests", name.as_str()]);
    if versions.is_empty() || written.suites.is_empty() {
        findings.push(Diagnostic::error(
            "invalid-value",
            Place::key(path.clone()),
            "a test group has at least one version and one suite",
        ));
    }
    if versions.len() > 256 {
        findings.push(
            Diagnostic::error(
                "platform-limits",
                Place::key(path.clone()),
                "a matrix has at most 256 entries, one for each version",
            )
            .with_help("split the group"),
        );
    }
    let mut sorted = versions.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    if sorted.len() < versions.len() {
        findings.push(Diagnostic::error(
            "invalid-value",
            Place::key(path.clone()),
            "a version is listed twice",
        ));
    }
    let commands =
        written.suites.iter().map(|(suite, command)| (path.key("suites").key(suite.as_str()), command));
    for (place, command) in
        commands.chain(written.install.iter().map(|install| (path.key("install"), install)))
    {
        if command.trim().is_empty() {
            findings.push(
                Diagnostic::error("invalid-value", place, "the command is empty")
                    .with_help("write what to run"),
            );
        } else if command.chars().count() > 20_000 {
            findings.push(
                Diagnostic::error(
                    "platform-limits",
                    place,
                    "GitHub refuses a `run:` of more than 21,000 characters",
                )
                .with_help("put it into a script of the repository"),
            );
        }
    }
    if written.coverage.as_ref().and_then(|coverage| coverage.minimum).is_some_and(|minimum| minimum > 100) {
        findings.push(Diagnostic::error(
            "invalid-value",
            path.key("coverage").key("minimum"),
            "a percentage is at most 100",
        ));
    }
    let mut ports: Vec<u16> = Vec::new();
    for (service, container) in &written.services {
        let place = path.key("services").key(service.as_str());
        let mut names: Vec<String> = Vec::new();
        for (variable, value) in &container.env {
            let at = Place::key(place.key("env").key(variable));
            if names.contains(&variable.to_ascii_uppercase()) {
                findings.push(
                    Diagnostic::error(
                        "name-collision",
                        at.clone(),
                        "two variables differ only in case, and GitHub takes them for one",
                    )
                    .with_help("choose another name for one of them"),
                );
            }
            names.push(variable.to_ascii_uppercase());
            if value.len() > 32 * 1024 {
                findings.push(Diagnostic::error(
                    "platform-limits",
                    place.key("env").key(variable),
                    "an environment variable has at most 32 KiB",
                ));
            }
            let is_name = variable.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                && !variable.starts_with(|first: char| first.is_ascii_digit())
                && !variable.is_empty();
            if !is_name {
                findings.push(Diagnostic::error(
                    "invalid-value",
                    at,
                    "an environment variable is named with letters, digits and underscores",
                ));
            }
        }
        for port in &container.ports {
            if ports.contains(port) {
                findings.push(
                    Diagnostic::error(
                        "name-collision",
                        place.key("ports"),
                        format!("port {port} is published twice on the same runner"),
                    )
                    .with_help("a port can be published once in a group"),
                );
            }
            ports.push(*port);
        }
        if container.ports.contains(&0) {
            findings.push(Diagnostic::error(
                "invalid-value",
                place.key("ports"),
                "a port is a number from 1 to 65535",
            ));
        }
    }
}
