//! Stacks that CDKTF synthesises.

use pyfleet_core::secret::secrets_in;
use serde::Serialize;

use super::names::Names;
use super::{Guesses, Said, is_slug, plain};
use crate::report::count;
use crate::survey::cdktf::Program;
use crate::survey::tree::join;
use crate::survey::{Notes, Survey};

/// As many stacks are proposed.
const MOST: usize = 20;

#[derive(Serialize)]
pub(super) struct Cdktf {
    /// Terraform's own version, which applies what is synthesised.
    version: Said,
    stacks: Vec<Stack>,
    /// What the program is handed for each image.
    images: Vec<String>,
    /// What the only stack deploys itself; nothing where none does, or no image is pushed.
    awaits: Option<Vec<String>>,
    #[serde(skip)]
    has_ecs: bool,
}

#[derive(Serialize)]
struct Stack {
    name: String,
    because: Option<&'static str>,
    directory: String,
    version: String,
    /// Where it is known, and is not CDKTF's own.
    node: Option<String>,
    lock_files: String,
}

impl Cdktf {
    /// Whether its only stack deploys what runs on ECS.
    pub(super) fn deploys(&self) -> bool {
        self.has_ecs && self.stacks.len() == 1
    }

    /// Takes down what the stack is handed, and what of it it deploys.
    pub(super) fn hand(&mut self, images: Vec<String>, awaits: Option<Vec<String>>) {
        self.images = images;
        self.awaits = awaits;
    }
}

/// Nothing where a program cannot be synthesised, or where Terraform of its own is here as well.
pub(super) fn propose(
    survey: &Survey,
    project: &str,
    guesses: &mut Guesses,
    notes: &mut Notes,
) -> Option<Cdktf> {
    let mut names = Names::default();
    let mut stacks = Vec::new();
    if let Some(program) = survey.cdktf.first().filter(|_| !survey.terraform.stacks.is_empty()) {
        notes.add(format!(
            "{} of CDKTF left out, such as the one in `{}`: the workflows of the other Terraform here do not work on what is synthesised; `cdktf synth --hcl` writes it as Terraform's own language",
            count(survey.cdktf.len(), "program"),
            program.directory
        ));
        return None;
    }
    for program in &survey.cdktf {
        let Some(version) = synthesised(program, notes) else { continue };
        stacks.extend(of_program(survey, program, version, project, &mut names, notes));
    }
    if stacks.len() > MOST {
        notes.add(format!("only the first {MOST} stacks of CDKTF are in the manifest"));
        stacks.truncate(MOST);
    }
    if stacks.is_empty() {
        return None;
    }
    let version = match &survey.terraform.pinned {
        Some((version, file)) if super::terraform::is_version(version) => {
            guesses.say("terraform.version", version, &format!("{file} names it"))
        }
        _ => guesses.say("terraform.version", "1.11.4", "nothing says which"),
    };
    notes.add("CDKTF is archived since 2025-12-10, which `render` says too: `cdktf synth --hcl` writes a stack as Terraform's own language".to_owned());
    let has_ecs = survey.cdktf.iter().any(|program| program.has_ecs);
    Some(Cdktf { version, stacks, images: Vec::new(), awaits: None, has_ecs })
}

/// The version of the command line, where npm installs it and knows which.
fn synthesised(program: &Program, notes: &mut Notes) -> Option<String> {
    let directory = &program.directory;
    let mut leave_out =
        |why: &str| notes.add(format!("the program of CDKTF in `{directory}` was left out: {why}"));
    match program.language.as_deref() {
        Some("typescript") => {}
        Some(language) => {
            leave_out(&format!(
                "it is in {}, and pyfleet synthesises what npm installs: TypeScript and JavaScript",
                plain(language)
            ));
            return None;
        }
        None => {
            leave_out("its cdktf.json names no `language`");
            return None;
        }
    }
    if !program.is_locked {
        leave_out("it has no package-lock.json: `npm install` writes it, and it has to be committed");
        return None;
    }
    if program.version.is_none() {
        leave_out(
            "its package.json and package-lock.json name no exact `cdktf-cli`: `npm install --save-dev --save-exact cdktf-cli@0.21.0`",
        );
    }
    program.version.clone()
}

fn of_program(
    survey: &Survey,
    program: &Program,
    version: String,
    project: &str,
    names: &mut Names,
    notes: &mut Notes,
) -> Vec<Stack> {
    let directory = &program.directory;
    let node = survey.node.iter().find(|package| package.directory == *directory);
    let node = node.and_then(|package| package.version.as_ref()).map(|(version, _)| version.clone());
    let lock_files = program.lock_files.clone().unwrap_or_else(|| join(directory, "locks"));
    let stack = |name: String, because: Option<&'static str>| Stack {
        name,
        because,
        directory: directory.clone(),
        version: version.clone(),
        node: node.clone(),
        lock_files: lock_files.clone(),
    };
    let mut stacks = Vec::new();
    for name in program.stacks.iter().take(MOST) {
        if is_slug(name) && secrets_in(name).is_empty() && names.claim(name.clone()) {
            stacks.push(stack(name.clone(), None));
        } else {
            notes.add(format!(
                "the stack `{}` of CDKTF in `{directory}` was left out: a stack is named once, in lower-case letters, digits and dashes",
                plain(name)
            ));
        }
    }
    if program.stacks.is_empty() {
        let name = names.take(project, "stack");
        stacks.push(stack(name, Some("which stacks the program has is not known: `cdktf list` prints them")));
    }
    if program.lock_files.is_none() {
        notes.add(format!(
            "no lock file of Terraform is committed below `{directory}`: `cdktf synth`, then `terraform -chdir=cdktf.out/stacks/NAME providers lock -platform=linux_amd64`, and its `.terraform.lock.hcl` belongs into `{lock_files}/NAME`"
        ));
    }
    stacks
}
