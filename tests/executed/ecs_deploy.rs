use serde_json::{Value, json};

use super::backend::refuses;
use super::ecs_service::{
    CLUSTER, COMMIT, FAMILY, SERVICE, arn, asks_nothing, breaker, definition, ecs, image, live,
    refuses_hostile, register, revision, role, service, service_with, settings, tag, update, writes,
};
use super::script::{HOSTILE, Script, assert_inert};
use crate::aws::{Aws, Failure, Rollout};

const RUN: &str = "https://github.com/octo-org/octo-repo/actions/runs/77/attempts/2";

/// The deployment of an image to the service.
fn deploying(aws: &Aws, image: &str) -> Script {
    settings(aws, "ecs-deploy.sh")
        .env("CONTAINER", "api")
        .env("IMAGE", image)
        .env("GITHUB_SHA", COMMIT)
        .env("RUN_URL", RUN)
}

/// The images of a revision: of the other container, and of the one that is deployed.
fn images(aws: &Aws, number: u64) -> [String; 2] {
    let revision = revision(aws, number);
    [0, 1].map(|at| {
        revision["taskDefinition"]["containerDefinitions"][at]["image"].as_str().unwrap().to_owned()
    })
}

#[test]
fn an_image_becomes_a_revision_and_the_revision_is_live() {
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    aws.next_rollout(Rollout::Completes(2));
    let script = deploying(&aws, &image(2)).env("TASK_ROLE_ARN", role("task"));
    let ran = script
        .run()
        .exits(0)
        .outputs("previous", "1")
        .outputs("revision", "2")
        .outputs("state", "completed")
        .outputs("live", "2")
        .says("revision 2 of broker is live")
        .shows("### ✅ Deployed")
        .shows("| Revision | `2`, before `1` |")
        .never_says("hush-hush")
        .never_says("::warning::");
    assert!(ran.outputs["deployment_id"].starts_with("ecs-svc/"));
    assert_inert(&ran.summary, &[]);
    assert_eq!(live(&aws), (2, "COMPLETED".to_owned()));
    assert_eq!(images(&aws, 2), ["public.ecr.aws/envoy:v1".to_owned(), image(2)]);

    let made = revision(&aws, 2);
    let made = (&made["taskDefinition"], made["tags"].as_array().unwrap());
    assert_eq!(made.0["executionRoleArn"], role("exec"), "what is not asked for stays");
    assert_eq!(made.0["taskRoleArn"], role("task"));
    assert_eq!((&made.0["cpu"], &made.0["networkMode"]), (&json!("256"), &json!("awsvpc")));
    assert_eq!(made.0["containerDefinitions"][1]["environment"][0]["value"], "hush-hush");
    assert!(made.1.contains(&json!({"key": "team", "value": "broker"})), "tags of others stay");
    for (name, value) in [("commit", COMMIT), ("run", RUN), ("previous", "1")] {
        assert_eq!(tag(&aws, 2, name).as_deref(), Some(value), "{name}");
    }

    // The same image again: nothing is written.
    let before = writes(&aws);
    let ran =
        script.run().exits(0).outputs("state", "unchanged").outputs("revision", "2").outputs("previous", "1");
    ran.says("live and stable: nothing to do").shows("This image is live already");
    assert_eq!(writes(&aws), before);
    // The next one: its tags are its own.
    deploying(&aws, &image(3)).run().exits(0).outputs("previous", "2").outputs("revision", "3");
    assert_eq!(tag(&aws, 3, "previous").as_deref(), Some("2"));
    assert_eq!(revision(&aws, 3)["tags"].as_array().unwrap().len(), 5);
}

#[test]
fn a_task_definition_from_the_checkout_is_what_counts() {
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    let mut file = definition("placeholder");
    file["cpu"] = json!("1024");
    // As DescribeTaskDefinition prints it, which many commit.
    for (key, value) in [
        ("taskDefinitionArn", json!(arn(7))),
        ("revision", json!(7)),
        ("status", json!("ACTIVE")),
        ("requiresAttributes", json!([{"name": "x"}])),
        ("compatibilities", json!(["FARGATE"])),
        ("registeredAt", json!("2026-01-01T00:00:00Z")),
        ("registeredBy", json!("somebody")),
        ("ephemeralStorage", json!(null)),
    ] {
        file[key] = value;
    }
    let script = deploying(&aws, &image(2))
        .file("infra/-task definition.json", file.to_string())
        .env("TASK_DEFINITION", "infra/-task definition.json")
        .env("EXECUTION_ROLE_ARN", role("other"));
    script.run().exits(0).outputs("revision", "2").outputs("state", "completed");
    let made = revision(&aws, 2);
    assert_eq!(made["taskDefinition"]["cpu"], "1024");
    assert_eq!(made["taskDefinition"]["executionRoleArn"], role("other"));
    assert_eq!(images(&aws, 2)[1], image(2));
    // AWS has filled in what the file leaves out, and still it is the same.
    script.run().exits(0).outputs("state", "unchanged").outputs("live", "2");
    // Another file is another revision, with the same image too. Without a family it is the service's.
    file["cpu"] = json!("512");
    file.as_object_mut().unwrap().remove("family");
    let script = script.file("infra/-task definition.json", file.to_string());
    script.run().exits(0).outputs("revision", "3").outputs("previous", "2");
}

