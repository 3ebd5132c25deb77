//! Stacks that CDKTF synthesises: what has to hold for them, and what the job that synthesises needs to know.

use std::collections::BTreeMap;

use indexmap::{IndexMap, IndexSet};
use serde::Serialize;

use super::super::defaults;
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{
    self, Approval, CdktfApply, Disposition, Kind, Manifest, Only, SafetyLevel, Slug, StageKind, Workflow,
};
use crate::project::Environment;

/// A stack that CDKTF synthesises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Synthesised {
    /// The program's directory.
    pub program: String,
    /// The exact version of the command line.
    pub version: String,
    /// The Node version.
    pub node: String,
    /// Terraform's lock file for what is synthesised.
    pub lock_file: String,
    /// The variables whose images the stack runs.
    pub images: Vec<String>,
    /// The services that the stack deploys itself.
    #[serde(skip)]
    pub awaits: Vec<Slug>,
    /// Why it is planned and applied in one go, where it is.
    #[serde(skip)]
    pub direct: Option<String>,
}

/// What is synthesised, with everything that is wrong with it.
pub(super) fn resolve(
    manifest: &Manifest,
    environments: &[Environment],
    stacks: &IndexMap<Slug, manifest::Stack>,
    findings: &mut Diagnostics,
) -> BTreeMap<Slug, Synthesised> {
    let mut synthesised = BTreeMap::new();
    let mut awaited = BTreeMap::new();
    for (name, stack) in stacks {
        let path = Path::of(["terraform", "stacks", name.as_str()]);
        check_awaits(manifest, stack, &path, &mut awaited, findings);
        check_sources(stack, &path, findings);
        let Some(cdktf) = &stack.cdktf else { continue };
        check(stack, &path, findings);
        let lock_file = cdktf.lock_files.join(&format!("{name}/.terraform.lock.hcl"));
        let node = cdktf.node.as_ref().map_or_else(|| defaults::CDKTF_NODE.to_owned(), ToString::to_string);
        let own = Synthesised {
            program: cdktf.directory.normal().to_owned(),
            version: cdktf.version.to_string(),
            node,
            lock_file,
            awaits: stack.awaits.iter().flatten().collect::<IndexSet<_>>().into_iter().cloned().collect(),
            images: images(manifest, stack),
            direct: direct(name, stack, environments, findings),
        };
        synthesised.insert(name.clone(), own);
    }
    if let Some(name) = synthesised.keys().next() {
        for (own, workflow) in &manifest.workflows {
            check_workflow(manifest, own, workflow, name, findings);
        }
    }
    synthesised
}

/// The variable that names an image for the program.
pub(crate) fn image_variable(image: &Slug) -> String {
    format!("IMAGE_{}", image.as_str().to_uppercase().replace('-', "_"))
}

/// The variables whose images a stack runs: those of the services that it deploys, or all that are pushed.
fn images(manifest: &Manifest, stack: &manifest::Stack) -> Vec<String> {
    let mut images: Vec<String> = match &stack.awaits {
        Some(services) => {
            let services = services.iter().filter_map(|service| manifest.services.get(service));
            services.map(|service| image_variable(&service.image)).collect()
        }
        None => {
            let pushed = manifest.images.iter().filter(|(_, image)| image.registry.is_some());
            pushed.map(|(name, _)| image_variable(name)).collect()
        }
    };
    images.sort_unstable();
    images.dedup();
    images
}

/// A stack has its sources in one of two places.
fn check_sources(stack: &manifest::Stack, path: &Path, findings: &mut Diagnostics) {
    match (&stack.directory, &stack.cdktf) {
        (Some(_), Some(_)) => findings.push(
            Diagnostic::error(
                "invalid-value",
                Place::key(path.key("directory")),
                "`directory` and `cdktf` exclude each other: the stack is written by hand, or synthesised",
            )
            .with_help("take `directory` out: the program's own stands in `cdktf`"),
        ),
        (None, None) => findings.push(
            Diagnostic::error(
                "missing-key",
                Place::key(path.clone()),
                "there is neither `directory` nor `cdktf`",
            )
            .with_help("name the stack's directory: `directory: infra/network`"),
        ),
        _ => {}
    }
}

