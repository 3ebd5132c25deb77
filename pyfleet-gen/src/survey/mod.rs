//! What is in a repository, one technology a file.
//!
//! Everything is read as a stranger's: within bounds, without following a link, without starting a program. What is
//! malformed is a note, never a failure. To add a technology: its file, its field in [`Survey`], its line in
//! [`Survey::look`].

pub(crate) mod ansible;
pub(crate) mod cdktf;
pub(crate) mod docker;
pub(crate) mod ecs;
pub(crate) mod git;
mod ignore;
pub(crate) mod kubernetes;
pub(crate) mod node;
pub(crate) mod packer;
pub(crate) mod python;
pub(crate) mod terraform;
pub(crate) mod tree;
pub(crate) mod workflows;

use self::tree::Tree;
use crate::repository::{FileError, Repository};

/// What was seen.
pub(crate) struct Survey {
    /// What git knows.
    pub(crate) git: git::Git,
    /// Terraform and OpenTofu.
    pub(crate) terraform: terraform::Terraform,
    /// Dockerfiles.
    pub(crate) images: Vec<docker::Dockerfile>,
    /// Python projects.
    pub(crate) python: Vec<python::Project>,
    /// Node packages.
    pub(crate) node: Vec<node::Package>,
    /// Task definitions of ECS.
    pub(crate) tasks: Vec<ecs::TaskDefinition>,
    /// Workflows that are there already.
    pub(crate) workflows: Vec<workflows::Existing>,
    /// Kubernetes.
    pub(crate) kubernetes: kubernetes::Kubernetes,
    /// Programs of CDKTF.
    pub(crate) cdktf: Vec<cdktf::Program>,
    /// Templates of Packer.
    pub(crate) packer: Vec<packer::Template>,
    /// Ansible.
    pub(crate) ansible: ansible::Ansible,
    /// What was left out, and why.
    pub(crate) notes: Notes,
}

impl Survey {
    /// Looks at a repository.
    pub(crate) fn look(repository: &Repository) -> Self {
        let mut notes = Notes::default();
        let tree = Tree::walk(repository, &mut notes);
        let images = docker::look(&tree, &mut notes);
        let git = git::look(repository, &mut notes);
        let terraform = terraform::look(&tree, &mut notes);
        let python = python::look(&tree, &images, &mut notes);
        let tasks = ecs::look(&tree, &mut notes);
        let node = node::look(&tree, &images, &mut notes);
        let workflows = workflows::look(&tree, &mut notes);
        let packer = packer::look(&tree, &mut notes);
        let ansible = ansible::look(&tree, &mut notes);
        let cdktf = cdktf::look(&tree, &mut notes);
        // Last: every YAML file is read for it, and what may be read altogether has an end.
        let kubernetes = kubernetes::look(&tree, &mut notes);
        Self {
            git,
            terraform,
            images,
            python,
            node,
            tasks,
            workflows,
            kubernetes,
            cdktf,
            packer,
            ansible,
            notes,
        }
    }
}

/// Why something could not be read, without the remedy: a note has one line, and nothing has failed.
fn reason(error: &FileError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

/// What was left out, and why: each once, and never without an end.
#[derive(Default)]
pub(crate) struct Notes(Vec<String>);

impl Notes {
    /// As many are kept.
    const MOST: usize = 50;

    pub(crate) fn add(&mut self, note: String) {
        if self.0.len() < Self::MOST && !self.0.contains(&note) {
            self.0.push(note);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}
