//! The forms in which GitHub lets one meaning be written, brought to one value: a text written as a
//! number, a list of one written as the one, a value that may be an expression.

use std::fmt;
use std::marker::PhantomData;

use crate::expression::opens_in;
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
    /// From a YAML number; GitHub cuts fractions off, and so does this what is below zero.
    #[must_use]
    fn from_f64(_value: f64) -> Option<Self> {
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
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
    fn from_f64(value: f64) -> Option<Self> {
        Some(value as Self)
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
            #[expect(clippy::cast_precision_loss, reason = "GitHub's numbers are doubles")]
            fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
                self.visit_f64(value as f64)
            }
            #[expect(clippy::cast_precision_loss, reason = "GitHub's numbers are doubles")]
            fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
                self.visit_f64(value as f64)
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
                self.or_refuse(T::from_f64(value), format_args!("`{value}`"))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                if opens_in(text) {
                    return Ok(OrExpression::Expression(text.to_owned()));
                }
                self.or_refuse(None, format_args!("the text `{text}`"))
            }
        }
        deserializer.deserialize_any(Form(PhantomData))
    }
}

/// A text that may be written as any scalar, as GitHub converts it: `true`, `8080`, and null as nothing.
pub(super) struct Text(pub(super) String);

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

/// The forms of a value that a text, a list of texts or a map can say.
pub(super) enum Forms<M> {
    Text(String),
    List(Vec<String>),
    Map(M),
}

impl<'de, M: Deserialize<'de>> Deserialize<'de> for Forms<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form<M>(PhantomData<M>);
        impl<'de, M: Deserialize<'de>> Visitor<'de> for Form<M> {
            type Value = Forms<M>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a list or a mapping")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Forms::Text(text.to_owned()))
            }
            fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
                Ok(Forms::Text(value.to_string()))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
                Ok(Forms::Text(value.to_string()))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
                Ok(Forms::Text(value.to_string()))
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
                Ok(Forms::Text(value.to_string()))
            }
            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Forms::Text(String::new()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
                let texts = Vec::<Text>::deserialize(SeqAccessDeserializer::new(items))?;
                Ok(Forms::List(texts.into_iter().map(|text| text.0).collect()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                M::deserialize(MapAccessDeserializer::new(map)).map(Forms::Map)
            }
        }
        deserializer.deserialize_any(Form(PhantomData))
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

/// The key under which GitHub's templates put the entries that an expression computes: `env: ${{ x }}` says what
/// `env: { "${{ insert }}": "${{ x }}" }` says.
pub const INSERT: &str = "${{ insert }}";

/// A map whose entries an expression computes.
pub(super) fn inserted<T>(value: T) -> IndexMap<String, T> {
    IndexMap::from([(INSERT.to_owned(), value)])
}

/// For a field that maps names to texts; null is an empty map, and an expression for the whole map is [`INSERT`]ed.
pub(super) fn texts<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<IndexMap<String, String>, D::Error> {
    struct Form;
    impl<'de> Visitor<'de> for Form {
        type Value = IndexMap<String, String>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a mapping or an expression")
        }
        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(IndexMap::new())
        }
        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(inserted(text.to_owned()))
        }
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            text_map(map)
        }
    }
    deserializer.deserialize_any(Form)
}

/// The other way round.
pub(super) fn write_texts<S: Serializer>(
    texts: &IndexMap<String, String>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match texts.get(INSERT) {
        Some(expression) if texts.len() == 1 => serializer.serialize_str(expression),
        _ => texts.serialize(serializer),
    }
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

/// For a field that is a list of texts, of which one may stand alone; null is none.
pub(super) fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    match Option::<Forms<Nothing>>::deserialize(deserializer)? {
        None => Ok(Vec::new()),
        Some(Forms::Text(text)) => Ok(vec![text]),
        Some(Forms::List(texts)) => Ok(texts),
        Some(Forms::Map(nothing)) => match nothing {},
    }
}

/// A map that may not stand where a text or a list may.
pub(super) enum Nothing {}

impl<'de> Deserialize<'de> for Nothing {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("expected a text or a list of texts"))
    }
}

/// What a form that may not stand somewhere is refused with.
pub(super) fn no_list<E: Error>(expected: &str) -> E {
    E::custom(format_args!("expected {expected}, found a list"))
}

/// For leaving a field out where it says what its absence says.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
