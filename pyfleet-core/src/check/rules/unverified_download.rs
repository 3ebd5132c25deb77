//! `unverified-download`.

use std::cell::LazyCell;
use std::ops::Range;

use indexmap::IndexSet;

use crate::check::commands::{Command, Word};
use crate::check::script::{Script, scripts};
use crate::check::{Check, Group, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Place, Severity};

pub(super) static RULE: Rule = Rule {
    code: "unverified-download",
    group: Group::Pinning,
    severity: Severity::Warning,
    rejects: false,
    summary: "what is downloaded is compared with a known digest before it runs",
    documentation: "\
## What it does
Warns where a script hands a download to a shell (`curl … | sh`, `bash <(curl …)`, `eval \"$(curl …)\"`),
and where it makes a download executable without checking a digest or a signature first.

## Why
Whoever owns the address, or gets hold of it, decides what runs with the job's rights, today and in every
later run.

## Example
```yaml
- run: curl -sSfL https://example.com/install.sh | sh
```

## Instead
```yaml
- run: |
    curl -sSfLo tool https://example.com/tool-1.2.3
    echo \"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08  tool\" | sha256sum -c
    chmod +x tool
```
",
    check: Check::Workflow(check),
};

const DOWNLOADERS: &[&str] = &["curl", "wget"];

const SHELLS: &[&str] = &["bash", "dash", "ksh", "sh", "zsh"];

const INTERPRETERS: &[&str] = &["node", "perl", "php", "python", "python3", "ruby"];

/// Programs that compare a file with something known.
const VERIFIERS: &[&str] = &[
    "b2sum",
    "cosign",
    "gpg",
    "gpgv",
    "md5sum",
    "minisign",
    "rsign",
    "sha1sum",
    "sha256sum",
    "sha512sum",
    "shasum",
    "slsa-verifier",
];

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let downloads = |script: &Script<'_>| DOWNLOADERS.iter().any(|program| script.text.contains(program));
    for script in scripts(file).into_iter().filter(downloads) {
        let verifies = verifies(&script);
        let (brought, mut saved) = (LazyCell::new(|| brought(&script)), IndexSet::new());
        for command in script.commands() {
            let Some((program, arguments)) = command.program() else { continue };
            if DOWNLOADERS.contains(&program) {
                saved.extend(saved_as(&script, command));
            }
            let at = |range: Range<usize>| Place::within(script.place(), range);
            if is_run_from_input(program, arguments)
                && let Some(download) = command.fed_by.and_then(|before| *brought.get(before)?)
            {
                let message = format!("`{program}` runs whatever `{download}` brings, unseen");
                let help = "download a fixed version to a file, check its digest, then run it";
                findings.push(RULE.finding(at(whole(command)), message).with_help(help));
            } else if let Some(word) = given(program, arguments)
                && let Some(download) = word.commands.iter().find_map(|inner| downloader(&script, *inner))
            {
                let message = format!("`{program}` runs whatever `{download}` brings, unseen");
                let help = "download a fixed version to a file, check its digest, then run it";
                findings.push(RULE.finding(at(word.range.clone()), message).with_help(help));
            } else if program == "chmod"
                && !verifies
                && let Some(file) = made_executable(&script, &saved, arguments)
            {
                let written = script.text.get(file.range.clone()).unwrap_or_default();
                let message =
                    format!("`{written}` was downloaded, and nothing checks that it is what it was");
                let help = "compare it first: `echo \"DIGEST  FILE\" | sha256sum -c`";
                findings.push(RULE.finding(at(file.range.clone()), message).with_help(help));
            }
        }
    }
}

/// From the first word of a command to its last.
fn whole(command: &Command) -> Range<usize> {
    let start = command.words.first().map_or(0, |word| word.range.start);
    start..command.words.last().map_or(start, |word| word.range.end)
}

/// Whether a program with these arguments runs its input: no argument names a script.
fn is_run_from_input(program: &str, arguments: &[Word]) -> bool {
    let is_shell = SHELLS.contains(&program);
    if !is_shell && !INTERPRETERS.contains(&program) {
        return false;
    }
    let mut arguments = arguments.iter().map(|word| word.text.as_str());
    let Some(first) = arguments.next() else { return true };
    let takes_input =
        |text: &str| is_shell && text.starts_with('-') && text.contains('s') && !text.starts_with("--");
    match first {
        "-" => true,
        text if takes_input(text) => true,
        text if is_shell && text.starts_with('-') && !text.contains('c') => {
            arguments.all(|text| text.starts_with('-'))
        }
        _ => false,
    }
}

/// The download that each command is, or hands on from the pipe before it.
fn brought<'a>(script: &'a Script<'_>) -> Vec<Option<&'a str>> {
    let mut brought: Vec<Option<&str>> = Vec::with_capacity(script.commands().len());
    for (index, command) in script.commands().iter().enumerate() {
        let handed_on = || command.fed_by.and_then(|before| *brought.get(before)?);
        brought.push(downloader(script, index).or_else(handed_on));
    }
    brought
}

