//! Tokens → tree. From loose to tight: `||`, `&&`, `==` `!=`, `<` `<=` `>` `>=`, `!`, then access.

use std::ops::Range;

use smol_str::SmolStr;

use super::lexer::{Spanned, Token, tokens};
use super::{Comparison, Expression, Kind, Logical, MAX_DEPTH, MAX_LENGTH, Mistake, MistakeKind, Selector};

/// The expression that a text is, without `${{ }}` around it.
///
/// ```
/// use pyfleet_core::expression::{parse, Kind, MistakeKind};
///
/// let expression = parse("github.ref == 'refs/heads/main'").unwrap();
/// assert!(matches!(expression.kind, Kind::Compare { .. }));
/// assert_eq!(parse("github.").unwrap_err().kind, MistakeKind::UnexpectedEnd);
/// ```
///
/// # Errors
/// The first mistake, with its bytes in `text`.
pub fn parse(text: &str) -> Result<Expression, Mistake> {
    if text.len() > MAX_LENGTH && text.encode_utf16().count() > MAX_LENGTH {
        return Err(Mistake { kind: MistakeKind::TooLong, span: 0..text.len() });
    }
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Err(Mistake { kind: MistakeKind::Empty, span: 0..text.len() });
    }
    let mut parser = Parser { text, tokens, position: 0, nesting: 0 };
    let tree = parser.or()?;
    match parser.tokens.get(parser.position) {
        Some(_) => Err(parser.unexpected()),
        None => Ok(tree.expression),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Spanned>,
    position: usize,
    /// How many brackets and negations are open, which bounds the recursion.
    nesting: usize,
}

/// An expression, how many levels it has, and its bytes with parentheses.
struct Tree {
    expression: Expression,
    depth: usize,
    outer: Range<usize>,
}

impl Tree {
    fn new(kind: Kind, depth: usize, span: Range<usize>) -> Result<Self, Mistake> {
        if depth > MAX_DEPTH {
            return Err(Mistake { kind: MistakeKind::TooDeep, span });
        }
        Ok(Self { expression: Expression { kind, span: span.clone() }, depth, outer: span })
    }

