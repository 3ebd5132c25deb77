//! `test`: every suite a job, results in a comment, coverage against a minimum; no cloud.

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::Permission;
use super::body::{Body, Codecov, Coverage, TestComment, TestSuite};
use super::condition::{OWN_PULL_REQUEST, expression};
use super::draft::{CHECK_OUT, Draft, NewJob};
use super::{configure, golden_image, security};
use crate::diagnostic::Path;
use crate::manifest::{GitHubName, Slug};
use crate::project::{self, Language, Project, TestGroup, is_from_lock, requirements_file};
use crate::workflow::{Axes, Container, Level, Matrix, OrExpression, Scope, Strategy};

const COMMENT: &[Permission] = &[Permission {
    scope: Scope::PullRequests,
    level: Level::Write,
    because: "write the comment; nothing of the pull request runs here",
}];
const COMMENT_AND_COMPARE: &[Permission] = &[
    Permission {
        scope: Scope::Actions,
        level: Level::Read,
        because: "read the default branch's results, to compare with",
    },
    Permission {
        scope: Scope::PullRequests,
        level: Level::Write,
        because: "write the comment; nothing of the pull request runs here",
    },
];

pub(super) fn plan(project: &Project, draft: &mut Draft<'_>) {
    let Added { reporting, .. } = add_all(project, draft);
    security::add(project, draft);
    add_static(project, draft);
    draft.add_gate(&reporting.iter().map(String::as_str).collect::<Vec<_>>());
}

/// The jobs that were added.
pub(super) struct Added {
    /// Those that have to succeed.
    pub(super) required: Vec<String>,
    /// Those that only report.
    pub(super) reporting: Vec<String>,
}

/// The suites and the least coverage, with everything that tells of them.
pub(super) fn add_all(project: &Project, draft: &mut Draft<'_>) -> Added {
    let (mut suites, mut added) = (Vec::new(), Added { required: Vec::new(), reporting: Vec::new() });
    for (name, group) in &project.tests {
        let own = add_suites(project, draft, name, group, &[]);
        if let Some(coverage) = &group.coverage {
            added.required.extend(add_coverage(draft, name, coverage, &own));
            if let Some(token) = &coverage.codecov_token {
                let job = codecov(draft, name, token, &own);
                added.reporting.push(job.id.clone());
                draft.add(job);
            }
        }
        suites.extend(own);
    }
    if draft.runs_for_pull_requests() && project.tests.values().any(|group| group.comment) {
        let job = comment(project, draft, suites.clone());
        added.reporting.push(job.id.clone());
        draft.add(job);
    }
    added.required.extend(suites);
    added
}

/// The job that sends a group's coverage to Codecov.
fn codecov(draft: &Draft<'_>, name: &Slug, token: &GitHubName, suites: &[String]) -> NewJob {
    let mut model = draft.job(format!("{name} to Codecov"), 5);
    model.needs = suites.to_vec();
    model.condition = draft.may_hold_secrets();
    NewJob {
        id: format!("codecov-{name}"),
        model,
        permissions: &[CHECK_OUT],
        because: "A fork and Dependabot get no secrets.",
        identity: None,
        body: Body::Codecov(Codecov {
            pattern: results_of(name, "*"),
            flag: name.to_string(),
            token: expression(&format!("secrets.{token}")),
        }),
        origin: Path::of(["tests", name.as_str(), "coverage"]).key("upload"),
    }
}

/// The job that comments the results on the pull request.
fn comment(project: &Project, draft: &Draft<'_>, suites: Vec<String>) -> NewJob {
    let baseline = project.tests.values().any(|group| group.comment && group.coverage.is_some());
    let mut model = draft.job("comment", 10);
    model.needs = suites;
    model.condition = Some(expression(&format!("!cancelled() && {OWN_PULL_REQUEST}")));
    NewJob {
        id: "comment".to_owned(),
        model,
        permissions: if baseline { COMMENT_AND_COMPARE } else { COMMENT },
        because: "Failed suites are reported too; a fork's and Dependabot's token cannot write.",
        identity: None,
        body: Body::TestComment(TestComment { baseline, workflow: format!("{}.yml", draft.name()) }),
        origin: Path::of(["tests"]),
    }
}

/// What is checked of a golden image and of playbooks without building or touching a machine.
pub(super) fn add_static(project: &Project, draft: &mut Draft<'_>) {
    if let Some(packer) = &project.packer {
        draft.add(golden_image::validate(draft, project, packer));
    }
    if let Some(ansible) = &project.ansible {
        draft.add(configure::check(draft, project, ansible));
    }
}

