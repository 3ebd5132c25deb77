//! What no trust policy for GitHub's tokens should say, whatever the plan is.

use super::condition::Compares;
use super::document::{Principal, Statement, TrustPolicy};
use super::token::Token;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::oidc::trust::PROVIDER;

const CODE: &str = "trust-policy-strict";

/// Everything that is wrong with a policy by itself.
pub(super) fn findings(policy: &TrustPolicy) -> Diagnostics {
    let mut findings = Diagnostics::new();
    for statement in policy.statements.iter().filter(|statement| !statement.denies) {
        whom(statement, &mut findings);
        if statement.is_about_tokens && statement.principals.iter().any(shows_tokens) {
            conditions(statement, &mut findings);
        }
    }
    findings
}

/// Whether somebody may come with a token of GitHub's.
fn shows_tokens(principal: &Principal) -> bool {
    match principal {
        Principal::Anybody(_) | Principal::AllBut(_) => true,
        Principal::Federated(provider, _) => provider == "*" || provider.ends_with(PROVIDER),
        Principal::Other => false,
    }
}

fn whom(statement: &Statement, findings: &mut Diagnostics) {
    for principal in &statement.principals {
        findings.extend(match principal {
            Principal::Anybody(path) => Some(
                Diagnostic::error(CODE, path.clone(), "the statement is about anybody at all")
                    .with_help("name GitHub's provider: `oidc-provider/token.actions.githubusercontent.com`"),
            ),
            Principal::AllBut(path) => Some(
                Diagnostic::error(
                    CODE,
                    path.clone(),
                    "the statement is about everybody but those that it names",
                )
                .with_help("name who may: `Principal`"),
            ),
            Principal::Other => Some(Diagnostic::note(
                "trust-not-compared",
                statement.path.key("Principal"),
                "accounts, users, roles or services may assume this role as well: that is not compared",
            )),
            Principal::Federated(..) => None,
        });
    }
}

fn conditions(statement: &Statement, findings: &mut Diagnostics) {
    let demanded = |claim: &str| statement.conditions.iter().any(|condition| condition.demands(claim));
    for (claim, consequence) in [
        ("sub", "any repository on GitHub can assume this role: nothing says what `sub` has to be"),
        ("aud", "a token that was made for somebody else is taken: nothing says what `aud` has to be"),
    ] {
        if !demanded(claim) {
            findings.push(
                Diagnostic::error(CODE, statement.path.clone(), consequence)
                    .with_help(format!("compare `{PROVIDER}:{claim}` with `StringEquals`")),
            );
        }
    }
    for condition in &statement.conditions {
        let Some(claim) = condition.claim() else { continue };
        if condition.operator.takes_missing && condition.operator.compares != Compares::Missing {
            findings.push(
                Diagnostic::error(
                    CODE,
                    condition.path.clone(),
                    format!("a token without `{}` is taken as well", shown(claim)),
                )
                .with_help(
                    "`StringEquals` alone refuses what is missing; `ForAllValues:` and `…IfExists` take it",
                ),
            );
        }
        for path in condition.patterns() {
            let message =
                format!("`{}` is compared with a pattern, which takes more than can be seen", shown(claim));
            let finding = match claim {
                "sub" | "aud" => Diagnostic::error(CODE, path.clone(), message),
                _ => Diagnostic::warning(CODE, path.clone(), message),
            };
            findings.push(finding.with_help("name each value whole, with `StringEquals`"));
        }
    }
}

/// A claim that AWS knows; the rest is whatever somebody has written.
fn shown(claim: &str) -> &str {
    if Token::knows(claim) { claim } else { "a claim" }
}
