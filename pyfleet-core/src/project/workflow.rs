//! Wishes as they are meant: which file is which kind, and whether it is rendered.

use std::collections::BTreeMap;

use super::defaults;
use super::drift::{self, Drift};
use super::stage::{self, Stage};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{
    self, Approval, Auto, Disposition, Kind, Manifest, SafetyLevel, Slug, StageKind, Triggers,
};

/// A workflow that is wanted.
#[derive(Debug, Clone)]
pub struct WorkflowWish {
    /// What it is; nothing where that is not known and the file is not rendered.
    pub kind: Option<Kind>,
    /// What becomes of its file.
    pub disposition: Disposition,
    /// What starts it, where the manifest says so.
    pub on: Option<Triggers>,
    /// A deployment's services.
    pub services: Vec<Slug>,
    /// What has to be typed for a deployment or a rollback.
    pub phrase: String,
    /// Who has to agree to a rollback.
    pub approval: Approval,
    /// A pipeline's stages, in order; those side by side stand together.
    pub stages: Vec<Vec<Stage>>,
    /// What becomes of drift, where it looks for it.
    pub drift: Drift,
    /// Why it may write without a person who starts it.
    pub auto: Option<Auto>,
    /// Whether the backend goes with the last thing in it.
    pub destroys_backend: bool,
    /// Whether a push is applied unseen only as its pull request showed it.
    pub requires_parity: bool,
}

impl WorkflowWish {
    /// Whether it is rendered, and applies stacks.
    #[must_use]
    pub fn applies(&self) -> bool {
        let is_stage = |stage: &Stage| stage.kind == StageKind::Terraform;
        self.disposition == Disposition::Rendered
            && (self.kind.is_some_and(Kind::applies) || self.stages.iter().flatten().any(is_stage))
    }

    /// Whether it is rendered as a kind.
    #[must_use]
    pub fn renders(&self, kind: Kind) -> bool {
        self.kind == Some(kind) && self.disposition == Disposition::Rendered
    }
}

pub(super) fn resolve(
    manifest: &Manifest,
    level: SafetyLevel,
    findings: &mut Diagnostics,
) -> BTreeMap<Slug, WorkflowWish> {
    let mut wishes = BTreeMap::new();
    for (name, written) in &manifest.workflows {
        let path = Path::of(["workflows", name.as_str()]);
        if is_reserved_on_windows(name.as_str()) {
            findings.push(Diagnostic::error(
                "name-collision",
                Place::key(path.clone()),
                "Windows cannot check out a file of this name",
            ));
        }
        let (disposition, kind) = (written.disposition(), written.kind_of(name));
        match kind {
            _ if disposition != Disposition::Rendered => {}
            Some(kind) => {
                check(kind, written, manifest, level, &path, findings);
                check_keys(kind, written, manifest, &path, findings);
            }
            None => findings.push(unknown_kind(&path)),
        }
        let phrase = match kind {
            Some(Kind::Rollback) => defaults::ROLLBACK_PHRASE,
            _ => defaults::DEPLOY_PHRASE,
        };
        let mut services: Vec<Slug> = match &written.services {
            Some(services) => services.clone(),
            None => manifest.services.keys().cloned().collect(),
        };
        services.sort_unstable();
        services.dedup();
        wishes.insert(
            name.clone(),
            WorkflowWish {
                kind,
                disposition,
                on: written.on.clone(),
                stages: match kind {
                    Some(Kind::Pipeline) if disposition == Disposition::Rendered => {
                        stage::resolve(manifest, written, &path, findings)
                    }
                    _ => Vec::new(),
                },
                drift: drift::resolve(kind, written, &path, findings),
                services,
                phrase: written.confirm.as_ref().map_or_else(|| phrase.to_owned(), ToString::to_string),
                auto: written.auto.clone(),
                destroys_backend: written.destroy_backend_after.unwrap_or(false),
                requires_parity: written.require_parity.unwrap_or(false),
                approval: written.approval.unwrap_or(defaults::ROLLBACK_APPROVAL),
            },
        );
    }
    wishes
}

fn unknown_kind(path: &Path) -> Diagnostic {
    let kinds: Vec<String> = Kind::ALL.iter().map(|kind| format!("`{}`", kind.name())).collect();
    Diagnostic::error(
        "unknown-reference",
        Place::key(path.clone()),
        "no kind of workflow has this name, and `kind` is not given",
    )
    .with_help(format!("the kinds are {}", kinds.join(", ")))
}

