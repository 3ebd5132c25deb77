//! Messages that the scripts print, with cause and remedy.
//!
//! A test finds every message in its script, so that none is told of that is never seen.

use crate::plan::Body;

/// A message that a script prints.
#[derive(Debug, Clone, Copy)]
pub struct Trouble {
    /// The scripts that print it.
    pub scripts: &'static [&'static str],
    /// The jobs whose steps run it.
    pub at: fn(&Body) -> bool,
    /// The message; `…` stands for what differs from run to run.
    pub seen: &'static str,
    /// Why it is printed.
    pub cause: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// The command that helps. `{tf}` is the file of the workflow that is started by hand, `{tool}` terraform or tofu.
    pub command: Option<&'static str>,
}

const fn is_gate(body: &Body) -> bool {
    matches!(body, Body::Gate(_))
}

const fn plans(body: &Body) -> bool {
    matches!(body, Body::TerraformPlan(_) | Body::TfPlan(_) | Body::CheckState(_))
}

const fn initialises(body: &Body) -> bool {
    plans(body) || matches!(body, Body::TfApply(_) | Body::ForceUnlock(_))
}

const fn compares_what_was_typed(body: &Body) -> bool {
    matches!(body, Body::TfGuard(_) | Body::TfAutoGuard(_) | Body::DeployGuard(_) | Body::RollbackGuard(_))
}

const fn waits_for_lock(body: &Body) -> bool {
    matches!(body, Body::TfPlan(_) | Body::TfApply(_) | Body::CheckState(_))
}

