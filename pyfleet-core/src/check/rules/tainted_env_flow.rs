//! `tainted-env-flow`.

use std::cell::LazyCell;

use indexmap::IndexMap;

use crate::check::commands::{Command, Variable, Word};
use crate::check::script::{Script, scripts};
use crate::check::{Check, Group, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Place, Severity};
use crate::expression::{ContextAccess, Expression, Kind, embedded};
use crate::workflow::InputKind;

pub(super) static RULE: Rule = Rule {
    code: "tainted-env-flow",
    group: Group::Injection,
    severity: Severity::Warning,
    rejects: false,
    summary: "what somebody else wrote stays data, also in a script",
    documentation: "\
## What it does
Follows variables of a step's `env:` that hold text of others: titles, branches, messages of events, and
inputs of dispatched or called workflows. Warns where a script runs such a text (as a command, by `eval`, `bash -c`, or unquoted), where
`git` would take it for an option, and where it is written to `$GITHUB_ENV`, `$GITHUB_PATH` or
`$GITHUB_OUTPUT`. Once `[[ … =~ … ]]` or `case` has looked at a variable, it counts as checked. Only text
that outsiders write is followed to `$GITHUB_OUTPUT` and into unquoted words.

## Why
Passing a text through `env:` keeps it out of the script's text, and no more. A branch called
`--upload-pack=…` is an option of `git`; a title with a line break adds another line to the file, and with it another output.

## Example
```yaml
- run: git fetch origin \"$BRANCH\"
  env:
    BRANCH: ${{ github.head_ref }}
```

## Instead
```yaml
- run: git fetch origin -- \"$BRANCH\"
  env:
    BRANCH: ${{ github.head_ref }}
```
",
    check: Check::Workflow(check),
};

/// Who wrote a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Author {
    /// Somebody who may start the workflow by hand, or call it.
    Starter,
    /// Anybody.
    Outsider,
}

/// What outsiders write (GitHub docs, "Script injections"; the paths of actionlint and more).
const OUTSIDERS: &[&[&str]] = &[
    &["github", "event", "comment", "body"],
    &["github", "event", "discussion", "body"],
    &["github", "event", "discussion", "title"],
    &["github", "event", "issue", "body"],
    &["github", "event", "issue", "title"],
    &["github", "event", "pull_request", "body"],
    &["github", "event", "pull_request", "head", "label"],
    &["github", "event", "pull_request", "head", "ref"],
    &["github", "event", "pull_request", "head", "repo", "default_branch"],
    &["github", "event", "pull_request", "title"],
    &["github", "event", "review", "body"],
    &["github", "event", "review_comment", "body"],
    &["github", "event", "workflow_run", "display_title"],
    &["github", "event", "workflow_run", "head_branch"],
    &["github", "event", "workflow_run", "head_commit", "message"],
    &["github", "head_ref"],
];

const STARTERS: &[&[&str]] =
    &[&["inputs"], &["github", "event", "inputs"], &["github", "event", "client_payload"]];

/// The variable in which the runner puts a pull request's branch by itself.
const HEAD: &str = "GITHUB_HEAD_REF";

/// What hands a line of text to the runner.
const FILES: &[&str] = &["GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT"];