/// Keys that only some kinds understand, and what they name.
fn check_keys(
    kind: Kind,
    written: &manifest::Workflow,
    manifest: &Manifest,
    path: &Path,
    findings: &mut Diagnostics,
) {
    for (key, is_written, kinds) in [
        ("services", written.services.is_some(), &[Kind::Deploy][..]),
        ("confirm", written.confirm.is_some(), &[Kind::Deploy, Kind::Rollback][..]),
        ("approval", written.approval.is_some(), &[Kind::Rollback][..]),
        ("on-drift", written.on_drift.is_some(), &[Kind::TfDrift][..]),
        ("labels", written.labels.is_some(), &[Kind::TfDrift][..]),
        ("assignees", written.assignees.is_some(), &[Kind::TfDrift][..]),
        ("stages", written.stages.is_some(), &[Kind::Pipeline][..]),
        ("auto", written.auto.is_some(), &[Kind::Pipeline, Kind::TfAuto][..]),
        ("destroy-backend-after", written.destroy_backend_after.is_some(), &[Kind::TfAuto][..]),
        ("require-parity", written.require_parity.is_some(), &[Kind::TfAuto][..]),
    ] {
        if is_written && !kinds.contains(&kind) {
            let kinds: Vec<String> = kinds.iter().map(|kind| format!("`{}`", kind.name())).collect();
            let finding = Diagnostic::error(
                "invalid-value",
                Place::key(path.key(key)),
                format!("`{}` has no such key: it is one of {}", kind.name(), kinds.join(" and ")),
            );
            findings.push(match (kind, key) {
                (Kind::Deploy | Kind::Pipeline, "approval") => {
                    finding.with_help("who agrees to a deployment is said by `approval` of the environment")
                }
                _ => finding.with_help("take it out"),
            });
        }
    }
    stage::check_written(kind, written, path, findings);
    let is_automatic = kind == Kind::TfAuto
        || (kind == Kind::Pipeline && stage::writes(manifest, written) && stage::is_automatic(written));
    check_auto(is_automatic, written, path, findings);
    if kind != Kind::Deploy {
        return;
    }
    if written.services.as_ref().is_some_and(Vec::is_empty) {
        findings.push(
            Diagnostic::error("invalid-value", path.key("services"), "it would deploy nothing")
                .with_help("name a service, or take `services` out: all of them"),
        );
    }
    for (index, service) in written.services.iter().flatten().enumerate() {
        if !manifest.services.contains_key(service) {
            let known: Vec<String> = manifest.services.keys().map(|name| format!("`{name}`")).collect();
            findings.push(
                Diagnostic::error(
                    "unknown-reference",
                    path.key("services").index(index),
                    "there is no service of this name",
                )
                .with_help(if known.is_empty() {
                    "declare it under `services`".to_owned()
                } else {
                    format!("there is {}", known.join(", "))
                }),
            );
        }
    }
}

