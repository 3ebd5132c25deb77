//! Every rule, one a file.

mod action_inputs;
mod checkout_no_credentials;
mod container_credentials;
mod dangerous_trigger;
mod deprecated_command;
mod id_grammar;
mod image_digest;
mod needs_context_declared;
mod needs_dag;
mod oidc_fork_guard;
mod oidc_permission_match;
mod permissions_explicit;
mod permissions_minimal;
mod reserved_env;
mod run_no_expression;
mod runner_label_known;
mod secret_bulk;
mod secret_inherit;
mod secret_literal_in_manifest;
mod secret_scope_step;
mod shell_fail_fast;
mod shell_name;
mod static_cloud_keys;
mod timeout_set;
mod tool_version_exact;
mod untrusted_checkout;
mod uses_allowed;
mod uses_pinned;

use super::Rule;

/// Every rule, sorted by its code.
pub static RULES: &[&Rule] = &[
    &action_inputs::RULE,
    &checkout_no_credentials::RULE,
    &container_credentials::RULE,
    &dangerous_trigger::RULE,
    &deprecated_command::RULE,
    &id_grammar::RULE,
    &image_digest::RULE,
    &needs_context_declared::RULE,
    &needs_dag::RULE,
    &oidc_fork_guard::RULE,
    &oidc_permission_match::RULE,
    &permissions_explicit::RULE,
    &permissions_minimal::RULE,
    &reserved_env::RULE,
    &run_no_expression::RULE,
    &runner_label_known::RULE,
    &secret_bulk::RULE,
    &secret_inherit::RULE,
    &secret_literal_in_manifest::RULE,
    &secret_scope_step::RULE,
    &shell_fail_fast::RULE,
    &shell_name::RULE,
    &static_cloud_keys::RULE,
    &timeout_set::RULE,
    &tool_version_exact::RULE,
    &untrusted_checkout::RULE,
    &uses_allowed::RULE,
    &uses_pinned::RULE,
];

/// The rule with a code.
///
/// ```
/// use pyfleet_core::check::rules;
///
/// assert!(rules::find("timeout-set").unwrap().documentation.contains("## Why"));
/// ```
#[must_use]
pub fn find(code: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.code == code).copied()
}

#[cfg(test)]
mod tests {
    use super::RULES;
    use crate::check::{Subject, run};
    use crate::reference_data;
    use crate::source::Source;
    use crate::workflow;

    #[test]
    fn the_list_is_the_folder() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/check/rules");
        let files: Vec<String> = reference_data::files(folder.into())
            .iter()
            .filter_map(|file| Some(file.file_stem()?.to_str()?.replace('_', "-")))
            .filter(|name| name != "mod")
            .collect();
        let codes: Vec<&str> = RULES.iter().map(|rule| rule.code).collect();
        assert_eq!(codes, files, "one rule a file, named after it, in order");
    }

    #[test]
    fn every_rule_is_documented() {
        for rule in RULES {
            let sections: Vec<&str> =
                rule.documentation.lines().filter(|line| line.starts_with("## ")).collect();
            assert_eq!(sections, ["## What it does", "## Why", "## Example", "## Instead"], "{}", rule.code);
            assert_eq!(rule.documentation.matches("```").count(), 4, "{}: one example each", rule.code);
            let summary = rule.summary;
            assert!(!summary.ends_with('.') && summary.starts_with(char::is_lowercase), "{}", rule.code);
        }
    }

    #[test]
    fn every_rule_has_something_that_fires_and_a_near_miss() {
        for rule in RULES {
            let file =
                format!("{}/src/check/rules/{}.rs", env!("CARGO_MANIFEST_DIR"), rule.code.replace('-', "_"));
            let text = reference_data::text(file.into());
            assert!(
                text.contains(&format!("{}[{}]", rule.severity, rule.code)),
                "{}: nothing fires",
                rule.code
            );
            assert!(text.contains("pass()") || text.contains("passes()"), "{}: no near miss", rule.code);
        }
    }

    /// All rules at once can be kept, by a workflow that does something.
    #[test]
    fn a_good_workflow_passes_every_rule() {
        let (read, mistakes) = workflow::parse(Source::new("good.yml", GOOD));
        assert!(mistakes.is_empty(), "{mistakes:#?}");
        let (workflow, document) = read.unwrap();
        let findings = run(&Subject::workflow(&workflow, &document), RULES);
        assert!(findings.is_empty(), "{findings:#?}");
    }

    const GOOD: &str = "
name: terraform
on:
  pull_request: {branches: [main]}
  workflow_dispatch: {inputs: {confirm: {description: Type apply, required: true}}}
permissions: {}
defaults: {run: {shell: bash}}
concurrency: {group: 'terraform-${{ github.ref }}', cancel-in-progress: true}
jobs:
  test:
    name: Test
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    permissions:
      contents: read # checkout
    strategy: {matrix: {python: ['3.12', '3.13']}}
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with: {persist-credentials: false}
      - uses: actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0
        with: {python-version: '${{ matrix.python }}'}
      - run: python -m pytest
      - if: always()
        uses: actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0
        with: {name: report, path: report.xml}
  plan:
    name: Plan
    needs: test
    if: github.event.pull_request.head.repo.full_name == github.repository
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    permissions:
      contents: read # checkout
      id-token: write # log in to AWS
    environment: {name: prod-plan, deployment: false}
    outputs: {changed: '${{ steps.plan.outputs.changed }}'}
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with: {persist-credentials: false}
      - uses: hashicorp/setup-terraform@dfe3c3f87815947d99a8997f908cb6525fc44e9e # v4.0.1
        with: {terraform_version: 1.13.3, terraform_wrapper: false}
      - uses: aws-actions/configure-aws-credentials@e6de054238d6b7531b4efff3b6587d9aade6a06c # v6.2.3
        with: {role-to-assume: 'arn:aws:iam::123456789012:role/plan', aws-region: eu-central-1}
      - id: plan
        run: |
          rc=0
          terraform plan -input=false -detailed-exitcode || rc=$?
          echo \"changed=$rc\" >> \"$GITHUB_OUTPUT\"
  comment:
    name: Comment
    needs: plan
    if: needs.plan.outputs.changed == '2'
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      pull-requests: write # comment
    steps:
      - run: gh pr comment \"$NUMBER\" --body changed
        env:
          GH_TOKEN: ${{ github.token }}
          NUMBER: ${{ github.event.pull_request.number }}
";
}
