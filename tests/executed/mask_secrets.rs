//! The parts of secrets are hidden, in the log by GitHub, in kept logs by sed.

use std::fs;
use std::process::{Command, Stdio};

use super::script::{HOSTILE, Script};

fn masks(script: &Script) -> String {
    fs::read_to_string(script.directory().join("mask.sed")).unwrap()
}

/// What sed leaves of a text.
fn masked(script: &Script, text: &str) -> String {
    use std::io::Write;
    let mut sed = Command::new("sed")
        .args(["-u", "-E", "-f"])
        .arg(script.directory().join("mask.sed"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    sed.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = sed.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", masks(script));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_part_is_hidden_the_longest_first() {
    let script = Script::new("mask-secrets.sh")
        .env("MASK_FILE", "mask.sed")
        .env("SECRET_EMAILS", "alice@corp.example, bob@corp.example ,x,,alice@corp")
        .env("SECRET_KEY", "first line\nsecond 50% line")
        .env("OTHER", "something else");
    let ran = script.run().exits(0);
    for part in ["alice@corp.example", "bob@corp.example", "alice@corp", "first line", "second 50%25 line"] {
        assert!(ran.masked.iter().any(|masked| masked == part), "{part}: {:?}", ran.masked);
    }
    assert_eq!((ran.masked.len(), ran.log.as_str()), (5, ""));
    let left = masked(&script, "sub[\"alice@corp.example\"] x bob@corp.example; second 50% line\n");
    assert_eq!(left, "sub[\"***\"] x ***; ***\n");
    // Nobody but the job's own user reads the rules.
    let mode =
        Command::new("stat").args(["-c", "%a"]).arg(script.directory().join("mask.sed")).output().unwrap();
    assert_eq!(String::from_utf8(mode.stdout).unwrap().trim(), "600");
}

#[test]
fn nothing_to_hide_hides_nothing() {
    let script = Script::new("mask-secrets.sh").env("MASK_FILE", "mask.sed").env("SECRET_EMPTY", "");
    let ran = script.run().exits(0);
    assert_eq!(ran.log, "");
    assert_eq!(masked(&script, "as it is\n"), "as it is\n");
}

/// Whatever a secret is made of, sed takes it as text.
#[test]
fn hostile_secrets_are_texts() {
    for hostile in HOSTILE {
        let secret = format!("{hostile}pad!");
        let script = Script::new("mask-secrets.sh").env("MASK_FILE", "mask.sed").env("SECRET_X", &secret);
        script.run().exits(0);
        for line in secret.split(['\n', '\r', ',']).map(str::trim).filter(|line| line.chars().count() >= 4) {
            assert_eq!(masked(&script, &format!("<{line}>\n")), "<***>\n", "{hostile:?}");
        }
    }
}

#[test]
fn usage() {
    Script::new("mask-secrets.sh").run().exits(2).says("MASK_FILE is not set");
    Script::new("mask-secrets.sh").env("MASK_FILE", "no/such/directory").run().exits(2).says("::error::");
}
