//! `duplicate-key-ci`.

use crate::check::{Check, Group, Rule};
use crate::diagnostic::Severity;

pub(super) static RULE: Rule = Rule {
    code: "duplicate-key-ci",
    group: Group::Syntax,
    severity: Severity::Error,
    rejects: true,
    summary: "keys of one mapping differ in more than case",
    documentation: "\
## What it does
Refuses a mapping in which two keys are the same, or differ in case alone: jobs, inputs, environment variables, all keys.

## Why
GitHub compares keys without regard to case, and refuses the whole file.

## Example
```yaml
env:
  Region: eu-central-1
  REGION: eu-west-1
```

## Instead
```yaml
env:
  REGION: eu-central-1
  OTHER_REGION: eu-west-1
```
",
    check: Check::Reader,
};

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn at_every_level() {
        fixture::check(
            &RULE,
            "
on: push
env: {Foo: 1, FOO: 2}
#             ^^^ error[duplicate-key-ci]: the key `FOO` is already defined
jobs:
  build:
    runs-on: x
  Build:
# ^^^^^ error[duplicate-key-ci]: the key `Build` is already defined
    runs-on: x
",
        );
    }

    #[test]
    fn other_keys_pass() {
        fixture::check(&RULE, "on: push\nenv: {FOO: 1, BAR: 2}\njobs: {a: {runs-on: x, env: {FOO: 3}}}\n");
    }
}
