//! The typed contexts of the templates that lay out a job's steps.

mod cdktf;
mod deploy;
mod golden_image;
mod pipeline;
mod scan;
mod tf;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

pub use self::cdktf::{CdktfSynth, EcsAwait};
pub use self::deploy::{
    BuildArchive, Cluster, DeployApproval, DeployGuard, DeploySummary, EcsDeploy, EcsLook, EcsRollback,
    EksDeploy, EksLook, EksRollback, ImageLookup, ImagePush, ImageRepository, Login, MovingTags,
    RollbackGuard, Smoke, SmokeCommand, SummarisedService,
};
pub use self::golden_image::{
    AnsibleCheck, Configure, GoldenImage, PackerBuild, PackerValidate, PlannedImage, RecordImage,
};
pub use self::pipeline::{Metrics, NewestCommit, PipelineGuard, PipelineSummary, SummarisedStage};
pub use self::scan::{Accepted, AcceptedFinding, CodeCheck, Scanner};
pub use self::tf::{
    Action, AppliedHistory, Approval, Asked, CheckState, CreateBackend, Credentials, Decide, DestroyBackend,
    DetectDrift, DriftReport, ForceUnlock, HandOff, Inputs, Message, Notify, OidcProbe, Parity, Planned,
    Revert, TfApply, TfAutoGuard, TfGuard, TfPlan, Tooling, Verify,
};
use crate::manifest::OnFindings;

/// The steps of a job: which template, with which values.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Body {
    /// Checks playbooks without a machine.
    AnsibleCheck(AnsibleCheck),
    /// Lists what was applied to one stack.
    AppliedHistory(AppliedHistory),
    /// Waits for the reviewers of an environment.
    Approval(Approval),
    /// Builds the image that is deployed, as an archive.
    BuildArchive(BuildArchive),
    /// Builds one image and checks it.
    BuildImage(BuildImage),
    /// Synthesises the stacks of an environment that are written with CDKTF.
    CdktfSynth(CdktfSynth),
    /// Finds what a pull request changes.
    Changes(Changes),
    /// Checks state, lock and backend of the stacks of one environment.
    CheckState(CheckState),
    /// Shows a scan's findings on the repository's security page.
    CodeScanning(CodeScanning),
    /// Sends coverage to Codecov.
    Codecov(Codecov),
    /// Configures the machines of one environment.
    Configure(Configure),
    /// Compares coverage with a minimum.
    Coverage(Coverage),
    /// Makes the state backend.
    CreateBackend(CreateBackend),
    /// Decides which planned stacks go on.
    Decide(Decide),
    /// Waits for the reviewers of an environment, before a deployment or its way back.
    DeployApproval(DeployApproval),
    /// Compares what was typed with what may be deployed.
    DeployGuard(DeployGuard),
    /// Writes down what became of a deployment.
    DeploySummary(DeploySummary),
    /// Removes the state backend.
    DestroyBackend(DestroyBackend),
    /// Looks for drift in the stacks of one environment.
    DetectDrift(DetectDrift),
    /// Says what was found, and keeps the issues.
    DriftReport(DriftReport),
    /// Waits for the deployment of one ECS service that an apply has started.
    EcsAwait(EcsAwait),
    /// Deploys one service to Amazon ECS.
    EcsDeploy(EcsDeploy),
    /// Lists the revisions of one ECS service.
    EcsList(EcsLook),
    /// Says which revision one ECS service would be put back to, and from.
    EcsResolve(EcsLook),
    /// Puts one ECS service back to an earlier revision.
    EcsRollback(EcsRollback),
    /// Deploys one service to Kubernetes on Amazon EKS.
    EksDeploy(EksDeploy),
    /// Lists the revisions of one Deployment on Amazon EKS.
    EksList(EksLook),
    /// Says which revision one Deployment would be put back to, and from.
    EksResolve(EksLook),
    /// Puts one Deployment back to an earlier revision.
    EksRollback(EksRollback),
    /// Releases a lock that nobody holds any more.
    ForceUnlock(ForceUnlock),
    /// Looks at every job: the required check.
    Gate(Gate),
    /// Says which golden image an environment is planned with.
    GoldenImage(GoldenImage),
    /// Looks whether the commit has an image already.
    ImageLookup(ImageLookup),
    /// Pushes the image that was built and scanned.
    ImagePush(ImagePush),
    /// Measures how deliveries went.
    Metrics(Metrics),
    /// Looks whether the commit is still the newest of its branch.
    NewestCommit(NewestCommit),
    /// Analyses code for Node and audits its dependencies.
    NodeSecurity(NodeSecurity),
    /// Tells the channels what became of the run.
    Notify(Notify),
    /// Shows a job's token, and which roles it opens.
    OidcProbe(OidcProbe),
    /// Builds a golden image.
    PackerBuild(PackerBuild),
    /// Checks the template of a golden image.
    PackerValidate(PackerValidate),
    /// Writes down that a golden image has proven itself.
    RecordImage(RecordImage),
    /// Decides which environments a run of a pipeline works on.
    PipelineGuard(PipelineGuard),
    /// Writes down what became of every stage.
    PipelineSummary(PipelineSummary),
    /// Compares what was typed with what can be rolled back.
    RollbackGuard(RollbackGuard),
    /// Scans one image.
    ScanImage(ScanImage),
    /// Analyses Python code and audits its dependencies.
    Security(Security),
    /// Asks what was deployed, over the network.
    Smoke(Smoke),
    /// Asks what was deployed, by a command of the repository.
    SmokeCommand(SmokeCommand),
    /// Comments plans and cost on the pull request.
    TerraformComment(TerraformComment),
    /// Estimates what the stacks cost.
    TerraformCost(TerraformCost),
    /// Plans the stacks of one environment.
    TerraformPlan(TerraformPlan),
    /// Scans the stacks' configuration.
    TerraformScan(TerraformScan),
    /// Checks the stacks without the cloud.
    TerraformStatic(TerraformStatic),
    /// Comments the test results on the pull request.
    TestComment(TestComment),
    /// Runs one suite.
    TestSuite(TestSuite),
    /// Applies the saved plan of one stack.
    TfApply(TfApply),
    /// Decides what a run works on, whoever started it.
    TfAutoGuard(TfAutoGuard),
    /// Compares what was typed with what is allowed.
    TfGuard(TfGuard),
    /// Plans one stack, for a person or for an apply.
    TfPlan(TfPlan),
}

