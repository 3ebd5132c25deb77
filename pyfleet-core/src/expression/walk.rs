//! What an expression reads and calls.

use std::fmt;
use std::ops::Range;

use smol_str::{SmolStr, ToSmolStr};

use super::{Expression, Kind, Literal, Selector};

/// A read of a context: `needs.plan.outputs.x`, `secrets[inputs.name]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextAccess {
    /// The context's name, as written.
    pub context: SmolStr,
    /// What is selected in it, from the outside in.
    pub selected: Vec<Selected>,
    /// The bytes of the whole access.
    pub span: Range<usize>,
}

/// One step into a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selected {
    /// `.name`, `['name']` or `[0]`.
    Name(SmolStr),
    /// `.*`: every child.
    All,
    /// `[expression]`: which child is not known from the text.
    Unknown,
}

/// A call of a function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Call<'a> {
    /// The function's name, as written; GitHub ignores its case.
    pub function: &'a str,
    /// Its arguments.
    pub arguments: &'a [Expression],
    /// The whole call.
    pub expression: &'a Expression,
}

impl ContextAccess {
    /// Whether this reads the given path or something below it; names are compared without regard to
    /// case, as GitHub does.
    ///
    /// ```
    /// use pyfleet_core::expression::parse;
    ///
    /// let access = &parse("GitHub.event['pull_request'].title").unwrap().contexts()[0];
    /// assert!(access.is_within(&["github", "event"]));
    /// assert!(!access.is_within(&["github", "sha"]));
    /// ```
    #[must_use]
    pub fn is_within(&self, path: &[&str]) -> bool {
        let Some((context, names)) = path.split_first() else { return true };
        self.context.eq_ignore_ascii_case(context)
            && names.len() <= self.selected.len()
            && names.iter().zip(&self.selected).all(|(name, selected)| selected.is(name))
    }

    /// Whether this may read the given path: it reads it, something below it, or something above it, or
    /// selects in a way that the text does not decide.
    #[must_use]
    pub fn may_read(&self, path: &[&str]) -> bool {
        let Some((context, names)) = path.split_first() else { return true };
        self.context.eq_ignore_ascii_case(context)
            && names.iter().zip(&self.selected).all(|(name, selected)| match selected {
                Selected::Name(_) => selected.is(name),
                Selected::All | Selected::Unknown => true,
            })
    }

    /// The name selected at a depth, if the text says it.
    #[must_use]
    pub fn name(&self, depth: usize) -> Option<&str> {
        match self.selected.get(depth) {
            Some(Selected::Name(name)) => Some(name),
            _ => None,
        }
    }
}

impl Selected {
    fn is(&self, name: &str) -> bool {
        matches!(self, Self::Name(own) if own.eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for ContextAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.context)?;
        for selected in &self.selected {
            match selected {
                Selected::Name(name) => write!(f, ".{name}")?,
                Selected::All => f.write_str(".*")?,
                Selected::Unknown => f.write_str("[…]")?,
            }
        }
        Ok(())
    }
}

impl Expression {
    /// Visits this expression and everything below it, from left to right, parents first.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        visit(self);
        match &self.kind {
            Kind::Literal(_) | Kind::Context(_) => {}
            Kind::Call { arguments: children, .. } | Kind::Logical { operands: children, .. } => {
                for child in children {
                    child.walk(visit);
                }
            }
            Kind::Access { base, selector } => {
                base.walk(visit);
                if let Selector::Index(index) = selector {
                    index.walk(visit);
                }
            }
            Kind::Not(operand) => operand.walk(visit),
            Kind::Compare { left, right, .. } => {
                left.walk(visit);
                right.walk(visit);
            }
        }
    }

    /// Every read of a context, each at its full length: `github.event.number` is one, not three.
    #[must_use]
    pub fn contexts(&self) -> Vec<ContextAccess> {
        let mut found = Vec::new();
        self.collect_contexts(&mut found);
        found
    }

    fn collect_contexts(&self, found: &mut Vec<ContextAccess>) {
        if let Some(access) = self.as_context() {
            found.push(access);
            self.collect_contexts_of_indices(found);
            return;
        }
        match &self.kind {
            Kind::Literal(_) | Kind::Context(_) => {}
            Kind::Call { arguments: children, .. } | Kind::Logical { operands: children, .. } => {
                for child in children {
                    child.collect_contexts(found);
                }
            }
            Kind::Access { base, selector } => {
                base.collect_contexts(found);
                if let Selector::Index(index) = selector {
                    index.collect_contexts(found);
                }
            }
            Kind::Not(operand) => operand.collect_contexts(found),
            Kind::Compare { left, right, .. } => {
                left.collect_contexts(found);
                right.collect_contexts(found);
            }
        }
    }

    /// The reads that stand between the brackets of an access: `inputs.name` in `secrets[inputs.name]`.
    fn collect_contexts_of_indices(&self, found: &mut Vec<ContextAccess>) {
        if let Kind::Access { base, selector } = &self.kind {
            base.collect_contexts_of_indices(found);
            if let Selector::Index(index) = selector {
                index.collect_contexts(found);
            }
        }
    }

    /// Every call of a function.
    #[must_use]
    pub fn calls(&self) -> Vec<Call<'_>> {
        let mut found = Vec::new();
        self.walk(&mut |expression| {
            if let Kind::Call { function, arguments } = &expression.kind {
                found.push(Call { function, arguments, expression });
            }
        });
        found
    }

    /// The read of a context that this expression is, if it is one.
    #[must_use]
    pub fn as_context(&self) -> Option<ContextAccess> {
        match &self.kind {
            Kind::Context(name) => {
                Some(ContextAccess { context: name.clone(), selected: Vec::new(), span: self.span.clone() })
            }
            Kind::Access { base, selector } => {
                let mut access = base.as_context()?;
                access.selected.push(match selector {
                    Selector::Property(name) => Selected::Name(name.clone()),
                    Selector::Star => Selected::All,
                    Selector::Index(index) => match &index.kind {
                        Kind::Literal(Literal::String(name)) => Selected::Name(name.into()),
                        Kind::Literal(Literal::Number(number)) => Selected::Name(number.to_smolstr()),
                        _ => Selected::Unknown,
                    },
                });
                access.span = self.span.clone();
                Some(access)
            }
            _ => None,
        }
    }

    /// Moves every offset by `base`.
    pub(super) fn shift(&mut self, base: usize) {
        self.span = self.span.start + base..self.span.end + base;
        match &mut self.kind {
            Kind::Literal(_) | Kind::Context(_) => {}
            Kind::Call { arguments: children, .. } | Kind::Logical { operands: children, .. } => {
                for child in children {
                    child.shift(base);
                }
            }
            Kind::Access { base: inner, selector } => {
                inner.shift(base);
                if let Selector::Index(index) = selector {
                    index.shift(base);
                }
            }
            Kind::Not(operand) => operand.shift(base),
            Kind::Compare { left, right, .. } => {
                left.shift(base);
                right.shift(base);
            }
        }
    }
}
