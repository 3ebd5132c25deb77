//! Messages of runs, with cause and remedy.
//!
//! Where one can appear is derived from the scripts that a job runs. Tests find every message in its script, and compare
//! what is told of each job with what its rendered text runs.

use self::Printer::{Action, Scripts, Step};
use crate::plan::{Approval, Body, CdktfSynth, DeployApproval, Scanner, TerraformScan};

/// A message of a run.
#[derive(Debug, Clone, Copy)]
pub struct Trouble {
    /// What prints it.
    pub by: Printer,
    /// Which of the jobs that run it can print it; nothing where all of them can.
    pub only: Option<fn(&Body) -> bool>,
    /// The message; `…` stands for what differs from run to run.
    pub seen: &'static str,
    /// Why it is printed.
    pub cause: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// The command that helps. `{tf}` is the file of the workflow that is started by hand, `{tool}` terraform or tofu.
    pub command: Option<&'static str>,
}

/// What prints a message.
#[derive(Debug, Clone, Copy)]
pub enum Printer {
    /// Scripts. The jobs are those that run one of them.
    Scripts(&'static [&'static str]),
    /// A step that has no script, in these jobs.
    Step(fn(&Body) -> bool),
    /// An action, in these jobs.
    Action(&'static str, fn(&Body) -> bool),
}

impl Trouble {
    /// Whether a job can print it.
    #[must_use]
    pub fn is_printed_by(&self, body: &Body) -> bool {
        let is_run = match self.by {
            Scripts(scripts) => {
                body.scripts().chain(inline(body).iter().copied()).any(|script| scripts.contains(&script))
            }
            Step(jobs) | Action(_, jobs) => jobs(body),
        };
        is_run && self.only.is_none_or(|only| only(body))
    }
}

/// Whether the manifest accepts something of what a job's scanners find.
fn is_waived(body: &Body) -> bool {
    match body {
        Body::CdktfSynth(synth) => synth.scan.accepted.is_some(),
        Body::ScanImage(scan) => scan.accepted.is_some(),
        Body::TerraformScan(scan) => scan.accepted.is_some(),
        Body::Security(security) => security.audits.iter().any(|audit| audit.accepted.is_some()),
        Body::NodeSecurity(security) => {
            security.audit.iter().chain(&security.eslint).any(|check| check.accepted.is_some())
        }
        _ => false,
    }
}

/// The scripts that every job of a kind carries in its own text, because it checks nothing out.
const fn inline(body: &Body) -> &'static [&'static str] {
    match body {
        Body::Coverage(_) => &["coverage-check.sh"],
        Body::DeployGuard(_) => &["deploy-guard.sh"],
        Body::DeploySummary(_) => &["deploy-summary.sh"],
        Body::DriftReport(_) => &["drift-report.sh"],
        Body::Approval(Approval { window: Some(_), .. })
        | Body::DeployApproval(DeployApproval { window: Some(_), .. }) => &["maintenance-window.sh"],
        Body::Gate(_) => &["gate.sh"],
        Body::Metrics(_) => &["metrics.sh"],
        Body::Notify(_) => &["notify.sh"],
        Body::OidcProbe(_) => &["oidc-probe.sh"],
        Body::PipelineGuard(_) => &["pipeline-guard.sh"],
        Body::PipelineSummary(_) => &["pipeline-summary.sh"],
        Body::RollbackGuard(_) => &["rollback-guard.sh"],
        Body::TerraformComment(_) => &["post-comments.sh"],
        Body::TestComment(_) => &["post-comments.sh", "test-comment.sh"],
        Body::TfAutoGuard(_) => &["tf-auto-guard.sh"],
        Body::TfGuard(_) => &["tf-guard.sh"],
        _ => &[],
    }
}

/// Whether a job asks an address how it is.
const fn asks_for_health(body: &Body) -> bool {
    match body {
        Body::EcsDeploy(deploy) => deploy.verify.is_some(),
        Body::EksDeploy(deploy) => deploy.verify.is_some(),
        Body::EcsRollback(rollback) => rollback.verifies,
        Body::EksRollback(rollback) => rollback.verifies,
        Body::TfApply(apply) => apply.verify.is_some(),
        _ => false,
    }
}

/// Whether a job that has Terraform's plan at hand makes one: an apply does, to see that nothing is left.
const fn plans(body: &Body) -> bool {
    !matches!(body, Body::TfApply(apply) if apply.inputs.is_none() && apply.revert.is_none())
}

/// Whether a job works on what another one has synthesised.
const fn takes_what_is_synthesised(body: &Body) -> bool {
    match body {
        Body::TfPlan(plan) => plan.synthesised,
        Body::TfApply(apply) => apply.synthesised,
        _ => false,
    }
}

/// Whether what is done was approved in an attempt of the run.
const fn is_approved_for_an_attempt(body: &Body) -> bool {
    match body {
        Body::DestroyBackend(destroy) => destroy.approval.is_some(),
        Body::EcsDeploy(deploy) => deploy.approval.is_some(),
        Body::EksDeploy(deploy) => deploy.approval.is_some(),
        Body::EcsRollback(rollback) => rollback.approval.is_some(),
        Body::EksRollback(rollback) => rollback.approval.is_some(),
        Body::ImagePush(push) => push.approval.is_some(),
        Body::TfApply(apply) => apply.approval.is_some(),
        _ => false,
    }
}

/// Whether a job only says whether its commit is the newest.
const fn only_compares(body: &Body) -> bool {
    matches!(body, Body::NewestCommit(_))
}

