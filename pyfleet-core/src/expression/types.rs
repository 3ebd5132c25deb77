//! Of which type an expression is, and what cannot mean anything because of types.
//!
//! Types are an aid, not GitHub's: it evaluates `github.event_nam` to nothing and `true == 'true'` to false, without a
//! word. What is not known is [`Type::Any`], of which nothing is said; a mistake is reported once, and what it spoils
//! is `Any`.
//!
//! ```
//! use pyfleet_core::expression::types::{Type, infer};
//! use pyfleet_core::expression::{Context, known, parse};
//!
//! let (of, mistakes) = infer(&parse("github.event_nam == 'push'").unwrap(), &known::context);
//! assert_eq!(of, Type::Boolean);
//! assert_eq!(mistakes[0].to_string(), "`github.event_nam` does not exist, and is always empty");
//! assert_eq!(mistakes[0].span, 0..16);
//! ```

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexMap;

use super::evaluate::{Piece, pieces};
use super::value::{Value, number_of};
use super::{Comparison, Context, Expression, Function, Kind, Literal, Selector};

/// A type.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    /// Not known.
    Any,
    /// Nothing.
    Null,
    /// True or false.
    Boolean,
    /// A number.
    Number,
    /// A text.
    String,
    /// A list of items of one type.
    Array(Arc<Self>),
    /// What `.*` makes: a list in whose items `.name` selects.
    Filtered(Arc<Self>),
    /// Names and values.
    Object(Object),
}

/// The type of an object.
#[derive(Debug, Clone)]
pub struct Object {
    /// By name in lower case: the name as it is declared, and the type.
    members: Arc<IndexMap<String, (String, Type)>>,
    /// How many of the members are there, from the first.
    visible: usize,
    /// The type of members that are not listed; none where there are none.
    others: Option<Arc<Type>>,
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.others == other.others && self.members().eq(other.members())
    }
}

impl Object {
    /// An object with these members and no others.
    pub fn strict<N: Into<String>>(members: impl IntoIterator<Item = (N, Type)>) -> Self {
        let mut all = IndexMap::new();
        for (name, of) in members {
            let name = name.into();
            all.entry(name.to_ascii_lowercase()).or_insert((name, of));
        }
        Self { visible: all.len(), members: Arc::new(all), others: None }
    }

    /// An object with these members, and others of one type.
    pub fn loose<N: Into<String>>(members: impl IntoIterator<Item = (N, Type)>, others: Type) -> Self {
        Self { others: Some(Arc::new(others)), ..Self::strict(members) }
    }

    /// This, as it is while only its first members are there.
    #[must_use]
    pub fn up_to(&self, visible: usize) -> Self {
        Self { visible: visible.min(self.members.len()), ..self.clone() }
    }

    /// The members by name.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Type)> {
        self.members.values().take(self.visible).map(|(name, of)| (name.as_str(), of))
    }

    /// The type of a member, in any case; none where it cannot exist.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Type> {
        let found = match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => self.members.get_full(&name.to_ascii_lowercase()),
            false => self.members.get_full(name),
        };
        match found {
            Some((position, _, (_, of))) if position < self.visible => Some(of),
            _ => self.others.as_deref(),
        }
    }

    /// Whether there can be other members than the listed ones.
    #[must_use]
    pub const fn is_loose(&self) -> bool {
        self.others.is_some()
    }

    /// What any of its members can be.
    fn any_member(&self) -> Type {
        let listed = self.members().map(|(_, of)| of.clone());
        listed.chain(self.others.as_deref().cloned()).reduce(Type::or).unwrap_or(Type::Any)
    }
}

impl Type {
    /// An object with these members and no others.
    pub fn strict<N: Into<String>>(members: impl IntoIterator<Item = (N, Self)>) -> Self {
        Self::Object(Object::strict(members))
    }

    /// An object with members of any name and one type.
    #[must_use]
    pub fn map_of(others: Self) -> Self {
        Self::Object(Object::loose::<String>([], others))
    }