fn downloader<'a>(script: &'a Script<'_>, index: usize) -> Option<&'a str> {
    let (program, arguments) = script.commands().get(index)?.program()?;
    let is_own = |word: &Word| {
        ["http://localhost", "http://127.0.0.1", "localhost:"].iter().any(|own| word.text.starts_with(own))
    };
    (DOWNLOADERS.contains(&program) && !arguments.iter().any(is_own)).then_some(program)
}

/// The argument whose text or file a program runs: of `eval` and `source`, and behind `-c` of a shell.
fn given<'a>(program: &str, arguments: &'a [Word]) -> Option<&'a Word> {
    match program {
        "eval" | "source" | "." => arguments.first(),
        shell if SHELLS.contains(&shell) => {
            let code = arguments.iter().position(|word| word.text == "-c").map_or(0, |at| at + 1);
            arguments.get(code)
        }
        _ => None,
    }
}

/// Whether anything in a script compares a file with something known.
fn verifies(script: &Script<'_>) -> bool {
    script.commands().iter().filter_map(Command::program).any(|(program, arguments)| {
        let says = |word: &str| arguments.iter().any(|own| own.text == word);
        VERIFIERS.contains(&program)
            || (program == "openssl" && says("dgst"))
            || (program == "gh" && says("attestation"))
    })
}

/// The file that this `chmod` makes executable, if an earlier command of the script downloaded it.
fn made_executable<'a>(
    script: &Script<'_>,
    saved: &IndexSet<String>,
    arguments: &'a [Word],
) -> Option<&'a Word> {
    let (mode, files) = arguments.split_first()?;
    let executable = mode.text.contains("+x") || matches!(mode.text.as_str(), "755" | "0755" | "700" | "777");
    if !executable {
        return None;
    }
    files.iter().find(|file| saved.contains(base(script, file)))
}

/// The names of the files that a download may leave behind.
fn saved_as(script: &Script<'_>, command: &Command) -> Vec<String> {
    let Some((_, arguments)) = command.program() else { return Vec::new() };
    let named = arguments.windows(2).filter_map(|pair| match pair {
        [option, file] if names_output(&option.text) => Some(file),
        _ => None,
    });
    let redirected =
        command.redirections.iter().filter(|(operator, _)| operator.ends_with('>')).map(|(_, file)| file);
    let addresses = arguments.iter().filter(|word| word.text.contains("://"));
    named.chain(redirected).chain(addresses).map(|word| base(script, word).to_owned()).collect()
}

/// `-o`, `-sSLo`, `-O` of wget, `--output`.
fn names_output(option: &str) -> bool {
    let short = option.starts_with('-') && !option.starts_with("--") && option.ends_with(['o', 'O']);
    short || matches!(option, "--output" | "--output-document")
}

/// The last part of a path as it is written, without quotes.
fn base<'a>(script: &Script<'a>, word: &Word) -> &'a str {
    let written = script.text.get(word.range.clone()).unwrap_or_default().trim_matches(['"', '\'']);
    written.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn downloads_that_run() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - run: |
          curl -sSf https://a.example/install | tee log | sudo -E bash -
#                                                         ^^^^^^^^^^^^^^ warning[unverified-download]: `bash` runs whatever `curl` brings
          wget -qO- https://a.example/i.sh | sh -s -- -b /usr/local/bin
#                                            ^^^^^^^^^^^^^^^^^^^^^^^^^^ warning[unverified-download]: `sh` runs whatever `wget` brings
          bash <(curl -s https://codecov.io/bash) -t x
#              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ warning[unverified-download]: `bash` runs whatever
          sh -c \"$(curl -fsSL https://a.example/i.sh)\"
#               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ warning[unverified-download]: `sh` runs whatever
          curl https://a.example/get.py | python3 -
#                                         ^^^^^^^^^ warning[unverified-download]: `python3` runs
      - run: |
          curl -Lo ./kind https://kind.example/v1/kind-linux
          chmod +x ./kind
#                  ^^^^^^ warning[unverified-download]: `./kind` was downloaded
          wget https://a.example/bin/tool && chmod 755 tool
#                                                      ^^^^ warning[unverified-download]: `tool` was downloaded
",
        );
    }

    #[test]
    fn checked_downloads_and_other_pipes_pass() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - run: |
          # curl https://a.example | sh
          curl -s https://a.example/x | python3 -m json.tool
          curl -s https://a.example/x | bash ./own.sh
          curl -sL https://a.example/x.tgz | tar xz
          curl -s http://localhost:8080/script | sh
          echo 'curl x | sh'
          chmod +x own.sh; cat x | bash
      - run: |
          curl -sSfLo tool https://a.example/tool
          echo \"$DIGEST  tool\" | sha256sum -c
          chmod +x tool
",
        );
    }
}
