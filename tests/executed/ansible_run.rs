use std::fs;
use std::process::Command;

use super::script::Script;
use crate::tool;

const PLAYBOOK: &str = r#"
- hosts: all
  gather_facts: false
  tasks:
    - name: Write it
      ansible.builtin.copy:
        content: "secret={{ lookup('env', 'AWS_SECRET_ACCESS_KEY') }} line\n"
        dest: "{{ target }}"
    - name: Hide it
      ansible.builtin.debug:
        msg: never-to-be-seen
      no_log: true
    - name: Look for the key
      ansible.builtin.command: ssh-add -l
      register: keys
      check_mode: false
      changed_when: false
    - ansible.builtin.debug:
        msg: "{{ keys.stdout }} ::error::taken over"
"#;

/// The machine is the runner itself: Ansible needs no server for it.
const HOSTS: &str = "all:\n  hosts:\n    web-1: { ansible_connection: local, ansible_python_interpreter: \"{{ ansible_playbook_python }}\", target: TARGET }\n";

const TOOLS: [&str; 3] = ["ansible", "ansible-inventory", "ansible-playbook"];

fn key() -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "machine", "-f"])
        .arg(&path)
        .status();
    assert!(made.unwrap().success());
    fs::read_to_string(path).unwrap()
}

fn running(mode: &str) -> Option<Script> {
    let mut script = Script::new("ansible-run.sh");
    for name in TOOLS {
        script = script.real_tool(name, tool::find(name)?.path());
    }
    let (home, target) = (script.directory().join("home"), script.directory().join("written"));
    Some(
        script
            .file("the playbooks/site.yml", PLAYBOOK)
            .file("the inventory/hosts.yml", HOSTS.replace("TARGET", &format!("'{}'", target.display())))
            .file("the inventory/known_hosts", "10.0.0.5 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGkZ000\n")
            .file("home/.keep", "")
            .env("HOME", home)
            .env("MODE", mode)
            .env("ANSIBLE_DIRECTORY", "the playbooks")
            .env("PLAYBOOK", "site.yml")
            .env("INVENTORY_DIR", "the inventory")
            .env("SSH_KEY", key())
            .env("PUBLISH", "full")
            .env("ENVIRONMENT", "dev")
            .env("LOG_DIR", "the logs")
            .env("WAIT_TIMEOUT", "5")
            .env("ROLLBACK", "gh workflow run rollback.yml --ref main -f target=previous")
            .env("AWS_SECRET_ACCESS_KEY", "hush-hush")
            .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "hush-token"),
    )
}

#[test]
fn what_would_change_is_shown_before_it_changes() {
    let Some(script) = running("preview") else { return };
    let ran = script
        .run()
        .exits(0)
        .says("+secret= line")
        .shows("### What `site.yml` would change in `dev`")
        .shows("| `web-1` | 4 | 1 | 0 | 0 | 0 |")
        .never_says("never-to-be-seen")
        .never_says("hush");
    assert!(!ran.directory.join("written").exists(), "a preview changes nothing");
    assert!(ran.text("the logs/preview.log").contains("+secret= line"));
    // Where everybody reads the logs, no file is shown.
    script.env("PUBLISH", "summary").run().exits(0).never_says("+secret=").shows("| `web-1` | 4 | 1 |");
}

#[test]
fn the_key_is_in_the_agent_and_nowhere_else() {
    let Some(script) = running("run") else { return };
    let leak = "    - ansible.builtin.shell: grep -rl 'OPENSSH[ ]PRIVATE' \"$RUNNER_TEMP\" . /proc/$PPID/environ || echo nowhere\n      register: found\n    - ansible.builtin.debug:\n        var: found.stdout\n";
    let script = script.file("the playbooks/site.yml", format!("{PLAYBOOK}{leak}"));
    let ran = script
        .run()
        .exits(0)
        .says("ED25519")
        .says("nowhere")
        .shows("### What `site.yml` changed in `dev`")
        .never_says("hush")
        .never_says("PRIVATE KEY");
    assert_eq!(ran.text("written"), "secret= line\n");
    assert!(ran.text("the logs/run.log").contains("PLAY RECAP"));
    // A playbook that prints it prints it not.
    let key = key();
    let line = key.lines().nth(2).unwrap().to_owned();
    let told = PLAYBOOK
        .replace("never-to-be-seen", "x")
        .replace("no_log: true", "no_log: false")
        .replace("msg: x", &format!("msg: {line}"));
    let ran =
        script.file("the playbooks/site.yml", told).env("SSH_KEY", &key).run().exits(0).never_says(&line);
    assert!(!ran.text("the logs/run.log").contains(&line));
}

