//! Stacks of two colours, of which one is live.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Serialize;

use super::super::environment::Environment;
use crate::diagnostic::{Diagnostic, Diagnostics, Path};
use crate::manifest::{self, Slug};

/// The two colours of a stack in an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Colors {
    /// The input variable that takes the live colour.
    pub variable: String,
    /// The output that says which colour is live.
    pub output: String,
    /// What the output says for each colour.
    pub values: BTreeMap<&'static str, String>,
    /// Whether an unhealthy promotion is taken back.
    pub auto_revert: bool,
}

/// The colours of a stack in an environment; nothing where it has none there.
pub(super) fn colors(stack: &manifest::Stack, environment: &Slug) -> Option<Colors> {
    let written = stack.blue_green.as_ref()?;
    if written.environments.as_ref().is_some_and(|own| !own.contains(environment)) {
        return None;
    }
    let (blue, green) = match &written.output.values {
        Some(values) => (values.blue.clone(), values.green.clone()),
        None => ("blue".to_owned(), "green".to_owned()),
    };
    Some(Colors {
        variable: written.variable.to_string(),
        output: written.output.name.to_string(),
        values: BTreeMap::from([("blue", blue), ("green", green)]),
        auto_revert: written.auto_revert.unwrap_or(false),
    })
}

pub(super) fn check_blue_green(
    stacks: &IndexMap<Slug, manifest::Stack>,
    environments: &[Environment],
    findings: &mut Diagnostics,
) {
    for (name, stack) in stacks {
        let Some(written) = &stack.blue_green else { continue };
        let path = Path::of(["terraform", "stacks", name.as_str(), "blue-green"]);
        if stack.variables.contains_key(&written.variable) {
            findings.push(
                Diagnostic::error(
                    "invalid-value",
                    path.key("variable"),
                    "the live colour is read from state, and `variables` sets it as well",
                )
                .with_help("take it out of `variables`"),
            );
        }
        let values = written.output.values.as_ref();
        if values.is_some_and(|values| {
            values.blue == values.green || values.blue.is_empty() || values.green.is_empty()
        }) {
            findings.push(Diagnostic::error(
                "invalid-value",
                path.key("output").key("values"),
                "the two values tell the colours apart: they differ, and neither is empty",
            ));
        }
        if written.environments.as_ref().is_some_and(Vec::is_empty) {
            findings.push(
                Diagnostic::error(
                    "invalid-value",
                    path.key("environments"),
                    "no environment has two colours",
                )
                .with_help("name one, or take `environments` out: then all have"),
            );
        }
        for environment in environments {
            let has_colors = colors(stack, &environment.name).is_some() && stack.is_in(&environment.name);
            if has_colors && written.auto_revert == Some(true) && environment.health.is_none() {
                findings.push_once(
                    Diagnostic::error(
                        "missing-key",
                        path.key("auto-revert"),
                        format!("whether `{}` is healthy after a promotion cannot be seen: it has neither `health` nor `url`", environment.name),
                    )
                    .with_help(format!("set `environments.{}.health`, or take `auto-revert` out", environment.name)),
                );
            }
        }
        for (index, wanted) in written.environments.iter().flatten().enumerate() {
            if !stack.is_in(wanted) || !environments.iter().any(|environment| environment.name == *wanted) {
                findings.push(
                    Diagnostic::error(
                        "unknown-reference",
                        path.key("environments").index(index),
                        "the stack is in no environment of this name",
                    )
                    .with_help("name environments that the stack is in"),
                );
            }
        }
    }
}