impl Body {
    /// The template's name.
    #[must_use]
    pub const fn template(&self) -> &'static str {
        match self {
            Self::AnsibleCheck(_) => "jobs/ansible-check.yml.j2",
            Self::AppliedHistory(_) => "jobs/applied-history.yml.j2",
            Self::Approval(_) => "jobs/approval.yml.j2",
            Self::BuildArchive(_) => "jobs/build-archive.yml.j2",
            Self::BuildImage(_) => "jobs/build-image.yml.j2",
            Self::CdktfSynth(_) => "jobs/cdktf-synth.yml.j2",
            Self::Changes(_) => "jobs/changes.yml.j2",
            Self::CheckState(_) => "jobs/check-state.yml.j2",
            Self::CodeScanning(_) => "jobs/code-scanning.yml.j2",
            Self::Codecov(_) => "jobs/codecov.yml.j2",
            Self::Configure(_) => "jobs/configure.yml.j2",
            Self::Coverage(_) => "jobs/coverage.yml.j2",
            Self::CreateBackend(_) => "jobs/create-backend.yml.j2",
            Self::Decide(_) => "jobs/decide.yml.j2",
            Self::DeployApproval(_) => "jobs/deploy-approval.yml.j2",
            Self::DeployGuard(_) => "jobs/deploy-guard.yml.j2",
            Self::DeploySummary(_) => "jobs/deploy-summary.yml.j2",
            Self::DestroyBackend(_) => "jobs/destroy-backend.yml.j2",
            Self::DetectDrift(_) => "jobs/detect-drift.yml.j2",
            Self::DriftReport(_) => "jobs/drift-report.yml.j2",
            Self::EcsAwait(_) => "jobs/ecs-await.yml.j2",
            Self::EcsDeploy(_) => "jobs/ecs-deploy.yml.j2",
            Self::EcsList(_) => "jobs/ecs-list.yml.j2",
            Self::EcsResolve(_) => "jobs/ecs-resolve.yml.j2",
            Self::EcsRollback(_) => "jobs/ecs-rollback.yml.j2",
            Self::EksDeploy(_) => "jobs/eks-deploy.yml.j2",
            Self::EksList(_) => "jobs/eks-list.yml.j2",
            Self::EksResolve(_) => "jobs/eks-resolve.yml.j2",
            Self::EksRollback(_) => "jobs/eks-rollback.yml.j2",
            Self::ForceUnlock(_) => "jobs/force-unlock.yml.j2",
            Self::Gate(_) => "jobs/gate.yml.j2",
            Self::GoldenImage(_) => "jobs/golden-image.yml.j2",
            Self::ImageLookup(_) => "jobs/image-lookup.yml.j2",
            Self::ImagePush(_) => "jobs/image-push.yml.j2",
            Self::Metrics(_) => "jobs/metrics.yml.j2",
            Self::NewestCommit(_) => "jobs/newest-commit.yml.j2",
            Self::NodeSecurity(_) => "jobs/node-security.yml.j2",
            Self::Notify(_) => "jobs/notify.yml.j2",
            Self::OidcProbe(_) => "jobs/oidc-probe.yml.j2",
            Self::PackerBuild(_) => "jobs/packer-build.yml.j2",
            Self::PackerValidate(_) => "jobs/packer-validate.yml.j2",
            Self::RecordImage(_) => "jobs/record-image.yml.j2",
            Self::PipelineGuard(_) => "jobs/pipeline-guard.yml.j2",
            Self::PipelineSummary(_) => "jobs/pipeline-summary.yml.j2",
            Self::RollbackGuard(_) => "jobs/rollback-guard.yml.j2",
            Self::ScanImage(_) => "jobs/scan-image.yml.j2",
            Self::Security(_) => "jobs/security.yml.j2",
            Self::Smoke(_) => "jobs/smoke.yml.j2",
            Self::SmokeCommand(_) => "jobs/smoke-command.yml.j2",
            Self::TerraformComment(_) => "jobs/terraform-comment.yml.j2",
            Self::TerraformCost(_) => "jobs/terraform-cost.yml.j2",
            Self::TerraformPlan(_) => "jobs/terraform-plan.yml.j2",
            Self::TerraformScan(_) => "jobs/terraform-scan.yml.j2",
            Self::TerraformStatic(_) => "jobs/terraform-static.yml.j2",
            Self::TestComment(_) => "jobs/test-comment.yml.j2",
            Self::TestSuite(_) => "jobs/test-suite.yml.j2",
            Self::TfApply(_) => "jobs/tf-apply.yml.j2",
            Self::TfAutoGuard(_) => "jobs/tf-auto-guard.yml.j2",
            Self::TfGuard(_) => "jobs/tf-guard.yml.j2",
            Self::TfPlan(_) => "jobs/tf-plan.yml.j2",
        }
    }

    /// Whether reviewers have to agree before it starts.
    #[must_use]
    pub const fn waits_for_reviewers(&self) -> bool {
        matches!(self, Self::Approval(_) | Self::DeployApproval(_))
    }

    /// The scripts that its steps call below `.github/scripts/`. Jobs without a checkout carry theirs inline.
    pub fn scripts(&self) -> impl Iterator<Item = &'static str> {
        let secrets = matches!(self, Self::TfApply(apply) if !apply.secrets.is_empty());
        let inputs = match self {
            Self::CheckState(check) => Some(&check.inputs),
            Self::DetectDrift(detect) => Some(&detect.inputs),
            Self::TerraformPlan(plan) => Some(&plan.inputs),
            Self::TfPlan(plan) => Some(&plan.inputs),
            _ => None,
        };
        let colors = inputs.is_some_and(|inputs| inputs.colors).then_some("active-color.sh");
        let earlier =
            matches!(self, Self::TfPlan(plan) if plan.earlier.is_some()).then_some("applied-history.sh");
        let image = matches!(self, Self::TfPlan(plan) if plan.image.is_some()).then_some("plan-image.sh");
        let masks = secrets.then_some("mask-secrets.sh");
        let digests =
            matches!(self, Self::TfPlan(plan) if !plan.images.is_empty()).then_some("plan-digests.sh");
        let newest = self.looks_again().then_some("newest-commit.sh");
        let own = self.constant_scripts().iter().copied();
        own.chain(newest).chain(colors).chain(earlier).chain(image).chain(digests).chain(masks)
    }

    /// Whether a job that is run again looks whether its commit is still the newest of its branch.
    pub(crate) const fn looks_again(&self) -> bool {
        match self {
            Self::Configure(configure) => configure.newest.is_some(),
            Self::EcsDeploy(deploy) => deploy.newest.is_some(),
            Self::EksDeploy(deploy) => deploy.newest.is_some(),
            Self::ImagePush(push) => push.newest.is_some(),
            Self::TfApply(apply) => apply.newest.is_some(),
            _ => false,
        }
    }

    const fn constant_scripts(&self) -> &'static [&'static str] {
        match self {
            Self::AnsibleCheck(_) => &["ansible-check.sh", "ansible-install.sh"],
            Self::AppliedHistory(_) => &["applied-history.sh"],
            Self::BuildArchive(_) | Self::BuildImage(_) => &["image-check.sh"],
            Self::CdktfSynth(CdktfSynth {
                scan: TerraformScan { scanner: Scanner::Tfsec { .. }, .. },
                ..
            }) => &["cdktf-synth.sh", "scan-report.sh", "tfsec-install.sh"],
            Self::CdktfSynth(_) => &["cdktf-synth.sh", "scan-report.sh"],
            Self::Changes(_) => &["changed-paths.sh"],
            Self::CheckState(_) => &[
                "check-state.sh",
                "plan-summary.jq",
                "terraform-init.sh",
                "terraform-plan.sh",
                "wait-for-lock.sh",
            ],
            Self::Configure(_) => {
                &["ansible-install.sh", "ansible-inventory.sh", "ansible-run.sh", "terraform-init.sh"]
            }
            Self::CreateBackend(_) => &["create-backend.sh"],
            Self::Decide(decide) if decide.parity.is_some() => &["decide-apply.sh", "pull-request-plans.sh"],
            Self::Decide(_) => &["decide-apply.sh"],
            Self::DestroyBackend(_) => &["destroy-backend.sh"],
            Self::DetectDrift(_) => &[
                "detect-drift.sh",
                "plan-summary.jq",
                "terraform-init.sh",
                "terraform-plan.sh",
                "wait-for-lock.sh",
            ],
            Self::EcsAwait(_) => &["ecs-await.sh", "ecs-wait.sh"],
            Self::EcsDeploy(_) => &["ecs-deploy.sh", "ecs-rollback.sh", "ecs-wait.sh", "health-check.sh"],
            Self::EcsList(_) | Self::EcsResolve(_) => &["ecs-rollback.sh", "ecs-wait.sh"],
            Self::EcsRollback(_) => &["ecs-rollback.sh", "ecs-wait.sh", "health-check.sh"],
            Self::EksDeploy(EksDeploy { auto_rollback: true, .. }) => {
                &["eks-connect.sh", "eks-deploy.sh", "eks-diagnose.sh", "eks-rollback.sh", "health-check.sh"]
            }
            Self::EksDeploy(_) => &["eks-connect.sh", "eks-deploy.sh", "eks-diagnose.sh", "health-check.sh"],
            Self::EksList(_) | Self::EksResolve(_) => &["eks-connect.sh", "eks-rollback.sh"],
            Self::EksRollback(_) => {
                &["eks-connect.sh", "eks-diagnose.sh", "eks-rollback.sh", "health-check.sh"]
            }
            Self::ForceUnlock(_) => &["force-unlock.sh", "terraform-init.sh"],
            Self::GoldenImage(_) => &["golden-image.sh"],
            Self::ImageLookup(_) => &["image-lookup.sh"],
            Self::ImagePush(_) => &["image-push.sh"],
            Self::PackerBuild(_) => &["packer-build.sh", "packer-install.sh"],
            Self::PackerValidate(_) => &["packer-install.sh", "packer-validate.sh"],
            Self::RecordImage(_) => &["record-image.sh"],
            Self::NewestCommit(_) => &["newest-commit.sh"],
            Self::NodeSecurity(NodeSecurity { audit: None, .. }) => &["eslint.sh", "scan-report.sh"],
            Self::NodeSecurity(NodeSecurity { eslint: None, .. }) => {
                &["dependency-audit.sh", "scan-report.sh"]
            }
            Self::NodeSecurity(_) => &["dependency-audit.sh", "eslint.sh", "scan-report.sh"],
            Self::ScanImage(ScanImage { archive: Some(_), .. }) => &["image-layout.sh", "scan-report.sh"],
            Self::Security(security) if !security.audits.is_empty() => {
                &["dependency-audit.sh", "scan-report.sh"]
            }
            Self::TerraformScan(TerraformScan { scanner: Scanner::Tfsec { .. }, .. }) => {
                &["scan-report.sh", "tfsec-install.sh"]
            }
            Self::ScanImage(_) | Self::TerraformScan(_) => &["scan-report.sh"],
            Self::Smoke(Smoke { cluster: Some(_), .. }) => {
                &["eks-connect.sh", "eks-diagnose.sh", "health-check.sh", "smoke.sh"]
            }
            Self::Smoke(_) => &["health-check.sh", "smoke.sh"],
            Self::SmokeCommand(_) => &["smoke-command.sh"],
            Self::TerraformCost(_) => &["cost-report.sh"],
            Self::TerraformPlan(_) => &["plan-summary.jq", "terraform-init.sh", "terraform-plan.sh"],
            Self::TestSuite(_) => &["test-summary.sh"],
            Self::TfApply(_) => &[
                "handoff-get.sh",
                "health-check.sh",
                "plan-policy.sh",
                "plan-summary.jq",
                "record-apply.sh",
                "recover-state.sh",
                "terraform-init.sh",
                "terraform-plan.sh",
                "wait-for-lock.sh",
            ],
            Self::TfPlan(_) => &[
                "check-state.sh",
                "handoff-put.sh",
                "plan-policy.sh",
                "plan-summary.jq",
                "terraform-init.sh",
                "terraform-plan.sh",
                "wait-for-lock.sh",
            ],
            Self::Approval(_)
            | Self::CodeScanning(_)
            | Self::Codecov(_)
            | Self::Coverage(_)
            | Self::DriftReport(_)
            | Self::DeployApproval(_)
            | Self::DeployGuard(_)
            | Self::DeploySummary(_)
            | Self::Gate(_)
            | Self::Metrics(_)
            | Self::Notify(_)
            | Self::OidcProbe(_)
            | Self::PipelineGuard(_)
            | Self::PipelineSummary(_)
            | Self::RollbackGuard(_)
            | Self::Security(_)
            | Self::TerraformComment(_)
            | Self::TerraformStatic(_)
            | Self::TestComment(_)
            | Self::TfAutoGuard(_)
            | Self::TfGuard(_) => &[],
        }
    }
}

