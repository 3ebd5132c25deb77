//! `tf-drift` of `examples/pyfleet`, executed: one issue follows a state that somebody edits.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};

use super::Ran;
use super::pyfleet::{BUCKET, TABLE, World, succeeded};
use crate::bodies::story;
use crate::executed::drift_report::{GH, issues};

impl World {
    fn issues(&self) -> PathBuf {
        self.repo.path("../issues.json")
    }

    /// The clock starts it.
    pub(super) fn look_for_drift(&self) -> Option<Ran> {
        let gh = format!("ISSUES='{}'\n{GH}", self.issues().display());
        self.start("tf-drift").event("schedule").tool("gh", &gh).run()
    }

    /// Edits a state behind Terraform's back, and the digest that the lock table has of it.
    fn edit_state(&self, environment: &str, stack: &str, edit: impl Fn(&mut Json)) {
        let key = format!("pyfleet/{environment}/{stack}.tfstate");
        let mut state = self.state(environment, stack);
        edit(&mut state);
        let file = self.repo.path("../edited");
        std::fs::write(&file, state.to_string()).unwrap();
        self.aws.cli(&[
            "s3api",
            "put-object",
            "--bucket",
            BUCKET,
            "--key",
            &key,
            "--body",
            file.to_str().unwrap(),
        ]);
        let sum = Command::new("md5sum").arg(&file).stderr(Stdio::null()).output().unwrap();
        let sum = String::from_utf8(sum.stdout).unwrap();
        let item = json!({
            "LockID": { "S": format!("{BUCKET}/{key}-md5") }, "Digest": { "S": sum.split(' ').next().unwrap() },
        });
        self.aws.cli(&["dynamodb", "put-item", "--table-name", TABLE, "--item", &item.to_string()]);
    }

    fn edit_network(&self, value: &str) {
        self.edit_state("prod", "network", |state| {
            let resources = state["resources"].as_array_mut().unwrap();
            let vpc = resources.iter_mut().find(|resource| resource["name"] == "vpc").unwrap();
            vpc["instances"][0]["attributes"]["input"]["value"]["name"] = json!(value);
        });
    }
}

#[test]
fn one_issue_follows_a_state_that_somebody_edits() {
    let _story = story!(one_issue_follows_a_state_that_somebody_edits);
    let Some(world) = World::new() else { return };

    // There is no backend: that is no drift, and nobody is bothered.
    let Some(ran) = world.look_for_drift() else { return };
    succeeded(&ran, &["detect-dev", "detect-prod", "report"]);
    ran.job("report").says("::notice::prod/app: no-backend");
    assert_eq!(issues(&world.issues()), Vec::<Json>::new());

    world.act("prod", "network", "create-backend", "").unwrap().job("create-backend-prod").succeeded();
    for stack in ["network", "app"] {
        world.apply("prod", stack).unwrap().job("apply-prod").succeeded();
    }
    // What was never applied waits for somebody.
    let ran = world.look_for_drift().unwrap();
    succeeded(&ran, &["detect-dev", "detect-prod", "report"]);
    ran.job("report").says("::warning::dev/app: pending").says("prod/app: clean").says("prod/network: clean");
    assert_eq!(issues(&world.issues()), Vec::<Json>::new());

    // Somebody edits the state: one issue, and the run is red.
    world.edit_network("by hand");
    let ran = world.look_for_drift().unwrap();
    ran.job("detect-prod").succeeded();
    ran.job("report").failed().says("::error::prod/network: drift").says("open the issue of prod/network");
    let found = issues(&world.issues());
    assert_eq!((found.len(), found[0]["title"].as_str()), (1, Some("Drift: network in prod")));
    assert!(found[0]["body"].as_str().unwrap().contains("`terraform_data.vpc`"));
    assert!(!found[0].to_string().contains("by hand"), "no value: {}", found[0]);

    // Again: still red, and still one.
    world.look_for_drift().unwrap().job("report").failed();
    assert_eq!(issues(&world.issues()), found);

    // Something else: said once.
    world.edit_state("prod", "network", |state| state["resources"] = json!([]));
    for _ in 0..2 {
        world.look_for_drift().unwrap().job("report").failed();
    }
    let changed = issues(&world.issues());
    assert_eq!((changed.len(), changed[0]["comments"].as_array().unwrap().len()), (1, 1));
    assert_ne!(changed[0]["body"], found[0]["body"]);

    // A commit that touches it is not an apply: until then it may be meant.
    world.repo.write("infra/network/note.tf", "# a network\n");
    world.commit();
    let ran = world.look_for_drift().unwrap();
    succeeded(&ran, &["report"]);
    ran.job("report").says("::warning::prod/network: pending");
    assert_eq!(issues(&world.issues())[0]["state"], "open");

    // Repaired: closed.
    world.apply("prod", "network").unwrap().job("apply-prod").succeeded();
    let ran = world.look_for_drift().unwrap();
    succeeded(&ran, &["report"]);
    assert_eq!(issues(&world.issues())[0]["state"], "closed");

    // Somebody works on the state: it is not looked at.
    let lock = json!({ "ID": "0b5a1f3e-7d7c-4a4e-9f5a-1d2c3b4a5f6e", "Operation": "OperationTypeApply", "Who": "mallory@laptop", "Created": "2999-01-01T00:00:00Z" });
    let item = json!({ "LockID": { "S": format!("{BUCKET}/pyfleet/prod/network.tfstate") }, "Info": { "S": lock.to_string() } });
    world.aws.cli(&["dynamodb", "put-item", "--table-name", TABLE, "--item", &item.to_string()]);
    let ran = world.look_for_drift().unwrap();
    succeeded(&ran, &["detect-prod", "report"]);
    ran.job("report").says("::warning::prod/network: locked");
    assert_eq!(issues(&world.issues()).len(), 1);
}
