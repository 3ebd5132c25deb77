//! `.gitignore`: which line keeps a file out of git, if one does
//! ([git: gitignore](https://git-scm.com/docs/gitignore)).

use super::Notes;
use super::tree::{Tree, below, join};

/// A longer line is no pattern, and is passed by: reading it would cost its length for every directory.
const LINE: usize = 4096;

/// The line that ignores a path, as `file:line: pattern`.
pub(super) fn ignoring_line(tree: &Tree<'_>, path: &str, notes: &mut Notes) -> Option<String> {
    let mut verdict = None;
    let mut directory = ".".to_owned();
    // The deeper file and the later line win; a directory that is ignored takes everything in it along.
    for part in path.split('/') {
        let file = join(&directory, ".gitignore");
        let text = if tree.has(&file) { tree.read(&file, notes) } else { None };
        for (number, line) in text.iter().flat_map(|text| text.lines()).enumerate() {
            let Some(inside) = below(&directory, path) else { continue };
            if line.len() > LINE {
                notes.add(format!("`{file}` has lines of more than 4 KiB, which were passed by"));
                continue;
            }
            match judge(line, inside) {
                Some(true) => verdict = Some(format!("{file}:{}: {}", number + 1, line.trim())),
                Some(false) => verdict = None,
                None => {}
            }
        }
        directory = join(&directory, part);
    }
    verdict
}

/// Whether a line ignores a path (`true`), brings it back (`false`), or says nothing about it.
fn judge(line: &str, path: &str) -> Option<bool> {
    let line = line.trim_end();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (ignores, pattern) = match line.strip_prefix('!') {
        Some(pattern) => (false, pattern),
        None => (true, line.strip_prefix('\\').unwrap_or(line)),
    };
    let (pattern, directories_only) = match pattern.strip_suffix('/') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let anchored = pattern.contains('/');
    let mut wanted: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
    wanted.dedup_by(|a, b| *a == "**" && *b == "**");
    let parts: Vec<&str> = path.split('/').collect();
    let prefixes = (1..=parts.len()).filter(|length| *length < parts.len() || !directories_only);
    let matched = prefixes.map(|length| &parts[..length]).any(|prefix| match (anchored, prefix.last()) {
        (false, Some(name)) => wanted.first().is_some_and(|pattern| matches_name(pattern, name)),
        (true, _) => matches_parts(&wanted, prefix),
        (false, None) => false,
    });
    matched.then_some(ignores)
}

/// `**` is any number of directories. Each part of the pattern is tried once from every place that those before it
/// lead to, however many `**` there are.
fn matches_parts(pattern: &[&str], parts: &[&str]) -> bool {
    let mut reached = vec![false; parts.len() + 1];
    reached[0] = true;
    for wanted in pattern {
        if *wanted == "**" {
            let first = reached.iter().position(|is_reached| *is_reached).unwrap_or(reached.len());
            reached[first..].fill(true);
            continue;
        }
        let mut next = vec![false];
        next.extend(parts.iter().zip(&reached).map(|(part, from)| *from && matches_name(wanted, part)));
        reached = next;
    }
    reached.last() == Some(&true)
}

/// A pattern's characters, with `?` for each set in brackets. A bracket that nothing closes is itself.
fn without_sets(pattern: &str) -> Vec<char> {
    let mut characters = Vec::new();
    let mut left = pattern;
    while let Some((before, set)) = left.split_once('[') {
        let Some((_, after)) = set.split_once(']') else { break };
        characters.extend(before.chars().chain(['?']));
        left = after;
    }
    characters.extend(left.chars());
    characters
}

/// `*` is any run of characters, `?` is one. Sets in brackets are taken for any one character: what may be ignored
/// is worth a look.
fn matches_name(pattern: &str, name: &str) -> bool {
    let pattern = without_sets(pattern);
    let name: Vec<char> = name.chars().collect();
    // The last star, and how much it has taken: no more than that is ever tried again.
    let (mut at, mut here, mut star) = (0, 0, None);
    while here < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, here));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || *wanted == name[here] => {
                at += 1;
                here += 1;
            }
            _ => {
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                at = star_at + 1;
                here = taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|left| *left == '*')
}

#[cfg(test)]
mod tests {
    use super::judge;

    #[test]
    fn lines_are_read_as_git_reads_them() {
        let path = "infra/app/.terraform.lock.hcl";
        for line in [
            ".terraform*",
            ".terraform.lock.hcl",
            "*.hcl",
            "infra/",
            "/infra",
            "infra/**",
            "**/app/*.hcl",
            "**/infra/**/app/**/*.hcl",
            ".terra[f]orm.loc[j-l].[h]cl",
            ".terraform.loc[jk].hcl",
        ] {
            assert_eq!(judge(line, path), Some(true), "{line}");
        }
        for line in [
            "",
            "# *.hcl",
            "app/*.hcl",
            ".terraform/",
            "/.terraform.lock.hcl",
            "*.tf",
            ".terraform.lock.hc[l",
            "**/x/**/app/**",
            "infra/app/.terraform.lock.hcl/",
        ] {
            assert_eq!(judge(line, path), None, "{line}");
        }
        assert_eq!(judge("!.terraform.lock.hcl", path), Some(false));
    }
}
