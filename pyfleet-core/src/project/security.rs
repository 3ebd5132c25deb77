//! Static analysis and dependency audit as they are meant.

use super::defaults;
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{DependencyAudit, DependencyTool, GitHubName, Manifest, OnFindings, Severity};

/// Static analysis and dependency audit of the test groups' directories.
#[derive(Debug, Clone)]
pub struct Security {
    /// Whether flake8 looks for errors.
    pub flake8: bool,
    /// The lowest severity that bandit reports.
    pub bandit: Option<Severity>,
    /// What errors that the project's ESLint finds do.
    pub eslint: Option<OnFindings>,
    /// What looks for known vulnerabilities.
    pub auditors: Vec<Auditor>,
    /// What vulnerabilities do.
    pub on_vulnerabilities: OnFindings,
}

/// What looks for known vulnerabilities of dependencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auditor {
    /// pip-audit, for Python.
    PipAudit,
    /// Safety, for Python.
    Safety {
        /// The secret that holds its key.
        api_key: GitHubName,
    },
    /// `npm audit`, for Node.
    NpmAudit {
        /// The lowest severity that counts.
        minimum_severity: Severity,
    },
}

impl Auditor {
    /// Whether it reads what is installed for Node; the others read Python's.
    #[must_use]
    pub const fn is_for_node(&self) -> bool {
        matches!(self, Self::NpmAudit { .. })
    }
}

impl Security {
    /// Whether anything looks at Python code.
    #[must_use]
    pub fn looks_at_python(&self) -> bool {
        self.flake8 || self.bandit.is_some() || self.auditors.iter().any(|auditor| !auditor.is_for_node())
    }

    /// Whether anything looks at code for Node.
    #[must_use]
    pub fn looks_at_node(&self) -> bool {
        self.eslint.is_some() || self.auditors.iter().any(Auditor::is_for_node)
    }
}

pub(super) fn resolve(manifest: &Manifest, findings: &mut Diagnostics) -> Option<Security> {
    let written = manifest.security.as_ref()?;
    let path = Path::of(["security"]);
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
    let audit = written.dependencies.as_ref();
    let security = Security {
        flake8: written.flake8.is_some(),
        bandit,
        eslint: written.eslint.as_ref().map(|eslint| eslint.on_findings.unwrap_or(defaults::ON_FINDINGS)),
        auditors: audit.map_or_else(Vec::new, |audit| auditors(audit, &path.key("dependencies"), findings)),
        on_vulnerabilities: audit.and_then(|audit| audit.on_findings).unwrap_or(defaults::ON_FINDINGS),
    };
    check_groups(manifest, &security, &path, findings);
    Some(security)
}

fn auditors(written: &DependencyAudit, path: &Path, findings: &mut Diagnostics) -> Vec<Auditor> {
    let tools = written.tool.values();
    let has = |tool| tools.contains(&tool);
    if tools.is_empty() {
        findings.push(
            Diagnostic::error("invalid-value", path.key("tool"), "no tool, no audit")
                .with_help("`tool: pip-audit` for Python, `tool: npm-audit` for Node"),
        );
    }
    if written.minimum_severity.is_some() && !has(DependencyTool::NpmAudit) {
        findings.push(
            Diagnostic::error(
                "invalid-value",
                Place::key(path.key("minimum-severity")),
                "pip-audit and safety know no severity: whatever they find counts",
            )
            .with_help("take it out; a waiver accepts a single finding, with a reason and an end"),
        );
    }
    match (&written.api_key, has(DependencyTool::Safety)) {
        (None, true) => findings.push(
            Diagnostic::error(
                "missing-key",
                path.key("tool"),
                "safety answers nobody without an account, and `api-key` is missing",
            )
            .with_help("`api-key: { secret: SAFETY_API_KEY }`; pip-audit needs none"),
        ),
        (Some(_), false) => findings.push(
            Diagnostic::error("invalid-value", Place::key(path.key("api-key")), "only safety has a key")
                .with_help("take it out"),
        ),
        _ => {}
    }
    // As often as it is written, each looks once, in the order in which they are known.
    let wanted = [DependencyTool::PipAudit, DependencyTool::Safety, DependencyTool::NpmAudit];
    wanted
        .into_iter()
        .filter(|tool| has(*tool))
        .filter_map(|tool| match tool {
            DependencyTool::PipAudit => Some(Auditor::PipAudit),
            DependencyTool::Safety => {
                written.api_key.as_ref().map(|key| Auditor::Safety { api_key: key.secret.clone() })
            }
            DependencyTool::NpmAudit => Some(Auditor::NpmAudit {
                minimum_severity: written.minimum_severity.unwrap_or(defaults::NPM_SEVERITY),
            }),
        })
        .collect()
}

/// Whether there is something to look at, and what the tools read.
fn check_groups(manifest: &Manifest, security: &Security, path: &Path, findings: &mut Diagnostics) {
    let has_python = manifest.tests.values().any(|group| group.python.is_some());
    let has_node = manifest.tests.values().any(|group| group.node.is_some());
    for (language, key, is_wanted, is_there) in [
        ("Python", "python", security.looks_at_python() || !security.looks_at_node(), has_python),
        ("Node", "node", security.looks_at_node(), has_node),
    ] {
        if is_wanted && !is_there {
            findings.push(
                Diagnostic::error(
                    "missing-key",
                    Place::key(path.clone()),
                    format!(
                        "these tools look at the directories of {language} test groups, and there is none"
                    ),
                )
                .with_help(format!("declare a group under `tests` with `{key}`")),
            );
        }
    }
    let mut missing = |name: &str, message: &str, help: &str| {
        let place = Place::key(Path::of(["tests", name]));
        findings.push(Diagnostic::error("missing-key", place, message).with_help(help));
    };
    for (name, group) in &manifest.tests {
        if group.python.is_some()
            && security.auditors.contains(&Auditor::PipAudit)
            && requirements_file(group.install.as_deref()).is_none()
        {
            missing(
                name.as_str(),
                "pip-audit reads the requirements file that `install` names, and it names none",
                "`install: pip install -r requirements.txt`",
            );
        }
        if group.node.is_some() && security.looks_at_node() && !is_from_lock(group.install.as_deref()) {
            missing(
                name.as_str(),
                "eslint and npm-audit read what the lock file says, and `install` does not install from it",
                "`install: npm ci`, with a package-lock.json beside package.json",
            );
        }
    }
}

/// Whether an install command is npm's that reads package-lock.json: `npm ci`.
pub(crate) fn is_from_lock(install: Option<&str>) -> bool {
    let mut words = install.unwrap_or_default().split_whitespace();
    words.any(|word| word == "npm") && words.next() == Some("ci")
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
