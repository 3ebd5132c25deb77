use serde_json::{Value, json};

use super::backend::refuses;
use super::ecs_service::{
    CLUSTER, COMMIT, SERVICE, arn, asks_nothing, breaker, ecs, image, live, refuses_hostile, register,
    service, service_with, settings, update, writes,
};
use super::script::{HOSTILE, Script, assert_inert};
use crate::aws::{Aws, Failure, Rollout};

/// A service whose revisions are 1, live first, 2, which failed, and 3, which is live and says that it replaced 1.
fn with_a_past(aws: &Aws) {
    service(aws);
    past(aws);
}

fn past(aws: &Aws) {
    register(aws, &image(2), &json!([{"key": "pyfleet:previous", "value": "1"}]));
    register(
        aws,
        &image(3),
        &json!([{"key": "pyfleet:previous", "value": "1"}, {"key": "pyfleet:commit", "value": COMMIT}]),
    );
    update(aws, 3);
    assert_eq!(live(aws), (3, "COMPLETED".to_owned()));
    aws.forget_calls();
}

fn rolling_back(aws: &Aws, target: &str) -> Script {
    settings(aws, "ecs-rollback.sh").env("TARGET_REVISION", target)
}

/// The status of the service's newest deployment, as ECS keeps it.
fn newest(aws: &Aws) -> Value {
    let listed = ecs(aws, "ListServiceDeployments", &json!({"cluster": CLUSTER, "service": SERVICE}));
    listed["serviceDeployments"][0]["status"].clone()
}

#[test]
fn back_to_a_revision() {
    let Some(aws) = Aws::start() else { return };
    with_a_past(&aws);
    aws.next_rollout(Rollout::Completes(2));
    let script = rolling_back(&aws, "2");
    let dry = script
        .clone()
        .env("DRY_RUN", "true")
        .run()
        .exits(0)
        .outputs("previous", "3")
        .outputs("revision", "2");
    assert_eq!(dry.outputs.len(), 2);
    dry.says("would put broker-api back from revision 3 to 2").shows("nothing was changed").shows(&image(2));
    assert!(writes(&aws).is_empty());
    let ran = script
        .run()
        .exits(0)
        .outputs("previous", "3")
        .outputs("revision", "2")
        .outputs("state", "completed")
        .outputs("live", "2")
        .says("revision 2 of broker is live")
        .shows("### ⏪ Rolled back")
        .shows("from revision `3` to `2`")
        .never_says("hush-hush")
        .never_says("::warning::");
    assert!(ran.outputs["deployment_id"].starts_with("ecs-svc/"));
    assert_inert(&ran.summary, &["<br>"]);
    assert_eq!(live(&aws), (2, "COMPLETED".to_owned()));
    assert_eq!(writes(&aws), ["UpdateService"]);
    let ran =
        script.run().exits(3).says("::error::nothing was changed: revision 2 of broker-api is live already");
    assert!(ran.outputs.is_empty());
}

#[test]
fn the_previous_one_is_what_the_live_one_replaced() {
    let Some(aws) = Aws::start() else { return };
    with_a_past(&aws);
    // 2 is newer, and active, and never was live.
    rolling_back(&aws, "previous").run().exits(0).outputs("revision", "1").never_says("::warning::");
    assert_eq!(live(&aws).0, 1);
    // 1 says nothing, and nothing is older.
    let ran = rolling_back(&aws, "previous").run().exits(3);
    assert!(ran.outputs.is_empty());
    ran.says("broker has no active revision that is older than 1");
}

#[test]
fn without_a_tag_the_previous_one_is_a_guess_and_says_so() {
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    for number in [2, 3] {
        // A tag that anybody may have written.
        register(&aws, &image(number), &json!([{"key": "pyfleet:previous", "value": "0/$(touch pwned)"}]));
    }
    update(&aws, 3);
    ecs(&aws, "DeregisterTaskDefinition", &json!({"taskDefinition": arn(2)}));
    live(&aws);
    let ran = rolling_back(&aws, "previous").run().exits(0).outputs("revision", "1");
    ran.says("::warning::revision 3 does not say what it replaced: revision 1 is only the next older one");
}

