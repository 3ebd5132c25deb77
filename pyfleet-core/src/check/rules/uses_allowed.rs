//! `uses-allowed`.

use crate::action::Catalogue;
use crate::check::{Check, Group, PlacedJob, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place, Severity};
use crate::spelling::closest;
use crate::workflow::Uses;

pub(super) static RULE: Rule = Rule {
    code: "uses-allowed",
    group: Group::Pinning,
    severity: Severity::Error,
    rejects: false,
    summary: "only actions of the catalogue run, under their own names",
    documentation: "\
## What it does
Refuses names that are a slip away from one of the catalogue and belong to somebody else, and names in another case
than the catalogue's. Warns of other actions and remote workflows that are not in the catalogue, and of images as
actions; in what pyfleet renders, each is an error. Files of this repository (`./…`) pass.

## Why
An action runs with the job's token and, after a login, with its cloud credentials. A name that is one
letter off a well-known one belongs to somebody who waits for it.

## Example
```yaml
- uses: action/checkout@v7
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
        findings.extend(job.uses.as_ref().and_then(|uses| judge(place, uses)));
    }
    for placed in file.steps() {
        // Most are in the catalogue, under their own names.
        let uses = placed.step.uses.as_ref();
        let is_known = |uses: &&Uses| placed.action().is_some_and(|action| uses.slug() == Some(&action.slug));
        findings.extend(uses.filter(|uses| !is_known(uses)).and_then(|uses| judge(&placed.place, uses)));
    }
}

fn judge(owner: &Path, uses: &Uses) -> Option<Diagnostic> {
    let path = || owner.key("uses");
    let slug = match uses {
        Uses::Local(_) | Uses::SelfRepository(_) => return None,
        Uses::Computed(_) => {
            return Some(RULE.finding(path(), "an action that an expression names is in no catalogue"));
        }
        Uses::Docker(_) => {
            let message = "an image as an action is in no catalogue";
            return Some(Diagnostic::warning(RULE.code, path(), message));
        }
        Uses::Repository { .. } => uses.slug()?,
    };
    let place = || Place::within(path(), 0..slug.len());
    let catalogue = Catalogue::get();
    match catalogue.action(slug) {
        Some(action) if action.slug == slug => None,
        Some(action) => Some(
            RULE.finding(place(), format!("`{slug}` is another way to write `{}`", action.slug))
                .with_help("write it as its owner does, so that a search finds every use"),
        ),
        None => {
            let message = format!("`{slug}` is not in the catalogue");
            let slugs = || catalogue.actions().iter().map(|action| action.slug.as_str());
            let is_of_another = |meant: &&str| !owner_of(meant).eq_ignore_ascii_case(owner_of(slug));
            if let Some(meant) = slugs().filter(|meant| is_one_slip(meant, slug)).find(is_of_another) {
                return Some(RULE.finding(place(), message).with_help(format!("did you mean `{meant}`?")));
            }
            let finding = Diagnostic::warning(RULE.code, place(), message);
            Some(match closest(slug, slugs()) {
                Some(meant) => finding.with_help(format!("did you mean `{meant}`?")),
                None => finding.with_help("use an action of the catalogue, or a script"),
            })
        }
    }
}

fn owner_of(slug: &str) -> &str {
    slug.split('/').next().unwrap_or(slug)
}

/// Whether two names differ by one letter, or by two that changed places.
fn is_one_slip(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len().abs_diff(other.len()) > 1 {
        return false;
    }
    let same = |pairs: &mut dyn Iterator<Item = (&u8, &u8)>| {
        pairs.take_while(|(one, other)| one.eq_ignore_ascii_case(other)).count()
    };
    let before = same(&mut one.iter().zip(other));
    let (one, other) = (one.get(before..).unwrap_or_default(), other.get(before..).unwrap_or_default());
    let after = same(&mut one.iter().rev().zip(other.iter().rev()));
    let [one, other] = [one, other].map(|text| text.get(..text.len() - after).unwrap_or_default());
    match (one, other) {
        ([a, b], [c, d]) => a.eq_ignore_ascii_case(d) && b.eq_ignore_ascii_case(c),
        (one, other) => one.len() <= 1 && other.len() <= 1,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn unknown_misspelt_and_images() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - uses: action/checkout@v7
#             ^^^^^^^^^^^^^^^ error[uses-allowed]: `action/checkout` is not in the catalogue
      - uses: acitons/checkout@v7
#             ^^^^^^^^^^^^^^^^ error[uses-allowed]: `acitons/checkout` is not in the catalogue
      - uses: depot/build-push-action@v1
#             ^^^^^^^^^^^^^^^^^^^^^^^ warning[uses-allowed]: `depot/build-push-action` is not in the catalogue
      - uses: Actions/Checkout@v7
#             ^^^^^^^^^^^^^^^^ error[uses-allowed]: another way to write `actions/checkout`
      - uses: Actions/chekcout@v7
#             ^^^^^^^^^^^^^^^^ warning[uses-allowed]: is not in the catalogue
      - uses: docker://alpine
#             ^^^^^^^^^^^^^^^ warning[uses-allowed]: an image as an action
      - uses: actions/chekcout@v7
#             ^^^^^^^^^^^^^^^^ warning[uses-allowed]: `actions/chekcout` is not in the catalogue
  b:
    uses: o/r/.github/workflows/x.yml@main
#         ^^^^^^^^^^^^^^^^^^^^^^^^^^^ warning[uses-allowed]: is not in the catalogue
",
        );
    }

    #[test]
    fn the_meant_action_is_named() {
        let text = "{on: push, jobs: {a: {steps: [{uses: actions/chekcout@v7}]}}}";
        let findings = fixture::find(&RULE, text);
        assert_eq!(findings.iter().next().unwrap().help, ["did you mean `actions/checkout`?"]);
    }

    #[test]
    fn the_catalogue_and_own_files_pass() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a: {steps: [{uses: actions/cache/restore@v5}, {uses: ./local}, {uses: $/local}]}
  b: {uses: ./.github/workflows/x.yml}
",
        );
    }
}
