//! Who may become what: every token against every role.

use std::collections::BTreeSet;

use serde_json::Value;

use super::tokens::{Row, rows};
use super::{FORMATS, manifest, setup};

const PROVIDER: &str = "token.actions.githubusercontent.com:";

/// Whether a trust policy takes a token: every condition compares a claim with whole texts, and there is no other
/// operator. A claim that is missing equals nothing.
fn takes(trust: &Value, claims: &Value) -> bool {
    let [statement] = trust["Statement"].as_array().unwrap().as_slice() else { panic!("{trust}") };
    assert_eq!(statement["Effect"], "Allow");
    assert_eq!(statement["Action"][0], "sts:AssumeRoleWithWebIdentity");
    let operators = statement["Condition"].as_object().unwrap();
    assert_eq!(operators.keys().collect::<Vec<_>>(), ["StringEquals"]);
    operators["StringEquals"].as_object().unwrap().iter().all(|(key, expected)| {
        let found = &claims[key.strip_prefix(PROVIDER).unwrap()];
        match expected {
            Value::Array(any) => any.contains(found),
            one => one == found,
        }
    })
}

#[test]
fn every_token_is_taken_by_its_roles_and_by_no_other() {
    let mut taken = 0;
    let rows = rows();
    assert!(rows.len() >= 60, "{}", rows.len());
    let names: BTreeSet<&str> = rows.iter().map(|row: &Row| row.what).collect();
    assert_eq!(names.len(), rows.len(), "every row is another one");
    let mut unused = BTreeSet::new();
    for (format, _) in FORMATS {
        for role in setup(&manifest(format)).roles {
            let trust = serde_json::to_value(&role.trust).unwrap();
            let name = format!("{}-{}", role.environment, role.purpose);
            unused.insert((format, name.clone()));
            for row in &rows {
                let is_taken = takes(&trust, &row.claims);
                let what = row.what;
                assert_eq!(
                    is_taken,
                    row.is_taken_by(format, &name),
                    "{what}: {format} {name}\n{trust:#}\n{:#}",
                    row.claims
                );
                taken += usize::from(is_taken);
                if is_taken {
                    unused.remove(&(format, name.clone()));
                }
            }
        }
    }
    assert!(unused.is_empty(), "nobody can assume {unused:?}");
    println!("{} tokens, {taken} of which a role takes", rows.len());
}