/// Subcommands of git that take a name of anything as an argument.
const GIT: &[&str] = &[
    "branch", "checkout", "clone", "diff", "fetch", "log", "merge", "pull", "push", "rebase", "reset",
    "show", "switch", "tag",
];

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    for script in scripts(file).into_iter().filter(|script| may_hold_text_of_others(file, script)) {
        let checked = LazyCell::new(|| checked(&script));
        for (index, command) in script.commands().iter().enumerate() {
            for (variable, use_) in uses(&script, command) {
                let Some((author, access)) = author(file, &script, &variable.name) else { continue };
                let (message, help) = match (use_, author) {
                    (Use::Word, Author::Starter) | (Use::File("GITHUB_OUTPUT"), Author::Starter) => continue,
                    (Use::Code(program), _) => {
                        (format!("`{access}` is run as code by `{program}`"), "pass it as an argument")
                    }
                    (Use::Command, _) => (
                        format!("`{access}` chooses which program runs"),
                        "choose by `case` between known ones",
                    ),
                    (Use::Option(program), _) => (
                        format!("`{access}` can be an option of `{program}`: it may begin with `-`"),
                        "put `--` before it",
                    ),
                    (Use::Word, _) => (
                        format!("`{access}` falls apart into words and file names here"),
                        "put it between quotes",
                    ),
                    (Use::File(name), _) => (
                        format!("a line break in `{access}` adds a line of its own to `{name}`"),
                        "check it first: `[[ $X =~ ^[a-z0-9-]+$ ]] || exit 1`",
                    ),
                };
                if checked.get(variable.name.as_str()).is_some_and(|first| *first < index) {
                    continue;
                }
                let place = Place::within(script.place(), variable.range.clone());
                findings.push(RULE.finding(place, message).with_help(help));
            }
        }
    }
}

/// Whether any variable that a script expands holds such a text.
fn may_hold_text_of_others(file: &WorkflowFile<'_>, script: &Script<'_>) -> bool {
    let mut expanded = script.text.split('$').skip(1).map(|behind| {
        let name = behind.trim_start_matches(['{', '#', '!']);
        let length = name.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        &name[..length]
    });
    expanded.any(|name| author(file, script, name).is_some())
}

/// What a script does with a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use<'a> {
    Code(&'a str),
    Command,
    Option(&'a str),
    Word,
    File(&'a str),
}

fn uses<'a>(script: &'a Script<'_>, command: &'a Command) -> Vec<(&'a Variable, Use<'a>)> {
    let mut found = Vec::new();
    let Some((program, arguments)) = command.program() else { return found };
    let file = command.writes_to(FILES).or_else(|| {
        let next = script.commands().get(command.feeds?)?;
        next.program().filter(|(program, _)| *program == "tee").and_then(|_| next.writes_to(FILES))
    });
    let file = file.filter(|_| matches!(program, "echo" | "printf" | "cat"));
    found.extend(
        file.into_iter().flat_map(|name| {
            command.document.variables.iter().map(move |variable| (variable, Use::File(name)))
        }),
    );
    let first = command.words.len().saturating_sub(arguments.len() + 1);
    for variable in command.words.get(first).into_iter().flat_map(|word| &word.variables) {
        if variable.leads && !variable.changed {
            found.push((variable, Use::Command));
        }
    }
    let code = code_argument(program, arguments);
    let ends_options =
        arguments.iter().position(|word| matches!(word.text.as_str(), "--" | "--end-of-options"));
    for (position, word) in arguments.iter().enumerate() {
        for variable in word.variables.iter().filter(|variable| !variable.changed) {
            let is_code = code.is_some_and(|code| program == "eval" || position == code);
            if is_code {
                found.push((variable, Use::Code(program)));
            } else if let Some(name) = file {
                found.push((variable, Use::File(name)));
            } else if !variable.quoted && splits(program, word) {
                found.push((variable, Use::Word));
            } else if program == "git"
                && arguments.first().is_some_and(|own| GIT.contains(&own.text.as_str()))
                && variable.leads
                && ends_options.is_none_or(|end| position < end)
                && !arguments.get(position.wrapping_sub(1)).is_some_and(|before| takes_value(&before.text))
            {
                found.push((variable, Use::Option(program)));
            }
        }
    }
    found
}

/// The position of the argument that a program runs as code; of `eval` it is each.
fn code_argument(program: &str, arguments: &[Word]) -> Option<usize> {
    match program {
        "eval" => Some(0),
        "bash" | "sh" | "zsh" | "python" | "python3" | "perl" | "ruby" | "node" => {
            let flag = |word: &Word| matches!(word.text.as_str(), "-c" | "-e" | "-lc" | "-ec");
            // `bash -e file` runs a file.
            let is_shell = matches!(program, "bash" | "sh" | "zsh");
            let at = arguments.iter().position(|word| flag(word) && !(is_shell && word.text == "-e"))?;
            (program != "python" && program != "python3" || arguments.get(at)?.text == "-c").then_some(at + 1)
        }
        _ => None,
    }
}

/// Whether an unquoted expansion in this argument is split: not in a test, an assignment or a `case`.
fn splits(program: &str, word: &Word) -> bool {
    !matches!(program, "[[" | "case" | "export" | "local" | "declare" | "readonly" | "for")
        && !word.is_assignment()
}

/// Options of git whose value is the next word.
fn takes_value(option: &str) -> bool {
    matches!(
        option,
        "-m" | "--message" | "-b" | "-B" | "--branch" | "-c" | "-C" | "-F" | "--author" | "--format"
    )
}

/// The variables that a test or a `case` looks at, each with the first command that does.
fn checked<'a>(script: &Script<'a>) -> IndexMap<&'a str, usize> {
    let mut checked = IndexMap::new();
    for (index, command) in script.commands().iter().enumerate() {
        let Some((program, arguments)) = command.program() else { continue };
        let looks = match program {
            "case" => true,
            "[[" => arguments.iter().any(|word| word.text == "=~"),
            "grep" | "expr" => true,
            _ => false,
        };
        if looks {
            let before = command.fed_by.and_then(|before| script.commands().get(before));
            let fed = before.into_iter().flat_map(|before| &before.words);
            let here = command.redirections.iter().map(|(_, word)| word);
            for variable in arguments.iter().chain(fed).chain(here).flat_map(|word| &word.variables) {
                checked.entry(variable.name.as_str()).or_insert(index);
            }
        }
    }
    checked
}

