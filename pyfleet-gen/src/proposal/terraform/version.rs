//! An exact version from what stacks demand.

use std::collections::BTreeSet;

use super::super::{Guesses, Said, plain};
use crate::survey::Notes;
use crate::survey::terraform::Terraform;

type Version = (u32, u32, u32);

/// The last release of each line of Terraform, the one that pyfleet's own tests run first.
const TERRAFORM: &[Version] = &[
    (1, 11, 4),
    (1, 13, 5),
    (1, 12, 2),
    (1, 10, 5),
    (1, 9, 8),
    (1, 8, 5),
    (1, 7, 5),
    (1, 6, 6),
    (1, 5, 7),
    (1, 4, 7),
    (1, 3, 10),
    (1, 2, 9),
    (1, 1, 9),
    (1, 0, 11),
];

/// Releases of OpenTofu.
const OPENTOFU: &[Version] = &[(1, 9, 0), (1, 10, 0), (1, 8, 0), (1, 7, 0), (1, 6, 0)];

pub(super) fn propose(terraform: &Terraform, guesses: &mut Guesses, notes: &mut Notes) -> Said {
    let demands = demands(terraform, notes);
    let meets = |version: Version| {
        demands.iter().flat_map(|demand| &demand.conditions).all(|condition| condition.is_met_by(version))
    };
    let mut say = |version: Version, because: &str| {
        if !meets(version) {
            notes.add(unmet(version, &demands));
        }
        guesses.say("terraform.version", &written(version), because)
    };
    if let Some((text, file)) = &terraform.pinned
        && let Some(version) = parts(text.trim_start_matches('v'))
    {
        return say(version, &format!("{file} names it"));
    }
    let known = if terraform.is_tofu { OPENTOFU } else { TERRAFORM };
    let because = match demands.iter().map(|demand| demand.text).collect::<BTreeSet<_>>() {
        texts if texts.is_empty() => return say(known[0], "no `required_version` says which"),
        texts if texts.len() == 1 => format!("`required_version` is `{}`", plain(demands[0].text)),
        _ => "every `required_version` takes it".to_owned(),
    };
    if let Some(version) = known.iter().find(|version| meets(**version)) {
        return say(*version, &because);
    }
    // An exact one, or one that is newer or older than those that are known here.
    let conditions = demands.iter().flat_map(|demand| &demand.conditions);
    let named = conditions.map(|condition| (condition.is_exact(), condition.first()));
    match named.filter(|(_, version)| meets(*version)).max() {
        Some((true, version)) => say(version, &because),
        Some((false, version)) => say(version, &format!("{because}; see that there is such a release")),
        None => say(known[0], "no release that is known here is what `required_version` demands"),
    }
}

/// The first of some releases that meets a demand of one text, and why that one; the first of all where none does.
pub(in super::super) fn of(known: &[&str], demand: Option<&str>) -> (String, String) {
    let first = known.first().map(|first| (*first).to_owned()).unwrap_or_default();
    let Some(text) = demand else { return (first, "no `required_version` says which".to_owned()) };
    let conditions: Option<Vec<Condition<'_>>> = text.split(',').map(Condition::read).collect();
    let meets = |version: Version| conditions.iter().flatten().all(|condition| condition.is_met_by(version));
    let because = format!("`required_version` is `{}`", plain(text));
    match known.iter().find(|version| parts(version).is_some_and(meets)) {
        Some(version) if conditions.is_some() => return ((*version).to_owned(), because),
        _ => {}
    }
    let exact = conditions.iter().flatten().find(|condition| condition.is_exact());
    match exact.map(Condition::first).filter(|version| meets(*version)) {
        Some(version) => (written(version), because),
        None => (first, format!("{because}, and no release that is known here is")),
    }
}

/// What one stack demands.
struct Demand<'a> {
    directory: &'a str,
    text: &'a str,
    conditions: Vec<Condition<'a>>,
}

