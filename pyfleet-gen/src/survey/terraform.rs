//! Terraform and OpenTofu: which directories are stacks, what they say of their version, state, variables and
//! providers. Values of variable files are not read: they may be secrets.

use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::structure::{Block, Body};

use super::Notes;
use super::ignore::ignoring_line;
use super::tree::{Tree, below, directory_of, join, name_of};
use crate::report::count;

/// Everything that is Terraform.
#[derive(Default)]
pub(crate) struct Terraform {
    /// Directories that are planned and applied on their own.
    pub(crate) stacks: Vec<Stack>,
    /// Directories that others use.
    pub(crate) modules: Vec<String>,
    /// Modules of stacks and modules that lie elsewhere.
    pub(crate) remote_modules: BTreeSet<String>,
    /// Types of resources, in stacks and in modules.
    pub(crate) resources: BTreeSet<String>,
    /// A version that a file of tfenv, tofuenv or asdf names, and the file.
    pub(crate) pinned: Option<(String, String)>,
    /// Whether it is OpenTofu.
    pub(crate) is_tofu: bool,
}

/// One directory that is planned and applied on its own.
#[derive(Default)]
pub(crate) struct Stack {
    /// Where it lies.
    pub(crate) directory: String,
    /// What it demands of the tool's version.
    pub(crate) required_version: Option<String>,
    /// Where its state is kept.
    pub(crate) backend: Option<Backend>,
    /// The region of its AWS provider, or the default of the variable that names it.
    pub(crate) region: Option<String>,
    /// Whether it has an AWS provider.
    pub(crate) is_aws: bool,
    /// Variables without a default.
    pub(crate) variables: Vec<String>,
    /// Variables with one.
    pub(crate) defaulted: Vec<String>,
    /// Outputs.
    pub(crate) outputs: Vec<String>,
    /// Variable files, relative to the directory.
    pub(crate) var_files: Vec<String>,
    /// What is known of `.terraform.lock.hcl`.
    pub(crate) lock: LockFile,
}

/// Where state is kept.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Backend {
    /// `s3`, `gcs`, `cloud`, …
    pub(crate) kind: String,
    /// The bucket, where it stands there.
    pub(crate) bucket: Option<String>,
    /// The state's key, where it stands there.
    pub(crate) key: Option<String>,
    /// The region, where it stands there.
    pub(crate) region: Option<String>,
    /// The DynamoDB table of its lock.
    pub(crate) table: Option<String>,
    /// Whether the lock is a file beside the state.
    pub(crate) lock_file: bool,
}

/// What is known of `.terraform.lock.hcl`.
#[derive(Default, PartialEq, Eq)]
pub(crate) enum LockFile {
    /// It is there.
    Present,
    /// It is not there, and no provider needs it.
    #[default]
    NotNeeded,
    /// It is not there.
    Absent,
    /// A line of `.gitignore` keeps it out.
    Ignored(String),
}

/// What the files of one directory say together.
#[derive(Default)]
struct Directory {
    stack: Stack,
    has_root_block: bool,
    has_provider: bool,
    uses: Vec<String>,
    remote: BTreeSet<String>,
    resources: BTreeSet<String>,
    needs_providers: bool,
}

/// Directories whose Terraform is shown, not run.
const SHOWN: &[&str] = &["example", "examples", "fixture", "fixtures", "testdata"];
/// Directories whose Terraform is tested, not run; but `envs/test` is an environment, which keeps its state somewhere.
const TESTED: &[&str] = &["test", "tests"];

