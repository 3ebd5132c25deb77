//! What an expression evaluates to, as far as that is known.
//!
//! Three-valued: what depends on something that is not known before the run is [`Evaluated::Unknown`], with the bytes
//! of the expression that make it so. `&&`, `||` and conditions decide what they can: `false && unknown` is false, and
//! of `unknown && false` it is known that it does not hold.
//!
//! ```
//! use pyfleet_core::expression::evaluate::{Evaluated, Scope, evaluate};
//! use pyfleet_core::expression::parse;
//! use pyfleet_core::expression::value::{Object, Value};
//!
//! let github = Object::open().with("event_name", "push");
//! let scope = Scope::new().with("github", github).with("secrets", Value::Unknown);
//! let value = |text: &str| evaluate(&parse(text).unwrap(), &scope).unwrap();
//!
//! assert_eq!(value("format('on {0}', github.event_name)").text().as_deref(), Some("on push"));
//! assert_eq!(value("github.event_name == 'push' || secrets.X == 'y'").truth(), Some(true));
//! assert_eq!(value("secrets.X && github.event_name == 'pull_request'").truth(), Some(false));
//! let Evaluated::Unknown { because, .. } = value("github.ref == 'x'") else { panic!() };
//! assert_eq!(because, [0..10]);
//! ```

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::value::{Array, Object, Value};
use super::{Comparison, Expression, Function, Kind, Literal, Logical, Selector};

/// The most bytes, in UTF-16, that the texts may have which a function is given or makes
/// (`EvaluationOptions.MaxMemory`).
pub const MAX_TEXT: usize = 1024 * 1024;

/// The most bytes of text that one evaluation may make altogether, so that it always ends soon.
const MAX_TEXTS: usize = 32 * MAX_TEXT;

/// What an expression can see at its place.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    contexts: Object,
    status: Status,
}

/// What the status functions answer, where that is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Status {
    /// `success()`, without naming jobs.
    pub success: Option<bool>,
    /// `failure()`, without naming jobs.
    pub failure: Option<bool>,
    /// `cancelled()`.
    pub cancelled: Option<bool>,
}

impl Scope {
    /// A place where nothing is known.
    #[must_use]
    pub fn new() -> Self {
        Self { contexts: Object::open(), status: Status::default() }
    }

    /// This, with a context.
    #[must_use]
    pub fn with(mut self, context: &str, value: impl Into<Value>) -> Self {
        self.contexts.insert(context, value.into());
        self
    }

    /// This, with answers of the status functions.
    #[must_use]
    pub const fn with_status(mut self, status: Status) -> Self {
        self.status = status;
        self
    }
}

/// What an expression evaluates to.
#[derive(Debug, Clone)]
pub enum Evaluated {
    /// This value, unless the run fails at a part that is not known; members of a list or an object may be unknown.
    Known(Value),
    /// Something that is not known.
    Unknown {
        /// Whether a condition holds that has this value, where that is known.
        truth: Option<bool>,
        /// The bytes of the expression that are not known, from left to right.
        because: Vec<Range<usize>>,
    },
}

impl Evaluated {
    /// The value, if it is known.
    #[must_use]
    pub const fn value(&self) -> Option<&Value> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown { .. } => None,
        }
    }

    /// Whether a condition with this value holds, where that is known.
    #[must_use]
    pub fn truth(&self) -> Option<bool> {
        match self {
            Self::Known(value) => value.truth(),
            Self::Unknown { truth, .. } => *truth,
        }
    }

    /// What stands in the place of the expression in a text, where that is known.
    #[must_use]
    pub fn text(&self) -> Option<Arc<str>> {
        self.value()?.text()
    }

    fn because(self) -> Vec<Range<usize>> {
        match self {
            Self::Known(_) => Vec::new(),
            Self::Unknown { because, .. } => because,
        }
    }
}

/// Why the run would fail at an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What is wrong.
    pub kind: FailureKind,
    /// The bytes of the expression that are wrong.
    pub span: Range<usize>,
}

