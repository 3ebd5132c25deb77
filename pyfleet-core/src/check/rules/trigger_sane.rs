//! `trigger-sane`.

use crate::check::{Check, Group, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Path, Place, Severity};
use crate::yaml::tree::Node;

/// What a filter and its opposite are called.
const FILTERS: [(&str, &str); 3] =
    [("branches", "branches-ignore"), ("tags", "tags-ignore"), ("paths", "paths-ignore")];

pub(super) static RULE: Rule = Rule {
    code: "trigger-sane",
    group: Group::Syntax,
    severity: Severity::Error,
    rejects: false,
    summary: "events can happen as they are filtered and timed",
    documentation: "\
## What it does
Refuses a filter beside its opposite, a pattern that GitHub's globs do not read or that matches nothing, a time that
comes round in less than five minutes, and a time zone that is none.

## Why
GitHub does not start the workflow, mostly without a word: a path never starts with `./`, filters that exclude only
match nothing, and the shortest time between two scheduled runs is five minutes.

## Example
```yaml
on:
  push:
    branches: [main]
    branches-ignore: [wip]
    paths: [./src/**]
```

## Instead
```yaml
on:
  push:
    branches: [main, '!wip']
    paths: [src/**]
```
",
    check: Check::Workflow(check),
};

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let on = Path::of(["on"]);
    let Some(events) = file.document.node(&on) else { return };
    for (event, filters) in events.entries() {
        let place = on.key(event.as_str().unwrap_or_default());
        for (filter, opposite) in FILTERS {
            judge_filter(filters, &place, filter, opposite, findings);
        }
    }
    for (position, schedule) in file.workflow.on.schedule.iter().enumerate() {
        let place = on.key("schedule").index(position);
        if let Some(minutes) = minutes_between(&schedule.cron).filter(|minutes| *minutes < 5) {
            let message =
                format!("comes round in {minutes} minutes; GitHub starts nothing more often than every five");
            findings.push(RULE.finding(place.key("cron"), message));
        }
        if schedule.timezone.as_deref().is_some_and(|zone| !is_zone(zone)) {
            findings.push(
                RULE.finding(place.key("timezone"), "this is no IANA time zone")
                    .with_help("a zone is named `Europe/Berlin` or `UTC`"),
            );
        }
    }
}

fn judge_filter(filters: &Node, event: &Path, filter: &str, opposite: &str, findings: &mut Diagnostics) {
    if filters.get(filter).is_some() && filters.get(opposite).is_some() {
        let message = format!("`{opposite}` cannot stand beside `{filter}`");
        findings.push(
            RULE.finding(Place::key(event.key(opposite)), message)
                .with_help(format!("exclude by a pattern with `!` under `{filter}`")),
        );
    }
    for name in [filter, opposite] {
        let Some(node) = filters.get(name) else { continue };
        let place = event.key(name);
        let alone = node.as_str().map(|pattern| (place.clone(), pattern));
        let listed = node.items().iter().enumerate();
        let listed = listed.filter_map(|(at, item)| Some((place.index(at), item.as_str()?)));
        let patterns: Vec<_> = alone.into_iter().chain(listed).collect();
        for (place, pattern) in &patterns {
            if let Some(reason) = wrong_glob(pattern, filter == "paths") {
                findings.push(RULE.finding(place.clone(), reason));
            }
        }
        let only_excludes =
            !patterns.is_empty() && patterns.iter().all(|(_, pattern)| pattern.starts_with('!'));
        if only_excludes && name == filter {
            findings.push(
                RULE.finding(Place::key(place), "patterns that only exclude match nothing")
                    .with_help(format!("begin with a pattern that includes, or use `{opposite}`")),
            );
        }
    }
}