fn check(
    kind: Kind,
    written: &manifest::Workflow,
    manifest: &Manifest,
    level: SafetyLevel,
    path: &Path,
    findings: &mut Diagnostics,
) {
    let (needed, section, present) = match kind {
        // A golden image and playbooks are checked without a machine.
        Kind::Test => (
            SafetyLevel::TESTS,
            "tests",
            !manifest.tests.is_empty() || manifest.packer.is_some() || manifest.ansible.is_some(),
        ),
        Kind::Build => (SafetyLevel::BUILDS, "images", !manifest.images.is_empty()),
        Kind::Terraform => (SafetyLevel::TESTS, "terraform", manifest.terraform.is_some()),
        Kind::Metrics => (SafetyLevel::TESTS, "workflows", manifest.delivers()),
        Kind::CheckState => (SafetyLevel::READS, "terraform", manifest.terraform.is_some()),
        Kind::TestOidc => (SafetyLevel::READS, "terraform", manifest.terraform.is_some()),
        Kind::Deploy => (SafetyLevel::WRITES, "services", !manifest.services.is_empty()),
        // Its stages say what they work on.
        Kind::Pipeline => (stage::level(manifest, written), "stages", true),
        // Stacks can be brought back where a workflow applies them, and writes down what.
        Kind::Rollback => {
            (SafetyLevel::WRITES, "services", !manifest.services.is_empty() || manifest.applies_stacks())
        }
        Kind::TfDrift => (SafetyLevel::READS, "terraform", manifest.terraform.is_some()),
        Kind::Tf => (SafetyLevel::WRITES, "terraform", manifest.terraform.is_some()),
        Kind::TfAuto => (SafetyLevel::AUTOMATES, "terraform", manifest.terraform.is_some()),
    };
    let is_cloud = matches!(
        kind,
        Kind::CheckState
            | Kind::Deploy
            | Kind::Rollback
            | Kind::TestOidc
            | Kind::Tf
            | Kind::TfAuto
            | Kind::TfDrift
    ) || (kind == Kind::Pipeline && stage::writes(manifest, written));
    let own = manifest.environments.values().map(|environment| environment.safety_level.unwrap_or(level));
    if is_cloud && level >= needed && own.clone().next().is_some() && own.max() < Some(needed) {
        findings.push(
            Diagnostic::error(
                "level-exceeded",
                Place::key(path.clone()),
                format!("`{}` needs an environment at safety level {}", kind.name(), needed.number()),
            )
            .with_help("raise `safety-level` of an environment, or take the workflow out"),
        );
    }
    if is_cloud && present && manifest.environments.is_empty() {
        findings.push(
            Diagnostic::error(
                "missing-key",
                Place::key(path.clone()),
                format!("`{}` works on `environments`, and there is none", kind.name()),
            )
            .with_help("declare `environments`, or take the workflow out"),
        );
    }
    if level < needed {
        let raise = match kind {
            Kind::Pipeline if needed == SafetyLevel::AUTOMATES => {
                "raise `safety-level`, or let nothing but a person start it: `on: { manual: true }`"
            }
            _ => "raise `safety-level`, or set `enabled: false`",
        };
        findings.push(
            Diagnostic::error(
                "level-exceeded",
                Place::key(path.clone()),
                format!(
                    "`{}` needs safety level {}, and the project is at {}",
                    kind.name(),
                    needed.number(),
                    level.number()
                ),
            )
            .with_help(raise),
        );
    }
    if !present {
        findings.push(
            Diagnostic::error(
                "missing-key",
                Place::key(path.clone()),
                format!("`{}` works on `{section}`, and there is none", kind.name()),
            )
            .with_help(match kind {
                Kind::Rollback => {
                    "declare `services`, or `terraform` with `stacks` and a workflow of kind `tf` or `tf-auto` that applies them, or take the workflow out".to_owned()
                }
                Kind::Metrics => "it measures runs of pipelines, `deploy`, `tf` and `tf-auto`: add one of them, or take the workflow out".to_owned(),
                _ => format!("declare `{section}`, or take the workflow out"),
            }),
        );
    }
}

/// What has to be said about a workflow that writes without a person who starts it.
fn check_auto(is_automatic: bool, written: &manifest::Workflow, path: &Path, findings: &mut Diagnostics) {
    match &written.auto {
        Some(auto) if auto.reason.trim().len() < 8 => findings.push(
            Diagnostic::error(
                "invalid-value",
                path.key("auto").key("reason"),
                "a reason has at least 8 characters",
            )
            .with_help("say why nobody has to start what this workflow writes"),
        ),
        Some(auto) if auto.reason.contains('\n') => findings.push(Diagnostic::error(
            "invalid-value",
            path.key("auto").key("reason"),
            "a reason is one line: it stands where comments do",
        )),
        None if is_automatic => findings.push(
            Diagnostic::error(
                "missing-key",
                Place::key(path.clone()),
                "it writes without a person who starts it, and `auto` does not say why",
            )
            .with_help("as in `auto: { reason: dev is disposable, owner: \"@acme/platform\" }`"),
        ),
        _ => {}
    }
}

/// Device names that Windows keeps for itself, with any extension
/// ([Microsoft: naming files](https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file)).
fn is_reserved_on_windows(name: &str) -> bool {
    matches!(name, "con" | "prn" | "aux" | "nul")
        || name
            .strip_prefix("com")
            .or_else(|| name.strip_prefix("lpt"))
            .is_some_and(|digit| digit.len() == 1 && digit.bytes().all(|byte| byte.is_ascii_digit()))
}
