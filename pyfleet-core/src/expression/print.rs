//! Tree → text, with parentheses only where the precedence needs them: printed and parsed again, an
//! expression is the same.

use std::fmt;

use super::{Comparison, Expression, Kind, Literal, Logical, Selector};

impl Kind {
    /// How tightly this form binds; the operand of a tighter one needs parentheses.
    const fn binding(&self) -> u8 {
        match self {
            Self::Logical { operator: Logical::Or, .. } => 1,
            Self::Logical { operator: Logical::And, .. } => 2,
            Self::Compare { operator: Comparison::Equal | Comparison::NotEqual, .. } => 3,
            Self::Compare { .. } => 4,
            Self::Not(_) => 5,
            Self::Literal(_) => 6,
            Self::Context(_) | Self::Call { .. } | Self::Access { .. } => 7,
        }
    }
}

/// An expression where nothing looser than a binding may stand without parentheses.
struct AtLeast<'a>(u8, &'a Expression);

impl fmt::Display for AtLeast<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.1.kind.binding() < self.0 { write!(f, "({})", self.1) } else { write!(f, "{}", self.1) }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let binding = self.kind.binding();
        match &self.kind {
            Kind::Literal(literal) => literal.fmt(f),
            Kind::Context(name) => f.write_str(name),
            Kind::Call { function, arguments } => {
                write!(f, "{function}(")?;
                for (position, argument) in arguments.iter().enumerate() {
                    let comma = if position == 0 { "" } else { ", " };
                    write!(f, "{comma}{argument}")?;
                }
                f.write_str(")")
            }
            Kind::Access { base, selector } => {
                write!(f, "{}", AtLeast(7, base))?;
                match selector {
                    Selector::Property(name) => write!(f, ".{name}"),
                    Selector::Index(index) => write!(f, "[{index}]"),
                    Selector::Star => f.write_str(".*"),
                }
            }
            Kind::Not(operand) => write!(f, "!{}", AtLeast(binding, operand)),
            Kind::Logical { operator, operands } => {
                for (position, operand) in operands.iter().enumerate() {
                    if position > 0 {
                        write!(f, " {operator} ")?;
                    }
                    write!(f, "{}", AtLeast(binding + 1, operand))?;
                }
                Ok(())
            }
            Kind::Compare { operator, left, right } => {
                write!(f, "{} {operator} {}", AtLeast(binding, left), AtLeast(binding + 1, right))
            }
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Number(value) if value.is_infinite() => {
                f.write_str(if *value > 0.0 { "Infinity" } else { "-Infinity" })
            }
            Self::Number(value) => write!(f, "{value}"),
            Self::String(value) => write!(f, "'{}'", value.replace('\'', "''")),
        }
    }
}

impl fmt::Display for Logical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Or => "||",
            Self::And => "&&",
        })
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        })
    }
}