/// Builds one image and checks it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct BuildImage {
    /// The image's name.
    pub image: String,
    /// The build context.
    pub context: String,
    /// The Dockerfile, from the repository's root.
    pub dockerfile: String,
    /// What it is built for.
    pub platform: String,
    /// What it is called on the runner.
    pub reference: String,
    /// The artifact that hands it to the scan.
    pub artifact: String,
    /// The largest size in bytes.
    pub max_size: Option<u64>,
    /// Whether its user must not be root.
    pub non_root: bool,
}

/// Finds what a pull request changes.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Changes {
    /// What is checked, with the paths that concern it.
    pub targets: Vec<Target>,
    /// Paths whose change concerns every target.
    pub always: Vec<String>,
    /// Matrix entries by output, each kept where its `stack` changed.
    pub matrices: Option<BTreeMap<String, Vec<Json>>>,
    /// Lines for the summary.
    pub notes: Option<String>,
    /// Whether pull requests start the workflow.
    pub pull_requests: bool,
    /// Whether the local modules that a target uses concern it too.
    pub follows_modules: bool,
    /// Whether a push is compared with what was there before it; otherwise it changes everything.
    pub compares_pushes: bool,
}

/// Something that is checked when one of its paths changes.
#[derive(Debug, Clone, Serialize)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// Its paths; a directory means everything below it.
    pub paths: Vec<String>,
}

