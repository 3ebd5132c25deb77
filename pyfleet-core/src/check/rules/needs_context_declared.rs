//! `needs-context-declared`.

use crate::check::{Check, Group, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Path, Segment, Severity};
use crate::expression::ContextAccess;
use crate::workflow::{Job, Workflow};

pub(super) static RULE: Rule = Rule {
    code: "needs-context-declared",
    group: Group::Graph,
    severity: Severity::Error,
    rejects: false,
    summary: "what a job reads of another is needed and declared",
    documentation: "\
## What it does
Demands that `needs.X` in a job names one of its `needs:`, and that `needs.X.outputs.y` names an output
that `X` declares, or the workflow of this repository that `X` calls; one of another repository is not known.
`jobs.X.outputs.y` of `workflow_call` outputs is judged the same way.

## Why
GitHub reads anything else as an empty text, without a word: a gate that compares it is never what it
says.

## Example
```yaml
apply:
  needs: gate
  if: needs.plan.outputs.changed == 'true'
```

## Instead
```yaml
apply:
  needs: [plan, gate]
  if: needs.plan.outputs.changed == 'true'
```
",
    check: Check::Workflow(check),
};

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let outputs = Path::of(["on", "workflow_call", "outputs"]);
    for placed in file.expressions() {
        let job = match placed.path.segments() {
            [Segment::Key(jobs), Segment::Key(id), ..] if jobs == "jobs" => {
                file.workflow.jobs.get_key_value(id.as_str())
            }
            _ => None,
        };
        for access in placed.contexts() {
            let Some(needed) = access.name(0) else { continue };
            let problem = match job {
                Some((id, job)) if access.is_within(&["needs"]) => {
                    if job.needs.iter().any(|own| own.eq_ignore_ascii_case(needed)) {
                        problem_with(file, needed, access, &["result", "outputs"])
                    } else {
                        Some((
                            format!("`{access}` is always empty: `{id}` does not need `{needed}`"),
                            format!("add `{needed}` to the `needs` of `{id}`"),
                        ))
                    }
                }
                None if access.is_within(&["jobs"]) && outputs.contains(&placed.path) => {
                    if find(file.workflow, needed).is_some() {
                        problem_with(file, needed, access, &["result", "outputs"])
                    } else {
                        let message = format!("`{access}` is always empty: there is no job `{needed}`");
                        Some((message, "name a job".to_owned()))
                    }
                }
                _ => None,
            };
            if let Some((message, help)) = problem {
                findings.push(RULE.finding(placed.place_of(access.span.clone()), message).with_help(help));
            }
        }
    }
}

/// What is wrong with an access below a job that is there: message and help.
fn problem_with(
    file: &WorkflowFile<'_>,
    id: &str,
    access: &ContextAccess,
    properties: &[&str],
) -> Option<(String, String)> {
    let property = access.name(1)?;
    if !properties.iter().any(|own| own.eq_ignore_ascii_case(property)) {
        let message = format!("`{access}` is always empty: a job has `result` and `outputs`");
        return Some((message, "read one of these".to_owned()));
    }
    let output = access.name(2).filter(|_| property.eq_ignore_ascii_case("outputs"))?;
    let job = find(file.workflow, id)?;
    let declares = |name: &String| name.eq_ignore_ascii_case(output);
    if let Some(uses) = &job.uses {
        let (path, called) = file.repository?.called(uses)?;
        let declared = called.on.workflow_call.as_ref()?.outputs.keys().any(declares);
        return (!declared).then(|| {
            (
                format!("`{access}` is always empty: `{path}` declares no output `{output}`"),
                format!("declare it under `on.workflow_call.outputs` of `{path}`"),
            )
        });
    }
    (!job.outputs.keys().any(declares)).then(|| {
        (
            format!("`{access}` is always empty: `{id}` declares no output `{output}`"),
            format!("declare it under `jobs.{id}.outputs`"),
        )
    })
}

fn find<'a>(workflow: &'a Workflow, id: &str) -> Option<&'a Job> {
    workflow.jobs.iter().find(|(own, _)| own.eq_ignore_ascii_case(id)).map(|(_, job)| job)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn not_needed_not_declared_no_property() {
        fixture::check(
            &RULE,
            "
on:
  workflow_call:
    outputs:
      x: {value: '${{ jobs.plan.outputs.gone }}'}
#                     ^^^^^^^^^^^^^^^^^^^^^^ error[needs-context-declared]: `plan` declares no output `gone`
jobs:
  plan:
    outputs: {changed: 'true'}
  gate:
    needs: plan
    if: needs.plan.outputs.chnaged == 'true'
#       ^^^^^^^^^^^^^^^^^^^^^^^^^^ error[needs-context-declared]: `plan` declares no output `chnaged`
  apply:
    needs: gate
    env:
      A: x ${{ needs.plan.outputs.changed }}
#              ^^^^^^^^^^^^^^^^^^^^^^^^^^ error[needs-context-declared]: `apply` does not need `plan`
      B: ${{ needs.gate.outcome }}
#            ^^^^^^^^^^^^^^^^^^ error[needs-context-declared]: a job has `result` and `outputs`
",
        );
    }

    #[test]
    fn outputs_of_a_called_workflow() {
        fixture::check_among(
            &RULE,
            "
on: push
jobs:
  build: {uses: ./.github/workflows/build.yml}
  deploy:
    needs: build
    env:
      A: ${{ needs.build.outputs.Image }}
      B: ${{ needs.build.outputs.digest }}
#            ^^^^^^^^^^^^^^^^^^^^^^^^^^ error[needs-context-declared]: `.github/workflows/build.yml` declares no output `digest`
",
            &[(
                ".github/workflows/build.yml",
                "on: {workflow_call: {outputs: {image: {value: x}}}}\njobs: {a: {runs-on: x}}\n",
            )],
        );
    }

    #[test]
    fn declared_in_any_case_called_and_computed_pass() {
        fixture::check(
            &RULE,
            "
on: {workflow_call: {outputs: {x: {value: '${{ jobs.plan.outputs.changed }}'}}}}
jobs:
  plan: {outputs: {changed: 'true'}}
  called: {uses: ./.github/workflows/x.yml}
  apply:
    needs: [plan, called]
    if: needs.plan.result == 'success' && needs.Plan.outputs['Changed'] == 'true'
    env:
      A: ${{ needs.called.outputs.unknown }} ${{ toJSON(needs) }} ${{ needs.*.result }} ${{ needs[matrix.x] }}
",
        );
    }
}
