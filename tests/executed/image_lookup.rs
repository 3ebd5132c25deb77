use serde_json::json;

use super::backend::refuses;
use super::ecr_repository::{COMMIT_TAG, REPOSITORY, digest, manifest, put_image, repository, settings};
use super::ecs_service::{asks_nothing, refuses_hostile};
use super::image_push::to_hub;
use super::script::{HOSTILE, Script};
use crate::aws::{Aws, Failure};
use crate::images::Registry;

fn looking(aws: &Aws, version: &str) -> Script {
    settings(aws, "image-lookup.sh").env("COMMIT_TAG", COMMIT_TAG).env("VERSION_TAG", version)
}

#[test]
fn an_image_of_the_commit_is_used_again() {
    let Some(aws) = Aws::start() else { return };
    repository(&aws);
    let script = looking(&aws, "1.2.0");
    script.run().exits(0).outputs("digest", "").says("has to be built");
    put_image(&aws, &manifest(1), COMMIT_TAG);
    // With another version, and with the one that it has.
    script.run().exits(0).outputs("digest", &digest(1)).says("is there already: sha256:");
    put_image(&aws, &manifest(1), "1.2.0");
    script.run().exits(0).outputs("digest", &digest(1));
    assert!(aws.calls().iter().all(|call| call.action != "ecr:BatchGetImage"));
}

#[test]
fn a_version_that_is_another_images_is_refused() {
    let Some(aws) = Aws::start() else { return };
    repository(&aws);
    put_image(&aws, &manifest(2), "1.2.0");
    let script = looking(&aws, "1.2.0");
    // The commit has none yet: what is built would have another digest.
    let ran = script.run().exits(3).says("::error::the version 1.2.0 is taken");
    assert!(ran.outputs.is_empty());
    put_image(&aws, &manifest(1), COMMIT_TAG);
    let ran = script.run().exits(3).says("Choose another version");
    assert!(ran.outputs.is_empty());
}

#[test]
fn a_repository_that_is_missing_is_created_by_somebody_else() {
    let Some(aws) = Aws::start() else { return };
    let ran = looking(&aws, "1.2.0").run().exits(4).says(
        "aws ecr create-repository --repository-name broker/api --image-tag-mutability IMMUTABLE --region us-east-1",
    );
    assert!(ran.outputs.is_empty());
    // Where that was asked for, the push makes it: there is no image yet.
    let script = looking(&aws, "1.2.0").env("CREATE_REPOSITORY", "true");
    script.run().exits(0).outputs("digest", "").says("has to be built").never_says("::error::");
    assert!(aws.calls().iter().all(|call| call.action == "ecr:DescribeImages"), "{:?}", aws.calls());
    script.env("CREATE_REPOSITORY", "yes").run().exits(2);
}

#[test]
fn no_answer_is_not_taken_for_no_image() {
    let Some(aws) = Aws::start() else { return };
    repository(&aws);
    put_image(&aws, &manifest(1), COMMIT_TAG);
    let script = looking(&aws, "1.2.0");
    for failure in [Failure::Status(403), Failure::Status(500), Failure::Drop] {
        aws.fail_next("ecr:DescribeImages", failure);
        let ran = script.run().exits(5).says("::error::whether broker/api has the image is unknown");
        assert!(ran.outputs.is_empty());
    }
    let answers = script.clone().tool("aws", "cat \"$STATE/answer\"");
    let sound = json!({"imageDetails": [{"imageDigest": digest(1)}]}).to_string();
    let twice = json!({"imageDetails": [{"imageDigest": digest(1)}, {"imageDigest": digest(1)}]}).to_string();
    let short = sound.replace("sha256:", "sha256:0");
    let wrong = ["{}", "", "{\"imageDetails\": []}", &twice, &short];
    for answer in wrong.iter().chain(HOSTILE) {
        std::fs::write(answers.state().join("answer"), answer).unwrap();
        let ran = answers.run().exits(5).says("::error::ECR does not say which image");
        assert!(ran.outputs.is_empty());
    }
}

#[test]
fn refuses_settings_of_the_wrong_shape() {
    let Some(aws) = Aws::start() else { return };
    let script = looking(&aws, "1.2.0");
    asks_nothing(&aws, || {
        for (key, values) in [
            ("AWS_REGION", &["", "mars"][..]),
            ("REGISTRY_ID", &["1", "123456789012 "]),
            ("REPOSITORY", &["", "App", "a//", "/a", "a b", "$(touch pwned)", &format!("{REPOSITORY}\n")]),
            (
                "COMMIT_TAG",
                &["", "sha-", "6113728f27ae82c7b1a177c8d03f9e96e0adf246", &COMMIT_TAG.to_uppercase()],
            ),
            ("VERSION_TAG", &["", ".1", "-1", "a b", "1\n", COMMIT_TAG, &"1".repeat(129)]),
        ] {
            refuses(&script, key, values);
        }
        refuses_hostile(&script, &["AWS_REGION", "REGISTRY_ID", "REPOSITORY", "COMMIT_TAG", "VERSION_TAG"]);
    });
}

#[test]
fn another_registry_shows_what_it_has_to_whom_it_lets_in() {
    let Some(aws) = Aws::start() else { return };
    let Some(registry) = Registry::start(&aws, "docker.io") else { return };
    let mut world = (aws, registry);
    let nobody = looking(&world.0, "1.2.0").without("REGISTRY_ID").env("REGISTRY", "docker.io");
    let nobody = nobody.tool("skopeo", world.1.skopeo());
    let somebody =
        nobody.clone().env("REGISTRY_USERNAME", "acme-bot").env("REGISTRY_PASSWORD", "dckr-pat-1234");
    let hidden = "::notice::whether docker.io/broker/api has sha-";
    nobody.run().exits(0).outputs("digest", "").says(hidden);
    somebody.run().exits(0).outputs("digest", "").says("has to be built").never_says("::notice::");

    to_hub(&world, 1).run().exits(0);
    nobody.run().exits(0).outputs("digest", "").says(hidden);
    somebody.run().exits(0).outputs("digest", &digest(1)).says("is there already");
    let wrong = somebody.clone().env("REGISTRY_PASSWORD", "dckr-pat-0000");
    wrong
        .run()
        .exits(5)
        .says("::error::docker.io does not let this job in")
        .says("invalid username/password");
    world.1.end();
    nobody.run().exits(0).outputs("digest", "").says(hidden).says("connection refused");
    somebody.run().exits(5).says("::error::docker.io does not let this job in");
}