    /// A list.
    #[must_use]
    pub fn list_of(item: Self) -> Self {
        Self::Array(Arc::new(item))
    }

    /// The type of a value.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Boolean(_) => Self::Boolean,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::Array(array) => {
                Self::list_of(array.items.iter().map(Self::of).reduce(Self::or).unwrap_or(Self::Any))
            }
            Value::Object(object) => {
                let members = object.members().map(|(name, value)| (name, Self::of(value)));
                if object.is_open {
                    Self::Object(Object::loose(members, Self::Any))
                } else {
                    Self::strict(members)
                }
            }
            Value::Unknown => Self::Any,
        }
    }

    /// What is of this type or of another.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (left, right) if left == right => left,
            (Self::Array(left), Self::Array(right)) => {
                Self::list_of(Self::clone(&left).or(Self::clone(&right)))
            }
            (Self::Object(left), Self::Object(right)) => {
                let mut members: Vec<(&str, Self)> = left
                    .members()
                    .map(|(name, of)| {
                        (name, right.get(name).map_or(of.clone(), |own| of.clone().or(own.clone())))
                    })
                    .collect();
                let new = right
                    .members()
                    .filter(|(name, _)| left.members.get(&name.to_ascii_lowercase()).is_none());
                members.extend(new.map(|(name, of)| {
                    (name, left.others.as_deref().map_or(of.clone(), |own| of.clone().or(own.clone())))
                }));
                let mut object = Object::strict(members);
                object.others = match (left.others, right.others) {
                    (Some(left), Some(right)) => Some(Arc::new(Self::clone(&left).or(Self::clone(&right)))),
                    (one, other) => one.or(other),
                };
                Self::Object(object)
            }
            _ => Self::Any,
        }
    }

    /// Whether this is neither a list nor an object, and known.
    #[must_use]
    pub const fn is_scalar(&self) -> bool {
        matches!(self, Self::Null | Self::Boolean | Self::Number | Self::String)
    }

    /// Whether this is a list or an object.
    #[must_use]
    pub const fn is_collection(&self) -> bool {
        matches!(self, Self::Array(_) | Self::Filtered(_) | Self::Object(_))
    }

    /// What a message calls it, with its article.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Any => "anything",
            Self::Null => "nothing",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::String => "a text",
            Self::Array(_) | Self::Filtered(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// What cannot mean anything, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Mistyped {
    /// What is wrong.
    pub kind: MistypedKind,
    /// The bytes of the expression that are wrong.
    pub span: Range<usize>,
}

/// What types say cannot be meant.
#[derive(Debug, Clone, PartialEq)]
pub enum MistypedKind {
    /// A member that does not exist.
    NoMember {
        /// The access as it is written.
        access: String,
        /// The name that does not exist.
        name: String,
        /// What has no such member.
        known: Object,
    },
    /// A member of something that has none.
    NotAnObject {
        /// What has none, as it is written.
        base: String,
        /// Of which type it is.
        of: &'static str,
    },
    /// `list.name`, which is always empty: `list.*.name` is meant.
    MemberOfList(String),
    /// `[index]` of the wrong type.
    Index {
        /// What is looked into: an object or a list.
        base: &'static str,
        /// Of which type the index is.
        of: &'static str,
    },
    /// A comparison that can only have one result.
    Incomparable {
        /// Of which type the left side is.
        left: String,
        /// Of which type the right side is.
        right: String,
    },
    /// An argument that a function can do nothing with.
    Argument {
        /// Which function.
        function: Function,
        /// Which argument, from 1.
        position: usize,
        /// What it takes.
        expected: &'static str,
        /// What it is given.
        found: &'static str,
    },
    /// `{2}` in a format without that many values.
    NoValue(usize),
    /// A value that a format does not name.
    UnusedValue(usize),
    /// A format with braces that do not match.
    InvalidFormat,
    /// `fromJSON` of a written text that is no JSON.
    NoJson,
}

