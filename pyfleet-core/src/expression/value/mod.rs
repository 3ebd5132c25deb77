//! What an expression evaluates to, and how GitHub converts one kind of value into another.
//!
//! The specification is `actions/runner`, `src/Sdk/Expressions/EvaluationResult.cs`, with the published vectors of
//! GitHub's language services; where the two print a number differently, the vectors are followed.

mod json;
mod number;

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

pub use number::{number_of, text_of};

/// A value of GitHub's language, or one that is not known before the workflow runs.
///
/// ```
/// use pyfleet_core::expression::value::Value;
///
/// let value = Value::from_json(r#"{"a": [1, true, null], "b": "x"}"#).unwrap();
/// assert_eq!(value.get("A").unwrap().to_json(), Some("[\n  1,\n  true,\n  null\n]".to_owned()));
/// assert_eq!(value.get("b").unwrap().text().as_deref(), Some("x"));
/// ```
#[derive(Debug, Clone)]
pub enum Value {
    /// Nothing: also what does not exist.
    Null,
    /// True or false.
    Boolean(bool),
    /// A number; every one is a double.
    Number(f64),
    /// A text.
    String(Arc<str>),
    /// A list.
    Array(Arc<Array>),
    /// Names and values.
    Object(Arc<Object>),
    /// One of the above, and which one is not known.
    Unknown,
}

/// A list of values.
#[derive(Debug, Clone, Default)]
pub struct Array {
    /// The values in order.
    pub items: Vec<Value>,
    /// Whether `.*` made it: then `.name` selects in every item.
    pub(super) is_filtered: bool,
}

/// Names and values; GitHub finds a name in any case.
#[derive(Debug, Clone, Default)]
pub struct Object {
    members: indexmap::IndexMap<String, (String, Value)>,
    /// Whether it may have members that are not known: then a name that is not listed is unknown, not null.
    pub is_open: bool,
}

impl Object {
    /// An object of which every member is known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An object that may have other members than the listed ones.
    #[must_use]
    pub fn open() -> Self {
        Self { is_open: true, ..Self::default() }
    }

    /// Adds a member, unless there is one of that name in any case.
    pub fn insert(&mut self, name: impl Into<String>, value: Value) {
        let name = name.into();
        self.members.entry(folded(&name)).or_insert((name, value));
    }

    /// This with a further member.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.insert(name, value.into());
        self
    }

    /// The member of a name, in any case: null where there is none, and unknown where there may be.
    #[must_use]
    pub fn get(&self, name: &str) -> Value {
        self.find(name).cloned().unwrap_or(if self.is_open { Value::Unknown } else { Value::Null })
    }

    pub(super) fn find(&self, name: &str) -> Option<&Value> {
        self.members.get(&folded(name)).map(|(_, value)| value)
    }

    /// The members in order.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.members.values().map(|(name, value)| (name.as_str(), value))
    }
}

/// A name as names are compared.
fn folded(name: &str) -> String {
    name.chars().map(upper).collect()
}

/// .NET's `OrdinalIgnoreCase`: character by character, in upper case, and the dotless i stays.
pub(super) fn upper(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_uppercase();
    }
    let mut upper = character.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(single), None) if character != 'ı' => single,
        _ => character,
    }
}

/// How two texts compare: without regard to case, by UTF-16 units.
#[must_use]
pub fn compare_texts(left: &str, right: &str) -> Ordering {
    fn units(text: &str) -> impl Iterator<Item = u16> {
        text.chars().map(upper).flat_map(|character| {
            let mut units = [0; 2];
            let count = character.encode_utf16(&mut units).len();
            units.into_iter().take(count)
        })
    }
    units(left).cmp(units(right))
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(Arc::new(object))
    }
}

impl From<Vec<Self>> for Value {
    fn from(items: Vec<Self>) -> Self {
        Self::Array(Arc::new(Array { items, is_filtered: false }))
    }
}

impl Value {
    /// The member of an object; none of anything else.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Self> {
        match self {
            Self::Object(object) => Some(object.get(name)),
            _ => None,
        }
    }

    /// Whether a condition with this value holds; none where that is not known.
    #[must_use]
    pub fn truth(&self) -> Option<bool> {
        match self {
            Self::Null => Some(false),
            Self::Boolean(value) => Some(*value),
            Self::Number(number) => Some(*number != 0.0 && !number.is_nan()),
            Self::String(text) => Some(!text.is_empty()),
            Self::Array(_) | Self::Object(_) => Some(true),
            Self::Unknown => None,
        }
    }

    /// What stands in the place of an expression with this value in a text; none where that is not known.
    #[must_use]
    pub fn text(&self) -> Option<Arc<str>> {
        match self {
            Self::Null => Some("".into()),
            Self::Boolean(value) => Some(if *value { "true" } else { "false" }.into()),
            Self::Number(number) => Some(text_of(*number).into()),
            Self::String(text) => Some(Arc::clone(text)),
            Self::Array(_) => Some("Array".into()),
            Self::Object(_) => Some("Object".into()),
            Self::Unknown => None,
        }
    }

    /// The number that this is compared as with a value of another kind; none where that is not known.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Null => Some(0.0),
            Self::Boolean(value) => Some(if *value { 1.0 } else { 0.0 }),
            Self::Number(number) => Some(*number),
            Self::String(text) => Some(number_of(text)),
            Self::Array(_) | Self::Object(_) => Some(f64::NAN),
            Self::Unknown => None,
        }
    }

    /// Whether this is neither a list nor an object.
    #[must_use]
    pub const fn is_primitive(&self) -> bool {
        matches!(self, Self::Null | Self::Boolean(_) | Self::Number(_) | Self::String(_))
    }

    /// Whether nothing in this is unknown.
    #[must_use]
    pub fn is_known(&self) -> bool {
        match self {
            Self::Unknown => false,
            Self::Array(array) => array.items.iter().all(Self::is_known),
            Self::Object(object) => !object.is_open && object.members().all(|(_, value)| value.is_known()),
            Self::Null | Self::Boolean(_) | Self::Number(_) | Self::String(_) => true,
        }
    }

    /// `left == right` as GitHub compares: texts without regard to case, lists and objects by identity, and values of
    /// different kinds as numbers. None where that is not known.
    #[must_use]
    pub fn equals(&self, other: &Self) -> Option<bool> {
        Some(match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => return None,
            (Self::Null, Self::Null) => true,
            (Self::Boolean(left), Self::Boolean(right)) => left == right,
            (Self::String(left), Self::String(right)) => compare_texts(left, right).is_eq(),
            (Self::Array(left), Self::Array(right)) => Arc::ptr_eq(left, right),
            (Self::Object(left), Self::Object(right)) => Arc::ptr_eq(left, right),
            #[expect(clippy::float_cmp, reason = "GitHub compares exactly")]
            _ => self.number()? == other.number()?,
        })
    }

    /// How two values of GitHub's language compare: none where one of them is not known, `Some(None)` where they
    /// cannot be ordered, so that every comparison is false.
    #[must_use]
    pub fn order(&self, other: &Self) -> Option<Option<Ordering>> {
        Some(match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => return None,
            (Self::Boolean(left), Self::Boolean(right)) => Some(left.cmp(right)),
            (Self::String(left), Self::String(right)) => Some(compare_texts(left, right)),
            (Self::Null, Self::Null)
            | (Self::Array(_) | Self::Object(_), _)
            | (_, Self::Array(_) | Self::Object(_)) => None,
            _ => self.number()?.partial_cmp(&other.number()?),
        })
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text().unwrap_or_else(|| "(unknown)".into()))
    }
}