pub(super) fn look(tree: &Tree<'_>, notes: &mut Notes) -> Terraform {
    let mut terraform = Terraform { pinned: pinned(tree, notes), ..Terraform::default() };
    let mut directories: BTreeMap<&str, Directory> = BTreeMap::new();
    let mut malformed = Vec::new();
    for path in tree.files().filter(|path| is_configuration(path)) {
        terraform.is_tofu |= path.ends_with(".tofu");
        let Some(text) = tree.read(path, notes) else { continue };
        match text.parse::<Body>() {
            Ok(body) => directories.entry(directory_of(path)).or_default().read(directory_of(path), &body),
            Err(error) => malformed.push((path, error.location().line())),
        }
    }
    if let Some((path, line)) = malformed.first() {
        notes.add(format!(
            "{} left out that are not HCL, such as `{path}`, which cannot be read from line {line} on",
            count(malformed.len(), "file")
        ));
    }
    for path in tree.files().filter(|path| path.ends_with(".tf.json")) {
        notes.add(format!("`{path}` is Terraform in JSON, and was not read"));
    }
    let configurations: BTreeSet<&str> =
        tree.files().filter(|path| is_configuration(path)).map(directory_of).collect();
    let used: BTreeSet<String> = directories.values().flat_map(|directory| directory.uses.clone()).collect();
    for (path, directory) in directories {
        let Directory { mut stack, has_root_block, has_provider, remote, resources, needs_providers, .. } =
            directory;
        let is_below = |names: &[&str]| path.split('/').any(|part| names.contains(&part));
        let is_not_run = is_below(SHOWN) || (is_below(TESTED) && stack.backend.is_none());
        if is_not_run && !used.contains(path) {
            notes.add(format!("`{path}` is Terraform for examples or tests, and was left out"));
            continue;
        }
        let is_module = used.contains(path)
            || (is_below(&["module", "modules"]) && stack.backend.is_none() && !has_provider);
        // What nobody here uses makes nothing here.
        if !is_module || used.contains(path) {
            terraform.resources.extend(resources);
            terraform.remote_modules.extend(remote);
        }
        if is_module {
            terraform.modules.push(path.to_owned());
        } else if has_root_block {
            path.clone_into(&mut stack.directory);
            stack.var_files = var_files(tree, path, &configurations);
            stack.lock = lock_file(tree, path, needs_providers, notes);
            stack.variables.sort_unstable();
            terraform.is_tofu |= is_locked_by_tofu(tree, path, notes);
            terraform.stacks.push(stack);
        } else {
            notes.add(format!("`{path}` declares no provider, resource or module, and was left out"));
        }
    }
    terraform
}

fn is_configuration(path: &str) -> bool {
    path.ends_with(".tf") || path.ends_with(".tofu")
}

impl Directory {
    fn read(&mut self, path: &str, body: &Body) {
        for block in body.blocks() {
            let label = block.labels.first().map(hcl_edit::structure::BlockLabel::as_str).unwrap_or_default();
            match block.ident.as_str() {
                "terraform" => self.settings(&block.body),
                "provider" => {
                    self.has_root_block = true;
                    self.has_provider = true;
                    self.needs_providers = true;
                    self.stack.is_aws |= label == "aws";
                    if label == "aws" && !block.body.has_attribute("alias") {
                        self.stack.region = self.stack.region.take().or_else(|| text_of(block, "region"));
                    }
                }
                "resource" | "data" => {
                    self.has_root_block = true;
                    self.needs_providers |= label != "terraform_data" && label != "terraform_remote_state";
                    if block.ident.as_str() == "resource" {
                        self.resources.insert(label.to_owned());
                    }
                }
                "module" => {
                    self.has_root_block = true;
                    let source = text_of(block, "source").unwrap_or_default();
                    match local(path, &source) {
                        Some(directory) => self.uses.push(directory),
                        None if source.starts_with('.') => {}
                        None => {
                            self.needs_providers = true;
                            self.remote.insert(source);
                        }
                    }
                }
                "variable"
                    if matches!(label, "region" | "aws_region") && block.body.has_attribute("default") =>
                {
                    self.stack.region = self.stack.region.take().or_else(|| text_of(block, "default"));
                }
                "variable" if is_word(label) => {
                    let has_default = block.body.has_attribute("default");
                    let own = if has_default { &mut self.stack.defaulted } else { &mut self.stack.variables };
                    own.push(label.to_owned());
                }
                "output" if is_word(label) => self.stack.outputs.push(label.to_owned()),
                _ => {}
            }
        }
    }

