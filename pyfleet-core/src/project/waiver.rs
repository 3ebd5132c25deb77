//! Waivers as they are meant.

use crate::check::rules::RULES;
use crate::diagnostic::{Diagnostic, Diagnostics, Path};
use crate::manifest::{self, Date, DependencyTool, Manifest};
use crate::spelling::closest;

/// What can be waived besides what rules find in workflows: warnings about an image of the manifest.
const IN_MANIFEST: &[&str] = &["container-mutable-tag"];

/// What can be waived besides what rules find, in workflows.
const IN_WORKFLOWS: &[&str] = &["extension-with-rights"];

/// A finding that is accepted for a while.
#[derive(Debug, Clone)]
pub struct Waiver {
    /// The rule's code.
    pub rule: String,
    /// Where it holds.
    pub at: WaivedAt,
    /// Why.
    pub reason: String,
    /// The last day on which it holds.
    pub until: Date,
    /// Where it stands in the manifest.
    pub origin: Path,
}

/// Where a waiver holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaivedAt {
    /// In a rendered workflow.
    Workflow {
        /// The workflow.
        name: String,
        /// The job; every job where none is named.
        job: Option<String>,
    },
    /// In a workflow file that the manifest does not render, by its name below `.github/workflows`.
    File {
        /// The file.
        name: String,
        /// The job; every job where none is named.
        job: Option<String>,
    },
    /// In the manifest, at a key and below.
    Manifest(Path),
    /// In what a scanner finds, at what it scans: the run that scans compares, and knows what day it is.
    Scanned(String),
}

pub(super) fn resolve(manifest: &Manifest, findings: &mut Diagnostics) -> Vec<Waiver> {
    let mut waivers = Vec::with_capacity(manifest.waivers.len());
    for (index, written) in manifest.waivers.iter().enumerate() {
        let origin = Path::of(["waivers"]).index(index);
        if written.reason.trim().len() < 8 {
            findings.push(
                Diagnostic::error(
                    "waiver-without-reason",
                    origin.key("reason"),
                    "a waiver says why in a few words",
                )
                .with_help("the next reader decides by it whether the waiver still holds"),
            );
        }
        if written.reason.contains('\n') {
            findings.push(Diagnostic::error(
                "invalid-value",
                origin.key("reason"),
                "a reason is one line: it stands where comments do",
            ));
        }
        let others = || IN_MANIFEST.iter().chain(IN_WORKFLOWS).copied();
        let known = || RULES.iter().map(|rule| rule.code).chain(others());
        let at = if IN_MANIFEST.contains(&written.rule.as_str()) {
            in_manifest(manifest, &written.at, &origin, findings)
        } else if known().any(|code| code == written.rule) {
            in_workflow(manifest, &written.at, &origin, findings)
        } else if is_scanned(&written.at) {
            in_scan(manifest, written, &origin, findings)
        } else {
            let finding =
                Diagnostic::error("unknown-reference", origin.key("rule"), "there is no rule of this name");
            findings.push(match closest(&written.rule, known()) {
                Some(close) => finding.with_help(format!("did you mean `{close}`?")),
                None => finding
                    .with_help("a finding's rule stands in brackets behind `error` or `warning`")
                    .with_help("a scanner's finding is waived where it scans: `at: terraform.stacks.app`"),
            });
            in_workflow(manifest, &written.at, &origin, findings)
        };
        waivers.push(Waiver {
            rule: written.rule.clone(),
            at,
            reason: written.reason.clone(),
            until: written.until.clone(),
            origin,
        });
    }
    waivers
}

fn in_manifest(manifest: &Manifest, at: &str, origin: &Path, findings: &mut Diagnostics) -> WaivedAt {
    let is_image = |name: &str| manifest.images.keys().any(|image| image.as_str() == name);
    if !at.strip_prefix("images.").is_some_and(is_image) {
        findings.push(
            Diagnostic::error("unknown-reference", origin.key("at"), "there is no image of this name")
                .with_help("this finding is about an image: `images.web`"),
        );
    }
    WaivedAt::Manifest(Path::of(at.split('.')))
}

/// Whether this is a place that scanners look at: a stack, an image, or the code of a test group.
fn is_scanned(at: &str) -> bool {
    ["terraform.stacks.", "images.", "tests."].iter().any(|place| at.starts_with(place))
}