#[test]
fn the_ten_newest_are_listed_and_nothing_changes() {
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    past(&aws);
    register(
        &aws,
        "evil.example/`|$(touch pwned)<b>",
        &json!([{"key": "pyfleet:commit", "value": "\\|@octocat"}]),
    );
    ecs(&aws, "DeregisterTaskDefinition", &json!({"taskDefinition": arn(2)}));
    aws.forget_calls();
    let ran = rolling_back(&aws, "list").run().exits(0).shows("### Revisions of `broker-api` in `sandbox`");
    assert!(writes(&aws).is_empty() && ran.outputs.is_empty());
    let rows: Vec<_> = ran.summary.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    let numbers: Vec<_> = rows.iter().map(|row| row.split(" | ").next().unwrap()).collect();
    assert_eq!(numbers, ["| 4", "| 3", "| 1"], "{}", ran.summary);
    assert!(
        rows[1].starts_with("| 3 | **live** | `proxy: public.ecr.aws/envoy:v1`<br>`api: "),
        "{}",
        rows[1]
    );
    assert!(rows[1].contains(&image(3)) && rows[1].contains(COMMIT), "{}", rows[1]);
    assert!(rows[2].starts_with("| 1 |  | `proxy"), "{}", rows[2]);
    assert_inert(&ran.summary, &["<br>"]);
    for row in &rows {
        assert_eq!(row.replace("\\|", "").matches('|').count(), 6, "{row}");
    }
    // Ten, and what is live where it is none of them.
    for number in 5..15 {
        register(&aws, &image(number), &json!([]));
    }
    let ran =
        rolling_back(&aws, "list").run().exits(0).shows("| 14 |").shows("| 5 |").shows("| 3 | **live** |");
    assert_eq!(ran.summary.matches("| `proxy: ").count(), 11);
}

#[test]
fn a_deployment_in_progress_is_stopped_first() {
    // Where it came from, or further back.
    for (target, updates) in [("3", 0), ("1", 1)] {
        let Some(aws) = Aws::start() else { return };
        with_a_past(&aws);
        register(&aws, &image(4), &json!([{"key": "pyfleet:previous", "value": "3"}]));
        aws.next_rollout(Rollout::NeverEnds);
        update(&aws, 4);
        aws.forget_calls();
        let target = if target == "3" { "previous" } else { target };
        let ran = rolling_back(&aws, target)
            .run()
            .exits(0)
            .outputs("previous", "4")
            .says("stopped the deployment in progress");
        let revision = if updates == 0 { 3 } else { 1 };
        ran.outputs("revision", &revision.to_string()).outputs("state", "completed");
        assert_eq!(live(&aws), (revision, "COMPLETED".to_owned()));
        assert_eq!(writes(&aws).len(), 1 + updates, "{:?}", writes(&aws));
        assert_eq!(writes(&aws)[0], "StopServiceDeployment");
        assert_eq!(newest(&aws), if updates == 0 { "ROLLBACK_SUCCESSFUL" } else { "SUCCESSFUL" });
    }
}

#[test]
fn a_stop_that_comes_too_late_stops_nothing_else() {
    for code in ["ConflictException", "ServiceDeploymentNotFoundException", "AccessDeniedException"] {
        let Some(aws) = Aws::start() else { return };
        with_a_past(&aws);
        register(&aws, &image(4), &json!([]));
        aws.next_rollout(Rollout::Completes(3));
        update(&aws, 4);
        let refusal =
            format!("An error occurred ({code}) when calling the StopServiceDeployment operation: no");
        let script = rolling_back(&aws, "3").tool("aws", &format!(
            "[[ $2 != stop-service-deployment ]] || {{ echo '{refusal}' >&2; exit 254; }}\nexec '{}' \"$@\"",
            aws.client().display(),
        ));
        if code == "AccessDeniedException" {
            script.run().exits(1).says("stopping the deployment in progress of broker-api");
        } else {
            script.run().exits(0).outputs("live", "3");
            assert_eq!(live(&aws), (3, "COMPLETED".to_owned()));
        }
    }
}

