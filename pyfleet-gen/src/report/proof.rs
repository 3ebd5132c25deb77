//! What was proven, for people and for programs.
//!
//! `schemas/proof.schema.json` is written from these types.

use std::io;

use pyfleet_core::manifest::AwsRole;
use pyfleet_core::prove::{self, Door, Proof};
use pyfleet_core::spelling::listed;
use serde::Serialize;

use super::json::{Finding, findings};
use super::{Report, count, inert, single_line};
use crate::Streams;
use crate::exit::Exit;

/// What `pyfleet-gen prove --format json` prints.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "Proof"))]
struct Written {
    /// The environments, in the order of promotion.
    environments: Vec<Environment>,
    /// What the claims rest on, and no file says.
    conditions: Vec<String>,
    /// What was found in the manifest, and what breaks a claim, file by file.
    findings: Vec<Finding>,
    /// What came of it.
    summary: Summary,
}

/// One environment.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Environment {
    /// Its name.
    name: String,
    /// How far automation may go in it, 0 to 5.
    #[cfg_attr(test, schemars(range(max = 5)))]
    safety_level: u8,
    /// Whether somebody has to agree before it changes.
    is_reviewed: bool,
    /// Every job that gets what it holds.
    jobs: Vec<Job>,
    /// What is claimed of it.
    claims: Vec<Claim>,
}

/// A job that gets into an environment.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Job {
    /// Its workflow file.
    file: String,
    /// Its id.
    id: String,
    /// The GitHub environment that it runs in, as it is written; nothing for a job of pull requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
    /// What it can do there.
    can: Can,
    /// Who wrote it.
    origin: Origin,
    /// The role that the manifest's plan gives it: `apply`.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    /// The events on which it may run.
    events: Vec<String>,
    /// The jobs that it waits for directly.
    needs: Vec<String>,
    /// The jobs without whose success it never runs.
    after: Vec<String>,
    /// Those of them that have waited for reviewers.
    reviewed_by: Vec<Reviewed>,
}

/// Who wrote a job.
#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
enum Origin {
    /// The manifest plans it, and all its steps are pyfleet's.
    Planned,
    /// The manifest extends a workflow with it, or it with steps.
    Extended,
    /// The manifest leaves its workflow to its owner.
    Ejected,
    /// Somebody else, whom the manifest does not know.
    Foreign,
}

/// A job that has waited for reviewers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Reviewed {
    /// Its id.
    id: String,
    /// The environment whose reviewers they are.
    environment: String,
}

/// What a job can do.
#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
enum Can {
    /// Change the environment.
    Change,
    /// Read it.
    Read,
    /// Read it as the role for plans of pull requests, if one starts it.
    ReadForPullRequests,
}

/// A claim.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Claim {
    /// What it is about: `own-jobs`, `trust`, `started-by`, `destroyed-by-hand`, `reviewed` or `planned`.
    property: &'static str,
    /// What it says.
    says: String,
    /// Whether it was proven.
    holds: bool,
    /// The jobs that it does not speak of.
    except: Vec<Exception>,
    /// Positions in `conditions`, from 0.
    under: Vec<usize>,
}

/// A job that a claim does not speak of.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Exception {
    /// Its workflow file.
    file: String,
    /// Its id.
    id: String,
    /// Why it need not.
    because: &'static str,
}

/// What came of it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Summary {
    /// 0: every claim holds; 1: one is not proven.
    #[cfg_attr(test, schemars(range(max = 1)))]
    exit_code: u8,
    /// How many claims there are.
    claims: usize,
    /// How many of them hold.
    claims_that_hold: usize,
}

/// Prints each environment with its jobs and claims, and then what these rest on.
pub(crate) fn write_human(proof: &Proof, streams: &mut Streams<'_>) -> io::Result<()> {
    let mut lines = Vec::new();
    for environment in &proof.environments {
        let agrees =
            if environment.is_reviewed { "its reviewers have to agree" } else { "nobody has to agree" };
        lines.push(format!("{}: safety level {}, {agrees}", environment.name, environment.level.number()));
        lines.extend(jobs(environment));
        for claim in &environment.claims {
            lines.extend(told(claim));
        }
        lines.push(String::new());
    }
    if !proof.conditions.is_empty() {
        lines.push("No file says this, and the claims rest on it:".to_owned());
        let numbered = proof.conditions.iter().enumerate();
        lines.extend(numbered.map(|(position, condition)| format!("  [{}] {condition}", position + 1)));
        lines.push(String::new());
    }
    let (all, held) = (claims(proof).count(), claims(proof).filter(|claim| claim.holds).count());
    let limited = claims(proof).filter(|claim| claim.holds && !claim.except.is_empty()).count();
    let but = match limited {
        0 => String::new(),
        claims => format!(", {claims} of them but for some jobs"),
    };
    lines.push(match proof.environments.len() {
        0 => "0 claims: the manifest has no environment".to_owned(),
        environments => format!(
            "{held} of {} on {} hold{but}, under {}",
            count(all, "claim"),
            count(environments, "environment"),
            count(proof.conditions.len(), "condition"),
        ),
    });
    for line in lines {
        writeln!(streams.out, "{}", inert(&single_line(&line)))?;
    }
    Ok(())
}