impl fmt::Display for Mistyped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            MistypedKind::NoMember { access, .. } => {
                write!(f, "`{access}` does not exist, and is always empty")
            }
            MistypedKind::NotAnObject { base, of } => {
                write!(f, "`{base}` is {of}, in which nothing can be looked up")
            }
            MistypedKind::MemberOfList(access) => {
                write!(f, "`{access}` is always empty: it asks a list for a name")
            }
            MistypedKind::Index { base, of } => write!(f, "{of} cannot select in {base}"),
            MistypedKind::Incomparable { left, right } => {
                write!(f, "the comparison has one result, always: {left} with {right}")
            }
            MistypedKind::Argument { function, position, expected, found } => {
                let name = function.name();
                write!(f, "argument {position} of `{name}` must be {expected}, and is {found}")
            }
            MistypedKind::NoValue(position) => {
                write!(f, "the format names `{{{position}}}`, and there is no such value: the run fails")
            }
            MistypedKind::UnusedValue(position) => {
                write!(f, "the format does not name this value, `{{{position}}}`")
            }
            MistypedKind::InvalidFormat => {
                f.write_str("the braces of the format do not match: the run fails")
            }
            MistypedKind::NoJson => f.write_str("this is no JSON: the run fails"),
        }
    }
}

/// The type of an expression, and all that cannot be meant in it, where contexts are of the given types.
#[must_use]
pub fn infer(expression: &Expression, context: &dyn Fn(Context) -> Type) -> (Type, Vec<Mistyped>) {
    let mut reader = Reader { context, mistakes: Vec::new() };
    let of = reader.infer(expression);
    (of, reader.mistakes)
}

struct Reader<'a> {
    context: &'a dyn Fn(Context) -> Type,
    mistakes: Vec<Mistyped>,
}

