//! Ansible: playbooks and roles.

use super::tree::{Tree, directory_of, name_of};
use super::{Later, Notes};

pub(super) fn look(tree: &Tree<'_>, notes: &mut Notes) -> Vec<Later> {
    let mut found: Vec<Later> = Vec::new();
    let mut add = |directory: &str, text: &str| {
        if !found.iter().any(|known| known.path == directory) {
            found.push(Later::new(
                "Ansible",
                directory,
                text,
                "`ansible`, which the stage `configure` of a pipeline runs",
            ));
        }
    };
    for path in tree.files() {
        let name = name_of(path);
        if name == "ansible.cfg" {
            add(directory_of(path), "settings");
        }
        let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
        let may_be_playbook = is_yaml
            && (path.split('/').any(|part| part == "ansible" || part == "playbooks")
                || ["playbook", "site."].iter().any(|start| name.starts_with(start)));
        let text = if may_be_playbook { tree.read(path, notes) } else { None };
        let is_hosts = |line: &str| line.starts_with("- hosts:") || line.starts_with("  hosts:");
        if text.is_some_and(|text| text.lines().any(is_hosts)) {
            add(directory_of(path), "playbooks");
        }
    }
    found
}
