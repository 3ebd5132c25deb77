//! `tool-version-exact`.

use crate::action::Tool;
use crate::check::{Check, Group, PlacedJob, PlacedStep, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place, Severity};
use crate::expression::{ContextAccess, embedded, opens_in};
use crate::workflow::{Job, Step};
use crate::yaml::tree::Value;

pub(super) static RULE: Rule = Rule {
    code: "tool-version-exact",
    group: Group::Pinning,
    severity: Severity::Error,
    rejects: false,
    summary: "what an action installs has a version that does not move",
    documentation: "\
## What it does
Demands an exact version of what `setup-*` actions and scanners install: `1.13.3` for Terraform, OpenTofu
and trivy, at least `3.12` for Python, at least `24` for Node, which is also written `24.x`; or a version file where the
action reads one. A version from `matrix` or `env` is judged by the values that the same file gives it. Warns of any other
expression, which is not known from the text; in what pyfleet renders, that is an error. Terraform's wrapper must be off.

## Why
`latest` is whatever was released this morning. The wrapper turns exit codes into others, and prints
secrets as step outputs.

## Example
```yaml
- uses: hashicorp/setup-terraform@dfe3c3f87815947d99a8997f908cb6525fc44e9e # v4.0.1
```

## Instead
```yaml
- uses: hashicorp/setup-terraform@dfe3c3f87815947d99a8997f908cb6525fc44e9e # v4.0.1
  with:
    terraform_version: 1.13.3
    terraform_wrapper: false
```
",
    check: Check::Workflow(check),
};

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    for PlacedJob { place: job_place, job, steps, .. } in file.jobs() {
        for placed in steps {
            let Some(tool) = placed.action().and_then(|action| action.tool.as_ref()) else { continue };
            let PlacedStep { place, step, .. } = placed;
            judge_version(file, (job_place, job), (place, step), tool, findings);
            if let Some(wrapper) = &tool.off {
                judge_wrapper(place, step, wrapper, findings);
            }
        }
    }
}

/// Actions that look for a version file unasked.
const OWN_FILES: &[(&str, &str)] = &[("actions/setup-python", ".python-version")];

fn judge_wrapper(place: &Path, step: &Step, wrapper: &str, findings: &mut Diagnostics) {
    let finding = match written(step, wrapper) {
        Some((_, "false")) => return,
        Some((name, _)) => RULE.finding(
            place.key("with").key(name),
            format!("the wrapper hides exit codes and prints secrets: `{wrapper}` must be `false`"),
        ),
        None => RULE.finding(
            place.key("uses"),
            format!("the wrapper is on by default, hides exit codes and prints secrets: `{wrapper}` must be `false`"),
        ),
    };
    findings.push(finding.with_help(format!("set `{wrapper}: false`")));
}

fn judge_version(
    file: &WorkflowFile<'_>,
    (job_place, job): (&Path, &Job),
    (place, step): (&Path, &Step),
    tool: &Tool,
    findings: &mut Diagnostics,
) {
    let help = format!(
        "give at least {} parts, such as `{}`",
        tool.parts,
        &"1.13.3"[..[1, 4, 6][tool.parts.min(3) - 1]]
    );
    let Some((name, value)) = written(step, &tool.version) else {
        let by_file = tool.file.as_ref().is_some_and(|file| written(step, file).is_some());
        if !by_file {
            let file = OWN_FILES.iter().find_map(|(slug, file)| step.is_action(slug).then_some(file));
            let (severity, or) = match file {
                Some(file) => (Severity::Warning, format!("`{file}`, if there is one, or")),
                None => (Severity::Error, "the action or".to_owned()),
            };
            let message = format!("without `{}` {or} the runner decides which version runs", tool.version);
            let finding = Diagnostic::new(severity, RULE.code, place.key("uses"), message);
            findings.push(finding.with_help(help));
        }
        return;
    };
    let path = place.key("with").key(name);
    let (found, mistakes) = embedded(value);
    if found.is_empty() && mistakes.is_empty() {
        if let Some(message) = number_trap(file, &path) {
            findings.push(RULE.finding(path, message).with_help("put it between quotes"));
        } else if let Some(wrong) = value
            .split_whitespace()
            .chain(value.is_empty().then_some(""))
            .find(|one| !is_exact(one, tool.parts))
        {
            findings.push(RULE.finding(path, format!("`{wrong}` is not an exact version")).with_help(help));
        }
        return;
    }
    let only = found.first().filter(|only| only.span == (0..value.len()));
    let Some(access) = only.and_then(|only| only.expression.as_context()) else {
        let message = "the version is not known from the text";
        findings.push(Diagnostic::warning(RULE.code, path, message).with_help(help));
        return;
    };
    match values_of(file, job, step, &access) {
        None => {
            let message =
                format!("the version is not known from the text: `{access}` is no literal of this job");
            let place = Place::within(path, access.span);
            findings.push(Diagnostic::warning(RULE.code, place, message).with_help(help));
        }
        Some(values) => {
            for wrong in values.iter().filter(|one| !is_exact(one, tool.parts)) {
                let message = format!("`{access}` may be `{wrong}`, which is not an exact version");
                findings.push(
                    RULE.finding(Place::within(path.clone(), access.span.clone()), message)
                        .with_help(help.clone()),
                );
            }
            if access.context.eq_ignore_ascii_case("matrix") {
                let axis = job_place.key("strategy").key("matrix").key(access.name(0).unwrap_or_default());
                let items = file.node(&axis).map_or(0, |node| node.items().len());
                for item in (0..items).map(|position| axis.index(position)) {
                    if let Some(message) = number_trap(file, &item) {
                        findings.push(RULE.finding(item, message).with_help("put it between quotes"));
                    }
                }
            }
        }
    }
}

