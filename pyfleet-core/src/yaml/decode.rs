//! Nodes → any serde type, with every structural mistake named by its path.
//!
//! serde stops at the first mistake. [`decode`] notes it, takes the offending entry out of the reader's
//! sight, and decodes again: repair and retry, only after something is wrong. What follows from an entry
//! that was taken out (a field that is missing because of it, a check on the whole that now fails) is
//! not reported.
//!
//! Messages name keys and kinds, never the value of a scalar: it could be a secret.
//!
//! Errors inside `untagged`, `flatten` and internally tagged types are reported at the whole value, since
//! serde reads those twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::iter::empty;

use serde::de::value::{BorrowedStrDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeOwned, DeserializeSeed, Expected, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use super::tree::{Node, Value};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place, Segment};
use crate::spelling::closest;

/// The most findings of one decode.
pub const MAX_FINDINGS: usize = 100;

/// Decodes a node. Strings come from strings only (`1.10` is a number), whole numbers decode as integers,
/// and nothing but `null` or an empty value is `None`.
///
/// # Errors
///
/// Every structural mistake, at most [`MAX_FINDINGS`], by its path from `node`:
/// `unknown-key`, `missing-key`, `wrong-type`, and `invalid-value` for what a type's own check refuses.
///
/// ```
/// use pyfleet_core::source::Source;
/// use pyfleet_core::yaml::{decode::decode, tree::Document};
///
/// #[derive(Debug, serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Job {
///     name: String,
///     timeout: u16,
/// }
///
/// let document = Document::parse(Source::new("job.yml", "name: 1.10\ntimeuot: 5\n")).unwrap();
/// let findings = decode::<Job>(&document.root).unwrap_err();
/// let messages: Vec<_> = findings.iter().map(|finding| finding.message.as_str()).collect();
/// assert_eq!(
///     messages,
///     ["expected a string, found a number", "unknown key `timeuot`", "the key `timeout` is missing"]
/// );
/// ```
pub fn decode<T: DeserializeOwned>(node: &Node) -> Result<T, Diagnostics> {
    match decode_partly(node) {
        (Some(value), findings) if findings.is_empty() => Ok(value),
        (_, findings) => Err(findings),
    }
}

/// Decodes a node as far as it can be understood: what is wrong is left out, and what is missing is made up,
/// so that the value serves only to look for further mistakes. Nothing comes back where too much is wrong.
pub fn decode_partly<T: DeserializeOwned>(node: &Node) -> (Option<T>, Diagnostics) {
    let mut repair = Repair::default();
    let mut findings = Diagnostics::new();
    loop {
        let error = match T::deserialize(Decoder { node, repair: &repair }) {
            Ok(value) => return (Some(value), findings),
            Err(error) => error,
        };
        let path = Path::of(error.steps.into_iter().rev());
        let found = node.find(&path);
        let reported = match &error.problem {
            _ if error.on_key => !repair.renames(found.node),
            Problem::Missing(name) => !found.node.get(name).is_some_and(|child| repair.hides(child)),
            Problem::Unknown { .. } | Problem::Type { .. } => true,
            Problem::Value(_) => !findings.iter().any(|finding| path.contains(&finding.place.path)),
            Problem::Invented(_) => false,
        };
        let is_repaired = match error.problem {
            Problem::Missing(name) => repair.invent(found.node, name) || repair.hide(found.node),
            Problem::Invented(name) => repair.reinvent(found.node, name) || repair.hide(found.node),
            Problem::Value(_) if error.on_key && reported => repair.rename(found.node),
            _ => repair.hide(found.node),
        };
        if reported {
            findings.push(error.problem.describe(&path, error.on_key));
        }
        if !is_repaired || repair.hides(node) || findings.len() >= MAX_FINDINGS {
            return (None, findings);
        }
    }
}

