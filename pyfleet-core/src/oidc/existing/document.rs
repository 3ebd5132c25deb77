//! Trust policies as `aws iam` prints them: the bare document, a role with it, or a list of roles.

use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::source::Source;
use crate::yaml::tree::{Document, Node, Value};

use super::condition::{Condition, Operator};

/// IAM takes 4,096 characters of a trust policy at most, white space aside
/// ([AWS: IAM quotas](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)); what is far beyond
/// that is not read.
const LONGEST: usize = 32 * 1024;

/// The elements of a statement in a trust policy
/// ([AWS: policy elements](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html)).
const ELEMENTS: [&str; 7] =
    ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Condition"];

/// A trust policy that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustPolicy {
    /// Where it stands in its document.
    pub path: Path,
    /// The role that has it, where the document says so.
    pub name: Option<String>,
    /// The ARN of that role, where the document says so.
    pub arn: Option<String>,
    /// Its statements.
    pub(super) statements: Vec<Statement>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) path: Path,
    pub(super) denies: bool,
    pub(super) principals: Vec<Principal>,
    /// Whether it is about taking a token of an identity provider for a role.
    pub(super) is_about_tokens: bool,
    pub(super) conditions: Vec<Condition>,
}

/// Whom a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Principal {
    /// Anybody at all.
    Anybody(Path),
    /// Whoever an identity provider knows.
    Federated(String, Path),
    /// Accounts, users, roles and services, which show no token of a job.
    Other,
    /// All but some.
    AllBut(Path),
}

/// A document's trust policies.
///
/// # Errors
/// Everything that keeps it from being read, with its place.
pub fn read(source: Source) -> Result<(Document, Vec<TrustPolicy>), Diagnostics> {
    // YAML would take more than IAM does: aliases, and keys without quotes.
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(source.text()) {
        let start: usize =
            source.text().split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        let offset = (start + error.column().saturating_sub(1)).min(source.text().len());
        let place = Place { span: Some(offset..offset), ..Place::default() };
        // What serde_json says names no text of the document but a character.
        let finding = Diagnostic::error("trust-policy-shape", place, "this is not JSON")
            .with_help("`aws iam get-role --role-name NAME` prints a role with its trust policy");
        return Err([finding].into_iter().collect());
    }
    let document = Document::parse(source)?;
    let mut reader = Reader::default();
    reader.documents(&document.root, &Path::root());
    let Reader { policies, mut findings } = reader;
    if policies.is_empty() && findings.is_empty() {
        findings.push(
            Diagnostic::error("trust-policy-shape", Path::root(), "there is no trust policy in it")
                .with_help("`aws iam get-role --role-name NAME` prints a role with its trust policy"),
        );
    }
    if findings.is_empty() {
        Ok((document, policies))
    } else {
        document.locate(&mut findings);
        Err(findings)
    }
}

#[derive(Default)]
struct Reader {
    policies: Vec<TrustPolicy>,
    findings: Diagnostics,
}

impl Reader {
    fn wrong(&mut self, path: &Path, message: impl Into<String>) {
        self.findings.push(Diagnostic::error("trust-policy-shape", path.clone(), message));
    }

    /// Whatever `aws iam` prints: the document, a role, or lists of roles.
    fn documents(&mut self, node: &Node, path: &Path) {
        let text = |key: &str| node.get(key).and_then(Node::as_str).map(str::to_owned);
        if node.get("Statement").is_some() {
            self.policy(node, path, None, None);
        } else if let Some(document) = node.get("AssumeRolePolicyDocument") {
            let path = path.key("AssumeRolePolicyDocument");
            self.policy(document, &path, text("RoleName"), text("Arn"));
        } else if let Some(role) = node.get("Role") {
            self.documents(role, &path.key("Role"));
        } else {
            for list in ["Roles", "RoleDetailList"] {
                for (position, role) in node.get(list).map(Node::items).unwrap_or_default().iter().enumerate()
                {
                    self.documents(role, &path.key(list).index(position));
                }
            }
        }
    }

    fn policy(&mut self, node: &Node, path: &Path, name: Option<String>, arn: Option<String>) {
        if node.span.len() > LONGEST {
            return self
                .wrong(path, "IAM takes 4,096 characters of a trust policy at most, and this has far more");
        }
        let Some(statements) = node.get("Statement") else {
            let said = match &node.value {
                Value::String(_) => {
                    "the policy is a text, as IAM's API sends it: the AWS CLI prints it as JSON"
                }
                _ => "the policy has no `Statement`",
            };
            return self.wrong(path, said);
        };
        let path_of = path.key("Statement");
        let statements = match &statements.value {
            Value::Sequence(items) => {
                let all = items.iter().enumerate();
                all.filter_map(|(position, item)| self.statement(item, &path_of.index(position))).collect()
            }
            Value::Mapping(_) => self.statement(statements, &path_of).into_iter().collect(),
            other => {
                return self.wrong(&path_of, format!("statements are a list, and this is {}", other.kind()));
            }
        };
        self.policies.push(TrustPolicy { path: path.clone(), name, arn, statements });
    }

