//! `literal-expression-open`.

use crate::check::{Check, Group, Rule};
use crate::diagnostic::{Diagnostics, Path, Place, SegmentRef, Severity};
use crate::expression::opens_in;
use crate::workflow::Placed;
use crate::yaml::tree::{Document, Node, Value};

pub(super) static RULE: Rule = Rule {
    code: "literal-expression-open",
    group: Group::Expression,
    severity: Severity::Warning,
    rejects: false,
    summary: "no key holds an expression, and no literal of the manifest",
    documentation: "\
## What it does
Refuses `${{` in the keys of a workflow, `${{ insert }}` among them, and in the texts and keys of a manifest.

## Why
A key that is computed can be any key: which variables a step has is then not to be seen in the file, and not to be
judged. In a manifest, GitHub would evaluate in the rendered workflow what was meant as a text.

## Example
```yaml
env:
  ${{ inputs.name }}: production
```

## Instead
```yaml
env:
  STAGE: production
```
",
    check: Check::Expressions(check),
};

fn check(document: &Document, _expressions: &[Placed], findings: &mut Diagnostics) {
    if opens_in(document.source.text()) {
        search(&document.root, &mut Vec::new(), findings);
    }
}

fn search<'a>(node: &'a Node, at: &mut Vec<SegmentRef<'a>>, findings: &mut Diagnostics) {
    match &node.value {
        Value::Mapping(entries) => {
            for (key, value) in entries {
                let name = key.as_str().unwrap_or_default();
                at.push(SegmentRef::Key(name));
                if opens_in(name) {
                    let message = "a computed key can be any key, and nobody can judge it";
                    let place = Place::key(Path::of(at.iter()));
                    findings.push(RULE.finding(place, message).with_help("write the key out"));
                }
                search(value, at, findings);
                at.pop();
            }
        }
        Value::Sequence(items) => {
            for (position, item) in items.iter().enumerate() {
                at.push(SegmentRef::Index(position));
                search(item, at, findings);
                at.pop();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn computed_keys() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    strategy: {matrix: {'${{ github.ref }}': [a]}}
#                       ^^^^^^^^^^^^^^^^^^^ warning[literal-expression-open]: can be any key
    steps:
      - run: x
        env:
          ${{ insert }}: ${{ matrix.env }}
#         ^^^^^^^^^^^^^ warning[literal-expression-open]: can be any key
",
        );
    }

    #[test]
    fn computed_values_pass() {
        fixture::check(
            &RULE,
            "{on: push, jobs: {a: {steps: [{run: x, env: {A: '${{ github.ref }}', $: '{{'}}]}}}",
        );
    }
}
