//! Every default, once, with its reason.

use crate::manifest::{
    Approval, Host, Lock, Occasion, OnDrift, OnFindings, Plan, PlanHandOff, PullRequestPlan, SafetyLevel,
    ScanTool, Severity, SubjectFormat, Tool, Visibility,
};

/// Tests and checks: what every project can have without giving anything away.
pub const SAFETY_LEVEL: SafetyLevel = SafetyLevel::TESTS;
/// GitHub's own default for new repositories.
pub const DEFAULT_BRANCH: &str = "main";
/// The most careful assumption: everybody reads logs, comments and artifacts.
pub const VISIBILITY: Visibility = Visibility::Public;
/// Most projects live there.
pub const HOST: Host = Host::GitHubCom;
/// What a repository has that was made before 2026-07-15 and never renamed.
pub const SUBJECT_FORMAT: SubjectFormat = SubjectFormat::Legacy;
/// A named image: `ubuntu-latest` is another one from one day to the next.
pub const RUNNER: &str = "ubuntu-24.04";
/// GitHub's own limit is six hours, in which a hung job costs money and blocks others.
pub const TIMEOUT_MINUTES: u16 = 30;
/// Minutes that the build of a golden image may take: a system is installed and updated.
pub const PACKER_MINUTES: u16 = 90;
/// A month: long enough to look into a failure.
pub const ARTIFACT_DAYS: u16 = 30;
/// The tool that the documents name.
pub const TOOL: Tool = Tool::Terraform;
/// Terraform's own lock; the DynamoDB lock is deprecated there.
pub const LOCK: Lock = Lock::S3;
/// The bucket is there already, and the role that plans cannot read what it wrote.
pub const PLAN_HAND_OFF: PlanHandOff = PlanHandOff::S3;
/// Somebody looks at what is going to change.
pub const APPROVAL: Approval = Approval::Reviewers;
/// What an account has that nobody pays for.
pub const PLAN: Plan = Plan::Free;
/// What somebody has to act on.
pub const NOTIFY_ON: &[Occasion] = &[Occasion::Failure, Occasion::Waiting];
/// Somebody has to see it, and the issue is where it is worked on.
pub const ON_DRIFT: &[OnDrift] = &[OnDrift::Issue, OnDrift::Fail];
/// The oldest that the last release of CDKTF takes; nobody tries it with later ones any more.
pub const CDKTF_NODE: &str = "20";
/// What a page answers that works.
pub const HEALTH_STATUS: u16 = 200;
/// With growing pauses, about three minutes.
pub const HEALTH_ATTEMPTS: u16 = 10;
/// Minutes that an apply may take: databases and clusters take their time.
pub const APPLY_MINUTES: u16 = 60;
/// The one whose checks are kept up.
pub const SCAN_TOOL: ScanTool = ScanTool::Trivy;
/// Lower findings are mostly matters of taste.
pub const SCAN_SEVERITY: Severity = Severity::Medium;
/// A check that cannot fail is none.
pub const ON_FINDINGS: OnFindings = OnFindings::Fail;
/// Planning runs a pull request's code: production's state is not read for it unless somebody says so.
pub const PULL_REQUEST_PLAN: PullRequestPlan = PullRequestPlan::NonProduction;
/// What somebody types who means a deployment: the word is in no other workflow's phrases.
pub const DEPLOY_PHRASE: &str = "DEPLOY";
/// As [`DEPLOY_PHRASE`], for the way back.
pub const ROLLBACK_PHRASE: &str = "ROLLBACK";
/// Nobody is waited for while something is broken: the typed word, the branch and the role are what stands before it.
pub const ROLLBACK_APPROVAL: Approval = Approval::None;
/// What most vulnerability policies stop at.
pub const IMAGE_SEVERITY: Severity = Severity::High;
/// A process that is broken into should not own the container.
pub const NON_ROOT: bool = true;
/// Docker's own name.
pub const DOCKERFILE: &str = "Dockerfile";
/// What GitHub's hosted runners are.
pub const PLATFORM: &str = "linux/amd64";
/// As [`IMAGE_SEVERITY`], of what `npm audit` finds.
pub const NPM_SEVERITY: Severity = IMAGE_SEVERITY;
/// tfsec's last version.
pub const TFSEC_VERSION: &str = "1.28.14";
/// The SHA-256 of its archives for `linux_amd64` and `linux_arm64`: its tags could still be moved.
pub const TFSEC_SHA256: [&str; 2] = [
    "329ae7f67f2f1813ebe08de498719ea7003c75d3ca24bb0b038369062508008e",
    "13dcbd3602027be49ce6cab7e1c24b0a8e833f0143fe327b0a13b87686541ce0",
];
/// The scanner's version: v0.69.4 was malicious (GHSA-69fq-xp46-6x23), later ones are not.
pub const TRIVY_VERSION: &str = "v0.70.0";
/// kubectl's version: one minor release off the cluster's is supported, and EKS runs 1.34 to 1.36
/// ([Kubernetes: version skew](https://kubernetes.io/releases/version-skew-policy/#kubectl)).
pub const KUBECTL_VERSION: &str = "v1.35.2";
/// The SHA-256 of its binary for linux/amd64, as `dl.k8s.io` publishes it.
pub const KUBECTL_SHA256: &str = "924eb50779153f20cb668117d141440b95df2f325a64452d78dff9469145e277";
/// The versions of the Python tools that are installed by name: exact, so that two runs judge alike.
pub const FLAKE8: &str = "flake8==7.5.0";
/// See [`FLAKE8`].
pub const BANDIT: &str = "bandit==1.9.4";
/// See [`FLAKE8`].
pub const CHECKOV: &str = "checkov==3.3.30";
/// The Python that Checkov runs on: none of the project's own.
pub const CHECKOV_PYTHON: &str = "3.12";
/// See [`FLAKE8`].
pub const SAFETY: &str = "safety==3.8.1";
/// See [`FLAKE8`].
pub const PIP_AUDIT: &str = "pip-audit==2.10.1";
