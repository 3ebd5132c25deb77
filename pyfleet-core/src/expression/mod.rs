//! `${{ … }}`: found in text, parsed, and walked.
//!
//! The grammar is that of GitHub's own parser (actions/runner, `src/Sdk/Expressions`), with its limits of
//! 21,000 characters and 50 levels. Parsing says what an expression *is*; which contexts and functions a
//! key allows ([`Expression::refused`]), of what types they are ([`types`]), and what an expression evaluates to
//! ([`evaluate`]) are separate questions that the tree is made for: an unknown name parses.
//!
//! ```
//! use pyfleet_core::expression;
//!
//! let (found, mistakes) = expression::embedded("image-${{ needs.build.outputs.tag || 'none' }}");
//! assert!(mistakes.is_empty());
//! let contexts = found[0].expression.contexts();
//! assert_eq!(contexts[0].to_string(), "needs.build.outputs.tag");
//! ```

mod available;
pub mod evaluate;
pub mod known;
mod lexer;
mod parser;
mod print;
mod template;
pub mod types;

pub mod value;
mod walk;

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;

use smol_str::SmolStr;

pub use available::{Available, Context, Function};
pub use parser::parse;
pub use template::{Embedded, condition, embedded, opens_in};
pub use walk::{Call, ContextAccess, Selected};

/// GitHub refuses longer expressions (`ExpressionConstants.MaxLength`), counted in UTF-16 units.
pub const MAX_LENGTH: usize = 21_000;

/// GitHub refuses deeper expressions (`ExpressionConstants.MaxDepth`).
pub const MAX_DEPTH: usize = 50;

/// GitHub refuses calls with more arguments (`ExpressionConstants.MaxArguments`), except of `success` and `failure`.
pub const MAX_ARGUMENTS: usize = 255;

/// A parsed expression, and where it stands in the text it was parsed from.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// What it is.
    pub kind: Kind,
    /// The bytes it was written in, without the parentheses around it.
    pub span: Range<usize>,
}

/// The forms of an expression. Parentheses leave no trace: the tree says what they said.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `null`, `true`, `-1.5`, `0xff`, `'text'`.
    Literal(Literal),
    /// A context by its name, as written: `github`.
    Context(SmolStr),
    /// `format('{0}', github.sha)`; the name is kept as written and means the same in any case.
    Call {
        /// The function's name, as written.
        function: SmolStr,
        /// The arguments in order.
        arguments: Vec<Expression>,
    },
    /// `base.name`, `base[index]`, `base.*`.
    Access {
        /// What is looked into.
        base: Box<Expression>,
        /// What is looked up in it.
        selector: Selector,
    },
    /// `!operand`.
    Not(Box<Expression>),
    /// `a && b && c`, `a || b || c`: two operands or more, as one level.
    Logical {
        /// Which of the two.
        operator: Logical,
        /// The operands in order.
        operands: Vec<Expression>,
    },
    /// `a == b`, `a < b`.
    Compare {
        /// Which comparison.
        operator: Comparison,
        /// The left side.
        left: Box<Expression>,
        /// The right side.
        right: Box<Expression>,
    },
}

/// A value written out.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A decimal, hexadecimal (`0xff`) or octal (`0o17`) number, `NaN` or `Infinity`.
    Number(f64),
    /// Text between single quotes, in which two quotes mean one.
    String(String),
}

/// How an [`Kind::Access`] looks into its base.
#[derive(Debug, Clone, PartialEq)]
pub enum Selector {
    /// `.name`.
    Property(SmolStr),
    /// `[expression]`.
    Index(Box<Expression>),
    /// `.*` or `[*]`: every child.
    Star,
}

/// The operators that short-circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logical {
    /// `||`.
    Or,
    /// `&&`.
    And,
}

/// The operators that compare; GitHub compares strings without regard to case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `==`.
    Equal,
    /// `!=`.
    NotEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
}

