//! `inputs-sane`.

use crate::check::{Check, Group, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Path, Place, Severity};
use crate::expression::opens_in;
use crate::workflow::{Input, InputKind};
use crate::yaml::tree::Value;

pub(super) static RULE: Rule = Rule {
    code: "inputs-sane",
    group: Group::Syntax,
    severity: Severity::Warning,
    rejects: false,
    summary: "inputs can be chosen, and outputs say something",
    documentation: "\
## What it does
Warns of an option of `type: choice` that stands twice or is empty, of a default of `type: number` that is no number,
and of an output of a reusable workflow whose value is empty.

## Why
GitHub takes the file. Whoever starts the workflow sees the same option twice, or an input that is no number when a
step reads it.

## Example
```yaml
on:
  workflow_dispatch:
    inputs:
      size: {type: choice, options: [small, small]}
```

## Instead
```yaml
on:
  workflow_dispatch:
    inputs:
      size: {type: choice, options: [small, large]}
```
",
    check: Check::Workflow(check),
};

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let on = &file.workflow.on;
    let dispatch = on.workflow_dispatch.as_ref().map(|event| &event.inputs);
    let call = on.workflow_call.as_ref().map(|event| &event.inputs);
    for (event, inputs) in [("workflow_dispatch", dispatch), ("workflow_call", call)] {
        for (name, input) in inputs.into_iter().flatten() {
            judge(input, &Path::of(["on", event, "inputs", name]), file, findings);
        }
    }
    let outputs = on.workflow_call.iter().flat_map(|event| &event.outputs);
    for (name, _) in outputs.filter(|(_, output)| output.value.is_empty()) {
        let output = Path::of(["on", "workflow_call", "outputs", name]);
        let value = output.key("value");
        let place = match file.node(&value) {
            None => Place::key(output),
            // An empty value has no text to point at.
            Some(node) if node.span.is_empty() => Place::key(value),
            Some(_) => value.into(),
        };
        findings.push(RULE.finding(place, "this output is always empty"));
    }
}

fn judge(input: &Input, place: &Path, file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let default = place.key("default");
    if input.kind == InputKind::Number
        && let Some(Value::String(text)) = file.node(&default).map(|node| &node.value)
        && !opens_in(text)
        && !text.is_empty()
        && text.trim().parse::<f64>().is_err()
    {
        findings.push(RULE.finding(default, "the default of this input is no number"));
    }
    for (position, option) in input.options.iter().enumerate() {
        let at = place.key("options").index(position);
        if option.is_empty() {
            findings.push(RULE.finding(at, "nobody sees what this option is"));
        } else if input.options.iter().take(position).any(|before| before == option) {
            findings.push(RULE.finding(at, format!("the option `{option}` stands above already")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn options_defaults_and_outputs() {
        fixture::check(
            &RULE,
            "
on:
  workflow_dispatch:
    inputs:
      size: {type: choice, options: [s, m, s, '']}
#                                          ^ warning[inputs-sane]: `s` stands above already
#                                             ^^ warning[inputs-sane]: nobody sees
      count: {type: number, default: many}
#                                    ^^^^ warning[inputs-sane]: is no number
  workflow_call:
    outputs:
      url:
        value:
#       ^^^^^ warning[inputs-sane]: always empty
jobs: {a: {runs-on: x}}
",
        );
    }

    #[test]
    fn usual_inputs_pass() {
        fixture::check(
            &RULE,
            "
on:
  workflow_dispatch:
    inputs:
      size: {type: choice, options: [s, S, m], default: s}
      count: {type: number, default: '1e3'}
      other: {default: many}
  workflow_call:
    inputs: {count: {type: number, default: '${{ github.run_number }}'}}
    outputs: {url: {value: '${{ jobs.a.outputs.url }}'}}
jobs: {a: {runs-on: x}}
",
        );
    }
}