#[test]
fn after_a_failed_deployment_only_what_it_left_is_put_back() {
    // ECS has done it.
    let Some(aws) = Aws::start() else { return };
    with_a_past(&aws);
    register(&aws, &image(4), &json!([]));
    aws.next_rollout(Rollout::Fails(1));
    aws.next_rollout(Rollout::Completes(3));
    update(&aws, 4);
    live(&aws);
    aws.forget_calls();
    let script = rolling_back(&aws, "3").env("FROM", "4");
    // It is doing it: its end is waited for.
    let ran =
        script.run().exits(0).outputs("revision", "3").outputs("state", "completed").outputs("live", "3");
    assert!(writes(&aws).is_empty(), "{}", ran.log);
    let ran =
        script.run().exits(0).outputs("previous", "4").outputs("revision", "3").outputs("state", "unchanged");
    ran.says("revision 3 is live already, and 4 is not: nothing to do");
    // Somebody else was quicker.
    let ran = rolling_back(&aws, "1")
        .env("FROM", "4")
        .run()
        .exits(3)
        .outputs("state", "unchanged")
        .outputs("live", "3");
    ran.says("::error::nothing was changed: the service broker-api is no longer at revision 4 but at 3");
    assert!(writes(&aws).is_empty());

    // ECS leaves it, without a circuit breaker.
    let Some(aws) = Aws::start() else { return };
    service_with(&aws, &json!({"deploymentConfiguration": breaker(false)}));
    register(&aws, &image(2), &json!([]));
    aws.next_rollout(Rollout::Fails(1));
    update(&aws, 2);
    live(&aws);
    rolling_back(&aws, "1")
        .env("FROM", "2")
        .run()
        .exits(0)
        .outputs("previous", "2")
        .outputs("state", "completed");
    assert_eq!(live(&aws), (1, "COMPLETED".to_owned()));
}

#[test]
fn what_was_asked_once_goes_back_once() {
    let Some(aws) = Aws::start() else { return };
    with_a_past(&aws);
    aws.next_rollout(Rollout::Completes(1));
    let asked = rolling_back(&aws, "previous").env("DRY_RUN", "true").run().exits(0);
    let script = rolling_back(&aws, &asked.outputs["revision"]).env("FROM", &asked.outputs["previous"]);
    script.run().exits(0).outputs("previous", "3").outputs("revision", "1").outputs("state", "completed");
    aws.forget_calls();
    script.run().exits(0).outputs("previous", "3").outputs("state", "unchanged").says("nothing to do");
    assert!(writes(&aws).is_empty());
    assert_eq!(live(&aws), (1, "COMPLETED".to_owned()));
}

#[test]
fn a_service_behind_a_classic_load_balancer_is_left_alone() {
    let Some(aws) = Aws::start() else { return };
    let classic = json!([{"loadBalancerName": "old", "containerName": "api", "containerPort": 80}]);
    service_with(&aws, &json!({"loadBalancers": classic}));
    aws.forget_calls();
    rolling_back(&aws, "previous").run().exits(3).says("behind a Classic Load Balancer");
    assert!(writes(&aws).is_empty());
}

#[test]
fn a_revision_that_failed_is_tried_again_where_it_is_asked_for() {
    let Some(aws) = Aws::start() else { return };
    service_with(&aws, &json!({"deploymentConfiguration": breaker(false)}));
    register(&aws, &image(2), &json!([]));
    aws.next_rollout(Rollout::Fails(1));
    update(&aws, 2);
    live(&aws);
    rolling_back(&aws, "2").run().exits(0).outputs("state", "completed").outputs("previous", "2");
    assert_eq!(live(&aws), (2, "COMPLETED".to_owned()));
}