/// Why a text is no expression, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong.
    pub kind: MistakeKind,
    /// The bytes of the text that are wrong; empty at the end of the text.
    pub span: Range<usize>,
}

/// What can be wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MistakeKind {
    /// `${{ }}`, or an empty condition in parentheses.
    Empty,
    /// `${{` without `}}`; a `}}` between quotes does not close.
    NotClosed,
    /// A string without its closing quote.
    StringNotClosed,
    /// A character or word that no expression contains: `"`, `&`, `1a`.
    UnknownSymbol(String),
    /// A symbol that cannot stand here.
    Unexpected(String),
    /// The text ends where something must follow.
    UnexpectedEnd,
    /// More than [`MAX_LENGTH`] characters.
    TooLong,
    /// More than [`MAX_DEPTH`] levels.
    TooDeep,
    /// An `if:` with text around its `${{ }}`: GitHub reads that as a text, which is always true.
    TextAroundCondition,
    /// A context that does not exist, and what does.
    UnknownContext(String, Available),
    /// A context that cannot be read at this place, and those that can.
    ContextNotHere(String, Available),
    /// A function that does not exist.
    UnknownFunction(String),
    /// A function that cannot be called at this place.
    FunctionNotHere(Function),
    /// A call with too few or too many arguments.
    Arguments {
        /// What is called.
        function: Function,
        /// The fewest arguments that it takes.
        least: usize,
        /// The most arguments that it takes.
        most: usize,
        /// How many there are.
        found: usize,
    },
    /// A call of `case` without a default.
    EvenArguments,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            MistakeKind::Empty => f.write_str("the expression is empty"),
            MistakeKind::NotClosed => f.write_str("the expression is not closed: `${{` without `}}`"),
            MistakeKind::StringNotClosed => f.write_str("the string is not closed: a quote is written twice"),
            MistakeKind::UnknownSymbol(symbol) => write!(f, "`{symbol}` means nothing in an expression"),
            MistakeKind::Unexpected(symbol) => write!(f, "`{symbol}` cannot stand here"),
            MistakeKind::UnexpectedEnd => f.write_str("the expression ends too early"),
            MistakeKind::TooLong => write!(f, "the expression has more than {MAX_LENGTH} characters"),
            MistakeKind::TooDeep => write!(f, "the expression has more than {MAX_DEPTH} levels"),
            MistakeKind::TextAroundCondition => {
                f.write_str("text around `${{ }}` makes the condition a text, which is always true")
            }
            MistakeKind::UnknownContext(name, here) => {
                write!(f, "there is no context `{name}`: {}", available::Listed(*here))
            }
            MistakeKind::ContextNotHere(name, here) => {
                write!(f, "`{name}` cannot be read here: {}", available::Listed(*here))
            }
            MistakeKind::UnknownFunction(name) => write!(f, "there is no function `{name}`"),
            MistakeKind::FunctionNotHere(Function::HashFiles) => f.write_str(
                "`hashFiles` can be called only where a step is evaluated, which is on the runner",
            ),
            MistakeKind::FunctionNotHere(function) => {
                write!(f, "`{}` can be called only in the `if` of a job or a step", function.name())
            }
            MistakeKind::Arguments { function, least, most, found } => {
                write!(f, "`{}` takes ", function.name())?;
                match (least, most) {
                    (0, 0) => f.write_str("no arguments")?,
                    (1, 1) => f.write_str("one argument")?,
                    (least, most) if least == most => write!(f, "{least} arguments")?,
                    (1, _) if *found == 0 => f.write_str("at least one argument")?,
                    (least, _) if found < least => write!(f, "at least {least} arguments")?,
                    (_, most) => write!(f, "at most {most} arguments")?,
                }
                write!(f, ", here are {found}")
            }
            MistakeKind::EvenArguments => {
                f.write_str("`case` takes pairs of a condition and a value, and a default at the end")
            }
        }
    }
}
