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

/// The policy of the plan's role, and what the document of a real system had in its place.
fn trusts(repo: &Repo) -> (Value, String) {
    let ran = repo.run(["oidc", "--format", "json"]).exits(0);
    let setup: Value = serde_json::from_str(&ran.out()).unwrap();
    let right = setup["roles"][0]["trust"].clone();
    let text = serde_json::to_string_pretty(&right).unwrap();
    (right, text.replace("repo:octo/demo:pull_request", "repo:octo/demo:ref:refs/heads/main"))
}

#[test]
fn a_policy_that_exists_is_compared_with_the_jobs() {
    let repo = Repo::new();
    let (right, wrong) = trusts(repo.manifest(WITH_PLANS));
    let role = serde_json::json!({ "Role": {
        "RoleName": "pyfleet-demo-dev-pull-request-plan",
        "Arn": "arn:aws:iam::123456789012:role/pyfleet-demo-dev-pull-request-plan",
        "AssumeRolePolicyDocument": right,
    }});
    repo.write("role.json", role.to_string()).run(["oidc", "check", "role.json"]).exits(0).says(
        "role.json, pyfleet-demo-dev-pull-request-plan: the trust of dev/pull-request-plan\n  \
         terraform.yml  plan-dev: can, and needs it\n  1 of 1 job that it is for can assume it\n",
    );
    let line = wrong.lines().position(|line| line.contains(":ref:")).unwrap() + 1;
    repo.write("wrong.json", &wrong)
        .run(["oidc", "check", "wrong.json", "--role", "dev/pull-request-plan"])
        .exits(1)
        .says("plan-dev: never")
        .says(
            "`plan-dev` of terraform.yml can never assume this role: `sub` is `repo:octo/demo:pull_request`",
        )
        .says(&format!("--> wrong.json:{line}:"))
        .says_not("no role of the plan is known");
    repo.run(["oidc", "check", "role.json", "wrong.json"]).exits(1).says("note[trust-role-unknown]");
    // One that nobody can read is a finding as well; nothing is written.
    repo.write("broken.json", "{").run(["oidc", "check", "broken.json"]).exits(1).says("this is not JSON");
    assert!(repo.files().keys().all(|path| !path.ends_with('/')), "{:?}", repo.files().keys());
}

#[test]
fn programs_and_github_hear_of_a_policy_too() {
    let repo = Repo::new();
    let (_, wrong) = trusts(repo.manifest(WITH_PLANS));
    let ran =
        repo.write("wrong.json", wrong).run(["oidc", "check", "wrong.json", "--format", "json"]).exits(1);
    let report = ran.report();
    assert_eq!(report["findings"][0]["code"], "trust-unsatisfiable");
    assert_eq!(
        report["findings"][0]["path"],
        "Statement[0].Condition.StringEquals.token.actions.githubusercontent.com:sub[0]"
    );
    assert_eq!(
        (&report["summary"]["command"], &report["summary"]["exit_code"]),
        (&"oidc check".into(), &1.into())
    );
    repo.run(["oidc", "check", "wrong.json", "--format", "github"])
        .exits(1)
        .says("::error file=wrong.json,line=")
        .says("title=trust-unsatisfiable::");
}

#[test]
fn a_policy_is_read_from_a_pipe_and_nothing_in_it_is_shown_or_obeyed() {
    let repo = Repo::new();
    let (right, _) = trusts(repo.manifest(WITH_PLANS));
    let secret = "AKIAIOSFODNN7EXAMPLE";
    let role = serde_json::json!({
        "RoleName": format!("::error::x {secret} ##[error]y \u{1b}[2J"),
        "AssumeRolePolicyDocument": right,
    });
    repo.write("role.json", role.to_string());
    let mut piped = repo.command();
    piped.args(["oidc", "check", "-"]).stdin(std::fs::File::open(repo.path("role.json")).unwrap());
    repo.ran(&mut piped)
        .exits(0)
        .says("standard input")
        .says_not(secret)
        .says_not("##[error]")
        .says_not("\u{1b}");
    let hostile = role.to_string().replace("repo:octo", &format!("{secret}:repo:octo"));
    for format in ["human", "json", "github"] {
        repo.write("hostile.json", &hostile)
            .run(["oidc", "check", "hostile.json", "--format", format])
            .exits(1)
            .says_not(secret)
            .says_not("##[error]");
    }
    repo.run(["oidc", "check", "role.json", "--role", "prod/apply"])
        .exits(2)
        .says("error: pyfleet.yml has no role `prod/apply`\nhelp: it has dev/pull-request-plan\n");
    repo.run(["oidc", "check", "nowhere.json"]).exits(2).says("error: nowhere.json: No such file");
    repo.run(["oidc", "check"]).exits(2);
    #[cfg(unix)]
    repo.run(["oidc", "check", "/dev/zero"]).exits(2).says("error: /dev/zero: has more than 4 MiB");
}
