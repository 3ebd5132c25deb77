//! The times of `schedule:`, as GitHub's parser reads them: five fields of numbers, names, lists, ranges and steps.

use super::Workflow;
use crate::diagnostic::{Diagnostic, Diagnostics, Path};

const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// What a field may hold.
struct Field {
    name: &'static str,
    lowest: f64,
    highest: f64,
    /// Words for the numbers from the lowest on.
    words: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", lowest: 0.0, highest: 59.0, words: &[] },
    Field { name: "hour", lowest: 0.0, highest: 23.0, words: &[] },
    Field { name: "day of the month", lowest: 1.0, highest: 31.0, words: &[] },
    Field { name: "month", lowest: 1.0, highest: 12.0, words: MONTHS },
    Field { name: "day of the week", lowest: 0.0, highest: 6.0, words: DAYS },
];

/// The times that GitHub refuses.
pub(super) fn mistakes(workflow: &Workflow) -> Diagnostics {
    let mut mistakes = Diagnostics::new();
    for (position, schedule) in workflow.on.schedule.iter().enumerate() {
        if let Some(reason) = wrong(&schedule.cron) {
            let place = Path::of(["on", "schedule"]).index(position).key("cron");
            mistakes.push(Diagnostic::error("workflow-structure", place, reason).with_help(
                "five fields: minute, hour, day of the month, month, day of the week: `17 3 * * 1`",
            ));
        }
    }
    mistakes
}

/// Why a time is none, if it is none.
fn wrong(cron: &str) -> Option<String> {
    let mut fields: Vec<&str> = cron.split(' ').collect();
    // Blanks beside each other are one; at the ends they make an empty field.
    let last = fields.len().saturating_sub(1);
    let mut position = 0;
    fields.retain(|field| {
        position += 1;
        !field.is_empty() || position == 1 || position == last + 1
    });
    if fields.len() != FIELDS.len() {
        return Some(format!("a time has five fields, this has {}", fields.len()));
    }
    let (_, field) = fields.iter().zip(&FIELDS).find(|(text, field)| !field.takes(text, true))?;
    Some(format!("GitHub does not read the {} of this time", field.name))
}

impl Field {
    /// Whether a part of the field is right; `whole` allows lists, steps and ranges.
    fn takes(&self, part: &str, whole: bool) -> bool {
        if part == "*" || self.word(part).is_some() {
            return true;
        }
        if part.contains(',') {
            return whole && part.split(',').all(|own| !own.is_empty() && self.takes(own, true));
        }
        if let Some((start, step)) = part.split_once('/') {
            return whole
                && !start.is_empty()
                && number(step).is_some_and(|step| step > 0.0)
                && self.takes(start, true)
                && self.takes(step, false);
        }
        if let Some((start, end)) = part.split_once('-') {
            return whole
                && !start.is_empty()
                && !end.is_empty()
                && self.takes(start, false)
                && self.takes(end, false)
                && self.value(start).zip(self.value(end)).is_some_and(|(start, end)| end >= start);
        }
        number(part).is_some_and(|value| value >= self.lowest && value <= self.highest)
    }

    fn word(&self, text: &str) -> Option<f64> {
        let position = self.words.iter().position(|word| word.eq_ignore_ascii_case(text))?;
        u32::try_from(position).ok().map(|position| self.lowest + f64::from(position))
    }

    fn value(&self, text: &str) -> Option<f64> {
        self.word(text).or_else(|| number(text))
    }
}

/// JavaScript's reading of a number, but for what is none: GitHub's parser is written in it.
fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let is_number =
        text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    match text {
        "" => Some(0.0),
        _ if is_number => text.parse().ok(),
        _ => {
            let digits = |prefix: &str, radix| {
                text.strip_prefix(prefix).and_then(|digits| u32::from_str_radix(digits, radix).ok())
            };
            digits("0x", 16).or_else(|| digits("0o", 8)).or_else(|| digits("0b", 2)).map(f64::from)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::wrong;

    #[test]
    fn what_github_runs() {
        for cron in [
            "0 0 1 1 0",
            "*/5 * * * *",
            "17 3 * * MON-fri",
            "0,30 8-18/2 1-15 JAN,jul *",
            "5/10 * * * *",
            "0  3 * * *",
        ] {
            assert_eq!(wrong(cron), None, "{cron}");
        }
    }

    #[test]
    fn what_it_does_not() {
        for (cron, reason) in [
            ("@daily", "this has 1"),
            ("0 3 * *", "this has 4"),
            ("0 3 * * * *", "this has 6"),
            (" 0 3 * * *", "this has 6"),
            ("60 * * * *", "the minute"),
            ("* 24 * * *", "the hour"),
            ("* * 0 * *", "the day of the month"),
            ("* * * 13 *", "the month"),
            ("* * * * 7", "the day of the week"),
            ("* * * * fri-mon", "the day of the week"),
            ("*/0 * * * *", "the minute"),
            ("1,,2 * * * *", "the minute"),
            ("1-2-3 * * * *", "the minute"),
            ("1/2/3 * * * *", "the minute"),
            ("-1 * * * *", "the minute"),
        ] {
            assert!(wrong(cron).is_some_and(|own| own.contains(reason)), "{cron}: {:?}", wrong(cron));
        }
    }
}