impl Reader<'_> {
    fn report(&mut self, expression: &Expression, kind: MistypedKind) -> Type {
        self.mistakes.push(Mistyped { kind, span: expression.span.clone() });
        Type::Any
    }

    fn infer(&mut self, expression: &Expression) -> Type {
        match &expression.kind {
            Kind::Literal(literal) => match literal {
                Literal::Null => Type::Null,
                Literal::Boolean(_) => Type::Boolean,
                Literal::Number(_) => Type::Number,
                Literal::String(_) => Type::String,
            },
            Kind::Context(name) => Context::named(name).map_or(Type::Any, self.context),
            Kind::Call { function, arguments } => {
                let types: Vec<Type> = arguments.iter().map(|argument| self.infer(argument)).collect();
                Function::named(function).map_or(Type::Any, |function| self.call(function, arguments, &types))
            }
            Kind::Access { base, selector } => {
                let of = self.infer(base);
                match selector {
                    Selector::Property(name) => self.member(expression, base, of, name),
                    Selector::Star => self.star(expression, base, of),
                    Selector::Index(index) => self.index(expression, base, of, index),
                }
            }
            Kind::Not(operand) => {
                self.infer(operand);
                Type::Boolean
            }
            Kind::Logical { operands, .. } => {
                let types: Vec<Type> = operands.iter().map(|operand| self.infer(operand)).collect();
                types.into_iter().reduce(Type::or).unwrap_or(Type::Any)
            }
            Kind::Compare { operator, left, right } => {
                let types = (self.infer(left), self.infer(right));
                self.compare(expression, *operator, (left, &types.0), (right, &types.1));
                Type::Boolean
            }
        }
    }

    fn member(&mut self, whole: &Expression, base: &Expression, of: Type, name: &str) -> Type {
        match of {
            Type::Any => Type::Any,
            Type::Object(object) => match object.get(name) {
                Some(member) => member.clone(),
                None => self.no_member(whole, name, &object),
            },
            Type::Filtered(item) => match &*item {
                Type::Any => Type::Filtered(item),
                Type::Object(object) => match object.get(name) {
                    Some(member) => Type::Filtered(Arc::new(member.clone())),
                    None => self.no_member(whole, name, object),
                },
                _ => {
                    self.report(whole, MistypedKind::NotAnObject { base: base.to_string(), of: item.name() })
                }
            },
            Type::Array(_) => self.report(whole, MistypedKind::MemberOfList(whole.to_string())),
            scalar => {
                self.report(whole, MistypedKind::NotAnObject { base: base.to_string(), of: scalar.name() })
            }
        }
    }

    fn no_member(&mut self, whole: &Expression, name: &str, object: &Object) -> Type {
        let (access, known) = (whole.to_string(), object.clone());
        self.report(whole, MistypedKind::NoMember { access, name: name.to_owned(), known })
    }

    fn star(&mut self, whole: &Expression, base: &Expression, of: Type) -> Type {
        let item = match of {
            Type::Any => Type::Any,
            Type::Object(object) => object.any_member(),
            Type::Array(item) => Type::clone(&item),
            Type::Filtered(item) => match &*item {
                Type::Object(object) => object.any_member(),
                Type::Array(item) => Type::clone(item),
                _ => Type::Any,
            },
            scalar => {
                return self
                    .report(whole, MistypedKind::NotAnObject { base: base.to_string(), of: scalar.name() });
            }
        };
        Type::Filtered(Arc::new(item))
    }

    fn index(&mut self, whole: &Expression, base: &Expression, of: Type, index: &Expression) -> Type {
        let index_type = self.infer(index);
        let literal = match &index.kind {
            Kind::Literal(Literal::String(name)) => Some(name.clone()),
            Kind::Literal(Literal::Number(number)) => Some(super::value::text_of(*number)),
            _ => None,
        };
        match (of, literal) {
            (Type::Any, _) => Type::Any,
            (Type::Array(item), Some(name)) if !number_of(&name).is_nan() => Type::clone(&item),
            // `[0]` selects in every item.
            (Type::Filtered(item), literal) => match (&*item, literal) {
                (Type::Object(_), Some(name)) => {
                    self.member(whole, base, Type::Filtered(Arc::clone(&item)), &name)
                }
                _ => Type::Any,
            },
            (of, Some(name)) => self.member(whole, base, of, &name),
            (Type::Array(item), None) => match index_type {
                Type::Any | Type::Number | Type::String => Type::clone(&item),
                other => self.report(index, MistypedKind::Index { base: "a list", of: other.name() }),
            },
            (Type::Object(object), None) => match index_type {
                Type::Any | Type::String => {
                    if object.is_loose() {
                        object.any_member()
                    } else {
                        Type::Any
                    }
                }
                other => self.report(index, MistypedKind::Index { base: "an object", of: other.name() }),
            },
            (scalar, None) => {
                self.report(whole, MistypedKind::NotAnObject { base: base.to_string(), of: scalar.name() })
            }
        }
    }

    fn compare(
        &mut self,
        whole: &Expression,
        operator: Comparison,
        left: (&Expression, &Type),
        right: (&Expression, &Type),
    ) {
        let is_equality = matches!(operator, Comparison::Equal | Comparison::NotEqual);
        let never = |one: (&Expression, &Type), other: (&Expression, &Type)| match (one.1, other.1) {
            (Type::Any | Type::Null, _) | (_, Type::Any | Type::Null) => false,
            (one, other) if one.is_collection() => !(is_equality && other.is_collection()),
            // `true` is compared as 1, and `'true'` is no number.
            (Type::Boolean | Type::Number, Type::String) => match number_written(other.0) {
                Some(number) => number.is_nan(),
                None => is_equality && matches!(one.0.kind, Kind::Literal(Literal::Boolean(_))),
            },
            _ => false,
        };
        if never(left, right) || never(right, left) {
            let named = |(expression, of): (&Expression, &Type)| match &expression.kind {
                Kind::Literal(_) => format!("`{expression}`"),
                _ => of.name().to_owned(),
            };
            self.report(whole, MistypedKind::Incomparable { left: named(left), right: named(right) });
        }
    }

    fn call(&mut self, function: Function, arguments: &[Expression], types: &[Type]) -> Type {
        let text_or = |reader: &mut Self, positions: Range<usize>, expected: &'static str| {
            for position in positions {
                let (Some(argument), Some(of)) = (arguments.get(position), types.get(position)) else {
                    continue;
                };
                if of.is_collection() {
                    let found = of.name();
                    reader.report(
                        argument,
                        MistypedKind::Argument { function, position: position + 1, expected, found },
                    );
                }
            }
        };
        match function {
            Function::Contains => {
                if let (Some(Type::Object(_)), Some(argument)) = (types.first(), arguments.first()) {
                    let found = "an object";
                    let expected = "a text or a list";
                    self.report(argument, MistypedKind::Argument { function, position: 1, expected, found });
                }
                text_or(self, 1..2, "a text, a number or a boolean");
                Type::Boolean
            }
            Function::StartsWith | Function::EndsWith => {
                text_or(self, 0..2, "a text");
                Type::Boolean
            }
            Function::Format => {
                text_or(self, 0..arguments.len(), "a text, a number or a boolean");
                if let Some((format, values)) = arguments.split_first() {
                    self.format(format, values);
                }
                Type::String
            }
            Function::Join => {
                if let (Some(Type::Object(_)), Some(argument)) = (types.first(), arguments.first()) {
                    let (expected, found) = ("a list or a text", "an object");
                    self.report(argument, MistypedKind::Argument { function, position: 1, expected, found });
                }
                text_or(self, 1..2, "a text");
                Type::String
            }
            Function::ToJson => Type::String,
            Function::FromJson => {
                text_or(self, 0..1, "a text");
                match arguments {
                    [Expression { kind: Kind::Literal(Literal::String(text)), .. }] => {
                        match Value::from_json(text) {
                            Ok(value) => Type::of(&value),
                            Err(_) => self.report(&arguments[0], MistypedKind::NoJson),
                        }
                    }
                    _ => Type::Any,
                }
            }
            Function::Case => {
                let Some((_, pairs)) = types.split_last() else { return Type::Any };
                for (position, of) in pairs.iter().enumerate().step_by(2) {
                    if let (true, Some(argument)) =
                        (!matches!(of, Type::Any | Type::Boolean), arguments.get(position))
                    {
                        let (expected, found) = ("a boolean", of.name());
                        self.report(
                            argument,
                            MistypedKind::Argument { function, position: position + 1, expected, found },
                        );
                    }
                }
                let values = types.iter().skip(1).step_by(2).chain(types.last());
                values.cloned().reduce(Type::or).unwrap_or(Type::Any)
            }
            Function::HashFiles => {
                text_or(self, 0..arguments.len(), "a text");
                Type::String
            }
            Function::Success | Function::Failure | Function::Always | Function::Cancelled => Type::Boolean,
        }
    }

    fn format(&mut self, format: &Expression, values: &[Expression]) {
        let Kind::Literal(Literal::String(text)) = &format.kind else { return };
        let mut used = vec![false; values.len()];
        for piece in pieces(text) {
            match piece {
                Piece::Text(_) => {}
                Piece::Value(position) => match used.get_mut(position) {
                    Some(used) => *used = true,
                    None => {
                        self.report(format, MistypedKind::NoValue(position));
                    }
                },
                Piece::Invalid => {
                    self.report(format, MistypedKind::InvalidFormat);
                    return;
                }
            }
        }
        for (position, value) in values.iter().enumerate().filter(|(position, _)| !used[*position]) {
            self.report(value, MistypedKind::UnusedValue(position));
        }
    }
}

/// The number that a written text means.
fn number_written(expression: &Expression) -> Option<f64> {
    match &expression.kind {
        Kind::Literal(Literal::String(text)) => Some(number_of(text)),
        _ => None,
    }
}
