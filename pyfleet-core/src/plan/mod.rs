//! From project to plan: which workflows and jobs there are, with which rights, and why.
//!
//! A planned workflow holds the [`crate::workflow::Workflow`] that the rendered file must parse to, but for
//! the steps, and for every job a [`Body`]: the typed context of the template that lays its steps out.
//! Every decision is made here; templates decide nothing.
//!
//! A workflow kind is one file beside this one and one line in `KINDS`.

mod body;
mod build;
mod check_state;
mod code_scanning;
mod condition;
mod configure;
mod cost;
mod credentials;
mod deploy;
mod draft;
mod drift;
mod eks;
mod environment_jobs;
mod extension;
mod metrics;
mod golden_image;
mod notify;
mod passed;
mod pipeline;
mod read_back;
mod registry;
mod rollback;
mod scan;
mod security;
mod smoke;
mod stacks;
mod terraform;
mod test;
mod test_oidc;
mod tf;
mod tf_auto;
mod trigger;

use indexmap::IndexMap;
use serde::Serialize;

pub use self::body::{
    Accepted, AcceptedFinding, Action, AnsibleCheck, AppliedHistory, Approval, Archive, Asked, Body,
    BuildArchive, BuildImage, CdktfSynth, Changes, CheckState, Cluster, CodeCheck, CodeScanning, Codecov,
    Configure, CostComment, Coverage, CreateBackend, Credentials, Decide, DeployApproval, DeployGuard,
    DeploySummary, DestroyBackend, DetectDrift, DriftReport, EcsAwait, EcsDeploy, EcsLook, EcsRollback,
    EksDeploy, EksLook, EksRollback, ForceUnlock, Gate, GoldenImage, HandOff, ImageLookup, ImagePush,
    ImageRepository, Inputs, Login, Message, Metrics, MovingTags, NewestCommit, NodeSecurity, Notify,
    OidcProbe, PackerBuild, PackerValidate, Parity, PipelineGuard, PipelineSummary, Planned, PlannedImage,
    RecordImage, Revert, RollbackGuard, ScanImage, Scanner, Security, Smoke, SmokeCommand, SummarisedService,
    SummarisedStage, Target, TerraformComment, TerraformCost, TerraformPlan, TerraformScan, TerraformStatic,
    TestComment, TestSuite, TfApply, TfAutoGuard, TfGuard, TfPlan, Tooling, Verify,
};
pub(crate) use self::credentials::session_seconds;
pub use self::extension::{Extension, OwnJob};
pub use self::read_back::read_back;

use self::draft::Draft;
use crate::diagnostic::{Diagnostics, Path};
use crate::manifest::{Auto, AwsRole, Disposition, Kind, Slug};
use crate::project::Project;
use crate::workflow::{Level, Scope};

/// Plans the jobs of one kind.
type PlanKind = fn(&Project, &mut Draft<'_>);

/// How each kind is planned.
const KINDS: &[(Kind, PlanKind)] = &[
    (Kind::Build, build::plan),
    (Kind::CheckState, check_state::plan),
    (Kind::Deploy, deploy::plan),
    (Kind::Metrics, metrics::plan),
    (Kind::Pipeline, pipeline::plan),
    (Kind::Rollback, rollback::plan),
    (Kind::Terraform, terraform::plan),
    (Kind::Test, test::plan),
    (Kind::TestOidc, test_oidc::plan),
    (Kind::Tf, tf::plan),
    (Kind::TfAuto, tf_auto::plan),
    (Kind::TfDrift, drift::plan),
];

/// Everything that is to be rendered.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The workflows, sorted by file name.
    pub workflows: Vec<Workflow>,
    /// Workflow files that are left to their owner, and still checked.
    pub ejected: Vec<String>,
}

/// One workflow file.
#[derive(Debug, Clone)]
pub struct Workflow {
    /// The file, relative to the repository's root.
    pub file: String,
    /// The name in the manifest.
    pub name: Slug,
    /// What it is.
    pub kind: Kind,
    /// The check that branch protection should require, where there is one.
    pub gate: Option<String>,
    /// Why it may write without a person who starts it, and who answers for that.
    pub auto: Option<Auto>,
    /// What the rendered text must parse to, without the steps.
    pub model: crate::workflow::Workflow,
    /// What the model cannot say about each job.
    pub jobs: IndexMap<String, Job>,
    /// What the manifest extends it with.
    pub extension: Extension,
    /// Where the manifest asks for it.
    pub origin: Path,
}

/// What a job's model cannot say: reasons, and the steps' template.
#[derive(Debug, Clone)]
pub struct Job {
    /// The token's scopes, each with its reason.
    pub permissions: Vec<Permission>,
    /// Why the job's condition is what it is; empty where there is none.
    pub because: &'static str,
    /// What its steps become on AWS.
    pub identity: Option<Identity>,
    /// The context of the steps' template.
    pub body: Body,
    /// Where the manifest asks for it.
    pub origin: Path,
}

/// The role of one environment that a job assumes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// The environment whose role it is.
    pub environment: Slug,
    /// What the role is for.
    pub purpose: AwsRole,
}

/// One scope of a job's token, with its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Permission {
    /// What may be touched.
    #[serde(rename = "name")]
    pub scope: Scope,
    /// How much.
    pub level: Level,
    /// Why, as a reviewer reads it behind the scope.
    pub because: &'static str,
}

/// Plans every workflow that the project wants.
#[must_use]
pub fn plan(project: &Project) -> (Plan, Diagnostics) {
    let mut planned = Plan::default();
    let mut findings = Diagnostics::new();
    for (name, wish) in &project.workflows {
        match wish.disposition {
            Disposition::Disabled => {}
            Disposition::Ejected => planned.ejected.push(file_of(name)),
            Disposition::Rendered => {
                let Some((kind, plan)) = KINDS.iter().find(|(kind, _)| Some(*kind) == wish.kind) else {
                    continue;
                };
                let mut draft = Draft::new(project, name, *kind, wish, &mut findings);
                plan(project, &mut draft);
                let mut workflow = draft.finish();
                extension::extend(project, &mut workflow, &mut findings);
                planned.workflows.push(workflow);
            }
        }
    }
    extension::judge(&planned, &mut findings);
    (planned, findings)
}

fn file_of(name: &Slug) -> String {
    format!(".github/workflows/{name}.yml")
}

#[cfg(test)]
mod tests {
    use super::KINDS;
    use crate::manifest::Kind;

    #[test]
    fn every_kind_is_planned_once() {
        let planned: Vec<Kind> = KINDS.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(planned, Kind::ALL);
    }
}
