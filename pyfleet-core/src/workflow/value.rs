//! The forms in which GitHub lets one meaning be written, brought to one value: a text written as a
//! number, a list of one written as the one, a value that may be an expression.

use std::fmt;
use std::marker::PhantomData;

use indexmap::IndexMap;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

/// A value, or an expression that becomes one when the workflow runs.
///
/// ```
/// use pyfleet_core::workflow::OrExpression;
///
/// assert_eq!(serde_json::from_str::<OrExpression<u64>>("30").unwrap().literal(), Some(&30));
/// assert!(serde_json::from_str::<OrExpression<u64>>("\"soon\"").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrExpression<T> {
    /// Written out.
    Literal(T),
    /// A text with `${{ }}`, as written.
    Expression(String),
}

impl<T> OrExpression<T> {
    /// The value, if it is written out.
    pub const fn literal(&self) -> Option<&T> {
        match self {
            Self::Literal(value) => Some(value),
            Self::Expression(_) => None,
        }
    }
}

impl<T: PartialEq> OrExpression<T> {
    /// Whether this is the given value, written out.
    pub fn is(&self, value: &T) -> bool {
        self.literal() == Some(value)
    }
}

impl<T: Serialize> Serialize for OrExpression<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Literal(value) => value.serialize(serializer),
            Self::Expression(text) => serializer.serialize_str(text),
        }
    }
}

/// What an [`OrExpression`] can hold.
pub trait Scalar: Sized {
    /// What a message calls it.
    const NAME: &'static str;
    /// From a YAML boolean.
    #[must_use]
    fn from_bool(_value: bool) -> Option<Self> {
        None
    }
    /// From a YAML integer.
    #[must_use]
    fn from_u64(_value: u64) -> Option<Self> {
        None
    }
}

impl Scalar for bool {
    const NAME: &'static str = "a boolean";
    fn from_bool(value: bool) -> Option<Self> {
        Some(value)
    }
}

impl Scalar for u64 {
    const NAME: &'static str = "a whole number";
    fn from_u64(value: u64) -> Option<Self> {
        Some(value)
    }
}

impl<'de, T: Scalar> Deserialize<'de> for OrExpression<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form<T>(PhantomData<T>);
        impl<T: Scalar> Form<T> {
            fn or_refuse<E: Error>(
                &self,
                value: Option<T>,
                found: fmt::Arguments<'_>,
            ) -> Result<OrExpression<T>, E> {
                value.map(OrExpression::Literal).ok_or_else(|| {
                    E::custom(format_args!("expected {} or an expression, found {found}", T::NAME))
                })
            }
        }
        impl<T: Scalar> Visitor<'_> for Form<T> {
            type Value = OrExpression<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} or an expression", T::NAME)
            }
            fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
                self.or_refuse(T::from_bool(value), format_args!("`{value}`"))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
                self.or_refuse(T::from_u64(value), format_args!("`{value}`"))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
                let unsigned = u64::try_from(value).ok();
                self.or_refuse(unsigned.and_then(T::from_u64), format_args!("`{value}`"))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                if text.contains("${{") {
                    return Ok(OrExpression::Expression(text.to_owned()));
                }
                self.or_refuse(None, format_args!("the text `{text}`"))
            }
        }
        deserializer.deserialize_any(Form(PhantomData))
    }
}

/// A text that may be written as any scalar, as GitHub converts it: `true`, `8080`, and null as nothing.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl Visitor<'_> for Form {
            type Value = Text;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number or a boolean")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }
            fn visit_bool<E: Error>(self, value: bool) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }
            fn visit_unit<E: Error>(self) -> Result<Text, E> {
                Ok(Text(String::new()))
            }
        }
        deserializer.deserialize_any(Form)
    }
}

/// For a field that is a text in any scalar form.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Text::deserialize(deserializer).map(|text| text.0)
}

/// For an optional field that is a text in any scalar form.
pub(super) fn optional_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::<Text>::deserialize(deserializer).map(|text| text.map(|text| text.0))
}

/// For a field that maps names to texts; null is an empty map.
pub(super) fn texts<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<IndexMap<String, String>, D::Error> {
    let texts = Option::<IndexMap<String, Text>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(texts.into_iter().map(|(name, text)| (name, text.0)).collect())
}

/// The map from names to texts that a visitor met.
pub(super) fn text_map<'de, A: MapAccess<'de>>(map: A) -> Result<IndexMap<String, String>, A::Error> {
    let texts = IndexMap::<String, Text>::deserialize(MapAccessDeserializer::new(map))?;
    Ok(texts.into_iter().map(|(name, text)| (name, text.0)).collect())
}

/// For a field that maps names to things with defaults, each of which may be null; so may the map.
pub(super) fn entries<'de, T, D>(deserializer: D) -> Result<IndexMap<String, T>, D::Error>
where
    T: Deserialize<'de> + Default,
    D: Deserializer<'de>,
{
    let entries = Option::<IndexMap<String, Option<T>>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(entries.into_iter().map(|(name, entry)| (name, entry.unwrap_or_default())).collect())
}

/// For a field that is a list of texts, of which one may stand alone.
pub(super) fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Form;
    impl<'de> Visitor<'de> for Form {
        type Value = Vec<String>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text or a list of texts")
        }
        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(vec![text.to_owned()])
        }
        fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
            Ok(vec![value.to_string()])
        }
        fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
            Ok(vec![value.to_string()])
        }
        fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
            Ok(vec![value.to_string()])
        }
        fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
            Ok(vec![value.to_string()])
        }
        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }
        fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
            let texts = Vec::<Text>::deserialize(SeqAccessDeserializer::new(items))?;
            Ok(texts.into_iter().map(|text| text.0).collect())
        }
    }
    deserializer.deserialize_any(Form)
}

/// For leaving a field out where it says what its absence says.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