#[test]
fn a_machine_that_does_not_answer_stops_it() {
    let Some(script) = running("preview") else { return };
    let script = script
        .file(
            "the inventory/hosts.yml",
            "all:\n  hosts:\n    web-1: { ansible_host: 127.0.0.1, ansible_port: 1 }\n",
        )
        .env("WAIT_TIMEOUT", "1");
    script
        .run()
        .exits(1)
        .says("a machine of dev did not answer within 1 seconds, or not with its host key")
        .shows("gh workflow run rollback.yml")
        .says("to go back to the image before: gh workflow run");
}

#[test]
fn ssh_is_told_to_check_host_keys_whatever_a_file_says() {
    let Some(script) = running("preview") else { return };
    let script = script
        .file("the playbooks/ansible.cfg", "[defaults]\nhost_key_checking = False\n")
        .file("the inventory/hosts.yml", "all:\n  hosts:\n    web-1: { ansible_host: 10.0.0.5 }\n")
        .tool(
            "ssh",
            "printf '%s\\n' \"$@\" >>\"$STATE/ssh\"\necho 'Host key verification failed.' >&2\nexit 255\n",
        )
        .env("WAIT_TIMEOUT", "1");
    script.run().exits(1).says("did not answer");
    let asked = fs::read_to_string(script.state().join("ssh")).unwrap();
    assert!(asked.contains("StrictHostKeyChecking=yes"), "{asked}");
    assert!(!asked.contains("StrictHostKeyChecking=no"), "{asked}");
    assert!(asked.contains("\nUserKnownHostsFile=/tmp/ansible."), "{asked}");
}

#[test]
fn a_playbook_that_fails_is_red_and_names_the_way_back() {
    let Some(script) = running("run") else { return };
    let fails = format!("{PLAYBOOK}    - ansible.builtin.fail:\n        msg: it broke\n");
    script
        .clone()
        .file("the playbooks/site.yml", fails)
        .run()
        .exits(1)
        .says("::error::site.yml failed in dev")
        .says("it broke")
        .shows("gh workflow run rollback.yml");
    // Green and nothing done would look like success.
    let nobody = PLAYBOOK.replace("hosts: all", "hosts: web");
    script
        .clone()
        .file("the playbooks/site.yml", nobody)
        .run()
        .exits(4)
        .says("no play of site.yml is for a machine");
    for hosts in ["all: {}\n", "", "[[["] {
        script
            .clone()
            .file("the inventory/hosts.yml", hosts)
            .run()
            .exits(4)
            .says("there is no machine in the inventory");
    }
}

#[test]
fn every_machine_has_to_have_every_tool() {
    let Some(script) = running("verify") else { return };
    script
        .clone()
        .env("EXPECT", r#"["bash", "no-such-tool", "git"]"#)
        .run()
        .exits(5)
        .says("::error::no-such-tool is missing on web-1")
        .shows("| `bash` | ✅ `")
        .shows("| `no-such-tool` | ❌ missing |")
        .shows("gh workflow run rollback.yml");
    script.clone().env("EXPECT", r#"["bash", "git"]"#).run().exits(0).says("1 machines of dev have what");
    // nvm is no program, but a file that a shell reads.
    let nvm = script.file("home/.nvm/nvm.sh", "nvm() { :; }\n").env("EXPECT", r#"["nvm"]"#);
    nvm.run().exits(0).shows("| `nvm` | ✅ `");
}

#[test]
fn a_key_that_cannot_be_used_stops_before_any_machine() {
    let Some(script) = running("run") else { return };
    for (key, message) in [
        ("", "is empty here"),
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----\nno key at all\n-----END OPENSSH PRIVATE KEY-----",
            "is no private key that can be used",
        ),
        ("hunter22222", "is no private key"),
    ] {
        let ran = script.clone().env("SSH_KEY", key).run().exits(3).says(message).never_says("hunter22222");
        assert!(!ran.directory.join("written").exists());
    }
    // Written on Windows, and without its last line end.
    let windows = key().trim_end().replace('\n', "\r\n");
    script.env("SSH_KEY", windows).run().exits(0);
}

#[test]
fn usage() {
    let Some(script) = running("run") else { return };
    for (name, value) in [
        ("MODE", "all"),
        ("ANSIBLE_DIRECTORY", "none"),
        ("PLAYBOOK", "none.yml"),
        ("EXPECT", r#"["$(id)"]"#),
        ("INVENTORY_DIR", "none"),
        ("PUBLISH", "all"),
        ("ENVIRONMENT", "Dev"),
        ("WAIT_TIMEOUT", "soon"),
        ("LOG_DIR", ""),
    ] {
        script.clone().env(name, value).run().exits(2);
    }
}