/// What is wrong with a pattern (GitHub docs, "Filter pattern cheat sheet").
fn wrong_glob(pattern: &str, is_path: bool) -> Option<&'static str> {
    let glob = pattern.strip_prefix('!').unwrap_or(pattern);
    if glob.is_empty() {
        return Some("the pattern is empty");
    }
    if is_path && (glob.starts_with("./") || glob.starts_with("../") || glob.starts_with('/')) {
        return Some("no path starts like this; paths are relative to the repository's root");
    }
    if glob != glob.trim() {
        return Some("a blank at its end makes a pattern that matches nothing");
    }
    let mut open = false;
    let mut before = None;
    let mut letters = glob.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => drop(letters.next()),
            '[' if !open => open = true,
            ']' if open && before == Some('[') => return Some("`[]` matches no character"),
            ']' => open = false,
            '?' | '+' if !open && before.is_none_or(|before| matches!(before, '?' | '+' | '*')) => {
                return Some("`?` and `+` repeat the character before them, and there is none");
            }
            _ => {}
        }
        before = Some(letter);
    }
    open.then_some("the `[` is not closed")
}

/// How often a time comes round within its hour, if it does more than once.
fn minutes_between(cron: &str) -> Option<u32> {
    let field = cron.split_whitespace().next()?;
    let mut minutes = [false; 60];
    for part in field.split(',') {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let step: usize = step.map_or(Ok(1), str::parse).ok().filter(|step| *step > 0)?;
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (0, 59),
            Some((first, last)) => (first.parse().ok()?, last.parse().ok()?),
            None if part.contains('/') => (range.parse().ok()?, 59),
            None => (range.parse().ok()?, range.parse().ok()?),
        };
        for minute in (first..=last.min(59)).step_by(step) {
            *minutes.get_mut(minute)? = true;
        }
    }
    let all: Vec<u32> =
        (0..60).zip(minutes).filter_map(|(minute, is_one)| is_one.then_some(minute)).collect();
    let (first, last) = (*all.first()?, *all.last()?);
    let between = all.windows(2).map(|pair| pair[1] - pair[0]);
    (all.len() > 1).then(|| between.chain([first + 60 - last]).min()).flatten()
}

fn is_zone(zone: &str) -> bool {
    let is_part = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphabetic())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+'))
    };
    zone.split('/').all(is_part) && (zone.contains('/') || zone.bytes().all(|byte| byte.is_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::{RULE, minutes_between};
    use crate::check::fixture;

    #[test]
    fn filters_times_and_zones() {
        fixture::check(
            &RULE,
            "
on:
  push:
    branches: [main]
    branches-ignore: [wip]
#   ^^^^^^^^^^^^^^^ error[trigger-sane]: `branches-ignore` cannot stand beside `branches`
    paths: [./src/**, 'a[', '*?', ' b', '[]']
#           ^^^^^^^^ error[trigger-sane]: no path starts like this
#                     ^^^^ error[trigger-sane]: the `[` is not closed
#                           ^^^^ error[trigger-sane]: repeat the character before them
#                                 ^^^^ error[trigger-sane]: matches nothing
#                                       ^^^^ error[trigger-sane]: matches no character
  pull_request:
    branches: ['!main']
#   ^^^^^^^^ error[trigger-sane]: patterns that only exclude match nothing
  schedule:
    - cron: '*/2 * * * *'
#           ^^^^^^^^^^^^^ error[trigger-sane]: comes round in 2 minutes
    - {cron: 17 3 * * 1, timezone: Berlin}
#                                  ^^^^^^ error[trigger-sane]: no IANA time zone
jobs: {a: {}}
",
        );
    }

    #[test]
    fn usual_filters_pass() {
        fixture::check(
            &RULE,
            "
on:
  push: {branches: [main, 'release/**', '!release/old'], tags: ['v[0-9]+.[0-9]+'], paths-ignore: '**.md'}
  schedule: [{cron: 17 3 * * 1, timezone: Europe/Berlin}, {cron: '*/5 * * * *', timezone: UTC}]
jobs: {a: {}}
",
        );
    }

    #[test]
    fn how_often_a_time_comes_round() {
        for (cron, minutes) in [
            ("* * * * *", Some(1)),
            ("*/20 * * * *", Some(20)),
            ("0,3 * * * *", Some(3)),
            ("0,58 * * * *", Some(2)),
            ("10-12 * * * *", Some(1)),
            ("50/4 * * * *", Some(4)),
            ("7 * * * *", None),
            ("x * * * *", None),
        ] {
            assert_eq!(minutes_between(cron), minutes, "{cron}");
        }
    }
}
