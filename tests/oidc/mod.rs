//! The roles that jobs assume: who may become what, and what each may do.

mod aws; // the same tokens at STS, and what each role is refused
mod guide; // oidc-setup.md: its commands run, its documents are those of the plan
mod terraform; // the roles as Terraform, read by Terraform
pub(crate) mod tokens; // tokens of GitHub, and which roles take them
mod trust; // the table, by a reader of policies that knows nothing but equality

use pyfleet_core::oidc::{self, Setup};
use pyfleet_core::source::Source;
use pyfleet_gen::project_file;

/// A project with two environments, one of which has reviewers and a branch of its own.
pub(crate) const MANIFEST: &str = r#"
version: 1
project: PROJECT
safety-level: 4
github:
  repository: acme/shop
  visibility: private
  plan: enterprise
  FORMAT
aws: { account-id: "123456789012", region: us-east-1, services: [ec2, iam, s3] }
environments:
  dev: { approval: none }
  prod: { branch: release }
terraform:
  version: "1.11.4"
  backend: { bucket: "PROJECT-state", key: "{environment}/{stack}.tfstate", lock: both, lock-table: PROJECT-locks }
  stacks:
    network: { directory: infra/network }
    app: { directory: infra/app, variables: { size: { variable: SIZE }, mail: { secret: MAIL } } }
registries: { aws: { ecr: {} } }
images: { api: { registry: aws, repository: PROJECT-api } }
services:
  api: { image: api, ecs: { cluster: "PROJECT-{environment}", task-role: PROJECT-task, execution-role: ecs } }
notify:
  ops: { slack: { webhook: { secret: SLACK } }, on: [failure] }
workflows:
  tf: {}
  check-state: {}
  terraform: {}
  ship: { kind: deploy }
  rollback: {}
"#;

/// The forms of subjects, each with a project that has its name and this form.
pub(crate) const FORMATS: [(&str, &str); 3] = [
    ("immutable", "subject-format: immutable\n  owner-id: 1001\n  repository-id: 2001"),
    ("legacy", "subject-format: legacy\n  repository-id: 2001"),
    ("both", "subject-format: both\n  owner-id: 1001\n  repository-id: 2001"),
];

/// The manifest of a form's project.
pub(crate) fn manifest(format: &str) -> String {
    let (name, keys) = FORMATS.iter().find(|(name, _)| *name == format).unwrap();
    MANIFEST.replace("PROJECT", name).replace("FORMAT", keys)
}

/// What a manifest needs on both sides.
pub(crate) fn setup(manifest: &str) -> Setup {
    let loaded = project_file::load(Source::new("pyfleet.yml", manifest));
    let (project, plan) = loaded.planned.unwrap_or_else(|| panic!("{:?}", loaded.findings));
    oidc::setup(&project, &plan)
}
