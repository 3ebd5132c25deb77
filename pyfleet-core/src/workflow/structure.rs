//! Which keys of jobs and steps go together: what GitHub refuses although each key alone is right
//! (`workflow-v1.0.json`, `job-factory`, `workflow-job` and the forms of `steps-item`).

use super::Workflow;
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::yaml::tree::Document;

/// The keys beside `uses` of a job that calls a workflow.
const CALL: &[&str] =
    &["name", "uses", "with", "secrets", "needs", "if", "permissions", "concurrency", "strategy"];

/// The keys that say what a step does, of which it has one.
const FORMS: &[&str] = &["uses", "run", "wait", "wait-all", "cancel", "parallel"];

/// What cannot stand together in a workflow.
pub(super) fn mistakes(workflow: &Workflow, document: &Document) -> Diagnostics {
    let mut mistakes = Diagnostics::new();
    let mut report = |place: Place, message: String| {
        mistakes.push(Diagnostic::error("workflow-structure", place, message));
    };
    let keys = |path: &Path| -> Vec<&str> {
        let entries = document.node(path).map(|node| node.entries()).unwrap_or_default();
        entries.iter().filter_map(|(key, _)| key.as_str()).collect()
    };
    if workflow.jobs.is_empty() {
        report(Place::key(Path::of(["jobs"])), "a workflow needs at least one job".to_owned());
    }
    for (place, id, job) in workflow.jobs_at() {
        let keys = keys(&place);
        if job.uses.is_some() {
            for key in keys.into_iter().filter(|key| !CALL.contains(key)) {
                report(Place::key(place.key(key)), format!("`{key}` cannot stand beside `uses` of a job"));
            }
            continue;
        }
        if job.runs_on.is_none() {
            report(Place::key(place.clone()), format!("`{id}` has neither `runs-on` nor `uses`"));
        }
        for key in keys.into_iter().filter(|key| matches!(*key, "with" | "secrets")) {
            report(Place::key(place.key(key)), format!("`{key}` belongs to a job with `uses`"));
        }
    }
    for (place, _) in workflow.steps_at() {
        let keys = keys(&place);
        let forms: Vec<_> = keys.iter().copied().filter(|key| FORMS.contains(key)).collect();
        let misplaced: &[&str] = match forms.as_slice() {
            ["uses"] => &["shell", "working-directory"],
            ["run"] => &["with"],
            [_] => &["shell", "working-directory", "with", "env", "if", "timeout-minutes", "background"],
            [] => {
                report(Place::key(place), "a step needs `uses` or `run`".to_owned());
                continue;
            }
            [first, second, ..] => {
                let message = format!("a step does one thing: `{first}` and `{second}` exclude each other");
                report(Place::key(place.key(second)), message);
                continue;
            }
        };
        for key in keys.iter().copied().filter(|key| misplaced.contains(key)) {
            report(
                Place::key(place.key(key)),
                format!("`{key}` cannot stand beside `{}` of a step", forms[0]),
            );
        }
    }
    mistakes
}

#[cfg(test)]
mod tests {
    use crate::source::Source;
    use crate::workflow::parse;

    fn mistakes(jobs: &str) -> Vec<String> {
        let (_, findings) = parse(Source::new("ci.yml", format!("{{on: push, jobs: {jobs}}}")));
        findings.iter().map(|finding| format!("{}: {}", finding.place.path, finding.message)).collect()
    }

    #[test]
    fn keys_that_exclude_each_other() {
        for (jobs, expected) in [
            ("{}", "jobs: a workflow needs at least one job"),
            ("{a: {steps: []}}", "jobs.a: `a` has neither `runs-on` nor `uses`"),
            (
                "{a: {uses: ./x.yml, runs-on: x}}",
                "jobs.a.runs-on: `runs-on` cannot stand beside `uses` of a job",
            ),
            ("{a: {runs-on: x, secrets: inherit}}", "jobs.a.secrets: `secrets` belongs to a job with `uses`"),
            ("{a: {runs-on: x, steps: [{name: y}]}}", "jobs.a.steps[0]: a step needs `uses` or `run`"),
            (
                "{a: {runs-on: x, steps: [{uses: ./x, run: y}]}}",
                "jobs.a.steps[0].run: a step does one thing: `uses` and `run` exclude each other",
            ),
            (
                "{a: {runs-on: x, steps: [{uses: ./x, shell: bash}]}}",
                "jobs.a.steps[0].shell: `shell` cannot stand beside `uses` of a step",
            ),
            (
                "{a: {runs-on: x, steps: [{wait: y, env: {}}]}}",
                "jobs.a.steps[0].env: `env` cannot stand beside `wait` of a step",
            ),
        ] {
            assert_eq!(mistakes(jobs), [expected], "{jobs}");
        }
    }

    #[test]
    fn the_forms_pass() {
        let jobs = "{a: {runs-on: x, steps: [{run: y, shell: bash}, {uses: ./x, with: {}}, {wait-all: }]},
                     b: {uses: ./x.yml, with: {}, secrets: inherit}}";
        assert_eq!(mistakes(jobs), [""; 0]);
    }
}
