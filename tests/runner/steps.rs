//! Steps of the examples, each alone in a checkout: how they fail where no story goes wrong that way, and what only a failure
//! makes due.
//!
//! What fails is what the step asks: a program that answers as a broken cloud would, a file that is not as it should be,
//! what a job before has said. Bodies that a story of an example fails in are not here.

use std::collections::BTreeMap;

use serde_json::json;

use super::pyfleet::{CURL, GH};
use super::{Run, action, git};
use crate::aws::{ACCOUNT, Aws};
use crate::bodies::{self, story};
use crate::executed::image_layout::Layout;
use crate::images::{Docker, STAND_IN};
use crate::repo::Repo;
use crate::tool;

/// AWS, which lets nobody in.
const REFUSED: &str =
    "echo 'An error occurred (AccessDenied) when calling an operation: not authorized' >&2; exit 254";
const BROKEN: &str = "echo 'it is broken' >&2; exit 1";

const RECOVER: &str = "Save what the apply could not write";

/// Infracost, which is asked about a commit and then about the one before it: 60 a month are added.
pub(super) const INFRACOST: &str = r#"
while (($#)); do [[ $1 != --out-file ]] || out=$2; shift; done
if [[ -e $STATE/asked ]]; then rm "$STATE/asked" && total=5; else : >"$STATE/asked" && total=65; fi
echo "{\"currency\": \"USD\", \"projects\": [{\"breakdown\": {\"resources\": [], \"totalMonthlyCost\": \"$total\"}}], \"totalMonthlyCost\": \"$total\"}" >"$out"
"#;

/// A checkout of an example, with two commits.
struct Checkout {
    repo: Repo,
    stack: &'static str,
    directory: &'static str,
}

impl Checkout {
    /// An example with one of its stacks, and where that lies.
    fn of(example: &str, stack: &'static str, directory: &'static str) -> Option<Self> {
        for tool in ["jq", "terraform"] {
            tool::find(tool)?;
        }
        let repo = Repo::new();
        let root = repo.path(".");
        action::copy_into(&tool::repository().join("examples").join(example), &root);
        git(&root, &["init", "--quiet", "--initial-branch=main"]);
        git(&root, &["add", "--all"]);
        let author = ["-c", "user.name=octocat", "-c", "user.email=octocat@example.com"];
        for message in ["All", "Nothing more"] {
            git(
                &root,
                &[&author[..], &["commit", "--quiet", "--allow-empty", "--message", message]].concat(),
            );
        }
        Some(Self { repo, stack, directory })
    }

    /// A step of a workflow that somebody starts.
    fn step(&self, workflow: &str, job: &str, step: &str) -> Run {
        self.workflow(workflow).event("workflow_dispatch").alone(job, step)
    }

    /// A workflow. Whatever a job makes a matrix of is the one stack.
    fn workflow(&self, workflow: &str) -> Run {
        let head = git(&self.repo.path("."), &["rev-parse", "HEAD"]);
        let target = json!([{
            "stack": self.stack, "directory": self.directory, "variables": {}, "var-files": [],
            "backend": { "bucket": "a-bucket", "key": "a.tfstate", "region": "us-east-1", "dynamodb_table": "a-table" },
            "colors": { "output": "active_color", "values": ["blue", "green"] },
            "plan": { "plan_key": format!("_plans/1-1/production/{}.tfplan", self.stack), "plan_sha256": "0".repeat(64),
                "commit": head, "tool_version": "1.11.4" },
            "namespace": "inventory-manager", "deployment": "inventory-manager",
        }]);
        let target = target.to_string();
        let file = format!(".github/workflows/{workflow}.yml");
        let run = Run::of(&file, self.repo.path("."))
            .env("AWS_REGION", "us-east-1")
            .env("WAIT_TIMEOUT", "1")
            .env("WAIT_INTERVAL", "1")
            .env("DELAY", "0")
            .tool("aws", REFUSED);
        let text = self.repo.read(&file);
        let read = text.split("fromJSON(needs.").skip(1).filter_map(|rest| rest.split_once(')'));
        let read = read.filter_map(|(output, _)| output.split_once(".outputs."));
        let run = read.fold(run, |run, (by, output)| run.told(by, output, &target));
        // Reviewers agreed, and commits were compared, in this attempt.
        let gates = text.split("needs.").filter_map(|rest| rest.split_once(".outputs.attempt"));
        gates.fold(run, |run, (by, _)| run.told(by, "attempt", "1"))
    }

    fn pushed(&self, job: &str, step: &str) -> Run {
        self.step("main", job, step).event("push")
    }

    fn reviewed(&self, workflow: &str, job: &str, step: &str) -> Run {
        self.step(workflow, job, step).event("pull_request")
    }
}

/// The step fails, and says why.
#[track_caller]
fn fails(run: Run, says: &str) {
    ends(run, "failure", says);
}

#[track_caller]
fn succeeds(run: Run, says: &str) {
    ends(run, "success", says);
}

#[track_caller]
fn ends(run: Run, outcome: &str, says: &str) {
    let Some(ran) = run.run() else { return };
    for (id, step) in run.alone.unwrap().steps {
        let job = ran.job(&id);
        assert_eq!(job.step(&step).outcome, outcome, "{id}: {step}\n{}", job.log());
        job.says(says);
    }
}

/// What only a failure makes due, or a run that is started again, in every job that has it; and what tells of it.
const SELDOM_DUE: [&str; 13] = [
    RECOVER,
    "Say who holds the lock",
    "Say why there is no image",
    "Say why there is nothing",
    "See that the approval is of this attempt",
    "See that the commit is still the newest",
    "See that the environment works",
    "See that the environment works again",
    "Tell on-call",
    "Tell on-call (2)",
    "Tell ops",
    "Tell team",
    "Tell team (2)",
];

/// No failure of one job says that another has the step for it: they are all executed. Nobody holds a lock, nothing is left
/// to save, no commit is newer, and whoever is told of it answers.
#[track_caller]
fn seldom_due(example: &str) {
    let Some(aws) = Aws::start() else { return };
    let Some(checkout) = Checkout::of(example, "a-stack", ".") else { return };
    for number in ["210987654321", "905418046272"] {
        if checkout.repo.read("pyfleet.yml").contains(number) {
            checkout.repo.replace("pyfleet.yml", number, ACCOUNT);
            checkout.repo.run(["render"]).exits(0);
        }
    }
    aws.cli(&["s3api", "create-bucket", "--bucket", "a-bucket"]);
    let table = ["dynamodb", "create-table", "--table-name", "a-table", "--billing-mode", "PAY_PER_REQUEST"];
    let key = ["--attribute-definitions", "AttributeName=LockID,AttributeType=S", "--key-schema"];
    aws.cli(&[&table[..], &key, &["AttributeName=LockID,KeyType=HASH"]].concat());

    let example = bodies::example_in(&checkout.repo.path(".")).unwrap();
    let mut due: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for ((workflow, job, _), body) in &example.bodies {
        if SELDOM_DUE.contains(&body.step.as_str()) {
            due.entry(workflow).or_default().push((job, body.step.trim_end_matches(" (2)")));
        }
    }
    for (workflow, steps) in due {
        let name = workflow.strip_prefix(".github/workflows/").unwrap().strip_suffix(".yml").unwrap();
        let mut run = checkout.workflow(name).event("workflow_dispatch").real("aws").with(&aws);
        if checkout.repo.read(workflow).contains("\n      confirm:\n") {
            run = run.inputs([("confirm", "what it says")]);
        }
        let run = aws.environment().iter().fold(run, |run, (name, value)| run.env(name, value));
        let run = run.secret("SLACK_WEBHOOK", "https://hooks.example.com/1");
        let run = run.secret("TEAMS_WEBHOOK", "https://hooks.example.com/2");
        let run = run.tool("gh", GH).tool("curl", &CURL.replace("STATUS", "200"));
        succeeds(steps.into_iter().fold(run, |run, (job, step)| run.alone(job, step)), "");
    }
}

/// Terraform by hand, on a push, by the clock and in pull requests.
#[test]
fn of_pyfleet() {
    let _story = story!(of_pyfleet);
    let Some(checkout) = Checkout::of("pyfleet", "network", "infra/network") else { return };
    let tf = |job: &str, step: &str| {
        let inputs = [("environment", "prod"), ("stack", "network"), ("action", "apply")];
        checkout.step("tf", job, step).inputs(inputs)
    };
    let check = |step: &str| checkout.step("check-state", "check-prod", step);
    let review = |job: &str, step: &str| checkout.reviewed("terraform", job, step);
    let terraform = |run: Run| run.tool("terraform", BROKEN);

    fails(check("Check state, lock and backend"), "AccessDenied");
    fails(terraform(check("Initialise")), "it is broken");
    fails(terraform(check("Read the live colour")), "it is broken");
    fails(terraform(tf("plan-prod", "plan")), "it is broken");
    fails(tf("create-backend-prod", "backend"), "AccessDenied");
    let result = checkout.step("tf-auto", "plan-prod-1", "Say what the plan is");
    fails(result.told("plan", "counts", "many"), "many");
    fails(tf("plan-prod", "Hand the plan over").before(": >\"$PLAN_FILE\""), "AccessDenied");
    let record = "case $* in *version*) echo '{\"terraform_version\": \"1.11.4\"}' ;; *) echo '{\"version\": 4, \"resources\": [], \"outputs\": {}}' ;; esac";
    fails(tf("apply-prod", "Record it").tool("terraform", record), "AccessDenied");
    for step in ["apply", "revert"] {
        fails(terraform(tf("apply-prod", step)).before(": >\"$RUNNER_TEMP/mask.sed\""), "it is broken");
    }
    let stale = tf("apply-prod", "See that the approval is of this attempt");
    fails(stale.told("approve-apply-prod", "attempt", "0"), "start a new run");

    // What an apply could not write is nowhere but here.
    succeeds(tf("apply-prod", RECOVER), "there is no state to save");
    let left = "echo '{\"version\": 4}' >\"$STACK_DIRECTORY/errored.tfstate\"";
    fails(terraform(tf("apply-prod", RECOVER)).before(left), "errored.tfstate");
    let taken = "mkdir -p \"$RESULT_DIR/result.json\"";
    let drift = checkout.step("tf-drift", "detect-prod", "Look for drift");
    fails(terraform(drift).before(taken), "the result cannot be written");
    let probe = checkout.step("test-oidc", "reads-prod", "Show the token, and which roles it opens");
    let probe = probe.env("ACTIONS_ID_TOKEN_REQUEST_URL", "https://token.example.com/?a=b");
    fails(
        probe.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "a-token").tool("curl", BROKEN),
        "::error::GitHub gives no token",
    );

    // In pull requests.
    fails(review("plan-dev", "Say what is planned").before(": >\"$PLAN_DIR\""), "File exists");
    let nothing = "mkdir -p \"$RESULTS_DIR\"";
    fails(review("comment", "Compose the comments").before(nothing), "there is no plan result to comment on");
    fails(
        review("comment", "Compose the comments on cost").before(nothing),
        "there is no cost result to comment on",
    );
    let comment = "mkdir -p \"$COMMENTS_DIR\"; echo '<!-- pyfleet:plan -->' >\"$COMMENTS_DIR/a.md\"";
    fails(review("comment", "Post it").before(comment).tool("gh", BROKEN), "it is broken");
    let cost = review("cost", "Estimate the cost").secret("INFRACOST_API_KEY", "ico-hush-hush");
    let much = INFRACOST.replace("total=65", "total=650");
    fails(cost.tool("infracost", &much), "may grow by 100");
    let wrong = "echo '{' >>\"$STACK_DIRECTORY/main.tf\"";
    for step in ["Initialise without a backend", "Validate", "Run the stack's own tests"] {
        fails(review("static", step).before(wrong), "Argument or block definition required");
    }
    seldom_due("pyfleet");
}

/// A service that people deploy.
#[test]
fn of_sandbox_broker() {
    let _story = story!(of_sandbox_broker);
    let Some(checkout) = Checkout::of("sandbox-broker", "sandbox-broker", "terraform") else { return };
    let digest = format!("sha256:{}", "0".repeat(64));
    let deploy = |job: &str, step: &str| {
        let run = checkout.step("deploy", job, step);
        ["build-production-api", "push-production-api"]
            .iter()
            .fold(run, |run, by| run.told(by, "digest", &digest))
            .inputs([("environment", "production"), ("confirm", "DEPLOY")])
    };
    let build = |step: &str| checkout.step("build", "build-api", step).event("push");

    let wrong = "echo 'def test_wrong(): assert False' | tee tests/unit/test_wrong.py >tests/integration/test_wrong_too.py";
    for suite in ["unit", "integration"] {
        fails(deploy(&format!("test-api-{suite}"), "suite").before(wrong), "test_wrong");
    }
    fails(deploy("test-api-unit", "Install").tool("pip", BROKEN), "it is broken");
    fails(deploy("lookup-production-api", "lookup").told("guard", "version", "1.0.0"), "AccessDenied");
    let load = deploy("build-production-api", "Load what was built");
    fails(load.tool("skopeo", BROKEN).tool("docker", "exit 0"), "it is broken");
    let check = build("Check the image").told("clock", "started-at", "1767729600");
    fails(check.tool("docker", &STAND_IN.replace("104857600", "600000000")), "::error::");
    fails(build("Save the image").tool("docker", BROKEN), "it is broken");
    if let Some(docker) = Docker::of_this_run() {
        docker.load(&Layout::plain("to be saved"), "api:build");
    }
    succeeds(build("Save the image").docker(), "");
    let archive = "echo 'no archive' >\"$RUNNER_TEMP/image.tar\"";
    fails(deploy("scan-production-api", "Unpack the image").before(archive), "::error::");
    succeeds(deploy("push-production-api", "Say why there is no image"), "start a new run");
    let push = deploy("push-production-api", "push").before(archive).told("guard", "version", "1.0.0");
    fails(push.tool("skopeo", BROKEN), "AccessDenied");
    fails(deploy("deploy-production-api", "deploy"), "AccessDenied");
    let back = deploy("deploy-production-api", "rollback").told("deploy", "previous", "1");
    fails(back.told("deploy", "revision", "2"), "AccessDenied");
    let compose = checkout.reviewed("test", "comment", "Compose the comment");
    fails(compose.before("mkdir -p \"$RESULTS_DIR\""), "::error::");
    seldom_due("sandbox-broker");
}

/// A pipeline to Kubernetes.
#[test]
fn of_inventory_manager() {
    let _story = story!(of_inventory_manager);
    let Some(checkout) = Checkout::of("inventory-manager", "inventory-manager", "infra") else { return };

    let wrong = "echo 'def test_wrong(): assert False' >tests/test_wrong.py";
    fails(checkout.pushed("test-app-unit", "suite").before(wrong), "test_wrong");
    for (step, tool) in [("Install the tools", "pip"), ("Look for vulnerable dependencies", "pip-audit")] {
        fails(checkout.pushed("security-app", step).tool(tool, BROKEN), "it is broken");
    }
    for tool in ["bandit", "flake8"] {
        let Some(_) = tool::find(tool) else { return };
    }
    let asks = "printf 'import os\\n\\n\\ndef ask():\\n    return eval(input())\\n' >ask.py";
    for (step, says) in [("Look for errors", "F401"), ("Look for insecure code", "B307")] {
        fails(checkout.pushed("security-app", step).before(asks), says);
    }
    let newest = checkout.pushed("newest-production", "Compare the commit with the newest of its branch");
    fails(newest.tool("gh", BROKEN), "it is broken");
    succeeds(checkout.pushed("push-production-app", "Say why there is no image"), "start a new run");
    fails(checkout.pushed("apply-production-1", "Take the plan"), "AccessDenied");
    fails(checkout.pushed("apply-production-1", "apply").tool("terraform", BROKEN), "it is broken");
    succeeds(checkout.pushed("apply-production-1", RECOVER), "there is no state to save");
    let connect = checkout.pushed("deploy-production-inventory-manager", "Connect kubectl with the cluster");
    fails(connect, "AccessDenied");

    let list = checkout.step("rollback", "list-eks-production", "List what can be gone back to");
    let list =
        list.inputs([("environment", "production"), ("what", "eks/inventory-manager"), ("target", "list")]);
    let connected = "mkdir -p \"$EKS_DIRECTORY\"; ln -s \"$(command -v kubectl)\" \"$EKS_DIRECTORY/kubectl\"; : >\"$EKS_DIRECTORY/kubeconfig\"";
    fails(list.before(connected).tool("kubectl", BROKEN), "it is broken");
    let measure = checkout.step("metrics", "measure", "Measure the deliveries");
    fails(measure.clone().tool("gh", BROKEN), "nothing is measured");
    succeeds(measure.tool("gh", "echo '{\"workflow_runs\": []}'"), "");
    seldom_due("inventory-manager");
}

/// An image, and machines.
#[test]
fn of_golden_image() {
    let _story = story!(of_golden_image);
    let Some(checkout) = Checkout::of("golden-image", "machines", "infrastructure") else { return };

    let asked = checkout.step("main", "guard", "guard");
    let asked = asked.inputs([("rebuild_image", "true"), ("template_id", "9001")]);
    fails(asked, "::error::");
    fails(checkout.pushed("packer-build", "Set up Packer").tool("curl", BROKEN), "::error::");
    fails(
        checkout.pushed("packer-build", "Install the template's plugins").tool("packer", BROKEN),
        "it is broken",
    );
    let validate = checkout.pushed("packer-validate", "Check the template");
    fails(validate.tool("packer", "[[ $1 != fmt ]] || exit 3"), "::error::");
    fails(checkout.pushed("ansible-check", "Set up Ansible").tool("python3", BROKEN), "::error::");
    let wrong = "echo '- tasks: none' >>ansible/playbooks/post-deploy.yml";
    fails(checkout.pushed("ansible-check", "Check the playbook").before(wrong), "::error::");
    fails(
        checkout.pushed("configure-staging", "Find the machines").tool("terraform", BROKEN),
        "it is broken",
    );
    fails(checkout.pushed("smoke-command-staging", "Run the command"), "SSH does not answer");
    let works = checkout.pushed("image-works-staging", "Record that the image works here");
    fails(works.told("image-staging", "image_id", "9001"), "AccessDenied");
    succeeds(checkout.pushed("apply-staging-1", RECOVER), "there is no state to save");
    let measure = checkout.step("metrics", "measure", "Measure the deliveries");
    succeeds(measure.tool("gh", "echo '{\"workflow_runs\": []}'"), "");
    seldom_due("golden-image");
}

/// Two images, and a stack that a program writes.
#[test]
fn of_experience_showcase() {
    let _story = story!(of_experience_showcase);
    let Some(checkout) = Checkout::of("experience-showcase", "showcase", "infra") else { return };

    let forgotten = "rm -f package-lock.json infra/package-lock.json";
    succeeds(checkout.pushed("test-backend-unit", "suite"), "pass");
    fails(checkout.pushed("test-backend-unit", "Install").before(forgotten), "npm ci");
    fails(checkout.pushed("security-backend", "Lint").tool("npx", BROKEN), "it is broken");
    let recorded = checkout.step("tf-drift", "recorded-production", "recorded");
    let taken = "mkdir -p \"$RESULTS_DIR/showcase/result.json\"";
    fails(recorded.before(taken), "Is a directory");
    let program = checkout.pushed("synth-production", "Install what the lock file says");
    fails(program.before(forgotten), "npm ci");
    succeeds(checkout.pushed("plan-production-1", "Say why there is nothing"), "start a new run");
    let digest = format!("sha256:{}", "0".repeat(64));
    let plan = checkout.pushed("plan-production-1", "See that the plan has the images");
    let plan =
        ["build-backend", "build-prometheus"].iter().fold(plan, |run, by| run.told(by, "digest", &digest));
    let planned = "mkdir -p \"$STACK_DIRECTORY\"; : >\"$PLAN_FILE\"";
    fails(plan.before(planned).tool("terraform", BROKEN), "it is broken");
    let planned =
        json!({ "class": "changes", "counts": {}, "plan_key": "a", "plan_sha256": "b" }).to_string();
    let decide =
        checkout.pushed("decide-production-1", "decide").told("plan-production-1", "showcase", &planned);
    fails(decide.tool("gh", BROKEN), "::error::");
    succeeds(checkout.pushed("push-production-backend", "Say why there is no image"), "start a new run");
    succeeds(checkout.pushed("apply-production-1", RECOVER), "there is no state to save");
    seldom_due("experience-showcase");
}