/// Every message, in the order in which a run can meet them.
pub const TROUBLES: &[Trouble] = &[
    Trouble {
        scripts: &["gate.sh"],
        at: is_gate,
        seen: "job …: …",
        cause: "A job that the required check stands for has failed or was cancelled. The message has its name.",
        remedy: "Read its log, mend what it says, and push; or run it again if a service was not reachable.",
        command: Some("gh run rerun RUN_ID --failed"),
    },
    Trouble {
        scripts: &["gate.sh"],
        at: is_gate,
        seen: "job … was skipped, and nothing allows that",
        cause: "A job that always has to run did not, mostly because one before it failed.",
        remedy: "Look at the jobs before it.",
        command: Some("gh run view RUN_ID --log-failed"),
    },
    Trouble {
        scripts: &["changed-paths.sh"],
        at: |body| matches!(body, Body::Changes(_)),
        seen: "… targets are changed, more than the … that one run may take",
        cause: "A matrix of GitHub has at most 256 jobs.",
        remedy: "Split the change.",
        command: None,
    },
    Trouble {
        scripts: &["test-comment.sh"],
        at: |body| matches!(body, Body::TestComment(_)),
        seen: "no suite left a readable result: there is nothing to comment on",
        cause: "Every suite ended before it wrote a result: mostly, installing has failed.",
        remedy: "Read the log of the suites.",
        command: Some("gh run view RUN_ID --log-failed"),
    },
    Trouble {
        scripts: &["coverage-check.sh"],
        at: |body| matches!(body, Body::Coverage(_)),
        seen: "… points below the minimum of … %: … more covered line(s) are needed",
        cause: "No suite of the group covers as much as `coverage.minimum` asks for.",
        remedy: "Cover what is new, or lower the minimum in the manifest, where a reviewer sees it.",
        command: None,
    },
    Trouble {
        scripts: &["image-check.sh"],
        at: |body| matches!(body, Body::BuildImage(_)),
        seen: "the image runs as root: add a USER to the Dockerfile",
        cause: "`require.non-root` is set, and the image's user is root.",
        remedy: "Add the user in the last stage of the Dockerfile.",
        command: None,
    },
    Trouble {
        scripts: &["image-check.sh"],
        at: |body| matches!(body, Body::BuildImage(_)),
        seen: "the container is not well: …",
        cause: "The image was started alone, and its HEALTHCHECK did not succeed within two minutes.",
        remedy: "The log has the container's last lines. The check must not need another service.",
        command: Some("docker run --rm IMAGE"),
    },
    Trouble {
        scripts: &["scan-report.sh"],
        at: |body| matches!(body, Body::ScanImage(_) | Body::TerraformScan(_)),
        seen: "… finding(s) at or above …; the summary lists them",
        cause: "The scan found something that counts.",
        remedy: "The summary says where, and in which version it is mended. `on-findings: warn` in the manifest lets findings pass, visibly.",
        command: None,
    },
    Trouble {
        scripts: &["post-comments.sh"],
        at: |body| matches!(body, Body::TestComment(_) | Body::TerraformComment(_)),
        seen: "the token may not write comments (a fork, or a bot): the results are in the summary of this run",
        cause: "GitHub gives the pull requests of forks and of Dependabot a token that only reads.",
        remedy: "Nothing: read the summary.",
        command: Some("gh run view RUN_ID --web"),
    },
    Trouble {
        scripts: &["cost-report.sh"],
        at: |body| matches!(body, Body::TerraformCost(_)),
        seen: "no cost of …: …",
        cause: "The estimate could not be made: the key is empty, or the service did not answer. Nothing fails.",
        remedy: "The message says which; a key is set as a secret.",
        command: None,
    },
    Trouble {
        scripts: &["cost-report.sh"],
        at: |body| matches!(body, Body::TerraformCost(cost) if cost.max_monthly_increase.is_some()),
        seen: "the cost of … grows by … a month, and may grow by …",
        cause: "The change costs more than `max-monthly-increase` allows.",
        remedy: "Make it smaller, or raise the limit in the manifest, where a reviewer sees it.",
        command: None,
    },
    Trouble {
        scripts: &["tf-guard.sh", "tf-auto-guard.sh", "deploy-guard.sh", "rollback-guard.sh"],
        at: compares_what_was_typed,
        seen: "confirm must be exactly `…`",
        cause: "The phrase was not typed, or not letter by letter.",
        remedy: "Start the workflow again with the phrase that the message shows.",
        command: None,
    },
    Trouble {
        scripts: &["tf-guard.sh", "tf-auto-guard.sh", "deploy-guard.sh", "rollback-guard.sh"],
        at: compares_what_was_typed,
        seen: "its branch: start the workflow from `…`",
        cause: "The run was started on another branch than the environment's.",
        remedy: "Start it on that branch.",
        command: Some("gh workflow run FILE --ref BRANCH"),
    },
    Trouble {
        scripts: &["wait-for-lock.sh"],
        at: waits_for_lock,
        seen: "the bucket … does not exist: create it with the tf workflow, action create-backend",
        cause: "The state has no bucket yet.",
        remedy: "Make it, once for each bucket.",
        command: Some(
            "gh workflow run {tf} -f environment=ENVIRONMENT -f stack=STACK -f action=create-backend",
        ),
    },
    Trouble {
        scripts: &["wait-for-lock.sh"],
        at: waits_for_lock,
        seen: "the state … is locked …; …",
        cause: "Somebody works on the state, or was stopped before they could release it. The message has the holder, the age and the id.",
        remedy: "Wait for them. Release it only if nobody works on it any more.",
        command: Some(
            "gh workflow run {tf} -f environment=ENVIRONMENT -f stack=STACK -f action=force-unlock -f lock_id=ID -f confirm='unlock ID'",
        ),
    },
    Trouble {
        scripts: &["terraform-init.sh"],
        at: initialises,
        seen: "… init failed: .terraform.lock.hcl is missing, or lacks a provider or its hashes for …",
        cause: "The lock file of providers is not committed, or has no hashes for the runner's platform. It is never written here: a provider that nobody has reviewed is not run.",
        remedy: "Write it in the stack's directory, and commit it.",
        command: Some("{tool} providers lock -platform=linux_amd64 -platform=darwin_arm64"),
    },
    Trouble {
        scripts: &["terraform-plan.sh"],
        at: plans,
        seen: "the secret … is empty here: set it in the GitHub environment of this job",
        cause: "A Terraform variable takes its value from a secret that is not set where the job looks.",
        remedy: "Set it in the environments that the message names.",
        command: Some("gh secret set NAME --env ENVIRONMENT-plan"),
    },
    Trouble {
        scripts: &["terraform-plan.sh"],
        at: plans,
        seen: "the GitHub variable … is empty: set it",
        cause: "A Terraform variable takes its value from a GitHub variable that is not set.",
        remedy: "Set it.",
        command: Some("gh variable set NAME"),
    },
    Trouble {
        scripts: &["terraform-plan.sh"],
        at: plans,
        seen: "… failed for …/…: its output is above",
        cause: "Terraform itself has failed.",
        remedy: "Its output stands above the message.",
        command: Some("gh run view RUN_ID --log-failed"),
    },
    Trouble {
        scripts: &["plan-policy.sh"],
        at: |body| matches!(body, Body::TfPlan(_) | Body::TfApply(_)),
        seen: "the plan is refused for …",
        cause: "The plan would destroy or replace what is protected, a promotion would do more than switch, or an apply left something to do.",
        remedy: "The summary lists every address with the reason. What is meant to go leaves `terraform.protected` first.",
        command: None,
    },
    Trouble {
        scripts: &["handoff-get.sh"],
        at: |body| matches!(body, Body::TfApply(apply) if apply.hand_off.mode == "s3"),
        seen: "the plan … is not there any more, plans are kept for 7 days; …",
        cause: "The approval came too late.",
        remedy: "Start a new run: it plans again.",
        command: Some("gh workflow run {tf}"),
    },
    Trouble {
        scripts: &["handoff-get.sh"],
        at: |body| matches!(body, Body::TfApply(apply) if apply.hand_off.mode != "s3"),
        seen: "the encrypted plan is not there any more, it is kept for a day; …",
        cause: "The approval came too late.",
        remedy: "Start a new run: it plans again.",
        command: Some("gh workflow run {tf}"),
    },
    Trouble {
        scripts: &["health-check.sh"],
        at: |body| matches!(body, Body::TfApply(apply) if apply.verify.is_some()),
        seen: "… is not healthy after … attempts: …",
        cause: "The apply is done, and the environment's address does not answer as it should.",
        remedy: "Look at the service. The record in the summary says what was applied.",
        command: Some("curl --include URL"),
    },
    Trouble {
        scripts: &["recover-state.sh"],
        at: |body| matches!(body, Body::TfApply(_)),
        seen: "…: do not re-apply. The apply changed resources that the state in the backend does not know of",
        cause: "The apply was cut off, and Terraform could not write its state. It is saved below `_pyfleet/recovery/` in the bucket, where the message says so.",
        remedy: "The log shows the commands that push it; run them in a checkout of that commit, when the lock is free. Plan before you apply anything.",
        command: None,
    },
    Trouble {
        scripts: &["check-state.sh"],
        at: |body| matches!(body, Body::CheckState(_) | Body::TfPlan(_)),
        seen: "state of …: …: …",
        cause: "A check of the state, its bucket or its lock has failed. The summary has a table of all of them.",
        remedy: "What a bucket or a table lacks is mended by create-backend, which changes no state.",
        command: Some(
            "gh workflow run {tf} -f environment=ENVIRONMENT -f stack=STACK -f action=create-backend",
        ),
    },
    Trouble {
        scripts: &["decide-apply.sh"],
        at: |body| matches!(body, Body::Decide(_)),
        seen: "not applied, because nobody has seen these plans: …",
        cause: "A push planned something else than its pull request has shown, or something that no pull request showed.",
        remedy: "Look at the plans in the summary, then apply by hand.",
        command: Some("gh run view RUN_ID --web"),
    },
    Trouble {
        scripts: &["drift-report.sh"],
        at: |body| matches!(body, Body::DriftReport(_)),
        seen: "GitHub's API failed, and the issues are not what they should be: …",
        cause: "The state of the stacks is known and stands in the summary; only the issues could not be written.",
        remedy: "Run it again.",
        command: Some("gh run rerun RUN_ID --failed"),
    },
    Trouble {
        scripts: &["image-lookup.sh"],
        at: |body| matches!(body, Body::ImageLookup(_)),
        seen: "the repository … does not exist in account …, …. Whoever administers it creates it: …",
        cause: "The image has no repository in ECR yet. No job may make one.",
        remedy: "Make it with the command in the message.",
        command: Some("aws ecr create-repository --repository-name NAME --image-tag-mutability IMMUTABLE"),
    },
    Trouble {
        scripts: &["image-lookup.sh"],
        at: |body| matches!(body, Body::ImageLookup(_)),
        seen: "the version … is taken: … has another commit's image under this tag, and tags do not move. Choose another version",
        cause: "The version was given to another commit before.",
        remedy: "Start the deployment again with another version.",
        command: None,
    },
    Trouble {
        scripts: &["ecs-deploy.sh"],
        at: |body| matches!(body, Body::EcsDeploy(_)),
        seen: "nothing was deployed: …",
        cause: "The cluster, the service or its task definition is not what the manifest says.",
        remedy: "The message says what does not fit; the service runs on as it was.",
        command: Some("aws ecs describe-services --cluster CLUSTER --services SERVICE"),
    },
    Trouble {
        scripts: &["ecs-wait.sh"],
        at: |body| matches!(body, Body::EcsDeploy(_) | Body::EcsRollback(_)),
        seen: "the deployment of revision … did not last and the service was put back: revision … is live",
        cause: "The new tasks did not start, or did not stay healthy: ECS went back to the revision before.",
        remedy: "Look at why the tasks stopped, and at their logs.",
        command: Some(
            "aws ecs describe-services --cluster CLUSTER --services SERVICE --query 'services[].events[:10].message'",
        ),
    },
    Trouble {
        scripts: &["ecs-rollback.sh"],
        at: |body| matches!(body, Body::EcsRollback(_) | Body::EcsResolve(_)),
        seen: "nothing was changed: …",
        cause: "There is no such revision, or none that the service can go back to.",
        remedy: "Start the rollback with the target `list`, which shows them.",
        command: None,
    },
    Trouble {
        scripts: &["create-backend.sh"],
        at: |body| matches!(body, Body::CreateBackend(_)),
        seen: "the bucket … is another account's: choose another name",
        cause: "Names of buckets are shared by everybody on AWS, and somebody else has this one.",
        remedy: "Choose another `terraform.backend.bucket`; the account's number in it makes it yours.",
        command: None,
    },
    Trouble {
        scripts: &["destroy-backend.sh"],
        at: |body| matches!(body, Body::DestroyBackend(_)),
        seen: "nothing was removed: …",
        cause: "A state still tracks resources, a lock is held, or something in the bucket is not pyfleet's.",
        remedy: "Destroy the stacks that the message names first.",
        command: Some(
            "gh workflow run {tf} -f environment=ENVIRONMENT -f stack=STACK -f action=destroy -f confirm='destroy ENVIRONMENT/STACK'",
        ),
    },
    Trouble {
        scripts: &["force-unlock.sh"],
        at: |body| matches!(body, Body::ForceUnlock(_)),
        seen: "a run that was under way when the lock was taken may still own it, nothing is released: …",
        cause: "The runs that the message names have not ended.",
        remedy: "Wait until they have, or cancel them.",
        command: Some("gh run cancel RUN_ID"),
    },
    Trouble {
        scripts: &["oidc-probe.sh"],
        at: |body| matches!(body, Body::OidcProbe(_)),
        seen: "the claim … differs from what the manifest says: the table in the summary has both",
        cause: "GitHub writes another subject than the manifest declares: mostly `github.subject-format`, or the ids of owner and repository.",
        remedy: "Correct the manifest, render, and put the trust policies again.",
        command: Some("gh api repos/OWNER/NAME --jq '.owner.id, .id'"),
    },
    Trouble {
        scripts: &["notify.sh"],
        at: |body| matches!(body, Body::Notify(_)),
        seen: "there is no webhook (its secret is empty): nobody is told",
        cause: "The secret of the channel is not set.",
        remedy: "Set it; the run itself is not affected.",
        command: Some("gh secret set NAME"),
    },
];
