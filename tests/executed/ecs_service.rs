//! A service on the emulated ECS, for the tests of the scripts that deploy it.

use serde_json::{Value, json};

use super::script::{HOSTILE, Script};
use crate::aws::{ACCOUNT, Aws};

pub(crate) const CLUSTER: &str = "sandbox";
pub(crate) const SERVICE: &str = "broker-api";
/// The family of its task definitions.
pub(crate) const FAMILY: &str = "broker";
pub(crate) const COMMIT: &str = "6113728f27ae82c7b1a177c8d03f9e96e0adf246";

/// An image, by a digest of its own.
pub(crate) fn image(number: u8) -> String {
    format!(
        "{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/broker/api@sha256:{}",
        format!("{number:02x}").repeat(32)
    )
}

/// Calls ECS without a client.
#[track_caller]
pub(crate) fn ecs(aws: &Aws, operation: &str, parameters: &Value) -> Value {
    let target = format!("AmazonEC2ContainerServiceV20141113.{operation}");
    let request =
        json!({"service": "ecs", "key": "testing", "target": target, "form": parameters.to_string()});
    let (status, body) = aws.request(&request);
    assert_eq!(status, 200, "{operation} {parameters}: {body}");
    serde_json::from_str(&body).unwrap()
}

/// What a new revision is made of, before a deployment changes it.
pub(crate) fn definition(image: &str) -> Value {
    json!({
        "family": FAMILY, "cpu": "256", "memory": "512", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
        "executionRoleArn": role("exec"),
        "containerDefinitions": [
            {"name": "proxy", "image": "public.ecr.aws/envoy:v1", "memory": 128},
            {"name": "api", "image": image, "memory": 256, "environment": [{"name": "TOKEN", "value": "hush-hush"}]},
        ],
    })
}

pub(crate) fn role(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

/// Registers a revision, which nothing deploys; its number.
pub(crate) fn register(aws: &Aws, image: &str, tags: &Value) -> u64 {
    let mut definition = definition(image);
    definition["tags"] = tags.clone();
    ecs(aws, "RegisterTaskDefinition", &definition)["taskDefinition"]["revision"].as_u64().unwrap()
}

pub(crate) fn arn(revision: u64) -> String {
    format!("arn:aws:ecs:us-east-1:{ACCOUNT}:task-definition/{FAMILY}:{revision}")
}

/// A service that runs revision 1, `image(1)`, and has a circuit breaker with rollback.
pub(crate) fn service(aws: &Aws) {
    service_with(aws, &json!({"deploymentConfiguration": breaker(true)}));
}

pub(crate) fn breaker(rollback: bool) -> Value {
    json!({"deploymentCircuitBreaker": {"enable": true, "rollback": rollback}})
}

pub(crate) fn service_with(aws: &Aws, settings: &Value) {
    ecs(aws, "CreateCluster", &json!({"clusterName": CLUSTER}));
    register(aws, &image(1), &json!([{"key": "team", "value": "broker"}]));
    let mut parameters =
        json!({"cluster": CLUSTER, "serviceName": SERVICE, "taskDefinition": FAMILY, "desiredCount": 2});
    for (key, value) in settings.as_object().unwrap() {
        parameters[key] = value.clone();
    }
    ecs(aws, "CreateService", &parameters);
}

/// Deploys a revision as something else would; the id of the deployment.
pub(crate) fn update(aws: &Aws, revision: u64) -> String {
    let parameters = json!({"cluster": CLUSTER, "service": SERVICE, "taskDefinition": arn(revision)});
    let updated = ecs(aws, "UpdateService", &parameters);
    updated["service"]["deployments"][0]["id"].as_str().unwrap().to_owned()
}

/// The service, after one more look at it.
pub(crate) fn look(aws: &Aws) -> Value {
    ecs(aws, "DescribeServices", &json!({"cluster": CLUSTER, "services": [SERVICE]}))["services"][0].clone()
}

/// The number of the primary revision, and how its deployment fares.
pub(crate) fn live(aws: &Aws) -> (u64, String) {
    let service = look(aws);
    let deployments = service["deployments"].as_array().unwrap();
    let primary = deployments.iter().find(|deployment| deployment["status"] == "PRIMARY").unwrap();
    let number = primary["taskDefinition"].as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap();
    (number, primary["rolloutState"].as_str().unwrap().to_owned())
}

/// A revision, with its tags.
pub(crate) fn revision(aws: &Aws, number: u64) -> Value {
    ecs(aws, "DescribeTaskDefinition", &json!({"taskDefinition": arn(number), "include": ["TAGS"]}))
}

/// Of a revision's tags, the one that pyfleet has set.
pub(crate) fn tag(aws: &Aws, number: u64, name: &str) -> Option<String> {
    let revision = revision(aws, number);
    let key = format!("pyfleet:{name}");
    let tag = revision["tags"].as_array().unwrap().iter().find(|tag| tag["key"] == *key)?;
    Some(tag["value"].as_str().unwrap().to_owned())
}

/// A script with the settings that every one of them reads. It looks again at once: looks are what time passes by.
pub(crate) fn settings(aws: &Aws, name: &str) -> Script {
    aws.lend(Script::new(name))
        .tool("sleep", "exit 0\n")
        .env("ECS_CLUSTER", CLUSTER)
        .env("ECS_SERVICE", SERVICE)
        .env("WAIT_TIMEOUT", "20")
        .env("WAIT_INTERVAL", "1")
}

/// The calls to ECS that change something.
pub(crate) fn writes(aws: &Aws) -> Vec<String> {
    let mut written: Vec<_> = aws
        .calls()
        .into_iter()
        .filter(|call| {
            call.service == "ecs"
                && !call.action.starts_with("ecs:Describe")
                && !call.action.starts_with("ecs:List")
        })
        .map(|call| call.operation)
        .collect();
    written.dedup();
    written
}

/// Nothing but the tests' own preparation was asked for.
#[track_caller]
pub(crate) fn asks_nothing(aws: &Aws, run: impl FnOnce()) {
    let before = aws.calls().len();
    run();
    assert_eq!(aws.calls().len(), before);
}

/// Hostile texts, each for one of these settings, are refused as usage.
#[track_caller]
pub(crate) fn refuses_hostile(script: &Script, names: &[&str]) {
    for (hostile, name) in HOSTILE.iter().zip(names.iter().cycle()) {
        let ran = script.clone().env(name, hostile).run().exits(2).says(&format!("::error::{name} must be"));
        assert!(ran.outputs.is_empty() && ran.summary.is_empty());
    }
}
