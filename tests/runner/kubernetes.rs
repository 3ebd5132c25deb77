//! The rendered workflows of a service on Kubernetes, executed: its life in production, with its image on Docker Hub, or on
//! GitHub's registry and with a way back by itself.

use std::cell::Cell;

use pyfleet_core::oidc;
use pyfleet_core::source::Source;
use pyfleet_core::workflow::{self, Level, Scope as Permission};
use pyfleet_gen::project_file;
use serde_json::json;

use super::{Ran, Run, git};
use crate::aws::{Aws, Kubernetes};
use crate::executed::image_layout::Layout;
use crate::executed::kubernetes::{CONFIG, INGRESS, REDIS, WEB};
use crate::images::Registry;
use crate::repo::Repo;

const MANIFEST: &str = r#"
version: 1
project: shop
safety-level: 4
github: { repository: acme/shop, visibility: private, plan: enterprise, repository-id: 2001 }
aws: { account-id: "123456789012", region: us-east-1 }
environments: { prod: {} }
registries:
  hub: { docker-hub: { username: { secret: DOCKER_USERNAME }, password: { secret: DOCKER_PASSWORD } } }
images: { web: { registry: hub, repository: acme/web, tags: [branch, sha, latest] } }
services:
  web:
    image: web
    health: { url: "https://shop.example.com/health", attempts: 5 }
    eks:
      cluster: shop
      namespace: shop
      configs: [k8s/config.yml]
      secrets: { app: { DB_PASSWORD: { secret: DB_PASSWORD } } }
      databases: [k8s/redis.yml]
      manifests: [k8s/web.yml]
      ingress: [k8s/ingress.yml]
      container: app
workflows: { deploy: {}, rollback: {} }
"#;

const GH: &str = r#"
case "$*" in
  *'/approvals') cat "$STATE/approvals.json" ;;
  *'/jobs') echo '{"total_count": 0, "jobs": []}' ;;
  *) echo "unexpected: $*" >&2; exit 9 ;;
esac
"#;

