//! The rendered workflows of `examples/experience-showcase`, executed: a commit is tested, becomes two images, and a stack
//! that CDKTF synthesises brings both to Amazon ECS.

use std::cell::Cell;
use std::fs;
use std::path::PathBuf;
use std::rc::Rc;

use pyfleet_core::oidc;
use pyfleet_core::source::Source;
use pyfleet_gen::project_file;
use serde_json::{Value as Json, json};

use super::{Ran, Run, action, git};
use crate::aws::{ACCOUNT, Aws, Rollout};
use crate::bodies::story;
use crate::executed::drift_report::{GH as ISSUES, issues};
use crate::executed::image_layout::Layout;
use crate::images::Registry;
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
    registry: Registry,
    repo: Repo,
    runs: Cell<u64>,
    /// How many images were built: no two are alike.
    built: Rc<Cell<u64>>,
}

impl Production {
    fn new() -> Option<Self> {
        Self::of(|_| ())
    }

    /// Of the example after a change.
    fn of(change: impl Fn(&Repo)) -> Option<Self> {
        for tool in ["jq", "node", "terraform", "cdktf"] {
            tool::find(tool)?;
        }
        let aws = Aws::start()?;
        let registry = Registry::of_ecr(&aws)?;
        let repo = Repo::new();
        let root = repo.path(".");
        action::copy_into(&tool::repository().join("examples/experience-showcase"), &root);
        // The emulator has one account and one region, and tokens hold one id.
        for file in ["pyfleet.yml", "infra/main.js"] {
            repo.replace(file, "210987654321", ACCOUNT);
            repo.replace(file, "eu-central-1", "us-east-1");
        }
        repo.replace("pyfleet.yml", "884210337", "2001");
        change(&repo);
        repo.run(["render"]).exits(0);
        git(&root, &["init", "--quiet", "--initial-branch=main"]);
        for (key, value) in [("user.name", "octocat"), ("user.email", "octocat@example.com")] {
            git(&root, &["config", key, value]);
        }
        let production = Self { aws, registry, repo, runs: Cell::new(0), built: Rc::new(Cell::new(0)) };
        production.commit();
        production.make();
        Some(production)
    }

    fn commit(&self) {
        let root = self.repo.path(".");
        git(&root, &["add", "--all"]);
        git(&root, &["commit", "--quiet", "--allow-empty", "--message", "A commit"]);
    }

