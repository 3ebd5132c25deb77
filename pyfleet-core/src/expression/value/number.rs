//! Numbers as texts, and texts as numbers.

use std::fmt::Write;

/// The text of a number: at most 15 digits behind the point, as JavaScript writes it.
///
/// ```
/// use pyfleet_core::expression::value::text_of;
///
/// assert_eq!(text_of(1.2), "1.2");
/// assert_eq!(text_of(-0.0), "0");
/// assert_eq!(text_of(1e21), "1e+21");
/// assert_eq!(text_of(f64::NAN), "NaN");
/// ```
#[must_use]
pub fn text_of(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    if !number.is_finite() || number.abs() >= 1e21 {
        return shortest(number);
    }
    // Halfway between two, JavaScript takes the larger; a half of the sixteenth digit is a multiple of 2^-16.
    let halves = number.abs() * 65_536.0;
    let is_half = halves.fract() == 0.0 && halves % 2.0 == 1.0;
    let magnitude = if is_half { number.abs().next_up() } else { number.abs() };
    let rounded: f64 = format!("{magnitude:.15}").parse().unwrap_or(magnitude);
    shortest(if rounded == 0.0 { 0.0 } else { rounded.copysign(number) })
}

/// The shortest text that means a number, as JavaScript's `Number.prototype.toString` lays it out.
pub(super) fn shortest(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if number == 0.0 {
        return "0".to_owned();
    }
    let magnitude = number.abs();
    let sign = if number < 0.0 { "-" } else { "" };
    if (1e-6..1e21).contains(&magnitude) {
        return format!("{number}");
    }
    let scientific = format!("{magnitude:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent_sign = if exponent.starts_with('-') { "" } else { "+" };
    let mut text = String::new();
    let _ = write!(text, "{sign}{digits}e{exponent_sign}{exponent}");
    text
}

/// The number that a text means, `NaN` for none: decimal, `0x…`, `0o…`, `Infinity`; a blank text is 0.
///
/// ```
/// use pyfleet_core::expression::value::number_of;
///
/// assert_eq!(number_of(" 1e3\n"), 1000.0);
/// assert_eq!(number_of("0xff"), 255.0);
/// assert_eq!(number_of(""), 0.0);
/// assert!(number_of("1x").is_nan());
/// ```
#[must_use]
pub fn number_of(text: &str) -> f64 {
    let text = text.trim_matches(|character: char| character.is_whitespace() || character == '\u{feff}');
    if text.is_empty() {
        return 0.0;
    }
    crate::expression::lexer::number_value(text).unwrap_or(f64::NAN)
}