#[test]
fn a_bad_image_is_red_and_says_what_is_live() {
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    aws.next_rollout(Rollout::Fails(1));
    let ran = deploying(&aws, &image(2)).run().exits(4);
    ran.outputs("state", "reversed")
        .outputs("previous", "1")
        .outputs("revision", "2")
        .outputs("live", "1")
        .says("::error::the deployment of revision 2 did not last and the service was put back: revision 1 is live")
        .shows("### ❌ Not deployed")
        .shows("**reversed**, live is revision 1");
    assert_eq!(live(&aws).0, 1);
    // The next good one replaces what was live, not what failed.
    deploying(&aws, &image(3)).run().exits(0).outputs("previous", "1").outputs("revision", "3");
    assert_eq!(tag(&aws, 3, "previous").as_deref(), Some("1"));
}

#[test]
fn a_deployment_that_does_not_end_is_left_to_the_next_run() {
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    aws.next_rollout(Rollout::NeverEnds);
    let script = deploying(&aws, &image(2)).env("WAIT_TIMEOUT", "0");
    let ran = script.run().exits(5).outputs("state", "timeout").outputs("live", "2").says("it goes on");
    let id = ran.outputs["deployment_id"].clone();
    // Started again it goes on with the same one.
    let before = writes(&aws);
    let ran = script.run().exits(5).says("has this image already, and is being deployed");
    ran.outputs("deployment_id", &id).outputs("revision", "2").outputs("previous", "1");
    assert_eq!(writes(&aws), before);
    // Another image replaces it: what there is to go back to is still what was stable.
    let ran = deploying(&aws, &image(3)).run().exits(0).outputs("previous", "1").outputs("revision", "3");
    ran.says("::warning::the deployment of revision 2 is still in progress: this one replaces it");
}

#[test]
fn where_nothing_puts_back_a_failure_is_tried_again() {
    let Some(aws) = Aws::start() else { return };
    service_with(&aws, &json!({"deploymentConfiguration": breaker(false)}));
    let none = "has no deployment circuit breaker that rolls back";
    let script = deploying(&aws, &image(2));
    let prepared = writes(&aws);
    script.clone().env("ON_NO_CIRCUIT_BREAKER", "fail").run().exits(3).says("::error::").says(none);
    assert_eq!(writes(&aws), prepared);
    aws.next_rollout(Rollout::Fails(1));
    script.run().exits(4).outputs("state", "failed").outputs("live", "2").says("::warning::").says(none);
    let ran =
        script.run().exits(0).outputs("state", "completed").outputs("revision", "2").outputs("previous", "1");
    assert_eq!(live(&aws), (2, "COMPLETED".to_owned()), "{}", ran.log);
    assert_eq!(writes(&aws).last().unwrap(), "UpdateService");
}

#[test]
fn a_service_that_was_never_stable_has_nothing_to_go_back_to() {
    let Some(aws) = Aws::start() else { return };
    service_with(&aws, &json!({"deploymentConfiguration": breaker(false), "desiredCount": 0}));
    aws.next_rollout(Rollout::Fails(1));
    register(&aws, &image(2), &json!([]));
    update(&aws, 2);
    live(&aws);
    // moto's first deployment was stable: here it is no longer shown.
    let script = deploying(&aws, &image(3)).tool("aws", &format!(
        "if [[ $2 == describe-services && ! -e $STATE/once ]]; then touch \"$STATE/once\"; '{0}' \"$@\" | jq '.services[0].deployments |= .[:1]'; exit; fi\nexec '{0}' \"$@\"",
        aws.client().display(),
    ));
    let ran = script.run().exits(0).outputs("previous", "").outputs("revision", "3");
    ran.says("::warning::no revision of broker-api is stable: there is none to go back to")
        .says("::warning::the service broker-api wants no task")
        .shows("before `none`");
    assert_eq!(tag(&aws, 3, "previous"), None);
}