/// What can be wrong when an expression is evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailureKind {
    /// `fromJSON` of something that is no JSON.
    NoJson,
    /// `format` with a text whose braces do not match.
    InvalidFormat,
    /// `format` with a text that names more values than there are.
    MissingValue(usize),
    /// `case` with a condition that is neither true nor false.
    NoBoolean,
    /// A function that is not there, or not with so many arguments.
    NoFunction,
    /// Texts of more than [`MAX_TEXT`] bytes.
    TooLong,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            FailureKind::NoJson => f.write_str("this is no JSON"),
            FailureKind::InvalidFormat => f.write_str("the braces of the format do not match"),
            FailureKind::MissingValue(position) => {
                write!(f, "the format names `{{{position}}}`, and there is no such value")
            }
            FailureKind::NoBoolean => f.write_str("a condition of `case` must be true or false"),
            FailureKind::NoFunction => {
                f.write_str("there is no such function, or not with so many arguments")
            }
            FailureKind::TooLong => {
                f.write_str("the evaluation makes a text that is longer than GitHub allows")
            }
        }
    }
}

/// Evaluates an expression.
///
/// # Errors
/// Where GitHub would stop: `fromJSON('')`.
pub fn evaluate(expression: &Expression, scope: &Scope) -> Result<Evaluated, Failure> {
    Evaluator { scope, text: 0 }.evaluate(expression)
}

/// Whether the job or step of a condition runs, where that is known: a condition that calls no status function means
/// `success() && (…)`.
///
/// ```
/// use pyfleet_core::expression::condition;
/// use pyfleet_core::expression::evaluate::{Scope, Status, holds};
///
/// let failed = Status { success: Some(false), failure: Some(true), cancelled: Some(false) };
/// let scope = Scope::new().with_status(failed);
/// assert_eq!(holds(&condition("github.ref == 'x'").unwrap(), &scope).unwrap().truth(), Some(false));
/// assert_eq!(holds(&condition("failure()").unwrap(), &scope).unwrap().truth(), Some(true));
/// ```
///
/// # Errors
/// As for [`evaluate`].
pub fn holds(condition: &Expression, scope: &Scope) -> Result<Evaluated, Failure> {
    if condition.calls_status() || scope.status.success == Some(true) {
        return evaluate(condition, scope);
    }
    if scope.status.success == Some(false) {
        return Ok(Evaluated::Known(Value::Boolean(false)));
    }
    Ok(match evaluate(condition, scope)? {
        decided if decided.truth() == Some(false) => decided,
        other => Evaluated::Unknown { truth: None, because: other.because() },
    })
}

struct Evaluator<'a> {
    scope: &'a Scope,
    /// How many bytes of text have been made.
    text: usize,
}

const fn unknown(truth: Option<bool>, because: Vec<Range<usize>>) -> Evaluated {
    Evaluated::Unknown { truth, because }
}

/// The value, or the reason why it is not known, of an expression that is `value` as a whole.
fn known(value: Option<impl Into<Value>>, because: impl FnOnce() -> Vec<Range<usize>>) -> Evaluated {
    match value.map(Into::into) {
        None | Some(Value::Unknown) => unknown(None, because()),
        Some(value) => Evaluated::Known(value),
    }
}

