//! `expr-sound`.

use crate::check::{Check, Group, Rule};
use crate::diagnostic::{Diagnostics, Path, Place, Severity};
use crate::expression::evaluate::{Scope, evaluate};
use crate::expression::value::{compare_texts, number_of};
use crate::expression::{Comparison, Expression, Function, Kind, Literal, Logical};
use crate::workflow::{Placed, Stands};
use crate::yaml::tree::Document;

pub(super) static RULE: Rule = Rule {
    code: "expr-sound",
    group: Group::Expression,
    severity: Severity::Error,
    rejects: false,
    summary: "a condition decides something, and means what it looks like",
    documentation: "\
## What it does
Finds conditions that always hold or never do: text around `${{ }}`, were it a line break; constants; `x != 'a' || x !=
'b'`. Finds `contains` with a written text as the list, and `x && '' || 'b'`, which is `'b'` either way.

## Why
GitHub makes a text of an `if:` that is more than one `${{ }}`, and every text but the empty one is true: the step runs
always. `contains('main release', github.ref_name)` holds for a branch called `a`, too.

## Example
```yaml
- if: ${{ github.ref_name == 'main' }} && ${{ github.event_name == 'push' }}
```

## Instead
```yaml
- if: github.ref_name == 'main' && github.event_name == 'push'
```
",
    check: Check::Expressions(check),
};

fn check(_document: &Document, expressions: &[Placed], findings: &mut Diagnostics) {
    let mut told: Option<&Path> = None;
    for placed in expressions {
        if placed.is_in_condition() && placed.stands == Stands::Within {
            // Once, of how many expressions it may be made.
            if told.replace(&placed.path) == Some(&placed.path) {
                continue;
            }
            let message = "text around `${{ }}` makes the condition a text, which is always true";
            let help = "write the whole condition without `${{ }}`, or as one";
            findings.push(RULE.finding(Place::value(placed.path.clone()), message).with_help(help));
            continue;
        }
        if placed.stands == Stands::Condition
            && !placed.expression.calls_status()
            && let Ok(evaluated) = evaluate(&placed.expression, &Scope::new())
            && let Some(truth) = evaluated.truth()
        {
            let place = Place::value(placed.path.clone());
            let message = format!("the condition is always {truth}");
            findings.push(RULE.finding(place, message).with_help(if truth {
                "remove the condition"
            } else {
                "remove what it switches off, or say when it is to run"
            }));
            continue;
        }
        placed.expression.walk(&mut |expression| examine(placed, expression, findings));
    }
}

fn examine(placed: &Placed, expression: &Expression, findings: &mut Diagnostics) {
    match &expression.kind {
        Kind::Call { function, arguments } if Function::named(function) == Some(Function::Contains) => {
            if let [list, item] = arguments.as_slice()
                && is_list_in_a_text(list)
                && may_be_chosen(item)
            {
                let message = format!("a part of any word is found here too: `{list}` is a text, not a list");
                let help = "write `contains(fromJSON('[\"a\", \"b\"]'), …)`";
                findings.push(RULE.finding(placed.place(expression), message).with_help(help));
            }
        }
        Kind::Logical { operator, operands } => {
            if *operator == Logical::Or {
                for operand in operands.iter().rev().skip(1).filter_map(falsy_end) {
                    let message =
                        format!("`{operand}` is never the result: it is false, so that what follows `||` is");
                    let help = "write `case(condition, value, other)`, or turn the condition round";
                    findings.push(RULE.finding(placed.place(operand), message).with_help(help));
                }
            }
            let (comparison, always) = match operator {
                Logical::Or => (Comparison::NotEqual, "true"),
                Logical::And => (Comparison::Equal, "false"),
            };
            if excludes(operands, comparison) {
                let message = format!("this is always {always}: one value cannot be both");
                let help = match operator {
                    Logical::Or => "write `&&` between what must not be",
                    Logical::And => "write `||` between what may be",
                };
                findings.push(RULE.finding(placed.place(expression), message).with_help(help));
            }
        }
        _ => {}
    }
}