#[test]
fn what_cannot_take_the_image_is_left_alone() {
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    let script = deploying(&aws, &image(2));
    let prepared = writes(&aws);
    let refused = |script: Script, says: &str| {
        let ran = script.run().exits(3).says("::error::nothing was deployed: ").says(says);
        assert!(ran.outputs.is_empty(), "{:?}", ran.outputs);
    };
    let file = |change: &dyn Fn(&mut Value)| {
        let mut file = definition("x");
        change(&mut file);
        script.clone().file("task.json", file.to_string()).env("TASK_DEFINITION", "task.json")
    };
    refused(script.clone().env("ECS_CLUSTER", "elsewhere"), "there is no cluster elsewhere in us-east-1");
    refused(script.clone().env("ECS_SERVICE", "absent"), "the cluster sandbox has no service absent");
    refused(script.clone().env("CONTAINER", "API"), "the task definition has no container API");
    refused(
        file(&|file| file["family"] = json!("Broker")),
        "is of another family than the one of broker-api, broker",
    );
    refused(file(&|file| file["containerDefinitions"][1]["name"] = json!("web")), "no container api");
    refused(file(&|file| file["containerDefinitions"][0]["name"] = json!("api")), "no container api");
    assert_eq!(writes(&aws), prepared);

    ecs(&aws, "DeleteService", &json!({"cluster": CLUSTER, "service": SERVICE, "force": true}));
    refused(script, "the service broker-api is being removed, or was");
    let Some(aws) = Aws::start() else { return };
    let classic = json!([{"loadBalancerName": "old", "containerName": "api", "containerPort": 80}]);
    service_with(&aws, &json!({"loadBalancers": classic}));
    aws.forget_calls();
    refused(deploying(&aws, &image(2)), "behind a Classic Load Balancer");
    assert!(writes(&aws).is_empty());
    let Some(aws) = Aws::start() else { return };
    service_with(&aws, &json!({"deploymentController": {"type": "CODE_DEPLOY"}}));
    refused(deploying(&aws, &image(2)), "the deployment controller of broker-api is not ECS");
}

#[test]
fn nothing_is_written_where_aws_does_not_answer() {
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    let script = deploying(&aws, &image(2));
    for (action, says, revision) in [
        ("ecs:DescribeServices", "reading the service broker-api", 1),
        ("ecs:DescribeTaskDefinition", "reading revision 1 of broker", 1),
        ("ecs:RegisterTaskDefinition", "registering a revision of broker", 1),
        ("ecs:TagResource", "registering a revision of broker", 1),
        ("ecs:UpdateService", "updating the service broker-api", 2),
    ] {
        aws.fail_next(action, Failure::Status(403));
        script.run().exits(1).says(says).says("AccessDenied");
        assert_eq!(live(&aws), (1, "COMPLETED".to_owned()), "{action}");
        let listed = ecs(&aws, "ListTaskDefinitions", &json!({"familyPrefix": FAMILY}));
        assert_eq!(listed["taskDefinitionArns"].as_array().unwrap().len(), revision, "{action}");
    }
    // A file that AWS takes no parameter of is refused by its client.
    let mut file = definition("x");
    file["containerDefinition"] = json!([]);
    let file = script.clone().file("task.json", file.to_string()).env("TASK_DEFINITION", "task.json");
    file.run().exits(1).says("containerDefinition").never_says("hush-hush");
    // While it is followed.
    aws.next_rollout(Rollout::Completes(1));
    let blind = script.tool("aws", &format!(
        "[[ $2 != describe-services || ! -e $STATE/updated ]] || exit 255\n[[ $2 != update-service ]] || touch \"$STATE/updated\"\nexec '{}' \"$@\"",
        aws.client().display(),
    ));
    let ran =
        blind.run().exits(1).outputs("state", "unknown").outputs("revision", "3").outputs("previous", "1");
    ran.shows("live is unknown");
}

