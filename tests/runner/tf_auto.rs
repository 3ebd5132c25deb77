//! `tf-auto` of `examples/pyfleet`, executed: on a push, by the clock and by hand.

use serde_json::{Value as Json, json};

use super::pyfleet::{CURL, GH, World, succeeded};
use super::{Ran, Run};
use crate::bodies::story;

/// A pull request that was merged as whatever is pushed, whose run left the plans that lie in the state.
const MERGED: &str = r#"
case "$*" in
  *'/pulls') printf '[{"merged_at": "x", "merge_commit_sha": "%s", "head": {"sha": "%040d"}}]' "$GITHUB_SHA" 1; exit ;;
  *'/workflows/terraform.yml/runs?'*) echo '{"workflow_runs": [{"id": 7, "run_number": 1, "status": "completed"}]}'; exit ;;
  'run download 7 '*)
    while [[ $1 != --dir ]]; do shift; done
    for stack in network app; do
      mkdir -p "$2/plan_dev_$stack"
      printf '{"fingerprint": "%s"}' FINGERPRINT >"$2/plan_dev_$stack/plan-summary.json"
    done
    exit ;;
esac
"#;

impl World {
    fn auto(&self) -> Run {
        self.start("tf-auto")
    }

    fn ask<'a>(&self, inputs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<Ran> {
        self.auto().event("workflow_dispatch").inputs(inputs).run()
    }

    fn ask_for(&self, environment: &str, action: &str, confirm: &str) -> Option<Ran> {
        self.ask([("environment", environment), ("action", action), ("confirm", confirm)])
    }
}

/// Nothing of an environment was touched.
#[track_caller]
fn left_alone(ran: &Ran, environment: &str) {
    for job in
        ["create-backend-E", "plan-E-1", "decide-E-1", "apply-E-1", "plan-E-2", "apply-E-2", "plan-destroy-E"]
    {
        ran.job(&job.replace('E', environment)).skipped();
    }
}