/// What the decoder does differently after mistakes. Nodes are known by their address: the tree does not
/// move while it is decoded.
#[derive(Default)]
struct Repair {
    hidden: BTreeSet<usize>,
    renamed: BTreeSet<usize>,
    /// Fields that were made up, each with how many inventions did not do.
    invented: BTreeMap<usize, Vec<(&'static str, usize)>>,
}

impl Repair {
    fn id(node: &Node) -> usize {
        std::ptr::from_ref(node).addr()
    }

    fn hides(&self, node: &Node) -> bool {
        !self.hidden.is_empty() && self.hidden.contains(&Self::id(node))
    }

    /// Leaves a node out; false if it is already.
    fn hide(&mut self, node: &Node) -> bool {
        self.hidden.insert(Self::id(node))
    }

    fn renames(&self, node: &Node) -> bool {
        !self.renamed.is_empty() && self.renamed.contains(&Self::id(node))
    }

    /// Shows another key for this value, so that mistakes below a bad key are found; false if it does.
    fn rename(&mut self, node: &Node) -> bool {
        self.renamed.insert(Self::id(node))
    }

    /// Makes a missing field up, so that further ones are found; false if that has been tried.
    fn invent(&mut self, node: &Node, name: &'static str) -> bool {
        let names = self.invented.entry(Self::id(node)).or_default();
        let is_new = !names.iter().any(|(known, _)| *known == name);
        if is_new {
            names.push((name, 0));
        }
        is_new
    }

    /// Makes the next thing up for a field; false if nothing is left.
    fn reinvent(&mut self, node: &Node, name: &'static str) -> bool {
        let invented = self.invented.get_mut(&Self::id(node));
        let tried = invented.and_then(|names| names.iter_mut().find(|(known, _)| *known == name));
        tried.is_some_and(|(_, tried)| {
            *tried += 1;
            *tried < INVENTED.len()
        })
    }

    fn invented(&self, node: &Node) -> &[(&'static str, usize)] {
        self.invented.get(&Self::id(node)).map_or(&[], Vec::as_slice)
    }
}

#[derive(Debug)]
struct Error {
    problem: Problem,
    /// The way to the entry, innermost step first.
    steps: Vec<Segment>,
    /// Whether the key of the entry is to blame, not its value.
    on_key: bool,
}

#[derive(Debug)]
enum Problem {
    Unknown {
        name: String,
        known: &'static [&'static str],
    },
    Missing(&'static str),
    Type {
        expected: String,
        found: &'static str,
    },
    /// A value of the right type that something refused; maybe only because of an earlier mistake.
    Value(String),
    /// A made-up value of this field did not do.
    Invented(&'static str),
}

impl Problem {
    fn describe(self, path: &Path, on_key: bool) -> Diagnostic {
        let place = if on_key { Place::key(path.clone()) } else { Place::value(path.clone()) };
        match self {
            Self::Unknown { name, known } => {
                let list = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                let (finding, kind) = if on_key {
                    (Diagnostic::error("unknown-key", place, format!("unknown key `{name}`")), "known keys")
                } else {
                    (Diagnostic::error("invalid-value", place, "unknown value"), "known values")
                };
                let finding = match closest(&name, known.iter().copied()) {
                    Some(close) => finding.with_help(format!("did you mean `{close}`?")),
                    None => finding,
                };
                finding.with_help(if known.is_empty() {
                    "no keys are known here".to_owned()
                } else {
                    format!("{kind}: {list}")
                })
            }
            Self::Missing(name) => Diagnostic::error(
                "missing-key",
                Place::key(path.clone()),
                format!("the key `{name}` is missing"),
            ),
            Self::Type { expected, found } => {
                let finding =
                    Diagnostic::error("wrong-type", place, format!("expected {expected}, found {found}"));
                match found {
                    NUMBER if expected.contains("string") => {
                        finding.with_help("put it in quotes; without them `1.10` is read as the number 1.1")
                    }
                    BOOLEAN if expected.contains("string") => finding
                        .with_help("put it in quotes; without them `true` is read as a boolean, not as text"),
                    _ => finding,
                }
            }
            Self::Value(message) => Diagnostic::error("invalid-value", place, message),
            Self::Invented(_) => Diagnostic::error("invalid-value", place, "the value is invalid"),
        }
    }
}

const BOOLEAN: &str = "a boolean";
const NUMBER: &str = "a number";
const FRACTION: &str = "a number with a fraction";

const fn kind(found: &Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => BOOLEAN,
        Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => NUMBER,
        Unexpected::Char(_) | Unexpected::Str(_) | Unexpected::Bytes(_) => "a string",
        Unexpected::Unit | Unexpected::Option => "nothing",
        Unexpected::Seq => "a list",
        Unexpected::Map => "a mapping",
        Unexpected::UnitVariant => "only its name",
        _ => "something else",
    }
}

/// serde's and Rust's words in YAML's.
fn expectation(expected: &dyn Expected) -> String {
    let text = expected.to_string();
    let whole =
        |from: &dyn fmt::Display, to: &dyn fmt::Display| format!("a whole number from {from} to {to}");
    match text.as_str() {
        "a map" => "a mapping".to_owned(),
        "a sequence" => "a list".to_owned(),
        "unit" => "nothing".to_owned(),
        "f32" | "f64" => NUMBER.to_owned(),
        "u8" => whole(&u8::MIN, &u8::MAX),
        "u16" => whole(&u16::MIN, &u16::MAX),
        "u32" => whole(&u32::MIN, &u32::MAX),
        "i8" => whole(&i8::MIN, &i8::MAX),
        "i16" => whole(&i16::MIN, &i16::MAX),
        "i32" => whole(&i32::MIN, &i32::MAX),
        "u64" | "u128" | "usize" => "a whole number, not negative".to_owned(),
        "i64" | "i128" | "isize" => "a whole number".to_owned(),
        "newtype variant" | "tuple variant" | "struct variant" => "a mapping with its settings".to_owned(),
        _ if text.starts_with("struct ") => "a mapping".to_owned(),
        _ => text,
    }
}

impl Error {
    fn new(problem: Problem) -> Self {
        Self { problem, steps: Vec::new(), on_key: false }
    }

