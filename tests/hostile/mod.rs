//! Hostile manifests, through the real command line: refused, at the right place, and nothing happens.
//!
//! A case is a manifest in `cases/`. Each finding that is expected stands under the text that it is about:
//!
//! ```yaml
//! safety-level: 6
//! #             ^ error[invalid-value]: part of the message
//! ```
//!
//! Several of them may follow one line; carets that touch the `#` include its column. These comments are blanked
//! before the manifest is read, so that they may stand anywhere. `<github-token>` and its kin become something
//! that looks like a secret (see [`SECRETS`]); `# planted: TEXT` names a text that no output may hold either.
//!
//! Where a finding is about a rendered file, the place that counts is the one in the manifest that it names as
//! its cause. What is too large for a file, or could not lie in a repository, is built in [`generated`].

mod generated;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use pyfleet_gen::{Exit, Streams, run};

use crate::tool::repository;

/// Longer than this, and somebody could make a pre-commit hook hang.
const TIME: Duration = Duration::from_secs(2);

/// What looks like a secret, by its placeholder: put together here, so that no scanner takes a case for a leak.
const SECRETS: [(&str, &[&str]); 6] = [
    ("<aws-key>", &["AK", "IA", "Q3EGR4XW2ZPL7M5T"]),
    ("<github-token>", &["gh", "p_", "Zk3v9Qw1Xc7Rt5Yb2Nm8Lp4Hs6Jd0Gf3Aq9E"]),
    ("<slack-token>", &["xo", "xb-", "2718281828-3141592653-q7WzR4tY"]),
    ("<web-token>", &["eyJ", "hbGciOiJIUzI1NiJ9.", "eyJzdWIiOiIxMjM0NTY3ODkwIn0.", "c2lnbmF0dXJlLW9mLXRlbg"]),
    ("<private-key>", &["-----BEGIN RSA ", "PRIVATE ", "KEY-----"]),
    ("<private-key-body>", &["MIIEow", "IBAAKCAQEA7bq9Zk3v9Qw1Xc7Rt5Yb2Nm8Lp4Hs6Jd0Gf3Aq9EwZk3"]),
];

/// One finding: its place in the manifest, and `error[code]: message`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    line: usize,
    column: usize,
    text: String,
}

impl Finding {
    fn is(&self, expected: &Self) -> bool {
        let (head, fragment) = expected.text.split_once(": ").unwrap_or((&expected.text, ""));
        (self.line, self.column) == (expected.line, expected.column)
            && self
                .text
                .split_once(": ")
                .is_some_and(|(own, message)| own == head && message.contains(fragment))
    }
}

/// A manifest with what has to be found in it.
struct Case {
    manifest: Vec<u8>,
    expected: Vec<Finding>,
    planted: Vec<String>,
    /// Whether these are all the findings there are.
    expects_all: bool,
}

impl Case {
    /// A manifest without comments about itself.
    fn plain(manifest: impl Into<Vec<u8>>, expected: &[(usize, usize, &str)]) -> Self {
        let finding =
            |&(line, column, text): &(usize, usize, &str)| Finding { line, column, text: text.to_owned() };
        Self {
            manifest: manifest.into(),
            expected: expected.iter().map(finding).collect(),
            planted: Vec::new(),
            expects_all: true,
        }
    }

    fn annotated(text: &str) -> Self {
        let mut case = Self::plain(Vec::new(), &[]);
        let mut about = 0;
        let mut manifest = String::new();
        for (number, line) in (1..).zip(text.lines()) {
            match annotation(line) {
                Some((column, text)) => {
                    case.expected.push(Finding { line: about, column, text: text.to_owned() });
                }
                None => {
                    about = number;
                    manifest.push_str(line);
                }
            }
            manifest.push('\n');
            case.planted.extend(line.strip_prefix("# planted: ").map(str::to_owned));
        }
        for (placeholder, parts) in SECRETS {
            if manifest.contains(placeholder) {
                manifest = manifest.replace(placeholder, &parts.concat());
                case.planted.push(parts.concat());
            }
        }
        case.manifest = manifest.into_bytes();
        case
    }

    /// What is wrong with the product, one complaint a line.
    fn complaints(&self) -> Vec<String> {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::write(root.join("pyfleet.yml"), &self.manifest).unwrap();
        // What a render would replace, keep or remove, had it got that far.
        fs::create_dir_all(root.join(".github/workflows")).unwrap();
        fs::write(root.join(".github/workflows/other.yml"), "on: push\n").unwrap();
        let before = tree(root);
        let start = Instant::now();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let arguments = ["pyfleet-gen", "-C", root.to_str().unwrap(), "render"];
        let mut streams = Streams { out: &mut out, err: &mut err, colour: false };
        let Ok(exit) = catch_unwind(AssertUnwindSafe(|| run(arguments, &mut streams))) else {
            return vec!["it panics".to_owned()];
        };
        let took = start.elapsed();
        let said = String::from_utf8_lossy(&out).into_owned() + &String::from_utf8_lossy(&err);

        let mut complaints = Vec::new();
        if exit != Exit::CouldNotRun {
            complaints.push(format!("the exit code is {}", exit.code()));
        }
        if took > TIME {
            complaints.push(format!("it takes {took:?}"));
        }
        if tree(root) != before {
            complaints.push("something was written".to_owned());
        }
        for planted in self.planted.iter().filter(|planted| said.contains(planted.as_str())) {
            complaints.push(format!("{planted:?} is echoed"));
        }
        if let Some(acting) = said.chars().find(|&c| acts_on_a_terminal(c)) {
            complaints.push(format!("{acting:?} reaches the terminal"));
        }
        if said.len() > 64 * 1024 {
            complaints.push(format!("it says {} bytes", said.len()));
        }
        let found = findings(&String::from_utf8_lossy(&err));
        let missing = self.expected.iter().filter(|own| !found.iter().any(|other| other.is(own)));
        complaints.extend(missing.map(|own| format!("missing     {}:{} {}", own.line, own.column, own.text)));
        let unexpected =
            found.iter().filter(|own| self.expects_all && !self.expected.iter().any(|other| own.is(other)));
        complaints
            .extend(unexpected.map(|own| format!("unexpected  {}:{} {}", own.line, own.column, own.text)));
        if self.expects_all && complaints.is_empty() && found.len() != self.expected.len() {
            complaints.push(format!("{} findings, where {} are expected", found.len(), self.expected.len()));
        }
        complaints
    }
}

