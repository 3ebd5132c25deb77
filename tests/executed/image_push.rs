use std::fs;
use std::path::Path;

use serde_json::json;

use super::backend::refuses;
use super::ecr_repository::{
    COMMIT_TAG, MEDIA_TYPE, REPOSITORY, digest, image, manifest, put_image, repository, settings, tags,
};
use super::ecs_service::{asks_nothing, refuses_hostile};
use super::image_layout::Layout;
use super::script::{HOSTILE, Script, assert_inert};
use crate::aws::{ACCOUNT, Aws, Failure};
use crate::images::Registry;

const REGISTRY: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";

/// An empty AWS, and the registry that is its ECR's.
fn start() -> Option<(Aws, Registry)> {
    let aws = Aws::start()?;
    let registry = Registry::of_ecr(&aws)?;
    Some((aws, registry))
}

/// The push of image 1, from an archive that holds another, after something happened to its directory.
fn pushing_of((aws, registry): &(Aws, Registry), held: &Layout, change: impl FnOnce(&Path)) -> Script {
    let script = settings(aws, "image-push.sh").tool("skopeo", registry.skopeo());
    held.archive(&script.directory().join("-the image.tar"), change);
    script
        .env("IMAGE_ARCHIVE", "-the image.tar")
        .env("DIGEST", digest(1))
        .env("REGISTRY", REGISTRY)
        .env("TAGS", json!([COMMIT_TAG, "1.2.0"]).to_string())
}

fn pushing(world: &(Aws, Registry)) -> Script {
    pushing_of(world, &image(1), |_| ())
}

