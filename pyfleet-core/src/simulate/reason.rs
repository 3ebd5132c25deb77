//! Why a condition holds or does not: the parts of it that decide, and what they have read.

use crate::expression::evaluate::{Scope, evaluate};
use crate::expression::value::Value;
use crate::expression::{Expression, Kind, Logical};

/// Reasons in a row; what several of them depend on is listed once.
///
/// ```
/// use pyfleet_core::simulate::reasons;
///
/// let because = ["it depends on `vars.A`", "it depends on `vars.B`"].map(str::to_owned);
/// assert_eq!(reasons(&because), "it depends on `vars.A`, `vars.B`");
/// ```
#[must_use]
pub fn reasons(because: &[String]) -> String {
    const DEPENDS: &str = "it depends on ";
    let mut text = String::new();
    for (position, reason) in because.iter().enumerate() {
        let before = position.checked_sub(1).map(|before| because[before].as_str());
        match (before, reason.strip_prefix(DEPENDS)) {
            (None, _) => text.push_str(reason),
            (Some(before), Some(what)) if before.starts_with(DEPENDS) => text.push_str(&format!(", {what}")),
            (Some(_), _) => text.push_str(&format!("; {reason}")),
        }
    }
    text
}

/// So many parts are told; a condition may have thousands.
const MOST: usize = 8;

/// The parts that make a condition hold, or not hold.
pub(super) fn decides(expression: &Expression, text: &str, scope: &Scope, holds: bool) -> Vec<String> {
    let mut reasons = Vec::new();
    collect(expression, text, scope, holds, &mut reasons);
    reasons
}

fn collect(expression: &Expression, text: &str, scope: &Scope, holds: bool, reasons: &mut Vec<String>) {
    if reasons.len() >= MOST {
        return;
    }
    match &expression.kind {
        Kind::Not(operand) => collect(operand, text, scope, !holds, reasons),
        Kind::Logical { operator, operands } => {
            let one_decides = (*operator == Logical::Or) == holds;
            let decided = |operand: &&Expression| {
                evaluate(operand, scope).is_ok_and(|value| value.truth() == Some(holds))
            };
            let deciding: Vec<&Expression> = if one_decides {
                operands.iter().find(decided).into_iter().collect()
            } else {
                operands.iter().collect()
            };
            for operand in deciding {
                collect(operand, text, scope, holds, reasons);
            }
        }
        _ => {
            let reason = part(expression, text, scope, holds);
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
    }
}

/// One part, and what it has read.
fn part(expression: &Expression, text: &str, scope: &Scope, holds: bool) -> String {
    let own = written(expression, text);
    if expression.as_context().is_some() {
        return read(expression, text, scope).unwrap_or_else(|| format!("`{own}` is {holds}"));
    }
    let mut values: Vec<String> = Vec::new();
    expression.walk(&mut |inside| {
        if inside.as_context().is_some()
            && let Some(value) = read(inside, text, scope)
            && !values.contains(&value)
            && values.len() < MOST
        {
            values.push(value);
        }
    });
    if values.is_empty() {
        format!("`{own}` is {holds}")
    } else {
        format!("`{own}` is {holds}: {}", values.join(", "))
    }
}

/// What a context is, in words; nothing for what has no short form.
fn read(access: &Expression, text: &str, scope: &Scope) -> Option<String> {
    let evaluated = evaluate(access, scope).ok()?;
    let value = evaluated.value()?;
    let name = written(access, text);
    match value {
        Value::Null => Some(format!("`{name}` is empty")),
        Value::String(text) if text.is_empty() => Some(format!("`{name}` is empty")),
        primitive if primitive.is_primitive() => Some(format!("`{name}` is `{}`", primitive.text()?)),
        _ => None,
    }
}

/// What is not known, and decides.
pub(super) fn unknown(because: &[std::ops::Range<usize>], text: &str) -> Vec<String> {
    let mut reasons: Vec<String> = Vec::new();
    for span in because {
        let reason = format!("it depends on `{}`", one_line(text.get(span.clone()).unwrap_or_default()));
        if !reasons.contains(&reason) && reasons.len() < MOST {
            reasons.push(reason);
        }
    }
    reasons
}

fn written(expression: &Expression, text: &str) -> String {
    one_line(text.get(expression.span.clone()).unwrap_or_default())
}

/// Conditions may be written over several lines.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
