use serde_json::json;

use super::backend::refuses;
use super::ecs_service::{
    arn, asks_nothing, breaker, image, refuses_hostile, register, service, service_with, settings, update,
    writes,
};
use super::script::{HOSTILE, Script};
use crate::aws::{Aws, Failure, Rollout};

/// A second revision on its way to the service.
fn waiting(aws: &Aws, rollout: Rollout) -> Script {
    aws.next_rollout(rollout);
    let revision = register(aws, &image(2), &json!([]));
    let id = update(aws, revision);
    settings(aws, "ecs-wait.sh").env("DEPLOYMENT_ID", id).env("REVISION", arn(revision))
}

#[test]
fn a_deployment_that_completes_is_live() {
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    let script = waiting(&aws, Rollout::Completes(2));
    let prepared = writes(&aws);
    let ran = script.run().exits(0).outputs("state", "completed").outputs("live", "2");
    let ran = ran.says("revision 2 is in_progress: 0 of 2 running, 2 pending, 0 failed");
    ran.says("revision 2 is completed: 2 of 2 running, 0 pending, 0 failed");
    // Once more, without waiting.
    script.env("WAIT_TIMEOUT", "0").run().exits(0);
    assert_eq!(writes(&aws), prepared);
}

#[test]
fn a_reversal_is_a_failure_however_stable_it_is() {
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    let script = waiting(&aws, Rollout::Fails(1));
    aws.next_rollout(Rollout::Completes(2));
    let ran = script.run().exits(4).outputs("state", "reversed").outputs("live", "1");
    ran.says(
        "::error::the deployment of revision 2 did not last and the service was put back: revision 1 is live",
    )
    .says("(service broker-api) deployment ecs-svc/");
    // Long after, the deployment is not even shown any more.
    script.run().exits(4).outputs("state", "reversed").outputs("live", "1");
}

#[test]
fn a_reversal_is_not_waited_for_longer_than_there_is_time() {
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    let script = waiting(&aws, Rollout::Fails(1)).env("WAIT_TIMEOUT", "0");
    aws.next_rollout(Rollout::NeverEnds);
    let ran = script.run().exits(4).outputs("state", "reversed").outputs("live", "1");
    ran.says("is being put back to revision 1, which has not ended yet");
    // And one that fails itself is no way back.
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    let script = waiting(&aws, Rollout::Fails(1));
    aws.next_rollout(Rollout::Fails(1));
    script.run().exits(4).outputs("state", "reversed").says("going back to revision 1 failed too");
}

#[test]
fn without_a_way_back_a_failure_stays() {
    let Some(aws) = Aws::start() else { return };
    service_with(&aws, &json!({"deploymentConfiguration": breaker(false)}));
    let ran = waiting(&aws, Rollout::Fails(1)).run().exits(4);
    ran.outputs("state", "failed")
        .outputs("live", "2")
        .says("nothing puts the service back: revision 2 is still");
}

#[test]
fn another_deployment_of_the_same_revision_is_somebody_elses() {
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    let script = waiting(&aws, Rollout::Completes(1)).env("DEPLOYMENT_ID", "ecs-svc/7");
    let ran = script.run().exits(4).outputs("state", "superseded").outputs("live", "2");
    ran.says("was replaced by another one of the same revision");
}

#[test]
fn time_is_up_while_it_goes_on() {
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    let script = waiting(&aws, Rollout::NeverEnds).env("WAIT_TIMEOUT", "1");
    script
        .run()
        .exits(5)
        .outputs("state", "timeout")
        .outputs("live", "2")
        .says("has not ended after 1 s: it goes on");
}

#[test]
fn an_answer_that_is_missing_twice_stops_nothing() {
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    let script = waiting(&aws, Rollout::Completes(1));
    for _ in 0..2 {
        aws.fail_next("ecs:DescribeServices", Failure::Status(500));
    }
    script.run().exits(0);
    for failure in [Failure::Status(403), Failure::Status(500), Failure::Drop] {
        aws.fail_next("ecs:DescribeServices", failure);
    }
    let ran = script.run().exits(1).outputs("state", "unknown");
    assert_eq!(ran.outputs.len(), 1);
    ran.says("ECS did not answer three times in a row");
}

#[test]
fn what_is_not_understood_is_not_taken_for_an_end() {
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    let script = waiting(&aws, Rollout::Completes(1)).tool("aws", "cat \"$STATE/answer\"");
    let deployment = json!({"id": "ecs-svc/1", "status": "PRIMARY", "taskDefinition": arn(2), "rolloutState": "COMPLETED"});
    let script = script.env("DEPLOYMENT_ID", "ecs-svc/1");
    let answer =
        |deployments: serde_json::Value| json!({"failures": [], "services": [{"deployments": deployments}]});
    let changed = |key: &str, value: serde_json::Value| {
        let mut deployment = deployment.clone();
        deployment[key] = value;
        answer(json!([deployment]))
    };
    std::fs::write(script.state().join("answer"), answer(json!([deployment])).to_string()).unwrap();
    script.run().exits(0);
    for answer in [
        json!(null),
        json!({}),
        json!({"failures": [{"reason": "MISSING"}], "services": []}),
        answer(json!([])),
        answer(json!([deployment, deployment])),
        changed("status", json!("ACTIVE")),
        changed("rolloutState", json!(null)),
        changed("rolloutState", json!("completed")),
        changed("rolloutState", json!("$(touch pwned)")),
        changed("taskDefinition", arn(3).into()),
        changed("taskDefinition", json!("::error::taken over")),
        changed("id", json!(null)),
    ] {
        std::fs::write(script.state().join("answer"), answer.to_string()).unwrap();
        script.run().exits(1).outputs("state", "unknown").says("is not understood");
    }
    for hostile in HOSTILE {
        std::fs::write(script.state().join("answer"), hostile).unwrap();
        script.run().exits(1).outputs("state", "unknown");
    }
}

#[test]
fn refuses_settings_of_the_wrong_shape() {
    let Some(aws) = Aws::start() else { return };
    let script = settings(&aws, "ecs-wait.sh").env("DEPLOYMENT_ID", "ecs-svc/1").env("REVISION", arn(2));
    asks_nothing(&aws, || {
        for (key, values) in [
            ("ECS_CLUSTER", &["", "a b", "$(touch pwned)", "a/b"][..]),
            ("ECS_SERVICE", &["", "a/b", "x\n"]),
            ("DEPLOYMENT_ID", &["", "1", "ecs-svc/x", "ecs-svc/1 "]),
            ("REVISION", &["", "broker:2", &arn(2).replace(":2", ""), &arn(2).replace(":2", ":02")]),
            ("AWS_REGION", &["", "mars"]),
            ("WAIT_TIMEOUT", &["-1", "1m", "1\n"]),
            ("WAIT_INTERVAL", &["0", "x"]),
        ] {
            refuses(&script, key, values);
        }
        refuses_hostile(&script, &["ECS_CLUSTER", "ECS_SERVICE", "DEPLOYMENT_ID", "REVISION"]);
    });
}