/// Shows a scan's findings on the repository's security page.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CodeScanning {
    /// The artifact that holds the report.
    pub artifact: String,
    /// What tells this scan's findings from those of others.
    pub category: String,
}

/// Sends coverage to Codecov.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Codecov {
    /// The artifacts that hold reports.
    pub pattern: String,
    /// The flag on Codecov.
    pub flag: String,
    /// The expression that yields the token.
    pub token: String,
}

/// Compares coverage with a minimum.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Coverage {
    /// The artifacts that hold results.
    pub pattern: String,
    /// The least percentage.
    pub minimum: u8,
}

/// Looks at every job.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Gate {
    /// The jobs that may be skipped, with spaces between them.
    pub may_skip: String,
}

/// Scans one image.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ScanImage {
    /// The artifact that holds the image.
    pub image: String,
    /// What the image has to be, where it is an archive that is going to be pushed.
    pub archive: Option<Archive>,
    /// The report's title.
    pub title: String,
    /// The report's artifact.
    pub artifact: String,
    /// The scanner.
    pub scanner: Scanner,
    /// The lowest severity that counts.
    pub minimum_severity: &'static str,
    /// What findings do.
    pub on_findings: OnFindings,
    /// What is accepted.
    pub accepted: Option<Accepted>,
    /// Whether the findings are also written for the repository's security page.
    pub sarif: bool,
    /// Days that the report is kept.
    pub artifact_days: u16,
}

