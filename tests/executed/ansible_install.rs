use super::script::Script;

/// `python3 -m venv DIRECTORY` leaves a pip and a galaxy that say what they are asked.
const PYTHON: &str = r#"
if [[ ${1:-} == --version ]]; then echo 'Python 3.99'; exit; fi
[[ ! -e $STATE/no-venv ]] || { echo 'No module named venv' >&2; exit 1; }
mkdir -p "$3/bin"
cat >"$3/bin/python" <<END
#!/bin/sh
echo "\$@" >>'$STATE/asked'
[ ! -e '$STATE/no-such-version' ] || { echo 'No matching distribution' >&2; exit 1; }
END
cat >"$3/bin/ansible-galaxy" <<END
#!/bin/sh
echo "galaxy \$@ in \$(pwd)" >>'$STATE/asked'
[ ! -e '$STATE/no-collection' ] || exit 1
END
chmod +x "$3"/bin/*
"#;

fn installing() -> Script {
    Script::new("ansible-install.sh")
        .tool("python3", PYTHON)
        .file("the playbooks/site.yml", "")
        .env("ANSIBLE_VERSION", "2.19.4")
        .env("ANSIBLE_DIRECTORY", "the playbooks")
        .env("INSTALL_DIR", "the tools")
        .env("GITHUB_PATH", "path")
}

fn asked(script: &Script) -> String {
    std::fs::read_to_string(script.state().join("asked")).unwrap_or_default()
}

#[test]
fn exactly_one_version_is_installed() {
    let script = installing();
    let ran = script.run().exits(0).says("ansible-core 2.19.4");
    assert!(ran.text("path").ends_with("the tools/bin\n"));
    assert!(asked(&script).contains("ansible-core==2.19.4") && !asked(&script).contains("galaxy"));
    let script = script.file("the playbooks/requirements.yml", "collections: []\n");
    script.run().exits(0);
    assert!(asked(&script).contains("galaxy install -r requirements.yml in"));
    assert!(asked(&script).trim_end().ends_with("the playbooks"));
}

#[test]
fn what_cannot_be_installed_is_said() {
    for (flag, code, message) in [
        ("no-venv", 1, "could not be installed"),
        ("no-such-version", 1, "here Python 3.99"),
        ("no-collection", 3, "what the playbooks/requirements.yml names"),
    ] {
        let script = installing().file("the playbooks/requirements.yml", "");
        std::fs::write(script.state().join(flag), "").unwrap();
        let ran = script.run().exits(code).says(message);
        assert!(!ran.directory.join("path").exists());
    }
}

#[test]
fn usage() {
    for (name, value) in [("ANSIBLE_VERSION", "latest"), ("ANSIBLE_DIRECTORY", "none"), ("INSTALL_DIR", "")] {
        installing().env(name, value).run().exits(2);
    }
}
