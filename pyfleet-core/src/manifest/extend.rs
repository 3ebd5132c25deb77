//! Steps and jobs of the user's own, in workflows that pyfleet renders.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Deserialize;

use super::name::checked_string;
use super::{OneOrMany, Slug};
use crate::diagnostic::Path;
use crate::workflow::{Job, Step};
use crate::yaml::tree::{Document, Node};

/// Steps and jobs of your own in one rendered workflow. They are ordinary GitHub Actions, read by the parser that reads
/// every workflow, and what is rendered with them is judged by the same rules: actions are pinned by commit with their
/// version behind, and `run:` holds no `${{ }}`. Expressions stand in `if`, `env` and `with`, and in `outputs` and
/// `secrets` of a job.
///
/// An anchor is the id of a rendered step (docs/anchors.md lists them). `STEP` means every job that has such a step,
/// `JOB.STEP` that of one job; where both are given, the steps of `STEP` come first. An anchor that is not there is an
/// error. Jobs that decide whether others run (guards, approvals, `decide`, the gate) cannot be extended. A step in a job
/// that can write, reach the cloud or read secrets can do all of that too: it is reported as a warning, which a waiver
/// accepts. Secrets, environments and `id-token` need safety level 3; a job that writes anything but reports needs 4.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Extension {
    /// Steps before rendered ones, by anchor. Their changes to `GITHUB_ENV` and `GITHUB_PATH` reach what follows.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "IndexMap<Anchor, Vec<Written>>"))]
    pub before: IndexMap<Anchor, Vec<Step>>,
    /// Steps behind rendered ones, by anchor. Without an `if` of their own they run where everything before succeeded.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "IndexMap<Anchor, Vec<Written>>"))]
    pub after: IndexMap<Anchor, Vec<Step>>,
    /// Jobs beside the rendered ones, by id.
    #[serde(default)]
    pub jobs: IndexMap<Slug, ExtraJob>,
}

/// A job of your own. The workflow's gate and its notifications count it, unless it stands behind them.
///
/// What the AWS roles trust is the environment and the workflow's file. Both can be true of an extra job, so that one
/// with `id-token: write` is refused where its token would open a role.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ExtraJob {
    /// The jobs that must have succeeded before. Default: none, so that it starts with the run.
    pub after: Option<OneOrMany<String>>,
    /// The job as in a workflow file, without `needs`. It says its own `permissions` and `timeout-minutes`.
    #[cfg_attr(feature = "schema", schemars(with = "Written"))]
    pub job: Job,
}

/// What the workflow's own schema describes.
#[cfg(feature = "schema")]
type Written = serde_json::Map<String, serde_json::Value>;

checked_string! {
    /// A rendered step: `STEP` in every job that has it, or `JOB.STEP`.
    Anchor, pattern: "^([A-Za-z_][A-Za-z0-9_-]*\\.)?[A-Za-z_][A-Za-z0-9_-]*$", max: 201,
    check: |text| match text.split_once('.') {
        Some((job, step)) => is_id(job) && is_id(step),
        None => is_id(text),
    },
    says: "an anchor is the id of a rendered step, `plan`, or of a job and its step, `plan-dev.plan`"
}

impl Anchor {
    /// The job, where one is named, and the step.
    #[must_use]
    pub fn parts(&self) -> (Option<&str>, &str) {
        match self.as_str().split_once('.') {
            Some((job, step)) => (Some(job), step),
            None => (None, self.as_str()),
        }
    }
}