    fn wrong_type(expected: &str, found: &Node) -> Self {
        Self::new(Problem::Type { expected: expected.to_owned(), found: found.value.kind() })
    }

    fn below(mut self, step: impl Into<Segment>) -> Self {
        self.steps.push(step.into());
        self
    }

    fn on_key(self, key: &str) -> Self {
        Self { on_key: true, ..self }.below(key)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the document does not have the expected structure")
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Problem::Value(message.to_string()))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = expectation(expected);
        let found = match found {
            Unexpected::Float(_) if expected.starts_with("a whole number") => FRACTION,
            found => kind(&found),
        };
        Self::new(Problem::Type { expected, found })
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Problem::Value(format!("expected {}", expectation(expected))))
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::new(Problem::Value(format!("expected {}, found {length} items", expectation(expected))))
    }

    fn unknown_variant(name: &str, known: &'static [&'static str]) -> Self {
        Self::new(Problem::Unknown { name: name.to_owned(), known })
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        Self::new(Problem::Unknown { name: name.to_owned(), known })
    }

    fn missing_field(name: &'static str) -> Self {
        Self::new(Problem::Missing(name))
    }
}

/// One node in serde's eyes.
#[derive(Clone, Copy)]
struct Decoder<'a> {
    node: &'a Node,
    repair: &'a Repair,
}

impl<'a> Decoder<'a> {
    fn at(self, node: &'a Node) -> Self {
        Self { node, ..self }
    }

    fn map<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(Entries {
            decoder: self,
            entries: self.node.entries().iter(),
            value: None,
            invented: self.repair.invented(self.node).iter(),
            invention: ("", 0),
        })
    }

    fn seq<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut items = Items { decoder: self, items: self.node.items().iter().enumerate() };
        let value = visitor.visit_seq(&mut items)?;
        match items.items.find(|(_, item)| !self.repair.hides(item)) {
            None => Ok(value),
            Some(_) => Err(de::Error::custom("the list has too many items")),
        }
    }
}

