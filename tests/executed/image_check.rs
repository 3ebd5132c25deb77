use std::fs;

use super::image_layout::Layout;
use super::script::{HOSTILE, Script, assert_inert};
use crate::images::Docker;
use serde_json::{Value, json};

/// An image that the test describes, and a container that reports one state per look.
const DOCKER: &str = r#"
printf '%s\n' "$*" >>"$STATE/calls"
case "$1 $2" in
  'image inspect') [[ -e $STATE/image ]] || { echo 'No such image' >&2; exit 1; }; cat "$STATE/image" ;;
  'run --detach') code=$(cat "$STATE/run"); ((code == 0)) && echo 0123abc; exit "$code" ;;
  'container inspect')
    state=$(head -n 1 "$STATE/states")
    [[ $(wc -l <"$STATE/states") -le 1 ]] || sed -i 1d "$STATE/states"
    [[ $state != lost ]] || exit 1
    jq -n --arg status "${state% *}" --arg health "${state#* }" '[{State: {Status: $status, Health: {Status: $health}}}]' ;;
  'container logs') cat "$STATE/logs" ;;
  'container rm') ;;
  *) echo "unexpected: $*" >&2; exit 9 ;;
esac
"#;

fn image(user: &str, check: Value) -> Script {
    let script = Script::new("image-check.sh")
        .tool("docker", DOCKER)
        .env("IMAGE", "app:test")
        .env("REQUIRE_NON_ROOT", "true");
    let image = json!([{"Size": 104_857_600, "Config": {"User": user, "Healthcheck": check}}]);
    fs::write(script.state().join("image"), image.to_string()).unwrap();
    fs::write(script.state().join("run"), "0").unwrap();
    script.container("running starting\nrunning healthy\n", "")
}

fn checked() -> Value {
    json!({"Test": ["CMD", "true"]})
}

trait Container {
    fn container(self, states: &str, logs: &str) -> Self;
    fn calls(&self) -> String;
}

impl Container for Script {
    fn container(self, states: &str, logs: &str) -> Self {
        fs::write(self.state().join("states"), states).unwrap();
        fs::write(self.state().join("logs"), logs).unwrap();
        self
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.state().join("calls")).unwrap_or_default()
    }
}

#[test]
fn a_good_image_passes() {
    let started = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() - 90;
    let script =
        image("app:app", checked()).env("MAX_SIZE_BYTES", "524288000").env("STARTED_AT", started.to_string());
    script
        .run()
        .exits(0)
        .shows("### ✅ Image")
        .shows("| Duration | 9")
        .shows("| Size | 100.0 MiB of at most 500.0 MiB |")
        .shows("| User | `app:app` |")
        .shows("| Health | healthy after ");
    assert!(script.calls().contains("container rm --force --volumes image-check-"), "{}", script.calls());
}

#[test]
fn a_larger_image_than_allowed_fails() {
    image("app", checked())
        .env("MAX_SIZE_BYTES", "104857599")
        .run()
        .exits(1)
        .says("::error::the image has 104857600 bytes, 1 more than the limit of 104857599")
        .shows("**100.0 MiB of at most 99.9 MiB**");
    image("app", checked()).env("MAX_SIZE_BYTES", "104857600").run().exits(0);
}

#[test]
fn root_is_root_under_every_name() {
    for user in ["", "0", "root", "0:0", "root:root", "root:1000", "00", ":1000"] {
        image(user, Value::Null).run().exits(1).says("::error::the image runs as root");
        image(user, Value::Null).env("REQUIRE_NON_ROOT", "false").run().exits(0).shows("(root)");
    }
    for user in ["app", "1000", "1000:0", "rooty", "10"] {
        image(user, Value::Null).run().exits(0);
    }
}

#[test]
fn an_image_without_a_health_check_is_not_run() {
    for check in [Value::Null, json!({}), json!({"Test": []}), json!({"Test": ["NONE"]})] {
        let script = image("app", check);
        script.run().exits(0).says("::notice::the image has no HEALTHCHECK").shows("no HEALTHCHECK, not run");
        assert!(!script.calls().contains("run"), "{}", script.calls());
    }
}

