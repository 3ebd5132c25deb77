//! Finding `${{ … }}` in text.

use std::iter;
use std::ops::Range;

use super::{Expression, Mistake, MistakeKind, parse};
use crate::source::find_byte;

/// An expression in a text, with every offset counted from the start of that text.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// The bytes from `${{` through `}}`.
    pub span: Range<usize>,
    /// What stands between them.
    pub expression: Expression,
}

/// Whether an expression opens in a text: `${{` stands in it.
///
/// ```
/// use pyfleet_core::expression::opens_in;
///
/// assert!(opens_in("refs/heads/${{ github.ref_name }}"));
/// assert!(!opens_in("$HOME/{{ template }}"));
/// ```
#[must_use]
pub fn opens_in(text: &str) -> bool {
    next_open(text, 0).is_some()
}

/// Where the next `${{` stands. Most texts are short and hold none, so that what prepares a search costs more than it.
fn next_open(text: &str, from: usize) -> Option<usize> {
    let dollar = |from: &usize| find_byte(text.as_bytes(), b'$', *from);
    iter::successors(dollar(&from), |last| dollar(&(last + 1))).find(|at| text[*at..].starts_with("${{"))
}

/// Every `${{ … }}` in a text, and every mistake in one.
///
/// A `}}` inside a string does not close an expression, as in GitHub's reader.
///
/// ```
/// use pyfleet_core::expression::embedded;
///
/// let (found, mistakes) = embedded("${{ '}}' }} and ${{ 1 + }}");
/// assert_eq!(found[0].span, 0..11);
/// assert_eq!(mistakes[0].span, 22..23);
/// ```
#[must_use]
pub fn embedded(text: &str) -> (Vec<Embedded>, Vec<Mistake>) {
    let (mut found, mut mistakes) = (Vec::new(), Vec::new());
    let mut position = 0;
    while let Some(start) = next_open(text, position) {
        let inside = start + 3;
        let Some(length) = length_to_close(&text[inside..]) else {
            mistakes.push(Mistake { kind: MistakeKind::NotClosed, span: start..text.len() });
            break;
        };
        position = inside + length + 2;
        match parse_at(text, inside..inside + length) {
            Ok(expression) => found.push(Embedded { span: start..position, expression }),
            Err(Mistake { kind: MistakeKind::Empty, .. }) => {
                mistakes.push(Mistake { kind: MistakeKind::Empty, span: start..position });
            }
            Err(mistake) => mistakes.push(mistake),
        }
    }
    (found, mistakes)
}

/// The expression of an `if:`, which may be bare or one `${{ … }}`. A blank one is `success()`.
///
/// ```
/// use pyfleet_core::expression::condition;
///
/// assert_eq!(condition("!cancelled()").unwrap().to_string(), "!cancelled()");
/// assert_eq!(condition("${{ a }}").unwrap().to_string(), "a");
/// assert_eq!(condition("").unwrap().to_string(), "success()");
/// assert!(condition("${{ a }} == 'b'").is_err());
/// ```
///
/// # Errors
/// Every mistake, also text around `${{ }}`, were it only a line break: GitHub accepts that, and takes the whole as a
/// text, which is always true.
pub fn condition(text: &str) -> Result<Expression, Vec<Mistake>> {
    if text.trim().is_empty() {
        return parse("success()").map_err(|mistake| vec![mistake]);
    }
    if !opens_in(text) {
        return parse(text).map_err(|mistake| vec![mistake]);
    }
    let (mut found, mistakes) = embedded(text);
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    match found.pop() {
        Some(only) if found.is_empty() && only.span == (0..text.len()) => Ok(only.expression),
        _ => Err(vec![Mistake { kind: MistakeKind::TextAroundCondition, span: 0..text.len() }]),
    }
}

/// Where the `}}` stands that closes an expression: the first one outside quotes.
fn length_to_close(text: &str) -> Option<usize> {
    let mut quoted = false;
    let bytes = text.as_bytes();
    for (position, byte) in bytes.iter().enumerate() {
        match byte {
            b'\'' => quoted = !quoted,
            b'}' if !quoted && bytes.get(position + 1) == Some(&b'}') => return Some(position),
            _ => {}
        }
    }
    None
}

fn parse_at(text: &str, range: Range<usize>) -> Result<Expression, Mistake> {
    let base = range.start;
    let mut expression = parse(&text[range])
        .map_err(|mistake| Mistake { span: mistake.span.start + base..mistake.span.end + base, ..mistake })?;
    expression.shift(base);
    Ok(expression)
}
