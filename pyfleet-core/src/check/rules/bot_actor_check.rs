//! `bot-actor-check`.

use crate::check::{Check, Group, Rule};
use crate::diagnostic::{Diagnostics, Severity};
use crate::expression::{Comparison, Expression, Function, Kind, Literal, Logical};
use crate::workflow::Placed;
use crate::yaml::tree::Document;

pub(super) static RULE: Rule = Rule {
    code: "bot-actor-check",
    group: Group::Expression,
    severity: Severity::Error,
    rejects: false,
    summary: "nothing is allowed to a bot because of who acted last",
    documentation: "\
## What it does
Refuses `github.actor` and `github.triggering_actor` as the proof that a bot is at work: `== 'dependabot[bot]'`, and
`contains`, `startsWith`, `endsWith` with such a name.

## Why
The actor is whoever caused the event, not whoever wrote the code. A stranger who gets the bot to act on the stranger's
own pull request makes the bot the actor, and the workflow runs the stranger's code with what is the bot's.

## Example
```yaml
if: github.actor == 'dependabot[bot]'
```

## Instead
```yaml
if: github.event.pull_request.user.login == 'dependabot[bot]'
```
",
    check: Check::Expressions(check),
};

fn check(_document: &Document, expressions: &[Placed], findings: &mut Diagnostics) {
    for placed in expressions {
        let mut proven: Vec<&Expression> = Vec::new();
        placed.expression.walk(&mut |expression| {
            if let Kind::Logical { operator: Logical::And, operands } = &expression.kind
                && operands.iter().any(names_the_author)
            {
                proven.extend(operands);
            }
            if trusts_a_bot(expression) && !proven.iter().any(|own| std::ptr::eq(*own, expression)) {
                let message = "the actor is who caused the event, not who wrote the code";
                let help = "compare `github.event.pull_request.user.login`";
                findings.push(RULE.finding(placed.place(expression), message).with_help(help));
            }
        });
    }
}

/// Whether this holds only for what a bot wrote.
fn names_the_author(expression: &Expression) -> bool {
    let Kind::Compare { operator: Comparison::Equal, left, right } = &expression.kind else { return false };
    let is_author = |own: &Expression| {
        own.as_context()
            .is_some_and(|access| access.is_within(&["github", "event", "pull_request", "user", "login"]))
    };
    is_author(left) && is_bot(right) || is_bot(left) && is_author(right)
}

fn trusts_a_bot(expression: &Expression) -> bool {
    match &expression.kind {
        Kind::Compare { operator: Comparison::Equal, left, right } => {
            is_actor(left) && is_bot(right) || is_bot(left) && is_actor(right)
        }
        Kind::Call { function, arguments } => match (Function::named(function), arguments.as_slice()) {
            (Some(Function::Contains | Function::StartsWith | Function::EndsWith), [text, part]) => {
                is_actor(text) && is_bot(part)
            }
            _ => false,
        },
        _ => false,
    }
}

fn is_actor(expression: &Expression) -> bool {
    expression.as_context().is_some_and(|access| {
        ["actor", "triggering_actor"].iter().any(|name| access.is_within(&["github", name]))
    })
}

fn is_bot(expression: &Expression) -> bool {
    matches!(&expression.kind, Kind::Literal(Literal::String(text)) if text.to_ascii_lowercase().contains("bot]"))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn the_actor_as_proof() {
        fixture::check(
            &RULE,
            "
on: pull_request_target
jobs:
  a:
    if: ${{ github.actor == 'dependabot[bot]' && github.event.number }}
#           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[bot-actor-check]: not who wrote the code
    steps:
      - run: x
        if: endsWith(github.triggering_actor, '[bot]')
#           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[bot-actor-check]: not who wrote the code
",
        );
    }

    #[test]
    fn the_author_and_exclusions_pass() {
        fixture::check(
            &RULE,
            "
on: pull_request_target
jobs:
  a:
    if: github.event.pull_request.user.login == 'dependabot[bot]' && github.actor != 'renovate[bot]'
    steps:
      - run: x
        if: github.actor == 'octocat' || contains(github.actor, 'robot')
      - run: x
        if: github.actor == 'a[bot]' && github.event.pull_request.user.login == 'a[bot]'
",
        );
    }
}
