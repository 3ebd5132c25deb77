//! IAM policy documents as types; keys come out in the order of the fields
//! ([AWS: IAM policy grammar](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html)).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// A policy: what a role trusts, or what it may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    /// The language's version.
    pub version: &'static str,
    /// Its statements.
    pub statement: Vec<Statement>,
}

impl Policy {
    /// A policy of these statements.
    #[must_use]
    pub const fn of(statement: Vec<Statement>) -> Self {
        Self { version: "2012-10-17", statement }
    }

    /// Every action that it allows, with what it is allowed on; `all but` what a statement leaves out.
    #[must_use]
    pub fn allowed(&self) -> BTreeMap<&str, BTreeSet<String>> {
        let mut allowed: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for statement in self.statement.iter().filter(|statement| statement.effect == Effect::Allow) {
            let resources: Vec<String> = match &statement.resource {
                Some(Resource::These(resources)) => resources.clone(),
                Some(Resource::AllBut(resources)) => {
                    resources.iter().map(|resource| format!("all but {resource}")).collect()
                }
                None => Vec::new(),
            };
            for action in &statement.action {
                allowed.entry(action).or_default().extend(resources.iter().cloned());
            }
        }
        allowed
    }

    /// How many characters IAM counts: white space is free
    /// ([AWS: IAM quotas](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)).
    #[must_use]
    pub fn characters(&self) -> usize {
        // A policy holds nothing that JSON cannot hold.
        let text = serde_json::to_string(self).unwrap_or_default();
        text.chars().filter(|character| !character.is_whitespace()).count()
    }
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    /// What it is for.
    pub sid: &'static str,
    /// Whether it allows or denies.
    pub effect: Effect,
    /// Who; only in trust policies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<Principal>,
    /// The actions.
    pub action: Vec<String>,
    /// What they are done to.
    #[serde(flatten)]
    pub resource: Option<Resource>,
    /// When it counts.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "conditions")]
    pub condition: Vec<Condition>,
}

/// Whether a statement allows or denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Effect {
    /// It allows.
    Allow,
    /// It denies, whatever else allows.
    Deny,
}

/// Who may assume a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Principal {
    /// An identity provider.
    pub federated: String,
}

/// What a statement is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Resource {
    /// These.
    #[serde(rename = "Resource")]
    These(Vec<String>),
    /// All but these.
    #[serde(rename = "NotResource")]
    AllBut(Vec<String>),
}

/// An operator, a key and what it is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The operator.
    pub operator: &'static str,
    /// The key.
    pub key: String,
    /// One of these.
    pub values: Values,
}

/// What a key is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Values {
    /// One value.
    One(String),
    /// Any of these.
    AnyOf(Vec<String>),
}

impl Condition {
    pub(super) fn one(operator: &'static str, key: &str, value: impl Into<String>) -> Self {
        Self { operator, key: key.to_owned(), values: Values::One(value.into()) }
    }

    pub(super) fn any_of(operator: &'static str, key: &str, values: Vec<String>) -> Self {
        Self { operator, key: key.to_owned(), values: Values::AnyOf(values) }
    }
}

/// One object for each operator, in which each key stands once.
fn conditions<S: serde::Serializer>(conditions: &[Condition], serializer: S) -> Result<S::Ok, S::Error> {
    let mut operators: indexmap::IndexMap<&str, indexmap::IndexMap<&str, &Values>> =
        indexmap::IndexMap::new();
    for condition in conditions {
        operators.entry(condition.operator).or_default().insert(&condition.key, &condition.values);
    }
    operators.serialize(serializer)
}

impl Statement {
    /// Allows actions on resources.
    pub(super) fn allow(sid: &'static str, action: &[&str], resource: Vec<String>) -> Self {
        Self {
            sid,
            effect: Effect::Allow,
            principal: None,
            action: action.iter().map(ToString::to_string).collect(),
            resource: Some(Resource::These(resource)),
            condition: Vec::new(),
        }
    }

    /// Denies actions on resources.
    pub(super) fn deny(sid: &'static str, action: &[&str], resource: Vec<String>) -> Self {
        Self { effect: Effect::Deny, ..Self::allow(sid, action, resource) }
    }

    /// The same, on everything but these.
    pub(super) fn but(self, resource: Vec<String>) -> Self {
        Self { resource: Some(Resource::AllBut(resource)), ..self }
    }

    /// The same, where a condition holds as well.
    pub(super) fn when(mut self, condition: Condition) -> Self {
        self.condition.push(condition);
        self
    }
}

/// Where AWS knows no resource of an action, or every one is meant.
pub(super) fn everything() -> Vec<String> {
    vec!["*".to_owned()]
}

/// A text in which no character means another one: `*` and `?` stand for others in patterns, `$` begins a variable
/// ([AWS: policy variables](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html)).
pub(super) fn literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '*' | '?' | '$' => literal.extend(["${", character.encode_utf8(&mut [0; 4]), "}"]),
            other => literal.push(other),
        }
    }
    literal
}

#[cfg(test)]
mod tests {
    use super::{Condition, Policy, Statement, everything, literal};

    #[test]
    fn a_statement_is_written_as_iam_reads_it() {
        let statement = Statement::allow("Read", &["s3:GetObject"], vec!["arn:aws:s3:::b/k".to_owned()])
            .when(Condition::one("StringEquals", "a", "1"))
            .when(Condition::any_of("StringEquals", "b", vec!["2".to_owned()]))
            .when(Condition::one("Null", "c", "false"));
        let others =
            Statement::deny("Others", &["s3:*"], everything()).but(vec!["arn:aws:s3:::b".to_owned()]);
        assert_eq!(
            serde_json::to_string(&Policy::of(vec![statement, others])).unwrap(),
            r#"{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::b/k"],"Condition":{"StringEquals":{"a":"1","b":["2"]},"Null":{"c":"false"}}},{"Sid":"Others","Effect":"Deny","Action":["s3:*"],"NotResource":["arn:aws:s3:::b"]}]}"#
        );
    }

    #[test]
    fn nothing_in_a_key_is_a_pattern() {
        assert_eq!(literal("a*/${aws:username}?"), "a${*}/${$}{aws:username}${?}");
    }
}
