use std::fs;

use super::script::{HOSTILE, Script, assert_inert};
use crate::tool;
use serde_json::json;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A machine that there is not: what its provisioner says is what a real one would.
const TEMPLATE: &str = r#"
variable "token" {
  type = string
}

variable "version" {
  type    = string
  default = "none"
}

source "null" "image" {
  communicator = "none"
}

build {
  sources = ["source.null.image"]

  provisioner "shell-local" {
    inline = ["echo the version is ${var.version}", "echo the token is '${var.token}'", "./provision"]
  }

  post-processor "manifest" {
    custom_data = {
      docker = "27.3.1"
      token  = var.token
    }
  }
}
"#;

fn building() -> Option<Script> {
    let packer = tool::find("packer")?;
    Some(
        Script::new("packer-build.sh")
            .real_tool("packer", packer.path())
            .file("packer/image.pkr.hcl", TEMPLATE)
            .env("TEMPLATE", "packer/image.pkr.hcl")
            .env("PKR_VAR_token", "hush-hush (a+b)*\nsecond-line")
            .env("SECRET_VARIABLES", "token")
            .env("EXPECT", r#"["docker", "uv"]"#)
            .env("IMAGE_DIR", "the image")
            .env("GITHUB_SHA", COMMIT)
            .file("provision", "")
            .prepare("chmod", &["+x", "provision"]),
    )
}

fn provisioned(script: Script, text: &str) -> Script {
    script.file("provision", format!("#!/usr/bin/env bash\n{text}\n"))
}

#[test]
fn what_was_built_is_told_and_no_secret_is() {
    let Some(script) = building() else { return };
    let script = provisioned(
        script
            .file("packer-manifest.json", r#"{"builds": [{"artifact_id": "stale"}], "last_run_uuid": "x"}"#),
        r#"printf '{"uv": "0.5.1", "docker": "27.4.0", "odd": null, "Bad Name": "1"}' >packer-software.json"#,
    );
    let ran = script
        .run()
        .exits(0)
        .says("the token is ***")
        .says("the version is 20")
        .says("built Null, version 20")
        .shows("### 📀 Image `Null`")
        .shows("| `docker` | `27.4.0` | ✅ expected |")
        .shows("| `uv` | `0.5.1` | ✅ expected |")
        .never_says("hush-hush")
        .never_says("second-line");
    assert_inert(&ran.summary, &[]);
    let image: serde_json::Value = serde_json::from_str(&ran.outputs["image"]).unwrap();
    assert_eq!(ran.outputs["image_id"], "Null");
    assert_eq!(image["software"]["docker"], "27.4.0");
    assert_eq!(image["commit"], COMMIT);
    assert_eq!(ran.json("the image/image.json"), image);
    for kept in ["the image/build.log", "the image/packer-manifest.json", "the image/image.json"] {
        let text = ran.text(kept);
        assert!(!text.contains("hush-hush") && !text.contains("second-line"), "{kept}: {text}");
    }
    assert!(image["version"].as_str().unwrap().ends_with("-0123456789ab"), "{image}");
    assert!(!image["software"].to_string().contains("Bad Name"));
}

#[test]
fn an_image_without_what_it_should_hold_is_none() {
    let Some(script) = building() else { return };
    let ran = script
        .env("EXPECT", r#"["docker", "mise", "uv"]"#)
        .run()
        .exits(5)
        .says("::error::the image does not say that it holds mise")
        .says("::error::the image does not say that it holds uv")
        .shows("| `uv` | – | ❌ missing |");
    assert!(ran.outputs.is_empty(), "{:?}", ran.outputs);
    // What it did hold is kept.
    assert_eq!(ran.json("the image/image.json")["software"]["docker"], "27.3.1");
}

#[test]
fn a_build_that_fails_is_red_and_tells_no_secret() {
    let Some(script) = building() else { return };
    let ran = provisioned(script.clone(), "echo 'it broke: ::error::taken over' >&2; exit 9")
        .run()
        .exits(1)
        .says("::error::the image was not built")
        .says("it broke")
        .never_says("hush-hush");
    assert!(ran.text("the image/build.log").contains("it broke"));
    assert!(!ran.directory.join("the image/image.json").exists());

    // A template that is none.
    script.file("packer/image.pkr.hcl", "build {").run().exits(1).says("the image was not built");
}

#[test]
fn which_image_it_was_has_to_be_known() {
    let Some(script) = building() else { return };
    let without = TEMPLATE.replace("post-processor \"manifest\"", "post-processor \"checksum\"");
    let without =
        without.replace("custom_data = {\n      docker = \"27.3.1\"\n      token  = var.token\n    }", "");
    script
        .clone()
        .file("packer/image.pkr.hcl", without)
        .run()
        .exits(3)
        .says("there is no packer-manifest.json");
    let two = format!("{}\nsource \"null\" \"other\" {{\n  communicator = \"none\"\n}}\n", TEMPLATE)
        .replace("[\"source.null.image\"]", "[\"source.null.image\", \"source.null.other\"]");
    script.clone().file("packer/image.pkr.hcl", two).run().exits(3).says("exactly one image");
    let script = script.file("packer/image.pkr.hcl", TEMPLATE);
    for software in ["[]", "{", "", "1"] {
        let odd = format!("printf '%s' '{software}' >packer-software.json");
        provisioned(script.clone(), &odd).run().exits(3).says("packer-software.json is no JSON object");
    }
}

#[test]
fn hostile_software_is_shown_as_text() {
    let Some(script) = building() else { return };
    let odd: serde_json::Map<String, serde_json::Value> =
        HOSTILE.iter().enumerate().map(|(index, text)| (format!("tool{index}"), json!(text))).collect();
    let script =
        script.file("odd.json", json!(odd).to_string()).env("EXPECT", "[]").without("PKR_VAR_version");
    let ran = provisioned(script, "cp odd.json packer-software.json").run().exits(0);
    assert_inert(&ran.summary, &[]);
    assert_eq!(ran.outputs.len(), 2, "{:?}", ran.outputs);
}

#[test]
fn empty_values_are_named_before_anything_is_built() {
    let Some(script) = building() else { return };
    let script = script.tool("packer", "touch \"$STATE/started\"");
    let missing = |script: Script, name: &str| {
        let state = script.state();
        script.run().exits(4).says(&format!("::error::the Packer variable {name} is empty"));
        assert!(!state.join("started").exists());
    };
    missing(script.clone().env("PKR_VAR_token", ""), "token");
    missing(script.clone().without("PKR_VAR_token"), "token");
    missing(script.env("PKR_VAR_url", ""), "url");
}

#[test]
fn usage() {
    let Some(script) = building() else { return };
    for (name, value) in [
        ("TEMPLATE", "packer/none.pkr.hcl"),
        ("TEMPLATE", "-version"),
        ("SECRET_VARIABLES", "token;id"),
        ("EXPECT", "{}"),
        ("EXPECT", r#"["$(id)"]"#),
        ("IMAGE_DIR", ""),
        ("GITHUB_SHA", "main"),
    ] {
        script.clone().env(name, value).run().exits(2);
    }
}

#[test]
fn a_build_that_is_cancelled_leaves_nothing_behind() {
    let Some(script) = building() else { return };
    // Packer is told, and ends the build itself.
    let script = provisioned(script, "touch started; sleep 9");
    let started = script.directory().join("started");
    let mut child = script
        .command()
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    for _ in 0..200 {
        if started.exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(started.exists());
    std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    let ended = child.wait().unwrap();
    assert_eq!(ended.code(), Some(1));
    let log = fs::read_to_string(script.directory().join("the image/build.log")).unwrap();
    assert!(log.contains("Cleanly cancelled builds"), "{log}");
    assert!(fs::read_dir(script.runner_temp()).unwrap().next().is_none());
}