/// The suites and the least coverage, before something else happens: no comment, and nothing is sent anywhere. The ids
/// of the jobs.
pub(super) fn add_required(project: &Project, draft: &mut Draft<'_>, needs: &[&str]) -> Vec<String> {
    let mut required = Vec::new();
    for (name, group) in &project.tests {
        let own = add_suites(project, draft, name, group, needs);
        required.extend(own.iter().cloned());
        if let Some(coverage) = &group.coverage {
            required.extend(add_coverage(draft, name, coverage, &own));
        }
    }
    required
}

/// Every suite of a group, behind some jobs; their ids.
fn add_suites(
    project: &Project,
    draft: &mut Draft<'_>,
    name: &Slug,
    group: &TestGroup,
    needs: &[&str],
) -> Vec<String> {
    for (suite, command) in &group.suites {
        let mut job = suite_job(project, draft, name, group, suite, command);
        job.model.needs = needs.iter().map(ToString::to_string).collect();
        draft.add(job);
    }
    group.suites.keys().map(|suite| Slug::join(&[&"test", name, suite])).collect()
}

/// The job that compares a group's coverage with its minimum, where there is one; its id.
fn add_coverage(
    draft: &mut Draft<'_>,
    name: &Slug,
    coverage: &project::Coverage,
    suites: &[String],
) -> Option<String> {
    let minimum = coverage.minimum?;
    let id = format!("coverage-{name}");
    let mut model = draft.job(format!("{name} coverage"), 5);
    model.needs = suites.to_vec();
    draft.add(NewJob {
        id: id.clone(),
        model,
        permissions: &[],
        because: "",
        identity: None,
        body: Body::Coverage(Coverage { pattern: results_of(name, "*"), minimum }),
        origin: Path::of(["tests", name.as_str(), "coverage", "minimum"]),
    });
    Some(id)
}

fn suite_job(
    project: &Project,
    draft: &Draft<'_>,
    name: &Slug,
    group: &TestGroup,
    suite: &Slug,
    command: &str,
) -> NewJob {
    let (language, language_name) = match group.language {
        Language::Python => ("python", "Python"),
        Language::Node => ("node", "Node"),
    };
    let version = format!("${{{{ matrix.{language} }}}}");
    let title = format!("{name} / {suite} ({language_name} {version})");
    let versions: Vec<Json> = group.versions.iter().cloned().map(Json::String).collect();
    let mut model = draft.job(title.clone(), project.timeout_minutes);
    model.strategy = Some(Strategy {
        matrix: Some(Matrix::Axes(Axes {
            values: IndexMap::from([(language.to_owned(), OrExpression::Literal(versions))]),
            ..Axes::default()
        })),
        fail_fast: OrExpression::Literal(false),
        ..Strategy::default()
    });
    model.services = group
        .services
        .iter()
        .map(|(service, container)| {
            let container = Container {
                image: container.image.clone(),
                env: container.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
                ports: container.ports.iter().map(|port| format!("{port}:{port}")).collect(),
                ..Container::default()
            };
            (service.to_string(), container)
        })
        .collect();
    let directory = (group.directory.as_str() != ".").then(|| group.directory.normal().to_owned());
    NewJob {
        id: Slug::join(&[&"test", name, suite]),
        model,
        permissions: &[CHECK_OUT],
        because: "",
        identity: None,
        body: Body::TestSuite(TestSuite {
            language,
            title,
            cache: cache_key(group),
            directory,
            install: group.install.clone(),
            command: command.to_owned(),
            coverage: group.coverage.as_ref().map(|coverage| coverage.report.clone()),
            artifact: results_of(name, &format!("{suite}_{version}")),
            artifact_days: project.artifact_days,
        }),
        origin: Path::of(["tests", name.as_str(), "suites", suite.as_str()]),
    }
}

/// The artifact of a group's results. Names hold no underscore, so that no group's pattern meets another's.
fn results_of(group: &Slug, rest: &str) -> String {
    format!("test-results_{group}_{rest}")
}

/// The file that decides what is installed, as far as the install command says: the set-up actions fail
/// where the file that their cache is keyed on does not exist.
pub(super) fn cache_key(group: &TestGroup) -> Option<String> {
    match group.language {
        Language::Python => {
            requirements_file(group.install.as_deref()).map(|file| group.directory.join(file))
        }
        Language::Node => {
            is_from_lock(group.install.as_deref()).then(|| group.directory.join("package-lock.json"))
        }
    }
}