fn check(stack: &manifest::Stack, path: &Path, findings: &mut Diagnostics) {
    let at = path.key("cdktf");
    findings.push(
        Diagnostic::warning(
            "archived",
            Place::key(at.clone()),
            "CDKTF is archived since 2025-12-10: nobody mends it any more",
        )
        .with_help("`cdktf synth --hcl` writes the stack as Terraform's own language: commit that, and name its `directory` instead"),
    );
    for (key, is_written, reason) in [
        (
            "var-files",
            !stack.var_files.is_empty(),
            "what is synthesised has no directory that they could lie in",
        ),
        ("blue-green", stack.blue_green.is_some(), "no workflow promotes what is synthesised"),
    ] {
        if is_written {
            findings.push(
                Diagnostic::error("invalid-value", Place::key(path.key(key)), reason)
                    .with_help("take it out: the program knows the environment as ENVIRONMENT"),
            );
        }
    }
}

/// Why a stack is planned and applied in one go, where it is. Nobody agrees to what was not looked at: that leaves the
/// environments where nobody is asked.
fn direct(
    name: &Slug,
    stack: &manifest::Stack,
    environments: &[Environment],
    findings: &mut Diagnostics,
) -> Option<String> {
    let CdktfApply::Direct(written) = stack.cdktf.as_ref()?.apply.as_ref()? else { return None };
    let at = Path::of(["terraform", "stacks", name.as_str(), "cdktf", "apply"]);
    let is_asked = |own: &&Environment| {
        stack.is_in(&own.name) && own.level >= SafetyLevel::WRITES && own.approval != Approval::None
    };
    let asked = environments.iter().filter(is_asked);
    let asked: Vec<String> = asked.map(|environment| format!("`{}`", environment.name)).collect();
    if !asked.is_empty() {
        findings.push(
            Diagnostic::error(
                "invalid-value",
                Place::key(at.clone()),
                format!(
                    "`direct` plans behind the reviewers of {}, who would agree to what nobody has looked at",
                    asked.join(" and ")
                ),
            )
            .with_help("apply it as `reviewed`, or keep the stack to environments with `approval: none`"),
        );
    }
    let Some(written) = written else {
        findings.push(
            Diagnostic::error("missing-key", at, "`direct` applies what nobody has looked at, and does not say why")
                .with_help("give the reason: `apply: { direct: { reason: … } }`, or leave `apply` out: the plan that was looked at is applied"),
        );
        return None;
    };
    let at = at.key("direct").key("reason");
    if written.reason.trim().len() < 8 {
        findings.push(
            Diagnostic::error("missing-key", at, "the reason says nothing to whoever reads the workflow")
                .with_help("say in a few words why nobody has to look at what is planned"),
        );
    } else if written.reason.contains('\n') {
        findings.push(
            Diagnostic::error("invalid-value", at, "the reason is one line: it stands in a comment")
                .with_help("write it in one line"),
        );
    }
    Some(written.reason.trim().to_owned())
}

/// What a stack deploys itself is a service on ECS, which nothing else deploys.
fn check_awaits<'a>(
    manifest: &Manifest,
    stack: &'a manifest::Stack,
    path: &Path,
    awaited: &mut BTreeMap<&'a Slug, Path>,
    findings: &mut Diagnostics,
) {
    let at = path.key("awaits");
    if stack.cdktf.is_none() && stack.awaits.is_some() {
        findings.push(
            Diagnostic::error(
                "invalid-value",
                Place::key(at.clone()),
                "only a stack of `cdktf` is handed the images' digests, so that nothing else can be waited for",
            )
            .with_help("deploy the services with a `deploy` stage"),
        );
        return;
    }
    for (index, service) in stack.awaits.iter().flatten().enumerate() {
        let place = at.index(index);
        if let Some(first) = awaited.get(service) {
            findings.push(
                Diagnostic::error("invalid-value", place, format!("`{service}` is awaited twice"))
                    .with_label(first.clone(), "here as well")
                    .with_help("one stack deploys a service"),
            );
            continue;
        }
        awaited.insert(service, place.clone());
        match manifest.services.get(service) {
            None => {
                let known: Vec<String> = manifest.services.keys().map(|name| format!("`{name}`")).collect();
                findings.push(
                    Diagnostic::error("unknown-reference", place.clone(), "there is no service of this name")
                        .with_help(match known.as_slice() {
                            [] => "declare it under `services`".to_owned(),
                            known => format!("there is {}", known.join(", ")),
                        }),
                );
            }
            Some(written) if written.ecs.is_none() => findings.push(
                Diagnostic::error(
                    "missing-key",
                    place.clone(),
                    "only deployments of Amazon ECS can be waited for, and this service has no `ecs`",
                )
                .with_help(format!("say where it runs: `services.{service}.ecs`, or take it out")),
            ),
            Some(_) => {}
        }
        for (name, workflow) in &manifest.workflows {
            if manifest.services.contains_key(service) && deploys(name, workflow, service) {
                findings.push(
                    Diagnostic::error(
                        "two-owners",
                        place.clone(),
                        format!("the stack deploys `{service}`, and so does the workflow `{name}`: each would undo the other's task definition"),
                    )
                    .with_label(Path::of(["workflows", name.as_str()]), "deploys it as well")
                    .with_help(format!("name the services that `{name}` deploys, without this one")),
                );
            }
        }
    }
}

