//! Static analysis and dependency audit as they are meant.

use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{Manifest, Severity};

/// Static analysis and dependency audit of every Python test group's directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Security {
    /// Whether flake8 looks for errors.
    pub flake8: bool,
    /// The lowest severity that bandit reports.
    pub bandit: Option<Severity>,
    /// Whether pip-audit looks for known vulnerabilities.
    pub pip_audit: bool,
}

pub(super) fn resolve(manifest: &Manifest, findings: &mut Diagnostics) -> Option<Security> {
    let written = manifest.security.as_ref()?;
    let path = Path::of(["security"]);
    if !manifest.tests.values().any(|group| group.python.is_some()) {
        findings.push(
            Diagnostic::error(
                "missing-key",
                Place::key(path.clone()),
                "these tools look at the directories of Python test groups, and there is none",
            )
            .with_help("declare a group under `tests` with `python`"),
        );
    }
    let bandit = written.bandit.as_ref().map(|bandit| bandit.minimum_severity.unwrap_or(Severity::Medium));
    if bandit == Some(Severity::Critical) {
        findings.push(
            Diagnostic::error(
                "invalid-value",
                path.key("bandit").key("minimum-severity"),
                "bandit knows low, medium and high",
            )
            .with_help("use `high`"),
        );
    }
    if written.dependencies.is_some() {
        for (name, group) in manifest.tests.iter().filter(|(_, group)| group.python.is_some()) {
            if requirements_file(group.install.as_deref()).is_none() {
                findings.push(
                    Diagnostic::error(
                        "missing-key",
                        Place::key(Path::of(["tests", name.as_str()])),
                        "pip-audit reads the requirements file that `install` names, and it names none",
                    )
                    .with_help("`install: pip install -r requirements.txt`"),
                );
            }
        }
    }
    Some(Security { flake8: written.flake8.is_some(), bandit, pip_audit: written.dependencies.is_some() })
}

/// The requirements file that an install command names, relative to where it runs; nothing where it names none,
/// or one that is not plainly inside of that directory.
pub(crate) fn requirements_file(install: Option<&str>) -> Option<&str> {
    let mut words = install?.split_whitespace();
    words.find(|word| matches!(*word, "-r" | "--requirement"))?;
    let file = words.next()?;
    let is_plain = !file.starts_with(['-', '/', '.'])
        && file.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/'))
        && !file.contains("..");
    is_plain.then_some(file)
}
