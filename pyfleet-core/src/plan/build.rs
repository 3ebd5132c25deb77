//! `build`: every image built, checked and scanned where a pull request concerns it; nothing is pushed.

use super::body::{Body, BuildImage, Changes, ScanImage, Target};
use super::code_scanning;
use super::draft::{CHECK_OUT, Draft, NewJob};
use super::scan::{TRIVY, accepted_at, counting_from};
use crate::diagnostic::Path;
use crate::manifest::OnFindings;
use crate::project::Project;

pub(super) fn plan(project: &Project, draft: &mut Draft<'_>) {
    let targets = project
        .images
        .iter()
        .map(|(name, image)| {
            // The Dockerfile lies in the context.
            Target { name: name.to_string(), paths: vec![image.directory.normal().to_owned()] }
        })
        .collect();
    draft.add(changes_job(
        draft,
        Changes {
            targets,
            always: always(draft),
            matrices: None,
            notes: None,
            pull_requests: draft.runs_for_pull_requests(),
            follows_modules: false,
            compares_pushes: false,
        },
        &["changed"],
    ));
    let mut reporting = Vec::new();
    for (name, image) in &project.images {
        let origin = Path::of(["images", name.as_str()]);
        let (build, artifact) = (format!("build-{name}"), format!("image_{name}"));
        let mut model = draft.job(format!("build {name}"), project.timeout_minutes);
        model.needs = vec!["changes".to_owned()];
        model.condition = Some(format!("contains(fromJSON(needs.changes.outputs.changed), '{name}')"));
        draft.add(NewJob {
            id: build.clone(),
            model,
            permissions: &[CHECK_OUT],
            because: "Only where one of the image's files changed.",
            identity: None,
            body: Body::BuildImage(BuildImage {
                image: name.to_string(),
                context: image.directory.normal().to_owned(),
                dockerfile: image.dockerfile.clone(),
                platform: image.platform.clone(),
                reference: format!("{name}:{}", draft.name()),
                artifact: artifact.clone(),
                max_size: image.max_size,
                non_root: image.non_root,
            }),
            origin: origin.clone(),
        });
        let mut model = draft.job(format!("scan {name}"), 15);
        model.needs = vec![build];
        let (scan, report) = (format!("scan-{name}"), format!("scan_{name}"));
        draft.add(NewJob {
            id: scan.clone(),
            model,
            permissions: &[CHECK_OUT],
            because: "",
            identity: None,
            body: Body::ScanImage(ScanImage {
                image: artifact,
                archive: None,
                title: format!("Image {name}"),
                artifact: report.clone(),
                scanner: TRIVY,
                minimum_severity: counting_from(Some(image.minimum_severity)),
                on_findings: OnFindings::Fail,
                accepted: accepted_at(project, &format!("images.{name}")),
                sarif: code_scanning::is_available(project),
                artifact_days: project.artifact_days,
            }),
            origin: origin.clone(),
        });
        if code_scanning::is_available(project) {
            let mut model = draft.job(format!("code scanning {name}"), 10);
            model.condition = Some(format!("needs.{scan}.result != 'skipped'"));
            model.needs = vec![scan];
            let id = format!("code-scanning-{name}");
            reporting.push(id.clone());
            draft.add(code_scanning::job(draft, id, model, &report, &format!("trivy-image-{name}"), origin));
        }
    }
    draft.add_gate(&reporting.iter().map(String::as_str).collect::<Vec<_>>());
}

/// A change of the checks themselves concerns everything that they check.
pub(super) fn always(draft: &Draft<'_>) -> Vec<String> {
    vec![".github/scripts".to_owned(), draft.file().to_owned()]
}

/// The job that finds what changed, with the outputs that later jobs read.
pub(super) fn changes_job(draft: &Draft<'_>, body: Changes, outputs: &[&str]) -> NewJob {
    let mut model = draft.job("changes", 10);
    model.outputs = outputs
        .iter()
        .map(|output| ((*output).to_owned(), format!("${{{{ steps.changes.outputs.{output} }}}}")))
        .collect();
    NewJob {
        id: "changes".to_owned(),
        model,
        permissions: &[CHECK_OUT],
        because: "",
        identity: None,
        body: Body::Changes(body),
        origin: Path::of(["workflows", draft.name().as_str()]),
    }
}
