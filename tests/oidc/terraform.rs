//! The roles and the ruleset as Terraform.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use hcl_edit::expr::Expression;
use hcl_edit::structure::{Body, Structure};
use pyfleet_gen::render::{RoleDocument, roles};
use serde_json::{Map, Value, json};

use super::{manifest, setup};
use crate::tool;

/// Two accounts in two partitions, an existing role of each kind, and a key that means something to everybody.
pub(super) const FOREIGN: &str = r#"
version: 1
project: shop
safety-level: 4
github: { repository: acme/shop, repository-id: 2001, visibility: private }
aws: { services: [ec2, iam, dynamodb] }
environments:
  dev:
    approval: none
    aws: { account-id: "111111111111", region: cn-north-1, roles: { plan: { variable: READER } } }
  prod:
    approval: none
    aws: { account-id: "222222222222", region: eu-central-1, roles: { plan: "arn:aws:iam::222222222222:role/team/r" } }
terraform:
  version: "1.11.4"
  backend: { bucket: "shop-{environment}", key: "a`\"|'%{IF}${A}$(touch pwned)*?<é>/{stack}.tfstate" }
  stacks: { app: { directory: infra/app } }
workflows: { tf: {}, terraform: {} }
"#;

#[test]
fn terraform_would_not_write_it_differently() {
    let Some(terraform) = tool::find("terraform") else { return };
    for manifest in [manifest("immutable"), manifest("legacy"), FOREIGN.to_owned()] {
        let text = roles(RoleDocument::Terraform, &setup(&manifest), "pyfleet.yml").unwrap();
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("roles.tf"), &text).unwrap();
        let mut format = terraform.command();
        let output = format
            .args(["fmt", "-check", "-diff"])
            .env_remove("TF_CLI_CONFIG_FILE")
            .current_dir(directory.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

/// What stands behind `jsonencode` is, for Terraform, the very policy.
#[test]
fn terraform_reads_the_same_policies() {
    let Some(terraform) = tool::find("terraform") else { return };
    let setup = setup(FOREIGN);
    let text = roles(RoleDocument::Terraform, &setup, "pyfleet.yml").unwrap();
    let (mut read, mut expected) = (Vec::new(), Vec::new());
    let directory = tempfile::tempdir().unwrap();
    for document in text.split("= jsonencode(").skip(1) {
        // `console` takes one line.
        let document = document.split("\n})").next().unwrap();
        let document = document.split("\n  })").next().unwrap().replace('\n', " ") + "}";
        let mut console = terraform.command();
        let mut console = console
            .arg("console")
            .env_remove("TF_CLI_CONFIG_FILE")
            .current_dir(directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        console.stdin.take().unwrap().write_all(format!("jsonencode({document})\n").as_bytes()).unwrap();
        let output = console.wait_with_output().unwrap();
        assert!(output.status.success(), "{document}\n{}", String::from_utf8_lossy(&output.stderr));
        let quoted: String = serde_json::from_slice(&output.stdout).unwrap();
        read.push(serde_json::from_str::<Value>(&quoted).unwrap());
    }
    for role in &setup.roles {
        expected.push(serde_json::to_value(&role.trust).unwrap());
        expected.push(serde_json::to_value(&role.permissions).unwrap());
        expected
            .extend(role.boundary.as_ref().map(|boundary| serde_json::to_value(&boundary.policy).unwrap()));
    }
    assert_eq!(read.len(), expected.len());
    for (read, expected) in read.iter().zip(&expected) {
        assert_eq!(read, expected);
    }
}

/// The arguments of `github_repository_ruleset` by its documentation: a rule without parameters is a switch, one with
/// parameters a block of them, and each required check a block of its own
/// ([integrations/github](https://registry.terraform.io/providers/integrations/github/latest/docs/resources/repository_ruleset)).
#[test]
fn the_ruleset_is_the_one_that_the_api_takes() {
    let pulled = "safety-level: 1\ngithub: { repository: acme/shop, visibility: private }\n\
                  tests: { api: { python: '3.12', suites: { unit: pytest } } }\n\
                  workflows: { test: {} }\n";
    let without_roles = format!("version: 1\nproject: shop\n{pulled}");
    for manifest in [manifest("immutable"), FOREIGN.to_owned(), without_roles] {
        let setup = setup(&manifest);
        let text = roles(RoleDocument::Terraform, &setup, "pyfleet.yml").unwrap();
        let body: Body = text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
        let required = block(block(&body, "terraform"), "required_providers");
        let has_aws = text.contains("hashicorp/aws");
        assert!(text.contains("source = \"integrations/github\""), "{text}");
        assert_eq!(has_aws, !setup.accounts.is_empty());
        assert_eq!(required.attributes().count(), 1 + usize::from(has_aws));
        let ruleset = body.blocks().find(|block| block.has_labels(&["github_repository_ruleset", "pyfleet"]));
        let mut read = arguments(&ruleset.unwrap().body);
        assert_eq!(read.remove("repository"), Some(json!("shop")));
        let rules = read.remove("rules").unwrap();
        let rules: Vec<Value> =
            rules.as_object().unwrap().iter().map(|(name, rule)| api_rule(name, rule)).collect();
        read.insert("rules".to_owned(), Value::Array(rules));
        assert_eq!(Value::Object(read), setup.ruleset, "{text}");
    }
}

/// A rule of the resource as the API has it.
fn api_rule(name: &str, rule: &Value) -> Value {
    if *rule == json!(true) {
        return json!({ "type": name });
    }
    let mut parameters = rule.as_object().unwrap().clone();
    if let Some(check) = parameters.remove("required_check") {
        let checks = if check.is_array() { check } else { json!([check]) };
        parameters.insert("required_status_checks".to_owned(), checks);
    }
    json!({ "type": name, "parameters": parameters })
}

fn block<'a>(body: &'a Body, name: &str) -> &'a Body {
    &body.blocks().find(|block| block.ident.as_str() == name).unwrap().body
}

/// A block's arguments and blocks, in order; blocks of one name are a list.
fn arguments(body: &Body) -> Map<String, Value> {
    let mut read = Map::new();
    for structure in body {
        match structure {
            Structure::Attribute(attribute) => {
                read.insert(attribute.key.to_string(), literal(&attribute.value));
            }
            Structure::Block(block) => {
                let inside = Value::Object(arguments(&block.body));
                let together = match read.remove(block.ident.as_str()) {
                    None => inside,
                    Some(Value::Array(mut before)) => {
                        before.push(inside);
                        Value::Array(before)
                    }
                    Some(before) => json!([before, inside]),
                };
                read.insert(block.ident.to_string(), together);
            }
        }
    }
    read
}

fn literal(expression: &Expression) -> Value {
    match expression {
        Expression::String(text) => json!(text.as_str()),
        Expression::Bool(is_so) => json!(is_so.value()),
        Expression::Number(number) => json!(number.value().as_i64().unwrap()),
        Expression::Array(items) => items.iter().map(literal).collect(),
        other => panic!("{other:?}"),
    }
}