/// Who wrote the text of a variable of the step, its job or its workflow, and which expression reads it.
fn author(file: &WorkflowFile<'_>, script: &Script<'_>, name: &str) -> Option<(Author, String)> {
    let environments = [&script.step.env, &script.job.env, &file.workflow.env];
    let Some(value) = environments.into_iter().find_map(|env| env.get(name)) else {
        // The runner sets it, from the same text as `github.head_ref`.
        return (name == HEAD).then(|| (Author::Outsider, name.to_owned()));
    };
    let found = embedded(value).0;
    let reads = found.iter().flat_map(|own| passed_on(&own.expression));
    reads
        .filter_map(|access| Some((written_by(file, &access)?, access.to_string())))
        .max_by_key(|(author, _)| *author)
}

/// The reads whose text can be the value of an expression, or a part of it: not those that are compared.
fn passed_on(expression: &Expression) -> Vec<ContextAccess> {
    if let Some(access) = expression.as_context() {
        return vec![access];
    }
    match &expression.kind {
        Kind::Logical { operands, .. } => operands.iter().flat_map(passed_on).collect(),
        Kind::Call { function, arguments } => {
            let passes = ["case", "format", "fromJSON", "join"];
            let passes = passes.iter().any(|own| own.eq_ignore_ascii_case(function));
            arguments.iter().filter(|_| passes).flat_map(passed_on).collect()
        }
        Kind::Access { base, .. } => passed_on(base),
        Kind::Literal(_) | Kind::Context(_) | Kind::Not(_) | Kind::Compare { .. } => Vec::new(),
    }
}

fn written_by(file: &WorkflowFile<'_>, access: &ContextAccess) -> Option<Author> {
    if OUTSIDERS.iter().any(|path| access.is_within(path)) {
        return Some(Author::Outsider);
    }
    let input = if access.is_within(&["inputs"]) { access.name(0) } else { access.name(2) };
    let starter = STARTERS.iter().any(|path| access.is_within(path));
    (starter && !input.is_some_and(|name| is_chosen(file, name))).then_some(Author::Starter)
}