/// What an archive has to hold.
#[derive(Debug, Clone, Serialize)]
pub struct Archive {
    /// The expression that yields the image's digest.
    pub digest: String,
    /// What the image is built for.
    pub platform: String,
}

/// Analyses Python code in one directory and audits its dependencies.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Security {
    /// The Python version that the tools run on.
    pub python: String,
    /// Where they look; nothing for the repository's root.
    pub directory: Option<String>,
    /// The tools, each with its exact version.
    pub tools: Vec<String>,
    /// Whether flake8 looks for errors.
    pub flake8: bool,
    /// The least severity that bandit reports, as its option says it.
    pub bandit: Option<&'static str>,
    /// What looks for known vulnerabilities.
    pub audits: Vec<CodeCheck>,
    /// Whether every run leaves a report: none does where the only tool needs a key that forks do not get.
    pub reports_always: bool,
    /// The artifact of the reports.
    pub artifact: String,
    /// Days that reports are kept.
    pub artifact_days: u16,
}

/// Analyses code for Node in one directory and audits its dependencies.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct NodeSecurity {
    /// The Node version that the tools run on.
    pub node: String,
    /// The file that decides what is installed.
    pub cache: Option<String>,
    /// What looks for known vulnerabilities.
    pub audit: Option<CodeCheck>,
    /// Where it is installed; nothing for the repository's root.
    pub install_directory: Option<String>,
    /// The command that installs what the lock file says.
    pub install: Option<String>,
    /// The project's own checks.
    pub eslint: Option<CodeCheck>,
    /// The artifact of the reports.
    pub artifact: String,
    /// Days that reports are kept.
    pub artifact_days: u16,
}