/// Every message, in the order in which a run can meet them.
pub const TROUBLES: &[Trouble] = &[
    Trouble {
        by: Scripts(&["gate.sh"]),
        only: None,
        seen: "job …: …",
        cause: "A job that the required check stands for has failed or was cancelled. The message has its name.",
        remedy: "Read its log, mend what it says, and push; or run it again if a service was not reachable.",
        command: Some("gh run rerun RUN_ID --failed"),
    },
    Trouble {
        by: Scripts(&["gate.sh"]),
        only: None,
        seen: "job … was skipped, and nothing allows that",
        cause: "A job that always has to run did not, mostly because one before it failed.",
        remedy: "Look at the jobs before it.",
        command: Some("gh run view RUN_ID --log-failed"),
    },
    Trouble {
        by: Scripts(&["changed-paths.sh"]),
        only: None,
        seen: "… targets are changed, more than the … that one run may take",
        cause: "A matrix of GitHub has at most 256 jobs.",
        remedy: "Split the change.",
        command: None,
    },
    Trouble {
        by: Scripts(&["test-comment.sh"]),
        only: None,
        seen: "no suite left a readable result: there is nothing to comment on",
        cause: "Every suite ended before it wrote a result: mostly, installing has failed.",
        remedy: "Read the log of the suites.",
        command: Some("gh run view RUN_ID --log-failed"),
    },
    Trouble {
        by: Scripts(&["coverage-check.sh"]),
        only: None,
        seen: "… points below the minimum of … %: … more covered line(s) are needed",
        cause: "No suite of the group covers as much as `coverage.minimum` asks for.",
        remedy: "Cover what is new, or lower the minimum in the manifest, where a reviewer sees it.",
        command: None,
    },
    Trouble {
        by: Scripts(&["image-check.sh"]),
        only: Some(|body| {
            matches!(body, Body::BuildArchive(build) if build.non_root)
                || matches!(body, Body::BuildImage(build) if build.non_root)
        }),
        seen: "the image runs as root: add a USER to the Dockerfile",
        cause: "`require.non-root` is set, and the image's user is root.",
        remedy: "Add the user in the last stage of the Dockerfile.",
        command: None,
    },
    Trouble {
        by: Scripts(&["image-check.sh"]),
        only: None,
        seen: "the container is not well: …",
        cause: "The image was started alone, and its HEALTHCHECK did not succeed within two minutes.",
        remedy: "The log has the container's last lines. The check must not need another service.",
        command: Some("docker run --rm IMAGE"),
    },
    Trouble {
        by: Scripts(&["scan-report.sh"]),
        only: None,
        seen: "… finding(s) at or above …; the summary lists them",
        cause: "The scan found something that counts.",
        remedy: "The summary says where, and in which version it is mended. A waiver in the manifest accepts a single finding, with a reason and an end; `on-findings: warn` lets all of them pass, visibly.",
        command: None,
    },
    Trouble {
        by: Scripts(&["scan-report.sh"]),
        only: Some(is_waived),
        seen: "… was accepted until …, and counts again",
        cause: "A waiver has ended, and what it was for is still there.",
        remedy: "Mend it, or give the waiver a new end and a reason that still holds.",
        command: None,
    },
    Trouble {
        by: Scripts(&["scan-report.sh"]),
        only: Some(is_waived),
        seen: "… is accepted until …, and was not found: take the waiver out",
        cause: "What a waiver was for is gone, or the scanner calls it something else.",
        remedy: "Take the waiver out, or compare its `rule` with the summary.",
        command: None,
    },
    Trouble {
        by: Scripts(&["scan-report.sh"]),
        only: Some(|body| {
            matches!(
                body,
                Body::TerraformScan(TerraformScan { scanner: Scanner::Checkov { .. }, .. })
                    | Body::CdktfSynth(CdktfSynth {
                        scan: TerraformScan { scanner: Scanner::Checkov { .. }, .. },
                        ..
                    })
            )
        }),
        seen: "Checkov could not read … file(s), so that nobody knows what is in them",
        cause: "A file of the stack is not one that Checkov can parse.",
        remedy: "Its log says which; the check before shows whether Terraform can read it.",
        command: Some("checkov --directory DIRECTORY --framework terraform"),
    },
    Trouble {
        by: Scripts(&["tfsec-install.sh"]),
        only: None,
        seen: "tfsec … cannot be fetched: …",
        cause: "GitHub's releases did not answer, or the runner may not reach them.",
        remedy: "Try again. A runner of one's own needs https to github.com.",
        command: None,
    },
    Trouble {
        by: Scripts(&["tfsec-install.sh"]),
        only: None,
        seen: "the archive of tfsec … has another checksum than it should",
        cause: "What was fetched is damaged, or is not what was released.",
        remedy: "Try again; if it stays so, do not run it. `terraform.scan.tool: trivy` has the same checks.",
        command: None,
    },
    Trouble {
        by: Scripts(&["scan-report.sh"]),
        only: Some(|body| {
            matches!(body, Body::Security(security)
                if security.audits.iter().any(|audit| audit.scanner == "pip-audit"))
        }),
        seen: "… package(s) are not known to the index, and were not looked at; the report names them",
        cause: "A package comes from elsewhere than PyPI: nobody publishes advisories about it there.",
        remedy: "Nothing, where these are your own packages.",
        command: None,
    },
    Trouble {
        by: Scripts(&["dependency-audit.sh"]),
        only: None,
        seen: "the advisories for … cannot be asked for: …",
        cause: "The registry did not answer, or refused: a proxy that has no advisories, a key that is empty or has ended.",
        remedy: "The message says which. Try again, or set the key as a secret of the repository.",
        command: None,
    },
    Trouble {
        by: Scripts(&["dependency-audit.sh"]),
        only: Some(|body| matches!(body, Body::NodeSecurity(_))),
        seen: "… has no package-lock.json: what is installed there is not known",
        cause: "npm audits what the lock file says, and there is none.",
        remedy: "Make it and commit it.",
        command: Some("npm install --package-lock-only"),
    },
    Trouble {
        by: Scripts(&["eslint.sh"]),
        only: None,
        seen: "there is no ESLint among what the lock file of … installs",
        cause: "`security.eslint` runs the project's own ESLint, and the project has none.",
        remedy: "Add it, with a configuration, and commit package.json and package-lock.json.",
        command: Some("npm install --save-dev eslint @eslint/js"),
    },
    Trouble {
        by: Scripts(&["eslint.sh"]),
        only: None,
        seen: "ESLint did not finish in …: the log has what it said",
        cause: "Its configuration is missing or wrong: since version 9 it is `eslint.config.js`.",
        remedy: "Run it on your own machine until it ends with 0 or 1.",
        command: Some("npx eslint ."),
    },
    Trouble {
        by: Scripts(&["post-comments.sh"]),
        only: None,
        seen: "the token may not write comments (a fork, or a bot): the results are in the summary of this run",
        cause: "GitHub gives the pull requests of forks and of Dependabot a token that only reads.",
        remedy: "Nothing: read the summary.",
        command: Some("gh run view RUN_ID --web"),
    },
    Trouble {
        by: Scripts(&["cost-report.sh"]),
        only: None,
        seen: "no cost of …: …",
        cause: "The estimate could not be made: the key is empty, or the service did not answer. Nothing fails.",
        remedy: "The message says which; a key is set as a secret.",
        command: None,
    },
    Trouble {
        by: Scripts(&["cost-report.sh"]),
        only: Some(|body| matches!(body, Body::TerraformCost(cost) if cost.max_monthly_increase.is_some())),
        seen: "the cost of … grows by … a month, and may grow by …",
        cause: "The change costs more than `max-monthly-increase` allows.",
        remedy: "Make it smaller, or raise the limit in the manifest, where a reviewer sees it.",
        command: None,
    },
    Trouble {
        by: Scripts(&["tf-guard.sh", "tf-auto-guard.sh", "deploy-guard.sh", "rollback-guard.sh"]),
        only: None,
        seen: "confirm must be exactly `…`",
        cause: "The phrase was not typed, or not letter by letter.",
        remedy: "Start the workflow again with the phrase that the message shows.",
        command: None,
    },
    Trouble {
        by: Scripts(&["tf-guard.sh", "tf-auto-guard.sh", "deploy-guard.sh", "rollback-guard.sh"]),
        only: None,
        seen: "its branch: start the workflow from `…`",
        cause: "The run was started on another branch than the environment's.",
        remedy: "Start it on that branch.",
        command: Some("gh workflow run FILE --ref BRANCH"),
    },
    Trouble {
        by: Step(is_approved_for_an_attempt),
        only: None,
        seen: "this was approved for attempt … of the run, not for this one: start a new run",
        cause: "Jobs that failed were run again. The reviewers agreed to an earlier attempt, and a later one does not ask them.",
        remedy: "Start a new run, which asks them again.",
        command: None,
    },
    Trouble {
        by: Scripts(&["wait-for-lock.sh"]),
        only: None,
        seen: "the bucket … does not exist: it is made by the action create-backend of a workflow of kind tf",
        cause: "The state has no bucket yet.",
        remedy: "Make it, once for each bucket; a workflow of kind `tf` does.",
        command: Some(
            "gh workflow run {tf} -f environment=ENVIRONMENT -f stack=STACK -f action=create-backend",
        ),
    },
    Trouble {
        by: Scripts(&["wait-for-lock.sh"]),
        only: None,
        seen: "the state … is locked …; …",
        cause: "Somebody works on the state, or was stopped before they could release it. The message has the holder, the age and the id.",
        remedy: "Wait for them. Release it only if nobody works on it any more.",
        command: Some(
            "gh workflow run {tf} -f environment=ENVIRONMENT -f stack=STACK -f action=force-unlock -f lock_id=ID -f confirm='unlock ID'",
        ),
    },
    Trouble {
        by: Scripts(&["detect-drift.sh"]),
        only: None,
        seen: "the bucket of the state does not exist: there is nothing to compare with",
        cause: "Nothing was ever applied to the stack, or its bucket is another one than the manifest says. It is no drift, and nothing fails.",
        remedy: "Compare `terraform.backend` with the account; what was never applied is looked at from its first apply on.",
        command: None,
    },
    Trouble {
        by: Scripts(&["applied-history.sh"]),
        only: None,
        seen: "nothing is on record as applied to …: there is nothing to go back to",
        cause: "No apply of a workflow has written down what it applied: there was none, or the bucket is another one.",
        remedy: "Apply the commit that is wanted, as any other change.",
        command: None,
    },
    Trouble {
        by: Scripts(&["applied-history.sh"]),
        only: Some(|body| matches!(body, Body::TfPlan(_))),
        seen: "nothing was applied to … before what is live: …",
        cause: "Everything on record was applied from the commit that is live: `previous` names nothing.",
        remedy: "Revert what is wrong and apply that, as any other change.",
        command: None,
    },
    Trouble {
        by: Scripts(&["applied-history.sh"]),
        only: Some(|body| matches!(body, Body::TfPlan(_))),
        seen: "nothing has proven itself in … before what is live: …",
        cause: "No other commit and no other golden image on record got as far as its tests here: `previous` names nothing.",
        remedy: "Start the rollback with the target `list`, and name a commit; or have the pipeline build another image.",
        command: None,
    },
    Trouble {
        by: Scripts(&["applied-history.sh"]),
        only: Some(|body| matches!(body, Body::TfPlan(_))),
        seen: "this commit was applied to … without a golden image: …",
        cause: "The record is older than the image, or could not say which one it was.",
        remedy: "Start the rollback with the target `list`, and name a commit that has an image there.",
        command: None,
    },
    Trouble {
        by: Scripts(&["applied-history.sh"]),
        only: Some(|body| matches!(body, Body::TfPlan(_))),
        seen: "this commit is not on record as applied to …; …",
        cause: "The commit was never applied to this stack, or is not among the newest thirty records.",
        remedy: "Start the rollback with the target `list`, which shows them.",
        command: None,
    },
    Trouble {
        by: Scripts(&["cdktf-synth.sh"]),
        only: None,
        seen: "there is no cdktf-cli in the program's package-lock.json: …",
        cause: "The program's lock file pins what synthesises it, and it names no command line.",
        remedy: "Add it, and commit `package.json` and `package-lock.json`.",
        command: Some("npm install --save-dev --save-exact cdktf-cli@VERSION"),
    },
    Trouble {
        by: Scripts(&["cdktf-synth.sh"]),
        only: None,
        seen: "the program's package-lock.json has cdktf-cli …, and the manifest says …: make them one",
        cause: "The version was raised in one of two places.",
        remedy: "Write the same version into `cdktf.version` and `package.json`.",
        command: None,
    },
    Trouble {
        by: Scripts(&["cdktf-synth.sh"]),
        only: None,
        seen: "cdktf synth failed for …/…: its output is above",
        cause: "The program itself has failed.",
        remedy: "Its output stands above the message. It sees ENVIRONMENT and IMAGE_NAME for each image, and no credentials.",
        command: Some("gh run view RUN_ID --log-failed"),
    },
    Trouble {
        by: Scripts(&["cdktf-synth.sh"]),
        only: None,
        seen: "the program synthesises no stack …, but: …",
        cause: "The stack has another name in the program than in the manifest.",
        remedy: "Give both the same name.",
        command: None,
    },
    Trouble {
        by: Scripts(&["cdktf-synth.sh"]),
        only: None,
        seen: "the backend of … is not the declared one: …",
        cause: "The program keeps its state elsewhere, or locks it otherwise, than `terraform.backend` says: whoever runs it by hand would work on another state.",
        remedy: "Make the program's `S3Backend` say the same. What its class does not know, `addOverride` sets.",
        command: None,
    },
    Trouble {
        by: Scripts(&["cdktf-synth.sh"]),
        only: None,
        seen: "the program does not use …: … is nowhere in what it synthesises for …",
        cause: "The stack was synthesised without the image that this commit became.",
        remedy: "Let the program take the image from the variable; or name under `awaits` the services that the stack really deploys.",
        command: None,
    },
    Trouble {
        by: Scripts(&["cdktf-synth.sh"]),
        only: None,
        seen: "there is no …: synthesise the stack, run terraform providers lock -platform=linux_amd64 in …",
        cause: "What is synthesised is in no commit, and neither is a lock file beside it: it stands below `lock-files`, one for each stack.",
        remedy: "Write it where the stack was synthesised, and copy it to where the message says.",
        command: Some("{tool} providers lock -platform=linux_amd64 -platform=darwin_arm64"),
    },
    Trouble {
        by: Step(takes_what_is_synthesised),
        only: None,
        seen: "what was synthesised could not be fetched: it is kept for a day. If this run is older, start a new run",
        cause: "Jobs of an older run were run again, or somebody agreed later than that.",
        remedy: "Start a new run, which synthesises again.",
        command: None,
    },
    Trouble {
        by: Scripts(&["terraform-init.sh"]),
        only: None,
        seen: "… init failed: .terraform.lock.hcl is missing, or lacks a provider or its hashes for …",
        cause: "The lock file of providers is not committed, or has no hashes for the runner's platform. It is never written here: a provider that nobody has reviewed is not run.",
        remedy: "Write it in the stack's directory, and commit it.",
        command: Some("{tool} providers lock -platform=linux_amd64 -platform=darwin_arm64"),
    },
    Trouble {
        by: Scripts(&["terraform-plan.sh"]),
        only: Some(plans),
        seen: "the secret … is empty here: set it in the GitHub environment of this job",
        cause: "A Terraform variable takes its value from a secret that is not set where the job looks.",
        remedy: "Set it in the environments that the message names.",
        command: Some("gh secret set NAME --env ENVIRONMENT-plan"),
    },
    Trouble {
        by: Scripts(&["terraform-plan.sh"]),
        only: Some(plans),
        seen: "the GitHub variable … is empty: set it",
        cause: "A Terraform variable takes its value from a GitHub variable that is not set.",
        remedy: "Set it.",
        command: Some("gh variable set NAME"),
    },
    Trouble {
        by: Scripts(&["terraform-plan.sh"]),
        only: Some(plans),
        seen: "… failed for …/…: its output is above",
        cause: "Terraform itself has failed.",
        remedy: "Its output stands above the message.",
        command: Some("gh run view RUN_ID --log-failed"),
    },
    Trouble {
        by: Scripts(&["plan-digests.sh"]),
        only: None,
        seen: "the plan of … is refused: it does not have …, or its value is only known after the apply",
        cause: "Nothing that is planned has the digest of the image: a resource that needs it is left out, or hides it behind a value that is not known yet.",
        remedy: "Give the image to the task definition. Where that is only known after the apply, an output that has the image as well says what it will be.",
        command: None,
    },
    Trouble {
        by: Scripts(&["plan-policy.sh"]),
        only: Some(plans),
        seen: "the plan is refused for …",
        cause: "The plan would destroy or replace what is protected, a promotion would do more than switch, or an apply left something to do.",
        remedy: "The summary lists every address with the reason. What is meant to go leaves `terraform.protected` first.",
        command: None,
    },
    Trouble {
        by: Scripts(&["handoff-get.sh"]),
        only: Some(|body| matches!(body, Body::TfApply(apply) if apply.hand_off.mode == "s3")),
        seen: "the plan … is not there any more, plans are kept for 7 days; …",
        cause: "The approval came too late.",
        remedy: "Start a new run: it plans again.",
        command: Some("gh workflow run {tf}"),
    },
    Trouble {
        by: Scripts(&["handoff-get.sh"]),
        only: Some(|body| matches!(body, Body::TfApply(apply) if apply.hand_off.mode != "s3")),
        seen: "the encrypted plan is not there any more, it is kept for a day; …",
        cause: "The approval came too late.",
        remedy: "Start a new run: it plans again.",
        command: Some("gh workflow run {tf}"),
    },
    Trouble {
        by: Scripts(&["health-check.sh"]),
        only: Some(asks_for_health),
        seen: "… is not healthy after … attempts: …",
        cause: "The change is made, and the address does not answer as it should.",
        remedy: "Look at the service. The summary says what was applied or deployed, and whether it was taken back.",
        command: Some("curl --include URL"),
    },
    Trouble {
        by: Scripts(&["recover-state.sh"]),
        only: None,
        seen: "…: do not re-apply. The apply changed resources that the state in the backend does not know of",
        cause: "The apply was cut off, and Terraform could not write its state. It is saved below `_pyfleet/recovery/` in the bucket, where the message says so.",
        remedy: "The log shows the commands that push it; run them in a checkout of that commit, when the lock is free. Plan before you apply anything.",
        command: None,
    },
    Trouble {
        by: Scripts(&["check-state.sh"]),
        only: Some(|body| !matches!(body, Body::TfPlan(plan) if plan.hand_off.is_none())),
        seen: "state of …: …: …",
        cause: "A check of the state, its bucket or its lock has failed. The summary has a table of all of them.",
        remedy: "What a bucket or a table lacks is mended by create-backend, which changes no state.",
        command: Some(
            "gh workflow run {tf} -f environment=ENVIRONMENT -f stack=STACK -f action=create-backend",
        ),
    },
    Trouble {
        by: Scripts(&["decide-apply.sh"]),
        only: Some(|body| matches!(body, Body::Decide(decide) if decide.parity.is_some() && !decide.gated)),
        seen: "not applied, because nobody has seen these plans: …",
        cause: "A push planned something else than its pull request has shown, or something that no pull request showed.",
        remedy: "Look at the plans in the summary, then apply by hand.",
        command: Some("gh run view RUN_ID --web"),
    },
    Trouble {
        by: Scripts(&["maintenance-window.sh"]),
        only: None,
        seen: "… is not changed now: its maintenance window opens next on …",
        cause: "The environment's `window` is closed at the moment in which the reviewers have agreed.",
        remedy: "Start a new run, and agree to it while the window is open. In an emergency the rollback asks for no window.",
        command: None,
    },
    Trouble {
        by: Scripts(&["smoke.sh"]),
        only: Some(|body| matches!(body, Body::Smoke(smoke) if smoke.cluster.is_some())),
        seen: "the service … in … has no load balancer's address after … seconds: see what the cluster says with …",
        cause: "The Service is of another type than LoadBalancer, is not there, or the cloud has not made its load balancer.",
        remedy: "Look at the Service and its events; `object` of the check names another one.",
        command: Some("kubectl describe service NAME --namespace NAMESPACE"),
    },
    Trouble {
        by: Scripts(&["smoke-command.sh"]),
        only: None,
        seen: "the check … failed, its command ended with …: its log is above, and in the artifact",
        cause: "The repository's own command found something wrong with what was deployed.",
        remedy: "Read its log. What was deployed is live: mend it, or start the rollback.",
        command: Some("gh run download RUN_ID --pattern 'smoke_*'"),
    },
    Trouble {
        by: Scripts(&["newest-commit.sh"]),
        only: Some(Body::looks_again),
        seen: "… has a newer commit since this run began: what is left of it would undo what that one did",
        cause: "Jobs that failed were run again, after another commit had come to the branch.",
        remedy: "Look at the newer commit's run: it does what this one left undone.",
        command: Some("gh run list --branch BRANCH"),
    },
    Trouble {
        by: Scripts(&["newest-commit.sh"]),
        only: Some(only_compares),
        seen: "nothing is changed: … has a newer commit, which has a run of its own",
        cause: "While this run tested, built or waited for a person, another commit came to the branch. What this run would \
                change, the newer one would have to change back.",
        remedy: "Nothing: the newer commit's run goes on. If that one failed, mend it.",
        command: Some("gh run list --branch BRANCH"),
    },
    Trouble {
        by: Scripts(&["pipeline-guard.sh"]),
        only: None,
        seen: "no environment is worked on from …: what needs none is done, and nothing is changed",
        cause: "The branch is not that of an environment.",
        remedy: "Start the workflow from the environment's branch, which `environments` in pyfleet.yml names.",
        command: None,
    },
    Trouble {
        by: Scripts(&["drift-report.sh"]),
        only: Some(|body| matches!(body, Body::DriftReport(report) if report.issues)),
        seen: "GitHub's API failed, and the issues are not what they should be: …",
        cause: "The state of the stacks is known and stands in the summary; only the issues could not be written.",
        remedy: "Run it again.",
        command: Some("gh run rerun RUN_ID --failed"),
    },
    Trouble {
        by: Scripts(&["image-lookup.sh"]),
        only: None,
        seen: "the repository … does not exist in account …, …. Whoever administers it creates it: …",
        cause: "The image has no repository in ECR yet. No job may make one.",
        remedy: "Make it with the command in the message.",
        command: Some("aws ecr create-repository --repository-name NAME --image-tag-mutability IMMUTABLE"),
    },
    Trouble {
        by: Scripts(&["image-lookup.sh"]),
        only: None,
        seen: "the version … is taken: … has another commit's image under this tag, and tags do not move. Choose another version",
        cause: "The version was given to another commit before.",
        remedy: "Start the deployment again with another version.",
        command: None,
    },
    Trouble {
        by: Action("actions/download-artifact", |body| {
            matches!(body, Body::ImagePush(_) | Body::ScanImage(_))
        }),
        only: None,
        seen: "Unable to download artifact(s): Artifact not found for name: …",
        cause: "The image that was built is kept for a day, and the job was run again, or started, after that.",
        remedy: "Start a new run, which builds it again.",
        command: None,
    },
    Trouble {
        by: Scripts(&["ecs-deploy.sh"]),
        only: None,
        seen: "nothing was deployed: …",
        cause: "The cluster, the service or its task definition is not what the manifest says.",
        remedy: "The message says what does not fit; the service runs on as it was.",
        command: Some("aws ecs describe-services --cluster CLUSTER --services SERVICE"),
    },
    Trouble {
        by: Scripts(&["ecs-wait.sh"]),
        only: Some(|body| !matches!(body, Body::EcsList(_))),
        seen: "the deployment of revision … did not last and the service was put back: revision … is live",
        cause: "The new tasks did not start, or did not stay healthy: ECS went back to the revision before.",
        remedy: "Look at why the tasks stopped, and at their logs.",
        command: Some(
            "aws ecs describe-services --cluster CLUSTER --services SERVICE --query 'services[].events[:10].message'",
        ),
    },
    Trouble {
        by: Scripts(&["ecs-await.sh"]),
        only: None,
        seen: "there is nothing to wait for: …",
        cause: "The cluster, the service or its container is not what the manifest says.",
        remedy: "Make `services` in the manifest and the stack say the same.",
        command: Some("aws ecs describe-services --cluster CLUSTER --services SERVICE"),
    },
    Trouble {
        by: Scripts(&["ecs-await.sh"]),
        only: None,
        seen: "the deployment of … did not last and … was put back: revision … is live",
        cause: "The new tasks did not start, or did not stay healthy: ECS went back to the revision before. Terraform's state has the new one.",
        remedy: "Look at why the tasks stopped, mend it and push: the next apply registers another revision.",
        command: Some(
            "aws ecs describe-services --cluster CLUSTER --services SERVICE --query 'services[].events[:10].message'",
        ),
    },
    Trouble {
        by: Scripts(&["ecs-await.sh"]),
        only: None,
        seen: "… does not run what was pushed: revision … is live, and its container … runs …",
        cause: "The apply has not changed the service: it ignores its task definition, or an earlier reversal left it behind.",
        remedy: "Look at the service in the stack; what Terraform takes for done, a new commit does again.",
        command: None,
    },
    Trouble {
        by: Scripts(&["ecs-rollback.sh", "eks-rollback.sh"]),
        only: None,
        seen: "nothing was changed: …",
        cause: "The service is not there, there is no such revision, none that it can go back to, or somebody else has changed it meanwhile.",
        remedy: "Start the rollback with the target `list`, which shows them.",
        command: None,
    },
    Trouble {
        by: Scripts(&["image-push.sh"]),
        only: Some(|body| matches!(body, Body::ImagePush(push) if push.login.is_some())),
        seen: "… does not let this job in: …",
        cause: "The registry refuses the user or the password of the job that pushes.",
        remedy: "Set the secrets in the environment of the job: an access token that may write, not the account's password.",
        command: Some("gh secret set NAME --env ENVIRONMENT"),
    },
    Trouble {
        by: Scripts(&["eks-connect.sh"]),
        only: None,
        seen: "there is no cluster … in …",
        cause: "The cluster of the service is not in the account and region of the environment.",
        remedy: "Compare `cluster` of the service with what the account has.",
        command: Some("aws eks list-clusters"),
    },
    Trouble {
        by: Scripts(&["eks-connect.sh"]),
        only: None,
        seen: "what was fetched as kubectl … is not what was pinned: it was not run",
        cause: "Something between the runner and `dl.k8s.io` gives another file.",
        remedy: "Find out what does; or put the pinned kubectl on the runner's PATH, which is used where it is that very file.",
        command: None,
    },
    Trouble {
        by: Scripts(&["eks-deploy.sh"]),
        only: None,
        seen: "nothing was applied: …",
        cause: "A file is missing or does not fit, a secret is empty, or the role may not do in the namespace what the files need.",
        remedy: "The message says which. What the role may do is said by its access entry: the guide to the set-up has the commands.",
        command: Some(
            "aws eks list-associated-access-policies --cluster-name CLUSTER --principal-arn ROLE_ARN",
        ),
    },
    Trouble {
        by: Scripts(&["eks-deploy.sh"]),
        only: None,
        seen: "… is not ready after … s, and the service was not deployed: …",
        cause: "What the service needs did not become ready; the service itself was not touched.",
        remedy: "The log shows its events and its last lines.",
        command: Some("kubectl get pods --namespace NAMESPACE"),
    },
    Trouble {
        by: Scripts(&["eks-deploy.sh"]),
        only: None,
        seen: "… is not ready, its rollout is …: …",
        cause: "The new pods did not start, or did not become ready. Pods of the revision before serve on while there are any; nothing is put back unless `auto-rollback` says so.",
        remedy: "The log shows events and the last lines of the containers. Deploy a commit that works, or start the rollback.",
        command: Some("kubectl describe deployment NAME --namespace NAMESPACE"),
    },
    Trouble {
        by: Scripts(&["eks-rollback.sh"]),
        only: Some(|body| !matches!(body, Body::EksList(_) | Body::EksResolve(_))),
        seen: "going back to revision … of … did not end well, its rollout is …: …",
        cause: "The old revision does not become ready any more: mostly because of what it needs, which did not go back with it.",
        remedy: "The log shows events and the last lines of the containers.",
        command: Some("kubectl get pods --namespace NAMESPACE"),
    },
    Trouble {
        by: Scripts(&["create-backend.sh"]),
        only: None,
        seen: "the bucket … is another account's: choose another name",
        cause: "Names of buckets are shared by everybody on AWS, and somebody else has this one.",
        remedy: "Choose another `terraform.backend.bucket`; the account's number in it makes it yours.",
        command: None,
    },
    Trouble {
        by: Scripts(&["destroy-backend.sh"]),
        only: None,
        seen: "nothing was removed: …",
        cause: "A state still tracks resources, a lock is held, or something in the bucket is not pyfleet's.",
        remedy: "Destroy the stacks that the message names first.",
        command: Some(
            "gh workflow run {tf} -f environment=ENVIRONMENT -f stack=STACK -f action=destroy -f confirm='destroy ENVIRONMENT/STACK'",
        ),
    },
    Trouble {
        by: Scripts(&["force-unlock.sh"]),
        only: None,
        seen: "a run that was under way when the lock was taken may still own it, nothing is released: …",
        cause: "The runs that the message names have not ended.",
        remedy: "Wait until they have, or cancel them.",
        command: Some("gh run cancel RUN_ID"),
    },
    Trouble {
        by: Scripts(&["oidc-probe.sh"]),
        only: None,
        seen: "the claim … differs from what the manifest says: the table in the summary has both",
        cause: "GitHub writes another subject than the manifest declares: mostly `github.subject-format`, or the ids of owner and repository.",
        remedy: "Correct the manifest, render, and put the trust policies again.",
        command: Some("gh api repos/OWNER/NAME --jq '.owner.id, .id'"),
    },
    Trouble {
        by: Scripts(&["packer-install.sh"]),
        only: None,
        seen: "Packer … cannot be fetched: …",
        cause: "The runner did not reach `releases.hashicorp.com`, or there is no such version.",
        remedy: "Compare `packer.version` with the releases, let the runner reach the address, and run it again.",
        command: Some("gh run rerun RUN_ID --failed"),
    },
    Trouble {
        by: Scripts(&["packer-install.sh"]),
        only: None,
        seen: "the archive of Packer … has another checksum than it should: expected …, found …; nothing of it was run",
        cause: "The download is damaged, or it is another archive than `packer.sha256` names.",
        remedy: "Run it again. If it stays, compare the checksum with HashiCorp's own on a machine that you trust, before anything else.",
        command: None,
    },
    Trouble {
        by: Scripts(&["packer-validate.sh"]),
        only: None,
        seen: "the plugins of … could not be installed: Packer's output is above",
        cause: "`required_plugins` names a plugin or a version that there is not, or GitHub did not answer.",
        remedy: "Run `packer init` on the template where you are.",
        command: None,
    },
    Trouble {
        by: Scripts(&["packer-validate.sh"]),
        only: None,
        seen: "… is not formatted: run packer fmt and commit what it changes",
        cause: "The template is not written as `packer fmt` writes it.",
        remedy: "Format it and commit.",
        command: Some("packer fmt packer/"),
    },
    Trouble {
        by: Scripts(&["packer-validate.sh"]),
        only: None,
        seen: "… is not valid: Packer's output is above",
        cause: "The template does not parse, or a variable has a value of another type: on pull requests `placeholder` stands for what GitHub holds.",
        remedy: "Mend what Packer names; a variable that GitHub holds has to be of the type `string`.",
        command: None,
    },
    Trouble {
        by: Scripts(&["packer-build.sh"]),
        only: None,
        seen: "the Packer variable … is empty: set the secret or the variable that it takes its value from in this job's GitHub environment",
        cause: "The manifest's `packer.variables` names a secret or variable that this environment does not have.",
        remedy: "Set it in the environment that `packer.environment` names.",
        command: Some("gh secret set NAME --env ENVIRONMENT"),
    },
    Trouble {
        by: Scripts(&["packer-build.sh"]),
        only: None,
        seen: "the image was not built: Packer says above why, and whether it could remove what it had made",
        cause: "A provisioner or the hypervisor failed. The artifact `golden-image` has the log.",
        remedy: "Mend it and run it again. Remove what the build may have left on the hypervisor; environments keep the image that they have.",
        command: Some("gh run rerun RUN_ID --failed"),
    },
    Trouble {
        by: Scripts(&["packer-build.sh"]),
        only: None,
        seen: "the build has ended well, but which image it made cannot be told: …",
        cause: "The template has no post-processor `manifest` that writes `packer-manifest.json`, or builds several images.",
        remedy: "Give the template exactly one source and the post-processor, and remove the image that was made.",
        command: None,
    },
    Trouble {
        by: Scripts(&["packer-build.sh"]),
        only: None,
        seen: "the image does not say that it holds …: install it in the template, and name its version in packer-software.json or custom_data",
        cause: "Software of `packer.expect` is not among what the build said of the image. The image is not used.",
        remedy: "Install it; let a provisioner write `packer-software.json`, names with versions, and fetch it with `file` and `direction = \"download\"`.",
        command: None,
    },
    Trouble {
        by: Scripts(&["golden-image.sh"]),
        only: None,
        seen: "the image that was chosen must be an id: letters, digits, dots, dashes, underscores and slashes",
        cause: "What was typed as the image is no id of one.",
        remedy: "List the images, and type the id alone.",
        command: None,
    },
    Trouble {
        by: Scripts(&["golden-image.sh"]),
        only: None,
        seen: "an image was built in this run, and another one chosen by hand: ask for one of them",
        cause: "A new image and an existing one were asked for at the same time.",
        remedy: "Start the run again with one of both.",
        command: None,
    },
    Trouble {
        by: Scripts(&["golden-image.sh"]),
        only: None,
        seen: "no image has proven itself in … yet: have one built, or choose one by its id",
        cause: "No image is on record as good in this environment: it is new, or no run got as far as its smoke tests.",
        remedy: "Start the pipeline by hand with `rebuild_image`, or with `template_id`.",
        command: None,
    },
    Trouble {
        by: Scripts(&["golden-image.sh"]),
        only: None,
        seen: "no image has proven itself in … before the one that is live: name an image that is on record",
        cause: "There is only one good image on record.",
        remedy: "List the images and name one; or build a new one.",
        command: None,
    },
    Trouble {
        by: Scripts(&["golden-image.sh"]),
        only: None,
        seen: "this image is not on record as applied to …; those that are: …",
        cause: "The id is not among the 30 newest records of this environment.",
        remedy: "Name one of those that the message lists.",
        command: None,
    },
    Trouble {
        by: Scripts(&["plan-image.sh"]),
        only: None,
        seen: "the plan of … is refused: …",
        cause: "The plan was made with another image than the run has chosen, or uses it nowhere: a variable file, a data source or a literal decides instead. Nothing was applied.",
        remedy: "Let the stack take the image from the variable that `packer.output-variable` names, and from nothing else.",
        command: None,
    },
    Trouble {
        by: Scripts(&["record-image.sh"]),
        only: None,
        seen: "… has proven itself in …, only the record of that is missing, …: run this job again",
        cause: "The image works, but S3 did not take the record: the next run would take the image before it.",
        remedy: "Run the job again.",
        command: Some("gh run rerun RUN_ID --failed"),
    },
    Trouble {
        by: Scripts(&["record-image.sh"]),
        only: None,
        seen: "the newest record of … is not of the image …: something else was applied since, or it was applied without a record",
        cause: "Another apply came in between, or the apply could not write its record.",
        remedy: "Look at the newest run; the next pipeline run records the image that it applies.",
        command: None,
    },
    Trouble {
        by: Scripts(&["ansible-install.sh"]),
        only: None,
        seen: "ansible-core … could not be installed: its installer says above why; each version of it needs certain versions of Python, here …",
        cause: "There is no such version, no version for this runner's Python, or no `venv` on it.",
        remedy: "Compare `ansible.version` with ansible-core's support matrix, and the runner's Python.",
        command: None,
    },
    Trouble {
        by: Scripts(&["ansible-install.sh"]),
        only: None,
        seen: "what … names could not be installed: ansible-galaxy says above why",
        cause: "A collection or role of `requirements.yml` is not there in this version, or Galaxy did not answer.",
        remedy: "Run `ansible-galaxy install -r requirements.yml` where you are.",
        command: None,
    },
    Trouble {
        by: Scripts(&["ansible-check.sh"]),
        only: None,
        seen: "… switches the check of host keys off: …",
        cause: "A file of the Ansible directory would accept any host key.",
        remedy: "Take the setting out: the host keys come from `ansible.known-hosts-output` or `ansible.known-hosts`.",
        command: None,
    },
    Trouble {
        by: Scripts(&["ansible-check.sh"]),
        only: None,
        seen: "… cannot be read: Ansible's output is above",
        cause: "The playbook has a mistake in its syntax, or names a module or role that is not there.",
        remedy: "Mend what Ansible names; add collections to `requirements.yml`.",
        command: Some("ansible-playbook --syntax-check -i localhost, PLAYBOOK"),
    },
    Trouble {
        by: Scripts(&["ansible-inventory.sh"]),
        only: None,
        seen: "… has no machines to configure: …",
        cause: "The stack has no such output, or it is empty: the inventory and the host keys come from the outputs that `ansible` names.",
        remedy: "Add the output to the stack and apply it. Host keys are lines as `ssh-keyscan` prints them, known when the machine is made.",
        command: None,
    },
    Trouble {
        by: Scripts(&["ansible-inventory.sh"]),
        only: None,
        seen: "the inventory of … decides how host keys are checked: take that out of the output …, they are always checked",
        cause: "The inventory holds SSH options that would accept any host key.",
        remedy: "Take them out of the template that the output is made from.",
        command: None,
    },
    Trouble {
        by: Scripts(&["ansible-run.sh"]),
        only: None,
        seen: "the secret that opens the machines is empty here: set it in the GitHub environment …",
        cause: "The secret of `ansible.ssh-key` is not set in this environment.",
        remedy: "Set it from the key's file.",
        command: Some("gh secret set NAME --env ENVIRONMENT <KEY_FILE"),
    },
    Trouble {
        by: Scripts(&["ansible-run.sh"]),
        only: None,
        seen: "the secret that opens the machines is no private key that can be used: it has to be the whole file, and without a passphrase",
        cause: "The secret is a part of the key, another file, or protected by a passphrase.",
        remedy: "Set it again from the key's file.",
        command: Some("gh secret set NAME --env ENVIRONMENT <KEY_FILE"),
    },
    Trouble {
        by: Scripts(&["ansible-run.sh"]),
        only: None,
        seen: "there is no machine in the inventory of …",
        cause: "Ansible cannot read the inventory, or it names no machine.",
        remedy: "Look at the output with `terraform output`, and read it with `ansible-inventory --list`.",
        command: None,
    },
    Trouble {
        by: Scripts(&["ansible-run.sh"]),
        only: None,
        seen: "a machine of … did not answer within … seconds, or not with its host key: Ansible says above which, and why",
        cause: "The machine does not start, the runner does not reach it, the key does not open it, or it is another machine than the host key says. Nothing was configured.",
        remedy: "Look at its console. A machine that was made anew has a new host key: the stack has to put it out. Go back to the image before if it does not start from this one.",
        command: None,
    },
    Trouble {
        by: Scripts(&["ansible-run.sh"]),
        only: None,
        seen: "the preview of … failed in …, and nothing was changed: …",
        cause: "A task cannot be tried without doing it, or fails already.",
        remedy: "Mend the task, or give it `check_mode: false` or a condition on `ansible_check_mode`.",
        command: None,
    },
    Trouble {
        by: Scripts(&["ansible-run.sh"]),
        only: None,
        seen: "… failed in …: Ansible says above where; what it had done before stays done",
        cause: "A task of the playbook failed on a machine.",
        remedy: "Mend it and run the job again: playbooks can be run twice. Go back to the image before if the image is the reason.",
        command: Some("gh run rerun RUN_ID --failed"),
    },
    Trouble {
        by: Scripts(&["ansible-run.sh"]),
        only: None,
        seen: "no play of … is for a machine of the inventory of …",
        cause: "The playbook's `hosts` are groups that the inventory does not have: nothing was configured.",
        remedy: "Compare the playbook's `hosts` with the groups of the output.",
        command: None,
    },
    Trouble {
        by: Scripts(&["ansible-run.sh"]),
        only: None,
        seen: "… is missing on …: the image or the playbook should bring it",
        cause: "A machine does not have software that `expect` names, or not on the path of a login shell.",
        remedy: "Install it in the image or the playbook. Until then go back to the image before.",
        command: None,
    },
    Trouble {
        by: Scripts(&["notify.sh"]),
        only: None,
        seen: "there is no webhook (its secret is empty): nobody is told",
        cause: "The secret of the channel is not set.",
        remedy: "Set it; the run itself is not affected.",
        command: Some("gh secret set NAME"),
    },
];
