use serde_json::json;

use super::backend::refuses;
use super::ecs_service::{
    asks_nothing, image, refuses_hostile, register, service, service_with, settings, update, writes,
};
use super::script::{HOSTILE, Script};
use crate::aws::{Aws, Failure, Rollout};

fn awaiting(aws: &Aws, number: u8) -> Script {
    settings(aws, "ecs-await.sh").env("CONTAINER", "api").env("IMAGE", image(number))
}

/// What an apply does: another revision, on its way to the service.
fn apply(aws: &Aws, rollout: Rollout) {
    aws.next_rollout(rollout);
    let revision = register(aws, &image(2), &json!([]));
    update(aws, revision);
}

#[test]
fn what_an_apply_has_started_is_followed() {
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    apply(&aws, Rollout::Completes(3));
    let prepared = writes(&aws);
    let script = awaiting(&aws, 2);
    let ran = script.run().exits(0).outputs("state", "completed").outputs("live", "2");
    ran.says("revision 2 is in_progress").says("broker-api runs ");
    // Nothing new to wait for.
    script.env("WAIT_TIMEOUT", "0").run().exits(0).outputs("live", "2");
    assert_eq!(writes(&aws), prepared);
}

#[test]
fn a_reversal_while_it_is_followed_says_what_is_live() {
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    apply(&aws, Rollout::Fails(3));
    let ran = awaiting(&aws, 2).run().exits(4).outputs("state", "reversed").outputs("live", "1");
    ran.says("the deployment of revision 2 did not last and the service was put back: revision 1 is live");
}

#[test]
fn a_reversal_before_the_first_look_says_what_is_live() {
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    apply(&aws, Rollout::Fails(1));
    let script = awaiting(&aws, 2);
    let ran = script.run().exits(4).outputs("state", "reversed").outputs("live", "1");
    ran.says("::error::the deployment of ")
        .says("did not last and broker-api was put back: revision 1 is live");
    // As often as one looks.
    script.run().exits(4).outputs("state", "reversed").says("revision 1 is live");
    // One that is still going back.
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    apply(&aws, Rollout::Fails(1));
    aws.next_rollout(Rollout::NeverEnds);
    let ran = awaiting(&aws, 2).env("WAIT_TIMEOUT", "0").run().exits(4).outputs("state", "reversed");
    ran.says("and how broker-api went back to revision 1 stands above");
}

#[test]
fn an_image_that_the_service_does_not_get_is_not_live() {
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    let ran = awaiting(&aws, 2).run().exits(4).outputs("state", "other").outputs("live", "1");
    ran.says(
        "::error::broker-api does not run what was pushed: revision 1 is live, and its container api runs ",
    );
    // The same digest elsewhere is another name for the same image.
    awaiting(&aws, 1).run().exits(0);
}

#[test]
fn time_is_up_while_it_goes_on() {
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    apply(&aws, Rollout::NeverEnds);
    awaiting(&aws, 2).env("WAIT_TIMEOUT", "1").run().exits(5).outputs("state", "timeout");
}

#[test]
fn what_is_not_there_is_named() {
    let Some(aws) = Aws::start() else { return };
    awaiting(&aws, 1)
        .run()
        .exits(3)
        .says("::error::there is nothing to wait for: there is no cluster sandbox");
    service_with(&aws, &json!({}));
    let script = awaiting(&aws, 1);
    script.clone().env("ECS_SERVICE", "other").run().exits(3).says("has no service other");
    script.env("CONTAINER", "other").run().exits(3).says("revision 1 has no container other");
}

#[test]
fn no_answer_is_no_good_news() {
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    for (number, action) in
        [(1, "ecs:DescribeServices"), (1, "ecs:DescribeTaskDefinition"), (2, "ecs:ListServiceDeployments")]
    {
        for failure in [Failure::Status(403), Failure::Status(500), Failure::Drop] {
            aws.fail_next(action, failure);
            let ran = awaiting(&aws, number).run().exits(1).outputs("state", "unknown");
            ran.says("whether broker-api runs the image that was pushed is unknown");
        }
    }
    let answers = awaiting(&aws, 1).tool("aws", "cat \"$STATE/answer\"");
    for answer in
        HOSTILE.iter().copied().chain(["{}", "[]", r#"{"failures": [], "services": [{"deployments": []}]}"#])
    {
        std::fs::write(answers.state().join("answer"), answer).unwrap();
        answers.run().exits(1).says("is unknown");
    }
}

#[test]
fn refuses_settings_of_the_wrong_shape() {
    let Some(aws) = Aws::start() else { return };
    let script = awaiting(&aws, 1);
    asks_nothing(&aws, || {
        for (key, values) in [
            ("IMAGE", &["", "broker/api:latest"][..]),
            ("AWS_REGION", &["", "mars"]),
            ("WAIT_TIMEOUT", &["soon"]),
            ("WAIT_INTERVAL", &["0"]),
        ] {
            refuses(&script, key, values);
        }
        refuses_hostile(&script, &["ECS_CLUSTER", "ECS_SERVICE", "CONTAINER", "IMAGE"]);
    });
}
