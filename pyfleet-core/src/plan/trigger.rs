//! What starts a workflow: the kind's own triggers, or those that the manifest names.

use super::code_scanning;
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{self, Kind, Switch};
use crate::project::{Project, WorkflowWish};
use crate::workflow::{Dispatch, MergeGroup, PullRequest, Push, Schedule, Triggers};

pub(super) fn resolve(
    project: &Project,
    kind: Kind,
    wish: &WorkflowWish,
    origin: &Path,
    findings: &mut Diagnostics,
) -> Triggers {
    let branches = match kind {
        Kind::Pipeline | Kind::TfAuto if !project.environments.is_empty() => environment_branches(project),
        _ => vec![project.default_branch.clone()],
    };
    if let Some(written) = &wish.on {
        check_allowed(kind, written, origin, findings);
    }
    let by_hand = Triggers { workflow_dispatch: Some(Dispatch::default()), ..Triggers::default() };
    match kind {
        // Its own plan adds what the person is asked.
        Kind::Deploy | Kind::Rollback | Kind::Tf => return by_hand,
        Kind::TestOidc if wish.on.is_none() => return by_hand,
        Kind::Pipeline if wish.on.is_none() => {
            return Triggers { pull_request: Some(PullRequest::default()), ..by_hand };
        }
        Kind::CheckState | Kind::Metrics if wish.on.is_none() => {
            return Triggers {
                schedule: vec![Schedule { cron: WEEKLY.to_owned(), timezone: None }],
                ..by_hand
            };
        }
        Kind::TfDrift if wish.on.is_none() => {
            return Triggers {
                schedule: vec![Schedule { cron: DAILY.to_owned(), timezone: None }],
                ..by_hand
            };
        }
        Kind::TfAuto if wish.on.is_none() => {
            return Triggers {
                push: Some(Push { branches, ..Push::default() }),
                schedule: vec![Schedule { cron: WORKDAYS.to_owned(), timezone: None }],
                ..by_hand
            };
        }
        Kind::Build
        | Kind::CheckState
        | Kind::Metrics
        | Kind::Pipeline
        | Kind::Terraform
        | Kind::Test
        | Kind::TestOidc
        | Kind::TfAuto
        | Kind::TfDrift => {}
    }
    let Some(written) = &wish.on else {
        return Triggers {
            // Into any branch: a pull request that is pointed at another one would otherwise never be checked,
            // because GitHub starts nothing for that.
            pull_request: Some(PullRequest::default()),
            merge_group: Some(MergeGroup::default()),
            // Keeps the build cache warm, and what pull requests are compared with.
            push: (kind != Kind::Terraform || code_scanning::is_available(project))
                .then(|| Push { branches, ..Push::default() }),
            ..Triggers::default()
        };
    };
    let limited = |switch: &Option<Switch>, on: Vec<String>| match switch {
        None | Some(Switch::Off) => None,
        Some(Switch::On) => Some(on),
        Some(Switch::Branches(branches)) => Some(branches.iter().map(ToString::to_string).collect()),
    };
    let triggers = Triggers {
        pull_request: limited(&written.pull_request, Vec::new())
            .map(|branches| PullRequest { branches, ..PullRequest::default() }),
        merge_group: (written.merge_group == Some(true)).then(MergeGroup::default),
        push: limited(&written.push, branches.clone()).map(|branches| Push { branches, ..Push::default() }),
        workflow_dispatch: (written.manual == Some(true)).then(Dispatch::default),
        schedule: schedules(written, &origin.key("on").key("schedule"), findings),
        ..Triggers::default()
    };
    if kind == Kind::TfAuto {
        check_branches(&triggers, &branches, origin, findings);
        // A run after a failure, a promotion and a destruction are asked for.
        return Triggers { workflow_dispatch: by_hand.workflow_dispatch, ..triggers };
    }
    if triggers == Triggers::default() {
        findings.push(
            Diagnostic::error("trigger-sane", origin.key("on"), "nothing would ever start this workflow")
                .with_help("name a trigger, or take `on` out: the kind has triggers of its own"),
        );
    }
    triggers
}

/// The branches that may act on an environment.
fn environment_branches(project: &Project) -> Vec<String> {
    let mut branches: Vec<String> =
        project.environments.iter().map(|environment| environment.branch.to_string()).collect();
    branches.sort_unstable();
    branches.dedup();
    branches
}

/// A push to another branch would work on nothing.
fn check_branches(triggers: &Triggers, known: &[String], origin: &Path, findings: &mut Diagnostics) {
    let pushed = triggers.push.iter().flat_map(|push| &push.branches);
    for branch in pushed.filter(|branch| !known.contains(branch)) {
        findings.push(
            Diagnostic::error(
                "trigger-sane",
                Place::key(origin.key("on").key("push")),
                format!("no environment is worked on from `{branch}`"),
            )
            .with_help(format!("the environments' branches are: {}", known.join(", "))),
        );
    }
}

/// Every working day, before people are at work, off the hour.
const WORKDAYS: &str = "23 3 * * 1-5";

/// Monday morning, off the hour, when the clocks of the world start everything.
const WEEKLY: &str = "41 4 * * 1";
/// At night, off the hour as well.
const DAILY: &str = "41 1 * * *";

