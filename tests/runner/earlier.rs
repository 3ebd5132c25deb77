//! `rollback` of `examples/pyfleet`, executed: a stack goes back to the commit that was applied before.

use super::pyfleet::{World, succeeded};
use super::{Ran, Run, git};
use crate::bodies::story;

impl World {
    pub(super) fn head(&self) -> String {
        git(&self.repo.path("."), &["rev-parse", "HEAD"])
    }

    fn roll_back(&self, target: &str, confirm: &str) -> Option<Ran> {
        self.rolling_back(target, confirm).run()
    }

    fn rolling_back(&self, target: &str, confirm: &str) -> Run {
        self.rolling_back_of("prod", "terraform/network", target, confirm)
    }

    pub(super) fn rolling_back_of(&self, environment: &str, what: &str, target: &str, confirm: &str) -> Run {
        let inputs = [("environment", environment), ("what", what), ("target", target), ("confirm", confirm)];
        self.start("rollback").event("workflow_dispatch").inputs(inputs)
    }

    fn live_range(&self) -> String {
        let state = self.state("prod", "network");
        let resources = state["resources"].as_array().unwrap();
        let vpc = resources.iter().find(|resource| resource["name"] == "vpc").unwrap();
        vpc["instances"][0]["attributes"]["input"]["value"]["cidr"].as_str().unwrap().to_owned()
    }
}

const LEDGER: &str = "_pyfleet/applied/prod/network.json";

#[test]
fn a_stack_goes_back_to_what_was_applied_before() {
    let _story = story!(a_stack_goes_back_to_what_was_applied_before);
    let Some(world) = World::new() else { return };
    let Some(ran) = world.act("prod", "network", "create-backend", "") else { return };
    ran.job("create-backend-prod").succeeded();
    // Nothing was applied: there is nothing to go back to.
    let ran = world.roll_back("previous", "ROLLBACK").unwrap();
    ran.job("plan-terraform-prod").failed().says("nothing is on record as applied to prod/network");

    let first = world.head();
    world.apply("prod", "network").unwrap().job("apply-prod").succeeded();
    world.repo.replace("infra/network/main.tf", "10.0.0.0/16", "10.1.0.0/16");
    world.repo.replace(
        "infra/network/main.tf",
        "output \"vpc\"",
        "resource \"terraform_data\" \"more\" {}\noutput \"vpc\"",
    );
    world.commit();
    let second = world.head();
    world.apply("prod", "network").unwrap().job("apply-prod").succeeded();
    // A commit that was never applied is on top.
    world.repo.replace("infra/network/main.tf", "10.1.0.0/16", "10.2.0.0/16");
    world.commit();
    assert_eq!(
        (world.live_range().as_str(), &world.object(LEDGER)["commit"]),
        ("10.1.0.0/16", &second.clone().into())
    );

    // Looking changes nothing, and needs no word.
    let ran = world.roll_back("list", "").unwrap();
    succeeded(&ran, &["guard", "list-terraform-prod"]);
    ran.job("list-terraform-prod").says(&format!("{second} apply")).says(&format!("{first} apply"));
    ran.job("plan-terraform-prod").skipped();
    // The word has to be meant, and the commit to be on record.
    let ran = world.roll_back("previous", "rollback").unwrap();
    ran.job("guard").failed().says("confirm must be exactly `ROLLBACK`");
    ran.job("plan-terraform-prod").skipped();
    let ran = world.roll_back(&world.head(), "ROLLBACK").unwrap();
    ran.job("plan-terraform-prod").failed().says("not on record");
    ran.job("rollback-terraform-prod").skipped();

    // What it destroys the reviewers see first, although the manifest asks for no approval.
    let ran = world.rolling_back("previous", "ROLLBACK").unanswered("prod-approval").run().unwrap();
    assert_eq!(ran.job("plan-terraform-prod").succeeded().output("class"), "destructive");
    ran.job("approve-terraform-prod").is("waiting");
    ran.job("rollback-terraform-prod").is("unstarted");
    let rejected =
        world.rolling_back("previous", "ROLLBACK").refused("prod-approval", "octocat", "no").run().unwrap();
    rejected.job("rollback-terraform-prod").skipped();
    assert_eq!(world.live_range(), "10.1.0.0/16");

    // The configuration of the first commit is live, nothing is left to do, and the record says what happened.
    let ran = world.roll_back("previous", "ROLLBACK").unwrap();
    succeeded(&ran, &["guard", "plan-terraform-prod", "approve-terraform-prod", "rollback-terraform-prod"]);
    let job = ran.job("rollback-terraform-prod");
    assert_eq!((job.group(), job.environment()), (Some("mutate-prod-network"), Some("prod")));
    assert_eq!(job.step("converge").outcome, "success");
    assert_eq!(world.live_range(), "10.0.0.0/16");
    let record = world.object(LEDGER);
    assert_eq!((&record["action"], &record["commit"]), (&"rollback".into(), &first.clone().into()));
    assert_eq!(record["plan_sha256"], ran.job("plan-terraform-prod").output("plan_sha256"));

    // Until somebody applies what the branch has, that is no drift.
    let ran = world.look_for_drift().unwrap();
    ran.job("report").says(&format!(
        "prod/network: pending: the sources have changes that were not applied: {}",
        &first[..12]
    ));

    // Forth again, by its commit: what was just left is no previous one. Nothing is destroyed, and nobody is asked.
    let ran = world.roll_back("previous", "ROLLBACK").unwrap();
    ran.job("plan-terraform-prod").failed().says("name a commit from the list").says(&second);
    let ran = world.rolling_back(&second, "ROLLBACK").unanswered("prod-approval").run().unwrap();
    ran.job("approve-terraform-prod").skipped();
    succeeded(&ran, &["rollback-terraform-prod"]);
    assert_eq!(world.live_range(), "10.1.0.0/16");

    // The other environment has its own record, and nobody is asked there.
    world.apply("dev", "network").unwrap().job("apply-dev").succeeded();
    world.repo.replace("infra/network/main.tf", "10.2.0.0/16", "10.3.0.0/16");
    world.commit();
    world.apply("dev", "network").unwrap().job("apply-dev").succeeded();
    let ran = world.rolling_back_of("dev", "terraform/network", "list", "").run().unwrap();
    succeeded(&ran, &["list-terraform-dev"]);
    let ran = world.rolling_back_of("dev", "terraform/network", "previous", "ROLLBACK").run().unwrap();
    succeeded(&ran, &["plan-terraform-dev", "rollback-terraform-dev"]);
    assert_eq!(world.object("_pyfleet/applied/dev/network.json")["action"], "rollback");
    assert_eq!(world.live_range(), "10.1.0.0/16");
}
