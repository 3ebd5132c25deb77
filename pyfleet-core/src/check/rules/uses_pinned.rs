//! `uses-pinned`.

use crate::action::{Action, Catalogue};
use crate::check::{Check, Group, PlacedJob, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place, Severity};
use crate::workflow::Uses;

pub(super) static RULE: Rule = Rule {
    code: "uses-pinned",
    group: Group::Pinning,
    severity: Severity::Error,
    rejects: false,
    summary: "every action is one commit, and the comment behind it says which version that is",
    documentation: "\
## What it does
Demands that `uses:` of an action or a remote workflow names a full commit, and that the comment behind it is its
version: `# v7.0.1`, `# pin@v7.0.1`, `# tag=v7.0.1` or `# ratchet:actions/checkout@v7.0.1`. Refuses versions that are
known to be bad, and a commit that passes for the catalogue's version and is another one. Warns of other versions than
the catalogue's, and of a comment like `# v7`, which is true of several commits; in what pyfleet renders, both are errors.

## Why
A tag can be moved to other code, and has been: tj-actions in March 2025, trivy-action in March 2026. A
commit without a version cannot be reviewed, and a commit that is not the version's may come from a fork.

## Example
```yaml
- uses: actions/checkout@v7
```

## Instead
```yaml
- uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
```
",
    check: Check::Workflow(check),
};

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    for PlacedJob { place, job, .. } in file.jobs() {
        let Some(uses) = &job.uses else { continue };
        let known = uses.slug().and_then(|slug| Catalogue::get().action(slug));
        findings.extend(judge(file, place, uses, known));
    }
    for placed in file.steps() {
        let Some(uses) = &placed.step.uses else { continue };
        findings.extend(judge(file, &placed.place, uses, placed.action()));
    }
}

fn judge(file: &WorkflowFile<'_>, owner: &Path, uses: &Uses, known: Option<&Action>) -> Option<Diagnostic> {
    let (slug, reference) = (uses.slug()?, uses.reference()?);
    let is_commit = is_commit(reference);
    let path = || owner.key("uses");
    let help = |finding: Diagnostic| match known {
        Some(action) => finding.with_help(format!("use `{} # {}`", action.pin(), action.version)),
        None => finding,
    };
    // What stands behind a tag or a branch says nothing.
    let comment = is_commit.then(|| file.trailing_comment(&path())).flatten();
    let version = comment.and_then(|comment| comment.split_whitespace().next()).map(version_in);
    let reference_place = || Place::within(path(), slug.len() + 1..slug.len() + 1 + reference.len());
    let runs = if is_commit { version } else { Some(reference) };
    if let Some(denied) = runs.and_then(|version| Catalogue::get().denied(slug, version)) {
        let message = format!("{slug} below {} must not run: {}", denied.below, denied.reason);
        return Some(help(RULE.finding(reference_place(), message)));
    }
    if !is_commit {
        let message =
            format!("`{reference}` can be moved to other code: only a full commit stays what it is");
        return Some(help(RULE.finding(reference_place(), message)));
    }
    let Some(version) = version else {
        return Some(help(RULE.finding(path(), "no comment says which version this commit is")));
    };
    if !parts(version).next().is_some_and(|first| first.starts_with(|letter: char| letter.is_ascii_digit())) {
        let message = format!("the comment `{version}` is no version");
        return Some(help(RULE.finding(path(), message)));
    }
    let action = known?;
    let warning = |place: Place, message: String| Some(help(Diagnostic::warning(RULE.code, place, message)));
    let is_same = parts(version).eq(parts(&action.version));
    match (action.commit == reference, is_same) {
        (true, true) => None,
        (true, false) if parts(version).zip(parts(&action.version)).all(|(own, other)| own == other) => {
            let message = format!(
                "the comment `{version}` is true of other commits too: this one is {}",
                action.version
            );
            warning(path().into(), message)
        }
        (true, false) => {
            let message = format!("the comment `{version}` is not this commit's version");
            Some(help(RULE.finding(path(), message)))
        }
        (false, true) => {
            let message = format!("this commit is not {} {}", action.slug, action.version);
            Some(help(RULE.finding(reference_place(), message)))
        }
        (false, false) => {
            let message = format!("the catalogue knows {} {}, and no other", action.slug, action.version);
            warning(reference_place(), message)
        }
    }
}

/// The version in the first word of a comment, as the tools that pin write it.
fn version_in(word: &str) -> &str {
    word.rsplit(['@', '=']).next().unwrap_or(word)
}

/// The parts of a version, which is written with or without a `v`.
fn parts(version: &str) -> impl Iterator<Item = &str> {
    version.strip_prefix('v').unwrap_or(version).split('.')
}

/// Whether a reference is a full commit, of a SHA-1 or SHA-256 repository.
fn is_commit(reference: &str) -> bool {
    matches!(reference.len(), 40 | 64)
        && reference.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn tags_other_commits_and_comments() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - uses: actions/checkout@v7
#                              ^^ error[uses-pinned]: `v7` can be moved to other code
      - uses: actions/checkout@3d3c42e
#                              ^^^^^^^ error[uses-pinned]: only a full commit
      - uses: actions/checkout@0000000000000000000000000000000000000000 # v7.0.1
#                              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[uses-pinned]: is not actions/checkout v7.0.1
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v6
#             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[uses-pinned]: `v6` is not this commit's version
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # pin@v6.0.0
#             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[uses-pinned]: `v6.0.0` is not this commit's version
      - uses: actions/checkout@0000000000000000000000000000000000000000 # main
#             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[uses-pinned]: `main` is no version
      - uses: actions/checkout@0000000000000000000000000000000000000000
#             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[uses-pinned]: no comment says which version
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1
#             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[uses-pinned]: no comment says which version
      - uses: other/action@3d3c42e5aac5ba805825da76410c181273ba90b1 # pinned
#             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[uses-pinned]: `pinned` is no version
  b:
    uses: o/r/.github/workflows/x.yml@main
#                                     ^^^^ error[uses-pinned]: `main` can be moved
",
        );
    }

    #[test]
    fn versions_that_may_be_good() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - uses: actions/checkout@0000000000000000000000000000000000000000 # v7.0.2
#                              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ warning[uses-pinned]: the catalogue knows actions/checkout v7.0.1
      - uses: actions/checkout@0000000000000000000000000000000000000000 # v7
#                              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ warning[uses-pinned]: the catalogue knows actions/checkout v7.0.1
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7
#             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ warning[uses-pinned]: this one is v7.0.1
",
        );
    }

    #[test]
    fn known_bad_versions() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - uses: aquasecurity/trivy-action@0.28.0
#                                       ^^^^^^ error[uses-pinned]: below v0.35.0 must not run: its tags were repointed
      - uses: tj-actions/changed-files@0000000000000000000000000000000000000000 # v45.0.7
#                                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[uses-pinned]: CVE-2025-30066
",
        );
    }

    #[test]
    fn pinned_with_its_version_passes() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # pin@7.0.1
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # ratchet:actions/checkout@v7.0.1
      - uses: other/action@0000000000000000000000000000000000000000 # tag=v2
      - uses: other/action@0000000000000000000000000000000000000000 # 2.1
      - uses: ./local
      - uses: docker://alpine
  b: {uses: ./.github/workflows/x.yml}
",
        );
    }
}
