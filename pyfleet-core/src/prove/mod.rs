//! Who gets into a project's environments, on which events and after what: compared with what the manifest says.
//!
//! Of every workflow of the repository, rendered or not, each job is
//! looked at that runs in one of the project's GitHub environments, or may: there it gets the environment's secrets, and
//! a token that the environment's roles trust. From the text of its workflow follows on which events it may run, and
//! which jobs have succeeded whenever it does, whatever the run's outputs, inputs and other results are
//! ([`crate::simulate::Event::any`]). What cannot be decided counts against the proof.
//!
//! A file is no boundary against people who may write to the repository: they start another branch's file. What keeps
//! them out are settings of GitHub and AWS, and each claim names those that it rests on.

mod access;
mod claim;
mod condition;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Path};
use crate::manifest::{Approval, SafetyLevel, Slug};
use crate::oidc::identities;
use crate::plan::Plan;
use crate::project::Project;
use crate::workflow::Workflow;

pub use self::access::{Access, Door, Origin};
pub use self::claim::{Claim, Exception, Property};

use self::access::Call;
use self::condition::Conditions;

/// A workflow file of a repository, or a script that workflows run.
#[derive(Debug, Clone)]
pub struct File {
    /// What is in it.
    pub content: Content,
    /// Whether it is, to the letter, what the manifest renders.
    pub is_rendered: bool,
}

/// What is in a file.
#[derive(Debug, Clone)]
pub enum Content {
    /// A workflow.
    Workflow(Box<Workflow>),
    /// A workflow that cannot be read.
    Unreadable,
    /// A script.
    Script,
}

/// What was proven, and what not.
#[derive(Debug, Clone)]
pub struct Proof {
    /// The environments, in the order of promotion.
    pub environments: Vec<EnvironmentProof>,
    /// Everything that a claim rests on and no file says, each once.
    pub conditions: Vec<String>,
    /// What breaks a claim, each with the file that it is in. The places have no spans yet.
    pub findings: Vec<(String, Diagnostic)>,
}

/// What was proven of one environment.
#[derive(Debug, Clone)]
pub struct EnvironmentProof {
    /// Its name.
    pub name: Slug,
    /// How far automation may go in it.
    pub level: SafetyLevel,
    /// Whether somebody has to agree before it changes.
    pub is_reviewed: bool,
    /// Every job that gets into it, by its file and in the file's order.
    pub accesses: Vec<Access>,
    /// What is claimed of it.
    pub claims: Vec<Claim>,
}

/// Proves what a manifest claims, of every workflow file of a repository by its path, those that are rendered and those
/// that lie there, and of the scripts that are rendered.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use pyfleet_core::prove::{Content, File, prove};
/// use pyfleet_core::{manifest, plan, project, source::Source, workflow};
///
/// let text = "
/// version: 1
/// project: shop
/// safety-level: 4
/// github: { repository: acme/shop, plan: enterprise }
/// aws: { account-id: \"123456789012\", region: us-east-1 }
/// environments: { prod: {} }
/// ";
/// let manifest = manifest::parse(Source::new("pyfleet.yml", text)).0.unwrap();
/// let project = project::resolve(&manifest).0.unwrap();
/// let (plan, _) = plan::plan(&project);
/// assert!(prove(&project, &plan, &BTreeMap::new()).findings.is_empty());
///
/// // Somebody's own workflow gets into it, on any push.
/// let text = "{ on: push, jobs: { ship: { runs-on: ubuntu-24.04, environment: prod, steps: [ { run: ./ship } ] } } }";
/// let (ship, _) = workflow::parse(Source::new("ship.yml", text)).0.unwrap();
/// let ship = File { content: Content::Workflow(Box::new(ship)), is_rendered: false };
/// let files = BTreeMap::from([(".github/workflows/ship.yml".to_owned(), ship)]);
/// let codes: Vec<&str> = prove(&project, &plan, &files).findings.iter().map(|(_, own)| own.code).collect();
/// assert_eq!(codes, ["access-unplanned", "access-started-otherwise", "access-unreviewed"]);
/// ```
#[must_use]
pub fn prove(project: &Project, plan: &Plan, files: &BTreeMap<String, File>) -> Proof {
    let reached = access::reach(project, plan, &identities(project, plan), files);
    let mut proof = Proof { environments: Vec::new(), conditions: Vec::new(), findings: Vec::new() };
    let unproven = files.iter().filter_map(|(path, file)| Some((path.clone(), unproven(plan, path, file)?)));
    proof.findings.extend(unproven);
    proof.findings.extend(reached.calls.iter().filter_map(|call| open_call(project, call)));
    // While one of these stands, nothing is known.
    let is_open = !proof.findings.is_empty();
    for (environment, accesses) in project.environments.iter().zip(&reached.accesses) {
        let rest_on = Conditions::of(project, plan, environment, &reached);
        let judge = claim::Judge { project, plan, files, environment, accesses, starters: &reached.starters };
        let claims = judge.claims(&rest_on, is_open, &mut proof);
        proof.environments.push(EnvironmentProof {
            name: environment.name.clone(),
            level: environment.level,
            is_reviewed: environment.approval != Approval::None,
            accesses: accesses.clone(),
            claims,
        });
    }
    proof
}

/// Why nothing is proven while a file is as it is.
fn unproven(plan: &Plan, path: &str, file: &File) -> Option<Diagnostic> {
    if matches!(file.content, Content::Unreadable) {
        let finding = Diagnostic::error(
            "access-unreadable",
            Path::root(),
            "this workflow cannot be read: what its jobs get into is not known, and nothing is proven",
        );
        return Some(finding.with_help(format!("`pyfleet-gen validate {path}` says what is wrong with it")));
    }
    let is_ours =
        matches!(file.content, Content::Script) || plan.workflows.iter().any(|own| own.file == path);
    let is_edited = !file.is_rendered && is_ours;
    is_edited.then(|| {
        Diagnostic::error(
            "access-edited",
            Path::root(),
            "another text lies here than the manifest renders: what its steps do is not known, and nothing is proven",
        )
        .with_help("`pyfleet-gen check` says what differs, `pyfleet-gen render` makes it current")
    })
}

/// What is wrong with calling a workflow that nobody can have read: another branch's, or one that changes.
fn open_call(project: &Project, call: &Call) -> Option<(String, Diagnostic)> {
    let is_commit = |reference: &str| {
        matches!(reference.len(), 40 | 64) && reference.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let is_own = call.uses.slug().is_some_and(|slug| {
        let start = slug.get(..project.repository.as_str().len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(project.repository.as_str()))
    });
    if call.uses.reference().is_some_and(is_commit) && !is_own {
        return None;
    }
    let finding = Diagnostic::error(
        "access-called",
        Path::of(["jobs", call.job.as_str()]).key("uses"),
        format!("`{}` calls `{}`: what its jobs get into is not known, and may change", call.job, call.uses),
    );
    let help = match is_own {
        true => "call the repository's own workflows by their path: `./.github/workflows/NAME.yml`",
        false => "name the commit: then somebody can look, once",
    };
    Some((call.file.clone(), finding.with_help(help)))
}

impl Proof {
    /// The position of a condition, which is added if it is new.
    fn condition(&mut self, condition: String) -> usize {
        let known = self.conditions.iter().position(|own| *own == condition);
        known.unwrap_or_else(|| {
            self.conditions.push(condition);
            self.conditions.len() - 1
        })
    }
}
