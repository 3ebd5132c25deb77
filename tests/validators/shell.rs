//! shellcheck, shfmt and bash itself, on every script and on every `run:` of a workflow.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Defect, Validator, lines, scripts, workflows};
use crate::tool;

pub(super) const VALIDATOR: Validator = Validator {
    name: "shell",
    findings,
    planted: &[
        Defect {
            file: "scripts/version.sh",
            replace: "\"$GITHUB_OUTPUT\"",
            with: "$GITHUB_OUTPUT",
            says: "scripts/version.sh:5:42: note: Double quote to prevent globbing",
        },
        Defect {
            file: "workflows/clean.yml",
            replace: "printf 'version=%s\\n' \"$version\"",
            with: "printf 'version=%s\\n' $version",
            says: "workflows/clean.yml:jobs.report.steps[0].run:2:23: note: Double quote to prevent globbing",
        },
        Defect {
            file: "workflows/clean.yml",
            replace: "./.github/scripts/version.sh",
            with: "./.github/scripts/version.sh  --now",
            says: "-./.github/scripts/version.sh  --now",
        },
        Defect {
            file: "scripts/version.sh",
            replace: "set -euo pipefail",
            with: "set -euo pipefail; if true",
            says: "syntax error: unexpected end of file",
        },
        Defect {
            file: "workflows/clean.yml",
            replace: "./.github/scripts/version.sh",
            with: "echo \"${{ github.ref_name }}\"",
            says: "workflows/clean.yml:jobs.build.steps[1].run: an expression in a shell script",
        },
    ],
};

/// Just enough of a workflow to find its scripts, read by a reader that is not ours.
#[derive(Deserialize)]
struct Workflow {
    #[serde(default)]
    defaults: Defaults,
    jobs: BTreeMap<String, Job>,
}

#[derive(Deserialize)]
struct Job {
    #[serde(default)]
    defaults: Defaults,
    #[serde(default)]
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    run: Option<String>,
    shell: Option<String>,
}

#[derive(Default, Deserialize)]
struct Defaults {
    #[serde(default)]
    run: Run,
}

#[derive(Default, Deserialize)]
struct Run {
    shell: Option<String>,
}

fn findings(directory: &Path) -> Option<Vec<String>> {
    let (shellcheck, shfmt, bash) = (tool::find("shellcheck")?, tool::find("shfmt")?, tool::find("bash")?);
    let mut said = Vec::new();
    let room = tempfile::tempdir().unwrap();
    // The file that a tool reads, and the name that a reader knows it by.
    let mut named: Vec<(PathBuf, String)> = Vec::new();
    for script in scripts(directory) {
        let name = relative(&script, directory);
        match script.extension().and_then(|it| it.to_str()) {
            Some("sh") => named.push((script, name)),
            Some("jq") => {} // run by the tests of the script that calls it
            _ => said.push(format!("{name}: no validator reads a file of this kind")),
        }
    }
    for workflow in workflows(directory) {
        for (place, body) in run_bodies(&fs::read_to_string(&workflow).unwrap()) {
            let name = format!("{}:{place}", relative(&workflow, directory));
            if body.contains("${{") {
                said.push(format!("{name}: an expression in a shell script"));
            }
            let file = room.path().join(format!("{}.bash", named.len()));
            fs::write(&file, body).unwrap();
            named.push((file, name));
        }
    }
    let files: Vec<_> = named.iter().map(|(file, _)| file).collect();
    if files.is_empty() {
        return Some(said);
    }
    said.extend(lines(shellcheck.command().args(["--norc", "--format=gcc", "--shell=bash"]).args(&files)));
    said.extend(lines(shfmt.command().args(["-ln=bash", "-i=2", "-ci", "-d"]).args(&files)));
    for file in &files {
        let (_, _, stderr) = super::run(bash.command().arg("-n").arg(file));
        said.extend(stderr.lines().map(str::to_owned));
    }
    for line in &mut said {
        for (file, name) in &named {
            *line = line.replace(file.to_str().unwrap(), name);
        }
    }
    Some(said)
}

fn relative(file: &Path, directory: &Path) -> String {
    file.strip_prefix(directory).unwrap().display().to_string()
}

/// Each `run:` that bash reads, with its place in the workflow.
fn run_bodies(text: &str) -> Vec<(String, String)> {
    let workflow: Workflow = serde_yaml::from_str(text).unwrap();
    let mut bodies = Vec::new();
    for (id, job) in workflow.jobs {
        for (index, step) in job.steps.into_iter().enumerate() {
            let shell = step.shell.as_ref().or(job.defaults.run.shell.as_ref()).or(workflow
                .defaults
                .run
                .shell
                .as_ref());
            let bash = shell.is_none_or(|shell| shell == "sh" || shell.starts_with("bash"));
            let Some(body) = step.run.filter(|_| bash) else { continue };
            // A body on one line has no line end; a script has.
            let end = if body.ends_with('\n') { "" } else { "\n" };
            bodies.push((format!("jobs.{id}.steps[{index}].run"), format!("{body}{end}")));
        }
    }
    bodies
}