fn written<'a>(step: &'a Step, name: &str) -> Option<(&'a str, &'a str)> {
    let found = step.with.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
    found.map(|(own, value)| (own.as_str(), value.as_str()))
}

/// The literals that a read of `matrix` or `env` can mean in a step.
fn values_of(file: &WorkflowFile<'_>, job: &Job, step: &Step, access: &ContextAccess) -> Option<Vec<String>> {
    let name = access.name(0).filter(|_| access.selected.len() == 1)?;
    match access.context.to_ascii_lowercase().as_str() {
        "matrix" => job.strategy.as_ref()?.matrix.as_ref()?.texts(name),
        "env" => {
            let value =
                [&step.env, &job.env, &file.workflow.env].into_iter().find_map(|env| env.get(name))?;
            (!opens_in(value)).then(|| vec![value.clone()])
        }
        _ => None,
    }
}

/// `3.10` without quotes is the number 3.1.
fn number_trap(file: &WorkflowFile<'_>, path: &Path) -> Option<String> {
    match &file.node(path)?.value {
        Value::Number(number) if number.value().to_string() != number.text() => {
            Some(format!("YAML reads `{}` as the number {}", number.text(), number.value()))
        }
        _ => None,
    }
}

/// Whether a version has at least so many numeric parts and nothing else that ranges. `pypy3.11`, `pypy3.11-v7.3.22`,
/// `graalpy25.0` and the free-threaded `3.14t` are versions of Python; `24.x` says what `24` says.
fn is_exact(version: &str, parts: usize) -> bool {
    let version = version.strip_prefix('v').unwrap_or(version);
    let other = ["pypy", "graalpy"].iter().find_map(|name| version.strip_prefix(name));
    let version = other.map_or(version, |version| version.trim_start_matches('-'));
    let version = version.strip_suffix('t').unwrap_or(version);
    let (numbers, suffix) = match version.split_once('-') {
        Some((numbers, suffix)) => (numbers, Some(suffix)),
        None => (version, None),
    };
    let numbers = numbers.trim_end_matches(".x").trim_end_matches(".*");
    let numeric = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let count = numbers.split('.').count();
    let of_other = other.is_some()
        && suffix
            .and_then(|suffix| suffix.strip_prefix('v'))
            .is_some_and(|own| own.split('.').count() >= 3 && own.split('.').all(numeric));
    numbers.split('.').all(numeric) && count >= parts && (suffix.is_none() || count >= 3 || of_other)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    /// However long it is, it is one version.
    #[test]
    fn a_version_of_versions_ends() {
        assert!(super::is_exact("pypy3.11-v7.3.22", 2) && !super::is_exact("pypy3.11-v7.3", 2));
        assert!(!super::is_exact(&format!("pypy3{}", "-vpypy3".repeat(100_000)), 1));
    }

    #[test]
    fn missing_ranges_and_numbers() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - uses: aquasecurity/trivy-action@v0
#             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[tool-version-exact]: without `version` the action or the runner decides
      - uses: hashicorp/setup-terraform@v4
#             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[tool-version-exact]: the wrapper is on by default
        with:
          terraform_version: '1.13'
#                            ^^^^^^ error[tool-version-exact]: `1.13` is not an exact version
      - uses: opentofu/setup-opentofu@v2
        with:
          tofu_version: latest
#                       ^^^^^^ error[tool-version-exact]: `latest` is not an exact version
          tofu_wrapper: true
#                       ^^^^ error[tool-version-exact]: `tofu_wrapper` must be `false`
      - uses: actions/setup-python@v7
        with:
          python-version: 3.10
#                         ^^^^ error[tool-version-exact]: YAML reads `3.10` as the number 3.1
      - {uses: actions/setup-python@v7, with: {python-version: '3.x'}}
#                                                              ^^^^^ error[tool-version-exact]: `3.x`
      - {uses: actions/setup-node@v7, with: {node-version: lts/*}}
#                                                          ^^^^^ error[tool-version-exact]: `lts/*`
      - uses: actions/setup-python@v7
#             ^^^^^^^^^^^^^^^^^^^^^^^ warning[tool-version-exact]: without `python-version` `.python-version`, if there is one
      - uses: actions/setup-node@v7
#             ^^^^^^^^^^^^^^^^^^^^^ error[tool-version-exact]: without `node-version` the action or the runner decides
      - {uses: actions/setup-node@v7, with: {node-version: x}}
#                                                          ^ error[tool-version-exact]: `x`
      - {uses: hashicorp/setup-terraform@v4, with: {terraform_version: 1.13.x, terraform_wrapper: false}}
#                                                                      ^^^^^^ error[tool-version-exact]: `1.13.x`
      - {uses: actions/setup-python@v7, with: {python-version: pypy3.11-nightly}}
#                                                              ^^^^^^^^^^^^^^^^ error[tool-version-exact]: `pypy3.11-nightly`
",
        );
    }

    #[test]
    fn expressions_are_resolved_in_the_job() {
        fixture::check(
            &RULE,
            "
on: push
env: {PYTHON: '3'}
jobs:
  a:
    strategy:
      matrix:
        python: ['3.12', 3.10]
#                        ^^^^ error[tool-version-exact]: YAML reads `3.10` as the number 3.1
        include: [{python: 3.x}]
    steps:
      - uses: actions/setup-python@v7
        with:
          python-version: ${{ matrix.python }}
#                             ^^^^^^^^^^^^^ error[tool-version-exact]: `matrix.python` may be `3.x`
      - uses: actions/setup-python@v7
        with:
          python-version: ${{ env.PYTHON }}
#                             ^^^^^^^^^^ error[tool-version-exact]: `env.PYTHON` may be `3`
      - uses: actions/setup-python@v7
        with:
          python-version: ${{ inputs.python }}
#                             ^^^^^^^^^^^^^ warning[tool-version-exact]: `inputs.python` is no literal
      - uses: actions/setup-python@v7
        with:
          python-version: 3.${{ matrix.minor }}
#                         ^^^^^^^^^^^^^^^^^^^^^ warning[tool-version-exact]: not known from the text
",
        );
    }

    #[test]
    fn exact_versions_and_files_pass() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    strategy: {matrix: {python: ['3.12', '3.14.0-rc.1', 3.14t, pypy3.11, pypy3.11-v7.3.22, 3.13.x]}}
    env: {TOFU: 1.10.5}
    steps:
      - {uses: hashicorp/setup-terraform@v4, with: {terraform_version: 1.13.3, terraform_wrapper: false}}
      - {uses: opentofu/setup-opentofu@v2, with: {tofu_version: '${{ env.TOFU }}', tofu_wrapper: 'false'}}
      - {uses: actions/setup-python@v7, with: {python-version: '${{ matrix.python }}'}}
      - {uses: actions/setup-node@v7, with: {node-version: 24}}
      - {uses: actions/setup-node@v7, with: {node-version: 24.x}}
      - {uses: actions/setup-node@v7, with: {node-version-file: .nvmrc}}
      - {uses: aquasecurity/trivy-action@v0, with: {version: v0.70.0}}
      - {uses: actions/checkout@v7}
",
        );
    }
}
