//! An exact version from what stacks demand.

use super::super::{Guesses, Said, plain};
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

pub(super) fn propose(terraform: &Terraform, guesses: &mut Guesses) -> Said {
    let key = "terraform.version";
    if let Some((text, file)) = &terraform.pinned
        && let Some(version) = parts(text.trim_start_matches('v'))
    {
        return guesses.say(key, &written(version), &format!("{file} names it"));
    }
    let known = if terraform.is_tofu { OPENTOFU } else { TERRAFORM };
    let demanded: Vec<&str> =
        terraform.stacks.iter().filter_map(|stack| stack.required_version.as_deref()).collect();
    let Some(first) = demanded.first() else {
        return guesses.say(key, &written(known[0]), "no `required_version` says which");
    };
    let fits = |version: &Version| demanded.iter().all(|text| satisfies(*version, text) == Some(true));
    if let Some(version) = known.iter().find(|version| fits(version)) {
        let because = format!("`required_version` is `{}`", plain(first));
        return guesses.say(key, &written(*version), &because);
    }
    // An exact one, or one that is newer or older than those that are known here.
    let lower = demanded.iter().flat_map(|text| text.split(',')).filter_map(|part| {
        let (operator, version) = split(part)?;
        (!operator.starts_with('<') && operator != "!=").then_some(version)
    });
    match lower.max() {
        Some(version) => {
            guesses.say(key, &written(version), &format!("`required_version` is `{}`", plain(first)))
        }
        None => guesses.say(
            key,
            &written(known[0]),
            &format!("`required_version` is `{}`, which says no version", plain(first)),
        ),
    }
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

/// One condition: operator and version, what is missing taken for zero.
fn split(condition: &str) -> Option<(&str, Version)> {
    let condition = condition.trim();
    let at = condition.find(|character: char| character.is_ascii_digit())?;
    let (operator, version) = condition.split_at(at);
    let mut numbers = version.trim().split('.').map(number);
    let version = (numbers.next()??, numbers.next().unwrap_or(Some(0))?, numbers.next().unwrap_or(Some(0))?);
    Some((operator.trim(), version))
}

/// Whether a version meets conditions ([Terraform: version constraints](https://developer.hashicorp.com/terraform/language/expressions/version-constraints));
/// nothing where they cannot be read.
fn satisfies(version: Version, conditions: &str) -> Option<bool> {
    let mut all = true;
    for condition in conditions.split(',') {
        let (operator, wanted) = split(condition)?;
        all &= match operator {
            "" | "=" => version == wanted,
            "!=" => version != wanted,
            ">" => version > wanted,
            ">=" => version >= wanted,
            "<" => version < wanted,
            "<=" => version <= wanted,
            // The last number that is written may rise.
            "~>" if condition.matches('.').count() == 2 => {
                version >= wanted && (version.0, version.1) == (wanted.0, wanted.1)
            }
            "~>" => version >= wanted && version.0 == wanted.0,
            _ => return None,
        };
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::{Guesses, parts, propose, satisfies};
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
            ("", None),
        ] {
            assert_eq!(satisfies((1, 11, 4), conditions), met, "{conditions:?}");
        }
    }

    #[test]
    fn the_version_is_exact_and_meets_every_stack() {
        let of = |demands: &[&str]| {
            let stack =
                |text: &&str| Stack { required_version: Some((*text).to_owned()), ..Stack::default() };
            let terraform = Terraform { stacks: demands.iter().map(stack).collect(), ..Terraform::default() };
            propose(&terraform, &mut Guesses::default()).value
        };
        for (demands, version) in [
            (&["~> 1.11"][..], "1.11.4"),
            (&[">= 1.0", "< 1.6"], "1.5.7"),
            (&["1.5.0"], "1.5.0"),
            (&["~> 0.13"], "0.13.0"),
            (&[">= 2.1"], "2.1.0"),
            (&["nonsense"], "1.11.4"),
            (&[], "1.11.4"),
        ] {
            assert_eq!(of(demands), version, "{demands:?}");
            assert!(parts(&of(demands)).is_some());
        }
    }
}