#[test]
fn a_push_goes_as_far_as_somebody_has_seen() {
    let _story = story!(a_push_goes_as_far_as_somebody_has_seen);
    let Some(world) = World::new() else { return };
    // Pull requests plan nothing that takes a secret of its environment.
    world.repo.replace("pyfleet.yml", "{ secret: ALERT_EMAILS, as: list }", "[ops@example.com]");
    world.repo.replace("pyfleet.yml", "    destroy-backend-after: true\n", "    require-parity: true\n");
    world.repo.run(["render"]).exits(0);
    world.commit();
    let no_pull_request =
        GH.replace("case \"$*\" in", "case \"$*\" in *'/pulls') echo '[]'; exit ;; esac\ncase \"$*\" in");

    // The backend is made on the way. Nobody has seen the plan of `dev`, and nobody would be asked: it stops there, and
    // before the next environment.
    let Some(ran) = world.auto().event("push").tool("gh", &no_pull_request).run() else { return };
    ran.job("create-backend-dev").succeeded();
    ran.job("plan-dev-1").succeeded();
    ran.job("decide-dev-1").failed().says("no pull request showed a plan of it");
    for job in ["apply-dev-1", "plan-dev-2", "plan-prod-1", "apply-prod-1"] {
        ran.job(job).skipped();
    }
    assert_eq!(ran.conclusion(), "failure");
    // The plan is there, and no state.
    assert!(world.keys().iter().all(|key| key.starts_with("_plans/")), "{:?}", world.keys());

    // Somebody looks, and starts it by hand: layer after layer, each with what the one before it has applied.
    let ran = world.ask_for("dev", "apply", "").unwrap();
    succeeded(&ran, &["plan-dev-1", "apply-dev-1", "plan-dev-2", "apply-dev-2", "scan"]);
    left_alone(&ran, "prod");
    assert_eq!(ran.job("apply-dev-2").of("stack", "app").result(), "success");
    assert_eq!(world.object("_pyfleet/applied/dev/app.json")["action"], "apply");

    // Again: nothing to do, and nothing is started for it.
    let ran = world.ask_for("dev", "apply", "").unwrap();
    succeeded(&ran, &["plan-dev-1", "decide-dev-1", "plan-dev-2", "decide-dev-2"]);
    ran.job("apply-dev-1").skipped();

    // A push of something else asks AWS nothing.
    world.repo.write("README.md", "A fleet.\n");
    world.commit();
    world.aws.forget_calls();
    let ran = world.auto().event("push").run().unwrap();
    succeeded(&ran, &["changes", "guard"]);
    left_alone(&ran, "dev");
    left_alone(&ran, "prod");
    ran.job("scan").skipped();
    assert!(world.aws.calls().is_empty(), "{:?}", world.aws.calls());

    // A change that a pull request showed: `dev` takes it with nobody, `prod` with its reviewers.
    world.repo.write("infra/app/envs/dev.tfvars", "instances = 3\n");
    world.commit();
    let shown = world.ask_for("dev", "plan", "").unwrap();
    succeeded(&shown, &["plan-dev-1", "plan-dev-2"]);
    shown.job("apply-dev-2").skipped();
    let summary: Json =
        serde_json::from_str(&shown.artifact("plan_dev_app").text("plan-summary.json")).unwrap();
    let gh = MERGED.replace("FINGERPRINT", summary["fingerprint"].as_str().unwrap()) + GH;
    let ran = world.auto().event("push").tool("gh", &gh).run().unwrap();
    succeeded(&ran, &["decide-dev-1", "apply-dev-2", "approve-apply-prod-1", "apply-prod-1", "apply-prod-2"]);
    ran.job("apply-dev-1").skipped();
    assert_eq!(world.object("_pyfleet/applied/prod/network.json")["approver"], "hubot");
    assert_eq!(world.object("_pyfleet/applied/dev/app.json")["approver"], Json::Null);

    // The run of a commit that is no longer the newest applies nothing more.
    world.repo.write("infra/app/envs/dev.tfvars", "instances = 4\n");
    world.commit();
    let newer = GH.replace("printf '%s\\n' \"$GITHUB_SHA\"", "printf '%040d\\n' 5");
    let ran = world
        .auto()
        .event("push")
        .tool("gh", &(MERGED.replace("FINGERPRINT", &"0".repeat(64)) + &newer))
        .run()
        .unwrap();
    assert_eq!(ran.conclusion(), "success");
    ran.job("decide-dev-2").says("main has a newer commit");
    ran.job("apply-dev-2").skipped();
    ran.job("approve-apply-prod-2").skipped();

    // Another plan than the one that was shown stops again.
    world.repo.write("infra/app/envs/dev.tfvars", "instances = 5\n");
    world.commit();
    let ran = world
        .auto()
        .event("push")
        .tool("gh", &(MERGED.replace("FINGERPRINT", &"0".repeat(64)) + GH))
        .run()
        .unwrap();
    ran.job("decide-dev-2").failed().says("the pull request showed other actions");
    ran.job("apply-dev-2").skipped();
    ran.job("plan-prod-1").skipped();

    // The clock looks at everything, says what differs, and changes nothing.
    let ran = world.auto().event("schedule").run().unwrap();
    for job in ["plan-dev-1", "decide-dev-1", "plan-dev-2", "plan-prod-1", "plan-prod-2", "scan"] {
        ran.job(job).succeeded();
    }
    assert_eq!(ran.conclusion(), "failure");
    ran.job("decide-dev-2").failed().says("dev is not what the configuration says: app would change");
    for job in ["create-backend-dev", "apply-dev-1", "apply-dev-2", "approve-apply-prod-1", "apply-prod-2"] {
        ran.job(job).skipped();
    }
}

