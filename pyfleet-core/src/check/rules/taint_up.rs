//! `taint-up`.

use crate::action::Catalogue;
use crate::check::rights::{has_identity, publication};
use crate::check::{Check, Group, PlacedJob, PlacedStep, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place, Severity};
use crate::expression::opens_in;
use crate::workflow::Step;

pub(super) static RULE: Rule = Rule {
    code: "taint-up",
    group: Group::Timeouts,
    severity: Severity::Error,
    rejects: false,
    summary: "a job with rights takes nothing that a job without them could have changed",
    documentation: "\
## What it does
In jobs that may ask for an identity token or that publish something, looks for caches, also those that
`setup-…` actions restore by themselves. It refuses those that an identity meets and the text asks for, and
warns where only a publication is at stake, or where the action decides. Warns where such a job downloads an artifact of another run.

## Why
A cache is written by any job of the branch, or of the default branch, and nobody checks what came back: a
test that was tricked once plants what the release job runs tomorrow.

## Example
```yaml
release:
  permissions: {id-token: write}
  steps:
    - uses: actions/setup-node@820762786026740c76f36085b0efc47a31fe5020 # v7.0.0
      with: {node-version: 24, cache: npm}
```

## Instead
```yaml
release:
  permissions: {id-token: write}
  steps:
    - uses: actions/setup-node@820762786026740c76f36085b0efc47a31fe5020 # v7.0.0
      with: {node-version: 24, package-manager-cache: false}
```
",
    check: Check::Workflow(check),
};

/// How sure it is that a step restores a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cache {
    /// The action decides, by the files of the repository or by its version.
    Perhaps,
    Certain,
}

/// Actions outside the catalogue, and the input that switches their cache on or off.
const SWITCHED_ON: &[(&str, &str)] = &[
    ("actions/setup-dotnet", "cache"),
    ("actions/setup-java", "cache"),
    ("pnpm/action-setup", "cache"),
    ("ruby/setup-ruby", "bundler-cache"),
];
const SWITCHED_OFF: &[(&str, &str, &str)] = &[
    ("actions-rust-lang/setup-rust-toolchain", "cache", "false"),
    ("actions/setup-go", "cache", "false"),
    ("astral-sh/setup-uv", "enable-cache", "false"),
    ("gradle/actions/setup-gradle", "cache-disabled", "true"),
    ("jdx/mise-action", "cache", "false"),
    ("mlugg/setup-zig", "use-cache", "false"),
];
const ALWAYS: &[&str] = &["Swatinem/rust-cache"];

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    for placed in file.jobs().filter(|placed| placed.job.uses.is_none()) {
        let PlacedJob { id, job, steps, .. } = placed;
        let identity = has_identity(file, job);
        let stake = match publication(placed) {
            _ if identity => "may ask for an identity token".to_owned(),
            Some(with) => format!("publishes with `{with}`"),
            None => continue,
        };
        for PlacedStep { place, step, .. } in steps {
            if let Some((place, cache)) = cache(file, place, step) {
                let (severity, verb) = match cache {
                    Cache::Certain if identity => (Severity::Error, "restores"),
                    Cache::Certain => (Severity::Warning, "restores"),
                    Cache::Perhaps => (Severity::Warning, "may restore"),
                };
                let message = format!("this {verb} a cache that other jobs write, and `{id}` {stake}");
                findings.push(
                    Diagnostic::new(severity, RULE.code, place, message)
                        .with_help("build without a cache here, or in a job without rights"),
                );
            }
            if (step.is_action("actions/download-artifact") && step.input("run-id").is_some())
                || step.is_action("dawidd6/action-download-artifact")
            {
                let message = format!("this takes files of another run, and `{id}` {stake}");
                findings.push(
                    Diagnostic::warning(RULE.code, place.key("uses"), message)
                        .with_help("compare them with a digest that this run knows"),
                );
            }
        }
    }
}