impl Evaluator<'_> {
    fn evaluate(&mut self, expression: &Expression) -> Result<Evaluated, Failure> {
        match &expression.kind {
            Kind::Literal(literal) => Ok(Evaluated::Known(match literal {
                Literal::Null => Value::Null,
                Literal::Boolean(value) => Value::Boolean(*value),
                Literal::Number(number) => Value::Number(*number),
                Literal::String(text) => text.as_str().into(),
            })),
            Kind::Context(name) => {
                Ok(known(Some(self.scope.contexts.get(name)), || vec![expression.span.clone()]))
            }
            Kind::Call { function, arguments } => self.call(expression, function, arguments),
            Kind::Access { base, selector } => self.access(expression, base, selector),
            Kind::Not(operand) => Ok(match self.evaluate(operand)? {
                Evaluated::Unknown { truth: None, because } => unknown(None, because),
                decided => known(decided.truth().map(|truth| !truth), Vec::new),
            }),
            Kind::Logical { operator, operands } => self.logical(*operator, operands),
            Kind::Compare { operator, left, right } => {
                let (left, right) = (self.evaluate(left)?, self.evaluate(right)?);
                let compared =
                    left.value().zip(right.value()).and_then(|(left, right)| compare(*operator, left, right));
                Ok(known(compared, || left.because().into_iter().chain(right.because()).collect()))
            }
        }
    }

    /// The first operand that decides, else the last. Operands behind one that is not known count only for whether
    /// the whole holds.
    fn logical(&mut self, operator: Logical, operands: &[Expression]) -> Result<Evaluated, Failure> {
        let decides = operator == Logical::Or;
        let mut reasons: Vec<Range<usize>> = Vec::new();
        let mut last = Evaluated::Known(Value::Null);
        let mut all_pass = true;
        for operand in operands {
            let evaluated = match self.evaluate(operand) {
                Ok(evaluated) => evaluated,
                // Whether it is evaluated at all is not known.
                Err(_) if !reasons.is_empty() => unknown(None, vec![operand.span.clone()]),
                Err(failure) => return Err(failure),
            };
            let truth = evaluated.truth();
            if let Evaluated::Unknown { because, .. } = &evaluated
                && truth != Some(!decides)
            {
                reasons.extend_from_slice(because);
            }
            all_pass &= truth == Some(!decides);
            if truth == Some(decides) {
                return Ok(if reasons.is_empty() { evaluated } else { unknown(Some(decides), reasons) });
            }
            last = evaluated;
        }
        Ok(if reasons.is_empty() { last } else { unknown(all_pass.then_some(!decides), reasons) })
    }

    fn access(
        &mut self,
        whole: &Expression,
        base: &Expression,
        selector: &Selector,
    ) -> Result<Evaluated, Failure> {
        let index = match selector {
            Selector::Star => None,
            Selector::Property(name) => Some(Value::from(name.as_str())),
            Selector::Index(index) => match self.evaluate(index)? {
                Evaluated::Known(value) => Some(value),
                Evaluated::Unknown { because, .. } => {
                    return Ok(match self.evaluate(base)? {
                        Evaluated::Known(base) if base.is_primitive() => Evaluated::Known(Value::Null),
                        Evaluated::Known(_) => unknown(None, because),
                        Evaluated::Unknown { because: base, .. } => {
                            unknown(None, base.into_iter().chain(because).collect())
                        }
                    });
                }
            },
        };
        let selected = match self.evaluate(base)? {
            // The whole access says more than the context that it begins with.
            Evaluated::Unknown { because, .. } => {
                let is_base = matches!(because.as_slice(), [only] if *only == base.span);
                return Ok(unknown(None, if is_base { vec![whole.span.clone()] } else { because }));
            }
            Evaluated::Known(Value::Object(object)) => of_object(&object, index.as_ref()),
            Evaluated::Known(Value::Array(array)) => of_array(&array, index.as_ref()),
            Evaluated::Known(_) if index.is_none() => Array { items: Vec::new(), is_filtered: true }.into(),
            Evaluated::Known(_) => Value::Null,
        };
        Ok(known(Some(selected), || vec![whole.span.clone()]))
    }

    fn call(
        &mut self,
        whole: &Expression,
        name: &str,
        arguments: &[Expression],
    ) -> Result<Evaluated, Failure> {
        let fail = |kind| Err(Failure { kind, span: whole.span.clone() });
        let Some(function) = Function::named(name) else { return fail(FailureKind::NoFunction) };
        let evaluated = arguments.iter().map(|own| self.evaluate(own)).collect::<Result<Vec<_>, _>>()?;
        let values: Vec<Value> =
            evaluated.iter().map(|own| own.value().cloned().unwrap_or(Value::Unknown)).collect();
        if is_long(&values) {
            return fail(FailureKind::TooLong);
        }
        let because = || {
            let reasons: Vec<_> = evaluated.iter().cloned().flat_map(Evaluated::because).collect();
            if reasons.is_empty() { vec![whole.span.clone()] } else { reasons }
        };
        let status = &self.scope.status;
        let value: Option<Value> = match (function, values.as_slice()) {
            (Function::Contains, [search, item]) => contains(search, item).map(Value::Boolean),
            (Function::StartsWith, [text, part]) => affix(text, part, |text, part| text.starts_with(part)),
            (Function::EndsWith, [text, part]) => affix(text, part, |text, part| text.ends_with(part)),
            (Function::Format, [text, values @ ..]) => match text.text() {
                None => None,
                Some(text) => match self.format(&text, values) {
                    Ok(text) => text.map(Value::from),
                    Err(kind) => return fail(kind),
                },
            },
            (Function::Join, [list]) => self.join(list, None).or_else_fail(whole)?,
            (Function::Join, [list, separator]) => self.join(list, Some(separator)).or_else_fail(whole)?,
            (Function::ToJson, [value]) => match value.to_json() {
                None => None,
                Some(text) => match self.spend(text) {
                    Ok(text) => Some(text.into()),
                    Err(kind) => return fail(kind),
                },
            },
            (Function::FromJson, [text]) => match text.text().map(|text| Value::from_json(&text)) {
                None => None,
                Some(Ok(value)) => Some(value),
                Some(Err(_)) => return fail(FailureKind::NoJson),
            },
            (Function::Case, [pairs @ .., default]) if !pairs.is_empty() && pairs.len().is_multiple_of(2) => {
                let mut chosen = Some(default.clone());
                for pair in pairs.chunks_exact(2) {
                    match pair {
                        [Value::Boolean(true), value] => {
                            chosen = Some(value.clone());
                            break;
                        }
                        [Value::Boolean(false), _] => {}
                        [Value::Unknown, _] => {
                            chosen = None;
                            break;
                        }
                        _ => return fail(FailureKind::NoBoolean),
                    }
                }
                chosen
            }
            (Function::HashFiles, [_, ..]) => None,
            (Function::Success, []) => status.success.map(Value::Boolean),
            (Function::Failure, []) => status.failure.map(Value::Boolean),
            (Function::Cancelled, []) => status.cancelled.map(Value::Boolean),
            (Function::Always, []) => Some(Value::Boolean(true)),
            (Function::Success | Function::Failure, _) => None,
            _ => return fail(FailureKind::NoFunction),
        };
        Ok(known(value, because))
    }

    /// Counts a text that was made.
    fn spend(&mut self, text: String) -> Result<String, FailureKind> {
        self.text = self.text.saturating_add(text.len());
        if text.len() > 3 * MAX_TEXT || is_long(&[text.as_str().into()]) || self.text > MAX_TEXTS {
            Err(FailureKind::TooLong)
        } else {
            Ok(text)
        }
    }

    fn format(&mut self, format: &str, values: &[Value]) -> Result<Option<String>, FailureKind> {
        let mut text = String::new();
        let mut is_known = true;
        for piece in pieces(format) {
            match piece {
                Piece::Text(own) => text.push_str(own),
                Piece::Value(position) => {
                    let value = values.get(position).ok_or(FailureKind::MissingValue(position))?;
                    match value.text() {
                        Some(own) => text.push_str(&own),
                        None => is_known = false,
                    }
                }
                Piece::Invalid => return Err(FailureKind::InvalidFormat),
            }
            if text.len() > 2 * MAX_TEXT {
                return Err(FailureKind::TooLong);
            }
        }
        self.spend(text).map(|text| is_known.then_some(text))
    }

    fn join(&mut self, list: &Value, separator: Option<&Value>) -> Result<Option<Value>, FailureKind> {
        let items = match list {
            Value::Unknown => return Ok(None),
            Value::Array(array) => &array.items,
            Value::Object(_) => return Ok(Some("".into())),
            primitive => return Ok(primitive.text().map(Value::String)),
        };
        let separator = match separator {
            Some(Value::Unknown) if items.len() > 1 => return Ok(None),
            Some(own) if own.is_primitive() => own.text().unwrap_or_default(),
            _ => ",".into(),
        };
        let mut text = String::new();
        for (position, item) in items.iter().enumerate() {
            let Some(item) = item.text() else { return Ok(None) };
            if position > 0 {
                text.push_str(&separator);
            }
            text.push_str(&item);
            if text.len() > 2 * MAX_TEXT {
                return Err(FailureKind::TooLong);
            }
        }
        self.spend(text).map(|text| Some(text.into()))
    }
}

