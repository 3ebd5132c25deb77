//! Every rule, one a file.

mod action_inputs;
mod artifact_path_narrow;
mod bot_actor_check;
mod called_workflow_fits;
mod called_workflow_named;
mod case_insensitive_guard;
mod checkout_no_credentials;
mod concurrency_deadlock;
mod concurrency_policy;
mod container_complete;
mod container_credentials;
mod dangerous_trigger;
mod deprecated_command;
mod dispatch_escalation;
mod duplicate_key_ci;
mod expr_sound;
mod expr_typed;
mod id_grammar;
mod image_digest;
mod inputs_sane;
mod literal_expression_open;
mod matrix_sane;
mod needs_context_declared;
mod needs_dag;
mod never_runs;
mod oidc_fork_guard;
mod oidc_permission_match;
mod permissions_explicit;
mod permissions_minimal;
mod platform_limits;
mod reserved_env;
mod reusable_permissions_fit;
mod run_no_expression;
mod runner_label_known;
mod secret_bulk;
mod secret_inherit;
mod secret_literal_in_manifest;
mod secret_outside_environment;
mod secret_scope_step;
mod secret_to_output;
mod shell_fail_fast;
mod shell_name;
mod skip_cascade;
mod static_cloud_keys;
mod taint_up;
mod tainted_env_flow;
mod timeout_set;
mod tool_version_exact;
mod trigger_sane;
mod untrusted_checkout;
mod unverified_download;
mod uses_allowed;
mod uses_pinned;

use super::Rule;

/// Every rule, sorted by its code.
pub static RULES: &[&Rule] = &[
    &action_inputs::RULE,
    &artifact_path_narrow::RULE,
    &bot_actor_check::RULE,
    &called_workflow_fits::RULE,
    &called_workflow_named::RULE,
    &case_insensitive_guard::RULE,
    &checkout_no_credentials::RULE,
    &concurrency_deadlock::RULE,
    &concurrency_policy::RULE,
    &container_complete::RULE,
    &container_credentials::RULE,
    &dangerous_trigger::RULE,
    &deprecated_command::RULE,
    &dispatch_escalation::RULE,
    &duplicate_key_ci::RULE,
    &expr_sound::RULE,
    &expr_typed::RULE,
    &id_grammar::RULE,
    &image_digest::RULE,
    &inputs_sane::RULE,
    &literal_expression_open::RULE,
    &matrix_sane::RULE,
    &needs_context_declared::RULE,
    &needs_dag::RULE,
    &never_runs::RULE,
    &oidc_fork_guard::RULE,
    &oidc_permission_match::RULE,
    &permissions_explicit::RULE,
    &permissions_minimal::RULE,
    &platform_limits::RULE,
    &reserved_env::RULE,
    &reusable_permissions_fit::RULE,
    &run_no_expression::RULE,
    &runner_label_known::RULE,
    &secret_bulk::RULE,
    &secret_inherit::RULE,
    &secret_literal_in_manifest::RULE,
    &secret_outside_environment::RULE,
    &secret_scope_step::RULE,
    &secret_to_output::RULE,
    &shell_fail_fast::RULE,
    &shell_name::RULE,
    &skip_cascade::RULE,
    &static_cloud_keys::RULE,
    &taint_up::RULE,
    &tainted_env_flow::RULE,
    &timeout_set::RULE,
    &tool_version_exact::RULE,
    &trigger_sane::RULE,
    &untrusted_checkout::RULE,
    &unverified_download::RULE,
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

    const GOOD: &str = include_str!("../good.yml");
}