#[test]
fn answers_that_are_not_understood_deploy_nothing() {
    let Some(aws) = Aws::start() else { return };
    let stand_in = r#"case $2 in
        describe-services) cat "$STATE/service" ;;
        describe-task-definition) cat "$STATE/definition" ;;
        *) echo "$2" >>"$STATE/written"; echo '{}' ;;
    esac"#;
    let script = deploying(&aws, &image(2)).tool("aws", stand_in);
    let put = |file: &str, answer: &str| std::fs::write(script.state().join(file), answer).unwrap();
    let deployment = json!({"id": "ecs-svc/1", "status": "PRIMARY", "taskDefinition": arn(1), "rolloutState": "COMPLETED"});
    let service = |deployments: Value| {
        json!({"failures": [], "services": [{"status": "ACTIVE", "desiredCount": 1, "deployments": deployments}]}).to_string()
    };
    let read = json!({"taskDefinition": definition("x"), "tags": []}).to_string();
    let mut wrong: Vec<(String, String)> = HOSTILE
        .iter()
        .step_by(3)
        .flat_map(|hostile| {
            [((*hostile).to_owned(), read.clone()), (service(json!([deployment])), (*hostile).to_owned())]
        })
        .collect();
    let mut other = deployment.clone();
    other["taskDefinition"] = json!("broker:1");
    let mut untold = deployment.clone();
    untold["rolloutState"] = json!(null);
    for deployments in
        [json!([]), json!(null), json!([deployment, deployment]), json!([other]), json!([untold])]
    {
        wrong.push((service(deployments), read.clone()));
    }
    wrong.push(("{\"services\": []}".to_owned(), read.clone()));
    for (service, definition) in &wrong {
        put("service", service);
        put("definition", definition);
        let ran = script.run();
        assert!([1, 3].contains(&ran.code), "{service} {definition}: {}", ran.log);
        assert!(!script.state().join("written").exists(), "{service} {definition}");
    }
    // Nor is what was written taken for granted.
    put("service", &service(json!([deployment])));
    put("definition", &read);
    script.run().exits(1).says("what ECS answers of the new revision of broker is not understood");
}

#[test]
fn a_run_that_is_killed_is_finished_by_the_next() {
    for calls in 1.. {
        let Some(aws) = Aws::start() else { return };
        service(&aws);
        let script = deploying(&aws, &image(2));
        aws.kill_at(calls);
        let ended = script.run_until_killed().is_some();
        let ran = script.run().exits(0);
        let state = if calls > 3 { "unchanged" } else { "completed" };
        let ran = ran.outputs("state", state).outputs("previous", "1");
        // A revision that nothing has deployed is passed over.
        let revision = if calls == 3 { 3 } else { 2 };
        let ran = ran.outputs("revision", &revision.to_string());
        assert_eq!(live(&aws), (revision, "COMPLETED".to_owned()), "{calls}: {}", ran.log);
        let updates = aws.calls().iter().filter(|call| call.operation == "UpdateService").count();
        assert_eq!(updates, 1, "{calls}");
        if ended {
            assert!(calls > 5, "it makes {calls} calls");
            break;
        }
    }
}

#[test]
fn refuses_settings_of_the_wrong_shape() {
    let Some(aws) = Aws::start() else { return };
    let script = deploying(&aws, &image(2))
        .file("not json", "{")
        .file("list", "[]")
        .file("two", "{\"containerDefinitions\": []} {\"containerDefinitions\": []}")
        .file("none", "{\"containerDefinitions\": {}}");
    let untagged = image(2).replace('@', ":v1@");
    asks_nothing(&aws, || {
        for (key, values) in [
            ("ECS_CLUSTER", &["", "a b", "$(touch pwned)"][..]),
            ("ECS_SERVICE", &["", "a/b", "x\n"]),
            ("CONTAINER", &["", "a b", "a'b"]),
            (
                "IMAGE",
                &[
                    "",
                    "app",
                    "app:latest",
                    &untagged,
                    &image(2).to_uppercase(),
                    &format!("{} ", image(2)),
                    &image(2)[..90],
                ],
            ),
            ("TASK_DEFINITION", &["missing.json", ".", "$(touch pwned)"]),
            ("TASK_ROLE_ARN", &["task", "arn:aws:iam::1:role/x", "arn:aws:iam::123456789012:user/x"]),
            ("EXECUTION_ROLE_ARN", &["exec", "arn:aws:iam::123456789012:role/a b"]),
            ("AWS_REGION", &["", "mars"]),
            ("GITHUB_SHA", &["", "main", &COMMIT[..12], &COMMIT.to_uppercase()]),
            ("RUN_URL", &["", "javascript:x", "https://x/\n"]),
            ("WAIT_TIMEOUT", &["-1", "1m"]),
            ("WAIT_INTERVAL", &["0", "x"]),
            ("ON_NO_CIRCUIT_BREAKER", &["Warn", "ignore", "fail "]),
        ] {
            refuses(&script, key, values);
        }
        for file in ["not json", "list", "two", "none"] {
            script
                .clone()
                .env("TASK_DEFINITION", file)
                .run()
                .exits(2)
                .says("::error::TASK_DEFINITION must hold");
        }
        refuses_hostile(
            &script,
            &[
                "ECS_CLUSTER",
                "ECS_SERVICE",
                "CONTAINER",
                "IMAGE",
                "TASK_DEFINITION",
                "TASK_ROLE_ARN",
                "RUN_URL",
            ],
        );
    });
}
