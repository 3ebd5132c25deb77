use super::script::Script;
use crate::tool;

const PLAYBOOK: &str =
    "- hosts: all\n  gather_facts: false\n  tasks:\n    - ansible.builtin.debug:\n        msg: done\n";

fn checking() -> Option<Script> {
    let ansible = tool::find("ansible-playbook")?;
    Some(
        Script::new("ansible-check.sh")
            .real_tool("ansible-playbook", ansible.path())
            .file("the playbooks/site.yml", PLAYBOOK)
            .env("ANSIBLE_DIRECTORY", "the playbooks")
            .env("PLAYBOOK", "site.yml"),
    )
}

#[test]
fn a_playbook_that_can_be_read_passes() {
    let Some(script) = checking() else { return };
    script.run().exits(0).says("the playbooks/site.yml: the syntax is right");
}

#[test]
fn one_that_cannot_is_shown() {
    let Some(script) = checking() else { return };
    let script =
        script.file("the playbooks/site.yml", PLAYBOOK.replace("ansible.builtin.debug", "no.such.module"));
    script.run().exits(1).says("::error::the playbooks/site.yml cannot be read").says("no.such.module");
}

#[test]
fn host_keys_are_checked() {
    let Some(script) = checking() else { return };
    for (file, text) in [
        ("ansible.cfg", "[defaults]\nhost_key_checking = False\n"),
        ("group_vars/all.yml", "ansible_ssh_common_args: -o StrictHostKeyChecking=no\n"),
        ("inventory/hosts", "web ansible_ssh_extra_args='-o UserKnownHostsFile=/dev/null'\n"),
        ("group_vars/all.yml", "ansible_host_key_checking: false\n"),
    ] {
        let script = checking().unwrap_or_else(|| script.clone()).file(format!("the playbooks/{file}"), text);
        script.run().exits(3).says("switches the check of host keys off").says(file);
    }
    script.file("the playbooks/ansible.cfg", "[defaults]\nhost_key_checking = True\n").run().exits(0);
}

#[test]
fn usage() {
    let Some(script) = checking() else { return };
    for (name, value) in
        [("ANSIBLE_DIRECTORY", "none"), ("PLAYBOOK", "none.yml"), ("PLAYBOOK", "-h"), ("PLAYBOOK", "")]
    {
        script.clone().env(name, value).run().exits(2);
    }
}
