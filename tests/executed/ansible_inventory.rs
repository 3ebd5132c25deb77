use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::script::{Ran, Script};
use super::stack_on_aws::run;
use crate::tool;

const HOSTS: &str = "all:\n  hosts:\n    web-1: { ansible_host: 10.0.0.5 }\n";
const KEY: &str = "10.0.0.5 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGkZ0000000000000000000000000000000000000000";

/// A stack that has been applied, with outputs.
fn applied(outputs: &str) -> Option<Script> {
    tool::find("terraform")?;
    let stack =
        format!("{outputs}\noutput \"password\" {{\n  value     = \"hush-hush\"\n  sensitive = true\n}}\n");
    let script = Script::new("ansible-inventory.sh").file("the stack/main.tf", stack);
    run(&script, "terraform -chdir='the stack' init -input=false -no-color && terraform -chdir='the stack' apply -auto-approve -input=false -no-color")
        .exits(0);
    Some(
        script
            .env("TF_COMMAND", "terraform")
            .env("STACK_DIRECTORY", "the stack")
            .env("INVENTORY_OUTPUT", "hosts")
            .env("KNOWN_HOSTS_OUTPUT", "keys")
            .env("ENVIRONMENT", "dev")
            .env("STACK", "app")
            .env("INVENTORY_DIR", "the inventory"),
    )
}

fn outputs(hosts: &str, keys: &str) -> String {
    format!("output \"hosts\" {{ value = {hosts} }}\noutput \"keys\" {{ value = {keys} }}\n")
}

fn text(value: &str) -> String {
    serde_json::to_string(value).unwrap()
}

#[track_caller]
fn private(ran: &Ran) {
    for file in ["hosts.yml", "known_hosts"] {
        let mode = fs::metadata(ran.directory.join("the inventory").join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let mode = fs::metadata(ran.directory.join("the inventory")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn only_its_owner_reads_it_and_nobody_is_shown_it() {
    let Some(script) = applied(&outputs(&text(HOSTS), &text(&format!("# keys\n{KEY}\n")))) else { return };
    let ran =
        script.run().exits(0).says("wrote the inventory and 1 host keys of dev/app").never_says("10.0.0.5");
    private(&ran);
    assert_eq!(ran.text("the inventory/hosts.yml"), format!("{HOSTS}\n"));
    assert!(ran.text("the inventory/known_hosts").contains(KEY));
    assert!(!ran.log.contains("hush-hush"));
    // Keys from a file of the repository.
    let ran = script
        .file("keys/known_hosts", format!("{KEY}\n"))
        .without("KNOWN_HOSTS_OUTPUT")
        .env("KNOWN_HOSTS_FILE", "keys/known_hosts")
        .run()
        .exits(0);
    private(&ran);
}

#[test]
fn an_inventory_may_be_an_object_and_keys_a_list() {
    let hosts = "{ all = { hosts = { web-1 = { ansible_host = \"10.0.0.5\" } } } }";
    let Some(script) = applied(&outputs(hosts, &format!("[{}, {}]", text(KEY), text(KEY)))) else { return };
    let ran = script.run().exits(0).says("2 host keys");
    let written: serde_json::Value = serde_json::from_str(&ran.text("the inventory/hosts.yml")).unwrap();
    assert_eq!(written["all"]["hosts"]["web-1"]["ansible_host"], "10.0.0.5");
}

#[test]
fn without_machines_or_their_keys_nothing_is_configured() {
    for (hosts, keys, message) in [
        ("\"\"".to_owned(), text(KEY), "its output hosts is missing or empty"),
        ("3".to_owned(), text(KEY), "its output hosts is missing or empty"),
        (text(HOSTS), "\"\"".to_owned(), "holds no host key"),
        (text(HOSTS), text("# none yet\n"), "the output keys holds no host key"),
        (text(HOSTS), "3".to_owned(), "its output keys is missing or empty"),
    ] {
        let Some(script) = applied(&outputs(&hosts, &keys)) else { return };
        let ran = script.run().exits(3).says(message);
        assert!(!ran.directory.join("the inventory/hosts.yml").exists());
    }
    let Some(script) = applied("") else { return };
    script.clone().run().exits(3).says("its output hosts is missing");
    let script = script.without("KNOWN_HOSTS_OUTPUT").env("KNOWN_HOSTS_FILE", "none");
    script.run().exits(3);
}

#[test]
fn an_inventory_decides_nothing_about_host_keys() {
    for args in ["ansible_ssh_common_args: -o StrictHostKeyChecking=no", "ansible_host_key_checking: false"] {
        let hosts = format!("{HOSTS}  vars:\n    {args}\n");
        let Some(script) = applied(&outputs(&text(&hosts), &text(KEY))) else { return };
        let ran = script.run().exits(4).says("decides how host keys are checked");
        assert!(!ran.directory.join("the inventory/hosts.yml").exists());
    }
}

#[test]
fn usage() {
    let Some(script) = applied("") else { return };
    for (name, value) in [
        ("TF_COMMAND", "bash"),
        ("STACK_DIRECTORY", "none"),
        ("INVENTORY_OUTPUT", "a b"),
        ("KNOWN_HOSTS_OUTPUT", ""),
        ("KNOWN_HOSTS_FILE", "both"),
        ("INVENTORY_DIR", ""),
        ("ENVIRONMENT", "Dev"),
    ] {
        script.clone().env(name, value).run().exits(2);
    }
    script.file("the stack/main.tf", "{").run().exits(1).says("terraform output failed");
}
