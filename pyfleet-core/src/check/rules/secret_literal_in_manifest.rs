//! `secret-literal-in-manifest`.

use crate::check::{Check, Group, Rule};
use crate::diagnostic::{Diagnostics, Path, Place, Severity};
use crate::secret::secrets_in;
use crate::yaml::tree::{Document, Node, Value};

pub(super) static RULE: Rule = Rule {
    code: "secret-literal-in-manifest",
    group: Group::Secrets,
    severity: Severity::Error,
    rejects: false,
    summary: "the manifest holds the names of secrets, not secrets",
    documentation: "\
## What it does
Looks in every text of the manifest for what is a secret by its form: AWS access keys, GitHub and Slack
tokens, private keys, signed web tokens. The finding names the kind and the place, never the value.

## Why
The manifest is committed: the secret is known to everyone who can read the repository, for as long as
its history exists.

## Example
```yaml
secrets:
  deploy-key: <a private key>
```

## Instead
```yaml
secrets:
  deploy-key: DEPLOY_KEY
```
",
    check: Check::Manifest(check),
};

fn check(document: &Document, findings: &mut Diagnostics) {
    search(&document.root, &Path::root(), findings);
}

fn search(node: &Node, path: &Path, findings: &mut Diagnostics) {
    match &node.value {
        Value::String(text) => {
            for (kind, range) in secrets_in(text) {
                report(kind, Place::within(path.clone(), range), findings);
            }
        }
        Value::Sequence(items) => {
            for (position, item) in items.iter().enumerate() {
                search(item, &path.index(position), findings);
            }
        }
        Value::Mapping(entries) => {
            for (key, value) in entries {
                let name = key.as_str().unwrap_or_default();
                for (kind, _) in secrets_in(name) {
                    report(kind, Place::key(path.key(name)), findings);
                }
                search(value, &path.key(name), findings);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn report(kind: &str, place: Place, findings: &mut Diagnostics) {
    findings.push(
        RULE.finding(place, format!("this is {kind}, and the manifest is committed")).with_help(
            "revoke it, store the new one as a secret on GitHub, and write that secret's name here",
        ),
    );
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    /// Built here so that no scanner takes this file for a leak.
    fn fake(head: &str, rest: usize) -> String {
        format!("{head}{}", "A1".repeat(rest).get(..rest).unwrap())
    }

    #[test]
    fn every_kind_is_found_and_never_echoed() {
        for secret in [
            fake("AKIA", 16),
            fake("ghp_", 36),
            fake("github_pat_", 71),
            fake("xoxb-", 30),
            format!("{}.{}.{}", fake("eyJ", 20), fake("eyJ", 20), fake("x", 20)),
            format!("-----BEGIN RSA {} KEY-----", "PRIVATE"),
        ] {
            for text in [
                format!("a: [1, 'x={secret} y']\n"),
                format!("'{secret}': 1\n"),
                format!("a:\n  b: |\n    {secret}\n"),
            ] {
                let findings = fixture::find(&RULE, &text);
                assert_eq!(findings.len(), 1, "{text}");
                let finding = findings.iter().next().unwrap();
                assert_eq!(&text[finding.place.span.clone().unwrap()].trim_matches('\''), &secret);
                assert!(!finding.message.contains(&secret) && !finding.help.concat().contains(&secret));
            }
        }
    }

    #[test]
    fn the_place_is_exact() {
        let (before, secret) = ("a: ", fake("ASIA", 16));
        let marks = "^".repeat(20);
        fixture::check(
            &RULE,
            &format!(
                "{before}{secret}\n#  {marks} error[secret-literal-in-manifest]: this is an AWS access key\n"
            ),
        );
    }

    #[test]
    fn names_pass() {
        fixture::check(
            &RULE,
            "
secrets: {key: AWS_ACCESS_KEY_ID, token: ghp_short, other: xoxb-x}
role: arn:aws:iam::123456789012:role/AKIA
text: eyJ.eyJ.x and AKIAlowercasenotakey and -----BEGIN CERTIFICATE-----
",
        );
    }
}