#[test]
fn a_container_that_is_not_well_fails_with_its_log() {
    for (states, timeout, says) in [
        ("running starting\nrunning unhealthy\n", "60", "unhealthy"),
        ("running starting\nexited unhealthy\n", "60", "exited by itself"),
        ("running starting\n", "1", "not healthy after 1 s"),
    ] {
        let log = "boom\n::error::taken over\n##[error]taken over\n";
        let script = image("app", checked()).container(states, log).env("HEALTH_TIMEOUT", timeout);
        script
            .run()
            .exits(1)
            .says("boom")
            .says(&format!("::error::the container is not well: {says}"))
            .shows("### ❌ Image");
        assert!(script.calls().contains("container logs --tail 100 image-check-"));
        assert!(script.calls().contains("container rm --force"), "{}", script.calls());
    }
    let script = image("app", checked());
    fs::write(script.state().join("run"), "127").unwrap();
    script.run().exits(1).says("does not start");
}

/// The script, the real Docker, and an image that is run as its configuration says.
fn real(docker: &Docker, name: &str, config: &Value) -> Script {
    let reference = format!("image-check:{name}");
    docker.load(&Layout::running(name, config), &reference);
    let script = Script::new("image-check.sh").tool("docker", &docker.program()).env("IMAGE", reference);
    script.env("REQUIRE_NON_ROOT", "true")
}

#[test]
fn docker_really_runs_what_is_checked() {
    let Some(docker) = Docker::of_this_run() else { return };
    let waits = json!(["/busybox", "sleep", "600"]);
    let check = |words: &[&str]| json!({"Test": words, "Interval": 50_000_000, "Retries": 1});
    let well = check(&["CMD", "/busybox", "true"]);
    for (name, config, code, says) in [
        (
            "well",
            json!({"User": "10001", "Cmd": waits, "Healthcheck": well}),
            0,
            "user 10001, healthy after ",
        ),
        ("unchecked", json!({"User": "10001", "Cmd": waits}), 0, "::notice::the image has no HEALTHCHECK"),
        (
            "unwell",
            json!({"User": "10001", "Cmd": waits, "Healthcheck": check(&["CMD", "/busybox", "false"])}),
            1,
            "::error::the container is not well: unhealthy",
        ),
        (
            "ending",
            json!({"User": "10001", "Cmd": ["/busybox", "echo", "::error::taken over"], "Healthcheck": well}),
            1,
            "::error::the container is not well: exited by itself",
        ),
        (
            "without-its-program",
            json!({"User": "10001", "Cmd": ["/absent"], "Healthcheck": well}),
            1,
            "::error::the container is not well: does not start",
        ),
        ("of-root", json!({"Cmd": waits, "Healthcheck": well}), 1, "::error::the image runs as root"),
    ] {
        real(docker, name, &config).run().exits(code).says(says);
        let left =
            ["container", "ls", "--all", "--quiet", "--filter", &format!("ancestor=image-check:{name}")];
        assert_eq!(docker.ask(&left), "", "{name}");
    }
    let script = real(docker, "large", &json!({"User": "10001"}));
    script.clone().env("MAX_SIZE_BYTES", "1000000").run().exits(1).says("more than the limit of 1000000");
    script.env("IMAGE", "image-check:absent").run().exits(2).says("docker cannot inspect image-check:absent");
}

#[test]
fn a_failing_docker_is_not_the_images_fault() {
    let script = image("app", checked());
    fs::remove_file(script.state().join("image")).unwrap();
    script.run().exits(2).says("docker cannot inspect app:test");
    let script = image("app", checked());
    fs::write(script.state().join("run"), "125").unwrap();
    script.run().exits(2).says("docker cannot run");
    assert!(script.calls().contains("container rm --force"), "{}", script.calls());
    image("app", checked()).container("lost\n", "").run().exits(2).says("docker lost the container");
    for garbage in ["", "[]", "{}", r#"[{"Size": "a[$(touch pwned)]", "Config": {}}]"#] {
        let script = image("app", checked());
        fs::write(script.state().join("image"), garbage).unwrap();
        script.run().exits(2);
    }
}

#[test]
fn hostile_users_and_references_stay_inert() {
    for hostile in HOSTILE {
        let ran = image(hostile, Value::Null).run();
        assert_inert(&ran.summary, &[]);
        let reference = image("app", Value::Null).env("IMAGE", hostile).run();
        assert_eq!(reference.code, 2, "{hostile:?}");
    }
}

#[test]
fn refuses_settings_that_are_no_numbers() {
    for (key, value) in [
        ("IMAGE", ""),
        ("REQUIRE_NON_ROOT", "yes"),
        ("MAX_SIZE_BYTES", "1e9"),
        ("MAX_SIZE_BYTES", "0"),
        ("HEALTH_TIMEOUT", "a[$(touch pwned)]"),
        ("STARTED_AT", "-1"),
    ] {
        image("app", checked()).env(key, value).run().exits(2);
    }
}