    /// The registries, and the services at their first revisions. And every role of the plan. The bucket of the state
    /// the first run makes.
    fn make(&self) {
        let aws = &self.aws;
        aws.cli(&["ecs", "create-cluster", "--cluster-name", CLUSTER]);
        let breaker = r#"{"deploymentCircuitBreaker": {"enable": true, "rollback": true}}"#;
        for service in SERVICES {
            if !self.repo.read("pyfleet.yml").contains("create-repository") {
                let repository = format!("experience-showcase/{service}");
                let immutable = ["--image-tag-mutability", "IMMUTABLE"];
                aws.cli(
                    &[&["ecr", "create-repository", "--repository-name", &repository], &immutable[..]]
                        .concat(),
                );
            }
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
        self.push_while(GH)
    }

    /// A run, while GitHub's API answers otherwise.
    fn push_while(&self, gh: &str) -> Ran {
        let built = Rc::clone(&self.built);
        let terraform = tool::find("terraform").unwrap();
        self.of_workflow("main")
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
            .docker()
            .around("skopeo", self.registry.skopeo())
            .tool("gh", gh)
            .around("terraform", &TERRAFORM.replace("REAL", terraform.path().to_str().unwrap()))
            .run()
            .unwrap()
    }

    fn issues(&self) -> PathBuf {
        self.repo.path("../issues.json")
    }

    /// The clock starts it.
    fn look_for_drift(&self) -> Ran {
        let own = ISSUES.replace("acme/pyfleet", "acme/experience-showcase");
        let gh = format!("ISSUES='{}'\n{own}", self.issues().display());
        self.of_workflow("tf-drift").event("schedule").tool("gh", &gh).run().unwrap()
    }

    /// A run of a workflow, where npm has what the program's lock file pins.
    fn of_workflow(&self, name: &str) -> Run {
        self.runs.set(self.runs.get() + 1);
        let cdktf = tool::find("cdktf").unwrap();
        let modules = cdktf.path().parent().unwrap().parent().unwrap();
        Run::of(&format!(".github/workflows/{name}.yml"), self.repo.path("."))
            .numbered(self.runs.get())
            .repository("acme/experience-showcase")
            .identified_by(&self.aws)
            .tool("npm", &NPM.replace("MODULES", modules.to_str().unwrap()))
            .tool("npx", NPX)
            .env("WAIT_INTERVAL", "1")
    }

    /// Edits an object of the bucket behind everybody's back.
    fn edit(&self, key: &str, edit: impl Fn(&mut Json)) {
        let bucket = format!("experience-showcase-tfstate-{ACCOUNT}");
        let (file, object) = (self.repo.path("../edited"), ["--bucket", &bucket, "--key", key]);
        let path = file.to_str().unwrap();
        self.aws.cli(&[&["s3api", "get-object"], &object[..], &[path]].concat());
        let mut value: Json = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        edit(&mut value);
        fs::write(&file, value.to_string()).unwrap();
        self.aws.cli(&[&["s3api", "put-object"], &object[..], &["--body", path]].concat());
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
    let _story = story!(a_commit_whose_tests_fail_is_not_built);
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
    let _story = story!(a_program_that_forgets_an_image_changes_nothing);
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
    let _story = story!(the_life_of_a_stack_that_deploys_its_services);
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

/// Planned and applied in one go, with repositories that the first push makes.
fn in_one_go(repo: &Repo) {
    let direct =
        "infra/locks, apply: { direct: { reason: what reaches main was reviewed there as a program } } }";
    repo.replace("pyfleet.yml", "infra/locks }", direct);
    repo.replace("pyfleet.yml", "  stacks:\n", "  protected: [terraform_data.prometheus]\n  stacks:\n");
    repo.replace("pyfleet.yml", "aws: { ecr: {} }", "aws: { ecr: { create-repository: true } }");
}

#[test]
fn the_life_of_a_stack_that_is_applied_in_one_go() {
    let _story = story!(the_life_of_a_stack_that_is_applied_in_one_go);
    let Some(production) = Production::of(in_one_go) else { return };
    let rendered = production.repo.read(".github/workflows/main.yml");
    assert!(
        rendered.contains(
            "# The stack `showcase` is planned and applied in one go: no plan of it is looked at, and none is kept. \
             Because:\n# what reaches main was reviewed there as a program\n"
        ),
        "{rendered}"
    );
    assert!(rendered.contains("# CDKTF, which synthesises stacks here, is archived"), "{rendered}");

    // One job plans and applies, with the digests that are pushed, and the deployments become live.
    let ran = production.push();
    for job in [
        "create-backend-production",
        "synth-production",
        "push-production-backend",
        "direct-production-1",
        "await-production-backend",
        "await-production-prometheus",
    ] {
        ran.job(job).succeeded();
    }
    assert_eq!(ran.conclusion(), "success");
    assert_eq!(
        ran.job("direct-production-1").of("stack", "showcase").group.as_deref(),
        Some("mutate-production-showcase")
    );
    ran.job("direct-production-1")
        .says("the plan has the digests of IMAGE_BACKEND, IMAGE_PROMETHEUS")
        .says("recorded the apply of production/showcase");
    for service in SERVICES {
        ran.job(&format!("push-production-{service}")).says("was missing, and was made in account");
        assert_eq!(production.live(service), (2, image(&ran, service)));
    }
    // No plan is handed over, and nobody may.
    let calls = production.aws.calls();
    assert!(calls.iter().all(|call| call.status != 403), "{calls:?}");
    let bucket = format!("experience-showcase-tfstate-{ACCOUNT}");
    let objects = production.aws.cli(&["s3api", "list-objects-v2", "--bucket", &bucket]).to_string();
    assert!(objects.contains("_pyfleet/applied/production/showcase.json"), "{objects}");
    assert!(!objects.contains("_plans/") && !rendered.contains("handoff"), "{objects}");

    // The same commit again: nothing to do.
    let ran = production.push();
    ran.job("direct-production-1").succeeded();
    assert_eq!(ran.job("direct-production-1").of("stack", "showcase").step("apply").outcome, "skipped");
    let first = image(&ran, "backend");
    assert_eq!((ran.conclusion(), production.live("backend")), ("success", (2, first.clone())));

    // Overtaken while it waited for its turn: a plan of now would undo what the newer run has done.
    production.commit();
    let overtaken = format!("[[ -z ${{TF_COMMAND:-}} ]] || GITHUB_SHA=${{GITHUB_SHA//[0-9]/a}}\n{GH}");
    let ran = production.push_while(&overtaken);
    ran.job("newest-production").succeeded();
    ran.job("direct-production-1").failed().says("has a newer commit since this run began");
    ran.job("await-production-backend").skipped();
    assert_eq!((ran.conclusion(), production.live("backend")), ("failure", (2, first.clone())));

    // An image that the program mentions and does not use.
    production.repo.replace(
        "infra/main.js",
        "        image,\n",
        "        image: image.replace(/@.*/, \":latest\"),\n",
    );
    production.repo.replace(
        "infra/main.js",
        "      // What a task definition",
        "      this.addOverride(`locals.${service}`, image);\n      // What a task definition",
    );
    production.commit();
    let ran = production.push();
    ran.job("synth-production").succeeded();
    ran.job("direct-production-1")
        .failed()
        .says("the plan of production/showcase is refused: it does not have");
    assert_eq!((ran.conclusion(), production.live("backend")), ("failure", (2, first)));

    // What is protected stays, although nobody looks.
    git(&production.repo.path("."), &["checkout", "--quiet", "HEAD~1", "--", "infra"]);
    production.repo.replace(
        "infra/main.js",
        "`resource.terraform_data.${service}`",
        "`resource.terraform_data.new-${service}`",
    );
    production.commit();
    let ran = production.push();
    ran.job("direct-production-1").failed().says("terraform_data.prometheus is protected");
    assert_eq!(ran.conclusion(), "failure");
    assert_eq!(production.live("prometheus").0, 2);
}

#[test]
fn drift_is_told_by_the_images_of_the_last_apply() {
    let _story = story!(drift_is_told_by_the_images_of_the_last_apply);
    const RECORD: &str = "_pyfleet/applied/production/showcase.json";
    let Some(production) = Production::new() else { return };

    // There is no backend: nothing was ever applied.
    let ran = production.look_for_drift();
    for job in ["recorded-production", "report"] {
        ran.job(job).succeeded();
    }
    ran.job("synth-production").skipped();
    ran.job("report").says("::notice::production/showcase: no-backend");

    // Applied, and compared with what it was applied with: a newer commit has no images, and needs none.
    let applied = production.push();
    assert_eq!(applied.conclusion(), "success");
    production.commit();
    production.aws.forget_calls();
    let ran = production.look_for_drift();
    let image = image(&applied, "backend");
    ran.job("recorded-production").succeeded().says(&format!("IMAGE_BACKEND {image}"));
    assert_eq!(ran.job("synth-production").succeeded().environment(), None);
    ran.job("detect-synthesised-production").succeeded();
    ran.job("report").succeeded().says("production/showcase: clean");
    let calls = production.aws.calls();
    assert!(!calls.is_empty() && calls.iter().all(|call| call.status != 403), "{calls:?}");
    let reads = |principal: &str| principal.contains("-production-plan/");
    assert!(calls.iter().all(|call| call.action.starts_with("sts:") || reads(&call.principal)), "{calls:?}");
    assert_eq!((issues(&production.issues()), production.built.get()), (Vec::new(), 2));
    let ran = production.of_workflow("check-state").event("schedule").run().unwrap();
    ran.job("check-production").succeeded();

    // Somebody edits the state: one issue, and the run is red.
    production.edit("production/showcase.tfstate", |state| {
        let resources = state["resources"].as_array_mut().unwrap();
        let backend = resources.iter_mut().find(|resource| resource["name"] == "backend").unwrap();
        backend["instances"][0]["attributes"]["input"]["value"]["cluster"] = json!("by hand");
    });
    let ran = production.look_for_drift();
    ran.job("detect-synthesised-production").succeeded();
    ran.job("report").failed().says("::error::production/showcase: drift");
    let found = issues(&production.issues());
    assert_eq!((found.len(), found[0]["title"].as_str()), (1, Some("Drift: showcase in production")));

    // A commit that touches the program is not an apply: until then it may be meant.
    production.repo.append("infra/main.js", "// A note.\n");
    production.commit();
    let ran = production.look_for_drift();
    ran.job("report").succeeded().says("::warning::production/showcase: pending");

    // A program that cannot be synthesised is an error, and closes nothing.
    production.repo.append("infra/main.js", "throw new Error(\"broken\");\n");
    production.commit();
    let ran = production.look_for_drift();
    ran.job("synth-production").failed().says("cdktf synth failed for production/showcase");
    ran.job("detect-synthesised-production").failed();
    ran.job("report").failed().says("its job left no result");
    assert_eq!(issues(&production.issues())[0]["state"], "open");

    // Applied by something else than pyfleet, or by one that wrote no images down: said so, and no error.
    production.edit(RECORD, |record| record["images"] = json!({}));
    let ran = production.look_for_drift();
    ran.job("synth-production").skipped();
    ran.job("report").succeeded().says("it was applied without IMAGE_BACKEND, IMAGE_PROMETHEUS");
    let bucket = format!("experience-showcase-tfstate-{ACCOUNT}");
    production.aws.cli(&["s3api", "delete-object", "--bucket", &bucket, "--key", RECORD]);
    let ran = production.look_for_drift();
    ran.job("report").succeeded().says("nothing is on record as applied yet");
}