fn is_id(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// What the comments behind `uses:` below `extend` say, by what is used: the version of a commit. The rules demand it
/// behind the rendered line, and a type that is decoded has no comments.
pub(super) fn versions(document: &Document) -> BTreeMap<String, String> {
    let mut versions = BTreeMap::new();
    if let Some(extend) = document.root.get("extend") {
        collect(document, extend, &Path::of(["extend"]), &mut versions);
    }
    versions
}

fn collect(document: &Document, node: &Node, path: &Path, versions: &mut BTreeMap<String, String>) {
    for (index, item) in node.items().iter().enumerate() {
        collect(document, item, &path.index(index), versions);
    }
    for (key, value) in node.entries() {
        let Some(name) = key.as_str() else { continue };
        let below = path.key(name);
        if let (true, Some(used)) = (name == "uses", value.as_str()) {
            let comment =
                document.trailing_comment(&below).and_then(|comment| comment.split_whitespace().next());
            if let Some(version) = comment {
                versions.entry(used.to_owned()).or_insert_with(|| version.to_owned());
            }
        }
        collect(document, value, &below, versions);
    }
}

/// Whether an expression may stand at a path of the manifest: where GitHub reads one of an extending step or job as a
/// value, and never as code.
pub(super) fn may_hold_expressions(path: &Path) -> bool {
    use crate::diagnostic::Segment::{Index, Key};
    match path.segments() {
        [Key(extend), Key(_), Key(side), Key(_), Index(_), step @ ..] => {
            extend == "extend" && matches!(side.as_str(), "before" | "after") && is_value_of_step(step)
        }
        [Key(extend), Key(_), Key(jobs), Key(_), Key(job), rest @ ..] => {
            extend == "extend" && jobs == "jobs" && job == "job" && is_value_of_job(rest)
        }
        _ => false,
    }
}

fn is_value_of_step(path: &[crate::diagnostic::Segment]) -> bool {
    use crate::diagnostic::Segment::{Index, Key};
    match path {
        [Key(condition)] => condition == "if",
        [Key(map), Key(_)] => matches!(map.as_str(), "env" | "with"),
        [Key(parallel), Index(_), step @ ..] => parallel == "parallel" && is_value_of_step(step),
        _ => false,
    }
}

fn is_value_of_job(path: &[crate::diagnostic::Segment]) -> bool {
    use crate::diagnostic::Segment::{Index, Key};
    match path {
        [Key(condition)] => condition == "if",
        [Key(map), Key(_)] => matches!(map.as_str(), "env" | "outputs" | "secrets" | "with"),
        [Key(steps), Index(_), step @ ..] => steps == "steps" && is_value_of_step(step),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::may_hold_expressions;
    use crate::manifest;
    use crate::source::Source;

    const HEAD: &str = "{version: 1, project: p, github: {repository: o/p}, extend: ";

    fn refused(extend: &str) -> Vec<String> {
        let (_, _, findings) = manifest::parse(Source::new("pyfleet.yml", format!("{HEAD}{extend}}}")));
        let findings = findings.iter().filter(|finding| finding.code == "literal-expression-open");
        findings.map(|finding| finding.place.path.to_string()).collect()
    }

    #[test]
    fn expressions_stand_where_they_are_values() {
        let step = "{if: '${{ a }}', env: {A: '${{ a }}'}, with: {a: '${{ a }}'}, uses: ./a}";
        let job = format!("{{if: '${{{{ a }}}}', outputs: {{o: '${{{{ a }}}}'}}, steps: [{step}]}}");
        for extend in [
            format!("{{test: {{before: {{a: [{step}]}}, after: {{b.a: [{step}]}}}}}}"),
            format!("{{test: {{jobs: {{j: {{job: {job}}}}}}}}}"),
        ] {
            assert_eq!(refused(&extend), [""; 0], "{extend}");
        }
    }

    #[test]
    fn and_nowhere_else() {
        for (extend, place) in [
            ("{test: {after: {a: [{run: 'x ${{ a }}'}]}}}", "extend.test.after.a[0].run"),
            ("{test: {after: {a: [{name: '${{ a }}', run: x}]}}}", "extend.test.after.a[0].name"),
            ("{test: {jobs: {j: {after: '${{ a }}', job: {}}}}}", "extend.test.jobs.j.after"),
            ("{test: {jobs: {j: {job: {runs-on: '${{ a }}'}}}}}", "extend.test.jobs.j.job.runs-on"),
            (
                "{test: {jobs: {j: {job: {steps: [{run: '${{ a }}'}]}}}}}",
                "extend.test.jobs.j.job.steps[0].run",
            ),
        ] {
            assert_eq!(refused(extend), [place], "{extend}");
        }
        assert!(!may_hold_expressions(&crate::diagnostic::Path::of(["env", "A"])));
    }

    #[test]
    fn the_version_is_the_comment_behind() {
        let text = "version: 1\nproject: p\ngithub: { repository: o/p }\nextend:\n  test:\n    after:\n      a:\n        \
                    - uses: o/a@0123456789012345678901234567890123456789 # v1.2.3 as tested\n";
        let (manifest, _, findings) = manifest::parse(Source::new("pyfleet.yml", text));
        let versions = manifest.unwrap_or_else(|| panic!("{findings:?}")).versions;
        assert_eq!(versions["o/a@0123456789012345678901234567890123456789"], "v1.2.3");
    }
}
