use std::fs;

use serde_json::Value;

use crate::repo::Repo;
use crate::tool::repository;

/// A service on ECS: levels 1 to 4, with reviewers.
fn sandbox_broker() -> Repo {
    let repo = Repo::new();
    repo.manifest(&fs::read_to_string(repository().join("examples/sandbox-broker/pyfleet.yml")).unwrap());
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
        changes  push-production-api      on workflow_dispatch  after guard, lookup-production-api, approve-production (reviewers of production)
        changes  deploy-production-api    on workflow_dispatch  after guard, approve-production (reviewers of production), push-production-api
      .github/workflows/rollback.yml
        reads    list-ecs-production      on workflow_dispatch  after guard
        reads    resolve-ecs-production   on workflow_dispatch  after guard
        changes  rollback-ecs-production  on workflow_dispatch  after guard, resolve-ecs-production
      .github/workflows/terraform.yml
        reads    plan-production          on pull_request       after changes
      holds: only jobs of the manifest get into `production` [1, 2, 3, 4, 5]
      holds: each role trusts the jobs that it is for, in `production`, in `production-plan`, of pull requests [4]
      holds: what changes it is started by hand, and what reads it by hand, a push, the clock or a pull request [1, 2, 3, 4]
      holds but for 1 job: what changes `production` waits until its reviewers have agreed [1, 2, 3, 4, 6]
        not for rollback-ecs-production of rollback.yml: a rollback waits for the typed phrase alone, unless it says `approval: reviewers`

    No file says this, and the claims rest on it:
      [1] GitHub lets runs of `main` alone into `production`, `production-approval`, `production-plan`
      [2] the files of `main` are these, and change by reviewed pull requests alone: `oidc` prints the ruleset
      [3] nothing else opens an environment or starts a workflow: no secret of the repository or its organization, no token, no runner, no other repository
      [4] the roles of `production` trust whom `oidc` says, may do what it says, and no more
      [5] whoever may push a branch may become `pull-request-plan` of `production`, and read what that reads: a pull request brings its own files
      [6] `production-approval` has reviewers, none of them agrees to a run of their own, and no administrator passes by

    4 of 4 claims on 1 environment hold, 1 of them but for some jobs, under 6 conditions
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
      = help: let it run in an environment that is not the manifest's

    error[access-started-otherwise]: `ship` can change `production` and may run on push: at safety level 4 only workflow_dispatch may lead to that
     --> .github/workflows/hotfix.yml:5:3
      |
    5 |   ship:
      |   ^^^^
      |
      = help: take the event out of `on`, or let the job's condition refuse it

    error[access-unreviewed]: `ship` can change `production`, and nothing that it waits for asks the reviewers of `production-approval`
     --> .github/workflows/hotfix.yml:5:3
      |
    5 |   ship:
      |   ^^^^
      |
      = help: let it need a job in `production-approval`, and run only if that succeeded
    ");
    ran.says("NOT PROVEN: only jobs of the manifest get into `production`");
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

    error[access-edited]: another text lies here than the manifest renders: what its steps do is not known, and nothing is proven
     --> .github/workflows/deploy.yml:7:1
      |
    7 | name: Deploy
      | ^^^^^^^^^^^^
      |
      = help: `pyfleet-gen check` says what differs, `pyfleet-gen render` makes it current
    ");
    ran.says("0 of 4 claims on 1 environment hold, under ");
    repo.run(["render"]).run(["prove"]).exits(0);
    let ran = repo.append(".github/scripts/scan-report.sh", "true\n").run(["prove"]).exits(1);
    assert!(ran.err().contains("error[access-edited]"), "{}", ran.err());
}

/// What is no file is no workflow; what a link points to is another's.
#[test]
fn what_lies_among_the_workflows() {
    let repo = sandbox_broker();
    fs::create_dir_all(repo.path(".github/workflows/old.yml")).unwrap();
    repo.run(["prove"]).exits(0);
    std::os::unix::fs::symlink("../../elsewhere", repo.path(".github/workflows/linked.YML")).unwrap();
    let ran = repo.run(["prove", "--format", "github"]).exits(1);
    assert!(ran.out().contains("::error file=.github/workflows/linked.YML,"), "{}", ran.out());
}

/// What its owner has taken over is judged by what starts it; what its steps do is theirs to say.
#[test]
fn a_workflow_that_is_ejected() {
    let repo = sandbox_broker();
    repo.run(["render"]).exits(0);
    repo.replace("pyfleet.yml", "  deploy: {}", "  deploy: { ejected: true }");
    repo.run(["render"]).run(["prove"]).exits(0).says("changes  deploy-production-api");
    repo.replace(
        ".github/workflows/deploy.yml",
        "on:\n  workflow_dispatch:",
        "on:\n  push:\n  workflow_dispatch:",
    );
    repo.run(["prove"]).exits(0);
    repo.replace(".github/workflows/deploy.yml", "inputs.environment == 'production'", "true");
    repo.run(["prove"]).exits(1).says("NOT PROVEN: what changes it is started by hand");
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
    let found = report["findings"].as_array().unwrap();
    let unreadable = found.iter().find(|finding| finding["code"] == "access-unreadable").unwrap();
    assert_eq!(unreadable["file"], ".github/workflows/broken.yaml");
    let environment = &report["environments"][0];
    let jobs = environment["jobs"].as_array().unwrap();
    let deploys = jobs.iter().find(|job| job["id"] == "deploy-production-api").unwrap();
    assert_eq!(deploys["can"], "change");
    assert_eq!(deploys["events"], serde_json::json!(["workflow_dispatch"]));
    let reviewed = serde_json::json!([{ "id": "approve-production", "environment": "production" }]);
    assert_eq!(deploys["reviewed_by"], reviewed);
    assert_eq!((&deploys["role"], &deploys["origin"]), (&"deploy".into(), &"planned".into()));
    let claims = environment["claims"].as_array().unwrap();
    assert!(claims.len() == 4 && claims.iter().all(|claim| claim["holds"] == false), "{claims:#?}");
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

/// Every manifest that is here: the examples, and those under `tests/manifests`.
#[test]
fn what_is_rendered_is_proven() {
    let folder =
        |name: &str| fs::read_dir(repository().join(name)).unwrap().map(|entry| entry.unwrap().path());
    let examples =
        folder("examples").map(|example| example.join("pyfleet.yml")).filter(|path| path.is_file());
    let mut claims = 0;
    for manifest in examples.chain(folder("tests/manifests")) {
        let repo = Repo::new();
        let ran = repo
            .manifest(&fs::read_to_string(&manifest).unwrap())
            .run(["prove", "--format", "json"])
            .exits(0);
        let report: Value = serde_json::from_str(&ran.out()).unwrap();
        assert_eq!(
            report["summary"]["claims"],
            report["summary"]["claims_that_hold"],
            "{}",
            manifest.display()
        );
        claims += report["summary"]["claims"].as_u64().unwrap();
    }
    assert!(claims > 100, "{claims}");
}