#[test]
fn an_environment_is_promoted_and_destroyed_by_hand() {
    let _story = story!(an_environment_is_promoted_and_destroyed_by_hand);
    let Some(world) = World::new() else { return };
    // Who does not agree stops it before anything is applied.
    let ask = |run: Run, action: &str, confirm: &str| {
        run.event("workflow_dispatch")
            .inputs([("environment", "prod"), ("action", action), ("confirm", confirm)])
            .run()
    };
    let Some(ran) = ask(world.auto().refused("prod-approval", "hubot", "not today"), "apply", "apply prod")
    else {
        return;
    };
    ran.job("plan-prod-1").succeeded();
    ran.job("approve-apply-prod-1").failed();
    ran.job("apply-prod-1").skipped();
    ran.job("plan-prod-2").skipped();

    for environment in ["dev", "prod"] {
        let confirm = if environment == "prod" { "apply prod" } else { "" };
        let ran = world.ask_for(environment, "apply", confirm).unwrap();
        succeeded(&ran, &[&format!("apply-{environment}-1"), &format!("apply-{environment}-2")]);
    }

    // Only what has two colours is promoted.
    assert_eq!(world.live_group(), "asg-blue");
    let ran = world.ask_for("prod", "promote", "promote prod").unwrap();
    succeeded(&ran, &["plan-prod-2", "approve-apply-prod-2", "apply-prod-2"]);
    ran.job("plan-prod-1").skipped();
    assert_eq!(world.live_group(), "asg-green");

    // A promotion that leaves the fleet unhealthy is taken back, and it is asked again: so often it was not well.
    let unwell = r#"echo >>"$STATE/asked"; (($(wc -l <"$STATE/asked") > 10)) && printf 200 || printf 503"#;
    let unwell = CURL.replace("printf 'STATUS'", unwell);
    let ran = ask(world.auto().tool("curl", &unwell), "promote", "promote prod").unwrap();
    let apply = ran.job("apply-prod-2").failed();
    for step in ["revert", "Record the way back", "See that the environment works again"] {
        assert_eq!(apply.step(step).outcome, "success", "{step}\n{}", apply.log());
    }
    assert_eq!(world.live_group(), "asg-green");

    // A wrong phrase destroys nothing, and what is protected is not destroyed before a commit says so.
    let ran = world.ask_for("dev", "destroy", "destroy prod").unwrap();
    ran.job("guard").failed().says("destroy dev");
    ran.job("plan-destroy-dev").skipped();
    let ran = world.ask_for("dev", "destroy", "destroy dev").unwrap();
    ran.job("plan-destroy-dev").failed().says("terraform_data.vpc");
    ran.job("destroy-dev-2").skipped();
    world.repo.replace("pyfleet.yml", "  protected: [terraform_data.vpc]\n", "");
    world.repo.run(["render"]).exits(0);
    world.commit();

    // What needs others goes before them; the backend is kept, because the other environment uses it.
    let ran = world.ask_for("dev", "destroy", "destroy dev").unwrap();
    succeeded(&ran, &["plan-destroy-dev", "destroy-dev-2", "destroy-dev-1"]);
    assert!(ran.job("decide-destroy-dev").summary().contains("The backend is kept, used by prod"));
    for stack in ["network", "app"] {
        assert_eq!(world.state("dev", stack)["resources"], json!([]), "{stack}");
    }
    left_alone(&ran, "prod");

    // With the last environment the backend goes too: every version of every state, plans, ledgers, and the table.
    let ran = world.ask_for("prod", "destroy", "destroy prod").unwrap();
    let jobs = ["approve-destroy-prod", "destroy-prod-2", "destroy-prod-1", "destroy-backend-prod"];
    succeeded(&ran, &jobs);
    assert_eq!(ran.job("destroy-backend-prod").environment(), Some("prod-backend"));
    assert_eq!(world.aws.cli(&["s3api", "list-buckets"])["Buckets"], json!([]));
    assert_eq!(world.aws.cli(&["dynamodb", "list-tables"])["TableNames"], json!([]));
}

/// Whatever a push asks for elsewhere, an environment below the level is planned with a role that takes no lock.
#[test]
fn an_environment_that_is_only_read_is_only_planned() {
    let _story = story!(an_environment_that_is_only_read_is_only_planned);
    let world = World::of(|repo| {
        repo.replace("pyfleet.yml", "  prod:\n", "  prod:\n    safety-level: 3\n");
        repo.run(["render"]).exits(0);
    });
    let Some(world) = world else { return };
    let Some(ran) = world.auto().event("push").run() else { return };
    succeeded(
        &ran,
        &["apply-dev-1", "apply-dev-2", "plan-prod-1", "decide-prod-1", "plan-prod-2", "decide-prod-2"],
    );
    let prod: Vec<String> = world.keys().into_iter().filter(|key| key.contains("prod")).collect();
    assert!(prod.is_empty(), "{prod:?}");
}
