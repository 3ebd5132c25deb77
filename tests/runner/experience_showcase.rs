//! The rendered workflows of `examples/experience-showcase`, executed: a commit is tested, becomes two images, and a stack
//! that CDKTF synthesises brings both to Amazon ECS.

use std::cell::Cell;
use std::rc::Rc;

use pyfleet_core::oidc;
use pyfleet_core::source::Source;
use pyfleet_gen::project_file;
use serde_json::{Value as Json, json};

use super::sandbox_broker::DOCKER;
use super::{Ran, Run, action, git};
use crate::aws::{ACCOUNT, Aws, Rollout, SKOPEO};
use crate::executed::image_layout::Layout;
use crate::executed::script::Script;
use crate::repo::Repo;
use crate::tool;

const SERVICES: [&str; 2] = ["backend", "prometheus"];
const CLUSTER: &str = "experience-showcase";

/// GitHub's API, for the newest commit, and how long jobs took.
const GH: &str = r#"
case "$*" in
  *'/approvals') echo '[]' ;;
  *'/jobs') echo '{"total_count": 0, "jobs": []}' ;;
  *'/git/ref/heads/main --jq .object.sha') printf '%s\n' "$GITHUB_SHA" ;;
  *) echo "unexpected: $*" >&2; exit 9 ;;
esac
"#;

/// npm without a network: what the program's lock file pins is there already.
const NPM: &str = r#"
case "$1" in
  ci) if [[ ${2:-} == --prefix ]]; then ln -s 'MODULES' "$3/node_modules"; fi ;;
  test) exec node --test ;;
  audit) echo '{"auditReportVersion": 2, "vulnerabilities": {}}' ;;
  *) echo "unexpected: $*" >&2; exit 9 ;;
esac
"#;

/// The ESLint that the lock file pins, which finds nothing.
const NPX: &str = r#"
[[ "$1 $2" == '--no-install eslint' ]] || { echo "unexpected: $*" >&2; exit 9; }
[[ $3 == --version ]] || echo '[]' >"$6"
"#;

/// Terraform, and behind an apply what the provider of AWS would have done with each definition that has changed.
const TERRAFORM: &str = r#"
case " $* " in *' apply '*) ;; *) exec 'REAL' "$@" ;; esac
changed=$('REAL' "$1" show -json "${*: -1}" | jq -c '.resource_changes[] | select(.change.actions != ["no-op"]) | .change.after.input')
'REAL' "$@" || exit
while read -r input; do
  revision=$(aws ecs register-task-definition --cli-input-json "$(jq -r .definition <<<"$input")" \
    --query taskDefinition.taskDefinitionArn --output text) || exit
  aws ecs update-service --cluster "$(jq -r .cluster <<<"$input")" --service "$(jq -r .service <<<"$input")" \
    --task-definition "$revision" >/dev/null || exit
done <<<"$changed"
"#;

/// The showcase in production, on an AWS that has the roles, trust policies and permissions that `oidc` derives.
struct Production {
    aws: Aws,
    repo: Repo,
    runs: Cell<u64>,
    /// How many images were built: no two are alike.
    built: Rc<Cell<u64>>,
}

impl Production {
    fn new() -> Option<Self> {
        for tool in ["jq", "node", "terraform", "cdktf"] {
            tool::find(tool)?;
        }
        let aws = Aws::start()?;
        let repo = Repo::new();
        let root = repo.path(".");
        action::copy_into(&tool::repository().join("examples/experience-showcase"), &root);
        // The emulator has one account and one region, and tokens hold one id.
        for file in ["pyfleet.yml", "infra/main.js"] {
            repo.replace(file, "210987654321", ACCOUNT);
            repo.replace(file, "eu-central-1", "us-east-1");
        }
        repo.replace("pyfleet.yml", "884210337", "2001");
        repo.run(["render"]).exits(0);
        git(&root, &["init", "--quiet", "--initial-branch=main"]);
        for (key, value) in [("user.name", "octocat"), ("user.email", "octocat@example.com")] {
            git(&root, &["config", key, value]);
        }
        let production = Self { aws, repo, runs: Cell::new(0), built: Rc::new(Cell::new(0)) };
        production.commit();
        production.make();
        Some(production)
    }

    fn commit(&self) {
        let root = self.repo.path(".");
        git(&root, &["add", "--all"]);
        git(&root, &["commit", "--quiet", "--allow-empty", "--message", "A commit"]);
    }