    fn statement(&mut self, node: &Node, path: &Path) -> Option<Statement> {
        let Value::Mapping(entries) = &node.value else {
            self.wrong(path, format!("a statement is an object, and this is {}", node.value.kind()));
            return None;
        };
        for (key, _) in entries {
            let key = key.as_str().unwrap_or_default();
            if !ELEMENTS.contains(&key) {
                let place = Place::key(path.key(key));
                let message = "IAM knows no such element in a trust policy";
                self.findings.push(
                    Diagnostic::error("trust-policy-shape", place, message)
                        .with_help(format!("it knows {}", ELEMENTS.join(", "))),
                );
            }
        }
        let denies = match node.get("Effect").and_then(Node::as_str) {
            Some("Allow") => false,
            Some("Deny") => true,
            _ => {
                self.wrong(&path.key("Effect"), "`Effect` is \"Allow\" or \"Deny\"");
                return None;
            }
        };
        Some(Statement {
            path: path.clone(),
            denies,
            principals: self.principals(node, path),
            is_about_tokens: self.is_about_tokens(node, path),
            conditions: self.conditions(node, path),
        })
    }

    fn principals(&mut self, node: &Node, path: &Path) -> Vec<Principal> {
        if node.get("NotPrincipal").is_some() {
            return vec![Principal::AllBut(path.key("NotPrincipal"))];
        }
        let at = path.key("Principal");
        let Some(principal) = node.get("Principal") else {
            self.wrong(&at, "the statement says nothing of whom it is about: it has no `Principal`");
            return Vec::new();
        };
        if principal.as_str() == Some("*") {
            return vec![Principal::Anybody(at)];
        }
        let Value::Mapping(entries) = &principal.value else {
            self.wrong(&at, "`Principal` is \"*\" or an object");
            return Vec::new();
        };
        let mut principals = Vec::new();
        for (kind, value) in entries {
            let kind = kind.as_str().unwrap_or_default();
            for (text, path) in self.texts(value, &at.key(kind)) {
                principals.push(match kind {
                    "AWS" if text == "*" => Principal::Anybody(path),
                    "Federated" => Principal::Federated(text, path),
                    _ => Principal::Other,
                });
            }
        }
        principals
    }

    fn is_about_tokens(&mut self, node: &Node, path: &Path) -> bool {
        const TAKES: &str = "sts:assumerolewithwebidentity";
        let (key, is_about) =
            if node.get("NotAction").is_some() { ("NotAction", false) } else { ("Action", true) };
        let Some(actions) = node.get(key) else {
            self.wrong(&path.key(key), "the statement has no `Action`");
            return false;
        };
        let named = self.texts(actions, &path.key(key));
        let is_named =
            named.iter().any(|(action, _)| super::condition::is_like(TAKES, &action.to_ascii_lowercase()));
        is_named == is_about
    }

    fn conditions(&mut self, node: &Node, path: &Path) -> Vec<Condition> {
        let at = path.key("Condition");
        let Some(node) = node.get("Condition") else { return Vec::new() };
        let Value::Mapping(operators) = &node.value else {
            self.wrong(&at, format!("conditions are an object, and this is {}", node.value.kind()));
            return Vec::new();
        };
        let mut conditions = Vec::new();
        for (operator, keys) in operators {
            let name = operator.as_str().unwrap_or_default();
            let at = at.key(name);
            let Value::Mapping(entries) = &keys.value else {
                self.wrong(
                    &at,
                    format!("an operator has an object of keys, and this is {}", keys.value.kind()),
                );
                continue;
            };
            for (key, values) in entries {
                let key = key.as_str().unwrap_or_default();
                let at = at.key(key);
                conditions.push(Condition {
                    operator: Operator::of(name),
                    key: key.to_ascii_lowercase(),
                    values: self.texts(values, &at),
                    path: at,
                });
            }
        }
        conditions
    }

    /// A text, or several, each with its place. IAM takes numbers and booleans for their texts.
    fn texts(&mut self, node: &Node, path: &Path) -> Vec<(String, Path)> {
        let text = |node: &Node| match &node.value {
            Value::String(text) => Some(text.to_string()),
            Value::Number(number) => Some(number.text().to_owned()),
            Value::Bool(is_so) => Some(is_so.to_string()),
            Value::Null | Value::Sequence(_) | Value::Mapping(_) => None,
        };
        let nodes: Vec<(&Node, Path)> = match &node.value {
            Value::Sequence(items) => {
                items.iter().enumerate().map(|(position, item)| (item, path.index(position))).collect()
            }
            _ => vec![(node, path.clone())],
        };
        let mut texts = Vec::with_capacity(nodes.len());
        for (node, path) in nodes {
            match text(node) {
                Some(text) => texts.push((text, path)),
                None => self.wrong(
                    &path,
                    format!("this is a text or a list of texts, and not {}", node.value.kind()),
                ),
            }
        }
        texts
    }
}
