//! Text → tokens, as `LexicalAnalyzer` of GitHub's parser cuts them.

use std::ops::Range;

use smol_str::SmolStr;

use super::{Comparison, Literal, Logical, Mistake, MistakeKind};

/// One symbol of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    OpenGroup,
    CloseGroup,
    OpenIndex,
    CloseIndex,
    Comma,
    Dot,
    Star,
    Not,
    Logical(Logical),
    Compare(Comparison),
    Literal(Literal),
    /// A name: of a context, a function or, after a dot, a property.
    Name(SmolStr),
}

/// A token and its bytes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spanned {
    pub(super) token: Token,
    pub(super) span: Range<usize>,
}

/// All tokens of a text, or the first thing that is none.
pub(super) fn tokens(text: &str) -> Result<Vec<Spanned>, Mistake> {
    // About as many as there are in `github.ref == 'x'`.
    let mut tokens: Vec<Spanned> = Vec::with_capacity(text.len() / 4 + 1);
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let start = text.len() - rest.len();
        let (token, length) = one(rest, first, tokens.last().map(|last| &last.token))
            .map_err(|(kind, length)| Mistake { kind, span: start..start + length })?;
        tokens.push(Spanned { token, span: start..start + length });
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// The token that `rest` starts with, and its length in bytes.
fn one(rest: &str, first: char, last: Option<&Token>) -> Result<(Token, usize), (MistakeKind, usize)> {
    let two = |second: char| rest[first.len_utf8()..].starts_with(second);
    let symbol = match first {
        '(' => (Token::OpenGroup, 1),
        ')' => (Token::CloseGroup, 1),
        '[' => (Token::OpenIndex, 1),
        ']' => (Token::CloseIndex, 1),
        ',' => (Token::Comma, 1),
        '*' => (Token::Star, 1),
        '!' if two('=') => (Token::Compare(Comparison::NotEqual), 2),
        '!' => (Token::Not, 1),
        '<' if two('=') => (Token::Compare(Comparison::LessOrEqual), 2),
        '<' => (Token::Compare(Comparison::Less), 1),
        '>' if two('=') => (Token::Compare(Comparison::GreaterOrEqual), 2),
        '>' => (Token::Compare(Comparison::Greater), 1),
        '=' if two('=') => (Token::Compare(Comparison::Equal), 2),
        '&' if two('&') => (Token::Logical(Logical::And), 2),
        '|' if two('|') => (Token::Logical(Logical::Or), 2),
        '\'' => return string(rest),
        '.' if follows_a_value(last) => (Token::Dot, 1),
        '.' | '+' | '-' | '0'..='9' => return number(rest),
        _ => return name(rest, first, last),
    };
    Ok(symbol)
}

/// Whether a dot after this token dereferences; otherwise it starts a number such as `.5`.
const fn follows_a_value(last: Option<&Token>) -> bool {
    !matches!(
        last,
        None | Some(
            Token::OpenGroup
                | Token::OpenIndex
                | Token::Comma
                | Token::Not
                | Token::Logical(_)
                | Token::Compare(_)
        )
    )
}

fn string(rest: &str) -> Result<(Token, usize), (MistakeKind, usize)> {
    let mut value = String::new();
    let mut position = 1;
    while let Some(quote) = rest[position..].find('\'') {
        value.push_str(&rest[position..position + quote]);
        position += quote + 1;
        if !rest[position..].starts_with('\'') {
            return Ok((Token::Literal(Literal::String(value)), position));
        }
        value.push('\'');
        position += 1;
    }
    Err((MistakeKind::StringNotClosed, rest.len()))
}

/// How far a word reaches: to white space or a symbol.
fn word(rest: &str, dots: bool) -> &str {
    let ends = |c: char| {
        c.is_whitespace()
            || matches!(c, '(' | '[' | ')' | ']' | ',' | '!' | '>' | '<' | '=' | '&' | '|')
            || (c == '.' && !dots)
    };
    // Nearly all of any word, and all of most.
    let usual =
        rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')).count();
    let length = usual + rest[usual..].find(ends).unwrap_or(rest.len() - usual);
    &rest[..length]
}

fn number(rest: &str) -> Result<(Token, usize), (MistakeKind, usize)> {
    let word = word(rest, true);
    match number_value(word) {
        Some(value) => Ok((Token::Literal(Literal::Number(value)), word.len())),
        None => Err((MistakeKind::UnknownSymbol(word.to_owned()), word.len())),
    }
}

/// The number that a word means: decimal with an exponent, 32-bit hexadecimal or octal, or infinity.
pub(super) fn number_value(word: &str) -> Option<f64> {
    if let Some(digits) = word.strip_prefix("0x") {
        return based(digits, 16);
    }
    if let Some(digits) = word.strip_prefix("0o") {
        return based(digits, 8);
    }
    match word {
        "Infinity" | "+Infinity" => return Some(f64::INFINITY),
        "-Infinity" => return Some(f64::NEG_INFINITY),
        _ => {}
    }
    let decimal = word.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    if decimal { word.parse().ok() } else { None }
}

/// Hexadecimal and octal numbers are 32 bits wide and signed, as .NET converts them.
fn based(digits: &str, radix: u32) -> Option<f64> {
    if !digits.bytes().all(|b| char::from(b).is_digit(radix)) {
        return None;
    }
    u32::from_str_radix(digits, radix).ok().map(|bits| f64::from(bits.cast_signed()))
}

fn name(rest: &str, first: char, last: Option<&Token>) -> Result<(Token, usize), (MistakeKind, usize)> {
    let word = word(rest, false);
    let word = if word.is_empty() { &rest[..first.len_utf8()] } else { word };
    let legal = (first.is_ascii_alphabetic() || first == '_')
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if !legal {
        return Err((MistakeKind::UnknownSymbol(word.to_owned()), word.len()));
    }
    let token = match word {
        _ if last == Some(&Token::Dot) => Token::Name(word.into()),
        "null" => Token::Literal(Literal::Null),
        "true" => Token::Literal(Literal::Boolean(true)),
        "false" => Token::Literal(Literal::Boolean(false)),
        "NaN" => Token::Literal(Literal::Number(f64::NAN)),
        "Infinity" => Token::Literal(Literal::Number(f64::INFINITY)),
        _ => Token::Name(word.into()),
    };
    Ok((token, word.len()))
}