    /// The bucket of the state, the registries, and the services at their first revisions. And every role of the plan.
    fn make(&self) {
        let aws = &self.aws;
        let backend = Script::new("create-backend.sh")
            .env("TF_STATE_BUCKET", format!("experience-showcase-tfstate-{ACCOUNT}"))
            .env("TF_LOCK_MODE", "s3")
            .env("EXPECTED_ACCOUNT_ID", ACCOUNT);
        aws.lend(backend).run().exits(0);
        aws.cli(&["ecs", "create-cluster", "--cluster-name", CLUSTER]);
        let breaker = r#"{"deploymentCircuitBreaker": {"enable": true, "rollback": true}}"#;
        for service in SERVICES {
            let repository = format!("experience-showcase/{service}");
            let immutable = ["--image-tag-mutability", "IMMUTABLE"];
            aws.cli(
                &[&["ecr", "create-repository", "--repository-name", &repository], &immutable[..]].concat(),
            );
            let containers =
                json!([{"name": service, "image": "scratch:nothing", "memory": 256}]).to_string();
            let definition = ["--family", service, "--container-definitions", &containers];
            aws.cli(&[&["ecs", "register-task-definition"], &definition[..]].concat());
            let own = ["--cluster", CLUSTER, "--service-name", service, "--task-definition", service];
            let settings = ["--desired-count", "1", "--deployment-configuration", breaker];
            aws.cli(&[&["ecs", "create-service"], &own[..], &settings[..]].concat());
        }
        let loaded = project_file::load(Source::new("pyfleet.yml", self.repo.read("pyfleet.yml")));
        let (project, plan) = loaded.planned.unwrap();
        aws.trust_github();
        for role in oidc::setup(&project, &plan).roles {
            aws.role_of_documents(&role.name.unwrap(), &json!(role.trust), &json!(role.permissions));
        }
        aws.enforce();
        aws.forget_calls();
    }

    /// A run of what is on main.
    fn push(&self) -> Ran {
        self.runs.set(self.runs.get() + 1);
        let built = Rc::clone(&self.built);
        let cdktf = tool::find("cdktf").unwrap();
        let modules = cdktf.path().parent().unwrap().parent().unwrap();
        let terraform = tool::find("terraform").unwrap();
        Run::of(".github/workflows/main.yml", self.repo.path("."))
            .numbered(self.runs.get())
            .repository("acme/experience-showcase")
            .identified_by(&self.aws)
            .action("docker/setup-buildx-action", |_| Ok(()))
            .action("docker/build-push-action", move |action| {
                built.set(built.get() + 1);
                let archive =
                    action.input("outputs").and_then(|text| text.strip_prefix("type=oci,dest=")).unwrap();
                let layout = Layout::plain(&format!("build {}", built.get()));
                layout.archive(archive.as_ref(), |_| ());
                action.output("digest", &layout.digest);
                Ok(())
            })
            .tool("docker", DOCKER)
            .tool("skopeo", &format!("[[ \"$1 $2\" != 'copy --quiet' ]] || exit 0\n{SKOPEO}"))
            .tool("gh", GH)
            .tool("npm", &NPM.replace("MODULES", modules.to_str().unwrap()))
            .tool("npx", NPX)
            .tool("terraform", &TERRAFORM.replace("REAL", terraform.path().to_str().unwrap()))
            .env("WAIT_INTERVAL", "1")
            .run()
            .unwrap()
    }

    /// The revision that a service is at, and its image.
    fn live(&self, service: &str) -> (u64, String) {
        let described =
            self.aws.cli(&["ecs", "describe-services", "--cluster", CLUSTER, "--services", service]);
        let deployments = described["services"][0]["deployments"].as_array().unwrap();
        let primary = deployments.iter().find(|own| own["status"] == "PRIMARY").unwrap();
        let definition = primary["taskDefinition"].as_str().unwrap();
        let revision = self.aws.cli(&["ecs", "describe-task-definition", "--task-definition", definition]);
        let image = &revision["taskDefinition"]["containerDefinitions"][0]["image"];
        (definition.rsplit(':').next().unwrap().parse().unwrap(), image.as_str().unwrap().to_owned())
    }
}

