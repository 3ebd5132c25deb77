//! Static analysis and dependency audit: a job for each Python test group, with every tool in it, so that one
//! run shows everything.

use super::body::{Body, Security};
use super::draft::{CHECK_OUT, Draft, NewJob};
use crate::diagnostic::Path;
use crate::manifest::{Severity, Slug};
use crate::project::{self, Language, Project, TestGroup, defaults, requirements_file};

/// A job for each Python test group, where the manifest asks for analysis; their ids.
pub(super) fn add(project: &Project, draft: &mut Draft<'_>) -> Vec<String> {
    let Some(wanted) = project.security else { return Vec::new() };
    let groups = project.tests.iter().filter(|(_, group)| group.language == Language::Python);
    let jobs: Vec<NewJob> = groups.map(|(name, group)| job(project, draft, wanted, name, group)).collect();
    let ids = jobs.iter().map(|job| job.id.clone()).collect();
    for job in jobs {
        draft.add(job);
    }
    ids
}

fn job(
    project: &Project,
    draft: &Draft<'_>,
    security: project::Security,
    name: &Slug,
    group: &TestGroup,
) -> NewJob {
    let requirements = requirements_file(group.install.as_deref()).filter(|_| security.pip_audit);
    let tools = [
        (security.flake8, defaults::FLAKE8),
        (security.bandit.is_some(), defaults::BANDIT),
        (requirements.is_some(), defaults::PIP_AUDIT),
    ];
    NewJob {
        id: format!("security-{name}"),
        model: draft.job(format!("{name} security"), project.timeout_minutes),
        permissions: &[CHECK_OUT],
        because: "",
        identity: None,
        body: Body::Security(Security {
            python: group.versions.first().cloned().unwrap_or_default(),
            directory: (group.directory.as_str() != ".").then(|| group.directory.normal().to_owned()),
            tools: tools.into_iter().filter(|(wanted, _)| *wanted).map(|(_, tool)| tool.to_owned()).collect(),
            flake8: security.flake8,
            bandit: security.bandit.map(|severity| match severity {
                Severity::Low => "low",
                Severity::Medium => "medium",
                Severity::High | Severity::Critical => "high",
            }),
            pip_audit: requirements.map(str::to_owned),
            artifact: format!("security_{name}"),
            artifact_days: project.artifact_days,
        }),
        origin: Path::of(["security"]),
    }
}
