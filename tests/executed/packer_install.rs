use super::script::{Ran, Script};

/// Answers as the server of the releases does; `python3` makes the archive.
const CURL: &str = r#"
printf '%s\n' "$*" >>"$STATE/asked"
out= url=
while (($#)); do
  case $1 in
    --output) out=$2; shift ;;
    https://*) url=$1 ;;
  esac
  shift
done
[[ ! -e $STATE/down ]] || { echo 'curl: (22) The requested URL returned error: 503' >&2; exit 22; }
cp "$STATE/$(basename "$url")" "$out" || exit 22
"#;

fn installing() -> Script {
    let script = Script::new("packer-install.sh")
        .tool("curl", CURL)
        .env("PACKER_VERSION", "1.11.2")
        .env("PACKER_DIR", "the tools")
        .env("GITHUB_PATH", "path");
    let state = script.state();
    let archive = state.join("packer_1.11.2_linux_amd64.zip");
    let make = "import sys, zipfile\nfile = zipfile.ZipFile(sys.argv[1], 'w')\ninfo = zipfile.ZipInfo('packer')\ninfo.external_attr = 0o755 << 16\nfile.writestr(info, '#!/bin/sh\\necho it runs\\n')\n";
    let script = script.prepare("python3", &["-c", make, archive.to_str().unwrap()]);
    let sums = format!(
        "cd '{}' && sha256sum packer_1.11.2_linux_amd64.zip >packer_1.11.2_SHA256SUMS",
        state.display()
    );
    script.prepare("bash", &["-c", &sums])
}

fn sum(script: &Script) -> String {
    let text = std::fs::read_to_string(script.state().join("packer_1.11.2_SHA256SUMS")).unwrap();
    text.split(' ').next().unwrap().to_owned()
}

#[test]
fn the_version_is_there_and_on_the_path() {
    let script = installing();
    let check = |ran: Ran| {
        let ran = ran.exits(0).says("Packer 1.11.2, linux_amd64, SHA-256");
        assert!(ran.text("path").trim_end().ends_with("the tools"));
        assert!(ran.text("the tools/packer").contains("it runs"));
    };
    check(script.run());
    let asked = std::fs::read_to_string(script.state().join("asked")).unwrap();
    assert!(
        asked.contains("--proto =https") && asked.contains("https://releases.hashicorp.com/packer/1.11.2/"),
        "{asked}"
    );
    // A checksum that is known is not asked for.
    std::fs::write(script.state().join("asked"), "").unwrap();
    let sum = sum(&script);
    std::fs::write(script.state().join("packer_1.11.2_SHA256SUMS"), "").unwrap();
    check(script.clone().env("PACKER_SHA256", sum).run());
    assert!(!std::fs::read_to_string(script.state().join("asked")).unwrap().contains("SHA256SUMS"));
}

#[test]
fn another_archive_is_not_run() {
    let script = installing();
    let refused = |ran: Ran| {
        let ran = ran.exits(3).says("has another checksum than it should").says("nothing of it was run");
        assert!(!ran.directory.join("the tools/packer").exists());
    };
    refused(script.clone().env("PACKER_SHA256", "0".repeat(64)).run());
    for sums in ["", "0000  packer_1.11.2_linux_amd64.zip\n", "\n\n"] {
        std::fs::write(script.state().join("packer_1.11.2_SHA256SUMS"), sums).unwrap();
        refused(script.run());
    }
}

#[test]
fn what_cannot_be_fetched_is_said() {
    let script = installing();
    std::fs::write(script.state().join("down"), "").unwrap();
    script.run().exits(1).says("::error::Packer 1.11.2 cannot be fetched").says("503");
}

#[test]
fn usage() {
    let script = installing();
    for (name, value) in [
        ("PACKER_VERSION", "latest"),
        ("PACKER_VERSION", "1.11"),
        ("PACKER_SHA256", "abc"),
        ("PACKER_DIR", ""),
        ("RUNNER_ARCH", "ARM"),
    ] {
        script.clone().env(name, value).run().exits(2);
    }
    script.env("RUNNER_ARCH", "ARM64").env("PACKER_SHA256", "0".repeat(64)).run().exits(2);
}
