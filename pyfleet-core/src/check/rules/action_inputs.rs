//! `action-inputs`.

use std::cell::LazyCell;

use crate::action::{Action, Catalogue};
use crate::check::{ActionFile, Check, Group, PlacedStep, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place, Severity};
use crate::expression::opens_in;
use crate::spelling::closest;
use crate::workflow::Step;

pub(super) static RULE: Rule = Rule {
    code: "action-inputs",
    group: Group::Pinning,
    severity: Severity::Error,
    rejects: false,
    summary: "an action gets the inputs it has, and all that it needs",
    documentation: "\
## What it does
Compares `with:` of a step with the inputs of the action in the catalogue: at the catalogue's version it
refuses unknown inputs, at another version of the same major it warns of them, and required ones it
demands at any version. Compares steps that use an action of this repository with its `action.yml`, where
that is given. Warns of inputs that are known to be deprecated.

## Why
GitHub warns about an unknown input and goes on, so a slip of the finger silently switches a protection
off: `persist-credential: false` keeps the token on disk.

## Example
```yaml
- uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
  with: {persist-credential: false}
```

## Instead
```yaml
- uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
  with: {persist-credentials: false}
```
",
    check: Check::Workflow(check),
};

/// How well the catalogue knows the version that a step uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Exactly,
    ItsMajor,
    Other,
}

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    for placed in file.steps() {
        let PlacedStep { place, step, .. } = placed;
        let Some(uses) = &step.uses else { continue };
        if let Some(action) = file.repository.and_then(|repository| repository.action(uses)) {
            of_own_action(place, step, action, findings);
        }
        if let Some(action) = placed.action() {
            of_catalogue(file, place, step, action, findings);
        }
        for name in step.with.keys() {
            if let Some(instead) = Catalogue::get().deprecated_input(uses, name) {
                let slug = uses.slug().unwrap_or_default();
                let message = format!("`{name}` of {slug} is deprecated");
                let place = Place::key(place.key("with").key(name));
                findings.push(Diagnostic::warning(RULE.code, place, message).with_help(instead));
            }
        }
    }
}

fn of_catalogue(
    file: &WorkflowFile<'_>,
    place: &Path,
    step: &Step,
    action: &Action,
    findings: &mut Diagnostics,
) {
    let severity = LazyCell::new(|| match known(file, place, step, action) {
        Known::Exactly => Some(Severity::Error),
        Known::ItsMajor => Some(Severity::Warning),
        Known::Other => None,
    });
    for name in step.with.keys().filter(|name| !opens_in(name) && !action.has_input(name)) {
        let Some(severity) = *severity else { break };
        let message = format!("`{name}` is no input of {} {}", action.slug, action.version);
        findings.push(unknown(place, name, severity, message, action.inputs.iter().map(String::as_str)));
    }
    for name in action.required.iter().filter(|name| step.input(name).is_none()) {
        findings.push(missing(place, &action.slug, name));
    }
}

fn of_own_action(place: &Path, step: &Step, action: &ActionFile, findings: &mut Diagnostics) {
    let names = || action.inputs.keys().map(String::as_str);
    for name in step.with.keys().filter(|name| !opens_in(name)) {
        match action.inputs.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)) {
            None => {
                let message = format!("`{name}` is no input of this action");
                findings.push(unknown(place, name, Severity::Error, message, names()));
            }
            Some((_, input)) => {
                if let Some(reason) = &input.deprecation {
                    let message = format!("`{name}` is deprecated: {reason}");
                    findings.push(Diagnostic::warning(
                        RULE.code,
                        Place::key(place.key("with").key(name)),
                        message,
                    ));
                }
            }
        }
    }
    for (name, _) in
        action.inputs.iter().filter(|(name, input)| input.is_required && step.input(name).is_none())
    {
        findings.push(missing(place, "this action", name));
    }
}

fn unknown<'a>(
    place: &Path,
    name: &str,
    severity: Severity,
    message: String,
    inputs: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    let finding = Diagnostic::new(severity, RULE.code, Place::key(place.key("with").key(name)), message);
    match closest(name, inputs) {
        Some(meant) => finding.with_help(format!("did you mean `{meant}`?")),
        None => finding,
    }
}

fn missing(place: &Path, action: &str, name: &str) -> Diagnostic {
    RULE.finding(place.key("uses"), format!("{action} needs the input `{name}`"))
}

