//! Each rule alone notices its own mistake: one small change of a good workflow, one rule that fires.

use super::rules::RULES;
use super::{Check, Repository, Rule, Subject, run};
use crate::source::Source;
use crate::workflow;
use crate::yaml::tree::Document;

const WORKFLOW: &str = include_str!("good.yml");

const MANIFEST: &str = "project: shop\nnotify: {slack: ALERTS_WEBHOOK}\n";

/// Another workflow of the repository, which asks for something.
const CALLED: &str =
    "on: workflow_call\npermissions: {}\njobs: {a: {permissions: {issues: write}, runs-on: x}}\n";

/// A rule, and the replacements that break what it demands. Each replaces the first of its kind.
const MUTANTS: &[(&str, &[(&str, &str)])] = &[
    ("action-inputs", &[("path: report.xml", "path: report.xml, pth: x")]),
    ("artifact-path-narrow", &[("path: report.xml", "path: .")]),
    (
        "bot-actor-check",
        &[(
            "needs.plan.outputs.changed == '2'",
            "needs.plan.outputs.changed == '2' && github.actor == 'renovate[bot]'",
        )],
    ),
    (
        "called-workflow-fits",
        &[(
            "jobs:\n",
            "jobs:\n  call: {permissions: {issues: write}, uses: ./.github/workflows/called.yml, with: {x: y}}\n",
        )],
    ),
    (
        "called-workflow-named",
        &[(
            "jobs:\n",
            "jobs:\n  call: {permissions: {issues: write}, uses: ./.github/workflows/called.yml@main}\n",
        )],
    ),
    (
        "case-insensitive-guard",
        &[(
            "    needs: plan\n    if: needs.plan.outputs.changed == '2'\n",
            "    if: github.ref == 'refs/heads/main'\n",
        )],
    ),
    ("checkout-no-credentials", &[("persist-credentials: false", "persist-credentials: true")]),
    (
        "concurrency-deadlock",
        &[("    name: Test\n", "    name: Test\n    concurrency: 'Terraform-${{ github.ref }}'\n")],
    ),
    ("concurrency-policy", &[("terraform plan -input=false -detailed-exitcode", "terraform apply tfplan")]),
    ("container-complete", &[("    name: Test\n", "    name: Test\n    container: ''\n")]),
    (
        "container-credentials",
        &[(
            "    name: Test\n",
            "    name: Test\n    container:\n      image: x@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n      credentials: {username: u, password: p}\n",
        )],
    ),
    ("dangerous-trigger", &[("pull_request: {branches", "pull_request_target: {branches")]),
    ("deprecated-command", &[("python -m pytest", "echo '::add-path::/x'")]),
    (
        "dispatch-escalation",
        &[
            ("contents: read # checkout", "contents: read # checkout\n      actions: write # start a run"),
            (
                "run: python -m pytest",
                "run: python -m pytest\n        env: {GH_TOKEN: '${{ github.token }}'}",
            ),
        ],
    ),
    ("duplicate-key-ci", &[("NUMBER: ${{", "Number: x\n          NUMBER: ${{")]),
    ("expr-sound", &[("if: always()", "if: ${{ failure() }} || true")]),
    (
        "expr-typed",
        &[(
            "needs.plan.outputs.changed == '2'",
            "needs.plan.outputs.changed == '2' && github.event_nam == 'push'",
        )],
    ),
    ("id-grammar", &[("run: python -m pytest", "run: python -m pytest\n        id: 2-tests")]),
    ("image-digest", &[("    name: Test\n", "    name: Test\n    container: python:3.13\n")]),
    ("inputs-sane", &[("required: true", "type: choice, options: [a, a]")]),
    ("literal-expression-open", &[("NUMBER: ${{", "${{ github.job }}: x\n          NUMBER: ${{")]),
    ("matrix-sane", &[("strategy: {matrix: {", "strategy: {max-parallel: 0, matrix: {")]),
    ("needs-context-declared", &[("needs.plan.outputs.changed ==", "needs.plan.outputs.gone ==")]),
    ("needs-dag", &[("needs: test", "needs: [test, gone]")]),
    ("never-runs", &[("needs.plan.outputs.changed == '2'", "github.event_name == 'push'")]),
    (
        "oidc-fork-guard",
        &[("    if: github.event.pull_request.head.repo.full_name == github.repository\n", "")],
    ),
    ("oidc-permission-match", &[("      id-token: write # log in to AWS\n", "")]),
    ("permissions-explicit", &[("permissions: {}\n", "")]),
    (
        "permissions-minimal",
        &[("pull-requests: write # comment", "pull-requests: write # comment\n      statuses: write")],
    ),
    ("platform-limits", &[("required: true", "type: choice, options: [a], default: b")]),
    ("reserved-env", &[("NUMBER: ${{", "BASH_ENV: x\n          NUMBER: ${{")]),
    (
        "reusable-permissions-fit",
        &[("jobs:\n", "jobs:\n  call: {permissions: {}, uses: ./.github/workflows/called.yml}\n")],
    ),
    ("run-no-expression", &[("python -m pytest", "python -m pytest ${{ github.sha }}")]),
    ("runner-label-known", &[("runs-on: ubuntu-24.04", "runs-on: ubuntu-20.04")]),
    ("secret-bulk", &[("NUMBER: ${{", "ALL: ${{ toJSON(secrets) }}\n          NUMBER: ${{")]),
    (
        "secret-inherit",
        &[(
            "jobs:\n",
            "jobs:\n  call: {permissions: {issues: write}, uses: ./.github/workflows/called.yml, secrets: inherit}\n",
        )],
    ),
    ("secret-literal-in-manifest", &[("ALERTS_WEBHOOK", "AKIAIOSFODNN7EXAMPLX")]),
    (
        "secret-outside-environment",
        &[(
            "run: python -m pytest",
            "run: twine upload dist/*\n        env: {TWINE_PASSWORD: '${{ secrets.PYPI }}'}",
        )],
    ),
    ("secret-scope-step", &[("defaults:", "env: {A: '${{ secrets.A }}'}\ndefaults:")]),
    (
        "secret-to-output",
        &[(
            "run: python -m pytest",
            "run: echo \"a=$A\" >> \"$GITHUB_OUTPUT\"\n        env: {A: '${{ secrets.A }}'}",
        )],
    ),
    ("shell-fail-fast", &[("python -m pytest", "python -m pytest || true")]),
    ("shell-name", &[("shell: bash", "shell: fish")]),
    (
        "skip-cascade",
        &[
            ("    needs: test\n    if: github", "    needs: test\n    if: \"!cancelled() && github"),
            ("== github.repository\n", "== github.repository\"\n"),
            ("    name: Test\n", "    name: Test\n    if: github.event_name == 'pull_request'\n"),
        ],
    ),
    ("static-cloud-keys", &[("NUMBER: ${{", "GOOGLE_CREDENTIALS: ${{ secrets.G }}\n          NUMBER: ${{")]),
    (
        "taint-up",
        &[(
            "      - id: plan\n",
            "      - uses: actions/cache@27d5ce7f107fe9357f9df03efb73ab90386fccae # v5.0.5\n        with: {path: x, key: y}\n      - id: plan\n",
        )],
    ),
    (
        "tainted-env-flow",
        &[
            ("--body changed", "--body $TITLE"),
            ("NUMBER: ${{", "TITLE: ${{ github.event.pull_request.title }}\n          NUMBER: ${{"),
        ],
    ),
    ("timeout-set", &[("    timeout-minutes: 15\n", "")]),
    ("tool-version-exact", &[("terraform_version: 1.13.3", "terraform_version: 1.13")]),
    ("trigger-sane", &[("branches: [main]", "branches: ['!main']")]),
    (
        "untrusted-checkout",
        &[("{persist-credentials: false}", "{persist-credentials: false, allow-unsafe-pr-checkout: true}")],
    ),
    ("unverified-download", &[("python -m pytest", "curl -sSf https://a.example/install | bash")]),
    (
        "uses-allowed",
        &[(
            "      - run: python -m pytest",
            "      - uses: acme/own@3d3c42e5aac5ba805825da76410c181273ba90b1 # v1.0.0\n      - run: python -m pytest",
        )],
    ),
    (
        "uses-pinned",
        &[("actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "actions/checkout@v7")],
    ),
];

#[test]
fn each_rule_alone_notices_its_own_mistake() {
    let codes: Vec<_> = MUTANTS.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, RULES.iter().map(|rule| rule.code).collect::<Vec<_>>(), "one mutant a rule, in order");
    for (rule, (code, replacements)) in RULES.iter().zip(MUTANTS) {
        let mut text = match rule.check {
            Check::Workflow(_) | Check::Expressions(_) | Check::Reader => WORKFLOW.to_owned(),
            Check::Manifest(_) => MANIFEST.to_owned(),
        };
        assert!(found(rule, &text).is_empty(), "{code}: the text is not good to begin with");
        for (from, to) in *replacements {
            assert!(text.contains(from), "{code}: nothing to replace: {from}");
            text = text.replacen(from, to, 1);
        }
        let mut found = found(rule, &text);
        found.dedup();
        assert_eq!(found, [*code], "of\n{text}");
    }
}

/// The codes of what all rules find.
fn found(rule: &Rule, text: &str) -> Vec<&'static str> {
    let source = Source::new("mutant.yml", text);
    let findings = match rule.check {
        Check::Workflow(_) | Check::Expressions(_) | Check::Reader => {
            let (read, mut findings) = workflow::parse(source);
            let is_read = matches!(rule.check, Check::Reader);
            assert!(is_read || findings.is_empty(), "{}: {findings:#?}", rule.code);
            if let Some((workflow, document)) = read {
                let mut repository = Repository::default();
                repository.add(".github/workflows/called.yml", CALLED);
                let subject = Subject::workflow(&workflow, &document).among(&repository);
                findings.extend(run(&subject, RULES));
            }
            findings
        }
        Check::Manifest(_) => run(&Subject::Manifest(&Document::parse(source).unwrap()), RULES),
    };
    let mut codes: Vec<_> = findings.iter().map(|finding| finding.code).collect();
    codes.sort_unstable();
    codes
}
