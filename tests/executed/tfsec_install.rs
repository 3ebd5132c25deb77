use super::script::{Ran, Script};

/// Answers as the server of the releases does.
const CURL: &str = r#"
out= url=
while (($#)); do
  case $1 in
    --output) out=$2; shift ;;
    https://*) url=$1 ;;
  esac
  shift
done
printf '%s\n' "$url" >>"$STATE/asked"
[[ ! -e $STATE/down ]] || { echo 'curl: (22) The requested URL returned error: 503' >&2; exit 22; }
cp "$STATE/$(basename "$url")" "$out"
"#;

/// The archives of both machines, each with its checksum.
fn installing(content: &str) -> Script {
    let script = Script::new("tfsec-install.sh")
        .tool("curl", CURL)
        .file("own/tfsec", "#!/bin/sh\necho it runs\n")
        .file("own/README.md", "nothing")
        .env("TFSEC_VERSION", "1.28.14")
        .env("TFSEC_DIR", "the tools")
        .env("GITHUB_PATH", "path");
    let state = script.state();
    ["amd64", "arm64"].into_iter().fold(script, |script, machine| {
        let archive = state.join(format!("tfsec_1.28.14_linux_{machine}.tar.gz"));
        let make = format!("chmod +x own/tfsec && tar -czf '{}' -C own {content}", archive.display());
        let script = script.prepare("bash", &["-c", &make]);
        let sum = std::process::Command::new("sha256sum").arg(&archive).output().unwrap();
        let sum = String::from_utf8(sum.stdout).unwrap().split(' ').next().unwrap().to_owned();
        script.env(&format!("TFSEC_SHA256_{}", machine.to_uppercase()), sum)
    })
}

#[test]
fn the_version_is_there_and_on_the_path() {
    for (architecture, machine) in [("X64", "linux_amd64"), ("ARM64", "linux_arm64")] {
        let script = installing("README.md tfsec").env("RUNNER_ARCH", architecture);
        let check = |ran: Ran| {
            let ran = ran.exits(0).says(&format!("tfsec 1.28.14, {machine}, SHA-256"));
            assert!(ran.text("path").trim_end().ends_with("the tools"));
            assert!(ran.text("the tools/tfsec").contains("it runs"));
        };
        check(script.run());
        check(script.run());
        let asked = std::fs::read_to_string(script.state().join("asked")).unwrap();
        let url = format!(
            "https://github.com/aquasecurity/tfsec/releases/download/v1.28.14/tfsec_1.28.14_{machine}.tar.gz"
        );
        assert!(asked.lines().all(|line| line == url), "{asked}");
    }
}

#[test]
fn another_archive_is_never_run() {
    let script = installing("tfsec").env("TFSEC_SHA256_AMD64", "0".repeat(64));
    let ran = script.run().exits(3).says("has another checksum than it should: expected 0000");
    assert!(!ran.directory.join("the tools/tfsec").exists() && !ran.directory.join("path").exists());
    installing("README.md").run().exits(3).says("holds no program tfsec");
}

#[test]
fn a_server_that_is_down_is_said() {
    let script = installing("tfsec");
    std::fs::write(script.state().join("down"), "").unwrap();
    script.run().exits(1).says("::error::tfsec 1.28.14 cannot be fetched: curl: (22)");
}

#[test]
fn refuses_settings_it_does_not_know() {
    for (key, value) in [
        ("TFSEC_VERSION", "latest"),
        ("TFSEC_SHA256_AMD64", ""),
        ("TFSEC_DIR", ""),
        ("RUNNER_ARCH", "RISCV64"),
    ] {
        installing("tfsec").env(key, value).run().exits(2);
    }
}
