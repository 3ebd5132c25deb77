//! A job that runs once for each combination of values.

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::value::{Forms, OrExpression, inserted, is_default, no_list};
use crate::expression::opens_in;

/// `strategy:` of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strategy {
    /// The expression that computes all of it.
    pub computed: Option<String>,
    /// The combinations.
    pub matrix: Option<Matrix>,
    /// Whether the first failure cancels the others; true unless said otherwise.
    pub fail_fast: OrExpression<bool>,
    /// How many run at once.
    pub max_parallel: Option<OrExpression<u64>>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Written {
    #[serde(default, skip_serializing_if = "is_default")]
    matrix: Option<Matrix>,
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    fail_fast: OrExpression<bool>,
    #[serde(default, skip_serializing_if = "is_default")]
    max_parallel: Option<OrExpression<u64>>,
}

impl Serialize for Strategy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.clone() {
            Self { computed: Some(expression), .. } => serializer.serialize_str(&expression),
            Self { computed: None, matrix, fail_fast, max_parallel } => {
                Written { matrix, fail_fast, max_parallel }.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Strategy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Forms::<Written>::deserialize(deserializer)? {
            Forms::Text(expression) => Ok(Self { computed: Some(expression), ..Self::default() }),
            Forms::List(_) => Err(no_list("a map with a `matrix`")),
            Forms::Map(Written { matrix, fail_fast, max_parallel }) => {
                Ok(Self { computed: None, matrix, fail_fast, max_parallel })
            }
        }
    }
}

const fn yes() -> OrExpression<bool> {
    OrExpression::Literal(true)
}

fn is_yes(value: &OrExpression<bool>) -> bool {
    value.is(&true)
}

impl Default for Strategy {
    fn default() -> Self {
        Self { computed: None, matrix: None, fail_fast: yes(), max_parallel: None }
    }
}

/// The combinations of a matrix (GitHub docs, "Running variations of jobs in a workflow").
///
/// ```
/// use pyfleet_core::workflow::Matrix;
///
/// let matrix: Matrix = serde_json::from_str(r#"{"os": ["a", "b"], "include": [{"os": "c"}]}"#).unwrap();
/// assert_eq!(matrix.texts("os"), Some(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]));
/// assert_eq!(matrix.texts("arch"), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Matrix {
    /// The whole matrix is computed: `${{ fromJSON(…) }}`.
    Expression(String),
    /// Written out.
    Axes(Axes),
}

/// A matrix that is written out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Axes {
    /// The values of each name, or the expression that computes them.
    #[serde(flatten)]
    pub values: IndexMap<String, OrExpression<Vec<Value>>>,
    /// Combinations, or keys of combinations, to add.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include: Option<OrExpression<Vec<IndexMap<String, Value>>>>,
    /// Combinations to leave out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude: Option<OrExpression<Vec<IndexMap<String, Value>>>>,
}

impl Matrix {
    /// Every value that `matrix.<name>` can have, as text; none if any of them is computed, is not a
    /// scalar, or the name is nowhere declared.
    #[must_use]
    pub fn texts(&self, name: &str) -> Option<Vec<String>> {
        let Self::Axes(axes) = self else { return None };
        let mut values = Vec::new();
        if let Some((_, axis)) = axes.values.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)) {
            values.extend(axis.literal()?);
        }
        if let Some(include) = &axes.include {
            for combination in include.literal()? {
                values.extend(
                    combination
                        .iter()
                        .filter(|(own, _)| own.eq_ignore_ascii_case(name))
                        .map(|(_, value)| value),
                );
            }
        }
        let texts: Option<Vec<String>> = values.into_iter().map(scalar_text).collect();
        texts.filter(|texts| !texts.is_empty())
    }
}

fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !opens_in(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

impl<'de> Deserialize<'de> for Matrix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let mut entries = match Value::deserialize(deserializer)? {
            Value::String(text) if opens_in(&text) => return Ok(Self::Expression(text)),
            Value::Object(entries) => entries,
            _ => return Err(D::Error::custom("a matrix is a map of lists, or an expression")),
        };
        let include = entries.remove("include").map(combinations).transpose().map_err(D::Error::custom)?;
        let exclude = entries.remove("exclude").map(combinations).transpose().map_err(D::Error::custom)?;
        let axis = |(name, values)| match values {
            Value::Array(values) => Ok((name, OrExpression::Literal(values))),
            Value::String(text) if opens_in(&text) => Ok((name, OrExpression::Expression(text))),
            _ => {
                Err(D::Error::custom(format_args!("`{name}` of the matrix must be a list or an expression")))
            }
        };
        let values = entries.into_iter().map(axis).collect::<Result<_, _>>()?;
        Ok(Self::Axes(Axes { values, include, exclude }))
    }
}

fn combinations(value: Value) -> Result<OrExpression<Vec<IndexMap<String, Value>>>, &'static str> {
    const EXPECTED: &str = "`include` and `exclude` are lists of maps, or expressions";
    match value {
        Value::String(text) if opens_in(&text) => Ok(OrExpression::Expression(text)),
        Value::Array(items) => items
            .into_iter()
            .map(|item| match item {
                Value::Object(entries) => Ok(entries.into_iter().collect()),
                Value::String(text) if opens_in(&text) => Ok(inserted(Value::String(text))),
                _ => Err(EXPECTED),
            })
            .collect::<Result<_, _>>()
            .map(OrExpression::Literal),
        _ => Err(EXPECTED),
    }
}