/// Comments plans and cost.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TerraformComment {
    /// The condition under which there are plans; nothing where pull requests are not planned.
    pub plans: Option<String>,
    /// How cost is commented, where it is estimated.
    pub cost: Option<CostComment>,
}

/// How cost is commented.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CostComment {
    /// How much a change may add, in whole US dollars.
    pub max_monthly_increase: Option<String>,
}

/// Estimates what the stacks cost.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TerraformCost {
    /// Infracost's exact version.
    pub version: String,
    /// The expression that yields its key.
    pub api_key: String,
    /// The expression that yields the environment whose values are used.
    pub environment: String,
    /// GitHub variables that input variables take their values from.
    pub held_variables: Vec<String>,
    /// How much a change may add, in whole US dollars.
    pub max_monthly_increase: Option<String>,
    /// Days that the result is kept.
    pub artifact_days: u16,
}

/// Plans the stacks of one environment.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TerraformPlan {
    /// The tool.
    #[serde(flatten)]
    pub tooling: Tooling,
    /// The environment.
    pub environment: String,
    /// The role that reads.
    pub credentials: Credentials,
    /// What the plan needs.
    pub inputs: Inputs,
    /// `full` or `summary`: what logs, artifacts and comments show.
    pub publish: &'static str,
    /// Days that the plan's text is kept.
    pub artifact_days: u16,
}

/// Scans the stacks' configuration.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TerraformScan {
    /// The scanner.
    pub scanner: Scanner,
    /// The lowest severity that counts, as the judge takes it.
    pub minimum_severity: &'static str,
    /// What findings do.
    pub on_findings: OnFindings,
    /// What is accepted.
    pub accepted: Option<Accepted>,
    /// Whether the findings are also written for the repository's security page.
    pub sarif: bool,
    /// Days that the report is kept.
    pub artifact_days: u16,
}

/// Checks the stacks without the cloud.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TerraformStatic {
    /// The tool.
    #[serde(flatten)]
    pub tooling: Tooling,
    /// Whether that version can run tests: 1.6 and later.
    pub has_tests: bool,
}

/// Comments the test results.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TestComment {
    /// Whether the default branch's coverage is fetched for comparison.
    pub baseline: bool,
    /// The workflow's file name.
    pub workflow: String,
}

/// Runs one suite.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TestSuite {
    /// `python` or `node`.
    pub language: &'static str,
    /// What results are called.
    pub title: String,
    /// Where the commands run; nothing for the repository's root.
    pub directory: Option<String>,
    /// The file that the package cache is keyed on.
    pub cache: Option<String>,
    /// The command that installs.
    pub install: Option<String>,
    /// The suite's command.
    pub command: String,
    /// The coverage report, from the repository's root.
    pub coverage: Option<String>,
    /// The artifact of the results.
    pub artifact: String,
    /// Days that results are kept.
    pub artifact_days: u16,
}
