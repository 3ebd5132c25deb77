//! `${{ … }}`: found in text, parsed, and walked.
//!
//! The grammar is that of GitHub's own parser (actions/runner, `src/Sdk/Expressions`), with its limits of
//! 21,000 characters and 50 levels. Parsing says what an expression *is*; which contexts and functions a
//! key allows, and what an expression evaluates to, are separate questions that the tree is made for.
//!
//! Deliberately absent: a check that contexts and functions exist. An unknown name parses.
//!
//! ```
//! use pyfleet_core::expression;
//!
//! let (found, mistakes) = expression::embedded("image-${{ needs.build.outputs.tag || 'none' }}");
//! assert!(mistakes.is_empty());
//! let contexts = found[0].expression.contexts();
//! assert_eq!(contexts[0].to_string(), "needs.build.outputs.tag");
//! ```

mod lexer;
mod parser;
mod print;
mod template;
mod walk;

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;

pub use parser::parse;
pub use template::{Embedded, condition, embedded};
pub use walk::{Call, ContextAccess, Selected};

/// GitHub refuses longer expressions (`ExpressionConstants.MaxLength`), counted in UTF-16 units.
pub const MAX_LENGTH: usize = 21_000;

/// GitHub refuses deeper expressions (`ExpressionConstants.MaxDepth`).
pub const MAX_DEPTH: usize = 50;

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
    Context(String),
    /// `format('{0}', github.sha)`; the name is kept as written and means the same in any case.
    Call {
        /// The function's name, as written.
        function: String,
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
    Property(String),
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
        }
    }
}