fn claims(proof: &Proof) -> impl Iterator<Item = &prove::Claim> {
    proof.environments.iter().flat_map(|environment| &environment.claims)
}

/// The jobs that get in, file by file.
fn jobs(environment: &prove::EnvironmentProof) -> Vec<String> {
    let width = environment.accesses.iter().map(|own| own.job.chars().count()).max().unwrap_or_default();
    let events = |own: &prove::Access| format!("on {}", listed(&own.events));
    let widest = environment.accesses.iter().map(|own| events(own).chars().count()).max().unwrap_or_default();
    let (mut lines, mut file) = (Vec::new(), "");
    for own in &environment.accesses {
        if own.file != file {
            lines.push(format!("  {}", own.file));
            file = &own.file;
        }
        let can = match own.door {
            Door::Changes => "changes",
            Door::Reads | Door::PullRequests => "reads",
        };
        // What a job needs directly, and whoever is asked: what stands before these follows.
        let after =
            own.after.iter().filter_map(|id| match own.reviewed_by.iter().find(|(asking, _)| asking == id) {
                Some((_, whose)) => Some(format!("{id} (reviewers of {whose})")),
                None => own.needs.contains(id).then(|| id.clone()),
            });
        let after: Vec<String> = after.collect();
        let after = if after.is_empty() { String::new() } else { format!("after {}", listed(&after)) };
        let line = format!("    {can:<7}  {:<width$}  {:<widest$}  {after}", own.job, events(own));
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// A claim, and below it the jobs that it does not speak of.
fn told(claim: &prove::Claim) -> Vec<String> {
    let but = match claim.except.len() {
        0 => String::new(),
        jobs => format!(" but for {}", count(jobs, "job")),
    };
    let verdict = if claim.holds { format!("holds{but}") } else { "NOT PROVEN".to_owned() };
    let under: Vec<String> = claim.under.iter().map(|position| (position + 1).to_string()).collect();
    let under = if under.is_empty() { String::new() } else { format!(" [{}]", under.join(", ")) };
    let mut lines = vec![format!("  {verdict}: {}{under}", claim.says)];
    let mut reasons: Vec<&str> = Vec::new();
    for exception in &claim.except {
        if !reasons.contains(&exception.because) {
            reasons.push(exception.because);
        }
    }
    for because in reasons {
        let own = claim.except.iter().filter(|own| own.because == because);
        let name = |file: &str| file.rsplit('/').next().unwrap_or(file).to_owned();
        let jobs: Vec<String> = own.map(|own| format!("{} of {}", own.job, name(&own.file))).collect();
        lines.push(format!("    not for {}: {because}", listed(&jobs)));
    }
    lines
}

/// Prints the object. It holds nothing that looks like a secret, and no line of it is a command to GitHub's runner.
pub(crate) fn write_json(
    proof: &Proof,
    report: &Report,
    exit: Exit,
    streams: &mut Streams<'_>,
) -> io::Result<()> {
    let text = serde_json::to_string_pretty(&written(proof, report, exit)).map_err(io::Error::from)?;
    writeln!(streams.out, "{}", text.replace("##[", "#\\u0023["))
}

fn written(proof: &Proof, report: &Report, exit: Exit) -> Written {
    let safe = |text: &str| single_line(text).into_owned();
    let all = |texts: &[String]| texts.iter().map(|text| safe(text)).collect::<Vec<_>>();
    let job = |own: &prove::Access| Job {
        file: safe(&own.file),
        id: safe(&own.job),
        environment: own.environment.as_deref().map(safe),
        can: match own.door {
            Door::Changes => Can::Change,
            Door::Reads => Can::Read,
            Door::PullRequests => Can::ReadForPullRequests,
        },
        origin: match own.origin {
            prove::Origin::Planned => Origin::Planned,
            prove::Origin::Extended => Origin::Extended,
            prove::Origin::Ejected => Origin::Ejected,
            prove::Origin::Foreign => Origin::Foreign,
        },
        role: own.role.map(AwsRole::name),
        events: all(&own.events),
        needs: all(&own.needs),
        after: all(&own.after),
        reviewed_by: own
            .reviewed_by
            .iter()
            .map(|(id, whose)| Reviewed { id: safe(id), environment: whose.to_string() })
            .collect(),
    };
    let claim = |own: &prove::Claim| Claim {
        property: own.property.name(),
        says: safe(&own.says),
        holds: own.holds,
        except: own
            .except
            .iter()
            .map(|own| Exception { file: safe(&own.file), id: safe(&own.job), because: own.because })
            .collect(),
        under: own.under.clone(),
    };
    let environments = proof.environments.iter().map(|own| Environment {
        name: own.name.to_string(),
        safety_level: own.level.number(),
        is_reviewed: own.is_reviewed,
        jobs: own.accesses.iter().map(job).collect(),
        claims: own.claims.iter().map(claim).collect(),
    });
    Written {
        environments: environments.collect(),
        conditions: all(&proof.conditions),
        findings: findings(report),
        summary: Summary {
            exit_code: exit.code(),
            claims: claims(proof).count(),
            claims_that_hold: claims(proof).filter(|claim| claim.holds).count(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::Written;

    #[test]
    fn the_schema_is_written_from_the_types() {
        super::super::schema::is_written_from::<Written>("proof");
    }
}
