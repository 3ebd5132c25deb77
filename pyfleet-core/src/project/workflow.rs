//! Wishes as they are meant: which file is which kind, and whether it is rendered.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{self, Auto, Disposition, Kind, Manifest, SafetyLevel, Slug, Triggers};

/// A workflow that is wanted.
#[derive(Debug, Clone)]
pub struct WorkflowWish {
    /// What it is; nothing where that is not known and the file is not rendered.
    pub kind: Option<Kind>,
    /// What becomes of its file.
    pub disposition: Disposition,
    /// What starts it, where the manifest says so.
    pub on: Option<Triggers>,
    /// Why it may write without a person who starts it.
    pub auto: Option<Auto>,
    /// Whether the backend goes with the last thing in it.
    pub destroys_backend: bool,
    /// Whether a push is applied unseen only as its pull request showed it.
    pub requires_parity: bool,
}

impl WorkflowWish {
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
                check(kind, manifest, level, &path, findings);
                check_keys(kind, written, &path, findings);
            }
            None => findings.push(unknown_kind(name, &path)),
        }
        let wish = WorkflowWish {
            kind,
            disposition,
            on: written.on.clone(),
            auto: written.auto.clone(),
            destroys_backend: written.destroy_backend_after.unwrap_or(false),
            requires_parity: written.require_parity.unwrap_or(false),
        };
        wishes.insert(name.clone(), wish);
    }
    wishes
}

fn unknown_kind(name: &Slug, path: &Path) -> Diagnostic {
    let kinds: Vec<String> = Kind::ALL.iter().map(|kind| format!("`{}`", kind.name())).collect();
    if manifest::KINDS_NOT_BUILT.contains(&name.as_str()) {
        return Diagnostic::error(
            "not-built",
            Place::key(path.clone()),
            format!("the kind `{name}` is designed, but nothing renders it yet"),
        )
        .with_help("take it out, or set `enabled: false`");
    }
    Diagnostic::error(
        "unknown-reference",
        Place::key(path.clone()),
        "no kind of workflow has this name, and `kind` is not given",
    )
    .with_help(format!("the kinds are {}", kinds.join(", ")))
}

fn check(kind: Kind, manifest: &Manifest, level: SafetyLevel, path: &Path, findings: &mut Diagnostics) {
    let (needed, section, present) = match kind {
        Kind::Test => (SafetyLevel::TESTS, "tests", !manifest.tests.is_empty()),
        Kind::Build => (SafetyLevel::BUILDS, "images", !manifest.images.is_empty()),
        Kind::Terraform => (SafetyLevel::TESTS, "terraform", manifest.terraform.is_some()),
        Kind::CheckState => (SafetyLevel::READS, "terraform", manifest.terraform.is_some()),
        Kind::TestOidc => (SafetyLevel::READS, "terraform", manifest.terraform.is_some()),
        Kind::Tf => (SafetyLevel::WRITES, "terraform", manifest.terraform.is_some()),
        Kind::TfAuto => (SafetyLevel::AUTOMATES, "terraform", manifest.terraform.is_some()),
    };
    let is_cloud = matches!(kind, Kind::CheckState | Kind::TestOidc | Kind::Tf | Kind::TfAuto);
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
            .with_help("raise `safety-level`, or set `enabled: false`"),
        );
    }
    if !present {
        findings.push(
            Diagnostic::error(
                "missing-key",
                Place::key(path.clone()),
                format!("`{}` works on `{section}`, and there is none", kind.name()),
            )
            .with_help(format!("declare `{section}`, or take the workflow out")),
        );
    }
}

/// Keys that only some kinds know, and one that some need.
fn check_keys(kind: Kind, written: &manifest::Workflow, path: &Path, findings: &mut Diagnostics) {
    let is_auto = kind == Kind::TfAuto;
    for (key, is_there, knows) in [
        ("auto", written.auto.is_some(), is_auto),
        ("destroy-backend-after", written.destroy_backend_after.is_some(), is_auto),
        ("require-parity", written.require_parity.is_some(), is_auto),
    ] {
        if is_there && !knows {
            findings.push(
                Diagnostic::error(
                    "invalid-value",
                    Place::key(path.key(key)),
                    format!("`{}` does not know `{key}`", kind.name()),
                )
                .with_help("take it out: it would change nothing"),
            );
        }
    }
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
        None if is_auto => findings.push(
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
