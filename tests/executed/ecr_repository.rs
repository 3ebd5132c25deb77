//! A repository on the emulated ECR, for the tests of the scripts that look and push there.

use serde_json::{Value, json};

use super::image_layout::Layout;
use super::script::Script;
use crate::aws::{ACCOUNT, Aws};

pub(crate) const REPOSITORY: &str = "broker/api";
pub(crate) const COMMIT_TAG: &str = "sha-6113728f27ae82c7b1a177c8d03f9e96e0adf246";
pub(crate) const MEDIA_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// Images that are not alike.
pub(crate) fn image(number: u8) -> Layout {
    Layout::small(&format!("image {number}"))
}

pub(crate) fn manifest(number: u8) -> String {
    image(number).manifest().to_owned()
}

pub(crate) fn digest(number: u8) -> String {
    image(number).digest
}

#[track_caller]
fn ecr(aws: &Aws, operation: &str, parameters: &Value) -> Value {
    let target = format!("AmazonEC2ContainerRegistry_V20150921.{operation}");
    let request =
        json!({"service": "ecr", "key": "testing", "target": target, "form": parameters.to_string()});
    let (status, body) = aws.request(&request);
    assert_eq!(status, 200, "{operation} {parameters}: {body}");
    serde_json::from_str(&body).unwrap()
}

/// An empty repository, whose tags do not move.
pub(crate) fn repository(aws: &Aws) {
    let parameters = json!({"repositoryName": REPOSITORY, "imageTagMutability": "IMMUTABLE"});
    ecr(aws, "CreateRepository", &parameters);
}

pub(crate) fn put_image(aws: &Aws, manifest: &str, tag: &str) {
    let parameters = json!({
        "repositoryName": REPOSITORY, "imageManifest": manifest, "imageManifestMediaType": MEDIA_TYPE, "imageTag": tag,
    });
    ecr(aws, "PutImage", &parameters);
}

/// The tags that are there, with the digest that they name.
pub(crate) fn tags(aws: &Aws) -> Vec<(String, String)> {
    let listed = ecr(aws, "ListImages", &json!({"repositoryName": REPOSITORY}));
    let text = |image: &Value, key: &str| image[key].as_str().unwrap_or_default().to_owned();
    let images = listed["imageIds"].as_array().unwrap();
    let mut tags: Vec<_> =
        images.iter().map(|image| (text(image, "imageTag"), text(image, "imageDigest"))).collect();
    tags.sort();
    tags
}

/// A script with the settings that both of them read.
pub(crate) fn settings(aws: &Aws, name: &str) -> Script {
    aws.lend(Script::new(name)).env("REGISTRY_ID", ACCOUNT).env("REPOSITORY", REPOSITORY)
}
