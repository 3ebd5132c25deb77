//! Who gets into a project's environments, on which events and after what: compared with what the manifest says.
//!
//! Nothing is believed of the plan that its files do not show. Of every workflow of the repository, rendered or not, each job is
//! looked at that runs in one of the project's GitHub environments, or may: there it gets the environment's secrets, and
//! a token that the environment's roles trust. From the text of its workflow follows on which events it may run, and
//! which jobs have succeeded whenever it does, whatever the run's outputs, inputs and other results are
//! ([`crate::simulate::Event::any`]). What cannot be decided counts against the proof.
//!
//! A file is no boundary against people who may write to the repository: they start another branch's file. What keeps
//! them out are settings of GitHub and AWS, and each claim names those that it rests on.

mod access;
mod claim;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::manifest::{Approval, SafetyLevel, Slug};
use crate::plan::Plan;
use crate::project::Project;
use crate::workflow::Workflow;

pub use self::access::{Access, Door};
pub use self::claim::{Claim, Exception, Property};

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

/// Proves what a manifest claims, of every workflow file of a repository by its path: nothing stands for a file that
/// cannot be read.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use pyfleet_core::prove::prove;
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
/// let ship = workflow::parse(Source::new("ship.yml", text)).0.unwrap().0;
/// let files = BTreeMap::from([(".github/workflows/ship.yml".to_owned(), Some(ship))]);
/// let codes: Vec<&str> = prove(&project, &plan, &files).findings.iter().map(|(_, own)| own.code).collect();
/// assert_eq!(codes, ["access-unplanned", "access-started-otherwise", "access-unreviewed"]);
/// ```
#[must_use]
pub fn prove(project: &Project, plan: &Plan, files: &BTreeMap<String, Option<Workflow>>) -> Proof {
    let reached = access::reach(project, plan, files);
    let mut proof = Proof { environments: Vec::new(), conditions: Vec::new(), findings: reached.findings };
    for (environment, accesses) in project.environments.iter().zip(reached.accesses) {
        let judge = claim::Judge { project, plan, environment, accesses: &accesses, called: &reached.called };
        let claims = judge.claims(&mut proof);
        proof.environments.push(EnvironmentProof {
            name: environment.name.clone(),
            level: environment.level,
            is_reviewed: environment.approval != Approval::None,
            accesses,
            claims,
        });
    }
    proof
}

impl Proof {
    /// Whether every file could be read.
    fn all_are_read(&self) -> bool {
        !self.findings.iter().any(|(_, finding)| finding.code == "access-unreadable")
    }

    /// The position of a condition, which is added if it is new.
    fn condition(&mut self, condition: String) -> usize {
        let known = self.conditions.iter().position(|own| *own == condition);
        known.unwrap_or_else(|| {
            self.conditions.push(condition);
            self.conditions.len() - 1
        })
    }
}
