//! Steps and jobs of one's own in rendered workflows.

use pyfleet_core::plan;
use pyfleet_core::source::Source;
use pyfleet_gen::{project_file, render};

use crate::repo::Repo;
use crate::tool::repository;

const TEST: &str = ".github/workflows/test.yml";
const TF: &str = ".github/workflows/tf.yml";

const HEAD: &str = "version: 1
project: shop
safety-level: 4
github: { repository: acme/shop, repository-id: 2001, visibility: private, plan: enterprise }
aws: { account-id: \"123456789012\", region: eu-central-1 }
environments: { dev: {}, prod: {} }
tests:
  api: { python: \"3.12\", suites: { unit: pytest, smoke: pytest smoke } }
terraform:
  version: \"1.11.4\"
  backend: { bucket: shop-state, key: \"{environment}/{stack}\" }
  stacks: { net: { directory: net } }
workflows: { test: {}, tf: {} }
";

fn extended(extend: &str) -> Repo {
    let repo = Repo::new();
    repo.manifest(&format!("{HEAD}extend:\n{extend}"));
    repo
}

/// The lines of a file from one to another, without the latter.
fn part(text: &str, from: &str, to: &str) -> String {
    let start = text.find(from).unwrap_or_else(|| panic!("{from}:\n{text}"));
    let end = text[start..].find(to).map_or(text.len(), |end| start + end);
    text[start..end].to_owned()
}

#[test]
fn steps_stand_beside_every_step_of_the_id_in_order() {
    let repo = extended(
        "  test:
    before:
      suite: [ { name: One, run: echo 1 }, { run: \"echo 2\\necho 3\\n\", env: { A: \"${{ github.sha }}\" } } ]
    after:
      test-api-smoke.suite: [ { name: Only smoke, run: echo smoke } ]
      suite: [ { name: Every, if: \"!cancelled()\", run: echo every } ]
",
    );
    repo.run(["render"]).exits(0);
    repo.run(["check"]).exits(0).says_not("warning");
    let text = repo.read(TEST);
    let smoke = part(&text, "      # extend.test.before.suite", "      - name: Summarise");
    assert_eq!(
        smoke,
        "      # extend.test.before.suite of pyfleet.yml
      - name: One
        run: echo 1

      - env:
          A: ${{ github.sha }}
        run: |
          echo 2
          echo 3

      - name: Run the suite
        id: suite
        env:
          # pytest takes further arguments from here, so that the command stays the manifest's own.
          PYTEST_ADDOPTS: --junitxml='${{ runner.temp }}/results/junit.xml'
        run: pytest smoke

      # extend.test.after.suite of pyfleet.yml
      - name: Every
        if: \"!cancelled()\"
        run: echo every

      # extend.test.after.test-api-smoke.suite of pyfleet.yml
      - name: Only smoke
        run: echo smoke

"
    );
    assert_eq!(text.matches("name: Every").count(), 2);
    assert_eq!(text.matches("name: Only smoke").count(), 1);
}

/// Rendered text is what it is without the extension, but for what is added.
#[test]
fn nothing_else_changes() {
    let manifest = std::fs::read_to_string(repository().join("tests/manifests/extended.yml")).unwrap();
    let repo = Repo::new();
    repo.manifest(manifest.split("extend:").next().unwrap()).run(["render"]).exits(0);
    let plain = repo.read(TEST);
    repo.manifest(&manifest).run(["render"]).exits(0);
    let extended = repo.read(TEST);
    repo.run(["render"]).exits(0).says("4 unchanged");
    let mut lines = extended.lines();
    for line in plain.lines() {
        assert!(lines.any(|own| own == line), "{line} is gone:\n{extended}");
    }
}

#[test]
fn the_order_of_keys_does_not_matter() {
    let files = [
        "a.suite: [{run: echo a}], suite: [{run: echo b}]",
        "suite: [{run: echo b}], a.suite: [{run: echo a}]",
    ]
    .map(|lists| {
        let repo =
            extended(&format!("  test: {{ after: {{ {} }} }}\n", lists.replace("a.", "test-api-unit.")));
        repo.run(["render"]).exits(0);
        repo.read(TEST)
    });
    assert_eq!(files[0], files[1]);
}

#[test]
fn a_stale_anchor_is_an_error_with_candidates() {
    for (anchor, says) in [
        ("pln", "help: did you mean `plan`?"),
        ("pln", "the anchors are `plan`, `hand-off`, `apply`, `record`"),
        ("plan-dve.plan", "`tf` has no job with the id `plan-dve`"),
        ("plan-dve.plan", "help: did you mean `plan-dev.plan`?"),
        ("apply-dev.plan", "no step of `tf` has this id"),
        ("guard", "error[extension-refused]: `guard` decides whether others run"),
    ] {
        let repo = extended(&format!("  tf: {{ after: {{ {anchor}: [ {{ name: X, run: echo x }} ] }} }}\n"));
        repo.run(["render"]).exits(2).says(says).says("pyfleet.yml:15");
    }
}

/// An anchor that is not there changes no file: comparing bytes does not find it.
#[test]
fn check_finds_an_anchor_that_went_away() {
    let repo = extended("  test: {}\n");
    repo.run(["render"]).exits(0);
    repo.replace("pyfleet.yml", "  test: {}\n", "  test: { after: { build: [ { run: echo x } ] } }\n");
    repo.run(["check"]).exits(2).says("error[unknown-anchor]");
}

#[test]
fn a_step_in_a_job_with_rights_is_a_warning_that_a_waiver_accepts() {
    let repo = extended("  tf: { after: { plan: [ { name: Estimate, run: ./estimate.sh } ] } }\n");
    repo.run(["render"])
        .exits(0)
        .says("warning[extension-with-rights]: what is added to `plan-dev` can do what the job can")
        .says("the role `plan` of `dev`, tokens for the cloud, what the environment `dev-plan` holds");
    assert_eq!(repo.read(TF).matches("# extend.tf.after.plan of pyfleet.yml").count(), 2);
    repo.append(
        "pyfleet.yml",
        "waivers: [ { rule: extension-with-rights, at: tf, reason: the estimate reads the plan, until: 2099-12-31 } ]\n",
    );
    repo.run(["check"]).exits(0).says_not("warning");
}

#[test]
fn an_extra_job_counts_for_the_gate_unless_it_stands_behind() {
    let job = "job: { name: N, runs-on: ubuntu-24.04, timeout-minutes: 5, permissions: {}, steps: [ { name: S, run: echo } ] }";
    let repo = extended(&format!(
        "  test: {{ jobs: {{ lint: {{ {job} }}, late: {{ after: [gate, lint], {job} }}, told: {{ after: test-api-unit, {job} }} }} }}\n"
    ));
    repo.run(["render"]).exits(0);
    let text = repo.read(TEST);
    let gate = part(&text, "  gate:", "    # The required check");
    assert!(gate.contains("- lint") && gate.contains("- told") && !gate.contains("late"), "{gate}");
    assert!(!text.contains("MAY_SKIP: "), "{text}");
    let late = part(&text, "  late:", "  lint:");
    assert!(late.contains("    needs:\n      - gate\n      - lint\n"), "{late}");
    assert!(
        late.contains(
            "if: ${{ !cancelled() && needs.gate.result == 'success' && needs.lint.result == 'success' }}"
        ),
        "{late}"
    );
    repo.run(["graph"]).exits(0).says("late");
    repo.run(["check"]).exits(0);
    let guide = repo.read(".github/cicd/README.md");
    assert!(guide.contains("- A job of your own, `late`, after `gate`, `lint`: no scope"), "{guide}");
}

/// What a role trusts is true of an extra job in the same file and the same environment.
#[test]
fn a_token_that_opens_a_role_is_refused() {
    let job = |environment: &str| {
        format!(
            "  tf: {{ jobs: {{ own: {{ job: {{ name: N, {environment} runs-on: ubuntu-24.04, timeout-minutes: 5, \
             permissions: {{ id-token: write }}, steps: [ {{ name: S, run: echo }} ] }} }} }} }}\n"
        )
    };
    let says = "error[extension-opens-role]: its token would open the role";
    extended(&job("environment: prod,")).run(["render"]).exits(2).says(says).says("`apply` of `prod`");
    extended(&job("environment: Prod-Plan,")).run(["render"]).exits(2).says(says).says("`plan` of `prod`");
    extended(&job("environment: releases,")).run(["render"]).says_not(says);
    extended(&job("")).run(["render"]).says_not(says);
    let repo = extended(&job("environment: prod,").replace("{ id-token: write }", "{}"));
    repo.run(["render"]).exits(0).says("warning[extension-in-environment]");
}

/// A text that would be other lines, were it not written by the one writer, is what was written.
#[test]
fn nothing_breaks_out_of_its_place() {
    let repo = extended(
        "  test: { after: { suite: [ { name: \"x\\n      - uses: evil/action@main\", run: \"a: b\\n  permissions: write-all # c\\n\\n\" } ] } }\n",
    );
    repo.run(["render"]).exits(0);
    let (read, findings) = pyfleet_core::workflow::parse(Source::new(TEST, repo.read(TEST)));
    assert!(findings.is_empty(), "{findings:?}");
    let (read, _) = read.unwrap();
    let steps = &read.jobs["test-api-unit"].steps;
    let own = steps.iter().position(|step| step.id.as_deref() == Some("suite")).unwrap() + 1;
    assert_eq!(steps[own].name.as_deref(), Some("x\n      - uses: evil/action@main"));
    assert_eq!(steps[own].run.as_deref(), Some("a: b\n  permissions: write-all # c\n\n"));
    assert!(steps[own].uses.is_none());
}

/// Text that is not the plan and what extends it, to the letter, is a mistake of pyfleet's.
#[test]
fn what_is_read_back_is_the_plan_and_the_extension() {
    let manifest = std::fs::read_to_string(repository().join("tests/manifests/extended.yml")).unwrap();
    let (project, planned) = project_file::load(Source::new("pyfleet.yml", manifest)).planned.unwrap();
    let files = render::render(&project, &planned, "pyfleet.yml").unwrap();
    let text = &files[TEST];
    let workflow = &planned.workflows[0];
    assert!(plan::read_back(workflow, text).is_empty());
    for (from, to) in [
        ("DATABASE=ready", "DATABASE=gone"),
        ("id: database", "id: data"),
        ("name: Say how it went", "name: Say"),
        ("      - name: Lint\n", "      - name: More\n        run: id\n\n      - name: Lint\n"),
        ("run: make lint", "run: make"),
        ("      - name: Run the suite\n", "      - run: id\n\n      - name: Run the suite\n"),
    ] {
        assert!(text.contains(from), "{from}");
        let findings = plan::read_back(workflow, &text.replace(from, to));
        assert!(findings.iter().any(|finding| finding.code == "render-mismatch"), "{from}: {findings:?}");
    }
}

/// Roles stay as they are.
#[test]
fn roles_do_not_change() {
    let plain = extended("  tf: {}\n");
    let repo = extended("  tf: { after: { plan: [ { name: Estimate, run: ./estimate.sh } ] } }\n");
    let text = |repo: &Repo| repo.run(["oidc", "--format", "json"]).exits(0).out();
    assert_eq!(text(&plain), text(&repo));
}