/// Whether a written text looks like a list: several words, each of them a name.
fn is_list_in_a_text(expression: &Expression) -> bool {
    let separates = |character: char| character.is_whitespace() || matches!(character, ',' | ';' | '|');
    let is_name = |word: &str| word.chars().all(|c| c.is_alphanumeric() || "-_./:@".contains(c));
    let Kind::Literal(Literal::String(text)) = &expression.kind else { return false };
    text.trim().contains(separates) && text.split(separates).all(is_name)
}

/// Whether somebody other than the author of the workflow can choose this value.
fn may_be_chosen(expression: &Expression) -> bool {
    let fixed = ["matrix", "runner", "strategy", "job"];
    let contexts = expression.contexts();
    contexts.iter().any(|access| !fixed.iter().any(|name| access.is_within(&[name])))
}

/// The written false value that an `&&` ends with.
fn falsy_end(expression: &Expression) -> Option<&Expression> {
    let Kind::Logical { operator: Logical::And, operands } = &expression.kind else { return None };
    let last = operands.last()?;
    let is_false = match &last.kind {
        Kind::Literal(Literal::Null | Literal::Boolean(false)) => true,
        Kind::Literal(Literal::String(text)) => text.is_empty(),
        Kind::Literal(Literal::Number(number)) => *number == 0.0,
        _ => false,
    };
    is_false.then_some(last)
}

/// Whether two of the operands compare one thing with different written texts.
fn excludes(operands: &[Expression], comparison: Comparison) -> bool {
    let mut seen: Vec<(String, &str)> = Vec::new();
    for operand in operands {
        let Kind::Compare { operator, left, right } = &operand.kind else { continue };
        let (read, text) = match (&left.kind, &right.kind) {
            (_, Kind::Literal(Literal::String(text))) => (left, text),
            (Kind::Literal(Literal::String(text)), _) => (right, text),
            _ => continue,
        };
        // Texts that are numbers may be equal although they differ.
        if *operator != comparison || read.as_context().is_none() || !number_of(text).is_nan() {
            continue;
        }
        let read = read.to_string().to_ascii_lowercase();
        if seen.iter().any(|(own, known)| *own == read && compare_texts(known, text).is_ne()) {
            return true;
        }
        if seen.len() < 32 {
            seen.push((read, text));
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn constant_or_not_what_it_looks_like() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    if: ${{ github.ref == 'x' }} && ${{ github.actor == 'y' }}
#       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[expr-sound]: makes the condition a text
    steps:
      - {run: x, if: 'false'}
#                    ^^^^^^^ error[expr-sound]: always false
      - run: x
        if: true
#           ^^^^ error[expr-sound]: always true
      - run: x
        if: |
#           ^ error[expr-sound]: makes the condition a text
          ${{ github.ref == 'x' }}
      - run: x
        if: env.X == 'y' || 1 < 2
#           ^^^^^^^^^^^^^^^^^^^^^ error[expr-sound]: always true
      - run: x
        if: github.ref != 'a' || github.REF != 'b'
#           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[expr-sound]: one value cannot be both
      - run: ${{ github.event_name == 'push' && '' || 'b' }}
#                                               ^^ error[expr-sound]: never the result
        if: contains('main release', github.ref_name)
#           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[expr-sound]: a part of any word
",
        );
    }

    #[test]
    fn what_decides_passes() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    if: ${{ github.ref == 'x' && github.actor == 'y' }}
    steps:
      - {run: x, if: always()}
      - run: x
        if: |
          github.ref != 'a' && github.ref != 'b' ||
          success() || true
      - run: ${{ github.event_name == 'push' && 'a' || '' }} ${{ case(github.ref == 'x', '', 'b') }}
        if: contains(fromJSON('[\"main\", \"release\"]'), github.ref_name) || contains('ubuntu macos', matrix.os)
      - run: x
        if: github.ref == 'a' || github.ref == 'b' || github.ref != '1' || github.ref != '1.0'
      - {run: x, if: ''}
",
        );
    }
}