/// Fetches the pinned kubectl, and is told of a service that it is well.
const CURL: &str = r#"
for word; do [[ $word != https://dl.k8s.io/* ]] || kubectl=yes; done
[[ -n ${kubectl-} ]] || cat >/dev/null
body=/dev/null
while (($#)); do
  [[ $1 != --output ]] || body=$2
  shift
done
if [[ -n ${kubectl-} ]]; then cp 'KUBECTL' "$body"; else : >"$body"; printf '200'; fi
"#;

const SECRETS: [(&str, &str); 3] =
    [("DOCKER_USERNAME", "acme-bot"), ("DOCKER_PASSWORD", "dckr-pat-1234"), ("DB_PASSWORD", "hush-hush")];

struct Production {
    aws: Aws,
    kubernetes: Kubernetes,
    repo: Repo,
    registry: Registry,
    runs: Cell<u64>,
}

/// The same with its image on GitHub's registry, and with a way back that nobody has to ask for.
fn with_its_own_way_back() -> String {
    let hub = "docker-hub: { username: { secret: DOCKER_USERNAME }, password: { secret: DOCKER_PASSWORD } }";
    MANIFEST
        .replace(hub, "ghcr: {}")
        .replace("container: app\n", "container: app\n      auto-rollback: true\n")
}

impl Production {
    fn of(manifest: &str) -> Option<Self> {
        let aws = Aws::start()?;
        let host = if manifest.contains("ghcr: {}") { "ghcr.io" } else { "docker.io" };
        let registry = Registry::start(&aws, host)?;
        let kubernetes = Kubernetes::start(&aws, "shop")?;
        let repo = Repo::new();
        let root = repo.path(".");
        repo.write("pyfleet.yml", manifest);
        repo.write("Dockerfile", "FROM scratch\nUSER 10001\n");
        for (file, text) in [("config", CONFIG), ("redis", REDIS), ("web", WEB), ("ingress", INGRESS)] {
            repo.write(&format!("k8s/{file}.yml"), text);
        }
        repo.run(["render"]).exits(0);
        git(&root, &["init", "--quiet", "--initial-branch=main"]);
        for (key, value) in [("user.name", "octocat"), ("user.email", "octocat@example.com")] {
            git(&root, &["config", key, value]);
        }
        let loaded = project_file::load(Source::new("pyfleet.yml", manifest));
        let (project, plan) = loaded.planned.unwrap();
        let setup = oidc::setup(&project, &plan);
        aws.trust_github();
        for role in &setup.roles {
            aws.role_of_documents(role.name.as_ref().unwrap(), &json!(role.trust), &json!(role.permissions));
        }
        // What the guide has the cluster's administrator do.
        let access: Vec<(&str, &str)> = setup
            .roles
            .iter()
            .flat_map(|role| role.clusters.iter().map(move |access| (role, access)))
            .map(|(role, access)| {
                assert_eq!(
                    (access.cluster.as_str(), access.namespaces.as_slice()),
                    ("shop", &["shop".to_owned()][..])
                );
                let right = if access.policy.ends_with("AmazonEKSEditPolicy") { "edit" } else { "view" };
                (role.name.as_deref().unwrap(), right)
            })
            .collect();
        assert_eq!(access, [("pyfleet-shop-prod-plan", "view"), ("pyfleet-shop-prod-deploy", "edit")]);
        kubernetes.lets_in(&access);
        kubernetes.namespace("shop");
        aws.enforce();
        let production = Self { aws, kubernetes, repo, registry, runs: Cell::new(0) };
        production.commit();
        Some(production)
    }

    fn commit(&self) {
        let root = self.repo.path(".");
        git(&root, &["add", "--all"]);
        git(&root, &["commit", "--quiet", "--allow-empty", "--message", "A commit"]);
    }

    fn start<'a>(&self, workflow: &str, inputs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Run {
        let number = self.runs.get() + 1;
        self.runs.set(number);
        let run = Run::of(&format!(".github/workflows/{workflow}.yml"), self.repo.path("."))
            .numbered(number)
            .repository("acme/shop")
            .identified_by(&self.aws)
            .event("workflow_dispatch")
            .inputs([("environment", "prod")])
            .inputs(inputs)
            .action("docker/setup-buildx-action", |_| Ok(()))
            .action("docker/build-push-action", move |action| {
                let archive =
                    action.input("outputs").and_then(|text| text.strip_prefix("type=oci,dest=")).unwrap();
                let layout = Layout::plain(&format!("build {number}"));
                layout.archive(archive.as_ref(), |_| ());
                action.output("digest", &layout.digest);
                Ok(())
            })
            .docker()
            .around("skopeo", self.registry.skopeo())
            .tool("gh", GH)
            .tool("curl", &CURL.replace("KUBECTL", &self.kubernetes.kubectl().display().to_string()))
            .env("ROLLOUT_TIMEOUT", "2")
            .env("WAIT_TIMEOUT", "5")
            .env("DELAY", "0");
        SECRETS.into_iter().fold(run, |run, (name, value)| run.environment_secret("prod", name, value))
    }

    /// A deployment to which the reviewers agree.
    fn deploy(&self) -> Ran {
        self.deploy_as(|run| run)
    }

    /// The same, where something is not as it is otherwise.
    fn deploy_as(&self, change: impl FnOnce(Run) -> Run) -> Ran {
        let run = self.start("deploy", [("confirm", "DEPLOY")]).approved("prod-approval", "hubot", "ok");
        let ran = change(run).run().unwrap();
        no_secret(&ran);
        ran
    }

    fn tag(&self, name: &str) -> String {
        self.registry.tag("acme/web", name).unwrap()
    }
}

/// No log or summary holds a secret, as it is or as Kubernetes writes it.
fn no_secret(ran: &Ran) {
    let combinations = ran.jobs.values().flat_map(|job| &job.combinations);
    for step in combinations.flat_map(|combination| &combination.steps) {
        for value in ["dckr-pat-1234", "hush-hush", "aHVzaC1odXNo", "ghs_thetokenofthisjob"] {
            assert!(!step.log.contains(value) && !step.summary.contains(value), "{value}\n{}", step.log);
        }
    }
}

#[test]
fn the_life_of_a_service_on_kubernetes() {
    let Some(production) = Production::of(MANIFEST) else { return };
    let kubernetes = &production.kubernetes;
    let image = |digest: &str| format!("docker.io/acme/web@{digest}");

    // Built, scanned, approved, pushed, and deployed in its order.
    let ran = production.deploy();
    for job in [
        "build-prod-web",
        "scan-prod-web",
        "approve-prod",
        "push-prod-web",
        "deploy-prod-web",
        "summary-prod",
    ] {
        ran.job(job).succeeded();
    }
    let first = ran.job("push-prod-web").output("digest").to_owned();
    assert_eq!(first, ran.job("build-prod-web").output("digest"));
    assert_eq!(kubernetes.live("web"), (1, image(&first)));
    assert_eq!(
        kubernetes.changed(),
        [
            "configmaps/settings",
            "secrets/app",
            "statefulsets/redis",
            "deployments/web",
            "services/web",
            "ingresses/web"
        ]
    );
    assert!(kubernetes.journal().iter().all(|asked| asked.who == "pyfleet-shop-prod-deploy"));
    assert_eq!(kubernetes.object("Secret", "app")["data"]["DB_PASSWORD"], "aHVzaC1odXNo");
    assert_eq!([production.tag("main"), production.tag("latest")], [first.clone(), first.clone()]);
    assert_eq!(ran.job("deploy-prod-web").group(), Some("mutate-prod-service-web"));
    let summary = ran.job("summary-prod").summary();
    assert!(
        summary.contains("✅ live") && summary.contains(&first) && summary.contains("`hubot`"),
        "{summary}"
    );

    // The same commit again: what is there is used, although nobody could see it before.
    let ran = production.deploy();
    assert_ne!(ran.job("build-prod-web").output("digest"), first);
    ran.job("push-prod-web").succeeded().says("is there already");
    assert_eq!(ran.job("deploy-prod-web").succeeded().step("deploy").outputs["state"], "unchanged");

    // An image that does not start: red, shown, and not put back.
    production.commit();
    kubernetes.breaks(&["acme/web"]);
    let ran = production.deploy();
    let deploy = ran.job("deploy-prod-web").failed();
    assert_eq!(deploy.step("deploy").outputs["state"], "timeout");
    assert_eq!(deploy.step("Show what is wrong").outcome, "success");
    deploy.says("Back-off restarting failed container").says("line 300 of app");
    assert!(ran.job("summary-prod").summary().contains("❌ failed: `timeout`"));
    let broken = ran.job("push-prod-web").output("digest").to_owned();
    assert_eq!((ran.conclusion(), kubernetes.live("web")), ("failure", (2, image(&broken))));

    // The way back: listed by a role that only reads, then taken. Nobody is asked.
    kubernetes.breaks(&[]);
    kubernetes.forget();
    let rollback = |target: &str, confirm: &str| {
        let inputs = [("what", "eks/web"), ("target", target), ("confirm", confirm)];
        let ran = production.start("rollback", inputs).unanswered("prod-approval").run().unwrap();
        no_secret(&ran);
        ran
    };
    let ran = rollback("list", "");
    assert!(ran.job("list-eks-prod").succeeded().summary().contains(&first));
    assert!(kubernetes.changed().is_empty());
    assert!(kubernetes.journal().iter().all(|asked| asked.who == "pyfleet-shop-prod-plan"));
    let ran = rollback("previous", "ROLLBACK");
    let job = ran.job("rollback-eks-prod").succeeded();
    assert_eq!(job.step("See that it works").outcome, "success");
    assert_eq!(job.group(), Some("mutate-prod-service-web"));
    assert_eq!((ran.conclusion(), kubernetes.live("web")), ("success", (3, image(&first))));
    assert_eq!(kubernetes.changed(), ["deployments/web"]);
}

#[test]
fn what_fails_is_undone_and_githubs_registry_takes_the_jobs_own_token() {
    let Some(production) = Production::of(&with_its_own_way_back()) else { return };
    let kubernetes = &production.kubernetes;
    let image = |digest: &str| format!("ghcr.io/acme/web@{digest}");
    // Whoever starts the run is let in with the token of the job, which may write packages; no other job's may.
    let text = production.repo.read(".github/workflows/deploy.yml");
    let (workflow, _) = workflow::parse(Source::new("deploy.yml", text)).0.unwrap();
    let may_push = |id: &str| {
        let permissions = workflow.permissions_of(&workflow.jobs[id]);
        permissions.is_some_and(|permissions| permissions.level(Permission::Packages) == Level::Write)
    };
    let pushing: Vec<&str> = workflow.jobs.keys().map(String::as_str).filter(|id| may_push(id)).collect();
    assert_eq!(pushing, ["push-prod-web"]);

    let ran = production.deploy();
    let first = ran.job("push-prod-web").succeeded().output("digest").to_owned();
    let deploy = ran.job("deploy-prod-web").succeeded();
    assert_eq!(
        (deploy.step("Go back").outcome.as_str(), kubernetes.live("web")),
        ("skipped", (1, image(&first)))
    );
    assert_eq!(production.tag("latest"), first);

    // An image that does not start. What ran before runs again, and is asked whether it works; the run stays red.
    production.commit();
    let broken = Layout::plain("build 2").digest;
    kubernetes.breaks(&[&broken]);
    let ran = production.deploy();
    assert_eq!(ran.job("push-prod-web").output("digest"), broken);
    let deploy = ran.job("deploy-prod-web").failed();
    assert_eq!(deploy.step("deploy").outputs["state"], "timeout");
    for step in ["Show what is wrong", "rollback", "See that it works again"] {
        assert_eq!(deploy.step(step).outcome, "success", "{step}\n{}", deploy.log());
    }
    assert_eq!((ran.conclusion(), kubernetes.live("web")), ("failure", (3, image(&first))));

    // One that starts and is not well, as often as it is asked: the same.
    kubernetes.breaks(&[]);
    production.commit();
    let curl = |answer: &str| {
        let curl = CURL.replace("printf '200'", answer);
        curl.replace("KUBECTL", &kubernetes.kubectl().display().to_string())
    };
    let ill = curl(r#"echo >>"$STATE/asked"; (($(wc -l <"$STATE/asked") > 5)) && printf 200 || printf 503"#);
    let ran = production.deploy_as(|run| run.tool("curl", &ill));
    let deploy = ran.job("deploy-prod-web").failed();
    for (step, outcome) in
        [("verify", "failure"), ("rollback", "success"), ("See that it works again", "success")]
    {
        assert_eq!(deploy.step(step).outcome, outcome, "{step}\n{}", deploy.log());
    }
    assert_eq!((ran.conclusion(), kubernetes.live("web")), ("failure", (5, image(&first))));

    // The package is not this repository's: the token may look, and not write. Nothing is deployed.
    production.commit();
    let refused = "[[ $1 != copy || $2 == --quiet ]] || { echo 'denied: installation not allowed to Write organization package' >&2; exit 1; }";
    let refused = format!("{refused}\n{}", production.registry.skopeo());
    let ran = production.deploy_as(|run| run.tool("skopeo", &refused));
    ran.job("push-prod-web").failed().says("denied").says("could not be pushed");
    ran.job("deploy-prod-web").skipped();
    assert_eq!(kubernetes.live("web"), (5, image(&first)));

    // Neither the image nor the one before it starts: both are said.
    production.commit();
    kubernetes.breaks(&["acme/web"]);
    let ran = production.deploy();
    let deploy = ran.job("deploy-prod-web").failed();
    assert_eq!(deploy.step("rollback").outcome, "failure");
    assert_eq!(deploy.step("See that it works again").outcome, "skipped");
}