fn deploys(name: &Slug, workflow: &Workflow, service: &Slug) -> bool {
    let names = |services: &Option<Vec<Slug>>| services.as_ref().is_none_or(|own| own.contains(service));
    workflow.disposition() == Disposition::Rendered
        && match workflow.kind_of(name) {
            Some(Kind::Deploy) => names(&workflow.services),
            Some(Kind::Pipeline) => {
                workflow.all_stages().any(|stage| stage.kind == StageKind::Deploy && names(&stage.services))
            }
            _ => false,
        }
}

/// What works on such a stack synthesises it first, with the digests of images that are known by then.
fn check_workflow(
    manifest: &Manifest,
    name: &Slug,
    workflow: &Workflow,
    stack: &Slug,
    findings: &mut Diagnostics,
) {
    if workflow.disposition() != Disposition::Rendered {
        return;
    }
    let place = Path::of(["workflows", name.as_str()]);
    match workflow.kind_of(name) {
        Some(kind @ (Kind::Terraform | Kind::Tf | Kind::TfAuto)) => {
            let reason = match kind {
                Kind::Terraform => "a pull request has no images whose digests it could be synthesised with",
                _ => "only a pipeline builds the images whose digests it is synthesised with",
            };
            findings.push(
                Diagnostic::error(
                    "not-built",
                    Place::key(place),
                    format!("`{}` does not work on `{stack}`, which CDKTF synthesises: {reason}", kind.name()),
                )
                .with_help("take the workflow out: `pipeline` plans and applies the stack, `tf-drift` and `check-state` look at it"),
            );
        }
        Some(Kind::Pipeline) => check_stages(manifest, workflow, stack, &place.key("stages"), findings),
        _ => {}
    }
}

/// Images before what is synthesised with them, whenever that is.
fn check_stages(
    manifest: &Manifest,
    workflow: &Workflow,
    stack: &Slug,
    place: &Path,
    findings: &mut Diagnostics,
) {
    let groups = || workflow.stages.iter().flatten();
    let find =
        |kind: StageKind| groups().position(|group| group.all().iter().any(|stage| stage.kind == kind));
    let Some(terraform) = find(StageKind::Terraform) else { return };
    let needs_images = manifest.images.values().any(|image| image.registry.is_some());
    if needs_images && find(StageKind::Image).is_none_or(|image| image >= terraform) {
        findings.push(
            Diagnostic::error(
                "missing-key",
                place.index(terraform),
                format!("`{stack}` is synthesised with the digests of images, which are built and pushed before it"),
            )
            .with_help("put `image` before `terraform`"),
        );
    }
    let limit = |kind: StageKind| -> Option<&Only> {
        workflow.all_stages().find(|stage| stage.kind == kind)?.only.as_ref()
    };
    if let Some(only) = limit(StageKind::Image).filter(|_| needs_images)
        && limit(StageKind::Terraform) != Some(only)
    {
        findings.push(
            Diagnostic::error(
                "invalid-value",
                place.clone(),
                format!("`{stack}` is synthesised with the digests of images, and `image` is left out of runs that `terraform` is not left out of"),
            )
            .with_help("limit both alike: the same `only`"),
        );
    }
}