/// Whether GitHub lets nobody give this input a text of their own: a boolean, a number, a choice.
fn is_chosen(file: &WorkflowFile<'_>, name: &str) -> bool {
    let on = &file.workflow.on;
    let dispatched = on.workflow_dispatch.iter().flat_map(|dispatch| &dispatch.inputs);
    let called = on.workflow_call.iter().flat_map(|call| &call.inputs);
    let mut declared = dispatched.chain(called).filter(|(own, _)| own.eq_ignore_ascii_case(name)).peekable();
    declared.peek().is_some() && declared.all(|(_, input)| !matches!(input.kind, InputKind::String))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn code_programs_options_words_and_files() {
        fixture::check(
            &RULE,
            "
on: {pull_request: null, workflow_dispatch: {inputs: {tool: null}}}
jobs:
  a:
    steps:
      - run: |
          eval \"$TITLE\"
#               ^^^^^^ warning[tainted-env-flow]: `github.event.pull_request.title` is run as code by `eval`
          bash -c \"run $TOOL\"
#                      ^^^^^ warning[tainted-env-flow]: `inputs.tool` is run as code by `bash`
          $TOOL --version
#         ^^^^^ warning[tainted-env-flow]: chooses which program runs
          git fetch origin \"$BRANCH\"
#                           ^^^^^^^ warning[tainted-env-flow]: can be an option of `git`
          echo $TITLE
#              ^^^^^^ warning[tainted-env-flow]: falls apart into words
          echo \"title=$TITLE\" >> \"$GITHUB_OUTPUT\"
#                     ^^^^^^ warning[tainted-env-flow]: adds a line of its own to `GITHUB_OUTPUT`
          git switch $GITHUB_HEAD_REF
#                    ^^^^^^^^^^^^^^^^ warning[tainted-env-flow]: `GITHUB_HEAD_REF` falls apart
          cat <<EOF | tee -a \"$GITHUB_ENV\"
          TOOL=${TOOL}
#              ^^^^^^^ warning[tainted-env-flow]: adds a line of its own to `GITHUB_ENV`
          EOF
        env:
          TITLE: '[${{ github.event.pull_request.title || inputs.tool }}]'
          BRANCH: ${{ github.head_ref }}
          TOOL: ${{ inputs.tool }}
",
        );
    }

    #[test]
    fn quoted_checked_and_fixed_text_pass() {
        fixture::check(
            &RULE,
            "
on:
  pull_request: null
  workflow_dispatch: {inputs: {kind: {type: choice, options: [a, b]}, free: null}}
env: {KIND: '${{ inputs.kind }}'}
jobs:
  a:
    steps:
      - run: |
          echo \"$TITLE\"; printf '%s' \"$TITLE\" > file
          git fetch origin -- \"$BRANCH\"
          git commit -m \"$TITLE\"
          [[ $BRANCH == main ]] && COPY=$BRANCH
          $KIND; echo $NUMBER >> \"$GITHUB_OUTPUT\"
          echo \"is=$IS\" >> $GITHUB_OUTPUT
          ls $FREE
        env:
          TITLE: ${{ github.event.pull_request.title }}
          BRANCH: ${{ github.head_ref }}
          NUMBER: ${{ github.event.pull_request.number }}
          IS: ${{ github.head_ref == 'x' && contains(github.event.pull_request.title, 'y') }}
          FREE: ${{ inputs.free }}
      - run: |
          [[ $BRANCH =~ ^[a-z]+$ ]] || exit 1
          echo \"branch=$BRANCH\" >> \"$GITHUB_OUTPUT\"
          git checkout \"$BRANCH\"
        env: {BRANCH: '${{ github.head_ref }}'}
      - {run: 'eval \"$TITLE\"', shell: python, env: {TITLE: '${{ github.event.issue.title }}'}}
",
        );
    }
}
