//! What deliveries are measured against, within bounds.

use crate::diagnostic::{Diagnostic, Diagnostics, Path};
use crate::manifest::Targets;

pub(super) fn resolve(written: Targets, findings: &mut Diagnostics) -> Targets {
    let Targets {
        pipeline_minutes,
        success_rate,
        rollback_minutes,
        lead_time_minutes,
        change_failure_rate,
        recovery_minutes,
    } = written;
    for (key, value, range) in [
        ("pipeline-minutes", pipeline_minutes, 1..=1440),
        ("success-rate", success_rate.map(u16::from), 1..=100),
        ("rollback-minutes", rollback_minutes, 1..=1440),
        ("lead-time-minutes", lead_time_minutes, 1..=43_200),
        ("change-failure-rate", change_failure_rate.map(u16::from), 0..=100),
        ("recovery-minutes", recovery_minutes, 1..=43_200),
    ] {
        if value.is_some_and(|value| !range.contains(&value)) {
            let message = format!("use a value from {} to {}", range.start(), range.end());
            findings.push(Diagnostic::error("invalid-value", Path::of(["targets", key]), message));
        }
    }
    written
}