impl<'de> de::Deserializer<'de> for Decoder<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match number.as_integer() {
                Some(value) => match u64::try_from(value) {
                    Ok(value) => visitor.visit_u64(value),
                    Err(_) => visitor.visit_i64(value),
                },
                None => visitor.visit_f64(number.value()),
            },
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Sequence(_) => self.seq(visitor),
            Value::Mapping(_) => self.map(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    /// Derived structs would take a list as their fields in order.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.node.value {
            Value::Mapping(_) => self.map(visitor),
            _ => Err(Error::wrong_type("a mapping", self.node)),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::String(text) => visitor.visit_enum(BorrowedStrDeserializer::new(text)),
            Value::Mapping(entries) => {
                let mut entries = entries.iter().filter(|(_, value)| !self.repair.hides(value));
                match (entries.next(), entries.next()) {
                    (Some((key, value)), None) => visitor
                        .visit_enum(Variant { key: key.as_str().unwrap_or_default(), value: self.at(value) }),
                    _ => Err(de::Error::custom("expected a mapping with exactly one key")),
                }
            }
            _ => Err(Error::wrong_type("a string or a mapping with one key", self.node)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map identifier
    }
}

struct Items<'a, I> {
    decoder: Decoder<'a>,
    items: I,
}

impl<'de, I: Iterator<Item = (usize, &'de Node)>> de::SeqAccess<'de> for &mut Items<'de, I> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let decoder = self.decoder;
        match self.items.find(|(_, item)| !decoder.repair.hides(item)) {
            Some((index, item)) => {
                seed.deserialize(decoder.at(item)).map(Some).map_err(|error| error.below(index))
            }
            None => Ok(None),
        }
    }
}

struct Entries<'a> {
    decoder: Decoder<'a>,
    entries: std::slice::Iter<'a, (Node, Node)>,
    /// The key and value that come next; an invented field has no value.
    value: Option<(&'a str, &'a Node)>,
    invented: std::slice::Iter<'a, (&'static str, usize)>,
    /// The invented field whose value comes next.
    invention: (&'static str, usize),
}

impl<'de> de::MapAccess<'de> for Entries<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let repair = self.decoder.repair;
        self.value = None;
        if let Some((key, value)) = self.entries.find(|(_, value)| !repair.hides(value)) {
            let key = key.as_str().unwrap_or_default();
            self.value = Some((key, value));
            let shown = if repair.renames(value) { INVENTED[0] } else { key };
            return seed.deserialize(Key(shown)).map(Some).map_err(|error| error.on_key(key));
        }
        let Some(invention) = self.invented.next() else { return Ok(None) };
        self.invention = *invention;
        seed.deserialize(Key(invention.0)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        match self.value.take() {
            Some((key, value)) => seed.deserialize(self.decoder.at(value)).map_err(|error| error.below(key)),
            None => {
                let (name, tried) = self.invention;
                let invention = Invention(INVENTED.get(tried).copied().unwrap_or_default());
                seed.deserialize(invention).map_err(|_| Error::new(Problem::Invented(name)))
            }
        }
    }
}

/// A key of a mapping.
struct Key<'a>(&'a str);

impl<'de> de::Deserializer<'de> for Key<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(BorrowedStrDeserializer::new(self.0))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// A variant with content: `{access-keys: {…}}`.
struct Variant<'a> {
    key: &'a str,
    value: Decoder<'a>,
}

impl<'de> de::EnumAccess<'de> for Variant<'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let variant = seed.deserialize(Key(self.key)).map_err(|error| error.on_key(self.key))?;
        Ok((variant, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.value.node.value {
            Value::Null => Ok(()),
            _ => Err(Error::wrong_type("nothing", self.value.node).below(self.key)),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.value).map_err(|error| error.below(self.key))
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        de::Deserializer::deserialize_tuple(self.value, length, visitor)
            .map_err(|error| error.below(self.key))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        de::Deserializer::deserialize_struct(self.value, "", fields, visitor)
            .map_err(|error| error.below(self.key))
    }
}

