use super::script::{HOSTILE, Script};
use serde_json::json;

/// Sunday, 2026-11-22 12:00 UTC.
const SUNDAY_NOON: i64 = 1_795_348_800;
const HOUR: i64 = 3600;

fn at(now: i64, days: &[&str], from: &str, to: &str, zone: &str) -> Script {
    Script::new("maintenance-window.sh")
        .env("ENVIRONMENT", "production")
        .env("WINDOW", json!({"days": days, "from": from, "to": to, "timezone": zone}).to_string())
        .env("NOW", now.to_string())
}

#[test]
fn a_run_goes_on_while_the_window_is_open() {
    for (now, from, to) in [(0, "12:00", "12:01"), (0, "00:00", "23:59"), (HOUR, "12:30", "13:30")] {
        at(SUNDAY_NOON + now, &["sunday"], from, to, "UTC").run().exits(0).shows("is open until");
    }
    // Noon in London is one o'clock in Berlin.
    at(SUNDAY_NOON, &["sunday"], "13:00", "14:00", "Europe/Berlin").run().exits(0);
    // Eleven in the evening there is tomorrow here.
    at(SUNDAY_NOON + 11 * HOUR, &["monday"], "00:00", "01:00", "Europe/Berlin").run().exits(0);
}

#[test]
fn outside_of_it_the_next_opening_is_named() {
    let opens = |text: &str| {
        format!("::error::production is not changed now: its maintenance window opens next on {text}")
    };
    for (now, days, from, to, zone, says) in [
        (0, &["sunday"][..], "12:01", "13:00", "UTC", "Sunday, 2026-11-22 at 12:01 (UTC)"),
        (0, &["sunday"], "11:00", "12:00", "UTC", "Sunday, 2026-11-29 at 11:00 (UTC)"),
        (0, &["tuesday", "thursday"], "20:00", "22:00", "UTC", "Tuesday, 2026-11-24 at 20:00 (UTC)"),
        (0, &["sunday"], "12:00", "12:30", "Europe/Berlin", "Sunday, 2026-11-29 at 12:00 (Europe/Berlin)"),
    ] {
        at(SUNDAY_NOON + now, days, from, to, zone).run().exits(1).says(&opens(says));
    }
}

#[test]
fn the_clock_that_changes_at_night_opens_no_other_window() {
    // Berlin's summer time of 2026 ends on October 25th: the Sunday has 25 hours.
    let saturday_noon = SUNDAY_NOON - 29 * 24 * HOUR;
    at(saturday_noon, &["monday"], "00:30", "01:00", "Europe/Berlin")
        .run()
        .exits(1)
        .says("opens next on Monday, 2026-10-26 at 00:30 (Europe/Berlin)");
}

#[test]
fn every_mistake_of_the_caller_is_a_usage_error() {
    at(SUNDAY_NOON, &["sunday"], "00:00", "23:59", "Europe/Atlantis")
        .run()
        .exits(2)
        .says("does not know the time zone");
    at(SUNDAY_NOON, &[], "00:00", "23:59", "UTC").run().exits(2);
    at(SUNDAY_NOON, &["Sunday"], "00:00", "23:59", "UTC").run().exits(2);
    at(SUNDAY_NOON, &["sunday"], "24:00", "23:59", "UTC").run().exits(2);
    at(SUNDAY_NOON, &["sunday"], "00:00", "23:59", "../../etc/passwd").run().exits(2);
    for hostile in HOSTILE {
        at(SUNDAY_NOON, &["sunday"], "00:00", "23:59", "UTC").env("WINDOW", *hostile).run().exits(2);
        at(SUNDAY_NOON, &["sunday"], "00:00", "23:59", "UTC").env("ENVIRONMENT", *hostile).run().exits(2);
    }
}