/// How well the catalogue knows the version, by its commit, its tag, or the comment behind a commit.
fn known(file: &WorkflowFile<'_>, place: &Path, step: &Step, action: &Action) -> Known {
    let reference = step.uses.as_ref().and_then(|uses| uses.reference()).unwrap_or_default();
    let comment =
        || file.trailing_comment(&place.key("uses")).and_then(|text| text.split_whitespace().next());
    let version = if action.commit == reference { Some(&*action.version) } else { Some(reference) };
    let is_version = |text: &&str| {
        text.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let version = version.filter(is_version).or_else(|| comment().filter(is_version));
    let major = |version: &str| version.split('.').next().unwrap_or_default().to_owned();
    match version {
        Some(version) if version == action.version => Known::Exactly,
        Some(version) if major(version) == major(&action.version) => Known::ItsMajor,
        _ => Known::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::action::Catalogue;
    use crate::check::fixture;
    use crate::reference_data;

    #[test]
    fn unknown_and_missing_inputs() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1
        with:
          persist-credential: false
#         ^^^^^^^^^^^^^^^^^^ error[action-inputs]: `persist-credential` is no input of actions/checkout v7.0.1
      - uses: actions/cache/save@27d5ce7f107fe9357f9df03efb73ab90386fccae
#             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[action-inputs]: needs the input `key`
        with: {path: x}
      - uses: actions/cache@v3
#             ^^^^^^^^^^^^^^^^ error[action-inputs]: needs the input `key`
        with: {path: x}
      - uses: actions/checkout@v7
        with: {gone: 1}
#              ^^^^ warning[action-inputs]: `gone` is no input of actions/checkout v7.0.1
      - uses: actions/checkout@9c091bb21b7c1c1d1991bb908d89e4e9dddfe3e0 # v7.1.0
        with: {gone: 1}
#              ^^^^ warning[action-inputs]: `gone` is no input of
      - uses: pypa/gh-action-pypi-publish@release/v1
        with: {packages_dir: x}
#              ^^^^^^^^^^^^ warning[action-inputs]: is deprecated
",
        );
    }

    #[test]
    fn actions_of_the_repository() {
        let action = "
inputs:
  message: {required: true}
  name: {required: true, default: x}
  old: {deprecationMessage: no}
runs: {using: composite}
";
        fixture::check_among(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - uses: ./.github/actions/own
#             ^^^^^^^^^^^^^^^^^^^^^ error[action-inputs]: this action needs the input `message`
        with:
          masage: x
#         ^^^^^^ error[action-inputs]: `masage` is no input of this action
          old: x
#         ^^^ warning[action-inputs]: `old` is deprecated
      - {uses: ./.github/actions/own/, with: {Message: x}}
      - {uses: ./.github/actions/other, with: {own: x}}
",
            &[(".github/actions/own/action.yml", action)],
        );
    }

    /// What is required at the catalogue's version is required at every other that is known.
    #[test]
    fn required_inputs_are_so_at_every_known_major() {
        let Some(data) = reference_data::folder() else { return };
        let text = reference_data::text(data.join("actionlint/popular_actions.json"));
        let known: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut compared = 0;
        for action in Catalogue::get().actions() {
            let versions = known["actions"].as_object().unwrap().iter();
            for (name, other) in versions.filter(|(name, _)| name.split('@').next() == Some(&action.slug)) {
                for input in &action.required {
                    assert_eq!(other["inputs"][input.to_lowercase()]["required"], true, "{name}: {input}");
                    compared += 1;
                }
            }
        }
        assert!(compared > 10);
    }

    #[test]
    fn a_slip_is_named() {
        let text = "
on: push
jobs: {a: {steps: [{uses: actions/setup-node@820762786026740c76f36085b0efc47a31fe5020, with: {node-versoin: 24}}]}}
";
        let findings = fixture::find(&RULE, text);
        assert_eq!(findings.iter().next().unwrap().help, ["did you mean `node-version`?"]);
    }

    #[test]
    fn names_in_any_case_and_other_versions_pass() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1
        with: {Persist-Credentials: false}
      - uses: actions/checkout@v1
        with: {gone: 1}
      - uses: ./local
        with: {own: 1}
",
        );
    }
}
