//! Packer: templates in HCL.

use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, BlockLabel, Body};

use super::Notes;
use super::tree::{Tree, below, directory_of};
use crate::report::count;

/// As many templates are read.
const TEMPLATES: usize = 50;
/// As many variables, builders or files of one template.
const PARTS: usize = 50;

/// One template: a file that says what is built.
#[derive(Default)]
pub(crate) struct Template {
    /// Its path.
    pub(crate) path: String,
    /// What Packer's version has to be.
    pub(crate) required_version: Option<String>,
    /// What builds: `proxmox-iso`, `amazon-ebs`, ….
    pub(crate) builders: Vec<String>,
    /// Variables without a default, and whether each is a secret.
    pub(crate) variables: Vec<(String, bool)>,
    /// Files and directories that it takes from outside of its own directory.
    pub(crate) sources: Vec<String>,
    /// Playbooks that it runs.
    pub(crate) playbooks: Vec<String>,
    /// Whether it writes `packer-manifest.json`.
    pub(crate) has_manifest: bool,
    /// Other files of Packer's beside it, which it is not given.
    pub(crate) beside: usize,
}

pub(super) fn look(tree: &Tree<'_>, notes: &mut Notes) -> Vec<Template> {
    let mut found = Vec::new();
    let mut malformed = Vec::new();
    let paths: Vec<&str> = tree.files().filter(|path| path.ends_with(".pkr.hcl")).collect();
    if paths.len() > TEMPLATES {
        notes.add(format!("only the first {TEMPLATES} files of Packer were read"));
    }
    for path in paths.iter().take(TEMPLATES) {
        let Some(text) = tree.read(path, notes) else { continue };
        match text.parse::<Body>() {
            Ok(body) if body.has_blocks("build") => {
                let mut template = read(tree, path, &body);
                let is_beside = |other: &&&str| *other != path && directory_of(other) == directory_of(path);
                template.beside = paths.iter().filter(is_beside).count();
                found.push(template);
            }
            Ok(_) => {}
            Err(error) => malformed.push((*path, error.location().line())),
        }
    }
    if let Some((path, line)) = malformed.first() {
        notes.add(format!(
            "{} of Packer left out that are not HCL, such as `{path}`, which cannot be read from line {line} on",
            count(malformed.len(), "file")
        ));
    }
    for path in tree.files().filter(|path| path.ends_with(".pkr.json")) {
        notes.add(format!("`{path}` is Packer in JSON, and was not read"));
    }
    if found.is_empty()
        && malformed.is_empty()
        && let Some(path) = paths.first()
    {
        notes.add(format!(
            "`{path}` has no `build`, and neither has another file of Packer's: all were left out"
        ));
    }
    found
}

fn read(tree: &Tree<'_>, path: &str, body: &Body) -> Template {
    let mut template = Template { path: path.to_owned(), ..Template::default() };
    for block in body.blocks() {
        let label = block.labels.first().map(BlockLabel::as_str).unwrap_or_default();
        match block.ident.as_str() {
            "packer" => {
                let version = block.body.get_attribute("required_version");
                template.required_version =
                    version.and_then(|version| version.value.as_str()).map(str::to_owned);
            }
            "source" if is_word(label) && template.builders.len() < PARTS => {
                template.builders.push(label.to_owned());
            }
            "variable"
                if is_word(label)
                    && !block.body.has_attribute("default")
                    && template.variables.len() < PARTS =>
            {
                template.variables.push((label.to_owned(), is_secret(block, label)));
            }
            "build" => {
                for provisioner in block.body.get_blocks("provisioner") {
                    provisions(tree, provisioner, &mut template);
                }
                // Beside the build, or in a list of them.
                let lists = block.body.get_blocks("post-processors");
                let nested = lists.flat_map(|list| list.body.get_blocks("post-processor"));
                template.has_manifest |=
                    block.body.get_blocks("post-processor").chain(nested).any(writes_manifest);
            }
            _ => {}
        }
    }
    template.builders.sort_unstable();
    template.builders.dedup();
    template.sources.sort_unstable();
    template.sources.dedup();
    template
}

fn writes_manifest(block: &Block) -> bool {
    let label = block.labels.first().map(BlockLabel::as_str);
    let output = block.body.get_attribute("output").and_then(|output| output.value.as_str());
    // It is the post-processor's own default.
    label == Some("manifest") && output.is_none_or(|output| output == "packer-manifest.json")
}

/// Files that a provisioner brings onto the machine, from the repository's root, where Packer runs.
fn provisions(tree: &Tree<'_>, block: &Block, template: &mut Template) {
    let label = block.labels.first().map(BlockLabel::as_str).unwrap_or_default();
    let is_download =
        block.body.get_attribute("direction").and_then(|it| it.value.as_str()) == Some("download");
    let mut paths = Vec::new();
    for name in ["playbook_file", "playbook_dir", "script", "source", "galaxy_file"] {
        let value = block.body.get_attribute(name).and_then(|attribute| attribute.value.as_str());
        paths.extend(value.filter(|_| !is_download).map(|path| (name, path)));
    }
    if let Some(Expression::Array(scripts)) = block.body.get_attribute("scripts").map(|it| &it.value) {
        paths.extend(scripts.iter().filter_map(|script| Some(("scripts", script.as_str()?))));
    }
    for (name, path) in paths.into_iter().take(PARTS) {
        let path = path.trim_start_matches("./").trim_end_matches('/');
        if path.is_empty() || !tree.has_below(path) {
            continue;
        }
        if name == "playbook_file" && label.starts_with("ansible") {
            template.playbooks.push(path.to_owned());
        }
        // At the root only the template itself is a source.
        let own = directory_of(&template.path);
        if (own == "." || below(own, path).is_none()) && template.sources.len() < PARTS {
            template.sources.push(path.to_owned());
        }
    }
}

fn is_secret(block: &Block, name: &str) -> bool {
    let is_marked = block.body.get_attribute("sensitive").and_then(|it| it.value.as_bool()) == Some(true);
    is_marked || ["token", "password", "secret", "credential", "_key"].iter().any(|word| name.contains(word))
}

fn is_word(text: &str) -> bool {
    (1..=80).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}