/// Strings of which most checks accept one: a name, a path with an owner, a version.
const INVENTED: [&str; 3] = ["a", "a/a", "1.0.0"];

/// Stands in for a missing field while further mistakes are looked for; what it becomes is thrown away.
struct Invention(&'static str);

macro_rules! invent {
    ($($method:ident => $visit:ident($($value:expr)?);)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit($($value)?)
        })*
    };
}

impl<'de> de::Deserializer<'de> for Invention {
    type Error = Error;

    invent! {
        deserialize_bool => visit_bool(false);
        deserialize_i8 => visit_u64(1); deserialize_i16 => visit_u64(1); deserialize_i32 => visit_u64(1);
        deserialize_i64 => visit_u64(1); deserialize_i128 => visit_u64(1);
        deserialize_u8 => visit_u64(1); deserialize_u16 => visit_u64(1); deserialize_u32 => visit_u64(1);
        deserialize_u64 => visit_u64(1); deserialize_u128 => visit_u64(1);
        deserialize_f32 => visit_f64(1.0); deserialize_f64 => visit_f64(1.0);
        deserialize_option => visit_none();
        deserialize_unit => visit_unit();
        deserialize_seq => visit_seq(SeqDeserializer::new(empty::<()>()));
        deserialize_map => visit_map(MapDeserializer::new(empty::<((), ())>()));
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_map(MapDeserializer::new(empty::<((), ())>()))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(variants.first().copied().unwrap_or_default().into_deserializer())
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit_struct tuple tuple_struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use indexmap::IndexMap;
    use serde::Deserialize;

    use super::*;
    use crate::source::Source;
    use crate::yaml::tree::Document;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    #[expect(dead_code, reason = "only decoded")]
    struct Manifest {
        version: u8,
        project: Name,
        #[serde(default)]
        description: Option<String>,
        #[serde(default)]
        targets: IndexMap<Name, Target>,
        #[serde(default)]
        python: Vec<String>,
        #[serde(default)]
        retries: i64,
        #[serde(default)]
        enabled: bool,
        #[serde(default)]
        share: f64,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    #[expect(dead_code, reason = "only decoded")]
    struct Target {
        region: String,
        identity: Identity,
        timeout: u16,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Identity {
        Oidc,
        AccessKeys(Keys),
        Role { name: String },
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Keys {
        secret: String,
    }

    #[derive(Debug, PartialEq, Eq, Hash, Deserialize)]
    #[serde(try_from = "String")]
    struct Name(String);

    impl TryFrom<String> for Name {
        type Error = &'static str;

        fn try_from(name: String) -> Result<Self, Self::Error> {
            if name.contains(' ') { Err("a name has no spaces") } else { Ok(Self(name)) }
        }
    }

    /// Findings as `code: message @ underlined text`, one a line.
    fn mistakes(text: &str) -> String {
        let document = Document::parse(Source::new("pyfleet.yml", text)).unwrap();
        let mut findings =
            decode::<Manifest>(&document.root).map(|_| Diagnostics::new()).unwrap_or_else(|e| e);
        document.locate(&mut findings);
        let mut out = String::new();
        for finding in &findings {
            let span = finding.place.span.clone().unwrap();
            writeln!(out, "{}: {} @ {}", finding.code, finding.message, &text[span]).unwrap();
        }
        out
    }

    #[test]
    fn decodes_what_is_right() {
        let text = "version: 1\nproject: p\ndescription:\nretries: -3\nenabled: true\nshare: 1\npython: ['3.10']\ntargets:\n  a: {region: r, identity: oidc, timeout: 0x10}\n  b: {region: r, identity: {access-keys: {secret: s}}, timeout: 1e1}\n  c: {region: r, identity: {role: {name: n}}, timeout: 010}\n";
        let document = Document::parse(Source::new("", text)).unwrap();
        let manifest: Manifest = decode(&document.root).unwrap();
        let targets: Vec<_> = manifest
            .targets
            .into_iter()
            .map(|(name, target)| (name.0, target.identity, target.timeout))
            .collect();
        assert_eq!(
            targets,
            [
                ("a".to_owned(), Identity::Oidc, 16),
                ("b".to_owned(), Identity::AccessKeys(Keys { secret: "s".to_owned() }), 10),
                ("c".to_owned(), Identity::Role { name: "n".to_owned() }, 10),
            ]
        );
        assert_eq!((manifest.retries, manifest.enabled, manifest.share), (-3, true, 1.0));
        assert_eq!(manifest.description, None);
    }

    #[test]
    fn each_mistake_is_named_where_it_is() {
        let target = |identity: &str| {
            format!(
                "version: 1\nproject: p\ntargets:\n  t: {{region: r, timeout: 1, identity: {identity}}}\n"
            )
        };
        for (text, expected) in [
            (
                "version: 1\nproject: 1.10\n".to_owned(),
                "wrong-type: expected a string, found a number @ 1.10",
            ),
            (
                "version: 1\nproject: true\n".to_owned(),
                "wrong-type: expected a string, found a boolean @ true",
            ),
            ("version: 1\nproject: a b\n".to_owned(), "invalid-value: a name has no spaces @ a b"),
            (
                "version: 300\nproject: p\n".to_owned(),
                "invalid-value: expected a whole number from 0 to 255 @ 300",
            ),
            (
                "version: -1\nproject: p\n".to_owned(),
                "invalid-value: expected a whole number from 0 to 255 @ -1",
            ),
            (
                "version: 1.5\nproject: p\n".to_owned(),
                "wrong-type: expected a whole number from 0 to 255, found a number with a fraction @ 1.5",
            ),
            (
                "version: '1'\nproject: p\n".to_owned(),
                "wrong-type: expected a whole number from 0 to 255, found a string @ '1'",
            ),
            (
                "version: 1\nproject: p\nenabled: yes\n".to_owned(),
                "wrong-type: expected a boolean, found a string @ yes",
            ),
            (
                "version: 1\nproject: p\npython: a\n".to_owned(),
                "wrong-type: expected a list, found a string @ a",
            ),
            ("version: 1\nproject: p\npython:\n".to_owned(), "wrong-type: expected a list, found nothing @ "),
            (
                "version: 1\nproject: p\ntargets: []\n".to_owned(),
                "wrong-type: expected a mapping, found a list @ []",
            ),
            (
                "version: 1\nproject: p\ntargets: {t: [a]}\n".to_owned(),
                "wrong-type: expected a mapping, found a list @ [a]",
            ),
            (
                "version: 1\nprojet: p\n".to_owned(),
                "unknown-key: unknown key `projet` @ projet\nmissing-key: the key `project` is missing @ version",
            ),
            (
                "version: 1\nproject: p\ntargets: {a b: {region: r, timeout: 1, identity: oidc}}\n"
                    .to_owned(),
                "invalid-value: a name has no spaces @ a b",
            ),
            (target("odic"), "invalid-value: unknown value @ odic"),
            (target("{odic: 1}"), "unknown-key: unknown key `odic` @ odic"),
            (target("{access-keys: {secret: 1}}"), "wrong-type: expected a string, found a number @ 1"),
            (
                target("access-keys"),
                "wrong-type: expected a mapping with its settings, found only its name @ access-keys",
            ),
            (target("{role: {}}"), "missing-key: the key `name` is missing @ role"),
            (
                target("{role: {name: a}, oidc: }"),
                "invalid-value: expected a mapping with exactly one key @ {role: {name: a}, oidc: }",
            ),
            (target("{oidc: 1}"), "wrong-type: expected nothing, found a number @ 1"),
            (
                target("[oidc]"),
                "wrong-type: expected a string or a mapping with one key, found a list @ [oidc]",
            ),
            ("[]".to_owned(), "wrong-type: expected a mapping, found a list @ []"),
            (String::new(), "wrong-type: expected a mapping, found nothing @ "),
            (
                "{}".to_owned(),
                "missing-key: the key `version` is missing @ {}\nmissing-key: the key `project` is missing @ {}",
            ),
        ] {
            assert_eq!(mistakes(&text).trim_end_matches('\n'), expected, "{text}");
        }
    }

    #[test]
    fn one_run_lists_every_mistake_and_no_consequences() {
        let text = "version: one\nproject: a b\nnmae: x\npython: ['3.10', 3.11, {}, 3.12]\ntargets:\n  dev:\n    region: [x]\n    identity: {access-keys: {secret: 5}}\n  prod stage:\n    timeout: 99999\n  qa: {identity: {role: {}}, tmeout: 5}\n";
        assert_eq!(
            mistakes(text),
            "wrong-type: expected a whole number from 0 to 255, found a string @ one\n\
             invalid-value: a name has no spaces @ a b\n\
             unknown-key: unknown key `nmae` @ nmae\n\
             wrong-type: expected a string, found a number @ 3.11\n\
             wrong-type: expected a string, found a mapping @ {}\n\
             wrong-type: expected a string, found a number @ 3.12\n\
             wrong-type: expected a string, found a list @ [x]\n\
             wrong-type: expected a string, found a number @ 5\n\
             missing-key: the key `timeout` is missing @ dev\n\
             invalid-value: a name has no spaces @ prod stage\n\
             invalid-value: expected a whole number from 0 to 65535 @ 99999\n\
             missing-key: the key `region` is missing @ prod stage\n\
             missing-key: the key `identity` is missing @ prod stage\n\
             missing-key: the key `name` is missing @ role\n\
             unknown-key: unknown key `tmeout` @ tmeout\n\
             missing-key: the key `region` is missing @ qa\n\
             missing-key: the key `timeout` is missing @ qa\n"
        );
    }

    #[test]
    fn help_says_what_was_meant() {
        let help = |text: &str| {
            let document = Document::parse(Source::new("", text)).unwrap();
            decode::<Target>(&document.root).unwrap_err().into_iter().next().unwrap().help
        };
        assert_eq!(
            help("regoin: r\n"),
            ["did you mean `region`?", "known keys: `region`, `identity`, `timeout`"]
        );
        assert_eq!(
            help("region: 1.10\n"),
            ["put it in quotes; without them `1.10` is read as the number 1.1"]
        );
        assert_eq!(
            help("identity: oicd\n"),
            ["did you mean `oidc`?", "known values: `oidc`, `access-keys`, `role`"]
        );
    }

    #[test]
    fn no_message_repeats_a_value() {
        let text = "version: hunter2\nproject: hunter2 x\npython: hunter2\nenabled: hunter2\ntargets: {t: \
            {identity: hunter2, region: [hunter2], timeout: hunter2}, u: {identity: {role: hunter2}}}\n";
        let document = Document::parse(Source::new("", text)).unwrap();
        let findings = decode::<Manifest>(&document.root).unwrap_err();
        assert!(findings.len() >= 7, "{findings:?}");
        assert!(!format!("{findings:?}").contains("hunter2"), "{findings:?}");
    }

    #[test]
    fn findings_stop_at_the_limit() {
        let text = format!("[{}]", "1, ".repeat(500));
        let document = Document::parse(Source::new("", text)).unwrap();
        assert_eq!(decode::<Vec<String>>(&document.root).unwrap_err().len(), MAX_FINDINGS);
    }

    #[test]
    fn visitors_that_take_anything_see_every_kind() {
        let text = "a: [1, -2, 1.5, .inf, true, ~, 'x', 3.0]";
        let document = Document::parse(Source::new("", text)).unwrap();
        let value: serde_json::Value = decode(&document.root).unwrap();
        assert_eq!(value, serde_json::json!({"a": [1, -2, 1.5, null, true, null, "x", 3]}));
    }
}
