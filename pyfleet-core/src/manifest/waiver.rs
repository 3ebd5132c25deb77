//! Findings that are accepted for a while.

use super::name::checked_string;

/// A finding that is accepted, with a reason and an end.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Waiver {
    /// The rule's code; or what a scanner calls its finding, as in `AVD-AWS-0089`, `CVE-2026-1234` or `no-eval`.
    pub rule: String,
    /// Where: a workflow, or a workflow and a job, as in `test.test-api-unit`; for `container-mutable-tag` an image, as
    /// in `images.web`. For `validate`, a workflow file that the manifest does not render, or a job of it:
    /// `.github/workflows/legacy.yml`, `.github/workflows/legacy.yml:build`. For a scanner's finding, what was scanned:
    /// `terraform.stacks.app`, `images.web`, or a test group and the tool, as in `tests.api.pip-audit`.
    pub at: String,
    /// Why it is accepted.
    pub reason: String,
    /// The last day on which it is accepted.
    pub until: Date,
}

checked_string! {
    /// A day: `2027-03-31`.
    Date, pattern: "^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$", max: 10,
    check: |text| {
        let number = |range: std::ops::Range<usize>| text.get(range).and_then(|part| {
            part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u16>().ok()).flatten()
        });
        text.len() == 10
            && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-'
            && number(0..4).is_some_and(|year| (2000..2100).contains(&year))
            && number(5..7).is_some_and(|month| (1..=12).contains(&month))
            && number(8..10).is_some_and(|day| {
                let year = number(0..4).unwrap_or_default();
                let last = match number(5..7) {
                    // Every fourth year from 2000 to 2099.
                    Some(2) if year.is_multiple_of(4) => 29,
                    Some(2) => 28,
                    Some(4 | 6 | 9 | 11) => 30,
                    _ => 31,
                };
                (1..=last).contains(&day)
            })
    },
    says: "a day is written as in `2027-03-31`"
}