fn image(ran: &Ran, service: &str) -> String {
    let digest = ran.job(&format!("push-production-{service}")).output("digest");
    format!("{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/experience-showcase/{service}@{digest}")
}

#[test]
fn a_commit_whose_tests_fail_is_not_built() {
    let Some(production) = Production::new() else { return };
    production.repo.append("backend/test/visits.test.js", "\ntest(\"wrong\", () => assert.fail());\n");
    production.commit();
    let ran = production.push();
    ran.job("test-backend-unit").failed();
    for job in ["lookup-production-backend", "build-backend", "synth-production", "push-production-backend"] {
        ran.job(job).skipped();
    }
    assert_eq!((ran.conclusion(), production.built.get()), ("failure", 0));
    assert!(production.aws.calls().is_empty(), "{:?}", production.aws.calls());
}

#[test]
fn a_program_that_forgets_an_image_changes_nothing() {
    let Some(production) = Production::new() else { return };
    production.repo.replace(
        "infra/main.js",
        "prometheus: required(\"IMAGE_PROMETHEUS\")",
        "prometheus: \"prom/prometheus\"",
    );
    production.commit();
    let ran = production.push();
    ran.job("synth-production").failed().says("::error::the program does not use IMAGE_PROMETHEUS");
    for job in
        ["plan-production-1", "push-production-backend", "apply-production-1", "await-production-backend"]
    {
        ran.job(job).skipped();
    }
    assert_eq!(ran.conclusion(), "failure");
    assert!(production.aws.calls().iter().all(|call| call.action != "ecr:PutImage"));
}

#[test]
fn the_life_of_a_stack_that_deploys_its_services() {
    let Some(production) = Production::new() else { return };

    // Tested, built, synthesised without a right, planned, pushed, applied, and live.
    let ran = production.push();
    for job in [
        "test-backend-unit",
        "security-backend",
        "scan-backend",
        "scan-prometheus",
        "synth-production",
        "plan-production-1",
        "push-production-backend",
        "push-production-prometheus",
        "apply-production-1",
        "await-production-backend",
        "await-production-prometheus",
        "summary",
    ] {
        ran.job(job).succeeded();
    }
    assert_eq!(ran.conclusion(), "success");
    assert_eq!(ran.job("synth-production").environment(), None);
    ran.job("plan-production-1").says("the plan has the digests of IMAGE_BACKEND, IMAGE_PROMETHEUS");
    for service in SERVICES {
        assert_eq!(production.live(service), (2, image(&ran, service)));
        let repository = format!("experience-showcase/{service}");
        let images = production.aws.cli(&["ecr", "describe-images", "--repository-name", &repository]);
        let tags: Vec<&str> = images["imageDetails"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|own| own["imageTags"].as_array().unwrap())
            .filter_map(Json::as_str)
            .collect();
        assert!(!tags.is_empty() && !tags.contains(&"latest"), "{tags:?}");
    }
    assert_ne!(production.live("backend").1, production.live("prometheus").1);
    // Each role by its own token, and no more than it needs.
    let calls = production.aws.calls();
    assert!(calls.iter().all(|call| call.status != 403), "{calls:?}");
    let changes = calls.iter().filter(|call| call.action == "ecs:UpdateService");
    assert!(changes.into_iter().all(|call| call.principal.contains("-production-apply/")), "{calls:?}");

    // The same commit again: nothing is built, nothing changes, and both are looked at.
    let ran = production.push();
    ran.job("build-backend").skipped();
    ran.job("apply-production-1").skipped();
    ran.job("await-production-backend").succeeded();
    assert_eq!(ran.conclusion(), "success");
    let first = image(&ran, "backend");
    assert_eq!((production.built.get(), production.live("backend")), (2, (2, first.clone())));

    // An image that does not start: the apply is green, the run is not.
    production.commit();
    production.aws.next_rollout(Rollout::Fails(1));
    let ran = production.push();
    ran.job("apply-production-1").succeeded();
    ran.job("await-production-backend").failed().says("was put back: revision 2 is live");
    ran.job("await-production-prometheus").succeeded();
    assert_eq!((ran.conclusion(), production.live("backend")), ("failure", (2, first)));
    // And it stays red: Terraform takes for done what was put back.
    let ran = production.push();
    ran.job("apply-production-1").skipped();
    ran.job("await-production-backend").failed().says("revision 2 is live");
    assert_eq!(ran.conclusion(), "failure");
}