#[test]
fn what_is_not_there_changes_nothing() {
    let Some(aws) = Aws::start() else { return };
    with_a_past(&aws);
    ecs(&aws, "DeregisterTaskDefinition", &json!({"taskDefinition": arn(2)}));
    aws.forget_calls();
    let refused = |script: Script, says: &str| {
        let ran = script.run().exits(3).says("::error::nothing was changed: ").says(says);
        assert!(ran.outputs.is_empty(), "{:?}", ran.outputs);
    };
    refused(rolling_back(&aws, "9"), "broker has no revision 9");
    refused(rolling_back(&aws, "2"), "revision 2 of broker is inactive");
    refused(rolling_back(&aws, "3"), "revision 3 of broker-api is live already");
    refused(
        rolling_back(&aws, "list").env("ECS_SERVICE", "absent"),
        "the cluster sandbox has no service absent",
    );
    refused(rolling_back(&aws, "list").env("ECS_CLUSTER", "absent"), "there is no cluster absent");
    assert!(writes(&aws).is_empty());
    ecs(&aws, "DeleteService", &json!({"cluster": CLUSTER, "service": SERVICE, "force": true}));
    refused(rolling_back(&aws, "1"), "is being removed, or was");
    let Some(aws) = Aws::start() else { return };
    service_with(&aws, &json!({"deploymentController": {"type": "EXTERNAL"}}));
    refused(rolling_back(&aws, "list"), "the deployment controller of broker-api is not ECS");
}

#[test]
fn a_rollback_that_fails_or_does_not_end_is_red() {
    let Some(aws) = Aws::start() else { return };
    with_a_past(&aws);
    aws.next_rollout(Rollout::Fails(1));
    let ran = rolling_back(&aws, "1").run().exits(4).outputs("state", "reversed").outputs("live", "3");
    ran.shows("### ❌ Not rolled back").shows("**reversed**, live is revision 3");
    aws.next_rollout(Rollout::NeverEnds);
    let script = rolling_back(&aws, "1").env("WAIT_TIMEOUT", "0");
    script.run().exits(5).outputs("state", "timeout").outputs("live", "1");
    // Started again it follows what it has begun.
    aws.forget_calls();
    script.run().exits(5).outputs("revision", "1").outputs("state", "timeout");
    assert!(writes(&aws).is_empty());
    // What goes back for ever is waited for as long as there is time.
    aws.next_rollout(Rollout::NeverEnds);
    let ran = rolling_back(&aws, "2").env("WAIT_TIMEOUT", "2").run().exits(5).outputs("state", "timeout");
    ran.says("still busy after 2 s: a deployment that was stopped has not ended").shows("**timeout**");
    assert_eq!(writes(&aws), ["StopServiceDeployment"]);
}

