use serde_json::Value;

use super::MANIFEST;
use crate::repo::Repo;

/// Pull requests are planned with a role.
const WITH_PLANS: &str = "\
version: 1
project: demo
safety-level: 3
github: { repository: octo/demo, visibility: private }
aws: { account-id: \"123456789012\", region: eu-central-1 }
environments: { dev: {} }
terraform:
  version: \"1.11.4\"
  directory: infra
  pull-request-plan: all
  backend: { bucket: demo-state, key: \"demo.tfstate\" }
workflows:
  terraform: {}
";

const GUIDE: &str = ".github/cicd/oidc-setup.md";

#[test]
fn people_see_who_may_become_what() {
    let repo = Repo::new();
    repo.manifest(WITH_PLANS)
        .run(["oidc"])
        .exits(0)
        .says("dev: pull-request-plan\n")
        .says("  role      arn:aws:iam::123456789012:role/pyfleet-demo-dev-pull-request-plan\n")
        .says("  subject   repo:octo/demo:pull_request\n")
        .says("  workflow  any: a pull request brings its own\n")
        .says("the policies: `pyfleet-gen oidc --format json` or `--format terraform`");
    assert_eq!(repo.files().keys().collect::<Vec<_>>(), ["pyfleet.yml"], "nothing is written");
}

#[test]
fn machines_get_every_policy() {
    let repo = Repo::new();
    let ran = repo.manifest(WITH_PLANS).run(["oidc", "--format", "json"]).exits(0);
    let setup: Value = serde_json::from_str(&ran.out()).unwrap();
    let role = &setup["roles"][0];
    assert_eq!(role["trust"]["Statement"][0]["Action"][0], "sts:AssumeRoleWithWebIdentity");
    assert_eq!(role["permissions"]["Statement"][0]["Sid"], "FindState");
    assert_eq!(setup["accounts"][0]["id"], "123456789012");
    repo.run(["oidc", "--format", "terraform"])
        .exits(0)
        .says("resource \"aws_iam_role\" \"dev_pull-request-plan\" {");
}

#[test]
fn without_a_role_there_is_nothing_to_set_up() {
    let repo = Repo::new();
    repo.manifest(MANIFEST).run(["oidc"]).exits(0).says("no job becomes anything on AWS");
    repo.run(["render"]).exits(0);
    assert!(!repo.path(GUIDE).exists());
}

#[test]
fn a_manifest_that_is_wrong_has_no_roles() {
    let repo = Repo::new();
    repo.manifest(&WITH_PLANS.replace("region:", "regoin:")).run(["oidc"]).exits(2).says("unknown-key");
    repo.run(["oidc", "--format", "yaml"]).exits(2);
}

/// The guide is rendered, kept current and removed as every other file is.
#[test]
fn the_guide_is_owned() {
    let repo = Repo::new();
    repo.manifest(WITH_PLANS).run(["render"]).exits(0).says(&format!("created   {GUIDE}"));
    assert!(repo.read("pyfleet.lock").contains(GUIDE));
    repo.run(["check"]).exits(0);
    repo.append(GUIDE, "By hand.\n").run(["check"]).exits(1).says(GUIDE);
    repo.run(["render"]).exits(0).says(&format!("updated   {GUIDE}"));
    repo.replace("pyfleet.yml", "demo.tfstate", "other.tfstate").run(["check"]).exits(1).says(GUIDE);
    repo.replace("pyfleet.yml", "pull-request-plan: all", "pull-request-plan: none").run(["render"]).exits(0);
    assert!(!repo.path(GUIDE).exists(), "no job becomes anything any more");
}