    fn boxed(self) -> Box<Expression> {
        Box::new(self.expression)
    }
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.position).map(|spanned| &spanned.token)
    }

    fn span(&self) -> Range<usize> {
        self.tokens
            .get(self.position)
            .map_or(self.text.len()..self.text.len(), |spanned| spanned.span.clone())
    }

    fn take(&mut self, token: &Token) -> bool {
        let taken = self.peek() == Some(token);
        self.position += usize::from(taken);
        taken
    }

    /// Takes a closing token and gives its end.
    fn close(&mut self, token: &Token) -> Result<usize, Mistake> {
        let end = self.span().end;
        if self.take(token) { Ok(end) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> Mistake {
        let span = self.span();
        let kind = match self.text.get(span.clone()) {
            Some(symbol) if !symbol.is_empty() => MistakeKind::Unexpected(symbol.to_owned()),
            _ => MistakeKind::UnexpectedEnd,
        };
        Mistake { kind, span }
    }

    /// Runs `inner` one level deeper.
    fn nested(&mut self, inner: fn(&mut Self) -> Result<Tree, Mistake>) -> Result<Tree, Mistake> {
        if self.nesting == MAX_DEPTH {
            return Err(Mistake { kind: MistakeKind::TooDeep, span: self.span() });
        }
        self.nesting += 1;
        let tree = inner(self);
        self.nesting -= 1;
        tree
    }

    fn or(&mut self) -> Result<Tree, Mistake> {
        self.logical(Logical::Or, Self::and)
    }

    fn and(&mut self) -> Result<Tree, Mistake> {
        self.logical(Logical::And, Self::equality)
    }

    /// A chain of one operator is one level, as in GitHub's tree.
    fn logical(
        &mut self,
        operator: Logical,
        operand: fn(&mut Self) -> Result<Tree, Mistake>,
    ) -> Result<Tree, Mistake> {
        let first = operand(self)?;
        if self.peek() != Some(&Token::Logical(operator)) {
            return Ok(first);
        }
        let (mut depth, mut outer) = (first.depth, first.outer.clone());
        let mut operands = vec![first.expression];
        while self.take(&Token::Logical(operator)) {
            let next = operand(self)?;
            depth = depth.max(next.depth);
            outer.end = next.outer.end;
            operands.push(next.expression);
        }
        Tree::new(Kind::Logical { operator, operands }, depth + 1, outer)
    }

    fn equality(&mut self) -> Result<Tree, Mistake> {
        self.compare(|op| matches!(op, Comparison::Equal | Comparison::NotEqual), Self::relation)
    }

    fn relation(&mut self) -> Result<Tree, Mistake> {
        self.compare(|op| !matches!(op, Comparison::Equal | Comparison::NotEqual), Self::unary)
    }

    fn compare(
        &mut self,
        belongs: fn(Comparison) -> bool,
        operand: fn(&mut Self) -> Result<Tree, Mistake>,
    ) -> Result<Tree, Mistake> {
        let mut left = operand(self)?;
        while let Some(&Token::Compare(operator)) = self.peek() {
            if !belongs(operator) {
                break;
            }
            self.position += 1;
            let right = operand(self)?;
            let depth = left.depth.max(right.depth) + 1;
            let outer = left.outer.start..right.outer.end;
            left = Tree::new(
                Kind::Compare { operator, left: left.boxed(), right: right.boxed() },
                depth,
                outer,
            )?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Tree, Mistake> {
        let start = self.span().start;
        if !self.take(&Token::Not) {
            return self.access();
        }
        let operand = self.nested(Self::unary)?;
        let (depth, end) = (operand.depth + 1, operand.outer.end);
        Tree::new(Kind::Not(operand.boxed()), depth, start..end)
    }

    fn access(&mut self) -> Result<Tree, Mistake> {
        let mut tree = self.primary()?;
        if matches!(tree.expression.kind, Kind::Literal(_)) && tree.outer == tree.expression.span {
            return Ok(tree);
        }
        loop {
            let (selector, depth, end) = if self.take(&Token::Dot) {
                let end = self.span().end;
                let selector = match self.peek() {
                    Some(Token::Star) => Selector::Star,
                    Some(Token::Name(name)) => Selector::Property(name.clone()),
                    _ => return Err(self.unexpected()),
                };
                self.position += 1;
                (selector, 0, end)
            } else if self.take(&Token::OpenIndex) {
                let (selector, depth) = if self.take(&Token::Star) {
                    (Selector::Star, 0)
                } else {
                    let index = self.nested(Self::or)?;
                    let depth = index.depth;
                    (Selector::Index(index.boxed()), depth)
                };
                (selector, depth, self.close(&Token::CloseIndex)?)
            } else {
                return Ok(tree);
            };
            let (depth, span) = (tree.depth.max(depth) + 1, tree.outer.start..end);
            tree = Tree::new(Kind::Access { base: tree.boxed(), selector }, depth, span)?;
        }
    }

    fn primary(&mut self) -> Result<Tree, Mistake> {
        let span = self.span();
        match self.peek().cloned() {
            Some(Token::Literal(literal)) => {
                self.position += 1;
                Tree::new(Kind::Literal(literal), 1, span)
            }
            Some(Token::Name(name)) => {
                self.position += 1;
                if self.take(&Token::OpenGroup) {
                    self.call(name, span.start)
                } else {
                    Tree::new(Kind::Context(name), 1, span)
                }
            }
            Some(Token::OpenGroup) => {
                self.position += 1;
                let mut tree = self.nested(Self::or)?;
                tree.outer = span.start..self.close(&Token::CloseGroup)?;
                Ok(tree)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn call(&mut self, function: SmolStr, start: usize) -> Result<Tree, Mistake> {
        let (mut arguments, mut depth) = (Vec::new(), 0);
        if self.peek() != Some(&Token::CloseGroup) {
            loop {
                let argument = self.nested(Self::or)?;
                depth = depth.max(argument.depth);
                arguments.push(argument.expression);
                if !self.take(&Token::Comma) {
                    break;
                }
            }
        }
        let end = self.close(&Token::CloseGroup)?;
        Tree::new(Kind::Call { function, arguments }, depth + 1, start..end)
    }
}
