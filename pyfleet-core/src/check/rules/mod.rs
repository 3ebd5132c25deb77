//! Every rule, one a file.

mod action_inputs;
mod checkout_no_credentials;
mod dangerous_trigger;
mod id_grammar;
mod needs_context_declared;
mod needs_dag;
mod oidc_fork_guard;
mod oidc_permission_match;
mod permissions_explicit;
mod permissions_minimal;
mod reserved_env;
mod run_no_expression;
mod secret_literal_in_manifest;
mod secret_scope_step;
mod shell_fail_fast;
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
    &dangerous_trigger::RULE,
    &id_grammar::RULE,
    &needs_context_declared::RULE,
    &needs_dag::RULE,
    &oidc_fork_guard::RULE,
    &oidc_permission_match::RULE,
    &permissions_explicit::RULE,
    &permissions_minimal::RULE,
    &reserved_env::RULE,
    &run_no_expression::RULE,
    &secret_literal_in_manifest::RULE,
    &secret_scope_step::RULE,
    &shell_fail_fast::RULE,
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
    use crate::reference_data;

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
}