/// The demands that can be read; the others are notes.
fn demands<'a>(terraform: &'a Terraform, notes: &mut Notes) -> Vec<Demand<'a>> {
    let mut demands = Vec::new();
    for stack in &terraform.stacks {
        let Some(text) = stack.required_version.as_deref() else { continue };
        let directory = stack.directory.as_str();
        match text.split(',').map(Condition::read).collect() {
            Some(conditions) => demands.push(Demand { directory, text, conditions }),
            None => notes.add(format!(
                "`required_version` of `{directory}` could not be read, and was left out: `{}`",
                plain(text)
            )),
        }
    }
    demands
}

/// That stacks refuse a version, and which.
fn unmet(version: Version, demands: &[Demand<'_>]) -> String {
    let refusing: Vec<String> = demands
        .iter()
        .filter(|demand| !demand.conditions.iter().all(|condition| condition.is_met_by(version)))
        .map(|demand| format!("`{}` (`{}`)", demand.directory, plain(demand.text)))
        .take(5)
        .collect();
    format!(
        "version {} is in the manifest, and these stacks refuse it: {}; there is one version for all stacks",
        written(version),
        refusing.join(", ")
    )
}

fn written(version: Version) -> String {
    format!("{}.{}.{}", version.0, version.1, version.2)
}

/// A version of three numbers.
pub(super) fn parts(text: &str) -> Option<Version> {
    let mut numbers = text.split('.').map(number);
    let version = (numbers.next()??, numbers.next()??, numbers.next()??);
    numbers.next().is_none().then_some(version)
}

fn number(text: &str) -> Option<u32> {
    let is_number = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// One condition ([Terraform: version constraints](https://developer.hashicorp.com/terraform/language/expressions/version-constraints)).
struct Condition<'a> {
    operator: &'a str,
    /// What is missing is taken for zero.
    version: Version,
    /// How many numbers are written.
    numbers: usize,
}

impl<'a> Condition<'a> {
    /// Nothing where it cannot be read.
    fn read(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let at = text.find(|character: char| character.is_ascii_digit())?;
        let (operator, version) = text.split_at(at);
        let numbers: Vec<u32> = version.split('.').map(number).collect::<Option<_>>()?;
        let version = match numbers.as_slice() {
            [major] => (*major, 0, 0),
            [major, minor] => (*major, *minor, 0),
            [major, minor, patch] => (*major, *minor, *patch),
            _ => return None,
        };
        let operator = operator.trim();
        matches!(operator, "" | "=" | "!=" | ">" | ">=" | "<" | "<=" | "~>").then_some(Self {
            operator,
            version,
            numbers: numbers.len(),
        })
    }

    fn is_met_by(&self, version: Version) -> bool {
        let wanted = self.version;
        match self.operator {
            "" | "=" => version == wanted,
            "!=" => version != wanted,
            ">" => version > wanted,
            ">=" => version >= wanted,
            "<" => version < wanted,
            "<=" => version <= wanted,
            // The last number that is written may rise.
            _ if self.numbers == 3 => version >= wanted && (version.0, version.1) == (wanted.0, wanted.1),
            _ => version >= wanted && version.0 == wanted.0,
        }
    }

    fn is_exact(&self) -> bool {
        matches!(self.operator, "" | "=")
    }

    /// The version that it names; the next line's first where that one itself is too old.
    fn first(&self) -> Version {
        let (major, minor, patch) = self.version;
        if self.operator == ">" { (major, (minor + 1).min(9999), 0) } else { (major, minor, patch) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Condition, Guesses, Notes, parts, propose};
    use crate::survey::terraform::{Stack, Terraform};

    #[test]
    fn conditions_are_read_as_terraform_reads_them() {
        for (conditions, met) in [
            ("1.11.4", Some(true)),
            ("= 1.11.4", Some(true)),
            (">= 1.5, < 2.0.0", Some(true)),
            ("~> 1.11", Some(true)),
            ("~> 1.11.0", Some(true)),
            ("~> 1.10.0", Some(false)),
            ("!= 1.11.4", Some(false)),
            ("<1.11.4", Some(false)),
            ("latest", None),
            (">> 1", None),
            (">= 1.5.0-beta1", None),
            ("1.2.3.4", None),
            ("", None),
        ] {
            let read: Option<Vec<_>> = conditions.split(',').map(Condition::read).collect();
            let is_met = read.map(|all| all.iter().all(|condition| condition.is_met_by((1, 11, 4))));
            assert_eq!(is_met, met, "{conditions:?}");
        }
    }

    fn proposed(demands: &[&str], pinned: Option<&str>) -> (String, String) {
        let stacks = demands.iter().enumerate().map(|(number, text)| Stack {
            directory: format!("s{number}"),
            required_version: Some((*text).to_owned()),
            ..Stack::default()
        });
        let pinned = pinned.map(|version| (version.to_owned(), ".terraform-version".to_owned()));
        let terraform = Terraform { stacks: stacks.collect(), pinned, ..Terraform::default() };
        let mut notes = Notes::default();
        let said = propose(&terraform, &mut Guesses::default(), &mut notes);
        assert!(parts(&said.value).is_some());
        (format!("{} {}", said.value, said.because), notes.iter().collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn the_version_is_exact_and_meets_every_stack() {
        for (demands, version) in [
            (&["~> 1.11"][..], "1.11.4 `required_version` is `~> 1.11`"),
            (&[">= 1.0", "< 1.6"], "1.5.7 every `required_version` takes it"),
            (&["1.5.0"], "1.5.0 `required_version` is `1.5.0`"),
            (&["~> 0.13"], "0.13.0 `required_version` is `~> 0.13`; see that there is such a release"),
            (&[">= 2.1"], "2.1.0 `required_version` is `>= 2.1`; see that there is such a release"),
            (&["> 1.13.5"], "1.14.0 `required_version` is `> 1.13.5`; see that there is such a release"),
            (&[], "1.11.4 no `required_version` says which"),
        ] {
            assert_eq!(proposed(demands, None), (version.to_owned(), String::new()), "{demands:?}");
        }
    }

    #[test]
    fn a_tool_s_release_meets_what_is_demanded() {
        for (demand, version, because) in [
            (None, "1.11.2", "no `required_version` says which"),
            (Some("~> 1.9.0"), "1.9.5", "`required_version` is `~> 1.9.0`"),
            (Some("= 1.8.1"), "1.8.1", "`required_version` is `= 1.8.1`"),
            (Some(">= 3"), "1.11.2", "`required_version` is `>= 3`, and no release that is known here is"),
            (Some("x"), "1.11.2", "`required_version` is `x`, and no release that is known here is"),
        ] {
            let known = ["1.11.2", "1.9.5"];
            assert_eq!(super::of(&known, demand), (version.to_owned(), because.to_owned()), "{demand:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_left_out_and_what_cannot_be_met_names_its_stacks() {
        let (version, notes) = proposed(&["nonsense", "< 1.6"], None);
        assert_eq!(version, "1.5.7 `required_version` is `< 1.6`");
        assert_eq!(notes, "`required_version` of `s0` could not be read, and was left out: `nonsense`");
        for (demands, pinned, refusing) in [
            (&["< 1.0"][..], None, "`s0` (`< 1.0`)"),
            (&["~> 1.5.0", "~> 1.9.0"], None, "`s0` (`~> 1.5.0`), `s1` (`~> 1.9.0`)"),
            (&["~> 1.5.0", "~> 1.9.0"], Some("1.9.2"), "`s0` (`~> 1.5.0`)"),
        ] {
            let (version, notes) = proposed(demands, pinned);
            assert!(pinned.is_some() || version.contains("no release that is known here"), "{version}");
            assert!(notes.contains(&format!("these stacks refuse it: {refusing};")), "{notes}");
        }
    }
}