/// What skopeo was asked for.
fn asked(script: &Script) -> Vec<String> {
    let asked = fs::read_to_string(script.state().join("skopeo")).unwrap_or_default();
    asked.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

fn both() -> Vec<(String, String)> {
    vec![("1.2.0".to_owned(), digest(1)), (COMMIT_TAG.to_owned(), digest(1))]
}

#[test]
fn the_image_gets_both_tags_and_the_second_run_does_nothing() {
    let Some(world) = start() else { return };
    let aws = &world.0;
    repository(aws);
    let script = pushing(&world);
    let ran = script.run().exits(0).says("pushed broker/api:sha-").says("pushed broker/api:1.2.0");
    let ran = ran.shows("### 📦 `broker/api`").shows(&format!("| `1.2.0` | `{}` | pushed |", digest(1)));
    assert_inert(&ran.summary, &[]);
    assert_eq!(ran.outputs["digest"], digest(1));
    assert_eq!(tags(aws), both());
    // The commit's tag first: it is what the next run looks for.
    let asked_for = fs::read_to_string(script.state().join("skopeo")).unwrap();
    let first = asked_for.lines().nth(1).unwrap();
    assert!(first.ends_with(&format!("docker://{REGISTRY}/{REPOSITORY}:{COMMIT_TAG}")), "{first}");
    assert!(!asked_for.contains("auth-token"), "a password among the arguments");

    // Nor does it need the archive then.
    let script = script.prepare("rm", &["./-the image.tar"]);
    script.run().exits(0).shows("| was there |");
    assert_eq!(asked(&script), ["login", "copy", "copy"]);
    // Nor for a further name of what is there.
    let script = script.env("TAGS", json!([COMMIT_TAG, "1.3.0"]).to_string());
    script.run().exits(0).says("pushed broker/api:1.3.0").shows("| was there |");
    assert!(tags(aws).contains(&("1.3.0".to_owned(), digest(1))), "{:?}", tags(aws));
    let from = format!("docker://{REGISTRY}/{REPOSITORY}@{} docker://", digest(1));
    assert!(fs::read_to_string(script.state().join("skopeo")).unwrap().contains(&from));
    // What is not there cannot come from nowhere.
    let script = script.env("TAGS", json!(["sha-x", "1.4.0"]).to_string());
    script.run().exits(5).says("it was removed: start a new run");
}

#[test]
fn a_tag_of_another_image_stops_it_before_anything_leaves() {
    for taken in [COMMIT_TAG, "1.2.0"] {
        let Some(world) = start() else { return };
        let aws = &world.0;
        repository(aws);
        put_image(aws, &manifest(2), taken);
        let script = pushing(&world);
        script
            .run()
            .exits(3)
            .says(&format!("::error::the tag {taken} of broker/api is taken"))
            .says("Nothing was pushed");
        assert_eq!(tags(aws).len(), 1);
        assert!(asked(&script).is_empty());
    }
}

#[test]
fn an_archive_of_another_image_does_not_leave() {
    let Some(world) = start() else { return };
    let aws = &world.0;
    repository(aws);
    let broken = pushing(&world).file("not a tar", "x").env("IMAGE_ARCHIVE", "not a tar");
    // Another one; another one under this digest; no archive at all.
    let forged = pushing_of(&world, &image(1), |root| {
        let blob = root.join("blobs/sha256").join(digest(1).trim_start_matches("sha256:"));
        fs::write(blob, manifest(2)).unwrap();
    });
    for script in [pushing_of(&world, &image(2), |_| ()), forged, broken] {
        script
            .run()
            .exits(4)
            .says("the archive does not hold the image that was scanned")
            .says("Nothing was pushed");
        assert!(asked(&script).is_empty());
    }
    assert!(tags(aws).is_empty());
}

#[test]
fn what_the_registry_has_is_read_back() {
    let Some(world) = start() else { return };
    let aws = &world.0;
    repository(aws);
    // A skopeo that converts, and one that does nothing.
    for (tool, names) in [
        (
            format!(
                "[[ $1 != copy ]] || {{ aws ecr put-image --repository-name {REPOSITORY} --image-tag {COMMIT_TAG} --image-manifest '{}' --image-manifest-media-type {MEDIA_TYPE} >/dev/null; exit; }}\n{}",
                manifest(3),
                world.1.skopeo()
            ),
            "names sha256:",
        ),
        ("cat >/dev/null".to_owned(), "names nothing"),
    ] {
        let script = pushing(&world)
            .tool("skopeo", &tool)
            .env("TAGS", json!([if names.ends_with("nothing") { "x" } else { COMMIT_TAG }]).to_string());
        script.run().exits(4).says(names).says("do not deploy it");
    }
}

#[test]
fn a_registry_that_does_not_take_it_is_red() {
    let Some(world) = start() else { return };
    let aws = &world.0;
    pushing(&world).run().exits(1).says("RepositoryNotFoundException");
    repository(aws);
    for failure in [Failure::Status(403), Failure::Status(500), Failure::Drop] {
        aws.fail_next("ecr:DescribeImages", failure);
        pushing(&world).run().exits(1).says("::error::ECR does not say whether");
        aws.fail_next("ecr:GetAuthorizationToken", failure);
        pushing(&world).run().exits(1).says(&format!("::error::{REGISTRY} does not let this job in"));
        aws.fail_next("ecr:PutImage", failure);
        pushing(&world).run().exits(1).says("could not be pushed").says("the registry refused");
    }
    assert!(tags(aws).is_empty());
    let hostile = HOSTILE.join("\n");
    let script = pushing(&world).tool(
        "skopeo",
        &format!("[[ $1 != copy ]] || {{ cat <<'EOF'\n{hostile}\nEOF\nexit 1; }}\n{}", world.1.skopeo()),
    );
    script.run().exits(1);
}

#[test]
fn a_run_that_is_killed_is_finished_by_the_next() {
    let mut calls = 0;
    loop {
        let Some(world) = start() else { return };
        let aws = &world.0;
        repository(aws);
        let script = pushing(&world);
        calls += 1;
        aws.kill_at(calls);
        let ended = script.run_until_killed().is_some();
        script.run().exits(0);
        assert_eq!(tags(aws), both(), "{calls}");
        if ended {
            break;
        }
    }
    assert_eq!(calls, 8, "two looks, the login, two pushes, each read back");
}

#[test]
fn refuses_settings_of_the_wrong_shape() {
    let Some(world) = start() else { return };
    let aws = &world.0;
    let script = pushing(&world);
    asks_nothing(aws, || {
        for (key, values) in [
            ("IMAGE_ARCHIVE", &["", "a:b", "a\nb"][..]),
            ("DIGEST", &["", "sha256:", &digest(1).to_uppercase(), &format!("{} ", digest(1))]),
            ("REGISTRY", &["", "https://x", "a b", "x/y"]),
            ("REGISTRY_ID", &["1", &format!("{ACCOUNT} ")]),
            ("REPOSITORY", &["", "App", "a//b", "$(touch pwned)"]),
            (
                "TAGS",
                &[
                    "",
                    "[]",
                    "{}",
                    "\"a\"",
                    "[1]",
                    "[\"a b\"]",
                    "[\"a\\n\"]",
                    "[\"a\", \"a\"]",
                    "[\"a\"] [\"b\"]",
                    "[\"\"]",
                ],
            ),
            ("AWS_REGION", &["", "mars"]),
        ] {
            refuses(&script, key, values);
        }
        refuses_hostile(&script, &["DIGEST", "REGISTRY", "REPOSITORY", "TAGS", "AWS_REGION"]);
        let tags = json!([COMMIT_TAG, "$(touch pwned)"]).to_string();
        script.clone().env("TAGS", tags).run().exits(2).says("::error::TAGS must be");
        assert!(asked(&script).is_empty());
    });
}

#[test]
fn a_repository_that_is_missing_is_made_where_that_was_asked_for() {
    let Some(world) = start() else { return };
    let aws = &world.0;
    // Otherwise it is an error, and nothing is made.
    pushing(&world).run().exits(1).says("ECR does not say whether broker/api:sha-");
    assert!(aws.calls().iter().all(|call| call.action != "ecr:CreateRepository"));
    let script = pushing(&world).env("CREATE_REPOSITORY", "true");
    aws.fail_next("ecr:CreateRepository", Failure::Status(403));
    script.run().exits(1).says("::error::the repository broker/api is missing and cannot be made");
    // Made: its tags do not move, and what is pushed is scanned and encrypted.
    script.run().exits(0).says("::notice::the repository broker/api was missing, and was made in account");
    let described = aws.cli(&["ecr", "describe-repositories", "--repository-names", REPOSITORY]);
    let made = &described["repositories"][0];
    assert_eq!(made["imageTagMutability"], "IMMUTABLE");
    assert_eq!(made["imageScanningConfiguration"]["scanOnPush"], true);
    assert_eq!(made["encryptionConfiguration"]["encryptionType"], "AES256");
    assert_eq!(tags(aws), both());
    // Once more: there is nothing to make.
    aws.forget_calls();
    script.run().exits(0).never_says("was made");
    assert!(aws.calls().iter().all(|call| call.action != "ecr:CreateRepository"));
    for value in ["yes", "1", "TRUE"] {
        script.clone().env("CREATE_REPOSITORY", value).run().exits(2);
    }
    script.clone().env("CREATE_REPOSITORY", "true").env("REGISTRY_ID", "").run().exits(2);
    // Two at once: the other one was quicker.
    aws.cli(&["ecr", "delete-repository", "--repository-name", REPOSITORY, "--force"]);
    repository(aws);
    let early = r#"
        if [[ "$1 $2" == 'ecr describe-images' && ! -e $STATE/looked ]]; then
          touch "$STATE/looked"
          echo 'An error occurred (RepositoryNotFoundException) when calling the operation: early' >&2
          exit 254
        fi"#;
    let early = format!("{early}\nexec '{}' \"$@\"\n", aws.client().display());
    script.tool("aws", &early).run().exits(0).never_says("was made").never_says("::error::");
    assert_eq!(tags(aws), both());
}

/// The push of an image to a registry that is not AWS's.
pub(super) fn to_hub(world: &(Aws, Registry), held: u8) -> Script {
    let script = pushing_of(world, &image(held), |_| ()).without("REGISTRY_ID").without("AWS_REGION");
    script
        .env("REGISTRY", "docker.io")
        .env("REGISTRY_USERNAME", "acme-bot")
        .env("REGISTRY_PASSWORD", "dckr-pat-1234")
        .env("DIGEST", digest(held))
        .env("TAGS", json!([COMMIT_TAG]).to_string())
}

#[test]
fn another_registry_has_tags_that_move_and_tags_that_do_not() {
    let Some(aws) = Aws::start() else { return };
    let Some(registry) = Registry::start(&aws, "docker.io") else { return };
    let mut world = (aws, registry);
    let tag = |name: &str| world.1.tag(REPOSITORY, name);
    let moving = |script: Script| script.env("BRANCH_TAG", "feature/x").env("LATEST", "true");

    let first = moving(to_hub(&world, 1)).env("TAGS", json!([COMMIT_TAG, "1.2.0"]).to_string());
    let ran = first.run().exits(0).outputs("digest", &digest(1)).never_says("dckr-pat-1234");
    ran.shows(&format!("| `latest` | `{}` | moves |", digest(1)));
    for name in [COMMIT_TAG, "1.2.0", "feature-x", "latest"] {
        assert_eq!(tag(name), Some(digest(1)), "{name}");
    }
    // What is there of this commit is used, and what was built is left.
    to_hub(&world, 2).run().exits(0).outputs("digest", &digest(1)).says("is there already, as sha256:");
    // Another commit's image does not get a tag that is taken, nor is it pushed.
    let next =
        |version: &str| moving(to_hub(&world, 2)).env("TAGS", json!(["sha-next", version]).to_string());
    next("1.2.0")
        .run()
        .exits(3)
        .says("::error::the tag 1.2.0 of broker/api is taken")
        .says("Nothing was pushed");
    assert_eq!(tag("latest"), Some(digest(1)));
    next("1.3.0").run().exits(0).says("moved broker/api:latest");
    assert_eq!([tag("latest"), tag("feature-x")], [Some(digest(2)), Some(digest(2))]);
    assert_eq!(tag(COMMIT_TAG), Some(digest(1)));

    let wrong = to_hub(&world, 3).env("REGISTRY_PASSWORD", "dckr-pat-0000");
    wrong
        .run()
        .exits(1)
        .says("::error::docker.io does not let this job in")
        .says("invalid username/password");
    let silent = to_hub(&world, 3);
    world.1.end();
    silent.run().exits(1).says("::error::docker.io does not let this job in").says("connection refused");
}