#[test]
fn nothing_is_written_where_aws_does_not_answer() {
    let Some(aws) = Aws::start() else { return };
    with_a_past(&aws);
    for (target, action, says) in [
        ("1", "ecs:DescribeServices", "reading the service broker-api"),
        ("1", "ecs:DescribeTaskDefinition", "reading revision 1 of broker"),
        ("previous", "ecs:DescribeTaskDefinition", "reading revision 3 of broker"),
        ("list", "ecs:ListTaskDefinitions", "listing the revisions of broker"),
        ("list", "ecs:DescribeTaskDefinition", "reading revision 3 of broker"),
        ("1", "ecs:ListServiceDeployments", "listing the deployments of broker-api"),
        ("1", "ecs:UpdateService", "updating the service broker-api"),
    ] {
        aws.fail_next(action, Failure::Status(403));
        rolling_back(&aws, target).run().exits(1).says(says).says("AccessDenied");
        assert_eq!(live(&aws), (3, "COMPLETED".to_owned()), "{action}");
    }
    let stand_in = r#"case $2 in
        describe-services) cat "$STATE/service" ;;
        *) echo "$2" >>"$STATE/asked"; cat "$STATE/other" ;;
    esac"#;
    let script = rolling_back(&aws, "1").tool("aws", stand_in);
    let deployment = json!({"id": "ecs-svc/1", "status": "PRIMARY", "taskDefinition": arn(3), "rolloutState": "COMPLETED"});
    let sound =
        json!({"failures": [], "services": [{"status": "ACTIVE", "deployments": [deployment]}]}).to_string();
    for hostile in HOSTILE.iter().step_by(3) {
        std::fs::write(script.state().join("other"), hostile).unwrap();
        std::fs::write(script.state().join("service"), &sound).unwrap();
        script.run().exits(1).says("what ECS answers of revision 1 is not understood");
        script.clone().env("TARGET_REVISION", "previous").run().exits(1).says("is not understood");
        std::fs::write(script.state().join("service"), hostile).unwrap();
        script.run().exits(1);
    }
    for wrong in [
        sound.replace("COMPLETED", "DONE"),
        sound.replace("PRIMARY", "ACTIVE"),
        sound.replace("ecs-svc/", ""),
    ] {
        std::fs::write(script.state().join("service"), wrong).unwrap();
        script.run().exits(1).says("what ECS answers of broker-api is not understood");
    }
    let asked = std::fs::read_to_string(script.state().join("asked")).unwrap();
    assert!(asked.lines().all(|asked| asked == "describe-task-definition"), "{asked}");
}

#[test]
fn a_run_that_is_killed_is_finished_by_the_next() {
    for calls in 1.. {
        let Some(aws) = Aws::start() else { return };
        with_a_past(&aws);
        register(&aws, &image(4), &json!([]));
        aws.next_rollout(Rollout::NeverEnds);
        update(&aws, 4);
        aws.forget_calls();
        let script = rolling_back(&aws, "1");
        aws.kill_at(calls);
        let ended = script.run_until_killed().is_some();
        let ran = script.run();
        // What has ended by now is no longer anything to roll back.
        assert!(
            ran.code == 0 || ran.code == 3 && ran.log.contains("is live already"),
            "{calls}: {}",
            ran.log
        );
        assert_eq!(live(&aws), (1, "COMPLETED".to_owned()), "{calls}: {}", ran.log);
        let updates = writes(&aws).iter().filter(|call| *call == "UpdateService").count();
        let stops = writes(&aws).iter().filter(|call| *call == "StopServiceDeployment").count();
        assert_eq!((updates, stops), (1, 1), "{calls}");
        if ended {
            assert!(calls > 7, "it makes {calls} calls");
            break;
        }
    }
}

#[test]
fn refuses_settings_of_the_wrong_shape() {
    let Some(aws) = Aws::start() else { return };
    let script = rolling_back(&aws, "list");
    asks_nothing(&aws, || {
        for (key, values) in [
            ("ECS_CLUSTER", &["", "a b", "$(touch pwned)"][..]),
            ("ECS_SERVICE", &["", "a/b", "x\n"]),
            (
                "TARGET_REVISION",
                &["", "List", "previous ", "0", "01", "-1", "1\n", "broker:1", "1 2", "$(id)"],
            ),
            ("FROM", &["previous", "0", "x"]),
            ("DRY_RUN", &["yes", "True"]),
            ("AWS_REGION", &["", "mars"]),
            ("WAIT_TIMEOUT", &["-1", "1m"]),
            ("WAIT_INTERVAL", &["0", "x"]),
        ] {
            refuses(&script, key, values);
        }
        refuses_hostile(&script, &["ECS_CLUSTER", "ECS_SERVICE", "TARGET_REVISION", "FROM", "DRY_RUN"]);
    });
}