/// A trigger that a kind cannot serve: its jobs run in environments that a pull request or another branch may not
/// enter, or it asks a person.
fn check_allowed(kind: Kind, written: &manifest::Triggers, origin: &Path, findings: &mut Diagnostics) {
    let allowed: &[&str] = match kind {
        Kind::Deploy | Kind::Rollback | Kind::Tf => &["manual"],
        Kind::CheckState | Kind::Metrics | Kind::TfDrift => &["manual", "schedule"],
        Kind::TfAuto => &["manual", "push", "schedule"],
        Kind::TestOidc => &["manual", "pull-request"],
        Kind::Build | Kind::Pipeline | Kind::Terraform | Kind::Test => return,
    };
    let needs_a_person = match kind {
        Kind::TfAuto => Some((
            "a destruction and a promotion are only started by hand".to_owned(),
            "take it out: nobody has to start anything by hand",
        )),
        _ if *allowed == ["manual"] => {
            Some((format!("nothing else starts `{}`", kind.name()), "take it out, or set `enabled: false`"))
        }
        _ => None,
    };
    if let Some((message, help)) = needs_a_person.filter(|_| written.manual == Some(false)) {
        findings
            .push(Diagnostic::error("trigger-sane", origin.key("on").key("manual"), message).with_help(help));
    }
    let is_on = |switch: &Option<Switch>| switch.as_ref().is_some_and(|switch| *switch != Switch::Off);
    for (name, is_asked) in [
        ("pull-request", is_on(&written.pull_request)),
        ("merge-group", written.merge_group == Some(true)),
        ("push", is_on(&written.push)),
        ("schedule", written.schedule.is_some()),
    ] {
        if is_asked && !allowed.contains(&name) {
            let allowed: Vec<String> = allowed.iter().map(|name| format!("`{name}`")).collect();
            findings.push(
                Diagnostic::error(
                    "trigger-sane",
                    Place::key(origin.key("on").key(name)),
                    format!("nothing of `{}` can run for this", kind.name()),
                )
                .with_help(format!("it is started by {}", allowed.join(" or "))),
            );
        }
    }
}

fn schedules(written: &manifest::Triggers, path: &Path, findings: &mut Diagnostics) -> Vec<Schedule> {
    let lines = written.schedule.as_ref().map(manifest::OneOrMany::values).unwrap_or_default();
    for line in lines {
        if let Err(reason) = check_cron(line) {
            findings.push(
                Diagnostic::error("trigger-sane", path.clone(), reason)
                    .with_help("five fields: minute, hour, day of the month, month, day of the week; `17 3 * * 1` is Monday, 03:17 UTC"),
            );
        }
    }
    lines.iter().map(|cron| Schedule { cron: cron.clone(), timezone: None }).collect()
}

/// POSIX cron as GitHub reads it, at most every five minutes
/// ([GitHub: schedule](https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#schedule)).
fn check_cron(line: &str) -> Result<(), &'static str> {
    const MONTHS: &[&str] =
        &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    const DAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
    let fields: Vec<&str> = line.split(' ').collect();
    let [minute, hour, day, month, weekday] = fields.as_slice() else {
        return Err("a schedule has five fields, with one space between them");
    };
    let minutes = values(minute, 0, 59, &[])?;
    values(hour, 0, 23, &[])?;
    let (days, months) = (values(day, 1, 31, &[])?, values(month, 1, 12, MONTHS)?);
    values(weekday, 0, 6, DAYS)?;
    // A restricted weekday counts besides the day of the month.
    let longest = months.iter().map(|month| match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    });
    if *weekday == "*" && days.first().copied() > longest.max() {
        return Err("this day never comes: none of these months has it");
    }
    let gaps_ok = minutes.windows(2).all(|pair| matches!(pair, [a, b] if b - a >= 5))
        && matches!((minutes.first(), minutes.last()), (Some(first), Some(last)) if first == last || first + 60 - last >= 5);
    if gaps_ok { Ok(()) } else { Err("GitHub runs a schedule at most every five minutes") }
}

/// The values of one field, sorted.
fn values(field: &str, least: u16, most: u16, names: &[&str]) -> Result<Vec<u16>, &'static str> {
    const WRONG: &str = "a field of the schedule is `*`, a value, a range `a-b`, a list `a,b` or a step `*/n`, within its limits";
    let number = |text: &str| {
        let named = names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let value = match named {
            Some(position) => u16::try_from(position).ok().map(|position| position + least),
            None => text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten(),
        };
        value.filter(|value| (least..=most).contains(value)).ok_or(WRONG)
    };
    let mut found = Vec::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<u16>().ok().filter(|step| *step > 0).ok_or(WRONG)?),
            None => (part, 1),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (least, most),
            Some((from, to)) => (number(from)?, number(to)?),
            None if part.contains('/') => (number(range)?, most),
            None => (number(range)?, number(range)?),
        };
        if from > to {
            return Err(WRONG);
        }
        found.extend((from..=to).step_by(usize::from(step)));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::check_cron;

    #[test]
    fn reads_cron_as_github_does() {
        for line in [
            "17 3 * * 1",
            "*/5 * * * *",
            "0,30 9-17 * * MON-FRI",
            "23 3 1 jan *",
            "5/20 * * * *",
            "0 0 29 2 *",
            "0 0 31 2 1",
        ] {
            assert_eq!(check_cron(line), Ok(()), "{line}");
        }
        for line in [
            "",
            "* * * * *",
            "*/4 * * * *",
            "@daily",
            "60 * * * *",
            "1 2 3 4",
            "1  2 3 4 5",
            "1 2 3 4 7",
            "5-1 * * * *",
            "*/0 * * * *",
            "0,58 * * * *",
            "a * * * *",
            "0 0 31 2,4,6,9,11 *",
            "+1 * * * *",
        ] {
            assert!(check_cron(line).is_err(), "{line}");
        }
    }
}