    fn settings(&mut self, body: &Body) {
        self.has_root_block = true;
        self.needs_providers |= body.has_blocks("required_providers");
        let version = body.get_attribute("required_version").and_then(|version| version.value.as_str());
        self.stack.required_version =
            self.stack.required_version.take().or_else(|| version.map(str::to_owned));
        if body.has_blocks("cloud") {
            self.stack.backend = Some(Backend { kind: "cloud".to_owned(), ..Backend::default() });
        }
        for block in body.get_blocks("backend") {
            let kind = block.labels.first().map(hcl_edit::structure::BlockLabel::as_str).unwrap_or_default();
            let lock_file = block.body.get_attribute("use_lockfile").and_then(|value| value.value.as_bool());
            self.stack.backend = Some(Backend {
                kind: kind.to_owned(),
                bucket: text_of(block, "bucket"),
                key: text_of(block, "key"),
                region: text_of(block, "region"),
                table: text_of(block, "dynamodb_table"),
                lock_file: lock_file == Some(true),
            });
        }
    }
}

/// An attribute that is a plain string.
fn text_of(block: &Block, name: &str) -> Option<String> {
    block.body.get_attribute(name).and_then(|attribute| attribute.value.as_str()).map(str::to_owned)
}

/// The directory of a module beside this one; nothing where it lies elsewhere.
fn local(directory: &str, source: &str) -> Option<String> {
    if !source.starts_with("./") && !source.starts_with("../") {
        return None;
    }
    let mut parts: Vec<&str> = directory.split('/').filter(|part| *part != ".").collect();
    for part in source.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}

fn is_word(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

/// Variable files in and below a stack's directory that are chosen by name: Terraform reads the others by itself.
fn var_files(tree: &Tree<'_>, directory: &str, configurations: &BTreeSet<&str>) -> Vec<String> {
    let inside = tree
        .files_below(directory)
        .filter_map(|path| below(directory, path))
        .filter(|path| path.ends_with(".tfvars"));
    let is_chosen = |path: &&str| {
        let name = name_of(path);
        let is_read_anyway = name == "terraform.tfvars" && directory_of(path) == ".";
        !is_read_anyway && !name.ends_with(".auto.tfvars")
    };
    // A file that belongs to a stack further down is not this one's.
    let is_own = |path: &&str| {
        let mut above = directory_of(path);
        while above != "." {
            if configurations.contains(join(directory, above).as_str()) {
                return false;
            }
            above = directory_of(above);
        }
        true
    };
    inside.filter(is_chosen).filter(is_own).take(100).map(str::to_owned).collect()
}

fn lock_file(tree: &Tree<'_>, directory: &str, needed: bool, notes: &mut Notes) -> LockFile {
    let path = join(directory, ".terraform.lock.hcl");
    // A file that is there and ignored is on one machine only.
    if let Some(line) = ignoring_line(tree, &path, notes).filter(|_| needed) {
        return LockFile::Ignored(line);
    }
    match (tree.has(&path), needed) {
        (true, _) => LockFile::Present,
        (false, true) => LockFile::Absent,
        (false, false) => LockFile::NotNeeded,
    }
}

fn is_locked_by_tofu(tree: &Tree<'_>, directory: &str, notes: &mut Notes) -> bool {
    let path = join(directory, ".terraform.lock.hcl");
    tree.has(&path) && tree.read(&path, notes).is_some_and(|text| text.contains("\"registry.opentofu.org/"))
}

/// A version that a tool's own file names. `.tool-versions` is asdf's and mise's.
fn pinned(tree: &Tree<'_>, notes: &mut Notes) -> Option<(String, String)> {
    for file in [".opentofu-version", ".terraform-version"] {
        if tree.has(file) {
            return Some((tree.read(file, notes)?.trim().to_owned(), file.to_owned()));
        }
    }
    let text = if tree.has(".tool-versions") { tree.read(".tool-versions", notes)? } else { return None };
    let version = text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        matches!(words.next(), Some("terraform" | "opentofu")).then(|| words.next()).flatten()
    })?;
    Some((version.to_owned(), ".tool-versions".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn local_modules_are_found_where_they_lie() {
        for (from, source, to) in [
            ("infra/app", "../modules/vpc", Some("infra/modules/vpc")),
            (".", "./modules//vpc/", Some("modules/vpc")),
            ("app", "..", None),
            ("app", "../", Some(".")),
            ("app", "../../outside", None),
            ("app", "terraform-aws-modules/vpc/aws", None),
        ] {
            assert_eq!(local(from, source).as_deref(), to, "{source}");
        }
    }
}
