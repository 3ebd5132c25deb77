//! Ansible: playbooks, roles, and what lies beside them.

use pyfleet_core::source::Source;
use pyfleet_core::yaml::tree::Document;

use super::Notes;
use super::tree::{Tree, directory_of, join, name_of};

/// As many files are looked into.
const FILES: usize = 500;

/// Everything that is Ansible.
#[derive(Default)]
pub(crate) struct Ansible {
    /// Playbooks, by path.
    pub(crate) playbooks: Vec<String>,
    /// Directories that have an `ansible.cfg`.
    pub(crate) configured: Vec<String>,
    /// Directories that have roles.
    pub(crate) roles: Vec<String>,
    /// Files of host keys.
    pub(crate) known_hosts: Vec<String>,
    /// The exact version of ansible-core that a requirements file names, and that file.
    pub(crate) version: Option<(String, String)>,
}

pub(super) fn look(tree: &Tree<'_>, notes: &mut Notes) -> Ansible {
    let mut ansible = Ansible::default();
    let mut looked_into = 0;
    for path in tree.files() {
        let name = name_of(path);
        match name {
            "ansible.cfg" => ansible.configured.push(directory_of(path).to_owned()),
            "known_hosts" => ansible.known_hosts.push(path.to_owned()),
            "main.yml" | "main.yaml" if name_of(directory_of(path)) == "tasks" => {
                let role = directory_of(directory_of(path));
                if name_of(directory_of(role)) == "roles" {
                    ansible.roles.push(directory_of(role).to_owned());
                }
                continue;
            }
            _ => {}
        }
        let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
        let may_be_playbook = is_yaml
            && !path.split('/').any(|part| part == "roles")
            && (path.split('/').any(|part| part == "ansible" || part == "playbooks")
                || ["playbook", "site."].iter().any(|start| name.starts_with(start)));
        if !may_be_playbook {
            continue;
        }
        looked_into += 1;
        if looked_into > FILES {
            notes.add(format!("only the first {FILES} YAML files were looked into for Ansible"));
            break;
        }
        let Some(text) = tree.read(path, notes) else { continue };
        let has_hosts = text.lines().any(|line| line.trim_start_matches(['-', ' ']).starts_with("hosts:"));
        if has_hosts {
            match Document::parse(Source::new(path, text)) {
                Ok(document) if document.root.items().iter().any(|play| play.get("hosts").is_some()) => {
                    ansible.playbooks.push(path.to_owned());
                }
                Ok(_) => {}
                Err(_) => notes.add(format!("`{path}` is not YAML, and was left out as a playbook")),
            }
        }
    }
    ansible.roles.dedup();
    let directories: Vec<String> = ansible.configured.iter().cloned().chain([".".to_owned()]).collect();
    ansible.version = directories.iter().find_map(|directory| version(tree, directory, notes));
    ansible
}

/// `2.18.6` in `ansible-core==2.18.6`.
fn version(tree: &Tree<'_>, directory: &str, notes: &mut Notes) -> Option<(String, String)> {
    let path = join(directory, "requirements.txt");
    let text = if tree.has(&path) { tree.read(&path, notes)? } else { return None };
    let named = text.lines().find_map(|line| line.trim().strip_prefix("ansible-core=="))?;
    let version: String =
        named.chars().take_while(|character| character.is_ascii_digit() || *character == '.').collect();
    let is_exact =
        version.split('.').count() == 3 && version.split('.').all(|part| (1..=4).contains(&part.len()));
    is_exact.then_some((version, path))
}