/// The cache that a step restores, and where that is said.
fn cache(file: &WorkflowFile<'_>, place: &Path, step: &Step) -> Option<(Place, Cache)> {
    let slug = step.uses.as_ref()?.slug()?;
    let uses = || Place::value(place.key("uses"));
    let input = |name: &str| {
        let (own, value) = step.with.iter().find(|(own, _)| own.eq_ignore_ascii_case(name))?;
        Some((Place::value(place.key("with").key(own)), value.as_str()))
    };
    let is_on = |value: &str| !matches!(value, "" | "false");
    let sure = |value: &str| if opens_in(value) { Cache::Perhaps } else { Cache::Certain };
    if step.is_action("actions/setup-node") {
        if let Some((place, value)) = input("cache").filter(|(_, value)| is_on(value)) {
            return Some((place, sure(value)));
        }
        let caches_itself = major(file, place, step).is_none_or(|major| major >= 5);
        let is_off = input("package-manager-cache").is_some_and(|(_, value)| value == "false");
        return (caches_itself && !is_off).then(|| (uses(), Cache::Perhaps));
    }
    // It caches what it downloads, and without a version it takes the runner's own.
    if step.is_action("docker/setup-buildx-action") && step.input("version").is_none() {
        return None;
    }
    if let Some(action) = Catalogue::get().action(slug) {
        let is_plain = slug.starts_with("actions/cache");
        let lookup = step.input("lookup-only") == Some("true");
        let cache = if is_plain { Cache::Certain } else { Cache::Perhaps };
        if action.may_restore_cache(step) && !lookup {
            let (place, value) =
                input("cache").filter(|(_, value)| is_on(value)).unwrap_or_else(|| (uses(), ""));
            return Some((place, if value.is_empty() { cache } else { sure(value) }));
        }
    }
    let is = |slug: &&str| step.is_action(slug);
    if let Some((_, name)) = SWITCHED_ON.iter().find(|(slug, _)| is(slug)) {
        return input(name).filter(|(_, value)| is_on(value)).map(|(place, value)| (place, sure(value)));
    }
    if let Some((_, name, off)) = SWITCHED_OFF.iter().find(|(slug, ..)| is(slug)) {
        return match input(name) {
            Some((_, value)) if value == *off => None,
            Some((place, "true" | "false")) => Some((place, Cache::Certain)),
            Some((place, _)) => Some((place, Cache::Perhaps)),
            None => Some((uses(), Cache::Perhaps)),
        };
    }
    if step.is_action("docker/build-push-action") {
        return input("cache-from")
            .filter(|(_, value)| value.contains("type=gha"))
            .map(|(place, _)| (place, Cache::Certain));
    }
    ALWAYS.iter().any(is).then(|| (uses(), Cache::Certain))
}

/// The major version of the action of a step, from its tag or from the comment behind its commit.
fn major(file: &WorkflowFile<'_>, place: &Path, step: &Step) -> Option<u64> {
    let number = |version: &str| version.strip_prefix('v')?.split('.').next()?.parse().ok();
    let comment = || file.trailing_comment(&place.key("uses"))?.split_whitespace().next().and_then(number);
    number(step.uses.as_ref()?.reference()?).or_else(comment)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn caches_that_meet_an_identity() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    permissions: {id-token: write}
    steps:
      - uses: actions/cache@v5
#             ^^^^^^^^^^^^^^^^ error[taint-up]: this restores a cache that other jobs write, and `a` may ask
      - uses: actions/setup-node@v4
        with: {cache: npm}
#                     ^^^ error[taint-up]: this restores a cache
      - uses: actions/setup-node@v7
#             ^^^^^^^^^^^^^^^^^^^^^ warning[taint-up]: may restore a cache
      - uses: actions/setup-go@v6
#             ^^^^^^^^^^^^^^^^^^^ warning[taint-up]: may restore a cache
      - uses: docker/build-push-action@v7
        with:
          cache-from: type=gha
#                     ^^^^^^^^ error[taint-up]: this restores a cache
      - uses: actions/download-artifact@v8
#             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ warning[taint-up]: takes files of another run
        with: {run-id: 1}
",
        );
    }

    #[test]
    fn caches_that_meet_a_publication() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - uses: Swatinem/rust-cache@v2
#             ^^^^^^^^^^^^^^^^^^^^^^ warning[taint-up]: and `a` publishes with `cargo publish`
      - run: cargo publish
",
        );
    }

    #[test]
    fn jobs_without_rights_and_caches_that_are_off_pass() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps: [{uses: actions/cache@v5}, {uses: actions/setup-go@v6}, {run: cargo publish --dry-run}]
  b:
    permissions: {id-token: write}
    steps:
      - {uses: actions/setup-node@v4}
      - {uses: actions/setup-node@v7, with: {package-manager-cache: false}}
      - {uses: actions/setup-go@v6, with: {cache: false}}
      - {uses: actions/setup-python@v7}
      - {uses: actions/cache@v5, with: {lookup-only: true}}
      - {uses: actions/cache/save@v5}
      - {uses: docker/setup-buildx-action@v4}
      - {uses: actions/download-artifact@v8, with: {name: x}}
",
        );
    }
}
