use serde_json::Value;

use crate::repo::Repo;

/// A service on ECS: levels 1 to 4, with reviewers.
fn sandbox_broker() -> Repo {
    let repo = Repo::new();
    let path = crate::tool::repository().join("examples/sandbox-broker/pyfleet.yml");
    repo.manifest(&std::fs::read_to_string(path).unwrap());
    repo
}

#[test]
fn who_gets_in_and_after_what() {
    let repo = sandbox_broker();
    let ran = repo.run(["prove"]).exits(0);
    insta::assert_snapshot!(ran.out(), @r"
    production: safety level 4, its reviewers have to agree
      .github/workflows/deploy.yml
        reads    lookup-production-api    on workflow_dispatch  after guard, test-api-integration, test-api-unit, coverage-api
        changes  push-production-api      on workflow_dispatch  after guard, test-api-integration, test-api-unit, coverage-api, lookup-production-api, approve-production (reviewers)
        changes  deploy-production-api    on workflow_dispatch  after guard, test-api-integration, test-api-unit, coverage-api, lookup-production-api, approve-production (reviewers), push-production-api
      .github/workflows/rollback.yml
        reads    list-ecs-production      on workflow_dispatch  after guard
        reads    resolve-ecs-production   on workflow_dispatch  after guard
        changes  rollback-ecs-production  on workflow_dispatch  after guard, resolve-ecs-production
      .github/workflows/terraform.yml
        reads    plan-production          on pull_request       after changes
      holds: only jobs of the manifest get into `production` [1, 2]
      holds: roles that change it trust jobs in `production` and `production-backend`, those that read it jobs in `production-plan` and pull requests [3]
      holds: what changes it is started by hand [1, 2]
      holds: what changes `production` waits until its reviewers have agreed [1, 2, 4]
        but for rollback-ecs-production of rollback.yml: a rollback waits for the typed phrase alone, unless it says `approval: reviewers`

    No file says this, and the claims rest on it:
      [1] GitHub lets runs of `main` alone into `production` and the environments that belong to it
      [2] `main` changes by reviewed pull requests alone: the ruleset that `oidc` prints
      [3] the roles of `production` trust whom `oidc` says, and nobody else
      [4] `production-approval` has reviewers, none of them agrees to a run of their own, and no administrator passes by

    4 of 4 claims on 1 environment hold, under 4 conditions
    ");
    assert_eq!(repo.files().len(), 1, "nothing is written");
}

/// Somebody copies a workflow from another repository, and it names the environment.
#[test]
fn a_workflow_beside_those_of_the_manifest() {
    let repo = sandbox_broker();
    repo.run(["render"]).exits(0);
    repo.write(
        ".github/workflows/hotfix.yml",
        "on:\n  push:\n    branches: [main]\njobs:\n  ship:\n    runs-on: ubuntu-24.04\n    environment: production\n    steps:\n      - run: ./ship.sh\n",
    );
    let ran = repo.run(["prove"]).exits(1);
    insta::assert_snapshot!(ran.err(), @r"
    warning[production-planned]: pull requests run their code with a role that reads `production`
      --> pyfleet.yml:32:22
       |
    32 |   pull-request-plan: all
       |                      ^^^
       |
       = help: the role must not write anything, nor read secrets that the plan does not need

    error[access-unplanned]: `ship` is in the environment `production`, and the manifest does not plan it
     --> .github/workflows/hotfix.yml:7:18
      |
    7 |     environment: production
      |                  ^^^^^^^^^^
      |
      = help: let it run in an environment of its own, or extend a workflow of the manifest with what it does

    error[access-started-otherwise]: `ship` can change `production` and may run on push: at safety level 4 only workflow_dispatch may lead to that
     --> .github/workflows/hotfix.yml:5:3
      |
    5 |   ship:
      |   ^^^^
      |
      = help: let its condition refuse the event, take the event out of `on`, or raise `safety-level`

    error[access-unreviewed]: `ship` can change `production`, and nothing that it waits for asks the reviewers of `production-approval`
     --> .github/workflows/hotfix.yml:5:3
      |
    5 |   ship:
      |   ^^^^
      |
      = help: let it need a job in `production-approval`, and run only if that succeeded
    ");
    ran.says("BROKEN: only jobs of the manifest get into `production`");
    let ran = repo.run(["prove", "--format", "github"]).exits(1);
    assert!(ran.out().contains("::error file=.github/workflows/hotfix.yml,line=7,"), "{}", ran.out());
}

/// What lies there is not what was proven: that is no proof.
#[test]
fn a_file_that_was_edited() {
    let repo = sandbox_broker();
    repo.run(["render"]).exits(0);
    repo.run(["prove"]).exits(0);
    repo.append(".github/workflows/deploy.yml", "# mended\n");
    let ran = repo.run(["prove"]).exits(1);
    insta::assert_snapshot!(ran.err(), @r"
    warning[production-planned]: pull requests run their code with a role that reads `production`
      --> pyfleet.yml:32:22
       |
    32 |   pull-request-plan: all
       |                      ^^^
       |
       = help: the role must not write anything, nor read secrets that the plan does not need

    error[access-edited]: another text lies here than the manifest renders: nothing is proven of it
     --> .github/workflows/deploy.yml:7:1
      |
    7 | name: Deploy
      | ^^^^^^^^^^^^
      |
      = help: `pyfleet-gen check` says what differs, `pyfleet-gen render` makes it current
    ");
    ran.says("4 of 4 claims on 1 environment hold, under 4 conditions, but not of 1 file that was edited");
}

#[test]
fn a_program_reads_the_proof() {
    let repo = sandbox_broker();
    repo.write(".github/workflows/broken.yaml", "on: [\n");
    let ran = repo.run(["prove", "--format", "json"]).exits(1);
    let report: Value = serde_json::from_str(&ran.out()).unwrap();
    let schema = serde_json::from_str(pyfleet_schemas::PROOF).unwrap();
    let errors: Vec<_> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(&report)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(report["findings"][0]["code"], "access-unreadable");
    assert_eq!(report["findings"][0]["file"], ".github/workflows/broken.yaml");
    let environment = &report["environments"][0];
    let jobs = environment["jobs"].as_array().unwrap();
    let deploys = jobs.iter().find(|job| job["id"] == "deploy-production-api").unwrap();
    assert_eq!(deploys["can"], "change");
    assert_eq!(deploys["events"], serde_json::json!(["workflow_dispatch"]));
    assert_eq!(deploys["reviewed_by"], serde_json::json!(["approve-production"]));
    let claims = environment["claims"].as_array().unwrap();
    let broken: Vec<&Value> = claims.iter().filter(|claim| claim["holds"] == false).collect();
    assert_eq!(broken.len(), 1);
    assert_eq!(broken[0]["property"], "own-jobs");
    for position in claims.iter().flat_map(|claim| claim["under"].as_array().unwrap()) {
        assert!(report["conditions"][usize::try_from(position.as_u64().unwrap()).unwrap()].is_string());
    }
}

/// A project without environments has nothing to keep anybody from.
#[test]
fn nothing_to_get_into() {
    let repo = Repo::new();
    let ran = repo.manifest(super::MANIFEST).run(["prove"]).exits(0);
    assert_eq!(ran.out(), "0 claims: the manifest has no environment\n");
    repo.write("pyfleet.yml", "version: 1\n").run(["prove"]).exits(2);
}