/// Whether the texts among some values are longer than GitHub allows together.
fn is_long(values: &[Value]) -> bool {
    let texts = || {
        values.iter().filter_map(|value| match value {
            Value::String(text) => Some(text),
            _ => None,
        })
    };
    texts().map(|text| text.len()).sum::<usize>() > MAX_TEXT / 2
        && texts().map(|text| text.encode_utf16().count()).sum::<usize>() > MAX_TEXT / 2
}

/// A failure that knows its place.
trait OrElseFail<T> {
    fn or_else_fail(self, whole: &Expression) -> Result<T, Failure>;
}

impl<T> OrElseFail<T> for Result<T, FailureKind> {
    fn or_else_fail(self, whole: &Expression) -> Result<T, Failure> {
        self.map_err(|kind| Failure { kind, span: whole.span.clone() })
    }
}

impl From<Array> for Value {
    fn from(array: Array) -> Self {
        Self::Array(Arc::new(array))
    }
}

fn compare(operator: Comparison, left: &Value, right: &Value) -> Option<bool> {
    let order = || left.order(right);
    let equals = || left.equals(right);
    Some(match operator {
        Comparison::Equal => equals()?,
        Comparison::NotEqual => !equals()?,
        Comparison::Less => order()?.is_some_and(std::cmp::Ordering::is_lt),
        Comparison::Greater => order()?.is_some_and(std::cmp::Ordering::is_gt),
        Comparison::LessOrEqual => equals()? || order()?.is_some_and(std::cmp::Ordering::is_lt),
        Comparison::GreaterOrEqual => equals()? || order()?.is_some_and(std::cmp::Ordering::is_gt),
    })
}

