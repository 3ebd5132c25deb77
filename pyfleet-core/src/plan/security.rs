//! Static analysis and dependency audit: a job for each test group whose language a tool looks at, with every tool in
//! it, so that one run shows everything.

use super::body::{Body, CodeCheck, NodeSecurity, Security};
use super::condition::expression;
use super::draft::{CHECK_OUT, Draft, NewJob};
use super::scan::{accepted_at, counting_from};
use super::test::cache_key;
use crate::diagnostic::Path;
use crate::manifest::{Severity, Slug};
use crate::project::{self, Auditor, Language, Project, TestGroup, defaults, requirements_file};

/// A job for each test group that a tool looks at, where the manifest asks for analysis; their ids.
pub(super) fn add(project: &Project, draft: &mut Draft<'_>) -> Vec<String> {
    let Some(wanted) = &project.security else { return Vec::new() };
    let mut ids = Vec::new();
    for (name, group) in &project.tests {
        let body = match group.language {
            Language::Python if wanted.looks_at_python() => python(project, draft, wanted, name, group),
            Language::Node if wanted.looks_at_node() => node(project, draft, wanted, name, group),
            Language::Python | Language::Node => continue,
        };
        let job = NewJob {
            id: format!("security-{name}"),
            model: draft.job(format!("{name} security"), project.timeout_minutes),
            permissions: &[CHECK_OUT],
            because: "",
            identity: None,
            body,
            origin: Path::of(["security"]),
        };
        ids.push(job.id.clone());
        draft.add(job);
    }
    ids
}

fn python(
    project: &Project,
    draft: &Draft<'_>,
    security: &project::Security,
    name: &Slug,
    group: &TestGroup,
) -> Body {
    let auditors: Vec<&Auditor> = security.auditors.iter().filter(|auditor| !auditor.is_for_node()).collect();
    let mut tools = Vec::new();
    tools.extend(security.flake8.then_some(defaults::FLAKE8));
    tools.extend(security.bandit.map(|_| defaults::BANDIT));
    tools.extend(auditors.iter().filter_map(|auditor| match auditor {
        Auditor::PipAudit => Some(defaults::PIP_AUDIT),
        Auditor::Safety { .. } => Some(defaults::SAFETY),
        Auditor::NpmAudit { .. } => None,
    }));
    let reports_always =
        security.flake8 || security.bandit.is_some() || security.auditors.contains(&Auditor::PipAudit);
    Body::Security(Security {
        python: group.versions.first().cloned().unwrap_or_default(),
        directory: (group.directory.as_str() != ".").then(|| group.directory.normal().to_owned()),
        tools: tools.into_iter().map(str::to_owned).collect(),
        flake8: security.flake8,
        bandit: security.bandit.map(|severity| match severity {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High | Severity::Critical => "high",
        }),
        audits: auditors
            .iter()
            .map(|auditor| audit(project, draft, security, auditor, name, group))
            .collect(),
        reports_always: reports_always || !draft.runs_for_pull_requests(),
        artifact: format!("security_{name}"),
        artifact_days: project.artifact_days,
    })
}

fn node(
    project: &Project,
    draft: &Draft<'_>,
    security: &project::Security,
    name: &Slug,
    group: &TestGroup,
) -> Body {
    let auditor = security.auditors.iter().find(|auditor| auditor.is_for_node());
    Body::NodeSecurity(NodeSecurity {
        node: group.versions.first().cloned().unwrap_or_default(),
        cache: cache_key(group),
        audit: auditor.map(|auditor| audit(project, draft, security, auditor, name, group)),
        install_directory: (group.directory.as_str() != ".").then(|| group.directory.normal().to_owned()),
        install: group.install.clone(),
        eslint: security.eslint.map(|on_findings| CodeCheck {
            name: "Lint",
            condition: expression("!cancelled() && steps.install.outcome == 'success'"),
            script: "eslint.sh",
            scanner: "eslint",
            title: format!("ESLint of {name}"),
            directory: group.directory.normal().to_owned(),
            requirements: None,
            api_key: None,
            // Warnings are shown.
            minimum_severity: "error",
            on_findings,
            accepted: accepted_at(project, &format!("tests.{name}.eslint")),
        }),
        artifact: format!("security_{name}"),
        artifact_days: project.artifact_days,
    })
}

fn audit(
    project: &Project,
    draft: &Draft<'_>,
    security: &project::Security,
    auditor: &Auditor,
    name: &Slug,
    group: &TestGroup,
) -> CodeCheck {
    let (scanner, maker) = match auditor {
        Auditor::PipAudit => ("pip-audit", "pip-audit"),
        Auditor::Safety { .. } => ("safety", "Safety"),
        Auditor::NpmAudit { .. } => ("npm-audit", "npm audit"),
    };
    let mut check = CodeCheck {
        name: "Look for vulnerable dependencies",
        condition: expression("!cancelled()"),
        script: "dependency-audit.sh",
        scanner,
        title: format!("{maker} of {name}"),
        directory: group.directory.normal().to_owned(),
        requirements: None,
        api_key: None,
        minimum_severity: counting_from(None),
        on_findings: security.on_vulnerabilities,
        accepted: accepted_at(project, &format!("tests.{name}.{scanner}")),
    };
    match auditor {
        Auditor::PipAudit => {
            check.requirements = requirements_file(group.install.as_deref()).map(str::to_owned);
        }
        Auditor::Safety { api_key } => {
            check.name = "Ask Safety about the dependencies";
            check.api_key = Some(expression(&format!("secrets.{api_key}")));
            // A fork and Dependabot get no secrets: their step is skipped, as anybody can see.
            if let Some(may_hold) = draft.may_hold_secrets() {
                check.condition = expression(&format!("!cancelled() && ({may_hold})"));
            }
        }
        Auditor::NpmAudit { minimum_severity } => {
            check.minimum_severity = counting_from(Some(*minimum_severity));
        }
    }
    check
}
