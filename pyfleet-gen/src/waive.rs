//! Waivers: findings that the project accepts for a while.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use pyfleet_core::diagnostic::{Diagnostic, Diagnostics, Segment};
use pyfleet_core::project::{WaivedAt, Waiver};

/// Takes out the findings about the manifest that a waiver covers. What comes back is about those waivers themselves.
pub(crate) fn accept(waivers: &[Waiver], findings: Diagnostics) -> (Diagnostics, Diagnostics) {
    let own: Vec<Waiver> =
        waivers.iter().filter(|waiver| matches!(waiver.at, WaivedAt::Manifest(_))).cloned().collect();
    let (mut kept, about) = take_out(&own, vec![(String::new(), findings)]);
    (kept.pop().map(|(_, findings)| findings).unwrap_or_default(), about)
}

/// Takes out the findings about a workflow file that the manifest does not render, named from the repository's root.
pub(crate) fn accept_in(waivers: &[Waiver], file: String, findings: Diagnostics) -> Diagnostics {
    let own: Vec<Waiver> =
        waivers.iter().filter(|waiver| !matches!(waiver.at, WaivedAt::Manifest(_))).cloned().collect();
    let (mut kept, _) = take_out(&own, vec![(file, findings)]);
    kept.pop().map(|(_, findings)| findings).unwrap_or_default()
}

/// Takes out the findings about workflows that a waiver covers. What comes back second is about the waivers themselves: one
/// that has ended, or that covers nothing, is a finding too.
pub(crate) fn apply(
    waivers: &[Waiver],
    judged: Vec<(String, Diagnostics)>,
) -> (Vec<(String, Diagnostics)>, Diagnostics) {
    let own: Vec<Waiver> =
        waivers.iter().filter(|waiver| matches!(waiver.at, WaivedAt::Workflow { .. })).cloned().collect();
    take_out(&own, judged)
}

fn take_out(
    waivers: &[Waiver],
    judged: Vec<(String, Diagnostics)>,
) -> (Vec<(String, Diagnostics)>, Diagnostics) {
    if waivers.is_empty() {
        return (judged, Diagnostics::new());
    }
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date().to_string();
    let mut about = Diagnostics::new();
    let mut used = vec![false; waivers.len()];
    let mut left = Vec::with_capacity(judged.len());
    for (file, findings) in judged {
        let mut kept = Diagnostics::new();
        for finding in findings {
            let mut last_day = None;
            for (waiver, used) in
                waivers.iter().zip(&mut used).filter(|(waiver, _)| covers(waiver, &file, &finding))
            {
                *used = true;
                last_day = last_day.max(Some(waiver.until.as_str()));
            }
            match last_day {
                Some(day) if day >= today.as_str() => {}
                Some(day) => kept.push(finding.with_help(format!("a waiver covered it until {day}"))),
                None => kept.push(finding),
            }
        }
        left.push((file, kept));
    }
    for (waiver, _) in waivers.iter().zip(used).filter(|(_, used)| !used) {
        about.push(
            Diagnostic::warning("waiver-unused", waiver.origin.key("rule"), "the waiver covers nothing")
                .with_help("take it out: what it was for is gone, or has another place"),
        );
    }
    (left, about)
}

fn covers(waiver: &Waiver, file: &str, finding: &Diagnostic) -> bool {
    let is_in = |job: &str| matches!(finding.place.path.segments(), [Segment::Key(jobs), Segment::Key(own), ..] if jobs == "jobs" && own == job);
    let is_there = match &waiver.at {
        WaivedAt::Workflow { name, job } => {
            file == format!(".github/workflows/{name}.yml") && job.as_deref().is_none_or(is_in)
        }
        WaivedAt::File { name, job } => {
            file.strip_prefix(".github/workflows/") == Some(name) && job.as_deref().is_none_or(is_in)
        }
        WaivedAt::Manifest(path) => finding.place.path.segments().starts_with(path.segments()),
        // The run that scans judges that.
        WaivedAt::Scanned(_) => false,
    };
    finding.code == waiver.rule && is_there
}