fn in_scan(
    manifest: &Manifest,
    written: &manifest::Waiver,
    origin: &Path,
    findings: &mut Diagnostics,
) -> WaivedAt {
    // It is printed in tables and logs, and compared letter by letter.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./@:".contains(&byte);
    if written.rule.is_empty() || written.rule.len() > 100 || !written.rule.bytes().all(is_plain) {
        findings.push(
            Diagnostic::error("invalid-value", origin.key("rule"), "no scanner calls a finding so")
                .with_help(
                    "the summary of the scan has its name: `AVD-AWS-0089`, `CVE-2026-1234`, `no-eval`",
                ),
        );
    }
    let mut unknown = |message: &str, help: String| {
        findings.push(Diagnostic::error("unknown-reference", origin.key("at"), message).with_help(help));
    };
    let named = |name: &str, help: &str| format!("{help}: `{name}`");
    let at = written.at.as_str();
    if let Some(name) = at.strip_prefix("terraform.stacks.") {
        let mut stacks = manifest.terraform.iter().flat_map(|terraform| terraform.stacks.keys());
        if !stacks.any(|stack| stack.as_str() == name) {
            unknown("there is no stack of this name", named("terraform.stacks.app", "a stack is named so"));
        }
    } else if let Some(name) = at.strip_prefix("images.") {
        if !manifest.images.keys().any(|image| image.as_str() == name) {
            unknown("there is no image of this name", named("images.web", "an image is named so"));
        }
    } else if let Some(rest) = at.strip_prefix("tests.") {
        let (name, tool) = rest.split_once('.').unwrap_or((rest, ""));
        match manifest.tests.iter().find(|(group, _)| group.as_str() == name) {
            None => unknown(
                "there is no test group of this name",
                named("tests.api.pip-audit", "a group is named so"),
            ),
            Some((_, group)) => {
                let tools = tools_at(manifest, group);
                if !tools.contains(&tool) {
                    let ways: Vec<String> =
                        tools.iter().map(|tool| format!("`tests.{name}.{tool}`")).collect();
                    unknown(
                        "no tool of this name looks at the group",
                        match ways.as_slice() {
                            [] => "`eslint` and `dependencies` under `security` do; flake8 and bandit have comments \
                                   of their own: `# noqa`, `# nosec`"
                                .to_owned(),
                            ways => format!("the tool is named behind the group: {}", ways.join(" or ")),
                        },
                    );
                }
            }
        }
    }
    WaivedAt::Scanned(at.to_owned())
}

/// The tools that look at a group and whose findings can be waived.
fn tools_at(manifest: &Manifest, group: &manifest::TestGroup) -> Vec<&'static str> {
    let Some(security) = &manifest.security else { return Vec::new() };
    let auditors = security.dependencies.as_ref().map_or(&[][..], |audit| audit.tool.values());
    let eslint = (security.eslint.is_some() && group.node.is_some()).then_some("eslint");
    let auditors = auditors.iter().filter_map(|tool| match tool {
        DependencyTool::PipAudit => group.python.as_ref().map(|_| "pip-audit"),
        DependencyTool::Safety => group.python.as_ref().map(|_| "safety"),
        DependencyTool::NpmAudit => group.node.as_ref().map(|_| "npm-audit"),
    });
    eslint.into_iter().chain(auditors).collect()
}

fn in_workflow(manifest: &Manifest, at: &str, origin: &Path, findings: &mut Diagnostics) -> WaivedAt {
    if let Some(file) = at.strip_prefix(".github/workflows/") {
        let (name, job) = match file.split_once(':') {
            Some((name, job)) => (name, Some(job.to_owned())),
            None => (file, None),
        };
        if manifest.workflows.keys().any(|own| name.strip_suffix(".yml") == Some(own.as_str())) {
            findings.push(
                Diagnostic::error("invalid-value", origin.key("at"), "the manifest renders this file")
                    .with_help(
                        "name the workflow as the manifest does: `test`, or `test.test-api-unit` for a job",
                    ),
            );
        }
        return WaivedAt::File { name: name.to_owned(), job };
    }
    let (name, job) = match at.split_once('.') {
        Some((name, job)) => (name, Some(job.to_owned())),
        None => (at, None),
    };
    if !manifest.workflows.keys().any(|own| own.as_str() == name) {
        findings.push(
            Diagnostic::error("unknown-reference", origin.key("at"), "there is no workflow of this name")
                .with_help("a waiver stands at a workflow, or at a workflow and a job: `test.test-api-unit`")
                .with_help(
                    "a file that the manifest does not render has its path: `.github/workflows/legacy.yml`",
                ),
        );
    }
    WaivedAt::Workflow { name: name.to_owned(), job }
}
