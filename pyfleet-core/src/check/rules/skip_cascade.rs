//! `skip-cascade`.

use indexmap::IndexMap;

use crate::check::{Check, Group, PlacedJob, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Path, Place, Severity};
use crate::workflow::Graph;

/// Functions with which a condition is read as it stands, without an implicit `success()`.
const STATUS: [&str; 4] = ["always", "cancelled", "failure", "success"];

pub(super) static RULE: Rule = Rule {
    code: "skip-cascade",
    group: Group::Graph,
    severity: Severity::Warning,
    rejects: false,
    summary: "a job behind one that survives a skip survives it too",
    documentation: "\
## What it does
Follows `needs:` from each job without a status function in its `if:`. Warns where one of its ancestors can be skipped,
and a job between the two runs all the same.

## Why
The `success()` that GitHub adds looks at all ancestors, not at the needed jobs alone (actions/runner#491, #2205). The
job between has seen to it that it runs when the ancestor is skipped; this one is skipped then, and a skipped job counts
as passed.

## Example
```yaml
jobs:
  build: {if: github.event_name == 'push'}
  test: {needs: build, if: '!cancelled()'}
  deploy: {needs: test}
```

## Instead
```yaml
jobs:
  build: {if: github.event_name == 'push'}
  test: {needs: build, if: '!cancelled()'}
  deploy: {needs: test, if: \"!cancelled() && needs.test.result == 'success'\"}
```
",
    check: Check::Workflow(check),
};

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let condition = |id: &str| Path::of(["jobs", id, "if"]);
    // Every job with a condition, and whether it has a status function.
    let conditions: IndexMap<&str, bool> = file
        .workflow
        .jobs
        .iter()
        .filter(|(_, job)| job.condition.as_deref().is_some_and(|text| !text.trim().is_empty()))
        .map(|(id, _)| {
            let place = condition(id);
            let own = file.expressions_of(&place).iter().filter(|placed| placed.path == place);
            let mut calls = own.flat_map(|placed| placed.expression.calls());
            let has_status =
                calls.any(|call| STATUS.iter().any(|own| call.function.eq_ignore_ascii_case(own)));
            (id.as_str(), has_status)
        })
        .collect();
    let has = |status: bool| conditions.values().any(|has_status| *has_status == status);
    if !has(true) || !has(false) {
        return; // Nothing runs behind a job that may be skipped.
    }
    let graph = Graph::of(file.workflow);
    if graph.cycle().is_some() {
        return;
    }
    let survives = |id: &str| conditions.get(id) == Some(&true);
    let is_optional = |id: &&str| conditions.get(id) == Some(&false);
    // Every job that survives, and the first before it that may be skipped.
    let surviving = conditions.keys().filter(|id| survives(id));
    let survived: IndexMap<&str, &str> =
        surviving.filter_map(|id| Some((*id, graph.ancestors(id).into_iter().find(is_optional)?))).collect();
    let behind = graph.waiting_for(survived.keys().copied());
    for PlacedJob { place, id, job, .. } in file.jobs() {
        if survives(id) || !behind.contains(id) {
            continue;
        }
        let between = graph.ancestors(id).into_iter().find_map(|between| {
            let skipped = *survived.get(between)?;
            // What needs the optional job itself means to be skipped with it.
            (!graph.needs(id).contains(&skipped)).then_some((between, skipped))
        });
        let Some((between, skipped)) = between else { continue };
        let place =
            if job.condition.is_some() { Place::value(condition(id)) } else { Place::key(place.clone()) };
        let message = format!("`{id}` is skipped whenever `{skipped}` is, although `{between}` runs then");
        findings.push(
            RULE.finding(place, message).with_label(condition(skipped), "may skip this").with_help(format!(
                "`if: \"!cancelled() && needs.{between}.result == 'success'\"`, for each need"
            )),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn behind_a_job_that_survives() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  build: {if: github.event_name == 'push'}
  test: {needs: build, if: '!cancelled()'}
  deploy:
# ^^^^^^ warning[skip-cascade]: `deploy` is skipped whenever `build` is, although `test` runs then
    needs: test
  notify:
    needs: deploy
    if: github.ref == 'refs/heads/main'
#       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ warning[skip-cascade]: `notify` is skipped whenever `build` is
",
        );
    }

    #[test]
    fn a_chain_that_is_skipped_as_one_passes() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  build: {if: github.event_name == 'push'}
  test: {needs: build}
  deploy: {needs: [test]}
  report: {needs: [build, deploy], if: always()}
  after: {needs: [report], if: \"!cancelled() && needs.report.result == 'success'\"}
",
        );
    }
}