/// What a terminal acts on instead of showing it.
fn acts_on_a_terminal(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// `#   ^^^ error[code]: message`: the column of the first caret, and what follows.
fn annotation(line: &str) -> Option<(usize, &str)> {
    let comment = line.strip_prefix('#')?;
    let marks = comment.trim_start_matches(' ');
    let text = marks.trim_start_matches('^').strip_prefix(' ')?;
    if !["error[", "warning["].iter().any(|severity| text.starts_with(severity)) {
        return None;
    }
    let indent = comment.len() - marks.len();
    // Carets that touch the `#` include its column.
    Some((if indent == 0 { 1 } else { indent + 2 }, text))
}

/// The findings of a report for people, at their places in the manifest, with their help behind the message.
fn findings(report: &str) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for line in report.lines() {
        let trimmed = line.trim_start();
        if line.starts_with("error[") || line.starts_with("warning[") {
            found.push(Finding { line: 0, column: 0, text: line.to_owned() });
        } else if let Some(place) =
            trimmed.strip_prefix("--> pyfleet.yml:").or_else(|| trimmed.strip_prefix(": :: pyfleet.yml:"))
            && let Some(last) = found.last_mut()
            && let Some((line, column)) = place.split_once(':')
        {
            (last.line, last.column) = (line.parse().unwrap(), column.parse().unwrap());
        } else if let (Some(help), Some(last)) = (trimmed.strip_prefix("= help: "), found.last_mut()) {
            last.text.push_str("; ");
            last.text.push_str(help);
        }
    }
    found.sort();
    found
}

/// Every file below a directory, with its bytes.
fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let name = path.display().to_string();
        if path.is_dir() {
            files.insert(name, Vec::new());
            files.append(&mut tree(&path));
        } else {
            files.insert(name, fs::read(&path).unwrap());
        }
    }
    files
}

/// What lies in a directory.
fn tree_of_names(root: &Path) -> Vec<std::ffi::OsString> {
    let mut names: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}

#[track_caller]
fn all_hold<'a>(cases: impl Iterator<Item = (&'a str, Case)>) -> usize {
    let (mut count, mut wrong) = (0, String::new());
    for (name, case) in cases {
        count += 1;
        for complaint in case.complaints() {
            let _ = writeln!(wrong, "{name}: {complaint}");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    count
}

#[test]
fn every_case_is_refused_where_it_is_wrong() {
    let directory = repository().join("tests/hostile/cases");
    let mut cases: Vec<(String, Case)> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let case = Case::annotated(&fs::read_to_string(&path).unwrap());
            assert!(!case.expected.is_empty(), "{name} expects nothing");
            (name, case)
        })
        .collect();
    cases.sort_by(|a, b| a.0.cmp(&b.0));
    let count = all_hold(
        cases
            .iter_mut()
            .map(|(name, case)| (name.as_str(), std::mem::replace(case, Case::plain(Vec::new(), &[])))),
    );
    assert!(count >= 45, "{count} cases");
}

/// A harness that cannot fail proves nothing.
#[test]
fn the_harness_says_no() {
    const RIGHT: &str = "version: 1\nproject: shop\ngithub: { repository: acme/shop }\n";
    let wrong = |text: &str| Case::annotated(text).complaints().join("\n");

    assert_eq!(wrong(&format!("{RIGHT}safety-level: 6\n#             ^ error[invalid-value]: 0 to 5\n")), "");
    let accepted = wrong(&format!("{RIGHT}safety-level: 1\n#             ^ error[invalid-value]: 0 to 5\n"));
    assert!(accepted.contains("the exit code is 0") && accepted.contains("missing "), "{accepted}");
    assert!(accepted.contains("something was written"), "{accepted}");
    for (moved, complaint) in [
        ("#            ^ error[invalid-value]: 0 to 5", "missing     4:14 "),
        ("#             ^ error[invalid-value]: 0 to 6", "unexpected  4:15 "),
        ("#             ^ error[wrong-type]: 0 to 5", "unexpected  4:15 "),
        ("#             ^ warning[invalid-value]: 0 to 5", "unexpected  4:15 "),
        ("", "unexpected  4:15 "),
        (
            "#             ^ error[invalid-value]: 0 to 5\n#             ^ error[invalid-value]: 0 to 5",
            "1 findings, where 2",
        ),
        ("#             ^ error[invalid-value]: 0 to 5\n# planted: safety-level", "is echoed"),
    ] {
        let said = wrong(&format!("{RIGHT}safety-level: 6\n{moved}\n"));
        assert!(said.contains(complaint), "{moved}: {said}");
    }
}