/// `object[index]`, and `object.*` without an index.
fn of_object(object: &Object, index: Option<&Value>) -> Value {
    match index {
        None if object.is_open => Value::Unknown,
        None => {
            let items = object.members().map(|(_, value)| value.clone()).collect();
            Array { items, is_filtered: true }.into()
        }
        Some(index) if index.is_primitive() => object.get(&index.text().unwrap_or_default()),
        Some(_) => Value::Null,
    }
}

/// The position that an index means, if it means one.
fn position(index: &Value) -> Option<usize> {
    let number = index.number().filter(|number| number.is_finite() && *number >= 0.0)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and saturating"
    )]
    Some(number as usize)
}

/// `array[index]`, and `array.*` without an index; each item's where `.*` made the array.
fn of_array(array: &Array, index: Option<&Value>) -> Value {
    if !array.is_filtered {
        return match index {
            None => Array { items: array.items.clone(), is_filtered: true }.into(),
            Some(index) => {
                position(index).and_then(|position| array.items.get(position)).cloned().unwrap_or(Value::Null)
            }
        };
    }
    let mut items = Vec::new();
    for item in &array.items {
        match (item, index) {
            (Value::Unknown, _) => return Value::Unknown,
            (Value::Object(object), None) if object.is_open => return Value::Unknown,
            (Value::Object(object), None) => items.extend(object.members().map(|(_, value)| value.clone())),
            (Value::Object(object), Some(index)) if index.is_primitive() => {
                match object.find(&index.text().unwrap_or_default()) {
                    Some(value) => items.push(value.clone()),
                    None if object.is_open => return Value::Unknown,
                    None => {}
                }
            }
            (Value::Array(inner), None) => items.extend(inner.items.iter().cloned()),
            (Value::Array(inner), Some(index)) => {
                items.extend(position(index).and_then(|position| inner.items.get(position)).cloned());
            }
            _ => {}
        }
    }
    Array { items, is_filtered: true }.into()
}

fn contains(search: &Value, item: &Value) -> Option<bool> {
    match (search, item) {
        (Value::Unknown, _) => None,
        (Value::Object(_), _) => Some(false),
        (Value::Array(array), item) => {
            let mut all_known = true;
            for own in &array.items {
                match item.equals(own) {
                    Some(true) => return Some(true),
                    Some(false) => {}
                    None => all_known = false,
                }
            }
            all_known.then_some(false)
        }
        (_, Value::Unknown) => None,
        (search, item) if item.is_primitive() => {
            let (search, item) = (upper(&search.text()?), upper(&item.text()?));
            Some(search.contains(&item))
        }
        _ => Some(false),
    }
}

fn affix(text: &Value, part: &Value, has: fn(&str, &str) -> bool) -> Option<Value> {
    match (text, part) {
        (Value::Array(_) | Value::Object(_), _) | (_, Value::Array(_) | Value::Object(_)) => {
            Some(Value::Boolean(false))
        }
        _ => Some(Value::Boolean(has(&upper(&text.text()?), &upper(&part.text()?)))),
    }
}

fn upper(text: &str) -> String {
    text.chars().map(super::value::upper).collect()
}

/// A piece of the first argument of `format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    /// `{0}`: the value at a position.
    Value(usize),
    /// A brace that neither is doubled nor belongs to a position; nothing follows.
    Invalid,
}

/// The pieces of the first argument of `format`.
pub(super) fn pieces(format: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = format;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let brace = match rest.find(['{', '}']) {
            Some(0) => rest.as_bytes().first().copied().unwrap_or_default(),
            end => {
                let (text, behind) = rest.split_at(end.unwrap_or(rest.len()));
                rest = behind;
                return Some(Piece::Text(text));
            }
        };
        let behind = &rest[1..];
        if behind.as_bytes().first() == Some(&brace) {
            let text = &rest[..1];
            rest = &rest[2..];
            return Some(Piece::Text(text));
        }
        let digits = behind.len() - behind.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let position = behind.get(..digits).filter(|digits| brace == b'{' && !digits.is_empty());
        let close = behind.find('}');
        match (position, close) {
            (Some(position), Some(close)) => {
                rest = &behind[close + 1..];
                Some(Piece::Value(position.parse().unwrap_or(usize::MAX)))
            }
            _ => {
                rest = "";
                Some(Piece::Invalid)
            }
        }
    })
}
