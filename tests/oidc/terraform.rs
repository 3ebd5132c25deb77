//! The roles as Terraform.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use pyfleet_gen::render::{RoleDocument, roles};
use serde_json::Value;

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
