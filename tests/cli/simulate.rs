use serde_json::Value;

use super::MANIFEST;
use crate::repo::Repo;

fn example(name: &str) -> Repo {
    let repo = Repo::new();
    let path = crate::tool::repository().join("examples").join(name).join("pyfleet.yml");
    repo.manifest(&std::fs::read_to_string(path).unwrap());
    repo
}

#[test]
fn a_pull_request_of_a_fork() {
    let repo = Repo::new();
    let ran = repo.manifest(MANIFEST).run(["simulate", "pull_request", "--fork"]).exits(0);
    insta::assert_snapshot!(ran.out(), @r"
    pull_request (synchronize) from a fork into the branch main by octocat

    .github/workflows/build.yml starts
      runs     changes
      may run  build-api  it depends on `needs.changes.outputs.changed`
      may run  scan-api   it depends on whether `build-api` runs
      runs     gate

    .github/workflows/test.yml starts
      runs     test-api-unit  for 3.11
      runs     gate

    2 of 2 workflows start; jobs: 4 run, 2 may run, 0 skipped
    ");
    assert_eq!(repo.files().len(), 1, "nothing is written");
}

/// A person starts an apply: who is asked, and what depends on the plan.
#[test]
fn a_person_starts_a_run() {
    let repo = example("pyfleet");
    let apply = ["simulate", "workflow_dispatch", "--input", "environment=prod", "--input", "action=apply"];
    let asked = [&apply[..], &["--input", "stack=network", "--input", "confirm=apply"]].concat();
    let ran = repo.run(asked.clone()).exits(0);
    insta::assert_snapshot!(ran.out(), @r"
    workflow_dispatch on the branch main by octocat

    .github/workflows/tf.yml starts
      runs     guard
      runs     scan                                for each combination of its matrix
      runs     cost                                for each combination of its matrix
      skipped  plan-dev                            `inputs.environment == 'dev'` is false: `inputs.environment` is `prod`
      skipped  apply-dev                           `plan-dev` is skipped
      skipped  destroy-dev                         `plan-dev` is skipped
      skipped  create-backend-dev                  `inputs.environment == 'dev'` is false: `inputs.environment` is `prod`
      skipped  approve-destroy-backend-dev         `inputs.environment == 'dev'` is false: `inputs.environment` is `prod`
      skipped  notify-before-destroy-backend-dev   `inputs.environment == 'dev'` is false: `inputs.environment` is `prod`
      skipped  destroy-backend-dev                 `approve-destroy-backend-dev` is skipped
      skipped  unlock-dev                          `inputs.environment == 'dev'` is false: `inputs.environment` is `prod`
      runs     plan-prod                           in the environment prod-plan; for each combination of its matrix
      may run  approve-apply-prod                  in the environment prod-approval, which asks reviewers; it depends on `needs.plan-prod.outputs.class`
      may run  notify-before-apply-prod            it depends on `needs.plan-prod.outputs.class`
      may run  apply-prod                          in the environment prod; for each combination of its matrix; it depends on `needs.plan-prod.outputs.class`, whether `approve-apply-prod` runs
      skipped  approve-destroy-prod                `inputs.action == 'destroy'` is false: `inputs.action` is `apply`
      skipped  notify-before-destroy-prod          `inputs.action == 'destroy'` is false: `inputs.action` is `apply`
      skipped  destroy-prod                        `approve-destroy-prod` is skipped
      skipped  create-backend-prod                 `inputs.action == 'create-backend'` is false: `inputs.action` is `apply`
      skipped  approve-destroy-backend-prod        `inputs.action == 'destroy-backend'` is false: `inputs.action` is `apply`
      skipped  notify-before-destroy-backend-prod  `inputs.action == 'destroy-backend'` is false: `inputs.action` is `apply`
      skipped  destroy-backend-prod                `approve-destroy-backend-prod` is skipped
      skipped  approve-unlock-prod                 `inputs.action == 'force-unlock'` is false: `inputs.action` is `apply`
      skipped  notify-before-unlock-prod           `inputs.action == 'force-unlock'` is false: `inputs.action` is `apply`
      skipped  unlock-prod                         `approve-unlock-prod` is skipped
      runs     notify

    .github/workflows/check-state.yml does not start: it has no inputs
    .github/workflows/rollback.yml does not start: it has no input `action`, `stack`: there are environment, what, target, confirm, reason; the input `what` is required: terraform/app, terraform/network
    .github/workflows/terraform.yml does not start: it has no `workflow_dispatch`
    .github/workflows/test-oidc.yml does not start: it has no input `action`, `stack`, `confirm`: there are environment
    .github/workflows/tf-auto.yml does not start: it has no input `stack`: there are environment, action, active_color, confirm, reason
    .github/workflows/tf-drift.yml does not start: it has no inputs

    1 of 7 workflows starts; jobs: 5 run, 3 may run, 18 skipped
    ");
    let told = [&asked[..], &["--assume", "needs.plan-prod.outputs.class=none"]].concat();
    repo.run(told).exits(0).says("  skipped  apply-prod");
}

#[test]
fn a_program_reads_every_answer() {
    let repo = example("sandbox-broker");
    let ran = repo.run(["simulate", "push", "--format", "json"]).exits(0);
    let report: Value = serde_json::from_str(&ran.out()).unwrap();
    let schema = serde_json::from_str(pyfleet_schemas::SIMULATION).unwrap();
    let errors: Vec<_> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(&report)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(report["event"], "push on the branch main by octocat");
    let workflow = |file: &str| {
        let all = report["workflows"].as_array().unwrap();
        all.iter().find(|own| own["file"] == format!(".github/workflows/{file}.yml")).unwrap()
    };
    assert_eq!((&workflow("build")["starts"], &workflow("deploy")["starts"]), (&"yes".into(), &"no".into()));
    assert_eq!(workflow("build")["jobs"][1]["because"][0], "it depends on `needs.changes.outputs.changed`");
    assert_eq!(report["summary"]["workflows_that_start"], 2);
}

/// Workflows that nobody rendered, one of which GitHub refuses.
#[test]
fn any_repository() {
    let repo = Repo::new();
    repo.write(
        ".github/workflows/ci.yml",
        "on: {push: {branches: [main], paths-ignore: ['docs/**']}}
jobs:
  build: {runs-on: ubuntu-24.04, steps: [{run: make}]}
  publish:
    needs: build
    if: github.repository == 'acme/shop' && startsWith(github.ref, 'refs/tags/')
    runs-on: ubuntu-24.04
    environment: npm
    steps: [{run: make publish}]
",
    );
    repo.write(".github/workflows/broken.yml", "on: push\njobs: {a: {runs-on: x, stepz: []}}\n");
    let ran = repo.run(["simulate", "push", ".", "--ref", "main", "--changed", "docs/a", "src/b"]).exits(0);
    insta::assert_snapshot!(ran.out(), @r"
    push on the branch main by octocat

    .github/workflows/ci.yml starts
      runs     build
      skipped  publish  `startsWith(github.ref, 'refs/tags/')` is false: `github.ref` is `refs/heads/main`

    .github/workflows/broken.yml does not start: GitHub refuses the file

    1 of 2 workflows starts; jobs: 1 run, 0 may run, 1 skipped
    ");
    assert!(ran.err().contains("stepz"), "{}", ran.err());
    repo.run(["simulate", "push", ".github/workflows/ci.yml"])
        .exits(0)
        .says("ci.yml may start: it depends on which branch or tag is pushed, which files change (it has `paths-ignore`)")
        .says("0 of 1 workflow starts, 1 may start; jobs: 1 run, 1 may run, 0 skipped");
    repo.run(["simulate", "push", ".github/workflows/ci.yml", "--ref", "main", "--changed", "docs/a"])
        .exits(0)
        .says("does not start: `paths-ignore` lets no changed file through");
}

#[test]
fn what_cannot_happen_is_said_at_once() {
    let repo = Repo::new();
    let ran = repo
        .manifest(MANIFEST)
        .run(["simulate", "push", "--fork", "--input", "x", "--assume", "secrets.KEY=AKIAIOSFODNN7EXAMPLE"])
        .exits(2);
    insta::assert_snapshot!(ran.err(), @r"
    error: `x` is no input with its value
    help: `--input environment=prod`
    error: `secrets.KEY` cannot be assumed: `needs.JOB.result=failure`, `needs.JOB.outputs.NAME=TEXT`, `vars.NAME=TEXT` or `github.NAME=VALUE`
    help: `--assume needs.build.result=failure`
    error: `push` comes from no fork
    help: a pull request does
    ");
    assert_eq!(ran.out(), "");
    repo.run(["simulate"]).exits(2);
    repo.run(["simulate", "push", "--assume", "needs.biuld-api.result=failure"])
        .exits(2)
        .says("no workflow has a job `biuld-api`")
        .says("did you mean `build-api`?");
    for (wrong, said) in [
        (["issues", "--ref", "topic"], "`issues` runs on the default branch, not on the branch topic"),
        (["push", "--type", "opened"], "`push` has no types"),
        (["pull_request", "--type", "lableed"], "did you mean `labeled`?"),
        (["push", "--changed", "/etc"], "`/etc` is no path in a repository"),
        (["push", "--repository", "acme"], "a repository is `OWNER/NAME`"),
        (["push", "--ref", "refs/pull/1/merge"], "`refs/pull/1/merge` is no branch and no tag"),
        (["release", "--ref", "refs/heads/x"], "a release has a tag"),
    ] {
        repo.run([&["simulate"][..], &wrong].concat()).exits(2).says(said);
    }
    repo.run(["simulate", "pull_request_review", "--fork", "--base", "main"]).exits(0);
    repo.run(["simulate", "schedule", "--default-branch", "trunk"])
        .exits(0)
        .says("schedule on the branch trunk");
}
